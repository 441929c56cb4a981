"""The working days of months and the school holidays among them, which counts hang on; months are whole numbers
(:mod:`simcare.units`).

School holidays differ between authorities by some days. Here they follow one rule for all of England and every year,
which leaves 190 to 197 school days: 190 with pupils are the law (380 half days: Education (School Day and School Year)
(England) Regulations 1999), and five of training are usual. Where in the year they fall is an assumption of the usual
pattern of terms, grade D. Only shares of months matter, in which authorities differ little.
"""

from __future__ import annotations

import datetime as dt
from functools import cache

import numpy as np
from numpy.typing import NDArray

from simcare.units import month_start

Months = NDArray[np.int64]
TYPICAL_WORKING_DAYS = 21.0
Span = tuple[dt.date, dt.date]  # the first and the last day
WEEK = dt.timedelta(days=7)


@cache
def working_days(month: int) -> int:
    """Days of a month that are neither at a weekend nor a bank holiday in England.

    >>> from simcare.units import parsed_month
    >>> working_days(parsed_month("2012-04")), working_days(parsed_month("2012-06"))
    (19, 19)
    """
    return len(_working(month))


def _working(month: int) -> list[dt.date]:
    import holidays

    first, after = month_start(month), month_start(month + 1)
    free = holidays.country_holidays("GB", subdiv="ENG", years=first.year)
    days = (first + dt.timedelta(days=k) for k in range((after - first).days))
    return [day for day in days if day.weekday() < 5 and day not in free]


def log_working_days(months: Months) -> NDArray[np.float64]:
    """The logarithm of each month's working days over a typical month's: zero in a month of 21."""
    return np.array([np.log(working_days(int(m)) / TYPICAL_WORKING_DAYS) for m in months])


@cache
def school_holidays(month: int) -> float:
    """The share of a month's working days on which schools are closed: 1 in August.

    >>> from simcare.units import parsed_month
    >>> [round(school_holidays(parsed_month(m)), 2) for m in ("2016-08", "2016-11", "2016-04", "2016-03")]
    [1.0, 0.0, 0.29, 0.14]
    """
    working = _working(month)
    closed = school_breaks(month_start(month).year)
    return sum(any(first <= day <= last for first, last in closed) for day in working) / len(working)


def shares_of_school_holidays(months: Months) -> NDArray[np.float64]:
    """:func:`school_holidays` of many months."""
    return np.array([school_holidays(int(m)) for m in months])


@cache
def school_breaks(year: int) -> tuple[Span, ...]:
    """When schools in England are closed in a year, by rule: a week each in February, May and October, two at Easter,
    six in summer, two at Christmas.

    >>> [f"{first:%d %b} to {last:%d %b}" for first, last in school_breaks(2019)][1:4]
    ['18 Feb to 22 Feb', '08 Apr to 19 Apr', '27 May to 31 May']
    """
    whole = dt.timedelta(days=4)
    winter, spring = _monday(dt.date(year, 2, 18)), _monday(_holiday(year, "Spring Bank Holiday"))
    autumn = _monday(dt.date(year, 10, 27))  # the last week that lies in October from its Monday to its Friday
    easter = _easter_break(year)
    return (
        (dt.date(year, 1, 1), dt.date(year, 1, 3)),
        (winter, winter + whole),
        (easter, easter + WEEK + whole),
        (spring, spring + whole),
        (dt.date(year, 7, 23), dt.date(year, 9, 2)),
        (autumn, autumn + whole),
        (dt.date(year, 12, 21), dt.date(year, 12, 31)),
    )


def _easter_break(year: int) -> dt.date:
    """The Monday on which two weeks begin: the first in April, or as few weeks from it as bring Good Friday or Easter
    Monday into the two weeks."""
    good_friday, begin = _holiday(year, "Good Friday"), _monday(dt.date(year, 4, 7))
    while good_friday + dt.timedelta(days=3) < begin:
        begin -= WEEK
    while good_friday > begin + WEEK + dt.timedelta(days=4):
        begin += WEEK
    return begin


def _holiday(year: int, name: str) -> dt.date:
    import holidays

    return holidays.country_holidays("GB", subdiv="ENG", years=year).get_named(name)[0]


def _monday(day: dt.date) -> dt.date:
    """The last Monday up to a day."""
    return day - dt.timedelta(days=day.weekday())


__all__ = [
    "TYPICAL_WORKING_DAYS",
    "Months",
    "log_working_days",
    "school_breaks",
    "school_holidays",
    "shares_of_school_holidays",
    "working_days",
]
