"""What the council pays for a stay: a contract of terms, its tariff on a day, and the invoice of a stay.

A :class:`Contract` is what a commissioner writes. On a date it comes to a :class:`Tariff`: pounds a day by day of stay,
sums on a day of the stay, sums at a step-down, and what a return takes back, all in closed form.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from itertools import pairwise
from typing import Annotated, Any, Literal, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from simcare.model.checks.contracts import contract_faults
from simcare.model.kinds import Amount, AmountSeries, Name, Rate, Share, require
from simcare.model.number import DatedNumber, Finite, Frozen

Days = NDArray[np.float64]
FOREVER = float("inf")


class Price(Frozen):
    """Pounds for each day: given by the day or by the week."""

    gbp_per_day: AmountSeries | None = None
    gbp_per_week: AmountSeries | None = None

    @model_validator(mode="after")
    def _one_price(self) -> Self:
        require(
            (self.gbp_per_day is None) != (self.gbp_per_week is None), "give gbp_per_day or gbp_per_week, one of them"
        )
        return self

    @property
    def price(self) -> DatedNumber:
        series = self.gbp_per_day or self.gbp_per_week
        assert series is not None
        return series

    @property
    def days(self) -> float:
        """Days that one price buys: 1 or 7."""
        return 1.0 if self.gbp_per_day is not None else 7.0


class PerDiem(Price):
    """A flat price for each day of a stay, whatever its length."""

    kind: Literal["per_diem"] = "per_diem"


class PriceBand(Price):
    """The price from a day of the stay on, up to ``to_day`` or, in the last band, for good."""

    from_day: Finite = Field(ge=0)
    to_day: Finite | None = None


class Tapered(Frozen):
    """A price that changes with the day of the stay, in bands that join."""

    kind: Literal["tapered"]
    bands: tuple[PriceBand, ...] = Field(min_length=2)

    @model_validator(mode="after")
    def _bands_join(self) -> Self:
        require(
            self.bands[0].from_day == 0,
            f"bands[0].from_day: the first band is from day 0, got {self.bands[0].from_day:g}",
        )
        for k, (band, after) in enumerate(pairwise(self.bands)):
            require(
                after.from_day > band.from_day,
                f"bands[{k + 1}].from_day: bands are out of order, day {after.from_day:g} after {band.from_day:g}",
            )
            ends = after.from_day if band.to_day is None else band.to_day
            how = "overlap" if ends > after.from_day else "leave a gap"
            require(
                ends == after.from_day,
                f"bands[{k}].to_day: bands {how}, one is to day {ends:g} and the next from day {after.from_day:g}",
            )
        require(
            self.bands[-1].to_day is None,
            f"bands[{len(self.bands) - 1}].to_day: the last band has no end, or longer stays had no price",
        )
        return self


class Block(Frozen):
    """A fixed sum a year, whoever is there: spread evenly over the days of each financial year."""

    kind: Literal["block"]
    gbp_per_year: AmountSeries


class Episode(Frozen):
    """A sum for each stay, on its first day or when it reaches ``on_day``."""

    kind: Literal["episode"]
    gbp: Amount
    on_day: Finite = Field(default=0, ge=0)


class StepDownBonus(Frozen):
    """A sum for each step-down: a move to a lower rung, or an end in independence.

    ``by_day``: only if it comes by that day of the stay. ``tapers_from_day``: the full sum until then, from there
    evenly down to nothing on ``by_day``. ``lasts_days``: paid only once the client has not been back on the rung or
    above for so long.
    """

    kind: Literal["step_down_bonus"]
    gbp: Amount
    by_day: Finite | None = Field(default=None, gt=0)
    tapers_from_day: Finite | None = Field(default=None, ge=0)
    lasts_days: Finite = Field(default=0, ge=0)

    @model_validator(mode="after")
    def _tapers_to_a_day(self) -> Self:
        if self.tapers_from_day is not None:
            require(self.by_day is not None, "tapers_from_day needs by_day, the day on which nothing is left")
            assert self.by_day is not None
            require(
                self.tapers_from_day < self.by_day,
                f"tapers_from_day ({self.tapers_from_day:g}) must be before by_day ({self.by_day:g})",
            )
        return self


class Clawback(Frozen):
    """Who is back on the rung or above within so many days of a step-down costs the provider: ``share`` of the sums
    that the stay was paid (episode, bonus, outcome, days saved), and the last ``days_of_pay`` days at the last day's
    price."""

    kind: Literal["clawback"]
    within_days: Finite | None = Field(default=None, gt=0)
    share: Share | None = None
    days_of_pay: Finite | None = Field(default=None, gt=0)

    @model_validator(mode="after")
    def _has_a_window(self) -> Self:
        require(
            self.within_days is not None,
            "within_days: a clawback needs a window, the days after a step-down in which a return counts",
        )
        require(
            self.share is not None or self.days_of_pay is not None,
            "give share, days_of_pay or both: what is taken back",
        )
        return self


class OutcomePayment(Frozen):
    """A sum for independence that lasts: a share at the start of the stay, the rest ``lasts_days`` after the step-down
    if the client has not been back; who comes back sooner costs the provider the first share too."""

    kind: Literal["outcome"]
    gbp: Amount
    share_up_front: Share
    lasts_days: Finite = Field(gt=0)


class DaysSaved(Frozen):
    """At a step-down before ``baseline_days``, pounds for each day saved; ``gbp_per_day_over`` is lost for each day of
    a stay beyond it."""

    kind: Literal["days_saved"]
    baseline_days: Finite = Field(gt=0)
    gbp_per_day: Amount
    gbp_per_day_over: Amount | None = None
    lasts_days: Finite = Field(default=0, ge=0)


class Indexation(Frozen):
    """The contract's prices grow by this much each 1 April since the price base, in place of the model's general
    growth."""

    kind: Literal["indexation"]
    per_year: Rate


Term = Annotated[
    PerDiem | Tapered | Block | Episode | StepDownBonus | Clawback | OutcomePayment | DaysSaved | Indexation,
    Field(discriminator="kind"),
]


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
            faults = contract_faults(tariff_of(self, date), cap)
            require(not faults, faults[0] if faults else "")
        return self

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
                found.append((term.gbp_per_year, 365.25))
        return tuple(found)

    @property
    def dates(self) -> set[dt.date]:
        """Every date on which a price changes."""
        return {step.from_ for series, _ in self.priced for step in series.steps if step.from_ is not None}

    @property
    def index_per_year(self) -> float | None:
        """Growth of the prices a year, where it is the contract's own."""
        return next((term.per_year.value for term in self.terms if isinstance(term, Indexation)), None)


