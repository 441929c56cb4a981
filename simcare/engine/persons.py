"""A person of a replication: an address of their own, an age, a frailty."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaincinv

from simcare.arrays.names import names_of
from simcare.errors import BadInput
from simcare.model import Model
from simcare.model.parts import Ages, Arrivals, Caseload
from simcare.rules.draws import FRAILTY, name_key, uniforms
from simcare.rules.records import CLIENT, Tables
from simcare.units import YEAR_DAYS

FRAILTY_RANGE = (0.1, 10.0)


def check_keys(model: Model) -> None:
    """No two strata may share a key (a chance of one in a million for 50 strata)."""
    seen: dict[int, str] = {}
    fields = [("caseload", row.name) for row in model.caseload]
    fields += [(field, row.name) for row in model.arrivals for field in ("arrivals", "arrivals before")]
    for field, name in fields:
        k = name_key(field, name)
        if k in seen:
            raise BadInput(f"{field}.{name}: its address clashes with {seen[k]}; give one of them another name")
        seen[k] = f"{field}.{name}"


def blank(ids: NDArray[np.int64]) -> NDArray[Any]:
    clients = np.zeros(ids.size, CLIENT)
    clients["id"] = ids
    for name in ("assess_at", "task_end", "review_due", "short_end", "hospital_end", "birthday", "next"):
        clients[name] = math.inf
    clients["stay_start"] = math.nan
    clients["service"] = clients["provider"] = clients["pool"] = clients["team"] = clients["wants"] = clients[
        "cell"
    ] = -1
    return clients


def person(
    model: Model,
    tables: Tables,
    row: Caseload | Arrivals,
    clients: NDArray[Any],
    age: NDArray[np.float64],
    when: NDArray[Any] | float,
    seed: int,
    replication: int,
) -> None:
    names = names_of(model)
    clients["born"], clients["entered"] = when - age * YEAR_DAYS, when
    clients["area"] = 0 if row.area is None else names.areas.index(row.area)
    clients["stage"], clients["group"] = names.stages.index(row.stage), names.groups.index(row.group)
    clients["band"] = np.searchsorted(tables.bands["from_age"], age, side="right") - 1
    variance = float(tables.stages[names.stages.index(row.stage)]["frailty_variance"])
    clients["frailty"] = (
        frailty(variance, uniforms(seed, replication, clients["id"], FRAILTY, 0)) if variance > 0 else 1.0
    )


def frailty(variance: float, u: NDArray[np.float64]) -> NDArray[np.float64]:
    """Gamma multipliers with mean 1 and this variance, kept within 0.1 to 10.

    The quantile function, read from a table with points dense in both tails (relative error below 1e-3, of the mean
    below 1e-6).
    """
    points, values = _gamma_quantiles(variance)
    return np.interp(u, points, values)


@cache
def _gamma_quantiles(variance: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    points = 1.0 / (1.0 + np.exp(-np.linspace(-18.0, 18.0, 9001)))
    return points, np.clip(gammaincinv(1.0 / variance, points) * variance, *FRAILTY_RANGE)


def value_in_bands(edges: Sequence[float], shares: Sequence[float], u: NDArray[np.float64]) -> NDArray[np.float64]:
    """A value in bands from one uniform draw: the band by its share, even within it."""
    top = np.concatenate([[0.0], np.cumsum(shares)])
    return np.interp(u * top[-1], top, edges)


def drawn_ages(model: Model, row: Caseload | Arrivals, u: NDArray[np.float64]) -> NDArray[np.float64]:
    if isinstance(row.ages, Ages):
        return value_in_bands(row.ages.edges, row.ages.shares, u)
    stage = next(s for s in model.stages if s.name == row.stage)
    assert stage.to_age is not None
    return stage.from_age + u * (stage.to_age - stage.from_age)
