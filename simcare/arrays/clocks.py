"""Baselines, dated series and timelines as arrays: what a clock of the model file becomes for the rulebook."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable, Sequence

import numpy as np

from simcare.model import DatedNumber
from simcare.model.cells import clock_origin
from simcare.model.parts import Clock
from simcare.rules.hazards import (
    CONSTANT,
    GOMPERTZ,
    LOG_LOGISTIC,
    SINCE_BIRTH,
    SINCE_NEED,
    SINCE_STAY,
    SINCE_WAIT,
    TABLE,
    WEIBULL,
)
from simcare.units import YEAR_DAYS, ramp_steps

SINCE = {"need": SINCE_NEED, "stay": SINCE_STAY, "age": SINCE_BIRTH, "wait": SINCE_WAIT}


class Steps:
    """Dated steps being gathered; equal neighbours are one step, so that no effect leaves no trace."""

    def __init__(self, start: dt.date) -> None:
        self.start = start
        self.spans: list[tuple[int, int]] = [(0, 0)]
        self.steps: list[tuple[float, float]] = []
        self.known: dict[tuple[tuple[float, float], ...], int] = {}

    def add(self, steps: Sequence[tuple[float, float]]) -> int:
        merged = [steps[0]]
        for time, value in steps[1:]:
            if time <= 0.0:
                merged = [(-math.inf, value)]
            elif value != merged[-1][1]:
                merged.append((time, value))
        key = tuple(merged)
        if key not in self.known:
            self.known[key] = len(self.spans)
            self.spans.append((len(self.steps), len(merged)))
            self.steps.extend(merged)
        return self.known[key]

    def series(self, series: DatedNumber | None) -> int:
        """The index of a dated series, −1 for none."""
        if series is None:
            return -1
        first = (-math.inf, series.steps[0].value)
        return self.add([first, *((self.day(s.from_), s.value) for s in series.steps[1:])])

    def timeline(self, changes: Iterable[tuple[dt.date, int, float]]) -> int:
        """The index of the product of ramped multipliers, 0 where nothing changes."""
        steps = multiplier_steps(changes, self.start)
        if all(value == 1.0 for _, value in steps):
            return 0
        return self.add(steps)

    def day(self, date: dt.date | None) -> float:
        assert date is not None
        return float((date - self.start).days)


def multiplier_steps(changes: Iterable[tuple[dt.date, int, float]], start: dt.date) -> list[tuple[float, float]]:
    """The product of ramped multipliers as dated steps: (day, value), the first from −infinity.

    ``changes`` are start date, ramp in days, multiplier.

    >>> multiplier_steps([(dt.date(2013, 4, 11), 0, 0.5), (dt.date(2013, 5, 1), 0, 0.8)], dt.date(2013, 4, 1))
    [(-inf, 1.0), (10.0, 0.5), (30.0, 0.4)]
    """
    dated: list[tuple[int, int, float]] = []
    for k, (begin, ramp, multiply) in enumerate(changes):
        dated += [((date - start).days, k, 1.0 + share * (multiply - 1.0)) for date, share in ramp_steps(begin, ramp)]
    values: dict[int, float] = {}
    steps = [(-math.inf, 1.0)]
    for day, k, value in sorted(dated):
        values[k] = value
        steps.append((float(day), math.prod(values.values())))
    return steps


class Hazards:
    """Baselines being gathered; row 0 never fires."""

    def __init__(self) -> None:
        self.rows: list[tuple[int, int, float, float, float, int, int]] = [(CONSTANT, SINCE_NEED, 0.0, 0.0, 0.0, 0, 0)]
        self.knots: list[tuple[float, float, float]] = []

    def add(self, clock: Clock, rate: float) -> int:
        since = SINCE[clock_origin(clock)]
        factor = 1.0 if clock.factor is None else clock.factor.value
        kind, p, q, first, size = self._shape(clock, rate)
        self.rows.append((kind, since, factor, p, q, first, size))
        return len(self.rows) - 1

    def table(self, knots: list[tuple[float, float, float]]) -> tuple[int, int]:
        """Put a table of knots down: where it begins, and how long it is."""
        self.knots.extend(knots)
        return len(self.knots) - len(knots), len(knots)

    def scaled(self, clock: Clock, rate: float, table: tuple[int, int]) -> int:
        """A constant clock's rate times a table by day of stay."""
        factor = 1.0 if clock.factor is None else clock.factor.value
        self.rows.append((TABLE, SINCE_STAY, factor * rate / YEAR_DAYS, 0.0, 0.0, *table))
        return len(self.rows) - 1

    def _shape(self, clock: Clock, rate: float) -> tuple[int, float, float, int, int]:
        if clock.family == "constant":
            return CONSTANT, rate / YEAR_DAYS, 0.0, 0, 0
        if clock.family in ("weibull", "log_logistic"):
            assert clock.shape is not None and clock.scale_days is not None
            return (
                (WEIBULL if clock.family == "weibull" else LOG_LOGISTIC),
                clock.shape.value,
                clock.scale_days.value,
                0,
                0,
            )
        if clock.family == "gompertz":
            assert clock.growth_per_year is not None
            return GOMPERTZ, rate / YEAR_DAYS, clock.growth_per_year.value / YEAR_DAYS, 0, 0
        knots = self._piecewise(clock) if clock.family == "piecewise" else fine_table(clock)
        return TABLE, 0.0, 0.0, *self.table(knots)

    @staticmethod
    def _piecewise(clock: Clock) -> list[tuple[float, float, float]]:
        assert clock.edges is not None
        unit = YEAR_DAYS if clock_origin(clock) == "age" else 1.0
        edges = [edge * unit for edge in clock.edges]
        rates = [rate / YEAR_DAYS for rate in clock.rates]
        knots, total = [(0.0, 0.0, 0.0)] if edges[0] > 0 else [], 0.0
        for k, (edge, rate) in enumerate(zip(edges, rates, strict=True)):
            knots.append((edge, total, rate))
            if k + 1 < len(edges):
                total += rate * (edges[k + 1] - edge)
        return knots


def fine_table(clock: Clock, points: int = 4000) -> list[tuple[float, float, float]]:
    """The cumulative hazard −log S(u) of a lognormal or a mixture of exponentials, on a fine grid of days.

    Geometric from a thousandth of a day until survival is below 1e-12; linear between, and level in rate beyond.
    """
    if clock.family == "lognormal":
        from scipy.stats import norm

        assert clock.log_mean is not None and clock.log_sd is not None
        mean, sd = clock.log_mean.value, clock.log_sd.value
        u = np.geomspace(1e-3, math.exp(mean + 7.2 * sd), points)
        total = -norm.logsf((np.log(u) - mean) / sd)
    else:
        assert clock.shares is not None and clock.mean_days is not None
        means = np.array(clock.mean_days.value)
        u = np.geomspace(1e-3, 28.0 * means.max(), points)
        total = -np.log(np.exp(-u[:, None] / means) @ np.array(clock.shares.value))
    u, total = np.concatenate([[0.0], u]), np.concatenate([[0.0], total])
    rates = np.diff(total) / np.diff(u)
    return list(zip(u.tolist(), total.tolist(), [*rates.tolist(), float(rates[-1])], strict=True))
