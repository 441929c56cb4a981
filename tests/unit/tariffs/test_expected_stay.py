"""The incentive curves and what is expected of a client, against the simulation, against naive sums and by hand.

The simulation's town has two rungs of care. Everybody needs the lower one, and who is assessed one too high comes to
the upper one: from the first day of the stay they could step down. Where returns are wanted, weekly reviews on the
lower rung err in the same way, so a client is back after 7, 14, 21 … days with a chance that is known.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import polars as pl
import pytest
from scipy.integrate import quad

from simcare.files.parsing import parse
from simcare.log.spells import spells
from simcare.log.states import prepare
from simcare.model import Model
from simcare.model.contracts import invoice
from simcare.report.figures.tariff import incentive_figure
from simcare.runs.run import run
from simcare.tariffs.expected_stay import Case, case, cases, curve, expected_of, review_days, step_down_per_year
from simcare.tariffs.holding_value import Incentive, days_of, holding_value, step_down_factor
from tests.support.standard_errors import holds

WINDOW_DAYS = 87.5  # twelve weekly reviews fall within it, on days 7 to 84
ERR = 0.1  # of those reviews see need one too high: the client is back
BACK_PER_YEAR = (
    -12 * math.log1p(-ERR) / WINDOW_DAYS * 365.25
)  # the constant rate with the same chance of a return within the window


def number(value: float) -> dict[str, Any]:
    return {"value": value, "source": "assumption", "grade": "D"}


def per_diem(gbp: float) -> dict[str, Any]:
    return {"kind": "per_diem", "gbp_per_day": number(gbp)}


def bonus(gbp: float, **more: float) -> dict[str, Any]:
    return {"kind": "step_down_bonus", "gbp": number(gbp), **more}


def taper(*steps: tuple[float, float]) -> dict[str, Any]:
    return {"kind": "tapered", "bands": [{"from_day": day, "gbp_per_day": number(gbp)} for day, gbp in steps]}


TAPER = taper((0, 140), (42, 110), (84, 80))
CONTRACTS: dict[str, list[dict[str, Any]]] = {
    "per_diem": [per_diem(100)],
    "taper": [TAPER],
    "bonus": [per_diem(95), bonus(1500, lasts_days=WINDOW_DAYS)],
    "dated_bonus": [per_diem(95), bonus(1500, by_day=60, lasts_days=WINDOW_DAYS)],
    "bonus_that_tapers": [per_diem(95), bonus(1500, tapers_from_day=28, by_day=91, lasts_days=WINDOW_DAYS)],
    "late_sum": [
        per_diem(95),
        {"kind": "episode", "gbp": number(1500), "on_day": 60},
        {"kind": "clawback", "within_days": WINDOW_DAYS, "share": number(1)},
    ],
    "outcome": [
        per_diem(90),
        {"kind": "outcome", "gbp": number(2000), "share_up_front": number(0.2), "lasts_days": WINDOW_DAYS},
    ],
    "taper_with_clawback": [TAPER, {"kind": "clawback", "within_days": WINDOW_DAYS, "days_of_pay": 28}],
    "days_saved": [
        per_diem(95),
        {"kind": "days_saved", "baseline_days": 120, "gbp_per_day": number(20), "lasts_days": WINDOW_DAYS},
    ],
}


def town(
    terms: Sequence[Mapping[str, Any]],
    *,
    eta: float = 1.0,
    over: float = 1.0,
    back_per_year: float = 0.0,
    weekly: bool = False,
    reviews: tuple[float, float] | None = None,
    answers: bool = True,
    ready_per_year: float = 4.0,
    title: str | None = None,
) -> Model:
    """A town in which everybody needs the lower rung; ``over`` of the assessments put them on the upper one, where a
    home answers to money."""
    home: dict[str, Any] = {"name": "home", "tier": "placement"}
    visits: dict[str, Any] = {"name": "visits", "tier": "community"}
    if reviews is not None:
        home |= {"first_review_days": number(reviews[0]), "review_every_days": number(reviews[1])}
    if weekly:
        visits |= {"first_review_days": number(7), "review_every_days": number(7)}
    answer = {
        "name": "homes",
        "owners": ["independent"],
        "eta": number(eta),
        "horizon_days": number(60),
        "avoidable_share": number(0.6),
        "occupancy": number(0.9),
        "altruism_gbp_per_rung_day": number(3),
        "return_per_year": number(back_per_year),
        "exits_per_year": number(0.3),
        "discount_per_year": number(0.035),
    }
    data = {
        "about": {"name": "town", "title": "A town of two rungs", "start": "2013-04-01"},
        "tiers": [{"name": "independent"}, {"name": "community"}, {"name": "placement"}],
        "stages": [{"name": "all ages", "from_age": 0}],
        "groups": [{"name": "general"}],
        "services": [home, visits],
        "contracts": [
            {"name": "agreed", "title": title, "terms": list(terms)},
            {"name": "flat", "terms": [per_diem(20)]},
        ],
        "providers": [
            {
                "name": "homes",
                "owner": "independent",
                "offers": [{"service": "home", "contract": "agreed", "weight": number(1)}],
            },
            {
                "name": "carers",
                "owner": "voluntary",
                "offers": [{"service": "visits", "contract": "flat", "weight": number(1)}],
            },
        ],
        "clocks": [{"clock": "step_down", "services": ["home"], "per_year": number(ready_per_year)}],
        "front_door": [{"name": "all", "over_specified": number(over)}],
        "arrivals": [
            {
                "name": "everybody",
                "stage": "all ages",
                "group": "general",
                "needs": {**number(0), "value": [0, 1, 0]},
                "per_year": [number(1500 if weekly else 1500 / max(over, 0.1)), {"from": "2015-04-01", **number(0)}],
                "ages": {"edges": [30, 60], "shares": [1], "source": "assumption", "grade": "D"},
            }
        ],
        "responses": [answer] if answers else [],
        "prices": {
            "base_year": "2013/14",
            "growth_per_year": number(0),
            "inflation_per_year": number(0),
            "discount": [{"from_year": 0, "per_year": number(0)}],
        },
    }
    return parse(Model, data, "town")


def client_of(model: Model, **options: Any) -> Case:
    return cases(model, "home", need="community", **options)[0]


def seen_of(model: Model) -> Incentive:
    seen = client_of(model).seen
    assert seen is not None
    return seen


YEARS = 10
HOMES = pl.DataFrame({"service": ["home"], "provider": ["homes"]})


def simulated(model: Model, seed: int = 11) -> tuple[pl.DataFrame, float]:
    """The stays in the home of one long run that were begun in its first three years, all of them over; and what the
    ledger has for all stays."""
    done = run(model, YEARS, 1, seed, engine="compiled", keep_log=True, workers=1)
    assert done.log is not None
    stays = spells(prepare(done.log), HOMES, done.days).filter(pl.col("stay_start") < 3 * 365.25)
    assert stays.height > 2000
    assert stays.filter(pl.col("until") >= done.days - 400).height == 0, (
        "a stay was cut off, or a return to it could have been"
    )
    spent = done.measures.filter((pl.col("measure") == "cost") & (pl.col("service") == "home"))["value"].sum()
    return stays.with_columns(
        (pl.col("until") - pl.col("stay_start")).alias("days"), (pl.col("back") - pl.col("until")).alias("out")
    ), float(spent)


def paid(stays: pl.DataFrame, model: Model) -> np.ndarray:
    """The invoice of every simulated stay."""
    rows = stays.select("days", "stepped", "out").iter_rows()
    return np.array(
        [invoice(model.contracts[0], days, stepped_down=stepped, back_after=out).gbp for days, stepped, out in rows]
    )


# ---- against the simulation
@pytest.mark.parametrize("name", CONTRACTS)
def test_simulated_stays_and_costs_are_those_expected(name: str) -> None:
    model = town(CONTRACTS[name])
    stays, spent = simulated(model)
    theory = expected_of(client_of(model))
    costs = paid(stays, model)
    holds(f"{name}: mean stay, days", stays["days"].to_numpy(), theory.stay_days)
    holds(f"{name}: mean cost of a stay, £", costs, theory.gbp)
    assert spent == pytest.approx(costs.sum()), "the ledger of the run, all stays over, is the sum of their invoices"
    assert theory.by_provider == pytest.approx(1.0)


@pytest.mark.parametrize("name", ["bonus", "dated_bonus", "late_sum", "outcome", "taper_with_clawback", "days_saved"])
def test_simulated_costs_are_those_expected_where_clients_come_back(name: str) -> None:
    model = town(CONTRACTS[name], over=ERR, weekly=True, back_per_year=BACK_PER_YEAR)
    stays, _ = simulated(model)
    theory = expected_of(client_of(model))
    share = stays.filter(pl.col("out") < WINDOW_DAYS).height / stays.height
    print(
        f"{name}: {share:.3f} of {stays.height} stays are back within the window, {1 - (1 - ERR) ** 12:.3f} should be"
    )
    holds(f"{name}: mean stay, days", stays["days"].to_numpy(), theory.stay_days)
    holds(f"{name}: mean cost of a stay, £", paid(stays, model), theory.gbp)


@pytest.mark.parametrize("name", ["per_diem", "taper", "dated_bonus", "late_sum"])
def test_simulated_stays_are_those_expected_where_reviews_step_clients_down_as_well(name: str) -> None:
    model = town(CONTRACTS[name], over=0.4, reviews=(42, 91))
    stays, spent = simulated(model)
    theory = expected_of(client_of(model))
    turns = (stays["days"].to_numpy() - 42.0) / 91.0
    by_review = np.abs(turns - np.rint(turns)) < 1e-8
    holds(f"{name}: mean stay, days", stays["days"].to_numpy(), theory.stay_days)
    holds(f"{name}: share stepped down by a review", by_review.astype(float), theory.by_review)
    holds(f"{name}: mean cost of a stay, £", (costs := paid(stays, model)), theory.gbp)
    assert spent == pytest.approx(costs.sum())


def test_reviews_need_not_fall_on_whole_days() -> None:
    model = town(CONTRACTS["taper"], over=0.4, reviews=(30.5, 45.25))
    stays, _ = simulated(model)
    holds("mean stay, days", stays["days"].to_numpy(), expected_of(client_of(model)).stay_days)


def test_a_sum_need_not_be_due_on_a_whole_day() -> None:
    model = town(
        [
            per_diem(95),
            {"kind": "episode", "gbp": number(2000), "on_day": 10.04},
            {"kind": "clawback", "within_days": 91, "share": number(1)},
        ]
    )
    one = client_of(model, reviews=False)
    rates = step_down_per_year(one, np.arange(11.0)) / 365.25
    there = math.exp(-float(rates[:10].sum()) - 0.04 * float(rates[10]))
    assert expected_of(one).gbp - 95 * expected_of(one).stay_days == pytest.approx(2000 * there, rel=1e-6)


# ---- against naive sums
def naive_stay(one: Case, misses: float = 1.0) -> float:
    """Days of the stay by adaptive quadrature of the chance to be there, from one review to the next."""
    assert one.seen is not None
    grid = days_of(one.seen)
    rates = one.ready_per_year / 365.25 * step_down_factor(one.seen, one.gap, grid)
    totals = np.concatenate([[0.0], np.cumsum(rates)])

    def total(t: float) -> float:
        k = min(int(t), len(rates) - 1)
        return float(totals[k] + rates[k] * (t - k))

    marks = sorted({0.0, *np.arange(0.0, 3000.0, 7.0), *one.reviews})
    stay, left = 0.0, 1.0
    for a, b in pairwise(m for m in marks if m <= 3000.0):
        left *= misses if a in one.reviews and a > 0 else 1.0
        stay += (
            left
            * quad(
                lambda t: math.exp(-total(t)),
                a,
                b,
                points=[k for k in range(math.ceil(a), int(b) + 1) if a < k < b] or None,
                limit=200,
            )[0]
        )
    return stay


@pytest.mark.parametrize("name", ["taper", "dated_bonus", "late_sum"])
def test_the_expected_stay_is_the_naive_integral(name: str) -> None:
    alone = client_of(town(CONTRACTS[name]))
    assert expected_of(alone).stay_days == pytest.approx(naive_stay(alone), rel=1e-6)
    reviewed = client_of(town(CONTRACTS[name], over=0.4, reviews=(42, 91)))
    assert expected_of(reviewed).stay_days == pytest.approx(naive_stay(reviewed, 0.4), rel=1e-6)


def test_at_a_flat_rate_the_stay_is_exponential_however_slow() -> None:
    """Half of these stays are longer than the twenty years that are gone through day by day."""
    slow = client_of(town([per_diem(100)], answers=False, ready_per_year=0.03))
    found = expected_of(slow)
    assert found.stay_days == pytest.approx(365.25 / 0.03)
    assert found.gbp == pytest.approx(100 * 365.25 / 0.03)
    assert found.by_provider == pytest.approx(1.0)
    paid_late = client_of(town([per_diem(100), bonus(500, lasts_days=30)], answers=False, ready_per_year=0.03))
    assert expected_of(paid_late).gbp == pytest.approx(100 * 365.25 / 0.03 + 500)


def test_other_exits_share_the_ends_in_proportion_to_their_rates() -> None:
    model = town([per_diem(100)], answers=False, ready_per_year=2.0)
    provider = model.providers[0]
    found = expected_of(
        case(model, provider, provider.offers[0], ("all ages", "general", "community"), exits_per_year=0.5)
    )
    assert found.stay_days == pytest.approx(365.25 / 2.5)
    assert (found.by_provider, found.otherwise, found.by_review) == pytest.approx((0.8, 0.2, 0.0))


def test_what_nothing_ends_lasts_for_ever() -> None:
    found = expected_of(client_of(town([per_diem(100)], answers=False, ready_per_year=0.0)))
    assert found.stay_days == math.inf and found.gbp == math.inf
    assert (found.by_provider, found.by_review, found.otherwise) == (0.0, 0.0, 0.0)


def test_who_can_step_down_later_stays_longer_by_so_much_at_a_flat_rate() -> None:
    model = town([per_diem(100)], answers=False)
    at_once, later = expected_of(client_of(model)), expected_of(client_of(model, ready_day=30.0))
    assert later.stay_days == pytest.approx(at_once.stay_days + 30)
    assert later.days_since_ready == pytest.approx(at_once.stay_days)


def test_a_review_before_the_client_could_step_down_does_nothing() -> None:
    model = town([per_diem(100)], answers=False, over=0.0, reviews=(42, 91), ready_per_year=0.0)
    assert expected_of(client_of(model)).stay_days == pytest.approx(42)
    assert expected_of(client_of(model, ready_day=50.0)).stay_days == pytest.approx(133)
    assert review_days(42, None) == (42.0,)


# ---- by hand, and what must hold
@pytest.mark.parametrize("gbp", [50.0, 100.0, 160.0])
def test_the_value_of_holding_under_a_flat_price_is_what_it_is_by_hand(gbp: float) -> None:
    """g = (r − w) − occupancy × max(r − w, 0) − altruism × gap, on every day."""
    model = town([per_diem(gbp)])
    r, w = gbp, 0.6 * gbp
    by_hand = (r - w) - 0.9 * max(r - w, 0.0) - 3.0 * 1
    seen = seen_of(model)
    assert holding_value(seen, 1, np.arange(200.0)) == pytest.approx(np.full(200, by_hand))
    rows = curve(client_of(model), 200)
    assert rows["holding_gbp_per_day"].to_numpy() == pytest.approx(np.full(200, by_hand))
    assert rows["step_downs_per_year"].to_numpy() == pytest.approx(np.full(200, 4.0 * math.exp(-by_hand / r)))


def test_a_client_who_costs_more_than_the_price_is_worth_less_than_nothing_and_no_newcomer_is_waited_for() -> None:
    model = town([per_diem(100)])
    seen = seen_of(model)._replace(avoidable=130.0)
    assert holding_value(seen, 1, np.array([0.0])) == pytest.approx(-30.0 - 3.0)


def test_without_an_answer_all_contracts_step_clients_down_alike() -> None:
    found = [
        curve(client_of(town(terms, eta=0.0)), 200)["step_downs_per_year"].to_numpy() for terms in CONTRACTS.values()
    ]
    silent = curve(client_of(town(CONTRACTS["taper"], answers=False)), 200)
    for rates in (*found, silent["step_downs_per_year"].to_numpy()):
        assert rates == pytest.approx(np.full(200, 4.0))
    assert silent["holding_gbp_per_day"].null_count() == 200


@pytest.mark.parametrize("more", [{}, {"by_day": 60.0}, {"by_day": 91.0, "tapers_from_day": 28.0}])
def test_a_higher_bonus_slows_nobody_down_on_any_day(more: dict[str, float]) -> None:
    rates = [
        curve(client_of(town([per_diem(100), bonus(gbp, lasts_days=91.0, **more)])), 200)[
            "step_downs_per_year"
        ].to_numpy()
        for gbp in (1, 500, 1000, 1500)
    ]
    for low, high in pairwise(rates):
        assert (high >= low - 1e-12).all() and (high > low).any()


def test_the_curve_is_the_money_and_the_chance_day_by_day() -> None:
    rows = curve(client_of(town(CONTRACTS["taper"])), 100)
    assert rows["day"].to_list() == list(range(100))
    assert rows["gbp_per_day"][41] == 140 and rows["gbp_per_day"][42] == 110 and rows["gbp_per_day"][84] == 80
    assert rows["invoice_gbp"][99] == pytest.approx(42 * 140 + 42 * 110 + 16 * 80)
    assert rows["still_there"].to_numpy() == pytest.approx(
        np.exp(-np.cumsum(rows["step_downs_per_year"].to_numpy()) / 365.25)
    )
    assert rows["step_downs_per_year"][90] > rows["step_downs_per_year"][10], (
        "an old client is worth less than a new one under a taper"
    )


def test_the_curve_shows_the_rates_of_the_rulebook() -> None:
    """The same numbers as the tables that the engines run on."""
    from simcare.arrays.build import build

    model = town(CONTRACTS["dated_bonus"])
    tables = build(model)
    variant = int(tables.terms[0, 0]["first"])
    need = model.need_levels.index("community")
    hazard = tables.hazards[tables.step_down.reshape(-1, len(model.need_levels))[variant, need]["hazard"]]
    knots = tables.knots[hazard["first"] : hazard["first"] + hazard["count"]]
    days = np.arange(150.0)
    rates = knots["rate"][np.searchsorted(knots["at"], days, side="right") - 1] * hazard["factor"] * 365.25
    assert curve(client_of(model), 150)["step_downs_per_year"].to_numpy() == pytest.approx(rates)


# ---- the figure
def curves_of(days: int, **models: Model) -> pl.DataFrame:
    """The curves of some contracts, as the figure takes them."""
    each = {name: curve(client_of(model), days) for name, model in models.items()}
    return pl.concat([rows.select(pl.lit(name).alias("contract"), pl.all()) for name, rows in each.items()])


def test_the_figure_says_what_it_shows_to_those_who_do_not_see_it() -> None:
    names = {name: name for name in ("per_diem", "taper", "bonus")}
    frame = curves_of(120, **{name: town(CONTRACTS[name]) for name in names})
    fig = incentive_figure(frame, names, "Home, homes")
    alt = fig.layout.meta["alt"]
    assert "Home, homes" in alt and "£ a day" in alt and all(name in alt for name in names)
    assert {"title", "narrow", "middle"} <= set(fig.layout.meta)
    assert len(fig.data) == 4 * len(names)


def test_the_figure_leaves_out_what_nobody_answers_to() -> None:
    answering, silent = (
        incentive_figure(
            curves_of(120, per_diem=town(CONTRACTS["per_diem"], answers=answers)), {"per_diem": "as now"}, "Home"
        ).to_dict()
        for answers in (True, False)
    )
    assert "compared with stepping down" in json.dumps(answering, default=str)
    assert "compared with stepping down" not in json.dumps(silent, default=str)


def test_a_title_is_text_and_never_a_tag() -> None:
    frame = curves_of(60, per_diem=town(CONTRACTS["per_diem"]))
    assert "<img" not in incentive_figure(frame, {"per_diem": "<img src=x> & co"}, "Home").data[0].name
