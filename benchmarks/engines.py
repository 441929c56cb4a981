"""simcare's own engines as benchmarks: each function is run in a process of its own (``child.in_child``) and gives a
dict."""

from __future__ import annotations

import os
import time
from typing import Any

from usual import at_scale

from simcare.arrays.build import build
from simcare.arrays.names import names_of
from simcare.engine import compiled, simpy
from simcare.files.load import load_model
from simcare.log.frame import frame
from simcare.measures.measure import measure_log, measures_of
from simcare.measures.tally import Tally
from simcare.model import Model
from simcare.rules.codes import START
from simcare.runs.run import run


def log(engine: str, name: str, scale: float, days: float, seed: int) -> dict[str, Any]:
    """One replication with its log, by either engine: rows, and seconds of processor time from the tables to the
    log."""
    model = at_scale(name, scale)
    tables = build(model)
    simulate = {"simpy": simpy, "compiled": compiled}[engine].record
    simulate(model, tables, 0, 0, 30.0)  # compiled, or read from the cache
    began = time.process_time()
    rows = simulate(model, tables, seed, 0, days).rows
    cpu = time.process_time() - began
    return {"rows": int(rows.size), "cpu": cpu, "rows_per_second": rows.size / cpu}


def aggregate(name: str, scale: float, days: float, seed: int, with_measures: bool = True) -> dict[str, Any]:
    """One replication in aggregate mode: from the tables to monthly measures, with no log."""
    model = at_scale(name, scale)
    tables, names = build(model), names_of(model)
    _once(model, tables, names, seed, 60.0, with_measures)
    began, wall = time.process_time(), time.perf_counter()
    count = _once(model, tables, names, seed, days, with_measures)
    cpu = time.process_time() - began
    return {"rows": count, "cpu": cpu, "wall": time.perf_counter() - wall, "rows_per_second": count / cpu}


def _once(model: Model, tables: Any, names: Any, seed: int, days: float, with_measures: bool) -> int:
    tally, count = Tally(model, tables, names, days), 0
    for rows in compiled.batches(model, tables, seed, 0, days):
        tally.add(rows)
        count += rows.size
    tally.check()
    if with_measures:
        measures_of(tally.tallies("baseline", 0), model, days)
    return count


def from_log(name: str, scale: float, days: float, seed: int) -> dict[str, Any]:
    """The way by the log, compiled engine: seconds for the log, the frame and the measures."""
    model = at_scale(name, scale)
    tables = build(model)
    compiled.record(model, tables, 0, 0, 30.0)
    began = time.process_time()
    rows = compiled.record(model, tables, seed, 0, days).rows
    logged = time.process_time()
    measure_log(frame(rows, names_of(model), "baseline", 0), model, days)
    return {"rows": int(rows.size), "log": logged - began, "measures": time.process_time() - logged}


def queue(engine: str, days: float, seed: int) -> dict[str, Any]:
    """The queue of ``queueing.py`` as a model of simcare: customers served, and how many a second of processor time."""
    model = mm2()
    tables = build(model)
    simulate = {"simpy": simpy, "compiled": compiled}[engine].record
    simulate(model, tables, 0, 0, 30.0)
    began = time.process_time()
    rows = simulate(model, tables, seed, 0, days).rows
    cpu = time.process_time() - began
    served = int((rows["event"] == START).sum())
    return {"customers": served, "cpu": cpu, "customers_per_second": served / cpu}


def mm2() -> Model:
    """models/mmc.toml with 3 arrivals a day, a mean stay of half a day and 2 places."""
    data = load_model("mmc").model_dump(mode="json", by_alias=True, exclude_none=True)
    data["arrivals"][0]["per_year"]["steps"][0]["value"] = 3 * 365.25
    data["clocks"][0]["per_year"]["value"] = [2 * 365.25]
    data["providers"][0]["offers"][0]["places"]["steps"][0]["value"] = 2
    return Model.model_validate(data)


def replications(count: int, years: int) -> dict[str, Any]:
    """``simcare run kent-2013 --engine compiled`` on every core: seconds by the clock, without the start of Python."""
    began = time.perf_counter()
    run("kent-2013", years, count, 1, engine="compiled", keep_log=False)
    return {"replications": count, "workers": os.cpu_count(), "wall": time.perf_counter() - began}
