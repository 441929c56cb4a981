"""Every measure that a run gives is in the catalogue, with its words; and the catalogue has no other."""

from __future__ import annotations

from functools import cache

import pytest

from simcare.calibrate.reading import TARGETS
from simcare.errors import BadInput
from simcare.log.by_hand import log_of
from simcare.log.states import prepare, provision, states
from simcare.measures.catalogue import BY_NAME, CATALOGUE, SUMMED, measure_named, names_from
from simcare.money.ledger import AMOUNTS
from simcare.report import wording
from simcare.runs.run import run
from tests.support.paths import TOY_LIMITS

MODELS = ((str(TOY_LIMITS), 5), ("kent-2013-market", 1))

# What only contracts with such sums bring about, and planned moves that wait for a place.
CONDITIONAL = {
    "paid_block", "paid_episode", "paid_step_down", "taken_back", "placed_planned", "waited_days_planned",
    "waited_days_displaced",  # no days of who is placed on the day of the cut
    "paid_programmes",  # a strategy's
}  # fmt: skip


@cache
def given() -> set[str]:
    """The measures of the models in which most can happen: Kent with its market, and a small council whose capacity
    runs out."""
    runs = [run(name, years, 1, engine="compiled", keep_log=False, workers=1) for name, years in MODELS]
    return {name for done in runs for name in done.measures["measure"]}


def test_every_measure_that_a_run_gives_is_in_the_catalogue() -> None:
    assert given() <= BY_NAME.keys()


def test_a_run_gives_every_measure_but_the_conditional_ones() -> None:
    assert BY_NAME.keys() - CONDITIONAL <= given()


def test_names_and_labels_are_there_once_and_every_measure_has_its_meaning() -> None:
    assert len(BY_NAME) == len(CATALOGUE) == len({row.label for row in CATALOGUE})
    for row in CATALOGUE:
        assert row.label
        assert row.meaning.endswith(".")
        assert row.unit in wording.UNITS


def test_a_state_that_is_counted_is_one_of_the_log_s() -> None:
    lived = provision(states(prepare(log_of([{"event": "referral"}], ["independent", "community"])), 30.0))
    counted = [row for row in CATALOGUE if row.source == "days"]
    assert {row.state for row in counted} <= set(lived.columns)
    assert all(bool(row.state) == (row.source == "days") for row in CATALOGUE)


def test_the_ledger_has_the_amounts_of_the_catalogue() -> None:
    assert set(AMOUNTS) == set(names_from("ledger"))


def test_what_is_summed_is_money_days_or_events_and_may_be_a_target() -> None:
    assert set(SUMMED) <= set(TARGETS)
    assert "caseload" not in TARGETS


def test_fewer_days_in_care_are_neither_better_nor_worse() -> None:
    assert measure_named("person_days").better == 0
    assert measure_named("step_downs").better == 1


def test_a_name_that_is_not_there_is_told_with_the_nearest() -> None:
    with pytest.raises(BadInput, match="measure: unknown 'cost_vp', did you mean 'cost_pv'"):
        measure_named("cost_vp")
