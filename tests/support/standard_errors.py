"""The one way in which a mean or a share is held to theory: four standard errors."""

from __future__ import annotations

import math

import numpy as np


def holds(what: str, values: np.ndarray, theory: float) -> None:
    """A mean of independent values lies within 4 standard errors of theory; both are printed."""
    mean, se = float(np.mean(values)), float(np.std(values, ddof=1)) / math.sqrt(len(values))
    print(f"{what}: {mean:.5g} against {theory:.5g}, standard error {se:.2g}, {(mean - theory) / se:+.2f} of them")
    assert abs(mean - theory) <= 4 * se, what


def share_holds(what: str, hits: int, n: int, theory: float) -> None:
    """A share of independent trials lies within 4 standard errors of theory."""
    se = math.sqrt(theory * (1 - theory) / n)
    print(f"{what}: {hits / n:.5g} against {theory:.5g}, standard error {se:.2g}")
    assert abs(hits / n - theory) <= 4 * se, what
