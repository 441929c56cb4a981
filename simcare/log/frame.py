"""The log as a frame: rows of the rulebook with their names put back."""

from __future__ import annotations

from typing import Any

import polars as pl
from numpy.typing import NDArray

from simcare.arrays.names import Names
from simcare.log.states import IN_HOSPITAL
from simcare.rules.codes import CAUSES, EVENTS


def named(column: str, codes: NDArray[Any], words: tuple[str, ...]) -> pl.Series:
    """Names for codes, as an enum in order of the codes; −1 is null."""
    series = pl.Series(column, codes)
    return series.set(series < 0, None).cast(pl.UInt32).cat.to(pl.Enum(words))


def frame(log: NDArray[Any], names: Names, strategy: str, replication: int) -> pl.DataFrame:
    """The log of one replication, a row for each thing that happened: the client's state after it.

    Sorted by client, then time, then order of happening. ``time`` is in days from the start, ``age`` in years;
    ``stay_start`` is when the present stay began (negative for people there on day 0); ``waiting`` is whether the
    client is referred and not yet served, or waits in a service for another place; ``hospital`` whether they are there,
    treated or ready to leave; ``spot`` whether their place was bought beyond the pool's number.
    """

    columns = [
        pl.Series("client", log["client"]),
        pl.Series("time", log["time"]),
        named("event", log["event"], EVENTS),
        named("cause", log["cause"], CAUSES),
        named("area", log["area"], names.areas),
        named("stage", log["stage"], names.stages),
        named("group", log["group"], names.groups),
        named("need", log["need"], names.need_levels),
        named("tier", log["tier"], names.tiers),
        named("service", log["service"], names.services),
        named("provider", log["provider"], names.providers),
        pl.Series("waiting", log["waiting"] != 0),
        pl.Series("stay_start", log["stay_start"]).fill_nan(None),
        pl.Series("induced", log["induced"]).cast(pl.Int8),
        pl.Series("age", log["age"]),
        named("hospital", log["hospital"], IN_HOSPITAL),
        pl.Series("spot", log["spot"] != 0),
    ]
    ids = [pl.lit(strategy).alias("strategy"), pl.lit(replication, dtype=pl.Int32).alias("replication")]
    return pl.DataFrame(columns).select(*ids, pl.all()).sort("client", "time", maintain_order=True)
