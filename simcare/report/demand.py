"""The report's section on demand: what each driver knew, and what the replications met."""

from __future__ import annotations

from collections.abc import Iterator

import plotly.graph_objects as go
import polars as pl

from simcare.measures.spread_parts import INDEX
from simcare.model import Model
from simcare.model.demand import DemandDriver, base_months
from simcare.report import summaries, tables, wording
from simcare.report.figures.paths import demand_paths, paths_of
from simcare.report.tables import Table
from simcare.units import month_name, parsed_month


def drivers(model: Model, measures: pl.DataFrame, period: str, runs: int) -> Iterator[tuple[go.Figure, str, Table]]:
    """For each driver that arrivals follow: its figure, the note below it, and its table."""
    base = base_months(model.about.start)
    for driver in model.drivers:
        index = INDEX + driver.name
        if driver.first is None or measures.filter(pl.col("measure") == index).is_empty():
            continue
        paths = paths_of(driver, measures, index, base)
        title = f"{driver.title or wording.title(driver.name)}: known, and as the replications met it, {period}"
        yield (
            demand_paths(driver, paths, title),
            _note(model, driver, base, runs),
            _table(paths, driver.title or driver.name),
        )


def _note(model: Model, driver: DemandDriver, base: range, runs: int) -> str:
    assert driver.first is not None
    known = f"{driver.first} to {month_name(parsed_month(driver.first) + len(driver.counts) - 1)}"
    who = wording.listed([row.name for row in model.arrivals if row.driver == driver.name])
    pooled = f", pooled with {len(driver.neighbours)} other areas" if driver.neighbours else ""
    return (
        f"New people among {who} follow it: in the base year, {month_name(base[0])} to {month_name(base[-1])}, as"
        f" many come as the file says. The driver is fitted to the counts of {known}{pooled}; each replication meets"
        f" one path of its own. Band: {summaries.range_words(runs)}."
    )


def _table(paths: pl.DataFrame, name: str) -> Table:
    """The path of a demand driver by financial year, in counts a month: mean over the year, and its range over
    replications by month."""
    years = (
        summaries.with_year(paths)
        .group_by("financial_year")
        .agg(pl.col("mean", "low", "high").mean())
        .sort("financial_year")
    )
    rows = [
        (row["financial_year"], *tables.ranged(row["mean"], row["low"], row["high"], wording.COUNT))
        for row in years.iter_rows(named=True)
    ]
    return Table(
        f"{name}: a month, mean of each year, and the mean of its months' ranges",
        ("Financial year", "Mean", "Range"),
        tuple(rows),
        headers=1,
    )


__all__ = ["drivers"]
