"""The toy model with a change."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from simcare.files.parsing import parse
from simcare.model import Model


def number(value: float) -> dict[str, Any]:
    return {"value": value, "source": "assumption", "grade": "D"}


def changed(model: Model, change: Callable[[dict[str, Any]], None]) -> Model:
    data = model.model_dump(by_alias=True, exclude_none=True)
    change(data)
    return parse(Model, data, "toy")
