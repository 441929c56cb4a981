"""Shares of the variance against the closed form of a linear answer."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from simcare.decide.curves import fitted_to
from simcare.decide.sample import Cause, Kind, sample_of
from simcare.decide.variance_parts import shares
from simcare.rules.streams import stream
from tests.support.linear_answer import MATTER, LinearAnswer, five_of_45

SEEDS = 100


def in_order(found: pl.DataFrame) -> pl.DataFrame:
    """Kinds and chance, then the causes by name."""
    kinds, causes = (found.filter(pl.col("level") == level) for level in ("kind", "cause"))
    return pl.concat([kinds, causes.sort("name")])


@pytest.mark.parametrize(("n", "chance"), [(100, 1.0), (100, 3.0)])
def test_100_replications_and_45_rows_of_which_5_matter(n: int, chance: float) -> None:
    """Over 100 seeds: bias within 4 standard errors, errors as said, and few rows without effect above their noise."""
    answer = five_of_45(chance)
    frames = [in_order(shares(fitted_to(answer.drawn(n, n, seed)))) for seed in range(SEEDS)]
    found, errors = (np.array([frame[name].to_list() for frame in frames]) for name in ("share", "error"))
    true = np.concatenate(
        [
            [answer.share(kind) for kind in ("uncertain", "effect", "demand", "chance")],
            answer.parts**2 / answer.sd**2,
        ]
    )
    z = (found.mean(axis=0) - true) / (found.std(axis=0, ddof=1) / np.sqrt(SEEDS))
    held = (np.abs(found - true) < 1.645 * errors).mean(axis=0)
    named = [0, 1, 2, 3, *(4 + k for k in MATTER)]
    above = np.array([frame["above_noise"].fill_null(False).to_list() for frame in frames])
    without = np.delete(above[:, 4:], MATTER, axis=1).mean()
    print(f"n = {n}, chance {chance}: kinds, chance, five rows; none of the others above noise: {without:.3f} are")
    for label, row in (("true", true), ("mean", found.mean(axis=0)), ("sd", found.std(axis=0)), ("held", held)):
        print(f"{label:5}", *(f"{row[k]:.3f}" for k in named))
    assert np.abs(found[:, :4].sum(axis=1) - 1).max() < 1e-9
    assert np.abs(z).max() < 4
    ratio = errors.mean(axis=0)[named] / found.std(axis=0, ddof=1)[named]
    assert (ratio > 0.7).all() and (ratio < 1.7).all()
    assert held[:4].min() > 0.75
    assert without < 0.03


def test_with_many_replications_each_share_is_within_4_of_its_own_errors() -> None:
    kinds: tuple[Kind, ...] = ("uncertain", "uncertain", "effect", "demand")
    slopes, sds = np.array([3.0, -2.0, 1.0, 0.0]), np.array([1.0, 0.5, 2.0, 1.0])
    answer = LinearAnswer(slopes, np.ones(4), sds, 2.0, kinds)
    found = in_order(shares(fitted_to(answer.drawn(2000, 9))))
    true = [answer.share(kind) for kind in ("uncertain", "effect", "demand", "chance")]
    true += (answer.parts**2 / answer.sd**2).tolist()
    for row, exact in zip(found.iter_rows(named=True), true, strict=True):
        assert abs(row["share"] - exact) < 4 * row["error"], row
    assert found["above_noise"].to_list() == [True, True, False, None, True, True, True, False]


def test_a_square_and_alternatives_have_their_part() -> None:
    rng = stream(10)
    x = np.column_stack([rng.standard_normal(2000), rng.integers(0, 3, 2000)])
    values = x[:, 0] ** 2 / np.sqrt(2) + np.array([0.0, 3.0, 0.0])[x[:, 1].astype(int)]  # variances 1 and 2
    causes = [Cause("square", "S", "uncertain"), Cause("worlds", "W", "uncertain", categorical=True)]
    found = shares(fitted_to(sample_of(causes, x, values))).filter(pl.col("level") == "cause")
    for row in found.iter_rows(named=True):
        # A square of normals has long tails: its variance is off by √(14 / n), not √(2 / n).
        assert abs(row["share"] - {"square": 1 / 3, "worlds": 2 / 3}[row["name"]]) < 4 * np.sqrt(14 / 2000) / 3, row


def test_rows_that_go_together_share_what_they_do_together() -> None:
    """D = x + y with correlation 0.6: each half, and nothing is left to chance."""
    rng = stream(11)
    x = rng.standard_normal((2000, 2))
    x[:, 1] = 0.6 * x[:, 0] + 0.8 * x[:, 1]
    causes = [Cause("a", "A", "uncertain"), Cause("b", "B", "uncertain")]
    found = in_order(shares(fitted_to(sample_of(causes, x, x.sum(axis=1)))))
    assert found["share"].to_list() == pytest.approx([1.0, 0.0, 0.0, 0.0, 0.5, 0.5], abs=0.03)


def test_no_spread_has_no_shares() -> None:
    sample = five_of_45(1.0).drawn(60, 12)
    assert shares(fitted_to(sample.of(np.zeros(60)))).is_empty()
