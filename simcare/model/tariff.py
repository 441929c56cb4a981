"""What a contract comes to on a date, in closed form: pounds a day by day of stay, sums, and what a return takes back.

Also what a tariff pays for going round in circles: a step-down and a return, time and again.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simcare.model.terms import (
    Block,
    Clawback,
    DaysSaved,
    Episode,
    OutcomePayment,
    PerDiem,
    StepDownBonus,
    Tapered,
    Term,
)

Days = NDArray[np.float64]
FOREVER = float("inf")
MARGIN = 0.3  # of the day's price: what a provider loses for each day without the client, if nothing better is known
HALF_A_PENNY = 0.005


class Payoff(NamedTuple):
    """A sum at a step-down: in full until a day of the stay, from there evenly down to nothing; due once the step-down
    has lasted."""

    gbp: float
    full_until: float
    zero_at: float
    lasts_days: float
    what: str

    def at(self, days: Days) -> Days:
        """Pounds for a step-down on these days of the stay."""
        if self.full_until == self.zero_at:
            return np.where(days <= self.full_until, self.gbp, 0.0)
        slope = (self.zero_at - days) / (self.zero_at - self.full_until)
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


def tariff_of(terms: Sequence[Term], date: dt.date) -> Tariff:
    """What the terms of a contract come to on a date, in prices of the base year, before any indexation."""
    changes: dict[float, float] = {0.0: 0.0}
    for day, change in (each for term in terms for each in _price_changes(term, date)):
        changes[day] = changes.get(day, 0.0) + change
    edges = tuple(sorted(day for day, change in changes.items() if day == 0.0 or change != 0.0))
    rates = tuple(float(x) for x in np.cumsum([changes[edge] for edge in edges]))
    sums = [_sums_of(term) for term in terms]
    due = tuple(sorted((day, gbp) for each in sums for day, gbp in each.lumps if gbp))
    payoffs = tuple(payoff for each in sums for payoff in each.payoffs if payoff.gbp)
    block = sum((term.gbp_per_year.at(date) for term in terms if isinstance(term, Block)), 0.0)
    return Tariff(edges, rates, due, payoffs, tuple(back for each in sums for back in each.backs), block)


def _price_changes(term: Term, date: dt.date) -> Iterator[tuple[float, float]]:
    """By how much a term changes the price of a day, and from which day of the stay on."""
    match term:
        case PerDiem():
            yield 0.0, term.price.at(date) / term.days
        case Tapered():
            before = 0.0
            for band in term.bands:
                rate = band.price.at(date) / band.days
                yield band.from_day, rate
                yield band.from_day, -before
                before = rate
        case DaysSaved():
            yield term.baseline_days, -(0.0 if term.gbp_per_day_over is None else term.gbp_per_day_over.value)


class _Sums(NamedTuple):
    """The sums of one term: on days of the stay, at a step-down, and taken back."""

    lumps: tuple[tuple[float, float], ...] = ()
    payoffs: tuple[Payoff, ...] = ()
    backs: tuple[Back, ...] = ()


def _sums_of(term: Term) -> _Sums:
    match term:
        case Episode():
            return _Sums(lumps=((term.on_day, term.gbp.value),))
        case StepDownBonus():
            last = FOREVER if term.by_day is None else term.by_day
            full = last if term.tapers_from_day is None else term.tapers_from_day
            return _Sums(payoffs=(Payoff(term.gbp.value, full, last, term.lasts_days, "step-down bonus"),))
        case Clawback():
            assert term.within_days is not None
            share = 0.0 if term.share is None else term.share.value
            return _Sums(backs=(Back(term.within_days, share, 0.0, term.days_of_pay or 0.0),))
        case OutcomePayment():
            first = term.gbp.value * term.share_up_front.value
            rest = Payoff(term.gbp.value - first, FOREVER, FOREVER, term.lasts_days, "outcome")
            return _Sums(((0.0, first),), (rest,), (Back(term.lasts_days, 0.0, first, 0.0),))
        case DaysSaved():
            most = term.gbp_per_day.value * term.baseline_days
            return _Sums(payoffs=(Payoff(most, 0.0, term.baseline_days, term.lasts_days, "days saved"),))
        case _:
            return _Sums()


def cycle_gains(tariff: Tariff, margin: float = MARGIN) -> list[tuple[float, float, float]]:
    """What a provider gains by a step-down on each day of the stay and a return so many days later, time and again,
    over retention.

    Sums that are paid again each time, less what the return takes back and the margin of the days without the client.
    The gain from bands that begin again is not in it: that takes a new assessment (see :func:`reset_gain`). Day, days
    out, pounds; the best day for each number of days out at which a window closes.
    """
    marks = [day for day, _ in tariff.lumps] + [day for p in tariff.payoffs for day in (p.full_until, p.zero_at)]
    days = np.unique([*np.arange(1.0, 1097.0), *(day for day in marks if 0.0 < day < np.inf)])
    outs = sorted(
        {1.0} | {max(1.0, p.lasts_days) for p in tariff.payoffs} | {max(1.0, b.within_days) for b in tariff.backs}
    )
    found = []
    for out in outs:
        gain = tariff.sums(days) + tariff.payoff(days, out) - tariff.back(days, out) - out * margin * tariff.rate(days)
        k = int(gain.argmax())
        found.append((float(days[k]), float(out), float(gain[k])))
    return found


def best_cycle(tariff: Tariff) -> tuple[float, float, float] | None:
    """Day of the stay, days out and pounds of the best cycle for which the tariff pays a sum; None where none does."""
    found = cycle_gains(tariff)
    lost = MARGIN * tariff.rate(np.array([day for day, _, _ in found]))
    paid = [
        cycle for cycle, a_day in zip(found, lost, strict=True) if cycle[2] + cycle[1] * float(a_day) > HALF_A_PENNY
    ]
    return max(paid, key=lambda cycle: cycle[2]) if paid else None


def reset_gain(tariff: Tariff) -> tuple[int, float]:
    """What bands that start again are worth: the day of a step-down and the gain, over keeping the client, of one day
    out and as long a stay again."""
    days = np.arange(1.0, 1097.0)
    again = 2.0 * tariff.for_days(days) - tariff.for_days(2.0 * days)
    gain = again - tariff._replace(lumps=(), payoffs=()).back(days, 1.0) - MARGIN * tariff.rate(days)
    k = int(np.argmax(gain >= gain.max() - HALF_A_PENNY))  # the first day that is as good as any
    return int(days[k]), float(gain[k])
