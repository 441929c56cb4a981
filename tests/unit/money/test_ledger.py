"""Money by arithmetic that can be followed by hand, and against closed forms."""

from __future__ import annotations

import datetime as dt
import math
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simcare.errors import BadInput, BrokenInvariant
from simcare.log.by_hand import log_of
from simcare.log.periods import calendar
from simcare.measures.measure import measure_log, tallies
from simcare.model import Model
from simcare.model.parts import Prices
from simcare.money.discounting import annuity, discount_factor
from simcare.money.ledger import AMOUNTS, contract_costs, ledger, price_dates
from simcare.money.payments import day_prices
from simcare.money.yearly import by_year, present_value
from tests.second_reading.walker import RUNGS, SHORT, TEXT, TIER_OF, town, walk

CARE_ONLY = TEXT[: TEXT.index("[[programmes]]")]
GREEN_BOOK = ((0, 0.035), (31, 0.03), (76, 0.025))


def resident(
    service: str = "home_care",
    provider: str = "council",
    stage: str = "adult",
    time: float = 0.0,
    event: str = "present",
) -> dict[str, Any]:
    return {
        "event": event, "time": time, "stage": stage, "need": "community", "tier": TIER_OF[service],
        "service": service, "provider": provider, "stay_start": 0.0
    }  # fmt: skip


def costs(rows: list[dict[str, Any]], model: Model, days: float, name: str = "cost") -> dict[str, float]:
    """One amount by month."""
    measures = measure_log(log_of(rows, RUNGS, SHORT), model, days).filter(pl.col("measure") == name)
    return dict(measures.group_by("month").agg(pl.col("value").sum()).sort("month").rows())


def prices(bands: tuple[tuple[int, float], ...]) -> Prices:
    number = {"source": "assumption", "grade": "D"}
    return Prices.model_validate({
        "base_year": "2012/13", "growth_per_year": {"value": 0, **number}, "inflation_per_year": {"value": 0,
        **number}, "discount": [{"from_year": year, "per_year": {"value": rate, **number}} for year, rate in bands]
    })  # fmt: skip


# --- care
# ----------------------------------------------------------------------------------------------------------------------


def test_a_price_that_changes_in_the_middle_of_a_month() -> None:
    """£20 a day to 16 June 2013, £23 from the 17th, in 2012/13 prices; 2013/14 is one step of 3 % on."""
    found = costs([resident()], town(CARE_ONLY), 122.0)
    expected = {"2013-04": 30 * 20, "2013-05": 31 * 20, "2013-06": 16 * 20 + 14 * 23, "2013-07": 31 * 23}
    assert found == pytest.approx({month: 1.03 * base for month, base in expected.items()}, rel=1e-12)


def test_part_of_a_day_on_each_side_of_a_price_change() -> None:
    """From 18:00 on 16 June to 12:00 on 17 June: a quarter of a day at £20, half a day at £23."""
    rows = [{
        **resident(event="arrival"), "time": 76.75, "tier": "independent", "service": None, "provider": None,
        "stay_start": None}, {**resident(event="start", time=76.75), "stay_start": 76.75}, {**resident(event="left",
        time=77.5), "stay_start": 76.75
    }]  # fmt: skip
    assert costs(rows, town(CARE_ONLY), 122.0) == pytest.approx({"2013-06": 1.03 * (0.25 * 20 + 0.5 * 23)}, rel=1e-12)


def test_terms_of_a_contract_add_up_and_weekly_prices_are_by_seven() -> None:
    """£721 a week (in force since 2012) and £3 a day are £106 a day; £770 and £3 from 11 February 2014 are £113."""
    found = costs([resident("care_home", "northern")], town(CARE_ONLY), 365.0)
    assert found["2013-04"] == pytest.approx(30 * 106 * 1.03, rel=1e-12)
    assert found["2014-02"] == pytest.approx((10 * 106 + 18 * 113) * 1.03, rel=1e-12)


