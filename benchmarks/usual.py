"""The Kent pathway as an experienced SimPy modeller usually writes it: what the engines are held against.

It is the same pathway as the rulebook's (``docs/model.md``), with all numbers from the model file, and agrees with
simcare in the number of events of every kind (``agreement``). What was chosen, where there is more than one usual way:

- One process a client. It draws a time for each thing that may happen next, waits for the earliest with
  ``env.timeout``, lets it happen, and draws afresh, given the time already spent. The other usual way, a timeout for
  each clock raced with ``AnyOf``, leaves dead events on SimPy's agenda and took six times as long when it was tried;
  the faster one was taken.
- ``simpy.Resource`` for the places of each service and for assessors, requested and released, with room for everyone:
  nobody waits for a place in this model.
- One ``random.Random`` (faster than a numpy Generator for one draw at a time), a dataclass for a client, a list of
  tuples for the log, and parameters read out of the model once, into plain dictionaries. Nothing beyond that was tuned,
  and nothing was left slow.
- Python's garbage collector is on, as it is by default, and a Resource finds a request among its users by searching a
  list, as SimPy writes it. Both cost more the more clients there are: at the size of Kent the collector takes some 40 %
  of the time. ``kent`` can turn it off.

It covers what ``kent-2013`` uses: no modifiers, no dated numbers, no service that follows need.
"""

from __future__ import annotations

import datetime as dt
import gc
import math
import random
import statistics
import time
from bisect import bisect_right
from collections import Counter
from collections.abc import Generator, Iterable
from dataclasses import dataclass
from itertools import accumulate, product
from typing import Any

import numpy as np
import simpy

from simcare.model.model import Model
from simcare.model.parts import Arrivals, Caseload, Clock

Steps = Generator[Any, Any, Any]  # what a process yields to SimPy

YEAR = 365.25
PLENTY = 10_000_000  # places in a service, and assessors
OUT, WAITING, IN_SERVICE, GONE = "out", "waiting", "in service", "gone"
COLUMNS = (
    "client",
    "time",
    "event",
    "cause",
    "stage",
    "group",
    "need",
    "tier",
    "service",
    "provider",
    "stay_start",
    "induced",
)


# ---- times to an event
@dataclass
class Constant:
    """The same rate always; rates are per day."""

    rate: float

    def total(self, u: Any) -> Any:
        """The hazard summed from 0 to ``u`` days."""
        return self.rate * u

    def days(self, draw: random.Random, spent: float, speed: float) -> float:
        """Days from now to the event, when ``spent`` days have passed without it and the clock runs ``speed`` times as
        fast."""
        return draw.expovariate(self.rate * speed)


@dataclass
class Piecewise:
    """A rate for each band of days."""

    edges: list[float]
    rates: list[float]

    def total(self, u: Any) -> Any:
        """The hazard summed from 0 to ``u`` days."""
        tops = [*self.edges[1:], math.inf]
        return sum(
            rate * (np.clip(u, edge, top) - edge) for edge, top, rate in zip(self.edges, tops, self.rates, strict=True)
        )

    def days(self, draw: random.Random, spent: float, speed: float) -> float:
        """Days from now to the event: through the bands until the drawn hazard is used up."""
        left, u = draw.expovariate(1.0) / speed, max(spent, self.edges[0])
        for k in range(bisect_right(self.edges, u) - 1, len(self.edges)):
            top = self.edges[k + 1] if k + 1 < len(self.edges) else math.inf
            if self.rates[k] > 0 and left <= self.rates[k] * (top - u):
                return u + left / self.rates[k] - spent
            left, u = left - self.rates[k] * (top - u), top
        return math.inf


@dataclass
class Weibull:
    """A rate that falls (or rises) with the time spent."""

    shape: float
    scale: float
    factor: float

    def total(self, u: Any) -> Any:
        """The hazard summed from 0 to ``u`` days."""
        return self.factor * (u / self.scale) ** self.shape

    def days(self, draw: random.Random, spent: float, speed: float) -> float:
        """Days from now to the event."""
        reached = (spent / self.scale) ** self.shape + draw.expovariate(1.0) / (self.factor * speed)
        return self.scale * reached ** (1 / self.shape) - spent


@dataclass
class Gompertz:
    """A rate that grows by the same share every day of age."""

    rate: float
    growth: float

    def total(self, u: Any) -> Any:
        """The hazard summed from 0 to ``u`` days."""
        return self.rate * np.expm1(self.growth * u) / self.growth

    def days(self, draw: random.Random, spent: float, speed: float) -> float:
        """Days from now to the event."""
        now = self.rate * math.exp(self.growth * spent) * speed
        return math.log1p(self.growth * draw.expovariate(1.0) / now) / self.growth


