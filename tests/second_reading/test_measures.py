"""Measures against a second implementation, client-day by client-day in plain Python, and against answers worked out by
hand."""

from __future__ import annotations

import datetime as dt
import math
from calendar import isleap
from collections import defaultdict
from itertools import groupby
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simcare.errors import BrokenInvariant
from simcare.log.by_hand import log_of
from simcare.log.flows import flows_between, queue_waits, referral_waits
from simcare.log.periods import calendar
from simcare.log.states import provision, states, stays
from simcare.measures.counted_events import COUNTED, counted_events
from simcare.measures.measure import COLUMNS, DAYS_OF, measure_log, measures_of, tallies
from simcare.model import Model
from simcare.units import days_in_year, first_year
from tests.second_reading.walker import RUNGS, SHORT, TIER_OF, town, walk

Key = tuple[Any, ...]
PLACE = ("area", "stage", "group", "tier", "service", "provider")
NOWHERE = dict.fromkeys(PLACE)


# --- the second implementation
# -------------------------------------------------------------------------------------------------


class Tally:
    """Values by (strategy, replication, month, place, measure)."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.values: dict[Key, float] = defaultdict(float)

    def date(self, day: float) -> dt.date:
        return self.model.about.start + dt.timedelta(days=math.floor(day))

    def add(self, run: Key, day: float, place: dict[str, Any], name: str, value: float = 1.0) -> None:
        self.values[(*run, f"{self.date(day):%Y-%m}", *(place[p] for p in PLACE), name)] += value

    def pay(
        self,
        run: Key,
        day: float,
        place: dict[str, Any],
        base: float,
        client: float = 0.0,
        health: float = 0.0,
        kind: str = "",
    ) -> None:
        prices, year = self.model.prices, first_year(self.date(day))
        since = year - int(prices.base_year[:4])
        cash = base * (1 + prices.growth_per_year.value) ** since
        real = cash / (1 + prices.inflation_per_year.value) ** since
        worth = real
        for y in range(1, year - first_year(self.model.about.start) + 1):
            worth /= 1 + [band.per_year.value for band in prices.discount if band.from_year <= y][-1]
        amounts = {
            "cost": cash, "cost_client": cash * client, "cost_health": cash * health,
            "cost_council": cash * (1 - client - health), "cost_real": real, "cost_pv": worth
        }  # fmt: skip
        for name, amount in amounts.items():
            self.add(run, day, place, name, amount)
        if kind:
            self.add(run, day, place, f"paid_{kind}", cash)


def price_on(model: Model, service: str, provider: str, date: dt.date) -> float:
    for candidate in model.providers:
        for offer in candidate.offers:
            if (candidate.name, offer.service) == (provider, service):
                terms = next(contract for contract in model.contracts if contract.name == offer.contract).terms
                return sum(term.price.at(date) / term.days for term in terms)
    raise AssertionError(f"nobody offers {service}")


def naive(log: pl.DataFrame, model: Model, days: float) -> dict[Key, float]:
    tally = Tally(model)
    runs = sorted({(row["strategy"], row["replication"]) for row in log.rows(named=True)})
    for (strategy, replication, _), person in groupby(
        log.rows(named=True), lambda row: (row["strategy"], row["replication"], row["client"])
    ):
        naive_person(tally, (strategy, replication), list(person), days)
    for run in runs:
        naive_programmes(tally, run, days)
    return {key: value for key, value in tally.values.items() if value != 0}


TIERS = [*RUNGS, *SHORT]
PROVIDERS = {"step_down": "provider_step_downs", "premature": "premature_releases"}


def naive_return(
    tally: Tally, run: Key, row: dict[str, Any], before: dict[str, Any] | None, stepped: tuple[int, float] | None
) -> Any:
    """The tier and the day of the last step-down; who comes back to it within 91 days is readmitted."""
    if before is None or row["event"] not in ("start", "move", "end"):
        return stepped
    now, then = (TIERS.index(r["tier"]) for r in (row, before))
    if stepped is not None and row["event"] != "end" and then < stepped[0] <= now and row["time"] - stepped[1] <= 91:
        tally.add(run, row["time"], row, "readmissions_91")
    by_choice = row["cause"] not in ("handover", "reneged")
    lower = before["service"] is not None and before["tier"] in RUNGS and (row["event"] == "end" or now < then)
    return (then, row["time"]) if lower and by_choice else stepped


def naive_person(tally: Tally, run: Key, rows: list[dict[str, Any]], days: float) -> None:
    stay, ready, referred, joined, stepped = None, False, None, None, None
    tally.add(run, rows[0]["time"], rows[0], "people_known")
    for k, row in enumerate(rows):
        before = rows[k - 1] if k else None
        naive_event(tally, run, row, before)
        naive_transition(tally, run, rows[: k + 1])
        if before is not None and row["event"] in ("move", "end") and row["cause"] in PROVIDERS:
            tally.add(run, row["time"], before, PROVIDERS[row["cause"]])
        stepped = naive_return(tally, run, row, before, stepped)
        if row["event"] in ("start", "move", "kept") and joined is not None:
            kind = {"cut": "displaced"}.get(joined["cause"], joined["cause"])
            tally.add(run, row["time"], row, f"placed_{kind}")
            tally.add(run, row["time"], row, f"waited_days_{kind}", row["time"] - joined["time"])
        if row["event"] in ("start", "move", "kept", "withdrawn", "end", "diverted", "displaced"):
            joined = None
        if row["event"] == "queued":
            joined = row
        if row["event"] == "referral":
            if referred is not None:
                for within in (91, 365):
                    if row["time"] - referred <= within:
                        tally.add(run, row["time"], row, f"re_referrals_{within}")
            referred = row["time"]
        if row["event"] in ("death", "left"):
            break
        key = (row["service"], row["provider"], row["stay_start"])
        if key != stay:
            stay, ready = key, False
        long_term = row["service"] is not None and row["tier"] in RUNGS
        gap = (
            0
            if row["tier"] in SHORT or row["hospital"] != "no"
            else RUNGS.index(row["tier"]) - RUNGS.index(row["need"])
        )
        ready = ready or (long_term and gap >= 1)
        until = rows[k + 1]["time"] if k + 1 < len(rows) else days
        naive_days(
            tally,
            run,
            {**row, "queueing": joined is not None},
            until,
            days,
            long_term=long_term,
            gap=gap,
            ready=ready,
        )


def naive_days(
    tally: Tally,
    run: Key,
    row: dict[str, Any],
    until: float,
    days: float,
    *,
    long_term: bool,
    gap: int,
    ready: bool,
) -> None:
    """Walk through the days of a state one by one; the last month of the run may be cut short by its end, on day
    ``days``."""
    away = row["hospital"] != "no"
    service = next((s for s in tally.model.services if s.name == row["service"]), None)
    for day in range(math.floor(row["time"]), math.ceil(until)):
        here = max(row["time"], day), min(until, day + 1.0)
        part = here[1] - here[0]
        if part <= 0:
            continue
        next_month = (tally.date(day).replace(day=28) + dt.timedelta(days=4)).replace(day=1)
        month_days = min(next_month, tally.date(days)) - tally.date(day).replace(day=1)
        last_of_month = tally.date(day + 1).day == 1 or day + 1 == days

        def count(name: str, amount: float, day: int = day) -> None:
            if amount:
                tally.add(run, day, row, name, amount)

        if service is not None:
            count("person_days", part)
            count("caseload", part / month_days.days)
            count("caseload_end", last_of_month and row["time"] < day + 1 <= until)
            count("under_provided_days", part * (gap < 0))
            price = price_on(tally.model, row["service"], row["provider"], tally.date(day))
            shares = [0.0 if share is None else share.value for share in (service.client_share, service.health_share)]
            tally.pay(run, day, row, part * price, *shares)
            if row["spot"]:
                tally.pay(
                    run, day, row, part * price * premium_of(tally.model, row["service"], row["provider"]), *shares
                )
            if row["induced"]:
                years = first_year(tally.date(day)) - int(tally.model.prices.base_year[:4])
                count("induced_cost", part * price * (1 + tally.model.prices.growth_per_year.value) ** years)
        else:
            count("unmet_need_days", part * (row["need"] != RUNGS[0] and not away))
            count("independent_days", part * (row["need"] == RUNGS[0] and not away))
            count("waiting_days", part * row["waiting"])
        count("queue_days", part * row["queueing"])
        count("transfer_days", part * (row["queueing"] and service is not None))
        count("spot_days", part * row["spot"])
        count("hospital_days", part * (row["hospital"] == "treated"))
        count("delayed_days", part * (row["hospital"] == "ready"))
        for hospital in tally.model.hospitals if row["hospital"] == "ready" else ():
            if row["stage"] in (hospital.stages or [row["stage"]]) and row["group"] in (
                hospital.groups or [row["group"]]
            ):
                assert hospital.gbp_per_delayed_day is not None
                tally.pay(run, day, cell_of(row), part * hospital.gbp_per_delayed_day.at(tally.date(day)), health=1.0)
        for name, after in (("over_provided_days", 42), ("dependency_days", 91)):
            if long_term and gap >= 1:
                count(name, max(0.0, here[1] - max(here[0], row["stay_start"] + after)))
        count("excess_stay_days", part * (long_term and ready))
        count("induced_need_days", part * (row["induced"] > 0))


def premium_of(model: Model, service: str, provider: str) -> float:
    premiums = {
        (p.name, o.service): o.spot_premium.value
        for p in model.providers
        for o in p.offers
        if o.spot_premium is not None
    }
    return premiums.get((provider, service), 0.0)


def cell_of(row: dict[str, Any]) -> dict[str, Any]:
    return {**NOWHERE, **{p: row[p] for p in ("area", "stage", "group")}}


def naive_transition(tally: Tally, run: Key, rows: list[dict[str, Any]]) -> None:
    """The hand-over of that age and of the group before it."""
    row = rows[-1]
    if (row["event"], row["cause"]) != ("transition", "supported"):
        return
    group = row["group"]
    for k in range(len(rows) - 1, 0, -1):
        if rows[k]["time"] == row["time"] and rows[k]["event"] == "handover":
            group = rows[k - 1]["group"]
            break
    for handover in tally.model.handovers:
        if abs(handover.age - row["age"]) < 0.1 and group in (handover.groups or [group]):
            assert handover.gbp_supported is not None
            tally.pay(
                run, row["time"], cell_of(row), handover.gbp_supported.at(tally.date(row["time"])), kind="transitions"
            )


def naive_event(tally: Tally, run: Key, row: dict[str, Any], before: dict[str, Any] | None) -> None:
    event, time, here, there = row["event"], row["time"], row, before or NOWHERE
    plain = {
        "crisis": "crises", "referral": "referrals", "diverted": "diverted", "assessed": "assessments",
        "review": "reviews", "start": "entries", "queued": "queued", "displaced": "displaced", "admitted": "admissions"
    }  # fmt: skip
    if (event, row["cause"]) == ("withdrawn", "reneged"):
        tally.add(run, time, here, "reneged")
    if event in ("start", "move") and row["spot"]:
        tally.add(run, time, here, "spot_purchases")
    if event == "transition":
        tally.add(run, time, here, f"{row['cause']}_transitions")
    if event in plain:
        tally.add(run, time, here, plain[event])
    if event in ("death", "left"):
        tally.add(run, time, there, {"death": "deaths", "left": "leavers"}[event])
    if event in ("death", "left", "end") and there["service"] is not None:
        tally.add(run, time, there, "exits")
    if event == "end":
        tally.add(run, time, there, "step_downs")
    if event in ("start", "move") and here["tier"] in SHORT and there["tier"] not in SHORT:
        tally.add(run, time, here, "step_ups")
        tally.add(run, time, here, "step_up_starts")
    if event == "move" and here["tier"] in RUNGS and there["tier"] in RUNGS:
        change = RUNGS.index(here["tier"]) - RUNGS.index(there["tier"])
        if change > 0:
            tally.add(run, time, here, "step_ups")
        if change < 0:
            tally.add(run, time, there, "step_downs")
    if event in ("assessed", "review"):
        for door in tally.model.front_door:
            fee = door.gbp_per_assessment if event == "assessed" else door.gbp_per_review
            if fee is not None and (door.stages is None or row["stage"] in door.stages):
                tally.pay(run, time, cell_of(row), fee.at(tally.date(time)), kind=plain[event])


def naive_programmes(tally: Tally, run: Key, days: float) -> None:
    """Day by day; the ramp of the model's format in equal steps at most 30.4375 days apart."""
    for programme in tally.model.programmes:
        steps = max(1, math.ceil(programme.ramp_days / 30.4375))
        for day in range(math.floor(days)):
            date = tally.date(day)
            done = sum(
                date >= programme.start + dt.timedelta(days=round(programme.ramp_days * k / steps))
                for k in range(steps)
            )
            gbp = (
                programme.gbp_per_year.value * done / steps / days_in_year(first_year(date))
                if programme.gbp_per_year
                else 0.0
            )
            if date == programme.start and programme.one_off_gbp is not None:
                gbp += programme.one_off_gbp.value
            if gbp:
                tally.pay(run, day, {**NOWHERE, "stage": programme.stage}, gbp, kind="programmes")


