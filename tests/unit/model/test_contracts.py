"""Contracts: invoices by hand and by a naive loop over days, what is refused and in which words, and that no cycle
pays."""

from __future__ import annotations

import datetime as dt
import math
import os
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from simcare.errors import BadInput
from simcare.files.load import load_experiment, load_model
from simcare.model.contracts import Contract, invoice
from tests.support.paths import ROOT
from tests.support.paths import TOY as TOY_FILE

TOY = TOY_FILE.read_text(encoding="utf-8")
Terms = list[dict[str, Any]]


def gbp(value: float) -> dict[str, Any]:
    return {"value": value, "source": "assumption", "grade": "D"}


def contract(*terms: dict[str, Any], **parts: Any) -> Contract:
    return Contract.model_validate({"name": "c", "terms": list(terms), **parts})


def per_diem(price: float) -> dict[str, Any]:
    return {"kind": "per_diem", "gbp_per_day": gbp(price)}


def tapered(*bands: tuple[float, float]) -> dict[str, Any]:
    return {"kind": "tapered", "bands": [{"from_day": day, "gbp_per_day": gbp(price)} for day, price in bands]}


def bonus(value: float, **parts: float) -> dict[str, Any]:
    return {"kind": "step_down_bonus", "gbp": gbp(value), **parts}


def episode(value: float, on_day: float = 0) -> dict[str, Any]:
    return {"kind": "episode", "gbp": gbp(value), "on_day": on_day}


def clawback(within: float, share: float | None = None, days: float | None = None) -> dict[str, Any]:
    taken = {} if share is None else {"share": gbp(share)}
    return {"kind": "clawback", "within_days": within, **taken, **({} if days is None else {"days_of_pay": days})}


def outcome(value: float, up_front: float, lasts: float) -> dict[str, Any]:
    return {"kind": "outcome", "gbp": gbp(value), "share_up_front": gbp(up_front), "lasts_days": lasts}


def days_saved(baseline: float, each: float, over: float | None = None, lasts: float = 0) -> dict[str, Any]:
    more = {} if over is None else {"gbp_per_day_over": gbp(over)}
    return {"kind": "days_saved", "baseline_days": baseline, "gbp_per_day": gbp(each), "lasts_days": lasts, **more}


TAPER = tapered((0, 140), (42, 110), (84, 80))


# --- the same arithmetic a second time, day by day from the terms as written
# ---------------------------------------------------


def price_on(terms: Terms, day: float) -> float:
    """Pounds a day at a moment of the stay."""
    price = 0.0
    for term in terms:
        if term["kind"] == "per_diem":
            price += term["gbp_per_day"]["value"] if "gbp_per_day" in term else term["gbp_per_week"]["value"] / 7
        elif term["kind"] == "tapered":
            price += [band for band in term["bands"] if band["from_day"] <= day][-1]["gbp_per_day"]["value"]
        elif term["kind"] == "days_saved" and "gbp_per_day_over" in term and day >= term["baseline_days"]:
            price -= term["gbp_per_day_over"]["value"]
    return price


def care_by_hand(terms: Terms, days: float) -> float:
    """Pounds for the days of a stay: one day after the other, cut where a price changes within a day."""
    edges = [band["from_day"] for term in terms if term["kind"] == "tapered" for band in term["bands"]]
    edges += [term["baseline_days"] for term in terms if term["kind"] == "days_saved"]
    paid = 0.0
    for day in range(math.ceil(days)):
        end = min(day + 1.0, days)
        cuts = [float(day), *sorted(edge for edge in edges if day < edge < end), end]
        paid += sum((b - a) * price_on(terms, (a + b) / 2) for a, b in pairwise(cuts))
    return paid


def at_the_step_down(terms: Terms, days: float, back_after: float) -> float:
    """Sums for a step-down on a day of the stay, by whoever has lasted long enough."""
    paid = 0.0
    for term in terms:
        lasted = back_after >= term.get("lasts_days", 0)
        if term["kind"] == "step_down_bonus" and lasted and days <= term.get("by_day", math.inf):
            begins = term.get("tapers_from_day")
            left = 1.0 if begins is None or days <= begins else (term["by_day"] - days) / (term["by_day"] - begins)
            paid += left * term["gbp"]["value"]
        elif term["kind"] == "outcome" and lasted:
            paid += (1 - term["share_up_front"]["value"]) * term["gbp"]["value"]
        elif term["kind"] == "days_saved" and lasted:
            paid += max(0.0, term["baseline_days"] - days) * term["gbp_per_day"]["value"]
    return paid


