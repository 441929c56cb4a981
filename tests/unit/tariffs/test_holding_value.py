"""How providers answer to a tariff: the value of holding worked out a second time, and what simulated people live
through because of it."""

from __future__ import annotations

import datetime as dt
import math
import tomllib
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np
import polars as pl
import pytest

from simcare.arrays.build import build
from simcare.arrays.names import names_of
from simcare.engine import compiled
from simcare.files.parsing import parse
from simcare.log.frame import frame
from simcare.model import Model
from simcare.model.offers import reference_price, response_of
from simcare.model.overlay import apply_strategy
from simcare.model.strategy import Strategy
from simcare.tariffs.holding_value import holding_value, incentive, release_factor, step_down_factor
from simcare.tariffs.response_draws import differing
from tests.support.logs import simulate
from tests.support.paths import TOY as TOY_FILE
from tests.support.standard_errors import holds, share_holds

START = dt.date(2013, 4, 1)
TOY = TOY_FILE.read_text(encoding="utf-8")
Terms = list[dict[str, Any]]


def number(value: float | list[float]) -> dict[str, Any]:
    return {"value": value, "source": "assumption", "grade": "D"}


def per_diem(price: float) -> dict[str, Any]:
    return {"kind": "per_diem", "gbp_per_day": number(price)}


def taper(*bands: tuple[float, float]) -> dict[str, Any]:
    return {"kind": "tapered", "bands": [{"from_day": day, "gbp_per_day": number(price)} for day, price in bands]}


def bonus(value: float, **parts: float) -> dict[str, Any]:
    return {"kind": "step_down_bonus", "gbp": number(value), **parts}


CLAWBACK = {"kind": "clawback", "within_days": 91, "share": number(1)}
BLOCK = {"kind": "block", "gbp_per_year": number(200_000)}
CONTRACTS: dict[str, Terms] = {
    "flat": [per_diem(40)],
    "taper": [taper((0, 56), (42, 44), (84, 37.456))],
    "taper_clawback": [
        taper((0, 56), (42, 44), (84, 37.456)),
        {"kind": "clawback", "within_days": 91, "days_of_pay": 28},
    ],
    "bonus": [per_diem(40), bonus(900, lasts_days=91)],
    "dated": [per_diem(40), bonus(900, by_day=84, lasts_days=91)],
    "tapering": [per_diem(40), bonus(900, by_day=120.5, tapers_from_day=30.25, lasts_days=91), bonus(10)],
    "block": [BLOCK],
    "late": [per_diem(37), {"kind": "episode", "gbp": number(800), "on_day": 182}, CLAWBACK],
    "early": [
        per_diem(37),
        {"kind": "episode", "gbp": number(150)},
        {"kind": "episode", "gbp": number(90), "on_day": 20},
        CLAWBACK,
    ],
    "outcome": [per_diem(40), {"kind": "outcome", "gbp": number(900), "share_up_front": number(0.2), "lasts_days": 91}],
    "saved": [
        per_diem(40),
        {
            "kind": "days_saved",
            "baseline_days": 90,
            "gbp_per_day": number(8),
            "gbp_per_day_over": number(4),
            "lasts_days": 91,
        },
    ],
    "part": [per_diem(37), {"kind": "episode", "gbp": number(200), "on_day": 100}, {**CLAWBACK, "share": number(0.95)}],
    "mixed": [
        taper((0, 50), (30, 35)),
        bonus(300, by_day=60, lasts_days=42),
        {**CLAWBACK, "share": number(0.5), "days_of_pay": 14},
        BLOCK,
    ],
}
ANSWER: dict[
    str, float] = {"eta": 1.3, "horizon_days": 60, "altruism_gbp_per_rung_day": 2, "avoidable_share": 0.7,
    "occupancy": 0.9, "return_per_year": 0.3, "unready_return_per_year": 1.5, "exits_per_year": 0.4,
    "discount_per_year": 0.035,
}  # fmt: skip
STEP_DOWN, PREMATURE, YEAR = 2.0, 0.8, 365.25
OTHER: dict[str, Any] = {
    "name": "other",
    "owner": "council",
    "offers": [{"service": "care", "contract": "dearer", "weight": number(1)}],
}


