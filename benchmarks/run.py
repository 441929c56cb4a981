"""The benchmarks: one run, side by side, a table and a JSON file. See README.md."""

from __future__ import annotations

import json
import platform
import random
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import simpy

from simcare.engine.simpy import Engine
from simcare.files import load_model
from simcare.invariants import check
from simcare.logs import frame
from simcare.measures import measure
from simcare.tables import build, names_of

T = TypeVar("T")
HERE = Path(__file__).parent
KENT_DAYS = 3652.0


def timed(work: Callable[[], T]) -> tuple[T, float]:
    """What ``work`` gives, and its seconds."""
    began = time.perf_counter()
    result = work()
    return result, time.perf_counter() - began


def import_seconds() -> float:
    """``import simcare`` in a fresh interpreter, less the interpreter itself: the median of five."""

    def seconds(code: str) -> float:
        return statistics.median(timed(lambda: subprocess.run([sys.executable, "-c", code], check=True))[1] for _ in range(5))

    return seconds("import simcare") - seconds("pass")


def kent() -> dict[str, Any]:
    """One replication of ten years of Kent, stage by stage."""
    model = load_model("kent-2013")
    tables, names = build(model), names_of(model)
    _, compile_seconds = timed(lambda: Engine(model, tables, 0, 0, 1.0).run())
    engine, start = timed(lambda: Engine(model, tables, 1, 0, KENT_DAYS))
    rows, run = timed(engine.run)
    log, framed = timed(lambda: frame(rows, names, "baseline", 0))
    measures, measured = timed(lambda: measure(log, model, KENT_DAYS))
    _, checked = timed(lambda: check(log, measures, model, KENT_DAYS))
    return {
        "clients": int(engine.world.clients.size),
        "log_rows": int(rows.size),
        "first_call_seconds": compile_seconds,
        "start_seconds": start,
        "run_seconds": run,
        "rows_per_second": rows.size / run,
        "frame_seconds": framed,
        "measure_seconds": measured,
        "check_seconds": checked,
        "peak_mebibytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def usual_way(days: float, seed: int) -> int:
    """M/M/infinity as it is usually written: one process a client, a list for a log. Returns the rows logged."""
    env, draw = simpy.Environment(), random.Random(seed)
    log: list[tuple[int, float, str]] = []

    def client(i: int) -> Any:
        log.append((i, env.now, "arrival"))
        log.append((i, env.now, "start"))
        yield env.timeout(draw.expovariate(2 / 365.25))
        log.append((i, env.now, "left"))

    def door() -> Any:
        i = 0
        while True:
            yield env.timeout(draw.expovariate(400 / 365.25))
            env.process(client(i))
            i += 1

    env.process(door())
    env.run(until=days)
    return len(log)


def queue_of_nobody() -> dict[str, Any]:
    """M/M/infinity over sixty years: the usual way against the rulebook."""
    model, days = load_model("mm-infinity"), 21_915.0
    tables = build(model)
    Engine(model, tables, 0, 0, 1.0).run()
    usual_rows, usual = timed(lambda: usual_way(days, 1))
    rows, ours = timed(lambda: Engine(model, tables, 1, 0, days).run())
    rates = {"usual": usual_rows / usual, "simcare": rows.size / ours}
    return {"usual_rows_per_second": rates["usual"], "simcare_rows_per_second": rates["simcare"], "ratio": rates["simcare"] / rates["usual"]}


def main() -> None:
    found = {
        "machine": f"{platform.machine()}, Python {platform.python_version()}",
        "import_seconds": import_seconds(),
        "kent_10_years": kent(),
        "mm_infinity": queue_of_nobody(),
    }
    (HERE / "results.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    for name, value in found.items():
        for key, number in value.items() if isinstance(value, dict) else [("", value)]:
            shown = f"{number:,.2f}" if isinstance(number, float) else str(number)
            print(f"{name + ' ' + key.replace('_', ' '):<45}{shown:>20}")


if __name__ == "__main__":
    main()
