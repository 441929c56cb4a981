"""The parts of a calibration, each against theory or a second, naive implementation."""

from __future__ import annotations

import datetime as dt
import math
from typing import Any

import numpy as np
import polars as pl
import pytest
from scipy.stats import multivariate_normal, norm
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import ConstantKernel, Matern

from simcare.arrays.build import build, names_of
from simcare.calibrate.chain import thinned, walk
from simcare.calibrate.emulator import Emulators, doubtful, emulate, fit_one
from simcare.calibrate.history import conflicts, implausibility, not_ruled_out, spread_out
from simcare.calibrate.identify import identify
from simcare.calibrate.likelihood import Judge, judge, log_likelihood, off
from simcare.calibrate.observe import Stays, counted_rates, of_target, outputs, past, published, stays_in
from simcare.calibrate.predictive import enough, in_units, predictive, score, yardsticks
from simcare.calibrate.priors import design, from_cube, log_density, sample, to_steps, to_values
from simcare.calibrate.reading import Datum, load_calibration
from simcare.calibrate.simulating import Ensemble
from simcare.engine import compiled
from simcare.files.load import load_model
from simcare.model.calibration import Calibration, Free, Target
from simcare.rules.records import LOG
from simcare.runs.run import Task, run_task
from tests.support.standard_errors import holds

ASSUMED = {"source": "assumption", "grade": "D"}
START = dt.date(2013, 4, 1)


def free(name: str = "a", sd_log: float = 0.5, bounds: tuple[float, float] = (0.01, 100.0), **prior: Any) -> Free:
    told = prior or {"median": 1.0, "sd_log": sd_log}
    return Free.model_validate(
        {"name": name, "title": name, "multiply": [{"on": "rise"}], "prior": {**told, **ASSUMED}, "bounds": bounds}
    )


def target(name: str = "t", error: float = 0.1, discrepancy: float = 0.1, **more: Any) -> Target:
    numbers = {"error": {"value": error, **ASSUMED}, "discrepancy": {"value": discrepancy, **ASSUMED}}
    told = {
        "name": name,
        "title": name,
        "kind": "stock",
        "theme": "x",
        "value": {"value": 1, **ASSUMED},
        "at": START,
        **numbers,
    }
    return Target.model_validate(told | more)


def datum(of: Target, year: int, value: float = 100.0, base: float | None = None, base_lead: float = 0.0) -> Datum:
    return Datum(of, dt.date(2013 + year, 3, 31), value, "run", float(year), True, base, base_lead)


# ---- priors
UNIFORM = free("u", bounds=(2.0, 6.0), kind="uniform")
CUT = free("c", sd_log=1.0, bounds=(0.5, 3.0))


def test_values_and_steps_are_each_others_inverse() -> None:
    rows = (free(), UNIFORM, CUT)
    values = to_values(rows, sample(rows, 500, 1))
    assert np.allclose(to_values(rows, to_steps(rows, values)), values)
    assert values[:, 1].min() >= 2.0 and values[:, 1].max() <= 6.0
    assert values[:, 2].min() >= 0.5 and values[:, 2].max() <= 3.0


def test_a_cut_prior_is_spread_as_it_says() -> None:
    """The median of a lognormal cut at its bounds, by the normal distribution."""
    low, high = norm.cdf(math.log(0.5)), norm.cdf(math.log(3.0))
    middle = math.exp(norm.ppf((low + high) / 2))
    assert to_values([CUT], from_cube([CUT], np.array([[0.5]])))[0, 0] == pytest.approx(middle)
    values = np.log(to_values([CUT], sample([CUT], 40_000, 2))[:, 0])
    a, b = math.log(0.5), math.log(3.0)
    holds("mean of a cut normal", values, (norm.pdf(a) - norm.pdf(b)) / (norm.cdf(b) - norm.cdf(a)))


