"""The figures: a frame in, a plotly figure out, one function a figure.

Each figure names its subject, period and units, draws the interval that its legend names, and carries its own
description for people who do not see it (``figure.layout.meta["alt"]``). The frames are those of
:mod:`simcare.report.summaries` and :mod:`simcare.report.limit_frames`; an exhibit hands the same frame to its table.
"""

from simcare.model.strategy import BASELINE
from simcare.report.figures.contrasts import (
    VERDICTS,
    caseload_change_figure,
    comparison_figure,
    cost_change_figure,
    verdict,
)
from simcare.report.figures.levels import caseload_figure, cost_figure
from simcare.report.figures.paths import demand_paths_figure
from simcare.report.figures.sankey import moves_figure, places
from simcare.report.figures.sweep import sweep_figure
from simcare.report.figures.waits import waits_figure

__all__ = [
    "BASELINE",
    "VERDICTS",
    "caseload_change_figure",
    "caseload_figure",
    "comparison_figure",
    "cost_change_figure",
    "cost_figure",
    "demand_paths_figure",
    "moves_figure",
    "places",
    "sweep_figure",
    "verdict",
    "waits_figure",
]  # fmt: skip
