"""Waiting and the limits of capacity: every number in the figure, the table and the report against one worked out the
plain way."""

from __future__ import annotations

import calendar
import json
from collections import defaultdict
from dataclasses import replace
from functools import cache

import numpy as np
import plotly.graph_objects as go
import polars as pl
import pytest

from simcare.measures.catalogue import BY_NAME, CATALOGUE, QUEUE_CLASSES, names_from
from simcare.report import figures, limit_frames, tables, wording
from simcare.report.exhibit import Table
from simcare.report.frames import Frames, beside_baseline
from simcare.report.report_input import ReportInput
from simcare.report.run_page import html
from simcare.report.wording import Estimate
from simcare.rules.codes import WAITING_CLASSES
from simcare.units import first_year, month_start, parsed_month, year_name
from tests.support.html_page import Page
from tests.support.report_sample import (
    CLASSES,
    REPLICATIONS,
    STAGES,
    months,
    sample_comparison,
    sample_limited,
    sample_limits,
    sample_run,
)

PEOPLE = {"Waiting for a place": "queue_days", "Delayed discharge": "delayed_days", "In spot purchases": "spot_days"}
QUEUES = {
    "Crisis": "crisis",
    "Leaving hospital": "hospital",
    "Community": "community",
    "Planned move": "planned",
    "Lost their place to a cut": "displaced",
}
QUARTERS = [f"{2013 + (3 + 3 * k) // 12}-{(3 + 3 * k) % 12 + 1:02d}" for k in range(20)]


pytestmark = pytest.mark.xdist_group("waits")  # what is carried out once is shared


@cache
def given() -> ReportInput:
    return sample_limited()


@cache
def drawn(strategy: str = "baseline") -> go.Figure:
    return figure_of(given(), strategy)


@cache
def page() -> Page:
    return Page(html(given()))


def figure_of(report: ReportInput, strategy: str = "baseline") -> go.Figure:
    """The figure of a strategy of a report."""
    frames = Frames(report)
    return figures.waits_figure(beside_baseline(frames.limits, strategy), frames.setting, strategy)


def table_of(report: ReportInput, strategy: str = "baseline") -> Table:
    """The table of a strategy of a report."""
    frames = Frames(report)
    return tables.waits_table(frames.limits(strategy), frames.setting, strategy)


def without(frame: pl.DataFrame, *measures: str) -> pl.DataFrame:
    return frame.filter(~pl.col("measure").is_in(measures))


def only(*measures: str) -> ReportInput:
    """The sample with no measure of the limits but these."""
    return replace(given(), measures=without(given().measures, *(set(limit_frames.LIMITS) - set(measures))))


def small(*measures: str) -> ReportInput:
    """A run of two years with no measure of the limits but these."""
    limits = sample_limits(2, 2, ("baseline",)).filter(pl.col("measure").is_in(measures))
    return replace(run := sample_run(2), measures=pl.concat([run.measures, limits]))


def headings(fig: go.Figure) -> list[str]:
    return [a.text.partition("</b>")[0].removeprefix("<b>") for a in fig.layout.annotations]


def traces(fig: go.Figure, heading: str, name: str) -> list[go.Scatter]:
    k = headings(fig).index(heading)
    return [trace for trace in fig.data if trace.name == name and trace.xaxis == ("x" if k == 0 else f"x{k + 1}")]


def period_of(month: str, by: str) -> str:
    if by == "year":
        return year_name(first_year(month_start(parsed_month(month))))
    return f"{month[:5]}{(int(month[5:]) - 1) // 3 * 3 + 1:02d}" if by == "quarter" else month


def added(measure: str, by: str, strategy: str, stage: str | None = None) -> dict[str, list[float]]:
    """A measure summed by period, one number for each replication."""
    found: dict[str, list[float]] = {period_of(month, by): [0.0] * REPLICATIONS for month in months()}
    rows = given().measures.filter((pl.col("measure") == measure) & (pl.col("strategy") == strategy))
    for r, month, where, value in rows.select("replication", "month", "stage", "value").iter_rows():
        if stage in (None, where):
            found[period_of(month, by)][r] += value
    return found


