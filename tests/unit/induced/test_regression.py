"""Least squares with clusters, against a published package and worked out in full."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import f as f_law
from scipy.stats import t as t_law

from simcare.induced import CausalEstimate, assessor_leniency, simulate_scores, supply_shock, threshold_bunching
from simcare.induced.regression import basis, joint_p, least_squares, partialled_out, two_stage, two_way
from tests.support.induced_lab import cases, panel


def test_the_error_is_that_of_leaving_out_one_cluster_after_the_other() -> None:
    rng = np.random.default_rng(9)
    who = rng.integers(0, 12, 300)
    z = rng.normal(size=300)
    d = z + rng.normal(size=300)
    y = 0.5 * d + rng.normal(size=12)[who]
    found = two_stage(y, d, z, who)
    without_one = [(z[who != g] @ y[who != g]) / (z[who != g] @ d[who != g]) for g in range(12)]
    assert found.value == pytest.approx((z @ y) / (z @ d))
    assert found.se == pytest.approx(math.sqrt(11 / 12 * sum((v - found.value) ** 2 for v in without_one)))
    leverage = np.array([z[who == g] @ d[who == g] for g in range(12)]) / (z @ d)
    half = t_law.ppf(0.975, 1 / (leverage**2).sum() - 1) * found.se
    assert (found.low, found.high) == pytest.approx((found.value - half, found.value + half))


def test_several_coefficients_have_the_published_covariance() -> None:
    api = pytest.importorskip("statsmodels.api")
    rng = np.random.default_rng(10)
    x, who = rng.normal(size=(200, 2)), rng.integers(0, 15, 200)
    y = x @ [0.3, -0.2] + rng.normal(size=15)[who] * x[:, 0]
    theirs = api.OLS(y, x).fit(cov_type="cluster", cov_kwds={"groups": who}, use_t=True)
    ours = least_squares(x, y, who, 0)
    assert ours.beta == pytest.approx(theirs.params)
    assert ours.covariance == pytest.approx(theirs.cov_params(), rel=1e-9)
    wald = theirs.params @ np.linalg.inv(theirs.cov_params()) @ theirs.params / 2
    assert joint_p(ours, 15) == pytest.approx(f_law.sf(wald, 2, 14), rel=1e-6)


def test_two_effects_taken_in_turn_are_those_of_all_columns_at_once() -> None:
    rng = np.random.default_rng(13)
    kept = rng.random(120) < 0.7
    area, month = (each[kept] for each in np.divmod(np.arange(120), 12))
    values = rng.normal(size=area.size) + area + 0.1 * month
    fixed = np.column_stack([np.eye(10)[area], np.eye(12)[month]])
    assert two_way(values, area, month) == pytest.approx(partialled_out(values, basis(fixed)), abs=1e-9)


def test_controls_taken_out_leave_nothing_of_them() -> None:
    rng = np.random.default_rng(11)
    controls = rng.normal(size=(50, 3))
    doubled = np.column_stack([controls, controls[:, 0]])
    assert basis(doubled).shape == (50, 3)
    left = partialled_out(rng.normal(size=50), basis(doubled))
    assert np.abs(controls.T @ left).max() < 1e-12


def test_results_read_as_sentences() -> None:
    assert repr(CausalEstimate(0.2, 0.05, 0.1, 0.3, 0.01)) == "0.200 (95 % 0.100 to 0.300)"
    assert "moved over it" in repr(
        threshold_bunching(simulate_scores(0.2, 3000, np.random.default_rng(1)), 60, window=6)
    )
    assert "plain regression, for contrast" in repr(assessor_leniency(cases()))
    assert "new demand" in repr(supply_shock(panel(), waiting="waiting", draws=99))
