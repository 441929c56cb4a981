"""Places: asking for one, being granted it, waiting for it, swapping along a cycle, losing it to a cut.

Who asks keeps the place they hold until the new one is granted. Where people step up and down that alone
deadlocks, so those who wait for each other's places swap along the whole cycle; and a crisis may go beyond the
number of places, where the offer names a spot price.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from simcare.rules.choice import offer_with_room, on_the_spot, pick
from simcare.rules.clocks import due, schedule, worked_off
from simcare.rules.codes import (
    ASSESSES,
    BY_CUT,
    BY_REVIEW,
    CLASS_CAUSES,
    CRISIS_CLASS,
    DISCHARGED,
    IN_SERVICE,
    KEPT,
    LOST,
    MOVE,
    NOT_THERE,
    OUT,
    QUEUED,
    READY,
    REFERRED,
    REVIEWS,
    START,
    SUPERSEDED,
    WITHDRAWN,
)
from simcare.rules.compile import rule
from simcare.rules.moves import begin_stay, forget_wait, write
from simcare.rules.queues import (
    FREED,
    PLACE,
    TEAM,
    before,
    drop_team,
    join,
    next_in_line,
    quit_queue,
    release,
    set_free,
    take,
    wake,
)


@rule
def seek(world: Any, i: int, now: float, tier: int, cause: int, rank: int) -> bool:
    """Ask for a place in a tier: granted at once where one is free, else the client waits for it in a class.

    Returns whether there was anything to ask for. Someone already in the tier found stays where they are.
    """
    client, tables = world.clients[i], world.tables
    row = tables.lists[client.area, tier, client.band, client.group]
    if row.count == 0:
        return False
    if _is_there(world, i, row):
        stay_on(world, i, now)
    else:
        _ask_for(world, i, now, tier, cause, rank)
    return True


@rule
def _is_there(world: Any, i: int, row: Any) -> bool:
    """Whether the client is in a service of the tier that the offers of a list fill, and not too old for it."""
    client, tables = world.clients[i], world.tables
    if client.status != IN_SERVICE or not tables.open_to[client.service, client.band, client.group]:
        return False
    return tables.services[tables.offers[row.first].service].tier == client.tier


@rule
def _ask_for(world: Any, i: int, now: float, tier: int, cause: int, rank: int) -> None:
    """A free place, one on the spot, or a turn in the queue."""
    client, tables = world.clients[i], world.tables
    row = tables.lists[client.area, tier, client.band, client.group]
    chosen = pick(world, i, row)
    k = offer_with_room(world, row, chosen)
    if k >= 0:
        grant(world, i, now, tables.offers[k].service, tables.offers[k].provider, tables.offers[k].pool, False, cause)
        return
    k = on_the_spot(world, row, chosen) if rank == CRISIS_CLASS and cause != BY_CUT else -1
    if k >= 0:
        grant(world, i, now, tables.offers[k].service, tables.offers[k].provider, tables.offers[k].pool, True, cause)
    else:
        _wait(world, i, now, tier, row.queue, cause, rank)


@rule
def stay_on(world: Any, i: int, now: float) -> None:
    """The place held is the right one: nothing is waited for any more, and who was ready to leave hospital comes back
    to it."""
    client = world.clients[i]
    if client.wants >= 0 and not (client.spot == LOST and client.because == BY_CUT):
        stop_waiting(world, i, now, SUPERSEDED)
    if client.hospital == READY:
        client.hospital = NOT_THERE
        client.review_due = due(world, world.tables.services[client.service].first_review, now, now)
        write(world, i, now, DISCHARGED, 0)
    if client.spot == LOST and client.wants < 0:
        replace(world, i, now)


@rule
def replace(world: Any, i: int, now: float) -> None:
    """Whose place was cut asks for another in the same tier: in line with all who wait for one, even where one is
    free."""
    client, tables = world.clients[i], world.tables
    tier = min(client.tier, tables.lists.shape[1] - 1)
    row = tables.lists[client.area, tier, client.band, client.group]
    limited = row.count > 0
    for k in range(row.first, row.first + row.count):
        limited = limited and tables.offers[k].pool >= 0
    if limited:
        _wait(world, i, now, tier, row.queue, BY_CUT, CRISIS_CLASS)
        for k in range(row.first, row.first + row.count):
            set_free(world, tables.offers[k].pool)
    elif row.count > 0:
        _ask_for(world, i, now, tier, BY_CUT, CRISIS_CLASS)


@rule
def stop_waiting(world: Any, i: int, now: float, cause: int) -> None:
    """Leave the queue for a place, without one."""
    forget_wait(world, i)
    if world.clients[i].status == REFERRED:
        world.clients[i].status = OUT
    write(world, i, now, WITHDRAWN, cause)


@rule
def grant(world: Any, i: int, now: float, service: int, provider: int, pool: int, spot: bool, cause: int) -> None:
    """Begin a stay: the client leaves where they were, and the stay's reviews or its end are set."""
    client = world.clients[i]
    event = MOVE if client.status == IN_SERVICE else START
    forget_wait(world, i)
    release(world, i)
    client.service, client.provider = service, provider
    take(world, i, pool, spot)
    begin_stay(world, i, now, now)
    write(world, i, now, event, cause)