def law(clock: Clock, rate: float) -> Constant | Piecewise | Weibull | Gompertz:
    """The time-to-event law of a clock in the model file; ``rate`` a year."""
    if clock.family == "constant":
        return Constant(rate / YEAR)
    if clock.family == "piecewise":
        assert clock.edges is not None
        unit = YEAR if since(clock) == "age" else 1.0
        return Piecewise([edge * unit for edge in clock.edges], [rate / YEAR for rate in clock.rates])
    if clock.family == "weibull":
        assert clock.shape is not None and clock.scale_days is not None
        return Weibull(clock.shape.value, clock.scale_days.value, 1.0 if clock.factor is None else clock.factor.value)
    assert clock.family == "gompertz" and clock.growth_per_year is not None
    return Gompertz(rate / YEAR, clock.growth_per_year.value / YEAR)


def since(clock: Clock) -> str:
    """Whether a clock runs in time since the need began or in age."""
    return clock.since or ("age" if clock.clock == "death" else "need")


# ---- parameters
def banded(edges: list[float], tops: list[float], u: float) -> float:
    """A value in bands for a uniform draw: the band by its share (``tops`` are running sums from 0), even within it."""
    x = u * tops[-1]
    k = min(bisect_right(tops, x), len(tops) - 1)
    return edges[k - 1] + (edges[k] - edges[k - 1]) * (x - tops[k - 1]) / (tops[k] - tops[k - 1])


