"""Hazards: a baseline cumulative hazard with an exact inverse, and dated multipliers without time steps.

A clock holds a budget ``E ~ Exp(1)`` and fires when its integrated hazard reaches ``E``. The hazard at time t is
``intensity × multiplier(t) × baseline(t − origin)``; the intensity is constant between a client's events, the
multiplier is piecewise constant in calendar time, and both integral and inverse are exact.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simcare.rules.compile import rule

CONSTANT, WEIBULL, GOMPERTZ, LOG_LOGISTIC, TABLE = range(5)
SINCE_NEED, SINCE_STAY, SINCE_BIRTH, SINCE_WAIT = range(4)

# One row a baseline. ``p`` and ``q``: constant (rate a day, –), weibull and log-logistic (shape, scale in days),
# gompertz (rate a day at age 0, growth a day), table (–, –) with ``first`` and ``count`` into the knots.
HAZARD = np.dtype(
    [("kind", "i8"), ("since", "i8"), ("factor", "f8"), ("p", "f8"), ("q", "f8"), ("first", "i8"), ("count", "i8")]
)
# A knot of a table: from ``at`` days on, the cumulative hazard is ``total`` + ``rate`` × (u − at).
KNOT = np.dtype([("at", "f8"), ("total", "f8"), ("rate", "f8")])
# A step of a dated series: from ``time`` on, ``value``.
STEP = np.dtype([("time", "f8"), ("value", "f8")])
SPAN = np.dtype([("first", "i8"), ("count", "i8")])


@rule
def _knot(knots: NDArray[Any], first: int, count: int, x: float, by_total: bool) -> int:
    """The last knot of a table at or before ``x``: days, or with ``by_total`` the cumulative hazard."""
    low, high = first, first + count - 1
    while low < high:
        middle = (low + high + 1) // 2
        if (knots[middle].total if by_total else knots[middle].at) <= x:
            low = middle
        else:
            high = middle - 1
    return low


@rule
def cumulative(hazard: Any, knots: NDArray[Any], u: float) -> float:
    """The baseline hazard integrated from 0 to ``u`` days."""
    if u <= 0.0:
        return 0.0
    if hazard.kind == CONSTANT:
        return hazard.factor * hazard.p * u
    if hazard.kind == WEIBULL:
        return hazard.factor * (u / hazard.q) ** hazard.p
    if hazard.kind == GOMPERTZ:
        return (
            hazard.factor * hazard.p * u
            if hazard.q == 0.0
            else hazard.factor * hazard.p * math.expm1(hazard.q * u) / hazard.q
        )
    if hazard.kind == LOG_LOGISTIC:
        return hazard.factor * math.log1p((u / hazard.q) ** hazard.p)
    knot = knots[_knot(knots, hazard.first, hazard.count, u, False)]
    return hazard.factor * (knot.total + knot.rate * (u - knot.at))


@rule
def inverse(hazard: Any, knots: NDArray[Any], total: float) -> float:
    """The ``u`` at which the baseline hazard integrated from 0 reaches ``total``; infinity if never."""
    if hazard.factor == 0.0:
        return math.inf
    h = total / hazard.factor
    if hazard.kind == CONSTANT:
        return h / hazard.p if hazard.p > 0.0 else math.inf
    if hazard.kind == WEIBULL:
        return hazard.q * h ** (1.0 / hazard.p)
    if hazard.kind == GOMPERTZ:
        if hazard.p == 0.0:
            return math.inf
        if hazard.q == 0.0:
            return h / hazard.p
        inside = hazard.q * h / hazard.p
        return math.log1p(inside) / hazard.q if inside > -1.0 else math.inf
    if hazard.kind == LOG_LOGISTIC:
        return hazard.q * math.expm1(h) ** (1.0 / hazard.p)
    k = _knot(knots, hazard.first, hazard.count, h, True)
    rate = knots[k].rate
    return knots[k].at + (h - knots[k].total) / rate if rate > 0.0 else math.inf


@rule
def value_at(spans: NDArray[Any], steps: NDArray[Any], series: int, time: float, default: float) -> float:
    """The value of a dated series in force at ``time``; ``default`` where there is no series (−1)."""
    if series < 0:
        return default
    span = spans[series]
    value = steps[span.first].value
    for k in range(span.first + 1, span.first + span.count):
        if steps[k].time > time:
            break
        value = steps[k].value
    return value


@rule
def _between(hazard: Any, knots: NDArray[Any], origin: float, begin: float, end: float) -> float:
    if hazard.kind == CONSTANT:
        return hazard.factor * hazard.p * (end - begin)
    return cumulative(hazard, knots, end - origin) - cumulative(hazard, knots, begin - origin)


@rule
def _reaches(hazard: Any, knots: NDArray[Any], origin: float, begin: float, total: float) -> float:
    if hazard.kind == CONSTANT:
        rate = hazard.factor * hazard.p
        return begin + total / rate if rate > 0.0 else math.inf
    return max(begin, origin + inverse(hazard, knots, cumulative(hazard, knots, begin - origin) + total))


@rule
def spent(
    hazard: Any,
    knots: NDArray[Any],
    steps: NDArray[Any],
    span: Any,
    intensity: float,
    origin: float,
    begin: float,
    end: float,
) -> float:
    """The integral of a clock's hazard over ``[begin, end]``; ``span`` is its timeline in ``steps`` (count 0: none)."""
    if end <= begin:
        return 0.0
    if span.count == 0:
        return intensity * _between(hazard, knots, origin, begin, end)
    total = 0.0
    last = span.first + span.count - 1
    for k in range(span.first, last + 1):
        left = max(begin, steps[k].time)
        right = min(end, steps[k + 1].time) if k < last else end
        if right > left:
            total += steps[k].value * _between(hazard, knots, origin, left, right)
    return intensity * total


@rule
def fires_at(
    hazard: Any,
    knots: NDArray[Any],
    steps: NDArray[Any],
    span: Any,
    intensity: float,
    origin: float,
    now: float,
    budget: float,
) -> float:
    """The time at which a clock with this unspent budget fires, if nothing changes; infinity if never.

    Where the multiplier is 1, the arithmetic is that of a clock with no timeline, to the last bit: until a
    strategy starts, a run under it is the run without it.
    """
    if intensity <= 0.0:
        return math.inf
    left_over = budget / intensity
    if span.count == 0:
        return _reaches(hazard, knots, origin, now, left_over)
    last = span.first + span.count - 1
    for k in range(span.first, last + 1):
        left = max(now, steps[k].time)
        right = steps[k + 1].time if k < last else math.inf
        multiplier = steps[k].value
        if right <= left or multiplier <= 0.0:
            continue
        when = _reaches(hazard, knots, origin, left, left_over / multiplier)
        if when < right:
            return when
        if right < math.inf:
            left_over = max(left_over - multiplier * _between(hazard, knots, origin, left, right), 0.0)
    return math.inf


@rule
def integrated(hazard: Any, knots: NDArray[Any], shift: float, grid: NDArray[np.float64]) -> NDArray[np.float64]:
    """The baseline hazard integrated from ``shift`` to ``shift`` + each point of the grid."""
    out = np.empty(grid.size)
    for k in range(grid.size):
        out[k] = cumulative(hazard, knots, shift + grid[k]) - cumulative(hazard, knots, shift)
    return out
