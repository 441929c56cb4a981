"""Odd series are forecast: numbers that are numbers, no warning of a library, and JSON that any program reads.

The suite turns every warning into an error, so that one of numpy or statsmodels fails these.
"""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from simcare.demand.forecast import Forecast, forecast_series
from simcare.demand.series import MonthlyCounts, checked
from simcare.units import parsed_month

FIRST = parsed_month("2014-04")


def poisson(mean: float, months: int = 42, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).poisson(mean, months).astype(float)


def gaps(counts: np.ndarray, *at: slice) -> np.ndarray:
    counts = counts.copy()
    for span in at:
        counts[span] = np.nan
    return counts


ODD = {
    "every year the same": np.tile(poisson(80, 12), 4),
    "the same but for one": np.concatenate([np.tile(poisson(80, 12), 3), poisson(80, 12, 2)]),
    "constant": np.full(42, 7.0),
    "zeros first": np.concatenate([np.zeros(26), poisson(3, 20)]),
    "zeros last": np.concatenate([poisson(3, 26), np.zeros(20)]),
    "hardly any": np.where(np.arange(42) % 17 == 3, 1.0, 0.0),
    "one count of all": np.where(np.arange(42) == 20, 3.0, 0.0),
    "very many": poisson(3e6),
    "one spike": np.where(np.arange(42) == 30, 1e6, 50.0),
    "two years without a count": gaps(poisson(80, 66), slice(24, 48)),
    "the first year all but lost": gaps(poisson(80, 48), slice(1, 12)),
    "every other year lost": gaps(poisson(80, 72), slice(12, 24), slice(36, 48)),
    "the last year lost but for a month": gaps(poisson(80, 48), slice(36, 47)),
    "too short to be tried": poisson(80, 14),
}


def told(series: MonthlyCounts) -> Forecast:
    return forecast_series(checked(series, "s.csv"), 12)


@pytest.mark.slow
@pytest.mark.parametrize("kind", list(ODD))
def test_an_odd_series_has_a_forecast_of_numbers(kind: str) -> None:
    found = told(MonthlyCounts("X", FIRST, ODD[kind]))
    assert np.isfinite(found.draws).all()
    assert (found.draws >= 0).all()
    summary = json.loads(json.dumps(found.json(), allow_nan=False))
    assert len(summary["forecast"]) == 12
    assert all(
        math.isfinite(value) for row in summary["forecast"] for value in row.values() if isinstance(value, float)
    )
    most = np.nanmax(ODD[kind])
    assert found.draws.mean() <= 20.0 * max(most, 1.0), found.draws.mean()


@pytest.mark.slow
@pytest.mark.parametrize("mean", [0.4, 4.0, 9.0])
def test_suppressed_counts_have_a_forecast_of_numbers(mean: float) -> None:
    counts = poisson(mean, 48, 3)
    hidden = (counts >= 1) & (counts <= 5)
    low, high = np.where(hidden, 1.0, np.nan), np.where(hidden, 5.0, np.nan)
    found = told(MonthlyCounts("X", FIRST, np.where(hidden, np.nan, counts), low=low, high=high))
    json.dumps(found.json(), allow_nan=False)
    expected = found.draws.mean()
    print(f"{expected:.2f} a month for {mean:g}")
    # where all that is shown is zero, a symbol may be anything from 1 to 5: what is known is told, no more
    assert mean / 2 - 0.5 <= expected <= 3.0 * mean + 0.5
