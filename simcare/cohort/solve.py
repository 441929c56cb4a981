"""The cohort model, which checks the engine: exactly expected numbers of people, where no place is limited and nothing
has memory.

In the Markov simplification of a model (:mod:`simcare.cohort.markov_limit`) a client's state is group, need and the
service they are in, if any (:mod:`simcare.cohort.generator`). People born on one day share their age, so along a birth
cohort every hazard is a known function of time, and the expected numbers x(t) in the states solve the forward equations
of Kolmogorov (Norris 1997, ch. 2)

    dx/dt = x A(t, age) + u(t, age)        and at a birthday  x → x J

with A the generator, u the people who arrive and J what the birthday changes. A and u are constant between dates (month
starts, dated steps) and between a cohort's ages (bands of arrivals, birthdays), but for hazards that change smoothly
with age; these take their exact mean over each span of at most a month (the first term of Magnus 1954). Each span is
then solved by uniformization (Jensen 1953), a Poisson mixture of non-negative terms. The people of all cohorts are
added up by Gauss-Legendre quadrature over birth dates, in pieces cut wherever a cohort would meet a birthday or an age
edge on a cut date.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import polars as pl
from numpy.typing import NDArray

from simcare.cohort.cohorts import Cohorts, Piece, generator_of
from simcare.cohort.dates import arrivals_by_piece, birth_dates, multiplier_on, piece_dates
from simcare.cohort.generator import OUT, Floats, MarkovChain
from simcare.cohort.markov_limit import markov_simplification, obstacles
from simcare.demand.paths import with_mean_demand
from simcare.errors import BadInput
from simcare.model import Model
from simcare.units import month_starts

__all__ = ["expected_people", "markov_simplification"]

LONGEST_SPAN_DAYS = 31.0


def expected_people(model: Model, days: float, at: Sequence[float] | None = None) -> pl.DataFrame:
    """The expected number of people by day, area, stage, group, need and tier, in service or not.

    ``days`` is the horizon, as of a run (growth of arrivals is evaluated by its months); ``at`` are the days wanted, by
    default every month end and the horizon. On day 0 people are counted once care that follows need has followed. What
    happens on the stroke of a day is not yet counted on it. Columns: day, area, stage, group, need, tier, served,
    people; someone out of service has the lowest tier. A cell that is absent is zero. Arrivals that follow a driver
    come at its mean.

    Raises BadInput with a line for each thing in the model that has memory or limits
    (:func:`simcare.cohort.markov_limit.obstacles`), and for days outside 0 to ``days``.

    400 people a year come and stay half a year on average; 200 (1 − exp(−2t)) are there after t years:

    >>> from simcare.files.load import load_model
    >>> found = expected_people(load_model("mm-infinity"), 365.25, at=[365.25])
    >>> round(found["people"].sum(), 6), round(200 * (1 - math.exp(-2)), 6)
    (172.932943, 172.932943)
    """
    wanted = _days_wanted(model, days, at)
    model = with_mean_demand(model, math.ceil(days / 365.0))
    faults = obstacles(model)
    if faults:
        raise BadInput(faults)
    chain = MarkovChain(model)
    faults = chain.unsettled()
    if faults:
        raise BadInput(faults)
    grid = piece_dates(model, days, wanted)
    birth, weight = birth_dates(model, chain, grid)
    found = _integrate(model, chain, grid, birth, weight, days, wanted)
    return _frame(model, chain, wanted, found)


def _days_wanted(model: Model, days: float, at: Sequence[float] | None) -> list[float]:
    if not (math.isfinite(days) and days > 0.0):
        raise BadInput(f"days: must be above 0, got {days:g}")
    if at is None:
        return [*(day for day in month_starts(model.about.start, 0.0, days) if day > 0.0), float(days)]
    wanted = sorted({float(day) for day in at})
    if not wanted or not (wanted[0] >= 0.0 and wanted[-1] <= days):
        raise BadInput(
            f"at: must be days from 0 to {days:g}, got {f'{wanted[0]:g} to {wanted[-1]:g}' if wanted else 'none'}"
        )
    return wanted


def _integrate(
    model: Model, chain: MarkovChain, grid: Floats, birth: Floats, weight: Floats, days: float, wanted: Sequence[float]
) -> Floats:
    """People on each day wanted, by area, stage and state: shape (days, areas, stages, S)."""
    cohorts = Cohorts(model, chain, birth, weight)
    rates = [arrivals_by_piece(model, row, grid, days) for row in model.arrivals]
    lines = [np.array([multiplier_on(model, touched, float(day)) for touched in chain.care.lines]) for day in grid]
    found = np.zeros((len(wanted), len(model.about.areas), len(model.stages), len(chain.states)))
    known: dict[bytes, list[Floats]] = {}

    def count(day: float) -> None:
        if day in wanted:
            for b in np.unique(cohorts.band):
                mine = cohorts.band == b
                found[wanted.index(day), :, chain.care.stage_of[b]] += np.tensordot(
                    weight[mine], cohorts.x[mine], axes=1
                )

    count(0.0)
    for j, (left, right) in enumerate(pairwise(grid.tolist())):
        generators = known.setdefault(lines[j].tobytes(), [])
        if not generators:
            generators += [generator_of(chain, b, lines[j]) for b in range(chain.care.ages.size)]
        arriving = []
        for b in range(chain.care.ages.size):
            coming = np.zeros((len(model.arrivals), len(model.about.areas), len(chain.states)))
            for k, row in enumerate(model.arrivals):
                coming[k, cohorts.areas[row.area or model.about.areas[0]]] = rates[k][j] @ chain.arrive[k][b]
            arriving.append(coming)
        parts = math.ceil((right - left) / LONGEST_SPAN_DAYS)
        for a, z in pairwise(np.linspace(left, right, parts + 1).tolist()):
            cohorts.advance(a, z, Piece(generators, arriving))
        count(right)
    return found


def _frame(model: Model, chain: MarkovChain, wanted: Sequence[float], found: NDArray[np.float64]) -> pl.DataFrame:
    """The numbers as a frame in the order of the model; services on one tier are added up."""
    care = chain.care
    day, area, stage, state = np.nonzero(found > 0.0)
    group, kind, need = (np.array([s[k] for s in chain.states] or [0])[state] for k in range(3))
    tier = np.where(kind == OUT, 0, np.array([*care.tier, 0])[kind])
    keys = {"day": day, "area": area, "stage": stage, "group": group, "need": need, "tier": tier, "served": kind != OUT}
    cells = (
        pl.DataFrame({**keys, "people": found[day, area, stage, state]})
        .group_by(*keys)
        .agg(pl.col("people").sum())
        .sort(*keys)
    )
    names = {
        "area": model.about.areas,
        "stage": care.stages,
        "group": care.groups,
        "need": care.need_levels,
        "tier": care.tiers,
    }
    text = [pl.Series(name, [words[k] for k in cells[name]], pl.String) for name, words in names.items()]
    return cells.with_columns(pl.Series("day", [wanted[k] for k in cells["day"]], pl.Float64), *text)
