"""Places, queues and hospital: nobody has a place that is not there, and whoever joins a queue leaves it or still
waits."""

from __future__ import annotations

import polars as pl

from simcare.arrays.places import whole
from simcare.errors import BrokenInvariant
from simcare.invariants.compare import never, same, sum_of
from simcare.invariants.people import FIRST, PLACED
from simcare.log.flows import queue_waits
from simcare.log.periods import total
from simcare.log.states import GONE, PERSON, RUN, differs, queueing
from simcare.model import Model
from simcare.model.capacity import Offer
from simcare.rules.codes import CAUSES, WAITING_CAUSES, WAITING_CLASSES

GRANTED = ("start", "move", "kept")
QUEUED_BY = tuple(CAUSES[cause] for cause in WAITING_CAUSES)  # what a row of joining the queue has for a cause
NEW_SPOT = (*PLACED, "displaced", "kept")
OUT_OF_HOSPITAL = ("discharged", "start", "move", "end", "diverted")
THEIRS = ("queued", "withdrawn", "kept", "displaced", "admitted", "ready", "discharged", "transition")


def places_fit(log: pl.DataFrame) -> None:
    """Hospital, spot places and queues change only by the events that say so."""
    event, served = pl.col("event"), pl.col("service").is_not_null()
    state = log.with_columns(queueing(log), differs(*PERSON).alias("first"))
    before = [
        pl.when(~pl.col("first")).then(pl.col(name).shift()).alias(f"from_{name}")
        for name in ("hospital", "spot", "waiting", "queueing")
    ]
    # Most rows have nothing to do with any of it.
    silent = (
        pl.col("from_hospital").eq_missing(pl.col("hospital"))
        & ~pl.col("spot")
        & ~pl.col("from_spot")
        & ~pl.col("queueing")
    )
    idle = silent & ~(pl.col("waiting") & served) & ~event.is_in(THEIRS)
    rows = state.with_columns(before).filter(~idle.fill_null(False))
    _hospital_fits(rows)
    _spot_fits(rows)
    _queues_fit(rows)


def _hospital_fits(rows: pl.DataFrame) -> None:
    event, now, was = pl.col("event"), pl.col("hospital"), pl.col("from_hospital").fill_null("no")
    never(
        rows.filter((event == "admitted") & ((was != "no") | (now != "treated"))),
        "an 'admitted' that does not lead from outside into treatment",
    )
    never(
        rows.filter((event == "ready") & ((was != "treated") | (now != "ready"))),
        "a 'ready' of someone who was not treated in hospital",
    )
    never(
        rows.filter((event == "discharged") & ((was != "ready") | (now != "no"))),
        "a 'discharged' that does not lead out of hospital",
    )
    leaves = event.is_in(OUT_OF_HOSPITAL) & (was == "ready") & (now == "no")
    never(
        rows.filter((was != now) & ~event.is_in(("admitted", "ready")) & ~leaves),
        "from '{from_hospital}' to '{hospital}' in hospital at a '{event}'",
    )


def _spot_fits(rows: pl.DataFrame) -> None:
    event, spot, was = pl.col("event"), pl.col("spot"), pl.col("from_spot").fill_null(False)
    never(rows.filter(spot & pl.col("service").is_null()), "a spot purchase, in no service")
    never(
        rows.filter((event == "displaced") & (was | ~spot)),
        "a 'displaced' that does not lead from a contracted place to one above contracted capacity",
    )
    never(
        rows.filter((event == "kept") & (~was | spot)),
        "a 'kept' that does not lead from a place above contracted capacity to a contracted one",
    )
    silent = ~pl.col("first") & ~event.is_in((*NEW_SPOT, *GONE)) & (spot != was)
    never(rows.filter(silent), "whether the place is above contracted capacity changes at a '{event}'")


def _queues_fit(rows: pl.DataFrame) -> None:
    event, served, waiting = pl.col("event"), pl.col("service").is_not_null(), pl.col("waiting")
    was_waiting, was_queueing = pl.col("from_waiting").fill_null(False), pl.col("from_queueing").fill_null(False)
    never(
        rows.filter((event == "queued") & ~pl.col("cause").is_in(QUEUED_BY)), "joins the queue in no class ('{cause}')"
    )
    never(rows.filter((event == "kept") & ~was_queueing), "a 'kept' of someone who waits for no place")
    never(rows.filter((event == "withdrawn") & ~was_waiting), "a 'withdrawn' of someone who waits for nothing")
    superseded = (event == "withdrawn") & (pl.col("cause") == "superseded")
    never(rows.filter(superseded & ~was_queueing), "a request for a place is superseded that was never made")
    never(rows.filter((event == "transition") & ~served), "a 'transition' out of no service")
    still = ~event.is_in(GONE)
    never(
        rows.filter(still & pl.col("queueing") & ~waiting),
        "is in the queue for a place since '{event}' or before, but does not wait",
    )
    never(
        rows.filter(still & served & waiting & ~pl.col("queueing")),
        "waits in '{service}' without having joined the queue",
    )


