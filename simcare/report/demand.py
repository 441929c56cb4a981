"""The report's section on demand: what each driver knew, and what the replications met."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from simcare.measures.spread_parts import DEMAND
from simcare.model.demand import DemandDriver, base_months
from simcare.model.strategy import BASELINE
from simcare.report import summaries, tables, wording
from simcare.report.exhibit import Exhibit, Table, exhibit_name
from simcare.report.figures import demand_paths_figure
from simcare.report.frames import Frames
from simcare.report.page import Section
from simcare.report.setting import Setting
from simcare.units import month_name, parsed_month


def demand_section(frames: Frames) -> Section | None:
    """An exhibit for each driver that arrivals follow; None where there is none."""
    shown = list(driver_exhibits(frames.given.drawn, frames.setting))
    return Section(f"Demand, {frames.setting.period}", shown, key="demand") if shown else None


def driver_exhibits(drawn: pl.DataFrame, setting: Setting) -> Iterator[Exhibit]:
    """What each driver knew, and its path as the replications met it."""
    base = base_months(setting.model.about.start)
    for driver in setting.model.drivers:
        path = drawn.filter((pl.col("kind") == DEMAND) & (pl.col("name") == driver.name))
        if driver.first is None or path.is_empty():
            continue
        frame = paths_of(driver, path, base)
        name = driver.title or wording.title(driver.name)
        title = f"{name}: known, and as the replications met it, {setting.period}"
        figure = demand_paths_figure(frame, driver, title)
        table = demand_paths_table(frame, driver.title or driver.name)
        note = _note(setting, driver, base)
        yield Exhibit(exhibit_name("demand", driver.name), title, frame, table, figure, note=note)


def _note(setting: Setting, driver: DemandDriver, base: range) -> str:
    assert driver.first is not None
    known = f"{driver.first} to {month_name(parsed_month(driver.first) + len(driver.counts) - 1)}"
    who = wording.listed([row.name for row in setting.model.arrivals if row.driver == driver.name])
    pooled = f", pooled with {len(driver.neighbours)} other areas" if driver.neighbours else ""
    return (
        f"New people among {who} follow it: in the base year, {month_name(base[0])} to {month_name(base[-1])}, as"
        f" many come as the file says. The driver is fitted to the counts of {known}{pooled}; each replication meets"
        f" one path of its own. Band: {setting.range_words}."
    )


def paths_of(driver: DemandDriver, drawn: pl.DataFrame, base: range) -> pl.DataFrame:
    """The paths of a driver in counts a month: mean and range over replications of its index in the baseline
    (``drawn``), times the base year's mean count."""
    assert driver.first is not None
    first = parsed_month(driver.first)
    counts = [driver.counts[m - first] for m in base]
    known = [count for count in counts if count is not None]
    rows = drawn.filter(pl.col("strategy") == BASELINE).with_columns(pl.col("value") * (sum(known) / len(known)))
    return summaries.over_replications(rows.select("month", "replication", "value"), ["month"])


def demand_paths_table(frame: pl.DataFrame, name: str) -> Table:
    """The path of a demand driver by financial year, in counts a month: mean over the year, and its range over
    replications by month."""
    years = (
        summaries.with_year(frame)
        .group_by("financial_year")
        .agg(pl.col("mean", "low", "high").mean())
        .sort("financial_year")
    )
    rows = tuple(
        (row["financial_year"], *tables.ranged(row["mean"], row["low"], row["high"], wording.COUNT))
        for row in years.iter_rows(named=True)
    )
    caption = f"{name}: a month, mean of each year, and the mean of its months' ranges"
    return Table(caption, ("Financial year", "Mean", "Range"), rows)
