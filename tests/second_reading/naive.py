"""A second reading of the model: one person at a time, in plain Python, slow and obvious.

It shares with the product only the model format. Between two moments at which anything about a person or the world may
change, every clock that runs draws a fresh waiting time from its cumulative hazard (exact: a clock that has not fired
has forgotten everything but the time since its origin); the first to fire before the end of that slice happens.
"""

from __future__ import annotations

import datetime as dt
import math
import random
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from itertools import pairwise
from typing import NamedTuple

from simcare.model import Model
from simcare.model.fields import Modifier
from simcare.model.number import DatedNumber
from simcare.model.parts import Ages, Arrivals, Caseload, Clock, FrontDoor, Need, Service
from simcare.units import ramp_steps

YEAR = 365.25
NEVER = math.inf
SINCE = {
    "death": "age"
}  # what a clock counts from unless it says so; the others count from when the present need began


class Row(NamedTuple):
    """A person after something happened."""

    time: float
    event: str
    cause: str
    stage: str
    group: str
    need: str
    tier: str
    service: str
    provider: str
    waiting: bool


@dataclass
class Person:
    born: float
    band: float  # the last age passed at which anything can change
    stage: str
    group: str
    need: int
    need_since: float
    frailty: float = 1.0
    service: Service | None = None
    provider: str = ""
    stay_start: float = NEVER
    last_review: float = NEVER
    assessment_due: float = NEVER
    short_term_due: float = NEVER
    review_due: float = NEVER
    known: bool = False
    gone: bool = False
    rows: list[Row] = field(default_factory=list)

    @property
    def waiting(self) -> bool:
        return self.assessment_due < NEVER


def draw_in_bands(rng: random.Random, edges: tuple[float, ...], shares: tuple[float, ...]) -> float:
    low, high = rng.choices(list(pairwise(edges)), shares)[0]
    return rng.uniform(low, high)


def matches(scope: tuple[str, ...] | None, name: str) -> bool:
    return scope is None or name in scope


@cache
def bands_of(edges: tuple[float, ...], by_age: bool) -> tuple[tuple[float, float], ...]:
    """The bands of a piecewise clock in days; the last has no end."""
    return tuple(pairwise([*(edge * YEAR if by_age else edge for edge in edges), NEVER]))


def cumulative(row: Clock, per_year: float, u: float) -> float:
    """The integrated hazard of a clock's baseline, ``u`` days after its origin."""
    factor = row.factor.value if row.factor else 1.0
    if u <= 0:
        return 0.0
    if row.family == "constant":
        return factor * per_year * u / YEAR
    if row.family == "gompertz":
        growth = row.growth_per_year.value
        return factor * per_year * (math.exp(growth * u / YEAR) - 1) / growth
    if row.family == "piecewise":
        total = 0.0
        for rate, (low, high) in zip(
            row.rates, bands_of(row.edges, (row.since or SINCE.get(row.clock)) == "age"), strict=True
        ):
            if u <= low:
                break
            total += rate * (min(u, high) - low) / YEAR
        return factor * total
    if row.family == "weibull":
        return factor * (u / row.scale_days.value) ** row.shape.value
    if row.family == "log_logistic":
        return factor * math.log(1 + (u / row.scale_days.value) ** row.shape.value)
    if row.family == "lognormal":
        return -factor * math.log(0.5 * math.erfc((math.log(u) - row.log_mean.value) / row.log_sd.value / math.sqrt(2)))
    assert row.family == "mixture"
    return -factor * math.log(
        sum(share * math.exp(-u / mean) for share, mean in zip(row.shares.value, row.mean_days.value, strict=True))
    )


def waiting_time(row: Clock, per_year: float, multiplier: float, u: float, longest: float, budget: float) -> float:
    """How long until a clock, ``u`` days after its origin, has spent its budget; NEVER if not within ``longest``
    days."""
    if multiplier <= 0:
        return NEVER
    reached = cumulative(row, per_year, u) + budget / multiplier
    if cumulative(row, per_year, u + longest) < reached:
        return NEVER
    if row.family == "constant":  # a straight line, so no search
        return budget / multiplier / cumulative(row, per_year, 1.0)
    low, high = 0.0, longest
    while high - low > 1e-6:
        middle = (low + high) / 2
        low, high = (middle, high) if cumulative(row, per_year, u + middle) < reached else (low, middle)
    return high