def in_the_stay(terms: Terms, days: float) -> float:
    """Sums that a stay of so many days was paid, step-down apart."""
    paid = sum(term["gbp"]["value"] for term in terms if term["kind"] == "episode" and days >= term["on_day"])
    return float(
        paid
        + sum(term["gbp"]["value"] * term["share_up_front"]["value"] for term in terms if term["kind"] == "outcome")
    )


def taken_back(terms: Terms, days: float, back_after: float) -> float:
    taken = 0.0
    for term in terms:
        if term["kind"] == "clawback" and back_after < term["within_days"]:
            sums = in_the_stay(terms, days) + at_the_step_down(terms, days, back_after)
            taken += term.get("share", {"value": 0.0})["value"] * sums
            pay = min(term.get("days_of_pay", 0.0), days) * price_on(terms, math.nextafter(days, 0.0))
            taken += max(0.0, min(pay, care_by_hand(terms, days)))
        elif term["kind"] == "outcome" and back_after < term["lasts_days"]:
            taken += term["gbp"]["value"] * term["share_up_front"]["value"]
    return taken


def by_hand(terms: Terms, days: float, stepped_down: bool = False, back_after: float | None = None) -> float:
    out = math.inf if back_after is None else back_after
    paid = care_by_hand(terms, days) + in_the_stay(terms, days)
    return paid + at_the_step_down(terms, days, out) - taken_back(terms, days, out) if stepped_down else paid


# --- by hand
# -------------------------------------------------------------------------------------------------------------------


def test_the_tapered_tariff_of_the_oracle() -> None:
    """42 × 140 + 42 × 110 + 16 × 80."""
    found = invoice(contract(TAPER), 100)
    assert found.gbp == 11_780
    assert [(line.what, line.quantity, line.gbp_each, line.gbp) for line in found.lines] == [
        ("day 0 to 42", 42, 140, 5880), ("day 42 to 84", 42, 110, 4620), ("from day 84", 16, 80, 1280)]  # fmt: skip
    assert by_hand([TAPER], 100) == 11_780


EPISODES = [episode(12), episode(15, 60.5)]  # less than a day's margin of £100, or a cycle would pay
DEAR = per_diem(100)
BY_HAND: list[
    tuple[str, Terms, float, bool, float | None, float]] = [("nothing for no days", [DEAR], 0, False, None, 0),
    ("a price by the day", [per_diem(35.5)], 10.25, False, None, 363.875), ("a price by the week",
    [{"kind": "per_diem", "gbp_per_week": gbp(140)}], 10.25, False, None, 205), ("two prices add up", [per_diem(35.5),
    {"kind": "per_diem", "gbp_per_week": gbp(140)}], 2, False, None, 111), ("half a day in the second band", [TAPER],
    42.5, False, None, 5880 + 55), ("a price and a taper", [per_diem(10), TAPER], 100, False, None, 12_780),
    ("a block is not in an invoice", [DEAR, {"kind": "block", "gbp_per_year": gbp(1e6)}], 3, False, None, 300),
    ("an episode on its first day", [DEAR, *EPISODES], 0, False, None, 12), ("an episode just before a day", [DEAR,
    *EPISODES], 60.25, False, None, 6025 + 12), ("an episode on the day", [DEAR, *EPISODES], 60.5, False, None,
    6050 + 27), ("no bonus without a step-down", [DEAR, bonus(20)], 100, False, None, 10_000), ("an undated bonus",
    [DEAR, bonus(20)], 1000, True, None, 100_020), ("an undated bonus is kept after a return", [DEAR, bonus(20)], 100,
    True, 0.5, 10_020), ("a bonus by a day, on it", [DEAR, bonus(20, by_day=84)], 84, True, None, 8420),
    ("a bonus by a day, after it", [DEAR, bonus(20, by_day=84)], 84.5, True, None, 8450), ("a tapering bonus, before",
    [DEAR, bonus(20, by_day=84, tapers_from_day=42)], 42, True, None, 4220), ("a tapering bonus, half way", [DEAR,
    bonus(20, by_day=84, tapers_from_day=42)], 63, True, None, 6310), ("a tapering bonus, at its end", [DEAR, bonus(20,
    by_day=84, tapers_from_day=42)], 84, True, None, 8400), ("a bonus that must last, and did", [DEAR, bonus(900,
    lasts_days=91)], 50, True, None, 5900), ("a bonus that must last, back just then", [DEAR, bonus(900,
    lasts_days=91)], 50, True, 91, 5900), ("a bonus that must last, back before", [DEAR, bonus(900, lasts_days=91)],
    50, True, 90.75, 5000), ("a share of the sums back", [DEAR, *EPISODES, bonus(20), clawback(91, share=0.5)], 100,
    True, 90, 10_047 - 23.5), ("a return after the window", [DEAR, *EPISODES, bonus(20), clawback(91, share=0.5)], 100,
    True, 91, 10_047), ("days of pay back at the last price", [TAPER, clawback(91, days=28)], 100, True, 10,
    11_780 - 28 * 80), ("no more days back than there were", [TAPER, clawback(91, days=28)], 10, True, 10, 0),
    ("an outcome that lasts", [DEAR, outcome(1000, 0.25, 91)], 50, True, None, 6000), ("an outcome, back on the day",
    [DEAR, outcome(1000, 0.25, 91)], 50, True, 91, 6000), ("an outcome, back before", [DEAR, outcome(1000, 0.25, 91)],
    50, True, 90, 5000), ("an outcome without a step-down keeps its first share", [DEAR, outcome(1000, 0.25, 91)], 50,
    False, None, 5250), ("days saved", [DEAR, days_saved(84, 2, lasts=91)], 63, True, None, 6300 + 42),
    ("days saved, back too soon", [DEAR, days_saved(84, 2, lasts=91)], 63, True, 5, 6300),
    ("no days saved without a step-down", [DEAR, days_saved(84, 2, over=15, lasts=91)], 63, False, None, 6300),
    ("the penalty of days beyond", [DEAR, days_saved(84, 2, over=15, lasts=91)], 100.5, True, None,
    10_050 - 16.5 * 15), ("everything at once", [TAPER, *EPISODES, bonus(900, lasts_days=91), days_saved(120, 1,
    over=5, lasts=91), clawback(60, 0.5, 7)], 100, True, 59, 11_780 + 27 - 13.5 - 7 * 80), ("everything at once, kept",
    [TAPER, *EPISODES, bonus(900, lasts_days=91), days_saved(120, 1, over=5, lasts=91), clawback(60, 0.5, 7)], 100,
    True, None, 11_780 + 27 + 900 + 20),
]  # fmt: skip


