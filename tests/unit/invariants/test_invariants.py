"""Invariants hold on every walk, and each way of breaking a log or its measures is found out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simcare.errors import BrokenInvariant
from simcare.invariants import (
    check_run,
    little,
    money_adds_up,
    no_negative_wait,
    payers_add_up,
    people_add_up,
    places_hold,
    programme_cash,
    queues_add_up,
    stays_once,
)
from simcare.log.by_hand import log_of
from simcare.log.states import prepare, states, stays
from simcare.measures.measure import measure_log
from simcare.model import Model
from tests.second_reading.walker import RUNGS, SHORT, TEXT, TIER_OF, town, walk

DAYS = 730.0
Rows = list[dict[str, Any]]


def care(service: str, provider: str, since: float, need: str) -> dict[str, Any]:
    return {"tier": TIER_OF[service], "service": service, "provider": provider, "stay_start": since, "need": need}


def three_lives() -> Rows:
    """One goes through crisis and step-up to a care home and dies there; one is served, let go and referred again; one
    stays."""
    home, risen = care("home_care", "council", -10.0, "community"), care("home_care", "council", -10.0, "placement")
    rescue, last = care("reablement", "council", 5.0, "placement"), care("care_home", "northern", 47.0, "placement")
    first, well = care("home_care", "northern", 24.0, "community"), care("home_care", "northern", 24.0, "independent")
    rows = [(
        1, 0.0, "present", home), (1, 5.0, "rise", risen), (1, 5.0, "crisis", risen), (1, 5.0, "move", rescue), (1,
        47.0, "assessed", rescue), (1, 47.0, "move", last), (1, 89.0, "review", last), (1, 400.0, "death", last), (2,
        3.0, "referral", {"need": "community", "waiting": True}), (2, 24.0, "assessed", {"need": "community",
        "waiting": True}), (2, 24.0, "start", first), (2, 60.0, "fall", well), (2, 100.5, "end",
        {"need": "independent"}), (2, 130.0, "rise", {"need": "community"}), (2, 150.0, "referral",
        {"need": "community", "waiting": True}), (2, 150.0, "diverted", {"need": "community"}), (3, 10.0, "arrival",
        {"need": "enhanced"}), (3, 10.0, "start", care("extra_care", "northern", 10.0, "enhanced")),
    ]  # fmt: skip
    return [
        {"client": client, "time": time, "event": event, "stage": "adult", **state}
        for client, time, event, state in rows
    ]


LIVES = {
    (row["client"], row["event"]): k for k, row in reversed(list(enumerate(three_lives())))
}  # the first row of each kind


def checked(log: pl.DataFrame, model: Model | None = None, days: float = DAYS) -> None:
    model = model or town()
    check_run(log, measure_log(log, model, days), model, days)


# --- what holds
# ----------------------------------------------------------------------------------------------------------------


def test_three_lives_hold() -> None:
    checked(log_of(three_lives(), RUNGS, SHORT))


@settings(max_examples=30, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10**9), people=st.integers(1, 30), days=st.sampled_from([30.0, 61.0, 365.0, 730.0, 1096.0]))
def test_every_walk_holds(seed: int, people: int, days: float) -> None:
    checked(walk(seed, people, days), days=days)


def test_strategies_and_replications_hold_together() -> None:
    checked(walk(2, runs=(("baseline", 0), ("baseline", 1), ("other", 0))))


def test_a_year_without_care_or_without_programmes_holds() -> None:
    rows = three_lives()[:8]
    checked(log_of(rows, RUNGS, SHORT), town(TEXT[: TEXT.index("[[programmes]]")]), 1461.0)
    checked(log_of([{"event": "present", "stage": "adult"}], RUNGS, SHORT))


def test_care_that_costs_nothing_holds() -> None:
    free = TEXT[: TEXT.index("[[front_door]]")] + TEXT[TEXT.index("[prices]") : TEXT.index("[[programmes]]")]
    for price in ("20", "23", "700", "721", "770", "3"):
        free = free.replace(f"value = {price}, GUESS", "value = 0, GUESS")
    log = log_of(three_lives(), RUNGS, SHORT)
    assert "cost" not in set(measure_log(log, town(free), DAYS)["measure"])
    checked(log, town(free))


def test_a_run_in_which_nobody_comes_holds() -> None:
    checked(log_of(three_lives(), RUNGS, SHORT).clear())


def test_programme_cash_is_that_of_the_measures() -> None:
    model = town()
    spent = (
        measure_log(walk(0, people=1), model, DAYS)
        .filter((pl.col("measure") == "cost") & pl.col("group").is_null())["value"]
        .sum()
    )
    assert sum(programme_cash(programme, model, DAYS) for programme in model.programmes) == pytest.approx(
        spent, rel=1e-12
    )


# --- broken logs
# ---------------------------------------------------------------------------------------------------------------


def change(client: int, event: str, /, **to: Any) -> Callable[[Rows], Rows]:
    """Change the first such row of a client."""

    def broken(rows: Rows) -> Rows:
        rows[LIVES[client, event]] |= to
        return rows

    return broken


def without(client: int, event: str) -> Callable[[Rows], Rows]:
    return lambda rows: [row for k, row in enumerate(rows) if k != LIVES[client, event]]


def again(client: int, event: str, /, **to: Any) -> Callable[[Rows], Rows]:
    """Repeat a row of a client with a change, at once after it."""

    def broken(rows: Rows) -> Rows:
        k = LIVES[client, event]
        return [*rows[: k + 1], {**rows[k], **to}, *rows[k + 1 :]]

    return broken


def last_first(rows: Rows) -> Rows:
    """The last row of the first client after everybody else's."""
    k = LIVES[1, "death"]
    return [*rows[:k], *rows[k + 1 :], rows[k]]


