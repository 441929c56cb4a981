"""Money: what care, assessments, reviews, delays in hospital, transitions and programmes cost, who pays, and what it is
worth today.

Prices stand in the prices of the model's base year. Cash of a day is the price in force on that day, times growth,
which is applied in one step each 1 April; real is cash without general inflation, also in steps from the base year:

    cash = price × (1 + growth) ^ (financial year − base year)
    real = cash ÷ (1 + inflation) ^ (financial year − base year)
    present value = real × Π over years 1..y of 1 ÷ (1 + r), y = 0 in the first year of the run (undiscounted)

with r the banded social time preference rate (HM Treasury, The Green Book, annex on discounting: 3.5 % to year 30,
3.0 % from year 31, 2.5 % from year 76). The calendar is cut at every date on which a price changes, so a change in the
middle of a month is exact.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping

import numpy as np
import polars as pl
from numpy.typing import NDArray

from simcare.errors import BrokenInvariant
from simcare.log.periods import period_of, total
from simcare.log.states import IDS, PERSON, PLACE, RUN, differs
from simcare.log.tallies import Tallies
from simcare.model import Model
from simcare.model.fields import Programme
from simcare.model.market import Voluntary
from simcare.model.number import DatedNumber
from simcare.money.discounting import base_year, discount_factor
from simcare.money.payments import SUMS, blocks, spell_sums, tariff_dates
from simcare.money.provider_accounts import with_drift, with_failures
from simcare.units import ramp_steps

AMOUNTS = ("cost", "cost_council", "cost_health", "cost_client", "cost_real", "cost_pv")


def price_dates(model: Model) -> set[dt.date]:
    """Every date on which a price, a fee or the spending on a programme changes."""
    fees = [fee for door in model.front_door for fee in (door.gbp_per_assessment, door.gbp_per_review)]
    others = [hospital.gbp_per_delayed_day for hospital in model.hospitals] + [
        handover.gbp_supported for handover in model.handovers
    ]
    helped = [row.people_per_year for row in model.voluntary]
    steps = {
        step.from_
        for series in (*fees, *others, *helped)
        if series is not None
        for step in series.steps
        if step.from_ is not None
    }
    return (
        steps
        | tariff_dates(model)
        | {failure.on for failure in model.failures}
        | {date for programme in model.programmes for date, _ in ramp_steps(programme.start, programme.ramp_days)}
    )


def with_indices(periods: pl.DataFrame, model: Model) -> pl.DataFrame:
    """The calendar with ``growth`` (base-year prices to cash), ``deflator`` (cash to real) and ``discount`` (real to
    present value)."""
    prices, first = model.prices, int(periods["first_year"][0])
    since = pl.col("first_year") - base_year(prices)
    factors = {year: discount_factor(prices, year - first) for year in periods["first_year"].unique().to_list()}
    return periods.with_columns(
        ((1.0 + prices.growth_per_year.value) ** since).alias("growth"),
        ((1.0 + prices.inflation_per_year.value) ** -since).alias("deflator"),
        pl.col("first_year").replace_strict(factors, return_dtype=pl.Float64).alias("discount"),
    )


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


def care(
    days: pl.DataFrame,
    model: Model,
    periods: pl.DataFrame,
    prices: pl.DataFrame,
    aged: pl.DataFrame | None = None,
    market: pl.DataFrame | None = None,
) -> pl.DataFrame:
    """Person-days in services at the price in force. Columns: IDS, period, gbp (base-year prices), health_share,
    client_share.

    ``prices`` are those of :func:`simcare.money.payments.day_prices`. ``aged`` are those of the days that come after
    each band's first day of the stay (:func:`simcare.money.payments.bands`), with a column band; ``market`` says how
    prices have drifted
    (:func:`simcare.money.provider_accounts.with_drift`). Raises BrokenInvariant where somebody was in a service that no
    provider of the model offers under that name.
    """
    first = days.select(*IDS, pl.lit(0, dtype=pl.Int64).alias("band"), "period", "days")
    every = first if aged is None else pl.concat([first, aged.select(first.columns)])
    kinds = [pl.col(name).cast(every.schema[name], strict=False) for name in ("service", "provider")]
    known = prices.with_columns(kinds).drop_nulls()
    priced = every.join(known, on=["service", "provider", "band", "period"], how="left", maintain_order="left")
    missing = priced.filter(pl.col("price").is_null())
    if missing.height:
        raise BrokenInvariant(
            f"the log has people in '{missing['service'][0]}' of '{missing['provider'][0]}', which the model does not"
            " offer"
        )
    gbp = pl.col("days") * pl.col("price")
    if market is not None and market.height:
        priced = with_drift(priced, market, periods)
        gbp = gbp * pl.col("drift")
    return with_payers(priced.with_columns(gbp.alias("gbp")), model)


def with_payers(costs: pl.DataFrame, model: Model) -> pl.DataFrame:
    """Costs of services with who pays: IDS, period, gbp, health_share, client_share."""
    shares = payers(model).with_columns(pl.col("service").cast(costs.schema["service"], strict=False)).drop_nulls()
    return costs.join(shares, on="service", how="left", maintain_order="left").select(
        *IDS, "period", "gbp", "health_share", "client_share"
    )


def spot(
    spot_days: pl.DataFrame,
    model: Model,
    periods: pl.DataFrame,
    prices: pl.DataFrame,
    market: pl.DataFrame | None = None,
) -> pl.DataFrame:
    """What places bought beyond the number cost on top of the price of a stay's first day, paid like care: the premium
    of the provider's offer, and with a provider that has failed, the premium of the last resort.

    Columns: IDS, period, gbp (base-year prices), health_share, client_share. An offer without a premium costs nothing
    on top, though a cut may leave people there beyond its number.
    """
    premiums = {
        (o.service, p.name): o.spot_premium.value
        for p in model.providers
        for o in p.offers
        if o.spot_premium is not None
    }
    rows = [(service, provider, premium) for (service, provider), premium in premiums.items()]
    table = pl.DataFrame(
        rows, schema={"service": pl.String, "provider": pl.String, "premium": pl.Float64}, orient="row"
    )
    table = table.with_columns(
        [pl.col(name).cast(spot_days.schema[name], strict=False) for name in ("service", "provider")]
    ).drop_nulls()
    dear = care(spot_days, model, periods, prices, market=market).join(
        table, on=["service", "provider"], how="left", maintain_order="left"
    )
    premium = pl.col("premium").fill_null(0.0)
    if market is not None and model.market is not None and market.height:
        dear = with_failures(dear, market, periods)
        premium = pl.when("failed").then(model.market.last_resort_premium.value).otherwise(premium)
    return (
        dear.with_columns(pl.col("gbp") * premium)
        .filter(pl.col("gbp") != 0)
        .select(*IDS, "period", "gbp", "health_share", "client_share")
    )


def _charged(
    counted: pl.DataFrame,
    value: str,
    rates: Iterable[tuple[str, str, DatedNumber]],
    model: Model,
    periods: pl.DataFrame,
) -> pl.DataFrame:
    """What counts or days cost at the rate of the stage and group in force in the period.

    ``rates`` are stage, group and amount; cells without one cost nothing. Columns: strategy, replication, area, stage,
    group, period, gbp (base-year prices).
    """
    keys = (*RUN, "area", "stage", "group", "period")
    dates = periods.select("period", "date").rows()
    rows = [(stage, group, period, series.at(date)) for stage, group, series in rates for period, date in dates]
    table = pl.DataFrame(
        rows, schema={"stage": pl.String, "group": pl.String, "period": pl.Int64, "rate": pl.Float64}, orient="row"
    )
    table = table.with_columns(
        [pl.col(name).cast(counted.schema[name], strict=False) for name in ("stage", "group")]
    ).drop_nulls()
    charged = total(counted, keys, [value]).join(
        table, on=["stage", "group", "period"], how="inner", maintain_order="left"
    )
    return charged.select(*keys, (pl.col(value) * pl.col("rate")).alias("gbp"))


def fees(counted: pl.DataFrame, model: Model, periods: pl.DataFrame, measure: str) -> pl.DataFrame:
    """What "assessments" or "reviews" cost at the fee of the stage's front door.

    Columns: strategy, replication, area, stage, group, period, gbp (base-year prices). Stages without a fee cost
    nothing.
    """
    rates = [
        (stage, group.name, series)
        for door in model.front_door
        if (series := door.gbp_per_assessment if measure == "assessments" else door.gbp_per_review) is not None
        for stage in door.stages or [stage.name for stage in model.stages]
        for group in model.groups
    ]
    return _charged(counted.filter(pl.col("measure") == measure), "value", rates, model, periods)


def delays(delayed_days: pl.DataFrame, model: Model, periods: pl.DataFrame) -> pl.DataFrame:
    """What days in hospital cost on which people are ready to leave: all of it the health partner's.

    Columns: strategy, replication, area, stage, group, period, gbp (base-year prices), health_share.
    """
    rates = [
        (stage, group, hospital.gbp_per_delayed_day)
        for hospital in model.hospitals
        if hospital.gbp_per_delayed_day is not None
        for stage in hospital.stages or [stage.name for stage in model.stages]
        for group in hospital.groups or [group.name for group in model.groups]
    ]
    return _charged(delayed_days, "days", rates, model, periods).with_columns(pl.lit(1.0).alias("health_share"))


def transition_prices(model: Model, periods: pl.DataFrame) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The ages of all hand-overs, and what a supported transition costs (base-year prices) by age, group and period.

    Groups are in the model's order. A transition belongs to the hand-over whose age is nearest to the client's
    (birthdays go by the calendar, so ages in years are a day or so off), of the group in which the client was before
    it.
    """
    ages = sorted({handover.age for handover in model.handovers})
    groups = [group.name for group in model.groups]
    prices = np.zeros((len(ages), len(groups), periods.height))
    for handover in model.handovers:
        if handover.gbp_supported is not None:
            for group in handover.groups or groups:
                prices[ages.index(handover.age), groups.index(group)] = [
                    handover.gbp_supported.at(date) for date in periods["date"]
                ]
    return np.array(ages, np.float64), prices


