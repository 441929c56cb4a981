"""Whether contracts are gamed: step-downs that bunch at a day that pays, who is let go and who is kept, who is back,
what a cycle would earn.

Each function takes a log (or a model) and gives a frame. All intervals are 95 %, of what the runs in the log say; how
far the world may differ from the model is not in them.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.stats import binomtest, norm

from simcare.errors import BadInput
from simcare.log.flows import NOT_BY_CHOICE, with_before
from simcare.log.states import GONE, PERSON, differs, level, need_levels_of, prepare, provision, states
from simcare.model import Model
from simcare.model.nearmiss import unknown
from simcare.model.tariff import best_cycle, reset_gain
from simcare.money.payments import tariffs_held

Floats = NDArray[np.float64]
BY_PROVIDERS = ("step_down", "premature")  # causes: of a provider's own accord, ready or too soon
BACK_DAYS = 91.0
REACH_BINS = 8  # on either side of the window, from which the counts without a threshold are read
Z = float(norm.ppf(0.975))


def step_downs(log: pl.DataFrame, causes: Sequence[str] | None = None) -> pl.DataFrame:
    """Stays that ended in a step-down: a move to a lower tier from a long-term service, or an end in independence, by
    some causes or any.

    Columns: strategy, replication, client, time, cause, the tier, service and provider left, ``stay_days`` (the day of
    the stay, counted from 0).

    >>> from simcare.log.by_hand import log_of
    >>> care = {"need": "community", "tier": "community", "service": "care", "provider": "p", "stay_start": -10}
    >>> events = [{"event": "present", **care}, {"event": "end", "cause": "step_down", "time": 9}]
    >>> log = log_of(events, ["independent", "community"])
    >>> step_downs(log).select("time", "cause", "service", "stay_days").rows()
    [(9.0, 'step_down', 'care', 19.0)]
    """
    began = pl.when(~differs(*PERSON)).then(pl.col("stay_start").shift()).alias("began")
    rows = with_before(prepare(log)).with_columns(began)
    lower = (pl.col("event") == "end") | ((pl.col("event") == "move") & (level("tier") < level("from_tier")))
    long_term = pl.col("from_service").is_not_null() & (level("from_tier") < need_levels_of(rows))
    by = ~pl.col("cause").is_in(NOT_BY_CHOICE) if causes is None else pl.col("cause").is_in(causes)
    left = [pl.col(f"from_{name}").alias(name) for name in ("tier", "service", "provider")]
    return rows.filter(lower & long_term & by).select(
        *PERSON, "time", "cause", *left, (pl.col("time") - pl.col("began")).alias("stay_days")
    )


# ---- bunching
class PoissonFit(NamedTuple):
    """A log-linear Poisson fit: coefficients and their covariance, widened where counts vary more than Poisson's."""

    beta: Floats
    covariance: Floats


def poisson_fit(x: Floats, counts: Floats, pool: Floats | None = None) -> PoissonFit:
    """Maximum likelihood by iterated least squares (McCullagh and Nelder 1989, chapter 6); rows of ``x`` are cells.

    ``counts`` has one number a cell, or many such rows (…, cells), each fitted on its own. With ``pool`` (counts ×
    cells, of 0 and 1) only sums of cells are counted, such as a window whose inside nobody trusts (composite link:
    Thompson and Baker, Applied Statistics 1981).

    >>> fit = poisson_fit(np.ones((4, 1)), np.array([3.0, 5.0, 4.0, 4.0]))
    >>> round(float(np.exp(fit.beta[0])), 6), round(float(fit.covariance[0, 0]), 6)
    (4.0, 0.0625)
    >>> within = np.array([[1.0, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 1]])
    >>> fit = poisson_fit(np.ones((4, 1)), np.array([3.0, 5.0, 8.0]), within)
    >>> round(float(np.exp(fit.beta[0])), 6)
    4.0
    """
    seen = np.eye(x.shape[0]) if pool is None else pool
    mean: Floats = (counts / seen.sum(axis=1)) @ seen + 0.5
    height: Floats = np.log(mean)
    beta: Floats = np.zeros((*counts.shape[:-1], x.shape[1]))
    for _ in range(100):
        slopes, weights, information = _information(x, mean, seen)
        wanted = counts + (mean * (height - 1.0)) @ seen.T
        score = np.swapaxes(slopes, -1, -2) @ (weights * wanted)[..., None]
        new = np.asarray(np.linalg.solve(information, score)[..., 0], np.float64)
        done = bool(np.max(np.abs(new - beta)) < 1e-10)
        beta, height = new, np.asarray(np.clip(new @ x.T, -30.0, 30.0), np.float64)
        mean = np.exp(height)
        if done:
            break
    left, total = counts.shape[-1] - x.shape[1], mean @ seen.T
    spread = ((counts - total) ** 2 / total).sum(axis=-1) / left if left > 0 else np.ones(counts.shape[:-1])
    covariance = np.linalg.inv(_information(x, mean, seen)[2]) * np.maximum(1.0, spread)[..., None, None]
    return PoissonFit(beta, np.asarray(covariance, np.float64))


