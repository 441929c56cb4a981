"""Whether the rows that say what is not known fit the model: that each moves something, that no two move one number
unless it is said, and that everything a row may draw is a value the number may have."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pydantic import BaseModel, ValidationError

from simcare.errors import BadInput
from simcare.model.addresses import Address, addresses, fitting
from simcare.model.checks.effects import effect_faults, reached
from simcare.model.fault import Fault
from simcare.model.fields import ModelFields
from simcare.model.laying import laid, number_moves
from simcare.model.nearmiss import unknown
from simcare.model.number import DatedNumber, Numbers
from simcare.model.uncertain import Uncertain


def uncertain_faults(model: ModelFields) -> list[Fault]:
    """Everything wrong with the rows of what is not known; first what they name, and only if that holds, the rest."""
    if not model.uncertain and not model.fixed:
        return []
    every = list(addresses(model))
    faults = [*_names(model), *_reach_nothing(model, every)]
    if faults:
        return faults
    return [*_impossible(model, every), *_together(model, every), *_fixed_that_move(model, every)]


def _names(model: ModelFields) -> Iterator[Fault]:
    for part in ("uncertain", "fixed"):
        names = [row.name for row in getattr(model, part)]
        for k, name in enumerate(names):
            if name in names[:k]:
                yield Fault(f"{part}[{k}].name", f"'{name}' is already defined")
    names = [row.name for row in model.uncertain]
    for k, row in enumerate(model.uncertain):
        if row.source is not None and row.source != "assumption" and row.source not in model.sources:
            yield Fault(f"uncertain[{k}].source", unknown(row.source, [*model.sources, "assumption"]))
        for i, name in enumerate(row.beside):
            if name not in names or name == row.name:
                yield Fault(f"uncertain[{k}].beside[{i}]", unknown(name, [n for n in names if n != row.name]))


def _reach_nothing(model: ModelFields, every: Sequence[Address]) -> Iterator[Fault]:
    """Paths of no number, and cells of nobody."""
    paths = list(dict.fromkeys(one.path for one in every))
    for k, row in enumerate(model.uncertain):
        for i, cells in enumerate(row.multiply):
            where = f"uncertain[{k}].multiply" + (f"[{i}]" if len(row.multiply) > 1 else "")
            for sentence in effect_faults(model, cells, where):
                path, _, what = sentence.partition(": ")
                yield Fault(path, what.replace("this effect could do nothing", "the row moves nothing"))
        for pattern in row.patterns:
            if not fitting([pattern], every):
                yield Fault(f"uncertain[{k}].{row.how_at(pattern)}", f"moves nothing: {unknown(pattern, paths)}")
    for k, fixed in enumerate(model.fixed):
        for i, pattern in enumerate(fixed.paths):
            if not fitting([pattern], every):
                yield Fault(f"fixed[{k}].paths[{i}]", unknown(pattern, paths))


def _impossible(model: ModelFields, every: Sequence[Address]) -> Iterator[Fault]:
    """What a row may draw, tried at its ends: each number that it moves has to allow it."""
    for k, row in enumerate(model.uncertain):
        where = f"uncertain[{k}].{'choose' if row.choose else 'prior'}"
        try:
            if row.patterns and row.is_factor and not moves_a_number(row, every):
                yield Fault(f"uncertain[{k}].{row.how}", "moves nothing: all that it names is 0, or in one place")
            for value in row.extremes:
                fault = first_fault(model, laid(model, [row], {row.name: value}, every))
                if fault is not None:
                    drawn = f"alternative {int(value) + 1}" if row.choose else f"{value:.4g}, which it may draw"
                    yield Fault(where, f"{drawn}, cannot be: {fault}")
        except BadInput as error:
            yield Fault(f"uncertain[{k}].{row.how}", str(error))


def moves_a_number(row: Uncertain, every: Sequence[Address]) -> bool:
    """Whether a factor other than 1 changes any number."""
    changed = ((address.number, change(address.number)) for address, change in number_moves(row, 2.0, every))
    return any(_bare(new) != _bare(old) for old, new in changed)


def _bare(number: BaseModel) -> object:
    if isinstance(number, DatedNumber | Numbers):
        return number.values if isinstance(number, DatedNumber) else number.value
    return getattr(number, "shares", getattr(number, "value", None))


def first_fault(model: ModelFields, moved: ModelFields) -> str | None:
    """Why the parts of a model that differ from those of another cannot be, if they cannot."""
    for part in type(model).model_fields:
        before, after = getattr(model, part), getattr(moved, part)
        if before is after or part == "modifiers":
            continue
        rows = zip(before, after, strict=True) if isinstance(after, tuple) else [(before, after)]
        for old, new in rows:
            if old is not new and (fault := _invalid(new)) is not None:
                return f"{part}.{getattr(new, 'name', None) or ''}{fault}".replace("..", ".")
    return None


def _invalid(row: BaseModel) -> str | None:
    try:
        type(row).model_validate(row.model_dump(by_alias=True))
    except ValidationError as error:
        first = error.errors()[0]
        path = "".join(f".{step}" for step in first["loc"] if step != "steps")
        return f"{path} {first.get('ctx', {}).get('error', first['msg'])}"
    return None


def _together(model: ModelFields, every: Sequence[Address]) -> Iterator[Fault]:
    """Two rows on one number, or on one clock of one cell, without a word that it is meant."""
    taken: dict[object, int] = {}
    told: set[tuple[int, int]] = set()
    for k, row in enumerate(model.uncertain):
        for thing, called in _touched(model, row, every):
            first = taken.setdefault(thing, k)
            other = model.uncertain[first]
            if first == k or (first, k) in told or row.name in other.beside or other.name in row.beside:
                continue
            told.add((first, k))
            yield Fault(
                f"uncertain[{k}].{row.how}",
                f"{called} is moved by '{other.name}' too; if both are meant, say beside = [\"{other.name}\"]",
            )


def _touched(model: ModelFields, row: Uncertain, every: Sequence[Address]) -> Iterator[tuple[object, str]]:
    """What a row moves, each thing with what it is called."""
    for cells in row.multiply:
        for cell in sorted(reached(model, cells)):
            yield (cells.on, cell), f"{cells.on} for {', '.join(cell)}"
    for address in fitting(row.patterns, every):
        yield address.at, address.path


def _fixed_that_move(model: ModelFields, every: Sequence[Address]) -> Iterator[Fault]:
    moving = {address.at: row.name for row in model.uncertain for address in fitting(row.patterns, every)}
    for k, fixed in enumerate(model.fixed):
        for address in fitting(fixed.paths, every):
            if address.at in moving:
                yield Fault(f"fixed[{k}].paths", f"{address.path} is moved by '{moving[address.at]}'")
                break


__all__ = ["first_fault", "moves_a_number", "uncertain_faults"]
