"""``simcare tariff``: what it prints and writes, and one clear sentence for what cannot be."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

from simcare.cli import app
from simcare.errors import BadInput


def verb(*args: str) -> Any:
    return CliRunner().invoke(app, ["tariff", *args], catch_exceptions=True, env={"COLUMNS": "160", "NO_COLOR": "1"})


def shown(folder: Path, *args: str) -> str:
    found = verb(*args, "--out", str(folder))
    assert found.exit_code == 0, found.output
    return str(found.output)


@pytest.fixture(scope="module")
def tmp(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tariff")


SHOWCASE = ("kent-2013", "--service", "intensive_home_care_older", "--experiment", "tiered-tariffs")


def test_the_showcase_compares_the_present_contract_with_the_seven_of_the_experiment(tmp: Path) -> None:
    found = verb(*SHOWCASE, "--json", "--out", str(tmp / "json"))
    assert found.exit_code == 0, found.output
    rows = json.loads(found.stdout)["contracts"]
    names = [row["contract"] for row in rows]
    assert all(row["best_cycle"]["gain_gbp"] < 0 for row in rows if row["best_cycle"]), (
        "what pays for a cycle is refused"
    )
    assert rows[1]["bands_anew"]["gain_gbp"] > 500 > rows[0]["bands_anew"]["gain_gbp"], (
        "a taper that begins anew is worth a return"
    )
    assert (
        names[1:] == ["taper", "taper_with_clawback", "bonus", "dated_bonus", "block", "late_sum", "outcome"]
        and len(names) == 8
    )
    page = (tmp / "json" / "tariff.html").read_text(encoding="utf-8")
    assert "<script src" not in page and "http-equiv" in page, "nothing is fetched"
    curves = pl.read_csv(tmp / "json" / "curves.csv")
    assert curves["contract"].n_unique() == 8 and curves.height == 8 * 365
    summary = pl.read_csv(tmp / "json" / "summary.csv")
    assert (summary["by_provider"] + summary["by_review"] + summary["otherwise"]).to_numpy() == pytest.approx(
        np.ones(8)
    )


def test_the_terminal_shows_what_could_be_gamed(tmp: Path) -> None:
    text = shown(tmp / "text", *SHOWCASE)
    assert "What could be gamed" in text and "£923" in text


def test_a_model_that_is_silent_about_answers_says_so(tmp: Path) -> None:
    text = " ".join(shown(tmp / "silent", "kent-2013", "--service", "residential_older").split())
    assert "[[responses]]" in text and "no contract changes how fast" in text


def contract_file(folder: Path, text: str) -> str:
    path = folder / "tried.toml"
    path.write_text(text, encoding="utf-8")
    return str(path)


def gbp(value: float) -> str:
    return f'{{ value = {value}, source = "assumption", grade = "D" }}'


BASE = f'{{ kind = "per_diem", gbp_per_day = {gbp(35)} }}'
FIRST_BAND = f"{{ from_day = 0, to_day = 50, gbp_per_day = {gbp(40)} }}"
SECOND_BAND = f"{{ from_day = 42, gbp_per_day = {gbp(30)} }}"
BAD = {
    f'{{ kind = "tapered", bands = [ {FIRST_BAND}, {SECOND_BAND} ] }}': (
        "contracts[0].terms[0]: bands[0].to_day: bands overlap, one is to day 50 and the next from day 42"
    ),
    f'{BASE}, {{ kind = "clawback", share = {gbp(1)} }}': (
        "contracts[0].terms[1]: within_days: a clawback needs a window"
    ),
    f'{BASE}, {{ kind = "step_down_bonus", gbp = {gbp(5000)} }}': "contracts[0]: the contract pays for a cycle",
    f'{BASE}, {{ kind = "step_down_bonos", gbp = {gbp(5)} }}': (
        "contracts[0].terms[1].kind: unknown 'step_down_bonos', did you mean "
    ),
}


@pytest.mark.parametrize("terms", BAD)
def test_a_contract_that_cannot_be_is_one_clear_sentence(terms: str, tmp_path: Path) -> None:
    file = contract_file(tmp_path, f'[[contracts]]\nname = "tried"\nterms = [{terms}]\n')
    found = verb("kent-2013", "--service", "residential_older", "--contract", file, "--out", str(tmp_path / "out"))
    assert isinstance(found.exception, BadInput) and found.exception.exit_code == 2
    assert str(found.exception).startswith(f"{file}: {BAD[terms]}") and len(found.exception.faults) == 1
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("args", "sentence"),
    [
        (("--service", "residental_older"), "service: unknown 'residental_older', did you mean 'residential_older'?"),
        (
            ("--service", "residential_older", "--provider", "care_home"),
            "provider: unknown 'care_home', did you mean 'care_homes'?",
        ),
        (
            ("--service", "residential_older", "--contract", "residential_older_coucil"),
            "contract: unknown 'residential_older_coucil', did you mean 'residential_older_council'?",
        ),
        (("--service", "residential_older", "--contract", "no/such.toml"), "no/such.toml: "),
        (("--service", "residential_older", "--need", "residentia"), "need: unknown 'residentia'"),
        (
            ("--service", "residential_older", "--experiment", "tiered-tarifs"),
            "tiered-tarifs: unknown 'tiered-tarifs', did you mean 'tiered-tariffs'?",
        ),
    ],
)
def test_what_is_not_there_is_one_clear_sentence(args: tuple[str, ...], sentence: str, tmp_path: Path) -> None:
    found = verb("kent-2013", *args, "--out", str(tmp_path / "out"))
    assert isinstance(found.exception, BadInput), found.output
    print(found.exception)
    assert str(found.exception).startswith(sentence)


def test_an_experiment_made_for_another_model_is_named(tmp_path: Path) -> None:
    found = verb(
        "mm-infinity", "--service", "community_care", "--experiment", "tiered-tariffs", "--out", str(tmp_path / "out")
    )
    assert isinstance(found.exception, BadInput)
    assert str(found.exception).startswith("tiered-tariffs: responses[0].providers[0]: unknown 'home_care_agencies'")


def test_only_contracts_that_a_strategy_puts_the_provider_under_are_compared(tmp_path: Path) -> None:
    text = shown(tmp_path / "out", *SHOWCASE, "--provider", "council_adults")
    assert "as now" in text and "dated bonus" not in text and "No strategy of 'tiered-tariffs'" in text


def test_what_has_no_end_is_null_in_json_and_words_on_the_screen(tmp_path: Path) -> None:
    where = ("mm-infinity", "--service", "community_care")  # no reviews, no provider who steps anyone down
    found = verb(*where, "--json", "--out", str(tmp_path / "json"))
    (row,) = json.loads(found.stdout, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))["contracts"]
    assert row["stay_days"] is None and row["gbp"] is None
    assert "no end" in shown(tmp_path / "text", *where)


def test_a_contract_file_may_say_how_providers_answer(tmp_path: Path) -> None:
    values = {"eta": 1, "horizon_days": 60, "avoidable_share": 0.7, "occupancy": 0.9}
    answers = '[[responses]]\nname = "homes"\nowners = ["independent"]\n' + "".join(
        f"{name} = {gbp(value)}\n" for name, value in values.items()
    )
    file = contract_file(tmp_path, f'[[contracts]]\nname = "tried"\nterms = [{taper_text()}]\n{answers}')
    found = verb(
        "kent-2013",
        "--service",
        "residential_older",
        "--contract",
        file,
        "--no-reviews",
        "--json",
        "--out",
        str(tmp_path / "out"),
    )
    assert found.exit_code == 0, found.output
    present, tried = json.loads(found.stdout)["contracts"]
    assert tried["contract"] == "tried" and tried["stay_days"] < present["stay_days"]


def taper_text() -> str:
    bands = ", ".join(
        f"{{ from_day = {day}, gbp_per_day = {gbp(price)} }}" for day, price in ((0, 80), (42, 66), (84, 50))
    )
    return f'{{ kind = "tapered", bands = [{bands}] }}'
