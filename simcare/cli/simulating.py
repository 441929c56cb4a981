"""``simcare run``, ``compare`` and ``report``: simulate, and read the results."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from simcare.cli.common import (
    REPS,
    SEED,
    YEARS,
    AsJson,
    Central,
    Engine,
    FitName,
    Force,
    Out,
    Workers,
    app,
    chosen_folder,
    command,
    out_console,
    print_json,
    print_lines,
    print_table,
    print_warnings,
    progress_bar,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from simcare.decide.comparison import Comparison
    from simcare.model import Model
    from simcare.runs.drawing import Drawing
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
    central: Central = False,
    out: Out = None,
    force: Force = False,
    log: Annotated[bool, typer.Option("--log", help="Keep the event log (log.parquet).")] = False,
    as_json: AsJson = False,
) -> None:
    """Run one model and write its measures and report.

    Example: `simcare run kent-2013 --years 2 --reps 2 --seed 1 --out runs/first`

    With uncertain parameters: `simcare run kent-2013 --fit runs/calibrated --out runs/fitted`, where runs/calibrated
    holds a fit.json
    """
    from simcare.files.digests import fingerprint
    from simcare.files.load import load_model
    from simcare.model.cautions import model_cautions

    chosen = load_model(model)
    drawing = _drawing(chosen, fit, central)
    asked: dict[str, Any] = {"verb": "run", "model": fingerprint(chosen)}
    asked |= {"years": years, "replications": reps, "seed": seed}
    asked |= {"engine": engine, "drawing": drawing.manifest_entry, "log": log}
    folder = chosen_folder(out, chosen.about.name, asked, force)
    print_warnings(model_cautions(chosen))

    from simcare.report.folders import write_run, yearly  # heavy: only for input that is good
    from simcare.runs.drawing import NO_FIT
    from simcare.runs.run import run as run_model

    with progress_bar("Running", engine) as progress:
        done = run_model(
            chosen,
            years,
            reps,
            seed,
            engine=engine,
            workers=workers,
            keep_log=log,
            progress=progress,
            fit=drawing.fit or NO_FIT,
            central=central,
        )
    done = replace(done, manifest=done.manifest | folder.entry)
    report = write_run(done, folder.path, command(), log=log)
    if as_json:
        by_year = yearly(done).to_dicts()
        print_json({"manifest": done.manifest, "out": str(folder.path), "yearly": by_year})
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
        int | None,
        typer.Option(
            "--reps",
            min=2,
            max=100_000,
            help="Replications: possible futures to try; as many as it takes unless given.",
        ),
    ] = None,
    precision: Annotated[
        float | None,
        typer.Option(
            "--precision",
            min=0.01,
            max=1,
            help="Monte Carlo error of a mean difference, as a part of its spread: how exact is exact enough.",
        ),
    ] = None,
    seed: Annotated[int | None, SEED] = None,
    engine: Engine = "compiled",
    workers: Workers = None,
    fit: FitName = None,
    central: Central = False,
    out: Out = None,
    force: Force = False,
    as_json: AsJson = False,
) -> None:
    """Compare strategies with the baseline, with the same simulated people and the same chance events.

    Example: `simcare compare prevention --reps 4 --out runs/prevention`

    With uncertain parameters: `simcare compare prevention --fit runs/calibrated --reps 100`, where runs/calibrated
    holds a fit.json
    """
    from simcare.files.digests import fingerprint
    from simcare.files.load import read_experiment, with_options
    from simcare.model.cautions import experiment_cautions

    chosen = read_experiment(experiment)
    chosen = chosen._replace(
        experiment=with_options(chosen, replications=reps, precision=precision, years=years, seed=seed)
    )
    drawing = _drawing(chosen.model, fit, central)
    asked: dict[str, Any] = {"verb": "compare", "experiment": fingerprint(chosen.experiment)}
    asked |= {"model": fingerprint(chosen.extended)}
    asked |= {"engine": engine, "drawing": drawing.manifest_entry}
    folder = chosen_folder(out, chosen.experiment.name, asked, force)
    print_warnings(experiment_cautions(chosen.experiment, chosen.extended))

    from simcare.decide.comparison import compare as compare_strategies  # heavy: only for input that is good
    from simcare.report.folders import write_comparison
    from simcare.runs.drawing import NO_FIT

    with progress_bar("Comparing", engine) as progress:
        found = compare_strategies(
            chosen, engine=engine, workers=workers, progress=progress, fit=drawing.fit or NO_FIT, central=central
        )
    found = replace(found, manifest=found.manifest | folder.entry)
    report = write_comparison(found, folder.path, command())
    if as_json:
        print_json({"manifest": found.manifest, "out": str(folder.path), "differences": found.differences.to_dicts()})
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


def _drawing(model: Model, fit: str | None, central: bool) -> Drawing:
    """What the run is to draw, refused before any work if it cannot."""
    from simcare.runs.drawing import drawing_of  # heavy: only for input that is good

    return drawing_of(model, fit, central)


def _print_drawn(manifest: Mapping[str, Any]) -> None:
    """What was drawn of what is not known, from where, and what the published data say little about."""
    from simcare.report.fit_wording import drawn_sentence

    if said := drawn_sentence(manifest):
        print_lines([said], gap=True)


def _print_run(done: Run) -> None:
    from simcare.report.brief_tables import brief_years_table
    from simcare.report.folders import yearly
    from simcare.report.summaries import range_words

    caption = f"{done.model.about.title}: mean, and {range_words(done.replications)}"
    print_table(brief_years_table(yearly(done), caption))
    _print_drawn(done.manifest)


def _print_comparison(found: Comparison) -> None:
    from simcare.model.cautions import effects_as_used
    from simcare.report import summaries
    from simcare.report.brief_tables import council_table, difference_table, exactness, measures_shown
    from simcare.report.decision import brief_decision
    from simcare.report.findings import report_sentences
    from simcare.report.report_input import ReportInput

    experiment, start = found.experiment, found.model.about.start
    span = f"{experiment.years} years from {start:%B %Y}"
    out_console.print(f"{experiment.title}: differences from the baseline over {span}", style="bold")
    given = ReportInput.of(found)
    for table in council_table(summaries.cost_changes(found.measures, given.titles), given.titles):
        print_table(table)
    for strategy in experiment.strategies:
        print_table(difference_table(found.differences, strategy, measures_shown(experiment)))
    print_lines(report_sentences(given), gap=True)
    if used := effects_as_used(experiment):
        print_lines(["Effects that are not used as asked:", *used], gap=True)
    _print_drawn(found.manifest)
    decision, worth = brief_decision(given)
    print_table(decision)
    print_lines([*worth, *exactness(experiment)], gap=True)
