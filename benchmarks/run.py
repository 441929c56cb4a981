"""The benchmarks: one run, side by side. A table on the screen, ``results.json``, and the table and picture of
docs/performance.md.

    python benchmarks/run.py            # everything, ten minutes
    python benchmarks/run.py --small    # the same on few people and a short time; nothing is written
"""

from __future__ import annotations

import json
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from child import in_child
from figure import plot

HERE = Path(__file__).parent
PAGE = HERE.parent / "docs" / "performance.md"
KENT_CLIENTS = 385_000  # of ten years at scale 1
LARGEST = {"usual": 100_000, "simpy": 1_000_000, "compiled": 1_000_000, "compiled_aggregate": 1_000_000}
NAMES = {
    "usual": "SimPy, the usual way", "ciw": "Ciw", "simpy": "simcare, SimPy engine",
    "compiled": "simcare, compiled engine", "compiled_aggregate": "simcare, compiled, no log"
}  # fmt: skip


class Size(NamedTuple):
    """How much is run: ``scale`` is of Kent's people, ``clients`` the sizes to which Kent is made, ``years`` and
    ``replications`` those of whole runs, ``imports`` how often Python is started."""

    scale: float = 1.0
    days: float = 3652.0
    queue_days: float = 40_000.0
    clients: tuple[int, ...] = (1_000, 10_000, 100_000, 1_000_000)
    years: int = 10
    replications: tuple[int, ...] = (1, 5, 20)
    imports: int = 5


SMALL = Size(0.01, 183.0, 400.0, (500, 1_000), 1, (1, 2), 1)


def import_seconds(times: int) -> float:
    """``import simcare`` in a fresh interpreter, less the interpreter itself: the median of so many."""

    def seconds(code: str) -> float:
        took = []
        for _ in range(times):
            began = time.perf_counter()
            subprocess.run([sys.executable, "-c", code], check=True)
            took.append(time.perf_counter() - began)
        return statistics.median(took)

    return seconds("import simcare") - seconds("pass")


def kent(engine: str, scale: float, days: float) -> dict[str, Any]:
    """One replication of the Kent pathway, in a process of its own."""
    if engine == "usual":
        return in_child("usual:kent", scale, days, 1)
    if engine == "compiled_aggregate":
        return in_child("engines:aggregate", "kent-2013", scale, days, 1)
    return in_child("engines:log", engine, "kent-2013", scale, days, 1)


def queue(engine: str, days: float) -> dict[str, Any]:
    """The M/M/2 queue, in a process of its own."""
    if engine in ("simpy", "compiled"):
        return in_child("engines:queue", engine, days, 1)
    return in_child("queueing:with_ciw" if engine == "ciw" else "queueing:usual", days, 1)


def by_clients(size: Size) -> Iterator[dict[str, Any]]:
    """How cost grows with clients: Kent made smaller and larger."""
    for clients in size.clients:
        for engine, largest in LARGEST.items():
            if clients <= largest:
                found = kent(engine, clients / KENT_CLIENTS, size.days)
                yield {"clients": clients, "engine": engine, "cpu": found["cpu"], "peak_mib": found["peak_mib"]}


def measured(size: Size) -> dict[str, Any]:
    """Every benchmark, one after the other."""
    scale, days = size.scale, size.days
    steps = {
        "import simcare": lambda: {"seconds": import_seconds(size.imports)},
        "kent": lambda: {engine: kent(engine, scale, days) for engine in LARGEST},
        "by the log": lambda: in_child("engines:from_log", "kent-2013", scale, days, 1),
        "at the limit": lambda: in_child("engines:log", "compiled", "kent-2013-limits", scale, days, 1),
        "queue": lambda: {engine: queue(engine, size.queue_days) for engine in ("usual", "ciw", "simpy", "compiled")},
        "clients": lambda: list(by_clients(size)),
        "replications": lambda: [in_child("engines:replications", n, size.years) for n in size.replications],
    }
    found: dict[str, Any] = {"machine": f"{platform.machine()}, Python {platform.python_version()}"}
    for name, work in steps.items():
        print(f"{name} ...", file=sys.stderr, flush=True)
        found[name] = work()
    return found


