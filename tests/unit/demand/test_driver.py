"""The driver: equal to a plain regression without drift, right on average with it, honest in its intervals."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm

from simcare.demand import driver as drivers
from simcare.demand import level as levels
from simcare.demand.months import working_days
from simcare.demand.pooling import pooled
from simcare.demand.regressors import Terms, columns
from simcare.demand.series import MonthlyCounts
from simcare.errors import BadInput
from simcare.units import month_name
from tests.support.made_counts import FIRST, made


def test_without_drift_and_with_a_wide_prior_it_is_statsmodels_regression() -> None:
    rng = np.random.default_rng(1)
    y = made(rng, drift=1e-6)
    x = columns(MonthlyCounts("X", FIRST, y), Terms()).at(np.arange(FIRST, FIRST + y.size))
    still = levels.LevelPrior(centre=(np.log(0.01), np.log(1e-4), 0.0), sd=(1e-3, 1e-3, 1e-3))
    found = levels.fit_level(y, np.zeros(y.size), x, np.zeros(6), np.full(6, 50.0), still)
    family = sm.families.NegativeBinomial(alpha=found.dispersion)
    known = sm.GLM(y, sm.add_constant(x), family=family).fit()
    print(found.joint[:6], known.params[1:])
    assert found.joint[:6] == pytest.approx(known.params[1:], abs=2e-3)
    assert np.sqrt(np.diagonal(found.joint_cov)[:6]) == pytest.approx(known.bse[1:], rel=0.02)


def test_known_coefficients_come_back_within_four_standard_errors() -> None:
    rng = np.random.default_rng(2)
    wide = drivers.Typical(
        {
            "": (0.0, 5.0),
            "working days": (0.0, 5.0),
            "school holidays": (0.0, 5.0),
            "cos": (0.0, 5.0),
            "sin": (0.0, 5.0),
            "step": (0.0, 5.0),
        }
    )
    found = []
    for _ in range(40):
        y = made(rng)
        y[50:] = rng.binomial(y[50:].astype(int), 0.7)  # recording loses three in ten from then on
        found.append(drivers.fit_driver(MonthlyCounts("X", FIRST, y), Terms(steps=(FIRST + 50,)), wide, plain=False))
    truth = {
        "working days": 1.2,
        "school holidays": -0.2,
        "cos 12 months": 0.04,
        f"step {month_name(FIRST + 50)}": np.log(0.7),
    }
    for name, true in truth.items():
        k = found[0].names.index(name)
        values = np.array([d.beta[k] for d in found])
        se = values.std(ddof=1) / np.sqrt(values.size)
        print(name, values.mean(), true, se)
        assert abs(values.mean() - true) < 4 * se
        covered = np.mean([abs(d.beta[k] - true) < 1.96 * d.se[k] for d in found])
        assert covered > 0.95 - 4 * np.sqrt(0.95 * 0.05 / 40)


def test_a_plain_regression_is_too_sure_of_a_step_and_the_driver_is_not() -> None:
    """The level moves by itself; without one, a step that is not there is found far too often."""
    rng = np.random.default_rng(3)
    wide = drivers.Typical({"": (0.0, 5.0)})
    plain = driver = 0
    for _ in range(30):
        found = drivers.fit_driver(MonthlyCounts("X", FIRST, made(rng)), Terms(steps=(FIRST + 42,)), wide)
        assert found.plain is not None
        k = found.names.index(f"step {month_name(FIRST + 42)}")
        plain += abs(found.plain.beta[k]) > 1.96 * found.plain.se[k]
        driver += abs(found.beta[k]) > 1.96 * found.se[k]
    print(plain, driver)
    assert plain > 10
    assert driver <= 1.5 + 4 * np.sqrt(30 * 0.05 * 0.95)


def test_intervals_cover_on_authorities_that_were_not_seen() -> None:
    rng = np.random.default_rng(4)
    held = {50: [], 80: [], 90: []}
    for _ in range(80):
        drift, rho = 0.065 * np.exp(0.4 * rng.standard_normal()), 1 / (1 + np.exp(-(2.9 + 0.6 * rng.standard_normal())))
        y = made(
            rng,
            84,
            rate=float(np.exp(rng.uniform(3, 7))),
            drift=drift,
            rho=rho,
            dispersion=0.008 * np.exp(0.6 * rng.standard_normal()),
        )
        series = MonthlyCounts("X", FIRST, y).known(FIRST + 59)
        draws = drivers.simulate_counts(drivers.fit_driver(series, plain=False), series, 24, 800, rng)
        for level, kept in held.items():
            low, high = np.quantile(draws, [(100 - level) / 200, (100 + level) / 200], axis=0)
            kept.append(np.mean((low <= y[60:]) & (y[60:] <= high)))
    for level, kept in held.items():
        mean, se = np.mean(kept), np.std(kept, ddof=1) / np.sqrt(len(kept))
        print(level, mean, se)
        assert abs(mean - level / 100) < 4 * se
    assert 0.75 <= np.mean(held[80]) <= 0.85


def test_surprises_are_white_noise_where_the_model_is_true() -> None:
    rng = np.random.default_rng(5)
    found = [drivers.fit_driver(MonthlyCounts("X", FIRST, made(rng)), plain=False).level.surprises for _ in range(30)]
    first = np.array([s[1:] @ s[:-1] / (s @ s) for s in found])
    print(first.mean(), np.mean([s.std() for s in found]))
    assert abs(first.mean()) < 4 * first.std(ddof=1) / np.sqrt(30) + 0.02
    assert np.mean([s.std() for s in found]) == pytest.approx(1.0, abs=0.1)


def test_paths_have_the_moments_that_are_told_and_a_longer_horizon_changes_no_month() -> None:
    rng = np.random.default_rng(6)
    driver = drivers.widened(drivers.fit_driver(MonthlyCounts("X", FIRST, made(rng)), plain=False), 1.2)
    normals = rng.standard_normal((20_000, driver.beta.size + 2 + 24))
    paths = drivers.rates(driver, 24, normals)
    mean, variance = drivers.moments(driver, 24)
    assert np.abs((paths.mean(axis=0) - mean) / np.sqrt(variance / 20_000)).max() < 4
    heavier = ((paths - mean) ** 4).mean(axis=0) / variance**2 - 1  # of a normal it would be 2
    assert (np.abs(paths.var(axis=0) / variance - 1) < 4 * np.sqrt(heavier / 20_000)).all()
    rates = np.exp(paths)
    se = rates.std(axis=0) / np.sqrt(20_000)
    assert np.abs((rates.mean(axis=0) - drivers.expected_rates(driver, 24)) / se).max() < 4
    assert drivers.rates(driver, 12, normals[:, : driver.beta.size + 2 + 12]) == pytest.approx(paths[:, :12])


def test_steps_of_the_level_have_heavier_tails_than_a_normal_and_the_same_spread() -> None:
    """Three standard deviations out of Student's t with four degrees of freedom: 3.6 times as often as a normal draw,
    by the t's own distribution; and the more often the farther out."""
    from scipy.stats import norm, t

    normals = np.random.default_rng(10).standard_normal(400_000)
    steps = drivers.steps(normals)
    assert steps.mean() == pytest.approx(0.0, abs=0.01)
    assert steps.std() == pytest.approx(1.0, abs=0.02)
    assert (np.sign(steps) == np.sign(normals)).all() and (np.argsort(steps) == np.argsort(normals)).mean() > 0.99
    for far in (3.0, 4.0):
        often = np.mean(np.abs(steps) > far)
        told = 2 * t.sf(far * np.sqrt(2.0), 4)  # the sd of t with four degrees of freedom is the root of two
        print(far, often, told, 2 * norm.sf(far))
        assert often == pytest.approx(told, rel=0.15)
        assert often > 2 * 2 * norm.sf(far)
    assert np.isfinite(drivers.steps(np.array([40.0, -40.0]))).all()


