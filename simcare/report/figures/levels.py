"""Figures of one strategy: people in care over time, and cost by financial year."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go
import polars as pl

from simcare.model.model import Model
from simcare.report import summaries, theme, wording
from simcare.report.theme import axis
from simcare.units import month_start, parsed_month, parsed_year, year_start

BASELINE = "baseline"


# ---- caseload
def caseload_figure(
    measures: pl.DataFrame, model: Model, stage: str, strategy: str = BASELINE, name: str = "Baseline"
) -> go.Figure:
    """People in care by tier over time in one life stage, a panel a tier, each with its own scale from nought.

    A strategy is drawn over the baseline. Raises ValueError when nobody of the stage is in care.
    """
    tiers = wording.tier_titles(model)
    shown = summaries.caseload_by_month(measures, strategy).filter(pl.col("stage") == stage)
    base = (
        shown
        if strategy == BASELINE
        else summaries.caseload_by_month(measures, BASELINE).filter(pl.col("stage") == stage)
    )
    present = [t for t in tiers if t in set(shown.filter(pl.col("mean") > 0)["tier"])]
    if not present:
        raise ValueError(f"nobody of stage '{stage}' is in care in strategy '{strategy}'")
    years = summaries.financial_years(measures)
    runs = summaries.replications(measures, strategy).height
    by_demand = int(shown["demand_low"].is_not_null().any())
    wide, narrow, middle = tier_panels(len(present), (2 if strategy == BASELINE else 3) + by_demand)
    alt = _caseload_alt(shown, present, tiers, stage, wording.horizon_words(years), name)
    fig = theme.figure(
        f"People in care by tier, {stage}, {wording.horizon_words(years)}: {name}", alt, wide, narrow, middle
    )
    colour, fill = colours(strategy)
    for k, tier in enumerate(present):
        line = shown.filter(pl.col("tier") == tier)
        months = month_middles(line)
        place = {"xaxis": axis("x", k, True), "yaxis": axis("y", k, True), "mode": "lines"}
        if line["low"].null_count() == 0:
            theme.band(
                fig, k, months, line["low"].to_list(), line["high"].to_list(), fill, summaries.range_short(runs), k == 0
            )
        if line["demand_low"].null_count() == 0:
            least = [max(low, 0.0) for low in line["demand_low"]]
            theme.band(fig, k, months, least, line["demand_high"].to_list(), theme.PALE_PURPLE, "Demand's part", k == 0)
        top = [*line["mean"], *line["high"].drop_nulls(), *line["demand_high"].drop_nulls()]
        if strategy != BASELINE:
            before = base.filter(pl.col("tier") == tier)
            top += before["mean"].to_list()
            dashed = {"color": theme.INK, "width": 1.6, "dash": "dot"}
            fig.add_scatter(
                x=month_middles(before),
                y=before["mean"],
                name="Baseline, average",
                line=dashed,
                showlegend=k == 0,
                hovertemplate="%{y:,.0f} (baseline)<extra></extra>",
                **place,
            )
        hover = "%{y:,.0f} people, %{x|%B %Y}<extra></extra>"
        fig.add_scatter(
            x=months,
            y=line["mean"],
            name="Baseline, average" if strategy == BASELINE else "Strategy, average",
            line={"color": colour, "width": 2.4},
            showlegend=k == 0,
            hovertemplate=hover,
            **place,
        )
        fig.update_layout(
            {axis("y", k): theme.ticks(0, max(top), wording.COUNT, 4), axis("x", k): year_ticks(years, 3)}
        )
        theme.panel_title(fig, k, tiers[tier], "people")
    return fig


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


def _caseload_alt(
    rows: pl.DataFrame, present: Sequence[str], tiers: Mapping[str, str], stage: str, years: str, name: str
) -> str:
    said = []
    for tier in present:
        mean = rows.filter(pl.col("tier") == tier).sort("month")["mean"]
        said.append(f"{tiers[tier]} from {wording.quantity(mean[0])} to {wording.quantity(mean[-1])} people")
    return f"Lines over time: people in care in {stage}, {years}, {name}. First and last month: {'; '.join(said)}."


def cost_figure(measures: pl.DataFrame, model: Model, strategy: str = BASELINE, name: str = "Baseline") -> go.Figure:
    """Cost by financial year in cash and in constant prices: all stages together, then a panel for each life stage."""
    frames = {m: summaries.cost_by_year(measures, strategy, m) for m in ("cost", "cost_real")}
    base = None if strategy == BASELINE else summaries.cost_by_year(measures, BASELINE, "cost")
    years = summaries.financial_years(measures)
    with_cost = set(frames["cost"].filter(pl.col("mean") > 0)["stage"].drop_nulls())
    panels: list[str | None] = [None, *(s.name for s in model.stages if s.name in with_cost)]
    legend = 4 if strategy == BASELINE else 5
    wide = theme.Panels(
        len(panels), 3, panel_px=170, top_px=theme.legend_px(legend, 4), bottom_px=32, column_gap=0.07, row_gap_px=84
    )
    narrow = theme.Panels(len(panels), 1, panel_px=150, top_px=theme.legend_px(legend, 2), bottom_px=32, row_gap_px=84)
    middle = theme.Panels(
        len(panels), 3, panel_px=150, top_px=theme.legend_px(legend, 4), bottom_px=32, column_gap=0.09, row_gap_px=84
    )
    runs = summaries.replications(measures, strategy).height
    alt = _cost_alt(frames["cost"].filter(pl.col("stage").is_null()), wording.horizon_words(years), name)
    fig = theme.figure(
        f"Cost by financial year and life stage, {wording.horizon_words(years)}: {name}", alt, wide, narrow, middle
    )
    bars = (("cost", "Cash", -0.2, theme.BLUE), ("cost_real", f"{model.prices.base_year} prices", 0.2, theme.SKY))
    for k, stage in enumerate(panels):
        tops: list[float] = []
        for measure, what, shift, colour in bars:
            rows = _of_stage(frames[measure], stage)
            tops += [*rows["mean"], *rows["high"].drop_nulls(), *rows["demand_high"].drop_nulls()]
            _bars(fig, k, rows, years, shift, colour, what)
        if base is not None:
            before = _of_stage(base, stage)
            tops += before["mean"].to_list()
            x = [years.index(y) - 0.2 for y in before["financial_year"]]
            mark = {"symbol": "line-ew-open", "size": 20, "color": theme.INK, "line": {"width": 2, "color": theme.INK}}
            fig.add_scatter(
                x=x,
                y=before["mean"],
                mode="markers",
                marker=mark,
                name="Baseline, cash",
                showlegend=k == 0,
                hoverinfo="skip",
                xaxis=axis("x", k, True),
                yaxis=axis("y", k, True),
            )
        fig.update_layout(
            {axis("y", k): theme.ticks(0, max(tops), wording.POUNDS, 4), axis("x", k): category_ticks(years, 6)}
        )
        theme.panel_title(fig, k, wording.title(stage or "All life stages"), "£ a year")
    whisker_legend(fig, summaries.range_short(runs))
    if frames["cost"]["demand_low"].is_not_null().any():
        fig.add_scatter(
            x=[None], y=[None], mode="lines", name="Demand's part", line={"color": theme.PURPLE, "width": 3}
        )
    return fig


def _of_stage(frame: pl.DataFrame, stage: str | None) -> pl.DataFrame:
    return frame.filter(pl.col("stage").eq_missing(pl.lit(stage, dtype=pl.String))).sort("financial_year")


def _bars(fig: go.Figure, k: int, rows: pl.DataFrame, years: list[str], shift: float, colour: str, legend: str) -> None:
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
        xaxis=axis("x", k, True),
        yaxis=axis("y", k, True),
        customdata=texts,
        hovertemplate=f"%{{customdata}} ({legend})<extra></extra>",
        error_y={"type": "data", "array": up, "arrayminus": down, "color": theme.INK, "thickness": 1.3, "width": 2},
    )
    for row in rows.drop_nulls("demand_low").iter_rows(named=True):
        x, y = years.index(row["financial_year"]) + shift + 0.1, [row["demand_low"], row["demand_high"]]
        line = {"color": theme.PURPLE, "width": 3}
        place = {"xaxis": axis("x", k, True), "yaxis": axis("y", k, True)}
        fig.add_scatter(x=[x, x], y=y, mode="lines", line=line, showlegend=False, hoverinfo="skip", **place)


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


def _cost_alt(total: pl.DataFrame, years: str, name: str) -> str:
    said = [
        f"{row['financial_year']}"
        f" {wording.rounded_alike(wording.Estimate.of(row['mean'], row['low'], row['high']), wording.POUNDS, signed=False)[0]}"
        for row in total.sort("financial_year").iter_rows(named=True)
    ]
    return (
        f"Bars with ranges: cost by financial year and life stage, {years}, {name}. All life stages, cash:"
        f" {'; '.join(said)}."
    )
