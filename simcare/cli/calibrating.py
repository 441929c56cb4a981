"""``simcare calibrate``: parameters that the records do not show, estimated from what they do."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from simcare.cli.common import (
    AsJson,
    Force,
    Workers,
    app,
    chosen_folder,
    command,
    going_on,
    out_console,
    print_exhibit,
    print_json,
    print_lines,
    working,
)

if TYPE_CHECKING:
    from simcare.report.calibration_page import CalibrationResult
    from simcare.runs.workers import Progress


@app.command()
def calibrate(
    calibration: Annotated[
        str, typer.Argument(help="Path of a calibration file, or a name in the library such as kent-2013.")
    ],
    workers: Workers = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="Folder for the results; runs/calibration-NAME unless given.")
    ] = None,
    force: Force = False,
    as_json: AsJson = False,
) -> None:
    """Fit a model's free parameters to published data, show which of them the data inform, and test the fit on held-out
    years.

    Minutes of work; runs are kept as they are done, so that the same command goes on after a stop.

    Example: `simcare calibrate kent-2013 --out runs/calibration`
    """
    from simcare.calibrate.reading import load_calibration
    from simcare.files.digests import fingerprint

    loaded = load_calibration(calibration)
    asked = {"verb": "calibrate", "calibration": fingerprint(loaded.calibration), "inputs": dict(loaded.inputs)}
    chosen = chosen_folder(out, f"calibration-{loaded.calibration.name}", asked, force)
    folder = chosen.path

    # Heavy imports: only for input that is good.
    from simcare.calibrate.fitting import calibrate as carry_out
    from simcare.report.calibration_page import calibration_result, write_calibration
    from simcare.runs.kept import clear_parts, parts_beside

    began = dt.datetime.now(dt.UTC)
    parts = parts_beside(folder)
    with going_on(parts):
        found = carry_out(loaded, parts, workers, _progress)
    took = round((dt.datetime.now(dt.UTC) - began).total_seconds(), 1)
    result = calibration_result(found)
    about = {"command": command(), "began": began.isoformat(timespec="seconds"), "wall_seconds": took, **chosen.entry}
    write_calibration(found, result, folder, about)
    clear_parts(parts)
    if as_json:
        print_json(_summary(result, folder))
    else:
        _print_calibration(result, folder)


def _summary(result: CalibrationResult, folder: Path) -> dict[str, Any]:
    """The machine-readable summary."""
    fit = result.fit
    left_out = {"multiply", "paths", "base_sha256"}
    return {
        "out": str(folder),
        "coverage": fit.coverage,
        "widened": fit.widened,
        "prior_driven": [p.name for p in fit.prior_driven],
        "at_bound": [p.name for p in fit.at_bounds],
        "parameters": [p.model_dump(mode="json", exclude=left_out) for p in fit.parameters],
        "scores": [] if result.hindcast is None else result.hindcast.scores.frame.to_dicts(),
    }


def _print_calibration(result: CalibrationResult, folder: Path) -> None:
    from simcare.report.calibration_page import FIT, HINDCAST, REPORT
    from simcare.report.hindcast_page import BRIEF_SCORES

    print_exhibit(result.exhibits.parameters)
    if result.hindcast is not None:
        print_exhibit(result.hindcast.scores, only=BRIEF_SCORES)
    print_lines(result.findings, gap=True)
    fit = f"{folder / FIT}   (simcare run {result.fit.model} --fit {folder})"
    out_console.print(f"\nFit:      {fit}", soft_wrap=True, highlight=False)
    out_console.print(f"Report:   {folder / REPORT}", soft_wrap=True, highlight=False)
    if result.hindcast is not None:
        out_console.print(f"Hindcast: {folder / HINDCAST}", soft_wrap=True, highlight=False)


@contextmanager
def _progress(what: str) -> Iterator[Progress]:
    """A progress bar for one piece of the work."""
    from simcare.rules.compile import is_compiled

    first = "" if is_compiled() else ": compiling the rulebook first, once on this machine, a minute or two"
    with working(what, first) as tick:
        yield tick
