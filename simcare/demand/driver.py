"""A demand driver: negative-binomial regression on what moves demand, and the level it drifts about.

The count of month t is negative binomial with mean ``exposure_t exp(x_t b + level_t)``. The coefficients come from statsmodels (a
generalised linear model, log link, log exposure as offset, given the level and the dispersion), the level from
:mod:`simcare.demand.level`; the two are fitted in turn. Each coefficient is then pooled with what is typical of other areas
(:class:`Typical`), which matters for a short series and hardly for a long one.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from simcare.demand import level as levels
from simcare.demand.months import Months
from simcare.demand.series import Series, Values
from simcare.demand.terms import Columns, Terms, columns

ROUNDS = 3


@dataclass(frozen=True)
class Typical:
    """What a coefficient is in other areas: mean and sd by the name of the term, or its first word."""

    coefficients: Mapping[str, tuple[float, float]] = field(
        default_factory=lambda: {
            "cos": (0.0, 0.06),
            "sin": (0.0, 0.06),
            "working days": (1.3, 0.3),
            "trend": (0.0, 0.06),
            "step": (0.0, 0.7),
            "pulse": (0.0, 0.7),
            "": (0.0, 0.1),  # a covariate, by its standard deviation
        }
    )
    level: levels.Prior = field(default_factory=levels.Prior)

    def of(self, names: tuple[str, ...]) -> tuple[Values, Values]:
        """Means and sds of the named terms."""
        found = [self.coefficients.get(n) or self.coefficients.get(n.split(" ", 1)[0]) or self.coefficients[""] for n in names]
        return np.array([mean for mean, _ in found]), np.array([sd for _, sd in found])


@dataclass(frozen=True)
class Driver:
    """A fitted driver: everything a forecast needs but the exposure.

    ``beta`` and ``cov`` are of the named columns; ``fitted`` is the log rate per exposure at the months of the counts (level included,
    its posterior mean). ``widen`` multiplies the drift: 1, unless rolling-origin errors asked for another (:mod:`simcare.demand.backtest`).
    """

    columns: Columns
    first: int
    beta: Values
    cov: Values
    alone: Values  # the coefficients before pooling, and
    alone_sd: Values  # their standard errors
    level: levels.Level
    fitted: Values
    widen: float = 1.0

    @property
    def names(self) -> tuple[str, ...]:
        return self.columns.names

    @property
    def last(self) -> int:
        return self.first + self.fitted.size - 1


def fit(series: Series, terms: Terms | None = None, typical: Typical | None = None, begin: Driver | None = None) -> Driver:
    """Fit a driver to a series. ``begin`` is a driver of nearly the same series, to start from.

    Raises BadInput as :func:`simcare.demand.terms.columns`.
    """
    terms = terms if terms is not None else Terms(covariates=dict.fromkeys(series.covariates, 0))
    typical = typical or Typical()
    built = columns(series, terms)
    x = built.at(series.months)
    log_exposure = np.log(series.exposures(series.first, len(series)))
    mean, sd = typical.of(built.names)
    beta = mean
    start = None if begin is None else levels.parameters(begin.level)
    for _ in range(ROUNDS if x.shape[1] else 1):
        level = levels.fit(series.counts, log_exposure + x @ beta, typical.level, start)
        start = levels.parameters(level)
        alone, cov = _regression(series, x, log_exposure + level.path, level.dispersion)
        beta, pooled = _pooled(alone, cov, mean, sd)
    return Driver(
        columns=built,
        first=series.first,
        beta=beta,
        cov=pooled,
        alone=alone,
        alone_sd=np.sqrt(np.diagonal(cov)),
        level=level,
        fitted=x @ beta + level.path,
    )


def _regression(series: Series, x: Values, offset: Values, dispersion: float) -> tuple[Values, Values]:
    """Coefficients and their covariance, the constant left out, of a negative-binomial regression with known dispersion."""
    if not x.shape[1]:
        return np.empty(0), np.empty((0, 0))
    import statsmodels.api as sm

    seen = series.seen
    design = np.column_stack([np.ones(int(seen.sum())), x[seen]])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a flat direction is held by the pooling, and a huge standard error says so
        family = sm.families.NegativeBinomial(alpha=dispersion)
        found = sm.GLM(series.counts[seen], design, family=family, offset=offset[seen]).fit()
    return np.asarray(found.params)[1:], np.asarray(found.cov_params())[1:, 1:]


def _pooled(alone: Values, cov: Values, mean: Values, sd: Values) -> tuple[Values, Values]:
    """Normal estimates and a normal prior, each weighed by what it knows."""
    if not alone.size:
        return alone, cov
    precision = np.linalg.pinv(cov, hermitian=True)
    pooled = np.linalg.inv(precision + np.diag(sd**-2.0))
    return pooled @ (precision @ alone + mean / sd**2), pooled


def rates(driver: Driver, horizon: int, normals: Values) -> Values:
    """Log rates per exposure of the ``horizon`` months after the last count, one path for each row of standard ``normals``.

    ``normals`` has shape (paths, coefficients + 2 + horizon): for the coefficients, for the state of the level, and for its drift
    month by month, so that a longer horizon leaves the earlier months as they were.
    """
    k = driver.beta.size
    beta = driver.beta + normals[:, :k] @ _root(driver.cov).T
    state = driver.level.state + driver.widen * normals[:, k : k + 2] @ _root(driver.level.state_cov).T
    deviation, path = state[:, 1], np.empty((normals.shape[0], horizon))
    for h in range(horizon):
        deviation = driver.level.rho * deviation + driver.widen * driver.level.drift * normals[:, k + 2 + h]
        path[:, h] = state[:, 0] + deviation
    return np.asarray(path + beta @ driver.columns.at(ahead(driver, horizon)).T)


def _root(cov: Values) -> Values:
    """A matrix whose square is ``cov``, which may be singular."""
    values, vectors = np.linalg.eigh(cov)
    return np.asarray(vectors * np.sqrt(np.maximum(values, 0.0)))


def ahead(driver: Driver, horizon: int) -> Months:
    """The months after the last count."""
    return np.arange(driver.last + 1, driver.last + 1 + horizon)


def simulate(driver: Driver, series: Series, horizon: int, draws: int, rng: np.random.Generator) -> Values:
    """Draws of future counts, shape (draws, horizon): parameters, drift, dispersion and chance all at once."""
    normals = rng.standard_normal((draws, driver.beta.size + 2 + horizon))
    mean = np.exp(rates(driver, horizon, normals)) * series.exposures(driver.last + 1, horizon)
    shape = 1.0 / driver.level.dispersion
    return rng.poisson(np.minimum(mean * rng.gamma(shape, 1.0 / shape, mean.shape), 1e9)).astype(float)


def widened(driver: Driver, by: float) -> Driver:
    """The driver with its drift times ``by``."""
    return replace(driver, widen=driver.widen * by)


__all__ = ["Driver", "Typical", "ahead", "fit", "rates", "simulate", "widened"]
