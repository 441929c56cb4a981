"""Figures of differences from the baseline: the comparison of strategies, and when people and money change."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go
import polars as pl

from simcare.report import theme, wording
from simcare.report.figures.levels import category_ticks, month_middles, tier_panels, whisker_legend, year_ticks
from simcare.report.setting import Setting
from simcare.report.theme import axis, label

AVERAGE_INTERVAL = "95% interval of the average"
ZERO_RULE = {"zeroline": True, "zerolinecolor": theme.INK, "zerolinewidth": 1.2}
HEADLINE_MEASURES = ("cost_council", "cost_pv", "dependency_days", "independent_days", "unmet_need_days")
PANELS_ACROSS = 3  # on a screen
VERDICTS = {
    "better": ("Better than the baseline", theme.BLUE, "circle"),
    "worse": ("Worse than the baseline", theme.VERMILION, "diamond"),
    "changed": ("Different from the baseline", theme.PURPLE, "square"),
    "unclear": ("No clear difference", theme.GREY, "circle-open"),
}


# What of a spread is due to one thing alone: the columns that begin so, what it is called, its colour, and how far
# under the bar of the whole spread it is drawn, in distances between strategies.
PARTS = {
    "demand": ("Demand's part of it", theme.PURPLE, 0.17),
    "parameter": ("The parameters' part of it", theme.GREEN, 0.28),
}


def verdict(name: str, difference: wording.Estimate) -> str:
    """Which key of VERDICTS a difference in a measure earns: its interval must lie wholly on one side of zero."""
    side = {"lower": -1, "higher": 1}.get(difference.verdict, 0)
    if side == 0:
        return "unclear"
    better = wording.shown_measure(name).better
    return "changed" if better == 0 else "better" if side == better else "worse"


def comparison_figure(
    differences: pl.DataFrame, titles: Mapping[str, str], years: str, measures: Sequence[str] = HEADLINE_MEASURES
) -> go.Figure:
    """Each strategy's paired difference from the baseline, a panel a measure: mean, 95 % interval, and the range over
    replications.

    ``differences`` as in a Comparison (strategy, measure, mean of the difference in ``difference``, low, high,
    spread_low, spread_high, and, where they are known, demand_low, demand_high, parameter_low, parameter_high).
    """
    names = [name for name in measures if name in set(differences["measure"])]
    if not names:
        raise ValueError(f"differences hold none of {', '.join(measures)}")
    rows = differences.filter(pl.col("measure").is_in(names) & pl.col("strategy").is_in(list(titles)))
    parts = [part for part in PARTS if f"{part}_low" in rows.columns and rows[f"{part}_low"].is_not_null().any()]
    fig = theme.figure(
        f"Difference from the baseline, by strategy, {years}",
        _comparison_alt(rows, titles, years),
        *_comparison_layouts(len(names), titles, parts),
    )
    seen: set[str] = set()
    for k, name in enumerate(names):
        seen |= _difference_panel(fig, k, name, rows.filter(pl.col("measure") == name), list(titles), parts)
        _strategy_axis(fig, k, titles)
    _verdict_legend(fig, seen, parts)
    return fig


def _comparison_layouts(
    count: int, titles: Mapping[str, str], parts: Sequence[str]
) -> tuple[theme.Panels, theme.Panels, theme.Panels]:
    """Panels up to three side by side on a screen and on paper, below each other on a phone; rows high enough for the
    titles."""

    def tall(texts: Sequence[str]) -> int:
        return 40 + len(texts) * max(52, 12 + 17 * max(text.count("<br>") + 1 for text in texts))

    texts, slim = _strategy_labels(titles)
    keys = 5 + len(parts)  # in the legend
    wide, middle = (
        theme.Panels(
            count,
            min(count, PANELS_ACROSS),
            panel_px=px,
            top_px=theme.legend_px(keys, across),
            bottom_px=30,
            column_gap=0.045,
            row_gap_px=84,
        )
        for px, across in ((tall(texts), 4), (tall(slim), 2))
    )
    narrow = theme.Panels(count, 1, panel_px=tall(slim), top_px=theme.legend_px(keys, 1), bottom_px=30, row_gap_px=84)
    return wide, narrow, middle


def _strategy_labels(titles: Mapping[str, str]) -> tuple[list[str], list[str]]:
    """The strategies' titles for an axis, and for a slim one."""
    return [label(title, 26) for title in titles.values()], [label(title, 16) for title in titles.values()]


