"""What is wrong with how providers answer to money: two rows for one provider, a contract it cannot be set against,
nothing to answer with."""

from __future__ import annotations

from collections.abc import Iterator

from simcare.model.cells import BY_PROVIDERS
from simcare.model.fault import Fault
from simcare.model.fields import ModelFields
from simcare.model.offers import reference_price, response_of


def response_faults(model: ModelFields) -> Iterator[Fault]:
    """Everything wrong with responses, once all names hold."""
    for field in ("owners", "providers"):
        taken: dict[str, int] = {}
        for i, row in enumerate(model.responses):
            for name in getattr(row, field) or ():
                if name in taken:
                    yield Fault(f"responses[{i}].{field}", f"'{name}' is already given in responses[{taken[name]}]")
                taken[name] = i
    clocks = [clock for clock in model.clocks if clock.clock in BY_PROVIDERS]
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