@pytest.mark.parametrize(
    ("what", "terms", "days", "stepped", "back", "expected"), BY_HAND, ids=[row[0] for row in BY_HAND]
)
def test_invoices_by_hand(
    what: str, terms: Terms, days: float, stepped: bool, back: float | None, expected: float
) -> None:
    found = invoice(contract(*terms), days, stepped_down=stepped, back_after=back)
    assert found.gbp == pytest.approx(expected, abs=1e-9), what
    assert by_hand(terms, days, stepped, back) == pytest.approx(expected, abs=1e-9), what
    assert sum(line.quantity * line.gbp_each for line in found.lines) == pytest.approx(expected, abs=1e-9)


def test_lines_say_what_they_are_for() -> None:
    terms = [TAPER, episode(10), bonus(5), outcome(100, 0.02, 7), days_saved(120, 0.1), clawback(30, share=0.5)]
    lines = [(line.what, line.gbp) for line in invoice(contract(*terms), 50, stepped_down=True, back_after=10).lines]
    assert dict(lines[:2]) == {"day 0 to 42": 5880, "day 42 to 84": 880}
    assert sorted(lines[2:4]) == [("on day 0", 2), ("on day 0", 10)]
    assert dict(lines[4:]) == pytest.approx(
        {"step-down bonus": 5, "outcome": 98, "days saved": 7, "taken back": -0.5 * (10 + 2 + 5 + 98 + 7)}
    )


def test_prices_are_those_of_the_date() -> None:
    dated = {"kind": "per_diem", "gbp_per_day": [gbp(20), {**gbp(23), "from": "2014-04-01"}]}
    found = contract(dated, {"kind": "indexation", "per_year": gbp(0.05)})
    assert [invoice(found, 10, on=dt.date(2014, month, 1)).gbp for month in (3, 4)] == [200, 230]
    assert found.index_per_year == 0.05


