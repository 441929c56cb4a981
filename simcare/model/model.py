"""The model: one frozen value that holds everything a run needs, and checks itself.

>>> from simcare.files.load import load_model
>>> load_model("mm-infinity").about.name
'mm-infinity'
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Literal, Self

from pydantic import BaseModel, Field, model_validator
from pydantic_core import PydanticCustomError

from simcare.model.capacity import Hospital, Provider, Team
from simcare.model.checks.whole import find_faults
from simcare.model.contracts import Contract
from simcare.model.demand import DemandDriver
from simcare.model.kinds import Amount, ClockName, FileName, Name, Scope
from simcare.model.market import Failure, Market, Voluntary
from simcare.model.number import Frozen, Number, Sourced, sourced
from simcare.model.parts import (
    Arrivals,
    Caseload,
    Clock,
    FrontDoor,
    Group,
    Handover,
    Need,
    Prices,
    Service,
    Stage,
    Tier,
)
from simcare.model.response import Response


class About(Frozen):
    """What the model is of, and the day it starts."""

    name: FileName
    title: str
    start: dt.date = Field(ge=dt.date(1950, 1, 1), le=dt.date(2150, 1, 1))
    areas: tuple[Name, ...] = Field(default=("all",), min_length=1)
    description: str | None = None


class Modifier(Frozen):
    """From ``start`` on, a clock or the arrivals of some cells run ``multiply`` times as fast.

    With ``ramp_days`` the change comes in equal steps at most a month apart, complete after that many days.
    """

    on: ClockName | Literal["arrivals"]
    stages: Scope = None
    groups: Scope = None
    needs: tuple[Name, ...] | None = None
    start: dt.date
    ramp_days: int = Field(default=0, ge=0)
    multiply: Amount


class Programme(Frozen):
    """Money spent on a strategy beside the care itself."""

    name: Name
    start: dt.date
    ramp_days: int = Field(default=0, ge=0)
    stage: Name | None = None
    gbp_per_year: Number | None = None
    one_off_gbp: Number | None = None


class Model(Frozen):
    """Everything a run needs. Two equal models and one seed give one result."""

    about: About
    sources: dict[str, str] = Field(default_factory=dict)
    tiers: tuple[Tier, ...] = Field(min_length=2)
    stages: tuple[Stage, ...] = Field(min_length=1)
    groups: tuple[Group, ...] = Field(min_length=1)
    services: tuple[Service, ...] = Field(min_length=1)
    contracts: tuple[Contract, ...] = Field(min_length=1)
    providers: tuple[Provider, ...] = Field(min_length=1)
    teams: tuple[Team, ...] = ()
    hospitals: tuple[Hospital, ...] = ()
    clocks: tuple[Clock, ...] = ()
    need: tuple[Need, ...] = ()
    front_door: tuple[FrontDoor, ...] = ()
    handovers: tuple[Handover, ...] = ()
    drivers: tuple[DemandDriver, ...] = ()
    arrivals: tuple[Arrivals, ...] = ()
    caseload: tuple[Caseload, ...] = ()
    responses: tuple[Response, ...] = ()
    market: Market | None = None
    failures: tuple[Failure, ...] = ()
    voluntary: tuple[Voluntary, ...] = ()
    prices: Prices
    modifiers: tuple[Modifier, ...] = ()
    programmes: tuple[Programme, ...] = ()

    @model_validator(mode="after")
    def _hangs_together(self) -> Self:
        faults = find_faults(self)
        if faults:
            raise PydanticCustomError("faults", "{first}", {"first": str(faults[0]), "faults": faults})
        return self

    @property
    def rungs(self) -> tuple[str, ...]:
        """The long-term tiers from the bottom: rung 0 is independence."""
        return tuple(tier.name for tier in self.tiers if not tier.short_term)

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
        yield _figure(number, path)


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


__all__ = ["About", "Figure", "Model", "Modifier", "Programme", "sourced_figures"]
