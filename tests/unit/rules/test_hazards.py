"""One battery over every family of hazards: the inverse undoes the integral, timelines are exact, no multiplier leaves
no trace."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import fisk, gompertz, lognorm, weibull_min

from simcare.arrays.clocks import Hazards
from simcare.model.parts import Clock
from simcare.rules.hazards import SPAN, STEP, cumulative, fires_at, inverse, spent
from simcare.units import YEAR_DAYS


def number(value: float) -> dict[str, object]:
    return {"value": value, "source": "assumption", "grade": "D"}


FAMILIES = {
    "constant": {"per_year": number(2.0)},
    "piecewise": {"family": "piecewise", "edges": [0, 30, 400], "per_year": number(0) | {"value": [4.0, 0.0, 1.0]}},
    "piecewise from later": {"family": "piecewise", "edges": [30, 400], "per_year": number(0) | {"value": [4.0, 1.0]}},
    "weibull": {"family": "weibull", "shape": number(0.8), "scale_days": number(300)},
    "rising weibull": {"family": "weibull", "shape": number(1.7), "scale_days": number(300)},
    "gompertz": {"family": "gompertz", "since": "age", "per_year": number(1e-4), "growth_per_year": number(0.09)},
    "flat gompertz": {"family": "gompertz", "since": "age", "per_year": number(0.01), "growth_per_year": number(0.0)},
    "log_logistic": {"family": "log_logistic", "shape": number(1.8), "scale_days": number(200)},
    "lognormal": {"family": "lognormal", "log_mean": number(4.28), "log_sd": number(0.8)},
    "mixture": {
        "family": "mixture",
        "shares": number(0) | {"value": [0.8, 0.2]},
        "mean_days": number(0) | {"value": [50, 300]},
    },
}
SURVIVAL = {
    "weibull": lambda u: weibull_min.sf(u, 0.8, scale=300),
    "log_logistic": lambda u: fisk.sf(u, 1.8, scale=200),
    "lognormal": lambda u: lognorm.sf(u, 0.8, scale=math.exp(4.28)),
    "mixture": lambda u: 0.8 * math.exp(-u / 50) + 0.2 * math.exp(-u / 300),
    "constant": lambda u: math.exp(-2.0 * u / YEAR_DAYS),
    "gompertz": lambda u: gompertz.sf(0.09 * u / YEAR_DAYS, 1e-4 / 0.09),
}
NO_LINE = np.zeros(1, SPAN)[0]
STEPS = np.array([(-math.inf, 1.0), (100.0, 2.5), (250.0, 0.0), (600.0, 0.5)], STEP)
LINE = np.array([(0, 4)], SPAN)[0]


def built(family: str):  # type: ignore[no-untyped-def]
    hazards = Hazards()
    clock = Clock.model_validate({"clock": "leaving", **FAMILIES[family]})
    row = hazards.add(clock, clock.rates[0] if clock.rates else 0.0)
    from simcare.rules.hazards import HAZARD, KNOT

    return np.array(hazards.rows, HAZARD)[row], np.array(hazards.knots or [(0.0, 0.0, 0.0)], KNOT)


@pytest.mark.parametrize("family", FAMILIES)
def test_the_inverse_undoes_the_integral(family: str) -> None:
    hazard, knots = built(family)
    for total in (1e-6, 0.01, 0.3, 1.0, 2.5):
        u = inverse(hazard, knots, total)
        assert cumulative(hazard, knots, u) == pytest.approx(total, rel=1e-9, abs=1e-12)
    assert cumulative(hazard, knots, 0.0) == 0.0


@pytest.mark.parametrize("family", SURVIVAL)
def test_the_integral_is_that_of_the_named_distribution(family: str) -> None:
    hazard, knots = built(family)
    for u in (1.0, 40.0, 365.0, 1500.0):
        survival = SURVIVAL[family](u)
        if survival > 1e-9:
            assert math.exp(-cumulative(hazard, knots, u)) == pytest.approx(survival, rel=2e-5)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_timeline_is_integrated_exactly(family: str) -> None:
    hazard, knots = built(family)

    edges = np.linspace(20.0, 900.0, 88_001)
    multiplier = STEPS["value"][np.searchsorted(STEPS["time"], (edges[:-1] + edges[1:]) / 2, side="right") - 1]
    total = np.array([cumulative(hazard, knots, t + 50.0) for t in edges])
    expected = 1.7 * float(multiplier @ np.diff(total))
    assert spent(hazard, knots, STEPS, LINE, 1.7, -50.0, 20.0, 900.0) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_clock_fires_when_its_budget_is_spent(family: str) -> None:
    hazard, knots = built(family)
    for budget in (0.01, 0.4, 1.3):
        when = fires_at(hazard, knots, STEPS, LINE, 1.7, -50.0, 20.0, budget)
        if math.isfinite(when):
            assert spent(hazard, knots, STEPS, LINE, 1.7, -50.0, 20.0, when) == pytest.approx(budget, rel=1e-8)
            assert not 250 < when < 600  # the multiplier is 0 there


@pytest.mark.parametrize("family", FAMILIES)
def test_a_budget_kept_over_a_stop_fires_at_the_same_time(family: str) -> None:
    hazard, knots = built(family)
    straight = fires_at(hazard, knots, STEPS, LINE, 1.0, 0.0, 0.0, 0.7)
    left = 0.7 - spent(hazard, knots, STEPS, LINE, 1.0, 0.0, 0.0, 80.0)
    if left > 0 and math.isfinite(straight):
        assert fires_at(hazard, knots, STEPS, LINE, 1.0, 0.0, 80.0, left) == pytest.approx(straight, rel=1e-9)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_multiplier_of_one_is_no_multiplier_to_the_last_bit(family: str) -> None:
    hazard, knots = built(family)
    ones = np.array([(-math.inf, 1.0), (5000.0, 0.2)], STEP)
    line = np.array([(0, 2)], SPAN)[0]
    for budget in (0.01, 0.4, 1.3):
        with_line, without = (fires_at(hazard, knots, ones, span, 1.7, -50.0, 20.0, budget) for span in (line, NO_LINE))
        if without < 5000.0:
            assert with_line == without
        assert spent(hazard, knots, ones, line, 1.7, -50.0, 20.0, 900.0) == spent(
            hazard, knots, ones, NO_LINE, 1.7, -50.0, 20.0, 900.0
        )


def test_nothing_runs_at_no_intensity() -> None:
    hazard, knots = built("weibull")
    assert math.isinf(fires_at(hazard, knots, STEPS, NO_LINE, 0.0, 0.0, 0.0, 0.1))
