"""Figures of what an answer hangs on: conditional means (a tornado), shares of the spread, and what it is worth to know
a cause."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go
import polars as pl

from simcare.report import theme, wording
from simcare.report.decision_words import KINDS
from simcare.report.theme import axis, label

WIDE_LABEL, MIDDLE_LABEL, NARROW_LABEL = 46, 34, 54  # characters of a line of a cause's title
LOW_END, HIGH_END = (theme.SKY, theme.BLUE), ("#f0b48a", theme.VERMILION)  # at a cause's ends; if it changes the sign
TURNS = "Changes the sign"
KIND_COLOURS = {
    "uncertain": (theme.BLUE, "white"), "effect": (theme.GREEN, "white"), "demand": (theme.PURPLE, "white"),
    "chance": ("#c9d0d6", theme.INK),
}  # fmt: skip
FAR = 2.0  # lengths of all bars: a zero further off is left out
READABLE = 0.08  # the least share that has room for its number


# ---- rows with long titles
def _row_layouts(rows: int, keys: int, bottom: int = 54) -> tuple[theme.Panels, theme.Panels, theme.Panels]:
    """Titles beside the bars on a screen and on paper; above each bar on a phone."""
    each = ((38, 3), (70, 1), (46, 2))
    wide, narrow, middle = (
        theme.Panels(1, 1, panel_px=12 + px * rows, top_px=theme.legend_px(keys, across) - 32, bottom_px=bottom)
        for px, across in each
    )
    return wide, narrow, middle


def _row_titles(fig: go.Figure, titles: Sequence[str]) -> None:
    """Titles down the left side; on a phone they stand above their bars."""
    rows = list(range(len(titles)))
    style = {"automargin": True, "tickfont": {"size": 12.5, "color": theme.INK}, "showgrid": False, "showline": False}
    fig.update_layout(
        yaxis={
            "tickmode": "array", "tickvals": rows, "ticktext": [label(t, WIDE_LABEL) for t in titles],
            "range": [len(titles) - 0.5, -0.6], **style,
        }
    )  # fmt: skip
    fig.layout.meta["middle"]["yaxis.ticktext"] = [label(t, MIDDLE_LABEL) for t in titles]
    fig.layout.meta["narrow"] |= {"yaxis.showticklabels": False, "margin.l": 12, "yaxis.range": [rows[-1] + 0.3, -0.85]}
    for row, title in enumerate(titles):
        fig.add_annotation(
            text=label(title, NARROW_LABEL), x=0, xref="x domain", y=row, yref="y", xanchor="left", yanchor="bottom",
            yshift=16, showarrow=False, align="left", visible=False, font={"size": 12, "color": theme.INK},
            bgcolor="rgba(255,255,255,0.8)",
        )  # fmt: skip
        fig.layout.meta["narrow"][f"annotations.{len(fig.layout.annotations) - 1}.visible"] = True


def _upright(fig: go.Figure, x: float, dash: str) -> None:
    line = {"color": theme.INK, "width": 1.2, "dash": dash}
    fig.add_shape(type="line", x0=x, x1=x, y0=0, y1=1, xref="x", yref="y domain", line=line, layer="above")


# ---- the tornado
def tornado_figure(rows: pl.DataFrame, titles: Sequence[str], mean: float, strategy: str, years: str) -> go.Figure:
    """The mean change in cost to the council with each cause at its low and its high end, the longest bar on top.

    ``rows`` as :func:`simcare.decide.tornado.tornado` gives them, those that are drawn; ``titles`` are those of the
    causes; ``mean`` is that of all futures. Bars that change the sign have a colour of their own, and a diamond.
    """
    turns = bool(rows["changes_sign"].any())
    fig = theme.figure(
        f"What “{strategy}” hangs on: change in cost to the council, {years}",
        _tornado_alt(rows, titles, mean, strategy),
        *_row_layouts(rows.height, 4 + turns),
    )
    shown = [f"◆ {title}" if turn else title for title, turn in zip(titles, rows["changes_sign"], strict=True)]
    for end, column in enumerate(("mean_at_low", "mean_at_high")):
        means = rows[column].to_list()
        colours = [(HIGH_END if turn else LOW_END)[end] for turn in rows["changes_sign"]]
        said = [wording.quantity(x, wording.POUNDS, signed=True) for x in means]
        fig.add_bar(
            orientation="h", y=list(range(rows.height)), base=[mean] * rows.height, x=[x - mean for x in means],
            width=0.5 if end == 0 else 0.34, marker={"color": colours, "line": {"color": "white", "width": 0}},
            customdata=said, showlegend=False, name=column,
            hovertemplate=f"%{{customdata}} at its {'high' if end else 'low'} end<extra></extra>",
        )  # fmt: skip
    _turning_ends(fig, rows, mean)
    ends, zero = _reach(mean, [*rows["mean_at_low"], *rows["mean_at_high"]])
    pad = 0.06 * (max(ends) - min(ends) or 1.0)
    wide, few = (theme.ticks(min(ends) - pad, max(ends) + pad, wording.POUNDS, n, True, True) for n in (6, 3))
    worth = theme.axis_title("Change in cost to the council" + ("; left of zero it saves" if zero else ""))
    fig.update_layout(barmode="overlay", xaxis={**wide, "showgrid": True, "gridcolor": theme.RULE, "title": worth})
    fig.layout.meta["narrow"] |= {f"xaxis.{key}": few[key] for key in ("tickvals", "ticktext")}
    _row_titles(fig, shown)
    if zero:
        _upright(fig, 0.0, "solid")
    _upright(fig, mean, "dot")
    _tornado_legend(fig, turns)
    return fig


def _reach(mean: float, ends: Sequence[float]) -> tuple[list[float], bool]:
    """What the axis holds, and whether zero is there: not where it lies so far off that the bars would be slivers."""
    low, high = min(mean, *ends), max(mean, *ends)
    away = max(low, -high, 0.0)
    return ([0.0, low, high], True) if away <= FAR * (high - low) else ([low, high], False)


def _turning_ends(fig: go.Figure, rows: pl.DataFrame, mean: float) -> None:
    """A diamond at each end that lies on the other side of zero than the mean."""
    x, y = [], []
    for row, (low, high, turns) in enumerate(rows.select("mean_at_low", "mean_at_high", "changes_sign").iter_rows()):
        beyond = [end for end in (low, high) if turns and end * mean < 0]
        x += beyond
        y += [row] * len(beyond)
    marker = {"color": "white", "size": 10, "symbol": "diamond", "line": {"color": theme.INK, "width": 1.6}}
    fig.add_scatter(x=x, y=y, mode="markers", marker=marker, hoverinfo="skip", showlegend=False, name=TURNS)


def _tornado_legend(fig: go.Figure, turns: bool) -> None:
    for name, colour in (("The cause at its low end", theme.SKY), ("At its high end", theme.BLUE)):
        fig.add_bar(x=[None], y=[None], marker={"color": colour}, name=name)
    if turns:
        marker = {"color": theme.VERMILION, "size": 10, "symbol": "diamond", "line": {"color": theme.INK, "width": 1.6}}
        fig.add_scatter(x=[None], y=[None], mode="markers", marker=marker, name=f"◆ {TURNS} (pale: low end)")
    line = {"color": theme.INK, "width": 1.2, "dash": "dot"}
    fig.add_scatter(x=[None], y=[None], mode="lines", line=line, name="Mean of all futures")


def _tornado_alt(rows: pl.DataFrame, titles: Sequence[str], mean: float, strategy: str) -> str:
    said = []
    for title, row in zip(titles, rows.iter_rows(named=True), strict=True):
        low, high = (wording.quantity(row[x], wording.POUNDS, signed=True) for x in ("mean_at_low", "mean_at_high"))
        said.append(f"{title}: {low} to {high}{', which changes the sign' if row['changes_sign'] else ''}")
    middle = wording.quantity(mean, wording.POUNDS, signed=True)
    start = f"Bars: the mean change in cost to the council of {strategy} with each cause at its low and its high end"
    return f"{start}; over all futures it is {middle}. {'; '.join(said)}."


# ---- shares of the spread
def spread_shares_figure(frame: pl.DataFrame, titles: Mapping[str, str], years: str) -> go.Figure:
    """Where the spread of each strategy's difference comes from, a panel a measure: bars that add up to all of it.

    ``frame``: strategy, measure, kind, shown (a share).
    """
    measures = frame["measure"].unique(maintain_order=True).to_list()
    fig = theme.figure(
        f"Where the spread of the differences comes from, {years}",
        _shares_alt(frame, titles),
        *_shares_layouts(len(measures), len(titles)),
    )
    for k, measure in enumerate(measures):
        for kind in KINDS:
            _share_bars(fig, k, frame.filter((pl.col("measure") == measure) & (pl.col("kind") == kind)), titles, kind)
        across = {**theme.ticks(0, 100, wording.PERCENT, 4), "range": [0, 106]}  # room for the last label
        fig.update_layout({axis("x", k): across})
        _strategy_rows(fig, k, list(titles.values()))
        theme.panel_title(fig, k, wording.shown_measure(measure).label)
    fig.update_layout(barmode="stack", legend={"traceorder": "normal"})
    return fig


def _shares_layouts(panels: int, rows: int) -> tuple[theme.Panels, theme.Panels, theme.Panels]:
    tall = 16 + 44 * rows
    wide, middle, narrow = (
        theme.Panels(
            panels, min(panels, columns), panel_px=tall, top_px=theme.legend_px(len(KINDS), across), bottom_px=32,
            row_gap_px=72, column_gap=0.05,
        )
        for columns, across in ((2, 4), (2, 2), (1, 1))
    )  # fmt: skip
    return wide, narrow, middle


def _share_bars(fig: go.Figure, k: int, rows: pl.DataFrame, titles: Mapping[str, str], kind: str) -> None:
    colour, ink = KIND_COLOURS[kind]
    order = list(titles)
    shares = rows["shown"].to_list()
    fig.add_bar(
        orientation="h", y=[order.index(name) for name in rows["strategy"]], x=[100 * share for share in shares],
        width=0.62, marker={"color": colour, "line": {"color": "white", "width": 1}}, name=KINDS[kind],
        legendgroup=kind, showlegend=k == 0, text=[f"{round(100 * s)}%" if s >= READABLE else "" for s in shares],
        textposition="inside", insidetextanchor="middle", textangle=0, textfont={"color": ink, "size": 12},
        **theme.hover([100 * share for share in shares], f"{KINDS[kind]}: %{{customdata}}", wording.PERCENT),
        **theme.panel_axes(k),
    )  # fmt: skip


def _strategy_rows(fig: go.Figure, k: int, names: Sequence[str]) -> None:
    """The strategies down the left side, beside the first panel of each row."""
    rows = {"tickmode": "array", "tickvals": list(range(len(names))), "ticktext": [label(n, 26) for n in names]}
    look = {"range": [len(names) - 0.5, -0.5], "automargin": True, "showgrid": False, "showline": False}
    font = {"size": 12.5, "color": theme.INK}
    fig.update_layout({axis("y", k): {**rows, **look, "tickfont": font, "showticklabels": k == 0}})
    fig.layout.meta["narrow"][f"{axis('y', k)}.showticklabels"] = True
    for layout in ("narrow", "middle"):
        fig.layout.meta[layout][f"{axis('y', k)}.ticktext"] = [label(n, 16) for n in names]


def _shares_alt(frame: pl.DataFrame, titles: Mapping[str, str]) -> str:
    said = []
    for (measure, strategy), rows in frame.group_by("measure", "strategy", maintain_order=True):
        parts = [f"{KINDS[kind]} {round(100 * share)}%" for kind, share in rows.select("kind", "shown").iter_rows()]
        about = wording.shown_measure(str(measure)).in_sentence
        said.append(f"{titles[str(strategy)]}, {about}: {', '.join(parts)}")
    return f"Stacked bars: which part of the spread over simulated futures comes from what. {'; '.join(said)}."


# ---- what it is worth to know
def worth_figure(rows: pl.DataFrame, titles: Sequence[str], years: str) -> go.Figure:
    """What it is worth to know each cause before choosing, in pounds, with its standard error (``rows``:
    :func:`simcare.decide.information.information`, those that are drawn)."""
    said = [wording.quantity(value, wording.POUNDS) for value in rows["value"]]
    each = "; ".join(f"{title}: {value}" for title, value in zip(titles, said, strict=True))
    fig = theme.figure(
        f"What is worth finding out before choosing by cost to the council, {years}",
        f"Bars: what it is worth to know a cause before choosing. {each}.",
        *_row_layouts(rows.height, 1),
    )
    error: dict[str, Any] = {"type": "data", "color": theme.INK, "thickness": 1.4, "width": 4}
    least = [min(value, error) for value, error in rows.select("value", "error").iter_rows()]
    fig.add_bar(
        orientation="h", y=list(range(rows.height)), x=rows["value"], width=0.46, marker={"color": theme.BLUE},
        customdata=said, hovertemplate="%{customdata}<extra></extra>", showlegend=False, name="value",
        error_x={**error, "array": rows["error"].to_list(), "arrayminus": least},
    )  # fmt: skip
    top = max(value + error for value, error in rows.select("value", "error").iter_rows())
    wide, few = (theme.ticks(0, top, wording.POUNDS, count) for count in (6, 3))
    title = theme.axis_title("Worth, for one decision")
    fig.update_layout(xaxis={**wide, "showgrid": True, "gridcolor": theme.RULE, "title": title})
    fig.layout.meta["narrow"] |= {f"xaxis.{key}": few[key] for key in ("tickvals", "ticktext", "range")}
    _row_titles(fig, titles)
    line = {"color": theme.INK, "width": 1.4}
    fig.add_scatter(x=[None], y=[None], mode="lines", line=line, name="One standard error either side")
    return fig


__all__ = ["KIND_COLOURS", "spread_shares_figure", "tornado_figure", "worth_figure"]
