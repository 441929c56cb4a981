"""A log written by hand: for worked examples, teaching and tests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from simcare.log.states import IN_HOSPITAL
from simcare.rules.codes import CAUSES, EVENTS

DEFAULTS: dict[
    str, Any] = {"strategy": "baseline", "replication": 0, "client": 1, "time": 0.0, "event": "", "cause": "",
    "area": "all", "stage": "all ages", "group": "general", "need": None, "tier": None, "service": None,
    "provider": None, "waiting": False, "stay_start": None, "induced": 0, "age": 40.0, "hospital": "no", "spot": False,
}  # fmt: skip


def log_of(
    rows: Sequence[Mapping[str, Any]], need_levels: Sequence[str], short_term: Sequence[str] = ()
) -> pl.DataFrame:
    """A log from plain rows, in the columns and types that a run gives.

    ``need_levels`` are the long-term tiers from independence up, ``short_term`` the tiers beside them. What a row
    leaves out is a plain default: client 1, day 0, no service, need and tier the lowest.

    >>> log = log_of([{"event": "referral", "cause": "new", "need": "community"}], ["independent", "community"])
    >>> log.select("client", "need", "tier").rows()
    [(1, 'community', 'independent')]
    """
    for row in rows:
        if unknown := set(row) - set(DEFAULTS):
            raise ValueError(f"a log has no column {', '.join(sorted(unknown))}")
    bottom = {"need": need_levels[0], "tier": need_levels[0]}
    full = [{**DEFAULTS, **bottom, **row} for row in rows]

    def names(column: str) -> pl.Enum:
        return pl.Enum(sorted({row[column] for row in full} - {None}))

    schema: dict[
        str, Any] = {"strategy": pl.String, "replication": pl.Int32, "client": pl.Int64, "time": pl.Float64,
        "event": pl.Enum(EVENTS), "cause": pl.Enum(CAUSES), "area": names("area"), "stage": names("stage"),
        "group": names("group"), "need": pl.Enum(need_levels), "tier": pl.Enum([*need_levels, *short_term]),
        "service": names("service"), "provider": names("provider"), "waiting": pl.Boolean, "stay_start": pl.Float64,
        "induced": pl.Int8, "age": pl.Float64, "hospital": pl.Enum(IN_HOSPITAL), "spot": pl.Boolean,
    }  # fmt: skip
    return pl.DataFrame(full, schema=schema)
