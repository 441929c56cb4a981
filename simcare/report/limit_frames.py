"""Waiting and the limits of capacity over time: people on average, mean waits, and how often something happened."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from simcare.measures.catalogue import QUEUE_CLASSES
from simcare.report import summaries
from simcare.report.summaries import over_replications, replications

STANDING = {  # person-days that are shown as people, and what the table calls them
    "queue_days": "Waiting for a place",
    "transfer_days": "Waiting for a place while in another service",
    "delayed_days": "Delayed discharge: ready to leave hospital and still there",
    "hospital_days": "In hospital, treated",
    "spot_days": "In spot-purchased places, above contracted capacity",
}
DRAWN_DAYS = ("queue_days", "delayed_days", "spot_days")  # of these, what the figure shows, and the table by life stage
TIMES = (
    "queued", *(f"placed_{name}" for name in QUEUE_CLASSES), "reneged", "spot_purchases", "displaced", "admissions",
    "supported_transitions", "unsupported_transitions"
)  # fmt: skip
LIMITS = (  # the measures of the section on waiting
    *STANDING,
    *TIMES,
    *(f"waited_days_{name}" for name in QUEUE_CLASSES),
)
PEOPLE, WAIT, OFTEN = "people", "mean wait", "number"  # what a row of the frame counts


def limited(measures: pl.DataFrame, strategy: str) -> bool:
    """Whether anybody waited for a place, had a delayed discharge or was in a spot-purchased place, in a strategy."""
    names = [*DRAWN_DAYS, *(f"placed_{name}" for name in QUEUE_CLASSES)]
    rows = measures.lazy().filter(
        (pl.col("strategy") == strategy) & pl.col("measure").is_in(names) & (pl.col("value") > 0)
    )
    return not rows.head(1).collect().is_empty()


def limits(measures: pl.DataFrame, strategy: str, stages: Sequence[str], covered: pl.DataFrame) -> pl.DataFrame:
    """Everything that the figure and the table of a strategy show; ``covered`` as in :func:`people_by_period`.

    Columns: strategy; counted: "people" (person-days by the days of the period), "mean wait" in days, or "number" of
    times; measure: a measure, or for a mean wait the class of the queue; stage (null: all); per: month, quarter or
    financial_year; period; mean, low, high.
    """
    found: list[pl.DataFrame] = []

    def add(counted: str, measure: str, per: str, frame: pl.DataFrame, stage: str | None = None) -> None:
        about = {"strategy": strategy, "counted": counted, "measure": measure, "stage": stage, "per": per}
        named = frame.with_columns(pl.lit(value, pl.String).alias(name) for name, value in about.items())
        found.append(named.select(*about, pl.col(per).alias("period"), "mean", "low", "high"))

    for measure in STANDING:
        add(PEOPLE, measure, "financial_year", people_by_period(measures, strategy, measure, covered, "financial_year"))
    for measure in DRAWN_DAYS:
        add(PEOPLE, measure, "month", people_by_period(measures, strategy, measure, covered))
        for stage in stages:
            by_stage = people_by_period(measures, strategy, measure, covered, "financial_year", stage)
            add(PEOPLE, measure, "financial_year", by_stage, stage)
    for queue in QUEUE_CLASSES:
        for per in ("quarter", "financial_year"):
            add(WAIT, queue, per, mean_waits(measures, strategy, queue, per))
    for measure in TIMES:
        add(OFTEN, measure, "financial_year", events(measures, strategy, measure))
    return pl.concat(found)


def limit_rows(frame: pl.DataFrame, counted: str, measure: str, per: str, stage: str | None = None) -> pl.DataFrame:
    """The rows of :func:`limits` that are about one thing, in order of time."""
    one = (pl.col("counted") == counted) & (pl.col("measure") == measure) & (pl.col("per") == per)
    return frame.filter(one & pl.col("stage").eq_missing(pl.lit(stage, pl.String)))


QUARTER = pl.concat_str(
    pl.col("month").str.slice(0, 5),
    ((pl.col("month").str.slice(5, 2).cast(pl.Int32) - 1) // 3 * 3 + 1).cast(pl.String).str.zfill(2),
).alias("quarter")


def with_period(frame: pl.DataFrame) -> pl.DataFrame:
    """The frame with ``financial_year``, and with ``quarter`` as its first month, ``2013-04``."""
    return summaries.with_year(frame).with_columns(QUARTER)


def people_by_period(
    measures: pl.DataFrame,
    strategy: str,
    measure: str,
    covered: pl.DataFrame,
    by: str = "month",
    stage: str | None = None,
) -> pl.DataFrame:
    """Person-days as people: their mean over the days that the run covers of each month or financial year (``covered``:
    :func:`simcare.log.periods.covered_days`), zero where there are none. Columns: ``by``, mean, low, high."""
    lengths = with_period(covered).group_by(by).agg(pl.col("days").sum())
    summed = _by_period(measures, strategy, measure, by, stage).join(lengths, on=by)
    return over_replications(summed.with_columns(pl.col("value") / pl.col("days")), [by])


def events(measures: pl.DataFrame, strategy: str, measure: str, by: str = "financial_year") -> pl.DataFrame:
    """How often something happened in each period, zero where it did not. Columns: ``by``, mean, low, high."""
    return over_replications(_by_period(measures, strategy, measure, by), [by])


def _by_period(measures: pl.DataFrame, strategy: str, measure: str, by: str, stage: str | None = None) -> pl.DataFrame:
    """A measure summed by period and replication, with zeros. Columns: ``by``, replication, value."""
    rows = measures.filter((pl.col("strategy") == strategy) & (pl.col("measure") == measure))
    rows = rows if stage is None else rows.filter(pl.col("stage") == stage)
    summed = (
        with_period(rows.with_columns(pl.col("month").cast(pl.String)))
        .group_by(by, "replication")
        .agg(pl.col("value").sum())
    )
    every = with_period(measures.select(pl.col("month").unique().cast(pl.String))).select(pl.col(by).unique())
    cells = every.join(replications(measures, strategy), how="cross")
    return cells.join(summed, on=[by, "replication"], how="left").with_columns(pl.col("value").fill_null(0.0))


def mean_waits(measures: pl.DataFrame, strategy: str, queue: str, by: str = "quarter") -> pl.DataFrame:
    """The mean wait in days of those of a class of the queue who got a place in each period. Columns: ``by``, mean,
    low, high.

    ``mean``: the days waited by all of them in all replications, over their number; null where there were none. ``low``
    and ``high`` are over the replications in which there were any, each with its own mean; null if that is not more
    than one.
    """
    placed, waited = (_by_period(measures, strategy, f"{what}_{queue}", by) for what in ("placed", "waited_days"))
    both = placed.rename({"value": "placed"}).join(waited.rename({"value": "waited"}), on=[by, "replication"])
    periods, some = (
        both.select(pl.col(by).unique()),
        both.filter(pl.col("placed") > 0).with_columns(value=pl.col("waited") / pl.col("placed")),
    )
    many = pl.lit(both["replication"].n_unique() >= summaries.RANGE_FROM)
    found = some.group_by(by).agg(
        (pl.col("waited").sum() / pl.col("placed").sum()).alias("mean"), *summaries.low_high(many)
    )
    return periods.join(found, on=by, how="left").sort(by)
