"""How often the driver's intervals hold what came, on the shipped referrals of eight authorities: the table of
docs/demand.md.

    python scripts/demand_coverage.py

From every third month between two and five years on, the driver is fitted to what was known and forecasts 24 months.
"""

from __future__ import annotations

import numpy as np

from simcare.demand import challengers, scores
from simcare.demand import driver as drivers
from simcare.demand.reading import read_series
from simcare.files.library import library

FIRST, LAST, EVERY, AHEAD = 24, 60, 3, 24


def main() -> None:
    print("| authority | 50 % | 80 % | 90 % | skill against seasonal naive |\n|---|---:|---:|---:|---:|")
    whole = []
    for name, series in read_series(library("calibration") / "referrals-monthly.csv").items():
        rows = []
        for known in range(FIRST, LAST + 1, EVERY):
            then, came = series.known(series.first + known - 1), series.counts[known : known + AHEAD]
            rng = np.random.default_rng([1, known])
            draws = drivers.simulate_counts(drivers.fit_driver(then, plain=False), then, AHEAD, 1000, rng)
            naive = challengers.seasonal_naive(then, AHEAD, 1000, rng)
            held = [float(np.mean(scores.covered(came, draws, level))) for level in scores.LEVELS]
            rows.append([*held, float(scores.crps(came, draws).mean()), float(scores.crps(came, naive).mean())])
        mean = np.mean(rows, axis=0)
        whole.append([*mean[:3], 1 - mean[3] / mean[4]])
        print(_row(name, whole[-1]))
    print(_row("all", np.mean(whole, axis=0).tolist()))


def _row(name: str, values: list[float]) -> str:
    return f"| {name} | {' | '.join(f'{100 * v:.0f}' for v in values[:3])} | {values[3]:.2f} |"


if __name__ == "__main__":
    main()
