"""TOML in, models and experiments out; the library of shipped files; faults with file, path and near miss."""

from __future__ import annotations

import datetime as dt
import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, Field, ValidationError

from simcare.errors import BadInput
from simcare.files.extend import extended
from simcare.files.toml_faults import toml_file
from simcare.model.calibration import Calibration
from simcare.model.checks.whole import source_faults
from simcare.model.contracts import Contract
from simcare.model.model import Figure, Model, sourced_figures
from simcare.model.nearmiss import unknown
from simcare.model.number import Frozen
from simcare.model.response import Response
from simcare.model.strategy import Experiment, added, apply, believed, extended_by, in_scenario

M = TypeVar("M", bound=BaseModel)
FOLDERS = ("models", "calibration", "experiments")


def library(folder: str) -> Path:
    """Where the shipped files of a folder are: beside the package in a checkout, inside it in a wheel."""
    package = Path(__file__).parents[1]
    inside = package / "library" / folder
    return inside if inside.is_dir() else package.parent / folder


def find(name: str | Path, folder: str) -> Path:
    """The file of a path or of a library name.

    >>> find("mm-infinity", "models").name
    'mm-infinity.toml'
    """
    path = Path(name)
    if path.is_file():
        return path
    shipped = library(folder) / f"{name}.toml"
    if path.suffix != ".toml" and shipped.is_file():
        return shipped
    if path.is_dir():
        raise BadInput(f"{name}: is a folder, not a file")
    if path.suffix == ".toml" or len(path.parts) > 1:
        raise BadInput(f"{name}: no such file")
    names = sorted(p.stem for p in library(folder).glob("*.toml"))
    raise BadInput(f"{name}: {unknown(str(name), names)} ({folder} in the library; or give the path of a .toml file)")


def read_toml(path: Path) -> dict[str, Any]:
    """The tables of a TOML file; each fault in a clear sentence where it is not one."""
    return toml_file(path)


def load_model(name: str | Path) -> Model:
    """The model of a path or library name, checked."""
    path = find(name, "models")
    return parse(Model, with_series(read_model(path), path), str(path))


def with_series(data: dict[str, Any], path: Path) -> dict[str, Any]:
    """The tables of a model file with the counts of each driver's series read in."""
    rows = data.get("drivers")
    if not isinstance(rows, list) or not all(
        isinstance(row, Mapping) and isinstance(row.get("series"), str) for row in rows
    ):
        return data  # without drivers; or what is wrong with them shows when the tables are checked
    from simcare.demand.paths import embedded

    found, faults = [], []
    for k, row in enumerate(rows):
        try:
            people = row.get("population")
            found.append(
                embedded(
                    dict(row),
                    series_file(row["series"], path),
                    series_file(people, path) if isinstance(people, str) else None,
                )
            )
        except BadInput as error:
            faults += [f"{path}: drivers[{k}].series: {fault}" for fault in error.faults]
    if faults:
        raise BadInput(faults)
    return {**data, "drivers": found}


def series_file(name: str, beside: Path | None = None) -> Path:
    """A series file: a path, one beside another file, or one in the library's calibration folder."""
    near = beside.parent / name if beside else Path(name)
    places = [
        near,
        near.with_name(f"{near.name}.csv"),
        library("calibration") / name,
        library("calibration") / f"{name}.csv",
    ]
    for place in places:
        if place.is_file():
            return place
    known = sorted(p.name for p in library("calibration").glob("*.csv"))
    raise BadInput(
        f"{unknown(name, known)} (calibration in the library; or give the path of a CSV, Parquet or XLSX file)"
    )