def test_growth_steps_on_1_april() -> None:
    found = costs([resident()], town(CARE_ONLY), 730.0)
    assert found["2014-03"] == pytest.approx(31 * 23 * 1.03, rel=1e-12)
    assert found["2014-04"] == pytest.approx(30 * 23 * 1.03**2, rel=1e-12)


def test_a_base_year_after_the_start_deflates() -> None:
    found = costs([resident()], town(CARE_ONLY.replace("2012/13", "2015/16")), 30.0)
    assert found == pytest.approx({"2013-04": 30 * 20 / 1.03**2}, rel=1e-12)


def test_who_pays() -> None:
    """A care home: the client 30 %, health 20 %, the council the rest."""
    paid = {name: costs([resident("care_home")], town(CARE_ONLY), 30.0, name)["2013-04"] for name in AMOUNTS[:4]}
    cost = 30 * 106 * 1.03
    expected = {"cost": cost, "cost_client": 0.3 * cost, "cost_health": 0.2 * cost, "cost_council": 0.5 * cost}
    assert paid == pytest.approx(expected, rel=1e-12)


def test_when_client_and_health_pay_all_the_council_pays_nothing() -> None:
    """0.8 and 0.2 leave 1 − 0.8 − 0.2 = −5.6e−17 in floating point."""
    text = CARE_ONLY.replace("client_share = { value = 0.3,", "client_share = { value = 0.2,").replace(
        "health_share = { value = 0.2,", "health_share = { value = 0.8,"
    )
    assert costs([resident("care_home")], town(text), 30.0, "cost_council") == {}
    assert costs([resident("care_home")], town(text), 30.0, "cost_health")["2013-04"] == pytest.approx(
        0.8 * 30 * 106 * 1.03, rel=1e-12
    )


def test_real_cost_and_present_value() -> None:
    """Real: 2 % inflation a year from 2012/13. Discounted by 3.5 % in the second year and 3 % (the next band) in the
    third."""
    measures = measure_log(log_of([resident()], RUNGS, SHORT), town(CARE_ONLY), 1096.0)
    table = {row["financial_year"]: row for row in by_year(measures).rows(named=True)}
    base = {"2013/14": 77 * 20 + 288 * 23, "2014/15": 365 * 23, "2015/16": 366 * 23}
    for y, (year, gbp) in enumerate(base.items()):
        real = gbp * 1.03 ** (y + 1) / 1.02 ** (y + 1)
        assert table[year]["cost"] == pytest.approx(gbp * 1.03 ** (y + 1), rel=1e-12)
        assert table[year]["cost_real"] == pytest.approx(real, rel=1e-12)
        assert table[year]["cost_pv"] == pytest.approx(real * [1, 1 / 1.035, 1 / 1.035 / 1.03][y], rel=1e-12)


def test_a_level_real_cost_is_worth_the_sum_of_the_factors() -> None:
    """Where prices grow with inflation, n equal years at rate r are worth (1 − v^n) ÷ (1 − v), v = 1 ÷ (1 + r), times
    one year."""
    text = CARE_ONLY.replace("{ value = 0.03, GUESS }\ninflation", "{ value = 0.02, GUESS }\ninflation").replace(
        "from_year = 2, per_year = { value = 0.03", "from_year = 2, per_year = { value = 0.035"
    )
    rows = [{**resident("extra_care", "northern"), "stay_start": -1.0}]
    measures = measure_log(
        log_of(rows, RUNGS, SHORT), town(text.replace("from = 2013-06-17", "from = 2012-06-17")), 4 * 365.0 + 1
    )
    years = by_year(measures)["cost_real"].to_list()
    assert years == pytest.approx([365 * 23, 365 * 23, 366 * 23, 365 * 23], rel=1e-12)
    v = 1 / 1.035
    leap_day = 23 * v**2
    assert present_value(measures)["cost_pv"].item() == pytest.approx(
        365 * 23 * (1 - v**4) / (1 - v) + leap_day, rel=1e-12
    )


