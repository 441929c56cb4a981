"""The paired comparison: nobody's replication is lost, one truth for one effect, the interval is that of one more
future."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray
from scipy.stats import t, ttest_1samp

from simcare.decide.comparison import Comparison, compare, differences, effect_draws, totals
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


def paired(found: Comparison, measure: str) -> NDArray[np.float64]:
    """The differences of the strategy "fewer", by hand."""
    base, mine = (
        found.totals.filter(pl.col("strategy") == s).sort("replication")[measure].to_numpy()
        for s in ("baseline", "fewer")
    )
    return np.asarray(mine - base, np.float64)


def test_the_interval_is_that_of_one_more_future() -> None:
    """Of 40 differences: between the second and the third from either end, a twentieth of the way (rank 2.05)."""
    model = load_model("mm-infinity")
    found = compare(experiment([strategy("fewer", effect(0.98))], replications=40), model=model, workers=1)
    cost = paired(found, "cost")
    row = found.differences.filter(pl.col("measure") == "cost").row(0, named=True)
    up, down = np.sort(cost), np.sort(cost)[::-1]
    ends = up[1] + 0.05 * (up[2] - up[1]), down[1] + 0.05 * (down[2] - down[1])
    assert (row["prediction_low"], row["prediction_high"]) == pytest.approx(ends)
    assert row["difference"] == pytest.approx(np.mean(cost))
    below = int((cost < 0).sum())
    assert 20 < below < 40, "both sides have to occur"
    assert (row["chance_lower"], row["chance_better"]) == (below / 40, below / 40)
    assert row["chance_higher"] == int((cost > 0).sum()) / 40
    served = found.differences.filter(pl.col("measure") == "cost_client").row(0, named=True)
    assert served["chance_better"] is None, "neither side of it is better"


def test_the_monte_carlo_error_is_that_of_the_paired_t_test() -> None:
    found = compare(
        experiment([strategy("fewer", effect(0.6))], replications=6), model=load_model("mm-infinity"), workers=1
    )
    row = found.differences.filter(pl.col("measure") == "cost").row(0, named=True)
    interval = ttest_1samp(paired(found, "cost"), 0.0).confidence_interval(0.95)
    half = t.ppf(0.975, 5) * row["monte_carlo_error"]
    assert (row["difference"] - half, row["difference"] + half) == pytest.approx((interval.low, interval.high))
    assert (row["prediction_low"], row["prediction_high"]) == (None, None), "six futures hold no nine in ten"


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

    def width_and_error(e: dict[str, Any]) -> tuple[float, float]:
        found = compare(experiment([strategy("fewer", e)], replications=24), model=model, workers=1)
        row = found.differences.filter(pl.col("measure") == "person_days").row(0, named=True)
        return row["prediction_high"] - row["prediction_low"], row["monte_carlo_error"]

    uncertain, known = width_and_error(effect(0.3, low=0.05, high=1.8)), width_and_error(effect(0.3))
    assert uncertain[0] > 1.5 * known[0]
    assert uncertain[1] > 1.5 * known[1]