def town(contract: str | Terms, *, count: int = 1000, need: int = 0, elapsed: tuple[float, float] = (0.0, 1e-9),
         switch: tuple[int, str] | None = None, premature: bool = False,
         returns: bool = False, recovers: float = 0.0, answer: dict[str, float] | None = None,
         other: bool = False, offer: dict[str, Any] | None = None) -> Model:  # fmt: skip
    """People in the care of one firm on the first rung of a ladder of two, ready to step down (need 0) or not; nothing
    else happens to them.

    The offer is under ``flat`` to begin with, and under the contract from day 0 on, so that the reference price is
    always £40.
    """
    contracts = {**CONTRACTS, "dearer": [per_diem(60)]}
    if not isinstance(contract, str):
        contracts["own"], contract = contract, "own"
    switches = [{"from": START, "contract": contract}]
    if switch is not None:
        switches.append({"from": START + dt.timedelta(days=switch[0]), "contract": switch[1]})
    firm = {"service": "care", "contract": "flat", "weight": number(3), "switches": switches, **(offer or {})}
    clocks: list[dict[str, Any]] = [{"clock": "step_down", "per_year": number(STEP_DOWN)}]
    if premature:
        clocks.append({"clock": "premature", "per_year": number(PREMATURE)})
    if recovers:
        clocks.append({"clock": "recover", "per_year": number(recovers)})
    if returns:
        clocks += [
            {"clock": "detection", "per_year": number(6)},
            {"clock": "rise", "needs": ["independent"], "per_year": number(0.4)},
        ]
    home = {"service": "home", "contract": "flat", "weight": number(1)}
    data = {
        "about": {"name": "firm", "title": "One firm", "start": START}, "tiers": [{"name": "independent"},
        {"name": "care"}, {"name": "home"}], "stages": [{"name": "adult", "from_age": 18}],
        "groups": [{"name": "general"}], "services": [{"name": "care", "tier": "care"}, {"name": "home",
        "tier": "home"}], "contracts": [{"name": name, "terms": terms} for name, terms in contracts.items()],
        "providers": [{"name": "firm", "owner": "independent", "offers": [firm, home]}, *([OTHER] if other else [])],
        "clocks": clocks, "front_door": [{"name": "all", "assessment_days": number(7)}] if returns else [],
        "caseload": [{"name": "there", "service": "care", "stage": "adult", "group": "general", "count": number(count),
        "needs": number([float(need == 0), float(need == 1), 0.0]), "ages": {"edges": [30, 40], "shares": [1], **WHY},
        "elapsed": {"edges_days": list(elapsed), "shares": [1], **WHY}}], "responses": [{"name": "firm",
        "owners": ["independent"], **{k: number(v) for k, v in {**ANSWER, **(answer or {})}.items()}}],
        "prices": {"base_year": "2013/14", "growth_per_year": number(0), "inflation_per_year": number(0),
        "discount": [{"from_year": 0, "per_year": number(0)}]},
    }  # fmt: skip
    return parse(Model, data, "f.toml")


WHY = {"source": "assumption", "grade": "D"}


def log_of(model: Model, days: float, seed: int = 1) -> pl.DataFrame:
    return frame(compiled.record(model, build(model), seed, 0, days).rows, names_of(model), "baseline", 0)


def stepped_on(model: Model, days: float, cause: str = "step_down") -> np.ndarray:
    """The day on which each person first stepped down for this cause, in order of the people; infinity for who has
    not."""
    log = log_of(model, days)
    first = (
        log.filter((pl.col("cause") == cause) & pl.col("event").is_in(["end", "move"]))
        .group_by("client")
        .agg(pl.col("time").min())
    )
    people = log.select(pl.col("client").unique().sort())
    return people.join(first, on="client", how="left", maintain_order="left")["time"].fill_null(math.inf).to_numpy()


