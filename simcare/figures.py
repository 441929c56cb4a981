"""The figures: a frame in, a plotly figure out, one function a figure.

Each figure names its subject, period and units, draws the interval that its legend names, and carries its own
description for people who do not see it (``figure.layout.meta["alt"]``).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go
import polars as pl

from simcare import summaries, theme, words
from simcare.model.model import Model
from simcare.theme import axis, label

HEADLINE_MEASURES = ("cost_pv", "dependency_days", "independent_days")
BASELINE = "baseline"
NEW, GONE = "new", "gone"  # before the first place on the ladder; after death or moving away
VERDICTS = {
    "better": ("Better than the baseline", theme.BLUE, "circle"),
    "worse": ("Worse than the baseline", theme.VERMILION, "diamond"),
    "changed": ("Different from the baseline", theme.PURPLE, "square"),
    "unclear": ("Not to be told from no difference", theme.GREY, "circle-open"),
}


def tier_titles(model: Model) -> dict[str, str]:
    """What each tier is called in figures, from the bottom of the ladder; short-term tiers last."""
    ordered = sorted(model.tiers, key=lambda tier: tier.short_term)
    return {tier.name: tier.title or words.title(tier.name) for tier in ordered}


def verdict(name: str, difference: words.Estimate) -> str:
    """Which key of VERDICTS a difference in a measure earns: its interval must lie wholly on one side of nought."""
    side = {"lower": -1, "higher": 1}.get(difference.verdict, 0)
    if side == 0:
        return "unclear"
    better = words.measure(name).better
    return "changed" if better == 0 else "better" if side == better else "worse"


# ---------------------------------------------------------------------------------------------------------- comparison
def comparison(differences: pl.DataFrame, titles: Mapping[str, str], years: str, measures: Sequence[str] = HEADLINE_MEASURES) -> go.Figure:
    """Each strategy's paired difference from the baseline, a panel a measure: mean, 95 % interval, and the range over replications.

    ``differences`` as in a Comparison (strategy, measure, mean of the difference in ``difference``, low, high, spread_low, spread_high).
    """
    names = [name for name in measures if name in set(differences["measure"])]
    if not names:
        raise ValueError(f"differences hold none of {', '.join(measures)}")
    strategies = list(titles)
    tall = 40 + 52 * len(strategies)
    wide = theme.Panels(len(names), len(names), panel_px=tall, top_px=88, bottom_px=30, column_gap=0.035)
    narrow = theme.Panels(len(names), 1, panel_px=tall, top_px=128, bottom_px=30, row_gap_px=84)
    rows = differences.filter(pl.col("measure").is_in(names) & pl.col("strategy").is_in(strategies))
    fig = theme.figure(f"Difference from the baseline, by strategy, {years}", _comparison_alt(rows, titles, years), wide, narrow)
    seen: set[str] = set()
    for k, name in enumerate(names):
        _difference_panel(fig, k, name, rows.filter(pl.col("measure") == name), strategies, seen)
    _verdict_legend(fig, seen)
    texts = [label(titles[s], 26) for s in strategies]
    for k in range(len(names)):
        axis_y = {"tickmode": "array", "tickvals": list(range(len(strategies))), "ticktext": texts, "range": [len(strategies) - 0.5, -0.6], "showgrid": False}
        fig.update_layout({axis("y", k): {**axis_y, "showticklabels": k == 0, "automargin": True, "tickfont": {"size": 13, "color": theme.INK}}})
        fig.layout.meta["narrow"][f"{axis('y', k)}.showticklabels"] = True
        fig.layout.meta["narrow"][f"{axis('y', k)}.ticktext"] = [label(titles[s], 15) for s in strategies]
    return fig


def _difference_panel(fig: go.Figure, k: int, name: str, rows: pl.DataFrame, strategies: list[str], seen: set[str]) -> None:
    about, place = words.measure(name), {"xaxis": axis("x", k, True), "yaxis": axis("y", k, True), "showlegend": False}
    ends = [x for column in ("low", "high", "spread_low", "spread_high", "difference") for x in rows[column].drop_nulls()] + [0.0]
    pad = 0.06 * (max(ends) - min(ends) or 1)
    for row in rows.iter_rows(named=True):
        y, estimate = strategies.index(row["strategy"]), words.Estimate.of(row["difference"], row["low"], row["high"])
        key = verdict(name, estimate)
        seen.add(key)
        _, colour, symbol = VERDICTS[key]
        value, low, high = words.three(estimate, about.unit)
        fig.add_scatter(x=[row["spread_low"], row["spread_high"]], y=[y, y], mode="lines", line={"color": colour, "width": 1.5}, hoverinfo="skip", **place)
        fig.add_scatter(x=[row["low"], row["high"]], y=[y, y], mode="lines", line={"color": colour, "width": 6}, opacity=0.55, hoverinfo="skip", **place)
        hover = f"{value}<br>{words.INTERVAL} {low} to {high}<extra></extra>"
        marker = {"color": colour, "size": 11, "symbol": symbol, "line": {"color": colour, "width": 2}}
        fig.add_scatter(x=[row["difference"]], y=[y], mode="markers", marker=marker, hovertemplate=hover, **place)
        short = value.removesuffix(about.unit.after) if about.unit.after else value
        fig.add_annotation(x=row["difference"], y=y, text=f"<b>{short}</b>", showarrow=False, yshift=17, font={"size": 13}, xref=place["xaxis"], yref=place["yaxis"])
    fig.update_layout({axis("x", k): {**theme.ticks(min(ends) - pad, max(ends) + pad, about.unit, 4, signed=True), "showgrid": True, "gridcolor": theme.RULE}})
    fig.add_shape(type="line", x0=0, x1=0, y0=0, y1=1, xref=place["xaxis"], yref=f"{place['yaxis']} domain", line={"color": theme.INK, "width": 1.2}, layer="below")
    theme.panel_title(fig, k, about.label, {-1: "less is better", 1: "more is better"}.get(about.better, "change"))


def _verdict_legend(fig: go.Figure, seen: set[str]) -> None:
    for key, (name, colour, symbol) in VERDICTS.items():
        if key in seen:
            fig.add_scatter(x=[None], y=[None], mode="markers", name=name, marker={"color": colour, "size": 11, "symbol": symbol, "line": {"color": colour, "width": 2}})
    fig.add_scatter(x=[None], y=[None], mode="lines", name="95% interval of the average", line={"color": theme.QUIET, "width": 6}, opacity=0.55)
    fig.add_scatter(x=[None], y=[None], mode="lines", name="Nine in ten replications", line={"color": theme.QUIET, "width": 1.5})


def _comparison_alt(rows: pl.DataFrame, titles: Mapping[str, str], years: str) -> str:
    said = []
    for row in rows.iter_rows(named=True):
        about = words.measure(row["measure"])
        value, low, high = words.three(words.Estimate.of(row["difference"], row["low"], row["high"]), about.unit)
        said.append(f"{titles[row['strategy']]}, {about.label.lower()}: {value} ({low} to {high})")
    return f"Dots with intervals: difference from the baseline, {years}. {'; '.join(said)}."


# ------------------------------------------------------------------------------------------------------------ caseload
def caseload(measures: pl.DataFrame, model: Model, stage: str, strategy: str = BASELINE, name: str = "Baseline") -> go.Figure:
    """People in care by tier over time in one life stage, a panel a tier, each with its own scale from nought.

    A strategy is drawn over the baseline. Raises ValueError when nobody of the stage is in care.
    """
    tiers = tier_titles(model)
    shown = summaries.caseload_by_month(measures, strategy).filter(pl.col("stage") == stage)
    base = shown if strategy == BASELINE else summaries.caseload_by_month(measures, BASELINE).filter(pl.col("stage") == stage)
    present = [t for t in tiers if t in set(shown.filter(pl.col("mean") > 0)["tier"])]
    if not present:
        raise ValueError(f"nobody of stage '{stage}' is in care in strategy '{strategy}'")
    years = summaries.financial_years(measures)
    runs = summaries.replications(measures, strategy).height
    wide = theme.Panels(len(present), max(3, len(present)), panel_px=150, top_px=88, bottom_px=32, column_gap=0.045)
    narrow = theme.Panels(len(present), 2, panel_px=120, top_px=128, bottom_px=32, row_gap_px=78, column_gap=0.16)
    alt = _caseload_alt(shown, present, tiers, stage, words.period(years), name)
    fig = theme.figure(f"People in care, {stage}, by tier, {words.period(years)}: {name}", alt, wide, narrow)
    colour, fill = (theme.QUIET, theme.PALE_GREY) if strategy == BASELINE else (theme.BLUE, "rgba(0,114,178,0.22)")
    for k, tier in enumerate(present):
        line = shown.filter(pl.col("tier") == tier)
        months = [dt.date(int(m[:4]), int(m[5:]), 15) for m in line["month"]]
        place = {"xaxis": axis("x", k, True), "yaxis": axis("y", k, True), "mode": "lines"}
        if line["low"].null_count() == 0:
            theme.band(fig, k, months, line["low"].to_list(), line["high"].to_list(), fill, f"{name}: {summaries.range_words(runs)}", k == 0)
        top = [*line["mean"], *line["high"].drop_nulls()]
        if strategy != BASELINE:
            before = base.filter(pl.col("tier") == tier)
            top += before["mean"].to_list()
            dashed = {"color": theme.INK, "width": 1.6, "dash": "dot"}
            x = [dt.date(int(m[:4]), int(m[5:]), 15) for m in before["month"]]
            fig.add_scatter(x=x, y=before["mean"], name="Baseline, average", line=dashed, showlegend=k == 0, hovertemplate="%{y:,.0f} (baseline)<extra></extra>", **place)
        hover = "%{y:,.0f} people, %{x|%B %Y}<extra></extra>"
        fig.add_scatter(x=months, y=line["mean"], name=f"{name}, average", line={"color": colour, "width": 2.4}, showlegend=k == 0, hovertemplate=hover, **place)
        fig.update_layout({axis("y", k): theme.ticks(0, max(top), words.COUNT, 4), axis("x", k): _year_ticks(years, 5)})
        fig.layout.meta["narrow"] |= {f"{axis('x', k)}.{key}": value for key, value in _year_ticks(years, 3).items()}
        theme.panel_title(fig, k, tiers[tier], "people")
    return fig


def _year_ticks(years: Sequence[str], most: int) -> dict[str, Any]:
    """A label in the middle of each financial year (or of every second, third … so that at most ``most`` are shown)."""
    every = -(-len(years) // most)
    starts = [int(year[:4]) for year in years]
    middles = [dt.date(start, 10, 1) for start in starts[::every]]
    edges = [dt.date(starts[0], 4, 1), dt.date(starts[-1] + 1, 4, 1)]
    return {"tickmode": "array", "tickvals": middles, "ticktext": [f"{y[2:4]}/{y[5:]}" for y in years[::every]], "range": edges}


def _caseload_alt(rows: pl.DataFrame, present: Sequence[str], tiers: Mapping[str, str], stage: str, years: str, name: str) -> str:
    said = []
    for tier in present:
        mean = rows.filter(pl.col("tier") == tier).sort("month")["mean"]
        said.append(f"{tiers[tier]} from {words.quantity(mean[0])} to {words.quantity(mean[-1])} people")
    return f"Lines over time: people in care in {stage}, {years}, {name}. First and last month: {'; '.join(said)}."


# ---------------------------------------------------------------------------------------------------------------- cost
def cost_by_year(measures: pl.DataFrame, model: Model, strategy: str = BASELINE, name: str = "Baseline") -> go.Figure:
    """Cost by financial year in cash and in constant prices: all stages together, then a panel for each life stage."""
    frames = {m: summaries.cost_by_year(measures, strategy, m) for m in ("cost", "cost_real")}
    base = None if strategy == BASELINE else summaries.cost_by_year(measures, BASELINE, "cost")
    years = summaries.financial_years(measures)
    with_cost = set(frames["cost"].filter(pl.col("mean") > 0)["stage"].drop_nulls())
    panels: list[str | None] = [None, *(s.name for s in model.stages if s.name in with_cost)]
    wide = theme.Panels(len(panels), 3, panel_px=170, top_px=88, bottom_px=32, column_gap=0.07, row_gap_px=84)
    narrow = theme.Panels(len(panels), 1, panel_px=150, top_px=150, bottom_px=32, row_gap_px=84)
    runs = summaries.replications(measures, strategy).height
    alt = _cost_alt(frames["cost"].filter(pl.col("stage").is_null()), words.period(years), name)
    fig = theme.figure(f"Cost by financial year and life stage, {words.period(years)}: {name}", alt, wide, narrow)
    styles = {"cost": ("Cash", -0.2, theme.BLUE), "cost_real": (f"{model.prices.base_year} prices", 0.2, theme.SKY)}
    for k, stage in enumerate(panels):
        tops: list[float] = []
        for measure, (legend, shift, colour) in styles.items():
            rows = _of_stage(frames[measure], stage)
            tops += [*rows["mean"], *rows["high"].drop_nulls()]
            _bars(fig, k, rows, years, shift, colour, legend)
        if base is not None:
            before = _of_stage(base, stage)
            x = [years.index(y) - 0.2 for y in before["financial_year"]]
            mark = {"symbol": "line-ew-open", "size": 20, "color": theme.INK, "line": {"width": 2, "color": theme.INK}}
            fig.add_scatter(
                x=x, y=before["mean"], mode="markers", marker=mark, name="Baseline, cash", showlegend=k == 0, hoverinfo="skip",
                xaxis=axis("x", k, True), yaxis=axis("y", k, True),
            )  # fmt: skip
        fig.update_layout({axis("y", k): theme.ticks(0, max(tops), words.POUNDS, 4), axis("x", k): _category_ticks(years, 6)})
        theme.panel_title(fig, k, stage or "All life stages", "£ a year")
    fig.add_scatter(x=[None], y=[None], mode="lines", line={"color": theme.INK, "width": 1.5}, name=summaries.range_words(runs).capitalize())
    return fig


def _of_stage(frame: pl.DataFrame, stage: str | None) -> pl.DataFrame:
    return frame.filter(pl.col("stage").eq_missing(pl.lit(stage, dtype=pl.String))).sort("financial_year")


def _bars(fig: go.Figure, k: int, rows: pl.DataFrame, years: list[str], shift: float, colour: str, legend: str) -> None:
    means = rows["mean"].to_list()
    up = [(high if high is not None else mean) - mean for high, mean in zip(rows["high"], means, strict=True)]
    down = [mean - (low if low is not None else mean) for low, mean in zip(rows["low"], means, strict=True)]
    texts = [words.three(words.Estimate.of(m, lo, hi), words.POUNDS, signed=False)[0] for m, lo, hi in rows.select("mean", "low", "high").iter_rows()]
    fig.add_bar(
        x=[years.index(y) + shift for y in rows["financial_year"]], y=means, width=0.36, marker={"color": colour}, name=legend, legendgroup=legend,
        showlegend=k == 0, xaxis=axis("x", k, True), yaxis=axis("y", k, True), customdata=texts, hovertemplate=f"%{{customdata}} ({legend})<extra></extra>",
        error_y={"type": "data", "array": up, "arrayminus": down, "color": theme.INK, "thickness": 1.3, "width": 2},
    )  # fmt: skip


def _category_ticks(years: Sequence[str], most: int) -> dict[str, Any]:
    every = -(-len(years) // most)
    values = list(range(0, len(years), every))
    return {"tickmode": "array", "tickvals": values, "ticktext": [years[v] for v in values], "range": [-0.6, len(years) - 0.4]}


def _cost_alt(total: pl.DataFrame, years: str, name: str) -> str:
    said = [
        f"{row['financial_year']} {words.three(words.Estimate.of(row['mean'], row['low'], row['high']), words.POUNDS, signed=False)[0]}"
        for row in total.sort("financial_year").iter_rows(named=True)
    ]
    return f"Bars with ranges: cost by financial year and life stage, {years}, {name}. All life stages, cash: {'; '.join(said)}."


def cost_change(measures: pl.DataFrame, titles: Mapping[str, str]) -> go.Figure:
    """When money is spent and saved: the change in cash cost from the baseline by financial year, a panel a strategy on one scale."""
    years = summaries.financial_years(measures)
    frames = {s: summaries.cost_change_by_year(measures, s) for s in titles}
    columns = min(3, max(2, len(titles)))
    wide = theme.Panels(len(titles), columns, panel_px=170, top_px=78, bottom_px=32, column_gap=0.06, row_gap_px=84)
    narrow = theme.Panels(len(titles), 1, panel_px=140, top_px=88, bottom_px=32, row_gap_px=84)
    fig = theme.figure(f"Change in cost from the baseline by financial year, {words.period(years)}, cash", _change_alt(frames, titles, words.period(years)), wide, narrow)
    every = [x for frame in frames.values() for column in ("mean", "low", "high") for x in frame[column].drop_nulls()] + [0.0]
    for k, (strategy, frame) in enumerate(frames.items()):
        colours = [theme.BLUE if mean < 0 else theme.VERMILION for mean in frame["mean"]]
        up = [(high if high is not None else mean) - mean for high, mean in zip(frame["high"], frame["mean"], strict=True)]
        texts = [words.three(words.Estimate.of(m, lo, hi), words.POUNDS)[0] for m, lo, hi in frame.select("mean", "low", "high").iter_rows()]
        fig.add_bar(
            x=[years.index(y) for y in frame["financial_year"]], y=frame["mean"], width=0.6, marker={"color": colours}, showlegend=False,
            customdata=texts, hovertemplate="%{customdata}<extra></extra>", xaxis=axis("x", k, True), yaxis=axis("y", k, True),
            error_y={"type": "data", "array": up, "color": theme.INK, "thickness": 1.5, "width": 3},
        )  # fmt: skip
        zero = {"zeroline": True, "zerolinecolor": theme.INK, "zerolinewidth": 1.2}
        fig.update_layout({
            axis("y", k): {**theme.ticks(min(every), max(every), words.POUNDS, 5, signed=True), **zero},
            axis("x", k): {**_category_ticks(years, 6), "showline": False},
        })  # fmt: skip
        theme.panel_title(fig, k, titles[strategy], "£ a year, difference")
    for name, colour in (("Costs less than the baseline", theme.BLUE), ("Costs more", theme.VERMILION)):
        fig.add_bar(x=[None], y=[None], marker={"color": colour}, name=name)
    fig.add_scatter(x=[None], y=[None], mode="lines", line={"color": theme.INK, "width": 1.5}, name="95% interval of the average")
    return fig


def _change_alt(frames: Mapping[str, pl.DataFrame], titles: Mapping[str, str], years: str) -> str:
    said = []
    for strategy, frame in frames.items():
        parts = [
            f"{row['financial_year']} {words.three(words.Estimate.of(row['mean'], row['low'], row['high']), words.POUNDS)[0]}"
            for row in frame.iter_rows(named=True)
        ]
        said.append(f"{titles[strategy]}: {', '.join(parts)}")
    return f"Bars: change in cash cost from the baseline by financial year, {years}. {'. '.join(said)}."


# --------------------------------------------------------------------------------------------------------------- moves
def direction(source: str, target: str, model: Model) -> str:
    """``up``, ``down``, ``short`` (into short-term care), ``new`` or ``gone``, from two tiers.

    Leaving short-term care is a move up or down by where it ends: to independence is down.
    """
    short = {tier.name for tier in model.tiers if tier.short_term}
    if target == GONE:
        return "gone"
    if source in (NEW, model.rungs[0]):
        return "new"
    if target in short:
        return "short"
    if source in short:
        return "down" if target == model.rungs[0] else "from_short"
    return "up" if model.rungs.index(target) > model.rungs.index(source) else "down"


MOVES = {
    "new": ("Into care", theme.GREEN),
    "up": ("To a more intensive tier", theme.VERMILION),
    "down": ("To a less intensive tier, or independence", theme.BLUE),
    "short": ("Into short-term care", theme.PURPLE),
    "from_short": ("From short-term to long-term care", "#d9a400"),
    "gone": ("Died or moved away", theme.GREY),
}


def moves(flows: pl.DataFrame, measures: pl.DataFrame, model: Model, strategy: str = BASELINE, name: str = "Baseline") -> go.Figure:
    """Average moves a year between tiers: the tier before at the left, the tier after at the right, width by number."""
    years = summaries.financial_years(measures)
    rows = summaries.moves_per_year(flows, strategy, summaries.replications(measures, strategy), len(years)).filter(pl.col("mean") > 0)
    titles = {NEW: "New", **tier_titles(model), GONE: "Gone"}
    order = [NEW, *reversed(model.rungs), *(t.name for t in model.tiers if t.short_term), GONE]
    left = [t for t in order if t in set(rows["from_tier"])]
    right = [t for t in order if t in set(rows["to_tier"])]
    place = {("from", t): i for i, t in enumerate(left)} | {("to", t): len(left) + i for i, t in enumerate(right)}
    panel = theme.Panels(1, 1, panel_px=480, top_px=64, bottom_px=16)
    slim = theme.Panels(1, 1, panel_px=520, top_px=150, bottom_px=16)
    fig = theme.figure(f"Moves between tiers, average a year, {words.period(years)}: {name}", _moves_alt(rows, titles, words.period(years), name), panel, slim)
    ways = [direction(a, b, model) for a, b in rows.select("from_tier", "to_tier").iter_rows()]
    texts = [f"{titles[a]} to {titles[b]}: {words.quantity(n)} a year" for a, b, n in rows.select("from_tier", "to_tier", "mean").iter_rows()]
    labels = [*(_node(titles[t], rows, "from_tier", t) for t in left), *(_node(titles[t], rows, "to_tier", t) for t in right)]
    fig.add_sankey(
        arrangement="fixed", textfont={"size": 13, "color": theme.INK, "family": theme.FONT},
        node={"label": labels, "color": theme.QUIET, "pad": 16, "thickness": 14, "line": {"width": 0}, "sort": "input", "hoverinfo": "skip"},
        link={
            "source": [place["from", t] for t in rows["from_tier"]], "target": [place["to", t] for t in rows["to_tier"]], "value": rows["mean"].to_list(),
            "color": [_see_through(MOVES[way][1]) for way in ways], "customdata": texts, "hovertemplate": "%{customdata}<extra></extra>",
        },
    )  # fmt: skip
    for way in dict.fromkeys(sorted(ways, key=list(MOVES).index)):
        fig.add_scatter(x=[None], y=[None], mode="markers", marker={"symbol": "square", "size": 12, "color": MOVES[way][1]}, name=MOVES[way][0])
    fig.update_layout(xaxis={"visible": False}, yaxis={"visible": False}, margin={"l": 8, "r": 8})
    return fig


def _node(text: str, rows: pl.DataFrame, column: str, tier: str) -> str:
    total = rows.filter(pl.col(column) == tier)["mean"].sum()
    return f"{label(text)} {words.quantity(float(total))}"


def _see_through(colour: str) -> str:
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},0.5)"


def _moves_alt(rows: pl.DataFrame, titles: Mapping[str, str], years: str, name: str) -> str:
    most = rows.sort("mean", descending=True).head(6)
    said = [f"{titles[a]} to {titles[b]} {words.quantity(n)}" for a, b, n in most.select("from_tier", "to_tier", "mean").iter_rows()]
    return f"Flow diagram: average moves a year between tiers, {years}, {name}. The largest: {'; '.join(said)}."
