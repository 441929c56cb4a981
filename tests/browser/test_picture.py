"""The README's picture is drawn by a browser, as SVG."""

from __future__ import annotations

import pytest

from tests.browser.chromium import chromium
from tests.support.report_sample import sample_comparison
from tests.support.scripts import program

pytestmark = pytest.mark.xdist_group("browser")


def test_the_picture_is_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    path = chromium()
    with program("scripts/picture.py") as script:
        monkeypatch.setattr(script, "read_folder", lambda folder: sample_comparison())
        figure = script.comparison_figure("anywhere")
        drawn = script.titled(script.svg(figure, path), figure)
    assert drawn.startswith("<svg") and drawn.rstrip().endswith("</svg>")
    assert f"<title>{figure.layout.meta['title']}" in drawn and drawn.count("<path") > 10
