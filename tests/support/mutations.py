"""Files spoilt as people and programs spoil them: bytes, values, types, keys, dates, numbers, tables that are gone.

Every mutation is drawn by Hypothesis, so that a failure names the smallest one that fails.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
from hypothesis import strategies as st

from tests.support.paths import ROOT

TOKEN = re.compile(
    r"""(?P<key>^[A-Za-z_]+(?=\s*=)|(?<=[{,]\s)[a-z_]+(?=\s*=))|(?P<text>"[^"\n]*")|(?P<date>\d{4}-\d\d-\d\d)"""
    r"""|(?P<number>-?\b\d+(?:\.\d+)?(?:e-?\d+)?\b)|(?P<table>^\[\[?[\w.]+\]\]?$)""",
    re.MULTILINE,
)
NUMBERS = ["0", "-1", "1", "0.5", "120", "1e9", "1e300", "-1e300", "1e-300", "4000000", "99999999999999999999", "nan"]
NUMBERS += [
    "inf",
    "-inf",
    "true",
    '"12"',
    '"twelve"',
    "[]",
    "[1]",
    "{}",
    "2014-04-01",
    "2014-04-01T12:00:00",
    "12:30:00",
]
NUMBERS += ["{ value = 1 }", "[[1]]", "1_000", "0x1F", "'''x'''", "1,5", "£5", "40%"]
DATES = [
    "9999-12-31",
    "0001-01-01",
    "1950-01-01",
    "2150-01-01",
    "2013-02-29",
    "2014-13-01",
    '"2014-04-01"',
    "2014",
    "0",
]
DATES += ["2014-04-01T00:00:00Z", "01/04/2014", "true", "[2014-04-01]", "1899-12-31", "2200-01-01", '""', "{}"]
TEXTS = ['""', '" "', '"x"', '"é"', '"\\u0000"', '"a\\nb"', '"[bold]"', '"../x"', '"/"', '"."', "1", "true", "[]", "{}"]
TEXTS += ["2014-04-01", '["x"]', '"' + "x" * 300 + '"', '"{}"', '"%s"', '"nan"', '"assumption"', "[[]]", '"council"']
KEYS = ["name", "value", "x", "grade", "steps", "kind", "from", "to", "start", '""', "é", "a.b", "source", "extends"]
TABLES = ["[x]", "[[x]]", "[about]", "[[about]]", "[]", "[[]]", "[[clocks]]", "[prices]", "[[strategies]]", "[market]"]
POOL = {"number": NUMBERS, "date": DATES, "text": TEXTS, "key": KEYS, "table": TABLES}
CELLS = [
    "",
    " ",
    "x",
    "-1",
    "0",
    "1e300",
    "nan",
    "inf",
    "1,5",
    "9999-12",
    "0001-01",
    "2013-02-30",
    "2014/15",
    "c",
    "é",
    '"',
]
CELLS += [
    "[c]",
    "12.5",
    "=1+1",
    "#REF!",
    "TRUE",
    "45000",
    "99999999999999999999",
    "1e-320",
    "-",
    "date",
    "Kent",
    "\x00",
    "4e6",
]
BYTES = [
    b"\xff",
    b"\x00",
    b"\xe9",
    b"\xef\xbb\xbf",
    b"\xff\xfe",
    b"\r",
    b"\r\n",
    b"\t",
    b'"',
    b"'",
    b"[",
    b"]",
    b"=",
    b"#",
]
BYTES += [
    "–".encode(),
    "“".encode(),
    b"\x80",
    b"\x1a",
    b"PK\x03\x04",
    b";",
    b",",
    b"\n\n",
    b"{",
    b"}",
    "\u2028".encode(),
]
Mutation = Callable[[st.DrawFn, str], str]


def place(draw: st.DrawFn, count: int) -> int:
    return draw(st.integers(0, max(0, count - 1)))


# ---- text of TOML
def other_token(draw: st.DrawFn, text: str) -> str:
    """A key, value, date or table in place of another."""
    found = list(TOKEN.finditer(text))
    if not found:
        return text
    match = found[place(draw, len(found))]
    kind = str(match.lastgroup)
    pool = POOL[kind] if draw(st.integers(0, 3)) else draw(st.sampled_from(list(POOL.values())))
    return text[: match.start()] + draw(st.sampled_from(pool)) + text[match.end() :]


