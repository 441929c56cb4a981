"""Emulators: what the model would say at points where it was not run, and how sure that is.

For each output a Gaussian process on the residual of a linear regression, with a Matern kernel of its own length in
each parameter (scikit-learn); the noise of chance is known from the replications. Rasmussen and Williams (2006),
Gaussian Processes for Machine Learning, 2.2 and 5.4.2.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from scipy.linalg import cho_solve, solve_triangular
from scipy.spatial.distance import cdist
from threadpoolctl import threadpool_limits

from simcare.calibrate.observe import Values
from simcare.calibrate.simulating import Ensemble
from simcare.runs.workers import Progress, carry_out

# Lengths of the kernel, in steps: shorter would follow noise; longer is a straight line, which the regression has.
LENGTHS = (0.3, 30.0)
HAIR = 1e-10  # the least variance, where rounding would give one below zero


@dataclass(frozen=True)
class Emulator:
    """An emulator of one output, on its own scale: mean plus scale times a regression and a process.

    ``x`` (points, parameters) and ``weights`` (points) are what the prediction is made of, ``lower`` the Cholesky
    factor of the points' covariance.
    """

    centre: float
    scale: float
    beta: Values
    x: Values
    lengths: Values
    variance: float
    weights: Values
    lower: Values
    errors: Values  # leave-one-out: prediction less run, in standard deviations of that prediction
    explained: float  # share of the variance between points that leave-one-out predictions explain, 1 for all

    def predict(self, steps: Values) -> tuple[Values, Values]:
        """Mean and variance of the output's expectation at points (points, parameters): chance itself is not in it."""
        across = _matern(steps / self.lengths, self.x / self.lengths) * self.variance
        mean = _design(steps) @ self.beta + across @ self.weights
        reach = solve_triangular(self.lower, across.T, lower=True, check_finite=False)
        variance = np.maximum(self.variance - (reach**2).sum(axis=0), HAIR)
        return self.centre + self.scale * mean, self.scale**2 * variance


def _design(steps: Values) -> Values:
    return np.column_stack([np.ones(len(steps)), steps])


def _matern(a: Values, b: Values) -> Values:
    """The Matern 5/2 correlation of points scaled by their lengths."""
    r = np.sqrt(5.0) * cdist(a, b)
    return np.asarray((1.0 + r + r**2 / 3.0) * np.exp(-r))


def fit_one(steps: Values, values: Values, noise: float) -> Emulator:
    """An emulator of one output from runs at points; ``noise`` is the variance of a run's mean by chance."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.gaussian_process import GaussianProcessRegressor
    from sklearn.gaussian_process.kernels import ConstantKernel, Matern

    centre, scale = float(values.mean()), float(values.std()) or 1.0
    y = (values - centre) / scale
    nugget = max(noise / scale**2, 1e-8)
    beta = np.linalg.lstsq(_design(steps), y, rcond=None)[0]
    rest = y - _design(steps) @ beta
    kernel = ConstantKernel(max(float(rest.var()), 1e-3), (1e-5, 1e2)) * Matern(
        np.full(steps.shape[1], 3.0), LENGTHS, nu=2.5
    )
    process = GaussianProcessRegressor(kernel, alpha=nugget, random_state=0)
    with warnings.catch_warnings():
        # A length at its bound is a straight line or no effect, not a failure.
        warnings.simplefilter("ignore", ConvergenceWarning)
        process.fit(steps, rest)
    found = process.kernel_
    variance, lengths = float(found.k1.constant_value), np.broadcast_to(found.k2.length_scale, steps.shape[1]).copy()
    lower = np.linalg.cholesky(_matern(steps / lengths, steps / lengths) * variance + nugget * np.eye(len(steps)))
    # Regression and process together: generalised least squares under the process's covariance.
    inverse = cho_solve((lower, True), np.eye(len(steps)))
    design = _design(steps)
    beta = np.linalg.solve(design.T @ inverse @ design, design.T @ inverse @ y)
    rest = y - design @ beta
    weights = inverse @ rest
    left_out, spread = weights / np.diag(inverse), 1.0 / np.sqrt(np.diag(inverse))
    explained = 1.0 - float((left_out**2).sum() / (y**2).sum()) if np.any(y) else 0.0
    arrays = (np.asarray(beta, float), steps, lengths, variance, weights, np.asarray(lower, float), left_out / spread)
    return Emulator(centre, scale, *arrays, explained)


@dataclass(frozen=True)
class Emulators:
    """An emulator for every output of an ensemble, and what chance does to one replication (outputs, outputs)."""

    each: tuple[Emulator, ...]
    noise: Values

    def predict(self, steps: Values) -> tuple[Values, Values]:
        """Mean and variance of every output (points, outputs)."""
        found = [emulator.predict(steps) for emulator in self.each]
        return np.column_stack([mean for mean, _ in found]), np.column_stack([variance for _, variance in found])


def emulate(found: Ensemble, workers: int | None = None, progress: Progress | None = None) -> Emulators:
    """Emulators of every output of an ensemble, fitted in parallel."""
    count = found.mean.shape[1]
    noise = np.diag(found.noise) / found.replications
    each = carry_out(partial(_emulator_of, found, noise), range(count), workers, progress, called=_output_name)
    return Emulators(tuple(each), found.noise)


def _emulator_of(found: Ensemble, noise: Values, k: int) -> Emulator:
    with threadpool_limits(1):
        return fit_one(found.steps, found.mean[:, k], float(noise[k]))


def _output_name(k: int) -> str:
    return f"the emulator of output {k}"


def doubtful(names: Sequence[str], found: Emulators, beyond: float = 2.0, share: float = 0.15) -> list[str]:
    """The outputs whose emulator is surer than it may be: more than ``share`` of the left-out runs lie ``beyond``
    standard deviations off."""
    return [
        name
        for name, emulator in zip(names, found.each, strict=True)
        if float((np.abs(emulator.errors) > beyond).mean()) > share
    ]


__all__ = ["Emulator", "Emulators", "doubtful", "emulate", "fit_one"]
