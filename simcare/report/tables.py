"""The tables beside the figures: the numbers of the same frames, in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import polars as pl

from simcare.measures.catalogue import QUEUE_CLASSES
from simcare.report import summaries, wording
from simcare.report.exhibit import Table
from simcare.report.figures import BASELINE, places
from simcare.report.limit_frames import DRAWN_DAYS, LIMITS, OFTEN, PEOPLE, STANDING, TIMES, WAIT, limit_rows
from simcare.report.setting import Setting

PARTS = {"demand": "Demand's part", "parameter": "The parameters' part"}  # of a spread, by what alone is uncertain
MEAN_WAIT = "Mean wait, days"


def ranged(mean: float, low: float | None, high: float | None, unit: wording.Unit) -> tuple[str, str]:
    """The mean and its range, rounded alike."""
    estimate = wording.Estimate.of(mean, low, high)
    value, *_ = wording.rounded_alike(estimate, unit, signed=False)
    return value, wording.interval_words(estimate, unit, signed=False)


def _with_interval(numbers: tuple[Any, ...], unit: wording.Unit) -> str:
    """A difference and its interval: mean, low, high."""
    estimate = wording.Estimate.of(*numbers)
    value = wording.rounded_alike(estimate, unit)[0]
    return value if estimate.verdict == "none" else f"{value} ({wording.interval_words(estimate, unit)})"


def comparison_table(differences: pl.DataFrame, titles: Mapping[str, str], years: str, count: int) -> Table:
    """Every measure of every strategy against the baseline; those of places that run out only where any do, the parts
    of demand and of the parameters of a fit only where they are known."""
    nothing = (pl.col("baseline_mean").abs().max() == 0) & (pl.col("difference").abs().max() == 0)
    differences = differences.filter(~(pl.col("measure").is_in(LIMITS) & nothing.over("measure")))
    known = [part for part in PARTS if part_known(differences, part)]
    rows = [
        _comparison_row(row, name, known, count)
        for strategy, name in titles.items()
        for row in differences.filter(pl.col("strategy") == strategy).iter_rows(named=True)
    ]
    parts = (PARTS[part] for part in known)
    head = (
        "Strategy",
        "Measure",
        "Baseline",
        "Difference",
        "95% interval",
        "Per cent",
        "5th to 95th percentile",
        *parts,
        "Better in",
    )
    return Table(f"Difference from the baseline over {years}", head, tuple(rows), headers=2)


def _comparison_row(row: Mapping[str, Any], name: str, known: list[str], count: int) -> tuple[str, ...]:
    """One measure of one strategy; ``known`` are the keys of PARTS, ``count`` the replications."""
    about = wording.shown_measure(row["measure"])
    estimate = wording.Estimate.of(row["difference"], row["low"], row["high"], row["baseline_mean"])
    wide = wording.Estimate.of(row["difference"], row["spread_low"], row["spread_high"], row["baseline_mean"])
    return (
        name,
        about.label,
        wording.quantity(row["baseline_mean"], about.unit),
        wording.rounded_alike(estimate, about.unit)[0],
        _interval(estimate, about.unit),
        _percent(estimate, row["baseline_mean"]),
        _interval(wide, about.unit),
        *(_part(row, part, about.unit) for part in known),
        f"{round(row['share_better'] * count)} of {count}" if about.better else "–",
    )


def part_known(differences: pl.DataFrame | None, part: str) -> bool:
    """Whether it is known what of the spread is due to one thing: a key of PARTS."""
    return (
        differences is not None
        and f"{part}_low" in differences.columns
        and differences[f"{part}_low"].is_not_null().any()
    )


def _part(row: Mapping[str, Any], part: str, unit: wording.Unit) -> str:
    """Where nine in ten would lie if one thing alone were uncertain; "none" where it makes no difference."""
    estimate = wording.Estimate.of(row["difference"], row[f"{part}_low"], row[f"{part}_high"], row["baseline_mean"])
    return "none" if estimate.low == estimate.high else wording.interval_words(estimate, unit)


def _interval(estimate: wording.Estimate, unit: wording.Unit) -> str:
    return "the same in every replication" if estimate.verdict == "none" else wording.interval_words(estimate, unit)


def _percent(difference: wording.Estimate, baseline: float) -> str:
    """The difference in per cent of the baseline, with the digits that its interval supports."""
    if baseline <= 0:
        return "–"
    scaled = (None if x is None else 100 * x / baseline for x in (difference.low, difference.high))
    return wording.rounded_alike(wording.Estimate(100 * difference.value / baseline, *scaled), wording.PERCENT)[0]


def caseload_table(frame: pl.DataFrame, setting: Setting, stage: str, strategy: str) -> Table:
    """People in care in a life stage by tier, mean over each financial year with its range (``frame``:
    :func:`simcare.report.summaries.caseload`)."""
    mine = frame.filter((pl.col("strategy") == strategy) & (pl.col("stage") == stage) & pl.col("month").is_null())
    rows = []
    for tier, tier_name in setting.tiers.items():
        cell = mine.filter(pl.col("tier") == tier).sort("financial_year")
        if cell.height and float(cell["mean"].sum()) > 0:
            each = cell.select("mean", "low", "high").iter_rows()
            rows.append((tier_name, *(wording.with_range(*numbers) for numbers in each)))
    caption = f"People in care, mean over each financial year: {setting.names[strategy]}, {stage}"
    return Table(caption, ("Tier", *setting.years), tuple(rows))


PAID_BY = {"cost_council": "Council", "cost_health": "NHS", "cost_client": "Clients", "cost": "In all"}


def yearly_cost_table(frame: pl.DataFrame, setting: Setting, strategy: str) -> Table:
    """The cash budget by who pays, stage and financial year with its range, and the whole in constant prices
    (``frame``: :func:`simcare.report.summaries.costs`)."""
    rows = []
    stages: list[str | None] = [None, *(stage.name for stage in setting.model.stages)]
    mine = frame.filter(pl.col("strategy") == strategy)
    constant = {"cost_real": f"In all, {setting.model.prices.base_year} prices"}
    for measure, paid in (PAID_BY | constant).items():
        for stage in stages if measure in ("cost_council", "cost") else stages[:1]:
            cell = mine.filter(
                (pl.col("measure") == measure) & pl.col("stage").eq_missing(pl.lit(stage, dtype=pl.String))
            ).sort("financial_year")
            if cell.height:
                each = cell.select("mean", "low", "high").iter_rows()
                texts = [wording.with_range(mean, low, high, wording.POUNDS) for mean, low, high in each]
                rows.append((paid, stage or "All life stages", *texts))
    head = ("Paid by", "Life stage", *setting.years)
    return Table(f"Cost by financial year: {setting.names[strategy]}", head, tuple(rows), headers=2)


def caseload_change_table(frame: pl.DataFrame, setting: Setting, strategy: str) -> Table:
    """Change in people in care from the baseline in the last month of each financial year, all stages, with the 95 %
    interval of the average (``frame``: :func:`simcare.report.summaries.caseload_change_by_month`)."""
    last = summaries.with_year(frame).group_by("financial_year").agg(pl.col("month").max()).sort("financial_year")
    rows = []
    for tier, tier_name in setting.tiers.items():
        mine = frame.filter((pl.col("tier") == tier) & pl.col("month").is_in(last["month"].to_list())).sort("month")
        if mine.height:
            each = mine.select("mean", "low", "high").iter_rows()
            rows.append((tier_name, *(_with_interval(numbers, wording.COUNT) for numbers in each)))
    caption = (
        "Change in people in care from the baseline, mean of the last month of each financial year (95% interval of"
        f" the average): {setting.names[strategy]}"
    )
    return Table(caption, ("Tier", *last["financial_year"]), tuple(rows))


def cost_change_table(frame: pl.DataFrame, setting: Setting) -> Table:
    """Change in the cash budget from the baseline by who pays and financial year, with the 95 % interval of the average
    (``frame``: :func:`simcare.report.summaries.cost_changes`)."""
    rows = []
    for strategy, name in setting.titles.items():
        for measure, paid in PAID_BY.items():
            mine = frame.filter((pl.col("strategy") == strategy) & (pl.col("measure") == measure))
            each = mine.select("mean", "low", "high").iter_rows()
            rows.append((name, paid, *(_with_interval(numbers, wording.POUNDS) for numbers in each)))
    caption = "Change in the cash budget from the baseline by financial year (95% interval of the average)"
    return Table(caption, ("Strategy", "Paid by", *setting.years), tuple(rows), headers=2)


def moves_table(frame: pl.DataFrame, setting: Setting, strategy: str) -> Table:
    """Average moves a year from tier to tier with their range, and the baseline's average beside a strategy's
    (``frame``: :func:`simcare.report.summaries.moves`)."""
    titles, beside = places(setting.model), strategy != BASELINE
    order = {tier: k for k, tier in enumerate(titles)}
    rows = []
    for row in sorted(frame.iter_rows(named=True), key=lambda r: (order[r["from_tier"]], order[r["to_tier"]])):
        numbers = ranged(row["mean"], row["low"], row["high"], wording.COUNT)
        baseline = (wording.quantity(row["baseline"]),) if beside else ()
        rows.append((titles[row["from_tier"]], titles[row["to_tier"]], *numbers, *baseline))
    head = ("From", "To", "Moves a year", "Range over replications", *(("Baseline",) if beside else ()))
    caption = f"Average moves a year between tiers: {setting.names[strategy]}"
    return Table(caption, head, tuple(rows), headers=2)


def waits_table(frame: pl.DataFrame, setting: Setting, strategy: str) -> Table:
    """Waiting and the limits of capacity by financial year with its range: people (by life stage too), mean waits, and
    how often in the year (``frame``: :func:`simcare.report.limit_frames.limits`)."""
    mine = frame.filter(pl.col("strategy") == strategy)

    def cells(counted: str, measure: str) -> list[str]:
        return _ranges(limit_rows(mine, counted, measure, "financial_year"))

    rows = [("People, average", *row) for measure in STANDING for row in _standing(mine, setting, measure)]
    rows += [(MEAN_WAIT, wording.title(what), *cells(WAIT, queue)) for queue, what in QUEUE_CLASSES.items()]
    rows += [("Number a year", wording.shown_measure(times).label, *cells(OFTEN, times)) for times in TIMES]
    some = tuple(row for row in rows if set(row[2:]) - {"0", "–"})
    caption = f"Waiting and the limits of capacity by financial year: {setting.names[strategy]}"
    return Table(caption, ("Counted as", "What", *setting.years), some, headers=2)


def _standing(frame: pl.DataFrame, setting: Setting, measure: str) -> Iterator[tuple[str, ...]]:
    """People on average in each year: all, then those of each life stage if there are two or more."""

    def cells(stage: str | None = None) -> list[str]:
        return _ranges(limit_rows(frame, PEOPLE, measure, "financial_year", stage))

    yield STANDING[measure], *cells()
    staged = {stage.name: cells(stage.name) for stage in setting.model.stages} if measure in DRAWN_DAYS else {}
    some = {stage: texts for stage, texts in staged.items() if set(texts) != {"0"}}
    for stage, texts in some.items() if len(some) > 1 else ():
        yield f"{STANDING[measure]}: {stage}", *texts


def _ranges(frame: pl.DataFrame) -> list[str]:
    """Mean and range of each period as text; a dash where there is no mean.

    >>> _ranges(pl.DataFrame({"mean": [0.0151, 27.3, None], "low": [0.0138, 20.0, None], "high": [0.0177, 30.0, None]}))
    ['0.0151 (0.0138 to 0.0177)', '27.3 (20.0 to 30.0)', '–']
    """
    return [
        "–" if mean is None else wording.with_range(mean, low, high)
        for mean, low, high in frame.select("mean", "low", "high").iter_rows()
    ]
