"""The folder of ``simcare forecast``: the page with figures and the league table, the forecast and the scores as
files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl

from simcare import __version__
from simcare.demand.backtest import BANDS, BOTH, CANDIDATES, Backtest, league
from simcare.demand.diagnostics import Diagnostics, diagnose, driver_sentences
from simcare.demand.forecast import Forecast
from simcare.demand.scores import LEVELS
from simcare.demand.series import MonthlyCounts
from simcare.files.atomic import aside
from simcare.files.csv_text import write_csv
from simcare.files.json_text import write_manifest
from simcare.report.exhibit import Exhibit, Table, write_exhibit
from simcare.report.figures.demand import (
    diagnostics_figure,
    diagnostics_frame,
    fan_figure,
    horizon_figure,
    horizon_scores,
)
from simcare.report.page import Section, Text, page, section_of
from simcare.report.wording import COUNT, Estimate, ends_words, quantity, rounded_alike, share
from simcare.units import month_name, three_figures

METHOD = (
    (
        "The driver is a negative-binomial regression on season (two Fourier waves), working days, school holidays (the"
        " share of a month's working days on which schools in England are closed) and any declared steps and"
        " covariates, with the log of the exposure as offset where there is one, about a level that drifts (an"
        " autoregression of the first order) and is found from the counts. Coefficients are pooled with what is"
        " typical of other areas. Draws of the future carry the uncertainty of the coefficients and of the level, its"
        " drift (with the heavy tails of Student's t: a level may shift at once), and the counts' own dispersion and"
        " chance. The same driver with a damped trend is fitted too; the mix takes half of its draws from each."
    ),
    (
        "In the back-test each model is fitted to the counts known at an origin, from two years on and every three"
        " months, and scored against the outturn of the next months, up to 24 of them. CRPS is in counts (lower is"
        " better); skill is the share by which it is below that of seasonal naive; MASE scales the median's error by"
        " the mean change from year to year (below 1 is better than repeating last year); the last columns show how"
        " many of the months lay inside each interval."
    ),
    (
        "The mix of both drivers is the default, as it was the best over many series, unless one of them has a CRPS"
        " lower by more than two standard errors here. Challengers are shown and never chosen: a single series cannot"
        " tell chance from worth. The drift, already widened as many series ask for, is then widened or narrowed as"
        " errors in this back-test suggest, shrunk towards no change."
    ),
)
INTERVALS = (50, 80, 90)


# ---- exhibits of one series
class ForecastExhibits(NamedTuple):
    """What the page of one series shows. ``years`` where the forecast covers twelve months, ``league`` and ``horizons``
    where there was a back-test; ``sentences`` say what the driver shows."""

    forecast: Exhibit
    years: Exhibit | None
    league: Exhibit | None
    horizons: Exhibit | None
    sentences: Sequence[str]
    coefficients: Exhibit
    diagnostics: Exhibit


def forecast_exhibits(found: Forecast) -> ForecastExhibits:
    """Every exhibit of a forecast."""
    checked = diagnose(found.series, found.driver, found.backtest)
    return ForecastExhibits(
        forecast=forecast_exhibit(found),
        years=years_exhibit(found),
        league=None if found.backtest is None else league_exhibit(found, found.backtest),
        horizons=None if found.backtest is None else horizons_exhibit(found.backtest),
        sentences=driver_sentences(found.series, found.driver, checked),
        coefficients=coefficients_exhibit(found),
        diagnostics=diagnostics_exhibit(checked),
    )


def forecast_exhibit(found: Forecast) -> Exhibit:
    """The forecast month by month."""
    frame = found.rows()
    note = f"The forecast is made by {found.choice.why}."
    return Exhibit("forecast", "The forecast", frame, months_table(frame), fan_figure(frame, found.series), note=note)


def months_table(frame: pl.DataFrame) -> Table:
    """The mean, the median and the intervals of each month."""
    rows = tuple(
        (
            r["month"],
            quantity(r["mean"]),
            quantity(r["median"]),
            *(ends_words(r[f"lo{level}"], r[f"hi{level}"]) for level in INTERVALS),
        )
        for r in frame.iter_rows(named=True)
    )
    return Table("Month by month", ("Month", "Mean", "Median", *(f"{level}% interval" for level in INTERVALS)), rows)


def years_exhibit(found: Forecast) -> Exhibit | None:
    """The sum of each year ahead, if there is a whole one."""
    frame = found.totals()
    if frame.is_empty():
        return None
    rows = tuple(
        (f"{r['from']} to {r['to']}", quantity(r["mean"]), ends_words(r["lo80"], r["hi80"]))
        for r in frame.iter_rows(named=True)
    )
    table = Table("Year by year", ("Twelve months", "Expected", "80% interval"), rows)
    note = "Months of a year move together, so a year's interval is not the sum of its months'."
    return Exhibit("years", table.caption, frame, table, note=note)


def league_exhibit(found: Forecast, tried: Backtest) -> Exhibit:
    """The league table of the back-test."""
    frame = league(tried)
    origins = tried.scores["origin"].unique().sort().to_list()
    note = f"{len(origins)} trials, from {origins[0]} to {origins[-1]}. The default: {found.choice.why}."
    table = league_table(frame, found.choice.model, tried.unfit)
    return Exhibit("league", table.caption, frame, table, note=note)


def league_table(frame: pl.DataFrame, default: str, unfit: Mapping[str, str]) -> Table:
    """The league table, best first, with a verdict on each model; models that could not be fitted come last."""
    rows = []
    for row in frame.iter_rows(named=True):
        bands = (_score(row[f"skill_{a}_{b}"]) for a, b in BANDS)
        covered = "/".join(three_figures(row[f"covered{level}"]) for level in LEVELS)
        shown = (_score(row["crps"]), _score(row["skill"]), *bands, _score(row["mase"]), covered)
        rows.append((row["model"], *shown, _verdict(row, default)))
    rows += [(model, *[""] * (4 + len(BANDS)), f"left out: {why}") for model, why in unfit.items()]
    wide = (f"Skill, {a}–{b} months" for a, b in BANDS)
    head = ("Model", "CRPS", "Skill", *wide, "MASE", "% inside 50/80/90", "Verdict")
    return Table("League table of the back-test", head, tuple(rows), look="below")


BRIEF_LEAGUE = ("Model", "CRPS", "Skill", "MASE", "% inside 50/80/90", "Verdict")  # what fits a terminal


def _score(value: float | None) -> str:
    return "" if value is None or value != value else three_figures(value)


def _verdict(row: Mapping[str, Any], default: str) -> str:
    if row["model"] == default:
        return "default"
    if row["model"] in ("naive", "seasonal naive"):
        return "yardstick"
    if row["skill"] is not None and row["skill"] <= 0:
        return f"{share(-row['skill'])} worse than the yardstick"
    return "" if row["model"] in CANDIDATES else "shown only"


def horizons_exhibit(tried: Backtest) -> Exhibit:
    """How the best models did by months ahead."""
    frame = horizon_scores(tried)
    return Exhibit("horizons", "Months ahead", frame, figure=horizon_figure(frame))


def coefficients_exhibit(found: Forecast) -> Exhibit:
    """The driver's coefficients on the log scale: pooled with what is typical, by the series alone, and of a plain
    regression without a level."""
    frame, driver = coefficients_frame(found), found.driver
    note = (
        f"Log scale: 0.1 is about 10% more. Dispersion {three_figures(driver.level.dispersion)}; drift"
        f" {three_figures(driver.level.drift)} a month, times {three_figures(driver.widen)}; rho"
        f" {three_figures(driver.level.rho)}."
    )
    if found.choice.model == BOTH:
        note += " These are of the driver without a trend; the other half of the mix has a damped trend besides."
    if driver.plain is not None:
        note += f" The plain regression has no level, so its dispersion is {three_figures(driver.plain.dispersion)}."
    table = coefficients_table(frame)
    return Exhibit("coefficients", table.caption, frame, table, note=note)


def coefficients_frame(found: Forecast) -> pl.DataFrame:
    """A row a term: term, value and se pooled with what is typical, alone and alone_se by the series alone, plain and
    plain_se by the plain regression (null where there is none)."""
    driver = found.driver
    alone, alone_se = driver.alone()
    numbers: dict[str, Sequence[float | None]] = {
        "value": list(driver.beta),
        "se": list(driver.se),
        "alone": list(alone),
        "alone_se": list(alone_se),
        "plain": [None] * len(driver.names) if driver.plain is None else list(driver.plain.beta),
        "plain_se": [None] * len(driver.names) if driver.plain is None else list(driver.plain.se),
    }
    return pl.DataFrame({"term": driver.names, **numbers}, schema_overrides=dict.fromkeys(numbers, pl.Float64))


def coefficients_table(frame: pl.DataFrame) -> Table:
    """The coefficients with their 95 % intervals."""
    rows = tuple(
        (
            r["term"],
            *_coefficient(r["value"], r["se"]),
            f"{three_figures(r['alone'])} ± {three_figures(1.96 * r['alone_se'])}",
            "" if r["plain"] is None else f"{three_figures(r['plain'])} ± {three_figures(1.96 * r['plain_se'])}",
        )
        for r in frame.iter_rows(named=True)
    )
    head = ("Term", "Coefficient", "95% interval", "By this series alone", "By plain regression")
    return Table("The driver's coefficients", head, rows, look="below")


def _coefficient(value: float, se: float) -> tuple[str, str]:
    """A coefficient, and its 95 % interval."""
    found, low, high = rounded_alike(Estimate(value, value - 1.96 * se, value + 1.96 * se), COUNT, signed=False)
    return found, f"{low} to {high}"


def diagnostics_exhibit(checked: Diagnostics) -> Exhibit:
    """Whether the driver is sound."""
    frame = diagnostics_frame(checked)
    return Exhibit("diagnostics", "Diagnostics", frame, figure=diagnostics_figure(frame))


# ---- exhibits of many series
def many_exhibit(results: Mapping[str, Mapping[str, Any]]) -> Exhibit:
    """A row for each series: the default, the next twelve months, and what the default was worth in the back-test."""
    frame = many_frame(results)
    table = many_table(frame)
    note = "Skill against seasonal naive and the share of months inside the 80% interval, both in the back-test."
    return Exhibit("series", table.caption, frame, table, note=note)


def many_frame(results: Mapping[str, Mapping[str, Any]]) -> pl.DataFrame:
    """A row for each series: series, model, month (the first ahead) with its median, lo80 and hi80, the sum expected
    in ``months`` months, and the model's skill and covered80 in the back-test (null where there was none)."""
    rows = []
    for name, found in results.items():
        first = found["forecast"][:12]
        tried: Sequence[Mapping[str, Any]] = found["scores"]["league"] or ()
        mine: Mapping[str, Any] = next((row for row in tried if row["model"] == found["model"]["name"]), {})
        rows.append(
            {
                "series": name,
                "model": found["model"]["name"],
                **{key: first[0][key] for key in ("month", "median", "lo80", "hi80")},
                "months": len(first),
                "expected": sum(month["mean"] for month in first),
                "skill": mine.get("skill"),
                "covered80": mine.get("covered80"),
            }
        )
    return pl.DataFrame(rows, infer_schema_length=None, schema_overrides={"skill": pl.Float64, "covered80": pl.Float64})


