"""The engine for volume: the same rulebook under its own clock, compiled with it.

Where places or hours are limited, all clients share one agenda: a heap of (time, order of setting), as in SimPy, with
each client's place in it known, so that a turn can be set again. Where nothing is limited, no client can stand in
another's way, and lives are led one after the other: the same rows, client by client, with a single client in memory.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simcare.engine.start import ROOM, Record, are_apart, record_of, starting_clients, with_log_room, world, world_of
from simcare.model import Model
from simcare.rules.codes import DAY_0, NOT_YET_KNOWN, PRESENT, REFERRED
from simcare.rules.compile import rule
from simcare.rules.draws import DIVERT
from simcare.rules.events import begin, happen
from simcare.rules.handle import handle
from simcare.rules.queues import ROWS, WOKEN
from simcare.rules.records import CLIENT, LOG, MARKET_ROW, POOL_STATE, Tables, World

LENGTH, SET, BEGUN = range(3)  # of an agenda's state


def record(model: Model, tables: Tables, seed: int, replication: int, days: float) -> Record:
    """The log of one replication, and the market's."""
    if not are_apart(tables):
        return _together(model, tables, seed, replication, days)
    rows = [np.zeros(0, LOG), *(rows.copy() for rows in batches(model, tables, seed, replication, days))]
    return Record(np.concatenate(rows), np.zeros(0, MARKET_ROW))


def batches(model: Model, tables: Tables, seed: int, replication: int, days: float) -> Iterator[NDArray[Any]]:
    """The log in parts: in each, some clients with all of their rows, client by client. A part is gone when the next
    one comes."""
    if not are_apart(tables):
        yield by_client(_together(model, tables, seed, replication, days).rows)
        return
    ours = one_seat(model, tables, seed, replication)
    for clients in starting_clients(model, tables, seed, replication, days):
        k = 0
        while k < clients.size:
            reached = one_by_one(handle(ours), clients, k, days)
            if ours.counts[ROWS]:
                yield ours.log[: ours.counts[ROWS]]
                ours.counts[ROWS] = 0
            elif reached == k:  # one life fills the log
                ours = with_log_room(ours, 2 * ours.log.size)
            k = reached


def by_client(rows: NDArray[Any]) -> NDArray[Any]:
    """Rows in order of happening, put client by client."""
    return rows[np.argsort(rows["client"], kind="stable")]


def _together(model: Model, tables: Tables, seed: int, replication: int, days: float) -> Record:
    ours = world(model, tables, seed, replication, days)
    agenda, done = agenda_of(ours), False
    while not done:
        ours = with_log_room(ours, ROOM + (8 * ours.clients.size if tables.changes.size else 0))
        done = together(handle(ours), agenda, days)
    return record_of(ours)


def one_seat(model: Model, tables: Tables, seed: int, replication: int) -> World:
    """A world for one client at a time."""
    return world_of(tables, np.zeros(1, CLIENT), np.zeros(0, POOL_STATE), seed, replication, model.about.start)


@rule
def one_by_one(world: Any, clients: NDArray[Any], k: int, days: float) -> int:
    """Lead each life from its beginning to the horizon, in the only seat of the world; returns at whom the log got
    full.

    A life that finds the log full is taken back, to be led again from its beginning.
    """
    while k < clients.size:
        rows = world.counts[ROWS]
        if rows + ROOM > world.log.size:  # a life without an event before the horizon writes a row as well
            return k
        world.clients[0] = clients[k]
        _sit_down(world)
        client = world.clients[0]
        time = client.entered if client.status == NOT_YET_KNOWN else begin(world, 0, PRESENT, DAY_0)
        while time < days:
            if world.counts[ROWS] + ROOM > world.log.size:
                world.counts[ROWS] = rows
                return k
            time = happen(world, 0, time)
        k += 1
    return k


