"""Published values: tables of series as departments publish them, and the values of a target in them."""

from __future__ import annotations

import csv
import datetime as dt
import math
from pathlib import Path

from simcare.demand.cells import read_count
from simcare.errors import BadInput
from simcare.files.library import series_file
from simcare.model.calibration import Target
from simcare.model.nearmiss import unknown


def published_values(target: Target, path: Path) -> dict[dt.date, float]:
    """The published values of a target by date; ``path`` is that of the calibration."""
    if target.value is not None:
        assert target.at is not None
        return {target.at: target.value.value}
    assert target.file is not None
    file = series_file(target.file, path)
    rows = _table(file)
    parts = [
        _series(rows, name, target.area, file, target.scale if target.is_share else None) for name in target.series
    ]
    dates = [date for date in parts[0] if all(date in part for part in parts)]
    return {date: sum(part[date] for part in parts) for date in sorted(dates)}


def check_table(name: str | Path) -> str | None:
    """What a CSV of published series holds, in words; None for a file that is no such table. Raises BadInput where it
    is spoilt."""
    path = Path(name)
    if path.suffix.lower() != ".csv" or not path.is_file():
        return None
    with path.open("rb") as text:
        head = text.readline().lower()
    if b"series" not in head or b"count" not in head:
        return None
    rows = _table(path)
    symbols = 0
    for line, row in enumerate(rows, start=2):
        if _is_symbol(row["count"]):
            symbols += 1
        else:
            _valued(row, f"{path}: row {line}: {row['series']}")
    hidden = f" ({symbols} value{'s are symbols' if symbols > 1 else ' is a symbol'}, which no target may ask for)"
    return f"table of {len({row['series'] for row in rows})} published series{hidden if symbols else ''}"


def _is_symbol(cell: str) -> bool:
    """Whether a value is shown as a symbol for what is suppressed or not there."""
    try:
        return bool(cell.strip()) and math.isnan(read_count(cell).value)
    except ValueError:
        return False


def _table(file: Path) -> list[dict[str, str]]:
    """The rows of a table of published values."""
    try:
        with file.open(encoding="utf-8-sig", newline="") as text:
            table = csv.DictReader(text, restkey="", restval="")
            heads, rows = list(table.fieldnames or ()), list(table)
    except UnicodeDecodeError as error:
        raise BadInput(
            f"{file}: is not UTF-8 text (byte {error.start}: 0x{error.object[error.start]:02x}); save it as CSV UTF-8"
        ) from error
    for mark, name in ((";", "semicolons"), ("\t", "tabs")):
        if len(heads) == 1 and mark in heads[0]:
            raise BadInput(f"{file}: its columns are separated by {name}; save it with commas between them")
    lacking = [column for column in ("date", "series", "count") if column not in heads]
    if lacking:
        raise BadInput(f"{file}: has no column '{lacking[0]}'; a file of targets has date, area, series and count")
    if not rows:
        raise BadInput(f"{file}: has no rows under its columns")
    longer = next((line for line, row in enumerate(rows, start=2) if "" in row), None)
    if longer is not None:
        raise BadInput(
            f"{file}: row {longer} has more fields than the {len(heads)} columns; a comma inside a number or a text"
            " needs quotes about it, or to go"
        )
    return rows


def _series(
    rows: list[dict[str, str]], name: str, area: str | None, file: Path, most: float | None
) -> dict[dt.date, float]:
    named = [(line, row) for line, row in enumerate(rows, start=2) if row["series"] == name]
    if not named:
        raise BadInput(f"series: {unknown(name, sorted({row['series'] for row in rows}))} ({file})")
    areas = sorted({row.get("area") or "" for _, row in named})
    if area is None and len(areas) > 1:
        raise BadInput(f"area: {file} has {name} of several areas ({', '.join(areas)}); say which")
    if area is not None and area not in areas:
        raise BadInput(f"area: {unknown(area, areas)} ({file}, {name})")
    found: dict[dt.date, float] = {}
    for line, row in named:
        if area is not None and row.get("area") != area:
            continue
        date, value = _valued(row, f"{file}: row {line}: {name}")
        if value <= 0:
            raise BadInput(f"{file}: row {line}: {name}: a target must be above 0, got {row['count']!r}")
        if date in found:
            raise BadInput(f"{file}: row {line}: {name}: {date} is there twice")
        if most is not None and value > most:
            raise BadInput(
                f"{file}: row {line}: {name}: {value:g} is more than the whole, which is {most:g} (the target's scale;"
                " 100 for percent)"
            )
        found[date] = value
    return found


def _valued(row: dict[str, str], here: str) -> tuple[dt.date, float]:
    """The date and the value of a row; ``here`` is where it stands, for a fault."""
    try:
        date, value = dt.date.fromisoformat(row["date"]), float(row["count"])
    except ValueError as error:
        raise BadInput(
            f"{here}: should hold a date such as 2013-03-31 and a number, got {row['date']!r}, {row['count']!r}"
        ) from error
    if not math.isfinite(value):
        raise BadInput(f"{here}: should be a finite number, got {row['count']!r}")
    return date, value


__all__ = ["check_table", "published_values"]
