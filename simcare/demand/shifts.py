"""Odd months and breaks in a series: one month that stands alone is a pulse, a change that stays is a step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from simcare.demand.series import MonthlyCounts, Values
from simcare.demand.suppressed import observed_of
from simcare.units import month_name, three_figures

AROUND = 6  # months on each side that a month is held against
ODD, FACTOR = 4.5, 1.5  # standard deviations from its neighbours, and the least ratio, of an odd month
LEAST_BESIDE_ZERO = 10
CHANGE = np.log(4.0 / 3.0)  # the least change of level that is told


class OddMonth(NamedTuple):
    """A month that stands alone: its number, its count (level), and the median of the months around it."""

    month: int
    level: float
    usual: float


def odd_months(series: MonthlyCounts) -> list[OddMonth]:
    """Months whose count is far from that of the months on both sides, which are alike: recorded otherwise, or a shock
    that did not stay.

    A Poisson count differs from its mean by one standard deviation or so on the scale of twice the root (Anscombe
    1948), whatever the mean; where counts differ more, their own spread on that scale is the measure.

    >>> counts = np.full(36, 100.0) + np.arange(36) % 5
    >>> counts[20] = 900
    >>> [odd.level for odd in odd_months(MonthlyCounts("X", 0, counts))]
    [900.0]
    """
    counts = _about(series)
    usual = np.array([_median(_sides(counts, t)) for t in range(len(series))])
    away = 2.0 * (np.sqrt(counts + 0.375) - np.sqrt(usual + 0.375))
    known = away[~np.isnan(away)]
    spread = max(1.0, 1.4826 * float(np.median(np.abs(known)))) if known.size else 1.0
    return [
        OddMonth(series.first + t, float(counts[t]), float(usual[t]))
        for t in map(int, np.flatnonzero(~np.isnan(away)))
        if abs(away[t] - _of_season(away, t)) > ODD * spread and _stands_alone(counts, t)
    ]


def _sides(counts: Values, t: int) -> tuple[Values, Values]:
    """The known counts of the months before and after a month."""
    before, after = counts[max(t - AROUND, 0) : t], counts[t + 1 : t + 1 + AROUND]
    return before[~np.isnan(before)], after[~np.isnan(after)]


def _median(sides: tuple[Values, Values]) -> float:
    """The median of the months on both sides; not a number where one of them has too few."""
    return float(np.median(np.concatenate(sides))) if min(side.size for side in sides) >= 3 else float("nan")


def _stands_alone(counts: Values, t: int) -> bool:
    """Whether a month is above, or below, both sides by far, and they are nearer to each other than to it."""
    here = float(counts[t]) + 0.5
    before, after = (float(np.median(side)) + 0.5 for side in _sides(counts, t))
    up, down = here / max(before, after), min(before, after) / here
    apart = max(before, after) / min(before, after)
    return max(up, down) >= FACTOR and apart < np.sqrt(max(up, down))


def _of_season(away: Values, t: int) -> float:
    """How far the same month of other years is from the months around it, as a rule: a season is nothing odd."""
    others = [float(away[at]) for at in range(t % 12, away.size, 12) if at != t and not np.isnan(away[at])]
    if len(others) < 3:  # too few for a median: the one that says least
        return min(others, key=abs, default=0.0)
    return float(np.median(others))


def _about(series: MonthlyCounts) -> Values:
    """The counts, those that are suppressed in the middle of their bounds."""
    observed = observed_of(series)
    return np.where(observed.hidden, (observed.low + observed.high) / 2.0, observed.counts)


def shift_notes(series: MonthlyCounts, steps: Sequence[int] = (), pulses: Sequence[int] = ()) -> list[str]:
    """Sentences on odd months and breaks that are not declared as ``pulses`` and ``steps`` yet."""
    odd = odd_months(series)
    found = [
        f"{month_name(one.month)} stands alone: {three_figures(one.level)}, where the months around it have"
        f" about {three_figures(one.usual)}; leave it empty if it is no true count, or declare a pulse"
        f" ({month_name(one.month)})"
        for one in odd
        if one.month not in pulses
    ]
    return [*found, *breaks(series, steps, {*pulses, *(one.month for one in odd)})]


def breaks(series: MonthlyCounts, steps: Sequence[int] = (), without: Sequence[int] | set[int] = ()) -> list[str]:
    """Sentences on level shifts: a month where the twelve months on differ in mean from the twelve before by more than
    a third.

    What chance could make (three standard errors of the two sums) is no shift. Neighbouring months tell of the same
    shift: the largest within a year is told. Months ``without`` are left out, and so is what a declared step explains.
    """
    counts = _about(series)
    counts[[month - series.first for month in without if series.first <= month <= series.last]] = np.nan
    shifts = {
        t: shift
        for t in range(12, len(series) - 11)
        if (shift := _shift(counts[t - 12 : t], counts[t : t + 12])) is not None
        and not any(abs(series.first + t - step) <= AROUND for step in steps)
    }
    found: list[str] = []
    while shifts:
        t = max(shifts, key=lambda at: (abs(shifts[at]), _gap(counts[at - 12 : at], counts[at : at + 12])))
        way = "rise" if shifts[t] > 0 else "fall"
        month = month_name(series.first + t)
        nothing = "from 0" if way == "rise" else "to 0"
        much = f"by {three_figures(100 * abs(np.expm1(shifts[t])))}%" if np.isfinite(shifts[t]) else nothing
        found.append(f"A break near {month}: counts {way} {much}; if recording changed then, declare a step ({month})")
        shifts = {at: shift for at, shift in shifts.items() if abs(at - t) >= 12}
    return found


def _gap(before: Values, after: Values) -> float:
    return abs(float(np.nansum(after) - np.nansum(before)))


def _shift(before: Values, after: Values) -> float | None:
    """The log ratio of the means of two years, if both are nearly complete and it is too large for chance."""
    sums = np.nansum(before), np.nansum(after)
    if min(np.isfinite(before).sum(), np.isfinite(after).sum()) < 9:
        return None
    if min(sums) == 0:  # zeros on one side: that all of so many fall on the other has a chance of one in a thousand
        return None if max(sums) < LEAST_BESIDE_ZERO else float(np.inf if sums[0] == 0 else -np.inf)
    shift = float(np.log(np.nanmean(after) / np.nanmean(before)))
    return shift if abs(shift) > max(CHANGE, 3.0 * np.sqrt(1.0 / sums[0] + 1.0 / sums[1])) else None


__all__ = ["OddMonth", "breaks", "odd_months", "shift_notes"]
