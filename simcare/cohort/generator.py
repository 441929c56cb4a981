"""The states of a client in the Markov simplification, and where each event and birthday takes them.

A state is (group, kind of service or ``OUT``, need); services that no rule tells apart are one kind.
:class:`PlacementRules` says what the rules of placement do there, written a second time and independently of the
rulebook that the engine runs, so that the two check each other. :class:`MarkovChain` is the same as arrays: the
generator's entries by age band, and the matrices of the birthdays.
"""

from __future__ import annotations

from itertools import product
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simcare.model import Model
from simcare.model.cells import clock_cells, clock_origin, rates_of, touching
from simcare.model.parts import Arrivals, Caseload, Handover, Service
from simcare.units import YEAR_DAYS

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
State = tuple[int, int, int]  # group, kind of service (OUT: none), need
Ways = list[tuple[float, State]]  # where something leads, with chances

OUT = -1
GONE = -1


class Rates(NamedTuple):
    """How fast a clock runs in a cell: ``a_day`` × multiplier, or baseline ``by_age`` (from 1; 0: none) ×
    multiplier."""

    a_day: float
    by_age: int
    in_service_only: bool


class Edges(NamedTuple):
    """The moves open in one age band, as parallel arrays; ``target`` GONE is death or leaving."""

    source: Ints
    target: Ints
    weight: Floats  # a day, or of the baseline
    by_age: Ints  # 0, or the baseline (from 1)
    line: Ints  # which product of dated multipliers


