"""Is the regression sound? Dispersion, autocorrelation, influence and PIT of a driver, and what they mean in plain
words."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
import polars as pl

from simcare.demand.backtest import Backtest
from simcare.demand.challengers import DRIVER
from simcare.demand.driver import FittedDriver, known_counts
from simcare.demand.series import MonthlyCounts, Values
from simcare.units import month_name, three_figures

LAGS = 12
BINS = 10


@dataclass(frozen=True)
class Diagnostics:
    """Figures on how a driver sits on its series.

    ``poisson_ratio``: the Pearson statistic of a Poisson regression with the same terms over its degrees of freedom (1
    if counts vary by chance alone). ``alone``: dispersion of a plain negative-binomial regression without a drifting
    level (None where none can be fitted). ``residuals``: a row a month with ``month``, ``before`` (normal-scale
    residual of the plain regression), ``after`` (the driver's errors one step ahead) and ``influence`` (Cook's
    distance). ``autocorrelation``: a row a lag with that of both, and ``bound``, the 95 % bound of white noise.
    ``pit``: counts of the back-test's PIT values in ten equal bins, empty without a back-test.
    """

    poisson_ratio: float
    alone: float | None
    residuals: pl.DataFrame
    autocorrelation: pl.DataFrame
    pit: tuple[int, ...]


def diagnose(series: MonthlyCounts, driver: FittedDriver, found: Backtest | None = None) -> Diagnostics:
    """Diagnostics of a driver fitted to a series, and of its forecasts if they were tried."""
    import statsmodels.api as sm

    series = known_counts(driver, series)
    seen = series.seen
    y = series.counts[seen]
    x = np.column_stack([np.ones(y.size), driver.columns.at(series.months)[seen]])
    log_exposure = np.log(series.exposures(series.first, len(series)))[seen]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a short series strains the fit, which its huge standard errors then say
        poisson = sm.GLM(y, x, family=sm.families.Poisson(), offset=log_exposure).fit()
        alone = None if driver.plain is None else driver.plain.dispersion
        plain = sm.GLM(
            y, x, family=sm.families.NegativeBinomial(alpha=alone or driver.level.dispersion), offset=log_exposure
        ).fit()
        cook = np.asarray(plain.get_influence(observed=False).cooks_distance[0])
    before = np.asarray(plain.resid_pearson)
    after = driver.level.surprises
    names = [month_name(int(m)) for m in series.months[seen]]
    residuals = pl.DataFrame({"month": names, "before": before, "after": after, "influence": np.nan_to_num(cook)})
    lags = range(1, min(LAGS, y.size // 3) + 1)
    columns = {
        "lag": list(lags),
        "before": [_correlation(before, k) for k in lags],
        "after": [_correlation(after, k) for k in lags],
    }
    autocorrelation = pl.DataFrame(columns).with_columns(bound=pl.lit(1.96 / np.sqrt(y.size)))
    ratio = float(poisson.pearson_chi2 / poisson.df_resid) if poisson.df_resid > 0 else float("nan")
    return Diagnostics(ratio, alone, residuals, autocorrelation, _pit(found))


def _correlation(values: Values, lag: int) -> float:
    centred = values - values.mean()
    whole = float(centred @ centred)
    return float(centred[lag:] @ centred[:-lag]) / whole if whole > 0 else 0.0


def _pit(found: Backtest | None) -> tuple[int, ...]:
    if found is None:
        return ()
    values = found.scores.filter(pl.col("model") == DRIVER)["pit"].to_numpy()
    return tuple(int(n) for n in np.histogram(values, bins=BINS, range=(0.0, 1.0))[0])


def driver_sentences(series: MonthlyCounts, driver: FittedDriver, found: Diagnostics) -> list[str]:
    """What the diagnostics and the coefficients say, a plain sentence each."""
    said = [_on_dispersion(driver, found), _on_level(driver, found)]
    month = found.residuals.sort("influence", descending=True).row(0, named=True)
    if month["influence"] > 4.0 / found.residuals.height:
        distance = three_figures(month["influence"])
        said.append(
            f"{month['month']} weighs most on the coefficients (Cook's distance {distance}); look at that month before"
            " trusting them."
        )
    else:
        said.append("No single month weighs heavily on the coefficients.")
    for name, beta, se in zip(driver.names, driver.beta, driver.se, strict=True):
        sentence = effect(name, float(beta), float(se))
        if sentence is not None:
            said.append(sentence)
    return said


def _on_dispersion(driver: FittedDriver, found: Diagnostics) -> str:
    spread = 100.0 * np.sqrt(driver.level.dispersion)
    if not found.poisson_ratio > 1.5:
        return "Counts vary about as much as chance alone would make them."
    ratio = three_figures(found.poisson_ratio)
    left = (
        f"once the level is followed, a month still differs from its neighbours by {three_figures(spread)}% either way"
    )
    return f"Counts vary {ratio} times as much as chance alone; {left}."


def _on_level(driver: FittedDriver, found: Diagnostics) -> str:
    first = found.autocorrelation.row(0, named=True)
    stays = np.log(0.5) / np.log(driver.level.rho)
    before, after = (three_figures(first[name]) for name in ("before", "after"))
    text = f"Neighbouring months go together (correlation {before} before the level is followed, {after} after)"
    return (
        f"{text}; a shift of the level is half gone after about {three_figures(stays)} months, and the level moves by"
        f" {three_figures(100 * driver.level.drift)}% a month."
    )


def effect(name: str, beta: float, se: float) -> str | None:
    """What a coefficient means, with its 95 % interval; None for a wave of the season, which means nothing alone.

    >>> effect("working days", 1.0, 0.1)
    'A tenth more working days go with 10% more demand (7.96% to 12.1%).'
    """
    if name.startswith(("cos", "sin")):
        return None
    low, high = beta - 1.96 * se, beta + 1.96 * se
    if name == "working days":
        more, least, most = (100.0 * (1.1**b - 1.0) for b in (beta, low, high))
        return (
            f"A tenth more working days go with {three_figures(more)}% more demand ({three_figures(least)}% to"
            f" {three_figures(most)}%)."
        )
    if name == "school holidays":
        change, least, most = (f"{three_figures(100.0 * np.expm1(b), signed=True)}%" for b in (beta, low, high))
        return f"In a month of school holidays, such as August, demand is {change} ({least} to {most})."
    change, least, most = (f"{three_figures(100.0 * np.expm1(b), signed=True)}%" for b in (beta, low, high))
    what = {"trend": "Each year", "step": f"From {name[5:]} on demand", "pulse": f"In {name[6:]} demand"}.get(
        name.split(" ", 1)[0]
    )
    span = f"({least} to {most})"
    if what == "Each year":
        return f"The trend is {change} a year {span}, and dies out within two years of the last count."
    if what is not None:
        return f"{what} is {change} {span}."
    unsure = "; the interval includes zero, so the series does not show that it matters" if low < 0 < high else ""
    return f"When {name} is a standard deviation higher, demand is {change} {span}{unsure}."


__all__ = ["Diagnostics", "diagnose", "driver_sentences", "effect"]