@settings(max_examples=20, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10**6), day=st.dates(dt.date(2013, 4, 2), dt.date(2014, 3, 30)))
def test_a_price_restated_on_some_date_changes_nothing(seed: int, day: dt.date) -> None:
    log = walk(seed, people=4, days=365.0)
    restated = CARE_ONLY.replace(
        "{ value = 3, GUESS }", f"[{{ value = 3, GUESS }}, {{ from = {day}, value = 3, GUESS }}]"
    )
    one, other = (measure_log(log, town(text), 365.0) for text in (CARE_ONLY, restated))
    assert one.drop("value").equals(other.drop("value"))
    assert one["value"].to_list() == pytest.approx(other["value"].to_list(), rel=1e-12, abs=1e-9)


# --- assessments, reviews, programmes
# ------------------------------------------------------------------------------------------


def test_fees_are_those_of_the_stage_on_the_day() -> None:
    """Children's assessments cost £400, and £450 from 10 September 2013 (day 162); adults' £300; only adults' reviews
    cost (£80)."""
    rows = [
        {"client": 1, "event": "referral", "stage": "child", "need": "community"},
        {"client": 1, "event": "assessed", "stage": "child", "need": "community", "time": 161.9},
        {"client": 1, "event": "assessed", "stage": "child", "need": "community", "time": 162.0},
        {"client": 2, "event": "referral", "stage": "adult", "need": "community"},
        {"client": 2, "event": "assessed", "stage": "adult", "need": "community", "time": 100.0},
        {"client": 2, "event": "review", "stage": "adult", "need": "community", "time": 200.0},
        {"client": 3, "event": "referral", "stage": "child", "need": "community"},
        {"client": 3, "event": "review", "stage": "child", "need": "community", "time": 230.0},
    ]
    found = costs(rows, town(CARE_ONLY), 365.0)
    assert found == pytest.approx({"2013-07": 1.03 * 300, "2013-09": 1.03 * 850, "2013-10": 1.03 * 80}, rel=1e-12)
    measures = measure_log(log_of(rows, RUNGS, SHORT), town(CARE_ONLY), 365.0).filter(
        pl.col("measure") == "cost_council"
    )
    assert measures["service"].null_count() == measures["tier"].null_count() == 3
    assert set(measures["stage"]) == {"child", "adult"}
    assert measures["group"].null_count() == 0


def test_a_programme_ramps_up_and_then_costs_just_its_year() -> None:
    """£10,000 a year from 20 July 2013 in three steps of 30 days, and £1,234 at the start; a scheme from before of £365
    a year."""
    measures = measure_log(log_of([{"event": "present", "stage": "adult"}], RUNGS, SHORT), town(), 1096.0)
    spent = measures.filter((pl.col("measure") == "cost") & (pl.col("stage") == "adult"))
    by = {row["financial_year"]: row["cost"] for row in by_year(spent).rows(named=True)}
    first = 10000 * (30 / 3 + 30 * 2 / 3 + 195) / 365 + 1234
    assert by == pytest.approx(
        {"2013/14": first * 1.03, "2014/15": 10000 * 1.03**2, "2015/16": 10000 * 1.03**3}, rel=1e-12
    )
    july = spent.filter(pl.col("month") == "2013-07")["value"].item()
    assert july == pytest.approx((12 / 3 * 10000 / 365 + 1234) * 1.03, rel=1e-12)
    older = measures.filter((pl.col("measure") == "cost") & pl.col("stage").is_null())
    assert older.filter(pl.col("month") == "2013-04")["value"].item() == pytest.approx(30 * 1.03, rel=1e-12), (
        "its one-off was spent before the run"
    )
    assert older.filter(pl.col("month") == "2016-02")["value"].item() == pytest.approx(
        29 * 365 / 366 * 1.03**3, rel=1e-12
    )


