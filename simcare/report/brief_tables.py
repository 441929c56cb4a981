"""Tables short enough for a terminal, of the frames that a run and a comparison write as ``summary.csv``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from simcare.model.strategy import Experiment, Strategy
from simcare.report import wording
from simcare.report.exhibit import Table
from simcare.report.wording import COUNT, PEOPLE, POUNDS, Estimate, quantity

ALWAYS = (
    "cost_council",
    "cost_health",
    "cost_client",
    "cost_pv",
    "dependency_days",
    "over_provided_days",
    "induced_need_days",
    "independent_days",
    "unmet_need_days",
)
OF_CONTRACTS = ("step_downs", "premature_releases", "readmissions_91")
OF_FAILURES = ("displaced", "spot_days", "queue_days")
YEARS_ACROSS = 5  # columns of years that fit a terminal


def brief_years_table(yearly: pl.DataFrame, caption: str) -> Table:
    """Cost and people in care by financial year, of the frame :func:`simcare.report.folders.yearly`."""
    rows = tuple(_year_row(str(year), part) for (year,), part in yearly.group_by("financial_year", maintain_order=True))
    return Table(caption, ("Year", "Council, cash", "Range", "NHS", "Clients", "In care"), rows)


def _year_row(year: str, part: pl.DataFrame) -> tuple[str, ...]:
    paid = part.filter(pl.col("stage").is_null())
    council, health, client = (
        next(paid.filter(pl.col("measure") == name).select("mean", "low", "high").iter_rows(), (0.0, None, None))
        for name in ("cost_council", "cost_health", "cost_client")
    )
    people = float(part.filter(pl.col("measure") == "caseload")["mean"].sum() or 0.0)
    value, low, high = wording.rounded_alike(Estimate.of(*council), POUNDS, signed=False)
    spread = f"{low} to {high}" if low else ""
    return (year, value, spread, quantity(health[0], POUNDS), quantity(client[0], POUNDS), quantity(people, PEOPLE))


def council_table(changes: pl.DataFrame, titles: Mapping[str, str]) -> tuple[Table, ...]:
    """What each strategy changes of the council's cash budget, year by year (``changes``:
    :func:`simcare.report.summaries.cost_changes`), in tables of five years."""
    mine = changes.filter(pl.col("measure") == "cost_council")
    years = mine["financial_year"].unique().sort().to_list()
    tables = []
    for k in range(0, len(years), YEARS_ACROSS):
        some = years[k : k + YEARS_ACROSS]
        rows = []
        for strategy, title in titles.items():
            found = {row["financial_year"]: row for row in mine.filter(pl.col("strategy") == strategy).to_dicts()}
            each = (Estimate.of(found[year]["mean"], found[year]["low"], found[year]["high"]) for year in some)
            rows.append((title, *(wording.rounded_alike(one, POUNDS)[0] for one in each)))
        tables.append(Table("Cost to the council, cash budget: change by year", ("", *some), tuple(rows)))
    return tuple(tables)


def measures_shown(experiment: Experiment) -> tuple[str, ...]:
    """The measures that a terminal shows of an experiment: a few always, others where its strategies are about them."""
    contracts = any(strategy.contracts for strategy in experiment.strategies)
    failures = any(strategy.failures for strategy in experiment.strategies)
    return (*ALWAYS, *(OF_CONTRACTS if contracts else ()), *(OF_FAILURES if failures else ()))


def difference_table(
    differences: pl.DataFrame, strategy: Strategy, measures: Sequence[str], with_spread: bool = False
) -> Table:
    """A strategy against the baseline, a row a measure; ``with_spread`` adds where nine in ten replications lie."""
    mine = differences.filter(pl.col("strategy") == strategy.name)
    each = {row["measure"]: row for row in mine.iter_rows(named=True)}
    rows = tuple(_difference_row(each[name], with_spread) for name in measures)
    head = ("", "Baseline", "Difference", wording.INTERVAL, *((wording.FUTURES,) if with_spread else ()))
    return Table(strategy.title, head, rows)


def _difference_row(row: Mapping[str, Any], with_spread: bool) -> tuple[str, ...]:
    about = wording.shown_measure(row["measure"])
    unit = POUNDS if about.unit == POUNDS else COUNT  # the label says days
    estimate = Estimate.of(row["difference"], row["low"], row["high"], row["baseline_mean"])
    value, low, high = wording.rounded_alike(estimate, unit)
    baseline = wording.rounded_alike(Estimate(row["baseline_mean"]), unit, signed=False)[0]
    spread = Estimate.of(row["difference"], row["spread_low"], row["spread_high"], row["baseline_mean"])
    wide = (wording.interval_words(spread, unit),) if with_spread else ()
    return (about.label, baseline, value, f"{low} to {high}" if low else "none", *wide)


__all__ = ["brief_years_table", "council_table", "difference_table", "measures_shown"]
