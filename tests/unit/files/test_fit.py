"""Runs and comparisons from a fit: refused where it cannot be used, the same draw for all, and its part of every spread
told apart."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from scipy.stats import norm

from simcare.decide.comparison import Comparison, compare, differences, tasks
from simcare.errors import BadInput
from simcare.files.digests import file_digest
from simcare.files.fit import check_fit, find_fit, load_fit, read_fit, standing
from simcare.files.load import load_experiment, load_model
from simcare.measures.catalogue import SUMMED
from simcare.measures.spread_parts import DRAWN, met_parameters, parameter_rows
from simcare.model import Model
from simcare.model.calibration import Cells
from simcare.report.figures.contrasts import comparison_figure
from simcare.report.fit_wording import fit_sentence
from simcare.report.folders import read_folder, write_comparison, write_run
from simcare.report.report_input import ReportInput
from simcare.report.run_page import html
from simcare.runs.run import Run, run
from tests.support.paths import ROOT, TOY
from tests.support.standard_errors import holds

pytestmark = pytest.mark.xdist_group("fits")  # what is carried out once is shared

RANGE = {"low": 0.5, "median": 1.0, "high": 2.0}
LEAVING = {"name": "leaving", "title": "How fast people leave", "multiply": [{"on": "leaving"}], "width": 0.3}
LEARNED = {
    "name": "price of a need",
    "title": "Price [of] need",
    "paths": ["services.community_care.review_every_days"],
    "width": 0.95,
}


class _Moves:
    """What a parameter of a file moves, for its digest."""

    def __init__(self, row: dict[str, Any]) -> None:
        self.name = row["name"]
        self.multiply = tuple(Cells(**cells) for cells in row.get("multiply", ()))
        self.paths = tuple(row.get("paths", ()))


def written(
    folder: Path, model: Model, *parameters: dict[str, Any], draws: dict[str, list[float]] | None = None, **more: Any
) -> Path:
    """A fit of a model as ``simcare calibrate`` writes one, with draws around 1 unless said."""
    rng = np.random.default_rng(7)
    rows = parameters or (LEAVING,)
    told = [{**row, "base_sha256": standing(model, _Moves(row)), "prior": RANGE, "posterior": RANGE} for row in rows]
    data = {
        "simcare": "0.1.0", "name": "made", "title": "Made by hand", "model": model.about.name, "made": "2026-01-01",
        "seed": 1, "known_to": "2013-03-31", "inputs": {}, "parameters": told,
        "draws": draws or {row["name"]: rng.lognormal(0.0, 0.4, 50).tolist() for row in rows},
    }  # fmt: skip
    path = folder / "made.fit.json"
    path.write_text(json.dumps(data | more), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def model() -> Model:
    return load_model("mm-infinity")


@pytest.fixture(scope="module")
def path(model: Model, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(tmp_path_factory.mktemp("fits"), model)


NUMBER = '{{ value = {}, source = "assumption", grade = "D" }}'
EXPERIMENT = f"""
name = "fewer"
title = "Fewer come"
model = "mm-infinity"
years = 1
replications = 12
seed = 3
[shrinkage]
A = {NUMBER.format(1)}
B = {NUMBER.format(1)}
C = {NUMBER.format(1)}
D = {NUMBER.format(1)}
[[scenarios]]
name = "slow"
title = "People stay twice as long"
effects = [{{ on = "leaving", multiply = {NUMBER.format(0.5)} }}]
[[strategies]]
name = "fewer"
title = "A fifth fewer"
start = 2013-06-01
effects = [{{ on = "arrivals", multiply = {NUMBER.format(0.8)} }}]
[[strategies]]
name = "nothing"
title = "Nothing"
start = 2013-06-01
"""


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("experiment") / "fewer.toml"
    found.write_text(EXPERIMENT, encoding="utf-8")
    return found


@pytest.fixture(scope="module")
def found(file: Path, path: Path) -> Comparison:
    return compare(file, workers=1, fit=path)


@pytest.fixture(scope="module")
def plain(file: Path) -> Comparison:
    return compare(file, workers=1)


def met(found: Run | Comparison) -> pl.DataFrame:
    return found.drawn.filter(pl.col("kind") == "parameter")


# ---- refused
@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"known_to": None}, "known_to: should be a date such as 2013-04-01"),
        ({"surprise": 1}, "surprise: unknown key"),
        ({"draws": {"leaving": []}}, "draws: needs as many draws of each parameter"),
        ({"draws": {"staying": [1.0]}}, "draws: needs as many draws of each parameter"),
    ],
)
def test_a_malformed_fit_is_refused_in_one_sentence(
    tmp_path: Path, model: Model, changes: dict[str, Any], said: str
) -> None:
    bad = written(tmp_path, model, **changes)
    with pytest.raises(BadInput) as refused:
        load_fit(bad, model)
    assert f"{bad}: {said}" in str(refused.value)


@pytest.mark.parametrize(("text", "said"), [("{", "is not complete, valid JSON"), ("[1]", "is not a fit")])
def test_what_is_no_fit_is_refused(tmp_path: Path, text: str, said: str) -> None:
    bad = tmp_path / "x.fit.json"
    bad.write_text(text, encoding="utf-8")
    with pytest.raises(BadInput, match=said):
        read_fit(bad)


def test_a_fit_is_stale_when_a_file_it_was_made_from_has_changed_or_gone(tmp_path: Path, model: Model) -> None:
    source = tmp_path / "counts.csv"
    source.write_text("a,1\n", encoding="utf-8")
    made = written(tmp_path, model, inputs={str(source): file_digest(source)})
    fit = load_fit(made, model)
    source.write_bytes(b"a,1\r\n")  # the same text with other line ends
    load_fit(made, model)
    source.write_text("a,2\n", encoding="utf-8")
    with pytest.raises(BadInput, match=r"made\.fit\.json: is stale: .*counts\.csv has changed since; calibrate again"):
        run(model, fit=made)
    with pytest.raises(BadInput, match="fit made: is stale"):
        run(model, fit=fit)
    source.unlink()
    with pytest.raises(BadInput, match="is not there; calibrate again"):
        load_fit(made)


def test_a_fit_of_another_model_is_refused_by_name_and_by_value(path: Path, file: Path) -> None:
    toy = load_model(TOY)
    for fit in (path, load_fit(path)):
        with pytest.raises(BadInput, match="was made for mm-infinity; what 'leaving' moves is not the same in toy"):
            run(toy, years=1, replications=1, fit=fit)
    experiment, _ = load_experiment(file)
    with pytest.raises(BadInput, match="not the same in toy"):
        compare(experiment, model=toy, fit=path)


def test_a_fit_is_found_by_path_and_by_folder(tmp_path: Path, path: Path) -> None:
    with pytest.raises(BadInput, match=r"no fit\.json in it"):
        find_fit(tmp_path)
    (tmp_path / "fit.json").write_bytes(path.read_bytes())
    assert find_fit(tmp_path) == tmp_path / "fit.json"
    assert check_fit(tmp_path / "fit.json") == "fit of 1 parameters in 50 draws"


@pytest.mark.parametrize("seed", [-1, 2**70])
def test_a_seed_that_cannot_be_is_refused_with_a_fit_as_without(model: Model, path: Path, seed: int) -> None:
    with pytest.raises(BadInput, match="seed: must be from 0"):
        run(model, seed=seed, fit=path)


# ---- draws
def test_every_strategy_and_scenario_meets_the_same_draw(found: Comparison, path: Path) -> None:
    fit = load_fit(path)
    wide = met(found).pivot(on="strategy", index="replication", values="value").sort("replication")
    assert wide["baseline"].to_list() == [fit.values(3, r)["leaving"] for r in range(12)]
    assert wide["baseline"].to_list() == wide["fewer"].to_list() == wide["nothing"].to_list()
    assert wide["baseline"].n_unique() == 12
    assert set(met(found)["month"]) == {"2013-04"}
    nothing = found.differences.filter(pl.col("strategy") == "nothing")
    assert nothing["difference"].abs().max() == 0


def test_a_scenario_and_a_strategy_are_laid_over_the_draw(file: Path, path: Path) -> None:
    experiment, model = load_experiment(file)
    fit = load_fit(path)
    for scenario, others in ((None, []), (experiment.scenarios[0], [0.5])):
        for task in tasks(experiment, model, "compiled", fit, scenario):
            leaving = [m.multiply.value for m in task.model.modifiers if m.on == "leaving"]
            assert leaving == [fit.values(3, task.replication)["leaving"], *others]
            assert ("arrivals" in {m.on for m in task.model.modifiers}) == (task.strategy == "fewer")
            assert task.parameters == fit.values(3, task.replication)


def test_without_a_fit_nothing_of_one_is_there(plain: Comparison) -> None:
    assert met(plain).is_empty()
    assert "fit" not in plain.manifest
    assert plain.totals.columns == ["strategy", "replication", *SUMMED]
    assert plain.differences["parameter_low"].null_count() == plain.differences.height
    assert met_parameters(plain.drawn).is_empty()
    page = html(ReportInput.of(plain))
    assert "the fit" not in page.partition("<script>")[0]
    assert "nine in ten simulated futures" not in page


def test_a_fit_of_ones_changes_nothing_but_says_so(model: Model, file: Path, plain: Comparison, tmp_path: Path) -> None:
    """Bit by bit: the arithmetic of a factor of one is that of none."""
    ones = written(tmp_path, model, draws={"leaving": [1.0] * 3})
    for one, two in (
        (run(model, 1, 2, engine="compiled", workers=1), run(model, 1, 2, engine="compiled", workers=1, fit=ones)),
        (plain, compare(file, workers=1, fit=ones)),
    ):
        assert two.measures.equals(one.measures)
        assert met(two).height > 0


def test_a_run_is_the_same_whatever_the_workers_and_the_engine(model: Model, path: Path) -> None:
    one, two = (run(model, 1, 3, engine="compiled", workers=workers, fit=path, keep_log=True) for workers in (1, 2))
    assert one.measures.equals(two.measures)
    other = run(model, 1, 3, engine="simpy", workers=1, fit=path, keep_log=True)
    assert one.log is not None
    assert other.log is not None
    assert one.log.equals(other.log)
    assert met(one).equals(met(other))
    again = run(model, 1, 3, seed=2, engine="compiled", workers=1, fit=path)
    assert not met(again).equals(met(one))


def test_the_first_draw_comes_again_after_the_last(path: Path) -> None:
    fit = load_fit(path)
    assert fit.values(1, 0) == fit.values(1, 50)
    assert sorted(fit.values(1, r)["leaving"] for r in range(50)) == sorted(fit.draws["leaving"])


# ---- theory
def test_a_factor_on_leaving_moves_the_caseload_as_theory_says(model: Model, tmp_path: Path) -> None:
    """M/M/infinity two years after it began empty: 400 a year at a rate of leaving of 2 a year are nearly 200 people;
    twice the rate, half."""
    for factor in (1.0, 2.0):
        fit = written(tmp_path, model, draws={"leaving": [factor]})
        found = run(model, years=2, replications=60, engine="compiled", workers=1, fit=fit)
        last = found.measures.filter((pl.col("measure") == "caseload") & (pl.col("month") == "2015-03"))
        values = last.group_by("replication").agg(pl.col("value").sum())["value"].to_numpy()
        assert values.size == 60
        holds(
            f"caseload at {factor} times the rate",
            values,
            400 / (2 * factor) * (1 - np.exp(-2 * factor * found.days / 365.25)),
        )


def test_a_number_at_a_path_is_set_for_all_the_run(model: Model, tmp_path: Path) -> None:
    """Arrivals of 800 a year instead of 400, in a model whose paths name them."""
    many = {"name": "arrivals", "title": "How many come", "paths": ["arrivals.everyone.per_year"], "width": 0.2}
    fit = written(tmp_path, model, many, draws={"arrivals": [800.0]})
    found = run(model, years=2, replications=20, engine="compiled", workers=1, fit=fit)
    came = (
        found.measures.filter(pl.col("measure") == "entries")
        .group_by("replication")
        .agg(pl.col("value").sum())["value"]
        .to_numpy()
    )
    holds("entries in two years", came, 800 * found.days / 365.25)


# ---- the parameters' own part
def totals_of(effect: np.ndarray, noise: float, columns: dict[str, np.ndarray]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Totals whose differences are an effect and noise, and what was drawn; the baseline, which cancels, goes with the
    parameters much more."""
    n, rng = effect.size, np.random.default_rng(3)
    flat = {name: np.zeros(2 * n) for name in SUMMED}
    base = rng.normal(1000, 50, n) + 500 * sum(columns.values())
    flat["cost"] = np.concatenate([base, base + effect + rng.normal(0, noise, n)])
    ids = {"strategy": ["baseline"] * n + ["s"] * n, "replication": [*range(n)] * 2}
    rows = [
        ("baseline", r, "2013-04", "parameter", name, v) for name, each in columns.items() for r, v in enumerate(each)
    ]
    return pl.DataFrame(ids | flat), pl.DataFrame(rows, schema=DRAWN, orient="row")