@pytest.mark.parametrize((
    "days", "back", "sentence"), [(-1, None, "a stay has no fewer than 0 days, got -1"), (5, 3.0,
    "back_after: only who has stepped down can be back")
])  # fmt: skip
def test_an_invoice_of_what_cannot_be(days: float, back: float | None, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        invoice(contract(DEAR), days, back_after=back)


def test_days_of_pay_go_back_at_the_price_of_the_last_day() -> None:
    """The last of 42 days was paid £140; that of the 43rd, £110, nobody was there for."""
    terms = [TAPER, clawback(91, days=14)]
    found = invoice(contract(*terms), 42, stepped_down=True, back_after=5).gbp
    assert found == pytest.approx(by_hand(terms, 42, True, 5)) == pytest.approx(28 * 140)


@pytest.mark.parametrize(
    "terms",
    [
        [per_diem(60), outcome(1000, 0.4, 91), clawback(91, share=1)],
        [per_diem(100), clawback(91, days=14), clawback(60, days=14)],
        [per_diem(100), episode(2000), clawback(365, share=1), clawback(365, share=1)],
    ],
    ids=["outcome and clawback", "days of pay twice", "share twice"],
)
def test_no_return_costs_more_than_was_paid(terms: Terms) -> None:
    """Either the contract is refused, or what is taken back is no more than there was."""
    try:
        found = contract(*terms)
    except ValidationError:
        return
    assert invoice(found, 5, stepped_down=True, back_after=5).gbp >= 0


# --- at random
# -----------------------------------------------------------------------------------------------------------------

DAYS = st.sampled_from([7.0, 14.0, 28.0, 42.0, 60.5, 84.0, 91.0, 120.0, 182.0, 364.0])
PRICES = st.integers(20, 200).map(float)
SMALL = st.integers(1, 3000).map(float)


@st.composite
def band_terms(draw: st.DrawFn) -> dict[str, Any]:
    edges = sorted(draw(st.sets(DAYS, min_size=1, max_size=3)))
    return tapered(*((edge, draw(PRICES)) for edge in (0.0, *edges)))


@st.composite
def bonus_terms(draw: st.DrawFn) -> dict[str, Any]:
    parts: dict[str, float] = {}
    if draw(st.booleans()):
        parts["by_day"] = draw(DAYS)
        if draw(st.booleans()):
            parts["tapers_from_day"] = parts["by_day"] * draw(st.sampled_from([0.0, 0.25, 0.5]))
    if draw(st.booleans()):
        parts["lasts_days"] = draw(DAYS)
    return bonus(draw(SMALL), **parts)


@st.composite
def saved_terms(draw: st.DrawFn) -> dict[str, Any]:
    return days_saved(
        draw(DAYS), draw(st.integers(1, 10)), draw(st.none() | st.integers(1, 15).map(float)), draw(st.just(0.0) | DAYS)
    )


@st.composite
def contracts(draw: st.DrawFn) -> tuple[Contract, Terms]:
    """A contract that passes the checks, with at most one term that takes back."""
    terms: Terms = [draw(PRICES.map(per_diem) | band_terms())]
    terms += draw(st.lists(st.builds(episode, SMALL, st.just(0.0) | DAYS), max_size=2))
    terms += draw(st.lists(bonus_terms(), max_size=2))
    terms += draw(st.lists(saved_terms(), max_size=1))
    windows = st.builds(clawback, DAYS, st.sampled_from([0.25, 0.5, 1.0]), st.none() | st.sampled_from([7.0, 28.0]))
    terms += draw(st.lists(windows | st.builds(outcome, SMALL, st.sampled_from([0.0, 0.2, 0.5]), DAYS), max_size=1))
    try:
        return contract(*terms), terms
    except ValidationError as error:
        sentence = str(error)
        assert "pays for a cycle" in sentence or "goes negative" in sentence
        assume(False)
        raise


STAYS = st.one_of(st.floats(0.0, 1096.0), DAYS, DAYS.map(lambda day: day + 0.25))


@settings(max_examples=120, deadline=None, derandomize=True)
@given(contracts(), STAYS, st.booleans(), st.none() | DAYS | st.floats(0.1, 400.0))
def test_an_invoice_is_what_a_loop_over_days_gives_and_never_negative(
    made: tuple[Contract, Terms], days: float, stepped: bool, back: float | None
) -> None:
    found, terms = made
    if any("days_of_pay" in term for term in terms):
        days += 0.125  # on the edge of a band the last day's price is in question (see above)
    back = back if stepped else None
    got = invoice(found, days, stepped_down=stepped, back_after=back).gbp
    assert got == pytest.approx(by_hand(terms, days, stepped, back), rel=1e-9, abs=1e-7)
    assert got >= -0.005


MARGIN = 0.3  # of the day's price: what is lost for each day without the client


def round_gain(found: Contract, terms: Terms, days: int, out: int) -> float:
    """What one round of a stay and a return earns beside the days' pay, less the margin of the days without the
    client."""
    earned = invoice(found, days, stepped_down=True, back_after=out).gbp - care_by_hand(terms, days)
    return earned - out * MARGIN * price_on(terms, days)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(contracts(), st.integers(1, 1096) | DAYS.map(math.floor), st.integers(1, 400) | DAYS.map(math.ceil))
def test_no_cycle_of_a_contract_that_passes_pays(made: tuple[Contract, Terms], days: int, out: int) -> None:
    found, terms = made
    assert round_gain(found, terms, days, out) <= 0.005 + 1e-9


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    PRICES,
    bonus_terms(),
    st.floats(0.2, 1.1),
    st.integers(1, 200) | DAYS.map(math.floor),
    st.integers(1, 200) | DAYS.map(math.ceil),
)
def test_forty_rounds_earn_no_more_than_holding(
    price: float, term: dict[str, Any], part: float, days: int, out: int
) -> None:
    """Literally: the sum of forty invoices less what care costs (70 % of the price), against one stay over the same
    time."""
    lost = MARGIN * price * math.ceil(max(1.0, term.get("lasts_days", 0)))
    terms = [per_diem(price), {**term, "gbp": gbp(part * lost)}]
    try:
        found = contract(*terms)
    except ValidationError:
        assert part * lost > MARGIN * price * max(1.0, term.get("lasts_days", 0)) - 0.01
        return
    cost, rounds, earned = (1 - MARGIN) * price, 40, 0.0
    for _ in range(rounds):
        earned += by_hand(terms, days, True, out) - cost * days
    whole = rounds * (days + out)
    assert earned <= invoice(found, whole).gbp - cost * whole + rounds * 0.005 + 1e-6


