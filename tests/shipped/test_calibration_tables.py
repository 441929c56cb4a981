"""The tables of calibration/: tidy, sourced, complete, and the published figures in them."""

from __future__ import annotations

import csv
import datetime as dt
import math
import subprocess
import sys
from collections import Counter
from pathlib import Path

import polars as pl
import pytest

from simcare.files.library import library
from tests.support.paths import ROOT

TABLES = sorted(library("calibration").glob("*.csv"))
VALUES = ("count", "people", "value")
KEYS = ("date", "area", "series", "variant", "vintage", "from_age", "to_age")


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def table(name: str) -> pl.DataFrame:
    return pl.read_csv(library("calibration") / f"{name}.csv", infer_schema_length=None)


def series(name: str, of: str, area: str = "Kent") -> dict[str, float]:
    found = table(name).filter((pl.col("series") == of) & (pl.col("area") == area))
    return dict(found.select("date", "count").rows())


def parsed(date: str) -> dt.date:
    """A day, a month or a year, to its first day."""
    return dt.date.fromisoformat({10: date, 7: f"{date}-01", 4: f"{date}-01-01"}[len(date)])


def test_the_tables_are_there() -> None:
    assert [path.stem for path in TABLES] == [
        "adults-yearly",
        "children-yearly",
        "drivers-yearly",
        "population-kent",
        "referrals-monthly",
        "spend-yearly",
    ]


@pytest.mark.parametrize("path", TABLES, ids=lambda path: path.stem)
def test_a_table_is_tidy_and_sourced(path: Path) -> None:
    found = rows(path)
    assert found
    (value,) = set(VALUES) & set(found[0])
    for line, row in enumerate(found, start=2):
        where = f"{path.name}: line {line}"
        assert row["source"].strip(), where
        assert row.get("status", "confirmed") in ("confirmed", "derived"), where
        assert dt.date(2010, 1, 1) <= parsed(row["date"]) <= dt.date(2040, 12, 31), where
        assert math.isfinite(float(row[value])), where
        assert float(row[value]) >= 0, where
        assert all(cell is not None and (cell or key == "to_age") for key, cell in row.items()), where
    again = [key for key, times in Counter(tuple(row.get(name) for name in KEYS) for row in found).items() if times > 1]
    assert again == []


def test_kent_has_every_month_of_seven_years() -> None:
    months = table("referrals-monthly").filter(pl.col("area") == "Kent")["date"].to_list()
    assert months == [f"{2012 + k // 12}-{k % 12 + 1:02d}" for k in range(3, 87)]
    assert len(months) == 84


def test_the_months_of_every_authority_are_the_same() -> None:
    counts = table("referrals-monthly").group_by("area").len()
    assert counts.height == 8
    assert counts["len"].to_list() == [84] * 8
    assert "England" not in counts["area"]  # rounded to ten


def test_months_add_up_to_the_published_years() -> None:
    """Table C6 by month against table C1 by year: they agree to the referral in all seven years."""
    kent = table("referrals-monthly").filter(pl.col("area") == "Kent")
    year = pl.col("date").str.slice(0, 4).cast(pl.Int64) + (pl.col("date").str.slice(5).cast(pl.Int64) >= 4)
    sums = kent.group_by(pl.format("{}-03-31", year).alias("year")).agg(pl.col("count").sum())
    assert dict(sums.rows()) == series("children-yearly", "referrals")
    assert dict(sums.rows())["2013-03-31"] == 14_644


@pytest.mark.parametrize(
    ("name", "of", "year", "figure"),
    [
        ("children-yearly", "children_in_need_31mar", 2013, 8_827),
        ("children-yearly", "children_in_need_31mar", 2014, 10_030),
        ("children-yearly", "protection_plans_31mar", 2013, 999),
        ("children-yearly", "re_referrals", 2013, 3_551),
        ("children-yearly", "looked_after_31mar", 2013, 1_828),
        ("children-yearly", "looked_after_started", 2013, 867),
        ("children-yearly", "looked_after_31mar_foster", 2013, 1_459),
        ("adults-yearly", "supported_residents_31mar_65plus_rap", 2013, 4_585),
        ("adults-yearly", "home_care_clients_31mar_all_rap", 2013, 6_990),
        ("adults-yearly", "assessments_completed_65plus_rap", 2013, 17_885),
        ("adults-yearly", "people_supported_reablement_home_care_rap", 2013, 6_995),
    ],
)
def test_figures_are_those_of_the_model(name: str, of: str, year: int, figure: float) -> None:
    assert series(name, of)[f"{year}-03-31"] == figure


def test_unaccompanied_children_are_kept_apart() -> None:
    whole, part, rest = (
        series("children-yearly", f"looked_after_31mar{kind}") for kind in ("", "_unaccompanied", "_not_unaccompanied")
    )
    assert (whole["2016-03-31"], part["2016-03-31"]) == (2_310, 867)
    assert set(rest) == set(part)
    assert all(rest[date] + part[date] == whole[date] for date in rest)
    derived = table("children-yearly").filter(
        (pl.col("area") == "Kent") & (pl.col("series") == "looked_after_31mar") & (pl.col("status") == "derived")
    )
    assert derived["date"].to_list() == ["2018-03-31", "2019-03-31"]


def test_no_series_of_adults_crosses_the_change_of_the_returns() -> None:
    adults = table("adults-yearly")
    assert adults.filter(pl.col("series").str.ends_with("_rap") != (pl.col("return") == "RAP")).is_empty()
    assert adults.filter((pl.col("date") <= "2014-03-31") != (pl.col("return") == "RAP")).is_empty()
    assert {"weeks_nursing_65plus_rap", "weeks_nursing_65plus_salt"} <= set(adults["series"])


def test_the_script_says_what_it_needs_and_a_wrong_folder_makes_nothing(tmp_path: Path) -> None:
    script = [sys.executable, ROOT / "scripts" / "calibration_tables.py"]
    done = subprocess.run(script, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 1
    assert "EVIDENCE_DIR" in done.stderr
    assert subprocess.run([*script, tmp_path, tmp_path], capture_output=True, check=False).returncode != 0
    assert list(tmp_path.iterdir()) == []
