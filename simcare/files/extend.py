"""A model file that builds on another: only what differs is written down."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from simcare.errors import BadInput
from simcare.files.library import find_beside
from simcare.files.toml_faults import read_toml

KEYS = ("name", "service")  # what tells the rows of a list apart: an offer goes by its service


def read_model(path: Path) -> dict[str, Any]:
    """The tables of a model file, laid over those of the model that it ``extends``, if it does."""
    *above, (_, tables) = model_chain(path)
    for _, file in reversed(above):
        tables = extended(tables, file)
    return tables


def model_chain(path: Path) -> list[tuple[Path, dict[str, Any]]]:
    """A model file, the one that it extends, and so on to one that extends none: each path with its own tables."""
    chain: list[tuple[Path, dict[str, Any]]] = []
    here: Path | None = path
    while here is not None:
        data = read_toml(here)
        base = data.pop("extends", None)
        chain.append((here, data))
        here = None if base is None else _base_of(here, base, {file.resolve() for file, _ in chain})
    return chain


def _base_of(path: Path, base: Any, above: set[Path]) -> Path:
    """The file that a model file extends; ``above`` are those that led to it and may not come again."""
    if not isinstance(base, str):
        called = {bool: str(base).lower(), list: "a list", dict: "a table"}.get(type(base), repr(base))
        raise BadInput(f"{path}: extends: should be the name or path of a model, got {called}")
    try:
        found = find_beside(base, path, "models")
    except BadInput as error:
        raise BadInput(f"{path}: extends: {error}") from error
    if found.resolve() in above:
        raise BadInput(f"{path}: extends: '{base}' extends this file again")
    return found


def extended(base: Mapping[str, Any], file: Mapping[str, Any]) -> dict[str, Any]:
    """The tables of ``base`` with those of ``file`` laid over them; neither is changed.

    In a list of tables a row with the name of a row of the base changes the fields it gives (an offer goes by its
    service); other rows are added. Everything else that the file gives replaces what was there: a number, dated values,
    the terms of a contract.

    >>> base = {"teams": [{"name": "a", "hours": 1, "stage": "x"}], "clocks": [{"clock": "rise"}], "start": 1}
    >>> file = {"teams": [{"name": "a", "hours": 2}, {"name": "b", "hours": 3}], "clocks": [{"clock": "death"}]}
    >>> extended(base, file)["teams"]
    [{'name': 'a', 'hours': 2, 'stage': 'x'}, {'name': 'b', 'hours': 3}]
    >>> extended(base, file)["clocks"], extended(base, file)["start"]
    ([{'clock': 'rise'}, {'clock': 'death'}], 1)
    """
    return _over(base, file, top=True)


def _over(base: Mapping[str, Any], file: Mapping[str, Any], top: bool = False) -> dict[str, Any]:
    out = dict(base)
    for key, value in file.items():
        there = out.get(key)
        if isinstance(there, Mapping) and isinstance(value, Mapping) and "value" not in value:
            out[key] = _over(there, value)
        elif isinstance(there, list) and _tables(value) and (top or _named(value)):
            out[key] = _merged(there, value)
        else:
            out[key] = value
    return out


def _tables(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(row, Mapping) for row in value)


def _named(value: Any) -> bool:
    return bool(value) and all(_name(row) is not None for row in value)


def _name(row: Mapping[str, Any]) -> tuple[str, str] | None:
    return next(((key, str(row[key])) for key in KEYS if key in row), None)


def _merged(base: list[Any], rows: list[Any]) -> list[Any]:
    names = [_name(row) if isinstance(row, Mapping) else None for row in base]
    out = list(base)
    for row in rows:
        name = _name(row)
        if name is not None and name in names:
            k = names.index(name)
            out[k] = _over(out[k], row)
        else:
            out.append(row)
    return out
