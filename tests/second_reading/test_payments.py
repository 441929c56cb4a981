"""What contracts of every kind cost, worked out client by client and day by day a second time, from the rows of the
log."""

from __future__ import annotations

import datetime as dt
import math
import tomllib
from collections import defaultdict
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import polars as pl
import pytest

from simcare.arrays.build import build
from simcare.arrays.names import names_of
from simcare.engine import compiled
from simcare.files.parsing import parse
from simcare.invariants import check_run
from simcare.log.by_hand import log_of
from simcare.log.frame import frame
from simcare.measures.measure import measure_log, measures_of
from simcare.measures.tally import Tally
from simcare.model import Model
from simcare.model.overlay import apply_strategy
from simcare.model.strategy import Strategy
from tests.support.logs import simulate
from tests.support.paths import TOY as TOY_FILE

TOY = TOY_FILE.read_text(encoding="utf-8")
DAYS = 760.0
START = dt.date(2013, 4, 1)
RUNGS, SHORT = ("independent", "community", "placement"), ("step_up",)
PAYERS = ("cost_council", "cost_health", "cost_client")
Costs = dict[tuple[str, str, str], float]  # by month, provider, payer


def gbp(value: float, since: dt.date | None = None) -> dict[str, Any]:
    return {"value": value, "source": "assumption", "grade": "D", **({} if since is None else {"from": since})}


def taper(*bands: tuple[float, Any]) -> dict[str, Any]:
    return {
        "kind": "tapered",
        "bands": [
            {"from_day": day, "gbp_per_day": price if isinstance(price, list) else gbp(price)} for day, price in bands
        ],
    }


def per_diem(*prices: dict[str, Any], unit: str = "day") -> dict[str, Any]:
    return {"kind": "per_diem", f"gbp_per_{unit}": list(prices)}


CONTRACTS: dict[str, list[dict[str, Any]]] = {
    "stepped": [
        per_diem(gbp(20), gbp(23, dt.date(2013, 9, 17)), gbp(22.5, dt.date(2014, 10, 5))),
        {"kind": "step_down_bonus", "gbp": gbp(400), "by_day": 200, "tapers_from_day": 60, "lasts_days": 91},
        {"kind": "clawback", "within_days": 120, "days_of_pay": 9.5},
    ],
    "entries": [
        per_diem(gbp(140), unit="week"),
        {"kind": "episode", "gbp": gbp(150)},
        {"kind": "episode", "gbp": gbp(210), "on_day": 75.5},
        {"kind": "clawback", "within_days": 182, "share": gbp(0.95), "days_of_pay": 7},
        {"kind": "step_down_bonus", "gbp": gbp(40), "by_day": 300},
        {"kind": "indexation", "per_year": gbp(0.035)},
    ],
    "taper": [
        taper((0, [gbp(140), gbp(150, dt.date(2014, 2, 11))]), (42, 110), (84.5, 80)),
        {
            "kind": "days_saved",
            "baseline_days": 400,
            "gbp_per_day": gbp(2),
            "gbp_per_day_over": gbp(11),
            "lasts_days": 60,
        },
        {"kind": "block", "gbp_per_year": gbp(36_500)},
    ],
    "short": [
        taper((0, 100), (21, 70)),
        {"kind": "outcome", "gbp": gbp(900), "share_up_front": gbp(0.2), "lasts_days": 91},
    ],
    "block": [
        {"kind": "block", "gbp_per_year": [gbp(73_000), gbp(80_000, dt.date(2014, 5, 6))]},
        {"kind": "indexation", "per_year": gbp(0.01)},
    ],
    "mixed": [
        per_diem(gbp(31)),
        {"kind": "block", "gbp_per_year": gbp(100_000)},
        {"kind": "step_down_bonus", "gbp": gbp(9)},
    ],
}
UNDER: dict[tuple[str, str], list[tuple[dt.date, str]]] = {
    ("council", "plan"): [(START, "stepped"), (dt.date(2013, 10, 17), "entries"), (dt.date(2014, 8, 5), "stepped")],
    ("council", "reablement"): [(START, "short"), (dt.date(2014, 7, 1), "mixed")],
    ("council", "foster_care"): [(START, "mixed"), (dt.date(2013, 7, 20), "taper")],
    ("homes", "care_home"): [(START, "taper"), (dt.date(2014, 6, 10), "entries")],
    ("homes", "supported_living"): [(START, "mixed"), (dt.date(2013, 12, 3), "block")],
    ("homes", "foster_care"): [(START, "entries")],
}


