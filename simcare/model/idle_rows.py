"""Rows of what is not known in a model that another was made from: what they named may be gone, and then they say
nothing of the new one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from simcare.model.addresses import Address, addresses, fitting
from simcare.model.checks.effects import effect_faults
from simcare.model.checks.uncertain import moves_a_number
from simcare.model.fields import ModelFields
from simcare.model.uncertain import Uncertain

M = TypeVar("M", bound=ModelFields)


def without_idle_rows(model: M) -> M:
    """The model with its rows of what is not known cut down to what is still in it; a row of which nothing is left
    goes, and so does what was fixed with a reason.

    For models made from others (a mechanism switched off, a simplification). A file whose row moves nothing is refused
    instead: there it is a mistake.

    >>> from simcare.files.load import load_model
    >>> kent = load_model("kent-2013")
    >>> calm = kent.model_copy(update={"clocks": tuple(clock for clock in kent.clocks if clock.clock != "crisis")})
    >>> crises = {row.name: row for row in without_idle_rows(calm).uncertain}["crises"]
    >>> crises.multiply, crises.odds
    ((), ('need.*.crisis_at_once',))
    """
    if not model.uncertain and not model.fixed:
        return model
    every = list(addresses(model))
    cut = [_cut(model, row, every) for row in model.uncertain]
    rows = [row for row in cut if row is not None]
    names = {row.name for row in rows}
    fixed = (one.model_copy(update={"paths": _there(one.paths, every)}) for one in model.fixed)
    update = {
        "uncertain": tuple(_beside(row, names) for row in rows),
        "fixed": tuple(one for one in fixed if one.paths),
    }
    return model.model_copy(update=update)


def _cut(model: ModelFields, row: Uncertain, every: Sequence[Address]) -> Uncertain | None:
    """A row less what the model does not have; None where nothing is left."""
    update: dict[str, Any] = {
        "multiply": tuple(cells for cells in row.multiply if not effect_faults(model, cells, "")),
        "choose": tuple(
            one.model_copy(update={"values": {path: to for path, to in one.values.items() if fitting([path], every)}})
            for one in row.choose
        ),
        **{means: _there(getattr(row, means), every) for means in ("scale", "odds", "tilt", "paths")},
    }
    new = row.model_copy(update=update)
    numbers = bool(new.patterns) and (not new.is_factor or moves_a_number(new, every))
    return new if numbers or new.multiply else None


def _there(patterns: Sequence[str], every: Sequence[Address]) -> tuple[str, ...]:
    return tuple(pattern for pattern in patterns if fitting([pattern], every))


def _beside(row: Uncertain, names: set[str]) -> Uncertain:
    beside = tuple(name for name in row.beside if name in names)
    return row if beside == row.beside else row.model_copy(update={"beside": beside})


__all__ = ["without_idle_rows"]
