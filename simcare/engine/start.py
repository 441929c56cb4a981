"""Who is there on day 0 and who will come: the clients of one replication, made before its clock starts.

Arrivals thin a Poisson field that all strategies share. Each stratum has layers of height one person a day;
layer k holds candidates at rate one a day with heights spread over it, and a candidate becomes a client when its
height is under the arrival rate of its day. A strategy that raises or lowers the rate keeps every other candidate.
"""

from __future__ import annotations

import datetime as dt
import math
import zlib
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaincinv

from simcare.capacity import Row, places_on_day_0, rows_of
from simcare.draws import (
    AGE,
    CONTAGION,
    DIVERT,
    ELAPSED,
    FAILURE,
    FIRST_OFFER,
    FRAILTY,
    GAP,
    HEIGHT,
    NEED,
    RULE_PURPOSES,
    exponential,
    uniform,
    uniforms,
)
from simcare.engine.equilibrium import equilibrium_days
from simcare.errors import BadInput
from simcare.jit import rule
from simcare.model import Model
from simcare.model.checks import changes_on
from simcare.model.parts import Ages, Arrivals, Caseload, Elapsed
from simcare.names import names_of
from simcare.rules.names import (
    ARRIVE,
    CLASSES,
    CLIENT,
    COMMUNITY_CLASS,
    FIRM_STATE,
    IN_SERVICE,
    LOG,
    MARKET_ROW,
    OUT,
    POOL_STATE,
    QUEUE,
    REFERRED,
    ROUTES,
    RUNNING,
    TICKET,
    UNBORN,
    Tables,
    World,
)
from simcare.rules.queues import MARKET_ROWS, ROWS
from simcare.tables import YEAR_DAYS, multiplier_steps
from simcare.tariffs import LEVELS

FRAILTY_RANGE = (0.1, 10.0)
ROOM = 4096  # rows: more than any event writes, the changes of places apart
LAYER_BITS, CANDIDATE_BITS = 12, 20


class Record(NamedTuple):
    """What a replication leaves: rows of the log (``rules.names.LOG``) and of the market (``rules.names.MARKET_ROW``)."""

    rows: NDArray[Any]
    market: NDArray[Any]


def record_of(ours: World) -> Record:
    """What has been written so far."""
    return Record(ours.log[: ours.counts[ROWS]], ours.market[: ours.counts[MARKET_ROWS]])


def people(model: Model, tables: Tables, seed: int, replication: int, days: float) -> Iterator[NDArray[Any]]:
    """The clients of one replication, row of the caseload by row, then stratum of arrivals by stratum."""
    check_keys(model)
    for there in model.caseload:
        yield caseload(model, tables, there, seed, replication)
    for coming in model.arrivals:
        yield arrivals(model, tables, coming, seed, replication, days)


def world(model: Model, tables: Tables, seed: int, replication: int, days: float) -> World:
    """The world of one replication on day 0: the caseload first, then those who will arrive, in order of time."""
    everyone = np.concatenate([np.zeros(0, CLIENT), *people(model, tables, seed, replication, days)])
    here, later = everyone[everyone["status"] != UNBORN], everyone[everyone["status"] == UNBORN]
    clients = np.concatenate([here, later[np.argsort(later["entered"], kind="stable")]])
    state = np.zeros(tables.pools.size, POOL_STATE)
    state["places"], state["price"] = places_on_day_0(model, names_of(model)), 1.0
    if tables.pools.size:
        fill(model, clients, state)
        share = np.where(state["places"] > 0, state["used"] / np.maximum(state["places"], 1), 1.0)
        state["level"] = np.rint((np.clip(share, LEVELS[0], LEVELS[-1]) - LEVELS[0]) / (LEVELS[1] - LEVELS[0]))
    ours = world_of(tables, clients, state, seed, replication, model.about.start)
    ours.firms["budget"] = [exponential(seed, replication, key("provider", p.name), FAILURE, 0) for p in model.providers]
    ours.firms["luck"] = [uniform(seed, replication, key("provider", p.name), CONTAGION, 0) for p in model.providers]
    ours.ordinals[clients["status"] == REFERRED, DIVERT] = 1  # they are past the front door
    return ours


def world_of(tables: Tables, clients: NDArray[Any], pools: NDArray[Any], seed: int, replication: int, start: dt.date) -> World:
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
        firms=np.zeros(tables.firms.size, FIRM_STATE),
        market=np.zeros((tables.changes.size + 1) * (tables.pools.size + tables.firms.size), MARKET_ROW),
        woken=np.zeros(4 * count + 64, np.int64),
        log=np.zeros(4 * ROOM, LOG),
        counts=np.zeros(5, np.int64),
        address=np.array([seed, replication, start.toordinal()], np.int64),
    )