def as_dict(measures: pl.DataFrame) -> dict[Key, float]:
    values = {row[:-1]: row[-1] for row in measures.rows()}
    assert len(values) == measures.height, "one row for each key"
    return values


def assert_same(found: dict[Key, float], expected: dict[Key, float]) -> None:
    wrong = {
        key: (found.get(key), expected.get(key))
        for key in found.keys() | expected.keys()
        if not math.isclose(found.get(key, 0.0), expected.get(key, 0.0), rel_tol=1e-9, abs_tol=1e-9)
    }
    assert not wrong, f"{len(wrong)} differ, such as {list(wrong.items())[:3]}"


# --- against it
# ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(6))
def test_measures_agree_with_counting_by_the_day(seed: int) -> None:
    model, log = town(), walk(seed)
    measures = measure_log(log, model, 730.0)
    assert tuple(measures.columns) == COLUMNS
    assert [measures.schema[c] for c in COLUMNS] == [pl.String, pl.Int32, *[pl.String] * 8, pl.Float64]
    assert_same(as_dict(measures), naive(log, model, 730.0))


@settings(max_examples=15, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10**9), people=st.integers(1, 6), days=st.sampled_from([30, 91, 365, 800]))
def test_measures_agree_whoever_walks_and_however_long(seed: int, people: int, days: int) -> None:
    model, log = town(), walk(seed, people, float(days))
    assert_same(as_dict(measure_log(log, model, float(days))), naive(log, model, float(days)))


