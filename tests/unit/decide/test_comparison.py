"""The paired comparison: nobody's replication is lost, one truth for one effect, the interval is Student's."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest
from scipy.stats import ttest_rel

from simcare.decide.comparison import compare, differences, effect_draws, totals
from simcare.files.load import load_model
from simcare.files.parsing import parse
from simcare.model.strategy import Experiment, Strategy

NUMBER = {"value": 1, "source": "assumption", "grade": "D"}


def experiment(strategies: list[dict[str, Any]], **more: Any) -> Experiment:
    grades = {grade: {**NUMBER, "value": weight} for grade, weight in zip("ABCD", (1, 0.75, 0.5, 0.25), strict=True)}
    data = {
        "name": "e",
        "title": "E",
        "model": "mm-infinity",
        "years": 1,
        "replications": 4,
        "shrinkage": grades,
        "strategies": strategies,
    }
    return parse(Experiment, data | more, "e")


def strategy(name: str, *effects: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "title": name, "start": "2013-06-01", "effects": list(effects)}


def effect(multiply: float, **more: Any) -> dict[str, Any]:
    return {
        "on": "arrivals",
        "evidence": "graded",
        "deliberate": True,
        "multiply": {**NUMBER, "value": multiply, **more},
    }


def test_a_replication_in_which_nothing_happens_counts_as_nought() -> None:
    model = load_model("mm-infinity")
    few = model.model_dump(by_alias=True)
    few["arrivals"][0]["per_year"]["steps"][0]["value"] = 1.0
    found = compare(
        experiment([strategy("none", effect(0.0))], replications=12), model=parse(type(model), few, "few"), workers=1
    )
    assert found.totals.group_by("strategy").len()["len"].to_list() == [12, 12]
    cost = found.totals.filter(pl.col("strategy") == "baseline")["cost"]
    assert 0 < (cost == 0).sum() < 12
    row = found.differences.filter(pl.col("measure") == "cost").row(0, named=True)
    assert row["baseline_mean"] == pytest.approx(cost.mean())


def test_the_interval_is_that_of_the_paired_t_test() -> None:
    found = compare(
        experiment([strategy("fewer", effect(0.6))], replications=6), model=load_model("mm-infinity"), workers=1
    )
    cost = {
        s: found.totals.filter(pl.col("strategy") == s).sort("replication")["cost"].to_numpy()
        for s in ("baseline", "fewer")
    }
    row = found.differences.filter(pl.col("measure") == "cost").row(0, named=True)
    interval = ttest_rel(cost["fewer"], cost["baseline"]).confidence_interval(0.95)
    assert (row["low"], row["high"]) == pytest.approx((interval.low, interval.high))
    assert row["difference"] == pytest.approx(np.mean(cost["fewer"] - cost["baseline"]))


def test_the_order_of_replications_does_not_matter() -> None:
    found = compare(experiment([strategy("fewer", effect(0.6))]), model=load_model("mm-infinity"), workers=1)
    again = totals(found.measures.reverse(), ["baseline", "fewer"], 4)
    assert differences(again, ["fewer"])["difference"].to_list() == pytest.approx(
        found.differences["difference"].to_list()
    )


def test_one_effect_in_two_strategies_is_one_truth() -> None:
    shared = effect(0.8, low=0.6, high=0.95)
    alone, together = (
        Strategy.model_validate(strategy(*parts)) for parts in (("one", shared), ("both", effect(0.5), shared))
    )
    assert effect_draws(alone, 1, 3)[0] == effect_draws(together, 1, 3)[1]
    assert effect_draws(alone, 1, 3)[0] != effect_draws(alone, 1, 4)[0]


def test_an_uncertain_effect_widens_the_interval() -> None:
    model = load_model("mm-infinity")

    def se(e: dict[str, Any]) -> float:
        found = compare(experiment([strategy("fewer", e)], replications=8), model=model, workers=1)
        return float(found.differences.filter(pl.col("measure") == "person_days")["se"].item())

    assert se(effect(0.3, low=0.05, high=1.8)) > 1.5 * se(effect(0.3))
