"""Running a model: replications on as many workers as asked, measured, checked, kept in a folder."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import polars as pl
from joblib import Parallel, delayed

from simcare import __version__
from simcare.demand.paths import DriverFit as DemandFit
from simcare.demand.paths import drawn_paths, first_month, fitted, following, index_by_month
from simcare.engine.hooks import NO_HOOKS, Hooks, OnEvent, Process
from simcare.errors import BadInput
from simcare.files.digests import fingerprint
from simcare.files.fit import CalibrationFit, chosen_fit
from simcare.files.load import load_model
from simcare.measures.spread_parts import index_rows, parameter_rows
from simcare.model import Model
from simcare.model.nearmiss import unknown
from simcare.units import month_name

if TYPE_CHECKING:
    from simcare.arrays.names import Names
    from simcare.rules.records import Tables

ENGINES = ("simpy", "compiled")
Progress = Callable[[int, int], None]
NO_PARAMETERS: Mapping[str, float] = {}


class Task(NamedTuple):
    """One replication of one strategy."""

    model: Model
    strategy: str
    seed: int
    replication: int
    years: int
    engine: str = "simpy"
    keep_log: bool = False
    hooks: Hooks = NO_HOOKS
    fits: tuple[DemandFit, ...] = ()  # the model's demand drivers, fitted once for all tasks
    parameters: Mapping[str, float] = (
        NO_PARAMETERS  # of a fit, as this replication meets them; the model has them already
    )


class ReplicationResult(NamedTuple):
    """What one replication gave: its measures, the moves between tiers, the log if it was asked for, and the
    market's."""

    measures: pl.DataFrame
    flows: pl.DataFrame
    log: pl.DataFrame | None
    market: pl.DataFrame


@dataclass(frozen=True)
class Run:
    """Replications of one model. ``measures`` and ``log`` are polars frames."""

    model: Model
    years: int
    replications: int
    seed: int
    engine: str
    measures: pl.DataFrame = field(repr=False)
    flows: pl.DataFrame = field(repr=False)
    log: pl.DataFrame | None = field(repr=False)
    market: pl.DataFrame = field(repr=False)
    manifest: dict[str, Any] = field(repr=False)

    @property
    def days(self) -> float:
        """The horizon in days."""
        return horizon_days(self.model, self.years)

    def by_year(self) -> pl.DataFrame:
        """Cash and real cost by financial year and replication."""
        from simcare.money.ledger import by_year

        return by_year(self.measures)


def horizon_days(model: Model, years: int) -> float:
    """Days from the start to the same date ``years`` later.

    >>> from simcare.files.load import load_model
    >>> horizon_days(load_model("mm-infinity"), 3)
    1096.0
    """
    start = model.about.start
    try:
        return float((start.replace(year=start.year + years) - start).days)
    except ValueError:  # 29 February
        return float((dt.date(start.year + years, 3, 1) - start).days)


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
) -> Run:
    """Run a model (a value, a path or a library name) and measure it.

    The result depends on the model, years, replications and seed only, never on the number of workers nor, but for the
    last digits of sums, on the engine: "simpy" (the reference, open to hooks) or "compiled" (for volume). The log is
    kept when asked for, and by default when there is one replication. ``on_event`` is told of everything that happens
    and ``processes`` run beside the clients (:mod:`simcare.engine.hooks`); with either, replications run one after the
    other in this process. With a ``fit`` (a value, a path or a library name) each replication has one draw of its
    parameters, which the measures keep as ``parameter: NAME``. Raises BadInput for options that cannot be, and for a
    fit that is stale or of another model.
    """
    model = load_model(model) if not isinstance(model, Model) else model
    if replications < 1:
        raise BadInput(f"replications: must be 1 or more, got {replications}")
    keep = replications == 1 if keep_log is None else keep_log
    hooks = Hooks(on_event, tuple(processes))
    if hooks != NO_HOOKS:
        workers = 1
    fit = chosen_fit(fit, model)
    task = Task(model, "baseline", seed, 0, years, engine, keep, hooks)
    check_options(task)
    task = task._replace(fits=fitted(model))
    tasks = [in_draw(task._replace(replication=r), fit) for r in range(replications)]
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
        manifest=manifest(model, years, replications, seed, engine, workers, began, fit),
    )


def in_draw(task: Task, fit: CalibrationFit | None) -> Task:
    """A task with its replication's draw of a fit laid over its model; without a fit the task as it is."""
    if fit is None:
        return task
    model = fit.applied(task.model, task.seed, task.replication)
    return task._replace(model=model, parameters=fit.values(task.seed, task.replication))