# --- the value of holding, a second time, from the terms as written
# --------------------------------------------------------------


class Firm:
    """What a provider sees, in plain loops; pounds a day and days of the stay throughout."""

    def __init__(self, terms: Terms, answer: dict[str, float] | None = None, **known: float) -> None:
        self.terms = terms
        a = {**ANSWER, **(answer or {})}
        self.eta, self.horizon, self.altruism, self.occupancy = (
            a["eta"],
            a["horizon_days"],
            a["altruism_gbp_per_rung_day"],
            a["occupancy"],
        )
        self.back, self.unready_back, self.exits = (
            a[f"{x}_per_year"] / YEAR for x in ("return", "unready_return", "exits")
        )
        self.discount = math.log(1 + a["discount_per_year"]) / YEAR
        self.reference = known.get("reference", 40.0)
        self.avoidable = known.get("avoidable", a["avoidable_share"] * self.reference)
        self.lower = known.get("lower", 0.0)
        self.known: dict[tuple[float, bool, bool], float] = {}

    def price(self, day: float) -> float:
        found = 0.0
        for term in self.terms:
            if term["kind"] == "per_diem":
                found += term["gbp_per_day"]["value"]
            elif term["kind"] == "tapered":
                found += [band for band in term["bands"] if band["from_day"] <= day][-1]["gbp_per_day"]["value"]
            elif term["kind"] == "days_saved" and day >= term["baseline_days"]:
                found -= term.get("gbp_per_day_over", number(0))["value"]
        return found

    def days_pay(self, days: float) -> float:
        """A quarter of a day at a time: every edge of these contracts is on one."""
        steps = int(days * 4)
        return sum(self.price(k / 4 + 0.125) for k in range(steps)) / 4 + (days - steps / 4) * self.price(days - 1e-9)

    def lumps(self) -> list[tuple[float, float]]:
        found = [(float(t.get("on_day", 0)), t["gbp"]["value"]) for t in self.terms if t["kind"] == "episode"]
        return found + [
            (0.0, t["gbp"]["value"] * t["share_up_front"]["value"]) for t in self.terms if t["kind"] == "outcome"
        ]

    def payoffs(self, day: float) -> list[tuple[float, float]]:
        """Pounds for a step-down on this day, each with how long it has to last."""
        found = []
        for term in self.terms:
            lasts = float(term.get("lasts_days", 0))
            if term["kind"] == "step_down_bonus" and day <= term.get("by_day", math.inf):
                full = term.get("tapers_from_day", math.inf)
                left = 1.0 if day <= full else (term["by_day"] - day) / (term["by_day"] - full)
                found.append((lasts, term["gbp"]["value"] * left))
            elif term["kind"] == "outcome":
                found.append((lasts, term["gbp"]["value"] * (1 - term["share_up_front"]["value"])))
            elif term["kind"] == "days_saved":
                found.append((lasts, term["gbp_per_day"]["value"] * max(0.0, term["baseline_days"] - day)))
        return found

    def taken(self, day: float, out: float, entered: bool) -> float:
        """Pounds that a return takes back; with or without those of sums that the stay was paid on a day."""
        found = 0.0
        for term in self.terms:
            if term["kind"] == "clawback" and out < term["within_days"]:
                sums = sum(gbp for due, gbp in self.lumps() if due <= day and entered) + sum(
                    gbp for lasts, gbp in self.payoffs(day) if lasts <= out
                )
                found += term.get("share", number(0))["value"] * sums
                found += max(0.0, min(min(day, term.get("days_of_pay", 0.0)) * self.price(day), self.days_pay(day)))
            elif term["kind"] == "outcome" and out < term["lasts_days"]:
                found += term["gbp"]["value"] * term["share_up_front"]["value"]
        return found

    def worth(self, day: float, ready: bool, entered: bool = True) -> float:
        """S: what a step-down on this day is worth."""
        if (day, ready, entered) not in self.known:
            back = self.back if ready else self.unready_back
            found = self.lower
            for lasts, gbp in self.payoffs(day):
                found += gbp * math.exp(-back * lasts) * math.exp(-(self.discount + 1 / self.horizon) * lasts)
            edges = sorted(
                {0.0, *(float(t[key]) for t in self.terms for key in ("within_days", "lasts_days") if t.get(key))}
            )
            for k in range(len(edges) - 1):
                chance = math.exp(-back * edges[k]) - math.exp(-back * edges[k + 1])
                found -= chance * self.taken(day, edges[k] + 0.25 * (edges[k + 1] - edges[k]), entered)
            self.known[day, ready, entered] = found
        return self.known[day, ready, entered]

    def holding(self, day: int, gap: int, ready: bool = True) -> float:
        """g on a day of the stay."""
        now = day + 0.5
        value = self.price(now) - self.avoidable
        back = self.back if ready else self.unready_back
        kept = 1.0
        for term in self.terms:
            if (
                term["kind"] == "clawback" and "share" in term
            ):  # of a sum to come, what a return within the window would cost
                kept -= term["share"]["value"] * (1 - math.exp(-back * term["within_days"]))
        for due, gbp in self.lumps():
            felt = max(1.0, min(self.horizon, due))
            if due - felt <= now < due:
                value += kept * gbp / felt
        first = min(self.horizon, 365.0)
        newcomer = (
            self.days_pay(first) + sum(gbp for due, gbp in self.lumps() if due <= first)
        ) / first - self.avoidable
        value -= self.occupancy * max(0.0, newcomer)
        value -= self.altruism * gap
        slope = (self.worth(now + 7, ready, entered=False) - self.worth(now, ready, entered=False)) / 7
        return value - ((self.discount + self.exits + 1 / self.horizon) * self.worth(now, ready) - slope)

    def step_down(self, day: int, gap: int = 1) -> float:
        return math.exp(min(3.0, max(-3.0, -self.eta * self.holding(day, gap) / self.reference)))

    def release(self, day: int, gap: int = 0) -> float:
        return math.exp(min(3.0, max(0.0, -self.eta * self.holding(day, gap, ready=False) / self.reference))) - 1

    def cumulative(self, days: int, what: str = "step_down") -> list[float]:
        """The hazard in multiples of the plain rate, from the first day of the stay to each day."""
        known: dict[int, float] = {}
        total, found = 0.0, [0.0]
        for day in range(days):
            day_or_last = min(day, 500)  # by then every contract here is level
            if day_or_last not in known:
                known[day_or_last] = getattr(self, what)(day_or_last)
            total += known[day_or_last]
            found.append(total)
        return found


