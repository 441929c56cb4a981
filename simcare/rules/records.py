"""The records of the rulebook: what is known of a client, a row of the log, and a model as arrays."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simcare.rules.hazards import HAZARD, KNOT, SPAN, STEP

CLIENT = np.dtype(
    [
        ("id", "i8"),
        ("born", "f8"),  # days from the start
        ("entered", "f8"),  # when the client comes to the front door
        ("frailty", "f8"),
        ("need_since", "f8"),  # when the present need began
        ("stay_start", "f8"),  # when the present stay began
        ("wait_since", "f8"),  # when the present wait began
        ("next", "f8"),  # the client's next event
        ("assess_at", "f8"),
        ("task_end", "f8"),  # when the team that works on the client is done
        ("review_due", "f8"),
        ("short_end", "f8"),
        ("hospital_end", "f8"),
        ("task_hours", "f8"),  # what the team was asked for takes
        ("birthday", "f8"),
        ("cell", "i4"),  # whose clocks were set last: stage, group and need as one number
        ("team", "i4"),  # the team that the client waits for or is worked on by; −1 for none
        (
            "pool",
            "i4",
        ),  # the pool of places in which the client holds one; −1 for none, or where places are not limited
        ("what", "i2"),  # which clock or scheduled thing the next event is
        ("area", "i2"),
        ("stage", "i2"),
        ("group", "i2"),
        ("band", "i2"),  # age band between the ages at which anything changes
        ("service", "i2"),
        ("provider", "i2"),
        ("tier", "i2"),
        ("need", "i2"),
        ("induced", "i2"),  # levels of the present need that provision induced
        ("status", "i2"),
        ("route", "i2"),
        ("priority", "i2"),  # queue class of a first request
        ("hospital", "i2"),
        ("spot", "i2"),  # in a place beyond the pool's number: bought, or lost to a cut; 0 for neither
        ("wants", "i2"),  # the tier that the client waits for; −1 for none
        ("because", "i2"),  # why the client waits for it
        ("task", "i2"),  # why the client waits for a team, or is worked on; 0 for not
    ],
    align=True,
)

# A client's clock: what it has left, and how it has run since.
RUNNING = np.dtype(
    [
        ("budget", "f8"),  # unspent at ``since``; nan where none is drawn yet
        ("since", "f8"),
        ("intensity", "f8"),  # 0: stands still
        ("origin", "f8"),
        ("when", "f8"),  # when it fires if nothing changes
        ("hazard", "i4"),
        ("timeline", "i4"),
    ],
    align=True,
)

# A place in a queue. Each client has two: one for places (2i), one for teams (2i + 1).
TICKET = np.dtype(
    [("since", "f8"), ("number", "i8"), ("queue", "i4"), ("rank", "i4"), ("ahead", "i4"), ("behind", "i4")], align=True
)
QUEUE = np.dtype([("head", "i4"), ("tail", "i4")])  # one for each list of offers (or team) and class
# ``level``: of occupancy, as providers' incentives are tabulated; ``closed``: by failure; ``room``: what entry has
# gathered short of a place.
POOL_STATE = np.dtype(
    [
        ("places", "i8"),
        ("used", "i8"),
        ("spot", "i8"),
        ("level", "i8"),
        ("closed", "i8"),
        ("price", "f8"),
        ("room", "f8"),
    ]
)
# A provider: what is left of the budget of its hazard to fail, its chance draw for when another of its parent does, and
# whether it has failed.
PROVIDER_STATE = np.dtype([("budget", "f8"), ("chance", "f8"), ("failed", "i8")])
# A row of the market's log: the state of a pool of places at the beginning of a quarter, or of a provider when it fails
# (pool −1).
MARKET_ROW = np.dtype(
    [
        ("time", "f8"),
        ("provider", "i8"),
        ("pool", "i8"),
        ("failed", "i8"),
        ("places", "i8"),
        ("used", "i8"),
        ("spot", "i8"),
        ("price", "f8"),
        ("margin", "f8"),
    ]
)

LOG = np.dtype(
    [
        ("client", "i8"),
        ("time", "f8"),
        ("stay_start", "f8"),
        ("age", "f8"),
        ("event", "i2"),
        ("cause", "i2"),
        ("area", "i2"),
        ("stage", "i2"),
        ("group", "i2"),
        ("need", "i2"),
        ("tier", "i2"),
        ("service", "i2"),
        ("provider", "i2"),
        ("waiting", "i2"),
        ("induced", "i2"),
        ("hospital", "i2"),
        ("spot", "i2"),
    ],
    align=True,
)

# Records of the model's tables (built by ``tables`` and ``places``).
SERVICE = np.dtype(
    [
        ("tier", "i8"),
        ("enabling", "i8"),
        ("follows_need", "i8"),
        ("short", "i8"),
        ("short_days", "i8"),
        ("first_review", "i8"),
        ("review_every", "i8"),
    ]
)
LIST = np.dtype([("first", "i8"), ("count", "i8"), ("queue", "i8")])
# up_to: cumulative share of its list
OFFER_ROW = np.dtype([("service", "i8"), ("provider", "i8"), ("pool", "i8"), ("up_to", "f8")])
# hours: of a team; price (a dated series), variable and fixed: pounds a day of a pool of places, price and variable for
# each client
POOL = np.dtype(
    [
        ("service", "i8"),
        ("provider", "i8"),
        ("spot", "i8"),
        ("cut", "i8"),
        ("hours", "i8"),
        ("first", "i8"),
        ("count", "i8"),
        ("price", "i8"),
        ("variable", "f8"),
        ("fixed", "f8"),
    ]
)
CHANGE = np.dtype(
    [("time", "f8"), ("kind", "i8"), ("index", "i8"), ("places", "i8")]
)  # index: of the pool, or of the provider that fails
# Which variant of the providers' clocks an offer has: ``first``, or where ``series`` ≥ 0 the value of that dated
# series; in a place of a limited number, the one after it at the level of occupancy.
TERMS = np.dtype([("first", "i8"), ("series", "i8"), ("levels", "i8")])
PROVIDER = np.dtype([("closures", "f8"), ("parent", "i8"), ("overhead", "f8")])  # rates and pounds a day
MARKET = np.dtype(
    [
        ("drift", "f8"),
        ("per_occupancy", "f8"),
        ("usual_occupancy", "f8"),
        ("entry", "f8"),
        ("usual_margin", "f8"),
        ("per_margin", "f8"),
        ("contagion", "f8"),
        ("vacancy", "f8"),
        ("price", "f8"),
    ]
)
STAGE = np.dtype(
    [
        ("frailty_variance", "f8"),
        ("enabling", "f8"),
        ("over_provided", "f8"),
        ("wait_rise", "f8"),
        ("wait_recover", "f8"),
        ("at_once", "f8"),
        ("assess_days", "i8"),
        ("over", "i8"),
        ("under", "i8"),
        ("step_up_first", "i8"),
    ]
)
STAGE_NEED = np.dtype([("diverted", "f8"), ("death_ratio", "f8"), ("step_up", "i8")])
CELL = np.dtype([("hazard", "i8"), ("timeline", "i8")])
ACTIVE = np.dtype([("clock", "i8"), ("column", "i8"), ("hazard", "i8"), ("timeline", "i8"), ("by_service", "i8")])
BAND = np.dtype([("from_age", "f8"), ("stage", "i8")])
HANDOVER = np.dtype(
    [("keeps", "f8"), ("at_most", "i8"), ("to_group", "i8"), ("here", "i8"), ("supported", "i8"), ("gap_days", "i8")]
)
HOSPITAL = np.dtype([("share", "i8"), ("days", "f8"), ("to_step_up", "i8")])
TEAM_TASK = np.dtype([("pool", "i8"), ("hours", "f8")])


class Tables(NamedTuple):
    """A model as arrays, which is all that the rulebook reads.

    Shapes: S stages, G groups, R levels of need, V services, B age bands, A areas. Index −1 means none.
    """

    hazards: NDArray[Any]  # HAZARD rows; row 0 never fires
    knots: NDArray[Any]
    spans: NDArray[Any]  # SPAN rows into steps: timelines of multipliers (0 = none) and dated series
    steps: NDArray[Any]
    cells: NDArray[Any]  # SPAN (S × G × R) into active
    active: NDArray[Any]  # ACTIVE: the clocks that can run in a cell
    by_service: NDArray[Any]  # (rows, 1 + V): the hazard of a clock that names services, in no service and in each
    step_down: NDArray[Any]  # CELL (variants, S × G × R)
    premature: NDArray[Any]  # CELL (variants, S × G × R)
    terms: NDArray[Any]  # TERMS (V, providers)
    purposes: NDArray[Any]  # (columns): the clock that each column of ``running`` holds
    stages: NDArray[Any]  # STAGE (S,)
    stage_needs: NDArray[Any]  # STAGE_NEED (S, R)
    services: NDArray[Any]  # SERVICE (V,)
    open_to: NDArray[Any]  # bool (V, B, G)
    lists: NDArray[Any]  # LIST (A, R + 1, B, G) into offers; the last tier is the short-term one
    offers: NDArray[Any]  # OFFER_ROW
    bands: NDArray[Any]  # BAND (B,)
    handovers: NDArray[Any]  # HANDOVER (B, G): what reaching this band changes
    hospitals: NDArray[Any]  # HOSPITAL (S, G); share −1 for none
    team_tasks: NDArray[Any]  # TEAM_TASK (2, S, G, A): the team that assesses, and that reviews; pool −1 for none
    pools: NDArray[Any]  # POOL rows, places first, then teams; their queues are a span of pool_queues
    pool_queues: NDArray[Any]  # queues whose people a place of the pool could serve
    queues: NDArray[Any]  # (Q): 1 where the queue is of a list of offers, 0 for a team's
    changes: NDArray[Any]  # CHANGE rows by time: what changes for many at once
    providers: NDArray[Any]  # PROVIDER (providers,)
    market: NDArray[Any]  # MARKET: one row, or none where there is no market


class World(NamedTuple):
    """Everything a rule can see and change: the tables, the clients, their clocks, places and queues, the log."""

    tables: Tables
    clients: NDArray[Any]  # CLIENT (N,)
    running: NDArray[Any]  # RUNNING (N, columns)
    ordinals: NDArray[Any]  # (N, RULE_PURPOSES): how many draws were made for each purpose
    pools: NDArray[Any]  # POOL_STATE (P,)
    queues: NDArray[Any]  # QUEUE (Q, classes)
    tickets: NDArray[Any]  # TICKET (2 N,)
    holding: NDArray[Any]  # (P, Q): how many who hold a place of the pool wait in the queue
    freed: NDArray[Any]  # pools in which a place came free, filled up to counts[1]
    providers: NDArray[Any]  # PROVIDER_STATE (providers,)
    market: NDArray[Any]  # MARKET_ROW rows, filled up to counts[4]
    woken: NDArray[Any]  # other clients whose next event an event changed, filled up to counts[2]
    log: NDArray[Any]  # LOG rows, filled up to counts[0]
    counts: NDArray[Any]  # int64: rows logged, pools freed, clients woken, tickets ever taken, rows of the market
    address: NDArray[Any]  # int64: [seed, replication, ordinal of day 0]


# What each array holds and in how many dimensions: what the compiled rules rely on.
TABLES_LAYOUT: dict[str, tuple[Any, int]] = {
    "hazards": (HAZARD, 1),
    "knots": (KNOT, 1),
    "spans": (SPAN, 1),
    "steps": (STEP, 1),
    "cells": (SPAN, 1),
    "active": (ACTIVE, 1),
    "by_service": ("i8", 2),
    "step_down": (CELL, 2),
    "premature": (CELL, 2),
    "terms": (TERMS, 2),
    "providers": (PROVIDER, 1),
    "market": (MARKET, 1),
    "purposes": ("i8", 1),
    "stages": (STAGE, 1),
    "stage_needs": (STAGE_NEED, 2),
    "services": (SERVICE, 1),
    "open_to": ("?", 3),
    "lists": (LIST, 4),
    "offers": (OFFER_ROW, 1),
    "bands": (BAND, 1),
    "handovers": (HANDOVER, 2),
    "hospitals": (HOSPITAL, 2),
    "team_tasks": (TEAM_TASK, 4),
    "pools": (POOL, 1),
    "pool_queues": ("i8", 1),
    "queues": ("i8", 1),
    "changes": (CHANGE, 1),
}
LAYOUT: dict[str, tuple[Any, int]] = {
    "clients": (CLIENT, 1),
    "running": (RUNNING, 2),
    "ordinals": ("i4", 2),
    "pools": (POOL_STATE, 1),
    "queues": (QUEUE, 2),
    "tickets": (TICKET, 1),
    "holding": ("i8", 2),
    "freed": ("i8", 1),
    "woken": ("i8", 1),
    "providers": (PROVIDER_STATE, 1),
    "market": (MARKET_ROW, 1),
    "log": (LOG, 1),
    "counts": ("i8", 1),
    "address": ("i8", 1),
}
