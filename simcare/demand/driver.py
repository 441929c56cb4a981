"""A demand driver: negative-binomial regression on what moves demand, about a level that drifts.

The count of month t is negative binomial with mean ``exposure_t exp(x_t b + level_t)``. A plain regression
(statsmodels' NegativeBinomial, log exposure as offset) is fitted first, and shown, with errors that allow for
neighbouring months being alike (Newey and West); it has no level, so what the level does it lays on the coefficients.
The driver fits both together (:mod:`simcare.demand.level`), from there, with each coefficient pooled with what is
typical of other areas (:class:`Typical`), which matters for a short series and hardly for a long one.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from typing import NamedTuple

import numpy as np
from scipy.special import ndtr, stdtrit

from simcare.demand import level as levels
from simcare.demand.months import Months
from simcare.demand.regressors import Columns, Terms, columns
from simcare.demand.series import MonthlyCounts, Values
from simcare.demand.suppressed import drawn_counts, observed_of

HAC_LAGS = 12  # months over which the plain regression's errors may be alike
# The drift's steps: Student's t with so few degrees of freedom, so that a level that shifts at once is no surprise. A
# step is never farther out than a normal draw of so many standard deviations: beyond it (one month in 16,000) t knows
# no end, and rates would have no mean.
STEP_DF, FARTHEST = 4.0, 4.0
TYPICAL_WIDENING = 1.05  # what the drift is multiplied by (scripts/demand_coverage.py; docs/demand.md)


@dataclass(frozen=True)
class Typical:
    """What a coefficient is in other areas: mean and sd by the name of the term, or its first word."""

    coefficients: Mapping[str, tuple[float, float]] = field(
        default_factory=lambda: {
            "cos": (0.0, 0.04),
            "sin": (0.0, 0.04),
            "working days": (1.2, 0.3),
            "school holidays": (-0.2, 0.1),
            "trend": (0.0, 0.06),
            "step": (0.0, 0.7),
            "pulse": (0.0, 0.7),
            "": (0.0, 0.1),  # a covariate, by its standard deviation
        }
    )
    level: levels.LevelPrior = field(default_factory=levels.LevelPrior)

    def of(self, names: tuple[str, ...]) -> tuple[Values, Values]:
        """Means and sds of the named terms."""
        found = [
            self.coefficients.get(n) or self.coefficients.get(n.split(" ", 1)[0]) or self.coefficients[""]
            for n in names
        ]
        return np.array([mean for mean, _ in found]), np.array([sd for _, sd in found])


class Plain(NamedTuple):
    """A negative-binomial regression without a level: coefficients, their standard errors (Newey and West) and the
    dispersion."""

    beta: Values
    se: Values
    dispersion: float


@dataclass(frozen=True)
class FittedDriver:
    """A fitted driver: everything a forecast needs but the exposure.

    ``plain`` is the regression without a level, None where it has no solution. ``fitted`` is the log rate per exposure
    at the months of the counts (posterior mean). ``prior_mean`` and ``prior_sd`` are what the coefficients were pooled
    with. ``widen`` multiplies the drift: what many series ask for, unless rolling-origin errors of this one asked for
    another (:mod:`simcare.demand.backtest`).
    """

    columns: Columns
    first: int
    level: levels.Level
    plain: Plain | None
    prior_mean: Values
    prior_sd: Values
    fitted: Values
    widen: float = TYPICAL_WIDENING

    @property
    def names(self) -> tuple[str, ...]:
        return self.columns.names

    @property
    def last(self) -> int:
        return self.first + self.fitted.size - 1

    @property
    def beta(self) -> Values:
        """The coefficients, pooled."""
        return self.level.joint[:-2]

    @property
    def se(self) -> Values:
        """Their standard errors."""
        return np.sqrt(np.maximum(np.diagonal(self.level.joint_cov)[:-2], 0.0))

    def alone(self) -> tuple[Values, Values]:
        """The coefficients by this series alone and their standard errors: what is left when what they were pooled with
        is taken out again."""
        pooled = np.linalg.inv(self.level.joint_cov[:-2, :-2])
        own = pooled - np.diag(self.prior_sd**-2.0)
        cov = np.linalg.pinv(own, hermitian=True)
        return cov @ (pooled @ self.beta - self.prior_mean / self.prior_sd**2), np.sqrt(
            np.maximum(np.diagonal(cov), 0.0)
        )


def fit_driver(
    series: MonthlyCounts, terms: Terms | None = None, typical: Typical | None = None, plain: bool = True
) -> FittedDriver:
    """Fit a driver to a series; without ``plain`` the plain regression is left out.

    Raises BadInput as :func:`simcare.demand.regressors.columns`.
    """
    terms = terms if terms is not None else Terms(covariates=dict.fromkeys(series.covariates, 0))
    typical = typical or Typical()
    built = columns(series, terms)
    x = built.at(series.months)
    log_exposure = np.log(series.exposures(series.first, len(series)))
    mean, sd = typical.of(built.names)
    level = levels.fit_level(observed_of(series), log_exposure, x, mean, sd, typical.level)
    return FittedDriver(
        columns=built,
        first=series.first,
        level=level,
        plain=_plain(series, x, log_exposure) if plain else None,
        prior_mean=mean,
        prior_sd=sd,
        fitted=level.path,
    )


def _plain(series: MonthlyCounts, x: Values, log_exposure: Values) -> Plain | None:
    """The regression without a level; None where its likelihood has no maximum (too few months, or counts that vary
    less than by chance), and where counts are suppressed, which it cannot take."""
    from statsmodels.discrete.discrete_model import NegativeBinomial

    if series.suppressed.any():
        return None
    seen = series.seen
    design = np.column_stack([np.ones(int(seen.sum())), x[seen]])
    if design.shape[0] < 2 * design.shape[1] + 2:
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what does not converge is left out below
        try:
            lags = {"maxlags": min(HAC_LAGS, design.shape[0] // 4)}
            found = NegativeBinomial(series.counts[seen], design, offset=log_exposure[seen]).fit(
                disp=0, maxiter=200, cov_type="HAC", cov_kwds=lags
            )
        except (np.linalg.LinAlgError, ValueError):
            return None
    params, se = np.asarray(found.params), np.asarray(found.bse)
    if not found.mle_retvals["converged"] or not np.isfinite([*params, *se]).all() or params[-1] <= 0:
        return None
    return Plain(params[1:-1], se[1:-1], float(params[-1]))


def known_counts(driver: FittedDriver, series: MonthlyCounts) -> MonthlyCounts:
    """The series with each suppressed count drawn from what it may have been, given the driver: for what needs a count
    and its chance in every month, such as scores. The same series gives the same counts."""
    if not series.suppressed.any():
        return series
    mean = np.exp(driver.fitted) * series.exposures(series.first, len(series))
    counts = drawn_counts(observed_of(series), mean, driver.level.dispersion, np.random.default_rng(series.first))
    return replace(series, counts=counts, low=None, high=None)


def rates(driver: FittedDriver, horizon: int, normals: Values) -> Values:
    """Log rates per exposure of the ``horizon`` months after the last count, one path for each row of standard
    ``normals``.

    ``normals`` has shape (paths, coefficients + 2 + horizon): for the coefficients and the state of the level together,
    and for its drift month by month, so that a longer horizon leaves the earlier months as they were. Those of the
    drift become steps of Student's t (:func:`steps`).
    """
    k = driver.beta.size
    stretch = np.array([*np.ones(k), driver.widen, driver.widen])
    joint = driver.level.joint + (normals[:, : k + 2] @ _root(driver.level.joint_cov).T) * stretch
    deviation, path = joint[:, k + 1], np.empty((normals.shape[0], horizon))
    moved = driver.widen * driver.level.drift * steps(normals[:, k + 2 : k + 2 + horizon])
    for h in range(horizon):
        deviation = driver.level.rho * deviation + moved[:, h]
        path[:, h] = joint[:, k] + deviation
    return np.asarray(path + joint[:, :k] @ driver.columns.at(ahead(driver, horizon)).T)


def moments(driver: FittedDriver, horizon: int) -> tuple[Values, Values]:
    """Mean and variance of the log rates that :func:`rates` draws, month by month."""
    k, powers = driver.beta.size, driver.level.rho ** np.arange(1, horizon + 1)
    loadings = np.column_stack([driver.columns.at(ahead(driver, horizon)), np.ones(horizon), powers])
    stretched = loadings * np.array([*np.ones(k), driver.widen, driver.widen])
    drifted = (driver.widen * driver.level.drift) ** 2 * (1.0 - powers**2) / (1.0 - driver.level.rho**2)
    return (
        loadings @ driver.level.joint,
        np.einsum("ij,jk,ik->i", stretched, driver.level.joint_cov, stretched) + drifted,
    )


def expected_rates(driver: FittedDriver, horizon: int) -> Values:
    """Mean of the rates per exposure that :func:`rates` draws (not of their logarithms), month by month."""
    mean, variance = moments(driver, horizon)
    size = driver.widen * driver.level.drift * driver.level.rho ** np.arange(horizon)
    at, weights = _standard_normal()
    of_steps = np.log(np.exp(size[:, None] * steps(at)) @ weights)  # of the drift of one month, so many months later
    return np.asarray(np.exp(mean + (variance - np.cumsum(size**2)) / 2.0 + np.cumsum(of_steps)))


def steps(normals: Values) -> Values:
    """Standard normals made into steps of mean 0 and variance 1 with the heavier tails of Student's t.

    >>> steps(np.array([0.0, 1.0, 3.0, 9.0])).round(2)
    array([ 0.  ,  0.81,  4.7 , 12.4 ])
    """
    return np.asarray(_student(normals) / _student_sd())


def _student(normals: Values) -> Values:
    return np.asarray(stdtrit(STEP_DF, ndtr(np.clip(normals, -FARTHEST, FARTHEST))))


@cache
def _student_sd() -> float:
    at, weights = _standard_normal()
    return float(np.sqrt(weights @ _student(at) ** 2))


@cache
def _standard_normal() -> tuple[Values, Values]:
    """Points and weights that stand for a standard normal."""
    at = np.linspace(-8.0, 8.0, 3201)
    weights = np.exp(-(at**2) / 2.0)
    return at, weights / weights.sum()


def _root(cov: Values) -> Values:
    """A matrix whose square is ``cov``, which may be singular."""
    values, vectors = np.linalg.eigh(cov)
    return np.asarray(
        vectors * np.sqrt(np.maximum(values, 0.0)) @ vectors.T
    )  # symmetric: the one root that no library may choose otherwise


def ahead(driver: FittedDriver, horizon: int) -> Months:
    """The months after the last count."""
    return np.arange(driver.last + 1, driver.last + 1 + horizon)


def simulate_counts(
    driver: FittedDriver, series: MonthlyCounts, horizon: int, draws: int, rng: np.random.Generator
) -> Values:
    """Draws of future counts, shape (draws, horizon): parameters, drift, dispersion and chance all at once."""
    normals = rng.standard_normal((draws, driver.beta.size + 2 + horizon))
    mean = np.exp(rates(driver, horizon, normals)) * series.exposures(driver.last + 1, horizon)
    shape = 1.0 / driver.level.dispersion
    return rng.poisson(np.minimum(mean * rng.gamma(shape, 1.0 / shape, mean.shape), 1e9)).astype(float)


def widened(driver: FittedDriver, by: float) -> FittedDriver:
    """The driver with its drift times ``by``."""
    return replace(driver, widen=driver.widen * by)


__all__ = [
    "TYPICAL_WIDENING",
    "FittedDriver",
    "Plain",
    "Typical",
    "ahead",
    "expected_rates",
    "fit_driver",
    "known_counts",
    "moments",
    "rates",
    "simulate_counts",
    "steps",
    "widened",
]
