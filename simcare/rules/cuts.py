"""A number of places changes: who is left without one, and what they ask for."""

from __future__ import annotations

from typing import Any

from simcare.rules.clocks import schedule
from simcare.rules.codes import BY_CUT, CRISIS_CLASS, DISPLACED, FIRST_IN, LEAST_NEED, LOST, QUEUED
from simcare.rules.compile import rule
from simcare.rules.moves import forget_wait, write
from simcare.rules.places import replace
from simcare.rules.queues import PLACE, join, set_free, wake


@rule
def fit_places(world: Any, pool_index: int, now: float, cause: int) -> None:
    """The number of a pool's places has changed. More: those in line move up. Fewer: the offer's rule names who moves.

    Who is named keeps their bed, at the spot price, until another place in the tier is found, in the most urgent class.
    Who waited for another tier already goes on waiting for that, as urgently.
    """
    pool = world.pools[pool_index]
    while pool.used > pool.places:
        i = _named(world, pool_index)
        client = world.clients[i]
        ticket, wanted = world.tickets[2 * i + PLACE], client.wants
        queue, since = ticket.queue, ticket.since
        forget_wait(world, i)
        pool.used -= 1
        pool.spot += 1
        client.spot = LOST
        write(world, i, now, DISPLACED, cause)
        if wanted >= 0:
            client.wants = wanted
            join(world, i, PLACE, queue, CRISIS_CLASS, since)
            write(world, i, now, QUEUED, BY_CUT)
        else:
            replace(world, i, now)
        schedule(world, i, now)
        wake(world, i)
    set_free(world, pool_index)


@rule
def _named(world: Any, pool: int) -> int:
    """Who moves: the last to come, the first to come, or whoever needs least (and of those the last to come)."""
    rule = world.tables.pools[pool].cut
    best = -1
    for i in range(world.clients.size):
        client = world.clients[i]
        if client.pool != pool or client.spot:
            continue
        if best < 0:
            best = i
            continue
        other = world.clients[best]
        if rule == LEAST_NEED and client.need != other.need:
            sooner = client.need < other.need
        else:
            sooner = client.stay_start < other.stay_start if rule == FIRST_IN else client.stay_start > other.stay_start
        if sooner:
            best = i
    return best
