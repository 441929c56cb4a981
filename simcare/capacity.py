"""Places and teams as arrays: who may take whom, how many, and which queue each free place serves."""

from __future__ import annotations

import math
from itertools import product
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simcare.baselines import Steps
from simcare.model import Model
from simcare.model.capacity import Offer
from simcare.names import Names
from simcare.rules.names import CHANGE, CUTS, DESK_ROW, LIST, OFFER_ROW, POOL, WORK


class Places(NamedTuple):
    """Lists of offers, pools of places (and teams, which are pools of one), and the queues between them."""

    lists: NDArray[Any]
    offers: NDArray[Any]
    pools: NDArray[Any]
    pool_queues: NDArray[Any]
    queues: NDArray[Any]
    changes: NDArray[Any]
    teams_from: int  # the first pool that is a team


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
    for p, provider in enumerate(model.providers):
        for offer in provider.offers:
            limited = offer.places is not None
            area = -1 if offer.area is None else names.areas.index(offer.area)
            rows.append(Row(names.services.index(offer.service), p, area, pools if limited else -1, offer))
            pools += limited
    return rows


def open_places(model: Model, names: Names, open_to: NDArray[Any], steps: Steps) -> Places:
    """For each area, rung (and the short-term tier), age band and group: who may take a client, and with what share.

    Where no service fills a rung, the nearest rung above stands in, and failing that the nearest below. Equal lists
    share one queue.
    """
    rows, top = rows_of(model, names), len(names.rungs)
    lists = np.zeros((len(names.areas), top + 1, open_to.shape[1], len(names.groups)), LIST)
    known: dict[tuple[int, ...], tuple[int, int, int]] = {(): (0, 0, -1)}
    offers: list[tuple[int, int, int, float]] = []
    for area, rung, band, group in product(range(len(names.areas)), range(1, top + 1), range(open_to.shape[1]), range(len(names.groups))):
        found = _found(model, names, rows, open_to[:, band, group], area, rung)
        if found not in known:
            known[found] = (len(offers), len(found), len(known) - 1)
            shares = np.cumsum([rows[k].offer.weight.value for k in found])
            offers += [(rows[k].service, rows[k].provider, rows[k].pool, float(x / shares[-1])) for k, x in zip(found, shares, strict=True)]
        lists[area, rung, band, group] = known[found]
    pools, pool_queues, queues = _pools(model, rows, [key for key in known if key], steps)
    changes = _changes(model, rows, steps)
    limited = sum(row.pool >= 0 for row in rows)
    return Places(lists, np.array(offers, OFFER_ROW), pools, pool_queues, queues, changes, limited)


def _found(model: Model, names: Names, rows: list[Row], opened: NDArray[Any], area: int, rung: int) -> tuple[int, ...]:
    """The offers that fill a rung for some people, as numbers of rows."""
    top = len(names.rungs)
    rung_of = [names.rungs.index(s.tier) if s.short_term_days is None else top for s in model.services]
    for at in [top] if rung == top else [*range(rung, top), *range(rung - 1, 0, -1)]:
        found = tuple(
            k
            for k, row in enumerate(rows)
            if rung_of[row.service] == at and opened[row.service] and row.offer.weight.value > 0 and row.area in (-1, area)
        )
        if found:
            return found
    return ()


def _pools(model: Model, rows: list[Row], lists: list[tuple[int, ...]], steps: Steps) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Pools with the queues that each could serve: the lists it stands in; a team has a queue of its own."""
    pools: list[tuple[int, int, bool, int, int, int, int]] = []
    served: list[int] = []
    for row in rows:
        if row.pool >= 0:
            mine = [q for q, found in enumerate(lists) if any(rows[k].pool == row.pool for k in found)]
            spot, cut = row.offer.spot_premium is not None, CUTS[row.offer.when_cut]
            pools.append((row.service, row.provider, spot, cut, -1, len(served), len(mine)))
            served += mine
    for t, team in enumerate(model.teams):
        pools.append((-1, -1, False, 0, steps.series(team.hours_per_week), len(served), 1))
        served.append(len(lists) + t)
    kinds = [1] * len(lists) + [0] * len(model.teams)
    return np.array(pools, POOL), np.array(served, np.int64), np.array(kinds, np.int64)


def whole(places: float) -> int:
    """Places are whole: what a ramp leaves over is rounded down."""
    return math.floor(places + 1e-9)


def _changes(model: Model, rows: list[Row], steps: Steps) -> NDArray[Any]:
    """Every date on which a pool has another number of places than before, in order of time."""
    changes = []
    for row in rows:
        if row.offer.places is None:
            continue
        before = whole(row.offer.places.at(model.about.start))
        for step in row.offer.places.steps[1:]:
            day = steps.day(step.from_)
            if day > 0 and whole(step.value) != before:
                before = whole(step.value)
                changes.append((day, row.pool, before))
    return np.array(sorted(changes), CHANGE)


def places_on_day_0(model: Model, names: Names) -> NDArray[np.int64]:
    """The number of places of each pool at the start; a team is a pool of one."""
    places = [whole(row.offer.places.at(model.about.start)) for row in rows_of(model, names) if row.offer.places is not None]
    return np.array([*places, *[1] * len(model.teams)], np.int64)


def desks(model: Model, names: Names, places: Places) -> NDArray[Any]:
    """The team for each kind of work and cell of people, and the hours a case takes."""
    out = np.zeros((len(WORK), len(names.stages), len(names.groups), len(names.areas)), DESK_ROW)
    out["pool"] = -1
    for t, team in enumerate(model.teams):
        for work, hours in enumerate((team.hours_per_assessment, team.hours_per_review)):
            if hours is None:
                continue
            for stage, group, area in product(team.stages or names.stages, team.groups or names.groups, team.areas or names.areas):
                at = work, names.stages.index(stage), names.groups.index(group), names.areas.index(area)
                out[at] = (places.teams_from + t, hours.value)
    return out
