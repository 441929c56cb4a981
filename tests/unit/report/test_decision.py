"""The first screen of a comparison: the words for signs, every sentence against what was put into a made-up sample, and
every figure against its table and file."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import plotly.graph_objects as go
import polars as pl
import pytest

from simcare.decide.answers import Answers
from simcare.decide.comparison import Comparison, differences, totals
from simcare.money.provider_accounts import NO_MARKET
from simcare.report import choices, decision, hinges, theme, wording, worth
from simcare.report.decision_words import KINDS, avoided, in_futures, percent, saved, target_words
from simcare.report.exhibit import Exhibit, write_exhibit
from simcare.report.figures.causes import tornado_figure
from simcare.report.figures.plane import ellipse, plane_figure
from simcare.report.folders import read_folder, write_comparison
from simcare.report.frames import Frames
from simcare.report.page import Section, exhibits_of
from simcare.report.report_input import ReportInput
from simcare.report.run_page import html, run_sections
from tests.support.answers_sample import FUTURES, TITLES, alone, answered_comparison, with_target
from tests.support.html_page import Page
from tests.support.report_sample import manifest, sample_comparison, sample_flows, sample_measures, sample_run

pytestmark = pytest.mark.xdist_group("decision")  # what is worked out once is shared

PERIOD = "2013/14 to 2017/18"
EARLY, TELECARE, TARIFF = (
    "Early help for families",
    "Telecare for older people",
    "Tiered tariff that rewards stepping down",
)
FUTURE = re.compile(r"(\d+)% of simulated futures")


@cache
def given() -> ReportInput:
    return answered_comparison()


@cache
def one() -> ReportInput:
    return alone(answered_comparison(), "telecare")


@cache
def still() -> ReportInput:
    """Nothing depends on any cause."""
    return answered_comparison(moved=False)


@cache
def section(of: Any = given) -> Section:
    found = decision.decision_section(Frames(of()))
    assert found is not None
    return found


def exhibits(of: Any = given) -> dict[str, Exhibit]:
    return {shown.name: shown for shown in exhibits_of([section(of)])}


def answers(of: ReportInput) -> Answers:
    assert of.answers is not None
    return of.answers


def traces(figure: go.Figure | None, name: str) -> list[Any]:
    assert figure is not None
    return [trace for trace in figure.data if trace.name == name]


def paired(strategy: str, measure: str) -> list[float]:
    """Differences replication by replication, the plain way."""
    found = given().totals
    assert found is not None
    each = {(row["strategy"], row["replication"]): row[measure] for row in found.iter_rows(named=True)}
    return [each[strategy, r] - each["baseline", r] for r in range(FUTURES)]


# Words.


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ((-9.1e6, -19.0e6, 2.0e6), "saves £9.1m (costs £2.0m to saves £19.0m)"),
        ((9.1e6, -2.0e6, 19.0e6), "costs £9.1m (costs £19.0m to saves £2.0m)"),
        ((9.1e6, 2.0e6, 19.0e6), "costs £9.1m (£2.0m to £19.0m)"),
        ((-9.1e6, -19.0e6, -2.0e6), "saves £9.1m (£2.0m to £19.0m)"),
        ((-9.1e6, -19.0e6, 0.0), "saves £9.1m (no change to saves £19.0m)"),
        ((0.0, 0.0, 0.0), "no change"),
        ((-400.0, None, None), "saves £400"),
    ],
)
def test_a_change_of_money_in_words(change: tuple[float, float | None, float | None], said: str) -> None:
    assert saved(wording.Estimate(*change)) == said


def test_days_are_avoided_or_added() -> None:
    assert avoided(wording.Estimate(-4_160.0, -8_310.0, 52.0)) == "avoids 4,160 (adds 50 to avoids 8,310)"
    assert avoided(wording.Estimate(120.0, 10.0, 230.0), " days") == "adds 120 days (10 to 230)"


def test_chances_in_words() -> None:
    assert [percent(p) for p in (0.0, 0.001, 0.5, 0.999, 1.0)] == ["none", "under 1%", "50%", "over 99%", "all"]
    assert in_futures(0.0) == "in no simulated future"
    assert in_futures(0.76) == "in 76% of simulated futures"


# The section.


def test_it_is_the_first_of_the_page() -> None:
    page = Page(html(given()))
    assert [a["id"] for _, a in page.elements if a.get("id") in ("decision", "findings", "comparison")] == [
        "decision",
        "findings",
        "comparison",
    ]


def test_nothing_is_shown_of_a_run_or_of_few_replications() -> None:
    assert decision.decision_section(Frames(sample_run())) is None
    few = answered_comparison(24)
    assert decision.decision_section(Frames(few)) is None
    assert not any(isinstance(s, Section) and s.key == "decision" for s in run_sections(Frames(few)))


def test_every_exhibit_has_a_sentence_and_writes_its_frame(tmp_path: Path) -> None:
    shown = exhibits()
    assert list(shown) == [
        "what-each-does", "plane", "hangs-on-early", "hangs-on-telecare", "hangs-on-tariff", "spread", "worth-knowing",
        "acceptability", "front",
    ]  # fmt: skip
    for one_ in shown.values():
        assert one_.sentence.endswith(".")
        back = pl.read_csv(write_exhibit(one_, tmp_path), infer_schema_length=None)
        assert back.shape == one_.frame.shape
        assert back.columns == one_.frame.columns


def test_every_figure_keeps_to_the_house_style() -> None:
    drawn = {name: shown.figure for name, shown in exhibits().items() if shown.figure is not None}
    assert len(drawn) == 7
    for figure in drawn.values():
        meta = figure.layout.meta
        assert PERIOD in meta["title"]
        assert len(meta["alt"]) > 60
        assert meta["narrow"]["height"] > 0
        assert meta["middle"]["height"] > 0
        assert figure.layout.font.family == theme.FONT
        json.loads(figure.to_json())


# The decision table.


def test_the_table_has_what_the_replications_hold() -> None:
    frame = exhibits()["what-each-does"].frame
    for strategy in ("early", "telecare", "tariff"):
        cost, days = paired(strategy, "cost_council"), paired(strategy, "dependency_days")
        row = frame.row(by_predicate=pl.col("strategy") == strategy, named=True)
        assert row["saving"] == pytest.approx(-sum(cost) / FUTURES)
        assert row["saving_low"] < row["saving"] < row["saving_high"]
        assert row["chance_saves"] == pytest.approx(sum(x < 0 for x in cost) / FUTURES)
        assert row["chance_less_dependency"] == pytest.approx(sum(x < 0 for x in days) / FUTURES)
        both = sum(x < 0 and y < 0 for x, y in zip(cost, days, strict=True))
        assert row["chance_both"] == pytest.approx(both / FUTURES)


def test_the_table_says_what_it_holds_in_words() -> None:
    shown = exhibits()["what-each-does"]
    assert shown.table is not None
    head, rows = shown.table.head, shown.table.rows
    assert head[0], head[-1] == ("Strategy", "What its cost hangs on")
    assert "Chance that it meets the target" not in head
    assert [row[0] for row in rows] == [EARLY, TELECARE, TARIFF]
    assert re.fullmatch(r"saves £1\.\d+m \(costs £\d\.\d+m to saves £\d\.\d+m\)", rows[0][1])
    assert rows[1][1].startswith("costs £1.")
    assert rows[1][2].startswith("adds ")
    assert rows[0][4] == "all"
    assert rows[0][-1].split("; ")[0] == TITLES["price"]
    assert rows[1][-1] == TITLES["review"]
    assert rows[2][-1] == f"{TITLES['review']}; {TITLES['rise']}"


def test_what_hangs_on_nothing_hangs_on_chance_events() -> None:
    shown = exhibits(still)["what-each-does"]
    assert shown.table is not None
    assert {row[-1] for row in shown.table.rows} == {"chance events"}


def test_a_target_has_a_column_and_is_said() -> None:
    asked = with_target(given(), measure="cost_council", at_most=-1e6)
    shown = decision.decision_exhibit(asked, answers(asked), PERIOD)
    assert shown.table is not None
    place = shown.table.head.index("Chance that it meets the target")
    often = sum(x <= -1e6 for x in paired("early", "cost_council")) / FUTURES
    assert shown.table.rows[0][place] == f"{100 * often:.0f}%"
    assert asked.experiment is not None
    assert asked.experiment.target is not None
    assert target_words(asked.experiment.target) in shown.note
    assert "−£1.00m at most" in shown.note
    assert "target" not in exhibits()["what-each-does"].note


def test_the_first_sentence_names_the_best() -> None:
    said = exhibits()["what-each-does"].sentence
    assert said.startswith(f"On average “{EARLY}” saves the council most: it saves £1.")
    assert "It also avoids most dependency: it avoids" in said
    often = sum(x < 0 for x in paired("early", "cost_council")) / FUTURES
    assert FUTURE.findall(said)[0] == f"{100 * often:.0f}"


def test_the_first_sentence_where_one_saves_and_another_avoids() -> None:
    frame = exhibits()["what-each-does"].frame.with_columns(
        days_avoided=pl.when(pl.col("strategy") == "tariff").then(99_999.0).otherwise(pl.col("days_avoided"))
    )
    said = decision.decision_sentence(frame)
    assert f"“{TARIFF}” avoids most dependency: it avoids 99,999" in said or "it avoids 100,000" in said
    assert "with the first" in said
    assert "with the second." in said


def test_the_first_sentence_of_one_strategy_that_costs() -> None:
    said = exhibits(one)["what-each-does"].sentence
    assert said.startswith(f"On average “{TELECARE}” costs £1.")
    assert "most" not in said
    assert ". It adds " in said


def test_the_first_sentence_where_none_saves() -> None:
    frame = exhibits()["what-each-does"].frame.filter(pl.col("strategy") == "telecare")
    worse = frame.with_columns(title=pl.lit("Worse"), saving=pl.lit(-9e6), days_avoided=pl.lit(-9e5))
    said = decision.decision_sentence(pl.concat([frame, worse]))
    assert said.startswith(f"On average no strategy saves the council money, and “{TELECARE}” costs least: it costs")
    assert f"No strategy avoids dependency on average, and “{TELECARE}” adds least" in said


# The plane.


def test_the_plane_has_every_future() -> None:
    shown = exhibits()["plane"]
    assert shown.frame.height == 3 * FUTURES
    mine = shown.frame.filter(pl.col("strategy") == "early").sort("replication")
    assert mine["cost"].to_list() == pytest.approx(paired("early", "cost_council"))
    assert mine["days_avoided"].to_list() == pytest.approx([-x for x in paired("early", "dependency_days")])
    (cloud,) = traces(shown.figure, f"{EARLY}: futures")
    assert list(cloud.y) == mine["cost"].to_list()
    assert list(cloud.x) == mine["days_avoided"].to_list()


def test_the_planes_table_has_its_means_and_quadrants() -> None:
    shown = exhibits()["plane"]
    assert shown.table is not None
    for title, row in zip((EARLY, TELECARE, TARIFF), shown.table.rows, strict=True):
        (mean,) = traces(shown.figure, title)
        assert row[1] == wording.quantity(mean.y[0], wording.POUNDS, signed=True)
        assert row[2] == wording.quantity(mean.x[0], signed=True)
    cost, days = paired("tariff", "cost_council"), paired("tariff", "dependency_days")
    counts = [
        sum((c < 0) is cheap and (d < 0) is less for c, d in zip(cost, days, strict=True))
        for cheap in (True, False)
        for less in (True, False)
    ]
    assert list(shown.table.rows[2][3:7]) == [percent(n / FUTURES) for n in counts]


def test_what_a_day_avoided_costs_or_why_it_cannot_be_said() -> None:
    lines = exhibits()["plane"].sentence.splitlines()
    assert len(lines) == 3
    assert re.match(rf"A dependency-day avoided by “{EARLY}” saves £\d+ \(90% prediction interval: costs £", lines[0])
    assert lines[1].startswith(
        f"What a dependency-day avoided by “{TELECARE}” costs cannot be said: the 90% prediction"
    )
    assert re.search(r"zero: −[\d,]+ to [\d,]+\.$", lines[1])


def test_quadrants_are_named_and_many_strategies_have_panels_of_their_own() -> None:
    points = exhibits()["plane"].frame
    names = {f"s{k}": f"Strategy {k}" for k in range(5)}
    five = pl.concat([points.filter(pl.col("strategy") == "early").with_columns(strategy=pl.lit(n)) for n in names])
    together, apart = plane_figure(points, given().titles, PERIOD), plane_figure(five, names, PERIOD)
    said = [a.text.replace("<br>", " ") for a in together.layout.annotations]
    assert "costs less, less dependency" in said
    assert "costs more, more dependency" in said
    assert {trace.xaxis for trace in together.data} <= {"x", None}
    assert {trace.xaxis for trace in apart.data if trace.xaxis} == {"x", "x2", "x3", "x4", "x5"}
    ranges = {tuple(apart.layout[f"xaxis{'' if k == 0 else k + 1}"].range) for k in range(5)}
    assert len(ranges) == 1


def test_the_ellipse_holds_nine_in_ten() -> None:
    points = exhibits()["plane"].frame.filter(pl.col("strategy") == "tariff")
    x, y = points["days_avoided"].to_numpy(), points["cost"].to_numpy()
    around = ellipse(x, y)
    assert around is not None
    away = np.vstack(around) - np.array([[x.mean()], [y.mean()]])
    far = np.einsum("in,ij,jn->n", away, np.linalg.inv(np.cov(x, y)), away)
    assert far == pytest.approx(-2 * np.log(0.1), rel=1e-6)  # of a normal distribution in two directions
    assert ellipse(x, 2 * x) is None
    assert ellipse(x, 0 * x) is None


# What it hangs on.


def test_the_tornado_draws_the_clear_causes_as_its_table_has_them() -> None:
    shown = exhibits()["hangs-on-early"]
    assert shown.table is not None
    clear = shown.frame.filter(pl.col("above_noise"))
    assert clear["name"].to_list() == ["price", "early: effects[0]", "structure"]
    assert len(shown.table.rows) == shown.frame.height == len(TITLES) + 1
    low, high = (traces(shown.figure, name)[0] for name in ("mean_at_low", "mean_at_high"))
    for k, row in enumerate(clear.iter_rows(named=True)):
        cells = shown.table.rows[k]
        for trace, column, cell in ((low, "mean_at_low", cells[2]), (high, "mean_at_high", cells[4])):
            assert trace.base[k] + trace.x[k] == pytest.approx(row[column])
            assert cell == trace.customdata[k] == wording.quantity(row[column], wording.POUNDS, signed=True)


def test_causes_that_change_the_sign_are_marked_in_colour_mark_and_word() -> None:
    shown = exhibits()["hangs-on-early"]
    assert shown.table is not None
    assert [row[-1] for row in shown.table.rows] == ["changes the sign", "clear", "clear", *["within noise"] * 3]
    (high,) = traces(shown.figure, "mean_at_high")
    assert high.marker.color[0] == theme.VERMILION
    assert set(high.marker.color[1:]) == {theme.BLUE}
    assert shown.figure is not None
    assert [text.startswith("◆") for text in shown.figure.layout.yaxis.ticktext] == [True, False, False]
    (marks,) = traces(shown.figure, "Changes the sign")
    assert list(marks.y) == [0]
    assert marks.x[0] > 0 > exhibits()["what-each-does"].frame["saving"][0] * -1
    assert "So that alone changes the sign." in shown.sentence
    quiet = exhibits()["hangs-on-telecare"]
    assert list(traces(quiet.figure, "Changes the sign")[0].y) == []
    assert "No cause changes the sign alone." in quiet.sentence


def test_the_ends_of_causes_are_said_in_words() -> None:
    shown = exhibits()["hangs-on-early"]
    assert shown.table is not None
    each = {row[0]: row for row in shown.table.rows}
    assert {each[TITLES["structure"]][1], each[TITLES["structure"]][3]} == {"as in the file", "none"}
    effect = next(row for title, row in each.items() if title.startswith("How strongly it acts on rise"))
    assert (effect[1], effect[3]) == ("5th percentile", "95th percentile")
    price = each[TITLES["price"]]
    assert 0.4 < float(price[1]) < 0.75 < 1.3 < float(price[3]) < 2.3


def test_a_zero_that_is_far_off_is_left_out_of_the_tornado() -> None:
    rows = exhibits()["hangs-on-telecare"].frame.head(1)
    for mean, half, zero in ((5e6, 1e5, False), (5e6, 2e6, True), (-5e6, 1e5, False)):
        ends = rows.with_columns(mean_at_low=pl.lit(mean - half), mean_at_high=pl.lit(mean + half))
        figure = tornado_figure(ends, ["A"], mean, "S", PERIOD)
        low, high = figure.layout.xaxis.range
        assert (low <= 0 <= high) is zero
        assert low < mean - half < mean + half < high
        assert ("left of zero" in figure.layout.xaxis.title.text) is zero


def test_several_causes_that_change_the_sign() -> None:
    drawn = exhibits()["hangs-on-early"].frame.head(3).with_columns(changes_sign=pl.lit(True))
    said = hinges.hinge_sentence("X", -1e6, drawn, ["A", "B", "C"])
    assert said.endswith("So that alone changes the sign. “B” and “C” each change the sign as well.")
    last = drawn.with_columns(changes_sign=pl.Series([False, False, True]))
    assert hinges.hinge_sentence("X", -1e6, last, ["A", "B", "C"]).endswith("“C” changes the sign alone.")


def test_where_nothing_is_above_noise_there_is_no_figure_but_a_short_table() -> None:
    shown = exhibits(still)["hangs-on-early"]
    assert shown.figure is None
    assert shown.table is not None
    assert 0 < len(shown.table.rows) <= hinges.LISTED
    assert {row[-1] for row in shown.table.rows} == {"within noise"}
    assert shown.sentence.startswith(f"“{EARLY}” hangs on chance events")


def test_shares_add_up_and_are_drawn_as_the_table_has_them() -> None:
    shown = exhibits()["spread"]
    assert shown.table is not None
    sums = shown.frame.group_by("strategy", "measure").agg(pl.col("shown").sum())["shown"]
    assert sums.to_list() == pytest.approx([1.0] * 6)
    assert shown.frame["shown"].min() >= 0  # type: ignore[operator]
    for k, kind in enumerate(KINDS):
        bars = traces(shown.figure, KINDS[kind])
        drawn = [x for trace in bars for x in trace.x]
        assert [row[2 + k].partition("%")[0] for row in shown.table.rows] == [str(round(x)) for x in drawn]
    assert re.search(rf"“{EARLY}”, what is not known of the model \((8|9)\d%\)", shown.sentence)
    assert f"“{TELECARE}”, chance events (" in exhibits(still)["spread"].sentence


# What is worth finding out.


def test_the_value_of_knowing_is_drawn_and_said() -> None:
    shown = exhibits()["worth-knowing"]
    frame = shown.frame
    every = frame.row(by_predicate=pl.col("level") == "everything", named=True)
    assert wording.quantity(every["value"], wording.POUNDS) in shown.sentence
    (bars,) = traces(shown.figure, "value")
    drawn = worth.worth_knowing(frame)
    assert list(bars.x) == drawn["value"].to_list()
    assert drawn["name"].to_list()[:2] == ["price", "review"]
    assert "idle" not in drawn["name"].to_list()
    assert shown.table is not None
    cells = {row[0]: row[1] for row in shown.table.rows}
    assert cells[TITLES["price"]] == bars.customdata[0] == wording.quantity(drawn["value"][0], wording.POUNDS)
    said = worth.worth_sentences(given(), answers(given()))
    assert said[0] == (
        f"Knowing “{TITLES['price']}” before choosing is worth up to {cells[TITLES['price']]} for this decision."
    )


def test_nothing_is_worth_finding_out_where_the_choice_stands() -> None:
    shown = exhibits(still)["worth-knowing"]
    assert shown.figure is None
    assert worth.NOTHING in shown.sentence
    assert worth.worth_sentences(still(), answers(still())) == [f"{worth.NOTHING}."]


def test_no_cause_alone_may_be_worth_it() -> None:
    found = answers(given())
    level = pl.when(pl.col("level") == "cause").then(pl.lit(False)).otherwise(pl.col("above_noise"))
    none = replace(found, information=found.information.with_columns(above_noise=level))
    assert worth.worth_sentences(given(), none)[0].startswith("No cause alone is clearly worth finding out")
    assert worth.information_exhibit(given(), none, PERIOD).figure is None


# Which choice is best.


def test_acceptability_is_drawn_as_its_table_has_it() -> None:
    shown = exhibits()["acceptability"]
    assert shown.table is not None
    names = ["Baseline", EARLY, TELECARE, TARIFF]
    assert shown.table.head[1:-1] == tuple(names)
    for k, name in enumerate(names):
        line = next(t for t in traces(shown.figure, name) if t.mode == "lines+markers")
        assert [row[1 + k] for row in shown.table.rows] == [percent(y / 100) for y in line.y]
    assert shown.sentence.startswith("Whatever a dependency-day avoided is worth, from £0 to £200, “Early help")


def test_the_best_choice_may_turn_with_the_price() -> None:
    rows = [
        (price, name, 0.0, chance, 0.0, best)
        for price, best_name in ((0.0, "baseline"), (10.0, "baseline"), (20.0, "a"), (50.0, "b"))
        for name, chance in (("baseline", 0.5), ("a", 0.3), ("b", 0.2))
        for best in (name == best_name,)
    ]
    frame = pl.DataFrame(rows, answers(given()).acceptability.schema, orient="row")
    said = choices.best_sentence(frame, {"baseline": "Baseline", "a": "A", "b": "B"})
    assert said == (
        "By cost alone the baseline is the best choice on average, and the best in 50% of simulated futures; from £20 a"
        " day on it is “A” and from £50 a day on it is “B” (prices tried: £0 to £50)."
    )


def test_the_front_has_the_probabilities_of_its_frame() -> None:
    shown = exhibits()["front"]
    assert shown.table is not None
    for cells, row in zip(shown.table.rows, shown.frame.iter_rows(named=True), strict=True):
        assert cells[3:] == (percent(row["chance_on_front"]), percent(row["chance_best_at_some_price"]))
    assert f"the baseline {in_futures(shown.frame['chance_on_front'][0])}" in shown.sentence


# The terminal, and a folder read again.


def test_the_terminal_has_the_same_words_under_short_titles() -> None:
    table, said = decision.brief_decision(given())
    shown = exhibits()["what-each-does"].table
    assert shown is not None
    assert [row[1] for row in table.rows] == [row[1] for row in shown.rows]
    assert [row[3] for row in table.rows] == [row[2] for row in shown.rows]
    assert [(row[2], *row[4:]) for row in table.rows] == [row[3:6] for row in shown.rows]
    assert max(len(row[0]) for row in table.rows) <= decision.BRIEF_TITLE
    assert said[0] == exhibits()["worth-knowing"].sentence
    assert list(said[1:]) == worth.worth_sentences(given(), answers(given()))[: decision.BRIEF_SENTENCES]


def test_the_terminal_says_what_too_few_replications_cannot() -> None:
    table, said = decision.brief_decision(answered_comparison(24))
    assert len(table.rows) == 3
    assert said == (
        "What this hangs on, and what is worth finding out, can be said from 30 replications on; here are 24.",
    )
    with pytest.raises(ValueError, match="no strategies"):
        decision.brief_decision(sample_run())


def test_a_folder_read_again_gives_the_same_answers(tmp_path: Path) -> None:
    made, count = sample_comparison(replications=32, years=1), 32
    measures = sample_measures(1, count)
    assert made.experiment is not None
    names = [s.name for s in made.experiment.strategies]
    found = totals(measures, ["baseline", *names], count)
    comparison = Comparison(
        made.experiment, given().model, measures, sample_flows(1, count), found, differences(found, names),
        pl.DataFrame(), NO_MARKET, given().drawn.filter(pl.col("replication") < count), manifest(1, count),
    )  # fmt: skip
    report = write_comparison(comparison, tmp_path / "out", "simcare compare sample")
    assert 'id="decision"' in report.read_text(encoding="utf-8")
    again = read_folder(tmp_path / "out")
    assert decision.brief_decision(again) == decision.brief_decision(ReportInput.of(comparison))
    assert answers(again).tornado.equals(comparison.answers.tornado)
    assert ReportInput.of(comparison).answers is comparison.answers