class PlacementRules:
    """Where a client may be, and where an event takes them: the rules of placement, simplified.

    Services that no rule tells apart are one kind; a kind goes by the index of its first service.
    """

    def __init__(self, model: Model) -> None:
        self.model = model
        self.need_levels = model.need_levels
        self.tiers = (*model.need_levels, *(t.name for t in model.tiers if t.short_term))
        self.groups = [g.name for g in model.groups]
        self.stages = [s.name for s in model.stages]
        ages = {0.0} | {s.from_age for s in model.stages} | {h.age for h in model.handovers}
        ages |= {s.from_age for s in model.services} | {s.to_age for s in model.services if s.to_age is not None}
        self.ages = np.array(sorted(ages))  # the band k is [ages[k], ages[k + 1])
        self.stage_of = [
            max([k for k, s in enumerate(model.stages) if s.from_age <= age], default=0) for age in self.ages
        ]
        self.tier = [self.tiers.index(s.tier) for s in model.services]
        self.open = np.array(
            [[[self._takes(s, age, g) for g in self.groups] for age in self.ages] for s in model.services]
        )
        self.lines: dict[tuple[int, ...], int] = {(): 0}  # the modifiers at work on a cell
        self.by_age: list[tuple[int, float]] = []  # baselines by age: the clock and its rate
        self.cells: dict[tuple[Any, ...], Rates] = {}
        self._clocks()
        self.kind = self._kinds()
        self.lists = self._lists()
        self.handovers: dict[tuple[float, str], Handover] = {
            (h.age, g): h for h in model.handovers for g in h.groups or self.groups
        }
        self.need = {name: row for row in model.need for name in row.stages or self.stages}
        doors = {name: door for door in model.front_door for name in door.stages or self.stages}
        self.diverted = {name: door.diverted.value for name, door in doors.items() if door.diverted is not None}

    @staticmethod
    def _takes(service: Service, age: float, group: str) -> bool:
        in_age = service.from_age <= age and (service.to_age is None or age < service.to_age)
        return in_age and (service.groups is None or group in service.groups)

    def _clocks(self) -> None:
        services = [s.name for s in self.model.services]
        for k, clock in enumerate(self.model.clocks):
            if clock.clock in ("crisis", "renege", "premature"):
                continue  # none runs in the Markov simplification
            rows: dict[str | None, Rates] = {}
            for need, rate in rates_of(clock):
                factor = 1.0 if clock.factor is None else clock.factor.value
                if clock.family == "constant":
                    rows[need] = Rates(factor * rate / YEAR_DAYS, 0, clock_origin(clock) == "stay")
                else:
                    self.by_age.append((k, rate))
                    rows[need] = Rates(1.0, len(self.by_age), False)
            for stage, group, need in clock_cells(self.model, clock):
                cell = self.stages.index(stage), self.groups.index(group), self.need_levels.index(need)
                for v in (
                    [services.index(s) for s in clock.services or services] if clock.clock == "step_down" else [OUT]
                ):
                    self.cells[(clock.clock, clock.by, v, *cell)] = rows[need] if need in rows else rows[None]

    def _kinds(self) -> list[int]:
        first: dict[Any, int] = {}
        kinds = []
        for v, s in enumerate(self.model.services):
            steps = frozenset(
                (key[3:], rates) for key, rates in self.cells.items() if key[0] == "step_down" and key[2] == v
            )
            reviewed = s.first_review_days is not None or s.review_every_days is not None
            kinds.append(
                first.setdefault((s.tier, s.enabling, s.follows_need, reviewed, self.open[v].tobytes(), steps), v)
            )
        return kinds

    def _lists(self) -> dict[tuple[int, int, int], dict[int, float]]:
        """By level of need, band and group the kinds that take a client, with shares.

        Where no service has the tier of a need, the nearest tier above stands in, and failing that the nearest below.
        """
        names = [s.name for s in self.model.services]
        offers = [
            (names.index(o.service), o.weight.value)
            for p in self.model.providers
            for o in p.offers
            if o.weight.value > 0.0
        ]
        top = len(self.need_levels)
        lists: dict[tuple[int, int, int], dict[int, float]] = {}
        for need_level, b, g in product(range(1, top), range(self.ages.size), range(len(self.groups))):
            for at in [*range(need_level, top), *range(need_level - 1, 0, -1)]:
                found = [(self.kind[v], weight) for v, weight in offers if self.tier[v] == at and self.open[v, b, g]]
                if found:
                    total = sum(weight for _, weight in found)
                    lists[need_level, b, g] = {v: sum(w for kind, w in found if kind == v) / total for v, _ in found}
                    break
        return lists

    def settle(self, b: int, g: int, v: int, need: int) -> Ways:
        """Put in the tier of their need; whoever is in the tier found stays, and the lowest is independence."""
        offers = self.lists.get((need, b, g)) if need > 0 else None
        if offers is None:
            return [(1.0, (g, OUT, need))]
        if v != OUT and self.tier[next(iter(offers))] == self.tier[v] and self.open[v, b, g]:
            return [(1.0, (g, v, need))]
        return [(share, (g, kind, need)) for kind, share in offers.items()]

    def _after(self, b: int, g: int, v: int, need: int) -> Ways:
        """A new need: a service that follows need follows."""
        if v != OUT and self.model.services[v].follows_need:
            return self.settle(b, g, v, need)
        return [(1.0, (g, v, need))]

    def refer(self, b: int, g: int, need: int) -> Ways:
        """At the front door: advice and home, or assessed and placed at once."""
        diverted = self.diverted.get(self.stages[self.stage_of[b]], (0.0,) * len(self.need_levels))[need]
        placed = [(share * (1.0 - diverted), state) for share, state in self.settle(b, g, OUT, need)]
        return [*placed, (diverted, (g, OUT, need))]

    def there(self, b: int, row: Caseload, need: int) -> Ways:
        """Where a client of day 0 is, once a service that follows need has followed."""
        v = OUT if row.service is None else self.kind[[s.name for s in self.model.services].index(row.service)]
        return self._after(b, self.groups.index(row.group), v, need)

    def turn(self, b: int, state: State) -> Ways:
        """A birthday, into band ``b``: perhaps a transition, perhaps a service that they are too old for."""
        g, v, need = state
        row = self.handovers.get((float(self.ages[b]), self.groups[g]))
        ways = [(1.0, state)]
        if row is not None:
            to = g if row.to_group is None else self.groups.index(row.to_group)
            most = need if row.at_most is None else min(need, self.need_levels.index(row.at_most))
            ways = []
            for chance, goes_on in ((row.keeps_need.value, most), (1.0 - row.keeps_need.value, 0)):
                same = goes_on == need and to == g
                ways += [
                    (chance * share, way) for share, way in ([(1.0, state)] if same else self._after(b, to, v, goes_on))
                ]
        aged_out = [(share, way, way[1] != OUT and not self.open[way[1], b, way[0]]) for share, way in ways]
        return [
            (share * part, after)
            for share, way, out in aged_out
            for part, after in (self.settle(b, *way) if out else [(1.0, way)])
        ]

    def moves(self, b: int, state: State) -> list[tuple[str, Rates, float, Ways]]:
        """The clocks that run in a state: name, rates, what multiplies them, and where they lead (nowhere: gone)."""
        g, v, need = state
        stage = self.stages[self.stage_of[b]]
        traits, service = self.need.get(stage), None if v == OUT else self.model.services[v]
        gap = 0 if service is None or service.short_term_days is not None else self.tier[v] - need
        out: list[tuple[str, Rates, float, Ways]] = []

        def run(clock: str, factor: float, leads: Ways, by: int = 1, at: int = OUT) -> None:
            rates = self.cells.get((clock, by, at, self.stage_of[b], g, need))
            if rates is not None and factor > 0.0 and not (rates.in_service_only and v == OUT):
                out.append((clock, rates, factor, leads))

        recovery = 1.0
        if service is not None and traits is not None:
            eased = (
                traits.enabling_recovery
                if service.enabling or service.short_term_days is not None
                else traits.over_provided_recovery
            )
            helps = service.enabling or service.short_term_days is not None or gap > 0
            recovery = eased.value if eased is not None and helps else 1.0
        for by in range(1, len(self.need_levels)):
            if need + by < len(self.need_levels):
                run("rise", 1.0, self._after(b, g, v, need + by), by)
            if need >= by:
                run("recover", recovery, self._after(b, g, v, need - by), by)
        if service is None and need > 0:
            run("detection", 1.0, self.refer(b, g, need))
        if gap > 0 and service is not None:
            run("step_down", 1.0, self.settle(b, g, v, need), at=v)
            if not service.enabling and need + 1 < len(self.need_levels):
                run("induced", float(gap), self._after(b, g, v, need + 1))
        ratios = None if traits is None or traits.death_ratio is None else traits.death_ratio.value
        run("death", 1.0 if ratios is None else ratios[need], [])
        run("leaving", 1.0, [])
        return out

    def line(self, clock: str, b: int, g: int, need: int) -> int:
        """The index of the dated modifiers that touch a clock in a cell."""
        stage, group, need_level = self.stages[self.stage_of[b]], self.groups[g], self.need_levels[need]
        return self.lines.setdefault(touching(self.model, clock, stage, group, need_level), len(self.lines))


