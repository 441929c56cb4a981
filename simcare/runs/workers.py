"""The one loop that carries out jobs, in this process or in several: replications, points of a calibration, forecasts.

Results come in the order of the jobs, whatever the number of workers and whichever job is done first. A stop ends the
workers at once; what they have kept by then stays (:mod:`simcare.runs.kept`).
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
import time
import warnings
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing
from typing import TypeVar

from joblib import Parallel, delayed

from simcare.errors import LostWorker

Job = TypeVar("Job")
Result = TypeVar("Result")
Progress = Callable[[int, int], None]  # jobs done, jobs in all
PR_SET_PDEATHSIG = 1  # of prctl(2), Linux
LOOKS_EVERY = 0.5  # seconds, where a worker has to look for its parent


def worker_count(workers: int | None) -> int:
    """The processes to use: as many as asked for, else one for each processor."""
    return workers or os.cpu_count() or 1


def carry_out(
    work: Callable[[Job], Result],
    jobs: Sequence[Job],
    workers: int | None = None,
    progress: Progress | None = None,
    *,
    prepare: Callable[[], object] | None = None,
    called: Callable[[Job], str] = repr,
) -> Iterator[Result]:
    """The result of every job, in the order of the jobs.

    ``progress`` hears of each job as it is done. ``prepare`` is called once before other processes start, for what each
    of them would do again. An error comes out as it was raised, with a note of the job it happened in, by the name that
    ``called`` gives it. Raises LostWorker where something outside ends a worker.

    >>> list(carry_out(abs, [-3, 2, -1], workers=1))
    [3, 2, 1]
    """
    count = min(len(jobs), worker_count(workers))
    if count > 1 and prepare is not None:
        prepare()
    finished = _in_processes(count, work, jobs, called) if count > 1 else _here(work, jobs, called)
    early: dict[int, Result] = {}  # results that wait for an earlier job's
    due = 0
    with closing(finished):
        for done, (number, result) in enumerate(finished, start=1):
            if progress is not None:
                progress(done, len(jobs))
            early[number] = result
            while due in early:
                yield early.pop(due)
                due += 1


def _here(
    work: Callable[[Job], Result], jobs: Sequence[Job], called: Callable[[Job], str]
) -> Generator[tuple[int, Result], None, None]:
    """Every job's number and result, one after the other."""
    for number, job in enumerate(jobs):
        yield _one_job(work, number, job, called)


def _in_processes(
    count: int, work: Callable[[Job], Result], jobs: Sequence[Job], called: Callable[[Job], str]
) -> Generator[tuple[int, Result], None, None]:
    """Every job's number and result, as workers finish them."""
    by_signal = threading.current_thread() is threading.main_thread()
    finished = Parallel(
        n_jobs=count,
        backend="loky",
        return_as="generator_unordered",
        initializer=end_with_parent,
        initargs=(os.getpid(), by_signal),
    )(delayed(_one_job)(work, number, job, called) for number, job in enumerate(jobs))
    try:
        # "yield from" would hand a stop on before the warning below is silenced.
        for each in finished:  # noqa: UP028
            yield each
    except BrokenProcessPool as error:
        raise LostWorker(
            "a worker process was ended from outside, most often because memory ran out; try fewer workers"
        ) from error
    finally:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # joblib warns of the jobs that a stop leaves undone
            finished.close()


def _one_job(work: Callable[[Job], Result], number: int, job: Job, called: Callable[[Job], str]) -> tuple[int, Result]:
    try:
        return number, work(job)
    except Exception as error:
        error.add_note(f"This happened in {called(job)}.")
        raise


def end_with_parent(parent: int, by_signal: bool) -> None:
    """In a new worker: leave Ctrl-C to the parent, and end when the parent does, however it ends.

    With ``by_signal`` Linux ends the worker at once. Its signal follows the thread that started the worker, so that it
    serves only where that was the main thread. Elsewhere the worker looks whether its parent is still there.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent ends its workers, and says one word for all
    if by_signal and sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it ended before the line above
            os._exit(1)
    else:
        threading.Thread(target=_watch, args=(parent,), daemon=True).start()


def _watch(parent: int) -> None:
    """End this process once its parent is gone and another has taken its place (Windows goes on naming the first)."""
    while os.getppid() == parent:
        time.sleep(LOOKS_EVERY)
    os._exit(1)


__all__ = ["Progress", "carry_out", "end_with_parent", "worker_count"]
