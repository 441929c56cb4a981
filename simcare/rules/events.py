"""What happens to a client at an event: the rulebook's one door, ``happen``."""

from __future__ import annotations

from math import inf
from typing import Any

from simcare.calendar import birthday
from simcare.draws import AT_ONCE, DIVERT, KEEPS_NEED, STEP_UP_FIRST
from simcare.jit import rule
from simcare.rules.clocks import dated, due, gap_of, restart, schedule, spend
from simcare.rules.moves import assess, begin_stay, depart, divert, draw, look, seek, settle, write
from simcare.rules.names import (
    ADVICE,
    AGAIN,
    ARRIVAL,
    ARRIVE,
    ASSESS,
    ASSESSMENT,
    AT_ONCE_CRISIS,
    BIRTHDAY,
    BY_AGE,
    BY_CRISIS,
    BY_HANDOVER,
    BY_HAZARD,
    BY_NEED,
    BY_PROVIDER,
    BY_PROVISION,
    BY_REVIEW,
    CLOCKS,
    CRISIS,
    DEATH,
    DETECTION,
    DIED,
    DIRECT,
    DOWN,
    FELL,
    GONE,
    HANDED_OVER,
    IN_CRISIS,
    IN_SERVICE,
    INDUCED,
    LEAVING,
    LEFT,
    NEW,
    OUT,
    RECOVER,
    REFERRAL,
    REFERRED,
    REVIEW,
    REVIEWED,
    RISE,
    ROSE,
    ROUTE_CRISIS,
    ROUTE_DIRECT,
    SAME,
    SHORT_END,
    SHORT_TERM_END,
    STEP_DOWN,
    TURNED,
    UP,
)


@rule
def happen(world: Any, i: int, now: float) -> float:
    """Let the client's next event happen at its time; returns the absolute time of the one after (infinity: never).

    This is all that an engine calls. It reads and changes client ``i`` only.
    """
    client = world.clients[i]
    what = client.what
    if what != ARRIVE:
        spend(world, i, now)
    if what < CLOCKS:
        restart(world, i, what)
        _clock(world, i, now, what)
    elif what == ARRIVE:
        _arrive(world, i, now)
    elif what == ASSESS:
        _open_package(world, i, now, assess(world, i, now, ASSESSMENT))
    elif what == REVIEW:
        _review(world, i, now)
    elif what == SHORT_END:
        client.short_end = inf
        settle(world, i, now, assess(world, i, now, SHORT_TERM_END), SHORT_TERM_END)
    elif what == BIRTHDAY:
        _turn(world, i, now)
    if client.status == GONE:
        client.next = inf
        return inf
    return schedule(world, i, now)


@rule
def _clock(world: Any, i: int, now: float, clock: int) -> None:
    client = world.clients[i]
    if clock < RECOVER:
        _rise(world, i, now, clock - RISE + 1, BY_NEED)
    elif clock < INDUCED:
        _recover(world, i, now, clock - RECOVER + 1)
    elif clock == INDUCED:
        client.induced += 1
        _rise(world, i, now, 1, BY_PROVISION)
    elif clock == CRISIS:
        _crisis(world, i, now, BY_HAZARD)
    elif clock == DETECTION:
        _refer(world, i, now, AGAIN)
    elif clock == STEP_DOWN:
        settle(world, i, now, client.need, BY_PROVIDER)
    elif clock == DEATH:
        depart(world, i, now, DIED)
    elif clock == LEAVING:
        depart(world, i, now, LEFT)


@rule
def _arrive(world: Any, i: int, now: float) -> None:
    client = world.clients[i]
    client.status, client.last, client.need_since = OUT, now, now
    set_birthday(world, i)
    if client.route == ROUTE_DIRECT:
        write(world, i, now, ARRIVAL, DIRECT)
        settle(world, i, now, client.need, DIRECT)
    elif client.route == ROUTE_CRISIS:
        client.status = REFERRED
        write(world, i, now, REFERRAL, BY_CRISIS)
        _step_up(world, i, now)
    else:
        _refer(world, i, now, NEW)


@rule
def _refer(world: Any, i: int, now: float, cause: int) -> None:
    """At the front door: advice and home, or an assessment after so many days."""
    client = world.clients[i]
    stage = world.tables.stages[client.stage]
    client.status = REFERRED
    write(world, i, now, REFERRAL, cause)
    if draw(world, i, DIVERT) < world.tables.stage_rungs[client.stage, client.need].diverted:
        divert(world, i, now, ADVICE)
        return
    client.assess_at = due(world, stage.assess_days, now, now) if stage.assess_days >= 0 else now


