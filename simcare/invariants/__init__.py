"""What must hold in a run that has a log, checked after each replication; where it does not, BrokenInvariant rises.

Checks of the log come first, since the others rest on it. Totals are worked out a second way wherever they are
compared: days from whole stays and from bare events, places from a running sum of comings and goings, money from whole
stays against a price line instead of the monthly table.
"""

from __future__ import annotations

import polars as pl

from simcare.invariants.compare import slim
from simcare.invariants.money import money_adds_up, payers_add_up, programme_cash
from simcare.invariants.people import (
    events_fit,
    in_order,
    in_place,
    little,
    lives,
    no_negative_wait,
    people_add_up,
    stays_once,
)
from simcare.invariants.places import places_fit, places_hold, queues_add_up
from simcare.log.states import prepare, states, stays
from simcare.model import Model


def check_run(log: pl.DataFrame, measures: pl.DataFrame, model: Model, days: float, steered: bool = False) -> None:
    """Every invariant, of one log and its measures. Returns nothing; raises BrokenInvariant with one sentence on the
    first fault.

    In a run ``steered`` by hooks, or with a market, the number of places is not the model's alone, and is not held
    against it.
    """
    log, measures = prepare(log), slim(measures)
    in_order(log, days)
    lives(log)
    in_place(log, model)
    events_fit(log)
    places_fit(log)
    if not steered and model.market is None:
        places_hold(log, model, days)
    shown = states(log, days)
    spells = stays(shown)
    stays_once(spells)
    no_negative_wait(log)
    queues_add_up(log, shown, measures, days)
    people_add_up(log, shown, measures, model, days)
    little(log, spells, measures, model, days)
    payers_add_up(measures, model)
    if model.market is None:  # where prices drift, whole stays have no price line
        money_adds_up(log, spells, measures, model, days)


__all__ = [
    "check_run", "events_fit", "in_order", "in_place", "little", "lives", "money_adds_up", "no_negative_wait",
    "payers_add_up", "people_add_up", "places_fit", "places_hold", "programme_cash", "queues_add_up", "stays_once",
]  # fmt: skip
