"""What every verb shares: the app, the two consoles, common options, the progress bar."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.box import SIMPLE_HEAD
from rich.cells import cell_len
from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table as Grid
from rich.text import Text

from simcare import __version__

if TYPE_CHECKING:
    from simcare.files.result_folders import ResultsFolder
    from simcare.report.exhibit import Exhibit, Table

app = typer.Typer(
    help="What care would cost, and how independent people would be, if it were commissioned differently.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    rich_markup_mode="markdown",
)
out_console = Console()
err_console = Console(stderr=True)

YEARS = typer.Option("--years", min=1, max=60, help="Financial years to simulate.")
REPS = typer.Option("--reps", min=1, max=100_000, help="Replications: possible futures to try.")
SEED = typer.Option("--seed", min=0, max=2**62, help="The same seed gives the same result.")
Engine = Annotated[
    str,
    typer.Option(
        "--engine",
        help=(
            "The clock that carries the rulebook: simpy (the reference, open to hooks) or compiled (the same results,"
            " for volume)."
        ),
    ),
]
Workers = Annotated[int | None, typer.Option("--workers", min=1, help="Processes to use; all cores unless given.")]
Out = Annotated[
    Path | None,
    typer.Option(
        "--out", help="Folder for the results; runs/NAME unless given, or runs/NAME-2 if another run is there."
    ),
]
Force = Annotated[bool, typer.Option("--force", help="Replace what another run left in the folder.")]
FitName = Annotated[
    str | None,
    typer.Option(
        "--fit",
        help=(
            "Draw the model's parameters from a fit: its name in the library, or the path of the file or folder that"
            " simcare calibrate wrote. Each replication has a draw of its own, the same for every strategy."
        ),
    ),
]
AsJson = Annotated[
    bool, typer.Option("--json", help="Print a machine-readable summary, and nothing else, on standard output.")
]


def _version(asked: bool) -> None:
    if asked:
        out_console.print(f"simcare {__version__}", highlight=False)
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """What care would cost, and how independent people would be, if it were commissioned differently."""


@contextmanager
def progress_bar(what: str, engine: str) -> Iterator[Callable[[int, int], None]]:
    """A bar on standard error; the first run on a machine also says that the rulebook is being compiled."""
    from simcare.rules.compile import is_compiled

    first = "" if is_compiled() else ": compiling the rulebook first, once on this machine, a minute or two"
    with working(f"{what} ({engine})", first) as tick:
        yield tick


@contextmanager
def working(what: str, at_first: str = "") -> Iterator[Callable[[int, int], None]]:
    """A bar on standard error for anything that takes more than a moment; ``at_first`` stands beside it until the first
    piece is done."""
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=err_console, transient=True) as bar:
        task = bar.add_task(what + at_first, total=None)

        def tick(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total, description=what)

        yield tick


@contextmanager
def going_on(parts: Path) -> Iterator[None]:
    """Work whose results are kept in a folder of parts: says if it goes on from some, and at a stop what is kept."""
    from simcare.runs.kept import count_parts

    if parts.is_dir():
        before = f"Going on with the {count_parts(parts)} results that are kept in {parts}."
        err_console.print(before, highlight=False, markup=False, soft_wrap=True)
    try:
        yield
    except KeyboardInterrupt:
        kept = f"Stopped; {count_parts(parts)} results are kept in {parts}, and the same command goes on from there."
        err_console.print(kept, highlight=False, markup=False, soft_wrap=True)
        raise typer.Exit(1) from None


def command() -> str:
    return shlex.join(["simcare", *sys.argv[1:]])


def print_table(table: Table, of: str = "", only: Sequence[str] = ()) -> None:
    """A table of a page on the terminal; ``of`` adds to its caption, ``only`` names the columns that fit.

    Nothing is cut: text wraps between words. Where not even the longest words fit side by side, each row is a block, a
    line for each number.
    """
    columns = [k for k, head in enumerate(table.head) if not only or head in only]
    heads, rows = [table.head[k] for k in columns], [[row[k] for k in columns] for row in table.rows]
    words = sum(k < table.headers for k in columns)
    widths = fitting_widths([heads, *rows], out_console.width)
    if widths is None:
        _print_blocks(table.caption + of, heads, rows, words)
        return
    shown = Grid(title=f"\n{escape(table.caption + of)}", title_justify="left", box=SIMPLE_HEAD, pad_edge=False)
    for k, (head, width) in enumerate(zip(heads, widths, strict=True)):
        shown.add_column(escape(head), justify="left" if k < words else "right", width=width, overflow="fold")
    for row in rows:
        shown.add_row(*map(escape, row))
    out_console.print(shown, highlight=False)


def fitting_widths(lines: Sequence[Sequence[str]], across: int) -> list[int] | None:
    """The width of each column of a table so that no word is broken: wide columns give way first. None where the
    longest words are too many ``across``.

    >>> fitting_widths([["Contract", "Expected stay"], ["as now", "71 days"]], 30)
    [8, 13]
    >>> fitting_widths([["Contract", "Expected stay"], ["as now", "71 days"]], 22)
    [8, 9]
    >>> fitting_widths([["Contract", "Expected stay"], ["as now", "71 days"]], 16)
    """
    every = list(zip(*lines, strict=True))
    least = [max((cell_len(word) for cell in column for word in cell.split()), default=1) for column in every]
    whole = [max(1, *map(cell_len, column)) for column in every]
    room = across - 3 * len(every) + 1  # between two columns stand three cells; at the edges one each
    if sum(least) > room:
        return None
    widths = whole
    for most in range(max(whole), 0, -1):
        if sum(widths) <= room:
            break
        widths = [max(low, min(full, most)) for low, full in zip(least, whole, strict=True)]
    return widths


def _print_blocks(caption: str, heads: Sequence[str], rows: Sequence[Sequence[str]], words: int) -> None:
    """A table that is wider than the terminal: each row by itself, its name first."""
    print_lines([caption], gap=True)
    for row in rows:
        out_console.print(", ".join(cell for cell in row[:words] if cell), highlight=False, markup=False)
        for head, cell in zip(heads[words:], row[words:], strict=True):
            if cell:
                said = f"{head}: {cell}" if head else cell
                out_console.print(Padding(Text(said), (0, 0, 0, 2)), highlight=False)


def print_exhibit(shown: Exhibit, of: str = "", only: Sequence[str] = ()) -> None:
    """The table of an exhibit on the terminal, as :func:`print_table` prints one."""
    if shown.table is not None:
        print_table(shown.table, of, only)


def print_lines(lines: Iterable[str], gap: bool = False) -> None:
    """Sentences, a paragraph each; with a ``gap``, an empty line before each."""
    for line in lines:
        out_console.print(f"\n{line}" if gap else line, highlight=False, markup=False)


def print_warnings(warnings: Iterable[str], console: Console = err_console) -> None:
    """What is perhaps not as it was meant: on standard error, before any work."""
    from simcare.model.cautions import warning_lines

    for said in warning_lines(warnings):
        console.print(said, highlight=False, markup=False, soft_wrap=True)


def chosen_folder(out: Path | None, name: str, asked: Mapping[str, Any], force: bool) -> ResultsFolder:
    """Where results go (:func:`simcare.files.result_folders.results_folder`); what is to be said of what is there goes
    to standard error."""
    from simcare.files.result_folders import results_folder

    found = results_folder(out, name, asked, force)
    if found.notice:
        err_console.print(found.notice, highlight=False, markup=False, soft_wrap=True)
    return found


def print_json(summary: Mapping[str, Any]) -> None:
    """The machine-readable summary, the only thing on standard output."""
    from simcare.files.json_text import json_text

    print(json_text(summary))
