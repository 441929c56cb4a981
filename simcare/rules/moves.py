"""What is done to a client: written in the log, seen by an assessor, placed, moved, let go."""

from __future__ import annotations

import math
from typing import Any

from simcare.calendar import YEAR
from simcare.draws import LOOK, OFFER, uniform
from simcare.jit import rule
from simcare.rules.clocks import dated, due, ordinal
from simcare.rules.names import ASSESSED, DIVERTED, END, GONE, IN_SERVICE, MOVE, NOT_IN_NEED, OUT, REFERRED, START


@rule
def write(world: Any, i: int, now: float, event: int, cause: int) -> None:
    """One row of the log: what happened, and the client's state after it."""
    client, row = world.clients[i], world.log[world.counts[0]]
    world.counts[0] += 1
    row.client, row.time, row.event, row.cause = client.id, now, event, cause
    row.area, row.stage, row.group, row.need, row.tier = client.area, client.stage, client.group, client.need, client.tier
    row.service, row.provider, row.stay_start = client.service, client.provider, client.stay_start
    row.waiting, row.induced, row.age = client.status == REFERRED, client.induced, (now - client.born) / YEAR


@rule
def draw(world: Any, i: int, purpose: int) -> float:
    """The client's next uniform draw for a purpose of the rulebook."""
    return uniform(world.address[0], world.address[1], world.clients[i].id, purpose, ordinal(world, i, purpose))


@rule
def look(world: Any, i: int, now: float) -> int:
    """The rung an assessor sees: need, one too high with the chance of over-specification, or one too low."""
    client = world.clients[i]
    stage = world.tables.stages[client.stage]
    over, under = dated(world, stage.over, now, 0.0), dated(world, stage.under, now, 0.0)
    top = world.tables.stage_rungs.shape[1] - 1
    u = draw(world, i, LOOK)
    if u < over:
        return min(client.need + 1, top)
    if u < over + under:
        return max(client.need - 1, 0)
    return client.need


@rule
def assess(world: Any, i: int, now: float, cause: int) -> int:
    """An assessment at the front door or at the end of a short-term stay: the rung seen, and a row in the log."""
    client = world.clients[i]
    client.assess_at = math.inf
    seen = look(world, i, now)
    write(world, i, now, ASSESSED, cause)
    return seen


@rule
def _pick(world: Any, i: int, rung: int) -> int:
    """An offer on this rung for the client's age and group, drawn by weight; −1 where there is none."""
    client = world.clients[i]
    span = world.tables.lists[rung, client.band, client.group]
    if span.count == 0:
        return -1
    if span.count == 1:
        return span.first
    u = draw(world, i, OFFER)
    for k in range(span.first, span.first + span.count):
        if u <= world.tables.offers[k].up_to:
            return k
    return span.first + span.count - 1


@rule
def seek(world: Any, i: int, now: float, rung: int, cause: int) -> bool:
    """Ask for a place on a rung. Every place is granted at once here; queues belong in this one function.

    Returns whether there was anything to ask for. Someone already on the rung found stays where they are.
    """
    client, tables = world.clients[i], world.tables
    span = tables.lists[rung, client.band, client.group]
    if span.count == 0:
        return False
    if client.status == IN_SERVICE:
        found = tables.services[tables.offers[span.first].service].tier
        if found == client.tier and tables.open_to[client.service, client.band, client.group]:
            return True
    grant(world, i, now, _pick(world, i, rung), cause)
    return True


@rule
def grant(world: Any, i: int, now: float, offer: int, cause: int) -> None:
    """Begin a stay: the client leaves where they were, and the stay's reviews or its end are set."""
    client, tables = world.clients[i], world.tables
    event = MOVE if client.status == IN_SERVICE else START
    client.service, client.provider = tables.offers[offer].service, tables.offers[offer].provider
    begin_stay(world, i, now, now)
    write(world, i, now, event, cause)


@rule
def begin_stay(world: Any, i: int, since: float, now: float) -> None:
    """Set what a stay sets: its start, its tier, its end or its first review."""
    client = world.clients[i]
    service = world.tables.services[client.service]
    client.status, client.stay_start, client.tier, client.assess_at = IN_SERVICE, since, service.tier, math.inf
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
    _leave_service(world, i)
    world.clients[i].status = OUT
    write(world, i, now, END, cause)


@rule
def divert(world: Any, i: int, now: float, cause: int) -> None:
    """No service: advice at the front door, or found not in need."""
    client = world.clients[i]
    client.status, client.assess_at = OUT, math.inf
    write(world, i, now, DIVERTED, cause)


@rule
def depart(world: Any, i: int, now: float, event: int) -> None:
    """Death, or leaving for good: the row keeps the place last held, and the client is gone."""
    write(world, i, now, event, 0)
    _leave_service(world, i)
    client = world.clients[i]
    client.status, client.assess_at, client.birthday = GONE, math.inf, math.inf


@rule
def _leave_service(world: Any, i: int) -> None:
    client = world.clients[i]
    client.service, client.provider, client.tier = -1, -1, 0
    client.stay_start = math.nan
    client.review_due, client.short_end = math.inf, math.inf


@rule
def settle(world: Any, i: int, now: float, rung: int, cause: int) -> None:
    """Put the client on the rung seen: rung 0 is independence, for those in care an end, for the others a diversion."""
    client = world.clients[i]
    if rung > 0 and seek(world, i, now, rung, cause):
        return
    if client.status == IN_SERVICE:
        let_go(world, i, now, cause)
    elif client.status == REFERRED:
        divert(world, i, now, NOT_IN_NEED)
