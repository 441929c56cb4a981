"""When anything changes for a cohort: dates, birth dates, and the arrivals and multipliers between them."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from simcare.cohort.generator import Floats, MarkovChain, age_edges
from simcare.cohort.markov_limit import piecewise_edges
from simcare.model import Model
from simcare.model.cells import touching
from simcare.model.parts import Arrivals, Caseload
from simcare.units import YEAR_DAYS, month_starts, ramp_steps, season_index

LONGEST_PIECE_DAYS = 183.0  # of birth dates between cuts, where only hazards by age tell cohorts apart


def piece_dates(model: Model, days: float, wanted: Sequence[float]) -> Floats:
    """The days between which the generator and the arrivals are constant for one age: from 0 to the last day wanted."""
    cuts = {0.0, *wanted, *month_starts(model.about.start, 0.0, days)}
    for row in model.arrivals:
        cuts |= {float((step.from_ - model.about.start).days) for step in row.per_year.steps if step.from_ is not None}
    for k in range(len(model.modifiers)):
        cuts |= {day for day, _ in _steps(model, k)}
    return np.array(sorted(cut for cut in cuts if 0.0 <= cut <= wanted[-1]))


def _steps(model: Model, k: int) -> list[tuple[float, float]]:
    """A dated modifier as (day, multiplier from then on)."""
    m = model.modifiers[k]
    return [
        (float((date - model.about.start).days), 1.0 + share * (m.multiply.value - 1.0))
        for date, share in ramp_steps(m.start, m.ramp_days)
    ]


def multiplier_on(model: Model, touched: Sequence[int], day: float) -> float:
    """The product of some modifiers, as in force on a day."""
    return math.prod(([1.0, *(value for when, value in _steps(model, k) if when <= day)])[-1] for k in touched)


def arrivals_by_piece(model: Model, row: Arrivals, grid: Floats, days: float) -> Floats:
    """Arrivals of a stratum in each piece of the grid, by need (people a day); shape (pieces, needs).

    The rate is that of the piece's first day, its month's season, and growth to the middle of the longest piece in
    which nothing else changes, which is how the engine reads it.
    """
    start = model.about.start
    touched = [touching(model, "arrivals", row.stage, row.group, need_level) for need_level in model.need_levels]
    own = {0.0, days, *month_starts(start, 0.0, days)}
    own |= {float((step.from_ - start).days) for step in row.per_year.steps if step.from_ is not None}
    own |= {day for k in {k for many in touched for k in many} for day, _ in _steps(model, k)}
    edges = np.array(sorted(cut for cut in own if 0.0 <= cut <= days))
    shares = np.array(row.needs.value) / sum(row.needs.value)
    out = np.empty((grid.size - 1, len(model.need_levels)))
    for j, (left, right) in enumerate(pairwise(grid)):
        k = min(int(np.searchsorted(edges, (left + right) / 2.0, side="right")) - 1, edges.size - 2)
        date = start + dt.timedelta(days=math.floor(edges[k]))
        rate = row.per_year.at(date) / YEAR_DAYS
        rate *= 1.0 if row.season is None else row.season.value[season_index(date)]
        growth = 0.0 if row.growth_per_year is None else row.growth_per_year.value
        rate *= (1.0 + growth) ** ((edges[k] + edges[k + 1]) / 2.0 / YEAR_DAYS)
        out[j] = [
            rate * share * multiplier_on(model, many, float(edges[k]))
            for share, many in zip(shares, touched, strict=True)
        ]
    return out


def moved_by_years(start: dt.date, day: Floats, years: float) -> Floats:
    """Days moved by so many years of the calendar, a part of a year being of 365.25 days; 29 February goes to 1
    March."""
    whole = math.floor(years)
    midnight = np.floor(day)
    date = np.datetime64(start, "D") + midnight.astype(np.int64)
    month = date.astype("datetime64[M]")
    then = (month + 12 * whole).astype("datetime64[D]") + (date - month.astype("datetime64[D]"))
    moved = (then - np.datetime64(start, "D")).astype(np.int64)
    return np.asarray(moved + (day - midnight) + (years - whole) * YEAR_DAYS, np.float64)


def age_density(model: Model, row: Arrivals | Caseload, age: Floats) -> Floats:
    """The density of ages (a day) of a stratum or a row of the caseload, at ages in years."""
    edges, shares = age_edges(model, row)
    band = np.searchsorted(edges, age, side="right") - 1
    inside = (band >= 0) & (band < shares.size)
    return np.where(inside, (shares / np.diff(edges) / YEAR_DAYS)[np.where(inside, band, 0)], 0.0)


def birth_dates(model: Model, chain: MarkovChain, grid: Floats) -> tuple[Floats, Floats]:
    """The birth dates at which cohorts are followed (days from the start) and their weights in days.

    Numbers of people are smooth in the birth date but for cohorts that meet an edge of age on a date on which something
    else happens, or is counted: birthdays, edges of the ages on day 0 and of arrivals, steps of hazards by age.
    """
    start, last = model.about.start, float(grid[-1])
    first = {edge for row in model.caseload for edge in age_edges(model, row)[0]}
    later = {edge for row in model.arrivals for edge in age_edges(model, row)[0]}
    clocks = [model.clocks[k] for k, _ in chain.care.by_age]
    later |= {edge for clock in clocks if clock.family == "piecewise" for edge in piecewise_edges(clock) / YEAR_DAYS}
    birthdays = set(chain.care.ages.tolist())
    cuts = [-edge * YEAR_DAYS for edge in first | later | birthdays]
    cuts += [
        float(day)
        for age in birthdays
        for day in moved_by_years(start, grid - (age % 1.0) * YEAR_DAYS, -math.floor(age))
    ]
    cuts += [day - age * YEAR_DAYS for age in later - birthdays for day in grid.tolist()]
    spans = [
        (-edge[-1] * YEAR_DAYS, -edge[0] * YEAR_DAYS) for edge in (age_edges(model, row)[0] for row in model.caseload)
    ]
    spans += [
        (-edge[-1] * YEAR_DAYS, last - edge[0] * YEAR_DAYS)
        for edge in (age_edges(model, row)[0] for row in model.arrivals)
    ]
    cuts += [edge for span in spans for edge in span]
    birth, weight = [], []
    for left, right in pairwise(np.unique(cuts)):
        if not any(low <= (left + right) / 2.0 <= high for low, high in spans):
            continue
        parts = math.ceil((right - left) / LONGEST_PIECE_DAYS)
        x, w = np.polynomial.legendre.leggauss(1 if right - left < 3.0 else 2 if right - left < 45.0 else 3)
        width = (right - left) / parts
        for k in range(parts):
            birth.append(left + width * (k + (x + 1.0) / 2.0))
            weight.append(width * w / 2.0)
    return (np.concatenate(birth), np.concatenate(weight)) if birth else (np.zeros(0), np.zeros(0))