def town(under: dict[tuple[str, str], list[tuple[dt.date, str]]], contracts: dict[str, list[dict[str, Any]]]) -> Model:
    """The toy with these contracts and no fees, where providers answer to money and may let go too soon."""
    data = tomllib.loads(TOY)
    data["contracts"] = [{"name": name, "terms": terms} for name, terms in contracts.items()]
    for provider in data["providers"]:
        for offer in provider["offers"]:
            (_, offer["contract"]), *switches = under[provider["name"], offer["service"]]
            offer["switches"] = [{"from": date, "contract": name} for date, name in switches]
    del data["front_door"][0]["gbp_per_assessment"], data["front_door"][0]["gbp_per_review"]
    data["clocks"].append({"clock": "premature", "per_year": gbp(0.1)})
    step_down = next(clock for clock in data["clocks"] if clock["clock"] == "step_down")
    step_down["per_year"] = gbp(2)
    answer = {
        "eta": gbp(0.8),
        "horizon_days": gbp(60),
        "avoidable_share": gbp(0.7),
        "occupancy": gbp(0.9),
        "return_per_year": gbp(0.4),
    }
    data["responses"] = [{"name": "all", "owners": ["council", "independent"], **answer}]
    return parse(Model, data, "f.toml")


@cache
def model() -> Model:
    return town(UNDER, CONTRACTS)


@cache
def log(seed: int) -> pl.DataFrame:
    return frame(compiled.record(model(), build(model()), seed, 0, DAYS).rows, names_of(model()), "baseline", 0)


# --- the second accounting
# -----------------------------------------------------------------------------------------------------


class Stay(NamedTuple):
    service: str
    provider: str
    tier: int
    start: float  # may be before the run
    came: float
    until: float
    stepped: bool
    back: float


def stays_of(rows: list[dict[str, Any]], days: float) -> list[Stay]:
    """The stays of one client, from the client's rows."""
    tiers = [*RUNGS, *SHORT]
    found: list[list[Any]] = []
    current = None
    for row in rows:
        key = (row["service"], row["provider"], row["stay_start"]) if row["service"] is not None else None
        gone = row["event"] in ("death", "left")
        if current is not None and (gone or key != current):
            lower = row["event"] == "end" or (row["event"] == "move" and tiers.index(row["tier"]) < found[-1][2])
            found[-1][5] = row["time"]
            found[-1][6] = not gone and lower and row["cause"] not in ("handover", "reneged")
        if gone:
            current = None
            break
        if key is not None and key != current:
            found.append(
                [row["service"], row["provider"], tiers.index(row["tier"]), row["stay_start"], row["time"], days, False]
            )
        current = key
    whole = []
    for stay in found:
        later = [other[4] for other in found if other[4] > stay[5] and other[2] >= stay[2]]
        whole.append(Stay(*stay, min(later) if stay[6] and later else math.inf))
    return whole


def value_on(number: Any, date: dt.date) -> float:
    """A number, or the last of dated ones that is in force."""
    if isinstance(number, dict):
        return float(number["value"])
    return float([step for step in number if step.get("from", dt.date.min) <= date or step is number[0]][-1]["value"])


