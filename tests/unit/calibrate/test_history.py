"""History matching: points that are not ruled out, and targets that cannot all be met."""

from __future__ import annotations

import numpy as np
import pytest

from simcare.calibrate.history import conflicts, implausibility, not_ruled_out, spread_out
from simcare.calibrate.priors import sample
from tests.support.linear_problem import TWO, linear, shown


def test_points_that_are_left_are_not_ruled_out_and_the_share_is_right() -> None:
    found, judged = linear(), shown((0.0, 0.0, 0.0), 0.2)
    points, wave = not_ruled_out(TWO, judged, found, 3.0, 30, 1)
    assert len(points) == 30
    assert (implausibility(judged, found, points) <= 3.0).all()
    many = sample(TWO, 50_000, 9)
    assert wave.left == pytest.approx(float((implausibility(judged, found, many) <= 3.0).mean()), abs=0.02)


def test_a_small_corner_of_the_prior_is_found() -> None:
    found, judged = linear(0.0001), shown((2.9, 5.7, 0.057), 0.01)
    points, wave = not_ruled_out(TWO, judged, found, 3.0, 20, 1)
    assert len(points) == 20 and (implausibility(judged, found, points) <= 3.0).all()
    assert np.abs(points - np.array([2.9, 2.8])).max() < 0.2
    assert wave.left is None or wave.left < 0.01


def test_targets_in_conflict_are_named_with_how_far_they_are_apart() -> None:
    """The first wants a = 2, the second a + b = 2, the third b = 30: they cannot all be met."""
    found, judged = linear(), shown((2.0, 2.0, 0.6), 0.05)
    points, wave = not_ruled_out(TWO, judged, found, 3.0, 20, 1)
    assert len(points) == 0 and wave.least > 3.0
    named = conflicts(TWO, judged, found, 3.0, 1)
    assert {one.name for one in named} >= {"t2"} or {one.name for one in named} >= {"t0", "t1"}
    assert max(abs(one.off) for one in named) >= wave.least - 0.5


def test_spread_out_points_are_the_corners() -> None:
    square = np.array([[0, 0], [0, 1], [1, 0], [1, 1], [0.5, 0.5], [0.5, 0.45]])
    chosen = spread_out(square, 5)
    assert {tuple(row) for row in chosen.tolist()} >= {(0.0, 0.0), (1.0, 1.0), (0.0, 1.0), (1.0, 0.0)}
