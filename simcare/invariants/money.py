"""Money: payers pay the whole cost, and the ledger is what whole stays cost against a price line."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from simcare.errors import BrokenInvariant
from simcare.invariants.compare import ABSOLUTE, RELATIVE, same, sum_of
from simcare.log.periods import calendar, total
from simcare.log.spells import spells as spells_of
from simcare.log.states import GONE, PERSON, RUN, differs
from simcare.model import Model
from simcare.model.capacity import Offer
from simcare.model.fields import Programme
from simcare.model.market import Voluntary
from simcare.model.number import DatedNumber
from simcare.model.offers import contract_on, tariff_starts
from simcare.money.discounting import discount_factor
from simcare.money.payments import bands, block_lines, offers_of, spell_sums, tariff_dates, tariffs_held, with_sums
from simcare.money.yearly import by_year
from simcare.units import days_in_year, first_year, parsed_year, ramp_steps, year_name, year_start


def payers_add_up(measures: pl.DataFrame, model: Model) -> None:
    """Council, health and client pay the whole cost between them, in every month; no value is no number, and none is
    below zero but for what is taken back."""
    taken = any(row.tariff.backs or min(row.tariff.rates) < 0 for row in tariffs_held(model))
    name = pl.col("measure").cast(pl.String)
    may_fall = name.str.starts_with("cost") | name.str.starts_with("provider_") if taken else pl.lit(False)
    below = measures.filter(~(pl.col("value").is_finite() & ((pl.col("value") >= 0) | may_fall)))
    if below.height:
        row = below.row(0, named=True)
        raise BrokenInvariant(
            f"{row['measure']} is {row['value']!r} in {row['month']}, replication {row['replication']}"
        )
    keys = (*RUN, "month")
    paid = measures.filter(pl.col("measure").is_in(("cost_council", "cost_health", "cost_client")))
    same(total(paid, keys, ["value"]), sum_of(measures, "cost", keys), keys, "what the payers pay, and the cost")


class PriceLine(NamedTuple):
    """A price over time: £ a day from each day in ``since`` on, and the pounds that one place has cost by then."""

    since: NDArray[np.float64]
    rate: NDArray[np.float64]
    spent: NDArray[np.float64]

    def by(self, day: NDArray[np.float64]) -> NDArray[np.float64]:
        """Pounds from day 0 to each of these days."""
        k = np.searchsorted(self.since, day, side="right") - 1
        return self.spent[k] + self.rate[k] * (day - self.since[k])

    def times(self, share: float) -> PriceLine:
        """The line of a share of the price."""
        return PriceLine(self.since, self.rate * share, self.spent * share)

    def on(self, day: NDArray[np.float64]) -> NDArray[np.float64]:
        """The rate in force on each of these days."""
        return self.rate[np.searchsorted(self.since, day, side="right") - 1]


def line(model: Model, days: float, price: Callable[[dt.date], float], changes: Sequence[dt.date | None]) -> PriceLine:
    """The cash line of a base-year price that changes on certain dates; growth steps on every 1 April."""
    start, prices = model.about.start, model.prices
    aprils = [year_start(year) for year in range(start.year, start.year + int(days // 365) + 2)]
    dates = sorted(
        {start, *(date for date in (*aprils, *changes) if date is not None and 0 < (date - start).days < days)}
    )
    growth = 1.0 + prices.growth_per_year.value
    rate = np.array([price(date) * growth ** (first_year(date) - parsed_year(prices.base_year)) for date in dates])
    since = np.array([float((date - start).days) for date in dates])
    return PriceLine(since, rate, np.concatenate([[0.0], np.cumsum(rate[:-1] * np.diff(since))]))


class Priced(NamedTuple):
    """What a stay with an offer is paid by the day after so many days of it, on top of what it is paid before."""

    service: str
    provider: str
    after: float
    line: PriceLine


def _care_lines(model: Model, days: float) -> list[Priced]:
    lines = []
    for provider, offer in offers_of(model):
        marks = (0.0, *bands(model).get((offer.service, provider.name), ()))

        def price(date: dt.date, offer: Offer = offer, mark: float = 0.0) -> float:
            contract = contract_on(model, offer, date)
            around = contract.tariff(date).rate(np.array([mark, mark - 0.5] if mark else [0.0]))
            own, growth = contract.index_per_year, model.prices.growth_per_year.value
            years = first_year(date) - parsed_year(model.prices.base_year)
            index = 1.0 if own is None else ((1.0 + own) / (1.0 + growth)) ** years
            return float(around[0] - (around[1] if mark else 0.0)) * index

        dates = tariff_starts(model, offer)
        lines += [
            Priced(offer.service, provider.name, mark, line(model, days, partial(price, mark=mark), dates))
            for mark in marks
        ]
    return lines


def _line_of(series: DatedNumber, model: Model, days: float) -> PriceLine:
    return line(model, days, series.at, [step.from_ for step in series.steps])


def _while(log: pl.DataFrame, what: pl.Expr, days: float, *columns: str) -> pl.DataFrame:
    """The time that each row lasts which is ``what``: PERSON, columns, time, until."""
    following = pl.when(differs(*PERSON).shift(-1).fill_null(True)).then(days).otherwise(pl.col("time").shift(-1))
    return (
        log.with_columns(following.alias("until"))
        .filter(what & ~pl.col("event").is_in(GONE))
        .select(*PERSON, *columns, "time", "until")
    )


def _spot(log: pl.DataFrame, model: Model, days: float) -> list[tuple[PriceLine, pl.DataFrame]]:
    """The time of each client in spot-purchased places, with the line of what these cost on top."""
    premiums = {
        (o.service, p.name): o.spot_premium.value
        for p in model.providers
        for o in p.offers
        if o.spot_premium is not None
    }
    parts = _while(log, pl.col("spot"), days, "service", "provider").partition_by("service", "provider", as_dict=True)
    lines = {
        (priced.service, priced.provider): priced.line for priced in _care_lines(model, days) if priced.after == 0.0
    }
    return [(lines[key].times(premiums[key]), part) for key, part in parts.items() if key in premiums]


def _stays(spells: pl.DataFrame, model: Model, days: float) -> list[tuple[PriceLine, pl.DataFrame]]:
    """The time of each stay from each day of it on which its price is another, with the line of what is paid from there
    on."""
    parts = spells.partition_by("service", "provider", as_dict=True)
    found = []
    for priced in _care_lines(model, days):
        if (part := parts.get((priced.service, priced.provider))) is not None:
            later = pl.max_horizontal("time", pl.col("stay_start") + priced.after).alias("time")
            found.append(
                (
                    priced.line,
                    part.with_columns(later).filter(pl.col("time") < pl.col("until")) if priced.after else part,
                )
            )
    return found


def _sums(log: pl.DataFrame, model: Model, days: float) -> pl.DataFrame:
    """What contracts paid in sums and blocks, in cash: RUN, provider, financial_year, value. A test works them out stay
    by stay."""
    periods = calendar(model.about.start, days, tariff_dates(model))
    offers = pl.DataFrame(with_sums(model), schema={"service": pl.String, "provider": pl.String}, orient="row")
    paid = spell_sums(spells_of(log, offers, days), model, periods).select(*RUN, "provider", "period", "gbp")
    runs = log.filter(differs(*RUN)).select(RUN).unique(maintain_order=True)
    parts = [paid]
    for (_, provider), line in block_lines(model, periods).items():
        name = pl.lit(provider).cast(paid.schema["provider"], strict=False).alias("provider")
        spent = periods.select("period", pl.Series("gbp", line))
        parts.append(runs.join(spent, how="cross").select(*RUN, name, "period", "gbp"))
    growth = pl.lit(1.0 + model.prices.growth_per_year.value).pow(
        pl.col("first_year") - parsed_year(model.prices.base_year)
    )
    years = periods.select("period", "financial_year", growth.alias("growth"))
    dated = pl.concat(parts).join(years, on="period", how="left", maintain_order="left")
    return total(
        dated.with_columns((pl.col("gbp") * pl.col("growth")).alias("value")),
        (*RUN, "provider", "financial_year"),
        ["value"],
    )


def _delays(log: pl.DataFrame, model: Model, days: float) -> pl.DataFrame:
    """What each wait in hospital of someone ready to leave costs: PERSON, gbp."""
    late = _while(log, pl.col("hospital") == "ready", days, "stage", "group")
    parts = [late.clear().select(*PERSON, pl.lit(0.0).alias("gbp"))]
    for hospital in model.hospitals:
        if hospital.gbp_per_delayed_day is not None:
            in_stage = (
                pl.lit(True) if hospital.stages is None else pl.col("stage").cast(pl.String).is_in(hospital.stages)
            )
            in_group = (
                pl.lit(True) if hospital.groups is None else pl.col("group").cast(pl.String).is_in(hospital.groups)
            )
            mine, price = late.filter(in_stage & in_group), _line_of(hospital.gbp_per_delayed_day, model, days)
            parts.append(
                mine.select(
                    *PERSON, pl.Series("gbp", price.by(mine["until"].to_numpy()) - price.by(mine["time"].to_numpy()))
                )
            )
    return pl.concat(parts)


def _transitions(log: pl.DataFrame, model: Model, days: float) -> pl.DataFrame:
    """What each supported transition costs, read row by row: PERSON, gbp."""
    if not any(handover.gbp_supported for handover in model.handovers):
        return log.clear().select(*PERSON, pl.lit(0.0).alias("gbp"))
    people = log.filter((pl.col("event") == "transition") & (pl.col("time") < days)).select(PERSON).unique()
    rows, found = log.join(people, on=PERSON, how="semi", maintain_order="left"), []
    before, came_from, at, key = "", "", -1.0, None
    for row in rows.select(*PERSON, "time", "event", "cause", "group", "age").rows(named=True):
        if (who := tuple(row[name] for name in PERSON)) != key:
            key, at = who, -1.0
        if row["event"] == "handover":
            came_from, at = before, row["time"]
        elif row["event"] == "transition" and row["cause"] == "supported" and row["time"] < days:
            group = came_from if at == row["time"] else row["group"]
            mine = [handover for handover in model.handovers if handover.groups is None or group in handover.groups]
            price = min(mine, key=lambda handover: abs(handover.age - row["age"])).gbp_supported
            gbp = 0.0 if price is None else float(_line_of(price, model, days).on(np.array([row["time"]]))[0])
            found.append((*key, gbp))
        before = row["group"]
    schema: dict[str, pl.DataType] = {**{name: log.schema[name] for name in PERSON}, "gbp": pl.Float64()}
    return pl.DataFrame(found, schema=schema, orient="row")


def _fees(log: pl.DataFrame, model: Model, days: float) -> pl.DataFrame:
    """Each assessment and review with its fee on its day: PERSON, time, gbp."""
    parts = []
    for door in model.front_door:
        stages = door.stages or [stage.name for stage in model.stages]
        for event, series in (("assessed", door.gbp_per_assessment), ("review", door.gbp_per_review)):
            if series is not None:
                held = log.filter(
                    (pl.col("event") == event) & pl.col("stage").cast(pl.String).is_in(stages) & (pl.col("time") < days)
                ).select(*PERSON, "time")
                fee = _line_of(series, model, days).on(held["time"].to_numpy())
                parts.append(held.with_columns(pl.Series("gbp", fee)))
    return pl.concat(parts) if parts else log.clear().select(*PERSON, "time", pl.lit(0.0).alias("gbp"))


def programme_cash(programme: Programme, model: Model, days: float) -> float:
    """What a programme spends over the whole run."""
    yearly = 0.0 if programme.gbp_per_year is None else programme.gbp_per_year.value
    once = 0.0 if programme.one_off_gbp is None else programme.one_off_gbp.value
    ramp = ramp_steps(programme.start, programme.ramp_days)

    def a_day(date: dt.date) -> float:
        return (
            yearly
            * max((share for since, share in ramp if since <= date), default=0.0)
            / days_in_year(first_year(date))
        )

    spent = float(line(model, days, a_day, [date for date, _ in ramp]).by(np.array([days]))[0])
    day = (programme.start - model.about.start).days
    growth = (1.0 + model.prices.growth_per_year.value) ** (
        first_year(programme.start) - parsed_year(model.prices.base_year)
    )
    return spent + (once * growth if 0 <= day < days else 0.0)


def _help_cash(row: Voluntary, model: Model, days: float) -> float:
    """What the voluntary sector is paid over the whole run."""
    each = 0.0 if row.gbp_per_person is None else row.gbp_per_person.value

    def a_day(date: dt.date) -> float:
        return each * row.people_per_year.at(date) / days_in_year(first_year(date))

    return float(line(model, days, a_day, [step.from_ for step in row.people_per_year.steps]).by(np.array([days]))[0])


def money_adds_up(log: pl.DataFrame, spells: pl.DataFrame, measures: pl.DataFrame, model: Model, days: float) -> None:
    """Cost of the ledger = Σ by client (whole stays, fees, delays, transitions), sums and programmes = Σ by provider =
    Σ by financial year."""
    extra = _sums(log, model, days)
    care, by_the_year = _care(log, spells, model, days)
    each = _by_client(care, log, model, days)
    runs = log.filter(differs(*RUN)).select(RUN).unique()
    beside = [
        *(programme_cash(p, model, days) for p in model.programmes),
        *(_help_cash(row, model, days) for row in model.voluntary),
    ]
    programmes = runs.with_columns(pl.lit(math.fsum(beside)).alias("value"))
    same(
        total(pl.concat([each.drop("client"), programmes, extra.select(*RUN, "value")]), RUN, ["value"]),
        sum_of(measures, "cost", RUN),
        RUN,
        "the cost by client, and the ledger",
    )
    priced = measures.filter((pl.col("measure") == "cost") & pl.col("service").is_not_null())
    by_provider = (*RUN, "provider")
    with_extra = pl.concat([care.select(*by_provider, "value"), extra.select(*by_provider, "value")])
    same(
        total(with_extra, by_provider, ["value"]),
        total(priced, by_provider, ["value"]),
        by_provider,
        "the cost of whole stays, and the ledger",
    )
    keys = (*RUN, "financial_year")
    yearly = by_year(priced).select(*keys, pl.col("cost").alias("value"))
    within = pl.concat([by_the_year, extra.select(*RUN, "value", "financial_year")])
    same(total(within, keys, ["value"]), yearly, keys, "the cost of stays within a year, and the ledger")
    _real(by_year(measures), model)


def _care(log: pl.DataFrame, spells: pl.DataFrame, model: Model, days: float) -> tuple[pl.DataFrame, pl.DataFrame]:
    """What stays cost: whole ones by client and provider, and what of them falls into each financial year."""
    none = spells.clear().with_columns(pl.lit(0.0).alias("value"))
    parts = [none.select(*PERSON, "provider", "value")]
    spent = [none.select(*RUN, "value", pl.lit("").alias("financial_year"))]
    for price, part in [*_stays(spells, model, days), *_spot(log, model, days)]:
        came, went = part["time"].to_numpy(), part["until"].to_numpy()
        parts.append(part.select(*PERSON, "provider", pl.Series("value", price.by(went) - price.by(came))))
        for year, begin, end in _years(model, days):
            cost = price.by(went.clip(begin, end)) - price.by(came.clip(begin, end))
            summed = total(part.select(*RUN, pl.Series("value", cost)), RUN, ["value"])
            spent.append(summed.with_columns(pl.lit(year_name(year)).alias("financial_year")))
    return pl.concat(parts), pl.concat(spent)


def _by_client(care: pl.DataFrame, log: pl.DataFrame, model: Model, days: float) -> pl.DataFrame:
    """What each client cost: stays, fees, delays in hospital and transitions."""
    others = (_fees(log, model, days), _delays(log, model, days), _transitions(log, model, days))
    parts = (part.select(*PERSON, pl.col("gbp").alias("value")) for part in others)
    return total(pl.concat([care.select(*PERSON, "value"), *parts]), PERSON, ["value"])


def _years(model: Model, days: float) -> list[tuple[int, float, float]]:
    """Each financial year of the run with the days on which it begins and ends there."""
    start = model.about.start
    last = first_year(start + dt.timedelta(days=math.ceil(days) - 1))
    edges = [min(days, float((year_start(year) - start).days)) for year in range(first_year(start) + 1, last + 2)]
    return [(first_year(start) + k, begin, end) for k, (begin, end) in enumerate(pairwise([0.0, *edges]))]


def _real(years: pl.DataFrame, model: Model) -> None:
    """Real cost is cash without inflation since the base year, and present value is real cost times the year's
    factor."""
    prices = model.prices
    for row in years.rows(named=True):
        year = parsed_year(row["financial_year"])
        real = row["cost"] / (1.0 + prices.inflation_per_year.value) ** (year - parsed_year(prices.base_year))
        worth = real * discount_factor(prices, year - first_year(model.about.start))
        for what, value, other in (("real cost", row["cost_real"], real), ("net present value", row["cost_pv"], worth)):
            if not math.isclose(value, other, rel_tol=RELATIVE, abs_tol=ABSOLUTE):
                raise BrokenInvariant(
                    f"{what} of {row['financial_year']}, replication {row['replication']}: {value!r} is not {other!r}"
                )
