"""Logs of small runs."""

from __future__ import annotations

from functools import cache

import polars as pl

from simcare.arrays.build import build
from simcare.arrays.names import names_of
from simcare.engine import simpy
from simcare.files.load import load_model
from simcare.log.frame import frame
from simcare.model import Model


def simulate(
    model: Model, days: float, seed: int = 1, replication: int = 0, strategy: str = "baseline"
) -> pl.DataFrame:
    """The log of one replication of a model."""
    return frame(
        simpy.record(model, build(model), seed, replication, days).rows, names_of(model), strategy, replication
    )


@cache
def library_log(name: str, days: float, seed: int = 1, replication: int = 0) -> pl.DataFrame:
    """The log of a model of the library; kept, so that tests may share it."""
    return simulate(load_model(name), days, seed, replication)
