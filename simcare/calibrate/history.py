"""History matching: what of the prior is not ruled out by the targets, found in waves, and which targets cannot be met
together.

A point is implausible where a published value lies more than a few standard deviations from what is emulated, all
uncertainty counted (Craig, Goldstein, Seheult and Smith 1997; Vernon, Goldstein and Bower 2010). Waves of runs at
points that are left make the emulators better there.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.optimize import minimize
from scipy.spatial.distance import cdist

from simcare.calibrate.emulator import Emulators
from simcare.calibrate.likelihood import Judge, off
from simcare.calibrate.observe import Values
from simcare.calibrate.priors import log_density, sample
from simcare.model.calibration import Free
from simcare.rules.streams import stream

CANDIDATES = 20_000
PARTICLES = 1000
LEVELS = 40
SPREAD = 0.6  # of a move about a point that is left, in standard deviations of those that are


class Wave(NamedTuple):
    """What a wave left: the share of the prior that is not implausible (None where too small to see), and the least
    implausibility found."""

    left: float | None
    least: float


def implausibility(judge: Judge, emulators: Emulators, steps: Values) -> Values:
    """The largest distance of any target, in standard deviations, at points (points,)."""
    return np.asarray(np.abs(off(judge, emulators, steps)).max(axis=1))


def not_ruled_out(
    free: Sequence[Free], judge: Judge, emulators: Emulators, cutoff: float, points: int, seed: int
) -> tuple[Values, Wave]:
    """Points of the prior that are not implausible, spread apart (points, parameters); fewer where fewer are found.

    Where the prior holds few, a population is drawn in level by level: those of the lower half stay and are moved
    about, until all are below the cutoff (as subset simulation, Au and Beck 2001).
    """
    rng = stream(seed)
    some = sample(free, CANDIDATES, seed)
    far = implausibility(judge, emulators, some)
    share = float((far <= cutoff).mean())
    if (far <= cutoff).sum() >= 3 * points:
        return spread_out(some[far <= cutoff], points), Wave(share, float(far.min()))
    best = np.argsort(far)[:PARTICLES]
    some, far = some[best], far[best]
    for _ in range(LEVELS):
        level = max(cutoff, float(np.quantile(far, 0.5)))
        kept = rng.choice(np.flatnonzero(far <= level), PARTICLES)
        spread = some[far <= level].std(axis=0) + 1e-3
        some, far = some[kept], far[kept]
        for _ in range(2):
            moved = some + SPREAD * spread * rng.standard_normal(some.shape)
            # A move is taken with the ratio of the prior's densities, if it stays below the level.
            likely = np.log(rng.random(len(some))) < log_density(free, moved) - log_density(free, some)
            there = np.where(likely, implausibility(judge, emulators, moved), np.inf)
            taken = there <= level
            some[taken], far[taken] = moved[taken], there[taken]
        if level <= cutoff:
            break
    inside = far <= cutoff
    return spread_out(some[inside], points), Wave(share or None, float(far.min()))


def spread_out(points: Values, count: int) -> Values:
    """So many of some points that their nearest neighbours are far apart: each next one is the farthest from those
    already taken."""
    points = np.unique(points, axis=0)
    if len(points) <= count:
        return points
    taken = [int(np.argmin(cdist(points, points.mean(axis=0, keepdims=True))[:, 0]))]
    nearest = cdist(points, points[taken])[:, 0]
    while len(taken) < count:
        taken.append(int(np.argmax(nearest)))
        nearest = np.minimum(nearest, cdist(points, points[taken[-1:]])[:, 0])
    return points[taken]


class Conflict(NamedTuple):
    """A target that cannot be met together with the others: by how many standard deviations, and the published and the
    emulated value."""

    name: str
    date: str
    off: float
    published: float
    emulated: float


def conflicts(free: Sequence[Free], judge: Judge, emulators: Emulators, cutoff: float, seed: int) -> list[Conflict]:
    """The targets in conflict, worst first: those beyond the cutoff where all are met best together, and those that
    pull the other way.

    The best point is where the sum of what the targets are beyond is least. A target pulls the other way if meeting the
    worst one makes it worse: leaving the worst out, the best point moves, and there it is met.
    """
    some = sample(free, CANDIDATES, seed)
    start = some[np.argmin(implausibility(judge, emulators, some))]

    def squares(point: Values, weights: Values) -> float:
        inside = log_density(free, point[None, :])[0]
        if not np.isfinite(inside):
            return 1e9
        return float((weights * off(judge, emulators, point[None, :])[0] ** 2).sum() - 2 * inside)

    every = np.ones(len(judge.data))
    best = minimize(squares, start, args=(every,), method="Powell", options={"maxfev": 4000}).x
    at_best = off(judge, emulators, best[None, :])[0]
    worst = int(np.argmax(np.abs(at_best)))
    alone = minimize(
        squares,
        best,
        args=(every * (np.arange(len(every)) == worst) * 25 + 0.02 * every,),
        method="Powell",
        options={"maxfev": 4000},
    ).x
    there = off(judge, emulators, alone[None, :])[0]
    pulled = [k for k in range(len(every)) if k != worst and abs(there[k]) > cutoff and abs(there[k]) > abs(at_best[k])]
    mean = emulators.predict(best[None, :])[0][0]
    beyond = [k for k in np.argsort(-np.abs(at_best)) if abs(at_best[k]) > cutoff]
    named = list(dict.fromkeys([*beyond, *sorted(pulled, key=lambda k: -abs(there[k]))[:3]])) or [worst]
    return [
        _conflict(judge, k, float(at_best[k] if k in beyond or k == worst else there[k]), float(mean[k])) for k in named
    ]


def _conflict(judge: Judge, k: int, distance: float, mean: float) -> Conflict:
    datum = judge.data[k]
    emulated = mean if datum.target.is_share else float(np.exp(mean)) * (1.0 if datum.base is None else datum.base)
    return Conflict(datum.target.name, datum.date.isoformat(), distance, datum.value, emulated)


__all__ = ["Conflict", "Wave", "conflicts", "implausibility", "not_ruled_out", "spread_out"]
