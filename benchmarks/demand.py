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

from simcare.demand import driver as drivers
from simcare.demand.reading import read_series
from simcare.demand.series import MonthlyCounts
from simcare.files.library import library
from simcare.runs.forecasts import forecast, forecast_all


def seconds(what: object) -> float:
    begun = time.perf_counter()
    what()  # type: ignore[operator]
    return time.perf_counter() - begun


def made(count: int, length: int = 84) -> dict[str, MonthlyCounts]:
    """Areas whose level drifts, of so many months (Kent's length)."""
    rng = np.random.default_rng(1)
    found = {}
    for k in range(count):
        level = np.exp(np.cumsum(0.06 * rng.standard_normal(length)) * 0.7) * rng.uniform(50, 1500)
        found[f"area {k}"] = MonthlyCounts(f"area {k}", 2012 * 12 + 3, rng.poisson(level).astype(float))
    return found


def measured(series: MonthlyCounts, areas: dict[str, MonthlyCounts], horizon: int = 24, workers: int = 2) -> list[str]:
    """Two sentences: on one series, and on the made-up areas."""
    drivers.fit_driver(series)  # what is loaded once
    fit = seconds(lambda: [drivers.fit_driver(series, plain=False) for _ in range(10)]) / 10
    forecast(series, workers=workers)  # so that the workers are there
    whole = seconds(lambda: forecast(series, workers=workers))
    with tempfile.TemporaryDirectory() as folder:
        side = seconds(lambda: forecast_all(areas, horizon, Path(folder), workers=workers))
    count = len(areas)
    return [
        f"one driver fitted: {1000 * fit:.0f} ms; one series back-tested with all challengers: {whole:.1f} s,"
        f" {whole / fit:.0f} times as long",
        f"{count} series side by side on {workers} workers: {side:.0f} s, {side / count:.1f} s each; 150 would take"
        f" {side / count * 2.5:.0f} minutes",
    ]


def main() -> None:
    kent = read_series(library("calibration") / "referrals-monthly.csv")["Kent"]
    print("\n".join(measured(kent, made(int(sys.argv[1]) if len(sys.argv) > 1 else 16))))


if __name__ == "__main__":
    main()
