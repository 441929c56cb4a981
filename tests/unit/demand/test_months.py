"""Working days and school holidays of months."""

from __future__ import annotations

import datetime as dt

import pytest

from simcare.demand.months import school_breaks, school_holidays, shares_of_school_holidays, working_days
from simcare.units import parsed_month

YEARS = range(2010, 2027)


def months(year: int) -> list[int]:
    return [parsed_month(f"{year}-{month:02d}") for month in range(1, 13)]


@pytest.mark.parametrize("year", YEARS)
def test_schools_are_open_on_about_as_many_days_as_the_law_says(year: int) -> None:
    """190 days with pupils, and 5 of training without."""
    open_days = sum(working_days(m) * (1 - school_holidays(m)) for m in months(year))
    assert 190 <= open_days <= 197


@pytest.mark.parametrize("year", YEARS)
def test_august_is_all_holidays_and_june_and_november_have_none_to_speak_of(year: int) -> None:
    shares = dict(zip(range(1, 13), shares_of_school_holidays(months(year)), strict=True))
    assert shares[8] == 1.0
    assert max(shares[month] for month in (3, 6, 9, 11)) < 0.3
    assert 0.2 < shares[7] < 0.5
    assert min(shares[month] for month in (4, 12)) > 0.1


@pytest.mark.parametrize(
    ("year", "begin"),
    [  # Easter was on 31 March, 20 April, 5 April, 27 March, 16 April, 1 April and 21 April
        (2013, dt.date(2013, 4, 1)),
        (2014, dt.date(2014, 4, 7)),
        (2015, dt.date(2015, 4, 6)),
        (2016, dt.date(2016, 3, 28)),
        (2017, dt.date(2017, 4, 3)),
        (2018, dt.date(2018, 4, 2)),
        (2019, dt.date(2019, 4, 8)),
    ],
)
def test_easter_holidays_are_two_weeks_beside_easter_as_near_the_first_monday_of_april_as_can_be(
    year: int, begin: dt.date
) -> None:
    assert school_breaks(year)[2] == (begin, begin + dt.timedelta(days=11))


def test_the_week_in_may_follows_a_bank_holiday_that_was_moved() -> None:
    assert school_breaks(2022)[3] == (dt.date(2022, 5, 30), dt.date(2022, 6, 3))
    assert school_breaks(2012)[3][0] == dt.date(2012, 6, 4)
    assert school_breaks(2019)[3][0] == dt.date(2019, 5, 27)
