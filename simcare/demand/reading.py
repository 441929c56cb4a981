"""Reading series from tidy files: CSV, Parquet or XLSX with the columns date, area, count.

Optional columns are ``stage`` and ``group`` (a series each), ``exposure`` (people) and any further column of numbers,
which is a covariate. Months after the last count may have a row with exposure or covariates and an empty count: what is
known or planned of the months to be forecast.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np
import polars as pl

from simcare.demand.months import Months
from simcare.demand.series import MonthlyCounts, Values, checked
from simcare.errors import BadInput
from simcare.model.nearmiss import unknown
from simcare.units import month_index, month_name

T = TypeVar("T")
NEEDED = ("date", "count")
LABELS = ("area", "stage", "group")
KNOWN = ("date", "area", "stage", "group", "count", "exposure")
NO_NUMBER = {
    "",
    "c",
    "x",
    "z",
    "*",
    ".",
    "..",
    ":",
    "-",
    "na",
    "n/a",
    "nan",
    "null",
    "none",
}  # how official tables say "suppressed" or "not there"
SHOWN_FAULTS = 5


def read_series(path: Path | str) -> dict[str, MonthlyCounts]:
    """Every series of a file by its name: the area, and stage and group where the file has them.

    Raises BadInput with a sentence for each fault: file, row, column, value. Rows are numbered as in a spreadsheet, the
    header being row 1.
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
    table = _table(path)
    names_ = [c.strip().lower() for c in table.columns]
    if twice := sorted({c for c in names_ if names_.count(c) > 1}):
        raise BadInput(f"{path}: the column '{twice[0]}' is there more than once")
    table = table.rename(dict(zip(table.columns, names_, strict=True)))
    _check_columns(path, table)
    faults: list[str] = []
    date = _column(table, "date", path, faults, _month)
    values = {c: _column(table, c, path, faults, _value) for c in _numeric(table)}
    _check_values(path, values, faults)
    labels = [c for c in LABELS if c in table.columns]
    names = [
        " / ".join(filter(None, (str(table[c][i] or "").strip() for c in labels))) or path.stem
        for i in range(table.height)
    ]
    _check_months(path, names, date, faults)
    if faults:
        raise BadInput(
            faults[:SHOWN_FAULTS]
            + [f"{path}: and {len(faults) - SHOWN_FAULTS} more faults like these"] * (len(faults) > SHOWN_FAULTS)
        )
    rows: dict[str, list[int]] = {}
    for i, label in enumerate(names):
        rows.setdefault(label, []).append(i)
    months_at = np.array([int(d or 0) for d in date])
    numbers = {c: np.array([np.nan if v is None else v for v in column], dtype=float) for c, column in values.items()}
    found: dict[str, MonthlyCounts] = {}
    left_out: dict[str, str] = {}
    for label, of in rows.items():
        try:
            found[label] = _series(path, label, months_at[of], {c: v[of] for c, v in numbers.items()})
        except BadInput as fault:
            left_out[label] = str(fault)
    if not found:
        raise BadInput(list(left_out.values())[:SHOWN_FAULTS])
    return found, left_out


def _table(path: Path) -> pl.DataFrame:
    """The file with every cell as text."""
    if not path.is_file():
        raise BadInput(f"{path}: no such file")
    try:
        if path.suffix.lower() == ".parquet":
            table = pl.read_parquet(path)
        elif path.suffix.lower() in (".xlsx", ".xls", ".ods"):
            table = pl.read_excel(path)
        elif path.suffix.lower() in (".csv", ".txt"):
            table = pl.read_csv(path, infer_schema=False, encoding="utf8-lossy")
        else:
            raise BadInput(f"{path}: a series is a CSV, Parquet or XLSX file, not '{path.suffix}'")
    except (pl.exceptions.PolarsError, OSError, ValueError) as error:
        raise BadInput(f"{path}: cannot be read as a table: {str(error).splitlines()[0]}") from error
    if table.is_empty():
        raise BadInput(f"{path}: has no rows")
    return table.with_columns(pl.all().cast(pl.String))


def _check_columns(path: Path, table: pl.DataFrame) -> None:
    if len(table.columns) == 1 and ";" in table.columns[0]:
        raise BadInput(f"{path}: its columns are separated by semicolons; save it with commas between them")
    for need in NEEDED:
        if need not in table.columns:
            others = [c for c in table.columns if c not in KNOWN]
            near = unknown(need, others).partition(", did you mean ")[2]
            hint = (
                f"; is it the column {near.rstrip('?')}?" if near else f"; the columns are {', '.join(table.columns)}"
            )
            raise BadInput(f"{path}: needs a column '{need}'{hint}")


def _numeric(table: pl.DataFrame) -> list[str]:
    """Count, exposure, and the covariates: columns in which every cell that says something is a number."""
    found = ["count"] + ["exposure"] * ("exposure" in table.columns)
    for name in table.columns:
        if name not in KNOWN:
            cells = [cell for cell in table[name].to_list() if (cell or "").strip().lower() not in NO_NUMBER]
            if cells and all(_is_number(cell) for cell in cells):
                found.append(name)
    return found


