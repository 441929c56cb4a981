"""Every error that pydantic can find in a file is in the project's words; each is told once, all of them at once."""

from __future__ import annotations

import copy
import datetime as dt
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel
from pydantic_core._pydantic_core import list_all_errors

from simcare.errors import BadInput
from simcare.files.fit import CalibrationFit
from simcare.files.library import library
from simcare.files.load import ContractFile, load_experiment
from simcare.files.parsing import parse
from simcare.files.pydantic_words import WORDS
from simcare.model import Model
from simcare.model.calibration import Calibration
from simcare.model.strategy import Experiment
from tests.support.paths import TOY

KINDS: dict[str, tuple[type[BaseModel], Path]] = {
    "model": (Model, TOY),
    "experiment": (Experiment, library("experiments") / "tiered-tariffs.toml"),
    "calibration": (Calibration, library("calibration") / "kent-2013.toml"),
}
WRONG = ("text", "1,200", "", 5, -5, 2.5, float("inf"), 10**400, True, [], [1], {}, {"x": 1}, dt.date(1000, 1, 1), [[]])
MESSAGES = [  # pydantic's own, with whatever it puts into them
    re.compile(re.sub(r"\\\{[a-z_]+\\\}", ".+", re.escape(error["message_template_python"])), re.IGNORECASE)
    for error in list_all_errors()
    if error["type"] not in ("value_error", "assertion_error")
]
SCHEMA_ERRORS = {  # which errors a kind of schema can give
    "str": ("string_type", "string_pattern_mismatch", "string_too_short", "string_too_long", "string_unicode"),
    "float": (
        *("float_type", "float_parsing", "finite_number"),
        *("greater_than", "greater_than_equal", "less_than", "less_than_equal"),
    ),
    "int": ("int_type", "int_parsing", "int_parsing_size", "int_from_float", "finite_number"),
    "bool": ("bool_type", "bool_parsing"),
    "date": ("date_type", "date_parsing", "date_from_datetime_parsing", "date_from_datetime_inexact"),
    "tuple": ("tuple_type", "too_short", "too_long"),
    "dict": ("dict_type",),
    "literal": ("literal_error",),
    "model": ("model_type",),
    "model-fields": ("missing", "model_attributes_type"),
    "tagged-union": ("union_tag_not_found",),
}
PLAIN = {
    "model-field",
    "default",
    "nullable",
    "no-info",
    "function-after",
    "function-before",
    "definition-ref",
    "union",
}
PLAIN |= {"definitions", "function-wrap", "function-plain", "any"}