def _strategy_axis(fig: go.Figure, k: int, titles: Mapping[str, str]) -> None:
    """The strategies down the left side; beside each panel where panels are below each other."""
    texts, slim = _strategy_labels(titles)
    rows = {"tickmode": "array", "tickvals": list(range(len(texts))), "ticktext": texts, "showgrid": False}
    style = {"range": [len(texts) - 0.5, -0.6], "automargin": True, "tickfont": {"size": 13, "color": theme.INK}}
    fig.update_layout({axis("y", k): {**rows, **style, "showticklabels": k % PANELS_ACROSS == 0, "showline": False}})
    fig.layout.meta["narrow"][f"{axis('y', k)}.showticklabels"] = True
    for layout in ("narrow", "middle"):
        fig.layout.meta[layout][f"{axis('y', k)}.ticktext"] = slim


def _difference_panel(
    fig: go.Figure, k: int, name: str, rows: pl.DataFrame, strategies: list[str], parts: Sequence[str]
) -> set[str]:
    """One measure: what is drawn of each strategy, and the axis; the verdicts that occur."""
    about = wording.shown_measure(name)
    columns = ["low", "high", "spread_low", "spread_high", "difference"]
    columns += [f"{part}_{end}" for part in parts for end in ("low", "high")]
    ends = [x for column in columns for x in rows[column].drop_nulls()] + [0.0]
    seen = {
        _difference(fig, k, name, row, strategies.index(row["strategy"]), parts) for row in rows.iter_rows(named=True)
    }
    pad = 0.14 * (max(ends) - min(ends) or 1)
    wide, few = (
        theme.ticks(min(ends) - pad, max(ends) + pad, about.unit, count, signed=True, tight=True) for count in (4, 2)
    )
    fig.update_layout({axis("x", k): {**wide, "showgrid": True, "gridcolor": theme.RULE}})
    fig.layout.meta["middle"] |= {f"{axis('x', k)}.{key}": few[key] for key in ("tickvals", "ticktext")}
    theme.zero_line(fig, k)
    theme.panel_title(fig, k, about.label, f"{_unit_word(about.unit)}, {_better_word(about.better)}")
    return seen


def _difference(fig: go.Figure, k: int, name: str, row: dict[str, Any], y: int, parts: Sequence[str]) -> str:
    """The dot of a strategy, its intervals, and its number above; the verdict that it earns."""
    about, place = wording.shown_measure(name), {**theme.panel_axes(k), "showlegend": False}
    estimate = wording.Estimate.of(row["difference"], row["low"], row["high"])
    key = verdict(name, estimate)
    _, colour, symbol = VERDICTS[key]
    value, low, high = wording.rounded_alike(estimate, about.unit)
    theme.interval(fig, [row["spread_low"], row["spread_high"]], y, colour, 1.5, place)
    theme.interval(fig, [row["low"], row["high"]], y, colour, 6, place, opacity=0.55)
    for part in (part for part in parts if row[f"{part}_low"] is not None):
        _, part_colour, below = PARTS[part]
        theme.interval(fig, [row[f"{part}_low"], row[f"{part}_high"]], y + below, part_colour, 3, place)
    hover = f"{value}<br>{wording.INTERVAL} {low} to {high}<extra></extra>"
    marker = {"color": colour, "size": 11, "symbol": symbol, "line": {"color": colour, "width": 2}}
    fig.add_scatter(x=[row["difference"]], y=[y], mode="markers", marker=marker, hovertemplate=hover, **place)
    short = (value.removesuffix(about.unit.after) if about.unit.after else value).replace(" million", "m")
    at = {"x": row["difference"], "y": y, "xref": place["xaxis"], "yref": place["yaxis"], "yshift": 17}
    fig.add_annotation(text=f"<b>{short}</b>", showarrow=False, font={"size": 13}, **at)
    return key


