"""The part of a spread that one cause has: never longer than the whole, nor below zero where nothing is."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given as for_all
from hypothesis import settings
from hypothesis import strategies as st

from simcare.measures.spread_parts import with_demand


@settings(deadline=None)
@for_all(st.integers(0, 10**6), st.sampled_from([8, 20, 100]), st.floats(0, 3))
def test_demands_part_of_a_count_lies_within_the_whole(seed: int, replications: int, skew: float) -> None:
    """Counts with a long tail, as of rare events: their standard deviation is more than their mean."""
    rng = np.random.default_rng(seed)
    demand = rng.standard_normal(replications)
    values = np.exp(skew * demand + 0.2 * rng.standard_normal(replications))
    summed = pl.DataFrame({"year": 2013, "value": values, "met": [[x] for x in demand]})
    low, high = np.quantile(values, [0.05, 0.95])
    found = pl.DataFrame({"year": [2013], "mean": [values.mean()], "low": [low], "high": [high]})
    row = with_demand(found, summed, ["year"]).row(0, named=True)
    assert 0 < low <= row["demand_low"] <= row["demand_high"] <= high


def test_a_cause_of_everything_has_the_whole_spread_and_one_of_nothing_none() -> None:
    demand = np.linspace(-1, 1, 40)
    met = [[x] for x in demand]
    for values, share in ((100 + 10 * demand, 1.0), (100 + 10 * np.cos(20 * np.pi * demand), 0.0)):
        low, high = np.quantile(values, [0.05, 0.95])
        found = pl.DataFrame({"year": [1], "mean": [values.mean()], "low": [low], "high": [high]})
        row = with_demand(found, pl.DataFrame({"year": 1, "value": values, "met": met}), ["year"]).row(0, named=True)
        assert row["demand_high"] - row["demand_low"] == pytest.approx(share * (high - low), abs=0.01)
