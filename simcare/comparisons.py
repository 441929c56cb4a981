"""Strategies against a baseline, replication by replication, on the same draws.

Every difference is paired: in replication r the same people come to the door under every strategy and meet the
same luck, so what differs is what the strategy did.
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

from simcare.demand.entering import fitted
from simcare.draws import EFFECT, uniform
from simcare.engine.persons import key
from simcare.errors import BadInput
from simcare.files import load_experiment, parse
from simcare.model import Model
from simcare.model.strategy import AS_IN_THE_FILE, Experiment, Strategy, apply, believed, drawn, extended_by, in_scenario
from simcare.runs import Progress, Task, fingerprint, manifest, outcomes_of
from simcare.uncertainty import INDEX, NINE_IN_TEN, demand_by_replication, demand_columns, demand_sd

# What a comparison sums over the horizon, and whether more of it is better (+1) or worse (−1).
TOTALS = {
    "cost_pv": -1,
    "cost": -1,
    "cost_real": -1,
    "cost_council": -1,
    "dependency_days": -1,
    "over_provided_days": -1,
    "induced_need_days": -1,
    "under_provided_days": -1,
    "unmet_need_days": -1,
    "crises": -1,
    "step_downs": 1,
    "premature_releases": -1,
    "readmissions_91": -1,
    "waiting_days": -1,
    "queue_days": -1,
    "displaced": -1,
    "spot_days": -1,
    "delayed_days": -1,
    "independent_days": 1,
    "person_days": -1,
}
CONFIDENCE = 0.95


@dataclass(frozen=True)
class Comparison:
    """What an experiment found: measures of every replication, totals, and paired differences from the baseline.

    ``scenarios`` holds the same differences in each scenario of the experiment, with a column ``scenario``; "as in the file" is the first.
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
) -> Comparison:
    """Run an experiment (a path, a library name, or a value with its ``model``) and compare its strategies.

    ``replications``, ``years`` and ``seed`` override those of the file. ``engine`` is "compiled", for volume, or "simpy".
    """
    if isinstance(experiment, Experiment):
        if model is None:
            raise BadInput(f"experiment {experiment.name}: give its model as well")
    else:
        experiment, model = load_experiment(experiment)
    asked = {"replications": replications, "years": years, "seed": seed}
    experiment = parse(Experiment, experiment.model_dump(by_alias=True) | {k: v for k, v in asked.items() if v is not None}, experiment.name)
    began = dt.datetime.now(dt.UTC)
    model = extended_by(model, experiment)
    worlds = [in_scenario(model, scenario) for scenario in experiment.scenarios]
    todo = [task for world in (model, *worlds) for task in tasks(experiment, world, engine)]
    each = len(todo) // (1 + len(worlds))
    outcomes, summed = [], []
    for k, outcome in enumerate(outcomes_of(todo, workers, progress)):
        if k < each:
            outcomes.append(outcome)
        else:  # of a scenario, only what it sums to is kept
            kept = pl.col("measure").is_in(list(TOTALS)) | pl.col("measure").str.starts_with(INDEX)
            summed.append(outcome.measures.filter(kept))
    measures = pl.concat([o.measures for o in outcomes])
    names = [s.name for s in experiment.strategies]
    found = totals(measures, ["baseline", *names], experiment.replications)
    parts = [differences(found, names).with_columns(pl.lit(AS_IN_THE_FILE).alias("scenario"))] if worlds else []
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
        scenarios=pl.concat(parts) if parts else differences(found, names).clear().with_columns(pl.lit("").alias("scenario")),
        market=pl.concat([o.market for o in outcomes]),
        manifest={
            **manifest(model, experiment.years, experiment.replications, experiment.seed, engine, workers, began),
            "experiment": experiment.name,
            "experiment_sha256": fingerprint(experiment),
            "strategies": ["baseline", *names],
        },
    )


