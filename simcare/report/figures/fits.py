"""Figures of a calibration: how much of each parameter's uncertainty remains, their profiles, and the hindcast."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
import polars as pl

from simcare.report import theme, wording
from simcare.report.theme import axis, label
from simcare.units import three_figures

ACROSS = 3
PROFILE_FLOOR = -4.0  # of a log density: what is less likely than that need not be seen in full
NINETY = -1.35  # half the 90 % point of chi-squared on one degree of freedom, below the top of a profile
BEFORE, AFTER, UNINFORMED = "before: 90% of the prior", "after: 90% of the posterior", "after, not informed by the data"


# ---- uncertainty before and after
def uncertainty_figure(frame: pl.DataFrame) -> go.Figure:
    """For each parameter the middle 90 % before and after the targets were used, as multiples of the prior's median.

    ``frame`` has a row a parameter: title, prior_low, prior_median, prior_high, posterior_low, posterior_median,
    posterior_high, width (the share of prior uncertainty remaining), prior_driven.
    """
    rows = frame.sort("width", descending=True).to_dicts()  # the best known on top
    wide = theme.Panels(1, 1, panel_px=30 * len(rows) + 10, top_px=theme.legend_px(3, 3), bottom_px=44)
    narrow = theme.Panels(1, 1, panel_px=52 * len(rows), top_px=theme.legend_px(3, 1), bottom_px=44)
    title = "Uncertainty of each parameter, before and after the targets were used"
    fig = theme.figure(title, _uncertainty_alt(rows), wide, narrow)
    named: set[str] = set()
    ends: list[float] = []
    for y, row in enumerate(rows):
        after = UNINFORMED if row["prior_driven"] else AFTER
        colour = theme.VERMILION if row["prior_driven"] else theme.BLUE
        for name, which, look in (
            (BEFORE, "prior", {"color": "rgba(138,149,158,0.55)", "width": 9}),
            (after, "posterior", {"color": colour, "width": 5}),
        ):
            _range_line(fig, y, row, which, name, look, legend=name not in named)
            named.add(name)
            ends += [row[f"{which}_{end}"] / row["prior_median"] for end in ("low", "high")]
    _uncertainty_axes(fig, [row["title"] for row in rows], ends)
    return fig


def _uncertainty_alt(rows: Sequence[dict[str, Any]]) -> str:
    said = [f"{row['title']}: {wording.share(row['width'])} of prior uncertainty remaining" for row in reversed(rows)]
    return f"Before and after: {'; '.join(said)}."


def _range_line(
    fig: go.Figure, y: int, row: dict[str, Any], which: str, name: str, look: dict[str, Any], legend: bool
) -> None:
    """The middle 90 % of one distribution of a parameter as a line, with a mark at its median."""
    low, median, high = (row[f"{which}_{end}"] for end in ("low", "median", "high"))
    height = y + (0.16 if which == "prior" else -0.16)
    hover = f"{label(row['title'])}<br>{name}: {wording.with_range(median, low, high)}<extra></extra>"
    fig.add_scatter(
        x=[low / row["prior_median"], high / row["prior_median"]],
        y=[height] * 2,
        mode="lines",
        line=look,
        name=name,
        legendgroup=name,
        showlegend=legend,
        hovertemplate=hover,
    )
    marker = {"color": theme.INK, "size": 6, "symbol": "line-ns-open", "line": {"width": 2}}
    at = {"x": [median / row["prior_median"]], "y": [height]}
    fig.add_scatter(**at, mode="markers", marker=marker, showlegend=False, hovertemplate=hover)


def _uncertainty_axes(fig: go.Figure, names: Sequence[str], ends: Sequence[float]) -> None:
    steps = [v for v in (0.1, 0.2, 0.25, 0.5, 1, 2, 4, 5, 10) if min(ends) / 1.3 <= v <= max(ends) * 1.3]
    multiples = {
        "type": "log",
        "tickvals": steps,
        "range": [float(np.log10(min(ends) / 1.08)), float(np.log10(max(ends) * 1.08))],
        "ticktext": [f"{v:g}" for v in steps],
        "title": {"text": "times the prior's median", "font": {"size": 12, "color": theme.QUIET}},
    }
    parameters = {
        "tickvals": list(range(len(names))),
        "automargin": True,
        "ticktext": [label(n, 46) for n in names],
        "range": [-0.6, len(names) - 0.4],
        "showgrid": False,
    }
    fig.update_layout(xaxis=multiples, yaxis=parameters)
    fig.layout.meta["narrow"] |= {"yaxis.ticktext": [label(n, 20) for n in names]}
    dotted = {"color": theme.ZERO, "width": 1, "dash": "dot"}
    fig.add_shape(type="line", x0=1, x1=1, xref="x", y0=0, y1=1, yref="y domain", line=dotted)


# ---- profiles
def profile_figure(frame: pl.DataFrame) -> go.Figure:
    """For each parameter, how much less likely the best account of the targets is with it held at a value.

    ``frame`` has a row for each value of each parameter: name, title, value, density, prior (log densities), median
    (of the posterior), prior_driven.
    """
    each = [rows for _, rows in frame.group_by("name", maintain_order=True)]
    count = len(each)
    wide = theme.Panels(count, 4, panel_px=110, row_gap_px=74, top_px=60, bottom_px=36, column_gap=0.055)
    middle = theme.Panels(count, 3, panel_px=110, row_gap_px=74, top_px=60, bottom_px=36, column_gap=0.06)
    narrow = theme.Panels(count, 1, panel_px=96, row_gap_px=70, top_px=60, bottom_px=36)
    medians = "; ".join(f"{rows['title'][0]}: median {three_figures(rows['median'][0])}" for rows in each)
    alt = f"A curve for each parameter. {medians}."
    fig = theme.figure("Profiles: the best log density with a parameter held at a value", alt, wide, narrow, middle)
    for k, rows in enumerate(each):
        _profile(fig, k, rows)
        theme.level_line(fig, k, NINETY)
        y = {"range": [PROFILE_FLOOR, 0.3], "tickvals": [-4, -2, 0]}
        fig.update_layout({axis("y", k): y, axis("x", k): {"nticks": 4}})
        _heading(fig, k, f"<b>{label(rows['title'][0], 30)}</b>", 12)
    return fig


def _profile(fig: go.Figure, k: int, rows: pl.DataFrame) -> None:
    """The curve of one parameter, and that of its prior alone."""
    density, prior = (rows[name].clip(lower_bound=PROFILE_FLOOR).to_list() for name in ("density", "prior"))
    place = {"xaxis": axis("x", k, True), "yaxis": axis("y", k, True), "showlegend": False, "mode": "lines"}
    values = rows["value"].to_list()
    grey = {"color": theme.GREY, "width": 1.6, "dash": "dash"}
    fig.add_scatter(x=values, y=prior, line=grey, hoverinfo="skip", **place)
    said = [f"{three_figures(value)}: {three_figures(height)}" for value, height in zip(values, density, strict=True)]
    hover = f"{label(rows['title'][0])} at %{{customdata}}<extra></extra>"
    line = {"color": theme.VERMILION if rows["prior_driven"][0] else theme.BLUE, "width": 2.2}
    fig.add_scatter(x=values, y=density, line=line, customdata=said, hovertemplate=hover, **place)


def _heading(fig: go.Figure, k: int, text: str, size: float) -> None:
    """A heading above panel ``k`` that may run over several lines."""
    place = {"x": 0, "y": 1, "xref": f"{axis('x', k, True)} domain", "yref": f"{axis('y', k, True)} domain"}
    look = {"showarrow": False, "align": "left", "xanchor": "left", "yanchor": "bottom", "yshift": 3}
    fig.add_annotation(text=text, font={"size": size}, **look, **place)


# ---- the hindcast
def hindcast_figure(frame: pl.DataFrame, title: str) -> go.Figure:
    """What was known, what was forecast and the outturn: a panel for each series.

    ``frame`` has a row for each series and date: target, title, unit, date; known, the value where it was known; and
    elsewhere q5, q25, q50, q75, q95, published (the outturn), in90, last_value (the last known value, carried on).
    """
    each = [rows.sort("date") for _, rows in frame.group_by("target", maintain_order=True)]
    count, top_px = len(each), [theme.legend_px(6, across) + 18 for across in (6, 3, 1)]
    wide = theme.Panels(
        count, min(ACROSS, count), panel_px=190, row_gap_px=86, top_px=top_px[0], bottom_px=34, column_gap=0.07
    )
    middle = theme.Panels(
        count, min(2, count), panel_px=190, row_gap_px=86, top_px=top_px[1], bottom_px=34, column_gap=0.09
    )
    narrow = theme.Panels(count, 1, panel_px=170, row_gap_px=84, top_px=top_px[2], bottom_px=34)
    alt = f"{count} panels by year. " + " ".join(_hindcast_words(rows) for rows in each)
    fig = theme.figure(title, alt, wide, narrow, middle)
    years = [date.year for date in frame["date"]]
    for k, rows in enumerate(each):
        known, ahead = rows.filter(pl.col("known").is_not_null()), rows.filter(pl.col("known").is_null())
        _forecast_lines(fig, k, known, ahead)
        _published_lines(fig, k, known, ahead)
        top = max([*ahead["q95"], *ahead["published"], *known["known"]])
        y, x = theme.ticks(0.0, top, wording.COUNT, 4), _years(min(years), max(years))
        fig.update_layout({axis("y", k): y, axis("x", k): x})
        unit = f"<span style='color:{theme.QUIET}'>{label(rows['unit'][0])}</span>"
        _heading(fig, k, f"<b>{label(rows['title'][0], 36)}</b><br>{unit}", 12.5)
    return fig


def _years(first: int, last: int) -> dict[str, Any]:
    """An axis of financial years, every second one named."""
    dates = [dt.date(year, 3, 31) for year in range(first, last + 1) if (last - year) % 2 == 0]
    texts = [f"’{date.year % 100:02d}" for date in dates]
    return {"tickvals": dates, "ticktext": texts, "range": [dt.date(first - 1, 12, 1), dt.date(last, 9, 1)]}


def _forecast_lines(fig: go.Figure, k: int, known: pl.DataFrame, ahead: pl.DataFrame) -> None:
    """The fan of a series from its last known value on, and that value carried on."""
    place = {"xaxis": axis("x", k, True), "yaxis": axis("y", k, True)}
    begin = known.tail(1)
    dates = begin["date"].to_list() + ahead["date"].to_list()

    def from_known(column: str) -> list[float]:
        return begin["known"].to_list() + ahead[column].to_list()

    for low, high, fill, name in (
        ("q5", "q95", "rgba(0,114,178,0.16)", "forecast: 90% interval"),
        ("q25", "q75", "rgba(0,114,178,0.30)", "forecast: 50% interval"),
    ):
        theme.band(fig, k, dates, from_known(low), from_known(high), fill, name, legend=k == 0)
    ranges = [
        f"forecast {wording.with_range(*each)}, 90% interval" for each in ahead.select("q50", "q5", "q95").iter_rows()
    ]
    hover = "%{x|%Y}: %{customdata}<extra></extra>"
    style = {"mode": "lines", "line": {"color": theme.BLUE, "width": 2}, "hovertemplate": hover}
    about = {"name": "forecast: median", "legendgroup": "median", "showlegend": k == 0}
    texts = [f"{three_figures(value)}, known" for value in begin["known"]] + ranges
    fig.add_scatter(x=dates, y=from_known("q50"), customdata=texts, **style, **about, **place)
    if "last_value" in ahead.columns and ahead["last_value"].null_count() == 0:
        line = {"color": theme.GREY, "width": 1.4, "dash": "dot"}
        about = {"name": "the last value", "showlegend": k == 0, "hoverinfo": "skip"}
        fig.add_scatter(x=dates, y=from_known("last_value"), mode="lines", line=line, **about, **place)


def _published_lines(fig: go.Figure, k: int, known: pl.DataFrame, ahead: pl.DataFrame) -> None:
    """The values known at the information cut-off date, and the outturn."""
    legend, text = {"showlegend": k == 0}, "%{x|%Y}: %{customdata}"
    place = {"xaxis": axis("x", k, True), "yaxis": axis("y", k, True)}
    fig.add_scatter(
        x=known["date"].to_list(),
        y=known["known"].to_list(),
        mode="lines+markers",
        line={"color": theme.INK, "width": 1.6},
        marker={"size": 6},
        name="known at the time",
        legendgroup="known",
        **legend,
        **theme.hover(known["known"], text),
        **place,
    )
    fig.add_scatter(
        x=ahead["date"].to_list(),
        y=ahead["published"].to_list(),
        mode="markers",
        marker={"color": theme.VERMILION, "size": 8, "symbol": "diamond", "line": {"color": "white", "width": 1}},
        name="outturn",
        legendgroup="outturn",
        **legend,
        **theme.hover(ahead["published"], text),
        **place,
    )


def _hindcast_words(rows: pl.DataFrame) -> str:
    ahead = rows.filter(pl.col("known").is_null())
    last = ahead.row(-1, named=True)
    return (
        f"{last['title']}: {ahead['in90'].sum()} of {ahead.height} values inside the 90% interval; {last['date'].year}:"
        f" forecast {wording.with_range(last['q50'], last['q5'], last['q95'])}, outturn"
        f" {three_figures(last['published'])}."
    )


__all__ = ["hindcast_figure", "profile_figure", "uncertainty_figure"]
