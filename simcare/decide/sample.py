"""One sample of replications: what each drew, and what the difference from the baseline came to in it.

All that is said of an answer's uncertainty is read from such a sample: prediction intervals, shares of the variance,
conditional means, the value of information.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Kind = Literal["uncertain", "effect", "demand"]
KINDS: tuple[Kind, ...] = ("uncertain", "effect", "demand")
LEAST = 30  # replications below which a sample says nothing of its causes


@dataclass(frozen=True, slots=True)
class Cause:
    """Something that differs from replication to replication: an uncertain row of the model, an effect of a strategy,
    or a driver of demand. The numbers of a ``categorical`` cause are names of alternatives, without an order."""

    name: str
    title: str
    kind: Kind
    categorical: bool = False


@dataclass(frozen=True, eq=False)
class Sample:
    """``draws`` (replications, causes): what each replication drew. ``differences`` (replications,): a measure under a
    strategy less the same under the baseline. Made by :func:`sample_of`."""

    causes: tuple[Cause, ...]
    draws: Floats = field(repr=False)
    differences: Floats = field(repr=False)

    @property
    def replications(self) -> int:
        return int(self.differences.size)

    def of(self, differences: ArrayLike) -> Sample:
        """The same draws, and the differences of another measure or strategy."""
        return replace(self, differences=_checked_differences(differences, len(self.draws)))


def sample_of(causes: Iterable[Cause], draws: ArrayLike, differences: ArrayLike) -> Sample:
    """A sample from plain arrays. Causes that are the same in every replication (of zero width) are left out.

    ``draws`` (replications, causes), ``differences`` (replications,). Raises ValueError for shapes that do not fit, for
    numbers that are not finite, and for fewer than 30 replications.

    >>> causes = [Cause("a", "A", "uncertain"), Cause("b", "B", "uncertain")]
    >>> found = sample_of(causes, [[r, 7.0] for r in range(40)], range(40))
    >>> [cause.name for cause in found.causes], found.draws.shape
    (['a'], (40, 1))
    """
    causes, values = tuple(causes), np.array(draws, np.float64)
    if values.ndim != 2 or values.shape[1] != len(causes):
        raise ValueError(f"{len(causes)} causes need draws of shape (replications, {len(causes)}), got {values.shape}")
    if len(values) < LEAST:
        raise ValueError(f"{len(values)} replications are too few to say what the answer depends on: {LEAST} at least")
    for cause, column in zip(causes, values.T, strict=True):
        if not np.isfinite(column).all():
            raise ValueError(f"cause '{cause.name}': a draw is not a finite number")
    moves = np.ptp(values, axis=0) > 0
    kept = tuple(cause for cause, moved in zip(causes, moves, strict=True) if moved)
    drawn = np.ascontiguousarray(values[:, moves])
    drawn.setflags(write=False)
    return Sample(kept, drawn, _checked_differences(differences, len(values)))


def _checked_differences(differences: ArrayLike, replications: int) -> Floats:
    found = np.array(differences, np.float64)
    if found.shape != (replications,):
        raise ValueError(f"{replications} replications were drawn, but the differences have the shape {found.shape}")
    if not np.isfinite(found).all():
        raise ValueError("a difference is not a finite number")
    found.setflags(write=False)
    return found
