"""Cost against dependency: which strategy is best at which price, and what a dependency-day avoided costs.

Every replication is a point for each strategy: what it costs beyond the baseline, and the dependency-days that it
avoids; the baseline is the point at zero. At £λ for a dependency-day avoided the net benefit is λ days - cost. As the
points are replications, chance events are among what is uncertain.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import ArrayLike
from scipy.stats import t

from simcare.decide.prediction import prediction_interval
from simcare.decide.sample import Floats

ACCEPTABILITY_COLUMNS = {
    "gbp_per_day": pl.Float64(), "strategy": pl.String(), "net_benefit": pl.Float64(), "chance_best": pl.Float64(),
    "error": pl.Float64(), "best_on_average": pl.Boolean(),
}  # fmt: skip
FRONT_COLUMNS = {
    "strategy": pl.String(), "cost": pl.Float64(), "days_avoided": pl.Float64(), "chance_on_front": pl.Float64(),
    "error": pl.Float64(), "chance_best_at_some_price": pl.Float64(), "price_error": pl.Float64(),
}  # fmt: skip


def _with_baseline(names: Sequence[str], values: ArrayLike, baseline: str) -> tuple[list[str], Floats]:
    found = np.asarray(values, np.float64)
    if found.ndim != 2 or found.shape[1] != len(names):
        raise ValueError(f"{len(names)} strategies need the shape (replications, {len(names)}), got {found.shape}")
    return [baseline, *names], np.column_stack([np.zeros(len(found)), found])


def _chance_error(p: Floats, n: int) -> Floats:
    """The standard error of a probability; never zero, as n replications without it do not exclude it."""
    near = (p * n + 0.5) / (n + 1)
    return np.asarray(np.sqrt(near * (1 - near) / n))


def acceptability(
    names: Sequence[str], cost: ArrayLike, days_avoided: ArrayLike, prices: ArrayLike, baseline: str = "baseline"
) -> pl.DataFrame:
    """The probability that each strategy, baseline included, has the highest net benefit, at each price of a
    dependency-day avoided (acceptability curves; Fenwick, Claxton and Sculpher 2001, Health Economics 10).

    ``cost`` and ``days_avoided`` (replications, strategies) are differences from the baseline; ``prices`` in pounds.
    Strategies that are level share the replication. ``best_on_average`` marks the highest mean net benefit, which is
    the choice to make and need not be the most probable best. Rows: prices in their order, baseline first.

    Columns: gbp_per_day, strategy, net_benefit, chance_best, error, best_on_average.

    >>> found = acceptability(["a"], [[-1.0], [3.0]], [[0.0], [1.0]], [0.0, 5.0])
    >>> found.filter(pl.col("strategy") == "a").select("gbp_per_day", "net_benefit", "chance_best").rows()
    [(0.0, -1.0, 0.5), (5.0, 1.5, 1.0)]
    """
    every, costs = _with_baseline(names, cost, baseline)
    _, days = _with_baseline(names, days_avoided, baseline)
    parts = []
    for price in np.atleast_1d(np.asarray(prices, np.float64)):
        benefit = price * days - costs
        first = benefit == benefit.max(axis=1, keepdims=True)
        share = (first / first.sum(axis=1, keepdims=True)).mean(axis=0)
        means = benefit.mean(axis=0)
        columns = {
            "gbp_per_day": np.full(len(every), price), "strategy": every, "net_benefit": means, "chance_best": share,
            "error": _chance_error(share, len(costs)), "best_on_average": means == means.max(),
        }  # fmt: skip
        parts.append(pl.DataFrame(columns, ACCEPTABILITY_COLUMNS))
    return pl.concat(parts) if parts else pl.DataFrame(schema=ACCEPTABILITY_COLUMNS)


def efficient_front(
    names: Sequence[str], cost: ArrayLike, days_avoided: ArrayLike, baseline: str = "baseline"
) -> pl.DataFrame:
    """The probability that each strategy is on the efficient front: that no other costs less and avoids as many days,
    or avoids more and costs as little. ``chance_best_at_some_price`` asks more: that it has the highest net benefit at
    some price of a day avoided, so that no mixture of others is ahead either (extended dominance; Johannesson and
    Weinstein 1993, Journal of Health Economics 12). A row a strategy, baseline first, with the mean cost and days.

    Columns: strategy, cost, days_avoided, chance_on_front, error, chance_best_at_some_price, price_error.

    >>> found = efficient_front(["a", "b"], [[1.0, 2.0]], [[0.1, 5.0]])
    >>> found.select("strategy", "chance_on_front", "chance_best_at_some_price").rows()
    [('baseline', 1.0, 1.0), ('a', 1.0, 0.0), ('b', 1.0, 1.0)]
    """
    every, costs = _with_baseline(names, cost, baseline)
    _, days = _with_baseline(names, days_avoided, baseline)
    n = len(costs)
    less = costs[:, :, None] - costs[:, None, :]  # strategy's, less another's
    more = days[:, None, :] - days[:, :, None]  # another's, less the strategy's
    beaten = (less >= 0) & (more >= 0) & ((less > 0) | (more > 0))
    on_front = (~beaten.any(axis=2)).mean(axis=0)
    # Best at a price λ of zero or more: λ (other's days - mine) is at most other's cost - mine, for every other.
    ahead, spent = more, -less
    with np.errstate(divide="ignore", invalid="ignore"):
        bound = spent / ahead
    upper = np.where(ahead > 0, bound, np.inf).min(axis=2)
    lower = np.maximum(np.where(ahead < 0, bound, -np.inf).max(axis=2), 0.0)
    level = ((ahead == 0) & (spent < 0)).any(axis=2)
    somewhere = ((lower <= upper) & ~level).mean(axis=0)
    columns = {
        "strategy": every, "cost": costs.mean(axis=0), "days_avoided": days.mean(axis=0), "chance_on_front": on_front,
        "error": _chance_error(on_front, n), "chance_best_at_some_price": somewhere,
        "price_error": _chance_error(somewhere, n),
    }  # fmt: skip
    return pl.DataFrame(columns, FRONT_COLUMNS)


@dataclass(frozen=True, slots=True)
class DayPrice:
    """What a dependency-day avoided costs, in pounds; below zero it is a saving. ``low`` and ``high`` are the 90 %
    prediction interval, ``mean_low`` and ``mean_high`` the 90 % Monte Carlo interval of the ratio of means. All are
    None where there is no such price, and ``refused`` says why."""

    ratio: float | None = None
    low: float | None = None
    high: float | None = None
    mean_low: float | None = None
    mean_high: float | None = None
    refused: str | None = None


def price_of_a_day(cost: ArrayLike, days_avoided: ArrayLike) -> DayPrice:
    """The cost of a dependency-day avoided (replications,), with intervals by Fieller's theorem (Fieller 1954, Journal
    of the Royal Statistical Society B 16).

    For one future with cost C and days E above zero, C / E < R just where C - R E < 0; so the R at which C - R E is
    below zero with a probability of 5 % and 95 % are the ends of the prediction interval. Where days are so skewed that
    Fieller's normal has too many futures below zero, the ends are those of the ratios themselves, as
    :func:`simcare.decide.prediction.prediction_interval` has them. It is refused where the 90 % prediction interval of
    the days avoided holds zero: some futures then divide by nothing, and the sign of the ratio says nothing.

    >>> price_of_a_day([10.0, 20.0, 30.0] * 20, [1.0, 2.0, 3.0] * 20).ratio
    10.0
    >>> price_of_a_day([1.0, 2.0] * 20, [-1.0, 2.0] * 20).refused
    'the 90 % prediction interval of the dependency-days avoided holds zero: -1 to 2'
    """
    c, e = np.asarray(cost, np.float64), np.asarray(days_avoided, np.float64)
    n = c.size
    if n < 2 or e.size != n:
        raise ValueError(f"cost and days avoided need the same two replications or more, got {n} and {e.size}")
    quantile = float(t.ppf(0.95, n - 1))
    mean, half = float(e.mean()), quantile * float(e.std(ddof=1)) * float(np.sqrt(1 + 1 / n))
    low, high = prediction_interval(e)
    if low is None or high is None:
        low, high = mean - half, mean + half
    if low <= 0 <= high:
        said = f"{low:,.0f} to {high:,.0f}"
        return DayPrice(refused=f"the 90 % prediction interval of the dependency-days avoided holds zero: {said}")
    if high < 0:
        return DayPrice(refused="dependency-days rise, so there is none avoided to pay for")
    covariance = np.cov(c, e)
    of_means = _fieller(float(c.mean()), mean, covariance / n, quantile)
    if mean > half:
        future = _fieller(float(c.mean()), mean, covariance * (1 + 1 / n), quantile)
        return DayPrice(float(c.mean()) / mean, *future, *of_means)
    ends = prediction_interval(np.divide(c, e, out=np.full(n, np.inf), where=e > 0))
    return DayPrice(float(c.mean()) / mean, *ends, *of_means)


def _fieller(cost: float, days: float, covariance: Floats, quantile: float) -> tuple[float, float]:
    """The two R at which |cost - R days| is so many standard deviations of C - R E."""
    squares = quantile**2 * covariance
    a = days**2 - squares[1, 1]
    b = cost * days - squares[0, 1]
    root = float(np.sqrt(max(b**2 - a * (cost**2 - squares[0, 0]), 0.0)))
    return float((b - root) / a), float((b + root) / a)
