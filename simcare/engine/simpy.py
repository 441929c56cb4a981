"""The reference engine: SimPy's clock over the rulebook, one pending callback for each client.

A client's callback lets its next event happen and sets the callback after it. Rules return absolute times and an
event carries its own: SimPy's ``now + delay`` could differ from it in the last bit.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator
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


class Clock(simpy.Environment):
    """A SimPy environment in which a thing can be set for an absolute time."""

    def at(self, time: float, callback: Callable[[Event], None]) -> Event:
        """An event that happens at ``time`` exactly."""
        event = Event(self)
        event._ok, event._value = True, time
        assert event.callbacks is not None
        event.callbacks.append(callback)
        heappush(self._queue, (time, NORMAL, next(self._eid), event))
        return event


class Engine:
    """One replication under way: ``run`` carries it to the horizon."""

    def __init__(self, model: Model, tables: Tables, seed: int, replication: int, days: float) -> None:
        self.env = Clock()
        self.days = days
        self.world: World = world(model, tables, seed, replication, days)
        self.handle = handle(self.world)

    def __repr__(self) -> str:
        return f"Engine(day {self.env.now:g} of {self.days:g}, {self.world.clients.size} clients, {self.world.counts[0]} rows logged)"

    def run(self) -> NDArray[Any]:
        """Everything that happens before the horizon, as rows of the log."""
        self._begin()
        self.env.process(self._arrivals())
        self.env.run(until=self.days)
        return self.world.log[: self.world.counts[0]]

    def _begin(self) -> None:
        present = int((self.world.clients["status"] != UNBORN).sum())
        for i in range(present):
            self._room()
            self._set(i, begin(self.handle, i, PRESENT, DAY_0))
        self.present = present

    def _arrivals(self) -> Generator[Event, Any, None]:
        """Newcomers come to the door in order of time."""
        entered = self.world.clients["entered"]
        for i in range(self.present, self.world.clients.size):
            yield self.env.at(float(entered[i]), _nothing)
            self._happen(i, float(entered[i]))

    def _set(self, i: int, time: float) -> None:
        """Replace the client's pending event by one at ``time``."""
        if time >= self.days:
            return
        self.env.at(time, lambda event: self._happen(i, time))

    def _happen(self, i: int, time: float) -> None:
        self._room()
        self._set(i, happen(self.handle, i, time))

    def _room(self) -> None:
        """Keep the log long enough for one more event."""
        if self.world.counts[0] + MOST_ROWS > self.world.log.size:
            longer = np.zeros(2 * self.world.log.size, self.world.log.dtype)
            longer[: self.world.log.size] = self.world.log
            self.world = self.world._replace(log=longer)
            self.handle = handle(self.world)


def _nothing(event: Event) -> None:
    """The arrivals process itself goes on when its event happens."""


def simulate(model: Model, tables: Tables, seed: int, replication: int, days: float) -> NDArray[Any]:
    """The log of one replication (rows of ``rules.names.LOG``, in order of happening)."""
    if not math.isfinite(days) or days <= 0:
        raise ValueError(f"days must be above 0, got {days}")
    return Engine(model, tables, seed, replication, days).run()
