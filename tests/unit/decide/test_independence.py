"""Independent days of a comparison: they rise when need falls or is prevented, and not when care is withheld."""

from __future__ import annotations

import polars as pl
import pytest

import simcare
from simcare.decide.independence import prevented_days

COLUMNS = ["strategy", "replication", "month", "stage", "measure", "value"]
MONTH = 365.25 / 12


def rows(strategy: str, known: tuple[int, int], died: int = 0) -> list[tuple[str, int, str, str, str, float]]:
    """A run of two months: so many people known in each, and so many dead in the first."""
    return [
        (strategy, 0, "2013-04", "older people", "people_known", float(known[0])),
        (strategy, 0, "2013-05", "older people", "people_known", float(known[1])),
        (strategy, 0, "2013-04", "older people", "deaths", float(died)),
    ]


def prevented(strategy: list[tuple[str, int, str, str, str, float]]) -> float:
    frame = pl.DataFrame(rows("baseline", (4, 2), 1) + strategy, COLUMNS, orient="row")
    found = prevented_days(frame)
    assert found.filter(pl.col("strategy") == "baseline")["prevented"].item() == 0.0
    return float(found.filter(pl.col("strategy") == "s")["prevented"].item())


def test_who_no_longer_comes_counts_for_as_long_as_they_would_have_been_there() -> None:
    """Of 4 × 1.5 + 2 × 0.5 months of the baseline, one person's 1.5 are lost to death."""
    assert prevented(rows("s", (3, 2), 1)) == pytest.approx(1.5 * MONTH * (1 - 1.5 / 7.0))


def test_who_comes_in_addition_counts_the_other_way_round() -> None:
    assert prevented(rows("s", (5, 2), 1)) == pytest.approx(-prevented(rows("s", (3, 2), 1)))


def test_a_death_more_makes_nobody_independent() -> None:
    assert prevented(rows("s", (4, 2), 3)) == 0.0


def test_a_strategy_under_which_nobody_comes_has_them_all() -> None:
    assert prevented([("s", 0, "2013-04", "older people", "cost", 1.0)]) == pytest.approx(7.0 * MONTH * (1 - 1.5 / 7.0))


@pytest.mark.slow
def test_the_help_of_voluntary_groups_and_better_assessment_make_nobody_less_independent() -> None:
    found = simcare.compare("brakes", replications=2, years=3).differences
    for strategy in ("voluntary_groups", "needs_as_they_are"):
        row = found.filter((pl.col("strategy") == strategy) & (pl.col("measure") == "independent_days"))
        assert row["difference"].item() > 0.0, strategy
        assert row["chance_better"].item() == 1.0, strategy
