"""How long fitting and back-testing take: one series of 84 months with all challengers, and many side by side.

    python benchmarks/demand.py [SERIES]

SERIES made-up areas (16 unless said) are forecast in parallel; the time of 150 is what that comes to.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from simcare.demand import batch
from simcare.demand import driver as drivers
from simcare.demand.forecast import forecast
from simcare.demand.reading import read_series
from simcare.demand.series import MonthlyCounts
from simcare.files.library import library


def seconds(what: object) -> float:
    begun = time.perf_counter()
    what()  # type: ignore[operator]
    return time.perf_counter() - begun


def made(count: int) -> dict[str, MonthlyCounts]:
    """Areas of Kent's length whose level drifts."""
    rng = np.random.default_rng(1)
    found = {}
    for k in range(count):
        level = np.exp(np.cumsum(0.06 * rng.standard_normal(84)) * 0.7) * rng.uniform(50, 1500)
        found[f"area {k}"] = MonthlyCounts(f"area {k}", 2012 * 12 + 3, rng.poisson(level).astype(float))
    return found


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 16
    kent = read_series(library("calibration") / "referrals-monthly.csv")["Kent"]
    drivers.fit_driver(kent)  # what is loaded once
    fit = seconds(lambda: [drivers.fit_driver(kent, plain=False) for _ in range(10)]) / 10
    forecast(kent, workers=2)  # so that the workers are there
    whole = seconds(lambda: forecast(kent, workers=2))
    with tempfile.TemporaryDirectory() as folder:
        side = seconds(lambda: batch.forecast_all(made(count), 24, Path(folder), workers=2))
    print(
        f"one driver fitted: {1000 * fit:.0f} ms; one series back-tested with all challengers: {whole:.1f} s,"
        f" {whole / fit:.0f} times as long"
    )
    print(
        f"{count} series side by side on two workers: {side:.0f} s, {side / count:.1f} s each; 150 would take"
        f" {side / count * 2.5:.0f} minutes"
    )


if __name__ == "__main__":
    main()
