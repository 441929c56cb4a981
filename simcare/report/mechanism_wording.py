"""What an explanation found, in plain sentences; each names its period."""

from __future__ import annotations

from typing import Any

import polars as pl

from simcare.mechanisms.shares import GENUINE, TOGETHER, TOTAL, Explanation, Plan
from simcare.mechanisms.switches import Mechanism
from simcare.model.strategy import BASELINE
from simcare.report import wording
from simcare.report.wording import INTERVAL, POUNDS, Estimate

HEADLINE = "cost_pv"
REMAINDER = "Underlying need-driven demand, prices and programme cost"


def part_names(plan: Plan) -> dict[str, str]:
    """What each part is called, in the order of a table: underlying need-driven demand, the mechanisms, all mechanisms
    together, the total."""
    return {
        GENUINE: "Underlying need-driven demand",
        **{m.name: m.title for m in plan.mechanisms},
        TOGETHER: "All mechanisms together",
        TOTAL: "Total",
    }


def plan_period(plan: Plan) -> str:
    """The horizon in words: financial years where it begins with one.

    >>> from simcare.mechanisms.shares import plan
    >>> plan_period(plan("kent-2013", years=2))
    '2013/14 to 2014/15'
    """
    start = plan.model.about.start
    if (start.month, start.day) == (4, 1):
        return wording.horizon_words(
            [f"{year}/{(year + 1) % 100:02d}" for year in range(start.year, start.year + plan.years)]
        )
    return (
        f"the year from {wording.date(start)}"
        if plan.years == 1
        else f"the {wording.count_words(plan.years)} years from {wording.date(start)}"
    )


def row_of(frame: pl.DataFrame, strategy: str, measure: str, part: str) -> dict[str, Any]:
    """The one row of ``shares`` or ``moved`` for a strategy, measure and part."""
    found: dict[str, Any] = frame.row(
        by_predicate=(pl.col("strategy") == strategy) & (pl.col("measure") == measure) & (pl.col("part") == part),
        named=True,
    )
    return found


def estimate_of(shares: pl.DataFrame, strategy: str, measure: str, part: str, column: str = "mean") -> Estimate:
    """A share with its interval; ``column`` "alone" or "only" gives those of one switch."""
    row = row_of(shares, strategy, measure, part)
    low, high = ("low", "high") if column == "mean" else (f"{column}_low", f"{column}_high")
    return Estimate.of(row[column], row[low], row[high], row_of(shares, strategy, measure, TOTAL)["mean"])


def moved_estimate(moved: pl.DataFrame, strategy: str, part: str) -> Estimate:
    """What a part of total cost moved by under a strategy, with its interval."""
    row = row_of(moved, strategy, HEADLINE, part)
    beside = row_of(moved, strategy, HEADLINE, TOTAL)["baseline_mean"]
    return Estimate.of(row["mean"], row["low"], row["high"], beside)


def explanation_sentences(found: Explanation) -> list[str]:
    """The findings: the baseline, each mechanism's share of its cost, and why cost moved under each strategy."""
    plan = found.plan
    said = [_baseline(found.shares, plan), *(_mechanism(found.shares, plan, m) for m in plan.mechanisms)]
    return said + [_moved(found.moved, plan, name) for name in plan.titles if name != BASELINE]


def _baseline(shares: pl.DataFrame, plan: Plan) -> str:
    of = plan_period(plan)
    total, genuine, together = (estimate_of(shares, BASELINE, HEADLINE, part) for part in (TOTAL, GENUINE, TOGETHER))
    count = len(plan.mechanisms)
    off = (
        "with its one mechanism of induced demand switched off"
        if count == 1
        else f"with all {wording.count_words(count)} mechanisms switched off"
    )
    what = "the mechanism" if count == 1 else "the mechanisms together"
    s = "s" if count == 1 else ""
    add = {
        "higher": f"{what} add{s} {_sized(together)}",
        "lower": f"{what} take{s} {_sized(together)} away",
        "unclear": f"{what} make{s} no clear difference, {_signed(together)}",
        "none": f"{what} make{s} no difference at all",
    }[together.verdict]
    return (
        f"The NPV (Green Book) of total cost over {of} is {_sized(total)}; {off} it would be {_sized(genuine)}, "
        f"what the model counts as underlying need-driven demand: {add}."
    )


