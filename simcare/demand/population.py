"""How many people there are, by age and date: estimates of a place, carried on by a projection, and the exposure of
life stages to risk.

A population file has a row for an age band on a mid-year day (30 June):
``date, area, variant, vintage, from_age, to_age, people``, further columns (``status``, ``source``) are for the reader.
Ages are whole years, ``to_age`` is exclusive and empty where a band has no upper end. Variants ``estimate`` and
``backcast`` are the known past; any other is a projection. Two vintages of estimates (before and after a census is
counted) are never mixed. A place without a projection of its own follows the nation's: *local base × national growth*,
band by band,

    people_aged(band, year) = people(band, last estimate) × national(band, year) / national(band, year of the last estimate),

so that nothing jumps where the estimates end, and only growth, never a level, is taken from a projection.
"""

from __future__ import annotations

import calendar
import datetime as dt
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

import polars as pl

from simcare.errors import BadInput
from simcare.model.nearmiss import unknown
from simcare.model.parts import Stage
from simcare.units import YEAR_DAYS

PAST = ("estimate", "backcast")  # the variants that say what was, not what will be
COLUMNS = ("date", "area", "variant", "vintage", "from_age", "to_age", "people")
OLDEST = 85

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
    """People of an area by age band, mid-year by mid-year; made by ``read_population``.

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


# ---- reading
class _Row(NamedTuple):
    line: int
    year: int
    area: str
    variant: str
    vintage: str
    band: AgeBand


_Years = dict[int, tuple[AgeBand, ...]]


def read_population(
    source: Path | str | pl.DataFrame,
    area: str,
    variant: str | None = "principal",
    *,
    vintage: str | None = None,
    national: str = "England",
) -> Population:
    """The population of an area from a file (or a frame of its columns).

    ``variant``: the projection that carries the estimates on, of the area itself where the file has it, otherwise of
    ``national``; None for estimates alone. ``vintage`` of the estimates: may be left out where the file has one for the
    area. The projection needs the year of the last estimate, and bands that the estimates of that year fill; from then
    on the bands are the projection's.

    Raises BadInput, with a sentence for every fault: file, row (the header is row 1), column and value; bands that
    overlap; rows given twice; years that are missing; an area, variant or vintage that is not there.

    >>> rows = [("2019-06-30", "Kent", "estimate", "a", 85, None, 43439), ("2019-06-30", "England", "principal", "b", 85, None, 100),
    ...         ("2020-06-30", "England", "principal", "b", 85, None, 103)]
    >>> kent = read_population(pl.DataFrame(rows, schema=list(COLUMNS), orient="row"), "Kent")
    >>> kent.growth_of, kent.base_until, kent.years, round(kent.bands[1][0].people, 2)
    ('England', 2019, (2019, 2020), 44742.17)
    """
    name = "population" if isinstance(source, pl.DataFrame) else str(source)
    rows = _rows(source, name)
    past = _of(rows, area, PAST)
    if not past:
        raise BadInput(f"{name}: area: {unknown(area, sorted({row.area for row in rows if row.variant in PAST}))}")
    vintages = sorted({row.vintage for row in past})
    if vintage is None and len(vintages) > 1:
        raise BadInput(
            f"{name}: {area} has estimates of {len(vintages)} vintages, which are never mixed; name one:"
            f" {', '.join(vintages)}"
        )
    chosen = vintages[0] if vintage is None else vintage
    if chosen not in vintages:
        raise BadInput(f"{name}: vintage: {unknown(chosen, vintages)}")
    base = _by_year([row for row in past if row.vintage == chosen])
    faults = _gaps(base, f"{name}: {area}, {chosen}")
    until, growth_of = max(base), None
    if variant is not None:
        ahead, growth_of = _projection(rows, name, area, variant, national)
        faults += _gaps(ahead, f"{name}: {growth_of}, {variant}")
        faults += [] if faults else _carry(base, ahead, f"{name}: {growth_of}, {variant}", area)
    if faults:
        raise BadInput(faults)
    years = tuple(sorted(base))
    return Population(area, chosen, variant, growth_of, until, years, tuple(base[year] for year in years))


def _of(rows: Iterable[_Row], area: str, variants: Sequence[str]) -> list[_Row]:
    return [row for row in rows if row.area == area and row.variant in variants]


def _by_year(rows: Iterable[_Row]) -> _Years:
    found: dict[int, list[AgeBand]] = {}
    for row in rows:
        found.setdefault(row.year, []).append(row.band)
    return {year: tuple(sorted(bands, key=lambda band: band.from_age)) for year, bands in found.items()}


def _gaps(years: _Years, where: str) -> list[str]:
    missing = [str(year) for year in range(min(years), max(years)) if year not in years]
    return [f"{where}: no rows for {', '.join(missing)}"] if missing else []


def _projection(rows: Sequence[_Row], name: str, area: str, variant: str, national: str) -> tuple[_Years, str]:
    """The projection that an area follows, and whose it is."""
    for place in (area, national):
        if found := _of(rows, place, [variant]):
            kinds = sorted({row.vintage for row in found})
            if len(kinds) > 1:
                raise BadInput(
                    f"{name}: {place}, {variant}: projections of {len(kinds)} vintages share the name:"
                    f" {', '.join(kinds)}"
                )
            return _by_year(found), place
    known = sorted({row.variant for row in rows if row.area in (area, national) and row.variant not in PAST})
    raise BadInput(f"{name}: variant: {unknown(variant, known)}")


def _carry(base: _Years, ahead: _Years, where: str, area: str) -> list[str]:
    """Adds the years after the last estimate to ``base``: what the projection grows by, band by band. Returns what
    stands in the way."""
    last = max(base)
    if last not in ahead:
        return [f"{where}: no rows for {last}, the year of the last estimate of {area}, from which growth is counted"]
    faults = []
    start: dict[tuple[int, int | None], tuple[float, float]] = {}
    for band in ahead[last]:
        here, why = _sum(base[last], band.from_age, band.to_age, None)
        if why or band.people <= 0:
            faults.append(
                f"{where}: ages {band} in {last}: " + (f"{area}: {why}" if why else "nobody to count growth from")
            )
        start[band[:2]] = (here, band.people)
    later: _Years = {}
    for year in sorted(year for year in ahead if year > last):
        strange = [str(band) for band in ahead[year] if band[:2] not in start]
        faults += [f"{where}: ages {', '.join(strange)} are there in {year} and not in {last}"] if strange else []
        if not faults:
            later[year] = tuple(
                band._replace(people=start[band[:2]][0] * band.people / start[band[:2]][1]) for band in ahead[year]
            )
    base.update(later)
    return faults


def _rows(source: Path | str | pl.DataFrame, name: str) -> list[_Row]:
    """Every row of a file, checked."""
    frame = source if isinstance(source, pl.DataFrame) else _read(Path(source), name)
    if missing := [column for column in COLUMNS if column not in frame.columns]:
        raise BadInput(f"{name}: has no column {', '.join(missing)}; the columns are {', '.join(COLUMNS)}")
    faults: list[str] = []
    rows = [
        row
        for line, record in enumerate(frame.iter_rows(named=True), 2)
        if (row := _row(record, f"{name}: row {line}", line, faults))
    ]
    faults += _clashes(rows, name)
    if faults:
        raise BadInput(faults)
    if not rows:
        raise BadInput(f"{name}: has no rows")
    return rows


def _read(path: Path, name: str) -> pl.DataFrame:
    try:
        return pl.read_csv(path, infer_schema=False)
    except OSError as error:
        raise BadInput(f"{name}: cannot be read: {error.strerror or 'no such file'}") from error
    except pl.exceptions.PolarsError as error:
        raise BadInput(f"{name}: is not a complete, valid CSV file: {str(error).splitlines()[0]}") from error


def _row(record: Mapping[str, object], where: str, line: int, faults: list[str]) -> _Row | None:
    """A row as numbers; what is wrong with it goes to ``faults``."""
    text = {column: "" if record[column] is None else str(record[column]).strip() for column in COLUMNS}
    before = len(faults)
    faults += [f"{where}: {column}: is empty" for column in ("area", "variant", "vintage") if not text[column]]
    try:
        date = dt.date.fromisoformat(text["date"])
    except ValueError:
        date = dt.date.min
    if (date.month, date.day) != (6, 30):
        faults.append(f"{where}: date: should be a mid-year day such as 2013-06-30, got {text['date']!r}")
    low, high = _number(text["from_age"]), _number(text["to_age"])
    if low is None or low < 0 or low != int(low):
        faults.append(f"{where}: from_age: should be a whole number of years, 0 or more, got {text['from_age']!r}")
    elif text["to_age"] and (high is None or high != int(high) or high <= low):
        faults.append(
            f"{where}: to_age: should be a whole number of years above from_age, or empty, got {text['to_age']!r}"
        )
    people = _number(text["people"])
    if people is None or people < 0:
        faults.append(f"{where}: people: should be a number, 0 or more, got {text['people']!r}")
    if len(faults) > before or low is None or people is None:
        return None
    return _Row(
        line,
        date.year,
        text["area"],
        text["variant"],
        text["vintage"],
        AgeBand(int(low), None if high is None else int(high), people),
    )


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _clashes(rows: Iterable[_Row], name: str) -> list[str]:
    """Rows given twice, and bands that overlap: estimates and backcast of a year count as one set."""
    sets: dict[tuple[str, str, str, int], list[_Row]] = {}
    for row in rows:
        kind = PAST[0] if row.variant in PAST else row.variant
        sets.setdefault((row.area, kind, row.vintage, row.year), []).append(row)
    faults = []
    for found in sets.values():
        found.sort(key=lambda row: (row.band.from_age, row.line))
        reach = found[0]  # the row that goes furthest so far
        for row in found[1:]:
            first, second = sorted((reach.line, row.line))
            if row.band[:2] == reach.band[:2]:
                faults.append(
                    f"{name}: rows {first} and {second}: {row.area}, {row.vintage}, {row.year}: ages {row.band} are"
                    " given twice"
                )
            elif _end(row.band.from_age) < _end(reach.band.to_age):
                faults.append(
                    f"{name}: rows {first} and {second}: {row.area}, {row.vintage}, {row.year}: ages {reach.band} and"
                    f" {row.band} overlap"
                )
            if _end(row.band.to_age) > _end(reach.band.to_age):
                reach = row
    return faults


def _end(age: float | None) -> float:
    return math.inf if age is None else age


# ---- counting
def _sum(bands: Iterable[AgeBand], low: float, high: float | None, split: Split) -> tuple[float, str | None]:
    """People of ``[low, high)``, and what stands in the way, if anything."""
    total, at, end = 0.0, low, _end(high)
    for band in bands:
        top = _end(band.to_age)
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
    if low < 0 or _end(high) <= low:
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
            people_then, why = _sum(population.bands[part - years[0]], low, high, split)
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

    >>> two = Population("X", "v", None, None, 2014, (2013, 2014), ((AgeBand(0, 18, 1800.0),), (AgeBand(0, 11, 1100.0), AgeBand(11, 18, 1065.0))))
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
    stage, in the order given; ``months`` are any days of them. Errors as for ``people``.

    >>> one = Population("X", "v", None, None, 2014, (2013, 2014), ((AgeBand(65, None, 1000.0),), (AgeBand(65, None, 1365.0),)))
    >>> exposure(one, [Stage(name="older people", from_age=65)], [dt.date(2013, 7, 1)]).rows()
    [('2013-07', datetime.date(2013, 7, 1), 'older people', 1016.5, 86.273...)]
    """
    rows = []
    for month in months:
        first = month.replace(day=1)
        days = calendar.monthrange(first.year, first.month)[1]
        for stage in stages:
            count = _on(population, stage.from_age, stage.to_age, first.toordinal() + days / 2.0, split, hold)
            rows.append((f"{first:%Y-%m}", first, stage.name, count, count * days / YEAR_DAYS))
    kinds = {"month": pl.String, "date": pl.Date, "stage": pl.String, "people": pl.Float64, "person_years": pl.Float64}
    return pl.DataFrame(rows, schema=kinds, orient="row")


