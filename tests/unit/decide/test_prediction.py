"""Prediction intervals hold what they say, and chances are those of theory."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.stats import lognorm, norm

from simcare.decide.prediction import Aim, chance, joint_chance, prediction, prediction_interval
from simcare.rules.streams import stream

SEEDS = 500


@pytest.mark.parametrize("n", [19, 60, 200])
@pytest.mark.parametrize("shape", [norm, lognorm(1.0)], ids=["normal", "lognormal"])
def test_the_interval_holds_the_next_draw_nine_times_in_ten(n: int, shape: Any) -> None:
    values = shape.ppf(stream(1, n).random((SEEDS, n)))
    ends = np.array([prediction_interval(row) for row in values])
    held = shape.cdf(ends[:, 1]) - shape.cdf(ends[:, 0])  # the chance of one more draw, given the others
    print(f"n = {n}: {held.mean():.4f} held")
    assert abs(held.mean() - 0.9) < 4 * held.std() / np.sqrt(SEEDS)


def test_200_made_up_truths_are_held_86_to_94_times_in_100() -> None:
    """A linear answer of five rows and chance, 60 replications; the truth is one more draw."""
    rng = stream(2)
    a = np.array([3.0, -2.0, 1.0, 0.5, 0.25])
    x, e = rng.normal(1.0, 2.0, (200, 61, 5)), rng.normal(0.0, 4.0, (200, 61))
    values = x @ a + e
    held = 0
    for row in values:
        low, high = prediction_interval(row[:-1])
        assert low is not None and high is not None
        held += low <= row[-1] <= high
    assert 0.86 <= held / 200 <= 0.94


def test_ends_mean_and_chance_are_those_of_the_linear_answer() -> None:
    """D = Σ aᵢ xᵢ + e is normal with mean Σ aᵢ mᵢ and variance Σ aᵢ² sᵢ² + σ²."""
    n = 20_000
    rng = stream(3)
    a, m, s, sigma = np.array([3.0, -2.0, 1.0]), np.array([1.0, 2.0, -0.5]), np.array([1.0, 0.5, 2.0]), 2.0
    values = rng.normal(m, s, (n, 3)) @ a + rng.normal(0.0, sigma, n)
    mean, sd = float(a @ m), float(np.sqrt(a**2 @ s**2 + sigma**2))
    found = prediction(values, better=-1).row(0, named=True)
    end_error = np.sqrt(0.05 * 0.95 / n) / norm.pdf(norm.ppf(0.05)) * sd
    assert abs(found["mean"] - mean) < 4 * sd / np.sqrt(n)
    assert found["monte_carlo_error"] == pytest.approx(sd / np.sqrt(n), rel=4 / np.sqrt(2 * n))
    assert abs(found["low"] - (mean + norm.ppf(0.05) * sd)) < 4 * end_error
    assert abs(found["high"] - (mean + norm.ppf(0.95) * sd)) < 4 * end_error
    p = norm.cdf(-mean / sd)
    assert abs(found["chance_better"] - p) < 4 * np.sqrt(p * (1 - p) / n)


def test_which_way_is_better_counts() -> None:
    values = [-1.0] * 30 + [0.0] * 10 + [2.0] * 10
    assert prediction(values, better=-1)["chance_better"].item() == 0.6
    assert prediction(values, better=1)["chance_better"].item() == 0.2
    nothing = prediction(values, better=0).row(0, named=True)
    assert nothing["chance_better"] is nothing["chance_better_low"] is nothing["chance_better_high"] is None


def test_few_replications_have_no_interval() -> None:
    found = prediction(range(18), better=1).row(0, named=True)
    assert found["low"] is None and found["high"] is None and found["mean"] == 8.5
    assert prediction([3.0], better=1)["monte_carlo_error"].item() is None


def test_the_interval_of_a_probability_holds_it() -> None:
    rng = stream(4)
    held = []
    for p in rng.uniform(0.05, 0.95, 1000):
        _, low, high = chance(rng.random(60) < p)
        held.append(low <= p <= high)
    assert abs(np.mean(held) - 0.9) < 4 * np.sqrt(0.09 / 1000)
    assert chance([False] * 60)[:2] == (0.0, 0.0) and chance([True] * 60)[2] == 1.0


def test_aims_are_met_together_or_not() -> None:
    n, rho = 20_000, 0.5
    rng = stream(5)
    cost = rng.standard_normal(n)
    days = rho * cost + np.sqrt(1 - rho**2) * rng.standard_normal(n)
    found, low, high = joint_chance({"cost": cost, "days": days}, [Aim("cost", "below"), Aim("days", "below")])
    exact = 0.25 + np.arcsin(rho) / (2 * np.pi)  # Sheppard 1899
    assert abs(found - exact) < 4 * np.sqrt(exact * (1 - exact) / n) and low < found < high


def test_sides_of_an_aim() -> None:
    values = np.array([-1.0, 0.0, 1.0])
    sides = {side: Aim("x", side).met(values).tolist() for side in ("below", "above", "at most", "at least")}
    assert sides == {
        "below": [True, False, False],
        "above": [False, False, True],
        "at most": [True, True, False],
        "at least": [False, True, True],
    }
