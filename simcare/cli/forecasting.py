"""``simcare forecast``: demand drivers fitted, challengers tried, the future with its intervals."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from simcare.cli.common import (
    SEED,
    AsJson,
    Force,
    Out,
    Workers,
    app,
    chosen_folder,
    command,
    err_console,
    going_on,
    out_console,
    print_exhibit,
    print_json,
    print_lines,
    working,
)
from simcare.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from simcare.demand.forecast import Forecast
    from simcare.demand.regressors import Terms
    from simcare.demand.series import MonthlyCounts
    from simcare.report.forecast_page import ForecastExhibits

Named = Annotated[
    list[str] | None,
    typer.Option("--covariate", help="A column to use, and months before: NAME or NAME:6. All of them unless given."),
]
Stepped = Annotated[
    list[str] | None,
    typer.Option(
        "--step", help="A month from which demand or its recording is known to have changed, such as 2014-10."
    ),
]
Pulsed = Annotated[list[str] | None, typer.Option("--pulse", help="One odd month, such as 2017-03.")]


@app.command()
def forecast(
    what: Annotated[
        str,
        typer.Argument(
            help="A series file (CSV, Parquet, XLSX: date, area, count), its name in the library, or a model."
        ),
    ],
    horizon: Annotated[int, typer.Option("--horizon", min=1, max=120, help="Months to forecast.")] = 24,
    backtest: Annotated[bool, typer.Option("--backtest", help="Print the league table of the models.")] = False,
    area: Annotated[
        str | None, typer.Option("--area", help="One area of a file that holds several; all of them unless given.")
    ] = None,
    covariate: Named = None,
    step: Stepped = None,
    pulse: Pulsed = None,
    population: Annotated[
        str | None, typer.Option("--population", help="A population file: rates per person at risk, and its growth.")
    ] = None,
    ages: Annotated[
        str | None, typer.Option("--ages", help="The ages at risk, such as 0-17 or 85+; needed with --population.")
    ] = None,
    vintage: Annotated[
        str | None, typer.Option("--vintage", help="Which estimates of the population, where the file has several.")
    ] = None,
    projection: Annotated[
        str | None,
        typer.Option("--projection", help="Which projection carries them on; the last estimate holds unless given."),
    ] = None,
    trend: Annotated[bool, typer.Option("--trend", help="Give the driver a damped trend.")] = False,
    seed: Annotated[int, SEED] = 1,
    workers: Workers = None,
    out: Out = None,
    force: Force = False,
    as_json: AsJson = False,
) -> None:
    """Fit demand drivers to monthly counts, try them against challengers, and forecast with intervals.

    Example: `simcare forecast referrals-monthly --area Kent --backtest`
    """
    every, others, left_out, name = _series(what, area)
    if population is not None or ages is not None:
        every = _per_person(every, population, ages, vintage, projection, horizon)
    terms = _terms(covariate, step, pulse, trend, every)
    known = {label: _content(series) for label, series in {**others, **every}.items()}
    request = {"verb": "forecast", "series": sorted(every), "known": known, "terms": repr(terms), "horizon": horizon}
    folder = chosen_folder(out, f"forecast-{name}", request | {"seed": seed}, force)
    about: dict[str, Any] = {
        "command": command(),
        "series": {n: repr(s) for n, s in every.items()},
        "horizon": horizon,
        "seed": seed,
    }
    for sentence in left_out:
        err_console.print(sentence, highlight=False, markup=False, soft_wrap=True)
    about["left_out"] = list(left_out)
    about |= folder.entry
    asked = ForecastRequest(horizon, terms, seed, workers, folder.path, about, backtest, as_json)
    if len(every) == 1:
        _one(next(iter(every.values())), others, asked)
    else:
        _many(every, asked)


def _content(series: MonthlyCounts) -> dict[str, Any]:
    """Everything that a series holds, as a fingerprint takes it."""
    columns = {"counts": series.counts, "exposure": series.exposure, "low": series.low, "high": series.high}
    columns |= {f"covariate {name}": values for name, values in series.covariates.items()}
    return {"first": series.first} | {name: None if v is None else v.tolist() for name, v in columns.items()}


class ForecastRequest(NamedTuple):
    """What was asked for, the series apart."""

    horizon: int
    terms: Terms | None
    seed: int
    workers: int | None
    folder: Path
    about: Mapping[str, Any]
    league: bool
    as_json: bool


def _one(series: MonthlyCounts, others: Mapping[str, MonthlyCounts], asked: ForecastRequest) -> None:
    from simcare.demand.pooling import typical_of
    from simcare.report.forecast_page import forecast_exhibits, write_forecast
    from simcare.runs.forecasts import forecast as forecast_one

    typical = typical_of(others, asked.terms)
    with working("Trying the models where the outturn is known") as progress:
        found = forecast_one(
            series,
            asked.horizon,
            terms=asked.terms,
            typical=typical,
            seed=asked.seed,
            workers=asked.workers,
            progress=progress,
        )
    shown = forecast_exhibits(found)
    page = write_forecast(found, shown, asked.folder, asked.about)
    if asked.as_json:
        print_json({**found.json(), "out": str(asked.folder)})
        return
    _print_one(found, shown, asked.league)
    out_console.print(f"\nReport: {page}", soft_wrap=True, highlight=False)


def _print_one(found: Forecast, shown: ForecastExhibits, league: bool) -> None:
    from simcare.report.forecast_page import BRIEF_LEAGUE, lead_of

    print_lines([lead_of(found.series), *(f"Note: {note}." for note in found.series.notes)])
    if league and shown.league is not None:
        print_exhibit(shown.league, only=BRIEF_LEAGUE)
        print_lines([shown.league.note])
    else:
        print_lines([shown.forecast.note])
    print_exhibit(shown.years or shown.forecast)
    print_lines(shown.sentences)


def _many(every: Mapping[str, MonthlyCounts], asked: ForecastRequest) -> None:
    from simcare.report.forecast_page import many_exhibit, write_many
    from simcare.runs.forecasts import forecast_all
    from simcare.runs.kept import clear_parts, parts_beside

    folder = asked.folder
    parts = parts_beside(folder)
    with going_on(parts), working(f"Forecasting {len(every)} series; a stop loses none that is done") as progress:
        results = forecast_all(
            every, asked.horizon, parts, terms=asked.terms, seed=asked.seed, workers=asked.workers, progress=progress
        )
    shown = many_exhibit(results)
    page = write_many(results, shown, folder, asked.about)
    clear_parts(parts)
    if asked.as_json:
        print_json({"series": results, "out": str(folder)})
        return
    print_exhibit(shown)
    if asked.league:
        print_lines([f"The league table of each series: {folder / 'league.csv'}; of one, with figures: --area NAME"])
    out_console.print(f"\nReport: {page}", soft_wrap=True, highlight=False)


class Chosen(NamedTuple):
    """The series asked for by name, the others of the file, sentences on those that cannot be forecast, and a name for
    the folder."""

    every: dict[str, MonthlyCounts]
    others: dict[str, MonthlyCounts]
    left_out: tuple[str, ...]
    name: str


def _series(what: str, area: str | None) -> Chosen:
    from simcare.demand.paths import fitted, neighbours
    from simcare.demand.reading import read_all
    from simcare.demand.series import chosen_series
    from simcare.files.library import model_or_series
    from simcare.files.load import load_model

    path = model_or_series(what)
    others: dict[str, MonthlyCounts] = {}
    left_out: dict[str, str] = {}
    if path.suffix == ".toml":
        model = load_model(path)
        if not model.drivers:
            raise BadInput(
                f"{what}: has no demand drivers ([[drivers]]), so there is nothing to forecast; give a series file"
            )
        every, name = {fit.name: fit.series for fit in fitted(model)}, model.about.name
        others = neighbours(model.drivers[0]) if len(every) == 1 else {}
    else:
        (every, left_out), name = read_all(path), path.stem
    if area is not None:
        if area in left_out:
            raise BadInput(left_out[area])
        one = chosen_series(every, area, what)
        if path.suffix == ".toml":
            others = neighbours(next(row for row in model.drivers if row.name == one.name))
        else:
            others = {name: series for name, series in every.items() if name != one.name}
        every, left_out = {one.name: one}, {}
        name = f"{name}-{one.name}".replace("/", "-").replace(" ", "-").lower()
    return Chosen(every, others, tuple(f"Left out: {sentence}" for sentence in left_out.values()), name)


def _per_person(
    every: Mapping[str, MonthlyCounts],
    population: str | None,
    ages: str | None,
    vintage: str | None,
    projection: str | None,
    horizon: int,
) -> dict[str, MonthlyCounts]:
    """The series with the people of some ages of their areas as exposure."""
    from simcare.demand.exposure import parsed_ages, with_people
    from simcare.demand.population_file import read_population
    from simcare.files.library import series_file

    if population is None or ages is None:
        raise BadInput("population and ages go together: give --population FILE and --ages, such as 0-17")
    span, path = parsed_ages(ages), series_file(population)
    found = {}
    for name, series in every.items():
        found[name] = with_people(
            series, read_population(path, name.split(" / ")[0], projection, vintage=vintage), *span, horizon
        )
    return found


def _terms(
    covariate: list[str] | None,
    step: list[str] | None,
    pulse: list[str] | None,
    trend: bool,
    every: Mapping[str, MonthlyCounts],
) -> Terms | None:
    """The terms asked for; None where nothing was, which is the usual ones."""
    from simcare.demand.regressors import Terms, columns, parsed_covariate

    if not (covariate or step or pulse or trend):
        return None
    first = next(iter(every.values()))
    covariates = dict(parsed_covariate(c) for c in covariate) if covariate else dict.fromkeys(first.covariates, 0)
    terms = Terms(trend=trend, steps=_months("step", step), pulses=_months("pulse", pulse), covariates=covariates)
    for series in every.values():
        columns(series, terms)  # what is wrong with them shows now
    return terms


def _months(option: str, texts: list[str] | None) -> tuple[int, ...]:
    from simcare.demand.dates import read_date

    found = []
    for text in texts or ():
        try:
            date = read_date(text)
            found.append(12 * date.year + date.month - 1)
        except ValueError:
            raise BadInput(f"{option}: should be a month such as 2014-10, got {text!r}") from None
    return tuple(found)
