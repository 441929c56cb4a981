"""Rows of a table told apart: which series each belongs to, and whether a series has one row for each month."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from simcare.demand.dates import WrittenDate
from simcare.demand.headings import LABELS, HeadedTable
from simcare.errors import BadInput
from simcare.units import month_start

MANY = 0.1  # of the rows: from there on several a month are a kind of file, not faults of rows


class SeriesNames(NamedTuple):
    """The name of each row's series, and sentences on how it was found."""

    names: list[str]
    notes: list[str]


def series_names(path: Path, table: HeadedTable) -> SeriesNames:
    """The series of each row: its area, stage and group; cells that are merged over rows hold for all of them."""
    parts: list[list[str]] = []
    notes = []
    above = [""] * len(table.rows)
    for name in LABELS:
        cells = table.columns.get(name)
        if cells is None or not any(cells):
            continue
        if not all(cells):
            empty = cells.index("")
            pairs = [(a, cell) for a, cell in zip(above, cells, strict=True) if cell]
            if not cells[0] or len(set(pairs)) < len(pairs):
                raise BadInput(f"{path}: row {table.rows[empty]}: {name}: is empty; each row needs its {name}")
            notes.append(
                f"The column {name} is empty under each name (merged cells): the name holds for the rows below"
            )
            cells = _filled_down(cells)
        parts.append(cells)
        above = [" / ".join(texts) for texts in zip(*parts, strict=True)]
    return SeriesNames(above if parts else [path.stem] * len(table.rows), notes)


def _filled_down(cells: Sequence[str]) -> list[str]:
    found: list[str] = []
    for cell in cells:
        found.append(cell or found[-1])
    return found


def row_faults(path: Path, table: HeadedTable, names: Sequence[str], dates: Sequence[WrittenDate | None]) -> list[str]:
    """What is wrong where a series has several rows for a month: in one sentence if it is a kind of file."""
    rows: dict[tuple[str, int], int] = {}
    again: list[tuple[int, int]] = []
    for k, (name, date) in enumerate(zip(names, dates, strict=True)):
        if date is None:
            continue
        key = (name, 12 * date.year + date.month - 1)
        if key in rows:
            again.append((rows[key], k))
        rows.setdefault(key, k)
    if len(again) > max(3, MANY * len(names)):
        return [f"{path}: {_kind(table, names, dates, again)}"]
    return [
        f"{path}: row {table.rows[k]}: {names[k]} {str(dates[k])[:7]} is there already, in row {table.rows[earlier]}"
        for earlier, k in again
    ]


def _kind(
    table: HeadedTable, names: Sequence[str], dates: Sequence[WrittenDate | None], again: Sequence[tuple[int, int]]
) -> str:
    """What kind of file has several rows a month: weeks, days, people, or rows that another column tells apart."""
    earlier, k = again[0]
    here = f"rows {table.rows[earlier]} and {table.rows[k]} are both {names[k]} {str(dates[k])[:7]}"
    for name in table.texts:
        cells = table.columns[name]
        if all(cells[a] != cells[b] for a, b in again[:50]):
            return f"{here}; if '{name}' tells them apart, call that column group, and each has a series of its own"
    days = _days_apart(names, dates)
    if days == 7:
        return f"the rows are a week apart ({here}); a series has one count a month: add the weeks of a month up first"
    if days is not None and 1 <= days < 7:
        apart = "a day" if days == 1 else f"{days:g} days"
        return f"the rows are {apart} apart ({here}); a series has one count a month: add the days of a month up first"
    return f"{here}, and {len(again) - 1} more are there again; a series has one row a month: add them up first"


def _days_apart(names: Sequence[str], dates: Sequence[WrittenDate | None]) -> float | None:
    """The usual number of days from one date of a series to the next."""
    of: dict[str, set[int]] = {}
    for name, date in zip(names, dates, strict=True):
        if date is not None and date.day is not None:
            day = (month_start(12 * date.year + date.month - 1)).toordinal() + date.day
            of.setdefault(name, set()).add(day)
    gaps = np.concatenate([[], *(np.diff(sorted(days)) for days in of.values())])
    return float(np.median(gaps)) if gaps.size else None


__all__ = ["SeriesNames", "row_faults", "series_names"]