@rule
def _wait(world: Any, i: int, now: float, tier: int, queue: int, cause: int, rank: int) -> None:
    """Join the queue of a list of offers. Who waits already goes on waiting: in the same queue with their ticket,
    unless the matter has become more urgent; in another with the time they have waited."""
    client, ticket = world.clients[i], world.tickets[2 * i + PLACE]
    if client.wants >= 0 and ticket.queue == queue and rank >= ticket.rank:
        client.wants = tier
        return
    since = ticket.since if client.wants >= 0 else now
    quit_queue(world, i, PLACE)
    if client.status != REFERRED and client.wants < 0:
        client.wait_since = now
    if client.status == OUT:
        client.status = REFERRED
    client.wants, client.because = tier, cause
    join(world, i, PLACE, queue, rank, since)
    write(world, i, now, QUEUED, BY_CUT if cause == BY_CUT else CLASS_CAUSES[rank])
    if client.pool >= 0 and not client.spot:
        _swap(world, i, now)


@rule
def ask_again(world: Any, i: int, now: float) -> None:
    """A birthday changed who may take the client: the wait goes on for what is open now, as long as it has lasted."""
    client, tables, ticket = world.clients[i], world.tables, world.tickets[2 * i + PLACE]
    row = tables.lists[client.area, client.wants, client.band, client.group]
    if row.count == 0:
        stop_waiting(world, i, now, SUPERSEDED)
    elif _is_there(world, i, row) and client.because != BY_CUT:
        stay_on(world, i, now)
    elif row.queue != ticket.queue:
        k = offer_with_room(world, row, pick(world, i, row))
        if k >= 0:
            grant(
                world,
                i,
                now,
                tables.offers[k].service,
                tables.offers[k].provider,
                tables.offers[k].pool,
                False,
                client.because,
            )
            return
        since, rank = ticket.since, ticket.rank
        quit_queue(world, i, PLACE)
        join(world, i, PLACE, row.queue, rank, since)
        if client.pool >= 0 and not client.spot:
            _swap(world, i, now)


@rule
def ask_team(world: Any, i: int, now: float, cause: int, rank: int) -> bool:
    """Ask for an assessment or a review. Returns whether it can be done at once: no team has limited hours for it."""
    client = world.clients[i]
    pool = _team_task(world, i, cause).pool
    if pool < 0:
        return True
    drop_team(world, i)
    client.task, client.team, client.task_hours = cause, pool, _team_task(world, i, cause).hours
    join(world, i, TEAM, world.tables.pool_queues[world.tables.pools[pool].first], rank, now)
    set_free(world, pool)
    return False


@rule
def _team_task(world: Any, i: int, cause: int) -> Any:
    """The team that does this for the client, and the hours it takes."""
    client = world.clients[i]
    return world.tables.team_tasks[REVIEWS if cause == BY_REVIEW else ASSESSES, client.stage, client.group, client.area]