def test_every_replication_pays_for_its_programmes() -> None:
    log = walk(0, people=3, runs=(("baseline", 0), ("baseline", 1), ("other", 0)))
    measures = measure_log(log, town(), 730.0).filter((pl.col("measure") == "cost") & pl.col("group").is_null())
    totals = by_year(measures)["cost"].to_list()
    assert len(totals) == 6
    assert totals[:2] == totals[2:4] == totals[4:]


def test_the_calendar_is_cut_where_any_price_changes() -> None:
    ramp = {dt.date(2013, 7, 20), dt.date(2013, 8, 19), dt.date(2013, 9, 18)}
    dated = {dt.date(2013, 6, 17), dt.date(2014, 2, 11), dt.date(2013, 9, 10), dt.date(2014, 5, 5), dt.date(2013, 1, 1)}
    others = {dt.date(2013, 11, 5), dt.date(2013, 12, 25)}  # a delayed day in hospital, a supported transition
    assert price_dates(town()) == ramp | dated | others


# --- places beyond the number, hospital, transitions
# ---------------------------------------------------------------------------


def by_kind(rows: list[dict[str, Any]], days: float) -> dict[str, dict[str, float]]:
    """Every amount of the ledger by kind, programmes left out."""
    model = town()
    periods = calendar(model.about.start, days, price_dates(model))
    tallied = tallies(log_of(rows, RUNGS, SHORT), model, days)
    paid = contract_costs(tallied, model, periods, day_prices(model, periods))
    found = ledger(paid, tallied, model, periods).filter(pl.col("kind") != "programme")
    measured = {name: sum(costs(rows, town(CARE_ONLY), days, name).values()) for name in AMOUNTS}
    assert {name: found[name].sum() for name in AMOUNTS} == pytest.approx(measured, rel=1e-12)
    return {
        row["kind"]: {name: row[name] for name in AMOUNTS}
        for row in found.group_by("kind").agg(pl.col(AMOUNTS).sum()).rows(named=True)
    }


def test_a_place_beyond_the_number_costs_its_premium_on_top() -> None:
    """£106 a day and a fifth on top for 10 of 30 days; the client pays 30 % of it and health 20 %, as of the price
    itself."""
    home = resident("care_home", "northern")
    rows = [
        home,
        {**home, "event": "displaced", "cause": "cut", "time": 5.0, "spot": True},
        {**home, "event": "kept", "time": 15.0},
    ]
    found = by_kind(rows, 30.0)
    assert set(found) == {"care", "spot"}
    assert found["care"]["cost"] == pytest.approx(30 * 106 * 1.03, rel=1e-12)
    extra = 10 * 106 * 0.2 * 1.03
    paid = {"cost": extra, "cost_client": 0.3 * extra, "cost_health": 0.2 * extra, "cost_council": 0.5 * extra}
    assert {name: found["spot"][name] for name in paid} == pytest.approx(paid, rel=1e-12)
    log = log_of(rows, RUNGS, SHORT)
    spent = measure_log(log, town(CARE_ONLY), 30.0).filter(pl.col("measure") == "cost")
    assert spent.select("service", "provider").rows() == [("care_home", "northern")], "one amount for care and premium"


def test_a_place_beyond_the_number_costs_the_price_in_force() -> None:
    """Reablement at £20 a day, £23 from 17 June 2013 (day 77), and half on top; from day 75 to day 80."""
    rows = [{"event": "arrival", "time": 75.0, "stage": "adult", "need": "community"},
            {**resident("reablement", event="start", time=75.0), "stay_start": 75.0, "spot": True},
            {**resident("reablement", event="left", time=80.0), "stay_start": 75.0, "spot": True}]  # fmt: skip
    assert by_kind(rows, 122.0)["spot"]["cost"] == pytest.approx(0.5 * (2 * 20 + 3 * 23) * 1.03, rel=1e-12)


def test_beyond_the_number_of_an_offer_without_a_premium_nothing_is_added() -> None:
    home = resident("home_care", "council")
    assert set(by_kind([home, {**home, "event": "displaced", "time": 5.0, "spot": True}], 30.0)) == {"care"}


