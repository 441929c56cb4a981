"""What is not known, from the rows of a model to the answers: held against closed forms, and against made-up truths."""

from __future__ import annotations

import datetime as dt
import math
from functools import cache
from typing import Any

import numpy as np
import polars as pl
import pytest
from scipy.stats import norm

from simcare.decide.comparison import Comparison, compare
from simcare.decide.prediction import prediction_interval
from simcare.files.load import load_model
from simcare.files.parsing import parse
from simcare.model import Model
from simcare.model.strategy import Experiment
from tests.support.paths import SUPPORT

pytestmark = pytest.mark.xdist_group("unknowns")  # what is carried out once is shared

GUESS = {"source": "assumption", "grade": "D"}
FULL = {grade: {"value": 1, **GUESS} for grade in "ABCD"}
PEOPLE, DAYS = 100, 365
TODAY, OTHER = (10.0, 1.0), (9.5, 2.0)  # mean and standard deviation of two prices, £ a day
REPLICATIONS = 200
RUNS, TRUTHS = 5, 200  # of 60 replications each


def row(name: str, price: tuple[float, float]) -> dict[str, Any]:
    prior = {"kind": "normal", "mean": price[0], "sd": price[1], **GUESS}
    return {"name": name, "title": name.title(), "set": [f"contracts.{name}.gbp_per_day"], "prior": prior}


def hundred() -> dict[str, Any]:
    """A hundred people in a service for a year, whom nothing happens to; prices do not grow."""
    tables = load_model(SUPPORT / "cases" / "console-rounding" / "mid.toml").model_dump(by_alias=True)
    tables["about"]["start"] = dt.date(2013, 4, 1)
    for name in ("growth_per_year", "inflation_per_year"):
        tables["prices"][name] = {"value": 0, **GUESS}
    return tables


@cache
def linear() -> Comparison:
    """A hundred people who stay, at a price or at another one, neither of them known: the difference in cost is
    36,500 (other - today), and chance has no part in it."""
    tables = hundred()
    (flat,) = tables["contracts"]
    tables["contracts"] = [{**flat, "name": "today"}, {**flat, "name": "other"}]
    tables["providers"][0]["offers"][0]["contract"] = "today"
    tables["uncertain"] = [row("today", TODAY), row("other", OTHER)]
    service = tables["services"][0]["name"]
    strategy = {
        "name": "change", "title": "Change", "start": dt.date(2013, 4, 1),
        "contracts": [{"service": service, "contract": "other"}],
    }  # fmt: skip
    experiment = {
        "name": "linear", "title": "Linear", "model": "x", "years": 1, "replications": REPLICATIONS,
        "shrinkage": FULL, "strategies": [strategy], "seed": 7,
    }  # fmt: skip
    return compare(Experiment.model_validate(experiment), model=parse(Model, tables, "x.toml"), workers=1)


def near(what: str, found: float, theory: float, error: float) -> None:
    """A number lies within four of its standard errors of theory."""
    print(f"{what}: {found:.5g} against {theory:.5g}, standard error {error:.2g}")
    assert abs(found - theory) <= 4 * error, what


def of(frame: pl.DataFrame, **equal: str) -> dict[str, Any]:
    (found,) = frame.filter(*(pl.col(name) == value for name, value in equal.items())).to_dicts()
    return found


SIZE = PEOPLE * DAYS
MEAN = SIZE * (OTHER[0] - TODAY[0])
SD = SIZE * math.hypot(OTHER[1], TODAY[1])


def unit_loss(mean: float, sd: float) -> float:
    """E max(0, X) - max(0, E X) of a normal net benefit: the value of knowing it."""
    z = mean / sd
    return sd * float(norm.pdf(z)) + mean * float(norm.cdf(z)) - max(mean, 0.0)


