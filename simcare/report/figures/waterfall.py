"""The waterfall: how parts, each with its interval, add up to a whole."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import plotly.graph_objects as go

from simcare.report import theme, wording
from simcare.report.figures.levels import whisker_legend
from simcare.report.theme import axis, label

ACROSS = 3  # panels in a row on a wide screen, as on paper; one on a phone
LEGEND = {
    "higher": ("Adds", theme.VERMILION),
    "lower": ("Takes away", theme.BLUE),
    "unclear": ("Not to be told from nothing", theme.SKY),
    "sum": ("The sum", theme.QUIET),
}


class Part(NamedTuple):
    """A part of a panel: what it is called and its mean with the interval; the last of a panel is the sum of those
    before."""

    name: str
    estimate: wording.Estimate


class Falls(NamedTuple):
    """One panel: a heading, what its axis counts, the unit, and the parts."""

    heading: str
    counts: str
    unit: wording.Unit
    parts: Sequence[Part]


def waterfall(title: str, panels: Sequence[Falls]) -> go.Figure:
    """Parts from the top down, each bar beginning where the one before ended, and their sum; whiskers are 95 %
    intervals of the part itself.

    All panels have the same names in the same order. Raises ValueError where there is no panel.
    """
    if not panels:
        raise ValueError("a waterfall needs a panel")
    names, count = [part.name for part in panels[0].parts], len(panels)
    tall = 40 * len(names) + 14
    across = min(ACROSS, count)
    wide, narrow, middle = (
        theme.Panels(
            count, n, panel_px=tall, top_px=theme.legend_px(5, legend), bottom_px=30, row_gap_px=84, column_gap=0.05
        )
        for n, legend in ((across, 5), (1, 1), (min(2, count), 3))
    )
    fig = theme.figure(title, _alt(title, panels), wide, narrow, middle)
    for k, panel in enumerate(panels):
        _bars(fig, k, panel)
        _names(fig, k, names, across, min(2, count))
        theme.panel_title(fig, k, panel.heading, panel.counts)
    for name, colour in LEGEND.values():
        fig.add_bar(x=[None], y=[None], marker={"color": colour}, name=name)
    whisker_legend(fig, "95% interval of the average")
    return fig


def _bars(fig: go.Figure, k: int, panel: Falls) -> None:
    place = {"xaxis": axis("x", k, True), "yaxis": axis("y", k, True), "showlegend": False}
    at, ends, tips = 0.0, [0.0], []
    for y, (name, estimate) in enumerate(panel.parts):
        whole = y == len(panel.parts) - 1
        base, size = (0.0, estimate.value) if whole else (at, estimate.value)
        half = 0.0 if estimate.high is None else estimate.high - estimate.value
        value, low, high = wording.rounded_alike(estimate, panel.unit)
        fig.add_bar(
            x=[size],
            y=[y],
            base=[base],
            width=0.62,
            orientation="h",
            marker={
                "color": LEGEND["sum" if whole else estimate.verdict][1] if estimate.verdict != "none" else theme.QUIET
            },
            error_x={"type": "data", "array": [half], "color": theme.INK, "thickness": 1.4, "width": 4},
            hovertemplate=f"{label(name)}: {value}<br>{wording.INTERVAL} {low} to {high}<extra></extra>",
            **place,
        )
        at = base + size
        if y < len(panel.parts) - 2:
            fig.add_shape(
                type="line",
                x0=at,
                x1=at,
                y0=y + 0.31,
                y1=y + 0.69,
                xref=place["xaxis"],
                yref=place["yaxis"],
                line={"color": theme.ZERO, "width": 1},
            )
        ends += [base, at, at - half, at + half]
        tips.append((max(base, at + half), y, value.replace(" million", "m").removesuffix(panel.unit.after or "\0")))
    span = max(ends) - min(ends) or 1.0
    for x, y, text in tips:
        fig.add_annotation(
            x=x,
            y=y,
            text=text,
            showarrow=False,
            xanchor="left",
            xshift=4,
            font={"size": 12.5},
            xref=place["xaxis"],
            yref=place["yaxis"],
        )
    ticks = theme.ticks(min(ends) - 0.04 * span, max(ends) + 0.34 * span, panel.unit, 3, signed=True, tight=True)
    zero = {"zeroline": True, "zerolinecolor": theme.INK, "zerolinewidth": 1.2}
    fig.update_layout({axis("x", k): {**ticks, **zero, "showgrid": True, "gridcolor": theme.RULE}})


def _names(fig: go.Figure, k: int, names: Sequence[str], across: int, middle: int) -> None:
    """The parts' names at the left of each row of panels, the sum in bold."""
    texts = [*(label(name, 20) for name in names[:-1]), f"<b>{label(names[-1], 18)}</b>"]
    rows = {
        "tickmode": "array",
        "tickvals": list(range(len(names))),
        "ticktext": texts,
        "showgrid": False,
        "showline": False,
        "automargin": True,
    }
    shown = {
        "range": [len(names) - 0.4, -0.6],
        "showticklabels": k % across == 0,
        "tickfont": {"size": 12.5, "color": theme.INK},
    }
    fig.update_layout({axis("y", k): {**rows, **shown}})
    fig.layout.meta["narrow"][f"{axis('y', k)}.showticklabels"] = True
    fig.layout.meta["middle"][f"{axis('y', k)}.showticklabels"] = k % middle == 0


def _alt(title: str, panels: Sequence[Falls]) -> str:
    said = []
    for panel in panels:
        parts = [
            f"{name} {wording.rounded_alike(estimate, panel.unit)[0]} ({wording.interval_words(estimate, panel.unit)})"
            for name, estimate in panel.parts
        ]
        said.append(f"{panel.heading}, {panel.counts}: {', '.join(parts)}")
    return f"Waterfall bars with intervals: {title}. {'. '.join(said)}."