def places(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """The places of everything in some tables; of a long list its first two rows."""
    items = value.items() if isinstance(value, dict) else enumerate(value[:2]) if isinstance(value, list) else ()
    for key, inner in items:
        yield (*path, key)
        yield from places(inner, (*path, key))


def put(data: Any, path: tuple[str | int, ...], value: Any) -> Any:
    found = copy.deepcopy(data)
    here = found
    for part in path[:-1]:
        here = here[part]
    here[path[-1]] = value
    return found


def faults(kind: type[BaseModel], data: dict[str, Any]) -> tuple[str, ...]:
    try:
        parse(kind, data, "f.toml")
    except BadInput as error:
        return error.faults
    return ()


@pytest.mark.parametrize("name", list(KINDS))
def test_pydantics_words_are_nowhere(name: str) -> None:
    """Each value of a file is put wrong in fifteen ways, and each key is left out."""
    kind, file = KINDS[name]
    data = tomllib.loads(file.read_text(encoding="utf-8"))
    seen = set()
    for path in places(data):
        shape = tuple(part for part in path if isinstance(part, str))
        if shape in seen:
            continue
        seen.add(shape)
        for wrong in WRONG:
            for line in faults(kind, put(data, path, wrong)):
                assert not [m.pattern for m in MESSAGES if m.search(line)], (path, wrong, line)
                assert "literal[" not in line
                assert "pattern" not in line
    assert len(seen) > 20


def test_every_kind_of_schema_has_its_words() -> None:
    found: set[str] = set()

    def walk(schema: Any) -> None:
        if isinstance(schema, dict):
            if isinstance(schema.get("type"), str):
                found.add(schema["type"])
            for inner in schema.values():
                walk(inner)
        elif isinstance(schema, list | tuple):
            for inner in schema:
                walk(inner)

    for kind in (Model, Experiment, Calibration, ContractFile, CalibrationFit):
        walk(kind.__pydantic_core_schema__)
    assert found <= set(SCHEMA_ERRORS) | PLAIN
    assert {error for name in found & set(SCHEMA_ERRORS) for error in SCHEMA_ERRORS[name]} <= set(WORDS)


SENTENCES = [
    (("years",), "5 years", "f.toml: years: should be a whole number, got '5 years'; a number stands without words"),
    (("years",), 2.5, "f.toml: years: should be a whole number, got 2.5"),
    (("years",), 0, "f.toml: years: must be above 0, got 0"),
    (("years",), 100, "f.toml: years: must be 60 or less, got 100"),
    (("name",), "../x", "f.toml: name: names a folder of results: letters, digits, spaces and . _ - only, got '../x'"),
    (("title",), 7, 'f.toml: title: should be a text in quotation marks, got 7; write "7"'),
    (("strategies",), [], "f.toml: strategies: there is none yet; add one: [[strategies]] with name, title, start"),
    (("strategies",), {}, "strategies: has a table for each row, so its name stands in two pairs of brackets: write"),
    (("strategies", 0, "start"), "1/4/14", "should be a date such as 2013-04-01, got '1/4/14'; a date is"),
    (("strategies", 0, "failures"), "largest", 'should be a list: write failures = ["largest"]'),
    (("strategies", 0, "ramp_days"), "90 days", "should be a whole number, got '90 days'; a number stands"),
    (("strategies", 0, "gbp_per_year"), 5, 'needs a table such as { value = 5, source = "assumption",'),
    (("shrinkage", "A"), {"value": 1, "grade": "D"}, 'shrinkage.A.source: is required: a key of [sources]'),
    (("shrinkage", "A", "value"), "40%", "should be a number, got '40%'; a share is a number from 0 to 1; write 0.4"),
    (("shrinkage", "A", "value"), True, "should be a number, got true"),
    (("sources",), "returns", "should be a table of names and texts, such as [sources] with"),
]  # fmt: skip


@pytest.mark.parametrize(("path", "value", "said"), SENTENCES, ids=[said[:40] for _, _, said in SENTENCES])
def test_a_fault_says_what_to_write(path: tuple[str | int, ...], value: Any, said: str) -> None:
    data = tomllib.loads(KINDS["experiment"][1].read_text(encoding="utf-8"))
    found = faults(Experiment, put(data, path, value))
    assert len(found) == 1, found
    assert said in found[0]


def test_a_misspelt_key_is_not_missing_as_well() -> None:
    data = tomllib.loads(KINDS["experiment"][1].read_text(encoding="utf-8"))
    data["yaers"] = data.pop("years")
    data["replications"] = 0
    found = faults(Experiment, data)
    assert [line.split(": ")[1] for line in found] == ["replications", "yaers"] or len(found) == 2
    assert any("yaers: unknown key, did you mean 'years'?" in line for line in found)
    assert not any("is required" in line for line in found)


NUMBER = '{ value = 0.5, source = "assumption", grade = "D" }'
EXPERIMENT = f"""
name = "x"
title = "X"
model = "kent-2013"
years = 3
replications = 2
[shrinkage]
A = {NUMBER}
B = {NUMBER}
C = {NUMBER}
D = {NUMBER}
[[strategies]]
name = "one"
title = "One"
start = 2014-04-01
changes = [
    {{ path = "in words", to = {NUMBER} }},
    {{ path = "services.hoem_care.review_every_days", to = {NUMBER} }},
]
[[strategies]]
name = "two"
title = "Two"
strat = 2014-04-01
[[strategies]]
name = "three"
title = "Three"
start = 2034-04-01
effects = [
    {{ on = "rise", stages = "0-11", multiply = {NUMBER} }},
    {{ on = "rise", stages = ["0-12"], multiply = {NUMBER} }},
]
"""


def test_faults_of_toml_and_of_the_experiment_are_told_at_once(tmp_path: Path) -> None:
    file = tmp_path / "x.toml"
    file.write_text(
        EXPERIMENT.replace("years = 3", "years = 3 years").replace("2034-04-01", "1/4/34"), encoding="utf-8"
    )
    with pytest.raises(BadInput) as refused:
        load_experiment(file)
    assert len(refused.value.faults) == 8
    assert sum(": line " in fault for fault in refused.value.faults) == 2


def test_all_faults_of_an_experiment_are_told_at_once_with_the_rows_of_the_file(tmp_path: Path) -> None:
    file = tmp_path / "x.toml"
    file.write_text(EXPERIMENT, encoding="utf-8")
    with pytest.raises(BadInput) as refused:
        load_experiment(file)
    told = sorted(fault.removeprefix(f"{file}: ").split(": ")[0] for fault in refused.value.faults)
    assert told == [
        "strategies[0].changes[0].path",
        "strategies[0].changes[1].path",
        "strategies[1].strat",
        "strategies[2].effects[0].stages",
        "strategies[2].effects[1].stages[0]",
        "strategies[2].start",
    ]
