"""The figure of the limits of capacity: people who wait for a place, how long, delayed discharges, and spot
purchases."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import plotly.graph_objects as go
import polars as pl

from simcare.measures.catalogue import QUEUE_CLASSES
from simcare.model.strategy import BASELINE
from simcare.report import theme, wording
from simcare.report.figures.levels import colours, year_ticks
from simcare.report.limit_frames import PEOPLE, WAIT, limit_rows
from simcare.report.setting import Setting
from simcare.report.theme import axis
from simcare.units import month_start, parsed_month

DRAWN = {  # person-days shown as people: the panel's heading, and how the figure's title has it
    "queue_days": ("Waiting for a place", "waiting"),
    "delayed_days": ("Delayed discharge", "delayed in hospital"),
    "spot_days": ("In spot purchases", "in spot purchases"),
}


@dataclass(frozen=True)
class Rows(theme.Panels):
    """Panels in two groups, each of which starts a row of its own: the first so many, and the others."""

    first: int = 0

    @property
    def rows(self) -> int:
        return math.ceil(self.first / self.columns) + math.ceil((self.count - self.first) / self.columns)

    def domain(self, k: int) -> tuple[list[float], list[float]]:
        """As of a grid in which the first group's last row is filled up.

        >>> Rows(7, 4, first=3).domain(3)[0], Rows(7, 4, first=3).rows
        ([0.0, 0.2125], 2)
        """
        skipped = -self.first % self.columns
        return super().domain(k if k < self.first else k + skipped)


@dataclass(frozen=True)
class WaitPanel:
    """One panel: its heading, the unit, a frame of period, mean, low and high, and the baseline's (None where it is the
    same)."""

    title: str
    unit: str
    period: str  # "month" or "quarter"
    shown: pl.DataFrame
    before: pl.DataFrame | None

    @property
    def empty(self) -> bool:
        frames = [self.shown] if self.before is None else [self.shown, self.before]
        return not any((frame["mean"].fill_null(0.0) > 0).any() for frame in frames)

    @property
    def top(self) -> float:
        """The largest number that is drawn: of the baseline under a strategy the mean alone."""
        means: list[float] = [] if self.before is None else self.before["mean"].drop_nulls().to_list()
        heights: list[float] = [0.0, *means, *self.shown["mean"].drop_nulls(), *self.shown["high"].drop_nulls()]
        return max(heights)


def panels(frame: pl.DataFrame, strategy: str) -> tuple[list[WaitPanel], list[WaitPanel]]:
    """The panels of people, by month, and of mean waits, by quarter; those without any data left out."""

    def both(title: str, unit: str, counted: str, name: str, period: str) -> WaitPanel:
        shown, before = (
            limit_rows(frame.filter(pl.col("strategy") == each), counted, name, period).rename({"period": period})
            for each in (strategy, BASELINE)
        )
        return WaitPanel(title, unit, period, shown, None if strategy == BASELINE else before)

    standing = [both(title, "people", PEOPLE, name, "month") for name, (title, _) in DRAWN.items()]
    waits = [
        both(wording.title(what), "mean wait, days", WAIT, name, "quarter") for name, what in QUEUE_CLASSES.items()
    ]
    return [p for p in standing if not p.empty], [p for p in waits if not p.empty]


def waits_figure(frame: pl.DataFrame, setting: Setting, strategy: str = BASELINE) -> go.Figure:
    """What happens where capacity runs out, each panel with its own scale from zero: a panel of people for each of
    DRAWN, and one for each class of the queue with the mean wait of those who got a place. That is by quarter, as few
    of a class get one in a month.

    A strategy is drawn over the baseline. ``frame`` as :func:`simcare.report.limit_frames.limits` gives it, of the
    strategy and of the baseline. Raises ValueError when nobody waits, has a delayed discharge or is in a spot-purchased
    place.
    """
    standing, waited = panels(frame, strategy)
    every = [*standing, *waited]
    if not every:
        raise ValueError(
            f"in strategy '{strategy}' nobody waits for a place, has a delayed discharge or is in a spot-purchased"
            " place"
        )
    name = setting.names[strategy]
    fig = theme.figure(
        f"{_subject(standing, waited)}, {setting.period}: {name}",
        _alt(every, frame.filter(pl.col("strategy") == strategy), setting, name),
        *_layouts(len(every), len(standing), 2 if strategy == BASELINE else 3),
    )
    seen: set[str] = set()
    for k, panel in enumerate(every):
        _draw(fig, k, panel, strategy, setting.range_short, seen)
        heights = theme.ticks(0, panel.top, wording.COUNT, 4)
        fig.update_layout({axis("y", k): heights, axis("x", k): year_ticks(setting.years, 3)})
        theme.panel_title(fig, k, panel.title, panel.unit)
    return fig


def _subject(standing: Sequence[WaitPanel], waited: Sequence[WaitPanel]) -> str:
    """What the panels show."""
    short = dict(DRAWN.values())
    people = f"People {wording.listed([short[panel.title] for panel in standing])}" if standing else ""
    return f"{people}, and mean waits" if people and waited else people or "Mean waits for a place"


def _layouts(count: int, first: int, legend: int) -> tuple[Rows, Rows, Rows]:
    """Up to four across on a screen, three where there would be five; two on a phone, three on paper."""
    across, keys = max(3, first, count - first if count - first < 5 else 3), theme.legend_px(legend, 3)
    wide = Rows(count, across, 150, row_gap_px=84, column_gap=0.045, top_px=keys, bottom_px=32, first=first)
    middle = Rows(count, 3, 100, row_gap_px=78, column_gap=0.09, top_px=keys, bottom_px=32, first=first)
    below = theme.legend_px(legend + 1, 1)
    narrow = Rows(count, 2, 120, row_gap_px=78, column_gap=0.16, top_px=below, bottom_px=32, first=first)
    return wide, narrow, middle


def _draw(fig: go.Figure, k: int, panel: WaitPanel, strategy: str, range_name: str, seen: set[str]) -> None:
    """The band, the baseline under a strategy, and the line; ``seen`` are the names that the legend has already."""
    colour, fill = colours(strategy)
    for piece in _pieces(panel.shown):
        x, low, high = period_middles(piece, panel.period), piece["low"].to_list(), piece["high"].to_list()
        theme.band(fig, k, x, low, high, fill, range_name, range_name not in seen)
        seen.add(range_name)
    if panel.before is not None:
        _line(fig, k, panel, panel.before, "Baseline, average", {"color": theme.INK, "width": 1.6, "dash": "dot"}, seen)
    what = "Baseline, average" if strategy == BASELINE else "Strategy, average"
    _line(fig, k, panel, panel.shown, what, {"color": colour, "width": 2.4}, seen)


def _line(
    fig: go.Figure, k: int, panel: WaitPanel, rows: pl.DataFrame, what: str, line: dict[str, Any], seen: set[str]
) -> None:
    quarterly = (
        panel.period == "quarter"
    )  # a quarter in which nobody got a place is a gap: dots, so that one between two gaps is seen
    unit = wording.DAYS if quarterly else wording.PEOPLE
    texts = [
        "" if mean is None else f"{wording.quantity(mean, unit)}, {when(key, panel.period)}"
        for key, mean in rows.select(panel.period, "mean").iter_rows()
    ]
    fig.add_scatter(
        x=period_middles(rows, panel.period),
        y=rows["mean"].to_list(),
        mode="lines+markers" if quarterly else "lines",
        marker={"size": 3.5 if "dash" in line else 4.5, "color": line["color"]},
        line=line,
        name=what,
        legendgroup=what,
        showlegend=what not in seen,
        customdata=texts,
        hovertemplate=f"%{{customdata}}{' (baseline)' if 'dash' in line else ''}<extra></extra>",
        **theme.panel_axes(k),
    )
    seen.add(what)


def _pieces(rows: pl.DataFrame) -> list[pl.DataFrame]:
    """The stretches of periods in which there is a range."""
    known = [(k, low is not None) for k, low in enumerate(rows["low"])]
    stretches = [[k for k, _ in stretch] for there, stretch in groupby(known, key=lambda item: item[1]) if there]
    return [rows[stretch[0] : stretch[-1] + 1] for stretch in stretches]


def period_middles(rows: pl.DataFrame, period: str) -> list[dt.date]:
    """The middle of each month or quarter."""
    later = 1 if period == "quarter" else 0
    return [month_start(parsed_month(key) + later).replace(day=15) for key in rows[period]]


def when(key: str, period: str) -> str:
    """A month or quarter in words.

    >>> when("2013-04", "month"), when("2013-04", "quarter")
    ('April 2013', 'April to June 2013')
    """
    first = month_start(parsed_month(key))
    return f"{first:%B %Y}" if period == "month" else f"{first:%B} to {first.replace(month=first.month + 2):%B %Y}"


def _alt(every: Sequence[WaitPanel], frame: pl.DataFrame, setting: Setting, name: str) -> str:
    said = [f"{panel.title} ({panel.unit}), {_ends(panel)}" for panel in every]
    last = setting.years[-1]
    means = {
        s.name: limit_rows(frame, PEOPLE, "queue_days", "financial_year", s.name).filter(pl.col("period") == last)[
            "mean"
        ][0]
        for s in setting.model.stages
    }
    waiting = [f"{stage} {wording.quantity(mean)}" for stage, mean in means.items() if mean > 0] or ["nobody"]
    start = f"Lines over time: waiting and the limits of capacity, {setting.period}, {name}"
    return f"{start}. {'; '.join(said)}. People waiting for a place in {last}: {wording.listed(waiting)}."


def _ends(panel: WaitPanel) -> str:
    """The first and the last value, and of when they are."""
    rows = panel.shown.drop_nulls("mean")
    if rows.is_empty():
        return "nobody got a place"
    ends = [
        f"{wording.quantity(row['mean'])} in {when(row[panel.period], panel.period)}"
        for row in (rows.row(0, named=True), rows.row(-1, named=True))
    ]
    return f"from {ends[0]} to {ends[1]}"