def patient(stage: str, group: str, since: float, until: float) -> list[dict[str, Any]]:
    there = {"stage": stage, "group": group, "need": "community"}
    return [{
        "event": "referral", "time": 200.0, **there}, {"event": "admitted", "time": 210.0, **there,
        "hospital": "treated"}, {"event": "ready", "time": since, **there, "hospital": "ready"}, {"event": "diverted",
        "time": until, **there
    }]  # fmt: skip


def test_days_ready_to_leave_hospital_cost_the_health_partner() -> None:
    """£300 a day, £330 from 5 November 2013 (day 218): from day 216.5 to 219.5."""
    found = by_kind(patient("adult", "general", 216.5, 219.5), 365.0)
    cost = (1.5 * 300 + 1.5 * 330) * 1.03
    assert set(found) == {"hospital"}
    expected = {"cost": cost, "cost_health": cost, "cost_council": 0.0, "cost_client": 0.0}
    assert {name: found["hospital"][name] for name in expected} == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(
    ("stage", "group", "rate"), [("child", "disabled", 500.0), ("child", "general", 0.0), ("adult", "disabled", 300.0)]
)
def test_a_delayed_day_costs_by_stage_and_group(stage: str, group: str, rate: float) -> None:
    measures = measure_log(log_of(patient(stage, group, 211.0, 213.0), RUNGS, SHORT), town(CARE_ONLY), 365.0).filter(
        pl.col("measure") == "cost"
    )
    assert measures["value"].sum() == pytest.approx(2 * rate * 1.03, rel=1e-12)
    assert measures.select("stage", "group", "tier", "service").rows() == [(stage, group, None, None)] * (rate > 0)


@pytest.mark.parametrize(
    ("was", "becomes", "age", "time", "price"),
    [
        ("disabled", "general", 18.0012, 100.0, 2000.0),
        ("disabled", "general", 17.9986, 268.5, 2500.0),  # 25 December 2013 is day 268
        ("general", "general", 18.0, 100.0, 1000.0),
        ("disabled", "disabled", 25.001, 100.0, 700.0),
    ],
)
def test_a_supported_transition_costs_what_the_hand_over_of_that_age_and_group_does(
    was: str, becomes: str, age: float, time: float, price: float
) -> None:
    care = {**resident("home_care", stage="child"), "group": was, "age": age - time / 365.25}
    later = {**care, "stage": "adult", "time": time, "age": age}
    handed = {**later, "group": becomes}
    rows = [
        care,
        {**later, "event": "birthday"},
        {**handed, "event": "handover"},
        {**handed, "event": "transition", "cause": "supported"},
    ]
    if was == becomes:
        del rows[2]
    other = [{**row, "client": 2, "cause": "unsupported" if row["event"] == "transition" else ""} for row in rows]
    found = by_kind([*rows, *other], 365.0)
    assert set(found) == {"care", "transition"}
    assert found["transition"]["cost"] == found["transition"]["cost_council"] == pytest.approx(price * 1.03, rel=1e-12)
    spent = measure_log(log_of(rows, RUNGS, SHORT), town(CARE_ONLY), 365.0).filter(
        (pl.col("measure") == "cost") & pl.col("tier").is_null()
    )
    assert spent.select("stage", "group", "service", "value").rows() == [
        ("adult", becomes, None, pytest.approx(price * 1.03, rel=1e-12))
    ]


def test_a_hand_over_on_an_earlier_day_is_another_matter() -> None:
    """The group before counts only if it changed in the same moment."""
    care = {**resident("home_care"), "group": "disabled", "age": 17.9}
    later = {**care, "group": "general", "age": 18.0}
    rows = [
        care,
        {**later, "event": "handover", "time": 50.0},
        {**later, "event": "transition", "cause": "supported", "time": 50.5},
    ]
    assert by_kind(rows, 365.0)["transition"]["cost"] == pytest.approx(1000 * 1.03, rel=1e-12)


