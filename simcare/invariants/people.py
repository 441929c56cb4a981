"""People: every log tells whole lives, in order, in places that exist; nobody is lost between the log and the
measures."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from simcare.errors import BrokenInvariant
from simcare.invariants.compare import never, same, sum_of
from simcare.log.flows import referral_waits, with_before
from simcare.log.periods import calendar, total
from simcare.log.states import GONE, PERSON, RUN, differs, level
from simcare.model import Model

FIRST = ("present", "arrival", "referral")
PLACED = ("start", "move", "end")
NEED_CHANGES = ("rise", "fall", "handover")
EVERYWHERE = ""  # the places of an offer without an area are everybody's


def in_order(log: pl.DataFrame, days: float) -> None:
    """Times lie within the run and never go back within a client, and each client's rows stand together."""
    never(log.filter(~pl.col("time").is_between(0.0, days)), f"a row lies outside the run of {days:g} days")
    first = differs(*PERSON)
    never(
        log.filter(~first & (pl.col("time") < pl.col("time").shift())),
        "time goes back to before this client's row before",
    )
    firsts = log.select(*PERSON, "time", first.alias("first")).filter("first")
    never(
        firsts.filter(~firsts.select(pl.struct(PERSON).is_first_distinct()).to_series()),
        "the client's rows do not stand together",
    )


def lives(log: pl.DataFrame) -> None:
    """A client enters once, by the caseload of day 0, an arrival or a referral, and does nothing after death or
    leaving."""
    first, event = differs(*PERSON), pl.col("event")
    never(log.filter(first & ~event.is_in(FIRST)), "appears out of nowhere ({event}), having never entered")
    never(log.filter(~first & event.is_in(("present", "arrival"))), "enters ({event}) a second time")
    never(log.filter((event == "present") & (pl.col("time") != 0)), "is 'present' on another day than day 0")
    never(log.filter(~first & event.shift().is_in(GONE)), "does something ({event}) after death or leaving")


def in_place(log: pl.DataFrame, model: Model) -> None:
    """The tier is the service's tier, the provider offers the service, and who is in no service is in the lowest
    tier."""
    tiers = {service.name: service.tier for service in model.services}
    offered: dict[tuple[str, str], set[str]] = {}
    for provider in model.providers:
        for offer in provider.offers:
            offered.setdefault((offer.service, provider.name), set()).add(offer.area or EVERYWHERE)
    stay = pl.col("stay_start").is_null().alias("no_stay")
    columns = ("tier", "service", "provider", "no_stay", "area")
    for tier, service, runner, no_stay, area in (
        log.select("tier", "service", "provider", stay, "area").unique().sort(columns).rows()
    ):
        if service is None:
            if tier != model.need_levels[0] or runner is not None or not no_stay:
                raise BrokenInvariant(
                    f"in no service, but on tier '{tier}', with provider '{runner}' or with a stay that goes on"
                )
        elif tiers.get(service) != tier:
            raise BrokenInvariant(f"tier '{tier}' in service '{service}', whose tier is '{tiers.get(service)}'")
        elif (service, runner) not in offered:
            raise BrokenInvariant(f"provider '{runner}' does not offer the service '{service}' in which it has people")
        elif not offered[service, runner] & {area, EVERYWHERE}:
            raise BrokenInvariant(
                f"provider '{runner}' does not offer the service '{service}' to '{area}', from where it has people"
            )
        elif no_stay:
            raise BrokenInvariant(f"in service '{service}' without a beginning of the stay (stay_start)")


def events_fit(log: pl.DataFrame) -> None:
    """States change only by the events that say so: the place by start, move and end, need by rise, fall and
    transition."""
    rows = with_before(log).with_columns(
        differs(*PERSON).alias("first"), level("need").alias("level"), level("need").shift().alias("from_level")
    )
    event, served, was_served = pl.col("event"), pl.col("service").is_not_null(), pl.col("from_service").is_not_null()
    never(
        rows.filter((event == "start") & (was_served | ~served)),
        "a 'start' that does not lead from no service into one",
    )
    never(
        rows.filter((event == "move") & ~(was_served & served)),
        "a 'move' that does not lead from one service to another",
    )
    never(rows.filter((event == "end") & (~was_served | served)), "an 'end' that does not lead from a service to none")
    begun = event.is_in(("start", "move"))
    never(
        rows.filter(begun & (pl.col("stay_start") != pl.col("time"))),
        "a '{event}' whose stay began on another day ({stay_start})",
    )
    never(rows.filter(served & (pl.col("stay_start") > pl.col("time"))), "a stay that is still to begin ({stay_start})")
    quiet = ~pl.col("first") & ~event.is_in(PLACED) & ~event.is_in(GONE)
    moved = differs("service", "provider", "stay_start")
    never(rows.filter(quiet & moved), "the place changes at a '{event}', which moves nobody")
    never(
        rows.filter((event == "rise") & (pl.col("level") <= pl.col("from_level"))), "a 'rise' that does not raise need"
    )
    never(
        rows.filter((event == "fall") & (pl.col("level") >= pl.col("from_level"))), "a 'fall' that does not lower need"
    )
    silent = ~pl.col("first") & ~event.is_in(NEED_CHANGES) & (pl.col("level") != pl.col("from_level"))
    never(rows.filter(silent), "need changes at a '{event}', which changes no need")


