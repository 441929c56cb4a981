"""What a strategy may change: every path of the list is one that a change takes, and no other is."""

from __future__ import annotations

import datetime as dt

import pytest

from simcare.errors import BadInput
from simcare.files.load import load_model
from simcare.model.number import Number
from simcare.model.overlay import apply_strategy
from simcare.model.settable import PARTS, clocks_touched, settable_numbers, unit_of
from simcare.model.strategy import Change, Effect, Strategy

MODELS = ("kent-2013-limits", "kent-2013-market", "tests/support/toy.toml")


def strategy(start: dt.date, *changes: Change, effects: tuple[Effect, ...] = ()) -> Strategy:
    return Strategy(name="x", title="x", start=start, changes=changes, effects=effects)


@pytest.mark.parametrize("name", MODELS)
def test_a_change_takes_every_path_that_is_listed_and_gives_back_its_value(name: str) -> None:
    model = load_model(name)
    listed = list(settable_numbers(model))
    changes = [Change(path=one.path, to=Number(value=one.value[0], source="assumption", grade="D")) for one in listed]
    changed = apply_strategy(model, strategy(model.about.start, *changes))
    again = {one.path: (one.value, one.source) for one in settable_numbers(changed)}
    assert again == {one.path: (one.value, "assumption") for one in listed}
    assert len({one.path for one in listed}) == len(listed)
    assert {one.path.partition(".")[0] for one in listed} <= set(PARTS)


@pytest.mark.parametrize("name", MODELS)
def test_every_number_that_is_listed_has_a_unit(name: str) -> None:
    model = load_model(name)
    assert [one.path for one in (*settable_numbers(model), *clocks_touched(model)) if not one.unit] == []


def test_a_number_that_is_not_listed_cannot_be_set() -> None:
    model = load_model("kent-2013")
    path = "services.foster_care.places"
    assert path not in {one.path for one in settable_numbers(model)}
    change = Change(path=path, to=Number(value=1, source="assumption", grade="D"))
    with pytest.raises(BadInput, match="unknown 'places'"):
        apply_strategy(model, strategy(model.about.start, change))


@pytest.mark.parametrize("name", MODELS)
def test_an_effect_takes_every_clock_that_is_listed(name: str) -> None:
    model = load_model(name)
    listed = list(clocks_touched(model))
    number = Number(value=0.5, source="assumption", grade="D")
    effects = []
    for one, clock in zip(listed, model.clocks, strict=True):
        assert one.changed_by == f'an effect with on = "{clock.clock}"'
        assert one.path.startswith(f'on = "{clock.clock}"')
        cells = {key: getattr(clock, key) for key in ("stages", "groups", "needs")}
        effects.append(Effect(on=clock.clock, multiply=number, **cells))
    changed = apply_strategy(model, strategy(model.about.start, effects=tuple(effects)))
    assert len(changed.modifiers) == len(model.modifiers) + len(listed)


def test_the_value_is_the_one_of_the_first_day() -> None:
    model = load_model("tests/support/toy.toml")
    row = model.arrivals[0]
    dated = row.per_year.model_validate(
        [
            {"value": 1.0, "source": "assumption", "grade": "D"},
            {"from": "2013-01-01", "value": 2.0, "source": "assumption", "grade": "D"},
            {"from": "2014-01-01", "value": 3.0, "source": "assumption", "grade": "D"},
        ]
    )
    model = model.model_copy(update={"arrivals": (row.model_copy(update={"per_year": dated}), *model.arrivals[1:])})
    values = {one.path: one.value for one in settable_numbers(model)}
    assert values[f"arrivals.{row.name}.per_year"] == (2.0,)


@pytest.mark.parametrize(
    ("field", "unit"),
    [
        ("gbp_per_day", "£ a day"),
        ("gbp_per_assessment", "£ for each assessment"),
        ("gbp_supported", "£"),
        ("hours_per_week", "hours a week"),
        ("people_per_year", "people a year"),
        ("per_year", "people a year"),
        ("growth_per_year", "share a year"),
        ("exits_per_year", "for each person a year"),
        ("client_share", "share"),
        ("no_such_thing", ""),
    ],
)
def test_the_unit_stands_in_the_name(field: str, unit: str) -> None:
    assert unit_of(field) == unit
