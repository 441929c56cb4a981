"""What is wrong with demand drivers: nobody follows one, or its counts do not hold the year before the model starts."""

from __future__ import annotations

from collections.abc import Iterator

from simcare.model.demand import base_months
from simcare.model.fault import Fault
from simcare.model.fields import ModelFields
from simcare.units import month_name, parsed_month


def driver_faults(model: ModelFields) -> Iterator[Fault]:
    """Drivers whose counts do not hold the twelve months before the model starts."""
    base = base_months(model.about.start)
    named = {row.driver for row in model.arrivals}
    for i, driver in enumerate(model.drivers):
        if driver.name not in named:
            yield Fault(f"drivers[{i}].name", f"no arrivals follow '{driver.name}'")
        if driver.first is None:
            continue  # the file was never read, which the reader tells
        first = parsed_month(driver.first)
        known = range(first, first + len(driver.counts))
        bounded = {count.at for count in driver.suppressed}
        if not any(driver.counts[m - first] is not None or m - first in bounded for m in base if m in known):
            yield Fault(f"drivers[{i}]", "has no count in the year before the model starts, which per_year is of")
        if base[0] not in known or base[-1] not in known:
            months = [month_name(m) for m in (base[0], base[-1], known[0], known[-1])]
            yield Fault(
                f"drivers[{i}]",
                f"needs the counts of {months[0]} to {months[1]}, the year before the model starts; has {months[2]} to"
                f" {months[3]}",
            )
