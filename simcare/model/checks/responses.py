"""What is wrong with how providers answer to money: two rows for one provider, a contract it cannot be set against,
nothing to answer with."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from simcare.model.contracts import tariff_of
from simcare.model.fault import Fault

if TYPE_CHECKING:
    from simcare.model.capacity import Provider
    from simcare.model.model import Model
    from simcare.model.response import Response


def response_of(model: Model, provider: Provider) -> Response | None:
    """The row that speaks for a provider: by name before by owner."""
    by_name = (r for r in model.responses if r.providers is not None and provider.name in r.providers)
    by_owner = (r for r in model.responses if r.owners is not None and provider.owner in r.owners)
    return next(by_name, None) or next(by_owner, None)


def reference_price(model: Model, service: str) -> float:
    """The reference tariff of a service: what its offers pay a day on average over a stay of a year, by weight, under
    their first contracts."""
    contracts = {contract.name: contract for contract in model.contracts}
    rows = [
        (offer.weight.value, contracts[offer.contract])
        for p in model.providers
        for offer in p.offers
        if offer.service == service
    ]
    weight = sum(w for w, _ in rows)
    paid = sum(w * tariff_of(contract, model.about.start).mean_rate() for w, contract in rows)
    return paid / weight if weight else 0.0


def response_faults(model: Model) -> Iterator[Fault]:
    """Everything wrong with responses, once all names hold."""
    for field in ("owners", "providers"):
        taken: dict[str, int] = {}
        for i, row in enumerate(model.responses):
            for name in getattr(row, field) or ():
                if name in taken:
                    yield Fault(f"responses[{i}].{field}", f"'{name}' is already given in responses[{taken[name]}]")
                taken[name] = i
    clocks = [clock for clock in model.clocks if clock.clock in ("step_down", "premature")]
    if model.responses and not clocks:
        yield Fault(
            "responses[0]",
            "the model has no 'step_down' and no 'premature' clock, so providers have nothing to answer with",
        )
    moved = {service for clock in clocks for service in clock.services or [s.name for s in model.services]}
    short = {service.name for service in model.services if service.short_term_days is not None}
    for i, provider in enumerate(model.providers):
        if response_of(model, provider) is None:
            continue
        for k, offer in enumerate(provider.offers):
            if offer.service in moved - short and reference_price(model, offer.service) <= 0:
                sentence = (
                    f"'{offer.service}' pays nothing by the day, so there is no reference price to set a response"
                    " against"
                )
                yield Fault(f"providers[{i}].offers[{k}].contract", sentence)
