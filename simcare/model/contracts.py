"""What the council pays for a stay: a contract of terms, and the invoice of a stay.

A :class:`Contract` is what a commissioner writes, as terms (:mod:`simcare.model.terms`). On a date it comes to a
:class:`simcare.model.tariff.Tariff`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any, NamedTuple, Self

import numpy as np
from pydantic import Field, model_validator

from simcare.model.checks.contracts import contract_faults
from simcare.model.kinds import Amount, Name, require
from simcare.model.number import DatedNumber, Frozen
from simcare.model.tariff import FOREVER, Tariff, tariff_of
from simcare.model.terms import Block, Indexation, PerDiem, Tapered, Term
from simcare.units import YEAR_DAYS


class Contract(Frozen):
    """What the council pays for a stay, as terms that add up. ``most_gbp_per_client_year`` is a budget cap that it must
    keep to."""

    name: Name
    title: str | None = None
    most_gbp_per_client_year: Amount | None = None
    terms: tuple[Term, ...] = Field(min_length=1)

    @model_validator(mode="before")
    @classmethod
    def _by_the_day_unless_said(cls, data: Any) -> Any:
        """A term that says no kind but a price is a price by the day."""
        if not isinstance(data, Mapping) or not isinstance(data.get("terms"), list | tuple):
            return data
        plain = [
            isinstance(t, Mapping) and "kind" not in t and bool({"gbp_per_day", "gbp_per_week"} & t.keys())
            for t in data["terms"]
        ]
        return {
            **data,
            "terms": [{"kind": "per_diem", **t} if bare else t for t, bare in zip(data["terms"], plain, strict=True)],
        }

    @model_validator(mode="after")
    def _holds(self) -> Self:
        indexed = [k for k, term in enumerate(self.terms) if isinstance(term, Indexation)]
        require(len(indexed) < 2, f"terms[{indexed[-1] if indexed else 0}]: a contract has one indexation")
        cap = None if self.most_gbp_per_client_year is None else self.most_gbp_per_client_year.value
        for date in sorted({dt.date.min, *self.dates}):
            faults = contract_faults(self.tariff(date), cap)
            require(not faults, faults[0] if faults else "")
        return self

    def tariff(self, date: dt.date) -> Tariff:
        """What the contract comes to on a date, in prices of the base year, before any indexation."""
        return tariff_of(self.terms, date)

    @property
    def priced(self) -> tuple[tuple[DatedNumber, float], ...]:
        """Every dated price of the contract, with the days that it buys (a year for a block)."""
        found: list[tuple[DatedNumber, float]] = []
        for term in self.terms:
            if isinstance(term, PerDiem):
                found.append((term.price, term.days))
            elif isinstance(term, Tapered):
                found += [(band.price, band.days) for band in term.bands]
            elif isinstance(term, Block):
                found.append((term.gbp_per_year, YEAR_DAYS))
        return tuple(found)

    @property
    def dates(self) -> set[dt.date]:
        """Every date on which a price changes."""
        return {step.from_ for series, _ in self.priced for step in series.steps if step.from_ is not None}

    @property
    def index_per_year(self) -> float | None:
        """Growth of the prices a year, where it is the contract's own."""
        return next((term.per_year.value for term in self.terms if isinstance(term, Indexation)), None)


class InvoiceLine(NamedTuple):
    """A line of an invoice."""

    what: str
    quantity: float
    gbp_each: float
    gbp: float


class Invoice(NamedTuple):
    """What a stay is paid, line by line, in prices of the base year."""

    lines: tuple[InvoiceLine, ...]

    @property
    def gbp(self) -> float:
        """The sum of the lines."""
        return sum(line.gbp for line in self.lines)


def invoice(
    contract: Contract,
    days: float,
    *,
    stepped_down: bool = False,
    back_after: float | None = None,
    on: dt.date = dt.date.min,
) -> Invoice:
    """The invoice of a stay of so many days under the prices of a date: a block is paid by the year and is not in it.

    ``stepped_down``: the stay ended in a step-down; ``back_after``: so many days later the client was back in the tier
    or above. Raises ValueError for a stay of fewer than no days, and for a return without a step-down.

    A hundred days at £140 until day 42, £110 until day 84 and £80 after are 42 × 140 + 42 × 110 + 16 × 80 pounds:

    >>> def gbp(value): return {"value": value, "source": "assumption", "grade": "D"}
    >>> bands = [{"from_day": d, "gbp_per_day": gbp(p)} for d, p in ((0, 140), (42, 110), (84, 80))]
    >>> taper = Contract.model_validate({"name": "taper", "terms": [{"kind": "tapered", "bands": bands}]})
    >>> found = invoice(taper, 100)
    >>> found.gbp
    11780.0
    >>> found.lines[0]
    InvoiceLine(what='day 0 to 42', quantity=42.0, gbp_each=140.0, gbp=5880.0)
    """
    require(days >= 0, f"a stay has no fewer than 0 days, got {days:g}")
    require(back_after is None or stepped_down, "back_after: only who has stepped down can be back")
    tariff = contract.tariff(on)
    lines = []
    for edge, until, rate in zip(tariff.edges, (*tariff.edges[1:], FOREVER), tariff.rates, strict=True):
        if (held := min(days, until) - edge) > 0 and rate:
            what = f"from day {edge:g}" if until == FOREVER else f"day {edge:g} to {until:g}"
            lines.append(InvoiceLine(what, held, rate, held * rate))
    lines += [InvoiceLine(f"on day {day:g}", 1.0, gbp, gbp) for day, gbp in tariff.lumps if days >= day]
    if stepped_down:
        at = np.array([float(days)])
        out = FOREVER if back_after is None else back_after
        kept = [(payoff, float(payoff.at(at)[0])) for payoff in tariff.payoffs if payoff.lasts_days <= out]
        lines += [InvoiceLine(payoff.what, 1.0, gbp, gbp) for payoff, gbp in kept if gbp]
        back = float(tariff.back(at, out)[0])
        lines += [InvoiceLine("taken back", 1.0, -back, -back)] if back else []
    return Invoice(tuple(lines))