def transitions(log: pl.DataFrame, model: Model, periods: pl.DataFrame) -> pl.DataFrame:
    """What supported transitions cost. Columns: strategy, replication, area, stage, group, period, gbp (base-year
    prices).

    The row ``transition`` stands after what the birthday changed, and is booked to the stage and group that it has. The
    price is that of the group before (:func:`transition_prices`): if a row ``handover`` of the same moment comes
    before, the group before that.
    """
    keys = (*RUN, "area", "stage", "group", "period")
    ages, prices = transition_prices(model, periods)
    event, came = pl.col("event"), pl.when(~differs(*PERSON)).then(pl.col("group").shift()).alias("came_from")
    turned = log.clear().with_columns(came)
    if prices.any() and (log["event"] == "transition").any():
        turned = log.with_columns(came).filter(event.is_in(("handover", "transition")))
    at_once = ~differs(*PERSON, "time") & (event.shift() == "handover")
    before = (
        pl.when(at_once).then(pl.col("came_from").shift()).otherwise(pl.col("group")).cast(pl.String).alias("before")
    )
    taken = turned.with_columns(before).filter((event == "transition") & (pl.col("cause") == "supported"))
    period = period_of(taken["time"].to_numpy(), periods)
    taken = taken.with_columns(pl.Series("period", period, dtype=pl.Int64)).filter(
        pl.Series(period < periods.height, dtype=pl.Boolean)
    )
    gbp = np.zeros(0)
    if taken.height:
        age = np.abs(taken["age"].to_numpy()[:, None] - ages).argmin(axis=1)
        groups = {group.name: k for k, group in enumerate(model.groups)}
        group = np.array([groups[name] for name in taken["before"]])
        gbp = prices[age, group, taken["period"].to_numpy()]
    return total(taken.with_columns(pl.Series("gbp", gbp, dtype=pl.Float64)), keys, ["gbp"])


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


