"""Any table that people send, as rows of text: CSV, workbooks, Parquet; what is not one is told in a sentence.

What a file is shows in its first bytes, whatever its name says: a text renamed to .xlsx is no workbook.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl

from simcare.demand.plain_text import UTF8, plain_text
from simcare.errors import BadInput

ZIP, OLD_OFFICE, PARQUET, PDF = b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"PAR1", b"%PDF"
LOCKED = "EncryptedPackage".encode("utf-16-le")
WORKBOOKS = (".xlsx", ".xlsm", ".xls", ".xlsb", ".ods")
KINDS = (".csv", ".txt", ".tsv", ".parquet", *WORKBOOKS)
OTHER_VALUES = ((list | pl.Series, "a list"), (dict, "a record"), (bytes, "bytes"), (dt.timedelta, "a time span"))
SAVE = "save it as XLSX or as CSV"


class Sheet(NamedTuple):
    """One table as rows of text, as they stand in the file; ``name`` is None but in a workbook."""

    name: str | None
    rows: list[list[str]]
    notes: tuple[str, ...] = ()


def read_sheets(path: Path) -> list[Sheet]:
    """The tables of a file. Raises BadInput with one sentence for what is no table, or is broken, empty or locked."""
    if not path.is_file():
        raise BadInput(f"{path}: is a folder, not a file" if path.is_dir() else f"{path}: no such file")
    if path.suffix.lower() not in KINDS:
        raise BadInput(f"{path}: a series is a CSV, Parquet or XLSX file, not '{path.suffix or path.name}'")
    try:
        with path.open("rb") as file:
            begins = file.read(4096)
    except OSError as error:
        raise BadInput(f"{path}: cannot be read: {error.strerror}") from error
    if not begins.strip():
        raise BadInput(f"{path}: is empty")
    if begins.startswith(PARQUET) or path.suffix.lower() == ".parquet":
        return [_parquet(path)]
    if begins.startswith((ZIP, OLD_OFFICE)):
        return _workbook(path, begins)
    return [_text(path, begins)]


# ---- workbooks
def _workbook(path: Path, begins: bytes) -> list[Sheet]:
    import fastexcel

    if path.suffix.lower() not in WORKBOOKS:
        raise BadInput(f"{path}: is a workbook, though its name ends in {path.suffix}; rename it to .xlsx")
    try:
        book = fastexcel.read_excel(path)
        return [sheet for name in book.sheet_names if (sheet := _sheet(book, name)) is not None]
    except (fastexcel.FastExcelError, OSError, ValueError, pl.exceptions.PolarsError) as error:
        if begins.startswith(ZIP):
            raise BadInput(
                f"{path}: is a workbook that is cut off or damaged; save it again, or save it as CSV"
            ) from error
        if LOCKED in path.read_bytes():
            raise BadInput(f"{path}: is locked with a password; take the password off, or save it as CSV") from error
        raise BadInput(
            f"{path}: is an old, a damaged or a password-protected workbook that cannot be read; {SAVE}"
        ) from error


def _sheet(book: Any, name: str) -> Sheet | None:
    """A sheet that shows and holds cells; None for any other, such as a chart."""
    import fastexcel

    try:
        sheet = book.load_sheet(name, header_row=None, skip_rows=0, dtypes="string")
        if sheet.visible != "visible" or sheet.width == 0 or sheet.height == 0:
            return None
        table = sheet.to_polars()
    except fastexcel.FastExcelError:
        return None  # no worksheet; a workbook none of whose sheets can be read has no table, which is told
    return Sheet(name, _trimmed([["" if cell is None else cell.strip() for cell in row] for row in table.iter_rows()]))


# ---- Parquet
def _parquet(path: Path) -> Sheet:
    try:
        table = pl.read_parquet(path)
        rows = [list(table.columns), *([_cell(cell) for cell in row] for row in table.iter_rows())]
    except (pl.exceptions.PolarsError, OSError, ValueError, pl.exceptions.PanicException) as error:
        raise BadInput(f"{path}: is not a Parquet file, or is cut off or damaged; write it again") from error
    return Sheet(None, rows)


def _cell(value: Any) -> str:
    """A value as text; what is neither number, date nor text is called what it is, so that it passes for none."""
    if value is None:
        return ""
    for kind, called in OTHER_VALUES:
        if isinstance(value, kind):
            return called
    if isinstance(value, dt.datetime):
        return value.date().isoformat()
    return str(value).strip()


# ---- text
def _text(path: Path, begins: bytes) -> Sheet:
    head = begins.lstrip().lower()
    if head.startswith((b"<html", b"<!doctype", b"<table", b"<?xml", b"<meta", b"<style")):
        raise BadInput(f"{path}: is a web page, not a table; open it in a spreadsheet and {SAVE}")
    if begins.startswith(PDF):
        raise BadInput(f"{path}: is a PDF, not a table; {SAVE}")
    if path.suffix.lower() in WORKBOOKS:
        raise BadInput(f"{path}: is a text, not a workbook, though its name ends in {path.suffix}; rename it to .csv")
    found = plain_text(path.read_bytes())
    text = found.text.replace("\r\n", "\n").replace("\r", "\n")
    try:
        rows = [[cell.strip() for cell in row] for row in csv.reader(io.StringIO(text), delimiter=_mark(path, text))]
    except csv.Error as error:
        raise BadInput(f"{path}: cannot be read as a table of text: {error}") from error
    notes = [] if found.encoding == UTF8 else [f"The file is in {found.encoding}, not UTF-8, and is read as that"]
    return Sheet(None, _trimmed(rows), tuple(notes))


def _mark(path: Path, text: str) -> str:
    """What stands between the columns: a comma or a tab."""
    lines = [line for line in text.split("\n", 200)[:200] if line.strip()]
    fullest = max((sum(mark in line for line in lines), mark) for mark in (";", "\t", "|", ","))
    if sum("," in line for line in lines) >= fullest[0]:
        return ","
    if fullest[1] == "\t":
        return "\t"
    name = {";": "semicolons", "|": "upright bars"}[fullest[1]]
    raise BadInput(f"{path}: its columns are separated by {name}; save it with commas between them")


def _trimmed(rows: Iterable[list[str]]) -> list[list[str]]:
    """Rows without the empty ones and the empty cells at the end, which spreadsheets leave."""
    found = list(rows)
    while found and not any(found[-1]):
        found.pop()
    wide = max((k + 1 for row in found for k, cell in enumerate(row) if cell), default=0)
    return [[*row[:wide], *[""] * (wide - len(row))] for row in found]


__all__ = ["KINDS", "WORKBOOKS", "Sheet", "read_sheets"]
