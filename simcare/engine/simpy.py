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
from numpy.typing import NDArray
from simpy.events import NORMAL, Event

from simcare.engine.start import world
from simcare.model import Model
from simcare.rules.events import begin, happen
from simcare.rules.handle import handle
from simcare.rules.names import DAY_0, PRESENT, UNBORN, Tables, World

MOST_ROWS = 32  # no event writes as many rows as this


class Turn(Event):
    """A client's next event, set for an absolute time; one object serves a client for the whole run."""

    def __init__(self, env: simpy.Environment, client: int, time: float) -> None:
        # SimPy's constructor would make a list of callbacks for each event: the turns of a run share one.
        self.env, self.client, self.time = env, client, time
        self._ok, self._value, self._defused = True, None, False

    def __repr__(self) -> str:
        return f"Turn(client {self.client} on day {self.time:g})"


class Engine:
    """One replication under way: ``run`` carries it to the horizon."""

    def __init__(self, model: Model, tables: Tables, seed: int, replication: int, days: float) -> None:
        self.env = simpy.Environment()
        self.days = days
        self.world: World = world(model, tables, seed, replication, days)
        self.handle = handle(self.world)
        self._callbacks: list[Callable[[Event], None]] = [self._happen]

    def __repr__(self) -> str:
        return f"Engine(day {self.env.now:g} of {self.days:g}, {self.world.clients.size} clients, {self.world.counts[0]} rows logged)"

    def run(self) -> NDArray[Any]:
        """Everything that happens before the horizon, as rows of the log in order of happening."""
        clients = self.world.clients
        present = int(np.count_nonzero(clients["status"] != UNBORN))
        for i in range(present):
            self._make_room()
            self._set(Turn(self.env, i, begin(self.handle, i, PRESENT, DAY_0)))
        for i, time in enumerate(clients["entered"][present:].tolist(), start=present):
            self._set(Turn(self.env, i, time))
        self.env.run(until=self.days)
        return self.world.log[: self.world.counts[0]]

    def _set(self, turn: Turn) -> None:
        """Put a client's next event on SimPy's agenda at exactly its time."""
        if turn.time < self.days:
            turn.callbacks = self._callbacks
            heappush(self.env._queue, (turn.time, NORMAL, next(self.env._eid), turn))

    def _happen(self, turn: Any) -> None:
        self._make_room()
        turn.time = happen(self.handle, turn.client, turn.time)
        self._set(turn)

    def _make_room(self) -> None:
        """Keep the log long enough for one more event."""
        if self.world.counts[0] + MOST_ROWS > self.world.log.size:
            longer = np.zeros(2 * self.world.log.size, self.world.log.dtype)
            longer[: self.world.log.size] = self.world.log
            self.world = self.world._replace(log=longer)
            self.handle = handle(self.world)


def simulate(model: Model, tables: Tables, seed: int, replication: int, days: float) -> NDArray[Any]:
    """The log of one replication: rows of ``rules.names.LOG``, in order of happening."""
    return Engine(model, tables, seed, replication, days).run()
