"""The stay so far of people there on day 0, where no record of it exists.

Whoever is found in care on a given day is there in proportion to the length of their stay: the elapsed time u has
density S(u) / ∫S, with S the chance of a stay longer than u (renewal theory). S counts death, leaving and
recovery, and in a service that follows need also a rise; death runs at the rate of the row's mean age.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simcare.rules.compile import rule
from simcare.rules.hazards import SINCE_BIRTH, cumulative
from simcare.rules.records import DEATH, INDUCED, LEAVING, RECOVER, Tables

LONGEST_DAYS = 60 * 365.25
POINTS = 4000


def equilibrium_days(
    tables: Tables,
    stage: int,
    group: int,
    need: int,
    follows_need: bool,
    enabling: bool,
    age: float,
    u: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Elapsed days for uniform draws ``u``, from the equilibrium of a cell's clocks; ``age`` in years."""
    grid = np.concatenate([[0.0], np.geomspace(1e-2, LONGEST_DAYS, POINTS)])
    total = np.zeros_like(grid)
    clocks = [*range(0 if follows_need else RECOVER, INDUCED), DEATH, LEAVING]
    first, count = tables.cells[(stage * tables.handovers.shape[1] + group) * tables.stage_rungs.shape[1] + need]
    for active in tables.active[first : first + count]:
        clock, hazard = active["clock"], tables.hazards[active["hazard"]]
        if clock not in clocks:
            continue
        shift = age * 365.25 if hazard["since"] == SINCE_BIRTH else 0.0
        ratio = tables.stage_rungs[stage, need]["death_ratio"] if clock == DEATH else 1.0
        if enabling and RECOVER <= clock < INDUCED:
            ratio = tables.stages[stage]["enabling"]
        total += ratio * _integrated(hazard, tables.knots, shift, grid)
    staying = np.exp(-total)
    area = np.concatenate([[0.0], np.cumsum((staying[1:] + staying[:-1]) / 2.0 * np.diff(grid))])
    return np.interp(u * area[-1], area, grid) if math.isfinite(area[-1]) else u * LONGEST_DAYS


@rule
def _integrated(hazard: Any, knots: NDArray[Any], shift: float, grid: NDArray[np.float64]) -> NDArray[np.float64]:
    """The baseline hazard integrated from ``shift`` to ``shift`` + each point of the grid."""
    out = np.empty(grid.size)
    for k in range(grid.size):
        out[k] = cumulative(hazard, knots, shift + grid[k]) - cumulative(hazard, knots, shift)
    return out
