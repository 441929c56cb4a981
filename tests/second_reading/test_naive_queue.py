"""Places, queues, teams and hospitals: the product's log against a second reading of the rules, and the two engines
against each other."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from simcare.arrays.build import build
from simcare.demand.paths import with_drawn_demand
from simcare.engine import compiled, simpy
from simcare.files.library import find_file, library
from simcare.files.load import load_model
from simcare.files.parsing import parse
from simcare.files.toml_faults import read_toml
from simcare.model import Model
from simcare.rules.codes import CAUSES, END, EVENTS, MOVE, START
from tests.second_reading.naive_queue import Checker, Ladder, team_is_never_in_two_places
from tests.support.random_models import models, number

YEAR = 365.25
AGES = {"shares": [1], "source": "assumption", "grade": "D"}


def both(model: Model, days: float, seed: int = 1, replication: int = 0) -> NDArray[Any]:
    """The log of a model, the same by both engines: row for row where places are limited, else client by client."""
    model = with_drawn_demand(model, seed, replication, math.ceil(days / 365))
    tables = build(model)
    one, other = (engine.record(model, tables, seed, replication, days).rows for engine in (simpy, compiled))
    if not tables.pools.size:
        one, other = (log[np.argsort(log["client"], kind="stable")] for log in (one, other))
    assert one.size == other.size
    for column in one.dtype.names:
        assert np.array_equal(one[column], other[column], equal_nan=one[column].dtype.kind == "f"), column
    return one


def checked(model: Model, days: float, seed: int = 1) -> dict[str, int]:
    found = Checker(model).run(both(model, days, seed))
    print(found)
    return found


# Models of the library.


@pytest.mark.parametrize("name", sorted(path.stem for path in library("models").glob("*.toml")))
def test_both_engines_give_one_log(name: str) -> None:
    days = 60.0 if name.startswith("kent") else 300.0 if name in ("mg-infinity", "competing-risks") else 800.0
    assert both(load_model(name), days).size > 100


@pytest.mark.parametrize("name", ["mmc", "erlang-a", "priority", "desk"])
def test_every_rule_holds_in_queues_with_a_theory(name: str) -> None:
    assert checked(load_model(name), 150.0)


# The ladder that would freeze.


def moves(log: NDArray[Any]) -> NDArray[np.float64]:
    return log["time"][np.isin(log["event"], [START, MOVE, END])]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_ladder_never_freezes(seed: int) -> None:
    """Two hundred weeks and four times as long: people move in every year."""
    days = 800 * 7.0
    log = both(load_model("ladder"), days, seed)
    each, _ = np.histogram(moves(log), np.arange(0.0, days, YEAR))
    print(f"moves in each year: {each}")
    assert each.size == 15 and each.min() > 10
    found = Checker(load_model("ladder")).run(log[log["time"] < 1400.0])
    assert found["swap of 2"] > 20


def test_the_ladder_would_freeze_without_swaps() -> None:
    """The same ladder in a simulation of its own: nobody moves after a few years; with swaps, as often as in the
    product."""
    rates = {"homes": 10, "beds": 2, "come": 40 / YEAR, "rise": 3 / YEAR, "well": 3 / YEAR, "better": 6 / YEAR}
    days = 3000.0
    product = np.array(
        [
            moves(compiled.record(load_model("ladder"), build(load_model("ladder")), 7, r, days).rows).size
            for r in range(30)
        ]
    )
    naive = []
    for seed in range(30):
        still, going = Ladder(**rates, swaps=False, seed=seed), Ladder(**rates, swaps=True, seed=seed)
        still.run(days)
        going.run(days)
        assert max(still.moves) < 1800.0
        assert {p["has"] for p in still.people if p["needs"] == "bed"} >= {"home"}
        naive.append(len(going.moves))
    off = product.mean() - np.mean(naive)
    se = math.hypot(product.std(ddof=1), np.std(naive, ddof=1)) / math.sqrt(30)
    print(
        f"moves in {days:g} days: {product.mean():.1f} in the product, {np.mean(naive):.1f} in the naive ladder,"
        f" {off / se:+.2f} standard errors"
    )
    assert abs(off) <= 4 * se


def ring(needs: list[int], places: int = 1) -> Model:
    """One service a rung, as many places as people: whoever holds rung k needs rung ``needs[k]``, from day 0 on."""
    names = [f"rung {k + 1}" for k in range(len(needs))]
    data = read_toml(find_file("mmc", "models"))
    data["tiers"] = [{"name": "independent"}, *({"name": n} for n in names)]
    data["services"] = [{"name": f"{n} care", "tier": n, "follows_need": True} for n in names]
    data["providers"][0]["offers"] = [
        {"service": f"{n} care", "contract": "flat", "weight": number(1), "places": number(places)} for n in names
    ]
    data["clocks"], data["arrivals"] = [], []
    ages = {"edges": [30, 60], **AGES}
    data[
        "caseload"] = [{"name": n, "service": f"{n} care", "stage": "all ages", "group": "general", "count": number(1),
        "ages": ages, "needs": number([float(k == need) for k in range(len(names) + 1)]),
        "elapsed": {"edges_days": [10, 20], **AGES}}for n, need in zip(names, needs, strict=True)
    ]  # fmt: skip
    return parse(Model, data, "ring")


def story(log: NDArray[Any], model: Model) -> list[tuple[int, str, str, str]]:
    """Who (in order of appearance), what, why, and in which tier after it."""
    who: dict[int, int] = {}
    tiers = [tier.name for tier in model.tiers]
    return [
        (who.setdefault(int(r["client"]), len(who)), EVENTS[r["event"]], CAUSES[r["cause"]], tiers[r["tier"]])
        for r in log
    ]


def test_two_who_wait_for_each_other_swap() -> None:
    model = ring([2, 1])
    log = both(model, 10.0)
    assert story(log, model) == [
        (0, "present", "day_0", "rung 1"),
        (0, "queued", "planned", "rung 1"),
        (1, "present", "day_0", "rung 2"),
        (1, "queued", "planned", "rung 2"),
        (1, "move", "need", "rung 1"),
        (0, "move", "need", "rung 2"),
    ]
    assert (log["time"] == 0).all() and log["waiting"].tolist() == [0, 1, 0, 1, 0, 0]


def test_three_in_a_circle_swap_on_day_0() -> None:
    model = ring([2, 3, 1])
    log = both(model, 10.0)
    assert story(log, model) == [
        (0, "present", "day_0", "rung 1"),
        (0, "queued", "planned", "rung 1"),
        (1, "present", "day_0", "rung 2"),
        (1, "queued", "planned", "rung 2"),
        (2, "present", "day_0", "rung 3"),
        (2, "queued", "planned", "rung 3"),
        (2, "move", "need", "rung 1"),
        (0, "move", "need", "rung 2"),
        (1, "move", "need", "rung 3"),
    ]
    assert (log["time"] == 0).all() and log["need"][-3:].tolist() == [1, 2, 3]


def test_three_in_a_circle_swap_at_one_instant() -> None:
    """The last of the three comes to want another place on some later day: all three move at that moment, and never
    again."""
    data = read_back(ring([2, 3, 3]))
    data["groups"].append({"name": "other"})
    data["caseload"][2]["group"] = "other"
    data["clocks"] = [{"clock": "recover", "by": 2, "groups": ["other"], "needs": ["rung 3"], "per_year": number(0.5)}]
    model = parse(Model, data, "circle")
    log = both(model, 40 * YEAR)
    assert story(log[5:], model) == [
        (0, "fall", "need", "rung 3"),
        (0, "queued", "planned", "rung 3"),
        (0, "move", "need", "rung 1"),
        (1, "move", "need", "rung 2"),
        (2, "move", "need", "rung 3"),
    ]
    assert (log["time"][:5] == 0).all() and log["time"][5] > 0
    assert np.unique(log["time"][5:]).size == 1
    assert Checker(model).run(log) == {"queued planned": 3, "swap of 3": 1}


def read_back(model: Model) -> dict[str, Any]:
    """A model as plain tables, to be changed and checked anew."""
    return model.model_dump(mode="json", by_alias=True, exclude_none=True)


# Small models with tight places.


def care(name: str, tier: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "tier": tier, "first_review_days": number(42), "review_every_days": number(90), **more}


def offer(service: str, places: Any = None, weight: float = 1.0, **more: Any) -> dict[str, Any]:
    limit = {} if places is None else {"places": places if isinstance(places, list) else number(places)}
    return {"service": service, "contract": "flat", "weight": number(weight), **limit, **more}


def people(name: str, rate: float, route: str, needs: list[float], **more: Any) -> dict[str, Any]:
    ages = more.pop("between", [20, 60])
    row = {
        "name": name,
        "stage": "adults",
        "group": "general",
        "route": route,
        "per_year": number(rate),
        "needs": number(needs),
    }
    return {**row, "ages": {"edges": ages, **AGES}, **more}


def tight(offers: dict[str, list[dict[str, Any]]], **more: Any) -> Model:
    """Three rungs and step-up, everything that happens to people, and few places.

    Nobody is assessed wrongly, so that a log says what each waits for.
    """
    rates = {
        "rise": 1.5,
        "recover": 1.5,
        "induced": 0.3,
        "crisis": 1.0,
        "detection": 2.0,
        "step_down": 2.0,
        "renege": 2.0,
    }
    clocks = [{"clock": name, "per_year": number(rate)} for name, rate in rates.items()]
    clocks.append({"clock": "death", "per_year": number(0.1)})
    data = {
        "about": {"name": "tight", "title": "Tight", "start": "2013-04-01"},
        "tiers": [
            {"name": "independent"},
            {"name": "home"},
            {"name": "enhanced"},
            {"name": "bed"},
            {"name": "step_up", "short_term": True},
        ],
        "stages": [{"name": "adults", "from_age": 0}],
        "groups": [{"name": "general"}],
        "services": [
            care("home care", "home"),
            care("extra care", "enhanced"),
            care("care home", "bed"),
            {"name": "reablement", "tier": "step_up", "short_term_days": number(42)},
        ],
        "contracts": [{"name": "flat", "terms": [{"gbp_per_day": number(10)}]}],
        "providers": [{"name": name, "owner": "council", "offers": rows} for name, rows in offers.items()],
        "clocks": clocks,
        "need": [
            {"name": "all", "frailty_variance": number(0.5), "crisis_at_once": number(0.3), "waiting_rise": number(1.5)}
        ],
        "front_door": [{"name": "all", "assessment_days": number(14)}],
        "arrivals": [
            people("referred", 25, "referral", [0.1, 0.5, 0.2, 0.2]),
            people("in crisis", 15, "crisis", [0.1, 0.3, 0.3, 0.3]),
            people("direct", 15, "direct", [0.1, 0.5, 0.2, 0.2], priority=4),
        ],
        "prices": {
            "base_year": "2012/13",
            "growth_per_year": number(0),
            "inflation_per_year": number(0),
            "discount": [{"from_year": 0, "per_year": number(0)}],
        },
    }
    return parse(Model, {**data, **more}, "tight")


FEW = {
    "council": [
        offer("home care", 6),
        offer("extra care", 3),
        offer("care home", 3),
        offer("reablement", 2, spot_premium=number(0.25)),
    ]
}


def test_tight_places() -> None:
    found = checked(tight(FEW), 1000.0)
    assert found["swap of 2"] > 0 and found["bought on the spot"] > 0 and found["withdrawn reneged"] > 0
    assert all(found[f"queued {name}"] > 0 for name in ("community", "planned"))


def test_tight_places_without_spot_purchase() -> None:
    offers = {"council": [offer("home care", 5), offer("extra care", 2), offer("care home", 3), offer("reablement", 2)]}
    found = checked(tight(offers), 1000.0)
    assert found["queued crisis"] > 0 and "bought on the spot" not in found


def test_two_providers_and_areas() -> None:
    offers = {
        "council": [
            offer("home care", 3, area="north"),
            offer("home care", 2, area="south"),
            offer("extra care", 2),
            offer("care home", 2, area="north", spot_premium=number(0.5)),
            offer("reablement", 2),
        ],
        "other": [
            offer("home care", 2, weight=2),
            offer("care home", 2),
            offer("extra care", 1, area="south"),
            offer("reablement", 1, spot_premium=number(1)),
        ],
    }
    arrivals = [
        people(f"{area} {route}", 14, route, [0.1, 0.4, 0.3, 0.2], area=area, priority=priority)
        for area in ("north", "south")
        for route, priority in (("referral", 3), ("crisis", 3), ("direct", 2))
    ]
    about = {"name": "areas", "title": "Areas", "start": "2013-04-01", "areas": ["north", "south"]}
    found = checked(tight(offers, about=about, arrivals=arrivals), 1000.0)
    assert found["swap of 2"] > 0 and found["bought on the spot"] > 0


def dated(*values: tuple[str | None, float]) -> list[dict[str, Any]]:
    return [{**number(value), **({} if day is None else {"from": day})} for day, value in values]


@pytest.mark.parametrize("rule", ["last_in", "first_in", "least_need"])
def test_dated_cuts(rule: str) -> None:
    offers = {
        "council": [
            offer(
                "home care",
                dated((None, 8), ("2013-09-01", 3), ("2014-03-01", 5), ("2014-06-01", 2), ("2015-01-01", 7)),
                when_cut=rule,
            ),
            offer("extra care", dated((None, 3), ("2014-01-01", 1), ("2014-09-01", 3)), when_cut=rule),
            offer(
                "care home",
                dated((None, 3), ("2013-10-01", 0), ("2014-02-01", 4)),
                when_cut=rule,
                spot_premium=number(0.5),
            ),
            offer("reablement", 2, spot_premium=number(0.25)),
        ],
        "other": [offer("home care", dated((None, 2), ("2014-01-01", 4)))],
    }
    found = checked(tight(offers), 1100.0)
    assert found[f"displaced {rule}"] > 5
    assert found.get("kept", 0) > 0 or rule == "least_need"  # who needs least is soon found another place


def test_hospital_and_teams() -> None:
    hospital = [{"name": "general", "share": number(0.5), "days": number(10), "to_step_up": number(1)}]
    team = [
        {
            "name": "social workers",
            "hours_per_week": number(35),
            "hours_per_assessment": number(12),
            "hours_per_review": number(4),
        }
    ]
    model = tight(FEW, hospitals=hospital, teams=team)
    found = checked(model, 1000.0)
    assert found["queued hospital"] > 0 and found["swap of 2"] > 0
    assert team_is_never_in_two_places(model, both(model, 1000.0)) > 200


def test_hospital_and_assessment() -> None:
    hospital = [{"name": "general", "share": number(0.6), "days": number(10), "to_step_up": number(0)}]
    assert checked(tight(FEW, hospitals=hospital), 1000.0)["queued hospital"] > 0


def children(**more: Any) -> Model:
    """Services for ages 0 to 11, 18, 25 and 65, so that people outgrow them, or may enter others, while they hold or
    wait for a place."""
    stages = [("children", 0, 11), ("young", 11, 25), ("adults", 25, 65), ("older", 65, None)]
    services = [
        care("family support", "home", to_age=18),
        care("home care", "home", from_age=18),
        care("young home", "enhanced", to_age=25),
        care("extra care", "enhanced", from_age=25, to_age=65),
        care("foster care", "bed", to_age=11),
        care("children's home", "bed", from_age=11, to_age=18),
        care("supported living", "bed", from_age=18, to_age=65),
        care("nursing home", "bed", from_age=65),
        {"name": "reablement", "tier": "step_up", "short_term_days": number(42), "from_age": 18},
    ]
    offers = {
        "council": [offer(s["name"], 2) for s in services[:-1]] + [offer("reablement", 2, spot_premium=number(0.25))]
    }
    edges = {"children": [9, 11], "young": [16, 24.9], "adults": [60, 65], "older": [65, 70]}
    arrivals = [
        {**people(f"{stage} {route}", 10, route, [0.1, 0.4, 0.2, 0.3], between=edges[stage]), "stage": stage}
        for stage, _, _ in stages
        for route in ("referral", "direct")
    ]
    front = [{"name": "all", "assessment_days": number(14)}]
    rows = [{"name": n, "from_age": a, **({} if b is None else {"to_age": b})} for n, a, b in stages]
    return tight(offers, services=services, stages=rows, arrivals=arrivals, front_door=front, **more)


def test_children_who_turn_11_18_25_and_65() -> None:
    handovers = [
        {"age": 18, "keeps_need": number(0.8), "supported": number(0.5), "gap_days": number(30)},
        {"age": 25, "keeps_need": number(0.5), "at_most": "enhanced"},
        {"age": 65, "keeps_need": number(1), "supported": number(0.7), "gap_days": number(20)},
    ]
    assert checked(children(handovers=handovers), 900.0)["queued community"] > 0
    assert checked(children(), 900.0)["queued community"] > 0


# Models at random.


@st.composite
def crowded(draw: st.DrawFn, legible: bool) -> Model:
    """A random model with few places, teams, hospitals, hand-overs and cuts; a ``legible`` one says in its log what
    each waits for."""
    data = read_back(draw(models()))
    share = st.floats(0, 1, allow_nan=False)
    some = st.integers(1, 4)
    for row in data["arrivals"]:
        row["per_year"] = number(draw(st.floats(0, 25)))
        row["priority"] = draw(st.integers(1, 4))
    held = data["caseload"][0].get("service")
    data["caseload"][0]["count"] = number(draw(st.integers(0, 2)))
    for provider in data["providers"]:
        offers = []
        for row in provider["offers"]:
            if draw(st.integers(0, 4)) == 0 and provider["name"] == "council":
                offers.append(row)
                continue
            areas = draw(st.sampled_from([(None,), (None,), ("north",), ("north", "south")]))
            spot = {"spot_premium": number(draw(share))} if draw(st.booleans()) else {}
            for area in areas:
                here = provider["name"] == "council" and row["service"] == held
                steps = dated((None, draw(some) + 2 * here))
                if draw(st.booleans()):
                    steps += dated(("2013-07-15", draw(st.integers(0, 4))), ("2013-11-01", draw(st.integers(0, 4))))
                cut = draw(st.sampled_from(["last_in", "first_in", "least_need"]))
                offers.append(
                    {
                        **row,
                        **spot,
                        "places": steps,
                        "when_cut": cut,
                        **({} if area is None or here else {"area": area}),
                    }
                )
                if here:
                    break
        provider["offers"] = offers
    if draw(st.booleans()):
        data["teams"] = [
            {
                "name": "team",
                "hours_per_week": number(draw(st.floats(5, 60))),
                "hours_per_assessment": number(draw(st.floats(0, 20))),
            }
        ]
        if draw(st.booleans()):
            data["teams"][0]["hours_per_review"] = number(draw(st.floats(0, 10)))
    if draw(st.booleans()):
        to_step_up = draw(st.sampled_from([0, 1])) if legible else draw(share)
        data["hospitals"] = [
            {
                "name": "hospital",
                "share": number(draw(share)),
                "days": number(draw(st.floats(1, 30))),
                "to_step_up": number(to_step_up),
            }
        ]
    if draw(st.booleans()):
        data["handovers"][0] |= {"supported": number(draw(share)), "gap_days": number(draw(st.integers(1, 60)))}
    if draw(st.booleans()):
        data["clocks"].append({"clock": "renege", "per_year": number(draw(st.floats(0.1, 12)))})
    if legible:
        for name in ("over_specified", "under_specified", "step_up_first"):
            data["front_door"][0].pop(name, None)
    return parse(Model, data, "crowded")


QUIET = settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@QUIET
@given(crowded(legible=False))
def test_both_engines_give_one_log_of_random_models(model: Model) -> None:
    both(model, 300.0)


@QUIET
@given(crowded(legible=True))
def test_every_rule_holds_in_random_models(model: Model) -> None:
    Checker(model).run(both(model, 300.0))


# Cases in which the rules, as written, go wrong: each test says what should happen, and which rule is in the way.


def there(
    name: str, service: str, needs: list[float], count: int = 1, days: float = 10.0, **more: Any
) -> dict[str, Any]:
    """People in a service on day 0, there for so many days."""
    row = {
        "name": name,
        "service": service,
        "stage": "adults",
        "group": "general",
        "count": number(count),
        "needs": number(needs),
    }
    return {
        **row,
        "ages": {"edges": more.pop("between", [30, 60]), **AGES},
        "elapsed": {"edges_days": [days, days + 0.5], **AGES},
        **more,
    }


def quiet(
    offers: list[dict[str, Any]], caseload: list[dict[str, Any]], clocks: list[dict[str, Any]], **more: Any
) -> Model:
    """A tight model in which only what is named happens."""
    return tight({"council": offers}, caseload=caseload, clocks=clocks, arrivals=[], **more)


HOME, ENHANCED, BED = [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]


def rows_of(log: NDArray[Any], model: Model, who: int) -> list[tuple[int, str, str, str]]:
    return [row for row in story(log, model) if row[0] == who]


def test_who_waits_for_a_rung_that_becomes_their_own_does_not_take_a_second_place() -> None:
    """At 65 the bed is closed to them, and the rung of beds is stood in for by home, where they are already."""
    services = [
        {"name": "home care", "tier": "home", "follows_need": True},
        {"name": "care home", "tier": "bed", "follows_need": True, "to_age": 65},
    ]
    caseload = [
        there("turning", "home care", BED, between=[64.5, 64.6]),
        there("leaving", "home care", HOME, between=[30, 31]),
        there("in bed", "care home", BED, between=[30, 31]),
    ]
    clocks = [{"clock": "leaving", "needs": ["home"], "per_year": number(0.5)}]
    model = quiet([offer("home care", 2), offer("care home", 1)], caseload, clocks, services=services)
    log = both(model, 10 * YEAR)
    assert "kept" not in {event for _, event, _, _ in rows_of(log, model, 0)}
    Checker(model).run(log)


def test_a_review_does_not_end_the_displacement_of_who_lost_their_place() -> None:
    """Places are cut from 2 to 1 and back: who was displaced is still looked for a place after a review, and has theirs
    again at the end."""
    places = dated((None, 2), ("2013-06-01", 1), ("2014-01-01", 2))
    rest = [offer("extra care"), offer("care home"), offer("reablement")]
    model = quiet([offer("home care", places), *rest], [there("both", "home care", HOME, 2)], [])
    log = both(model, 500.0)
    assert Checker(model).run(log)["displaced last_in"] == 1
    last = log[log["client"] == log["client"][log["spot"] == 1][0]][-1]
    assert last["spot"] == 0


def test_who_gives_up_waiting_at_the_end_of_a_short_stay_does_not_stay_for_ever() -> None:
    offers = [offer("home care", 1), offer("extra care"), offer("care home"), offer("reablement", 1)]
    caseload = [there("in the way", "home care", HOME), there("stuck", "reablement", HOME, between=[30, 31])]
    model = quiet(offers, caseload, [{"clock": "renege", "per_year": number(12)}])
    log = both(model, 5 * YEAR)
    mine = rows_of(log, model, 1)
    assert (1, "withdrawn", "reneged", "step_up") in mine
    assert (
        log[log["client"] == log["client"][1]]["tier"][-1] != 4
        or log[log["client"] == log["client"][1]]["time"][-1] > 2 * YEAR
    )


def test_who_becomes_more_urgent_is_not_set_back() -> None:
    """Two wait for a bed; the first to ask falls into crisis, and still comes before the second."""
    services = [care("home care", "home"), care("extra care", "enhanced"), care("care home", "bed")]
    groups = [{"name": "general"}, {"name": "frail"}]
    caseload = [
        there("first", "home care", BED, days=40, group="frail"),
        there("second", "home care", BED, days=20),
        there("in bed", "care home", BED, group="general", days=0.0),
    ]
    clocks = [{"clock": "crisis", "groups": ["frail"], "per_year": number(3)}]
    offers = [offer("home care"), offer("extra care"), offer("care home", dated((None, 1), ("2014-04-01", 2)))]
    model = quiet(offers, caseload, clocks, services=services, groups=groups)
    log = both(model, 500.0, seed=2)
    assert "crisis" in {event for _, event, _, _ in rows_of(log, model, 0)}
    moved = [who for who, event, _, tier in story(log, model) if (event, tier) == ("move", "bed")]
    assert moved == [0]


def test_a_need_that_changes_in_the_queue_is_followed() -> None:
    """In services that follow need, nobody begins on another rung than that of their need."""
    data = read_toml(find_file("ladder", "models"))
    data["need"], data["clocks"][1]["per_year"]["value"] = [], [1, 6]
    data["arrivals"][0]["needs"]["value"] = [0, 0.5, 0.5]
    log = both(parse(Model, data, "ladder"), 1000.0)
    begun = log[log["event"] == START]
    assert (begun["need"] == begun["tier"]).all()


def test_a_wish_for_another_rung_outlives_a_cut() -> None:
    """Who waits for a bed and loses the place at home still waits for the bed when the place is theirs again."""
    services = [
        {"name": "home care", "tier": "home", "follows_need": True},
        {"name": "care home", "tier": "bed", "follows_need": True},
    ]
    caseload = [there("waiting", "home care", BED), there("in bed", "care home", BED)]
    offers = [
        offer("home care", dated((None, 1), ("2013-06-01", 0), ("2013-08-01", 1))),
        offer("care home", dated((None, 1), ("2014-01-01", 2))),
    ]
    model = quiet(offers, caseload, [], services=services)
    log = both(model, 500.0)
    mine = log[log["client"] == log["client"][0]]
    assert mine["tier"][-1] == mine["need"][-1]


def test_nobody_is_left_in_hospital_by_a_birthday() -> None:
    """Ready to leave by step-up, which closes at 65: the wait must end in something else."""
    services = [care("home care", "home"), care("extra care", "enhanced"), care("care home", "bed"),
                {"name": "reablement", "tier": "step_up", "short_term_days": number(42), "to_age": 65}]  # fmt: skip
    caseload = [there("in the way", "reablement", HOME, between=[30, 31])]
    hospital = [{"name": "general", "share": number(1), "days": number(1), "to_step_up": number(1)}]
    out = {**there("known", "home care", BED, between=[64.5, 64.6]), "service": None}
    out.pop("service")
    services[3]["short_term_days"] = number(4000)
    offers = [offer("home care"), offer("extra care"), offer("care home"), offer("reablement", 1)]
    model = quiet(
        offers, [*caseload, out], [{"clock": "crisis", "per_year": number(50)}], services=services, hospitals=hospital
    )
    log = both(model, 5 * YEAR)
    mine = log[log["client"] == log["client"][1]]
    assert mine["hospital"][-1] == 0


def test_a_swap_takes_the_first_in_line_of_all_queues() -> None:
    """Of two in beds who wait for home, of different areas, the one who asked first changes places."""
    services = [
        {"name": "home care", "tier": "home", "follows_need": True},
        {"name": "care home", "tier": "bed", "follows_need": True},
    ]
    caseload = [
        there("south", "care home", HOME, area="south"),
        there("north", "care home", HOME, area="north"),
        there("there", "home care", BED, area="south"),
        there("full", "home care", HOME, area="north"),
    ]
    offers = {"council": [offer("home care", 1), offer("care home", 2)], "other": [offer("home care", 1, area="north")]}
    about = {"name": "areas", "title": "Areas", "start": "2013-04-01", "areas": ["north", "south"]}
    model = tight(offers, caseload=caseload, clocks=[], arrivals=[], services=services, about=about)
    assert Checker(model).run(both(model, 10.0))["swap of 2"] == 1


def test_who_fits_on_day_0_is_placed_whatever_is_drawn() -> None:
    """Two of the north and one of the south, in a place for each area and one for both."""
    offers = [
        offer("home care", 1, area="north"),
        offer("home care", 1, area="south"),
        *(offer(name) for name in ("extra care", "care home", "reablement")),
    ]
    caseload = [there("north", "home care", HOME, 2, area="north"), there("south", "home care", HOME, 1, area="south")]
    about = {"name": "areas", "title": "Areas", "start": "2013-04-01", "areas": ["north", "south"]}
    model = tight(
        {"council": offers, "other": [offer("home care", 1)]}, caseload=caseload, clocks=[], arrivals=[], about=about
    )
    tables = build(model)
    for seed in range(20):
        assert simpy.record(model, tables, seed, 0, 10.0).rows.size == 3


def test_who_gives_up_after_a_cut_does_not_hold_a_bought_place_for_ever() -> None:
    """Displaced, out of patience, and still there when the place is free again: it is theirs."""
    services = [{"name": "home care", "tier": "home"}, care("extra care", "enhanced"), care("care home", "bed"),
                {"name": "reablement", "tier": "step_up", "short_term_days": number(30)}]  # fmt: skip
    offers = [
        offer("home care", dated((None, 2), ("2013-06-01", 1), ("2014-01-01", 2))),
        offer("extra care"),
        offer("care home"),
        offer("reablement"),
    ]
    model = quiet(
        offers, [there("both", "home care", HOME, 2)], [{"clock": "renege", "per_year": number(12)}], services=services
    )
    log = both(model, 900.0)
    assert log["spot"][-1] == 0


def test_changes_of_one_day_are_made_together() -> None:
    """Two providers close and a third opens on one day: nobody is sent to a place that is closed at the same moment."""
    closing, opening = dated((None, 1), ("2013-06-01", 0)), dated((None, 1), ("2013-06-01", 3))
    offers = {
        "council": [offer("home care", closing), offer("extra care"), offer("care home"), offer("reablement")],
        "other": [offer("home care", dated((None, 2), ("2013-06-01", 0)))],
        "third": [offer("home care", opening)],
    }
    log = both(tight(offers, caseload=[there("all", "home care", HOME, 3)], clocks=[], arrivals=[]), 70.0)
    moved = log["client"][log["event"] == MOVE]
    assert moved.size == np.unique(moved).size


def test_a_birthday_does_not_make_a_case_free() -> None:
    """Who turns 65 in a team's queue still takes the hours of a case: cases of 60 hours are not done at one instant."""
    stages = [{"name": "adults", "from_age": 0, "to_age": 65}, {"name": "older", "from_age": 65}]
    team = {"name": "team", "stages": ["adults"], "hours_per_week": number(7), "hours_per_assessment": number(60)}
    offers = {"council": [offer(name) for name in ("home care", "extra care", "care home", "reablement")]}
    arrivals = [people("all", 12, "referral", HOME, between=[64.8, 64.95])]
    front = [{"name": "all", "assessment_days": number(0)}]
    model = tight(offers, stages=stages, clocks=[], arrivals=arrivals, front_door=front, teams=[team])
    assert team_is_never_in_two_places(model, both(model, 800.0)) > 10
