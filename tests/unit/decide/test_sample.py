"""What goes into a sample, and what does not."""

from __future__ import annotations

import numpy as np
import pytest

from simcare.decide.sample import Cause, sample_of

CAUSES = [Cause("rise", "Rise", "uncertain"), Cause("fixed", "Fixed", "uncertain"), Cause("jobs", "Jobs", "demand")]


def draws(n: int = 40) -> np.ndarray:
    return np.column_stack([np.arange(n), np.full(n, 0.1), np.arange(n) % 3])


def test_a_cause_of_zero_width_leaves_no_trace() -> None:
    found = sample_of(CAUSES, draws(), np.arange(40))
    assert [cause.name for cause in found.causes] == ["rise", "jobs"]
    assert found.draws.tolist() == draws()[:, [0, 2]].tolist()


def test_a_sample_cannot_be_changed_and_does_not_change_what_it_was_made_of() -> None:
    drawn, differences = draws(), np.arange(40.0)
    found = sample_of(CAUSES, drawn, differences)
    with pytest.raises(ValueError, match="read-only"):
        found.draws[0, 0] = 1.0
    with pytest.raises(ValueError, match="read-only"):
        found.differences[0] = 1.0
    drawn[0, 0] = differences[0] = 5.0
    assert found.draws[0, 0] == found.differences[0] == 0.0


def test_the_same_draws_serve_another_measure() -> None:
    found = sample_of(CAUSES, draws(), np.arange(40))
    other = found.of(-np.arange(40))
    assert other.draws is found.draws and other.causes == found.causes
    assert other.differences.tolist() == (-np.arange(40.0)).tolist()


@pytest.mark.parametrize(
    ("drawn", "differences", "says"),
    [
        (draws()[:, :2], np.arange(40), r"3 causes need draws of shape \(replications, 3\)"),
        (draws(29), np.arange(29), "29 replications are too few"),
        (draws(), np.arange(39), "40 replications were drawn"),
        (np.where(draws() == 2, np.nan, draws()), np.arange(40), "cause 'rise': a draw is not a finite number"),
        (draws(), np.full(40, np.inf), "a difference is not a finite number"),
    ],
)
def test_what_does_not_fit_is_refused(drawn: np.ndarray, differences: np.ndarray, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        sample_of(CAUSES, drawn, differences)
