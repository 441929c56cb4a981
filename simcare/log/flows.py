"""What happens between states: events counted by measure, waits, and moves between tiers."""

from __future__ import annotations

import polars as pl

from simcare.log.periods import first_years, year_names
from simcare.log.states import ENDS_QUEUE, GONE, PERSON, PLACE, RUN, differs, level, prepare, rungs_of
from simcare.model import Model
from simcare.rules.codes import CLASSES

RE_REFERRAL_DAYS = (91, 365)
READMISSION_DAYS = 91
GONE_TIER = "gone"  # where those go, in moves between tiers, who die or leave
NOT_BY_CHOICE = ("handover", "reneged")  # a stay that ends so was not stepped down
COUNTED = pl.Enum([
    "entries", "exits", "step_ups", "step_up_starts", "step_downs", "crises", "referrals", "re_referrals_91",
    "re_referrals_365", "diverted", "assessments", "reviews", "deaths", "leavers", "queued", "reneged",
    "spot_purchases", "displaced", "admissions", "supported_transitions", "unsupported_transitions",
    "provider_step_downs", "premature_releases", "readmissions_91", *(f"placed_{name}" for name in CLASSES),
    *(f"waited_days_{name}" for name in CLASSES)
])  # fmt: skip


def with_before(log: pl.DataFrame) -> pl.DataFrame:
    """Each row of the log with the place the client was in before it: ``from_area`` … ``from_provider``, null in a
    client's first row."""
    first = differs(*PERSON)
    return log.with_columns([pl.when(~first).then(pl.col(name).shift()).alias(f"from_{name}") for name in PLACE])


def flows(log: pl.DataFrame) -> pl.DataFrame:
    """Every event that a measure counts, one row for each. Columns: strategy, replication, place (area … provider),
    time, measure, value.

    ``value`` is 1, but for ``waited_days`` the days.

    - ``entries``: from no service into one (start). ``exits``: out of care from a service (end, death, left). Moves are
      neither.
    - ``step_ups``: a move to a higher rung between long-term tiers, or into a short-term tier from elsewhere, by move
      or start; ``step_up_starts`` are the latter alone. ``step_downs``: a move to a lower rung between long-term tiers,
      or an end from any service. A move out of a short-term tier is neither: there is no rung to compare with.
    - ``provider_step_downs``: those of a provider's own accord; ``premature_releases``: let go too soon by a provider;
      ``readmissions_91``: back on the rung last stepped down from, or above, within 91 days of it.
    - ``referrals`` (all causes), ``re_referrals_91`` and ``re_referrals_365``: within so many days of the same person's
      previous referral (the Department for Education counts 12 months); ``diverted``; ``assessments`` (at the front
      door and at the end of a short-term stay); ``reviews``; ``crises``.
    - ``deaths`` and ``leavers``, in a service or not; ``admissions`` to hospital.
    - ``queued``: joined the queue for a place; ``reneged``: out of patience, whether they waited for a place or for an
      assessment; ``placed_crisis``, ``_hospital``, ``_community`` and ``_planned``: places granted from the queue (by
      start, move, or kept), by the class in which they last joined; ``waited_days_crisis`` …: the days these had waited
      since, so that the mean wait is waited_days ÷ placed. Who is served at once never queued, and is in neither.
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
    >>> flows(log).select("time", "measure", "service").rows()
    [(3.0, 'entries', 'care'), (9.0, 'exits', 'care'), (9.0, 'step_downs', 'care'), (0.0, 'referrals', None)]
    """
    log = prepare(log)
    rows = with_before(log)
    parts = [_taken(rows.filter(what), name, before) for name, (what, before) in _rules(rungs_of(rows)).items()]
    return pl.concat([*parts, *_re_referrals(rows), *_readmissions(rows), *_placed(log)])


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
        "provider_step_downs": (_is("move", "end") & (pl.col("cause") == "step_down"), True),
        "premature_releases": (_is("move", "end") & (pl.col("cause") == "premature"), True),
        "crises": (_is("crisis"), False),
        "referrals": (_is("referral"), False),
        "diverted": (_is("diverted"), False),
        "assessments": (_is("assessed"), False),
        "reviews": (_is("review"), False),
        "deaths": (_is("death"), True),
        "leavers": (_is("left"), True),
        "queued": (_is("queued"), False),
        "reneged": (_is("withdrawn") & (pl.col("cause") == "reneged"), False),
        "spot_purchases": (_is("start", "move") & pl.col("spot"), False),
        "displaced": (_is("displaced"), False),
        "admissions": (_is("admitted"), False),
        "supported_transitions": (_is("transition") & (pl.col("cause") == "supported"), False),
        "unsupported_transitions": (_is("transition") & (pl.col("cause") == "unsupported"), False),
    }


def _is(*events: str) -> pl.Expr:
    return pl.col("event").is_in(events)


def _taken(rows: pl.DataFrame, measure: str, before: bool = False, value: pl.Expr | None = None) -> pl.DataFrame:
    place = [pl.col(f"from_{name}").alias(name) if before else pl.col(name) for name in PLACE]
    amount = pl.lit(1.0) if value is None else value
    return rows.select(*RUN, *place, "time", pl.lit(measure, dtype=COUNTED).alias("measure"), amount.alias("value"))


