"""What a tariff rewards: the value of retaining a client who could step down, and how fast providers then move them.

The daily net value of retention at day u of the stay (design, model page, section 5), in pounds a day of the base year:

    g(u) = r(u) − w                            margin of the day over what a day without the client saves
         + sums to come                        a sum on a later day of the stay (less what a return may take back), felt
         evenly over
                                               the horizon before it
         − occupancy × π                       a place given up earns again while it is filled: π is a newcomer's margin
         − φ × gap                             altruism, pounds a day for each tier of care that is not needed
         − [(δ + exits + 1/H) × S(u) − S'(u)]  what it costs to put off the payoff S of a step-down

    S(u) = Σ sums × P(not back) × (what later money is worth) + value of the tier below − what a return takes back ×
    P(back)

Ready clients step down at ``h × exp(clip(−η g / r̄, −3, 3))``; clients who are not ready are discharged early at
``h × (exp(clip(−η g / r̄, 0, 3)) − 1)``. r̄ is the service's reference price, H the provider's horizon. g is worked out
for each day of a stay once; clocks then run on a table.
"""

from __future__ import annotations

import datetime as dt
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simcare.model import Model
from simcare.model.capacity import Offer, Provider
from simcare.model.number import Number
from simcare.model.offers import contract_named, reference_price, response_of, tariff_on
from simcare.model.response import Response
from simcare.model.tariff import FOREVER, Tariff
from simcare.units import YEAR_DAYS

Days = NDArray[np.float64]
SMOOTH_DAYS = 7.0  # a payoff that ends on a day is felt as falling over the week before it
MOST = 3.0  # on the logarithm: no tariff makes a provider more than e³ times as fast, or as slow


class Incentive(NamedTuple):
    """What a provider sees at an offer under one contract. Pounds in prices of the base year, rates a day,
    probabilities of a return by rate."""

    tariff: Tariff
    reference: float  # r̄, pounds a day
    avoidable: float  # w, pounds a day
    lower_value: float  # what the client is worth in the tier below, if the provider may keep them there
    eta: float
    horizon_days: float  # H
    altruism: float  # φ, pounds a day and tier
    occupancy: float
    back_per_day: float  # clients who were ready
    unready_back_per_day: float
    exits_per_day: float
    discount_per_day: float  # δ

    def at(self, occupancy: float) -> Incentive:
        """The same at another occupancy."""
        return self._replace(occupancy=occupancy)


def _rate(number: Number | None) -> float:
    return 0.0 if number is None else number.value / YEAR_DAYS


def avoidable_cost(model: Model, offer: Offer, response: Response) -> float:
    """What a day without the client saves the provider: the offer's variable cost, or a share of the reference
    price."""
    if offer.variable_gbp_per_day is not None:
        return offer.variable_gbp_per_day.value
    return response.avoidable_share.value * reference_price(model, offer.service)


def incentive(
    model: Model, provider: Provider, offer: Offer, date: dt.date, contract: str | None = None
) -> Incentive | None:
    """What a provider sees at an offer under the contract of a date (or another one); None for one that does not answer
    to money."""
    response = response_of(model, provider)
    if response is None:
        return None
    agreed = contract_named(model, contract or offer.contract_at(date))
    discount = (
        0.0 if response.discount_per_year is None else float(np.log1p(response.discount_per_year.value)) / YEAR_DAYS
    )
    return Incentive(
        tariff=agreed.tariff(date),
        reference=reference_price(model, offer.service),
        avoidable=avoidable_cost(model, offer, response),
        lower_value=_lower_value(model, provider, offer, response, date),
        eta=response.eta.value,
        horizon_days=response.horizon_days.value,
        altruism=0.0 if response.altruism_gbp_per_rung_day is None else response.altruism_gbp_per_rung_day.value,
        occupancy=response.occupancy.value,
        back_per_day=_rate(response.return_per_year),
        unready_back_per_day=_rate(response.unready_return_per_year),
        exits_per_day=_rate(response.exits_per_year),
        discount_per_day=discount,
    )


def _lower_value(model: Model, provider: Provider, offer: Offer, response: Response, date: dt.date) -> float:
    """A newcomer's margin over the horizon in the next tier below, times the share of placements there that come to the
    provider."""
    need_level = {tier: k for k, tier in enumerate(model.need_levels)}
    services = {s.name: s for s in model.services}
    mine = services[offer.service]
    below = need_level.get(mine.tier, 0) - 1
    if below < 1:
        return 0.0
    worth = total = 0.0
    for other in model.providers:
        for o in other.offers:
            service = services[o.service]
            same_people = service.groups is None or mine.groups is None or bool(set(service.groups) & set(mine.groups))
            same_age = service.from_age < (mine.to_age or FOREVER) and mine.from_age < (service.to_age or FOREVER)
            if need_level.get(service.tier) != below or not same_people or not same_age:
                continue
            total += o.weight.value
            if other.name == provider.name:
                margin = float(tariff_on(model, o, date).rates[0]) - avoidable_cost(model, o, response)
                worth += o.weight.value * max(margin, 0.0) * min(response.horizon_days.value, YEAR_DAYS)
    return worth / total if total else 0.0