def _information(x: Floats, mean: Floats, seen: Floats) -> tuple[Floats, Floats, Floats]:
    """How the counted sums answer to the coefficients, 1 ÷ their means, and Fisher's information."""
    slopes = seen @ (mean[..., None] * x)
    weights = 1.0 / (mean @ seen.T)
    return slopes, weights, np.swapaxes(slopes, -1, -2) @ (weights[..., None] * slopes)


def course(middles: Floats, degree: int) -> Floats:
    """The columns of a log-linear course of counts: powers 0 … degree of the bins' distances from a threshold, on a
    scale of −1 to 1.

    >>> course(np.array([-2.0, 0.0, 1.0]), 2).tolist()
    [[1.0, -1.0, 1.0], [1.0, 0.0, 0.0], [1.0, 0.5, 0.25]]
    """
    return np.asarray((middles / np.abs(middles).max())[:, None] ** np.arange(degree + 1), np.float64)


def bunching(
    log: pl.DataFrame,
    model: Model,
    service: str,
    threshold_day: float,
    window: float = 28.0,
    bin_days: float = 7.0,
    *,
    degree: int = 2,
    since: float = 0.0,
    causes: Sequence[str] | None = BY_PROVIDERS,
) -> pl.DataFrame:
    """How many more step-downs from a service than a smooth course would have, on the days of the stay before and after
    a threshold.

    The threshold is a day of the stay on which the pay changes: a band's edge, a bonus's last day, a late sum's day.
    Step-downs are counted by day of stay in bins; a log-linear Poisson polynomial is fitted to eight bins on either
    side of the window, and what it says of the days inside is the course without a threshold: the bunching estimator of
    Chetty, Friedman, Olsen and Pistaferri (Quarterly Journal of Economics 2011) and Kleven (Annual Review of Economics
    2016), by side. Columns: strategy, side ("before", "after"), from_day, to_day, observed, expected, excess (observed
    ÷ expected − 1), low, high.

    The interval is by the delta method on the logarithm: Poisson's for the count, and the fit's. It holds the luck of
    lives, not that providers of other replications may answer otherwise. ``since``: only step-downs from this day of
    the run on, such as the start of a contract. ``causes``: by default those of a provider's own accord; None for all,
    of which those by review bunch at reviews. Raises BadInput for a service that the model lacks, and where too few
    days lie outside the window for the fit.
    """
    names = [s.name for s in model.services]
    if service not in names:
        raise BadInput(f"service: {unknown(service, names)}")
    edges = _edges(threshold_day, window, bin_days)
    outside = (edges[1:] <= threshold_day - window + 1e-9) | (edges[:-1] >= threshold_day + window - 1e-9)
    if outside.sum() < degree + 2 or not (edges[1:] <= threshold_day - window + 1e-9).any():
        raise BadInput(
            f"threshold_day: {int(outside.sum())} bins outside the window around day {threshold_day:g} are too few for"
            " a fit"
        )
    found = step_downs(log, causes).filter((pl.col("service") == service) & (pl.col("time") >= since))
    rows = []
    for strategy in prepare(log)["strategy"].cast(pl.String).unique().sort():
        days = found.filter(pl.col("strategy") == strategy)["stay_days"].to_numpy()
        counts = np.histogram(days, edges)[0].astype(np.float64)
        rows += [{"strategy": strategy, **side} for side in _sides(counts, edges, outside, threshold_day, degree)]
    return pl.DataFrame(
        rows,
        schema=dict(zip(BUNCHING, (pl.String, pl.String, *[pl.Float64] * 2, pl.Int64, *[pl.Float64] * 4), strict=True)),
    )


