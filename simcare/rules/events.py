"""What happens to a client at an event: the rulebook's one entrance, ``happen``."""

from __future__ import annotations

from math import inf
from typing import Any

from simcare.rules.birthdays import birthday
from simcare.rules.clocks import dated, due, gap_of, ordinal, restart, schedule
from simcare.rules.codes import (
    ADMITTED,
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
    BY_CUT,
    BY_HANDOVER,
    BY_HAZARD,
    BY_HOSPITAL,
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
    END,
    FELL,
    HANDED_OVER,
    HOSPITAL_CLASS,
    HOSPITAL_END,
    IN_CRISIS,
    IN_SERVICE,
    INDUCED,
    LEAVING,
    LEFT,
    NEW,
    NOT_THERE,
    OUT,
    PREMATURE,
    READY,
    READY_TO_LEAVE,
    RECOVER,
    REFERRAL,
    REFERRED,
    RENEGE,
    RENEGED,
    REVIEW,
    RISE,
    ROSE,
    ROUTE_CRISIS,
    ROUTE_DIRECT,
    SHORT_END,
    SHORT_TERM_END,
    STEP_DOWN,
    SUPERSEDED,
    SUPPORTED,
    TASK_END,
    TOO_SOON,
    TRANSITION,
    TREATED,
    TURNED,
    UNSUPPORTED,
)
from simcare.rules.compile import rule
from simcare.rules.cuts import fit_places
from simcare.rules.draws import AT_ONCE, BY_WARD, DIVERT, KEEPS_NEED, PLAN_READY, WARD_DAYS, WARD_ROUTE, exponential
from simcare.rules.market import change
from simcare.rules.moves import begin_stay, depart, divert, draw, end_stay, let_go, write
from simcare.rules.places import ask_again, seek, share_out, stop_waiting
from simcare.rules.queues import FREED, WOKEN, drop_team
from simcare.rules.routing import ask, done, settle, short_term, step_up


@rule
def happen(world: Any, i: int, now: float) -> float:
    """Let the client's next event happen at its time; returns the absolute time of the one after (infinity: never).

    This is all that an engine calls. An ``i`` beyond the clients is a dated change for many. Where an event changes the
    next event of other clients, by a place given up or a cycle of swaps, ``world.woken`` lists them.
    """
    world.counts[WOKEN] = 0
    if i >= world.clients.size:
        change(world, i - world.clients.size, now)
        return inf
    client = world.clients[i]
    what = client.what
    if what < CLOCKS:
        restart(world, i, what)
        _clock(world, i, now, what)
    elif what == ARRIVE:
        _arrive(world, i, now)
    else:
        _scheduled(world, i, now, what)
    if world.counts[FREED] > 0:
        share_out(world, now)
    return schedule(world, i, now)


@rule
def set_places(world: Any, pool: int, places: int, now: float) -> None:
    """Give a pool another number of places, and let those in line have what is free."""
    world.counts[WOKEN] = 0
    world.pools[pool].places = places
    fit_places(world, pool, now, BY_CUT)
    share_out(world, now)


@rule
def _scheduled(world: Any, i: int, now: float, what: int) -> None:
    client = world.clients[i]
    if what == ASSESS:
        client.assess_at = inf
        ask(world, i, now, ASSESSMENT)
    elif what == TASK_END:
        done(world, i, now)
    elif what == REVIEW:
        client.review_due = inf
        if client.hospital == NOT_THERE:
            ask(world, i, now, BY_REVIEW)
    elif what == SHORT_END:
        client.short_end = inf
        if client.hospital == NOT_THERE:
            ask(world, i, now, SHORT_TERM_END)
    elif what == HOSPITAL_END:
        _ready_to_leave(world, i, now)
    elif what == BIRTHDAY:
        _turn(world, i, now)


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
    elif clock == PREMATURE:
        settle(world, i, now, client.tier - 1, TOO_SOON)
    elif clock == DEATH:
        depart(world, i, now, DIED)
    elif clock == LEAVING:
        depart(world, i, now, LEFT)
    elif clock == RENEGE:
        _renege(world, i, now)


@rule
def _arrive(world: Any, i: int, now: float) -> None:
    client = world.clients[i]
    client.status, client.need_since, client.wait_since = OUT, now, now
    set_birthday(world, i)
    if client.route == ROUTE_DIRECT:
        write(world, i, now, ARRIVAL, DIRECT)
        settle(world, i, now, client.need, DIRECT)
    elif client.route == ROUTE_CRISIS:
        client.status = REFERRED
        write(world, i, now, REFERRAL, BY_CRISIS)
        step_up(world, i, now)
    else:
        _refer(world, i, now, NEW)


@rule
def _refer(world: Any, i: int, now: float, cause: int) -> None:
    """At the front door: advice and home, or an assessment after so many days."""
    client = world.clients[i]
    stage = world.tables.stages[client.stage]
    client.status, client.wait_since = REFERRED, now
    write(world, i, now, REFERRAL, cause)
    if draw(world, i, DIVERT) < world.tables.stage_needs[client.stage, client.need].diverted:
        divert(world, i, now, ADVICE)
        return
    client.assess_at = due(world, stage.assess_days, now, now) if stage.assess_days >= 0 else now


@rule
def _renege(world: Any, i: int, now: float) -> None:
    """Out of patience: no assessment, no place; the need goes on."""
    client = world.clients[i]
    client.assess_at = inf
    if client.status == REFERRED:
        drop_team(world, i)
    stop_waiting(world, i, now, RENEGED)
    if _only_waiting(world, i):
        let_go(world, i, now, RENEGED)


