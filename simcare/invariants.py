"""What must hold in every run, checked after every replication; where it does not, BrokenInvariant rises.

Checks of the log come first, since the others rest on it. Totals are worked out a second way wherever they are compared:
days from whole stays and from bare events, money from whole stays against a price line instead of the monthly table.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from simcare.errors import BrokenInvariant
from simcare.flows import waits, with_before
from simcare.model import Model
from simcare.model.model import Programme
from simcare.model.parts import PerDiem
from simcare.model.strategy import ramp_steps
from simcare.money import by_year, discount_factor
from simcare.periods import calendar, days_in_year, first_year, total, year_name
from simcare.states import GONE, PERSON, RUN, differs, level, prepare, states, stays

FIRST = ("present", "arrival", "referral")
PLACED = ("start", "move", "end")
NEED_CHANGES = ("rise", "fall", "handover")
RELATIVE, ABSOLUTE = 1e-9, 1e-6  # sums of millions of floats differ in the last digits with their order


def check(log: pl.DataFrame, measures: pl.DataFrame, model: Model, days: float) -> None:
    """Every invariant, of one log and its measures. Returns nothing; raises BrokenInvariant with one sentence on the first fault."""
    log, measures = prepare(log), _slim(measures)
    in_order(log, days)
    lives(log)
    in_place(log, model)
    events_fit(log)
    shown = states(log, days)
    spells = stays(shown)
    stays_once(spells)
    no_negative_wait(log)
    people_add_up(log, shown, measures, model, days)
    little(log, spells, measures, model, days)
    payers_add_up(measures)
    money_adds_up(log, spells, measures, model, days)


def _slim(measures: pl.DataFrame) -> pl.DataFrame:
    """The columns that totals are compared by, their text as enums."""
    text = ("month", "service", "provider", "measure")
    slim = measures.select(*RUN, "month", "service", "provider", "measure", "value")
    return slim.with_columns([pl.col(name).cast(pl.Enum(slim[name].unique().drop_nulls().sort())) for name in text if slim.schema[name] == pl.String])


def _never(faults: pl.DataFrame, sentence: str) -> None:
    """Raise on the first of these rows."""
    if faults.height:
        row = faults.row(0, named=True)
        who = f"strategy '{row['strategy']}', replication {row['replication']}, client {row['client']}, day {row['time']:.6g}"
        raise BrokenInvariant(f"{who}: {sentence.format(**row)}")


def in_order(log: pl.DataFrame, days: float) -> None:
    """Times lie within the run and never go back within a client, and each client's rows stand together."""
    _never(log.filter(~pl.col("time").is_between(0.0, days)), f"a row lies outside the run of {days:g} days")
    first = differs(*PERSON)
    _never(log.filter(~first & (pl.col("time") < pl.col("time").shift())), "time goes back to before this client's row before")
    firsts = log.select(*PERSON, "time", first.alias("first")).filter("first")
    _never(firsts.filter(~firsts.select(pl.struct(PERSON).is_first_distinct()).to_series()), "the client's rows do not stand together")


def lives(log: pl.DataFrame) -> None:
    """A client enters once, by the caseload of day 0, an arrival or a referral, and does nothing after death or leaving."""
    first, event = differs(*PERSON), pl.col("event")
    _never(log.filter(first & ~event.is_in(FIRST)), "appears out of nowhere ({event}), having never entered")
    _never(log.filter(~first & event.is_in(("present", "arrival"))), "enters ({event}) a second time")
    _never(log.filter((event == "present") & (pl.col("time") != 0)), "is 'present' on another day than day 0")
    _never(log.filter(~first & event.shift().is_in(GONE)), "does something ({event}) after death or leaving")


