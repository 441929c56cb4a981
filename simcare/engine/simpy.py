"""The reference engine: SimPy's clock over the rulebook, one pending event for each client.

When a client's event comes up, the rulebook lets it happen and says when the next one is. Rules return absolute
times and an event carries its own: SimPy's ``now + delay`` could differ from it in the last bit.
"""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappush
from typing import Any

import numpy as np
import simpy
from simpy.events import NORMAL, Event

from simcare.engine.hooks import NO_HOOKS, County, Hooks
from simcare.engine.start import ROOM, Record, record_of, with_log_room, world
from simcare.model import Model
from simcare.rules.codes import DAY_0, NOT_YET_KNOWN, PRESENT
from simcare.rules.events import begin, happen, set_places
from simcare.rules.handle import handle
from simcare.rules.queues import ROWS, WOKEN
from simcare.rules.records import Tables, World

NOBODY = -1


class Turn(Event):
    """A client's next event, set for an absolute time; one object serves a client until another client's event resets
    its turn."""

    def __init__(self, env: simpy.Environment, client: int, time: float) -> None:
        # SimPy's constructor would make a list of callbacks for each event: the turns of a run share one.
        self.env, self.client, self.time = env, client, time
        self._ok, self._value, self._defused = True, None, False

    def __repr__(self) -> str:
        return f"Turn(client {self.client} on day {self.time:g})"


class Engine:
    """One replication under way: ``run`` carries it to the horizon."""

    def __init__(
        self, model: Model, tables: Tables, seed: int, replication: int, days: float, hooks: Hooks = NO_HOOKS
    ) -> None:
        self.env = simpy.Environment()
        self.days = days
        self.world: World = world(model, tables, seed, replication, days)
        self.handle = handle(self.world)
        self.care, self.hooks = County(model, self), hooks
        self._turns: dict[int, Turn] = {}
        self._reported = 0  # rows of the log that hooks were called with
        self._callbacks: list[Callable[[Event], None]] = [self._happen]

    def __repr__(self) -> str:
        return (
            f"Engine(day {self.now:g} of {self.days:g}, {self.world.clients.size} clients, {self.world.counts[0]}"
            " rows logged)"
        )

    def run(self) -> Record:
        """Everything that happens before the horizon, in order of happening."""
        clients = self.world.clients
        for process in self.hooks.processes:
            self.env.process(process(self.env, self.care))
        for k, change in enumerate(self.world.tables.changes):
            self._set(Turn(self.env, clients.size + k, float(change["time"])))
        present = int(np.count_nonzero(clients["status"] != NOT_YET_KNOWN))
        for i in range(present):
            self._make_room(ROOM)
            self._set(Turn(self.env, i, begin(self.handle, i, PRESENT, DAY_0)))
            self._wake(i)
        for i, time in enumerate(clients["entered"][present:].tolist(), start=present):
            self._set(Turn(self.env, i, time))
        self._report()
        self.env.run(until=self.days)
        return record_of(self.world)

    @property
    def now(self) -> float:
        """Days since the start."""
        return float(self.env.now)

    def set_places(self, pool: int, places: int) -> None:
        """Give a pool another number of places now."""
        self._make_room(ROOM + 8 * self.world.clients.size)
        set_places(self.handle, pool, places, self.now)
        self._wake(NOBODY)

    def _set(self, turn: Turn) -> None:
        """Put a client's next event on SimPy's agenda at exactly its time."""
        self._turns[turn.client] = turn
        if turn.time < self.days:
            turn.callbacks = self._callbacks
            heappush(self.env._queue, (turn.time, NORMAL, next(self.env._eid), turn))

    def _happen(self, turn: Any) -> None:
        if turn.client == NOBODY:  # set again meanwhile
            return
        self._make_room(ROOM if turn.client < self.world.clients.size else ROOM + 8 * self.world.clients.size)
        turn.time = happen(self.handle, turn.client, turn.time)
        self._set(turn)
        self._wake(turn.client)
        self._report()

    def _report(self) -> None:
        """Call the hook with what has happened since the last call; what it does itself comes after that."""
        on_event = self.hooks.on_event
        while on_event is not None and self._reported < self.world.counts[ROWS]:
            self._reported += 1
            on_event(self.care.happening(self.world.log[self._reported - 1]), self.care)

    def _make_room(self, rows: int) -> None:
        """Keep the log long enough for one more event."""
        if self.world.counts[ROWS] + rows > self.world.log.size:
            self.world = with_log_room(self.world, rows)
            self.handle = handle(self.world)

    def _wake(self, client: int) -> None:
        """Set again the turns of other clients whose next event has changed."""
        for j in self.world.woken[: self.world.counts[WOKEN]].tolist():
            if j != client:
                self._turns[j].client = NOBODY
                self._set(Turn(self.env, j, float(self.world.clients[j]["next"])))


def record(model: Model, tables: Tables, seed: int, replication: int, days: float, hooks: Hooks = NO_HOOKS) -> Record:
    """The log of one replication, and the market's."""
    return Engine(model, tables, seed, replication, days, hooks).run()
