"""The frame of a hindcast's theme: what was known, the forecast and the outturn of every series, and what is drawn of
them."""

from __future__ import annotations

import datetime as dt

import polars as pl

from simcare.calibrate.reading import load_calibration
from simcare.calibrate.scoring import HindcastSeries
from simcare.report.figures.fits import hindcast_figure
from simcare.report.hindcast_page import QUANTILES, score_table, theme_frame

KNOWN, OUT = dt.date(2013, 3, 31), [dt.date(2014, 3, 31), dt.date(2015, 3, 31)]
SAID = pl.DataFrame(
    {"date": OUT, "published": [92.0, 99.0], "in90": [True, False], **{name: [90.0, 95.0] for name in QUANTILES}}
)


def series(naive: list[float]) -> list[HindcastSeries]:
    """Two series of the shipped calibration with made-up values."""
    one, two = load_calibration("kent-2013").calibration.targets[:2]
    return [HindcastSeries(one, [(KNOWN, 80.0)], SAID, naive), HindcastSeries(two, [], SAID, [])]


def test_a_row_is_known_or_forecast_and_never_both() -> None:
    frame = theme_frame(series([80.0, 80.0]))
    known, ahead = (frame.filter(pl.col("known").is_null() == null) for null in (False, True))
    assert known.select("date", "known").rows() == [(KNOWN, 80.0)]
    assert known["q50"].is_null().all() and known["published"].is_null().all()
    assert ahead.height == 4 and ahead["published"].to_list() == [92.0, 99.0] * 2
    assert ahead["last_value"].to_list() == [80.0, 80.0, None, None], (
        "a series without a known value has none to carry on"
    )


def test_the_last_value_is_drawn_where_there_is_one() -> None:
    for naive, drawn in (([80.0, 80.0], True), ([], False), ([float("nan")] * 2, False)):
        fig = hindcast_figure(theme_frame(series(naive)), "A theme")
        assert ("the last value" in {trace.name for trace in fig.data}) == drawn
        assert "1 of 2 values inside the 90% interval; 2015: forecast 95, outturn 99." in fig.layout.meta["alt"]


def test_a_series_of_one_year_names_it_and_leaves_out_what_is_not_known() -> None:
    row = {"title": "People", "first": OUT[0], "last": OUT[0], "values": 1, "in50": 0.0, "in90": 1.0, "crps": 1234.5}
    none = dict.fromkeys(("crps_naive", "skill", "skill_line"))
    (cells,) = score_table(pl.DataFrame([row | none])).rows
    assert cells == ("People", "2014", "1", "0%", "100%", "1,230", "", "", "")
