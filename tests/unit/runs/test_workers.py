"""The one loop of work: its order, its progress, what it says of a job that fails, and its end with the parent."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest

from simcare.errors import BadInput, LostWorker
from simcare.runs.workers import carry_out


def squared(number: int) -> int:
    """The first jobs take longest, so that they are not done in their order."""
    time.sleep(0.2 / (1 + number))
    return number * number


def failing(number: int) -> int:
    if number == 2:
        raise BadInput(["a.toml: one", "a.toml: two"])
    return number


def job_name(number: int) -> str:
    return f"job {number}"


def killed(number: int) -> int:
    if number == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_results_come_in_the_order_of_the_jobs(workers: int) -> None:
    seen: list[tuple[int, int]] = []
    found = carry_out(squared, range(6), workers, lambda done, total: seen.append((done, total)))
    assert list(found) == [0, 1, 4, 9, 16, 25]
    assert seen == [(done, 6) for done in range(1, 7)]


@pytest.mark.parametrize(("workers", "jobs", "times"), [(1, 3, 0), (2, 3, 1), (2, 1, 0), (2, 0, 0)])
def test_what_workers_would_repeat_is_prepared_once_before_they_start(workers: int, jobs: int, times: int) -> None:
    prepared: list[int] = []
    assert list(carry_out(abs, range(jobs), workers, prepare=lambda: prepared.append(1))) == list(range(jobs))
    assert len(prepared) == times


@pytest.mark.parametrize("workers", [1, 2])
def test_an_error_names_its_job_and_stays_what_it_is(workers: int) -> None:
    with pytest.raises(BadInput) as caught:
        list(carry_out(failing, range(4), workers, called=job_name))
    assert caught.value.faults == ("a.toml: one", "a.toml: two")
    assert caught.value.__notes__ == ["This happened in job 2."]


@pytest.mark.parametrize("workers", [1, 2])
def test_a_stop_while_results_are_taken_leaves_the_loop_in_order(workers: int) -> None:
    """With Ctrl-C, say; warnings are errors in tests, so none is left over either."""
    found = carry_out(squared, range(8), workers)
    assert next(found) == 0
    found.close()  # type: ignore[attr-defined]
    assert list(carry_out(squared, range(3), workers)) == [0, 1, 4]


def test_a_worker_that_is_ended_from_outside_is_told_in_a_sentence() -> None:
    with pytest.raises(LostWorker, match="ended from outside, most often because memory ran out; try fewer workers"):
        list(carry_out(killed, range(4), 2))
    assert list(carry_out(squared, range(3), 2)) == [0, 1, 4]


# ---- workers and their parent
PARENT = """
import os, sys, threading, time
from functools import partial
from pathlib import Path
from simcare.runs.workers import carry_out

def waiting(folder, number):
    Path(folder, str(os.getpid())).touch()
    time.sleep(120)

def begin():
    list(carry_out(partial(waiting, sys.argv[1]), range(2), 2))

if sys.argv[2] == "main":
    begin()
else:
    thread = threading.Thread(target=begin)
    thread.start()
    thread.join()
"""


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that has ended and waits to be collected does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def within(seconds: float, reached: partial[bool]) -> bool:
    until = time.monotonic() + seconds
    while not reached():
        if time.monotonic() > until:
            return False
        time.sleep(0.05)
    return True


@pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")
@pytest.mark.parametrize(
    ("ended_by", "thread"),
    [("SIGKILL", "main"), ("SIGKILL", "another"), ("SIGTERM", "main"), ("SIGTERM", "another"), ("SIGINT", "main")],
)
def test_workers_end_with_their_parent_however_it_ends(tmp_path: Path, ended_by: str, thread: str) -> None:
    command = [sys.executable, "-c", PARENT, str(tmp_path), thread]
    parent = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True)
    try:
        assert within(120, partial(lambda: len(list(tmp_path.iterdir())) == 2)), "two workers began"
        workers = [int(path.name) for path in tmp_path.iterdir()]
        if ended_by == "SIGINT":  # Ctrl-C goes to the workers as well
            os.killpg(parent.pid, signal.SIGINT)
        else:
            parent.send_signal(signal.Signals[ended_by])
        said = parent.communicate(timeout=60)[1]
    finally:
        parent.kill()
    assert within(60, partial(lambda: not any(map(is_alive, workers)))), "both have ended"
    assert said.count("Traceback") == (1 if ended_by == "SIGINT" else 0)  # of the parent's own KeyboardInterrupt
