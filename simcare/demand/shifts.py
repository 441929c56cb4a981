"""Odd months and breaks in a series: one month that stands alone is a pulse, a change that stays is a step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from simcare.demand.series import MonthlyCounts, Values
from simcare.demand.suppressed import observed_of
from simcare.units import month_name

AROUND = 6  # months on each side that a month is held against
ODD, FACTOR = (
    5.0,
    np.log(1.5),
)  # standard deviations of its neighbours' log counts, and the least ratio, of an odd month
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

    >>> counts = np.full(36, 100.0) + np.arange(36) % 5
    >>> counts[20] = 900
    >>> [odd.level for odd in odd_months(MonthlyCounts("X", 0, counts))]
    [900.0]
    """
    counts = _about(series)
    logs = np.log(counts + 0.5)
    found = []
    for t in map(int, np.flatnonzero(series.told)):
        before, after = _near(logs[max(t - AROUND, 0) : t]), _near(logs[t + 1 : t + 1 + AROUND])
        if min(before.size, after.size) < 3:
            continue
        near = np.concatenate([before, after])
        usual = float(np.median(near))
        sd = max(1.4826 * float(np.median(np.abs(near - usual))), 1.0 / np.sqrt(np.exp(usual)))
        sides = (float(np.median(before)), float(np.median(after)))
        here = float(logs[t]) - _of_season(logs, t)
        away = min(abs(here - side) for side in sides)
        same = (here - sides[0]) * (here - sides[1]) > 0
        if same and away > max(ODD * sd, FACTOR) and abs(sides[0] - sides[1]) < away / 2:
            found.append(OddMonth(series.first + t, float(counts[t]), float(np.exp(usual) - 0.5)))
    return found


def _about(series: MonthlyCounts) -> Values:
    """The counts, those that are suppressed in the middle of their bounds."""
    observed = observed_of(series)
    return np.where(observed.hidden, (observed.low + observed.high) / 2.0, observed.counts)


def _of_season(logs: Values, t: int) -> float:
    """How far the same month of other years is from the months around it, as a rule: a season is nothing odd."""
    others = []
    for at in range(t % 12, logs.size, 12):
        near = _near(np.concatenate([logs[max(at - AROUND, 0) : at], logs[at + 1 : at + 1 + AROUND]]))
        if at != t and not np.isnan(logs[at]) and near.size >= 6:
            others.append(float(logs[at] - np.median(near)))
    if len(others) < 3:  # too few for a median: the one that says least
        return min(others, key=abs, default=0.0)
    return float(np.median(others))


def _near(values: Values) -> Values:
    return values[~np.isnan(values)]


def shift_notes(series: MonthlyCounts, steps: Sequence[int] = (), pulses: Sequence[int] = ()) -> list[str]:
    """Sentences on odd months and breaks that are not declared as ``pulses`` and ``steps`` yet."""
    odd = odd_months(series)
    found = [
        f"{month_name(one.month)} stands alone: {one.level:,.0f}, where the months around it have about"
        f" {one.usual:,.0f}; leave it empty if it is no true count, or declare a pulse ({month_name(one.month)})"
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
        t = max(shifts, key=lambda at: abs(shifts[at]))
        way = "rise" if shifts[t] > 0 else "fall"
        month = month_name(series.first + t)
        much = f"by {abs(np.expm1(shifts[t])):.0%}" if np.isfinite(shifts[t]) else "from 0" if way == "rise" else "to 0"
        found.append(f"A break near {month}: counts {way} {much}; if recording changed then, declare a step ({month})")
        shifts = {at: shift for at, shift in shifts.items() if abs(at - t) >= 12}
    return found


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
