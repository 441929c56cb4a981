"""What one sample of replications answers, with no further run: for each strategy how likely it is to do what is
wanted, what that hangs on, what is worth finding out, and what a day of dependency avoided costs.

One number on its way: the totals of every replication less the baseline's; beside them what the replication drew
(the frame ``drawn``); then shares, conditional means and values of information are regressions of the first on the
second.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import polars as pl

from simcare.decide import plane
from simcare.decide.curves import fitted_to_all
from simcare.decide.information import information
from simcare.decide.prediction import Aim, joint_chance
from simcare.decide.sample import LEAST, Cause, Floats, sample_of
from simcare.decide.tornado import tornado
from simcare.decide.variance_parts import shares
from simcare.measures.spread_parts import DEMAND, EFFECT, PARAMETER
from simcare.model import Model
from simcare.model.strategy import BASELINE, Experiment, Goal, Strategy

MONEY, DEPENDENCY = "cost_council", "dependency_days"  # what strategies are asked for
EXPLAINED = (MONEY, "cost_pv", DEPENDENCY, "independent_days", "unmet_need_days")  # whose spread is taken apart
DAY_PRICES = (0, 5, 10, 15, 20, 30, 40, 50, 75, 100, 150, 200)  # £ for a dependency-day avoided


@dataclass(frozen=True)
class Answers:
    """Frames with a column ``strategy``, and most with ``measure``; empty from fewer than 30 replications.

    ``chances``: strategy, question ("saves", "less dependency", "both", "target"), chance, low, high. ``shares``,
    ``tornado``: as :mod:`simcare.decide.variance_parts` and :mod:`simcare.decide.tornado` say. ``information``: of the
    choice by cost to the council, in pounds (:mod:`simcare.decide.information`). ``acceptability``, ``front``,
    ``day_prices``: cost against dependency (:mod:`simcare.decide.plane`).
    """

    chances: pl.DataFrame
    shares: pl.DataFrame = field(repr=False)
    tornado: pl.DataFrame = field(repr=False)
    information: pl.DataFrame = field(repr=False)
    acceptability: pl.DataFrame = field(repr=False)
    front: pl.DataFrame = field(repr=False)
    day_prices: pl.DataFrame = field(repr=False)


def answers_of(experiment: Experiment, model: Model, totals: pl.DataFrame, drawn: pl.DataFrame) -> Answers:
    """What the replications of a comparison answer; ``totals`` and ``drawn`` as a
    :class:`simcare.decide.comparison.Comparison` has them."""
    names = [strategy.name for strategy in experiment.strategies]
    found = {name: _differences(totals, name) for name in names}
    count = totals["replication"].n_unique()
    if count < LEAST:
        empty = pl.DataFrame()
        return Answers(_chances(found, experiment), empty, empty, empty, empty, empty, empty)
    explained = [_explained(name, found[name], *causes_of(experiment, model, drawn, count, name)) for name in names]
    shared, draws = causes_of(experiment, model, drawn, count)
    cost = np.column_stack([found[name][MONEY] for name in names])
    avoided = np.column_stack([-found[name][DEPENDENCY] for name in names])
    prices = [plane.price_of_a_day(cost[:, k], avoided[:, k]) for k in range(len(names))]
    return Answers(
        chances=_chances(found, experiment),
        shares=pl.concat([part for part, _ in explained]),
        tornado=pl.concat([part for _, part in explained]),
        information=information(shared, draws, -cost, seed=experiment.seed),
        acceptability=plane.acceptability(names, cost, avoided, DAY_PRICES),
        front=plane.efficient_front(names, cost, avoided),
        day_prices=pl.DataFrame(
            [{"strategy": name, **_price(price)} for name, price in zip(names, prices, strict=True)],
            schema_overrides={**dict.fromkeys(("ratio", "low", "high"), pl.Float64), "refused": pl.String},
        ),
    )


def _price(price: plane.DayPrice) -> dict[str, float | str | None]:
    return {"ratio": price.ratio, "low": price.low, "high": price.high, "refused": price.refused}


def _differences(totals: pl.DataFrame, strategy: str) -> dict[str, Floats]:
    """The differences of a strategy from the baseline by measure (replications,)."""
    mine, base = (totals.filter(pl.col("strategy") == name).sort("replication") for name in (strategy, BASELINE))
    measures = [name for name in totals.columns if name not in ("strategy", "replication")]
    return {name: mine[name].to_numpy() - base[name].to_numpy() for name in measures}


def _chances(found: dict[str, dict[str, Floats]], experiment: Experiment) -> pl.DataFrame:
    """How often a strategy does what is wanted of it."""
    saves, less = Aim(MONEY, "below"), Aim(DEPENDENCY, "below")
    asked: dict[str, Sequence[Aim]] = {"saves": [saves], "less dependency": [less], "both": [saves, less]}
    if experiment.target is not None:
        asked["target"] = [_aim(experiment.target)]
    rows = [
        (strategy, question, *joint_chance(differences, aims))
        for strategy, differences in found.items()
        for question, aims in asked.items()
    ]
    schema = {
        "strategy": pl.String(),
        "question": pl.String(),
        **dict.fromkeys(("chance", "low", "high"), pl.Float64()),
    }
    return pl.DataFrame(rows, schema, orient="row")


def _aim(target: Goal) -> Aim:
    """What an experiment asks for."""
    if target.at_most is not None:
        return Aim(target.measure, "at most", target.at_most)
    assert target.at_least is not None
    return Aim(target.measure, "at least", target.at_least)


def _explained(
    strategy: str, differences: dict[str, Floats], causes: Sequence[Cause], draws: Floats
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The shares and the conditional means of a strategy's differences in each of the measures that are taken apart."""
    first = sample_of(causes, draws, differences[EXPLAINED[0]])
    samples = [first.of(differences[measure]) for measure in EXPLAINED]
    parts, bars = [], []
    for measure, fit in zip(EXPLAINED, fitted_to_all(samples), strict=True):
        of = [pl.lit(strategy).alias("strategy"), pl.lit(measure).alias("measure")]
        parts.append(shares(fit).select(*of, pl.all()))
        bars.append(tornado(fit).select(*of, pl.all()))
    return pl.concat(parts), pl.concat(bars)