def with_room(ours: World, rows: int = ROOM) -> World:
    """The same world with room in the log for more rows: everything a rule could write before an engine looks again."""
    if ours.counts[ROWS] + rows <= ours.log.size:
        return ours
    longer = np.zeros(2 * ours.log.size + rows, LOG)
    longer[: ours.log.size] = ours.log
    return ours._replace(log=longer)


def _make_way(rows: Sequence[Row], clients: NDArray[Any], counts: NDArray[Any], places: NDArray[Any], row: Row, steps: int) -> bool:
    """Move somebody out of a pool into another that may take them, if need be by making way there first; false where nobody can go."""
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
        while counts[row.pool] > state["places"][row.pool] and _make_way(rows, clients, counts, state["places"], row, 2):
            pass
    over = [row for row in pools if counts[row.pool] > state["places"][row.pool]]
    if over:
        row = over[0]
        where = f"providers[{row.provider}] '{names.providers[row.provider]}', '{names.services[row.service]}'"
        raise BadInput(f"{where}: {counts[row.pool]} people on day 0 for {state['places'][row.pool]} places")
    state["used"] = counts


def key(kind: str, name: str) -> int:
    """Thirty-one bits from a stratum's name, so that adding a stratum moves no other client's address."""
    return zlib.crc32(f"{kind}:{name}".encode()) & 0x7FFFFFFF


def check_keys(model: Model) -> None:
    """No two strata may share a key (a chance of one in a million for 50 strata)."""
    seen: dict[int, str] = {}
    fields = [("caseload", row.name) for row in model.caseload]
    fields += [(field, row.name) for row in model.arrivals for field in ("arrivals", "arrivals before")]
    for field, name in fields:
        k = key(field, name)
        if k in seen:
            raise BadInput(f"{field}.{name}: its address clashes with {seen[k]}; give one of them another name")
        seen[k] = f"{field}.{name}"


def _blank(ids: NDArray[np.int64]) -> NDArray[Any]:
    clients = np.zeros(ids.size, CLIENT)
    clients["id"] = ids
    for name in ("assess_at", "desk_at", "review_due", "short_end", "hospital_end", "birthday", "next"):
        clients[name] = math.inf
    clients["stay_start"] = math.nan
    clients["service"] = clients["provider"] = clients["pool"] = clients["team"] = clients["wants"] = clients["cell"] = -1
    return clients


def caseload(model: Model, tables: Tables, row: Caseload, seed: int, replication: int) -> NDArray[Any]:
    """The clients of one row of the day-0 caseload, each with age, need, elapsed stay and provider."""
    names = names_of(model)
    clients = _blank((key("caseload", row.name) << 32) + np.arange(int(row.count.value), dtype=np.int64))
    ids = clients["id"]
    age = _ages(model, row, uniforms(seed, replication, ids, AGE, 0))
    _person(model, tables, row, clients, age, 0.0, seed, replication)
    clients["need"] = np.searchsorted(np.cumsum(row.needs.value), uniforms(seed, replication, ids, NEED, 0) * sum(row.needs.value), side="right")
    clients["need"] = np.minimum(clients["need"], len(names.rungs) - 1)
    elapsed = _elapsed(model, tables, row, clients, uniforms(seed, replication, ids, ELAPSED, 0), float(age.mean()) if age.size else 0.0)
    youngest = 0.0
    clients["status"], clients["priority"] = OUT, COMMUNITY_CLASS
    if row.service is not None:
        service = names.services.index(row.service)
        youngest = model.services[service].from_age
        clients["status"], clients["service"] = IN_SERVICE, service
        clients["tier"] = tables.services[service]["tier"]
        offers = [o for o in rows_of(model, names) if o.service == service and o.area in (-1, clients["area"][0] if clients.size else 0)]
        share = np.cumsum([o.offer.weight.value for o in offers])
        picked = np.searchsorted(share / share[-1], uniforms(seed, replication, ids, FIRST_OFFER, 0))
        clients["provider"], clients["pool"] = np.array([o.provider for o in offers])[picked], np.array([o.pool for o in offers])[picked]
    elapsed = np.minimum(elapsed, (age - youngest) * YEAR_DAYS)
    clients["need_since"] = -elapsed
    clients["stay_start"] = -elapsed if row.service is not None else math.nan
    return clients