def test_every_measure_occurs_in_the_walks() -> None:
    """Otherwise the comparison above would hold for a measure that is never there."""
    found = set(measure_log(walk(0, people=60), town(), 730.0)["measure"])
    days = {
        "person_days", "caseload", "caseload_end", "over_provided_days", "dependency_days", "excess_stay_days",
        "induced_need_days", "under_provided_days", "unmet_need_days", "waiting_days", "independent_days",
        "queue_days", "transfer_days", "hospital_days", "delayed_days", "spot_days"
    }  # fmt: skip
    events = {
        "entries", "exits", "step_ups", "step_up_starts", "step_downs", "crises", "referrals", "re_referrals_91",
        "re_referrals_365", "diverted", "assessments", "reviews", "deaths", "leavers", "queued", "reneged",
        "spot_purchases", "displaced", "admissions", "supported_transitions", "unsupported_transitions",
        "provider_step_downs", "premature_releases", "readmissions_91", "people_known"
    }  # fmt: skip
    classes = {
        f"{what}_{name}"
        for what in ("placed", "waited_days")
        for name in ("crisis", "hospital", "community", "planned", "displaced")
    }
    money = {"cost", "cost_council", "cost_health", "cost_client", "cost_real", "cost_pv", "induced_cost"}
    money |= {"paid_programmes", "paid_assessments", "paid_reviews", "paid_transitions"}
    assert found == days | events | classes | money


def test_strategies_and_replications_stay_apart() -> None:
    runs = (("baseline", 0), ("baseline", 1), ("other", 0), ("other", 1))
    model, log = town(), walk(5, people=4, runs=runs)
    together = measure_log(log, model, 730.0)
    assert_same(as_dict(together), naive(log, model, 730.0))
    alone = [
        measure_log(log.filter((pl.col("strategy") == s) & (pl.col("replication") == r)), model, 730.0) for s, r in runs
    ]
    assert_same(as_dict(together), as_dict(pl.concat(alone)))


def test_strategies_may_be_interleaved_within_a_replication() -> None:
    model, log = town(), walk(5, people=4, runs=(("baseline", 0), ("other", 0)))
    mixed = log.sort("replication", "client", "time", maintain_order=True)
    assert mixed["strategy"].to_list() != log["strategy"].to_list()
    assert measure_log(mixed, model, 730.0).equals(measure_log(log, model, 730.0))


def test_two_measurements_are_identical_to_the_last_bit_whatever_the_types_of_names() -> None:
    model, log = town(), walk(3, people=40)
    text = log.with_columns(pl.col("area", "stage", "group", "service", "provider", "event", "cause").cast(pl.String))
    assert measure_log(log, model, 730.0).equals(measure_log(log, model, 730.0))
    assert measure_log(log, model, 730.0).equals(measure_log(text, model, 730.0))


