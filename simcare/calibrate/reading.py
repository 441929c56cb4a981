"""Reading a calibration: its file, its model, and the published values of its targets, each with the run that it is
held against."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from simcare.calibrate.free_rows import with_rows
from simcare.calibrate.published_tables import published_values
from simcare.calibrate.starts import begun
from simcare.errors import BadInput
from simcare.files.digests import file_digest
from simcare.files.extend import model_chain
from simcare.files.file_kinds import check_kind
from simcare.files.fit import laid_parameters
from simcare.files.library import find_beside, find_file, label_of, series_file
from simcare.files.load import load_model
from simcare.files.parsing import parse
from simcare.files.toml_faults import read_toml
from simcare.log.flows import GONE_TIER
from simcare.measures.catalogue import TARGETS
from simcare.model import Model
from simcare.model.calibration import Calibration, Start, Target
from simcare.model.cells import rows_in
from simcare.model.checks.names import source_faults
from simcare.model.nearmiss import unknown
from simcare.model.uncertain import Cells
from simcare.units import YEAR_DAYS, years_later

MEANS = {"set": "paths"}  # the attribute of a means that is called otherwise in files
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
        """What was published after the information cut-off date: predicted and scored, never fitted."""
        return tuple(d for d in self.data if not d.fitted and d.date > self.calibration.known_to)


def load_calibration(name: str | Path) -> Loaded:
    """A calibration by path or library name, with everything it names found and checked. Raises BadInput with file,
    path, value and near miss."""
    path = find_file(name, "calibration")
    tables = read_toml(path)
    check_kind(tables, "calibration", str(path))
    if not isinstance(tables.get("model"), str):
        parse(Calibration, tables, str(path))  # which says so
    model_path = find_beside(tables["model"], path, "models")
    model = load_model(model_path)
    calibration = parse(Calibration, with_rows(tables, model, str(path)), str(path))
    faults = [f"{path}: {fault}" for fault in source_faults(calibration, (*calibration.sources, *model.sources))]
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
        means = next((name for name in ("set", "scale", "odds", "tilt") if getattr(free, MEANS.get(name, name))), None)
        for value in free.bounds if means else ():
            try:
                laid_parameters(model, (free,), {free.name: value})
            except BadInput as error:
                yield f"free[{k}].{means}: {error.faults[0].split(': ', 1)[-1]} (at {value:g})"
                break
    for k, run in enumerate(calibration.runs):
        for c, then in enumerate(run.caseload):
            for part in ("services", "stages", "groups"):
                yield from _unknown(getattr(then, part) or (), known[part], f"runs[{k}].caseload[{c}].{part}")
    for k, target in enumerate(calibration.targets):
        for part in PLACES:
            yield from _unknown(getattr(target, part) or (), known[part], f"targets[{k}].{part}")
        yield from _unknown(target.measures, TARGETS, f"targets[{k}].measures")
        yield from _unknown(target.from_tiers, known["tiers"], f"targets[{k}].from_tiers")
        for part in ("to_tiers", "of_tiers"):
            yield from _unknown(getattr(target, part), [*known["tiers"], GONE_TIER], f"targets[{k}].{part}")


def names_in(model: Model) -> dict[str, list[str]]:
    """The names that a calibration may use of a model."""
    return {part: [row.name for row in getattr(model, part)] for part in PLACES} | {"needs": list(model.need_levels)}


def _unknown(names: Sequence[str], known: Sequence[str], path: str) -> Iterator[str]:
    for i, name in enumerate(names):
        if name not in known:
            yield f"{path}[{i}]: {unknown(name, known)}"


def _cells_faults(model: Model, cells: Cells, known: dict[str, list[str]], path: str) -> Iterator[str]:
    named = [(part, getattr(cells, part) or ()) for part in ("stages", "groups", "needs")]
    faults = [fault for part, names in named for fault in _unknown(names, known[part], f"{path}.{part}")]
    yield from faults
    if not faults and not rows_in(model, cells):
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
        rows, wrong = _data_of(calibration, starts, target, values)
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


def _data_of(
    calibration: Calibration, starts: dict[str, Model], target: Target, values: dict[dt.date, float]
) -> tuple[list[Datum], list[str]]:
    """The values of a target that runs reach, each with its run; and what is wrong."""
    if target.from_tiers and (odd := [date for date in values if (date.month, date.day) != (3, 31)]):
        return [], [f"moves between tiers are counted by financial year, to 31 March; {odd[0]} is not that"]
    chosen = [d for d in values if (not target.dates or d in target.dates) and _between(d, target)]
    reached = {date: _run_of(calibration, starts, target, date) for date in chosen}
    none = f"has no published value; there are {_span(values)}"
    faults = [f"dates: {date} {none}" for date in target.dates if date not in values]
    faults += _outside(calibration, starts, target, reached)
    level = target.level_from
    if level is not None and level not in values and any(reached.values()):
        return [], [*faults, f"level_from: {level} {none}"]
    found = []
    for date, run in reached.items():
        if run is None or (level is not None and date <= level):
            continue
        if level is not None and reached.get(level) is not run:
            return [], [*faults, f"level_from: {level} is not in the run that reaches {date} ({run.title})"]
        begin = starts[run.name].about.start
        datum = Datum(
            target=target,
            date=date,
            value=values[date],
            run=run.name,
            lead=(date - begin).days / YEAR_DAYS,
            fitted=target.fit and date <= calibration.known_to,
        )
        if level is not None:
            datum = datum._replace(base=values[level], base_lead=(level - begin).days / YEAR_DAYS)
        found.append(datum)
    return found, faults


def _outside(
    calibration: Calibration, starts: dict[str, Model], target: Target, reached: dict[dt.date, Start | None]
) -> list[str]:
    """A fault where a date that was asked for, or every date, is outside the horizon of every run."""
    asked = (*target.dates, *((target.at,) if target.at else ()))
    beyond = [date for date in asked if date in reached and reached[date] is None]
    if not beyond and (not reached or any(reached.values())):
        return []
    spans = "; ".join(
        f"{run.title}: {starts[run.name].about.start} to {end_of(starts[run.name], run)}" for run in calibration.runs
    )
    dates = ", ".join(str(date) for date in beyond or reached)
    year = " (a flow needs the whole year before its date)" if target.kind in ("flow", "share") else ""
    return [f"{dates} is outside the horizon of every run{year}: {spans}"]


def _span(values: dict[dt.date, float]) -> str:
    return f"{min(values)} to {max(values)}" if values else "none"


def _between(date: dt.date, target: Target) -> bool:
    return (target.from_ is None or date >= target.from_) and (target.until is None or date <= target.until)


def end_of(model: Model, run: Start) -> dt.date:
    """The last day of a run."""
    return years_later(model.about.start, run.years) - dt.timedelta(days=1)


def _run_of(calibration: Calibration, starts: dict[str, Model], target: Target, date: dt.date) -> Start | None:
    """The run that reaches a date: of several, the one that began first."""
    for run in sorted(calibration.runs, key=lambda run: starts[run.name].about.start):
        begin = starts[run.name].about.start
        earliest = years_later(begin, 1) - dt.timedelta(days=1) if target.kind in ("flow", "share") else begin
        if earliest <= date <= end_of(starts[run.name], run):
            return run
    return None


__all__ = ["Datum", "Loaded", "end_of", "load_calibration", "names_in"]
