"""A file of people by age band, read and checked: estimates of a place, carried on by a projection.

A row is an age band on a mid-year day (30 June):
``date, area, variant, vintage, from_age, to_age, people``, further columns (``status``, ``source``) are for the reader.
Ages are whole years, ``to_age`` is exclusive and empty where a band has no upper end. Variants ``estimate`` and
``backcast`` are the known past; any other is a projection. Two vintages of estimates (before and after a census is
counted) are never mixed. A place without a projection of its own follows the nation's: *local base × national growth*,
band by band,

    people(band, year) = people(band, last) × national(band, year) / national(band, last),

with *last* the year of the last estimate, so that nothing jumps where the estimates end, and only growth, never a
level, is taken from a projection.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import polars as pl

from simcare.demand.population import AgeBand, Population, open_end, people_within
from simcare.errors import BadInput
from simcare.model.nearmiss import unknown

PAST = ("estimate", "backcast")  # the variants that say what was, not what will be
COLUMNS = ("date", "area", "variant", "vintage", "from_age", "to_age", "people")


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

    >>> rows = [("2019-06-30", "Kent", "estimate", "a", 85, None, 43439),
    ...         ("2019-06-30", "England", "principal", "b", 85, None, 100),
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
        here, why = people_within(base[last], band.from_age, band.to_age, None)
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
        raise BadInput(f"{name}: has no column {', '.join(missing)}; a population file has {', '.join(COLUMNS)}")
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
        raise BadInput(
            f"{name}: is not a complete, valid CSV file: it is empty, its rows differ in length, or a quotation"
            " mark is not closed; save it again as CSV UTF-8"
        ) from error


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
            elif open_end(row.band.from_age) < open_end(reach.band.to_age):
                faults.append(
                    f"{name}: rows {first} and {second}: {row.area}, {row.vintage}, {row.year}: ages {reach.band} and"
                    f" {row.band} overlap"
                )
            if open_end(row.band.to_age) > open_end(reach.band.to_age):
                reach = row
    return faults
