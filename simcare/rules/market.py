"""What changes on a date for many at once: numbers of places, occupancies, prices, providers that come, grow and
fail."""

from __future__ import annotations

import math
from typing import Any

from simcare.rules.clocks import dated, schedule
from simcare.rules.codes import BY_CUT, BY_FAILURE, FAILS, IN_SERVICE, PLACES, QUARTER
from simcare.rules.compile import rule
from simcare.rules.cuts import fit_places
from simcare.rules.occupancy import level_of
from simcare.rules.places import share_out
from simcare.rules.queues import MARKET_ROWS, wake
from simcare.units import YEAR_DAYS

QUARTER_DAYS = YEAR_DAYS / 4
FOR_EVERYBODY = 10**9  # places that are counted though there is one for everybody


@rule
def change(world: Any, k: int, now: float) -> None:
    """All changes of one moment are made together, with the first of them: nobody moves to a place that closes as
    well."""
    changes = world.tables.changes
    if k > 0 and changes[k - 1].time == now:
        return
    last, kind = k, PLACES
    while last < changes.size and changes[last].time == now:
        row = changes[last]
        if row.kind == PLACES and not world.pools[row.index].closed:
            world.pools[row.index].places = row.places
        elif row.kind == FAILS:
            _close(world, row.index, now, 0.0)
        elif row.kind != PLACES:
            kind = max(kind, row.kind)
        last += 1
    if kind == QUARTER and world.tables.market.size > 0:
        _quarter(world, now)
    for pool in range(world.tables.pools.size):
        if world.tables.pools[pool].service >= 0:
            fit_places(world, pool, now, BY_FAILURE if world.pools[pool].closed else BY_CUT)
    share_out(world, now)
    if kind != PLACES:
        _see_occupancies(world, now)


@rule
def _quarter(world: Any, now: float) -> None:
    """Prices drift, places grow or shrink, providers fail: by how full they are and what they earn."""
    market = world.tables.market[0]
    for pool in range(world.tables.pools.size):
        row, state = world.tables.pools[pool], world.pools[pool]
        if row.service < 0 or state.closed:
            continue
        above = 0.0 if state.places >= FOR_EVERYBODY else _occupancy(state) - market.usual_occupancy
        state.price *= math.exp(math.log1p(market.drift) / 4.0 + market.per_occupancy * above / 4.0)
        _grow(world, pool, market.entry / 4.0 * above / max(1.0 - market.usual_occupancy, 0.01))
    for provider in range(world.tables.providers.size):
        row, state = world.tables.providers[provider], world.providers[provider]
        if state.failed:
            continue
        margin = _margin(world, provider, now)
        _note(world, provider, now, margin)
        state.budget -= row.closures * QUARTER_DAYS * math.exp(-market.per_margin * (margin - market.usual_margin))
        if row.closures > 0.0 and state.budget <= 0.0:
            _close(world, provider, now, margin)


@rule
def _occupancy(pool: Any) -> float:
    return min(pool.used / pool.places, 1.0) if pool.places > 0 else 1.0


@rule
def _grow(world: Any, pool: int, share: float) -> None:
    """Places that come and go; only free ones go."""
    state = world.pools[pool]
    state.room += state.places * share
    whole = math.floor(state.room) if state.room >= 0.0 else math.ceil(state.room)
    if whole < 0:
        whole = -min(-whole, max(state.places - state.used, 0))
    state.places += int(whole)
    state.room -= math.floor(state.room) if state.room >= 0.0 else math.ceil(state.room)


@rule
def _margin(world: Any, provider: int, now: float) -> float:
    """Income less cost, as a share of income: of the provider's places as they are today."""
    income, cost = 0.0, world.tables.providers[provider].overhead
    for pool in range(world.tables.pools.size):
        row, state = world.tables.pools[pool], world.pools[pool]
        if row.service >= 0 and row.provider == provider:
            income += (state.used + state.spot) * dated(world, row.price, now, 0.0) * state.price
            cost += (state.used + state.spot) * row.variable + row.fixed
    return (income - cost) / income if income > 0.0 else -1.0


@rule
def _note(world: Any, provider: int, now: float, margin: float) -> None:
    """The provider's pools at the beginning of the quarter, in the market's log."""
    for pool in range(world.tables.pools.size):
        row, state = world.tables.pools[pool], world.pools[pool]
        if row.service >= 0 and row.provider == provider:
            noted = world.market[world.counts[MARKET_ROWS]]
            world.counts[MARKET_ROWS] += 1
            noted.time, noted.provider, noted.pool, noted.failed = now, provider, pool, 0
            noted.places, noted.used, noted.spot, noted.price, noted.margin = (
                state.places,
                state.used,
                state.spot,
                state.price,
                margin,
            )


@rule
def _close(world: Any, provider: int, now: float, margin: float) -> None:
    """A provider fails, and perhaps others of its parent with it: nobody new comes, and those there ask for another
    place."""
    parent = world.tables.providers[provider].parent
    _shut(world, provider, now, margin)
    if parent < 0 or world.tables.market.size == 0:
        return
    for other in range(world.tables.providers.size):
        same = world.tables.providers[other].parent == parent
        if (
            same
            and not world.providers[other].failed
            and world.providers[other].chance < world.tables.market[0].contagion
        ):
            _shut(world, other, now, _margin(world, other, now))


@rule
def _shut(world: Any, provider: int, now: float, margin: float) -> None:
    if world.providers[provider].failed:
        return
    world.providers[provider].failed = 1
    used = 0
    for pool in range(world.tables.pools.size):
        row, state = world.tables.pools[pool], world.pools[pool]
        if row.service >= 0 and row.provider == provider:
            used += state.used
            state.places, state.closed = 0, 1
    noted = world.market[world.counts[MARKET_ROWS]]
    world.counts[MARKET_ROWS] += 1
    noted.time, noted.provider, noted.pool, noted.failed = now, provider, -1, 1
    noted.places, noted.used, noted.spot, noted.price, noted.margin = 0, used, 0, 1.0, margin


@rule
def _see_occupancies(world: Any, now: float) -> None:
    """Providers see how full they are: only the clocks of those who are in places of another level of occupancy
    are set again."""
    for pool in range(world.tables.pools.size):
        row, state = world.tables.pools[pool], world.pools[pool]
        if row.service >= 0 and world.tables.terms[row.service, row.provider].levels > 1:
            level = level_of(_occupancy(state))
            if level != state.level:
                state.level = level
                _set_again(world, pool, now)


@rule
def _set_again(world: Any, pool: int, now: float) -> None:
    for i in range(world.clients.size):
        if world.clients[i].pool == pool and world.clients[i].status == IN_SERVICE:
            schedule(world, i, now)
            wake(world, i)
