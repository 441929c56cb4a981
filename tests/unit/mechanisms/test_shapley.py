"""Shapley's rule: the mean over all orders, and its axioms."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import numpy as np
import pytest

from simcare.mechanisms.shapley import shapley


def by_orders(values: np.ndarray) -> np.ndarray:
    """The definition by orders of arrival: each player's mean marginal worth over all of them."""
    k = len(values).bit_length() - 1
    orders = list(permutations(range(k)))
    shares = np.zeros((k, *values.shape[1:]))
    for order in orders:
        there = 0
        for player in order:
            shares[player] += values[there | 1 << player] - values[there]
            there |= 1 << player
    return shares / len(orders)


@pytest.mark.parametrize("players", [1, 2, 3, 4, 5])
def test_the_shares_are_the_mean_over_all_orders(players: int) -> None:
    games = np.random.default_rng(players).normal(size=(2**players, 3, 2))
    shares = shapley(games)
    assert shares.shape == (players, 3, 2)
    np.testing.assert_allclose(shares, by_orders(games), atol=1e-12)
    np.testing.assert_allclose(shares.sum(axis=0), games[-1] - games[0], atol=1e-12)


def game(k: int, worth: Any) -> np.ndarray:
    return np.array([float(worth({j for j in range(k) if mask >> j & 1})) for mask in range(2**k)])


def test_in_an_additive_game_everyone_gets_their_own_worth() -> None:
    own = [3.0, -1.0, 7.0, 0.5]
    assert shapley(game(4, lambda there: 100 + sum(own[j] for j in there))).tolist() == pytest.approx(own)


def test_players_who_add_the_same_get_the_same_and_one_who_adds_nothing_gets_nothing() -> None:
    majority = game(4, lambda there: len(there - {3}) >= 2)  # two of the first three; the fourth is never needed
    assert shapley(majority).tolist() == pytest.approx([1 / 3, 1 / 3, 1 / 3, 0])


def test_two_left_gloves_and_a_right_one() -> None:
    pairs = game(3, lambda there: min(len(there & {0, 1}), len(there & {2})))  # the textbook's game
    assert shapley(pairs).tolist() == pytest.approx([1 / 6, 1 / 6, 2 / 3])


@pytest.mark.parametrize("rows", [0, 3, 12])
def test_a_game_that_is_not_given_in_full_is_refused(rows: int) -> None:
    with pytest.raises(ValueError, match="coalitions"):
        shapley(np.zeros((rows, 2)))