class MarkovChain:
    """The states that anyone can reach, and the moves between them as arrays.

    - ``states``: S of them; ``live`` bool (B, S): which can be occupied in each age band
    - ``edges``: for each band the moves open to live states
    - ``turns`` (B, S, S): what reaching a band does; rows of live states of the band before add to 1
    - ``arrive``: for each stratum (B, R, S) where someone with a need is put who comes at an age in the band
    - ``there``: the same for each row of the caseload on day 0
    """

    def __init__(self, model: Model) -> None:
        self.care = care = PlacementRules(model)
        bands, need_levels = care.ages.size, len(care.need_levels)
        every = [
            (g, v, n)
            for g in range(len(care.groups))
            for v in (OUT, *sorted(set(care.kind)))
            for n in range(need_levels)
        ]
        index = {
            state: k
            for k, state in enumerate(
                state for state in every if state[1] == OUT or care.open[state[1], :, state[0]].any()
            )
        }
        self.states = list(index)
        self.edges = [self._edges(b, index) for b in range(bands)]
        self.turns = np.zeros((bands, len(index), len(index)))
        for b, (state, k) in product(range(1, bands), index.items()):
            for chance, after in care.turn(b, state):
                self.turns[b, k, index[after]] += chance
        self.arrive = [self._entries(row, index) for row in model.arrivals]
        self.there = [self._entries(row, index) for row in model.caseload]
        self._prune(model)

    def _edges(self, b: int, index: dict[State, int]) -> Edges:
        rows: list[tuple[int, int, float, int, int]] = []
        for state, k in index.items():
            for clock, rates, factor, leads in self.care.moves(b, state):
                targets = [(chance, index[after]) for chance, after in leads] or [(1.0, GONE)]
                line = self.care.line(clock, b, state[0], state[2])
                rows += [
                    (k, to, rates.a_day * factor * chance, rates.by_age, line)
                    for chance, to in targets
                    if chance > 0.0 and to != k
                ]
        columns = list(zip(*rows, strict=True)) or [()] * 5
        whole = [np.array(columns[k], np.int64) for k in (0, 1, 3, 4)]
        return Edges(whole[0], whole[1], np.array(columns[2], np.float64), whole[2], whole[3])

    def _entries(self, row: Arrivals | Caseload, index: dict[State, int]) -> Floats:
        care = self.care
        out = np.zeros((care.ages.size, len(care.need_levels), len(index)))
        for b, need in product(range(care.ages.size), range(len(care.need_levels))):
            if isinstance(row, Caseload):
                ways = care.there(b, row, need)
            elif row.route == "referral":
                ways = care.refer(b, care.groups.index(row.group), need)
            else:
                ways = care.settle(b, care.groups.index(row.group), OUT, need)
            for chance, state in ways:
                out[b, need, index[state]] += chance
        return out

    def _prune(self, model: Model) -> None:
        """Leave out the states that nobody can reach: find what is live band by band, from the youngest on."""
        self.live = np.zeros((self.care.ages.size, len(self.states)), np.bool_)
        strata: list[Arrivals | Caseload] = [*model.arrivals, *model.caseload]
        for row, entries in zip(strata, [*self.arrive, *self.there], strict=True):
            low, high = age_edges(model, row)[0][[0, -1]]
            needs = np.array(row.needs.value) > 0.0
            # A day on either side: a calendar birthday and an age of so many times 365.25 days are not the same moment.
            for band in np.flatnonzero(
                (self.care.ages < high + 0.01) & (np.append(self.care.ages[1:], np.inf) > low - 0.01)
            ):
                self.live[band] |= (entries[band, needs] > 0.0).any(axis=0)
        for b, edges in enumerate(self.edges):
            live = self.live[b]
            if b > 0:
                live |= (self.turns[b, self.live[b - 1]] > 0.0).any(axis=0)
            inside = edges.target != GONE
            source, target = edges.source[inside], edges.target[inside]
            while (found := target[live[source] & ~live[target]]).size:
                live[found] = True
        kept = np.flatnonzero(self.live.any(axis=0))
        place = np.full(len(self.states), GONE)
        place[kept] = np.arange(kept.size)
        for b, edges in enumerate(self.edges):
            mine = self.live[b, edges.source]
            target = np.where(edges.target[mine] == GONE, GONE, place[edges.target[mine]])
            self.edges[b] = Edges(
                place[edges.source[mine]], target, edges.weight[mine], edges.by_age[mine], edges.line[mine]
            )
        self.states = [self.states[k] for k in kept]
        self.live, self.turns = self.live[:, kept], self.turns[:, kept][:, :, kept]
        self.arrive, self.there = ([entries[..., kept] for entries in many] for many in (self.arrive, self.there))

    def unsettled(self) -> list[str]:
        """Services whose reviews would move someone who is not in the tier of their need: a line for each.

        Care that follows need is in its tier after every change of need. But where another tier stands in and a
        birthday opens the right one, only a review would notice.
        """
        care, faults = self.care, set[str]()
        for b, k in zip(*np.nonzero(self.live), strict=True):
            g, v, need = self.states[k]
            service = None if v == OUT else care.model.services[v]
            reviewed = service is not None and (
                service.first_review_days is not None or service.review_every_days is not None
            )
            if reviewed and care.settle(int(b), g, v, need) != [(1.0, (g, v, need))]:
                who = f"{care.groups[g]} at {care.ages[b]:g}"
                faults.add(
                    f"services[{v}]: a birthday opens a nearer tier to its clients ({who}), found by a review only"
                )
        return sorted(faults)


def age_edges(model: Model, row: Arrivals | Caseload) -> tuple[Floats, Floats]:
    """The age bands of a stratum or a row of the caseload: edges in years, and shares."""
    if row.ages is not None:
        shares = np.array(row.ages.shares)
        return np.array(row.ages.edges), shares / shares.sum()
    stage = next(s for s in model.stages if s.name == row.stage)
    assert stage.to_age is not None
    return np.array([stage.from_age, stage.to_age]), np.ones(1)
