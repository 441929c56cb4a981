"""Strategies against a baseline, replication by replication, on the same draws.

Every difference is paired: in replication r the same people come to the door under every strategy and meet the
same luck, so what differs is what the strategy did. With a fit, all start from the same draw of its parameters too.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.stats import norm

from simcare.decide.answers import Answers, answers_of
from simcare.decide.independence import COUNTS, prevented_days
from simcare.decide.prediction import prediction_interval
from simcare.demand.paths import fitted
from simcare.files.digests import fingerprint
from simcare.files.fit import CalibrationFit
from simcare.files.load import LoadedExperiment, read_experiment, with_options
from simcare.measures.catalogue import SUMMED, measure_named
from simcare.model import Model
from simcare.model.cautions import experiment_cautions
from simcare.model.overlay import apply_strategy, in_scenario
from simcare.model.strategy import (
    ABOUT_EFFECTS,
    AS_IN_THE_FILE,
    BASELINE,
    Experiment,
    Scenario,
    Strategy,
    believed,
    drawn_effects,
)
from simcare.rules.draws import EFFECT, name_key, uniform
from simcare.runs.drawing import NOTHING, Drawing, drawing_of
from simcare.runs.run import manifest, outcomes_of
from simcare.runs.task import ReplicationResult, Task, in_draw
from simcare.runs.workers import Progress

NOISE = 1e-12  # of two sums: their difference is nothing


@dataclass(frozen=True)
class Comparison:
    """What an experiment found: measures of every replication, totals, and paired differences from the baseline.

    ``scenarios`` holds the same differences in each scenario of the experiment, with a column ``scenario``; "as in the
    file" is the first. ``drawn`` holds what each replication drew, as a :class:`simcare.runs.run.Run` has it.
    """

    experiment: Experiment
    model: Model
    measures: pl.DataFrame = field(repr=False)
    flows: pl.DataFrame = field(repr=False)
    totals: pl.DataFrame
    differences: pl.DataFrame
    scenarios: pl.DataFrame
    market: pl.DataFrame = field(repr=False)
    drawn: pl.DataFrame = field(repr=False)
    manifest: dict[str, Any] = field(repr=False)

    @cached_property
    def answers(self) -> Answers:
        """Chances, shares, conditional means, the value of information, and cost against dependency, all of the same
        replications (:mod:`simcare.decide.answers`)."""
        return answers_of(self.experiment, self.model, self.totals, self.drawn)


def compare(
    experiment: str | Path | Experiment | LoadedExperiment,
    replications: int | None = None,
    *,
    model: Model | None = None,
    years: int | None = None,
    seed: int | None = None,
    engine: str = "compiled",
    workers: int | None = None,
    progress: Progress | None = None,
    fit: CalibrationFit | str | Path | None = None,
    central: bool = False,
) -> Comparison:
    """Run an experiment (a path, a library name, a loaded one, or a value with its ``model``) and compare its
    strategies.

    ``replications``, ``years`` and ``seed`` override those of the file. ``engine`` is "compiled", for volume, or
    "simpy". Replication r of the baseline and of every strategy, in every scenario, starts from the same draw of what
    is not known of the model; ``fit`` and ``central`` as in :func:`simcare.runs.run.run`. Raises BadInput for a fit
    that is stale or of another model.
    """
    given = experiment if isinstance(experiment, LoadedExperiment) else _loaded(experiment, model)
    experiment = with_options(given, replications=replications, years=years, seed=seed)
    drawing = drawing_of(given.model, fit, central)
    began = dt.datetime.now(dt.UTC)
    scenarios = (None, *experiment.scenarios)
    todo = [task for scenario in scenarios for task in tasks(experiment, given.extended, engine, drawing, scenario)]
    each = len(todo) // len(scenarios)
    outcomes, summed = [], []
    for k, outcome in enumerate(outcomes_of(todo, workers, progress)):
        if k < each:
            outcomes.append(outcome)
        else:  # of a scenario, only what it sums to is kept
            sums = outcome.measures.filter(pl.col("measure").is_in((*SUMMED, *COUNTS)))
            summed.append(outcome._replace(measures=sums, flows=outcome.flows.clear()))
    worlds = [outcomes, *(summed[k : k + each] for k in range(0, len(summed), each))]
    about = manifest(
        given.extended, experiment.years, experiment.replications, experiment.seed, engine, workers, began, drawing
    )
    return _compared(experiment, given.extended, worlds, about)


def _loaded(experiment: str | Path | Experiment, model: Model | None) -> LoadedExperiment:
    if isinstance(experiment, Experiment):
        return LoadedExperiment.of(experiment, model)
    return read_experiment(experiment)


def _compared(
    experiment: Experiment, model: Model, worlds: Sequence[Sequence[ReplicationResult]], about: dict[str, Any]
) -> Comparison:
    """What the replications come to: those of the experiment as in its file, then those of each scenario."""
    names = [s.name for s in experiment.strategies]
    joined = {
        part: pl.concat([getattr(o, part) for o in worlds[0]]) for part in ("measures", "flows", "market", "drawn")
    }
    found = totals(joined["measures"], [BASELINE, *names], experiment.replications)
    plain = differences(found, names)
    parts = [plain.with_columns(pl.lit(AS_IN_THE_FILE).alias("scenario"))]
    for scenario, outcomes in zip(experiment.scenarios, worlds[1:], strict=True):
        mine = totals(pl.concat([o.measures for o in outcomes]), [BASELINE, *names], experiment.replications)
        apart = differences(mine, names)
        parts.append(apart.with_columns(pl.lit(scenario.name).alias("scenario")))
    return Comparison(
        experiment=experiment,
        model=model,
        **joined,
        totals=found,
        differences=plain,
        scenarios=pl.concat(parts) if experiment.scenarios else parts[0].clear(),
        manifest={
            **about,
            "experiment": experiment.name,
            "experiment_sha256": fingerprint(experiment),
            "strategies": [BASELINE, *names],
            "warnings": list(experiment_cautions(experiment, model)),
        },
    )


def tasks(
    experiment: Experiment,
    model: Model,
    engine: str,
    drawing: Drawing = NOTHING,
    scenario: Scenario | None = None,
) -> Iterator[Task]:
    """Every replication of the baseline and of each strategy; replication by replication, so that pairs finish
    together.

    A replication's draw of what is not known comes first, then the scenario, then the strategy: each is laid over what
    it finds.
    """
    strategies = [believed(s, experiment.shrinkage) for s in experiment.strategies]
    fits = fitted(model)
    world = (
        model if scenario is None or drawing.moves else in_scenario(model, scenario)
    )  # where nothing is drawn, the same in all replications
    for r in range(experiment.replications):
        baseline = in_draw(Task(world, BASELINE, experiment.seed, r, experiment.years, engine, fits=fits), drawing)
        if scenario is not None and drawing.moves:
            baseline = baseline._replace(model=in_scenario(baseline.model, scenario))
        yield baseline
        for stated, strategy in zip(experiment.strategies, strategies, strict=True):
            draws = effect_draws(stated, experiment.seed, r)
            drawn = {f"effects[{k}]": draws[k] for k, effect in enumerate(strategy.effects) if effect.has_interval}
            possible = apply_strategy(baseline.model, drawn_effects(strategy, draws))
            yield baseline._replace(model=possible, strategy=strategy.name, effects=drawn)


def effect_draws(stated: Strategy, seed: int, replication: int) -> dict[int, float]:
    """A standard normal for each effect of a strategy as stated: which of the possible truths this replication lives
    in.

    The address is what the effect does: two strategies that share an effect live in the same truth about it.
    """
    keys = [name_key("effect", effect.model_dump_json(exclude=set(ABOUT_EFFECTS))) for effect in stated.effects]
    return {k: float(norm.ppf(uniform(seed, replication, address, EFFECT, 0))) for k, address in enumerate(keys)}


def totals(
    measures: pl.DataFrame, strategies: Sequence[str], replications: int, reference: str = BASELINE
) -> pl.DataFrame:
    """The totals of each replication over the horizon: one row a strategy and replication, one column a measure.

    A replication in which nothing happened has no row in the measures; here it has zeros. Independent days are those of
    the people who are known under the strategy ``reference`` (:mod:`simcare.decide.independence`).
    """
    grid = pl.DataFrame({"strategy": list(strategies)}).join(
        pl.DataFrame({"replication": pl.Series(range(replications), dtype=pl.Int32)}), how="cross"
    )
    wide = (
        measures.filter(pl.col("measure").is_in(SUMMED))
        .group_by("strategy", "replication", "measure", maintain_order=True)
        .agg(pl.col("value").sum())
        .pivot(on="measure", index=["strategy", "replication"], values="value")
    )
    missing = [pl.lit(0.0).alias(name) for name in SUMMED if name not in wide.columns]
    found = grid.join(wide.with_columns(missing), on=["strategy", "replication"], how="left", maintain_order="left")
    known = found.join(
        prevented_days(measures, reference), on=["strategy", "replication"], how="left", maintain_order="left"
    )
    independent = pl.col("independent_days").fill_null(0.0) + pl.col("prevented").fill_null(0.0)
    filled = known.with_columns(independent_days=independent)
    return filled.select("strategy", "replication", *(pl.col(name).fill_null(0.0) for name in SUMMED))


def differences(found: pl.DataFrame, strategies: Sequence[str]) -> pl.DataFrame:
    """Paired differences from the baseline, a row a strategy and measure.

    ``difference`` is the mean over replications; ``prediction_low`` and ``prediction_high`` are its 90 % prediction
    interval: nine in ten futures lie there, over all that is drawn (null from fewer than 19 replications;
    :func:`simcare.decide.prediction.prediction_interval`). ``chance_lower`` and ``chance_higher`` are the shares of
    replications on either side of zero, ``chance_better`` that on the better side (null where neither side is).
    ``monte_carlo_error`` is the standard error of the mean: how exactly the replications fix it, and nothing more.
    """
    baseline = found.filter(pl.col("strategy") == BASELINE).sort("replication")
    rows = []
    for strategy in strategies:
        mine = found.filter(pl.col("strategy") == strategy).sort("replication")
        for measure in SUMMED:
            values = baseline[measure].to_numpy(), mine[measure].to_numpy()
            rows.append({"strategy": strategy, "measure": measure, **_paired(*values, measure_named(measure).better)})
    return pl.DataFrame(rows, schema=DIFFERENCE)


DIFFERENCE = {
    "strategy": pl.String(), "measure": pl.String(), "difference": pl.Float64(), "prediction_low": pl.Float64(),
    "prediction_high": pl.Float64(), "chance_better": pl.Float64(), "monte_carlo_error": pl.Float64(),
    "chance_lower": pl.Float64(), "chance_higher": pl.Float64(), "baseline_mean": pl.Float64(), "mean": pl.Float64(),
    "relative": pl.Float64(),
}  # fmt: skip


def _paired(baseline: NDArray[Any], mine: NDArray[Any], better: int) -> dict[str, float | None]:
    difference = mine - baseline
    n = difference.size
    noise = NOISE * max(np.abs(mine).max(), np.abs(baseline).max())  # of sums in another order
    difference = np.where(np.abs(difference) <= noise, 0.0, difference)
    low, high = prediction_interval(difference)
    below, above = float((difference < 0).mean()), float((difference > 0).mean())
    mean, base = float(difference.mean()), float(baseline.mean())
    return {
        "baseline_mean": base,
        "mean": float(mine.mean()),
        "difference": mean,
        "prediction_low": low,
        "prediction_high": high,
        "chance_better": {-1: below, 0: None, 1: above}[better],
        "chance_lower": below,
        "chance_higher": above,
        "monte_carlo_error": float(difference.std(ddof=1) / np.sqrt(n)) if n > 1 else None,
        "relative": mean / base if base else None,
    }