def test_a_design_has_one_point_in_every_slice_and_is_farther_apart_than_chance() -> None:
    rows = [free(str(k), kind="uniform", bounds=(0.0, 1.0)) for k in range(4)]
    points = to_values(rows, design(rows, 40, 1))
    for k in range(4):
        assert sorted(np.floor(points[:, k] * 40).astype(int).tolist()) == list(range(40))

    def nearest(some: np.ndarray) -> float:
        return float(min(np.linalg.norm(some[i] - some[j]) for i in range(len(some)) for j in range(i)))

    assert nearest(points) > max(nearest(to_values(rows, sample(rows, 40, k))) for k in range(20))


def test_density_is_the_priors_and_nothing_outside_the_bounds() -> None:
    steps = np.array([[0.0, 0.0], [1.0, 0.5], [0.0, 1.5], [9.0, 0.0]])
    found = log_density([CUT, UNIFORM], steps)
    assert found[:2].tolist() == [0.0, -0.5]
    assert np.isneginf(found[2:]).all()


# ---- measuring
def test_stays_past_by_the_exponential_and_with_delayed_entry() -> None:
    """Exponential stays of mean 100 seen through a window: those under way come into view late, those not ended are
    censored."""
    shares = []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        begun = rng.uniform(-600, 200, 3000)
        whole = rng.exponential(100, 3000)
        seen = begun + whole > 0
        begun, whole = begun[seen], whole[seen]
        entry, ends = np.maximum(-begun, 0.0), begun + whole
        shares.append(past(Stays(entry, np.minimum(ends, 200.0) - begun, ends < 200.0), [50, 150]))
    holds("past 50 days", np.array(shares)[:, 0], math.exp(-0.5))
    holds("past 150 days", np.array(shares)[:, 1], math.exp(-1.5))


def test_stays_of_a_model_that_starts_from_its_caseload() -> None:
    """Weibull stays (0.819, 724.5 days), of which nobody is seen from the start: models/length-bias."""
    model = load_model("length-bias")
    rows = [compiled.by_client(compiled.record(model, build(model), 1, r, 731.0).rows) for r in range(4)]
    found = np.array([past(stays_in(log, [0], 731.0), [365, 730]) for log in rows])
    # Nobody comes in, so the first days of a stay are seen by few: conditional on a year, where many are.
    holds(
        "past 730 given 365 days",
        found[:, 1] / found[:, 0],
        math.exp(-((730 / 724.5) ** 0.819) + (365 / 724.5) ** 0.819),
    )


def test_a_stay_goes_on_through_a_move_between_the_services_and_ends_with_death() -> None:
    log = np.zeros(6, LOG)
    log["client"] = [1, 1, 1, 2, 2, 3]
    log["time"] = [5.0, 20.0, 50.0, 0.0, 30.0, 0.0]
    log["service"] = [0, 1, -1, 1, 2, 0]
    log["stay_start"] = [5.0, 20.0, 0.0, -40.0, 30.0, -7.0]
    found = stays_in(log, [0, 1], 100.0)
    assert found.entry.tolist() == [0.0, 40.0, 7.0]
    assert found.lasted.tolist() == [45.0, 70.0, 107.0]
    assert found.ended.tolist() == [True, True, False]


