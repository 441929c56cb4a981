"""Independent days of a strategy, for the people whom the baseline knows.

Days at home with need met count for whoever is known. A strategy that prevents need has fewer people come to the front
door, and so fewer known: their days at home would be missing, and prevention would look worse than none. So a
comparison counts whoever no longer comes as independent for as long as they would have been known:

    independent days = days at home with need met + (P of the baseline − P of the strategy) × q

P is the sum of days from becoming known to the end of the run over all people, q the part of these days on which they
are alive and there, both by life stage and in the same replication. Who comes in addition counts the other way round.
"""

from __future__ import annotations

import polars as pl

from simcare.model.strategy import BASELINE
from simcare.units import YEAR_DAYS

GONE = ("deaths", "leavers")
COUNTS = ("people_known", *GONE)  # the measures that it takes, beside independent_days
KEYS = ("strategy", "replication")


def days_ahead(measures: pl.DataFrame) -> pl.DataFrame:
    """Days from the middle of the month in which people became known, or were gone, to the end of the run. Columns:
    strategy, replication, stage, known, gone (person-days).

    >>> rows = [("baseline", 0, month, "all", name, 1.0) for month, name in (("2013-04", "people_known"),
    ...         ("2013-05", "deaths"), ("2014-03", "people_known"))]
    >>> frame = pl.DataFrame(rows, ["strategy", "replication", "month", "stage", "measure", "value"], orient="row")
    >>> days_ahead(frame).select("known", "gone").rows()
    [(91.3125, 45.65625)]
    """
    months = measures.select(pl.col("month").drop_nulls().unique().cast(pl.String).sort())
    left = pl.len() - pl.int_range(pl.len(), dtype=pl.Int64) - 0.5
    ahead = months.with_columns((left * (YEAR_DAYS / 12.0)).alias("ahead"))
    rows = measures.filter(pl.col("measure").is_in(COUNTS))
    dated = rows.with_columns(pl.col("month").cast(pl.String)).join(ahead, on="month", maintain_order="left")
    person_days = pl.col("value") * pl.col("ahead")
    known = pl.col("measure") == "people_known"
    return dated.group_by(*KEYS, "stage", maintain_order=True).agg(
        person_days.filter(known).sum().alias("known"), person_days.filter(~known).sum().alias("gone")
    )


def prevented_days(measures: pl.DataFrame, reference: str = BASELINE) -> pl.DataFrame:
    """Days at home of people who come to the front door under the strategy ``reference`` and under this one do not,
    below zero for people who come in addition. Columns: strategy, replication, prevented."""
    ahead = days_ahead(measures)
    there = (1.0 - pl.col("gone") / pl.col("known")).fill_nan(1.0).clip(0.0, 1.0)
    base = ahead.filter(pl.col("strategy") == reference).select(
        "replication", "stage", pl.col("known").alias("base_known"), there.alias("there")
    )
    stages = base.select("replication", "stage")
    pairs = measures.select(KEYS).unique(maintain_order=True).join(stages, on="replication")
    missing = pl.col("base_known") - pl.col("known").fill_null(0.0)
    return (
        pairs.join(ahead, on=[*KEYS, "stage"], how="left", nulls_equal=True)
        .join(base, on=["replication", "stage"], how="left", nulls_equal=True)
        .group_by(*KEYS, maintain_order=True)
        .agg((missing * pl.col("there")).sum().alias("prevented"))
    )
