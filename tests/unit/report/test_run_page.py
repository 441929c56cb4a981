"""The report: what it says agrees with the frames, it says plainly where there is no clear difference, and it asks the
network for nothing."""

from __future__ import annotations

import datetime as dt
import json
import re
from functools import cache
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from simcare.report import sources, summaries, tables, wording
from simcare.report.findings import SAID, finding_sentence, report_sentences
from simcare.report.frames import Frames
from simcare.report.report_input import ReportInput
from simcare.report.run_page import html, write_report
from simcare.report.wording import COUNT, POUNDS, Estimate, quantity, rounded_alike
from simcare.units import NOISE
from tests.support.html_page import Page
from tests.support.report_sample import guess, sample_comparison, sample_experiment, sample_model, sample_run

ENDS = ("prediction_low", "prediction_high")
EVIL = '</script><script>alert("x")</script><img src=x onerror=alert(1)> & "co"'


@cache
def comparison() -> ReportInput:
    return sample_comparison()


@cache
def page() -> Page:
    return Page(html(comparison()))


@cache
def run_page() -> Page:
    return Page(html(sample_run()))


# The file.


@pytest.mark.parametrize("found", [page, run_page], ids=["comparison", "run"])
def test_nothing_is_loaded_from_outside(found: object) -> None:
    elements = found().elements  # type: ignore[operator]
    loading = {"src", "href", "srcset", "data", "action", "poster", "background", "formaction", "ping", "xlink:href"}
    addresses = [value for _, attributes in elements for name, value in attributes.items() if name in loading]
    assert addresses
    assert all(value.startswith(("#", "data:")) for value in addresses)
    assert not {"iframe", "object", "embed", "base", "img", "audio", "video"} & {tag for tag, _ in elements}
    policy = next(
        a["content"] for tag, a in elements if tag == "meta" and a.get("http-equiv") == "Content-Security-Policy"
    )
    assert policy.startswith("default-src 'none'")
    assert "http:" not in policy
    assert "https:" not in policy


def test_styles_ask_for_no_font_and_no_picture() -> None:
    styles = re.findall(r"<style>(.*?)</style>", html(sample_run(1)), re.DOTALL)
    assert styles
    assert not re.search(r"url\(|@import|@font-face", "".join(styles))


def test_plotly_is_embedded_once_and_the_file_is_small(tmp_path: Path) -> None:
    path = write_report(comparison(), tmp_path / "deep" / "report.html")
    assert path.stat().st_size < 8_000_000
    assert path.read_text(encoding="utf-8").count("* plotly.js v") == 1
    assert [p.name for p in path.parent.iterdir()] == ["report.html"]


def test_the_same_result_gives_the_same_file() -> None:
    assert html(sample_run()) == html(sample_run())


def test_anything_with_the_same_names_can_be_reported(tmp_path: Path) -> None:
    class Found:
        model, measures, flows, drawn, manifest = (
            sample_run(2).model,
            sample_run(2).measures,
            sample_run(2).flows,
            sample_run(2).drawn,
            sample_run(2).manifest,
        )

    assert "2013/14 to 2014/15" in write_report(Found(), tmp_path / "r.html").read_text(encoding="utf-8")


# Every figure: its data, a description, a table beside it.


@pytest.mark.parametrize("found", [page, run_page], ids=["comparison", "run"])
def test_every_figure_has_its_data_a_description_and_a_table(found: object) -> None:
    this: Page = found()  # type: ignore[operator]
    plots = [a for a in this.of("div") if a.get("class") == "plot"]
    assert len(plots) == len(this.of("figure")) == len(this.of("figcaption"))
    for plot in plots:
        assert plot["role"] == "img"
        assert len(plot["aria-label"] or "") > 60
        figure = json.loads(this.data[plot["data-figure"] or ""])
        assert figure["data"]
        assert figure["layout"]["meta"]["alt"] == plot["aria-label"]
    keys = [plot["data-figure"] for plot in plots]
    assert len(set(keys)) == len(keys)


def test_every_strategy_can_be_chosen_and_the_baseline_comes_first() -> None:
    buttons = [a for a in page().of("button") if "data-choose" in a]
    assert [b["aria-pressed"] for b in buttons] == ["true", "false", "false", "false"]
    views = [a for a in page().of("div") if "data-view" in a]
    assert {v["data-view"] for v in views} == {"0", "1", "2", "3"}
    assert all(("hidden" in v) == (v["data-view"] != "0") for v in views)


def test_a_run_has_no_comparison() -> None:
    ids = {a["id"] for a in run_page().of("section")}
    assert ids == {"findings", "people", "money", "moves", "rests", "method"}
    assert "paired" not in run_page().text
    assert "baseline’s" not in run_page().text