def days_of(seen: Incentive) -> Days:
    """The days of stay on which the value of retention may change, one by one, up to where it stays the same."""
    tariff = seen.tariff
    marks = [*tariff.edges, *(day for day, _ in tariff.lumps), *(b.days_of_pay for b in tariff.backs)]
    marks += [day for payoff in tariff.payoffs for day in (payoff.full_until, payoff.zero_at) if day < FOREVER]
    return np.arange(0.0, np.ceil(max(marks)) + 2.0)


def _back_rate(seen: Incentive, ready: bool) -> float:
    return seen.back_per_day if ready else seen.unready_back_per_day


def payoff(seen: Incentive, days: Days, ready: bool = True) -> Days:
    """S(u): what a step-down on these days of the stay is worth to the provider."""
    force = seen.discount_per_day + 1.0 / seen.horizon_days
    return seen.lower_value + step_down_pay(seen.tariff, days, _back_rate(seen, ready), force)


def step_down_pay(tariff: Tariff, days: Days, back_per_day: float, force: float = 0.0) -> Days:
    """What a step-down on these days of the stay is paid in the end, on average over returns at a rate: sums that last,
    less what returns take back. ``force`` is the rate a day at which later sums lose worth to whoever looks at them."""
    found = np.zeros_like(days)
    for sum_ in tariff.payoffs:
        found = found + sum_.at(days) * np.exp(-(back_per_day + force) * sum_.lasts_days)
    windows = sorted({0.0, *(b.within_days for b in tariff.backs), *(p.lasts_days for p in tariff.payoffs)})
    for begin, end in pairwise(windows):
        chance = np.exp(-back_per_day * begin) - np.exp(-back_per_day * end)
        found = found - chance * tariff.back(days, (begin + end) / 2.0)
    return found


def holding_value(seen: Incentive, gap: int, days: Days, ready: bool = True) -> Days:
    """g(u) on these days of the stay (each stands for the day that begins there), pounds a day."""
    middle = days + 0.5
    sums = np.zeros_like(days)
    kept = 1.0 - sum(back.share * -np.expm1(-_back_rate(seen, ready) * back.within_days) for back in seen.tariff.backs)
    for day, gbp in seen.tariff.lumps:
        window = max(1.0, min(seen.horizon_days, day))
        sums += np.where((middle < day) & (middle >= day - window), kept * gbp / window, 0.0)
    first = min(seen.horizon_days, 365.0)
    newcomer = float(seen.tariff.paid(np.array([first]))[0]) / first - seen.avoidable
    put_off = (seen.discount_per_day + seen.exits_per_day + 1.0 / seen.horizon_days) * payoff(seen, middle, ready)
    without = seen._replace(
        tariff=seen.tariff._replace(lumps=())
    )  # what a sum to come may cost at a return is in its own value
    falls = (payoff(without, middle + SMOOTH_DAYS, ready) - payoff(without, middle, ready)) / SMOOTH_DAYS
    margin = seen.tariff.rate(middle) - seen.avoidable
    return margin + sums - seen.occupancy * max(newcomer, 0.0) - seen.altruism * gap - put_off + falls


def step_down_factor(seen: Incentive, gap: int, days: Days) -> Days:
    """How many times as fast as its readiness a client who could step down does, on these days of the stay."""
    if seen.eta == 0.0:
        return np.ones_like(days)
    return np.exp(np.clip(-seen.eta * holding_value(seen, gap, days) / seen.reference, -MOST, MOST))


def release_factor(seen: Incentive, gap: int, days: Days) -> Days:
    """How fast, in multiples of the plain rate of early discharge, a client who needs the care is let go, on these days
    of the stay: 0 where retention pays."""
    if seen.eta == 0.0:
        return np.zeros_like(days)
    return np.expm1(np.clip(-seen.eta * holding_value(seen, gap, days, ready=False) / seen.reference, 0.0, MOST))


def knots_of(days: Days, factor: Days) -> list[tuple[float, float, float]]:
    """A factor by day as a table of the cumulative hazard: (day, total, rate) where it changes; the last day's holds
    for good.

    >>> knots_of(np.array([0.0, 1.0, 2.0]), np.array([1.0, 1.0, 3.0]))
    [(0.0, 0.0, 1.0), (2.0, 2.0, 3.0)]
    """
    total = np.concatenate([[0.0], np.cumsum(factor[:-1] * np.diff(days))])
    new = np.concatenate([[True], factor[1:] != factor[:-1]])
    return [(float(d), float(t), float(f)) for d, t, f in zip(days[new], total[new], factor[new], strict=True)]
