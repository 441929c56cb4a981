"""The events that measures count, read off a log."""

from __future__ import annotations

import polars as pl

from simcare.log.flows import NOT_BY_CHOICE, event_rows, is_event, with_before
from simcare.log.states import ENDS_QUEUE, GONE, PERSON, PLACE, RUN, differs, level, need_levels_of, prepare
from simcare.measures.catalogue import names_from
from simcare.rules.codes import CAUSES, WAITING_CAUSES, WAITING_CLASSES

RE_REFERRAL_DAYS = (91, 365)
READMISSION_DAYS = 91
COUNTED = pl.Enum(names_from("events"))


def counted_events(log: pl.DataFrame) -> pl.DataFrame:
    """Every event that a measure counts, one row for each. Columns: strategy, replication, place (area … provider),
    time, measure, value.

    ``value`` is 1, but for ``waited_days`` the days.

    - ``entries``: from no service into one (start). ``exits``: out of care from a service (end, death, left). Moves are
      neither.
    - ``step_ups``: a move to a higher tier between long-term tiers, or into a short-term tier from elsewhere, by move
      or start; ``step_up_starts`` are the latter alone. ``step_downs``: a move to a lower tier between long-term tiers,
      or an end from any service. A move out of a short-term tier is neither: there is no level to compare with.
    - ``provider_step_downs``: those of a provider's own accord; ``premature_releases``: let go too soon by a provider;
      ``readmissions_91``: back in the tier last stepped down from, or above, within 91 days of it.
    - ``people_known``: the first that is known of a person, on day 0 or since. ``referrals`` (all causes),
      ``re_referrals_91`` and ``re_referrals_365``: within so many days of the same person's previous referral (the
      Department for Education counts 12 months); ``diverted``; ``assessments`` (at the front door and at the end of a
      short-term stay); ``reviews``; ``crises``.
    - ``deaths`` and ``leavers``, in a service or not; ``admissions`` to hospital.
    - ``queued``: joined the queue for a place; ``reneged``: out of patience, whether they waited for a place or for an
      assessment; ``placed_crisis``, ``_hospital``, ``_community``, ``_planned`` and ``_displaced`` (the place was cut):
      places granted from the queue (by start, move, or kept), by the class in which they last joined;
      ``waited_days_crisis`` …: the days these had waited since, so that the mean wait is waited_days ÷ placed. Who is
      served at once never queued, and is in neither.
    - ``spot_purchases``: a start or move into a place bought beyond the number; ``displaced``: the place was cut.
    - ``supported_transitions`` and ``unsupported_transitions``, when a service is outgrown, at that service.

    What is gained is credited to where people arrive (entries, step-ups, places), what is left to where they were
    (exits, step-downs, deaths, leavers), all else to where the client is after the event.

    >>> from simcare.log.by_hand import log_of
    >>> care = {"need": "community", "tier": "community", "service": "care", "provider": "p", "stay_start": 3}
    >>> log = log_of([
    ...     {"event": "referral", "cause": "new", "need": "community"},
    ...     {"event": "start", "cause": "assessment", "time": 3, **care},
    ...     {"event": "end", "time": 9},
    ... ], ["independent", "community"])
    >>> rows = counted_events(log).select("time", "measure", "service").rows()
    >>> rows[:3]
    [(3.0, 'entries', 'care'), (9.0, 'exits', 'care'), (9.0, 'step_downs', 'care')]
    >>> rows[3:]
    [(0.0, 'referrals', None), (0.0, 'people_known', None)]
    """
    log = prepare(log)
    rows = with_before(log)
    parts = [_taken(rows.filter(what), name, before) for name, (what, before) in _rules(need_levels_of(rows)).items()]
    return pl.concat([*parts, *_re_referrals(rows), *_readmissions(rows), *_placed(log)])


