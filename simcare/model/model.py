"""The model: one frozen value that holds everything a run needs, and checks itself.

>>> from simcare.files.load import load_model
>>> load_model("mm-infinity").about.name
'mm-infinity'
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Self

from pydantic import BaseModel, model_validator
from pydantic_core import PydanticCustomError

from simcare.model.checks.whole import find_faults
from simcare.model.fields import ModelFields
from simcare.model.left_out import WEAK, left_out
from simcare.model.number import DatedNumber, Frozen, Sourced, sourced
from simcare.model.uncertain import RowPrior


class Model(ModelFields):
    """Everything a run needs. Two equal models and one seed give one result."""

    @model_validator(mode="after")
    def _hangs_together(self) -> Self:
        faults = find_faults(self)
        if faults:
            raise PydanticCustomError("faults", "{first}", {"first": str(faults[0]), "faults": faults})
        return self

    def __repr__(self) -> str:
        return (
            f"Model({self.about.name!r}, starts {self.about.start}, {len(self.stages)} stages, "
            f"{len(self.services)} services, {sum(int(c.count.value) for c in self.caseload)} people on day 0)"
        )


class Figure(Frozen):
    """A number of a model with its address, as listed by ``simcare check --assumptions``."""

    path: str
    value: tuple[float, ...]
    source: str
    grade: str
    note: str | None = None
    since: dt.date | None = None
    low: float | None = None
    high: float | None = None


def sourced_figures(value: BaseModel) -> Iterator[Figure]:
    """Every sourced number in a value, with its address; rows that have a name go by it.

    >>> from simcare.files.load import load_model
    >>> next(sourced_figures(load_model("mm-infinity"))).path
    'contracts[flat].terms[0].gbp_per_day'
    """
    for path, number in sourced(value, by_name=True):
        if not isinstance(number, RowPrior):  # what is said of numbers is none itself
            yield _figure(number, path)


def figures_left_out(model: Model) -> Iterator[Figure]:
    """Numbers that are taken for known without being so, by their paths (:func:`simcare.model.left_out.left_out`)."""
    for address in left_out(model):
        number = address.number
        if isinstance(number, DatedNumber):
            yield from (_figure(step, address.path) for step in number.steps if step.grade in WEAK)
        else:
            yield _figure(number, address.path)


def _figure(value: Sourced, path: str) -> Figure:
    number = getattr(value, "value", None)
    many = getattr(value, "shares", ()) if number is None else number if isinstance(number, tuple) else (number,)
    interval = {"low": getattr(value, "low", None), "high": getattr(value, "high", None)}
    return Figure(
        path=path,
        value=many,
        source=value.source,
        grade=value.grade,
        note=value.note,
        since=getattr(value, "from_", None),
        **interval,
    )


__all__ = ["Figure", "Model", "figures_left_out", "sourced_figures"]
