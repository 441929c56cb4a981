"""Files that people outside sent, each folder with what is right (``expected.toml``): tried as they are."""

from __future__ import annotations

import json
import shutil
import tomllib
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from simcare.cli import app
from simcare.errors import BadInput

CASES = Path(__file__).parents[1] / "support" / "cases"
TRIES = [
    (folder.name, tried)
    for folder in sorted(CASES.iterdir())
    if folder.is_dir()
    for tried in tomllib.loads((folder / "expected.toml").read_text(encoding="utf-8"))["tries"]
]
NEVER = (
    "Traceback",
    "RuntimeWarning",
    "valid tuple",
    "literal[",
    "should match pattern",
    "valid dictionary",
    "Input should",
)


def named(case: tuple[str, dict[str, Any]]) -> str:
    return f"{case[0]}: {' '.join(case[1]['command'])}"


def taken(case: tuple[str, dict[str, Any]]) -> Any:
    return pytest.param(case, id=named(case), marks=[pytest.mark.slow] if case[1].get("slow") else [])


@pytest.mark.parametrize("case", [taken(case) for case in TRIES if not {"year", "series"} & set(case[1])])
def test_a_case_gives_what_is_right(case: tuple[str, dict[str, Any]], tmp_path: Path) -> None:
    folder, tried = case
    told, exit_code = said(folder, tried["command"], tmp_path)
    assert exit_code == tried["exit"], told
    flowing = " ".join(told.split())  # whatever the width of the terminal
    for words in tried.get("says", ()):
        assert words in told or words in flowing, told
    for words in tried.get("page", ()):
        assert words in (tmp_path / "out" / "report.html").read_text(encoding="utf-8"), words
    for words in (*NEVER, *tried.get("never", ())):
        assert words not in told
    if "lines" in tried:
        assert len(told.strip().splitlines()) == tried["lines"], told


def said(folder: str, command: list[str], tmp_path: Path) -> tuple[str, int]:
    """What a command says of the files of a folder, on one line a sentence, and its exit code."""
    here = tmp_path / folder
    shutil.copytree(CASES / folder, here)
    verb, *rest = command
    out = ["--out", str(tmp_path / "out")] if verb not in ("check", "list", "report") else []
    words = [str(here / word) if (here / word).is_file() else word for word in rest]
    done = CliRunner().invoke(app, [verb, *words, *out])
    if isinstance(done.exception, BadInput):
        return str(done.exception), done.exception.exit_code
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.output, done.exit_code


@pytest.mark.slow
@pytest.mark.parametrize("case", [case for case in TRIES if {"year", "series"} & set(case[1])], ids=named)
def test_a_forecast_of_a_case_is_right(case: tuple[str, dict[str, Any]], tmp_path: Path) -> None:
    folder, tried = case
    verb, name, *rest = tried["command"]
    command = [verb, str(CASES / folder / name), *rest, "--json", "--out", str(tmp_path / "out")]
    done = CliRunner().invoke(app, command)
    assert done.exit_code == tried["exit"], done.output
    found = json.loads(done.stdout, parse_constant=lambda word: pytest.fail(f"{word} is no JSON"))
    if "series" in tried:
        assert len(found["series"]) == tried["series"]
        return
    mean = sum(row["mean"] for row in found["forecast"])
    low, high = (sum(row[bound] for row in found["forecast"]) for bound in ("lo80", "hi80"))
    print(f"{mean:.1f} a year, months' 80 % intervals add to {low:.0f} to {high:.0f}")
    assert tried["year"][0] <= mean <= tried["year"][1]
    assert low <= tried.get("inside", mean) <= high
    for note in tried.get("notes", ()):
        assert any(note in told for told in found["model"]["notes"])