def stays_once(spells: pl.DataFrame) -> None:
    """A stay begins when the client's stay before has ended: nobody is in two services at once, or in one stay
    twice."""
    before = spells.with_columns(pl.col("until").shift().alias("ended"))
    never(
        before.filter(~differs(*PERSON) & (pl.col("stay_start") < pl.col("ended"))),
        "a stay in '{service}' overlaps the one before, or goes on after its end",
    )


def no_negative_wait(log: pl.DataFrame) -> None:
    """No referral is met before it is made."""
    never(referral_waits(log).filter(pl.col("days") < 0), "a wait of {days:g} days")


def _before(times: pl.Series, ends: NDArray[np.float64]) -> NDArray[np.int64]:
    """How many of these times come before each end."""
    return np.searchsorted(np.sort(times.to_numpy()), ends, side="left")


def people_add_up(log: pl.DataFrame, states: pl.DataFrame, measures: pl.DataFrame, model: Model, days: float) -> None:
    """At every month end: people entered = people there + people gone; in services: there on day 0 + entries − exits =
    caseload.

    There are the measured caseload and, from the states, those in no service; entered and gone are counted from the
    log.
    """
    periods = calendar(model.about.start, days)
    ends = periods["to_day"].to_numpy()
    first, served = differs(*PERSON), pl.col("service").is_not_null()
    entered, gone = (
        log.select(*RUN, "time", first.alias("first")).filter("first"),
        log.filter(pl.col("event").is_in(GONE)),
    )
    outside = states.filter(~served & (pl.col("time") < pl.col("until")))
    heads = measures.filter(pl.col("measure").is_in(("caseload_end", "entries", "exits")))
    on_day_0 = log.filter((pl.col("event") == "present") & served)
    for strategy, replication in log.filter(differs(*RUN)).select(RUN).rows():

        def here(frame: pl.DataFrame, run: tuple[str, int] = (strategy, replication)) -> pl.DataFrame:
            return frame.filter((pl.col("strategy") == run[0]) & (pl.col("replication") == run[1]))

        mine = here(heads)
        months = {name: dict(sum_of(mine, name, ["month"]).rows()) for name in ("caseload_end", "entries", "exits")}
        caseload = np.array([months["caseload_end"].get(month, 0.0) for month in periods["month"]])
        change = np.array(
            [months["entries"].get(month, 0.0) - months["exits"].get(month, 0.0) for month in periods["month"]]
        )
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
    """Little's law on the closed log, for every service: the days of its stays are its caseload times the days of the
    run.

    Three ways: stays × their mean length, from whole stays; caseload × days of the month, from the measures; and from
    bare events, Σ (horizon − time) over those that lead in less that over those that lead out.
    """
    keys = (*RUN, "service")
    length = pl.col("until") - pl.col("time")
    whole = spells.group_by(keys).agg((pl.len() * length.mean()).alias("value"))
    months = calendar(model.about.start, days).select(
        pl.col("month").cast(measures.schema["month"], strict=False),
        (pl.col("to_day") - pl.col("from_day")).alias("length"),
    )
    monthly = measures.filter(pl.col("measure") == "caseload").join(months, on="month", maintain_order="left")
    measured = total(monthly.with_columns(pl.col("value") * pl.col("length")), keys, ["value"])
    same(whole, measured, keys, "days of whole stays, and caseload times days")

    rows, rest = with_before(log), days - pl.col("time")
    led_in = rows.filter(pl.col("event").is_in(("present", "start", "move")) & pl.col("service").is_not_null())
    led_out = rows.filter(pl.col("event").is_in(("move", "end", *GONE)) & pl.col("from_service").is_not_null())
    signed = [
        led_in.select(*keys, rest.alias("value")),
        led_out.select(*RUN, pl.col("from_service").alias("service"), (-rest).alias("value")),
    ]
    same(
        total(pl.concat(signed), keys, ["value"]),
        measured,
        keys,
        "days between coming and going, and caseload times days",
    )
