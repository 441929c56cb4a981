"""Which column of a table is what: the header found below title lines, columns by the names that people give them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from simcare.demand.cells import is_number
from simcare.demand.dates import month_called, read_date
from simcare.demand.tables import Sheet
from simcare.errors import BadInput
from simcare.model.nearmiss import unknown

SEARCHED = 60  # rows in which a header is looked for
LABELS = ("area", "stage", "group")
ROLES = ("date", *LABELS, "count", "exposure")
YEARS, MONTHS_OF_YEAR = ("year", "calendar_year", "yr", "time_period", "financial_year"), (
    "month", "month_no", "month_number", "month_num", "mon", "mth", "month_name", "time_identifier",
)  # fmt: skip
SYNONYMS: Mapping[str, tuple[str, ...]] = {
    "date": (
        "date", "month", "period", "year_month", "yearmonth", "month_year", "monthyear", "month_ending", "month_end",
        "month_beginning", "month_start", "month_commencing", "reporting_month", "reporting_period", "calendar_month",
        "time_period", "time", "month_date", "period_end", "period_start", "period_ending", "week_ending",
        "week_commencing", "week", "day",
    ),
    "area": (
        "area", "la", "la_name", "local_authority", "local_authority_name", "authority", "authority_name", "council",
        "council_name", "area_name", "borough", "district", "county", "utla_name", "ltla_name", "lad_name", "geography",
        "geography_name", "location", "locality", "place",
    ),
    "stage": ("stage", "life_stage"),
    "group": ("group", "client_group"),
    "count": (
        "count", "counts", "referrals", "number_of_referrals", "no_of_referrals", "number", "num", "n", "no", "value",
        "contacts", "number_of_contacts", "requests", "number_of_requests", "cases", "number_of_cases", "admissions",
        "assessments", "clients", "people", "children", "adults", "starts", "new_referrals", "new_requests",
        "new_cases", "delayed_days", "volume", "frequency", "observed", "actual", "total", "events", "demand",
    ),
    "exposure": ("exposure",),
}  # fmt: skip
NOT_MEASURED = {
    "year", "yr", "calendar_year", "financial_year", "fy", "fin_year", "month", "month_no", "month_number", "month_num",
    "mon", "mth", "quarter", "qtr", "week", "week_no", "week_number", "period_no", "row", "row_no", "row_number",
    "index", "id", "no", "time_period", "t", "seq", "sequence", "number", "code",
}  # fmt: skip


class HeadedTable(NamedTuple):
    """A table whose columns are known: by role, and by their own names in small letters where they have none.

    ``rows`` are the numbers of its rows in the file, the first being 1. ``texts`` are columns that hold no numbers.
    """

    columns: dict[str, list[str]]
    rows: list[int]
    notes: tuple[str, ...]
    texts: tuple[str, ...] = ()


def plain_name(name: str) -> str:
    """
    >>> plain_name(" LA name (2018)")
    'la_name_2018'
    """
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")


def headed_table(path: Path, sheets: Sequence[Sheet]) -> HeadedTable:
    """The table of counts of a file. Raises BadInput, in one sentence, where none or several are found."""
    found = [(sheet, at) for sheet in sheets if (at := _header(sheet.rows)) is not None]
    if len(found) > 1:
        names = ", ".join(f"'{sheet.name}'" for sheet, _ in found)
        raise BadInput(f"{path}: has {len(found)} sheets with counts ({names}); save the one that is meant as CSV")
    notes: list[str] = []
    if found:
        sheet, at = found[0]
        if len(sheets) > 1:
            notes.append(f"The sheet '{sheet.name}' is read; of {len(sheets)} sheets it is the one with counts")
    elif len(sheets) == 1 and sheets[0].rows:
        sheet, at = sheets[0], _first_row(path, sheets[0].rows)
    else:
        names = ", ".join(f"'{sheet.name}'" for sheet in sheets) or "none"
        raise BadInput(f"{path}: has no sheet with the columns date, area and count; its sheets: {names}")
    if at > 0:
        said = next(cell for row in sheet.rows[:at] for cell in row if cell) if any(map(any, sheet.rows[:at])) else ""
        notes.append(
            f"The names of the columns are in row {at + 1}; the lines above it (“{said[:60]}”) are passed over"
        )
    return _named(path, sheet, at, (*sheet.notes, *notes))


# ---- where the header is
def _header(rows: Sequence[Sequence[str]]) -> int | None:
    """The row that names columns: one for the date, and one for the count or with numbers below it."""
    for at, row in enumerate(rows[:SEARCHED]):
        names = [plain_name(cell) for cell in row]
        dated = any(name in SYNONYMS["date"] for name in names) or any(name in YEARS for name in names)
        below = rows[at + 1 : at + 1 + SEARCHED]
        numbers = any(is_number(cell) for row in below[:3] for cell in row)
        counted = numbers or any(name in SYNONYMS["count"] for name in names)
        if dated and counted and len([name for name in names if name]) > 1 and below:
            return at
    return None


def _first_row(path: Path, rows: Sequence[Sequence[str]]) -> int:
    """The first row, where no row was known for a header; told where it cannot be one."""
    months = max((sum(_is_date(cell) for cell in row) for row in rows[:SEARCHED]), default=0)
    if months >= 6:
        raise BadInput(
            f"{path}: has its months side by side; a series has a row for each month, and columns date, area, count"
        )
    first = rows[0]
    given = [cell for cell in first if cell]
    if any(map(is_number, given)) and (any(map(_is_date, given)) or all(map(is_number, given))):
        raise BadInput(f"{path}: row 1 has no names of columns; the first row should be date,area,count")
    return 0


def _is_date(cell: str) -> bool:
    try:
        read_date(cell)
    except ValueError:
        return False
    return True


# ---- what the columns are
def _named(path: Path, sheet: Sheet, at: int, notes: Sequence[str]) -> HeadedTable:
    header, body = sheet.rows[at], sheet.rows[at + 1 :]
    kept = [(k + at + 2, row) for k, row in enumerate(body) if any(row) and row != header]
    if not kept:
        raise BadInput(f"{path}: has no rows under the names of its columns")
    names = [cell.strip().lower() for cell in header]
    columns: dict[str, list[str]] = {}
    for k, name in enumerate(names):
        cells = [row[k] if k < len(row) else "" for _, row in kept]
        if not name and not any(cells):
            continue
        beyond = not any(names[k:])
        if beyond and (number := next((n for (n, _), cell in zip(kept, cells, strict=True) if is_number(cell)), None)):
            raise BadInput(
                f"{path}: row {number} has more cells than there are columns; a comma inside a number or a text needs"
                " quotes about it, or to go"
            )
        name = name or f"column {k + 1}"
        if name in columns:
            raise BadInput(f"{path}: the column '{name}' is there more than once")
        columns[name] = cells
    roles, told = _roles(path, columns)
    table = {role: columns[name] for role, name in roles.items()} | {
        name: cells for name, cells in columns.items() if name not in roles.values()
    }
    if "date" not in table:
        table, more = _from_year_and_month(path, table, columns)
        told += more
    return _without_notes(HeadedTable(table, [n for n, _ in kept], (*notes, *told)))


def _roles(path: Path, columns: Mapping[str, list[str]]) -> tuple[dict[str, str], list[str]]:
    """The name of the column that has each role, and a sentence on those that go by another name."""
    plain = {plain_name(name): name for name in columns}
    roles = {role: role for role in ROLES if role in columns}
    for role in ROLES:
        if role in roles or role == "count":
            continue
        for synonym in SYNONYMS[role]:
            name = plain.get(synonym)
            if name is not None and name not in roles.values() and (role != "date" or _dates(columns[name])):
                roles[role] = name
                break
    if "date" not in roles:
        free = {name: cells for name, cells in columns.items() if name not in roles.values()}
        dated = [name for name, cells in free.items() if _dates(cells) and not all(map(is_number, filter(None, cells)))]
        roles |= {"date": dated[0]} if len(dated) == 1 else {}
    if "count" not in roles:
        roles["count"] = _count(path, columns, plain, set(roles.values()))
    renamed = [f"'{name}' as {role}" for role, name in roles.items() if name != role]
    return roles, [f"The column {', '.join(renamed)} is read"] if len(renamed) == 1 else (
        [f"The columns {', '.join(renamed)} are read"] if renamed else []
    )


def _dates(cells: Sequence[str]) -> bool:
    """Whether a column holds dates, but for a few cells."""
    given = [cell for cell in cells if cell]
    serial = [cell for cell in given if re.fullmatch(r"\d{5}(\.0+)?", cell)]
    return bool(given) and max(sum(map(_is_date, given)), len(serial)) >= 0.5 * len(given)


def _count(path: Path, columns: Mapping[str, list[str]], plain: Mapping[str, str], taken: set[str]) -> str:
    """The column of counts, where none is called count."""
    known = [plain[name] for name in SYNONYMS["count"] if name in plain and plain[name] not in taken]
    if not known:
        known = [
            name
            for name, cells in columns.items()
            if name not in taken and not is_label(name) and any(map(is_number, cells))
        ]
    others = [name for name in columns if name not in ROLES]
    near = unknown("count", others).partition(", did you mean ")[2]
    if len(known) == 1 and (not near or plain_name(known[0]) in SYNONYMS["count"]):
        return known[0]
    hint = (
        f"; which of {', '.join(repr(name) for name in known)} is it?"
        if len(known) > 1
        else f"; is it the column {near.rstrip('?')}?"
        if near
        else f"; the columns are {', '.join(columns)}"
    )
    raise BadInput(f"{path}: needs a column 'count'{hint}")


def is_label(name: str) -> bool:
    """Whether a column, by its name, numbers or dates rows and measures nothing.

    >>> is_label("Month no"), is_label("la_code"), is_label("unemployment")
    (True, True, False)
    """
    plain = plain_name(name)
    return plain in NOT_MEASURED or plain.endswith(("_code", "_id", "_no", "_number")) or plain.startswith("code_")


def _from_year_and_month(
    path: Path, table: Mapping[str, list[str]], columns: Mapping[str, list[str]]
) -> tuple[dict[str, list[str]], list[str]]:
    """The table with a date put together from a column of years and one of months."""
    plain = {plain_name(name): name for name in columns}
    year = next((plain[name] for name in YEARS if name in plain), None)
    month = next((plain[name] for name in MONTHS_OF_YEAR if name in plain and plain[name] != year), None)
    if year is None or month is None:
        near = unknown("date", [name for name in columns if name not in ROLES]).partition(", did you mean ")[2]
        hint = f"is it the column {near.rstrip('?')}?" if near else f"the columns are {', '.join(columns)}"
        raise BadInput(f"{path}: needs a column 'date'; {hint}")
    dates = [_put_together(y, m) for y, m in zip(columns[year], columns[month], strict=True)]
    rest = {name: cells for name, cells in table.items() if name not in (year, month)}
    return {"date": dates, **rest}, [f"The date is put together from the columns '{year}' and '{month}'"]


def _put_together(year: str, month: str) -> str:
    """
    >>> _put_together("2018", "4"), _put_together("2018/19", "January"), _put_together("201819", "April")
    ('2018-04', '2019-01', '2018-04')
    """
    number = int(month) if re.fullmatch(r"0?\d|1[0-2]", month) else month_called(month)
    financial = re.fullmatch(r"(\d{4})[/-]?(\d{2}|\d{4})", year)
    whole = re.fullmatch(r"(\d{4})(\.0)?", year)
    if number is None or number == 0 or (whole is None and financial is None):
        return f"{year} {month}".strip()
    first = int((whole or financial or ("", year))[1])
    return f"{first + (1 if whole is None and number < 4 else 0):04d}-{number:02d}"


# ---- rows that hold no count
def _without_notes(table: HeadedTable) -> HeadedTable:
    """The table without the sources and notes below it, and without rows of totals."""
    dates, counts = table.columns["date"], table.columns["count"]
    dated = [k for k, cell in enumerate(dates) if _is_date(cell) or is_number(cell)]
    last = dated[-1] if dated else len(dates) - 1
    notes = list(table.notes)
    below = [k for k in range(last + 1, len(dates)) if not is_number(counts[k])]
    if below:
        said = next((cell for k in below for cell in _cells(table, k) if cell), "")
        notes.append(f"The lines below the counts (“{said[:60]}”) are passed over")
    totals = [k for k, cell in enumerate(dates) if re.match(r"(grand |year |annual |sub)?-?total", cell.lower())]
    if totals:
        notes.append(f"The rows of totals (row {table.rows[totals[0]]}) are passed over")
    gone = {*below, *totals}
    kept = [k for k in range(len(dates)) if k not in gone]
    columns = {name: [cells[k] for k in kept] for name, cells in table.columns.items()}
    texts = tuple(
        name for name, cells in columns.items() if name not in ROLES and not all(map(is_number, filter(None, cells)))
    )
    return HeadedTable(columns, [table.rows[k] for k in kept], tuple(notes), texts)


def _cells(table: HeadedTable, k: int) -> Iterator[str]:
    return (cells[k] for cells in table.columns.values())


__all__ = ["LABELS", "ROLES", "HeadedTable", "headed_table", "is_label", "plain_name"]
