"""The diagnostics of contracts, on logs written by hand with known answers, and on a small town whose agency is paid to
step people down by a day."""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from simcare.errors import BadInput
from simcare.files.load import load_experiment
from simcare.files.parsing import parse
from simcare.log.by_hand import log_of
from simcare.model import Model
from simcare.model.overlay import apply_strategy, extended_by
from simcare.money.gaming import Z, bunching, gaming_gains, poisson_fit, released, skimming, step_downs, wilson
from tests.support.logs import simulate

LADDER = ["independent", "community", "home"]
DEADLINE = 182


def number(value: Any) -> dict[str, Any]:
    return {"value": value, "source": "assumption", "grade": "D"}


def town(contract: str) -> Model:
    """Everybody comes with need of the one service, recovers in two months on average, and is then stepped down by the
    agency or not at all."""
    bonus = {"kind": "step_down_bonus", "gbp": number(900), "by_day": DEADLINE, "lasts_days": 91}
    flat = {"kind": "per_diem", "gbp_per_day": number(35.43)}
    answers = {
        "eta": 1.0, "horizon_days": 60, "altruism_gbp_per_rung_day": 2, "avoidable_share": 0.7, "occupancy": 0.9,
        "return_per_year": 0.3, "exits_per_year": 0.3, "discount_per_year": 0.035,
    }  # fmt: skip
    data: dict[
        str, Any] = {"about": {"name": "town", "title": "A town with one agency", "start": "2013-04-01"},
        "tiers": [{"name": "independent"}, {"name": "placement"}], "stages": [{"name": "all ages", "from_age": 0}],
        "groups": [{"name": "general"}], "services": [{"name": "care", "tier": "placement"}],
        "contracts": [{"name": "flat", "terms": [flat]}, {"name": "dated", "terms": [flat, bonus]}],
        "providers": [{"name": "agency", "owner": "independent", "offers": [{"service": "care", "contract": "flat",
        "weight": number(1)}]}], "clocks": [{"clock": "recover", "needs": ["placement"], "per_year": number(6)},
        {"clock": "step_down", "per_year": number(0.5)}, {"clock": "leaving", "per_year": number(0.3)}, ],
        "arrivals": [{"name": "new", "stage": "all ages", "group": "general", "route": "direct",
        "per_year": number(2500), "needs": number([0.0, 1.0]), "ages": {"edges": [70, 80], "shares": [1.0],
        "source": "assumption", "grade": "D"}}, ], "responses": [{"name": "agencies", "owners": ["independent"],
        **{key: number(value) for key, value in answers.items()}}], "prices": {"base_year": "2013/14",
        "growth_per_year": number(0), "inflation_per_year": number(0), "discount": [{"from_year": 0,
        "per_year": number(0)}]},
    }  # fmt: skip
    data["providers"][0]["offers"][0]["contract"] = contract
    return parse(Model, data, "town")


@cache
def bunched(contract: str) -> pl.DataFrame:
    model = town(contract)
    return bunching(simulate(model, 1461.0, seed=3), model, "care", DEADLINE)


def side(found: pl.DataFrame, name: str) -> dict[str, Any]:
    return found.filter(pl.col("side") == name).row(0, named=True)


# Bunching.


def test_a_bonus_that_ends_on_a_day_bunches_step_downs_before_it() -> None:
    before, after = side(bunched("dated"), "before"), side(bunched("dated"), "after")
    print(bunched("dated"))
    assert (before["from_day"], before["to_day"]) == (DEADLINE - 28, DEADLINE)
    assert before["low"] > 0.1
    assert after["low"] < 0 < after["high"]


def test_a_flat_price_bunches_nothing() -> None:
    print(bunched("flat"))
    for name in ("before", "after"):
        found = side(bunched("flat"), name)
        assert found["low"] < 0 < found["high"]
        assert found["observed"] > 50


