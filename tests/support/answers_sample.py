"""A made-up comparison with causes: what is to be found in its answers is known, as it was put there."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import polars as pl

from simcare.decide.comparison import differences
from simcare.measures.catalogue import SUMMED
from simcare.measures.spread_parts import DRAWN, EFFECT, PARAMETER, value_rows
from simcare.model import Model
from simcare.model.strategy import Goal
from simcare.report.report_input import ReportInput
from tests.support.report_sample import TIERS, sample_comparison

FUTURES = 80
TITLES = {
    "price": "Prices of care homes for adults, and of nursing homes where the NHS pays none of it",
    "rise": "Older people: need rises at home",
    "review": "What a routine review costs",
    "structure": "Whether help beyond need does harm at all",
    "idle": "Children in need taken over by another council",
}


def uncertain_rows() -> list[dict[str, Any]]:
    prior = {"kind": "lognormal", "median": 1, "sd_log": 0.3, "source": "assumption", "grade": "D"}
    rows: list[dict[str, Any]] = [
        {"name": name, "title": TITLES[name], "scale": [f"contracts.{contract}.gbp_per_day"], "prior": prior}
        for name, contract in zip(("price", "rise", "review", "idle"), list(TIERS)[1:], strict=False)
    ]
    worlds = [
        {"weight": 0.6, "title": "as in the file"},
        {"weight": 0.4, "title": "none", "set": {"contracts.early_help.gbp_per_day": 2}},
    ]
    return [
        *rows,
        {"name": "structure", "title": TITLES["structure"], "choose": worlds, "source": "assumption", "grade": "D"},
    ]


@cache
def _given() -> ReportInput:
    return sample_comparison()


@cache
def answered_comparison(futures: int = FUTURES, moved: bool = True) -> ReportInput:
    """Three strategies in so many futures. ``early`` saves about £2m and hangs on the price, ``telecare`` costs money
    and adds dependency, ``tariff`` is about level with ``early``. Unless ``moved``, nothing depends on any cause."""
    given = _given()
    assert given.experiment is not None
    rng = np.random.default_rng(4 if moved else 6)
    z = {name: rng.standard_normal(futures) for name in TITLES}
    z["structure"] = (z["structure"] > 0.3).astype(float)
    effect = rng.standard_normal(futures)
    noise = {name: rng.standard_normal((2, futures)) for name in ("base", "early", "telecare", "tariff")}
    on = float(moved)
    cost = {
        "baseline": 200e6 + 5e6 * noise["base"][0],
        "early": -2.0e6 + on * (2.4e6 * z["price"] - 0.5e6 * effect + 0.6e6 * z["structure"]) + 4e5 * noise["early"][0],
        "telecare": 1.2e6 + on * 5e5 * z["review"] + 3e5 * noise["telecare"][0],
        "tariff": -1.5e6 + on * (-1.0e6 * z["rise"] - 1.5e6 * z["review"]) + 6e5 * noise["tariff"][0],
    }
    days = {
        "baseline": 1e6 + 2e4 * noise["base"][1],
        "early": -30e3 + on * 8e3 * z["rise"] + 4e3 * noise["early"][1],
        "telecare": 4e3 + 4e3 * noise["telecare"][1],
        "tariff": -9e3 + 1.4e4 * noise["tariff"][1],
    }
    totals = pl.concat([_totals(name, cost, days, futures) for name in cost])
    drawn = [_drawn(r, {name: z[name][r] for name in TITLES}, effect[r]) for r in range(futures)]
    rows = Model.model_validate(given.model.model_dump(by_alias=True) | {"uncertain": uncertain_rows()})
    names = [s.name for s in given.experiment.strategies]
    return replace(given, model=rows, totals=totals, differences=differences(totals, names), drawn=pl.concat(drawn))


def _totals(name: str, cost: dict[str, Any], days: dict[str, Any], futures: int) -> pl.DataFrame:
    base = name == "baseline"
    columns = {measure: np.zeros(futures) for measure in SUMMED}
    columns["cost_council"] = cost["baseline"] + (0.0 if base else cost[name])
    columns["cost_pv"] = columns["cost_council"] * 0.9
    columns["dependency_days"] = days["baseline"] + (0.0 if base else days[name])
    keys = {"strategy": [name] * futures, "replication": pl.Series(range(futures), dtype=pl.Int32)}
    return pl.DataFrame(keys | columns)


def _drawn(r: int, z: dict[str, float], effect: float) -> pl.DataFrame:
    values = {name: float(x if name == "structure" else np.exp(0.3 * x)) for name, x in z.items()}
    base = value_rows(PARAMETER, "baseline", r, "2013-04", values)
    mine = value_rows(EFFECT, "early", r, "2013-04", {"effects[0]": float(effect)})
    return pl.concat([base, mine]).cast(DRAWN)  # type: ignore[arg-type]


def with_target(given: ReportInput, **goal: Any) -> ReportInput:
    """The same with a target."""
    assert given.experiment is not None
    return replace(given, experiment=given.experiment.model_copy(update={"target": Goal(**goal)}))


def alone(given: ReportInput, strategy: str) -> ReportInput:
    """The same with one strategy."""
    assert given.experiment is not None
    assert given.totals is not None
    one = tuple(s for s in given.experiment.strategies if s.name == strategy)
    totals = given.totals.filter(pl.col("strategy").is_in(["baseline", strategy]))
    drawn = given.drawn.filter(pl.col("strategy").is_in(["baseline", strategy]))
    return replace(
        given,
        experiment=given.experiment.model_copy(update={"strategies": one}),
        totals=totals,
        differences=differences(totals, [strategy]),
        drawn=drawn,
    )
