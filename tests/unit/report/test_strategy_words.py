"""The sentence of a strategy says what its sample supports: which way, how likely, between what, and no more."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pytest
from hypothesis import assume
from hypothesis import given as for_all
from hypothesis import strategies as st

from simcare.report.strategy_words import Finding, strategy_sentence
from simcare.report.wording import COUNT, POUNDS, Estimate, Unit, rounded_alike

NOTHING = Estimate(0.0, 0.0, 0.0, 0.0, 0.0)


def cost(value: float, low: float | None, high: float | None, lower: float, higher: float) -> Finding:
    return Finding("total cost", POUNDS, Estimate(value, low, high, lower, higher))


def days(value: float, low: float | None, high: float | None, lower: float, higher: float) -> Finding:
    return Finding("dependency-days", COUNT, Estimate(value, low, high, lower, higher))


def said(*findings: Finding, hangs_on: Sequence[str] = (), years: str = "2013/14") -> str:
    return strategy_sentence("S", years, findings, "at a cost", 60, hangs_on)


@pytest.mark.parametrize(
    ("finding", "words"),
    [
        (
            cost(-3.1e6, -5.0e6, -1.2e6, 1.0, 0.0),
            "almost certain to reduce total cost by £3.10m (all simulated futures), between £1.20m and £5.00m",
        ),
        (
            cost(3.1e6, 1.2e6, 5.0e6, 0.02, 0.98),
            "very likely to increase total cost by £3.10m (98% of simulated futures), between £1.20m and £5.00m",
        ),
        (
            days(-500.0, -900.0, -100.0, 0.99, 0.01),
            "almost certain to reduce dependency-days by 500 (99% of simulated futures), between 100 and 900",
        ),
        (
            days(500.0, 100.0, 900.0, 0.03, 0.97),
            "very likely to increase dependency-days by 500 (97% of simulated futures), between 100 and 900",
        ),
    ],
)
def test_an_interval_on_one_side_has_sizes_only_and_the_verb_says_which_way(finding: Finding, words: str) -> None:
    assert said(finding) == f"In 2013/14, “S” is {words} (90% prediction interval), at a cost."


@pytest.mark.parametrize(
    ("finding", "words"),
    [
        (
            cost(-3.1e6, -5.0e6, 1.2e6, 0.8, 0.2),
            "likely to reduce total cost by £3.10m (80% of simulated futures), between a cost of £1.20m and a saving of"
            " £5.00m",
        ),
        (
            cost(3.1e6, -1.2e6, 5.0e6, 0.2, 0.8),
            "likely to increase total cost by £3.10m (80% of simulated futures), between a saving of £1.20m and a cost"
            " of £5.00m",
        ),
        (
            days(-500.0, -900.0, 100.0, 0.9, 0.1),
            "very likely to reduce dependency-days by 500 (90% of simulated futures), between 100 more and 900 fewer",
        ),
        (
            days(500.0, -100.0, 900.0, 0.1, 0.9),
            "very likely to increase dependency-days by 500 (90% of simulated futures), between 100 fewer and 900 more",
        ),
        (
            cost(-5.0, -9.0, 0.0, 0.7, 0.0),
            "likely to reduce total cost by £5 (70% of simulated futures), between no change and a saving of £9",
        ),
        (
            days(5.0, 0.0, 9.0, 0.0, 0.7),
            "likely to increase dependency-days by 5 (70% of simulated futures), between no change and 9 more",
        ),
    ],
)
def test_an_interval_across_zero_names_its_ends_and_goes_the_way_of_the_verb(finding: Finding, words: str) -> None:
    assert said(finding) == f"In 2013/14, “S” is {words} (90% prediction interval), at a cost."


@pytest.mark.parametrize(
    ("finding", "words"),
    [
        (
            cost(-3.1e6, -5.0e6, 1.2e6, 0.6, 0.4),
            "total cost (−£3.10m, between a saving of £5.00m and a cost of £1.20m)",
        ),
        (
            cost(0.4e6, -1.1e6, 1.9e6, 0.35, 0.65),
            "total cost (+£0.40m, between a saving of £1.10m and a cost of £1.90m)",
        ),
        (days(10.0, -90.0, 110.0, 0.45, 0.55), "dependency-days (+10, between 90 fewer and 110 more)"),
        (days(3.0, 0.0, 0.0, 0.02, 0.03), "dependency-days (+3, 0 in nine of ten)"),
    ],
)
def test_no_direction_is_named_below_two_in_three(finding: Finding, words: str) -> None:
    sentence = said(finding)
    assert sentence == (
        f"In 2013/14, “S” is as likely as not to go either way: {words} (90% prediction interval), at a cost."
    )
    assert not re.search("reduce|increase", sentence)


def test_a_strategy_that_does_nothing_is_said_to_do_nothing() -> None:
    none = Finding("total cost", POUNDS, NOTHING), Finding("dependency-days", COUNT, NOTHING)
    assert said(*none) == "In 2013/14, “S” makes no difference at all to total cost or dependency-days, at a cost."
    assert said(*none, hangs_on=["prices"]) == said(*none), "nothing hangs on anything"


def test_few_replications_give_an_average_and_neither_chance_nor_interval() -> None:
    few = cost(3.0e6, None, None, 0.0, 1.0), days(-20.0, None, None, 1.0, 0.0)
    none = Finding("independent days", COUNT, NOTHING)
    sentence = strategy_sentence("S", "2013/14 to 2014/15", [*few, none], "at a cost", 4, ["prices"])
    assert sentence == (
        "Over 2013/14 to 2014/15, “S” changes total cost by +£3.00m and dependency-days by −20 on average of 4"
        " replications, too few to say how likely that is, and makes no difference at all to independent days, at a"
        " cost."
    )


def test_what_is_clear_what_is_not_and_what_does_not_move_are_kept_apart() -> None:
    findings = [
        cost(2e6, 1e6, 3e6, 0.0, 1.0),
        days(-500.0, -900.0, -100.0, 1.0, 0.0),
        Finding("independent days", COUNT, Estimate(10.0, -90.0, 110.0, 0.45, 0.55)),
        Finding("unmet-need days", COUNT, NOTHING),
    ]
    assert said(*findings, hangs_on=["prices", "demand"], years="2013/14 to 2014/15") == (
        "Over 2013/14 to 2014/15, “S” is almost certain to increase total cost by £2.00m (all simulated futures),"
        " between £1.00m and £3.00m (90% prediction interval), at a cost; it is almost certain to reduce"
        " dependency-days by 500 (all simulated futures), between 100 and 900; as likely as not to go either way:"
        " independent days (+10, between 90 fewer and 110 more); it makes no difference at all to unmet-need days."
        " What matters most: prices and demand."
    )


def test_the_first_clear_finding_leads_though_an_unclear_one_stands_before_it() -> None:
    sentence = said(cost(1e5, -2e6, 2e6, 0.5, 0.5), days(-500.0, -900.0, -100.0, 1.0, 0.0))
    assert sentence.startswith("In 2013/14, “S” is almost certain to reduce dependency-days by 500")
    assert sentence.endswith(
        "at a cost; as likely as not to go either way: total cost (+£0.10m, between a saving of"
        " £2.00m and a cost of £2.00m)."
    )


def test_what_matters_most_is_listed_or_left_out() -> None:
    finding = cost(-3.1e6, -5.0e6, -1.2e6, 1.0, 0.0)
    assert said(finding, hangs_on=["a", "b", "c"]) == f"{said(finding)} What matters most: a, b and c."
    assert "matters" not in said(finding)


@for_all(st.floats(-1e9, 1e9), st.floats(0, 1e9), st.floats(0, 1e9), st.sampled_from([POUNDS, COUNT]))
def test_the_ends_that_are_said_are_those_of_the_interval(value: float, below: float, above: float, unit: Unit) -> None:
    """The words before an end say its sign: read back, the two are the interval's."""
    estimate = Estimate(value, value - below, value + above, *((1.0, 0.0) if value < 0 else (0.0, 1.0)))
    _, low, high = rounded_alike(estimate, unit)
    assume(low != high)
    between = Finding("it", unit, estimate).between
    first, second = re.fullmatch("between (.+) and (.+)", between).groups()  # type: ignore[union-attr]

    def signed(text: str, sign: str) -> str:
        if text == "no change":
            return text
        if text.startswith(("a saving of ", "a cost of ")):
            return ("−" if "saving" in text else "+") + text.split(" of ")[1]
        if text.endswith((" fewer", " more")):
            return ("−" if text.endswith("fewer") else "+") + text.rsplit(" ", 1)[0]
        return sign + text

    sign = "−" if value < 0 else "+"
    assert {signed(first, sign), signed(second, sign)} == {
        end if end[0] in "+−" else "no change" for end in (low, high)
    }
