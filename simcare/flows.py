"""What happens between states: events counted by measure, waits, and moves between tiers."""

from __future__ import annotations

import polars as pl

from simcare.model import Model
from simcare.periods import YEAR_STARTS_IN
from simcare.states import GONE, PERSON, PLACE, RUN, differs, level, prepare, rungs_of

RE_REFERRAL_DAYS = (91, 365)
COUNTED = pl.Enum(
    ["entries", "exits", "step_ups", "step_up_starts", "step_downs", "crises", "referrals", "re_referrals_91", "re_referrals_365", "diverted",
     "assessments", "reviews", "deaths", "leavers"]
)  # fmt: skip


def with_before(log: pl.DataFrame) -> pl.DataFrame:
    """Each row of the log with the place the client was in before it: ``from_area`` … ``from_provider``, null in a client's first row."""
    first = differs(*PERSON)
    return log.with_columns([pl.when(~first).then(pl.col(name).shift()).alias(f"from_{name}") for name in PLACE])


def flows(log: pl.DataFrame) -> pl.DataFrame:
    """Every event that a measure counts, one row for each. Columns: strategy, replication, place (area … provider), time, measure.

    - ``entries``: from no service into one (start). ``exits``: out of care from a service (end, death, left). Moves are neither.
    - ``step_ups``: a move to a higher rung between long-term tiers, or into a short-term tier from elsewhere, by move or
      start; ``step_up_starts`` are the latter alone. ``step_downs``: a move to a lower rung between long-term tiers, or
      an end from any service. A move out of a short-term tier is neither: there is no rung to compare with.
    - ``referrals`` (all causes), ``re_referrals_91`` and ``re_referrals_365``: within so many days of the same person's
      previous referral (the Department for Education counts 12 months); ``diverted``; ``assessments`` (at the front door
      and at the end of a short-term stay); ``reviews``; ``crises``.
    - ``deaths`` and ``leavers``, in a service or not.

    What is gained is credited to where people arrive (entries, step-ups), what is left to where they were (exits,
    step-downs, deaths, leavers), all else to where the client is after the event.

    >>> from simcare.handmade import log_of
    >>> care = {"need": "community", "tier": "community", "service": "care", "provider": "p", "stay_start": 3}
    >>> log = log_of([
    ...     {"event": "referral", "cause": "new", "need": "community"},
    ...     {"event": "start", "cause": "assessment", "time": 3, **care},
    ...     {"event": "end", "time": 9},
    ... ], ["independent", "community"])
    >>> flows(log).select("time", "measure", "service").rows()
    [(3.0, 'entries', 'care'), (9.0, 'exits', 'care'), (9.0, 'step_downs', 'care'), (0.0, 'referrals', None)]
    """
    rows = with_before(prepare(log))
    parts = [_taken(rows.filter(what), name, before) for name, (what, before) in _rules(rungs_of(rows)).items()]
    return pl.concat([*parts, *_re_referrals(rows)])


def _rules(rungs: int) -> dict[str, tuple[pl.Expr, bool]]:
    """For each measure: which rows count, and whether for the place before the event."""
    moved, left = _is("move"), _is(*GONE)
    was_served = pl.col("from_service").is_not_null()
    was_short = was_served & (level("from_tier") >= rungs)
    is_short = pl.col("service").is_not_null() & (level("tier") >= rungs)
    rung_to_rung = moved & ~was_short & ~is_short
    into_short = _is("move", "start") & is_short & ~was_short
    return {
        "entries": (_is("start"), False),
        "exits": (_is("end") | (left & was_served), True),
        "step_ups": ((rung_to_rung & (level("tier") > level("from_tier"))) | into_short, False),
        "step_up_starts": (into_short, False),
        "step_downs": ((rung_to_rung & (level("tier") < level("from_tier"))) | _is("end"), True),
        "crises": (_is("crisis"), False),
        "referrals": (_is("referral"), False),
        "diverted": (_is("diverted"), False),
        "assessments": (_is("assessed"), False),
        "reviews": (_is("review"), False),
        "deaths": (_is("death"), True),
        "leavers": (_is("left"), True),
    }


def _is(*events: str) -> pl.Expr:
    return pl.col("event").is_in(events)


