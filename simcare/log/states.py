"""What each client's life looks like between events: states, how care meets need in them, and whole stays."""

from __future__ import annotations

import polars as pl

from simcare.errors import BrokenInvariant

RUN = ("strategy", "replication")
PERSON = (*RUN, "client")
PLACE = ("area", "stage", "group", "tier", "service", "provider")
IDS = (*RUN, *PLACE)
NAMES = ("strategy", "area", "stage", "group", "service", "provider")
GONE = ("death", "left")
IN_HOSPITAL = ("no", "treated", "ready")  # not there; being treated; ready to leave
# Who joined the queue for a place by ``queued`` waits in it until one of these, or until they join anew. A cut ends the
# wait for another place too, since from then on the client waits for one in place of the one that was cut.
ENDS_QUEUE = ("start", "move", "kept", "withdrawn", "end", "diverted", "displaced", *GONE)


def prepare(log: pl.DataFrame) -> pl.DataFrame:
    """The log with names as enums (to compare numbers is faster than to compare text) and each strategy in one block.

    ``need`` and ``tier`` must be enums already, since their order is the ladder; BrokenInvariant otherwise. A log whose
    ``strategy`` is an enum has been prepared before, and is returned as it is.
    """
    if isinstance(log.schema["strategy"], pl.Enum):
        return log
    for column in ("need", "tier"):
        if not isinstance(log.schema[column], pl.Enum):
            raise BrokenInvariant(
                f"log column '{column}' must be an Enum in the order of the ladder, got {log.schema[column]}"
            )
    text = [
        pl.col(name).cast(pl.Enum(log[name].unique().drop_nulls().sort()))
        for name in NAMES
        if log.schema[name] == pl.String
    ]
    prepared = log.with_columns(text).with_columns(pl.col("stay_start").fill_nan(None))
    return prepared.sort(PERSON, maintain_order=True) if prepared["strategy"].n_unique() > 1 else prepared


def differs(*columns: str) -> pl.Expr:
    """Whether a row differs from the row before in any of these columns; the first row does."""
    return pl.any_horizontal([pl.col(name).ne_missing(pl.col(name).shift()) for name in columns]) | (
        pl.int_range(pl.len()) == 0
    )


def level(column: str) -> pl.Expr:
    """A tier or a level of need as a number, 0 for independence."""
    return pl.col(column).to_physical().cast(pl.Int16)


def need_levels_of(frame: pl.DataFrame) -> int:
    """How many levels of need there are; tiers from this number on are short-term."""
    return len(frame.schema["need"].categories)  # type: ignore[attr-defined]


def states(log: pl.DataFrame, days: float) -> pl.DataFrame:
    """Each row of the log as the interval [time, until) in which the client's state stays the same.

    ``until`` is the time of the client's next row, or the horizon ``days``. Rows after which the client is gone
    (death, left) give no interval. Columns: strategy, replication, client, time, until, then the state; ``queueing`` is
    whether the client waits for a place, in a service or not. Raises BrokenInvariant for times outside the run.

    >>> from simcare.log.by_hand import log_of
    >>> care = {"need": "community", "tier": "community", "service": "care", "provider": "p", "stay_start": 0}
    >>> log = log_of([
    ...     {"event": "arrival", "cause": "direct", "need": "community"},
    ...     {"event": "start", "cause": "direct", **care},
    ...     {"event": "left", "time": 9.5, **care},
    ... ], ["independent", "community"])
    >>> states(log, 30.0).select("time", "until", "tier").rows()
    [(0.0, 0.0, 'independent'), (0.0, 9.5, 'community')]
    """
    rows = prepare(log)
    outside = rows.filter(~pl.col("time").is_between(0.0, days))
    if outside.height:
        raise BrokenInvariant(
            f"client {outside['client'][0]}: a row of the log at day {outside['time'][0]:g}, outside the run of"
            f" {days:g} days"
        )
    last = differs(*PERSON).shift(-1).fill_null(True)
    until = pl.when(last).then(days).otherwise(pl.col("time").shift(-1)).alias("until")
    state = ("need", "waiting", "stay_start", "induced", "hospital", "spot")
    shown = rows.select(*PERSON, "time", until, *PLACE, *state, queueing(rows), "event")
    return shown.filter(~pl.col("event").is_in(GONE)).drop("event")


def queueing(log: pl.DataFrame) -> pl.Expr:
    """Whether the client waits for a place after each row: in the queue since ``queued``, whatever else happens, until
    it ends."""
    event = pl.col("event")
    if not (log["event"] == "queued").any():
        return pl.lit(False).alias("queueing")
    joined = pl.when(event == "queued").then(True).when(event.is_in(ENDS_QUEUE) | differs(*PERSON)).then(False)
    return joined.forward_fill().alias("queueing")