def _rules(need_levels: int) -> dict[str, tuple[pl.Expr, bool]]:
    """For each measure: which rows count, and whether for the place before the event."""
    moved, left = is_event("move"), is_event(*GONE)
    was_served = pl.col("from_service").is_not_null()
    was_short = was_served & (level("from_tier") >= need_levels)
    is_short = pl.col("service").is_not_null() & (level("tier") >= need_levels)
    rung_to_rung = moved & ~was_short & ~is_short
    into_short = is_event("move", "start") & is_short & ~was_short
    return {
        "entries": (is_event("start"), False),
        "exits": (is_event("end") | (left & was_served), True),
        "step_ups": ((rung_to_rung & (level("tier") > level("from_tier"))) | into_short, False),
        "step_up_starts": (into_short, False),
        "step_downs": ((rung_to_rung & (level("tier") < level("from_tier"))) | is_event("end"), True),
        "provider_step_downs": (is_event("move", "end") & (pl.col("cause") == "step_down"), True),
        "premature_releases": (is_event("move", "end") & (pl.col("cause") == "premature"), True),
        "crises": (is_event("crisis"), False),
        "referrals": (is_event("referral"), False),
        "people_known": (pl.col("from_stage").is_null(), False),
        "diverted": (is_event("diverted"), False),
        "assessments": (is_event("assessed"), False),
        "reviews": (is_event("review"), False),
        "deaths": (is_event("death"), True),
        "leavers": (is_event("left"), True),
        "queued": (is_event("queued"), False),
        "reneged": (is_event("withdrawn") & (pl.col("cause") == "reneged"), False),
        "spot_purchases": (is_event("start", "move") & pl.col("spot"), False),
        "displaced": (is_event("displaced"), False),
        "admissions": (is_event("admitted"), False),
        "supported_transitions": (is_event("transition") & (pl.col("cause") == "supported"), False),
        "unsupported_transitions": (is_event("transition") & (pl.col("cause") == "unsupported"), False),
    }


def _taken(rows: pl.DataFrame, measure: str, before: bool = False, value: pl.Expr | None = None) -> pl.DataFrame:
    place = [pl.col(f"from_{name}").alias(name) if before else pl.col(name) for name in PLACE]
    amount = pl.lit(1.0) if value is None else value
    return rows.select(*RUN, *place, "time", pl.lit(measure, dtype=COUNTED).alias("measure"), amount.alias("value"))


def _readmissions(rows: pl.DataFrame) -> list[pl.DataFrame]:
    """Back in the tier last stepped down from, or above, within so many days of it."""
    long_term = pl.col("from_service").is_not_null() & (level("from_tier") < need_levels_of(rows))
    lower = (is_event("move") & (level("tier") < level("from_tier"))) | is_event("end")
    stepped = long_term & lower & ~pl.col("cause").is_in(NOT_BY_CHOICE)
    first = differs(*PERSON)
    need_level = (
        pl.when(stepped).then(level("from_tier")).when(first).then(-1).forward_fill().shift().alias("need_level")
    )
    since = (
        pl.when(stepped).then(pl.col("time")).when(first).then(-float("inf")).forward_fill().shift().alias("stepped_at")
    )
    known = rows.with_columns(need_level, since).filter(is_event("start", "move") & ~first)
    back = (
        (pl.col("need_level") >= 0)
        & (level("from_tier") < pl.col("need_level"))
        & (level("tier") >= pl.col("need_level"))
    )
    return [_taken(known.filter(back & (pl.col("time") - pl.col("stepped_at") <= READMISSION_DAYS)), "readmissions_91")]


def _re_referrals(rows: pl.DataFrame) -> list[pl.DataFrame]:
    since = pl.when(~differs(*PERSON)).then(pl.col("time") - pl.col("time").shift()).alias("since")
    referred = rows.filter(is_event("referral")).with_columns(since)
    return [_taken(referred.filter(pl.col("since") <= days), f"re_referrals_{days}") for days in RE_REFERRAL_DAYS]


def _placed(log: pl.DataFrame) -> list[pl.DataFrame]:
    """Places granted from the queue, and the days waited for them, by class."""
    turns = event_rows(log, "queued", *ENDS_QUEUE)
    same = ~differs(*PERSON) & (pl.col("event").shift() == "queued")
    waited = turns.with_columns(
        pl.when(same).then(pl.col("cause").shift()).alias("class"),
        (pl.col("time") - pl.col("time").shift()).alias("waited"),
    )
    granted = waited.filter(is_event("start", "move", "kept") & pl.col("class").is_not_null())
    parts = []
    for name, cause in zip(WAITING_CLASSES, WAITING_CAUSES, strict=True):
        mine = granted.filter(pl.col("class") == CAUSES[cause])
        parts += [_taken(mine, f"placed_{name}"), _taken(mine, f"waited_days_{name}", value=pl.col("waited"))]
    return parts
