"""Reading a calibration: its file, its model, and the published values of its targets, each with the run that it is
held against."""

from __future__ import annotations

import csv
import datetime as dt
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from simcare.calibrate.starts import begun
from simcare.errors import BadInput
from simcare.files.digests import file_digest
from simcare.files.extend import model_chain
from simcare.files.fit import laid
from simcare.files.library import find_beside, find_file, label_of, series_file
from simcare.files.load import load_model
from simcare.files.parsing import parse
from simcare.files.toml_faults import read_toml
from simcare.log.flows import COUNTED, GONE_TIER
from simcare.measures.measure import DAYS_OF
from simcare.model import Model
from simcare.model.calibration import Calibration, Cells, Start, Target
from simcare.model.cells import clocks_in
from simcare.model.checks.whole import source_faults
from simcare.model.nearmiss import unknown
from simcare.money.ledger import AMOUNTS
from simcare.units import YEAR_DAYS

MEASURES = (*COUNTED.categories, *DAYS_OF, "person_days", *AMOUNTS)
PLACES = ("stages", "groups", "tiers", "services")


class Datum(NamedTuple):
    """One published value of a target. ``run`` is the run it is held against, ``lead`` the years from the start of that
    run.

    Of a target with a level year, ``base`` is the value of that year, and only the change since then counts.
    """

    target: Target
    date: dt.date
    value: float
    run: str
    lead: float
    fitted: bool
    base: float | None = None
    base_lead: float = 0.0

    @property
    def key(self) -> tuple[str, dt.date]:
        return self.target.name, self.date


@dataclass(frozen=True)
class Loaded:
    """A calibration with its model, its data and the digests of the files that they come from."""

    calibration: Calibration
    model: Model
    data: tuple[Datum, ...] = field(repr=False)
    inputs: dict[str, str] = field(repr=False)
    path: Path = field(repr=False)
    model_inputs: dict[str, str] = field(repr=False)  # those that the model is made of, without targets
    unreached: int = 0  # published values that a target asks for and no run reaches

    @property
    def fitted(self) -> tuple[Datum, ...]:
        """What is fitted."""
        return tuple(d for d in self.data if d.fitted)

    @property
    def held_out(self) -> tuple[Datum, ...]:
        """What came after ``known_to``: predicted and scored, never fitted."""
        return tuple(d for d in self.data if not d.fitted and d.date > self.calibration.known_to)


def load_calibration(name: str | Path) -> Loaded:
    """A calibration by path or library name, with everything it names found and checked. Raises BadInput with file,
    path, value and near miss."""
    path = find_file(name, "calibration")
    calibration = parse(Calibration, read_toml(path), str(path))
    model_path = find_beside(calibration.model, path, "models")
    model = load_model(model_path)
    faults = [f"{path}: {fault}" for fault in source_faults(calibration, tuple(calibration.sources))]
    faults += [f"{path}: {fault}" for fault in _model_faults(calibration, model)]
    if faults:
        raise BadInput(faults)
    starts = {run.name: begun(model, run) for run in calibration.runs}
    data, files, unreached = _data(calibration, starts, path)
    model_files = _model_files(model_path, model)
    inputs = {label_of(p): file_digest(p) for p in (path, *model_files, *files)}
    return Loaded(
        calibration, model, data, inputs, path, {label_of(p): inputs[label_of(p)] for p in model_files}, unreached
    )


def _model_files(path: Path, model: Model) -> list[Path]:
    """The files that a model is read from: its own, those it extends, and the series of its drivers."""
    found = [file for file, _ in model_chain(path)]
    for driver in model.drivers:
        found += [series_file(name, path) for name in (driver.series, driver.population) if name is not None]
    return found


# ---- names in the model
def _model_faults(calibration: Calibration, model: Model) -> Iterator[str]:
    known = names_in(model)
    for k, row in enumerate(calibration.moving):
        here = f"free[{k}]" if k < len(calibration.free) else f"observed[{k - len(calibration.free)}]"
        for c, cells in enumerate(row.multiply):
            yield from _cells_faults(model, cells, known, f"{here}.multiply[{c}]")
    for k, free in enumerate(calibration.free):
        for value in free.bounds if free.paths else ():
            try:
                laid(model, (free,), {free.name: value})
            except BadInput as error:
                yield f"free[{k}].set: {error.faults[0].split(': ', 1)[-1]} (at {value:g})"
                break
    for k, run in enumerate(calibration.runs):
        for c, then in enumerate(run.caseload):
            for part in ("services", "stages", "groups"):
                yield from _unknown(getattr(then, part) or (), known[part], f"runs[{k}].caseload[{c}].{part}")
    for k, target in enumerate(calibration.targets):
        for part in PLACES:
            yield from _unknown(getattr(target, part) or (), known[part], f"targets[{k}].{part}")
        yield from _unknown(target.measures, list(MEASURES), f"targets[{k}].measures")
        yield from _unknown(target.from_tiers, known["tiers"], f"targets[{k}].from_tiers")
        for part in ("to_tiers", "of_tiers"):
            yield from _unknown(getattr(target, part), [*known["tiers"], GONE_TIER], f"targets[{k}].{part}")