# --- by hand
# -------------------------------------------------------------------------------------------------------------------


def in_care(
    service: str = "home_care", provider: str = "council", need: str | None = None, since: float = 0.0
) -> dict[str, Any]:
    tier = TIER_OF[service]
    where = {
        "area": "east",
        "stage": "adult",
        "tier": tier,
        "service": service,
        "provider": provider,
        "stay_start": since,
    }
    return {**where, "need": need or (tier if tier in RUNGS else RUNGS[1])}


def out(need: str = RUNGS[0]) -> dict[str, Any]:
    return {"area": "east", "stage": "adult", "need": need}


def measured(rows: list[dict[str, Any]], days: float) -> dict[tuple[str, str], float]:
    """Sums by (measure, month) of a log written by hand, money left out."""
    measures = measure_log(log_of(rows, RUNGS, SHORT), town(), days)
    return {
        (m, month): v
        for m, month, v in measures.group_by("measure", "month").agg(pl.col("value").sum()).rows()
        if "cost" not in m
    }


def only(values: dict[tuple[str, str], float], name: str) -> dict[str, float]:
    return {month: value for (measure_name, month), value in sorted(values.items()) if measure_name == name}


def test_caseload_of_one_stay_over_two_months() -> None:
    """From noon on 16 April to 6 a.m. on 4 May 2013: 14.5 and 3.25 days, of 30 and 31."""
    rows = [{
        "event": "arrival", "time": 15.5, **out("community")}, {"event": "start", "time": 15.5, **in_care(since=15.5)},
        {"event": "end", "time": 33.25, **out()
    }]  # fmt: skip
    values = measured(rows, 61.0)
    assert only(values, "person_days") == {"2013-04": 14.5, "2013-05": 3.25}
    assert only(values, "caseload") == {"2013-04": 14.5 / 30, "2013-05": 3.25 / 31}
    assert only(values, "caseload_end") == {"2013-04": 1.0}
    assert only(values, "entries") == {"2013-04": 1.0}
    assert only(values, "exits") == {"2013-05": 1.0}
    assert only(values, "independent_days") == {"2013-05": 27.75}
    assert only(values, "unmet_need_days") == {}, "the arrival is served in the same moment"


def test_an_end_on_the_stroke_of_midnight_belongs_to_the_next_month() -> None:
    rows = [{"event": "present", **in_care()}, {"event": "end", "time": 30.0, **out()}]
    values = measured(rows, 61.0)
    assert only(values, "person_days") == {"2013-04": 30.0}
    assert only(values, "caseload_end") == {"2013-04": 1.0}
    assert only(values, "exits") == {"2013-05": 1.0}


def test_february_of_a_leap_year_has_29_days() -> None:
    values = measured([{"event": "present", **in_care()}], 1096.0)
    assert only(values, "person_days")["2016-02"] == 29.0
    assert only(values, "person_days")["2015-02"] == 28.0
    assert set(only(values, "caseload").values()) == {1.0}
    assert len(only(values, "caseload")) == 36


def test_over_provision_counts_after_day_42_and_dependency_after_day_91_of_the_stay() -> None:
    """There for 10 days already; need falls on day 20 (day 30 of the stay). Over-provided from day 32, dependent from
    day 81, until day 100."""
    rows = [{"event": "present", **in_care("extra_care", "northern", since=-10.0)},
            {"event": "fall", "time": 20.0, **in_care("extra_care", "northern", "community", -10.0)},
            {"event": "move", "time": 100.0, **in_care("home_care", since=100.0)}]  # fmt: skip
    values = measured(rows, 122.0)
    assert only(values, "over_provided_days") == {"2013-05": 29.0, "2013-06": 30.0, "2013-07": 9.0}
    assert only(values, "dependency_days") == {"2013-06": 10.0, "2013-07": 9.0}
    assert only(values, "excess_stay_days") == {"2013-04": 10.0, "2013-05": 31.0, "2013-06": 30.0, "2013-07": 9.0}
    assert only(values, "step_downs") == {"2013-07": 1.0}


def test_excess_goes_on_when_need_rises_again_and_ends_with_the_stay() -> None:
    care = ("extra_care", "northern")
    rows = [{"event": "present", **in_care(*care)}, {"event": "fall", "time": 5.0, **in_care(*care, "community")},
            {"event": "rise", "time": 10.0, **in_care(*care, "enhanced")},
            {"event": "move", "time": 25.0, **in_care("care_home", since=25.0)}]  # fmt: skip
    values = measured(rows, 30.0)
    assert only(values, "excess_stay_days") == {"2013-04": 20.0}
    assert only(values, "over_provided_days") == {}


def test_a_short_term_service_meets_any_need() -> None:
    rows = [
        {"event": "present", **in_care("reablement", need="placement")},
        {"event": "move", "time": 10.0, **in_care("home_care", need="placement", since=10.0)},
    ]
    values = measured(rows, 30.0)
    assert only(values, "under_provided_days") == {"2013-04": 20.0}
    assert only(values, "step_ups") == only(values, "step_downs") == {}, (
        "out of a short-term tier is neither up nor down"
    )


def test_steps_up_and_down() -> None:
    """Up a rung, into step-up, out of it to independence, into step-up from home: three steps up (two into step-up),
    one down."""
    rows = [{
        "event": "present", **in_care()}, {"event": "move", "time": 1.0, **in_care("care_home", since=1.0)},
        {"event": "move", "time": 2.0, **in_care("reablement", since=2.0)}, {"event": "end", "time": 3.0,
        **out("community")}, {"event": "start", "time": 4.0, **in_care("reablement", since=4.0)
    }]  # fmt: skip
    values = measured(rows, 30.0)
    assert only(values, "step_ups") == {"2013-04": 3.0}
    assert only(values, "step_up_starts") == {"2013-04": 2.0}
    assert only(values, "step_downs") == {"2013-04": 1.0}
    assert only(values, "entries") == only(values, "exits") == {"2013-04": 1.0}


