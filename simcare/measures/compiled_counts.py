"""The books of a run without a log: what is counted as rows come, compiled with the rulebook.

What is counted is what :func:`simcare.measures.measure.tallies` reads off a log, and a test holds the two equal.
Person-days are exact: a state that lasts from t to t' adds one head from its beginning and takes it away at its end
(``periods.occupancy`` says how that becomes days), so a stay of ten years costs four additions, not a hundred and
twenty.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simcare.rules.codes import (
    ADMITTED,
    ASSESSED,
    BY_HANDOVER,
    BY_PROVIDER,
    DIED,
    DISPLACED,
    DIVERTED,
    END,
    IN_CRISIS,
    KEPT,
    LEFT,
    MOVE,
    NOT_THERE,
    QUEUED,
    READY,
    REFERRAL,
    RENEGED,
    REVIEWED,
    START,
    SUPPORTED,
    TOO_SOON,
    TRANSITION,
    TREATED,
    WAITING_CAUSES,
    WAITING_CLASSES,
    WITHDRAWN,
)
from simcare.rules.compile import part, rule

# The measures that are counted, by the names of the catalogue (a test holds the two alike). The codes are worked out
# here and nowhere else: compiled code keeps them, so they may not hang on another file.
STATES = (
    "served", "over_provided_days", "dependency_days", "excess_stay_days", "induced_need_days", "under_provided_days",
    "unmet_need_days", "waiting_days", "independent_days", "queue_days", "transfer_days", "hospital_days",
    "delayed_days", "spot_days",
)  # fmt: skip
SERVED = STATES.index("served")
OVER = STATES.index("over_provided_days")
DEPENDENT = STATES.index("dependency_days")
EXCESS = STATES.index("excess_stay_days")
INDUCED_NEED = STATES.index("induced_need_days")
UNDER = STATES.index("under_provided_days")
UNMET = STATES.index("unmet_need_days")
WAITING = STATES.index("waiting_days")
INDEPENDENT = STATES.index("independent_days")
IN_QUEUE = STATES.index("queue_days")
TRANSFER = STATES.index("transfer_days")
HOSPITAL = STATES.index("hospital_days")
DELAYED = STATES.index("delayed_days")
SPOT = STATES.index("spot_days")
KINDS = (
    "entries", "exits", "step_ups", "step_up_starts", "step_downs", "crises", "referrals", "re_referrals_91",
    "re_referrals_365", "diverted", "assessments", "reviews", "deaths", "leavers", "queued", "reneged",
    "spot_purchases", "displaced", "admissions", "supported_transitions", "unsupported_transitions",
    "provider_step_downs", "premature_releases", "readmissions_91", "people_known",
    *(f"placed_{name}" for name in WAITING_CLASSES), *(f"waited_days_{name}" for name in WAITING_CLASSES),
)  # fmt: skip
ENTRIES = KINDS.index("entries")
EXITS = KINDS.index("exits")
STEP_UPS = KINDS.index("step_ups")
STEP_UP_STARTS = KINDS.index("step_up_starts")
STEP_DOWNS = KINDS.index("step_downs")
CRISES = KINDS.index("crises")
REFERRALS = KINDS.index("referrals")
SOON_AGAIN = KINDS.index("re_referrals_91")
AGAIN_IN_A_YEAR = KINDS.index("re_referrals_365")
DIVERSIONS = KINDS.index("diverted")
ASSESSMENTS = KINDS.index("assessments")
REVIEWS = KINDS.index("reviews")
DEATHS = KINDS.index("deaths")
LEAVERS = KINDS.index("leavers")
JOINED = KINDS.index("queued")
RENEGES = KINDS.index("reneged")
SPOT_PURCHASES = KINDS.index("spot_purchases")
DISPLACEMENTS = KINDS.index("displaced")
ADMISSIONS = KINDS.index("admissions")
SUPPORTED_ONES = KINDS.index("supported_transitions")
UNSUPPORTED_ONES = KINDS.index("unsupported_transitions")
BY_PROVIDERS = KINDS.index("provider_step_downs")
RELEASES = KINDS.index("premature_releases")
READMISSIONS = KINDS.index("readmissions_91")
PEOPLE_KNOWN = KINDS.index("people_known")
PLACED = tuple(KINDS.index(f"placed_{name}") for name in WAITING_CLASSES)
WAITED = tuple(KINDS.index(f"waited_days_{name}") for name in WAITING_CLASSES)
SERVED_INDUCED = len(STATES)  # served, with need induced: a state that only its bands are counted of
BANDED = (SERVED, SERVED_INDUCED)
ENTERED, DEPARTED, THERE, SERVED_ON_DAY_0 = range(4)
HAIR = 1e-7  # days: what rounding can leave of a sum that is zero

# What is remembered of a client between its rows.
LIFE = np.dtype([
    ("bits", "i8"), ("cell", "i8"), ("tier", "i8"), ("service", "i8"), ("rank", "i8"), ("excess", "i8"),
    ("stepped_from", "i8"), ("stepped", "f8"), ("stay", "f8"), ("referred", "f8"), ("joined", "f8"),
])  # fmt: skip


class Books(NamedTuple):
    """What is counted, and what is needed to know where. C cells (area, stage, group, offer), P periods, T tiers."""

    days: NDArray[np.float64]  # (states, C, P): days from each coming to its period's end, less those from each going
    heads: NDArray[np.int32]  # (states, C, P): comings less goings
    counts: NDArray[np.float64]  # (kinds, C, P)
    moves: NDArray[np.int64]  # (P, stage and group, T, T + 1): from tier to tier, the last for who is gone
    people: NDArray[np.int64]  # entered, departed, there at the end, served on day 0
    period_of_day: NDArray[np.int32]
    ends: NDArray[np.float64]  # (P)
    offer_of: NDArray[np.int32]  # (services, providers): number of the pair, from 1
    short: NDArray[np.bool_]  # (services)
    shape: NDArray[np.int64]  # stages, groups, offers + 1
    marks: NDArray[np.float64]  # (offers + 1, bands): the day of the stay from which each band's price is paid
    from_day: NDArray[np.float64]  # (states): the day of the stay from which a state counts; 0 for at once
    within: NDArray[np.float64]  # days within which people are back: a referral, a later one, a readmission


@part
def _book(books: Books, state: int, cell: int, since: float, until: float) -> None:
    """A state that lasted from ``since`` to ``until``; at the horizon it goes on."""
    horizon = books.ends[books.ends.size - 1]
    if since >= until or since >= horizon:
        return
    period = books.period_of_day[int(since)]
    books.heads[state, cell, period] += 1
    books.days[state, cell, period] += books.ends[period] - since
    if until < horizon:
        period = books.period_of_day[int(until)]
        books.heads[state, cell, period] -= 1
        books.days[state, cell, period] -= books.ends[period] - until


@rule
def count(books: Books, rows: NDArray[Any]) -> int:
    """Count the rows of whole clients, one after the other; returns how many supported transitions there were."""
    life, since = np.zeros(1, LIFE)[0], np.zeros(books.days.shape[0])
    supported = 0
    for k in range(rows.size):
        row = rows[k]
        first = k == 0 or row.client != rows[k - 1].client
        if first:
            if life.bits:
                _to_the_horizon(books, life, since)
            _born(life)
            books.people[ENTERED] += 1
            books.people[THERE] += 1
        period = books.period_of_day[int(row.time)]
        offer = books.offer_of[row.service, row.provider] if row.service >= 0 else 0
        here = ((row.area * books.shape[0] + row.stage) * books.shape[1] + row.group) * books.shape[2] + offer
        gone = row.event in (DIED, LEFT)
        _happened(books, life, row, here, period)
        if row.event in (START, MOVE, END) or gone:
            _moved(books, life, row, here, period)
        if row.event in (QUEUED, WITHDRAWN) or life.rank >= 0:
            _queued(books.counts, life, row, here, period)
        supported += row.event == TRANSITION and row.cause == SUPPORTED
        begins = row.service >= 0 and (here != life.cell or row.stay_start != life.stay)
        new = (
            0
            if gone
            else _state(
                life, row, row.service >= 0 and books.short[row.service], begins and _new_stay(books, life, row, offer)
            )
        )
        if new & (1 << SERVED) and row.induced > 0:
            new |= 1 << SERVED_INDUCED
        if first and row.time == 0.0 and new & (1 << SERVED):
            books.people[SERVED_ON_DAY_0] += 1
        old = life.bits
        changed = old | new if begins or gone or here != life.cell else old ^ new
        if changed:
            _turn(books, life, since, row, offer, changed, new)
        life.bits, life.cell, life.tier, life.service, life.stay = new, here, row.tier, row.service, row.stay_start
    _to_the_horizon(books, life, since)
    return supported


@part
def _new_stay(books: Books, life: Any, row: Any, offer: int) -> bool:
    """Whether a row begins a stay: another service or provider than before, or the same begun again."""
    return life.cell < 0 or row.stay_start != life.stay or offer != life.cell % books.shape[2]


@part
def _born(life: Any) -> None:
    """Nothing is known yet of the next client."""
    life.bits, life.cell, life.tier, life.service, life.rank, life.excess = 0, -1, -1, -1, -1, 0
    life.referred, life.stepped_from, life.stepped = -np.inf, -1, -np.inf


@rule
def _to_the_horizon(books: Books, life: Any, since: NDArray[np.float64]) -> None:
    """Whatever state the client is in at the end of its rows lasts until the run ends."""
    horizon = books.ends[books.ends.size - 1]
    for state in range(len(STATES)):
        if life.bits & (1 << state):
            _book(books, state, life.cell, since[state], horizon)
    _end_bands(books, life, since, horizon, life.bits)


@part
def _end_bands(books: Books, life: Any, since: NDArray[np.float64], until: float, ended: int) -> None:
    """Days by the day of the stay, of those who are served, and with need induced: a state for each band, which lasts
    as long as its parent."""
    count = books.marks.shape[1]
    for k in range(len(BANDED)):
        if ended & life.bits & (1 << BANDED[k]):
            for state in range(len(STATES) + k * count, len(STATES) + (k + 1) * count):
                _book(books, state, life.cell, since[state], until)


@part
def _turn(books: Books, life: Any, since: NDArray[np.float64], row: Any, offer: int, changed: int, new: int) -> None:
    """States that end are booked; those that begin are remembered from now, or from the day of the stay on which they
    count."""
    for state in range(len(STATES)):
        bit = 1 << state
        if not changed & bit:
            continue
        if life.bits & bit:
            _book(books, state, life.cell, since[state], row.time)
        if new & bit:
            since[state] = row.time
            if books.from_day[state] > 0.0:
                since[state] = max(row.time, row.stay_start + books.from_day[state])
    _end_bands(books, life, since, row.time, changed)
    count = books.marks.shape[1]
    for k in range(len(BANDED)):
        if changed & new & (1 << BANDED[k]):
            for band in range(count):
                since[len(STATES) + k * count + band] = max(row.time, row.stay_start + books.marks[offer, band])


@part
def _happened(books: Books, life: Any, row: Any, here: int, period: int) -> None:
    """Events that are counted where the client is after them."""
    counts, event, kind = books.counts, row.event, -1
    counts[PEOPLE_KNOWN, here, period] += life.cell < 0
    if event == REVIEWED:
        kind = REVIEWS
    elif event == ASSESSED:
        kind = ASSESSMENTS
    elif event == DIVERTED:
        kind = DIVERSIONS
    elif event == IN_CRISIS:
        kind = CRISES
    elif event == ADMITTED:
        kind = ADMISSIONS
    elif event == DISPLACED:
        kind = DISPLACEMENTS
    elif event == TRANSITION:
        kind = SUPPORTED_ONES if row.cause == SUPPORTED else UNSUPPORTED_ONES
    elif event == REFERRAL:
        kind = REFERRALS
        counts[SOON_AGAIN, here, period] += row.time - life.referred <= books.within[0]
        counts[AGAIN_IN_A_YEAR, here, period] += row.time - life.referred <= books.within[1]
        life.referred = row.time
    if kind >= 0:
        counts[kind, here, period] += 1.0


@part
def _moved(books: Books, life: Any, row: Any, here: int, period: int) -> None:
    """A start, a move, an end, a death or a departure: what is gained counts where people arrive, what is left where
    they were."""
    counts, event, was = books.counts, row.event, life.cell
    gone = event in (DIED, LEFT)
    if life.tier >= 0 and (gone or row.tier != life.tier):
        whose = was // books.shape[2] % (books.shape[0] * books.shape[1])
        books.moves[period, whose, life.tier, books.moves.shape[3] - 1 if gone else row.tier] += 1
    if gone:
        counts[DEATHS if event == DIED else LEAVERS, was if was >= 0 else here, period] += 1.0
        books.people[DEPARTED] += 1
        books.people[THERE] -= 1
    if event == END or (gone and life.service >= 0):
        counts[EXITS, was, period] += 1.0
    if event == END:
        counts[STEP_DOWNS, was, period] += 1.0
    if event in (END, MOVE):
        counts[BY_PROVIDERS, was, period] += row.cause == BY_PROVIDER
        counts[RELEASES, was, period] += row.cause == TOO_SOON
    back = event in (START, MOVE) and life.stepped_from >= 0 and life.tier < life.stepped_from <= row.tier
    if back and row.time - life.stepped <= books.within[2]:
        counts[READMISSIONS, here, period] += 1.0
    long_term = life.service >= 0 and not books.short[life.service]
    if (
        long_term
        and row.cause not in (BY_HANDOVER, RENEGED)
        and (event == END or (event == MOVE and row.tier < life.tier))
    ):
        life.stepped_from, life.stepped = life.tier, row.time
    if event not in (START, MOVE):
        return
    counts[ENTRIES, here, period] += event == START
    counts[SPOT_PURCHASES, here, period] += row.spot
    was_short, is_short = life.service >= 0 and books.short[life.service], books.short[row.service]
    if is_short and not was_short:
        counts[STEP_UPS, here, period] += 1.0
        counts[STEP_UP_STARTS, here, period] += 1.0
    elif event == MOVE and not was_short and not is_short:
        counts[STEP_UPS, here, period] += row.tier > life.tier
        counts[STEP_DOWNS, was, period] += row.tier < life.tier


@part
def _queued(counts: NDArray[np.float64], life: Any, row: Any, here: int, period: int) -> None:
    """The queue for a place: who joined it in which class, and how long they had waited when they were placed."""
    event = row.event
    if event == QUEUED:
        counts[JOINED, here, period] += 1.0
        life.joined = row.time
        for rank in range(len(WAITING_CAUSES)):
            if row.cause == WAITING_CAUSES[rank]:
                life.rank = rank
    elif event in (START, MOVE, KEPT):
        if life.rank >= 0:
            counts[PLACED[life.rank], here, period] += 1.0
            counts[WAITED[life.rank], here, period] += row.time - life.joined
        life.rank = -1
    elif event in (WITHDRAWN, DISPLACED, END, DIVERTED, DIED, LEFT):
        counts[RENEGES, here, period] += event == WITHDRAWN and row.cause == RENEGED
        life.rank = -1


@part
def _state(life: Any, row: Any, short: bool, begins: bool) -> int:
    """The states of :data:`STATES` that the client is in from now on, a bit for each."""
    away = row.hospital != NOT_THERE
    bits = (row.induced > 0) << INDUCED_NEED | (life.rank >= 0) << IN_QUEUE
    bits |= (row.hospital == TREATED) << HOSPITAL | (row.hospital == READY) << DELAYED
    if row.service < 0:
        bits |= (row.need > 0 and not away) << UNMET | (row.waiting != 0) << WAITING
        return bits | (row.need == 0 and not away) << INDEPENDENT
    gap = 0 if short or away else row.tier - row.need
    if begins:
        life.excess = 0
    if gap > 0:
        life.excess = 1
    bits |= 1 << SERVED | (gap > 0) << OVER | (gap > 0) << DEPENDENT | (gap < 0) << UNDER
    return bits | (life.excess != 0 and not short) << EXCESS | (life.rank >= 0) << TRANSFER | (row.spot != 0) << SPOT