def in_place(log: pl.DataFrame, model: Model) -> None:
    """The tier is the service's tier, the provider offers the service, and who is in no service is on the lowest rung."""
    tiers = {service.name: service.tier for service in model.services}
    offered = {(offer.service, provider.name) for provider in model.providers for offer in provider.offers}
    stay = pl.col("stay_start").is_null().alias("no_stay")
    for tier, service, provider, no_stay in (
        log.select("tier", "service", "provider", stay).unique().sort("tier", "service", "provider", "no_stay").rows()
    ):
        if service is None:
            if tier != model.rungs[0] or provider is not None or not no_stay:
                raise BrokenInvariant(f"in no service, but on tier '{tier}', with provider '{provider}' or with a stay that goes on")
        elif tiers.get(service) != tier:
            raise BrokenInvariant(f"tier '{tier}' in service '{service}', whose tier is '{tiers.get(service)}'")
        elif (service, provider) not in offered:
            raise BrokenInvariant(f"provider '{provider}' does not offer the service '{service}' in which it has people")
        elif no_stay:
            raise BrokenInvariant(f"in service '{service}' without a beginning of the stay (stay_start)")


def events_fit(log: pl.DataFrame) -> None:
    """States change only by the events that say so: the place by start, move and end, need by rise, fall and hand-over."""
    rows = with_before(log).with_columns(differs(*PERSON).alias("first"), level("need").alias("level"), level("need").shift().alias("from_level"))
    event, served, was_served = pl.col("event"), pl.col("service").is_not_null(), pl.col("from_service").is_not_null()
    _never(rows.filter((event == "start") & (was_served | ~served)), "a 'start' that does not lead from no service into one")
    _never(rows.filter((event == "move") & ~(was_served & served)), "a 'move' that does not lead from one service to another")
    _never(rows.filter((event == "end") & (~was_served | served)), "an 'end' that does not lead from a service to none")
    begun = event.is_in(("start", "move"))
    _never(rows.filter(begun & (pl.col("stay_start") != pl.col("time"))), "a '{event}' whose stay began on another day ({stay_start})")
    _never(rows.filter(served & (pl.col("stay_start") > pl.col("time"))), "a stay that is still to begin ({stay_start})")
    quiet = ~pl.col("first") & ~event.is_in(PLACED) & ~event.is_in(GONE)
    moved = differs("service", "provider", "stay_start")
    _never(rows.filter(quiet & moved), "the place changes at a '{event}', which moves nobody")
    _never(rows.filter((event == "rise") & (pl.col("level") <= pl.col("from_level"))), "a 'rise' that does not raise need")
    _never(rows.filter((event == "fall") & (pl.col("level") >= pl.col("from_level"))), "a 'fall' that does not lower need")
    silent = ~pl.col("first") & ~event.is_in(NEED_CHANGES) & (pl.col("level") != pl.col("from_level"))
    _never(rows.filter(silent), "need changes at a '{event}', which changes no need")


def stays_once(spells: pl.DataFrame) -> None:
    """A stay begins when the client's stay before has ended: nobody is in two services at once, or in one stay twice."""
    before = spells.with_columns(pl.col("until").shift().alias("ended"))
    _never(
        before.filter(~differs(*PERSON) & (pl.col("stay_start") < pl.col("ended"))),
        "a stay in '{service}' overlaps the one before, or goes on after its end",
    )


def no_negative_wait(log: pl.DataFrame) -> None:
    """No referral is met before it is made."""
    _never(waits(log).filter(pl.col("days") < 0), "a wait of {days:g} days")


def _same(one: pl.DataFrame, other: pl.DataFrame, keys: Sequence[str], what: str) -> None:
    """The column ``value`` agrees in two frames, key by key; a key that one lacks is nought there."""
    text = [pl.col(key).cast(pl.String) for key in keys if key != "replication"]
    both = one.with_columns(text).join(other.with_columns(text), on=keys, how="full", coalesce=True, nulls_equal=True, suffix="_other").fill_null(0)
    a, b = pl.col("value").cast(pl.Float64), pl.col("value_other").cast(pl.Float64)
    apart = both.filter(((a - b).abs() > ABSOLUTE + RELATIVE * pl.max_horizontal(a.abs(), b.abs())) | (a - b).is_nan()).sort(keys)
    if apart.height:
        row = apart.row(0, named=True)
        where = ", ".join(f"{key} {row[key]}" for key in keys)
        raise BrokenInvariant(f"{what} ({where}): {row['value']!r} is not {row['value_other']!r}")


