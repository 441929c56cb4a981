"""The tables of docs/induced.md are what their commands give."""

from __future__ import annotations

import pytest

from simcare.induced import recover
from tests.support.paths import ROOT


@pytest.mark.slow
@pytest.mark.parametrize(
    ("mark", "switches"),
    [("recovery", {}), ("broken", {"smooth": False, "random_assignment": False, "parallel": False})],
)
def test_the_page_shows_what_its_command_gives(mark: str, switches: dict[str, bool]) -> None:
    page = ROOT.joinpath("docs", "induced.md").read_text(encoding="utf-8")
    assert (
        "recover(0.2, replications=200" + "".join(f", {name}={value}" for name, value in switches.items()) + ")" in page
    )
    lines = page.partition(f"<!-- {mark} -->\n")[2].partition("\n\n")[0].splitlines()[2:]
    found = recover(0.2, replications=200, **switches).select(
        "estimator", "mean_estimate", "bias", "coverage", "weak", "warned"
    )
    assert len(lines) == found.height == 6
    for line, row in zip(lines, found.iter_rows(), strict=True):
        name, *shown = (cell.strip() for cell in line.strip("|").split("|"))
        assert name == row[0]
        assert [float(x) for x in shown] == pytest.approx(
            row[1:], abs=0.006
        )  # a run more or less at the edge of an interval
