"""Figures of a forecast: history and fan, how the models did by horizon, and the driver's diagnostics."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
import polars as pl

from simcare.demand.backtest import Backtest, league
from simcare.demand.challengers import SEASONAL_NAIVE
from simcare.demand.diagnostics import Diagnostics
from simcare.demand.forecast import Forecast
from simcare.report import theme, wording
from simcare.report.theme import axis
from simcare.units import month_name, month_start, parsed_month

BANDS = ((90, "rgba(0,114,178,0.14)"), (80, "rgba(0,114,178,0.20)"), (50, "rgba(0,114,178,0.34)"))
LINES = (
    (theme.BLUE, "solid"),
    (theme.VERMILION, "solid"),
    (theme.GREEN, "dash"),
    (theme.PURPLE, "dot"),
    (theme.GREY, "dashdot"),
)
SHOWN_MODELS = 4


def fan(found: Forecast) -> go.Figure:
    """The counts as they came and what is to come: median and 50, 80 and 90 % intervals month by month."""
    series, rows = found.series, found.rows()
    came = [month_start(int(m)) for m in series.months]
    ahead = [month_start(parsed_month(m)) for m in rows["month"]]
    wide = theme.Panels(1, 1, panel_px=300, top_px=theme.legend_px(5, 5), bottom_px=40)
    narrow = theme.Panels(1, 1, panel_px=230, top_px=theme.legend_px(6, 2), bottom_px=40)
    first, last = rows.row(0, named=True), rows.row(-1, named=True)
    alt = (
        f"A line of monthly counts, {series.name}, {month_name(series.first)} to {month_name(series.last)}, and a fan"
        f" to {last['month']}. {first['month']}: median {first['median']:.0f}, 80% interval {first['lo80']:.0f} to"
        f" {first['hi80']:.0f}; {last['month']}: median {last['median']:.0f}, {last['lo80']:.0f} to {last['hi80']:.0f}."
    )
    fig = theme.figure(f"{series.name}: a month's count, as it came and as forecast", alt, wide, narrow)
    for level, fill in BANDS:
        theme.band(
            fig,
            0,
            ahead,
            rows[f"lo{level}"].to_list(),
            rows[f"hi{level}"].to_list(),
            fill,
            f"{level}% interval",
            legend=True,
        )
    line = {"color": theme.INK, "width": 1.8}
    values = [None if np.isnan(v) else float(v) for v in series.counts]
    fig.add_scatter(
        x=came,
        y=values,
        mode="lines",
        line=line,
        name="as it came",
        hovertemplate="%{x|%B %Y}: %{y:,.0f}<extra></extra>",
    )
    texts = [f"{low:,.0f} to {high:,.0f}" for low, high in zip(rows["lo80"], rows["hi80"], strict=True)]
    median = rows["median"].to_list()
    hover = "%{x|%B %Y}: %{y:,.0f} (80%: %{customdata})<extra></extra>"
    fig.add_scatter(
        x=ahead,
        y=median,
        mode="lines",
        line={"color": theme.BLUE, "width": 2.2},
        name="median",
        customdata=texts,
        hovertemplate=hover,
    )
    top = max(float(np.nanmax(series.counts)), float(rows["hi90"].to_numpy().max()))
    span = [came[0], ahead[-1]]
    fig.update_layout(
        {
            "yaxis": theme.ticks(0.0, top, wording.COUNT, 5),
            "xaxis": {"range": span, "tickformat": "%b<br>%Y", "nticks": 8},
        }
    )
    theme.panel_title(fig, 0, "Count", "people or referrals a month")
    return fig


def by_horizon(found: Backtest) -> go.Figure:
    """How the best models did by months ahead: skill against seasonal naive, and how often the 80 % interval held what
    came."""
    best = [m for m in league(found)["model"] if m not in (SEASONAL_NAIVE, "naive")][:SHOWN_MODELS]
    every = (
        found.scores.group_by("model", "horizon")
        .agg(pl.col("crps").mean(), (pl.col("covered80").mean() * 100).alias("covered80"))
        .sort("horizon")
    )
    reference = every.filter(pl.col("model") == SEASONAL_NAIVE).select("horizon", pl.col("crps").alias("naive"))
    wide = theme.Panels(2, 2, panel_px=210, top_px=theme.legend_px(len(best) + 1, 4), bottom_px=46, column_gap=0.08)
    narrow = theme.Panels(2, 1, panel_px=190, top_px=theme.legend_px(len(best) + 2, 1), bottom_px=46, row_gap_px=84)
    said = "; ".join(_said(every, reference, m) for m in best)
    fig = theme.figure(
        "How forecasts did where the answer is known, by months ahead",
        f"Two panels of lines by months ahead. {said}.",
        wide,
        narrow,
    )
    low, high = 0.0, 0.0
    for j, model in enumerate(best):
        mine = every.filter(pl.col("model") == model).join(reference, on="horizon", how="left")
        skill = [None if n is None or n == 0 else 1.0 - c / n for c, n in zip(mine["crps"], mine["naive"], strict=True)]
        low, high = min([low, *(s for s in skill if s is not None)]), max([high, *(s for s in skill if s is not None)])
        style = {
            "line": {"color": LINES[j][0], "dash": LINES[j][1], "width": 2.2},
            "mode": "lines",
            "name": model,
            "legendgroup": model,
        }
        x = mine["horizon"].to_list()
        fig.add_scatter(x=x, y=skill, hovertemplate=f"{model}, %{{x}} months ahead: %{{y:.2f}}<extra></extra>", **style)
        hover = f"{model}, %{{x}} months ahead: %{{y:.0f}}%<extra></extra>"
        fig.add_scatter(
            x=x, y=mine["covered80"].to_list(), hovertemplate=hover, showlegend=False, xaxis="x2", yaxis="y2", **style
        )
    low = max(low, -1.0)  # what is far worse than naive need not be seen in full
    fig.update_layout(
        yaxis=theme.ticks(low, high, wording.COUNT, 5) | {"tickformat": ".1f", "ticktext": None, "tickmode": "auto"}
    )
    fig.update_layout(yaxis2=theme.ticks(0.0, 100.0, wording.PERCENT, 5))
    for k, level in ((0, 0.0), (1, 80.0)):
        rule = {"color": theme.ZERO, "width": 1, "dash": "dot"}
        fig.add_shape(
            type="line",
            x0=0,
            x1=1,
            xref=f"{axis('x', k, True)} domain",
            y0=level,
            y1=level,
            yref=axis("y", k, True),
            line=rule,
        )
        title = {"text": "months ahead", "font": {"size": 12, "color": theme.QUIET}, "standoff": 4}
        fig.update_layout({axis("x", k): {"tickvals": [1, 6, 12, 18, 24], "range": [0, 24.5], "title": title}})
    theme.panel_title(fig, 0, "Skill", "1 is perfect, 0 no better than seasonal naive")
    theme.panel_title(fig, 1, "Inside the 80% interval", "% of months; 80 is right")
    return fig


def _said(every: pl.DataFrame, reference: pl.DataFrame, model: str) -> str:
    mine = every.filter(pl.col("model") == model).join(reference, on="horizon", how="left")
    crps, naive, covered = (mine[c].to_numpy() for c in ("crps", "naive", "covered80"))
    skill = f"skill {1.0 - crps.sum() / naive.sum():.2f}" if naive.sum() > 0 else "no skill to compare"
    return f"{model}: {skill}, {covered.mean():.0f}% inside the 80% interval"


def checks(found: Diagnostics) -> go.Figure:
    """The driver's diagnostics: autocorrelation before and after its level is followed, influence month by month, and
    PIT values."""
    panels = 3 if found.pit else 2
    wide = theme.Panels(panels, panels, panel_px=200, top_px=theme.legend_px(2, 2), bottom_px=46, column_gap=0.08)
    narrow = theme.Panels(panels, 1, panel_px=180, top_px=theme.legend_px(2, 1), bottom_px=46, row_gap_px=84)
    lags = found.autocorrelation
    first = lags.row(0, named=True)
    worst = found.residuals.sort("influence", descending=True).row(0, named=True)
    alt = (
        f"Autocorrelation at one month {first['before']:.2f} before the level is followed and {first['after']:.2f}"
        f" after; largest influence {worst['influence']:.2f} in {worst['month']}"
        + (f"; forecast values by tenth of the distribution: {', '.join(map(str, found.pit))}." if found.pit else ".")
    )
    fig = theme.figure("Is the driver sound?", alt, wide, narrow)
    for name, title, colour in (("before", "before the level is followed", theme.GREY), ("after", "after", theme.BLUE)):
        hover = f"{title}, lag %{{x}} months: %{{y:.2f}}<extra></extra>"
        fig.add_bar(
            x=lags["lag"].to_list(), y=lags[name].to_list(), name=title, marker={"color": colour}, hovertemplate=hover
        )
    for sign in (-1, 1):
        y = sign * float(lags["bound"][0])
        fig.add_shape(
            type="line",
            x0=0,
            x1=1,
            xref="x domain",
            y0=y,
            y1=y,
            yref="y",
            line={"color": theme.VERMILION, "width": 1, "dash": "dot"},
        )
    dates = [month_start(parsed_month(m)) for m in found.residuals["month"]]
    hover = "%{x|%B %Y}: %{y:.2f}<extra></extra>"
    cook = found.residuals["influence"].to_list()
    fig.add_bar(
        x=dates, y=cook, marker={"color": theme.BLUE}, showlegend=False, hovertemplate=hover, xaxis="x2", yaxis="y2"
    )
    lag_title = {"text": "lag, months", "font": {"size": 12, "color": theme.QUIET}, "standoff": 4}
    fig.update_layout(
        xaxis={"title": lag_title, "dtick": 3},
        yaxis={"range": [-1, 1], "nticks": 5},
        xaxis2={"tickformat": "%Y", "nticks": 5},
        bargap=0.25,
    )
    theme.panel_title(fig, 0, "Autocorrelation", "of residuals; dotted: 95% bound of noise")
    theme.panel_title(fig, 1, "Influence of a month", "Cook's distance")
    if found.pit:
        share = [100.0 * n / sum(found.pit) for n in found.pit]
        tenths = [f"{10 * k}–{10 * k + 10}" for k in range(len(share))]
        hover = "%{x}% of the forecast: %{y:.0f}% of months<extra></extra>"
        fig.add_bar(
            x=tenths,
            y=share,
            marker={"color": theme.BLUE},
            showlegend=False,
            hovertemplate=hover,
            xaxis="x3",
            yaxis="y3",
        )
        fig.add_shape(
            type="line",
            x0=0,
            x1=1,
            xref="x3 domain",
            y0=10,
            y1=10,
            yref="y3",
            line={"color": theme.VERMILION, "width": 1, "dash": "dot"},
        )
        fig.update_layout(
            xaxis3={"tickangle": 0, "tickvals": [0, 4.5, 9], "ticktext": ["low", "middle", "high"]},
            yaxis3={"rangemode": "tozero", "nticks": 5},
        )
        theme.panel_title(fig, 2, "Where what came lay", "% of months by tenth of the forecast; 10 is right")
    return fig


__all__ = ["by_horizon", "checks", "fan"]
