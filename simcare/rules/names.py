"""The names and the records of the rulebook: clocks, events, causes; what is known of a client; a row of the log."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

# Clocks: the slots of a client's budgets. Rise and recovery have one clock for each number of rungs, 1 to 5.
JUMPS = 5
RISE, RECOVER = 0, JUMPS
INDUCED, CRISIS, DETECTION, STEP_DOWN, DEATH, LEAVING = range(2 * JUMPS, 2 * JUMPS + 6)
CLOCKS = 16
CLOCK_SLOTS = {"rise": RISE, "recover": RECOVER, "induced": INDUCED, "crisis": CRISIS, "detection": DETECTION,
               "step_down": STEP_DOWN, "death": DEATH, "leaving": LEAVING}  # fmt: skip

# What comes next for a client beside the clocks: things that are scheduled, not random.
ARRIVE, ASSESS, REVIEW, SHORT_END, BIRTHDAY, NOTHING = range(CLOCKS, CLOCKS + 6)

# Where a client stands.
UNBORN, OUT, REFERRED, IN_SERVICE, GONE = range(5)

EVENTS = ("present", "arrival", "referral", "diverted", "assessed", "start", "move", "end", "rise", "fall", "crisis", "review",
          "birthday", "handover", "death", "left")  # fmt: skip
(PRESENT, ARRIVAL, REFERRAL, DIVERTED, ASSESSED, START, MOVE, END, ROSE, FELL, IN_CRISIS, REVIEWED,
 TURNED, HANDED_OVER, DIED, LEFT) = range(len(EVENTS))  # fmt: skip

CAUSES = ("", "day_0", "new", "again", "crisis", "direct", "advice", "not_in_need", "assessment", "short_term_end", "review",
          "step_down", "need", "induced", "handover", "hazard", "at_once", "up", "down", "same", "age")  # fmt: skip
(NO_CAUSE, DAY_0, NEW, AGAIN, BY_CRISIS, DIRECT, ADVICE, NOT_IN_NEED, ASSESSMENT, SHORT_TERM_END, BY_REVIEW,
 BY_PROVIDER, BY_NEED, BY_PROVISION, BY_HANDOVER, BY_HAZARD, AT_ONCE_CRISIS, UP, DOWN, SAME, BY_AGE) = range(len(CAUSES))  # fmt: skip

ROUTES = {"referral": 0, "crisis": 1, "direct": 2}
ROUTE_REFERRAL, ROUTE_CRISIS, ROUTE_DIRECT = range(3)

CLIENT = np.dtype(
    [
        ("id", "i8"),
        ("born", "f8"),  # days from the start
        ("entered", "f8"),  # when the client comes to the door
        ("frailty", "f8"),
        ("need_since", "f8"),  # when the present need began
        ("stay_start", "f8"),  # when the present stay began
        ("last", "f8"),  # budgets are spent up to here
        ("next", "f8"),  # the client's next event
        ("assess_at", "f8"),
        ("review_due", "f8"),
        ("short_end", "f8"),
        ("birthday", "f8"),
        ("what", "i2"),  # which clock or scheduled thing the next event is
        ("area", "i2"),
        ("stage", "i2"),
        ("group", "i2"),
        ("band", "i2"),  # age band between the ages at which anything changes
        ("service", "i2"),
        ("provider", "i2"),
        ("tier", "i2"),
        ("need", "i2"),
        ("induced", "i2"),  # rungs of the present need that provision induced
        ("status", "i2"),
        ("route", "i2"),
    ],
    align=True,
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
    ],
    align=True,
)

# Records of the model's tables (built by ``tables``).
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
OFFER_ROW = np.dtype([("service", "i8"), ("provider", "i8"), ("up_to", "f8")])  # up_to: cumulative share of its list
STAGE = np.dtype(
    [("frailty_variance", "f8"), ("enabling", "f8"), ("over_provided", "f8"), ("wait_rise", "f8"), ("wait_recover", "f8"),
     ("at_once", "f8"), ("assess_days", "i8"), ("over", "i8"), ("under", "i8"), ("step_up_first", "i8")]
)  # fmt: skip
STAGE_RUNG = np.dtype([("diverted", "f8"), ("death_ratio", "f8"), ("step_up", "i8")])
CELL = np.dtype([("hazard", "i8"), ("timeline", "i8")])
BAND = np.dtype([("from_age", "f8"), ("stage", "i8")])
HANDOVER = np.dtype([("keeps", "f8"), ("at_most", "i8"), ("to_group", "i8"), ("here", "i8")])


class Tables(NamedTuple):
    """A model as arrays, which is all that the rulebook reads.

    Shapes: S stages, G groups, R rungs, V services, B age bands. Index −1 means none.
    """

    hazards: NDArray[Any]  # HAZARD rows; row 0 never fires
    knots: NDArray[Any]
    spans: NDArray[Any]  # SPAN rows into steps: timelines of multipliers (0 = none) and dated series
    steps: NDArray[Any]
    cells: NDArray[Any]  # CELL (S, G, R, CLOCKS)
    step_down: NDArray[Any]  # CELL (V, S, G, R)
    stages: NDArray[Any]  # STAGE (S,)
    stage_rungs: NDArray[Any]  # STAGE_RUNG (S, R)
    services: NDArray[Any]  # SERVICE (V,)
    open_to: NDArray[Any]  # bool (V, B, G)
    lists: NDArray[Any]  # SPAN (R + 1, B, G) into offers; the last rung is the short-term tier
    offers: NDArray[Any]  # OFFER_ROW
    bands: NDArray[Any]  # BAND (B,)
    handovers: NDArray[Any]  # HANDOVER (B, G): what reaching this band changes


class World(NamedTuple):
    """Everything a rule can see and change: the tables, the clients, their budgets, the log."""

    tables: Tables
    clients: NDArray[Any]  # CLIENT (N,)
    budgets: NDArray[Any]  # float (N, CLOCKS): unspent; nan where none is drawn yet
    ordinals: NDArray[Any]  # (N, RULE_PURPOSES): how many draws were made for each purpose
    log: NDArray[Any]  # LOG rows, filled up to counts[0]
    counts: NDArray[Any]  # int64: [rows logged]
    address: NDArray[Any]  # int64: [seed, replication, ordinal of day 0]
