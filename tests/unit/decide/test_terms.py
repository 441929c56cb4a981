"""Terms: ranks, squares, alternatives, and which causes go together."""

from __future__ import annotations

import numpy as np
import pytest

from simcare.decide.sample import Cause
from simcare.decide.terms import ends_of, scores, terms_of
from simcare.rules.streams import stream

N = 200


def causes(*categorical: bool) -> tuple[Cause, ...]:
    return tuple(Cause(f"x{k}", f"X{k}", "uncertain", flag) for k, flag in enumerate(categorical))


def test_columns_are_standardised_and_those_of_a_cause_uncorrelated() -> None:
    rng = stream(1)
    draws = np.column_stack([rng.lognormal(0, 1, N), rng.integers(0, 4, N), rng.integers(0, 2, N)])
    terms = terms_of(causes(False, True, False), draws)
    assert terms.owner.tolist() == [0, 0, 1, 1, 1, 2]  # two values make no square
    for k in range(3):
        mine = terms.matrix[:, terms.columns(k)]
        assert np.allclose(mine.mean(axis=0), 0, atol=1e-12)
        assert np.allclose(mine.T @ mine / N, np.eye(mine.shape[1]), atol=1e-9)


def test_only_the_rank_of_a_number_counts() -> None:
    x = stream(2).standard_normal((N, 1))
    assert np.array_equal(terms_of(causes(False), x).matrix, terms_of(causes(False), np.exp(3 * x)).matrix)
    assert scores(x)[x.argmax()] == scores(x).max()


def test_rare_alternatives_count_with_the_commonest() -> None:
    draws = np.array([0] * 100 + [1] * 60 + [2] * 36 + [3] * 4, float)[:, None]
    matrix = terms_of(causes(True), draws).matrix
    assert matrix.shape[1] == 2
    assert np.allclose(matrix[:100], matrix[0]) and np.allclose(matrix[196:], matrix[0])
    lonely = np.array([0] * 196 + [1] * 4, float)[:, None]
    assert terms_of(causes(True), lonely).matrix.shape == (N, 0)


def test_independent_causes_stay_so_and_correlated_ones_go_together() -> None:
    rng = stream(3)
    draws = rng.standard_normal((N, 40))
    assert np.array_equal(terms_of(causes(*[False] * 40), draws).correlation, np.eye(80))
    draws[:, 1] = 0.8 * draws[:, 0] + 0.6 * draws[:, 1]
    found = terms_of(causes(*[False] * 40), draws).correlation
    assert found[0, 2] == pytest.approx(0.8, abs=4 * 0.36 / np.sqrt(N))
    assert found[1, 3] == pytest.approx(found[0, 2] ** 2)
    assert found[0, 3] == found[1, 2] == 0.0 and np.count_nonzero(found) == 80 + 4


def test_ends_are_percentiles_or_alternatives() -> None:
    draws = np.column_stack([np.arange(1, 200), np.arange(199) % 3])
    terms = terms_of(causes(False, True), draws.astype(float))
    ends = ends_of(terms, 0, np.array([1.0, 0.0]))
    assert (ends.at_low, ends.at_high) == pytest.approx((10.45, 189.55))
    assert ends.low[0] == pytest.approx(-1.645, abs=0.03) and ends.high[0] == pytest.approx(1.645, abs=0.03)
    assert ends.low[1] == pytest.approx((1.645**2 - 1) / np.sqrt(2), abs=0.08)
    matrix = terms.matrix[:, terms.columns(1)]
    effect = matrix.T @ np.array([5.0, -2.0, 1.0])[np.arange(199) % 3] / 199
    ends = ends_of(terms, 1, effect)
    assert (ends.at_low, ends.at_high) == (1.0, 0.0)
    assert (ends.high - ends.low) @ effect == pytest.approx(7.0)
