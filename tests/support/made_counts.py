"""Monthly counts of a made-up authority whose truth is known."""

from __future__ import annotations

import numpy as np

from simcare.demand.months import school_holidays, working_days
from simcare.units import parsed_month

FIRST = parsed_month("2012-04")


def made(
    rng: np.random.Generator,
    n: int = 84,
    *,
    rate: float = 400.0,
    drift: float = 0.06,
    rho: float = 0.95,
    dispersion: float = 0.008,
    working: float = 1.2,
    holidays: float = -0.2,
) -> np.ndarray:
    """Counts of a made-up authority whose truth is known, made without any of the code under test."""
    deviation, log_rates = drift / np.sqrt(1 - rho**2) * rng.standard_normal(), []
    for k in range(n):
        month = FIRST + k
        season = 0.04 * np.cos(2 * np.pi * (month % 12) / 12)
        calendar = working * np.log(working_days(month) / 21) + holidays * school_holidays(month)
        log_rates.append(np.log(rate) + deviation + season + calendar)
        deviation = rho * deviation + drift * rng.standard_normal()
    mean = np.exp(log_rates)
    return rng.poisson(mean * rng.gamma(1 / dispersion, dispersion, n)).astype(float)
