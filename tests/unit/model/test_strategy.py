"""A strategy may change what is limited, and is told which offers there are; experiments run as often as it takes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from simcare.errors import BadInput
from simcare.files.load import load_model
from simcare.files.parsing import parse
from simcare.model import Model
from simcare.model.overlay import apply_strategy
from simcare.model.strategy import Experiment, Strategy, replications_for
from tests.support.paths import TOY_LIMITS
from tests.support.toy_models import number

TOY = TOY_LIMITS


@pytest.fixture(scope="module")
def toy() -> Model:
    return load_model(TOY)


@pytest.mark.parametrize(
    ("path", "to", "read"),
    [
        ("offers.homes.care_home.places", 99, lambda m: m.providers[1].offers[0].places),
        ("offers.beds.reablement.north.places", 7, lambda m: m.providers[2].offers[0].places),
        ("teams.door.hours_per_week", 80, lambda m: m.teams[0].hours_per_week),
        ("hospitals.infirmary.share", 0.1, lambda m: m.hospitals[0].share),
        ("handovers.eighteen.supported", 0.9, lambda m: m.handovers[0].supported),
        ("handovers.eighteen.gap_days", 10, lambda m: m.handovers[0].gap_days),
    ],
)
def test_a_strategy_may_change_what_is_limited(toy: Model, path: str, to: float, read: Callable[[Model], Any]) -> None:
    strategy = Strategy.model_validate(
        {"name": "s", "title": "S", "start": "2014-01-01", "changes": [{"path": path, "to": number(to)}]}
    )
    before = toy.model_dump_json()
    assert read(apply_strategy(toy, strategy)).values[-1] == pytest.approx(to)
    assert toy.model_dump_json() == before


def test_a_strategy_that_names_no_offer_is_told_which_there_are(toy: Model) -> None:
    strategy = Strategy.model_validate(
        {
            "name": "s",
            "title": "S",
            "start": "2014-01-01",
            "changes": [{"path": "offers.homes.care_hoem.places", "to": number(1)}],
        }
    )
    with pytest.raises(BadInput, match=r"did you mean 'homes.care_home'"):
        apply_strategy(toy, strategy)


@pytest.mark.parametrize(
    ("precision", "most", "count"),
    [
        (0.1, 400, 100), (0.05, 400, 400), (0.07, 400, 205), (0.02, 400, 400), (0.02, 5000, 2500), (1.0, 400, 60),
        (0.13, 400, 60), (0.129, 400, 61), (0.1, 80, 80), (0.5, 10, 10),
    ],
)  # fmt: skip
def test_as_many_replications_as_the_precision_asks_for(precision: float, most: int, count: int) -> None:
    """The error of a mean is the spread over the root of their number; at least 60, and never more than the most."""
    assert replications_for(precision, most) == count
    assert count in (60, most) or count**-0.5 <= precision < (count - 1) ** -0.5


GRADES = {grade: number(1) for grade in "ABCD"}
SHORT = {
    "name": "e", "title": "E", "model": "toy", "years": 1, "shrinkage": GRADES,
    "strategies": [{"name": "s", "title": "S", "start": "2014-01-01"}],
}  # fmt: skip


@pytest.mark.parametrize(
    ("said", "count"),
    [
        ({}, 100), ({"precision": 0.125}, 64), ({"precision": 0.08}, 157), ({"most_replications": 70}, 70),
        ({"precision": 0.05}, 400), ({"precision": 0.05, "most_replications": 1000}, 400),
        ({"precision": 0.02, "most_replications": 1000}, 1000), ({"replications": 12}, 12),
        ({"replications": 12, "precision": 0.05}, 12),
    ],
)  # fmt: skip
def test_an_experiment_without_replications_runs_as_many_as_it_takes(said: dict[str, Any], count: int) -> None:
    assert parse(Experiment, SHORT | said, "f.toml").replications == count


@pytest.mark.parametrize(
    ("said", "fault"),
    [
        ({"precision": 0}, "f.toml: precision: "),
        ({"precision": 2}, "f.toml: precision: "),
        ({"precision": "fine"}, "f.toml: precision: "),
        ({"most_replications": 1}, "f.toml: most_replications: "),
        ({"most_replications": 2.5}, "f.toml: most_replications: "),
        ({"target": {"measure": "cost"}}, "f.toml: target: give either at_most or at_least"),
        (
            {"target": {"measure": "cost", "at_most": 1, "at_least": 0}},
            "f.toml: target: give either at_most or at_least",
        ),
    ],
)
def test_a_precision_or_a_target_that_cannot_be_is_the_one_thing_said(said: dict[str, Any], fault: str) -> None:
    with pytest.raises(BadInput) as refused:
        parse(Experiment, SHORT | said, "f.toml")
    (only,) = refused.value.faults
    assert only.startswith(fault)
