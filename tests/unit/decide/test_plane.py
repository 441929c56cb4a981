"""Acceptability, the efficient front, and the price of a dependency-day avoided."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from simcare.decide.plane import acceptability, efficient_front, price_of_a_day
from simcare.decide.prediction import prediction_interval
from simcare.rules.streams import stream


def test_the_chance_of_a_positive_net_benefit_is_that_of_theory() -> None:
    """INB ~ N(100, 250²): .65542."""
    n = 20_000
    days = stream(40).normal(10.0, 25.0, (n, 1))
    found = acceptability(["s"], np.zeros((n, 1)), days, [10.0])
    chance = dict(found.select("strategy", "chance_best").rows())
    assert abs(chance["s"] - 0.65542) < 4 * np.sqrt(0.65542 * 0.34458 / n)
    assert chance["baseline"] == pytest.approx(1 - chance["s"])
    assert found["error"].to_list() == pytest.approx([np.sqrt(0.65542 * 0.34458 / n)] * 2, rel=0.02)
    assert found["best_on_average"].to_list() == [False, True]


def test_the_best_on_average_need_not_be_the_most_probable() -> None:
    cost = np.array([[1.0]] * 6 + [[-10.0]] * 4)
    found = acceptability(["s"], cost, np.zeros((10, 1)), [0.0])
    assert found.select("strategy", "net_benefit", "chance_best", "best_on_average").rows() == [
        ("baseline", 0.0, 0.6, False),
        ("s", 3.4, 0.4, True),
    ]


def test_strategies_that_are_level_share_a_replication() -> None:
    found = acceptability(["s", "t"], [[0.0, 5.0]], [[0.0, 0.0]], [1.0, 2.0])
    assert found["chance_best"].to_list() == [0.5, 0.5, 0.0] * 2
    assert found["gbp_per_day"].to_list() == [1.0] * 3 + [2.0] * 3
    assert (found["error"] > 0).all()


def test_the_front_agrees_with_looking_at_every_price() -> None:
    rng = stream(41)
    cost, days = rng.normal(0, 1, (200, 4)), rng.normal(0, 1, (200, 4))
    found = efficient_front(list("abcd"), cost, days)
    costs, avoided = (np.column_stack([np.zeros(200), x]) for x in (cost, days))
    front, somewhere = np.zeros(5), np.zeros(5)
    prices = np.concatenate([[0.0], np.exp(np.linspace(-9, 9, 4001))])
    for c, e in zip(costs, avoided, strict=True):
        for k in range(5):
            front[k] += not any(c[j] <= c[k] and e[j] >= e[k] for j in range(5) if j != k)
        best = (prices[:, None] * e - c).argmax(axis=1)
        somewhere[np.unique(best)] += 1
    assert found["chance_on_front"].to_list() == pytest.approx(front / 200)
    assert found["chance_best_at_some_price"].to_list() == pytest.approx(somewhere / 200, abs=0.011)
    assert (found["chance_best_at_some_price"] <= found["chance_on_front"]).all()
    assert found["chance_on_front"].sum() > found["chance_best_at_some_price"].sum() > 1


def test_equal_points_are_both_on_the_front_and_the_more_expensive_is_not() -> None:
    found = efficient_front(["same", "more"], [[0.0, 1.0]], [[0.0, 0.0]])
    assert found["chance_on_front"].to_list() == [1.0, 1.0, 0.0]
    assert found["chance_best_at_some_price"].to_list() == [1.0, 1.0, 0.0]


def test_the_price_of_a_day_has_the_interval_of_the_ratio() -> None:
    """90 % of futures' ratios lie in the prediction interval; the ratio of means lies in the Monte Carlo interval."""
    rng = stream(42)
    held, held_mean = [], []
    for _ in range(400):
        e = rng.normal(50.0, 12.0, 61)
        c = 500.0 + 4.0 * (e - 50.0) + rng.normal(0, 60.0, 61)
        found = price_of_a_day(c[:60], e[:60])
        assert found.ratio is not None and found.low is not None and found.high is not None
        assert found.mean_low is not None and found.mean_high is not None
        held.append(found.low < c[60] / e[60] < found.high)
        held_mean.append(found.mean_low < 10.0 < found.mean_high)
        assert found.low < found.mean_low < found.ratio < found.mean_high < found.high
    for share in (np.mean(held), np.mean(held_mean)):
        assert abs(share - 0.9) < 4 * np.sqrt(0.09 / 400)


def test_the_ends_are_those_of_fieller() -> None:
    """At an end, C - R E is below zero with a probability of 5 % (or 95 %), where all is normal and n is large."""
    rng = stream(43)
    e = rng.normal(50.0, 10.0, 50_000)
    c = 2.0 * e + rng.normal(0.0, 20.0, 50_000)
    found = price_of_a_day(c, e)
    for end, p in ((found.low, 0.05), (found.high, 0.95)):
        assert end is not None
        assert norm.cdf((end - 2.0) * 50.0 / np.hypot((end - 2.0) * 10.0, 20.0)) == pytest.approx(p, abs=0.01)


@pytest.mark.parametrize(
    ("days", "says"),
    [
        ([-1.0, 3.0] * 10, "the 90 % prediction interval of the dependency-days avoided holds zero: -1 to 3"),
        ([-3.0, -3.1] * 10, "dependency-days rise, so there is none avoided to pay for"),
        ([0.0] * 20, "the 90 % prediction interval of the dependency-days avoided holds zero: 0 to 0"),
    ],
)
def test_a_price_of_nothing_is_refused(days: list[float], says: str) -> None:
    found = price_of_a_day([1.0, 2.0] * 10, days)
    assert found.refused == says
    assert {found.ratio, found.low, found.high, found.mean_low, found.mean_high} == {None}


def test_skewed_days_have_a_price_that_agrees_with_their_interval() -> None:
    """Days that are above zero in every future, but so skewed that a normal would have some below."""
    days = np.exp(stream(44).normal(0.0, 1.2, 60))
    assert days.mean() < 1.7 * days.std(ddof=1), "a normal interval holds zero"
    found = price_of_a_day(3.0 * days, days)
    assert found.refused is None
    assert (found.ratio, found.low, found.high) == pytest.approx((3.0, 3.0, 3.0))
    varied = price_of_a_day(np.linspace(1.0, 2.0, 60), days)
    assert (varied.low, varied.high) == prediction_interval(np.linspace(1.0, 2.0, 60) / days)


def test_a_saving_is_below_zero() -> None:
    found = price_of_a_day([-9.0, -11.0] * 10, [5.0, 5.5] * 10)
    assert found.refused is None and found.ratio == pytest.approx(-10 / 5.25)
    assert found.high is not None and found.high < 0


def test_shapes_that_do_not_fit_are_refused() -> None:
    for work in (
        lambda: acceptability(["a"], [1.0], [1.0], [1.0]),
        lambda: efficient_front(["a", "b"], [[1.0]], [[1.0]]),
    ):
        with pytest.raises(ValueError, match="need the shape"):
            work()
    with pytest.raises(ValueError, match="the same two replications or more"):
        price_of_a_day([1.0], [1.0])
    assert acceptability(["a"], [[1.0]], [[1.0]], []).columns[0] == "gbp_per_day"
