"""Rows of record arrays with their fields by name: no order of a record has to be known where a row is filled in."""

from __future__ import annotations

from typing import Any

import numpy as np


def as_row(kind: np.dtype[Any], **fields: Any) -> tuple[Any, ...]:
    """A row of a record array. Raises TypeError for a field too many or too few.

    >>> as_row(np.dtype([("first", "i8"), ("count", "i8")]), count=3, first=7)
    (7, 3)
    """
    names = kind.names or ()
    if set(names) != set(fields):
        raise TypeError(f"a row has the fields {', '.join(names)}; got {', '.join(fields)}")
    return tuple(fields[name] for name in names)
