"""Places and teams as arrays: who may take whom, how many, and which queue each free place serves."""

from __future__ import annotations

import math
from itertools import product
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simcare.arrays.clocks import Steps
from simcare.arrays.names import Names
from simcare.arrays.rows import as_row
from simcare.model import Model
from simcare.model.capacity import Offer
from simcare.model.offers import mean_price, reference_price, tariff_starts
from simcare.rules.codes import ASSESSES, CUTS, FAILS, MONTH, PLACES, QUARTER, REVIEWS, WORK
from simcare.rules.market import FOR_EVERYBODY
from simcare.rules.records import CHANGE, LIST, MARKET, OFFER_ROW, POOL, PROVIDER, TEAM_TASK
from simcare.units import YEAR_DAYS, month_index, month_start

LONGEST_YEARS = 60
NO_ACCOUNTS: dict[str, float] = {"price": -1, "variable": 0.0, "fixed": 0.0}


class Places(NamedTuple):
    """Lists of offers, pools of places (and teams, which are pools of one), and the queues between them."""

    lists: NDArray[Any]
    offers: NDArray[Any]
    pools: NDArray[Any]
    pool_queues: NDArray[Any]
    queues: NDArray[Any]
    changes: NDArray[Any]
    teams_from: int  # the first pool that is a team
    providers: NDArray[Any]
    market: NDArray[Any]


class Row(NamedTuple):
    """An offer of the model in numbers."""

    service: int
    provider: int
    area: int  # −1: every area's
    pool: int  # −1: not limited
    offer: Offer


def rows_of(model: Model, names: Names) -> list[Row]:
    """Every offer in order of the file, with its pool."""
    rows: list[Row] = []
    pools = 0
    mortal = may_fail(model)
    for p, provider in enumerate(model.providers):
        for offer in provider.offers:
            limited = offer.places is not None or provider.name in mortal
            area = -1 if offer.area is None else names.areas.index(offer.area)
            rows.append(Row(names.services.index(offer.service), p, area, pools if limited else -1, offer))
            pools += limited
    return rows


def may_fail(model: Model) -> set[str]:
    """The providers that can fail: their people must be found, so their places are counted even where there is one for
    everybody."""
    by_hazard = {
        p.name
        for p in model.providers
        if p.closures_per_year is not None and p.closures_per_year.value > 0 and model.market is not None
    }
    return by_hazard | {failure.provider for failure in model.failures}


def open_places(model: Model, names: Names, open_to: NDArray[Any], steps: Steps) -> Places:
    """For each area, level of need (and the short-term tier), age band and group: who may take a client, and with what
    share.

    Where no service has the tier of a need, the nearest tier above stands in, and failing that the nearest below. Equal
    lists share one queue.
    """
    rows, top = rows_of(model, names), len(names.need_levels)
    lists = np.zeros((len(names.areas), top + 1, open_to.shape[1], len(names.groups)), LIST)
    known: dict[tuple[int, ...], tuple[int, int, int]] = {(): (0, 0, -1)}
    offers: list[tuple[int, int, int, float]] = []
    for area, need_level, band, group in product(
        range(len(names.areas)), range(1, top + 1), range(open_to.shape[1]), range(len(names.groups))
    ):
        found = _found(model, names, rows, open_to[:, band, group], area, need_level)
        if found not in known:
            known[found] = (len(offers), len(found), len(known) - 1)
            shares = np.cumsum([rows[k].offer.weight.value * appeal(model, rows[k].offer) for k in found])
            offers += [
                (rows[k].service, rows[k].provider, rows[k].pool, float(x / shares[-1]))
                for k, x in zip(found, shares, strict=True)
            ]
        lists[area, need_level, band, group] = known[found]
    pools, pool_queues, queues = _pools(model, rows, [key for key in known if key], steps)
    changes = _changes(model, rows, steps)
    limited = sum(row.pool >= 0 for row in rows)
    return Places(
        lists,
        np.array(offers, OFFER_ROW),
        pools,
        pool_queues,
        queues,
        changes,
        limited,
        _providers(model),
        _market(model),
    )