def test_the_parameters_part_recovers_a_known_linear_effect() -> None:
    """An effect of −30 a unit of one parameter and 10 of another, both standard normal: a standard deviation of √1000,
    noise or not."""
    rng = np.random.default_rng(1)
    one, two = rng.standard_normal((2, 4000))
    for noise in (0.0, 60.0):
        found, drawn = totals_of(-30 * one + 10 * two, noise, {"one": one, "two": two})
        row = differences(found, ["s"], drawn).filter(pl.col("measure") == "cost").row(0, named=True)
        half = (row["parameter_high"] - row["parameter_low"]) / 2
        right = norm.ppf(0.95) * np.sqrt(1000)
        print(noise, half, right)
        assert half == pytest.approx(right, rel=4 * np.sqrt(1 / 4000) * (1 + noise / 30))
        assert row["spread_low"] <= row["parameter_low"] < row["difference"] < row["parameter_high"]
        assert row["parameter_high"] <= row["spread_high"]
    assert (
        row["spread_high"] - row["spread_low"] > 1.5 * 2 * half
    )  # with noise the whole spread is wider than the parameters' part
    assert row["demand_low"] is None


@pytest.mark.parametrize(("replications", "known"), [(11, False), (12, True)])
def test_it_takes_ten_replications_more_than_parameters(replications: int, known: bool) -> None:
    columns = {name: np.random.default_rng(k).standard_normal(replications) for k, name in enumerate("ab")}
    found, drawn = totals_of(columns["a"], 1.0, columns)
    row = differences(found, ["s"], drawn).row(1, named=True)
    assert (row["parameter_low"] is not None) == known
    assert (row["parameter_high"] is not None) == known