def people(measure: str, by: str, strategy: str = "baseline", stage: str | None = None) -> dict[str, list[float]]:
    """Person-days by the days there are in the period."""
    lengths: dict[str, int] = defaultdict(int)
    for month in months():
        lengths[period_of(month, by)] += calendar.monthrange(int(month[:4]), int(month[5:]))[1]
    return {
        period: [value / lengths[period] for value in values]
        for period, values in added(measure, by, strategy, stage).items()
    }


def waited(queue: str, by: str, strategy: str = "baseline") -> dict[str, tuple[float, list[float]]]:
    """Days waited by the number placed: of all replications together, and of each in which anybody was placed."""
    placed, days = added(f"placed_{queue}", by, strategy), added(f"waited_days_{queue}", by, strategy)
    each = {period: [d / n for d, n in zip(days[period], placed[period], strict=True) if n] for period in placed}
    return {period: (sum(days[period]) / sum(placed[period]), each[period]) for period in placed if sum(placed[period])}


def text(mean: float, runs: list[float]) -> str:
    """How the table shows a mean and its range."""
    low, high = (float(np.quantile(runs, q)) for q in (0.05, 0.95))
    value, *ends = wording.rounded_alike(Estimate(mean, low, high), wording.COUNT, signed=False)
    return value if low == high else f"{value} ({' to '.join(ends)})"


# The names.


def test_every_measure_of_the_limits_has_its_words_and_every_class_its_place() -> None:
    assert tuple(QUEUE_CLASSES) == WAITING_CLASSES
    assert set(limit_frames.LIMITS) <= {*names_from("days"), *names_from("events")}
    for name in limit_frames.LIMITS:
        about = BY_NAME[name]
        assert about.label != wording.title(name)
        assert about.meaning
        assert about.unit == ("days" if "_days" in name else "events")
    assert len({measure.label for measure in CATALOGUE}) == len(CATALOGUE)


# The figure.


@pytest.mark.parametrize("strategy", ["baseline", "early"])
@pytest.mark.parametrize("heading", PEOPLE)
def test_people_are_person_days_by_the_days_of_the_month(heading: str, strategy: str) -> None:
    expected = people(PEOPLE[heading], "month", strategy)
    (line,) = traces(drawn(strategy), heading, "Baseline, average" if strategy == "baseline" else "Strategy, average")
    assert list(line.y) == pytest.approx([np.mean(expected[month]) for month in months()])
    assert [f"{day:%Y-%m}" for day in line.x] == months()
    (band,) = traces(drawn(strategy), heading, "Nine in ten replications")
    assert list(band.y[:60]) == pytest.approx([np.quantile(expected[month], 0.95) for month in months()])
    assert list(band.y[60:]) == pytest.approx([np.quantile(expected[month], 0.05) for month in reversed(months())])


@pytest.mark.parametrize("strategy", ["baseline", "tariff"])
@pytest.mark.parametrize("heading", QUEUES)
def test_a_mean_wait_is_the_days_waited_by_the_number_placed_in_the_quarter(heading: str, strategy: str) -> None:
    expected = waited(QUEUES[heading], "quarter", strategy)
    (line,) = traces(drawn(strategy), heading, "Baseline, average" if strategy == "baseline" else "Strategy, average")
    assert list(line.y) == pytest.approx([expected[quarter][0] for quarter in QUARTERS])
    (band,) = traces(drawn(strategy), heading, "Nine in ten replications")
    assert list(band.y[:20]) == pytest.approx([np.quantile(expected[quarter][1], 0.95) for quarter in QUARTERS])
    assert list(band.y[20:]) == pytest.approx(
        [np.quantile(expected[quarter][1], 0.05) for quarter in reversed(QUARTERS)]
    )


def test_the_baseline_is_dotted_under_a_strategy() -> None:
    for heading in (*PEOPLE, *QUEUES):
        (before,) = traces(drawn("early"), heading, "Baseline, average")
        (alone,) = traces(drawn(), heading, "Baseline, average")
        assert before.line.dash == "dot"
        assert list(before.y) == list(alone.y)


def test_the_legend_names_each_line_once() -> None:
    named = [trace.name for trace in drawn("early").data if trace.showlegend]
    assert sorted(named) == ["Baseline, average", "Nine in ten replications", "Strategy, average"]


def test_each_scale_starts_at_zero_and_holds_all_that_is_drawn() -> None:
    for trace in drawn("early").data:
        low, high = drawn("early").layout["yaxis" + (trace.yaxis or "y")[1:]].range
        assert low == 0
        assert high >= max(y for y in trace.y if y is not None)


