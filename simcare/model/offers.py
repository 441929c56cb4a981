"""What an offer pays, and how its provider answers to it: the contract of a day, its tariff, and when it is another."""

from __future__ import annotations

import datetime as dt

from simcare.model.capacity import Offer, Provider
from simcare.model.contracts import Contract
from simcare.model.fields import ModelFields
from simcare.model.response import Response
from simcare.model.tariff import Tariff


def contract_named(model: ModelFields, name: str) -> Contract:
    """The contract of a model that goes by a name."""
    return next(contract for contract in model.contracts if contract.name == name)


def contract_on(model: ModelFields, offer: Offer, date: dt.date) -> Contract:
    """The contract that an offer is under on a date."""
    return contract_named(model, offer.contract_at(date))


def tariff_on(model: ModelFields, offer: Offer, date: dt.date) -> Tariff:
    """What an offer pays on a date, in prices of the base year."""
    return contract_on(model, offer, date).tariff(date)


def tariff_starts(model: ModelFields, offer: Offer) -> list[dt.date]:
    """The dates from which an offer's tariff is another, the start of the run first."""
    dates = {switch.from_ for switch in offer.switches}
    dates = dates.union(*(contract_named(model, name).dates for name in offer.contracts))
    return [model.about.start, *sorted(date for date in dates if date > model.about.start)]


def mean_price(model: ModelFields, offer: Offer, date: dt.date) -> float:
    """Pounds a day that the offer pays on average over a stay of a year, under the contract of a date."""
    return tariff_on(model, offer, date).mean_rate()


def reference_price(model: ModelFields, service: str) -> float:
    """The reference tariff of a service: what its offers pay a day on average over a stay of a year, by weight, under
    their first contracts."""
    offers = [offer for provider in model.providers for offer in provider.offers if offer.service == service]
    weight = sum(offer.weight.value for offer in offers)
    start = model.about.start
    first = [contract_named(model, offer.contract).tariff(start).mean_rate() for offer in offers]
    paid = sum(offer.weight.value * price for offer, price in zip(offers, first, strict=True))
    return paid / weight if weight else 0.0


def response_of(model: ModelFields, provider: Provider) -> Response | None:
    """The row that speaks for a provider: by name before by owner."""
    by_name = (r for r in model.responses if r.providers is not None and provider.name in r.providers)
    by_owner = (r for r in model.responses if r.owners is not None and provider.owner in r.owners)
    return next(by_name, None) or next(by_owner, None)
