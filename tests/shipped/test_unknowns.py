"""What is not known of Kent is said in full, and docs/uncertainty.md shows all of it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from simcare.arrays.build import build
from simcare.demand.paths import at_base_demand
from simcare.engine.start import world
from simcare.files.load import load_model
from simcare.model.laying import laid
from simcare.model.left_out import left_out

PAGE = Path(__file__).parents[2] / "docs" / "uncertainty.md"
ROW = re.compile(r"^\| `(?P<name>\w+)` \| (?P<title>.+?) \| (?P<range>.+?) \| .+ \|$", re.MULTILINE)


def rows_of_the_page() -> dict[str, tuple[str, str]]:
    return {found["name"]: (found["title"], found["range"]) for found in ROW.finditer(PAGE.read_text(encoding="utf-8"))}


@pytest.mark.parametrize("name", ["kent-2013", "kent-2013-limits"])
def test_no_weak_number_of_kent_is_taken_for_known(name: str) -> None:
    assert [one.path for one in left_out(load_model(name))] == []


def test_the_page_shows_every_row_by_its_title() -> None:
    rows = load_model("kent-2013").uncertain
    assert {name: title for name, (title, _) in rows_of_the_page().items()} == {row.name: row.title for row in rows}


def test_the_page_shows_factors_as_wide_as_they_are() -> None:
    shown = rows_of_the_page()
    factors = [row for row in load_model("kent-2013").uncertain if row.is_factor and row.prior is not None]
    assert len(factors) > 35
    for row in factors:
        assert row.prior is not None
        low, high = (float(number) for number in re.findall(r"[\d.]+", shown[row.name][1]))
        assert abs(low - row.prior.quantile(0.05)) < 0.006, row.name
        assert abs(high / row.prior.quantile(0.95) - 1) < 0.02, row.name


def test_the_people_of_day_0_are_those_of_kent_at_its_limits_too() -> None:
    here, there = (
        {row.name: row for row in load_model(name).uncertain}["adults_on_day_0"]
        for name in ("kent-2013-limits", "kent-2013")
    )
    assert here.scale == (*there.scale, "offers.council_adults.reablement.places")


@pytest.mark.parametrize("name", ["kent-2013-limits", "kent-2013-market"])
def test_the_people_of_day_0_have_places_whatever_is_drawn(name: str) -> None:
    model = load_model(name)
    people = [row for row in model.uncertain if any(pattern.startswith("caseload.") for pattern in row.scale)]
    assert people
    for row in people:
        for value in row.extremes:
            drawn = at_base_demand(laid(model, [row], {row.name: value}))
            world(drawn, build(drawn), 1, 0, 1.0)
