"""Forecasts tried where the answer is known: from every third month on, each model forecasts what then came, and is
scored.

At each origin a model sees only what was known then. Scores are kept by model, origin and horizon; :func:`league` sums
them up, and :func:`choose` names the default: the driver, the driver with a damped trend, or the mix of both.
Challengers show what the drivers are worth; over many series none of them is better, and what one series seems to say
for a challenger is mostly chance (docs/demand.md).
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

from simcare.demand import challengers, scores
from simcare.demand.challengers import DAMPED, DRIVER, SEASONAL_NAIVE, Forecaster, Unfit
from simcare.demand.driver import FittedDriver, Typical, fit_driver, known_counts
from simcare.demand.series import SHORTEST, TRIED_FROM, MonthlyCounts, Values
from simcare.rules.streams import stream
from simcare.units import month_name, parsed_month, three_figures

FIRST, EVERY, LONGEST = 24, 3, 24  # months: the first origin's history, from origin to origin, the farthest horizon
MOST = 24  # trials: of a longer series the last six years are tried
BOTH = "mix of both drivers"
CANDIDATES = (BOTH, DAMPED, DRIVER)  # the default is the first that was tried, by evidence over many series
FEW = 8  # trials of a driver in a simulation, spread over the same years
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
    """The model to use, the weights of its members (one, unless it is the mix), why, in words that follow "made by",
    and what its drift is to be multiplied by. ``caution`` is a sentence where seasonal naive did better."""

    model: str
    weights: Mapping[str, float]
    why: str
    widen: float
    caution: str | None = None


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
    """Try every model of ``field`` on a series, and the mix of both drivers. The result does not depend on how the
    trials are carried out."""
    kept: list[tuple[int, dict[str, Values]]] = []
    unfit: dict[str, str] = {}
    for origin, drawn, failed in carry_out(partial(_trial, series, field, seed=seed), origins(series)):
        kept.append((origin, drawn))
        unfit.update(failed)
    models = [name for name in field if name not in unfit]
    came = known_counts(fit_driver(series, plain=False), series) if series.suppressed.any() else series
    rows: list[pl.DataFrame] = []
    for origin, drawn in kept:
        rows += [_scored(came, m, origin, drawn[m]) for m in models]
        if DRIVER in models and DAMPED in models:
            both = members(BOTH)
            rows.append(_scored(came, BOTH, origin, pool({m: drawn[m] for m in both}, both)))
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


def choose(found: Backtest) -> Choice:
    """The mix of both drivers, unless the CRPS of one of them is lower by more than two standard errors of the paired
    difference; the driver where there is no other.

    A challenger is never chosen. Where seasonal naive did better than what is chosen, that is said.
    """
    crps = {row["model"]: row["crps"] for row in league(found).iter_rows(named=True)}
    tried = [m for m in CANDIDATES if m in crps]
    if not tried:
        return Choice(DRIVER, members(DRIVER), f"the driver, untested: it {found.unfit[DRIVER]}", 1.0)
    default, trials = tried[0], f"over {_trials(found)} trials"
    best = min(tried, key=crps.__getitem__)
    better = [m for m in tried[1:] if _clearly(found, m, default)]
    name = min(better, key=crps.__getitem__, default=default)
    if better:
        why = f"{_the(name)}: its CRPS was lower than that of {_the(default)} by more than two standard errors {trials}"
    elif len(tried) == 1:
        why = f"{_the(name)}, the only one of its kind that could be tried, {trials}"
    elif best == name:
        why = f"{_the(name)}: of the drivers it had the lowest CRPS {trials}"
    else:
        why = (
            f"{_the(name)}, the best over many series: {_the(best)} had a lower CRPS {trials}, but by less than two"
            " standard errors"
        )
    return Choice(name, members(name), why, widening(found, name), _worse_than_naive(crps, name))


def untried(field: Mapping[str, Forecaster], why: str) -> Choice:
    """The choice where there are no trials: the best over many series of those that the field holds."""
    name = next(m for m in CANDIDATES if all(one in field for one in members(m)))
    return Choice(name, members(name), f"{_the(name)}, untested: {why}", 1.0)


def members(model: str) -> dict[str, float]:
    """The models that a choice draws from, with their weights."""
    return {DRIVER: 0.5, DAMPED: 0.5} if model == BOTH else {model: 1.0}


def _the(model: str) -> str:
    return f"the {model}"


def _worse_than_naive(crps: Mapping[str, float], name: str) -> str | None:
    naive = crps.get(SEASONAL_NAIVE, np.inf)
    if crps[name] <= naive:
        return None
    more = f"by {three_figures(100 * (crps[name] / naive - 1))}% of CRPS" if naive > 0 else "which never erred"
    return (
        f"In the trials {_the(name)} did worse than seasonal naive ({more}): the same month of the year before"
        " was as good a guess, so look at what changed in this series before relying on the forecast"
    )


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


def widening(found: Backtest, model: str = DRIVER) -> float:
    """How much wider a driver's drift should have been: the root mean square of its normal scores beyond a quarter
    ahead.

    Pulled to 1 with the weight of six years of trials, and held between 0.8 and 1.6: a few years say little of spread.
    """
    far = found.scores.filter((pl.col("model") == model) & (pl.col("horizon") > BANDS[0][1]))
    if far.is_empty():
        return 1.0
    z = np.clip(norm.ppf(np.clip(far["pit"].to_numpy(), 1e-3, 1 - 1e-3)), -3.0, 3.0)
    at = sorted({parsed_month(origin) for origin in far["origin"]})
    apart = (at[-1] - at[0]) / (len(at) - 1) if len(at) > 1 else EVERY
    years = len(at) * apart / 12
    return float(np.clip(np.sqrt((6.0 + years * np.mean(z**2)) / (6.0 + years)), 0.8, 1.6))


def own_widening(driver: FittedDriver, series: MonthlyCounts, typical: Typical | None = None) -> float:
    """:func:`widening` by a few trials of the driver alone, which take about a second: for a driver in a simulation.

    1 where the series is too short for trials, or its driver could not be fitted in one.
    """
    tried = origins(series) if series.told.sum() >= TRIED_FROM else []
    if not tried:
        return 1.0
    field = {DRIVER: partial(challengers.driver, terms=driver.columns.terms, typical=typical)}
    came, apart = known_counts(driver, series), -(-len(tried) // FEW)
    trials = [_trial(series, field, origin, seed=1) for origin in tried[::-apart]]
    if any(unfit for _, _, unfit in trials):
        return 1.0
    return widening(Backtest(pl.concat(_scored(came, DRIVER, at, drawn[DRIVER]) for at, drawn, _ in trials), {}))


__all__ = [
    "BANDS",
    "BOTH",
    "CANDIDATES",
    "Backtest",
    "Choice",
    "backtest",
    "choose",
    "league",
    "members",
    "origins",
    "own_widening",
    "pool",
    "untried",
    "widening",
]