def ends(days: list[float], cause: str = "step_down", **more: Any) -> list[dict[str, Any]]:
    """Somebody for each number of days, whose stay ends then."""
    care = {"need": "home", "tier": "home", "service": "care", "provider": "p", "stay_start": 0.0}
    rows: list[dict[str, Any]] = []
    for k, day in enumerate(days):
        rows += [
            {"event": "start", "client": k, **care, **more},
            {"event": "end", "client": k, "cause": cause, "time": day, **more},
        ]
    return rows


def evenly(a_week: int, until: int, extra: int) -> list[float]:
    """So many ends in each week of a stay, and extra ones in the four weeks before day 182."""
    days = [7.0 * week + 7.0 * (k + 0.5) / a_week for week in range(until // 7) for k in range(a_week)]
    return days + [154.0 + 28.0 * (k + 0.5) / extra for k in range(extra)]


def test_of_an_even_course_the_excess_is_what_was_put_in() -> None:
    found = bunching(log_of(ends(evenly(20, 364, 40)), LADDER), town("flat"), "care", 182)
    before, after = side(found, "before"), side(found, "after")
    assert (
        before["observed"] == 120
        and before["expected"] == pytest.approx(80, rel=1e-6)
        and before["excess"] == pytest.approx(0.5)
    )
    assert after["excess"] == pytest.approx(0.0, abs=1e-6)
    # Every count outside is 20: the variance of the fit is that of a quadratic through 16 bins, of the count 1/120.
    x = np.array([(k + 0.5 - 12) * 7 for k in range(24)])
    design = (x / np.abs(x).max())[:, None] ** np.arange(3)
    far = np.abs(x) > 28
    mean = design[(x < 0) & ~far].mean(axis=0)
    se = math.sqrt(1 / 120 + mean @ np.linalg.inv(20 * design[far].T @ design[far]) @ mean)
    assert (before["low"], before["high"]) == pytest.approx((1.5 * math.exp(-Z * se) - 1, 1.5 * math.exp(Z * se) - 1))


def test_days_before_a_contract_and_other_causes_are_left_out() -> None:
    reviews = ends(evenly(20, 364, 40), "review")
    assert bunching(log_of(reviews, LADDER), town("flat"), "care", 182)["observed"].to_list() == [0, 0]
    assert bunching(log_of(reviews, LADDER), town("flat"), "care", 182, causes=None)["observed"].to_list() == [120, 80]
    assert bunching(log_of(ends(evenly(20, 364, 40)), LADDER), town("flat"), "care", 182, since=168)[
        "observed"
    ].to_list() == [60, 80]


def test_with_nothing_to_read_a_course_from_there_is_no_excess() -> None:
    found = bunching(log_of(ends([170.0, 171.0]), LADDER), town("flat"), "care", 182)
    assert found.select("observed", "expected", "excess", "low").rows() == [
        (2, None, None, None),
        (0, None, None, None),
    ]


def test_strategies_are_told_apart() -> None:
    rows = ends(evenly(20, 364, 40)) + ends(evenly(20, 364, 1), strategy="other")
    found = bunching(log_of(rows, LADDER), town("flat"), "care", 182).filter(pl.col("side") == "before")
    assert found.select("strategy", "observed").rows() == [("baseline", 120), ("other", 81)]


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ({"service": "car"}, "service: "),
        ({"threshold_day": 20.0}, "bins outside the window"),
        ({"window": 30.0}, "no whole number of bins"),
        ({"threshold_day": -1.0}, "around day -1"),
    ],
)
def test_what_cannot_be_asked_is_refused(asked: dict[str, Any], sentence: str) -> None:
    log = log_of(ends([170.0]), LADDER)
    with pytest.raises(BadInput, match=sentence):
        bunching(log, town("flat"), **({"service": "care", "threshold_day": 182.0} | asked))


def test_the_fit_is_that_of_a_published_package() -> None:
    api = pytest.importorskip("statsmodels.api")
    rng = np.random.default_rng(5)
    x = np.linspace(-1, 1, 16)[:, None] ** np.arange(3)
    counts = rng.poisson(np.exp(x @ [3.0, 0.4, -0.3])).astype(float)
    theirs = api.GLM(counts, x, family=api.families.Poisson()).fit()
    spread = max(1.0, theirs.pearson_chi2 / theirs.df_resid)
    ours = poisson_fit(x, counts)
    assert ours.beta == pytest.approx(theirs.params, rel=1e-6)
    assert ours.covariance == pytest.approx(theirs.cov_params() * spread, rel=1e-6)


