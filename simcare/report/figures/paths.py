"""The figure of a demand driver in a run: the counts that were known, and the paths that the replications met."""

from __future__ import annotations

import plotly.graph_objects as go
import polars as pl

from simcare.model.demand import DemandDriver
from simcare.report import theme, wording
from simcare.units import month_name, month_start, parsed_month


def demand_paths_figure(frame: pl.DataFrame, driver: DemandDriver, title: str) -> go.Figure:
    """Known counts of a driver and its path over the horizon: mean and range over replications (``frame``: month, mean,
    low, high, in counts)."""
    assert driver.first is not None
    first = parsed_month(driver.first)
    known = [month_start(first + k) for k in range(len(driver.counts))]
    ahead = [month_start(parsed_month(m)) for m in frame["month"]]
    wide = theme.Panels(1, 1, panel_px=240, top_px=theme.legend_px(3, 3), bottom_px=40)
    narrow = theme.Panels(1, 1, panel_px=200, top_px=theme.legend_px(4, 2), bottom_px=40)
    fig = theme.figure(title, _alt(frame, len(known), month_name(first + len(known) - 1)), wide, narrow)
    low, high = (frame[c].fill_null(frame["mean"]).to_list() for c in ("low", "high"))
    if frame["low"].is_not_null().any():
        theme.band(fig, 0, ahead, low, high, "rgba(0,114,178,0.22)", "Range of replications", legend=True)
    for name, x, y, line in (
        ("Known", known, list(driver.counts), {"color": theme.INK, "width": 1.8}),
        ("Mean of replications", ahead, frame["mean"].to_list(), {"color": theme.BLUE, "width": 2.2}),
    ):
        fig.add_scatter(x=x, y=y, mode="lines", line=line, name=name, **theme.hover(y, "%{x|%B %Y}: %{customdata}"))
    top = max([*(c for c in driver.counts if c is not None), *high])
    when = {"range": [known[0], ahead[-1]], "tickformat": "%b<br>%Y", "nticks": 8}
    fig.update_layout({"yaxis": theme.ticks(0.0, top, wording.COUNT, 4), "xaxis": when})
    theme.panel_title(fig, 0, "Count", "a month")
    return fig


def _alt(frame: pl.DataFrame, count: int, to: str) -> str:
    last = frame.row(-1, named=True)
    said = f"{last['month']}: mean {wording.quantity(last['mean'])}"
    said += "" if last["low"] is None else f", {wording.ends_words(last['low'], last['high'])}"
    return f"A line of {count} known monthly counts to {to}, then the mean and range of the replications. {said}."