def names_in(model: Model) -> dict[str, list[str]]:
    """The names that a calibration may use of a model."""
    return {part: [row.name for row in getattr(model, part)] for part in PLACES} | {"needs": list(model.rungs)}


def _unknown(names: Sequence[str], known: Sequence[str], path: str) -> Iterator[str]:
    for i, name in enumerate(names):
        if name not in known:
            yield f"{path}[{i}]: {unknown(name, known)}"


def _cells_faults(model: Model, cells: Cells, known: dict[str, list[str]], path: str) -> Iterator[str]:
    named = [(part, getattr(cells, part) or ()) for part in ("stages", "groups", "needs")]
    faults = [fault for part, names in named for fault in _unknown(names, known[part], f"{path}.{part}")]
    yield from faults
    if not faults and not clocks_in(model, cells):
        yield f"{path}: the model has no '{cells.on}' clock there, so this could do nothing"


# ---- published values
def _data(calibration: Calibration, starts: dict[str, Model], path: Path) -> tuple[tuple[Datum, ...], list[Path], int]:
    """Every published value that a run reaches, in the order of the targets and dates, the files read, and how many
    values no run reaches."""
    found: list[Datum] = []
    unreached = 0
    faults: list[str] = []
    files: dict[Path, None] = {}
    for k, target in enumerate(calibration.targets):
        here = f"{path}: targets[{k}] ({target.name})"
        try:
            values = published_values(target, path)
        except BadInput as error:
            faults += [f"{here}: {fault}" for fault in error.faults]
            continue
        if target.file is not None:
            files[series_file(target.file, path)] = None
        rows, wrong = _held(calibration, starts, target, values)
        unreached += sum(
            _run_of(calibration, starts, target, date) is None
            for date in values
            if _between(date, target) and not target.dates
        )
        faults += [f"{here}: {fault}" for fault in wrong]
        found += rows
    if faults:
        raise BadInput(faults)
    if not any(d.fitted for d in found):
        raise BadInput(
            f"{path}: targets: none has a value on or before known_to, {calibration.known_to}, so there is nothing"
            " to fit"
        )
    return tuple(found), list(files), unreached


def published_values(target: Target, path: Path) -> dict[dt.date, float]:
    """The published values of a target by date; ``path`` is that of the calibration."""
    if target.value is not None:
        assert target.at is not None
        return {target.at: target.value.value}
    assert target.file is not None
    file = series_file(target.file, path)
    rows = _table(file)
    parts = [
        _series(rows, name, target.area, file, target.scale if target.is_share else None) for name in target.series
    ]
    dates = [date for date in parts[0] if all(date in part for part in parts)]
    return {date: sum(part[date] for part in parts) for date in sorted(dates)}


def check_table(name: str | Path) -> str | None:
    """What a CSV of published series holds, in words; None for a file that is no such table. Raises BadInput where it
    is spoilt."""
    path = Path(name)
    if path.suffix.lower() != ".csv" or not path.is_file():
        return None
    with path.open("rb") as text:
        head = text.readline().lower()
    if b"series" not in head or b"count" not in head:
        return None
    rows = _table(path)
    for line, row in enumerate(rows, start=2):
        _valued(row, f"{path}: row {line}: {row['series']}")
    return f"table of {len({row['series'] for row in rows})} published series"


def _table(file: Path) -> list[dict[str, str]]:
    """The rows of a table of published values."""
    try:
        with file.open(encoding="utf-8-sig", newline="") as text:
            table = csv.DictReader(text, restkey="", restval="")
            heads, rows = list(table.fieldnames or ()), list(table)
    except UnicodeDecodeError as error:
        raise BadInput(
            f"{file}: is not UTF-8 text (byte {error.start}: 0x{error.object[error.start]:02x}); save it as CSV UTF-8"
        ) from error
    for mark, name in ((";", "semicolons"), ("\t", "tabs")):
        if len(heads) == 1 and mark in heads[0]:
            raise BadInput(f"{file}: its columns are separated by {name}; save it with commas between them")
    lacking = [column for column in ("date", "series", "count") if column not in heads]
    if lacking:
        raise BadInput(f"{file}: has no column '{lacking[0]}'; a file of targets has date, area, series and count")
    if not rows:
        raise BadInput(f"{file}: has no rows under its columns")
    longer = next((line for line, row in enumerate(rows, start=2) if "" in row), None)
    if longer is not None:
        raise BadInput(
            f"{file}: row {longer} has more fields than the {len(heads)} columns; a comma inside a number or a text"
            " needs quotes about it, or to go"
        )
    return rows


