"""The cohort model: held to closed forms, and the engine held to it."""

from __future__ import annotations

import datetime as dt
import math
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import polars as pl
import pytest

import simcare.cohort.dates
import simcare.cohort.solve
from simcare.cohort.markov_limit import exponential_equal, obstacles
from simcare.cohort.solve import expected_people, markov_simplification
from simcare.demand.paths import with_mean_demand
from simcare.errors import BadInput
from simcare.files.load import load_model
from simcare.model import Model
from simcare.model.number import DatedNumber, Step
from simcare.runs.run import Run, run

YEAR = 365.25
SOURCE = {"source": "assumption", "grade": "D"}


def num(value: Any) -> dict[str, Any]:
    return {"value": value, **SOURCE}


def people(found: pl.DataFrame, *by: str) -> pl.DataFrame:
    return found.group_by("day", *by, maintain_order=True).agg(pl.col("people").sum())


def test_mm_infinity_fills_up_as_one_minus_an_exponential() -> None:
    found = people(expected_people(load_model("mm-infinity"), 3 * YEAR))
    theory = 200 * (1 - np.exp(-2 * found["day"].to_numpy() / YEAR))
    assert found.height == 36
    assert found["people"].to_numpy() == pytest.approx(theory, rel=1e-9)


def test_arrivals_that_swing_with_the_year_give_a_caseload_that_swings_less_and_later() -> None:
    """M_t/M/infinity (Eick, Massey and Whitt 1993): ten a month, up and down by 0.3, staying six months.

    The rate is given in steps of ten days, each its mean over them. That weakens the yearly wave by the factor
    sinc² of pi × 10 / 365.25, once for the mean and once for the step; what the steps add at higher frequencies is
    below 0.3 / 36 / 115 of the mean, since a stay of half a year smooths waves of ten days 115 times.
    """
    base, width, omega = load_model("mm-infinity"), 10, 2 * math.pi / YEAR
    edges = np.arange(0, 9 * YEAR, width)
    mean = 120 * (1 + 0.3 * (np.sin(omega * (edges + width)) - np.sin(omega * edges)) / (omega * width))
    steps = [
        Step(
            value=rate,
            from_=base.about.start + dt.timedelta(days=int(day)) if day > 0 else None,
            source="assumption",
            grade="D",
        )
        for day, rate in zip(edges.tolist(), mean.tolist(), strict=True)
    ]
    arrivals = base.arrivals[0].model_copy(update={"per_year": DatedNumber(steps=tuple(steps))})
    model = base.model_copy(update={"arrivals": (arrivals,)})
    days = 8 * YEAR + np.arange(0, 365, 5)
    found = people(expected_people(model, 9 * YEAR, at=days.tolist()))
    caseload, at = found["people"].to_numpy(), found["day"].to_numpy()

    ends = np.append(edges[1:], edges[-1] + width)
    reached = np.minimum(ends[None, :], at[:, None]) - at[:, None]
    begun = np.minimum(edges[None, :], at[:, None]) - at[:, None]
    stepped = (np.exp(2 * reached / YEAR) - np.exp(2 * begun / YEAR)) @ mean / 2
    assert caseload == pytest.approx(stepped, rel=1e-9)

    waves = np.stack([np.ones_like(at), np.cos(omega * at), np.sin(omega * at)], axis=1)
    level, along, across = np.linalg.lstsq(waves, caseload, rcond=None)[0]
    x = math.pi * width / YEAR
    amplitude, lag = (
        math.hypot(along, across) / level / (math.sin(x) / x) ** 2,
        math.atan2(across, along) / omega / (YEAR / 12),
    )
    print(f"mean {level:.5f}, amplitude {amplitude:.6f}, lag {lag:.5f} months")
    assert level == pytest.approx(60, abs=1e-3)
    assert amplitude == pytest.approx(0.09099, abs=1e-4)
    assert lag == pytest.approx(2.4114, abs=2e-3)


def test_birthdays_are_exact() -> None:
    """A hundred born at midnight of day 0, ten just turned 24 and ten just turned 64: all grow a stage older on the
    calendar day."""
    start = dt.date(2013, 4, 1)
    first, eleventh = ((dt.date(year, 4, 1) - start).days for year in (2014, 2024))
    found = expected_people(
        load_model("ageing"), 4100.0, at=[first - 0.01, first + 0.01, eleventh - 0.01, eleventh + 0.01]
    )
    counted = [
        dict(group.select("stage", "people").rows())
        for _, group in people(found, "stage").group_by("day", maintain_order=True)
    ]
    stages = [
        {"under 1": 100, "11-24": 10, "25-64": 10},
        {"1-10": 100, "25-64": 10, "65+": 10},
        {"1-10": 100, "25-64": 10, "65+": 10},
        {"11-24": 100, "25-64": 10, "65+": 10},
    ]
    for there, theory in zip(counted, stages, strict=True):
        assert there == pytest.approx(theory, rel=1e-9)


