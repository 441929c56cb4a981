"""What replications draw of what is not known: by address, the same for every strategy, and nothing where nothing
moves."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal
from scipy import stats

from simcare.decide.comparison import compare
from simcare.errors import BadInput
from simcare.files.load import load_model, read_experiment
from simcare.files.parsing import parse
from simcare.model import Model
from simcare.runs.drawing import drawing_of
from simcare.runs.run import run
from tests.support.paths import SUPPORT, TOY

GUESS = {"source": "assumption", "grade": "D"}
MODEL = load_model(TOY)


def factor(name: str, sd_log: float, **moves: Any) -> dict[str, Any]:
    prior = {"kind": "lognormal", "median": 1.0, "sd_log": sd_log, **GUESS}
    return {"name": name, "title": name.title(), "prior": prior, **moves}


def with_rows(*rows: dict[str, Any]) -> Model:
    return parse(Model, MODEL.model_dump(by_alias=True) | {"uncertain": list(rows)}, "x.toml")


PRICE = factor("price", 0.3, scale=["contracts.*.gbp_per_*"])
RISE = factor("rise", 0.4, multiply={"on": "rise"})


def drawn_of(frame: pl.DataFrame, name: str, strategy: str = "baseline") -> list[float]:
    rows = frame.filter((pl.col("name") == name) & (pl.col("strategy") == strategy)).sort("replication")
    return rows["value"].to_list()


def test_draws_are_spread_as_the_prior_and_hang_on_name_and_seed_alone() -> None:
    drawing = drawing_of(with_rows(PRICE, RISE))
    drawn = [drawing.values(3, r) for r in range(2000)]
    logs = np.log([[one["price"] / 1.0, one["rise"]] for one in drawn])
    assert stats.kstest(logs[:, 0] / 0.3, "norm").pvalue > 1e-4
    assert stats.kstest(logs[:, 1] / 0.4, "norm").pvalue > 1e-4
    assert abs(np.corrcoef(logs.T)[0, 1]) < 4 / np.sqrt(2000)
    alone = drawing_of(with_rows(RISE))
    assert [alone.values(3, r)["rise"] for r in range(5)] == [one["rise"] for one in drawn[:5]]
    assert alone.values(4, 0)["rise"] != drawn[0]["rise"]


def test_every_strategy_of_a_replication_meets_the_same_draw() -> None:
    experiment = read_experiment(SUPPORT / "toy-experiment.toml").experiment
    found = compare(experiment, 3, model=with_rows(PRICE, RISE), workers=1)
    strategies = [one.name for one in experiment.strategies]
    mine = drawn_of(found.drawn, "rise")
    assert len(set(mine)) == 3
    assert all(drawn_of(found.drawn, "rise", strategy) == mine for strategy in strategies)
    assert found.manifest["unknowns"] == {"rows": 2, "from_fit": [], "from_priors": ["Price", "Rise"]}


def test_a_price_is_paid_as_it_was_drawn() -> None:
    plain = run(MODEL, 1, 2, workers=1)
    dearer = run(with_rows(PRICE), 1, 2, workers=1)
    for r, times in enumerate(drawn_of(dearer.drawn, "price")):
        paid = [
            one.measures.filter(
                (pl.col("replication") == r) & (pl.col("measure") == "cost") & pl.col("service").is_not_null()
            )["value"].sum()
            for one in (plain, dearer)
        ]
        assert paid[0] > 0
        assert paid[1] == pytest.approx(times * paid[0], rel=1e-9)


@pytest.mark.parametrize("central", [False, True])
def test_a_row_of_zero_width_leaves_every_result_as_it_was(central: bool) -> None:
    still = with_rows(
        factor("a", 0.0, multiply={"on": "rise"}),
        factor("b", 0.0, scale=["contracts.*.gbp_per_*"]),
        factor("c", 0.0, tilt=["caseload.*.needs", "arrivals.*.needs"]),
    )
    moving = with_rows(PRICE, RISE)
    before = run(MODEL, 2, 2, workers=1)
    after = run(moving if central else still, 2, 2, workers=1, central=central)
    for part in ("measures", "flows", "market"):
        assert_frame_equal(getattr(after, part), getattr(before, part), check_exact=True)
    assert ("unknowns" in after.manifest) != central


def test_central_takes_no_fit() -> None:
    with pytest.raises(BadInput, match="central: a run at the central values draws nothing, so it takes no fit"):
        drawing_of(MODEL, "kent-2013", central=True)
