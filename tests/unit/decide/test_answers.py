"""What one sample of replications answers, where it is too small, and where nothing was drawn."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from simcare.decide.answers import EXPLAINED, Answers, answers_of, causes_of
from simcare.files.load import load_model
from simcare.files.parsing import parse
from simcare.measures.catalogue import SUMMED
from simcare.measures.spread_parts import DEMAND, DRAWN, EFFECT, NOTHING_DRAWN, PARAMETER
from simcare.model import Model
from simcare.model.strategy import Experiment

GUESS = {"source": "assumption", "grade": "D"}
NUMBER = {"value": 1, **GUESS}
COUNT = 60


def experiment(**more: object) -> Experiment:
    effects = [{"on": "arrivals", "multiply": {**NUMBER, "low": 0.8, "high": 1.2}, "evidence": "graded"}]
    data = {
        "name": "e", "title": "E", "model": "mm-infinity", "years": 1, "replications": COUNT,
        "shrinkage": dict.fromkeys("ABCD", NUMBER),
        "strategies": [
            {"name": "s", "title": "Start early", "start": "2013-06-01", "effects": effects},
            {"name": "t", "title": "Nothing", "start": "2013-06-01"},
        ],
    }  # fmt: skip
    return parse(Experiment, data | more, "e")


@pytest.fixture(scope="module")
def model() -> Model:
    return load_model("mm-infinity")


def totals(count: int, cost: np.ndarray, days: np.ndarray) -> pl.DataFrame:
    """Totals in which the strategy "s" makes these differences, and "t" none."""
    base = {name: np.full(count, 1000.0) for name in SUMMED}
    mine = base | {"cost_council": 1000.0 + cost, "dependency_days": 1000.0 + days}
    parts = [
        pl.DataFrame({"strategy": name, "replication": np.arange(count), **values})
        for name, values in (("baseline", base), ("s", mine), ("t", base))
    ]
    return pl.concat(parts)


def rows(kind: str, strategy: str, name: str, values: np.ndarray) -> list[tuple[str, int, str, str, str, float]]:
    return [(strategy, r, "2013-04", kind, name, float(value)) for r, value in enumerate(values)]


def found(model: Model, count: int = COUNT, **more: object) -> tuple[Answers, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(5)
    cost, days = rng.normal(-10, 20, count), rng.normal(-5, 20, count)
    return answers_of(experiment(**more), model, totals(count, cost, days), NOTHING_DRAWN), cost, days


def test_chances_are_counts_of_futures_and_those_of_both_are_of_the_same_future(model: Model) -> None:
    answers, cost, days = found(model, target={"measure": "cost_council", "at_most": -10})
    chances = {(row["strategy"], row["question"]): row["chance"] for row in answers.chances.iter_rows(named=True)}
    assert chances == {
        ("s", "saves"): np.mean(cost < 0), ("s", "less dependency"): np.mean(days < 0),
        ("s", "both"): np.mean((cost < 0) & (days < 0)), ("s", "target"): np.mean(cost <= -10),
        ("t", "saves"): 0, ("t", "less dependency"): 0, ("t", "both"): 0, ("t", "target"): 0,
    }  # fmt: skip
    least, _, _ = found(model, target={"measure": "cost_council", "at_least": -10})
    asked = least.chances.filter((pl.col("question") == "target") & (pl.col("strategy") == "s"))
    assert asked["chance"].item() == np.mean(cost >= -10)


def test_where_nothing_is_drawn_all_is_chance_and_nothing_is_worth_finding_out(model: Model) -> None:
    answers, _, _ = found(model)
    mine = answers.shares.filter((pl.col("strategy") == "s") & (pl.col("measure") == "cost_council"))
    assert dict(mine.select("name", "share").iter_rows()) == {
        "uncertain": 0.0, "effect": 0.0, "demand": 0.0, "chance": 1.0,
    }  # fmt: skip
    assert answers.tornado.is_empty()
    assert answers.information.filter(pl.col("level") == "everything")["value"].item() == 0.0
    assert set(answers.information["level"]) == {"hindsight", "everything", "kind"}
    assert answers.day_prices["strategy"].to_list() == ["s", "t"]


def test_a_sample_that_is_too_small_says_chances_only(model: Model) -> None:
    few, _, _ = found(model, 29)
    assert few.chances.height == 6
    for frame in (few.shares, few.tornado, few.information, few.acceptability, few.front, few.day_prices):
        assert frame.is_empty()
    enough, _, _ = found(model, 30)
    assert not enough.shares.is_empty()


def test_the_causes_of_a_strategy_are_what_it_meets_and_its_own_effects(model: Model) -> None:
    rng = np.random.default_rng(1)
    price, which, effect = rng.lognormal(0, 0.2, COUNT), rng.integers(0, 2, COUNT), rng.standard_normal(COUNT)
    uncertain = [
        {
            "name": "price", "title": "The price", "scale": ["contracts.*.gbp_per_day"],
            "prior": {"kind": "lognormal", "median": 1, "sd_log": 0.2, **GUESS},
        },
        {
            "name": "which", "title": "Which of two", **GUESS,
            "choose": [{"weight": 1}, {"weight": 1, "set": {"arrivals.everyone.per_year": 500}}],
        },
    ]  # fmt: skip
    rowed = parse(Model, model.model_dump(by_alias=True, exclude_none=True) | {"uncertain": uncertain}, "m")
    path = [
        ("baseline", r, f"2013-{m:02}", DEMAND, "jobs", 1.0 + 0.1 * r + 0.1 * m) for r in range(COUNT) for m in (4, 5)
    ]
    each = [
        *rows(PARAMETER, "baseline", "price", price), *rows(PARAMETER, "baseline", "which", which), *path,
        *rows(EFFECT, "s", "effects[0]", effect), *rows(PARAMETER, "s", "price", price),
    ]  # fmt: skip
    drawn = pl.DataFrame(each, DRAWN, orient="row")
    causes, draws = causes_of(experiment(), rowed, drawn, COUNT, "s")
    assert [(cause.name, cause.title, cause.kind, cause.categorical) for cause in causes] == [
        ("price", "The price", "uncertain", False),
        ("which", "Which of two", "uncertain", True),
        ("demand: jobs", "Demand: jobs", "demand", False),
        ("s: effects[0]", "Start early: how strongly it acts on arrivals", "effect", False),
    ]
    right = [price, which, np.log(1.45 + 0.1 * np.arange(COUNT)), effect]
    for column, values in zip(draws.T, right, strict=True):
        assert column == pytest.approx(values)
    of_the_other, _ = causes_of(experiment(), rowed, drawn, COUNT, "t")
    of_all, _ = causes_of(experiment(), rowed, drawn, COUNT)
    assert [cause.kind for cause in of_the_other] == ["uncertain", "uncertain", "demand"]
    assert of_all == causes
    answers = answers_of(experiment(), rowed, totals(COUNT, 50 * np.log(price), effect), drawn)
    mine = answers.shares.filter((pl.col("strategy") == "s") & (pl.col("level") == "cause"))
    first = mine.group_by("measure", maintain_order=True).first()
    tops = dict(first.select("measure", "name").iter_rows())
    assert tops == {"cost_council": "price", "dependency_days": "s: effects[0]"}
    assert set(answers.shares["measure"]) <= set(EXPLAINED)
