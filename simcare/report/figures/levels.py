"""Figures of one strategy: people in care over time, and cost by financial year."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go
import polars as pl

from simcare.model.strategy import BASELINE
from simcare.report import theme, wording
from simcare.report.setting import Setting
from simcare.report.theme import axis
from simcare.units import month_start, parsed_month, parsed_year, year_start


# ---- caseload
def caseload_figure(frame: pl.DataFrame, setting: Setting, stage: str, strategy: str = BASELINE) -> go.Figure:
    """People in care by tier over time in one life stage, a panel a tier, each with its own scale from zero.

    A strategy is drawn over the baseline. ``frame`` as :func:`simcare.report.summaries.caseload` gives it, of the
    strategy and of the baseline. Raises ValueError when nobody of the stage is in care.
    """
    tiers = setting.tiers
    months = frame.filter((pl.col("stage") == stage) & pl.col("month").is_not_null())
    shown, base = (months.filter(pl.col("strategy") == name) for name in (strategy, BASELINE))
    present = [t for t in tiers if t in set(shown.filter(pl.col("mean") > 0)["tier"])]
    if not present:
        raise ValueError(f"nobody of stage '{stage}' is in care in strategy '{strategy}'")
    by_demand = int(shown["demand_low"].is_not_null().any())
    fig = theme.figure(
        f"People in care by tier, {stage}, {setting.period}: {setting.names[strategy]}",
        _caseload_alt(shown, present, setting, stage, strategy),
        *tier_panels(len(present), (2 if strategy == BASELINE else 3) + by_demand),
    )
    for k, tier in enumerate(present):
        line, before = (rows.filter(pl.col("tier") == tier) for rows in (shown, base))
        top = _bands(fig, k, line, strategy, setting.range_short)
        if strategy != BASELINE:
            _baseline_line(fig, k, before)
            top += before["mean"].to_list()
        _caseload_line(fig, k, line, strategy)
        fig.update_layout(
            {axis("y", k): theme.ticks(0, max(top), wording.COUNT, 4), axis("x", k): year_ticks(setting.years, 3)}
        )
        theme.panel_title(fig, k, tiers[tier], "people")
    return fig


def _bands(fig: go.Figure, k: int, line: pl.DataFrame, strategy: str, name: str) -> list[float]:
    """The range over replications and demand's part of it, where they are known; all heights that are drawn."""
    months, fill = month_middles(line), colours(strategy)[1]
    if line["low"].null_count() == 0:
        theme.band(fig, k, months, line["low"].to_list(), line["high"].to_list(), fill, name, k == 0)
    if line["demand_low"].null_count() == 0:
        least = [max(low, 0.0) for low in line["demand_low"]]
        theme.band(fig, k, months, least, line["demand_high"].to_list(), theme.PALE_PURPLE, "Demand's part", k == 0)
    return [*line["mean"], *line["high"].drop_nulls(), *line["demand_high"].drop_nulls()]


def _baseline_line(fig: go.Figure, k: int, before: pl.DataFrame) -> None:
    """The baseline under a strategy, dotted."""
    fig.add_scatter(
        x=month_middles(before),
        y=before["mean"],
        name="Baseline, average",
        line={"color": theme.INK, "width": 1.6, "dash": "dot"},
        showlegend=k == 0,
        **theme.hover(before["mean"], "%{customdata} (baseline)", wording.PEOPLE),
        mode="lines",
        **theme.panel_axes(k),
    )


def _caseload_line(fig: go.Figure, k: int, line: pl.DataFrame, strategy: str) -> None:
    """The average of the strategy that is shown."""
    fig.add_scatter(
        x=month_middles(line),
        y=line["mean"],
        name="Baseline, average" if strategy == BASELINE else "Strategy, average",
        line={"color": colours(strategy)[0], "width": 2.4},
        showlegend=k == 0,
        **theme.hover(line["mean"], "%{customdata}, %{x|%B %Y}", wording.PEOPLE),
        mode="lines",
        **theme.panel_axes(k),
    )


def colours(strategy: str) -> tuple[str, str]:
    """The colours of a line and of its band."""
    return (theme.QUIET, theme.PALE_GREY) if strategy == BASELINE else (theme.BLUE, "rgba(0,114,178,0.22)")


def month_middles(rows: pl.DataFrame) -> list[dt.date]:
    """The middle of each month: what is drawn is its mean."""
    return [month_start(parsed_month(month)).replace(day=15) for month in rows["month"]]


