"""Tables as councils and departments lay them out: found and read, or refused in one sentence."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import xlsxwriter

from simcare.demand.reading import read_all
from simcare.errors import BadInput
from simcare.units import month_name, month_start, parsed_month

FIRST = parsed_month("2014-04")
COUNTS = [int(c) for c in np.random.default_rng(4).poisson(100, 40)]
MONTHS = [FIRST + k for k in range(len(COUNTS))]
DATES = [month_name(m) for m in MONTHS]
Rows = Sequence[Sequence[object]]
PLAIN: Rows = [["date", "area", "count"], *([d, "Kent", c] for d, c in zip(DATES, COUNTS, strict=True))]


def csv(path: Path, rows: Rows, mark: str = ",", encoding: str = "utf-8", end: str = "\n") -> Path:
    text = end.join(mark.join("" if cell is None else str(cell) for cell in row) for row in rows) + end
    path.write_bytes(text.encode(encoding))
    return path


def workbook(path: Path, **sheets: Rows) -> Path:
    with xlsxwriter.Workbook(path) as book:
        dated = book.add_format({"num_format": "mmm-yy"})
        for name, rows in sheets.items():
            sheet = book.add_worksheet(name.replace("_", " "))
            for r, row in enumerate(rows):
                for c, cell in enumerate(row):
                    if isinstance(cell, dt.date):
                        sheet.write_datetime(r, c, dt.datetime(cell.year, cell.month, cell.day), dated)
                    elif cell is not None:
                        sheet.write(r, c, cell)
    return path


def renamed(*names: str) -> Rows:
    return [list(names), *PLAIN[1:]]


def dated(shape: Callable[[dt.date], object]) -> Rows:
    return [PLAIN[0], *([shape(month_start(m)), "Kent", c] for m, c in zip(MONTHS, COUNTS, strict=True))]


def month_end(day: dt.date) -> dt.date:
    return month_start(day.year * 12 + day.month) - dt.timedelta(days=1)


def excel_day(day: dt.date) -> int:
    return (day - dt.date(1899, 12, 30)).days


READ: dict[str, tuple[Callable[[Path], Path], str]] = {
    "tabs": (lambda p: csv(p / "s.txt", PLAIN, "\t"), ""),
    "UTF-16": (lambda p: csv(p / "s.csv", PLAIN, ",", "utf-16"), "The file is in UTF-16"),
    "UTF-8 with a mark": (lambda p: csv(p / "s.csv", PLAIN, ",", "utf-8-sig"), ""),
    "lines end in CR": (lambda p: csv(p / "s.csv", PLAIN, end="\r"), ""),
    "lines end in CR LF": (lambda p: csv(p / "s.csv", PLAIN, end="\r\n"), ""),
    "month, LA, referrals": (lambda p: csv(p / "s.csv", renamed("Month", "LA", "Referrals")), "'referrals' as count"),
    "names in words": (
        lambda p: csv(p / "s.csv", renamed("Reporting month", "Local Authority Name", "Number of contacts")),
        "'local authority name' as area",
    ),
    "one column of numbers": (lambda p: csv(p / "s.csv", renamed("date", "area", "MASH")), "'mash' as count"),
    "30/04/2014": (lambda p: csv(p / "s.csv", dated(lambda d: f"{month_end(d):%d/%m/%Y}")), ""),
    "American": (
        lambda p: csv(p / "s.csv", dated(lambda d: f"{d:%m/%d/%Y}")),
        "The dates are read with the month first, as in America (04/01/2014)",
    ),
    "American ends of months": (lambda p: csv(p / "s.csv", dated(lambda d: f"{month_end(d):%m/%d/%Y}")), "in America"),
    "2014M04": (lambda p: csv(p / "s.csv", dated(lambda d: f"{d:%YM%m}")), ""),
    "201404": (lambda p: csv(p / "s.csv", dated(lambda d: f"{d:%Y%m}")), ""),
    "Apr-14": (lambda p: csv(p / "s.csv", dated(lambda d: f"{d:%b-%y}")), ""),
    "1st April 2014": (lambda p: csv(p / "s.csv", dated(lambda d: f"1st {d:%B %Y}")), ""),
    "day numbers": (lambda p: csv(p / "s.csv", dated(excel_day)), "day numbers of a spreadsheet (41730)"),
    "dates of a workbook": (lambda p: workbook(p / "s.xlsx", Data=dated(lambda d: d)), ""),
    "years and months": (
        lambda p: csv(
            p / "s.csv",
            [["Year", "Month", "LA", "count"]]
            + [[d[:4], d[5:], "Kent", c] for d, c in zip(DATES, COUNTS, strict=True)],
        ),
        "The date is put together from the columns 'year' and 'month'",
    ),
    "financial years and months": (
        lambda p: csv(
            p / "s.csv",
            [["time_period", "time_identifier", "la_name", "referrals"]]
            + [
                [f"{(m - 3) // 12}{((m - 3) // 12 + 1) % 100:02d}", f"{month_start(m):%B}", "Kent", c]
                for m, c in zip(MONTHS, COUNTS, strict=True)
            ],
        ),
        "put together from the columns 'time_period' and 'time_identifier'",
    ),
    "title lines": (
        lambda p: csv(p / "s.csv", [["Table 4: referrals to social care"], ["England, by month"], [], *PLAIN]),
        "The names of the columns are in row 4; the lines above it (“Table 4: referrals to social care”)",
    ),
    "footnotes": (
        lambda p: csv(p / "s.csv", [*PLAIN, [], ["Source: Department for Education"], ["1. Figures are provisional."]]),
        "The lines below the counts (“Source: Department for Education”) are passed over",
    ),
    "totals": (lambda p: csv(p / "s.csv", [*PLAIN, ["Total", "Kent", sum(COUNTS)]]), "The rows of totals (row 42)"),
    "a header on every page": (lambda p: csv(p / "s.csv", [*PLAIN[:20], PLAIN[0], *PLAIN[20:]]), ""),
    "a cover sheet": (
        lambda p: workbook(p / "s.xlsx", Cover=[["Referrals"], ["Contents"]], Notes=[["x", "y"], [1, 2]], Data=PLAIN),
        "The sheet 'Data' is read",
    ),
    "title lines in a workbook": (
        lambda p: workbook(p / "s.xlsx", Data=[["Referrals by month"], [], *PLAIN, [], ["Source: returns"]]),
        "The names of the columns are in row 3",
    ),
    "merged areas": (
        lambda p: csv(p / "s.csv", [PLAIN[0], PLAIN[1], *([d, "", c] for d, _, c in PLAIN[2:])]),
        "(merged cells): the name holds for the rows below",
    ),
    "empty rows and columns": (
        lambda p: csv(p / "s.csv", [[*row, "", ""] for row in PLAIN] + [["", "", "", "", ""]] * 4),
        "",
    ),
    "columns of any type": (
        lambda p: csv(
            p / "s.csv",
            [[*PLAIN[0], "note", "open", "seen", "rate"]]
            + [[*row, "provisional", "TRUE", "2014-05-01", "n/a"] for row in PLAIN[1:]],
        ),
        "",
    ),
    "marks after figures": (
        lambda p: csv(p / "s.csv", [*PLAIN[:30], *([d, a, f"{c} [p]"] for d, a, c in PLAIN[30:])]),
        "",
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", list(READ))
def test_a_table_is_read_however_it_is_laid_out(kind: str, tmp_path: Path) -> None:
    make, note = READ[kind]
    path = make(tmp_path)
    every, left_out = read_all(path)
    assert not left_out
    (series,) = every.values()
    assert series.name in ("Kent", path.stem)
    assert series.first == FIRST
    assert series.counts.tolist() == COUNTS
    assert not series.covariates
    assert any(note in told for told in series.notes) if note else series.notes == ()


def days(step: int) -> list[dt.date]:
    return [dt.date(2014, 4, 6) + dt.timedelta(days=step * k) for k in range(200 if step < 7 else 120)]


BANDS = ("0-4", "5-9", "10-17")
REFUSED: dict[str, tuple[Callable[[Path], Path], str]] = {
    "semicolons": (lambda p: csv(p / "s.csv", PLAIN, ";"), "its columns are separated by semicolons"),
    "a header that says a name twice": (
        lambda p: csv(p / "s.csv", [["date", "area", "count", "Count"], *([*row, 1] for row in PLAIN[1:])]),
        "the column 'count' is there more than once",
    ),
    "no header": (lambda p: csv(p / "s.csv", PLAIN[1:]), "row 1 has no names of columns"),
    "a comma in a number": (
        lambda p: csv(p / "s.csv", [*PLAIN[:9], ["2014-12", "Kent", "1,200"], *PLAIN[10:]]),
        "row 10 has more cells than there are columns; a comma inside a number",
    ),
    "which is the count": (
        lambda p: csv(p / "s.csv", [["date", "early help", "safeguarding"], *([d, c, c + 1] for d, _, c in PLAIN[1:])]),
        "needs a column 'count'; which of 'early help', 'safeguarding' is it?",
    ),
    "no date": (lambda p: csv(p / "s.csv", renamed("area", "team", "count")), "needs a column 'date'"),
    "weeks": (
        lambda p: csv(p / "s.csv", [PLAIN[0], *([d, "Kent", 20] for d in days(7))]),
        "the rows are a week apart (rows 2 and 3 are both Kent 2014-04)",
    ),
    "days": (lambda p: csv(p / "s.csv", [PLAIN[0], *([d, "Kent", 3] for d in days(1))]), "the rows are a day apart"),
    "bands": (
        lambda p: csv(
            p / "s.csv", [["date", "area", "age", "count"], *([d, a, b, c] for d, a, c in PLAIN[1:] for b in BANDS)]
        ),
        "if 'age' tells them apart, call that column group",
    ),
    "people": (lambda p: csv(p / "s.csv", [PLAIN[0], *([d, "Kent", 1] for d in DATES * 9)]), "add them up"),
    "several sheets": (
        lambda p: workbook(p / "s.xlsx", Kent=PLAIN, Surrey=PLAIN),
        "has 2 sheets with counts ('Kent', 'Surrey'); save the one that is meant as CSV",
    ),
    "no sheet": (
        lambda p: workbook(p / "s.xlsx", Cover=[["Referrals"]], Notes=[["x"]]),
        "has no sheet with the columns date, area and count; its sheets: 'Cover', 'Notes'",
    ),
    "months side by side": (
        lambda p: csv(p / "s.csv", [["area", *DATES[:12]], ["Kent", *COUNTS[:12]], ["Surrey", *COUNTS[:12]]]),
        "has its months side by side",
    ),
    "years": (lambda p: csv(p / "s.csv", dated(lambda d: d.year)), "date: '2014' is no month such as 2012-04"),
    "quarters": (lambda p: csv(p / "s.csv", dated(lambda d: f"{d.year} Q{d.month // 4 + 1}")), "is no month such as"),
    "a day that is not there": (
        lambda p: csv(p / "s.csv", [*PLAIN[:5], ["31/09/2014", "Kent", 5], *PLAIN[6:]]),
        "row 6: date: should be a month such as 2012-04, got '31/09/2014': there is no 31 September 2014",
    ),
    "an area left out": (
        lambda p: csv(p / "s.csv", [*PLAIN[:7], ["2014-10", "", 5], *PLAIN[8:]]),
        "row 8: area: is empty; each row needs its area",
    ),
    "the year to date": (
        lambda p: csv(
            p / "s.csv",
            [PLAIN[0], *([d, "Kent", sum(COUNTS[k - k % 12 : k + 1])] for k, d in enumerate(DATES))],
        ),
        "counts add up from month to month and begin again each April",
    ),
    "a workbook named .csv": (
        lambda p: workbook(p / "s.xlsx", Data=PLAIN).rename(p / "s.csv"),
        "is a workbook, though its name ends in .csv; rename it to .xlsx",
    ),
    "a text named .xlsx": (lambda p: csv(p / "s.xlsx", PLAIN), "is a text, not a workbook"),
    "a PDF": (lambda p: Path(p / "s.csv") if (p / "s.csv").write_bytes(b"%PDF-1.7 x") else p, "is a PDF, not a table"),
    "Parquet cut off": (lambda p: Path(p / "s.parquet") if (p / "s.parquet").write_bytes(b"PAR1abc") else p, "Parquet"),
    "a list": (lambda p: Path(p / "s.csv") if (p / "s.csv").write_bytes(b"104\n99\n") else p, "row 1 has no names"),
    "nothing": (lambda p: csv(p / "s.csv", []), "is empty"),
    "a header alone": (lambda p: csv(p / "s.csv", PLAIN[:1]), "has no rows under the names of its columns"),
}  # fmt: skip


@pytest.mark.parametrize("kind", list(REFUSED))
def test_a_table_that_is_no_series_is_refused_in_one_sentence(kind: str, tmp_path: Path) -> None:
    make, said = REFUSED[kind]
    path = make(tmp_path)
    with pytest.raises(BadInput) as refused:
        read_all(path)
    assert len(refused.value.faults) == 1, refused.value.faults
    assert said in refused.value.faults[0]
    assert str(path) in refused.value.faults[0]


def test_columns_that_date_or_number_rows_are_no_covariates(tmp_path: Path) -> None:
    extra = ["year", "month_no", "la_code", "row", "t2", "season", "again", "jobless"]
    rows = [[*PLAIN[0], *extra]]
    for k, (date, area, count) in enumerate(PLAIN[1:]):
        month = int(str(date)[5:])
        rows.append([date, area, count, date[:4], month, 886, k, 3 * k, month % 4, 2 * count + 1, 5 + (k * k) % 7])  # type: ignore[index,operator]
    (series,) = read_all(csv(tmp_path / "s.csv", rows))[0].values()
    assert set(series.covariates) == {"jobless"}
    told = " ".join(series.notes)
    assert "'year', 'month_no', 'la_code', 'row' number or date the rows" in told
    assert "The column t2 only counts the months on" in told
    assert "The column season only tells the months of the year apart" in told
    assert "The column again says the same as the count" in told


def test_parquet_with_columns_of_any_type(tmp_path: Path) -> None:
    path = tmp_path / "s.parquet"
    pl.DataFrame(
        {
            "date": [month_start(m) for m in MONTHS],
            "count": COUNTS,
            "list": [[1, 2]] * 40,
            "struct": [{"a": 1}] * 40,
            "when": [dt.datetime(2014, 1, 1, 12)] * 40,
            "raw": [b"\xff"] * 40,
            "open": [True] * 40,
            "none": [None] * 40,
        }
    ).write_parquet(path)
    (series,) = read_all(path)[0].values()
    assert series.counts.tolist() == COUNTS
    assert not series.covariates
