"""The house rules that a program can hold: which way imports run, what starts fast, how long a file is, where numbers
come from."""

from __future__ import annotations

import ast
import csv
import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from simcare.files.load import schema
from tests.support.paths import ROOT

MODULES = sorted((ROOT / "simcare").rglob("*.py"))
SHIPPED = {folder: sorted((ROOT / folder).glob("**/*.toml")) for folder in ("models", "calibration", "experiments")}
TOML = [path for paths in SHIPPED.values() for path in paths]
LONGEST_MODULE = 400

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


def short(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


# The code.


def test_imports_run_one_way() -> None:
    lint = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([lint, "--no-logo", "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_import_simcare_loads_nothing_heavy() -> None:
    script = "import sys, simcare; print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert "simcare" in loaded
    heavy = {
        "joblib",
        "numba",
        "numpy",
        "pandas",
        "plotly",
        "polars",
        "pydantic",
        "rich",
        "scipy",
        "simpy",
        "statsmodels",
        "typer",
    }
    assert not loaded & heavy


@pytest.mark.parametrize("path", MODULES, ids=short)
def test_a_module_can_be_read_in_one_sitting(path: Path) -> None:
    lines = len(path.read_text(encoding="utf-8").splitlines())
    assert lines <= LONGEST_MODULE, f"{short(path)} has {lines} lines; it holds more than one thing"


def terminal_uses(tree: ast.AST) -> Iterator[str]:
    """What in a module talks to the terminal or reads its arguments, with the line."""
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id in {"print", "input", "breakpoint"}
        ):
            yield f"line {node.lineno}: {node.func.id}("
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "sys":
            if node.attr in {"argv", "exit", "stdin", "stdout", "stderr"}:
                yield f"line {node.lineno}: sys.{node.attr}"
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names = {alias.name for alias in node.names} if isinstance(node, ast.Import) else {node.module}
            yield from (
                f"line {node.lineno}: import {name}" for name in sorted(names & {"argparse", "getpass", "click"})
            )


def test_terminal_uses_are_found() -> None:
    code = "import argparse, sys\ndef f():\n    print(sys.argv)\n    'print(x)'"
    assert sorted(terminal_uses(ast.parse(code))) == ["line 1: import argparse", "line 3: print(", "line 3: sys.argv"]


@pytest.mark.parametrize("path", [p for p in MODULES if not short(p).startswith("simcare/cli/")], ids=short)
def test_only_the_command_line_prints_or_parses_arguments(path: Path) -> None:
    assert list(terminal_uses(ast.parse(path.read_text(encoding="utf-8")))) == []


# The files a commissioner edits.


def bare_numbers(value: Any, path: str = "", sourced: bool = False) -> Iterator[str]:
    """Paths of the numbers that neither name a source and a grade nor are structural."""
    if isinstance(value, dict):
        sourced = {"source", "grade"} <= value.keys()
        for key, item in value.items():
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
    }
    assert list(bare_numbers(file)) == ["a[1].value[0]", "a[1].value[1]", "b.c"]


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


@pytest.mark.parametrize("path", TOML, ids=short)
def test_every_number_says_where_it_comes_from(path: Path) -> None:
    assert list(bare_numbers(tomllib.loads(path.read_text(encoding="utf-8")))) == []


@pytest.mark.parametrize("path", TOML, ids=short)
def test_every_source_is_listed_and_every_listed_source_is_used(path: Path) -> None:
    data = tomllib.loads(path.read_text(encoding="utf-8"))
    used = {table["source"] for _, table in sourced_tables(data)}
    assert used - {"assumption"} == set(data.get("sources", {}))


@pytest.mark.parametrize("path", TOML, ids=short)
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


@pytest.mark.parametrize(("kind", "path"), KINDS, ids=[short(path) for _, path in KINDS])
def test_the_published_schema_fits_the_shipped_files(kind: str, path: Path) -> None:
    published = json.loads(json.dumps(schema(kind)))
    as_json = json.loads(json.dumps(tomllib.loads(path.read_text(encoding="utf-8")), default=str))
    jsonschema.Draft202012Validator.check_schema(published)
    faults = [
        f"{fault.json_path}: {fault.message}"
        for fault in jsonschema.Draft202012Validator(published).iter_errors(as_json)
    ]
    assert faults == []
    assert set(as_json) <= set(published["properties"])


@pytest.mark.parametrize("kind", ["model", "experiment"])
def test_the_published_schema_refuses_a_key_that_does_not_exist(kind: str) -> None:
    faults = [fault.message for fault in jsonschema.Draft202012Validator(schema(kind)).iter_errors({"abuot": {}})]
    assert any("abuot" in message for message in faults)


def test_every_row_of_every_table_says_where_it_comes_from() -> None:
    wrong = []
    for path in [path for folder in SHIPPED for path in sorted((ROOT / folder).rglob("*.csv"))]:
        with path.open(encoding="utf-8", newline="") as file:
            wrong += [
                f"{short(path)}: line {line}"
                for line, row in enumerate(csv.DictReader(file), start=2)
                if not row.get("source")
            ]
    assert wrong == []


# The repository.


def repository_files() -> list[Path]:
    """Every file that is, or could be, committed; nothing where this is not a git checkout."""
    if not (ROOT / ".git").exists():
        return []
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\0")
    return [ROOT / name for name in names if name and (ROOT / name).is_file()]


# Written in two parts, so that this file does not hold what it forbids.
FORBIDDEN = {
    "a path on somebody's machine": re.compile(r"(?<![\w.:/-])/" + r"(?:work|root|home/\w+|Users/\w+|opt|tmp/\w+)/"),
    "the address of a package registry": re.compile(
        r"(?:pypi|files\.pythonhosted|registry\.npmjs|deb\.debian|proxy\.golang)" + r"\.org", re.IGNORECASE
    ),
    "an index address": re.compile(r"(?m)^\s*--?(?:extra-)?(?:index" + r"-url|find-links)"),
}


@pytest.mark.parametrize("what", FORBIDDEN)
def test_files_hold_nothing_of_the_machine_they_were_written_on(what: str) -> None:
    files = repository_files()
    if not files:
        pytest.skip("not a git checkout")
    found = []
    for path in files:
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        found += [f"{short(path)}: {match.group()}" for match in FORBIDDEN[what].finditer(text)]
    assert found == []


def test_constraints_pin_every_package_that_is_asked_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    asked = [
        *project["project"]["dependencies"],
        *project["project"]["optional-dependencies"]["dev"],
        *project["build-system"]["requires"],
    ]
    lines = [
        line
        for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
        if line and not line.startswith("#")
    ]
    assert all(re.fullmatch(r"[a-z0-9-]+==[\w.]+", line) for line in lines)
    pinned = {line.partition("==")[0] for line in lines}
    assert {re.split(r"[><=!~\[ ]", name, maxsplit=1)[0] for name in asked} <= pinned


@pytest.mark.xdist_group("house")
def test_a_group_of_tests_stays_with_one_worker(request: pytest.FixtureRequest) -> None:
    """pytest-xdist 3.8 does not see groups under pytest 9.2: everything that tests share would be made once on every
    worker."""
    if getattr(request.config.option, "loadgroup", False):
        assert request.node.nodeid.endswith("@house")
