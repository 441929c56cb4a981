"""Spells: whole stays with how they ended, for the sums that a contract pays or takes back.

A spell is *stepped* when it ended in independence or in a move to a lower tier, other than by a birthday or because
the client gave up waiting. ``back`` is when the client was first back in that tier or above (short-term tiers are above
all others). The same is read off a log as a frame (:func:`spells`) and off the rows of the compiled engine
(:func:`spells_in`); a test holds the two equal.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from simcare.log.flows import NOT_BY_CHOICE
from simcare.log.states import GONE, PERSON, PLACE, RUN, begins_stay, differs, level
from simcare.rules.codes import BY_HANDOVER, DIED, END, LEFT, MOVE, RENEGED, START
from simcare.rules.compile import rule

SPELL = np.dtype([
    ("area", "i8"), ("stage", "i8"), ("group", "i8"), ("tier", "i8"), ("service", "i8"), ("provider", "i8"),
    ("stepped", "i8"), ("stay_start", "f8"), ("time", "f8"), ("until", "f8"), ("back", "f8"),
])  # fmt: skip
COLUMNS = (*RUN, *PLACE, "stepped", "stay_start", "time", "until", "back")


def spells(log: pl.DataFrame, offers: pl.DataFrame, days: float) -> pl.DataFrame:
    """Spells under some offers, of a prepared log. ``offers`` has the columns service and provider.

    Columns: RUN and PLACE as the spell began, stepped, ``stay_start`` (may be before the run), the part within the run
    [time, until), and ``back``, null where the client was not back before the horizon.

    >>> from simcare.log.by_hand import log_of
    >>> from simcare.log.states import prepare
    >>> care = {"need": "community", "tier": "community", "service": "care", "provider": "p"}
    >>> log = log_of([
    ...     {"event": "present", "stay_start": -10, **care},
    ...     {"event": "end", "cause": "step_down", "time": 9},
    ...     {"event": "start", "cause": "assessment", "time": 20, "stay_start": 20, **care},
    ... ], ["independent", "community"])
    >>> found = spells(prepare(log), pl.DataFrame({"service": ["care"], "provider": ["p"]}), 30.0)
    >>> found.select("stay_start", "time", "until", "stepped", "back").rows()
    [(-10.0, 0.0, 9.0, True, 20.0), (20.0, 20.0, 30.0, False, None)]
    """
    log = log if offers.height else log.clear()
    last = differs(*PERSON).shift(-1).fill_null(True)
    following = [pl.col(name).shift(-1).alias(f"next_{name}") for name in ("event", "cause", "tier", "time")]
    rows = log.with_columns(begins_stay().alias("begins"), last.alias("last"), *following)
    served = rows.filter(pl.col("service").is_not_null())
    ended = served.filter(pl.col("begins").shift(-1).fill_null(True))
    begun = served.filter("begins").select(*PERSON, *PLACE, "stay_start", "time")
    next_event, lower = pl.col("next_event"), level("next_tier") < level("tier")
    by_choice = ~pl.col("next_cause").is_in(NOT_BY_CHOICE)
    stepped = ~pl.col("last") & by_choice & ((next_event == "end") | ((next_event == "move") & lower))
    gone = pl.col("event").is_in(GONE)
    until = pl.when(~pl.col("last")).then(pl.col("next_time")).when(gone).then(pl.col("time")).otherwise(days)
    # A death keeps the place in its row: the spell ended when the row says, though the row before it is the last of the
    # care.
    how = ended.select(until.alias("until"), stepped.fill_null(False).alias("stepped"))
    whole = pl.concat([begun, how], how="horizontal").with_row_index("spell")
    wanted = offers.with_columns(
        [pl.col(name).cast(log.schema[name], strict=False) for name in ("service", "provider")]
    ).drop_nulls()
    mine = whole.join(wanted, on=["service", "provider"], how="semi", maintain_order="left")
    later = mine.filter("stepped").select(*PERSON, "spell", "tier", "until")
    again = whole.select(*PERSON, pl.col("time").alias("came"), pl.col("tier").alias("on"))
    returns = later.join(again, on=PERSON).filter((pl.col("came") > pl.col("until")) & (level("on") >= level("tier")))
    back = returns.group_by("spell").agg(pl.col("came").min().alias("back"))
    return mine.join(back, on="spell", how="left", maintain_order="left").select(COLUMNS)


@rule
def spells_in(rows: NDArray[Any], wanted: NDArray[np.bool_], horizon: float, out: NDArray[Any]) -> int:
    """Write the spells under wanted offers (services, providers) of whole clients' rows into ``out``; returns how many
    there are."""
    count, mine, open_one = 0, 0, -1
    for k in range(rows.size):
        row = rows[k]
        if k == 0 or row.client != rows[k - 1].client:
            mine, open_one = count, -1
        event = row.event
        same = open_one >= 0 and row.service == out[open_one].service and row.provider == out[open_one].provider
        same = same and row.stay_start == out[open_one].stay_start
        if open_one >= 0 and (not same or event in (DIED, LEFT)):
            spell = out[open_one]
            spell.until = row.time
            by_choice = row.cause != BY_HANDOVER and row.cause != RENEGED
            spell.stepped = 1 if by_choice and (event == END or (event == MOVE and row.tier < spell.tier)) else 0
            open_one = -1
        if row.service < 0 or event in (DIED, LEFT) or same:
            continue
        if event in (START, MOVE):
            for j in range(mine, count):
                if out[j].stepped and out[j].back == np.inf and row.time > out[j].until and row.tier >= out[j].tier:
                    out[j].back = row.time
        begins = k == 0 or row.client != rows[k - 1].client or _other_stay(row, rows[k - 1])
        if begins and wanted[row.service, row.provider]:
            spell = out[count]
            spell.area, spell.stage, spell.group, spell.tier = row.area, row.stage, row.group, row.tier
            spell.service, spell.provider, spell.stepped = row.service, row.provider, 0
            spell.stay_start, spell.time, spell.until, spell.back = row.stay_start, row.time, horizon, np.inf
            open_one = count
            count += 1
    return count


@rule
def _other_stay(row: Any, before: Any) -> bool:
    return bool(row.service != before.service or row.provider != before.provider or row.stay_start != before.stay_start)
