"""``simcare calibrate`` on a small model whose answer is known, its files, its pages, going on after a stop, and what
it refuses."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

import simcare.calibrate.simulating as simulating
from simcare.calibrate.fitting import calibrate, fit_of
from simcare.calibrate.reading import load_calibration
from simcare.cli import app, main
from simcare.errors import BadInput
from simcare.files.fit import find_fit, load_fit, read_fit, stale
from simcare.files.library import library
from tests.support.small_calibration import HEAD, PEOPLE, TARGETS, caseload, written

pytestmark = pytest.mark.xdist_group("calibrate")  # what is carried out once is shared


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The small calibration carried out by the command, once: its file and its folder."""
    folder = tmp_path_factory.mktemp("calibration")
    file = written(folder)
    result = CliRunner().invoke(app, ["calibrate", str(file), "--out", str(folder / "out"), "--workers", "1"])
    assert result.exit_code == 0, result.output
    assert "Fit:" in result.stdout and "Hindcast:" in result.stdout
    return file, folder / "out"


def test_it_finds_the_rates_that_theory_put_in(done: tuple[Path, Path]) -> None:
    fit = read_fit(done[1] / "fit.json")
    assert fit.parameters[0].prior.median == pytest.approx(1.0, abs=0.001)  # its bounds cut more below than above
    assert fit.parameters[1].prior.high == pytest.approx(250 + 0.95 * 550)
    truth = {"leaving": 1.6 / 2, "arrivals": PEOPLE}
    for parameter in fit.parameters:
        found = parameter.posterior
        print(parameter.name, found, truth[parameter.name])
        assert found.low < truth[parameter.name] < found.high
        assert parameter.width < 0.6 and not parameter.prior_driven


def test_the_folder_holds_what_it_should_and_agrees_with_itself(done: tuple[Path, Path]) -> None:
    out = done[1]
    assert {p.name for p in out.iterdir()} == {
        "report.html", "hindcast.html", "fit.json", "targets.csv", "scores.csv", "draws.parquet", "manifest.json",
    }  # fmt: skip
    rows, fit = pl.read_csv(out / "targets.csv"), read_fit(out / "fit.json")
    assert rows["fitted"].sum() == 4 and rows["held_out"].sum() == 4
    held = rows.filter("held_out")
    assert fit.coverage["held_out_90"] == pytest.approx(held["in90"].mean(), abs=1e-4)
    assert ((held["q5"] <= held["q50"]) & (held["q50"] <= held["q95"])).all()
    draws = pl.read_parquet(out / "draws.parquet")
    assert draws.shape == (400, 2) and draws["leaving"].to_list() == list(fit.draws["leaving"])
    manifest = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["inputs"] == fit.inputs and manifest["command"].startswith("simcare")
    assert not list(out.parent.glob(".out.parts"))
    for name in ("report.html", "hindcast.html"):
        text = (out / name).read_text(encoding="utf-8")
        assert "default-src 'none'" in text  # nothing is loaded from anywhere
    page = (out / "hindcast.html").read_text(encoding="utf-8")
    assert "Scores by series" in page and "Where it was wrong, and why" in page


def test_the_fit_is_stale_once_a_file_has_changed(done: tuple[Path, Path], tmp_path: Path) -> None:
    file, out = done
    assert load_fit(out).name == "small"
    kept = file.read_bytes()
    try:
        file.write_bytes(kept + b"\n# another word\n")
        assert stale(read_fit(out / "fit.json")) == []  # a comment does not count
        file.write_bytes(kept.replace(b"seed = 1", b"seed = 2"))
        assert [fault for fault in stale(read_fit(out / "fit.json")) if "small.toml has changed" in fault]
        with pytest.raises(BadInput, match=r"is stale: .*small\.toml has changed since; calibrate again"):
            load_fit(out)
    finally:
        file.write_bytes(kept)
    (tmp_path / "some").mkdir()
    with pytest.raises(BadInput, match=r"no fit\.json in it"):
        find_fit(tmp_path / "some")


class Stopped(Exception):
    """The plug is pulled."""


