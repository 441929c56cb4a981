"""``simcare run``, ``compare`` and ``report``: simulate, and read the results."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.box import SIMPLE_HEAD
from rich.table import Table

from simcare.cli.common import (
    REPS,
    SEED,
    YEARS,
    AsJson,
    Engine,
    FitName,
    Out,
    Workers,
    app,
    command,
    out_console,
    progress_bar,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from simcare.decide.comparison import Comparison
    from simcare.files.fit import CalibrationFit
    from simcare.model import Model
    from simcare.runs.run import Run


@app.command()
def run(
    model: Annotated[str, typer.Argument(help="Path of a model file, or a name in the library such as kent-2013.")],
    years: Annotated[int, YEARS] = 5,
    reps: Annotated[int, REPS] = 10,
    seed: Annotated[int, SEED] = 1,
    engine: Engine = "simpy",
    workers: Workers = None,
    fit: FitName = None,
    out: Out = None,
    log: Annotated[bool, typer.Option("--log", help="Keep the event log (log.parquet).")] = False,
    as_json: AsJson = False,
) -> None:
    """Run one model and write its measures and report.

    Example: `simcare run kent-2013 --years 2 --reps 2 --seed 1 --out runs/first`

    With uncertain parameters: `simcare run kent-2013 --fit runs/calibrated --out runs/fitted`, where runs/calibrated
    holds a fit.json
    """
    from simcare.files.atomic import check_free
    from simcare.files.load import load_model

    chosen = load_model(model)
    folder = out or Path("runs") / chosen.about.name
    check_free(folder)
    drawn = _fit(fit, chosen)

    from simcare.report.folders import write_run, yearly  # heavy: only for input that is good
    from simcare.runs.run import run as run_model

    with progress_bar("Running", engine) as progress:
        done = run_model(
            chosen, years, reps, seed, engine=engine, workers=workers, keep_log=log, progress=progress, fit=drawn
        )
    report = write_run(done, folder, command(), log=log)
    if as_json:
        print(
            json.dumps(
                {"manifest": done.manifest, "out": str(folder), "yearly": yearly(done.measures).to_dicts()}, indent=1
            )
        )
        return
    _print_run(done)
    out_console.print(f"\nReport: {report}", soft_wrap=True, highlight=False)


@app.command()
def compare(
    experiment: Annotated[
        str, typer.Argument(help="Path of an experiment file, or a name in the library such as prevention.")
    ],
    years: Annotated[int | None, YEARS] = None,
    reps: Annotated[
        int | None, typer.Option("--reps", min=2, max=100_000, help="Replications: possible futures to try.")
    ] = None,
    seed: Annotated[int | None, SEED] = None,
    engine: Engine = "compiled",
    workers: Workers = None,
    fit: FitName = None,
    out: Out = None,
    as_json: AsJson = False,
) -> None:
    """Compare strategies with the baseline, paired on the same draws.

    Example: `simcare compare prevention --reps 4 --out runs/prevention`

    With uncertain parameters: `simcare compare prevention --fit runs/calibrated --reps 100`, where runs/calibrated
    holds a fit.json
    """
    from simcare.files.atomic import check_free
    from simcare.files.load import load_experiment

    chosen, model = load_experiment(experiment)
    folder = out or Path("runs") / chosen.name
    check_free(folder)
    posterior = _fit(fit, model)

    from simcare.decide.comparison import compare as compare_strategies  # heavy: only for input that is good
    from simcare.report.folders import write_comparison

    with progress_bar("Comparing", engine) as progress:
        found = compare_strategies(
            chosen,
            reps,
            model=model,
            years=years,
            seed=seed,
            engine=engine,
            workers=workers,
            progress=progress,
            fit=posterior,
        )
    report = write_comparison(found, folder, command())
    if as_json:
        print(
            json.dumps(
                {"manifest": found.manifest, "out": str(folder), "differences": found.differences.to_dicts()}, indent=1
            )
        )
        return
    _print_comparison(found)
    out_console.print(f"\nReport: {report}", soft_wrap=True, highlight=False)


@app.command()
def report(folder: Annotated[Path, typer.Argument(help="The folder of a finished run.")]) -> None:
    """Write the report of a finished run again.

    Example: `simcare report runs/prevention`
    """
    from simcare.files.atomic import check_finished

    check_finished(folder)

    from simcare.report.folders import read_folder  # heavy: only for input that is good
    from simcare.report.run_page import write_report

    write_report(read_folder(folder), folder / "report.html")
    out_console.print(f"Report: {folder / 'report.html'}", soft_wrap=True, highlight=False)


def _fit(name: str | None, model: Model) -> CalibrationFit | None:
    """The fit that was asked for, refused before any work if it cannot be used."""
    if name is None:
        return None
    from simcare.files.fit import load_fit  # heavy: only where there is one

    return load_fit(name, model)


def _print_fit(manifest: Mapping[str, Any]) -> None:
    """Where parameters were drawn from, and which of them the published data say little about."""
    if "fit" in manifest:
        from simcare.report.fit_wording import fit_sentence

        out_console.print(f"\n{fit_sentence(manifest['fit'])}", highlight=False, markup=False)


def _print_run(done: Run) -> None:
    from simcare.report.folders import yearly
    from simcare.report.summaries import range_words
    from simcare.report.wording import PEOPLE, POUNDS, quantity

    heading = f"{done.model.about.title}: mean, and {range_words(done.replications)}"
    table = Table(title=heading, title_justify="left", box=SIMPLE_HEAD, pad_edge=False)
    for heading in ("Financial year", "Cost, cash", "Range", "Constant prices", "In care"):
        table.add_column(
            heading, justify="left" if heading == "Financial year" else "right"
        )  # in a narrow window words go on below, uncut
    rows = yearly(done.measures)
    for (year,), part in rows.group_by("financial_year", maintain_order=True):
        cost = part.filter((part["measure"] == "cost") & part["stage"].is_null()).to_dicts()[0]
        real = part.filter((part["measure"] == "cost_real") & part["stage"].is_null()).to_dicts()[0]
        people = float(part.filter(part["measure"] == "caseload")["mean"].sum() or 0.0)
        spread = (
            "" if cost["low"] is None else f"{quantity(cost['low'], POUNDS, 5)} to {quantity(cost['high'], POUNDS, 5)}"
        )
        table.add_row(
            str(year),
            quantity(cost["mean"], POUNDS, 5),
            spread,
            quantity(real["mean"], POUNDS, 5),
            quantity(people, PEOPLE, 0),
        )
    out_console.print(table)
    _print_fit(done.manifest)


def _print_comparison(found: Comparison) -> None:
    from simcare.report.findings import report_sentences
    from simcare.report.report_input import ReportInput
    from simcare.report.wording import (
        COUNT,
        FUTURES,
        LEAST_FUTURES,
        POUNDS,
        Estimate,
        interval_words,
        rounded_alike,
        shown_measure,
    )

    fitted = "fit" in found.manifest and found.experiment.replications >= LEAST_FUTURES
    shown = [
        "cost_pv",
        "cost",
        "dependency_days",
        "over_provided_days",
        "induced_need_days",
        "independent_days",
        "unmet_need_days",
    ]
    experiment, start = found.experiment, found.model.about.start
    if any(strategy.contracts for strategy in experiment.strategies):
        shown += ["step_downs", "premature_releases", "readmissions_91"]
    if any(strategy.failures for strategy in experiment.strategies):
        shown += ["displaced", "spot_days", "queue_days"]
    out_console.print(
        f"{experiment.title}: differences from the baseline over {experiment.years} years from {start:%B %Y}",
        style="bold",
    )
    for strategy in experiment.strategies:
        rows = {
            row["measure"]: row
            for row in found.differences.filter(found.differences["strategy"] == strategy.name).to_dicts()
        }
        table = Table(
            title=f"\n{strategy.title}", title_justify="left", title_style="italic", box=SIMPLE_HEAD, pad_edge=False
        )
        for heading in ("", "Baseline", "Difference", "95% interval", *((FUTURES,) if fitted else ())):
            whole = (
                heading in ("Baseline", "Difference") or not fitted
            )  # one column more: in a narrow window words and ranges may go on below
            table.add_column(heading, justify="right" if heading else "left", no_wrap=whole)
        for name in shown:
            row, label = rows[name], shown_measure(name)
            unit = POUNDS if label.unit == POUNDS else COUNT  # the label says days
            value, low, high = rounded_alike(
                Estimate.of(row["difference"], row["low"], row["high"], row["baseline_mean"]), unit
            )
            base = rounded_alike(Estimate(row["baseline_mean"]), unit, signed=False)[0]
            wide = interval_words(
                Estimate.of(row["difference"], row["spread_low"], row["spread_high"], row["baseline_mean"]), unit
            )
            table.add_row(label.label, base, value, f"{low} to {high}" if low else "none", *((wide,) if fitted else ()))
        out_console.print(table)
    for sentence in report_sentences(ReportInput.of(found)):
        out_console.print(f"\n{sentence}", highlight=False)
    _print_fit(found.manifest)