def test_what_is_gained_is_credited_to_the_new_place_and_what_is_left_to_the_old() -> None:
    rows = [{"event": "present", **in_care()}, {"event": "move", "time": 1.0, **in_care("care_home", since=1.0)},
            {"event": "move", "time": 2.0, **in_care("home_care", since=2.0)},
            {"event": "death", "time": 3.0, **in_care("home_care", since=2.0)}]  # fmt: skip
    found = set(counted_events(log_of(rows, RUNGS, SHORT)).select("measure", "service").rows())
    assert found == {
        ("people_known", "home_care"),
        ("step_ups", "care_home"),
        ("step_downs", "care_home"),
        ("exits", "home_care"),
        ("deaths", "home_care"),
    }


def test_who_dies_at_home_leaves_no_service() -> None:
    rows = [
        {"event": "referral", "cause": "new", **out("community")},
        {"event": "death", "time": 9.0, **out("community")},
    ]
    values = measured(rows, 30.0)
    assert only(values, "deaths") == {"2013-04": 1.0}
    assert only(values, "exits") == {}
    assert only(values, "unmet_need_days") == {"2013-04": 9.0}


@pytest.mark.parametrize(("gap", "within_91", "within_365"), [(91.0, 1, 1), (91.5, 0, 1), (365.0, 0, 1), (365.5, 0, 0)])
def test_re_referrals_count_from_the_previous_referral(gap: float, within_91: int, within_365: int) -> None:
    rows = [{
        "event": "referral", "cause": "new", "time": 2.0, **out("community")}, {"event": "diverted", "time": 2.0,
        **out("community")}, {"event": "referral", "cause": "again", "time": 2.0 + gap, **out("community")
    }]  # fmt: skip
    values = measured(rows, 730.0)
    assert sum(only(values, "referrals").values()) == 2
    assert sum(only(values, "re_referrals_91").values()) == within_91
    assert sum(only(values, "re_referrals_365").values()) == within_365


def test_another_persons_referral_is_no_re_referral() -> None:
    rows = [
        {"event": "referral", "cause": "new", "client": client, "time": 2.0, **out("community")} for client in (1, 2)
    ]
    assert only(measured(rows, 30.0), "re_referrals_365") == {}


def test_who_needs_care_and_has_none_is_not_independent() -> None:
    values = measured([{"event": "present", **out("community")}], 30.0)
    assert only(values, "independent_days") == {}
    assert only(values, "unmet_need_days") == {"2013-04": 30.0}


def test_who_was_refused_is_independent_from_the_day_on_which_need_ends() -> None:
    """Referred on day 2, diverted on day 5, well from day 20 on, in hospital from day 26 on: six days."""
    rows = [
        {"event": "referral", "cause": "new", "time": 2.0, **out("community")},
        {"event": "diverted", "cause": "advice", "time": 5.0, **out("community")},
        {"event": "fall", "time": 20.0, **out()},
        {"event": "admitted", "cause": "crisis", "time": 26.0, **out(), "hospital": "treated"},
    ]
    values = measured(rows, 30.0)
    assert only(values, "independent_days") == {"2013-04": 6.0}
    assert only(values, "unmet_need_days") == {"2013-04": 18.0}
    assert only(values, "people_known") == {"2013-04": 1.0}


def test_an_event_at_the_horizon_belongs_to_no_month() -> None:
    rows = [{"event": "present", **in_care()}, {"event": "review", "time": 30.0, **in_care()}]
    values = measured(rows, 30.0)
    assert only(values, "reviews") == {}
    assert only(values, "person_days") == {"2013-04": 30.0}


def test_a_log_without_people_measures_nothing() -> None:
    empty = walk(0).clear()
    measures = measure_log(empty, town(), 365.0)
    assert measures.height == 0
    assert tuple(measures.columns) == COLUMNS
    assert measures.schema == measure_log(walk(0), town(), 365.0 * 2).schema


def test_times_outside_the_run_are_refused() -> None:
    with pytest.raises(BrokenInvariant, match="day 31, outside the run of 30 days"):
        states(log_of([{"event": "present"}, {"event": "review", "time": 31.0}], RUNGS), 30.0)


def test_a_ladder_as_text_is_refused() -> None:
    with pytest.raises(BrokenInvariant, match="'need' must be an Enum"):
        states(walk(0).with_columns(pl.col("need").cast(pl.String)), 730.0)


# --- places, queues, hospital
# --------------------------------------------------------------------------------------------------


def test_waiting_for_a_first_place() -> None:
    """Referred on day 0, in the queue from day 10, served on day 40."""
    waiting = {**out("community"), "waiting": True}
    rows = [{
        "event": "referral", "cause": "new", **waiting}, {"event": "assessed", "cause": "assessment", "time": 10.0,
        **waiting}, {"event": "queued", "cause": "community", "time": 10.0, **waiting}, {"event": "rise", "time": 15.0,
        **waiting, "need": "enhanced"}, {"event": "start", "cause": "assessment", "time": 40.0, **in_care(since=40.0)
    }]  # fmt: skip
    values = measured(rows, 61.0)
    assert only(values, "queue_days") == {"2013-04": 20.0, "2013-05": 10.0}
    assert only(values, "waiting_days") == {"2013-04": 30.0, "2013-05": 10.0}
    assert only(values, "transfer_days") == {}
    assert only(values, "queued") == {"2013-04": 1.0}
    assert only(values, "placed_community") == {"2013-05": 1.0}
    assert only(values, "waited_days_community") == {"2013-05": 30.0}