def _person(
    model: Model,
    tables: Tables,
    row: Caseload | Arrivals,
    clients: NDArray[Any],
    age: NDArray[np.float64],
    when: NDArray[Any] | float,
    seed: int,
    replication: int,
) -> None:
    names = names_of(model)
    clients["born"], clients["entered"] = when - age * YEAR_DAYS, when
    clients["area"] = 0 if row.area is None else names.areas.index(row.area)
    clients["stage"], clients["group"] = names.stages.index(row.stage), names.groups.index(row.group)
    clients["band"] = np.searchsorted(tables.bands["from_age"], age, side="right") - 1
    variance = float(tables.stages[names.stages.index(row.stage)]["frailty_variance"])
    clients["frailty"] = frailty(variance, uniforms(seed, replication, clients["id"], FRAILTY, 0)) if variance > 0 else 1.0


def frailty(variance: float, u: NDArray[np.float64]) -> NDArray[np.float64]:
    """Gamma multipliers with mean 1 and this variance, kept within 0.1 to 10.

    The quantile function, read from a table with points dense in both tails (relative error below 1e-3, of the mean below 1e-6).
    """
    points, values = _gamma_quantiles(variance)
    return np.interp(u, points, values)


@cache
def _gamma_quantiles(variance: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    points = 1.0 / (1.0 + np.exp(-np.linspace(-18.0, 18.0, 9001)))
    return points, np.clip(gammaincinv(1.0 / variance, points) * variance, *FRAILTY_RANGE)


def _spread(edges: Sequence[float], shares: Sequence[float], u: NDArray[np.float64]) -> NDArray[np.float64]:
    """A value in bands from one uniform draw: the band by its share, even within it."""
    top = np.concatenate([[0.0], np.cumsum(shares)])
    return np.interp(u * top[-1], top, edges)


def _ages(model: Model, row: Caseload | Arrivals, u: NDArray[np.float64]) -> NDArray[np.float64]:
    if isinstance(row.ages, Ages):
        return _spread(row.ages.edges, row.ages.shares, u)
    stage = next(s for s in model.stages if s.name == row.stage)
    assert stage.to_age is not None
    return stage.from_age + u * (stage.to_age - stage.from_age)


def _elapsed(model: Model, tables: Tables, row: Caseload, clients: NDArray[Any], u: NDArray[np.float64], age: float) -> NDArray[np.float64]:
    if isinstance(row.elapsed, Elapsed):
        return _spread(row.elapsed.edges_days, row.elapsed.shares, u)
    names = names_of(model)
    service = None if row.service is None else model.services[names.services.index(row.service)]
    if service is not None and service.short_term_days is not None:
        return u * service.short_term_days.at(model.about.start)
    out = np.empty(u.size)
    stage, group = names.stages.index(row.stage), names.groups.index(row.group)
    follows, enabling = service is not None and service.follows_need, service is not None and service.enabling
    for need in np.unique(clients["need"]):
        mine = clients["need"] == need
        out[mine] = equilibrium_days(tables, stage, group, int(need), follows, enabling, age, u[mine])
    return out


def arrivals(model: Model, tables: Tables, row: Arrivals, seed: int, replication: int, days: float) -> NDArray[Any]:
    """The clients of one stratum who will come to the door before the horizon, and those who came but are not yet assessed."""
    ids, times, needs = _candidates(model, row, "arrivals", 0.0, days, seed, replication)
    lead = lead_days(model, row)
    if lead > 0.0:
        before = _waiting(model, tables, row, lead, seed, replication)
        ids, times, needs = (np.concatenate(pair) for pair in zip(before, (ids, times, needs), strict=True))
    clients = _blank(ids)
    age = _ages(model, row, uniforms(seed, replication, ids, AGE, 0))
    _person(model, tables, row, clients, age, times, seed, replication)
    clients["need"], clients["route"], clients["priority"] = needs, ROUTES[row.route], row.priority - 1
    clients["status"], clients["what"], clients["next"] = UNBORN, ARRIVE, times
    early = slice(0, int(np.count_nonzero(times < 0.0)))  # they come first
    clients["status"][early] = REFERRED
    clients["assess_at"][early] = times[early] + lead
    clients["need_since"][early] = clients["wait_since"][early] = times[early]
    return clients


def _waiting(model: Model, tables: Tables, row: Arrivals, lead: float, seed: int, replication: int) -> tuple[NDArray[Any], ...]:
    """Those who came before day 0 and still wait for their assessment: ids, times, needs; who was diverted at the door is left out.

    They are candidates of a field of their own, or another wait would give every later candidate another time.
    """
    ids, times, needs = _candidates(model, row, "arrivals before", -lead, 0.0, seed, replication)
    stage = names_of(model).stages.index(row.stage)
    stay = uniforms(seed, replication, ids, DIVERT, 0) >= tables.stage_rungs[stage, needs]["diverted"]
    return ids[stay], times[stay], needs[stay]


def _candidates(model: Model, row: Arrivals, field: str, begin: float, end: float, seed: int, replication: int) -> tuple[NDArray[Any], ...]:
    """The candidates of a stratum's field that come between two days: ids, times, needs."""
    edges, rates = arrival_rates(model, row, begin, end)
    layers = math.ceil(float(rates.max(initial=0.0)))
    if layers >= 1 << LAYER_BITS or end - begin >= (1 << CANDIDATE_BITS) - 4096:
        raise BadInput(f"arrivals.{row.name}: more than {(1 << LAYER_BITS) - 1} people a day; split the stratum")
    return candidates(seed, replication, key(field, row.name) << 32, layers, edges, rates, np.cumsum(row.needs.value))


def lead_days(model: Model, row: Arrivals) -> float:
    """How long before day 0 someone may have come to the door and still wait for an assessment."""
    doors = [door for door in model.front_door if door.stages is None or row.stage in door.stages]
    if row.route != "referral" or not doors or doors[0].assessment_days is None:
        return 0.0
    return doors[0].assessment_days.at(model.about.start)


def arrival_rates(model: Model, row: Arrivals, begin: float, days: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Arrivals a day by need, constant between ``edges`` (days, from ``begin``): shape (pieces, rungs), multipliers included.

    Column n is the whole stratum's rate as if all had need n; shares are applied when a candidate's need is drawn.
    """
    start = model.about.start
    cuts = {begin, days}
    month = (start + dt.timedelta(days=math.floor(begin))).replace(day=1)
    while (day := (month - start).days) < days:
        cuts.add(float(day))
        month = (month + dt.timedelta(days=32)).replace(day=1)
    lines = [multiplier_steps(changes_on(model, "arrivals", row.stage, row.group, rung), start) for rung in model.rungs]
    dated = [step.from_ for step in row.per_year.steps if step.from_ is not None]
    cuts |= {float((date - start).days) for date in dated} | {day for line in lines for day, _ in line if math.isfinite(day)}
    edges = np.array(sorted(c for c in cuts if begin <= c <= days))
    rates = np.array([[_rate(row, start, left, right) * _at(line, left) for line in lines] for left, right in pairwise(edges)])
    return edges, rates


def _at(line: Sequence[tuple[float, float]], day: float) -> float:
    return [value for when, value in line if when <= day][-1]


def _rate(row: Arrivals, start: dt.date, left: float, right: float) -> float:
    date = start + dt.timedelta(days=math.floor(left))
    rate = row.per_year.at(date) / YEAR_DAYS
    if row.season is not None:
        rate *= row.season.value[(date.month - 4) % 12]
    if row.growth_per_year is not None:
        rate *= (1.0 + row.growth_per_year.value) ** ((left + right) / 2.0 / YEAR_DAYS)
    return rate


@rule
def candidates(
    seed: int,
    replication: int,
    base: int,
    layers: int,
    edges: NDArray[np.float64],
    rates: NDArray[np.float64],
    shares: NDArray[np.float64],
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.int64]]:
    """The candidates that come between the first and the last edge: their ids, times and needs."""
    days = edges[-1] - edges[0]
    size = layers * int(days + 12.0 * math.sqrt(days) + 64.0)
    ids, times, needs = np.empty(size, np.int64), np.empty(size), np.empty(size, np.int64)
    n = 0
    for layer in range(layers):
        time, k, piece = edges[0], 0, 0
        while True:
            client = base + (layer << CANDIDATE_BITS) + k
            time += exponential(seed, replication, client, GAP, 0)
            if time >= edges[-1]:
                break
            while edges[piece + 1] <= time:
                piece += 1
            need = min(np.searchsorted(shares, uniform(seed, replication, client, NEED, 0) * shares[-1], side="right"), shares.size - 1)
            if layer + uniform(seed, replication, client, HEIGHT, 0) < rates[piece, need]:
                ids[n], times[n], needs[n] = client, time, need
                n += 1
            k += 1
    return ids[:n], times[:n], needs[:n]
