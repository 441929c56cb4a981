"""The same people meet the same luck: what a strategy does not touch stays as it was, to the last bit."""

from __future__ import annotations

import datetime as dt
from typing import Any

import polars as pl
import pytest

from simcare.files.load import load_model
from simcare.model import Model
from simcare.model.overlay import apply_strategy
from simcare.model.strategy import Strategy
from tests.support.logs import simulate
from tests.support.paths import TOY

DAYS = 3 * 365.0


@pytest.fixture(scope="module")
def toy() -> Model:
    return load_model(TOY)


@pytest.fixture(scope="module")
def baseline(toy: Model) -> pl.DataFrame:
    return simulate(toy, DAYS)


def number(value: float) -> dict[str, Any]:
    return {"value": value, "source": "assumption", "grade": "D"}


def strategy(**parts: Any) -> Strategy:
    return Strategy.model_validate({"name": "s", "title": "S", "start": dt.date(2014, 4, 1), **parts})


def changed(model: Model, **parts: Any) -> Model:
    return Model.model_validate(model.model_dump(by_alias=True) | parts)


def test_the_toy_uses_every_event(baseline: pl.DataFrame) -> None:
    from simcare.rules.codes import EVENTS, QUEUED

    # Its people come by referral and crisis, and nothing runs out: queues and hospitals: unit/rules/test_events.py.
    assert set(baseline["event"].unique()) == set(EVENTS[:QUEUED]) - {"arrival"}


@pytest.mark.parametrize(
    "idle",
    [
        {},
        {
            "effects": [
                {"on": clock, "multiply": number(1)}
                for clock in ("rise", "recover", "death", "leaving", "crisis", "step_down", "arrivals")
            ],
            "ramp_days": 200,
        },
        {"changes": [{"path": "services.care_home.review_every_days", "to": number(365)}]},
        {"changes": [{"path": "front_door.all.step_up_first", "to": number(0.3)}], "ramp_days": 300},
        {"gbp_per_year": number(1_000_000)},
    ],
)
def test_a_strategy_with_no_effect_is_bit_identical(toy: Model, baseline: pl.DataFrame, idle: dict[str, Any]) -> None:
    assert simulate(apply_strategy(toy, strategy(**idle)), DAYS).equals(baseline)


@pytest.mark.parametrize(
    "active",
    [
        {"effects": [{"on": "rise", "multiply": number(0.5)}], "ramp_days": 180},
        {"effects": [{"on": "arrivals", "multiply": number(1.7)}]},
        {"changes": [{"path": "services.care_home.review_every_days", "to": number(91)}]},
        {"changes": [{"path": "front_door.all.step_up_first", "to": number(0.9)}]},
    ],
)
def test_until_a_strategy_starts_nothing_differs(toy: Model, baseline: pl.DataFrame, active: dict[str, Any]) -> None:
    after = simulate(apply_strategy(toy, strategy(**active)), DAYS)
    before = pl.col("time") < 365.0
    assert after.filter(before).equals(baseline.filter(before))
    assert not after.equals(baseline)


def test_fewer_arrivals_are_a_part_of_the_same_people(toy: Model, baseline: pl.DataFrame) -> None:
    fewer = simulate(apply_strategy(toy, strategy(effects=[{"on": "arrivals", "multiply": number(0.5)}])), DAYS)
    assert set(fewer["client"].unique()) < set(baseline["client"].unique())
    everyone = simulate(apply_strategy(toy, strategy(effects=[{"on": "arrivals", "multiply": number(2.5)}])), DAYS)
    assert set(baseline["client"].unique()) < set(everyone["client"].unique())


def test_arrivals_of_one_need_thin_that_need_only(toy: Model, baseline: pl.DataFrame) -> None:
    fewer = simulate(
        apply_strategy(
            toy,
            strategy(effects=[{"on": "arrivals", "needs": ["placement"], "multiply": number(0.0), "deliberate": True}]),
        ),
        DAYS,
    )
    first = baseline.group_by("client", maintain_order=True).first()
    kept = set(first.filter((pl.col("time") < 365) | (pl.col("need") != "placement"))["client"])
    assert set(fewer["client"].unique()) == kept