def _help(row: Voluntary, periods: pl.DataFrame) -> pl.DataFrame:
    """What a voluntary sector's help costs in each period, spread evenly over each year. Columns: period, gbp
    (base-year prices)."""
    each = 0.0 if row.gbp_per_person is None else row.gbp_per_person.value
    yearly = pl.Series([each * row.people_per_year.at(date) for date in periods["date"]], dtype=pl.Float64)
    return periods.select(
        "period", (yearly * (pl.col("to_day") - pl.col("from_day")) / pl.col("year_days")).alias("gbp")
    )


def programmes(runs: pl.DataFrame, model: Model, periods: pl.DataFrame) -> pl.DataFrame:
    """What the programmes and the voluntary sector cost, in each of these strategies and replications: strategy,
    replication, stage, period, gbp."""
    schema = {"stage": pl.String, "period": pl.Int64, "gbp": pl.Float64}
    stages = [pl.lit(programme.stage, dtype=pl.String).alias("stage") for programme in model.programmes]
    spent = [
        spending(programme, periods).select(stage, "period", "gbp")
        for programme, stage in zip(model.programmes, stages, strict=True)
    ]
    for row in model.voluntary:
        stage = row.stages[0] if row.stages is not None and len(row.stages) == 1 else None
        spent.append(_help(row, periods).select(pl.lit(stage, dtype=pl.String).alias("stage"), "period", "gbp"))
    return runs.join(pl.concat([pl.DataFrame(schema=schema), *spent]), how="cross", maintain_order="left_right")


