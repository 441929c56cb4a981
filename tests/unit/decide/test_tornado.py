"""Conditional means at the ends of each cause, against the closed form of a linear answer."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from scipy.stats import norm

from simcare.decide.curves import fitted_to
from simcare.decide.sample import Cause, sample_of
from simcare.decide.tornado import tornado
from simcare.rules.streams import stream
from tests.support.linear_answer import MATTER, five_of_45

Z = float(norm.ppf(0.95))


def test_means_at_the_ends_are_those_of_theory() -> None:
    """E[D | x at its 95th percentile] = mean + 1.645 a s: over 50 seeds, 100 replications, 45 rows."""
    answer = five_of_45(1.0)
    found, errors = [], []
    for seed in range(50):
        frame = tornado(fitted_to(answer.drawn(100, 20, seed))).sort("name")
        ends = frame.select("mean_at_low", "mean_at_high")
        found.append(np.column_stack([ends, frame["mean_at_high"] - frame["mean_at_low"]]))
        errors.append(frame.select("error_at_low", "error_at_high", "length_error").to_numpy())
    values, said = np.array(found), np.array(errors)
    moves = Z * answer.slopes * answer.sds
    true = np.column_stack([answer.mean - moves, answer.mean + moves, 2 * moves])
    z = (values.mean(axis=0) - true) / (values.std(axis=0, ddof=1) / np.sqrt(50))
    held = (np.abs(values - true) < 1.645 * said).mean(axis=0)
    print("five rows: bias / its error", z[MATTER].round(1).tolist(), "held", held[MATTER].round(2).tolist())
    print(f"all rows: held {held.mean():.3f}")
    assert np.abs(z).max() < 4
    assert 0.86 < held.mean() < 0.94


def test_the_longest_bar_comes_first_and_noise_is_said() -> None:
    found = tornado(fitted_to(five_of_45(1.0).drawn(400, 21)))
    assert found["name"].to_list()[:4] == [f"x{k:02}" for k in (0, 37, 1, 43)]
    assert found["length"].to_list() == sorted(found["length"], reverse=True)
    clear = found.filter("above_noise")["name"].to_list()
    assert set(clear) >= {f"x{k:02}" for k in MATTER} and len(clear) <= 7


@pytest.mark.parametrize(("mean", "turns"), [(3.0, False), (-1.0, True), (1.0, True)])
def test_an_answer_that_changes_sign_is_marked(mean: float, turns: bool) -> None:
    x = stream(22).standard_normal((200, 2))
    causes = [Cause("acts", "A", "uncertain"), Cause("idle", "I", "uncertain")]
    noise = 0.3 * stream(23).standard_normal(200)
    found = tornado(fitted_to(sample_of(causes, x, mean + x[:, 0] + noise)))
    assert dict(found.select("name", "changes_sign").rows()) == {"acts": turns, "idle": False}


def test_noise_does_not_change_a_sign() -> None:
    """Near zero every bar crosses it; that of a row without effect does not count."""
    rng = stream(24)
    causes = [Cause(f"x{k}", "X", "uncertain") for k in range(10)]
    found = tornado(fitted_to(sample_of(causes, rng.standard_normal((100, 10)), 0.01 + rng.standard_normal(100))))
    crossing = found.filter(pl.col("mean_at_low") * pl.col("mean_at_high") < 0)
    assert crossing.height > 0 and not found["changes_sign"].any()


def test_alternatives_are_the_lowest_and_the_highest() -> None:
    rng = stream(25)
    worlds = rng.integers(0, 3, 300)
    values = np.array([1.0, -2.0, 5.0])[worlds] + 0.5 * rng.standard_normal(300)
    found = tornado(fitted_to(sample_of([Cause("w", "W", "uncertain", True)], worlds[:, None], values))).row(
        0, named=True
    )
    assert (found["at_low"], found["at_high"]) == (1.0, 2.0)
    assert abs(found["mean_at_low"] + 2.0) < 4 * found["error_at_low"]
    assert abs(found["mean_at_high"] - 5.0) < 4 * found["error_at_high"]
    assert abs(found["length"] - 7.0) < 4 * found["length_error"]


def test_the_causes_own_numbers_stand_at_the_ends() -> None:
    x = stream(26).lognormal(0.0, 0.5, (2000, 1))
    found = tornado(fitted_to(sample_of([Cause("a", "A", "uncertain")], x, np.log(x[:, 0])))).row(0, named=True)
    assert np.log([found["at_low"], found["at_high"]]) == pytest.approx([-0.5 * Z, 0.5 * Z], abs=0.08)
    assert [found["mean_at_low"], found["mean_at_high"]] == pytest.approx([-0.5 * Z, 0.5 * Z], abs=0.08)
