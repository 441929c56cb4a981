"""The difference as a sum of curves, one for each cause, where there may be more terms than replications.

A lasso (Tibshirani 1996; its path by least angle, Efron, Hastie, Johnstone and Tibshirani 2004, Annals of Statistics
32) finds what there is, and shrinks it. What it took away is given back from its residuals: with residuals r, d terms
in use and n replications, β + R⁻¹ Z'r / (n - d) is unbiased, and its covariance is v R⁻¹ with v = |r|² / (n - d)²
(Bellec and Zhang 2022, De-biasing the lasso with degrees-of-freedom adjustment, Bernoulli 28; Celentano, Montanari and
Wei 2023, Annals of Statistics 51). Of the path the point with the least v is taken: that is generalised
cross-validation. With all terms and no shrinkage it is least squares, with none it is the regression on each term
alone.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np

from simcare.decide.sample import Floats, Sample
from simcare.decide.terms import CauseTerms, terms_of

STEPS = 24  # of the path at first; as far as half the replications carry it where the least is not clearly before
ENOUGH = 0.6


@dataclass(frozen=True, eq=False)
class Curves:
    """``joint`` (columns,): the coefficient of each term, all others held; ``alone`` (columns,): its covariance with
    the difference, whatever goes with it. Without correlated causes they are the same. ``residuals`` (replications,)
    are scaled so that their products are the covariances of the coefficients of two differences."""

    mean: float
    variance: float
    joint: Floats = field(repr=False)
    alone: Floats = field(repr=False)
    residuals: Floats = field(repr=False)

    @property
    def noise(self) -> float:
        """The variance of a coefficient by what the terms do not explain."""
        return float(self.residuals @ self.residuals)


def fit_curves(terms: CauseTerms, differences: Floats) -> Curves:
    """The curves of a difference (replications,).

    >>> from simcare.decide.sample import Cause
    >>> from simcare.decide.terms import terms_of
    >>> x = np.linspace(-1.0, 1.0, 99)
    >>> found = fit_curves(terms_of((Cause("a", "A", "uncertain"),), x[:, None]), 5.0 + 0 * x)
    >>> found.mean, found.noise, found.alone.tolist()
    (5.0, 0.0, [0.0, 0.0])
    """
    n, columns = terms.matrix.shape
    mean = float(differences.mean())
    centred = differences - mean
    size = float(centred.std())
    if size <= 1e-12 * max(abs(mean), 1e-300) or columns == 0:
        left = centred if columns == 0 else np.zeros(n)
        return Curves(mean, float(left.var(ddof=1)), np.zeros(columns), np.zeros(columns), left / (n - 1))
    values = centred / size
    gram, steps = terms.matrix.T @ terms.matrix, STEPS
    while True:
        path = _path(terms.matrix, gram, values, steps)
        left = values[:, None] - terms.matrix @ path
        free = n - 1 - (path != 0).sum(axis=0)  # one for the mean
        squares = np.where(free > 1, (left**2).sum(axis=0) / np.maximum(free, 1) ** 2, np.inf)
        best = int(squares.argmin())
        if best < ENOUGH * steps or steps >= n // 2:
            break
        steps = min(2 * steps, n // 2)  # the least may be further on
    back = terms.matrix.T @ left[:, best] / free[best]
    # As least squares has it, where the coefficients' expected variance is |r|² / ((n - d)(n - d - 1)).
    residuals = left[:, best] / np.sqrt(free[best] * (free[best] - 1.0))
    alone = terms.correlation @ path[:, best] + back
    joint = path[:, best] + np.linalg.solve(terms.correlation, back)
    return Curves(mean, float(centred.var(ddof=1)), size * joint, size * alone, size * residuals)


def _path(matrix: Floats, gram: Floats, values: Floats, steps: int) -> Floats:
    """The coefficients (columns, points) along the lasso's path, so many steps of it."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import lars_path_gram

    with warnings.catch_warnings():
        # CauseTerms that are nearly the same end the path early: the points before that are good.
        warnings.simplefilter("ignore", ConvergenceWarning)
        _, _, found = lars_path_gram(matrix.T @ values, gram, n_samples=len(values), method="lasso", max_iter=steps)
    return np.asarray(found, np.float64)


@dataclass(frozen=True, eq=False)
class Fit:
    """A sample, its terms, and its curves."""

    sample: Sample
    terms: CauseTerms
    curves: Curves


def fitted_to(sample: Sample) -> Fit:
    """The curves of a sample."""
    return next(fitted_to_all([sample]))


def fitted_to_all(samples: Iterable[Sample]) -> Iterator[Fit]:
    """The curves of several samples; those of the same draws share their terms."""
    terms: CauseTerms | None = None
    for sample in samples:
        if terms is None or terms.draws is not sample.draws:
            terms = terms_of(sample.causes, sample.draws)
        yield Fit(sample, terms, fit_curves(terms, sample.differences))
