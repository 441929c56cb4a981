"""Partial pooling across areas: what a coefficient typically is, and how far areas differ, learnt from their own
regressions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from threadpoolctl import threadpool_limits

from simcare.demand.driver import FittedDriver, Typical, fit_driver
from simcare.demand.level import LevelPrior, parameters
from simcare.demand.regressors import Terms
from simcare.demand.series import MonthlyCounts

LEAST = 3  # areas
PRIOR_AREAS = 4.0  # what is typical by default counts as so many areas


def pooled(fits: Sequence[FittedDriver], default: Typical | None = None) -> Typical:
    """What is typical of the areas whose drivers are given (fitted without each other), for use in fitting one more, or
    one of them again.

    For each coefficient a random-effects mean and the sd of areas about it (Paule and Mandel's estimator, statsmodels),
    its standard error included; for dispersion, drift and rho the mean of their logarithms, weighed with the default,
    and their sd. With fewer than three areas the default is returned.
    """
    default = default or Typical()
    if len(fits) < LEAST:
        return default
    from statsmodels.stats.meta_analysis import combine_effects

    found = dict(default.coefficients)
    shared = [name for name in fits[0].names if all(name in one.names for one in fits)]
    own = [one.alone() for one in fits]
    for name in shared:
        rows = [one.names.index(name) for one in fits]
        effect = np.array([beta[k] for (beta, _), k in zip(own, rows, strict=True)])
        variance = np.array([se[k] ** 2 for (_, se), k in zip(own, rows, strict=True)])
        usable = np.isfinite(variance) & (variance > 0.0) & (variance < 1.0)
        if usable.sum() >= LEAST:
            both = combine_effects(effect[usable], variance[usable], method_re="iterated")
            found[name] = (float(both.mean_effect_re), float(np.sqrt(both.tau2 + both.sd_eff_w_re**2 + 1e-6)))
    return Typical(found, _levels(fits, default.level))


def typical_of(every: Mapping[str, MonthlyCounts], terms: Terms | None = None) -> Typical:
    """What is typical of some areas: their drivers fitted one by one and pooled, without covariates and steps, which
    areas may not share."""
    shared = Terms() if terms is None else replace(terms, steps=(), pulses=(), covariates={})
    with threadpool_limits(1):
        return pooled([fit_driver(series, shared, plain=False) for series in every.values()])


def _levels(fits: Sequence[FittedDriver], default: LevelPrior) -> LevelPrior:
    logs = np.array([parameters(one.level) for one in fits])
    n = len(fits)
    centre = (PRIOR_AREAS * np.array(default.centre) + logs.sum(axis=0)) / (PRIOR_AREAS + n)
    # Short series show their own prior more than themselves, so they seem alike: the spread is never taken below the
    # default.
    sd = np.maximum(logs.std(axis=0, ddof=1), default.sd)
    return LevelPrior(
        (float(centre[0]), float(centre[1]), float(centre[2])), (float(sd[0]), float(sd[1]), float(sd[2]))
    )


__all__ = ["pooled", "typical_of"]
