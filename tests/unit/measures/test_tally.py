"""Months counted without a log are those that the log gives."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from simcare.arrays.build import build
from simcare.arrays.names import names_of
from simcare.demand.paths import with_drawn_demand
from simcare.engine import compiled
from simcare.errors import BrokenInvariant
from simcare.files.load import load_model
from simcare.log.flows import flows_between
from simcare.log.frame import frame
from simcare.measures.counted_events import COUNTED
from simcare.measures.measure import DAYS_OF, measure_log, measures_of
from simcare.measures.tally import KINDS, STATES, Tally
from simcare.model import Model
from simcare.runs.run import run
from simcare.runs.task import horizon_days
from tests.support.paths import TOY, TOY_LIMITS

TOYS = [str(TOY), str(TOY_LIMITS), "ageing", "mm-infinity", "frailty", "kent-2013-limits"]


def tallied(model: Model, days: float, seed: int = 1) -> Tally:
    tables, names = build(model), names_of(model)
    tally = Tally(model, tables, names, days)
    for rows in compiled.batches(model, tables, seed, 0, days):
        tally.add(rows)
    return tally


@pytest.mark.parametrize("name", TOYS, ids=[Path(name).stem for name in TOYS])
def test_the_tally_is_what_the_log_gives(name: str) -> None:
    model = with_drawn_demand(load_model(name), 1, 0, 1)
    days = 200.5 if name.startswith("kent") else 1096.0
    log = frame(compiled.record(model, build(model), 1, 0, days).rows, names_of(model), "baseline", 0)
    tally = tallied(model, days)
    tally.check()
    by_log, by_tally = measure_log(log, model, days), measures_of(tally.tallies("baseline", 0), model, days)
    keys = [column for column in by_log.columns if column != "value"]
    both = by_log.join(by_tally, on=keys, how="full", coalesce=True, nulls_equal=True, suffix="_tally").fill_null(0.0)
    assert both.height == by_log.height == by_tally.height > 0
    apart = both.filter((pl.col("value") - pl.col("value_tally")).abs() > 1e-6 + 1e-9 * pl.col("value").abs())
    assert apart.rows() == []
    assert tally.flows("baseline", 0).equals(flows_between(log, model))


def test_it_counts_what_the_measures_count() -> None:
    assert set(STATES[1:]) == set(DAYS_OF)
    assert set(KINDS) == set(COUNTED.categories)


def test_a_client_torn_apart_is_noticed() -> None:
    model = load_model(TOY)
    rows = compiled.record(model, build(model), 1, 0, 400.0).rows
    tally = Tally(model, build(model), names_of(model), 400.0)
    tally.add(rows[: int(np.flatnonzero(np.diff(rows["client"]))[40]) + 1])
    tally.check()
    middle = (
        np.flatnonzero((rows["event"][1:] == 14) & (rows["client"][1:] == rows["client"][:-1]))[0] + 1
    )  # a death without its life
    tally.add(rows[middle : middle + 1])
    tally.add(rows[middle : middle + 1])
    tally.books.people[0] -= 1
    with pytest.raises(BrokenInvariant):
        tally.check()


def test_a_run_gives_the_same_measures_with_and_without_its_log() -> None:
    model = load_model(TOY_LIMITS)
    runs = {keep: run(model, 2, 2, 5, engine="compiled", workers=1, keep_log=keep) for keep in (True, False)}
    simpy = run(model, 2, 2, 5, engine="simpy", workers=1, keep_log=True)
    assert horizon_days(model, 2) == 730.0
    order = [column for column in simpy.measures.columns if column != "value"]
    for found in runs.values():
        both = simpy.measures.sort(order), found.measures.sort(order)
        assert both[0].drop("value").equals(both[1].drop("value"))
        assert np.allclose(both[0]["value"].to_numpy(), both[1]["value"].to_numpy(), rtol=1e-9, atol=1e-6)
    assert simpy.log is not None and runs[True].log is not None
    assert simpy.log.equals(runs[True].log)


def test_more_quiet_lives_than_the_log_has_room_for() -> None:
    """People to whom nothing happens write a row each, and the engine looks for room before each of them."""
    quiet = load_model(TOY).model_dump(by_alias=True, exclude_none=True)
    row = {**quiet["caseload"][1], "count": {"value": 40_000, "source": "assumption", "grade": "D"}}
    model = Model.model_validate({**quiet, "caseload": [row], "arrivals": [], "clocks": [], "front_door": []})
    parts = [rows.size for rows in compiled.batches(model, build(model), 1, 0, 0.001)]
    assert sum(parts) >= 40_000
    assert len(parts) > 1