def test_stocks_flows_and_shares_are_what_the_log_says() -> None:
    """Each kind of target against counts made row by row from the log of the same run."""
    model = load_model("semi-markov")
    outcome = run_task(Task(model, "baseline", 3, 0, 2, "simpy", keep_log=True))
    assert outcome.log is not None
    rows = outcome.log.sort("client", maintain_order=True).rows(named=True)
    last_day = 730.0  # 31 March 2015 ends
    tiers = (
        ["lower", "middle", "upper"] if "lower" in [t.name for t in model.tiers] else [t.name for t in model.tiers][1:]
    )
    one, two = tiers[0], tiers[1]
    state: dict[int, str | None] = {}
    came = went = first_year = 0
    before: dict[int, str] = {}
    for row in rows:
        client, tier, year = row["client"], str(row["tier"]), row["time"] >= 365
        if (
            row["time"] < last_day
            and client in before
            and before[client] != tier
            and row["event"] not in ("death", "left")
        ):
            went += year and before[client] == one
            came += year and before[client] == one and tier == two
            first_year += (not year) and before[client] == one and tier == two
        if row["event"] in ("death", "left"):
            state[client] = None
            if row["time"] < last_day and before.get(client) == one:
                went += 0
            before.pop(client, None)
        else:
            before[client] = tier
            if row["time"] < last_day:
                state[client] = tier if row["service"] is not None else None
    end = dt.date(2015, 3, 31)
    stock = of_target(outcome, target(tiers=(one,)), [end])[end]
    assert stock == sum(tier == one for tier in state.values()) > 0
    moves = {"kind": "flow", "from_tiers": (one,), "to_tiers": (two,)}
    found = of_target(outcome, target(**moves), [dt.date(2014, 3, 31), end])
    assert list(found.values()) == [first_year, came]
    share = of_target(outcome, target(kind="share", from_tiers=(one,), to_tiers=(two,)), [end])[end]
    assert share == came / went
    entered = of_target(outcome, target(kind="flow", measures=("person_days",), tiers=(one,)), [end])[end]
    rows_of = outcome.measures.filter(
        pl.col("measure") == "person_days", pl.col("tier") == one, pl.col("month") >= "2014-04"
    )
    assert entered == pytest.approx(rows_of["value"].sum())


def test_outputs_are_logs_changes_and_shares() -> None:
    level = target("level", kind="flow", measures=("person_days",), level_from=dt.date(2014, 3, 31))
    share = target("share", kind="stay", services=("x",), past_days=9)
    data = [datum(target("count"), 1, 50.0), datum(level, 2, 90.0, base=100.0, base_lead=1.0), datum(share, 1, 0.4)]
    values = {
        ("count", data[0].date): 40.0,
        ("level", data[1].date): 30.0,
        ("level", dt.date(2014, 3, 31)): 20.0,
        ("share", data[2].date): 0.3,
    }
    assert outputs(data, values).tolist() == pytest.approx([math.log(40), math.log(1.5), 0.3])
    assert published(data).tolist() == pytest.approx([math.log(50), math.log(0.9), 0.4])
    assert in_units(data, published(data)).tolist() == pytest.approx([50.0, 90.0, 0.4])
    values["count", data[0].date] = 0.0
    assert outputs(data, values)[0] == pytest.approx(math.log(0.5))


def test_counted_rates_are_as_uncertain_as_their_counts() -> None:
    """A Gamma of n + 1/2 over n: its mean and standard deviation."""
    calibration = load_calibration("kent-2013").calibration
    some: list[float] = [counted_rates(calibration, 1, r)["children: home from care"] for r in range(4000)]
    holds("mean factor", np.array(some), 284.5 / 284)
    holds("variance", (np.array(some) - 284.5 / 284) ** 2, 284.5 / 284**2)
    assert counted_rates(calibration, 1, 5) == counted_rates(calibration, 1, 5)


# ---- emulators
def bent(x: np.ndarray) -> np.ndarray:
    return np.asarray(2.0 + x[:, 0] - 0.5 * x[:, 1] + 0.4 * np.sin(2 * x[:, 0]) * x[:, 1])


def test_an_emulator_predicts_what_was_not_run_and_knows_how_well() -> None:
    rng = np.random.default_rng(1)
    x, new = rng.uniform(-2, 2, (90, 3)), rng.uniform(-2, 2, (400, 3))
    noise = 0.01
    found = fit_one(x, bent(x) + math.sqrt(noise) * rng.standard_normal(90), noise)
    mean, variance = found.predict(new)
    errors = (mean - bent(new)) / np.sqrt(variance)
    assert np.sqrt(((mean - bent(new)) ** 2).mean()) < 0.25 * bent(new).std()
    assert 0.85 < (np.abs(errors) < 2).mean() <= 1.0
    assert found.explained > 0.9
    assert not doubtful(["one"], Emulators((found,), np.eye(1)))


