"""Models, experiments and contracts read from their files, checked."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import Field, create_model

from simcare.errors import BadInput
from simcare.files.default_responses import extended_for
from simcare.files.extend import read_model
from simcare.files.file_kinds import check_kind, kind_of
from simcare.files.library import FOLDERS, find_beside, find_file, is_there, library, series_file
from simcare.files.list_hints import with_hints
from simcare.files.parsing import parse
from simcare.files.shipped_examples import with_examples
from simcare.files.sound_rows import parse_sound
from simcare.files.toml_faults import read_mended, read_toml
from simcare.measures.catalogue import SUMMED
from simcare.model.cautions import effects_as_used, experiment_cautions, model_cautions
from simcare.model.checks.names import source_faults
from simcare.model.checks.starts import start_faults
from simcare.model.contracts import Contract
from simcare.model.fault import Fault
from simcare.model.left_out import unknowns_in_words
from simcare.model.model import Figure, Model, figures_left_out, sourced_figures
from simcare.model.nearmiss import unknown
from simcare.model.number import Frozen
from simcare.model.overlay import added, apply_strategy, in_scenario
from simcare.model.response import Response
from simcare.model.strategy import Experiment, believed, replications_for


def load_model(name: str | Path) -> Model:
    """The model of a path or library name, checked."""
    path = find_file(name, "models")
    tables = read_toml(path)
    check_kind(tables, "model", str(path))
    try:
        return parse(Model, with_series(read_model(path), path), str(path))
    except BadInput as error:
        raise BadInput(with_hints(error.faults, tables.get("extends"))) from error


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


class LoadedExperiment(NamedTuple):
    """An experiment, its model as in the model's file, and the model with the experiment's contracts and responses, the
    shipped responses among them (:mod:`simcare.files.default_responses`)."""

    experiment: Experiment
    model: Model
    extended: Model

    @classmethod
    def of(cls, experiment: Experiment, model: Model | None) -> LoadedExperiment:
        """From values. Raises BadInput without a model, and where the two do not fit together."""
        if model is None:
            raise BadInput(f"experiment {experiment.name}: give its model as well")
        return cls(experiment, model, extended_for(model, experiment))


def load_experiment(name: str | Path) -> tuple[Experiment, Model]:
    """An experiment and its model; every strategy is tried on the model, so that a name that is not there shows now."""
    found = read_experiment(name)
    return found.experiment, found.model


def read_experiment(name: str | Path) -> LoadedExperiment:
    """The same, with the model that the experiment extends: it is extended once."""
    path = find_file(name, "experiments")
    data, faults = read_mended(path)
    check_kind(data, "experiment", str(path))
    sound = parse_sound(Experiment, data)
    faults += [f"{path}: {fault}" for fault in sound.faults]
    if sound.value is None:
        raise BadInput(faults)
    try:
        where = find_beside(sound.value.model, path, "models")
    except BadInput as error:
        raise BadInput([*faults, f"{path}: model: {error}"]) from error
    try:
        model = load_model(where)
    except BadInput as error:
        raise BadInput([*faults, *error.faults]) from error
    whole, found = _extended(model, sound.value)
    found = with_hints([*found, *_experiment_faults(sound.value, model, whole)], sound.value.model)
    faults += [f"{path}: {sound.in_file(fault)}" for fault in found]
    if faults:
        raise BadInput(faults)
    return LoadedExperiment(sound.value, model, whole)


def with_options(given: LoadedExperiment, **options: float | None) -> Experiment:
    """The experiment with other ``replications``, ``precision``, ``years`` or ``seed``, where given; another precision
    asks for another number of replications. Raises BadInput for what the experiment's file could not hold either, and
    for a strategy that would start outside the run.

    >>> with_options(read_experiment("prevention"), replications=1)
    Traceback (most recent call last):
    ...
    simcare.errors.BadInput: prevention: replications: ...
    >>> with_options(read_experiment("prevention"), years=1)
    Traceback (most recent call last):
    ...
    simcare.errors.BadInput: prevention: strategies[0].start: 2014-04-01 is not before the end of the run, ...
    """
    experiment = given.experiment
    asked = {name: value for name, value in options.items() if value is not None}
    fields: dict[str, Any] = {
        name: (Experiment.model_fields[name].annotation, Experiment.model_fields[name]) for name in asked
    }
    checked = parse(create_model("Options", __base__=Frozen, **fields), asked, experiment.name)
    update = {name: getattr(checked, name) for name in asked}
    if "precision" in update and "replications" not in update:
        update["replications"] = replications_for(update["precision"], experiment.most_replications)
    chosen = experiment.model_copy(update=update)
    if faults := [
        f"{experiment.name}: {fault}" for fault in (*start_faults(chosen, given.model), *target_faults(chosen))
    ]:
        raise BadInput(faults)
    return chosen


def _extended(model: Model, experiment: Experiment) -> tuple[Model, list[str]]:
    """The model with an experiment's contracts and responses, and what is wrong; the model as it is where something
    is."""
    faults = [str(fault) for fault in source_faults(experiment, tuple(experiment.sources))]
    try:
        return extended_for(model, experiment), faults
    except BadInput as error:
        return model, [*faults, *error.faults]


def _experiment_faults(experiment: Experiment, model: Model, whole: Model) -> list[str]:
    """What is wrong with an experiment on its model: every scenario and strategy tried on the extended one."""
    faults = []
    for k, scenario in enumerate(experiment.scenarios):
        faults += _tried(f"scenarios[{k}].", partial(in_scenario, whole, scenario))
    faults += [str(fault) for fault in (*start_faults(experiment, model), *target_faults(experiment))]
    for k, strategy in enumerate(experiment.strategies):
        tried = _tried("", partial(apply_strategy, whole, believed(strategy, experiment.shrinkage)))
        if experiment.contracts and whole is model:  # its contracts could not be added, which is told already
            tried = [fault for fault in tried if not fault.startswith("contracts[")]
        faults += [f"strategies[{k}].{with_examples(fault, strategy)}" for fault in tried]
    return faults


def target_faults(experiment: Experiment) -> list[Fault]:
    """A target of a measure that no comparison adds up: it could be met in no replication, nor missed."""
    target = experiment.target
    if target is None or target.measure in SUMMED:
        return []
    return [Fault("target.measure", unknown(target.measure, SUMMED))]


def _tried(where: str, change: Callable[[], Model]) -> list[str]:
    """What is wrong with a change of the model, with its place in the file."""
    try:
        change()
    except BadInput as error:
        return [f"{where}{fault}" for fault in error.faults]
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
        tried = _tried("", partial(added, model, given.contracts, given.responses, given.sources))
        faults = [f"{path}: {fault}" for fault in tried]
    if faults:
        raise BadInput(faults)
    return added(model, given.contracts, given.responses, given.sources), [
        contract.name for contract in given.contracts
    ]


class CheckedTables(NamedTuple):
    """What kind of file it is, every number in it, what is perhaps not as it was meant, and what is to be known of
    it, a sentence each. ``assumed`` are the numbers that are taken for known without being so: of a model those of
    grade C or D that neither move nor are fixed (:mod:`simcare.model.left_out`), else those of grade D."""

    kind: str
    figures: list[Figure]
    warnings: list[str]
    notes: list[str]
    assumed: list[Figure]

    @classmethod
    def without_rows(cls, kind: str, figures: list[Figure], warnings: list[str], notes: list[str]) -> CheckedTables:
        """Of a file that says nothing of what is not known: its assumptions are the numbers of grade D."""
        return cls(kind, figures, warnings, notes, [figure for figure in figures if figure.grade == "D"])


def check_file(name: str | Path) -> CheckedTables:
    """Validate a TOML file or library name of any kind."""
    path = next((find_file(name, folder) for folder in FOLDERS if is_there(name, folder)), None) or find_file(
        name, "models"
    )
    kind = kind_of(read_mended(path)[0])
    if kind == "experiment":
        given = read_experiment(path)
        warnings = experiment_cautions(given.experiment, given.extended)
        used = effects_as_used(given.experiment)
        return CheckedTables.without_rows("experiment", list(sourced_figures(given.experiment)), [*warnings], [*used])
    if kind == "file of contracts":
        contracts = parse(ContractFile, read_toml(path), str(path))
        return CheckedTables.without_rows("file of contracts", list(sourced_figures(contracts)), [], [])
    model = load_model(path)
    figures = list(sourced_figures(model))
    notes = [*_taken_over(path, figures), *unknowns_in_words(model)]
    return CheckedTables("model", figures, list(model_cautions(model)), notes, list(figures_left_out(model)))


def _taken_over(path: Path, figures: Sequence[Figure]) -> list[str]:
    """A sentence on a model that extends another: how many of its numbers are the other's, and so of another place."""
    base = read_toml(path).get("extends")
    if base is None:
        return []
    theirs = {(f.path, f.since): f.value for f in sourced_figures(load_model(find_beside(base, path, "models")))}
    same = sum(theirs.get((f.path, f.since)) == f.value for f in figures)
    return [
        f"{same} of its {len(figures)} numbers are those of {base}, which it extends, and say nothing of another place"
    ]


def is_calibration(name: str | Path) -> bool:
    """Whether a name is that of a calibration file: a TOML file with free parameters, by path or, where no model has
    the name, in the library."""
    path = Path(name)
    if path.is_file():
        return path.suffix == ".toml" and "free" in read_toml(path)
    return not is_there(name, "models") and (library("calibration") / f"{name}.toml").is_file()
