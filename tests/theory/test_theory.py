"""The exact answers of queueing and survival theory, through the library's own model files."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable

import numpy as np
import polars as pl
import pytest

from simcare.arrays.build import build
from simcare.engine.simpy import Engine
from simcare.files.load import load_model
from tests.support.logs import library_log, simulate
from tests.support.standard_errors import holds, share_holds

YEAR = 365.25
LogOf = Callable[..., pl.DataFrame]


def present_at(log: pl.DataFrame, day: float) -> pl.DataFrame:
    """Each person's last row up to ``day``, of those still in a service."""
    last = log.filter(pl.col("time") <= day).group_by("client", maintain_order=True).last()
    return last.filter(pl.col("service").is_not_null() & ~pl.col("event").is_in(["death", "left"]))


def stays(log: pl.DataFrame, day: float) -> pl.DataFrame:
    """The end of each person's stay (null: still there on ``day``) and how it ended."""
    ends = log.filter(pl.col("event").is_in(["death", "left"]) & (pl.col("time") <= day))
    return (
        log.select("client", "group")
        .unique(maintain_order=True)
        .join(ends.select("client", "time", "event"), on="client", how="left")
    )


def poisson(counts: np.ndarray, mean: float, what: str) -> None:
    """Counts of independent replications look Poisson: mean, and variance over mean."""
    holds(f"{what}, mean caseload", counts, mean)
    ratio, se = counts.var(ddof=1) / mean, math.sqrt(2 / (counts.size - 1) + 1 / (mean * counts.size))
    print(f"{what}, variance over mean: {ratio:.4f} against 1, standard error {se:.2g}")
    assert abs(ratio - 1) <= 4 * se


def test_mm_infinity() -> None:
    counts = np.array([present_at(library_log("mm-infinity", 2200.0, 11, r), 2199.0).height for r in range(80)])
    poisson(counts, 200.0, "M/M/infinity")


def test_mg_infinity_is_insensitive_to_the_shape_of_stays() -> None:
    found = [present_at(library_log("mg-infinity", 1500.0, 12, r), 1499.0).group_by("group").len() for r in range(80)]
    for group in ("exponential", "weibull", "lognormal", "mixture"):
        counts = np.array([frame.filter(pl.col("group") == group)["len"].sum() for frame in found])
        poisson(counts, 100.0, group)


def test_semi_markov_days_and_caseload() -> None:
    days = 30 * YEAR
    log = library_log("semi-markov", days, 13)
    rows = log.with_columns(until=pl.col("time").shift(-1).over("client").fill_null(days))
    early = log.filter(pl.col("event") == "arrival").filter(pl.col("time") < 12 * YEAR).select("client")
    for tier, theory in (("one", 373.988), ("two", 168.481), ("three", 128.367)):
        spent = rows.filter((pl.col("tier") == tier) & pl.col("event").is_in(["death", "left"]).not_())
        each = early.join(
            spent.group_by("client").agg((pl.col("until") - pl.col("time")).sum().alias("days")),
            on="client",
            how="left",
        )
        values = each["days"].fill_null(0.0).to_numpy()
        holds(f"days in tier {tier} per entrant", values, theory)
        holds(f"caseload of tier {tier}", values * 720 / YEAR, {"one": 737.23, "two": 332.12, "three": 253.04}[tier])


def test_competing_risks(log_of: LogOf) -> None:
    log = log_of("competing-risks", 8000.0)
    common = stays(log, 8000.0).filter(pl.col("group") == "common")
    n = common.height
    assert common["event"].null_count() == 0
    share_holds("P(death first)", common.filter(pl.col("event") == "death").height, n, 0.686426)
    share_holds(
        "CIF of death at 180", common.filter((pl.col("event") == "death") & (pl.col("time") <= 180)).height, n, 0.491139
    )
    crossing = stays(log, 365.0).filter(pl.col("group") == "crossing")
    share_holds("CIF of death at 365", crossing.filter(pl.col("event") == "death").height, n, 0.615850)
    share_holds("still there at 365", crossing["event"].null_count(), n, 0.193139)


def test_hazard_that_doubles_keeps_the_unspent_budget(log_of: LogOf) -> None:
    ends = stays(log_of("changed-hazard", 400.0), 180.0)
    share_holds("P(T > 180)", ends["event"].null_count(), ends.height, 0.2469)


def test_frailty_of_those_who_remain() -> None:
    model = load_model("frailty")
    engine = Engine(model, build(model), 14, 0, 2 * YEAR)
    engine.run()
    clients = engine.world.clients
    spared = clients[clients["need"] == 0]
    share_holds("share without need after 2 years", spared.size, clients.size, (1 + 0.5 * 2) ** -2)
    holds("E[Z | T > 2 years]", spared["frailty"], 1 / (1 + 0.5 * 2))


def test_length_bias(log_of: LogOf) -> None:
    log = log_of("length-bias", 40 * YEAR)
    ends = stays(log, 40 * YEAR)["time"].drop_nulls().to_numpy()
    present = log.filter(pl.col("event") == "present").height
    assert present - ends.size <= 3  # forty years see out nearly every stay
    holds("mean residual stay", ends, 1014.0)
    share_holds("residual stay under a year", int((ends < 365.25).sum()), present, 0.3345)


@pytest.mark.parametrize(
    ("name", "who", "age", "born_years"),
    [("newborns", 100, 1, 0), ("newborns", 100, 11, 0), ("aged 24", 10, 25, 24), ("aged 64", 10, 65, 64)],
)
def test_birthdays_are_exact(name: str, who: int, age: int, born_years: int, log_of: LogOf) -> None:
    start = dt.date(2013, 4, 1)
    turned = log_of("ageing", 4100.0).filter(
        (pl.col("event") == "birthday") & pl.col("age").is_between(age - 0.01, age + 0.01)
    )
    assert turned.height == who
    day = (dt.date(start.year - born_years + age, 4, 1) - start).days
    assert turned["time"].to_numpy() == pytest.approx(day, abs=1e-6)


def test_newborns_are_under_one_until_the_day() -> None:
    log = library_log("ageing", 4100.0)
    before = log.filter(pl.col("time") < 365 - 1e-6).group_by("client").last()
    after = log.filter(pl.col("time") < 365 + 1e-6).group_by("client").last()
    assert before.filter(pl.col("stage") == "under 1").height == 100
    assert after.filter(pl.col("stage") == "under 1").height == 0


def test_same_seed_same_log() -> None:
    model = load_model("semi-markov")
    assert simulate(model, 500.0, 3).equals(simulate(model, 500.0, 3))
    assert not simulate(model, 500.0, 3).equals(simulate(model, 500.0, 4))