BUNCHING = ("strategy", "side", "from_day", "to_day", "observed", "expected", "excess", "low", "high")


def _edges(threshold: float, window: float, width: float) -> Floats:
    """Bin edges: whole bins on either side of the threshold, none before day 0."""
    if not 0 < width <= window or threshold <= 0:
        raise BadInput(
            f"window: bins of {width:g} days do not fit a window of {window:g} days around day {threshold:g}"
        )
    inside = round(window / width)
    if abs(inside * width - window) > 1e-9:
        raise BadInput(f"window: {window:g} days are no whole number of bins of {width:g}")
    first = -min(inside + REACH_BINS, math.floor(threshold / width + 1e-9))
    return threshold + width * np.arange(first, inside + REACH_BINS + 1, dtype=np.float64)


def _sides(
    counts: Floats, edges: Floats, outside: NDArray[np.bool_], threshold: float, degree: int
) -> Iterator[dict[str, Any]]:
    middles = (edges[1:] + edges[:-1]) / 2.0 - threshold
    x = course(middles, degree)
    fit = poisson_fit(x[outside], counts[outside]) if counts[outside].any() else None
    for side, inside in (("before", ~outside & (middles < 0)), ("after", ~outside & (middles > 0))):
        observed = int(counts[inside].sum())
        ends = {
            "side": side,
            "from_day": float(edges[:-1][inside].min()),
            "to_day": float(edges[1:][inside].max()),
            "observed": observed,
        }
        yield {**ends, **(_excess(observed, x[inside], fit) if fit is not None else dict.fromkeys(BUNCHING[5:]))}


def _excess(observed: int, x: Floats, fit: PoissonFit) -> dict[str, float]:
    means = np.exp(x @ fit.beta)
    expected = float(means.sum())
    slope = (means[:, None] * x).sum(axis=0) / expected
    some = max(observed, 0.5)
    se = math.sqrt(1.0 / some + float(slope @ fit.covariance @ slope))
    low = some / expected * math.exp(-Z * se) - 1.0 if observed else -1.0
    return {
        "expected": expected,
        "excess": observed / expected - 1.0,
        "low": low,
        "high": some / expected * math.exp(Z * se) - 1.0,
    }


