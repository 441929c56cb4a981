"""``simcare forecast``: Kent's referrals beaten fairly, the files it writes, and how it goes on after a stop."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

from simcare.cli import app
from simcare.demand import scores
from simcare.demand.reading import read_series
from simcare.errors import BadInput
from simcare.files.library import library
from simcare.runs import forecasts
from simcare.runs.forecasts import forecast, forecast_all
from simcare.runs.kept import clear_parts
from simcare.units import month_name, parsed_month

REFERRALS = library("calibration") / "referrals-monthly.csv"


@pytest.fixture(scope="module")
def kent(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Kent's referrals to March 2017 in a file, and the folder of its forecast."""
    folder = tmp_path_factory.mktemp("kent")
    known = pl.read_csv(REFERRALS).filter((pl.col("area") == "Kent") & (pl.col("date") <= "2017-03"))
    known.select("date", "area", "count").write_csv(folder / "kent.csv")
    return folder / "kent.csv", folder / "out"


@pytest.fixture(scope="module")
def told(kent: tuple[Path, Path]) -> dict[str, object]:
    done = CliRunner().invoke(
        app, ["forecast", str(kent[0]), "--horizon", "24", "--backtest", "--json", "--out", str(kent[1])]
    )
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def test_kent_beats_seasonal_naive_and_its_intervals_cover(told: dict[str, list[dict[str, float]]]) -> None:
    """The two years that came, April 2017 to March 2019, which the forecast never saw."""
    came = read_series(REFERRALS)["Kent"]
    rows = told["forecast"]
    assert [row["month"] for row in rows] == [month_name(parsed_month("2017-04") + k) for k in range(24)]
    truth = came.counts[60:84]
    held = sum(row["lo80"] <= y <= row["hi80"] for row, y in zip(rows, truth, strict=True))
    known = came.counts[:60]
    spread = np.sqrt(np.mean((known[12:] - known[:-12]) ** 2))
    naive = np.random.default_rng(1).normal(
        np.tile(known[-12:], 2), spread * np.sqrt(np.repeat([1, 2], 12)), (20_000, 24)
    )
    draws = pl.read_parquet(Path(str(told["out"])) / "draws.parquet").to_numpy()
    ours, theirs = scores.crps(truth, draws).mean(), scores.crps(truth, naive).mean()
    print(held, ours, theirs)
    assert held >= 18
    assert ours < 0.75 * theirs


def test_the_summary_has_the_fixed_form(told: dict[str, object]) -> None:
    rows = told["forecast"]
    assert isinstance(rows, list)
    assert list(rows[0]) == ["month", "mean", "median", "lo50", "hi50", "lo80", "hi80", "lo90", "hi90"]
    for row in rows:
        assert row["lo90"] <= row["lo80"] <= row["lo50"] <= row["median"] <= row["hi50"] <= row["hi80"] <= row["hi90"]
    assert told["model"]["name"] in {row["model"] for row in told["scores"]["league"]}  # type: ignore[index]


def test_the_folder_is_complete_and_the_page_has_the_league_table(
    kent: tuple[Path, Path], told: dict[str, object]
) -> None:
    names = {p.name for p in kent[1].iterdir()}
    assert names == {"report.html", "forecast.csv", "draws.parquet", "scores.parquet", "league.csv", "manifest.json"}
    page = (kent[1] / "report.html").read_text(encoding="utf-8")
    for text in (
        "League table of the back-test",
        "seasonal naive",
        "A tenth more working days",
        "A break near 2014-10",
        "Diagnostics",
    ):
        assert text in page
    assert "http" not in page.split("<script>")[0].replace("http-equiv", "")


def test_the_same_seed_gives_the_same_forecast_whatever_the_workers(kent: tuple[Path, Path]) -> None:
    series = read_series(kent[0])["Kent"].known(parsed_month("2015-06"))
    one, two = (forecast(series, 6, workers=workers) for workers in (1, 2))
    assert one.rows().equals(two.rows())
    assert one.choice == two.choice


def test_many_series_go_on_where_they_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    every = {name: s.known(parsed_month("2014-08")) for name, s in list(read_series(REFERRALS).items())[:4]}
    parts = tmp_path / "parts"
    whole = forecast_all(every, 6, tmp_path / "other", workers=1)
    stopped = list(every)[2]
    real = forecasts.forecast_series

    def stopping(series: object, *rest: object, **named: object) -> object:
        if getattr(series, "name", "") == stopped:
            raise KeyboardInterrupt
        return real(series, *rest, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(forecasts, "forecast_series", stopping)
    with pytest.raises(KeyboardInterrupt):
        forecast_all(every, 6, parts, workers=1)
    kept = {p.name: p.stat().st_mtime_ns for p in parts.glob("*.json")}
    assert len(kept) == 2
    monkeypatch.setattr(forecasts, "forecast_series", real)
    ticks: list[tuple[int, int]] = []
    again = forecast_all(every, 6, parts, workers=1, progress=lambda done, of: ticks.append((done, of)))
    assert ticks[0] == (2, 4)
    assert again == whole
    assert {p.name: p.stat().st_mtime_ns for p in parts.glob("*.json")}.items() >= kept.items()
    clear_parts(parts)
    assert not parts.exists()


def test_a_stop_at_the_keyboard_says_what_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stopped(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(forecasts, "forecast_series", stopped)
    many, out = str(REFERRALS), str(tmp_path / "out")
    done = CliRunner().invoke(app, ["forecast", many, "--horizon", "6", "--workers", "1", "--out", out])
    assert done.exit_code == 1
    assert "Stopped; 0 results are kept in" in done.output and "the same command goes on from there" in done.output
    assert not (tmp_path / "out").exists()


def test_a_series_file_can_be_checked(kent: tuple[Path, Path]) -> None:
    done = CliRunner().invoke(app, ["check", str(kent[0])])
    assert done.exit_code == 0
    assert "file of 1 monthly series is valid" in " ".join(done.output.split())


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["referals-monthly"], "did you mean 'referrals-monthly'?"),
        (["referrals-monthly", "--area", "Knet"], "unknown 'Knet', did you mean 'Kent'?"),
        (["referrals-monthly", "--area", "Kent", "--step", "2030-01"], "lies outside the counts"),
        (
            ["referrals-monthly", "--area", "Kent", "--step", "soon"],
            "step: should be a month such as 2014-10, got 'soon'",
        ),
        (["referrals-monthly", "--area", "Kent", "--covariate", "jobs"], "covariate: unknown 'jobs'"),
        (["mm-infinity"], "has no demand drivers"),
        (["nowhere/x.csv"], "nowhere/x.csv: no such file"),
    ],
)
def test_what_cannot_be_forecast_is_refused_before_any_work(arguments: list[str], said: str, tmp_path: Path) -> None:
    out = tmp_path / "out"
    done = CliRunner().invoke(app, ["forecast", *arguments, "--out", str(out)])
    assert isinstance(done.exception, BadInput)
    assert said in str(done.exception)
    assert not out.exists()