def test_what_a_stop_interrupts_goes_on_and_comes_to_the_same(
    done: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded, parts = load_calibration(written(tmp_path)), tmp_path / "parts"
    real, run = simulating.simulate_point, []

    def counted(*args: object) -> object:
        run.append(1)
        if len(run) == 20:
            raise Stopped
        return real(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(simulating, "simulate_point", counted)
    with pytest.raises(Stopped):
        calibrate(loaded, parts, 1)
    assert len(list(parts.glob("*.json"))) == 19 and not list(parts.glob("*.unfinished"))
    said: list[tuple[str, int, int]] = []

    @contextmanager
    def working(what: str) -> Iterator[Callable[[int, int], None]]:
        yield lambda done, total: said.append((what, done, total))

    resumed = fit_of(calibrate(loaded, parts, 1, working))
    pieces = [
        "Runs of the design",
        "Emulators",
        "Runs of wave 1",
        "The chain on the emulators",
        "Runs from the posterior",
    ]
    assert list(dict.fromkeys(what for what, _, _ in said)) == pieces
    assert said[0] == ("Runs of the design", 16, 16) and ("Runs of wave 1", 3, 8) in said and said[-1][1:] == (30, 30)
    assert len(run) - 20 == 16 + 8 + 30 - 19  # the nineteen that were done were not run again
    straight = read_fit(done[1] / "fit.json")
    assert resumed.draws == straight.draws and resumed.parameters == straight.parameters
    run.clear()
    next(parts.glob("*.json")).write_text("", encoding="utf-8")
    assert fit_of(calibrate(loaded, parts, 1)).draws == straight.draws
    assert len(run) == 1  # the empty one


def test_a_stop_at_the_keyboard_says_what_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stopped(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(simulating, "simulate_point", stopped)
    result = CliRunner().invoke(
        app, ["calibrate", str(written(tmp_path)), "--out", str(tmp_path / "out"), "--workers", "1"]
    )
    assert result.exit_code == 1 and "the same command goes on from there" in result.output.replace("\n", " ")
    assert not (tmp_path / "out").exists()


# ---- what it refuses
def test_contradictory_targets_are_named_with_how_far_they_are_off(tmp_path: Path) -> None:
    """Twice as many people as who come and leave can make."""
    twice = TARGETS.replace('measures = ["leavers"]', 'measures = ["leavers"]\nuntil = 2015-03-31')
    again = twice + twice.replace('"people"\n', '"people again"\n', 1).split("[[targets]]")[0]
    more = (
        TARGETS.split("[[targets]]")[1]
        .replace('name = "people"', 'name = "fewer"')
        .replace('series = ["people"]', 'series = ["fewer"]')
    )
    file = written(tmp_path, targets=again + "[[targets]]" + more)
    with (tmp_path / "published.csv").open("a", encoding="utf-8") as text:
        text.writelines(f"{2013 + year}-03-31,Town,fewer,{caseload(year) / 2:.1f},made up\n" for year in range(1, 5))
    with pytest.raises(BadInput) as caught:
        calibrate(load_calibration(file), tmp_path / "parts", 1)
    told = str(caught.value)
    print(told)
    assert "no values of the free parameters within their bounds meet all targets" in told
    assert "targets (fewer)" in told and "targets (people)" in told
    assert re.search(r"is \d[\d.]* standard deviations (above|below) what the model comes to", told)


BAD = {
    "outside the horizon": ('kind = "stock"', 'kind = "stock"\ndates = [2014-03-31, 2030-03-31]',
    r"targets\[0\] \(people\): dates: 2030-03-31 has no published value; there are 2014-03-31 to 2017-03-31"),
    "no run reaches it": ("years = 4", "start = 2020-04-01\nyears = 4",
    r"targets\[0\] \(people\): 2014-03-31, .* is outside the horizon of every run: From the start: 2020-04-01 to"
    " 2024-03-31"),
    "prior outside its bounds": ("bounds = [0.3, 3]", "bounds = [2, 3]",
    r"free\[0\]: prior: its median 1 is outside the bounds 2 to 3"), "most of the prior outside": ("bounds = [0.3, 3]",
    "bounds = [0.95, 1.05]", r"free\[0\]: prior: only 10% of it lies within the bounds"),
    "bounds upside down": ("bounds = [0.3, 3]", "bounds = [3, 0.3]", r"free\[0\]: bounds must rise"),
    "no such series": ('series = ["people"]', 'series = ["poeple"]',
    r"series: unknown 'poeple', did you mean 'people'\?"), "no such file": ('file = "published.csv"',
    'file = "publishd.csv"', r"targets\[0\] \(people\): unknown 'publishd.csv'"),
    "no such area": ('series = ["people"]', 'series = ["people"]\narea = "Twon"',
    r"area: unknown 'Twon', did you mean 'Town'\?"), "no such tier": ('tiers = ["community"]', 'tiers = ["comunity"]',
    r"targets\[0\]\.tiers\[0\]: unknown 'comunity', did you mean 'community'"), "no such measure": ('"leavers"',
    '"leaver"', r"targets\[1\]\.measures\[0\]: unknown 'leaver', did you mean 'leavers'\?"),
    "no such clock": ('on = "leaving"', 'on = "death"',
    r"free\[0\]\.multiply\[0\]: the model has no 'death' clock there"), "no such path": ("arrivals.everyone",
    "arrivals.evrybody", r"free\[1\]\.set: .*unknown 'evrybody', did you mean 'everyone'"),
    "years upside down": ('kind = "flow"', 'kind = "flow"\nfrom = 2016-03-31\nuntil = 2015-03-31',
    r"from \(2016-03-31\) is later than until \(2015-03-31\)"), "an error in percent": ("error = { value = 0.02",
    "error = { value = 2", r"targets\[0\]: error is relative, or of shares and stays a share: 2 is 200 per cent"),
    "misspelt key": ("known_to", "know_to", r"know_to: unknown key, did you mean 'known_to'\?"),
    "nothing known": ("known_to = 2015-03-31", "known_to = 2013-03-31", r"none has a value on or before known_to"),
    "a flow of nothing": ('measures = ["leavers"]', "",
    r"targets\[1\]: a flow needs either measures, or from_tiers and to_tiers"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_bad_input_gets_a_sentence(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new, sentence = BAD[name]
    file = written(tmp_path, (HEAD + TARGETS).replace(old, new, 1), "")
    monkeypatch.setattr("sys.argv", ["simcare", "calibrate", str(file), "--out", str(tmp_path / "out")])
    with pytest.raises(SystemExit) as exit_:
        main()
    told = capsys.readouterr().err
    assert exit_.value.code == 2
    assert re.search(sentence, told), told
    assert "Traceback" not in told and not (tmp_path / "out").exists() and not (tmp_path / ".out.parts").exists()


NOUGHT = r"row 2: people: a target must be above 0, got '0'"
WORDS = r"row 2: people: should hold a date .* got '2014-03-31', 'many'"


@pytest.mark.parametrize(("value", "sentence"), [("0", NOUGHT), ("many", WORDS)])
def test_published_values_that_cannot_be_are_refused(value: str, sentence: str, tmp_path: Path) -> None:
    file = written(tmp_path)
    table = (tmp_path / "published.csv").read_text(encoding="utf-8").splitlines()
    table[1] = f"2014-03-31,Town,people,{value},theory"
    (tmp_path / "published.csv").write_text("\n".join(table), encoding="utf-8")
    with pytest.raises(BadInput, match=sentence):
        load_calibration(file)


TABLES = {
    "a comma in a number": (
        "2014-03-31,Town,left,1,234.5,theory",
        r"row 3 has more fields than the 5 columns; a comma inside a number",
    ),
    "another encoding": (
        "2014-03-31,Town,left,300,\u00a3 of theory",
        r"is not UTF-8 text \(byte \d+: 0xa3\); save it as CSV UTF-8",
    ),
    "semicolons": ("date;area;series;count;source", r"its columns are separated by semicolons"),
    "no rows": ("date,area,series,count,source", r"has no rows under its columns"),
}


@pytest.mark.parametrize("name", TABLES)
def test_tables_as_spreadsheets_spoil_them_are_refused(name: str, tmp_path: Path) -> None:
    line, sentence = TABLES[name]
    file = written(tmp_path)
    whole = name in ("semicolons", "no rows")
    lines = (tmp_path / "published.csv").read_text(encoding="utf-8").splitlines()
    lines = [line] if whole else [*lines[:2], line, *lines[3:]]
    (tmp_path / "published.csv").write_bytes(("\n".join(lines) + "\n").encode("cp1252"))
    with pytest.raises(BadInput, match=sentence):
        load_calibration(file)


def test_a_share_above_the_whole_is_refused(tmp_path: Path) -> None:
    """Percent where shares are meant."""
    stay = """
[[targets]]
name = "stay"
title = "Stays past a year"
theme = "Care"
kind = "stay"
file = "stays.csv"
series = ["past a year"]
services = ["community_care"]
past_days = 365
error = { value = 0.02, source = "assumption", grade = "D" }
discrepancy = { value = 0.02, source = "assumption", grade = "D" }
"""
    (tmp_path / "stays.csv").write_text("date,area,series,count\n2014-03-31,Town,past a year,22.2\n", encoding="utf-8")
    with pytest.raises(BadInput, match=r"row 2: past a year: 22.2 is more than the whole, which is 1"):
        load_calibration(written(tmp_path, targets=TARGETS + stay))
    assert load_calibration(
        written(tmp_path, targets=TARGETS + stay.replace("past_days", "scale = 100\npast_days"))
    ).fitted


def test_a_table_beside_the_file_goes_by_its_bare_name_and_lost_years_are_counted(tmp_path: Path) -> None:
    file = written(tmp_path, HEAD.replace("years = 4", "years = 3"), TARGETS.replace("published.csv", "published"))
    assert load_calibration(file).unreached == 2
    result = CliRunner().invoke(app, ["check", str(file)])
    assert (
        "calibration of 4 fitted and 2 held-out values (2 more are of years that no run reaches) is valid"
        in result.stdout
    )


def test_check_knows_tables_of_published_series(tmp_path: Path) -> None:
    written(tmp_path)
    tables = [str(tmp_path / "published.csv"), str(library("calibration") / "spend-yearly.csv")]
    result = CliRunner().invoke(app, ["check", *tables, str(library("calibration") / "referrals-monthly.csv")])
    assert result.exit_code == 0, result.output
    assert (
        "published.csv: table of 2 published series is valid" in result.stdout
        and "monthly series is valid" in result.stdout
    )


def test_a_report_of_a_calibration_is_not_written_again(
    done: tuple[Path, Path], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.argv", ["simcare", "report", str(done[1])])
    with pytest.raises(SystemExit) as exit_:
        main()
    assert exit_.value.code == 2 and "is the folder of a calibration, not of a run" in capsys.readouterr().err


def test_every_shipped_fit_is_of_the_files_that_are_shipped() -> None:
    fits = sorted(library("calibration").glob("*.fit.json"))
    assert [path.name for path in fits] == ["kent-2013.fit.json"]
    for path in fits:
        assert stale(read_fit(path)) == []


def test_check_and_schema_know_calibrations() -> None:
    result = CliRunner().invoke(app, ["check", str(library("calibration") / "kent-2013.toml")])
    assert result.exit_code == 0 and "calibration of 42 fitted and 106 held-out values" in result.stdout
    schema = CliRunner().invoke(app, ["schema", "calibration"])
    assert schema.exit_code == 0 and "free" in json.loads(schema.stdout)["properties"]


def test_one_calibration_does_not_disturb_another(tmp_path: Path) -> None:
    """Parts are named after what they rest on: other published values change nothing of the runs, another model
    does."""
    loaded, parts = load_calibration(written(tmp_path / "a")), tmp_path / "parts"
    calibrate(loaded, parts, 1)
    before = len(list(parts.glob("*.json")))
    calibrate(load_calibration(written(tmp_path / "b", people=1.02)), parts, 1)
    design = 16
    assert before < len(list(parts.glob("*.json"))) <= 2 * before - design  # the design at least is the same
    shutil.rmtree(parts)
