"""What a process that was ended from outside leaves behind, and that the next one clears it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from simcare.files.atomic import MANIFEST, MARK, OLD, aside, clear_stale

WRITER = """
import sys, time
from pathlib import Path
from simcare.files.atomic import aside
with aside(Path(sys.argv[1])) as folder:
    (folder / "half").write_text("half")
    print(folder, flush=True)
    time.sleep(600)
"""


def begun(out: Path) -> tuple[subprocess.Popen[str], Path]:
    """A process that is writing a folder, and the hidden folder that it writes into."""
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(WRITER), str(out)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    return process, Path(process.stdout.readline().strip())


def write(out: Path) -> None:
    with aside(out) as folder:
        (folder / MANIFEST).write_text("{}", encoding="utf-8")


@pytest.mark.skipif(sys.platform == "win32", reason="a process cannot be asked there")
def test_the_next_that_writes_clears_what_a_killed_one_left_and_leaves_what_is_being_written(tmp_path: Path) -> None:
    killed, left = begun(tmp_path / "first")
    alive, being_written = begun(tmp_path / "second")
    killed.kill()
    killed.communicate()
    try:
        assert left.is_dir()
        write(tmp_path / "third")
        assert not left.exists()
        assert (being_written / "half").is_file()
    finally:
        alive.send_signal(signal.SIGKILL)
        alive.communicate()
    write(tmp_path / "third")
    assert [path.name for path in tmp_path.iterdir()] == ["third"]


@pytest.mark.skipif(sys.platform == "win32", reason="a process cannot be asked there")
def test_results_that_were_being_replaced_go_back_to_their_place(tmp_path: Path) -> None:
    killed, left = begun(tmp_path / "runs")
    killed.kill()
    killed.communicate()
    old = left.with_name(left.name + OLD)
    old.mkdir()
    (old / MANIFEST).write_text("{}", encoding="utf-8")
    clear_stale(tmp_path)
    assert (tmp_path / "runs" / MANIFEST).is_file()
    assert [path.name for path in tmp_path.iterdir()] == ["runs"]


def test_folders_of_another_machine_or_of_this_process_or_of_another_name_stay(tmp_path: Path) -> None:
    names = [f".a{MARK}beef-1-x", f".b{MARK}mine", ".c", f"d{MARK}x"]
    for name in names:
        (tmp_path / name).mkdir()
    with aside(tmp_path / "out") as folder:
        clear_stale(tmp_path)
        assert folder.is_dir()
        assert str(os.getpid()) in folder.name
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([*names, "out"])
