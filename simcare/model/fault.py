"""One thing wrong with a model, and where."""

from __future__ import annotations

from typing import NamedTuple


class Fault(NamedTuple):
    """One thing wrong: where, and a sentence.

    >>> print(Fault("services[3].tier", "unknown 'comunity'"))
    services[3].tier: unknown 'comunity'
    """

    path: str
    sentence: str

    def __str__(self) -> str:
        return f"{self.path}: {self.sentence}"