def _unit_word(unit: wording.Unit) -> str:
    return "£" if unit == wording.POUNDS else unit.after.strip() or "number"


def _better_word(better: int) -> str:
    return {-1: "less is better", 1: "more is better"}.get(better, "change")


def _verdict_legend(fig: go.Figure, seen: set[str], parts: Sequence[str]) -> None:
    for key, (name, colour, symbol) in VERDICTS.items():
        if key in seen:
            fig.add_scatter(
                x=[None],
                y=[None],
                mode="markers",
                name=name,
                marker={"color": colour, "size": 11, "symbol": symbol, "line": {"color": colour, "width": 2}},
            )
    thick, thin = ({"color": theme.QUIET, "width": width} for width in (6, 1.5))
    fig.add_scatter(x=[None], y=[None], mode="lines", name=AVERAGE_INTERVAL, line=thick, opacity=0.55)
    fig.add_scatter(x=[None], y=[None], mode="lines", name="5th to 95th percentile of replications", line=thin)
    for name, colour, _ in (PARTS[part] for part in parts):
        fig.add_scatter(x=[None], y=[None], mode="lines", name=name, line={"color": colour, "width": 3})


def _comparison_alt(rows: pl.DataFrame, titles: Mapping[str, str], years: str) -> str:
    said = []
    for row in rows.iter_rows(named=True):
        about = wording.shown_measure(row["measure"])
        value, low, high = wording.rounded_alike(
            wording.Estimate.of(row["difference"], row["low"], row["high"]), about.unit
        )
        said.append(f"{titles[row['strategy']]}, {about.in_sentence}: {value} ({low} to {high})")
    return f"Dots with intervals: difference from the baseline, {years}. {'; '.join(said)}."


def caseload_change_figure(frame: pl.DataFrame, setting: Setting, strategy: str) -> go.Figure:
    """What a strategy does to people in care, all life stages together: the paired difference from the baseline by
    month, a panel a tier. ``frame`` as :func:`simcare.report.summaries.caseload_change_by_month` gives it."""
    tiers, period, name = setting.tiers, setting.period, setting.names[strategy]
    present = [t for t in tiers if t in set(frame["tier"])]
    said = [f"{tiers[t]} {_last_change(frame.filter(pl.col('tier') == t))}" for t in present]
    alt = f"Lines over time: change in people in care from the baseline, {period}, {name}. In the last month:"
    fig = theme.figure(
        f"Change in people in care from the baseline by tier, {period}: {name}",
        f"{alt} {'; '.join(said)}.",
        *tier_panels(len(present), 2),
    )
    for k, tier in enumerate(present):
        _change_panel(fig, k, frame.filter(pl.col("tier") == tier), setting.years)
        theme.panel_title(fig, k, tiers[tier], "people")
    return fig


def _change_panel(fig: go.Figure, k: int, line: pl.DataFrame, years: Sequence[str]) -> None:
    """The average difference over time in one tier, with its interval."""
    ends = [*line["mean"], *line["low"].drop_nulls(), *line["high"].drop_nulls(), 0.0]
    if line["low"].null_count() == 0:
        low, high = line["low"].to_list(), line["high"].to_list()
        theme.band(fig, k, month_middles(line), low, high, "rgba(0,114,178,0.22)", AVERAGE_INTERVAL, k == 0)
    fig.add_scatter(
        x=month_middles(line),
        y=line["mean"],
        mode="lines",
        name="Average difference",
        line={"color": theme.BLUE, "width": 2.4},
        showlegend=k == 0,
        **theme.hover(line["mean"], "%{customdata}, %{x|%B %Y}", wording.PEOPLE, signed=True),
        **theme.panel_axes(k),
    )
    ticks = theme.ticks(min(ends), max(ends), wording.COUNT, 4, signed=True)
    fig.update_layout({axis("y", k): {**ticks, **ZERO_RULE}, axis("x", k): {**year_ticks(years, 3), "showline": False}})