def test_waiting_in_a_service_for_another_place_counts_from_the_last_joining() -> None:
    waiting = {**in_care(need="placement"), "waiting": True}
    rows = [{
        "event": "present", **in_care(need="placement")}, {"event": "queued", "cause": "planned", "time": 5.0,
        **waiting}, {"event": "review", "cause": "up", "time": 12.0, **waiting}, {"event": "queued", "cause": "crisis",
        "time": 12.0, **waiting}, {"event": "move", "time": 20.0, **in_care("care_home", since=20.0)
    }]  # fmt: skip
    values = measured(rows, 30.0)
    assert only(values, "queue_days") == only(values, "transfer_days") == {"2013-04": 15.0}
    assert only(values, "waiting_days") == {}, "not yet served is what this counts"
    assert only(values, "queued") == {"2013-04": 2.0}
    assert only(values, "placed_crisis") == {"2013-04": 1.0}
    assert only(values, "waited_days_crisis") == {"2013-04": 8.0}
    assert not [name for name, _ in values if name.endswith(("placed_planned", "waited_days_planned"))]
    found = queue_waits(log_of(rows, RUNGS, SHORT)).select("class", "time", "until", "outcome", "days").rows()
    assert found == [("planned", 5.0, 12.0, "queued", 7.0), ("crisis", 12.0, 20.0, "move", 8.0)]
    home = counted_events(log_of(rows, RUNGS, SHORT)).filter(
        pl.col("measure").cast(pl.String).is_in(["queued", "placed_crisis"])
    )
    assert home.select("measure", "service").rows() == [
        ("queued", "home_care"),
        ("queued", "home_care"),
        ("placed_crisis", "care_home"),
    ]


@pytest.mark.parametrize("ends", ["withdrawn", "end", "displaced", "death", "left", None])
def test_a_wait_that_ends_without_a_place(ends: str | None) -> None:
    after = {"withdrawn": in_care(), "end": out(), "displaced": {**in_care(), "spot": True}}.get(
        ends or "", {**in_care(), "waiting": True}
    )
    rows = [
        {"event": "present", **in_care()},
        {"event": "queued", "cause": "planned", "time": 4.0, **in_care(), "waiting": True},
    ]
    if ends is not None:
        rows.append({"event": ends, "cause": "reneged" if ends == "withdrawn" else "", "time": 10.0, **after})
    values = measured(rows, 30.0)
    days = 26.0 if ends is None else 6.0
    assert only(values, "queue_days") == only(values, "transfer_days") == {"2013-04": days}
    assert only(values, "placed_planned") == only(values, "waited_days_planned") == {}
    assert only(values, "reneged") == ({"2013-04": 1.0} if ends == "withdrawn" else {})
    waited = queue_waits(log_of(rows, RUNGS, SHORT)).select("until", "outcome", "days").rows()
    assert waited == [(None, None, None) if ends is None else (10.0, ends, 6.0)]


def test_a_diversion_ends_the_wait_for_a_place() -> None:
    waiting = {**out("community"), "waiting": True}
    rows = [{
        "event": "referral", **waiting}, {"event": "queued", "cause": "hospital", "time": 2.0, **waiting},
        {"event": "diverted", "time": 5.0, **out("community")}, {"event": "start", "time": 9.0, **in_care(since=9.0)
    }]  # fmt: skip
    values = measured(rows, 30.0)
    assert only(values, "queue_days") == {"2013-04": 3.0}
    assert only(values, "placed_hospital") == {}


def test_another_persons_queue_is_not_mine() -> None:
    rows = [{
        "event": "present", "client": 1, **in_care()}, {"event": "queued", "client": 1, "cause": "planned",
        "time": 4.0, **in_care()}, {"event": "arrival", "client": 2, "time": 6.0, **out("community")},
        {"event": "start", "client": 2, "time": 9.0, **in_care(since=9.0)
    }]  # fmt: skip
    values = measured(rows, 30.0)
    assert only(values, "queue_days") == {"2013-04": 26.0}
    assert only(values, "placed_planned") == {}


def test_who_is_served_at_once_never_queued() -> None:
    """Causes of placement and classes of queues share their names."""
    rows = [{
        "event": "present", **in_care()}, {"event": "move", "cause": "crisis", "time": 3.0, **in_care("reablement",
        since=3.0)}, {"event": "move", "cause": "hospital", "time": 9.0, **in_care("care_home", since=9.0)},
        {"event": "move", "time": 12.0, **in_care(since=12.0)}, {"event": "present", "client": 2, **in_care()},
        {"event": "queued", "client": 2, "cause": "planned", "time": 4.0, **in_care()
    }]  # fmt: skip
    assert not [name for name, _ in measured(rows, 30.0) if name.startswith(("placed", "waited_days"))]


def test_whose_place_is_cut_and_who_keeps_it_stay_in_one_stay() -> None:
    care = in_care("extra_care", "northern", "community", -50.0)
    spot = {**care, "spot": True}
    rows = [{
        "event": "present", **care}, {"event": "displaced", "cause": "cut", "time": 10.0, **spot}, {"event": "queued",
        "cause": "crisis", "time": 10.0, **spot, "waiting": True}, {"event": "kept", "time": 22.0, **care
    }]  # fmt: skip
    values = measured(rows, 30.0)
    assert only(values, "displaced") == {"2013-04": 1.0}
    assert (
        only(values, "spot_days")
        == only(values, "queue_days")
        == only(values, "waited_days_crisis")
        == {"2013-04": 12.0}
    )
    assert only(values, "placed_crisis") == {"2013-04": 1.0}
    assert (
        only(values, "person_days")
        == only(values, "over_provided_days")
        == only(values, "excess_stay_days")
        == {"2013-04": 30.0}
    )
    assert only(values, "entries") == only(values, "exits") == only(values, "spot_purchases") == {}
    assert stays(states(log_of(rows, RUNGS, SHORT), 30.0)).height == 1


