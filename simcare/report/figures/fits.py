"""Figures of a calibration: how far parameters are known, their profiles, and the hindcast."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from simcare.calibrate.identify import Identified
from simcare.calibrate.scoring import HindcastSeries
from simcare.files.fit import PRIOR_DRIVEN
from simcare.model.calibration import Free
from simcare.report import theme, wording
from simcare.report.theme import axis, label

ACROSS = 3
PROFILE_FLOOR = -4.0  # of a log density: what is less likely than that need not be seen in full
NINETY = -1.35  # half the 90 % point of chi-squared on one degree of freedom, below the top of a profile


def widths(free: Sequence[Free], known: Identified) -> go.Figure:
    """For each parameter the middle 90 % before and after the targets were looked at, as multiples of the prior's
    median."""
    order = np.argsort(known.widths)[::-1]  # the best known on top
    names = [free[k].title for k in order]
    tall = 30 * len(order) + 10
    wide = theme.Panels(1, 1, panel_px=tall, top_px=theme.legend_px(3, 3), bottom_px=44)
    narrow = theme.Panels(1, 1, panel_px=52 * len(order), top_px=theme.legend_px(3, 1), bottom_px=44)
    alt = (
        "Before and after: "
        + "; ".join(f"{free[k].title}: {100 * known.widths[k]:.0f}% of the prior's width left" for k in order[::-1])
        + "."
    )
    fig = theme.figure(
        "How far each parameter is known, before and after the targets were looked at", alt, wide, narrow
    )
    seen: set[str] = set()
    lines: dict[str, list[tuple[float, float, float]]] = {}
    for y, k in enumerate(order):
        median = known.prior[k, 1]
        driven = known.widths[k] >= PRIOR_DRIVEN
        for name, row, colour, width, up in (
            ("before: 90% of the prior", known.prior[k], "rgba(138,149,158,0.55)", 9, 0.16),
            (
                "after, mostly as assumed" if driven else "after: 90% of the posterior",
                known.posterior[k],
                theme.VERMILION if driven else theme.BLUE,
                5,
                -0.16,
            ),
        ):
            low, middle, high = (float(v / median) for v in row)
            hover = f"{label(free[k].title)}<br>{name}: {row[1]:.3g} ({row[0]:.3g} to {row[2]:.3g})<extra></extra>"
            line = {"color": colour, "width": width}
            fig.add_scatter(
                x=[low, high],
                y=[y + up] * 2,
                mode="lines",
                line=line,
                name=name,
                legendgroup=name,
                showlegend=name not in seen,
                hovertemplate=hover,
            )
            marker = {"color": theme.INK, "size": 6, "symbol": "line-ns-open", "line": {"width": 2}}
            fig.add_scatter(
                x=[middle], y=[y + up], mode="markers", marker=marker, showlegend=False, hovertemplate=hover
            )
            seen.add(name)
            lines.setdefault(name, []).append((low, middle, high))
    ends = [v for rows in lines.values() for row in rows for v in row]
    step = [v for v in (0.1, 0.2, 0.25, 0.5, 1, 2, 4, 5, 10) if min(ends) / 1.3 <= v <= max(ends) * 1.3]
    x = {
        "type": "log",
        "tickvals": step,
        "range": [float(np.log10(min(ends) / 1.08)), float(np.log10(max(ends) * 1.08))],
        "ticktext": [f"{v:g}" for v in step],
        "title": {"text": "times the prior's median", "font": {"size": 12, "color": theme.QUIET}},
    }
    fig.update_layout(
        xaxis=x,
        yaxis={
            "tickvals": list(range(len(order))),
            "automargin": True,
            "ticktext": [label(n, 46) for n in names],
            "range": [-0.6, len(order) - 0.4],
            "showgrid": False,
        },
    )
    meta = fig.layout.meta
    meta["narrow"] |= {"yaxis.ticktext": [label(n, 20) for n in names]}
    fig.add_shape(
        type="line",
        x0=1,
        x1=1,
        xref="x",
        y0=0,
        y1=1,
        yref="y domain",
        line={"color": theme.ZERO, "width": 1, "dash": "dot"},
    )
    return fig


def profiles(free: Sequence[Free], known: Identified) -> go.Figure:
    """For each parameter, how much less likely the best account of the targets is with it held at a value."""
    count = len(free)
    wide = theme.Panels(count, 4, panel_px=110, row_gap_px=74, top_px=60, bottom_px=36, column_gap=0.055)
    middle = theme.Panels(count, 3, panel_px=110, row_gap_px=74, top_px=60, bottom_px=36, column_gap=0.06)
    narrow = theme.Panels(count, 1, panel_px=96, row_gap_px=70, top_px=60, bottom_px=36)
    alt = "A curve for each parameter. " + "; ".join(_peak(row, known, k) for k, row in enumerate(free)) + "."
    fig = theme.figure("Profiles: the best log density with a parameter held at a value", alt, wide, narrow, middle)
    for k, row in enumerate(free):
        x, y = known.profiles[k].values, np.maximum(known.profiles[k].density, PROFILE_FLOOR)
        hover = f"{label(row.title)} at %{{x:.3g}}: %{{y:.2f}}<extra></extra>"
        place = {"xaxis": axis("x", k, True), "yaxis": axis("y", k, True), "showlegend": False}
        colour = theme.VERMILION if known.widths[k] >= PRIOR_DRIVEN else theme.BLUE
        alone = np.maximum(known.profiles[k].prior, PROFILE_FLOOR).tolist()
        grey = {"color": theme.GREY, "width": 1.6, "dash": "dash"}
        fig.add_scatter(x=x.tolist(), y=alone, mode="lines", line=grey, hoverinfo="skip", **place)
        fig.add_scatter(
            x=x.tolist(), y=y.tolist(), mode="lines", line={"color": colour, "width": 2.2}, hovertemplate=hover, **place
        )
        rule = {"color": theme.ZERO, "width": 1, "dash": "dot"}
        xref, yref = f"{axis('x', k, True)} domain", axis("y", k, True)
        fig.add_shape(type="line", x0=0, x1=1, xref=xref, y0=NINETY, y1=NINETY, yref=yref, line=rule)
        fig.update_layout(
            {axis("y", k): {"range": [PROFILE_FLOOR, 0.3], "tickvals": [-4, -2, 0]}, axis("x", k): {"nticks": 4}}
        )
        theme.panel_title(fig, k, "")
        words_ = {
            "text": f"<b>{label(row.title, 30)}</b>",
            "showarrow": False,
            "align": "left",
            "xanchor": "left",
            "yanchor": "bottom",
            "x": 0,
            "y": 1,
        }
        fig.add_annotation(**words_, yshift=3, font={"size": 12}, xref=xref, yref=f"{yref} domain")
    return fig


def _peak(row: Free, known: Identified, k: int) -> str:
    return f"{row.title}: median {known.posterior[k, 1]:.3g}"


def hindcast(title: str, series: Sequence[HindcastSeries]) -> go.Figure:
    """What was known, what was said and what came: a panel for each series."""
    count = len(series)
    across = min(ACROSS, count)
    wide = theme.Panels(
        count, across, panel_px=190, row_gap_px=86, top_px=theme.legend_px(6, 6) + 18, bottom_px=34, column_gap=0.07
    )
    middle = theme.Panels(
        count,
        min(2, count),
        panel_px=190,
        row_gap_px=86,
        top_px=theme.legend_px(6, 3) + 18,
        bottom_px=34,
        column_gap=0.09,
    )
    narrow = theme.Panels(count, 1, panel_px=170, row_gap_px=84, top_px=theme.legend_px(6, 1) + 18, bottom_px=34)
    fig = theme.figure(
        title, f"{count} panels by year. " + " ".join(_told(one) for one in series), wide, narrow, middle
    )
    every = [date for one in series for date in (*(d for d, _ in one.known), *one.said["date"].to_list())]
    first, last = min(every).year, max(every).year
    for k, one in enumerate(series):
        _fan(fig, k, one, legend=k == 0)
        top = max([*one.said["q95"].to_list(), *one.said["published"].to_list(), *(v for _, v in one.known)])
        fig.update_layout({axis("y", k): theme.ticks(0.0, top, wording.COUNT, 4)})
        dates = [dt.date(year, 3, 31) for year in range(first, last + 1) if (last - year) % 2 == 0]
        texts = [f"’{date.year % 100:02d}" for date in dates]
        ends = [dt.date(first - 1, 12, 1), dt.date(last, 9, 1)]
        fig.update_layout({axis("x", k): {"tickvals": dates, "ticktext": texts, "range": ends}})
        theme.panel_title(fig, k, "")
        head = (
            f"<b>{label(one.target.title, 36)}</b><br><span style='color:{theme.QUIET}'>{label(one.target.unit)}</span>"
        )
        place = {"x": 0, "y": 1, "xref": f"{axis('x', k, True)} domain", "yref": f"{axis('y', k, True)} domain"}
        fig.add_annotation(
            text=head,
            showarrow=False,
            align="left",
            xanchor="left",
            yanchor="bottom",
            yshift=3,
            font={"size": 12.5},
            **place,
        )
    return fig


def _fan(fig: go.Figure, k: int, one: HindcastSeries, legend: bool) -> None:
    said, place = one.said, {"xaxis": axis("x", k, True), "yaxis": axis("y", k, True)}
    begin = [one.known[-1]] if one.known else []
    dates = [d for d, _ in begin] + said["date"].to_list()

    def from_known(values: list[float]) -> list[float]:
        return [v for _, v in begin] + values

    for low, high, fill, name in (
        ("q5", "q95", "rgba(0,114,178,0.16)", "said: 90% interval"),
        ("q25", "q75", "rgba(0,114,178,0.30)", "said: 50% interval"),
    ):
        theme.band(fig, k, dates, from_known(said[low].to_list()), from_known(said[high].to_list()), fill, name, legend)
    ranges = [f"{low:,.4g} to {high:,.4g}" for low, high in zip(said["q5"], said["q95"], strict=True)]
    texts = ["known"] * len(begin) + ranges
    hover = "%{x|%Y}: %{y:,.4g} said (90%: %{customdata})<extra></extra>"
    style = {"mode": "lines", "line": {"color": theme.BLUE, "width": 2}, "customdata": texts, "hovertemplate": hover}
    fig.add_scatter(
        x=dates,
        y=from_known(said["q50"].to_list()),
        name="said: median",
        legendgroup="median",
        showlegend=legend,
        **style,
        **place,
    )
    if one.naive and not np.isnan(one.naive).any():
        line = {"color": theme.GREY, "width": 1.4, "dash": "dot"}
        fig.add_scatter(
            x=dates,
            y=from_known(one.naive),
            mode="lines",
            line=line,
            hoverinfo="skip",
            name="the last value",
            showlegend=legend,
            **place,
        )
    hover = "%{x|%Y}: %{y:,.4g}<extra></extra>"
    known = {
        "x": [d for d, _ in one.known],
        "y": [v for _, v in one.known],
        "mode": "lines+markers",
        "line": {"color": theme.INK, "width": 1.6},
    }
    fig.add_scatter(
        **known,
        marker={"size": 6},
        name="known then",
        legendgroup="known",
        showlegend=legend,
        hovertemplate=hover,
        **place,
    )
    marker = {"color": theme.VERMILION, "size": 8, "symbol": "diamond", "line": {"color": "white", "width": 1}}
    came = {"x": said["date"].to_list(), "y": said["published"].to_list(), "mode": "markers", "marker": marker}
    fig.add_scatter(**came, name="what came", legendgroup="came", showlegend=legend, hovertemplate=hover, **place)


def _told(one: HindcastSeries) -> str:
    last = one.said.row(-1, named=True)
    inside = int(one.said["in90"].sum())
    return (
        f"{one.target.title}: {inside} of {one.said.height} values inside the 90% interval; {last['date'].year}: said"
        f" {last['q50']:,.4g} ({last['q5']:,.4g} to {last['q95']:,.4g}), came {last['published']:,.4g}."
    )


__all__ = ["hindcast", "profiles", "widths"]