def _found(
    model: Model, names: Names, rows: list[Row], opened: NDArray[Any], area: int, need_level: int
) -> tuple[int, ...]:
    """The offers for a level of need of some people, as numbers of rows."""
    top = len(names.need_levels)
    level_of_tier = [names.need_levels.index(s.tier) if s.short_term_days is None else top for s in model.services]
    for at in [top] if need_level == top else [*range(need_level, top), *range(need_level - 1, 0, -1)]:
        found = tuple(
            k
            for k, row in enumerate(rows)
            if level_of_tier[row.service] == at
            and opened[row.service]
            and row.offer.weight.value > 0
            and row.area in (-1, area)
        )
        if found:
            return found
    return ()


def appeal(model: Model, offer: Offer) -> float:
    """What quality and price make of an offer's weight, where the model has a market: the fixed part of a multinomial
    logit."""
    market = model.market
    if market is None:
        return 1.0
    utility = 0.0
    if market.choice_quality is not None and offer.quality is not None:
        utility += market.choice_quality.value * offer.quality.value
    if market.choice_price is not None and (price := mean_price(model, offer, model.about.start)) > 0:
        utility += market.choice_price.value * math.log(price / reference_price(model, offer.service))
    return math.exp(utility)


def _pools(
    model: Model, rows: list[Row], lists: list[tuple[int, ...]], steps: Steps
) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Pools with the queues that each could serve: the lists it stands in; a team has a queue of its own."""
    pools: list[tuple[Any, ...]] = []
    served: list[int] = []
    for row in rows:
        if row.pool >= 0:
            mine = [q for q, found in enumerate(lists) if any(rows[k].pool == row.pool for k in found)]
            spot, cut = row.offer.spot_premium is not None, CUTS[row.offer.when_cut]
            held = {"service": row.service, "provider": row.provider, "spot": spot, "cut": cut, "hours": -1}
            accounts = _accounts(model, row.offer, steps)
            pools.append(as_row(POOL, **held, first=len(served), count=len(mine), **accounts))
            served += mine
    for t, team in enumerate(model.teams):
        works = {"service": -1, "provider": -1, "spot": False, "cut": 0, "hours": steps.series(team.hours_per_week)}
        pools.append(as_row(POOL, **works, first=len(served), count=1, **NO_ACCOUNTS))
        served.append(len(lists) + t)
    kinds = [1] * len(lists) + [0] * len(model.teams)
    return np.array(pools, POOL), np.array(served, np.int64), np.array(kinds, np.int64)


def _accounts(model: Model, offer: Offer, steps: Steps) -> dict[str, float]:
    """What a market looks at: the price over time as a series, and the variable and fixed cost a day.

    Without a variable cost, it is such that the provider has the usual margin at the first price.
    """
    if model.market is None:
        return NO_ACCOUNTS
    dates = tariff_starts(model, offer)
    dated = [(float((date - model.about.start).days), mean_price(model, offer, date)) for date in dates]
    usual = dated[0][1] * (1.0 - model.market.usual_margin.value)
    variable = usual if offer.variable_gbp_per_day is None else offer.variable_gbp_per_day.value
    fixed = 0.0 if offer.fixed_gbp_per_year is None else offer.fixed_gbp_per_year.value / YEAR_DAYS
    return {"price": steps.add([(-math.inf, dated[0][1]), *dated[1:]]), "variable": variable, "fixed": fixed}


def _providers(model: Model) -> NDArray[Any]:
    """Every provider's hazard to fail a day, its parent and its overhead a day."""
    parents = sorted({p.parent for p in model.providers if p.parent is not None})
    rows = [
        as_row(
            PROVIDER,
            closures=0.0 if p.closures_per_year is None else p.closures_per_year.value / YEAR_DAYS,
            parent=-1 if p.parent is None else parents.index(p.parent),
            overhead=0.0 if p.overhead_gbp_per_year is None else p.overhead_gbp_per_year.value / YEAR_DAYS,
        )
        for p in model.providers
    ]
    return np.array(rows, PROVIDER)