class Accounts:
    """Pounds in cash by month, provider and payer, added up one day and one sum at a time."""

    def __init__(
        self, under: dict[tuple[str, str], list[tuple[dt.date, str]]], contracts: dict[str, list[dict[str, Any]]]
    ) -> None:
        self.under, self.contracts = under, contracts
        self.costs: Costs = defaultdict(float)
        self.prices: dict[tuple[str, str, int], list[tuple[float, float]]] = {}

    def contract(self, provider: str, service: str, date: dt.date) -> tuple[dt.date, str]:
        return [(since, name) for since, name in self.under[provider, service] if since <= max(date, START)][-1]

    def book(self, provider: str, service: str, time: float, value: float, shared: bool) -> None:
        """A sum of a moment, in the prices of the base year, as cash of its financial year."""
        date = START + dt.timedelta(days=math.floor(time))
        name = self.contract(provider, service, date)[1]
        self.add(provider, service, date, value * self.growth(name, date), shared)

    def growth(self, name: str, date: dt.date) -> float:
        years = date.year - (date.month < 4) - 2012
        own = [term["per_year"]["value"] for term in self.contracts[name] if term["kind"] == "indexation"]
        return float((1 + (own[0] if own else 0.02)) ** years)

    def add(self, provider: str, service: str, date: dt.date, cash: float, shared: bool) -> None:
        client = 0.3 if shared and service == "care_home" else 0.0
        health = 0.5 if shared and service == "reablement" else 0.0
        for payer, share in zip(PAYERS, (1 - client - health, health, client), strict=True):
            if share:
                self.costs[f"{date:%Y-%m}", provider, payer] += share * cash

    def by_day_of_stay(self, provider: str, service: str, day: int) -> list[tuple[float, float]]:
        """Cash a day on a date, from each of these days of the stay on."""
        key = provider, service, day
        if key not in self.prices:
            date = START + dt.timedelta(days=day)
            name = self.contract(provider, service, date)[1]
            terms = self.contracts[name]
            edges = {0.0} | {float(b["from_day"]) for t in terms if t["kind"] == "tapered" for b in t["bands"]}
            edges |= {float(t["baseline_days"]) for t in terms if t["kind"] == "days_saved"}
            rows = []
            for edge in sorted(edges):
                price = 0.0
                for term in terms:
                    if term["kind"] == "per_diem":
                        price += (
                            value_on(term["gbp_per_day"], date)
                            if "gbp_per_day" in term
                            else value_on(term["gbp_per_week"], date) / 7
                        )
                    elif term["kind"] == "tapered":
                        price += value_on([b for b in term["bands"] if b["from_day"] <= edge][-1]["gbp_per_day"], date)
                    elif term["kind"] == "days_saved" and edge >= term["baseline_days"]:
                        price -= term["gbp_per_day_over"]["value"]
                rows.append((edge, price * self.growth(name, date)))
            self.prices[key] = rows
        return self.prices[key]

    def care(self, stay: Stay) -> None:
        """Every day, or part of one, at the price of its date and of its day of the stay."""
        for day in range(math.floor(stay.came), math.ceil(stay.until)):
            a, b = max(stay.came, float(day)), min(stay.until, day + 1.0)
            rows = self.by_day_of_stay(stay.provider, stay.service, day)
            cash = 0.0
            for k, (edge, price) in enumerate(rows):
                ends = rows[k + 1][0] if k + 1 < len(rows) else math.inf
                held = min(b, stay.start + ends) - max(a, stay.start + edge)
                cash += max(held, 0.0) * price
            self.add(stay.provider, stay.service, START + dt.timedelta(days=day), cash, shared=True)

    def blocks(self, days: float) -> None:
        """A day's part of a year's sum for every day of the run, whoever is there."""
        for provider, service in self.under:
            for day in range(math.ceil(days)):
                date = START + dt.timedelta(days=day)
                april = dt.date(date.year - (date.month < 4), 4, 1)
                length = (april.replace(year=april.year + 1) - april).days
                for term in self.contracts[self.contract(provider, service, date)[1]]:
                    if term["kind"] == "block":
                        part = value_on(term["gbp_per_year"], date) / length * min(1.0, days - day)
                        self.book(provider, service, float(day), part, shared=True)

    def episodes(self, stay: Stay, days: float) -> list[tuple[float, str, dt.date, float]]:
        """Sums on days of the stay within the run, by the contract of their date: time, contract, its begin, pounds."""
        paid = []
        for since, name in self.under[stay.provider, stay.service]:
            for term in self.contracts[name]:
                if term["kind"] == "episode":
                    due = (float(term.get("on_day", 0)), term["gbp"]["value"])
                elif term["kind"] == "outcome":
                    due = (0.0, term["gbp"]["value"] * term["share_up_front"]["value"])
                else:
                    continue
                time = stay.start + due[0]
                if not stay.came <= time <= stay.until or time >= days or time < 0:
                    continue
                date = START + dt.timedelta(days=math.floor(time))
                if self.contract(stay.provider, stay.service, date) == (since, name):
                    paid.append((time, name, since, due[1]))
        return paid

    def sums(self, stay: Stay, days: float) -> None:
        entered = self.episodes(stay, days)
        for time, _, _, value in entered:
            self.book(stay.provider, stay.service, time, value, shared=True)
        if not stay.stepped:
            return
        since, name = self.contract(stay.provider, stay.service, START + dt.timedelta(days=math.floor(stay.until)))
        length, out = stay.until - stay.start, stay.back - stay.until
        gained = 0.0
        for term in self.contracts[name]:
            lasts = term.get("lasts_days", 0)
            value = 0.0
            if term["kind"] == "step_down_bonus" and length <= term.get("by_day", math.inf):
                begins = term.get("tapers_from_day", math.inf)
                value = term["gbp"]["value"] * (
                    1.0 if length <= begins else (term["by_day"] - length) / (term["by_day"] - begins)
                )
            elif term["kind"] == "outcome":
                value = term["gbp"]["value"] * (1 - term["share_up_front"]["value"])
            elif term["kind"] == "days_saved":
                value = term["gbp_per_day"]["value"] * max(0.0, term["baseline_days"] - length)
            if out >= lasts:
                gained += value
                if stay.until + lasts < days:
                    self.paid_later(stay, name, stay.until + lasts, value)
        if stay.back < days:
            self.paid_later(stay, name, stay.back, -self.taken(stay, name, since, entered, gained, length, out))

    def paid_later(self, stay: Stay, name: str, time: float, value: float) -> None:
        """Sums at and after a step-down are the council's, and grow as the contract of the step-down does."""
        date = START + dt.timedelta(days=math.floor(time))
        self.add(stay.provider, stay.service, date, value * self.growth(name, date), shared=False)

    def taken(
        self, stay: Stay, name: str, since: dt.date, entered: list[Any], gained: float, length: float, out: float
    ) -> float:
        terms = self.contracts[name]
        sums = gained + sum(value for _, of, begin, value in entered if (of, begin) == (name, since))
        taken = 0.0
        for term in terms:
            if term["kind"] == "clawback" and out < term["within_days"]:
                taken += term.get("share", {"value": 0.0})["value"] * sums
                date = START + dt.timedelta(days=math.floor(stay.until))
                price = [
                    p
                    for edge, p in self.by_day_of_stay(stay.provider, stay.service, math.floor(stay.until))
                    if edge <= length
                ][-1]
                taken += min(length, term.get("days_of_pay", 0.0)) * price / self.growth(name, date)
            elif (
                term["kind"] == "outcome"
                and out < term["lasts_days"]
                and any((of, begin) == (name, since) for _, of, begin, _ in entered)
            ):
                taken += term["gbp"]["value"] * term["share_up_front"]["value"]
        return taken


