"""People by age and date: exact where published, even between, without a jump where the projection takes over; what is
wrong is said."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simcare.demand.population import Population, exposure, people_aged
from simcare.demand.population_file import COLUMNS, read_population
from simcare.errors import BadInput
from simcare.files.library import library
from simcare.files.load import load_model

FILE = library("calibration") / "population-kent.csv"
OLD, NEW = "census2011_based", "census2021_rebased"
BANDS = [(0, 11), (11, 18), (18, 25), (25, 65), (65, 75), (75, 85), (85, None)]


def kent(variant: str | None = "principal", vintage: str = OLD) -> Population:
    return read_population(FILE, "Kent", variant, vintage=vintage)


KENT = kent()


def published(variant: str, area: str, vintage: str, year: int, low: int, high: int | None) -> int:
    frame = pl.read_csv(FILE)
    is_high = pl.col("to_age").is_null() if high is None else pl.col("to_age") == high
    found = frame.filter(
        (pl.col("variant") == variant)
        & (pl.col("area") == area)
        & (pl.col("vintage") == vintage)
        & (pl.col("date") == f"{year}-06-30")
        & (pl.col("from_age") == low)
        & is_high
    )
    return int(found["people"].item())


def mid(year: int) -> dt.date:
    return dt.date(year, 6, 30)


def test_the_file_is_read() -> None:
    assert (KENT.area, KENT.vintage, KENT.variant, KENT.growth_of, KENT.base_until) == (
        "Kent",
        OLD,
        "principal",
        "England",
        2020,
    )
    assert KENT.years == tuple(range(2013, 2041))
    assert kent(None).years == tuple(range(2013, 2021))
    assert kent(None).growth_of is None


@pytest.mark.parametrize("year", range(2013, 2019))
@pytest.mark.parametrize(("low", "high"), BANDS)
def test_a_mid_year_is_as_published(year: int, low: int, high: int | None) -> None:
    assert people_aged(KENT, low, high, mid(year)) == published("backcast", "Kent", OLD, year, low, high)


def test_kent_by_hand() -> None:
    """Aged 65 and over: 286,398 in mid-2013 and 293,916 in mid-2014; 31 March 2014 is 274 of 365 days on."""
    assert people_aged(KENT, 65, None, mid(2013)) == 157_193 + 90_843 + 38_362 == 286_398
    assert people_aged(KENT, 65, None, dt.date(2014, 3, 31)) == pytest.approx(286_398 + 7_518 * 274 / 365)
    # The growth of the model's arrivals of older people, 1.8 % a year, is that of mid-2013 to mid-2019.
    later = people_aged(KENT, 65, None, mid(2019))
    assert later == pytest.approx(319_396)
    assert (later / 286_398) ** (1 / 6) - 1 == pytest.approx(0.018, abs=5e-4)
    assert [people_aged(KENT, 85, None, mid(year)) for year in (2013, 2019)] == pytest.approx([38_362, 43_439])
    assert people_aged(KENT, 0, 1, mid(2019)) == 16_814


def test_between_mid_years_people_change_evenly() -> None:
    first, last = people_aged(KENT, 0, 11, mid(2015)), people_aged(KENT, 0, 11, mid(2016))
    half = mid(2015) + dt.timedelta(days=183)  # of 366
    assert people_aged(KENT, 0, 11, half) == pytest.approx((first + last) / 2)


@given(st.integers(0, 27 * 365), st.integers(0, 27 * 365), st.sampled_from(BANDS))
def test_people_between_mid_years_stay_between_them(a: int, b: int, band: tuple[int, int | None]) -> None:
    """Monotone in each year: within a mid-year pair no value leaves the span, and the order of days is the order of
    people."""
    one, two = sorted((mid(2013) + dt.timedelta(days=a), mid(2013) + dt.timedelta(days=b)))
    low = one.year if one >= mid(one.year) else one.year - 1
    ends = [people_aged(KENT, *band, mid(low)), people_aged(KENT, *band, mid(low + 1))]
    here = people_aged(KENT, *band, one)
    assert min(ends) - 1e-6 <= here <= max(ends) + 1e-6
    if two <= mid(low + 1):
        step = people_aged(KENT, *band, two) - here
        assert step * (ends[1] - ends[0]) >= -1e-3


@given(st.integers(0, 27 * 365))
def test_bands_add_up(days: int) -> None:
    on = mid(2013) + dt.timedelta(days=days)
    assert people_aged(KENT, 0, 11, on) + people_aged(KENT, 11, 18, on) == pytest.approx(people_aged(KENT, 0, 18, on))
    assert sum(people_aged(KENT, low, high, on) for low, high in BANDS) == pytest.approx(people_aged(KENT, 0, None, on))


@pytest.mark.parametrize("variant", ["principal", "high", "low"])
@pytest.mark.parametrize(("low", "high"), BANDS)
def test_nothing_jumps_where_the_projection_takes_over(variant: str, low: int, high: int | None) -> None:
    """Local base × national growth: at the join the base itself, a year on the base times England's growth."""
    projected = kent(variant)
    base = people_aged(kent(None), low, high, mid(2020))
    assert people_aged(projected, low, high, mid(2020)) == base
    day_after = people_aged(projected, low, high, mid(2020) + dt.timedelta(days=1))
    assert abs(day_after / base - 1) < 0.06 / 365
    nation = published(variant, "England", "projection_2018b", 2030, low, high) / published(
        variant, "England", "projection_2018b", 2020, low, high
    )
    assert people_aged(projected, low, high, mid(2030)) == pytest.approx(base * nation)


