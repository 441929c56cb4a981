"""Figures of differences from the baseline: the comparison of strategies, and when people and money change."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence

import plotly.graph_objects as go
import polars as pl

from simcare.model.model import Model
from simcare.report import summaries, theme, wording
from simcare.report.figures.levels import category_ticks, month_middles, tier_panels, whisker_legend, year_ticks
from simcare.report.theme import axis, label

HEADLINE_MEASURES = ("cost_pv", "dependency_days", "independent_days")
VERDICTS = {
    "better": ("Better than the baseline", theme.BLUE, "circle"),
    "worse": ("Worse than the baseline", theme.VERMILION, "diamond"),
    "changed": ("Different from the baseline", theme.PURPLE, "square"),
    "unclear": ("Not to be told from no difference", theme.GREY, "circle-open"),
}


# What of a spread is due to one thing alone: the columns that begin so, what it is called, its colour, and how far
# under the bar of the whole spread it is drawn, in distances between strategies.
PARTS = {
    "demand": ("Demand's part of it", theme.PURPLE, 0.17),
    "parameter": ("The parameters' part of it", theme.GREEN, 0.28),
}


def verdict(name: str, difference: wording.Estimate) -> str:
    """Which key of VERDICTS a difference in a measure earns: its interval must lie wholly on one side of nought."""
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
    strategies = list(titles)
    texts, slim = ([label(titles[s], width) for s in strategies] for width in (26, 16))
    tall, taller = (
        40 + len(strategies) * max(52, 12 + 17 * max(text.count("<br>") + 1 for text in each)) for each in (texts, slim)
    )
    rows = differences.filter(pl.col("measure").is_in(names) & pl.col("strategy").is_in(strategies))
    parts = [part for part in PARTS if f"{part}_low" in rows.columns and rows[f"{part}_low"].is_not_null().any()]
    keys = 7 if "parameter" in parts else 5  # in the legend
    wide = theme.Panels(
        len(names), len(names), panel_px=tall, top_px=theme.legend_px(keys, 4), bottom_px=30, column_gap=0.045
    )
    narrow = theme.Panels(len(names), 1, panel_px=taller, top_px=theme.legend_px(keys, 1), bottom_px=30, row_gap_px=84)
    middle = theme.Panels(
        len(names), len(names), panel_px=taller, top_px=theme.legend_px(keys, 2), bottom_px=30, column_gap=0.045
    )
    fig = theme.figure(
        f"Difference from the baseline, by strategy, {years}",
        _comparison_alt(rows, titles, years),
        wide,
        narrow,
        middle,
    )
    seen: set[str] = set()
    for k, name in enumerate(names):
        _difference_panel(fig, k, name, rows.filter(pl.col("measure") == name), strategies, parts, seen)
    _verdict_legend(fig, seen, parts)
    for k in range(len(names)):
        axis_y = {
            "tickmode": "array",
            "tickvals": list(range(len(strategies))),
            "ticktext": texts,
            "range": [len(strategies) - 0.5, -0.6],
            "showgrid": False,
        }
        fig.update_layout(
            {
                axis("y", k): {
                    **axis_y,
                    "showticklabels": k == 0,
                    "automargin": True,
                    "tickfont": {"size": 13, "color": theme.INK},
                }
            }
        )
        fig.layout.meta["narrow"][f"{axis('y', k)}.showticklabels"] = True
        for layout in ("narrow", "middle"):
            fig.layout.meta[layout][f"{axis('y', k)}.ticktext"] = slim
    return fig


def _difference_panel(
    fig: go.Figure, k: int, name: str, rows: pl.DataFrame, strategies: list[str], parts: Sequence[str], seen: set[str]
) -> None:
    about, place = (
        wording.shown_measure(name),
        {"xaxis": axis("x", k, True), "yaxis": axis("y", k, True), "showlegend": False},
    )
    drawn = [
        "low",
        "high",
        "spread_low",
        "spread_high",
        "difference",
        *(f"{part}_{end}" for part in parts for end in ("low", "high")),
    ]
    ends = [x for column in drawn for x in rows[column].drop_nulls()] + [0.0]
    pad = 0.14 * (max(ends) - min(ends) or 1)
    for row in rows.iter_rows(named=True):
        y, estimate = strategies.index(row["strategy"]), wording.Estimate.of(row["difference"], row["low"], row["high"])
        key = verdict(name, estimate)
        seen.add(key)
        _, colour, symbol = VERDICTS[key]
        value, low, high = wording.rounded_alike(estimate, about.unit)
        fig.add_scatter(
            x=[row["spread_low"], row["spread_high"]],
            y=[y, y],
            mode="lines",
            line={"color": colour, "width": 1.5},
            hoverinfo="skip",
            **place,
        )
        fig.add_scatter(
            x=[row["low"], row["high"]],
            y=[y, y],
            mode="lines",
            line={"color": colour, "width": 6},
            opacity=0.55,
            hoverinfo="skip",
            **place,
        )
        for part in (part for part in parts if row[f"{part}_low"] is not None):
            _, part_colour, below = PARTS[part]
            x, beside = [row[f"{part}_low"], row[f"{part}_high"]], y + below
            fig.add_scatter(
                x=x,
                y=[beside, beside],
                mode="lines",
                line={"color": part_colour, "width": 3},
                hoverinfo="skip",
                **place,
            )
        hover = f"{value}<br>{wording.INTERVAL} {low} to {high}<extra></extra>"
        marker = {"color": colour, "size": 11, "symbol": symbol, "line": {"color": colour, "width": 2}}
        fig.add_scatter(x=[row["difference"]], y=[y], mode="markers", marker=marker, hovertemplate=hover, **place)
        short = (value.removesuffix(about.unit.after) if about.unit.after else value).replace(" million", "m")
        fig.add_annotation(
            x=row["difference"],
            y=y,
            text=f"<b>{short}</b>",
            showarrow=False,
            yshift=17,
            font={"size": 13},
            xref=place["xaxis"],
            yref=place["yaxis"],
        )
    wide, few = (
        theme.ticks(min(ends) - pad, max(ends) + pad, about.unit, count, signed=True, tight=True) for count in (4, 2)
    )
    fig.update_layout({axis("x", k): {**wide, "showgrid": True, "gridcolor": theme.RULE}})
    fig.layout.meta["middle"] |= {f"{axis('x', k)}.{key}": few[key] for key in ("tickvals", "ticktext")}
    fig.update_layout({axis("y", k): {"showline": False}})
    fig.add_shape(
        type="line",
        x0=0,
        x1=0,
        y0=0,
        y1=1,
        xref=place["xaxis"],
        yref=f"{place['yaxis']} domain",
        line={"color": theme.INK, "width": 1.2},
        layer="below",
    )
    theme.panel_title(fig, k, about.label, f"{_unit_word(about.unit)}, {_better_word(about.better)}")


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
    fig.add_scatter(
        x=[None],
        y=[None],
        mode="lines",
        name="95% interval of the average",
        line={"color": theme.QUIET, "width": 6},
        opacity=0.55,
    )
    fig.add_scatter(
        x=[None],
        y=[None],
        mode="lines",
        name="5th to 95th percentile of replications",
        line={"color": theme.QUIET, "width": 1.5},
    )
    for name, colour, _ in (PARTS[part] for part in parts):
        fig.add_scatter(x=[None], y=[None], mode="lines", name=name, line={"color": colour, "width": 3})


def _comparison_alt(rows: pl.DataFrame, titles: Mapping[str, str], years: str) -> str:
    said = []
    for row in rows.iter_rows(named=True):
        about = wording.shown_measure(row["measure"])
        value, low, high = wording.rounded_alike(
            wording.Estimate.of(row["difference"], row["low"], row["high"]), about.unit
        )
        said.append(f"{titles[row['strategy']]}, {about.label.lower()}: {value} ({low} to {high})")
    return f"Dots with intervals: difference from the baseline, {years}. {'; '.join(said)}."


def caseload_change_figure(measures: pl.DataFrame, model: Model, strategy: str, name: str) -> go.Figure:
    """What a strategy does to people in care, all life stages together: the paired difference from the baseline by
    month, a panel a tier."""
    tiers, years = wording.tier_titles(model), summaries.financial_years(measures)
    frame = summaries.caseload_change_by_month(measures, strategy)
    present = [t for t in tiers if t in set(frame["tier"])]
    said = [f"{tiers[t]} {_last_change(frame.filter(pl.col('tier') == t))}" for t in present]
    alt = (
        f"Lines over time: change in people in care from the baseline, {wording.horizon_words(years)}, {name}. In the last"
        f" month: {'; '.join(said)}."
    )
    fig = theme.figure(
        f"Change in people in care from the baseline by tier, {wording.horizon_words(years)}: {name}",
        alt,
        *tier_panels(len(present), 2),
    )
    for k, tier in enumerate(present):
        line = frame.filter(pl.col("tier") == tier)
        place = {"xaxis": axis("x", k, True), "yaxis": axis("y", k, True)}
        ends = [*line["mean"], *line["low"].drop_nulls(), *line["high"].drop_nulls(), 0.0]
        if line["low"].null_count() == 0:
            theme.band(
                fig,
                k,
                month_middles(line),
                line["low"].to_list(),
                line["high"].to_list(),
                "rgba(0,114,178,0.22)",
                "95% interval of the average",
                k == 0,
            )
        hover = "%{y:+,.1f} people, %{x|%B %Y}<extra></extra>"
        fig.add_scatter(
            x=month_middles(line),
            y=line["mean"],
            mode="lines",
            name="Average difference",
            line={"color": theme.BLUE, "width": 2.4},
            showlegend=k == 0,
            hovertemplate=hover,
            **place,
        )
        zero = {"zeroline": True, "zerolinecolor": theme.INK, "zerolinewidth": 1.2}
        fig.update_layout(
            {
                axis("y", k): {**theme.ticks(min(ends), max(ends), wording.COUNT, 4, signed=True), **zero},
                axis("x", k): {**year_ticks(years, 3), "showline": False},
            }
        )
        theme.panel_title(fig, k, tiers[tier], "people")
    return fig


def _last_change(rows: pl.DataFrame) -> str:
    last = rows.sort("month").row(-1, named=True)
    value, low, high = wording.rounded_alike(
        wording.Estimate.of(last["mean"], last["low"], last["high"]), wording.COUNT
    )
    return f"{value} ({low} to {high})" if low else value


def cost_change_figure(measures: pl.DataFrame, titles: Mapping[str, str]) -> go.Figure:
    """When money is spent and saved: the change in cash cost from the baseline by financial year, a panel a strategy on
    one scale."""
    years = summaries.financial_years(measures)
    frames = {s: summaries.cost_change_by_year(measures, s) for s in titles}
    columns = min(3, max(2, len(titles)))
    wide = theme.Panels(
        len(titles), columns, panel_px=170, top_px=theme.legend_px(3, 3), bottom_px=32, column_gap=0.06, row_gap_px=84
    )
    narrow = theme.Panels(len(titles), 1, panel_px=140, top_px=theme.legend_px(3, 1), bottom_px=32, row_gap_px=84)
    fig = theme.figure(
        f"Change in cost from the baseline by financial year, {wording.horizon_words(years)}, cash",
        _change_alt(frames, titles, wording.horizon_words(years)),
        wide,
        narrow,
    )
    every = [
        x for frame in frames.values() for column in ("mean", "low", "high") for x in frame[column].drop_nulls()
    ] + [0.0]
    for k, (strategy, frame) in enumerate(frames.items()):
        colours = [theme.BLUE if mean < 0 else theme.VERMILION for mean in frame["mean"]]
        up = [
            (high if high is not None else mean) - mean for high, mean in zip(frame["high"], frame["mean"], strict=True)
        ]
        texts = [
            wording.rounded_alike(wording.Estimate.of(m, lo, hi), wording.POUNDS)[0]
            for m, lo, hi in frame.select("mean", "low", "high").iter_rows()
        ]
        fig.add_bar(
            x=[years.index(y) for y in frame["financial_year"]],
            y=frame["mean"],
            width=0.6,
            marker={"color": colours},
            showlegend=False,
            customdata=texts,
            hovertemplate="%{customdata}<extra></extra>",
            xaxis=axis("x", k, True),
            yaxis=axis("y", k, True),
            error_y={"type": "data", "array": up, "color": theme.INK, "thickness": 1.5, "width": 3},
        )
        zero = {"zeroline": True, "zerolinecolor": theme.INK, "zerolinewidth": 1.2}
        fig.update_layout(
            {
                axis("y", k): {**theme.ticks(min(every), max(every), wording.POUNDS, 5, signed=True), **zero},
                axis("x", k): {**category_ticks(years, 6), "showline": False},
            }
        )
        theme.panel_title(fig, k, textwrap.shorten(titles[strategy], 42, placeholder=" …"), "£ a year, difference")
    for name, colour in (("Costs less than the baseline", theme.BLUE), ("Costs more", theme.VERMILION)):
        fig.add_bar(x=[None], y=[None], marker={"color": colour}, name=name)
    whisker_legend(fig, "95% interval of the average")
    return fig


def _change_alt(frames: Mapping[str, pl.DataFrame], titles: Mapping[str, str], years: str) -> str:
    said = []
    for strategy, frame in frames.items():
        parts = [
            f"{row['financial_year']}"
            f" {wording.rounded_alike(wording.Estimate.of(row['mean'], row['low'], row['high']), wording.POUNDS)[0]}"
            for row in frame.iter_rows(named=True)
        ]
        said.append(f"{titles[strategy]}: {', '.join(parts)}")
    return f"Bars: change in cash cost from the baseline by financial year, {years}. {'. '.join(said)}."
