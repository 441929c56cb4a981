"""Demand drivers of a model: series of counts that arrivals follow, and how much of them was known."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Self

from pydantic import Field, model_validator

from simcare.model.fault import Fault
from simcare.model.kinds import Name, require
from simcare.model.number import Finite, Frozen, Sourced

if TYPE_CHECKING:
    from simcare.model.model import Model

BASE_MONTHS = 12
Month = Annotated[str, Field(pattern=r"^\d{4}-(0[1-9]|1[0-2])$", description="A month such as 2013-03.")]
Counts = tuple[Annotated[float, Field(ge=0)] | None, ...]


class Neighbour(Frozen):
    """The same kind of count in another area, from the same first month: what is typical there helps where the own
    series is short."""

    area: str
    counts: Counts


class DemandDriver(Sourced):
    """A monthly series that arrivals follow: its driver is fitted to what was known, and its forecasts enter the
    replications.

    Arrivals that name it come at their ``per_year`` times the driver's rate over its mean in the twelve months before
    the model starts, with season, drift and chance of the driver. In files ``series`` and ``area`` say where the counts
    are; loading the file puts them in ``first``, ``counts``, ``exposure`` and ``neighbours``, so that a model holds all
    it needs.
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


def month_number(month: str) -> int:
    """Twelve times the year plus the month from nought.

    >>> month_number("2013-04") - month_number("2013-03")
    1
    """
    found = re.fullmatch(r"(\d{4})-(\d{2})", month)
    assert found is not None
    return int(found[1]) * 12 + int(found[2]) - 1


def base_months(start: dt.date) -> range:
    """The numbers of the twelve months before a model starts: those whose mean rate ``per_year`` is.

    >>> base_months(dt.date(2013, 3, 31)) == range(month_number("2012-04"), month_number("2013-04"))
    True
    """
    before = start - dt.timedelta(days=1)
    last = before.year * 12 + before.month - 1
    return range(last - BASE_MONTHS + 1, last + 1)


def driver_faults(model: Model) -> Iterator[Fault]:
    """Drivers whose counts do not hold the twelve months before the model starts."""
    base = base_months(model.about.start)
    named = {row.driver for row in model.arrivals}
    for i, driver in enumerate(model.drivers):
        if driver.name not in named:
            yield Fault(f"drivers[{i}].name", f"no arrivals follow '{driver.name}'")
        if driver.first is None:
            continue  # the file was never read, which the reader tells
        first = month_number(driver.first)
        known = range(first, first + len(driver.counts))
        if not any(driver.counts[m - first] is not None for m in base if m in known):
            yield Fault(f"drivers[{i}]", "has no count in the year before the model starts, which per_year is of")
        if base[0] not in known or base[-1] not in known:
            months = [f"{m // 12}-{m % 12 + 1:02d}" for m in (base[0], base[-1], known[0], known[-1])]
            yield Fault(
                f"drivers[{i}]",
                f"needs the counts of {months[0]} to {months[1]}, the year before the model starts; has {months[2]} to"
                f" {months[3]}",
            )


__all__ = ["BASE_MONTHS", "DemandDriver", "Month", "Neighbour", "base_months", "driver_faults", "month_number"]