def test_variants_lie_in_order_and_part_after_the_join_only() -> None:
    low, principal, high = (people_aged(kent(variant), 0, None, mid(2035)) for variant in ("low", "principal", "high"))
    assert low < principal < high
    assert len({people_aged(kent(variant), 0, None, mid(2016)) for variant in ("low", "principal", "high")}) == 1


def test_the_newer_vintage_follows_from_mid_2023() -> None:
    """By hand: 205,096 children of 0-10 in mid-2023 x 6,477,541 / 7,150,506, England's in mid-2030 and mid-2023, is
    185,794."""
    newer = kent("principal_2020b", NEW)
    assert newer.base_until == 2023
    assert people_aged(newer, 0, 11, mid(2023)) == 205_096
    assert people_aged(newer, 0, 11, mid(2030)) == pytest.approx(205_096 * 6_477_541 / 7_150_506)
    assert round(people_aged(newer, 0, 11, mid(2030))) == 185_794
    assert people_aged(newer, 0, 18, mid(2013)) == 323_745
    with pytest.raises(BadInput, match="0-10 cut the band 0-17"):
        people_aged(newer, 0, 11, mid(2013))


def test_exposure_of_the_stages_of_the_model() -> None:
    stages = load_model("kent-2013").stages
    months = [dt.date(2013 + k // 12, k % 12 + 1, 1) for k in range(6, 18)]
    found = exposure(KENT, stages, months)
    assert found.columns == ["month", "date", "stage", "people", "person_years"]
    assert found.height == 12 * 4
    assert found["stage"].unique(maintain_order=True).to_list() == ["0-11", "11-24", "working age", "older people"]
    older = found.filter(pl.col("stage") == "older people")
    # July 2013: the middle is 16.5 days after the 30th of June.
    assert older["people"][0] == pytest.approx(286_398 + 7_518 * 16.5 / 365)
    assert older["person_years"][0] == pytest.approx(older["people"][0] * 31 / 365.25)
    # A year of exposure is the mean of its ends times its length, near enough.
    assert older["person_years"].sum() == pytest.approx((286_398 + 293_916) / 2 * 365 / 365.25, rel=1e-4)
    assert exposure(KENT, stages, []).height == 0


def test_a_band_is_split_only_if_asked() -> None:
    with pytest.raises(BadInput, match='ages 0-15 cut the band 11-17; split="even"'):
        people_aged(KENT, 0, 16, mid(2013))
    assert people_aged(KENT, 0, 16, mid(2013), split="even") == pytest.approx(208_599 + 113_980 * 5 / 7)
    with pytest.raises(BadInput, match=r"ages 90\+ cut the band 85\+; it has no upper end"):
        people_aged(KENT, 90, None, mid(2013), split="even")
    with pytest.raises(BadInput, match="ages 0 cut the band 0-10"):
        people_aged(KENT, 0, 1, mid(2013))
    assert people_aged(KENT, 0, 1, mid(2013), split="even") == pytest.approx(208_599 / 11)


def test_beyond_the_years_only_if_held() -> None:
    for on, nearest in ((dt.date(2012, 1, 1), 2013), (dt.date(2040, 7, 1), 2040)):
        with pytest.raises(BadInput, match=f"{on} is outside mid-2013 to mid-2040; hold=True"):
            people_aged(KENT, 65, None, on)
        assert people_aged(KENT, 65, None, on, hold=True) == people_aged(KENT, 65, None, mid(nearest))


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: people_aged(KENT, 18, 18, mid(2013)), "ages from 18 to 18 hold nobody"),
        (lambda: read_population(FILE, "Kemt", vintage=OLD), "area: unknown 'Kemt', did you mean 'Kent'?"),
        (
            lambda: read_population(FILE, "Kent", "principle", vintage=OLD),
            "variant: unknown 'principle', did you mean 'principal'?",
        ),
        (
            lambda: read_population(FILE, "Kent"),
            "estimates of 2 vintages, which are never mixed; name one: census2011_based, census2021_rebased",
        ),
        (lambda: read_population(FILE, "Kent", vintage="census2011"), "did you mean 'census2011_based'?"),
        (lambda: read_population("nowhere.csv", "Kent"), "nowhere.csv: cannot be read"),
    ],
)
def test_what_is_asked_wrongly_is_said(call: Callable[[], object], sentence: str) -> None:
    with pytest.raises(BadInput) as error:
        call()
    assert sentence in str(error.value)


