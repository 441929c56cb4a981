"""What is limited: places at providers, the hours of teams; and the hospital on the way."""

from __future__ import annotations

import datetime as dt
from itertools import pairwise
from typing import Literal, Self

from pydantic import ConfigDict, Field, model_validator

from simcare.model.kinds import Amount, AmountSeries, Name, Places, Positive, Scope, ShareSeries, require
from simcare.model.number import Frozen, Number


class Switch(Frozen):
    """From a date on, an offer is under another contract."""

    from_: dt.date = Field(alias="from")
    contract: Name

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class Offer(Frozen):
    """A service that a provider runs: its contract, its weight among new placements, and how many places there are.

    Without ``places`` there is one for everybody. ``places`` may be dated; where they are cut below the people there,
    ``when_cut`` says who moves: the last to come, the first to come, or whoever needs least. They stay, at the spot
    price, until another place is found. ``spot_premium`` is what a spot purchase above the contracted places costs on
    top of the price (0.25 is a quarter more); with it, a crisis that finds no place free is bought one at once, without
    it, it waits. With ``area``, the places are for that area's people. What is not whole is rounded down.

    ``switches`` put the offer under other contracts from dates on; days of stay go on counting.
    ``variable_gbp_per_day`` is what the provider spends on a client each day and saves without one,
    ``fixed_gbp_per_year`` what it spends whoever is there. ``quality`` (0 is average) counts in the choice between
    offers, where the model has a market.
    """

    service: Name
    contract: Name
    switches: tuple[Switch, ...] = ()
    weight: Amount
    places: Places | None = None
    area: Name | None = None
    spot_premium: Amount | None = None
    when_cut: Literal["last_in", "first_in", "least_need"] = "last_in"
    variable_gbp_per_day: Amount | None = None
    fixed_gbp_per_year: Amount | None = None
    quality: Number | None = None

    @model_validator(mode="after")
    def _only_limits_are_exceeded(self) -> Self:
        require(
            self.spot_premium is None or self.places is not None,
            "spot_premium is for places beyond a number: give places",
        )
        dates = [switch.from_ for switch in self.switches]
        require(all(a < b for a, b in pairwise(dates)), "switches must be in order of their 'from' dates")
        return self

    def contract_at(self, date: dt.date) -> str:
        """The name of the contract in force on a date."""
        return next((switch.contract for switch in reversed(self.switches) if switch.from_ <= date), self.contract)

    @property
    def contracts(self) -> tuple[str, ...]:
        """Every contract that the offer is ever under, the first one first."""
        return (self.contract, *(switch.contract for switch in self.switches))


Owner = Literal["council", "independent", "voluntary"]


class Provider(Frozen):
    """Who runs places: in-house and external under one set of rules.

    ``parent`` is the company behind it, if several providers share one; ``overhead_gbp_per_year`` what it spends beside
    its services; ``closures_per_year`` the hazard of its failure, for one that earns the usual margin.
    """

    name: Name
    title: str | None = None
    owner: Owner
    parent: Name | None = None
    overhead_gbp_per_year: Amount | None = None
    closures_per_year: Amount | None = None
    offers: tuple[Offer, ...] = Field(min_length=1)


class Team(Frozen):
    """Social workers with limited hours for assessments, reviews or both.

    Cases are taken one after another, the most urgent class first, at the pace of ``hours_per_week``: a case of h hours
    keeps the team for h ÷ hours_per_week weeks. Who is not yet reached waits. Work that no team is given takes no
    hours.
    """

    name: Name
    title: str | None = None
    stages: Scope = None
    groups: Scope = None
    areas: Scope = None
    hours_per_week: AmountSeries
    hours_per_assessment: Amount | None = None
    hours_per_review: Amount | None = None

    @model_validator(mode="after")
    def _has_work(self) -> Self:
        require(
            self.hours_per_assessment is not None or self.hours_per_review is not None,
            "give hours_per_assessment, hours_per_review or both",
        )
        return self


class Hospital(Frozen):
    """Crises that go by way of hospital, for some stages and groups.

    ``share`` of crises are admitted for exponential ``days`` (mean) until ready to leave; of these ``to_step_up`` ask
    for a short-term place, the others for an assessment and a package. Days ready but still there are delayed days;
    each costs the health partner ``gbp_per_delayed_day``.
    """

    name: Name
    title: str | None = None
    stages: Scope = None
    groups: Scope = None
    share: ShareSeries
    days: Positive
    to_step_up: ShareSeries
    gbp_per_delayed_day: AmountSeries | None = None
