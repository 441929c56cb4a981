"""What is wrong with places, teams and hospitals: too few for those already there, nobody may enter, two rows for one
thing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from typing import Any

from simcare.model.capacity import Offer
from simcare.model.fault import Fault
from simcare.model.fields import ModelFields


def capacity_faults(model: ModelFields) -> Iterator[Fault]:
    """Everything wrong with what is limited, once all names hold."""
    yield from _offers(model)
    yield from _entrances(model)
    yield from _day_0(model)
    yield from _once_each(model)


def _listed(model: ModelFields, service: str) -> list[tuple[str, Offer]]:
    """The offers of a service, each with its path."""
    return [
        (f"providers[{i}].offers[{k}]", offer)
        for i, provider in enumerate(model.providers)
        for k, offer in enumerate(provider.offers)
        if offer.service == service
    ]


def _offers(model: ModelFields) -> Iterator[Fault]:
    """A provider offers a service once, or once for each area, under one contract and one spot price."""
    for i, provider in enumerate(model.providers):
        known: dict[str, list[Offer]] = {}
        for k, offer in enumerate(provider.offers):
            path, others = f"providers[{i}].offers[{k}]", known.setdefault(offer.service, [])
            for other in others:
                if offer.area is None or other.area is None or offer.area == other.area:
                    yield Fault(f"{path}.service", f"'{provider.name}' already offers '{offer.service}'")
                    break
                if offer.contracts != other.contracts or offer.switches != other.switches:
                    yield Fault(
                        f"{path}.contract",
                        f"'{offer.service}' of '{provider.name}' is under '{other.contract}' already: one contract for"
                        " all areas",
                    )
                if offer.spot_premium != other.spot_premium:
                    yield Fault(
                        f"{path}.spot_premium",
                        f"'{offer.service}' of '{provider.name}' has another premium already: one for all areas",
                    )
            others.append(offer)


def known_groups(model: ModelFields) -> set[str]:
    """The groups that anybody is in, or comes into by a transition."""
    groups = {row.group for row in model.arrivals} | {row.group for row in model.caseload}
    return groups | {handover.to_group for handover in model.handovers if handover.to_group is not None}


def _entrances(model: ModelFields) -> Iterator[Fault]:
    """Somebody must be able to enter each service: of a group that exists or may come to be, and into a place."""
    groups = known_groups(model)
    for i, service in enumerate(model.services):
        if model.arrivals and service.groups is not None and not groups & set(service.groups):
            sentence = (
                f"nobody may enter '{service.name}': none of its groups arrives, is there on day 0 or is handed over"
            )
            yield Fault(f"services[{i}].groups", sentence)
        offers = _listed(model, service.name)
        if offers and all(offer.places is not None and max(offer.places.values) < 1 for _, offer in offers):
            yield Fault(f"{offers[0][0]}.places", f"nobody may enter '{service.name}': it never has a place")


def _day_0(model: ModelFields) -> Iterator[Fault]:
    """Nobody is placed on day 0 where there is no place: area by area, then in what is open to all areas."""
    for service in model.services:
        offers = _listed(model, service.name)
        yield from _offered_nowhere(model, service.name, [offer for _, offer in offers])
        people: dict[Any, int] = {}
        for row in model.caseload:
            if row.service == service.name:
                area = row.area or model.about.areas[0]
                people[area] = people.get(area, 0) + int(row.count.value)
        over = 0
        for area, there in people.items():
            own = [offer.places for _, offer in offers if offer.area == area]
            over += (
                0
                if None in own
                else max(0, there - sum(int(places.at(model.about.start)) for places in own if places is not None))
            )
        common = [(path, offer.places) for path, offer in offers if offer.area is None]
        room = sum(int(places.at(model.about.start)) for _, places in common if places is not None)
        if over > room and not any(places is None for _, places in common):
            path = common[0][0] if common else offers[0][0]
            sentence = (
                f"{sum(people.values())} people are in '{service.name}' on day 0, {over - room} more than there are"
                " places for them"
            )
            yield Fault(f"{path}.places", sentence)


def _offered_nowhere(model: ModelFields, service: str, offers: Sequence[Offer]) -> Iterator[Fault]:
    """People in a service on day 0 whom no provider could have placed: nobody offers it in their area."""
    for i, row in enumerate(model.caseload):
        area = row.area or model.about.areas[0]
        if row.service == service and not any(o.weight.value > 0 for o in offers if o.area in (None, area)):
            yield Fault(f"caseload[{i}].service", f"no provider offers '{service}' in '{area}'")


def _once_each(model: ModelFields) -> Iterator[Fault]:
    """One team for each kind of work and each cell of people, one hospital row for each."""
    stages, groups = [s.name for s in model.stages], [g.name for g in model.groups]
    taken: dict[tuple[str, ...], int] = {}
    for i, team in enumerate(model.teams):
        work = [
            name
            for name, hours in (("assessment", team.hours_per_assessment), ("review", team.hours_per_review))
            if hours is not None
        ]
        for key in product(work, team.stages or stages, team.groups or groups, team.areas or model.about.areas):
            if key in taken:
                other = f"teams[{taken[key]}] '{model.teams[taken[key]].name}'"
                yield Fault(f"teams[{i}]", f"{key[0]}s for {', '.join(key[1:])} are already given to {other}")
                break
            taken[key] = i
    seen: dict[tuple[str, str], int] = {}
    for i, hospital in enumerate(model.hospitals):
        for cell in product(hospital.stages or stages, hospital.groups or groups):
            if cell in seen:
                yield Fault(
                    f"hospitals[{i}]",
                    f"{', '.join(cell)} already goes to hospitals[{seen[cell]}] '{model.hospitals[seen[cell]].name}'",
                )
                break
            seen[cell] = i
