"""Numbers in CSV and JSON have no noise of binary sums; in Parquet they are as they were computed."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import polars as pl

from simcare.files.csv_text import FIGURES, write_csv
from simcare.files.json_text import json_text
from simcare.files.load import load_model
from simcare.report.folders import write_run
from simcare.runs.run import run
from tests.support.paths import TOY


def figures_of(text: str) -> int:
    """How many significant figures a number is written with."""
    return len(text.lower().partition("e")[0].replace(".", "").replace("-", "").strip("0"))


def test_csv_holds_twelve_figures_and_leaves_all_else(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    values = np.exp(rng.uniform(-20, 25, 50_000)) * rng.choice([-1, 1], 50_000)
    odd = [199_999.9999999999, 0.1 + 0.2, None, float("nan"), float("inf"), 0.0]
    whole = pl.Series("whole", [123_456_789_012_345] * (len(values) + len(odd)))
    frame = pl.DataFrame({"value": pl.Series([*odd, *values], dtype=pl.Float64), "whole": whole})
    write_csv(frame, tmp_path / "a.csv")
    rows = (tmp_path / "a.csv").read_text(encoding="utf-8").splitlines()
    written = [row.split(",")[0] for row in rows[1:]]
    assert written[: len(odd)] == ["200000.0", "0.3", "", "NaN", "inf", "0.0"]
    assert max(figures_of(text) for text in written[len(odd) :]) == FIGURES
    back = np.array([float(text) for text in written[len(odd) :]])
    assert np.abs(back / values - 1).max() <= 0.5 * 10.0 ** (1 - FIGURES) * (1 + 1e-3)
    assert rows[1].endswith(",123456789012345")


def test_json_holds_twelve_figures_however_deep() -> None:
    text = json_text({"a": [0.1 + 0.2, {"b": (2.0 / 3.0, 199_999.9999999999)}], "seed": 2**62, "name": "0.30000000004"})
    assert json.loads(text) == {
        "a": [0.3, {"b": [0.666666666667, 200_000.0]}],
        "seed": 2**62,
        "name": "0.30000000004",
    }


def test_a_run_writes_the_same_files_twice_and_parquet_as_it_was_computed(tmp_path: Path) -> None:
    done = run(load_model(TOY), years=1, replications=2, seed=1, workers=1)
    for name in ("a", "b"):
        write_run(done, tmp_path / name, "simcare run")
    for file in ("summary.csv", "measures.parquet", "manifest.json", "report.html"):
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes(), file
    kept = pl.read_parquet(tmp_path / "a" / "measures.parquet")
    assert kept["value"].equals(done.measures["value"])
    summary = pl.read_csv(tmp_path / "a" / "summary.csv")["mean"].cast(pl.String)
    assert max(map(figures_of, kept["value"].cast(pl.String))) > FIGURES, "the run has numbers that CSV would round"
    assert max(map(figures_of, summary)) <= FIGURES
