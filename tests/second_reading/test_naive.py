"""Two readings of one model agree: the product's rulebook and engine, and the plain one-person-at-a-time simulation in
``naive``."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl
import pytest

from simcare.arrays.build import build
from simcare.arrays.names import names_of
from simcare.engine import compiled
from simcare.files.parsing import parse
from simcare.files.toml_faults import read_toml
from simcare.log.frame import frame
from simcare.model import Model
from tests.second_reading.naive import Naive, Row

MODELS = Path(__file__).parent / "models"
YEAR = 365.25
DAYS = 3 * YEAR
# The plain simulation takes nearly all the time, and the product nearly none: 2 and 5 runs tell as much as 3 and 3.
NAIVE_RUNS, PRODUCT_RUNS = 2, 5
DATES = (30.0, 200.0, 420.0, 700.0, 1090.0)
PLAIN = {
    "start",
    "from",
    "from_age",
    "to_age",
    "age",
    "by",
    "edges",
    "from_year",
    "ramp_days",
}  # numbers and dates that name no source
ASSUMED = {"source": "assumption", "grade": "D"}
GONE = ("death", "left")

Key = tuple[Any, ...]


def with_sources(value: Any, key: str = "") -> Any:
    """The tables of a test model, in which numbers stand bare, as tables of a model file."""
    if isinstance(value, dict):
        if "shares" in value and "clock" not in value:  # bands of ages and of days so far
            return {**value, **ASSUMED}
        inside = {name: with_sources(field, name) for name, field in value.items()}
        return {**inside, "value": value["value"], **ASSUMED} if "value" in value else inside
    if key in PLAIN or isinstance(value, (str, bool)):
        return value
    if isinstance(value, list):
        numbers = all(isinstance(item, (int, float)) for item in value)
        return {"value": value, **ASSUMED} if numbers else [with_sources(item, key) for item in value]
    return {"value": value, **ASSUMED} if isinstance(value, (int, float)) else value


def model_of(name: str) -> Model:
    return parse(Model, with_sources(read_toml(MODELS / f"{name}.toml")), name)


def lives_of(log: pl.DataFrame) -> list[list[Row]]:
    """The rows of each client of a log."""
    texts = [pl.col(name).cast(pl.String).fill_null("") for name in Row._fields if name not in ("time", "waiting")]
    people: dict[int, list[Row]] = defaultdict(list)
    for client, *row in log.with_columns(texts).select("client", *Row._fields).iter_rows():
        people[client].append(Row(*row))
    return list(people.values())


def tally(rows: Sequence[Row], days: float) -> Counter[Key]:
    """What is counted of one person: events, where they were on each date, and their days in each tier and need."""
    found: Counter[Key] = Counter()
    if rows[0].event != "present":
        found["newcomers by two months", int(rows[0].time / YEAR * 6)] += 1
    for row, until in zip(rows, [*(row.time for row in rows[1:]), days], strict=True):
        found["event", row.event, row.cause] += 1
        found["event by stage", row.event, row.cause, row.stage] += 1
        found["event by tier", row.event, row.cause, row.tier, row.waiting] += 1
        found["event by half-year", row.event, int(row.time / YEAR * 2)] += 1
        if row.event in GONE:
            continue
        found["days", row.tier, row.need] += until - row.time
        for date in DATES:
            if row.time <= date < until:
                found["people", date, row.tier, row.need] += 1
                found["kind", date, row.stage, row.group] += 1
                found["place", date, row.service, row.provider] += 1
                found["waiting", date, row.need] += row.waiting
    return found


class Total(NamedTuple):
    value: float = 0.0
    variance: float = 0.0


def totals(lives: Iterable[Sequence[Row]], days: float, runs: int) -> dict[Key, Total]:
    """Sums over the people of a run, a mean of so many, with their variance: a fixed number of people on day 0, and
    Poisson arrivals."""
    sums: dict[bool, Counter[Key]] = {True: Counter(), False: Counter()}
    squares: dict[bool, Counter[Key]] = {True: Counter(), False: Counter()}
    there = 0
    for rows in lives:
        present = rows[0].event == "present" and not rows[0].waiting  # who waits on day 0 came as a Poisson process
        there += present
        for key, value in tally(rows, days).items():
            sums[present][key] += value
            squares[present][key] += value * value
    found = {}
    for key in {**sums[True], **sums[False]}:
        fixed = squares[True][key] - sums[True][key] ** 2 / max(there, 1)
        found[key] = Total((sums[True][key] + sums[False][key]) / runs, (fixed + squares[False][key]) / runs**2)
    return found


def compared(mine: dict[Key, Total], theirs: dict[Key, Total]) -> list[tuple[float, str]]:
    """Each total in both, and how many standard errors of the difference lie between them."""
    found = []
    for key in sorted({*mine, *theirs}, key=str):
        a, b = mine.get(key, Total()), theirs.get(key, Total())
        error = math.sqrt(a.variance + b.variance)
        off = (b.value - a.value) / error if error > 0 else 0.0 if a.value == b.value else math.inf
        found.append(
            (
                off,
                (
                    f"{' / '.join(map(str, key)):60} naive {a.value:10.1f}   product {b.value:10.1f}   {off:+.2f}"
                    " standard errors"
                ),
            )
        )
    return found


@pytest.mark.parametrize("name", ["children", "older", "plain"])
def test_two_readings_agree(name: str) -> None:
    model = model_of(name)
    tables, names = build(model), names_of(model)
    ours = [frame(compiled.record(model, tables, 1, r, DAYS).rows, names, "baseline", r) for r in range(PRODUCT_RUNS)]
    naive = totals((life for r in range(NAIVE_RUNS) for life in Naive(model, DAYS, seed=r).lives()), DAYS, NAIVE_RUNS)
    product = totals((life for log in ours for life in lives_of(log)), DAYS, PRODUCT_RUNS)
    found = compared(naive, product)
    print("\n".join(line for _, line in found))
    assert not [line for off, line in found if abs(off) > 4]
