"""What a strategy spends on its own items, and what is no cost of its own."""

from __future__ import annotations

import datetime as dt

import polars as pl
import pytest

import simcare
from simcare.decide.programme import own_items, programme_costs
from simcare.files.load import load_experiment
from simcare.model.strategy import Strategy

COLUMNS = ["strategy", "replication", "measure", "service", "value"]


def titles(experiment: str) -> dict[str, list[str]]:
    asked, model = load_experiment(experiment)
    return {s.name: [item.title for item in own_items(s, model)] for s in asked.strategies}


@pytest.mark.parametrize(
    ("experiment", "strategy", "items"),
    [
        ("brakes", "voluntary_groups", ["programme and grants"]),
        ("brakes", "needs_as_they_are", ["programme and grants", "assessments"]),
        ("limits", "assessors", ["programme and grants", "assessments", "reviews"]),
        ("tiered-tariffs", "bonus", ["programme and grants", "sums that contracts pay"]),
    ],
)
def test_a_strategy_names_what_it_spends_on(experiment: str, strategy: str, items: list[str]) -> None:
    assert titles(experiment)[strategy] == items


def test_every_strategy_that_changes_reviews_places_or_transitions_pays_for_them() -> None:
    prevention, limits = titles("prevention"), titles("limits")
    assert any("reviews" in items for items in prevention.values())
    assert any("supported transitions" in items for items in limits.values())
    assert any(len(items) >= 4 for items in limits.values()), "three kinds of places beside the lump"


def test_costs_are_paired_and_signed() -> None:
    _, model = load_experiment("brakes")
    rows = [
        ("baseline", 0, "paid_programmes", None, 5.0),
        ("s", 0, "paid_programmes", None, 9.0),
        ("baseline", 1, "paid_programmes", None, 5.0),
        ("s", 0, "cost", "residential_older", 1000.0),
        ("t", 0, "paid_programmes", None, 77.0),
    ]
    strategy = Strategy(name="s", title="S", start=dt.date(2014, 4, 1))
    found = programme_costs(pl.DataFrame(rows, COLUMNS, orient="row"), strategy, model)
    assert found.rows() == [("programme and grants", 0, 4.0), ("programme and grants", 1, -5.0)]


@pytest.mark.slow
def test_the_parts_of_the_ledger_are_the_cost_of_what_was_bought() -> None:
    """Supported transitions: as many more as are counted, at the price of each; nothing else is their own cost but the
    lump."""
    done = simcare.compare("limits", replications=2, years=2)
    strategy = next(s for s in done.experiment.strategies if any("handovers" in c.path for c in s.changes))
    costs = programme_costs(done.measures, strategy, done.model)
    assert set(costs["item"]) == {"programme and grants", "supported transitions"}
    assert costs.filter(pl.col("item") == "supported transitions")["gbp"].min() > 0
    paid = done.measures.filter(pl.col("measure") == "paid_transitions")
    of = {name: paid.filter(pl.col("strategy") == name)["value"].sum() for name in ("baseline", strategy.name)}
    summed = costs.filter(pl.col("item") == "supported transitions")["gbp"].sum()
    assert summed == pytest.approx(of[strategy.name] - of["baseline"])
