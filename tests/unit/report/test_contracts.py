"""Contracts and scenarios in the report: every number against one worked out the plain way, and the section only where
there is something to tell."""

from __future__ import annotations

import datetime as dt
import json
from functools import cache
from typing import Any

import numpy as np
import plotly.graph_objects as go
import polars as pl
import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st
from pydantic import TypeAdapter
from scipy.stats import t as student

from simcare.decide import ranking
from simcare.model.contracts import Contract
from simcare.model.strategy import AS_IN_THE_FILE, NewContract
from simcare.model.terms import Term
from simcare.report import contract_words, contracts, figures, providers, scenarios, sources, wording
from simcare.report.exhibit import Exhibit, Table, sentences
from simcare.report.frames import Frames
from simcare.report.report_input import ReportInput
from simcare.report.run_page import html, rewards_section
from simcare.report.setting import Setting
from tests.support.html_page import Page
from tests.support.report_sample import REPLICATIONS, WORLDS, guess, sample_comparison, sample_contracts, sample_run

YEARS = "2013/14 to 2017/18"
UNDER = {"telecare": "Telecare for older people", "tariff": "Tiered tariff that rewards stepping down"}
DATE = dt.date(2014, 4, 1)


pytestmark = pytest.mark.xdist_group("contracts")  # what is carried out once is shared


@cache
def given() -> ReportInput:
    return sample_contracts()


@cache
def page() -> Page:
    return Page(html(given()))


@cache
def found() -> tuple[Exhibit, str]:
    """What each contract pays, and where."""
    experiment = given().experiment
    assert experiment is not None
    return contracts.contract_terms_exhibit(given().model, experiment, given().titles)


@cache
def results() -> list[Exhibit]:
    """The results in the services under contracts."""
    experiment = given().experiment
    assert experiment is not None
    return contracts.service_exhibits(given(), experiment, YEARS)


@cache
def ranked() -> list[tuple[Exhibit | None, Exhibit]]:
    """The sweeps and the ranks."""
    return scenarios.scenario_exhibits(given(), YEARS, REPLICATIONS)


def table_of(exhibit: Exhibit) -> Table:
    assert exhibit.table is not None
    return exhibit.table


@cache
def drawn() -> go.Figure:
    figure = next(sweep for sweep, _ in ranked() if sweep is not None).figure
    assert figure is not None
    return figure


def scenario(world: str, measure: str, strategy: str) -> dict[str, float]:
    frame = given().scenarios
    assert frame is not None
    mine = (pl.col("scenario") == world) & (pl.col("measure") == measure) & (pl.col("strategy") == strategy)
    return frame.filter(mine).row(0, named=True)


# When there is a section.


def test_without_contracts_and_scenarios_there_is_no_section() -> None:
    for other in (sample_run(), sample_comparison()):
        assert rewards_section(Frames(other)) is None
        assert "rewards" not in [a.get("id") for a in Page(html(other)).of("section")]


def test_contracts_alone_have_no_ranks() -> None:
    other = sample_contracts(scenarios=False)
    assert contracts.contract_sections(other, YEARS)
    assert scenarios.scenario_exhibits(other, YEARS, REPLICATIONS) == []
    text = Page(html(other)).text
    assert f"Contracts and what they reward, {YEARS}" in text
    assert "Which strategy comes first" not in text


def test_scenarios_alone_have_no_contracts() -> None:
    experiment = given().experiment
    assert experiment is not None
    plain = tuple(s.model_copy(update={"contracts": ()}) for s in experiment.strategies)
    other = ReportInput(**{**given().__dict__, "experiment": experiment.model_copy(update={"strategies": plain})})
    text = Page(html(other)).text
    assert f"The strategies in other scenarios, {YEARS}" in text
    assert "What each contract pays" not in text
    assert "Which strategy comes first, and where" in text


def test_the_page_has_the_tables_the_sentences_and_a_figure_for_each_sweep() -> None:
    text = page().text
    ranks = [exhibit for _, exhibit in ranked()]
    captions = [table_of(exhibit).caption for exhibit in (*results(), *ranks)]
    for what in (*sentences(ranks), *captions, found()[1]):
        assert what in text
    titles = [json.loads(data)["layout"]["meta"]["title"] for key, data in page().data.items() if key.endswith("-data")]
    assert [title for title in titles if "in each scenario" in title] == [
        f"Total cost, NPV (Green Book): difference from the baseline in each scenario, {YEARS}",
        f"Dependency-days: difference from the baseline in each scenario, {YEARS}",
    ]


