"""Genuine or induced: every mechanism of demand switched off and on, in every combination, and what each one's share
is.

All 2**k settings of the k mechanisms that a model has are run on the same draws, so that in replication r the same
people come to the door in each. What is left with all of them off is genuine demand; the rest is shared among the
mechanisms by Shapley's rule (:mod:`simcare.mechanisms.shapley`), replication by replication, so that the parts of every
total add up to it. For an experiment the same is done under each strategy, and the difference between two attributions
says why cost moved.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.stats import t

from simcare.decide.comparison import CONFIDENCE, tasks, totals
from simcare.decide.independence import COUNTS
from simcare.demand.paths import fitted
from simcare.errors import BadInput
from simcare.files.digests import fingerprint
from simcare.files.file_kinds import kind_of
from simcare.files.library import find_file, is_there, library
from simcare.files.load import LoadedExperiment, load_model, read_experiment, with_options
from simcare.files.toml_faults import read_toml
from simcare.measures.catalogue import SUMMED
from simcare.mechanisms.shapley import shapley
from simcare.mechanisms.switches import SWITCHES, Mechanism, switched_off
from simcare.model import Model
from simcare.model.cautions import experiment_cautions, model_cautions
from simcare.model.nearmiss import unknown
from simcare.model.strategy import BASELINE, Experiment
from simcare.runs.run import manifest, outcomes_of
from simcare.runs.task import Task
from simcare.runs.workers import Progress

GENUINE, TOGETHER, TOTAL = (
    "genuine",
    "together",
    "total",
)  # the parts beside the mechanisms: what is left without any, all of them, the whole
MODEL_YEARS, REPLICATIONS, SEED = 5, 4, 1


@dataclass(frozen=True)
class Plan:
    """What is to be run: a model, perhaps strategies on it, the mechanisms that are switched, and how often."""

    model: Model
    experiment: Experiment | None
    mechanisms: tuple[Mechanism, ...]
    years: int
    replications: int
    seed: int

    @property
    def name(self) -> str:
        return self.experiment.name if self.experiment else self.model.about.name

    @property
    def titles(self) -> dict[str, str]:
        """The title of the baseline and of each strategy, by name."""
        return {BASELINE: "Baseline"} | (
            {s.name: s.title for s in self.experiment.strategies} if self.experiment else {}
        )

    @property
    def absent(self) -> tuple[Mechanism, ...]:
        """Mechanisms that neither the model nor a strategy has."""
        return tuple(m for m in SWITCHES if m not in self.mechanisms)

    @property
    def settings(self) -> int:
        return int(2 ** len(self.mechanisms))

    @property
    def runs(self) -> int:
        return self.settings * len(self.titles) * self.replications

    @property
    def warnings(self) -> tuple[str, ...]:
        """What is perhaps not as it was meant (:mod:`simcare.model.cautions`)."""
        return experiment_cautions(self.experiment, self.model) if self.experiment else model_cautions(self.model)

    def words(self) -> str:
        """How many runs it will take, and why."""
        strategies = len(self.titles) - 1
        beside = (
            ""
            if not strategies
            else (
                f" × {strategies + 1} (the baseline and {strategies} {'strategy' if strategies == 1 else 'strategies'})"
            )
        )
        of = f"{len(self.mechanisms)} {'mechanism' if len(self.mechanisms) == 1 else 'mechanisms'}"
        span = "1 year" if self.years == 1 else f"{self.years} years"
        return (
            f"{self.runs:,} runs of {span}: {self.settings} settings of {of}{beside} × {self.replications} replications"
        )


@dataclass(frozen=True)
class Explanation:
    """What was found.

    ``settings``: the totals of every run (strategy, a column for each mechanism telling whether it was on, replication,
    the totals). ``shares``: for each strategy, measure and part (genuine, each mechanism, together, total) the mean
    with its 95 % interval (``low``, ``high``; Student's t over replications), ``share`` of the total, and for
    mechanisms ``alone``: what goes when it alone is switched off, ``only``: what it adds when it alone is on, each with
    its interval. ``moved``: for each strategy, measure and part the paired difference from the baseline. Units are
    those of the totals: pounds, days or counts over the horizon.
    """

    plan: Plan
    settings: pl.DataFrame = field(repr=False)
    shares: pl.DataFrame
    moved: pl.DataFrame
    manifest: dict[str, Any] = field(repr=False)


def explain(
    what: str | Path | Model | Experiment,
    replications: int | None = None,
    *,
    model: Model | None = None,
    years: int | None = None,
    seed: int | None = None,
    strategies: Sequence[str] | None = None,
    engine: str = "compiled",
    workers: int | None = None,
    progress: Progress | None = None,
) -> Explanation:
    """Attribute the totals of a model, or of an experiment's baseline and strategies, to genuine demand and to the
    mechanisms of induced demand.

    ``what`` is a path, a library name, a model, or an experiment with its ``model``; of an experiment, its scenarios
    are left out. Years and seed are those of the experiment unless given (5 and 1 for a model), replications 4,
    ``strategies`` all. Raises BadInput where no mechanism is in the model, or an option cannot be.

    >>> found = explain("mg-infinity", replications=2, years=1)
    Traceback (most recent call last):
    ...
    simcare.errors.BadInput: mg-infinity: has none of the mechanisms of induced demand (over-specification, ...
    """
    return run_plan(
        plan(what, replications, model=model, years=years, seed=seed, strategies=strategies), engine, workers, progress
    )


def plan(
    what: str | Path | Model | Experiment,
    replications: int | None = None,
    *,
    model: Model | None = None,
    years: int | None = None,
    seed: int | None = None,
    strategies: Sequence[str] | None = None,
) -> Plan:
    """What :func:`explain` would run, checked, before it runs.

    >>> plan("kent-2013", years=2).words()
    '64 runs of 2 years: 16 settings of 4 mechanisms × 4 replications'
    """
    experiment, base = _loaded(what, model)
    replications = REPLICATIONS if replications is None else replications
    if replications < 2:
        raise BadInput(f"replications: must be 2 or more, for an interval, got {replications}")
    if experiment is not None:
        given = LoadedExperiment(_chosen(experiment, strategies), base, base)
        experiment = with_options(given, replications=replications, years=years, seed=seed)
        years, seed = experiment.years, experiment.seed
    elif strategies:
        raise BadInput(f"strategies: '{base.about.name}' is a model; give an experiment to explain a strategy")
    variants = _first(experiment, base)
    mechanisms = tuple(m for m in SWITCHES if any(m.is_on(variant) for variant in variants))
    if not mechanisms:
        known = ", ".join(m.title.lower() for m in SWITCHES)
        raise BadInput(
            f"{base.about.name}: has none of the mechanisms of induced demand ({known}), so all of its demand is"
            " genuine"
        )
    return Plan(
        base,
        experiment,
        mechanisms,
        MODEL_YEARS if years is None else years,
        replications,
        SEED if seed is None else seed,
    )


def _loaded(what: str | Path | Model | Experiment, model: Model | None) -> tuple[Experiment | None, Model]:
    """The experiment, if it is one, and the model with its contracts and responses."""
    if isinstance(what, Model):
        return None, what
    if isinstance(what, Experiment):
        given = LoadedExperiment.of(what, model)
        return given.experiment, given.extended
    path = Path(what)
    there = [folder for folder in ("experiments", "models") if is_there(what, folder)]
    if not there and path.suffix != ".toml" and len(path.parts) == 1 and not path.is_dir():
        names = sorted(p.stem for folder in ("experiments", "models") for p in library(folder).glob("*.toml"))
        raise BadInput(
            f"{what}: {unknown(str(what), names)} (experiments and models in the library; or give the path of a .toml"
            " file)"
        )
    if kind_of(read_toml(find_file(what, there[0] if there else "experiments"))) == "experiment":
        given = read_experiment(what)
        return given.experiment, given.extended
    return None, load_model(what)


def _chosen(experiment: Experiment, strategies: Sequence[str] | None) -> Experiment:
    """The experiment with these strategies only."""
    known = [s.name for s in experiment.strategies]
    faults = [f"strategies: {unknown(name, known)}" for name in strategies or () if name not in known]
    if faults:
        raise BadInput(faults)
    chosen = tuple(s for s in experiment.strategies if not strategies or s.name in strategies)
    return experiment.model_copy(update={"strategies": chosen})


def _first(experiment: Experiment | None, model: Model) -> list[Model]:
    """The baseline, and every strategy in the first replication."""
    if experiment is None:
        return [model]
    return [task.model for task in tasks(experiment.model_copy(update={"replications": 1}), model, "compiled")]


def run_plan(
    plan: Plan, engine: str = "compiled", workers: int | None = None, progress: Progress | None = None
) -> Explanation:
    """Run a plan. The result depends on the plan alone, not on the number of workers."""
    began = dt.datetime.now(dt.UTC)
    todo = list(_tasks(plan, engine))
    summed = [_summed(outcome.measures) for outcome in outcomes_of(todo, workers, progress)]
    labels = [_label(strategy, mask) for strategy in plan.titles for mask in range(plan.settings)]
    everything_on = _label(next(iter(plan.titles)), plan.settings - 1)
    found = totals(pl.concat(summed), labels, plan.replications, everything_on)
    runs = found.select(*SUMMED).to_numpy().reshape(len(plan.titles), plan.settings, plan.replications, len(SUMMED))
    parts = [_parts(values) for values in runs]
    about = manifest(plan.model, plan.years, plan.replications, plan.seed, engine, workers, began)
    about |= {"mechanisms": [m.name for m in plan.mechanisms], "strategies": list(plan.titles), "runs": plan.runs}
    if plan.experiment is not None:
        about |= {"experiment": plan.experiment.name, "experiment_sha256": fingerprint(plan.experiment)}
    about["warnings"] = list(plan.warnings)
    return Explanation(plan, _settings(plan, found), _shares(plan, runs, parts), _moved(plan, parts), about)


def _tasks(plan: Plan, engine: str) -> Iterator[Task]:
    """Every setting under the baseline and each strategy, replication by replication: the seed and the replication are
    the same in all."""
    if plan.experiment is not None:
        stems: Iterable[Task] = tasks(plan.experiment, plan.model, engine)
    else:
        fits = fitted(plan.model)
        stems = (
            Task(plan.model, BASELINE, plan.seed, r, plan.years, engine, fits=fits) for r in range(plan.replications)
        )
    for stem in stems:
        for mask in range(plan.settings):
            off = [m for j, m in enumerate(plan.mechanisms) if not mask >> j & 1]
            yield stem._replace(model=switched_off(stem.model, off), strategy=_label(stem.strategy, mask))


def _summed(measures: pl.DataFrame) -> pl.DataFrame:
    """What one run comes to over the horizon: all that is kept of it, since there are many."""
    by = ["strategy", "replication", "month", "stage", "measure"]
    whole = measures.filter(pl.col("measure").is_in(SUMMED))
    nowhere = [pl.lit(None, measures.schema[name]).alias(name) for name in ("month", "stage")]
    rows = pl.concat([whole.with_columns(nowhere), measures.filter(pl.col("measure").is_in(COUNTS))])
    return rows.group_by(by, maintain_order=True).agg(pl.col("value").sum())


def _label(strategy: str, mask: int) -> str:
    return f"{strategy}/{mask}"


def _parts(values: NDArray[Any]) -> NDArray[Any]:
    """Genuine, each mechanism's share, together, total: ``(settings, replications, measures)`` to
    ``(k + 3, replications, measures)``."""
    return np.concatenate([values[:1], shapley(values), values[-1:] - values[:1], values[-1:]])


def _names(plan: Plan) -> list[str]:
    return [GENUINE, *(m.name for m in plan.mechanisms), TOGETHER, TOTAL]


def _settings(plan: Plan, found: pl.DataFrame) -> pl.DataFrame:
    """The totals of every run, with the setting told by a column for each mechanism."""
    rows = [
        (s, *(bool(mask >> j & 1) for j in range(len(plan.mechanisms))))
        for s in plan.titles
        for mask in range(plan.settings)
    ]
    keys = pl.DataFrame(rows, schema=["strategy", *(m.name for m in plan.mechanisms)], orient="row")
    number = pl.Series(np.repeat(np.arange(len(rows)), plan.replications))
    return pl.concat([keys[number], found.drop("strategy")], how="horizontal")


def _shares(plan: Plan, runs: NDArray[Any], parts: Sequence[NDArray[Any]]) -> pl.DataFrame:
    rows: list[dict[str, Any]] = []
    for strategy, values, split in zip(plan.titles, runs, parts, strict=True):
        for m, measure in enumerate(SUMMED):
            whole = float(split[-1, :, m].mean())
            for k, (name, part) in enumerate(zip(_names(plan), split[..., m], strict=True)):
                mean = interval_of_level(part) if name in (GENUINE, TOTAL) else interval_of_totals(part)
                j = k - 1 if 1 <= k <= len(plan.mechanisms) else None
                share = mean["mean"] / whole if whole else None
                row = {"strategy": strategy, "measure": measure, "part": name, **mean, "share": share}
                rows.append(row | _by_itself(values[..., m], j))
    return pl.DataFrame(rows, infer_schema_length=None)


def _by_itself(values: NDArray[Any], j: int | None) -> dict[str, float | None]:
    """What goes when mechanism j alone is off, and what it adds when it alone is on."""
    if j is None:
        return {f"{name}{end}": None for name in ("alone", "only") for end in ("", "_low", "_high")}
    everything = values.shape[0] - 1
    ways = {"alone": values[everything] - values[everything & ~(1 << j)], "only": values[1 << j] - values[0]}
    found = {name: interval_of_totals(way) for name, way in ways.items()}
    return {
        f"{name}{end}": found[name][key]
        for name in ways
        for end, key in (("", "mean"), ("_low", "low"), ("_high", "high"))
    }


def _moved(plan: Plan, parts: Sequence[NDArray[Any]]) -> pl.DataFrame:
    """Why each strategy's totals are not those of the baseline: every part's paired difference."""
    rows = [
        {
            "strategy": strategy,
            "measure": measure,
            "part": name,
            "baseline_mean": float(before.mean()),
            **interval_of_totals(after - before),
        }
        for strategy, split in list(zip(plan.titles, parts, strict=True))[1:]
        for m, measure in enumerate(SUMMED)
        for name, before, after in zip(_names(plan), parts[0][..., m], split[..., m], strict=True)
    ]
    text, numbers = ("strategy", "measure", "part"), ("baseline_mean", "mean", "low", "high")
    return pl.DataFrame(rows, schema=[*((name, pl.String) for name in text), *((name, pl.Float64) for name in numbers)])


def interval_of_totals(values: NDArray[Any]) -> dict[str, float]:
    """The mean over replications with its 95 % interval (Student's t).

    >>> {name: round(x, 2) for name, x in interval_of_totals(np.array([1.0, 2.0, 3.0])).items()}
    {'mean': 2.0, 'low': -0.48, 'high': 4.48}
    """
    n, mean = values.size, float(values.mean())
    half = float(t.ppf(0.5 + CONFIDENCE / 2, n - 1) * values.std(ddof=1) / np.sqrt(n))
    return {"mean": mean, "low": mean - half, "high": mean + half}


def interval_of_level(values: NDArray[Any]) -> dict[str, float]:
    """The same for a total that cannot be below zero: Student's t on the log scale of the mean (the delta method), so
    that its interval cannot be either. Where it is narrow the two are the same.

    >>> {name: round(x, 2) for name, x in interval_of_level(np.array([1.0, 2.0, 3.0])).items()}
    {'mean': 2.0, 'low': 0.58, 'high': 6.93}
    >>> interval_of_level(np.zeros(3))
    {'mean': 0.0, 'low': 0.0, 'high': 0.0}
    """
    found = interval_of_totals(values)
    mean = found["mean"]
    if mean <= 0:
        return found
    apart = float(np.exp((found["high"] - mean) / mean))
    return {"mean": mean, "low": mean / apart, "high": mean * apart}