def test_the_mean_of_rates_knows_of_heavy_tails() -> None:
    """In the first month ahead the mean is a lognormal's but for the step, whose mean is an integral."""
    from scipy.integrate import quad
    from scipy.stats import norm

    fitted = drivers.fit_driver(MonthlyCounts("X", FIRST, made(np.random.default_rng(12))), plain=False)
    driver = drivers.widened(fitted, 10.0)
    size = driver.widen * driver.level.drift
    step = quad(
        lambda z: np.exp(size * drivers.steps(np.array([z]))[0]) * norm.pdf(z), -8, 8, limit=200, points=[-4, 4]
    )
    mean, variance = drivers.moments(driver, 1)
    known = np.exp(mean[0] + (variance[0] - size**2) / 2) * step[0]
    print(step[0], np.exp(size**2 / 2))
    assert drivers.expected_rates(driver, 1)[0] == pytest.approx(known, rel=1e-4)
    assert step[0] > 1.02 * np.exp(size**2 / 2)


def test_a_fall_in_the_school_holidays_is_forecast() -> None:
    """August lies below the waves of the season: the median of next August is within a tenth of the truth, where
    without the column it is too high."""
    rng = np.random.default_rng(11)
    found = {True: [], False: []}
    for _ in range(6):
        series = MonthlyCounts("X", FIRST, made(rng, 60, drift=0.01, holidays=-0.4))
        truth = np.exp(np.log(400) + 0.04 * np.cos(2 * np.pi * 7 / 12) - 0.4)
        truth *= (working_days(FIRST + 64) / 21) ** 1.2
        for held, kept in found.items():
            driver = drivers.fit_driver(series, Terms(school_holidays=held), plain=False)
            draws = drivers.simulate_counts(driver, series, 12, 500, rng)
            kept.append(float(np.log(np.median(draws[:, 4]) / truth)))
    with_it, without = (np.mean(found[held]) for held in (True, False))
    print(with_it, without)
    assert abs(with_it) < 0.08
    assert without > 0.12


