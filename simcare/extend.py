"""A model file that builds on another: only what differs is written down."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

KEYS = ("name", "service")  # what tells the rows of a list apart: an offer goes by its service


def extended(base: Mapping[str, Any], file: Mapping[str, Any]) -> dict[str, Any]:
    """The tables of ``base`` with those of ``file`` laid over them; neither is changed.

    A row with the name of a row of the base changes the fields it gives (an offer goes by its service); other rows are
    added; whatever is not a list of named rows replaces what was there.

    >>> base = {"teams": [{"name": "a", "hours": 1, "stage": "x"}], "start": 1}
    >>> extended(base, {"teams": [{"name": "a", "hours": 2}, {"name": "b", "hours": 3}]})
    {'teams': [{'name': 'a', 'hours': 2, 'stage': 'x'}, {'name': 'b', 'hours': 3}], 'start': 1}
    """
    out = dict(base)
    for key, value in file.items():
        there = out.get(key)
        if isinstance(there, Mapping) and isinstance(value, Mapping) and "value" not in value:
            out[key] = extended(there, value)
        elif _named(value) and (there is None or _named(there)):
            out[key] = _merged(there or [], value)
        else:
            out[key] = value
    return out


def _named(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(row, Mapping) and _name(row) is not None for row in value)


def _name(row: Mapping[str, Any]) -> tuple[str, str] | None:
    return next(((key, str(row[key])) for key in KEYS if key in row), None)


def _merged(base: list[Any], rows: list[Any]) -> list[Any]:
    names = [_name(row) for row in base]
    out = list(base)
    for row in rows:
        if _name(row) in names:
            k = names.index(_name(row))
            out[k] = extended(out[k], row)
        else:
            out.append(row)
    return out
