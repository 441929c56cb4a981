"""How good a forecast was: CRPS, scaled error, coverage and PIT of draws against the outturn."""

from __future__ import annotations

import numpy as np

from simcare.demand.series import Values

LEVELS = (50, 80, 90)


def crps(came: Values, draws: Values) -> Values:
    """The continuous ranked probability score of each month, in the units of the counts: 0 is perfect, and for one draw
    it is the error.

    ``came`` has shape (months,), ``draws`` (draws, months). Gneiting and Raftery (2007); worked out by scoringrules.

    >>> from scipy.stats import norm
    >>> draws = norm.ppf((np.arange(4000) + 0.5) / 4000)[:, None]
    >>> round(float(crps(np.array([0.0]), draws)[0]), 4)  # exactly 0.2336950 for N(0, 1) at 0
    0.2337
    """
    import scoringrules

    return np.asarray(scoringrules.crps_ensemble(came, draws.T, estimator="qd"))


def seasonal_scale(known: Values) -> float:
    """The mean absolute change from a year before: what errors are scaled by (Hyndman and Koehler 2006).

    >>> seasonal_scale(np.array([1.0] * 12 + [3.0] * 12))
    2.0
    """
    changes = np.abs(known[12:] - known[:-12])
    found = float(np.nanmean(changes)) if changes.size and not np.isnan(changes).all() else float("nan")
    return found if found > 0 else float("nan")


def central_interval(draws: Values, level: int) -> tuple[Values, Values]:
    """The central interval of ``level`` per cent of each month's draws.

    >>> low, high = central_interval(np.arange(101.0)[:, None], 80)
    >>> float(low[0]), float(high[0])
    (10.0, 90.0)
    """
    tail = (100 - level) / 200
    low, high = np.quantile(draws, [tail, 1 - tail], axis=0)
    return low, high


def covered(came: Values, draws: Values, level: int) -> Values:
    """Whether each month lay inside its central interval; not a number where nothing was counted."""
    low, high = central_interval(draws, level)
    return np.where(np.isnan(came), np.nan, ((low <= came) & (came <= high)).astype(float))


def pit(came: Values, draws: Values) -> Values:
    """The share of draws below the outturn, ties halved: even from 0 to 1 if the forecast's spread is right (Dawid
    1984).

    >>> pit(np.array([2.0]), np.array([[1.0], [2.0], [3.0]]))
    array([0.5])
    """
    return np.asarray(np.mean(draws < came, axis=0) + 0.5 * np.mean(draws == came, axis=0))


__all__ = ["LEVELS", "central_interval", "covered", "crps", "pit", "seasonal_scale"]
