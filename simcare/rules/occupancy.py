"""How full a provider is, in the levels for which incentives are tabulated."""

from __future__ import annotations

import numpy as np

from simcare.rules.compile import rule

LOWEST, STEP = 0.5, 0.05
LEVELS = np.linspace(LOWEST, 1.0, 11)  # a half and less, 55 %, and so on to full


@rule
def level_of(occupancy: float) -> int:
    """The index of the level nearest to an occupancy.

    >>> [level_of(share) for share in (0.0, 0.5, 0.56, 1.0)]
    [0, 0, 1, 10]
    """
    return round((max(occupancy, LOWEST) - LOWEST) / STEP)
