"""What an effect reaches: the cells of stage, group and need that its clock runs in and that somebody can be in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import product
from typing import Literal, Protocol

from simcare.model.cells import clock_cells
from simcare.model.fields import ModelFields
from simcare.model.nearmiss import unknown
from simcare.model.parts import Clock

Cell = tuple[str, str, str]  # stage, group, need


class Reach(Protocol):
    """What an effect says of whom it is for."""

    @property
    def on(self) -> str: ...
    @property
    def stages(self) -> tuple[str, ...] | None: ...
    @property
    def groups(self) -> tuple[str, ...] | None: ...
    @property
    def needs(self) -> tuple[str, ...] | None: ...


def effect_faults(model: ModelFields, effect: Reach, path: str) -> list[str]:
    """Names that are not there; or else, where the effect reaches nobody at all, what is there instead."""
    if effect.on != "arrivals" and not any(clock.clock == effect.on for clock in model.clocks):
        return [f"{path}.on: the model has no '{effect.on}' clock, so this effect could do nothing"]
    faults = [
        f"{path}.{field}[{i}]: {unknown(name, names)}"
        for field, names in _names(model).items()
        for i, name in enumerate(getattr(effect, field) or ())
        if name not in names
    ]
    if faults or reached(model, effect):
        return faults
    return [f"{path}: {_instead(model, effect)}, so this effect could do nothing"]


def out_of_reach(model: ModelFields, effect: Reach) -> Iterator[tuple[Literal["stages", "groups", "needs"], str]]:
    """The names that an effect gives to no purpose, as nobody it reaches is there: the field, and the name."""
    cells = reached(model, effect)
    fields: tuple[Literal["stages", "groups", "needs"], ...] = ("stages", "groups", "needs")
    for k, field in enumerate(fields):
        there = {cell[k] for cell in cells}
        yield from ((field, name) for name in getattr(effect, field) or () if name not in there)


def reached(model: ModelFields, effect: Reach) -> set[Cell]:
    """The cells that an effect is for, that its clock runs in (or that people arrive in), and that somebody can be
    in."""
    every = _names(model)
    stages, groups, needs = (set(getattr(effect, field) or names) for field, names in every.items())
    return {
        (stage, group, need)
        for stage, group, need in _running(model, effect.on)
        if stage in stages and group in groups and need in needs
    }


def present(model: ModelFields) -> set[tuple[str, str]]:
    """The pairs of stage and group that somebody can be in: from day 0 or on arrival, by growing older, or by a
    transition to another group."""
    order = [stage.name for stage in model.stages]
    found = {(row.stage, row.group) for row in model.caseload if row.count.value > 0}
    found |= {(row.stage, row.group) for row in model.arrivals if max(row.per_year.values) > 0}
    while True:
        more = {(later, group) for stage, group in found for later in order[order.index(stage) :]}
        for handover in model.handovers:
            at = next(s.name for s in model.stages if s.to_age is None or handover.age < s.to_age)
            leaving = {g for stage, g in found if stage == at and (handover.groups is None or g in handover.groups)}
            if handover.to_group is not None and leaving:
                more.add((at, handover.to_group))
        if more <= found:
            return found
        found |= more


def _names(model: ModelFields) -> dict[str, list[str]]:
    return {
        "stages": [stage.name for stage in model.stages],
        "groups": [group.name for group in model.groups],
        "needs": list(model.need_levels),
    }


def _running(model: ModelFields, on: str) -> Iterator[Cell]:
    """Where people arrive, or where a clock runs with somebody to run for."""
    if on == "arrivals":
        for row in model.arrivals:
            if max(row.per_year.values) > 0:
                shares = zip(model.need_levels, row.needs.value, strict=True)
                yield from ((row.stage, row.group, need) for need, share in shares if share > 0)
        return
    pairs = present(model)
    for clock in model.clocks:
        if clock.clock == on:
            never = _never(clock)
            yield from (cell for cell in clock_cells(model, clock) if cell[:2] in pairs and cell[2] not in never)


def _never(clock: Clock) -> set[str]:
    """The levels of need at which a clock stands still."""
    if clock.family != "constant" or clock.needs is None or len(clock.rates) != len(clock.needs):
        return set()
    return {need for need, rate in zip(clock.needs, clock.rates, strict=True) if rate == 0}


def _instead(model: ModelFields, effect: Reach) -> str:
    """Why an effect reaches nobody, and what is there."""
    every = _names(model)
    stages, groups = effect.stages or every["stages"], effect.groups or every["groups"]
    pairs = present(model)
    if effect.on != "arrivals" and not set(product(stages, groups)) & pairs:
        here = [group for group in every["groups"] if any((stage, group) in pairs for stage in stages)]
        return f"nobody of {_listed('group', groups)} is ever in {_listed('stage', stages)}, where {_are(here)}"
    what = "nobody arrives" if effect.on == "arrivals" else f"no '{effect.on}' clock runs for anybody"
    cells = sorted(
        {*_running(model, effect.on)},
        key=lambda cell: (
            every["stages"].index(cell[0]),
            every["groups"].index(cell[1]),
            every["needs"].index(cell[2]),
        ),
    )
    near = [cell for cell in cells if cell[0] in stages and cell[1] in groups]
    if near:  # only the need is another
        others = _listed("need", _distinct(near, 2))
        return f"{what} there with {_listed('need', effect.needs or ())}; with {others} it does"
    where = [f"'{stage}' ({', '.join(_distinct(_of(cells, stage), 1))})" for stage in _distinct(cells, 0)]
    return f"{what} there; it does in {', '.join(where) or 'no cell'}"


def _of(cells: Iterable[Cell], stage: str) -> list[Cell]:
    return [cell for cell in cells if cell[0] == stage]


def _distinct(cells: Iterable[Cell], k: int) -> list[str]:
    return list(dict.fromkeys(cell[k] for cell in cells))


def _listed(what: str, names: Iterable[str]) -> str:
    quoted = [f"'{name}'" for name in names]
    return f"{what}{'s' * (len(quoted) > 1)} {', '.join(quoted)}"


def _are(groups: list[str]) -> str:
    if not groups:
        return "nobody is"
    return f"there {'are only' if len(groups) > 1 else 'is only'} {', '.join(groups)}"


__all__ = ["effect_faults", "out_of_reach", "present", "reached"]
