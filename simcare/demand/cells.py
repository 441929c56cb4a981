"""What a cell of a published table says: a number, a symbol for a small or a missing count, a month."""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Sequence
from typing import NamedTuple

from simcare.demand.dates import WrittenDate, read_date

SMALLEST, LARGEST = 1.0, 5.0  # of a count that is suppressed because it is small, unless its symbol says more
SMALL = {"c", "*", "s", "low", "k", "supp", "suppressed", "small", "confidential", "conf"}
ABSENT = {"", "x", "z", "u", "w", ".", "..", "...", ":", "~", "na", "n/a", "n.a.", "nan", "null", "none", "missing",
          "not available", "not applicable", "unknown", "tbc", "#n/a", "n", "?"}  # fmt: skip
DASHES = {"-", "–", "—", "−"}
NIL = {"nil", "zero"}
MARKS = r"(?:\s*(?:\[[a-z0-9 ]{1,8}\]|\((?:[a-z]|note \d+|\d)\)|[a-z]|\*+|†|‡))?"  # provisional, revised, a footnote
SERIALS = range(20_000, 65_000)  # days since 30 December 1899: October 1954 to December 2077
EPOCH = dt.date(1899, 12, 30)


class CountCell(NamedTuple):
    """A count: known (``value``), within bounds (``low``, ``high``), or not there; ``symbol`` is what stood for it."""

    value: float = math.nan
    low: float = math.nan
    high: float = math.nan
    symbol: str | None = None
    stated: bool = False  # the symbol says the bounds itself


def read_count(text: str) -> CountCell:
    """What a cell says of a count. Raises ValueError where it says nothing that is known.

    >>> read_count("1,204").value, read_count("104 [r]").value, read_count("[c]"), read_count("<10").high
    (1204.0, 104.0, CountCell(value=nan, low=1.0, high=5.0, symbol='[c]', stated=False), 9.0)
    """
    plain = text.strip()
    bare = re.fullmatch(r"[\[(]?\s*(.*?)\s*[\])]?", plain.lower())
    inner = bare[1] if bare else plain.lower()
    if inner in SMALL:
        return CountCell(low=SMALLEST, high=LARGEST, symbol=plain)
    if inner in ABSENT or inner in DASHES:
        return CountCell(symbol=plain or None)
    if inner in NIL:
        return CountCell(0.0)
    if bounds := _bounds(inner):
        return CountCell(low=bounds[0], high=bounds[1], symbol=plain, stated=True)
    return CountCell(read_number(plain))


def _bounds(text: str) -> tuple[float, float] | None:
    """The bounds that a symbol states: <5, fewer than 5, 1-4, 1 to 5, ≤ 5, 5 or fewer."""
    if found := re.fullmatch(r"(?:<|lt|fewer than|less than|under|below)\s*(\d{1,2})", text):
        return (SMALLEST, float(found[1]) - 1.0) if int(found[1]) > 1 else None
    if found := re.fullmatch(r"(?:<=|≤|=<|up to|at most|max\.?)\s*(\d{1,2})|(\d{1,2}) or (?:fewer|less|under)", text):
        return (SMALLEST, float(found[1] or found[2])) if int(found[1] or found[2]) > 0 else None
    if found := re.fullmatch(r"(\d)\s*(?:-|–|to)\s*(\d{1,2})", text):
        return (float(found[1]), float(found[2])) if int(found[1]) <= int(found[2]) else None
    return None


def read_number(text: str) -> float:
    """The number of a cell; not a number where it is a symbol for something that is not there.

    Raises ValueError for any other text.

    >>> read_number("1 204.5"), read_number("12%"), read_number("(3)"), read_number("..")
    (1204.5, 12.0, -3.0, nan)
    """
    plain = text.strip().replace("\u00a0", " ").replace("−", "-")
    if plain.lower().strip("[]()") in ABSENT | DASHES | SMALL or re.fullmatch(r"[\[(][a-z]{1,4}[\])]", plain.lower()):
        return math.nan
    if re.fullmatch(r"\((\d[\d,.]*)\)", plain):
        plain = f"-{plain[1:-1]}"
    found = re.fullmatch(
        rf"([-+]?(?:\d{{1,3}}(?:[, ]\d{{3}})+|\d+)?(?:\.\d*)?(?:e[-+]?\d+)?)\s*%?{MARKS}", plain, re.IGNORECASE
    )
    if found is None or not re.search(r"\d", found[1]):
        raise ValueError(text)
    value = float(re.sub(r"[, ]", "", found[1]))
    if not math.isfinite(value):
        raise ValueError(text)
    return value


def is_number(text: str) -> bool:
    """Whether a cell holds a number."""
    try:
        return not math.isnan(read_number(text))
    except ValueError:
        return False


class DateColumn(NamedTuple):
    """The dates of a column (None where a cell is none), and how they were written, if that needs telling."""

    dates: tuple[WrittenDate | None, ...]
    note: str | None = None


def read_dates(cells: Sequence[str], labels: Sequence[str]) -> DateColumn:
    """The dates of a column: as people write them, as day numbers of a spreadsheet, or with the month first.

    ``labels`` name each row's series: the month comes first where the day first would give a series the same month
    again and again.

    >>> [str(date) for date in read_dates(["43191", "43221"], ["", ""]).dates]
    ['2018-04-01', '2018-05-01']
    >>> [str(date) for date in read_dates(["04/01/2018", "05/01/2018"], ["", ""]).dates]
    ['2018-04-01', '2018-05-01']
    """
    given = [cell for cell in cells if cell]
    if given and all(re.fullmatch(r"\d{5}(\.\d+)?", cell) and int(float(cell)) in SERIALS for cell in given):
        days = [EPOCH + dt.timedelta(days=int(float(cell))) if cell else None for cell in cells]
        dates = tuple(None if day is None else WrittenDate(day.year, day.month, day.day) for day in days)
        return DateColumn(dates, f"The dates are day numbers of a spreadsheet ({given[0]}) and are read as such")
    british, american = (tuple(_date(cell, month_first) for cell in cells) for month_first in (False, True))
    as_many = sum(date is not None for date in american) >= sum(date is not None for date in british)
    if as_many and _months_apart(american, labels) > _months_apart(british, labels):
        return DateColumn(american, f"The dates are read with the month first, as in America ({given[0]})")
    return DateColumn(british)


def _date(cell: str, month_first: bool) -> WrittenDate | None:
    try:
        return read_date(cell, month_first)
    except ValueError:
        return None


def _months_apart(dates: Sequence[WrittenDate | None], labels: Sequence[str]) -> int:
    """How many different months of a series there are, over all series."""
    return len({(label, date.year, date.month) for label, date in zip(labels, dates, strict=True) if date})


__all__ = [
    "DASHES",
    "LARGEST",
    "CountCell",
    "DateColumn",
    "is_number",
    "read_count",
    "read_dates",
    "read_number",
]
