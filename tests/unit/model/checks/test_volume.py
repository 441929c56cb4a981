"""What is more than a run can carry is refused in a sentence that says which number drives it."""

from __future__ import annotations

from typing import Any

import pytest

from simcare.errors import BadInput
from simcare.files.extend import read_model
from simcare.files.parsing import parse
from simcare.model import Model
from simcare.model.checks.volume import MOST_A_DAY
from simcare.rules.candidates import LAYER_BITS
from tests.support.paths import ROOT


def tables(name: str = "tests/support/toy.toml") -> dict[str, Any]:
    return read_model(ROOT / name)


def number(value: Any) -> dict[str, Any]:
    return {"value": value, "source": "assumption", "grade": "D"}


def fault(given: dict[str, Any]) -> str:
    with pytest.raises(BadInput) as caught:
        parse(Model, given, "x.toml")
    return str(caught.value)


def test_the_most_people_a_day_is_what_the_addresses_of_chance_hold() -> None:
    assert (1 << LAYER_BITS) - 1 == MOST_A_DAY


def test_too_many_arrivals_of_a_stratum() -> None:
    given = tables("models/mm-infinity.toml")
    given["arrivals"][0]["per_year"] = number(2e6)
    assert "arrivals[0].per_year: 2,000,000 a year is 5,476 people a day of 'everyone'" in fault(given)


def test_a_season_counts() -> None:
    given = tables("models/mm-infinity.toml")
    given["arrivals"][0]["per_year"] = number(1e6)
    parse(Model, given, "x.toml")
    given["arrivals"][0]["season"] = number([3.0, *[9 / 11] * 11])
    assert "8,214 people a day" in fault(given)


def test_too_many_people_in_all_name_the_row_that_has_most() -> None:
    given = tables()
    for row in given["caseload"][:2]:
        row["count"] = number(6_000_000)
    assert "caseload[0].count" in fault(given)
    assert "a run takes 10,000,000 at most" in fault(given)


@pytest.mark.parametrize("name", ["crisis", "rise", "detection", "step_down"])
def test_a_clock_that_fires_every_minute(name: str) -> None:
    given = tables()
    k = next(k for k, clock in enumerate(given["clocks"]) if clock["clock"] == name)
    rates = given["clocks"][k]["per_year"]["value"]
    given["clocks"][k]["per_year"] = number([1e7] * len(rates) if isinstance(rates, list) else 1e7)
    told = fault(given)
    assert f"clocks[{k}].per_year: a '{name}' clock of 10,000,000 a year for each of" in told
    assert "a rate is for one person" in told


def test_a_clock_that_ends_a_stay_may_be_as_fast_as_it_likes() -> None:
    given = tables("models/mm-infinity.toml")
    given["clocks"][0]["per_year"] = number(1e7)
    parse(Model, given, "x.toml")


@pytest.mark.parametrize(
    ("part", "field", "value", "says"),
    [
        ("front_door", "assessment_days", number(1e9), "is at most 3653 days, ten years, got 1e+09"),
        ("providers", "offers", None, "is at most 10,000,000 places, got 1e+12; leave places out for no limit"),
        ("clocks", None, {"family": "lognormal", "log_mean": number(365), "log_sd": number(1)}, "logarithm of days"),
    ],
)
def test_a_wait_without_end(part: str, field: str | None, value: Any, says: str) -> None:
    given = tables()
    if field is None:
        row = next(row for row in given[part] if row["clock"] == "leaving")
        for key in ("per_year", "scale_days", "shape"):
            row.pop(key, None)
        row |= value
    elif part == "providers":
        given[part][0]["offers"][0]["places"] = number(1e12)
    else:
        given[part][0][field] = value
    assert says in fault(given)


def test_people_in_a_service_that_nobody_offers_where_they_live() -> None:
    given = tables()
    service = given["caseload"][0]["service"]
    for provider in given["providers"]:
        for offer in provider["offers"]:
            if offer["service"] == service:
                offer["area"] = "south"
    given["caseload"][0]["area"] = "north"
    given["caseload"][0]["count"] = number(0)
    assert f"caseload[0].service: no provider offers '{service}' in 'north'" in fault(given)
