"""Parameters of a calibration that are rows of its model: what they move, and what was thought of them, stands there
once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from simcare.errors import BadInput
from simcare.model import Model
from simcare.model.nearmiss import unknown
from simcare.model.uncertain import Uncertain


def with_rows(tables: Mapping[str, Any], model: Model, where: str) -> dict[str, Any]:
    """The tables of a calibration, with each ``[[free]]`` and ``[[observed]]`` that names a ``row`` of the model filled
    in from it; those given are untouched.

    Raises BadInput with the path where there is no such row, or one that cannot be fitted.
    """
    rows = {row.name: row for row in model.uncertain}
    faults: list[str] = []
    filled = dict(tables)
    for part, how in (("free", _free), ("observed", _observed)):
        given = tables.get(part)
        if not isinstance(given, list):
            continue
        new = []
        for k, entry in enumerate(given):
            if not isinstance(entry, Mapping) or "row" not in entry:
                new.append(entry)
                continue
            name, path = str(entry["row"]), f"{where}: {part}[{k}]"
            try:
                if name not in rows:
                    raise BadInput(f"row: {unknown(name, rows)} (rows of what is not known in {model.about.name})")
                new.append(how(rows[name]) | {key: value for key, value in entry.items() if key != "row"})
            except BadInput as error:
                faults += [f"{path}.{fault}" for fault in error.faults]
        filled[part] = new
    if faults:
        raise BadInput(faults)
    return filled


def _free(row: Uncertain) -> dict[str, Any]:
    prior = row.prior
    if prior is None:
        raise BadInput(f"row: '{row.name}' is a choice; a fit moves numbers")
    if prior.kind not in ("lognormal", "uniform"):
        raise BadInput(f"row: the prior of '{row.name}' is {prior.kind}; a fit takes lognormal or uniform")
    said: dict[str, Any] = {"kind": prior.kind, "source": prior.source, "grade": prior.grade, "note": prior.note}
    if prior.kind == "lognormal":
        said |= {"median": prior.median, "sd_log": prior.sd_log}
    return _moves(row) | {"prior": said, "bounds": list(prior.between or prior.ends)}


def _observed(row: Uncertain) -> dict[str, Any]:
    prior = row.prior
    if not row.multiply or prior is None or prior.kind != "gamma" or prior.mean != 1:
        raise BadInput(f"row: '{row.name}' is no counted rate: that multiplies clocks, with a gamma prior of mean 1")
    events = {"value": prior.events, "source": prior.source, "grade": prior.grade, "note": prior.note}
    return _moves(row) | {"events": events}


def _moves(row: Uncertain) -> dict[str, Any]:
    moves: dict[str, Any] = {"name": row.name, "title": row.title}
    if row.multiply:
        moves["multiply"] = [cells.model_dump(exclude_none=True) for cells in row.multiply]
    paths = {"scale": row.scale, "odds": row.odds, "tilt": row.tilt, "set": row.paths}
    return moves | {how: list(patterns) for how, patterns in paths.items() if patterns}


__all__ = ["with_rows"]
