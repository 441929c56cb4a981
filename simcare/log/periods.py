"""Calendar months, financial years and exact person-days, as frames: the arithmetic of time under the measures.

A calendar is a frame of periods: calendar months from the start of the run, cut further at the dates on which a
price changes, so that everything is constant within a period. Days are counted from the start (day 0).
Person-days are exact, with no time step: a stay adds one head from its beginning to its end, so within a period

    person-days = heads at its beginning × its length + Σ over changes in it of ±(end of period − time of change).
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable, Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from simcare.units import YEAR_STARTS_IN, days_in_year, first_year, month_index, month_name, month_starts, year_name

Days = NDArray[np.float64]
Index = NDArray[np.int64]

MOST_CODES = 2**62


def first_years(dates: pl.Expr) -> pl.Expr:
    """The calendar years in which the financial years of dates began: :func:`simcare.units.first_year` of a column."""
    return dates.dt.year() - (dates.dt.month() < YEAR_STARTS_IN).cast(pl.Int32)


def year_names(first: pl.Expr) -> pl.Expr:
    """Financial years as councils write them: :func:`simcare.units.year_name` of a column.

    >>> pl.select(year_names(first_years(pl.lit(dt.date(2000, 3, 31))))).item()
    '1999/00'
    """
    return pl.format("{}/{}", first, ((first + 1) % 100).cast(pl.String).str.zfill(2))


def calendar(start: dt.date, days: float, cuts: Iterable[dt.date] = ()) -> pl.DataFrame:
    """The periods of a run: calendar months, cut at the given dates.

    ``start`` is day 0 and ``days`` the horizon; a month that the run covers in part has only that part. Cuts outside
    the run are left out. One row a period: ``period`` (0, 1, …), ``date`` (its first day), ``from_day``, ``to_day``
    (days from the start), ``month`` ("2013-04"), ``financial_year`` ("2013/14"), ``first_year`` (2013), and
    ``year_days`` (365 or 366, days of that financial year).

    >>> calendar(dt.date(2013, 4, 1), 45, [dt.date(2013, 5, 6)]).select("from_day", "to_day", "month").rows()
    [(0.0, 30.0, '2013-04'), (30.0, 35.0, '2013-05'), (35.0, 45.0, '2013-05')]
    """
    if not (math.isfinite(days) and days > 0):
        raise ValueError(f"days must be above 0, got {days}")
    edges = {start} | {cut for cut in cuts if 0 < (cut - start).days < days}
    dates = sorted(edges | {start + dt.timedelta(days=day) for day in month_starts(start, 0.0, days)})
    begins = [float((date - start).days) for date in dates]
    years = [first_year(date) for date in dates]
    return pl.DataFrame(
        {
            "period": pl.Series(range(len(dates)), dtype=pl.Int64),
            "date": dates,
            "from_day": begins,
            "to_day": [*begins[1:], float(days)],
            "month": [month_name(month_index(date)) for date in dates],
            "financial_year": [year_name(year) for year in years],
            "first_year": years,
            "year_days": [days_in_year(year) for year in years],
        }
    )


def covered_days(start: dt.date, days: float) -> pl.DataFrame:
    """How many days of each calendar month a run covers: what a mean over a month or a year is divided by. Columns:
    month, days.

    >>> covered_days(dt.date(2014, 3, 20), 30).rows()
    [('2014-03', 12.0), ('2014-04', 18.0)]
    """
    length = (pl.col("to_day") - pl.col("from_day")).alias("days")
    return calendar(start, days).select("month", length)


def period_of(days: Days, periods: pl.DataFrame) -> Index:
    """The period in which each day falls; a day on an edge belongs to the period it begins, one at the horizon to none
    (the last plus 1).

    >>> period_of(np.array([0.0, 29.9, 30.0, 45.0]), calendar(dt.date(2013, 4, 1), 45)).tolist()
    [0, 0, 1, 2]
    """
    begins = periods["from_day"].to_numpy()
    horizon = float(periods["to_day"][-1])
    # Periods begin at midnight, so a table by whole day answers; it is ten times as fast as a search.
    of_day = np.searchsorted(begins, np.arange(math.ceil(horizon)), side="right") - 1
    inside = days < horizon
    whole = np.where(inside, days, 0.0).astype(np.int64)
    return np.where(inside, of_day[whole], periods.height)


def occupancy(intervals: pl.DataFrame, periods: pl.DataFrame) -> pl.DataFrame:
    """Person-days and people at the end of each period, exactly, for each cell.

    ``intervals`` has ``cell`` (whole numbers from 0, few and dense), ``time`` and ``until`` (days, within the run):
    somebody is in the cell on [time, until). Returns ``cell, period, days, at_end``, sorted, without the rows that are
    nought. Who leaves on the stroke of a period's end is still there at its end: what happens at midnight belongs to
    the next day.

    >>> stays = pl.DataFrame({"cell": [0, 0], "time": [0.0, 20.0], "until": [40.0, 30.0]})
    >>> occupancy(stays, calendar(dt.date(2013, 4, 1), 45)).rows()
    [(0, 0, 40.0, 2), (0, 1, 10.0, 0)]
    """
    cell = intervals["cell"].to_numpy().astype(np.int64)
    count = periods.height
    shape = (int(cell.max()) + 1 if cell.size else 0, count)
    begins, ends = periods["from_day"].to_numpy(), periods["to_day"].to_numpy()

    def changes(when: Days) -> tuple[Index, Days]:
        """Heads that change in each cell and period, and the days of it that remain to them, summed."""
        period = period_of(when, periods)
        inside = period < count
        at, k = (cell * count + period)[inside], period[inside]
        size = shape[0] * count
        heads = np.bincount(at, minlength=size).astype(np.int64)
        return heads.reshape(shape), np.bincount(at, weights=ends[k] - when[inside], minlength=size).astype(
            np.float64
        ).reshape(shape)

    came, came_days = changes(intervals["time"].to_numpy())
    went, went_days = changes(intervals["until"].to_numpy())
    net = came - went
    after = np.cumsum(net, axis=1)
    days = np.maximum((after - net) * (ends - begins) + (came_days - went_days), 0.0)  # rounding could leave −1e-14
    found = np.nonzero((after != 0) | (came != 0) | (after != net))
    return pl.DataFrame({"cell": found[0], "period": found[1], "days": days[found], "at_end": after[found]})


def total(frame: pl.DataFrame, by: Sequence[str], values: Sequence[str]) -> pl.DataFrame:
    """Sums by key, sorted by it, nulls last. Added up in the order of the rows: runs agree to the last bit whatever the
    number of threads.

    >>> total(pl.DataFrame({"k": ["b", "a", "b"], "v": [1.0, 2.0, 3.0]}), ["k"], ["v"]).rows()
    [('a', 2.0), ('b', 4.0)]
    """
    number, keys = numbered(frame, by)
    return keys.with_columns(
        [
            pl.Series(v, np.bincount(number, weights=frame[v].to_numpy(), minlength=keys.height), dtype=pl.Float64)
            for v in values
        ]
    )


def numbered(frame: pl.DataFrame, by: Sequence[str]) -> tuple[Index, pl.DataFrame]:
    """A number for each row's combination of the columns ``by``, and the combinations in order (row k has number k),
    nulls last.

    >>> number, keys = numbered(pl.DataFrame({"a": ["y", None, "y"], "b": [1, 1, 2]}), ["a", "b"])
    >>> number.tolist(), keys.rows()
    ([0, 2, 1], [('y', 1), ('y', 2), (None, 1)])
    """
    code, count = np.zeros(frame.height, np.int64), 1
    for name in by:
        part, size = _codes(frame[name])
        if count * size > MOST_CODES:
            code, count = _dense(code, count)
        code, count = code * size + part, count * size
    number, count = _dense(code, count)
    first = np.zeros(count, np.int64)
    first[number[::-1]] = np.arange(frame.height)[::-1]
    return number, frame.select(by)[first]


def _dense(code: Index, count: int) -> tuple[Index, int]:
    """Codes below ``count`` numbered without gaps, in the same order, and how many there are."""
    if count > 8 * code.size + 1024:
        found = pl.Series(code).unique().sort().to_numpy()
        return np.searchsorted(found, code), found.size
    there = np.zeros(count, np.bool_)
    there[code] = True
    return (np.cumsum(there) - 1)[code], int(there.sum())


def _codes(column: pl.Series) -> tuple[Index, int]:
    """A code from 0 for each value of a column, in order, and how many codes there can be; null comes after the
    values."""
    if column.dtype == pl.String:
        column = column.cast(pl.Enum(column.unique().drop_nulls().sort()))
    if isinstance(column.dtype, pl.Enum):
        size = len(column.dtype.categories)
        return column.to_physical().cast(pl.Int64).fill_null(size).to_numpy(), size + 1
    values = column.to_numpy()
    low, high = (int(values.min()), int(values.max())) if values.size else (0, 0)
    if high - low <= 8 * values.size:
        return values.astype(np.int64) - low, high - low + 1
    found, code = np.unique(values, return_inverse=True)
    return code, found.size
