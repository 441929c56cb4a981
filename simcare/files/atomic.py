"""Writing a file or a folder aside and renaming it, so that an unfinished one never passes for a finished one."""

from __future__ import annotations

import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from simcare.errors import BadInput

MANIFEST = "manifest.json"


def check_free(out: Path) -> None:
    """Refuse, before any work, a folder that is not ours to replace or cannot be written."""
    if out.resolve() == Path.cwd() or out.is_mount():
        raise BadInput(f"{out}: is the folder you are in, or a whole disk; give a new folder inside it")
    if out.exists() and not out.is_dir():
        raise BadInput(f"{out}: is a file; give a folder for the results")
    if out.is_dir() and any(out.iterdir()) and not (out / MANIFEST).is_file():
        raise BadInput(
            f"{out}: holds other files and no {MANIFEST}; give a new folder, or one that an earlier run wrote"
        )
    parent = out.absolute().parent
    while not parent.exists():
        parent = parent.parent
    if not parent.is_dir() or not os.access(parent, os.W_OK):
        raise BadInput(f"{out}: cannot be written: no permission in {parent}")


def check_finished(folder: Path) -> None:
    """Refuse a folder that is not that of a finished run."""
    if not (folder / MANIFEST).is_file():
        raise BadInput(f"{folder}: is not a finished run: no {MANIFEST} in it")


def write_file(path: Path, content: str | bytes) -> None:
    """Write a file in one step: whoever looks finds the old one or the new one, complete.

    What was written reaches the disk before the new name does, so that a loss of power leaves no empty file. Text is
    written as UTF-8, with line ends as they are.
    """
    path = path.resolve()  # a link to a file: the file itself is replaced
    unfinished = path.with_name(f".{path.name}.{os.getpid()}-{secrets.token_hex(4)}.unfinished")
    try:
        with unfinished.open("xb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


@contextmanager
def aside(out: Path) -> Iterator[Path]:
    """A folder beside ``out`` that takes its place when everything in it is written."""
    out = out.resolve()  # a link to a folder: the folder itself is replaced
    check_free(out)
    out.absolute().parent.mkdir(parents=True, exist_ok=True)
    unfinished = Path(tempfile.mkdtemp(prefix=f".{out.name}.unfinished-", dir=out.absolute().parent))
    try:
        yield unfinished
        unfinished.chmod(0o755)
        if out.is_dir():
            old = unfinished.with_name(unfinished.name + ".old")
            out.rename(old)
            try:
                unfinished.rename(out)
            except OSError:
                old.rename(out)  # whoever had results keeps them
                raise
            shutil.rmtree(old)
        else:
            unfinished.rename(out)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