def test_prediction_and_leaving_out_are_those_of_the_library() -> None:
    """The process's part against scikit-learn's own, and one left-out error by fitting without that point."""
    rng = np.random.default_rng(2)
    x = rng.uniform(-2, 2, (30, 2))
    y = bent(x)
    found = fit_one(x, y, 0.02)
    nugget = 0.02 / found.scale**2
    kernel = ConstantKernel(found.variance, "fixed") * Matern(found.lengths, "fixed", nu=2.5)
    rest = (y - found.centre) / found.scale - np.column_stack([np.ones(30), x]) @ found.beta
    theirs = GaussianProcessRegressor(kernel, alpha=nugget, optimizer=None).fit(x, rest)
    new = rng.uniform(-2, 2, (7, 2))
    mean, sd = theirs.predict(new, return_std=True)
    ours = found.predict(new)
    assert ours[0] == pytest.approx(
        found.centre + found.scale * (np.column_stack([np.ones(7), new]) @ found.beta + mean)
    )
    assert np.sqrt(ours[1]) == pytest.approx(found.scale * sd, rel=1e-4)
    without = GaussianProcessRegressor(kernel, alpha=nugget, optimizer=None).fit(x[1:], rest[1:])
    left, left_sd = without.predict(x[:1], return_std=True)
    assert found.errors[0] == pytest.approx((rest[0] - left[0]) / math.sqrt(left_sd[0] ** 2 + nugget), rel=1e-3)


# ---- a problem with an exact posterior
SLOPES = np.array([[1.0, 0.0], [1.0, 1.0], [0.0, 0.02]])


def linear(noise: float = 0.01) -> Emulators:
    """Emulators of three outputs that are straight lines in two parameters."""
    rng = np.random.default_rng(5)
    x = rng.uniform(-3, 3, (60, 2))
    each = Ensemble(x, x @ SLOPES.T + math.sqrt(noise / 2) * rng.standard_normal((60, 3)), noise * np.eye(3), 2)
    return emulate(each, 1)


def shown(values: tuple[float, ...], error: float = 0.3) -> Judge:
    """A judge of three made-up outputs."""
    data = tuple(datum(target(f"t{k}"), 1, math.exp(v)) for k, v in enumerate(values))
    return Judge(data, np.array(values), error**2 * np.eye(len(values)), np.zeros((len(values), len(values))))


TWO = [free("a", sd_log=1.0, bounds=(1e-3, 1e3)), free("b", sd_log=1.0, bounds=(1e-3, 1e3))]


def exact(judge: Judge, noise: float = 0.01) -> tuple[np.ndarray, np.ndarray]:
    """Mean and covariance of the posterior of the linear problem under standard normal priors."""
    weight = np.linalg.inv(judge.slack + noise * np.eye(3))
    cover = np.linalg.inv(np.eye(2) + SLOPES.T @ weight @ SLOPES)
    return cover @ SLOPES.T @ weight @ judge.published, cover


def test_likelihood_is_a_normal_of_all_doubt() -> None:
    found, judged = linear(), shown((0.5, 0.2, 0.1))
    steps = np.array([[0.3, -0.4], [1.0, 1.0]])
    mean, variance = found.predict(steps)
    for k in range(2):
        cover = judged.slack + found.noise + np.diag(variance[k])
        whole = multivariate_normal(mean[k], cover).logpdf(judged.published) + 1.5 * math.log(2 * math.pi)
        assert log_likelihood(judged, found, steps)[k] == pytest.approx(whole)
        assert off(judged, found, steps)[k] == pytest.approx((judged.published - mean[k]) / np.sqrt(np.diag(cover)))