def _last_change(rows: pl.DataFrame) -> str:
    last = rows.sort("month").row(-1, named=True)
    value, low, high = wording.rounded_alike(
        wording.Estimate.of(last["mean"], last["low"], last["high"]), wording.COUNT
    )
    return f"{value} ({low} to {high})" if low else value


def cost_change_figure(frame: pl.DataFrame, setting: Setting) -> go.Figure:
    """When money is spent and saved: the change in what the council pays by financial year, a panel a strategy on one
    scale. ``frame`` as :func:`simcare.report.summaries.cost_changes` gives it."""
    frame = frame.filter(pl.col("measure") == "cost_council")
    titles, count = setting.titles, len(setting.titles)
    columns = min(3, max(2, count))
    wide = theme.Panels(
        count, columns, panel_px=170, top_px=theme.legend_px(3, 3), bottom_px=32, column_gap=0.06, row_gap_px=84
    )
    narrow = theme.Panels(count, 1, panel_px=140, top_px=theme.legend_px(3, 1), bottom_px=32, row_gap_px=84)
    fig = theme.figure(
        f"Change in cost to the council by financial year, {setting.period}, cash budget",
        _change_alt(frame, setting),
        wide,
        narrow,
    )
    every = [x for column in ("mean", "low", "high") for x in frame[column].drop_nulls()] + [0.0]
    ticks = theme.ticks(min(every), max(every), wording.POUNDS, 5, signed=True)
    for k, (strategy, title) in enumerate(titles.items()):
        _change_bars(fig, k, frame.filter(pl.col("strategy") == strategy), setting.years)
        years = {**category_ticks(setting.years, 6), "showline": False}
        fig.update_layout({axis("y", k): {**ticks, **ZERO_RULE}, axis("x", k): years})
        theme.panel_title(fig, k, textwrap.shorten(title, 42, placeholder=" …"), "£ a year, difference")
    for name, colour in (("Costs less than the baseline", theme.BLUE), ("Costs more", theme.VERMILION)):
        fig.add_bar(x=[None], y=[None], marker={"color": colour}, name=name)
    whisker_legend(fig, AVERAGE_INTERVAL)
    return fig


def _change_bars(fig: go.Figure, k: int, rows: pl.DataFrame, years: Sequence[str]) -> None:
    """A bar for each financial year of one strategy, with its interval."""
    up = [(high if high is not None else mean) - mean for high, mean in rows.select("high", "mean").iter_rows()]
    fig.add_bar(
        x=[years.index(y) for y in rows["financial_year"]],
        y=rows["mean"],
        width=0.6,
        marker={"color": [theme.BLUE if mean < 0 else theme.VERMILION for mean in rows["mean"]]},
        showlegend=False,
        customdata=[_change(row) for row in rows.iter_rows(named=True)],
        hovertemplate="%{customdata}<extra></extra>",
        error_y={"type": "data", "array": up, "color": theme.INK, "thickness": 1.5, "width": 3},
        **theme.panel_axes(k),
    )


def _change(row: dict[str, Any]) -> str:
    """A change in pounds, with the digits that its interval supports."""
    return wording.rounded_alike(wording.Estimate.of(row["mean"], row["low"], row["high"]), wording.POUNDS)[0]


def _change_alt(frame: pl.DataFrame, setting: Setting) -> str:
    said = []
    for strategy, title in setting.titles.items():
        rows = frame.filter(pl.col("strategy") == strategy).iter_rows(named=True)
        changes = [f"{row['financial_year']} {_change(row)}" for row in rows]
        said.append(f"{title}: {', '.join(changes)}")
    start = f"Bars: change in cost to the council from the baseline by financial year, cash budget, {setting.period}"
    return f"{start}. {'. '.join(said)}."
