"""Priors: values and steps, what a cut prior is, a design that fills the space."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import norm

from simcare.calibrate.priors import design, from_cube, log_density, sample, to_steps, to_values
from tests.support.linear_problem import free
from tests.support.standard_errors import holds

UNIFORM = free("u", bounds=(2.0, 6.0), kind="uniform")


CUT = free("c", sd_log=1.0, bounds=(0.5, 3.0))


def test_values_and_steps_are_each_others_inverse() -> None:
    rows = (free(), UNIFORM, CUT)
    values = to_values(rows, sample(rows, 500, 1))
    assert np.allclose(to_values(rows, to_steps(rows, values)), values)
    assert values[:, 1].min() >= 2.0 and values[:, 1].max() <= 6.0
    assert values[:, 2].min() >= 0.5 and values[:, 2].max() <= 3.0


def test_a_cut_prior_is_spread_as_it_says() -> None:
    """The median of a lognormal cut at its bounds, by the normal distribution."""
    low, high = norm.cdf(math.log(0.5)), norm.cdf(math.log(3.0))
    middle = math.exp(norm.ppf((low + high) / 2))
    assert to_values([CUT], from_cube([CUT], np.array([[0.5]])))[0, 0] == pytest.approx(middle)
    values = np.log(to_values([CUT], sample([CUT], 40_000, 2))[:, 0])
    a, b = math.log(0.5), math.log(3.0)
    holds("mean of a cut normal", values, (norm.pdf(a) - norm.pdf(b)) / (norm.cdf(b) - norm.cdf(a)))


def test_a_design_has_one_point_in_every_slice_and_is_farther_apart_than_chance() -> None:
    rows = [free(str(k), kind="uniform", bounds=(0.0, 1.0)) for k in range(4)]
    points = to_values(rows, design(rows, 40, 1))
    for k in range(4):
        assert sorted(np.floor(points[:, k] * 40).astype(int).tolist()) == list(range(40))

    def nearest(some: np.ndarray) -> float:
        return float(min(np.linalg.norm(some[i] - some[j]) for i in range(len(some)) for j in range(i)))

    assert nearest(points) > max(nearest(to_values(rows, sample(rows, 40, k))) for k in range(20))


def test_density_is_the_priors_and_nothing_outside_the_bounds() -> None:
    steps = np.array([[0.0, 0.0], [1.0, 0.5], [0.0, 1.5], [9.0, 0.0]])
    found = log_density([CUT, UNIFORM], steps)
    assert found[:2].tolist() == [0.0, -0.5]
    assert np.isneginf(found[2:]).all()