def _market(model: Model) -> NDArray[Any]:
    if (m := model.market) is None:
        return np.zeros(0, MARKET)
    row = as_row(
        MARKET,
        drift=m.price_drift_per_year.value,
        per_occupancy=m.price_per_occupancy.value,
        usual_occupancy=m.usual_occupancy.value,
        entry=m.entry_per_year.value,
        usual_margin=m.usual_margin.value,
        per_margin=m.closure_per_margin.value,
        contagion=m.contagion.value,
        vacancy=0.0 if m.choice_vacancy is None else m.choice_vacancy.value,
        price=0.0 if m.choice_price is None else m.choice_price.value,
    )
    return np.array([row], MARKET)


def whole(places: float) -> int:
    """Places are whole: what a ramp leaves over is rounded down."""
    return math.floor(places + 1e-9)


def _changes(model: Model, rows: list[Row], steps: Steps) -> NDArray[Any]:
    """Everything that changes for many at once, in order of time: numbers of places, occupancies seen, quarters,
    failures by date."""
    changes: list[tuple[float, int, int, int]] = []
    for row in rows:
        if row.offer.places is None:
            continue
        before = whole(row.offer.places.at(model.about.start))
        for step in row.offer.places.steps[1:]:
            day = steps.day(step.from_)
            if day > 0 and whole(step.value) != before:
                before = whole(step.value)
                changes.append((day, PLACES, row.pool, before))
    names = [provider.name for provider in model.providers]
    changes += [(steps.day(failure.on), FAILS, names.index(failure.provider), 0) for failure in model.failures]
    return np.array(sorted([*changes, *_ticks(model)]), CHANGE)


def _ticks(model: Model) -> list[tuple[float, int, int, int]]:
    """The first of every month on which providers see how full they are, and of every quarter on which the market
    moves."""
    limited = any(offer.places is not None for provider in model.providers for offer in provider.offers)
    watched = limited and any(response.eta.value > 0 for response in model.responses)
    if not watched and model.market is None:
        return []
    start, found = model.about.start, []
    for k in range(1, 12 * LONGEST_YEARS + 1):
        month = month_index(start) + k
        day = float((month_start(month) - start).days)
        if month % 3 == 0 and model.market is not None:
            found.append((day, QUARTER, 0, 0))
        elif watched:
            found.append((day, MONTH, 0, 0))
    return found


def places_on_day_0(model: Model, names: Names) -> NDArray[np.int64]:
    """The number of places of each pool at the start; a team is a pool of one."""
    limited = [row.offer.places for row in rows_of(model, names) if row.pool >= 0]
    places = [FOR_EVERYBODY if number is None else whole(number.at(model.about.start)) for number in limited]
    return np.array([*places, *[1] * len(model.teams)], np.int64)


def team_tasks(model: Model, names: Names, places: Places) -> NDArray[Any]:
    """The team for each kind of work and cell of people, and the hours a case takes."""
    out = np.zeros((len(WORK), len(names.stages), len(names.groups), len(names.areas)), TEAM_TASK)
    out["pool"] = -1
    for t, team in enumerate(model.teams):
        for work, hours in ((ASSESSES, team.hours_per_assessment), (REVIEWS, team.hours_per_review)):
            if hours is None:
                continue
            for stage, group, area in product(
                team.stages or names.stages, team.groups or names.groups, team.areas or names.areas
            ):
                at = work, names.stages.index(stage), names.groups.index(group), names.areas.index(area)
                out[at] = as_row(TEAM_TASK, pool=places.teams_from + t, hours=hours.value)
    return out
