"""A second reading of the rules of places: a log replayed row by row, every rule checked from scratch, and a ladder
that may freeze.

Nothing here is shared with the product but the model format and the meaning of a row of the log. The checker holds a
few dicts: who holds which place, who waits for what and since when. It knows no chains, no heads, no counts: after each
row and each instant it looks at everybody again.
"""

from __future__ import annotations

import datetime as dt
import math
import random
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Any

from numpy.typing import NDArray

from simcare.model import Model
from simcare.model.capacity import Offer
from simcare.model.parts import Service
from simcare.rules.codes import CAUSES, CLASSES, EVENTS

YEAR = 365.25
SOON = 1e-6  # days: a birthday is worked out from the age in a row
SHORT = "short-term"
TRIGGERS = {
    "arrival",
    "referral",
    "crisis",
    "ready",
    "assessed",
    "review",
    "displaced",
    "rise",
    "fall",
    "birthday",
    "handover",
    "transition",
}
OUT_OF_LINE = {"withdrawn", "diverted", "end", "left", "death", "admitted"}

Place = tuple[str, str, str | None]  # service, provider, and the area that the places are for


class Broken(AssertionError):
    """A rule does not hold at a row of the log."""


@dataclass(frozen=True)
class Room:
    """An offer, and the name of its places (none where they are not limited)."""

    service: Service
    place: Place
    offer: Offer


@dataclass
class Ticket:
    rank: int
    since: float
    number: int
    rung: str


@dataclass
class Person:
    area: str
    group: str
    birthdays: dict[float, float]
    place: Place | None = None
    service: str | None = None
    spot: bool = False
    ticket: Ticket | None = None
    wish: Ticket | None = None  # what was waited for when a cut came
    stay_start: float = math.nan
    need: int = 0
    trigger: tuple[int, float, str, str] = (-1, -1.0, "", "")


