"""Running the model at many points, in parallel, each result kept as it comes (:mod:`simcare.runs.kept`).

A result rests on the inputs, the run, the point, the seed and the replications.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np

from simcare import __version__
from simcare.calibrate.observe import Values, Wanted, counted_rates, measured, outputs, wanted_of
from simcare.calibrate.priors import to_values
from simcare.calibrate.reading import Datum, Loaded
from simcare.calibrate.starts import at_point, begun
from simcare.files.digests import digest
from simcare.model import Model
from simcare.model.calibration import Calibration, Start, Target
from simcare.runs.kept import carry_out_kept, part_name
from simcare.runs.task import compile_rules
from simcare.runs.workers import Progress

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
Rows = list[list[tuple[str, str, float]]]  # the same as it is kept: for each replication, rows of target, date, value


def inputs_of(loaded: Loaded) -> dict[str, SharedInputs]:
    """The inputs of each run that has a target."""
    found = {}
    for run in loaded.calibration.runs:
        wanted = wanted_of(loaded.data, run.name)
        if wanted:
            found[run.name] = SharedInputs(begun(loaded.model, run), run, loaded.calibration, tuple(wanted))
    return found


def simulate_point(inputs: SharedInputs, job: Job) -> Found:
    """The values of every target of a run at one point, replication by replication."""
    calibration = inputs.calibration
    free = {row.name: value for row, value in zip(calibration.free, job.values, strict=True)}
    seed = calibration.method.seed
    found = []
    for replication in job.replications:
        model = at_point(inputs.model, calibration, free | counted_rates(calibration, seed, replication))
        found.append(measured(model, inputs.run, seed, replication, inputs.wanted))
    return found


def run_jobs(
    loaded: Loaded, jobs: Sequence[Job], parts: Path, workers: int | None = None, progress: Progress | None = None
) -> list[Found]:
    """The results of jobs, in their order. Those that ``parts`` already holds are taken from there."""
    inputs = inputs_of(loaded)
    shared = {name: _rests_on(loaded, one) for name, one in inputs.items()}
    names = [part_name(repr((shared[job.run], job))) for job in jobs]
    found = carry_out_kept(
        _rows,
        {name: (inputs[job.run], job) for name, job in zip(names, jobs, strict=True)},
        parts,
        workers,
        progress,
        prepare=partial(compile_rules, "compiled"),
        called=_job_name,
    )
    return [_found(found[name]) for name in names]


def _rows(given: tuple[SharedInputs, Job]) -> Rows:
    return [
        [(name, date.isoformat(), value) for (name, date), value in values.items()] for values in simulate_point(*given)
    ]


def _found(rows: Rows) -> Found:
    return [{(name, dt.date.fromisoformat(date)): value for name, date, value in values} for values in rows]


def _job_name(given: tuple[SharedInputs, Job]) -> str:
    inputs, job = given
    point = ", ".join(f"{row.name} = {value:g}" for row, value in zip(inputs.calibration.free, job.values, strict=True))
    return f"the run '{job.run}' at {point} (replications {', '.join(map(str, job.replications))})"


def _rests_on(loaded: Loaded, inputs: SharedInputs) -> str:
    """A digest of what the results of a run rest on beside the point: the program, the files, and what is asked."""
    wanted = [(target.model_dump_json(include=ASKED), date.isoformat()) for target, date in inputs.wanted]
    files = sorted(_files_and_parameters(loaded).items())
    run = inputs.run.model_dump_json()
    return digest(repr((__version__, files, run, loaded.calibration.method.seed, wanted)))


def _files_and_parameters(loaded: Loaded) -> Mapping[str, str]:
    """The model's files, and what of the calibration is asked of a run: so targets' values, errors and priors may
    change without new runs."""
    moved = [(row.name, row.multiply, row.paths, row.scale, row.odds, row.tilt) for row in loaded.calibration.moving]
    return loaded.model_inputs | {
        "parameters": repr((moved, [row.events.value for row in loaded.calibration.observed]))
    }


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
    progress: Progress | None,
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
    found = run_jobs(loaded, jobs, parts, workers, progress)
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


__all__ = ["Ensemble", "Job", "ensemble", "inputs_of", "joined", "run_jobs", "simulate_point"]
