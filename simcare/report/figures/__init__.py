"""The figures: a frame in, a plotly figure out, one function a figure.

Each figure names its subject, period and units, draws the interval that its legend names, and carries its own
description for people who do not see it (``figure.layout.meta["alt"]``).
"""

from simcare.report.figures.contrasts import VERDICTS, caseload_change, comparison, cost_change, verdict
from simcare.report.figures.levels import BASELINE, caseload, cost_by_year
from simcare.report.figures.sankey import moves, places
from simcare.report.figures.sweep import sweep
from simcare.report.figures.waits import waits

__all__ = [
    "BASELINE", "VERDICTS", "caseload", "caseload_change", "comparison", "cost_by_year", "cost_change", "moves",
    "places", "sweep", "verdict", "waits",
]  # fmt: skip