@pytest.mark.parametrize(
    ("value", "on_day"), [(0, 0), *((x, day) for day in (0, 42, 182) for x in (8, 10))], ids=lambda x: f"{x:g}"
)
def test_a_cycle_is_refused_just_when_it_pays(value: float, on_day: float) -> None:
    """A sum on a day against one day's margin: 0.3 of £30 is £9."""
    terms = [per_diem(30), episode(value, on_day)]
    pays = any(in_the_stay(terms, days) - 1 * MARGIN * 30 > 0.005 for days in range(1, 400))
    if not pays:
        contract(*terms)
        return
    with pytest.raises(ValidationError, match="pays for a cycle"):
        contract(*terms)


@pytest.mark.parametrize("term", [episode(50_000, on_day=1200), bonus(5000, by_day=0.5)], ids=["late", "within a day"])
def test_a_cycle_pays_on_whatever_day_it_does(term: dict[str, Any]) -> None:
    days = term.get("on_day") or term["by_day"]
    assert by_hand([per_diem(40), term], days, True, 1) - care_by_hand([per_diem(40)], days) - MARGIN * 40 > 4000
    with pytest.raises(ValidationError, match="pays for a cycle"):
        contract(per_diem(40), term)


# --- refusals
# ------------------------------------------------------------------------------------------------------------------

SOURCE = 'source = "assumption", grade = "D"'
CYCLE = "let it last longer (lasts_days), take more back (clawback) or pay less"


def money(value: float) -> str:
    return f"{{ value = {value}, {SOURCE} }}"


def band(from_day: float, price: float, to_day: float | None = None) -> str:
    until = "" if to_day is None else f"to_day = {to_day}, "
    return f"{{ from_day = {from_day}, {until}gbp_per_day = {money(price)} }}"


def bands(*rows: str) -> str:
    return f'{{ kind = "tapered", bands = [{", ".join(rows)}] }}'


