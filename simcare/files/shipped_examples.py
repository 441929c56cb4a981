"""Which shipped models have what another lacks: a number at a path, a clock."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from simcare.errors import BadInput
from simcare.files.extend import read_model
from simcare.files.library import library
from simcare.model.strategy import Strategy


@lru_cache(maxsize=1)
def _shipped() -> dict[str, dict[str, Any]]:
    """The tables of every model of the library, by name."""
    found = {}
    for path in sorted(library("models").glob("*.toml")):
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


def with_examples(fault: str, strategy: Strategy) -> str:
    """A fault of a strategy; where its model has nothing of what is named, with the shipped models that have it."""
    found: list[str] = []
    if change := re.match(r"changes\[(\d+)\]\.path: .*none is defined", fault):
        found = models_with(strategy.changes[int(change[1])].path)
    elif effect := re.match(r"effects\[(\d+)\]\.on: the model has no ", fault):
        found = models_with_clock(strategy.effects[int(effect[1])].on)
    if not found:
        return fault
    which = f"the shipped model {found[0]} has" if len(found) == 1 else f"the shipped models {', '.join(found)} have"
    return f"{fault}; {which} it"


__all__ = ["models_with", "models_with_clock", "with_examples"]
