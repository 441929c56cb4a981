"""Demand in the simulation: one path a replication, the same for every strategy, and its own part of every spread."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from scipy.special import polygamma

from simcare.cohort.solve import expected_people
from simcare.decide.comparison import compare
from simcare.demand import driver as drivers
from simcare.demand import paths
from simcare.demand.backtest import own_widening
from simcare.demand.paths import DriverFit
from simcare.errors import BadInput
from simcare.files.library import library
from simcare.files.load import load_model
from simcare.measures.spread_parts import demand_sd, met_demand
from simcare.model import Model
from simcare.runs.run import run
from simcare.runs.task import Task, run_task

DRIVER = """
[[drivers]]
name = "referrals"
series = "made.csv"
known_to = "{known_to}"
source = "assumption"
grade = "D"

[[arrivals]]
driver = "{driver}"
"""


def written(folder: Path, known_to: str = "2013-03", driver: str = "referrals", extra: str = "") -> Path:
    """The M/M/infinity model with arrivals that follow a made-up series, April 2010 to March 2014."""
    rng = np.random.default_rng(1)
    dates = [f"{2010 + (3 + k) // 12}-{(3 + k) % 12 + 1:02d}" for k in range(48)]
    counts = rng.poisson(400 * np.exp(np.cumsum(0.04 * rng.standard_normal(48))))
    pl.DataFrame({"date": dates, "area": "X", "count": counts}).write_csv(folder / "made.csv")
    text = (library("models") / "mm-infinity.toml").read_text(encoding="utf-8")
    path = folder / "driven.toml"
    path.write_text(
        text.replace("[[arrivals]]\n", DRIVER.format(known_to=known_to, driver=driver) + extra), encoding="utf-8"
    )
    return path


@pytest.fixture(scope="module")
def driven(tmp_path_factory: pytest.TempPathFactory) -> Model:
    return load_model(written(tmp_path_factory.mktemp("driven")))


@pytest.fixture(scope="module")
def fit(driven: Model) -> DriverFit:
    return paths.fitted(driven)[0]


def test_a_model_holds_the_counts_that_were_known_and_no_more(driven: Model) -> None:
    driver = driven.drivers[0]
    assert (driver.first, len(driver.counts)) == ("2010-04", 36)
    assert Model.model_validate_json(driven.model_dump_json(by_alias=True)) == driven


def test_the_base_year_has_index_one(fit: DriverFit) -> None:
    assert fit.known[-12:].mean() == pytest.approx(fit.base)
    assert len(fit.known) == 36


def test_paths_average_to_what_the_twin_works_with(fit: DriverFit) -> None:
    last = fit.driver.last + 30
    drawn = np.array([paths.drawn_index(fit, last, 1, r) for r in range(4000)])[:, -30:]
    mean = paths.expected_index(fit, last)[-30:]
    se = drawn.std(axis=0, ddof=1) / np.sqrt(4000)
    print(np.abs((drawn.mean(axis=0) - mean) / se).max())
    assert np.abs((drawn.mean(axis=0) - mean) / se).max() < 4


def test_a_driver_is_as_wide_in_the_simulation_as_its_back_test_says(driven: Model, fit: DriverFit) -> None:
    """36 counts are enough for trials; of twelve only many series can say how wide."""
    fitted = drivers.fit_driver(fit.series, plain=False)
    assert fit.driver.widen == pytest.approx(drivers.TYPICAL_WIDENING * own_widening(fitted, fit.series))
    assert fit.driver.widen != drivers.TYPICAL_WIDENING
    row = driven.drivers[0]
    short = row.model_copy(update={"first": "2012-04", "counts": row.counts[-12:]})
    few = paths.fitted(driven.model_copy(update={"drivers": (short,)}))[0]
    assert few.driver.widen == drivers.TYPICAL_WIDENING


def test_each_month_has_a_luck_of_its_own(fit: DriverFit) -> None:
    """The log index of the first month ahead varies by parameters and level, and by a gamma of the driver's dispersion
    on top."""
    values = np.log([paths.drawn_index(fit, fit.driver.last + 1, 1, r)[-1] for r in range(4000)])
    _, variance = drivers.moments(fit.driver, 1)
    whole = variance[0] + float(polygamma(1, 1.0 / fit.driver.level.dispersion))
    print(values.var(), whole, variance[0])
    assert values.var() == pytest.approx(whole, rel=4 * np.sqrt(2 / 4000))
    assert whole > variance[0] * (1 + 5 * np.sqrt(2 / 4000))


def test_a_longer_horizon_and_another_replication_change_nothing_earlier(fit: DriverFit) -> None:
    long = paths.drawn_index(fit, fit.driver.last + 30, 1, 3)
    assert (paths.drawn_index(fit, fit.driver.last + 12, 1, 3) == long[: 36 + 12]).all()
    assert (paths.drawn_index(fit, fit.driver.last + 30, 1, 4)[36:] != long[36:]).all()
    assert (paths.drawn_index(fit, fit.driver.last - 3, 1, 3) == long[:33]).all()


def test_what_was_known_of_the_run_s_own_months_is_met(tmp_path: Path) -> None:
    known = load_model(written(tmp_path, known_to="2014-03"))
    one, two = (paths.drawn_paths(known, (), 1, r, 1)["referrals"][1] for r in (0, 1))
    assert (one[:48] == two[:48]).all()
    counts = np.array(known.drivers[0].counts)
    assert np.corrcoef(one[36:48], counts[36:48])[0, 1] > 0.9


def test_arrivals_come_as_the_path_says(driven: Model) -> None:
    """Counts of arrivals by month against per_year times the index: Poisson, within four standard errors, replication
    by replication."""
    per_year = driven.arrivals[0].per_year.at(dt.date(2013, 4, 1))
    for replication in range(4):
        found = run_task(Task(driven, "baseline", 1, replication, 3, "compiled"))
        index = found.drawn.filter((pl.col("kind") == "demand") & (pl.col("name") == "referrals"))
        assert index.height == 36
        came = found.measures.filter(pl.col("measure") == "entries")["value"].sum()
        expected = per_year / 12 * sum(index["value"])  # the index is of monthly counts
        print(came, expected)
        assert abs(came - expected) < 4 * np.sqrt(expected)


def test_both_engines_meet_the_same_path(driven: Model) -> None:
    found = [run_task(Task(driven, "baseline", 1, 2, 1, engine)) for engine in ("simpy", "compiled")]
    assert found[0].drawn.equals(found[1].drawn)
    one, two = (each.measures for each in found)
    keys = ["month", "measure", "service"]
    both = one.sort(keys).join(two.sort(keys), on=keys, nulls_equal=True, suffix="_two")
    assert both.height == one.height == two.height
    assert both["value"].to_list() == pytest.approx(both["value_two"].to_list(), rel=1e-12)


def test_the_twin_s_mean_caseload_is_that_of_the_replications(driven: Model) -> None:
    found = run(driven, years=2, replications=60, seed=1, engine="compiled", workers=1)
    ends = (
        found.measures.filter((pl.col("measure") == "caseload_end") & (pl.col("month") == "2015-03"))
        .group_by("replication")
        .agg(pl.col("value").sum())
    )
    told = expected_people(driven, found.days).filter(pl.col("day") == found.days)["people"].sum()
    mean, se = ends["value"].mean(), ends["value"].std() / np.sqrt(60)  # type: ignore[operator]
    print(mean, told, se)
    assert abs(mean - told) < 4 * se  # type: ignore[operator]
    assert ends["value"].var() > 2 * told  # type: ignore[operator]  # a Poisson caseload would vary by its mean; demand adds to that


def test_demand_s_part_of_the_spread_is_told_apart(driven: Model) -> None:
    """Nearly all of this model's spread is demand's; the mean of the path over the horizon catches most of it."""
    found = run(driven, years=2, replications=40, seed=1, engine="compiled", workers=1)
    demand = met_demand(found.drawn)
    cost = found.measures.filter(pl.col("measure") == "cost").group_by("replication").agg(pl.col("value").sum())
    cost = cost.join(demand, on="replication").sort("replication")
    assert cost.height == 40
    part = demand_sd(cost["value"].to_numpy(), np.array(cost["met"].to_list()))
    whole = cost["value"].std()
    print(part, whole)
    assert part is not None
    assert 0.6 * whole < part <= whole  # type: ignore[operator]
    still = run(load_model("mm-infinity"), years=2, replications=8, seed=1, engine="compiled", workers=1)
    assert still.drawn.is_empty()
    assert met_demand(still.drawn).is_empty()


def test_luck_alone_has_no_part_of_demand() -> None:
    rng = np.random.default_rng(2)
    parts = [demand_sd(rng.normal(0, 1, 30), rng.normal(0, 1, (30, 1))) for _ in range(200)]
    squares = [p**2 for p in parts if p is not None]
    assert len(squares) == 200
    assert np.mean([s == 0 for s in squares]) > 0.5
    assert np.mean(squares) < 0.05
    assert demand_sd(np.ones(4), np.ones((4, 1))) is None


HALF = """
name = "half"
title = "Half as many"
model = "driven.toml"
years = 2
replications = 8
seed = 1