def swapped_tokens(draw: st.DrawFn, text: str) -> str:
    """A token of the file in place of another of its kind: a name that exists and does not fit."""
    found = list(TOKEN.finditer(text))
    if not found:
        return text
    match = found[place(draw, len(found))]
    same = [other.group() for other in found if other.lastgroup == match.lastgroup]
    return text[: match.start()] + same[place(draw, len(same))] + text[match.end() :]


def without_line(draw: st.DrawFn, text: str) -> str:
    lines = text.split("\n")
    del lines[place(draw, len(lines))]
    return "\n".join(lines)


def line_twice(draw: st.DrawFn, text: str) -> str:
    lines = text.split("\n")
    at = place(draw, len(lines))
    return "\n".join([*lines[:at], lines[at], *lines[at:]])


def lines_swapped(draw: st.DrawFn, text: str) -> str:
    lines = text.split("\n")
    a, b = place(draw, len(lines)), place(draw, len(lines))
    lines[a], lines[b] = lines[b], lines[a]
    return "\n".join(lines)


def without_table(draw: st.DrawFn, text: str) -> str:
    """A table, with all that it holds, is gone."""
    parts = re.split(r"(?m)^(?=\[)", text)
    del parts[place(draw, len(parts))]
    return "".join(parts)


def table_twice(draw: st.DrawFn, text: str) -> str:
    parts = re.split(r"(?m)^(?=\[)", text)
    at = place(draw, len(parts))
    return "".join([*parts[: at + 1], *parts[at:]])


def misspelt(draw: st.DrawFn, text: str) -> str:
    """A letter of a token is gone."""
    found = list(TOKEN.finditer(text))
    if not found:
        return text
    at = draw(st.integers(0, 3)) + found[place(draw, len(found))].start()
    return text[:at] + text[at + 1 :]


OF_TEXT: tuple[Mutation, ...] = (
    *(other_token, other_token, other_token, other_token, swapped_tokens, swapped_tokens),
    *(without_line, line_twice, lines_swapped, without_table, table_twice, misspelt),
)


# ---- rows of a table
def other_cell(draw: st.DrawFn, text: str) -> str:
    lines = text.split("\n")
    at = place(draw, len(lines))
    cells = lines[at].split(",")
    cells[place(draw, len(cells))] = draw(st.sampled_from(CELLS))
    lines[at] = ",".join(cells)
    return "\n".join(lines)


def other_column(draw: st.DrawFn, text: str) -> str:
    """A column whose cells all hold another thing."""
    rows = [line.split(",") for line in text.split("\n")]
    at, cell = place(draw, len(rows[0])), draw(st.sampled_from(CELLS))
    for row in rows[draw(st.integers(0, 1)) :]:
        if len(row) > at:
            row[at] = cell
    return "\n".join(",".join(row) for row in rows)


def without_column(draw: st.DrawFn, text: str) -> str:
    rows = [line.split(",") for line in text.split("\n")]
    at = place(draw, len(rows[0]))
    return "\n".join(",".join(row[:at] + row[at + 1 :]) for row in rows)


OF_ROWS: tuple[Mutation, ...] = (
    other_cell,
    other_cell,
    other_cell,
    other_column,
    without_column,
    without_line,
    line_twice,
)


# ---- bytes
def spoilt_bytes(draw: st.DrawFn, data: bytes) -> bytes:
    """Bytes put in, taken out, turned, cut off or said twice."""
    at = place(draw, len(data) + 1)
    kind = draw(st.sampled_from(["in", "out", "turned", "cut", "twice", "tail"]))
    if kind == "in":
        return data[:at] + draw(st.sampled_from(BYTES)) + data[at:]
    if kind == "out":
        return data[:at] + data[at + draw(st.integers(1, 40)) :]
    if kind == "turned":
        return data[:at] + bytes([draw(st.integers(0, 255))]) + data[at + 1 :]
    if kind == "cut":
        return data[:at]
    return data + data[:at] if kind == "twice" else data[at:]


