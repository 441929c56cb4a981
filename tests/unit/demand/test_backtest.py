"""Scores, the back-test and the choice it makes."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from scipy.stats import norm

from simcare.demand import challengers, scores
from simcare.demand.backtest import (
    BOTH,
    Backtest,
    _trial,
    backtest,
    choose,
    league,
    members,
    origins,
    own_widening,
    untried,
    widening,
)
from simcare.demand.challengers import DAMPED
from simcare.demand.driver import TYPICAL_WIDENING, fit_driver
from simcare.demand.forecast import forecast_series
from simcare.demand.regressors import Terms
from simcare.demand.series import MonthlyCounts
from simcare.errors import BadInput
from simcare.units import month_name, parsed_month
from tests.support.made_counts import FIRST, made


def test_crps_of_the_standard_normal_at_nought() -> None:
    """Closed form: 2 φ(0) − 1/√π = .2336950 (Gneiting and Raftery 2007)."""
    draws = norm.ppf((np.arange(200_000) + 0.5) / 200_000)[:, None]
    assert scores.crps(np.array([0.0]), draws)[0] == pytest.approx(0.2336950, abs=2e-6)


def test_crps_is_the_mean_error_less_half_the_mean_difference() -> None:
    rng = np.random.default_rng(1)
    draws, came = rng.gamma(3.0, 2.0, (60, 2)), np.array([4.0, 9.0])
    spread = np.abs(draws[:, None, :] - draws[None, :, :]).mean(axis=(0, 1))
    assert scores.crps(came, draws) == pytest.approx(np.abs(draws - came).mean(axis=0) - spread / 2)


def test_coverage_and_pit_of_right_forecasts() -> None:
    rng = np.random.default_rng(2)
    came, draws = rng.normal(size=2000), rng.normal(size=(1000, 2000))
    for level in scores.LEVELS:
        share = scores.covered(came, draws, level).mean()
        assert abs(share - level / 100) < 4 * np.sqrt(level / 100 * (1 - level / 100) / 2000)
    values = scores.pit(came, draws)
    assert abs(values.mean() - 0.5) < 4 / np.sqrt(12 * 2000)


def test_naive_forecasts_have_the_spread_that_the_textbook_gives() -> None:
    y = np.array([10.0, 12, 11, 15, 14, 13, 17, 16, 12, 11, 15, 18] * 4) * 100
    y[12:] += np.arange(36) * 3.0
    series, rng = MonthlyCounts("X", FIRST, y), np.random.default_rng(3)
    last = challengers.naive(series, 6, 40_000, rng)
    spread = np.sqrt(np.mean(np.diff(y) ** 2))
    assert last.std(axis=0) == pytest.approx(spread * np.sqrt(np.arange(1, 7)), rel=0.03)
    year = challengers.seasonal_naive(series, 14, 40_000, rng)
    assert year.mean(axis=0) == pytest.approx(np.r_[y[-12:], y[-12:-10]], rel=0.01)
    assert year.std(axis=0)[[0, 13]] == pytest.approx(
        np.sqrt(np.mean((y[12:] - y[:-12]) ** 2)) * np.sqrt([1, 2]), rel=0.03
    )


@pytest.mark.parametrize(
    "name", ["exponential smoothing", "structural", "SARIMA", "driver", "driver with a damped trend"]
)
def test_every_model_finds_a_plain_season(name: str) -> None:
    """Without drift and with little chance, all of them must be close to the truth a year on."""
    rng = np.random.default_rng(4)
    truth = 1000 * np.exp(0.1 * np.cos(2 * np.pi * np.arange(72) / 12))
    series = MonthlyCounts("X", parsed_month("2012-01"), rng.poisson(truth[:60]).astype(float))
    terms = Terms(working_days=False, school_holidays=False)
    typical = None
    draws = challengers.field(series, terms, typical)[name](series, 12, 500, rng)
    assert draws.shape == (500, 12)
    assert np.median(draws, axis=0) == pytest.approx(truth[60:], rel=0.15)
    same = challengers.field(series, terms, typical)[name](series, 12, 500, np.random.default_rng(9))
    again = challengers.field(series, terms, typical)[name](series, 12, 500, np.random.default_rng(9))
    assert (same == again).all()


pytestmark = pytest.mark.xdist_group("backtest")  # what is carried out once is shared


@pytest.fixture(scope="module")
def tried() -> tuple[MonthlyCounts, Backtest]:
    series = MonthlyCounts("X", FIRST, made(np.random.default_rng(5), 60))
    return series, backtest(series, challengers.field(series))


def test_a_model_sees_only_what_was_known(tried: tuple[MonthlyCounts, Backtest]) -> None:
    """Counts after the origin changed beyond recognition, exposure and covariates too, change no draw of any model."""
    series, _ = tried
    at, rng = 40, np.random.default_rng(8)
    jobless, people = 5 + np.cumsum(rng.normal(0, 0.2, 60)), np.full(60, 1e4)

    def drawn(after: float) -> dict[str, np.ndarray]:
        counts, more, other = series.counts.copy(), people.copy(), jobless.copy()
        counts[at:], more[at:], other[at:] = after, after, after
        changed = MonthlyCounts("X", FIRST, counts, more, {"jobless": other})
        return _trial(changed, challengers.field(changed), FIRST + at - 1, 1)[1]

    one, other = drawn(1.0), drawn(999.0)
    assert set(one) == set(challengers.field(MonthlyCounts("X", FIRST, series.counts, None, {"jobless": jobless})))
    for model, draws in one.items():
        assert (draws == other[model]).all(), model


def test_origins_are_three_months_apart_from_two_years_on(tried: tuple[MonthlyCounts, Backtest]) -> None:
    series, found = tried
    assert [o - FIRST + 1 for o in origins(series)] == list(range(24, 60, 3))
    assert found.scores["horizon"].max() == 24
    assert found.scores.filter(pl.col("model") == "driver").height == sum(
        min(24, 60 - known) for known in range(24, 60, 3)
    )


def test_of_a_long_series_the_last_six_years_are_tried() -> None:
    long = origins(MonthlyCounts("X", FIRST, np.ones(400)))
    assert (len(long), long[-1] - FIRST + 1, long[0] - FIRST + 1) == (24, 397, 328)


def test_the_league_adds_up(tried: tuple[MonthlyCounts, Backtest]) -> None:
    _, found = tried
    table = league(found)
    mean = dict(found.scores.group_by("model").agg(pl.col("crps").mean()).iter_rows())
    for row in table.iter_rows(named=True):
        assert row["crps"] == pytest.approx(mean[row["model"]])
        assert row["skill"] == pytest.approx(1 - mean[row["model"]] / mean["seasonal naive"])
    assert table["crps"].is_sorted()
    assert BOTH in table["model"]


def scored(crps: dict[str, list[float]], pit: float = 0.5) -> Backtest:
    rows = [{
        "model": m, "origin": month_name(FIRST + 24 + 3 * k), "horizon": 6, "came": 1.0, "crps": v, "error": v,
        "scaled": v, "covered50": 1.0, "covered80": 1.0, "covered90": 1.0, "pit": pit}for m,
        values in crps.items() for k, v in enumerate(values
    )]  # fmt: skip
    return Backtest(pl.DataFrame(rows), {})


SERIES = MonthlyCounts("X", FIRST, np.full(60, 10.0))
YARDSTICK = [10.0, 11.0, 12.0, 11.0] * 4


GOOD, BAD = [8.0, 9.0, 8.0, 9.0] * 4, [12.0, 13.0] * 8


def drivers_scored(**others: list[float]) -> Backtest:
    return scored({"driver": GOOD, DAMPED: GOOD, BOTH: GOOD, "seasonal naive": YARDSTICK, **others})


def test_the_mix_of_both_drivers_is_the_default_among_equals() -> None:
    chosen = choose(drivers_scored())
    assert (chosen.model, chosen.weights) == (BOTH, {"driver": 0.5, DAMPED: 0.5})
    nearly = choose(drivers_scored(driver=[7.9, 9.0, 8.1, 8.9] * 4))
    assert nearly.model == BOTH
    assert "the driver had a lower CRPS over 16 trials, but by less than two standard errors" in nearly.why
    assert choose(drivers_scored()).caution is None


@pytest.mark.parametrize("better", ["driver", DAMPED])
def test_one_driver_is_chosen_where_this_series_clearly_says_so(better: str) -> None:
    chosen = choose(drivers_scored(**{better: [5.0, 6.0, 5.1, 6.1] * 4}))
    assert (chosen.model, chosen.weights) == (better, {better: 1.0})
    assert "more than two standard errors" in chosen.why


def test_a_challenger_is_shown_and_never_chosen() -> None:
    found = drivers_scored(SARIMA=[1.0, 1.1] * 8, structural=[2.0, 2.1] * 8)
    assert league(found)["model"].to_list()[:2] == ["SARIMA", "structural"]
    assert choose(found).model == BOTH
    assert choose(drivers_scored(**{"driver without covariates": [1.0, 1.1] * 8})).model == BOTH


def test_drivers_worse_than_seasonal_naive_are_used_with_a_caution() -> None:
    chosen = choose(scored({"driver": BAD, DAMPED: BAD, BOTH: BAD, "SARIMA": GOOD, "seasonal naive": YARDSTICK}))
    assert chosen.model == BOTH
    assert chosen.caution is not None
    assert f"the {BOTH} did worse than seasonal naive (by 13.6% of CRPS)" in chosen.caution


def test_without_trials_or_without_a_second_driver_the_first_that_is_there_is_used() -> None:
    field = challengers.field(SERIES)
    assert untried(field, "too short")[:3] == (BOTH, members(BOTH), f"the {BOTH}, untested: too short")
    assert untried(challengers.field(SERIES, Terms(trend=True)), "too short").model == "driver"
    assert choose(scored({"driver": GOOD, "SARIMA": YARDSTICK})).model == "driver"
    failed = Backtest(scored({"SARIMA": YARDSTICK}).scores, {"driver": "could not be fitted"})
    assert choose(failed).why == "the driver, untested: it could not be fitted"


def test_the_mix_is_no_worse_than_its_members_are_on_average(tried: tuple[MonthlyCounts, Backtest]) -> None:
    """As CRPS is convex; chance of the draws aside."""
    mean = dict(tried[1].scores.group_by("model").agg(pl.col("crps").mean()).iter_rows())
    print(mean)
    assert mean[BOTH] < 1.01 * 0.5 * (mean["driver"] + mean[DAMPED])


def test_the_drift_widens_where_what_came_lay_in_the_tails() -> None:
    tails = scored({"driver": [1.0] * 16}, pit=0.99)
    middle = scored({"driver": [1.0] * 16}, pit=0.5)
    assert widening(tails) > 1.3
    assert 0.8 <= widening(middle) < 1.0
    both = Backtest(pl.concat([middle.scores, scored({BOTH: [1.0] * 16}, pit=0.99).scores]), {})
    assert widening(both, BOTH) == widening(tails) > widening(both)
    assert choose(both).widen == widening(tails), "of what is chosen"


def test_a_driver_in_a_simulation_is_widened_by_a_few_trials_of_its_own() -> None:
    """Counts that run away from what is typical ask for more drift; a year of counts says nothing."""
    rng = np.random.default_rng(12)
    restless = MonthlyCounts("X", FIRST, made(rng, 60, drift=0.3))
    still = MonthlyCounts("X", FIRST, made(rng, 60, drift=0.005))
    wide, narrow = (own_widening(fit_driver(s, plain=False), s) for s in (restless, still))
    print(wide, narrow)
    assert narrow < 1.0 < wide
    short = restless.known(FIRST + 11)
    assert own_widening(fit_driver(short, plain=False), short) == 1.0
    assert fit_driver(short, plain=False).widen == TYPICAL_WIDENING


def test_a_series_too_short_or_constant_is_forecast_untested() -> None:
    rng = np.random.default_rng(6)
    short = forecast_series(MonthlyCounts("X", FIRST, rng.poisson(50, 14).astype(float)), 6)
    assert short.backtest is None
    assert "too few" in short.choice.why
    same = forecast_series(MonthlyCounts("X", FIRST, np.full(48, 100.0)), 12)
    assert same.backtest is None
    rows = same.rows()
    assert (rows["hi80"] > rows["lo80"]).all()
    assert rows["median"].to_numpy() == pytest.approx(np.full(12, 100.0), rel=0.15)
    with pytest.raises(BadInput, match="horizon: must be from 1 to 120"):
        forecast_series(SERIES, 0)


def test_a_covariate_that_does_not_reach_the_horizon_is_told() -> None:
    rng = np.random.default_rng(7)
    jobless = 5 + np.cumsum(rng.normal(0, 0.2, 30))
    series = MonthlyCounts("X", FIRST, rng.poisson(80, 24).astype(float), None, {"jobless": jobless})
    six, seven = (forecast_series(series, horizon).series.notes for horizon in (6, 7))
    assert not any("held" in note for note in six)
    assert any("The covariate jobless is known to 2014-09: past that its last value is held" in note for note in seven)
