"""Which strategy comes first, by a measure and in each scenario, and whether the model can tell it from the next."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import NamedTuple

import polars as pl

from simcare.measures.catalogue import measure_named

SWEPT = (
    "cost_pv",
    "dependency_days",
    "over_provided_days",
    "under_provided_days",
    "premature_releases",
)  # ranked where strategies differ


def ranks(scenarios: pl.DataFrame, measure: str) -> pl.DataFrame:
    """Every strategy's place in each scenario by the average difference from the baseline, the best first; the same
    average gives the same place.

    ``best`` and ``worst`` are the places that the intervals leave open: only a strategy whose 90 % prediction interval
    lies wholly on the better side of another's is told from it. That is strict: all meet the same futures, and one may
    be ahead of the other in each of them though the intervals overlap. ``low`` and ``high`` are the interval's ends.
    ``scenarios`` as in a Comparison. Raises ValueError for a measure of which more is neither better nor worse.
    Columns: scenario, strategy, difference, low, high, chance_lower, chance_higher, rank, best, worst.

    >>> rows = [("a", -5.0, -6.0, -4.0, 1, 0), ("b", -4.5, -5.5, -3.5, 1, 0), ("c", 1.0, 0.0, 2.0, 0, 1)]
    >>> columns = ["strategy", "difference", "prediction_low", "prediction_high", "chance_lower", "chance_higher"]
    >>> frame = pl.DataFrame(rows, schema=columns, orient="row")
    >>> frame = frame.with_columns(scenario=pl.lit("as in the file"), measure=pl.lit("cost_pv"), baseline_mean=9.0)
    >>> ranks(frame, "cost_pv").select("strategy", "rank", "best", "worst").rows()
    [('a', 1, 1, 2), ('b', 2, 1, 2), ('c', 3, 3, 3)]
    """
    better = measure_named(measure).better
    if better == 0:
        raise ValueError(f"more of '{measure}' is neither better nor worse, so strategies cannot be ranked by it")
    rounding = 1e-11 * pl.col("baseline_mean").abs()
    clean = [
        pl.when(pl.col(name).is_null() | (pl.col(name).abs() > rounding)).then(pl.col(name)).otherwise(0.0).alias(alias)
        for name, alias in (("difference", "difference"), ("prediction_low", "low"), ("prediction_high", "high"))
    ]
    mine = (
        scenarios.filter(pl.col("measure") == measure)
        .with_columns(clean)
        .select("scenario", "strategy", "difference", "low", "high", "chance_lower", "chance_higher")
    )
    size = pl.col("difference") * -better
    ranked = mine.with_columns(size.rank("min").over("scenario").cast(pl.Int64).alias("rank"))
    pairs = mine.join(mine, on="scenario", suffix="_other")
    ahead, behind = ("high_other", "low"), ("high", "low_other")
    if better > 0:
        ahead, behind = behind, ahead
    counted = pairs.group_by("scenario", "strategy").agg(
        (1 + (pl.col(ahead[0]) < pl.col(ahead[1])).sum()).cast(pl.Int64).alias("best"),
        (pl.len() - (pl.col(behind[0]) < pl.col(behind[1])).sum()).cast(pl.Int64).alias("worst"),
    )
    return ranked.join(counted, on=["scenario", "strategy"], maintain_order="left")


def differ(scenarios: pl.DataFrame, measure: str) -> bool:
    """Whether a measure is among the differences, and not the same in all strategies and scenarios."""
    mine = scenarios.filter(pl.col("measure") == measure)
    return mine.height > 0 and bool((mine["difference"].abs() > 1e-11 * mine["baseline_mean"].abs()).any())


def place(row: Mapping[str, int]) -> str:
    """A row of :func:`ranks` in short: the rank, and the ranks that the intervals leave open.

    >>> place({"rank": 2, "best": 1, "worst": 4}), place({"rank": 2, "best": 2, "worst": 2})
    ('2 (1–4)', '2')
    """
    return str(row["rank"]) if row["best"] == row["worst"] else f"{row['rank']} ({row['best']}–{row['worst']})"


class Firsts(NamedTuple):
    """Over the scenarios: how often each strategy is alone in the first place; how often nobody is; how often the first
    is told from everybody behind, and from the baseline on the better side."""

    alone: dict[str, int]
    shared: int
    told: int
    better: int
    scenarios: int


def firsts(ranked: pl.DataFrame, better: int) -> Firsts:
    """What the first places of :func:`ranks` come to.

    >>> rows = [("x", "a", 1, 1, -2.0, -1.0), ("x", "b", 2, 2, 0.0, 1.0)]
    >>> columns = ["scenario", "strategy", "rank", "worst", "low", "high"]
    >>> firsts(pl.DataFrame(rows, schema=columns, orient="row"), better=-1)
    Firsts(alone={'a': 1}, shared=0, told=1, better=1, scenarios=1)
    """
    alone: Counter[str] = Counter()
    shared = told = ahead = 0
    for mine in ranked.partition_by("scenario", maintain_order=True):
        lead = mine.filter(pl.col("rank") == 1)
        if lead.height > 1:
            shared += 1
            continue
        row = lead.row(0, named=True)
        alone[row["strategy"]] += 1
        told += row["worst"] == 1
        ahead += row["high"] is not None and (row["high"] < 0 if better < 0 else row["low"] > 0)
    return Firsts(dict(alone.most_common()), shared, told, ahead, ranked["scenario"].n_unique())
