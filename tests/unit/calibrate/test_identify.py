"""What the targets tell of each parameter, where that is known exactly."""

from __future__ import annotations

import math

import numpy as np
import pytest

from simcare.calibrate.chain import walk
from simcare.calibrate.identify import at_bounds, identify
from tests.support.linear_problem import SLOPES, TWO, exact, free, linear, shown


def test_what_is_identified_and_what_is_not() -> None:
    """The third output says hardly anything of b; without the second, b is left to the prior."""
    found = linear()
    judged = shown((0.8, 1.4, 0.3))
    judged = judged._replace(error=np.diag([0.09, 1e6, 0.09]))
    chain = walk(TWO, judged, found, np.zeros((5, 2)), 2)
    known = identify(TWO, judged, found, chain, 1)
    exact_widths = np.sqrt(np.diag(exact(judged)[1]))
    assert known.widths == pytest.approx(exact_widths, abs=0.05)
    assert known.widths[0] < 0.4 and known.widths[1] > 0.9
    values = np.linalg.eigvalsh(SLOPES.T @ np.linalg.inv(judged.slack + 0.01 * np.eye(3)) @ SLOPES)
    assert [d.known for d in known.directions] == pytest.approx(sorted(values, reverse=True), rel=0.1, abs=0.02)
    assert known.directions[0].parts[0][0] == "a"
    for k in range(2):  # a profile of a normal posterior is a parabola of its own standard deviation
        at = np.log(known.profiles[k].values)
        mean, cover = exact(judged)
        assert known.profiles[k].density == pytest.approx(-0.5 * (at - mean[k]) ** 2 / cover[k, k], abs=0.15)


def test_a_parameter_that_nothing_is_known_of_keeps_its_prior_width_whatever_that_is() -> None:
    """A uniform prior is 0.577 steps wide, a cut lognormal less than one: the width left is 1 all the same."""
    found, judged = linear(), shown((0.0, 0.0, 0.0))
    judged = judged._replace(error=1e8 * np.eye(3))
    rows = [free("u", bounds=(2.0, 6.0), kind="uniform"), free("c", sd_log=1.0, bounds=(0.5, 3.0))]
    known = identify(rows, judged, found, walk(rows, judged, found, np.zeros((5, 2)), 4), 1)
    assert known.widths == pytest.approx([1.0, 1.0], abs=0.05)


def test_parameters_that_trade_off_are_named() -> None:
    found, judged = linear(), shown((0.0, 1.0, 0.0))
    judged = judged._replace(error=np.diag([1e6, 0.01, 1e6]))
    chain = walk(TWO, judged, found, np.zeros((5, 2)), 3)
    pairs = identify(TWO, judged, found, chain, 1).pairs(["a", "b"])
    assert [(a, b) for a, b, _ in pairs] == [("a", "b")]
    cover = exact(judged)[1]
    assert pairs[0][2] == pytest.approx(cover[0, 1] / math.sqrt(cover[0, 0] * cover[1, 1]), abs=0.05)


@pytest.mark.parametrize(
    ("a", "bounds", "end"), [(0.8, (0.1, 1.5), "upper"), (-0.8, (0.7, 9.0), "lower"), (0.8, (0.1, 9.0), None)]
)
def test_a_posterior_that_piles_up_at_a_bound_is_told(a: float, bounds: tuple[float, float], end: str | None) -> None:
    """The data say a is e^0.8, 2.2, or e^-0.8, 0.45: bounds that leave that out hold the fit back."""
    rows = [free("a", sd_log=1.0, bounds=bounds), free("b", sd_log=1.0, bounds=(1e-3, 1e3))]
    judged = shown((a, a + 0.6, 0.3))
    judged = judged._replace(error=0.004 * np.eye(3))
    found = linear()
    begin = np.tile([np.log(sum(bounds) / 2), 0.0], (5, 1))
    known = identify(rows, judged, found, walk(rows, judged, found, begin, 6), 1)
    assert known.at_bound == (end, None)


@pytest.mark.parametrize(("centre", "end"), [(0.0, None), (0.3, None), (1.6, "upper"), (-1.6, "lower")])
def test_a_posterior_near_a_bound_is_not_at_it(centre: float, end: str | None) -> None:
    """A normal posterior a tenth as wide as its prior, cut at the bounds, which are a step from the prior's median."""
    row = free("a", sd_log=1.0, bounds=(math.exp(-1), math.exp(1)))
    steps = centre + 0.3 * np.random.default_rng(2).standard_normal(40_000)
    steps = steps[np.abs(steps) <= 1]
    assert at_bounds([row], steps[:, None]) == (end,)
