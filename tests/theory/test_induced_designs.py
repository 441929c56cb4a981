"""Genuine or induced: each design finds a share that was put in, is honest about it, and warns where it is broken."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest
from scipy.stats import binom

from simcare.induced import assessor_leniency, recover
from tests.support.induced_lab import cases

pytestmark = pytest.mark.xdist_group("induced")  # what the lab finds is shared

BUNCHING, TWO_STAGE = "threshold bunching", "assessor leniency, 2SLS"
RUBIN, SUPPLY = "assessor leniency, Anderson–Rubin", "supply shocks"
PLAIN_CARE, PLAIN_PLACES = "plain: later need on package", "plain: demand on places"
DESIGNS = (BUNCHING, TWO_STAGE, RUBIN, SUPPLY)
PLAIN = (PLAIN_CARE, PLAIN_PLACES)
SHARES = (0.0, 0.2, 0.35)
RUNS = 50


@cache
def lab(true_share: float = 0.2, **switches: Any) -> dict[str, dict[str, Any]]:
    found = recover(true_share, 6000, RUNS, seed=21, **switches)
    print(found)
    return {row["estimator"]: row for row in found.iter_rows(named=True)}


@pytest.mark.parametrize("estimator", DESIGNS)
@pytest.mark.parametrize("true_share", SHARES)
def test_a_design_finds_the_share_that_was_put_in(true_share: float, estimator: str) -> None:
    found = lab(true_share)[estimator]
    assert 0 < found["bias_se"] < 0.03
    assert abs(found["bias"]) <= 4 * found["bias_se"]


@pytest.mark.parametrize("estimator", DESIGNS)
def test_nineteen_intervals_in_twenty_hold_the_truth(estimator: str) -> None:
    hits = round(sum(lab(share)[estimator]["coverage"] * RUNS for share in SHARES))
    low, high = binom.ppf([0.001, 0.999], RUNS * len(SHARES), 0.95)
    print(f"{estimator}: {hits} of {RUNS * len(SHARES)} intervals hold the truth, {low:.0f} to {high:.0f} expected")
    assert low <= hits <= high


@pytest.mark.parametrize("estimator", PLAIN)
@pytest.mark.parametrize("true_share", SHARES)
def test_plain_regression_is_wrong_and_sure_of_it(true_share: float, estimator: str) -> None:
    found = lab(true_share)[estimator]
    assert found["bias"] > max(0.5, 4 * found["bias_se"])
    assert found["coverage"] == 0.0


def test_a_sound_design_seldom_warns() -> None:
    for estimator in DESIGNS:
        warned = round(sum(lab(share)[estimator]["warned"] * RUNS for share in SHARES))
        assert warned <= binom.ppf(0.999, RUNS * len(SHARES), 0.03), estimator  # up to three checks of 1 % each


@pytest.mark.parametrize(
    ("switch", "broken"),
    [("smooth", BUNCHING), ("random_assignment", TWO_STAGE), ("parallel", SUPPLY)],
)
def test_a_broken_design_is_off_and_warns(switch: str, broken: str) -> None:
    found = lab(**{switch: False})
    assert found[broken]["bias"] > 4 * found[broken]["bias_se"]
    assert found[broken]["warned"] >= 0.9
    for sound in {BUNCHING, TWO_STAGE, SUPPLY} - {broken}:  # the others stay as they were, to the last bit
        assert found[sound] == lab()[sound]


def test_without_lenient_assessors_the_instrument_is_rejected_and_the_interval_stays_honest() -> None:
    found = lab(leniency_spread=0.0)
    assert found[RUBIN]["weak"] >= 0.9
    assert found[RUBIN]["warned"] == 1.0
    assert found[RUBIN]["coverage"] * RUNS >= binom.ppf(0.001, RUNS, 0.95)
    weak = assessor_leniency(cases(spread=0.0), covariates=["age_score"])
    assert weak.weak and "Anderson–Rubin" in weak.warnings[0] and "(weak)" in repr(weak)
