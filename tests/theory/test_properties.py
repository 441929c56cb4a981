"""Random models, through the engine, the measures and every invariant: nobody and no pound is lost."""

from __future__ import annotations

import polars as pl
from hypothesis import HealthCheck, given, settings

from simcare.invariants import check_run
from simcare.log.flows import flows_between
from simcare.measures.measure import measure_log
from simcare.model import Model
from tests.support.logs import simulate
from tests.support.random_models import models

DAYS = 400.0


@settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(models())
def test_random_models_keep_every_invariant(model: Model) -> None:
    log = simulate(model, DAYS)
    measures = measure_log(log, model, DAYS)
    check_run(log, measures, model, DAYS)
    assert measures["value"].is_finite().all()
    assert flows_between(log, model).filter(pl.col("moves") < 0).is_empty()


@settings(
    max_examples=15,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(models())
def test_a_shorter_horizon_is_the_beginning_of_a_longer_one(model: Model) -> None:
    """What happens before a day cannot depend on where the run ends."""
    longer, shorter = simulate(model, DAYS), simulate(model, 200.0)
    assert longer.filter(pl.col("time") < 200.0).equals(shorter)