@rule
def _open_package(world: Any, i: int, now: float, seen: int) -> None:
    """The first package on the rung seen; some begin with a short-term service instead."""
    client = world.clients[i]
    stage = world.tables.stages[client.stage]
    if seen > 0 and world.tables.stage_rungs[client.stage, seen].step_up:
        u = draw(world, i, STEP_UP_FIRST)
        if u < dated(world, stage.step_up_first, now, 0.0) and seek(world, i, now, _short_term(world), ASSESSMENT):
            return
    settle(world, i, now, seen, ASSESSMENT)


@rule
def _short_term(world: Any) -> int:
    return world.tables.lists.shape[0] - 1


@rule
def _review(world: Any, i: int, now: float) -> None:
    client = world.clients[i]
    seen = look(world, i, now)
    write(world, i, now, REVIEWED, UP if seen > client.tier else (DOWN if seen < client.tier else SAME))
    client.review_due = due(world, world.tables.services[client.service].review_every, now, now)
    if seen != client.tier:
        settle(world, i, now, seen, BY_REVIEW)


@rule
def _rise(world: Any, i: int, now: float, rungs: int, cause: int) -> None:
    client = world.clients[i]
    client.need += rungs
    client.need_since = now
    write(world, i, now, ROSE, cause)
    if _followed(world, i, now):
        return
    if gap_of(world, i) <= -2 and draw(world, i, AT_ONCE) < world.tables.stages[client.stage].at_once:
        _crisis(world, i, now, AT_ONCE_CRISIS)


@rule
def _recover(world: Any, i: int, now: float, rungs: int) -> None:
    client = world.clients[i]
    client.need -= rungs
    client.induced = max(client.induced - rungs, 0)  # what provision induced is the first to go
    client.need_since = now
    write(world, i, now, FELL, BY_NEED)
    _followed(world, i, now)


@rule
def _followed(world: Any, i: int, now: float) -> bool:
    """In a service that follows need, the tier moves with need at once."""
    client = world.clients[i]
    if client.status != IN_SERVICE or not world.tables.services[client.service].follows_need:
        return False
    settle(world, i, now, client.need, BY_NEED)
    return True


@rule
def _crisis(world: Any, i: int, now: float, cause: int) -> None:
    write(world, i, now, IN_CRISIS, cause)
    _step_up(world, i, now)


@rule
def _step_up(world: Any, i: int, now: float) -> None:
    """Home first: a crisis goes to step-up; where none is open to the client, straight to an assessment."""
    client = world.clients[i]
    if seek(world, i, now, _short_term(world), BY_CRISIS):
        return
    if client.status == OUT:
        client.status = REFERRED
    settle(world, i, now, assess(world, i, now, ASSESSMENT), BY_CRISIS)


@rule
def _turn(world: Any, i: int, now: float) -> None:
    """A birthday: a new age band, perhaps a stage, a group, a hand-over, and a service outgrown."""
    client, tables = world.clients[i], world.tables
    client.band += 1
    stage = tables.bands[client.band].stage
    set_birthday(world, i)
    if stage != client.stage:
        client.stage = stage
        write(world, i, now, TURNED, BY_AGE)
    handover = tables.handovers[client.band, client.group]
    if handover.here:
        _hand_over(world, i, now, handover)
    if client.status == IN_SERVICE and not tables.open_to[client.service, client.band, client.group]:
        settle(world, i, now, client.need, BY_HANDOVER)


@rule
def _hand_over(world: Any, i: int, now: float, handover: Any) -> None:
    client = world.clients[i]
    need = min(client.need, handover.at_most) if draw(world, i, KEEPS_NEED) < handover.keeps else 0
    if need == client.need and handover.to_group == client.group:
        return
    if need != client.need:
        client.need, client.need_since = need, now
        client.induced = min(client.induced, need)
    client.group = handover.to_group
    write(world, i, now, HANDED_OVER, BY_AGE)
    _followed(world, i, now)


@rule
def set_birthday(world: Any, i: int) -> None:
    """The next birthday at which something may change."""
    client, bands = world.clients[i], world.tables.bands
    if client.band + 1 < bands.size:
        client.birthday = birthday(client.born, bands[client.band + 1].from_age, world.address[2])
    else:
        client.birthday = inf


@rule
def begin(world: Any, i: int, event: int, cause: int) -> float:
    """Bring in a client of day 0, there since ``stay_start``: returns the time of the first event."""
    client = world.clients[i]
    if client.service >= 0:
        begin_stay(world, i, client.stay_start, 0.0)
    client.last = 0.0
    set_birthday(world, i)
    write(world, i, 0.0, event, cause)
    _followed(world, i, 0.0)
    return schedule(world, i, 0.0)
