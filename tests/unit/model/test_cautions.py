"""What runs but is warned of; what is refused of a strategy's numbers; how far an effect is believed."""

from __future__ import annotations

from typing import Any

import pytest

from simcare.decide.comparison import effect_draws
from simcare.errors import BadInput
from simcare.files.default_responses import extended_for
from simcare.files.load import load_model
from simcare.files.parsing import parse
from simcare.model import Model
from simcare.model.cautions import effects_as_used, experiment_cautions, model_cautions
from simcare.model.checks.starts import start_faults
from simcare.model.offers import response_of
from simcare.model.strategy import Effect, Experiment, Strategy, believed
from tests.support.paths import TOY
from tests.support.toy_models import changed, number

TAPER = {
    "name": "taper",
    "terms": [
        {
            "kind": "tapered",
            "bands": [
                {"from_day": 0, "to_day": 42, "gbp_per_day": number(100)},
                {"from_day": 42, "gbp_per_day": number(80)},
            ],
        }
    ],
}
UNDER_TAPER = {"contracts": [{"service": "care_home", "provider": "homes", "contract": "taper"}]}


@pytest.fixture(scope="module")
def toy() -> Model:
    return load_model(TOY)


def on_toy(strategy: dict[str, Any], **more: Any) -> Experiment:
    weights = {grade: number(weight) for grade, weight in zip("ABCD", (1, 0.75, 0.5, 0.25), strict=True)}
    data = {"name": "e", "title": "E", "model": "toy", "years": 2, "replications": 2, "shrinkage": weights}
    data |= {"strategies": [{"name": "s", "title": "S", "start": "2014-01-01", **strategy}], **more}
    return parse(Experiment, data, "e")


def cautions(experiment: Experiment, model: Model) -> tuple[str, ...]:
    return experiment_cautions(experiment, extended_for(model, experiment))


# ---- how far an effect is believed
@pytest.mark.parametrize(
    ("said", "used"),
    [
        ({"multiply": number(0.5)}, 0.5),  # an assumption is what is asked
        ({"multiply": {"value": 0.5, "source": "trial", "grade": "D"}}, 0.5**0.25),
        ({"multiply": {"value": 0.5, "source": "trial", "grade": "B"}}, 0.5**0.75),
        ({"multiply": {"value": 0.5, "source": "trial", "grade": "B"}, "evidence": "what-if"}, 0.5),
        ({"multiply": number(0.5), "evidence": "graded"}, 0.5**0.25),
    ],
)
def test_only_evidence_is_shrunk(said: dict[str, Any], used: float) -> None:
    experiment = on_toy({"effects": [{"on": "rise", **said}]})
    assert believed(experiment.strategies[0], experiment.shrinkage).effects[0].multiply.value == used
    told = effects_as_used(experiment)
    assert len(told) == (used != 0.5)
    assert all(f"× 0.5 asked, × {used:.3g} used" in sentence for sentence in told)


def test_an_interval_that_nothing_would_use_is_refused() -> None:
    asked = {"on": "rise", "multiply": {**number(0.5), "low": 0.4, "high": 0.9}}
    for evidence in ({}, {"evidence": "what-if"}):
        with pytest.raises(BadInput, match="its interval would not be used: leave out low and high"):
            on_toy({"effects": [{**asked, **evidence}]})
    on_toy({"effects": [{**asked, "evidence": "graded"}]})


def test_what_is_said_of_an_effect_does_not_move_what_it_draws() -> None:
    number_of = {"value": 0.8, "low": 0.6, "high": 0.9, "source": "trial", "grade": "B"}

    def draws(**said: Any) -> dict[int, float]:
        effect = Effect.model_validate({"on": "rise", "multiply": number_of, **said})
        return effect_draws(Strategy(name="s", title="S", start="2014-01-01", effects=(effect,)), 1, 3)  # type: ignore[arg-type]

    assert draws() == draws(evidence="graded", deliberate=True)


# ---- sizes, signs, dates
@pytest.mark.parametrize(
    ("times", "words"),
    [
        (20, "20 % of what it is now is 0.2, 20 % more is 1.2, 20 % less is 0.8"),
        (6, "multiply is 6, 6 times as fast"),
        (0.1, "10 % more is 1.1, 10 % less is 0.9"),
        (0, "multiply is 0, which stops it; say deliberate = true"),
        (5, None),
        (0.2, None),
    ],
)
def test_an_effect_out_of_all_proportion_is_meant_or_refused(times: float, words: str | None) -> None:
    asked = {"on": "rise", "multiply": number(times)}
    if words is None:
        on_toy({"effects": [asked]})
    else:
        with pytest.raises(BadInput) as refused:
            on_toy({"effects": [asked]})
        assert words in str(refused.value)
        on_toy({"effects": [{**asked, "deliberate": True}]})


@pytest.mark.parametrize("field", ["gbp_per_year", "one_off_gbp"])
def test_a_cost_below_nought_says_where_the_money_comes_from(field: str) -> None:
    with pytest.raises(BadInput, match=rf"e: strategies\[0\].{field}: a cost below 0 is income, got -5"):
        on_toy({field: number(-5)})
    on_toy({field: {**number(-5), "note": "a grant"}})


