"""``simcare list``: what can be asked for, in full."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from simcare.cli import app
from simcare.cli.common import out_console
from simcare.errors import BadInput
from simcare.files.listing import ABOUT, KINDS
from simcare.files.load import load_experiment, load_model
from tests.support.paths import ROOT


def said(*words: str) -> str:
    done = CliRunner().invoke(app, ["list", *words], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


def found(*words: str) -> dict[str, Any]:
    listed: dict[str, Any] = json.loads(said(*words, "--json"))
    return listed


def refused(*words: str) -> str:
    done = CliRunner().invoke(app, ["list", *words])
    assert isinstance(done.exception, BadInput), done.output
    assert done.exception.exit_code == 2
    return str(done.exception)


def test_without_a_name_every_file_of_the_library_is_listed_with_its_title() -> None:
    told = said()
    for folder in ("models", "experiments", "calibration"):
        for path in (ROOT / folder).glob("*.toml"):
            assert path.stem in told
    assert "Ten home places, two beds, steps up and down" in told
    assert "simcare compare NAME" in told
    assert all(kind in told for kind in ABOUT)
    listed = found()["library"]
    assert {"folder": "experiments", "name": "limits"}.items() <= next(
        f for f in listed if f["name"] == "limits"
    ).items()


def test_a_model_shows_its_kinds_and_how_many_of_each() -> None:
    told, model = found("kent-2013"), load_model("kent-2013")
    assert told["kinds"]["services"] == len(model.services)
    assert told["kinds"]["teams"] == 0
    assert set(told["kinds"]) == set(KINDS)
    assert "34" in next(line for line in said("kent-2013").splitlines() if line.startswith("services"))


@pytest.mark.parametrize("width", [40, 200])
def test_names_are_never_cut_whatever_the_terminal(width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(out_console, "width", width)
    model = load_model("kent-2013")
    lines = said("kent-2013", "contracts").splitlines()
    assert [line.split("  ")[0] for line in lines[1:]] == [contract.name for contract in model.contracts]
    assert "…" not in said("kent-2013", "paths")


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_kind_of_the_toy_is_listed_or_said_to_be_missing(kind: str) -> None:
    listed = found("tests/support/toy.toml", kind)[kind]
    told = said("tests/support/toy.toml", kind)
    if listed:
        assert len(told.splitlines()) == len(listed) + 1
    else:
        assert f"toy.toml has no {kind}" in told


def test_paths_have_value_unit_source_grade_and_what_may_change_them() -> None:
    rows = {row["path"]: row for row in found("kent-2013", "paths")["paths"]}
    row = rows["arrivals.older people.per_year"]
    assert row == {
        "path": "arrivals.older people.per_year",
        "value_on_day_0": [17885.0],
        "unit": "people a year",
        "source": "activity_2013",
        "grade": "B",
        "what_may_change_it": 'a change, from the strategy\'s start on; an effect with on = "arrivals"',
    }
    assert "a scenario" in rows["need.older people.crisis_at_once"]["what_may_change_it"]


def test_a_filter_wants_every_word_in_any_order() -> None:
    lines = said("kent-2013", "paths", "--like", "week foster").splitlines()
    assert len(lines) == 3
    assert all("foster" in line and "week" in line for line in lines[1:])
    assert "nothing among its paths says 'no such words'" in said("kent-2013", "paths", "--like", "no such words")


def test_an_experiment_lists_its_strategies_and_its_contracts_beside_those_of_its_model() -> None:
    told = found("tiered-tariffs")["kinds"]
    assert told["strategies"] == len(load_experiment("tiered-tariffs")[0].strategies)
    assert told["contracts"] > len(load_model("kent-2013").contracts)


def test_what_a_model_has_not_is_in_a_shipped_model() -> None:
    assert "kent-2013 has no teams; the shipped models desk, kent-2013-limits have some." in said("kent-2013", "teams")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("kent-2031",), "did you mean 'kent-2013'?"),
        (("kent-2013", "servces"), "did you mean 'services'?"),
        (("kent-2013", "service"), "did you mean 'services'?"),
        (("services",), "give the model first"),
        (("--like", "x"), "say of which model and kind"),
        (("calibration/kent-2013.toml",), "is a calibration, not a model"),
    ],
)
def test_a_mistake_is_said_with_what_was_meant(words: tuple[str, ...], says: str) -> None:
    assert says in refused(*words)


def test_a_broken_file_says_what_check_says(tmp_path: Path) -> None:
    path = tmp_path / "x.toml"
    path.write_text("about = 1", encoding="utf-8")
    assert "about" in refused(str(path))
