"""Odd months are pulses, changes that stay are steps, and a season or chance is neither."""

from __future__ import annotations

import numpy as np
import pytest

from simcare.demand.series import MonthlyCounts
from simcare.demand.shifts import odd_months, shift_notes
from simcare.units import parsed_month

FIRST = parsed_month("2014-04")


def series(counts: np.ndarray) -> MonthlyCounts:
    return MonthlyCounts("X", FIRST, counts.astype(float))


def poisson(mean: float = 100.0, months: int = 60, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).poisson(mean, months).astype(float)


@pytest.mark.parametrize("level", [900.0, 300.0, 30.0, 0.0])
@pytest.mark.parametrize("at", [6, 25, 53])
def test_one_odd_month_is_a_pulse_and_no_break(level: float, at: int) -> None:
    counts = poisson()
    counts[at] = level
    (note,) = shift_notes(series(counts))
    assert f"stands alone: {level:g}, where the months around it have about" in note
    assert shift_notes(series(counts), pulses=[FIRST + at]) == []


def test_a_change_that_stays_is_a_step_and_no_odd_month() -> None:
    counts = np.concatenate([poisson(100, 30), poisson(160, 30, 2)])
    (note,) = shift_notes(series(counts))
    assert note.startswith("A break near 2016-1")
    assert shift_notes(series(counts), steps=[FIRST + 30]) == []


def test_zeros_on_one_side_are_a_break() -> None:
    (note,) = shift_notes(series(np.concatenate([poisson(20, 30), np.zeros(30)])))
    assert note.startswith("A break near 2016-10: counts fall to 0")
    (note,) = shift_notes(series(np.concatenate([np.zeros(30), poisson(20, 30)])))
    assert note.startswith("A break near 2016-10: counts rise from 0")


def test_chance_and_season_are_nothing_odd() -> None:
    told = 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        mean = float(rng.choice([2.0, 10.0, 60.0, 500.0]))
        told += bool(odd_months(series(rng.poisson(mean * rng.gamma(60.0, 1 / 60.0, 60)))))
    print(f"{told} of 200 series of chance have an odd month")
    assert told <= 4
    season = np.tile([100, 100, 100, 100, 45, 100, 100, 100, 40, 100, 100, 100], 5) + poisson(10) - 10.0
    assert odd_months(series(season)) == []


def test_several_months_of_a_shock_are_each_told() -> None:
    counts = poisson()
    counts[24:27] = 40.0
    notes = shift_notes(series(counts))
    assert [note[:7] for note in notes] == ["2016-04", "2016-05", "2016-06"]