FAULTS: dict[str, tuple[Callable[[Rows], Rows], str]] = {
    "time goes back": (change(1, "review", time=46.0), "client 1, day 46: time goes back"),
    "before the run": (change(2, "referral", time=-1.0), "client 2, day -1: a row lies outside the run of 730 days"),
    "after the run": (change(1, "death", time=731.0), "client 1, day 731: a row lies outside the run"),
    "a client in two places of the log": (last_first, "client 1, day 400: the client's rows do not stand together"),
    "out of nowhere": (without(3, "arrival"), r"client 3, day 10: appears out of nowhere \(start\)"),
    "enters twice": (again(3, "arrival"), r"enters \(arrival\) a second time"),
    "present later": (change(1, "present", time=2.0), "is 'present' on another day than day 0"),
    "acts after death": (again(1, "death", event="review"), r"does something \(review\) after death"),
    "dies twice": (again(1, "death"), r"does something \(death\) after death"),
    "tier of another service": (
        change(1, "review", tier="community"),
        "tier 'community' in service 'care_home', whose tier is 'placement'",
    ),
    "provider without the service": (
        change(3, "start", provider="council"),
        "provider 'council' does not offer the service 'extra_care'",
    ),
    "tier without service": (change(2, "diverted", tier="community"), "in no service, but on tier 'community'"),
    "provider without service": (
        change(2, "diverted", provider="council"),
        "in no service, but .* with provider 'council'",
    ),
    "stay without beginning": (change(1, "review", stay_start=None), "in service 'care_home' without a beginning"),
    "start out of a service": (change(1, "move", event="start"), "a 'start' that does not lead from no service"),
    "move out of no service": (change(2, "start", event="move"), "a 'move' that does not lead from one service"),
    "end of no service": (change(2, "diverted", event="end"), "an 'end' that does not lead from a service"),
    "end that goes on": (change(1, "review", event="end"), "an 'end' that does not lead from a service"),
    "start with a past": (change(3, "start", stay_start=4.0), "a 'start' whose stay began on another day"),
    "stay in the future": (change(1, "present", stay_start=3.0), "a stay that is still to begin"),
    "silent move": (change(1, "move", event="review"), "the place changes at a 'review', which moves nobody"),
    "silent new provider": (
        change(1, "review", provider="council"),
        "the place changes at a 'review', which moves nobody",
    ),
    "silent new stay": (change(1, "review", stay_start=80.0), "the place changes at a 'review', which moves nobody"),
    "rise that falls": (change(2, "fall", event="rise"), "a 'rise' that does not raise need"),
    "fall that rises": (change(1, "rise", event="fall"), "a 'fall' that does not lower need"),
    "silent need": (change(1, "review", need="enhanced"), "need changes at a 'review', which changes no need"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_broken_log_is_found_out(name: str) -> None:
    broken, sentence = FAULTS[name]
    sound = log_of(three_lives(), RUNGS, SHORT)
    measures = measure_log(sound, town(), DAYS)
    with pytest.raises(BrokenInvariant, match=sentence):
        check_run(log_of(broken(three_lives()), RUNGS, SHORT), measures, town(), DAYS)


def test_a_fault_names_the_strategy_and_replication() -> None:
    log = walk(2, runs=(("baseline", 0), ("other", 3)))
    broken = log.with_columns(
        pl.when(pl.col("strategy") == "other").then(pl.col("time") - 1000.0).otherwise(pl.col("time")).alias("time")
    )
    with pytest.raises(
        BrokenInvariant, match=r"strategy 'other', replication 3, client 3, day -9\d\d: a row lies outside"
    ):
        check_run(broken, measure_log(log, town(), DAYS), town(), DAYS)


def test_overlapping_stays_are_found_out() -> None:
    spells = stays(states(log_of(three_lives(), RUNGS, SHORT), DAYS))
    stays_once(spells)
    early = spells.with_columns(
        pl.when(pl.col("service") == "care_home").then(46.0).otherwise(pl.col("stay_start")).alias("stay_start")
    )
    with pytest.raises(BrokenInvariant, match="client 1, day 47: a stay in 'care_home' overlaps the one before"):
        stays_once(early)


def test_a_negative_wait_is_found_out() -> None:
    rows = three_lives()
    no_negative_wait(log_of(rows, RUNGS, SHORT))
    with pytest.raises(BrokenInvariant, match="client 2, day 30: a wait of -6 days"):
        no_negative_wait(log_of(change(2, "referral", time=30.0)(rows), RUNGS, SHORT))


# --- broken measures
# -----------------------------------------------------------------------------------------------------------


def edit(where: dict[str, str], value: Callable[[pl.Expr], pl.Expr]) -> Callable[[pl.DataFrame], pl.DataFrame]:
    """Change the value of the first row found."""

    def broken(measures: pl.DataFrame) -> pl.DataFrame:
        rows = measures.with_row_index("k")
        for column, name in where.items():
            rows = rows.filter(pl.col(column) == name)
        at = pl.col("k") == rows["k"][0]
        return (
            measures.with_row_index("k")
            .with_columns(pl.when(at).then(value(pl.col("value"))).otherwise(pl.col("value")).alias("value"))
            .drop("k")
        )

    return broken


def more(by: float) -> Callable[[pl.Expr], pl.Expr]:
    return lambda value: value + by


def both(*edits: Callable[[pl.DataFrame], pl.DataFrame]) -> Callable[[pl.DataFrame], pl.DataFrame]:
    def broken(measures: pl.DataFrame) -> pl.DataFrame:
        for one in edits:
            measures = one(measures)
        return measures

    return broken


PAID = ("cost_council", "cost_real", "cost_pv")
SLIPS: dict[str, tuple[Callable[[pl.DataFrame], pl.DataFrame], str]] = {
    "a person too many at month end": (
        edit({"measure": "caseload_end", "month": "2013-07"}, more(1)),
        "people entered, and people there or gone, .*2013-07",
    ),
    "an entry too many": (
        edit({"measure": "entries"}, more(1)),
        "entries less exits, and the caseload, at the end of 2013-04",
    ),
    "an exit too few": (
        edit({"measure": "exits"}, more(-1)),
        "entries less exits, and the caseload, at the end of 2013-07",
    ),
    "a mean caseload too high": (
        edit({"measure": "caseload"}, lambda v: v * 1.000001),
        "days of whole stays, and caseload times days",
    ),
    "a payer pays twice": (edit({"measure": "cost_client"}, lambda v: v * 2), "what the payers pay, and the cost"),
    "a count below nought": (edit({"measure": "reviews"}, lambda v: -v), "reviews is -1.0"),
    "no number": (edit({"measure": "waiting_days"}, lambda v: v * float("nan")), "waiting_days is nan"),
    "a pound too much": (
        both(edit({"measure": "cost"}, more(1)), *(edit({"measure": name}, more(1)) for name in PAID)),
        "the cost by client, and the ledger",
    ),
    "a pound at another provider": (
        both(
            edit({"measure": "cost", "provider": "council", "month": "2013-04"}, more(1)),
            edit({"measure": "cost", "provider": "northern", "month": "2013-04"}, more(-1)),
        ),
        "the cost of whole stays, and the ledger",
    ),
    "a pound in another year": (
        both(
            *(
                edit({"measure": name, "service": "extra_care", "month": month}, more(by))
                for name in ("cost", "cost_council")
                for month, by in (("2013-05", 1), ("2014-05", -1))
            )
        ),
        "the cost of stays within a year, and the ledger",
    ),
    "real cost adrift": (edit({"measure": "cost_real"}, more(1)), "real cost of 2013/14"),
    "present value adrift": (edit({"measure": "cost_pv"}, more(1)), "net present value of 2013/14"),
}


@pytest.mark.parametrize("name", SLIPS)
def test_broken_measures_are_found_out(name: str) -> None:
    broken, sentence = SLIPS[name]
    log = log_of(three_lives(), RUNGS, SHORT)
    measures = measure_log(log, town(), DAYS)
    with pytest.raises(BrokenInvariant, match=sentence):
        check_run(log, broken(measures), town(), DAYS)


def test_measures_of_another_log_are_found_out() -> None:
    log = log_of(three_lives(), RUNGS, SHORT)
    fewer = measure_log(log.filter(pl.col("client") != 3), town(), DAYS)
    shown = states(log, DAYS)
    with pytest.raises(BrokenInvariant, match="people entered, and people there or gone"):
        people_add_up(prepare(log), shown, fewer, town(), DAYS)
    with pytest.raises(BrokenInvariant, match=r"days of whole stays, and caseload times days .*service extra_care"):
        little(prepare(log), stays(shown), fewer, town(), DAYS)
    with pytest.raises(BrokenInvariant, match="the cost by client, and the ledger"):
        money_adds_up(prepare(log), stays(shown), fewer, town(), DAYS)


def test_events_that_belie_the_states_break_littles_law() -> None:
    """The days between coming and going are counted from events alone: here a death is missing from them."""
    log = log_of(three_lives(), RUNGS, SHORT)
    measures, spells = measure_log(log, town(), DAYS), stays(states(log, DAYS))
    blind = prepare(log).with_columns(
        pl.when(pl.col("event") == "death")
        .then(pl.lit("review"))
        .otherwise(pl.col("event").cast(pl.String))
        .alias("event")
    )
    little(prepare(log), spells, measures, town(), DAYS)
    with pytest.raises(BrokenInvariant, match="days between coming and going, and caseload times days"):
        little(blind, spells, measures, town(), DAYS)


def test_prices_of_another_model_are_found_out() -> None:
    log = log_of(three_lives(), RUNGS, SHORT)
    dearer = town(TEXT.replace("{ from = 2013-06-17, value = 23, GUESS }", "{ from = 2013-06-18, value = 23, GUESS }"))
    with pytest.raises(BrokenInvariant, match="the cost by client, and the ledger"):
        check_run(log, measure_log(log, town(), DAYS), dearer, DAYS)


def test_payers_alone() -> None:
    payers_add_up(measure_log(walk(0), town(), DAYS), town())


# --- places, queues, hospital
# --------------------------------------------------------------------------------------------------


def crowded_lives() -> Rows:
    """One waits, is admitted, waits again and is served; one is displaced by a cut and keeps the place; one waits to
    move, in vain."""
    waits, need = {"need": "community", "waiting": True}, {"need": "community"}
    bought = {**care("care_home", "northern", 36.0, "community"), "spot": True}
    home, later = care("home_care", "council", -10.0, "community"), care("care_home", "council", 70.0, "community")
    rows = [(
        1, 1.0, "referral", waits, "new"), (1, 9.0, "queued", waits, "community"), (1, 20.0, "crisis", waits,
        "hazard"), (1, 20.0, "withdrawn", need, "superseded"), (1, 20.0, "admitted", {**need, "hospital": "treated"},
        "crisis"), (1, 30.0, "ready", {**waits, "hospital": "ready"}, "hospital"), (1, 30.0, "queued", {**waits,
        "hospital": "ready"}, "hospital"), (1, 36.0, "start", bought, "hospital"), (1, 90.0, "queued", {**bought,
        "waiting": True}, "planned"), (2, 0.0, "present", home, "day_0"), (2, 5.0, "displaced", {**home, "spot": True},
        "cut"), (2, 5.0, "queued", {**home, "spot": True, "waiting": True}, "cut"), (2, 45.0, "kept", home, ""), (2,
        50.0, "queued", {**home, "waiting": True}, "planned"), (2, 60.0, "queued", {**home, "waiting": True},
        "community"), (2, 70.0, "move", later, "review"), (2, 80.0, "admitted", {**later, "hospital": "treated"},
        "crisis"), (2, 85.0, "ready", {**later, "hospital": "ready"}, "hospital"), (2, 88.0, "discharged", later, ""),
        (2, 99.0, "transition", later, "supported"), (3, 0.0, "present", home, "day_0"), (3, 40.0, "queued", {**home,
        "waiting": True}, "planned"), (3, 60.0, "withdrawn", home, "reneged"), (3, 70.0, "queued", {**home,
        "waiting": True}, "planned"), (3, 80.0, "left", {**home, "waiting": True}, ""),
    ]  # fmt: skip
    return [
        {"client": client, "time": time, "event": event, "cause": cause, "stage": "adult", **state}
        for client, time, event, state, cause in rows
    ]


CROWD = {(row["client"], row["time"], row["event"]): k for k, row in enumerate(crowded_lives())}
SINCE_20 = ((1, 20.0, "withdrawn"), (1, 20.0, "admitted"))


def test_crowded_lives_hold() -> None:
    checked(log_of(crowded_lives(), RUNGS, SHORT))


CROWD_FAULTS: dict[str, tuple[dict[tuple[int, float, str], dict[str, Any]], str]] = {
    "admitted and not treated": (
        {(1, 20.0, "admitted"): {"hospital": "no"}},
        "an 'admitted' that does not lead from outside",
    ),
    "admitted twice": (
        {(1, 20.0, "withdrawn"): {"event": "admitted", "cause": "crisis", "hospital": "treated"}},
        "an 'admitted' that does not lead",
    ),
    "ready before treatment": (
        {(2, 80.0, "admitted"): {"event": "review", "hospital": "no"}},
        "a 'ready' of someone who was not treated",
    ),
    "ready and gone": ({(2, 85.0, "ready"): {"hospital": "no"}}, "a 'ready' of someone who was not treated"),
    "discharged to hospital": (
        {(2, 88.0, "discharged"): {"hospital": "ready"}},
        "a 'discharged' that does not lead out",
    ),
    "treated unseen": (
        {(1, 20.0, "crisis"): {"hospital": "treated"}},
        "from 'no' to 'treated' in hospital at a 'crisis'",
    ),
    "home unseen": ({(2, 88.0, "discharged"): {"event": "review"}}, "from 'ready' to 'no' in hospital at a 'review'"),
    "spot in no service": ({(1, 9.0, "queued"): {"spot": True}}, "a spot purchase, in no service"),
    "displaced and regular": (
        {(2, 5.0, "displaced"): {"spot": False}},
        "a 'displaced' that does not lead from a contracted place",
    ),
    "kept and beyond": (
        {(2, 45.0, "kept"): {"spot": True}},
        "a 'kept' that does not lead from a place above contracted capacity",
    ),
    "spot unseen": (
        {(2, 5.0, "displaced"): {"event": "review"}},
        "whether the place is above contracted capacity changes at a 'review'",
    ),
    "queue without a class": ({(1, 9.0, "queued"): {"cause": "review"}}, r"joins the queue in no class \('review'\)"),
    "kept unasked": (
        {(2, 5.0, "queued"): {"event": "review", "waiting": False}},
        "a 'kept' of someone who waits for no place",
    ),
    "withdrawn from nothing": (
        {(3, 40.0, "queued"): {"event": "review", "waiting": False}},
        "a 'withdrawn' of someone who waits for nothing",
    ),
    "superseded nothing": (
        {(1, 9.0, "queued"): {"event": "assessed"}},
        "a request for a place is superseded that was never made",
    ),
    "in the queue without waiting": (
        {(2, 50.0, "queued"): {"waiting": False}},
        "is in the queue for a place since 'queued' or before, but does not",
    ),
    "waits after leaving the queue": (
        {(3, 60.0, "withdrawn"): {"waiting": True}},
        "waits in 'home_care' without having joined the queue",
    ),
    "transition from nowhere": ({(1, 20.0, "crisis"): {"event": "transition"}}, "a 'transition' out of no service"),
    "displaced to another place": (
        {(2, 5.0, "displaced"): {"provider": "northern"}},
        "the place changes at a 'displaced', which moves nobody",
    ),
    "kept with a new stay": (
        {(2, 45.0, "kept"): {"stay_start": 45.0}},
        "the place changes at a 'kept', which moves nobody",
    ),
}


@pytest.mark.parametrize("name", CROWD_FAULTS)
def test_a_log_that_belies_queues_and_hospital_is_found_out(name: str) -> None:
    changes, sentence = CROWD_FAULTS[name]
    rows = crowded_lives()
    measures = measure_log(log_of(rows, RUNGS, SHORT), town(), DAYS)
    for key, to in changes.items():
        rows[CROWD[key]] |= to
    with pytest.raises(BrokenInvariant, match=sentence):
        check_run(log_of(rows, RUNGS, SHORT), measures, town(), DAYS)


QUEUE_SLIPS: dict[str, tuple[Callable[[pl.DataFrame], pl.DataFrame], str]] = {
    "one joins too many": (
        edit({"measure": "queued"}, more(1)),
        "who joined a queue, and who was placed, left it or still waits",
    ),
    "one is placed too few": (
        edit({"measure": "placed_hospital"}, more(-1)),
        "who joined a queue, and who was placed, left it or still waits",
    ),
    "a day in the queue too many": (
        edit({"measure": "queue_days"}, more(1)),
        "the length of all waits for a place, and the days of waiting",
    ),
    "a day waited too many": (
        edit({"measure": "waited_days_community"}, more(1)),
        "the waits of class community that ended with a place",
    ),
    "a pound of spot too much": (
        both(
            *(
                edit({"measure": name, "service": "care_home", "provider": "northern"}, more(1))
                for name in ("cost", *PAID)
            )
        ),
        "the cost by client, and the ledger",
    ),
}


@pytest.mark.parametrize("name", QUEUE_SLIPS)
def test_broken_measures_of_queues_are_found_out(name: str) -> None:
    broken, sentence = QUEUE_SLIPS[name]
    log = log_of(crowded_lives(), RUNGS, SHORT)
    with pytest.raises(BrokenInvariant, match=sentence):
        check_run(log, broken(measure_log(log, town(), DAYS)), town(), DAYS)


def test_a_negative_wait_in_the_queue_is_found_out() -> None:
    rows = crowded_lives()
    rows[CROWD[2, 5.0, "queued"]]["time"] = 46.0
    log = prepare(log_of(rows, RUNGS, SHORT))
    with pytest.raises(BrokenInvariant, match="client 2, day 46: a wait of -1 days in the queue"):
        queues_add_up(log, states(log, DAYS), measure_log(log, town(), DAYS), DAYS)


@pytest.mark.parametrize(
    "text",
    [
        TEXT.replace("spot_premium = { value = 0.2", "spot_premium = { value = 0.21"),
        TEXT.replace("from = 2013-11-05, value = 330", "from = 2013-06-20, value = 330"),
        TEXT.replace("{ value = 700, GUESS }\n\n[prices]", "{ value = 701, GUESS }\n\n[prices]"),
    ],
    ids=["spot", "hospital", "transition"],
)
def test_what_spot_places_delays_and_transitions_cost_in_another_model_is_found_out(text: str) -> None:
    assert text != TEXT
    log = log_of(crowded_lives(), RUNGS, SHORT)
    checked(log)
    with pytest.raises(BrokenInvariant, match="the cost by client, and the ledger"):
        check_run(log, measure_log(log, town(), DAYS), town(text), DAYS)


HOMES = "places = { value = 9000, GUESS }\nspot_premium = { value = 0.2, GUESS }"
FEW = (
    "places = [{ value = 2.9, GUESS }, { from = 2013-05-01, value = 1, GUESS }, { from = 2013-05-31, value = 3,"
    " GUESS }]"
)


def residents(*rows: tuple[int, float, str, bool], area: str = "east", run: str = "baseline") -> Rows:
    """People in care homes of the northern provider: client, time, event, spot."""
    found: Rows = []
    for client, time, event, spot in rows:
        state = (
            {"need": "placement"}
            if event == "end"
            else {**care("care_home", "northern", -1.0, "placement"), "spot": spot}
        )
        found.append(
            {"strategy": run, "client": client, "time": time, "event": event, "stage": "adult", "area": area, **state}
        )
    return found


def held(rows: Rows, places: str = FEW, days: float = 90.0) -> None:
    places_hold(prepare(log_of(rows, RUNGS, SHORT)), town(TEXT.replace(HOMES, places)), days)


TWO = residents(
    (1, 0.0, "present", False), (2, 0.0, "present", False), (2, 30.0, "displaced", True), (2, 60.0, "kept", False)
)


def test_a_cut_that_someone_makes_room_for_holds() -> None:
    """2.9 places are 2; from 1 May (day 30) there is 1, from 31 May (day 60) there are 3."""
    held(TWO)
    held([*TWO, *residents((3, 7.0, "start", True))])  # bought beyond the number
    held([*TWO, *residents((3, 60.0, "start", False))])
    held(
        residents(
            (1, 12.0, "start", False),
            (2, 0.0, "present", False),
            (2, 30.0, "end", False),
            (3, 0.0, "present", False),
            (3, 12.0, "end", False),
        )
    )
    held([*TWO, *(row | {"strategy": "other"} for row in TWO)])
    held([*TWO, *residents((3, 7.0, "start", False), area="west")], 'places = { value = 2, GUESS }\narea = "east"')
    held(
        [*TWO, *residents((3, 0.0, "present", False), (3, 20.0, "death", False), (4, 20.0, "start", False))],
        "places = { value = 3, GUESS }",
    )


@pytest.mark.parametrize(
    ("rows", "places", "sentence"),
    [
        (
            [*TWO, *residents((3, 7.0, "start", False))],
            FEW,
            "day 7: 3 people in the 2 places of 'care_home' of 'northern'",
        ),
        (TWO[:2], FEW, "strategy 'baseline', replication 0, day 30: 2 people in the 1 places"),
        ([*TWO[:2], *residents((2, 30.001, "displaced", True))], FEW, "day 30: 2 people in the 1 places"),
        ([*TWO[:3], *residents((2, 59.9, "kept", False))], FEW, "day 59.9: 2 people in the 1 places"),
        (
            [*TWO, *residents((3, 60.0, "start", False), (4, 60.0, "start", False))],
            FEW,
            "day 60: 4 people in the 3 places",
        ),
        (
            [*TWO, *residents((3, 20.0, "start", False), (4, 20.5, "death", False))],
            "places = { value = 2, GUESS }",
            "day 20: 3 people in the 2",
        ),
        (
            [*TWO, *(row | {"strategy": "other"} for row in TWO[:2])],
            FEW,
            "strategy 'other', replication 0, day 30: 2 people",
        ),
        (
            TWO,
            'places = { value = 1, GUESS }\narea = "east"',
            "day 0: 2 people in the 1 places of 'care_home' of 'northern' in 'east'",
        ),
    ],
    ids=[
        "one too many",
        "a cut unseen",
        "a cut too late",
        "kept too early",
        "four in three",
        "the dead leave later",
        "another run",
        "an area",
    ],
)
def test_people_without_a_place_are_found_out(rows: Rows, places: str, sentence: str) -> None:
    with pytest.raises(BrokenInvariant, match=sentence):
        held(rows, places)


def test_places_of_another_area_are_found_out() -> None:
    model = town(TEXT.replace(HOMES, 'places = { value = 9, GUESS }\narea = "west"'))
    log = log_of(TWO[:2], RUNGS, SHORT)
    with pytest.raises(BrokenInvariant, match="provider 'northern' does not offer the service 'care_home' to 'east'"):
        check_run(log, measure_log(log, model, 90.0), model, 90.0)
