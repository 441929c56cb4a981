"""The figure of moves between tiers: the tier before at the left, the tier after at the right, width by number."""

from __future__ import annotations

import plotly.graph_objects as go
import polars as pl

from simcare.model.model import Model
from simcare.model.strategy import BASELINE
from simcare.report import theme, wording
from simcare.report.setting import Setting
from simcare.report.theme import label

RAREST = 0.002  # of all moves: fewer would be a hair's breadth; the numbers at the ends count them all the same
GONE = "gone"  # after death or moving away
WAYS = {
    "into": ("Into care", theme.GREEN),
    "up": ("To a more intensive tier", theme.VERMILION),
    "down": ("To a less intensive tier, or independence", theme.BLUE),
    "short": ("Into short-term care", theme.PURPLE),
    "from_short": ("From short-term to long-term care", "#d9a400"),
    "gone": ("Died or moved away", theme.GREY),
}


def way(source: str, target: str, model: Model) -> str:
    """Which key of WAYS a move is. Leaving short-term care for independence is down; for long-term care, a way of its
    own."""
    short = {tier.name for tier in model.tiers if tier.short_term}
    if target == GONE:
        return "gone"
    if target in short:
        return "short"
    if source == model.need_levels[0]:
        return "into"
    if source in short:
        return "down" if target == model.need_levels[0] else "from_short"
    return "up" if model.need_levels.index(target) > model.need_levels.index(source) else "down"


def places(model: Model) -> dict[str, str]:
    """Every place a move may start or end at, from the top of the ladder down, with its title."""
    titles = wording.tier_titles(model)
    short = [tier.name for tier in model.tiers if tier.short_term]
    return {name: titles[name] for name in [*reversed(model.need_levels), *short]} | {GONE: "Died or moved away"}


def moves_figure(frame: pl.DataFrame, setting: Setting, strategy: str = BASELINE) -> go.Figure:
    """Average moves a year between tiers over the horizon. People who stay on their tier are not drawn, nor are the
    rarest moves (see RAREST). ``frame`` as :func:`simcare.report.summaries.moves` gives it."""
    titles, name = places(setting.model), setting.names[strategy]
    order = {t: i for i, t in enumerate(titles)}
    everything = frame.filter(pl.col("mean") > 0).sort(
        pl.col("from_tier").replace_strict(order), pl.col("to_tier").replace_strict(order)
    )
    rows = everything.filter(pl.col("mean") >= RAREST * pl.col("mean").sum())
    ways = [way(a, b, setting.model) for a, b in rows.select("from_tier", "to_tier").iter_rows()]
    used = [key for key in WAYS if key in ways]
    fig = theme.figure(
        f"Moves between tiers, average a year, {setting.period}: {name}",
        _alt(rows, titles, setting.period, name),
        *_layouts(len(used)),
    )
    _flow(fig, everything, rows, titles, [WAYS[key][1] for key in ways])
    for key in used:
        marker = {"symbol": "square", "size": 12, "color": WAYS[key][1]}
        fig.add_scatter(x=[None], y=[None], mode="markers", marker=marker, name=WAYS[key][0])
    for x, text in ((0, "Tier before the move"), (1, "Tier after the move")):
        at = {"x": x, "y": 1, "xref": "paper", "yref": "paper", "xanchor": "right" if x else "left"}
        style = {"yanchor": "bottom", "yshift": 6, "showarrow": False, "font": {"size": 13}}
        fig.add_annotation(text=f"<b>{text}</b>", **at, **style)
    fig.update_layout(xaxis={"visible": False}, yaxis={"visible": False}, margin={"l": 6, "r": 6})
    return fig


def _layouts(legend: int) -> tuple[theme.Panels, theme.Panels, theme.Panels]:
    """One panel, on a screen, on a phone and on paper."""
    wide, narrow, middle = (
        theme.Panels(1, 1, panel_px=px, top_px=theme.legend_px(legend, across) + 6, bottom_px=14)
        for px, across in ((480, 3), (540, 1), (480, 2))
    )
    return wide, narrow, middle


def _flow(
    fig: go.Figure, everything: pl.DataFrame, rows: pl.DataFrame, titles: dict[str, str], link_colours: list[str]
) -> None:
    """Tiers before the move at the left, after it at the right, and a band between them for each kind of move."""
    left, right = ([t for t in titles if t in set(everything[column])] for column in ("from_tier", "to_tier"))
    texts = [
        f"{titles[a]} to {titles[b].lower()}: {wording.quantity(n)} a year"
        for a, b, n in rows.select("from_tier", "to_tier", "mean").iter_rows()
    ]
    nodes = [*(_node(titles[t], everything, "from_tier", t) for t in left)]
    nodes += [_node(titles[t], everything, "to_tier", t) for t in right]
    node = {"label": nodes, "color": theme.QUIET, "pad": 18, "thickness": 14, "line": {"width": 0}}
    link = {
        "source": [left.index(t) for t in rows["from_tier"]],
        "target": [len(left) + right.index(t) for t in rows["to_tier"]],
        "value": rows["mean"].to_list(),
        "color": [_see_through(colour) for colour in link_colours],
        "customdata": texts,
        "hovertemplate": "%{customdata}<extra></extra>",
    }
    fig.add_sankey(
        arrangement="fixed",
        textfont={"size": 13, "color": theme.INK, "family": theme.FONT},
        node={**node, "sort": "input", "hoverinfo": "skip"},
        link={**link, "sort": "input"},
    )


def _node(text: str, rows: pl.DataFrame, column: str, tier: str) -> str:
    total = rows.filter(pl.col(column) == tier)["mean"].sum()
    return f"{label(text)} {wording.quantity(float(total))}"


def _see_through(colour: str) -> str:
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},0.5)"


def _alt(rows: pl.DataFrame, titles: dict[str, str], years: str, name: str) -> str:
    most = rows.sort("mean", descending=True).head(6)
    said = [
        f"{titles[a]} to {titles[b].lower()} {wording.quantity(n)}"
        for a, b, n in most.select("from_tier", "to_tier", "mean").iter_rows()
    ]
    return f"Flow diagram: average moves a year between tiers, {years}, {name}. The largest: {'; '.join(said)}."
