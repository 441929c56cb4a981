"""The market: failures and who moves, contagion, the last resort's premium, prices and places by occupancy, choice, the
voluntary brake."""

from __future__ import annotations

import datetime as dt
import math
from typing import Any

import numpy as np
import polars as pl
import pytest

from simcare.arrays.build import build
from simcare.arrays.names import names_of
from simcare.arrays.places import appeal
from simcare.engine import compiled, simpy
from simcare.engine.arrivals import arrival_rates
from simcare.files.load import load_experiment, load_model
from simcare.files.parsing import parse
from simcare.log.frame import frame
from simcare.log.periods import calendar
from simcare.measures.measure import measure_log
from simcare.model import Model
from simcare.model.overlay import apply_strategy
from simcare.money.ledger import price_dates
from simcare.money.provider_accounts import market_frame
from simcare.runs.task import Task, run_task

DAYS = 730.0
MARKET = {
    "price_drift_per_year": 0.04, "price_per_occupancy": 0.5, "usual_occupancy": 0.8, "entry_per_year": 0.0,
    "usual_margin": 0.05, "closure_per_margin": 0.0, "contagion": 0.0, "last_resort_premium": 0.4,
}  # fmt: skip


def number(value: Any) -> dict[str, Any]:
    return {"value": value, "source": "assumption", "grade": "D"}


def home(name: str, places: float | None, **more: Any) -> dict[str, Any]:
    offer = {"service": "home", "contract": "flat", "weight": number(more.pop("weight", 1.0))}
    if places is not None:
        offer["places"] = number(places)
    offer |= {
        key: number(more.pop(key))
        for key in ("quality", "variable_gbp_per_day", "fixed_gbp_per_year", "spot_premium")
        if key in more
    }
    if "contract" in more:
        offer["contract"] = more.pop("contract")
    provider: dict[str, Any] = {"name": name, "owner": "independent", "offers": [offer]}
    provider |= {key: more.pop(key) for key in ("parent",) if key in more}
    return provider | {key: number(value) for key, value in more.items()}


def town(providers: list[dict[str, Any]], people: int = 60, a_year: float = 60.0, **more: Any) -> Model:
    """Everybody needs a home and stays for a year on average; homes differ in their places."""
    data: dict[
        str, Any] = {"about": {"name": "town", "title": "A town of homes", "start": "2013-04-01"},
        "tiers": [{"name": "independent"}, {"name": "placement"}], "stages": [{"name": "all ages", "from_age": 0}],
        "groups": [{"name": "general"}], "services": [{"name": "home", "tier": "placement"}],
        "contracts": [{"name": "flat", "terms": [{"kind": "per_diem", "gbp_per_day": number(100.0)}]}, {"name": "dear",
        "terms": [{"kind": "per_diem", "gbp_per_day": number(150.0)}]}, ], "providers": providers,
        "clocks": [{"clock": "leaving", "needs": ["placement"], "per_year": number(1.0)}], "arrivals": [{"name": "new",
        "stage": "all ages", "group": "general", "route": "direct", "per_year": number(a_year), "needs": number([0.0,
        1.0]), "ages": {"edges": [70, 80], "shares": [1.0], "source": "assumption", "grade": "D"}}, ],
        "caseload": [{"name": "there", "service": "home", "stage": "all ages", "group": "general",
        "count": number(people), "needs": number([0.0, 1.0]), "ages": {"edges": [70, 80], "shares": [1.0],
        "source": "assumption", "grade": "D"}}, ], "prices": {"base_year": "2013/14", "growth_per_year": number(0.0),
        "inflation_per_year": number(0.0), "discount": [{"from_year": 0, "per_year": number(0.0)}]},
    }  # fmt: skip
    if "market" in more:
        data["market"] = {key: number(value) for key, value in (MARKET | more.pop("market")).items()}
    return parse(Model, data | more, "town")