@pytest.mark.parametrize(
    ("start", "words"),
    [
        ("2013-03-31", "2013-03-31 is before the first day of the model, 2013-04-01"),
        ("2013-04-01", None),
        ("2015-03-31", None),
        ("2015-04-01", "2015-04-01 is not before the end of the run, 2015-04-01, after 2 years"),
    ],
)
def test_a_strategy_starts_within_the_run(toy: Model, start: str, words: str | None) -> None:
    faults = [str(fault) for fault in start_faults(on_toy({"start": start}), toy)]
    assert faults == ([] if words is None else faults[:1])
    assert words is None or (faults[0].startswith("strategies[0].start: ") and words in faults[0])


def test_a_one_off_cost_before_the_first_day_is_refused(toy: Model) -> None:
    def early(data: dict[str, Any]) -> None:
        data["programmes"] = [{"name": "p", "start": "2013-03-01", "one_off_gbp": number(1000)}]

    with pytest.raises(BadInput, match=r"programmes\[0\].start: 2013-03-01 is before the first day of the model"):
        changed(toy, early)


# ---- warnings
@pytest.mark.parametrize(
    ("path", "to", "words"),
    [
        ("contracts.dear.gbp_per_day", 630, "7 times that: is it a price by the week where one by the day stands?"),
        ("contracts.cheap.gbp_per_week", 20, "1/7 of that: is it a price by the day where one by the week stands?"),
        ("contracts.dear.gbp_per_day", 32850, "is it a price by the year where one by the day stands?"),
        ("contracts.dear.gbp_per_day", 0, "set to £0, against £90 today"),
        ("contracts.dear.gbp_per_day", 450, "£450, against £90 today, 5 times that"),
        ("front_door.all.gbp_per_review", 30, "1/5 of that"),
        ("contracts.dear.gbp_per_day", 350, None),
        ("front_door.all.step_up_first", 0.01, None),  # not a price
    ],
)
def test_a_price_far_from_todays_is_told(toy: Model, path: str, to: float, words: str | None) -> None:
    told = cautions(on_toy({"changes": [{"path": path, "to": number(to)}]}), toy)
    assert len(told) == (words is not None)
    assert words is None or (told[0].startswith(f"s: changes[0]: {path} is set to £") and words in told[0])


def test_a_contract_by_the_week_written_by_the_day_is_told(toy: Model) -> None:
    weekly = {"name": "weekly", "terms": [{"kind": "per_diem", "gbp_per_day": number(630)}]}
    put = {"contracts": [{"service": "care_home", "contract": "weekly"}]}
    told = cautions(on_toy(put, contracts=[weekly]), toy)
    assert any("'weekly' pays £630.00 a day for 'care_home'" in s and "by the week" in s for s in told)


def test_a_ramp_that_is_not_complete_and_names_that_add_nobody_are_told(toy: Model) -> None:
    late = on_toy(
        {"ramp_days": 730, "effects": [{"on": "leaving", "stages": ["young", "adult"], "multiply": number(2)}]}
    )
    assert cautions(late, toy) == (
        "s: effects[0].stages: 'adult' adds nothing, as no 'leaving' clock runs for anybody there",
        "s: its ramp is complete on 2016-01-01 only, after the end of the run on 2015-04-01",
    )


# ---- responses to money
def test_a_contract_tried_on_somebody_of_whom_nothing_is_said_meets_the_shipped_response(toy: Model) -> None:
    experiment = on_toy(UNDER_TAPER, contracts=[TAPER])
    whole = extended_for(toy, experiment)
    homes, council = (next(p for p in whole.providers if p.name == name) for name in ("homes", "council"))
    response = response_of(whole, homes)
    assert response is not None and response_of(whole, council) is None
    assert (response.eta.value, response.eta.grade, response.horizon_days.value) == (1, "C", 60)
    assert response.eta.source in whole.sources
    told = experiment_cautions(experiment, whole)
    assert len(told) == 1 and "it responds as the shipped row for independent providers says" in told[0]


def test_whoever_says_that_nobody_responds_is_believed(toy: Model) -> None:
    none = {"name": "none", "owners": ["independent"], "eta": number(0), "horizon_days": number(60)}
    none |= {"avoidable_share": number(0.7), "occupancy": number(0.9)}
    experiment = on_toy(UNDER_TAPER, contracts=[TAPER], responses=[none])
    assert [row.name for row in extended_for(toy, experiment).responses] == ["none"]
    assert cautions(experiment, toy) == ()


def test_a_model_on_which_no_contract_is_tried_stays_as_it_is(toy: Model) -> None:
    assert extended_for(toy, on_toy({})).responses == toy.responses == ()


def test_who_cannot_respond_is_told(toy: Model) -> None:
    def still(data: dict[str, Any]) -> None:
        data["clocks"] = [row for row in data["clocks"] if row["clock"] != "step_down"]

    model, experiment = changed(toy, still), on_toy(UNDER_TAPER, contracts=[TAPER])
    assert extended_for(model, experiment).responses == ()
    assert ["nothing to respond with: only what is paid changes" in said for said in cautions(experiment, model)] == [
        True
    ]


def test_a_model_whose_own_contract_rewards_something_says_who_does_not_respond(toy: Model) -> None:
    def tapered(data: dict[str, Any]) -> None:
        data["contracts"] = [*data["contracts"], TAPER]
        data["providers"][1]["offers"][0]["contract"] = "taper"

    assert model_cautions(toy) == ()
    told = model_cautions(changed(toy, tapered))
    assert len(told) == 1
    assert "no row of [[responses]] speaks for 'homes', under the contract 'taper'" in told[0]
