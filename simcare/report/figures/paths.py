"""The figure of a demand driver in a run: the counts that were known, and the paths that the replications met."""

from __future__ import annotations

import plotly.graph_objects as go
import polars as pl

from simcare.model.demand import DemandDriver
from simcare.report import summaries, theme, wording
from simcare.units import month_name, month_start, parsed_month


def demand_paths(driver: DemandDriver, paths: pl.DataFrame, title: str) -> go.Figure:
    """Known counts of a driver and its path over the horizon: mean and range over replications (columns month, mean,
    low, high, in counts)."""
    assert driver.first is not None
    first = parsed_month(driver.first)
    known = [month_start(first + k) for k in range(len(driver.counts))]
    ahead = [month_start(parsed_month(m)) for m in paths["month"]]
    wide = theme.Panels(1, 1, panel_px=240, top_px=theme.legend_px(3, 3), bottom_px=40)
    narrow = theme.Panels(1, 1, panel_px=200, top_px=theme.legend_px(4, 2), bottom_px=40)
    last = paths.row(-1, named=True)
    said = f"{last['month']}: mean {last['mean']:,.0f}" + (
        "" if last["low"] is None else f", {last['low']:,.0f} to {last['high']:,.0f}"
    )
    alt = (
        f"A line of {len(known)} known monthly counts to {month_name(first + len(known) - 1)}, then the mean and range"
        f" of the replications. {said}."
    )
    fig = theme.figure(title, alt, wide, narrow)
    low, high = (paths[c].fill_null(paths["mean"]) for c in ("low", "high"))
    if paths["low"].is_not_null().any():
        theme.band(
            fig, 0, ahead, low.to_list(), high.to_list(), "rgba(0,114,178,0.22)", "Range of replications", legend=True
        )
    hover = "%{x|%B %Y}: %{y:,.0f}<extra></extra>"
    fig.add_scatter(
        x=known,
        y=list(driver.counts),
        mode="lines",
        line={"color": theme.INK, "width": 1.8},
        name="Known",
        hovertemplate=hover,
    )
    mean = paths["mean"].to_list()
    fig.add_scatter(
        x=ahead,
        y=mean,
        mode="lines",
        line={"color": theme.BLUE, "width": 2.2},
        name="Mean of replications",
        hovertemplate=hover,
    )
    top = max([*(c for c in driver.counts if c is not None), *high.to_list()])
    fig.update_layout(
        {
            "yaxis": theme.ticks(0.0, top, wording.COUNT, 4),
            "xaxis": {"range": [known[0], ahead[-1]], "tickformat": "%b<br>%Y", "nticks": 8},
        }
    )
    theme.panel_title(fig, 0, "Count", "a month")
    return fig


def paths_of(driver: DemandDriver, measures: pl.DataFrame, index: str, base: range) -> pl.DataFrame:
    """The paths of a driver in counts a month: mean and range over replications of the measure ``index``, times the
    base year's mean count."""
    assert driver.first is not None
    first = parsed_month(driver.first)
    counts = [driver.counts[m - first] for m in base]
    known = [count for count in counts if count is not None]
    rows = measures.filter((pl.col("strategy") == "baseline") & (pl.col("measure") == index))
    rows = rows.with_columns(pl.col("value") * (sum(known) / len(known)))
    return summaries.over_replications(rows.select("month", "replication", "value"), ["month"])


__all__ = ["demand_paths", "paths_of"]
