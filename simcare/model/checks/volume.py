"""What is more than a run can carry: people by the million, clocks that fire every minute, waits without end.

A model that asks for it would keep a machine busy for hours or fill its memory, most often for a number in another unit
than meant. The sentence says which number drives it.
"""

from __future__ import annotations

from collections.abc import Iterator

from simcare.model.cells import NEED_CLOCKS
from simcare.model.fault import Fault
from simcare.model.fields import ModelFields
from simcare.model.kinds import MOST_PEOPLE
from simcare.model.parts import Arrivals
from simcare.units import YEAR_DAYS

MOST_A_DAY = 4095  # people of one stratum: what the addresses of chance have room for
MOST_EVENTS = 100_000_000  # a year, as first counted: England is near half of that
ENDING = ("death", "leaving")  # these fire once for a person
PER_PERSON = 20  # events a year of a person in care: reviews, moves and what comes with them


def volume_faults(model: ModelFields) -> Iterator[Fault]:
    """Numbers that no run could carry, once all names hold."""
    yield from _arrivals(model)
    people = sum(row.count.value for row in model.caseload) + sum(_a_year(row) for row in model.arrivals)
    if people > MOST_PEOPLE:
        part, name, most = max(_rows(model), key=lambda row: row[2])
        yield Fault(
            part,
            f"'{name}' has {most:,.0f} people of {people:,.0f} in the caseload and arriving in a year; a run takes"
            f" {MOST_PEOPLE:,} at most",
        )
    else:
        yield from _clocks(model, people)


def _a_year(row: Arrivals) -> float:
    return max(row.per_year.values)


def _rows(model: ModelFields) -> Iterator[tuple[str, str, float]]:
    """Every row of people: path, name, how many."""
    yield from ((f"caseload[{i}].count", row.name, row.count.value) for i, row in enumerate(model.caseload))
    yield from ((f"arrivals[{i}].per_year", row.name, _a_year(row)) for i, row in enumerate(model.arrivals))


def _arrivals(model: ModelFields) -> Iterator[Fault]:
    for i, row in enumerate(model.arrivals):
        peak = _a_year(row) / YEAR_DAYS * (1.0 if row.season is None else max(row.season.value))
        if peak > MOST_A_DAY:
            yield Fault(
                f"arrivals[{i}].per_year",
                f"{_a_year(row):,.10g} a year is {peak:,.0f} people a day of '{row.name}'; a stratum takes"
                f" {MOST_A_DAY:,} a day at most: split it",
            )


def _clocks(model: ModelFields, people: float) -> Iterator[Fault]:
    """Clocks that fire again and again, and so fast that a year of them has more events than a run can carry."""
    for i, clock in enumerate(model.clocks):
        if clock.clock in ENDING or not clock.rates:
            continue
        rate = max(clock.rates) * (1.0 if clock.factor is None else clock.factor.value)
        if people * (rate - PER_PERSON) > MOST_EVENTS and _comes_back(model, clock.clock):
            yield Fault(
                f"clocks[{i}].per_year",
                f"a '{clock.clock}' clock of {rate:,.10g} a year for each of {people:,.0f} people is more than"
                f" {MOST_EVENTS:,} events a year; a rate is for one person, 1 being once a year",
            )


def _comes_back(model: ModelFields, clock: str) -> bool:
    """Whether a clock can fire for a person again and again: need that only rises comes to its highest level."""
    others = [name for name in NEED_CLOCKS if name != clock]
    return clock not in NEED_CLOCKS or any(c.clock in others and max(c.rates, default=1.0) > 0 for c in model.clocks)


__all__ = ["MOST_A_DAY", "MOST_EVENTS", "volume_faults"]
