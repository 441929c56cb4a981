"""Values as JSON may hold them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any


def finite(value: Any) -> Any:
    """A value in which every number that is none, or has no end, is null: JSON knows neither.

    >>> finite({"mean": 3.0, "skill": [float("nan"), float("-inf"), 0.5]})
    {'mean': 3.0, 'skill': [None, None, 0.5]}
    """
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {name: finite(one) for name, one in value.items()}
    return [finite(one) for one in value] if isinstance(value, list | tuple) else value


__all__ = ["finite"]
