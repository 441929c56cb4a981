"""What is not known of a model: rows, what they move, what is refused, and what is left out."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pytest
from scipy import stats

from simcare.errors import BadInput
from simcare.files.load import load_model
from simcare.files.parsing import parse
from simcare.model import Model
from simcare.model.addresses import addresses
from simcare.model.laying import laid
from simcare.model.left_out import left_out, unknowns_in_words
from simcare.model.uncertain import NEVER_DRAWN, RowPrior, Uncertain

GUESS = {"source": "assumption", "grade": "D"}
KENT = load_model("kent-2013").model_copy(update={"uncertain": (), "fixed": ()})


def factor(sd_log: float = 0.3, median: float = 1.0) -> dict[str, Any]:
    return {"kind": "lognormal", "median": median, "sd_log": sd_log, **GUESS}


def row(name: str = "r", **moves: Any) -> dict[str, Any]:
    return {"name": name, "title": name.title(), **({} if "choose" in moves else {"prior": factor()}), **moves}


def with_rows(*rows: dict[str, Any], fixed: list[dict[str, Any]] | None = None, model: Model = KENT) -> Model:
    tables = model.model_dump(by_alias=True) | {"uncertain": list(rows), "fixed": fixed or []}
    return parse(Model, tables, "x.toml")


def moved(value: float, **moves: Any) -> Model:
    one = Uncertain.model_validate(row(**moves))
    return laid(KENT, [one], {one.name: value})


PRIORS = {
    "lognormal": ({"median": 2.0, "sd_log": 0.4}, stats.lognorm(0.4, scale=2.0)),
    "normal": ({"mean": 3.0, "sd": 0.5}, stats.norm(3.0, 0.5)),
    "beta": ({"mean": 0.2, "n": 30}, stats.beta(6, 24)),
    "gamma": ({"mean": 1.5, "events": 40}, stats.gamma(40, scale=1.5 / 40)),
    "uniform": ({"low": 2.0, "high": 5.0}, stats.uniform(2, 3)),
    "triangular": ({"low": 1.0, "mode": 2.0, "high": 5.0}, stats.triang(0.25, 1, 4)),
}


@pytest.mark.parametrize("kind", PRIORS)
def test_a_prior_is_the_distribution_that_it_names(kind: str) -> None:
    quantities, named = PRIORS[kind]
    prior = RowPrior.model_validate({"kind": kind, **quantities, **GUESS})
    shares = np.linspace(0, 1, 21)
    expected = named.ppf(NEVER_DRAWN + (1 - 2 * NEVER_DRAWN) * shares)
    assert [prior.quantile(share) for share in shares] == pytest.approx(expected, rel=1e-9)
    cut = (float(named.ppf(0.2)), float(named.ppf(0.9)))
    between = RowPrior.model_validate({"kind": kind, **quantities, **GUESS, "between": cut})
    assert between.ends == pytest.approx(cut, rel=1e-9)
    assert between.quantile(0.5) == pytest.approx(named.ppf(0.55), rel=1e-9)


def test_each_means_moves_numbers_as_it_says() -> None:
    assert moved(1.5, scale=["services.telecare.review_every_days"]) != KENT
    every = {one.path: one.number for one in addresses(KENT)}
    scaled = {one.path: one.number for one in addresses(moved(2.0, scale=["front_door.*.gbp_per_review"]))}
    for path, number in every.items():
        times = 2.0 if path.startswith("front_door") and path.endswith("gbp_per_review") else 1.0
        if times == 2.0:
            assert scaled[path].values == tuple(2 * value for value in number.values)  # type: ignore[union-attr]
        else:
            assert scaled[path] == number
    share = KENT.front_door[0].over_specified.values[0]  # type: ignore[union-attr]
    odds = moved(2.0, odds=["front_door.*.over_specified"]).front_door[0].over_specified.values[0]  # type: ignore[union-attr]
    assert odds / (1 - odds) == pytest.approx(2 * share / (1 - share), rel=1e-12)
    needs, leant = KENT.caseload[1].needs.value, moved(2.0, tilt=["caseload.*.needs"]).caseload[1].needs.value
    weights = [value * 2.0**k for k, value in enumerate(needs)]
    assert leant == pytest.approx([weight / sum(weights) for weight in weights])
    assert sum(leant) == pytest.approx(1, abs=1e-12)
    told = moved(0.012, set=["prices.growth_per_year"], prior={**factor(), "median": 0.01})
    assert told.prices.growth_per_year.value == 0.012
    people = moved(1.013, scale=["caseload.*.count"]).caseload
    assert [new.count.value for new in people] == [round(1.013 * old.count.value) for old in KENT.caseload]


def test_one_draw_may_move_rates_and_shares_together() -> None:
    both = {"multiply": {"on": "crisis"}, "odds": ["need.*.crisis_at_once"]}
    new = moved(2.0, **both)
    assert new.need == moved(2.0, odds=["need.*.crisis_at_once"]).need != KENT.need
    assert new.modifiers == moved(2.0, multiply={"on": "crisis"}).modifiers != KENT.modifiers
    with pytest.raises(BadInput, match="odds and set: set stands alone"):
        with_rows(row(odds=["need.*.crisis_at_once"], set=["prices.growth_per_year"]))
    with pytest.raises(BadInput, match=r"uncertain\[0\]\.odds: moves nothing"):
        with_rows(row(multiply={"on": "crisis"}, odds=["need.*.crisis_at_onse"]))


def test_a_factor_on_clocks_runs_from_the_first_day() -> None:
    new = moved(1.2, multiply={"on": "rise", "groups": ["older_people"]})
    (modifier,) = new.modifiers[len(KENT.modifiers) :]
    assert (modifier.on, modifier.groups, modifier.start) == ("rise", ("older_people",), dt.date(2013, 4, 1))
    assert modifier.multiply.value == 1.2
    assert KENT.modifiers == new.modifiers[: len(KENT.modifiers)]


def test_one_of_several_worlds() -> None:
    worlds = [
        {"weight": 0.75, "title": "as in the file"},
        {"weight": 0.25, "title": "nothing is learned", "set": {"clocks.induced.*.per_year": 0}},
    ]
    model = with_rows(row("learned", choose=worlds, **GUESS))
    assert laid(model, model.uncertain, {"learned": 0.0}) is model
    none = laid(model, model.uncertain, {"learned": 1.0})
    assert {clock.rates for clock in none.clocks if clock.clock == "induced"} == {
        (0.0,) * len(clock.rates) for clock in KENT.clocks if clock.clock == "induced"
    }
    assert [model.uncertain[0].value(share) for share in (0.0, 0.7499, 0.7501, 0.9999)] == [0, 0, 1, 1]


def test_a_value_that_changes_nothing_leaves_no_trace() -> None:
    rows = [
        row("a", multiply={"on": "rise"}),
        row("b", scale=["services.*.review_every_days"]),
        row("c", odds=["front_door.*.over_specified"]),
        row("d", tilt=["caseload.*.needs"]),
    ]
    assert laid(KENT, [Uncertain.model_validate(one) for one in rows], dict.fromkeys("abcd", 1.0)) is KENT
    today = KENT.prices.growth_per_year.value
    assert moved(today, set=["prices.growth_per_year"]) is KENT


REFUSED = {
    "uncertain[0].scale: moves nothing: unknown 'services.foster.review_every_days', did you mean"
    " 'services.foster_care.review_every_days'?": [row(scale=["services.foster.review_every_days"])],
    "uncertain[0].multiply: nobody of group 'older_people' is ever in stage '0-11', where there are only general,"
    " disabled_children, so the row moves nothing": [
        row(multiply={"on": "rise", "stages": ["0-11"], "groups": ["older_people"]})
    ],
    "uncertain[0].multiply.groups[0]: unknown 'older_peple', did you mean 'older_people'?": [
        row(multiply={"on": "rise", "groups": ["older_peple"]})
    ],
    "uncertain[0].prior: 5.182, which it may draw, cannot be: services.residential_older.client_share is a share": [
        row(scale=["services.*.client_share"], prior=factor(0.5))
    ],
    "uncertain[1].scale: services.family_support.review_every_days is moved by 'a' too; if both are meant, say"
    ' beside = ["a"]': [
        row("a", scale=["services.*.review_every_days"]),
        row("b", scale=["services.*.review_every_days"]),
    ],
    "uncertain[1].multiply: rise for 0-11, general, community is moved by 'a' too": [
        row("a", multiply={"on": "rise"}),
        row("b", multiply=[{"on": "recover"}, {"on": "rise", "groups": ["general"]}]),
    ],
    "uncertain[1].name: 'a' is already defined": [
        row("a", multiply={"on": "rise"}),
        row("a", multiply={"on": "recover"}),
    ],
    "uncertain[0].tilt: is one number, not a distribution": [row(tilt=["prices.growth_per_year"])],
    "uncertain[0].scale: a distribution cannot be scaled": [row(scale=["caseload.*.ages"])],
    "uncertain[0].scale: moves nothing: all that it names is 0": [row(scale=["voluntary.*.people_per_year"])],
    "uncertain[0]: say what it moves by one of": [row()],
    "scale and set: set stands alone": [row(scale=["services.*.review_every_days"], set=["prices.growth_per_year"])],
    "uncertain[0].prior: a lognormal prior needs median and sd_log; sd_log is missing": [
        row(scale=["services.*.review_every_days"], prior={"kind": "lognormal", "median": 1, **GUESS})
    ],
    "uncertain[0].source: unknown 'nobody'": [
        row(
            choose=[{"weight": 1}, {"weight": 1, "set": {"prices.growth_per_year": 0}}],
            **(GUESS | {"source": "nobody"}),
        )
    ],
    "uncertain[0].beside[0]: unknown 'b'": [row("a", multiply={"on": "rise"}, beside=["b"])],
    "uncertain[0]: prior: a factor is above 0, and this one reaches": [
        row(multiply={"on": "rise"}, prior={"kind": "normal", "mean": 1, "sd": 1, **GUESS})
    ],
}


@pytest.mark.parametrize("sentence", REFUSED)
def test_a_row_that_cannot_be_is_refused_with_its_path(sentence: str) -> None:
    with pytest.raises(BadInput) as refused:
        with_rows(*REFUSED[sentence])
    assert sentence in str(refused.value)


def test_two_rows_on_one_number_are_allowed_where_it_is_said() -> None:
    rows = [
        row("a", scale=["services.*.review_every_days"]),
        row("b", scale=["services.foster_care.review_every_days"], beside=["a"]),
    ]
    model = with_rows(*rows)
    both = laid(model, model.uncertain, {"a": 1.5, "b": 2.0})
    days = {one.name: one.review_every_days.values[0] for one in both.services if one.review_every_days}
    assert (days["foster_care"], days["family_support"]) == (182 * 3.0, 91 * 1.5)


def test_what_is_fixed_cannot_move() -> None:
    fixed = [{"name": "f", "paths": ["services.foster_care.review_every_days"], "why": "the statutory timetable"}]
    with pytest.raises(BadInput, match=r"fixed\[0\].paths: services.foster_care.review_every_days is moved by 'a'"):
        with_rows(row("a", scale=["services.*.review_every_days"]), fixed=fixed)


def test_numbers_left_out_are_those_of_c_and_d_that_nothing_names() -> None:
    weak = {one.path for one in addresses(KENT) if one.grade in "CD"}
    assert {one.path for one in left_out(KENT)} == weak
    fixed = [{"name": "f", "paths": ["caseload.*.ages"], "why": "has no effect on any difference"}]
    model = with_rows(
        row("a", scale=["services.*.review_every_days"]), row("b", multiply={"on": "induced"}), fixed=fixed
    )
    left = {one.path for one in left_out(model)}
    gone = weak - left
    assert {path for path in weak if path.endswith((".review_every_days", ".ages")) and "arrivals" not in path} <= gone
    assert {path for path in gone if path.startswith("clocks")} == {p for p in weak if p.startswith("clocks.induced")}
    assert f"{len(left)} are left out" in unknowns_in_words(model)[0]


def test_a_clock_of_which_some_cells_do_not_move_is_left_out() -> None:
    some = with_rows(row("a", multiply={"on": "induced", "groups": ["older_people"]}))
    clocks = [clock for clock in KENT.clocks if clock.clock == "induced"]
    expected = {f"clocks.induced.{k}.per_year" for k, clock in enumerate(clocks) if clock.groups != ("older_people",)}
    assert {one.path for one in left_out(some) if one.path.startswith("clocks.induced")} == expected
    assert 0 < len(expected) < len(clocks)
