"""From a series to its forecast: fit, back-test, choose, draw."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import polars as pl
from threadpoolctl import threadpool_limits

from simcare.demand import backtest as trials
from simcare.demand import challengers, scores
from simcare.demand import driver as drivers
from simcare.demand.backtest import Backtest, CarryOut, Choice
from simcare.demand.cautions import repeats
from simcare.demand.json_values import finite
from simcare.demand.regressors import Terms
from simcare.demand.series import TRIED_FROM, MonthlyCounts, Values
from simcare.demand.shifts import shift_notes
from simcare.errors import BadInput
from simcare.rules.streams import stream
from simcare.units import month_name

DRAWS = 4000
LONGEST = 120  # months ahead
_PLACES = (challengers.DRIVER, challengers.DAMPED)  # the stream of each one's draws


@dataclass(frozen=True)
class Forecast:
    """What will come, as draws of shape (draws, months), how it was made, and what it has been worth.

    ``driver`` is the one that was chosen; of the mix it is the driver as declared, which makes half of the draws.
    ``backtest`` is None where the series is too short for one.
    """

    series: MonthlyCounts
    driver: drivers.FittedDriver
    choice: Choice
    draws: Values = field(repr=False)
    backtest: Backtest | None = field(repr=False)

    def rows(self) -> pl.DataFrame:
        """A row a month: month, mean, median and the 50, 80 and 90 % intervals of the count."""
        bounds = {level: scores.central_interval(self.draws, level) for level in scores.LEVELS}
        ahead = range(self.series.last + 1, self.series.last + 1 + self.draws.shape[1])
        columns: dict[str, Any] = {
            "month": [month_name(m) for m in ahead],
            "mean": self.draws.mean(axis=0),
            "median": np.median(self.draws, axis=0),
        }
        for level, (low, high) in bounds.items():
            columns |= {f"lo{level}": low, f"hi{level}": high}
        return pl.DataFrame(columns)

    def totals(self) -> pl.DataFrame:
        """The sum of each twelve months ahead with its 80 % interval: months within a year move together, so sums of
        bounds would be too wide."""
        found = []
        for k in range(0, self.draws.shape[1] - 11, 12):
            whole = self.draws[:, k : k + 12].sum(axis=1)
            low, high = np.quantile(whole, [0.1, 0.9])
            begin = self.series.last + 1 + k
            found.append(
                {
                    "from": month_name(begin),
                    "to": month_name(begin + 11),
                    "mean": float(whole.mean()),
                    "lo80": float(low),
                    "hi80": float(high),
                }
            )
        return pl.DataFrame(found)

    def json(self) -> dict[str, Any]:
        """The machine-readable summary (its form is fixed: docs/demand.md)."""
        about = {
            "name": self.choice.model,
            "why": self.choice.why,
            "weights": dict(self.choice.weights),
            "series": self.series.name,
            "from": month_name(self.series.first),
            "to": month_name(self.series.last),
            "notes": list(self.series.notes),
            "driver": driver_summary(self.driver),
        }
        league = None if self.backtest is None else trials.league(self.backtest).to_dicts()
        unfit = {} if self.backtest is None else dict(self.backtest.unfit)
        rows = [
            {name: value if isinstance(value, str) else round(value, 2) for name, value in row.items()}
            for row in self.rows().to_dicts()
        ]
        summary: dict[str, Any] = finite(
            {"forecast": rows, "model": about, "scores": {"league": league, "unfit": unfit}}
        )
        return summary


def driver_summary(driver: drivers.FittedDriver) -> dict[str, Any]:
    """A driver's figures: each coefficient with its standard error, pooled and alone; dispersion, drift a month, rho,
    widening."""
    pooled = zip(driver.names, driver.beta, driver.se, *driver.alone(), strict=True)
    return {
        "coefficients": {
            n: {"value": float(b), "se": float(s), "alone": float(a), "alone_se": float(e)} for n, b, s, a, e in pooled
        },
        "dispersion": driver.level.dispersion,
        "drift": driver.level.drift,
        "rho": driver.level.rho,
        "widen": driver.widen,
    }


def forecast_series(
    series: MonthlyCounts,
    horizon: int = 24,
    *,
    terms: Terms | None = None,
    typical: drivers.Typical | None = None,
    seed: int = 1,
    carry_out: CarryOut = map,
) -> Forecast:
    """Forecast a series. With 36 months or more every model is back-tested first and a driver chosen by it; the same
    seed gives the same draws, however the trials are carried out (:class:`simcare.demand.backtest.CarryOut`).

    Raises BadInput for a horizon or terms that cannot be.
    """
    if not 1 <= horizon <= LONGEST:
        raise BadInput(f"horizon: must be from 1 to {LONGEST} months, got {horizon}")
    with threadpool_limits(1):  # see the back-test
        fitted = drivers.fit_driver(series, terms, typical)
    declared = fitted.columns.terms
    shifts = shift_notes(series, declared.steps, declared.pulses)
    series = replace(series, notes=(*series.notes, *shifts, *_held(series, fitted, horizon)))
    field = challengers.field(series, terms, typical)
    found: Backtest | None = None
    untested = _untested(series)
    if untested is not None:
        choice = trials.untried(field, untested)
    else:
        found = trials.backtest(series, field, seed, carry_out)
        choice = trials.choose(found)
    if choice.caution is not None:
        series = replace(series, notes=(*series.notes, choice.caution))
    with threadpool_limits(1):
        fits = _chosen_fits(series, fitted, choice, typical)
        draws = _drawn(series, fits, choice, horizon, seed)
    return Forecast(series, fits[next(iter(choice.weights))], choice, draws, found)


def _chosen_fits(
    series: MonthlyCounts, fitted: drivers.FittedDriver, choice: Choice, typical: drivers.Typical | None
) -> dict[str, drivers.FittedDriver]:
    """The drivers that a choice draws from, by name, widened as it says; ``fitted`` is the driver as declared."""
    fits = {}
    for name in choice.weights:
        terms = challengers.driver_terms(name, fitted.columns.terms)
        one = fitted if name == challengers.DRIVER else drivers.fit_driver(series, terms, typical)
        fits[name] = drivers.widened(one, choice.widen)
    return fits


def _held(series: MonthlyCounts, fitted: drivers.FittedDriver, horizon: int) -> list[str]:
    """Sentences on covariates whose values do not reach the end of the forecast."""
    found = []
    for name, lag in fitted.columns.terms.covariates.items():
        known = series.first + series.covariates[name].size - 1
        if known + lag < series.last + horizon:
            until = f"{name} is known to {month_name(known)}" + (f" and acts {lag} months later" if lag else "")
            found.append(
                f"The covariate {until}: past that its last value is held, and how it may move is not in the intervals"
            )
    return found


def _untested(series: MonthlyCounts) -> str | None:
    """Why a series cannot be back-tested, if it cannot."""
    told = int(series.told.sum())
    if told < TRIED_FROM:
        return f"{told} months are too few for a back-test"
    if not trials.origins(series):
        return "no month has a year of counts before it and a count after it"
    if np.ptp(series.counts[series.seen]) == 0 and not series.suppressed.any():
        return "the counts never change, so naive forecasts could not fail on them"
    return "every year repeats the one before, so naive forecasts could not fail on it" if repeats(series) else None


def _drawn(
    series: MonthlyCounts, fits: Mapping[str, drivers.FittedDriver], choice: Choice, horizon: int, seed: int
) -> Values:
    drawn = {
        name: drivers.simulate_counts(one, series, horizon, DRAWS, stream(seed, series.last, _PLACES.index(name)))
        for name, one in fits.items()
    }
    return trials.pool(drawn, choice.weights)


__all__ = ["Forecast", "driver_summary", "forecast_series"]
