"""Demand enters the simulation: in each replication arrivals follow one possible path of their driver.

One number on its way: a count in ``calibration/`` is read into the model when its file is loaded (:func:`embedded`);
the driver is fitted to the counts known (:func:`fitted`); a replication draws parameters, drift and dispersion at
addresses of their own (:func:`drawn_index`); the arrivals of every month become the stratum's ``per_year`` times the
path over its mean in the year before the start (:func:`following`). Every strategy of a comparison meets the same path
in the same replication.
"""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from scipy.special import gammaincinv, ndtri
from threadpoolctl import threadpool_limits

from simcare.demand import driver as drivers
from simcare.demand.backtest import own_widening
from simcare.demand.pooling import typical_of
from simcare.demand.regressors import Terms
from simcare.demand.series import SHORTEST, MonthlyCounts, Values, chosen_series
from simcare.demand.suppressed import expected_counts, observed_of
from simcare.errors import BadInput
from simcare.model import Model
from simcare.model.demand import DemandDriver, Neighbour, base_months
from simcare.model.number import DatedNumber as Dated
from simcare.model.number import Step
from simcare.model.parts import Arrivals
from simcare.rules.draws import DISPERSION, DRIFT, FITTED, name_key, uniform
from simcare.units import MONTH_DAYS, month_index, month_name, month_start, parsed_month


class DriverFit(NamedTuple):
    """A driver of a model, fitted: ``base`` is the mean rate, exposure included, of the twelve months before the start;
    ``known`` are the rates of the months of the counts, given the counts."""

    name: str
    driver: drivers.FittedDriver
    series: MonthlyCounts
    base: float
    known: Values


def embedded(row: dict[str, Any], path: Path, population: Path | None = None) -> dict[str, Any]:
    """A driver's row of a model file with the counts of its series file (``path``) in it, up to ``known_to``, and the
    people at risk.

    Raises BadInput as the readers do, for an area that is not there, and for a ``known_to`` outside the counts.
    """
    from simcare.demand.reading import read_all

    every, left_out = read_all(path)
    if row.get("area") in left_out:
        raise BadInput(left_out[row["area"]])
    series = chosen_series(every, row.get("area"), str(path))
    if population is not None:
        series, row = _at_risk(series, row, population)
    last = series.last
    if row.get("known_to") is not None:
        try:
            last = parsed_month(str(row["known_to"]))
        except ValueError:
            return row  # no month, which the model's own check tells
    if not series.first <= last <= series.last:
        inside = f"{month_name(series.first)} to {month_name(series.last)}"
        raise BadInput(f"{path}: known_to: {month_name(last)} is outside the counts of {series.name} ({inside})")
    others = [s for s in every.values() if s.name != series.name and s.first == series.first and s.last >= last]
    exposure = (
        None
        if series.exposure is None
        else series.known(last).exposures(series.first, last - series.first + 1).tolist()
    )
    return {
        **row,
        "first": month_name(series.first),
        **_counts(series.known(last)),
        "exposure": exposure,
        "neighbours": [{"area": s.name, **_counts(s.known(last))} for s in others],
    }


def _at_risk(series: MonthlyCounts, row: dict[str, Any], population: Path) -> tuple[MonthlyCounts, dict[str, Any]]:
    """The series with the people of the row's ages as its exposure; as it is where the row names no ages, which the
    model's own check tells."""
    from simcare.demand.exposure import with_people
    from simcare.demand.population_file import read_population

    ages = row.get("ages")
    if not isinstance(ages, list) or len(ages) not in (1, 2) or not all(isinstance(age, int | float) for age in ages):
        return series, row
    people = read_population(population, str(row.get("area", series.name)), None, vintage=row.get("vintage"))
    series = with_people(series, people, float(ages[0]), float(ages[1]) if len(ages) == 2 else None)
    return series, {**row, "ages": [*ages, None][:2]}


