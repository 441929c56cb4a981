"""Reading monthly series: what is taken, what is told, and what is refused in one sentence."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from simcare.demand.months import working_days
from simcare.demand.reading import read_all, read_series
from simcare.demand.series import MonthlyCounts, checked
from simcare.demand.shifts import shift_notes
from simcare.errors import BadInput
from simcare.units import month_name, parsed_month

FIRST = parsed_month("2014-04")
COUNTS = [100 + (7 * k) % 23 for k in range(40)]


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    def make(name: str = "s.csv", **columns: list[object]) -> Path:
        dates = [month_name(FIRST + k) for k in range(len(COUNTS))]
        frame = pl.DataFrame({"date": dates, "area": ["X"] * len(dates), "count": COUNTS} | columns, strict=False)
        path = tmp_path / name
        {"csv": frame.write_csv, "parquet": frame.write_parquet, "xlsx": frame.write_excel}[path.suffix[1:]](path)  # type: ignore[operator]
        return path

    return make


def swapped(values: list[object], at: int, new: object) -> list[object]:
    return [*values[:at], new, *values[at + 1 :]]


@pytest.mark.parametrize("name", ["s.csv", "s.parquet", "s.xlsx"])
def test_three_kinds_of_file_say_the_same(write: Callable[..., Path], name: str) -> None:
    found = read_series(write(name))["X"]
    assert found.first == FIRST
    assert found.counts.tolist() == COUNTS


@pytest.mark.parametrize("shape", ["{y}-{m:02d}-01", "01/{m:02d}/{y}", "{y}-{m:02d}-28 00:00:00"])
def test_dates_as_people_write_them(write: Callable[..., Path], shape: str) -> None:
    dates = [shape.format(y=(FIRST + k) // 12, m=(FIRST + k) % 12 + 1) for k in range(len(COUNTS))]
    assert read_series(write(date=dates))["X"].first == FIRST


def test_rows_may_come_in_any_order_and_areas_stages_and_groups_are_series_of_their_own(
    write: Callable[..., Path],
) -> None:
    frame = pl.read_csv(write())
    both = pl.concat([frame.with_columns(stage=pl.lit(s)) for s in ("a", "b")]).sort("count")
    path = write().with_name("both.csv")
    both.write_csv(path)
    found = read_series(path)
    assert set(found) == {"X / a", "X / b"}
    assert all(s.counts.tolist() == COUNTS for s in found.values())


def test_a_gap_and_a_suppressed_count_are_missing_and_told(write: Callable[..., Path]) -> None:
    found = read_series(write(count=swapped(list(map(str, COUNTS)), 5, "c")))["X"]
    assert np.flatnonzero(~found.seen).tolist() == [5]
    assert any("No count in 1 of 40 months (2014-09)" in note for note in found.notes)
    path = write()
    pl.read_csv(path).filter(~pl.int_range(pl.len()).is_between(10, 12)).write_csv(path)
    assert np.flatnonzero(~read_series(path)["X"].seen).tolist() == [10, 11, 12]


def test_what_is_known_of_months_to_come_is_kept(write: Callable[..., Path]) -> None:
    counts = [*COUNTS[:-6], *[None] * 6]
    path = write(
        count=counts, exposure=[1000.0 + k for k in range(40)], jobless=[5.0 + 0.1 * (k % 7) for k in range(40)]
    )
    found = read_series(path)["X"]
    assert len(found) == 34
    assert found.exposure is not None
    assert found.exposure.size == found.covariates["jobless"].size == 40
    assert found.exposures(found.last + 1, 2).tolist() == [1034.0, 1035.0]


def test_exposure_goes_on_growing_as_it_did() -> None:
    found = MonthlyCounts("X", 0, np.ones(24), 1000.0 * 1.001 ** np.arange(24))
    assert found.exposures(24, 3) == pytest.approx(1000.0 * 1.001 ** np.arange(24, 27))
    jumped = MonthlyCounts("X", 0, np.ones(24), np.repeat([1000.0, 1500.0], 12)).exposures(24, 120)
    assert jumped[-1] == pytest.approx(1500.0 * 1.03**10, rel=0.01)


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"count": swapped(list(COUNTS), 3, -2)}, "row 5: count: -2 is below zero"),
        ({"count": swapped(list(map(str, COUNTS)), 3, "many")}, "row 5: count: should be a number, got 'many'"),
        ({"count": swapped([float(c) for c in COUNTS], 3, 1.5)}, "row 5: count: 1.5 is no whole number"),
        ({"exposure": swapped([10] * 40, 3, 0)}, "row 5: exposure: 0; the people at risk must be above zero"),
        (
            {"date": swapped([month_name(FIRST + k) for k in range(40)], 3, "2014-06")},
            "row 5: X 2014-06 is there already, in row 4",
        ),
        (
            {"date": swapped([month_name(FIRST + k) for k in range(40)], 3, "soon")},
            "row 5: date: should be a month such as 2012-04, got 'soon'",
        ),
        ({"count": [0] * 40}, "X: every count is zero"),
        ({"date": [f"{1980 + k}-03-31" for k in range(40)]}, "X: the dates are a year apart"),
        ({"date": [month_name(FIRST + 3 * k) for k in range(40)]}, "X: the dates are a quarter apart"),
        ({"exposure": swapped(["10"] * 40, 3, "12,5")}, "row 5: exposure: should be a number, got '12,5'"),
        ({"count": [None] * 29 + COUNTS[:11]}, "X: 11 months with a count; a forecast needs 12 or more"),
    ],
)
def test_what_cannot_be_is_refused_in_one_sentence(
    write: Callable[..., Path], columns: dict[str, list[object]], said: str
) -> None:
    with pytest.raises(BadInput) as refused:
        read_series(write(**columns))
    assert len(refused.value.faults) == 1
    assert said in refused.value.faults[0]
    assert "s.csv" in refused.value.faults[0]


def test_a_series_that_cannot_be_forecast_does_not_take_the_others_with_it(write: Callable[..., Path]) -> None:
    path = write()
    frame = pl.read_csv(path)
    pl.concat([frame, frame[:5].with_columns(area=pl.lit("short"))]).write_csv(path)
    found, left_out = read_all(path)
    assert set(found) == {"X"}
    assert "short: 5 months with a count" in left_out["short"]
    with pytest.raises(BadInput, match="short: 5 months"):
        read_series(path)


def test_semicolons_and_marks_of_spreadsheets(write: Callable[..., Path]) -> None:
    path = write()
    text = path.read_text(encoding="utf-8")
    path.write_text("\ufeff" + text.replace("100", '"1,100"'), encoding="utf-8")
    assert read_series(path)["X"].counts[0] == 1100
    path.write_text(text.replace(",", ";"), encoding="utf-8")
    with pytest.raises(BadInput, match="separated by semicolons"):
        read_series(path)


def test_a_misspelt_column_is_told_with_its_near_miss(write: Callable[..., Path]) -> None:
    path = write()
    pl.read_csv(path).rename({"count": "cuont"}).write_csv(path)
    with pytest.raises(BadInput, match="needs a column 'count'; is it the column 'cuont'"):
        read_series(path)


@pytest.mark.parametrize(
    ("column", "said"),
    [
        (
            [5.0 + 0.1 * (k % 7) for k in range(30)] + [None] * 10,
            "The column jobless ends in 2016-09, before the last count (2017-07): it is left out",
        ),
        (
            [None] * 5 + [5.0 + 0.1 * (k % 7) for k in range(35)],
            "The column jobless has gaps or begins after the first count: it is left out",
        ),
        ([5.0] * 40, "The column jobless is the same in every month"),
    ],
)
def test_a_covariate_that_cannot_be_used_is_left_out_with_a_sentence(
    write: Callable[..., Path], column: list[object], said: str
) -> None:
    found = read_series(write(jobless=column))["X"]
    assert not found.covariates
    assert any(said in note for note in found.notes)


def test_a_level_shift_is_told_and_chance_is_not() -> None:
    rng = np.random.default_rng(3)
    shifted = checked(
        MonthlyCounts("X", FIRST, np.concatenate([rng.poisson(200, 30), rng.poisson(300, 30)]).astype(float)), "x"
    )
    assert any(note.startswith("A break near 2016-1") and "rise by" in note for note in shift_notes(shifted))
    small = checked(MonthlyCounts("X", FIRST, rng.poisson(1.5, 60).astype(float)), "x")
    assert not any("break" in note for note in shift_notes(small))


@pytest.mark.parametrize(
    ("month", "days"), [("2012-06", 19), ("2013-12", 20), ("2014-08", 20), ("2022-06", 20), ("2023-05", 20)]
)
def test_working_days_leave_out_bank_holidays(month: str, days: int) -> None:
    assert working_days(parsed_month(month)) == days