def _mechanism(shares: pl.DataFrame, plan: Plan, mechanism: Mechanism) -> str:
    """One plain sentence for the share of a mechanism, and what its switch alone would do."""
    of, row = plan_period(plan), row_of(shares, BASELINE, HEADLINE, mechanism.name)
    share, alone = (estimate_of(shares, BASELINE, HEADLINE, mechanism.name, column) for column in ("mean", "alone"))
    total = wording.rounded_alike(estimate_of(shares, BASELINE, HEADLINE, TOTAL), POUNDS, signed=False)[0]
    if share.verdict == "none":
        return f"{mechanism.title} makes no difference at all to cost over {of}."
    if share.verdict == "unclear":
        first = f"{mechanism.title} makes no clear difference to the cost of {total} over {of}: {_signed(share)}"
    elif share.verdict == "higher":
        first = (
            f"Of {total} of cost over {of}, {_sized(share)}, {_percent(row['share'])}, is the share of"
            f" {mechanism.title.lower()}: it would not be there if {mechanism.if_not}"
        )
    else:
        first = (
            f"{mechanism.title} avoids {_sized(share)} of cost over {of}, {_percent(-(row['share'] or 0.0))} of the"
            f" total of {total}: it would be spent if {mechanism.if_not}"
        )
    return f"{first}. {_alone(alone, of)}" if len(plan.mechanisms) > 1 else f"{first}."


def _alone(alone: Estimate, of: str) -> str:
    if alone.verdict == "none":
        return f"Its switch alone, the others left on, changes nothing in cost over {of}."
    if alone.verdict == "unclear":
        return (
            f"Its switch alone, the others left on, makes no clear difference to cost over {of}:"
            f" {_signed(_negative(alone))}."
        )
    way = "lowers" if alone.value > 0 else "raises"
    return f"Its switch alone, the others left on, {way} cost over {of} by {_sized(alone)}."


def _moved(moved: pl.DataFrame, plan: Plan, strategy: str) -> str:
    """Why cost moved under one strategy, the parts that are clear first."""
    names = part_names(plan) | {GENUINE: REMAINDER}
    rows = {part: moved_estimate(moved, strategy, part) for part in (GENUINE, *(m.name for m in plan.mechanisms))}
    total = moved_estimate(moved, strategy, TOTAL)
    clear = [
        f"{_lower(names[part])} {_signed(estimate)}"
        for part, estimate in rows.items()
        if estimate.verdict in ("higher", "lower")
    ]
    rest = [_lower(names[part]) for part, estimate in rows.items() if estimate.verdict in ("unclear", "none")]
    first = f"Over {plan_period(plan)}, “{plan.titles[strategy]}” changes cost by {_signed(total)}"
    if total.verdict == "unclear":
        first += ", no clear difference"
    said = f"{first}: {wording.listed(clear)}" if clear else first
    return f"{said}; there is no clear change in {wording.listed(rest, 'or')}." if rest else f"{said}."


def _negative(estimate: Estimate) -> Estimate:
    return Estimate(
        -estimate.value,
        None if estimate.high is None else -estimate.high,
        None if estimate.low is None else -estimate.low,
    )


def _sized(estimate: Estimate) -> str:
    """The size of what is on one side of zero, with its interval: the verb says which way."""
    sized = estimate if estimate.value >= 0 else _negative(estimate)
    value, low, high = wording.rounded_alike(sized, POUNDS, signed=False)
    return f"{value} ({INTERVAL} {low} to {high})" if low else value


def _signed(estimate: Estimate) -> str:
    value, low, high = wording.rounded_alike(estimate, POUNDS)
    return f"{value} ({INTERVAL} {low} to {high})" if low else value


def _percent(share: float | None) -> str:
    """
    >>> _percent(0.0173)
    '1.73%'
    """
    return "" if share is None else wording.share(share)


def _lower(name: str) -> str:
    return name[:1].lower() + name[1:]