def test_a_hazard_by_age_is_followed_along_the_cohort() -> None:
    """Deaths alone by Gompertz: of those aged 30 to 60, exp(−H) of each age remain."""
    base = load_model("ageing")
    death = {
        "clock": "death",
        "family": "gompertz",
        "since": "age",
        "per_year": num(1e-3),
        "growth_per_year": num(0.09),
    }
    ages = {"edges": [30, 60], "shares": [1], **SOURCE}
    adults = {**base.caseload[2].model_dump(by_alias=True), "name": "adults", "count": num(1000), "ages": ages}
    model = Model.model_validate({**base.model_dump(by_alias=True), "clocks": [death], "caseload": [adults]})
    found = people(expected_people(model, 20 * YEAR, at=[0.0, 5 * YEAR, 20 * YEAR]))["people"].to_numpy()
    age, w = np.polynomial.legendre.leggauss(40)
    age = 45 + 15 * age
    for t, there in zip((0, 5, 20), found, strict=True):
        total = 1e-3 / 0.09 * (np.exp(0.09 * (age + t)) - np.exp(0.09 * age))
        assert there == pytest.approx(500 * float(w @ np.exp(-total)), rel=1e-6)


@pytest.mark.slow
def test_halving_the_steps_changes_nothing_that_matters(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error of taking hazards by age at their mean over a month, and of the quadrature: below 2e-5 of any cell of
    Kent."""
    model, keys = markov_simplification(load_model("kent-2013")), ["day", "stage", "group", "need", "tier"]
    usual = expected_people(model, 365.0, at=[0.0, 365.0])
    assert usual.filter(pl.col("day") == 0.0)["people"].sum() == pytest.approx(
        sum(row.count.value for row in model.caseload), rel=1e-9
    )
    monkeypatch.setattr(simcare.cohort.solve, "LONGEST_SPAN_DAYS", 8.0)
    monkeypatch.setattr(simcare.cohort.dates, "LONGEST_PIECE_DAYS", 92.0)
    fine = expected_people(model, 365.0, at=[0.0, 365.0])
    both = fine.join(usual, on=keys, suffix="_usual").filter(pl.col("people") > 1)
    worst = float((both["people_usual"] / both["people"] - 1).abs().to_numpy().max())
    print(f"{both.height} cells, at most {worst:.1e} apart")
    assert both.height > 50
    assert worst < 2e-5


# The engine, held to the cohort model. A count is a sum of independent people: those of day 0 are there or not, and
# arrivals are Poisson. So its variance is at most its mean, and sqrt(mean / replications) bounds the standard error;
# with eight replications the spread found among them is itself too uncertain to judge hundreds of cells by (4 of such
# errors are Student's t with 7 degrees of freedom).


def compare(found: pl.DataFrame, simulated: pl.DataFrame, replications: int, *by: str, least: float = 50.0) -> None:
    """Mean counts of the replications lie within 4 standard errors of the cohort model, in every cell of at least
    ``least`` people."""
    theory = people(found, *by)
    words = [name for name in by if name != "served"]
    counted = (
        simulated.with_columns(pl.col(words).cast(pl.String))
        .group_by("day", *by)
        .agg(mean=pl.col("count").sum() / replications)
    )
    assert counted.join(theory, on=["day", *by], how="anti").is_empty(), (
        "the engine has people where the cohort model has none"
    )
    both = (
        theory.join(counted, on=["day", *by], how="left")
        .with_columns(pl.col("mean").fill_null(0.0))
        .filter(pl.col("people") >= least)
    )
    z = ((both["mean"] - both["people"]) / (both["people"] / replications).sqrt()).to_numpy()
    print(
        f"{by}: {both.height} cells, at most {abs(z).max():.2f} standard errors off, root mean square"
        f" {np.sqrt((z**2).mean()):.2f}"
    )
    assert both.height > 0
    assert (abs(z) <= 4).all(), both.with_columns(z=pl.Series(z)).filter(pl.col("z").abs() > 4)


def month_ends(run: Run, days: list[float]) -> pl.DataFrame:
    """People in services at the end of each month of a run, whose last moments are ``days``."""
    ends = run.measures.filter(pl.col("measure") == "caseload_end").with_columns(pl.col("month").cast(pl.String))
    months = sorted(ends["month"].unique())
    return ends.with_columns(
        day=pl.col("month").replace_strict(dict(zip(months, days, strict=True)), return_dtype=pl.Float64),
        count=pl.col("value"),
    )


def present(run: Run, days: list[float]) -> pl.DataFrame:
    """Everyone in the model on some days, from the log, one row each."""
    assert run.log is not None
    rows = [
        run.log.filter(pl.col("time") < day)
        .group_by("replication", "client", maintain_order=True)
        .last()
        .filter(~pl.col("event").cast(pl.String).is_in(["death", "left"]))
        .select(
            pl.lit(day).alias("day"),
            "area",
            "stage",
            "group",
            "need",
            "tier",
            served=pl.col("service").is_not_null(),
            count=pl.lit(1),
        )
        for day in days
    ]
    return pl.concat(rows)


@pytest.mark.slow
def test_kent_simplified_runs_as_the_cohort_model_says() -> None:
    model, replications = with_mean_demand(markov_simplification(load_model("kent-2013")), 2), 8
    done = run(
        model, years=2, replications=replications, seed=41, engine="compiled", keep_log=True, workers=1, central=True
    )
    found = expected_people(model, done.days)
    served = found.filter("served")
    ends = month_ends(done, sorted(found["day"].unique()))
    compare(served, ends, replications, "stage", "tier")
    compare(served, ends, replications, "group")
    compare(served, ends, replications, "stage", "group", "tier")
    someday = [365.0, 730.0]
    everyone = expected_people(model, done.days, at=someday)
    compare(everyone, present(done, someday), replications, "stage", "need", "served")
    compare(everyone, present(done, someday), replications, "group", "need", "served")


def every_rule() -> Model:
    """A model that has what Kent simplified has not.

    Rungs that another stands in for (with induced need and less recovery above need), a service that does not follow
    need and has no reviews, providers who step down, diversion at the door, dated modifiers, hand-overs that lose need,
    two areas, services and hazards that begin and end at ages, shares among services, a stay-based hazard.
    """
    rungs = ["none", "low", "middle", "high"]
    old = {"edges": [16, 40], "shares": [1], **SOURCE}
    flat = {"contract": "flat", "weight": num(1)}
    return Model.model_validate({
        "about": {"name": "every-rule", "title": "every rule", "start": dt.date(2014, 2, 10), "areas": ["east",
        "west"]}, "tiers": [{"name": rung} for rung in rungs], "stages": [{"name": "young", "from_age": 0,
        "to_age": 16}, {"name": "old", "from_age": 16}], "groups": [{"name": "a"}, {"name": "b"}],
        "services": [{"name": "s low", "tier": "low", "from_age": 18, "follows_need": True}, {"name": "s middle",
        "tier": "middle", "to_age": 16, "follows_need": True}, {"name": "s middle enabling", "tier": "middle",
        "to_age": 16, "follows_need": True, "enabling": True, "groups": ["a"]}, {"name": "s rigid", "tier": "middle",
        "from_age": 16}, {"name": "s high", "tier": "high", "to_age": 17, "follows_need": True, "groups": ["a"]}, ],
        "contracts": [{"name": "flat", "terms": [{"kind": "per_diem", "gbp_per_day": num(1)}]}],
        "providers": [{"name": "p", "owner": "council", "offers": [{"service": "s low", **flat},
        {"service": "s middle", **flat}, {"service": "s middle enabling", "contract": "flat", "weight": num(0.4)},
        {"service": "s rigid", **flat}, {"service": "s high", **flat}, ], }], "clocks": [{"clock": "rise",
        "needs": rungs[:3], "per_year": num([0.3, 0.4, 0.3])}, {"clock": "rise", "by": 2, "needs": ["none"],
        "per_year": num(0.1)}, {"clock": "recover", "needs": rungs[1:], "per_year": num([0.5, 1.2, 0.8])},
        {"clock": "recover", "by": 3, "needs": ["high"], "per_year": num(0.3)}, {"clock": "induced",
        "per_year": num(0.6)}, {"clock": "step_down", "services": ["s rigid"], "stages": ["old"],
        "per_year": num(1.5)}, {"clock": "detection", "needs": rungs[1:], "per_year": num([1, 4, 12])},
        {"clock": "death", "family": "gompertz", "since": "age", "per_year": num(0.02), "growth_per_year": num(0.05)},
        {"clock": "leaving", "groups": ["a"], "since": "stay", "per_year": num(0.2)}, {"clock": "leaving",
        "groups": ["b"], "family": "piecewise", "since": "age", "per_year": num([0.05, 0.3]), "edges": [0, 15]}, ],
        "need": [{"name": "all", "enabling_recovery": num(2), "over_provided_recovery": num(0.5),
        "death_ratio": num([0.5, 1, 2, 3])}], "front_door": [{"name": "young", "stages": ["young"], "diverted": num([1,
        0.5, 0.2, 0])}], "handovers": [{"age": 18, "groups": ["a"], "to_group": "b", "keeps_need": num(0.6),
        "at_most": "middle"}], "arrivals": [{"name": "1", "stage": "young", "group": "a", "area": "east",
        "per_year": [num(900), {"from": dt.date(2015, 1, 20), **num(1800)}], "growth_per_year": num(0.1),
        "season": num([1.5, 0.5] * 6), "needs": num([0.1, 0.3, 0.4, 0.2]), "ages": {"edges": [8, 16], "shares": [1],
        **SOURCE}}, {"name": "2", "stage": "old", "group": "b", "area": "west", "route": "direct",
        "per_year": num(600), "needs": num([0, 0.4, 0.4, 0.2]), "ages": old}, ], "caseload": [{"name": "1",
        "service": "s middle enabling", "stage": "young", "group": "a", "area": "west", "count": num(2000),
        "needs": num([0.2, 0.2, 0.3, 0.3]), "ages": {"edges": [3, 16], "shares": [1], **SOURCE}}, {"name": "2",
        "stage": "old", "group": "b", "area": "east", "count": num(700), "needs": num([0.6, 0.2, 0.1, 0.1]),
        "ages": old}, {"name": "3", "service": "s rigid", "stage": "old", "group": "a", "area": "east",
        "count": num(2000), "needs": num([0.2, 0.2, 0.2, 0.4]), "ages": {"edges": [16, 18, 40], "shares": [0.7, 0.3],
        **SOURCE}}, ], "modifiers": [{"on": "recover", "stages": ["young"], "start": dt.date(2014, 9, 1),
        "ramp_days": 90, "multiply": num(2)}, {"on": "step_down", "start": dt.date(2015, 2, 15), "multiply": num(3)},
        {"on": "arrivals", "needs": ["high"], "start": dt.date(2014, 6, 15), "multiply": num(0.4)}, {"on": "death",
        "groups": ["b"], "start": dt.date(2013, 6, 15), "multiply": num(1.5)}, ], "prices": {"base_year": "2013/14",
        "growth_per_year": num(0), "inflation_per_year": num(0), "discount": [{"from_year": 0, "per_year": num(0)}]},
    })  # fmt: skip


@pytest.mark.slow
def test_every_rule_of_the_simplification_runs_as_the_cohort_model_says() -> None:
    model, replications, days = every_rule(), 16, [1.0, 200.0, 450.0, 730.0]
    done = run(
        model, years=2, replications=replications, seed=7, engine="compiled", keep_log=True, workers=1, central=True
    )
    found, there = expected_people(model, done.days, at=days), present(done, days)
    for by in (
        ("area", "stage"),
        ("group", "need"),
        ("stage", "group", "tier", "served"),
        ("stage", "need", "tier", "served"),
    ):
        compare(found, there, replications, *by, least=20.0)


def test_what_has_memory_is_refused_with_its_path() -> None:
    faults = obstacles(load_model("kent-2013"))
    told = {fault.partition(":")[0] for fault in faults}
    assert {
        "need[0].frailty_variance",
        "need[0].crisis_at_once",
        "clocks[0]",
        "clocks[28]",
        "services[1]",
        "caseload[10].service",
    } <= told
    assert {"front_door[0].assessment_days", "front_door[0].over_specified"} <= told
    assert "clocks[57]: a weibull clock runs in time since need began" in faults
    with pytest.raises(
        BadInput, match=r"services\[0\]: reviews at fixed intervals matter unless the service follows need"
    ):
        expected_people(load_model("kent-2013"), 365.0)


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("semi-markov", r"clocks\[0\]: a weibull clock runs in time since need began"),
        ("frailty", r"need\[0\]\.frailty_variance"),
        ("mg-infinity", r"clocks\[1\]: a weibull clock"),
    ],
)
def test_library_models_with_memory_are_refused(name: str, line: str) -> None:
    with pytest.raises(BadInput, match=line):
        expected_people(load_model(name), 365.0)


def test_limited_places_and_gaps_are_refused() -> None:
    """Fields that a model need not have, one by one."""
    nothing: dict[str, Any] = dict.fromkeys(("need", "clocks", "services", "caseload", "front_door", "arrivals"), ())
    limited = SimpleNamespace(
        **nothing,
        providers=(
            SimpleNamespace(offers=(SimpleNamespace(places=None, area=None), SimpleNamespace(places=5, area="east"))),
        ),
        teams=("assessors",),
        hospitals=("hospital",),
        responses=(),
        failures=(),
        market=None,
        voluntary=(),
        handovers=(SimpleNamespace(supported=None), SimpleNamespace(supported=DatedNumber.model_validate(num(0.9)))),
    )
    told = [fault.partition(":")[0] for fault in obstacles(cast(Model, limited))]
    assert told == [
        "providers[0].offers[1].places",
        "providers[0].offers[1].area",
        "teams",
        "hospitals",
        "handovers[1].supported",
    ]


def test_the_simplification_takes_limits_away() -> None:
    base = load_model("ageing")
    file = base.model_dump(by_alias=True)
    file["about"]["areas"] = ["east", "west"]
    for k, row in enumerate(file["caseload"]):
        row["area"] = ("east", "west")[k % 2]
    offer = file["providers"][0]["offers"][0]
    file["providers"][0]["offers"] = [
        {**offer, "area": area, "places": num(200), "spot_premium": num(0.2)} for area in ("east", "west")
    ]
    file["handovers"] = [{"age": 25, "keeps_need": num(1), "supported": num(0.5), "gap_days": num(30)}]
    file["clocks"] = [{"clock": "renege", "per_year": num(1)}]
    file["teams"] = [{"name": "assessors", "hours_per_week": num(100), "hours_per_assessment": num(5)}]
    model = Model.model_validate(file)
    told = [fault.partition(":")[0] for fault in obstacles(model)]
    assert told == [f"providers[0].offers[{k}].{field}" for k in (0, 1) for field in ("places", "area")] + [
        "teams",
        "handovers[0].supported",
    ]
    assert expected_people(markov_simplification(model), 365.0).equals(
        expected_people(markov_simplification(markov_simplification(model)), 365.0)
    )
    assert people(expected_people(markov_simplification(model), 365.0, at=[364.0]), "area")[
        "people"
    ].to_list() == pytest.approx([110, 10], rel=1e-9)


def test_reviews_that_would_find_a_nearer_rung_are_refused() -> None:
    """At 18 the low rung opens to those for whom the middle one stood in; care that follows need does not notice."""
    model = every_rule()
    rigid = model.services[3].model_copy(
        update={"follows_need": True, "review_every_days": DatedNumber.model_validate(num(91))}
    )
    reviewed = model.model_copy(update={"services": (*model.services[:3], rigid, *model.services[4:])})
    with pytest.raises(
        BadInput,
        match=r"services\[3\]: a birthday opens a nearer tier to its clients \(b at 18\), found by a review only",
    ):
        expected_people(reviewed, 365.0)


@pytest.mark.parametrize(
    ("days", "at", "line"), [(0.0, None, "days"), (math.nan, None, "days"), (10.0, [11.0], "at"), (10.0, [], "at")]
)
def test_days_outside_the_horizon_are_refused(days: float, at: list[float] | None, line: str) -> None:
    with pytest.raises(BadInput, match=f"^{line}: "):
        expected_people(load_model("mm-infinity"), days, at)


def test_the_simplification_is_a_new_model_that_holds() -> None:
    model = load_model("kent-2013")
    before = model.model_dump_json(by_alias=True)
    limit = markov_simplification(model)
    assert model.model_dump_json(by_alias=True) == before
    assert obstacles(limit) == []
    assert Model.model_validate_json(limit.model_dump_json(by_alias=True)) == limit
    assert markov_simplification(limit) == limit
    assert {clock.family for clock in limit.clocks if clock.since != "age" and clock.clock != "death"} == {"constant"}


def test_a_constant_clock_stands_for_another_by_firings_over_time() -> None:
    clock = next(c for c in load_model("kent-2013").clocks if c.family == "weibull")
    assert clock.family == "weibull"
    u = np.linspace(0, 5 * YEAR, 2_000_001)
    staying = np.exp(-0.77 * (u / 724.5) ** 0.819)
    exact = (1 - staying[-1]) / np.trapezoid(staying, u) * YEAR
    assert exponential_equal(clock) == pytest.approx(exact, rel=1e-6)
    mean = 724.5 / 0.77 ** (1 / 0.819) * math.gamma(1 + 1 / 0.819)
    assert exponential_equal(clock, 1e6) == pytest.approx(YEAR / mean, rel=1e-5)
