"""Figures of cost against dependency: every simulated future as a point, and which strategy is best at which price of a
dependency-day."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
import polars as pl
from scipy.stats import chi2

from simcare.model.strategy import BASELINE
from simcare.report import theme, wording
from simcare.report.theme import axis

TOGETHER = 3  # strategies that one panel shows; of more, each has its own
SHARE = 0.9  # of futures within the ellipse
STYLES = (  # of strategies in their order: colour, mark, dash
    (theme.BLUE, "circle", "solid"),
    (theme.VERMILION, "diamond", "dash"),
    (theme.GREEN, "square", "dashdot"),
    (theme.PURPLE, "triangle-up", "longdash"),
    (theme.SKY, "triangle-down", "solid"),
    ("#b08a00", "cross", "dash"),
    (theme.INK, "star", "dashdot"),
    ("#7a5230", "pentagon", "longdash"),
)
QUADRANTS = (  # x and y of the corner, and what it is called
    (1, 0, "costs less, less dependency"),
    (0, 0, "costs less, more dependency"),
    (1, 1, "costs more, less dependency"),
    (0, 1, "costs more, more dependency"),
)
DAYS_AXIS, COST_AXIS = "Dependency-days avoided", "Change in cost to the council"


def style(k: int) -> tuple[str, str, str]:
    """Colour, mark and dash of the k-th strategy."""
    return STYLES[k % len(STYLES)]


# ---- the plane
def plane_figure(points: pl.DataFrame, titles: Mapping[str, str], years: str) -> go.Figure:
    """Every simulated future of every strategy: dependency-days avoided across, change in cost to the council up.

    ``points``: strategy, replication, cost, days_avoided. Up to three strategies share a panel; of more, each has its
    own, all on one scale.
    """
    apart = len(titles) > TOGETHER
    fig = theme.figure(
        f"Cost against dependency: every simulated future, {years}",
        _plane_alt(points, titles, years),
        *_plane_layouts(len(titles) if apart else 1, 2 + (0 if apart else len(titles))),
    )
    for k, (strategy, title) in enumerate(titles.items()):
        panel = k if apart else 0
        mine = points.filter(pl.col("strategy") == strategy)
        _cloud(fig, panel, mine, title, 0 if apart else k, legend=not apart)
        if apart:
            theme.panel_title(fig, panel, title)
    for panel in range(len(titles) if apart else 1):
        _plane_axes(fig, panel, points)
    _plane_legend(fig)
    return fig


def _plane_layouts(panels: int, keys: int) -> tuple[theme.Panels, theme.Panels, theme.Panels]:
    def layout(columns: int, panel_px: int, across: int) -> theme.Panels:
        return theme.Panels(
            panels, min(columns, panels), panel_px=panel_px, top_px=theme.legend_px(keys, across), bottom_px=54,
            column_gap=0.1, row_gap_px=92,
        )  # fmt: skip

    if panels == 1:  # without a heading
        return layout(1, 400, 3), layout(1, 330, 1), layout(1, 360, 2)
    return layout(3, 230, 3), layout(1, 240, 1), layout(2, 220, 2)


def _cloud(fig: go.Figure, panel: int, mine: pl.DataFrame, title: str, k: int, *, legend: bool) -> None:
    """The futures of a strategy, the ellipse that holds nine in ten of them, and their mean."""
    colour, symbol, _ = style(k)
    place = theme.panel_axes(panel)
    x, y = mine["days_avoided"].to_numpy(), mine["cost"].to_numpy()
    fig.add_scatter(
        x=x, y=y, mode="markers", hoverinfo="skip", showlegend=False, name=f"{title}: futures",
        marker={"color": colour, "size": 5, "opacity": 0.45, "symbol": symbol}, **place,
    )  # fmt: skip
    around = ellipse(x, y)
    if around is not None:
        line = {"color": colour, "width": 1.4}
        fig.add_scatter(
            x=around[0], y=around[1], mode="lines", line=line, hoverinfo="skip", showlegend=False, name=f"{title}: 90%",
            **place,
        )  # fmt: skip
    days = wording.quantity(float(x.mean()), wording.DAYS)
    money = wording.quantity(float(y.mean()), wording.POUNDS, signed=True)
    fig.add_scatter(
        x=[x.mean()], y=[y.mean()], mode="markers", name=theme.label(title), showlegend=legend,
        marker={"color": colour, "size": 14, "symbol": symbol, "line": {"color": "white", "width": 2}},
        hovertemplate=f"{theme.label(title)}<br>{money}, {days} avoided on average<extra></extra>", **place,
    )  # fmt: skip


def ellipse(x: Sequence[float] | Any, y: Sequence[float] | Any) -> tuple[list[float], list[float]] | None:
    """The ellipse that holds nine in ten futures if they spread as a normal distribution does; None for points that lie
    on a line.

    >>> ellipse([0.0, 1.0, 2.0], [0.0, 1.0, 2.0]) is None
    True
    """
    both = np.vstack([np.asarray(x, np.float64), np.asarray(y, np.float64)])
    sizes = both.std(axis=1)
    if both.shape[1] < 3 or not (sizes > 0).all():
        return None
    scaled = (both - both.mean(axis=1, keepdims=True)) / sizes[:, None]
    values, vectors = np.linalg.eigh(np.cov(scaled))
    if values[0] <= 1e-9 * values[1]:
        return None
    turn = np.linspace(0.0, 2 * np.pi, 73)
    circle = np.sqrt(chi2.ppf(SHARE, 2) * values)[:, None] * np.vstack([np.cos(turn), np.sin(turn)])
    found = both.mean(axis=1, keepdims=True) + sizes[:, None] * (vectors @ circle)
    return found[0].tolist(), found[1].tolist()


def _plane_axes(fig: go.Figure, panel: int, points: pl.DataFrame) -> None:
    """The same scale in all panels, zero lines, the baseline at their crossing, and the names of the quadrants."""
    days, cost = (_ends(points, name) for name in ("days_avoided", "cost"))
    across = theme.ticks(*days, wording.COUNT, 7, signed=True, tight=True)
    few = theme.ticks(*days, wording.COUNT, 3, signed=True, tight=True)
    up = theme.ticks(*cost, wording.POUNDS, 7, signed=True, tight=True)
    zero = {"zeroline": True, "zerolinecolor": theme.INK, "zerolinewidth": 1.2, "showgrid": True}
    fig.update_layout(
        {
            axis("x", panel): {**across, **zero, "gridcolor": theme.RULE, "title": theme.axis_title(DAYS_AXIS)},
            axis("y", panel): {**up, **zero, "automargin": True},
        }
    )
    if panel == 0:
        fig.update_layout({axis("y", panel): {"title": theme.axis_title(COST_AXIS)}})
    for layout in ("narrow", "middle"):
        fig.layout.meta[layout] |= {f"{axis('x', panel)}.{key}": few[key] for key in ("tickvals", "ticktext")}
    fig.add_scatter(
        x=[0], y=[0], mode="markers", name="Baseline", showlegend=False, hovertemplate="Baseline<extra></extra>",
        marker={"color": theme.INK, "size": 11, "symbol": "x"}, **theme.panel_axes(panel),
    )  # fmt: skip
    for x, y, text in QUADRANTS:
        if (days[1] > 0 if x else days[0] < 0) and (cost[1] > 0 if y else cost[0] < 0):
            _quadrant(fig, panel, x, y, text)


def _ends(points: pl.DataFrame, name: str) -> tuple[float, float]:
    """From the least to the most, zero and room for the names of quadrants on either side of it included."""
    values = points[name]
    low, high = min(float(values.min() or 0.0), 0.0), max(float(values.max() or 0.0), 0.0)  # type: ignore[arg-type]
    span = high - low or 1.0
    return min(low - 0.08 * span, -0.16 * span), max(high + 0.08 * span, 0.16 * span)


def _quadrant(fig: go.Figure, panel: int, x: int, y: int, text: str) -> None:
    """The name of a quadrant in its corner, in two lines."""
    fig.add_annotation(
        text=text.replace(", ", ",<br>"), showarrow=False, x=x, y=y, align="right" if x else "left",
        xanchor="right" if x else "left", yanchor="top" if y else "bottom", xshift=-4 if x else 4,
        yshift=-3 if y else 3, xref=f"{axis('x', panel, True)} domain", yref=f"{axis('y', panel, True)} domain",
        font={"size": 11.5, "color": theme.QUIET}, bgcolor="rgba(255,255,255,0.75)",
    )  # fmt: skip


def _plane_legend(fig: go.Figure) -> None:
    marks = {"color": theme.INK, "size": 11, "symbol": "x"}
    fig.add_scatter(x=[None], y=[None], mode="markers", name="Baseline", marker=marks)
    line = {"color": theme.QUIET, "width": 1.4}
    fig.add_scatter(x=[None], y=[None], mode="lines", name="Where 90% of futures lie, about", line=line)


def _plane_alt(points: pl.DataFrame, titles: Mapping[str, str], years: str) -> str:
    said = []
    for strategy, title in titles.items():
        mine = points.filter(pl.col("strategy") == strategy)
        cost, days = (float(mine[name].to_numpy().mean()) for name in ("cost", "days_avoided"))
        both = float(((mine["cost"] < 0) & (mine["days_avoided"] > 0)).to_numpy().mean())
        money = wording.quantity(cost, wording.POUNDS, signed=True)
        said.append(
            f"{title}: {money} and {wording.quantity(days, wording.DAYS)} avoided on average;"
            f" {round(100 * both)}% of points cost less with less dependency"
        )
    start = (
        f"A point for each simulated future: dependency-days avoided across, change in cost to the council up, {years}"
    )
    return f"{start}. The baseline is at zero. {'. '.join(said)}."


# ---- the price of a day
def acceptability_figure(frame: pl.DataFrame, names: Mapping[str, str], years: str) -> go.Figure:
    """How often each strategy, baseline included, is the best, by what a dependency-day avoided is worth (``frame``:
    :func:`simcare.decide.plane.acceptability`)."""
    layouts = (
        theme.Panels(1, 1, panel_px=px, top_px=theme.legend_px(len(names) + 1, across), bottom_px=54)
        for px, across in ((280, 3), (240, 1), (260, 2))
    )
    fig = theme.figure(
        f"Which choice is best, by what a dependency-day avoided is worth, {years}",
        _acceptability_alt(frame, names, years),
        *layouts,
    )
    for k, (strategy, name) in enumerate(names.items()):
        mine = frame.filter(pl.col("strategy") == strategy)
        colour, symbol, dash = (theme.QUIET, "x", "dot") if strategy == BASELINE else style(k - 1)
        chances = (100 * mine["chance_best"]).to_list()
        fig.add_scatter(
            x=mine["gbp_per_day"], y=chances, mode="lines+markers", name=theme.label(name),
            line={"color": colour, "width": 2.2, "dash": dash}, marker={"color": colour, "symbol": symbol, "size": 7},
            **theme.hover(chances, f"{theme.label(name)}: %{{customdata}} at £%{{x}} a day", wording.PERCENT),
        )  # fmt: skip
    _best_marks(fig, frame)
    money = theme.ticks(0, float(frame["gbp_per_day"].to_numpy().max()), wording.POUNDS, 8)
    worth = theme.axis_title("What a dependency-day avoided is worth")
    pad = 0.02 * money["tickvals"][-1]
    fig.update_layout(
        xaxis={**money, "title": worth, "range": [-pad, money["tickvals"][-1] + 2 * pad]},
        yaxis={**theme.ticks(0, 100, wording.PERCENT, 5), "range": [-4, 104]},
    )
    theme.panel_title(fig, 0, "The best choice", "share of simulated futures")
    few = theme.ticks(0, money["tickvals"][-1], wording.POUNDS, 4)
    fig.layout.meta["narrow"] |= {f"xaxis.{key}": few[key] for key in ("tickvals", "ticktext")}
    return fig


def _best_marks(fig: go.Figure, frame: pl.DataFrame) -> None:
    """A ring around the choice that is best on average at each price."""
    best = frame.filter(pl.col("best_on_average"))
    ring = {"symbol": "circle-open", "size": 15, "color": theme.INK, "line": {"width": 1.6, "color": theme.INK}}
    fig.add_scatter(
        x=best["gbp_per_day"], y=100 * best["chance_best"], mode="markers", marker=ring, hoverinfo="skip",
        name="Best on average: the choice to make",
    )  # fmt: skip


def _acceptability_alt(frame: pl.DataFrame, names: Mapping[str, str], years: str) -> str:
    said = []
    for price in (frame["gbp_per_day"][0], frame["gbp_per_day"][-1]):
        each = frame.filter(pl.col("gbp_per_day") == price).select("strategy", "chance_best").iter_rows()
        parts = ", ".join(f"{names[strategy]} {round(100 * chance)}%" for strategy, chance in each)
        said.append(f"At {wording.quantity(price, wording.POUNDS)} a day: {parts}")
    start = f"Lines: how often each choice is the best, by what a dependency-day avoided is worth, {years}"
    return f"{start}. {'. '.join(said)}."


__all__ = ["STYLES", "acceptability_figure", "ellipse", "plane_figure", "style"]
