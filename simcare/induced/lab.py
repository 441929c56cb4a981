"""The identification lab: people, assessors and places whose induced share is known, to see which estimator finds it
and which warning speaks up.

Nothing here is data, and no size here is evidence on care. What is simulated knows nothing of how the estimators work.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.stats import gamma

from simcare.errors import BadInput
from simcare.induced.bunching import threshold_bunching
from simcare.induced.leniency import assessor_leniency
from simcare.induced.supply import supply_shock
from simcare.rules.streams import stream

Floats = NDArray[np.float64]

THRESHOLD, WINDOW = 60.0, 6.0  # score points
MOST_SHARE = 0.4  # a larger one would take more people over the threshold than are within the window below it
OFFICES, ASSESSORS, PERIODS = 8, 8, 8  # assessors of each office, who all work in every period
AREAS, CHANGED, MONTHS = 40, 24, 48
FEWEST_PEOPLE = 1000


def simulate_scores(true_share: float, people: int, rng: np.random.Generator, *, smooth: bool = True) -> Floats:
    """Scores as recorded (whole points): some who scored 54 to 59 were moved to 60 … 63, in expectation ``true_share``
    of all at 60 or above.

    True scores are Gamma with mean 45 and standard deviation 15. With ``smooth`` off, 3 in 10 of all scores are
    rounded to the nearest ten: a heap on 60 to which nobody was moved. Raises BadInput for a share outside 0 to 0.4.

    >>> moved = float((simulate_scores(0.25, 100_000, np.random.default_rng(0)) >= 60).mean())
    >>> moved > float(gamma.sf(60, 9, scale=5)) * 1.3
    True
    """
    _check(true_share, people)
    scores = np.floor(rng.gamma(9.0, 5.0, people))
    near = np.flatnonzero((scores >= THRESHOLD - WINDOW) & (scores < THRESHOLD))
    above, below = (
        gamma.sf(THRESHOLD, 9.0, scale=5.0),
        gamma.sf(THRESHOLD - WINDOW, 9.0, scale=5.0) - gamma.sf(THRESHOLD, 9.0, scale=5.0),
    )
    moved = near[rng.random(near.size) < true_share / (1.0 - true_share) * above / below]
    scores[moved] = THRESHOLD + rng.integers(0, 4, moved.size)
    if not smooth:
        heaped = rng.random(people) < 0.3
        scores[heaped] = np.floor(scores[heaped] / 10.0 + 0.5) * 10.0
    return np.asarray(scores, np.float64)


def simulate_cases(
    true_share: float, people: int, rng: np.random.Generator, *, spread: float = 0.5, random_assignment: bool = True
) -> pl.DataFrame:
    """First assessments: a package brings one tier of need more a year later to a ``true_share`` of those who are given
    it.

    Need is seen by the assessor and not by the analyst, who has ``age_score``, correlated with it. More need means
    likelier care *and* more need later: that is why plain regression fails. Eight offices, eight assessors each, eight
    periods; ``spread`` is the standard deviation of leniency, in those of need (at 0 the instrument is worthless). With
    ``random_assignment`` off, lenient assessors get the needier cases. Columns: office, period, assessor, age_score,
    package (0 or 1), later_need (tiers).

    >>> simulate_cases(0.2, 1000, np.random.default_rng(0)).columns
    ['office', 'period', 'assessor', 'age_score', 'package', 'later_need']
    """
    _check(true_share, people)
    office, period = rng.integers(0, OFFICES, people), rng.integers(0, PERIODS, people)
    need = rng.normal(size=people)
    age_score = 0.5 * need + math.sqrt(0.75) * rng.normal(size=people)
    leniency = spread * rng.normal(size=(OFFICES, ASSESSORS))
    seat = rng.integers(0, ASSESSORS, people)
    if not random_assignment:
        # The case goes to a place in the office's order of leniency that depends on its need.
        rank = np.argsort(leniency, axis=1)
        wanted = (need + rng.normal(size=people)) / math.sqrt(2.0)
        seat = rank[office, np.clip(np.floor((wanted + 2.0) / 4.0 * ASSESSORS), 0, ASSESSORS - 1).astype(np.int64)]
    habits = 0.3 * rng.normal(size=(OFFICES, PERIODS))
    package = need + leniency[office, seat] + habits[office, period] + 0.7 * rng.normal(size=people) > 0
    level = 2.0 + 0.8 * need + 0.3 * age_score + 0.5 * habits[office, period] + 0.6 * rng.normal(size=people)
    induced = package & (rng.random(people) < true_share)
    return pl.DataFrame({
        "office": office, "period": period, "assessor": office * ASSESSORS + seat, "age_score": age_score,
        "package": package.astype(np.int64), "later_need": np.clip(np.round(level), 0, 5).astype(np.int64) + induced,
    })  # fmt: skip


def simulate_places(true_share: float, people: int, rng: np.random.Generator, *, parallel: bool = True) -> pl.DataFrame:
    """Forty areas over 48 months, 24 of which gain or lose places once: each place more brings ``true_share`` people of
    new demand.

    Of the rest of a place half serves people who wait; what is left stands empty. ``people`` in all are in demand,
    unevenly by area, and places stand where need is: that is why plain regression fails. With ``parallel`` off, places
    follow demand that was growing anyway. Columns: area, month (0 … 47), places, use, waiting (averages over the
    month).

    >>> simulate_places(0.2, 6000, np.random.default_rng(0)).shape
    (1920, 5)
    """
    _check(true_share, people)
    area, month = np.divmod(np.arange(AREAS * MONTHS), MONTHS)
    size = rng.lognormal(0.0, 0.4, AREAS)
    size *= people / size.sum()
    places = 0.8 * size * rng.lognormal(0.0, 0.1, AREAS)
    when = rng.integers(12, MONTHS - 12, AREAS)
    change = np.where(rng.random(AREAS) < 2 / 3, 0.15, -0.15) * places * (np.arange(AREAS) < CHANGED)
    more = np.where(month >= when[area], change[area], 0.0)
    chance = np.zeros((AREAS, MONTHS))
    chance[:, 0] = rng.normal(size=AREAS)
    for k in range(1, MONTHS):
        chance[:, k] = 0.7 * chance[:, k - 1] + math.sqrt(1.0 - 0.49) * rng.normal(size=AREAS)
    common = np.cumsum(rng.normal(0.0, 0.3, MONTHS)) + 2.0 * np.sin(np.arange(MONTHS) * math.pi / 6.0)
    demand = size[area] + common[month] + 0.4 * np.sqrt(size[area]) * chance.ravel() + true_share * more
    if not parallel:
        demand += 0.02 * change[area] * month
    waiting = 0.2 * size[area] - 0.5 * (1.0 - true_share) * more + rng.normal(0.0, 0.5, area.size)
    return pl.DataFrame(
        {"area": area, "month": month, "places": places[area] + more, "use": demand - waiting, "waiting": waiting}
    )


class _Try(NamedTuple):
    """One estimate of one replication."""

    estimator: str
    estimate: float
    low: float
    high: float
    weak: bool
    warned: bool


def recover(
    true_share: float,
    people: int = 6000,
    replications: int = 100,
    seed: int = 1,
    *,
    random_assignment: bool = True,
    parallel: bool = True,
    smooth: bool = True,
    leniency_spread: float = 0.5,
) -> pl.DataFrame:
    """All three estimators and plain regression on made-up data in which the induced share is known: which of them find
    it?

    ``true_share`` is, by design: the share of those above the threshold who were moved over it; tiers of later need per
    package; people of new demand per place. The switches break one design each: assessors get cases by need; places
    follow demand; scores heap on round numbers. ``leniency_spread`` near 0 makes assessors alike (a weak instrument).

    Columns: estimator, truth, mean_estimate, bias, bias_se (Monte Carlo standard error of the bias), coverage (share of
    95 % intervals that hold the truth), weak (share rejected as weak), warned (share with a warning), replications. A
    broken or weak design may give estimates of any size; the mean of two-stage least squares need not exist then.
    Raises BadInput for a share outside 0 to 0.4, fewer than 1,000 people or 2 replications.

    >>> recover(0.2, people=2000, replications=2).select("estimator", "truth").rows()[0]
    ('threshold bunching', 0.2)
    """
    _check(true_share, people)
    if replications < 2:
        raise BadInput(f"replications: {replications} do not show chance; take 2 or more")
    switches = {"smooth": smooth, "random_assignment": random_assignment, "parallel": parallel}
    tries = [
        one for r in range(replications) for one in _tries(true_share, people, [seed, r], leniency_spread, **switches)
    ]
    off = pl.col("estimate") - true_share
    return (
        pl.DataFrame(tries, schema=list(_Try._fields), orient="row")
        .group_by("estimator", maintain_order=True)
        .agg(
            pl.lit(true_share).alias("truth"),
            pl.col("estimate").mean().alias("mean_estimate"),
            off.mean().alias("bias"),
            (off.std() / pl.len().sqrt()).alias("bias_se"),
            ((pl.col("low") <= true_share) & (true_share <= pl.col("high"))).mean().alias("coverage"),
            pl.col("weak").mean(),
            pl.col("warned").mean(),
            pl.len().cast(pl.Int64).alias("replications"),
        )
    )


def _tries(
    true_share: float,
    people: int,
    seed: list[int],
    spread: float,
    *,
    smooth: bool,
    random_assignment: bool,
    parallel: bool,
) -> Iterator[_Try]:
    streams = [stream(*seed, k) for k in range(3)]
    bunched = threshold_bunching(
        simulate_scores(true_share, people, streams[0], smooth=smooth), THRESHOLD, window=WINDOW, draws=200
    )
    share = bunched.share
    yield _Try("threshold bunching", share.value, share.low, share.high, False, bool(bunched.warnings))
    cases = simulate_cases(true_share, people, streams[1], spread=spread, random_assignment=random_assignment)
    found = assessor_leniency(cases, covariates=["age_score"])
    effect, plain, warned = found.effect, found.plain, bool(found.warnings)
    yield _Try("assessor leniency, 2SLS", effect.value, effect.low, effect.high, found.weak, warned)
    yield _Try("assessor leniency, Anderson–Rubin", effect.value, *found.anderson_rubin, found.weak, warned)
    shocks = supply_shock(
        simulate_places(true_share, people, streams[2], parallel=parallel), waiting="waiting", draws=199
    )
    yield _Try("supply shocks", shocks.extra.value, shocks.extra.low, shocks.extra.high, False, bool(shocks.warnings))
    yield _Try("plain: later need on package", plain.value, plain.low, plain.high, False, False)
    yield _Try("plain: demand on places", shocks.plain.value, shocks.plain.low, shocks.plain.high, False, False)


def _check(true_share: float, people: int) -> None:
    if not 0.0 <= true_share <= MOST_SHARE:
        raise BadInput(
            f"true_share: {true_share:g} is outside 0 to {MOST_SHARE:g}, what the lab's threshold leaves room for"
        )
    if people < FEWEST_PEOPLE:
        raise BadInput(f"people: {people} are too few for 64 assessors and 40 areas; take {FEWEST_PEOPLE} or more")
