"""What the targets say of each parameter, and what they leave to the prior: widths, directions, pairs that trade off, profiles.

All in *steps*, the prior's standard deviations, so that one is as wide as the prior.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from simcare.calibrate.emulator import Emulators
from simcare.calibrate.judging import Judge
from simcare.calibrate.measuring import Values
from simcare.calibrate.posterior import Chain
from simcare.calibrate.priors import sample, to_values
from simcare.model.calibration import Free

PRIOR_DRAWS = 20_000
NUDGE = 0.05  # of a parameter, in steps, for the slope of an emulator
TRADED = 0.5  # posterior correlation from which two parameters are called a pair
BINS = 15


class Direction(NamedTuple):
    """A direction of the parameters: what the targets know along it, in prior precisions (below 1 the prior knows more), and its largest parts."""

    known: float
    parts: tuple[tuple[str, float], ...]


class Profile(NamedTuple):
    """For values of a parameter, the best log posterior density with it there, less the best of all (bins; nan where the chain never was)."""

    values: Values
    density: Values


class Identified(NamedTuple):
    """What is known of the free parameters, in their order. ``prior`` and ``posterior`` are the 5th, 50th and 95th percentile (parameters, 3)."""

    prior: Values
    posterior: Values
    widths: Values
    correlation: Values
    directions: tuple[Direction, ...]
    profiles: tuple[Profile, ...]

    def pairs(self, names: Sequence[str]) -> list[tuple[str, str, float]]:
        """The parameters that trade off against each other, with their posterior correlation, strongest first."""
        found = [
            (names[i], names[j], float(self.correlation[i, j]))
            for i in range(len(names))
            for j in range(i + 1, len(names))
            if abs(self.correlation[i, j]) >= TRADED
        ]
        return sorted(found, key=lambda pair: -abs(pair[2]))


def identify(free: Sequence[Free], judge: Judge, emulators: Emulators, chain: Chain, seed: int) -> Identified:
    """What a chain and the emulators under it say of the parameters."""
    before = sample(free, PRIOR_DRAWS, seed)
    shares = [0.05, 0.5, 0.95]
    prior, posterior = (np.quantile(to_values(free, s), shares, axis=0).T for s in (before, chain.steps))
    widths = chain.steps.std(axis=0) / before.std(axis=0)
    names = [row.name for row in free]
    return Identified(
        prior, posterior, widths, np.corrcoef(chain.steps.T), _directions(names, judge, emulators, chain), _profiles(free, chain)
    )  # fmt: skip


def _directions(names: Sequence[str], judge: Judge, emulators: Emulators, chain: Chain) -> tuple[Direction, ...]:
    """The eigenvectors of the information of the targets at the posterior mean, J' V⁻¹ J with J the emulators' slopes and V all doubt."""
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
        found.append(Direction(float(max(known[k], 0.0)), tuple((names[i], float(vector[i])) for i in largest if abs(vector[i]) >= 0.2)))
    return tuple(found)


def _profiles(free: Sequence[Free], chain: Chain) -> tuple[Profile, ...]:
    found = []
    best = float(chain.log_density.max())
    values = to_values(free, chain.steps)
    for k in range(len(free)):
        edges = np.quantile(chain.steps[:, k], [0.002, 0.998])
        cut = np.linspace(edges[0], edges[1], BINS + 1)
        bins = np.clip(np.searchsorted(cut, chain.steps[:, k], side="right") - 1, 0, BINS - 1)
        top = np.array([chain.log_density[bins == b].max() if (bins == b).any() else np.nan for b in range(BINS)])
        middle = np.array([np.median(values[bins == b, k]) if (bins == b).any() else np.nan for b in range(BINS)])
        found.append(Profile(middle, top - best))
    return tuple(found)


__all__ = ["Direction", "Identified", "Profile", "identify"]
