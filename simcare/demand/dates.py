"""Dates and months as people write them: 2012-04, 30/04/2012, Apr 2012, 2012M04, 1st April 2012."""

from __future__ import annotations

import calendar
import re
from typing import NamedTuple

MONTHS = tuple(name.lower() for name in calendar.month_name)  # the first is empty, so that January is 1
YEARS = range(1, 2400)  # far-off years are told as such, with the other dates beside them
CENTURY = 69  # two digits from here on are of the last century, as spreadsheets take them
_TIME = re.compile(r"[t ]\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?( ?[ap]m)?(z|[+-]\d{2}:?\d{2})?$")
_SHAPES = tuple(
    re.compile(shape)
    for shape in (
        r"(?P<y>\d{4})[-/. ](?P<m>\d{1,2})[-/. ](?P<d>\d{1,2})",
        r"(?P<y>\d{4})[-/. ]?m(?P<m>\d{1,2})",
        r"(?P<y>\d{4})[-/. ](?P<m>\d{1,2})",
        r"(?P<y>\d{4})(?P<m>\d{2})(?P<d>\d{2})?",
        r"(?P<d>\d{1,2})[-/. ](?P<m>\d{1,2})[-/. ](?P<y>\d{4}|\d{2})",
        r"(?P<m>\d{1,2})[-/. ](?P<y>\d{4})",
        r"(?P<d>\d{1,2})[-/. ]*(?P<name>[a-z]+)\.?[-/. ']*(?P<y>\d{4}|\d{2})",
        r"(?P<name>[a-z]+)\.?[-/. ']*(?P<y>\d{4}|\d{2})",
        r"(?P<name>[a-z]+)\.?[-/. ](?P<d>\d{1,2})[-/. ]+(?P<y>\d{4})",
        r"(?P<y>\d{4})[-/. ]*(?P<name>[a-z]+)\.?([-/. ]+(?P<d>\d{1,2}))?",
    )
)


class WrittenDate(NamedTuple):
    """A date as it was written: a day, or a month where no day is given."""

    year: int
    month: int
    day: int | None = None

    def __str__(self) -> str:
        return f"{self.year:04d}-{self.month:02d}" + ("" if self.day is None else f"-{self.day:02d}")


def read_date(text: str, american: bool = False) -> WrittenDate:
    """The date that a text says: the day first where it is in numbers, or the month first where ``american``.

    Raises ValueError, with the reason where the text is the date of a day or month that is not there.

    >>> [str(read_date(text)) for text in ("01/04/2014", "2014M04", "1st April 2014", "Sept-14", "2014-04-01 00:00:00")]
    ['2014-04-01', '2014-04', '2014-04-01', '2014-09', '2014-04-01']
    >>> read_date("30/02/2014")
    Traceback (most recent call last):
    ...
    ValueError: there is no 30 February 2014
    """
    plain = _plain(text)
    for shape in _SHAPES:
        found = shape.fullmatch(plain)
        if found is None:
            continue
        parts = found.groupdict()
        month = int(parts["m"]) if parts.get("m") else month_called(parts["name"])
        if month is not None:
            day = int(parts["d"]) if parts.get("d") else None
            if american and shape.pattern.startswith("(?P<d>") and "name" not in parts and day is not None:
                day, month = month, day
            return _dated(parts["y"], month, day)
    raise ValueError


def month_called(name: str) -> int | None:
    """The number of a month by its name or the first letters of it.

    >>> month_called("Sept"), month_called("april"), month_called("total")
    (9, 4, None)
    """
    name = name.strip(" .").lower()
    return next((k for k, month in enumerate(MONTHS) if len(name) >= 3 and month.startswith(name)), None)


def _plain(text: str) -> str:
    """A text without what does not matter to a date: the time of day, ordinals, the day of the week, odd dashes."""
    plain = re.sub(r"[\u2010-\u2015\u2212]", "-", text).replace("\u00a0", " ").replace(",", " ").strip().lower()
    plain = _TIME.sub("", plain)
    plain = re.sub(r"\b(\d{1,2})(st|nd|rd|th)\b", r"\1", plain).replace(" of ", " ")
    plain = re.sub(r"^(mon|tues?|wed(nes)?|thu(rs)?|fri|sat(ur)?|sun)(day)?\.? +", "", plain)
    return re.sub(r"\s+", " ", re.sub(r"\s*([-/])\s*", r"\1", plain))


def _dated(year_text: str, month: int, day: int | None) -> WrittenDate:
    year = int(year_text)
    if len(year_text) == 2:
        year += 1900 if year >= CENTURY else 2000
    if not 1 <= month <= 12:
        raise ValueError(f"there is no month {month}")
    if year not in YEARS:
        raise ValueError(f"there is no year {year}" if year < 1 else f"the year {year} is mistyped")
    if day is not None and not 1 <= day <= calendar.monthrange(year, month)[1]:
        raise ValueError(f"there is no {day} {calendar.month_name[month]} {year}")
    return WrittenDate(year, month, day)


__all__ = ["MONTHS", "WrittenDate", "month_called", "read_date"]
