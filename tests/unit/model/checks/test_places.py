"""Places, teams and hand-overs that cannot be are refused with their path."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from simcare.errors import BadInput
from simcare.files.load import load_model
from simcare.model import Model
from tests.support.paths import TOY_LIMITS
from tests.support.toy_models import changed, number

TOY = TOY_LIMITS


@pytest.fixture(scope="module")
def toy() -> Model:
    return load_model(TOY)


def offer(data: dict[str, Any], provider: str, service: str) -> dict[str, Any]:
    found = next(row for row in data["providers"] if row["name"] == provider)
    offers = [dict(row) for row in found["offers"]]
    found["offers"] = offers
    return next(row for row in offers if row["service"] == service)


def too_few(data: dict[str, Any]) -> None:
    offer(data, "homes", "care_home")["places"] = number(79)


def never_a_place(data: dict[str, Any]) -> None:
    offer(data, "homes", "supported_living")["places"] = number(0)


def nobody_of_the_group(data: dict[str, Any]) -> None:
    data["groups"] = [*data["groups"], {"name": "ghosts"}]
    data["services"] = [*data["services"], {"name": "haunted", "tier": "placement", "groups": ["ghosts"]}]
    homes = next(row for row in data["providers"] if row["name"] == "homes")
    homes["offers"] = [*homes["offers"], {"service": "haunted", "contract": "dear", "weight": number(1)}]


def to_nowhere(data: dict[str, Any]) -> None:
    data["groups"] = [*data["groups"], {"name": "ghosts"}]
    data["services"] = [{**row, "groups": row.get("groups") or ["general", "disabled"]} for row in data["services"]]
    data["handovers"] = [{**data["handovers"][0], "to_group": "ghosts"}]


def negative_hours(data: dict[str, Any]) -> None:
    data["teams"] = [{**data["teams"][0], "hours_per_week": number(-1)}]


def negative_places(data: dict[str, Any]) -> None:
    offer(data, "council", "reablement")["places"] = number(-3)


def two_teams(data: dict[str, Any]) -> None:
    data["teams"] = [*data["teams"], {**data["teams"][0], "name": "again"}]


def wrong_area(data: dict[str, Any]) -> None:
    offer(data, "beds", "reablement")["area"] = "nroth"


def spot_without_places(data: dict[str, Any]) -> None:
    del offer(data, "beds", "reablement")["places"]


def gap_without_days(data: dict[str, Any]) -> None:
    data["handovers"] = [{key: value for key, value in data["handovers"][0].items() if key != "gap_days"}]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (
            too_few,
            (
                "providers[1].offers[0].places: 80 people are in 'care_home' on day 0, 1 more than there are places for"
                " them"
            ),
        ),
        (never_a_place, "providers[1].offers[1].places: nobody may enter 'supported_living': it never has a place"),
        (nobody_of_the_group, "services[5].groups: nobody may enter 'haunted'"),
        (to_nowhere, "handovers[0].to_group: a transition to nowhere: no service takes group 'ghosts' at age 18"),
        (negative_hours, "teams[0].hours_per_week: cannot be negative, got -1"),
        (negative_places, "providers[0].offers[1].places: cannot be negative, got -3"),
        (two_teams, "teams[2]: assessments for young, general, north are already given to teams[0] 'door'"),
        (wrong_area, "providers[2].offers[0].area: unknown 'nroth', did you mean 'north'?"),
        (spot_without_places, "providers[2].offers[0]: spot_premium is for places beyond a number: give places"),
        (gap_without_days, "handovers[0]: supported needs gap_days"),
    ],
)
def test_what_cannot_be_is_refused_with_its_path(
    toy: Model, change: Callable[[dict[str, Any]], None], sentence: str
) -> None:
    with pytest.raises(BadInput) as refused:
        changed(toy, change)
    assert any(line.startswith(f"toy: {sentence}") for line in refused.value.faults), refused.value.faults
