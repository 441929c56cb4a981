"""Values of uncertain rows laid over a model: each yields a new model, and the old one is untouched.

A value that leaves a number as it is leaves the model as it is, to the last bit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from pydantic import BaseModel

from simcare.errors import BadInput
from simcare.model.addresses import Address, addresses, fitting
from simcare.model.fields import ModelFields, Modifier
from simcare.model.number import DatedNumber, Number, Numbers
from simcare.model.parts import Ages, Elapsed
from simcare.model.uncertain import Cells, Uncertain

M = TypeVar("M", bound=ModelFields)
Moved = Callable[[Any], Any]
WHOLE = ("count",)  # numbers of people, which come whole


def laid(model: M, rows: Sequence[Uncertain], values: Mapping[str, float], every: Sequence[Address] | None = None) -> M:
    """The model with each row at its value (of a choice, the number of its alternative), from the first day on.

    ``every`` are the model's addresses, where they are known already.

    Raises BadInput where a number cannot be moved so.

    >>> from simcare.files.load import load_model
    >>> model = load_model("mm-infinity")
    >>> price = Uncertain.model_validate({"name": "price", "title": "The price", "scale": ["contracts.*.gbp_per_day"],
    ...     "prior": {"kind": "lognormal", "median": 1, "sd_log": 0.2, "source": "assumption", "grade": "D"}})
    >>> laid(model, [price], {"price": 1.5}).contracts[0].terms[0].gbp_per_day.values
    (15.0,)
    >>> laid(model, [price], {"price": 1.0}) is model
    True
    """
    if every is None:
        every = list(addresses(model)) if any(row.patterns for row in rows) else []
    moved: dict[tuple[str | int, ...], Sequence[Moved]] = {}
    for row in rows:
        for address, change in number_moves(row, values[row.name], every):
            moved[address.at] = (*moved.get(address.at, ()), change)
    factors = [(cells, values[row.name]) for row in rows for cells in row.multiply if values[row.name] != 1.0]
    update = {
        str(part): _rebuilt(getattr(model, str(part)), {at[1:]: done for at, done in moved.items() if at[0] == part})
        for part in dict.fromkeys(at[0] for at in moved)
    }
    if factors:
        update["modifiers"] = (*model.modifiers, *(_modifier(model, cells, value) for cells, value in factors))
    changed = {part: value for part, value in update.items() if value is not getattr(model, part)}
    return model.model_copy(update=changed) if changed else model


def number_moves(row: Uncertain, value: float, every: Sequence[Address]) -> list[tuple[Address, Moved]]:
    """What a row does to numbers at its value: each address, and the function from the number there to the new one."""
    if row.choose:
        chosen = row.choose[int(value)].values
        return [(address, _to_value(to)) for pattern, to in chosen.items() for address in fitting([pattern], every)]
    if row.paths:
        return [(address, _to_value(value)) for address in fitting(row.paths, every)]
    if value == 1.0:
        return []
    means = {"scale": (row.scale, _scaled), "odds": (row.odds, _by_odds), "tilt": (row.tilt, _tilted)}
    return [
        (address, _with_factor(by, value, address))
        for patterns, by in means.values()
        for address in fitting(patterns, every)
    ]


def _with_factor(by: Callable[[Any, float], Any], factor: float, address: Address) -> Moved:
    whole = address.at[-1] in WHOLE

    def moved(number: Any) -> Any:
        new = by(number, factor)
        return _with_value(new, float(round(new.value))) if whole else new

    return moved


def _to_value(value: float) -> Moved:
    """A function that sets a number to a value; where it has it already, it stays as it is."""

    def moved(number: Any) -> Any:
        if isinstance(number, DatedNumber):
            if number.values == (value,):
                return number
            first = number.steps[0].model_copy(update={"value": value, "low": None, "high": None, "from_": None})
            return number.model_copy(update={"steps": (first,)})
        if isinstance(number, Numbers):
            return number.model_copy(update={"value": (value,) * len(number.value)})
        return number if number.value == value else _with_value(number, value)

    return moved


def _with_value(number: Number, value: float) -> Number:
    return number.model_copy(update={"value": value, "low": None, "high": None})


def _each(number: Any, change: Callable[[float], float]) -> Any:
    """A number, or each of several, changed."""
    if isinstance(number, DatedNumber):
        return number.model_copy(update={"steps": tuple(_with_value(s, change(s.value)) for s in number.steps)})
    if isinstance(number, Numbers):
        return number.model_copy(update={"value": tuple(change(value) for value in number.value)})
    if isinstance(number, Number):
        return _with_value(number, change(number.value))
    raise BadInput("a distribution cannot be scaled: tilt leans it")


def _scaled(number: Any, factor: float) -> Any:
    return _each(number, lambda value: value * factor)


def _by_odds(number: Any, factor: float) -> Any:
    return _each(number, lambda share: share * factor / (1 - share + share * factor))


def _tilted(number: Any, factor: float) -> Any:
    """A distribution leant by a factor for each step along it."""
    if isinstance(number, Ages | Elapsed):
        return number.model_copy(update={"shares": _leant(number.shares, factor)})
    if isinstance(number, Numbers):
        return number.model_copy(update={"value": _leant(number.value, factor)})
    raise BadInput("is one number, not a distribution: it cannot be tilted; scale or odds move it")


def _leant(shares: tuple[float, ...], factor: float) -> tuple[float, ...]:
    """
    >>> _leant((0.5, 0.5), 3)
    (0.25, 0.75)
    """
    weights = [share * factor**k for k, share in enumerate(shares)]
    return tuple(weight / sum(weights) for weight in weights)


def _rebuilt(value: Any, changes: Mapping[tuple[str | int, ...], Sequence[Moved]]) -> Any:
    """A value with what stands at some places in it changed; itself where nothing is."""
    if () in changes:
        for change in changes[()]:
            value = change(value)
        return value
    heads = dict.fromkeys(at[0] for at in changes)
    inner = {head: {at[1:]: done for at, done in changes.items() if at[0] == head} for head in heads}
    if isinstance(value, tuple):
        rows = tuple(_rebuilt(row, inner[k]) if k in inner else row for k, row in enumerate(value))
        return rows if any(new is not old for new, old in zip(rows, value, strict=True)) else value
    assert isinstance(value, BaseModel)
    update = {str(field): _rebuilt(getattr(value, str(field)), below) for field, below in inner.items()}
    if all(new is getattr(value, field) for field, new in update.items()):
        return value
    return value.model_copy(update=update)


def _modifier(model: ModelFields, cells: Cells, value: float) -> Modifier:
    multiply = Number(value=value, source="assumption", grade="D", note="drawn")
    return Modifier(
        on=cells.on,
        stages=cells.stages,
        groups=cells.groups,
        needs=cells.needs,
        start=model.about.start,
        multiply=multiply,
    )


__all__ = ["laid", "number_moves"]
