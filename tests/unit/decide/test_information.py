"""The value of information against closed forms."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from scipy.stats import norm

from simcare.decide.information import information
from simcare.decide.sample import Cause
from simcare.rules.streams import stream
from tests.support.linear_answer import MATTER, five_of_45, gain

SEEDS = 16
A, B = Cause("a", "A", "uncertain"), Cause("b", "B", "uncertain")


def row_of(found: pl.DataFrame, level: str, name: str | None = None) -> dict[str, float]:
    return found.filter((pl.col("level") == level) & (pl.col("name") == (name or level))).row(0, named=True)


@pytest.fixture(scope="module")
def two_rows() -> pl.DataFrame:
    """INB = a + b, a ~ N(100, 200²), b ~ N(0, 150²): 2,000 draws."""
    rng = stream(30)
    x = np.column_stack([rng.normal(100, 200, 2000), rng.normal(0, 150, 2000)])
    return information([A, B], x, x.sum(axis=1, keepdims=True), {"both": ["a", "b"]})


@pytest.mark.parametrize(
    ("level", "name", "exact"),
    [
        ("everything", None, 57.6097),
        ("hindsight", None, 57.6097),  # without chance events there is nothing else to know
        ("group", "both", 57.6097),
        ("cause", "a", 39.5593),
        ("cause", "b", gain(100, 150)),
    ],
)
def test_two_rows_are_worth_what_theory_says(two_rows: pl.DataFrame, level: str, name: str, exact: float) -> None:
    found = row_of(two_rows, level, name)
    print(f"{level} {name}: {found['value']:.2f} ± {found['error']:.2f}, exact {exact:.4f}")
    assert abs(found["value"] - exact) < 4 * found["error"]
    assert 0.5 < found["error"] < 4


def test_the_closed_forms_of_the_oracle() -> None:
    assert gain(100, 250) == pytest.approx(57.6097, abs=1e-4)
    assert gain(100, 200) == pytest.approx(39.5593, abs=1e-4)


def test_chance_events_cannot_be_known() -> None:
    """b is chance: perfect information is that of a alone, and hindsight more."""
    rng = stream(31)
    a = rng.normal(100, 200, (2000, 1))
    found = information([A], a, a + rng.normal(0, 150, (2000, 1)))
    everything, hindsight = row_of(found, "everything"), row_of(found, "hindsight")
    assert abs(everything["value"] - 39.5593) < 4 * everything["error"]
    assert abs(hindsight["value"] - 57.6097) < 4 * hindsight["error"]
    assert hindsight["value"] > everything["value"] + 4 * everything["error"]


def test_two_strategies_and_a_baseline() -> None:
    """Net benefits x + c and c - x with x ~ N(0, 1): knowing x is worth E|x| = √(2 / π), above c ahead of the
    baseline."""
    rng = stream(32)
    x = rng.standard_normal((2000, 2))
    benefits = 5.0 + np.column_stack([x[:, 0], -x[:, 0]]) + rng.standard_normal((2000, 2))
    found = information([A, B], x, benefits)
    known, other = row_of(found, "cause", "a"), row_of(found, "cause", "b")
    tie = 2 * norm.pdf(0) * np.sqrt(2 * 2 / 2000)  # by how much the better of two level means is too high
    assert abs(known["value"] - np.sqrt(2 / np.pi)) < 4 * known["error"] + tie
    assert other["value"] == 0.0 and not other["above_noise"]


def test_100_replications_and_45_rows_of_which_5_matter() -> None:
    """Over 16 seeds: everything, and the three largest rows, without bias; rows without effect are worth nothing."""
    answer = five_of_45(1.0)
    mean = 0.5
    frames = []
    for seed in range(SEEDS):
        sample = answer.drawn(100, 33, seed)
        found = information(sample.causes, sample.draws, sample.differences[:, None] - answer.mean + mean, seed=seed)
        frames.append(found)
    names = [("everything", "everything"), *(("cause", f"x{k:02}") for k in MATTER)]
    values = np.array([[row_of(frame, *name)["value"] for name in names] for frame in frames])
    errors = np.array([[row_of(frame, *name)["error"] for name in names] for frame in frames])
    sds = [float(np.sqrt((answer.parts**2).sum())), *answer.parts[MATTER]]
    true = np.array([gain(mean, sd) for sd in sds])
    z = (values.mean(axis=0) - true) / (values.std(axis=0, ddof=1) / np.sqrt(SEEDS))
    said = {"true": true, "mean": values.mean(axis=0), "sd": values.std(axis=0), "said": errors.mean(axis=0)}
    for label, numbers in said.items():
        print(f"{label:5}", *(f"{x:.3f}" for x in numbers))
    assert np.abs(z[:4]).max() < 4
    assert (errors[:, 0].mean() / values[:, 0].std()) == pytest.approx(1.0, abs=0.4)
    five = [f"x{k:02}" for k in MATTER]
    others = pl.concat(frames).filter((pl.col("level") == "cause") & ~pl.col("name").is_in(five))
    assert others["above_noise"].mean() < 0.03
    assert others.filter(~pl.col("above_noise"))["value"].max() == 0.0


def test_much_chance_is_not_taken_for_something_to_know() -> None:
    """Nine tenths of the variance are chance: 90 terms on 100 replications would explain most of it by accident."""
    answer = five_of_45(4.0)
    values = []
    for seed in range(SEEDS):
        sample = answer.drawn(100, 38, seed)
        found = information(sample.causes, sample.draws, sample.differences[:, None] - answer.mean + 0.5, seed=seed)
        values.append([row_of(found, name)["value"] for name in ("everything", "hindsight")])
    everything, hindsight = np.mean(values, axis=0)
    exact = gain(0.5, float(np.sqrt((answer.parts**2).sum())))
    error = np.std([v[0] for v in values], ddof=1) / np.sqrt(SEEDS)
    print(f"everything {everything:.2f} ± {error:.2f}, exact {exact:.2f}; hindsight {hindsight:.2f}")
    assert abs(everything - exact) < 4 * error and everything < 0.6 * hindsight


def test_no_doubt_has_no_value() -> None:
    x = stream(34).standard_normal((200, 2))
    for level in (100.0, -100.0):
        found = information([A, B], x, level + x[:, :1])
        assert found["value"].to_list() == pytest.approx([0.0] * found.height, abs=1e-9)
        assert not found["above_noise"].any()


def test_a_strategy_like_the_baseline_has_no_value() -> None:
    x = stream(35).standard_normal((100, 2))
    assert information([A, B], x, np.zeros((100, 2)))["value"].to_list() == [0.0] * 7


def test_a_group_of_unknown_causes_is_refused() -> None:
    x = stream(36).standard_normal((100, 2))
    with pytest.raises(ValueError, match="group 'prices': there is no cause 'c'"):
        information([A, B], x, x, {"prices": ["a", "c"]})
    with pytest.raises(ValueError, match="net benefits need the shape"):
        information([A, B], x, x[:, 0])


def test_alternatives_that_are_all_but_one_rare_are_worth_nothing_that_can_be_seen() -> None:
    x = np.column_stack([stream(37).standard_normal(100), np.arange(100) < 3])
    found = information([A, Cause("rare", "R", "uncertain", categorical=True)], x, x[:, :1])
    assert row_of(found, "cause", "rare")["value"] == 0.0 and row_of(found, "cause", "a")["value"] > 0.3
