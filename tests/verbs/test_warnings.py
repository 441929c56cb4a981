"""What is warned of and what is kept, as a user meets it: on the screen, in the report, in the manifest, in JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from simcare.cli import app
from simcare.errors import BadInput
from tests.support.paths import TOY

EXPERIMENT = """
name = "tried"
title = "A taper for homes"
model = "{model}"
years = 1
replications = 2
[sources]
trial = "A trial"
[shrinkage]
A = {{ value = 1, source = "assumption", grade = "D" }}
B = {{ value = 0.75, source = "assumption", grade = "D" }}
C = {{ value = 0.5, source = "assumption", grade = "D" }}
D = {{ value = 0.25, source = "assumption", grade = "D" }}
[[contracts]]
name = "taper"
[[contracts.terms]]
kind = "tapered"
bands = [
    {{ from_day = 0, to_day = 42, gbp_per_day = {{ value = 100, source = "assumption", grade = "D" }} }},
    {{ from_day = 42, gbp_per_day = {{ value = 80, source = "assumption", grade = "D" }} }},
]
[[strategies]]
name = "taper"
title = "A taper"
start = 2013-06-01
contracts = [{{ service = "care_home", provider = "homes", contract = "taper" }}]
effects = [
    {{ on = "rise", multiply = {{ value = 0.64, source = "trial", grade = "C" }} }},
    {{ on = "recover", multiply = {{ value = 1.5, source = "assumption", grade = "D" }} }},
]
"""
WARNED = "no row of [[responses]] speaks for 'homes', put under the contract 'taper', so it responds as the shipped row"
USED = "taper: effects[0] on rise: × 0.64 asked, × 0.8 used (shrunk as evidence of grade C)"


@pytest.fixture
def experiment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "tried.toml"
    path.write_text(EXPERIMENT.format(model=TOY.as_posix()), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return path


def verb(*arguments: object) -> Result:
    done = CliRunner().invoke(app, [*map(str, arguments)])
    assert done.exception is None or isinstance(done.exception, BadInput), done.exception
    return done


def test_check_says_what_is_warned_of_and_how_an_effect_is_used(experiment: Path) -> None:
    done = verb("check", experiment)
    assert done.exit_code == 0
    assert f"Warning: {WARNED}" in done.stdout
    assert f"Note: {USED}." in done.stdout
    assert "effects[1]" not in done.stdout  # used as asked
    told = json.loads(verb("check", experiment, "--json").stdout)
    assert [said.startswith(WARNED) for said in told["warnings"][str(experiment)]] == [True]
    assert told["notes"][str(experiment)] == [USED]


def test_compare_warns_before_it_runs_and_the_report_and_the_manifest_hold_it(experiment: Path) -> None:
    done = verb("compare", experiment, "--workers", 1)
    assert done.exit_code == 0, done.output
    assert f"Warning: {WARNED}" in done.stderr and WARNED not in done.stdout
    assert USED in " ".join(done.stdout.split())  # it may run over a line
    folder = experiment.parent / "runs" / "tried"
    manifest: dict[str, Any] = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    assert [said.startswith(WARNED) for said in manifest["warnings"]] == [True]
    report = (folder / "report.html").read_text(encoding="utf-8")
    assert "Warning: no row of [[responses]] speaks for &#39;homes&#39;" in report
    assert "used as ×\N{NO-BREAK SPACE}0.8" in report and "used as asked" in report

    again = verb("compare", experiment, "--workers", 1, "--json")
    assert json.loads(again.stdout)["out"] == "runs/tried"
    assert "runs/tried holds the same run; it is replaced." in again.stderr
    assert [said.startswith(WARNED) for said in json.loads(again.stdout)["manifest"]["warnings"]] == [True]

    other = verb("compare", experiment, "--workers", 1, "--seed", 2, "--json")
    assert json.loads(other.stdout)["out"] == "runs/tried-2"
    assert "which is kept; these results go to runs/tried-2." in other.stderr
    assert json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["seed"] == 1

    refused = verb("compare", experiment, "--seed", 3, "--out", "runs/tried")
    assert isinstance(refused.exception, BadInput) and refused.exception.exit_code == 2
    assert "runs/tried: holds the results of another run" in str(refused.exception)
    forced = verb("compare", experiment, "--workers", 1, "--seed", 3, "--out", "runs/tried", "--force")
    assert forced.exit_code == 0
    assert json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["seed"] == 3


def test_tariff_uses_the_shipped_response_for_a_contract_that_is_tried(experiment: Path) -> None:
    given = ("--service", "care_home", "--experiment", experiment, "--json")
    done = verb("tariff", TOY, *given)
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert [said.startswith(WARNED) for said in told["warnings"]] == [True]
    stays = [row["stay_days"] for row in told["contracts"]]
    assert len(stays) == 2 and stays[0] != stays[1]  # without a response both would be as long
    assert "holds the same run; it is replaced" in verb("tariff", TOY, *given).stderr
    assert json.loads(verb("tariff", TOY, *given, "--days", 200).stdout)["out"] == "runs/tariff-care_home-2"
