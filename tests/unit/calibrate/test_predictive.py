"""Predictive intervals hold what they say; scores and yardsticks against closed forms."""

from __future__ import annotations

import datetime as dt
import math

import numpy as np
import pytest
from scipy.stats import norm

from simcare.calibrate.likelihood import judge
from simcare.calibrate.predictive import enough, predictive, score, yardsticks
from simcare.calibrate.reading import load_calibration
from tests.support.linear_problem import datum, target
from tests.support.standard_errors import holds


def test_intervals_hold_what_they_say_where_the_model_is_right() -> None:
    """Published values drawn from the model itself, with its error and discrepancy: 50 and 90 % are inside."""
    one = target("a", 0.1, 0.2)
    shares = {50: [], 90: []}
    for seed in range(150):
        rng = np.random.default_rng(seed)
        data = [datum(one, year) for year in range(1, 6)]
        cover = judge(data).slack
        came = np.log(100) + 0.3 * rng.standard_normal() + np.linalg.cholesky(cover) @ rng.standard_normal(5)
        data = [d._replace(value=float(math.exp(v))) for d, v in zip(data, came, strict=True)]
        told = predictive(data, np.log(100) + 0.3 * rng.standard_normal((400, 1)) * np.ones((1, 5)), seed)
        for level, found in shares.items():
            found.append(told.inside(level).mean())
    for level, found in shares.items():
        holds(f"inside {level} %", np.array(found), level / 100)


def test_what_is_laid_on_runs_has_the_covariance_of_the_judge() -> None:
    one = target("a", 0.1, 0.2)
    told = predictive([datum(one, year) for year in (1, 4)], np.zeros((40_000, 2)), 1)
    assert np.cov(told.drawn.T) == pytest.approx(told.judge.slack, rel=0.05)


def test_discrepancy_is_widened_until_enough_lie_inside() -> None:
    data = [datum(target(f"t{k}", 0.01, 0.1), 1, 100.0 * math.exp(0.4)) for k in range(10)]
    runs = np.full((200, 10), math.log(100.0))
    every = np.ones(10, bool)
    assert predictive(data, runs, 1).inside(90).mean() < 0.8
    widened = enough(data, runs, every, 90, 0.8, 1, 1.0)
    assert predictive(data, runs, 1, widened).inside(90).mean() >= 0.8
    assert predictive(data, runs, 1, widened - 0.05).inside(90).mean() < 0.8
    assert widened == pytest.approx(0.4 / 1.645 / 0.1, rel=0.2)


def test_score_is_the_crps_of_a_normal() -> None:
    """Oracle: the CRPS of N(0, 1) at 0 is 0.2336950."""
    drawn = norm.ppf((np.arange(4000) + 0.5) / 4000)
    assert score(np.array([0.0]), drawn[:, None])[0] == pytest.approx(0.2336950, abs=2e-4)


def test_yardsticks_know_what_was_known_and_no_more() -> None:
    """The last value and the line of Kent's children who started to be looked after, known to March 2013: 780, 944,
    908, 867."""
    loaded = load_calibration("kent-2013")
    at = next(k for k, d in enumerate(loaded.data) if d.key == ("care started", dt.date(2015, 3, 31)))
    found = yardsticks(loaded, loaded.data, 1)
    naive, line = np.log(found.naive[:, at]), np.log(found.line[:, at])
    changes = np.diff(np.log([780, 944, 908, 867]))
    holds("naive", naive, math.log(867))
    assert naive.std() == pytest.approx(math.sqrt((changes**2).mean() * 2), rel=0.05)
    drift = (math.log(867) - math.log(780)) / 3
    holds("line", line, math.log(867) + 2 * drift)
    assert line.std() == pytest.approx(changes.std(ddof=1) * math.sqrt(2 * (1 + 2 / 3)), rel=0.05)
    salt = next(k for k, d in enumerate(loaded.data) if d.key == ("residential weeks 65+ (SALT)", dt.date(2017, 3, 31)))
    holds("naive of a level year", found.naive[:, salt], 155802 * math.exp(0.1**2 * 2 / 2))
    assert np.isnan(found.line[:, salt]).all()