def test_positive_values_are_taken_as_logarithms_and_others_as_they_are() -> None:
    rows = [parameter_rows("baseline", r, "2013-04", {"shift": r - 1.0, "factor": 2.0**r}) for r in range(3)]
    found = np.array(met_parameters(pl.concat(rows))["met"].to_list())
    assert found[:, 0].tolist() == pytest.approx(np.log([1, 2, 4]).tolist())
    assert found[:, 1].tolist() == [-1.0, 0.0, 1.0]


def test_the_spread_of_a_fit_is_mostly_the_parameters(found: Comparison) -> None:
    """A fifth fewer come: how many days that saves goes with how long people stay, which is what the fit leaves
    open."""
    row = found.differences.filter((pl.col("strategy") == "fewer") & (pl.col("measure") == "person_days")).row(
        0, named=True
    )
    assert row["spread_low"] < row["parameter_low"] + 0.5 * (row["spread_high"] - row["spread_low"])
    assert row["parameter_low"] < row["difference"] < row["parameter_high"]
    assert found.scenarios.filter(pl.col("scenario") == "slow")["parameter_low"].null_count() == 0


# ---- said, kept, read back
def test_the_sentence_names_what_is_prior_driven(model: Model, tmp_path: Path) -> None:
    rows = (
        {**LEAVING, "width": 0.79},
        {**LEARNED, "width": 0.8},
        {**LEARNED, "name": "counted", "title": "Counted", "width": 0.99, "observed": True},
    )
    told = load_fit(written(tmp_path, model, *rows), model).manifest_entry
    assert told["prior_driven"] == ["Price [of] need"]
    assert (
        fit_sentence(told)
        == "Parameters are drawn from the fit made (information cut-off date 31 March 2013). The published data say"
        " little about: Price [of] need. Results that depend on these are only as reliable as the assumptions behind"
        " them."
    )