[shrinkage]
A = { value = 1, source = "assumption", grade = "D" }
B = { value = 1, source = "assumption", grade = "D" }
C = { value = 1, source = "assumption", grade = "D" }
D = { value = 1, source = "assumption", grade = "D" }

[[strategies]]
name = "fewer"
title = "Half as many come"
start = 2013-06-01
effects = [{ on = "arrivals", multiply = { value = 0.5, source = "assumption", grade = "D" } }]
"""


def test_strategies_meet_the_same_demand(tmp_path: Path) -> None:
    written(tmp_path)
    path = tmp_path / "half.toml"
    path.write_text(HALF, encoding="utf-8")
    found = compare(path, workers=1)
    index = found.drawn.filter(pl.col("name") == "referrals").pivot(
        on="strategy", index=["replication", "month"], values="value"
    )
    assert index.height == 8 * 24
    assert index["baseline"].to_list() == index["fewer"].to_list()
    row = found.differences.filter(pl.col("measure") == "cost").row(0, named=True)
    assert row["difference"] < 0
    assert row["chance_better"] == 1, "with the same demand, half as many cost less in each future"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"known_to": "2012-12"},
            "needs the counts of 2012-04 to 2013-03, the year before the model starts; has 2010-04 to 2012-12",
        ),
        ({"known_to": "2019-01"}, "known_to: 2019-01 is outside the counts of X (2010-04 to 2014-03)"),
        ({"driver": "referals"}, "arrivals[0].driver: unknown 'referals', did you mean 'referrals'?"),
        (
            {"extra": 'season = { value = [1,1,1,1,1,1,1,1,1,1,1,1], source = "assumption", grade = "D" }\n'},
            "season and growth_per_year come from the driver",
        ),
    ],
)
def test_a_driver_that_cannot_be_is_refused_in_one_sentence(tmp_path: Path, changes: dict[str, str], said: str) -> None:
    with pytest.raises(BadInput) as refused:
        load_model(written(tmp_path, **changes))
    assert said in str(refused.value)
    assert "driven.toml" in str(refused.value)


def test_a_series_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    path = written(tmp_path)
    (tmp_path / "made.csv").unlink()
    with pytest.raises(BadInput, match=r"drivers\[0\].series: .*unknown 'made.csv'"):
        load_model(path)


def test_a_path_that_was_not_drawn_is_refused_by_the_engine(driven: Model) -> None:
    from simcare.arrays.build import build
    from simcare.engine import simpy

    with pytest.raises(BadInput, match="follow the driver 'referrals', whose path was not drawn"):
        simpy.record(driven, build(driven), 1, 0, 30.0)