def test_one_extra_person_changes_nobody_else(toy: Model, baseline: pl.DataFrame) -> None:
    rows = [row.model_dump(by_alias=True) for row in toy.caseload]
    rows[0]["count"]["value"] += 1
    more = simulate(changed(toy, caseload=rows), DAYS)
    extra = set(more["client"].unique()) - set(baseline["client"].unique())
    assert len(extra) == 1
    assert more.filter(~pl.col("client").is_in(list(extra))).equals(baseline)


def test_one_extra_stratum_changes_nobody_else(toy: Model, baseline: pl.DataFrame) -> None:
    rows = [row.model_dump(by_alias=True) for row in toy.arrivals]
    more = simulate(changed(toy, arrivals=[{**rows[1], "name": "more of them"}, *rows]), DAYS)
    known = baseline["client"].unique().implode()
    assert more.filter(pl.col("client").is_in(known)).equals(baseline)


def test_a_change_in_one_area_leaves_the_other_untouched(toy: Model, baseline: pl.DataFrame) -> None:
    rows = [row.model_dump(by_alias=True) for row in toy.arrivals]
    for row in rows:
        if row["area"] == "north":
            row["per_year"]["steps"][0]["value"] *= 2
    more = simulate(changed(toy, arrivals=rows), DAYS)
    south = pl.col("area") == "south"
    assert more.filter(south).equals(baseline.filter(south))
    assert more.filter(~south).height > baseline.filter(~south).height


def test_one_extra_draw_changes_no_other_purpose(toy: Model) -> None:
    """Other luck with assessors leaves the clocks of need as they were (but for rounding: budgets are spent in other
    parts)."""
    quiet = changed(
        toy, clocks=[c.model_dump(by_alias=True) for c in toy.clocks if c.clock in ("rise", "recover")], need=[]
    )
    doors = [door.model_dump(by_alias=True) for door in quiet.front_door]
    doors[0]["over_specified"]["steps"][0]["value"] = 0.6
    other = changed(quiet, front_door=doors)
    needs = [
        simulate(model, DAYS).filter(pl.col("event").is_in(["rise", "fall"])).select("client", "time", "event", "need")
        for model in (quiet, other)
    ]
    assert needs[0].drop("time").equals(needs[1].drop("time"))
    assert needs[0]["time"].to_numpy() == pytest.approx(needs[1]["time"].to_numpy(), abs=1e-8)


def test_replications_and_seeds_differ(toy: Model, baseline: pl.DataFrame) -> None:
    assert not simulate(toy, DAYS, replication=1).drop("replication").equals(baseline.drop("replication"))
    assert not simulate(toy, DAYS, seed=2).equals(baseline)


def test_another_wait_from_day_0_meets_the_same_people(toy: Model, baseline: pl.DataFrame) -> None:
    """Those who come from day 0 on are the same, at the same times, whatever the wait was before it."""
    doors = [door.model_dump(by_alias=True) for door in toy.front_door]
    doors[0]["assessment_days"]["steps"][0]["value"] = 14
    faster = simulate(changed(toy, front_door=doors), DAYS)
    new = [log.filter(pl.col("cause") == "new").select("client", "time", "need", "age") for log in (baseline, faster)]
    assert new[0].equals(new[1])


def test_who_is_there_on_day_0_has_reviews_counted_from_the_first_one(toy: Model) -> None:
    rows = [row.model_dump(by_alias=True) for row in toy.caseload]
    rows[0]["elapsed"] = {"edges_days": [50, 50.000001], "shares": [1], "source": "assumption", "grade": "D"}
    rows[0]["needs"]["value"] = [0, 0, 1]
    rows[0]["ages"] = {"edges": [5, 10], "shares": [1], "source": "assumption", "grade": "D"}
    quiet = changed(toy, clocks=[], arrivals=[], caseload=rows[:1], handovers=[], front_door=[])
    log = simulate(quiet, 400.0).filter(pl.col("event") == "review")
    assert log["time"].round(3).unique().sort().to_list() == [42 + 182 - 50, 42 + 2 * 182 - 50]
