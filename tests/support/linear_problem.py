"""Parameters, targets and emulators for tests of a calibration: straight lines, whose posterior is known exactly."""

from __future__ import annotations

import datetime as dt
import math
from functools import cache
from typing import Any

import numpy as np

from simcare.calibrate.emulator import Emulators, emulate
from simcare.calibrate.likelihood import Judge
from simcare.calibrate.reading import Datum
from simcare.calibrate.simulating import Ensemble
from simcare.model.calibration import Free, Target

ASSUMED = {"source": "assumption", "grade": "D"}
START = dt.date(2013, 4, 1)


def free(name: str = "a", sd_log: float = 0.5, bounds: tuple[float, float] = (0.01, 100.0), **prior: Any) -> Free:
    told = prior or {"median": 1.0, "sd_log": sd_log}
    return Free.model_validate(
        {"name": name, "title": name, "multiply": [{"on": "rise"}], "prior": {**told, **ASSUMED}, "bounds": bounds}
    )


def target(name: str = "t", error: float = 0.1, discrepancy: float = 0.1, **more: Any) -> Target:
    numbers = {"error": {"value": error, **ASSUMED}, "discrepancy": {"value": discrepancy, **ASSUMED}}
    told = {
        "name": name,
        "title": name,
        "kind": "stock",
        "theme": "x",
        "value": {"value": 1, **ASSUMED},
        "at": START,
        **numbers,
    }
    return Target.model_validate(told | more)


def datum(of: Target, year: int, value: float = 100.0, base: float | None = None, base_lead: float = 0.0) -> Datum:
    return Datum(of, dt.date(2013 + year, 3, 31), value, "run", float(year), True, base, base_lead)


SLOPES = np.array([[1.0, 0.0], [1.0, 1.0], [0.0, 0.02]])


@cache
def linear(noise: float = 0.01) -> Emulators:
    """Emulators of three outputs that are straight lines in two parameters."""
    rng = np.random.default_rng(5)
    x = rng.uniform(-3, 3, (60, 2))
    each = Ensemble(x, x @ SLOPES.T + math.sqrt(noise / 2) * rng.standard_normal((60, 3)), noise * np.eye(3), 2)
    return emulate(each, 1)


def shown(values: tuple[float, ...], error: float = 0.3) -> Judge:
    """A judge of three made-up outputs."""
    data = tuple(datum(target(f"t{k}"), 1, math.exp(v)) for k, v in enumerate(values))
    return Judge(data, np.array(values), error**2 * np.eye(len(values)), np.zeros((len(values), len(values))))


TWO = [free("a", sd_log=1.0, bounds=(1e-3, 1e3)), free("b", sd_log=1.0, bounds=(1e-3, 1e3))]


def exact(judge: Judge, noise: float = 0.01) -> tuple[np.ndarray, np.ndarray]:
    """Mean and covariance of the posterior of the linear problem under standard normal priors."""
    weight = np.linalg.inv(judge.slack + noise * np.eye(3))
    cover = np.linalg.inv(np.eye(2) + SLOPES.T @ weight @ SLOPES)
    return cover @ SLOPES.T @ weight @ judge.published, cover
