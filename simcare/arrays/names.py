"""The names behind the indices of the arrays."""

from __future__ import annotations

from typing import NamedTuple

from simcare.model import Model


class Names(NamedTuple):
    """The names behind the indices, in order."""

    areas: tuple[str, ...]
    stages: tuple[str, ...]
    groups: tuple[str, ...]
    need_levels: tuple[str, ...]
    tiers: tuple[str, ...]  # the long-term tiers, which are the levels of need, then the short-term ones
    services: tuple[str, ...]
    providers: tuple[str, ...]


def names_of(model: Model) -> Names:
    """The names of a model in index order."""
    short = tuple(tier.name for tier in model.tiers if tier.short_term)
    return Names(
        areas=model.about.areas,
        stages=tuple(s.name for s in model.stages),
        groups=tuple(g.name for g in model.groups),
        need_levels=model.need_levels,
        tiers=(*model.need_levels, *short),
        services=tuple(s.name for s in model.services),
        providers=tuple(p.name for p in model.providers),
    )
