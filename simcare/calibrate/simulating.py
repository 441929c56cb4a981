"""Running the model at many points, in parallel, each result kept as it comes, so that what a stop has interrupted goes
on where it was.

A result is a file named after everything that it rests on: the inputs, the run, the point, the seed and the
replications.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from joblib import Parallel, delayed

from simcare import __version__
from simcare.calibrate.observe import Values, Wanted, counted_rates, measured, outputs, wanted_of
from simcare.calibrate.priors import to_values
from simcare.calibrate.reading import Datum, Loaded
from simcare.calibrate.starts import at_point, begun
from simcare.model import Model
from simcare.model.calibration import Calibration, Start, Target
from simcare.runs.run import compile_rules

Tick = Callable[[int, int], None]
# What of a target decides what is read from a run; its error, discrepancy and words do not.
ASKED = {
    "name",
    "kind",
    "measures",
    "from_tiers",
    "to_tiers",
    "of_tiers",
    "stages",
    "groups",
    "tiers",
    "services",
    "past_days",
    "scale",
}


class Job(NamedTuple):
    """A point to be run: some replications of one run."""

    run: str
    values: tuple[float, ...]  # of the free parameters, in their order
    replications: tuple[int, ...]


class SharedInputs(NamedTuple):
    """What every job of a run shares."""

    model: Model
    run: Start
    calibration: Calibration
    wanted: tuple[tuple[Target, dt.date], ...]


Found = list[dict[Wanted, float]]  # a value by target and date, for each replication


def worlds_of(loaded: Loaded) -> dict[str, SharedInputs]:
    """The model of each run that has a target."""
    found = {}
    for run in loaded.calibration.runs:
        wanted = wanted_of(loaded.data, run.name)
        if wanted:
            found[run.name] = SharedInputs(begun(loaded.model, run), run, loaded.calibration, tuple(wanted))
    return found


def one(world: SharedInputs, job: Job) -> Found:
    """The values of every target of a run at one point, replication by replication."""
    calibration = world.calibration
    free = {row.name: value for row, value in zip(calibration.free, job.values, strict=True)}
    seed = calibration.method.seed
    found = []
    for replication in job.replications:
        model = at_point(world.model, calibration, free | counted_rates(calibration, seed, replication))
        found.append(measured(model, world.run, seed, replication, world.wanted))
    return found


def run_jobs(
    loaded: Loaded, jobs: Sequence[Job], parts: Path, workers: int | None = None, tick: Tick | None = None
) -> list[Found]:
    """The results of jobs, in their order. Those that ``parts`` already holds are taken from there."""
    worlds = worlds_of(loaded)
    parts.mkdir(parents=True, exist_ok=True)
    marks = {name: _mark(loaded, world) for name, world in worlds.items()}
    files = [parts / f"{_digest(marks[job.run], job)}.json" for job in jobs]
    todo = [
        k for k, file in enumerate(files) if not file.is_file() or not file.stat().st_size
    ]  # a loss of power can leave an empty file
    done = len(jobs) - len(todo)
    if tick is not None:
        tick(done, len(jobs))
    workers = min(max(len(todo), 1), workers or os.cpu_count() or 1)
    if todo and workers > 1:
        compile_rules("compiled")  # once here, rather than in every worker at the same time
    work = (delayed(_kept)(worlds[jobs[k].run], jobs[k], files[k]) for k in todo)
    for _ in Parallel(n_jobs=workers, return_as="generator_unordered")(work):
        done += 1
        if tick is not None:
            tick(done, len(jobs))
    return [_read(file) for file in files]


def _kept(world: SharedInputs, job: Job, file: Path) -> None:
    rows = [[[name, date.isoformat(), value] for (name, date), value in found.items()] for found in one(world, job)]
    unfinished = file.with_suffix(f".{os.getpid()}.unfinished")
    unfinished.write_text(json.dumps(rows), encoding="utf-8")
    unfinished.replace(file)


def _read(file: Path) -> Found:
    rows: list[Any] = json.loads(file.read_text(encoding="utf-8"))
    return [{(name, dt.date.fromisoformat(date)): value for name, date, value in found} for found in rows]


def _mark(loaded: Loaded, world: SharedInputs) -> str:
    """What the results of a run rest on beside the point: the program, the files, and what is asked."""
    wanted = [(target.model_dump_json(include=ASKED), date.isoformat()) for target, date in world.wanted]
    asked = repr(
        (
            __version__,
            sorted(_results_rest_on(loaded).items()),
            world.run.model_dump_json(),
            loaded.calibration.method.seed,
            wanted,
        )
    )
    return hashlib.sha256(asked.encode()).hexdigest()


def _results_rest_on(loaded: Loaded) -> Mapping[str, str]:
    """The model's files, and what of the calibration is asked of a run: so targets' values, errors and priors may
    change without new runs."""
    moved = [(row.name, row.multiply, row.paths) for row in loaded.calibration.moving]
    return loaded.model_inputs | {
        "parameters": repr((moved, [row.events.value for row in loaded.calibration.observed]))
    }


def _digest(mark: str, job: Job) -> str:
    return hashlib.sha256(repr((mark, job)).encode()).hexdigest()[:32]


class Ensemble(NamedTuple):
    """Runs over a design: ``steps`` (points, parameters), ``mean`` of the replications at each point (points, outputs),
    and the covariance of one replication about its point's mean, pooled over the points (outputs, outputs)."""

    steps: Values
    mean: Values
    noise: Values
    replications: int


def ensemble(
    loaded: Loaded,
    data: Sequence[Datum],
    steps: Values,
    first: int,
    parts: Path,
    workers: int | None,
    tick: Tick | None,
) -> Ensemble:
    """Run every point of a design and take the outputs of ``data``. Points are numbered from ``first``; each has
    replications of its own, so that chance differs from point to point and an emulator sees it as noise."""
    method = loaded.calibration.method
    values = to_values(loaded.calibration.free, steps)
    runs = list(dict.fromkeys(datum.run for datum in data))
    r = method.replications
    jobs = [
        Job(run, tuple(point.tolist()), tuple(range((first + k) * r, (first + k + 1) * r)))
        for run in runs
        for k, point in enumerate(values)
    ]
    found = run_jobs(loaded, jobs, parts, workers, tick)
    by_point: list[list[dict[Wanted, float]]] = [[{} for _ in range(r)] for _ in values]
    for n, one_found in enumerate(found):
        for j in range(r):
            by_point[n % len(values)][j].update(one_found[j])
    each = np.array(
        [[outputs(data, replication) for replication in point] for point in by_point]
    )  # points, replications, outputs
    mean = each.mean(axis=1)
    apart = (each - mean[:, None, :]).reshape(-1, each.shape[2])
    return Ensemble(steps, mean, apart.T @ apart / (len(values) * (r - 1)), r)


def joined(parts: Sequence[Ensemble]) -> Ensemble:
    """Several designs as one; the noise is their average, weighted by points."""
    weights = np.array([len(part.steps) for part in parts], dtype=float)
    noise = np.tensordot(weights / weights.sum(), np.array([part.noise for part in parts]), axes=1)
    return Ensemble(
        np.vstack([p.steps for p in parts]), np.vstack([p.mean for p in parts]), noise, parts[0].replications
    )


__all__ = ["Ensemble", "Job", "Tick", "ensemble", "joined", "run_jobs", "worlds_of"]