def by_hand(log: pl.DataFrame, days: float, under: Any = UNDER, contracts: Any = CONTRACTS) -> Costs:
    accounts = Accounts(under, contracts)
    clients: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for row in log.with_columns(pl.col("stay_start").fill_nan(None)).rows(named=True):
        clients[row["client"]].append(row)
    for rows in clients.values():
        for stay in stays_of(rows, days):
            accounts.care(stay)
            accounts.sums(stay, days)
    accounts.blocks(days)
    return accounts.costs


def ledger_of(measures: pl.DataFrame) -> Costs:
    costs = (
        measures.filter(pl.col("measure").is_in(PAYERS))
        .group_by("month", "provider", "measure")
        .agg(pl.col("value").sum())
    )
    return {(month, provider, payer): value for month, provider, payer, value in costs.rows()}


@pytest.mark.parametrize("seed", [1, 2])
def test_every_month_provider_and_payer_by_hand(seed: int) -> None:
    found, expected = ledger_of(measure_log(log(seed), model(), DAYS)), by_hand(log(seed), DAYS)
    assert len(found) > 80
    apart = {
        key: (found.get(key, 0.0), expected.get(key, 0.0))
        for key in found.keys() | expected.keys()
        if abs(found.get(key, 0.0) - expected.get(key, 0.0)) > 1e-6 + 1e-9 * abs(expected.get(key, 0.0))
    }
    assert apart == {}


