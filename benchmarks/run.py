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


def timed(work: Callable[[], T]) -> tuple[T, dict[str, float]]:
    """What ``work`` gives, and its seconds: by the clock on the wall and of processor time (which other work on the machine hardly moves)."""
    wall, cpu = time.perf_counter(), time.process_time()
    result = work()
    return result, {"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}


def import_seconds() -> float:
    """``import simcare`` in a fresh interpreter, less the interpreter itself: the median of five."""

    def seconds(code: str) -> float:
        return statistics.median(timed(lambda: subprocess.run([sys.executable, "-c", code], check=True))[1]["wall"] for _ in range(5))

    return seconds("import simcare") - seconds("pass")


def kent() -> dict[str, Any]:
    """One replication of ten years of Kent with the log on, stage by stage."""
    model = load_model("kent-2013")
    tables, names = build(model), names_of(model)
    _, first_call = timed(lambda: Engine(model, tables, 0, 0, 1.0).run())
    engine, start = timed(lambda: Engine(model, tables, 1, 0, KENT_DAYS))
    rows, run = timed(engine.run)
    log, framed = timed(lambda: frame(rows, names, "baseline", 0))
    measures, measured = timed(lambda: measure(log, model, KENT_DAYS))
    _, checked = timed(lambda: check(log, measures, model, KENT_DAYS))
    return {
        "clients": int(engine.world.clients.size),
        "log rows": int(rows.size),
        "first call": first_call,
        "start": start,
        "run": run,
        "log made a frame": framed,
        "measures": measured,
        "invariants": checked,
        "peak mebibytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
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
    """M/M/infinity over sixty years: the usual way against the rulebook, in rows of the log a second of processor time."""
    model, days = load_model("mm-infinity"), 21_915.0
    tables = build(model)
    Engine(model, tables, 0, 0, 1.0).run()
    usual_rows, usual = timed(lambda: usual_way(days, 1))
    rows, ours = timed(lambda: Engine(model, tables, 1, 0, days).run())
    rates = {"usual": usual_rows / usual["cpu"], "simcare": rows.size / ours["cpu"]}
    return {"usual rows/s": rates["usual"], "simcare rows/s": rates["simcare"], "ratio": rates["simcare"] / rates["usual"]}


def shown(value: Any) -> str:
    """A figure for the table."""
    if isinstance(value, dict):
        return f"{value['wall']:,.2f} s ({value['cpu']:,.2f} s processor)"
    return f"{value:,.2f}" if isinstance(value, float) else f"{value:,}" if isinstance(value, int) else str(value)


def main() -> None:
    found = {
        "machine": {"is": f"{platform.machine()}, Python {platform.python_version()}"},
        "import simcare": {"seconds": import_seconds()},
        "Kent, ten years": kent(),
        "M/M/infinity": queue_of_nobody(),
    }
    (HERE / "results.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    for part, figures in found.items():
        for name, value in figures.items():
            print(f"{part:<18}{name:<22}{shown(value)}")


if __name__ == "__main__":
    main()