class Payoff(NamedTuple):
    """A sum at a step-down: in full until a day of the stay, from there evenly down to nothing; due once the step-down
    has lasted."""

    gbp: float
    full_until: float
    nought_at: float
    lasts_days: float
    what: str

    def at(self, days: Days) -> Days:
        """Pounds for a step-down on these days of the stay."""
        if self.full_until == self.nought_at:
            return np.where(days <= self.full_until, self.gbp, 0.0)
        slope = (self.nought_at - days) / (self.nought_at - self.full_until)
        return self.gbp * np.clip(slope, 0.0, 1.0)


class Back(NamedTuple):
    """What a return within so many days takes back: a share of the sums paid, pounds, and days at the last day's
    price."""

    within_days: float
    share: float
    gbp: float
    days_of_pay: float


class Tariff(NamedTuple):
    """A contract on a date, in prices of the base year: pounds a day from each of ``edges`` (days of stay) on, sums on
    days of the stay, sums at a step-down, what a return takes back, and the block's pounds a year."""

    edges: tuple[float, ...]
    rates: tuple[float, ...]
    lumps: tuple[tuple[float, float], ...]
    payoffs: tuple[Payoff, ...]
    backs: tuple[Back, ...]
    block_per_year: float

    def rate(self, days: Days) -> Days:
        """Pounds a day on these days of the stay."""
        return np.asarray(self.rates)[np.searchsorted(self.edges, days, side="right") - 1]

    def for_days(self, days: Days) -> Days:
        """Pounds for the days of a stay of so many."""
        ends = np.array([*self.edges[1:], FOREVER])
        spans = np.clip(np.minimum.outer(days, ends) - np.asarray(self.edges), 0.0, None)
        found: Days = spans @ np.asarray(self.rates)
        return found

    def mean_rate(self) -> float:
        """Pounds a day on average over a stay of a year, sums apart."""
        return float(self.for_days(np.array([365.0]))[0]) / 365.0

    def sums(self, days: Days) -> Days:
        """Pounds due on days of the stay that a stay of so many days has reached."""
        return sum((np.where(days >= day, gbp, 0.0) for day, gbp in self.lumps), np.zeros_like(days))

    def paid(self, days: Days) -> Days:
        """Pounds for a stay of so many days, step-down apart."""
        return self.for_days(days) + self.sums(days)

    def payoff(self, days: Days, out: float = FOREVER) -> Days:
        """Pounds for a step-down on these days of the stay, if the client is not back for ``out`` days."""
        return sum((payoff.at(days) for payoff in self.payoffs if payoff.lasts_days <= out), np.zeros_like(days))

    def back(self, days: Days, out: float, since: float = 0.0) -> Days:
        """Pounds that a return takes back, ``out`` days after a step-down on these days of the stay; the contract has
        held since a day of it.

        No more than the sums paid, and no more than the pay for the days.
        """
        due = self._replace(lumps=tuple(lump for lump in self.lumps if lump[0] >= since))
        sums = due.sums(days) + self.payoff(days, out)
        open_ = [back for back in self.backs if out < back.within_days]
        of_sums = sum((back.share * sums + (back.gbp if since <= 0.0 else 0.0) for back in open_), np.zeros_like(days))
        last = self.rate(np.nextafter(days, 0.0))  # the price of the last day, though the next band begins at its end
        of_pay = sum((np.minimum(days, back.days_of_pay) * last for back in open_), np.zeros_like(days))
        return np.minimum(of_sums, sums) + np.clip(of_pay, 0.0, np.maximum(self.for_days(days), 0.0))