def outcomes_of(
    tasks: Sequence[Task], workers: int | None = None, progress: Progress | None = None
) -> Iterator[ReplicationResult]:
    """The outcome of every task, in the order of the tasks; worked out in parallel."""
    for task in tasks:
        check_options(task)
    workers = min(len(tasks), workers or os.cpu_count() or 1)
    results: Any
    if workers == 1:
        results = map(run_task, tasks)
    else:
        compile_rules(tasks[0].engine)  # once here, rather than in every worker at the same time
        results = Parallel(n_jobs=workers, return_as="generator")(delayed(run_task)(task) for task in tasks)
    for done, outcome in enumerate(results, start=1):
        if progress is not None:
            progress(done, len(tasks))
        yield outcome


def check_options(task: Task) -> None:
    """Refuse what cannot be run, in one sentence."""
    if task.engine not in ENGINES:
        raise BadInput(f"engine: {unknown(task.engine, ENGINES)}")
    if task.engine == "compiled" and task.hooks != NO_HOOKS:
        raise BadInput(
            "engine: hooks (on_event, processes) run in the SimPy engine; the compiled one cannot call Python. Use"
            " engine 'simpy'"
        )
    for name, value, least, most in (("years", task.years, 1, 60), ("seed", task.seed, 0, 2**62)):
        if not least <= value <= most:
            raise BadInput(f"{name}: must be from {least} to {most}, got {value}")


def run_task(task: Task) -> ReplicationResult:
    """One replication, from the model to its measures; the invariants are checked before anyone sees them."""
    from simcare.tariffs.response_draws import differing

    paths = drawn_paths(task.model, task.fits, task.seed, task.replication, task.years)
    met = [
        index_rows(task.strategy, task.replication, index_by_month(task.model, paths, task.years)),
        parameter_rows(task.strategy, task.replication, month_name(first_month(task.model)), task.parameters),
    ]
    outcome = _simulated(task._replace(model=differing(following(task.model, paths), task.seed, task.replication)))
    kept = [rows for rows in met if rows.height]
    return outcome._replace(measures=pl.concat([outcome.measures, *kept], how="diagonal") if kept else outcome.measures)


def _simulated(task: Task) -> ReplicationResult:
    """One replication of a model whose luck is drawn: providers' answers to money, and demand."""
    from simcare.arrays.build import build, names_of

    days, tables, names = horizon_days(task.model, task.years), build(task.model), names_of(task.model)
    if task.engine == "compiled" and not task.keep_log:
        return _volume(task, tables, names, days)

    from simcare.engine import compiled, simpy
    from simcare.invariants import check_run
    from simcare.log.frame import frame
    from simcare.measures.measure import flows_between, measure_log
    from simcare.money.provider_accounts import market_frame

    if task.engine == "compiled":
        found = compiled.record(task.model, tables, task.seed, task.replication, days)
    else:
        found = simpy.record(task.model, tables, task.seed, task.replication, days, task.hooks)
    log = frame(found.rows, names, task.strategy, task.replication)
    market = market_frame(found.market, task.model, task.strategy, task.replication)
    measures = measure_log(log, task.model, days, market)
    check_run(log, measures, task.model, days, steered=task.hooks != NO_HOOKS)
    return ReplicationResult(measures, flows_between(log, task.model), log if task.keep_log else None, market)


def _volume(task: Task, tables: Tables, names: Names, days: float) -> ReplicationResult:
    """One replication without a log: the compiled engine's rows are tallied as they come, and gone."""
    from simcare.engine.compiled import batches, by_client, record
    from simcare.engine.start import are_apart
    from simcare.measures.measure import measures_of
    from simcare.measures.tally import Tally
    from simcare.money.provider_accounts import NO_MARKET, market_frame

    tally, market = Tally(task.model, tables, names, days), NO_MARKET
    if are_apart(tables):
        for rows in batches(task.model, tables, task.seed, task.replication, days):
            tally.add(rows)
    else:
        whole = record(task.model, tables, task.seed, task.replication, days)
        tally.add(by_client(whole.rows))
        market = market_frame(whole.market, task.model, task.strategy, task.replication)
    tally.check()
    found = tally.tallies(task.strategy, task.replication, market)
    return ReplicationResult(
        measures_of(found, task.model, days), tally.flows(task.strategy, task.replication), None, market
    )


def compile_rules(engine: str = "simpy") -> None:
    """Compile the rulebook if this machine has not yet: a year of a small model, day-0 people and birthdays, passes
    through it."""
    task = Task(load_model("ageing"), "baseline", 0, 0, 1, engine)
    run_task(task)


def manifest(
    model: Model,
    years: int,
    replications: int,
    seed: int,
    engine: str,
    workers: int | None,
    began: dt.datetime,
    fit: CalibrationFit | None = None,
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
        "workers": workers or os.cpu_count() or 1,
        "began": began.isoformat(timespec="seconds"),
        "wall_seconds": round((dt.datetime.now(dt.UTC) - began).total_seconds(), 1),
        **({} if fit is None else {"fit": fit.manifest_entry}),
    }
