"""Units of time that several rooms share, each once: the mean year, months as whole numbers, financial years; and
how a number is rounded to be read.

A month is a whole number, twelve times the year plus the month from 0, so that months subtract. A financial year goes
by the calendar year in which it began: 2013 is 2013/14.
"""

from __future__ import annotations

import datetime as dt
import math

YEAR_DAYS = 365.25  # the mean year of the Julian calendar, in which rates a year are counted
MONTH_DAYS = YEAR_DAYS / 12
MINUS = "\N{MINUS SIGN}"
NOISE = 1e-9  # what is smaller than that share of what it stands beside is rounding error, and zero
YEAR_STARTS_IN = 4  # the month, April, in which a financial year begins


def years_later(date: dt.date, years: int) -> dt.date:
    """The same date so many years later; of 29 February, where that year has none, 1 March.

    >>> years_later(dt.date(2012, 2, 29), 1), years_later(dt.date(2012, 2, 29), 4)
    (datetime.date(2013, 3, 1), datetime.date(2016, 2, 29))
    """
    try:
        return date.replace(year=date.year + years)
    except ValueError:
        return dt.date(date.year + years, 3, 1)


def month_index(date: dt.date) -> int:
    """The month that a date is in, as a whole number.

    >>> month_index(dt.date(2012, 4, 30)) - month_index(dt.date(2012, 3, 1))
    1
    """
    return date.year * 12 + date.month - 1


def month_name(month: int) -> str:
    """A month as files and results name it.

    >>> month_name(month_index(dt.date(2012, 4, 30)))
    '2012-04'
    """
    return f"{month // 12:04d}-{month % 12 + 1:02d}"


def month_start(month: int) -> dt.date:
    """The first day of a month.

    >>> month_start(month_index(dt.date(2012, 4, 30)))
    datetime.date(2012, 4, 1)
    """
    return dt.date(month // 12, month % 12 + 1, 1)


def parsed_month(text: str) -> int:
    """The month that ``2012-04`` names. Raises ValueError for anything else.

    >>> month_name(parsed_month("2012-04"))
    '2012-04'
    """
    year, _, month = text.partition("-")
    return month_index(dt.date(int(year), int(month), 1))


def month_starts(start: dt.date, begin: float, end: float) -> list[float]:
    """The first days of months in [begin, end), as days from the start.

    >>> month_starts(dt.date(2013, 3, 31), 0, 40)
    [1.0, 31.0]
    """
    month, found = month_index(start + dt.timedelta(days=math.floor(begin))), []
    while (day := float((month_start(month) - start).days)) < end:
        if day >= begin:
            found.append(day)
        month += 1
    return found


def season_index(date: dt.date) -> int:
    """The month of a date in a row of twelve seasonal factors, which begins with April.

    >>> season_index(dt.date(2013, 4, 1)), season_index(dt.date(2014, 3, 31))
    (0, 11)
    """
    return (date.month - YEAR_STARTS_IN) % 12


def first_year(date: dt.date) -> int:
    """The calendar year in which the financial year of a date began.

    >>> first_year(dt.date(2014, 3, 31)), first_year(dt.date(2014, 4, 1))
    (2013, 2014)
    """
    return date.year if date.month >= YEAR_STARTS_IN else date.year - 1


def year_start(first: int) -> dt.date:
    """The first day of the financial year that began in ``first``.

    >>> year_start(2013)
    datetime.date(2013, 4, 1)
    """
    return dt.date(first, YEAR_STARTS_IN, 1)


def year_name(first: int) -> str:
    """A financial year as councils write it.

    >>> year_name(2013), year_name(1999)
    ('2013/14', '1999/00')
    """
    return f"{first}/{(first + 1) % 100:02d}"


def parsed_year(text: str) -> int:
    """The calendar year in which the financial year ``2013/14`` began.

    >>> parsed_year("2013/14")
    2013
    """
    return int(text[:4])


def days_in_year(first: int) -> int:
    """Days of the financial year that began in ``first``: 366 where it holds a 29 February.

    >>> days_in_year(2014), days_in_year(2015)
    (365, 366)
    """
    return (year_start(first + 1) - year_start(first)).days


def ramp_steps(start: dt.date, ramp_days: int) -> list[tuple[dt.date, float]]:
    """Dates and the share of the full change that holds from each.

    >>> ramp_steps(dt.date(2014, 4, 1), 0)
    [(datetime.date(2014, 4, 1), 1.0)]
    >>> [share for _, share in ramp_steps(dt.date(2014, 4, 1), 90)]
    [0.3333333333333333, 0.6666666666666666, 1.0]
    """
    steps = max(1, math.ceil(ramp_days / MONTH_DAYS))
    return [(start + dt.timedelta(days=round(ramp_days * k / steps)), (k + 1) / steps) for k in range(steps)]


def significant_place(value: float, digits: int = 3) -> int:
    """The power of ten of the last of so many significant figures.

    >>> significant_place(14_852.6), significant_place(0.0123), significant_place(0.0), significant_place(999.7)
    (2, -4, 0, 1)
    """
    if not value:
        return 0
    place = math.floor(math.log10(abs(value))) - digits + 1
    return place + (abs(rounded(value, place)) >= 10.0 ** (place + digits) * (1 - 1e-9))


def rounded(value: float, place: int) -> float:
    """To a power of ten, half away from zero as a person rounds; never −0.

    >>> rounded(14_850.0, 2), rounded(-0.04, -1)
    (14900.0, 0.0)
    """
    return math.copysign(math.floor(abs(value) / 10.0**place + 0.5 + 1e-9), value) * 10.0**place + 0.0


def is_whole(value: float) -> bool:
    """Whether a number is whole but for the noise of binary sums.

    >>> is_whole(100 * 0.07), is_whole(7.001)
    (True, False)
    """
    return abs(value - round(value)) <= 1e-12 * abs(value)


def three_figures(value: float, signed: bool = False) -> str:
    """A bare number of the order of 1 or more (a skill, a factor) with three significant figures and a true minus; a
    sign before what is above zero, if ``signed``. A whole number has no decimals, and rounding error is 0.

    >>> three_figures(14_852.6), three_figures(0.0123), three_figures(-0.256), three_figures(7.0), three_figures(0.0)
    ('14,900', '0.0123', '−0.256', '7', '0')
    >>> three_figures(0.25, signed=True), three_figures(1.1e-16)
    ('+0.250', '0')
    """
    if abs(value) < NOISE:
        return "0"
    place = significant_place(value)
    whole = is_whole(value)
    near = rounded(value, max(0, place) if whole else place)
    digits = f"{abs(near):,.{0 if whole else max(0, -place)}f}"
    return f"{MINUS if near < 0 else '+' if signed and near > 0 else ''}{digits}"
