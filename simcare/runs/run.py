"""Running a model: replications on as many workers as asked, measured, checked, put together."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl

from simcare import __version__
from simcare.demand.paths import fitted
from simcare.engine.hooks import NO_HOOKS, Hooks, OnEvent, Process
from simcare.errors import BadInput
from simcare.files.digests import fingerprint
from simcare.files.fit import CalibrationFit
from simcare.files.load import load_model
from simcare.model import Model
from simcare.model.cautions import model_cautions
from simcare.runs.drawing import NOTHING, Drawing, drawing_of
from simcare.runs.task import ReplicationResult, Task, check_options, compile_rules, horizon_days, in_draw, run_task
from simcare.runs.workers import Progress, carry_out, worker_count


@dataclass(frozen=True)
class Run:
    """Replications of one model. ``measures`` and ``log`` are polars frames.

    ``drawn`` holds what each replication drew. Columns: strategy, replication, month, kind ("demand": a driver's path,
    as an index month by month; "parameter": a value of a fit, in the first month of the run), name, value.
    """

    model: Model
    years: int
    replications: int
    seed: int
    engine: str
    measures: pl.DataFrame = field(repr=False)
    flows: pl.DataFrame = field(repr=False)
    log: pl.DataFrame | None = field(repr=False)
    market: pl.DataFrame = field(repr=False)
    drawn: pl.DataFrame = field(repr=False)
    manifest: dict[str, Any] = field(repr=False)

    @property
    def days(self) -> float:
        """The horizon in days."""
        return horizon_days(self.model, self.years)

    def by_year(self) -> pl.DataFrame:
        """Cash and real cost by financial year and replication."""
        from simcare.money.yearly import by_year

        return by_year(self.measures)


def run(
    model: Model | str | Path,
    years: int = 5,
    replications: int = 10,
    seed: int = 1,
    *,
    engine: str = "simpy",
    workers: int | None = None,
    keep_log: bool | None = None,
    on_event: OnEvent | None = None,
    processes: Sequence[Process] = (),
    progress: Progress | None = None,
    fit: CalibrationFit | str | Path | None = None,
    central: bool = False,
) -> Run:
    """Run a model (a value, a path or a library name) and measure it.

    The result depends on the model, years, replications and seed only, never on the number of workers nor, but for the
    last digits of sums, on the engine: "simpy" (the reference, open to hooks) or "compiled" (for volume). The log is
    kept when asked for, and by default when there is one replication. ``on_event`` is told of everything that happens
    and ``processes`` run beside the clients (:mod:`simcare.engine.hooks`); with either, replications run one after the
    other in this process. Each replication draws what is not known of the model (its ``[[uncertain]]`` rows), which
    ``drawn`` keeps: from the ``fit`` (a value, a path or a library name; "none" for none), or from the shipped one that
    suits the model, and else from the priors. ``central`` draws nothing: the model as in its file. Raises BadInput for
    options that cannot be, and for a fit that is stale or of another model.
    """
    model = load_model(model) if not isinstance(model, Model) else model
    if replications < 1:
        raise BadInput(f"replications: must be 1 or more, got {replications}")
    keep = replications == 1 if keep_log is None else keep_log
    hooks = Hooks(on_event, tuple(processes))
    if hooks != NO_HOOKS:
        workers = 1
    drawing = drawing_of(model, fit, central)
    task = Task(model, "baseline", seed, 0, years, engine, keep, hooks)
    check_options(task)
    task = task._replace(fits=fitted(model))
    tasks = [in_draw(task._replace(replication=r), drawing) for r in range(replications)]
    began = dt.datetime.now(dt.UTC)
    outcomes = list(outcomes_of(tasks, workers, progress))
    logs = [o.log for o in outcomes if o.log is not None]
    return Run(
        model=model,
        years=years,
        replications=replications,
        seed=seed,
        engine=engine,
        measures=pl.concat([o.measures for o in outcomes]),
        flows=pl.concat([o.flows for o in outcomes]),
        log=pl.concat(logs) if logs else None,
        market=pl.concat([o.market for o in outcomes]),
        drawn=pl.concat([o.drawn for o in outcomes]),
        manifest=manifest(model, years, replications, seed, engine, workers, began, drawing),
    )


def outcomes_of(
    tasks: Sequence[Task], workers: int | None = None, progress: Progress | None = None
) -> Iterator[ReplicationResult]:
    """The outcome of every task, in the order of the tasks; worked out in parallel."""
    for task in tasks:
        check_options(task)
    compiled = partial(compile_rules, tasks[0].engine if tasks else "simpy")  # once, rather than in every worker
    return carry_out(run_task, tasks, workers, progress, prepare=compiled, called=task_name)


def task_name(task: Task) -> str:
    """A task in words."""
    return f"replication {task.replication} of '{task.strategy}'"


def manifest(
    model: Model,
    years: int,
    replications: int,
    seed: int,
    engine: str,
    workers: int | None,
    began: dt.datetime,
    drawing: Drawing = NOTHING,
) -> dict[str, Any]:
    """What a reader needs to get the same figures again."""
    start = model.about.start
    return {
        "simcare": __version__,
        "model": model.about.name,
        "model_sha256": fingerprint(model),
        "start": start.isoformat(),
        "years": years,
        "replications": replications,
        "seed": seed,
        "engine": engine,
        "workers": worker_count(workers),
        "began": began.isoformat(timespec="seconds"),
        "wall_seconds": round((dt.datetime.now(dt.UTC) - began).total_seconds(), 1),
        **drawing.manifest_entry,
        "warnings": list(model_cautions(model)),
    }
