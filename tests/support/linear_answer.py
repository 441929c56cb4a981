"""A linear answer D = Σ aᵢ xᵢ + e with normal causes and chance: all that is said of it has a closed form."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import norm

from simcare.decide.sample import Cause, Floats, Kind, Sample, sample_of
from simcare.rules.streams import stream


@dataclass(frozen=True)
class LinearAnswer:
    """``slopes``, ``means`` and ``sds`` of the causes (causes,), ``chance``: the standard deviation of e."""

    slopes: Floats
    means: Floats
    sds: Floats
    chance: float
    kinds: tuple[Kind, ...]

    @property
    def causes(self) -> tuple[Cause, ...]:
        return tuple(Cause(f"x{k:02}", f"Row {k}", kind) for k, kind in enumerate(self.kinds))

    @property
    def mean(self) -> float:
        return float(self.slopes @ self.means)

    @property
    def parts(self) -> Floats:
        """The standard deviation that each cause makes."""
        return np.abs(self.slopes * self.sds)

    @property
    def sd(self) -> float:
        return float(np.sqrt((self.parts**2).sum() + self.chance**2))

    def share(self, kind: str) -> float:
        mine = np.array([k == kind for k in self.kinds])
        part = self.chance**2 if kind == "chance" else (self.parts[mine] ** 2).sum()
        return float(part / self.sd**2)

    def drawn(self, n: int, *address: int) -> Sample:
        rng = stream(*address)
        x = rng.normal(self.means, self.sds, (n, self.slopes.size))
        return sample_of(self.causes, x, x @ self.slopes + rng.normal(0.0, self.chance, n))


def gain(mean: float, sd: float) -> float:
    """E max(0, B) - max(0, E B) of a net benefit B ~ N(mean, sd²): the unit normal loss (Raiffa and Schlaifer 1961)."""
    return float(sd * norm.pdf(mean / sd) + mean * norm.cdf(mean / sd) - max(mean, 0.0))


KINDS_OF_45: tuple[Kind, ...] = ("uncertain",) * 36 + ("effect",) * 6 + ("demand",) * 3
MATTER = [0, 37, 1, 43, 2]  # of 45 rows, five


def five_of_45(chance: float) -> LinearAnswer:
    """45 rows of which five matter: three uncertain rows, an effect and a driver."""
    slopes = np.zeros(45)
    slopes[MATTER] = 0.5, -0.8, 0.3, 0.4, 0.15
    sds = np.ones(45)
    sds[:36] = 2.0
    return LinearAnswer(slopes, np.full(45, 0.1), sds, chance, KINDS_OF_45)
