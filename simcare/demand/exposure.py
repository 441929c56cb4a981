"""People at risk, month by month, as the exposure of a series: the population offset of its driver."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np

from simcare.demand.population import Population, exposure
from simcare.demand.series import MonthlyCounts
from simcare.errors import BadInput
from simcare.model.parts import Stage
from simcare.units import month_start


def with_people(
    series: MonthlyCounts, population: Population, from_age: float, to_age: float | None, ahead: int = 0
) -> MonthlyCounts:
    """The series with the people of some ages as its exposure, at the middle of each month; up to ``ahead`` months past
    the last count.

    Months before the first or after the last year of the population hold that year's. Raises BadInput for ages that the
    bands do not tell apart.
    """
    stage = Stage(name="exposed", from_age=from_age, to_age=to_age)
    days = [month_start(m) for m in range(series.first, series.last + 1 + ahead)]
    found = exposure(population, [stage], days, hold=True)["people"].to_numpy()
    return replace(series, exposure=np.asarray(found, dtype=float))


def parsed_ages(text: str) -> tuple[float, float | None]:
    """Ages as people say them, as a half-open span.

    >>> parsed_ages("0-17"), parsed_ages("85+")
    ((0.0, 18.0), (85.0, None))
    """
    found = re.fullmatch(r"(\d+)(?:-(\d+)|\+)", text.strip())
    if found is None:
        raise BadInput(f"ages: should be such as 0-17 or 85+, got {text!r}")
    return float(found[1]), None if found[2] is None else float(found[2]) + 1.0


__all__ = ["parsed_ages", "with_people"]
