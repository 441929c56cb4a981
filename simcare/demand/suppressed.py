"""Counts that are published as a symbol because they are small: what is known of them, and what they say of the mean.

A suppressed count is not a missing one. It is known to lie between two bounds (1 and 5, as the department's tables have
it), so the months in which it stands were quiet ones: leave them out, and what is left is too high. Here they are
interval-censored: month t contributes the probability that a negative-binomial count lies within its bounds,
``log sum_{y=low..high} p(y; mu_t, dispersion)``. With ``s(y) = (y - mu) / (1 + dispersion mu)``, the slope of one
count's log probability in log mu, and moments within the bounds (Louis 1982),

    slope  = s(E[y | bounds])
    weight = (mu (1 + dispersion E[y | bounds]) - Var[y | bounds]) / (1 + dispersion mu)^2,

which are what Newton's method asks for (:mod:`simcare.demand.level`).
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln

from simcare.demand.series import MonthlyCounts, Values

NEARLY_POISSON = 1e-6  # a dispersion that is as good as none
LEAST_WEIGHT = 1e-9  # bounds that hold nearly everything say next to nothing, and never less


class BoundedCounts(NamedTuple):
    """Counts, each known exactly (``low`` and ``high`` are then not a number) or within bounds; shape (months,).

    ``counts`` of the second kind are not looked at.
    """

    counts: Values
    low: Values
    high: Values

    @property
    def hidden(self) -> NDArray[np.bool_]:
        """Which are known within bounds only."""
        return ~np.isnan(self.low)

    @property
    def told(self) -> NDArray[np.bool_]:
        """Which are known at all."""
        return ~np.isnan(self.counts) | self.hidden

    def at(self, when: NDArray[np.bool_]) -> BoundedCounts:
        """Those of some months."""
        return BoundedCounts(self.counts[when], self.low[when], self.high[when])


def exactly(counts: Values) -> BoundedCounts:
    """Counts of which each is known, or missing."""
    none = np.full(counts.shape, np.nan)
    return BoundedCounts(counts, none, none)


def observed_of(series: MonthlyCounts) -> BoundedCounts:
    """The counts of a series, suppressed ones as bounds."""
    if series.low is None or series.high is None:
        return exactly(series.counts)
    return BoundedCounts(series.counts, series.low, series.high)


def log_probabilities(counts: Values, mu: Values, dispersion: float) -> Values:
    """Of counts that are negative binomial with mean ``mu`` and variance ``mu + dispersion mu²``.

    >>> log_probabilities(np.array([0.0]), np.array([2.0]), 1e-9).round(6)
    array([-2.])
    """
    size = 1.0 / dispersion
    share = dispersion * mu / (1.0 + dispersion * mu)
    return np.asarray(
        gammaln(counts + size)
        - gammaln(size)
        - gammaln(counts + 1.0)
        + size * np.log1p(-share)
        + counts * np.log(share)
    )


def log_probability(observed: BoundedCounts, mu: Values, dispersion: float) -> float:
    """Of all counts together, those within bounds included."""
    hidden = observed.hidden
    found = log_probabilities(observed.counts[~hidden], mu[~hidden], dispersion).sum()
    if hidden.any():
        _, logs = _within(observed, mu, dispersion)
        most = logs.max(axis=1)
        found = found + (most + np.log(np.exp(logs - most[:, None]).sum(axis=1))).sum()
    return float(found)


def weigh(observed: BoundedCounts, mu: Values, dispersion: float) -> tuple[Values, Values]:
    """Newton's weight of each count, and its slope over that weight, in log mu (of known counts Fisher's weight)."""
    weights = mu / (1.0 + dispersion * mu)
    step = (observed.counts - mu) / mu
    hidden = observed.hidden
    if hidden.any():
        mean, variance = moments_within(observed, mu, dispersion)
        here, size = mu[hidden], 1.0 + dispersion * mu[hidden]
        weight = np.maximum((here * (1.0 + dispersion * mean) - variance) / size**2, LEAST_WEIGHT)
        weights[hidden], step[hidden] = weight, (mean - here) / size / weight
    return weights, step


def moments_within(observed: BoundedCounts, mu: Values, dispersion: float) -> tuple[Values, Values]:
    """Mean and variance of the hidden counts, given their bounds."""
    values, logs = _within(observed, mu, dispersion)
    chances = np.exp(logs - logs.max(axis=1)[:, None])
    chances /= chances.sum(axis=1)[:, None]
    mean = (chances * values).sum(axis=1)
    return mean, (chances * (values - mean[:, None]) ** 2).sum(axis=1)


def expected_counts(observed: BoundedCounts, mu: Values, dispersion: float) -> Values:
    """The counts, hidden ones at their mean given their bounds and ``mu``.

    >>> one = BoundedCounts(np.array([np.nan]), np.array([1.0]), np.array([5.0]))
    >>> expected_counts(one, np.array([5.0]), 1e-6).round(2), expected_counts(one, np.array([0.01]), 1e-6).round(2)
    (array([3.62]), array([1.01]))
    """
    counts = observed.counts.copy()
    if observed.hidden.any():
        counts[observed.hidden] = moments_within(observed, mu, dispersion)[0]
    return counts


def drawn_counts(observed: BoundedCounts, mu: Values, dispersion: float, rng: np.random.Generator) -> Values:
    """The counts, hidden ones drawn from within their bounds: for what needs a count and its chance every month."""
    counts = observed.counts.copy()
    if observed.hidden.any():
        values, logs = _within(observed, mu, dispersion)
        chances = np.exp(logs - logs.max(axis=1)[:, None])
        below = np.cumsum(chances, axis=1) / chances.sum(axis=1)[:, None]
        at = (rng.random(below.shape[0])[:, None] > below).sum(axis=1)
        counts[observed.hidden] = values[np.arange(at.size), at]
    return counts


def stood_in(series: MonthlyCounts) -> MonthlyCounts:
    """The series with each suppressed count at its mean given its bounds, for models that take known counts only."""
    observed, exposure = observed_of(series), series.exposures(series.first, len(series))
    told = observed.told
    counts = series.counts.copy()
    counts[told] = expected_counts(
        observed.at(told), mean_rate(observed.at(told), exposure[told]) * exposure[told], NEARLY_POISSON
    )
    return replace(series, counts=counts, low=None, high=None)


def mean_rate(observed: BoundedCounts, exposure: Values) -> float:
    """The rate per exposure that makes counts of one Poisson mean likeliest, hidden ones included (by EM)."""
    rate = max(float(expected_counts(observed, exposure, NEARLY_POISSON).sum()), 0.5) / float(exposure.sum())
    if not observed.hidden.any():
        return rate
    for _ in range(200):
        before = rate
        rate = max(float(expected_counts(observed, rate * exposure, NEARLY_POISSON).sum()), 0.5) / float(exposure.sum())
        if abs(rate - before) <= 1e-9 * before:
            break
    return rate


def _within(observed: BoundedCounts, mu: Values, dispersion: float) -> tuple[Values, Values]:
    """The values that each hidden count may have, and their log probabilities; shape (hidden, widest bounds)."""
    hidden = observed.hidden
    low, high = observed.low[hidden][:, None], observed.high[hidden][:, None]
    values = low + np.arange(int((high - low).max()) + 1.0)
    logs = log_probabilities(values, mu[hidden][:, None], dispersion)
    return values, np.where(values <= high, logs, -np.inf)


__all__ = [
    "BoundedCounts",
    "drawn_counts",
    "exactly",
    "expected_counts",
    "log_probabilities",
    "log_probability",
    "mean_rate",
    "moments_within",
    "observed_of",
    "stood_in",
    "weigh",
]
