"""What happens between states: waits, and moves between tiers."""

from __future__ import annotations

import polars as pl

from simcare.log.periods import first_years, year_names
from simcare.log.states import ENDS_QUEUE, GONE, PERSON, PLACE, differs, prepare
from simcare.model import Model

GONE_TIER = "gone"  # where those go, in moves between tiers, who die or leave
NOT_BY_CHOICE = ("handover", "reneged")  # a stay that ends so was not stepped down


def with_before(log: pl.DataFrame) -> pl.DataFrame:
    """Each row of the log with the place the client was in before it: ``from_area`` … ``from_provider``, null in a
    client's first row."""
    first = differs(*PERSON)
    return log.with_columns([pl.when(~first).then(pl.col(name).shift()).alias(f"from_{name}") for name in PLACE])


def is_event(*events: str) -> pl.Expr:
    """Whether a row of the log is one of some events."""
    return pl.col("event").is_in(events)


def event_rows(log: pl.DataFrame, *events: str) -> pl.DataFrame:
    """The rows of some events; none if the first of them never happens."""
    found = log.filter(is_event(*events))
    return found if (found["event"] == events[0]).any() else found.clear()


def queue_waits(log: pl.DataFrame) -> pl.DataFrame:
    """Each joining of the queue for a place and how it ended, as :func:`referral_waits` has it of referrals, with
    ``class`` for the cause.

    Columns: strategy, replication, client, area, stage, group, class, time, until, outcome, days.
    ``outcome`` is what ended the wait: start, move or kept with a place; withdrawn, end, diverted, displaced, death or
    left without; queued where the client joined anew, in another class or queue. It, ``until`` and ``days`` are null
    for those who still wait when the log ends.

    >>> from simcare.log.by_hand import log_of
    >>> log = log_of([
    ...     {"event": "referral", "cause": "new", "need": "community", "waiting": True},
    ...     {"event": "queued", "cause": "community", "need": "community", "waiting": True, "time": 21},
    ...     {"event": "withdrawn", "cause": "reneged", "need": "community", "time": 90},
    ... ], ["independent", "community"])
    >>> queue_waits(log).select("class", "time", "until", "outcome", "days").rows()
    [('community', 21.0, 90.0, 'withdrawn', 69.0)]
    """
    return _until_next(event_rows(prepare(log), "queued", *ENDS_QUEUE), "queued").rename({"cause": "class"})


def _until_next(turns: pl.DataFrame, event: str) -> pl.DataFrame:
    """Each row of an event with the time and event of the client's next row."""
    more = ~differs(*PERSON).shift(-1).fill_null(True)
    following = turns.with_columns(
        pl.when(more).then(pl.col("time").shift(-1)).alias("until"),
        pl.when(more).then(pl.col("event").cast(pl.String).shift(-1)).alias("outcome"),
    )
    known = (*PERSON, "area", "stage", "group", "cause", "time", "until", "outcome")
    return following.filter(is_event(event)).select(*known, (pl.col("until") - pl.col("time")).alias("days"))


def referral_waits(log: pl.DataFrame) -> pl.DataFrame:
    """Each referral and how long it waited. Columns: strategy, replication, client, area, stage, group, cause, time,
    until, outcome, days.

    ``outcome`` is what ended the wait: start, diverted, withdrawn, admitted (to hospital, on the way out of which they
    are seen anew), death or left; it, ``until`` and ``days`` are null for those who still wait when the log ends.

    >>> from simcare.log.by_hand import log_of
    >>> log = log_of([
    ...     {"event": "referral", "cause": "new", "need": "community", "waiting": True},
    ...     {"event": "assessed", "cause": "assessment", "need": "community", "time": 21},
    ...     {"event": "diverted", "cause": "not_in_need", "need": "community", "time": 21},
    ... ], ["independent", "community"])
    >>> referral_waits(log).select("time", "until", "outcome", "days").rows()
    [(0.0, 21.0, 'diverted', 21.0)]
    """
    return _until_next(
        event_rows(prepare(log), "referral", "start", "diverted", "withdrawn", "admitted", *GONE), "referral"
    )


def flows_between(log: pl.DataFrame, model: Model | None = None) -> pl.DataFrame:
    """Moves of people from tier to tier, as for a Sankey diagram.

    Columns: strategy, replication, financial_year, stage, group (those before the move), from_tier, to_tier, moves (how
    many). Independence is the lowest tier; who dies or leaves goes to "gone". Moves within a tier (to another provider)
    are left out, and so are first appearances, which come from nowhere. Without a model, whose start dates the days,
    ``financial_year`` is null.

    >>> from simcare.log.by_hand import log_of
    >>> care = {"need": "community", "tier": "community", "service": "care", "provider": "p", "stay_start": -9}
    >>> events = [{"event": "present", **care}, {"event": "end", "time": 5}, {"event": "death", "time": 8}]
    >>> log = log_of(events, ["independent", "community"])
    >>> flows_between(log).select("financial_year", "from_tier", "to_tier", "moves").rows()
    [(None, 'independent', 'gone', 1), (None, 'community', 'independent', 1)]
    """
    moved = is_event("start", "move", "end") & (pl.col("tier") != pl.col("from_tier"))
    to = pl.when(is_event(*GONE)).then(pl.lit(GONE_TIER)).otherwise(pl.col("tier").cast(pl.String)).alias("to_tier")
    rows = with_before(prepare(log)).filter(pl.col("from_tier").is_not_null() & (moved | is_event(*GONE)))
    whom = [pl.col(f"from_{name}").cast(pl.String).alias(name) for name in ("stage", "group")]
    named = rows.select(
        pl.col("strategy").cast(pl.String), "replication", _financial_year(model), *whom, "from_tier", to
    )
    counted = named.group_by(named.columns).agg(pl.len().cast(pl.Int64).alias("moves"))
    return counted.sort(named.columns).with_columns(pl.col("from_tier").cast(pl.String))


def _financial_year(model: Model | None) -> pl.Expr:
    """The financial year of ``time``, counted in days from the start of the model."""
    if model is None:
        return pl.lit(None, dtype=pl.String).alias("financial_year")
    day = pl.lit(model.about.start) + pl.duration(days=pl.col("time").floor().cast(pl.Int64))
    return year_names(first_years(day)).alias("financial_year")
