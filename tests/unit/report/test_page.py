"""The one builder of pages: exhibits keep to their section, and two of one name are refused."""

from __future__ import annotations

from pathlib import Path

import plotly.graph_objects as go
import polars as pl
import pytest

from simcare.report import theme
from simcare.report.exhibit import Exhibit, Table, words_table, write_exhibit
from simcare.report.page import Chooser, Facts, Searchable, Section, Text, Views, exhibits_of, page
from tests.support.html_page import Page

FRAME = pl.DataFrame({"what": ["a", "b"], "value": [1.5, -2.0]})
TABLE = Table("A caption", ("What", "Value"), (("a", "1.5"), ("b", "−2.0")))


def drawn(alt: str = "Two dots, of a and of b.") -> go.Figure:
    panels = theme.Panels(1, 1)
    return theme.figure("A figure", alt, panels, panels)


def of(*blocks: Exhibit | Text | Facts | Searchable | Views, heading: str = "Heading") -> Page:
    return Page(page("Title", "Lead.", (), [Section(heading, blocks, key="key", contents="Short")]))


def test_a_figure_has_its_table_folded_away_below_it() -> None:
    found = of(Exhibit("one", "A figure", FRAME, TABLE, drawn(), note="How to read it."))
    assert [a["id"] for a in found.of("figure")] == ["one"]
    assert found.of("div")[0]["aria-label"] == "Two dots, of a and of b."
    assert len(found.of("details")) == len(found.of("table")) == len(found.of("figcaption")) == 1
    assert "Table: the numbers of this figure" in found.text
    assert "one-data" in found.data


def test_a_table_may_stand_open_below_its_figure() -> None:
    found = of(Exhibit("one", "A figure", FRAME, TABLE, drawn(), unfolded=True))
    assert not found.of("details")
    assert len(found.of("table")) == 1


def test_a_page_without_figures_carries_no_drawing_code() -> None:
    text = page("Title", "Lead.", ("A note.",), [Section("Heading", [Exhibit("one", "", FRAME, TABLE)])])
    assert "plotly.js" not in text
    assert "<noscript" not in text
    assert len(text) < 20_000


def test_a_title_that_is_the_heading_stands_once() -> None:
    table = words_table(FRAME, "Heading", ("What", "Value"))
    found = of(Exhibit("one", "Heading", FRAME, table))
    assert found.text.count("Heading") == 1
    assert not found.of("caption")
    assert of(Exhibit("one", "Another", FRAME, table)).text.count("Heading") == 2


def test_two_exhibits_or_sections_of_one_name_are_refused() -> None:
    one = Exhibit("one", "", FRAME, TABLE)
    with pytest.raises(ValueError, match="names stand twice on the page “Title”: one"):
        page("Title", "", (), [Section("A", [one]), Section("B", [Section("C", [one])])])
    with pytest.raises(ValueError, match="key"):
        page("Title", "", (), [Section("A", [], key="key"), Section("B", [], key="key")])


def test_each_view_of_a_chooser_is_there_and_the_first_is_shown() -> None:
    one, two = (Exhibit(name, "", FRAME, TABLE) for name in ("one", "two"))
    sections = [Chooser(["First", "Second"]), Section("Heading", [Views([[one], [two]])])]
    found = Page(page("Title", "", (), sections))
    assert [("hidden" in a, a["data-view"]) for a in found.of("div") if "data-view" in a] == [(False, "0"), (True, "1")]
    assert [exhibit.name for exhibit in exhibits_of(sections)] == ["one", "two"]


def test_a_long_table_can_be_searched_and_its_rows_are_marked() -> None:
    rows = (("a.b", "1", "D assumption"), ("a.c", "2", "A measured"))
    table = Table("All numbers", ("Where", "Value", "Grade"), rows, headers=3, look="stack")
    found = of(Searchable(table, 2, [("A", "measured"), ("D", "assumption")], "Find", "numbers"))
    assert [a["data-grade"] for a in found.of("tr") if "data-grade" in a] == ["D", "A"]
    assert "2 of 2 numbers shown" in found.text
    assert len(found.of("option")) == 3


def test_the_contents_name_the_sections_that_have_a_short_name() -> None:
    found = of(Text(["A paragraph."]), Facts([("Seed", "7")]))
    assert [a["href"] for a in found.of("a")] == ["#key"]
    assert "Short" in found.text and "Seed7" in found.text


def test_the_file_beside_the_page_holds_the_frame(tmp_path: Path) -> None:
    path = write_exhibit(Exhibit("one", "", FRAME, TABLE), tmp_path)
    assert path.name == "one.csv"
    assert pl.read_csv(path).equals(FRAME)