def test_the_interval_holds_no_excess_nineteen_times_in_twenty() -> None:
    model, rng, hits = town("flat"), np.random.default_rng(11), 0
    log = log_of(ends([1.0] * 1800), LADDER)
    for _ in range(200):  # four a day; those beyond the last bin are not read
        days = np.stack([np.zeros(1800), np.cumsum(rng.exponential(0.25, 1800))], axis=1).ravel()
        found = side(bunching(log.with_columns(pl.Series("time", days)), model, "care", 182), "before")
        hits += found["low"] < 0 < found["high"]
    print(f"{hits} of 200 intervals hold nought")
    assert (
        hits >= 180
    )  # 190 expected or, since a fit better than Poisson's is not believed, a few more; standard deviation 3.1


# Who is let go, and who is kept.


def clients(needs: list[str], gone: dict[int, float], cause: str = "step_down") -> pl.DataFrame:
    """Clients in a home with these needs; some are let go on a day."""
    care = {"tier": "home", "service": "care", "provider": "p", "stay_start": 0.0}
    rows: list[dict[str, Any]] = []
    for k, need in enumerate(needs):
        rows.append({"event": "present", "client": k, "need": need, **care})
        if k in gone:
            rows.append({"event": "end", "client": k, "need": need, "cause": cause, "time": gone[k]})
    return log_of(rows, LADDER)


def test_who_needs_most_of_those_that_could_go_is_let_go() -> None:
    # Two with a gap of 1 go after 10 and 30 days; two with a gap of 2 stay for all 100; who has no gap could not go.
    found = skimming(
        clients(["community", "community", "independent", "independent", "home"], {0: 10.0, 1: 30.0}), 100.0
    ).row(0, named=True)
    kept = (1 * 40 + 2 * 200) / 240
    assert (found["tier"], found["cause"], found["let_go"], found["kept_days"]) == ("home", "step_down", 2, 240.0)
    assert (found["gap_let_go"], found["gap_kept"], found["difference"]) == pytest.approx((1.0, kept, 1.0 - kept))
    influence = [days * (gap - kept) / 240 for days, gap in ((10, 1), (30, 1), (100, 2), (100, 2))]
    half = Z * math.sqrt(sum(x * x for x in influence))
    assert (found["low"], found["high"]) == pytest.approx((1 - kept - half, 1 - kept + half))


def test_of_those_let_go_too_soon_only_who_needs_the_care_is_compared() -> None:
    found = skimming(clients(["home", "independent", "home"], {0: 50.0}, "premature"), 100.0).row(0, named=True)
    assert (found["cause"], found["gap_let_go"], found["kept_days"], found["gap_kept"], found["low"]) == (
        "premature",
        0.0,
        150.0,
        0.0,
        None,
    )


def test_reviews_are_not_the_providers_choice() -> None:
    assert skimming(clients(["community", "independent"], {0: 10.0}, "review"), 100.0).is_empty()
    assert skimming(clients(["community", "independent"], {0: 10.0}), 100.0, service="other").is_empty()


@for_all(st.lists(st.tuples(st.sampled_from(LADDER[:2]), st.booleans()), min_size=4, max_size=12))
def test_the_difference_is_that_of_the_means(people: list[tuple[str, bool]]) -> None:
    gone = {k: 20.0 for k, (_, goes) in enumerate(people) if goes}
    found = skimming(clients([need for need, _ in people], gone), 60.0)
    if not gone:
        assert found.is_empty()
        return
    gaps = np.array([2 - LADDER.index(need) for need, _ in people], float)
    goes = np.array([g for _, g in people])
    days = np.where(goes, 20.0, 60.0)
    assert found["difference"][0] == pytest.approx(gaps[goes].mean() - (gaps * days).sum() / days.sum())


