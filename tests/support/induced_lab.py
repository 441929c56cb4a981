"""Made-up cases and places with a share of induced demand that was put in."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from simcare.induced import simulate_cases, simulate_places


def cases(seed: int = 1, people: int = 3000, **how: Any) -> pl.DataFrame:
    return simulate_cases(0.2, people, np.random.default_rng(seed), **how)


def panel(seed: int = 1, **how: Any) -> pl.DataFrame:
    return simulate_places(0.2, 6000, np.random.default_rng(seed), **how)
