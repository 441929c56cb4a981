"""Random models, for Hypothesis."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from simcare.files.parsing import parse
from simcare.model import Model


def number(value: Any) -> dict[str, Any]:
    return {"value": value, "source": "assumption", "grade": "D"}


def shares(draw: st.DrawFn, n: int) -> list[float]:
    """n shares that add to 1."""
    weights = [draw(st.integers(0, 5)) for _ in range(n)]
    weights[draw(st.integers(0, n - 1))] += 1
    return [w / sum(weights) for w in weights]


@st.composite
def models(draw: st.DrawFn) -> Model:
    """A model with two to five rungs, one or two stages and groups, and every part there or not."""
    rungs = ["independent", *(f"rung {k}" for k in range(1, draw(st.integers(2, 5))))]
    step_up, edge = draw(st.booleans()), draw(st.sampled_from([11, 18, 40]))
    groups = ["general", "other"][: draw(st.integers(1, 2))]
    rate = st.floats(0, 4, allow_nan=False)
    share = st.floats(0, 1, allow_nan=False)
    stages = [{"name": "younger", "from_age": 0, "to_age": edge}, {"name": "elder", "from_age": edge}]
    services = [service(draw, rung, f"{rung} care") for rung in rungs[1:]]
    if draw(st.booleans()):
        services.append({**service(draw, rungs[-1], "for the young"), "to_age": edge})
    if step_up:
        services.append({"name": "reablement", "tier": "step_up", "short_term_days": number(draw(st.floats(1, 90)))})
    offers = [{"service": s["name"], "contract": "flat", "weight": number(draw(st.floats(0.1, 3)))} for s in services]
    return parse(
        Model,
        {
            "about": {"name": "random", "title": "Random", "start": "2013-04-01", "areas": ["north", "south"]},
            "tiers": [*({"name": r} for r in rungs), *([{"name": "step_up", "short_term": True}] if step_up else [])],
            "stages": stages,
            "groups": [{"name": g} for g in groups],
            "services": services,
            "contracts": [{"name": "flat", "terms": [{"gbp_per_day": number(draw(st.floats(0, 200)))}]}],
            "providers": [
                {"name": "council", "owner": "council", "offers": offers},
                {"name": "other", "owner": "independent", "offers": offers[:1]},
            ],
            "clocks": clocks(draw, rate, [s["name"] for s in services]),
            "need": [
                {
                    "name": "all",
                    "frailty_variance": number(draw(st.sampled_from([0, 0.5, 2]))),
                    "enabling_recovery": number(draw(rate)),
                    "over_provided_recovery": number(draw(share)),
                    "waiting_rise": number(draw(rate)),
                    "waiting_recovery": number(draw(share)),
                    "crisis_at_once": number(draw(share)),
                }
            ],
            "front_door": [
                {
                    "name": "all",
                    "assessment_days": number(draw(st.sampled_from([0, 1, 28]))),
                    "diverted": number([draw(share) for _ in rungs]),
                    "over_specified": number(draw(st.floats(0, 0.5))),
                    "under_specified": number(draw(st.floats(0, 0.5))),
                    "step_up_first": number(draw(share)),
                    "gbp_per_assessment": number(100),
                }
            ],
            "handovers": [
                {
                    "age": edge,
                    "to_group": draw(st.sampled_from(groups)),
                    "keeps_need": number(draw(share)),
                    "at_most": rungs[1],
                }
            ],
            "arrivals": [
                {
                    "name": f"{stage['name']} {group} {route}",
                    "stage": stage["name"],
                    "group": group,
                    "area": draw(st.sampled_from(["north", "south"])),
                    "route": route,
                    "per_year": number(draw(st.floats(0, 150))),
                    "needs": number(shares(draw, len(rungs))),
                    "ages": {
                        "edges": [stage["from_age"], stage.get("to_age", 99)],
                        "shares": [1],
                        "source": "assumption",
                        "grade": "D",
                    },
                }
                for stage in stages
                for group in groups
                for route in draw(st.sampled_from([("referral",), ("crisis", "direct"), ("referral", "direct")]))
            ],
            "caseload": [
                {
                    "name": "there",
                    "service": draw(st.sampled_from([f"{rungs[1]} care", None])),
                    "stage": "elder",
                    "group": groups[0],
                    "area": "north",
                    "count": number(draw(st.integers(0, 60))),
                    "needs": number(shares(draw, len(rungs))),
                    "ages": {"edges": [edge, edge + 50], "shares": [1], "source": "assumption", "grade": "D"},
                }
            ],
            "modifiers": [{"on": "rise", "start": "2013-09-01", "ramp_days": 90, "multiply": number(draw(rate))}],
            "prices": {
                "base_year": "2012/13",
                "growth_per_year": number(0.02),
                "inflation_per_year": number(0.01),
                "discount": [{"from_year": 0, "per_year": number(0.035)}],
            },
        },
        "random",
    )


def service(draw: st.DrawFn, tier: str, name: str) -> dict[str, Any]:
    reviews = (
        {"first_review_days": number(42), "review_every_days": number(draw(st.sampled_from([30, 365])))}
        if draw(st.booleans())
        else {}
    )
    return {"name": name, "tier": tier, "enabling": draw(st.booleans()), "follows_need": draw(st.booleans()), **reviews}


def clocks(draw: st.DrawFn, rate: st.SearchStrategy[float], services: list[str]) -> list[dict[str, Any]]:
    simple = [
        {"clock": clock, "per_year": number(draw(rate))}
        for clock in ("rise", "recover", "induced", "crisis", "detection", "step_down")
    ]
    death = {
        "clock": "death",
        "family": "gompertz",
        "since": "age",
        "per_year": number(0.001),
        "growth_per_year": number(0.08),
    }
    stay = {
        "clock": "leaving",
        "family": "weibull",
        "since": draw(st.sampled_from(["need", "stay"])),
        "shape": number(0.7),
        "scale_days": number(500),
    }
    if draw(st.booleans()):  # out of the first service only
        stay["services"] = services[:1]
    return [clock for clock in (*simple, death, stay) if draw(st.booleans())]
