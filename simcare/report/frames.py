"""The frames of a run's page, each made once: figures, tables, sentences and files take them from here."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

from simcare.model.strategy import BASELINE
from simcare.report import limit_frames, summaries
from simcare.report.report_input import ReportInput, shown_measures
from simcare.report.setting import Setting


class Frames:
    """What is shown of a run or comparison, strategy by strategy."""

    def __init__(self, given: ReportInput) -> None:
        self.given = given
        self.measures = shown_measures(given)
        self.setting: Setting = given.setting(self.measures)
        self.covered = given.covered
        self._made: dict[tuple[str, str], pl.DataFrame] = {}

    def _once(self, what: str, strategy: str, make: Callable[[], pl.DataFrame]) -> pl.DataFrame:
        if (what, strategy) not in self._made:
            self._made[what, strategy] = make()
        return self._made[what, strategy]

    def caseload(self, strategy: str) -> pl.DataFrame:
        """People in care (:func:`simcare.report.summaries.caseload`)."""
        return self._once("caseload", strategy, lambda: summaries.caseload(self.measures, strategy, self.covered))

    def costs(self, strategy: str) -> pl.DataFrame:
        """Cost by financial year (:func:`simcare.report.summaries.costs`)."""
        return self._once("costs", strategy, lambda: summaries.costs(self.measures, strategy))

    def limits(self, strategy: str) -> pl.DataFrame:
        """Waiting and the limits of capacity (:func:`simcare.report.limit_frames.limits`)."""
        stages = [stage.name for stage in self.setting.model.stages]
        return self._once(
            "limits", strategy, lambda: limit_frames.limits(self.measures, strategy, stages, self.covered)
        )

    def moves(self, strategy: str) -> pl.DataFrame:
        """Moves between tiers (:func:`simcare.report.summaries.moves`)."""
        runs, years = summaries.replications(self.measures), len(self.setting.years)
        return self._once("moves", strategy, lambda: summaries.moves(self.given.flows, runs, strategy, years))


def beside_baseline(of: Callable[[str], pl.DataFrame], strategy: str) -> pl.DataFrame:
    """The frame of a strategy below that of the baseline; the baseline's alone for the baseline."""
    return pl.concat([of(name) for name in dict.fromkeys((BASELINE, strategy))])