def spent(table: list[float], day: float) -> float:
    whole = math.floor(day)
    return table[whole] + (day - whole) * (table[whole + 1] - table[whole])


@pytest.mark.parametrize("name", CONTRACTS)
@pytest.mark.parametrize(
    ("answer", "gap"),
    [
        ({}, 1),
        ({"horizon_days": 400, "eta": 0.4, "return_per_year": 2.0}, 2),
        ({"horizon_days": 28, "occupancy": 0}, 1),
    ],
)
def test_the_value_of_holding(name: str, answer: dict[str, float], gap: int) -> None:
    model = town(name, answer=answer)
    seen = incentive(model, model.providers[0], model.providers[0].offers[0], START)
    assert seen is not None
    firm, days = Firm(CONTRACTS[name], answer), np.arange(0.0, 400.0, 3.0)
    for ready in (True, False):
        by_hand = [firm.holding(int(day), gap * ready, ready) for day in days]
        assert holding_value(seen, gap * ready, days, ready) == pytest.approx(np.array(by_hand), rel=1e-9, abs=1e-9)
    assert step_down_factor(seen, gap, days) == pytest.approx(
        np.array([firm.step_down(int(day), gap) for day in days]), rel=1e-9
    )
    assert release_factor(seen, 0, days) == pytest.approx(
        np.array([firm.release(int(day)) for day in days]), rel=1e-9, abs=1e-9
    )


