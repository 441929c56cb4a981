"""Python in the SimPy engine: called at every event, and able to run processes beside the clients and change places.

A hook is for what the model file cannot say: an inspector who closes a home when it is too full, a manager who
opens beds in a hard winter. It sees names, not codes.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Generator
from typing import Any, NamedTuple, Protocol

import numpy as np

from simcare.arrays.names import names_of
from simcare.arrays.places import rows_of
from simcare.errors import BadInput
from simcare.model import Model
from simcare.model.nearmiss import unknown
from simcare.rules.codes import CAUSES, EVENTS, IN_SERVICE, REFERRED
from simcare.rules.records import World


class RunningEngine(Protocol):
    """The engine of a replication under way, as far as a hook can see and touch it."""

    world: World

    @property
    def now(self) -> float:
        """Days since the start."""

    def set_places(self, pool: int, places: int) -> None:
        """Give a pool another number of places now."""


class Happening(NamedTuple):
    """One thing that happened, and the client's state after it. ``time`` is in days from the start."""

    time: float
    client: int
    event: str
    cause: str
    area: str
    stage: str
    group: str
    need: str
    tier: str
    service: str | None
    provider: str | None
    waiting: bool


class County:
    """The county as a hook finds it: what day it is, who is in care, how many places there are; and the places can be
    set again."""

    def __init__(self, model: Model, engine: RunningEngine) -> None:
        self._model, self._engine, self._names = model, engine, names_of(model)
        self._rows = rows_of(model, self._names)

    def __repr__(self) -> str:
        return f"County({self._model.about.name}, {self.date})"

    @property
    def now(self) -> float:
        """Days since the start."""
        return self._engine.now

    @property
    def date(self) -> dt.date:
        """The calendar date."""
        return self._model.about.start + dt.timedelta(days=int(self.now))

    def people(self, service: str, provider: str | None = None) -> int:
        """How many people are in a service now, of one provider or of all."""
        clients = self._engine.world.clients
        there = (clients["status"] == IN_SERVICE) & (clients["service"] == self._index("service", service))
        if provider is not None:
            there &= clients["provider"] == self._index("provider", provider)
        return int(np.count_nonzero(there))

    def waiting(self, stage: str | None = None) -> int:
        """How many people are referred and not yet served, in one life stage or in all."""
        clients = self._engine.world.clients
        there = clients["status"] == REFERRED
        if stage is not None:
            there &= clients["stage"] == self._index("stage", stage)
        return int(np.count_nonzero(there))

    def places(self, provider: str, service: str, area: str | None = None) -> int:
        """How many places a provider has in a service now. Raises BadInput where they are not limited."""
        return int(self._engine.world.pools[self._pool(provider, service, area)]["places"])

    def set_places(self, provider: str, service: str, places: int, area: str | None = None) -> None:
        """Give a provider another number of places from now on: those in line move up, or those whom a cut names must
        move."""
        if places < 0:
            raise BadInput(f"set_places: places cannot be negative, got {places}")
        self._engine.set_places(self._pool(provider, service, area), places)

    def _index(self, kind: str, name: str) -> int:
        names: tuple[str, ...] = getattr(self._names, f"{kind}s")
        if name not in names:
            raise BadInput(f"{kind}: {unknown(name, names)}")
        return names.index(name)

    def _pool(self, provider: str, service: str, area: str | None) -> int:
        p, s = self._index("provider", provider), self._index("service", service)
        a = -1 if area is None else self._index("area", area)
        found = [row for row in self._rows if (row.provider, row.service, row.area) == (p, s, a)]
        if not found:
            raise BadInput(f"'{provider}' does not offer '{service}'" + ("" if area is None else f" in '{area}'"))
        if found[0].pool < 0:
            raise BadInput(
                f"the places of '{provider}' in '{service}' are not limited; give the offer 'places' in the model"
            )
        return found[0].pool

    def happening(self, row: Any) -> Happening:
        """A row of the log in words."""
        names = self._names
        return Happening(
            time=float(row["time"]),
            client=int(row["client"]),
            event=EVENTS[row["event"]],
            cause=CAUSES[row["cause"]],
            area=names.areas[row["area"]],
            stage=names.stages[row["stage"]],
            group=names.groups[row["group"]],
            need=names.need_levels[row["need"]],
            tier=names.tiers[row["tier"]],
            service=None if row["service"] < 0 else names.services[row["service"]],
            provider=None if row["provider"] < 0 else names.providers[row["provider"]],
            waiting=bool(row["waiting"]),
        )


OnEvent = Callable[[Happening, County], None]
Process = Callable[[Any, County], Generator[Any, Any, Any]]


class Hooks(NamedTuple):
    """``on_event`` is called with every row of the log; ``processes`` are SimPy processes, called with the environment
    and the county."""

    on_event: OnEvent | None = None
    processes: tuple[Process, ...] = ()


NO_HOOKS = Hooks()