def test_the_chain_finds_an_exact_posterior() -> None:
    found, judged = linear(), shown((0.8, 1.4, 0.3))
    chain = walk(TWO, judged, found, np.zeros((5, 2)), 1)
    mean, cover = exact(judged)
    se = np.sqrt(np.diag(cover) / chain.effective)
    print(chain.steps.mean(axis=0), mean, se, chain.effective)
    # The emulators are a little off the lines they were fitted to: a hundredth of a step.
    assert (np.abs(chain.steps.mean(axis=0) - mean) <= 4 * se + 0.02).all()
    assert np.cov(chain.steps.T) == pytest.approx(cover, rel=0.15, abs=0.02)
    assert thinned(chain, 50, 1).shape == (50, 2)


def test_what_is_identified_and_what_is_not() -> None:
    """The third output says hardly anything of b; without the second, b is left to the prior."""
    found = linear()
    judged = shown((0.8, 1.4, 0.3))
    judged = judged._replace(error=np.diag([0.09, 1e6, 0.09]))
    chain = walk(TWO, judged, found, np.zeros((5, 2)), 2)
    known = identify(TWO, judged, found, chain, 1)
    exact_widths = np.sqrt(np.diag(exact(judged)[1]))
    assert known.widths == pytest.approx(exact_widths, abs=0.05)
    assert known.widths[0] < 0.4 and known.widths[1] > 0.9
    values = np.linalg.eigvalsh(SLOPES.T @ np.linalg.inv(judged.slack + 0.01 * np.eye(3)) @ SLOPES)
    assert [d.known for d in known.directions] == pytest.approx(sorted(values, reverse=True), rel=0.1, abs=0.02)
    assert known.directions[0].parts[0][0] == "a"
    for k in range(2):  # a profile of a normal posterior is a parabola of its own standard deviation
        at = np.log(known.profiles[k].values)
        mean, cover = exact(judged)
        assert known.profiles[k].density == pytest.approx(-0.5 * (at - mean[k]) ** 2 / cover[k, k], abs=0.15)


def test_a_parameter_that_nothing_is_known_of_keeps_its_prior_width_whatever_that_is() -> None:
    """A uniform prior is 0.577 steps wide, a cut lognormal less than one: the width left is 1 all the same."""
    found, judged = linear(), shown((0.0, 0.0, 0.0))
    judged = judged._replace(error=1e8 * np.eye(3))
    rows = [free("u", bounds=(2.0, 6.0), kind="uniform"), free("c", sd_log=1.0, bounds=(0.5, 3.0))]
    known = identify(rows, judged, found, walk(rows, judged, found, np.zeros((5, 2)), 4), 1)
    assert known.widths == pytest.approx([1.0, 1.0], abs=0.05)


def test_parameters_that_trade_off_are_named() -> None:
    found, judged = linear(), shown((0.0, 1.0, 0.0))
    judged = judged._replace(error=np.diag([1e6, 0.01, 1e6]))
    chain = walk(TWO, judged, found, np.zeros((5, 2)), 3)
    pairs = identify(TWO, judged, found, chain, 1).pairs(["a", "b"])
    assert [(a, b) for a, b, _ in pairs] == [("a", "b")]
    cover = exact(judged)[1]
    assert pairs[0][2] == pytest.approx(cover[0, 1] / math.sqrt(cover[0, 0] * cover[1, 1]), abs=0.05)


# ---- history matching
def test_points_that_are_left_are_not_ruled_out_and_the_share_is_right() -> None:
    found, judged = linear(), shown((0.0, 0.0, 0.0), 0.2)
    points, wave = not_ruled_out(TWO, judged, found, 3.0, 30, 1)
    assert len(points) == 30
    assert (implausibility(judged, found, points) <= 3.0).all()
    many = sample(TWO, 50_000, 9)
    assert wave.left == pytest.approx(float((implausibility(judged, found, many) <= 3.0).mean()), abs=0.02)


