"""What is done to a client: written in the log, seen by an assessor, begun, ended, let go."""

from __future__ import annotations

import math
from typing import Any

from simcare.rules.clocks import dated, due, ordinal
from simcare.rules.codes import ASSESSED, DIVERTED, END, GONE, IN_SERVICE, NOT_THERE, OUT, READY, REFERRED
from simcare.rules.compile import rule
from simcare.rules.draws import LOOK, uniform
from simcare.rules.queues import PLACE, ROWS, drop_team, quit_queue, release
from simcare.units import YEAR_DAYS


@rule
def write(world: Any, i: int, now: float, event: int, cause: int) -> None:
    """One row of the log: what happened, and the client's state after it."""
    client, row = world.clients[i], world.log[world.counts[ROWS]]
    world.counts[ROWS] += 1
    row.client, row.time, row.event, row.cause = client.id, now, event, cause
    row.area, row.stage, row.group, row.need, row.tier = (
        client.area,
        client.stage,
        client.group,
        client.need,
        client.tier,
    )
    row.service, row.provider, row.stay_start = client.service, client.provider, client.stay_start
    row.waiting = 1 if client.status == REFERRED or client.wants >= 0 else 0
    row.induced, row.age, row.hospital, row.spot = (
        client.induced,
        (now - client.born) / YEAR_DAYS,
        client.hospital,
        1 if client.spot else 0,
    )


@rule
def draw(world: Any, i: int, purpose: int) -> float:
    """The client's next uniform draw for a purpose of the rulebook."""
    return uniform(world.address[0], world.address[1], world.clients[i].id, purpose, ordinal(world, i, purpose))


@rule
def look(world: Any, i: int, now: float) -> int:
    """The level of need an assessor sees: the true one, one too high with the chance of over-specification, or one too
    low."""
    client = world.clients[i]
    stage = world.tables.stages[client.stage]
    over, under = dated(world, stage.over, now, 0.0), dated(world, stage.under, now, 0.0)
    top = world.tables.stage_needs.shape[1] - 1
    u = draw(world, i, LOOK)
    if u < over:
        return min(client.need + 1, top)
    if u < over + under:
        return max(client.need - 1, 0)
    return client.need


@rule
def assess(world: Any, i: int, now: float, cause: int) -> int:
    """An assessment at the front door or at the end of a short-term stay: the level of need seen, and a row in the
    log."""
    client = world.clients[i]
    client.assess_at = math.inf
    seen = look(world, i, now)
    write(world, i, now, ASSESSED, cause)
    return seen


@rule
def begin_stay(world: Any, i: int, since: float, now: float) -> None:
    """Set what a stay sets: its start, its tier, its end or its first review."""
    client = world.clients[i]
    service = world.tables.services[client.service]
    client.status, client.stay_start, client.tier, client.assess_at = IN_SERVICE, since, service.tier, math.inf
    drop_team(world, i)
    if client.hospital == READY:
        client.hospital = NOT_THERE
    client.short_end, client.review_due = math.inf, math.inf
    if service.short:
        client.short_end = due(world, service.short_days, since, now)
    elif since + dated(world, service.first_review, since, math.inf) >= now:
        client.review_due = due(world, service.first_review, since, now)
    else:
        client.review_due = next_review(world, i, since + dated(world, service.first_review, since, 0.0), now)


@rule
def next_review(world: Any, i: int, since: float, now: float) -> float:
    """The next regular review after the one at ``since``, not before ``now``."""
    series = world.tables.services[world.clients[i].service].review_every
    when = due(world, series, since, since)
    while when < now:
        when = due(world, series, when, when)
    return when


@rule
def let_go(world: Any, i: int, now: float, cause: int) -> None:
    """The stay ends in independence; the person stays known."""
    end_stay(world, i)
    world.clients[i].status = OUT
    write(world, i, now, END, cause)


@rule
def divert(world: Any, i: int, now: float, cause: int) -> None:
    """No service: advice at the front door, or found not in need."""
    client = world.clients[i]
    forget_wait(world, i)
    client.status, client.assess_at = OUT, math.inf
    if client.hospital == READY:
        client.hospital = NOT_THERE
    write(world, i, now, DIVERTED, cause)


@rule
def depart(world: Any, i: int, now: float, event: int) -> None:
    """Death, or leaving for good: the row keeps the place last held, and the client is gone."""
    write(world, i, now, event, 0)
    end_stay(world, i)
    client = world.clients[i]
    client.status, client.assess_at, client.birthday, client.hospital_end = GONE, math.inf, math.inf, math.inf


@rule
def end_stay(world: Any, i: int) -> None:
    """Out of the service, out of every queue; a place held comes free."""
    client = world.clients[i]
    forget_wait(world, i)
    drop_team(world, i)
    release(world, i)
    client.service, client.provider, client.tier = -1, -1, 0
    client.stay_start = math.nan
    client.review_due, client.short_end = math.inf, math.inf
    if client.hospital == READY:
        client.hospital = NOT_THERE


@rule
def forget_wait(world: Any, i: int) -> None:
    """The client waits for no place any more."""
    quit_queue(world, i, PLACE)
    world.clients[i].wants = -1