def many_table(frame: pl.DataFrame) -> Table:
    """The forecasts of many series, a row each."""
    rows = tuple(
        (
            r["series"],
            r["model"],
            r["month"],
            quantity(r["median"]),
            ends_words(r["lo80"], r["hi80"]),
            quantity(r["expected"]),
            *(("untested", "") if r["covered80"] is None else (_score(r["skill"]), share(r["covered80"] / 100.0))),
        )
        for r in frame.iter_rows(named=True)
    )
    span = f"Expected in {frame['months'][-1]} months"
    head = ("Series", "Default", "First month", "Median", "80% interval", span, "Skill", "In 80%")
    return Table("The forecasts", head, rows, look="below")


# ---- the folders
def sections_of(shown: ForecastExhibits) -> list[Section]:
    """The page of one series, in order."""
    tried = [shown.years, shown.league, shown.horizons]
    return [
        section_of(shown.forecast),
        *(section_of(one) for one in tried if one is not None),
        Section("What the driver shows", [Text(shown.sentences)]),
        section_of(shown.coefficients),
        section_of(shown.diagnostics),
        Section("Method", [Text(METHOD)]),
    ]


def lead_of(series: MonthlyCounts) -> str:
    """What a series holds."""
    span = f"{month_name(series.first)} to {month_name(series.last)}"
    return f"{series.name}: {len(series)} months of counts, {span}, {int((~series.told).sum())} missing."


