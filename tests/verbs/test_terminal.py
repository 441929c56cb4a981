"""Tables on the terminal, narrow and wide: no line is longer than it, and no word or number is cut."""

from __future__ import annotations

import io
from typing import NamedTuple

import pytest
from hypothesis import given as for_all
from hypothesis import settings
from hypothesis import strategies as st
from rich.console import Console
from typer.testing import CliRunner

from simcare.cli import app, checking, common, simulating
from simcare.report.exhibit import Table
from tests.support.paths import SUPPORT, TOY

REFERRALS = SUPPORT / "cases" / "suppressed-small-counts" / "small_full.csv"
VERBS = {
    "run": ["run", str(TOY), "--years", "2", "--reps", "2", "--engine", "compiled"],
    "compare": ["compare", str(SUPPORT / "toy-experiment.toml"), "--engine", "compiled"],
    "tariff": ["tariff", "kent-2013", "--service", "intensive_home_care_older", "--experiment", "tiered-tariffs"],
    "check": ["check", "kent-2013", "--assumptions"],
    "forecast": ["forecast", str(REFERRALS), "--horizon", "12"],
}


class Printed(NamedTuple):
    """A table that a verb printed, and its columns if not all."""

    table: Table
    of: str
    only: tuple[str, ...]


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Printed]]:
    """What each verb prints, carried out once."""
    found: dict[str, list[Printed]] = {verb: [] for verb in VERBS}
    with pytest.MonkeyPatch.context() as patch:
        for verb, command in VERBS.items():

            def keep(table: Table, of: str = "", only: tuple[str, ...] = (), verb: str = verb) -> None:
                found[verb].append(Printed(table, of, tuple(only)))

            for room in (common, simulating, checking):
                patch.setattr(room, "print_table", keep)
            out = [] if verb == "check" else ["--out", str(tmp_path_factory.mktemp(verb) / "out")]
            done = CliRunner().invoke(app, [*command, *out])
            assert done.exit_code == 0, done.output
    return found


def on_screen(shown: Printed, width: int) -> str:
    """The table as a terminal of so many columns shows it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(common, "out_console", Console(file=io.StringIO(), width=width, color_system=None))
        common.print_table(*shown)
        return str(common.out_console.file.getvalue())  # type: ignore[attr-defined]


def assert_whole(shown: Printed, width: int) -> None:
    text = on_screen(shown, width)
    assert "…" not in text
    assert max(map(len, text.splitlines())) <= width, text
    words = {word for token in text.split() for word in (token, token.rstrip(":,"))}
    columns = [k for k, head in enumerate(shown.table.head) if not shown.only or head in shown.only]
    for row in (shown.table.head, *shown.table.rows):
        for k in columns[shown.table.headers :] if row is shown.table.head else columns:
            for word in row[k].split():
                assert word in words or len(word) > width - 2, f"{word!r} is not whole in\n{text}"


@pytest.mark.slow
@pytest.mark.xdist_group("terminal")  # what is carried out once is shared
@pytest.mark.parametrize("width", [60, 80, 120])
@pytest.mark.parametrize("verb", VERBS)
def test_no_table_is_cut(printed: dict[str, list[Printed]], verb: str, width: int) -> None:
    assert printed[verb]
    for shown in printed[verb]:
        assert_whole(shown, width)


@settings(deadline=None, max_examples=50)
@for_all(
    st.integers(1, 6).flatmap(
        lambda n: st.lists(st.lists(st.text("ab £1.", max_size=24), min_size=n, max_size=n), min_size=2, max_size=5)
    ),
    st.integers(30, 120),
)
def test_whatever_a_table_holds_no_word_of_it_is_cut(lines: list[list[str]], width: int) -> None:
    head, *rows = (tuple(" ".join(cell.split()) or "x" for cell in line) for line in lines)
    assert_whole(Printed(Table("A caption that says what it is", head, tuple(rows)), "", ()), width)