def begins_stay() -> pl.Expr:
    """Whether a state begins a stay: in a service, and not the stay of the row before."""
    return pl.col("service").is_not_null() & differs(*PERSON, "service", "provider", "stay_start")


def _count_since(what: pl.Expr, begin: pl.Expr) -> pl.Expr:
    """How many rows up to this one are ``what``, counted from the last row that is ``begin`` (itself included)."""
    one = what.cast(pl.Int64)
    return one.cum_sum() - pl.when(begin).then(one.cum_sum() - one).forward_fill()


def provision(states: pl.DataFrame) -> pl.DataFrame:
    """How care meets need in each state. Adds these columns:

    - ``served``: in a service. ``long_term``: in a service that is not short-term.
    - ``gap``: tier minus need; 0 in a short-term service, which meets any need, and 0 in hospital.
    - ``over``: gap ≥ 1 in a long-term service (ready to step down). ``under``: in a service with gap < 0.
    - ``excess``: ``over`` now or earlier in this stay; from first readiness on every day of the stay is excess,
      even if need has risen again meanwhile. Someone ready on day 0 counts from day 0.
    - ``unmet``: need of level 1 or more, in no service and not in hospital.
    - ``independent``: at home with need met: in no service, not in hospital, and in need of none. Whoever is in the
      log is known: in care or at home on day 0, or referred since.
    - ``induced_need``: some level of the present need was induced by provision (in a service or not).
    - ``referred``: waiting and not yet served. ``transfer``: served, and queueing for another place.
    - ``treated``, ``delayed``: in hospital, the latter ready to leave; the place in care, if any, is kept meanwhile.

    >>> from simcare.log.by_hand import log_of
    >>> care = {"tier": "community", "service": "care", "provider": "p", "stay_start": -10}
    >>> log = log_of([
    ...     {"event": "present", "need": "community", **care},
    ...     {"event": "fall", "time": 5, **care},
    ...     {"event": "end", "time": 8},
    ... ], ["independent", "community"])
    >>> provision(states(log, 30.0)).select("time", "gap", "over", "independent").rows()
    [(0.0, 0, False, False), (5.0, 1, True, False), (8.0, 0, False, True)]
    """
    served, ladder = pl.col("service").is_not_null(), level("tier") < need_levels_of(states)
    away = pl.col("hospital") != "no"
    gap = pl.when((served & ~ladder) | away).then(0).otherwise(level("tier") - level("need")).cast(pl.Int16)
    known = states.with_columns(served.alias("served"), (served & ladder).alias("long_term"), gap.alias("gap"))
    known = known.with_columns((pl.col("long_term") & (pl.col("gap") >= 1)).alias("over"))
    return known.with_columns(
        (pl.col("served") & (pl.col("gap") < 0)).alias("under"),
        (pl.col("long_term") & (_count_since(pl.col("over"), begins_stay()) > 0)).alias("excess"),
        (~pl.col("served") & ~away & (level("need") >= 1)).alias("unmet"),
        (~pl.col("served") & ~away & (level("need") == 0)).alias("independent"),
        (pl.col("induced") > 0).alias("induced_need"),
        (pl.col("waiting") & ~pl.col("served")).alias("referred"),
        (pl.col("queueing") & pl.col("served")).alias("transfer"),
        (pl.col("hospital") == "treated").alias("treated"),
        (pl.col("hospital") == "ready").alias("delayed"),
    )


def stays(states: pl.DataFrame) -> pl.DataFrame:
    """Whole stays, one row for each: a client in one service of one provider since ``stay_start``.

    Columns: strategy, replication, client, area, stage, group (at its beginning), tier, service, provider,
    ``stay_start``, and the part within the run [time, until). A stay whose ``until`` is the horizon is still open.

    >>> from simcare.log.by_hand import log_of
    >>> care = {"need": "community", "tier": "community", "service": "care", "provider": "p", "stay_start": -10}
    >>> rows = [{"event": "present", **care}, {"event": "review", "time": 7, **care}, {"event": "end", "time": 9}]
    >>> log = log_of(rows, ["independent", "community"])
    >>> stays(states(log, 30.0)).select("stay_start", "time", "until").rows()
    [(-10.0, 0.0, 9.0)]
    """
    served = states.with_columns(begins_stay().alias("begins")).filter(pl.col("service").is_not_null())
    last = pl.col("begins").shift(-1).fill_null(True)
    ends = served.filter(last)["until"]
    begun = served.filter("begins").select(*PERSON, *PLACE, "stay_start", "time")
    return begun.with_columns(ends.alias("until"))
