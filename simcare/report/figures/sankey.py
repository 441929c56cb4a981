"""The figure of moves between tiers: the tier before at the left, the tier after at the right, width by number."""

from __future__ import annotations

import plotly.graph_objects as go
import polars as pl

from simcare.model.model import Model
from simcare.report import summaries, theme, wording
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
    if source == model.rungs[0]:
        return "into"
    if source in short:
        return "down" if target == model.rungs[0] else "from_short"
    return "up" if model.rungs.index(target) > model.rungs.index(source) else "down"


def places(model: Model) -> dict[str, str]:
    """Every place a move may start or end at, from the top of the ladder down, with its title."""
    titles = wording.tier_titles(model)
    short = [tier.name for tier in model.tiers if tier.short_term]
    return {name: titles[name] for name in [*reversed(model.rungs), *short]} | {GONE: "Died or moved away"}


def moves_figure(
    flows: pl.DataFrame, measures: pl.DataFrame, model: Model, strategy: str = "baseline", name: str = "Baseline"
) -> go.Figure:
    """Average moves a year between tiers over the horizon. People who stay on their tier are not drawn, nor are the
    rarest moves (see RAREST)."""
    years = summaries.financial_years(measures)
    rows = summaries.moves_per_year(flows, strategy, summaries.replications(measures, strategy), len(years)).filter(
        pl.col("mean") > 0
    )
    titles = places(model)
    left = [t for t in titles if t in set(rows["from_tier"])]
    right = [t for t in titles if t in set(rows["to_tier"])]
    place = {("from", t): i for i, t in enumerate(left)} | {("to", t): len(left) + i for i, t in enumerate(right)}
    rows = rows.sort(
        pl.col("from_tier").replace_strict({t: i for i, t in enumerate(titles)}),
        pl.col("to_tier").replace_strict({t: i for i, t in enumerate(titles)}),
    )
    everything = rows
    rows = rows.filter(pl.col("mean") >= RAREST * pl.col("mean").sum())
    ways = [way(a, b, model) for a, b in rows.select("from_tier", "to_tier").iter_rows()]
    used = [key for key in WAYS if key in ways]
    wide = theme.Panels(1, 1, panel_px=480, top_px=theme.legend_px(len(used), 3) + 6, bottom_px=14)
    narrow = theme.Panels(1, 1, panel_px=540, top_px=theme.legend_px(len(used), 1) + 6, bottom_px=14)
    middle = theme.Panels(1, 1, panel_px=480, top_px=theme.legend_px(len(used), 2) + 6, bottom_px=14)
    period = wording.horizon_words(years)
    fig = theme.figure(
        f"Moves between tiers, average a year, {period}: {name}", _alt(rows, titles, period, name), wide, narrow, middle
    )
    texts = [
        f"{titles[a]} to {titles[b].lower()}: {wording.quantity(n)} a year"
        for a, b, n in rows.select("from_tier", "to_tier", "mean").iter_rows()
    ]
    fig.add_sankey(
        arrangement="fixed",
        textfont={"size": 13, "color": theme.INK, "family": theme.FONT},
        node={
            "label": [
                *(_node(titles[t], everything, "from_tier", t) for t in left),
                *(_node(titles[t], everything, "to_tier", t) for t in right),
            ],
            "color": theme.QUIET,
            "pad": 18,
            "thickness": 14,
            "line": {"width": 0},
            "sort": "input",
            "hoverinfo": "skip",
        },
        link={
            "source": [place["from", t] for t in rows["from_tier"]],
            "target": [place["to", t] for t in rows["to_tier"]],
            "value": rows["mean"].to_list(),
            "color": [_see_through(WAYS[key][1]) for key in ways],
            "customdata": texts,
            "hovertemplate": "%{customdata}<extra></extra>",
            "sort": "input",
        },
    )
    for key in used:
        fig.add_scatter(
            x=[None],
            y=[None],
            mode="markers",
            marker={"symbol": "square", "size": 12, "color": WAYS[key][1]},
            name=WAYS[key][0],
        )
    for x, text in ((0, "Tier before the move"), (1, "Tier after the move")):
        side = "right" if x else "left"
        fig.add_annotation(
            x=x,
            y=1,
            xref="paper",
            yref="paper",
            xanchor=side,
            yanchor="bottom",
            yshift=6,
            showarrow=False,
            text=f"<b>{text}</b>",
            font={"size": 13},
        )
    fig.update_layout(xaxis={"visible": False}, yaxis={"visible": False}, margin={"l": 6, "r": 6})
    return fig


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