def test_the_run_has_everything_that_is_paid_for() -> None:
    """Bonuses and returns under every contract that pays them, stays from before day 0 and across every switch, months
    with nobody in a block."""
    clients: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for row in log(1).with_columns(pl.col("stay_start").fill_nan(None)).rows(named=True):
        clients[row["client"]].append(row)
    stays = [stay for rows in clients.values() for stay in stays_of(rows, DAYS)]
    for (provider, service), names in UNDER.items():
        mine = [stay for stay in stays if (stay.provider, stay.service) == (provider, service)]
        for since, _ in names[1:] if service != "supported_living" else ():
            day = (since - START).days
            assert any(stay.came < day < stay.until for stay in mine)
            assert any(stay.stepped and stay.until > day > stay.start for stay in mine)
        if len(names) > 1 and service != "supported_living":
            assert any(stay.back < DAYS for stay in mine)
    assert any(stay.start < -42 and stay.stepped for stay in stays)
    assert log(1).filter(pl.col("cause") == "premature").height > 0
    living = measure_log(log(1), model(), DAYS).filter(
        (pl.col("service") == "supported_living") & (pl.col("measure") == "cost")
    )
    assert living.filter(pl.col("area").is_null()).height > 0
    kinds = {term["kind"] for terms in CONTRACTS.values() for term in terms}
    assert len(kinds) == 9


def test_real_cost_and_all_payers() -> None:
    measures = measure_log(log(1), model(), DAYS)
    sums = {
        name: dict(measures.filter(pl.col("measure") == name).group_by("month").agg(pl.col("value").sum()).rows())
        for name in (*PAYERS, "cost")
    }
    real = dict(measures.filter(pl.col("measure") == "cost_real").group_by("month").agg(pl.col("value").sum()).rows())
    for month, cost in sums["cost"].items():
        assert sum(sums[payer].get(month, 0.0) for payer in PAYERS) == pytest.approx(cost, rel=1e-12)
        year = int(month[:4]) - (int(month[5:]) < 4)
        assert real[month] == pytest.approx(cost / 1.015 ** (year - 2012), rel=1e-12)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_without_a_log_it_costs_the_same(seed: int) -> None:
    tables, names = build(model()), names_of(model())
    tally = Tally(model(), tables, names, DAYS)
    for rows in compiled.batches(model(), tables, seed, 0, DAYS):
        tally.add(rows)
    tally.check()
    by_log, by_tally = measure_log(log(seed), model(), DAYS), measures_of(tally.tallies("baseline", 0), model(), DAYS)
    keys = [column for column in by_log.columns if column != "value"]
    both = by_log.join(by_tally, on=keys, how="full", coalesce=True, nulls_equal=True, suffix="_tally").fill_null(0.0)
    assert both.height == by_log.height == by_tally.height > 0
    assert (
        both.filter((pl.col("value") - pl.col("value_tally")).abs() > 1e-7 + 1e-9 * pl.col("value").abs()).rows() == []
    )


