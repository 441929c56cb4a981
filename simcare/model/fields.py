"""The fields of a model: everything that people write down, row by row, before anything is checked between the rows."""

from __future__ import annotations

import datetime as dt
from typing import Literal

from pydantic import Field

from simcare.model.capacity import Hospital, Provider, Team
from simcare.model.contracts import Contract
from simcare.model.demand import DemandDriver
from simcare.model.kinds import Amount, ClockName, Cost, FileName, Name, Scope
from simcare.model.market import Failure, Market, Voluntary
from simcare.model.number import Frozen
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
from simcare.model.uncertain import Fixed, Uncertain

LONGEST_RAMP = 60 * 366  # days: no run is longer


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
    ramp_days: int = Field(default=0, ge=0, le=LONGEST_RAMP)
    multiply: Amount


class Programme(Frozen):
    """Money spent on a strategy beside the care itself."""

    name: Name
    start: dt.date
    ramp_days: int = Field(default=0, ge=0, le=LONGEST_RAMP)
    stage: Name | None = None
    gbp_per_year: Cost | None = None
    one_off_gbp: Cost | None = None


class ModelFields(Frozen):
    """Everything a run needs, as read: each part has checked itself, and nothing yet the parts between them.

    What is written for a model takes these fields; :class:`simcare.model.Model` adds the check of the whole.
    """

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
    uncertain: tuple[Uncertain, ...] = ()
    fixed: tuple[Fixed, ...] = ()

    @property
    def need_levels(self) -> tuple[str, ...]:
        """The long-term tiers from the bottom: the first is independence."""
        return tuple(tier.name for tier in self.tiers if not tier.short_term)