def growth(
    population: Population,
    from_age: float,
    to_age: float | None,
    start: dt.date,
    end: dt.date,
    *,
    split: Split = None,
    hold: bool = False,
) -> float:
    """People of some ages on ``end`` ÷ those on ``start``: 1.1 is a tenth more. Errors as for ``people``, and where
    nobody is there on ``start``.

    >>> old = Population("X", "v", None, None, 2014, (2013, 2014), ((AgeBand(85, None, 400.0),), (AgeBand(85, None, 420.0),)))
    >>> growth(old, 85, None, dt.date(2013, 6, 30), dt.date(2014, 6, 30))
    1.05
    """
    before = people_aged(population, from_age, to_age, start, split=split, hold=hold)
    if before <= 0.0:
        raise BadInput(
            f"{population.area}: nobody of ages {age_label(from_age, to_age)} on {start} to count growth from"
        )
    return people_aged(population, from_age, to_age, end, split=split, hold=hold) / before


def births(population: Population, year: int, *, split: Split = None) -> float:
    """Children aged 0 on 30 June of a year: those born in the twelve months before who live in the area then, not
    registered births.

    Errors as for ``people``: where a year has age 0 only within a wider band, ``split="even"`` takes an even share of
    that band.

    >>> births(Population("X", "v", None, None, 2019, (2019,), ((AgeBand(0, 1, 168.0), AgeBand(1, 11, 1945.0)),)), 2019)
    168.0
    """
    return people_aged(population, 0, 1, dt.date(year, 6, 30), split=split)


def share_85_plus(population: Population, date: dt.date, *, of_age: float = 65, hold: bool = False) -> float:
    """Of the people aged ``of_age`` and over, the part aged 85 and over on a day, from 0 to 1. Errors as for
    ``people``.

    >>> share_85_plus(Population("X", "v", None, None, 2013, (2013,), ((AgeBand(65, 85, 900.0), AgeBand(85, None, 100.0)),)), dt.date(2013, 6, 30))
    0.1
    """
    whole = people_aged(population, of_age, None, date, hold=hold)
    if whole <= 0.0:
        raise BadInput(f"{population.area}: nobody of ages {age_label(of_age, None)} on {date}")
    return people_aged(population, OLDEST, None, date, hold=hold) / whole