def both(model: Model, days: float = DAYS, seed: int = 1, replication: int = 0) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The log and the market of a replication: the same from either engine."""
    tables = build(model)
    one, other = (engine.record(model, tables, seed, replication, days) for engine in (simpy, compiled))
    assert one.rows.tobytes() == other.rows.tobytes()
    assert one.market.tobytes() == other.market.tobytes()
    return frame(other.rows, names_of(model), "baseline", replication), market_frame(
        other.market, model, "baseline", replication
    )


def test_a_provider_that_fails_takes_nobody_and_its_people_go_where_there_is_room() -> None:
    model = town([home("first", 40), home("second", 45)], failures=[{"provider": "first", "on": "2014-01-01"}])
    day = 275.0
    log, market = both(model)
    lost = log.filter(pl.col("event") == "displaced")
    assert lost.height and lost["time"].unique().to_list() == [day] and lost["cause"].unique().to_list() == ["failure"]
    assert market.select("time", "event", "provider", "used").rows() == [(day, "failed", "first", lost.height)]
    assert not log.filter(
        pl.col("event").is_in(["start", "move"]) & (pl.col("provider") == "first") & (pl.col("time") >= day)
    ).height
    moved = log.filter(
        (pl.col("event") == "move") & (pl.col("time") >= day) & pl.col("client").is_in(lost["client"].to_list())
    )
    at_once = moved.filter(pl.col("time") == day)
    free = (
        45
        - log.filter(pl.col("time") < day)
        .group_by("client")
        .last()
        .filter((pl.col("provider") == "second") & (pl.col("event") != "left"))
        .height
    )
    assert at_once.height == min(free, lost.height)
    # Those who find no room at once are first in line, before anyone who came later.
    waiting = set(lost["client"].to_list()) - set(at_once["client"].to_list())
    later = moved.filter(pl.col("time") > day)
    assert waiting and later.height
    first_newcomer = log.filter((pl.col("event") == "start") & (pl.col("time") > day))["time"].min()
    assert first_newcomer is None or later["time"].max() <= first_newcomer or first_newcomer - day > 28


def test_where_places_are_not_limited_everyone_moves_on_the_day() -> None:
    model = town(
        [home("first", None), home("second", None, weight=3.0)], failures=[{"provider": "first", "on": "2014-01-01"}]
    )
    log, _ = both(model)
    there = (
        log.filter(pl.col("time") < 275.0)
        .group_by("client")
        .last()
        .filter((pl.col("provider") == "first") & (pl.col("event") != "left"))
    )
    moved = log.filter((pl.col("event") == "move") & (pl.col("time") == 275.0))
    assert there.height > 5 and sorted(moved["client"]) == sorted(there["client"])
    after = log.filter((pl.col("time") > 275.0) & pl.col("event").is_in(["start", "move"]))
    assert after.height and (after["provider"] == "second").all()


def test_the_last_resort_costs_a_premium_until_the_last_has_moved() -> None:
    failing = [{"provider": "first", "on": "2014-01-01"}]
    flat = {"price_drift_per_year": 0.0, "price_per_occupancy": 0.0}
    model = town([home("first", 40), home("second", 45)], market=flat, failures=failing)
    log, market = both(model)
    measures = measure_log(log, model, DAYS, market)
    served, spot, cost = (
        float(measures.filter(pl.col("measure") == name)["value"].sum())
        for name in ("person_days", "spot_days", "cost")
    )
    assert spot > 100
    assert cost == pytest.approx(100.0 * served + 0.4 * 100.0 * spot)
    without = town([home("first", 40), home("second", 45)], failures=failing)
    log, market = both(without)
    assert float(
        measure_log(log, without, DAYS, market).filter(pl.col("measure") == "cost")["value"].sum()
    ) == pytest.approx(100.0 * served)


@pytest.mark.parametrize(("contagion", "gone"), [(1.0, ["first", "third"]), (0.0, ["first"])])
def test_a_parent_takes_its_others_with_it(contagion: float, gone: list[str]) -> None:
    homes = [home("first", 30, parent="group"), home("second", 60), home("third", 30, parent="group")]
    model = town(homes, market={"contagion": contagion}, failures=[{"provider": "first", "on": "2014-01-01"}])
    _, market = both(model)
    assert market.filter(pl.col("event") == "failed")["provider"].to_list() == gone


def test_failures_come_at_their_rate() -> None:
    """With a margin that is as usual, the chance to have failed after n quarters is 1 − exp(−rate × n quarters)."""
    rate, runs, quarters = 0.6, 400, 8
    homes = [home("first", 30, closures_per_year=rate), home("second", None)]
    model = town(homes, people=4, a_year=1.0, market={"price_drift_per_year": 0.0, "price_per_occupancy": 0.0})
    tables = build(model)
    failed = sum(bool(compiled.record(model, tables, 5, r, 731.0).market["failed"].any()) for r in range(runs))
    expected = 1.0 - math.exp(-rate * quarters / 4.0)
    se = math.sqrt(expected * (1.0 - expected) / runs)
    print(failed / runs, expected, se)
    assert abs(failed / runs - expected) <= 4.0 * se


def test_a_thin_margin_fails_sooner() -> None:
    thin, fat = (
        town(
            [home("first", 30, closures_per_year=0.2, variable_gbp_per_day=cost), home("second", None)],
            people=10,
            market={"closure_per_margin": 10.0},
        )
        for cost in (110.0, 60.0)
    )
    failed = [
        sum(bool(compiled.record(m, build(m), 5, r, 731.0).market["failed"].any()) for r in range(60))
        for m in (thin, fat)
    ]
    assert failed[0] > failed[1] + 20


def test_prices_and_places_follow_occupancy_quarter_by_quarter() -> None:
    """Replayed from the market's own rows: what the price and the places were, and how full they were, says what they
    become."""
    model = town([home("first", 50), home("second", 70)], market={"entry_per_year": 0.3})
    log, market = both(model, 1400.0)
    for _, rows in market.group_by("provider", maintain_order=True):
        places, price, room = rows["places"].to_list(), rows["price"].to_list(), 0.0
        before = {"first": 50, "second": 70}[rows["provider"][0]]
        old = 1.0
        for k in range(rows.height):
            used = _used(log, rows["provider"][k], rows["time"][k])
            above = min(used / before, 1.0) - 0.8
            assert price[k] == pytest.approx(old * math.exp(math.log(1.04) / 4.0 + 0.5 * above / 4.0), rel=1e-12)
            room += before * 0.3 / 4.0 * above / 0.2
            change = math.floor(room) if room >= 0 else math.ceil(room)
            room -= change
            change = -min(-change, before - used) if change < 0 else change
            assert places[k] == before + change
            before, old = places[k], price[k]
    prices = market.filter(pl.col("provider") == "first")
    cost = float(
        measure_log(log, model, 1400.0, market)
        .filter((pl.col("measure") == "cost") & (pl.col("provider") == "first"))["value"]
        .sum()
    )
    assert cost == pytest.approx(_naive_cost(log, prices, 1400.0), rel=1e-9)


def _used(log: pl.DataFrame, provider: str, day: float) -> int:
    last = log.filter(pl.col("time") < day).group_by("client").last()
    return last.filter((pl.col("provider") == provider) & ~pl.col("event").is_in(["left", "death"])).height


def _naive_cost(log: pl.DataFrame, prices: pl.DataFrame, horizon: float) -> float:
    """Client by client, from row to row, at £100 times the price of the quarter."""
    since, value = [0.0, *prices["time"]], [1.0, *prices["price"]]
    cost = 0.0
    for _, rows in log.group_by("client", maintain_order=True):
        times = [*rows["time"], horizon]
        for k, row in enumerate(rows.iter_rows(named=True)):
            if row["provider"] == "first" and row["event"] not in ("left", "death"):
                for begin, end, price in zip(since, [*since[1:], horizon], value, strict=True):
                    cost += 100.0 * price * max(0.0, min(end, times[k + 1]) - max(begin, times[k]))
    return cost


def test_choice_is_a_logit_of_quality_price_and_vacancy() -> None:
    homes = [home("first", None, quality=1.0), home("second", None, contract="dear")]
    model = town(homes, people=0, market={"choice_quality": 0.7, "choice_price": -2.0})
    shares = [appeal(model, offer) for provider in model.providers for offer in provider.offers]
    assert shares[0] / shares[1] == pytest.approx(math.exp(0.7 - 2.0 * math.log(100.0 / 150.0)))
    up_to = build(model).offers["up_to"][:2]
    assert up_to[0] == pytest.approx(shares[0] / sum(shares))
    empty = town([home("first", 40), home("second", 4000)], people=30, a_year=400.0, market={"choice_vacancy": 50.0})
    even = town([home("first", 40), home("second", 4000)], people=30, a_year=400.0, market={})
    firsts = [
        both(m, 60.0)[0].filter((pl.col("event") == "start") & (pl.col("provider") == "first")).height
        for m in (empty, even)
    ]
    assert firsts[0] == 0 < firsts[1]  # the fuller home is not chosen any more


def test_accounts_show_that_unit_cost_falls_with_fill() -> None:
    def unit_cost(people: int) -> float:
        model = town(
            [home("first", 90, variable_gbp_per_day=60.0, fixed_gbp_per_year=365250.0, overhead_gbp_per_year=36525.0)],
            people=people,
            a_year=float(people),
        )
        log, market = both(model, 365.0)
        found = measure_log(log, model, 365.0, market)
        amounts = {
            name: float(found.filter(pl.col("measure") == name)["value"].sum()) for name in found["measure"].unique()
        }
        assert amounts["provider_income"] == pytest.approx(amounts["cost"])
        assert amounts["provider_variable"] == pytest.approx(60.0 * amounts["person_days"])
        assert amounts["provider_fixed"] == pytest.approx(365250.0) and amounts["provider_overhead"] == pytest.approx(
            36525.0
        )
        spent = sum(amounts[f"provider_{name}"] for name in ("variable", "fixed", "overhead"))
        return spent / amounts["person_days"]

    assert unit_cost(80) < unit_cost(30) - 15.0


def test_providers_see_their_occupancy_every_month() -> None:
    """Where clients could step down, a fuller home lets them sooner: the place is worth more to the next."""
    answer = {
        "name": "all", "owners": ["independent"], "eta": number(3.0), "horizon_days": number(60),
        "avoidable_share": number(0.3), "occupancy": number(0.9),
    }  # fmt: skip

    def moved_on(places: float) -> float:
        data = town([home("first", places), home("second", None, weight=0.001)], people=50, a_year=100.0).model_dump(
            by_alias=True
        )
        data["tiers"] = [{"name": "independent"}, {"name": "community"}, {"name": "placement"}]
        data["services"] = [*data["services"], {"name": "visits", "tier": "community"}]
        data["providers"] = [
            *data["providers"],
            {
                "name": "carers",
                "owner": "voluntary",
                "offers": [{"service": "visits", "contract": "flat", "weight": number(1)}],
            },
        ]
        for part in ("arrivals", "caseload"):
            data[part][0]["needs"] = number([0.0, 0.0, 1.0])
        data["clocks"] = [
            {"clock": "recover", "needs": ["placement"], "per_year": number(4.0)},
            {"clock": "step_down", "per_year": number(1.0)},
            {"clock": "leaving", "needs": ["community"], "per_year": number(0.5)},
        ]
        model = parse(Model, data | {"responses": [answer]}, "a ladder of two")
        log, _ = both(model, 1000.0, seed=3)
        return (
            log.filter((pl.col("cause") == "step_down") & (pl.col("event") == "move")).height
            / log.filter(pl.col("event") == "start").height
        )

    # With the same luck, the crowded home steps more of its people down than one with places for ten times as many.
    crowded, empty = moved_on(70), moved_on(700)
    print(crowded, empty)
    assert crowded > empty + 0.05


def test_the_voluntary_sector_holds_people_back() -> None:
    people = [number(10), {"from": "2013-10-01", **number(110)}]
    clubs = {"name": "clubs", "people_per_year": people, "held_back": number(0.3), "gbp_per_person": number(50)}
    text = town([home("first", None)], voluntary=[clubs])
    edges, rates = arrival_rates(text, text.arrivals[0], 0.0, 365.0)
    ratio = rates[:, 0] / (60.0 / 365.25)
    changed = float((dt.date(2013, 10, 1) - text.about.start).days)
    assert ratio[edges[:-1] < changed] == pytest.approx(1.0)
    assert ratio[edges[:-1] >= changed] == pytest.approx(1.0 - 100 * 0.3 / 60.0)
    outcome = run_task(Task(text, "baseline", 1, 0, 1, "simpy"))  # with every invariant
    spent = outcome.measures.filter((pl.col("measure") == "cost") & pl.col("service").is_null())["value"].sum()
    assert spent == pytest.approx(50 * (10 * changed + 110 * (365 - changed)) / 365)
    assert dt.date(2013, 10, 1) in price_dates(text)


def test_the_shipped_stress_test_fails_the_named_provider_and_runs_the_same_in_aggregate() -> None:
    experiment, model = load_experiment("provider-failure")
    hit = apply_strategy(model, experiment.strategies[1])
    assert [failure.provider for failure in hit.failures] == ["home_group_one", "home_group_two"]
    largest = apply_strategy(
        load_model("kent-2013"), experiment.strategies[0].model_copy(update={"failures": ("largest",)})
    )
    assert largest.failures[0].provider == "home_care_agencies"
    periods = calendar(model.about.start, 730.0, price_dates(hit))
    assert dt.date(2014, 10, 1) in periods["date"].to_list()


def test_the_aggregate_measures_of_a_market_are_those_of_its_log() -> None:
    homes = [home("first", 40, variable_gbp_per_day=60.0), home("second", 65, spot_premium=0.2, closures_per_year=0.3)]
    model = town(homes, market={"entry_per_year": 0.2}, failures=[{"provider": "first", "on": "2014-01-01"}])
    by_log, by_tally = (
        run_task(Task(model, "baseline", 2, 0, 2, "compiled", keep_log=keep)).measures for keep in (True, False)
    )
    keys = [name for name in by_log.columns if name != "value"]
    joined = by_log.join(by_tally, on=keys, how="full", suffix="_tally", nulls_equal=True)
    assert joined.height == by_log.height == by_tally.height
    assert np.allclose(joined["value"].to_numpy(), joined["value_tally"].to_numpy(), rtol=1e-9, atol=1e-9)