GOOD = [
    ("2013-06-30", "X", "estimate", "v", "0", "18", "180"),
    ("2013-06-30", "X", "estimate", "v", "18", "", "800"),
    ("2014-06-30", "X", "estimate", "v", "0", "", "1000"),
    ("2014-06-30", "England", "principal", "p", "0", "", "5000"),
    ("2015-06-30", "England", "principal", "p", "0", "", "5500"),
]


def frame(rows: list[tuple[str, ...]]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=list(COLUMNS), orient="row")


def test_a_good_frame_is_read() -> None:
    assert people_aged(read_population(frame(GOOD), "X"), 0, None, mid(2015)) == pytest.approx(1100)


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        (("2014-06-30", "X", "estimate", "v", "0", "", "1"), "rows 4 and 7: X, v, 2014: ages 0+ are given twice"),
        (("2013-06-30", "X", "backcast", "v", "11", "25", "1"), "ages 0-17 and 11-24 overlap"),
        (("2016-06-30", "X", "estimate", "v", "0", "", "1"), "population: X, v: no rows for 2015"),
        (("2017-06-30", "England", "principal", "p", "0", "", "1"), "population: England, principal: no rows for 2016"),
        (("2015-06-30", "X", "estimate", "v", "0", "", "-1"), "row 7: people: should be a number, 0 or more, got '-1'"),
        (
            ("2015-06-30", "X", "estimate", "v", "0", "", "many"),
            "row 7: people: should be a number, 0 or more, got 'many'",
        ),
        (
            ("2015-13-30", "X", "estimate", "v", "0", "", "1"),
            "row 7: date: should be a mid-year day such as 2013-06-30, got '2015-13-30'",
        ),
        (("2015-01-01", "X", "estimate", "v", "0", "", "1"), "row 7: date: should be a mid-year day"),
        (
            ("2015-06-30", "X", "estimate", "v", "x", "", "1"),
            "row 7: from_age: should be a whole number of years, 0 or more, got 'x'",
        ),
        (
            ("2015-06-30", "X", "estimate", "v", "5", "5", "1"),
            "row 7: to_age: should be a whole number of years above from_age, or empty, got '5'",
        ),
        (("2015-06-30", "", "estimate", "v", "5", "", "1"), "row 7: area: is empty"),
        (
            ("2015-06-30", "X", "estimate", "v", "0", "18", "1"),
            "ages 0+ in 2015: X: there is no band for ages 0+ from 18 on",
        ),
    ],
)
def test_a_fault_in_a_file_is_named(row: tuple[str, ...], sentence: str, tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    frame([*GOOD, row]).write_csv(path)
    for source, name in ((path, str(path)), (frame([*GOOD, row]), "population")):
        with pytest.raises(BadInput) as error:
            read_population(source, "X")
        assert sentence.removeprefix("population") in str(error.value)
        assert all(fault.startswith(name) for fault in error.value.faults)


def test_every_fault_is_listed() -> None:
    bad = [("2015-06-30", "X", "estimate", "v", "0", "", "-1"), ("when", "X", "estimate", "v", "0", "", "?")]
    with pytest.raises(BadInput) as error:
        read_population(frame([*GOOD, *bad]), "X")
    assert len(error.value.faults) == 3


def test_a_projection_needs_the_year_of_the_last_estimate() -> None:
    with pytest.raises(BadInput, match="no rows for 2014, the year of the last estimate of X"):
        read_population(frame([*GOOD[:3], GOOD[4]]), "X")


def test_a_column_that_is_not_there() -> None:
    with pytest.raises(BadInput, match="population: has no column people"):
        read_population(frame(GOOD).drop("people"), "X")


def test_an_area_with_its_own_projection_follows_that() -> None:
    own = [("2014-06-30", "X", "principal", "q", "0", "", "10"), ("2015-06-30", "X", "principal", "q", "0", "", "12")]
    found = read_population(frame([*GOOD, *own]), "X")
    assert found.growth_of == "X"
    assert people_aged(found, 0, None, mid(2015)) == pytest.approx(1200)