def test_places_bought_beyond_the_number() -> None:
    rows = [{
        "event": "present", **in_care()}, {"event": "move", "time": 3.0, **in_care("reablement", since=3.0),
        "spot": True}, {"event": "move", "time": 9.0, **in_care("home_care", since=9.0)}, {"event": "arrival",
        "client": 2, "time": 5.0, **out("community")}, {"event": "start", "client": 2, "time": 5.0,
        **in_care("reablement", since=5.0), "spot": True
    }]  # fmt: skip
    values = measured(rows, 30.0)
    assert only(values, "spot_purchases") == {"2013-04": 2.0}
    assert only(values, "spot_days") == {"2013-04": 6.0 + 25.0}


def test_a_place_in_care_is_kept_in_hospital_and_meets_no_need_there() -> None:
    """Under-provided except in hospital, from day 5; ready to leave on day 12, back on day 15."""
    care = in_care(need="placement")
    rows = [{
        "event": "present", **care}, {"event": "crisis", "time": 5.0, **care}, {"event": "admitted", "time": 5.0,
        **care, "hospital": "treated"}, {"event": "ready", "time": 12.0, **care, "hospital": "ready"},
        {"event": "discharged", "time": 15.0, **care
    }]  # fmt: skip
    values = measured(rows, 30.0)
    assert only(values, "person_days") == {"2013-04": 30.0}
    assert only(values, "under_provided_days") == {"2013-04": 20.0}
    assert only(values, "hospital_days") == {"2013-04": 7.0}
    assert only(values, "delayed_days") == {"2013-04": 3.0}
    assert only(values, "admissions") == {"2013-04": 1.0}
    assert provision(states(log_of(rows, RUNGS, SHORT), 30.0))["gap"].to_list() == [-2, -2, 0, 0, -2]


def test_who_is_over_provided_is_not_so_in_hospital_but_the_stay_goes_on() -> None:
    care = in_care("care_home", need="community", since=-100.0)
    rows = [{
        "event": "present", **care}, {"event": "admitted", "time": 5.0, **care, "hospital": "treated"},
        {"event": "ready", "time": 12.0, **care, "hospital": "ready"}, {"event": "move", "time": 15.0,
        **in_care(since=15.0)
    }]  # fmt: skip
    values = measured(rows, 30.0)
    assert only(values, "over_provided_days") == only(values, "dependency_days") == {"2013-04": 5.0}
    assert only(values, "excess_stay_days") == {"2013-04": 15.0}


def test_nobody_is_independent_in_hospital_nor_is_their_need_unmet() -> None:
    """Out of care on day 2, to hospital on day 5, ready and waiting on day 8, served on day 10."""
    home = out("community")
    rows = [{"event": "present", **in_care()}, {"event": "end", "time": 2.0, **home},
            {"event": "admitted", "time": 5.0, **home, "hospital": "treated"},
            {"event": "ready", "time": 8.0, **home, "hospital": "ready", "waiting": True},
            {"event": "start", "time": 10.0, **in_care(since=10.0)}]  # fmt: skip
    values = measured(rows, 30.0)
    assert only(values, "independent_days") == {}
    assert only(values, "unmet_need_days") == {"2013-04": 3.0}
    assert only(values, "hospital_days") == {"2013-04": 3.0}
    assert only(values, "delayed_days") == only(values, "waiting_days") == {"2013-04": 2.0}
    assert only(values, "queue_days") == {}


def test_transitions_count_at_the_service_that_is_outgrown() -> None:
    rows = [{
        "event": "present", **in_care()}, {"event": "transition", "cause": "supported", "time": 3.0, **in_care()},
        {"event": "move", "cause": "handover", "time": 3.0, **in_care("care_home", since=3.0)}, {"event": "present",
        "client": 2, **in_care()}, {"event": "transition", "client": 2, "cause": "unsupported", "time": 4.0,
        **in_care()}, {"event": "end", "client": 2, "cause": "handover", "time": 4.0, **out("community"),
        "waiting": True}, {"event": "start", "client": 2, "time": 24.0, **in_care("care_home", since=24.0)
    }]  # fmt: skip
    values = measured(rows, 30.0)
    assert only(values, "supported_transitions") == only(values, "unsupported_transitions") == {"2013-04": 1.0}
    assert only(values, "waiting_days") == {"2013-04": 20.0}, "the cliff edge"
    counted = counted_events(log_of(rows, RUNGS, SHORT)).filter(
        pl.col("measure").cast(pl.String).str.ends_with("transitions")
    )
    assert counted["service"].to_list() == ["home_care", "home_care"]


@pytest.mark.parametrize("end", ["withdrawn", "admitted"])
def test_the_wait_of_a_referral_ends_with_patience_or_an_admission(end: str) -> None:
    rows = [{
        "event": "referral", "cause": "new", "waiting": True, **out("community")}, {"event": end, "time": 12.0,
        **out("community")}, {"event": "start", "time": 20.0, **in_care(since=20.0)
    }]  # fmt: skip
    assert referral_waits(log_of(rows, RUNGS, SHORT)).select("until", "outcome").rows() == [(12.0, end)]


def test_measures_rest_on_the_tallies_alone_in_whatever_order_and_type() -> None:
    model, log = town(), walk(7, people=40, runs=(("baseline", 0), ("other", 1)))
    found = tallies(log, model, 730.0)
    text = ("strategy", "area", "stage", "group", "service", "provider")
    shuffled = [
        frame.with_columns(pl.col([c for c in text if c in frame.columns]).cast(pl.String)).sample(fraction=1,
        shuffle=True, seed=1)for frame in found
    ]  # fmt: skip
    again = measures_of(type(found)(*shuffled), model, 730.0)
    assert_same(as_dict(again), as_dict(measure_log(log, model, 730.0)))
    assert again.schema == measure_log(log, model, 730.0).schema


