"""JSON as simcare writes it: it can be read by any program, so it holds neither NaN nor Infinity."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from simcare.demand.json_values import finite
from simcare.files.atomic import MANIFEST


def json_text(value: Any) -> str:
    """A value as JSON, a line for each entry; what JSON has no form for is as its text.

    >>> print(json_text({"skill": float("nan")}))
    {
     "skill": null
    }
    """
    return json.dumps(finite(value), indent=1, default=str, allow_nan=False)


def write_manifest(folder: Path, manifest: Mapping[str, Any]) -> None:
    """Write the manifest of a folder of results."""
    (folder / MANIFEST).write_text(f"{json_text(manifest)}\n", encoding="utf-8")


__all__ = ["json_text", "write_manifest"]
