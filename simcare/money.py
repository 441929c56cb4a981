"""Money: what care, assessments, reviews and programmes cost, who pays, and what it is worth today.

Prices stand in the prices of the model's base year. Cash of a day is the price in force on that day, times growth, which
is applied in one step each 1 April; real is cash without general inflation, also in steps from the base year:

    cash = price × (1 + growth) ^ (financial year − base year)
    real = cash ÷ (1 + inflation) ^ (financial year − base year)
    present value = real × Π over years 1..y of 1 ÷ (1 + r), y = 0 in the first year of the run (undiscounted)

with r the banded social time preference rate (HM Treasury, The Green Book, annex on discounting: 3.5 % to year 30,
3.0 % from year 31, 2.5 % from year 76). The calendar is cut at every date on which a price changes, so a change in the
middle of a month is exact.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterator
from itertools import pairwise

import polars as pl

from simcare.errors import BadInput, BrokenInvariant
from simcare.model import Model, Series
from simcare.model.model import Programme
from simcare.model.parts import Prices
from simcare.model.strategy import ramp_steps
from simcare.periods import total
from simcare.states import IDS, PLACE, RUN

AMOUNTS = ("cost", "cost_council", "cost_health", "cost_client", "cost_real", "cost_pv")


def price_dates(model: Model) -> set[dt.date]:
    """Every date on which a price, a fee or the spending on a programme changes."""
    terms = [term.price for contract in model.contracts for term in contract.terms]
    fees = [fee for door in model.front_door for fee in (door.gbp_per_assessment, door.gbp_per_review) if fee is not None]
    steps = {step.from_ for series in (*terms, *fees) for step in series.steps if step.from_ is not None}
    return steps | {date for programme in model.programmes for date, _ in ramp_steps(programme.start, programme.ramp_days)}


def base_year(prices: Prices) -> int:
    """The calendar year in which the price base began: 2012 for "2012/13"."""
    return int(prices.base_year[:4])


def discount_factor(prices: Prices, year: int) -> float:
    """What £1 of real money in year ``year`` of the run is worth in its first year (year 0).

    A band's rate holds for the steps into its years: with bands from 0 and 31, the step from year 30 to 31 is the first
    at the second rate, as in the Green Book's table.

    >>> from simcare.files import load_model
    >>> discount_factor(load_model("mm-infinity").prices, 10)
    1.0
    """
    rates = [[band.per_year.value for band in prices.discount if band.from_year <= y][-1] for y in range(1, year + 1)]
    return math.prod(1.0 / (1.0 + rate) for rate in rates)


def annuity(prices: Prices, years: float) -> float:
    """The present value of £1 a year paid evenly over ``years``, discounted continuously: ∫ (1 + r)^−t dt, band by band.

    For converting a lump sum to an annual equivalent; yearly figures are discounted in whole years instead.

    >>> from simcare.files import load_model
    >>> annuity(load_model("mm-infinity").prices, 10)
    10.0
    """
    bands = [(float(band.from_year), band.per_year.value) for band in prices.discount if band.from_year < years]
    worth, value = 1.0, 0.0
    for (start, rate), (end, _) in pairwise([*bands, (years, 0.0)]):
        force = math.log1p(rate)
        length = end - start
        value += worth * (-math.expm1(-force * length) / force if force else length)
        worth *= math.exp(-force * length)
    return value


def with_indices(periods: pl.DataFrame, model: Model) -> pl.DataFrame:
    """The calendar with ``growth`` (base-year prices to cash), ``deflator`` (cash to real) and ``discount`` (real to present value)."""
    prices, first = model.prices, int(periods["first_year"][0])
    since = pl.col("first_year") - base_year(prices)
    factors = {year: discount_factor(prices, year - first) for year in periods["first_year"].unique().to_list()}
    return periods.with_columns(
        ((1.0 + prices.growth_per_year.value) ** since).alias("growth"),
        ((1.0 + prices.inflation_per_year.value) ** -since).alias("deflator"),
        pl.col("first_year").replace_strict(factors, return_dtype=pl.Float64).alias("discount"),
    )


def care_prices(model: Model, periods: pl.DataFrame) -> pl.DataFrame:
    """What a day of care costs, in base-year prices, by service, provider and period. Columns: service, provider, period, price.

    The terms of a contract add up. Raises BadInput where a provider offers one service under two contracts.
    """
    contracts = {contract.name: contract for contract in model.contracts}
    rows: dict[tuple[str, str], list[float]] = {}
    for i, provider in enumerate(model.providers):
        for k, offer in enumerate(provider.offers):
            if (offer.service, provider.name) in rows:
                raise BadInput(f"providers[{i}].offers[{k}].service: '{provider.name}' offers '{offer.service}' twice; the price would be unclear")
            terms = contracts[offer.contract].terms
            rows[offer.service, provider.name] = [sum(term.price.at(date) / term.days for term in terms) for date in periods["date"]]
    frames = [periods.select(pl.lit(s).alias("service"), pl.lit(p).alias("provider"), "period", pl.Series("price", prices)) for (s, p), prices in rows.items()]
    return pl.concat(frames)


def payers(model: Model) -> pl.DataFrame:
    """Who pays for a service: service, client_share, health_share; the council pays the rest."""
    services = model.services
    return pl.DataFrame(
        {
            "service": [s.name for s in services],
            "health_share": [0.0 if s.health_share is None else s.health_share.value for s in services],
            "client_share": [0.0 if s.client_share is None else s.client_share.value for s in services],
        }
    )


def care_cost(served_days: pl.DataFrame, model: Model, periods: pl.DataFrame) -> pl.DataFrame:
    """Person-days in services, priced. Columns: strategy, replication, place, period, kind ("care"), price_cost.
    """
    ...