def _is_number(cell: str) -> bool:
    try:
        _value(cell)
    except ValueError:
        return False
    return True


def _value(cell: str | None) -> float | None:
    text = (cell or "").strip()
    if re.fullmatch(r"-?\d{1,3}(,\d{3})+(\.\d+)?", text):
        text = text.replace(",", "")  # thousands; any other comma is a fault
    if text.lower() in NO_NUMBER:
        return None
    value = float(text)
    if not np.isfinite(value):
        raise ValueError(text)
    return value


def _month(cell: str | None) -> int:
    """The month of a date as people write it: 2012-04, 2012-04-30, 30/04/2012, Apr 2012, April 2012."""
    text = (cell or "").strip()
    text = re.sub(r"[T ]00:00:00(\.0+)?$", "", text)
    for shape in ("%Y-%m-%d", "%Y-%m", "%d/%m/%Y", "%m/%Y", "%b %Y", "%B %Y", "%b-%y", "%Y/%m/%d"):
        try:
            return month_index(dt.datetime.strptime(text, shape).date())
        except ValueError:
            continue
    raise ValueError(text)


def _column(
    table: pl.DataFrame, name: str, path: Path, faults: list[str], read: Callable[[str | None], T | None]
) -> list[T | None]:
    """A column's cells as values; what cannot be read becomes a fault."""
    found: list[T | None] = []
    for i, cell in enumerate(table[name].to_list()):
        try:
            found.append(read(cell))
        except ValueError:
            should = "a month such as 2012-04" if name == "date" else "a number"
            faults.append(f"{path}: row {i + 2}: {name}: should be {should}, got {cell!r}")
            found.append(None)
    return found


def _check_values(path: Path, values: dict[str, list[float | None]], faults: list[str]) -> None:
    for i, count in enumerate(values["count"]):
        if count is not None and count < 0:
            faults.append(f"{path}: row {i + 2}: count: {count:g} is below zero; a count of people cannot be")
        if count is not None and count >= 0 and count != round(count):
            faults.append(f"{path}: row {i + 2}: count: {count:g} is no whole number; give counts of people, not rates")
    for i, people in enumerate(values.get("exposure", [])):
        if people is not None and people <= 0:
            faults.append(f"{path}: row {i + 2}: exposure: {people:g}; the people at risk must be above zero")


def _check_months(path: Path, names: Sequence[str], date: Sequence[int | None], faults: list[str]) -> None:
    rows: dict[tuple[str, int], int] = {}
    for i, (label, month) in enumerate(zip(names, date, strict=True)):
        if month is None:
            continue
        if (label, month) in rows:
            faults.append(
                f"{path}: row {i + 2}: {label} {month_name(month)} is there already, in row {rows[label, month] + 2}"
            )
        rows.setdefault((label, month), i)


def _series(path: Path, label: str, at: Months, columns: dict[str, Values]) -> MonthlyCounts:
    """One series from its rows in any order, gaps as not a number."""
    counted = at[~np.isnan(columns["count"])]
    if not counted.size:
        raise BadInput(f"{path}: {label}: no row has a count")
    first, last = int(counted.min()), int(counted.max())
    apart = int(np.gcd.reduce(np.diff(np.sort(counted)))) if counted.size > 2 else 1
    if apart > 1:
        span = {3: "a quarter", 12: "a year"}.get(apart, f"{apart} months")
        raise BadInput(f"{path}: {label}: the dates are {span} apart; a forecast needs a count for each month")
    notes: list[str] = []

    def spread(name: str) -> Values:
        until = last if name == "count" else int(at.max())
        wide = np.full(max(until, last) - first + 1, np.nan)
        inside = (at >= first) & (at <= until)
        wide[at[inside] - first] = columns[name][inside]
        return wide

    exposure = _trimmed("exposure", spread("exposure"), first, last, notes) if "exposure" in columns else None
    others = [name for name in columns if name not in ("count", "exposure")]
    covariates = {name: _trimmed(name, spread(name), first, last, notes) for name in others}
    kept = {name: values for name, values in covariates.items() if values is not None}
    for name in [n for n, values in kept.items() if np.ptp(values[: last - first + 1]) == 0]:
        notes.append(f"The column {name} is the same in every month: nothing can be learnt from it, and it is left out")
        del kept[name]
    return checked(MonthlyCounts(label, first, spread("count"), exposure, kept, tuple(notes)), str(path))


def _trimmed(name: str, wide: Values, first: int, last: int, notes: list[str]) -> Values | None:
    """A column that says something of every month of the counts, cut where it ends; None, with a note, if it ends too
    early."""
    known = np.flatnonzero(~np.isnan(wide))
    if known.size == 0:
        return None
    if known[0] > 0 or np.isnan(wide[: known[-1] + 1]).any():
        notes.append(f"The column {name} has gaps or begins after the first count: it is left out")
        return None
    if known[-1] < last - first:
        ends = month_name(first + int(known[-1]))
        notes.append(f"The column {name} ends in {ends}, before the last count ({month_name(last)}): it is left out")
        return None
    return wide[: known[-1] + 1]


__all__ = ["read_all", "read_series"]
