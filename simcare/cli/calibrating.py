"""``simcare calibrate``: what the records cannot show, found from what they can."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from simcare.cli.common import AsJson, Workers, app, command, err_console, out_console, print_table, working

if TYPE_CHECKING:
    from simcare.runs.workers import Progress


@app.command()
def calibrate(
    calibration: Annotated[
        str, typer.Argument(help="Path of a calibration file, or a name in the library such as kent-2013.")
    ],
    workers: Workers = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="Folder for the results; runs/calibration-NAME unless said.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Fit a model's free parameters to what was published, show what is identified, and test the fit on held-out years.

    Minutes of work; runs are kept as they are done, so that the same command goes on after a stop.

    Example: `simcare calibrate kent-2013 --out runs/calibration`
    """
    from simcare.calibrate.reading import load_calibration
    from simcare.files.atomic import check_free

    loaded = load_calibration(calibration)
    folder = out or Path("runs") / f"calibration-{loaded.calibration.name}"
    check_free(folder)

    from simcare.calibrate.fitting import calibrate as carry_out  # heavy imports: only for input that is good
    from simcare.calibrate.scoring import by_series, hindcast_table
    from simcare.report.calibration_page import (
        HINDCAST,
        REPORT,
        findings,
        parameter_table,
        score_table,
        write_calibration,
    )
    from simcare.runs.kept import clear_parts, count_parts, parts_beside

    began = dt.datetime.now(dt.UTC)
    parts = parts_beside(folder)
    if parts.is_dir():
        err_console.print(
            f"Going on with the runs that are kept in {parts}", highlight=False, markup=False, soft_wrap=True
        )
    try:
        found = carry_out(loaded, parts, workers, _told)
    except KeyboardInterrupt:
        err_console.print(
            f"Stopped; {count_parts(parts)} results are kept in {parts}, and the same command goes on from there.",
            highlight=False,
            markup=False,
        )
        raise typer.Exit(1) from None
    took = round((dt.datetime.now(dt.UTC) - began).total_seconds(), 1)
    fit = write_calibration(
        found, folder, {"command": command(), "began": began.isoformat(timespec="seconds"), "wall_seconds": took}
    )
    clear_parts(parts)
    said = findings(found, fit)
    if as_json:
        summary = {
            "out": str(folder),
            "coverage": fit.coverage,
            "widened": fit.widened,
            "prior_driven": [p.name for p in fit.prior_driven],
        }
        parameters = [p.model_dump(mode="json", exclude={"multiply", "paths", "base_sha256"}) for p in fit.parameters]
        print(
            json.dumps(
                {**summary, "parameters": parameters, "scores": by_series(hindcast_table(found)).to_dicts()},
                indent=1,
                default=str,
            )
        )
        return
    print_table(parameter_table(fit))
    if found.held_out.any():
        print_table(score_table(by_series(hindcast_table(found)), brief=True))
    for sentence in said:
        out_console.print(f"\n{sentence}", highlight=False, markup=False)
    out_console.print(
        f"\nFit:      {folder / 'fit.json'}   (simcare run {fit.model} --fit {folder})", soft_wrap=True, highlight=False
    )
    out_console.print(f"Report:   {folder / REPORT}", soft_wrap=True, highlight=False)
    if found.held_out.any():
        out_console.print(f"Hindcast: {folder / HINDCAST}", soft_wrap=True, highlight=False)


@contextmanager
def _told(what: str) -> Iterator[Progress]:
    """A progress bar for one piece of the work."""
    from simcare.rules.compile import is_compiled

    first = "" if is_compiled() else ": compiling the rulebook first, once on this machine, a minute or two"
    with working(what, first) as tick:
        yield tick
