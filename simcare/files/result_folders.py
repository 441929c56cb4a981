"""Which folder results go to, so that no run replaces another unasked.

One rule for every verb that writes a folder. What is asked for has a fingerprint: the content of the files, and the
options that move a result. A folder with the same fingerprint holds the same run, and is replaced. A folder of another
run is kept: without ``--out`` the results go to the next free number; with it they are refused, unless ``--force`` is
given.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

from simcare.errors import BadInput
from simcare.files.atomic import MANIFEST, check_free
from simcare.files.digests import digest

REQUEST = "request_sha256"  # the manifest's entry
RUNS = Path("runs")


class ResultsFolder(NamedTuple):
    """Where results go, the fingerprint of what was asked, and what is to be said of what was there (empty where
    nothing was)."""

    path: Path
    request: str
    notice: str

    @property
    def entry(self) -> dict[str, str]:
        """What the manifest says of it."""
        return {REQUEST: self.request}


def results_folder(
    out: Path | None, name: str, asked: Mapping[str, Any], force: bool = False, runs: Path = RUNS
) -> ResultsFolder:
    """The folder for results: ``out`` if given, or else that of the name. Raises BadInput, before any work, for one
    that is not ours to replace."""
    request = digest(json.dumps(asked, sort_keys=True, default=str))
    if out is not None or force:
        folder = out or runs / name
        return ResultsFolder(folder, request, _replacing(folder, request, force))
    first = runs / name
    for k in count(1):
        folder = first if k == 1 else runs / f"{name}-{k}"
        if _is_free(folder):
            check_free(folder)
            kept = f"{first} holds {_of_another(first)}, which is kept; these results go to {folder}."
            return ResultsFolder(folder, request, kept if k > 1 else "")
        if _request_of(folder) == request:
            return ResultsFolder(folder, request, _replacing(folder, request, force))
    raise AssertionError("numbers do not end")


def _replacing(folder: Path, request: str, force: bool) -> str:
    """What is said of what will be replaced; refuses another run, unless forced."""
    check_free(folder)
    if _is_free(folder):
        return ""
    if _request_of(folder) == request:
        return f"{folder} holds the same run; it is replaced."
    if not force:
        raise BadInput(
            f"{folder}: holds {_of_another(folder)}; give another folder, or --force to replace what is there"
        )
    return f"{folder} holds {_of_another(folder)}, which is replaced."


def _is_free(folder: Path) -> bool:
    return not folder.exists() or (folder.is_dir() and not any(folder.iterdir()))


def _manifest(folder: Path) -> Mapping[str, Any]:
    try:
        found = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _request_of(folder: Path) -> str | None:
    return _manifest(folder).get(REQUEST)


def _of_another(folder: Path) -> str:
    """What a folder holds, in words."""
    if not (folder / MANIFEST).is_file():
        return "something else"
    command = _manifest(folder).get("command")
    return f"the results of another run ({command})" if command else "the results of another run"


__all__ = ["REQUEST", "ResultsFolder", "results_folder"]
