"""One replication of one strategy: what it is, and carrying it out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from simcare.demand.paths import DriverFit as DemandFit
from simcare.demand.paths import drawn_paths, first_month, following, index_by_month
from simcare.engine.hooks import NO_HOOKS, Hooks
from simcare.errors import BadInput
from simcare.files.load import load_model
from simcare.measures.spread_parts import EFFECT, NOTHING_DRAWN, PARAMETER, demand_rows, value_rows
from simcare.model import Model
from simcare.model.nearmiss import unknown
from simcare.runs.drawing import Drawing
from simcare.units import month_name, years_later

if TYPE_CHECKING:
    from simcare.arrays.names import Names
    from simcare.rules.records import Tables

ENGINES = ("simpy", "compiled")
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
    parameters: Mapping[str, float] = NO_PARAMETERS  # what this replication drew of what is not known; the model has it
    effects: Mapping[str, float] = NO_PARAMETERS  # what it drew of the strategy's effects, in standard deviations


class ReplicationResult(NamedTuple):
    """What one replication gave: its measures, the moves between tiers, the log if it was asked for, the market's, and
    what it drew (:mod:`simcare.measures.spread_parts`)."""

    measures: pl.DataFrame
    flows: pl.DataFrame
    log: pl.DataFrame | None
    market: pl.DataFrame
    drawn: pl.DataFrame = NOTHING_DRAWN


def horizon_days(model: Model, years: int) -> float:
    """Days from the start to the same date ``years`` later.

    >>> from simcare.files.load import load_model
    >>> horizon_days(load_model("mm-infinity"), 3)
    1096.0
    """
    return float((years_later(model.about.start, years) - model.about.start).days)


def in_draw(task: Task, drawing: Drawing) -> Task:
    """A task with what its replication draws laid over its model; the task as it is where nothing is drawn."""
    if not drawing.moves:
        return task
    values = drawing.values(task.seed, task.replication)
    return task._replace(model=drawing.applied(task.model, values), parameters=values)


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
    drawn = [
        demand_rows(task.strategy, task.replication, index_by_month(task.model, paths, task.years)),
        *(
            value_rows(kind, task.strategy, task.replication, month_name(first_month(task.model)), values)
            for kind, values in ((PARAMETER, task.parameters), (EFFECT, task.effects))
        ),
    ]
    outcome = _simulated(task._replace(model=differing(following(task.model, paths), task.seed, task.replication)))
    return outcome._replace(drawn=pl.concat(drawn))


def _simulated(task: Task) -> ReplicationResult:
    """One replication of a model whose chances are drawn: providers' answers to money, and demand."""
    from simcare.arrays.build import build
    from simcare.arrays.names import names_of

    days, tables, names = horizon_days(task.model, task.years), build(task.model), names_of(task.model)
    if task.engine == "compiled" and not task.keep_log:
        return _volume(task, tables, names, days)

    from simcare.engine import compiled, simpy
    from simcare.invariants import check_run
    from simcare.log.flows import flows_between
    from simcare.log.frame import frame
    from simcare.measures.measure import measure_log
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
