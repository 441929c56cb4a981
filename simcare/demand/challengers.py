"""What a driver has to beat: naive, seasonal naive, exponential smoothing, a structural model and SARIMA, each as draws
of the future.

Every function takes a series, a horizon in months, a number of draws and a generator, and returns draws of future
counts of shape (draws, horizon). Those fitted to logarithms are fitted by statsmodels. ``Unfit`` says in a sentence why
a model cannot be fitted.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from simcare.demand import driver as drivers
from simcare.demand.regressors import Terms, columns
from simcare.demand.series import MonthlyCounts, Values
from simcare.demand.suppressed import stood_in

Forecaster = Callable[[MonthlyCounts, int, int, np.random.Generator], Values]
SEASONAL_NAIVE = "seasonal naive"
DRIVER, DAMPED = "driver", "driver with a damped trend"


class Unfit(Exception):
    """A model that cannot be fitted to a series, and why."""


def naive(series: MonthlyCounts, horizon: int, draws: int, rng: np.random.Generator) -> Values:
    """The last count again; a random walk with the spread of the changes from month to month (Hyndman and
    Athanasopoulos 2021, 5.5)."""
    y = series.counts[series.seen]
    spread = float(np.sqrt(np.mean(np.diff(y) ** 2)))
    steps = np.sqrt(np.arange(1, horizon + 1.0))
    return _counted(y[-1] + spread * steps * rng.standard_normal((draws, horizon)))


def seasonal_naive(series: MonthlyCounts, horizon: int, draws: int, rng: np.random.Generator) -> Values:
    """The same month a year before; the spread is that of the changes from year to year, growing with the root of the
    years ahead."""
    y = _filled(series)
    if y.size < 13:
        raise Unfit("seasonal naive needs more than a year of counts")
    spread = float(np.sqrt(np.nanmean((y[12:] - y[:-12]) ** 2)))
    ahead = np.arange(horizon)
    centre = y[-12:][ahead % 12]
    return _counted(centre + spread * np.sqrt(ahead // 12 + 1.0) * rng.standard_normal((draws, horizon)))


def ets(series: MonthlyCounts, horizon: int, draws: int, rng: np.random.Generator) -> Values:
    """Exponential smoothing of the logarithm: additive errors, a level, a damped trend, and a season from three years
    on."""
    from statsmodels.tsa.exponential_smoothing.ets import ETSModel

    if not series.seen.all():
        raise Unfit("exponential smoothing takes no missing months")
    _varies(series, "exponential smoothing")
    seasonal = {"seasonal": "add", "seasonal_periods": 12} if len(series) >= 36 else {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a fit that stops early is still judged by how it forecasts
        fit = ETSModel(_logs(series), error="add", trend="add", damped_trend=True, **seasonal).fit(
            disp=False, maxiter=200
        )
        paths = fit.simulate(nsimulations=horizon, repetitions=draws, anchor="end", rng=rng)
    return _exponentiated(np.asarray(paths).T)


def structural(series: MonthlyCounts, horizon: int, draws: int, rng: np.random.Generator) -> Values:
    """A local level with Fourier season and working days as regressors (Harvey 1989), fitted to the logarithm."""
    from statsmodels.tsa.statespace.structural import UnobservedComponents

    _varies(series, "the structural model")
    return _with_season(partial(UnobservedComponents, level="local level"), series, horizon, draws, rng)


def sarima(series: MonthlyCounts, horizon: int, draws: int, rng: np.random.Generator) -> Values:
    """SARIMA(1,0,1) around a mean with Fourier season and working days as regressors (SARIMAX), fitted to the
    logarithm."""
    from statsmodels.tsa.statespace.sarimax import SARIMAX

    _varies(series, "SARIMA")
    return _with_season(partial(SARIMAX, order=(1, 0, 1), trend="c"), series, horizon, draws, rng)


def _with_season(
    kind: Callable[..., Any], series: MonthlyCounts, horizon: int, draws: int, rng: np.random.Generator
) -> Values:
    """A state-space model of the logarithm with season and working days as regressors: fitted, and simulated from the
    last count on. Without school holidays: a column more, and nothing to pool it with, made these forecasts worse."""
    built = columns(series, Terms(school_holidays=False))
    x, ahead = built.at(series.months), built.at(np.arange(series.last + 1, series.last + 1 + horizon))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a fit that stops early is still judged by how it forecasts
        fit = kind(_logs(series), exog=x).fit(disp=False, maxiter=200)
        paths = fit.simulate(horizon, anchor="end", repetitions=draws, exog=ahead, rng=rng)
    return _exponentiated(np.asarray(paths).reshape(horizon, draws).T)


def driver(
    series: MonthlyCounts,
    horizon: int,
    draws: int,
    rng: np.random.Generator,
    *,
    terms: Terms | None = None,
    typical: drivers.Typical | None = None,
) -> Values:
    """The demand driver itself, with those of its terms that could be known by the last count."""
    known = None if terms is None else terms.known(series)
    return drivers.simulate_counts(drivers.fit_driver(series, known, typical, plain=False), series, horizon, draws, rng)


def field(
    series: MonthlyCounts, terms: Terms | None = None, typical: drivers.Typical | None = None
) -> Mapping[str, Forecaster]:
    """Everything that is tried on a series, by name: the driver, its variants, and its challengers."""
    terms = terms or Terms(covariates=dict.fromkeys(series.covariates, 0))
    found: dict[str, Forecaster] = {DRIVER: partial(driver, terms=terms, typical=typical)}
    if not terms.trend:
        found[DAMPED] = partial(driver, terms=driver_terms(DAMPED, terms), typical=typical)
    if terms.covariates:
        found["driver without covariates"] = partial(driver, terms=replace(terms, covariates={}), typical=typical)
    others: dict[str, Forecaster] = {
        "exponential smoothing": ets,
        "structural": structural,
        "SARIMA": sarima,
        SEASONAL_NAIVE: seasonal_naive,
        "naive": naive,
    }
    if series.suppressed.any():
        others = {name: partial(_with_known_counts, forecaster) for name, forecaster in others.items()}
    return {**found, **others}


def driver_terms(model: str, terms: Terms) -> Terms:
    """The terms of the driver or of the driver with a damped trend, given those declared."""
    return replace(terms, trend=True) if model == DAMPED else terms


def _with_known_counts(
    forecaster: Forecaster, series: MonthlyCounts, horizon: int, draws: int, rng: np.random.Generator
) -> Values:
    """A forecast of a model that takes no bounds: suppressed counts are at what they probably were."""
    return forecaster(stood_in(series), horizon, draws, rng)


def _varies(series: MonthlyCounts, what: str) -> None:
    if np.ptp(series.counts[series.seen]) == 0:
        raise Unfit(f"{what} cannot be fitted to a series that never changes")


def _filled(series: MonthlyCounts) -> Values:
    """Counts with a missing month filled by the year before: naive forecasts repeat what was last seen."""
    y = series.counts.copy()
    for i in np.flatnonzero(np.isnan(y)):
        if i >= 12:
            y[i] = y[i - 12]
    if np.isnan(y[-12:]).any():
        raise Unfit("seasonal naive needs a count for each of the last twelve months or the year before")
    return y


def _logs(series: MonthlyCounts) -> Values:
    return np.log(series.counts + 0.5)


def _counted(values: Values) -> Values:
    return np.asarray(np.maximum(np.round(values), 0.0))


def _exponentiated(logs: Values) -> Values:
    return _counted(np.exp(np.clip(logs, -30.0, 20.0)) - 0.5)


__all__ = [
    "DAMPED",
    "DRIVER",
    "SEASONAL_NAIVE",
    "Forecaster",
    "Unfit",
    "driver",
    "driver_terms",
    "ets",
    "field",
    "naive",
    "sarima",
    "seasonal_naive",
    "structural",
]
