"""The engine for volume: the same rulebook under its own clock, compiled with it.

Where places or hours are limited, all clients share one agenda: a heap of (time, order of setting), as in SimPy, with each
client's place in it known, so that a turn can be set anew. Where nothing is limited, no client can stand in another's
way, and lives are led one after the other: the same rows, client by client, with a single client in memory.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from simcare.engine.start import are_apart, people, world, world_of
from simcare.jit import rule
from simcare.model import Model
from simcare.rules.events import begin, happen
from simcare.rules.handle import handle, log_of
from simcare.draws import DIVERT
from simcare.rules.names import CLIENT, DAY_0, POOL_STATE, PRESENT, REFERRED, UNBORN, Tables
from simcare.rules.queues import WOKEN


def simulate(model: Model, tables: Tables, seed: int, replication: int, days: float) -> NDArray[Any]:
    """The log of one replication: rows of ``rules.names.LOG``, those of each client in order of happening."""
    if not are_apart(tables):
        ours = handle(world(model, tables, seed, replication, days))
        together(ours, days)
        return log_of(ours)
    ours = handle(world_of(tables, np.zeros(1, CLIENT), np.zeros(0, POOL_STATE), seed, replication, model.about.start))
    for clients in people(model, tables, seed, replication, days):
        one_by_one(ours, clients, days)
    return log_of(ours)


@rule
def one_by_one(world: Any, clients: NDArray[Any], days: float) -> None:
    """Lead each life from its beginning to the horizon, in the only seat of the world."""
    for k in range(clients.size):
        world.clients[0] = clients[k]
        for column in range(world.running.shape[1]):
            running = world.running[0, column]
            running.budget, running.intensity = np.nan, 0.0
        for purpose in range(world.ordinals.shape[1]):
            world.ordinals[0, purpose] = 0
        client = world.clients[0]
        if client.status == UNBORN:
            time = client.entered
        else:
            if client.status == REFERRED:
                world.ordinals[0, DIVERT] = 1  # past the front door
            time = begin(world, 0, PRESENT, DAY_0)
        while time < days:
            time = happen(world, 0, time)


@rule
def together(world: Any, days: float) -> None:
    """All clients under one agenda, until the horizon."""
    count, changes = world.clients.size, world.tables.changes.size
    times, orders, who = np.empty(count + changes), np.empty(count + changes, np.int64), np.empty(count + changes, np.int64)
    where = np.full(count + changes, -1)
    agenda = (times, orders, who, where)
    state = np.zeros(2, np.int64)  # length, turns ever set
    for k in range(changes):
        _set(agenda, state, count + k, world.tables.changes[k].time, days)
    for i in range(count):
        if world.clients[i].status == UNBORN:
            _set(agenda, state, i, world.clients[i].entered, days)
        else:
            _set(agenda, state, i, begin(world, i, PRESENT, DAY_0), days)
            _wake(world, agenda, state, i, days)
    while state[0] > 0:
        i = who[0]
        time = happen(world, i, times[0])
        _set(agenda, state, i, time, days)
        _wake(world, agenda, state, i, days)


@rule
def _wake(world: Any, agenda: Any, state: NDArray[Any], i: int, days: float) -> None:
    """Set anew the turns of other clients whose next event has changed."""
    for k in range(world.counts[WOKEN]):
        j = world.woken[k]
        if j != i:
            _set(agenda, state, j, world.clients[j].next, days)


@rule
def _set(agenda: Any, state: NDArray[Any], i: int, time: float, days: float) -> None:
    """Set, move or take away a client's turn; of two at one time the one set earlier comes first."""
    times, orders, who, where = agenda
    at = where[i]
    if time >= days:
        if at >= 0:
            state[0] -= 1
            last = state[0]
            where[i] = -1
            if at != last:
                _place(agenda, state, at, times[last], orders[last], who[last])
        return
    if at < 0:
        at = state[0]
        state[0] += 1
        times[at], orders[at], who[at], where[i] = time, state[1], i, at
    state[1] += 1
    _place(agenda, state, at, time, state[1], i)


@rule
def _place(agenda: Any, state: NDArray[Any], at: int, time: float, order: int, i: int) -> None:
    """Put a turn into the heap at this slot and let it rise or sink to where it belongs."""
    times, orders, who, where = agenda
    while at > 0:
        parent = (at - 1) // 2
        if times[parent] < time or (times[parent] == time and orders[parent] < order):
            break
        times[at], orders[at], who[at] = times[parent], orders[parent], who[parent]
        where[who[at]] = at
        at = parent
    length = state[0]
    while True:
        child = 2 * at + 1
        if child >= length:
            break
        right = child + 1
        if right < length and (times[right] < times[child] or (times[right] == times[child] and orders[right] < orders[child])):
            child = right
        if time < times[child] or (time == times[child] and order < orders[child]):
            break
        times[at], orders[at], who[at] = times[child], orders[child], who[child]
        where[who[at]] = at
        at = child
    times[at], orders[at], who[at], where[i] = time, order, i, at
