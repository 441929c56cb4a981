"""The figure of what contracts reward: the day's price, what retention earns, how fast providers step down, who is
still there."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import plotly.graph_objects as go
import polars as pl

from simcare.report import theme, wording
from simcare.report.theme import axis

# Eight lines that stay apart without colour too: each has a dash of its own among those of like colour.
LINES = (
    (theme.INK, "dot"),
    (theme.BLUE, "solid"),
    (theme.VERMILION, "solid"),
    (theme.GREEN, "solid"),
    (theme.PURPLE, "solid"),
    (theme.SKY, "dash"),
    (theme.VERMILION, "dash"),
    (theme.GREEN, "dash"),
    (theme.GREY, "dashdot"),
    (theme.PURPLE, "dash"),
)


class TariffPanel(NamedTuple):
    """One panel: the column it draws, its heading and unit, and the unit of its axis."""

    column: str
    title: str
    unit: str
    axis: wording.Unit


PANELS = (
    TariffPanel("gbp_per_day", "Price of the day", "£ a day", wording.POUNDS),
    TariffPanel("holding_gbp_per_day", "Earned by retention", "£ a day, compared with stepping down", wording.POUNDS),
    TariffPanel(
        "step_downs_per_year", "Stepped down by the provider", "times a year, clients ready to step down", wording.COUNT
    ),
    TariffPanel("still_there", "Still there", "% of clients, at the end of the day", wording.PERCENT),
)


def incentive_figure(frame: pl.DataFrame, names: Mapping[str, str], where: str) -> go.Figure:
    """What contracts reward by day of the stay: a line for each ``contract`` of the frame, the one in force first; its
    other columns are those of :func:`simcare.tariffs.expected_stay.curve`.

    ``names`` says what each contract is called, ``where`` the service and the provider. Panels without data (no
    provider responds to payment) are left out.
    """
    curves = [(names[str(name)], rows) for (name,), rows in frame.group_by("contract", maintain_order=True)]
    shown = [panel for panel in PANELS if frame[panel.column].drop_nulls().len()]
    count = len(shown)
    wide = theme.Panels(
        count, 2, panel_px=190, top_px=theme.legend_px(len(curves), 4), bottom_px=46, row_gap_px=92, column_gap=0.09
    )
    narrow = theme.Panels(
        count, 1, panel_px=170, top_px=theme.legend_px(len(curves) + 4, 2), bottom_px=46, row_gap_px=88
    )
    fig = theme.figure(f"What contracts reward by day of the stay: {where}", _alt(curves, shown, where), wide, narrow)
    for k, panel in enumerate(shown):
        _axes(fig, k, panel, frame)
        for j, (name, rows) in enumerate(curves):
            _line(fig, k, panel, j, name, rows)
        theme.panel_title(fig, k, panel.title, panel.unit)
    return fig


def _scale(panel: TariffPanel) -> float:
    return 100.0 if panel.axis == wording.PERCENT else 1.0


def _axes(fig: go.Figure, k: int, panel: TariffPanel, frame: pl.DataFrame) -> None:
    """The axes of panel ``k``, the same for every contract, and a line at zero where values lie below it."""
    values = [v * _scale(panel) for v in frame[panel.column].drop_nulls()]
    low, high = min(0.0, *values), max(0.0, *values)
    last = max(frame["day"].to_list()) + 1
    days = {
        "tickmode": "array",
        "tickvals": list(range(0, last + 1, _tick_days(last))),
        "range": [0, last],
        "tickangle": 0,
        "title": theme.axis_title("day of the stay"),
    }
    fig.update_layout({axis("y", k): theme.ticks(low, high, panel.axis, 4), axis("x", k): days})
    if low < 0:
        theme.level_line(fig, k, 0, dash="solid")


def _line(fig: go.Figure, k: int, panel: TariffPanel, j: int, name: str, rows: pl.DataFrame) -> None:
    """The line of contract ``j`` in panel ``k``."""
    colour, dash = LINES[j % len(LINES)]
    fig.add_scatter(
        x=rows["day"].to_list(),
        y=[None if v is None else v * _scale(panel) for v in rows[panel.column]],
        mode="lines",
        line={"color": colour, "dash": dash, "width": 2.2, "shape": "hv"},
        name=theme.label(name),
        legendgroup=str(j),
        showlegend=k == 0,
        customdata=["" if v is None else wording.quantity(v * _scale(panel), panel.axis) for v in rows[panel.column]],
        hovertemplate=f"{theme.label(name)}: %{{customdata}}, day %{{x}}<extra></extra>",
        xaxis=axis("x", k, True),
        yaxis=axis("y", k, True),
    )


def _tick_days(last: int) -> int:
    """Quarters of a year between ticks: so many that no more than six fit on a phone.

    >>> _tick_days(365), _tick_days(3650)
    (91, 819)
    """
    return 91 * max(1, math.ceil(last / 91 / 5))


def _alt(curves: Sequence[tuple[str, pl.DataFrame]], shown: Sequence[TariffPanel], where: str) -> str:
    """The panels in words, and each contract on its first, 90th and last day."""
    said = []
    for name, frame in curves:
        rows = frame.filter(pl.col("day").is_in([0, 90, frame["day"].to_list()[-1]]))
        rates = ", ".join(
            f"{wording.quantity(row['step_downs_per_year'])} on day {row['day']}" for row in rows.iter_rows(named=True)
        )
        said.append(f"{name}: stepped down {rates} a year")
    panels = wording.listed([f"{panel.title.lower()} ({panel.unit})" for panel in shown])
    return f"Lines by day of the stay, {where}: {panels}. {'; '.join(said)}."


__all__ = ["incentive_figure"]