def _counts(series: MonthlyCounts) -> dict[str, Any]:
    """The counts of a series as a model's row has them, suppressed ones apart."""
    counts = {"counts": [None if math.isnan(v) else v for v in series.counts.tolist()]}
    if series.low is None or series.high is None:
        return counts
    at = np.flatnonzero(series.suppressed).tolist()
    return counts | {"suppressed": [{"at": k, "low": float(series.low[k]), "high": float(series.high[k])} for k in at]}


def fitted(model: Model) -> tuple[DriverFit, ...]:
    """The drivers of a model, fitted and widened as their back-tests say (of a series too short for one, as many series
    say). Fitting is remembered: a model met again costs nothing."""
    base = base_months(model.about.start)
    with threadpool_limits(1):  # matrices of a hundred rows: threads would only get in each other's way
        return tuple(_fit(row, base[0], base[-1]) for row in model.drivers)


@lru_cache(maxsize=64)
def _fit(row: DemandDriver, base_first: int, base_last: int) -> DriverFit:
    if row.first is None:
        raise BadInput(f"drivers[{row.name}]: has no counts; load the model from its file, which reads them")
    series = _series(row.name, row.first, row, row.exposure)
    typical = typical_of(neighbours(row))
    driver = drivers.fit_driver(series, Terms(), typical, plain=False)
    driver = drivers.widened(driver, own_widening(driver, series, typical))
    mean = np.exp(driver.fitted) * series.exposures(series.first, len(series))
    size = 1.0 / driver.level.dispersion
    counts = np.where(series.told, expected_counts(observed_of(series), mean, driver.level.dispersion), mean)
    known = mean * (size + counts) / (size + mean)  # what the rate was, now that the count is known: gamma-Poisson
    base = float(known[base_first - series.first : base_last - series.first + 1].mean())
    return DriverFit(row.name, driver, series, base, known)


def neighbours(row: DemandDriver) -> dict[str, MonthlyCounts]:
    """The series of the other areas that a driver of a model is pooled with."""
    assert row.first is not None
    return {n.area: _series(n.area, row.first, n) for n in row.neighbours if _usable(n)}


def _usable(neighbour: Neighbour) -> bool:
    counts = [c for c in neighbour.counts if c is not None]
    return len(counts) + len(neighbour.suppressed) >= SHORTEST and (sum(counts) > 0 or bool(neighbour.suppressed))


def _series(
    name: str, first: str, row: DemandDriver | Neighbour, exposure: tuple[float, ...] | None = None
) -> MonthlyCounts:
    values = np.array([np.nan if c is None else c for c in row.counts], dtype=float)
    series = MonthlyCounts(name, parsed_month(first), values, None if exposure is None else np.array(exposure))
    if not row.suppressed:
        return series
    low, high = np.full((2, values.size), np.nan)
    for count in row.suppressed:
        low[count.at], high[count.at] = count.low, count.high
    return replace(series, low=low, high=high)


def drawn_index(fit: DriverFit, last: int, seed: int, replication: int) -> Values:
    """The demand of each month from the first count to month ``last``, relative to the base year, in one replication.

    Months that were known are as they were; later ones are one path of the driver: parameters, drift and the month's
    own dispersion (chance comes with the arrivals themselves). A later ``last`` changes no earlier month.
    """
    horizon = last - fit.driver.last
    if horizon <= 0:
        return fit.known[: len(fit.known) + horizon] / fit.base
    address = name_key("driver", fit.name)

    def normals(purpose: int, at: range) -> list[float]:
        return [float(ndtri(uniform(seed, replication, address, purpose, k))) for k in at]

    ahead = range(fit.driver.last + 1, last + 1)
    drawn = np.array([*normals(FITTED, range(fit.driver.beta.size + 2)), *normals(DRIFT, ahead)])
    rates = np.exp(drivers.rates(fit.driver, horizon, drawn[None, :])[0]) * fit.series.exposures(
        fit.driver.last + 1, horizon
    )
    shape = 1.0 / fit.driver.level.dispersion
    chance = (
        gammaincinv(shape, [uniform(seed, replication, address, DISPERSION, m) for m in ahead]) / shape
    )  # a gamma of mean 1
    return np.concatenate([fit.known, rates * chance]) / fit.base