def _sum(measures: pl.DataFrame, measure: str, keys: Sequence[str]) -> pl.DataFrame:
    return total(measures.filter(pl.col("measure") == measure), keys, ["value"])


def _before(times: pl.Series, ends: NDArray[np.float64]) -> NDArray[np.int64]:
    """How many of these times come before each end."""
    return np.searchsorted(np.sort(times.to_numpy()), ends, side="left")


def people_add_up(log: pl.DataFrame, states: pl.DataFrame, measures: pl.DataFrame, model: Model, days: float) -> None:
    """At every month end: people entered = people there + people gone; in services: there on day 0 + entries − exits = caseload.

    There are the measured caseload and, from the states, those in no service; entered and gone are counted from the log.
    """
    periods = calendar(model.about.start, days)
    ends = periods["to_day"].to_numpy()
    first, served = differs(*PERSON), pl.col("service").is_not_null()
    entered, gone = log.select(*RUN, "time", first.alias("first")).filter("first"), log.filter(pl.col("event").is_in(GONE))
    outside = states.filter(~served & (pl.col("time") < pl.col("until")))
    heads = measures.filter(pl.col("measure").is_in(("caseload_end", "entries", "exits")))
    on_day_0 = log.filter((pl.col("event") == "present") & served)
    for strategy, replication in log.filter(differs(*RUN)).select(RUN).rows():

        def here(frame: pl.DataFrame, run: tuple[str, int] = (strategy, replication)) -> pl.DataFrame:
            return frame.filter((pl.col("strategy") == run[0]) & (pl.col("replication") == run[1]))

        mine = here(heads)
        months = {name: dict(_sum(mine, name, ["month"]).rows()) for name in ("caseload_end", "entries", "exits")}
        caseload = np.array([months["caseload_end"].get(month, 0.0) for month in periods["month"]])
        change = np.array([months["entries"].get(month, 0.0) - months["exits"].get(month, 0.0) for month in periods["month"]])
        known = _before(here(entered)["time"], ends)
        there = caseload + _before(here(outside)["time"], ends) - _before(here(outside)["until"], ends)
        _equal(
            known,
            there + _before(here(gone)["time"], ends),
            periods,
            f"{strategy}, replication {replication}: people entered, and people there or gone",
        )
        _equal(
            here(on_day_0).height + np.cumsum(change),
            caseload,
            periods,
            f"{strategy}, replication {replication}: entries less exits, and the caseload",
        )


def _equal(one: NDArray[Any], other: NDArray[Any], periods: pl.DataFrame, what: str) -> None:
    for month, a, b in zip(periods["month"], one, other, strict=True):
        if a != b:
            raise BrokenInvariant(f"{what}, at the end of {month}: {a:g} is not {b:g}")


def little(log: pl.DataFrame, spells: pl.DataFrame, measures: pl.DataFrame, model: Model, days: float) -> None:
    """Little's law on the closed log, for every service: the days of its stays are its caseload times the days of the run.

    Three ways: stays × their mean length, from whole stays; caseload × days of the month, from the measures; and from bare
    events, Σ (horizon − time) over those that lead in less that over those that lead out.
    """
    keys = (*RUN, "service")
    length = pl.col("until") - pl.col("time")
    whole = spells.group_by(keys).agg((pl.len() * length.mean()).alias("value"))
    months = calendar(model.about.start, days).select(
        pl.col("month").cast(measures.schema["month"], strict=False), (pl.col("to_day") - pl.col("from_day")).alias("length")
    )
    monthly = measures.filter(pl.col("measure") == "caseload").join(months, on="month", maintain_order="left")
    measured = total(monthly.with_columns(pl.col("value") * pl.col("length")), keys, ["value"])
    _same(whole, measured, keys, "days of whole stays, and caseload times days")

    rows, rest = with_before(log), days - pl.col("time")
    led_in = rows.filter(pl.col("event").is_in(("present", "start", "move")) & pl.col("service").is_not_null())
    led_out = rows.filter(pl.col("event").is_in(("move", "end", *GONE)) & pl.col("from_service").is_not_null())
    signed = [led_in.select(*keys, rest.alias("value")), led_out.select(*RUN, pl.col("from_service").alias("service"), (-rest).alias("value"))]
    _same(total(pl.concat(signed), keys, ["value"]), measured, keys, "days between coming and going, and caseload times days")


