"""Whatever a file holds, `simcare check` answers: it is valid, or a sentence for each fault; never anything else.

Two thousand spoilt files of every kind, the same ones each time.
"""

from __future__ import annotations

import re
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from simcare.cli.checking import check
from simcare.demand.population_file import read_population
from simcare.errors import BadInput
from tests.support.mutations import (
    OF_ROWS,
    OF_TEXT,
    as_workbook,
    kent,
    shipped,
    spoilt_parquet,
    spoilt_text,
    spoilt_workbook,
    write,
)
from tests.support.small_calibration import HEAD, TARGETS, published

PUBLISHED = published()
SECONDS = 10  # in which a file of this size has to be answered for, on a busy machine
A_PARSERS_WORDS = re.compile(
    r"Traceback|pydantic|Input should|[Vv]alid (?:tuple|dictionary|string)|should match pattern|literal\[|type=|<class"
    r"|object at 0x|NoneType|invalid literal|could not convert|codec|list index|KeyError|[A-Z]\w+Error|ctx|polars"
    r"|calamine|arrow|validation error|line \d+ column|\bNone\b|np\.|isoformat|unhashable|must be str|expected str"
)
TOML = shipped(
    *("tests/support/toy.toml", "tests/support/toy-limits.toml", "tests/support/toy-experiment.toml"),
    *("models/ladder.toml", "models/desk.toml", "models/semi-markov.toml", "models/mg-infinity.toml"),
    *("models/mt-m-infinity.toml", "models/ageing.toml", "models/tandem.toml"),
)
KENT = shipped(
    *("models/kent-2013-limits.toml", "models/kent-2013-market.toml", "models/kent-2013.toml"),
    *("experiments/limits.toml", "experiments/tiered-tariffs.toml", "experiments/provider-failure.toml"),
    "calibration/kent-2013.toml",
)
TABLES = shipped("calibration/spend-yearly.csv", "calibration/children-yearly.csv")
BESIDE = {name: TOML[f"tests/support/{name}"] for name in ("toy.toml", "toy-limits.toml")}
PEOPLE = "\n".join(
    [
        "date,area,variant,vintage,from_age,to_age,people",
        *(
            f"{2012 + y}-06-30,Kent,estimate,mid,{low},{high},{people + 100 * y}"
            for y in range(3)
            for low, high, people in ((0, 18, 320_000), (18, 65, 880_000), (65, "", 280_000))
        ),
        *(
            f"{2014 + y}-06-30,Kent,principal,mid,{low},{high},{people + 90 * y}"
            for y in range(3)
            for low, high, people in ((0, 18, 320_000), (18, 65, 880_000), (65, "", 280_000))
        ),
    ]
)
FOUR_YEARS = kent(4)
SERIES = FOUR_YEARS.write_csv()
BOOK = as_workbook(FOUR_YEARS)
CASES = {
    "toml": 900,
    "kent": 60,
    "calibration": 140,
    "series": 440,
    "table": 120,
    "workbook": 150,
    "parquet": 110,
    "people": 80,
}


def cases(kind: str) -> settings:
    """So many cases, the same each time."""
    return settings(
        max_examples=CASES[kind],
        derandomize=True,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Fails what takes longer."""

    def late(*_: Any) -> None:
        pytest.fail(f"no answer within {seconds:g} s")

    before = signal.signal(signal.SIGALRM, late)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def hold_sentences(error: BadInput, path: Path) -> None:
    """A sentence for each fault, in the project's words; what the file itself says is not looked at."""
    assert error.faults
    for fault in error.faults:
        plain = re.sub(r"'(?:[^'\\]|\\.)*'|\(`.*`\)|\"[^\"]*\"", "''", fault.replace(str(path), "FILE"))
        assert fault.strip(), error.faults
        assert "\n" not in fault, fault
        assert not A_PARSERS_WORDS.search(plain), fault


def answered(name: str, data: bytes, beside: dict[str, str] | None = None) -> bool:
    """Whether a file is valid; fails where the answer is neither yes nor a sentence."""
    with tempfile.TemporaryDirectory() as folder:
        path = write(Path(folder), name, data, beside)
        try:
            with within(SECONDS):
                check([str(path)])
        except BadInput as error:
            hold_sentences(error, path)
            return False
        return True


@cases("toml")
@given(st.data())
def test_a_model_or_an_experiment(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(TOML)))
    answered(Path(name).name, data.draw(spoilt_text(TOML[name], OF_TEXT)), BESIDE)


@cases("kent")
@given(st.data())
def test_a_shipped_model_experiment_or_calibration(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(KENT)))
    answered("mine.toml", data.draw(spoilt_text(KENT[name], OF_TEXT)))


@cases("calibration")
@given(st.data())
def test_a_calibration_and_its_targets(data: st.DataObject) -> None:
    spoilt = data.draw(st.booleans())
    text = data.draw(spoilt_text(HEAD + TARGETS, OF_TEXT)) if spoilt else (HEAD + TARGETS).encode()
    rows = PUBLISHED if spoilt else data.draw(spoilt_text(PUBLISHED, OF_ROWS)).decode("latin-1")
    answered("small.toml", text, {"published.csv": rows})


@cases("series")
@given(st.data())
def test_a_series(data: st.DataObject) -> None:
    answered("counts.csv", data.draw(spoilt_text(SERIES, OF_ROWS)))


@cases("table")
@given(st.data())
def test_a_table_of_published_values(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(TABLES)))
    answered("published.csv", data.draw(spoilt_text(TABLES[name], OF_ROWS)))


@cases("workbook")
@given(st.data())
def test_a_workbook(data: st.DataObject) -> None:
    suffix = data.draw(st.sampled_from([".xlsx"] * 4 + [".xls", ".ods", ".csv", ".toml"]))
    answered(f"counts{suffix}", data.draw(spoilt_workbook(BOOK)))


@cases("parquet")
@given(st.data())
def test_a_parquet_file(data: st.DataObject) -> None:
    answered("counts.parquet", data.draw(spoilt_parquet(FOUR_YEARS)))


@cases("people")
@given(st.data())
def test_a_population_file(data: st.DataObject) -> None:
    spoilt = data.draw(spoilt_text(PEOPLE, OF_ROWS))
    with tempfile.TemporaryDirectory() as folder:
        path = write(Path(folder), "people.csv", spoilt)
        try:
            with within(SECONDS):
                assert read_population(path, "Kent").years
        except BadInput as error:
            hold_sentences(error, path)


def test_every_kind_of_column_in_a_parquet_file_is_tried_and_none_is_taken_for_counts() -> None:
    """What the random cases rest on: without a mutation the files are valid."""
    assert answered("counts.csv", SERIES.encode())
    assert answered("counts.xlsx", BOOK)
    assert answered("small.toml", (HEAD + TARGETS).encode(), {"published.csv": PUBLISHED})
    for name, text in {**TOML, **KENT}.items():
        assert answered(Path(name).name, text.encode(), BESIDE), name
