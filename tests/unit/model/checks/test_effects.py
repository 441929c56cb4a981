"""An effect that reaches nobody is refused, with what is there; names in it that add nobody are told."""

from __future__ import annotations

from typing import Any

import pytest

from simcare.errors import BadInput
from simcare.files.load import load_model
from simcare.model import Model
from simcare.model.checks.effects import effect_faults, out_of_reach, present, reached
from simcare.model.overlay import apply_strategy
from simcare.model.strategy import Effect, Strategy
from tests.support.paths import TOY
from tests.support.toy_models import changed, number


@pytest.fixture(scope="module")
def toy() -> Model:
    return load_model(TOY)


def effect(on: str, **more: Any) -> Effect:
    return Effect.model_validate({"on": on, "multiply": number(0.8), **more})


def test_people_are_where_they_come_to_by_growing_older_and_by_transitions(toy: Model) -> None:
    assert present(toy) == {(s, g) for s in ("young", "adult") for g in ("general", "disabled")}

    def only_young(data: dict[str, Any]) -> None:
        data["arrivals"] = [row for row in data["arrivals"] if row["name"] == "north young"]
        data["caseload"] = []
        del data["services"][3]["groups"]  # which nobody of its group could enter any more

    young = changed(toy, only_young)
    assert present(young) == {("young", "general"), ("adult", "general")}  # nobody is disabled; the young grow older

    def handed_over(data: dict[str, Any]) -> None:
        only_young(data)
        data["handovers"][0]["to_group"] = "disabled"

    assert present(changed(toy, handed_over)) == {*present(young), ("adult", "disabled")}


@pytest.mark.parametrize(
    ("on", "more", "sentence"),
    [
        ("renege", {}, "effects[0].on: the model has no 'renege' clock"),
        ("rise", {"stages": ["yuong"]}, "effects[0].stages[0]: unknown 'yuong', did you mean 'young'?"),
        ("rise", {"needs": ["placement"]}, "with need 'placement'; with needs 'independent', 'community' it does"),
        ("leaving", {"stages": ["adult"]}, "no 'leaving' clock runs for anybody there; it does in 'young' (general"),
        (
            "arrivals",
            {"stages": ["young"], "groups": ["disabled"], "needs": ["independent"]},
            None,
        ),
        ("arrivals", {"stages": ["adult"], "groups": ["disabled"]}, "nobody arrives there; it does in 'young'"),
    ],
)
def test_an_effect_that_reaches_nobody_is_refused(
    toy: Model, on: str, more: dict[str, Any], sentence: str | None
) -> None:
    faults = effect_faults(toy, effect(on, **more), "effects[0]")
    assert len(faults) == (sentence is not None)
    assert all(sentence is not None and sentence in fault for fault in faults), faults


def test_a_clock_that_stands_still_reaches_nobody(toy: Model) -> None:
    def still(data: dict[str, Any]) -> None:
        data["clocks"][0]["per_year"]["value"] = [0.5, 0.0]

    asked = effect("rise", needs=["community"])
    assert reached(toy, asked)
    assert not reached(changed(toy, still), asked)


def test_a_strategy_that_brings_people_may_have_an_effect_on_them(toy: Model) -> None:
    def nobody(data: dict[str, Any]) -> None:
        for row in data["arrivals"]:
            if row["name"] == "south adult":
                row["per_year"]["steps"][0]["value"] = 0.0

    quiet = changed(toy, nobody)
    on_them = {"on": "arrivals", "stages": ["adult"], "needs": ["independent"], "multiply": number(2)}
    strategy = {"name": "s", "title": "S", "start": "2014-01-01", "effects": [on_them]}
    with pytest.raises(BadInput, match="nobody arrives there with need 'independent'"):
        apply_strategy(quiet, Strategy.model_validate(strategy))
    brings = [{"path": "arrivals.south adult.per_year", "to": number(100)}]
    apply_strategy(quiet, Strategy.model_validate({**strategy, "changes": brings}))


def test_names_that_add_nobody_are_found(toy: Model) -> None:
    asked = effect("leaving", stages=["young", "adult"], needs=["placement"])
    assert list(out_of_reach(toy, asked)) == [("stages", "adult")]
    assert list(out_of_reach(toy, effect("rise"))) == []