@rule
def _rise(world: Any, i: int, now: float, levels: int, cause: int) -> None:
    client = world.clients[i]
    client.need += levels
    client.need_since = now
    write(world, i, now, ROSE, cause)
    if _followed(world, i, now):
        return
    if gap_of(world, i) <= -2 and draw(world, i, AT_ONCE) < world.tables.stages[client.stage].at_once:
        _crisis(world, i, now, AT_ONCE_CRISIS)


@rule
def _recover(world: Any, i: int, now: float, levels: int) -> None:
    client = world.clients[i]
    client.need -= levels
    client.induced = max(client.induced - levels, 0)  # what provision induced is the first to go
    client.need_since = now
    write(world, i, now, FELL, BY_NEED)
    _followed(world, i, now)


@rule
def _followed(world: Any, i: int, now: float) -> bool:
    """In a service that follows need, or in the queue for one, the tier moves with need at once."""
    client, tables = world.clients[i], world.tables
    service = client.service
    if client.status == REFERRED and client.wants >= 0:
        service = tables.offers[tables.lists[client.area, client.wants, client.band, client.group].first].service
    elif client.status != IN_SERVICE:
        return False
    if not tables.services[service].follows_need:
        return False
    settle(world, i, now, client.need, BY_NEED)
    return True


@rule
def _crisis(world: Any, i: int, now: float, cause: int) -> None:
    write(world, i, now, IN_CRISIS, cause)
    client = world.clients[i]
    row = world.tables.hospitals[client.stage, client.group]
    if row.share >= 0 and draw(world, i, BY_WARD) < dated(world, row.share, now, 0.0):
        _admit(world, i, now, row.days)
    else:
        step_up(world, i, now)


@rule
def _admit(world: Any, i: int, now: float, mean_days: float) -> None:
    """To hospital, with the place in care kept; what was asked for before is asked for again on the way out."""
    client = world.clients[i]
    drop_team(world, i)
    client.assess_at, client.review_due, client.short_end = inf, inf, inf
    if client.wants >= 0:
        stop_waiting(world, i, now, SUPERSEDED)
    if client.status == REFERRED:
        client.status = OUT
    days = mean_days * exponential(
        world.address[0], world.address[1], client.id, WARD_DAYS, ordinal(world, i, WARD_DAYS)
    )
    client.hospital, client.hospital_end = TREATED, now + days
    write(world, i, now, ADMITTED, BY_CRISIS)


@rule
def _ready_to_leave(world: Any, i: int, now: float) -> None:
    """Well enough to leave hospital, by step-up or by an assessment for a package: every day from now is a delayed
    day."""
    client = world.clients[i]
    client.hospital, client.hospital_end = READY, inf
    if client.status == OUT:
        client.status, client.wait_since = REFERRED, now
    write(world, i, now, READY_TO_LEAVE, BY_HOSPITAL)
    u = draw(world, i, WARD_ROUTE)
    share = dated(world, world.tables.hospitals[client.stage, client.group].to_step_up, now, 0.0)
    if u < share and seek(world, i, now, short_term(world), BY_HOSPITAL, HOSPITAL_CLASS):
        return
    ask(world, i, now, BY_HOSPITAL)


@rule
def _turn(world: Any, i: int, now: float) -> None:
    """A birthday: a new age band, perhaps a stage, a group, a transition, and a service that the client is too old
    for."""
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
        _age_out(world, i, now, handover)
    elif client.wants >= 0:
        ask_again(world, i, now)
        if client.wants < 0 and client.hospital == READY:
            client.status = IN_SERVICE if client.status == IN_SERVICE else REFERRED
            ask(world, i, now, BY_HOSPITAL)
        elif client.wants < 0 and _only_waiting(world, i):
            ask(world, i, now, SHORT_TERM_END)


@rule
def _only_waiting(world: Any, i: int) -> bool:
    """Whether only a wait could keep the client in the service: a short-term stay that has had its days, or a service
    that the client is too old for."""
    client = world.clients[i]
    if client.status != IN_SERVICE or client.task != 0:
        return False
    if not world.tables.open_to[client.service, client.band, client.group]:
        return True
    return world.tables.services[client.service].short and client.short_end == inf


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
def _age_out(world: Any, i: int, now: float, handover: Any) -> None:
    """Too old for the service: with the plan ready the client moves the same day, without it care stops until one is
    made."""
    client = world.clients[i]
    if not handover.here or handover.supported < 0 or client.need == 0:
        settle(world, i, now, client.need, BY_HANDOVER)
    elif draw(world, i, PLAN_READY) < dated(world, handover.supported, now, 1.0):
        write(world, i, now, TRANSITION, SUPPORTED)
        settle(world, i, now, client.need, BY_HANDOVER)
    else:
        write(world, i, now, TRANSITION, UNSUPPORTED)
        end_stay(world, i)
        client.status, client.wait_since = REFERRED, now
        client.assess_at = due(world, handover.gap_days, now, now)
        write(world, i, now, END, BY_HANDOVER)


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
    world.counts[WOKEN] = 0
    if client.service >= 0:
        begin_stay(world, i, client.stay_start, 0.0)
    set_birthday(world, i)
    write(world, i, 0.0, event, cause)
    _followed(world, i, 0.0)
    if world.counts[FREED] > 0:
        share_out(world, 0.0)
    return schedule(world, i, 0.0)