class Parameters:
    """Everything a run reads, in plain dictionaries by name."""

    def __init__(self, model: Model) -> None:
        assert not model.modifiers, "the usual way covers the baseline only"
        self.model = model
        self.start = model.about.start
        self.need_levels = list(model.need_levels)
        self.needs = range(len(self.need_levels))
        self.short_tier = len(self.need_levels)
        self.services = {s.name: s for s in model.services}
        self.tier = {
            s.name: self.short_tier if s.short_term_days else self.need_levels.index(s.tier) for s in model.services
        }
        self._read_stays()
        self._read_stages()
        self._read_bands()
        self.clocks = self._clocks()
        self.offers = self._offers()
        self.handovers = {
            (h.age, group): h for h in model.handovers for group in h.groups or [g.name for g in model.groups]
        }
        self.age_bands = {
            row.name: (list(row.ages.edges), [0.0, *accumulate(row.ages.shares)])
            for row in (*model.caseload, *model.arrivals)
        }
        self.providers = self._providers()
        self._so_far: dict[tuple[Any, ...], tuple[list[float], list[float]]] = {}

    def _read_stays(self) -> None:
        """How long a short-term stay lasts, and when reviews are due."""
        services = self.services.values()
        self.short_days = {s.name: s.short_term_days.steps[0].value for s in services if s.short_term_days}
        self.review_every = {
            s.name: s.review_every_days.steps[0].value if s.review_every_days else math.inf for s in services
        }
        self.first_review = {
            s.name: s.first_review_days.steps[0].value if s.first_review_days else self.review_every[s.name]
            for s in services
        }

    def _read_stages(self) -> None:
        """How need and the front door behave in each life stage."""
        stages = [s.name for s in self.model.stages]
        self.need = {
            stage: next(n for n in self.model.need if n.stages is None or stage in n.stages) for stage in stages
        }
        self.enabling = {stage: n.enabling_recovery.value for stage, n in self.need.items()}
        self.over_provided = {stage: n.over_provided_recovery.value for stage, n in self.need.items()}
        self.waiting_rise = {stage: n.waiting_rise.value for stage, n in self.need.items()}
        self.waiting_recovery = {stage: n.waiting_recovery.value for stage, n in self.need.items()}
        self.at_once = {stage: n.crisis_at_once.value for stage, n in self.need.items()}
        self.variance = {stage: n.frailty_variance.value for stage, n in self.need.items()}
        self.death_ratio = {
            stage: n.death_ratio.value if n.death_ratio else (1.0,) * len(self.need_levels)
            for stage, n in self.need.items()
        }
        door = {
            stage: next(d for d in self.model.front_door if d.stages is None or stage in d.stages) for stage in stages
        }
        self.assessment_days = {stage: d.assessment_days.steps[0].value for stage, d in door.items()}
        self.diverted = {stage: d.diverted.value for stage, d in door.items()}
        self.over = {stage: d.over_specified.steps[0].value for stage, d in door.items()}
        self.under = {stage: d.under_specified.steps[0].value for stage, d in door.items()}
        self.step_up_first = {stage: d.step_up_first.steps[0].value for stage, d in door.items()}
        self.step_up_rungs = {
            stage: {self.need_levels.index(t) for t in d.step_up_tiers or self.need_levels[1:]}
            for stage, d in door.items()
        }

    def _read_bands(self) -> None:
        """The ages at which anything may change, and the stage from each on."""
        model = self.model
        ages = {0.0} | {s.from_age for s in model.stages} | {h.age for h in model.handovers}
        ages |= {s.from_age for s in model.services} | {s.to_age for s in model.services if s.to_age is not None}
        self.ages = sorted(ages)
        self.stage_from = [next(s.name for s in reversed(model.stages) if s.from_age <= age) for age in self.ages]

    def _clocks(self) -> dict[tuple[str, str, int], list[tuple[str, int, str, Any]]]:
        """What may happen to someone of a stage, group and need: name, rungs, which time it runs in, law."""
        found: dict[tuple[str, str, int], list[tuple[str, int, str, Any]]] = {}
        stages, groups = [s.name for s in self.model.stages], [g.name for g in self.model.groups]
        for cell in product(stages, groups, range(len(self.need_levels))):
            found[cell] = []
        for clock in self.model.clocks:
            assert clock.services is None and since(clock) in ("need", "age")
            for stage, group, rung in product(
                clock.stages or stages, clock.groups or groups, clock.needs or self.need_levels
            ):
                need = self.need_levels.index(rung)
                rate = (
                    0.0
                    if not clock.rates
                    else clock.rates[
                        clock.needs.index(rung) if clock.needs and len(clock.needs) == len(clock.rates) else 0
                    ]
                )
                if self._possible(clock, need) and (rate > 0 or clock.family in ("piecewise", "weibull")):
                    found[stage, group, need].append((clock.clock, clock.by, since(clock), law(clock, rate)))
        return found

    def _possible(self, clock: Clock, need: int) -> bool:
        """Whether a clock can run at this need."""
        if clock.clock in ("rise", "induced"):
            return need + clock.by < len(self.need_levels)
        return need >= clock.by if clock.clock == "recover" else clock.clock != "detection" or need > 0

    def open_to(self, service: str, band: int, group: str) -> bool:
        """Whether a service takes people of this age band and group."""
        s, age = self.services[service], self.ages[band]
        return s.from_age <= age and (s.to_age is None or age < s.to_age) and (s.groups is None or group in s.groups)

    def _offers(self) -> dict[tuple[int, int, str], tuple[list[tuple[str, str]], list[float]]]:
        """Who may take a client on a rung (services and providers, weights); the nearest rung above stands in for an
        empty one, then below."""
        every = [
            (o.service, p.name, o.weight.value) for p in self.model.providers for o in p.offers if o.weight.value > 0
        ]
        found = {}
        for rung, band, group in product(
            range(1, self.short_tier + 1), range(len(self.ages)), [g.name for g in self.model.groups]
        ):
            search = [rung] if rung == self.short_tier else [*range(rung, self.short_tier), *range(rung - 1, 0, -1)]
            for at in search:
                here = [
                    (service, provider, w)
                    for service, provider, w in every
                    if self.tier[service] == at and self.open_to(service, band, group)
                ]
                if here:
                    found[rung, band, group] = (
                        [(service, provider) for service, provider, _ in here],
                        [w for *_, w in here],
                    )
                    break
        return found

    def _providers(self) -> dict[str, tuple[list[str], list[float]]]:
        """Who runs each service, and their weights."""
        found: dict[str, tuple[list[str], list[float]]] = {name: ([], []) for name in self.services}
        for provider, offer in ((p, o) for p in self.model.providers for o in p.offers):
            found[offer.service][0].append(provider.name)
            found[offer.service][1].append(offer.weight.value)
        return found

    def so_far(self, row: Caseload, need: int) -> tuple[list[float], list[float]]:
        """Days already spent in a stay on day 0, as bands: stated, even over a short-term stay, or by the chance of
        still being there."""
        key = (row.name, need)
        if key not in self._so_far:
            if row.elapsed is not None:
                self._so_far[key] = list(row.elapsed.edges_days), [0.0, *accumulate(row.elapsed.shares)]
            elif row.service in self.short_days:
                self._so_far[key] = [0.0, self.short_days[row.service]], [0.0, 1.0]
            else:
                self._so_far[key] = self._length_biased(row, need)
        return self._so_far[key]

    def _length_biased(self, row: Caseload, need: int) -> tuple[list[float], list[float]]:
        u, total = np.concatenate([[0.0], np.geomspace(0.01, 60 * YEAR, 2000)]), 0.0
        enabling = row.service is not None and self.services[row.service].enabling
        age = (
            sum(
                share * (a + b) / 2
                for a, b, share in zip(row.ages.edges, row.ages.edges[1:], row.ages.shares, strict=False)
            )
            * YEAR
        )
        for clock, _, runs_in, hazard in self.clocks[row.stage, row.group, need]:
            if clock in ("recover", "death", "leaving"):
                speed = self.enabling[row.stage] if clock == "recover" and enabling else 1.0
                speed *= self.death_ratio[row.stage][need] if clock == "death" else 1.0
                origin = age if runs_in == "age" else 0.0
                total = total + speed * (hazard.total(origin + u) - hazard.total(np.float64(origin)))
        there = np.exp(-total * np.ones_like(u))
        area = np.concatenate([[0.0], np.cumsum((there[1:] + there[:-1]) / 2 * np.diff(u))])
        keep = np.concatenate([[True], np.diff(area) > 0])
        return u[keep].tolist(), area[keep].tolist()


