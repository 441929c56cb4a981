"""From the log to measures: frame in, frame out.

A row of the log is a client's state after an event, and it holds until the client's next row. ``states`` turns rows
into such intervals; all measures count their days, or the events between them, exactly and by calendar month:

    log → states → provision → person_days → by_month        log → flows → counts → by_month

:func:`tallies` is the part that reads the log: days and counts by place and period. :func:`measures_of` makes all
measures of them, with the money. ``measure(log, model, days)`` is one after the other. What every measure shares:

- A month is [midnight, midnight): what happens on the stroke of its end belongs to the next month, and who leaves then
  is still there at month end. The horizon ends the last month.
- A row of nought is not kept: a cell that is absent is nought.
- People in no service have the lowest tier; their service and provider are null.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from simcare.log.periods import calendar, numbered, occupancy, period_of, total
from simcare.log.spells import spells
from simcare.log.states import IDS, PLACE, RUN, differs, prepare, provision, states
from simcare.log.tallies import Tallies
from simcare.measures.catalogue import CATALOGUE
from simcare.measures.counted_events import counted_events
from simcare.model import Model
from simcare.money import ledger
from simcare.money.payments import bands, day_prices, with_sums
from simcare.money.provider_accounts import NO_MARKET, accounts, with_failures

COLUMNS = (*RUN, "month", *PLACE, "measure", "value")
AGED = ("served", "induced_need_days")  # days that are priced by the day of the stay
# Person-days by measure: which states count, and from which day of the stay on. Days in a service are tallied apart.
DAYS_OF = {row.name: (row.state, row.from_day) for row in CATALOGUE if row.source == "days" and row.state != "served"}


def after_day(states: pl.DataFrame, day_of_stay: float | pl.Expr) -> pl.DataFrame:
    """What is left of each state after so many days of its stay (a number, or a column): it begins then, if it has not
    begun later.

    >>> stay = pl.DataFrame({"stay_start": [-10.0], "time": [0.0], "until": [60.0]})
    >>> after_day(stay, 42)["time"].to_list()
    [32.0]
    """
    if isinstance(day_of_stay, int | float) and day_of_stay == 0:
        return states
    begins = pl.max_horizontal("time", pl.col("stay_start") + day_of_stay)
    return states.with_columns(begins.alias("time")).filter(pl.col("time") < pl.col("until"))


def person_days(states: pl.DataFrame, periods: pl.DataFrame, by: Sequence[str] = IDS) -> pl.DataFrame:
    """Person-days in each period of a calendar, and people at its end, of whatever states are given.

    Columns: ``by`` (the ID columns), period, days, at_end.

    >>> from simcare.log.by_hand import log_of
    >>> import datetime as dt
    >>> log = log_of([{"event": "referral", "time": 20}], ["independent", "community"])
    >>> days = person_days(states(log, 61.0), calendar(dt.date(2013, 4, 1), 61))
    >>> days.select("tier", "period", "days", "at_end").rows()
    [('independent', 0, 10.0, 1), ('independent', 1, 31.0, 1)]
    """
    lasting = states.filter(pl.col("time") < pl.col("until"))
    number, cells = numbered(lasting, by)
    found = occupancy(lasting.select(pl.Series("cell", number), "time", "until"), periods)
    return pl.concat([cells[found["cell"]], found.drop("cell")], how="horizontal")


def days_by_measure(provision: pl.DataFrame, periods: pl.DataFrame) -> pl.DataFrame:
    """Person-days in each period for every measure of :data:`DAYS_OF`. Columns: measure, IDS, period, days, at_end."""
    names = pl.Enum(list(DAYS_OF))
    chosen = [
        after_day(provision.filter(what), day).select(pl.lit(name, dtype=names).alias("measure"), *IDS, "time", "until")
        for name, (what, day) in DAYS_OF.items()
    ]
    return person_days(pl.concat(chosen), periods, ("measure", *IDS))


def tidy(frame: pl.DataFrame, measure: str | None = None) -> pl.DataFrame:
    """A frame with ``value`` in the columns of the tidy frame: an ID column that it lacks is null, and rows of nought
    are left out.

    ``measure`` names it, unless it has a column ``measure`` already.
    """
    named = frame.filter(pl.col("value") != 0)
    named = named if measure is None else named.with_columns(pl.lit(measure).alias("measure"))
    columns = [pl.col(name) if name in named.columns else pl.lit(None).alias(name) for name in COLUMNS]
    return named.select(columns).with_columns(
        pl.col("strategy", "month", *PLACE, "measure").cast(pl.String), pl.col("value").cast(pl.Float64)
    )


def measured_by_month(tallied: pl.DataFrame, periods: pl.DataFrame) -> pl.DataFrame:
    """``days`` or ``value`` by measure and period, summed to months, tidy."""
    months = tallied.join(month_names(periods), on="period", maintain_order="left").rename(
        {"days": "value"}, strict=False
    )
    return tidy(total(months, ["measure", *IDS, "month"], ["value"]))


def month_names(periods: pl.DataFrame) -> pl.DataFrame:
    """The month of each period, as an enum in order of time. Columns: period, month."""
    return periods.select("period", pl.col("month").cast(pl.Enum(periods["month"].unique(maintain_order=True))))


def caseload_measures(served_days: pl.DataFrame, periods: pl.DataFrame) -> pl.DataFrame:
    """People in a service: ``person_days``, ``caseload`` (the mean over the month) and ``caseload_end`` (at month end),
    tidy."""
    days = measured_by_month(served_days.with_columns(pl.lit("person_days").alias("measure")), periods)
    lengths = total(
        periods.select("month", (pl.col("to_day") - pl.col("from_day")).alias("length")), ["month"], ["length"]
    )
    mean = days.join(lengths, on="month", maintain_order="left").with_columns(pl.col("value") / pl.col("length"))
    lasts = periods.group_by("month", maintain_order=True).agg(pl.col("period").last())
    ends = served_days.join(lasts, on="period", maintain_order="left").rename({"at_end": "value"})
    return pl.concat([days, tidy(mean, "caseload"), tidy(ends, "caseload_end")])


def counts(events: pl.DataFrame, periods: pl.DataFrame) -> pl.DataFrame:
    """Events (of :func:`simcare.measures.counted_events.counted_events`) by period. Columns: measure, IDS, period,
    value."""
    period = period_of(events["time"].to_numpy(), periods)
    inside = period < periods.height
    dated = events.filter(pl.Series(inside)).with_columns(pl.Series("period", period[inside], dtype=pl.Int64))
    return total(dated, ["measure", *IDS, "period"], ["value"])


def money_of(rows: pl.DataFrame) -> pl.DataFrame:
    """The ledger summed over its kinds, each amount a tidy measure."""
    # Where only care has a service, it needs no summing with the others.
    only_care = rows.filter((pl.col("kind") != "care") & pl.col("service").is_not_null()).height == 0
    care = pl.col("service").is_not_null() if only_care else pl.lit(False)
    summed = pl.concat([rows.filter(care).drop("kind"), total(rows.filter(~care), [*IDS, "month"], ledger.AMOUNTS)])
    return pl.concat([tidy(summed.rename({amount: "value"}), amount) for amount in ledger.AMOUNTS])


def sums_paid(rows: pl.DataFrame) -> pl.DataFrame:
    """What is paid beside the days of care, in cash, tidy: under contracts ``paid_block``, ``paid_episode``,
    ``paid_step_down`` and ``taken_back`` (above nought), then ``paid_programmes``, ``paid_assessments``,
    ``paid_reviews`` and ``paid_transitions``. They are part of ``cost``."""
    names = {"block": "paid_block", "episode": "paid_episode", "step_down": "paid_step_down", "clawback": "taken_back"}
    names |= {kind: f"paid_{kind}s" for kind in ("programme", "assessment", "review", "transition")}
    value = pl.when(pl.col("kind") == "clawback").then(-pl.col("cost")).otherwise(pl.col("cost")).alias("value")
    mine = rows.with_columns(value)
    return pl.concat([tidy(mine.filter(pl.col("kind") == kind), name) for kind, name in names.items()])


def induced_cost(tallies: Tallies, model: Model, periods: pl.DataFrame, prices: pl.DataFrame) -> pl.DataFrame:
    """``induced_cost``: cash cost of care, paid by the day, on the days on which some level of need was induced, tidy.

    It is the whole cost of those days, part of ``cost``, not what they would have saved: that takes the counterfactual.
    What a place bought beyond the number costs on top is not in it.
    """
    induced = pl.col("measure") == "induced_need_days"
    days = tallies.given.filter(induced & pl.col("service").is_not_null())
    care = ledger.care(days, model, periods, prices, tallies.aged.filter(induced), tallies.market)
    return tidy(ledger.ledger_rows(care, "care", model, periods).rename({"cost": "value"}), "induced_cost")


def provider_accounts(
    paid: Mapping[str, pl.DataFrame], tallies: Tallies, model: Model, periods: pl.DataFrame
) -> pl.DataFrame:
    """What providers that state their costs earn and spend, in cash, by service and month, tidy: ``provider_income``,
    ``provider_variable``, ``provider_fixed``, ``provider_overhead``. Their margin is the first less the others."""
    if not any(o.variable_gbp_per_day or o.fixed_gbp_per_year for provider in model.providers for o in provider.offers):
        return tidy(
            tallies.served.clear().with_columns(pl.lit("").alias("month"), pl.lit(0.0).alias("value")),
            "provider_income",
        )
    income = pl.concat([part.select(*RUN, "service", "provider", "period", "gbp") for part in paid.values()])
    found = accounts(income, tallies.served.select(*RUN, "service", "provider", "period", "days"), model, periods)
    if tallies.market.height:  # who has failed has no buildings and no head office any more
        found = with_failures(found, tallies.market, periods)
        found = found.with_columns(
            pl.when("failed").then(0.0).otherwise(pl.col(name)).alias(name) for name in ("fixed", "overhead")
        )
    indices = ledger.with_indices(periods, model).select("period", "growth").join(month_names(periods), on="period")
    dated = found.join(indices, on="period", how="left", maintain_order="left")
    parts = []
    for name in ("income", "variable", "fixed", "overhead"):
        cash = dated.with_columns((pl.col(name) * pl.col("growth")).alias("value"))
        parts.append(tidy(total(cash, [*RUN, "service", "provider", "month"], ["value"]), f"provider_{name}"))
    return pl.concat(parts)


def days_by_band(provision: pl.DataFrame, model: Model, periods: pl.DataFrame) -> pl.DataFrame:
    """Person-days after each band's first day of the stay: measure, band, IDS, period, days, at_end (see
    :class:`Tallies`)."""
    rows = [
        (service, provider, band, day)
        for (service, provider), days in bands(model).items()
        for band, day in enumerate(days, start=1)
    ]
    schema = {"service": pl.String, "provider": pl.String, "band": pl.Int64, "first_day": pl.Float64}
    names = [pl.col(name).cast(provision.schema[name], strict=False) for name in ("service", "provider")]
    table = pl.DataFrame(rows, schema=schema, orient="row").with_columns(names).drop_nulls()
    kinds = pl.Enum(AGED)
    provision, parts = (provision if rows else provision.clear()), []
    for name, what in zip(AGED, ("served", "induced_need"), strict=True):
        joined = provision.filter(what).join(table, on=["service", "provider"], how="inner", maintain_order="left")
        parts.append(
            after_day(joined, pl.col("first_day")).select(
                pl.lit(name, dtype=kinds).alias("measure"), "band", *IDS, "time", "until"
            )
        )
    return person_days(pl.concat(parts), periods, ("measure", "band", *IDS))


def measure_log(log: pl.DataFrame, model: Model, days: float, market: pl.DataFrame | None = None) -> pl.DataFrame:
    """Every measure of a log, with the money, as one tidy frame.

    ``log`` is in blocks of strategy, replication and client, in order of time; ``days`` is the horizon; ``market`` is
    the market's log, if there is one. Columns: strategy, replication, month ("2013-04"), area, stage, group, tier,
    service, provider, measure, value. Programmes are charged to each strategy and replication that has a row in the
    log. Measures, beside those of :func:`simcare.measures.counted_events.counted_events` (with waits by class) and the
    amounts of :func:`simcare.money.ledger.ledger`:

    - ``person_days`` in services, ``caseload`` (their mean over the month), ``caseload_end`` (at month end);
    - ``over_provided_days``: over-provided in a long-term service after day 42 of the stay; ``dependency_days``: after
      day 91; ``excess_stay_days``: from first readiness to step down until the stay ends; ``under_provided_days``;
    - ``unmet_need_days``, ``waiting_days`` (referred and not yet served), ``independent_days`` (at home with need
      met), ``induced_need_days``; ``induced_cost`` (see :func:`induced_cost`);
    - ``queue_days``: waiting for a place, in a service or not; ``transfer_days``: in a service, waiting for another
      place; ``hospital_days`` (treated) and ``delayed_days`` (ready to leave); ``spot_days`` in places bought beyond
      the number.

    >>> from simcare.files.load import load_model
    >>> from simcare.log.by_hand import log_of
    >>> care = {"need": "community", "tier": "community", "service": "community_care"}
    >>> care |= {"provider": "council", "stay_start": 0}
    >>> log = log_of([
    ...     {"event": "arrival", "cause": "direct", "need": "community"},
    ...     {"event": "start", "cause": "direct", **care},
    ...     {"event": "left", "time": 9.5, **care},
    ... ], ["independent", "community"])
    >>> measures = measure_log(log, load_model("mm-infinity"), 30.0)
    >>> asked = pl.col("measure").is_in(["person_days", "entries", "leavers", "cost"])
    >>> dict(measures.filter(asked).select("measure", "value").rows())
    {'person_days': 9.5, 'entries': 1.0, 'leavers': 1.0, 'cost': 95.0}
    """
    return measures_of(tallies(log, model, days, market), model, days)


def tallies(log: pl.DataFrame, model: Model, days: float, market: pl.DataFrame | None = None) -> Tallies:
    """What a log comes to, by place and period: the first half of :func:`measure_log`."""
    log = prepare(log)
    periods = calendar(model.about.start, days, ledger.price_dates(model))
    provided = provision(states(log, days))
    return Tallies(
        runs=log.filter(differs(*RUN)).select(RUN).unique().sort(RUN),
        served=person_days(provided.filter("served"), periods),
        given=days_by_measure(provided, periods),
        counted=counts(counted_events(log), periods),
        transitions=ledger.transitions(log, model, periods),
        aged=days_by_band(provided, model, periods),
        spells=spells(
            log,
            pl.DataFrame(with_sums(model), schema={"service": pl.String, "provider": pl.String}, orient="row"),
            days,
        ),
        market=NO_MARKET if market is None else market,
    )


def measures_of(tallies: Tallies, model: Model, days: float) -> pl.DataFrame:
    """Every measure, with the money, of what a run comes to: the second half of :func:`measure_log`, which needs no
    log."""
    periods = calendar(model.about.start, days, ledger.price_dates(model))
    prices = day_prices(model, periods)
    paid = ledger.contract_costs(tallies, model, periods, prices)
    rows = ledger.ledger(paid, tallies, model, periods)
    return pl.concat(
        [
            caseload_measures(tallies.served, periods),
            measured_by_month(tallies.counted, periods),
            measured_by_month(tallies.given, periods),
            money_of(rows),
            sums_paid(rows),
            induced_cost(tallies, model, periods, prices),
            provider_accounts(paid, tallies, model, periods),
        ]
    )