def tariff_of(contract: Contract, date: dt.date) -> Tariff:
    """What a contract comes to on a date, in prices of the base year, before any indexation."""
    changes: dict[float, float] = {0.0: 0.0}
    lumps: list[tuple[float, float]] = []
    payoffs: list[Payoff] = []
    backs: list[Back] = []
    block = 0.0
    for term in contract.terms:
        match term:
            case PerDiem():
                changes[0.0] += term.price.at(date) / term.days
            case Tapered():
                before = 0.0
                for band in term.bands:
                    rate = band.price.at(date) / band.days
                    changes[band.from_day] = changes.get(band.from_day, 0.0) + rate - before
                    before = rate
            case Block():
                block += term.gbp_per_year.at(date)
            case Episode():
                lumps.append((term.on_day, term.gbp.value))
            case StepDownBonus():
                last = FOREVER if term.by_day is None else term.by_day
                full = last if term.tapers_from_day is None else term.tapers_from_day
                payoffs.append(Payoff(term.gbp.value, full, last, term.lasts_days, "step-down bonus"))
            case Clawback():
                assert term.within_days is not None
                share = 0.0 if term.share is None else term.share.value
                backs.append(Back(term.within_days, share, 0.0, term.days_of_pay or 0.0))
            case OutcomePayment():
                first = term.gbp.value * term.share_up_front.value
                lumps.append((0.0, first))
                payoffs.append(Payoff(term.gbp.value - first, FOREVER, FOREVER, term.lasts_days, "outcome"))
                backs.append(Back(term.lasts_days, 0.0, first, 0.0))
            case DaysSaved():
                most = term.gbp_per_day.value * term.baseline_days
                payoffs.append(Payoff(most, 0.0, term.baseline_days, term.lasts_days, "days saved"))
                over = 0.0 if term.gbp_per_day_over is None else term.gbp_per_day_over.value
                changes[term.baseline_days] = changes.get(term.baseline_days, 0.0) - over
    edges = tuple(sorted(day for day, change in changes.items() if day == 0.0 or change != 0.0))
    rates = tuple(float(x) for x in np.cumsum([changes[edge] for edge in edges]))
    due = tuple(sorted((day, gbp) for day, gbp in lumps if gbp))
    return Tariff(edges, rates, due, tuple(p for p in payoffs if p.gbp), tuple(backs), block)


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

    ``stepped_down``: the stay ended in a step-down; ``back_after``: so many days later the client was back on the rung
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
    tariff = tariff_of(contract, on)
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
