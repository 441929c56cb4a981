"""Fits: what a calibration found, kept in a file, and laid over a model draw by draw.

One parameter on its way: a calibration writes draws from the posterior to a JSON file; :func:`load_fit` reads it back
and refuses one that is stale; :func:`CalibrationFit.applied` gives the model as it is in one draw, the same draw for
every strategy of a replication.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, Protocol

from pydantic import Field

from simcare.errors import BadInput
from simcare.files.digests import digest, file_digest, fingerprint
from simcare.files.library import labelled, library
from simcare.files.load import load_model
from simcare.files.parsing import parse
from simcare.model import Model
from simcare.model.calibration import Cells
from simcare.model.cells import clocks_in
from simcare.model.nearmiss import unknown
from simcare.model.number import Frozen, Number
from simcare.model.overlay import in_scenario
from simcare.model.strategy import Change, Effect, Scenario
from simcare.rules.draws import PARAMETERS, name_key, uniform

ENDING = ".fit.json"
# Posterior over prior width from which a parameter is called prior-driven: the data hardly inform it.
PRIOR_DRIVEN = 0.8
Bound = Literal["lower", "upper"]


class Moves(Protocol):
    """What a parameter moves: clocks, or numbers at paths."""

    @property
    def name(self) -> str: ...
    @property
    def multiply(self) -> tuple[Cells, ...]: ...
    @property
    def paths(self) -> tuple[str, ...]: ...


class Range(Frozen):
    """The 5th, 50th and 95th percentile."""

    low: float
    median: float
    high: float


class Parameter(Frozen):
    """A parameter of a fit: what it moves, the state of that in the model, and its range before and after the data.
    ``observed`` is a rate that was counted."""

    name: str
    title: str
    multiply: tuple[Cells, ...] = ()
    paths: tuple[str, ...] = ()
    base_sha256: str
    prior: Range
    posterior: Range
    width: float = Field(description="Posterior over prior width: the share of prior uncertainty remaining.")
    observed: bool = False
    at_bound: Bound | None = Field(default=None, description="The bound at which the posterior piles up, if at any.")
    bounds: tuple[float, float] | None = None

    @property
    def bound(self) -> float | None:
        """The value of the bound at which it lies."""
        if self.at_bound is None or self.bounds is None:
            return None
        return self.bounds[0] if self.at_bound == "lower" else self.bounds[1]

    @property
    def prior_driven(self) -> bool:
        """Whether the data hardly inform it: its range is nearly the prior's."""
        return not self.observed and self.width >= PRIOR_DRIVEN


class CalibrationFit(Frozen):
    """What a calibration found. ``draws`` holds, by parameter, one value a draw from the posterior, in random order."""

    simcare: str
    name: str
    title: str
    model: str
    made: dt.date
    seed: int
    known_to: dt.date
    inputs: dict[str, str]
    parameters: tuple[Parameter, ...]
    draws: dict[str, tuple[float, ...]]
    coverage: dict[str, float] = Field(default_factory=dict)
    widened: float = 1.0

    @property
    def prior_driven(self) -> tuple[Parameter, ...]:
        """The parameters about which the published data say little."""
        return tuple(p for p in self.parameters if p.prior_driven)

    @property
    def at_bounds(self) -> tuple[Parameter, ...]:
        """The parameters whose fit lies at a bound: the published data ask for more than it allows."""
        return tuple(p for p in self.parameters if p.at_bound is not None)

    @property
    def count(self) -> int:
        """How many draws there are."""
        return len(next(iter(self.draws.values())))

    @property
    def manifest_entry(self) -> dict[str, Any]:
        """What the manifest of a run says of it: enough to find it again, and to say what is prior-driven
        (:func:`simcare.report.fit_wording.fit_sentence`)."""
        return {
            "name": self.name,
            "known_to": self.known_to.isoformat(),
            "draws": self.count,
            "prior_driven": [p.title for p in self.prior_driven],
            "at_bound": [p.title for p in self.at_bounds],
            "parameters": [
                {
                    "title": p.title,
                    "factor": not p.paths,
                    **p.posterior.model_dump(),
                    "width": None if p.observed else p.width,
                }
                for p in self.parameters
            ],
            "inputs_sha256": digest(json.dumps(self.inputs, sort_keys=True)),
            "fit_sha256": fingerprint(self),
        }

    def values(self, seed: int, replication: int) -> dict[str, float]:
        """The draw of a replication, the same whatever the strategy. Draws follow each other from a place given by the
        seed; the first comes again after the last."""
        first = int(uniform(seed, 0, name_key("fit", self.name), PARAMETERS, 0) * self.count)
        return {name: values[(first + replication) % self.count] for name, values in self.draws.items()}

    def applied(self, model: Model, seed: int, replication: int) -> Model:
        """The model as it is in a replication's draw; the one given is untouched."""
        return laid(model, self.parameters, self.values(seed, replication))


def laid(model: Model, parameters: Sequence[Moves], values: Mapping[str, float]) -> Model:
    """The model with each parameter at its value, from the first day on; the one given is untouched.

    Raises BadInput where a parameter moves what the model does not have, or to a value it cannot take.
    """
    effects = [
        Effect(
            on=cells.on,
            stages=cells.stages,
            groups=cells.groups,
            needs=cells.needs,
            multiply=_fitted(values[p.name]),
            deliberate=True,  # as far from 1 as the data say
        )
        for p in parameters
        for cells in p.multiply
    ]
    changes = [Change(path=path, to=_fitted(values[p.name])) for p in parameters for path in p.paths]
    return in_scenario(
        model, Scenario(name="fitted", title="As fitted", effects=tuple(effects), changes=tuple(changes))
    )


