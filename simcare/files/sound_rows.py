"""What can still be checked of a file whose rows are partly at fault: everything else, so that all faults are told at
once."""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping, Sequence
from typing import Any, Generic, NamedTuple, TypeVar

from pydantic import BaseModel, ValidationError

from simcare.files.parsing import fault_lines
from simcare.files.pydantic_words import without_echoes

M = TypeVar("M", bound=BaseModel)
Place = tuple[str | int, ...]


class SoundRows(NamedTuple, Generic[M]):
    """A value without the rows that are at fault (None where nothing sound is left), the faults, and which rows of
    which lists are gone."""

    value: M | None
    faults: list[str]
    gone: dict[Place, list[int]]

    def in_file(self, fault: str) -> str:
        """A fault of the value, with its rows numbered as in the file."""
        return renumbered(fault, self.gone)


def parse_sound(kind: type[M], data: Mapping[str, Any]) -> SoundRows[M]:
    """Validate plain tables as ``kind``; where rows are at fault, what is left without them is validated as well."""
    try:
        return SoundRows(kind.model_validate(data), [], {})
    except ValidationError as error:
        faults = fault_lines(error, kind, data)
        found = [(fault, _row(fault["loc"], data)) for fault in without_echoes(error.errors())]
    misspelt = {fault["loc"][0] for fault, row in found if row is None and fault["type"] == "extra_forbidden"}
    if any(row is None and fault["loc"][:1] != (key,) for fault, row in found for key in [*misspelt, None][:1]):
        return SoundRows(None, faults, {})
    left, gone = _without(data, {row for _, row in found if row is not None})
    left = {key: value for key, value in left.items() if key not in misspelt}
    try:
        return SoundRows(kind.model_validate(left), faults, gone)
    except ValidationError:
        return SoundRows(None, faults, {})


def _row(loc: Sequence[str | int], data: Any) -> Place | None:
    """The innermost row of a list of tables that an error is in."""
    here, found = data, None
    for k, part in enumerate(loc):
        try:
            here = here[part]
        except (KeyError, IndexError, TypeError):
            break
        if isinstance(part, int) and isinstance(here, Mapping):
            found = tuple(loc[: k + 1])
    return found


def _without(data: Mapping[str, Any], rows: set[Place]) -> tuple[dict[str, Any], dict[Place, list[int]]]:
    """The tables without some rows, and the numbers of those that are gone from each list."""
    left: Any = copy.deepcopy(dict(data))
    gone: dict[Place, list[int]] = {}
    outermost = {row for row in rows if not any(row != other and row[: len(other)] == other for other in rows)}
    for row in sorted(outermost, key=lambda place: [(isinstance(part, str), part) for part in place], reverse=True):
        here = left
        for part in row[:-1]:
            here = here[part]
        number = row[-1]
        assert isinstance(number, int)
        del here[number]
        gone.setdefault(row[:-1], []).append(number)
    return left, gone


def renumbered(fault: str, gone: Mapping[Place, Sequence[int]]) -> str:
    """A fault whose rows are numbered without those that are gone, numbered with them.

    >>> gone = {("strategies",): [0], ("strategies", 1, "changes"): [0, 1]}
    >>> renumbered("strategies[0].changes[1].path: unknown", gone)
    'strategies[1].changes[3].path: unknown'
    """
    path = re.match(r"[A-Za-z_]+(?:\[\d+\]|\.[A-Za-z_]+)*", fault)
    if path is None:
        return fault
    place: Place = ()
    for name, number in re.findall(r"([A-Za-z_]+)|\[(\d+)\]", path[0]):
        if name:
            place = (*place, name)
            continue
        at = int(number)
        for missing in sorted(gone.get(place, ())):
            at += missing <= at
        place = (*place, at)
    told = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in place).lstrip(".")
    return told + fault[path.end() :]


__all__ = ["SoundRows", "parse_sound", "renumbered"]
