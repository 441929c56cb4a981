"""Figures of a forecast: history and fan, how the models did by horizon, and the driver's diagnostics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go
import polars as pl

from simcare.demand.backtest import Backtest, league
from simcare.demand.challengers import SEASONAL_NAIVE
from simcare.demand.diagnostics import Diagnostics
from simcare.demand.series import MonthlyCounts
from simcare.report import theme, wording
from simcare.report.theme import axis
from simcare.units import month_name, month_start, parsed_month, three_figures

BANDS = ((90, "rgba(0,114,178,0.14)"), (80, "rgba(0,114,178,0.20)"), (50, "rgba(0,114,178,0.34)"))
LINES = (
    (theme.BLUE, "solid"),
    (theme.VERMILION, "solid"),
    (theme.GREEN, "dash"),
    (theme.PURPLE, "dot"),
    (theme.GREY, "dashdot"),
)
SHOWN_MODELS = 4


def fan_figure(rows: pl.DataFrame, series: MonthlyCounts) -> go.Figure:
    """The published counts and their forecast: median and 50, 80 and 90 % intervals month by month. ``rows`` is that of
    :meth:`simcare.demand.forecast.Forecast.rows`."""
    past = [month_start(int(m)) for m in series.months]
    ahead = [month_start(parsed_month(m)) for m in rows["month"]]
    known = [None if np.isnan(v) else float(v) for v in series.counts]
    middle = rows.select("median", "lo80", "hi80").iter_rows()
    wide = theme.Panels(1, 1, panel_px=300, top_px=theme.legend_px(5, 5), bottom_px=40)
    narrow = theme.Panels(1, 1, panel_px=230, top_px=theme.legend_px(6, 2), bottom_px=40)
    fig = theme.figure(f"{series.name}: monthly counts and their forecast", _fan_alt(rows, series), wide, narrow)
    for level, fill in BANDS:
        low, high = (rows[f"{end}{level}"].to_list() for end in ("lo", "hi"))
        theme.band(fig, 0, ahead, low, high, fill, f"{level}% interval", legend=True)
    fig.add_scatter(
        x=past,
        y=known,
        mode="lines",
        line={"color": theme.INK, "width": 1.8},
        name="published",
        **theme.hover(known, "%{x|%B %Y}: %{customdata}"),
    )
    fig.add_scatter(
        x=ahead,
        y=rows["median"].to_list(),
        mode="lines",
        line={"color": theme.BLUE, "width": 2.2},
        name="median",
        customdata=[f"{wording.quantity(m)} (80%: {wording.ends_words(*ends)})" for m, *ends in middle],
        hovertemplate="%{x|%B %Y}: %{customdata}<extra></extra>",
    )
    top = max(float(np.nanmax(series.counts)), float(rows["hi90"].to_numpy().max()))
    dates = {"range": [past[0], ahead[-1]], "tickformat": "%b<br>%Y", "nticks": 8}
    fig.update_layout(yaxis=theme.ticks(0.0, top, wording.COUNT, 5), xaxis=dates)
    theme.panel_title(fig, 0, "Count", "people or referrals a month")
    return fig


def _fan_alt(rows: pl.DataFrame, series: MonthlyCounts) -> str:
    first, last = rows.row(0, named=True), rows.row(-1, named=True)
    return (
        f"A line of monthly counts, {series.name}, {month_name(series.first)} to {month_name(series.last)}, and a fan"
        f" to {last['month']}. {first['month']}: median {wording.quantity(first['median'])}, 80% interval"
        f" {wording.ends_words(first['lo80'], first['hi80'])}; {last['month']}: median"
        f" {wording.quantity(last['median'])}, {wording.ends_words(last['lo80'], last['hi80'])}."
    )


def horizon_scores(found: Backtest) -> pl.DataFrame:
    """How the best models did by months ahead. Columns: model (best first), horizon, crps, naive (CRPS of the seasonal
    naive forecast), skill, covered80 (percent)."""
    best = [m for m in league(found)["model"] if m not in (SEASONAL_NAIVE, "naive")][:SHOWN_MODELS]
    every = (
        found.scores.group_by("model", "horizon")
        .agg(pl.col("crps").mean(), (pl.col("covered80").mean() * 100).alias("covered80"))
        .sort("horizon")
    )
    reference = every.filter(pl.col("model") == SEASONAL_NAIVE).select("horizon", pl.col("crps").alias("naive"))
    order = pl.DataFrame({"model": best, "place": range(len(best))}, schema_overrides={"model": pl.String})
    shown = every.join(order, on="model").join(reference, on="horizon", how="left").sort("place", "horizon")
    skill = pl.when(pl.col("naive") != 0).then(1.0 - pl.col("crps") / pl.col("naive"))
    return shown.select("model", "horizon", "crps", "naive", skill.alias("skill"), "covered80")


def horizon_figure(frame: pl.DataFrame) -> go.Figure:
    """How the best models did by months ahead: skill against seasonal naive, and how often the 80 % interval held the
    outturn. ``frame`` is :func:`horizon_scores`."""
    models = [(str(model), rows) for (model,), rows in frame.group_by("model", maintain_order=True)]
    wide = theme.Panels(2, 2, panel_px=210, top_px=theme.legend_px(len(models) + 1, 4), bottom_px=46, column_gap=0.08)
    narrow = theme.Panels(2, 1, panel_px=190, top_px=theme.legend_px(len(models) + 2, 1), bottom_px=46, row_gap_px=84)
    title = "How forecasts did where the outturn is known, by months ahead"
    said = "; ".join(_model_words(model, rows) for model, rows in models)
    fig = theme.figure(title, f"Two panels of lines by months ahead. {said}.", wide, narrow)
    for j, (model, rows) in enumerate(models):
        _model_lines(fig, j, model, rows)
    skill = frame["skill"].drop_nulls().to_list()
    low, high = (
        max(min([0.0, *skill]), -1.0),
        max([0.0, *skill]),
    )  # what is far worse than naive need not be seen in full
    plain = {"tickformat": ".1f", "ticktext": None, "tickmode": "auto"}
    fig.update_layout(yaxis=theme.ticks(low, high, wording.COUNT, 5) | plain)
    fig.update_layout(yaxis2=theme.ticks(0.0, 100.0, wording.PERCENT, 5))
    for k, level in ((0, 0.0), (1, 80.0)):
        theme.level_line(fig, k, level)
        dates = {"tickvals": [1, 6, 12, 18, 24], "range": [0, 24.5], "title": theme.axis_title("months ahead")}
        fig.update_layout({axis("x", k): dates})
    theme.panel_title(fig, 0, "Skill", "1 is perfect, 0 no better than seasonal naive")
    theme.panel_title(fig, 1, "Inside the 80% interval", "% of months; 80 is right")
    return fig


def _model_lines(fig: go.Figure, j: int, model: str, rows: pl.DataFrame) -> None:
    """The skill and the coverage of model ``j``, a line in each panel."""
    colour, dash = LINES[j]
    style = {"line": {"color": colour, "dash": dash, "width": 2.2}, "mode": "lines", "x": rows["horizon"].to_list()}
    about = {"name": model, "legendgroup": model}
    text = f"{model}, %{{x}} months ahead: %{{customdata}}"
    fig.add_scatter(y=rows["skill"].to_list(), **theme.hover(rows["skill"], text), **style, **about)
    second = {"showlegend": False, "xaxis": "x2", "yaxis": "y2"}
    hover = theme.hover(rows["covered80"], text, wording.PERCENT)
    fig.add_scatter(y=rows["covered80"].to_list(), **hover, **style, **about, **second)


def _model_words(model: str, rows: pl.DataFrame) -> str:
    crps, naive, covered = (rows[c].to_numpy() for c in ("crps", "naive", "covered80"))
    skill = f"skill {three_figures(1.0 - crps.sum() / naive.sum())}" if naive.sum() > 0 else "no skill to compare"
    return f"{model}: {skill}, {three_figures(covered.mean())}% inside the 80% interval"


def diagnostics_frame(found: Diagnostics) -> pl.DataFrame:
    """The driver's diagnostics in one frame. Columns: panel ("before" and "after": autocorrelation before and after the
    level is followed; "bound": the 95 % bound of white noise; "influence": Cook's distance; "pit": percent of outturns
    in a tenth of their forecast), at (lag in months, month, tenth from 0), value."""
    lags, tried = found.autocorrelation, sum(found.pit)
    panels = {name: list(zip(lags["lag"], lags[name], strict=True)) for name in ("before", "after", "bound")}
    panels["influence"] = list(zip(found.residuals["month"], found.residuals["influence"], strict=True))
    panels["pit"] = [(tenth, 100.0 * count / tried) for tenth, count in enumerate(found.pit)]
    rows = [(panel, str(at), float(value)) for panel, values in panels.items() for at, value in values]
    return pl.DataFrame(rows, schema={"panel": pl.String, "at": pl.String, "value": pl.Float64}, orient="row")


def diagnostics_figure(frame: pl.DataFrame) -> go.Figure:
    """The driver's diagnostics: autocorrelation before and after its level is followed, influence month by month, and
    where the outturn lay within its forecast (PIT values). ``frame`` is :func:`diagnostics_frame`."""
    each = {str(name): rows for (name,), rows in frame.group_by("panel", maintain_order=True)}
    panels = 3 if "pit" in each else 2
    wide = theme.Panels(panels, panels, panel_px=200, top_px=theme.legend_px(2, 2), bottom_px=46, column_gap=0.08)
    narrow = theme.Panels(panels, 1, panel_px=180, top_px=theme.legend_px(2, 1), bottom_px=46, row_gap_px=84)
    fig = theme.figure("Is the driver sound?", _diagnostics_alt(each), wide, narrow)
    _autocorrelation_panel(fig, each)
    _influence_panel(fig, each["influence"])
    if "pit" in each:
        _pit_panel(fig, each["pit"]["value"].to_list())
    fig.update_layout(bargap=0.25)
    return fig


def _diagnostics_alt(each: Mapping[str, pl.DataFrame]) -> str:
    before, after = (each[name]["value"][0] for name in ("before", "after"))
    worst = each["influence"].sort("value", descending=True).row(0, named=True)
    tenths = ", ".join(three_figures(share) for share in each["pit"]["value"]) if "pit" in each else ""
    said = f"; outturns by tenth of the forecast, per cent: {tenths}" if tenths else ""
    return (
        f"Autocorrelation at one month {three_figures(before)} before the level is followed and {three_figures(after)}"
        f" after; largest influence {three_figures(worst['value'])} in {worst['at']}{said}."
    )


def _autocorrelation_panel(fig: go.Figure, each: Mapping[str, pl.DataFrame]) -> None:
    for name, title, colour in (("before", "before the level is followed", theme.GREY), ("after", "after", theme.BLUE)):
        lags, values = [int(at) for at in each[name]["at"]], each[name]["value"].to_list()
        hover = theme.hover(values, f"{title}, lag %{{x}} months: %{{customdata}}")
        fig.add_bar(x=lags, y=values, name=title, marker={"color": colour}, **hover)
    for sign in (-1, 1):
        theme.level_line(fig, 0, sign * each["bound"]["value"][0], theme.VERMILION)
    lag_axis = {"title": theme.axis_title("lag, months"), "dtick": 3}
    fig.update_layout(xaxis=lag_axis, yaxis={"range": [-1, 1], "nticks": 5})
    theme.panel_title(fig, 0, "Autocorrelation", "of residuals; dotted: 95% bound of noise")


def _influence_panel(fig: go.Figure, rows: pl.DataFrame) -> None:
    fig.add_bar(
        x=[month_start(parsed_month(month)) for month in rows["at"]],
        y=rows["value"].to_list(),
        marker={"color": theme.BLUE},
        showlegend=False,
        **theme.hover(rows["value"], "%{x|%B %Y}: %{customdata}"),
        xaxis="x2",
        yaxis="y2",
    )
    fig.update_layout(xaxis2={"tickformat": "%Y", "nticks": 5})
    theme.panel_title(fig, 1, "Influence of a month", "Cook's distance")


def _pit_panel(fig: go.Figure, shares: Sequence[float]) -> None:
    fig.add_bar(
        x=[f"{10 * k}–{10 * k + 10}" for k in range(len(shares))],
        y=shares,
        marker={"color": theme.BLUE},
        showlegend=False,
        **theme.hover(shares, "%{x}% of the forecast: %{customdata} of months", wording.PERCENT),
        xaxis="x3",
        yaxis="y3",
    )
    theme.level_line(fig, 2, 10, theme.VERMILION)
    tenths = {"tickangle": 0, "tickvals": [0, 4.5, 9], "ticktext": ["low", "middle", "high"]}
    fig.update_layout(xaxis3=tenths, yaxis3={"rangemode": "tozero", "nticks": 5})
    theme.panel_title(fig, 2, "Where the outturn lay", "% of months by tenth; 10 is right")


__all__ = [
    "diagnostics_figure",
    "diagnostics_frame",
    "fan_figure",
    "horizon_figure",
    "horizon_scores",
]
