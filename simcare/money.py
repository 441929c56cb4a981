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
from itertools import pairwise

import polars as pl

from simcare.errors import BrokenInvariant
from simcare.model import Model
from simcare.model.model import Programme
from simcare.model.parts import Prices
from simcare.model.strategy import ramp_steps
from simcare.periods import first_year, period_of, total, year_name
from simcare.states import IDS, PLACE, RUN, differs

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
    return math.prod((1.0 / (1.0 + rate) for rate in rates), start=1.0)


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

    The terms of a contract add up.
    """
    contracts = {contract.name: contract for contract in model.contracts}
    rows: dict[tuple[str, str], list[float]] = {}
    for provider in model.providers:
        for offer in provider.offers:
            terms = contracts[offer.contract].terms
            rows[offer.service, provider.name] = [sum(term.price.at(date) / term.days for term in terms) for date in periods["date"]]
    columns = {"service": [s for s, _ in rows], "provider": [p for _, p in rows], "period": [periods["period"].to_list()] * len(rows)}
    return pl.DataFrame({**columns, "price": list(rows.values())}).explode("period", "price")


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


def care(served_days: pl.DataFrame, model: Model, periods: pl.DataFrame) -> pl.DataFrame:
    """Person-days in services at the price in force. Columns: IDS, period, gbp (base-year prices), health_share, client_share.

    Raises BrokenInvariant where somebody was in a service that no provider of the model offers under that name.
    """
    kinds = [pl.col(name).cast(served_days.schema[name], strict=False) for name in ("service", "provider")]
    prices = care_prices(model, periods).with_columns(kinds).drop_nulls()
    priced = served_days.join(prices, on=["service", "provider", "period"], how="left", maintain_order="left")
    missing = priced.filter(pl.col("price").is_null())
    if missing.height:
        raise BrokenInvariant(f"the log has people in '{missing['service'][0]}' of '{missing['provider'][0]}', which the model does not offer")
    shares = payers(model).with_columns(kinds[0]).drop_nulls()
    return priced.join(shares, on="service", how="left", maintain_order="left").select(
        *IDS, "period", (pl.col("days") * pl.col("price")).alias("gbp"), "health_share", "client_share"
    )


def fees(log: pl.DataFrame, model: Model, periods: pl.DataFrame, event: str) -> pl.DataFrame:
    """What events of one kind cost at the fee of the stage's front door on their day: "assessed" or "review".

    Columns: strategy, replication, area, stage, group, period, gbp (base-year prices). Stages without a fee cost nothing.
    """
    dated = log.filter(pl.col("event") == event).select(*RUN, "area", "stage", "group", "time")
    dated = dated.with_columns(pl.Series("period", period_of(dated["time"].to_numpy(), periods)))
    keys = (*RUN, "area", "stage", "group", "period")
    counted = dated.group_by(keys).len("events").sort(keys)
    stages = [stage.name for stage in model.stages]
    rows = [
        (stage, period, series.at(date))
        for door in model.front_door
        if (series := door.gbp_per_assessment if event == "assessed" else door.gbp_per_review) is not None
        for stage in door.stages or stages
        for period, date in zip(periods["period"], periods["date"], strict=True)
    ]
    table = pl.DataFrame(rows, schema={"stage": pl.String, "period": pl.Int64, "fee": pl.Float64}, orient="row")
    table = table.with_columns(pl.col("stage").cast(log.schema["stage"], strict=False)).drop_nulls()
    charged = counted.join(table, on=["stage", "period"], how="inner", maintain_order="left")
    return charged.select(*keys, (pl.col("events") * pl.col("fee")).alias("gbp"))


def spending(programme: Programme, periods: pl.DataFrame) -> pl.DataFrame:
    """What a programme spends in each period of a calendar cut at its dates. Columns: period, gbp (base-year prices).

    ``gbp_per_year`` is spread evenly over the days of each financial year, so that a full year costs just that, leap
    year or not; during the ramp, the share in force. ``one_off_gbp`` falls on the start date, if the run covers it.
    """
    yearly = 0.0 if programme.gbp_per_year is None else programme.gbp_per_year.value
    once = 0.0 if programme.one_off_gbp is None else programme.one_off_gbp.value
    ramp = ramp_steps(programme.start, programme.ramp_days)
    share = [max((share for date, share in ramp if date <= day), default=0.0) for day in periods["date"]]
    even = yearly * pl.Series(share) * (pl.col("to_day") - pl.col("from_day")) / pl.col("year_days")
    one_off = pl.when(pl.col("date") == programme.start).then(once).otherwise(0.0)
    return periods.select("period", (even + one_off).alias("gbp"))


def programmes(log: pl.DataFrame, model: Model, periods: pl.DataFrame) -> pl.DataFrame:
    """What the programmes cost, in each strategy and replication of the log. Columns: strategy, replication, stage, period, gbp."""
    runs = log.filter(differs(*RUN)).select(RUN).unique().sort(RUN)
    schema = {"stage": pl.String, "period": pl.Int64, "gbp": pl.Float64}
    stages = [pl.lit(programme.stage, dtype=pl.String).alias("stage") for programme in model.programmes]
    spent = [spending(programme, periods).select(stage, "period", "gbp") for programme, stage in zip(model.programmes, stages, strict=True)]
    return runs.join(pl.concat([pl.DataFrame(schema=schema), *spent]), how="cross", maintain_order="left_right")


def priced(base: pl.DataFrame, kind: str, model: Model, periods: pl.DataFrame) -> pl.DataFrame:
    """Base-year pounds by period, as rows of the ledger: cash, who pays, real and present value, by month."""
    indices = with_indices(periods, model).select("period", "month", "growth", "deflator", "discount")
    shares = [pl.col(name) if name in base.columns else pl.lit(0.0).alias(name) for name in ("health_share", "client_share")]
    dated = base.with_columns(shares).join(indices, on="period", how="inner", maintain_order="left")
    cash = dated.with_columns((pl.col("gbp") * pl.col("growth")).alias("cost"))
    amounts = cash.with_columns(
        (pl.col("cost") * (1.0 - (pl.col("health_share") + pl.col("client_share")))).alias("cost_council"),
        (pl.col("cost") * pl.col("health_share")).alias("cost_health"),
        (pl.col("cost") * pl.col("client_share")).alias("cost_client"),
        (pl.col("cost") * pl.col("deflator")).alias("cost_real"),
        (pl.col("cost") * pl.col("deflator") * pl.col("discount")).alias("cost_pv"),
    )
    keys = [name for name in (*IDS, "month") if name in amounts.columns]
    summed = total(amounts, keys, AMOUNTS)
    place = [pl.col(name).cast(pl.String) if name in keys else pl.lit(None, dtype=pl.String).alias(name) for name in ("strategy", *PLACE)]
    return summed.with_columns(place).select(*IDS, "month", pl.lit(kind).alias("kind"), *AMOUNTS)


def ledger(served_days: pl.DataFrame, log: pl.DataFrame, model: Model, periods: pl.DataFrame) -> pl.DataFrame:
    """Every pound, by month, place and kind (care, assessment, review, programme).

    ``served_days`` are person-days in services over ``periods``, a calendar cut at :func:`price_dates`. Care carries the
    whole place; assessments and reviews carry area, stage and group; programmes carry their stage, if they have one.
    Clients and health pay their shares of a service; the council pays the rest, and everything that is not care.
    Columns: IDS, month, kind, then the amounts: cost (cash) = cost_council + cost_health + cost_client; cost_real; cost_pv.
    """
    return pl.concat(
        [
            priced(care(served_days, model, periods), "care", model, periods),
            priced(fees(log, model, periods, "assessed"), "assessment", model, periods),
            priced(fees(log, model, periods, "review"), "review", model, periods),
            priced(programmes(log, model, periods), "programme", model, periods),
        ]
    )


def by_year(measures: pl.DataFrame) -> pl.DataFrame:
    """Cost by financial year from the tidy measures, over everything. Columns: strategy, replication, financial_year, then the amounts.

    Every strategy and replication has a row for every financial year of the frame; what is absent is nought.

    >>> rows = {"strategy": "baseline", "replication": 0, "month": ["2014-03", "2014-04"], "measure": "cost", "value": [10.0, 20.0]}
    >>> by_year(pl.DataFrame(rows)).select("financial_year", "cost").rows()
    [('2013/14', 10.0), ('2014/15', 20.0)]
    """
    amounts = measures.filter(pl.col("measure").is_in(AMOUNTS)).select(*RUN, "month", "measure", "value")
    months = measures.select(pl.col("month").unique())
    dates = months["month"].cast(pl.String) + "-01"
    years = months.with_columns(pl.Series("financial_year", [year_name(first_year(date)) for date in dates.str.to_date()], dtype=pl.String))
    dated = amounts.join(years, on="month", maintain_order="left")
    keys = (*RUN, "financial_year")
    grid = measures.select(RUN).unique().sort(RUN).join(years.select("financial_year").unique().sort("financial_year"), how="cross")
    for amount in AMOUNTS:
        summed = total(dated.filter(pl.col("measure") == amount).rename({"value": amount}), keys, [amount])
        grid = grid.join(summed, on=keys, how="left", maintain_order="left").with_columns(pl.col(amount).fill_null(0.0))
    return grid


def present_value(measures: pl.DataFrame) -> pl.DataFrame:
    """Cost of the whole run by strategy and replication: strategy, replication, then the amounts; cost_pv is the present value.

    >>> rows = {"strategy": "baseline", "replication": 0, "month": ["2013-04", "2014-04"], "measure": "cost_pv", "value": [10.0, 9.5]}
    >>> present_value(pl.DataFrame(rows))["cost_pv"].to_list()
    [19.5]
    """
    return total(by_year(measures), RUN, AMOUNTS)
