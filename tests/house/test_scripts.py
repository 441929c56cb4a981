"""Each script runs, on something small."""

from __future__ import annotations

import csv
from pathlib import Path

import polars as pl
import pytest

from simcare.files.library import library
from tests.support.paths import ROOT
from tests.support.report_sample import sample_comparison
from tests.support.scripts import program

pytestmark = pytest.mark.xdist_group("benchmarks")  # Kent on few people: read and compiled once

# Those that are tested elsewhere: where.
ELSEWHERE = {"house": "tests/house/test_layout.py", "check-wheel": "make wheel, a part of make check"}
HERE = {
    "calibration_tables.py",
    "demand_coverage.py",
    "demand_prior.py",
    "kent_balance.py",
    "picture.py",
    "rooms.py",
    "same-answers",
}


def test_every_script_has_its_test() -> None:
    assert {path.name for path in (ROOT / "scripts").iterdir() if path.suffix in ("", ".py") and path.is_file()} == (
        HERE | set(ELSEWHERE)
    )


def csv_file(path: Path, rows: list[dict[str, object]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)


def test_calibration_tables_keep_what_is_confirmed_and_say_what_was_worked_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = {"unit": "children", "source": "a return", "note": "", "status": "confirmed"}
    there = {"area": "Kent", "year": 2014, **told}
    csv_file(
        tmp_path / "looked_after.csv",
        [
            {**there, "series": "cla_at_31_march", "value": 1800.0},
            {**there, "series": "cla_31mar_uasc", "value": 200.0},
            {**there, "series": "cla_31mar_age_under_1", "value": 90.0, "status": "unconfirmed"},
            {**there, "series": "something else", "value": 5.0},
            {**there, "series": "cla_at_31_march", "year": 2009, "value": 1700.0},
        ],
    )
    columns = {"geographic_level": "Local authority", "area": "Kent", "referrals": 900.0, "source": "a return"}
    csv_file(
        tmp_path / "referrals_monthly.csv",
        [
            {**columns, "month": "2014-05"},
            {**columns, "month": "2014-04", "referrals": 850.0},
            {**columns, "month": "2014-04", "geographic_level": "National", "area": "England"},
        ],
    )
    with program("scripts/calibration_tables.py") as script:
        monkeypatch.setattr(
            script,
            "TABLES",
            {
                "referrals-monthly.csv": script.TABLES["referrals-monthly.csv"],
                "looked-after.csv": (script.looked_after, script.YEARLY, ("area", "series", "date")),
            },
        )
        script.main(tmp_path, tmp_path)
    assert (tmp_path / "referrals-monthly.csv").read_text(encoding="utf-8").splitlines() == [
        "date,area,count,source",
        "2014-04,Kent,850,a return",
        "2014-05,Kent,900,a return",
    ]
    made = pl.read_csv(tmp_path / "looked-after.csv")
    assert dict(made.select("series", "count").iter_rows()) == {
        "looked_after_31mar": 1800,
        "looked_after_31mar_not_unaccompanied": 1600,
        "looked_after_31mar_unaccompanied": 200,
    }
    assert made["status"].to_list() == ["confirmed", "derived", "confirmed"]


def test_coverage_of_the_driver(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    with program("scripts/demand_coverage.py") as script:
        every = script.read_series(library("calibration") / "referrals-monthly.csv")
        monkeypatch.setattr(script, "read_series", lambda path: {"Kent": every["Kent"]})
        monkeypatch.setattr(script, "OFTEN", (24,))
        monkeypatch.setattr(script, "SELDOM", (24,))
        monkeypatch.setattr(script, "OF_A_KIND", 1)
        made = dict(list(script.made_up().items())[-2:])
        monkeypatch.setattr(script, "made_up", lambda: made)
        script.main()
    told = [line for line in capsys.readouterr().out.splitlines() if line]
    titles = [line for line in told if not line.startswith("|")]
    assert titles == [
        "All 3 series",
        "The eight authorities",
        "Kent",
        "Made up: level shift",
        "Made up: spring of 2020",
        "The season, on the eight authorities",
    ]
    models = {line.split(" | ")[0] for line in told if line.startswith("| ")}
    assert {"| mix of both drivers", "| driver with a damped trend", "| driver", "| two waves"} <= models


def test_made_up_series_are_the_same_at_every_call_and_have_their_spring() -> None:
    with program("scripts/demand_coverage.py") as script:
        one, two = script.made_up(), script.made_up()
        spring, begin = script.SPRING, script.BEGIN
    assert all((one[name].counts == two[name].counts).all() for name in one)
    assert (begin + spring) % 12 == 3  # April
    fall = [one[f"spring of 2020 {k}"].counts for k in range(1, 5)]
    before, then = (sum(counts[at : at + 3].sum() for counts in fall) for at in (spring - 12, spring))
    assert then < 0.9 * before


def test_priors_of_the_driver(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    with program("scripts/demand_prior.py") as script:
        every = script.read_series(library("calibration") / "referrals-monthly.csv")
        few = dict(list(every.items())[:3])
        monkeypatch.setattr(script, "read_series", lambda path: few)
        script.main()
    told = capsys.readouterr().out.splitlines()
    assert [line[:16].strip() for line in told[:3]] == ["log dispersion", "log drift", "logit rho"]
    assert all("shipped" in line for line in told)


def test_the_balance_of_kent() -> None:
    with program("benchmarks/usual.py") as usual:
        few = usual.at_scale("kent-2013", 0.01)
    with program("scripts/kent_balance.py") as script:
        by_stage, by_tier, flows, costs, stays = script.tables(few, 1)
    assert by_stage["day 0"].sum() == pytest.approx(by_tier["day 0"].sum())
    assert by_stage["year 1"].sum() == pytest.approx(by_stage["day 0"].sum(), rel=0.25)
    assert flows.filter(pl.col("flow") == "Children's referrals")["2013/14"].item() > 0
    assert 0 < costs["£m"][:-1].sum() < costs["£m"][-1]
    assert stays["past 1 years %"].item() > stays["past 2 years %"].item()


def test_the_picture_is_the_reports_own_figure(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Drawing it takes a browser: tests/browser/test_picture.py."""
    with program("scripts/picture.py") as script:
        monkeypatch.setattr(script, "read_folder", lambda folder: sample_comparison())
        figure = script.comparison_figure(tmp_path)
        titled = script.titled('<svg width="1"><g/></svg>', figure)
    assert titled.startswith('<svg width="1" role="img"><title>') and figure.layout.meta["alt"][:40] in titled


def test_the_picture_of_the_rooms_is_todays() -> None:
    with program("scripts/rooms.py") as script:
        assert script.PICTURE.read_text(encoding="utf-8") == script.picture()


def test_same_answers_are_the_same_in_any_order_and_a_moved_one_is_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with program("scripts/same-answers") as script:
        frame = pl.DataFrame({"measure": ["a", "a", "b"], "value": [1.0, 2.0, 4.0]})
        found = script.of_frame("measures", frame)
        assert found == script.of_frame("measures", frame.reverse())
        moved = found | script.of_frame("measures", frame.head(2).with_columns(pl.col("value") + 0.5))
        (line,) = script.differences("run", found, moved)
        assert line == "run: measures: a: moved, 2 rows that sum to 3.0 before, 2 rows that sum to 4.0 now"
        answers = script.answers(["run", "mm-infinity", "--years", "1", "--reps", "1"], tmp_path / "out")
    assert "measures: caseload_end" in answers and answers["measures: caseload_end"][2] == 12