# --- discounting
# ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("year", "factor"),
    [
        (0, 1.0),
        (1, 0.9662),
        (10, 0.7089),
        (30, 0.3563),
        (31, 0.3459),
        (50, 0.1973),
        (75, 0.0942),
        (100, 0.0508),
        (125, 0.0274),
    ],
)
def test_the_green_books_table_of_discount_factors(year: int, factor: float) -> None:
    assert discount_factor(prices(GREEN_BOOK), year) == pytest.approx(factor, abs=5e-5)


@pytest.mark.parametrize(("years", "worth"), [(10, 8.46131), (30, 18.71206)])
def test_an_even_stream_at_three_and_a_half_per_cent(years: float, worth: float) -> None:
    assert annuity(prices(((0, 0.035),)), years) == pytest.approx(worth, abs=5e-6)
    assert annuity(prices(((0, 0.035),)), years) == pytest.approx((1 - 1.035**-years) / math.log(1.035), rel=1e-12)


def test_an_even_stream_across_bands() -> None:
    bands = prices(((0, 0.05), (10, 0.02)))
    later = (1 - 1.02**-7.5) / math.log(1.02)
    assert annuity(bands, 17.5) == pytest.approx((1 - 1.05**-10) / math.log(1.05) + 1.05**-10 * later, rel=1e-12)
    assert annuity(prices(((0, 0.0),)), 12.5) == 12.5
    assert annuity(bands, 10) == pytest.approx((1 - 1.05**-10) / math.log(1.05), rel=1e-12)


def test_an_even_stream_lies_between_paying_at_each_years_beginning_and_end() -> None:
    bands = prices(GREEN_BOOK)
    beginnings = sum(discount_factor(bands, year) for year in range(30))
    ends = sum(discount_factor(bands, year) for year in range(1, 31))
    assert ends < annuity(bands, 30) < beginnings


# --- tables and faults
# ---------------------------------------------------------------------------------------------------------


def test_by_year_has_every_year_of_every_run() -> None:
    measures = pl.DataFrame({
        "strategy": ["a", "a", "b"], "replication": [0, 0, 0], "month": ["2013-04", "2015-03", "2014-04"],
        "measure": ["cost", "cost", "caseload"], "value": [1.0, 2.0, 9.0]
    })  # fmt: skip
    table = by_year(measures).select("strategy", "financial_year", "cost", "cost_pv").rows()
    assert table == [
        ("a", "2013/14", 1.0, 0.0),
        ("a", "2014/15", 2.0, 0.0),
        ("b", "2013/14", 0.0, 0.0),
        ("b", "2014/15", 0.0, 0.0),
    ]
    assert present_value(measures).select("strategy", "cost").rows() == [("a", 3.0), ("b", 0.0)]


def test_by_year_adds_up_to_the_measures() -> None:
    measures = measure_log(walk(4, people=20), town(), 730.0)
    for amount in AMOUNTS:
        assert by_year(measures)[amount].sum() == pytest.approx(
            measures.filter(pl.col("measure") == amount)["value"].sum(), rel=1e-12
        )
        assert present_value(measures)[amount].item() == pytest.approx(by_year(measures)[amount].sum(), rel=1e-12)


def test_one_service_under_two_contracts_of_one_provider_is_refused() -> None:
    twice = CARE_ONLY.replace(
        '[[providers]]\nname = "northern"',
        '[[providers.offers]]\nservice = "home_care"\ncontract = "places"\nweight = { value = 1, GUESS'
        ' }\n[[providers]]\nname = "northern"',
    )
    with pytest.raises(BadInput, match=r"providers\[0\].offers\[3\].service: 'council' already offers 'home_care'"):
        measure_log(log_of([resident()], RUNGS, SHORT), town(twice), 30.0)


def test_a_place_that_the_model_does_not_offer_has_no_price() -> None:
    with pytest.raises(BrokenInvariant, match="'extra_care' of 'council', which the model does not offer"):
        measure_log(log_of([resident("extra_care", "council")], RUNGS, SHORT), town(), 30.0)
