"""The likelihood of what was published: a normal of all doubt."""

from __future__ import annotations

import datetime as dt
import math

import numpy as np
import pytest
from scipy.stats import multivariate_normal

from simcare.calibrate.likelihood import judge, log_likelihood, off
from tests.support.linear_problem import datum, linear, shown, target


def test_likelihood_is_a_normal_of_all_doubt() -> None:
    found, judged = linear(), shown((0.5, 0.2, 0.1))
    steps = np.array([[0.3, -0.4], [1.0, 1.0]])
    mean, variance = found.predict(steps)
    for k in range(2):
        cover = judged.slack + found.noise + np.diag(variance[k])
        whole = multivariate_normal(mean[k], cover).logpdf(judged.published) + 1.5 * math.log(2 * math.pi)
        assert log_likelihood(judged, found, steps)[k] == pytest.approx(whole)
        assert off(judged, found, steps)[k] == pytest.approx((judged.published - mean[k]) / np.sqrt(np.diag(cover)))


def test_discrepancy_is_a_random_walk_and_a_level_year_is_shared() -> None:
    plain, level = target("a", 0.1, 0.2), target("b", 0.1, 0.2, level_from=dt.date(2014, 3, 31))
    data = [
        datum(plain, 1),
        datum(plain, 4),
        datum(level, 3, base=50.0, base_lead=1.0),
        datum(level, 5, base=50.0, base_lead=1.0),
    ]
    found = judge(data, widened=2.0)
    assert found.discrepancy[:2, :2] == pytest.approx(0.16 * np.array([[1, 1], [1, 4]]))
    assert found.discrepancy[2:, 2:] == pytest.approx(0.16 * np.array([[2, 2], [2, 4]]))
    assert found.error == pytest.approx(0.01 * np.array([[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 2, 1], [0, 0, 1, 2]]))
