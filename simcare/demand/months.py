"""Months as whole numbers: twelve times the year plus the month from nought, so that months subtract."""

from __future__ import annotations

import calendar
import datetime as dt
from functools import cache

import numpy as np
from numpy.typing import NDArray

Months = NDArray[np.int64]
TYPICAL_WORKING_DAYS = 21.0


def month_index(date: dt.date) -> int:
    """The month a date is in.

    >>> month_index(dt.date(2012, 4, 30)) - month_index(dt.date(2012, 3, 1))
    1
    """
    return date.year * 12 + date.month - 1


def name(month: int) -> str:
    """
    >>> name(month_index(dt.date(2012, 4, 30)))
    '2012-04'
    """
    return f"{month // 12:04d}-{month % 12 + 1:02d}"


def first_day(month: int) -> dt.date:
    """
    >>> first_day(month_index(dt.date(2012, 4, 30)))
    datetime.date(2012, 4, 1)
    """
    return dt.date(month // 12, month % 12 + 1, 1)


def month_of(text: str) -> int:
    """The month that ``2012-04`` names. Raises ValueError for anything else.

    >>> name(month_of("2012-04"))
    '2012-04'
    """
    year, _, month = text.partition("-")
    return month_index(dt.date(int(year), int(month), 1))


@cache
def working_days(month: int) -> int:
    """Days of a month that are neither at a weekend nor a bank holiday in England.

    >>> working_days(month_of("2012-04")), working_days(month_of("2012-06"))
    (19, 19)
    """
    import holidays

    year, of_year = month // 12, month % 12 + 1
    free = holidays.country_holidays("GB", subdiv="ENG", years=year)
    last = calendar.monthrange(year, of_year)[1]
    days = (dt.date(year, of_year, day) for day in range(1, last + 1))
    return sum(day.weekday() < 5 and day not in free for day in days)


def log_working_days(months: Months) -> NDArray[np.float64]:
    """The logarithm of each month's working days over a typical month's: nought in a month of 21."""
    return np.array([np.log(working_days(int(m)) / TYPICAL_WORKING_DAYS) for m in months])


__all__ = [
    "TYPICAL_WORKING_DAYS",
    "Months",
    "first_day",
    "log_working_days",
    "month_index",
    "month_of",
    "name",
    "working_days",
]