# What the contracts pay.

TERMS = [
    ({"kind": "per_diem", "gbp_per_week": guess(248)}, "£248 a week"),
    (
        {
            "kind": "tapered",
            "bands": [{"from_day": d, "gbp_per_day": guess(p)} for d, p in ((0, 49.6), (42, 38.97), (84, 33.18))],
        },
        "£49.60 a day to day 42, £38.97 a day to day 84, £33.18 a day after that",
    ),
    ({"kind": "block", "gbp_per_year": guess(24_980_000)}, "£24,980,000 a year, whoever is there"),
    ({"kind": "episode", "gbp": guess(800)}, "£800 for each stay, on its first day"),
    ({"kind": "episode", "gbp": guess(800), "on_day": 182}, "£800 for each stay that reaches day 182"),
    (
        {"kind": "step_down_bonus", "gbp": guess(900), "lasts_days": 91},
        "£900 for a step-down, once it has lasted 91 days",
    ),
    (
        {"kind": "step_down_bonus", "gbp": guess(900), "by_day": 84, "tapers_from_day": 42},
        "£900 for a step-down, in full to day 42 and from there falling to nothing on day 84",
    ),
    (
        {"kind": "clawback", "within_days": 91, "share": guess(1), "days_of_pay": 28},
        "the sums paid and the last 28 days' pay taken back if the client is back within 91 days",
    ),
    (
        {"kind": "clawback", "within_days": 1, "share": guess(0.5)},
        "50% of the sums paid taken back if the client is back within 1 day",
    ),
    (
        {"kind": "outcome", "gbp": guess(900), "share_up_front": guess(0.2), "lasts_days": 91},
        "£900 for independence that lasts 91 days, 20% at the start of the stay, the rest once it has lasted",
    ),
    (
        {"kind": "days_saved", "baseline_days": 120, "gbp_per_day": guess(8), "gbp_per_day_over": guess(2)},
        "£8 for each day by which a step-down comes before day 120, less £2 for each day beyond it",
    ),
    ({"kind": "indexation", "per_year": guess(0.03)}, "prices raised by 3% each 1 April"),
]


@pytest.mark.parametrize(("row", "said"), TERMS, ids=[row["kind"] for row, _ in TERMS])
def test_every_kind_of_term_is_said_in_plain_words(row: dict[str, Any], said: str) -> None:
    parsed: Any = TypeAdapter(Term).validate_python(row)
    assert contract_words.term(parsed, DATE) == said


def test_a_contract_is_a_sentence_with_the_prices_of_the_date() -> None:
    steps = {"steps": [guess(100), {**guess(110), "from": "2014-04-01"}]}
    rows = {
        "name": "c",
        "most_gbp_per_client_year": guess(50_000),
        "terms": [{"kind": "per_diem", "gbp_per_day": steps}],
    }
    contract = Contract.model_validate(rows)
    before = contract_words.terms(contract, dt.date(2013, 4, 1))
    assert before == "£100 a day; no more than £50,000 for a client in a year."
    assert contract_words.terms(contract, DATE).startswith("£110 a day;")


def test_each_contract_stands_beside_the_one_it_takes_the_place_of() -> None:
    table = table_of(found()[0])
    assert found()[1] == "Placement care: council"
    extra = 42 * (126 - 84.3) + 42 * (99 - 84.3) - 0.3 * 84.3
    cycle = 91 * 0.3 * 612.5 / 7 - 900
    assert table.rows == (
        ("Baseline", "£90 a day.", "Nothing"),
        (
            UNDER["telecare"],
            "£126 a day to day 42, £99 a day to day 84, £84.30 a day after that.",
            (
                "Bands that begin again after a step-down on day 84, if the client is assessed again, would gain"
                f" £{round(extra, -1):,.0f} each time"
            ),
        ),
        (
            UNDER["tariff"],
            "£612.50 a week; £900 for a step-down by day 84, once it has lasted 91 days.",
            (
                "A cycle for its sums (a step-down on day 1 of the stay with a return 91 days later) would lose"
                f" £{round(cycle, -1):,.0f} each time"
            ),
        ),
    )


def test_findings_say_that_a_contract_rests_on_how_providers_answer() -> None:
    experiment = given().experiment
    assert experiment is not None
    assert "how they are assumed to respond to money" in sources.evidence(experiment.strategies[2])
    changes = {row[0]: row[2] for row in sources.strategies_frame(experiment).iter_rows()}
    assert changes[UNDER["tariff"]] == "placement care by council under the contract “dated”"
    assert changes[UNDER["telecare"]] == "placement care by all who offer it under the contract “taper”"