def _fitted(value: float) -> Number:
    return Number(value=value, source="calibration", grade="C")


def standing(model: Model, parameter: Moves) -> str:
    """A digest of what a parameter moves as it stands in a model: of the clocks it multiplies and of the numbers it
    sets."""
    stands: list[str] = []
    for cells in parameter.multiply:
        stands += [repr(_bare(clock.model_dump())) for clock in clocks_in(model, cells)]
    for path in parameter.paths:
        part, rest = path.split(".", 1)
        name, field = rest.rsplit(".", 1)
        rows = {row.name: row for row in getattr(model, part, ())}
        number = getattr(rows.get(name), field, None)
        stands.append(f"{path}={None if number is None else _bare(number.model_dump())!r}")
    return digest("\n".join(stands))[:16]


def _bare(dump: Any) -> Any:
    """A dump without what is said about its numbers."""
    if isinstance(dump, Mapping):
        return {name: _bare(value) for name, value in dump.items() if name not in ("source", "grade", "note")}
    return [_bare(value) for value in dump] if isinstance(dump, list | tuple) else dump


def find_fit(name: str | Path) -> Path:
    """The file of a fit: a path, a folder that ``simcare calibrate`` wrote, or a name in the library.

    Raises BadInput with a near miss.
    """
    path = Path(name)
    if path.is_dir() and (path / f"fit{ENDING[4:]}").is_file():
        return path / f"fit{ENDING[4:]}"
    if path.is_file():
        return path
    shipped = library("calibration") / f"{name}{ENDING}"
    if len(path.parts) == 1 and shipped.is_file():
        return shipped
    if path.is_dir():
        raise BadInput(f"{name}: no fit.json in it; simcare calibrate writes one")
    if path.suffix or len(path.parts) > 1:
        raise BadInput(f"{name}: no such file")
    known = sorted(p.name.removesuffix(ENDING) for p in library("calibration").glob(f"*{ENDING}"))
    raise BadInput(f"{name}: {unknown(str(name), known)} (fits in the library; or give the path of a fit.json)")


def read_fit(path: Path) -> CalibrationFit:
    """The fit of a file, checked as a value; whether it is stale is :func:`stale`."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadInput(f"{path}: cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise BadInput(f"{path}: is not complete, valid JSON: {error}") from error
    if not isinstance(data, dict):
        raise BadInput(f"{path}: is not a fit: simcare calibrate writes one")
    fit = parse(CalibrationFit, data, str(path))
    counts = {name: len(values) for name, values in fit.draws.items()}
    if set(counts) != {p.name for p in fit.parameters} or len(set(counts.values())) != 1 or 0 in counts.values():
        raise BadInput(f"{path}: draws: needs as many draws of each parameter, got {counts}")
    return fit


def load_fit(name: str | Path, model: Model | None = None) -> CalibrationFit:
    """A fit that may be used: not stale, and for a ``model`` whose parameters stand where they stood when it was
    fitted.

    Raises BadInput otherwise.
    """
    path = find_fit(name)
    return _usable(read_fit(path), model, str(path))


def chosen_fit(fit: CalibrationFit | str | Path | None, model: Model) -> CalibrationFit | None:
    """The fit that a run of a model asks for, by value or by name (:func:`load_fit`), held against the files and the
    model either way."""
    if fit is None or isinstance(fit, CalibrationFit):
        return None if fit is None else _usable(fit, model, f"fit {fit.name}")
    return load_fit(fit, model)


def _usable(fit: CalibrationFit, model: Model | None, where: str) -> CalibrationFit:
    faults = [f"{where}: is stale: {fault}; calibrate again" for fault in stale(fit)]
    if model is not None:
        faults += [f"{where}: {fault}" for fault in unfit(fit, model)]
    if faults:
        raise BadInput(faults)
    return fit


def is_fit(name: str | Path) -> bool:
    """Whether a file goes by the name of a fit.

    >>> is_fit("runs/kent/fit.json"), is_fit("kent-2013.fit.json"), is_fit("runs/kent/model.json")
    (True, True, False)
    """
    return f".{Path(name).name}".endswith(ENDING)


def check_fit(name: str | Path) -> str:
    """Validate the file of a fit; what it is, in words. Raises BadInput where it is stale, or its model in the library
    is no longer what it was made for."""
    fit = load_fit(name)
    shipped = library("models") / f"{fit.model}.toml"
    if shipped.is_file():
        fit = load_fit(name, load_model(shipped))
    return f"fit of {len(fit.parameters)} parameters in {fit.count} draws"


def unfit(fit: CalibrationFit, model: Model) -> list[str]:
    """Why a fit does not suit a model: a parameter moves what is not there, or what stands elsewhere than when it was
    fitted."""
    return [
        f"was made for {fit.model}; what '{p.name}' moves is not the same in {model.about.name}, where its values would"
        " mean something else: calibrate again"
        for p in fit.parameters
        if standing(model, p) != p.base_sha256
    ]


def stale(fit: CalibrationFit) -> list[str]:
    """What of the files that a fit was made from is no longer as it was."""
    faults = []
    for label, then in fit.inputs.items():
        path = labelled(label)
        if not path.is_file():
            faults.append(f"{label}, from which it was made, is not there")
        elif file_digest(path) != then:
            faults.append(f"{label} has changed since")
    return faults


__all__ = [
    "ENDING",
    "PRIOR_DRIVEN",
    "CalibrationFit",
    "Moves",
    "Parameter",
    "Range",
    "check_fit",
    "chosen_fit",
    "find_fit",
    "is_fit",
    "laid",
    "load_fit",
    "read_fit",
    "stale",
    "standing",
    "unfit",
]  # fmt: skip
