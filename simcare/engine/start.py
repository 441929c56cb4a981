"""The world of one replication before its clock starts: who is there on day 0, who will come, the places and the
providers."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simcare.arrays.names import names_of
from simcare.arrays.places import Row, places_on_day_0, rows_of
from simcare.engine.arrivals import arrivals
from simcare.engine.equilibrium import equilibrium_days
from simcare.engine.persons import blank, check_keys, drawn_ages, person, value_in_bands
from simcare.errors import BadInput
from simcare.model import Model
from simcare.model.parts import Caseload, Elapsed
from simcare.rules.codes import CLASSES, COMMUNITY_CLASS, IN_SERVICE, NOT_YET_KNOWN, OUT, REFERRED
from simcare.rules.draws import (
    AGE,
    CONTAGION,
    DIVERT,
    ELAPSED,
    FAILURE,
    FIRST_OFFER,
    NEED,
    RULE_PURPOSES,
    exponential,
    name_key,
    uniform,
    uniforms,
)
from simcare.rules.occupancy import level_of
from simcare.rules.queues import MARKET_ROWS, ROWS
from simcare.rules.records import (
    CLIENT,
    LOG,
    MARKET_ROW,
    POOL_STATE,
    PROVIDER_STATE,
    QUEUE,
    RUNNING,
    TICKET,
    Tables,
    World,
)
from simcare.units import YEAR_DAYS

ROOM = 4096  # rows: more than any event writes, the changes of places apart


class Record(NamedTuple):
    """What a replication leaves: rows of the log (``rules.records.LOG``) and of the market
    (``rules.records.MARKET_ROW``)."""

    rows: NDArray[Any]
    market: NDArray[Any]


def record_of(ours: World) -> Record:
    """What has been written so far."""
    return Record(ours.log[: ours.counts[ROWS]], ours.market[: ours.counts[MARKET_ROWS]])


def starting_clients(model: Model, tables: Tables, seed: int, replication: int, days: float) -> Iterator[NDArray[Any]]:
    """The clients of one replication, row of the caseload by row, then stratum of arrivals by stratum."""
    check_keys(model)
    for there in model.caseload:
        yield caseload_clients(model, tables, there, seed, replication)
    for coming in model.arrivals:
        yield arrivals(model, tables, coming, seed, replication, days)


def world(model: Model, tables: Tables, seed: int, replication: int, days: float) -> World:
    """The world of one replication on day 0: the caseload first, then those who will arrive, in order of time."""
    everyone = np.concatenate([np.zeros(0, CLIENT), *starting_clients(model, tables, seed, replication, days)])
    here, later = everyone[everyone["status"] != NOT_YET_KNOWN], everyone[everyone["status"] == NOT_YET_KNOWN]
    clients = np.concatenate([here, later[np.argsort(later["entered"], kind="stable")]])
    state = np.zeros(tables.pools.size, POOL_STATE)
    state["places"], state["price"] = places_on_day_0(model, names_of(model)), 1.0
    if tables.pools.size:
        fill(model, clients, state)
        share = np.where(state["places"] > 0, state["used"] / np.maximum(state["places"], 1), 1.0)
        state["level"] = [level_of(min(float(x), 1.0)) for x in share]
    ours = world_of(tables, clients, state, seed, replication, model.about.start)
    ours.providers["budget"] = [
        exponential(seed, replication, name_key("provider", p.name), FAILURE, 0) for p in model.providers
    ]
    ours.providers["chance"] = [
        uniform(seed, replication, name_key("provider", p.name), CONTAGION, 0) for p in model.providers
    ]
    ours.ordinals[clients["status"] == REFERRED, DIVERT] = 1  # they are past the front door
    return ours


def world_of(
    tables: Tables, clients: NDArray[Any], pools: NDArray[Any], seed: int, replication: int, start: dt.date
) -> World:
    """A world before anything has happened, with room for what will."""
    count = clients.size
    running = np.zeros((count, max(1, tables.purposes.size)), RUNNING)
    running["budget"], running["when"] = np.nan, math.inf
    tickets = np.zeros(2 * count, TICKET)
    tickets["queue"] = -1
    queues = np.zeros((max(1, tables.queues.size), len(CLASSES)), QUEUE)
    queues["head"] = queues["tail"] = -1
    return World(
        tables=tables,
        clients=clients,
        running=running,
        ordinals=np.zeros((count, RULE_PURPOSES), np.int32),
        pools=pools,
        queues=queues,
        tickets=tickets,
        holding=np.zeros((tables.pools.size, tables.queues.size), np.int64),
        freed=np.zeros(tables.pools.size + 1, np.int64),
        providers=np.zeros(tables.providers.size, PROVIDER_STATE),
        market=np.zeros((tables.changes.size + 1) * (tables.pools.size + tables.providers.size), MARKET_ROW),
        woken=np.zeros(4 * count + 64, np.int64),
        log=np.zeros(4 * ROOM, LOG),
        counts=np.zeros(5, np.int64),
        address=np.array([seed, replication, start.toordinal()], np.int64),
    )


def with_log_room(ours: World, rows: int = ROOM) -> World:
    """The same world with room in the log for more rows: everything a rule could write before an engine looks again."""
    if ours.counts[ROWS] + rows <= ours.log.size:
        return ours
    longer = np.zeros(2 * ours.log.size + rows, LOG)
    longer[: ours.log.size] = ours.log
    return ours._replace(log=longer)


def _make_way(
    rows: Sequence[Row], clients: NDArray[Any], counts: NDArray[Any], places: NDArray[Any], row: Row, steps: int
) -> bool:
    """Move somebody out of a pool into another that may take them, if need be by making way there first; false where
    nobody can go."""
    held = clients["pool"]
    for further in range(steps):
        for i in np.flatnonzero(held == row.pool)[::-1]:
            for other in rows:
                if other.pool == row.pool or other.service != row.service or other.area not in (-1, clients["area"][i]):
                    continue
                free = other.pool < 0 or counts[other.pool] < places[other.pool]
                if free or (further and _make_way(rows, clients, counts, places, other, further)):
                    held[i], clients["provider"][i] = other.pool, other.provider
                    counts[row.pool] -= 1
                    if other.pool >= 0:
                        counts[other.pool] += 1
                    return True
    return False


def are_apart(tables: Tables) -> bool:
    """Whether no client can stand in another's way: no places and no hours are limited."""
    return tables.pools.size == 0


