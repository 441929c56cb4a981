"""Series that are not what they seem: each is told of, and what would spoil a forecast is left out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from simcare.demand.cautions import same_counts, without_empty_ends, year_to_date
from simcare.demand.reading import read_all
from simcare.demand.series import MonthlyCounts
from simcare.errors import BadInput
from simcare.units import month_name, month_start, parsed_month

FIRST = parsed_month("2014-04")
COUNTS = np.random.default_rng(4).poisson(100, 48).astype(float)


def series_of(counts: np.ndarray, tmp_path: Path, dates: list[str] | None = None) -> MonthlyCounts:
    dates = dates or [month_name(FIRST + k) for k in range(len(counts))]
    shown = ("" if np.isnan(count) else f"{count:g}" for count in counts)
    path = tmp_path / "s.csv"
    path.write_text("date,count\n" + "".join(f"{d},{c}\n" for d, c in zip(dates, shown, strict=True)), encoding="utf-8")
    return next(iter(read_all(path)[0].values()))


def swapped(at: dict[int, float]) -> np.ndarray:
    counts = COUNTS.copy()
    for k, value in at.items():
        counts[k] = value
    return counts


def test_sound_counts_need_no_caution(tmp_path: Path) -> None:
    for seed in range(60):
        rng = np.random.default_rng(seed)
        mean = float(rng.choice([0.7, 3.0, 12.0, 100.0, 900.0]))
        season = 1.0 + 0.25 * np.cos(np.arange(60) / 6.0 * np.pi)
        counts = rng.poisson(mean * season * rng.gamma(50.0, 1 / 50.0, 60)).astype(float)
        if counts[0] == 0 or counts[-1] == 0 or not counts.any():
            continue
        assert series_of(counts, tmp_path).notes == (), (seed, counts)


@pytest.mark.parametrize(
    ("counts", "said"),
    [
        (swapped({47: 0, 46: 0, 45: 0}), "The counts from 2018-01 on are 0, after about 99.0 a month"),
        (swapped({47: 0}), "The counts from 2018-03 on are 0"),
        (swapped(dict.fromkeys(range(10), 0.0)), "The counts until 2015-01 are 0, before about"),
        (swapped({47: 31}), "The last month, 2018-03, has 31, far below the 80 or more of the months near it"),
        (swapped({0: 31}), "The first month, 2014-04, has 31, far below"),
        (np.cumsum(COUNTS), "In 48 months the counts never fall: if they are a running total"),
        (np.tile(COUNTS[:12], 4), "Every count is that of the same month a year before, as no real counts are"),
        (swapped(dict.fromkeys(range(10, 18), 104.0)), "The count is 104 in each of 8 months from 2015-02 on"),
        (np.round(COUNTS, -1), "Every count is a multiple of 10: they seem to be rounded"),
        (swapped({10: np.nan}), "No count in 1 of 48 months (2015-02)"),
        (np.full(48, 7.0), "Every count is 7: nothing can be learnt of season or drift"),
    ],
)
def test_counts_that_are_not_what_they_seem_are_told(counts: np.ndarray, said: str, tmp_path: Path) -> None:
    notes = series_of(counts, tmp_path).notes
    assert len(notes) == 1, notes
    assert said in notes[0]


def test_months_not_yet_counted_are_left_out(tmp_path: Path) -> None:
    series = series_of(swapped({47: 0, 46: 0, 45: 0}), tmp_path)
    assert (series.first, series.last) == (FIRST, FIRST + 44)
    series = series_of(swapped(dict.fromkeys(range(20), 0.0)), tmp_path)
    assert (series.first, series.last) == (FIRST + 20, FIRST + 47)


def test_zeros_of_small_counts_are_counts(tmp_path: Path) -> None:
    counts = np.random.default_rng(8).poisson(1.0, 48).astype(float)
    counts[-2:] = 0.0
    assert len(series_of(counts, tmp_path)) == 48
    assert without_empty_ends(counts, FIRST).notes == []


def test_a_last_date_within_its_month_is_told(tmp_path: Path) -> None:
    ends = [f"{np.datetime64(month_start(FIRST + k + 1)) - 1}" for k in range(48)]
    assert series_of(COUNTS, tmp_path, ends).notes == ()
    (note,) = series_of(COUNTS, tmp_path, [*ends[:-1], "2018-03-12"]).notes
    assert "The last date is 2018-03-12, within a month, where the others end one: if 2018-03 is not complete" in note


@pytest.mark.parametrize(("start", "begins"), [("2014-04", "April"), ("2014-07", "April"), ("2014-01", "January")])
def test_totals_of_the_year_to_date_are_found(start: str, begins: str, tmp_path: Path) -> None:
    first, begin = parsed_month(start), 3 if begins == "April" else 0
    counts, total = [], 0.0
    for k, count in enumerate(COUNTS[:40]):
        total = count if (first + k) % 12 == begin else total + count
        counts.append(total)
    assert year_to_date(np.array(counts), first) == begins
    with pytest.raises(BadInput, match=f"begin again each {begins}, so they are totals of the year to date"):
        series_of(np.array(counts), tmp_path, [month_name(first + k) for k in range(40)])
    assert year_to_date(COUNTS, first) is None


@pytest.mark.parametrize("typed", ["0214-08", "2104-08", "1900-01", "1914-08"])
def test_a_date_far_from_all_others_is_refused_at_once(typed: str, tmp_path: Path) -> None:
    dates = [month_name(FIRST + k) for k in range(48)]
    with pytest.raises(BadInput, match=f"row 6: date: {typed} is years from the other months"):
        series_of(COUNTS, tmp_path, [*dates[:4], typed, *dates[5:]])


def test_the_last_year_that_a_calendar_has_is_mistyped(tmp_path: Path) -> None:
    dates = [month_name(FIRST + k) for k in range(48)]
    with pytest.raises(BadInput, match=r"row 6: date: .*got '9999-12': the year 9999 is mistyped"):
        series_of(COUNTS, tmp_path, [*dates[:4], "9999-12", *dates[5:]])


def test_an_area_copied_over_another_is_told() -> None:
    counts = {"A": COUNTS, "B": COUNTS, "C": COUNTS + 1}
    every = {name: MonthlyCounts(name, FIRST, mine) for name, mine in counts.items()}
    assert same_counts(every) == {"B": "Its counts are those of A, month for month: was one copied over the other?"}
