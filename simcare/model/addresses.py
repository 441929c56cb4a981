"""The address of every number of a model: part, name and field, as people write them, with stars for many."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from pydantic import BaseModel

from simcare.model.fields import ModelFields
from simcare.model.number import DatedNumber, Grade, Sourced
from simcare.model.parts import Clock

NOT_NUMBERS = ("uncertain", "fixed", "drivers", "modifiers", "programmes")  # said of numbers, fitted, or laid over


class Address(NamedTuple):
    """Where a number stands: its ``path`` as people write it, and the steps ``at`` that lead there in the model."""

    path: str
    at: tuple[str | int, ...]
    number: Sourced | DatedNumber

    @property
    def grade(self) -> Grade:
        """The weakest grade of it."""
        if isinstance(self.number, DatedNumber):
            return max(step.grade for step in self.number.steps)
        return self.number.grade


def addresses(model: ModelFields) -> Iterator[Address]:
    """Every number of a model with its address.

    A row goes by its name, an offer by provider, service and area, a clock by its kind and its number within the kind;
    the terms of a contract are not told apart.

    >>> from simcare.files.load import load_model
    >>> [one.path for one in addresses(load_model("mm-infinity"))][:3]
    ['contracts.flat.gbp_per_day', 'offers.council.community_care.weight', 'clocks.leaving.0.per_year']
    """
    for part in type(model).model_fields:
        if part not in NOT_NUMBERS:
            yield from _within(getattr(model, part), part, (part,))


def _within(value: object, path: str, at: tuple[str | int, ...]) -> Iterator[Address]:
    if isinstance(value, Sourced | DatedNumber):
        yield Address(path, at, value)
    elif isinstance(value, BaseModel):
        for field in type(value).model_fields:
            yield from _within(getattr(value, field), f"{path}.{field}", (*at, field))
    elif isinstance(value, tuple) and value and isinstance(value[0], BaseModel):
        for k, (row, label) in enumerate(zip(value, _labels(value, path), strict=True)):
            yield from _within(row, label, (*at, k))


def _labels(rows: Sequence[BaseModel], path: str) -> Iterator[str]:
    """How the rows of a list are called."""
    inner = path.rsplit(".", 1)
    if inner[-1] == "terms":
        yield from (inner[0] for _ in rows)
        return
    if inner[-1] == "offers":
        provider = inner[0].removeprefix("providers.")
        for row in rows:
            named = (getattr(row, "service", None), getattr(row, "area", None))
            yield ".".join(["offers", provider, *(name for name in named if name is not None)])
        return
    seen: dict[str, int] = {}
    for k, row in enumerate(rows):
        if isinstance(row, Clock):
            seen[row.clock] = seen.get(row.clock, -1) + 1
            yield f"{path}.{row.clock}.{seen[row.clock]}"
        else:
            name = getattr(row, "name", None)
            yield f"{path}.{k if name is None else name}"


def fitting(patterns: Iterable[str], every: Iterable[Address]) -> list[Address]:
    """Those addresses that one of the patterns fits; a star stands for any text.

    >>> from simcare.files.load import load_model
    >>> [one.path for one in fitting(["clocks.*.per_year"], addresses(load_model("mm-infinity")))]
    ['clocks.leaving.0.per_year']
    """
    matches = _any_of(tuple(patterns)).fullmatch
    return [one for one in every if matches(one.path)]


@lru_cache(maxsize=1024)
def _any_of(patterns: tuple[str, ...]) -> re.Pattern[str]:
    each = (re.escape(pattern).replace(r"\*", ".*") for pattern in patterns)
    return re.compile("|".join(f"(?:{one})" for one in each) or "(?!)")


__all__ = ["Address", "addresses", "fitting"]