def payers_add_up(measures: pl.DataFrame) -> None:
    """Council, health and client pay the whole cost between them, in every month; no value is below nought or no number."""
    below = measures.filter(~(pl.col("value").is_finite() & (pl.col("value") >= 0)))
    if below.height:
        row = below.row(0, named=True)
        raise BrokenInvariant(f"{row['measure']} is {row['value']!r} in {row['month']}, replication {row['replication']}")
    keys = (*RUN, "month")
    paid = measures.filter(pl.col("measure").is_in(("cost_council", "cost_health", "cost_client")))
    _same(total(paid, keys, ["value"]), _sum(measures, "cost", keys), keys, "what the payers pay, and the cost")


class Line(NamedTuple):
    """A price over time: £ a day from each day in ``since`` on, and the pounds that one place has cost by then."""

    since: NDArray[np.float64]
    rate: NDArray[np.float64]
    spent: NDArray[np.float64]

    def by(self, day: NDArray[np.float64]) -> NDArray[np.float64]:
        """Pounds from day 0 to each of these days."""
        k = np.searchsorted(self.since, day, side="right") - 1
        return self.spent[k] + self.rate[k] * (day - self.since[k])

    def on(self, day: NDArray[np.float64]) -> NDArray[np.float64]:
        """The rate in force on each of these days."""
        return self.rate[np.searchsorted(self.since, day, side="right") - 1]