@rule
def share_out(world: Any, now: float) -> None:
    """Give every place that came free, and every idle team, to whoever is next in line, and what these leave to the
    next."""
    while world.counts[FREED] > 0:
        world.counts[FREED] -= 1
        pool = world.freed[world.counts[FREED]]
        while world.pools[pool].used < world.pools[pool].places:
            t = next_in_line(world, pool, now)
            if t < 0:
                break
            if t % 2 == TEAM:
                _work_on(world, t // 2, pool, now)
            else:
                _give(world, t // 2, pool, now)


@rule
def _work_on(world: Any, i: int, pool: int, now: float) -> None:
    """The team takes the client's case, and is busy until its hours are worked."""
    client = world.clients[i]
    quit_queue(world, i, TEAM)
    world.pools[pool].used += 1
    client.task_end = worked_off(world, world.tables.pools[pool].hours, client.task_hours, now)
    schedule(world, i, now)
    wake(world, i)


@rule
def _give(world: Any, i: int, pool: int, now: float) -> None:
    """A place of the pool for the next in line; who had lost it to a cut and is still there keeps it."""
    client, row = world.clients[i], world.tables.pools[pool]
    if client.pool == pool and client.spot == LOST:
        forget_wait(world, i)
        world.pools[pool].spot -= 1
        take(world, i, pool, False)
        write(world, i, now, KEPT, 0)
    else:
        grant(world, i, now, row.service, row.provider, pool, False, client.because)
    schedule(world, i, now)
    wake(world, i)


@rule
def _swap(world: Any, i: int, now: float) -> None:
    """Look for people who wait for each other's places in a cycle through the client's own; all of them move at once.

    From the place the client holds: who waits for it, what places do they hold, who waits for those, and so on, until
    one is found that the client waits for. Of several who wait the same way, the first in line moves.
    """
    mine, target = world.tickets[2 * i + PLACE].queue, world.clients[i].pool
    count = world.pools.size
    mover, leads_to, order = np.full(count, -1), np.full(count, -1), np.full(count, -1)
    order[0], found, seen, done = target, -1, 1, 0
    while done < seen and found < 0:
        towards = order[done]
        done += 1
        for held in range(count):
            if held == target or mover[held] >= 0:
                continue
            t = _first_holder(world, towards, held, now)
            if t < 0:
                continue
            mover[held], leads_to[held] = t // 2, towards
            order[seen] = held
            seen += 1
            if found < 0 and _serves(world, held, mine):
                found = held
    if found < 0:
        return
    _move_to(world, i, found, now)
    while found != target:
        j = mover[found]
        found = leads_to[found]
        _move_to(world, j, found, now)
        schedule(world, j, now)
        wake(world, j)


@rule
def _serves(world: Any, pool: int, queue: int) -> bool:
    """Whether people of the queue could have a place of the pool."""
    row = world.tables.pools[pool]
    found = False
    for k in range(row.first, row.first + row.count):
        found = found or world.tables.pool_queues[k] == queue
    return found


@rule
def _first_holder(world: Any, towards: int, pool: int, now: float) -> int:
    """Of those who wait for a place of the pool ``towards`` and hold one of ``pool``, the ticket of the first in line;
    −1 for none."""
    row = world.tables.pools[towards]
    best = -1
    for k in range(row.first, row.first + row.count):
        queue = world.tables.pool_queues[k]
        if world.holding[pool, queue] == 0:
            continue
        for rank in range(world.queues.shape[1]):
            t = world.queues[queue, rank].head
            while t >= 0:
                client = world.clients[t // 2]
                if client.pool == pool and not client.spot:
                    if best < 0 or before(world, t, best, now):
                        best = t
                    break
                t = world.tickets[t].behind
    return best


@rule
def _move_to(world: Any, i: int, pool: int, now: float) -> None:
    row = world.tables.pools[pool]
    grant(world, i, now, row.service, row.provider, pool, False, world.clients[i].because)