def _taken(rows: pl.DataFrame, measure: str, before: bool) -> pl.DataFrame:
    place = [pl.col(f"from_{name}").alias(name) if before else pl.col(name) for name in PLACE]
    return rows.select(*RUN, *place, "time", pl.lit(measure, dtype=COUNTED).alias("measure"))


def _re_referrals(rows: pl.DataFrame) -> list[pl.DataFrame]:
    since = pl.when(~differs(*PERSON)).then(pl.col("time") - pl.col("time").shift()).alias("since")
    referred = rows.filter(_is("referral")).with_columns(since)
    return [_taken(referred.filter(pl.col("since") <= days), f"re_referrals_{days}", before=False) for days in RE_REFERRAL_DAYS]


def waits(log: pl.DataFrame) -> pl.DataFrame:
    """Each referral and how long it waited. Columns: strategy, replication, client, area, stage, group, cause, time, until, outcome, days.

    ``outcome`` is what ended the wait: start, diverted, death or left; it, ``until`` and ``days`` are null for those
    who still wait when the log ends.

    >>> from simcare.handmade import log_of
    >>> log = log_of([
    ...     {"event": "referral", "cause": "new", "need": "community", "waiting": True},
    ...     {"event": "assessed", "cause": "assessment", "need": "community", "time": 21},
    ...     {"event": "diverted", "cause": "not_in_need", "need": "community", "time": 21},
    ... ], ["independent", "community"])
    >>> waits(log).select("time", "until", "outcome", "days").rows()
    [(0.0, 21.0, 'diverted', 21.0)]
    """
    turns = prepare(log).filter(_is("referral", "start", "diverted", *GONE))
    ended = ~differs(*PERSON).shift(-1).fill_null(True)
    following = turns.with_columns(
        pl.when(ended).then(pl.col("time").shift(-1)).alias("until"),
        pl.when(ended).then(pl.col("event").cast(pl.String).shift(-1)).alias("outcome"),
    )
    known = (*PERSON, "area", "stage", "group", "cause", "time", "until", "outcome")
    return following.filter(_is("referral")).select(*known, (pl.col("until") - pl.col("time")).alias("days"))


def flows_between(log: pl.DataFrame, model: Model | None = None) -> pl.DataFrame:
    """Moves of people from tier to tier, as for a Sankey diagram.

    Columns: strategy, replication, financial_year, from_tier, to_tier, moves (how many). Independence is the lowest
    tier; who dies or leaves goes to "gone". Moves within a tier (to another provider) are left out, and so are first
    appearances, which come from nowhere. Without a model, whose start dates the days, ``financial_year`` is null.

    >>> from simcare.handmade import log_of
    >>> care = {"need": "community", "tier": "community", "service": "care", "provider": "p", "stay_start": -9}
    >>> log = log_of([{"event": "present", **care}, {"event": "end", "time": 5}, {"event": "death", "time": 8}], ["independent", "community"])
    >>> flows_between(log).select("financial_year", "from_tier", "to_tier", "moves").rows()
    [(None, 'independent', 'gone', 1), (None, 'community', 'independent', 1)]
    """
    moved = _is("start", "move", "end") & (pl.col("tier") != pl.col("from_tier"))
    to = pl.when(_is(*GONE)).then(pl.lit("gone")).otherwise(pl.col("tier").cast(pl.String)).alias("to_tier")
    rows = with_before(prepare(log)).filter(pl.col("from_tier").is_not_null() & (moved | _is(*GONE)))
    named = rows.select(pl.col("strategy").cast(pl.String), "replication", _financial_year(model), "from_tier", to)
    counted = named.group_by(named.columns).agg(pl.len().cast(pl.Int64).alias("moves"))
    return counted.sort(named.columns).with_columns(pl.col("from_tier").cast(pl.String))


def _financial_year(model: Model | None) -> pl.Expr:
    """The financial year of ``time``, counted in days from the start of the model."""
    if model is None:
        return pl.lit(None, dtype=pl.String).alias("financial_year")
    day = pl.lit(model.about.start) + pl.duration(days=pl.col("time").floor().cast(pl.Int64))
    first = day.dt.year() - (day.dt.month() < YEAR_STARTS_IN).cast(pl.Int32)
    return pl.format("{}/{}", first, ((first + 1) % 100).cast(pl.String).str.zfill(2)).alias("financial_year")