def test_missing_months_weigh_nothing_and_exposure_is_an_offset() -> None:
    rng = np.random.default_rng(7)
    y = made(rng)
    holed = y.copy()
    holed[[10, 40, 41]] = np.nan
    full, gaps = (drivers.fit_driver(MonthlyCounts("X", FIRST, v), plain=False) for v in (y, holed))
    assert np.isfinite(gaps.fitted).all()
    assert gaps.level.surprises.size == 81
    assert np.abs(gaps.fitted - full.fitted)[60:].max() < 0.05
    doubled = drivers.fit_driver(MonthlyCounts("X", FIRST, y, np.full(84, 2.0)), plain=False)
    assert doubled.fitted == pytest.approx(full.fitted - np.log(2.0), abs=1e-3)


def test_pooling_pulls_a_short_series_to_what_is_typical_and_hardly_a_long_one() -> None:
    rng = np.random.default_rng(8)
    areas = [drivers.fit_driver(MonthlyCounts(str(k), FIRST, made(rng, working=1.6)), plain=False) for k in range(8)]
    typical = pooled(areas)
    mean, sd = typical.coefficients["working days"]
    print(mean, sd)
    assert abs(mean - 1.6) < 4 * sd
    assert sd < 0.2
    y = made(rng, working=1.6)
    short, long = (
        drivers.fit_driver(MonthlyCounts("X", FIRST, y[-n:]), typical=typical, plain=False) for n in (12, 84)
    )
    k = short.names.index("working days")
    assert short.se[k] < 0.3 * short.alone()[1][k]
    assert long.se[k] / long.alone()[1][k] > 1.5 * short.se[k] / short.alone()[1][k]
    assert pooled(areas[:2]).coefficients == drivers.Typical().coefficients


def test_a_covariate_with_a_lag_is_found() -> None:
    rng = np.random.default_rng(9)
    jobless = np.cumsum(rng.normal(0, 0.3, 90)) + 6
    y = rng.poisson(made(rng, drift=0.01) * np.exp(0.2 * (jobless[:84] - 6))).astype(float)
    series = MonthlyCounts("X", FIRST + 6, y[6:], None, {"jobless": jobless[6:]})
    found = drivers.fit_driver(
        MonthlyCounts("X", FIRST, y, None, {"jobless": jobless}),
        Terms(covariates={"jobless": 0}),
        drivers.Typical({"": (0, 5)}),
        plain=False,
    )
    k = found.names.index("jobless")
    per_unit = found.beta[k] / jobless[:84].std()
    assert abs(per_unit - 0.2) < 4 * found.se[k] / jobless[:84].std()
    lagged = columns(series, Terms(0, False, False, covariates={"jobless": 3})).at(series.months)[:, 0]
    plain = columns(series, Terms(0, False, False, covariates={"jobless": 0})).at(series.months)[:, 0]
    assert np.corrcoef(lagged[3:], plain[:-3])[0, 1] == pytest.approx(1.0)
    with pytest.raises(BadInput, match="unknown 'joblss', did you mean 'jobless'"):
        columns(series, Terms(covariates={"joblss": 0}))
