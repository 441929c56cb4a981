"""The stay so far of people there on day 0, where no record of it exists.

Whoever is found in care on a given day is there in proportion to the length of their stay: the elapsed time u has
density S(u) / ∫S, with S the chance of a stay longer than u (renewal theory). S counts death, leaving and
recovery, and in a service that follows need also a rise; death runs at the rate of the row's mean age.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from simcare.rules.codes import DEATH, INDUCED, LEAVING, RECOVER
from simcare.rules.hazards import SINCE_BIRTH, integrated
from simcare.rules.records import Tables
from simcare.units import YEAR_DAYS

LONGEST_DAYS = 60 * YEAR_DAYS
POINTS = 4000


def equilibrium_days(
    tables: Tables,
    stage: int,
    group: int,
    need: int,
    service: int,
    follows_need: bool,
    enabling: bool,
    age: float,
    u: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Elapsed days for uniform draws ``u``, from the equilibrium of a cell's clocks; ``age`` in years, ``service`` its
    number (−1: none)."""
    grid = np.concatenate([[0.0], np.geomspace(1e-2, LONGEST_DAYS, POINTS)])
    total = np.zeros_like(grid)
    clocks = [*range(0 if follows_need else RECOVER, INDUCED), DEATH, LEAVING]
    first, count = tables.cells[(stage * tables.handovers.shape[1] + group) * tables.stage_needs.shape[1] + need]
    for active in tables.active[first : first + count]:
        apart = active["by_service"]
        clock, row = active["clock"], active["hazard"] if apart < 0 else tables.by_service[apart, 1 + service]
        hazard = tables.hazards[row]
        if clock not in clocks or row == 0:
            continue
        shift = age * YEAR_DAYS if hazard["since"] == SINCE_BIRTH else 0.0
        ratio = tables.stage_needs[stage, need]["death_ratio"] if clock == DEATH else 1.0
        if enabling and RECOVER <= clock < INDUCED:
            ratio = tables.stages[stage]["enabling"]
        total += ratio * integrated(hazard, tables.knots, shift, grid)
    staying = np.exp(-total)
    area = np.concatenate([[0.0], np.cumsum((staying[1:] + staying[:-1]) / 2.0 * np.diff(grid))])
    return np.interp(u * area[-1], area, grid) if math.isfinite(area[-1]) else u * LONGEST_DAYS
