"""Days and dates inside the rulebook: birthdays are exact, by the calendar.

Days are counted from the start of the run (0 = its first midnight); an ordinal is ``date.toordinal()``.
"""

from __future__ import annotations

import math

from simcare.rules.compile import rule
from simcare.units import YEAR_DAYS


@rule
def _ordinal(year: int, month: int, day: int) -> int:
    """The proleptic Gregorian day number, 1 January of year 1 being 1 (29 February of a common year is 1 March)."""
    y = year - 1 if month <= 2 else year
    m = month + 9 if month <= 2 else month - 3
    return 365 * y + y // 4 - y // 100 + y // 400 + (153 * m + 2) // 5 + day - 306


@rule
def _year_of(ordinal: int) -> int:
    year = int(ordinal / 365.2425) + 1
    while _ordinal(year + 1, 1, 1) <= ordinal:
        year += 1
    while _ordinal(year, 1, 1) > ordinal:
        year -= 1
    return year


@rule
def birthday(born: float, years: float, start: int) -> float:
    """The day (from the start) on which someone born on day ``born`` turns ``years``.

    ``start`` is the ordinal of day 0. Whole years go by the calendar, a part of a year by 365.25 days.
    Someone born on 29 February turns on 1 March of a common year, as in English law.

    >>> import datetime as dt
    >>> start = dt.date(2013, 4, 1)
    >>> born = (dt.date(2000, 2, 29) - start).days
    >>> str(start + dt.timedelta(days=birthday(born, 18, start.toordinal())))
    '2018-03-01'
    """
    whole = math.floor(years)
    date = start + math.floor(born)
    year = _year_of(date)
    month = 1
    while month < 12 and _ordinal(year, month + 1, 1) <= date:
        month += 1
    day = date - _ordinal(year, month, 1) + 1
    then = _ordinal(year + whole, month, day)
    return then - start + (born - math.floor(born)) + (years - whole) * YEAR_DAYS
