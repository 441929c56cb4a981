"""What kind of file it is that people hand over, and which verb takes it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from simcare.errors import BadInput

VERBS = {
    "model": "simcare run takes it",
    "experiment": "simcare compare takes it",
    "calibration": "simcare calibrate takes it",
    "file of contracts": "simcare tariff takes it, beside a model",
}
MARKS = (  # keys that only one kind of file has, the most telling first
    ("calibration", ("free", "targets", "known_to", "runs")),
    ("experiment", ("strategies", "shrinkage", "replications")),
    ("model", ("about", "tiers", "extends", "stages", "services", "caseload", "prices")),
    ("file of contracts", ("contracts",)),
)


def kind_of(tables: Mapping[str, Any]) -> str | None:
    """The kind of file that some tables are of; None where no key says.

    >>> kind_of({"name": "x", "shrinkage": {}}), kind_of({"about": {}}), kind_of({"abuot": {}})
    ('experiment', 'model', None)
    """
    return next((kind for kind, keys in MARKS if any(key in tables for key in keys)), None)


def check_kind(tables: Mapping[str, Any], wanted: str, name: str) -> None:
    """Refuse a file of another kind, and say which verb takes it."""
    found = kind_of(tables)
    if found is not None and found != wanted:
        a, an = (f"{'an' if kind[0] in 'aeiou' else 'a'} {kind}" for kind in (found, wanted))
        raise BadInput(f"{name}: is {a}, not {an}; {VERBS[found]}")


__all__ = ["VERBS", "check_kind", "kind_of"]