def test_the_manifest_tells_one_fit_from_another(model: Model, path: Path, tmp_path: Path) -> None:
    one = load_fit(path).manifest_entry
    assert one == load_fit(path).manifest_entry
    assert (one["name"], one["known_to"], one["draws"], one["prior_driven"]) == ("made", "2013-03-31", 50, [])
    source = tmp_path / "a.csv"
    source.write_text("a", encoding="utf-8")
    two = load_fit(written(tmp_path, model, inputs={str(source): file_digest(source)})).manifest_entry
    assert one["inputs_sha256"] != two["inputs_sha256"]
    other = load_fit(written(tmp_path, model, draws={"leaving": [1.0, 2.0]})).manifest_entry
    assert (one["inputs_sha256"] == other["inputs_sha256"], one["fit_sha256"] == other["fit_sha256"]) == (True, False)


def test_a_comparison_is_read_back_with_its_fit(found: Comparison, tmp_path: Path) -> None:
    report = write_comparison(found, tmp_path / "c", "simcare compare")
    page = report.read_text(encoding="utf-8").partition("<script>")[0]
    for words in (
        "Parameters are drawn from the fit made",
        "The parameters' part</th>",
        "Green: the parameters' part",
        "5th to 95th percentile",
        "made, information cut-off date 31 March 2013, 50 draws",
        "What the fit puts in place of numbers below",
        'How fast people leave</th><td class="number">factor',
    ):
        assert words in page.replace("&#39;", "'"), words
    again = read_folder(tmp_path / "c")
    assert again.manifest["fit"] == found.manifest["fit"]
    assert again.differences is not None
    assert again.differences.equals(found.differences)
    assert again.drawn.equals(found.drawn)
    assert html(again) == report.read_text(encoding="utf-8")
    (tmp_path / "c" / "drawn.parquet").unlink()
    with pytest.raises(BadInput, match=r"has no drawn\.parquet, which holds the demand and the parameters"):
        read_folder(tmp_path / "c")