def write_forecast(found: Forecast, shown: ForecastExhibits, out: Path, about: Mapping[str, Any]) -> Path:
    """Write the folder of one series: report.html, forecast.csv, scores.parquet, league.csv, draws.parquet,
    manifest.json."""
    series = found.series
    text = page(f"Demand forecast: {series.name}", lead_of(series), series.notes, sections_of(shown))
    ahead = shown.forecast.frame["month"].to_list()
    with aside(out) as folder:
        (folder / "report.html").write_text(text, encoding="utf-8")
        write_exhibit(shown.forecast, folder)
        pl.DataFrame({m: found.draws[:, k] for k, m in enumerate(ahead)}).write_parquet(folder / "draws.parquet")
        if found.backtest is not None and shown.league is not None:
            found.backtest.scores.write_parquet(folder / "scores.parquet")
            write_exhibit(shown.league, folder)
        _write_manifest(folder, about)
    return out / "report.html"


def write_many(results: Mapping[str, Mapping[str, Any]], shown: Exhibit, out: Path, about: Mapping[str, Any]) -> Path:
    """Write the folder of many series: report.html with a row for each, forecast.csv, league.csv, manifest.json."""
    notes = [*about.get("left_out", ())]
    notes += [f"{name}: {note}" for name, r in results.items() for note in r["model"]["notes"]]
    sections = [
        section_of(shown),
        *([Section("Notes on the series", [Text(notes)])] if notes else []),
        Section("Method", [Text(METHOD)]),
    ]
    lead = "Each series by itself, its coefficients pooled with the others'."
    text = page(f"Demand forecasts: {len(results)} series", lead, (), sections)
    leagues = {name: r["scores"]["league"] for name, r in results.items() if r["scores"]["league"]}
    with aside(out) as folder:
        (folder / "report.html").write_text(text, encoding="utf-8")
        write_csv(_by_series({name: r["forecast"] for name, r in results.items()}), folder / "forecast.csv")
        if leagues:
            write_csv(_by_series(leagues), folder / "league.csv")
        _write_manifest(folder, about)
    return out / "report.html"


def _by_series(rows: Mapping[str, Sequence[Mapping[str, Any]]]) -> pl.DataFrame:
    """The rows of every series under each other, its name before them."""
    frames = [pl.DataFrame(found).select(pl.lit(name).alias("series"), pl.all()) for name, found in rows.items()]
    return pl.concat(frames, how="vertical_relaxed")


def _write_manifest(folder: Path, about: Mapping[str, Any]) -> None:
    write_manifest(folder, {"simcare": __version__, **about})


__all__ = [
    "BRIEF_LEAGUE",
    "ForecastExhibits",
    "forecast_exhibits",
    "lead_of",
    "many_exhibit",
    "many_table",
    "months_table",
    "write_forecast",
    "write_many",
]