def model_or_series(name: str) -> Path:
    """The file of a model or of a series, by path or by its name in the library.

    >>> model_or_series("mm-infinity").name, model_or_series("referrals-monthly").name
    ('mm-infinity.toml', 'referrals-monthly.csv')
    """
    if Path(name).is_file():
        return Path(name)
    for find_one in (series_file, partial(find, folder="models")):
        try:
            return find_one(name)
        except BadInput:
            continue
    if Path(name).suffix or len(Path(name).parts) > 1:
        raise BadInput(f"{name}: no such file")
    shipped = [
        p.stem
        for folder, kind in (("models", "*.toml"), ("calibration", "*.csv"))
        for p in sorted(library(folder).glob(kind))
    ]
    raise BadInput(f"{name}: {unknown(name, shipped)} (models and series in the library; or give the path of a file)")


def read_model(path: Path, above: tuple[Path, ...] = ()) -> dict[str, Any]:
    """The tables of a model file, laid over those of the model that it ``extends``, if it does."""
    data = read_toml(path)
    base = data.pop("extends", None)
    if base is None:
        return data
    if not isinstance(base, str):
        raise BadInput(f"{path}: extends: should be the name or path of a model, got {base!r}")
    try:
        beside = path.parent / base
        found = beside if beside.suffix == ".toml" and beside.is_file() else find(base, "models")
    except BadInput as error:
        raise BadInput(f"{path}: extends: {error}") from error
    if found.resolve() in (chain := (*above, path.resolve())):
        raise BadInput(f"{path}: extends: '{base}' extends this file again")
    return extended(read_model(found, chain), data)


def load_experiment(name: str | Path) -> tuple[Experiment, Model]:
    """An experiment and its model; every strategy is tried on the model, so that a name that is not there shows now."""
    path = find(name, "experiments")
    experiment = parse(Experiment, read_toml(path), str(path))
    beside = path.parent / experiment.model
    model = load_model(beside if beside.suffix == ".toml" and beside.is_file() else experiment.model)
    faults = [f"{path}: {fault}" for fault in source_faults(experiment, tuple(experiment.sources))]
    faults += _tried(path, "", lambda: extended_by(model, experiment))
    if faults:
        raise BadInput(faults)
    whole = extended_by(model, experiment)
    for k, scenario in enumerate(experiment.scenarios):
        faults += _tried(path, f"scenarios[{k}].", partial(in_scenario, whole, scenario))
    last = model.about.start + dt.timedelta(days=math.floor(365.25 * experiment.years))
    for k, strategy in enumerate(experiment.strategies):
        if strategy.start >= last:
            faults.append(f"{path}: strategies[{k}].start: {strategy.start} is not before the end of the run, {last}")
        faults += _tried(path, f"strategies[{k}].", partial(apply, whole, believed(strategy, experiment.shrinkage)))
    if faults:
        raise BadInput(faults)
    return experiment, model


def _tried(path: Path, where: str, change: Callable[[], Model]) -> list[str]:
    """What is wrong with a change of the model, with its place in the file."""
    try:
        change()
    except BadInput as error:
        return [f"{path}: {where}{fault}" for fault in error.faults]
    return []


class ContractFile(Frozen):
    """A file of contracts to be tried on a model, perhaps with how providers answer to money."""

    sources: dict[str, str] = Field(default_factory=dict)
    contracts: tuple[Contract, ...] = Field(min_length=1)
    responses: tuple[Response, ...] = ()


def with_contracts(model: Model, path: Path) -> tuple[Model, list[str]]:
    """The model with the contracts (and responses) of a file, and the names of these contracts. Raises BadInput with
    the file's path."""
    given = parse(ContractFile, read_toml(path), str(path))
    faults = [f"{path}: {fault}" for fault in source_faults(given, tuple(given.sources))]
    if not faults:
        faults = _tried(path, "", partial(added, model, given.contracts, given.responses, given.sources))
    if faults:
        raise BadInput(faults)
    return added(model, given.contracts, given.responses, given.sources), [
        contract.name for contract in given.contracts
    ]