def test_both_engines_lead_the_same_lives() -> None:
    assert simulate(model(), DAYS).equals(log(1))


@pytest.mark.parametrize("seed", [1, 2])
def test_the_invariants_hold(seed: int) -> None:
    check_run(log(seed), measure_log(log(seed), model(), DAYS), model(), DAYS)


# --- switches
# ------------------------------------------------------------------------------------------------------------------

TWIN_FROM = dt.date(2014, 9, 9)


def twins(
    under: dict[tuple[str, str], list[tuple[dt.date, str]]], terms: dict[str, list[dict[str, Any]]]
) -> tuple[Model, Model]:
    """The model, and the same under a strategy that puts every offer under a contract of the same terms by another
    name."""
    plain = town(under, terms | {f"{name} again": contract for name, contract in terms.items()})
    new = [{"service": s, "provider": p, "contract": f"{names[-1][1]} again"} for (p, s), names in under.items()]
    return plain, apply_strategy(
        plain, Strategy.model_validate({"name": "s", "title": "S", "start": TWIN_FROM, "contracts": new})
    )


def cost_of(log: pl.DataFrame, model: Model) -> pl.DataFrame:
    place = [
        "month",
        "service",
        "provider",
    ]  # a block is shared among stages by the days in each period, and dates cut periods
    return (
        measure_log(log, model, DAYS)
        .filter(pl.col("measure") == "cost")
        .group_by(place)
        .agg(pl.col("value").sum())
        .sort(place)
    )


def simulated(model: Model) -> pl.DataFrame:
    return frame(compiled.record(model, build(model), 1, 0, DAYS).rows, names_of(model), "baseline", 0)


def test_a_switch_to_the_same_terms_changes_nothing() -> None:
    """The log to the last bit; and the cost, where nothing that was paid before the switch is taken back after it."""
    kept = {
        name: [term for term in terms if term["kind"] not in ("clawback", "outcome", "episode")]
        for name, terms in CONTRACTS.items()
    }
    kept["entries"] = [
        term for term in kept["entries"] if term["kind"] != "step_down_bonus"
    ]  # without a clawback it would pay for a cycle
    plain, switched = twins(UNDER | {("council", "plan"): [(START, "entries")]}, kept)
    before, after = simulated(plain), simulated(switched)
    assert after.equals(before)
    ours, theirs = cost_of(before, plain), cost_of(after, switched)
    assert ours.drop("value").equals(theirs.drop("value"))
    assert np.allclose(ours["value"], theirs["value"], rtol=1e-12, atol=1e-9)


def test_a_switch_to_the_same_terms_leads_to_the_same_lives_where_the_rung_below_has_switched() -> None:
    """The council's plan goes under other contracts in 2013 and 2014; its foster care, a rung above, does not."""
    plain, switched = twins(UNDER, CONTRACTS)
    assert simulated(plain).equals(log(1))
    assert simulated(switched).equals(simulated(plain))


def test_a_switch_before_the_first_day_holds_from_it() -> None:
    """Another way to write the contract that an offer is under from the first day on: the same people cost the same."""
    under = UNDER | {("homes", "care_home"): [(START, "mixed")]}
    start = {"name": "s", "title": "S", "start": dt.date(2012, 1, 1)}
    early = Strategy.model_validate({**start, "contracts": [{"service": "care_home", "contract": "mixed"}]})
    one, other = town(under, CONTRACTS), apply_strategy(model(), early)
    assert cost_of(log(1), one).equals(cost_of(log(1), other))
    assert not cost_of(log(1), one).equals(cost_of(log(1), model()))
    everybody = Strategy.model_validate(
        {**start, "start": dt.date(2014, 1, 1), "contracts": [{"service": "foster_care", "contract": "mixed"}]}
    )
    offers = [
        offer
        for provider in apply_strategy(model(), everybody).providers
        for offer in provider.offers
        if offer.service == "foster_care"
    ]
    assert [offer.contract_at(dt.date(2014, 1, 1)) for offer in offers] == ["mixed", "mixed"]
    assert [offer.contract_at(dt.date(2013, 12, 31)) for offer in offers] == ["taper", "entries"]


