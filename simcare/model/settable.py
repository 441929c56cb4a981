"""What a strategy may change of a model: the numbers that a change sets, and the clocks and arrivals that an effect
speeds up or slows down."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from pydantic import BaseModel

from simcare.model.fields import ModelFields
from simcare.model.number import DatedNumber, Number, Numbers
from simcare.model.parts import Arrivals, Clock, Need
from simcare.model.response import Response

PARTS = (  # whose numbers a change may set, by part.name.field
    *("services", "contracts", "offers", "teams", "hospitals", "front_door", "handovers", "arrivals", "need"),
    *("responses", "voluntary"),
)
FROM_START = "a change, from the strategy's start on"
FROM_FIRST_DAY = "a change in a scenario, or in a strategy that starts on the model's first day"
THROUGHOUT = "a change, for the whole run"
UNITS = (  # how the name of a number says what it counts; the first that fits
    (r"altruism_gbp_per_rung_day", "£ a day for each tier"),
    (r"gbp_per_(day|week|year)", "£ a {}"),
    (r"gbp_per_(\w+)", "£ for each {}"),
    (r"gbp(?:_\w+)?", "£"),
    (r"hours_per_week", "hours a week"),
    (r"hours_per_(\w+)", "hours for each {}"),
    (r"people_per_year", "people a year"),
    (r"places", "places"),
    (r"growth_per_year|discount_per_year", "share a year"),
    (r"(?:return|unready_return|exits)_per_year", "for each person a year"),
    (r"per_year", "people a year"),
    (r"(?:\w+_)?days", "days"),
    (r"weight", "weight beside other offers"),
    (r"quality", "0 is average"),
    (r"frailty_variance|eta_log_sd|eta", "strength"),
    (r"(?:\w+_)?(?:recovery|rise)", "times as fast"),
    (r"spot_premium|\w+_share|share|\w+_specified|step_up_first|to_step_up|held_back", "share"),
    (r"keeps_need|supported|crisis_at_once|occupancy", "share"),
)


class SettableNumber(NamedTuple):
    """A number that a strategy may change: where, what it is on the model's first day, and by which means."""

    path: str
    value: tuple[float, ...]
    unit: str
    source: str
    grade: str
    changed_by: str


def fields_settable(target: BaseModel) -> list[str]:
    """The numbers of a part that a change may set. Those of a part that is not dated hold throughout."""
    kind = Number if holds_throughout(target) else DatedNumber
    return [name for name in type(target).model_fields if isinstance(getattr(target, name), kind)]


def holds_throughout(target: BaseModel) -> bool:
    """Whether a number of this part is not dated: it holds for a whole run."""
    return isinstance(target, Response | Need)


def settable_numbers(model: ModelFields) -> Iterator[SettableNumber]:
    """Every number of a model that a change of a strategy or scenario may set, by its path.

    >>> from simcare.files.load import load_model
    >>> [(one.path, one.value, one.unit) for one in settable_numbers(load_model("mm-infinity"))][1]
    ('arrivals.everyone.per_year', (400.0,), 'people a year')
    """
    for name, target in _rows(model):
        for field in fields_settable(target):
            number = getattr(target, field)
            step = _on_first_day(number, model) if isinstance(number, DatedNumber) else number
            how = FROM_FIRST_DAY if isinstance(target, Need) else THROUGHOUT if holds_throughout(target) else FROM_START
            if isinstance(target, Arrivals):
                how += '; an effect with on = "arrivals"'
            if name.startswith("contracts."):
                how += "; another contract for the service"
            yield SettableNumber(f"{name}.{field}", (step.value,), unit_of(field), step.source, step.grade, how)


def _rows(model: ModelFields) -> Iterator[tuple[str, BaseModel]]:
    """The parts that a change may speak of, each with the path of it."""
    for part in PARTS:
        if part == "offers":
            yield from ((f"offers.{name}", model.providers[p].offers[k]) for name, (p, k) in offers_by_name(model))
            continue
        for row in getattr(model, part):
            if row.name is None or (part == "contracts" and len(row.terms) > 1):
                continue  # what has no name, or several prices, cannot be named in a path
            yield f"{part}.{row.name}", row.terms[0] if part == "contracts" else row


def offers_by_name(model: BaseModel) -> list[tuple[str, tuple[int, int]]]:
    """Every offer by provider, service and, if it has one, area, with its place among the providers."""
    return [
        (".".join(part for part in (provider.name, offer.service, offer.area) if part is not None), (p, k))
        for p, provider in enumerate(getattr(model, "providers"))  # noqa: B009 (a model half changed is no Model to the type checker)
        for k, offer in enumerate(provider.offers)
    ]


def _on_first_day(number: DatedNumber, model: ModelFields) -> Number:
    """The dated number in force on the model's first day."""
    start = model.about.start
    known = [step for step in number.steps[1:] if step.from_ is not None and step.from_ <= start]
    return known[-1] if known else number.steps[0]


def clocks_touched(model: ModelFields) -> Iterator[SettableNumber]:
    """Every clock of a model as an effect may name it: its cells, and the rates that the effect multiplies.

    >>> from simcare.files.load import load_model
    >>> [one.path for one in clocks_touched(load_model("mm-infinity"))]
    ['on = "leaving", needs = ["community"]']
    """
    for clock in model.clocks:
        number, unit = _pace(clock)
        yield SettableNumber(
            path=", ".join([f'on = "{clock.clock}"', *_cells(clock)]),
            value=number.value if isinstance(number, Numbers) else (number.value,),
            unit=unit,
            source=number.source,
            grade=number.grade,
            changed_by=f'an effect with on = "{clock.clock}"',
        )


def _cells(clock: Clock) -> list[str]:
    """The cells of a clock as an effect names them; all of them are not named."""
    named = {"stages": clock.stages, "groups": clock.groups, "needs": clock.needs}
    listed = {key: ", ".join(f'"{name}"' for name in names) for key, names in named.items() if names}
    return [f"{key} = [{names}]" for key, names in listed.items()]


def _pace(clock: Clock) -> tuple[Number | Numbers, str]:
    """The number that says how fast a clock runs, and its unit."""
    if clock.per_year is not None:
        return clock.per_year, "for each person a year" + (", at age 0" if clock.family == "gompertz" else "")
    days = clock.scale_days or clock.mean_days
    if days is not None:
        return days, "days (an effect divides them)"
    assert clock.log_mean is not None
    return clock.log_mean, "logarithm of days"


def unit_of(field: str) -> str:
    """What a number counts, by its name.

    >>> unit_of("gbp_per_week"), unit_of("first_review_days"), unit_of("over_specified")
    ('£ a week', 'days', 'share')
    """
    for pattern, unit in UNITS:
        if found := re.fullmatch(pattern, field):
            return unit.format(*(word.replace("_", " ") for word in found.groups()))
    return ""


__all__ = [
    *("PARTS", "UNITS", "SettableNumber", "clocks_touched", "fields_settable", "holds_throughout", "offers_by_name"),
    *("settable_numbers", "unit_of"),
]
