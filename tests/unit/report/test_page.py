"""A page: what stands in a cell is escaped."""

from __future__ import annotations

from simcare.report.page import stacked


def test_an_interval_in_a_cell_is_escaped() -> None:
    assert str(stacked("<b> (1 to 2)")) == '<span class="n">&lt;b&gt;</span> <span class="of">(1 to 2)</span>'
    assert str(stacked("<b>")) == "&lt;b&gt;"
