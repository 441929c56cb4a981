"""From the tidy measures to what a figure or a table shows: sums within a replication first, then the mean and range
over replications.

A cell that is absent in a replication counts as zero there, so that a mean is never taken over the replications
in which something happened to occur.

Frames of exhibits have the columns strategy, what they are by, mean, low and high; where demand's own part of the range
is known, demand_low and demand_high.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import polars as pl

from simcare.decide.prediction import prediction_interval
from simcare.log.periods import first_years, year_names
from simcare.measures.spread_parts import met_demand, with_demand
from simcare.model.strategy import BASELINE
from simcare.units import year_name

RANGE_FROM = (
    20  # with fewer replications the 5th and 95th percentile are hardly more than the extremes, which are shown instead
)
ROUNDING = 1e-11
YEAR = first_years((pl.col("month") + "-01").str.to_date()).alias("start_year")
WHEN = ("month", "financial_year")
COSTS = ("cost_council", "cost_health", "cost_client", "cost", "cost_real")  # by year; who pays comes first
CASH = COSTS[:-1]
SPREAD = ("mean", "low", "high", "demand_low", "demand_high")


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


def replications(measures: pl.DataFrame, strategy: str = BASELINE) -> pl.DataFrame:
    """The replications of a strategy, one row each, with the demand that each met where the model has drivers."""
    columns = ["replication", "met"] if demand_is_known(measures) else ["replication"]
    runs = measures.filter(pl.col("strategy") == strategy).select(columns)
    return runs.unique("replication").sort("replication")


def with_met_demand(measures: pl.DataFrame, drawn: pl.DataFrame) -> pl.DataFrame:
    """The measures with the demand that each replication met as a column ``met``
    (:func:`simcare.measures.spread_parts.met_demand`); as they are where none was drawn."""
    strategies = drawn["strategy"].unique(maintain_order=True)
    met = [met_demand(drawn, name).with_columns(pl.lit(name).alias("strategy")) for name in strategies]
    rows = pl.concat(met) if met else None
    if rows is None or rows.is_empty():
        return measures
    return measures.join(rows, on=["strategy", "replication"], how="left", maintain_order="left")


def demand_is_known(measures: pl.DataFrame) -> bool:
    """Whether the measures have the demand that each replication met."""
    return "met" in measures.columns


def cell_sums(frame: pl.DataFrame, by: Sequence[str], runs: pl.DataFrame, value: str = "value") -> pl.DataFrame:
    """``value`` summed by cell and replication, with a zero for each cell that a replication lacks. Columns: by,
    those of ``runs``, value.

    A sum that is only the rounding error of its parts (as where a strategy changes nothing yet) is zero.
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
    found = summed.group_by(by).agg(pl.col("value").mean().alias("mean"), *low_high(pl.len() >= RANGE_FROM)).sort(by)
    return with_demand(found, summed, by)


def low_high(many: pl.Expr) -> tuple[pl.Expr, pl.Expr]:
    """The ends of the range of ``value``: percentiles from ``many`` replications, otherwise the extremes."""
    low = pl.when(many).then(pl.col("value").quantile(0.05, "linear")).otherwise(pl.col("value").min())
    high = pl.when(many).then(pl.col("value").quantile(0.95, "linear")).otherwise(pl.col("value").max())
    several = pl.len() > 1
    return pl.when(several).then(low).alias("low"), pl.when(several).then(high).alias("high")


def predicted(summed: pl.DataFrame, by: Sequence[str]) -> pl.DataFrame:
    """The mean over replications with its 90 % prediction interval, null from fewer than 19 replications
    (:func:`simcare.decide.prediction.prediction_interval`)."""
    rows = [
        (*key, cell["value"].mean(), *prediction_interval(cell["value"].to_numpy()))
        for key, cell in summed.group_by(by, maintain_order=True)
    ]
    ends = dict.fromkeys(("mean", "low", "high"), pl.Float64())
    return pl.DataFrame(rows, {**{name: summed.schema[name] for name in by}, **ends}, orient="row").sort(by)


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


