"""The working days of months, which counts hang on; months are whole numbers (:mod:`simcare.units`)."""

from __future__ import annotations

import datetime as dt
from functools import cache

import numpy as np
from numpy.typing import NDArray

from simcare.units import month_start

Months = NDArray[np.int64]
TYPICAL_WORKING_DAYS = 21.0


@cache
def working_days(month: int) -> int:
    """Days of a month that are neither at a weekend nor a bank holiday in England.

    >>> from simcare.units import parsed_month
    >>> working_days(parsed_month("2012-04")), working_days(parsed_month("2012-06"))
    (19, 19)
    """
    import holidays

    first, after = month_start(month), month_start(month + 1)
    free = holidays.country_holidays("GB", subdiv="ENG", years=first.year)
    days = (first + dt.timedelta(days=k) for k in range((after - first).days))
    return sum(day.weekday() < 5 and day not in free for day in days)


def log_working_days(months: Months) -> NDArray[np.float64]:
    """The logarithm of each month's working days over a typical month's: zero in a month of 21."""
    return np.array([np.log(working_days(int(m)) / TYPICAL_WORKING_DAYS) for m in months])


__all__ = ["TYPICAL_WORKING_DAYS", "Months", "log_working_days", "working_days"]
