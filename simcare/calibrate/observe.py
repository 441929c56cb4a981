"""What a run says of the targets: one replication in, a value for each target and date out.

One number on its way: the compiled engine's rows are tallied (:mod:`simcare.measures.tally`) into measures and moves; a
target's filters pick the cells; the sum, times the target's scale, is held against the published figure.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.special import gammaincinv
from statsmodels.duration.survfunc import SurvfuncRight

from simcare.arrays.build import build
from simcare.arrays.names import names_of
from simcare.calibrate.reading import Datum
from simcare.demand.paths import with_drawn_demand
from simcare.engine.compiled import by_client, record
from simcare.log.flows import GONE_TIER
from simcare.model import Model
from simcare.model.calibration import Calibration, Start, Target
from simcare.rules.codes import DIED, LEFT
from simcare.rules.draws import COUNTED_RATE, name_key, uniform
from simcare.runs.task import ReplicationResult, Task, horizon_days, run_task
from simcare.units import first_year, month_index, month_name, year_name

Values = NDArray[np.float64]
Wanted = tuple[str, dt.date]  # the name of a target, and a date


def counted_rates(calibration: Calibration, seed: int, replication: int) -> dict[str, float]:
    """The factor of each counted rate in one replication: its rate, drawn from what the count leaves possible, over the
    rate counted.

    With n events in t person-years the rate is Gamma(n + 1/2) / t (Jeffreys' prior for a Poisson rate).
    """
    found = {}
    for row in calibration.observed:
        u = uniform(seed, replication, name_key("counted", row.name), COUNTED_RATE, 0)
        found[row.name] = float(gammaincinv(row.events.value + 0.5, u)) / row.events.value
    return found


def wanted_of(data: Sequence[Datum], run: str) -> list[tuple[Target, dt.date]]:
    """The targets and dates that a run has to give, level years included, each once."""
    found: dict[Wanted, Target] = {}
    for datum in data:
        if datum.run == run:
            found[datum.key] = datum.target
            if datum.base is not None and datum.target.level_from is not None:
                found[datum.target.name, datum.target.level_from] = datum.target
    return [(target, date) for (_, date), target in found.items()]


def measured(
    model: Model, run: Start, seed: int, replication: int, wanted: Sequence[tuple[Target, dt.date]]
) -> dict[Wanted, float]:
    """The value of every target and date in one replication of a run, in the unit of the published series."""
    plain = [(target, date) for target, date in wanted if target.kind != "stay"]
    stays = [(target, date) for target, date in wanted if target.kind == "stay"]
    found: dict[Wanted, float] = {}
    if plain:
        outcome = run_task(Task(model, run.name, seed, replication, run.years, "compiled"))
        for target in {target.name: target for target, _ in plain}.values():
            dates = [date for other, date in plain if other.name == target.name]
            found |= {
                (target.name, date): value * target.scale for date, value in of_target(outcome, target, dates).items()
            }
    if stays:
        rows, days = _rows(model, run, seed, replication, {s for target, _ in stays for s in target.services})
        number = {service: k for k, service in enumerate(names_of(model).services)}
        for services in {target.services for target, _ in stays}:
            mine = [(target, date) for target, date in stays if target.services == services]
            shares = past(
                stays_in(rows, [number[s] for s in services], days),
                [float(target.past_days or 0) for target, _ in mine],
            )
            found |= {
                (target.name, date): share * target.scale
                for (target, date), share in zip(mine, shares.tolist(), strict=True)
            }
    return found


def of_target(outcome: ReplicationResult, target: Target, dates: Sequence[dt.date]) -> dict[dt.date, float]:
    """The value of a target at each date, unscaled."""
    if target.kind == "stock":
        rows = _narrowed(outcome.measures.filter(pl.col("measure") == "caseload_end"), target)
        months = {date: month_name(month_index(date)) for date in dates}
        return {date: float(rows.filter(pl.col("month") == month)["value"].sum()) for date, month in months.items()}
    if target.measures:
        rows = _narrowed(outcome.measures.filter(pl.col("measure").is_in(target.measures)), target)
        return {date: float(rows.filter(pl.col("month").is_in(_year_to(date)))["value"].sum()) for date in dates}
    moves = _narrowed(outcome.flows.filter(pl.col("from_tier").is_in(target.from_tiers)), target)
    found = {}
    for date in dates:
        year = moves.filter(pl.col("financial_year") == year_name(first_year(date)))
        to = float(year.filter(pl.col("to_tier").is_in(target.to_tiers))["moves"].sum())
        if target.kind == "share":
            among = pl.col("to_tier").is_in(target.of_tiers) if target.of_tiers else pl.col("to_tier") != GONE_TIER
            whole = float(year.filter(among)["moves"].sum())
            to = to / whole if whole else float("nan")
        found[date] = to
    return found


def _narrowed(rows: pl.DataFrame, target: Target) -> pl.DataFrame:
    """The rows of a target's stages, groups, tiers and services."""
    for column, names in (
        ("stage", target.stages),
        ("group", target.groups),
        ("tier", target.tiers),
        ("service", target.services),
    ):
        if names and column in rows.columns:
            rows = rows.filter(pl.col(column).is_in(names))
    return rows


def _year_to(date: dt.date) -> list[str]:
    """The twelve months to the one of a date.

    >>> _year_to(dt.date(2013, 3, 31))[0], _year_to(dt.date(2013, 3, 31))[-1]
    ('2012-04', '2013-03')
    """
    last = month_index(date)
    return [month_name(m) for m in range(last - 11, last + 1)]


# ---- stays
class Stays(NamedTuple):
    """Stays in some services, as arrays: days into the stay when it came into view and when it was last seen, and
    whether it then ended."""

    entry: Values
    lasted: Values
    ended: NDArray[np.bool_]


def stays_in(rows: NDArray[Any], services: Collection[int], days: float) -> Stays:
    """The stays in some services (by their number) of a log in blocks of clients (``simcare.rules.records.LOG``); a
    stay goes on through moves between the services.

    Who is there on the first day comes into view with the stay so far (delayed entry), and who is there on the last
    leaves it unfinished.
    """
    inside = np.isin(rows["service"], list(services)) & ~np.isin(rows["event"], (DIED, LEFT))
    same = rows["client"][1:] == rows["client"][:-1]  # whether the next row is of the same client
    begins = inside & ~np.concatenate([[False], same & inside[:-1]])
    last = inside & ~np.concatenate([same & inside[1:], [False]])  # each stay's last row
    ended = np.concatenate([same, [False]])[last]
    until = np.where(ended, np.concatenate([rows["time"][1:], [days]])[last], days)
    began = rows["stay_start"][begins]
    return Stays(rows["time"][begins] - began, until - began, ended)


def past(stays: Stays, days: Sequence[float]) -> Values:
    """The share of stays that last past each number of days: the product-limit estimate with delayed entry.

    >>> four = Stays(np.zeros(4), np.array([10.0, 20.0, 30.0, 40.0]), np.full(4, True))
    >>> past(four, [15, 35]).round(6).tolist()
    [0.75, 0.25]
    """
    kept = stays.lasted > stays.entry
    if not kept.any():
        return np.full(len(days), np.nan)
    curve = SurvfuncRight(stays.lasted[kept], stays.ended[kept].astype(float), entry=stays.entry[kept])
    steps = np.concatenate([[1.0], curve.surv_prob])
    return np.asarray(steps[np.searchsorted(curve.surv_times, days, side="right")], dtype=float)


def _rows(
    model: Model, run: Start, seed: int, replication: int, services: Collection[str]
) -> tuple[NDArray[Any], float]:
    """The log of a run with only the stages that use some services, and its days."""
    stages = {row.stage for row in model.caseload if row.service in services}
    some = with_drawn_demand(model, seed, replication, run.years)
    rows = {part: tuple(row for row in getattr(some, part) if row.stage in stages) for part in ("caseload", "arrivals")}
    some = some.model_copy(update=rows)
    days = horizon_days(some, run.years)
    return by_client(record(some, build(some), seed, replication, days).rows), days


def outputs(data: Sequence[Datum], values: Mapping[Wanted, float]) -> Values:
    """The values on the scale on which they are held against the published: logs of counts, changes of logs since a
    level year, shares as they are.

    A count of zero is taken as half, so that its log is finite.
    """
    found = []
    for datum in data:
        value = values[datum.key]
        if datum.target.is_share:
            found.append(value)
            continue
        level = (
            0.0
            if datum.target.level_from is None
            else np.log(max(values[datum.target.name, datum.target.level_from], 0.5 * datum.target.scale))
        )
        found.append(float(np.log(max(value, 0.5 * datum.target.scale)) - level))
    return np.array(found)


def published(data: Sequence[Datum]) -> Values:
    """The published values on the same scale."""
    logs = [
        d.value if d.target.is_share else np.log(d.value) - (0.0 if d.base is None else np.log(d.base)) for d in data
    ]
    return np.array(logs, dtype=float)


__all__ = [
    "Stays",
    "Values",
    "Wanted",
    "counted_rates",
    "measured",
    "of_target",
    "outputs",
    "past",
    "published",
    "stays_in",
    "wanted_of",
]
