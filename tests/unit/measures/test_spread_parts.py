"""The part of a spread that one cause has: never longer than the whole, nor below zero where nothing is."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given as for_all
from hypothesis import settings
from hypothesis import strategies as st

from simcare.decide.comparison import differences
from simcare.measures.catalogue import SUMMED
from simcare.measures.spread_parts import DRAWN, part_end, with_demand


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


def test_a_difference_with_a_long_tail_has_parts_within_its_spread() -> None:
    """One replication in ten differs a hundredfold: by two standard deviations either way, the part was once longer."""
    count = 60
    one = np.linspace(-1, 1, count)
    effect = np.where(np.arange(count) >= 58, 1000.0, 0.0)
    frame = [
        pl.DataFrame({"strategy": name, "replication": np.arange(count), **dict.fromkeys(SUMMED, values)})
        for name, values in (("baseline", np.zeros(count)), ("s", effect))
    ]
    rows = [
        ("baseline", r, "2013-04", kind, "x", np.exp(x)) for r, x in enumerate(one) for kind in ("demand", "parameter")
    ]
    found = differences(
        pl.concat(frame).with_columns(pl.col("replication").cast(pl.Int32)),
        ["s"],
        pl.DataFrame(rows, schema=DRAWN, orient="row"),
    )
    for row in found.iter_rows(named=True):
        for part in ("demand", "parameter"):
            assert row["spread_low"] <= row[f"{part}_low"] <= row[f"{part}_high"] <= row["spread_high"], row["measure"]


@for_all(st.floats(0, 1), st.floats(-1e6, 1e6), st.floats(0, 1e6), st.floats(0, 1e6))
def test_an_end_is_never_outside_the_whole(share: float, low: float, width: float, off: float) -> None:
    high = low + width
    for end in (low, high):
        assert low <= part_end(low + off, low, high, end, share) <= high
