"""The laboratory can be repeated, and every design refuses what it cannot answer in one sentence."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl
import pytest

from simcare.errors import BadInput
from simcare.induced import assessor_leniency, recover, simulate_scores, supply_shock, threshold_bunching
from tests.support.induced_lab import cases, panel


def test_the_lab_can_be_repeated_and_its_seed_matters() -> None:
    first, again, other = (recover(0.1, 1500, 2, seed) for seed in (3, 3, 4))
    assert first.equals(again)
    assert not first.equals(other)


def scored(**more: Any) -> Callable[[], object]:
    scores = simulate_scores(0.2, 2000, np.random.default_rng(1))
    return lambda: threshold_bunching(**({"data": scores, "threshold": 60.0, "window": 6.0} | more))


def on_cases(change: Callable[[pl.DataFrame], pl.DataFrame], **more: Any) -> Callable[[], object]:
    return lambda: assessor_leniency(change(cases(people=1500)), **more)


def on_panel(change: Callable[[pl.DataFrame], pl.DataFrame], **more: Any) -> Callable[[], object]:
    return lambda: supply_shock(change(panel()), **({"draws": 9} | more))


BAD: dict[str, tuple[Callable[[], object], str]] = {
    "threshold outside": (scored(threshold=500.0), "threshold: 500 lies outside the scores"),
    "window and bins": (scored(window=2.5), "window: 2.5 points are no whole number of bins of 1"),
    "window too wide": (scored(threshold=22.0, window=20.0), "too few bins below"),
    "no scores": (scored(data=np.array([])), "there are none"),
    "a missing score": (scored(data=np.array([59.0, math.nan])), "some are missing"),
    "too few people": (
        scored(data=np.arange(40.0, 80.0) * 0 + np.repeat([59.0, 60.0, 30.0, 90.0], 10)),
        "too few people",
    ),
    "a histogram off the threshold": (
        scored(data=pl.DataFrame({"from_score": [59.5, 60.5], "count": [1, 1]})),
        "a bin begins at 59.5",
    ),
    "a histogram without counts": (
        scored(data=pl.DataFrame({"from_score": [59, 60], "counts": [1, 1]})),
        "did you mean 'counts'",
    ),
    "a negative count": (scored(data=pl.DataFrame({"from_score": [59, 60], "count": [-1, 1]})), "fewer than no people"),
    "column, near miss": (
        on_cases(lambda f: f.rename({"assessor": "asessor"})),
        "unknown 'assessor', did you mean 'asessor'",
    ),
    "missing values": (
        on_cases(lambda f: f.with_columns(later_need=pl.when(pl.col("package") == 0).then("later_need"))),
        "values are missing",
    ),
    "words": (on_cases(lambda f: f.with_columns(package=pl.lit("yes"))), "package: holds String, not numbers"),
    "too few assessors": (on_cases(lambda f: f.filter(pl.col("assessor") < 5)), "assessor: 5 assessors .* too few"),
    "one assessor": (on_cases(lambda f: f.filter(pl.col("assessor") == 5)), "assessor: 0 assessors"),
    "everybody has care": (on_cases(lambda f: f.with_columns(package=1)), "package: does not vary"),
    "one outcome": (on_cases(lambda f: f.with_columns(later_need=2)), "later_need: does not vary"),
    "a flat covariate": (on_cases(lambda f: f.with_columns(flat=1.0), covariates=["flat"]), "flat: does not vary"),
    "one area": (on_panel(lambda f: f.filter(pl.col("area") == 0)), "area: 1 area is too few"),
    "three areas": (on_panel(lambda f: f.filter(pl.col("area") < 3)), "area: 3 areas are too few"),
    "places never change": (on_panel(lambda f: f.with_columns(places=pl.col("area") + 1.0)), "never change"),
    "alike in all areas": (
        on_panel(lambda f: f.with_columns(places=pl.col("area") + pl.col("month") * 1.0)),
        "change alike in all areas",
    ),
    "an area twice": (on_panel(lambda f: pl.concat([f, f.head(1)])), "an area has a month twice"),
    "months in words": (on_panel(lambda f: f.with_columns(pl.col("month").cast(pl.String))), "month: holds String"),
    "use never varies": (on_panel(lambda f: f.with_columns(use=3.0)), "use: does not vary"),
    "no waiting column": (on_panel(lambda f: f, waiting="wait"), "unknown 'wait', did you mean 'waiting'"),
    "share": (lambda: recover(0.9), "true_share: 0.9 is outside 0 to 0.4"),
    "people": (lambda: recover(0.1, people=10), "people: 10 are too few"),
    "replications": (lambda: recover(0.1, replications=1), "replications: 1 do not show chance"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_cannot_be_answered_is_refused_in_one_sentence(name: str) -> None:
    ask, sentence = BAD[name]
    with pytest.raises(BadInput, match=sentence) as told:
        ask()
    assert len(told.value.faults) == 1 and "\n" not in str(told.value)
