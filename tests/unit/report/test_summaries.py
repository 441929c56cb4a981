"""What a mean over a month or a year is divided by: the days that the run covers of it."""

from __future__ import annotations

import polars as pl
import pytest

import simcare
from simcare.report.folders import yearly
from simcare.report.frames import Frames
from simcare.report.limit_frames import PEOPLE, limit_rows
from simcare.report.report_input import ReportInput
from tests.support.paths import ROOT

MODELS = ROOT / "tests" / "support" / "mid-month"


def people_waiting(run: simcare.Run, per: str) -> dict[str, float]:
    frame = Frames(ReportInput.of(run)).limits("baseline")
    rows = limit_rows(frame, PEOPLE, "queue_days", per)
    return dict(rows.select("period", "mean").iter_rows())


def test_a_queue_that_grows_does_not_fall_in_the_last_month_that_is_covered_in_part() -> None:
    run = simcare.run(MODELS / "overmid.toml", years=1, replications=2, engine="compiled")
    years, months = people_waiting(run, "financial_year"), people_waiting(run, "month")
    assert years == pytest.approx({"2013/14": 10.66, "2014/15": 205.2}, rel=0.001)
    assert months["2015-03"] == pytest.approx(373.6, rel=0.001)
    assert len(months) == 13, "the month of the start and that of the end"


@pytest.mark.parametrize(
    ("model", "years", "replications", "year", "people"),
    [("late_month", 1, 1, "2014/15", 1879.1), ("leap", 2, 2, "2015/16", 16.8)],
)
def test_people_in_care_of_a_year_are_its_person_days_by_the_days_covered(
    model: str, years: int, replications: int, year: str, people: float
) -> None:
    run = simcare.run(MODELS / f"{model}.toml", years=years, replications=replications, engine="compiled")
    rows = yearly(run).filter((pl.col("measure") == "caseload") & (pl.col("financial_year") == year))
    assert rows["mean"].sum() == pytest.approx(people, rel=0.003)