def test_a_small_corner_of_the_prior_is_found() -> None:
    found, judged = linear(0.0001), shown((2.9, 5.7, 0.057), 0.01)
    points, wave = not_ruled_out(TWO, judged, found, 3.0, 20, 1)
    assert len(points) == 20 and (implausibility(judged, found, points) <= 3.0).all()
    assert np.abs(points - np.array([2.9, 2.8])).max() < 0.2
    assert wave.left is None or wave.left < 0.01


def test_targets_in_conflict_are_named_with_how_far_they_are_apart() -> None:
    """The first wants a = 2, the second a + b = 2, the third b = 30: they cannot all be met."""
    found, judged = linear(), shown((2.0, 2.0, 0.6), 0.05)
    points, wave = not_ruled_out(TWO, judged, found, 3.0, 20, 1)
    assert len(points) == 0 and wave.least > 3.0
    named = conflicts(TWO, judged, found, 3.0, 1)
    assert {one.name for one in named} >= {"t2"} or {one.name for one in named} >= {"t0", "t1"}
    assert max(abs(one.off) for one in named) >= wave.least - 0.5


def test_spread_out_points_are_the_corners() -> None:
    square = np.array([[0, 0], [0, 1], [1, 0], [1, 1], [0.5, 0.5], [0.5, 0.45]])
    chosen = spread_out(square, 5)
    assert {tuple(row) for row in chosen.tolist()} >= {(0.0, 0.0), (1.0, 1.0), (0.0, 1.0), (1.0, 0.0)}


# ---- what was said
def test_discrepancy_is_a_random_walk_and_a_level_year_is_shared() -> None:
    plain, level = target("a", 0.1, 0.2), target("b", 0.1, 0.2, level_from=dt.date(2014, 3, 31))
    data = [
        datum(plain, 1),
        datum(plain, 4),
        datum(level, 3, base=50.0, base_lead=1.0),
        datum(level, 5, base=50.0, base_lead=1.0),
    ]
    found = judge(data, widened=2.0)
    assert found.discrepancy[:2, :2] == pytest.approx(0.16 * np.array([[1, 1], [1, 4]]))
    assert found.discrepancy[2:, 2:] == pytest.approx(0.16 * np.array([[2, 2], [2, 4]]))
    assert found.error == pytest.approx(0.01 * np.array([[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 2, 1], [0, 0, 1, 2]]))


def test_intervals_hold_what_they_say_where_the_model_is_right() -> None:
    """Published values drawn from the model itself, with its error and discrepancy: 50 and 90 % are inside."""
    one = target("a", 0.1, 0.2)
    shares = {50: [], 90: []}
    for seed in range(150):
        rng = np.random.default_rng(seed)
        data = [datum(one, year) for year in range(1, 6)]
        cover = judge(data).slack
        came = np.log(100) + 0.3 * rng.standard_normal() + np.linalg.cholesky(cover) @ rng.standard_normal(5)
        data = [d._replace(value=float(math.exp(v))) for d, v in zip(data, came, strict=True)]
        told = predictive(data, np.log(100) + 0.3 * rng.standard_normal((400, 1)) * np.ones((1, 5)), seed)
        for level, found in shares.items():
            found.append(told.inside(level).mean())
    for level, found in shares.items():
        holds(f"inside {level} %", np.array(found), level / 100)


def test_what_is_laid_on_runs_has_the_covariance_of_the_judge() -> None:
    one = target("a", 0.1, 0.2)
    told = predictive([datum(one, year) for year in (1, 4)], np.zeros((40_000, 2)), 1)
    assert np.cov(told.drawn.T) == pytest.approx(told.judge.slack, rel=0.05)


