"""The figure of a sweep: what each strategy does to one measure in each scenario, and where it ranks."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import plotly.graph_objects as go
import polars as pl

from simcare.decide import ranking
from simcare.report import theme, wording
from simcare.report.figures.contrasts import VERDICTS, verdict
from simcare.report.likelihood import predicted_words, ranked_estimate
from simcare.report.theme import axis, label

ACROSS = 4  # panels in a row on a wide screen; two on paper, one on a phone
BEYOND = 0.6  # of the spread of the averages: how far beyond them an axis follows an interval


def sweep_figure(
    ranked: pl.DataFrame, measure: str, titles: Mapping[str, str], scenarios: Mapping[str, str], years: str
) -> go.Figure:
    """Each strategy's paired difference from the baseline in one measure, a panel a scenario, all on one scale:
    dot, 90 % prediction interval and rank.

    Strategies are in the order of the first scenario, so that a change of order shows. ``ranked`` as
    :func:`simcare.decide.ranking.ranks` gives it; ``titles`` are those of the strategies, ``scenarios`` those of the
    scenarios. Raises ValueError where the measure has no difference.
    """
    if not (ranked["difference"] != 0).any():
        raise ValueError(f"no strategy changes '{measure}' in any scenario")
    first = ranked.filter(pl.col("scenario") == next(iter(scenarios)))
    order = first.sort("rank", maintain_order=True)["strategy"].to_list()
    about, verdicts = wording.shown_measure(measure), _verdicts(ranked, measure)
    fig = theme.figure(
        f"{about.label}: difference from the baseline in each scenario, {years}",
        _alt(ranked, measure, titles, scenarios, years),
        *_layouts(len(scenarios), len(order), 1 + len(verdicts)),
    )
    low, high = _range(ranked)
    for k, (scenario, name) in enumerate(scenarios.items()):
        _panel(fig, k, measure, ranked.filter(pl.col("scenario") == scenario), order, (low, high))
        _heading(fig, k, name, [titles[s] for s in order])
        _axes(fig, k, about.unit, [titles[s] for s in order], (low, high))
    _legend(fig, verdicts)
    return fig


def _verdicts(ranked: pl.DataFrame, measure: str) -> list[str]:
    """The verdicts that occur, in the order of the legend."""
    found = {verdict(measure, ranked_estimate(row)) for row in ranked.iter_rows(named=True)}
    return [key for key in VERDICTS if key in found]


def _layouts(count: int, rows: int, legend: int) -> tuple[theme.Panels, theme.Panels, theme.Panels]:
    """Four panels in a row on a wide screen, two on paper, one on a phone; headings have up to two lines."""
    tall = 23 * (rows + 1)
    wide, middle = (
        theme.Panels(
            count,
            min(across, count),
            panel_px=tall,
            top_px=theme.legend_px(legend, across),
            bottom_px=30,
            row_gap_px=74,
            column_gap=0.03,
        )
        for across in (ACROSS, 2)
    )
    narrow = theme.Panels(count, 1, panel_px=tall, top_px=theme.legend_px(legend, 1), bottom_px=30, row_gap_px=64)
    return wide, narrow, middle


def _range(ranked: pl.DataFrame) -> tuple[float, float]:
    """From end to end of the intervals, but no further beyond the averages and zero than BEYOND of their spread."""
    middle = [0.0, *ranked["difference"]]
    ends = [0.0, *ranked["low"].drop_nulls().drop_nans(), *ranked["high"].drop_nulls().drop_nans(), *middle]
    reach = BEYOND * (max(middle) - min(middle))
    low, high = max(min(ends), min(middle) - reach), min(max(ends), max(middle) + reach)
    return low - 0.04 * (high - low), high + 0.04 * (high - low)


def _panel(
    fig: go.Figure, k: int, measure: str, rows: pl.DataFrame, order: list[str], ends: tuple[float, float]
) -> None:
    about, place = wording.shown_measure(measure), {**theme.panel_axes(k), "showlegend": False}
    for row in rows.iter_rows(named=True):
        y, estimate = order.index(row["strategy"]), ranked_estimate(row)
        _, colour, symbol = VERDICTS[verdict(measure, estimate)]
        if estimate.low is not None and estimate.high is not None:
            _interval(fig, y, estimate.low, estimate.high, ends, colour, place)
        value, interval = wording.rounded_alike(estimate, about.unit)[0], predicted_words(estimate, about.unit)
        hover = f"{value}<br>{interval}<br>rank {ranking.place(row)}<extra></extra>"
        marker = {"color": colour, "size": 9, "symbol": symbol, "line": {"color": colour, "width": 2}}
        fig.add_scatter(x=[row["difference"]], y=[y], mode="markers", marker=marker, hovertemplate=hover, **place)
    _ranks(fig, rows, order, _with_ranks(ends)[1], place)
    theme.zero_line(fig, k)


def _ranks(fig: go.Figure, rows: pl.DataFrame, order: list[str], edge: float, place: dict[str, object]) -> None:
    """The rank of each strategy at the right edge, under a heading."""
    texts = [
        f"<span style='color:{theme.QUIET}'>rank</span>",
        *(f"<b>{rank}</b>" if rank == 1 else str(rank) for rank in rows["rank"]),
    ]
    at = [-1, *(order.index(strategy) for strategy in rows["strategy"])]
    font = {"size": 12, "color": theme.INK}
    x = [edge] * len(at)
    fig.add_scatter(
        x=x,
        y=at,
        mode="text",
        text=texts,
        textposition="middle left",
        textfont=font,
        hoverinfo="skip",
        cliponaxis=False,
        **place,
    )


def _interval(
    fig: go.Figure, y: int, low: float, high: float, ends: tuple[float, float], colour: str, place: dict[str, object]
) -> None:
    """The bar of an interval; a triangle where it goes on beyond the axis."""
    inside = [max(low, ends[0]), min(high, ends[1])]
    theme.interval(fig, inside, y, colour, 5, place, opacity=0.5)
    into = 0.02 * (ends[1] - ends[0])
    for off, x, symbol in (
        (low < ends[0], ends[0] + into, "triangle-left"),
        (high > ends[1], ends[1] - into, "triangle-right"),
    ):
        if off:
            fig.add_scatter(
                x=[x],
                y=[y],
                mode="markers",
                marker={"color": colour, "size": 8, "symbol": symbol},
                hoverinfo="skip",
                **place,
            )


def _with_ranks(ends: tuple[float, float]) -> tuple[float, float]:
    """The axis with room for the ranks at its right."""
    return ends[0], ends[1] + 0.13 * (ends[1] - ends[0])


def _heading(fig: go.Figure, k: int, name: str, names: Sequence[str]) -> None:
    """The scenario's title above its panel; on a phone above the strategies' names too, which leave it little room
    otherwise."""
    whole = re.sub(
        r"\([^()]{1,14}\)", lambda found: found[0].replace(" ", "\N{NO-BREAK SPACE}"), name
    )  # what stands in brackets stays together
    theme.above_panel(fig, k, f"<b>{label(whole, 30)}</b>", yshift=1)
    at = f"annotations.{len(fig.layout.annotations) - 1}"
    fig.layout.meta["narrow"] |= {
        f"{at}.text": f"<b>{label(whole, 44)}</b>",
        f"{at}.xshift": -5.5 * max(len(each) for each in names),
    }


def _axes(fig: go.Figure, k: int, unit: wording.Unit, names: Sequence[str], ends: tuple[float, float]) -> None:
    ticks = theme.ticks(*ends, unit, 3, signed=True, tight=True)
    fig.update_layout(
        {axis("x", k): {**ticks, "range": list(_with_ranks(ends)), "showgrid": True, "gridcolor": theme.RULE}}
    )
    rows = {
        "tickmode": "array",
        "tickvals": list(range(len(names))),
        "ticktext": [label(name) for name in names],
        "showgrid": False,
    }
    style = {
        "range": [len(names) - 0.4, -1.5],
        "showline": False,
        "ticks": "outside",
        "ticklen": 5,
        "tickcolor": "rgba(0,0,0,0)",
        "automargin": True,
        "tickfont": {"size": 12, "color": theme.INK},
    }
    fig.update_layout({axis("y", k): {**rows, **style, "showticklabels": k % ACROSS == 0}})
    fig.layout.meta["narrow"][f"{axis('y', k)}.showticklabels"] = True
    fig.layout.meta["middle"][f"{axis('y', k)}.showticklabels"] = k % 2 == 0


def _legend(fig: go.Figure, keys: Sequence[str]) -> None:
    for key in keys:
        name, colour, symbol = VERDICTS[key]
        marker = {"color": colour, "size": 9, "symbol": symbol, "line": {"color": colour, "width": 2}}
        fig.add_scatter(x=[None], y=[None], mode="markers", name=name, marker=marker)
    line = {"color": theme.QUIET, "width": 5}
    fig.add_scatter(x=[None], y=[None], mode="lines", name=wording.PREDICTION, line=line, opacity=0.5)


def _alt(
    ranked: pl.DataFrame, measure: str, titles: Mapping[str, str], scenarios: Mapping[str, str], years: str
) -> str:
    """The first and the last of every scenario, with their differences."""
    about, said = wording.shown_measure(measure), []
    for scenario, name in scenarios.items():
        rows = ranked.filter(pl.col("scenario") == scenario).sort("rank", maintain_order=True)
        ends = []
        for place, row in (("first", rows.row(0, named=True)), ("last", rows.row(-1, named=True))):
            value, low, high = wording.rounded_alike(ranked_estimate(row), about.unit)
            between = f" ({low} to {high})" if low else ""
            ends.append(f"{place} {titles[row['strategy']]}, {value}{between}")
        alike = rows["rank"].max() == 1
        said.append(f"{name}: {'all strategies alike' if alike else ', '.join(ends)}")
    start = (
        f"Dots with intervals, a panel for each scenario: difference from the baseline in {about.in_sentence},"
        f" {years}, by strategy"
    )
    return f"{start}. {'; '.join(said)}."
