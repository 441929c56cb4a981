"""The deterministic twin of the engine: exactly expected numbers of people, where no place is limited and nothing has
memory.

In the plain limit (``simcare.cohort.markov_limit``) a client's state is group, need and the service they are in, if any
(``simcare.cohort.generator``). People born on one day share their age, so along a birth cohort every hazard is a known
function of time, and the expected numbers x(t) in the states solve the forward equations of Kolmogorov (Norris 1997,
ch. 2)

    dx/dt = x A(t, age) + u(t, age)        and at a birthday  x → x J

with A the generator, u the people who arrive and J what the birthday changes. A and u are constant between dates (month
starts, dated steps) and between a cohort's ages (bands of arrivals, birthdays), but for hazards that change smoothly
with age; these take their exact mean over each span of at most a month (the first term of Magnus 1954). Each span is
then solved by uniformization (Jensen 1953), a Poisson mixture of non-negative terms. The people of all cohorts are
added up by Gauss-Legendre quadrature over birth dates, in pieces cut wherever a cohort would meet a birthday or an age
edge on a cut date.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from simcare.cohort.generator import GONE, OUT, Floats, Ints, MarkovChain, age_edges
from simcare.cohort.markov_limit import cumulative_hazard, obstacles, piecewise_edges, plain
from simcare.demand.paths import average
from simcare.errors import BadInput
from simcare.model import Model
from simcare.model.cells import touching
from simcare.model.parts import Arrivals, Caseload
from simcare.units import YEAR_DAYS, month_starts, ramp_steps, season_index

__all__ = ["expected_people", "plain"]

LONGEST_PIECE_DAYS = 183.0  # of birth dates between cuts, where only hazards by age tell cohorts apart
LONGEST_SPAN_DAYS = 31.0
CUT_OFF = 1e-13  # what uniformization leaves out of a span


def expected_people(model: Model, days: float, at: Sequence[float] | None = None) -> pl.DataFrame:
    """The expected number of people by day, area, stage, group, need and tier, in service or not.

    ``days`` is the horizon, as of a run (growth of arrivals is evaluated by its months); ``at`` are the days wanted, by
    default every month end and the horizon. On day 0 people are counted once care that follows need has followed. What
    happens on the stroke of a day is not yet counted on it. Columns: day, area, stage, group, need, tier, served,
    people; someone out of service has the lowest tier. A cell that is absent is nought. Arrivals that follow a driver
    come at its mean.

    Raises BadInput with a line for each thing in the model that has memory or limits
    (``simcare.cohort.markov_limit.obstacles``), and for days outside 0 to ``days``.

    400 people a year come and stay half a year on average; 200 (1 − exp(−2t)) are there after t years:

    >>> from simcare.files.load import load_model
    >>> found = expected_people(load_model("mm-infinity"), 365.25, at=[365.25])
    >>> round(found["people"].sum(), 6), round(200 * (1 - math.exp(-2)), 6)
    (172.932943, 172.932943)
    """
    wanted = _days_wanted(model, days, at)
    model = average(model, math.ceil(days / 365.0))
    faults = obstacles(model)
    if faults:
        raise BadInput(faults)
    chain = MarkovChain(model)
    faults = chain.unsettled()
    if faults:
        raise BadInput(faults)
    grid = _dates(model, days, wanted)
    birth, weight = _birth_dates(model, chain, grid)
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


def _dates(model: Model, days: float, wanted: Sequence[float]) -> Floats:
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


def _multiplier(model: Model, touched: Sequence[int], day: float) -> float:
    """The product of some modifiers, as in force on a day."""
    return math.prod(([1.0, *(value for when, value in _steps(model, k) if when <= day)])[-1] for k in touched)


def _arrivals_a_day(model: Model, row: Arrivals, grid: Floats, days: float) -> Floats:
    """Arrivals of a stratum in each piece of the grid, by need (people a day); shape (pieces, rungs).

    The rate is that of the piece's first day, its month's season, and growth to the middle of the longest piece in
    which nothing else changes, which is how the engine reads it.
    """
    start = model.about.start
    touched = [touching(model, "arrivals", row.stage, row.group, rung) for rung in model.rungs]
    own = {0.0, days, *month_starts(start, 0.0, days)}
    own |= {float((step.from_ - start).days) for step in row.per_year.steps if step.from_ is not None}
    own |= {day for k in {k for many in touched for k in many} for day, _ in _steps(model, k)}
    edges = np.array(sorted(cut for cut in own if 0.0 <= cut <= days))
    shares = np.array(row.needs.value) / sum(row.needs.value)
    out = np.empty((grid.size - 1, len(model.rungs)))
    for j, (left, right) in enumerate(pairwise(grid)):
        k = min(int(np.searchsorted(edges, (left + right) / 2.0, side="right")) - 1, edges.size - 2)
        date = start + dt.timedelta(days=math.floor(edges[k]))
        rate = row.per_year.at(date) / YEAR_DAYS
        rate *= 1.0 if row.season is None else row.season.value[season_index(date)]
        growth = 0.0 if row.growth_per_year is None else row.growth_per_year.value
        rate *= (1.0 + growth) ** ((edges[k] + edges[k + 1]) / 2.0 / YEAR_DAYS)
        out[j] = [
            rate * share * _multiplier(model, many, float(edges[k]))
            for share, many in zip(shares, touched, strict=True)
        ]
    return out


def _moved(start: dt.date, day: Floats, years: float) -> Floats:
    """Days moved by so many years of the calendar, a part of a year being of 365.25 days; 29 February goes to 1
    March."""
    whole = math.floor(years)
    midnight = np.floor(day)
    date = np.datetime64(start, "D") + midnight.astype(np.int64)
    month = date.astype("datetime64[M]")
    then = (month + 12 * whole).astype("datetime64[D]") + (date - month.astype("datetime64[D]"))
    moved = (then - np.datetime64(start, "D")).astype(np.int64)
    return np.asarray(moved + (day - midnight) + (years - whole) * YEAR_DAYS, np.float64)


def _density(model: Model, row: Arrivals | Caseload, age: Floats) -> Floats:
    """The density of ages (a day) of a stratum or a row of the caseload, at ages in years."""
    edges, shares = age_edges(model, row)
    band = np.searchsorted(edges, age, side="right") - 1
    inside = (band >= 0) & (band < shares.size)
    return np.where(inside, (shares / np.diff(edges) / YEAR_DAYS)[np.where(inside, band, 0)], 0.0)


def _birth_dates(model: Model, chain: MarkovChain, grid: Floats) -> tuple[Floats, Floats]:
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
    cuts += [float(day) for age in birthdays for day in _moved(start, grid - (age % 1.0) * YEAR_DAYS, -math.floor(age))]
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


class _Piece(NamedTuple):
    """A piece of the grid: its matrices by band and its arrivals by band of entry, shape (strata, areas, S)."""

    generators: list[Floats]  # (1 + baselines, N, N) over the live states of the band
    arriving: list[Floats]


def _generator(chain: MarkovChain, b: int, multipliers: Floats) -> Floats:
    """The generator of a band over its live states: the constant part, then one matrix for each baseline by age."""
    edges, size = chain.edges[b], len(chain.states)
    out = np.zeros((1 + len(chain.care.by_age), size, size))
    weight = edges.weight * multipliers[edges.line]
    stays = edges.target != GONE
    np.add.at(out, (edges.by_age[stays], edges.source[stays], edges.target[stays]), weight[stays])
    np.subtract.at(out, (edges.by_age, edges.source, edges.source), weight)
    live = np.flatnonzero(chain.live[b])
    return out[:, live][:, :, live]


def _flow(x: Floats, inflow: Floats, days: Floats, generator: Floats, speed: Floats) -> Floats:
    """Solve dx/dt = x A + u over ``days`` for every cohort, by uniformization.

    ``x`` and ``inflow`` (cohorts, areas, states), ``days`` (cohorts), ``generator`` (1 + K, states, states), ``speed``
    (cohorts, K): A = generator[0] + Σ speed[k] generator[k + 1]. With Λ above every exit rate and P = 1 + A / Λ, s ← s
    P + u / Λ is the state after one more of N ~ Poisson(Λ days) jumps, and x(days) is its mean over N.
    """
    used = [k for k in range(speed.shape[1]) if generator[k + 1].any()]
    exits = -np.diagonal(generator, axis1=1, axis2=2)
    fastest = (exits[0] + speed[:, used] @ exits[[k + 1 for k in used]]).max(axis=1)
    parts = max(1, math.ceil(float((fastest * days).max()) / 32.0))
    step = days / parts
    top = np.maximum(fastest, 1e-3 / step)
    for _ in range(parts):
        weight = np.exp(-top * step)
        total, s, left, n = weight[:, None, None] * x, x, 1.0 - weight, 0
        while left.max() > CUT_OFF:
            n += 1
            drift = s @ generator[0] + inflow
            for k in used:
                drift += speed[:, k, None, None] * (s @ generator[k + 1])
            s = s + drift / top[:, None, None]
            weight = weight * (top * step / n)
            left = left - weight
            total += weight[:, None, None] * s
        x = total
    return x


class _Cohorts:
    """The people of every cohort as they grow older: ``x`` (cohorts, areas, states) a day of birth."""

    def __init__(self, model: Model, chain: MarkovChain, birth: Floats, weight: Floats) -> None:
        self.model, self.chain, self.birth = model, chain, birth
        ages = chain.care.ages
        self.turns = (
            np.stack([_moved(model.about.start, birth, age) for age in ages[1:]], axis=1)
            if ages.size > 1
            else np.zeros((birth.size, 0))
        )
        edges = sorted({edge for row in model.arrivals for edge in age_edges(model, row)[0]})
        self.cuts = np.concatenate([self.turns, birth[:, None] + np.array(edges) * YEAR_DAYS], axis=1)
        self.areas = {area: k for k, area in enumerate(model.about.areas)}
        shape = (birth.size, len(self.areas), len(chain.states))
        self.x, self.held = np.zeros(shape), np.zeros(shape)
        self.band = self.entry_band(0.0, np.arange(birth.size))
        for row, entries in zip(model.caseload, chain.there, strict=True):
            density = _density(model, row, -birth / YEAR_DAYS)
            density *= row.count.value / max(
                float(density @ weight), 1e-300
            )  # the cuts hold every edge: only rounding is taken out
            placed = np.einsum("r,brs->bs", np.array(row.needs.value) / sum(row.needs.value), entries)
            self.x[:, self.areas[row.area or model.about.areas[0]]] += density[:, None] * placed[self.band]

    def entry_band(self, day: Floats | float, rows: Ints) -> Ints:
        """The band of whoever of these cohorts comes on a day: by age in years of 365.25 days, as for all who come."""
        return np.maximum(
            np.searchsorted(self.chain.care.ages, (day - self.birth[rows]) / YEAR_DAYS, side="right") - 1, 0
        )

    def advance(self, left: float, right: float, piece: _Piece) -> None:
        """Through a piece of the grid: each cohort in as many spans as it has birthdays and edges of age there."""
        cuts = np.sort(np.where((self.cuts > left) & (self.cuts < right), self.cuts, right), axis=1)
        cuts = np.concatenate([np.full((self.birth.size, 1), left), cuts, np.full((self.birth.size, 1), right)], axis=1)
        for k in range(cuts.shape[1] - 1):
            rows = np.flatnonzero(cuts[:, k + 1] > cuts[:, k])
            if rows.size == 0 and k > 0 and (cuts[:, k] >= right).all():
                break
            self._birthdays(rows, cuts[rows, k])
            for b in np.unique(self.band[rows]):
                mine = rows[self.band[rows] == b]
                self._span(int(b), mine, cuts[mine, k], cuts[mine, k + 1], piece)

    def _birthdays(self, rows: Ints, now: Floats) -> None:
        reached = (self.turns[rows] <= now[:, None]).sum(axis=1)
        while (due := rows[self.band[rows] < reached]).size:
            self.band[due] += 1
            for b in np.unique(self.band[due]):
                mine = due[self.band[due] == b]
                self.x[mine] = self.x[mine] @ self.chain.turns[b] + self.held[mine]
                self.held[mine] = 0.0

    def _span(self, b: int, rows: Ints, left: Floats, right: Floats, piece: _Piece) -> None:
        days = right - left
        middle = (left + right) / 2.0
        inflow = self._inflow(b, rows, middle, days, piece)
        busy = (self.x[rows] > 0.0).any(axis=(1, 2)) | (inflow > 0.0).any(axis=(1, 2))
        rows, left, right, days, inflow = rows[busy], left[busy], right[busy], days[busy], inflow[busy]
        if rows.size == 0:
            return
        live = np.flatnonzero(self.chain.live[b])
        born = self.birth[rows]
        speed = np.zeros((rows.size, len(self.chain.care.by_age)))
        for k, (clock, rate) in enumerate(self.chain.care.by_age):
            if piece.generators[b][k + 1].any():
                row = self.model.clocks[clock]
                speed[:, k] = (
                    cumulative_hazard(row, rate, right - born) - cumulative_hazard(row, rate, left - born)
                ) / days
        self.x[rows[:, None], :, live] = np.swapaxes(
            _flow(self.x[rows][:, :, live], inflow[:, :, live], days, piece.generators[b], speed), 1, 2
        )

    def _inflow(self, b: int, rows: Ints, middle: Floats, days: Floats, piece: _Piece) -> Floats:
        """Who comes into these cohorts, all in band ``b``, a day.

        Someone who comes within a day of a birthday may by age (365.25 days a year) be in another band than by the
        calendar: a birthday already past is met at once, one still to come is not met (they are held until the others
        have met it).
        """
        inflow = np.zeros((rows.size, *self.x.shape[1:]))
        if not self.model.arrivals:
            return inflow
        density = np.stack(
            [_density(self.model, row, (middle - self.birth[rows]) / YEAR_DAYS) for row in self.model.arrivals], axis=1
        )
        entry = self.entry_band(middle, rows)
        for e in np.unique(entry):
            mine = np.flatnonzero((entry == e) & density.any(axis=1))
            coming = np.tensordot(density[mine], piece.arriving[e], axes=1)
            if e > b:
                self.held[rows[mine]] += coming * days[mine, None, None]
                continue
            for met in range(e + 1, b + 1):
                coming = coming @ self.chain.turns[met]
            inflow[mine] = coming
        return inflow


def _integrate(
    model: Model, chain: MarkovChain, grid: Floats, birth: Floats, weight: Floats, days: float, wanted: Sequence[float]
) -> Floats:
    """People on each day wanted, by area, stage and state: shape (days, areas, stages, S)."""
    cohorts = _Cohorts(model, chain, birth, weight)
    rates = [_arrivals_a_day(model, row, grid, days) for row in model.arrivals]
    lines = [np.array([_multiplier(model, touched, float(day)) for touched in chain.care.lines]) for day in grid]
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
            generators += [_generator(chain, b, lines[j]) for b in range(chain.care.ages.size)]
        arriving = []
        for b in range(chain.care.ages.size):
            coming = np.zeros((len(model.arrivals), len(model.about.areas), len(chain.states)))
            for k, row in enumerate(model.arrivals):
                coming[k, cohorts.areas[row.area or model.about.areas[0]]] = rates[k][j] @ chain.arrive[k][b]
            arriving.append(coming)
        parts = math.ceil((right - left) / LONGEST_SPAN_DAYS)
        for a, z in pairwise(np.linspace(left, right, parts + 1).tolist()):
            cohorts.advance(a, z, _Piece(generators, arriving))
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
        "need": care.rungs,
        "tier": care.tiers,
    }
    text = [pl.Series(name, [words[k] for k in cells[name]], pl.String) for name, words in names.items()]
    return cells.with_columns(pl.Series("day", [wanted[k] for k in cells["day"]], pl.Float64), *text)
