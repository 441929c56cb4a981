"""How providers answer to money."""

from __future__ import annotations

from typing import Self

from pydantic import model_validator

from simcare.model.capacity import Owner
from simcare.model.kinds import Amount, Name, Share, Span, require
from simcare.model.number import Frozen

SHIPPED = "shipped: "  # how the names of the shipped responses begin


class Response(Frozen):
    """How the providers of some owners, or some by name, answer to what a client who could step down is worth to them.

    ``eta``: how strongly; 0 not at all. ``eta_log_sd``: providers differ, the logarithm of eta by so much.
    ``horizon_days``: how far they look ahead. ``altruism_gbp_per_rung_day``: what a day of the right care is worth to
    them, for each tier too much. ``avoidable_share`` of the reference price is what a day without the client saves,
    where the offer states no variable cost. ``occupancy``: how full they are, where places are not limited.
    ``return_per_year``: the rate at which clients come back after a step-down, ``unready_return_per_year`` after an
    early discharge, as providers expect it. ``exits_per_year``: the rate at which stays end without them.
    ``discount_per_year``: what later money loses.
    """

    name: Name
    owners: tuple[Owner, ...] | None = None
    providers: tuple[Name, ...] | None = None
    eta: Amount
    eta_log_sd: Amount | None = None
    horizon_days: Span
    altruism_gbp_per_rung_day: Amount | None = None
    avoidable_share: Share
    occupancy: Share
    return_per_year: Amount | None = None
    unready_return_per_year: Amount | None = None
    exits_per_year: Amount | None = None
    discount_per_year: Amount | None = None
    title: str | None = None

    @model_validator(mode="after")
    def _speaks_for_somebody(self) -> Self:
        require((self.owners is None) != (self.providers is None), "give owners or providers, one of them")
        return self
