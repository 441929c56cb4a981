"""Counts about a level that drifts: a regression and a first-order autoregression, found together from
negative-binomial counts.

The log rate of month t is ``offset_t + x_t b + m + a_t`` with ``a_t = rho a_(t-1) + drift z_t`` and normal priors on
``b`` and ``m``. Given dispersion, drift and rho, the posterior of the whole path is found by Newton's method and is
normal in good approximation (Laplace; Rasmussen and Williams 2006, algorithm 3.1); dispersion, drift and rho are where
its marginal likelihood times their prior is largest. Without drift, and with a wide prior, ``b`` is what a
negative-binomial regression gives. Months without a count weigh nothing; a suppressed count, of which only bounds are
known, weighs what the bounds say (:mod:`simcare.demand.suppressed`).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.linalg import cho_solve
from scipy.optimize import minimize
from scipy.special import expit, logit

from simcare.demand.series import Values
from simcare.demand.suppressed import BoundedCounts, exactly, log_probability, mean_rate, weigh

MEAN_SD = 1.5  # of the mean log rate around that of the counts: so wide that it says next to nothing
SEARCH = {"maxiter": 150, "xatol": 0.02, "fatol": 0.01}  # for the mode of dispersion, drift and persistence
NEWTON_STEPS, CLOSE, ROUGHLY = 30, 1e-8, 1e-4  # how close to the mode: at last, and while searching


class LevelPrior(NamedTuple):
    """What is typical of a monthly series: centre and sd of log dispersion, log drift and logit rho.

    Measured on the monthly referrals of eight neighbouring authorities, 2012 to 2019 (scripts/demand_prior.py; see
    docs/demand.md).
    """

    centre: tuple[float, float, float] = (float(np.log(0.005)), float(np.log(0.07)), float(logit(0.95)))
    sd: tuple[float, float, float] = (0.8, 0.5, 0.8)


class Level(NamedTuple):
    """A fitted regression about a drifting level.

    ``joint`` is the posterior mean of (coefficients, mean level, deviation from it at the last month), ``joint_cov``
    its covariance; ``path`` and ``path_sd`` are those of the log rate less the offset at the months of the counts.
    ``surprises`` are the counts' one-step-ahead errors in standard deviations, for the months that have a count, known
    or suppressed: white noise if the fit is right.
    """

    dispersion: float
    drift: float
    rho: float
    joint: Values
    joint_cov: Values
    path: Values
    path_sd: Values
    surprises: Values
    loglike: float


def fit_level(
    counts: Values | BoundedCounts,
    offset: Values,
    x: Values | None = None,
    mean: Values | None = None,
    sd: Values | None = None,
    prior: LevelPrior | None = None,
) -> Level:
    """Fit to counts (not a number where missing, or known within bounds) with a log offset, both of shape (months,),
    and columns ``x`` (months, k).

    ``mean`` and ``sd`` (k,) are the prior of the coefficients.

    >>> rng = np.random.default_rng(1)
    >>> round(float(fit_level(rng.poisson(100.0, 48).astype(float), np.zeros(48)).path.mean()), 1)
    4.6
    """
    prior = prior or LevelPrior()
    observed = counts if isinstance(counts, BoundedCounts) else exactly(counts)
    seen = observed.told
    x = np.empty((seen.size, 0)) if x is None else x
    mean, sd = (np.zeros(x.shape[1]) if mean is None else mean), (np.ones(x.shape[1]) if sd is None else sd)
    every = np.arange(seen.size, dtype=float)
    y, at, columns = observed.at(seen), every[seen], x[seen]
    centre = float(np.log(mean_rate(y, np.exp(offset[seen] + columns @ mean))))
    base = offset[seen] + columns @ mean + centre
    by_terms = (columns * sd**2) @ columns.T

    def loss(theta: Values) -> float:
        pulls = (theta - np.array(prior.centre)) / np.array(prior.sd)
        among = _drifting(at, at, theta) + by_terms
        return 0.5 * float(pulls @ pulls) - _mode(y, base, among, float(np.exp(theta[0])), ROUGHLY)[2]

    theta = minimize(loss, np.array(prior.centre), method="Nelder-Mead", options=SEARCH).x
    dispersion, drift, rho = float(np.exp(theta[0])), float(np.exp(theta[1])), float(expit(theta[2]))
    among = _drifting(at, at, theta) + by_terms
    weights, pseudo, loglike = _mode(y, base, among, dispersion)
    inverse = np.linalg.inv(among + np.diag(1.0 / weights))
    cross = _drifting(every, at, theta) + (x * sd**2) @ columns.T
    of_mean = np.full(at.size, MEAN_SD**2)
    to_joint = np.vstack([(columns * sd**2).T, of_mean, _drifting(every[-1:], at, theta)[0] - of_mean])
    own = np.diag([*sd**2, MEAN_SD**2, drift**2 / (1.0 - rho**2)])
    prior_spread = np.diagonal(_drifting(every, every, theta)) + (x**2) @ sd**2
    spread = prior_spread - np.einsum("ij,jk,ik->i", cross, inverse, cross)
    return Level(
        dispersion=dispersion,
        drift=drift,
        rho=rho,
        joint=np.array([*mean, centre, 0.0]) + to_joint @ (inverse @ pseudo),
        joint_cov=own - to_joint @ inverse @ to_joint.T,
        path=x @ mean + centre + cross @ (inverse @ pseudo),
        path_sd=np.sqrt(np.maximum(spread, 0.0)),
        surprises=np.linalg.solve(np.linalg.cholesky(among + np.diag(1.0 / weights)), pseudo),
        loglike=loglike,
    )


def _drifting(left: Values, right: Values, theta: Values) -> Values:
    """Prior covariance of the level, its mean included, between months."""
    drift, rho = float(np.exp(theta[1])), float(expit(theta[2]))
    return np.asarray(MEAN_SD**2 + drift**2 / (1.0 - rho**2) * rho ** np.abs(left[:, None] - right[None, :]))


def _mode(
    y: BoundedCounts, offset: Values, cov: Values, dispersion: float, close: float = CLOSE
) -> tuple[Values, Values, float]:
    """Newton's weights and pseudo-observations at the mode of the path, and the log marginal likelihood there
    (Laplace)."""
    f = _nearby(y, offset)
    for _ in range(NEWTON_STEPS):
        mu = np.exp(np.clip(f + offset, -30.0, 30.0))
        weights, towards = weigh(y, mu, dispersion)
        pseudo = f + towards
        root = np.sqrt(weights)
        lower = np.linalg.cholesky(np.eye(f.size) + root[:, None] * cov * root)
        b = weights * pseudo
        a = b - root * cho_solve((lower, True), root * (cov @ b), check_finite=False)
        step = cov @ a - f
        f = f + np.clip(step, -2.0, 2.0)
        if np.abs(step).max() < close:
            break
    loglike = (
        log_probability(y, np.exp(f + offset), dispersion) - 0.5 * float(a @ f) - float(np.log(np.diag(lower)).sum())
    )
    return weights, pseudo, loglike


def _nearby(y: BoundedCounts, offset: Values) -> Values:
    """Where Newton's method begins: at the counts themselves, near the path; at no change for hidden counts."""
    return np.where(y.hidden, 0.0, np.log(np.maximum(np.where(y.hidden, 1.0, y.counts), 0.5)) - offset)


def parameters(level: Level) -> Values:
    """Log dispersion, log drift and logit rho of a level: what its prior is of."""
    return np.array([np.log(level.dispersion), np.log(level.drift), logit(level.rho)])


__all__ = ["Level", "LevelPrior", "fit_level", "parameters"]
