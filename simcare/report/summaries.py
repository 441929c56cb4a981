"""From the tidy measures to what a figure or a table shows: sums within a replication first, then the mean and range
over replications.

A cell that is absent in a replication counts as nought there, so that a mean is never taken over the replications
in which something happened to occur.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl
from scipy.stats import t

from simcare.log.periods import first_years, year_names
from simcare.measures.spread_parts import demand_by_replication, with_demand
from simcare.report import wording
from simcare.units import year_name

RANGE_FROM = (
    20  # with fewer replications the 5th and 95th percentile are hardly more than the extremes, which are shown instead
)
ROUNDING = 1e-11
YEAR = first_years((pl.col("month") + "-01").str.to_date()).alias("start_year")


def financial_years(measures: pl.DataFrame) -> list[str]:
    """The financial years of the frame in order.

    >>> financial_years(pl.DataFrame({"month": ["2014-04", "2013-04", "2014-03"]}))
    ['2013/14', '2014/15']
    """
    months = measures.lazy().select(pl.col("month").unique())
    years = months.select(YEAR).unique().sort("start_year").collect()["start_year"].to_list()
    return [year_name(year) for year in years]


def with_year(frame: pl.DataFrame) -> pl.DataFrame:
    """The frame with ``financial_year`` as text, ``2013/14``."""
    years = frame.select(pl.col("month").unique()).with_columns(YEAR)
    named = years.with_columns(year_names(pl.col("start_year")).alias("financial_year"))
    return frame.join(named.select("month", "financial_year"), on="month", how="left")


def replications(measures: pl.DataFrame, strategy: str = "baseline") -> pl.DataFrame:
    """The replications of a strategy, one row each, with the demand that each met where the model has drivers."""
    runs = measures.filter(pl.col("strategy") == strategy).select("replication").unique().sort("replication")
    return runs.join(demand_by_replication(measures, strategy), on="replication", how="left", maintain_order="left")


def cell_sums(frame: pl.DataFrame, by: Sequence[str], runs: pl.DataFrame, value: str = "value") -> pl.DataFrame:
    """``value`` summed by cell and replication, with a nought for each cell that a replication lacks. Columns: by,
    those of ``runs``, value.

    A sum that is only the rounding error of its parts (as where a strategy changes nothing yet) is nought.
    """
    whole, size = pl.col(value).sum(), pl.col(value).abs().sum()
    exact = pl.when(whole.abs() > ROUNDING * size).then(whole).otherwise(0.0).alias("value")
    summed = frame.group_by([*by, "replication"], maintain_order=True).agg(exact)
    cells = summed.select(by).unique(maintain_order=True).join(runs, how="cross")
    return cells.join(
        summed, on=[*by, "replication"], how="left", nulls_equal=True, maintain_order="left"
    ).with_columns(pl.col("value").fill_null(0.0))


def over_replications(summed: pl.DataFrame, by: Sequence[str]) -> pl.DataFrame:
    """Over replications: mean, low and high (5th to 95th percentile, or the extremes of fewer than 20), null from one
    replication.

    ``demand_low`` to ``demand_high`` is demand's own part of it (:func:`simcare.measures.spread_parts.with_demand`).
    """
    found = summed.group_by(by).agg(pl.col("value").mean().alias("mean"), *_low_high(pl.len() >= RANGE_FROM)).sort(by)
    return with_demand(found, summed, by)


def _low_high(many: pl.Expr) -> tuple[pl.Expr, pl.Expr]:
    low = pl.when(many).then(pl.col("value").quantile(0.05, "linear")).otherwise(pl.col("value").min())
    high = pl.when(many).then(pl.col("value").quantile(0.95, "linear")).otherwise(pl.col("value").max())
    several = pl.len() > 1
    return pl.when(several).then(low).alias("low"), pl.when(several).then(high).alias("high")


def mean_interval(summed: pl.DataFrame, by: Sequence[str]) -> pl.DataFrame:
    """The mean over replications with its 95 % interval (Student's t over replications), null from one replication."""
    count = summed["replication"].n_unique()
    factor = float(t.ppf(0.975, count - 1)) if count > 1 else None
    half = pl.lit(factor, dtype=pl.Float64) * pl.col("value").std() / pl.len().sqrt()
    mean = pl.col("value").mean()
    return summed.group_by(by).agg(mean.alias("mean"), (mean - half).alias("low"), (mean + half).alias("high")).sort(by)


def range_words(count: int) -> str:
    """What ``low`` to ``high`` of :func:`over_replications` is, in words.

    >>> range_words(50)
    '5th to 95th percentile of 50 replications'
    >>> range_words(8)
    'lowest to highest of 8 replications'
    """
    if count == 1:
        return "one replication, so no range"
    return (
        f"5th to 95th percentile of {count} replications"
        if count >= RANGE_FROM
        else f"lowest to highest of {count} replications"
    )


def range_short(count: int) -> str:
    """The same for a legend."""
    return (
        "Nine in ten replications" if count >= RANGE_FROM else "Lowest to highest" if count > 1 else "One replication"
    )


def caseload_by_month(measures: pl.DataFrame, strategy: str) -> pl.DataFrame:
    """People in a service, mean over each month. Columns: stage, tier, month, mean, low, high."""
    rows = measures.filter(
        (pl.col("strategy") == strategy) & (pl.col("measure") == "caseload") & pl.col("service").is_not_null()
    )
    by = ["stage", "tier", "month"]
    return over_replications(
        cell_sums(rows.with_columns(pl.col("stage", "tier").cast(pl.String)), by, replications(measures, strategy)), by
    )


def caseload_by_year(measures: pl.DataFrame, strategy: str) -> pl.DataFrame:
    """People in a service, mean over each financial year (months weighted by their days). Columns: stage, tier,
    financial_year, mean, low, high."""
    rows = measures.filter(
        (pl.col("strategy") == strategy) & (pl.col("measure") == "caseload") & pl.col("service").is_not_null()
    )
    days = rows.select(pl.col("month").unique()).with_columns(
        (pl.col("month") + "-01").str.to_date().dt.days_in_month().alias("days")
    )
    in_year = with_year(days).with_columns(
        (pl.col("days") / pl.col("days").sum().over("financial_year")).alias("weight")
    )
    weighed = rows.with_columns(pl.col("stage", "tier").cast(pl.String)).join(in_year, on="month")
    weighed = weighed.with_columns(pl.col("value") * pl.col("weight"))
    by = ["stage", "tier", "financial_year"]
    return over_replications(cell_sums(weighed, by, replications(measures, strategy)), by)


def caseload_change_by_month(measures: pl.DataFrame, strategy: str) -> pl.DataFrame:
    """The paired difference in people in care from the baseline, all stages together. Columns: tier, month, mean, low,
    high (95 % interval)."""
    rows = measures.filter((pl.col("measure") == "caseload") & pl.col("service").is_not_null())
    by = ["tier", "month"]
    return mean_interval(
        cell_sums(
            _signed(rows, strategy).with_columns(pl.col("tier").cast(pl.String)), by, replications(measures, strategy)
        ),
        by,
    )


def _signed(rows: pl.DataFrame, strategy: str) -> pl.DataFrame:
    """The strategy's rows, and the baseline's with their sign turned, so that a sum is a difference."""
    sign = pl.when(pl.col("strategy") == "baseline").then(-1.0).otherwise(1.0)
    return rows.filter(pl.col("strategy").is_in(["baseline", strategy])).with_columns(
        (pl.col("value") * sign).alias("value")
    )


def cost_by_year(measures: pl.DataFrame, strategy: str, measure: str) -> pl.DataFrame:
    """Pounds by financial year and stage, and in all (stage null: everything). Columns: stage, financial_year, mean,
    low, high."""
    rows = with_year(measures.filter((pl.col("strategy") == strategy) & (pl.col("measure") == measure)))
    rows = rows.with_columns(pl.col("stage").cast(pl.String))
    runs, by = replications(measures, strategy), ["stage", "financial_year"]
    staged = cell_sums(rows.filter(pl.col("stage").is_not_null()), by, runs)
    everything = cell_sums(rows.with_columns(pl.lit(None, dtype=pl.String).alias("stage")), by, runs)
    return over_replications(pl.concat([everything, staged.select(everything.columns)]), by)


def cost_change_by_year(measures: pl.DataFrame, strategy: str, measure: str = "cost") -> pl.DataFrame:
    """The paired difference from the baseline by financial year: mean, its 95 % interval. Columns: financial_year,
    mean, low, high."""
    rows = with_year(_signed(measures.filter(pl.col("measure") == measure), strategy))
    by = ["financial_year"]
    return mean_interval(cell_sums(rows, by, replications(measures, strategy)), by)


def own_cost(measures: pl.DataFrame, strategy: str, measure: str = "cost_pv") -> float:
    """What a strategy spends beside care (its programme), beyond the baseline's programmes; the same in every
    replication.

    Programme rows are the cost rows with neither service nor group.
    """
    rows = measures.filter((pl.col("measure") == measure) & pl.col("service").is_null() & pl.col("group").is_null())

    def mean(name: str) -> float:
        total = rows.filter(pl.col("strategy") == name)["value"].sum()
        return float(total) / max(1, replications(measures, name).height)

    return mean(strategy) - mean("baseline")


def moves_per_year(flows: pl.DataFrame, strategy: str, runs: pl.DataFrame, years: int) -> pl.DataFrame:
    """Average moves a year between tiers. Columns: from_tier, to_tier, mean, low, high (over replications). Moves
    within a tier are left out."""
    rows = flows.filter(
        (pl.col("strategy") == strategy)
        & pl.col("from_tier").cast(pl.String).ne_missing(pl.col("to_tier").cast(pl.String))
    )
    by = ["from_tier", "to_tier"]
    rows = rows.with_columns(pl.col(by).cast(pl.String), pl.col("moves") / years)
    return over_replications(cell_sums(rows, by, runs, "moves"), by)


# ---- the limits of places
STANDING = ("queue_days", "delayed_days", "spot_days")  # person-days that are shown as people, by month
QUARTER = pl.concat_str(
    pl.col("month").str.slice(0, 5),
    ((pl.col("month").str.slice(5, 2).cast(pl.Int32) - 1) // 3 * 3 + 1).cast(pl.String).str.zfill(2),
).alias("quarter")


def limited(measures: pl.DataFrame, strategy: str) -> bool:
    """Whether anybody waited for a place, was kept in hospital or was in a place bought beyond the number, in a
    strategy."""
    names = [*STANDING, *(f"placed_{name}" for name in wording.CLASSES)]
    rows = measures.lazy().filter(
        (pl.col("strategy") == strategy) & pl.col("measure").is_in(names) & (pl.col("value") > 0)
    )
    return not rows.head(1).collect().is_empty()


def with_period(frame: pl.DataFrame) -> pl.DataFrame:
    """The frame with ``financial_year``, and with ``quarter`` as its first month, ``2013-04``."""
    return with_year(frame).with_columns(QUARTER)


def people_by_period(
    measures: pl.DataFrame, strategy: str, measure: str, by: str = "month", stage: str | None = None
) -> pl.DataFrame:
    """Person-days as people: their mean over each month or financial year, nought where there are none. Columns:
    ``by``, mean, low, high."""
    months = with_period(measures.select(pl.col("month").unique()).with_columns(pl.col("month").cast(pl.String)))
    lengths = (
        months.with_columns((pl.col("month") + "-01").str.to_date().dt.days_in_month().alias("days"))
        .group_by(by)
        .agg(pl.col("days").sum())
    )
    summed = _by_period(measures, strategy, measure, by, stage).join(lengths, on=by)
    return over_replications(summed.with_columns(pl.col("value") / pl.col("days")), [by])


def events(measures: pl.DataFrame, strategy: str, measure: str, by: str = "financial_year") -> pl.DataFrame:
    """How often something happened in each period, nought where it did not. Columns: ``by``, mean, low, high."""
    return over_replications(_by_period(measures, strategy, measure, by), [by])


def _by_period(measures: pl.DataFrame, strategy: str, measure: str, by: str, stage: str | None = None) -> pl.DataFrame:
    """A measure summed by period and replication, with noughts. Columns: ``by``, replication, value."""
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
    many = pl.lit(both["replication"].n_unique() >= RANGE_FROM)
    found = some.group_by(by).agg((pl.col("waited").sum() / pl.col("placed").sum()).alias("mean"), *_low_high(many))
    return periods.join(found, on=by, how="left").sort(by)
