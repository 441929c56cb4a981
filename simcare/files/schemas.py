"""The JSON Schema of each kind of file, for editors."""

from __future__ import annotations

import json
from typing import Any

from pydantic import BaseModel

from simcare.errors import BadInput
from simcare.model import Model
from simcare.model.calibration import Calibration
from simcare.model.nearmiss import unknown
from simcare.model.strategy import Experiment


def file_schema(what: str) -> dict[str, Any]:
    """The JSON Schema of model, experiment or calibration files, for editors."""
    kinds: dict[str, type[BaseModel]] = {"model": Model, "experiment": Experiment, "calibration": Calibration}
    if what not in kinds:
        raise BadInput(f"schema: {unknown(what, kinds)}")
    found = kinds[what].model_json_schema(by_alias=True)
    written = {"model": _or_extends, "experiment": _replications_optional, "calibration": _or_rows}[what](found)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **written}


def _replications_optional(whole: dict[str, Any]) -> dict[str, Any]:
    """The schema of an experiment file, which may leave the number of replications to its precision."""
    return {**whole, "required": [name for name in whole["required"] if name != "replications"]}


def _or_rows(whole: dict[str, Any]) -> dict[str, Any]:
    """The schema of a calibration file, whose parameters may be rows of the model."""
    row = {
        "type": "object",
        "properties": {
            "row": {"type": "string", "description": "A row of what is not known of the model, by its name."},
            "bounds": {"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 2},
        },
        "required": ["row"],
        "additionalProperties": False,
    }
    properties = dict(whole["properties"])
    for part in ("free", "observed"):
        properties[part] = {**properties[part], "items": {"anyOf": [properties[part]["items"], row]}}
    return {**whole, "properties": properties}


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