def test_an_older_folder_in_which_nothing_was_drawn_is_read(plain: Comparison, tmp_path: Path) -> None:
    write_comparison(plain, tmp_path / "c", "simcare compare")
    (tmp_path / "c" / "drawn.parquet").unlink()
    assert read_folder(tmp_path / "c").drawn.is_empty()


def test_the_figure_draws_the_parameters_part_under_the_whole(found: Comparison) -> None:
    row = found.differences.filter((pl.col("strategy") == "fewer") & (pl.col("measure") == "cost_pv")).row(
        0, named=True
    )
    drawn = comparison_figure(found.differences, {"fewer": "A fifth fewer"}, "2013/14").data
    assert [row["parameter_low"], row["parameter_high"]] in [list(trace.x) for trace in drawn]
    assert "The parameters' part of it" in [trace.name for trace in drawn]
    without = found.differences.drop("parameter_low", "parameter_high")
    assert "The parameters' part of it" not in [
        trace.name for trace in comparison_figure(without, {"fewer": "A fifth fewer"}, "2013/14").data
    ]


def test_a_run_is_read_back_with_its_fit(model: Model, path: Path, tmp_path: Path) -> None:
    done = run(model, 1, 3, engine="compiled", workers=1, fit=path)
    report = write_run(done, tmp_path / "r", "simcare run")
    assert fit_sentence(done.manifest["fit"]) in report.read_text(encoding="utf-8")
    again = read_folder(tmp_path / "r")
    assert again.drawn.equals(done.drawn)
    assert html(again) == report.read_text(encoding="utf-8")