def check_file(name: str | Path) -> tuple[str, list[Figure]]:
    """Validate a file or library name of any kind; returns its kind and every number in it (of a series of counts,
    none)."""
    path = next((find(name, folder) for folder in FOLDERS if _is_there(name, folder)), None) or find(name, "models")
    if path.suffix.lower() in (".csv", ".parquet", ".xlsx"):
        from simcare.demand.reading import read_series

        return f"file of {len(read_series(path))} monthly series", []
    if "strategies" in read_toml(path):
        experiment, _ = load_experiment(path)
        return "experiment", list(sourced_figures(experiment))
    return "model", list(sourced_figures(load_model(path)))


def is_calibration(name: str | Path) -> bool:
    """Whether a name is that of a calibration file: a TOML file with free parameters, by path or, where no model has
    the name, in the library."""
    path = Path(name)
    if path.is_file():
        return path.suffix == ".toml" and "free" in read_toml(path)
    return not _is_there(name, "models") and (library("calibration") / f"{name}.toml").is_file()


def _is_there(name: str | Path, folder: str) -> bool:
    return Path(name).is_file() or (library(folder) / f"{name}.toml").is_file()


def parse(kind: type[M], data: Mapping[str, Any], name: str) -> M:
    """Validate plain tables as ``kind``; every fault becomes one line: file, path, what is wrong.

    >>> parse(Model, {"abuot": {}}, "x.toml")
    Traceback (most recent call last):
    ...
    simcare.errors.BadInput: x.toml: abuot: unknown key, did you mean 'about'?
    """
    try:
        return kind.model_validate(data)
    except ValidationError as error:
        found = error.errors()
        # A list whose only row is at fault is reported as too short as well: once is enough.
        found = [
            f
            for f in found
            if not (
                f["type"] == "too_short" and any(o["loc"][: len(f["loc"])] == f["loc"] and o is not f for o in found)
            )
        ]
        lines = [line for fault in found for line in _lines(fault, kind, data)]
        misspelt = [line for line in lines if "unknown key" in line]
        raise BadInput([f"{name}: {line}" for line in misspelt or lines]) from error


def _lines(fault: Mapping[str, Any], kind: type[BaseModel], data: Mapping[str, Any]) -> list[str]:
    ctx = fault.get("ctx") or {}
    if "faults" in ctx:
        return [str(item) for item in ctx["faults"]]
    path = as_path(fault["loc"], data)
    if fault["type"] == "extra_forbidden":
        key = str(fault["loc"][-1])
        return [f"{path}: {unknown(key, _keys(kind, fault['loc'][:-1])).replace(repr(key), 'key', 1)}"]
    if fault["type"] == "union_tag_invalid":
        tags = [tag.strip(" '") for tag in ctx["expected_tags"].split(",")]
        return [f"{path}.kind: {unknown(ctx['tag'], tags)}"]
    if fault["type"] == "union_tag_not_found":
        return [f"{path}.kind: is required"]
    if fault["type"] == "missing":
        return [f"{path}: is required"]
    if fault["type"].startswith("date_"):
        return [f"{path}: should be a date such as 2013-04-01, got {fault['input']!r}"]
    if fault["type"] in ("model_type", "model_attributes_type"):
        return [f'{path}: needs a table such as {{ value = 1, source = "…", grade = "A" }}, got {fault["input"]!r}']
    if "error" in ctx:
        return [f"{path}: {ctx['error']}"]
    got = fault["input"]
    shown = f", got {got!r}" if isinstance(got, (str, int, float, bool)) or got is None else ""
    sentence = fault["msg"].replace("Input should", "should")
    if fault["type"] == "literal_error":
        sentence = unknown(
            str(got), [option.strip(" '") for option in ctx["expected"].replace(" or ", ", ").split(",")]
        )
        shown = ""
    return [f"{path}: {sentence[0].lower()}{sentence[1:]}{shown}"]