def test_a_run_in_which_nobody_is_in_care_can_be_reported() -> None:
    given = sample_run(2)
    nobody = given.measures.filter(pl.col("measure") == "independent_days")
    found = Page(html(ReportInput(given.model, nobody, given.manifest, given.flows.clear())))
    said = "if nothing changes, care is expected to cost the council £0 in the cash budget; nobody is in care."
    assert f"Over 2013/14 to 2014/15, {said}" in found.text
    assert "moves" not in {a["id"] for a in found.of("section")}


def test_a_replication_in_which_nothing_happened_counts() -> None:
    given = sample_run(2)
    first = given.measures.filter(pl.col("replication") == 0)
    cash = first.filter(pl.col("measure") == "cost_council")["value"].sum() / 2
    said = report_sentences(ReportInput(given.model, first, given.manifest, given.flows))[0]
    expected = f"cost the council {quantity(cash, POUNDS, 7)} in the cash budget"
    assert f"{expected} (lowest to highest of 2 replications: £0m to" in said


# What it says.


def test_every_sentence_is_there() -> None:
    said = report_sentences(comparison())
    assert len(said) == 4
    for one in said:
        assert one in page().text
    assert all(one.startswith("Over 2013/14 to 2017/18, ") for one in said)


def test_the_numbers_of_the_sentence_are_those_of_the_frame() -> None:
    given = comparison()
    assert given.differences is not None
    assert given.experiment is not None
    for strategy in given.experiment.strategies:
        said = finding_sentence(given.differences, strategy, "at a cost", Frames(given).setting, {})
        for measure, what in SAID.items():
            row = given.differences.filter((pl.col("strategy") == strategy.name) & (pl.col("measure") == measure)).row(
                0, named=True
            )
            if measure == "unmet_need_days":
                assert row["difference"] == row["prediction_low"] == row["prediction_high"] == 0
                assert said.endswith(f"it makes no difference at all to {what}.")
                continue
            unit = POUNDS if measure.startswith("cost") else COUNT
            ends = Estimate(row["difference"], row["prediction_low"], row["prediction_high"])
            mean, low, high = rounded_alike(ends, unit)
            chance = max(row["chance_lower"], row["chance_higher"])
            share = "all" if chance == 1 else f"{100 * chance:.0f}% of"
            size = f" by {mean[1:]} ({share} simulated futures), between " if chance >= 0.66 else f" ({mean}, between "
            assert f"{what}{size}" in said
            rest = said.partition(f"{what}{size}")[2]
            first, second = (low, high) if abs(row["prediction_low"]) < abs(row["prediction_high"]) else (high, low)
            if low[0] == high[0]:
                assert rest.startswith(f"{first[1:]} and {second[1:]}")
                continue
            words = ("a saving of {}", "a cost of {}") if unit == POUNDS else ("{} fewer", "{} more")
            named = [words[0].format(low[1:]), words[1].format(high[1:])]
            lower = row["chance_lower"] >= 0.66
            assert rest.startswith(" and ".join(reversed(named) if lower else named))


def test_the_direction_of_the_sentence_is_that_of_the_frame() -> None:
    early, telecare, tariff = report_sentences(comparison())[1:]
    assert "very likely to reduce cost to the council" in early
    assert "go either way" not in early
    assert "“Telecare for older people” is as likely as not to go either way: cost to the council" in telecare
    assert "reduce" not in telecare
    assert "almost certain to reduce cost to the council" in tariff
    assert "with no programme cost assumed" in tariff


def test_what_a_strategy_itself_costs_is_what_was_spent() -> None:
    spent = comparison().measures.filter((pl.col("strategy") == "early") & (pl.col("measure") == "paid_programmes"))
    each = spent["value"].sum() / 24
    assert each == pytest.approx(sum(400_000 * 1.02 ** (year + 1) for year in range(5)))
    assert (
        f"at a programme cost of {quantity(each, POUNDS)} in cash, which the costs include"
        in report_sentences(comparison())[1]
    )


def test_the_baseline_sentence_adds_up() -> None:
    cash = (
        comparison()
        .measures.filter((pl.col("strategy") == "baseline") & (pl.col("measure") == "cost_council"))["value"]
        .sum()
        / 24
    )
    said = re.search(r"cost the council £([\d.]+)bn in the cash budget", report_sentences(comparison())[0])
    assert said is not None
    assert float(said.group(1)) == pytest.approx(cash / 1e9, rel=0.005)


def test_one_replication_gives_no_interval() -> None:
    assert Estimate.of(3.0, float("nan"), float("nan")) == Estimate(3.0)