@rule
def _sit_down(world: Any) -> None:
    """Nothing of the client before is left in the seat."""
    for column in range(world.running.shape[1]):
        running = world.running[0, column]
        running.budget, running.intensity = np.nan, 0.0
    for purpose in range(world.ordinals.shape[1]):
        world.ordinals[0, purpose] = 0
    if world.clients[0].status == REFERRED:
        world.ordinals[0, DIVERT] = 1  # past the front door


class Agenda(NamedTuple):
    """A heap of turns: when, in which order they were set, whose; where in the heap each client's is; its length, and
    turns ever set."""

    times: NDArray[np.float64]
    orders: NDArray[np.int64]
    who: NDArray[np.int64]
    where: NDArray[np.int64]
    state: NDArray[np.int64]


def agenda_of(ours: World) -> Agenda:
    """An empty agenda with room for every client and every change of places."""
    size = ours.clients.size + ours.tables.changes.size
    return Agenda(
        np.empty(size), np.empty(size, np.int64), np.empty(size, np.int64), np.full(size, -1), np.zeros(3, np.int64)
    )


@rule
def together(world: Any, agenda: Agenda, days: float) -> bool:
    """All clients under one agenda, until the horizon: true when it is reached, false where the log is nearly full."""
    state = agenda.state
    count, changes = world.clients.size, world.tables.changes.size
    while state[BEGUN] < changes + count:
        if world.counts[ROWS] + ROOM > world.log.size:
            return False
        k = state[BEGUN]
        state[BEGUN] += 1
        if k < changes:
            _set(agenda, count + k, world.tables.changes[k].time, days)
        elif world.clients[k - changes].status == NOT_YET_KNOWN:
            _set(agenda, k - changes, world.clients[k - changes].entered, days)
        else:
            _set(agenda, k - changes, begin(world, k - changes, PRESENT, DAY_0), days)
            _wake(world, agenda, k - changes, days)
    while state[LENGTH] > 0:
        i = agenda.who[0]
        if world.counts[ROWS] + (ROOM if i < count else ROOM + 8 * count) > world.log.size:
            return False
        _set(agenda, i, happen(world, i, agenda.times[0]), days)
        _wake(world, agenda, i, days)
    return True


@rule
def _wake(world: Any, agenda: Agenda, i: int, days: float) -> None:
    """Set again the turns of other clients whose next event has changed."""
    for k in range(world.counts[WOKEN]):
        j = world.woken[k]
        if j != i:
            _set(agenda, j, world.clients[j].next, days)


@rule
def _set(agenda: Agenda, i: int, time: float, days: float) -> None:
    """Set, move or take away a client's turn; of two at one time the one set earlier comes first."""
    times, orders, who, where, state = agenda
    at = where[i]
    if time >= days:
        if at >= 0:
            state[LENGTH] -= 1
            last = state[LENGTH]
            where[i] = -1
            if at != last:
                _place(agenda, at, times[last], orders[last], who[last])
        return
    if at < 0:
        at = state[LENGTH]
        state[LENGTH] += 1
        times[at], orders[at], who[at], where[i] = time, state[SET], i, at
    state[SET] += 1
    _place(agenda, at, time, state[SET], i)


@rule
def _place(agenda: Agenda, at: int, time: float, order: int, i: int) -> None:
    """Put a turn into the heap at this slot and let it rise or sink to where it belongs."""
    times, orders, who, where, state = agenda
    while at > 0:
        parent = (at - 1) // 2
        if times[parent] < time or (times[parent] == time and orders[parent] < order):
            break
        times[at], orders[at], who[at] = times[parent], orders[parent], who[parent]
        where[who[at]] = at
        at = parent
    length = state[LENGTH]
    while True:
        child = 2 * at + 1
        if child >= length:
            break
        right = child + 1
        if right < length and (
            times[right] < times[child] or (times[right] == times[child] and orders[right] < orders[child])
        ):
            child = right
        if time < times[child] or (time == times[child] and order < orders[child]):
            break
        times[at], orders[at], who[at] = times[child], orders[child], who[child]
        where[who[at]] = at
        at = child
    times[at], orders[at], who[at], where[i] = time, order, i, at
