"""The level a series drifts about: a first-order autoregression around a mean, seen through negative-binomial counts.

The log rate of month t is ``offset_t + m + a_t`` with ``a_t = rho a_(t-1) + drift z_t``. Given dispersion, drift and rho the
posterior of the path is found by Newton's method and is normal in good approximation (Laplace; Rasmussen and Williams 2006,
algorithm 3.1); dispersion, drift and rho are where its marginal likelihood times their prior is largest. Months without a count
weigh nothing.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit, gammaln, logit

from simcare.demand.series import Values

MEAN_SD = 1.5  # of the mean log rate around that of the counts: so wide that it says next to nothing
NEWTON_STEPS, CLOSE = 30, 1e-8


class Prior(NamedTuple):
    """What is typical of a monthly series: centre and sd of log dispersion, log drift and logit rho.

    Measured on the monthly referrals of eight neighbouring authorities, 2012 to 2019 (scripts/demand_prior.py; see docs/demand.md).
    """

    centre: tuple[float, float, float] = (float(np.log(0.008)), float(np.log(0.065)), float(logit(0.95)))
    sd: tuple[float, float, float] = (0.8, 0.5, 0.8)


class Level(NamedTuple):
    """A fitted level. ``path`` is its posterior mean, mean level included, at the months of the counts; ``state`` and ``state_cov`` are the
    posterior of (mean level, deviation from it at the last month)."""

    dispersion: float
    drift: float
    rho: float
    path: Values
    path_sd: Values
    state: Values
    state_cov: Values
    loglike: float


def fit(counts: Values, offset: Values, prior: Prior | None = None, begin: Values | None = None) -> Level:
    """The level of counts (not a number where missing) with a log offset for each month, both of shape (months,).

    >>> rng = np.random.default_rng(1)
    >>> round(float(fit(rng.poisson(100.0, 48).astype(float), np.zeros(48)).path.mean()), 1)
    4.6
    """
    prior = prior or Prior()
    seen = ~np.isnan(counts)
    y, o = counts[seen], offset[seen]
    centre = float(np.log(y.sum() / np.exp(o).sum()))
    every = np.arange(counts.size, dtype=float)
    at = every[seen]

    def loss(theta: Values) -> float:
        pulls = (theta - np.array(prior.centre)) / np.array(prior.sd)
        return 0.5 * float(pulls @ pulls) - _mode(y, o + centre, _prior_cov(at, at, theta), float(np.exp(theta[0])))[2]

    start = np.array(prior.centre) if begin is None else begin
    theta = minimize(loss, start, method="Nelder-Mead", options={"maxiter": 150, "xatol": 0.02, "fatol": 0.01}).x
    dispersion, drift, rho = float(np.exp(theta[0])), float(np.exp(theta[1])), float(expit(theta[2]))
    among = _prior_cov(at, at, theta)
    weights, pseudo, loglike = _mode(y, o + centre, among, dispersion)
    root = np.sqrt(weights)
    inverse = root[:, None] * np.linalg.inv(np.eye(y.size) + root[:, None] * among * root) * root  # (K + 1/W)^-1
    cross = _prior_cov(every, at, theta)
    to_state = np.vstack([np.full(y.size, MEAN_SD**2), cross[-1] - MEAN_SD**2])  # the mean level; the deviation at the last month
    own = np.diag([MEAN_SD**2, drift**2 / (1.0 - rho**2)])
    path = cross @ (inverse @ pseudo)
    spread = np.diagonal(_prior_cov(every, every, theta)) - np.einsum("ij,jk,ik->i", cross, inverse, cross)
    return Level(
        dispersion=dispersion,
        drift=drift,
        rho=rho,
        path=centre + path,
        path_sd=np.sqrt(np.maximum(spread, 0.0)),
        state=to_state @ (inverse @ pseudo) + np.array([centre, 0.0]),
        state_cov=own - to_state @ inverse @ to_state.T,
        loglike=loglike,
    )


def _prior_cov(left: Values, right: Values, theta: Values) -> Values:
    drift, rho = float(np.exp(theta[1])), float(expit(theta[2]))
    return np.asarray(MEAN_SD**2 + drift**2 / (1.0 - rho**2) * rho ** np.abs(left[:, None] - right[None, :]))


def _mode(y: Values, offset: Values, cov: Values, dispersion: float) -> tuple[Values, Values, float]:
    """Newton's weights and pseudo-observations at the mode of the path, and the log marginal likelihood there (Laplace)."""
    f = np.zeros(y.size)
    for _ in range(NEWTON_STEPS):
        mu = np.exp(np.clip(f + offset, -30.0, 30.0))
        weights = mu / (1.0 + dispersion * mu)
        pseudo = f + (y - mu) / mu
        root = np.sqrt(weights)
        lower = np.linalg.cholesky(np.eye(y.size) + root[:, None] * cov * root)
        b = weights * pseudo
        a = b - root * np.linalg.solve(lower.T, np.linalg.solve(lower, root * (cov @ b)))
        step = cov @ a - f
        f = f + np.clip(step, -2.0, 2.0)
        if np.abs(step).max() < CLOSE:
            break
    loglike = _log_probability(y, np.exp(f + offset), dispersion) - 0.5 * float(a @ f) - float(np.log(np.diag(lower)).sum())
    return weights, pseudo, loglike


def _log_probability(y: Values, mu: Values, dispersion: float) -> float:
    """Of counts that are negative binomial with variance ``mu + dispersion mu²``."""
    size = 1.0 / dispersion
    share = dispersion * mu / (1.0 + dispersion * mu)
    return float((gammaln(y + size) - gammaln(size) - gammaln(y + 1.0) + size * np.log1p(-share) + y * np.log(share)).sum())


def parameters(level: Level) -> Values:
    """Log dispersion, log drift and logit rho of a level: where to begin with another of nearly the same series."""
    return np.array([np.log(level.dispersion), np.log(level.drift), logit(level.rho)])


__all__ = ["Level", "Prior", "fit", "parameters"]