class Checker:
    """Replays the log of a model; ``run`` returns how often each kind of thing was seen, or raises ``Broken``."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.services = {s.name: s for s in model.services}
        self.need_levels = list(model.need_levels)
        self.tiers = [*self.need_levels, *(t.name for t in model.tiers if t.short_term)]
        self.rooms = [
            Room(self.services[o.service], (o.service, p.name, o.area), o) for p in model.providers for o in p.offers
        ]
        self.limited = {room.place: room for room in self.rooms if room.offer.places is not None}
        self.edges = sorted(
            {s.from_age for s in model.services} | {s.to_age for s in model.services if s.to_age is not None}
        )
        self.to_step_up = {
            (stage, group): hospital.to_step_up.values[0]
            for hospital in model.hospitals
            for stage in hospital.stages or [s.name for s in model.stages]
            for group in hospital.groups or [g.name for g in model.groups]
        }
        self.people: dict[int, Person] = {}
        self.seen: dict[str, int] = {}
        self.rows = cache(self.rows)

    # What the model says.

    def number_of(self, place: Place, time: float) -> int:
        series = self.limited[place].offer.places
        assert series is not None
        return math.floor(series.at(self.model.about.start + dt.timedelta(days=math.floor(time))) + 1e-9)

    def changes(self, place: Place) -> bool:
        """Whether the number changes at this very moment: several such changes are made one after the other."""
        at_day = self.now == math.floor(self.now) > 0
        return (
            at_day and place in self.limited and self.number_of(place, self.now) != self.number_of(place, self.now - 1)
        )

    def birthday(self, born: float, age: float) -> float:
        start = self.model.about.start
        date = start + dt.timedelta(days=math.floor(born))
        try:
            turned = date.replace(year=date.year + int(age))
        except ValueError:  # 29 February
            turned = dt.date(date.year + int(age), 3, 1)
        return (turned - start).days + born % 1 + age % 1 * YEAR

    def rows(self, area: str, group: str, rung: str, age: float) -> tuple[Room, ...]:
        """Who may take someone past the age edge ``age`` on a rung, or the nearest rung above, or below."""

        def on(tier: str | None) -> tuple[Room, ...]:
            return tuple(
                room
                for room in self.rooms
                if (
                    room.service.short_term_days is not None
                    if tier is None
                    else room.service.short_term_days is None and room.service.tier == tier
                )
                and room.service.from_age <= age
                and (room.service.to_age is None or age < room.service.to_age)
                and (room.service.groups is None or group in room.service.groups)
                and room.offer.weight.value > 0
                and room.offer.area in (None, area)
            )

        if rung == SHORT:
            return on(None)
        k = self.need_levels.index(rung)
        for tier in [*self.need_levels[k:], *self.need_levels[k - 1 : 0 : -1]]:
            if on(tier):
                return on(tier)
        return ()

    def options(self, p: Person, rung: str, time: float) -> tuple[Room, ...]:
        age = max((edge for edge, day in p.birthdays.items() if day <= time + SOON), default=0.0)
        return self.rows(p.area, p.group, rung, age)

    # What stands now.

    def used(self, place: Place) -> int:
        return sum(p.place == place and not p.spot for p in self.people.values())

    def is_free(self, room: Room, time: float) -> bool:
        return room.offer.places is None or self.used(room.place) < self.number_of(room.place, time)

    def could_take(self, p: Person, place: Place, time: float) -> bool:
        return p.ticket is not None and any(room.place == place for room in self.options(p, p.ticket.rung, time))

    def in_line(self, place: Place, time: float) -> list[int]:
        """Everybody who waits and could take the place, in order: class as it is now, then time, then order of
        asking."""
        waiting = [i for i, p in self.people.items() if self.could_take(p, place, time)]
        return sorted(waiting, key=lambda i: self.standing(i, time))

    def standing(self, i: int, time: float) -> tuple[int, float, int]:
        ticket = self.people[i].ticket
        assert ticket is not None
        return max(0, ticket.rank - int((time - ticket.since) // 28)), ticket.since, ticket.number

    # The replay.

    def run(self, log: NDArray[Any]) -> dict[str, int]:
        k = 0
        self.log = log
        while k < log.size:
            end = k + 1
            while end < log.size and log["time"][end] == log["time"][k]:
                end += 1
            self.now = float(log["time"][k])
            at_begin = self.now == 0.0 and k == 0
            if at_begin:  # everybody of day 0 is there before anything happens
                for j in range(k, end):
                    if EVENTS[log["event"][j]] == "present":
                        self.meet(log[j])
                        self.hold(self.people[int(log["client"][j])], log[j])
            j = k
            while j < end:
                j = self.row(j, end)
            self.instant()
            k = end
        return self.seen

    def fail(self, what: str, k: int | None = None) -> None:
        row = "" if k is None else f" at row {k}: {self.words(k)}"
        raise Broken(f"day {self.now:.6f}: {what}{row}")

    def words(self, k: int) -> str:
        r = self.log[k]
        service = self.model.services[r["service"]].name if r["service"] >= 0 else "-"
        what = f"{EVENTS[r['event']]} ({CAUSES[r['cause']]})"
        return f"{r['client']} {what} {self.need_levels[r['need']]} in {service}, spot {r['spot']}"

    def count(self, what: str) -> None:
        self.seen[what] = self.seen.get(what, 0) + 1

    def meet(self, r: Any) -> Person:
        i = int(r["client"])
        if i not in self.people:
            born = float(r["time"] - r["age"] * YEAR)
            area, group = self.model.about.areas[r["area"]], self.model.groups[r["group"]].name
            self.people[i] = Person(area, group, {edge: self.birthday(born, edge) for edge in self.edges})
        return self.people[i]

    def hold(self, p: Person, r: Any) -> None:
        """The place that a row says the person holds."""
        p.service, p.place = None, None
        if r["service"] >= 0:
            p.service = self.model.services[r["service"]].name
            provider = self.model.providers[r["provider"]].name
            names = [(p.service, provider, area) for area in (p.area, None)]
            p.place = next((name for name in names if name in self.limited), None)
        p.spot = bool(r["spot"])

    def wanted(self, p: Person, k: int) -> str:
        """The rung asked for: read off what led to it."""
        r = self.log[k]
        row, time, event, cause = p.trigger
        need = self.need_levels[p.need]
        if row < 0 or time != self.now:
            return need  # a step down by the provider, a birthday at which only a service ends
        if event == "displaced":
            tier = self.tiers[r["tier"]]
            return tier if tier in self.need_levels else SHORT
        crisis = event == "crisis" or (event == "referral" and cause == "crisis")
        stage, group = self.model.stages[r["stage"]].name, p.group
        ready = event == "ready" and self.to_step_up.get((stage, group), 0) == 1
        return SHORT if (crisis or ready) and self.options(p, SHORT, self.now) else need

    def row(self, k: int, end: int) -> int:
        """One row, or the rows of one swap; returns the next."""
        r = self.log[k]
        event, cause, i = EVENTS[r["event"]], CAUSES[r["cause"]], int(r["client"])
        p = self.meet(r)
        p.group, p.need = self.model.groups[r["group"]].name, int(r["need"])
        if event in ("start", "move"):
            return self.granted(k, end)
        if event == "queued":
            self.queued(p, k, cause)
        elif event == "kept":
            self.kept(i, k)
        elif event == "displaced":
            self.displaced(i, k)
        elif event in OUT_OF_LINE:
            if event == "withdrawn" and p.ticket is None and cause != "reneged":
                self.fail("withdrawn by who did not wait", k)
            p.ticket = None
            self.count(f"{event} {cause}")
            if event in ("left", "death", "end"):
                p.place, p.service, p.spot = None, None, False
        held = self.model.services[r["service"]].name if r["service"] >= 0 else None
        if event not in ("left", "death", "end") and (held != p.service or bool(r["spot"]) != p.spot):
            self.fail("another place than the one granted", k)
        if event != "present" and p.service is not None and bool(r["waiting"]) != (p.ticket is not None):
            self.fail("waiting, and yet not in line, or the other way round", k)
        p.stay_start = float(r["stay_start"])
        if event in TRIGGERS:
            p.trigger = (k, self.now, event, cause)
        return k + 1

    def queued(self, p: Person, k: int, cause: str) -> None:
        """Who waited already goes on waiting: since then, and after a cut for what they waited for."""
        cut = p.trigger[1] == self.now and p.trigger[2] == "displaced"
        wish = p.wish if cut and p.ticket is None else p.ticket
        rung = wish.rung if cut and wish is not None else self.wanted(p, k)
        options = self.options(p, rung, self.now)
        if not options:
            self.fail(f"waits for '{rung}', where nobody may take them", k)
        if not cut and any(self.is_free(room, self.now) and not self.changes(room.place) for room in options):
            self.fail(f"waits for '{rung}' though a place is free", k)
        if (cut and cause != "cut") or (cause == "cut" and not p.spot):
            self.fail("joins the queue for a cut without one, or after one for something else", k)
        rank = 0 if cause == "cut" else CLASSES.index(cause)
        if cause == CLASSES[0] and any(room.offer.spot_premium is not None for room in options):
            self.fail("a crisis waits though a place can be bought on the spot", k)
        if cause == CLASSES[0] and not p.spot and p.trigger[2] not in ("crisis", "referral", "assessed", "arrival"):
            self.fail("in the class of crises without one", k)
        p.ticket, p.wish = Ticket(rank, self.now if wish is None else wish.since, k, rung), None
        self.count(f"queued {cause}")

    def granted(self, k: int, end: int) -> int:
        r, i = self.log[k], int(self.log["client"][k])
        p, cause = self.people[i], CAUSES[self.log["cause"][k]]
        fresh = p.trigger[1] == self.now and (p.ticket is None or p.trigger[0] > p.ticket.number)
        rungs = ([p.ticket.rung] if p.ticket is not None else []) + (
            [self.wanted(p, k)] if fresh or p.ticket is None else []
        )
        after = Person(p.area, p.group, p.birthdays)
        self.hold(after, r)
        provider = self.model.providers[r["provider"]].name
        fitting = [
            room
            for rung in rungs
            for room in self.options(p, rung, self.now)
            if room.place[:2] == (after.service, provider)
        ]
        if not fitting:
            self.fail(f"a place that is not of '{' or '.join(rungs)}', or not open to them", k)
        if after.place is not None and after.spot:
            self.bought(p, k, cause, fitting[0].place, rungs)
        elif (
            after.place is not None
            and (not self.changes(after.place) or self.is_left(after.place, k + 1, end))
            and self.used(after.place) - (p.place == after.place and not p.spot)
            >= self.number_of(after.place, self.now)
        ):
            return self.swap(k, end)
        elif after.place is not None:
            line = [j for j in self.in_line(after.place, self.now) if j != i]
            if fresh and line and not self.could_take(p, after.place, self.now):
                self.fail(f"a place that {line[0]} was waiting for, granted to who has only come", k)
            if line and p.ticket is not None and self.standing(line[0], self.now) < self.standing(i, self.now):
                self.fail(
                    f"a place for which {line[0]} stands before them: {self.standing(line[0], self.now)} and"
                    f" {self.standing(i, self.now)}",
                    k,
                )
            self.count("granted from the queue" if p.ticket is not None else "granted at once")
        self.settle(i, k)
        return k + 1

    def is_left(self, place: Place, k: int, end: int) -> bool:
        """Whether the next row is of somebody who moves out of the place."""
        if k >= end or EVENTS[self.log["event"][k]] != "move":
            return False
        return self.people[int(self.log["client"][k])].place == place

    def settle(self, i: int, k: int) -> None:
        p, r = self.people[i], self.log[k]
        self.hold(p, r)
        p.ticket, p.stay_start = None, float(r["stay_start"])
        if r["waiting"]:
            self.fail("granted a place and still waiting", k)

    def bought(self, p: Person, k: int, cause: str, place: Place, rungs: list[str]) -> None:
        urgent = any(row.priority == 1 for row in self.model.arrivals) and cause in ("assessment", "direct")
        if cause != "crisis" and not urgent:
            self.fail("a place beyond the number for who is not in crisis", k)
        if self.limited[place].offer.spot_premium is None:
            self.fail("a place beyond the number where none is sold", k)
        if any(
            self.is_free(room, self.now) and not self.changes(room.place)
            for room in self.options(p, rungs[-1], self.now)
        ):
            self.fail("a place beyond the number though one is free", k)
        self.count("bought on the spot")

    def swap(self, k: int, end: int) -> int:
        """Places all taken, so this must be a cycle: each goes where the next one leaves, the last where the first one
        was."""
        first = self.people[int(self.log["client"][k])]
        target = first.place
        if target is None or first.spot:
            self.fail("more people than places", k)
        length, row, vacated = 0, k, target
        while True:
            if row >= end or EVENTS[self.log["event"][row]] not in ("move", "start"):
                self.fail("more people than places: a swap that does not close", k)
            j = int(self.log["client"][row])
            mover = self.people[j]
            left, into = mover.place, Person(mover.area, mover.group, mover.birthdays)
            self.hold(into, self.log[row])
            if length and (left != vacated or mover.spot):
                self.fail("a swap in which one goes who does not leave the place taken", row)
            assert into.place is not None
            if not self.could_take(mover, into.place, self.now):
                self.fail("a swap into a place not waited for", row)
            if length:  # the first has just asked, or their turn would have come before
                same = [
                    x
                    for x in self.in_line(into.place, self.now)
                    if self.people[x].place == left and not self.people[x].spot
                ]
                if same[0] != j:
                    self.fail(f"of those who wait the same way, {same[0]} stands before", row)
            vacated = into.place
            self.settle(j, row)
            length, row = length + 1, row + 1
            if vacated == target:
                break
        self.count(f"swap of {length}")
        return row

    def kept(self, i: int, k: int) -> None:
        p = self.people[i]
        if p.place is None or not p.spot:
            self.fail("keeps a place that was not lost", k)
        assert p.place is not None
        if self.used(p.place) >= self.number_of(p.place, self.now):
            self.fail("keeps a place that is not free", k)
        if self.in_line(p.place, self.now)[:1] != [i]:
            self.fail("keeps a place out of turn", k)
        p.spot, p.ticket = False, None
        self.count("kept")

    def displaced(self, i: int, k: int) -> None:
        p = self.people[i]
        if p.place is None or p.spot or self.used(p.place) <= self.number_of(p.place, self.now):
            self.fail("displaced without a cut", k)
        assert p.place is not None
        there = [j for j, q in self.people.items() if q.place == p.place and not q.spot]
        rule = self.limited[p.place].offer.when_cut
        mine = (self.people[i].need, -p.stay_start)
        for j in there:
            q = self.people[j]
            wrong = q.stay_start > p.stay_start if rule == "last_in" else q.stay_start < p.stay_start
            if (rule != "least_need" and wrong) or (rule == "least_need" and (q.need, -q.stay_start) < mine):
                self.fail(f"displaced in place of {j} ({rule})", k)
        p.spot, p.ticket, p.wish = True, None, p.ticket
        self.count(f"displaced {rule}")

    def instant(self) -> None:
        """What must hold whenever time passes."""
        for place in self.limited:
            used, places = self.used(place), self.number_of(place, self.now)
            if used > places:
                self.fail(f"{used} people in {places} places of {place}")
            line = self.in_line(place, self.now)
            if line and used < places:
                self.fail(f"a place of {place} is free while {line[0]} waits for it")
        for i, p in self.people.items():
            if p.ticket is not None and any(
                room.offer.places is None for room in self.options(p, p.ticket.rung, self.now)
            ):
                self.fail(f"{i} waits though there is a place for everybody")
        self.no_cycle()

    def no_cycle(self) -> None:
        """Nobody waits for a place that is held by somebody who waits for one … that they hold themselves."""
        leads: dict[Place, set[Place]] = {}
        for p in self.people.values():
            if p.ticket is not None and p.place is not None and not p.spot:
                leads.setdefault(p.place, set()).update(room.place for room in self.options(p, p.ticket.rung, self.now))
        for begin in leads:
            reached, todo = set[Place](), list(leads[begin])
            while todo:
                place = todo.pop()
                if place == begin:
                    self.fail(f"people wait in a circle for each other's places: {begin}")
                if place not in reached:
                    reached.add(place)
                    todo += leads.get(place, ())


def team_is_never_in_two_places(model: Model, log: NDArray[Any]) -> int:
    """For one team of constant hours that does everything: between two cases done lie at least the hours of the later
    one."""
    (team,) = model.teams
    hours = {"assessed": team.hours_per_assessment, "review": team.hours_per_review}
    done = [
        (float(r["time"]), hours[EVENTS[r["event"]]].value) for r in log if hours.get(EVENTS[r["event"]]) is not None
    ]
    for (before, _), (after, worked) in pairwise(done):
        if after - before < worked / team.hours_per_week.values[0] * 7 - SOON:
            raise Broken(f"a case of {worked} hours done on day {after}, the one before on day {before}")
    return len(done)


class Ladder:
    """The ladder of ``ladder.toml``, once more: homes and beds, who waits keeps the old place, swaps or not.

    Rates are a day: people come who need a home; who needs home and has it gets well or comes to need a bed; who needs
    a bed and has it gets better; who has a bed and needs home may need the bed again. All else stands still.
    """

    def __init__(
        self, homes: int, beds: int, come: float, rise: float, well: float, better: float, swaps: bool, seed: int
    ) -> None:
        self.places = {"home": homes, "bed": beds}
        self.rates = (come, rise, well, better)
        self.swaps, self.rng = swaps, random.Random(seed)
        self.people: list[dict[str, Any]] = []  # needs, has, asked (when), rank
        self.moves: list[float] = []  # when anybody moved in, up, down or out
        self.time, self.number = 0.0, 0

    def run(self, days: float) -> None:
        come, rise, well, better = self.rates
        while True:
            clocks: list[tuple[float, str, dict[str, Any] | None]] = [(come, "come", None)]
            for p in self.people:
                if (p["needs"], p["has"]) == ("home", "home"):
                    clocks += [(rise, "rise", p), (well, "well", p)]
                elif (p["needs"], p["has"]) == ("bed", "bed"):
                    clocks += [(better, "better", p)]
                elif (p["needs"], p["has"]) == ("home", "bed"):
                    clocks += [(rise, "rise", p)]
            self.time += self.rng.expovariate(sum(rate for rate, _, _ in clocks))
            if self.time >= days:
                return
            _, what, who = self.rng.choices(clocks, [rate for rate, _, _ in clocks])[0]
            self.happen(what, who)

    def happen(self, what: str, p: dict[str, Any] | None) -> None:
        self.number += 1
        if p is None:
            p = {"has": None}
            self.people.append(p)
            self.ask(p, "home", 2)
        elif what == "well":
            self.people.remove(p)
            self.moves.append(self.time)
        elif what == "rise":
            self.ask(p, "bed", 3)
        elif what == "better":
            self.ask(p, "home", 3)
        self.share()

    def ask(self, p: dict[str, Any], needs: str, rank: int) -> None:
        p["needs"], p["rank"], p["asked"], p["number"] = needs, rank, self.time, self.number
        if p["has"] == needs:
            return
        if self.swaps and p["has"] is not None and not self.free(needs):
            others = [q for q in self.waiting(p["has"]) if q["has"] == needs]
            if others:
                others[0]["has"], p["has"] = p["has"], needs
                self.moves += [self.time] * 2

    def free(self, place: str) -> int:
        return self.places[place] - sum(p["has"] == place for p in self.people)

    def waiting(self, place: str) -> list[dict[str, Any]]:
        line = [p for p in self.people if p["needs"] == place and p["has"] != place]
        return sorted(
            line, key=lambda p: (max(0, p["rank"] - int((self.time - p["asked"]) // 28)), p["asked"], p["number"])
        )

    def share(self) -> None:
        while True:
            ready = [place for place in self.places if self.free(place) > 0 and self.waiting(place)]
            if not ready:
                return
            self.waiting(ready[0])[0]["has"] = ready[0]
            self.moves.append(self.time)
