"""Shocks to supply: dummies in full, the wild bootstrap written out, what the months before tell."""

from __future__ import annotations

import datetime as dt
import math

import numpy as np
import polars as pl
import pytest

from simcare.induced import supply_shock, wild_p
from simcare.induced.regression import basis, codes, partialled_out
from tests.support.induced_lab import panel


def test_places_are_dummies_regressed_in_full() -> None:
    frame = panel().sample(fraction=0.95, seed=2)  # gaps in the panel are no matter
    found = supply_shock(frame, waiting="waiting", draws=99)
    fixed = np.column_stack([np.eye(40)[codes(frame, "area")], np.eye(48)[codes(frame, "month")][:, 1:]])
    demand = (frame["use"] + frame["waiting"]).to_numpy()
    naive = np.linalg.lstsq(np.column_stack([frame["places"].to_numpy(), fixed]), demand, rcond=None)[0][0]
    assert found.extra.value == pytest.approx(naive, rel=1e-6)
    assert found.served_backlog is not None
    assert found.extra_use.value == pytest.approx(found.extra.value + found.served_backlog.value)
    assert found.served_backlog.value == pytest.approx(0.4, abs=4 * found.served_backlog.se)
    assert (found.areas, found.changed, found.months) == (40, 24, 48)


def test_without_waiting_counts_use_is_no_more_than_a_bound() -> None:
    found = supply_shock(panel(), draws=99)
    assert found.served_backlog is None
    assert found.extra == found.extra_use
    assert found.extra.low > 0.2
    assert "upper bound" in found.warnings[0]


def test_the_event_study_is_flat_before_and_steps_up_at_the_change() -> None:
    study = supply_shock(panel(4), waiting="waiting", draws=99).event_study
    assert study.height == 9
    before, after = study.filter(pl.col("to_month") < 0), study.filter(pl.col("from_month") >= 0)
    assert before.height == 4 and (before["low"] < 0).all() and (before["high"] > 0).all()
    assert after["effect"].mean() == pytest.approx(0.2, abs=0.1)


def test_places_that_follow_demand_are_told_by_the_trend_before() -> None:
    found = supply_shock(panel(parallel=False), waiting="waiting", draws=99)
    assert abs(found.pre_trend.value - 0.02) <= 4 * found.pre_trend.se  # what was put in
    assert found.pre_trend.p < 0.01
    assert any("before places did" in text for text in found.warnings)
    assert found.leads_p < 0.05


def test_the_wild_bootstrap_is_the_one_written_out() -> None:
    rng = np.random.default_rng(12)
    who, when = np.repeat(np.arange(8), 10), np.tile(np.arange(10), 8)
    fixed = basis(np.column_stack([np.eye(8)[who], np.eye(10)[when]]))
    raw = (who < 4) * (when >= 5) * (1.0 + who)
    x = partialled_out(raw, fixed)
    y = partialled_out(0.3 * raw + rng.normal(size=8)[who] * when * 0.2 + rng.normal(size=80), fixed)

    def t(sample: np.ndarray) -> float:
        left = partialled_out(sample, fixed)
        slope = (x @ left) / (x @ x)
        return abs(slope) / math.sqrt(sum(float((x * (left - slope * x))[who == g].sum()) ** 2 for g in range(8)))

    signs = np.random.default_rng(5).choice([-1.0, 1.0], (199, 8))
    beyond = sum(t(s[who] * y) >= t(y) * (1 - 1e-9) for s in signs)
    assert 0 < beyond < 199
    assert wild_p(y, x, who, when, 199, 5) == pytest.approx((1 + beyond) / 200)


def test_months_may_be_dates() -> None:
    frame = panel()
    dated = frame.with_columns(
        month=pl.col("month").map_elements(lambda k: dt.date(2020 + k // 12, k % 12 + 1, 1), return_dtype=pl.Date)
    )
    counted, by_date = (supply_shock(each, waiting="waiting", draws=99) for each in (frame, dated))
    assert by_date.extra == counted.extra
    assert by_date.pre_trend == counted.pre_trend
    assert by_date.event_study.equals(counted.event_study)


def test_few_areas_are_told() -> None:
    few = panel().filter(pl.col("area").is_in([0, 1, 2, 30, 31, 32]))
    found = supply_shock(few, waiting="waiting", draws=99)
    assert any("few clusters (3 of 6" in text for text in found.warnings)
    assert found.wild_p >= 0.02  # six areas have but 64 sign patterns
