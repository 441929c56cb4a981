"""A switch gives a valid model that holds nothing of its mechanism."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from simcare.files.digests import fingerprint
from simcare.files.load import load_experiment, load_model
from simcare.files.parsing import parse
from simcare.mechanisms.switches import SWITCHES, numbers_behind, switched_off
from simcare.model import Model
from simcare.model.overlay import added, apply_strategy, extended_by
from simcare.model.response import Response
from simcare.model.strategy import believed
from simcare.runs.run import run
from tests.support.paths import ROOT, TOY, TOY_LIMITS

LIMITS = TOY_LIMITS
MODELS = sorted(path.stem for path in (ROOT / "models").glob("*.toml"))
BY_NAME = {mechanism.name: mechanism for mechanism in SWITCHES}


def number(value: float) -> dict[str, Any]:
    return {"value": value, "source": "assumption", "grade": "D"}


def revalidated(model: Model) -> Model:
    return parse(Model, model.model_dump(by_alias=True), model.about.name)


@pytest.mark.parametrize("name", [*MODELS, str(TOY), str(LIMITS)], ids=lambda name: Path(name).stem)
def test_every_switch_gives_a_valid_model_without_the_mechanism(name: str) -> None:
    model = load_model(name)
    before = fingerprint(model)
    for mechanism in SWITCHES:
        off = mechanism.off(model)
        assert revalidated(off) == off
        assert not mechanism.is_on(off)
        if not mechanism.is_on(model):
            assert mechanism.off(off) == off
    assert fingerprint(model) == before, "a model is a frozen value"
    bare = switched_off(model, SWITCHES)
    assert revalidated(bare) == bare and not any(mechanism.is_on(bare) for mechanism in SWITCHES)


@pytest.mark.parametrize("name", ["prevention", "brakes", "limits", "tiered-tariffs"])
def test_a_switch_also_turns_off_what_a_strategy_turned_on(name: str) -> None:
    experiment, model = load_experiment(name)
    whole = extended_by(model, experiment)
    for strategy in experiment.strategies:
        off = switched_off(apply_strategy(whole, believed(strategy, experiment.shrinkage)), SWITCHES)
        assert not any(mechanism.is_on(off) for mechanism in SWITCHES)
        assert revalidated(off) == off


def test_every_mechanism_names_the_numbers_behind_it() -> None:
    model = load_model("kent-2013-market")
    for mechanism in SWITCHES:
        found = list(numbers_behind(mechanism, model))
        assert found, mechanism.name
        off = [figure for _, figure in numbers_behind(mechanism, mechanism.off(model)) if max(figure.value) > 0]
        assert len(off) < len(found)


def log_of(model: Model, years: int = 2) -> pl.DataFrame:
    log = run(model, years, 1, seed=3, engine="compiled", keep_log=True).log
    assert log is not None
    return log


def totals_of(model: Model) -> dict[str, float]:
    measures = run(model, 2, 1, seed=3, engine="compiled", keep_log=False).measures
    return dict(measures.group_by("measure").agg(pl.col("value").sum()).iter_rows())


def with_and_without(name: str, model: Model) -> tuple[Model, Model]:
    return model, BY_NAME[name].off(model)


def test_without_over_specification_nobody_is_placed_above_need_by_an_assessment() -> None:
    on, off = (
        log_of(m).filter(
            (pl.col("event") == "start")
            & (pl.col("cause") == "assessment")
            & (pl.col("tier").cast(pl.String) != "step_up")
        )
        for m in with_and_without("over_specification", load_model(TOY))
    )
    ladder = ["independent", "community", "placement"]

    def above(log: pl.DataFrame) -> int:
        pairs = zip(log["tier"].cast(pl.String), log["need"].cast(pl.String), strict=True)
        return sum(ladder.index(tier) > ladder.index(need) for tier, need in pairs)

    assert above(on) > 0 == above(off)
    assert off.height > 0


def test_without_learned_dependency_no_need_is_induced() -> None:
    on, off = (totals_of(m) for m in with_and_without("learned_dependency", load_model(TOY)))
    assert on["induced_need_days"] > 0 == off.get("induced_need_days", 0.0)


def test_without_waiting_nobody_waits_and_the_same_people_come() -> None:
    model = load_model(LIMITS)
    on, off = (totals_of(m) for m in with_and_without("waiting", model))
    for measure in ("queue_days", "delayed_days", "spot_days", "unsupported_transitions"):
        assert on[measure] > 0 == off.get(measure, 0.0), measure
    assert off["waiting_days"] < 0.05 * on["waiting_days"], "only those who were referred before the second day wait"
    came = [
        set(log_of(m).filter((pl.col("event") == "referral") & (pl.col("cause") == "new"))["client"])
        for m in with_and_without("waiting", model)
    ]
    assert came[0] == came[1]
    late = log_of(BY_NAME["waiting"].off(model)).filter(pl.col("time") > 40)
    referred = late.filter(pl.col("event") == "referral").select("client", "time")
    assessed = late.filter(pl.col("event") == "assessed").select("client", "time")
    same_day = referred.join(assessed, on=["client", "time"], how="semi").height
    assert same_day > 0.3 * referred.height, "who is not sent home with advice is assessed on the day"


def test_without_failure_demand_a_crisis_is_sudden_or_brings_a_newcomer() -> None:
    on, off = (
        log_of(m).filter(pl.col("event") == "crisis")["cause"].cast(pl.String).to_list()
        for m in with_and_without("failure_demand", load_model(TOY))
    )
    assert "hazard" in set(on)
    assert set(off) == {"at_once"}


def answering() -> Model:
    values = {"eta": 1.5, "horizon_days": 60, "avoidable_share": 0.3, "occupancy": 0.6}
    row = Response.model_validate(
        {"name": "homes", "owners": ["independent"], **{name: number(value) for name, value in values.items()}}
    )
    return added(load_model(TOY), (), (row,), {})


def test_without_the_answer_to_money_providers_do_as_if_the_file_said_nothing_of_it() -> None:
    on, off = (totals_of(m) for m in with_and_without("provider_holding", answering()))
    silent = totals_of(load_model(TOY))
    assert on["cost_pv"] != pytest.approx(silent["cost_pv"], rel=1e-6)
    for measure in ("cost_pv", "dependency_days", "person_days", "step_downs"):
        assert off[measure] == pytest.approx(silent[measure], rel=1e-9)
