"""Results kept as they come, so that work goes on where a stop interrupted it.

A result is a JSON file in a folder of *parts*, named by the digest of everything that it rests on. It is written aside
and renamed, and holds its own digest: a file that is empty, cut off or damaged counts as absent, and its job is carried
out again. The folder goes when the whole is written.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from simcare.files.atomic import write_file
from simcare.files.digests import digest
from simcare.runs.workers import Progress, carry_out

Job = TypeVar("Job")
NAME = 32  # characters of a digest in a file's name


def carry_out_kept(
    work: Callable[[Job], Any],
    jobs: Mapping[str, Job],
    parts: Path,
    workers: int | None = None,
    progress: Progress | None = None,
    *,
    prepare: Callable[[], object] | None = None,
    called: Callable[[Job], str] = repr,
) -> dict[str, Any]:
    """The result of every job by its name (:func:`part_name`), in the order of the jobs (:func:`carry_out`).

    Those that ``parts`` holds are taken from there, and the others kept there as they come. Results are plain values,
    as JSON gives them back.
    """
    found = {name: read_part(parts, name) for name in jobs}
    todo = [name for name, result in found.items() if result is None]
    before = len(jobs) - len(todo)
    if progress is not None:
        progress(before, len(jobs))

    def more(done: int, _: int) -> None:
        if progress is not None:
            progress(before + done, len(jobs))

    carried_out = carry_out(
        partial(_kept, work, parts),
        [(name, jobs[name]) for name in todo],
        workers,
        more,
        prepare=prepare,
        called=partial(_called, called),
    )
    return found | dict(zip(todo, carried_out, strict=True))


def _kept(work: Callable[[Job], Any], parts: Path, named: tuple[str, Job]) -> Any:
    """Carry out a job and keep its result; by a worker, so that what is done outlives the parent."""
    name, job = named
    return write_part(parts, name, work(job))


def _called(called: Callable[[Job], str], named: tuple[str, Job]) -> str:
    return called(named[1])


def part_name(*rests_on: str | bytes) -> str:
    """The name of a result: a digest of what it rests on."""
    return digest(*rests_on)[:NAME]


def write_part(parts: Path, name: str, result: Any) -> Any:
    """Keep a result; returns it as it will be read back."""
    text = json.dumps(result)
    parts.mkdir(parents=True, exist_ok=True)
    write_file(parts / f"{name}.json", f'{{"sha256": "{digest(text)}", "result": {text}}}')
    return json.loads(text)


def read_part(parts: Path, name: str) -> Any | None:
    """A result that is kept; None where there is none, or its file is empty or damaged."""
    try:
        part = json.loads((parts / f"{name}.json").read_text(encoding="utf-8"))
        whole = part["sha256"] == digest(json.dumps(part["result"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return part["result"] if whole else None


def parts_beside(out: Path) -> Path:
    """Where the parts of a folder of results are kept until it is written: hidden, beside it."""
    return out.absolute().parent / f".{out.name}.parts"


def count_parts(parts: Path) -> int:
    """How many results are kept."""
    return len(list(parts.glob("*.json")))


def clear_parts(parts: Path) -> None:
    """Remove the folder of parts, once the whole is written."""
    shutil.rmtree(parts, ignore_errors=True)


__all__ = ["carry_out_kept", "clear_parts", "count_parts", "part_name", "parts_beside", "read_part", "write_part"]
