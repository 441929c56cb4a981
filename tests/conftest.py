"""What the tests share: logs of library models, and the one way in which a mean is held to a theory."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache

import numpy as np
import polars as pl
import pytest

from simcare.arrays.build import build, names_of
from simcare.engine import simpy
from simcare.files.load import load_model
from simcare.log.frame import frame
from simcare.model import Model


def simulate(
    model: Model, days: float, seed: int = 1, replication: int = 0, strategy: str = "baseline"
) -> pl.DataFrame:
    """The log of one replication of a model."""
    return frame(
        simpy.simulate_log(model, build(model), seed, replication, days), names_of(model), strategy, replication
    )


@cache
def library_log(name: str, days: float, seed: int = 1, replication: int = 0) -> pl.DataFrame:
    """The log of a model of the library; kept, so that tests may share it."""
    return simulate(load_model(name), days, seed, replication)


@pytest.fixture(scope="session")
def log_of() -> Callable[..., pl.DataFrame]:
    return library_log


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
