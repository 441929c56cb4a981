"""What every verb shares: the app, the two consoles, common options, the progress bar."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table

from simcare import __version__

if TYPE_CHECKING:
    from simcare.report.page import PageTable

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
Workers = Annotated[int | None, typer.Option("--workers", min=1, help="Processes to use; all cores unless said.")]
Out = Annotated[Path | None, typer.Option("--out", help="Folder for the results; runs/NAME unless said.")]
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
    """A bar on standard error for anything that takes more than a moment; ``at_first`` is shown until the first piece
    is done."""
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


def command() -> str:
    return shlex.join(["simcare", *sys.argv[1:]])


def print_table(table: PageTable, of: str = "") -> None:
    shown = Table(title=f"\n{escape(table.title + of)}", title_justify="left", box=SIMPLE_HEAD, pad_edge=False)
    for k, head in enumerate(table.heads):
        shown.add_column(head, justify="left" if k == 0 else "right")
    for row in table.rows:
        shown.add_row(*(escape(cell) for cell in row))
    out_console.print(shown, highlight=False)
