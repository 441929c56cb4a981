"""What a page is made of: an exhibit is one frame, made once, and what is shown of it: a figure, a table, a sentence, a
file.

One function makes an exhibit. It makes the frame and hands it to ``…_figure(frame, …)`` and ``…_table(frame, …)``, so
that the two cannot contradict each other, nor the file that is written beside the page.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import plotly.graph_objects as go
import polars as pl

from simcare.files.csv_text import write_csv

Look = Literal["plain", "wrap", "stack", "ranks", "below", "words", "grades"]


@dataclass(frozen=True)
class Table:
    """A table as text. ``rows`` are cells; the first ``headers`` cells of a row name it, the rest are numbers.

    ``look``: "plain" numbers on one line; "wrap" numbers that may break into lines; "ranks" narrow ones; "below"
    numbers with what stands in brackets below them; "stack" and "words" hold words alone (``headers`` is the number of
    columns), and a row of "stack" is a block of its own on a phone; "grades" marks each row by its first cell.
    """

    caption: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    headers: int = 1
    look: Look = "plain"


@dataclass(frozen=True)
class Exhibit:
    """What a page shows of one frame.

    ``name`` is unique on its page, and the stem of the frame's file. ``frame`` is what is shown, made once. ``title``
    is the heading: of a figure, the title that it carries itself. ``note`` stands below: how to read it. ``sentence``
    is what it comes to, in plain words: pages quote it among their findings and the terminal prints it. The numbers of
    a figure stand in its table, which is folded away below it unless ``unfolded``. What a figure shows, for people who
    do not see it, stands in ``figure.layout.meta["alt"]``.
    """

    name: str
    title: str
    frame: pl.DataFrame
    table: Table | None = None
    figure: go.Figure | None = None
    sentence: str = ""
    note: str = ""
    unfolded: bool = False


def words_table(frame: pl.DataFrame, caption: str, head: Iterable[str], look: Look = "words") -> Table:
    """A table of words that stand in the frame as they are shown, a column a column."""
    rows = tuple(tuple(str(cell) for cell in row) for row in frame.iter_rows())
    return Table(caption, tuple(head), rows, headers=frame.width, look=look)


def exhibit_name(*parts: str) -> str:
    """A name that is safe in a file and in an address.

    >>> exhibit_name("people", "older people", "early_help")
    'people-older-people-early_help'
    """
    return re.sub(r"[^\w-]+", "-", "-".join(part for part in parts if part)).strip("-").lower()


def write_exhibit(shown: Exhibit, folder: Path) -> Path:
    """Write the frame of an exhibit beside the page, as CSV under the exhibit's name."""
    path = folder / f"{shown.name}.csv"
    write_csv(shown.frame, path)
    return path


def sentences(shown: Iterable[Exhibit]) -> list[str]:
    """What exhibits come to, in order; those without a sentence are left out."""
    return [one.sentence for one in shown if one.sentence]


__all__ = ["Exhibit", "Table", "exhibit_name", "sentences", "words_table", "write_exhibit"]
