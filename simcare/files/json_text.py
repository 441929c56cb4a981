"""JSON as simcare writes it: it can be read by any program, so it holds neither NaN nor Infinity."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from simcare.demand.json_values import finite
from simcare.files.atomic import MANIFEST
from simcare.files.csv_text import without_noise


def json_text(value: Any) -> str:
    """A value as JSON, a line for each entry; what JSON has no form for is as its text. Numbers are in full, without
    the noise of sums in binary (:data:`simcare.files.csv_text.FIGURES`).

    >>> print(json_text({"skill": float("nan"), "gbp": 199999.9999999999}))
    {
     "skill": null,
     "gbp": 200000.0
    }
    """
    return json.dumps(_without_noise(finite(value)), indent=1, default=str, allow_nan=False)


def _without_noise(value: Any) -> Any:
    if isinstance(value, float):
        return without_noise(value)
    if isinstance(value, Mapping):
        return {name: _without_noise(one) for name, one in value.items()}
    return [_without_noise(one) for one in value] if isinstance(value, list) else value


def write_manifest(folder: Path, manifest: Mapping[str, Any]) -> None:
    """Write the manifest of a folder of results."""
    (folder / MANIFEST).write_text(f"{json_text(manifest)}\n", encoding="utf-8")


__all__ = ["json_text", "write_manifest"]
