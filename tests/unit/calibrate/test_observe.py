"""What a run says of a target: against closed forms, and against counts made row by row."""

from __future__ import annotations

import datetime as dt
import math

import numpy as np
import polars as pl
import pytest

from simcare.arrays.build import build
from simcare.calibrate.observe import Stays, counted_rates, of_target, outputs, past, published, stays_in
from simcare.calibrate.predictive import in_units
from simcare.calibrate.reading import load_calibration
from simcare.engine import compiled
from simcare.files.load import load_model
from simcare.rules.records import LOG
from simcare.runs.task import Task, run_task
from tests.support.linear_problem import datum, target
from tests.support.standard_errors import holds


def test_stays_past_by_the_exponential_and_with_delayed_entry() -> None:
    """Exponential stays of mean 100 seen through a window: those under way come into view late, those not ended are
    censored."""
    shares = []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        begun = rng.uniform(-600, 200, 3000)
        whole = rng.exponential(100, 3000)
        seen = begun + whole > 0
        begun, whole = begun[seen], whole[seen]
        entry, ends = np.maximum(-begun, 0.0), begun + whole
        shares.append(past(Stays(entry, np.minimum(ends, 200.0) - begun, ends < 200.0), [50, 150]))
    holds("past 50 days", np.array(shares)[:, 0], math.exp(-0.5))
    holds("past 150 days", np.array(shares)[:, 1], math.exp(-1.5))


def test_stays_of_a_model_that_starts_from_its_caseload() -> None:
    """Weibull stays (0.819, 724.5 days), of which nobody is seen from the start: models/length-bias."""
    model = load_model("length-bias")
    rows = [compiled.by_client(compiled.record(model, build(model), 1, r, 731.0).rows) for r in range(4)]
    found = np.array([past(stays_in(log, [0], 731.0), [365, 730]) for log in rows])
    # Nobody comes in, so the first days of a stay are seen by few: conditional on a year, where many are.
    holds(
        "past 730 given 365 days",
        found[:, 1] / found[:, 0],
        math.exp(-((730 / 724.5) ** 0.819) + (365 / 724.5) ** 0.819),
    )


def test_a_stay_goes_on_through_a_move_between_the_services_and_ends_with_death() -> None:
    log = np.zeros(6, LOG)
    log["client"] = [1, 1, 1, 2, 2, 3]
    log["time"] = [5.0, 20.0, 50.0, 0.0, 30.0, 0.0]
    log["service"] = [0, 1, -1, 1, 2, 0]
    log["stay_start"] = [5.0, 20.0, 0.0, -40.0, 30.0, -7.0]
    found = stays_in(log, [0, 1], 100.0)
    assert found.entry.tolist() == [0.0, 40.0, 7.0]
    assert found.lasted.tolist() == [45.0, 70.0, 107.0]
    assert found.ended.tolist() == [True, True, False]


def test_stocks_flows_and_shares_are_what_the_log_says() -> None:
    """Each kind of target against counts made row by row from the log of the same run."""
    model = load_model("semi-markov")
    outcome = run_task(Task(model, "baseline", 3, 0, 2, "simpy", keep_log=True))
    assert outcome.log is not None
    rows = outcome.log.sort("client", maintain_order=True).rows(named=True)
    last_day = 730.0  # 31 March 2015 ends
    tiers = (
        ["lower", "middle", "upper"] if "lower" in [t.name for t in model.tiers] else [t.name for t in model.tiers][1:]
    )
    one, two = tiers[0], tiers[1]
    state: dict[int, str | None] = {}
    came = went = first_year = 0
    before: dict[int, str] = {}
    for row in rows:
        client, tier, year = row["client"], str(row["tier"]), row["time"] >= 365
        if (
            row["time"] < last_day
            and client in before
            and before[client] != tier
            and row["event"] not in ("death", "left")
        ):
            went += year and before[client] == one
            came += year and before[client] == one and tier == two
            first_year += (not year) and before[client] == one and tier == two
        if row["event"] in ("death", "left"):
            state[client] = None
            if row["time"] < last_day and before.get(client) == one:
                went += 0
            before.pop(client, None)
        else:
            before[client] = tier
            if row["time"] < last_day:
                state[client] = tier if row["service"] is not None else None
    end = dt.date(2015, 3, 31)
    stock = of_target(outcome, target(tiers=(one,)), [end])[end]
    assert stock == sum(tier == one for tier in state.values()) > 0
    moves = {"kind": "flow", "from_tiers": (one,), "to_tiers": (two,)}
    found = of_target(outcome, target(**moves), [dt.date(2014, 3, 31), end])
    assert list(found.values()) == [first_year, came]
    share = of_target(outcome, target(kind="share", from_tiers=(one,), to_tiers=(two,)), [end])[end]
    assert share == came / went
    entered = of_target(outcome, target(kind="flow", measures=("person_days",), tiers=(one,)), [end])[end]
    rows_of = outcome.measures.filter(
        pl.col("measure") == "person_days", pl.col("tier") == one, pl.col("month") >= "2014-04"
    )
    assert entered == pytest.approx(rows_of["value"].sum())


def test_outputs_are_logs_changes_and_shares() -> None:
    level = target("level", kind="flow", measures=("person_days",), level_from=dt.date(2014, 3, 31))
    share = target("share", kind="stay", services=("x",), past_days=9)
    data = [datum(target("count"), 1, 50.0), datum(level, 2, 90.0, base=100.0, base_lead=1.0), datum(share, 1, 0.4)]
    values = {
        ("count", data[0].date): 40.0,
        ("level", data[1].date): 30.0,
        ("level", dt.date(2014, 3, 31)): 20.0,
        ("share", data[2].date): 0.3,
    }
    assert outputs(data, values).tolist() == pytest.approx([math.log(40), math.log(1.5), 0.3])
    assert published(data).tolist() == pytest.approx([math.log(50), math.log(0.9), 0.4])
    assert in_units(data, published(data)).tolist() == pytest.approx([50.0, 90.0, 0.4])
    values["count", data[0].date] = 0.0
    assert outputs(data, values)[0] == pytest.approx(math.log(0.5))


def test_counted_rates_are_as_uncertain_as_their_counts() -> None:
    """A Gamma of n + 1/2 over n: its mean and standard deviation."""
    calibration = load_calibration("kent-2013").calibration
    some: list[float] = [counted_rates(calibration, 1, r)["children_leave_care"] for r in range(4000)]
    holds("mean factor", np.array(some), 226.5 / 226)
    holds("variance", (np.array(some) - 226.5 / 226) ** 2, 226.5 / 226**2)
    assert counted_rates(calibration, 1, 5) == counted_rates(calibration, 1, 5)
