"""Priors of the free parameters: from the unit cube to values and back, and their density on the scale that the chain
walks on.

The chain and the emulators use a scale of their own for each parameter, *steps*: for a lognormal prior the log of the
value, in prior standard deviations from the median; for a uniform one the value, from -1 to 1 across the bounds. Priors
are cut at the bounds.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import pdist
from scipy.special import ndtr, ndtri
from scipy.stats import qmc

from simcare.model.calibration import Free
from simcare.rules.streams import stream

Values = NDArray[np.float64]
TRIES = 40  # Latin hypercubes of which the one with the farthest nearest pair is taken


def bounds_in_steps(free: Sequence[Free]) -> tuple[Values, Values]:
    """The bounds in steps."""
    low, high = (to_steps(free, np.array([[row.bounds[k] for row in free]]))[0] for k in (0, 1))
    return low, high


def to_values(free: Sequence[Free], steps: Values) -> Values:
    """From steps (points, parameters) to values."""
    out = np.empty_like(steps)
    for k, row in enumerate(free):
        prior = row.prior
        if prior.median is not None and prior.sd_log is not None:
            out[:, k] = prior.median * np.exp(prior.sd_log * steps[:, k])
        else:
            low, high = row.bounds
            out[:, k] = low + (high - low) * (steps[:, k] + 1.0) / 2.0
    return out


def to_steps(free: Sequence[Free], values: Values) -> Values:
    """From values (points, parameters) to steps, the inverse of :func:`to_values`."""
    out = np.empty_like(values)
    for k, row in enumerate(free):
        prior = row.prior
        if prior.median is not None and prior.sd_log is not None:
            out[:, k] = np.log(values[:, k] / prior.median) / prior.sd_log
        else:
            low, high = row.bounds
            out[:, k] = 2.0 * (values[:, k] - low) / (high - low) - 1.0
    return out


def from_cube(free: Sequence[Free], cube: Values) -> Values:
    """From points of the unit cube (points, parameters) to steps that are spread as the priors are.

    >>> one = Free.model_validate({"name": "a", "title": "A", "multiply": [{"on": "rise"}], "bounds": [0.1, 10],
    ...     "prior": {"median": 1, "sd_log": 1, "source": "assumption", "grade": "D"}})
    >>> abs(from_cube([one], np.array([[0.5]]))).round(6).tolist()
    [[0.0]]
    """
    low, high = bounds_in_steps(free)
    out = np.empty_like(cube)
    for k, row in enumerate(free):
        if row.prior.kind == "lognormal":
            below, above = ndtr(low[k]), ndtr(high[k])
            out[:, k] = ndtri(below + (above - below) * cube[:, k])
        else:
            out[:, k] = 2.0 * cube[:, k] - 1.0
    return np.clip(out, low, high)


def log_density(free: Sequence[Free], steps: Values) -> Values:
    """The log of the prior's density in steps (points, parameters), up to a constant; minus infinity outside the
    bounds."""
    low, high = bounds_in_steps(free)
    normal = np.array([row.prior.kind == "lognormal" for row in free])
    inside = ((steps >= low) & (steps <= high)).all(axis=1)
    return np.where(inside, -0.5 * (steps[:, normal] ** 2).sum(axis=1), -np.inf)


def design(free: Sequence[Free], points: int, seed: int) -> Values:
    """A maximin Latin hypercube over the priors, in steps (points, parameters): of some hypercubes the one whose
    nearest two points are farthest.

    Johnson, Moore and Ylvisaker (1990), Minimax and maximin distance designs; Morris and Mitchell (1995) for
    hypercubes.
    """
    best, farthest = np.empty((0, len(free))), -1.0
    for k in range(TRIES):
        cube = qmc.LatinHypercube(len(free), rng=stream(seed, k)).random(points)
        nearest = float(pdist(cube).min())
        if nearest > farthest:
            best, farthest = cube, nearest
    return from_cube(free, best)


def sample(free: Sequence[Free], points: int, seed: int) -> Values:
    """Independent points of the prior, in steps."""
    return from_cube(free, stream(seed).random((points, len(free))))


__all__ = ["bounds_in_steps", "design", "from_cube", "log_density", "sample", "to_steps", "to_values"]
