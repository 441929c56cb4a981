"""Every shipped file is valid, loads and runs."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from simcare.calibrate.reading import load_calibration
from simcare.decide.comparison import compare
from simcare.files.library import library
from simcare.files.load import check_file, load_experiment
from simcare.runs.run import run


def shipped(folder: str) -> list[Path]:
    return sorted(library(folder).glob("**/*.toml"))


EVERY = [path for folder in ("models", "calibration", "experiments") for path in shipped(folder)]


def name(path: Path) -> str:
    return f"{path.parent.name}/{path.name}"


@pytest.mark.parametrize("path", EVERY, ids=name)
def test_it_is_valid(path: Path) -> None:
    if path.parent.name == "calibration":
        assert load_calibration(path).fitted
        return
    kind, figures, *_ = check_file(path)
    assert path.parent.name.startswith(kind)
    assert figures


@pytest.mark.parametrize("path", shipped("models"), ids=name)
def test_a_model_runs(path: Path) -> None:
    done = run(path, years=1, replications=1, seed=1)
    assert done.replications == 1
    assert done.measures["month"].n_unique() == 12
    assert done.log is not None
    assert done.log.height > 0


@pytest.mark.parametrize("path", shipped("experiments"), ids=name)
def test_an_experiment_runs(path: Path) -> None:
    experiment, model = load_experiment(path)
    soon = model.about.start + dt.timedelta(days=91)
    early = tuple(
        s.model_copy(update={"start": soon}) for s in experiment.strategies
    )  # within the one year that is run
    of_many = experiment.scenarios[:1]  # of a sweep one point shows that it runs
    one = experiment.model_copy(update={"scenarios": of_many, "strategies": early})
    found = compare(one, 2, model=model, years=1, seed=1, workers=1)
    strategies = ["baseline", *(strategy.name for strategy in found.experiment.strategies)]
    assert found.measures["strategy"].unique(maintain_order=True).to_list() == strategies
    assert found.differences["strategy"].unique(maintain_order=True).to_list() == strategies[1:]
    assert found.totals.height == 2 * len(strategies)