def caseload_by_year(measures: pl.DataFrame, strategy: str, covered: pl.DataFrame) -> pl.DataFrame:
    """People in a service, mean over each financial year. Columns: stage, tier, financial_year, mean, low, high.

    Months weigh as many days as the run covers of them (``covered``: :func:`simcare.log.periods.covered_days`).
    """
    rows = measures.filter(
        (pl.col("strategy") == strategy) & (pl.col("measure") == "caseload") & pl.col("service").is_not_null()
    )
    in_year = with_year(covered).with_columns(
        (pl.col("days") / pl.col("days").sum().over("financial_year")).alias("weight")
    )
    weighed = rows.with_columns(pl.col("stage", "tier").cast(pl.String)).join(in_year, on="month")
    weighed = weighed.with_columns(pl.col("value") * pl.col("weight"))
    by = ["stage", "tier", "financial_year"]
    return over_replications(cell_sums(weighed, by, replications(measures, strategy)), by)


def caseload(measures: pl.DataFrame, strategy: str, covered: pl.DataFrame) -> pl.DataFrame:
    """People in a service by life stage and tier: a row for each month, and one without a month for each financial
    year. Columns: strategy, measure, stage, tier, month, financial_year, mean, low, high, demand_low, demand_high."""
    months = with_year(caseload_by_month(measures, strategy))
    years = caseload_by_year(measures, strategy, covered)
    both = pl.concat([months, years.with_columns(pl.lit(None, pl.String).alias("month"))], how="diagonal_relaxed")
    return both.select(_of(strategy), pl.lit("caseload").alias("measure"), *("stage", "tier", *WHEN), *SPREAD)


def caseload_change_by_month(measures: pl.DataFrame, strategy: str) -> pl.DataFrame:
    """The paired difference in people in care from the baseline, all stages together. Columns: tier, month, mean, low,
    high (90 % prediction interval)."""
    rows = measures.filter((pl.col("measure") == "caseload") & pl.col("service").is_not_null())
    by = ["tier", "month"]
    return predicted(
        cell_sums(
            _signed(rows, strategy).with_columns(pl.col("tier").cast(pl.String)), by, replications(measures, strategy)
        ),
        by,
    )


def _signed(rows: pl.DataFrame, strategy: str) -> pl.DataFrame:
    """The strategy's rows, and the baseline's with their sign turned, so that a sum is a difference."""
    sign = pl.when(pl.col("strategy") == BASELINE).then(-1.0).otherwise(1.0)
    return rows.filter(pl.col("strategy").is_in([BASELINE, strategy])).with_columns(
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


def costs(measures: pl.DataFrame, strategy: str) -> pl.DataFrame:
    """Pounds of :data:`COSTS`: the cash budget by who pays and in all, and constant prices. Columns: strategy, measure,
    stage (null: everything), financial_year, mean, low, high, demand_low, demand_high."""
    each = [
        cost_by_year(measures, strategy, name).with_columns(_of(strategy), pl.lit(name).alias("measure"))
        for name in COSTS
    ]
    return pl.concat(each).select("strategy", "measure", "stage", "financial_year", *SPREAD)


def cost_changes(measures: pl.DataFrame, strategies: Iterable[str]) -> pl.DataFrame:
    """The change in the cash budget under each strategy, by who pays (the measures of :data:`CASH`). Columns: strategy,
    measure, financial_year, mean, low, high (90 % prediction interval)."""
    each = [
        cost_change_by_year(measures, name, paid).with_columns(_of(name), pl.lit(paid).alias("measure"))
        for name in strategies
        for paid in CASH
    ]
    return pl.concat(each).select("strategy", "measure", "financial_year", "mean", "low", "high")


def cost_change_by_year(measures: pl.DataFrame, strategy: str, measure: str) -> pl.DataFrame:
    """The paired difference from the baseline by financial year: mean, its 90 % prediction interval. Columns:
    financial_year, mean, low, high."""
    rows = with_year(_signed(measures.filter(pl.col("measure") == measure), strategy))
    by = ["financial_year"]
    return predicted(cell_sums(rows, by, replications(measures, strategy)), by)


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


def moves(flows: pl.DataFrame, runs: pl.DataFrame, strategy: str, years: int) -> pl.DataFrame:
    """Average moves a year between tiers, and the baseline's average beside them. Columns: strategy, from_tier,
    to_tier, mean, low, high, baseline."""
    by = ["from_tier", "to_tier"]
    base = moves_per_year(flows, BASELINE, runs, years).select(*by, pl.col("mean").alias("baseline"))
    mine = moves_per_year(flows, strategy, runs, years).join(base, on=by, how="left", maintain_order="left")
    return mine.select(_of(strategy), *by, "mean", "low", "high", pl.col("baseline").fill_null(0.0))


def _of(strategy: str) -> pl.Expr:
    return pl.lit(strategy).alias("strategy")