FLAT = f'{{ kind = "per_diem", gbp_per_day = {money(30)} }}'
REFUSED = {
    "overlap": (
        bands(band(0, 140, 50), band(42, 110)),
        ".terms[0]: bands[0].to_day: bands overlap, one is to day 50 and the next from day 42",
    ),
    "order": (
        bands(band(0, 140), band(84, 80), band(42, 110)),
        ".terms[0]: bands[2].from_day: bands are out of order, day 42 after 84",
    ),
    "gap": (
        bands(band(0, 140, 40), band(42, 110)),
        ".terms[0]: bands[0].to_day: bands leave a gap, one is to day 40 and the next from day 42",
    ),
    "end": (
        bands(band(0, 140, 42), band(42, 110, 84)),
        ".terms[0]: bands[1].to_day: the last band has no end, or longer stays had no price",
    ),
    "begin": (bands(band(7, 140), band(42, 110)), ".terms[0]: bands[0].from_day: the first band is from day 0, got 7"),
    "window": (
        f'{FLAT}, {{ kind = "clawback", days_of_pay = 7 }}',
        ".terms[1]: within_days: a clawback needs a window, the days after a step-down in which a return counts",
    ),
    "what": (
        f'{FLAT}, {{ kind = "clawback", within_days = 7 }}',
        ".terms[1]: give share, days_of_pay or both: what is taken back",
    ),
    "kind": ('{ kind = "taperd", bands = [] }', ".terms[0].kind: unknown 'taperd', did you mean 'tapered'?"),
    "bonus kind": (
        f'{{ kind = "step_down_bonsu", gbp = {money(5)} }}',
        ".terms[0].kind: unknown 'step_down_bonsu', did you mean 'step_down_bonus'?",
    ),
    "no kind": (f"{{ gbp = {money(5)} }}", ".terms[0].kind: is required"),
    "key": (
        f'{{ kind = "step_down_bonus", gbp = {money(5)}, last_days = 91 }}',
        ".terms[0].last_days: unknown key, did you mean 'lasts_days'?",
    ),
    "band key": (
        bands(band(0, 140).replace("from_day", "from_dya"), band(42, 110)),
        ".terms[0].bands[0].from_dya: unknown key, did you mean 'from_day'?",
    ),
    "cycle": (
        f'{FLAT}, {{ kind = "step_down_bonus", gbp = {money(900)}, lasts_days = 91 }}',  # 900 − 91 × 0.3 × 30
        ": the contract pays for a cycle: a step-down on day 1 with a return 91 days later gains £81 each time "
        "over keeping the client; " + CYCLE,
    ),
    "late cycle": (
        f'{FLAT}, {{ kind = "episode", gbp = {money(500)}, on_day = 182 }}',  # 500 − 0.3 × 30
        ": the contract pays for a cycle: a step-down on day 182 with a return the next day gains £491 each time "
        "over keeping the client; " + CYCLE,
    ),
    "negative": (
        f'{FLAT}, {{ kind = "days_saved", baseline_days = 100, gbp_per_day = {money(0.1)}, '
        f"gbp_per_day_over = {money(50)} }}",
        ": the contract goes negative: a stay of 251 days would be paid -£20.00",
    ),  # 100 × 30 − 151 × 20
    "taper without a day": (
        f'{FLAT}, {{ kind = "step_down_bonus", gbp = {money(5)}, tapers_from_day = 30 }}',
        ".terms[1]: tapers_from_day needs by_day, the day on which nothing is left",
    ),
    "taper after the day": (
        f'{FLAT}, {{ kind = "step_down_bonus", gbp = {money(5)}, tapers_from_day = 30, by_day = 20 }}',
        ".terms[1]: tapers_from_day (30) must be before by_day (20)",
    ),
    "share": (
        f'{FLAT}, {{ kind = "clawback", within_days = 91, share = {money(1.2)} }}',
        ".terms[1].share: is a share from 0 to 1, got 1.2",
    ),
    "amount": (f'{{ kind = "step_down_bonus", gbp = {money(-5)} }}', ".terms[0].gbp: cannot be negative, got -5"),
    "two prices": (
        f'{{ kind = "per_diem", gbp_per_day = {money(5)}, gbp_per_week = {money(5)} }}',
        ".terms[0]: give gbp_per_day or gbp_per_week, one of them",
    ),
    "indexation": (
        ", ".join([FLAT, *[f'{{ kind = "indexation", per_year = {money(0.1)} }}'] * 2]),
        ": terms[2]: a contract has one indexation",
    ),
}


def with_contract(terms: str, more: str = "") -> str:
    return f'{TOY}\n[[contracts]]\nname = "new"\n{more}\nterms = [{terms}]\n'


def refused(text: str, folder: Path) -> tuple[str, ...]:
    """The faults of a model file, without its name."""
    (path := folder / "f.toml").write_text(text, encoding="utf-8")
    with pytest.raises(BadInput) as caught:
        load_model(path)
    assert all(fault.startswith(f"{path}: ") for fault in caught.value.faults)
    return tuple(fault.removeprefix(f"{path}: ") for fault in caught.value.faults)


@pytest.mark.parametrize("name", REFUSED)
def test_a_contract_that_cannot_be_is_refused(name: str, tmp_path: Path) -> None:
    terms, sentence = REFUSED[name]
    assert refused(with_contract(terms), tmp_path) == ("contracts[2]" + sentence,)


