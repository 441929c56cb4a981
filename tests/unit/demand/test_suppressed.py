"""Suppressed counts are known within bounds: their likelihood, slope and weight, and what the driver makes of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import nbinom

from simcare.demand.driver import fit_driver, known_counts, simulate_counts
from simcare.demand.level import fit_level
from simcare.demand.series import MonthlyCounts, Values
from simcare.demand.suppressed import (
    BoundedCounts,
    drawn_counts,
    exactly,
    log_probability,
    mean_rate,
    moments_within,
    stood_in,
    weigh,
)
from tests.support.standard_errors import holds, share_holds


def bounded(counts: Values, low: float = 1.0, high: float = 5.0) -> BoundedCounts:
    """The counts as they are published: those within the bounds are a symbol."""
    hidden = (counts >= low) & (counts <= high)
    return BoundedCounts(
        np.where(hidden, np.nan, counts), np.where(hidden, low, np.nan), np.where(hidden, high, np.nan)
    )


def published(counts: Values) -> MonthlyCounts:
    return MonthlyCounts("X", 24_000, *bounded(counts)[:1], low=bounded(counts).low, high=bounded(counts).high)


@pytest.mark.parametrize("mu", [0.01, 0.5, 3.0, 7.0, 30.0, 200.0])
@pytest.mark.parametrize("dispersion", [1e-4, 0.05, 1.0])
@pytest.mark.parametrize("bounds", [(1.0, 5.0), (0.0, 5.0), (1.0, 4.0), (2.0, 2.0)])
def test_probability_slope_and_weight_are_those_of_the_interval(
    mu: float, dispersion: float, bounds: tuple[float, float]
) -> None:
    """Against scipy's probabilities, and differences of them in the log mean."""
    one = BoundedCounts(np.array([np.nan]), *(np.array([bound]) for bound in bounds))

    def log_chance(log_mu: float) -> float:
        size = 1.0 / dispersion
        values = np.arange(bounds[0], bounds[1] + 1)
        return float(np.log(nbinom.pmf(values, size, 1.0 / (1.0 + dispersion * np.exp(log_mu))).sum()))

    at, step = np.log(mu), 1e-2
    slope = (log_chance(at + step) - log_chance(at - step)) / (2.0 * step)
    weight = -(log_chance(at + step) - 2.0 * log_chance(at) + log_chance(at - step)) / step**2
    weights, towards = weigh(one, np.array([mu]), dispersion)
    assert log_probability(one, np.array([mu]), dispersion) == pytest.approx(log_chance(at), rel=1e-6, abs=1e-9)
    assert float(weights[0] * towards[0]) == pytest.approx(slope, rel=1e-3, abs=1e-5)
    assert float(weights[0]) == pytest.approx(weight, rel=2e-3, abs=1e-4)


def test_known_counts_are_weighed_as_ever() -> None:
    counts, mu = np.array([3.0, 0.0, 40.0]), np.array([2.0, 5.0, 30.0])
    weights, towards = weigh(exactly(counts), mu, 0.1)
    assert weights.tolist() == (mu / (1.0 + 0.1 * mu)).tolist()
    assert towards.tolist() == ((counts - mu) / mu).tolist()


def test_a_mean_is_found_from_published_counts_alone() -> None:
    """Forty thousand counts of mean 5, the likeliest mean within 4 of its standard errors; of those shown it is 7."""
    counts = np.random.default_rng(2).poisson(5.0, 40_000).astype(float)
    found = mean_rate(bounded(counts), np.ones(counts.size))
    assert abs(found - 5.0) < 4.0 * 0.025
    assert counts[(counts == 0) | (counts > 5)].mean() > 6.5


@pytest.mark.slow
@pytest.mark.parametrize("mean", [3.0, 5.0])
def test_the_driver_finds_the_level_behind_suppressed_counts(mean: float) -> None:
    """Over thirty series of 60 months; its 80 % interval of the mean rate holds the truth as often as it says."""
    rng = np.random.default_rng(int(mean))
    levels, inside = [], 0
    for _ in range(30):
        found = fit_level(bounded(rng.poisson(mean, 60).astype(float)), np.zeros(60))
        levels.append(float(np.exp(found.path + found.path_sd**2 / 2.0).mean()))
        inside += bool(abs(found.path[30] - np.log(mean)) <= 1.2816 * found.path_sd[30])
    holds(f"mean of {mean:g} behind symbols", np.array(levels), mean)
    assert inside >= 18  # of 24 expected; the level is nearly flat, so the months' intervals are rather too wide
    print(inside)


def test_what_suppression_hides_costs_little_and_moves_nothing() -> None:
    """The same counts with and without symbols: forecasts that agree, and the one that knows less is no narrower."""
    counts = np.random.default_rng(7).poisson(5.0, 60).astype(float)
    whole, hidden = MonthlyCounts("X", 24_000, counts), published(counts)
    left_out = replace(hidden, low=None, high=None)
    totals = []
    for series in (whole, hidden, left_out):
        drawn = simulate_counts(fit_driver(series, plain=False), series, 12, 4000, np.random.default_rng(1))
        totals.append(drawn.sum(axis=1))
    means = [float(total.mean()) for total in totals]
    print(means, [float(total.std()) for total in totals])
    assert means[1] == pytest.approx(means[0], rel=0.1)
    assert means[2] > 1.25 * means[0]  # what was done before: the quiet months are forgotten
    assert totals[1].std() > 0.9 * totals[0].std()


def test_stand_ins_and_draws_stay_within_bounds() -> None:
    counts = np.random.default_rng(3).poisson(4.0, 48).astype(float)
    series = published(counts)
    filled = stood_in(series)
    assert not filled.suppressed.any()
    assert ((filled.counts >= 1.0) & (filled.counts <= 5.0))[series.suppressed].all()
    assert (filled.counts == counts)[~series.suppressed].all()
    drawn = known_counts(fit_driver(series, plain=False), series).counts
    assert set(drawn[series.suppressed]) <= {1.0, 2.0, 3.0, 4.0, 5.0}
    assert (drawn == known_counts(fit_driver(series, plain=False), series).counts).all()


def test_draws_follow_the_conditional_distribution() -> None:
    many = 20_000
    one = BoundedCounts(np.full(many, np.nan), np.full(many, 1.0), np.full(many, 5.0))
    drawn = drawn_counts(one, np.full(many, 4.0), 0.1, np.random.default_rng(5))
    chances = nbinom.pmf(np.arange(1, 6), 10.0, 1.0 / 1.4)
    for value, chance in zip(range(1, 6), chances / chances.sum(), strict=True):
        share_holds(f"drawn {value}", int((drawn == value).sum()), many, float(chance))
    mean, _ = moments_within(one, np.full(many, 4.0), 0.1)
    holds("mean within bounds", drawn, float(mean[0]))
