"""What the data say about each parameter, and where they do not inform it: widths, directions, pairs that trade off,
profiles.

All in *steps*, the prior's standard deviations, so that one is as wide as the prior.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from simcare.calibrate.chain import PosteriorChain
from simcare.calibrate.emulator import Emulators
from simcare.calibrate.likelihood import Judge, log_likelihood
from simcare.calibrate.observe import Values
from simcare.calibrate.priors import bounds_in_steps, from_cube, log_density, sample, to_values
from simcare.files.fit import Bound
from simcare.model.calibration import Free
from simcare.rules.streams import PROFILES, stream

PRIOR_DRAWS = 20_000
NUDGE = 0.05  # of a parameter, in steps, for the slope of an emulator
TRADED = 0.5  # posterior correlation from which two parameters are called a pair
BINS = 15
NEAR = 200  # points of the chain among which a profile begins
CLIMB = 300  # steps that it climbs from there
AT_BOUND = 0.06  # of the middle 90 % of a posterior: where its end is nearer to a bound than that, it piles up there


class Direction(NamedTuple):
    """A direction of the parameters: what the targets know along it, in prior precisions (below 1 the prior knows
    more), and its largest parts."""

    known: float
    parts: tuple[tuple[str, float], ...]


class Profile(NamedTuple):
    """For values of a parameter, the best log posterior density with it there less the best of all, and the log density
    of its prior alone (bins)."""

    values: Values
    density: Values
    prior: Values


class Identified(NamedTuple):
    """What is known of the free parameters, in their order. ``prior`` and ``posterior`` are the 5th, 50th and 95th
    percentile (parameters, 3). ``at_bound`` says at which of its bounds the posterior of each piles up, if at any."""

    prior: Values
    posterior: Values
    widths: Values
    correlation: Values
    directions: tuple[Direction, ...]
    profiles: tuple[Profile, ...]
    at_bound: tuple[Bound | None, ...]

    def pairs(self, names: Sequence[str]) -> list[tuple[str, str, float]]:
        """The parameters that trade off against each other, with their posterior correlation, strongest first."""
        found = [
            (names[i], names[j], float(self.correlation[i, j]))
            for i in range(len(names))
            for j in range(i + 1, len(names))
            if abs(self.correlation[i, j]) >= TRADED
        ]
        return sorted(found, key=lambda pair: -abs(pair[2]))


def identify(free: Sequence[Free], judge: Judge, emulators: Emulators, chain: PosteriorChain, seed: int) -> Identified:
    """What a chain and the emulators under it say of the parameters."""
    before = sample(free, PRIOR_DRAWS, seed)
    shares = [0.05, 0.5, 0.95]
    prior = to_values(free, from_cube(free, np.repeat(np.array(shares)[:, None], len(free), axis=1))).T
    posterior = np.quantile(to_values(free, chain.steps), shares, axis=0).T
    widths = chain.steps.std(axis=0) / before.std(axis=0)
    names = [row.name for row in free]
    together = np.atleast_2d(np.corrcoef(chain.steps.T))
    return Identified(
        prior,
        posterior,
        widths,
        together,
        _directions(names, judge, emulators, chain),
        _profiles(free, judge, emulators, chain, seed),
        at_bounds(free, chain.steps),
    )


def at_bounds(free: Sequence[Free], steps: Values) -> tuple[Bound | None, ...]:
    """At which of its bounds each parameter's posterior piles up, of draws in steps (draws, parameters): where the end
    of its middle 90 % is within AT_BOUND of that width of the bound. A normal posterior that is cut at its top is at
    0.033, one cut a standard deviation beyond its top at 0.063.

    >>> one = Free.model_validate({"name": "a", "title": "A", "multiply": [{"on": "rise"}], "bounds": [0.5, 1.5],
    ...     "prior": {"kind": "uniform", "source": "assumption", "grade": "D"}})
    >>> piled = np.linspace(0.0, 1.0, 100)[:, None] ** 2
    >>> at_bounds([one], 1.0 - piled), at_bounds([one], piled - 1.0), at_bounds([one], 0.5 - piled)
    (('upper',), ('lower',), (None,))
    """
    below, above = bounds_in_steps(free)
    low, high = np.quantile(steps, [0.05, 0.95], axis=0)
    near = AT_BOUND * (high - low)
    ends = zip(low - below < near, above - high < near, strict=True)
    return tuple("lower" if at_low else "upper" if at_high else None for at_low, at_high in ends)


def _directions(
    names: Sequence[str], judge: Judge, emulators: Emulators, chain: PosteriorChain
) -> tuple[Direction, ...]:
    """The eigenvectors of the information of the targets at the posterior mean, J' V⁻¹ J with J the emulators' slopes
    and V all uncertainty."""
    centre = chain.steps.mean(axis=0)
    n = len(centre)
    around = np.vstack([centre + NUDGE * np.eye(n), centre - NUDGE * np.eye(n), centre])
    mean, variance = emulators.predict(around)
    slope = (mean[:n] - mean[n : 2 * n]).T / (2 * NUDGE)
    information = slope.T @ np.linalg.solve(judge.slack + emulators.noise + np.diag(variance[-1]), slope)
    known, vectors = np.linalg.eigh(information)
    found = []
    for k in np.argsort(-known):
        vector = vectors[:, k] * np.sign(vectors[np.argmax(np.abs(vectors[:, k])), k])
        largest = np.argsort(-np.abs(vector))[:4]
        found.append(
            Direction(
                float(max(known[k], 0.0)), tuple((names[i], float(vector[i])) for i in largest if abs(vector[i]) >= 0.2)
            )
        )
    return tuple(found)


def _profiles(
    free: Sequence[Free], judge: Judge, emulators: Emulators, chain: PosteriorChain, seed: int
) -> tuple[Profile, ...]:
    """Each profile from the best that the chain saw near a value, climbing from there by differences of the chain's own
    points."""
    rng = stream(seed, PROFILES)
    count = len(free)
    low, high = np.quantile(chain.steps, [0.002, 0.998], axis=0)
    held = np.linspace(low, high, BINS).T
    points = np.array([_nearest(chain, k, value) for k in range(count) for value in held[k]])
    which, fixed = np.repeat(np.arange(count), BINS), held.ravel()

    def density(steps: Values) -> Values:
        return log_density(free, steps) + log_likelihood(judge, emulators, steps)

    best = density(points)
    for _ in range(CLIMB):
        a, b = (chain.steps[rng.integers(len(chain.steps), size=len(points))] for _ in range(2))
        moved = points + rng.random((len(points), 1)) * 2.38 / np.sqrt(2 * count) * (a - b)
        moved[np.arange(len(points)), which] = fixed
        there = density(moved)
        better = there > best
        points[better], best[better] = moved[better], there[better]
    top = max(float(best.max()), float(chain.log_density.max()))
    values = to_values(free, points)
    found = []
    for k, row in enumerate(free):
        alone = log_density([row], points[which == k, k : k + 1])
        found.append(Profile(values[which == k, k], best[which == k] - top, alone - float(alone.max())))
    return tuple(found)


def _nearest(chain: PosteriorChain, k: int, value: float) -> Values:
    """The most likely of the chain's points that have parameter k near a value, with it moved there."""
    near = np.argsort(np.abs(chain.steps[:, k] - value))[:NEAR]
    point = np.array(chain.steps[near[np.argmax(chain.log_density[near])]], dtype=float)
    point[k] = value
    return point


__all__ = ["Direction", "Identified", "Profile", "identify"]