# ---- simulation
@dataclass(eq=False)
class Client:
    """One person and where they stand."""

    number: int
    born: float
    stage: str
    group: str
    need: int
    frailty: float
    band: int
    status: str = OUT
    need_since: float = 0.0
    tier: int = 0
    service: str | None = None
    provider: str | None = None
    place: Any = None  # the request that holds the place
    stay_start: float | None = None
    induced: int = 0
    assess_at: float = math.inf
    review_due: float = math.inf
    short_end: float = math.inf
    birthday: float = math.inf


class Care:
    """A council's care as SimPy processes: one for each client, one for each stratum of arrivals."""

    def __init__(self, parameters: Parameters, seed: int) -> None:
        self.p = parameters
        self.env = simpy.Environment()
        self.draw = random.Random(seed)
        self.places = {name: simpy.Resource(self.env, PLENTY) for name in parameters.services}
        self.assessors = simpy.Resource(self.env, PLENTY)
        self.log: list[tuple[Any, ...]] = []
        self.clients = 0

    def run(self, days: float) -> None:
        """The caseload of day 0, the doors, and everything until the horizon."""
        for row in self.p.model.caseload:
            for _ in range(int(row.count.value)):
                self.env.process(self.there_on_day_0(self.from_caseload(row), row))
        for stratum in self.p.model.arrivals:
            self.referred_before(stratum)
            self.env.process(self.door(stratum, days))
        self.env.run(until=days)

    # ------------------------------------------------------------------------------------------------- who comes
    def person(self, row: Caseload | Arrivals, need: int) -> Client:
        """A person of a row of the caseload or a stratum of arrivals, with this need."""
        self.clients += 1
        age = banded(*self.p.age_bands[row.name], self.draw.random())
        variance = self.p.variance[row.stage]
        frailty = min(max(self.draw.gammavariate(1 / variance, variance), 0.1), 10.0) if variance > 0 else 1.0
        band = bisect_right(self.p.ages, age) - 1
        client = Client(
            self.clients, self.env.now - age * YEAR, row.stage, row.group, need, frailty, band, need_since=self.env.now
        )
        self.set_birthday(client)
        return client

    def from_caseload(self, row: Caseload) -> Client:
        """Someone there on day 0, with the stay so far."""
        client = self.person(row, self.need_of(row))
        edges, tops = self.p.so_far(row, client.need)
        youngest = self.p.services[row.service].from_age if row.service else 0.0
        spent = min(banded(edges, tops, self.draw.random()), -client.born - youngest * YEAR)
        client.need_since = -spent
        if row.service:
            client.stay_start = -spent
        return client

    def need_of(self, row: Caseload | Arrivals) -> int:
        """A need by the row's shares."""
        return self.draw.choices(self.p.needs, row.needs.value)[0]

    def there_on_day_0(self, client: Client, row: Caseload) -> Steps:
        """The process of a client of the caseload: takes the place held, then lives on."""
        if row.service:
            client.provider = self.draw.choices(*self.p.providers[row.service])[0]
            client.service, client.status, client.tier = row.service, IN_SERVICE, self.p.tier[row.service]
            client.place = self.places[row.service].request()
            yield client.place
            self.set_stay(client, client.stay_start)
        self.note(client, "present", "day_0")
        yield from self.life(client)

    def rate(self, stratum: Arrivals, day: int) -> float:
        """Arrivals on a day, with season and growth."""
        date = self.p.start + dt.timedelta(days=day)
        rate = stratum.per_year.at(date) / YEAR
        if stratum.season is not None:
            rate *= stratum.season.value[(date.month - 4) % 12]
        if stratum.growth_per_year is not None:
            rate *= (1 + stratum.growth_per_year.value) ** ((day + 0.5) / YEAR)
        return rate

    def door(self, stratum: Arrivals, days: float) -> Steps:
        """The arrivals of a stratum: candidates at the highest rate of the run, thinned to the rate of their day."""
        fastest = max(self.rate(stratum, day) for day in range(math.ceil(days)))
        while True:
            yield self.env.timeout(self.draw.expovariate(fastest))
            if self.draw.random() * fastest < self.rate(stratum, int(self.env.now)):
                self.env.process(self.newcomer(self.person(stratum, self.need_of(stratum)), stratum.route))

    def newcomer(self, client: Client, route: str) -> Steps:
        """The process of someone who comes to the door: by the route of their stratum, then on."""
        if route == "direct":
            self.note(client, "arrival", "direct")
            yield from self.settle(client, client.need, "direct")
        elif route == "crisis":
            client.status = WAITING
            self.note(client, "referral", "crisis")
            yield from self.step_up(client)
        else:
            self.refer(client, "new")
        yield from self.life(client)

    def referred_before(self, stratum: Arrivals) -> None:
        """Those who came to the door before day 0 and still wait for an assessment."""
        wait = self.p.assessment_days[stratum.stage]
        day = -wait
        while stratum.route == "referral":
            day += self.draw.expovariate(self.rate(stratum, math.floor(day)))
            if day >= 0:
                return
            need = self.need_of(stratum)
            if self.draw.random() >= self.p.diverted[stratum.stage][need]:
                client = self.person(stratum, need)
                client.status, client.need_since, client.assess_at = WAITING, day, day + wait
                self.note(client, "present", "day_0")
                self.env.process(self.life(client))

    # -------------------------------------------------------------------------------------------- what comes next
    def life(self, client: Client) -> Steps:
        """A client's process: what comes next, the wait for it, and what it does, until they are gone."""
        while client.status != GONE:
            when, what, rungs = self.next_event(client)
            yield self.env.timeout(max(when - self.env.now, 0.0))
            yield from self.happen(client, what, rungs)

    def next_event(self, client: Client) -> tuple[float, str, int]:
        """The earliest of what is due and of the times drawn for everything that may happen: when, what, by how many
        rungs."""
        now = self.env.now
        ahead = [
            (client.birthday, "birthday", 0),
            (client.assess_at, "assessment", 0),
            (client.review_due, "review", 0),
            (client.short_end, "short_end", 0),
        ]
        for what, rungs, runs_in, hazard in self.p.clocks[client.stage, client.group, client.need]:
            speed = self.speed(client, what)
            if speed > 0:
                spent = now - (client.born if runs_in == "age" else client.need_since)
                ahead.append((now + hazard.days(self.draw, spent, speed), what, rungs))
        return min(ahead)

    def speed(self, client: Client, what: str) -> float:
        """How many times as fast as its baseline a clock runs now; 0 when it does not run."""
        if what == "rise":
            return client.frailty * (self.p.waiting_rise[client.stage] if client.status == WAITING else 1.0)
        if what == "recover":
            return self.recovery(client) / client.frailty
        if what == "death":
            return self.p.death_ratio[client.stage][client.need]
        if what == "leaving":
            return 1.0
        if what == "detection":
            return 1.0 if client.status == OUT else 0.0
        gap = self.gap(client)
        if what == "crisis":
            return max(-gap, 0)
        if client.status != IN_SERVICE or gap <= 0:
            return 0.0
        if what == "induced":
            return 0.0 if self.p.services[client.service].enabling else gap
        return 1.0

    def recovery(self, client: Client) -> float:
        """What the present care, or the wait for it, does to recovery."""
        if client.status == WAITING:
            return self.p.waiting_recovery[client.stage]
        if client.status == IN_SERVICE:
            if client.tier == self.p.short_tier or self.p.services[client.service].enabling:
                return self.p.enabling[client.stage]
            if client.tier > client.need:
                return self.p.over_provided[client.stage]
        return 1.0

    def gap(self, client: Client) -> int:
        """Rungs of provision above need; a short-term service meets any need."""
        return 0 if client.tier == self.p.short_tier else client.tier - client.need

    # -------------------------------------------------------------------------------------------- what happens
    def happen(self, client: Client, what: str, rungs: int) -> Steps:
        """Let it happen."""
        if what == "rise":
            yield from self.rise(client, rungs, "need")
        elif what == "recover":
            client.need, client.need_since, client.induced = (
                client.need - rungs,
                self.env.now,
                max(client.induced - rungs, 0),
            )
            self.note(client, "fall", "need")
        elif what == "induced":
            client.induced += 1
            yield from self.rise(client, 1, "induced")
        elif what == "crisis":
            yield from self.crisis(client, "hazard")
        elif what == "detection":
            self.refer(client, "again")
        elif what == "step_down":
            yield from self.settle(client, client.need, "step_down")
        elif what == "assessment":
            yield from self.open_package(client)
        elif what == "review":
            yield from self.review(client)
        elif what == "short_end":
            client.short_end = math.inf
            seen = yield from self.assess(client, "short_term_end")
            yield from self.settle(client, seen, "short_term_end")
        elif what == "birthday":
            yield from self.turn(client)
        else:
            self.depart(client, "death" if what == "death" else "left")

    def rise(self, client: Client, rungs: int, cause: str) -> Steps:
        """Need rises; a rise far above the care given may be a crisis at once."""
        client.need, client.need_since = client.need + rungs, self.env.now
        self.note(client, "rise", cause)
        if self.gap(client) <= -2 and self.draw.random() < self.p.at_once[client.stage]:
            yield from self.crisis(client, "at_once")

    def crisis(self, client: Client, cause: str) -> Steps:
        """A crisis, and step-up."""
        self.note(client, "crisis", cause)
        yield from self.step_up(client)

    def step_up(self, client: Client) -> Steps:
        """A short-term service, or an assessment where none is open to the client."""
        placed = yield from self.seek(client, self.p.short_tier, "crisis")
        if not placed:
            client.status = WAITING if client.status == OUT else client.status
            seen = yield from self.assess(client, "assessment")
            yield from self.settle(client, seen, "crisis")

    def refer(self, client: Client, cause: str) -> None:
        """At the front door: advice and home, or an assessment in so many days."""
        client.status = WAITING
        self.note(client, "referral", cause)
        if self.draw.random() < self.p.diverted[client.stage][client.need]:
            self.divert(client, "advice")
        else:
            client.assess_at = self.env.now + self.p.assessment_days[client.stage]

    def look(self, client: Client) -> int:
        """The rung an assessor sees, sometimes one too high or too low."""
        u = self.draw.random()
        if u < self.p.over[client.stage]:
            return min(client.need + 1, len(self.p.need_levels) - 1)
        if u < self.p.over[client.stage] + self.p.under[client.stage]:
            return max(client.need - 1, 0)
        return client.need

    def assess(self, client: Client, cause: str) -> Steps:
        """An assessment, which takes an assessor: the rung seen."""
        client.assess_at = math.inf
        with self.assessors.request() as assessor:
            yield assessor
            seen = self.look(client)
            self.note(client, "assessed", cause)
        return seen

    def open_package(self, client: Client) -> Steps:
        """The first package: some begin with a short-term service."""
        seen = yield from self.assess(client, "assessment")
        if (
            seen in self.p.step_up_rungs[client.stage]
            and seen > 0
            and self.draw.random() < self.p.step_up_first[client.stage]
        ):
            placed = yield from self.seek(client, self.p.short_tier, "assessment")
            if placed:
                return
        yield from self.settle(client, seen, "assessment")

    def review(self, client: Client) -> Steps:
        """A review, which takes an assessor and may lead up or down."""
        with self.assessors.request() as assessor:
            yield assessor
            seen = self.look(client)
            self.note(client, "review", "up" if seen > client.tier else "down" if seen < client.tier else "same")
        client.review_due = self.env.now + self.p.review_every[client.service]
        if seen != client.tier:
            yield from self.settle(client, seen, "review")

    def settle(self, client: Client, rung: int, cause: str) -> Steps:
        """A place on the rung found; rung 0 is independence."""
        if rung > 0:
            placed = yield from self.seek(client, rung, cause)
            if placed:
                return
        if client.status == IN_SERVICE:
            self.leave_service(client)
            client.status = OUT
            self.note(client, "end", cause)
        elif client.status == WAITING:
            self.divert(client, "not_in_need")

    def seek(self, client: Client, rung: int, cause: str) -> Steps:
        """Ask for a place on a rung, and give up the old one when it comes; someone already on the rung stays. Whether
        there is such a service."""
        offers, weights = self.p.offers.get((rung, client.band, client.group), ([], []))
        if not offers:
            return False
        if client.status == IN_SERVICE:
            found = self.p.tier[offers[0][0]]
            if found == client.tier and self.p.open_to(client.service, client.band, client.group):
                return True
        service, provider = self.draw.choices(offers, weights)[0]
        place = self.places[service].request()
        yield place
        event = "start"
        if client.place is not None:
            self.places[client.service].release(client.place)
            event = "move"
        client.service, client.provider, client.place, client.status = service, provider, place, IN_SERVICE
        client.tier, client.stay_start, client.assess_at = self.p.tier[service], self.env.now, math.inf
        self.set_stay(client, self.env.now)
        self.note(client, event, cause)
        return True

    def set_stay(self, client: Client, since: float) -> None:
        """The end of a short-term stay, or the next review, of a stay that began then."""
        client.short_end = client.review_due = math.inf
        if client.service in self.p.short_days:
            client.short_end = since + self.p.short_days[client.service]
            return
        client.review_due = since + self.p.first_review[client.service]
        while client.review_due < self.env.now:
            client.review_due += self.p.review_every[client.service]

    def set_birthday(self, client: Client) -> None:
        """The next birthday at which anything may change."""
        client.birthday = (
            client.born + self.p.ages[client.band + 1] * YEAR if client.band + 1 < len(self.p.ages) else math.inf
        )

    def turn(self, client: Client) -> Steps:
        """A birthday: a new stage, a hand-over, a service outgrown."""
        client.band += 1
        self.set_birthday(client)
        if self.p.stage_from[client.band] != client.stage:
            client.stage = self.p.stage_from[client.band]
            self.note(client, "birthday", "age")
        self.hand_over(client)
        if client.service is not None and not self.p.open_to(client.service, client.band, client.group):
            yield from self.settle(client, client.need, "handover")

    def hand_over(self, client: Client) -> None:
        """What a birthday changes besides the stage: the group, and how much of the need goes on."""
        handover = self.p.handovers.get((self.p.ages[client.band], client.group))
        if handover is None:
            return
        need, group = 0, handover.to_group or client.group
        if self.draw.random() < handover.keeps_need.value:
            need = (
                client.need
                if handover.at_most is None
                else min(client.need, self.p.need_levels.index(handover.at_most))
            )
        if (need, group) == (client.need, client.group):
            return
        if need != client.need:
            client.need, client.need_since, client.induced = need, self.env.now, min(client.induced, need)
        client.group = group
        self.note(client, "handover", "age")

    def divert(self, client: Client, cause: str) -> None:
        """No service, and home again."""
        client.status, client.assess_at = OUT, math.inf
        self.note(client, "diverted", cause)

    def depart(self, client: Client, event: str) -> None:
        """Death, or leaving for good."""
        self.note(client, event, "")
        self.leave_service(client)
        client.status = GONE

    def leave_service(self, client: Client) -> None:
        """Give up the place held, if any."""
        if client.place is not None:
            self.places[client.service].release(client.place)
        client.service = client.provider = client.place = client.stay_start = None
        client.tier, client.review_due, client.short_end = 0, math.inf, math.inf

    def note(self, client: Client, event: str, cause: str) -> None:
        """A row of the log: what happened, and where the client stands after it (``COLUMNS``)."""
        c = client
        row = (
            c.number,
            self.env.now,
            event,
            cause,
            c.stage,
            c.group,
            c.need,
            c.tier,
            c.service,
            c.provider,
            c.stay_start,
            c.induced,
        )
        self.log.append(row)


