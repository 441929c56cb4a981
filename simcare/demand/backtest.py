"""Forecasts tried where the answer is known: from every third month on, each model forecasts what then came, and is
scored.

At each origin a model sees only what was known then. Scores are kept by model, origin and horizon; :func:`league` sums
them up, and
:func:`choose` names the default.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import numpy as np
import polars as pl
from scipy.stats import norm
from threadpoolctl import threadpool_limits

from simcare.demand import scores
from simcare.demand.challengers import DRIVER, SEASONAL_NAIVE, Forecaster, Unfit
from simcare.demand.driver import fit_driver, known_counts
from simcare.demand.series import SHORTEST, MonthlyCounts, Values
from simcare.rules.streams import stream
from simcare.units import month_name, parsed_month

FIRST, EVERY, LONGEST = 24, 3, 24  # months: the first origin's history, from origin to origin, the farthest horizon
MOST = 24  # trials: of a longer series the last six years are tried
POOL = "pool"
DRAWS = 1000
BANDS = ((1, 3), (4, 12), (13, 24))  # horizons that are shown together
Trial = tuple[int, dict[str, Values], dict[str, str]]  # origin, draws of each model, why a model is not in it
# What carries trials out, in their order: one after the other, or with workers (simcare.runs.workers.carry_out).
CarryOut = Callable[[Callable[[int], Trial], Sequence[int]], Iterable[Trial]]


@dataclass(frozen=True)
class Backtest:
    """``scores``: a row for each model, origin and horizon with the outturn, ``crps``, ``error`` (absolute, of the
    median), ``scaled`` (over the seasonal scale known at the origin), ``covered50/80/90`` (0 or 1) and ``pit``.
    ``unfit``: why a model is not in it.
    """

    scores: pl.DataFrame
    unfit: Mapping[str, str]


class Choice(NamedTuple):
    """The model to use, the weights of its members (one, unless it is the pool), and why, in a sentence."""

    model: str
    weights: Mapping[str, float]
    why: str
    widen: float


def origins(series: MonthlyCounts) -> list[int]:
    """The last known month of each trial, in order: counted back by threes from three months before the last count.

    A trial needs a year of counts before it, and a count to come.
    """
    told = series.told
    every = [
        series.first + known - 1
        for known in range(len(series) - EVERY, FIRST - 1, -EVERY)
        if told[:known].sum() >= SHORTEST and told[known : known + LONGEST].any()
    ]
    return every[:MOST][::-1]


def backtest(
    series: MonthlyCounts,
    field: Mapping[str, Forecaster],
    seed: int = 1,
    carry_out: CarryOut = map,
) -> Backtest:
    """Try every model of ``field`` on a series, and their pool. The result does not depend on how the trials are
    carried out."""
    kept: list[tuple[int, dict[str, Values]]] = []
    unfit: dict[str, str] = {}
    for origin, drawn, failed in carry_out(partial(_trial, series, field, seed=seed), origins(series)):
        kept.append((origin, drawn))
        unfit.update(failed)
    models = [name for name in field if name not in unfit]
    came = known_counts(fit_driver(series, plain=False), series) if series.suppressed.any() else series
    rows: list[pl.DataFrame] = []
    for origin, drawn in kept:
        earlier = pl.concat(rows) if rows else None
        members = (
            weights(earlier, models, before=origin)
            if earlier is not None
            else _even([m for m in models if m != "naive"])
        )
        pooled = pool({m: drawn[m] for m in members}, members)
        rows += [
            _scored(came, name, origin, draws) for name, draws in [*((m, drawn[m]) for m in models), (POOL, pooled)]
        ]
    return Backtest(pl.concat(rows), unfit)


def _trial(series: MonthlyCounts, field: Mapping[str, Forecaster], origin: int, seed: int) -> Trial:
    with threadpool_limits(1):  # matrices of a hundred rows: threads would only get in each other's way
        return _drawn(series, field, origin, seed)


def _drawn(series: MonthlyCounts, field: Mapping[str, Forecaster], origin: int, seed: int) -> Trial:
    known = series.known(origin)
    horizon = min(LONGEST, series.last - origin)
    drawn, unfit = {}, {}
    for k, (name, forecaster) in enumerate(field.items()):
        try:
            drawn[name] = forecaster(known, horizon, DRAWS, stream(seed, origin, k))
        except Unfit as reason:
            unfit[name] = str(reason)
        except (np.linalg.LinAlgError, ValueError, FloatingPointError) as error:
            unfit[name] = f"could not be fitted to the counts until {month_name(origin)} ({error})"
    return origin, drawn, unfit


def _scored(series: MonthlyCounts, model: str, origin: int, draws: Values) -> pl.DataFrame:
    ahead = np.arange(1, draws.shape[1] + 1)
    came = series.counts[origin - series.first + ahead]
    scale = scores.seasonal_scale(series.counts[: origin - series.first + 1])
    seen = ~np.isnan(came)
    error = np.abs(np.median(draws, axis=0) - came)
    frame = {
        "model": [model] * int(seen.sum()),
        "origin": [month_name(origin)] * int(seen.sum()),
        "horizon": ahead[seen],
        "came": came[seen],
        "crps": scores.crps(came[seen], draws[:, seen]),
        "error": error[seen],
        "scaled": error[seen] / scale,
        **{f"covered{level}": scores.covered(came, draws, level)[seen] for level in scores.LEVELS},
        "pit": scores.pit(came[seen], draws[:, seen]),
    }
    return pl.DataFrame(frame)


def _even(models: Sequence[str]) -> dict[str, float]:
    return {m: 1.0 / len(models) for m in models}


def weights(found: pl.DataFrame, models: Sequence[str], before: int | None = None) -> dict[str, float]:
    """What each model counts for in the pool: one over its mean CRPS squared, for models no worse than seasonal naive;
    they sum to 1.

    With ``before``, only counts that had come by that month are judged on.
    """
    if before is not None:
        found = found.filter(pl.col("horizon") + pl.col("origin").map_elements(parsed_month, pl.Int64) <= before)
    judged = found.group_by("model").agg(pl.col("crps").mean())
    mean = dict(zip(judged["model"], judged["crps"], strict=True))
    if not mean:
        return _even([m for m in models if m != "naive"])
    limit = mean.get(SEASONAL_NAIVE, np.inf)
    good = {m: mean[m] ** -2.0 for m in models if m in mean and 0.0 < mean[m] <= limit}
    whole = sum(good.values())
    return {m: w / whole for m, w in good.items()} if good else _even(list(models))


def pool(draws: Mapping[str, Values], members: Mapping[str, float]) -> Values:
    """Draws of the models in the proportion of their weights: a linear opinion pool, one path from one model.

    >>> pool({"a": np.zeros((4, 1)), "b": np.ones((4, 1))}, {"a": 0.75, "b": 0.25}).ravel()
    array([0., 0., 0., 1.])
    """
    size = min(d.shape[0] for d in draws.values())
    ends = np.round(np.cumsum([members[m] for m in draws]) * size).astype(int)
    begins = np.concatenate([[0], ends[:-1]])
    return np.concatenate([d[:size][begin:end] for d, begin, end in zip(draws.values(), begins, ends, strict=True)])


def league(found: Backtest) -> pl.DataFrame:
    """The league table, best first: mean CRPS, skill against seasonal naive (1 is perfect, 0 no better), MASE, coverage
    in per cent of the 50, 80 and 90 % intervals, and the skill in each band of horizons."""
    by = pl.col("model")
    table = found.scores.group_by(by).agg(
        pl.col("crps").mean(),
        pl.col("scaled").fill_nan(None).mean().alias("mase"),
        *(pl.col(f"covered{level}").mean() * 100 for level in scores.LEVELS),
        *(
            pl.col("crps").filter(pl.col("horizon").is_between(*band)).mean().alias(f"crps_{band[0]}_{band[1]}")
            for band in BANDS
        ),
    )
    reference = table.filter(by == SEASONAL_NAIVE)
    scored = ("crps", *(f"crps_{a}_{b}" for a, b in BANDS))
    yardstick = reference.row(0, named=True) if reference.height else dict.fromkeys(scored)
    # against a yardstick that never errs there is no skill
    against = {c: pl.lit(yardstick[c] or None, pl.Float64) for c in scored}
    table = table.with_columns((1 - pl.col(c) / against[c]).alias(c.replace("crps", "skill")) for c in scored)
    return table.select(
        "model", "crps", "skill", "mase", *(f"covered{x}" for x in scores.LEVELS), *(f"skill_{a}_{b}" for a, b in BANDS)
    ).sort("crps")


def choose(found: Backtest, series: MonthlyCounts) -> Choice:
    """The default: the driver, unless another model's CRPS is lower by more than two standard errors of the paired
    difference.

    The driver is preferred among equals because it says what demand hangs on and can enter a simulation. A model worse
    than seasonal naive is never the default.
    """
    table = league(found)
    crps = dict(zip(table["model"], table["crps"], strict=True))
    reference = crps.get(SEASONAL_NAIVE, np.inf)
    best = next(m for m in table["model"] if m not in ("naive",))
    if DRIVER in crps and crps[DRIVER] <= reference and (best == DRIVER or not _clearly(found, best, DRIVER)):
        behind = (
            "it had the lowest CRPS"
            if best == DRIVER
            else f"{best} had a lower CRPS, but by less than two standard errors"
        )
        name, why = DRIVER, f"the driver: {behind} over {_trials(found)} trials"
    elif crps[best] < reference:
        name, why = (
            best,
            (
                f"{best}: its CRPS was lower than the driver's by more than two standard errors over {_trials(found)}"
                " trials"
            ),
        )
        if DRIVER in crps and crps[DRIVER] > reference:
            why = (
                f"{best}: the driver did worse than seasonal naive over {_trials(found)} trials and is refused; {best}"
                " had the lowest CRPS"
            )
    else:
        name, why = (
            SEASONAL_NAIVE,
            f"seasonal naive: every model did worse than it over {_trials(found)} trials, and is refused",
        )
    models = [m for m in crps if m != POOL]
    members = weights(found.scores, models) if name == POOL else {name: 1.0}
    return Choice(name, members, why, widening(found))


def _trials(found: Backtest) -> int:
    return found.scores["origin"].n_unique()


def _clearly(found: Backtest, better: str, than: str) -> bool:
    """Whether the difference in CRPS by origin exceeds two standard errors; neighbouring origins share their months, so
    a year counts as one."""
    wide = (
        found.scores.group_by("origin", "model")
        .agg(pl.col("crps").mean())
        .pivot(on="model", index="origin", values="crps")
    )
    difference = (wide[than] - wide[better]).to_numpy()
    apart = max(difference.size * EVERY / 12, 2.0)
    return bool(difference.mean() > 2.0 * difference.std(ddof=1) / np.sqrt(apart)) if difference.size > 1 else False


def widening(found: Backtest) -> float:
    """How much wider the driver's drift should have been: the root mean square of its normal scores beyond a quarter
    ahead.

    Pulled to 1 with the weight of six years of trials, and held between 0.8 and 1.6: a few years say little of spread.
    """
    far = found.scores.filter((pl.col("model") == DRIVER) & (pl.col("horizon") > BANDS[0][1]))
    if far.is_empty():
        return 1.0
    z = np.clip(norm.ppf(np.clip(far["pit"].to_numpy(), 1e-3, 1 - 1e-3)), -3.0, 3.0)
    years = far["origin"].n_unique() * EVERY / 12
    return float(np.clip(np.sqrt((6.0 + years * np.mean(z**2)) / (6.0 + years)), 0.8, 1.6))


__all__ = [
    "BANDS",
    "POOL",
    "Backtest",
    "Choice",
    "backtest",
    "choose",
    "league",
    "origins",
    "pool",
    "weights",
    "widening",
]
