"""The folder of ``simcare forecast``: the page with figures and the league table, the forecast and the scores as
files."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from simcare import __version__
from simcare.demand.backtest import BANDS, POOL, league
from simcare.demand.diagnostics import Diagnostics, diagnose, driver_sentences
from simcare.demand.forecast import Forecast
from simcare.demand.scores import LEVELS
from simcare.files.atomic import MANIFEST, aside
from simcare.report.figures.demand import by_horizon, checks, fan
from simcare.report.page import PageFigure, PageTable, PageText, Part, page
from simcare.units import month_name

METHOD = (
    (
        "The driver is a negative-binomial regression on season (two Fourier waves), working days and any declared"
        " steps and covariates, with the log of the exposure as offset where there is one, about a level that drifts"
        " (an autoregression of the first order) and is found from the counts. Coefficients are pooled with what is"
        " typical of other areas. Draws of the future carry the uncertainty of the coefficients and of the level, its"
        " drift, and the counts' own dispersion and chance."
    ),
    (
        "In the back-test each model is fitted to the counts known at an origin, from two years on and every three"
        " months, and scored on up to 24 months that then came. CRPS is in counts (lower is better); skill is the share"
        " by which it is below that of seasonal naive; MASE scales the median's error by the mean change from year to"
        " year (below 1 is better than repeating last year); the last columns say how many of the months lay inside"
        " each interval."
    ),
    (
        "The driver is the default unless another model's CRPS is lower by more than two standard errors; a model worse"
        " than seasonal naive is never the default. The drift is then widened or narrowed by what the driver's own"
        " errors in the back-test ask for, pulled to no change."
    ),
)


def league_table(found: Forecast, brief: bool = False) -> PageTable:
    """The league table, best first, with a verdict on each model; models that could not be fitted come last. ``brief``
    leaves out the bands."""
    assert found.backtest is not None
    rows = []
    for row in league(found.backtest).iter_rows(named=True):
        bands = () if brief else tuple(_two(row[f"skill_{a}_{b}"]) for a, b in BANDS)
        covered = tuple(f"{row[f'covered{level}']:.0f}" for level in LEVELS)
        shown = (f"{row['crps']:,.1f}", _two(row["skill"]), *bands, _two(row["mase"]), "/".join(covered))
        rows.append((row["model"], *shown, _verdict(row, found)))
    rows += [
        (model, *[""] * (4 if brief else 4 + len(BANDS)), f"left out: {why}")
        for model, why in found.backtest.unfit.items()
    ]
    wide = () if brief else tuple(f"Skill, {a}–{b} months" for a, b in BANDS)
    heads = ("Model", "CRPS", "Skill", *wide, "MASE", "% inside 50/80/90", "Verdict")
    origins = found.backtest.scores["origin"].unique().sort().to_list()
    note = f"{len(origins)} trials, from {origins[0]} to {origins[-1]}. The default: {found.choice.why}."
    return PageTable("League table of the back-test", heads, rows, note)


def _two(value: float | None) -> str:
    return "" if value is None or value != value else f"{value:.2f}".replace("-", "−")


def _verdict(row: Mapping[str, Any], found: Forecast) -> str:
    if row["model"] == found.choice.model:
        return "default"
    if row["model"] in ("naive", "seasonal naive"):
        return "yardstick"
    if row["skill"] is not None and row["skill"] <= 0:
        return f"refused: {-100 * row['skill']:.0f}% worse"
    return "by CRPS" if row["model"] == POOL else ""


def yearly_sums_table(found: Forecast) -> PageTable:
    """The sum of each year ahead."""
    rows = [
        (f"{r['from']} to {r['to']}", f"{r['mean']:,.0f}", f"{r['lo80']:,.0f} to {r['hi80']:,.0f}")
        for r in found.totals().iter_rows(named=True)
    ]
    return PageTable(
        "Year by year",
        ("Twelve months", "Expected", "80% interval"),
        rows,
        "Months of a year move together, so a year's interval is not the sum of its months'.",
    )


def months_table(found: Forecast) -> PageTable:
    """The forecast month by month."""
    rows = [
        (
            r["month"],
            f"{r['mean']:,.0f}",
            f"{r['median']:,.0f}",
            *(f"{r[f'lo{n}']:,.0f} to {r[f'hi{n}']:,.0f}" for n in (50, 80, 90)),
        )
        for r in found.rows().iter_rows(named=True)
    ]
    return PageTable(
        "Month by month", ("Month", "Mean", "Median", "50% interval", "80% interval", "90% interval"), rows
    )


def coefficients_table(found: Forecast) -> PageTable:
    """The driver's coefficients on the log scale: pooled with what is typical, by the series alone, and of a plain
    regression without a level."""
    d = found.driver
    plain = [("", "")] * len(d.names) if d.plain is None else list(zip(d.plain.beta, d.plain.se, strict=True))
    rows = [
        (
            name,
            _signed(b),
            f"{_signed(b - 1.96 * s)} to {_signed(b + 1.96 * s)}",
            f"{_signed(a)} ± {1.96 * e:.3f}",
            f"{_signed(p)} ± {1.96 * q:.3f}" if p != "" else "",
        )
        for name, b, s, a, e, (p, q) in zip(d.names, d.beta, d.se, *d.alone(), plain, strict=True)
    ]
    level = (
        f"Dispersion {d.level.dispersion:.4f}; drift {d.level.drift:.3f} a month, times {d.widen:.2f}; rho"
        f" {d.level.rho:.3f}"
    )
    if d.plain is not None:
        level += f". The plain regression has no level, so its dispersion is {d.plain.dispersion:.4f}"
    heads = ("Term", "Coefficient", "95% interval", "By this series alone", "By plain regression")
    return PageTable("The driver's coefficients", heads, rows, f"Log scale: 0.1 is about 10% more. {level}.")


def _signed(value: float) -> str:
    return f"{value:.3f}".replace("-", "−")


def parts_of(found: Forecast, checked: Diagnostics) -> list[Part]:
    """Everything the page of one series shows, in order."""
    shown: list[Part] = [
        PageFigure("What is to come", fan(found), f"The forecast is made by {found.choice.why}."),
        yearly_sums_table(found),
    ]
    if found.backtest is not None:
        shown += [league_table(found), PageFigure("Months ahead", by_horizon(found.backtest))]
    shown += [
        PageText("What the driver says", driver_sentences(found.series, found.driver, checked)),
        coefficients_table(found),
    ]
    shown += [PageFigure("Diagnostics", checks(checked)), months_table(found), PageText("Method", METHOD)]
    return shown


def write_forecast(found: Forecast, out: Path, about: Mapping[str, Any]) -> Path:
    """Write the folder of one series: report.html, forecast.csv, scores.parquet, league.csv, draws.parquet,
    manifest.json."""
    series = found.series
    span = f"{month_name(series.first)} to {month_name(series.last)}"
    text = page(
        f"Demand forecast: {series.name}",
        f"{len(series)} months of counts, {span}.",
        series.notes,
        parts_of(found, diagnose(series, found.driver, found.backtest)),
    )
    with aside(out) as folder:
        (folder / "report.html").write_text(text, encoding="utf-8")
        found.rows().write_csv(folder / "forecast.csv")
        ahead = found.rows()["month"].to_list()
        pl.DataFrame({m: found.draws[:, k] for k, m in enumerate(ahead)}).write_parquet(folder / "draws.parquet")
        if found.backtest is not None:
            found.backtest.scores.write_parquet(folder / "scores.parquet")
            league(found.backtest).write_csv(folder / "league.csv")
        _write_manifest(folder, about)
    return out / "report.html"


def write_many(results: Mapping[str, Mapping[str, Any]], out: Path, about: Mapping[str, Any]) -> Path:
    """Write the folder of many series: report.html with a row for each, forecast.csv, league.csv, manifest.json."""
    rows = [pl.DataFrame(r["forecast"]).select(pl.lit(name).alias("series"), pl.all()) for name, r in results.items()]
    tables = [
        pl.DataFrame(r["scores"]["league"]).select(pl.lit(name).alias("series"), pl.all())
        for name, r in results.items()
        if r["scores"]["league"]
    ]
    notes = [*about.get("left_out", ())]
    notes += [f"{name}: {note}" for name, r in results.items() for note in r["model"]["notes"]]
    parts: list[Part] = [
        many_table(results),
        *([PageText("To be known about the series", notes)] if notes else []),
        PageText("Method", METHOD),
    ]
    text = page(
        f"Demand forecasts: {len(results)} series",
        "Each series by itself, its coefficients pooled with the others'.",
        (),
        parts,
    )
    with aside(out) as folder:
        (folder / "report.html").write_text(text, encoding="utf-8")
        pl.concat(rows).write_csv(folder / "forecast.csv")
        if tables:
            pl.concat(tables, how="vertical_relaxed").write_csv(folder / "league.csv")
        _write_manifest(folder, about)
    return out / "report.html"


def many_table(results: Mapping[str, Mapping[str, Any]]) -> PageTable:
    """A row for each series: the default, what the next twelve months bring, and what the default was worth in the
    back-test."""
    rows = []
    for name, r in results.items():
        first = r["forecast"][: min(12, len(r["forecast"]))]
        league_rows: Sequence[Mapping[str, Any]] = r["scores"]["league"] or ()
        mine = next((row for row in league_rows if row["model"] == r["model"]["name"]), None)
        tried = ("untested", "") if mine is None else (_two(mine["skill"]), f"{mine['covered80']:.0f}%")
        month = first[0]
        rows.append(
            (
                name,
                r["model"]["name"],
                month["month"],
                f"{month['median']:,.0f}",
                f"{month['lo80']:,.0f} to {month['hi80']:,.0f}",
                f"{sum(m['mean'] for m in first):,.0f}",
                *tried,
            )
        )
    heads = (
        "Series",
        "Default",
        "First month",
        "Median",
        "80% interval",
        f"Expected in {len(first)} months",
        "Skill",
        "In 80%",
    )
    return PageTable(
        "The forecasts",
        heads,
        rows,
        "Skill against seasonal naive and the share of months inside the 80% interval, both in the back-test.",
    )


def _write_manifest(folder: Path, about: Mapping[str, Any]) -> None:
    (folder / MANIFEST).write_text(json.dumps({"simcare": __version__, **about}, indent=1) + "\n", encoding="utf-8")


__all__ = ["league_table", "many_table", "months_table", "write_forecast", "write_many", "yearly_sums_table"]