# What came of it in the services.


def plain_difference(strategy: str, measure: str) -> wording.Estimate:
    """The paired difference in one service, with Student's interval, from the rows of the measures."""
    rows = given().measures.filter((pl.col("service") == "placement_care") & (pl.col("measure") == measure))
    total = {
        (s, r): value for s, r, value in rows.group_by("strategy", "replication").agg(pl.col("value").sum()).iter_rows()
    }
    each = np.array([total[strategy, r] - total["baseline", r] for r in range(REPLICATIONS)])
    half = student.ppf(0.975, REPLICATIONS - 1) * each.std(ddof=1) / np.sqrt(REPLICATIONS)
    return wording.Estimate(each.mean(), each.mean() - half, each.mean() + half)


def test_the_table_of_services_holds_paired_differences_of_these_services_only() -> None:
    (table,) = map(table_of, results())
    assert table.head == (
        "Strategy",
        "Cost of care, NPV (Green Book)",
        "Days in care",
        "Over-provided days",
    )  # nobody is stepped down in the sample
    assert table.caption.startswith(f"Placement care, {YEARS}")
    for row, strategy in zip(table.rows[1:], UNDER, strict=True):
        assert row[0] == UNDER[strategy]
        for cell, measure, unit in zip(
            row[1:],
            ("cost_pv", "person_days", "over_provided_days"),
            (wording.POUNDS, wording.COUNT, wording.COUNT),
            strict=True,
        ):
            value, low, high = wording.rounded_alike(plain_difference(strategy, measure), unit)
            assert cell == f"{value} ({low} to {high})"
    base = given().measures.filter(
        (pl.col("service") == "placement_care") & (pl.col("measure") == "cost_pv") & (pl.col("strategy") == "baseline")
    )
    assert table.rows[0][:2] == ("Baseline", wording.quantity(base["value"].sum() / REPLICATIONS, wording.POUNDS))


def test_strategies_with_other_services_have_a_table_of_their_own() -> None:
    experiment = given().experiment
    assert experiment is not None
    other = experiment.strategies[1].model_copy(
        update={"contracts": (NewContract(service="enhanced_care", contract="taper"),)}
    )
    changed = experiment.model_copy(update={"strategies": (experiment.strategies[0], other, experiment.strategies[2])})
    report = ReportInput(**{**given().__dict__, "experiment": changed})
    tables = [table_of(exhibit) for exhibit in contracts.service_exhibits(report, changed, YEARS)]
    assert [table.caption.partition(",")[0] for table in tables] == ["Enhanced care", "Placement care"]
    assert [[row[0] for row in table.rows] for table in tables] == [
        ["Baseline", UNDER["telecare"]],
        ["Baseline", UNDER["tariff"]],
    ]
    assert not contracts.contract_terms_exhibit(given().model, changed, given().titles)[1]


# Ranks.

intervals = st.lists(st.tuples(st.integers(-9, 9), st.integers(0, 6)), min_size=1, max_size=6)


def frame(rows: list[tuple[float, float]], measure: str = "cost_pv") -> pl.DataFrame:
    ends = [
        {"strategy": f"s{k}", "difference": float(d), "low": float(d - h), "high": float(d + h)}
        for k, (d, h) in enumerate(rows)
    ]
    return pl.DataFrame(ends).with_columns(scenario=pl.lit("w"), measure=pl.lit(measure), baseline_mean=100.0)


@for_all(intervals, st.sampled_from(["cost_pv", "independent_days"]))
def test_ranks_are_counts_of_those_ahead(rows: list[tuple[float, float]], measure: str) -> None:
    sign = wording.shown_measure(measure).better
    found = ranking.ranks(frame(rows, measure), measure)
    for (d, h), row in zip(rows, found.iter_rows(named=True), strict=True):
        assert row["rank"] == 1 + sum(sign * other > sign * d for other, _ in rows)
        assert row["best"] == 1 + sum(sign * other - wide > sign * d + h for other, wide in rows)
        assert row["worst"] == len(rows) - sum(sign * other + wide < sign * d - h for other, wide in rows)
        assert row["best"] <= row["rank"] <= row["worst"]


