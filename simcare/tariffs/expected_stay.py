"""What a contract rewards: the incentive curve day by day, and the expected stay and cost of a client, worked out
without a simulation.

The client is one who could step down from a day of the stay on, and whose need stays as it is. Each day they may be
stepped down by the provider, at the rate of the model's clock as the provider bends it under the contract
(:mod:`simcare.tariffs.holding_value`), by a review on its day, or leave otherwise at a constant rate. Hazards are
constant within a day, so days and chances are exact, whatever falls between two days; sums that taper within a day are
taken at its middle.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from simcare.errors import BadInput
from simcare.model import Model
from simcare.model.capacity import Offer, Provider
from simcare.model.cells import clock_cells, rates_of
from simcare.model.nearmiss import unknown
from simcare.model.offers import contract_named, response_of
from simcare.model.parts import Service
from simcare.model.tariff import Tariff
from simcare.tariffs.holding_value import (
    Incentive,
    days_of,
    holding_value,
    incentive,
    payoff,
    release_factor,
    step_down_factor,
    step_down_pay,
)
from simcare.units import YEAR_DAYS

Days = NDArray[np.float64]
LONGEST_DAYS = 7305  # twenty years, day by day; the rest at the rates of the last day


@dataclass(frozen=True)
class Case:
    """A client who could step down, at an offer under a contract.

    ``ready_per_year`` is the plain rate of stepping down, ``early_discharge_per_year`` that of discharging
    who is not ready;
    ``reviews`` are the days of the stay on which reviews fall, and ``review_misses`` the chance that one does not see
    that less would do.
    """

    service: str
    provider: str
    contract: str
    title: str
    tariff: Tariff
    seen: Incentive | None
    gap: int
    ready_per_year: float
    early_discharge_per_year: float
    reviews: tuple[float, ...] = ()
    review_misses: float = 0.0
    ready_day: float = 0.0
    exits_per_year: float = 0.0


class Expected(NamedTuple):
    """What comes of a client: days of the stay in all and since they could step down, pounds (base-year prices), and
    how it ends (shares)."""

    stay_days: float
    days_since_ready: float
    gbp: float
    by_provider: float
    by_review: float
    otherwise: float


def case(
    model: Model,
    provider: Provider,
    offer: Offer,
    cell: tuple[str, str, str],
    contract: str | None = None,
    *,
    date: dt.date | None = None,
    reviews: bool = True,
    ready_day: float = 0.0,
    exits_per_year: float = 0.0,
) -> Case:
    """A client of a stage, group and need at an offer, under its contract of a date or another one of the model.

    Raises ValueError where the need is not below what the service gives: nobody there could step down.
    """
    date = date or model.about.start
    name = contract or offer.contract_at(date)
    agreed = contract_named(model, name)
    service = next(s for s in model.services if s.name == offer.service)
    stage, _, need = cell
    gap = (
        model.need_levels.index(service.tier) - model.need_levels.index(need)
        if service.tier in model.need_levels
        else 0
    )
    if gap < 1:
        raise ValueError(f"need '{need}' is not below the tier of '{service.name}', '{service.tier}'")
    door = next((d for d in model.front_door if d.stages is None or stage in d.stages), None)
    misses = door.over_specified.at(date) if door is not None and door.over_specified is not None and gap == 1 else 0.0
    first, every = service.first_review_days or service.review_every_days, service.review_every_days
    held = (
        review_days(None if first is None else first.at(date), None if every is None else every.at(date))
        if reviews
        else ()
    )
    return Case(
        service=service.name,
        provider=provider.name,
        contract=name,
        title=agreed.title or name,
        tariff=agreed.tariff(date),
        seen=incentive(model, provider, offer, date, name),
        gap=gap,
        ready_per_year=_rate(model, "step_down", service.name, cell),
        early_discharge_per_year=_rate(model, "premature", service.name, cell),
        reviews=held,
        review_misses=misses,
        ready_day=ready_day,
        exits_per_year=exits_per_year,
    )


def cases(
    model: Model,
    service: str,
    provider: str | None = None,
    contracts: Sequence[str] = (),
    *,
    need: str | None = None,
    stage: str | None = None,
    group: str | None = None,
    reviews: bool = True,
    ready_day: float = 0.0,
) -> list[Case]:
    """A client of a service under its present contract, those that it comes under later, and others of the model, by
    name.

    Unless said otherwise the provider is the one with the largest share of the offers, among those that answer to money
    if any does; the client is of the stage and group most of whom are there on day 0, with need one tier below the
    service. Raises BadInput for a name that is not there, and for a service below which there is no tier.
    """
    chosen, offer = chosen_offer(model, service, provider)
    cell = _cell(model, next(s for s in model.services if s.name == service), need, stage, group)
    names = [contract.name for contract in model.contracts]
    for name in contracts:
        if name not in names:
            raise BadInput(f"contract: {unknown(name, names)}")
    each = dict.fromkeys((*offer.contracts, *contracts))
    return [case(model, chosen, offer, cell, name, reviews=reviews, ready_day=ready_day) for name in each]


def chosen_offer(model: Model, service: str, provider: str | None = None) -> tuple[Provider, Offer]:
    """Whose offer of a service is meant, and the offer: as :func:`cases` chooses, and raising what it does.

    >>> from simcare.files.load import load_model
    >>> chosen_offer(load_model("kent-2013"), "residential_older")[0].name
    'care_homes'
    """
    names = [s.name for s in model.services]
    if service not in names:
        raise BadInput(f"service: {unknown(service, names)}")
    offers = {
        p.name: (p, next(o for o in p.offers if o.service == service))
        for p in model.providers
        if any(o.service == service for o in p.offers)
    }
    if provider is not None and provider not in offers:
        raise BadInput(f"provider: {unknown(provider, offers)} (who offer '{service}')")
    answering = [name for name, (p, _) in offers.items() if response_of(model, p) is not None] or list(offers)
    return offers[provider or max(answering, key=lambda name: offers[name][1].weight.value)]


def _cell(
    model: Model, service: Service, need: str | None, stage: str | None, group: str | None
) -> tuple[str, str, str]:
    """Whose clocks run: the stage and group most of whom are there, and need one tier below the service."""
    for argument, value, names in (
        ("need", need, model.need_levels),
        ("stage", stage, [s.name for s in model.stages]),
        ("group", group, service.groups or [g.name for g in model.groups]),
    ):
        if value is not None and value not in names:
            raise BadInput(f"{argument}: {unknown(value, names)}")
    if service.tier not in model.need_levels:
        raise BadInput(
            f"service: '{service.name}' is short-term: it ends on its planned day, whatever the contract pays"
        )
    below = model.need_levels[model.need_levels.index(service.tier) - 1]
    if need is not None and model.need_levels.index(need) >= model.need_levels.index(service.tier):
        raise BadInput(
            f"need: '{need}' is not below the tier of '{service.name}', '{service.tier}': nobody could step down"
        )
    there = [
        row
        for row in model.caseload
        if row.service == service.name and stage in (None, row.stage) and group in (None, row.group)
    ]
    most = max(there, key=lambda row: row.count.value, default=None)
    first = next(s.name for s in model.stages if s.to_age is None or s.to_age > service.from_age)
    groups = service.groups or tuple(g.name for g in model.groups)
    return stage or (most.stage if most else first), group or (most.group if most else groups[0]), need or below


def review_days(first: float | None, every: float | None) -> tuple[float, ...]:
    """The days of a stay on which reviews fall.

    >>> review_days(42, 365)[:3]
    (42.0, 407.0, 772.0)
    """
    if first is None:
        return ()
    days = [float(first)]
    while every is not None and days[-1] + every < LONGEST_DAYS:
        days.append(days[-1] + every)
    return tuple(days)


def _rate(model: Model, clock_name: str, service: str, cell: tuple[str, str, str]) -> float:
    """The plain rate a year of a clock that providers hold."""
    for clock in model.clocks:
        if (
            clock.clock == clock_name
            and (clock.services is None or service in clock.services)
            and cell in clock_cells(model, clock)
        ):
            rates = dict(rates_of(clock))
            factor = 1.0 if clock.factor is None else clock.factor.value
            return factor * rates.get(cell[2], rates.get(None, 0.0))
    return 0.0


def step_down_per_year(case: Case, days: Days) -> Days:
    """The rate at which the provider steps the client down, on these days of the stay."""
    if case.seen is None:
        return np.full_like(days, case.ready_per_year)
    grid = days_of(case.seen)
    return case.ready_per_year * step_down_factor(case.seen, case.gap, np.minimum(days, grid[-1]))


def release_per_year(case: Case, days: Days) -> Days:
    """The rate at which the provider would discharge a client who needs all the care, on these days of the stay."""
    if case.seen is None:
        return np.zeros_like(days)
    return case.early_discharge_per_year * release_factor(case.seen, 0, np.minimum(days, days_of(case.seen)[-1]))


def curve(case: Case, until_day: int = 365) -> pl.DataFrame:
    """The incentive curve, a row for each day of the stay.

    Columns: ``day``; ``gbp_per_day`` (the day's price); ``invoice_gbp`` (paid by the end of the day, step-down apart);
    ``step_down_gbp`` (paid for a step-down on it that lasts); ``holding_gbp_per_day`` (g: what retention earns against
    stepping down; null where nobody answers to money); ``step_down_worth_gbp`` (S: what the step-down is worth to the
    provider, later money discounted); ``step_downs_per_year`` and ``releases_per_year`` (rates, for a client who could
    step down and one who could not); ``still_there`` (chance that who could step down from ``ready_day`` on is still
    there at the end of the day). Prices of the base year.
    """
    days = np.arange(float(until_day))
    after = np.minimum(days, days_of(case.seen)[-1]) if case.seen is not None else days
    none = [None] * days.size
    lives = _survival(case, float(until_day))
    whole = np.concatenate([lives.there, [lives.left]])[np.searchsorted(np.append(lives.begins, until_day), days + 1.0)]
    return pl.DataFrame(
        {
            "day": days.astype(np.int64),
            "gbp_per_day": case.tariff.rate(days + 0.5),
            "invoice_gbp": case.tariff.paid(days + 1.0),
            "step_down_gbp": case.tariff.payoff(days + 0.5),
            "holding_gbp_per_day": none if case.seen is None else holding_value(case.seen, case.gap, after),
            "step_down_worth_gbp": none if case.seen is None else payoff(case.seen, days + 0.5),
            "step_downs_per_year": step_down_per_year(case, days),
            "releases_per_year": release_per_year(case, days),
            "still_there": whole,
        },
        schema_overrides={"holding_gbp_per_day": pl.Float64, "step_down_worth_gbp": pl.Float64},
    )


class _Lives(NamedTuple):
    """Piece by piece, from one mark to the next: when it begins, the chance to be there as it does, its days lived, and
    how it ends in it.

    Marks are the days, and between them whatever falls within one: a review, a sum, the end of a band.
    """

    begins: Days
    there: Days  # before the review that may fall on the mark
    lived: Days
    by_provider: Days
    otherwise: Days
    by_review: Days  # on the mark
    middle: Days
    left: float  # chance to be there after the last piece


def _marks(case: Case, until_day: float) -> Days:
    """The days up to ``until_day``, and the moments within them at which something changes."""
    tariff = case.tariff
    within = [*case.reviews, *tariff.edges, *(day for day, _ in tariff.lumps), case.ready_day]
    within += [day for payoff in tariff.payoffs for day in (payoff.full_until, payoff.zero_at)]
    return np.unique([*np.arange(until_day + 1.0), *(day for day in within if 0.0 <= day < until_day)])


def _survival(case: Case, until_day: float) -> _Lives:
    """From the moment at which the client could step down; before it the client is there for certain."""
    marks = _marks(case, until_day)
    begins, width = marks[:-1], np.diff(marks)
    runs = begins >= case.ready_day
    own = np.where(runs, step_down_per_year(case, np.floor(begins)) / YEAR_DAYS, 0.0)
    other = np.where(runs, case.exits_per_year / YEAR_DAYS, 0.0)
    total = own + other
    reviewed = np.isin(begins, [day for day in case.reviews if day > case.ready_day])
    missed = np.cumprod(np.where(reviewed, case.review_misses, 1.0))
    unhurried = np.exp(-np.concatenate([[0.0], np.cumsum(total * width)]))  # by no clock so far
    there, after = np.concatenate([[1.0], missed[:-1]]) * unhurried[:-1], missed * unhurried[:-1]
    leaves = -np.expm1(-total * width)
    share = np.divide(own, total, out=np.zeros_like(own), where=total > 0)
    lived = after * np.divide(leaves, total, out=width.copy(), where=total > 0)
    gone = after * leaves
    left = float(missed[-1] * unhurried[-1])
    return _Lives(begins, there, lived, gone * share, gone * (1.0 - share), there - after, begins + width / 2.0, left)


def expected_of(case: Case) -> Expected:
    """The expected stay and cost of the client; sums for step-downs count if they last, less what returns take back.

    Returns come at the rate that the provider's response states; where nobody answers to money, none does. A stay that
    nothing ends is infinite.
    """
    lives, tail = _survival(case, float(LONGEST_DAYS)), _tail(case)
    late = np.array([float(LONGEST_DAYS)])
    a_day = tail.own + tail.other
    later = lives.left / a_day if a_day > 0 else (np.inf if lives.left > 0 else 0.0)
    ends_later = lives.left if a_day > 0 else 0.0
    by_provider = ends_later * tail.own / a_day if a_day > 0 else 0.0
    stay = float(lives.lived.sum()) + later
    last_price = float(case.tariff.rate(late)[0])
    gbp = float(case.tariff.rate(lives.middle) @ lives.lived) + (last_price * later if last_price else 0.0)
    gbp += sum(sum_ * _chance_there(lives, day, a_day) for day, sum_ in case.tariff.lumps)
    gbp += float(_step_down_pay(case, lives.middle) @ lives.by_provider) + float(
        _step_down_pay(case, lives.begins) @ lives.by_review
    )
    gbp += by_provider * float(_step_down_pay(case, late)[0])
    ends = (
        float(lives.by_provider.sum()) + by_provider,
        float(lives.by_review.sum()),
        float(lives.otherwise.sum()) + ends_later - by_provider,
    )
    return Expected(stay, stay - case.ready_day, gbp, *ends)


class _Tail(NamedTuple):
    """Rates a day, after the longest stay that is gone through: stepped down by the provider, and other exits."""

    own: float
    other: float


def _tail(case: Case) -> _Tail:
    return _Tail(
        float(step_down_per_year(case, np.array([LONGEST_DAYS - 1.0]))[0]) / YEAR_DAYS, case.exits_per_year / YEAR_DAYS
    )


def _chance_there(lives: _Lives, day: float, a_day: float) -> float:
    """The chance that a stay reaches a day (one of the marks, or later than all of them)."""
    if day < LONGEST_DAYS:
        return float(lives.there[np.searchsorted(lives.begins, day)])
    return lives.left * float(np.exp(-a_day * (day - LONGEST_DAYS)))


def _step_down_pay(case: Case, days: Days) -> Days:
    """What a step-down on these days of the stay is paid in the end, on average over returns."""
    return step_down_pay(case.tariff, days, 0.0 if case.seen is None else case.seen.back_per_day)


def cases_summary(cases: Sequence[Case]) -> pl.DataFrame:
    """Expected stay and cost, a row for each case. Columns: contract, title, then those of :class:`Expected`."""
    rows = [(case.contract, case.title, *expected_of(case)) for case in cases]
    return pl.DataFrame(rows, schema=["contract", "title", *Expected._fields], orient="row")
