"""Whom a row of the model speaks for: the clocks, and the cells of stage, group and need that each row touches."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from itertools import product

from simcare.model.fields import ModelFields
from simcare.model.parts import Arrivals, Clock
from simcare.model.uncertain import Cells

NEED_CLOCKS = ("rise", "recover")  # by one level of need, or by several
BY_PROVIDERS = ("step_down", "premature")  # what a provider does of its own accord
ORIGINS = {"death": "age", "renege": "wait"}  # what time a clock's baseline runs in unless said; "need" for the others


def clock_cells(model: ModelFields, clock: Clock) -> Iterator[tuple[str, str, str]]:
    """The (stage, group, need) cells that a row speaks for."""
    need_levels = model.need_levels
    needs = clock.needs or tuple(
        need_level
        for level, need_level in enumerate(need_levels)
        if not (clock.clock == "rise" and level + clock.by >= len(need_levels))
        and not (clock.clock == "recover" and level < clock.by)
        and not (clock.clock == "detection" and level == 0)
        and not (clock.clock == "induced" and level + 1 >= len(need_levels))
    )
    yield from product(
        clock.stages or [s.name for s in model.stages], clock.groups or [g.name for g in model.groups], needs
    )


def rates_of(clock: Clock) -> list[tuple[str | None, float]]:
    """The rates of a clock by need, or under None the one for all."""
    if clock.family == "constant" and clock.needs is not None and len(clock.rates) > 1:
        return list(zip(clock.needs, clock.rates, strict=True))
    return [(None, clock.rates[0] if clock.rates else 0.0)]


def clock_origin(clock: Clock) -> str:
    """What time a clock's baseline runs in: since ``need``, ``stay`` or ``wait`` began, or by ``age``."""
    return clock.since or ORIGINS.get(clock.clock, "need")


def touching(model: ModelFields, on: str, stage: str, group: str, need: str) -> tuple[int, ...]:
    """The modifiers, by index, that touch a clock or the arrivals of a cell."""
    return tuple(
        k
        for k, m in enumerate(model.modifiers)
        if m.on == on
        and (m.stages is None or stage in m.stages)
        and (m.groups is None or group in m.groups)
        and (m.needs is None or need in m.needs)
    )


def changes_on(model: ModelFields, on: str, stage: str, group: str, need: str) -> list[tuple[dt.date, int, float]]:
    """The modifiers that touch a cell: start, ramp in days, multiplier."""
    touched = (model.modifiers[k] for k in touching(model, on, stage, group, need))
    return [(m.start, m.ramp_days, m.multiply.value) for m in touched]


def rows_in(model: ModelFields, cells: Cells) -> list[Clock | Arrivals]:
    """The clocks of a model that run in some of these cells, or the arrivals that come in them.

    >>> from simcare.files.load import load_model
    >>> older = Cells(on="induced", groups=("older_people",))
    >>> [row.clock for row in rows_in(load_model("kent-2013"), older)]
    ['induced']
    """

    def meets(mine: tuple[str, ...] | None, theirs: tuple[str, ...] | None) -> bool:
        return mine is None or theirs is None or bool(set(mine) & set(theirs))

    if cells.on == "arrivals":
        return [
            row for row in model.arrivals if meets(cells.stages, (row.stage,)) and meets(cells.groups, (row.group,))
        ]
    return [
        clock
        for clock in model.clocks
        if clock.clock == cells.on
        and meets(cells.stages, clock.stages)
        and meets(cells.groups, clock.groups)
        and meets(cells.needs, clock.needs)
    ]