def expected_index(fit: DriverFit, last: int) -> Values:
    """The mean of :func:`drawn_index` over all replications, month by month."""
    driver, horizon = fit.driver, last - fit.driver.last
    if horizon <= 0:
        return fit.known[: len(fit.known) + horizon] / fit.base
    rates = drivers.expected_rates(driver, horizon) * fit.series.exposures(driver.last + 1, horizon)
    return np.asarray(np.concatenate([fit.known, rates]) / fit.base)


Paths = dict[str, tuple[int, Values]]


def drawn_paths(model: Model, fits: tuple[DriverFit, ...], seed: int, replication: int, years: int) -> Paths:
    """One replication's path of each driver: its first month, and the index from there on (:func:`drawn_index`)."""
    last = _last(model, years)
    return {f.name: (f.series.first, drawn_index(f, last, seed, replication)) for f in fits or fitted(model)}


def with_drawn_demand(model: Model, seed: int, replication: int, years: int) -> Model:
    """The model with the demand that a replication meets."""
    return following(model, drawn_paths(model, (), seed, replication, years))


def with_mean_demand(model: Model, years: int) -> Model:
    """The model with arrivals at the mean over all paths: what the cohort model works with."""
    last = _last(model, years)
    return following(model, {f.name: (f.series.first, expected_index(f, last)) for f in fitted(model)})


def at_base_demand(model: Model) -> Model:
    """The model with demand as it was in the base year, without season: what published stocks and flows can be held
    against."""
    return following(
        model, {row.name: (month_index(model.about.start), np.ones(1)) for row in model.drivers}, counts=False
    )


def following(model: Model, paths: Paths, counts: bool = True) -> Model:
    """The model with the ``per_year`` of each stratum that has a driver multiplied, month by month, by the driver's
    path.

    Paths are of monthly counts, which hold the month's length: a rate a day is the higher the shorter the month (unless
    ``counts`` is false). A path that ends early holds its last value. A model without drivers is returned as it is.
    """
    if not model.drivers:
        return model
    rows = tuple(row if row.driver is None else _stepped(row, *paths[row.driver], counts) for row in model.arrivals)
    return model.model_copy(update={"arrivals": rows, "drivers": ()})


def _stepped(row: Arrivals, first: int, path: Values, counts: bool) -> Arrivals:
    """A stratum with a step for each month, and one more wherever its own ``per_year`` changes within a month."""
    begins = [month_start(first + k) for k in range(path.size)]
    own = [step.from_ for step in row.per_year.steps if step.from_ is not None and begins[0] < step.from_]
    steps = []
    for date in sorted({*begins, *own}):
        factor = float(path[min(month_index(date) - first, path.size - 1)])
        if counts:
            factor *= MONTH_DAYS / (month_start(month_index(date) + 1) - month_start(month_index(date))).days
        told = {"source": row.per_year.steps[0].source, "grade": row.per_year.steps[0].grade}
        steps.append(Step(value=row.per_year.at(date) * factor, from_=date, **told))
    return row.model_copy(update={"per_year": Dated(steps=tuple(steps)), "driver": None})


def index_by_month(model: Model, paths: Paths, years: int) -> dict[str, list[tuple[str, float]]]:
    """The index of each driver in the months of the horizon, with the names of the months."""
    begin = first_month(model)
    return {
        name: [(month_name(m), float(path[m - first])) for m in range(begin, begin + 12 * years)]
        for name, (first, path) in paths.items()
    }


def first_month(model: Model) -> int:
    """The number of the first month of a run; a start on the last day of a month belongs to the next."""
    return month_index(model.about.start + dt.timedelta(days=1))


def _last(model: Model, years: int) -> int:
    start = model.about.start
    return month_index(dt.date(start.year + years, start.month, 1)) + 1


__all__ = [
    "DriverFit",
    "Paths",
    "at_base_demand",
    "drawn_index",
    "drawn_paths",
    "embedded",
    "expected_index",
    "first_month",
    "fitted",
    "following",
    "index_by_month",
    "neighbours",
    "with_drawn_demand",
    "with_mean_demand",
]
