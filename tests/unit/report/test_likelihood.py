"""Words for probabilities: at their bounds, and against the differences that they are said of."""

from __future__ import annotations

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from simcare.report.likelihood import likelihood, of_futures, paired_estimate, predicted_words, ranked_estimate
from simcare.report.wording import COUNT, DIRECTION, POUNDS, Estimate

ORDER = ["as likely as not", "likely", "very likely", "almost certain"]


@pytest.mark.parametrize(
    ("chance", "word"),
    [
        (1.0, "almost certain"), (0.99, "almost certain"), (0.98999, "very likely"), (0.9, "very likely"),
        (0.89999, "likely"), (0.66, "likely"), (0.65999, "as likely as not"), (0.5, "as likely as not"),
    ],
)  # fmt: skip
def test_a_word_begins_at_its_bound(chance: float, word: str) -> None:
    assert likelihood(chance) == word


@for_all(st.floats(0.5, 1), st.floats(0.5, 1))
def test_a_higher_chance_never_has_a_weaker_word(one: float, two: float) -> None:
    low, high = sorted((one, two))
    assert ORDER.index(likelihood(low)) <= ORDER.index(likelihood(high))


@for_all(st.integers(0, 400), st.integers(0, 400))
def test_a_direction_is_named_where_its_word_is_and_nowhere_else(lower: int, higher: int) -> None:
    count = max(1, lower + higher)
    estimate = Estimate(1.0, -1.0, 2.0, lower / count, higher / count)
    if lower == higher == 0:
        assert estimate.verdict == "none"
        return
    chances = {"lower": lower / count, "higher": higher / count}
    words = {side: likelihood(chance) for side, chance in chances.items()}
    named = [side for side, word in words.items() if word != "as likely as not"]
    assert estimate.verdict == (named[0] if named else "unclear")
    assert len(named) < 2, "at 0.66 no two sides can be named"
    assert DIRECTION > 0.5


@pytest.mark.parametrize(
    ("chance", "said"),
    [
        (1.0, "all"),
        (399 / 400, "over 99% of"),
        (0.99, "99% of"),
        (0.664, "66% of"),
        (0.01, "1% of"),
        (1 / 400, "under 1% of"),
        (0.0, "0% of"),
    ],
)
def test_a_share_of_futures_is_all_or_none_only_where_it_is(chance: float, said: str) -> None:
    assert of_futures(chance) == f"{said} simulated futures"


def test_a_row_of_differences_has_its_interval_and_its_chances() -> None:
    row = {
        "difference": -3.0, "prediction_low": -5.0, "prediction_high": 1.0, "baseline_mean": 100.0, "chance_lower": 0.8,
        "chance_higher": 0.15,
    }  # fmt: skip
    assert paired_estimate(row) == Estimate(-3.0, -5.0, 1.0, 0.8, 0.15)
    assert paired_estimate(row).verdict == "lower", "though the interval holds zero"
    few = row | {"prediction_low": None, "prediction_high": None}
    assert paired_estimate(few) == Estimate(-3.0, None, None, 0.8, 0.15)
    ranked = {"difference": -3.0, "low": -5.0, "high": 1.0, "chance_lower": 0.8, "chance_higher": 0.15}
    assert ranked_estimate(ranked) == paired_estimate(row)


def test_where_somebody_points_the_interval_is_named_or_said_to_be_missing() -> None:
    estimate = Estimate(-3.1e6, -5e6, 1.2e6, 0.9, 0.1)
    assert predicted_words(estimate, POUNDS) == "90% prediction interval −£5.00m to +£1.20m"
    assert predicted_words(Estimate(3.0), COUNT) == "too few replications for an interval"
