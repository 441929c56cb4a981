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
    "unclear": ("No clear difference", theme.SKY),
    "sum": ("The sum", theme.QUIET),
}


class WaterfallPart(NamedTuple):
    """A part of a panel: what it is called and its mean with the interval; the last of a panel is the sum of those
    before."""

    name: str
    estimate: wording.Estimate


class WaterfallPanel(NamedTuple):
    """One panel: a heading, what its axis counts, the unit, and the parts."""

    heading: str
    counts: str
    unit: wording.Unit
    parts: Sequence[WaterfallPart]


class PlacedBar(NamedTuple):
    """Where the bar of a part lies: from ``base`` to ``end``, with whiskers of ``half`` the interval's width."""

    part: WaterfallPart
    base: float
    end: float
    half: float
    is_sum: bool


def waterfall(title: str, panels: Sequence[WaterfallPanel]) -> go.Figure:
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
        _draw(fig, k, panel)
        _names(fig, k, names, across, min(2, count))
        theme.panel_title(fig, k, panel.heading, panel.counts)
    for name, colour in LEGEND.values():
        fig.add_bar(x=[None], y=[None], marker={"color": colour}, name=name)
    whisker_legend(fig, "95% interval of the average")
    return fig


def placed(parts: Sequence[WaterfallPart]) -> list[PlacedBar]:
    """Each part's bar from where the one before ended; the last, which is the sum, from zero.

    >>> one, two = wording.Estimate(2.0), wording.Estimate(-0.5)
    >>> parts = [WaterfallPart("one", one), WaterfallPart("two", two), WaterfallPart("sum", wording.Estimate(1.5))]
    >>> [(bar.base, bar.end) for bar in placed(parts)]
    [(0.0, 2.0), (2.0, 1.5), (0.0, 1.5)]
    """
    found: list[PlacedBar] = []
    for y, part in enumerate(parts):
        is_sum = y == len(parts) - 1
        base = 0.0 if is_sum or not found else found[-1].end
        half = 0.0 if part.estimate.high is None else part.estimate.high - part.estimate.value
        found.append(PlacedBar(part, base, base + part.estimate.value, half, is_sum))
    return found


def _draw(fig: go.Figure, k: int, panel: WaterfallPanel) -> None:
    """The bars of panel ``k``, the lines between them, their values, and the axis that holds them."""
    bars = placed(panel.parts)
    for y, bar in enumerate(bars):
        _bar(fig, k, y, bar, panel.unit)
        _value(fig, k, y, bar, panel.unit)
        if y < len(bars) - 2:
            _step(fig, k, y, bar.end)
    ends = [0.0, *(end for bar in bars for end in (bar.base, bar.end, bar.end - bar.half, bar.end + bar.half))]
    span = max(ends) - min(ends) or 1.0
    ticks = theme.ticks(min(ends) - 0.04 * span, max(ends) + 0.34 * span, panel.unit, 3, signed=True, tight=True)
    zero = {"zeroline": True, "zerolinecolor": theme.INK, "zerolinewidth": 1.2}
    fig.update_layout({axis("x", k): {**ticks, **zero, "showgrid": True, "gridcolor": theme.RULE}})


def _bar(fig: go.Figure, k: int, y: int, bar: PlacedBar, unit: wording.Unit) -> None:
    name, estimate = bar.part
    kind = "sum" if bar.is_sum or estimate.verdict == "none" else estimate.verdict
    value, low, high = wording.rounded_alike(estimate, unit)
    fig.add_bar(
        x=[estimate.value],
        y=[y],
        base=[bar.base],
        width=0.62,
        orientation="h",
        marker={"color": LEGEND[kind][1]},
        error_x={"type": "data", "array": [bar.half], "color": theme.INK, "thickness": 1.4, "width": 4},
        hovertemplate=f"{label(name)}: {value}<br>{wording.INTERVAL} {low} to {high}<extra></extra>",
        xaxis=axis("x", k, True),
        yaxis=axis("y", k, True),
        showlegend=False,
    )


def _value(fig: go.Figure, k: int, y: int, bar: PlacedBar, unit: wording.Unit) -> None:
    """The value of a bar, in words to its right."""
    value = wording.rounded_alike(bar.part.estimate, unit)[0].replace(" million", "m")
    place = {"x": max(bar.base, bar.end + bar.half), "y": y, "xref": axis("x", k, True), "yref": axis("y", k, True)}
    text = value.removesuffix(unit.after) if unit.after else value
    fig.add_annotation(text=text, showarrow=False, xanchor="left", xshift=4, font={"size": 12.5}, **place)


def _step(fig: go.Figure, k: int, y: int, end: float) -> None:
    """The line from the end of a bar to the beginning of the next."""
    place = {"x0": end, "x1": end, "y0": y + 0.31, "y1": y + 0.69, "xref": axis("x", k, True)}
    fig.add_shape(type="line", yref=axis("y", k, True), line={"color": theme.ZERO, "width": 1}, **place)


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


def _alt(title: str, panels: Sequence[WaterfallPanel]) -> str:
    said = []
    for panel in panels:
        parts = [
            f"{name} {wording.rounded_alike(estimate, panel.unit)[0]} ({wording.interval_words(estimate, panel.unit)})"
            for name, estimate in panel.parts
        ]
        said.append(f"{panel.heading}, {panel.counts}: {', '.join(parts)}")
    return f"Waterfall bars with intervals: {title}. {'. '.join(said)}."


__all__ = ["WaterfallPanel", "WaterfallPart", "waterfall"]
