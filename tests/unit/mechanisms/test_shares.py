"""Parts of genuine and induced demand add up, agree with plain runs, and are told."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest

from simcare.decide.comparison import compare
from simcare.errors import BadInput
from simcare.files.load import load_model
from simcare.files.parsing import parse
from simcare.measures.catalogue import SUMMED
from simcare.mechanisms.shares import (
    GENUINE,
    TOGETHER,
    TOTAL,
    Explanation,
    explain,
    interval_of_level,
    interval_of_totals,
    plan,
)
from simcare.mechanisms.switches import SWITCHES, Mechanism, switched_off
from simcare.model.strategy import Experiment
from simcare.report.explain_page import explain_exhibits, text_of
from simcare.report.mechanism_wording import explanation_sentences
from simcare.runs.run import run
from tests.support.paths import TOY

pytestmark = pytest.mark.xdist_group("explain")  # what is carried out once is shared

REPS = 2
BY_NAME = {mechanism.name: mechanism for mechanism in SWITCHES}


def number(value: float) -> dict[str, Any]:
    return {"value": value, "source": "assumption", "grade": "D"}


def on_toy(*strategies: dict[str, Any]) -> Experiment:
    grades = {grade: number(1) for grade in "ABCD"}
    data = {"name": "e", "title": "An experiment", "model": "toy", "years": 2, "replications": 2, "shrinkage": grades}
    return parse(Experiment, data | {"strategies": list(strategies)}, "e")


CAREFUL = {
    "name": "careful",
    "title": "Careful assessments",
    "start": "2013-09-01",
    "gbp_per_year": number(50_000),
    "changes": [{"path": "front_door.all.over_specified", "to": number(0.02)}],
    "effects": [{"on": "rise", "evidence": "graded", "multiply": number(0.8) | {"low": 0.6, "high": 0.95}}],
}


@pytest.fixture(scope="module")
def found() -> Explanation:
    return explain(on_toy(CAREFUL), REPS, model=load_model(TOY), workers=1)


def mean_of(frame: pl.DataFrame, strategy: str, measure: str, part: str) -> float:
    return float(
        frame.filter((pl.col("strategy") == strategy) & (pl.col("measure") == measure) & (pl.col("part") == part))[
            "mean"
        ].item()
    )


@pytest.mark.parametrize("strategy", ["baseline", "careful"])
def test_the_parts_add_up_to_every_total(found: Explanation, strategy: str) -> None:
    for measure in SUMMED:
        part = {
            name: mean_of(found.shares, strategy, measure, name)
            for name in (GENUINE, TOGETHER, TOTAL, *(m.name for m in found.plan.mechanisms))
        }
        mechanisms = sum(part[m.name] for m in found.plan.mechanisms)
        scale = max(1.0, abs(part[TOTAL]))
        assert mechanisms == pytest.approx(part[TOGETHER], abs=1e-9 * scale)
        assert part[GENUINE] + mechanisms == pytest.approx(part[TOTAL], abs=1e-9 * scale)


def test_everything_on_is_the_comparison_and_everything_off_the_bare_model(found: Explanation) -> None:
    compared = compare(on_toy(CAREFUL), REPS, model=load_model(TOY), workers=1)
    for measure in ("cost_pv", "dependency_days", "crises", "person_days"):
        row = compared.differences.filter(pl.col("measure") == measure).row(0, named=True)
        moved = found.moved.filter((pl.col("measure") == measure) & (pl.col("part") == TOTAL)).row(0, named=True)
        assert (moved["mean"], moved["low"], moved["high"]) == pytest.approx(
            (row["difference"], row["low"], row["high"])
        )
        assert mean_of(found.shares, "baseline", measure, TOTAL) == pytest.approx(row["baseline_mean"])
    bare = run(
        switched_off(load_model(TOY), SWITCHES), 2, REPS, seed=1, engine="compiled", workers=1, keep_log=False
    ).measures
    cost = float(bare.filter(pl.col("measure") == "cost_pv")["value"].sum()) / REPS
    assert mean_of(found.shares, "baseline", "cost_pv", GENUINE) == pytest.approx(cost)


def test_what_moved_is_the_difference_of_two_attributions(found: Explanation) -> None:
    for part in (GENUINE, *(m.name for m in found.plan.mechanisms)):
        before, after = (mean_of(found.shares, strategy, "cost_pv", part) for strategy in ("baseline", "careful"))
        assert mean_of(found.moved, "careful", "cost_pv", part) == pytest.approx(after - before, abs=1.0)
    assert (
        mean_of(found.moved, "careful", "cost_pv", "over_specification")
        < 0
        < mean_of(found.shares, "careful", "cost_pv", "over_specification")
    )


def test_every_run_is_kept_with_its_setting(found: Explanation) -> None:
    mechanisms = [m.name for m in found.plan.mechanisms]
    assert found.settings.height == found.plan.runs == 16 * 2 * REPS
    assert found.settings.select("strategy", *mechanisms, "replication").is_unique().all()
    off = found.settings.filter(~pl.col("learned_dependency"))
    assert off["induced_need_days"].max() == 0 < found.settings["induced_need_days"].max()
    on = found.settings.filter(pl.all_horizontal(mechanisms) & (pl.col("strategy") == "baseline"))
    assert on["cost_pv"].mean() == pytest.approx(mean_of(found.shares, "baseline", "cost_pv", TOTAL))


def test_a_switch_alone_is_the_first_and_the_last_step(found: Explanation) -> None:
    def cost(*off: Mechanism) -> float:
        measures = run(
            switched_off(load_model(TOY), off), 2, REPS, seed=1, engine="compiled", workers=1, keep_log=False
        ).measures
        return float(measures.filter(pl.col("measure") == "cost_pv")["value"].sum()) / REPS

    row = found.shares.filter(
        (pl.col("strategy") == "baseline") & (pl.col("measure") == "cost_pv") & (pl.col("part") == "waiting")
    ).row(0, named=True)
    others = [m for m in found.plan.mechanisms if m.name != "waiting"]
    assert row["alone"] == pytest.approx(cost() - cost(BY_NAME["waiting"]), rel=1e-6)
    assert row["only"] == pytest.approx(cost(*others) - cost(*others, BY_NAME["waiting"]), rel=1e-6)


def test_every_sentence_names_the_period(found: Explanation) -> None:
    said = explanation_sentences(found)
    assert len(said) == 1 + 4 + 1
    assert all("2013/14 to 2014/15" in sentence for sentence in said), said
    assert all(sentence.endswith(".") for sentence in said)


def test_the_page_has_the_numbers_and_asks_the_network_for_nothing(found: Explanation) -> None:
    text = text_of(found, explain_exhibits(found), "simcare explain <e>")
    assert "<script src" not in text and "http-equiv" in text and "simcare explain &lt;e&gt;" in text
    for part in (
        "Over-specification",
        "Learned dependency",
        "Waiting",
        "Failure demand",
        "Careful assessments",
        "front_door[all].over_specified",
    ):
        assert part in text
    assert "Not in this model: providers&#39; response to money" in text
    row = found.shares.filter((pl.col("measure") == "cost_pv") & (pl.col("part") == "over_specification")).row(
        0, named=True
    )
    millions = f"+£{row['mean'] / 1e6:.1f}"
    assert millions in text and text.count('class="plot"') == 2


def test_one_replication_gives_no_interval_and_is_refused() -> None:
    with pytest.raises(BadInput, match="replications: must be 2 or more"):
        plan("kent-2013", 1)


def test_the_interval_of_a_total_is_not_below_zero_and_of_a_narrow_one_students(found: Explanation) -> None:
    """Two replications of a small council differ much: Student's interval of its totals begins below zero."""
    levels = found.shares.filter(pl.col("part").is_in([GENUINE, TOTAL]) & (pl.col("mean") > 0))
    students = 2 * levels["mean"] - levels["high"]
    assert (students < 0).any(), "the case is one"
    assert (levels["low"] > 0).all() and (levels["low"] < levels["mean"]).any()
    near = 1000 + np.array([-1.0, 0.5, 0.0, 1.5, -1.0])
    assert list(interval_of_level(near).values()) == pytest.approx(list(interval_of_totals(near).values()), rel=1e-5)
