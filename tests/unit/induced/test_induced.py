"""Genuine or induced: each design finds a share that was put in, warns where it is broken, and agrees with the formula
worked out another way."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import polars as pl
import pytest
from scipy.optimize import minimize
from scipy.stats import binom
from scipy.stats import f as f_law
from scipy.stats import t as t_law

from simcare.errors import BadInput
from simcare.induced import (
    CausalEstimate,
    anderson_rubin,
    assessor_leniency,
    leave_out_leniency,
    recover,
    simulate_cases,
    simulate_places,
    simulate_scores,
    supply_shock,
    threshold_bunching,
    wild_p,
)  # fmt: skip
from simcare.induced.regression import basis, codes, joint_p, least_squares, partialled_out, two_stage, two_way, within
from simcare.money.gaming import poisson_fit
from tests.support.paths import ROOT

BUNCHING, TWO_STAGE, RUBIN, SUPPLY, PLAIN_CARE, PLAIN_PLACES = (
    "threshold bunching", "assessor leniency, 2SLS", "assessor leniency, Anderson–Rubin", "supply shocks", "plain: later need on package",
    "plain: demand on places",
)  # fmt: skip
DESIGNS = (BUNCHING, TWO_STAGE, RUBIN, SUPPLY)
PLAIN = (PLAIN_CARE, PLAIN_PLACES)
SHARES = (0.0, 0.2, 0.35)
RUNS = 50


@cache
def lab(true_share: float = 0.2, **switches: Any) -> dict[str, dict[str, Any]]:
    found = recover(true_share, 6000, RUNS, seed=21, **switches)
    print(found)
    return {row["estimator"]: row for row in found.iter_rows(named=True)}


def cases(seed: int = 1, people: int = 3000, **how: Any) -> pl.DataFrame:
    return simulate_cases(0.2, people, np.random.default_rng(seed), **how)


def panel(seed: int = 1, **how: Any) -> pl.DataFrame:
    return simulate_places(0.2, 6000, np.random.default_rng(seed), **how)


# What the lab shows.


@pytest.mark.parametrize("estimator", DESIGNS)
@pytest.mark.parametrize("true_share", SHARES)
def test_a_design_finds_the_share_that_was_put_in(true_share: float, estimator: str) -> None:
    found = lab(true_share)[estimator]
    assert 0 < found["bias_se"] < 0.03
    assert abs(found["bias"]) <= 4 * found["bias_se"]


@pytest.mark.parametrize("estimator", DESIGNS)
def test_nineteen_intervals_in_twenty_hold_the_truth(estimator: str) -> None:
    hits = round(sum(lab(share)[estimator]["coverage"] * RUNS for share in SHARES))
    low, high = binom.ppf([0.001, 0.999], RUNS * len(SHARES), 0.95)
    print(f"{estimator}: {hits} of {RUNS * len(SHARES)} intervals hold the truth, {low:.0f} to {high:.0f} expected")
    assert low <= hits <= high


@pytest.mark.parametrize("estimator", PLAIN)
@pytest.mark.parametrize("true_share", SHARES)
def test_plain_regression_is_wrong_and_sure_of_it(true_share: float, estimator: str) -> None:
    found = lab(true_share)[estimator]
    assert found["bias"] > max(0.5, 4 * found["bias_se"])
    assert found["coverage"] == 0.0


def test_a_sound_design_seldom_warns() -> None:
    for estimator in DESIGNS:
        warned = round(sum(lab(share)[estimator]["warned"] * RUNS for share in SHARES))
        assert warned <= binom.ppf(0.999, RUNS * len(SHARES), 0.03), estimator  # up to three checks of 1 % each


@pytest.mark.parametrize(
    ("switch", "broken"),
    [("smooth", BUNCHING), ("random_assignment", TWO_STAGE), ("parallel", SUPPLY)],
)
def test_a_broken_design_is_off_and_warns(switch: str, broken: str) -> None:
    found = lab(**{switch: False})
    assert found[broken]["bias"] > 4 * found[broken]["bias_se"]
    assert found[broken]["warned"] >= 0.9
    for sound in {BUNCHING, TWO_STAGE, SUPPLY} - {broken}:  # the others stay as they were, to the last bit
        assert found[sound] == lab()[sound]


def test_without_lenient_assessors_the_instrument_is_rejected_and_the_interval_stays_honest() -> None:
    found = lab(leniency_spread=0.0)
    assert found[RUBIN]["weak"] >= 0.9
    assert found[RUBIN]["warned"] == 1.0
    assert found[RUBIN]["coverage"] * RUNS >= binom.ppf(0.001, RUNS, 0.95)
    weak = assessor_leniency(cases(spread=0.0), covariates=["age_score"])
    assert weak.weak and "Anderson–Rubin" in weak.warnings[0] and "(weak)" in repr(weak)


def test_the_lab_can_be_repeated_and_its_seed_matters() -> None:
    first, again, other = (recover(0.1, 1500, 2, seed) for seed in (3, 3, 4))
    assert first.equals(again)
    assert not first.equals(other)


# Bunching.


def test_the_pooled_fit_is_the_likeliest() -> None:
    """Against a general optimiser of the likelihood, written out."""
    rng = np.random.default_rng(2)
    x = np.linspace(-1, 1, 20)[:, None] ** np.arange(3)
    counts = rng.poisson(np.exp(x @ [4.0, 0.5, -0.8])).astype(float)
    inside = np.arange(20) // 4 == 2
    pool = np.vstack([np.eye(20)[~inside], inside.astype(float)])

    def loss(beta: np.ndarray) -> float:
        mean = np.exp(x @ beta)
        total = mean[inside].sum()
        return float((mean - counts * np.log(mean))[~inside].sum() + total - counts[inside].sum() * math.log(total))

    best = minimize(loss, [4.0, 0.0, 0.0], method="BFGS", options={"gtol": 1e-8, "xrtol": 1e-12})
    fit = poisson_fit(x, pool @ counts, pool)
    assert fit.beta == pytest.approx(best.x, abs=1e-5)
    assert loss(fit.beta) <= loss(best.x) + 1e-9


def test_many_fits_at_once_are_those_one_by_one() -> None:
    rng = np.random.default_rng(3)
    x = np.linspace(-1, 1, 12)[:, None] ** np.arange(3)
    pool = np.vstack([np.eye(12)[:9], np.arange(12) >= 9])
    counts = rng.poisson(30.0, (7, 10)).astype(float)
    many = poisson_fit(x, counts, pool)
    for row, beta, covariance in zip(counts, many.beta, many.covariance, strict=True):
        alone = poisson_fit(x, row, pool)
        assert beta == pytest.approx(alone.beta, abs=1e-9)
        assert covariance == pytest.approx(alone.covariance, rel=1e-9)


def test_who_is_in_excess_above_is_missing_below() -> None:
    found = threshold_bunching(simulate_scores(0.3, 8000, np.random.default_rng(4)), 60, window=6)
    inside = found.course.filter("inside")
    above, below = (inside.filter(pl.col("from_score") >= 60), inside.filter(pl.col("from_score") < 60))
    scale = inside["observed"].sum() / inside["expected"].sum()
    assert scale == pytest.approx(1.0, abs=0.05)
    missing = below["expected"].sum() - below["observed"].sum() / scale
    assert (
        found.excess.value
        == pytest.approx(above["observed"].sum() / scale - above["expected"].sum())
        == pytest.approx(missing)
    )
    assert found.share.value == pytest.approx(found.excess.value / found.above)


def test_a_histogram_says_what_its_scores_say() -> None:
    scores = simulate_scores(0.2, 4000, np.random.default_rng(5))
    values, counts = np.unique(scores, return_counts=True)
    frame = pl.DataFrame({"from_score": values, "count": counts}).sample(fraction=1.0, shuffle=True, seed=1)
    one, other = threshold_bunching(scores, 60, window=6), threshold_bunching(frame, 60, window=6)
    assert one.share == other.share and one.course.equals(other.course)
    assert threshold_bunching(scores / 10, 6.0, window=0.6, bin_width=0.1).share.value == pytest.approx(one.share.value)


def test_people_who_came_from_farther_away_unbalance_the_window() -> None:
    rng = np.random.default_rng(6)
    scores = np.concatenate([simulate_scores(0.0, 8000, rng), rng.integers(60, 63, 300)])  # newcomers whom nobody moved
    found = threshold_bunching(scores, 60, window=6)
    assert found.balance > 0.1
    assert found.balance_p < 1e-4
    assert any("not just moved" in text for text in found.warnings) and "warning" in repr(found)


def test_heaps_on_round_scores_are_told() -> None:
    found = threshold_bunching(simulate_scores(0.0, 6000, np.random.default_rng(7), smooth=False), 60, window=6)
    assert found.share.value > 0.02
    assert any("heaping" in text for text in found.warnings)


def test_with_few_people_an_interval_is_still_given() -> None:
    found = threshold_bunching(simulate_scores(0.2, 1000, np.random.default_rng(8))[:300], 60, window=6)
    assert found.share.low < found.share.value < found.share.high
    assert found.share.high - found.share.low > 0.1


# Least squares.


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
    assert leave_out_leniency(d, who, cell)[0] == pytest.approx(found[0])  # its own luck is not in its instrument


def test_the_error_is_that_of_leaving_out_one_cluster_after_the_other() -> None:
    rng = np.random.default_rng(9)
    who = rng.integers(0, 12, 300)
    z = rng.normal(size=300)
    d = z + rng.normal(size=300)
    y = 0.5 * d + rng.normal(size=12)[who]
    found = two_stage(y, d, z, who)
    without_one = [(z[who != g] @ y[who != g]) / (z[who != g] @ d[who != g]) for g in range(12)]
    assert found.value == pytest.approx((z @ y) / (z @ d))
    assert found.se == pytest.approx(math.sqrt(11 / 12 * sum((v - found.value) ** 2 for v in without_one)))
    leverage = np.array([z[who == g] @ d[who == g] for g in range(12)]) / (z @ d)
    half = t_law.ppf(0.975, 1 / (leverage**2).sum() - 1) * found.se
    assert (found.low, found.high) == pytest.approx((found.value - half, found.value + half))


def test_several_coefficients_have_the_published_covariance() -> None:
    api = pytest.importorskip("statsmodels.api")
    rng = np.random.default_rng(10)
    x, who = rng.normal(size=(200, 2)), rng.integers(0, 15, 200)
    y = x @ [0.3, -0.2] + rng.normal(size=15)[who] * x[:, 0]
    theirs = api.OLS(y, x).fit(cov_type="cluster", cov_kwds={"groups": who}, use_t=True)
    ours = least_squares(x, y, who, 0)
    assert ours.beta == pytest.approx(theirs.params)
    assert ours.covariance == pytest.approx(theirs.cov_params(), rel=1e-9)
    wald = theirs.params @ np.linalg.inv(theirs.cov_params()) @ theirs.params / 2
    assert joint_p(ours, 15) == pytest.approx(f_law.sf(wald, 2, 14), rel=1e-6)


def test_two_effects_taken_in_turn_are_those_of_all_columns_at_once() -> None:
    rng = np.random.default_rng(13)
    kept = rng.random(120) < 0.7
    area, month = (each[kept] for each in np.divmod(np.arange(120), 12))
    values = rng.normal(size=area.size) + area + 0.1 * month
    fixed = np.column_stack([np.eye(10)[area], np.eye(12)[month]])
    assert two_way(values, area, month) == pytest.approx(partialled_out(values, basis(fixed)), abs=1e-9)


def test_controls_taken_out_leave_nothing_of_them() -> None:
    rng = np.random.default_rng(11)
    controls = rng.normal(size=(50, 3))
    doubled = np.column_stack([controls, controls[:, 0]])
    assert basis(doubled).shape == (50, 3)
    left = partialled_out(rng.normal(size=50), basis(doubled))
    assert np.abs(controls.T @ left).max() < 1e-12


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


# Supply.


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


# What is printed, and what is refused.


def test_results_read_as_sentences() -> None:
    assert repr(CausalEstimate(0.2, 0.05, 0.1, 0.3, 0.01)) == "0.200 (95 % 0.100 to 0.300)"
    assert "moved over it" in repr(
        threshold_bunching(simulate_scores(0.2, 3000, np.random.default_rng(1)), 60, window=6)
    )
    assert "plain regression, for contrast" in repr(assessor_leniency(cases()))
    assert "new demand" in repr(supply_shock(panel(), waiting="waiting", draws=99))


def scored(**more: Any) -> Callable[[], object]:
    scores = simulate_scores(0.2, 2000, np.random.default_rng(1))
    return lambda: threshold_bunching(**({"data": scores, "threshold": 60.0, "window": 6.0} | more))


def on_cases(change: Callable[[pl.DataFrame], pl.DataFrame], **more: Any) -> Callable[[], object]:
    return lambda: assessor_leniency(change(cases(people=1500)), **more)


def on_panel(change: Callable[[pl.DataFrame], pl.DataFrame], **more: Any) -> Callable[[], object]:
    return lambda: supply_shock(change(panel()), **({"draws": 9} | more))


BAD: dict[str, tuple[Callable[[], object], str]] = {
    "threshold outside": (scored(threshold=500.0), "threshold: 500 lies outside the scores"),
    "window and bins": (scored(window=2.5), "window: 2.5 points are no whole number of bins of 1"),
    "window too wide": (scored(threshold=22.0, window=20.0), "too few bins below"),
    "no scores": (scored(data=np.array([])), "there are none"),
    "a missing score": (scored(data=np.array([59.0, math.nan])), "some are missing"),
    "too few people": (
        scored(data=np.arange(40.0, 80.0) * 0 + np.repeat([59.0, 60.0, 30.0, 90.0], 10)),
        "too few people",
    ),
    "a histogram off the threshold": (
        scored(data=pl.DataFrame({"from_score": [59.5, 60.5], "count": [1, 1]})),
        "a bin begins at 59.5",
    ),
    "a histogram without counts": (
        scored(data=pl.DataFrame({"from_score": [59, 60], "counts": [1, 1]})),
        "did you mean 'counts'",
    ),
    "a negative count": (scored(data=pl.DataFrame({"from_score": [59, 60], "count": [-1, 1]})), "fewer than no people"),
    "column, near miss": (
        on_cases(lambda f: f.rename({"assessor": "asessor"})),
        "unknown 'assessor', did you mean 'asessor'",
    ),
    "missing values": (
        on_cases(lambda f: f.with_columns(later_need=pl.when(pl.col("package") == 0).then("later_need"))),
        "values are missing",
    ),
    "words": (on_cases(lambda f: f.with_columns(package=pl.lit("yes"))), "package: holds String, not numbers"),
    "too few assessors": (on_cases(lambda f: f.filter(pl.col("assessor") < 5)), "assessor: 5 assessors .* too few"),
    "one assessor": (on_cases(lambda f: f.filter(pl.col("assessor") == 5)), "assessor: 0 assessors"),
    "everybody has care": (on_cases(lambda f: f.with_columns(package=1)), "package: does not vary"),
    "one outcome": (on_cases(lambda f: f.with_columns(later_need=2)), "later_need: does not vary"),
    "a flat covariate": (on_cases(lambda f: f.with_columns(flat=1.0), covariates=["flat"]), "flat: does not vary"),
    "one area": (on_panel(lambda f: f.filter(pl.col("area") == 0)), "area: 1 area is too few"),
    "three areas": (on_panel(lambda f: f.filter(pl.col("area") < 3)), "area: 3 areas are too few"),
    "places never change": (on_panel(lambda f: f.with_columns(places=pl.col("area") + 1.0)), "never change"),
    "alike in all areas": (
        on_panel(lambda f: f.with_columns(places=pl.col("area") + pl.col("month") * 1.0)),
        "change alike in all areas",
    ),
    "an area twice": (on_panel(lambda f: pl.concat([f, f.head(1)])), "an area has a month twice"),
    "months in words": (on_panel(lambda f: f.with_columns(pl.col("month").cast(pl.String))), "month: holds String"),
    "use never varies": (on_panel(lambda f: f.with_columns(use=3.0)), "use: does not vary"),
    "no waiting column": (on_panel(lambda f: f, waiting="wait"), "unknown 'wait', did you mean 'waiting'"),
    "share": (lambda: recover(0.9), "true_share: 0.9 is outside 0 to 0.4"),
    "people": (lambda: recover(0.1, people=10), "people: 10 are too few"),
    "replications": (lambda: recover(0.1, replications=1), "replications: 1 tell nothing"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_cannot_be_answered_is_refused_in_one_sentence(name: str) -> None:
    ask, sentence = BAD[name]
    with pytest.raises(BadInput, match=sentence) as told:
        ask()
    assert len(told.value.faults) == 1 and "\n" not in str(told.value)


# The page.


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