def as_path(loc: Sequence[str | int], data: Any) -> str:
    """A path as a person would write it; the inner ``steps`` of a series show only where the file has a list.

    >>> as_path(("services", 3, "tier"), {"services": [{}] * 4})
    'services[3].tier'
    """
    path, here = "", data
    for part in loc:
        hidden = part == "steps" and not (isinstance(here, Mapping) and "steps" in here)
        kind = isinstance(here, Mapping) and part == here.get("kind", "per_diem")  # which of several kinds of row it is
        if hidden or kind or (isinstance(part, int) and isinstance(here, Mapping)):
            continue
        path += f"[{part}]" if isinstance(part, int) else (f".{part}" if path else part)
        try:
            here = here[part]
        except (KeyError, IndexError, TypeError):
            here = None
    return path or "file"


def _keys(kind: type[BaseModel], loc: Sequence[str | int]) -> list[str]:
    """The keys that a table at ``loc`` may have."""
    here: Any = kind
    for part in loc:
        if isinstance(part, str) and part in (
            known := {name: one for kinds in _kinds_in(here) for name, one in kinds.items()}
        ):
            here = known[part]
        elif (
            isinstance(part, str)
            and isinstance(here, type)
            and issubclass(here, BaseModel)
            and part in here.model_fields
        ):
            annotation = here.model_fields[part].annotation
            here = annotation if len(list(_kinds_in(annotation))) > 1 else _inner(annotation)
    if isinstance(here, type) and issubclass(here, BaseModel):
        return [field.alias or name for name, field in here.model_fields.items()]
    return []


def _kinds_in(annotation: Any) -> Iterator[dict[str, type[BaseModel]]]:
    """The classes of a row that may be of several kinds, by the name of the kind."""
    if isinstance(annotation, type):
        if issubclass(annotation, BaseModel) and "kind" in annotation.model_fields:
            yield dict.fromkeys(get_args(annotation.model_fields["kind"].annotation), annotation)
        return
    for argument in getattr(annotation, "__args__", ()):
        yield from _kinds_in(argument)


def _inner(annotation: Any) -> Any:
    """The model class inside ``tuple[X, ...]`` or ``X | None``."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for argument in getattr(annotation, "__args__", ()):
        found = _inner(argument)
        if found is not None:
            return found
    return None


def schema(what: str) -> dict[str, Any]:
    """The JSON Schema of model, experiment or calibration files, for editors."""
    kinds: dict[str, type[BaseModel]] = {"model": Model, "experiment": Experiment, "calibration": Calibration}
    if what not in kinds:
        raise BadInput(f"schema: {unknown(what, kinds)}")
    found = kinds[what].model_json_schema(by_alias=True)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **(_or_extends(found) if what == "model" else found),
    }


def _or_extends(whole: dict[str, Any]) -> dict[str, Any]:
    """The schema of a model file that is complete, or extends another and then gives only what differs."""
    extends = {
        "type": "string",
        "description": "A model, by name or path, that this file builds on: give only what differs.",
    }
    parts = json.loads(json.dumps(whole).replace("#/$defs/", "#/$defs/part of "))
    loose = {
        name: kind if "value" in kind.get("properties", {}) else _nothing_required(kind)
        for name, kind in parts["$defs"].items()
    }
    then = _nothing_required(
        {key: value for key, value in parts.items() if key not in ("$defs", "additionalProperties")}
    )
    given = {**whole, "properties": {"extends": extends, **whole["properties"]}}
    required = {"required": given.pop("required")}
    both = {**given["$defs"], **{f"part of {name}": kind for name, kind in loose.items()}}
    # Which properties there are is the same; what they hold is stricter in a complete file.
    names = dict.fromkeys(given["properties"], True) | {"extends": extends}
    found = {key: value for key, value in given.items() if key not in ("$defs", "properties")}
    complete = {**required, "properties": whole["properties"]}
    return {
        **found,
        "properties": names,
        "if": {"required": ["extends"]},
        "then": then,
        "else": complete,
        "$defs": both,
    }


def _nothing_required(kind: Any) -> Any:
    return {key: value for key, value in kind.items() if key != "required"}
