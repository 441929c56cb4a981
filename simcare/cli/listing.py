"""``simcare list``: what can be asked for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import typer

from simcare.cli.common import AsJson, app, out_console, print_json
from simcare.errors import BadInput

GAP = "  "


@app.command("list")
def list_names(
    model: Annotated[
        str | None, typer.Argument(help="Path of a model or experiment file, or a name in the library.")
    ] = None,
    kind: Annotated[
        str | None, typer.Argument(help="What of it: services, providers, stages, clocks, paths and so on.")
    ] = None,
    like: Annotated[str | None, typer.Option("--like", help="Only lines that hold these words, in any order.")] = None,
    as_json: AsJson = False,
) -> None:
    """What can be asked for: the library's files; what a model holds; every name of a kind, in full.

    `paths` lists every number that a strategy may change, with its value, unit, source and grade.

    Example: `simcare list kent-2013 paths --like "care home"`
    """
    if kind is not None and model is not None:
        _one_kind(model, kind, like, as_json)
    elif like is not None:
        raise BadInput("--like: say of which model and kind, such as kent-2013 paths")
    elif model is not None:
        _kinds(model, as_json)
    else:
        _library(as_json)


def _library(as_json: bool) -> None:
    from simcare.files.library import TAKEN_BY
    from simcare.files.listing import ABOUT, library_files

    files = library_files()
    if as_json:
        print_json({"library": [file._asdict() for file in files], "kinds": list(ABOUT)})
        return
    taken = {**TAKEN_BY, "series": "simcare forecast takes it"}
    width = max(len(file.name) for file in files)
    for folder in dict.fromkeys(file.folder for file in files):
        _line(f"{folder.capitalize()} ({taken[folder].replace('takes it', 'NAME')})")
        for file in files:
            if file.folder == folder:
                _line(f"{GAP}{file.name.ljust(width)}{GAP}{file.title}")
    _line(f"Kinds (simcare list MODEL KIND)\n{GAP}{', '.join(ABOUT)}")


def _kinds(model: str, as_json: bool) -> None:
    from simcare.files.listing import ABOUT, listed_kinds

    found = listed_kinds(model)
    if as_json:
        print_json({"of": model, "kinds": {kind: len(rows.rows) for kind, rows in found.items()}})
        return
    _columns(("Kind", "How many", "What it is"), [(k, str(len(r.rows)), ABOUT[k]) for k, r in found.items()])
    _line(f"\nsimcare list {model} KIND lists one kind in full.")


def _one_kind(model: str, kind: str, like: str | None, as_json: bool) -> None:
    from simcare.files.listing import cell_text, listed_kind, nothing_listed

    heads, rows = listed_kind(model, kind, like)
    if as_json:
        keys = [head.lower().replace(" ", "_") for head in heads]
        found: dict[str, Any] = {"of": model, kind: [dict(zip(keys, row, strict=True)) for row in rows]}
        print_json(found)
    elif rows:
        _columns(heads, [[cell_text(cell) for cell in row] for row in rows])
    else:
        _line(f"{nothing_listed(model, kind, like)}.")


def _columns(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Columns side by side, never cut and never broken, whatever the width of the terminal."""
    lines = [heads, *rows]
    widths = [max(len(line[k]) for line in lines) for k in range(len(heads))]
    for line in lines:
        _line(GAP.join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def _line(text: str) -> None:
    out_console.print(text, highlight=False, markup=False, soft_wrap=True)
