"""Bunching at a threshold: the fit against an optimiser, and the people who moved counted twice."""

from __future__ import annotations

import math

import numpy as np
import polars as pl
import pytest
from scipy.optimize import minimize

from simcare.induced import simulate_scores, threshold_bunching
from simcare.money.gaming import poisson_fit


def test_the_pooled_fit_is_the_likeliest() -> None:
    """Against a general optimiser of the likelihood, written out."""
    rng = np.random.default_rng(2)
    x = np.linspace(-1, 1, 20)[:, None] ** np.arange(3)
    counts = rng.poisson(np.exp(x @ [4.0, 0.5, -0.8])).astype(float)
    inside = np.arange(20) // 4 == 2
    pool = np.vstack([np.eye(20)[~inside], inside.astype(float)])

    def loss(beta: np.ndarray) -> float:
        mean = np.exp(x @ beta)
        total = mean[inside].sum()
        return float((mean - counts * np.log(mean))[~inside].sum() + total - counts[inside].sum() * math.log(total))

    best = minimize(loss, [4.0, 0.0, 0.0], method="BFGS", options={"gtol": 1e-8, "xrtol": 1e-12})
    fit = poisson_fit(x, pool @ counts, pool)
    assert fit.beta == pytest.approx(best.x, abs=1e-5)
    assert loss(fit.beta) <= loss(best.x) + 1e-9


def test_many_fits_at_once_are_those_one_by_one() -> None:
    rng = np.random.default_rng(3)
    x = np.linspace(-1, 1, 12)[:, None] ** np.arange(3)
    pool = np.vstack([np.eye(12)[:9], np.arange(12) >= 9])
    counts = rng.poisson(30.0, (7, 10)).astype(float)
    many = poisson_fit(x, counts, pool)
    for row, beta, covariance in zip(counts, many.beta, many.covariance, strict=True):
        alone = poisson_fit(x, row, pool)
        assert beta == pytest.approx(alone.beta, abs=1e-9)
        assert covariance == pytest.approx(alone.covariance, rel=1e-9)


def test_who_is_in_excess_above_is_missing_below() -> None:
    found = threshold_bunching(simulate_scores(0.3, 8000, np.random.default_rng(4)), 60, window=6)
    inside = found.course.filter("inside")
    above, below = (inside.filter(pl.col("from_score") >= 60), inside.filter(pl.col("from_score") < 60))
    scale = inside["observed"].sum() / inside["expected"].sum()
    assert scale == pytest.approx(1.0, abs=0.05)
    missing = below["expected"].sum() - below["observed"].sum() / scale
    assert (
        found.excess.value
        == pytest.approx(above["observed"].sum() / scale - above["expected"].sum())
        == pytest.approx(missing)
    )
    assert found.share.value == pytest.approx(found.excess.value / found.above)


def test_a_histogram_says_what_its_scores_say() -> None:
    scores = simulate_scores(0.2, 4000, np.random.default_rng(5))
    values, counts = np.unique(scores, return_counts=True)
    frame = pl.DataFrame({"from_score": values, "count": counts}).sample(fraction=1.0, shuffle=True, seed=1)
    one, other = threshold_bunching(scores, 60, window=6), threshold_bunching(frame, 60, window=6)
    assert one.share == other.share and one.course.equals(other.course)
    assert threshold_bunching(scores / 10, 6.0, window=0.6, bin_width=0.1).share.value == pytest.approx(one.share.value)


def test_people_who_came_from_farther_away_unbalance_the_window() -> None:
    rng = np.random.default_rng(6)
    scores = np.concatenate([simulate_scores(0.0, 8000, rng), rng.integers(60, 63, 300)])  # newcomers whom nobody moved
    found = threshold_bunching(scores, 60, window=6)
    assert found.balance > 0.1
    assert found.balance_p < 1e-4
    assert any("not just moved" in text for text in found.warnings) and "warning" in repr(found)


def test_heaps_on_round_scores_are_told() -> None:
    found = threshold_bunching(simulate_scores(0.0, 6000, np.random.default_rng(7), smooth=False), 60, window=6)
    assert found.share.value > 0.02
    assert any("heaping" in text for text in found.warnings)


def test_with_few_people_an_interval_is_still_given() -> None:
    found = threshold_bunching(simulate_scores(0.2, 1000, np.random.default_rng(8))[:300], 60, window=6)
    assert found.share.low < found.share.value < found.share.high
    assert found.share.high - found.share.low > 0.1