# ---- runs and agreement
def scaled(model: Model, scale: float) -> Model:
    """The model with this share of its caseload and arrivals (above 1: so many times as many people)."""

    def times(number: Any, whole: bool = False) -> Any:
        value = number.value * scale
        return number.model_copy(update={"value": float(round(value)) if whole else value})

    def people(row: Caseload) -> Caseload:
        return row.model_copy(update={"count": times(row.count, whole=True)})

    def flow(row: Arrivals) -> Arrivals:
        return row.model_copy(
            update={"per_year": row.per_year.model_copy(update={"steps": tuple(map(times, row.per_year.steps))})}
        )

    return model.model_copy(
        update={"caseload": tuple(map(people, model.caseload)), "arrivals": tuple(map(flow, model.arrivals))}
    )


def at_scale(name: str, scale: float) -> Model:
    """A model of the library with this share of its people, and demand as it was in the base year: every tool meets the
    same arrivals, whatever the model's drivers say."""
    from simcare.demand.paths import at_base_demand
    from simcare.files.load import load_model

    model = at_base_demand(load_model(name))
    return model if scale == 1.0 else scaled(model, scale)


def run_usual(model: Model, scale: float, days: float, seed: int) -> dict[str, Any]:
    """One run the usual way: rows logged, clients, events by kind and by kind and cause, and seconds of processor time.

    As for the engines, reading the model into tables is not counted, and making the caseload of day 0 is.
    """
    care = Care(Parameters(scaled(model, scale)), seed)
    begin = time.process_time()
    care.run(days)
    cpu = time.process_time() - begin
    return {
        "rows": len(care.log),
        "clients": care.clients,
        **speed(len(care.log), cpu),
        **counted((row[2], row[3]) for row in care.log),
    }