def _readmissions(rows: pl.DataFrame) -> list[pl.DataFrame]:
    """Back on the rung last stepped down from, or above, within so many days of it."""
    long_term = pl.col("from_service").is_not_null() & (level("from_tier") < rungs_of(rows))
    lower = (_is("move") & (level("tier") < level("from_tier"))) | _is("end")
    stepped = long_term & lower & ~pl.col("cause").is_in(NOT_BY_CHOICE)
    first = differs(*PERSON)
    rung = pl.when(stepped).then(level("from_tier")).when(first).then(-1).forward_fill().shift().alias("rung")
    since = (
        pl.when(stepped).then(pl.col("time")).when(first).then(-float("inf")).forward_fill().shift().alias("stepped_at")
    )
    known = rows.with_columns(rung, since).filter(_is("start", "move") & ~first)
    back = (pl.col("rung") >= 0) & (level("from_tier") < pl.col("rung")) & (level("tier") >= pl.col("rung"))
    return [_taken(known.filter(back & (pl.col("time") - pl.col("stepped_at") <= READMISSION_DAYS)), "readmissions_91")]


def _re_referrals(rows: pl.DataFrame) -> list[pl.DataFrame]:
    since = pl.when(~differs(*PERSON)).then(pl.col("time") - pl.col("time").shift()).alias("since")
    referred = rows.filter(_is("referral")).with_columns(since)
    return [_taken(referred.filter(pl.col("since") <= days), f"re_referrals_{days}") for days in RE_REFERRAL_DAYS]


def _placed(log: pl.DataFrame) -> list[pl.DataFrame]:
    """Places granted from the queue, and the days waited for them, by class."""
    turns = _turns(log, "queued", *ENDS_QUEUE)
    same = ~differs(*PERSON) & (pl.col("event").shift() == "queued")
    waited = turns.with_columns(
        pl.when(same).then(pl.col("cause").shift()).alias("class"),
        (pl.col("time") - pl.col("time").shift()).alias("waited"),
    )
    granted = waited.filter(_is("start", "move", "kept") & pl.col("class").is_not_null())
    parts = []
    for name in CLASSES:
        mine = granted.filter(pl.col("class") == name)
        parts += [_taken(mine, f"placed_{name}"), _taken(mine, f"waited_days_{name}", value=pl.col("waited"))]
    return parts


def _turns(log: pl.DataFrame, *events: str) -> pl.DataFrame:
    """The rows of some events; none if the first of them never happens."""
    found = log.filter(_is(*events))
    return found if (found["event"] == events[0]).any() else found.clear()


def queue_waits(log: pl.DataFrame) -> pl.DataFrame:
    """Each joining of the queue for a place and how it ended, as :func:`referral_waits` has it of referrals, with ``class`` for
    the cause.

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
    return _until_next(_turns(prepare(log), "queued", *ENDS_QUEUE), "queued").rename({"cause": "class"})


def _until_next(turns: pl.DataFrame, event: str) -> pl.DataFrame:
    """Each row of an event with the time and event of the client's next row."""
    more = ~differs(*PERSON).shift(-1).fill_null(True)
    following = turns.with_columns(
        pl.when(more).then(pl.col("time").shift(-1)).alias("until"),
        pl.when(more).then(pl.col("event").cast(pl.String).shift(-1)).alias("outcome"),
    )
    known = (*PERSON, "area", "stage", "group", "cause", "time", "until", "outcome")
    return following.filter(_is(event)).select(*known, (pl.col("until") - pl.col("time")).alias("days"))


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
        _turns(prepare(log), "referral", "start", "diverted", "withdrawn", "admitted", *GONE), "referral"
    )


def flows_between(log: pl.DataFrame, model: Model | None = None) -> pl.DataFrame:
    """Moves of people from tier to tier, as for a Sankey diagram.

    Columns: strategy, replication, financial_year, stage, group (those before the move), from_tier, to_tier, moves (how
    many). Independence is the lowest tier; who dies or leaves goes to "gone". Moves within a tier (to another provider)
    are left out, and so are first appearances, which come from nowhere. Without a model, whose start dates the days,
    ``financial_year`` is null.

    >>> from simcare.log.by_hand import log_of
    >>> care = {"need": "community", "tier": "community", "service": "care", "provider": "p", "stay_start": -9}
    >>> log = log_of([{"event": "present", **care}, {"event": "end", "time": 5}, {"event": "death", "time": 8}], ["independent", "community"])
    >>> flows_between(log).select("financial_year", "from_tier", "to_tier", "moves").rows()
    [(None, 'independent', 'gone', 1), (None, 'community', 'independent', 1)]
    """
    moved = _is("start", "move", "end") & (pl.col("tier") != pl.col("from_tier"))
    to = pl.when(_is(*GONE)).then(pl.lit(GONE_TIER)).otherwise(pl.col("tier").cast(pl.String)).alias("to_tier")
    rows = with_before(prepare(log)).filter(pl.col("from_tier").is_not_null() & (moved | _is(*GONE)))
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
