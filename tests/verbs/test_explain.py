"""``simcare explain``: what it prints and writes, and one clear sentence for what cannot be."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from typer.testing import CliRunner

from simcare.cli import app
from simcare.errors import BadInput
from simcare.measures.catalogue import SUMMED
from tests.support.paths import TOY

pytestmark = pytest.mark.xdist_group("explain")  # what is carried out once is shared


def verb(*args: str) -> Any:
    return CliRunner().invoke(app, ["explain", *args], catch_exceptions=True, env={"COLUMNS": "160", "NO_COLOR": "1"})


def test_the_verb_prints_json_only_and_writes_its_folder(tmp_path: Path) -> None:
    done = verb(str(TOY), "--years", "1", "--reps", "2", "--workers", "1", "--json", "--out", str(tmp_path / "out"))
    assert done.exit_code == 0, done.output
    printed = json.loads(done.stdout)
    assert {"manifest", "out", "runs", "not_in_this_model", "findings", "shares", "moved"} == set(printed)
    assert (
        printed["runs"] == printed["manifest"]["runs"] == 32
        and printed["not_in_this_model"] == ["provider_holding"]
        and printed["moved"] == []
    )
    assert "32 runs of 1 years" not in done.stdout and "32 runs of 1 year" in done.stderr
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "explain.csv",
        "manifest.json",
        "report.html",
        "settings.parquet",
    }
    shares = pl.read_csv(tmp_path / "out" / "explain.csv")
    assert shares.height == len(printed["shares"]) == len(SUMMED) * 7
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["mechanisms"] == ["over_specification", "learned_dependency", "waiting", "failure_demand"]
    assert pl.read_parquet(tmp_path / "out" / "settings.parquet").height == 32


def test_the_terminal_shows_shares_and_sentences(tmp_path: Path) -> None:
    done = verb(str(TOY), "--years", "1", "--reps", "2", "--workers", "1", "--out", str(tmp_path / "out"))
    assert done.exit_code == 0, done.output
    text = " ".join(done.output.split())
    assert "NPV (Green Book) of cost over 2013/14, as things are" in text and "All mechanisms" in text
    assert (
        "Providers' response to money: not in this model." in text
        and "what the model counts as underlying need-driven demand" in text
    )


@pytest.mark.parametrize(
    ("args", "sentence"),
    [
        (("mm-infinity",), "mm-infinity: has none of the mechanisms of induced demand ("),
        (("preventoin",), "preventoin: unknown 'preventoin', did you mean 'prevention'?"),
        (("no/such.toml",), "no/such.toml: no such file"),
        (("prevention", "--strategy", "early_hlep"), "strategies: unknown 'early_hlep', did you mean 'early_help'?"),
        (
            ("kent-2013", "--strategy", "early_help"),
            "strategies: 'kent-2013' is a model; give an experiment to explain a strategy",
        ),
    ],
)
def test_what_cannot_be_is_one_clear_sentence(args: tuple[str, ...], sentence: str, tmp_path: Path) -> None:
    done = verb(*args, "--out", str(tmp_path / "out"))
    assert isinstance(done.exception, BadInput) and done.exception.exit_code == 2, done.output
    assert str(done.exception).startswith(sentence) and len(done.exception.faults) == 1
    assert not (tmp_path / "out").exists()