def ledger_rows(base: pl.DataFrame, kind: str, model: Model, periods: pl.DataFrame) -> pl.DataFrame:
    """Base-year pounds by period, as rows of the ledger: cash, who pays, real and present value, by month."""
    indices = with_indices(periods, model).select("period", "month", "growth", "deflator", "discount")
    shares = [
        pl.col(name) if name in base.columns else pl.lit(0.0).alias(name) for name in ("health_share", "client_share")
    ]
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
    place = [
        pl.col(name).cast(pl.String) if name in keys else pl.lit(None, dtype=pl.String).alias(name)
        for name in ("strategy", *PLACE)
    ]
    return summed.with_columns(place).select(*IDS, "month", pl.lit(kind).alias("kind"), *AMOUNTS)


def ledger(paid: Mapping[str, pl.DataFrame], tallies: Tallies, model: Model, periods: pl.DataFrame) -> pl.DataFrame:
    """Every pound, by month, place and kind (care, block, episode, step_down, clawback, spot, assessment, review,
    hospital, transition, programme).

    ``periods`` is the calendar of the tallies, cut at :func:`price_dates`; ``paid`` is what providers are paid
    (:func:`contract_costs`). What contracts pay (care by the day, blocks,
    sums for stays and for step-downs, less what is taken back), and what places beyond the number cost on top (spot),
    carry the whole place; assessments, reviews, delayed days in hospital and transitions carry area, stage and group;
    programmes carry their stage, if they have one. Clients and health pay their shares of a service, health pays for
    delays in hospital; the council pays the rest, and sums for step-downs alone.
    Columns: IDS, month, kind, then the amounts: cost (cash) = cost_council + cost_health + cost_client; cost_real;
    cost_pv.
    """

    def days(measure: str) -> pl.DataFrame:
        return tallies.given.filter(pl.col("measure") == measure)

    base = {
        **paid,
        "assessment": fees(tallies.counted, model, periods, "assessments"),
        "review": fees(tallies.counted, model, periods, "reviews"),
        "hospital": delays(days("delayed_days"), model, periods),
        "transition": tallies.transitions,
        "programme": programmes(tallies.runs, model, periods),
    }
    return pl.concat([ledger_rows(gbp, kind, model, periods) for kind, gbp in base.items()])


def contract_costs(
    tallies: Tallies, model: Model, periods: pl.DataFrame, prices: pl.DataFrame
) -> dict[str, pl.DataFrame]:
    """What providers are paid, by kind: days, blocks, sums for stays and step-downs less what is taken back, places
    beyond the number.

    Each with IDS, period, gbp (base-year prices), and the shares of payers other than the council, if there are any.
    """
    aged = tallies.aged.filter(pl.col("measure") == "served")
    paid = spell_sums(tallies.spells, model, periods)
    by_kind = {kind: paid.filter(pl.col("kind") == kind).drop("kind") for kind in SUMS}
    spot_days = tallies.given.filter(pl.col("measure") == "spot_days")
    return {
        "care": care(tallies.served, model, periods, prices, aged, tallies.market),
        "block": with_payers(blocks(tallies.served, tallies.runs, model, periods), model),
        "episode": with_payers(by_kind["episode"], model),
        "step_down": by_kind["step_down"],
        "clawback": by_kind["clawback"],
        "spot": spot(spot_days, model, periods, prices, tallies.market),
    }
