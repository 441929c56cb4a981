"""What the user probably meant."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

MOST_NAMES, MOST_LETTERS = 24, 400  # of a list of names that is shown in full


def unknown(value: str, options: Iterable[str]) -> str:
    """A sentence on a name that is not there, with the nearest that is.

    >>> unknown("comunity", ["community", "placement"])
    "unknown 'comunity', did you mean 'community'?"
    >>> unknown("x", ["community", "placement"])
    "unknown 'x', expected one of: community, placement"
    >>> unknown("b", ["A", "B"])
    "unknown 'b', did you mean 'B'?"
    """
    names = list(options)
    near = [name for name in names if name.casefold() == value.casefold()][:1]
    near = near or get_close_matches(value, names, n=1, cutoff=0.6)
    if near:
        return f"unknown '{value}', did you mean '{near[0]}'?"
    if not names:
        return f"unknown '{value}', none is defined"
    whole = ", ".join(names)
    if len(names) > MOST_NAMES or len(whole) > MOST_LETTERS:
        whole = f"{', '.join(names[:8])} … ({len(names)} in all)"
    return f"unknown '{value}', expected one of: {whole}"
