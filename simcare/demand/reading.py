"""Reading series from tidy files: CSV, Parquet or XLSX with the columns date, area, count.

Optional columns are ``stage`` and ``group`` (a series each), ``exposure`` (people) and any further column of numbers,
which is a covariate. Months after the last count may have a row with exposure or covariates and an empty count: what is
known or planned of the months to be forecast.

A file goes through four hands: its table (:mod:`simcare.demand.tables`), its columns (:mod:`simcare.demand.headings`),
its cells (:mod:`simcare.demand.cells`), and what makes its series not what they seem (:mod:`simcare.demand.cautions`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from simcare.demand.cautions import cautions, far_month, same_counts, without_empty_ends, year_to_date
from simcare.demand.cells import is_number, read_dates, read_number
from simcare.demand.dates import WrittenDate, read_date
from simcare.demand.headings import LABELS, HeadedTable, headed_table, is_label
from simcare.demand.months import Months
from simcare.demand.rows import row_faults, series_names
from simcare.demand.series import MonthlyCounts, Values, checked
from simcare.demand.symbols import CountColumn, believed_bounds, read_counts
from simcare.demand.tables import read_sheets
from simcare.errors import BadInput
from simcare.units import month_name

SHOWN_FAULTS = 5


class SeriesRows(NamedTuple):
    """The rows of one series: their months, dates and numbers in the file, its counts, and its other columns."""

    label: str
    months: Months
    dates: tuple[WrittenDate, ...]
    rows: tuple[int, ...]
    counts: CountColumn
    columns: dict[str, Values]


def read_series(path: Path | str) -> dict[str, MonthlyCounts]:
    """Every series of a file by its name: the area, and stage and group where the file has them.

    Raises BadInput with a sentence for each fault: file, row, column, value. Rows are numbered as in a spreadsheet.
    """
    found, left_out = read_all(path)
    if left_out:
        raise BadInput(list(left_out.values()))
    return found


def read_all(path: Path | str) -> tuple[dict[str, MonthlyCounts], dict[str, str]]:
    """The series of a file that can be forecast, and a sentence on each that cannot: too short, all zeros, yearly.

    Raises BadInput as :func:`read_series` for rows that cannot be read, and where no series is left.
    """
    path = Path(path)
    table = headed_table(path, read_sheets(path))
    labels = series_names(path, table)
    faults: list[str] = []
    dates, date_note = _dates(path, table, labels.names, faults)
    counts = read_counts(path, table, faults)
    others, notes = _others(path, table, faults)
    faults = faults or row_faults(path, table, labels.names, dates)
    if faults:
        raise BadInput(_shown(path, faults))
    told = [*table.notes, *labels.notes, *([date_note] if date_note else []), *counts.notes, *notes]
    found: dict[str, MonthlyCounts] = {}
    left_out: dict[str, str] = {}
    for rows in _by_series(table, labels.names, dates, counts, others):
        try:
            found[rows.label] = _series(path, rows, told)
        except BadInput as fault:
            left_out[rows.label] = str(fault)
    if not found:
        raise BadInput(_shown(path, list(left_out.values())))
    for name, note in same_counts(found).items():
        found[name] = replace(found[name], notes=(*found[name].notes, note))
    return found, left_out


def _shown(path: Path, faults: Sequence[str]) -> list[str]:
    more = len(faults) - SHOWN_FAULTS
    return [*faults[:SHOWN_FAULTS], *([f"{path}: and {more} more faults like these"] if more > 0 else [])]


# ---- columns
def _dates(
    path: Path, table: HeadedTable, labels: Sequence[str], faults: list[str]
) -> tuple[list[WrittenDate | None], str | None]:
    """The dates of the rows; what is none becomes a fault, one for all where hardly any is."""
    cells = table.columns["date"]
    found = read_dates(cells, labels)
    wrong = [k for k, date in enumerate(found.dates) if date is None]
    if len(wrong) > max(SHOWN_FAULTS, len(cells) // 2):
        faults.append(
            f"{path}: row {table.rows[wrong[0]]}: date: {cells[wrong[0]]!r} is no month such as 2012-04, and nor are"
            f" {len(wrong) - 1} more dates; a forecast needs a count for each month"
        )
        return list(found.dates), found.note
    for k in wrong:
        got = f"got {cells[k]!r}{_reason(cells[k])}" if cells[k] else "it is empty"
        faults.append(f"{path}: row {table.rows[k]}: date: should be a month such as 2012-04, {got}")
    return list(found.dates), found.note


def _reason(cell: str) -> str:
    try:
        read_date(cell)
    except ValueError as error:
        return f": {error}" if str(error) else ""
    return ""


def _others(path: Path, table: HeadedTable, faults: list[str]) -> tuple[dict[str, Values], list[str]]:
    """Exposure and covariates: columns in which every cell that says something is a number; and sentences on others."""
    found: dict[str, Values] = {}
    only_labels = []
    for name, cells in table.columns.items():
        if name in ("date", "count", *LABELS) or (name != "exposure" and name in table.texts):
            continue
        if name != "exposure" and is_label(name):
            only_labels.append(name)
        elif name == "exposure" or any(map(is_number, cells)):
            found[name] = _numbers(path, table, name, faults)
    notes = []
    if only_labels:
        are = "columns {} number or date" if len(only_labels) > 1 else "column {} numbers or dates"
        named = ", ".join(f"'{name}'" for name in only_labels)
        notes.append(f"The {are.format(named)} the rows: not taken as covariates")
    return found, notes


def _numbers(path: Path, table: HeadedTable, name: str, faults: list[str]) -> Values:
    found = np.full(len(table.rows), np.nan)
    for k, cell in enumerate(table.columns[name]):
        here = f"{path}: row {table.rows[k]}: {name}"
        try:
            found[k] = read_number(cell)
        except ValueError:
            faults.append(f"{here}: should be a number, got {cell!r}")
        if name == "exposure" and found[k] <= 0:
            faults.append(f"{here}: {found[k]:g}; the people at risk must be above zero")
    return found


# ---- series
def _by_series(
    table: HeadedTable,
    labels: Sequence[str],
    dates: Sequence[WrittenDate | None],
    counts: CountColumn,
    others: dict[str, Values],
) -> list[SeriesRows]:
    of: dict[str, list[int]] = {}
    for k, label in enumerate(labels):
        of.setdefault(label, []).append(k)
    whole = [date for date in dates if date is not None]  # each is, or there was a fault
    at = np.array([12 * date.year + date.month - 1 for date in whole])
    return [
        SeriesRows(
            label,
            at[rows],
            tuple(whole[k] for k in rows),
            tuple(table.rows[k] for k in rows),
            counts.at(rows),
            {name: values[rows] for name, values in others.items()},
        )
        for label, rows in of.items()
    ]


def _series(path: Path, rows: SeriesRows, notes: Sequence[str]) -> MonthlyCounts:
    """One series from its rows in any order, gaps as not a number."""
    told = ~np.isnan(rows.counts.values) | ~np.isnan(rows.counts.low)
    counted = rows.months[told]
    _check_months(path, rows, counted)
    first, last = int(counted.min()), int(counted.max())

    def spread(values: Values, until: int) -> Values:
        wide = np.full(until - first + 1, np.nan)
        inside = (rows.months >= first) & (rows.months <= until)
        wide[rows.months[inside] - first] = values[inside]
        return wide

    counts = spread(rows.counts.values, last)
    if (begins := year_to_date(counts, first)) is not None:
        raise BadInput(
            f"{path}: {rows.label}: counts add up from month to month and begin again each {begins}, so they are totals"
            " of the year to date; give the count of each month alone"
        )
    trimmed = without_empty_ends(counts, first)
    bounds = (spread(values, last) for values in (rows.counts.low, rows.counts.high))
    low, high, more = believed_bounds(rows.counts, rows.months, trimmed.counts, *bounds)
    known = np.flatnonzero(~np.isnan(trimmed.counts) | ~np.isnan(low))
    begin, end = (int(known[0]), int(known[-1]) + 1) if known.size else (0, counts.size)
    columns = {name: spread(values, max(last, int(rows.months.max())))[begin:] for name, values in rows.columns.items()}
    series = MonthlyCounts(
        rows.label,
        first + begin,
        trimmed.counts[begin:end],
        notes=(*notes, *trimmed.notes, *more),
        low=low[begin:end] if not np.isnan(low).all() else None,
        high=high[begin:end] if not np.isnan(low).all() else None,
    )
    series = checked(_with_columns(series, columns), str(path))
    of_months = [date for date, is_told in zip(rows.dates, told, strict=True) if is_told]
    return replace(series, notes=(*series.notes, *cautions(series, of_months)))


def _check_months(path: Path, rows: SeriesRows, counted: Months) -> None:
    """Raises BadInput where the months of a series cannot be forecast: none, one far from the others, quarters or
    years."""
    here = f"{path}: {rows.label}"
    if not counted.size:
        raise BadInput(f"{here}: no row has a count")
    if (odd := far_month(rows.months.tolist())) is not None:
        k = rows.months.tolist().index(odd)
        others = [m for m in rows.months.tolist() if abs(m - odd) > 12] or [odd]
        span = f"{month_name(min(others))} to {month_name(max(others))}"
        raise BadInput(
            f"{here}: row {rows.rows[k]}: date: {rows.dates[k]} is years from the other months ({span});"
            " is it mistyped?"
        )
    apart = int(np.gcd.reduce(np.diff(np.sort(counted)))) if counted.size > 2 else 1
    if apart > 1:
        span = {3: "a quarter", 12: "a year"}.get(apart, f"{apart} months")
        raise BadInput(f"{here}: the dates are {span} apart; a forecast needs a count for each month")


def _with_columns(series: MonthlyCounts, columns: dict[str, Values]) -> MonthlyCounts:
    """The series with exposure and covariates: those that say something of every month of the counts; of any other, and
    of those from which nothing can be learnt, a sentence."""
    notes: list[str] = []
    kept: dict[str, Values] = {}
    for name, wide in columns.items():
        known = np.flatnonzero(~np.isnan(wide))
        if known.size == 0:
            continue
        if known[0] > 0 or np.isnan(wide[: known[-1] + 1]).any():
            notes.append(f"The column {name} has gaps or begins after the first count: it is left out")
        elif known[-1] < len(series) - 1:
            notes.append(
                f"The column {name} ends in {month_name(series.first + int(known[-1]))}, before the last count"
                f" ({month_name(series.last)}): it is left out"
            )
        elif name != "exposure" and (why := _nothing_learnt(series, wide[: len(series)])) is not None:
            notes.append(f"The column {name} {why}, and it is left out")
        else:
            kept[name] = wide[: known[-1] + 1]
    exposure = kept.pop("exposure", None)
    return replace(series, exposure=exposure, covariates=kept, notes=(*series.notes, *notes))


def _nothing_learnt(series: MonthlyCounts, values: Values) -> str | None:
    """Why a covariate says nothing of a series, if it does."""
    if np.ptp(values) == 0:
        return "is the same in every month: nothing can be learnt from it"
    steps = np.diff(values)
    if values.size > 2 and np.ptp(steps) <= 1e-9 * np.abs(values).max():
        return "only counts the months on: declare a trend instead"
    of_year = [values[k::12] for k in range(12)]
    if values.size >= 24 and all(np.ptp(month) == 0 for month in of_year if month.size):
        return "only tells the months of the year apart: the season does that"
    seen = series.seen
    if seen.sum() > 3 and np.ptp(series.counts[seen]) > 0:
        gone = np.polyval(np.polyfit(series.counts[seen], values[seen], 1), series.counts[seen]) - values[seen]
        if np.abs(gone).max() <= 1e-6 * np.ptp(values[seen]):
            return "says the same as the count"
    return None


__all__ = ["SeriesRows", "read_all", "read_series"]
