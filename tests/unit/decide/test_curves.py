"""Coefficients without the lasso's shrinkage, and their noise."""

from __future__ import annotations

import numpy as np
import pytest

from simcare.decide.curves import fit_curves, fitted_to, fitted_to_all
from simcare.decide.sample import Cause, sample_of
from simcare.decide.terms import terms_of
from simcare.rules.streams import stream
from tests.support.linear_answer import MATTER, five_of_45


@pytest.mark.parametrize("chance", [1.0, 3.0])
def test_coefficients_are_unbiased_and_their_noise_is_as_said(chance: float) -> None:
    """100 replications, 45 rows, 90 terms: over 60 seeds."""
    answer = five_of_45(chance)
    found, wrong = [], []
    for seed in range(60):
        fit = fitted_to(answer.drawn(100, 1, seed))
        lines = fit.curves.alone[::2]
        found.append(lines)
        wrong.append(np.delete(lines, MATTER) / np.sqrt(fit.curves.noise))
    lines = np.array(found)
    error = lines.std(axis=0, ddof=1) / np.sqrt(60)
    true = answer.slopes * answer.sds
    assert np.abs((lines.mean(axis=0) - true) / error).max() < 4
    spread = np.array(wrong).std()
    print(f"chance {chance}: coefficients without effect have {spread:.3f} of the standard error said")
    assert spread == pytest.approx(1.0, abs=0.06)


def test_correlated_causes_are_told_apart_and_seen_together() -> None:
    """Of two rows that go together (0.8) only the first acts: alone, the second seems to act too."""
    n = 2000
    rng = stream(4)
    x = rng.standard_normal((n, 2))
    x[:, 1] = 0.8 * x[:, 0] + 0.6 * x[:, 1]
    terms = terms_of((Cause("a", "A", "uncertain"), Cause("b", "B", "uncertain")), x)
    found = fit_curves(terms, 2.0 * x[:, 0] + rng.standard_normal(n))
    error = np.sqrt(found.noise)
    assert found.joint[[0, 2]] == pytest.approx([2.0, 0.0], abs=6 * error)
    assert found.alone[[0, 2]] == pytest.approx([2.0, 1.6], abs=6 * error)


def test_shrinkage_of_correlated_causes_is_given_back_to_the_right_one() -> None:
    """Few replications and much chance, so that the lasso shrinks much: over 100 seeds."""
    causes = (Cause("a", "A", "uncertain"), Cause("b", "B", "uncertain"))
    found = []
    for seed in range(100):
        rng = stream(7, seed)
        x = rng.standard_normal((100, 2))
        x[:, 1] = 0.8 * x[:, 0] + 0.6 * x[:, 1]
        curves = fit_curves(terms_of(causes, x), x[:, 0] + 3.0 * rng.standard_normal(100))
        found.append([*curves.joint[[0, 2]], *curves.alone[[0, 2]]])
    values = np.array(found)
    z = (values.mean(axis=0) - [1.0, 0.0, 1.0, 0.8]) / (values.std(axis=0, ddof=1) / 10)
    assert np.abs(z).max() < 4


def test_a_difference_that_never_differs_has_no_curves() -> None:
    sample = five_of_45(1.0).drawn(60, 2)
    found = fitted_to(sample.of(np.full(60, 1e6 / 3))).curves
    assert found.mean == pytest.approx(1e6 / 3) and found.variance == found.noise == 0.0
    assert not found.alone.any() and not found.joint.any()


def test_without_causes_all_is_noise() -> None:
    values = stream(5).standard_normal(60)
    found = fitted_to(sample_of([], np.zeros((60, 0)), values)).curves
    assert found.alone.size == 0 and found.noise == pytest.approx(found.variance / 59)


def test_the_same_draws_are_ranked_once() -> None:
    sample = five_of_45(1.0).drawn(60, 3)
    first, second = fitted_to_all([sample, sample.of(-sample.differences)])
    assert first.terms is second.terms
    assert np.allclose(first.curves.alone, -second.curves.alone)


def test_a_smooth_curve_is_followed() -> None:
    """Of exp(z / 2) a line and a square explain all but 1 %."""
    x = stream(6).lognormal(0.0, 0.5, (400, 1))
    found = fitted_to(sample_of([Cause("a", "A", "uncertain")], x, x[:, 0])).curves
    assert 1 - (found.alone @ found.alone) / found.variance < 0.03
