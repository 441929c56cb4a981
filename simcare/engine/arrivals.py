"""Who will come to the front door: arrivals thin a Poisson field that all strategies share.

Each stratum has layers of height one person a day; layer k holds candidates at rate one a day with heights spread over
it, and a candidate becomes a client when its height is under the arrival rate of its day. A strategy that raises or
lowers the rate keeps every other candidate.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simcare.arrays.clocks import multiplier_steps
from simcare.arrays.names import names_of
from simcare.engine.persons import blank, drawn_ages, person
from simcare.errors import BadInput
from simcare.model import Model
from simcare.model.cells import changes_on
from simcare.model.parts import Arrivals
from simcare.rules.candidates import CANDIDATE_BITS, LAYER_BITS, candidates
from simcare.rules.codes import ARRIVE, NOT_YET_KNOWN, REFERRED, ROUTES
from simcare.rules.draws import AGE, DIVERT, name_key, uniforms
from simcare.rules.records import Tables
from simcare.units import YEAR_DAYS, month_starts, season_index


def arrivals(model: Model, tables: Tables, row: Arrivals, seed: int, replication: int, days: float) -> NDArray[Any]:
    """The clients of one stratum who will come to the front door before the horizon, and those who came but are not yet
    assessed."""
    if row.driver is not None:
        raise BadInput(
            f"arrivals.{row.name}: follow the driver '{row.driver}', whose path was not drawn; see simcare.demand.paths"
        )
    ids, times, needs = _candidates(model, row, "arrivals", 0.0, days, seed, replication)
    lead = lead_days(model, row)
    if lead > 0.0:
        before = _waiting(model, tables, row, lead, seed, replication)
        ids, times, needs = (np.concatenate(pair) for pair in zip(before, (ids, times, needs), strict=True))
    clients = blank(ids)
    age = drawn_ages(model, row, uniforms(seed, replication, ids, AGE, 0))
    person(model, tables, row, clients, age, times, seed, replication)
    clients["need"], clients["route"], clients["priority"] = needs, ROUTES[row.route], row.priority - 1
    clients["status"], clients["what"], clients["next"] = NOT_YET_KNOWN, ARRIVE, times
    early = slice(0, int(np.count_nonzero(times < 0.0)))  # they come first
    clients["status"][early] = REFERRED
    clients["assess_at"][early] = times[early] + lead
    clients["need_since"][early] = clients["wait_since"][early] = times[early]
    return clients


def _waiting(
    model: Model, tables: Tables, row: Arrivals, lead: float, seed: int, replication: int
) -> tuple[NDArray[Any], ...]:
    """Those who came before day 0 and still wait for their assessment: ids, times, needs; who was diverted at the front
    door is left out.

    They are candidates of a field of their own, or another wait would give every later candidate another time.
    """
    ids, times, needs = _candidates(model, row, "arrivals before", -lead, 0.0, seed, replication)
    stage = names_of(model).stages.index(row.stage)
    stay = uniforms(seed, replication, ids, DIVERT, 0) >= tables.stage_needs[stage, needs]["diverted"]
    return ids[stay], times[stay], needs[stay]


def _candidates(
    model: Model, row: Arrivals, field: str, begin: float, end: float, seed: int, replication: int
) -> tuple[NDArray[Any], ...]:
    """The candidates of a stratum's field that come between two days: ids, times, needs."""
    edges, rates = arrival_rates(model, row, begin, end)
    layers = math.ceil(float(rates.max(initial=0.0)))
    if layers >= 1 << LAYER_BITS or end - begin >= (1 << CANDIDATE_BITS) - 4096:
        raise BadInput(f"arrivals.{row.name}: more than {(1 << LAYER_BITS) - 1} people a day; split the stratum")
    return candidates(
        seed, replication, name_key(field, row.name) << 32, layers, edges, rates, np.cumsum(row.needs.value)
    )


def lead_days(model: Model, row: Arrivals) -> float:
    """How long before day 0 someone may have come to the front door and still wait for an assessment."""
    doors = [door for door in model.front_door if door.stages is None or row.stage in door.stages]
    if row.route != "referral" or not doors or doors[0].assessment_days is None:
        return 0.0
    return doors[0].assessment_days.at(model.about.start)


def arrival_rates(
    model: Model, row: Arrivals, begin: float, days: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Arrivals a day by need, constant between ``edges`` (days, from ``begin``): shape (pieces, needs), multipliers
    included.

    Column n is the whole stratum's rate as if all had need n; shares are applied when a candidate's need is drawn.
    """
    start = model.about.start
    cuts = {begin, days, *month_starts(start, begin, days)}
    lines = [
        multiplier_steps(changes_on(model, "arrivals", row.stage, row.group, need_level), start)
        for need_level in model.need_levels
    ]
    dated = [step.from_ for step in row.per_year.steps if step.from_ is not None]
    dated += [step.from_ for row in model.voluntary for step in row.people_per_year.steps if step.from_ is not None]
    cuts |= {float((date - start).days) for date in dated} | {
        day for line in lines for day, _ in line if math.isfinite(day)
    }
    edges = np.array(sorted(c for c in cuts if begin <= c <= days))
    rates = np.array(
        [[_rate(row, start, left, right) * _at(line, left) for line in lines] for left, right in pairwise(edges)]
    )
    factor = np.array(
        [_prevention_factor(model, row, start + dt.timedelta(days=math.floor(left))) for left in edges[:-1]]
    )
    return edges, rates * factor[:, None]


def _prevention_factor(model: Model, row: Arrivals, date: dt.date) -> float:
    """What the voluntary sector makes of a stratum's arrivals on a date: 1 with the help that there was at the
    start."""
    factor = 1.0
    for help_ in model.voluntary:
        mine = [
            a
            for a in model.arrivals
            if a.stage in (help_.stages or (a.stage,)) and a.group in (help_.groups or (a.group,))
        ]
        if row in mine:
            coming = sum(a.per_year.at(date) for a in mine)
            more = help_.people_per_year.at(date) - help_.people_per_year.at(model.about.start)
            factor -= more * help_.held_back.value / coming if coming > 0 else 0.0
    return max(factor, 0.0)


def _at(line: Sequence[tuple[float, float]], day: float) -> float:
    return [value for when, value in line if when <= day][-1]


def _rate(row: Arrivals, start: dt.date, left: float, right: float) -> float:
    date = start + dt.timedelta(days=math.floor(left))
    rate = row.per_year.at(date) / YEAR_DAYS
    if row.season is not None:
        rate *= row.season.value[season_index(date)]
    if row.growth_per_year is not None:
        rate *= (1.0 + row.growth_per_year.value) ** ((left + right) / 2.0 / YEAR_DAYS)
    return rate