class Naive:
    """The people of a model, simulated for ``days`` days."""

    def __init__(self, model: Model, days: float, seed: int) -> None:
        self.model, self.days, self.rng = model, days, random.Random(seed)
        self.start = model.about.start
        self.need_levels = list(model.need_levels)
        self.services = {service.name: service for service in model.services}
        self.ladder = {tier.name for tier in model.tiers if not tier.short_term}
        ages = {stage.from_age for stage in model.stages} | {handover.age for handover in model.handovers}
        ages |= {service.from_age for service in model.services} | {
            s.to_age for s in model.services if s.to_age is not None
        }
        self.ages = sorted(ages)
        self.dates = sorted({self.day(date) for date in self.dated_changes()})
        self.clocks_of = cache(self.clocks_of)
        self.modified = cache(self.modified)
        self.offers_of = cache(self.offers_of)
        self.need_rows = {
            stage.name: next((n for n in model.need if matches(n.stages, stage.name)), Need(name="none"))
            for stage in model.stages
        }
        self.doors = {
            stage.name: next((d for d in model.front_door if matches(d.stages, stage.name)), FrontDoor(name="none"))
            for stage in model.stages
        }

    # The calendar and dated numbers.

    def day(self, date: dt.date) -> float:
        return float((date - self.start).days)

    def at(self, series: DatedNumber | None, time: float, default: float = 0.0) -> float:
        return default if series is None else series.at(self.start + dt.timedelta(days=math.floor(time)))

    def dated_changes(self) -> Iterator[dt.date]:
        """Every date on which a hazard changes."""
        for modifier in self.model.modifiers:
            for date, _ in ramp_steps(modifier.start, modifier.ramp_days):
                yield date

    def next_date(self, time: float) -> float:
        k = bisect_right(self.dates, time)
        return self.dates[k] if k < len(self.dates) else NEVER

    def effect(self, modifier: Modifier, time: float) -> float:
        share = 0.0
        for date, reached in ramp_steps(modifier.start, modifier.ramp_days):
            if self.day(date) <= time:
                share = reached
        return 1 + share * (modifier.multiply.value - 1)

    def modified(self, what: str, stage: str, group: str, need: int, period: int) -> float:
        """The product of the dated modifiers of a clock (or of arrivals) in a cell, in the period between two dated
        changes."""
        time = self.dates[period - 1] if period else -NEVER
        rows = [
            m for m in self.model.modifiers if m.on == what and matches(m.stages, stage) and matches(m.groups, group)
        ]
        return math.prod(self.effect(m, time) for m in rows if matches(m.needs, self.need_levels[need]))

    def birthday(self, born: float, age: float) -> float:
        """The day on which someone turns ``age``, by the calendar."""
        date = self.start + dt.timedelta(days=math.floor(born))
        try:
            turned = date.replace(year=date.year + int(age))
        except ValueError:  # 29 February
            turned = dt.date(date.year + int(age), 3, 1)
        return self.day(turned) + born % 1 + age % 1 * YEAR

    # How a person stands, and what is open to them.

    def short_term(self, service: Service | None) -> bool:
        return service is not None and service.tier not in self.ladder

    def gap(self, p: Person) -> int:
        if p.service is None:
            return -p.need
        return 0 if self.short_term(p.service) else self.need_levels.index(p.service.tier) - p.need

    def is_open(self, service: Service, band: float, group: str) -> bool:
        return (
            service.from_age <= band
            and (service.to_age is None or band < service.to_age)
            and matches(service.groups, group)
        )

    def offers_of(self, tier: str, band: float, group: str) -> tuple[list[tuple[Service, str]], list[float]]:
        """Service and provider of every offer that may be taken on a tier, and its weight."""
        found = [
            (self.services[offer.service], provider.name, offer.weight.value)
            for provider in self.model.providers
            for offer in provider.offers
            if offer.weight.value > 0
            and self.services[offer.service].tier == tier
            and self.is_open(self.services[offer.service], band, group)
        ]
        return [(service, provider) for service, provider, _ in found], [weight for _, _, weight in found]

    def log(self, p: Person, time: float, event: str, cause: str = "") -> None:
        tier, service = (p.service.tier, p.service.name) if p.service else (self.need_levels[0], "")
        p.rows.append(
            Row(time, event, cause, p.stage, p.group, self.need_levels[p.need], tier, service, p.provider, p.waiting)
        )

    # The door, assessment, placement.

    def refer(self, p: Person, time: float, cause: str) -> None:
        door = self.doors[p.stage]
        p.known = True
        p.assessment_due = time if door.assessment_days is None else self.due(door.assessment_days, time, time)
        self.log(p, time, "referral", cause)
        if cause == "crisis":
            self.rescue(p, time)
        elif door.diverted is not None and self.rng.random() < door.diverted.value[p.need]:
            p.assessment_due = NEVER
            self.log(p, time, "diverted", "advice")

    def see(self, p: Person, time: float) -> int:
        """The rung that an assessor or reviewer finds."""
        door, luck = self.doors[p.stage], self.rng.random()
        over, under = self.at(door.over_specified, time), self.at(door.under_specified, time)
        if luck < over:
            return min(p.need + 1, len(self.need_levels) - 1)
        return max(p.need - 1, 0) if luck < over + under else p.need

    def assess(self, p: Person, time: float) -> None:
        """The assessment after a referral."""
        seen = self.see(p, time)
        self.log(p, time, "assessed", "assessment")
        p.assessment_due = NEVER
        door = self.doors[p.stage]
        wanted = self.need_levels[1:] if door.step_up_tiers is None else door.step_up_tiers
        if seen == 0:
            self.log(p, time, "diverted", "not_in_need")
        elif not (
            self.need_levels[seen] in wanted
            and self.rng.random() < self.at(door.step_up_first, time)
            and self.step_up(p, time, "assessment")
        ):
            self.place(p, time, seen, "assessment")

    def rescue(self, p: Person, time: float) -> None:
        """Straight to short-term care; where there is none, assessed and placed on the spot."""
        if self.step_up(p, time, "crisis"):
            return
        p.assessment_due = time if p.service is None else NEVER
        seen = self.see(p, time)
        self.log(p, time, "assessed", "assessment")
        p.assessment_due = NEVER
        if seen == 0 and p.service is None:
            self.log(p, time, "diverted", "not_in_need")
        else:
            self.place(p, time, seen, "crisis")

    def step_up(self, p: Person, time: float, cause: str) -> bool:
        options: list[tuple[Service, str]] = []
        weights: list[float] = []
        for tier in self.model.tiers:
            if tier.short_term:
                more, heavy = self.offers_of(tier.name, p.band, p.group)
                options, weights = options + more, weights + heavy
        if not options:
            return False
        self.enter(p, time, *self.rng.choices(options, weights)[0], cause)
        return True

    def place(self, p: Person, time: float, rung: int, cause: str) -> None:
        """On the rung, or the nearest above that is open, or the nearest below; rung 0 is independence."""
        outgrown = p.service is not None and not self.is_open(p.service, p.band, p.group)
        if rung > 0:
            for level in (*range(rung, len(self.need_levels)), *range(rung - 1, 0, -1)):
                options, weights = self.offers_of(self.need_levels[level], p.band, p.group)
                if options and p.service is not None and p.service.tier == self.need_levels[level] and not outgrown:
                    return
                if options:
                    self.enter(p, time, *self.rng.choices(options, weights)[0], cause)
                    return
        if p.service is not None:
            self.leave_service(p, time, cause)

    def enter(self, p: Person, time: float, service: Service, provider: str, cause: str) -> None:
        event = "start" if p.service is None else "move"
        p.service, p.provider, p.stay_start, p.last_review = service, provider, time, time
        p.assessment_due = NEVER
        self.plan(p, time)
        self.log(p, time, event, cause)

    def leave_service(self, p: Person, time: float, cause: str) -> None:
        p.service, p.provider, p.stay_start = None, "", NEVER
        p.short_term_due = p.review_due = NEVER
        self.log(p, time, "end", cause)

    # Short-term care and reviews.

    def plan(self, p: Person, time: float) -> None:
        """When the stay that began at ``p.stay_start`` ends by plan, and when it is first reviewed."""
        p.short_term_due = p.review_due = NEVER
        if self.short_term(p.service):
            p.short_term_due = self.due(p.service.short_term_days, p.stay_start, time)
        elif not p.service.follows_need:
            first = p.service.first_review_days
            if (
                first is not None and p.stay_start + self.at(first, time) < time
            ):  # there on day 0, past the first review
                p.last_review = p.stay_start + self.at(first, p.stay_start)
            if first is None or p.stay_start + self.at(first, time) < time:
                p.review_due = self.regular_review(p, time)
            else:
                p.review_due = self.due(first, p.stay_start, time)

    def due(self, series: DatedNumber, since: float, now: float) -> float:
        """The first moment, from now on, at which as many days have passed as are then in force."""
        dates = [self.day(step.from_) for step in series.steps[1:]]
        for begin, finish, days in zip([-NEVER, *dates], [*dates, NEVER], series.values, strict=True):
            moment = max(begin, now, since + days)
            if moment < finish:
                return moment
        raise AssertionError("the last value holds for ever")

    def regular_review(self, p: Person, time: float) -> float:
        """The first moment at which the time since the last review is the interval then in force.

        For those present on day 0 reviews went by the interval of that day since their stay began.
        """
        series = p.service.review_every_days
        if series is None:
            return NEVER
        while p.last_review < 0 and p.last_review + self.at(series, time) <= time:
            p.last_review += self.at(series, time)
        return self.due(series, p.last_review, time)

    def review(self, p: Person, time: float) -> None:
        seen, tier = self.see(p, time), self.need_levels.index(p.service.tier)
        self.log(p, time, "review", "same" if seen == tier else "up" if seen > tier else "down")
        p.last_review = time
        p.review_due = self.regular_review(p, time)
        if seen != tier:
            self.place(p, time, seen, "review")

    def end_short_term(self, p: Person, time: float) -> None:
        p.short_term_due = NEVER
        seen = self.see(p, time)
        self.log(p, time, "assessed", "short_term_end")
        self.place(p, time, seen, "short_term_end")

    # Need.

    def rise(self, p: Person, time: float, by: int, cause: str) -> None:
        p.need, p.need_since = p.need + by, time
        self.log(p, time, "rise", cause)
        at_once = self.need_rows[p.stage].crisis_at_once
        if p.service is not None and p.service.follows_need:
            self.place(p, time, p.need, "need")
        elif at_once is not None and self.gap(p) <= -2 and self.rng.random() < at_once.value:
            self.crisis(p, time, "at_once")

    def fall(self, p: Person, time: float, by: int) -> None:
        p.need, p.need_since = p.need - by, time
        self.log(p, time, "fall", "need")
        if p.service is not None and p.service.follows_need:
            self.place(p, time, p.need, "need")

    def crisis(self, p: Person, time: float, cause: str) -> None:
        self.log(p, time, "crisis", cause)
        self.rescue(p, time)

    # Birthdays.

    def next_age(self, p: Person) -> float:
        return next((age for age in self.ages if age > p.band), NEVER)

    def turn(self, p: Person, time: float) -> None:
        age = p.band = self.next_age(p)
        stage = [stage.name for stage in self.model.stages if stage.from_age <= age][-1]
        if stage != p.stage:
            p.stage = stage
            self.log(p, time, "birthday", "age")
        handover = next((row for row in self.model.handovers if row.age == age and matches(row.groups, p.group)), None)
        if handover is not None:
            need = p.need
            if self.rng.random() >= handover.keeps_need.value:
                need = 0
            elif handover.at_most is not None:
                need = min(need, self.need_levels.index(handover.at_most))
            group = handover.to_group or p.group
            if (need, group) != (p.need, p.group):
                p.need_since = p.need_since if need == p.need else time
                p.need, p.group = need, group
                self.log(p, time, "handover", "age")
        if p.service is not None and (not self.is_open(p.service, age, p.group) or p.service.follows_need):
            self.place(p, time, p.need, "handover")

    # Clocks.

    def clocks_of(self, stage: str, group: str, need: int) -> list[tuple[Clock, float]]:
        """Every clock row that speaks for a cell, and its rate a year where it has one rate."""
        name, found = self.need_levels[need], []
        for row in self.model.clocks:
            possible = (row.clock != "rise" or need + row.by < len(self.need_levels)) and (
                row.clock != "recover" or need >= row.by
            )
            possible = (
                possible
                and (row.clock != "induced" or need + 1 < len(self.need_levels))
                and (row.clock != "detection" or need > 0)
            )
            if possible and matches(row.stages, stage) and matches(row.groups, group) and matches(row.needs, name):
                many = row.family == "constant" and len(row.rates) > 1
                found.append((row, row.rates[row.needs.index(name)] if many else row.rates[0] if row.rates else NEVER))
        return found

    def multiplier(self, p: Person, row: Clock, named: bool) -> float:
        """How many times as fast as its baseline a clock runs for a person as they are now; 0 where it does not run."""
        need, service, gap = self.need_rows[p.stage], p.service, self.gap(p)
        long_term = service is not None and not self.short_term(service)
        follows = service is not None and service.follows_need
        value = 1.0
        if row.clock == "rise":
            value = p.frailty
            if p.waiting and need.waiting_rise is not None:
                value *= need.waiting_rise.value
        elif row.clock == "recover":
            value = 1 / p.frailty
            if service is not None and (service.enabling or not long_term):
                value *= need.enabling_recovery.value if need.enabling_recovery is not None else 1.0
            elif service is not None and gap > 0:
                value *= need.over_provided_recovery.value if need.over_provided_recovery is not None else 1.0
            if p.waiting and need.waiting_recovery is not None:
                value *= need.waiting_recovery.value
        elif row.clock == "induced":
            value = gap if long_term and not service.enabling and gap > 0 else 0
        elif row.clock == "crisis":
            value = -gap if gap < 0 and not follows else 0
        elif row.clock == "detection":
            value = service is None and not p.waiting
        elif row.clock == "step_down":
            mine = row.services is not None and service is not None and service.name in row.services
            value = long_term and gap > 0 and not follows and (mine if named else row.services is None)
        elif row.clock == "death" and need.death_ratio is not None:
            value = need.death_ratio.value[p.need]
        if row.services is not None and row.clock != "step_down":
            value *= service is not None and service.name in row.services
        return value

    def first_to_fire(self, p: Person, time: float, until: float) -> tuple[float, Clock | None]:
        first: tuple[float, Clock | None] = (NEVER, None)
        period = bisect_right(self.dates, time)
        rows = self.clocks_of(p.stage, p.group, p.need)
        # A step-down rate that names the service stands in place of the one for all services.
        named = p.service is not None and any(
            row.clock == "step_down" and row.services is not None and p.service.name in row.services for row, _ in rows
        )
        for row, rate in rows:
            since = row.since or SINCE.get(row.clock, "need")
            origin = {"need": p.need_since, "stay": p.stay_start, "age": p.born}[since]
            if origin == NEVER:  # no stay, so no time in it
                continue
            multiplier = self.multiplier(p, row, named) * self.modified(row.clock, p.stage, p.group, p.need, period)
            longest = min(until, first[0]) - time  # later than another is as good as never
            fires = time + waiting_time(row, rate, multiplier, time - origin, longest, self.rng.expovariate(1.0))
            if fires < first[0]:
                first = (fires, row)
        return first

    def fire(self, p: Person, time: float, row: Clock) -> None:
        if row.clock == "rise":
            self.rise(p, time, row.by, "need")
        elif row.clock == "induced":
            self.rise(p, time, 1, "induced")
        elif row.clock == "recover":
            self.fall(p, time, row.by)
        elif row.clock == "crisis":
            self.crisis(p, time, "hazard")
        elif row.clock == "detection":
            self.refer(p, time, "again" if p.known else "new")
        elif row.clock == "step_down":
            self.place(p, time, p.need, "step_down")
        else:
            p.gone = True
            self.log(p, time, {"death": "death", "leaving": "left"}[row.clock])

    # Lives.

    def live(self, p: Person, time: float) -> list[Row]:
        while not p.gone:
            age = self.next_age(p)
            birthday = max(time, self.birthday(p.born, age)) if age < NEVER else NEVER
            planned = min(birthday, p.assessment_due, p.short_term_due, p.review_due)
            until = min(self.next_date(time), planned, self.days)
            fires, row = self.first_to_fire(p, time, until)
            if row is not None:
                time = fires
                self.fire(p, time, row)
                continue
            time = until
            if time >= self.days:
                break
            if time == birthday:
                self.turn(p, time)
            elif time == p.assessment_due:
                self.assess(p, time)
            elif time == p.short_term_due:
                self.end_short_term(p, time)
            elif time == p.review_due:
                self.review(p, time)
        return p.rows

    def born_into(self, row: Arrivals | Caseload, time: float, since: float, need: int) -> Person:
        stage = next(stage for stage in self.model.stages if stage.name == row.stage)
        ages = row.ages or Ages(edges=(stage.from_age, stage.to_age), shares=(1.0,), source="assumption", grade="D")
        age = draw_in_bands(self.rng, ages.edges, ages.shares)
        band = [edge for edge in self.ages if edge <= age][-1]
        p = Person(born=time - age * YEAR, band=band, stage=row.stage, group=row.group, need=need, need_since=since)
        variance = self.need_rows[row.stage].frailty_variance
        if variance is not None and variance.value > 0:
            p.frailty = min(10.0, max(0.1, self.rng.gammavariate(1 / variance.value, variance.value)))
        return p

    def draw_need(self, row: Arrivals | Caseload) -> int:
        return self.rng.choices(range(len(self.need_levels)), row.needs.value)[0]

    def present(self, row: Caseload) -> list[Row]:
        elapsed = draw_in_bands(self.rng, row.elapsed.edges_days, row.elapsed.shares)
        p = self.born_into(row, 0.0, -elapsed, self.draw_need(row))
        p.known = True
        if row.service is not None:
            service = self.services[row.service]
            offers = [
                (provider.name, offer.weight.value)
                for provider in self.model.providers
                for offer in provider.offers
                if offer.service == row.service
            ]
            p.provider = self.rng.choices([name for name, _ in offers], [weight for _, weight in offers])[0]
            p.service, p.stay_start, p.last_review = service, -elapsed, -elapsed
            self.plan(p, 0.0)
        self.log(p, 0.0, "present", "day_0")
        return self.live(p, 0.0)

    def arrive(self, row: Arrivals, time: float, need: int) -> list[Row]:
        p = self.born_into(row, time, time, need)
        if time < 0:  # came before day 0: whoever was not diverted at the door waits for an assessment
            self.refer(p, time, "new")
            if not p.waiting:
                return []
            p.rows.clear()
            self.log(p, 0.0, "present", "day_0")
            return self.live(p, 0.0)
        if row.route == "direct":
            self.log(p, time, "arrival", "direct")
            p.known = True
            self.place(p, time, p.need, "direct")
        else:
            self.refer(p, time, {"referral": "new", "crisis": "crisis"}[row.route])
        return self.live(p, time)

    def arrivals(self, row: Arrivals) -> Iterator[tuple[float, int]]:
        """When people come to a door, and with what need: a Poisson process, thinned."""
        season = row.season.value if row.season else (1.0,) * 12
        growth = 1 + (row.growth_per_year.value if row.growth_per_year else 0.0)
        effects = math.prod(max(1.0, m.multiply.value) for m in self.model.modifiers if m.on == "arrivals")
        bound = max(row.per_year.values) * max(season) * effects * max(1.0, growth ** (self.days / YEAR)) / YEAR
        door = self.doors.get(row.stage)
        waits = row.route == "referral" and door is not None and door.assessment_days is not None
        time = -door.assessment_days.values[0] if waits else 0.0
        while bound > 0:
            time += self.rng.expovariate(bound)
            if time >= self.days:
                return
            need = self.draw_need(row)
            month = (self.start + dt.timedelta(days=math.floor(time))).month
            rate = self.at(row.per_year, time) * season[(month - 4) % 12] * growth ** (time / YEAR) / YEAR
            rate *= self.modified("arrivals", row.stage, row.group, need, bisect_right(self.dates, time))
            if self.rng.random() * bound < rate:
                yield time, need

    def lives(self) -> list[list[Row]]:
        """The rows of everyone's log, a list for each person."""
        people = [self.present(row) for row in self.model.caseload for _ in range(int(row.count.value))]
        people += [
            self.arrive(row, time, need) for row in self.model.arrivals for time, need in list(self.arrivals(row))
        ]
        return [rows for rows in people if rows]
