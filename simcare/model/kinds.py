"""The kinds of numbers and names that parts are made of: amounts, shares, positive and growing things, checked where
they stand."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from simcare.model.number import DatedNumber, Number, Numbers

Name = Annotated[str, Field(min_length=1, max_length=60, pattern=r"^\S(.*\S)?$")]
FileName = Annotated[
    str,
    Field(
        max_length=60, pattern=r"^[A-Za-z0-9_][A-Za-z0-9_. -]*$", description="Also the name of a folder of results."
    ),
]
PathText = Annotated[str, Field(pattern=r"^[a-z_]+\..+\.[a-z_]+$")]  # part.name.field of a model
Age = Annotated[float, Field(ge=0, le=120)]
Scope = tuple[Name, ...] | None
ClockName = Literal[
    "rise", "recover", "induced", "crisis", "detection", "step_down", "premature", "death", "leaving", "renege"
]
Family = Literal["constant", "piecewise", "weibull", "gompertz", "log_logistic", "lognormal", "mixture"]


MOST_PEOPLE = 10_000_000
LONGEST_WAIT, LONGEST_SPAN = 3653, 36525  # days


def require(ok: bool, sentence: str) -> None:
    if not ok:
        raise ValueError(sentence)


def _values(number: Number | Numbers | DatedNumber) -> tuple[float, ...]:
    if isinstance(number, DatedNumber):
        return number.values
    return number.value if isinstance(number, Numbers) else (number.value,)


def _not_negative(number: Any) -> Any:
    for value in _values(number):
        require(value >= 0, f"cannot be negative, got {value:g}")
    return number


def _above_zero(number: Any) -> Any:
    for value in _values(number):
        require(value > 0, f"must be above 0, got {value:g}")
    return number


def _explained(number: Number) -> Number:
    require(
        number.value >= 0 or bool(number.note),
        f"a cost below 0 is income, got {number.value:g}; leave out the minus sign, or say in its note where the money"
        " comes from",
    )
    return number


def _share(number: Any) -> Any:
    for value in _values(number):
        meant = f"; {value:g} % is {value / 100:g}" if 2 <= value <= 100 else ""
        require(0 <= value <= 1, f"is a share from 0 to 1, got {value:g}{meant}")
    return number


def _adding_to_one(number: Any) -> Any:
    total = sum(_values(number))
    require(abs(total - 1) < 1e-6, f"must add to 1, they add to {total:g}")
    return number


def _whole(number: Number) -> Number:
    require(
        number.value >= 0 and number.value == int(number.value), f"is a whole number of people, got {number.value:g}"
    )
    require(number.value <= MOST_PEOPLE, f"is at most {MOST_PEOPLE:,} people, got {number.value:g}")
    return number


def _rate(number: Number) -> Number:
    require(-0.5 <= number.value <= 1, f"is a rate of change a year from -0.5 to 1, got {number.value:g}")
    return number


def _a_day_or_more(series: DatedNumber) -> DatedNumber:
    for value in series.values:
        require(value >= 1, f"must be a day or more, got {value:g}")
    return series


def _as_many_as_people(series: DatedNumber) -> DatedNumber:
    for value in series.values:
        require(
            value <= MOST_PEOPLE, f"is at most {MOST_PEOPLE:,} places, got {value:g}; leave places out for no limit"
        )
    return series


def _ten_years_or_less(series: DatedNumber) -> DatedNumber:
    for value in series.values:
        require(value <= LONGEST_WAIT, f"is at most {LONGEST_WAIT} days, ten years, got {value:g}")
    return series


def _a_century_or_less(number: Number) -> Number:
    require(number.value <= LONGEST_SPAN, f"is at most {LONGEST_SPAN} days, a hundred years, got {number.value:g}")
    return number


def _twelve_of_mean_one(season: Numbers) -> Numbers:
    require(len(season.value) == 12, f"has 12 factors, April first, got {len(season.value)}")
    mean = sum(season.value) / 12
    require(
        abs(mean - 1) <= 0.02,
        f"factors must average 1, so that per_year is what comes in a year; they average {mean:.3g}",
    )
    return season


Amount = Annotated[Number, AfterValidator(_not_negative)]
Amounts = Annotated[Numbers, AfterValidator(_not_negative)]
AmountSeries = Annotated[DatedNumber, AfterValidator(_not_negative)]
Cost = Annotated[Number, AfterValidator(_explained)]
Positive = Annotated[Number, AfterValidator(_above_zero)]
Positives = Annotated[Numbers, AfterValidator(_above_zero)]
Share = Annotated[Number, AfterValidator(_share)]
Shares = Annotated[Numbers, AfterValidator(_share)]
ShareSeries = Annotated[DatedNumber, AfterValidator(_share)]
Rate = Annotated[Number, AfterValidator(_rate)]
Interval = Annotated[DatedNumber, AfterValidator(_a_day_or_more)]
Places = Annotated[DatedNumber, AfterValidator(_not_negative), AfterValidator(_as_many_as_people)]
Wait = Annotated[DatedNumber, AfterValidator(_not_negative), AfterValidator(_ten_years_or_less)]
Span = Annotated[Number, AfterValidator(_above_zero), AfterValidator(_a_century_or_less)]
Season = Annotated[Numbers, AfterValidator(_not_negative), AfterValidator(_twelve_of_mean_one)]
Count = Annotated[Number, AfterValidator(_whole)]
Mix = Annotated[Numbers, AfterValidator(_share), AfterValidator(_adding_to_one)]


def check_bands(edges: tuple[float, ...], shares: tuple[float, ...], name: str) -> None:
    """Bands hold together: rising edges, one more than the shares, which add to 1."""
    require(all(a < b for a, b in pairwise(edges)) and edges[0] >= 0, f"{name} must rise from 0 or above")
    require(len(edges) == len(shares) + 1, f"{len(shares)} shares need {len(shares) + 1} {name}, got {len(edges)}")
    require(min(shares) >= 0, f"a share cannot be negative, got {min(shares):g}")
    require(abs(sum(shares) - 1) < 1e-6, f"shares must add to 1, they add to {sum(shares):g}")