@for_all(st.integers(2, 12), st.floats(-1, 1), st.floats(-3, 3), st.integers(0, 999))
def test_where_intervals_do_not_overlap_the_paired_interval_leaves_out_zero(
    n: int, alike: float, apart: float, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    one = rng.normal(size=n)
    other = alike * one + rng.normal(size=n) * 0.5 + apart

    def half(x: np.ndarray) -> float:
        return float(student.ppf(0.975, n - 1) * x.std(ddof=1) / np.sqrt(n))

    distance = abs(one.mean() - other.mean())
    if distance > half(one) + half(other):
        assert distance > half(one - other) * (1 - 1e-12)


def test_a_measure_that_is_neither_better_nor_worse_gives_no_ranks() -> None:
    with pytest.raises(ValueError, match="neither better nor worse"):
        ranking.ranks(frame([(1.0, 0.0)], "person_days"), "person_days")


def test_what_is_only_rounding_is_no_difference() -> None:
    assert not ranking.differ(frame([(1e-12, 0.0), (0.0, 0.0)]), "cost_pv")
    assert ranking.ranks(frame([(1e-12, 0.0), (-1e-12, 0.0)]), "cost_pv")["rank"].to_list() == [1, 1]


def test_the_sentence_says_who_is_first_and_whether_it_differs_clearly() -> None:
    frame = given().scenarios
    assert frame is not None
    low, high = (scenario(AS_IN_THE_FILE, "dependency_days", s) for s in ("early", "tariff"))
    assert low["high"] < high["low"]  # early is told from the next, but in the scenario without any difference
    assert (
        scenarios.ranking_sentence(ranking.ranks(frame, "dependency_days"), "dependency_days", given().titles)
        == "Dependency-days: of four scenarios, “Early help for families” ranks first in three; strategies share the"
        " first place in one. The first differs clearly from the next in three of them; the first is clearly"
        " better than the baseline in three."
    )
    alike = frame.filter(pl.col("scenario") == "no answer")
    alike = pl.concat([alike, alike.with_columns(scenario=pl.lit("another"))])
    said = "Dependency-days: no strategy is alone in the first place in any of the two scenarios."
    assert scenarios.ranking_sentence(ranking.ranks(alike, "dependency_days"), "dependency_days", {}) == said


def test_the_table_of_ranks_has_every_strategy_in_every_scenario() -> None:
    table = table_of(ranked()[0][1])
    assert table.caption == f"Ranks by total cost, NPV (Green Book), {YEARS}"
    assert table.head == (
        "Strategy",
        "As in the file",
        "Providers do not answer",
        "They answer twice as strongly (eta 2)",
        "Four weeks",
    )
    values = {s: scenario(AS_IN_THE_FILE, "cost_pv", s) for s in given().titles}
    for row, (strategy, mine) in zip(table.rows, values.items(), strict=True):
        assert row[0] == given().titles[strategy]
        rank = 1 + sum(other["difference"] < mine["difference"] for other in values.values())
        best = 1 + sum(other["high"] < mine["low"] for other in values.values())
        worst = 3 - sum(other["low"] > mine["high"] for other in values.values())
        assert row[1] == (str(rank) if best == worst else f"{rank} ({best}–{worst})")
        assert row[2] == "1 (1–3)"
        assert row[3] == row[1]  # twice as much keeps the order


# The figure.


def dots() -> list[Any]:
    return [
        trace
        for trace in drawn().data
        if trace.mode == "markers" and trace.x[0] is not None and "triangle" not in trace.marker.symbol
    ]


def test_the_figure_has_a_panel_for_each_scenario_with_the_frames_numbers() -> None:
    order = list(drawn().layout.yaxis.ticktext)
    titles = {label: name for name, label in given().titles.items()}
    assert sorted(order) == sorted(titles)
    for k, world in enumerate([AS_IN_THE_FILE, *WORLDS]):
        mine = [trace for trace in dots() if trace.xaxis == ("x" if k == 0 else f"x{k + 1}")]
        assert len(mine) == 3
        for trace in mine:
            assert trace.x[0] == pytest.approx(scenario(world, "cost_pv", titles[order[trace.y[0]]])["difference"])
    heads = [a.text.removeprefix("<b>").removesuffix("</b>").replace("<br>", " ") for a in drawn().layout.annotations]
    assert [head.replace("\N{NO-BREAK SPACE}", " ") for head in heads] == [
        "As in the file", "Providers do not answer", "They answer twice as strongly (eta 2)", "Four weeks",
    ]  # fmt: skip


def test_strategies_stand_in_the_order_of_the_first_scenario_and_all_panels_share_a_scale() -> None:
    layout = drawn().layout
    first = {given().titles[s]: scenario(AS_IN_THE_FILE, "cost_pv", s)["difference"] for s in given().titles}
    assert list(layout.yaxis.ticktext) == sorted(first, key=lambda title: first[title])
    assert len({tuple(layout[f"xaxis{k or ''}"].range) for k in ("", 2, 3, 4)}) == 1
    low, high = layout.xaxis.range
    assert all(low < trace.x[0] < high for trace in dots())


def test_an_interval_beyond_the_scale_ends_in_a_triangle() -> None:
    rows = pl.concat(
        [frame([(-1.0, 0.2), (1.0, 50.0)]), frame([(-1.0, 0.2), (0.5, 0.1)]).with_columns(scenario=pl.lit("v"))]
    )
    found = ranking.ranks(rows, "cost_pv")
    fig = figures.sweep_figure(found, "cost_pv", {"s0": "One", "s1": "Two"}, {"w": "First", "v": "Second"}, YEARS)
    symbols = [trace.marker.symbol for trace in fig.data if trace.mode == "markers"]
    assert (symbols.count("triangle-left"), symbols.count("triangle-right")) == (1, 1)
    low, high = fig.layout.xaxis.range
    assert -3 < low < -1 and 1 < high < 3.5
    assert "last Two, +£1 (−£49 to +£51)" in fig.layout.meta["alt"]


def test_the_table_of_the_figure_holds_its_numbers_in_order_of_rank() -> None:
    table = next(table_of(sweep) for sweep, _ in ranked() if sweep is not None and "dependency" in sweep.name)
    assert len(table.rows) == 12
    mine = scenario("eta 2", "dependency_days", "early")
    value, low, high = wording.rounded_alike(
        wording.Estimate(mine["difference"], mine["low"], mine["high"]), wording.DAYS
    )
    assert table.rows[6] == (
        "They answer twice as strongly (eta 2)",
        "Early help for families",
        value,
        f"{low} to {high}",
        "1",
    )
    assert {row[2:] for row in table.rows[3:6]} == {("0 days", "the same", "1 (1–3)")}


def test_the_figure_says_in_words_who_is_first_and_last() -> None:
    alt = drawn().layout.meta["alt"]
    assert alt.startswith(
        "Dots with intervals, a panel for each scenario: difference from the baseline in total cost, NPV (Green Book)"
    )
    assert "Providers do not answer: all strategies alike" in alt


def test_a_measure_without_differences_is_not_drawn() -> None:
    frame = given().scenarios
    assert frame is not None
    crises = ranking.ranks(frame, "crises")
    with pytest.raises(ValueError, match="no strategy changes 'crises'"):
        figures.sweep_figure(crises, "crises", given().titles, {AS_IN_THE_FILE: "As in the file"}, YEARS)
    names = [ranks.name for _, ranks in ranked()]
    assert names == ["ranks-cost_pv", "ranks-dependency_days", "ranks-over_provided_days"]
    assert scenarios.ranked_measures(frame) == ["cost_pv", "dependency_days", "over_provided_days"]
    assert scenarios.ranked_measures(None) == scenarios.ranked_measures(frame.clear()) == []


def test_provider_finances_and_failures_are_shown_where_providers_state_their_costs_or_fail() -> None:
    given = sample_contracts()
    setting = Setting(given.model, ("2013/14",), 2, given.titles)
    assert providers.providers_section(Frames(given)) is None
    provider, service = given.model.providers[0], given.model.providers[0].offers[0].service
    rows = [
        ("provider_income", 300.0),
        ("provider_variable", 200.0),
        ("provider_fixed", 150.0),
        ("provider_overhead", 10.0),
        ("person_days", 4.0),
    ]
    money = pl.DataFrame(
        [("baseline", r, provider.name, service, name, value) for r in (0, 1) for name, value in rows],
        schema=["strategy", "replication", "provider", "service", "measure", "value"],
        orient="row",
    )
    columns = {
        "strategy": ["baseline", "baseline"],
        "event": ["failed", "quarter"],
        "provider": [provider.name] * 2,
        "used": [40, 41],
    }
    accounts = providers.accounts_exhibit(money, setting)
    failures = providers.failures_exhibit(pl.DataFrame(columns), setting)
    assert accounts is not None and failures is not None
    assert table_of(accounts).rows[0][2:] == ("£300", "£200", "£150", "£10", "−£60", "£90")
    assert table_of(failures).rows == (("Baseline", provider.title or provider.name, "1 of 2", "40"),)
