"""How providers respond to money where nobody says: the shipped response of their owner."""

from __future__ import annotations

from collections.abc import Collection
from functools import cache
from pathlib import Path

from pydantic import Field

from simcare.files.parsing import parse
from simcare.files.toml_faults import read_toml
from simcare.model.cells import BY_PROVIDERS
from simcare.model.model import Model
from simcare.model.number import Frozen
from simcare.model.offers import reference_price, response_of
from simcare.model.overlay import added, extended_by
from simcare.model.response import Response
from simcare.model.strategy import Experiment

BY_OWNER = Path(__file__).with_name("responses_by_owner.toml")


class ShippedResponses(Frozen):
    """A response for each kind of owner, with the sources of its numbers."""

    sources: dict[str, str]
    responses: tuple[Response, ...] = Field(min_length=1)


@cache
def shipped_responses() -> ShippedResponses:
    """The shipped responses.

    >>> [row.owners for row in shipped_responses().responses]
    [('council',), ('independent',), ('voluntary',)]
    """
    return parse(ShippedResponses, read_toml(BY_OWNER), BY_OWNER.name)


def extended_for(model: Model, experiment: Experiment) -> Model:
    """The model with the contracts and the responses of an experiment, and with the shipped response for those whom it
    puts under another contract and for whom nobody says how they respond. Raises BadInput as
    :func:`simcare.model.overlay.extended_by` does."""
    whole = extended_by(model, experiment)
    put = {(new.service, new.provider) for strategy in experiment.strategies for new in strategy.contracts}
    names = [
        provider.name
        for provider in whole.providers
        if any((offer.service, who) in put for offer in provider.offers for who in (None, provider.name))
    ]
    return with_default_responses(whole, names)


def with_default_responses(model: Model, providers: Collection[str]) -> Model:
    """The model with the shipped response of their owner for these providers, where no response speaks for them yet and
    they have something to respond with: a step-down or early-discharge clock, and prices by the day.

    A response with ``eta`` 0 says that somebody does not respond.

    >>> from simcare.files.load import load_model
    >>> kent = load_model("kent-2013")
    >>> [(row.name, row.providers) for row in with_default_responses(kent, ["care_homes"]).responses]
    [('shipped: independent', ('care_homes',))]
    >>> plain = load_model("mm-infinity")
    >>> with_default_responses(plain, ["council"]) is plain
    True
    """
    shipped, silent = shipped_responses(), silent_of(model, providers)
    rows = []
    for row in shipped.responses:
        mine = tuple(p.name for p in model.providers if p.name in silent and p.owner in (row.owners or ()))
        if mine:
            rows.append(row.model_copy(update={"owners": None, "providers": mine}))
    if not rows:
        return model
    used = {number.source for row in rows for _, number in row if hasattr(number, "source")}
    return added(model, (), rows, {key: text for key, text in shipped.sources.items() if key in used})


def silent_of(model: Model, providers: Collection[str]) -> set[str]:
    """Those of some providers for whom no response speaks though they could respond."""
    clocks = [clock for clock in model.clocks if clock.clock in BY_PROVIDERS]
    if not clocks:
        return set()
    moved = {service for clock in clocks for service in clock.services or [s.name for s in model.services]}
    moved -= {service.name for service in model.services if service.short_term_days is not None}
    priced = {service: reference_price(model, service) > 0 for service in moved}
    return {
        provider.name
        for provider in model.providers
        if provider.name in providers
        and response_of(model, provider) is None
        and all(priced.get(offer.service, True) for offer in provider.offers)
    }


__all__ = ["extended_for", "shipped_responses", "with_default_responses"]