def test_the_value_of_holding_by_hand() -> None:
    """£40 a day, of which £28 are saved without the client, and 0.9 of £12 are earned with the next: £1.20 less
    altruism of £2 a day."""
    model = town("flat")
    seen = incentive(model, model.providers[0], model.providers[0].offers[0], START)
    assert seen is not None
    assert holding_value(seen, 1, np.array([0.0, 99.0])) == pytest.approx([-0.8, -0.8])
    assert step_down_factor(seen, 1, np.array([5.0])) == pytest.approx([math.exp(1.3 * 0.8 / 40)])
    assert release_factor(seen, 0, np.array([5.0])) == pytest.approx([0.0])
    block = incentive(town("block"), model.providers[0], town("block").providers[0].offers[0], START)
    assert block is not None
    assert holding_value(block, 1, np.array([5.0])) == pytest.approx(
        [-30.0]
    )  # 0 − 28 − 2; who comes next earns nothing either
    assert release_factor(block, 0, np.array([5.0])) == pytest.approx([math.expm1(1.3 * 28 / 40)])


def test_what_is_known_of_an_offer() -> None:
    """The reference price is by weight, over all who offer the service; a variable cost that is stated is what a day
    without a client saves."""
    model = town("taper", other=True, offer={"variable_gbp_per_day": number(31)})
    assert reference_price(model, "care") == pytest.approx((3 * 40 + 1 * 60) / 4)
    seen = incentive(model, model.providers[0], model.providers[0].offers[0], START)
    assert seen is not None
    firm = Firm(CONTRACTS["taper"], reference=45.0, avoidable=31.0)
    assert (seen.reference, seen.avoidable) == pytest.approx((firm.reference, firm.avoidable))
    assert holding_value(seen, 1, np.array([10.0, 90.0])) == pytest.approx([firm.holding(10, 1), firm.holding(90, 1)])
    assert (
        incentive(model, model.providers[1], model.providers[1].offers[0], START) is None
    )  # the council's own do not answer
    home = incentive(model, model.providers[0], model.providers[0].offers[1], START)
    assert home is not None
    below = (
        (56 - 31) * 3 / 4 * 60
    )  # the firm's margin on the first day in care, three in four of those placed there, for sixty days
    assert home.lower_value == pytest.approx(below)
    assert home.avoidable == pytest.approx(0.7 * 40)


# --- what people live through
# --------------------------------------------------------------------------------------------------


@cache
def toy(contract: str, eta: float, premature: bool = True) -> Model:
    data = tomllib.loads(TOY)
    data["contracts"] = [{"name": name, "terms": terms} for name, terms in CONTRACTS.items()]
    for provider in data["providers"]:
        for offer in provider["offers"]:
            offer |= {"contract": "flat", "switches": [{"from": dt.date(2013, 8, 20), "contract": contract}]}
    data["clocks"] += [{"clock": "premature", "per_year": number(0.3)}] if premature else []
    answers = {key: number(value) for key, value in {**ANSWER, "eta": eta}.items()}
    data["responses"] = [{"name": "all", "owners": ["council", "independent"], **answers}]
    return parse(Model, data, "f.toml")


def test_who_does_not_answer_to_money_is_the_same_under_every_contract() -> None:
    logs = {name: log_of(toy(name, 0.0), 700.0) for name in CONTRACTS}
    assert all(log.equals(logs["flat"]) for log in logs.values())
    assert simulate(toy("mixed", 0.0), 700.0).equals(logs["flat"])
    assert simulate(toy("late", 0.0), 700.0).equals(logs["flat"])
    silent = toy("flat", 0.0).model_copy(update={"responses": ()})
    assert log_of(silent, 700.0).equals(logs["flat"])
    assert logs["flat"].filter(pl.col("cause") == "premature").is_empty()


