"""The command line, as a user meets it: by subprocess, with good files and bad."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from simcare.report import summaries
from tests.support.paths import ROOT, TOY

EXPERIMENT = """
name = "toy-experiment"
title = "Two choices"
model = "{model}"
years = 2
replications = 3
seed = 4

[shrinkage]
A = {{ value = 1, source = "assumption", grade = "D" }}
B = {{ value = 0.75, source = "assumption", grade = "D" }}
C = {{ value = 0.5, source = "assumption", grade = "D" }}
D = {{ value = 0.25, source = "assumption", grade = "D" }}

[[strategies]]
name = "early_help"
title = "Early help"
start = 2013-10-01
ramp_days = 90
gbp_per_year = {{ value = 10000, source = "assumption", grade = "D" }}
[[strategies.effects]]
on = "rise"
stages = ["young"]
evidence = "graded"
multiply = {{ value = 0.6, low = 0.4, high = 0.9, source = "assumption", grade = "D" }}

[[strategies]]
name = "nothing"
title = "Nothing at all"
start = 2014-04-01
"""


def simcare(*arguments: object, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """The command in its own process, with no colours and a wide terminal."""
    root = str(ROOT)
    env = {**os.environ, "PYTHONPATH": root, "NO_COLOR": "1", "COLUMNS": "160", "PYTHONWARNINGS": "error"}
    return subprocess.run(
        [sys.executable, "-m", "simcare.cli", *map(str, arguments)],
        capture_output=True,
        text=True,
        cwd=cwd,
        env=env,
        timeout=300,
    )


@pytest.fixture(scope="module")
def experiment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("files") / "toy-experiment.toml"
    path.write_text(EXPERIMENT.format(model=TOY.as_posix()), encoding="utf-8")
    return path


def measures(folder: Path) -> pl.DataFrame:
    return pl.read_parquet(folder / "measures.parquet")


def test_run_writes_its_folder_and_two_runs_are_identical(tmp_path: Path) -> None:
    for out, workers in (("a", 1), ("b", 2)):
        done = simcare(
            "run", TOY, "--years", 2, "--reps", 2, "--seed", 1, "--workers", workers, "--out", tmp_path / out, "--log"
        )
        assert done.returncode == 0, done.stderr
        assert done.stdout.rstrip().endswith(str(tmp_path / out / "report.html"))
    names = {path.name for path in (tmp_path / "a").iterdir()}
    assert names == {
        "manifest.json",
        "measures.parquet",
        "drawn.parquet",
        "flows.parquet",
        "model.json",
        "summary.csv",
        "report.html",
        "log.parquet",
    }
    assert measures(tmp_path / "a").equals(measures(tmp_path / "b"))
    log = pl.read_parquet(tmp_path / "a" / "log.parquet")
    assert set(log["replication"].unique()) == {0, 1}
    manifest = json.loads((tmp_path / "a" / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["seed"] == 1
    assert manifest["command"].startswith("simcare run")
    columns = [
        "strategy",
        "replication",
        "month",
        "area",
        "stage",
        "group",
        "tier",
        "service",
        "provider",
        "measure",
        "value",
    ]
    assert measures(tmp_path / "a").columns == columns


def test_json_is_the_only_thing_on_standard_output(tmp_path: Path, experiment: Path) -> None:
    run = json.loads(simcare("run", TOY, "--years", 1, "--reps", 2, "--json", "--out", tmp_path / "r").stdout)
    assert {row["measure"] for row in run["yearly"]} == {*summaries.COSTS, "caseload"}
    assert {row["financial_year"] for row in run["yearly"]} == {"2013/14"}
    compared = json.loads(simcare("compare", experiment, "--json", "--out", tmp_path / "c").stdout)
    assert {row["strategy"] for row in compared["differences"]} == {"early_help", "nothing"}


def test_compare_prints_the_table_the_sentences_and_the_report(tmp_path: Path, experiment: Path) -> None:
    done = simcare("compare", experiment, "--out", tmp_path / "c")
    assert done.returncode == 0, done.stderr
    assert done.stdout.rstrip().endswith("report.html")
    for words in ("Early help", "Nothing at all", "Dependency-days", "90% prediction interval", "2013/14 to 2014/15"):
        assert words in done.stdout
    rows = pl.read_csv(tmp_path / "c" / "summary.csv").filter(pl.col("strategy") == "nothing")
    assert rows["difference"].abs().max() == 0  # a strategy with no effect is the baseline, to the last bit
    early = pl.read_csv(tmp_path / "c" / "summary.csv").filter(pl.col("strategy") == "early_help")
    assert (early["difference"] != 0).any()


def test_the_report_can_be_written_again(tmp_path: Path, experiment: Path) -> None:
    simcare("compare", experiment, "--reps", 2, "--out", tmp_path / "c")
    report = tmp_path / "c" / "report.html"
    first = report.read_text(encoding="utf-8")
    report.unlink()
    assert simcare("report", tmp_path / "c").returncode == 0
    assert report.read_text(encoding="utf-8") == first


def test_check_lists_assumptions() -> None:
    done = simcare("check", "mm-infinity", "--assumptions")
    assert done.returncode == 0
    assert "is valid" in done.stdout
    assert "clocks.leaving.0.per_year" in done.stdout
    numbers = json.loads(simcare("check", "mm-infinity", "--assumptions", "--json").stdout)["numbers"]["mm-infinity"]
    assert all(number["grade"] in "CD" for number in numbers)


def test_check_takes_an_experiment_without_replications_and_refuses_a_target_that_is_no_measure(tmp_path: Path) -> None:
    path = tmp_path / "e.toml"
    text = EXPERIMENT.format(model=TOY.as_posix()).replace("replications = 3\n", "precision = 0.125\n")
    path.write_text(text, encoding="utf-8")
    done = simcare("check", path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"{path}: experiment is valid")
    target = '[target]\nmeasure = "dependency_day"\nat_most = -100\n[shrinkage]'
    path.write_text(text.replace("[shrinkage]", target), encoding="utf-8")
    done = simcare("check", path)
    assert done.returncode == 2
    assert done.stderr == f"{path}: target.measure: unknown 'dependency_day', did you mean 'dependency_days'?\n"
    again = simcare("compare", path, "--out", tmp_path / "out")
    assert (again.returncode, again.stderr) == (2, done.stderr)
    assert [file.name for file in tmp_path.iterdir()] == ["e.toml"]


def test_schema_is_json() -> None:
    assert json.loads(simcare("schema", "model").stdout)["title"] == "Model"


def bad(tmp_path: Path, old: str, new: str) -> Path:
    text = TOY.read_text(encoding="utf-8")
    assert old in text
    path = tmp_path / "bad.toml"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        (
            "review_every_days",
            "review_evry_days",
            "bad.toml: services[0].review_evry_days: unknown key, did you mean 'review_every_days'?",
        ),
        ("value = 300", "value = -300", "cannot be negative, got -300"),
        ('tier = "community"\n', "", "bad.toml: services[0].tier: is required"),
        ("to_age = 18", "to_age = 16", "gap between 'young' (to 16) and 'adult' (from 18)"),
        ("to_age = 18", "to_age = 20", "overlaps 'young'"),
        ('name = "toy"', 'name = "toy', 'a quotation mark is missing; write "toy"'),
    ],
)
def test_bad_input_is_one_line_exit_2_and_nothing_written(tmp_path: Path, old: str, new: str, line: str) -> None:
    path, out = bad(tmp_path, old, new), tmp_path / "out"
    done = simcare("run", path, "--years", 1, "--reps", 1, "--out", out)
    assert done.returncode == 2
    assert line in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    assert simcare("check", path).stderr == done.stderr
    assert not out.exists()
    assert {p.name for p in tmp_path.iterdir()} == {"bad.toml"}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("run", "kent-2012"), "did you mean 'kent-2013'"),
        (("run", "no/such.toml"), "no such file"),
        (("run", str(TOY), "--engine", "simpi", "--out", "x"), "did you mean 'simpy'"),
        (("run", str(TOY), "--years", "0"), "--years"),
        (("run", str(TOY), "--reps", "many"), "--reps"),
        (("compare", "preventoin"), "did you mean 'prevention'"),
        (("report", "nowhere"), "no such folder"),
        (("schema", "modle"), "did you mean 'model'"),
        (("chekc", "x"), "chekc"),
    ],
)
def test_bad_options(tmp_path: Path, arguments: tuple[str, ...], words: str) -> None:
    done = simcare(*arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_folder_of_something_else_is_never_replaced(tmp_path: Path) -> None:
    keep = tmp_path / "mine" / "letter.txt"
    keep.parent.mkdir()
    keep.write_text("mine", encoding="utf-8")
    done = simcare("run", TOY, "--years", 1, "--reps", 1, "--out", keep.parent)
    assert done.returncode == 2
    assert "holds other files" in done.stderr
    assert keep.read_text(encoding="utf-8") == "mine"
    done = simcare("run", TOY, "--years", 1, "--reps", 1, "--out", keep)
    assert done.returncode == 2
    assert "is a file" in done.stderr


def test_help_shows_an_example_for_every_verb() -> None:
    for verb in ("check", "run", "compare", "report", "schema"):
        done = simcare(verb, "--help")
        assert done.returncode == 0
        assert f"simcare {verb} " in done.stdout
