"""Strategies against a baseline, replication by replication, on the same draws.

Every difference is paired: in replication r the same people come to the door under every strategy and meet the
same luck, so what differs is what the strategy did. With a fit, all start from the same draw of its parameters too.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.stats import norm, t

from simcare.demand.paths import fitted
from simcare.errors import BadInput
from simcare.files.digests import fingerprint
from simcare.files.fit import CalibrationFit, chosen_fit
from simcare.files.load import load_experiment
from simcare.files.parsing import parse
from simcare.measures.catalogue import SUMMED, measure_named
from simcare.measures.spread_parts import (
    KEPT,
    NINE_IN_TEN,
    demand_by_replication,
    demand_columns,
    demand_sd,
    parameter_columns,
    parameter_sd,
    parameters_by_replication,
)
from simcare.model import Model
from simcare.model.overlay import apply_strategy, extended_by, in_scenario
from simcare.model.strategy import AS_IN_THE_FILE, Experiment, Scenario, Strategy, believed, drawn_effects
from simcare.rules.draws import EFFECT, name_key, uniform
from simcare.runs.run import manifest, outcomes_of
from simcare.runs.task import Task, in_draw
from simcare.runs.workers import Progress

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Comparison:
    """What an experiment found: measures of every replication, totals, and paired differences from the baseline.

    ``scenarios`` holds the same differences in each scenario of the experiment, with a column ``scenario``; "as in the
    file" is the first.
    """

    experiment: Experiment
    model: Model
    measures: pl.DataFrame = field(repr=False)
    flows: pl.DataFrame = field(repr=False)
    totals: pl.DataFrame
    differences: pl.DataFrame
    scenarios: pl.DataFrame
    market: pl.DataFrame = field(repr=False)
    manifest: dict[str, Any] = field(repr=False)


def compare(
    experiment: str | Path | Experiment,
    replications: int | None = None,
    *,
    model: Model | None = None,
    years: int | None = None,
    seed: int | None = None,
    engine: str = "compiled",
    workers: int | None = None,
    progress: Progress | None = None,
    fit: CalibrationFit | str | Path | None = None,
) -> Comparison:
    """Run an experiment (a path, a library name, or a value with its ``model``) and compare its strategies.

    ``replications``, ``years`` and ``seed`` override those of the file. ``engine`` is "compiled", for volume, or
    "simpy". With a ``fit`` (a value, a path or a library name) replication r of the baseline and of every strategy, in
    every scenario, starts from the same draw of its parameters. Raises BadInput for a fit that is stale or of another
    model.
    """
    if isinstance(experiment, Experiment):
        if model is None:
            raise BadInput(f"experiment {experiment.name}: give its model as well")
    else:
        experiment, model = load_experiment(experiment)
    asked = {"replications": replications, "years": years, "seed": seed}
    experiment = parse(
        Experiment,
        experiment.model_dump(by_alias=True) | {k: v for k, v in asked.items() if v is not None},
        experiment.name,
    )
    fit = chosen_fit(fit, model)
    began = dt.datetime.now(dt.UTC)
    model = extended_by(model, experiment)
    worlds = (None, *experiment.scenarios)
    todo = [task for scenario in worlds for task in tasks(experiment, model, engine, fit, scenario)]
    each = len(todo) // len(worlds)
    outcomes, summed = [], []
    for k, outcome in enumerate(outcomes_of(todo, workers, progress)):
        if k < each:
            outcomes.append(outcome)
        else:  # of a scenario, only what it sums to is kept
            summed.append(outcome.measures.filter(pl.col("measure").is_in(SUMMED) | KEPT))
    measures = pl.concat([o.measures for o in outcomes])
    names = [s.name for s in experiment.strategies]
    found = totals(measures, ["baseline", *names], experiment.replications)
    parts = (
        [differences(found, names).with_columns(pl.lit(AS_IN_THE_FILE).alias("scenario"))]
        if experiment.scenarios
        else []
    )
    for k, scenario in enumerate(experiment.scenarios):
        mine = totals(pl.concat(summed[k * each : (k + 1) * each]), ["baseline", *names], experiment.replications)
        parts.append(differences(mine, names).with_columns(pl.lit(scenario.name).alias("scenario")))
    return Comparison(
        experiment=experiment,
        model=model,
        measures=measures,
        flows=pl.concat([o.flows for o in outcomes]),
        totals=found,
        differences=differences(found, names),
        scenarios=(
            pl.concat(parts) if parts else differences(found, names).clear().with_columns(pl.lit("").alias("scenario"))
        ),
        market=pl.concat([o.market for o in outcomes]),
        manifest={
            **manifest(model, experiment.years, experiment.replications, experiment.seed, engine, workers, began, fit),
            "experiment": experiment.name,
            "experiment_sha256": fingerprint(experiment),
            "strategies": ["baseline", *names],
        },
    )


def tasks(
    experiment: Experiment,
    model: Model,
    engine: str,
    fit: CalibrationFit | None = None,
    scenario: Scenario | None = None,
) -> Iterator[Task]:
    """Every replication of the baseline and of each strategy; replication by replication, so that pairs finish
    together.

    A replication's draw of a fit comes first, then the scenario, then the strategy: each is laid over what it finds.
    """
    strategies = [believed(s, experiment.shrinkage) for s in experiment.strategies]
    fits = fitted(model)
    world = (
        model if scenario is None or fit is not None else in_scenario(model, scenario)
    )  # without a fit, the same in all replications
    for r in range(experiment.replications):
        baseline = in_draw(Task(world, "baseline", experiment.seed, r, experiment.years, engine, fits=fits), fit)
        if scenario is not None and fit is not None:
            baseline = baseline._replace(model=in_scenario(baseline.model, scenario))
        yield baseline
        for stated, strategy in zip(experiment.strategies, strategies, strict=True):
            possible = drawn_effects(strategy, effect_draws(stated, experiment.seed, r))
            yield baseline._replace(model=apply_strategy(baseline.model, possible), strategy=strategy.name)


def effect_draws(stated: Strategy, seed: int, replication: int) -> dict[int, float]:
    """A standard normal for each effect of a strategy as stated: which of the possible truths this replication lives
    in.

    The address is the effect itself: two strategies that share an effect live in the same truth about it.
    """
    keys = [name_key("effect", effect.model_dump_json()) for effect in stated.effects]
    return {k: float(norm.ppf(uniform(seed, replication, address, EFFECT, 0))) for k, address in enumerate(keys)}


def totals(measures: pl.DataFrame, strategies: Sequence[str], replications: int) -> pl.DataFrame:
    """The totals of each replication over the horizon: one row a strategy and replication, one column a measure; and
    the demand it met, with the parameters of the fit if there is one.

    A replication in which nothing happened has no row in the measures; here it has noughts.
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
    whole = found.select("strategy", "replication", *(pl.col(name).fill_null(0.0) for name in SUMMED))
    for met in (demand_by_replication(measures), parameters_by_replication(measures)):
        whole = whole.join(met, on="replication", how="left", maintain_order="left")
    return whole