def table(found: dict[str, Any]) -> str:
    """The results as tables of markdown."""
    return "\n".join([*_kent(found), "", *_queue(found), "", *_clients(found), "", *_others(found)])


def _kent(found: dict[str, Any]) -> Iterator[str]:
    yield (
        "| Kent, ten years, one replication | rows of the log | processor seconds | rows a second | × the usual way |"
        " peak MiB |"
    )
    yield "|---|---:|---:|---:|---:|---:|"
    usual = found["kent"]["usual"]["rows_per_second"]
    for engine, row in found["kent"].items():
        speed = row["rows_per_second"]
        yield (
            f"| {NAMES[engine]} | {row['rows']:,} | {row['cpu']:,.2f} | {speed:,.0f} | {speed / usual:,.1f} |"
            f" {row['peak_mib']:,.0f} |"
        )


def _queue(found: dict[str, Any]) -> Iterator[str]:
    yield "| M/M/2, 40,000 days | customers | processor seconds | customers a second | × the usual way | peak MiB |"
    yield "|---|---:|---:|---:|---:|---:|"
    usual = found["queue"]["usual"]["customers_per_second"]
    for engine, row in found["queue"].items():
        speed = row["customers_per_second"]
        yield (
            f"| {NAMES[engine]} | {row['customers']:,} | {row['cpu']:,.2f} | {speed:,.0f} | {speed / usual:,.1f} |"
            f" {row['peak_mib']:,.0f} |"
        )


def _clients(found: dict[str, Any]) -> Iterator[str]:
    sizes = sorted({row["clients"] for row in found["clients"]})
    yield "| processor seconds (peak MiB) by clients, ten years | " + " | ".join(f"{size:,}" for size in sizes) + " |"
    yield "|---|" + "---:|" * len(sizes)
    for engine in LARGEST:
        rows = {row["clients"]: row for row in found["clients"] if row["engine"] == engine}
        cells = [f"{rows[size]['cpu']:,.2f} ({rows[size]['peak_mib']:,.0f})" if size in rows else "" for size in sizes]
        yield f"| {NAMES[engine]} | " + " | ".join(cells) + " |"


def _others(found: dict[str, Any]) -> Iterator[str]:
    yield "| other | |"
    yield "|---|---:|"
    for row in found["replications"]:
        what = (
            f"Kent, ten years, compiled, {row['replications']} replications on {row['workers']} cores: seconds by the"
            " clock"
        )
        yield f"| {what} | {row['wall']:,.1f} |"
    limit, log = found["at the limit"], found["by the log"]
    yield f"| Kent at the limit of places, ten years, compiled, with its log: processor seconds | {limit['cpu']:,.2f} |"
    yield f"| the same: rows a second | {limit['rows_per_second']:,.0f} |"
    yield f"| Kent, ten years, compiled, the way by the log: processor seconds for the log | {log['log']:,.2f} |"
    yield f"| the same: for its frame and its measures | {log['measures']:,.2f} |"
    yield f"| `import simcare`: seconds | {found['import simcare']['seconds']:.3f} |"


def written(found: dict[str, Any]) -> None:
    """Keep the results, and put table and picture into the page."""
    (HERE / "results.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    page = PAGE.read_text(encoding="utf-8")
    before, rest = page.split("<!-- measured -->\n", 1)
    _, after = rest.split("<!-- end -->", 1)
    PAGE.write_text(f"{before}<!-- measured -->\n{table(found)}\n<!-- end -->{after}", encoding="utf-8")
    plot(found, PAGE.with_suffix(".svg"))


def main() -> None:
    small = "--small" in sys.argv[1:]
    found = measured(SMALL if small else Size())
    print(table(found))
    if not small:
        written(found)


if __name__ == "__main__":
    main()
