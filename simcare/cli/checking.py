"""``simcare check`` and ``simcare schema``: what a file must hold."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from simcare.cli.common import AsJson, app, out_console, print_json, print_table, print_warnings
from simcare.errors import BadInput

if TYPE_CHECKING:
    from simcare.files.load import CheckedTables
    from simcare.model import Figure


@app.command()
def check(
    files: Annotated[
        list[str], typer.Argument(help="Model, experiment, calibration, series or fit files, or names in the library.")
    ],
    assumptions: Annotated[
        bool, typer.Option("--assumptions", help="List every number that is an assumption (grade D).")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Validate files: one line for each fault, with file, path, value and near miss; exit code 2.

    Example: `simcare check kent-2013 my-experiment.toml --assumptions`
    """
    faults: list[str] = []
    listed: dict[str, list[Figure]] = {}
    noted: dict[str, list[str]] = {}
    warned: dict[str, list[str]] = {}
    for name in files:
        try:
            kind, figures, warnings, notes = _checked(name)
        except BadInput as error:
            faults += error.faults
            continue
        listed[name], warned[name], noted[name] = figures, warnings, notes
        if not as_json:
            grades = ", ".join(f"{sum(f.grade == g for f in figures)} {g}" for g in "ABCD")
            counted = f"; {len(figures)} numbers by grade: {grades}" if figures else ""
            out_console.print(f"{name}: {kind} is valid{counted}", highlight=False, markup=False, soft_wrap=True)
            print_warnings(warnings, out_console)
            for note in notes:
                out_console.print(f"Note: {note}.", highlight=False, markup=False, soft_wrap=True)
            if assumptions:
                _print_assumptions([f for f in figures if f.grade == "D"])
    if as_json:
        rows = {
            name: [f.model_dump(mode="json") for f in figures if not assumptions or f.grade == "D"]
            for name, figures in listed.items()
        }
        print_json({"valid": list(listed), "faults": faults, "warnings": warned, "notes": noted, "numbers": rows})
    if faults:
        raise BadInput(faults)


def _checked(name: str) -> CheckedTables:
    """The file, checked; a fit and a series have no numbers of their own."""
    from simcare.demand.tables import KINDS
    from simcare.files.fit import check_fit, is_fit
    from simcare.files.load import CheckedTables, check_file, is_calibration

    if is_fit(name):
        return CheckedTables(check_fit(name), [], [], [])
    if Path(name).suffix.lower() in KINDS and Path(name).is_file():
        return _checked_table(name)
    if is_calibration(name):
        from simcare.calibrate.reading import load_calibration
        from simcare.model import sourced_figures

        loaded = load_calibration(name)
        lost = f" ({loaded.unreached} more are of years that no run reaches)" if loaded.unreached else ""
        kind = f"calibration of {len(loaded.fitted)} fitted and {len(loaded.held_out)} held-out values{lost}"
        return CheckedTables(kind, list(sourced_figures(loaded.calibration)), [], [])
    return check_file(name)


def _checked_table(name: str) -> CheckedTables:
    """A table of published values, or of monthly series, with what is to be known of them."""
    from simcare.calibrate.published_tables import check_table
    from simcare.demand.reading import read_series
    from simcare.demand.shifts import shift_notes
    from simcare.files.load import CheckedTables

    if found := check_table(name):
        return CheckedTables(found, [], [], [])
    every = read_series(name)
    notes = {label: [*series.notes, *shift_notes(series)] for label, series in every.items()}
    shared = [note for note in next(iter(notes.values())) if all(note in mine for mine in notes.values())]
    own = [f"{label}: {note}" for label, mine in notes.items() for note in mine if note not in shared]
    return CheckedTables(f"file of {len(every)} monthly series", [], [], [*shared, *own])


def _print_assumptions(figures: list[Figure]) -> None:
    """Every assumption: where it stands, its value as the file has it, and why."""
    from simcare.report.exhibit import Table

    rows = []
    for figure in figures:
        shown = ", ".join(f"{v:,.12g}" for v in figure.value)
        since = "" if figure.since is None else f" from {figure.since}"
        rows.append((figure.path, shown + since, figure.note or "assumption"))
    print_table(Table("Numbers that are assumptions", ("Number", "Value", "Why"), tuple(rows)))


@app.command()
def schema(what: Annotated[str, typer.Argument(help="model, experiment or calibration.")]) -> None:
    """Print the JSON Schema of a kind of file, for editors that complete and check as you type.

    Example: `simcare schema model > model.schema.json`
    """
    from simcare.files.schemas import file_schema

    print(json.dumps(file_schema(what), indent=1))