@st.composite
def spoilt_text(draw: st.DrawFn, text: str, mutations: tuple[Mutation, ...]) -> bytes:
    """A text with one to three things wrong, now and then with spoilt bytes or other line ends."""
    for _ in range(draw(st.integers(1, 3))):
        text = draw(st.sampled_from(mutations))(draw, text)
    data = text.encode("utf-8", "surrogatepass")
    finish = draw(st.integers(0, 11))
    if finish == 0:
        return spoilt_bytes(draw, data)
    if finish == 1:
        return data.replace(b"\n", draw(st.sampled_from([b"\r\n", b"\r", b"\n\n", b" \n", b"\t\n"])))
    if finish == 2:
        return text.encode(draw(st.sampled_from(["utf-16", "cp1252", "utf-8-sig", "utf-32", "latin-1"])), "replace")
    return data


@st.composite
def spoilt_workbook(draw: st.DrawFn, book: bytes) -> bytes:
    """A workbook cut, with bytes turned, or whole with the text of one of its parts spoilt."""
    if draw(st.integers(0, 2)) == 0:
        return spoilt_bytes(draw, book)
    with zipfile.ZipFile(io.BytesIO(book)) as packed:
        parts = {name: packed.read(name) for name in packed.namelist()}
    name = draw(st.sampled_from(sorted(parts)))
    if draw(st.integers(0, 4)) == 0:
        del parts[name]
    else:
        inner = parts[name]
        values = list(re.finditer(rb"(?<=>)[^<>]+(?=<)|(?<=\")[^\"]*(?=\")", inner))
        if values and draw(st.booleans()):
            match = values[place(draw, len(values))]
            cell = draw(st.sampled_from(CELLS)).replace("\x00", "").replace('"', "").encode()
            parts[name] = inner[: match.start()] + cell + inner[match.end() :]
        else:
            parts[name] = spoilt_bytes(draw, inner)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as packed:
        for each, content in parts.items():
            packed.writestr(each, content)
    return out.getvalue()


COLUMNS: tuple[Callable[[pl.Expr], pl.Expr], ...] = (
    lambda c: pl.concat_list([c, c]),
    lambda c: pl.struct([c.alias("inner")]),
    lambda c: c.cast(pl.String).cast(pl.Binary),
    lambda c: c.cast(pl.String).cast(pl.Categorical),
    lambda c: pl.lit(None),
    lambda c: pl.lit(True),
    lambda c: pl.lit(pl.Series([1.5])).first(),
    lambda c: pl.lit(9.9e300),
    lambda c: pl.duration(days=3),
    lambda c: pl.datetime(2014, 4, 1, time_unit="us", time_zone="Europe/London"),
    lambda c: pl.date(9999, 12, 1),
    lambda c: pl.time(12, 30),
    lambda c: pl.int_range(pl.len()) * 10**9,
    lambda c: pl.lit("é\x00"),
    lambda c: pl.lit(1).cast(pl.Decimal(10, 2)),
)


@st.composite
def spoilt_parquet(draw: st.DrawFn, frame: pl.DataFrame) -> bytes:
    """A Parquet file with a column of another type, or with spoilt bytes."""
    out = io.BytesIO()
    column = draw(st.sampled_from(frame.columns))
    if draw(st.integers(0, 3)):
        frame = frame.with_columns(draw(st.sampled_from(COLUMNS))(pl.col(column)).alias(column))
    frame.write_parquet(out)
    return spoilt_bytes(draw, out.getvalue()) if draw(st.integers(0, 3)) == 0 else out.getvalue()


def shipped(*names: str) -> dict[str, str]:
    """The texts of files of the repository, by path."""
    return {name: (ROOT / name).read_text(encoding="utf-8") for name in names}


def kent(years: int) -> pl.DataFrame:
    """The first months of two areas' referrals, as a frame of date, area, count."""
    frame = pl.read_csv(ROOT / "calibration" / "referrals-monthly.csv").select("date", "area", "count")
    return frame.filter(pl.col("area").is_in(["Kent", "Medway"])).group_by("area", maintain_order=True).head(12 * years)


def as_workbook(frame: pl.DataFrame) -> bytes:
    out = io.BytesIO()
    frame.write_excel(out)
    return out.getvalue()


def write(folder: Path, name: str, data: bytes, beside: dict[str, Any] | None = None) -> Path:
    """A file in a folder, with the files that it may name beside it."""
    for other, text in (beside or {}).items():
        (folder / other).write_text(text, encoding="utf-8")
    path = folder / name
    path.write_bytes(data)
    return path