@pytest.mark.parametrize("name", ["block", "mixed", "late"])
def test_who_answers_to_money_does_so_in_both_engines(name: str) -> None:
    log = log_of(toy(name, 1.3), 700.0)
    assert simulate(toy(name, 1.3), 700.0).equals(log)
    until = pl.col("time") < 141  # the switch
    assert log.filter(until).equals(log_of(toy("flat", 1.3), 700.0).filter(until))
    assert not log.equals(log_of(toy("flat", 1.3), 700.0))


@pytest.mark.parametrize(
    "parts",
    [
        {},
        {"lasts_days": 91},
        {"by_day": 120, "lasts_days": 91},
        {"by_day": 200, "tapers_from_day": 20, "lasts_days": 91},
    ],
)
def test_a_higher_bonus_delays_nobody(parts: dict[str, float]) -> None:
    """Each person, under the same luck, from the day on which they are ready."""
    most = 1090 if "lasts_days" in parts else 12
    times = [
        stepped_on(town([per_diem(40), bonus(most * part, **parts)], need=1, recovers=1.5, count=800), 900.0)
        for part in (0.01, 0.3, 0.6, 1.0)
    ]
    for fewer, more in pairwise(times):
        assert (more <= fewer + 1e-9).all()
    assert (times[-1] < times[0] - 1).mean() > 0.02


def means(what: str, before: np.ndarray, after: np.ndarray, days: float) -> tuple[float, float]:
    """The mean change of stays cut off at so many days, and its standard error; printed."""
    change = np.minimum(after, days) - np.minimum(before, days)
    mean, se = float(change.mean()), float(change.std(ddof=1)) / math.sqrt(change.size)
    print(f"{what}: {mean:+.2f} days, standard error {se:.2g}")
    return mean, se


def exact_mean(firm: Firm, days: int, rate: float = STEP_DOWN) -> float:
    """The mean stay within so many days: the integral of survival, exact within each day."""
    table, total = firm.cumulative(days), 0.0
    for day in range(days):
        a, b = (rate / YEAR * table[k] for k in (day, day + 1))
        total += (math.exp(-a) - math.exp(-b)) / (b - a)
    return total


@pytest.mark.parametrize("name", [name for name in CONTRACTS if name != "flat"])
def test_stays_are_as_long_as_the_hazard_says(name: str) -> None:
    times = stepped_on(town(name, count=4000), 800.0)
    holds(f"mean stay under {name}", np.minimum(times, 800.0), exact_mean(Firm(CONTRACTS[name]), 800))


def test_a_block_without_early_release_only_shortens_stays() -> None:
    flat, block = (stepped_on(town(name, count=3000), 1200.0) for name in ("flat", "block"))
    assert (block <= flat + 1e-9).all()
    mean, se = means("block against a price by the day", flat, block, 1200.0)
    assert mean < -4 * se


def test_tapers_shorten_stays_and_dated_bonuses_more_than_undated_ones() -> None:
    days, stays = (
        1200.0,
        {name: stepped_on(town(name, count=6000), 1200.0) for name in ("flat", "taper", "bonus", "dated")},
    )
    mean, se = means(
        "a taper of the same cost over a year against a price by the day", stays["flat"], stays["taper"], days
    )
    assert mean < -4 * se
    by_84 = {name: (times <= 84).astype(float) for name, times in stays.items()}
    gain = by_84["dated"] - by_84["bonus"]
    print(
        f"by day 84: dated {by_84['dated'].mean():.4f}, undated {by_84['bonus'].mean():.4f}, plain"
        f" {by_84['flat'].mean():.4f}"
    )
    assert gain.mean() > 4 * gain.std(ddof=1) / math.sqrt(gain.size)
    assert by_84["bonus"].mean() > by_84["flat"].mean()


