"""Which terms every offer is under, and what they do to the clocks that providers hold: stepping down, and
discharging early.

A *variant* is a way in which a service's providers move people: the plain rates of the file, or those rates as a
provider bends them under a contract (:mod:`simcare.tariffs.holding_value`), at one occupancy. ``terms`` says for each
offer which variant holds when.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simcare.arrays.clocks import Hazards, Steps
from simcare.arrays.names import Names
from simcare.model import Model
from simcare.model.capacity import Offer, Provider
from simcare.model.cells import BY_PROVIDERS, changes_on, clock_cells, rates_of
from simcare.model.offers import tariff_starts
from simcare.rules.occupancy import LEVELS
from simcare.rules.records import CELL, TERMS
from simcare.tariffs.holding_value import (
    Incentive,
    days_of,
    incentive,
    knots_of,
    release_factor,
    step_down_factor,
)


class Variant(NamedTuple):
    """How a service's people are moved: at the plain rates where nobody responds to money."""

    service: int
    seen: Incentive | None


class ProviderClocks(NamedTuple):
    """The clocks that providers hold, by variant and cell, and the variants of each offer."""

    step_down: NDArray[Any]  # CELL (variants, cells)
    premature: NDArray[Any]  # the same
    terms: NDArray[Any]  # TERMS (services, providers)


def provider_clocks(model: Model, names: Names, steps: Steps, hazards: Hazards) -> ProviderClocks:
    """The tables of the clocks that providers hold."""
    variants = [Variant(v, None) for v in range(len(names.services))]
    terms = _terms(model, names, steps, variants)
    shape = (len(variants), len(names.stages), len(names.groups), len(names.need_levels))
    tables = {name: np.zeros(shape, CELL) for name in BY_PROVIDERS}
    _fill(model, names, hazards, variants, tables)
    for name, table in tables.items():
        for s, stage in enumerate(names.stages):
            for g, group in enumerate(names.groups):
                for n, need in enumerate(names.need_levels):
                    table["timeline"][:, s, g, n] = steps.timeline(changes_on(model, name, stage, group, need))
    flat = {name: table.reshape(len(variants), -1) for name, table in tables.items()}
    return ProviderClocks(flat["step_down"], flat["premature"], terms)


def _terms(model: Model, names: Names, steps: Steps, variants: list[Variant]) -> NDArray[Any]:
    terms = np.zeros((len(names.services), len(names.providers)), TERMS)
    terms["first"] = np.arange(len(names.services))[:, None]
    terms["series"], terms["levels"] = -1, 1
    known: dict[tuple[int, Incentive, int], int] = {}
    for p, provider in enumerate(model.providers):
        limited = {offer.service for offer in provider.offers if offer.places is not None}
        for offer in provider.offers:
            v = names.services.index(offer.service)
            lasting = _lasting(model, provider, offer)
            if not lasting:
                continue
            levels = 1 + len(LEVELS) if offer.service in limited else 1
            found = []
            for day, seen in lasting:
                key = (v, seen, levels)
                if key not in known:
                    known[key] = len(variants)
                    variants.append(Variant(v, seen))
                    variants += [Variant(v, seen.at(float(occupancy))) for occupancy in LEVELS[: levels - 1]]
                found.append((day, float(known[key])))
            series = steps.add([(-np.inf, found[0][1]), *found[1:]]) if len(found) > 1 else -1
            terms[v, p] = (int(found[0][1]), series, levels)
    return terms


def _lasting(model: Model, provider: Provider, offer: Offer) -> list[tuple[float, Incentive]]:
    """What the provider sees, from each day on which it changes: by the contract of this offer, or of another that a
    client may step down to."""
    found: list[tuple[float, Incentive]] = []
    for date in sorted({date for other in provider.offers for date in tariff_starts(model, other)}):
        seen = incentive(model, provider, offer, date)
        if seen is not None and (not found or found[-1][1] != seen):
            found.append((float((date - model.about.start).days), seen))
    return found


def _fill(
    model: Model, names: Names, hazards: Hazards, variants: list[Variant], tables: dict[str, NDArray[Any]]
) -> None:
    """Every variant's hazard in every cell."""
    need_level = [names.tiers.index(service.tier) for service in model.services]
    curves: dict[tuple[Any, ...], tuple[int, int]] = {}
    for clock in model.clocks:
        if clock.clock not in BY_PROVIDERS:
            continue
        ready = clock.clock == "step_down"
        mine = {names.services.index(service) for service in clock.services or names.services}
        rates = dict(rates_of(clock))
        plain = {need: hazards.add(clock, rate) for need, rate in rates.items()} if ready else {}
        rows: dict[tuple[Any, ...], int] = {}
        for stage, group, need in clock_cells(model, clock):
            at = names.stages.index(stage), names.groups.index(group), names.need_levels.index(need)
            which = need if need in rates else None
            for x, variant in enumerate(variants):
                if variant.service not in mine:
                    continue
                gap = need_level[variant.service] - at[2]
                if variant.seen is None or (ready and variant.seen.eta == 0.0):
                    tables[clock.clock][(x, *at)]["hazard"] = plain.get(which, 0)
                elif (gap > 0) == ready and variant.seen.eta > 0.0:
                    key = (x, gap, which)
                    if key not in rows:
                        curve = curves.setdefault((x, gap, ready), (-1, 0))
                        if curve[0] < 0:
                            curve = curves[x, gap, ready] = hazards.table(_curve(variant.seen, gap, ready))
                        rows[key] = hazards.scaled(clock, rates[which], curve)
                    tables[clock.clock][(x, *at)]["hazard"] = rows[key]


def _curve(seen: Incentive, gap: int, ready: bool) -> list[tuple[float, float, float]]:
    days = days_of(seen)
    return knots_of(days, step_down_factor(seen, gap, days) if ready else release_factor(seen, gap, days))
