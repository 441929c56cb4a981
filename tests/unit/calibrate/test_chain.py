"""The chain against a posterior that is known exactly."""

from __future__ import annotations

import numpy as np
import pytest

from simcare.calibrate.chain import thinned, walk
from tests.support.linear_problem import TWO, exact, linear, shown


def test_the_chain_finds_an_exact_posterior() -> None:
    found, judged = linear(), shown((0.8, 1.4, 0.3))
    chain = walk(TWO, judged, found, np.zeros((5, 2)), 1)
    mean, cover = exact(judged)
    se = np.sqrt(np.diag(cover) / chain.effective)
    print(chain.steps.mean(axis=0), mean, se, chain.effective)
    # The emulators are a little off the lines they were fitted to: a hundredth of a step.
    assert (np.abs(chain.steps.mean(axis=0) - mean) <= 4 * se + 0.02).all()
    assert np.cov(chain.steps.T) == pytest.approx(cover, rel=0.15, abs=0.02)
    assert thinned(chain, 50, 1).shape == (50, 2)