# Returns.


def test_returns_are_counted_within_the_days_that_could_be_followed() -> None:
    care = {"need": "community", "tier": "community", "service": "care", "provider": "p"}
    home = {"need": "home", "tier": "home", "service": "home", "provider": "p"}

    def person(client: int, cause: str, left: float, *after: dict[str, Any]) -> list[dict[str, Any]]:
        first = {"event": "present", "client": client, "stay_start": -5.0, **home}
        return [
            first,
            {"event": "end", "cause": cause, "client": client, "time": left},
            *({"client": client, **row} for row in after),
        ]

    rows = [
        *person(1, "premature", 10, {"event": "start", "time": 100, "stay_start": 100, **home}),  # back after 90 days
        *person(2, "premature", 10, {"event": "start", "time": 102, "stay_start": 102, **home}),  # after 92
        *person(3, "premature", 10, {"event": "start", "time": 30, "stay_start": 30, **care}),  # on a lower rung
        *person(
            4, "premature", 290, {"event": "start", "time": 295, "stay_start": 295, **home}
        ),  # not followed for 91 days
        *person(5, "step_down", 10, {"event": "death", "time": 12}),
        *person(
            6, "step_down", 209, {"event": "start", "time": 299, "stay_start": 299, **home}
        ),  # on the last day that can be followed
        *person(7, "handover", 20),  # not by choice
    ]
    found = released(log_of(rows, LADDER), 300.0)
    assert found.select("cause", "count", "followed", "back").rows() == [("premature", 4, 3, 1), ("step_down", 2, 2, 1)]
    assert found.filter(pl.col("cause") == "premature").select("share", "low", "high").row(0) == pytest.approx(
        wilson(1, 3)
    )


def test_a_short_term_stay_is_above_every_rung() -> None:
    home = {"need": "home", "tier": "home", "service": "home", "provider": "p", "stay_start": 0.0}
    rows = [
        {"event": "present", **home},
        {"event": "end", "cause": "step_down", "time": 5},
        {
            "event": "start",
            "cause": "crisis",
            "time": 9,
            "tier": "bed",
            "service": "bed",
            "provider": "p",
            "stay_start": 9.0,
        },
    ]
    log = log_of(rows, LADDER, ["bed"])
    assert released(log, 300.0)["back"].to_list() == [1]
    assert step_downs(log).height == 1


def test_nobody_followed_gives_no_share() -> None:
    assert released(log_of(ends([5.0]), LADDER), 50.0).select("count", "followed", "share", "low").row(0) == (
        1,
        0,
        None,
        None,
    )


# What a cycle would earn.


def test_gaming_gives_each_contract_of_each_offer_its_best_cycle() -> None:
    experiment, model = load_experiment("tiered-tariffs")
    extended = extended_by(model, experiment)
    strategies = {s.name: s for s in experiment.strategies}
    mine = (pl.col("service") == "intensive_home_care_older") & (pl.col("provider") == "home_care_agencies")
    found = gaming_gains(apply_strategy(extended, strategies["bonus"])).filter(mine)
    assert found["contract"].to_list() == ["intensive_home_care_older_independent", "bonus"]
    # A return on the 91st day keeps the bonus of £900, and costs 91 days' margin (three tenths of £241.30 a week).
    best = found.row(1, named=True)
    assert (best["cycle_day"], best["days_out"], best["cycle_gain"]) == (
        1,
        91,
        pytest.approx(900 - 91 * 0.3 * 241.3 / 7),
    )
    taper, clawed = (
        gaming_gains(apply_strategy(extended, strategies[name])).filter(mine).row(1, named=True)
        for name in ("taper", "taper_with_clawback")
    )
    # A taper begun anew on day 84: the first bands' extra once more, less one day's margin.
    extra = 42 * (49.6 - 33.18) + 42 * (38.97 - 33.18)
    assert taper["reset_gain"] == pytest.approx(extra - 0.3 * 33.18, abs=4)
    assert clawed["reset_gain"] < taper["reset_gain"] - 800
