"""Emulators: what was not run is predicted, with the doubt that there is; scikit-learn says the same."""

from __future__ import annotations

import math

import numpy as np
import pytest
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import ConstantKernel, Matern

from simcare.calibrate.emulator import Emulators, doubtful, fit_one


def bent(x: np.ndarray) -> np.ndarray:
    return np.asarray(2.0 + x[:, 0] - 0.5 * x[:, 1] + 0.4 * np.sin(2 * x[:, 0]) * x[:, 1])


def test_an_emulator_predicts_what_was_not_run_and_knows_how_well() -> None:
    rng = np.random.default_rng(1)
    x, new = rng.uniform(-2, 2, (90, 3)), rng.uniform(-2, 2, (400, 3))
    noise = 0.01
    found = fit_one(x, bent(x) + math.sqrt(noise) * rng.standard_normal(90), noise)
    mean, variance = found.predict(new)
    errors = (mean - bent(new)) / np.sqrt(variance)
    assert np.sqrt(((mean - bent(new)) ** 2).mean()) < 0.25 * bent(new).std()
    assert 0.85 < (np.abs(errors) < 2).mean() <= 1.0
    assert found.explained > 0.9
    assert not doubtful(["one"], Emulators((found,), np.eye(1)))


def test_prediction_and_leaving_out_are_those_of_the_library() -> None:
    """The process's part against scikit-learn's own, and one left-out error by fitting without that point."""
    rng = np.random.default_rng(2)
    x = rng.uniform(-2, 2, (30, 2))
    y = bent(x)
    found = fit_one(x, y, 0.02)
    nugget = 0.02 / found.scale**2
    kernel = ConstantKernel(found.variance, "fixed") * Matern(found.lengths, "fixed", nu=2.5)
    rest = (y - found.centre) / found.scale - np.column_stack([np.ones(30), x]) @ found.beta
    theirs = GaussianProcessRegressor(kernel, alpha=nugget, optimizer=None).fit(x, rest)
    new = rng.uniform(-2, 2, (7, 2))
    mean, sd = theirs.predict(new, return_std=True)
    ours = found.predict(new)
    assert ours[0] == pytest.approx(
        found.centre + found.scale * (np.column_stack([np.ones(7), new]) @ found.beta + mean)
    )
    assert np.sqrt(ours[1]) == pytest.approx(found.scale * sd, rel=1e-4)
    without = GaussianProcessRegressor(kernel, alpha=nugget, optimizer=None).fit(x[1:], rest[1:])
    left, left_sd = without.predict(x[:1], return_std=True)
    assert found.errors[0] == pytest.approx((rest[0] - left[0]) / math.sqrt(left_sd[0] ** 2 + nugget), rel=1e-3)