def test_the_difference_is_spread_as_the_rows_say() -> None:
    found = of(linear().differences, strategy="change", measure="cost_council")
    near("mean", found["difference"], MEAN, SD / math.sqrt(REPLICATIONS))
    for share, end in ((0.05, "prediction_low"), (0.95, "prediction_high")):
        at = norm.ppf(share)
        error = SD * math.sqrt(share * (1 - share) / REPLICATIONS) / norm.pdf(at)
        near(end, found[end], MEAN + SD * at, float(error))
    better = float(norm.cdf(-MEAN / SD))
    near("better", found["chance_better"], better, math.sqrt(better * (1 - better) / REPLICATIONS))
    saves = of(linear().answers.chances, strategy="change", question="saves")
    assert saves["chance"] == found["chance_better"]
    assert found["monte_carlo_error"] == pytest.approx(SD / math.sqrt(REPLICATIONS), rel=0.15)


def test_the_parts_of_the_spread_are_those_of_the_rows() -> None:
    for name, (_, sd) in (("today", TODAY), ("other", OTHER)):
        part = of(linear().answers.shares, measure="cost_council", level="cause", name=name)
        near(name, part["share"], (SIZE * sd / SD) ** 2, part["error"])
        assert part["above_noise"]
    chance = of(linear().answers.shares, measure="cost_council", level="kind", name="chance")
    near("chance", chance["share"], 0.0, chance["error"])
    assert chance["error"] < 0.08
    bar = of(linear().answers.tornado, measure="cost_council", name="other")
    for end, side in (("mean_at_low", -1), ("mean_at_high", 1)):
        expected = MEAN + side * SIZE * OTHER[1] * float(norm.ppf(0.95))
        near(end, bar[end], expected, bar[f"error_at_{end.rpartition('_')[2]}"])
    assert bar["changes_sign"]


def test_knowing_is_worth_what_the_closed_form_says() -> None:
    everything = of(linear().answers.information, level="everything")
    near("everything", everything["value"], unit_loss(-MEAN, SD), everything["error"])
    for name, (_, sd) in (("today", TODAY), ("other", OTHER)):
        known = of(linear().answers.information, level="cause", name=name)
        near(name, known["value"], unit_loss(-MEAN, SIZE * sd), known["error"])


@cache
def futures() -> np.ndarray[Any, Any]:
    """Differences in cost to the council of a hundred people who leave by chance, at a rate and at a price that are not
    known, under an effect that is not known either."""
    tables = hundred()
    rate = {"clock": "leaving", "needs": ["community"], "per_year": {"value": 1, **GUESS}}
    wide = {"kind": "lognormal", "median": 1, **GUESS}
    tables["clocks"] = [rate]
    tables["uncertain"] = [
        {"name": "price", "title": "P", "scale": ["contracts.*.gbp_per_day"], "prior": {**wide, "sd_log": 0.3}},
        {"name": "leaving", "title": "L", "multiply": {"on": "leaving"}, "prior": {**wide, "sd_log": 0.4}},
    ]
    multiply = {"value": 1.3, "low": 0.9, "high": 1.9, **GUESS}
    strategy = {
        "name": "sooner", "title": "S", "start": dt.date(2013, 4, 1),
        "effects": [{"on": "leaving", "multiply": multiply, "evidence": "graded"}],
    }  # fmt: skip
    experiment = {
        "name": "truths", "title": "T", "model": "x", "years": 1, "replications": 60 * RUNS, "seed": 3,
        "shrinkage": FULL, "strategies": [strategy],
    }  # fmt: skip
    found = compare(Experiment.model_validate(experiment), model=parse(Model, tables, "x.toml"), workers=1).totals
    by_strategy = found.pivot(on="strategy", index="replication", values="cost_council").sort("replication")
    return by_strategy["sooner"].to_numpy() - by_strategy["baseline"].to_numpy()


def test_nine_in_ten_made_up_truths_lie_in_an_interval_that_does_not_know_them() -> None:
    runs = np.split(futures(), RUNS)
    inside = 0
    for mine, others in zip(runs, (*runs[1:], runs[0]), strict=True):
        low, high = prediction_interval(mine)
        assert low is not None
        assert high is not None
        truths = others[: TRUTHS // RUNS]  # drawn from the priors, each with its own chance; the interval knows none
        inside += int(((truths >= low) & (truths <= high)).sum())
    print(f"{inside} of {TRUTHS} truths inside")
    assert 0.86 <= inside / TRUTHS <= 0.94