def kent(scale: float, days: float, seed: int, collector: bool = True) -> dict[str, Any]:
    """Kent the usual way, for a process of its own; without Python's garbage collector on request."""
    if not collector:
        gc.disable()
    return run_usual(at_scale("kent-2013", 1.0), scale, days, seed)


def run_simcare(model: Model, scale: float, days: float, seed: int) -> dict[str, Any]:
    """The same in simcare's SimPy engine."""
    from simcare.arrays.build import build
    from simcare.engine.simpy import Engine
    from simcare.rules.codes import CAUSES, EVENTS

    model = scaled(model, scale)
    tables = build(model)
    Engine(model, tables, 0, 0, 1.0).run()
    begin = time.process_time()
    engine = Engine(model, tables, seed, 0, days)
    rows = engine.run().rows
    cpu = time.process_time() - begin
    pairs = zip(rows["event"].tolist(), rows["cause"].tolist(), strict=True)
    events = counted((EVENTS[event], CAUSES[cause]) for event, cause in pairs)
    return {"rows": int(rows.size), "clients": int(engine.world.clients.size), **speed(rows.size, cpu), **events}


def speed(rows: int, cpu: float) -> dict[str, float]:
    """Seconds of processor time, and rows of the log in one of them."""
    return {"cpu": cpu, "rows_per_second": rows / cpu}