def back_and_forth(*terms: dict[str, Any], switches: tuple[tuple[dt.date, str], ...] = ()) -> dict[str, float]:
    """By month, what a stay from 21 April to 20 June costs, with a return on 30 June that ends at once, without
    growth."""
    data = tomllib.loads(TOY)
    data["contracts"] += [{"name": name, "terms": list(terms)} for name in ("x", "y")]
    data["providers"][0]["offers"][0] |= {
        "contract": "x",
        "switches": [{"from": date, "contract": name} for date, name in switches],
    }
    data["prices"]["growth_per_year"] = gbp(0)
    where = {"area": "north", "stage": "adult"}
    care = {**where, "need": "community", "tier": "community", "service": "plan", "provider": "council"}
    rows = [{
        "event": "arrival", "time": 20.0, **where}, {"event": "start", "time": 20.0, "stay_start": 20.0, **care},
        {"event": "end", "time": 80.0, "cause": "step_down", **where}, {"event": "start", "time": 90.0,
        "stay_start": 90.0, **care}, {"event": "left", "time": 90.0, "stay_start": 90.0, **care
    }]  # fmt: skip
    measures = measure_log(log_of(rows, RUNGS, SHORT), parse(Model, data, "f.toml"), 365.0).filter(
        pl.col("measure") == "cost"
    )
    return dict(measures.group_by("month").agg(pl.col("value").sum()).rows())


EPISODE = [{"kind": "episode", "gbp": gbp(500)}, {"kind": "clawback", "within_days": 91, "share": gbp(1)}]
NEXT = dt.date(2013, 5, 15)


def test_a_return_by_hand() -> None:
    """£100 a day and £500 to begin with, all of which goes back on day 90, when the second stay begins and is paid
    £500."""
    assert back_and_forth(per_diem(gbp(100)), *EPISODE) == pytest.approx(
        {"2013-04": 1000 + 500, "2013-05": 3100, "2013-06": 1900 - 500 + 500}
    )
    small, window = (
        {"kind": "episode", "gbp": gbp(250)},
        {**EPISODE[1], "within_days": 10},
    )  # the return comes when the window has closed
    assert back_and_forth(per_diem(gbp(100)), small, window) == pytest.approx(
        {"2013-04": 1000 + 250, "2013-05": 3100, "2013-06": 1900 + 250}
    )


@pytest.mark.parametrize(
    ("prices", "switches"),
    [((gbp(100), gbp(100.0001, NEXT)), ()), ((gbp(100),), ((NEXT, "x"),))],
    ids=["a price that steps", "the same contract again"],
)
def test_what_was_paid_under_a_contract_is_taken_back_under_it(prices: Any, switches: Any) -> None:
    plain = back_and_forth(per_diem(gbp(100)), *EPISODE)
    assert back_and_forth(per_diem(*prices), *EPISODE, switches=switches) == pytest.approx(plain, abs=0.01)


def test_bands_by_the_week_for_most_of_a_year() -> None:
    weekly = [taper(*((7 * k, 60 + (k * 7) % 13) for k in range(40)))]
    many = town(UNDER | {("council", "plan"): [(START, "weekly")]}, CONTRACTS | {"weekly": weekly})
    tables, names = build(many), names_of(many)
    tally = Tally(many, tables, names, DAYS)
    for rows in compiled.batches(many, tables, 1, 0, DAYS):
        tally.add(rows)
    by_log, by_tally = measure_log(simulated(many), many, DAYS), measures_of(tally.tallies("baseline", 0), many, DAYS)
    sums = [found.filter(pl.col("measure") == "cost")["value"].sum() for found in (by_log, by_tally)]
    assert sums[0] == pytest.approx(sums[1])