def test_people_and_waits_have_rows_of_their_own() -> None:
    fig = drawn()
    assert headings(fig) == [*PEOPLE, *QUEUES]
    for changes in (fig.layout.meta["narrow"], fig.layout.meta["middle"]):
        tops = [changes[f"yaxis{'' if k == 0 else k + 1}.domain"][1] for k in range(8)]
        assert max(tops[3:]) < min(tops[:3])
        assert changes["xaxis4.domain"][0] == 0


def test_a_panel_without_data_is_left_out() -> None:
    some = figure_of(only("queue_days", "placed_crisis", "waited_days_crisis"))
    assert headings(some) == ["Waiting for a place", "Crisis"]
    held = figure_of(only("delayed_days", "hospital_days"))
    assert headings(held) == ["Delayed discharge"]
    assert held.layout.meta["title"] == "People delayed in hospital, 2013/14 to 2017/18: Baseline"
    waits = figure_of(only("placed_planned", "waited_days_planned"))
    assert waits.layout.meta["title"] == "Mean waits for a place, 2013/14 to 2017/18: Baseline"


def test_a_panel_that_only_the_baseline_fills_shows_the_strategy_at_zero() -> None:
    cured = given().measures.filter((pl.col("strategy") != "early") | ~pl.col("measure").is_in(limit_frames.LIMITS))
    fig = figure_of(replace(given(), measures=cured), "early")
    assert headings(fig) == [*PEOPLE, *QUEUES]
    assert set(traces(fig, "Waiting for a place", "Strategy, average")[0].y) == {0.0}
    assert set(traces(fig, "Crisis", "Strategy, average")[0].y) == {None}
    assert "Crisis (mean wait, days), nobody got a place" in fig.layout.meta["alt"]


@pytest.mark.parametrize("measures", [(), ("hospital_days", "admissions", "supported_transitions")])
def test_where_nothing_runs_out_there_is_no_figure(measures: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="nobody waits for a place"):
        figure_of(only(*measures))


def test_a_month_without_anybody_is_zero_and_a_quarter_without_anybody_placed_is_a_gap() -> None:
    months_of_winter = pl.col("month").is_between(pl.lit("2014-10"), pl.lit("2014-12"))
    winter = months_of_winter & pl.col("measure").is_in(limit_frames.LIMITS)
    fig = figure_of(replace(given(), measures=given().measures.filter(~winter)))
    people_line, wait = (
        traces(fig, heading, "Baseline, average")[0] for heading in ("Waiting for a place", "Community")
    )
    assert [k for k, y in enumerate(people_line.y) if y == 0] == [18, 19, 20]
    assert [k for k, y in enumerate(wait.y) if y is None] == [6]
    bands = traces(fig, "Community", "Nine in ten replications")
    assert [len(band.x) for band in bands] == [12, 26]


def test_one_replication_has_no_band() -> None:
    one = sample_run(1)
    fig = figure_of(replace(one, measures=pl.concat([one.measures, sample_limits(2, 1, ("baseline",))])))
    assert headings(fig)[0] == "Waiting for a place"
    assert all(trace.fill is None for trace in fig.data)


def test_the_description_says_who_waits() -> None:
    ends = {
        stage: np.mean(people("queue_days", "year", stage=stage)["2017/18"])
        for stage in ("working age", "older people")
    }
    said = " and ".join(f"{stage} {wording.quantity(mean)}" for stage, mean in ends.items())
    assert drawn().layout.meta["alt"].endswith(f"People waiting for a place in 2017/18: {said}.")


# The table.


@pytest.mark.parametrize("strategy", ["baseline", "early"])
def test_every_number_of_the_table_is_that_of_the_measures(strategy: str) -> None:
    table = table_of(given(), strategy)
    years = ["2013/14", "2014/15", "2015/16", "2016/17", "2017/18"]
    expected: dict[tuple[str, str], list[str]] = {}
    for measure, what in limit_frames.STANDING.items():
        for stage in (None, *STAGES):
            runs = people(measure, "year", strategy, stage)
            row = ("People, average", what if stage is None else f"{what}: {stage}")
            if np.sum(list(runs.values())) and (
                stage is None or measure == "queue_days"
            ):  # all others are of older people alone
                expected[row] = [text(float(np.mean(runs[year])), runs[year]) for year in years]
    for heading, queue in QUEUES.items():
        expected["Mean wait, days", heading] = [text(*waited(queue, "year", strategy)[year]) for year in years]
    for measure in limit_frames.TIMES:
        runs = added(measure, "year", strategy)
        if np.sum(list(runs.values())):
            expected["Number a year", BY_NAME[measure].label] = [
                text(float(np.mean(runs[year])), runs[year]) for year in years
            ]
    assert table.head == ("Counted as", "What", *years)
    assert {row[:2]: list(row[2:]) for row in table.rows} == expected
    assert len(table.rows) == len(expected)
    assert ("Number a year", "Lost their place to a cut") not in expected


