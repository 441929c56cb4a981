"""The one small tree of errors: what went wrong, in a sentence a user can act on."""

from __future__ import annotations

from collections.abc import Sequence


class SimcareError(Exception):
    """Anything simcare raises on purpose. The message is one clear sentence."""

    exit_code = 1


class BadInput(SimcareError):
    """The user's file or option cannot be used; ``faults`` holds one line for each thing wrong.

    >>> BadInput(["model.toml: tiers[0].nane: unknown key, did you mean 'name'?"]).exit_code
    2
    >>> print(BadInput("model.toml: stage: unknown 'two\\nlines'"))
    model.toml: stage: unknown 'two\\nlines'
    """

    exit_code = 2

    def __init__(self, faults: str | Sequence[str]) -> None:
        given = (faults,) if isinstance(faults, str) else tuple(faults)
        self.faults: tuple[str, ...] = tuple(_on_one_line(fault) for fault in given)
        super().__init__("\n".join(self.faults))


def _on_one_line(fault: str) -> str:
    """A fault with what would break its line, or steer a terminal, written out: a file may hold such a name."""
    return "".join(repr(sign)[1:-1] if sign < " " or sign in "\x7f\x85\u2028\u2029" else sign for sign in fault)


class BrokenInvariant(SimcareError):
    """A run contradicts itself (people or money lost). This is a fault in simcare, never in the input."""


class LostWorker(SimcareError):
    """Something outside ended a process that carried out part of a run. What was kept by then is kept."""
