"""Forecasts with workers: of one series, and of many at once, each by itself, pooled with the others and kept."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from simcare import __version__
from simcare.demand.driver import Typical
from simcare.demand.forecast import Forecast, forecast_series
from simcare.demand.pooling import typical_of
from simcare.demand.regressors import Terms
from simcare.demand.series import MonthlyCounts
from simcare.runs.kept import carry_out_kept, part_name
from simcare.runs.workers import Progress, carry_out
from simcare.units import month_name


def forecast(
    series: MonthlyCounts,
    horizon: int = 24,
    *,
    terms: Terms | None = None,
    typical: Typical | None = None,
    seed: int = 1,
    workers: int | None = None,
    progress: Progress | None = None,
) -> Forecast:
    """Forecast a series. With 36 months or more every model is back-tested first and the default chosen by it; the same
    seed gives the same draws, whatever the number of workers.

    Raises BadInput for a horizon or terms that cannot be.
    """
    loop = partial(carry_out, workers=workers, progress=progress, called=_trial_name)
    return forecast_series(series, horizon, terms=terms, typical=typical, seed=seed, carry_out=loop)


def _trial_name(origin: int) -> str:
    return f"the trial that knows the counts until {month_name(origin)}"


def forecast_all(
    every: Mapping[str, MonthlyCounts],
    horizon: int,
    parts: Path,
    *,
    terms: Terms | None = None,
    seed: int = 1,
    workers: int | None = None,
    progress: Progress | None = None,
) -> dict[str, dict[str, Any]]:
    """The summary (:meth:`simcare.demand.forecast.Forecast.json`) of every series by its name.

    Each is kept in the folder ``parts`` as it is done, under a digest of series, horizon, terms, seed and version: a
    second call after a stop takes up those that are there. The caller removes the folder once the results are written
    (:func:`simcare.runs.kept.clear_parts`).
    """
    typical = typical_of(every, terms)
    names = {name: _name(series, horizon, terms, typical, seed) for name, series in every.items()}
    found = carry_out_kept(
        partial(_summary, horizon, terms, typical, seed),
        {names[name]: series for name, series in every.items()},
        parts,
        workers,
        progress,
        called=_called,
    )
    return {name: found[names[name]] for name in every}


def _summary(horizon: int, terms: Terms | None, typical: Typical, seed: int, series: MonthlyCounts) -> dict[str, Any]:
    return forecast_series(series, horizon, terms=terms, typical=typical, seed=seed).json()


def _called(series: MonthlyCounts) -> str:
    return f"the forecast of {series.name}"


def _name(series: MonthlyCounts, horizon: int, terms: Terms | None, typical: Typical, seed: int) -> str:
    given = (series.exposure, series.low, series.high)
    arrays = [series.counts, *(one for one in given if one is not None), *series.covariates.values()]
    rest = repr((__version__, series.name, series.first, sorted(series.covariates), horizon, terms, typical, seed))
    return part_name(rest, *(array.tobytes() for array in arrays))


__all__ = ["forecast", "forecast_all"]