def test_discrepancy_is_widened_until_enough_lie_inside() -> None:
    data = [datum(target(f"t{k}", 0.01, 0.1), 1, 100.0 * math.exp(0.4)) for k in range(10)]
    runs = np.full((200, 10), math.log(100.0))
    every = np.ones(10, bool)
    assert predictive(data, runs, 1).inside(90).mean() < 0.8
    widened = enough(data, runs, every, 90, 0.8, 1, 1.0)
    assert predictive(data, runs, 1, widened).inside(90).mean() >= 0.8
    assert predictive(data, runs, 1, widened - 0.05).inside(90).mean() < 0.8
    assert widened == pytest.approx(0.4 / 1.645 / 0.1, rel=0.2)


def test_score_is_the_crps_of_a_normal() -> None:
    """Oracle: the CRPS of N(0, 1) at 0 is 0.2336950."""
    drawn = norm.ppf((np.arange(4000) + 0.5) / 4000)
    assert score(np.array([0.0]), drawn[:, None])[0] == pytest.approx(0.2336950, abs=2e-4)


def test_yardsticks_know_what_was_known_and_no_more() -> None:
    """The last value and the line of Kent's children who started to be looked after, known to March 2013: 780, 944,
    908, 867."""
    loaded = load_calibration("kent-2013")
    at = next(k for k, d in enumerate(loaded.data) if d.key == ("care started", dt.date(2015, 3, 31)))
    found = yardsticks(loaded, loaded.data, 1)
    naive, line = np.log(found.naive[:, at]), np.log(found.line[:, at])
    changes = np.diff(np.log([780, 944, 908, 867]))
    holds("naive", naive, math.log(867))
    assert naive.std() == pytest.approx(math.sqrt((changes**2).mean() * 2), rel=0.05)
    drift = (math.log(867) - math.log(780)) / 3
    holds("line", line, math.log(867) + 2 * drift)
    assert line.std() == pytest.approx(changes.std(ddof=1) * math.sqrt(2 * (1 + 2 / 3)), rel=0.05)
    salt = next(k for k, d in enumerate(loaded.data) if d.key == ("residential weeks 65+ (SALT)", dt.date(2017, 3, 31)))
    holds("naive of a level year", found.naive[:, salt], 155802 * math.exp(0.1**2 * 2 / 2))
    assert np.isnan(found.line[:, salt]).all()


# ---- Kent's own file
def test_kents_calibration_is_what_it_says() -> None:
    loaded = load_calibration("kent-2013")
    calibration: Calibration = loaded.calibration
    assert 8 <= len(calibration.free) <= 12
    assert all(d.date <= calibration.known_to for d in loaded.fitted)
    assert all(d.date > calibration.known_to for d in loaded.held_out)
    assert max(d.date for d in loaded.held_out) == dt.date(2020, 3, 31)
    fitted = {d.target.name for d in loaded.fitted}
    assert not any("SALT" in name or name == "unaccompanied" for name in fitted)
    values = {d.key: d.value for d in loaded.data}
    assert values["looked after", dt.date(2013, 3, 31)] == 1642
    assert values["referrals to nothing", dt.date(2013, 3, 31)] == 4155 + 2629
    assert all(date <= dt.date(2014, 3, 31) for name, date in values if name == "home care 65+")


def test_the_run_again_begins_from_the_caseload_of_2011() -> None:
    """People in foster care, in care homes and with home care on 31 March 2011, as published."""
    from simcare.calibrate.starts import begun

    loaded = load_calibration("kent-2013")
    then = begun(loaded.model, loaded.calibration.runs[0])
    assert then.about.start == dt.date(2011, 4, 1) and not then.drivers
    count = {
        name: sum(row.count.value for row in then.caseload if row.service == name) for name in names_of(then).services
    }
    assert count["foster_care"] == pytest.approx(1387, abs=6)
    assert count["home_care_older"] + count["intensive_home_care_older"] == pytest.approx(5865, abs=6)
    assert sum(count[s] for s in ("direct_payment_ld", "direct_payment_pd", "direct_payment_mh")) == pytest.approx(
        1615, abs=3
    )
    assert all(row.growth_per_year is None for row in then.arrivals)
