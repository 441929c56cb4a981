"""A strategy may change what is limited, and is told which offers there are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from simcare.errors import BadInput
from simcare.files.load import load_model
from simcare.model import Model
from simcare.model.overlay import apply_strategy
from simcare.model.strategy import Strategy
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
