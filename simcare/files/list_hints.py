"""What is added to a fault on a name that is not there: where every name is listed, and which shipped file has it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from simcare.files.shipped_examples import files_naming, having, models_with_part
from simcare.model.checks.names import ONE_OF

NAMED_KIND = {  # what a key names, as `simcare list` calls it
    **{kind: kind for kind in ONE_OF.values()},
    **ONE_OF,
    "failures": "providers",
    "path": "paths",
    "on": "clocks",
    "need": "needs",
}
MOST_FILES = 4  # a name that every shipped model has says nothing
KEY = re.compile(r"(?:^|[.\s])(\w+)(?:\[\d+\])?: (?:unknown '(?P<name>.*?)', |the model has no )")


def with_hints(faults: Sequence[str], model: str | None) -> list[str]:
    """The faults, with which shipped file has what is missing; the first on names of a kind says what lists them all,
    where there is a ``model`` to list.

    >>> with_hints(["stage: unknown 'od', did you mean 'old'?"], "toy.toml")
    ["stage: unknown 'od', did you mean 'old'? simcare list toy.toml stages lists them all"]
    """
    found, hinted = [], set()
    for fault in faults:
        key = KEY.search(fault)
        kind = NAMED_KIND.get(key[1]) if key else None
        if key is None or kind is None:
            found.append(fault)
            continue
        fault += _elsewhere(fault, kind, key["name"])
        if model is not None and kind not in hinted and "none is defined" not in fault:
            fault += f"{' ' if fault.endswith('?') else '; '}simcare list {_quoted(model)} {kind} lists them all"
        hinted.add(kind)
        found.append(fault)
    return found


def _elsewhere(fault: str, kind: str, name: str | None) -> str:
    """Which shipped files have what a model has not; nothing where a near miss is offered, or it is said already."""
    if name is None or "did you mean" in fault or "the shipped" in fault:
        return ""
    if 0 < len(files := files_naming(kind, name)) <= MOST_FILES:
        return f"; {having(files)} it"
    shipped = models_with_part(kind) if "none is defined" in fault else []
    return f"; {having(shipped)} {kind}" if shipped else ""


def _quoted(name: str) -> str:
    return f'"{name}"' if " " in name else name


__all__ = ["with_hints"]