# Digits.


@for_all(st.floats(-1e9, 1e9), st.floats(1e-3, 1e8))
def test_an_estimate_has_three_figures_at_most_and_is_zero_only_where_it_is(value: float, half: float) -> None:
    numbers = (value, value - half, value + half)
    largest = max(map(abs, numbers))
    for x, text in zip(numbers, rounded_alike(Estimate(*numbers), COUNT), strict=True):
        digits = re.sub(r"[^\d]", "", text).lstrip("0")
        assert len(digits if "." in text else digits.rstrip("0")) <= 3, text
        assert digits or abs(x) <= NOISE * largest, text
        if abs(x) == largest:
            assert read(text) == pytest.approx(x, rel=0.0051)


def test_what_is_small_beside_a_budget_is_not_nothing() -> None:
    """£14,853 was once £0, as the table was rounded to £100,000; ends that differ were once the same."""
    assert quantity(14_852.6, POUNDS) == "£14,900"
    assert quantity(361_530.0, POUNDS) == "£362,000"
    assert wording.ends_words(454_976.0, 514_816.0, POUNDS) == "£455,000 to £515,000"
    assert rounded_alike(Estimate(14_853.0, -4.0e9, 4.0e9), POUNDS)[0] == "+£10,000"


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (999_499.0, "£999,000"), (999_500.0, "£1.00m"), (999.6, "£1,000"), (-999_999_999.0, "−£1.00bn"), (0.0, "£0"),
        (-0.0, "£0"), (99.996, "£100"), (7.0, "£7"), (12.5, "£12.50"), (0.125, "£0.13"), (0.004, "£0.00400"),
    ],
)  # fmt: skip
def test_a_sum_of_money_is_written_as_people_write_it(value: float, said: str) -> None:
    assert quantity(value, POUNDS) == said


def read(text: str) -> float:
    """The number that a text says."""
    scale = 1e9 if text.endswith(("bn", "billion")) else 1e6 if text.endswith(("m", "million")) else 1
    return float(re.sub(r"[^\d.]", "", text)) * scale * (-1 if text.startswith("−") else 1)


@for_all(st.floats(1e3, 1e9), st.floats(0.01, 0.99))
def test_a_clear_finding_never_reads_as_touching_zero(value: float, share: float) -> None:
    _, low, high = rounded_alike(Estimate(value, value * share, value * (2 - share)), POUNDS)
    assert low.startswith("+£")
    assert float(re.sub(r"[^\d.]", "", low)) > 0
    assert low.endswith(("m", "bn")) == high.endswith(("m", "bn"))


@for_all(st.floats(-1e11, 1e11, allow_subnormal=False))
def test_a_quantity_reads_back_to_three_figures(value: float) -> None:
    assert read(quantity(value, COUNT)) == pytest.approx(value, rel=0.0051, abs=1e-300)
    pennies = 0.00501 if abs(value) >= 0.005 else 1e-300
    assert read(quantity(value, POUNDS)) == pytest.approx(value, rel=0.0051, abs=pennies)


def test_dates_and_periods() -> None:
    assert wording.date(dt.date(2013, 4, 1)) == "1 April 2013"
    assert wording.horizon_words(["2013/14", "2014/15", "2015/16"]) == "2013/14 to 2015/16"
    assert summaries.financial_years(pl.DataFrame({"month": ["2013-03", "2013-04", "2000-01"]})) == [
        "1999/00",
        "2012/13",
        "2013/14",
    ]
    with pytest.raises(ValueError, match="no financial year"):
        wording.horizon_words([])


# Assumptions.


def test_every_number_is_listed_with_its_grade_in_words() -> None:
    given = comparison()
    listed = sources.assumptions(given.model, given.experiment)
    rows = [a for a in page().of("tr") if "data-grade" in a]
    assert [a["data-grade"] for a in rows] == [assumption.grade for assumption in listed]
    price = next(a for a in listed if a.path == "contracts[placement].terms[0].gbp_per_day")
    assert price == sources.Assumption(
        "Model",
        "contracts[placement].terms[0].gbp_per_day",
        "90",
        "A",
        "measured",
        "County survey of care 2013, table 4",
        "mean of returns",
    )
    for text in (
        "D assumption",
        "A measured",
        "Assumption: no published source",
        "Randomised trial of family support, 2011",
        "strategies[early].effects[0].multiply",
    ):
        assert text in page().text
    assert sum(count for _, _, count in sources.grade_counts(listed)) == len(listed)