def test_a_cap_exceeded_is_refused_with_its_figures(tmp_path: Path) -> None:
    found = refused(with_contract(FLAT, f"most_gbp_per_client_year = {money(10_000)}"), tmp_path)
    assert found == (
        (
            "contracts[2]: the contract exceeds its cap: a stay of 365 days comes to £10,950, above"
            " most_gbp_per_client_year £10,000"
        ),
    )
    sums = f'{FLAT}, {{ kind = "step_down_bonus", gbp = {money(900)}, by_day = 100, lasts_days = 182 }}'
    found = refused(with_contract(sums, f"most_gbp_per_client_year = {money(10_949)}"), tmp_path)
    assert found == (
        (
            "contracts[2]: the contract exceeds its cap: a stay of 365 days comes to £10,950, above"
            " most_gbp_per_client_year £10,949"
        ),
    )
    late = sums.replace("by_day = 100", "by_day = 400")
    found = refused(with_contract(late, f"most_gbp_per_client_year = {money(11_849)}"), tmp_path)
    assert found == (
        (
            "contracts[2]: the contract exceeds its cap: a stay of 365 days comes to £11,850, above"
            " most_gbp_per_client_year £11,849"
        ),
    )
    (tmp_path / "g.toml").write_text(
        with_contract(sums, f"most_gbp_per_client_year = {money(10_950)}"), encoding="utf-8"
    )
    assert load_model(tmp_path / "g.toml").contracts[2].name == "new"


def test_a_cap_holds_at_every_dated_price(tmp_path: Path) -> None:
    dated = f'{{ kind = "per_diem", gbp_per_day = [{money(27)}, {{ from = 2015-04-01, value = 28, {SOURCE} }}] }}'
    found = refused(with_contract(dated, f"most_gbp_per_client_year = {money(10_000)}"), tmp_path)
    assert found == (
        (
            "contracts[2]: the contract exceeds its cap: a stay of 365 days comes to £10,220, above"
            " most_gbp_per_client_year £10,000"
        ),
    )


def test_an_offer_under_a_contract_that_is_not_there(tmp_path: Path) -> None:
    offer = 'service = "foster_care", contract = "dear", weight = { value = 2'
    assert TOY.count(offer) == 1
    switch = offer.replace('"dear",', '"dear", switches = [{ from = 2014-04-01, contract = "cheep" }],')
    found = refused(TOY.replace(offer, switch), tmp_path)
    assert found == ("providers[1].offers[2].switches[0].contract: unknown 'cheep', did you mean 'cheap'?",)
    unordered = switch.replace("{ from", '{ from = 2015-04-01, contract = "cheap" }, { from').replace("cheep", "cheap")
    assert refused(TOY.replace(offer, unordered), tmp_path) == (
        "providers[1].offers[2]: switches must be in order of their 'from' dates",
    )


def every(kind: str) -> str:
    """What is said of where all names of a kind are listed."""
    return f"simcare list toy.toml {kind} lists them all"


EXPERIMENT = """
name = "contracts"
title = "Contracts"
model = "{model}"
years = 3
replications = 2
[shrinkage]
A = {{ value = 1, {source} }}
B = {{ value = 1, {source} }}
C = {{ value = 1, {source} }}
D = {{ value = 1, {source} }}
[[contracts]]
name = "{contract}"
terms = [{{ kind = "per_diem", gbp_per_day = {{ value = 60, {source} }} }}]
[[strategies]]
name = "s"
title = "S"
start = 2014-04-01
contracts = [{new}]
{more}
"""
GOOD = '{ service = "care_home", provider = "homes", contract = "sixty" }'
SCENARIO = '[[scenarios]]\nname = "w"\ntitle = "W"\nchanges = [{{ path = "{path}", to = {{ value = 1, {source} }} }}]'
MISNAMED = {
    "contract": (
        {"new": GOOD.replace("sixty", "sixtey")},
        "strategies[0].contracts[0].contract: unknown 'sixtey', did you mean 'sixty'? " + every("contracts"),
    ),
    "service": (
        {"new": GOOD.replace("care_home", "care_hom")},
        "strategies[0].contracts[0].service: unknown 'care_hom', did you mean 'care_home'? " + every("services"),
    ),
    "provider": (
        {"new": GOOD.replace("homes", "home")},
        "strategies[0].contracts[0].provider: unknown 'home', did you mean 'homes'? " + every("providers"),
    ),
    "provider of another service": (
        {"new": GOOD.replace("homes", "council")},
        "strategies[0].contracts[0].provider: unknown 'council', expected one of: homes; " + every("providers"),
    ),
    "key": (
        {"new": GOOD.replace("provider", "providr")},
        "strategies[0].contracts[0].providr: unknown key, did you mean 'provider'?",
    ),
    "taken": (
        {"contract": "dear", "new": GOOD.replace("sixty", "dear")},
        "contracts[0].name: 'dear' is already a contract of the model",
    ),
    "scenario part": (
        {"more": SCENARIO.format(path="servces.care_home.client_share", source=SOURCE)},
        "scenarios[0].changes[0].path: unknown 'servces', did you mean 'services'? " + every("paths"),
    ),
    "scenario row": (
        {"more": SCENARIO.format(path="services.care_hom.review_every_days", source=SOURCE)},
        "scenarios[0].changes[0].path: unknown 'care_hom', did you mean 'care_home'? " + every("paths"),
    ),
    "scenario field": (
        {"more": SCENARIO.format(path="services.care_home.review_evry_days", source=SOURCE)},
        "scenarios[0].changes[0].path: unknown 'review_evry_days', did you mean 'review_every_days'? " + every("paths"),
    ),
    "scenario voluntary": (
        {"more": SCENARIO.format(path="voluntary.friends.people_per_year", source=SOURCE)},
        "scenarios[0].changes[0].path: unknown 'friends', none is defined",
    ),
    "scenario clock": (
        {"more": f'[[scenarios]]\nname = "w"\ntitle = "W"\neffects = [{{ on = "premature", multiply = {money(2)} }}]'},
        "scenarios[0].effects[0].on: the model has no 'premature' clock, so this effect could do nothing; "
        + every("clocks"),
    ),
    "scenario twice": (
        {"more": '[[scenarios]]\nname = "w"\ntitle = "W"\n[[scenarios]]\nname = "w"\ntitle = "W"'},
        "scenario name 'w' is already taken",
    ),
}