# ---- who is let go, and kept
def skimming(log: pl.DataFrame, days: float, service: str | None = None) -> pl.DataFrame:
    """Whether providers let go the dear and keep the cheap: the gap (tiers of care above need) of those let go, beside
    that of those kept.

    By tier and cause. ``step_down``: of those who could step down (gap of 1 or more), the gap just before;
    ``premature``: of those who need all the care they have (gap of 0 or less), of whom a lower gap means more need.
    Those kept: everybody who could have been let go for that cause, by the days on which they could, in services (or
    one of them) of that tier; ``days`` is the horizon. ``difference`` is let go − kept. Below nought, those who need
    more are let go and those who need less are kept, at the same price. The interval takes clients as independent and a
    client's days and departures as one (linearised, by client). It is null where only one client was let go.

    Columns: strategy, tier, cause, let_go, gap_let_go, kept_days, gap_kept, difference, low, high.

    >>> from simcare.log.by_hand import log_of
    >>> care = {"tier": "home", "service": "care", "provider": "p", "stay_start": 0}
    >>> log = log_of([
    ...     {"event": "present", "client": 1, "need": "community", **care},
    ...     {"event": "end", "cause": "step_down", "client": 1, "time": 10},
    ...     {"event": "present", "client": 2, "need": "independent", **care},
    ... ], ["independent", "community", "home"])
    >>> skimming(log, 30.0).select("let_go", "gap_let_go", "kept_days", "gap_kept", "difference").rows()
    [(1, 1.0, 40.0, 1.75, -0.75)]
    """
    known = prepare(log)
    more = ~differs(*PERSON).shift(-1).fill_null(True)
    leaving = more & pl.col("event").shift(-1).is_in(["end", "move"]) & (level("tier").shift(-1) < level("tier"))
    next_cause = pl.when(leaving).then(pl.col("cause").shift(-1)).alias("leaves")
    ahead = known.with_columns(next_cause).filter(~pl.col("event").is_in(GONE)).select("leaves")
    cared = pl.concat([provision(states(known, days)), ahead], how="horizontal").filter("long_term")
    cared = cared if service is None else cared.filter(pl.col("service") == service)
    free = (pl.col("hospital") == "no") & ~pl.col("queueing")
    rows = []
    for cause, could in (("step_down", pl.col("gap") >= 1), ("premature", pl.col("gap") <= 0)):
        gone = (pl.col("leaves") == cause).fill_null(False)
        able = cared.filter((could & free) | gone).with_columns(
            gone.alias("gone"), (pl.col("until") - pl.col("time")).alias("days")
        )
        for (strategy, tier), mine in able.partition_by("strategy", "tier", as_dict=True, maintain_order=True).items():
            if mine["gone"].any():
                rows.append({"strategy": strategy, "tier": tier, "cause": cause, **_let_go_and_kept(mine)})
    kinds = (*[pl.String] * 3, pl.Int64, *[pl.Float64] * 6)
    return pl.DataFrame(rows, schema=dict(zip(SKIMMING, kinds, strict=True))).sort("strategy", "cause", "tier")


SKIMMING = ("strategy", "tier", "cause", "let_go", "gap_let_go", "kept_days", "gap_kept", "difference", "low", "high")


def _let_go_and_kept(mine: pl.DataFrame) -> dict[str, Any]:
    """Two means and their difference; its variance is the sum over clients of their squared influence on it."""
    gap, days, gone = (mine[name].cast(pl.Float64).to_numpy() for name in ("gap", "days", "gone"))
    count, total = gone.sum(), days.sum()
    went = float((gap * gone).sum() / count)
    kept = float((gap * days).sum() / total) if total > 0 else went
    influence = gone * (gap - went) / count - (days * (gap - kept) / total if total > 0 else 0.0)
    by_client = (
        mine.select(PERSON)
        .with_columns(pl.Series("influence", influence))
        .group_by(PERSON)
        .agg(pl.col("influence").sum())
    )
    half = Z * float(np.sqrt((by_client["influence"].to_numpy() ** 2).sum())) if count > 1 else None
    known = {
        "let_go": int(count),
        "gap_let_go": went,
        "kept_days": float(total),
        "gap_kept": kept,
        "difference": went - kept,
    }
    return {
        **known,
        "low": None if half is None else went - kept - half,
        "high": None if half is None else went - kept + half,
    }


