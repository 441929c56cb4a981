"""How every figure looks: type, colours that stay apart for colour-blind readers, axes, panels, and the phone layout.

Colours are from Okabe and Ito (2008), with greys; a difference is never shown by colour alone.
A figure carries in ``layout.meta``: ``title``, ``alt`` (what it shows, in words), ``narrow`` (what changes on a phone)
and ``middle`` (what changes on a tablet and on paper), both in the words of ``Plotly.relayout``.
"""

from __future__ import annotations

import html
import math
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go

from simcare.report import wording

FONT = "Arial, Helvetica, 'Liberation Sans', sans-serif"
INK, QUIET, RULE, ZERO = "#1f2a33", "#55626d", "#dfe4e8", "#8a959e"
BLUE, SKY, VERMILION, GREEN, PURPLE, GREY = "#0072b2", "#8cc4e6", "#d55e00", "#009e73", "#a4527f", "#8a959e"
PALE_GREY, PALE_PURPLE = "rgba(138,149,158,0.28)", "rgba(164,82,127,0.26)"
TITLE_PX = 44  # what a title of up to two lines takes
NARROW_PX, MIDDLE_PX = 600, 860  # a figure narrower than this takes the phone layout, or that of paper
CONFIG = {"displayModeBar": False, "responsive": False, "scrollZoom": False, "doubleClick": False, "showTips": False}


@dataclass(frozen=True)
class Panels:
    """A grid of panels of equal size, in pixels; domains follow from it."""

    count: int
    columns: int
    panel_px: int = 180
    row_gap_px: int = 62
    column_gap: float = 0.05
    top_px: int = 44
    bottom_px: int = 40

    @property
    def rows(self) -> int:
        return math.ceil(self.count / self.columns)

    @property
    def height_px(self) -> int:
        return self.top_px + self.bottom_px + self.rows * self.panel_px + (self.rows - 1) * self.row_gap_px

    def domain(self, k: int) -> tuple[list[float], list[float]]:
        """The x and y domain of panel ``k``, counted along rows from the top left."""
        row, column = divmod(k, self.columns)
        width = (1 - (self.columns - 1) * self.column_gap) / self.columns
        left = column * (width + self.column_gap)
        inside = self.height_px - self.top_px - self.bottom_px
        top = 1 - row * (self.panel_px + self.row_gap_px) / inside
        return [left, min(1.0, left + width)], [max(0.0, top - self.panel_px / inside), top]

    def relayout(self) -> dict[str, Any]:
        """Domains and height, in the words of ``Plotly.relayout``."""
        changes: dict[str, Any] = {"height": self.height_px, "margin.t": self.top_px, "margin.b": self.bottom_px}
        for k in range(self.count):
            x, y = self.domain(k)
            changes |= {f"{axis('x', k)}.domain": x, f"{axis('y', k)}.domain": y}
        return changes


def axis(letter: str, k: int, short: bool = False) -> str:
    """The plotly name of panel k's axis: ``xaxis``, ``xaxis2`` …, or short ``x``, ``x2`` …"""
    return f"{letter}{'' if short else 'axis'}{'' if k == 0 else k + 1}"


def panel_axes(k: int) -> dict[str, str]:
    """Where a trace of panel k is drawn."""
    return {"xaxis": axis("x", k, True), "yaxis": axis("y", k, True)}


def label(text: str, width: int = 0) -> str:
    """Text of a model, safe inside a figure (plotly reads tags), wrapped to ``width`` characters.

    >>> label("<b>a & b</b>")
    '&lt;b&gt;a &amp; b&lt;/b&gt;'
    """
    lines = textwrap.wrap(text, width) if width else [text]
    return "<br>".join(html.escape(line, quote=False) for line in lines)


def legend_px(items: int, across: int) -> int:
    """The height of a legend with so many items across, and of the panel's heading below it."""
    return 52 + 20 * math.ceil(items / across)


def figure(title: str, alt: str, wide: Panels, narrow: Panels, middle: Panels | None = None) -> go.Figure:
    """An empty figure in the house style with its panels' axes placed."""
    fig = go.Figure()
    height = wide.height_px + TITLE_PX
    fig.update_layout(
        template=None,
        title=_title(title),
        font={"family": FONT, "size": 13, "color": INK},
        paper_bgcolor="white",
        plot_bgcolor="white",
        height=height,
        margin={"l": 52, "r": 14, "t": wide.top_px + TITLE_PX, "b": wide.bottom_px},
        hoverlabel={"bgcolor": "white", "bordercolor": ZERO, "font": {"family": FONT, "size": 13, "color": INK}},
        legend=_legend_at(1 - TITLE_PX / height),
        dragmode=False,
        meta={"title": title, "alt": alt, "narrow": narrow.relayout(), "middle": (middle or wide).relayout()},
    )
    plain = {"zeroline": False, "showgrid": False, "linecolor": ZERO, "fixedrange": True}
    plain["tickfont"] = {"size": 12, "color": QUIET}
    for k in range(wide.count):
        x, y = wide.domain(k)
        across = {**plain, "domain": x, "anchor": axis("y", k, short=True), "showline": True}
        up = {**plain, "domain": y, "anchor": axis("x", k, short=True), "showgrid": True, "gridcolor": RULE}
        fig.update_layout({axis("x", k): across, axis("y", k): up})
    return fig


def _title(text: str) -> dict[str, Any]:
    """The title at the top left."""
    corner = {"x": 0, "xref": "container", "y": 1, "yref": "container", "yanchor": "top", "pad": {"t": 12, "l": 12}}
    return {"text": label(text, 100), **corner, "font": {"size": 17}}


