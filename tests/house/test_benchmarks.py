"""Each benchmark runs, on few people and a short time: what `make bench` measures must not break between its runs."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from typing import Any

import pytest

from simcare.calibrate.reading import load_calibration
from simcare.decide.comparison import compare
from simcare.files.load import read_experiment, with_options
from simcare.files.parsing import parse
from simcare.model import Model
from tests.support.paths import ROOT, SUPPORT
from tests.support.scripts import program
from tests.support.small_calibration import written

pytestmark = pytest.mark.xdist_group("benchmarks")
FOLDER = ROOT / "benchmarks"


def in_this_process(function: str, *args: Any) -> dict[str, Any]:
    """What benchmarks/child.py gives, without a process for each."""
    module, name = function.split(":")
    return {**getattr(importlib.import_module(module), name)(*args), "peak_mib": 1.0, "before_mib": 1.0}


def test_every_benchmark_has_its_test() -> None:
    tested = {"run", "child", "queueing", "usual", "engines", "demand", "figure", "recovery", "one_at_a_time"}
    assert {path.stem for path in FOLDER.glob("*.py")} == tested


def test_all_of_make_bench_on_few_people(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with program("benchmarks/run.py") as bench:
        monkeypatch.setattr(bench, "in_child", in_this_process)
        found = bench.measured(bench.SMALL)
        engines = [found["kent"][engine]["rows"] for engine in ("simpy", "compiled", "compiled_aggregate")]
        assert engines[0] > 1_000 and len(set(engines)) == 1
        assert found["queue"]["simpy"]["customers"] == found["queue"]["compiled"]["customers"]
        assert len(found["clients"]) == 2 * len(bench.LARGEST)
        page = tmp_path / "page.md"
        page.write_text("before\n<!-- measured -->\nold\n<!-- end -->\nafter\n", encoding="utf-8")
        monkeypatch.setattr(bench, "HERE", tmp_path)
        monkeypatch.setattr(bench, "PAGE", page)
        monkeypatch.setattr(bench, "plot", lambda results, path: path.write_text("drawn", encoding="utf-8"))
        bench.written(found)
    text = page.read_text(encoding="utf-8")
    assert text.startswith("before\n") and text.endswith("<!-- end -->\nafter\n") and "old" not in text
    assert "| SimPy, the usual way |" in text and "| Ciw |" in text
    assert json.loads((tmp_path / "results.json").read_text(encoding="utf-8"))["kent"].keys() == bench.LARGEST.keys()
    assert (tmp_path / "page.svg").read_text(encoding="utf-8") == "drawn"


def test_a_benchmark_in_a_process_of_its_own_tells_its_memory() -> None:
    with program("benchmarks/child.py") as child:
        found = child.in_child("queueing:usual", 50.0, 1)
    assert found["customers"] > 100
    assert found["peak_mib"] >= found["before_mib"] > 5


def test_both_queues_wait_as_long_as_theory_says(capsys: pytest.CaptureFixture[str]) -> None:
    with program("benchmarks/queueing.py") as queueing:
        exact = queueing.exact_wait()
        for work in (queueing.usual, queueing.with_ciw):
            waits = [work(400.0, seed)["mean_wait"] for seed in range(12)]
            mean = sum(waits) / len(waits)
            error = (sum((wait - mean) ** 2 for wait in waits) / (len(waits) - 1) / len(waits)) ** 0.5
            assert abs(mean - exact) < 4 * error + 0.02  # it begins empty: 400 days are a little short of equilibrium


def test_the_usual_way_agrees_with_simcare() -> None:
    with program("benchmarks/usual.py") as usual:
        rows = usual.agreement(usual.at_scale("kent-2013", 1.0), 0.02, 183.0, [1])
        assert {row["kind"] for row in rows} > {"referral", "assessed", "start", "review", "death"}
        assert usual.agrees(rows), usual.table(rows)


def test_forecasts_are_timed() -> None:
    with program("benchmarks/demand.py") as demand:
        areas = demand.made(1, 24)  # too short for a back-test, which is what takes the time
        one, many = demand.measured(areas["area 0"], areas, 6, 1)
    assert "one driver fitted" in one and "1 series side by side" in many


def test_the_picture_shows_every_engine_of_the_last_results() -> None:
    with program("benchmarks/figure.py") as figure:
        drawn = figure.figure(json.loads((FOLDER / "results.json").read_text(encoding="utf-8")))
        names = {trace.name for trace in drawn.data if trace.name}
        assert names == {name for name, _, _ in figure.ENGINES.values()}


def test_a_small_calibration_is_recovered(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with program("benchmarks/recovery.py") as recovery:
        monkeypatch.setattr(recovery, "DESIGN", 8)
        monkeypatch.setattr(recovery, "WAVE", 2)
        monkeypatch.setattr(recovery, "PARTS", tmp_path / "recovery")
        said = recovery.recovered(load_calibration(written(tmp_path)), 2, 1)
    assert "2 data sets, 2 parameters" in said and "Nelder-Mead" in said


def test_one_row_at_a_time_beside_what_all_of_them_make() -> None:
    given = read_experiment(SUPPORT / "toy-experiment.toml")
    prior = {"kind": "lognormal", "median": 1, "sd_log": 0.3, "source": "assumption", "grade": "D"}
    price = {"name": "price", "title": "Price", "scale": ["contracts.*.gbp_per_*"], "prior": prior}
    model = parse(Model, given.extended.model_dump(by_alias=True) | {"uncertain": [price]}, "x.toml")
    given = given._replace(model=model, extended=model, experiment=with_options(given, replications=20))
    with program("benchmarks/one_at_a_time.py") as sweep:
        few = given._replace(experiment=with_options(given, replications=2))
        swept = sweep.sweep(few)
        said = sweep.report(swept, compare(given).differences)
    names = [strategy.name for strategy in given.experiment.strategies]
    assert swept["strategy"].to_list() == names * 2
    assert [line.partition(":")[0] for line in said if not line.startswith(" ")] == names
    assert all("changes inside" in line or "Price at" in line for line in said)