def differences(found: pl.DataFrame, strategies: list[str]) -> pl.DataFrame:
    """Paired differences from the baseline, a row a strategy and measure.

    ``low`` and ``high`` are the 95 % interval of the mean difference (Student's t over replications);
    ``spread_low`` and ``spread_high`` the 5th and 95th percentile of the differences themselves, ``demand_low`` and
    ``demand_high`` where nine in ten of them would lie if demand alone were uncertain (null without drivers, or from
    few replications), ``parameter_low`` and ``parameter_high`` the same for the parameters of a fit (null without one,
    or from fewer replications than parameters and ten).
    """
    baseline = found.filter(pl.col("strategy") == "baseline").sort("replication")
    demand, parameters = (
        baseline.select(names).to_numpy() for names in (demand_columns(baseline), parameter_columns(baseline))
    )
    rows = []
    for strategy in strategies:
        mine = found.filter(pl.col("strategy") == strategy).sort("replication")
        for measure in SUMMED:
            values = baseline[measure].to_numpy(), mine[measure].to_numpy()
            difference = values[1] - values[0]
            parts = _part("demand", difference, demand_sd(difference, demand)) | _part(
                "parameter", difference, parameter_sd(difference, parameters)
            )
            rows.append(
                {"strategy": strategy, "measure": measure, **_paired(*values, measure_named(measure).better), **parts}
            )
    return pl.DataFrame(
        rows,
        schema_overrides={f"{part}_{end}": pl.Float64 for part in ("demand", "parameter") for end in ("low", "high")},
    )


def _part(name: str, difference: NDArray[Any], sd: float | None) -> dict[str, float | None]:
    """Where nine in ten would lie if one thing alone were uncertain; null where its part is not known."""
    mean = float(difference.mean())
    return {
        f"{name}_{end}": None if sd is None else mean + side * NINE_IN_TEN * sd
        for end, side in (("low", -1), ("high", 1))
    }


def _paired(baseline: NDArray[Any], mine: NDArray[Any], better: int) -> dict[str, float | None]:
    difference = mine - baseline
    n = difference.size
    se = float(difference.std(ddof=1) / np.sqrt(n)) if n > 1 else float("nan")
    half = float(t.ppf(0.5 + CONFIDENCE / 2, n - 1)) * se if n > 1 else float("nan")
    mean, base = float(difference.mean()), float(baseline.mean())
    return {
        "baseline_mean": base,
        "mean": float(mine.mean()),
        "difference": mean,
        "low": mean - half,
        "high": mean + half,
        "relative": mean / base if base else None,
        "se": se,
        "share_better": float((better * difference > 0).mean()) if better else None,
        "spread_low": float(np.quantile(difference, 0.05)),
        "spread_high": float(np.quantile(difference, 0.95)),
    }