def causes_of(
    experiment: Experiment, model: Model, drawn: pl.DataFrame, count: int, strategy: str | None = None
) -> tuple[list[Cause], Floats]:
    """Everything that differs from replication to replication for a strategy (for all of them under None), with its
    draws (replications, causes): rows of the model, the drivers of demand, and the strategies' effects.

    A row's draw is its value, a driver's the mean of its index over the horizon, on the log scale, an effect's a
    standard normal. ``count`` is the number of replications, which ``drawn`` does not say where nothing was drawn.
    """
    rows = {row.name: row for row in model.uncertain}
    base = drawn.filter(pl.col("strategy") == BASELINE)
    causes, columns = [], []
    for name, values in _by_name(base.filter(pl.col("kind") == PARAMETER)):
        row = rows.get(name)
        causes.append(
            Cause(name, name if row is None else row.title, "uncertain", row is not None and bool(row.choose))
        )
        columns.append(values)
    for name, values in _by_name(base.filter(pl.col("kind") == DEMAND)):
        causes.append(Cause(f"demand: {name}", f"Demand: {name}", "demand"))
        columns.append(np.log(values))
    for one in experiment.strategies:
        if strategy in (None, one.name):
            for name, values in _by_name(drawn.filter((pl.col("kind") == EFFECT) & (pl.col("strategy") == one.name))):
                causes.append(Cause(f"{one.name}: {name}", _effect_title(one, name), "effect"))
                columns.append(values)
    return causes, np.column_stack(columns) if columns else np.zeros((count, 0))


def _effect_title(strategy: Strategy, name: str) -> str:
    """What an effect is called: ``name`` is that of its draws, such as effects[0]."""
    k = int(name.removeprefix("effects[").removesuffix("]"))
    whom = (*(strategy.effects[k].groups or ()), *(strategy.effects[k].stages or ()))
    among = f" ({', '.join(dict.fromkeys(w.replace('_', ' ') for w in whom))})" if whom else ""
    return f"{strategy.title}: how strongly it acts on {strategy.effects[k].on.replace('_', ' ')}{among}"


def _by_name(rows: pl.DataFrame) -> list[tuple[str, Floats]]:
    """The mean over the months of each replication, by name."""
    means = rows.group_by("name", "replication", maintain_order=True).agg(pl.col("value").mean())
    return [
        (str(name), mine.sort("replication")["value"].to_numpy())
        for (name,), mine in means.group_by("name", maintain_order=True)
    ]
