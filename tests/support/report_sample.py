"""A made-up result for the tests of figures and reports: small, seeded, and not the output of any model."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl

from simcare.decide.comparison import differences, totals
from simcare.model import Model
from simcare.model.strategy import AS_IN_THE_FILE, Experiment, NewContract, Scenario
from simcare.report.report_input import ReportInput

YEARS = 5
REPLICATIONS = 24
STAGES = {"0-11": (0, 11), "11-24": (11, 25), "working age": (25, 65), "older people": (65, None)}
TIERS = {
    "early_help": 1,
    "community": 9,
    "enhanced": 30,
    "placement": 90,
    "specialist": 160,
    "step_up": 70,
}  # pounds a day
RUNGS = ("independent", "early_help", "community", "enhanced", "placement", "specialist")


def guess(value: Any, grade: str = "D", source: str = "assumption", **more: Any) -> dict[str, Any]:
    return {"value": value, "source": source, "grade": grade, **more}


def sample_model(**about: Any) -> Model:
    services = [{"name": f"{tier}_care", "tier": tier} for tier in TIERS if tier != "step_up"]
    services.append({"name": "step_up_care", "tier": "step_up", "short_term_days": guess(42)})
    return Model.model_validate(
        {
            "about": {"name": "sample", "title": "Sample county", "start": dt.date(2013, 4, 1), **about},
            "sources": {"survey": "County survey of care 2013, table 4"},
            "tiers": [
                *({"name": rung} for rung in RUNGS),
                {"name": "step_up", "title": "Step-up (short-term)", "short_term": True},
            ],
            "stages": [{"name": name, "from_age": low, "to_age": high} for name, (low, high) in STAGES.items()],
            "groups": [{"name": "general"}],
            "services": services,
            "contracts": [
                {
                    "name": t,
                    "terms": [{"kind": "per_diem", "gbp_per_day": guess(p, "A", "survey", note="mean of returns")}],
                }
                for t, p in TIERS.items()
            ],
            "providers": [
                {
                    "name": "council",
                    "owner": "council",
                    "offers": [{"service": f"{t}_care", "contract": t, "weight": guess(1)} for t in TIERS],
                }
            ],
            "prices": {
                "base_year": "2012/13",
                "growth_per_year": guess(0.02),
                "inflation_per_year": guess(0.018),
                "discount": [{"from_year": 0, "per_year": guess(0.035, "B", "survey")}],
            },
        }
    )


def sample_experiment(**changes: Any) -> Experiment:
    early = {
        "name": "early",
        "title": "Early help for families",
        "start": dt.date(2013, 10, 1),
        "ramp_days": 180,
        "stage": "0-11",
        "gbp_per_year": guess(400_000),
        "effects": [{"on": "rise", "stages": ["0-11"], "multiply": guess(0.8, "C", "trial", low=0.6, high=1.0)}],
    }
    telecare = {
        "name": "telecare",
        "title": "Telecare for older people",
        "start": dt.date(2014, 4, 1),
        "gbp_per_year": guess(250_000),
        "effects": [{"on": "recover", "stages": ["older people"], "multiply": guess(1.05)}],
    }
    tariff = {
        "name": "tariff",
        "title": "Tiered tariff that rewards stepping down",
        "start": dt.date(2014, 4, 1),
        "effects": [{"on": "step_down", "multiply": guess(1.4)}],
    }
    return Experiment.model_validate(
        {
            "name": "sample",
            "title": "Three ways to lower long-term dependency",
            "model": "sample",
            "years": YEARS,
            "replications": REPLICATIONS,
            "sources": {"trial": "Randomised trial of family support, 2011"},
            "shrinkage": {"A": guess(1), "B": guess(0.75), "C": guess(0.5), "D": guess(0.25)},
            "strategies": [early, telecare, tariff],
        }
        | changes
    )


def months(years: int = YEARS) -> list[str]:
    return [f"{2013 + (3 + k) // 12}-{(3 + k) % 12 + 1:02d}" for k in range(12 * years)]


PAID = {"council": 0.8, "health": 0.05, "client": 0.15}  # parts of the cost of care


def sample_measures(
    years: int = YEARS,
    replications: int = REPLICATIONS,
    strategies: tuple[str, ...] = ("baseline", "early", "telecare", "tariff"),
) -> pl.DataFrame:
    """Caseload falls a little under ``early`` and ``tariff`` and wobbles around the baseline under ``telecare``."""
    rng = np.random.default_rng(7)
    rows = []
    for r in range(replications):
        luck = {(s, t): rng.normal(1, 0.03) for s in STAGES for t in TIERS}
        for strategy in strategies:
            effect = {"baseline": 0.0, "early": 0.030, "telecare": 0.0, "tariff": 0.015}[strategy] * rng.normal(
                1, 0.4
            ) + (strategy == "telecare") * rng.normal(0.003, 0.006)
            rows += _replication(strategy, r, luck, effect, years)
    columns = ["strategy", "replication", "month", "stage", "group", "tier", "service", "provider", "measure", "value"]
    frame = pl.DataFrame(rows, schema=columns, orient="row", infer_schema_length=None)
    return frame.select(
        "strategy",
        pl.col("replication").cast(pl.Int32),
        "month",
        pl.lit("all").alias("area"),
        "stage",
        "group",
        "tier",
        "service",
        "provider",
        "measure",
        pl.col("value").cast(pl.Float64),
    )


def _replication(
    strategy: str, r: int, luck: dict[tuple[str, str], float], effect: float, years: int
) -> list[tuple[Any, ...]]:
    rows: list[tuple[Any, ...]] = []
    for k, month in enumerate(months(years)):
        fall = 1 - effect * min(1.0, max(0, k - 6) / 18)
        index = k // 12
        for i, stage in enumerate(STAGES):
            for j, (tier, price) in enumerate(TIERS.items()):
                if stage == "working age" and tier == "early_help":
                    continue
                size = 2400 / (1 + 1.7 * j) * (1 + 0.35 * i) * (1 + 0.003 * k) * luck[stage, tier] * fall
                where = (strategy, r, month, stage, "general", tier, f"{tier}_care", "council")
                real = size * 30.4 * price
                money = {"cost": real * 1.02 ** (index + 1), "cost_real": real, "cost_pv": real / 1.035**index}
                money |= {f"cost_{who}": part * money["cost"] for who, part in PAID.items()}
                days = {
                    "dependency_days": size * 3 * fall**4,
                    "over_provided_days": size * 4 * fall**4,
                    "person_days": size * 30.4,
                }
                rows += [(*where, name, value) for name, value in ({"caseload": size} | money | days).items()]
            rows.append(
                (
                    strategy,
                    r,
                    month,
                    stage,
                    "general",
                    "independent",
                    None,
                    None,
                    "independent_days",
                    30.4 * (900 + 3 * k + 4000 * (1 - fall)),
                )
            )
        if strategy != "baseline":
            yearly = {"early": 400_000, "telecare": 250_000, "tariff": 0}[strategy]
            stage = "0-11" if strategy == "early" else None
            spent = {
                **dict.fromkeys(("cost", "cost_council", "paid_programmes"), yearly / 12 * 1.02 ** (index + 1)),
                "cost_real": yearly / 12,
                "cost_pv": yearly / 12 / 1.035**index,
            }
            rows += [
                (strategy, r, month, stage, None, None, None, None, name, value)
                for name, value in spent.items()
                if value
            ]
    return rows


LIMITED = {"baseline": 1.0, "early": 0.7, "telecare": 1.0, "tariff": 0.85}  # how long the queues of each strategy are
CLASSES = {
    "crisis": (2.5, 3),
    "hospital": (11, 8),
    "community": (24, 31),
    "planned": (0.4, 64),
    "displaced": (0.2, 12),
}  # places granted a month, and the days waited


def sample_limits(
    years: int = YEARS,
    replications: int = REPLICATIONS,
    strategies: tuple[str, ...] = ("baseline", "early", "telecare", "tariff"),
) -> pl.DataFrame:
    """Places run out: queues by class, hospital discharge, spot purchases and transitions. A row of zero is
    left out."""
    rng = np.random.default_rng(9)
    rows: list[tuple[Any, ...]] = []
    for r in range(replications):
        for strategy in strategies:
            for k, month in enumerate(months(years)):
                length = (
                    (1 + k / 24)
                    * (1 + 0.25 * np.sin(k / 12 * 2 * np.pi))
                    * (1 - (1 - LIMITED[strategy]) * min(1, max(0, k - 6) / 18))
                )
                rows += _limits(rng, strategy, r, month, length)
    columns = ["strategy", "replication", "month", "stage", "tier", "service", "measure", "value"]
    frame = pl.DataFrame([row for row in rows if row[-1]], schema=columns, orient="row", infer_schema_length=None)
    some = (
        pl.lit("all").alias("area"),
        "stage",
        pl.lit("general").alias("group"),
        "tier",
        "service",
        pl.lit(None, pl.String).alias("provider"),
    )
    return frame.select(
        "strategy", pl.col("replication").cast(pl.Int32), "month", *some, "measure", pl.col("value").cast(pl.Float64)
    )


def _limits(rng: np.random.Generator, strategy: str, r: int, month: str, length: float) -> list[tuple[Any, ...]]:
    alone, served = (
        (strategy, r, month, "older people", "independent", None),
        (strategy, r, month, "older people", "enhanced", "enhanced_care"),
    )
    young = (strategy, r, month, "working age", "independent", None)
    moved = {"queue_days": 30.4 * rng.gamma(9 * length, 1.0)}
    found = [
        (*alone, "queue_days", 30.4 * rng.gamma(30 * length, 1.0)),
        (*young, "queue_days", 30.4 * rng.poisson(1.2 * length)),
    ]
    found += [(*served, name, value) for name, value in (moved | {"transfer_days": moved["queue_days"]}).items()]
    for name, (often, days) in CLASSES.items():
        placed = int(rng.poisson(often))
        found += [
            (*served, f"placed_{name}", placed),
            (*served, f"waited_days_{name}", rng.gamma(3.0 * placed, days * length / 3) if placed else 0),
        ]
    held = {
        "hospital_days": 30.4 * rng.gamma(60, 1.0),
        "delayed_days": 30.4 * rng.gamma(7 * length, 1.0),
        "admissions": rng.poisson(200),
    }
    times = {"queued": 45 * length, "reneged": 2 * length, "supported_transitions": 1.5, "unsupported_transitions": 1.0}
    found += [
        (*alone, name, value)
        for name, value in (held | {name: rng.poisson(mean) for name, mean in times.items()}).items()
    ]
    extra = {"spot_purchases": rng.poisson(0.3 * length), "spot_days": 30.4 * rng.poisson(2 * length)}
    return found + [(*served, name, value) for name, value in extra.items()]


def sample_flows(
    years: int = YEARS,
    replications: int = REPLICATIONS,
    strategies: tuple[str, ...] = ("baseline", "early", "telecare", "tariff"),
) -> pl.DataFrame:
    rng = np.random.default_rng(8)
    ladder = ["independent", *TIERS]
    pairs = [(a, b) for a in RUNGS for b in RUNGS if abs(RUNGS.index(a) - RUNGS.index(b)) in (1, 2)]
    pairs += [
        ("independent", "step_up"),
        ("community", "step_up"),
        ("enhanced", "step_up"),
        ("step_up", "independent"),
        ("step_up", "community"),
    ]
    pairs += [(tier, "gone") for tier in ladder]
    rows = [
        (
            s,
            r,
            f"{y}/{(y + 1) % 100:02d}",
            a,
            b,
            int(rng.poisson(900 / (1 + ladder.index(a if a in ladder else "independent")))),
        )
        for s in strategies
        for r in range(replications)
        for y in range(2013, 2013 + years)
        for a, b in pairs
    ]
    return pl.DataFrame(
        rows, schema=["strategy", "replication", "financial_year", "from_tier", "to_tier", "moves"], orient="row"
    ).with_columns(pl.col("replication").cast(pl.Int32))


def manifest(years: int = YEARS, replications: int = REPLICATIONS) -> dict[str, Any]:
    ours = {"simcare": "0.1.0", "model": "sample", "model_sha256": "ab12" * 16, "seed": 7, "engine": "simpy"}
    return {**ours, "replications": replications, "years": years}


def sample_comparison(**changes: Any) -> ReportInput:
    experiment, measures = sample_experiment(**changes), sample_measures()
    found = totals(measures, ["baseline", *(s.name for s in experiment.strategies)], REPLICATIONS)
    return ReportInput(
        model=sample_model(),
        measures=measures,
        flows=sample_flows(),
        manifest=manifest(),
        experiment=experiment,
        totals=found,
        differences=differences(found, [s.name for s in experiment.strategies]),
    )


def sample_limited() -> ReportInput:
    """The comparison in a county whose places run out."""
    given = sample_comparison()
    return replace(given, measures=pl.concat([given.measures, sample_limits()]))


WORLDS = {
    "no answer": 0.0,
    "eta 2": 2.0,
    "H 28": 0.5,
}  # what the differences of the sample are multiplied by in each scenario


def sample_contracts(scenarios: bool = True) -> ReportInput:
    """The comparison with two strategies that put placements under other contracts, and the same again in three
    scenarios."""
    given, titles = (
        sample_comparison(),
        {
            "no answer": "Providers do not answer",
            "eta 2": "They answer twice as strongly (eta 2)",
            "H 28": "Four weeks",
        },
    )
    experiment, differences = given.experiment, given.differences
    assert experiment is not None
    assert differences is not None
    bands = [{"from_day": day, "gbp_per_day": guess(price)} for day, price in ((0, 126), (42, 99), (84, 84.3))]
    sums = [
        {"kind": "per_diem", "gbp_per_week": guess(612.5)},
        {"kind": "step_down_bonus", "gbp": guess(900), "by_day": 84, "lasts_days": 91},
    ]
    added = [{"name": "taper", "terms": [{"kind": "tapered", "bands": bands}]}, {"name": "dated", "terms": sums}]
    known = [contract.model_dump(by_alias=True) for contract in given.model.contracts]
    model = Model.model_validate(given.model.model_dump(by_alias=True) | {"contracts": [*known, *added]})
    early, telecare, tariff = experiment.strategies
    taper = NewContract(service="placement_care", contract="taper")
    dated = NewContract(service="placement_care", provider="council", contract="dated")
    put = [s.model_copy(update={"effects": (), "contracts": (new,)}) for s, new in ((telecare, taper), (tariff, dated))]
    worlds = tuple(Scenario(name=name, title=titles[name]) for name in WORLDS)
    experiment = experiment.model_copy(update={"strategies": (early, *put), "scenarios": worlds if scenarios else ()})
    ends = ("difference", "prediction_low", "prediction_high")
    chances = ("chance_better", "chance_lower", "chance_higher")
    parts = [differences.with_columns(scenario=pl.lit(AS_IN_THE_FILE))]
    parts += [
        differences.with_columns(scenario=pl.lit(name)).with_columns(pl.col(ends) * size, pl.col(chances) * (size != 0))
        for name, size in WORLDS.items()
    ]
    return replace(given, model=model, experiment=experiment, scenarios=pl.concat(parts) if scenarios else None)


def sample_run(replications: int = REPLICATIONS) -> ReportInput:
    alone = ("baseline",)
    return ReportInput(
        sample_model(),
        sample_measures(2, replications, alone),
        manifest(2, replications),
        sample_flows(2, replications, alone),
    )