def test_a_late_sum_holds_people_back_before_its_day() -> None:
    """Of those who are there on day 122, fewer step down by day 182, when the sum is paid; and after it more than
    before."""
    late, flat = (stepped_on(town(name, count=6000), 400.0) for name in ("late", "flat"))
    table = Firm(CONTRACTS["late"]).cumulative(400)
    for begin, end in ((0, 122), (122, 182), (182, 300)):
        there = late >= begin
        chance = 1 - math.exp(-STEP_DOWN / YEAR * (table[end] - table[begin]))
        share_holds(f"late sum, from day {begin} to {end}", int((late[there] < end).sum()), int(there.sum()), chance)
    shares = [float(((times >= 122) & (times < 182)).sum() / (times >= 122).sum()) for times in (late, flat)]
    print(f"from day 122 to 182: {shares[0]:.4f} with the sum, {shares[1]:.4f} without")
    n = int((late >= 122).sum())
    assert shares[1] - shares[0] > 4 * math.sqrt(2 * shares[1] * (1 - shares[1]) / n)


def readmitted(log: pl.DataFrame, days: int = 91) -> np.ndarray:
    """For each person, how often they came back to the rung within so many days of an end."""
    counts: dict[int, int] = dict.fromkeys(log["client"].unique().sort().to_list(), 0)
    ended: dict[int, float] = {}
    for client, event, time in (
        log.filter(pl.col("event").is_in(["end", "start"])).select("client", "event", "time").rows()
    ):
        if event == "end":
            ended[client] = time
        elif client in ended:
            counts[client] += time - ended.pop(client) <= days
    return np.array(list(counts.values()), np.float64)


def test_a_block_lets_go_too_soon_and_people_come_back() -> None:
    flat, block = (town(name, need=1, premature=True, returns=True, count=3000) for name in ("flat", "block"))
    logs = {name: log_of(model, 730.0) for name, model in (("flat", flat), ("block", block))}
    assert logs["flat"].filter(pl.col("cause") == "premature").is_empty()
    more = readmitted(logs["block"]) - readmitted(logs["flat"])
    mean, se = more.mean(), more.std(ddof=1) / math.sqrt(more.size)
    print(
        f"readmissions within 91 days, for each person in two years: {mean:+.3f} under a block, standard error {se:.2g}"
    )
    assert mean > 4 * se
    released = stepped_on(block, 730.0, "premature")
    for day in (50, 200, 600):
        chance = 1 - math.exp(-PREMATURE / YEAR * Firm(CONTRACTS["block"]).cumulative(day, "release")[-1])
        share_holds(f"let go too soon by day {day}", int((released < day).sum()), released.size, chance)


@pytest.mark.parametrize(
    ("before", "after"), [("flat", "block"), ("block", "late"), ("late", "dated"), ("mixed", "flat")]
)
def test_a_switch_in_the_middle_of_stays(before: str, after: str) -> None:
    """Stays of up to fifty days on day 0, another contract from day 100: until then the old hazard, from then on the
    new one's, by day of stay."""
    model, stays = (
        town(before, count=4000, elapsed=(0, 50), switch=(100, after)),
        town(before, count=4000, elapsed=(0, 50)),
    )
    log, until = log_of(model, 400.0), pl.col("time") < 100
    assert log.filter(until).equals(log_of(stays, 400.0).filter(until))
    times = stepped_on(model, 400.0)
    begun = -log.filter(pl.col("event") == "present").sort("client")["stay_start"].to_numpy()
    tables = [Firm(CONTRACTS[name]).cumulative(560) for name in (before, after)]

    def hazard(days_there: float, day: float) -> float:
        old = spent(tables[0], days_there + min(day, 100)) - spent(tables[0], days_there)
        return (
            STEP_DOWN
            / YEAR
            * (
                old
                + max(
                    0.0, spent(tables[1], days_there + day) - spent(tables[1], days_there + 100) if day > 100 else 0.0
                )
            )
        )

    for day in (60, 100, 140, 250, 400):
        there = np.array([math.exp(-hazard(float(u), day)) for u in begun])
        left, se = float((times >= day).mean()), math.sqrt(float((there * (1 - there)).sum())) / times.size
        print(f"there on day {day}: {left:.4f} against {there.mean():.4f}, standard error {se:.2g}")
        assert abs(left - there.mean()) <= 4 * se
    # The same once more, exactly: what everybody has spent when they step down is a unit-exponential budget.
    spent_by = np.array([hazard(float(u), float(t)) for u, t in zip(begun, times, strict=True) if t < 400])
    plain = stepped_on(town("flat", count=4000, elapsed=(0, 50), answer={"eta": 0.0}), 4000.0)
    budgets = STEP_DOWN / YEAR * plain[times < 400]
    assert spent_by == pytest.approx(budgets, rel=1e-6, abs=1e-9)


