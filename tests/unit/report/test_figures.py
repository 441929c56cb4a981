"""Figures say what they show, draw what the frames hold, and keep to the house style; the summaries behind them against
naive sums."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import replace
from functools import cache

import numpy as np
import plotly.graph_objects as go
import polars as pl
import pytest

from simcare.log.periods import covered_days
from simcare.report import figures, summaries, theme, wording
from simcare.report.frames import Frames, beside_baseline
from simcare.report.report_input import ReportInput
from tests.support.report_sample import (
    REPLICATIONS,
    STAGES,
    TIERS,
    sample_comparison,
    sample_flows,
    sample_limited,
    sample_measures,
    sample_model,
    sample_run,
)

PERIOD = "2013/14 to 2017/18"


@cache
def given() -> ReportInput:
    return sample_comparison()


@cache
def drawn() -> dict[str, go.Figure]:
    c, frames, limited = given(), Frames(given()), Frames(sample_limited())
    assert c.differences is not None
    setting, caseload = frames.setting, beside_baseline(frames.caseload, "early")
    change = summaries.caseload_change_by_month(frames.measures, "early")
    cost = beside_baseline(frames.costs, "tariff")
    return {
        "comparison": figures.comparison_figure(c.differences, c.titles, PERIOD),
        "cost_change": figures.cost_change_figure(summaries.cost_changes(frames.measures, c.titles), setting),
        "caseload": figures.caseload_figure(frames.caseload("baseline"), setting, "0-11"),
        "caseload, strategy": figures.caseload_figure(caseload, setting, "older people", "early"),
        "caseload_change": figures.caseload_change_figure(change, setting, "early"),
        "cost_by_year": figures.cost_figure(frames.costs("baseline"), setting),
        "cost_by_year, strategy": figures.cost_figure(cost, setting, "tariff"),
        "moves": figures.moves_figure(frames.moves("baseline"), setting),
        "waits": figures.waits_figure(limited.limits("baseline"), setting),
        "waits, strategy": figures.waits_figure(beside_baseline(limited.limits, "early"), setting, "early"),
    }


def naive(measure: str, **where: str) -> pl.DataFrame:
    """Rows of one measure, filtered the plain way."""
    rows = given().measures.filter(pl.col("measure") == measure)
    for column, value in where.items():
        rows = rows.filter(pl.col(column) == value)
    return rows


# What every figure keeps to.

EVERY = [
    "comparison", "cost_change", "caseload", "caseload, strategy", "caseload_change", "cost_by_year",
    "cost_by_year, strategy", "moves", "waits", "waits, strategy",
]  # fmt: skip


@pytest.mark.parametrize("name", EVERY)
def test_a_figure_names_its_period_and_describes_itself(name: str) -> None:
    fig = drawn()[name]
    assert PERIOD in fig.layout.title.text
    assert PERIOD in fig.layout.meta["alt"]
    assert fig.layout.meta["title"] == fig.layout.title.text.replace("<br>", " ")


@pytest.mark.parametrize("name", EVERY)
def test_a_phone_and_paper_get_panels_that_do_not_overlap(name: str) -> None:
    fig = drawn()[name]
    for layout in ("narrow", "middle"):
        changes = fig.layout.meta[layout]
        keys = sorted(key.removesuffix(".domain") for key in changes if key.endswith(".domain"))
        boxes = [(changes[f"x{key[1:]}.domain"], changes[f"{key}.domain"]) for key in keys if key.startswith("y")]
        assert boxes
        for k, (x, y) in enumerate(boxes):
            assert 0 <= x[0] < x[1] <= 1
            assert 0 <= y[0] < y[1] <= 1 + 1e-9
            for other_x, other_y in boxes[:k]:
                assert (
                    x[1] <= other_x[0] or other_x[1] <= x[0] or y[1] <= other_y[0] + 1e-9 or other_y[1] <= y[0] + 1e-9
                )


@pytest.mark.parametrize("name", EVERY)
def test_every_panel_says_what_it_shows_and_in_which_unit(name: str) -> None:
    fig = drawn()[name]
    if name == "moves":
        assert {a.text for a in fig.layout.annotations} == {"<b>Tier before the move</b>", "<b>Tier after the move</b>"}
        return
    headings = [a.text for a in fig.layout.annotations if a.text.startswith("<b>") and "<br>" in a.text]
    panels = [key for key in fig.layout if key.startswith("xaxis") and fig.layout[key].domain is not None]
    assert len(headings) == len(panels)
    assert all(any(unit in heading for unit in ("people", "£", "days")) for heading in headings)


def test_text_of_a_model_cannot_become_markup() -> None:
    titles = {"early": "<b>x</b><a href='javascript:alert(1)'>", "telecare": "y", "tariff": "z"}
    differences = given().differences
    assert differences is not None
    fig = figures.comparison_figure(differences, titles, PERIOD)
    texts = json.dumps(
        [fig.layout[key].ticktext for key in fig.layout if key.startswith("yaxis")]
        + [list(fig.layout.meta["narrow"].values())]
    )
    assert "<a" not in texts
    assert "&lt;b&gt;x" in texts


# What is drawn is what the frames hold.


def test_the_comparison_draws_the_means_and_both_intervals() -> None:
    rows = given().differences
    assert rows is not None
    row = rows.filter((pl.col("strategy") == "early") & (pl.col("measure") == "cost_council")).row(0, named=True)
    first_panel = [
        trace for trace in drawn()["comparison"].data if trace.xaxis == "x" and trace.y is not None and trace.y[0] == 0
    ]
    xs = [tuple(trace.x) for trace in first_panel]
    assert (row["difference"],) in xs
    assert (row["low"], row["high"]) in xs
    assert (row["spread_low"], row["spread_high"]) in xs


def test_the_verdict_is_better_only_when_the_whole_interval_is() -> None:
    assert figures.verdict("cost_pv", wording.Estimate(-3.0, -5.0, -1.0)) == "better"
    assert figures.verdict("cost_pv", wording.Estimate(-3.0, -7.0, 1.0)) == "unclear"
    assert figures.verdict("cost_pv", wording.Estimate(3.0, 1.0, 5.0)) == "worse"
    assert figures.verdict("independent_days", wording.Estimate(3.0, 1.0, 5.0)) == "better"
    assert figures.verdict("person_days", wording.Estimate(3.0, 1.0, 5.0)) == "changed"
    assert figures.verdict("cost_pv", wording.Estimate(3.0, None, None)) == "unclear"


def test_caseload_draws_the_mean_of_each_month() -> None:
    fig = drawn()["caseload"]
    lines = [trace for trace in fig.data if trace.name == "Baseline, average"]
    assert len(lines) == len(TIERS)
    rows = naive("caseload", strategy="baseline", stage="0-11", tier="community", month="2013-04")
    expected = rows["value"].sum() / REPLICATIONS
    second = next(trace for trace in lines if trace.xaxis == "x2")
    assert second.y[0] == pytest.approx(expected)
    assert len(second.y) == 60


def test_a_strategy_is_drawn_over_the_baseline() -> None:
    names = {trace.name for trace in drawn()["caseload, strategy"].data}
    assert {"Baseline, average", "Strategy, average", "Nine in ten replications"} <= names


def test_caseload_starts_its_scale_at_zero_and_holds_all_it_draws() -> None:
    fig = drawn()["caseload, strategy"]
    for trace in fig.data:
        low, high = fig.layout["yaxis" + (trace.yaxis or "y")[1:]].range
        assert low == 0
        assert high >= max(trace.y)


def test_cost_of_all_stages_holds_spending_without_a_stage() -> None:
    total = summaries.cost_by_year(given().measures, "telecare", "cost").filter(pl.col("financial_year") == "2013/14")
    everything = total.filter(pl.col("stage").is_null())["mean"].item()
    staged = total.filter(pl.col("stage").is_not_null())["mean"].sum()
    assert set(total["stage"].drop_nulls()) == set(STAGES)
    assert everything - staged == pytest.approx(250_000 * 1.02)


def test_whiskers_reach_from_the_5th_to_the_95th_percentile() -> None:
    runs = naive("cost_council", strategy="baseline").filter(
        pl.col("month").is_between(pl.lit("2013-04"), pl.lit("2014-03"))
    )
    totals = runs.group_by("replication").agg(pl.col("value").sum())["value"].to_numpy()
    bar = drawn()["cost_by_year"].data[0]
    assert bar.y[0] == pytest.approx(totals.mean())
    assert bar.y[0] + bar.error_y.array[0] == pytest.approx(np.quantile(totals, 0.95))
    assert bar.y[0] - bar.error_y.arrayminus[0] == pytest.approx(np.quantile(totals, 0.05))


def test_the_change_in_cost_is_paired() -> None:
    frame = summaries.cost_change_by_year(given().measures, "early", "cost")
    by = (
        naive("cost")
        .pipe(summaries.with_year)
        .group_by("strategy", "replication", "financial_year")
        .agg(pl.col("value").sum())
    )
    wide = by.filter(pl.col("financial_year") == "2017/18").pivot(on="strategy", index="replication", values="value")
    paired = (wide["early"] - wide["baseline"]).to_numpy()
    last = frame.filter(pl.col("financial_year") == "2017/18").row(0, named=True)
    assert last["mean"] == pytest.approx(paired.mean())
    half = 2.0686576 * paired.std(ddof=1) / np.sqrt(REPLICATIONS)  # Student's t, 23 degrees of freedom
    assert last["high"] - last["mean"] == pytest.approx(half, rel=1e-6)
    assert (
        last["high"] - last["low"]
        < naive("cost", strategy="early").group_by("replication").agg(pl.col("value").sum())["value"].std()
    )


def test_moves_are_averages_a_year() -> None:
    fig = drawn()["moves"]
    link, labels = fig.data[0].link, fig.data[0].node.label
    flows = given().flows.filter(
        (pl.col("strategy") == "baseline") & (pl.col("from_tier") == "community") & (pl.col("to_tier") == "enhanced")
    )
    expected = flows["moves"].sum() / REPLICATIONS / 5
    pairs = {
        (labels[a].rpartition(" ")[0], labels[b].rpartition(" ")[0]): v
        for a, b, v in zip(link.source, link.target, link.value, strict=True)
    }
    assert pairs["Community", "Enhanced"] == pytest.approx(expected)
    assert pairs["Community", "Died or moved away"] > 0
    assert all(a < b for a, b in zip(link.source, link.target, strict=True))


def test_the_way_of_a_move() -> None:
    from simcare.report.figures.sankey import way

    model = sample_model()
    ways = [
        ("community", "enhanced"),
        ("enhanced", "independent"),
        ("independent", "community"),
        ("independent", "step_up"),
        ("step_up", "independent"),
    ]
    assert [way(a, b, model) for a, b in ways] == ["up", "down", "into", "short", "down"]
    assert way("step_up", "community", model) == "from_short"
    assert way("independent", "gone", model) == "gone"


def test_rounding_error_is_no_difference() -> None:
    runs = pl.DataFrame({"replication": [0]}, schema={"replication": pl.Int32})
    parts = [0.1] * 10 + [-1.0]
    frame = pl.DataFrame({"stage": "a", "replication": 0, "value": parts}, schema_overrides={"replication": pl.Int32})
    assert frame["value"].cum_sum()[-1] != 0
    assert summaries.cell_sums(frame, ["stage"], runs)["value"].item() == 0.0
    assert wording.Estimate.of(1e-4, -1e-4, 2e-4, beside=1e9).verdict == "none"
    assert wording.Estimate.of(1.0, 0.5, 2.0, beside=1e9).verdict == "higher"


def test_before_a_strategy_starts_nothing_differs() -> None:
    frame = summaries.caseload_change_by_month(given().measures, "tariff").filter(pl.col("month") <= "2013-10")
    assert frame.height
    assert set(frame["mean"]) == set(frame["low"]) == set(frame["high"]) == {0.0}


# Zeros, single replications, nobody.


def test_a_cell_that_a_replication_lacks_counts_as_zero() -> None:
    runs = pl.DataFrame({"replication": [0, 1]}, schema={"replication": pl.Int32})
    frame = pl.DataFrame(
        {"stage": ["a"], "replication": [0], "value": [10.0]}, schema_overrides={"replication": pl.Int32}
    )
    found = summaries.over_replications(summaries.cell_sums(frame, ["stage"], runs), ["stage"]).row(0, named=True)
    assert found == {"stage": "a", "mean": 5.0, "low": 0.0, "high": 10.0, "demand_low": None, "demand_high": None}


def test_one_replication_draws_no_interval() -> None:
    one = Frames(sample_run(1))
    frame = one.caseload("baseline")
    assert frame["low"].null_count() == frame.height
    fig = figures.caseload_figure(frame, one.setting, "0-11")
    assert all(trace.fill is None for trace in fig.data)
    bars = figures.cost_figure(one.costs("baseline"), one.setting).data[0]
    assert set(bars.error_y.array) == {0.0}


def test_a_stage_with_nobody_in_care_is_refused() -> None:
    run = sample_run(2)
    frames = Frames(replace(run, measures=run.measures.filter(pl.col("stage") != "11-24")))
    with pytest.raises(ValueError, match="11-24"):
        figures.caseload_figure(frames.caseload("baseline"), frames.setting, "11-24")


def test_years_are_weighted_by_the_days_of_their_months() -> None:
    rows = sample_measures(1, 1, ("baseline",)).filter(
        (pl.col("measure") == "caseload") & (pl.col("tier") == "community") & (pl.col("stage") == "0-11")
    )
    days = {
        "04": 30,
        "05": 31,
        "06": 30,
        "07": 31,
        "08": 31,
        "09": 30,
        "10": 31,
        "11": 30,
        "12": 31,
        "01": 31,
        "02": 28,
        "03": 31,
    }
    expected = sum(days[month[5:]] * value for month, value in rows.select("month", "value").iter_rows()) / 365
    found = summaries.caseload_by_year(rows, "baseline", covered_days(dt.date(2013, 4, 1), 365))
    assert found["mean"].item() == pytest.approx(expected)
    assert found["financial_year"].item() == "2013/14"


def test_moves_within_a_tier_are_left_out() -> None:
    rows = sample_flows(1, 1, ("baseline",)).head(1)
    inside = rows.with_columns(pl.lit("community").alias("from_tier"), pl.lit("community").alias("to_tier"))
    runs = pl.DataFrame({"replication": [0]}, schema={"replication": pl.Int32})
    assert summaries.moves_per_year(pl.concat([rows, inside]), "baseline", runs, 1).height == 1


# Ticks.


@pytest.mark.parametrize(("low", "high"), [(0, 7), (-3.1e6, 0.4e6), (0, 1.2e9), (-0.02, 0.03), (0, 0)])
def test_ticks_cover_the_range_evenly_and_read_alike(low: float, high: float) -> None:
    found = theme.ticks(low, high, wording.POUNDS, 4, signed=True)
    values = found["tickvals"]
    assert values[0] <= low
    assert values[-1] >= high
    assert np.allclose(np.diff(values), values[1] - values[0])
    assert len(set(found["ticktext"])) == len(values) <= 7
    assert 0 in found["tickvals"] or low > 0


@pytest.mark.parametrize("parts", [(), ("demand",), ("demand", "parameter")])
def test_the_legend_of_a_comparison_has_room_on_a_phone(parts: tuple[str, ...]) -> None:
    """A line for each of its entries, above the first panel's heading."""
    c = sample_comparison()
    assert c.differences is not None
    known = {f"{part}_{end}": pl.col(f"spread_{end}") for part in parts for end in ("low", "high")}
    none = {f"{part}_{end}": None for part in ("demand", "parameter") for end in ("low", "high")}
    rows = c.differences.with_columns(**{name: pl.lit(None, pl.Float64) for name in none}).with_columns(**known)
    fig = figures.comparison_figure(rows, c.titles, PERIOD)
    entries = {trace.name for trace in fig.data if trace.showlegend is not False}
    most = 5 + len(parts)  # three verdicts, the interval, the spread, and its parts
    assert most - 1 <= len(entries) <= most
    assert fig.layout.meta["narrow"]["margin.t"] >= theme.legend_px(most, 1)
    assert fig.layout.legend.tracegroupgap == 0, "legend_px counts the lines only"
