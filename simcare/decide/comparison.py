"""Strategies against a baseline, replication by replication, on the same draws.

Every difference is paired: in replication r the same people come to the door under every strategy and meet the
same luck, so what differs is what the strategy did. With a fit, all start from the same draw of its parameters too.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.stats import norm, t

from simcare.decide.independence import COUNTS, prevented_days
from simcare.demand.paths import fitted
from simcare.files.digests import fingerprint
from simcare.files.fit import CalibrationFit, chosen_fit
from simcare.files.load import LoadedExperiment, read_experiment, with_options
from simcare.measures.catalogue import SUMMED, measure_named
from simcare.measures.spread_parts import (
    NOTHING_DRAWN,
    demand_sd,
    met_by,
    met_demand,
    met_parameters,
    parameter_sd,
    part_end,
    part_share,
)
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
from simcare.runs.run import manifest, outcomes_of
from simcare.runs.task import ReplicationResult, Task, in_draw
from simcare.runs.workers import Progress

CONFIDENCE = 0.95


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
) -> Comparison:
    """Run an experiment (a path, a library name, a loaded one, or a value with its ``model``) and compare its
    strategies.

    ``replications``, ``years`` and ``seed`` override those of the file. ``engine`` is "compiled", for volume, or
    "simpy". With a ``fit`` (a value, a path or a library name) replication r of the baseline and of every strategy, in
    every scenario, starts from the same draw of its parameters. Raises BadInput for a fit that is stale or of another
    model.
    """
    given = experiment if isinstance(experiment, LoadedExperiment) else _loaded(experiment, model)
    experiment = with_options(given, replications=replications, years=years, seed=seed)
    fit = chosen_fit(fit, given.model)
    began = dt.datetime.now(dt.UTC)
    scenarios = (None, *experiment.scenarios)
    todo = [task for scenario in scenarios for task in tasks(experiment, given.extended, engine, fit, scenario)]
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
        given.extended, experiment.years, experiment.replications, experiment.seed, engine, workers, began, fit
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
    plain = differences(found, names, joined["drawn"])
    parts = [plain.with_columns(pl.lit(AS_IN_THE_FILE).alias("scenario"))]
    for scenario, outcomes in zip(experiment.scenarios, worlds[1:], strict=True):
        mine = totals(pl.concat([o.measures for o in outcomes]), [BASELINE, *names], experiment.replications)
        apart = differences(mine, names, pl.concat([o.drawn for o in outcomes]))
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
        baseline = in_draw(Task(world, BASELINE, experiment.seed, r, experiment.years, engine, fits=fits), fit)
        if scenario is not None and fit is not None:
            baseline = baseline._replace(model=in_scenario(baseline.model, scenario))
        yield baseline
        for stated, strategy in zip(experiment.strategies, strategies, strict=True):
            possible = drawn_effects(strategy, effect_draws(stated, experiment.seed, r))
            yield baseline._replace(model=apply_strategy(baseline.model, possible), strategy=strategy.name)


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


def differences(found: pl.DataFrame, strategies: list[str], drawn: pl.DataFrame = NOTHING_DRAWN) -> pl.DataFrame:
    """Paired differences from the baseline, a row a strategy and measure; ``drawn`` as a run has it.

    ``low`` and ``high`` are the 95 % interval of the mean difference (Student's t over replications);
    ``spread_low`` and ``spread_high`` the 5th and 95th percentile of the differences themselves, ``demand_low`` and
    ``demand_high`` where nine in ten of them would lie if demand alone were uncertain (null without drivers, or from
    few replications), ``parameter_low`` and ``parameter_high`` the same for the parameters of a fit (null without one,
    or from fewer replications than parameters and ten).
    """
    baseline = found.filter(pl.col("strategy") == BASELINE).sort("replication")
    met = (met_demand(drawn), met_parameters(drawn))
    demand, parameters = (met_by(baseline["replication"], each) for each in met)
    rows = []
    for strategy in strategies:
        mine = found.filter(pl.col("strategy") == strategy).sort("replication")
        for measure in SUMMED:
            values = baseline[measure].to_numpy(), mine[measure].to_numpy()
            difference = values[1] - values[0]
            whole = _paired(*values, measure_named(measure).better)
            shares = {
                "demand": part_share(difference, demand_sd(difference, demand)),
                "parameter": part_share(difference, parameter_sd(difference, parameters)),
            }
            rows.append({"strategy": strategy, "measure": measure, **whole, **_parts(whole, shares)})
    return pl.DataFrame(
        rows,
        schema_overrides={
            "share_better": pl.Float64,
            **{f"{part}_{end}": pl.Float64 for part in ("demand", "parameter") for end in ("low", "high")},
        },
    )


def _parts(whole: Mapping[str, Any], shares: Mapping[str, float | None]) -> dict[str, float | None]:
    """Where nine in ten would lie if one thing alone were uncertain; null where its share is not known."""
    mean, low, high = (whole[name] for name in ("difference", "spread_low", "spread_high"))
    return {
        f"{part}_{end}": None if share is None else part_end(mean, low, high, whole[f"spread_{end}"], share)
        for part, share in shares.items()
        for end in ("low", "high")
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