def test_how_far_an_effect_is_believed_is_shown() -> None:
    rows = {row[0]: row for row in sources.strategies_frame(sample_experiment()).iter_rows()}
    changes = rows["Early help for families"][2].replace("\N{NO-BREAK SPACE}", " ")
    assert "need rising (0-11): × 0.8 (0.6 to 1), grade C weak, used as × 0.894" in changes
    assert rows["Early help for families"][1] == "1 October 2013, in full after 180 days"
    assert rows["Early help for families"][3] == "£400,000 a year, grade D assumption"
    assert rows["Tiered tariff that rewards stepping down"][3] == "No programme cost assumed"


def test_changes_that_are_alike_are_told_together() -> None:
    change = [
        {"path": f"services.{tier}_care.review_every_days", "to": guess(90)}
        for tier in ("community", "enhanced", "placement", "specialist")
    ]
    changes = [{"name": "reviews", "title": "Review sooner", "start": dt.date(2014, 4, 1), "changes": change}]
    experiment = sample_experiment(strategies=changes)
    changed = sources.strategies_frame(experiment).row(0)[2]
    assert changed == "review every days set to 90 (4 services), grade D assumption"
    assert sources.evidence(experiment.strategies[0]) == "Rests on four assumed effects: four graded D (assumption)."


def test_a_long_title_gives_way_to_the_name_in_figures() -> None:
    long = [
        {
            "name": "early_help",
            "title": "A family support programme for every family that is near the edge of care",
            "start": dt.date(2014, 4, 1),
        }
    ]
    given = sample_run()
    named = ReportInput(given.model, given.measures, given.manifest, given.flows, sample_experiment(strategies=long))
    assert named.titles == {"early_help": "Early help"}


def test_the_comparison_table_holds_every_measure_of_every_strategy() -> None:
    given = comparison()
    assert given.differences is not None
    table = tables.comparison_table(given.differences, given.titles, "2013/14 to 2017/18")
    assert (
        len(table.rows)
        == given.differences.filter(
            ~pl.col("measure").is_in(["queue_days", "delayed_days", "displaced", "spot_days"])
        ).height
    )
    row = next(r for r in table.rows if r[:2] == ("Early help for families", "Total cost, NPV (Green Book)"))
    frame = given.differences.filter((pl.col("strategy") == "early") & (pl.col("measure") == "cost_pv")).row(
        0, named=True
    )
    assert row[3] == rounded_alike(Estimate(*(frame[n] for n in ("difference", *ENDS))), POUNDS)[0]
    assert row[4] == wording.interval_words(Estimate(*(frame[n] for n in ("difference", *ENDS))), POUNDS)
    assert row[6] == wording.share(frame["chance_better"]) == "91.7%"
    assert row[7] == quantity(frame["monte_carlo_error"], POUNDS)
    none = next(r for r in table.rows if r[1] == "Crises")
    assert none[4] == "the same in every replication"


# Text that is not ours.


def test_titles_and_notes_cannot_become_markup() -> None:
    experiment = {
        "title": EVIL,
        "sources": {"trial": EVIL},
        "strategies": [
            {
                "name": "early", "title": EVIL, "start": dt.date(2014, 4, 1),
                "effects": [{"on": "rise", "multiply": guess(0.8, "C", "trial", note=EVIL)}],
            }
        ],
    }  # fmt: skip
    given = comparison()
    evil = ReportInput(
        model=sample_model(title=EVIL), measures=given.measures, manifest={**given.manifest, "command": EVIL},
        flows=given.flows, experiment=sample_experiment(**experiment), totals=given.totals,
        differences=given.differences,
    )  # fmt: skip
    found = Page(html(evil))
    assert not found.of("img")
    assert len(found.of("script")) == len(found.of("figure")) + 2
    assert all(not name.startswith("on") for _, attributes in found.elements for name in attributes)
    assert found.text.count(EVIL) >= 5
    assert all(json.loads(data)["data"] for key, data in found.data.items() if key.endswith("-data"))


# Method.


def test_the_method_says_what_it_takes_to_get_the_same_figures() -> None:
    for name, value in {
        "Seed": "7",
        "Engine": "simpy",
        "Model fingerprint (SHA-256)": "ab12" * 16,
        "Replications": "24",
        "simcare version": "0.1.0",
    }.items():
        assert f"{name}{value}" in page().text
    for text in (
        "What they do not include",
        "5th to 95th percentile",
        "90% prediction interval of a difference: nine in ten simulated futures lie there, by the 24 replications",
        "Monte Carlo error: how exactly 24 replications fix the average of the model",
        "discounted by 3.5% a year",
        "raised by 2% each 1 April",
        "2012/13 prices",
    ):
        assert text in page().text