def test_the_shape_of_the_tallies() -> None:
    found = tallies(walk(7, people=40), town(), 730.0)
    ids = ["strategy", "replication", *PLACE]
    assert found.runs.columns == ids[:2]
    assert found.served.columns == [*ids, "period", "days", "at_end"]
    assert found.given.columns == ["measure", *ids, "period", "days", "at_end"]
    assert found.counted.columns == ["measure", *ids, "period", "value"]
    assert found.transitions.columns == [*ids[:5], "period", "gbp"]
    assert found.given.schema["measure"] == pl.Enum(list(DAYS_OF))
    assert found.counted.schema["measure"] == COUNTED
    for frame in found[1:5]:
        assert frame.height
        assert frame.schema["replication"] == pl.Int32
        assert frame.schema["period"] == pl.Int64
        numbers = [c for c in frame.columns if c in ("days", "at_end", "value", "gbp")]
        assert [frame.schema[c] for c in numbers] == [pl.Int64 if c == "at_end" else pl.Float64 for c in numbers]
        key = [c for c in frame.columns if c not in numbers]
        assert frame.select(key).is_unique().all(), "each key comes once"
    assert not any(frame.height for frame in found[5:])  # every price is flat, and there is no market


# --- the smaller functions
# -----------------------------------------------------------------------------------------------------


def test_stays_partition_the_time_in_services() -> None:
    shown = provision(states(walk(1, people=40), 730.0))
    served = shown.filter("served").select((pl.col("until") - pl.col("time")).sum()).item()
    spells = stays(shown)
    assert spells.select((pl.col("until") - pl.col("time")).sum()).item() == pytest.approx(served, rel=1e-12)
    assert spells.height > 40


def test_waits_end_with_the_first_answer() -> None:
    rows = [{
        "event": "referral", "cause": "new", "client": 1, "time": 1.0, "waiting": True, **out("community")},
        {"event": "assessed", "client": 1, "time": 8.0, "waiting": True, **out("community")}, {"event": "start",
        "client": 1, "time": 8.0, **in_care(since=8.0)}, {"event": "death", "client": 1, "time": 9.0,
        **in_care(since=8.0)}, {"event": "referral", "cause": "new", "client": 2, "time": 2.0, "waiting": True,
        **out("community")}, {"event": "left", "client": 2, "time": 4.5, "waiting": True, **out("community")},
        {"event": "referral", "cause": "new", "client": 3, "time": 5.0, "waiting": True, **out("community")
    }]  # fmt: skip
    log = log_of(rows, RUNGS, SHORT)
    assert referral_waits(log).select("client", "until", "outcome", "days").rows() == [
        (1, 8.0, "start", 7.0),
        (2, 4.5, "left", 2.5),
        (3, None, None, None),
    ]
    assert only(measured(rows, 30.0), "waiting_days") == {"2013-04": 7.0 + 2.5 + 25.0}


def test_flows_between_tiers_by_financial_year() -> None:
    rows = [{"event": "present", **in_care()}, {"event": "move", "time": 364.5, **in_care("care_home", since=364.5)},
            {"event": "move", "time": 365.0, **in_care("home_care", since=365.0)},
            {"event": "move", "time": 366.0, **in_care("home_care", "northern", since=366.0)},
            {"event": "end", "time": 367.0, **out()}, {"event": "left", "time": 368.0, **out()}]  # fmt: skip
    log = log_of(rows, RUNGS, SHORT)
    assert flows_between(
        log, town()).select("financial_year", "from_tier", "to_tier", "moves").rows() == [("2013/14", "community",
        "placement", 1), ("2014/15", "independent", "gone", 1), ("2014/15", "community", "independent", 1), ("2014/15",
        "placement", "community", 1)
    ]  # fmt: skip
    assert flows_between(log)["financial_year"].null_count() == 4


def test_flows_between_conserve_people() -> None:
    """Whoever comes to a tier is still there or has gone on: from the flows alone, checked against the last row of each
    person."""
    log = walk(8, people=50)
    moves = flows_between(log)
    first = log.unique(["client"], keep="first")["tier"].cast(pl.String).to_list()
    last = (
        log.unique(["client"], keep="last")
        .filter(~pl.col("event").is_in(["death", "left"]))["tier"]
        .cast(pl.String)
        .to_list()
    )
    for tier in (*RUNGS, *SHORT):
        came = moves.filter(pl.col("to_tier") == tier)["moves"].sum()
        went = moves.filter(pl.col("from_tier") == tier)["moves"].sum()
        assert first.count(tier) + came - went == last.count(tier)


@settings(max_examples=50, deadline=None, derandomize=True)
@given(
    st.dates(dt.date(1999, 1, 1), dt.date(2050, 12, 31)),
    st.integers(1, 2000),
    st.lists(st.dates(dt.date(1999, 1, 1), dt.date(2056, 1, 1)), max_size=5),
)
def test_a_calendar_covers_the_run_once(start: dt.date, days: int, cuts: list[dt.date]) -> None:
    periods = calendar(start, float(days), cuts)
    assert periods["from_day"][0] == 0
    assert periods["to_day"][-1] == days
    assert periods["from_day"][1:].to_list() == periods["to_day"][:-1].to_list()
    for row in periods.rows(named=True):
        last = row["date"] + dt.timedelta(days=row["to_day"] - row["from_day"] - 1)
        assert row["from_day"] < row["to_day"]
        assert f"{row['date']:%Y-%m}" == row["month"] == f"{last:%Y-%m}"
        assert row["first_year"] == (last.year if last.month >= 4 else last.year - 1)
        assert not any(row["date"] < cut <= last for cut in cuts)
        assert row["year_days"] == (366 if isleap(row["first_year"] + 1) else 365)