def counted(rows: Iterable[tuple[str, str]]) -> dict[str, dict[str, int]]:
    """Events by kind, and by kind and cause."""
    causes = Counter(rows)
    events: Counter[str] = Counter()
    for (event, _), n in causes.items():
        events[event] += n
    return {"events": dict(events), "causes": {" ".join(pair).strip(): n for pair, n in causes.items()}}


def agreement(
    model: Model, scale: float = 0.1, days: float = YEAR, seeds: Iterable[int] = range(5), by: str = "events"
) -> list[dict[str, Any]]:
    """Events of each kind the usual way and in simcare, over these seeds; ``by`` is ``events`` or ``causes``."""
    seeds = list(seeds)
    return compared(
        [run_usual(model, scale, days, seed) for seed in seeds],
        [run_simcare(model, scale, days, seed) for seed in seeds],
        by,
    )


def compared(usual: list[dict[str, Any]], ours: list[dict[str, Any]], by: str = "events") -> list[dict[str, Any]]:
    """For each kind of event: its mean number in some runs and in others, the difference in per cent and in standard
    errors.

    With one run of each, the standard error is that of a Poisson number, which is somewhat too wide.
    """
    found = []
    for kind in sorted({kind for run in usual + ours for kind in run[by]}):
        a, b = ([run[by].get(kind, 0) for run in runs] for runs in (usual, ours))
        mean_a, mean_b = statistics.mean(a), statistics.mean(b)
        variance = sum(statistics.variance(x) / len(x) if len(x) > 1 else float(x[0]) for x in (a, b))
        off = 100 * (mean_a / mean_b - 1) if mean_b else math.inf
        errors = (mean_a - mean_b) / math.sqrt(variance) if variance > 0 else 0.0
        found.append({"kind": kind, "usual": mean_a, "simcare": mean_b, "per_cent": off, "errors": errors})
    return found


def agrees(rows: list[dict[str, Any]], per_cent: float = 5.0, errors: float = 4.0) -> bool:
    """Whether every kind of event differs by so many per cent at most, or by no more than chance makes it (in standard
    errors)."""
    return all(abs(row["per_cent"]) <= per_cent or abs(row["errors"]) <= errors for row in rows)


def table(rows: list[dict[str, Any]]) -> str:
    """The agreement as text: mean events the usual way and in simcare, the difference in per cent and in standard
    errors."""
    lines = [f"{'':<26}{'usual':>10}{'simcare':>10}{'differs by':>12}{'errors':>8}"]
    lines += [
        f"{row['kind']:<26}{row['usual']:>10,.1f}{row['simcare']:>10,.1f}{row['per_cent']:>10.2f}"
        f" %{row['errors']:>8.2f}"
        for row in rows
    ]
    return "\n".join(lines)


def main() -> None:
    """The agreement for Kent, as a table."""
    print(table(agreement(at_scale("kent-2013", 1.0))))


if __name__ == "__main__":
    main()