def tasks(experiment: Experiment, model: Model, engine: str) -> Iterator[Task]:
    """Every replication of the baseline and of each strategy; replication by replication, so that pairs finish together."""
    strategies = [believed(s, experiment.shrinkage) for s in experiment.strategies]
    fits = fitted(model)
    for r in range(experiment.replications):
        yield Task(model, "baseline", experiment.seed, r, experiment.years, engine, fits=fits)
        for stated, strategy in zip(experiment.strategies, strategies, strict=True):
            possible = drawn(strategy, effect_draws(stated, experiment.seed, r))
            yield Task(apply(model, possible), strategy.name, experiment.seed, r, experiment.years, engine, fits=fits)


def effect_draws(stated: Strategy, seed: int, replication: int) -> dict[int, float]:
    """A standard normal for each effect of a strategy as stated: which of the possible truths this replication lives in.

    The address is the effect itself: two strategies that share an effect live in the same truth about it.
    """
    keys = [key("effect", effect.model_dump_json()) for effect in stated.effects]
    return {k: float(norm.ppf(uniform(seed, replication, address, EFFECT, 0))) for k, address in enumerate(keys)}


def totals(measures: pl.DataFrame, strategies: Sequence[str], replications: int) -> pl.DataFrame:
    """The totals of each replication over the horizon: one row a strategy and replication, one column a measure; and the demand it met.

    A replication in which nothing happened has no row in the measures; here it has noughts.
    """
    grid = pl.DataFrame({"strategy": list(strategies)}).join(
        pl.DataFrame({"replication": pl.Series(range(replications), dtype=pl.Int32)}), how="cross"
    )
    wide = (
        measures.filter(pl.col("measure").is_in(list(TOTALS)))
        .group_by("strategy", "replication", "measure", maintain_order=True)
        .agg(pl.col("value").sum())
        .pivot(on="measure", index=["strategy", "replication"], values="value")
    )
    missing = [pl.lit(0.0).alias(name) for name in TOTALS if name not in wide.columns]
    found = grid.join(wide.with_columns(missing), on=["strategy", "replication"], how="left", maintain_order="left")
    whole = found.select("strategy", "replication", *(pl.col(name).fill_null(0.0) for name in TOTALS))
    return whole.join(demand_by_replication(measures), on="replication", how="left", maintain_order="left")


def differences(found: pl.DataFrame, strategies: list[str]) -> pl.DataFrame:
    """Paired differences from the baseline, a row a strategy and measure.

    ``low`` and ``high`` are the 95 % interval of the mean difference (Student's t over replications);
    ``spread_low`` and ``spread_high`` the 5th and 95th percentile of the differences themselves, ``demand_low`` and ``demand_high`` where nine
    in ten of them would lie if demand alone were uncertain (null without drivers, or from few replications).
    """
    baseline = found.filter(pl.col("strategy") == "baseline").sort("replication")
    demand = baseline.select(demand_columns(baseline)).to_numpy()
    rows = []
    for strategy in strategies:
        mine = found.filter(pl.col("strategy") == strategy).sort("replication")
        for measure, better in TOTALS.items():
            rows.append({"strategy": strategy, "measure": measure, **_paired(baseline[measure].to_numpy(), mine[measure].to_numpy(), better, demand)})
    return pl.DataFrame(rows, schema_overrides={"demand_low": pl.Float64, "demand_high": pl.Float64})


def _paired(baseline: NDArray[Any], mine: NDArray[Any], better: int, demand: NDArray[Any]) -> dict[str, float | None]:
    difference = mine - baseline
    by_demand = demand_sd(difference, demand)
    reach = None if by_demand is None else NINE_IN_TEN * by_demand
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
        "share_better": float((better * difference > 0).mean()),
        "spread_low": float(np.quantile(difference, 0.05)),
        "spread_high": float(np.quantile(difference, 0.95)),
        "demand_low": None if reach is None else mean - reach,
        "demand_high": None if reach is None else mean + reach,
    }