def line(model: Model, days: float, price: Callable[[dt.date], float], changes: Sequence[dt.date | None]) -> Line:
    """The cash line of a base-year price that changes on certain dates; growth steps on every 1 April."""
    start, prices = model.about.start, model.prices
    aprils = [dt.date(year, 4, 1) for year in range(start.year, start.year + int(days // 365) + 2)]
    dates = sorted({start, *(date for date in (*aprils, *changes) if date is not None and 0 < (date - start).days < days)})
    growth = 1.0 + prices.growth_per_year.value
    rate = np.array([price(date) * growth ** (first_year(date) - int(prices.base_year[:4])) for date in dates])
    since = np.array([float((date - start).days) for date in dates])
    return Line(since, rate, np.concatenate([[0.0], np.cumsum(rate[:-1] * np.diff(since))]))


def _day_price(terms: Sequence[PerDiem], date: dt.date) -> float:
    return sum(term.price.at(date) / term.days for term in terms)


def _care_lines(model: Model, days: float) -> dict[tuple[str, str], Line]:
    contracts = {contract.name: contract.terms for contract in model.contracts}
    lines = {}
    for provider in model.providers:
        for offer in provider.offers:
            terms = contracts[offer.contract]
            changes = [step.from_ for term in terms for step in term.price.steps]
            lines[offer.service, provider.name] = line(model, days, partial(_day_price, terms), changes)
    return lines


def _fees(log: pl.DataFrame, model: Model, days: float) -> pl.DataFrame:
    """Each assessment and review with its fee on its day: PERSON, time, gbp."""
    parts = []
    for door in model.front_door:
        stages = door.stages or [stage.name for stage in model.stages]
        for event, series in (("assessed", door.gbp_per_assessment), ("review", door.gbp_per_review)):
            if series is not None:
                held = log.filter((pl.col("event") == event) & pl.col("stage").cast(pl.String).is_in(stages) & (pl.col("time") < days)).select(
                    *PERSON, "time"
                )
                fee = line(model, days, series.at, [step.from_ for step in series.steps]).on(held["time"].to_numpy())
                parts.append(held.with_columns(pl.Series("gbp", fee)))
    return pl.concat(parts) if parts else log.clear().select(*PERSON, "time", pl.lit(0.0).alias("gbp"))


def programme_cash(programme: Programme, model: Model, days: float) -> float:
    """What a programme spends over the whole run."""
    yearly = 0.0 if programme.gbp_per_year is None else programme.gbp_per_year.value
    once = 0.0 if programme.one_off_gbp is None else programme.one_off_gbp.value
    ramp = ramp_steps(programme.start, programme.ramp_days)

    def a_day(date: dt.date) -> float:
        return yearly * max((share for since, share in ramp if since <= date), default=0.0) / days_in_year(first_year(date))

    spent = float(line(model, days, a_day, [date for date, _ in ramp]).by(np.array([days]))[0])
    day = (programme.start - model.about.start).days
    growth = (1.0 + model.prices.growth_per_year.value) ** (first_year(programme.start) - int(model.prices.base_year[:4]))
    return spent + (once * growth if 0 <= day < days else 0.0)


def money_adds_up(log: pl.DataFrame, spells: pl.DataFrame, measures: pl.DataFrame, model: Model, days: float) -> None:
    """Cost of the ledger = Σ by client (whole stays and fees) and programmes = Σ by provider = Σ by financial year."""
    lines = _care_lines(model, days)
    none = spells.clear().with_columns(pl.lit(0.0).alias("value"))
    parts, spent = [none.select(*PERSON, "provider", "value")], [none.select(*RUN, "value", pl.lit("").alias("financial_year"))]
    for (service, provider), part in spells.partition_by("service", "provider", as_dict=True).items():
        price, came, went = lines[service, provider], part["time"].to_numpy(), part["until"].to_numpy()
        parts.append(part.select(*PERSON, "provider", pl.Series("value", price.by(went) - price.by(came))))
        for year, begin, end in _years(model, days):
            cost = price.by(went.clip(begin, end)) - price.by(came.clip(begin, end))
            summed = total(part.select(*RUN, pl.Series("value", cost)), RUN, ["value"])
            spent.append(summed.with_columns(pl.lit(year_name(year)).alias("financial_year")))
    care, fees = pl.concat(parts), _fees(log, model, days)
    each = total(pl.concat([care.select(*PERSON, "value"), fees.select(*PERSON, pl.col("gbp").alias("value"))]), PERSON, ["value"])
    runs = log.filter(differs(*RUN)).select(RUN).unique()
    others = runs.with_columns(pl.lit(math.fsum(programme_cash(p, model, days) for p in model.programmes)).alias("value"))
    _same(total(pl.concat([each.drop("client"), others]), RUN, ["value"]), _sum(measures, "cost", RUN), RUN, "the cost by client, and the ledger")

    priced = measures.filter((pl.col("measure") == "cost") & pl.col("service").is_not_null())
    by_provider = (*RUN, "provider")
    _same(total(care, by_provider, ["value"]), total(priced, by_provider, ["value"]), by_provider, "the cost of whole stays, and the ledger")
    keys = (*RUN, "financial_year")
    yearly = by_year(priced).select(*keys, pl.col("cost").alias("value"))
    _same(total(pl.concat(spent), keys, ["value"]), yearly, keys, "the cost of stays within a year, and the ledger")
    _real(by_year(measures), model)


def _years(model: Model, days: float) -> list[tuple[int, float, float]]:
    """Each financial year of the run with the days on which it begins and ends there."""
    start = model.about.start
    last = first_year(start + dt.timedelta(days=math.ceil(days) - 1))
    edges = [min(days, float((dt.date(year, 4, 1) - start).days)) for year in range(first_year(start) + 1, last + 2)]
    return [(first_year(start) + k, begin, end) for k, (begin, end) in enumerate(pairwise([0.0, *edges]))]


def _real(years: pl.DataFrame, model: Model) -> None:
    """Real cost is cash without inflation since the base year, and present value is real cost times the year's factor."""
    prices = model.prices
    for row in years.rows(named=True):
        year = int(row["financial_year"][:4])
        real = row["cost"] / (1.0 + prices.inflation_per_year.value) ** (year - int(prices.base_year[:4]))
        worth = real * discount_factor(prices, year - first_year(model.about.start))
        for what, value, other in (("real cost", row["cost_real"], real), ("present value", row["cost_pv"], worth)):
            if not math.isclose(value, other, rel_tol=RELATIVE, abs_tol=ABSOLUTE):
                raise BrokenInvariant(f"{what} of {row['financial_year']}, replication {row['replication']}: {value!r} is not {other!r}")
