"""Demand drivers of a model: series of counts that arrivals follow, and how much of them was known."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Self

from pydantic import Field, model_validator

from simcare.model.kinds import Name, require
from simcare.model.number import Finite, Frozen, Sourced
from simcare.units import month_index

BASE_MONTHS = 12
Month = Annotated[str, Field(pattern=r"^\d{4}-(0[1-9]|1[0-2])$", description="A month such as 2013-03.")]
Counts = tuple[Annotated[float, Field(ge=0)] | None, ...]


class SuppressedCount(Frozen):
    """A count that is published as a symbol: it lies between two bounds. ``at`` is its place among the counts, which
    hold none there."""

    at: int = Field(ge=0)
    low: Finite = Field(ge=0)
    high: Finite = Field(ge=0)


class Neighbour(Frozen):
    """The same kind of count in another area, from the same first month: what is typical there helps where the own
    series is short."""

    area: str
    counts: Counts
    suppressed: tuple[SuppressedCount, ...] = ()


class DemandDriver(Sourced):
    """A monthly series that arrivals follow: its driver is fitted to what was known, and its forecasts enter the
    replications.

    Arrivals that name it come at their ``per_year`` times the driver's rate over its mean in the twelve months before
    the model starts, with season, drift and chance of the driver. In files ``series`` and ``area`` say where the counts
    are; loading the file puts them in ``first``, ``counts``, ``suppressed``, ``exposure`` and ``neighbours``, so that a
    model holds all it needs.
    """

    name: Name
    title: str | None = None
    series: str = Field(
        description="A CSV, Parquet or XLSX file in the library's calibration folder, or a path beside the model file."
    )
    area: str | None = Field(default=None, description="Which series of the file; needed where it has several.")
    population: str | None = Field(
        default=None, description="A population file, found like the series: the driver is of rates per person."
    )
    ages: tuple[float, float | None] | None = Field(
        default=None, description="The ages at risk, from and (exclusive) to, of the population."
    )
    vintage: str | None = Field(
        default=None, description="Which estimates of the population, where the file has several vintages."
    )
    known_to: Month | None = Field(
        default=None, description="The last month known; later counts are not looked at. The whole series unless said."
    )
    first: Month | None = None
    counts: Counts = ()
    suppressed: tuple[SuppressedCount, ...] = ()
    exposure: tuple[Finite, ...] | None = None
    neighbours: tuple[Neighbour, ...] = ()

    @model_validator(mode="after")
    def _has_counts(self) -> Self:
        require(
            (self.population is None) == (self.ages is None),
            "population and ages go together: who is at risk, and in which file",
        )
        require(
            bool(self.counts) == (self.first is not None),
            "first and counts go together; loading the file fills them in from the series",
        )
        return self


def base_months(start: dt.date) -> range:
    """The numbers of the twelve months before a model starts: those whose mean rate ``per_year`` is.

    >>> from simcare.units import parsed_month
    >>> base_months(dt.date(2013, 3, 31)) == range(parsed_month("2012-04"), parsed_month("2013-04"))
    True
    """
    last = month_index(start - dt.timedelta(days=1))
    return range(last - BASE_MONTHS + 1, last + 1)


__all__ = ["BASE_MONTHS", "DemandDriver", "Month", "Neighbour", "SuppressedCount", "base_months"]