@pytest.mark.parametrize(("people", "places", "seen"), [(400, 800, 0.5), (400, 3000, 0.5), (700, 700, None)])
def test_who_has_few_people_holds_on_to_them(people: int, places: int, seen: float | None) -> None:
    """With places, the occupancy of the last first-of-month counts, in steps of a twentieth from a half to all."""
    times = stepped_on(
        town(
            "flat",
            count=people,
            answer={"altruism_gbp_per_rung_day": 0.0, "eta": 2.0},
            offer={"places": number(places)},
        ),
        200.0,
    )
    firsts = [(dt.date(2013, 4 + k, 1) - START).days for k in range(7)]
    total, expected, left = 0.0, 0, 200
    for k, day in enumerate(firsts):
        share = float((times >= day).sum()) / places
        level = min(1.0, max(0.5, round((min(max(share, 0.5), 1.0) - 0.5) / 0.05) * 0.05 + 0.5))
        assert seen is None or level == pytest.approx(seen)
        until = min(firsts[k + 1], left) if k + 1 < len(firsts) else left
        factor = Firm(CONTRACTS["flat"], {"altruism_gbp_per_rung_day": 0.0, "eta": 2.0, "occupancy": level}).step_down(
            0
        )
        total = STEP_DOWN / YEAR * factor * (until - day)
        expected = int((times >= day).sum())
        share_holds(
            f"stepped down from day {day} to {until} at {level:.2f}",
            int(((times >= day) & (times < until)).sum()),
            expected,
            -math.expm1(-total),
        )


# --- providers differ
# ----------------------------------------------------------------------------------------------------------


def test_providers_differ_by_replication_and_not_by_strategy() -> None:
    model = town("flat", answer={"eta_log_sd": 0.6, "eta": 1.3})
    switch = Strategy.model_validate(
        {
            "name": "s",
            "title": "S",
            "start": dt.date(2014, 1, 1),
            "contracts": [{"service": "care", "contract": "block"}],
        }
    )
    other = apply_strategy(model, switch)
    etas = []
    for replication in range(3000):
        response = response_of(drawn := differing(model, 5, replication), drawn.providers[0])
        assert response is not None
        etas.append(response.eta.value)
        if replication < 50:
            theirs = response_of(differing(other, 5, replication), other.providers[0])
            assert theirs is not None
            assert theirs.eta.value == response.eta.value
    logs, n = np.log(np.array(etas) / 1.3) / 0.6, len(etas)
    holds("mean of the logarithm", logs, 0.0)
    holds("its variance", logs**2, 1.0)
    holds("mean of eta", np.array(etas), 1.3 * math.exp(0.6**2 / 2))
    share_holds("above the value of the file", int((logs > 0).sum()), n, 0.5)
    assert len(set(etas)) == n
    assert differing(town("flat"), 5, 0) == town("flat")


def test_two_providers_differ_and_each_goes_by_its_name() -> None:
    def firms(*names: str) -> dict[str, float]:
        data = town("flat", answer={"eta_log_sd": 0.6}).model_dump(by_alias=True)
        offer = data["providers"][0]
        model = Model.model_validate(data | {"providers": [{**offer, "name": name} for name in names]})
        drawn = differing(model, 1, 0)
        found = {p.name: response_of(drawn, p) for p in drawn.providers}
        return {name: response.eta.value for name, response in found.items() if response is not None}

    three, two = firms("a", "b", "c"), firms("c", "a")
    assert len(set(three.values())) == 3
    assert two == {name: three[name] for name in ("c", "a")}
