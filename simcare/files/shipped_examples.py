"""Which shipped models have what another lacks: a number at a path, a clock."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any

from simcare.errors import BadInput
from simcare.files.extend import read_model
from simcare.files.library import library
from simcare.model.strategy import Strategy


@lru_cache(maxsize=2)
def _shipped(folder: str = "models") -> dict[str, dict[str, Any]]:
    """The tables of every model of the library, or of every experiment, by name."""
    found = {}
    for path in sorted(library(folder).glob("*.toml")):
        try:
            found[path.stem] = read_model(path)
        except BadInput:
            continue  # one's own file among the shipped ones: not to be learnt from
    return found


def models_with(path: str) -> list[str]:
    """The shipped models that have a number at a path, such as ``handovers.disabled children at 18.supported``.

    >>> "mm-infinity" in models_with("arrivals.everyone.per_year")
    True
    """
    part, _, rest = path.partition(".")
    name, _, field = rest.rpartition(".")
    return [model for model, tables in _shipped().items() if any(field in row for row in _rows(tables, part, name))]


def _rows(tables: dict[str, Any], part: str, name: str) -> Iterator[dict[str, Any]]:
    """The rows of a part that go by a name; offers go by provider and service."""
    if part == "offers":
        for provider in tables.get("providers", ()):
            for offer in provider.get("offers", ()):
                if name.startswith(f"{provider.get('name')}.{offer.get('service')}"):
                    yield offer
        return
    rows = tables.get(part, ())
    if isinstance(rows, list):
        yield from (row for row in rows if isinstance(row, dict) and row.get("name") == name)


def models_with_clock(clock: str) -> list[str]:
    """The shipped models in which a clock runs."""
    return [
        model
        for model, tables in _shipped().items()
        if any(isinstance(row, dict) and row.get("clock") == clock for row in tables.get("clocks", ()))
    ]


def models_with_part(part: str) -> list[str]:
    """The shipped models that have rows of a part.

    >>> models_with_part("teams")
    ['desk', 'kent-2013-limits']
    """
    return [model for model, tables in _shipped().items() if tables.get(part)]


def files_naming(part: str, name: str) -> list[str]:
    """The shipped models and experiments that have a row of this name in a part.

    >>> files_naming("contracts", "taper")
    ['tiered-tariffs']
    """
    return [
        file
        for folder in ("models", "experiments")
        for file, tables in _shipped(folder).items()
        if any(True for _ in _rows(tables, part, name))
    ]


def having(files: Sequence[str]) -> str:
    """Which shipped files have something, to go before what they have."""
    kind = "experiment" if all(file in _shipped("experiments") for file in files) else "model"
    return f"the shipped {kind} {files[0]} has" if len(files) == 1 else f"the shipped {kind}s {', '.join(files)} have"


def with_examples(fault: str, strategy: Strategy) -> str:
    """A fault of a strategy; where its model has nothing of what is named, with the shipped models that have it."""
    found: list[str] = []
    if change := re.match(r"changes\[(\d+)\]\.path: .*none is defined", fault):
        path = strategy.changes[int(change[1])].path
        found = models_with(path)
        if not found and (others := models_with_part(path.partition(".")[0])):
            return f"{fault}; {having(others)} {path.partition('.')[0]}"
    elif effect := re.match(r"effects\[(\d+)\]\.on: the model has no ", fault):
        found = models_with_clock(strategy.effects[int(effect[1])].on)
    if not found:
        return fault
    return f"{fault}; {having(found)} it"


__all__ = ["files_naming", "having", "models_with", "models_with_clock", "models_with_part", "with_examples"]
