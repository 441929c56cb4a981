"""Every number in a shipped file says where it comes from, and every file is what the published schema says."""

from __future__ import annotations

import csv
import json
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from simcare.files.schemas import file_schema
from tests.support.paths import ROOT, in_repository

SHIPPED = {folder: sorted((ROOT / folder).glob("**/*.toml")) for folder in ("models", "calibration", "experiments")}
TOML = [path for paths in SHIPPED.values() for path in paths]

# Numbers that say where something begins or how a study is set up. They are no evidence on care, and so name no source.
STRUCTURAL = {
    "from_age",
    "to_age",
    "age",
    "by",
    "edges",
    "from_year",
    "ramp_days",
    "years",
    "replications",
    "most_replications",
    "precision",
    "seed",
    "priority",
    "from_day",
    "to_day",
    "by_day",
    "on_day",
    "lasts_days",
    "within_days",
    "days_of_pay",
    "tapers_from_day",
    "baseline_days",
    "design",
    "waves",
    "points",
    "draws",
    "bounds",
    "scale",
    "past_days",
}


def bare_numbers(value: Any, path: str = "", sourced: bool = False) -> Iterator[str]:
    """Paths of the numbers that neither name a source and a grade nor are structural."""
    if isinstance(value, dict):
        sourced = {"source", "grade"} <= value.keys()
        for key, item in value.items():
            if key == "choose" and sourced:
                continue  # the worlds of a choice: their source stands in its row
            yield from bare_numbers(item, f"{path}.{key}" if path else key, sourced or key in STRUCTURAL)
    elif isinstance(value, list):
        for i, item in enumerate(value):
            yield from bare_numbers(item, f"{path}[{i}]", sourced)
    elif isinstance(value, int | float) and not isinstance(value, bool) and not sourced:
        yield path


def test_bare_numbers_are_found() -> None:
    good = {"value": 1, "low": 0, "high": 2, "source": "x", "grade": "A"}
    file = {
        "stages": [{"from_age": 0, "on": True}],
        "a": [good, {"value": [1, 2], "source": "x"}],
        "b": {"c": 3.0},
        "years": 5,
        "ages": {"edges": [1]},
        "uncertain": [{"choose": [{"weight": 1}], "source": "x", "grade": "C"}, {"choose": [{"weight": 1}]}],
    }
    assert list(bare_numbers(file)) == ["a[1].value[0]", "a[1].value[1]", "b.c", "uncertain[1].choose[0].weight"]


def sourced_tables(value: Any, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every table that names a source, with its path."""
    if isinstance(value, dict):
        if "source" in value:
            yield path, value
        for key, item in value.items():
            yield from sourced_tables(item, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for i, item in enumerate(value):
            yield from sourced_tables(item, f"{path}[{i}]")


def test_there_are_models_and_experiments() -> None:
    assert SHIPPED["models"]
    assert SHIPPED["experiments"]


@pytest.mark.parametrize("path", TOML, ids=in_repository)
def test_every_number_says_where_it_comes_from(path: Path) -> None:
    assert list(bare_numbers(tomllib.loads(path.read_text(encoding="utf-8")))) == []


@pytest.mark.parametrize("path", TOML, ids=in_repository)
def test_every_source_is_listed_and_every_listed_source_is_used(path: Path) -> None:
    data = tomllib.loads(path.read_text(encoding="utf-8"))
    used = {table["source"] for _, table in sourced_tables(data)}
    assert used - {"assumption"} == set(data.get("sources", {}))


@pytest.mark.parametrize("path", TOML, ids=in_repository)
def test_an_assumption_is_graded_as_one(path: Path) -> None:
    data = tomllib.loads(path.read_text(encoding="utf-8"))
    wrong = [
        at
        for at, table in sourced_tables(data)
        if table["grade"] not in "ABCD" or (table["source"] == "assumption" and table["grade"] != "D")
    ]
    assert wrong == []


@pytest.mark.parametrize("folder", SHIPPED)
def test_every_folder_says_what_its_files_mean(folder: str) -> None:
    assert "simcare" in (ROOT / folder / "README.md").read_text(encoding="utf-8")


KINDS = [
    (kind, path) for kind, folder in (("model", "models"), ("experiment", "experiments")) for path in SHIPPED[folder]
]


@cache
def published(kind: str) -> jsonschema.Draft202012Validator:
    """What holds a file of a kind against its schema, which is a valid one."""
    told = json.loads(json.dumps(file_schema(kind)))
    jsonschema.Draft202012Validator.check_schema(told)
    return jsonschema.Draft202012Validator(told)


@pytest.mark.xdist_group("schemas")
@pytest.mark.parametrize(("kind", "path"), KINDS, ids=[in_repository(path) for _, path in KINDS])
def test_the_published_schema_fits_the_shipped_files(kind: str, path: Path) -> None:
    as_json = json.loads(json.dumps(tomllib.loads(path.read_text(encoding="utf-8")), default=str))
    assert [f"{fault.json_path}: {fault.message}" for fault in published(kind).iter_errors(as_json)] == []
    assert set(as_json) <= set(published(kind).schema["properties"])


@pytest.mark.xdist_group("schemas")
@pytest.mark.parametrize("kind", ["model", "experiment"])
def test_the_published_schema_refuses_a_key_that_does_not_exist(kind: str) -> None:
    faults = [fault.message for fault in jsonschema.Draft202012Validator(file_schema(kind)).iter_errors({"abuot": {}})]
    assert any("abuot" in message for message in faults)


def test_every_row_of_every_table_says_where_it_comes_from() -> None:
    wrong = []
    for path in [path for folder in SHIPPED for path in sorted((ROOT / folder).rglob("*.csv"))]:
        with path.open(encoding="utf-8", newline="") as file:
            wrong += [
                f"{in_repository(path)}: line {line}"
                for line, row in enumerate(csv.DictReader(file), start=2)
                if not row.get("source")
            ]
    assert wrong == []