def _series(
    rows: list[dict[str, str]], name: str, area: str | None, file: Path, most: float | None
) -> dict[dt.date, float]:
    named = [(line, row) for line, row in enumerate(rows, start=2) if row["series"] == name]
    if not named:
        raise BadInput(f"series: {unknown(name, sorted({row['series'] for row in rows}))} ({file})")
    areas = sorted({row.get("area") or "" for _, row in named})
    if area is None and len(areas) > 1:
        raise BadInput(f"area: {file} has {name} of several areas ({', '.join(areas)}); say which")
    if area is not None and area not in areas:
        raise BadInput(f"area: {unknown(area, areas)} ({file}, {name})")
    found: dict[dt.date, float] = {}
    for line, row in named:
        if area is not None and row.get("area") != area:
            continue
        date, value = _valued(row, f"{file}: row {line}: {name}")
        if value <= 0:
            raise BadInput(f"{file}: row {line}: {name}: a target must be above 0, got {row['count']!r}")
        if date in found:
            raise BadInput(f"{file}: row {line}: {name}: {date} is there twice")
        if most is not None and value > most:
            raise BadInput(
                f"{file}: row {line}: {name}: {value:g} is more than the whole, which is {most:g} (the target's scale;"
                " 100 for percent)"
            )
        found[date] = value
    return found


def _valued(row: dict[str, str], here: str) -> tuple[dt.date, float]:
    """The date and the value of a row; ``here`` is where it stands, for a fault."""
    try:
        date, value = dt.date.fromisoformat(row["date"]), float(row["count"])
    except ValueError as error:
        raise BadInput(
            f"{here}: should hold a date such as 2013-03-31 and a number, got {row['date']!r}, {row['count']!r}"
        ) from error
    if not math.isfinite(value):
        raise BadInput(f"{here}: should be a finite number, got {row['count']!r}")
    return date, value


def _held(
    calibration: Calibration, starts: dict[str, Model], target: Target, values: dict[dt.date, float]
) -> tuple[list[Datum], list[str]]:
    """The values of a target that runs reach, each with its run; and what is wrong."""
    faults: list[str] = []
    if target.from_tiers and (odd := [date for date in values if (date.month, date.day) != (3, 31)]):
        return [], [f"moves between tiers are counted by financial year, to 31 March; {odd[0]} is not that"]
    faults += [
        f"dates: {date} has no published value; there are {_span(values)}"
        for date in target.dates
        if date not in values
    ]
    chosen = [d for d in values if (not target.dates or d in target.dates) and _between(d, target)]
    reached = {date: _run_of(calibration, starts, target, date) for date in chosen}
    beyond = [
        date
        for date in (*target.dates, *((target.at,) if target.at else ()))
        if date in reached and reached[date] is None
    ]
    if beyond or (chosen and not any(reached.values())):
        spans = "; ".join(
            f"{run.title}: {starts[run.name].about.start} to {end_of(starts[run.name], run)}"
            for run in calibration.runs
        )
        dates = ", ".join(str(date) for date in beyond or chosen)
        year = " (a flow needs the whole year before its date)" if target.kind in ("flow", "share") else ""
        faults.append(f"{dates} is outside the horizon of every run{year}: {spans}")
    found = []
    for date in chosen:
        run = reached[date]
        if run is None:
            continue
        level = target.level_from
        if level is not None and (date <= level or level not in values):
            if level not in values:
                faults.append(f"level_from: {level} has no published value; there are {_span(values)}")
                break
            continue
        if level is not None and reached.get(level) is not run:
            faults.append(f"level_from: {level} is not in the run that reaches {date} ({run.title})")
            break
        begin = starts[run.name].about.start
        fitted = target.fit and date <= calibration.known_to
        lead = (date - begin).days / YEAR_DAYS
        base_lead = 0.0 if level is None else (level - begin).days / YEAR_DAYS
        found.append(
            Datum(
                target, date, values[date], run.name, lead, fitted, None if level is None else values[level], base_lead
            )
        )
    return found, faults


def _span(values: dict[dt.date, float]) -> str:
    return f"{min(values)} to {max(values)}" if values else "none"


def _between(date: dt.date, target: Target) -> bool:
    return (target.from_ is None or date >= target.from_) and (target.until is None or date <= target.until)


def end_of(model: Model, run: Start) -> dt.date:
    """The last day of a run."""
    start = model.about.start
    return start.replace(year=start.year + run.years) - dt.timedelta(days=1)


def _run_of(calibration: Calibration, starts: dict[str, Model], target: Target, date: dt.date) -> Start | None:
    """The run that reaches a date: of several, the one that began first."""
    for run in sorted(calibration.runs, key=lambda run: starts[run.name].about.start):
        begin = starts[run.name].about.start
        earliest = (
            begin.replace(year=begin.year + 1) - dt.timedelta(days=1) if target.kind in ("flow", "share") else begin
        )
        if earliest <= date <= end_of(starts[run.name], run):
            return run
    return None


__all__ = ["Datum", "Loaded", "check_table", "end_of", "load_calibration", "names_in", "published_values"]
