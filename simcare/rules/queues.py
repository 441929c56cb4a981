"""Queues: tickets in order of class and time, for places and for teams; who is next; what came free; who was woken.

Each list of offers (and each team) has a queue of four classes, each a chain of tickets in order of time. Within a
chain the first has waited longest, so it has also risen furthest: only the heads of the chains need comparing.
"""

from __future__ import annotations

import math
from typing import Any

from simcare.rules.codes import AGEING_DAYS, BOUGHT
from simcare.rules.compile import rule

PLACE, TEAM = range(2)  # the two tickets of a client
ROWS, FREED, WOKEN, TICKETS, MARKET_ROWS = range(5)  # what ``world.counts`` counts


@rule
def join(world: Any, i: int, kind: int, queue: int, rank: int, since: float) -> None:
    """Take a ticket, behind everyone of the class who has waited as long."""
    t = 2 * i + kind
    ticket, chain, client = world.tickets[t], world.queues[queue, rank], world.clients[i]
    ticket.queue, ticket.rank, ticket.since, ticket.number = queue, rank, since, world.counts[TICKETS]
    world.counts[TICKETS] += 1
    ahead = chain.tail
    while ahead >= 0 and world.tickets[ahead].since > since:
        ahead = world.tickets[ahead].ahead
    behind = chain.head if ahead < 0 else world.tickets[ahead].behind
    ticket.ahead, ticket.behind = ahead, behind
    if ahead < 0:
        chain.head = t
    else:
        world.tickets[ahead].behind = t
    if behind < 0:
        chain.tail = t
    else:
        world.tickets[behind].ahead = t
    if kind == PLACE and client.pool >= 0 and not client.spot:
        world.holding[client.pool, queue] += 1


@rule
def quit_queue(world: Any, i: int, kind: int) -> None:
    """Give the ticket back, if there is one."""
    ticket, client = world.tickets[2 * i + kind], world.clients[i]
    if ticket.queue < 0:
        return
    chain = world.queues[ticket.queue, ticket.rank]
    if ticket.ahead < 0:
        chain.head = ticket.behind
    else:
        world.tickets[ticket.ahead].behind = ticket.behind
    if ticket.behind < 0:
        chain.tail = ticket.ahead
    else:
        world.tickets[ticket.behind].ahead = ticket.ahead
    if kind == PLACE and client.pool >= 0 and not client.spot:
        world.holding[client.pool, ticket.queue] -= 1
    ticket.queue = -1


@rule
def class_now(rank: int, since: float, now: float) -> int:
    """The class of someone who has waited since then: one higher for each 28 days."""
    return max(rank - math.floor((now - since) / AGEING_DAYS), 0)


@rule
def before(world: Any, t: int, other: int, now: float) -> bool:
    """Whether ticket ``t`` comes before the other: by class as it is now, then by time, then by number."""
    a, b = world.tickets[t], world.tickets[other]
    first, second = class_now(a.rank, a.since, now), class_now(b.rank, b.since, now)
    if first != second:
        return first < second
    if a.since != b.since:
        return a.since < b.since
    return a.number < b.number


@rule
def next_in_line(world: Any, pool: int, now: float) -> int:
    """The ticket that a place of the pool (or the team) serves next; −1 where nobody waits."""
    row = world.tables.pools[pool]
    best = -1
    for k in range(row.first, row.first + row.count):
        queue = world.tables.pool_queues[k]
        for rank in range(world.queues.shape[1]):
            t = world.queues[queue, rank].head
            if t >= 0 and (best < 0 or before(world, t, best, now)):
                best = t
    return best


@rule
def set_free(world: Any, pool: int) -> None:
    """Note that a place of the pool may be free."""
    for k in range(world.counts[FREED]):
        if world.freed[k] == pool:
            return
    world.freed[world.counts[FREED]] = pool
    world.counts[FREED] += 1


@rule
def wake(world: Any, i: int) -> None:
    """Tell the engine that another client's next event has changed."""
    world.woken[world.counts[WOKEN]] = i
    world.counts[WOKEN] += 1


@rule
def release(world: Any, i: int) -> None:
    """Give back the place that the client holds, if it is one of a limited number."""
    client = world.clients[i]
    if client.pool < 0:
        return
    pool = world.pools[client.pool]
    if client.spot:
        pool.spot -= 1
    else:
        pool.used -= 1
        set_free(world, client.pool)
    client.pool, client.spot = -1, 0


@rule
def take(world: Any, i: int, pool: int, spot: bool) -> None:
    """Hold a place of the pool, or one bought beyond its number; pool −1: places are not limited."""
    client = world.clients[i]
    client.pool, client.spot = pool, BOUGHT if spot and pool >= 0 else 0
    if pool < 0:
        return
    if client.spot:
        world.pools[pool].spot += 1
    else:
        world.pools[pool].used += 1


@rule
def drop_team(world: Any, i: int) -> None:
    """Whatever a team was asked to do for the client is no longer wanted: out of its queue, or out of its work."""
    client = world.clients[i]
    if client.task == 0:
        return
    quit_queue(world, i, TEAM)
    if client.task_end < math.inf:
        world.pools[client.team].used -= 1
        set_free(world, client.team)
    client.task, client.task_end, client.team = 0, math.inf, -1
