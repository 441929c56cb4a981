"""Lenient assessors: two stages against a published package, leaving out by hand, an honest interval."""

from __future__ import annotations

import math

import numpy as np
import polars as pl
import pytest
from scipy.stats import t as t_law

from simcare.induced import anderson_rubin, assessor_leniency, leave_out_leniency
from simcare.induced.regression import codes, within
from tests.support.induced_lab import cases


def test_two_stages_are_those_of_a_published_package_and_of_the_projection() -> None:
    gmm = pytest.importorskip("statsmodels.sandbox.regression.gmm")
    frame = cases()
    found = assessor_leniency(frame, covariates=["age_score"])
    who, cell = codes(frame, "assessor"), codes(frame, "office", "period")
    d = frame["package"].to_numpy().astype(float)
    fixed = np.column_stack([np.eye(64)[cell], frame["age_score"].to_numpy()])
    y, z = frame["later_need"].to_numpy().astype(float), leave_out_leniency(d, who, cell)
    theirs = gmm.IV2SLS(y, np.column_stack([d, fixed]), np.column_stack([z, fixed])).fit()
    assert found.effect.value == pytest.approx(theirs.params[0], rel=1e-6)
    # The projection, in full: (X'P X)⁻¹ X'P y.
    both, instruments = np.column_stack([d, fixed]), np.column_stack([z, fixed])
    projected = instruments @ np.linalg.lstsq(instruments, both, rcond=None)[0]
    assert found.effect.value == pytest.approx(np.linalg.solve(projected.T @ both, projected.T @ y)[0], rel=1e-6)
    assert found.plain.value == pytest.approx(np.linalg.lstsq(both, y, rcond=None)[0][0], rel=1e-6)
    assert found.reduced_form.value / found.first_stage.value == pytest.approx(found.effect.value)


def test_leniency_leaves_the_case_out_of_both_means() -> None:
    frame = cases(people=1000).head(400)
    d, who, cell = frame["package"].to_numpy().astype(float), codes(frame, "assessor"), codes(frame, "office", "period")
    keep = (np.bincount(who)[who] > 1) & (np.bincount(cell)[cell] > 1)
    frame = frame.filter(pl.Series(keep))
    d, who, cell = frame["package"].to_numpy().astype(float), codes(frame, "assessor"), codes(frame, "office", "period")
    found = leave_out_leniency(d, who, cell)
    for i in range(d.size):
        others = [k for k in range(d.size) if k != i and who[k] == who[i]]
        usual = [np.mean([d[m] for m in range(d.size) if m != i and cell[m] == cell[k]]) for k in others]
        assert found[i] == pytest.approx(np.mean(d[others] - usual))
    d[0] = 1 - d[0]
    assert leave_out_leniency(d, who, cell)[0] == pytest.approx(found[0])  # its own chance is not in its instrument


def test_the_honest_interval_is_where_the_t_test_does_not_reject() -> None:
    frame = cases(2)
    who, cell = codes(frame, "assessor"), codes(frame, "office", "period")
    d, y = (within(frame[name].to_numpy().astype(float), cell) for name in ("package", "later_need"))
    z = within(leave_out_leniency(frame["package"].to_numpy().astype(float), who, cell), cell)
    low, high = anderson_rubin(y, d, z, who)

    def p(beta: float) -> float:
        sums = np.array([(z * (y - beta * d))[who == g].sum() for g in range(64)])
        return float(2 * t_law.sf(abs(sums.mean()) / (sums.std(ddof=1) / 8), 63))

    assert math.isfinite(low) and math.isfinite(high)
    assert p(low) == pytest.approx(0.05) == p(high)
    assert p((low + high) / 2) > 0.05 > max(p(low - 0.1), p(high + 0.1))


def test_assignment_by_need_tells_on_the_covariate() -> None:
    found = assessor_leniency(cases(random_assignment=False), covariates=["age_score"])
    row = found.balance.row(0, named=True)
    assert row["covariate"] == "age_score" and row["coefficient"] > 0 and row["p"] < 0.001
    assert any("random" in text for text in found.warnings)
    without_covariates = assessor_leniency(cases(random_assignment=False))
    assert math.isnan(without_covariates.balance_p) and without_covariates.warnings == ()  # nothing to tell by


def test_who_has_nobody_to_be_compared_to_is_dropped() -> None:
    alone = pl.DataFrame(
        {
            "office": [99, 99],
            "period": [0, 0],
            "assessor": [999, 999],
            "age_score": [0.0, 1.0],
            "package": [1, 0],
            "later_need": [9, 0],
        }
    )
    frame = cases()
    with_alone, before = assessor_leniency(pl.concat([frame, alone])), assessor_leniency(frame)
    assert (with_alone.dropped, with_alone.people) == (2, 3000)
    assert with_alone.effect == before.effect