def test_money_is_that_of_the_rows_of_money(model: Model, path: Path) -> None:
    """What is drawn is in no sum: cost by year is person-days times the price, £10 a day."""
    done = run(model, 1, 3, engine="compiled", workers=1, fit=path)
    days = done.measures.filter(pl.col("measure") == "person_days")["value"].sum()
    assert done.by_year()["cost"].sum() == pytest.approx(10 * days)


# ---- command line
def simcare(*arguments: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    env = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "NO_COLOR": "1",
        "COLUMNS": "160",
        "PYTHONWARNINGS": "error",
    }
    return subprocess.run(
        [sys.executable, "-m", "simcare.cli", *map(str, arguments)],
        capture_output=True,
        text=True,
        cwd=cwd,
        env=env,
        timeout=300,
    )


def test_compare_shows_a_prediction_interval_and_what_is_prior_driven(tmp_path: Path, model: Model, file: Path) -> None:
    made = written(tmp_path, model, {**LEAVING, "width": 0.9, "title": "How [fast] people leave"})
    done = simcare("compare", file, "--fit", made, "--workers", 1, "--out", tmp_path / "c", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "90% prediction interval" in done.stdout
    said = " ".join(done.stdout.split())
    assert (
        "The published data say little about: How [fast] people leave. Results that depend on these are only as"
        " reliable as the assumptions behind them." in said
    )
    assert (
        "90% prediction interval"
        not in simcare("compare", file, "--reps", 2, "--workers", 1, "--out", tmp_path / "d", cwd=tmp_path).stdout
    )


def test_run_says_what_its_parameters_are_drawn_from(tmp_path: Path, path: Path) -> None:
    done = simcare(
        "run", "mm-infinity", "--years", 1, "--reps", 2, "--fit", path, "--out", tmp_path / "r", cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    assert "Parameters are drawn from the fit made (information cut-off date 31 March 2013)." in " ".join(
        done.stdout.split()
    )
    printed = simcare(
        "run", "mm-infinity", "--years", 1, "--reps", 2, "--fit", path, "--out", tmp_path / "r", "--json", cwd=tmp_path
    )
    assert json.loads(printed.stdout)["manifest"]["fit"]["draws"] == 50


@pytest.mark.parametrize("verb", ["run", "compare", "check"])
def test_a_fit_that_cannot_be_used_is_one_line_exit_2_and_nothing_written(
    tmp_path: Path, model: Model, file: Path, verb: str
) -> None:
    made = written(tmp_path, model, inputs={"calibration/no-such.csv": "0"})
    first = {"run": ("run", "mm-infinity", "--fit"), "compare": ("compare", file, "--fit"), "check": ("check",)}[verb]
    for name, said in (
        (made, "is stale: calibration/no-such.csv, from which it was made, is not there"),
        ("no/such.fit.json", "no such file"),
    ):
        done = simcare(*first, name, cwd=tmp_path)
        assert done.returncode == 2
        assert said in done.stderr
        assert len(done.stderr.strip().splitlines()) == 1
        assert "Traceback" not in done.stderr
        assert done.stdout == ""
    assert [p.name for p in tmp_path.iterdir()] == ["made.fit.json"]


def test_an_unknown_and_a_foreign_fit_are_told(tmp_path: Path, path: Path) -> None:
    for arguments, said in (
        (("mm-infinity", "--fit", "kemt"), "kemt: unknown"),
        ((TOY, "--fit", path), "was made for mm-infinity"),
    ):
        done = simcare("run", *arguments, cwd=tmp_path)
        assert done.returncode == 2
        assert said in done.stderr
        assert len(done.stderr.strip().splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


def test_check_validates_a_fit_and_holds_it_against_its_model(tmp_path: Path, path: Path, model: Model) -> None:
    done = simcare("check", path, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, f"{path}: fit of 1 parameters in 50 draws is valid\n")
    data = json.loads(path.read_text(encoding="utf-8"))
    data["parameters"][0]["base_sha256"] = "0" * 16
    other = tmp_path / "other.fit.json"
    other.write_text(json.dumps(data), encoding="utf-8")
    done = simcare("check", other, cwd=tmp_path)
    assert done.returncode == 2
    assert "what 'leaving' moves is not the same in mm-infinity" in done.stderr
