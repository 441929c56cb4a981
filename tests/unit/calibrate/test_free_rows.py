"""A calibration may name rows of its model: what they move and what was thought of them stands there once."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest

from simcare.calibrate.free_rows import with_rows
from simcare.calibrate.reading import load_calibration
from simcare.errors import BadInput
from simcare.files.load import load_model
from simcare.files.parsing import parse
from simcare.model import Model
from tests.support import small_calibration

GUESS = {"source": "assumption", "grade": "D", "note": "a guess"}
ROWS: list[dict[str, Any]] = [
    {
        "name": "leaving", "title": "How soon people leave", "multiply": {"on": "leaving"},
        "prior": {"kind": "lognormal", "median": 1.0, "sd_log": 0.4, "between": [0.3, 3.0], **GUESS},
    },
    {
        "name": "arrivals", "title": "People a year", "set": ["arrivals.everyone.per_year"],
        "prior": {"kind": "uniform", "low": 250.0, "high": 800.0, **GUESS},
    },
    {
        "name": "price", "title": "The price", "scale": ["contracts.*.gbp_per_day"],
        "prior": {"kind": "triangular", "low": 0.8, "mode": 1.0, "high": 1.3, **GUESS},
    },
    {
        "name": "dearer", "title": "Prices", "scale": ["contracts.*.gbp_per_day"], "beside": ["price"],
        "prior": {"kind": "lognormal", "median": 1.0, "sd_log": 0.1, **GUESS},
    },
    {
        "name": "counted", "title": "Counted leavers", "multiply": {"on": "leaving"}, "beside": ["leaving"],
        "prior": {"kind": "gamma", "mean": 1.0, "events": 40.0, **GUESS},
    },
    {
        "name": "off", "title": "Counted, but not around 1", "multiply": {"on": "leaving"},
        "beside": ["leaving", "counted"], "prior": {"kind": "gamma", "mean": 1.2, "events": 40.0, **GUESS},
    },
    {
        "name": "which", "title": "Which of two", "beside": ["arrivals"], **GUESS,
        "choose": [{"weight": 1.0}, {"weight": 1.0, "set": {"arrivals.everyone.per_year": 500.0}}],
    },
]  # fmt: skip


@pytest.fixture(scope="module")
def model() -> Model:
    data = load_model("mm-infinity").model_dump(by_alias=True, exclude_none=True)
    return parse(Model, data | {"uncertain": ROWS}, "rows")


def test_a_free_row_is_filled_in_from_the_model(model: Model) -> None:
    given = {"free": [{"row": "leaving"}, {"row": "arrivals"}, {"row": "dearer", "bounds": [0.5, 2.0]}]}
    before = copy.deepcopy(given)
    leaving, arrivals, dearer = with_rows(given, model, "f.toml")["free"]
    assert given == before
    assert leaving == {
        "name": "leaving", "title": "How soon people leave", "multiply": [{"on": "leaving"}], "bounds": [0.3, 3.0],
        "prior": {"kind": "lognormal", "median": 1.0, "sd_log": 0.4, **GUESS},
    }  # fmt: skip
    assert arrivals["set"] == ["arrivals.everyone.per_year"]
    assert arrivals["prior"] == {"kind": "uniform", **GUESS}
    low, high = arrivals["bounds"]
    assert 250 <= low < 251 and 799 < high <= 800
    assert dearer["scale"] == ["contracts.*.gbp_per_day"]
    assert dearer["bounds"] == [0.5, 2.0], "what is said in the calibration goes before"


def test_an_observed_row_is_a_counted_rate_of_the_model(model: Model) -> None:
    (counted,) = with_rows({"observed": [{"row": "counted"}]}, model, "f.toml")["observed"]
    assert counted == {
        "name": "counted", "title": "Counted leavers", "multiply": [{"on": "leaving"}],
        "events": {"value": 40.0, **GUESS},
    }  # fmt: skip


def test_what_names_no_row_is_as_it_was(model: Model) -> None:
    given = {"free": [{"name": "x"}, 3], "observed": "no list", "runs": [{"row": "leaving"}]}
    assert with_rows(given, model, "f.toml") == given


@pytest.mark.parametrize(
    ("part", "row", "said"),
    [
        ("free", "leavign", "row: unknown 'leavign', did you mean 'leaving'?"),
        ("free", "which", "row: 'which' is a choice; a fit moves numbers"),
        ("free", "price", "row: the prior of 'price' is triangular; a fit takes lognormal or uniform"),
        ("free", "counted", "row: the prior of 'counted' is gamma; a fit takes lognormal or uniform"),
        ("observed", "countd", "row: unknown 'countd', did you mean 'counted'?"),
        ("observed", "which", "row: 'which' is no counted rate"),
        ("observed", "leaving", "row: 'leaving' is no counted rate"),
        ("observed", "off", "row: 'off' is no counted rate"),
        ("observed", "price", "row: 'price' is no counted rate"),
    ],
)
def test_a_row_that_cannot_be_fitted_is_refused_with_its_path(model: Model, part: str, row: str, said: str) -> None:
    with pytest.raises(BadInput) as refused:
        with_rows({part: [{"name": "fine"}, {"row": row}]}, model, "f.toml")
    (fault,) = refused.value.faults
    assert fault.startswith(f"f.toml: {part}[1].{said}")


def test_every_row_that_is_wrong_is_said_at_once(model: Model) -> None:
    with pytest.raises(BadInput) as refused:
        with_rows({"free": [{"row": "x"}, {"row": "which"}], "observed": [{"row": "y"}]}, model, "f.toml")
    assert [fault.split(".row")[0] for fault in refused.value.faults] == [
        "f.toml: free[0]", "f.toml: free[1]", "f.toml: observed[0]",
    ]  # fmt: skip


def rows_file(folder: Path, free: str) -> Path:
    """The small calibration of a model with a row, and these free parameters."""
    folder.mkdir()
    (folder / "rows.toml").write_text(
        """
extends = "mm-infinity"
about = { name = "rows", title = "With a row" }
[[uncertain]]
name = "leaving"
title = "How soon people leave"
multiply = { on = "leaving" }
prior = { kind = "lognormal", median = 1, sd_log = 0.4, between = [0.3, 3], source = "assumption", grade = "D" }
""",
        encoding="utf-8",
    )
    head = small_calibration.HEAD.replace('"mm-infinity"', '"rows.toml"')
    written_out, arrivals = head[head.index("[[free]]") :].split("[[free]]")[1:]
    assert "leaving" in written_out
    start = head[: head.index("[[free]]")]
    return small_calibration.written(
        folder / "c", f"{start}[[free]]\n{free}\n[[free]]{arrivals}".replace('"rows.toml"', '"../rows.toml"')
    )


def test_a_file_that_names_a_row_is_the_one_that_writes_it_out(tmp_path: Path) -> None:
    by_row = load_calibration(rows_file(tmp_path / "a", 'row = "leaving"')).calibration
    (tmp_path / "b").mkdir()
    out = load_calibration(small_calibration.written(tmp_path / "b")).calibration
    assert by_row.free == out.free
    with pytest.raises(BadInput, match=r"small\.toml: free\[0\]\.row: unknown 'levaing', did you mean 'leaving'\?"):
        load_calibration(rows_file(tmp_path / "c", 'row = "levaing"'))
