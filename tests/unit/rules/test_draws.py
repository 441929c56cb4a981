"""Draws have addresses: numpy's Philox agrees, and what is added elsewhere changes nothing here."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import kstest

from simcare.engine.persons import frailty, value_in_bands
from simcare.rules import codes, draws
from simcare.rules.draws import exponential, uniform, uniforms, word

WORDS = st.integers(min_value=0, max_value=2**62)


def numpy_word(seed: int, replication: int, client: int, purpose: int, ordinal: int) -> int:
    """The first word of numpy's own Philox block at this address (numpy adds one to the counter before it draws)."""
    counter = (ordinal + (purpose << 64) + (client << 128) - 1) % 2**256
    return int(np.random.Philox(key=seed + (replication << 64), counter=counter).random_raw())


@settings(max_examples=200, deadline=None)
@given(WORDS, st.integers(0, 10**6), WORDS, st.integers(0, 60), st.integers(0, 10**6))
def test_the_generator_is_numpys_philox(seed: int, replication: int, client: int, purpose: int, ordinal: int) -> None:
    assert int(word(seed, replication, client, purpose, ordinal)) == numpy_word(
        seed, replication, client, purpose, ordinal
    )


def test_uniform_is_uniform_and_open() -> None:
    draws = uniforms(5, 0, np.arange(100_000, dtype=np.int64), 3, 0)
    assert 0.0 < draws.min() < draws.max() < 1.0
    assert kstest(draws, "uniform").pvalue > 1e-4


def test_neighbouring_addresses_are_unrelated() -> None:
    n = 20_000
    here = uniforms(5, 0, np.arange(n, dtype=np.int64), 3, 0)
    for other in (
        uniforms(5, 0, np.arange(n, dtype=np.int64), 3, 1),
        uniforms(5, 1, np.arange(n, dtype=np.int64), 3, 0),
        uniforms(6, 0, np.arange(n, dtype=np.int64), 3, 0),
    ):
        assert abs(np.corrcoef(here, other)[0, 1]) < 4 / math.sqrt(n)


def test_exponential_is_minus_log_uniform() -> None:
    assert exponential(1, 2, 3, 4, 5) == pytest.approx(-math.log(uniform(1, 2, 3, 4, 5)), rel=1e-15)


def test_frailty_has_mean_one_and_the_variance_asked() -> None:
    z = frailty(0.5, uniforms(7, 0, np.arange(200_000, dtype=np.int64), 1, 0))
    assert z.mean() == pytest.approx(1.0, abs=4 * math.sqrt(0.5 / z.size) + 0.001)  # the floor of 0.1 adds 0.0006
    assert z.var() == pytest.approx(0.5, abs=0.01)
    assert z.min() >= 0.1
    assert z.max() <= 10.0


def test_spread_fills_bands_by_their_shares() -> None:
    u = np.linspace(0.0005, 0.9995, 1000)
    values = value_in_bands([0, 10, 20, 40], [0.5, 0.0, 0.5], u)
    assert (values < 10).sum() == 500
    assert ((values >= 10) & (values < 20)).sum() == 0
    assert values.max() < 40


def test_no_two_purposes_share_an_address() -> None:
    """A clock's budget is drawn for the clock's number, or for a purpose of its own where that number is taken."""
    purposes = {name: value for name, value in vars(draws).items() if name.isupper() and isinstance(value, int)}
    others = [value for name, value in purposes.items() if name != "RULE_PURPOSES"]
    clocks = set(range(codes.CLOCKS)) - {codes.RENEGE, codes.PREMATURE}
    assert len(others) == len(set(others)) and not clocks & set(others)
    inside = {value for value in others if value < draws.FRAILTY}
    assert clocks | inside <= set(range(draws.RULE_PURPOSES))
