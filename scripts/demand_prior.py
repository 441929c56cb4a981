"""What is typical of a monthly series: the priors of simcare.demand.driver and simcare.demand.level, measured on the
shipped referrals.

    python scripts/demand_prior.py

Each area is fitted with priors so wide that they say next to nothing; printed are the mean and the sd of areas of log
dispersion, log drift and logit rho, and of the coefficients (random effects).
"""

from __future__ import annotations

import numpy as np

from simcare.demand import driver as drivers
from simcare.demand import level as levels
from simcare.demand.pooling import pooled
from simcare.demand.reading import read_series
from simcare.files.library import library


def main() -> None:
    wide = levels.LevelPrior(levels.LevelPrior().centre, (3.0, 3.0, 1.5))
    everything = {
        "": (0.0, 3.0),
        "cos": (0.0, 3.0),
        "sin": (0.0, 3.0),
        "working days": (0.0, 3.0),
        "school holidays": (0.0, 3.0),
    }
    typical = drivers.Typical(everything, wide)
    fits = [
        drivers.fit_driver(s, typical=typical, plain=False)
        for s in read_series(library("calibration") / "referrals-monthly.csv").values()
    ]
    logs = np.array([levels.parameters(fit.level) for fit in fits])
    shipped = levels.LevelPrior()
    for k, name in enumerate(("log dispersion", "log drift", "logit rho")):
        print(
            f"{name:16s} mean {logs[:, k].mean():6.2f} sd {logs[:, k].std(ddof=1):5.2f}   shipped"
            f" {shipped.centre[k]:6.2f} {shipped.sd[k]:5.2f}"
        )
    found, default = pooled(fits).coefficients, drivers.Typical()
    for name in fits[0].names:
        mean, sd = default.of((name,))
        print(f"{name:16s} mean {found[name][0]:6.3f} sd {found[name][1]:5.3f}   shipped {mean[0]:6.3f} {sd[0]:5.3f}")


if __name__ == "__main__":
    main()
