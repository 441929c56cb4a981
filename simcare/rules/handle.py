"""A world as the compiled rules take it: one pointer, instead of the hundred words of its arrays at every call.

A numba structref has the attributes of ``World`` and ``Tables`` and shares their arrays. The named tuples themselves
would work as well, only slower (``docs/design.md``).
"""

from __future__ import annotations

from typing import Any

from numba.core import types
from numba.experimental import structref

from simcare.jit import rule
from simcare.rules.names import Tables, World


@structref.register
class _TablesType(types.StructRef):
    def preprocess_fields(self, fields: Any) -> Any:
        return tuple((name, types.unliteral(kind)) for name, kind in fields)


@structref.register
class _WorldType(types.StructRef):
    def preprocess_fields(self, fields: Any) -> Any:
        return tuple((name, types.unliteral(kind)) for name, kind in fields)


class TablesHandle(structref.StructRefProxy):
    """``Tables`` for the rules."""


class WorldHandle(structref.StructRefProxy):
    """``World`` for the rules."""


structref.define_proxy(TablesHandle, _TablesType, list(Tables._fields))
structref.define_proxy(WorldHandle, _WorldType, list(World._fields))


@rule
def handle(world: World) -> Any:
    """The handle of a world; its arrays are the world's own, so what a rule changes is changed for all.

    One exception: a log that grew is an array of the handle alone, see :func:`log_of`.
    """
    t = world.tables
    clocks = (t.hazards, t.knots, t.spans, t.steps, t.cells, t.active, t.step_down, t.purposes)
    people = (t.stages, t.stage_rungs, t.services, t.open_to, t.lists, t.offers, t.bands, t.handovers, t.hospitals)
    places = (t.desks, t.pools, t.pool_queues, t.queues, t.changes)
    tables = TablesHandle(*clocks, *people, *places)
    state = (world.clients, world.running, world.ordinals, world.pools, world.queues, world.tickets, world.holding, world.freed, world.woken)
    return WorldHandle(tables, *state, world.log, world.counts, world.address)


@rule
def log_of(world: Any) -> Any:
    """The rows logged so far."""
    return world.log[: world.counts[0]]
