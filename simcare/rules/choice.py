"""Which of the offers on a list takes a client: drawn by weight, and in a market by vacancy and price as well."""

from __future__ import annotations

import math
from typing import Any

from simcare.rules.compile import rule
from simcare.rules.draws import OFFER
from simcare.rules.moves import draw


@rule
def pick(world: Any, i: int, row: Any) -> int:
    """An offer of the list, drawn by weight; in a market, by weight × exp(vacancy and price as they are now)."""
    if row.count == 1:
        return row.first
    u, market = draw(world, i, OFFER), world.tables.market
    if market.size == 0 or (market[0].vacancy == 0.0 and market[0].price == 0.0):
        for k in range(row.first, row.first + row.count):
            if u <= world.tables.offers[k].up_to:
                return k
        return row.first + row.count - 1
    total = 0.0
    for k in range(row.first, row.first + row.count):
        total += _weight(world, row, k)
    at = 0.0
    for k in range(row.first, row.first + row.count):
        at += _weight(world, row, k)
        if u * total <= at:
            return k
    return row.first + row.count - 1


@rule
def _weight(world: Any, row: Any, k: int) -> float:
    """The offer's share at the start, times what its vacancy and its price since then make of it."""
    offers, market = world.tables.offers, world.tables.market[0]
    share = offers[k].up_to - (offers[k - 1].up_to if k > row.first else 0.0)
    if offers[k].pool < 0:
        return share
    pool = world.pools[offers[k].pool]
    if pool.closed:
        return 0.0
    vacancy = max(pool.places - pool.used, 0) / max(pool.places, 1)
    return share * math.exp(market.vacancy * vacancy + market.price * math.log(pool.price))


@rule
def offer_with_room(world: Any, row: Any, chosen: int) -> int:
    """The offer drawn, or the next one of the list that has a free place; −1 where all are full."""
    for step in range(row.count):
        k = row.first + (chosen - row.first + step) % row.count
        pool = world.tables.offers[k].pool
        if pool < 0 or world.pools[pool].used < world.pools[pool].places:
            return k
    return -1


@rule
def on_the_spot(world: Any, row: Any, chosen: int) -> int:
    """The offer drawn, or the next one of the list, that can be bought beyond its number; −1 for none."""
    for step in range(row.count):
        k = row.first + (chosen - row.first + step) % row.count
        pool = world.tables.offers[k].pool
        if world.tables.pools[pool].spot and not world.pools[pool].closed:
            return k
    return -1