# ---- returns
def released(log: pl.DataFrame, days: float, within: float = BACK_DAYS) -> pl.DataFrame:
    """Step-downs by cause, and how many of the clients were back in the tier or above within so many days (a short-term
    stay is above every tier).

    ``premature`` are those let go too soon by a provider, to be read beside ``step_down`` (ready) and ``review``.
    ``count``: all of them; ``followed``: those at least ``within`` days before the horizon ``days``, of whom ``back``
    were. ``share`` is back ÷ followed with Wilson's interval (Wilson 1927); null where nobody was followed. Who dies
    meanwhile is not back.

    Columns: strategy, cause, count, followed, back, share, low, high.

    >>> from simcare.log.by_hand import log_of
    >>> care = {"need": "community", "tier": "community", "service": "care", "provider": "p"}
    >>> log = log_of([
    ...     {"event": "present", "stay_start": -10, **care},
    ...     {"event": "end", "cause": "premature", "time": 9, "need": "community"},
    ...     {"event": "start", "cause": "assessment", "time": 20, "stay_start": 20, **care},
    ... ], ["independent", "community"])
    >>> released(log, 365.0).select("cause", "count", "followed", "back", "share").rows()
    [('premature', 1, 1, 1, 1.0)]
    """
    known = prepare(log)
    steps = step_downs(known).with_row_index("step")
    again = known.filter(pl.col("event").is_in(["start", "move"])).select(
        *PERSON, pl.col("time").alias("came"), pl.col("tier").alias("on")
    )
    soon = (
        (pl.col("came") > pl.col("time")) & (pl.col("came") - pl.col("time") <= within) & (level("on") >= level("tier"))
    )
    back = steps.join(again, on=PERSON).filter(soon)["step"].unique()
    followed = pl.col("time") + within <= days
    sizes = {"count": pl.len(), "followed": followed.sum(), "back": (followed & pl.col("back")).sum()}
    told = steps.with_columns(
        pl.col("strategy", "cause").cast(pl.String), pl.col("step").is_in(back.implode()).alias("back")
    )
    counted = (
        told.group_by("strategy", "cause")
        .agg(size.cast(pl.Int64).alias(name) for name, size in sizes.items())
        .sort("strategy", "cause")
    )
    shares = [wilson(hits, n) for hits, n in counted.select("back", "followed").iter_rows()]
    return pl.concat(
        [counted, pl.DataFrame(shares, schema=dict.fromkeys(("share", "low", "high"), pl.Float64), orient="row")],
        how="horizontal",
    )


def wilson(hits: int, n: int) -> tuple[float | None, float | None, float | None]:
    """A share with Wilson's interval; nothing where nobody was counted.

    >>> [round(x, 3) for x in wilson(1, 10)]
    [0.1, 0.018, 0.404]
    """
    if n == 0:
        return None, None, None
    interval = binomtest(hits, n).proportion_ci(0.95, method="wilson")
    return hits / n, float(interval.low), float(interval.high)


# ---- what a cycle earns
def gaming_gains(model: Model) -> pl.DataFrame:
    """What the contract of each offer would pay a provider that games it, for each time that it is in force.

    ``cycle_gain``: pounds gained over holding on by the best of the cycles for which a sum is paid anew, a step-down on
    day ``cycle_day`` of the stay and a return ``days_out`` later; null where no cycle earns a sum. A contract with a
    gain is refused, so it is a loss: how near the contract comes. ``reset_gain``: pounds gained where bands begin anew,
    by a step-down on day ``reset_day``, one day out and as long a stay again; that takes a new assessment, so it is
    allowed. Prices of the base year. Columns: service, provider, contract, since (date), cycle_day, days_out,
    cycle_gain, reset_day, reset_gain.

    >>> from simcare.files.load import load_model
    >>> gaming_gains(load_model("mm-infinity")).select("service", "contract", "cycle_gain", "reset_gain").rows()
    [('community_care', 'flat', None, -3.0)]
    """
    rows = [
        (
            o.service,
            o.provider,
            o.contract.name,
            o.since,
            *(best_cycle(o.tariff) or (None, None, None)),
            *reset_gain(o.tariff),
        )
        for o in tariffs_held(model)
    ]
    names = (
        "service",
        "provider",
        "contract",
        "since",
        "cycle_day",
        "days_out",
        "cycle_gain",
        "reset_day",
        "reset_gain",
    )
    kinds = (*[pl.String] * 3, pl.Date, *[pl.Float64] * 3, pl.Int64, pl.Float64)
    return pl.DataFrame(rows, schema=dict(zip(names, kinds, strict=True)), orient="row")