def _legend_at(y: float) -> dict[str, Any]:
    """The legend at the left, from a height down; clicking it does nothing."""
    corner = {"x": 0, "xref": "container", "y": y, "yref": "container", "yanchor": "top", "xanchor": "left"}
    still = {"itemclick": False, "itemdoubleclick": False, "tracegroupgap": 0}  # rows as high as legend_px says
    return {"orientation": "h", **corner, "font": {"size": 12.5}, **still}


def untitled(fig: go.Figure) -> go.Figure:
    """The same figure for a page that sets the title as text above it."""
    bare = go.Figure(fig)
    bare.update_layout(
        title=None, height=fig.layout.height - TITLE_PX, margin={"t": fig.layout.margin.t - TITLE_PX}, legend={"y": 1}
    )
    return bare


def panel_title(fig: go.Figure, k: int, name: str, unit: str = "") -> None:
    """A heading above panel ``k``: what, and in which unit."""
    text = f"<b>{label(name)}</b>" + (f"<br><span style='color:{QUIET}'>{label(unit)}</span>" if unit else "")
    above_panel(fig, k, text, yshift=3)


def above_panel(fig: go.Figure, k: int, text: str, yshift: float) -> None:
    """Text above the left end of panel ``k``, so many pixels up; it may hold tags."""
    place = {
        "x": 0,
        "y": 1,
        "xanchor": "left",
        "yanchor": "bottom",
        "xref": f"{axis('x', k, True)} domain",
        "yref": f"{axis('y', k, True)} domain",
    }
    font = {"size": 13, "color": INK}
    fig.add_annotation(text=text, showarrow=False, align="left", yshift=yshift, font=font, **place)


def axis_title(text: str) -> dict[str, Any]:
    """The title of an axis, in small quiet type."""
    return {"text": label(text), "font": {"size": 12, "color": QUIET}, "standoff": 4}


def level_line(fig: go.Figure, k: int, height: float, colour: str = ZERO, dash: str = "dot") -> None:
    """A thin line across panel ``k`` at a height of its y axis."""
    across = {"type": "line", "x0": 0, "x1": 1, "xref": f"{axis('x', k, True)} domain"}
    line = {"color": colour, "width": 1, "dash": dash}
    fig.add_shape(**across, y0=height, y1=height, yref=axis("y", k, True), line=line)


def nice_step(span: float, ticks: int) -> float:
    """The step of 1, 2 or 5 times a power of ten that gives at most ``ticks`` ticks over ``span``.

    >>> nice_step(9.0, 5), nice_step(130, 4)
    (2.0, 50.0)
    """
    rough = span / max(1, ticks)
    power = 10.0 ** math.floor(math.log10(rough))
    return next(m * power for m in (1.0, 2.0, 5.0, 10.0) if m * power >= rough * 0.999)


def ticks(
    low: float, high: float, unit: wording.Unit, count: int = 4, signed: bool = False, tight: bool = False
) -> dict[str, Any]:
    """Tick values and texts for an axis that holds ``low`` to ``high``, and its range; texts share one scale and carry
    the unit's sign only.

    The axis ends at a tick, or exactly at ``low`` and ``high`` when ``tight``.
    """
    if high <= low:
        high = low + 1
    step = nice_step(high - low, count)
    first, last = (
        (math.ceil(low / step), math.floor(high / step))
        if tight
        else (math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9))
    )
    values = [k * step for k in range(first, last + 1)]
    bare = wording.Unit(
        unit.before, "%" if unit == wording.PERCENT else "", "m", unit.billion if unit == wording.POUNDS else "bn"
    )
    largest = max(abs(v) for v in values)
    place = math.floor(math.log10(step) + 1e-9)
    texts = ["0" if v == 0 else wording.quantity(v, bare, place, signed, largest) for v in values]
    return {
        "tickmode": "array",
        "tickvals": values,
        "ticktext": texts,
        "tickangle": 0,
        "range": [low, high] if tight else [values[0], values[-1]],
    }


def hover(
    values: Iterable[float | None], text: str, unit: wording.Unit = wording.COUNT, signed: bool = False
) -> dict[str, Any]:
    """What shows where somebody points: ``text`` with ``%{customdata}`` for the value, at three significant figures."""
    said = ["" if value is None else wording.quantity(value, unit, signed=signed) for value in values]
    return {"customdata": said, "hovertemplate": f"{text}<extra></extra>"}


def band(
    fig: go.Figure,
    k: int,
    x: Sequence[Any],
    low: Sequence[float],
    high: Sequence[float],
    fill: str,
    name: str,
    legend: bool,
) -> None:
    """A filled interval over time in panel ``k``."""
    xs, ys = [*x, *reversed(x)], [*high, *reversed(low)]
    fig.add_scatter(
        x=xs,
        y=ys,
        fill="toself",
        fillcolor=fill,
        line={"width": 0},
        mode="lines",
        hoverinfo="skip",
        name=name,
        legendgroup=name,
        showlegend=legend,
        **panel_axes(k),
    )


def interval(
    fig: go.Figure,
    x: Sequence[float | None],
    y: float,
    colour: str,
    width: float,
    where: Mapping[str, Any],
    opacity: float | None = None,
) -> None:
    """A bar from end to end of an interval, at one height."""
    line = {"color": colour, "width": width}
    fig.add_scatter(x=list(x), y=[y, y], mode="lines", line=line, opacity=opacity, hoverinfo="skip", **where)


def zero_line(fig: go.Figure, k: int) -> None:
    """An upright line at zero in panel ``k``, below what is drawn."""
    at = {"x0": 0, "x1": 0, "y0": 0, "y1": 1, "xref": axis("x", k, True), "yref": f"{axis('y', k, True)} domain"}
    fig.add_shape(type="line", line={"color": INK, "width": 1.2}, layer="below", **at)