def test_a_year_in_which_nobody_of_a_class_got_a_place_has_a_dash() -> None:
    first = pl.col("month").is_between(pl.lit("2013-04"), pl.lit("2014-03")) & (pl.col("measure") == "placed_planned")
    rows = {row[1]: row for row in table_of(replace(given(), measures=given().measures.filter(~first))).rows}
    assert rows["Planned move"][2] == "–"
    assert "–" not in rows["Planned move"][3:]
    assert rows["Placed from the queue: planned move"][2] == "0"


# The report.


def test_a_report_without_limits_says_nothing_of_them() -> None:
    plain = html(small())
    assert "places" not in {a["id"] for a in Page(plain).of("section")}
    assert "#places" not in plain
    assert (
        html(small("hospital_days", "admissions", "supported_transitions", "queued")) == plain
    )  # nobody waits, has a delayed discharge or is in a spot-purchased place


def test_the_comparison_has_measures_of_places_only_where_they_run_out() -> None:
    rows = sample_comparison().differences
    assert rows is not None
    more = rows.filter(pl.col("measure") == "crises").with_columns(pl.lit("queue_days").alias("measure"))
    for least, shown in ((0.0, 0), (5.0, 3)):
        given = pl.concat(
            [rows.filter(pl.col("measure") != "queue_days"), more.with_columns(pl.lit(least).alias("baseline_mean"))]
        )
        table = tables.comparison_table(given, {"early": "E", "telecare": "T", "tariff": "F"}, "2013/14")
        assert [row[1] for row in table.rows].count("Days waiting for a place") == shown


def test_each_view_has_its_figure_of_waits_and_its_table() -> None:
    sections = [a["id"] for a in page().of("section")]
    assert sections.index("places") == sections.index("people") + 1
    assert "#places" in [a["href"] for a in page().of("a")]
    for strategy, name in (("baseline", "Baseline"), ("early", given().titles["early"])):
        table = table_of(given(), strategy)
        for cell in [table.caption, *(cell for row in table.rows for cell in row)]:
            assert cell in page().text
        fig = figure_of(given(), strategy)
        assert fig.layout.meta["title"].endswith(f", 2013/14 to 2017/18: {name}")
        (data,) = [
            d for d in map(json.loads, page().data.values()) if d["layout"]["meta"]["title"] == fig.layout.meta["title"]
        ]
        assert [trace.get("name") for trace in data["data"]] == [trace.name for trace in fig.data]
        assert data["layout"]["meta"]["alt"] == fig.layout.meta["alt"]


def test_the_note_says_over_what_a_mean_is() -> None:
    assert page().text.count("divided by their number") == 4
    assert "5th to 95th percentile of 24 replications" in page().text
    alone = Page(html(small("delayed_days")))
    assert "People delayed in hospital, 2013/14 to 2014/15: Baseline" in alone.text
    assert "divided by their number" not in alone.text


def test_a_view_in_which_nothing_runs_out_says_so() -> None:
    strategy = given().measures.filter((pl.col("strategy") == "early") | ~pl.col("measure").is_in(limit_frames.LIMITS))
    found = Page(html(replace(given(), measures=strategy)))
    for name in ("Baseline", "Telecare for older people"):
        said = f"{name}: nobody waits for a place, has a delayed discharge or is in a spot-purchased place."
        assert said in found.text
    assert "Early help for families: nobody waits" not in found.text
    assert "and mean waits, 2013/14 to 2017/18: Early help for families" in found.text


def test_whether_anything_runs_out() -> None:
    assert limit_frames.limited(given().measures, "tariff")
    assert not limit_frames.limited(only().measures, "tariff")
    assert all(limit_frames.limited(only(f"placed_{name}").measures, "baseline") for name in CLASSES)