def fill(model: Model, clients: NDArray[Any], state: NDArray[Any]) -> None:
    """Put the people of day 0 into places: where a pool is drawn too often, some go to another that may take them."""
    names = names_of(model)
    rows = rows_of(model, names)
    pools = [row for row in rows if row.pool >= 0]
    held = clients["pool"]
    counts = np.bincount(held[held >= 0], minlength=state.size)
    for row in pools:
        while counts[row.pool] > state["places"][row.pool] and _make_way(
            rows, clients, counts, state["places"], row, 2
        ):
            pass
    over = [row for row in pools if counts[row.pool] > state["places"][row.pool]]
    if over:
        row = over[0]
        where = f"providers[{row.provider}] '{names.providers[row.provider]}', '{names.services[row.service]}'"
        raise BadInput(f"{where}: {counts[row.pool]} people on day 0 for {state['places'][row.pool]} places")
    state["used"] = counts


def caseload_clients(model: Model, tables: Tables, row: Caseload, seed: int, replication: int) -> NDArray[Any]:
    """The clients of one row of the day-0 caseload, each with age, need, elapsed stay and provider."""
    names = names_of(model)
    clients = blank((name_key("caseload", row.name) << 32) + np.arange(int(row.count.value), dtype=np.int64))
    ids = clients["id"]
    age = drawn_ages(model, row, uniforms(seed, replication, ids, AGE, 0))
    person(model, tables, row, clients, age, 0.0, seed, replication)
    clients["need"] = np.searchsorted(
        np.cumsum(row.needs.value), uniforms(seed, replication, ids, NEED, 0) * sum(row.needs.value), side="right"
    )
    clients["need"] = np.minimum(clients["need"], len(names.need_levels) - 1)
    elapsed = _elapsed(
        model,
        tables,
        row,
        clients,
        uniforms(seed, replication, ids, ELAPSED, 0),
        float(age.mean()) if age.size else 0.0,
    )
    youngest = 0.0
    clients["status"], clients["priority"] = OUT, COMMUNITY_CLASS
    if row.service is not None:
        service = names.services.index(row.service)
        youngest = model.services[service].from_age
        clients["status"], clients["service"] = IN_SERVICE, service
        clients["tier"] = tables.services[service]["tier"]
        offers = [
            o
            for o in rows_of(model, names)
            if o.service == service and o.area in (-1, clients["area"][0] if clients.size else 0)
        ]
        share = np.cumsum([o.offer.weight.value for o in offers])
        picked = np.searchsorted(share / share[-1], uniforms(seed, replication, ids, FIRST_OFFER, 0))
        clients["provider"], clients["pool"] = (
            np.array([o.provider for o in offers])[picked],
            np.array([o.pool for o in offers])[picked],
        )
    elapsed = np.minimum(elapsed, (age - youngest) * YEAR_DAYS)
    clients["need_since"] = -elapsed
    clients["stay_start"] = -elapsed if row.service is not None else math.nan
    return clients


def _elapsed(
    model: Model, tables: Tables, row: Caseload, clients: NDArray[Any], u: NDArray[np.float64], age: float
) -> NDArray[np.float64]:
    if isinstance(row.elapsed, Elapsed):
        return value_in_bands(row.elapsed.edges_days, row.elapsed.shares, u)
    names = names_of(model)
    service = None if row.service is None else model.services[names.services.index(row.service)]
    if service is not None and service.short_term_days is not None:
        return u * service.short_term_days.at(model.about.start)
    out = np.empty(u.size)
    stage, group = names.stages.index(row.stage), names.groups.index(row.group)
    number = -1 if row.service is None else names.services.index(row.service)
    follows, enabling = service is not None and service.follows_need, service is not None and service.enabling
    for need in np.unique(clients["need"]):
        mine = clients["need"] == need
        out[mine] = equilibrium_days(tables, stage, group, int(need), number, follows, enabling, age, u[mine])
    return out