def experiment(folder: Path, **parts: str) -> Path:
    (folder / "toy.toml").write_text(TOY, encoding="utf-8")
    filled = {"model": "toy.toml", "contract": "sixty", "source": SOURCE, "new": GOOD, "more": "", **parts}
    (path := folder / "e.toml").write_text(EXPERIMENT.format(**filled), encoding="utf-8")
    return path


def test_an_experiment_with_contracts_of_its_own(tmp_path: Path) -> None:
    found, model = load_experiment(experiment(tmp_path))
    assert found.contracts[0].name == "sixty"
    assert [c.name for c in model.contracts] == ["cheap", "dear"]


@pytest.mark.parametrize("name", MISNAMED)
def test_names_in_an_experiment_that_are_not_there(name: str, tmp_path: Path) -> None:
    parts, sentence = MISNAMED[name]
    path = experiment(tmp_path, **parts)
    with pytest.raises(BadInput) as caught:
        load_experiment(path)
    assert caught.value.faults == (f"{path}: {sentence}",)


def test_two_contracts_of_one_name_in_an_experiment(tmp_path: Path) -> None:
    again = f'[[contracts]]\nname = "sixty"\nterms = [{FLAT}]'
    with pytest.raises(BadInput) as caught:
        load_experiment(experiment(tmp_path, more=again))
    assert caught.value.faults == (f"{tmp_path / 'e.toml'}: contracts[1].name: 'sixty' is already defined",)


def test_a_price_set_anew_must_keep_to_the_cap(tmp_path: Path) -> None:
    more = f'changes = [{{ path = "contracts.capped.gbp_per_day", to = {money(40)} }}]\n'
    more += f'[[contracts]]\nname = "capped"\nmost_gbp_per_client_year = {money(11_000)}\nterms = [{FLAT}]'
    with pytest.raises(BadInput, match="exceeds its cap"):
        load_experiment(experiment(tmp_path, more=more))


def test_one_contract_for_all_areas_from_every_date_on(tmp_path: Path) -> None:
    offer = next(line for line in TOY.splitlines() if 'service = "plan", contract' in line)
    places = f"places = {money(5000)}"
    north = offer.replace("weight", f'area = "north", {places}, weight')
    south = north.replace("north", "south").replace(
        "weight", 'switches = [{ from = 2014-04-01, contract = "dear" }], weight'
    )
    (tmp_path / "f.toml").write_text(TOY.replace(offer, f"{north}\n{south}"), encoding="utf-8")
    with pytest.raises(BadInput, match="one contract for all areas"):
        load_model(tmp_path / "f.toml")


def test_the_command_says_so_and_exits_with_2(tmp_path: Path) -> None:
    """Every refusal in one go, as the command prints it."""
    files, lines = [], []
    for k, (terms, sentence) in enumerate(REFUSED.values()):
        files.append(tmp_path / f"model-{k}.toml")
        files[-1].write_text(with_contract(terms), encoding="utf-8")
        lines.append(f"{files[-1]}: contracts[2]{sentence}")
    for name, (parts, sentence) in MISNAMED.items():
        (folder := tmp_path / name).mkdir()
        files.append(experiment(folder, **parts))
        lines.append(f"{files[-1]}: {sentence}")
    env = {**os.environ, "PYTHONPATH": str(ROOT), "NO_COLOR": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "simcare.cli", "check", *map(str, files)],
        capture_output=True,
        text=True,
        env=env,
        timeout=300,
    )
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.splitlines() == lines
