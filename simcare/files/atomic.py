"""Writing a file or a folder aside and renaming it, so that an unfinished one never passes for a finished one."""

from __future__ import annotations

import os
import platform
import re
import secrets
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from simcare.errors import BadInput

MANIFEST = "manifest.json"
MARK, OLD = ".unfinished-", ".old"  # in the names of hidden folders: what is being written, what it takes the place of
A_DAY = 86_400.0  # seconds


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
    if folder.is_file():
        raise BadInput(f"{folder}: is a file; give the folder of a finished run")
    if not folder.is_dir():
        raise BadInput(f"{folder}: no such folder")
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
    clear_stale(out.parent)
    mine = f".{out.name}{MARK}{_machine()}-{os.getpid()}-"
    unfinished = Path(tempfile.mkdtemp(prefix=mine, dir=out.parent))
    try:
        yield unfinished
        unfinished.chmod(0o755)
        if out.is_dir():
            old = unfinished.with_name(unfinished.name + OLD)
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


def clear_stale(parent: Path) -> None:
    """Take away the unfinished folders of a folder whose process on this machine was ended from outside. Results that
    were on their way to be replaced when it ended go back to their place."""
    for left in sorted(parent.glob(f".*{MARK}*")):
        found = re.fullmatch(rf"\.(.+){re.escape(MARK)}([0-9a-f]+)-(\d+)-\w+?({re.escape(OLD)})?", left.name)
        if found is None or found[2] != _machine() or _is_running(int(found[3]), left):
            continue
        if found[4] and not (parent / found[1]).exists():
            left.rename(parent / found[1])
        else:
            shutil.rmtree(left, ignore_errors=True)


def _machine() -> str:
    """This machine, in a folder that several may share."""
    return platform.node().encode().hex()[-12:] or "0"


def _is_running(process: int, left: Path) -> bool:
    """Whether a process still runs; where the system cannot be asked without harm, whether its folder is of today."""
    if sys.platform == "win32":
        return time.time() - left.stat().st_mtime < A_DAY
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True  # of somebody else
    return True
