"""How many people there are, by age and date, and the exposure of life stages to risk.

Between mid-years people change evenly; files are read by :mod:`simcare.demand.population_file`.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import polars as pl

from simcare.errors import BadInput
from simcare.model.parts import Stage
from simcare.units import YEAR_DAYS, month_index, month_name, month_start

Split = Literal["even"] | None


class AgeBand(NamedTuple):
    """People of the ages ``[from_age, to_age)`` on a mid-year day; no ``to_age`` is no upper end."""

    from_age: int
    to_age: int | None
    people: float

    def __str__(self) -> str:
        return age_label(self.from_age, self.to_age)


@dataclass(frozen=True)
class Population:
    """People of an area by age band, mid-year by mid-year; made by
    :func:`simcare.demand.population_file.read_population`.

    ``years`` are consecutive; ``bands[k]`` are those of mid-``years[k]``, by age, and do not overlap; they may be cut
    otherwise in another year. ``base_until`` is the last year that is estimated; from then on people are base × growth
    of ``variant`` in ``growth_of`` (both None where nothing is projected).
    """

    area: str
    vintage: str
    variant: str | None
    growth_of: str | None
    base_until: int
    years: tuple[int, ...]
    bands: tuple[tuple[AgeBand, ...], ...]


def age_label(from_age: float, to_age: float | None) -> str:
    """Ages as people say them.

    >>> age_label(0, 11), age_label(85, None), age_label(0, 1)
    ('0-10', '85+', '0')
    """
    if to_age is None:
        return f"{from_age:g}+"
    return f"{from_age:g}" if to_age - from_age == 1 else f"{from_age:g}-{to_age - 1:g}"


def open_end(age: float | None) -> float:
    """An upper age as a number: infinity where there is none."""
    return math.inf if age is None else age


def people_within(bands: Iterable[AgeBand], low: float, high: float | None, split: Split) -> tuple[float, str | None]:
    """People of ``[low, high)``, and what stands in the way, if anything."""
    total, at, end = 0.0, low, open_end(high)
    for band in bands:
        top = open_end(band.to_age)
        if top <= low or band.from_age >= end:
            continue
        if band.from_age > at:
            break
        if band.from_age < low or top > end:
            if math.isinf(top) or split is None:
                way = "it has no upper end" if math.isinf(top) else 'split="even" shares it evenly by age'
                return 0.0, f"ages {age_label(low, high)} cut the band {band}; {way}"
            total += band.people * (min(top, end) - max(band.from_age, low)) / (top - band.from_age)
        else:
            total += band.people
        at = top
    if at < end:
        return 0.0, f"there is no band for ages {age_label(low, high)} from {at:g} on"
    return total, None


def _mid(year: int) -> int:
    """The mid-year day, counted in days."""
    return dt.date(year, 6, 30).toordinal()


def _on(population: Population, low: float, high: float | None, day: float, split: Split, hold: bool) -> float:
    """People on a day (a proleptic ordinal, perhaps a fraction), interpolated between the mid-years around it."""
    if low < 0 or open_end(high) <= low:
        raise BadInput(
            f"ages from {low:g} to {high:g} hold nobody"
            if high is not None
            else f"from_age must not be below 0, got {low:g}"
        )
    years = population.years
    if not _mid(years[0]) <= day <= _mid(years[-1]):
        if not hold:
            shown = dt.date.fromordinal(int(day))
            raise BadInput(
                f"{population.area}: {shown} is outside mid-{years[0]} to mid-{years[-1]}; hold=True keeps the nearest"
                " year"
            )
        day = min(max(day, _mid(years[0])), _mid(years[-1]))
    year = dt.date.fromordinal(int(day)).year
    first = year if day >= _mid(year) else year - 1
    share = (day - _mid(first)) / (_mid(first + 1) - _mid(first))
    found = 0.0
    for part, weight in ((first, 1.0 - share), (first + 1, share)):
        if weight > 0.0:
            people_then, why = people_within(population.bands[part - years[0]], low, high, split)
            if why:
                raise BadInput(f"{population.area}, mid-{part}: {why}")
            found += weight * people_then
    return found


def people_aged(
    population: Population,
    from_age: float,
    to_age: float | None,
    date: dt.date,
    *,
    split: Split = None,
    hold: bool = False,
) -> float:
    """People of the ages ``[from_age, to_age)`` (None: no upper end) on a day.

    Linear between mid-years, hence monotone between them and exact on 30 June; bands are summed. Raises BadInput where
    ages cut a band, unless ``split="even"`` shares the band evenly by age, where a band is missing or the open last one
    is cut, and before the first and after the last mid-year, unless ``hold`` keeps the nearest.

    >>> bands = (AgeBand(0, 18, 1800.0),), (AgeBand(0, 11, 1100.0), AgeBand(11, 18, 1065.0))
    >>> two = Population("X", "v", None, None, 2014, (2013, 2014), bands)
    >>> people_aged(two, 0, 18, dt.date(2013, 6, 30)), people_aged(two, 0, 18, dt.date(2013, 9, 11))
    (1800.0, 1873.0)
    >>> people_aged(two, 0, 11, dt.date(2013, 6, 30), split="even")
    1100.0
    >>> people_aged(two, 0, 11, dt.date(2013, 6, 30))
    Traceback (most recent call last):
    ...
    simcare.errors.BadInput: X, mid-2013: ages 0-10 cut the band 0-17; split="even" shares it evenly by age
    """
    return _on(population, from_age, to_age, date.toordinal(), split, hold)


def exposure(
    population: Population,
    stages: Sequence[Stage],
    months: Sequence[dt.date],
    *,
    split: Split = None,
    hold: bool = False,
) -> pl.DataFrame:
    """How many are at risk in each life stage, month by month.

    Columns: month ("2013-04"), date (its first day), stage, people (in the middle of the month, which is the mean of a
    month in which people change evenly) and person_years = people × days of the month ÷ 365.25. A row for a month and
    stage, in the order given; ``months`` are any days of them. Errors as for :func:`people_aged`.

    >>> bands = (AgeBand(65, None, 1000.0),), (AgeBand(65, None, 1365.0),)
    >>> one = Population("X", "v", None, None, 2014, (2013, 2014), bands)
    >>> exposure(one, [Stage(name="older people", from_age=65)], [dt.date(2013, 7, 1)]).rows()
    [('2013-07', datetime.date(2013, 7, 1), 'older people', 1016.5, 86.273...)]
    """
    rows = []
    for month in months:
        first, after = month_start(month_index(month)), month_start(month_index(month) + 1)
        days = (after - first).days
        for stage in stages:
            count = _on(population, stage.from_age, stage.to_age, first.toordinal() + days / 2.0, split, hold)
            rows.append((month_name(month_index(month)), first, stage.name, count, count * days / YEAR_DAYS))
    kinds = {"month": pl.String, "date": pl.Date, "stage": pl.String, "people": pl.Float64, "person_years": pl.Float64}
    return pl.DataFrame(rows, schema=kinds, orient="row")