def tier_panels(count: int, legend: int) -> tuple[theme.Panels, theme.Panels, theme.Panels]:
    """A row of tiers on a screen; two across on a phone, three on paper."""
    wide = theme.Panels(
        count, max(3, count), panel_px=150, top_px=theme.legend_px(legend, 3), bottom_px=32, column_gap=0.045
    )
    narrow = theme.Panels(
        count, 2, panel_px=120, top_px=theme.legend_px(legend + 1, 1), bottom_px=32, row_gap_px=78, column_gap=0.16
    )
    middle = theme.Panels(
        count, 3, panel_px=100, top_px=theme.legend_px(legend, 3), bottom_px=32, row_gap_px=78, column_gap=0.09
    )
    return wide, narrow, middle


def year_ticks(years: Sequence[str], most: int) -> dict[str, Any]:
    """A label in the middle of each financial year (or of every second, third … so that at most ``most`` are shown)."""
    every = -(-len(years) // most)
    starts = [parsed_year(year) for year in years]
    middles = [dt.date(start, 10, 1) for start in starts[::every]]
    edges = [year_start(starts[0]), year_start(starts[-1] + 1)]
    return {
        "tickmode": "array",
        "tickvals": middles,
        "ticktext": [short(y) for y in years[::every]],
        "tickangle": 0,
        "range": edges,
    }


def short(year: str) -> str:
    """``2013/14`` as ``13/14``: the title names the years in full."""
    return year[2:]


def _caseload_alt(rows: pl.DataFrame, present: Sequence[str], setting: Setting, stage: str, strategy: str) -> str:
    said = []
    for tier in present:
        mean = rows.filter(pl.col("tier") == tier).sort("month")["mean"]
        said.append(f"{setting.tiers[tier]} from {wording.quantity(mean[0])} to {wording.quantity(mean[-1])} people")
    start = f"Lines over time: people in care in {stage}, {setting.period}, {setting.names[strategy]}"
    return f"{start}. First and last month: {'; '.join(said)}."


# ---- cost
def cost_figure(frame: pl.DataFrame, setting: Setting, strategy: str = BASELINE) -> go.Figure:
    """Cost by financial year in the cash budget, to the council and in all: all stages together, then a panel for each
    life stage.

    ``frame`` as :func:`simcare.report.summaries.costs` gives it, of the strategy and of the baseline.
    """
    cash = _cost_rows(frame, strategy, "cost_council")
    with_cost = set(cash.filter(pl.col("mean") > 0)["stage"].drop_nulls())
    panels: list[str | None] = [None, *(s.name for s in setting.model.stages if s.name in with_cost)]
    fig = theme.figure(
        f"Cost by financial year and life stage, {setting.period}: {setting.names[strategy]}",
        _cost_alt(_of_stage(cash, None), setting, strategy),
        *_cost_layouts(len(panels), 4 if strategy == BASELINE else 5),
    )
    for k, stage in enumerate(panels):
        _cost_panel(fig, k, frame, setting, strategy, stage)
    whisker_legend(fig, setting.range_short)
    if cash["demand_low"].is_not_null().any():
        line = {"color": theme.PURPLE, "width": 3}
        fig.add_scatter(x=[None], y=[None], mode="lines", name="Demand's part", line=line)
    return fig


def _cost_layouts(count: int, legend: int) -> tuple[theme.Panels, theme.Panels, theme.Panels]:
    """Three panels in a row on a screen and on paper, one on a phone."""

    def grid(columns: int, px: int, across: int, gap: float = 0.05) -> theme.Panels:
        top = theme.legend_px(legend, across)
        return theme.Panels(count, columns, panel_px=px, top_px=top, bottom_px=32, column_gap=gap, row_gap_px=84)

    return grid(3, 170, 4, 0.07), grid(1, 150, 2), grid(3, 150, 4, 0.09)


def _cost_panel(
    fig: go.Figure, k: int, frame: pl.DataFrame, setting: Setting, strategy: str, stage: str | None
) -> None:
    """Two bars a year, and a mark where the baseline's first would end."""
    tops: list[float] = []
    for measure, what, shift, colour in (
        ("cost_council", "To the council", -0.2, theme.BLUE),
        ("cost", "In all, with the NHS and clients", 0.2, theme.SKY),
    ):
        rows = _of_stage(_cost_rows(frame, strategy, measure), stage)
        tops += [*rows["mean"], *rows["high"].drop_nulls(), *rows["demand_high"].drop_nulls()]
        _bars(fig, k, rows, setting.years, shift, colour, what)
    if strategy != BASELINE:
        before = _of_stage(_cost_rows(frame, BASELINE, "cost_council"), stage)
        tops += before["mean"].to_list()
        _baseline_marks(fig, k, before, setting.years)
    heights, years = theme.ticks(0, max(tops), wording.POUNDS, 4), category_ticks(setting.years, 6)
    fig.update_layout({axis("y", k): heights, axis("x", k): years})
    theme.panel_title(fig, k, wording.title(stage or "All life stages"), "£ a year")


def _baseline_marks(fig: go.Figure, k: int, before: pl.DataFrame, years: Sequence[str]) -> None:
    fig.add_scatter(
        x=[years.index(y) - 0.2 for y in before["financial_year"]],
        y=before["mean"],
        mode="markers",
        marker={"symbol": "line-ew-open", "size": 20, "color": theme.INK, "line": {"width": 2, "color": theme.INK}},
        name="Baseline, to the council",
        showlegend=k == 0,
        hoverinfo="skip",
        **theme.panel_axes(k),
    )


def _cost_rows(frame: pl.DataFrame, strategy: str, measure: str) -> pl.DataFrame:
    return frame.filter((pl.col("strategy") == strategy) & (pl.col("measure") == measure))


def _of_stage(frame: pl.DataFrame, stage: str | None) -> pl.DataFrame:
    return frame.filter(pl.col("stage").eq_missing(pl.lit(stage, dtype=pl.String))).sort("financial_year")


def _bars(
    fig: go.Figure, k: int, rows: pl.DataFrame, years: Sequence[str], shift: float, colour: str, legend: str
) -> None:
    means = rows["mean"].to_list()
    up = [(high if high is not None else mean) - mean for high, mean in zip(rows["high"], means, strict=True)]
    down = [mean - (low if low is not None else mean) for low, mean in zip(rows["low"], means, strict=True)]
    texts = [
        wording.rounded_alike(wording.Estimate.of(m, lo, hi), wording.POUNDS, signed=False)[0]
        for m, lo, hi in rows.select("mean", "low", "high").iter_rows()
    ]
    fig.add_bar(
        x=[years.index(y) + shift for y in rows["financial_year"]],
        y=means,
        width=0.36,
        marker={"color": colour},
        name=legend,
        legendgroup=legend,
        showlegend=k == 0,
        **theme.panel_axes(k),
        customdata=texts,
        hovertemplate=f"%{{customdata}} ({legend})<extra></extra>",
        error_y={"type": "data", "array": up, "arrayminus": down, "color": theme.INK, "thickness": 1.3, "width": 2},
    )
    for row in rows.drop_nulls("demand_low").iter_rows(named=True):
        x, y = years.index(row["financial_year"]) + shift + 0.1, [row["demand_low"], row["demand_high"]]
        line = {"color": theme.PURPLE, "width": 3}
        fig.add_scatter(
            x=[x, x], y=y, mode="lines", line=line, showlegend=False, hoverinfo="skip", **theme.panel_axes(k)
        )


def whisker_legend(fig: go.Figure, name: str) -> None:
    mark = {"symbol": "line-ns-open", "size": 13, "color": theme.INK, "line": {"width": 1.6, "color": theme.INK}}
    fig.add_scatter(x=[None], y=[None], mode="markers", marker=mark, name=name)


def category_ticks(years: Sequence[str], most: int) -> dict[str, Any]:
    every = -(-len(years) // most)
    values = list(range(0, len(years), every))
    return {
        "tickmode": "array",
        "tickvals": values,
        "ticktext": [short(years[v]) for v in values],
        "tickangle": 0,
        "range": [-0.6, len(years) - 0.4],
    }


def _cost_alt(total: pl.DataFrame, setting: Setting, strategy: str) -> str:
    said = [
        f"{year} {wording.rounded_alike(wording.Estimate.of(*each), wording.POUNDS, signed=False)[0]}"
        for year, *each in total.select("financial_year", "mean", "low", "high").iter_rows()
    ]
    start = f"Bars with ranges: cost by financial year and life stage, {setting.period}, {setting.names[strategy]}"
    return f"{start}. All life stages, cash budget: {'; '.join(said)}."
