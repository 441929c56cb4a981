"""What the targets tell of each parameter, where that is known exactly."""

from __future__ import annotations

import math

import numpy as np
import pytest

from simcare.calibrate.chain import walk
from simcare.calibrate.identify import identify
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