def places_hold(log: pl.DataFrame, model: Model, days: float) -> None:
    """At every moment there are no more people in the regular places of a pool than it has places then.

    Comings and goings and the dated changes of the number of places are run through in order of time; what happens in
    one moment is judged when all of it has happened.
    """
    pools = [
        (provider.name, offer) for provider in model.providers for offer in provider.offers if offer.places is not None
    ]
    if not pools:
        return
    changed = _held(log, pools)

    def at(pool: str, heads: int) -> pl.DataFrame:
        people = changed.filter(pl.col(pool).is_not_null())
        return people.select(
            *RUN, pl.col(pool).alias("pool"), "time", pl.lit(heads).alias("heads"), pl.lit(0).alias("places")
        )

    runs = log.filter(differs(*RUN)).select(RUN).unique()
    numbers = runs.join(_numbers(pools, model, days), how="cross").select(
        *RUN, "pool", "time", pl.lit(0).alias("heads"), "places"
    )
    moment = (*RUN, "pool", "time")
    steps = (
        pl.concat([at("pool", 1), at("from", -1), numbers])
        .group_by(moment)
        .agg(pl.col("heads").sum(), pl.col("places").sum())
        .sort(moment)
    )
    sums = steps.with_columns(pl.col("heads", "places").cum_sum().over(*RUN, "pool"))
    faults = sums.filter(pl.col("heads") > pl.col("places")).sort("time", "pool", *RUN)
    if faults.height:
        row = faults.row(0, named=True)
        provider, offer = pools[row["pool"]]
        where = f"'{offer.service}' of '{provider}'" + ("" if offer.area is None else f" in '{offer.area}'")
        who = f"strategy '{row['strategy']}', replication {row['replication']}, day {row['time']:.6g}"
        raise BrokenInvariant(f"{who}: {row['heads']} people in the {row['places']} places of {where}")


def _held(log: pl.DataFrame, pools: list[tuple[str, Offer]]) -> pl.DataFrame:
    """The rows with which a client takes or gives up a regular place: ``pool``, and ``from`` which pool."""
    keys = ("service", "provider", "area")
    table = pl.DataFrame(
        [
            (offer.service, provider, area, k)
            for k, (provider, offer) in enumerate(pools)
            for area in _areas(offer, log)
        ],
        schema={**dict.fromkeys(keys, pl.String), "pool": pl.Int64},
        orient="row",
    )
    table = table.with_columns([pl.col(name).cast(log.schema[name], strict=False) for name in keys]).drop_nulls()
    rows = log.filter(pl.col("event").is_in((*FIRST, *NEW_SPOT, *GONE))).select(*PERSON, "time", *keys, "spot", "event")
    there = pl.when(~pl.col("spot") & ~pl.col("event").is_in(GONE)).then(pl.col("pool")).alias("pool")
    held = rows.join(table, on=keys, how="left", maintain_order="left").with_columns(there)
    held = held.with_columns(pl.when(~differs(*PERSON)).then(pl.col("pool").shift()).alias("from"))
    return held.filter(pl.col("from").ne_missing(pl.col("pool")))


def _areas(offer: Offer, log: pl.DataFrame) -> list[str]:
    """Whose places these are: one area's, or those of everybody in the log."""
    return [offer.area] if offer.area is not None else log["area"].unique().drop_nulls().cast(pl.String).to_list()


def _numbers(pools: list[tuple[str, Offer]], model: Model, days: float) -> pl.DataFrame:
    """How many places come to each pool, and when: those of day 0, then what each date adds or cuts."""
    rows = []
    for k, (_, offer) in enumerate(pools):
        assert offer.places is not None
        start = model.about.start
        dates = sorted(
            {
                start,
                *(
                    step.from_
                    for step in offer.places.steps
                    if step.from_ is not None and 0 < (step.from_ - start).days <= days
                ),
            }
        )
        before = 0
        for date in dates:
            places = whole(offer.places.at(date))
            rows.append((k, float((date - start).days), places - before))
            before = places
    return pl.DataFrame(rows, schema={"pool": pl.Int64, "time": pl.Float64, "places": pl.Int32}, orient="row")


def queues_add_up(log: pl.DataFrame, states: pl.DataFrame, measures: pl.DataFrame, days: float) -> None:
    """Joined = placed + left without a place (or joined again) + still waiting; no wait is negative; days waited and
    days of waits agree."""
    waits = queue_waits(log)
    never(waits.filter(pl.col("days") < 0), "a wait of {days:g} days in the queue")
    waits = waits.filter(pl.col("time") < days).with_columns(pl.col("until").fill_null(days).alias("end"))
    ended = waits.filter(pl.col("end") < days)
    with_place = pl.col("outcome").is_in(GRANTED)
    granted, unmet = ended.filter(with_place), ended.filter(~with_place)
    waiting = states.filter(pl.col("queueing") & (pl.col("time") < pl.col("until")) & (pl.col("until") == days))
    people = [
        frame.select(pl.col("strategy").cast(pl.String), "replication", pl.lit(1.0).alias("value"))
        for frame in (unmet, waiting)
    ]
    placed = [sum_of(measures, f"placed_{name}", RUN) for name in WAITING_CLASSES]
    known = total(pl.concat([*placed, *people]), RUN, ["value"])
    same(sum_of(measures, "queued", RUN), known, RUN, "who joined a queue, and who was placed, left it or still waits")
    length = pl.col("end") - pl.col("time")
    same(
        total(waits.with_columns(length.alias("value")), RUN, ["value"]),
        sum_of(measures, "queue_days", RUN),
        RUN,
        "the length of all waits for a place, and the days of waiting",
    )
    for name, cause in zip(WAITING_CLASSES, QUEUED_BY, strict=True):
        mine = total(granted.filter(pl.col("class") == cause).with_columns(length.alias("value")), RUN, ["value"])
        same(
            mine,
            sum_of(measures, f"waited_days_{name}", RUN),
            RUN,
            f"the waits of class {name} that ended with a place, and their days",
        )
