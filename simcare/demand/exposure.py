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

    >>> parsed_ages("0-17"), parsed_ages("85+"), parsed_ages("under 18"), parsed_ages("65 and over")
    ((0.0, 18.0), (85.0, None), (0.0, 18.0), (65.0, None))
    """
    plain = text.strip().lower().removeprefix("aged ").removeprefix("ages ")
    if span := re.fullmatch(r"(\d+) ?(?:-|–|to) ?(\d+)", plain):
        if int(span[1]) > int(span[2]):
            raise BadInput(f"ages: {text}: the first age is above the second")
        return float(span[1]), float(span[2]) + 1.0
    if above := re.fullmatch(r"(\d+) ?(?:\+|plus|and over|and above|or over|or older|years and over)", plain):
        return float(above[1]), None
    if below := re.fullmatch(r"(?:under|below|<) ?(\d+)s?", plain):
        return 0.0, float(below[1])
    raise BadInput(f"ages: should be such as 0-17 or 85+, got {text!r}")


__all__ = ["parsed_ages", "with_people"]
