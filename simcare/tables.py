"""A model as arrays: the one place where names become numbers.

Pipelines of plain functions; nothing here knows what a rule does with a table.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable, Sequence
from itertools import product
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simcare.hazards import CONSTANT, GOMPERTZ, HAZARD, KNOT, LOG_LOGISTIC, SINCE_BIRTH, SINCE_NEED, SINCE_STAY, SPAN, STEP, TABLE, WEIBULL
from simcare.model import Model, Number, Series
from simcare.model.checks import clock_cells
from simcare.model.parts import Clock
from simcare.model.strategy import ramp_steps
from simcare.rules.names import (
    BAND,
    CELL,
    CLOCK_SLOTS,
    CLOCKS,
    HANDOVER,
    OFFER_ROW,
    SERVICE,
    STAGE,
    STAGE_RUNG,
    STEP_DOWN,
    Tables,
)

YEAR_DAYS = 365.25
SINCE = {"need": SINCE_NEED, "stay": SINCE_STAY, "age": SINCE_BIRTH}
DEFAULT_SINCE = {"rise": "need", "recover": "need", "death": "age", "leaving": "need"}


class Names(NamedTuple):
    """The names behind the indices, in order."""

    areas: tuple[str, ...]
    stages: tuple[str, ...]
    groups: tuple[str, ...]
    rungs: tuple[str, ...]
    tiers: tuple[str, ...]  # the rungs, then the short-term tiers
    services: tuple[str, ...]
    providers: tuple[str, ...]


def names_of(model: Model) -> Names:
    """The names of a model in index order."""
    short = tuple(tier.name for tier in model.tiers if tier.short_term)
    return Names(
        areas=model.about.areas,
        stages=tuple(s.name for s in model.stages),
        groups=tuple(g.name for g in model.groups),
        rungs=model.rungs,
        tiers=(*model.rungs, *short),
        services=tuple(s.name for s in model.services),
        providers=tuple(p.name for p in model.providers),
    )


class _Steps:
    """Dated steps being gathered; equal neighbours are one step, so that no effect leaves no trace."""

    def __init__(self, start: dt.date) -> None:
        self.start = start
        self.spans: list[tuple[int, int]] = [(0, 0)]
        self.steps: list[tuple[float, float]] = []
        self.known: dict[tuple[tuple[float, float], ...], int] = {}

    def add(self, steps: Sequence[tuple[float, float]]) -> int:
        merged = [steps[0]]
        for time, value in steps[1:]:
            if time <= 0.0:
                merged = [(-math.inf, value)]
            elif value != merged[-1][1]:
                merged.append((time, value))
        key = tuple(merged)
        if key not in self.known:
            self.known[key] = len(self.spans)
            self.spans.append((len(self.steps), len(merged)))
            self.steps.extend(merged)
        return self.known[key]

    def series(self, series: Series | None) -> int:
        """The index of a dated series, −1 for none."""
        if series is None:
            return -1
        first = (-math.inf, series.steps[0].value)
        return self.add([first, *((self.day(s.from_), s.value) for s in series.steps[1:])])

    def timeline(self, changes: Iterable[tuple[dt.date, int, float]]) -> int:
        """The index of the product of ramped multipliers, 0 where nothing changes."""
        steps = multiplier_steps(changes, self.start)
        if all(value == 1.0 for _, value in steps):
            return 0
        return self.add(steps)

    def day(self, date: dt.date | None) -> float:
        assert date is not None
        return float((date - self.start).days)


def multiplier_steps(changes: Iterable[tuple[dt.date, int, float]], start: dt.date) -> list[tuple[float, float]]:
    """The product of ramped multipliers as dated steps: (day, value), the first from −infinity.

    ``changes`` are start date, ramp in days, multiplier.

    >>> multiplier_steps([(dt.date(2013, 4, 11), 0, 0.5), (dt.date(2013, 5, 1), 0, 0.8)], dt.date(2013, 4, 1))
    [(-inf, 1.0), (10.0, 0.5), (30.0, 0.4)]
    """
    dated: list[tuple[int, int, float]] = []
    for k, (begin, ramp, multiply) in enumerate(changes):
        dated += [((date - start).days, k, 1.0 + share * (multiply - 1.0)) for date, share in ramp_steps(begin, ramp)]
    values: dict[int, float] = {}
    steps = [(-math.inf, 1.0)]
    for day, k, value in sorted(dated):
        values[k] = value
        steps.append((float(day), math.prod(values.values())))
    return steps


class _Hazards:
    """Baselines being gathered; row 0 never fires."""

    def __init__(self) -> None:
        self.rows: list[tuple[int, int, float, float, float, int, int]] = [(CONSTANT, SINCE_NEED, 0.0, 0.0, 0.0, 0, 0)]
        self.knots: list[tuple[float, float, float]] = []

    def add(self, clock: Clock, rate: float) -> int:
        since = SINCE[clock.since or DEFAULT_SINCE.get(clock.clock, "need")]
        factor = 1.0 if clock.factor is None else clock.factor.value
        kind, p, q, first, size = self._shape(clock, rate)
        self.rows.append((kind, since, factor, p, q, first, size))
        return len(self.rows) - 1

    def _shape(self, clock: Clock, rate: float) -> tuple[int, float, float, int, int]:
        if clock.family == "constant":
            return CONSTANT, rate / YEAR_DAYS, 0.0, 0, 0
        if clock.family in ("weibull", "log_logistic"):
            assert clock.shape is not None and clock.scale_days is not None
            return (WEIBULL if clock.family == "weibull" else LOG_LOGISTIC), clock.shape.value, clock.scale_days.value, 0, 0
        if clock.family == "gompertz":
            assert clock.growth_per_year is not None
            return GOMPERTZ, rate / YEAR_DAYS, clock.growth_per_year.value / YEAR_DAYS, 0, 0
        knots = self._piecewise(clock) if clock.family == "piecewise" else fine_table(clock)
        first = len(self.knots)
        self.knots.extend(knots)
        return TABLE, 0.0, 0.0, first, len(knots)

    @staticmethod
    def _piecewise(clock: Clock) -> list[tuple[float, float, float]]:
        assert clock.edges is not None
        unit = YEAR_DAYS if (clock.since or DEFAULT_SINCE.get(clock.clock)) == "age" else 1.0
        edges = [edge * unit for edge in clock.edges]
        rates = [rate / YEAR_DAYS for rate in clock.rates]
        knots, total = [(0.0, 0.0, 0.0)] if edges[0] > 0 else [], 0.0
        for k, (edge, rate) in enumerate(zip(edges, rates, strict=True)):
            knots.append((edge, total, rate))
            if k + 1 < len(edges):
                total += rate * (edges[k + 1] - edge)
        return knots


def fine_table(clock: Clock, points: int = 4000) -> list[tuple[float, float, float]]:
    """The cumulative hazard −log S(u) of a lognormal or a mixture of exponentials, on a fine grid of days.

    Geometric from a thousandth of a day until survival is below 1e-12; linear between, and level in rate beyond.
    """
    if clock.family == "lognormal":
        from scipy.stats import norm

        assert clock.log_mean is not None and clock.log_sd is not None
        mean, sd = clock.log_mean.value, clock.log_sd.value
        u = np.geomspace(1e-3, math.exp(mean + 7.2 * sd), points)
        total = -norm.logsf((np.log(u) - mean) / sd)
    else:
        assert clock.shares is not None and clock.mean_days is not None
        means = np.array(clock.mean_days.value)
        u = np.geomspace(1e-3, 28.0 * means.max(), points)
        total = -np.log(np.exp(-u[:, None] / means) @ np.array(clock.shares.value))
    u, total = np.concatenate([[0.0], u]), np.concatenate([[0.0], total])
    rates = np.diff(total) / np.diff(u)
    return list(zip(u.tolist(), total.tolist(), [*rates.tolist(), float(rates[-1])], strict=True))


def build(model: Model) -> Tables:
    """All tables of a model."""
    names, steps, hazards = names_of(model), _Steps(model.about.start), _Hazards()
    bands = _bands(model)
    cells, step_down = _cells(model, names, steps, hazards)
    stages, stage_rungs = _stages(model, names, steps)
    services = _services(model, names, steps)
    open_to = _open_to(model, bands)
    lists, offers = _offers(model, names, bands, open_to)
    return Tables(
        hazards=np.array(hazards.rows, HAZARD),
        knots=np.array(hazards.knots or [(0.0, 0.0, 0.0)], KNOT),
        spans=np.array(steps.spans, SPAN),
        steps=np.array(steps.steps or [(-math.inf, 1.0)], STEP),
        cells=cells,
        step_down=step_down,
        stages=stages,
        stage_rungs=stage_rungs,
        services=services,
        open_to=open_to,
        lists=lists,
        offers=offers,
        bands=bands,
        handovers=_handovers(model, names, bands),
    )


def _cells(model: Model, names: Names, steps: _Steps, hazards: _Hazards) -> tuple[NDArray[Any], NDArray[Any]]:
    shape = (len(names.stages), len(names.groups), len(names.rungs))
    cells = np.zeros((*shape, CLOCKS), CELL)
    step_down = np.zeros((len(names.services), *shape), CELL)
    for clock in model.clocks:
        rows = {need: hazards.add(clock, rate) for need, rate in _rates(clock)}
        for stage, group, need in clock_cells(model, clock):
            at = names.stages.index(stage), names.groups.index(group), names.rungs.index(need)
            row = rows[need] if need in rows else rows[None]
            if clock.clock == "step_down":
                for service in clock.services or names.services:
                    step_down[(names.services.index(service), *at)]["hazard"] = row
            else:
                cells[(*at, CLOCK_SLOTS[clock.clock] + clock.by - 1)]["hazard"] = row
    for stage, group, need in product(names.stages, names.groups, names.rungs):
        at = names.stages.index(stage), names.groups.index(group), names.rungs.index(need)
        for clock_name, slot in CLOCK_SLOTS.items():
            line = steps.timeline(changes_on(model, clock_name, stage, group, need))
            if slot == STEP_DOWN:
                step_down[(slice(None), *at)]["timeline"] = line
            else:
                last = slot + 5 if clock_name in ("rise", "recover") else slot + 1
                cells[at][slot:last]["timeline"] = line
    return cells, step_down


def _rates(clock: Clock) -> list[tuple[str | None, float]]:
    if clock.family == "constant" and clock.needs is not None and len(clock.rates) > 1:
        return list(zip(clock.needs, clock.rates, strict=True))
    return [(None, clock.rates[0] if clock.rates else 0.0)]


def changes_on(model: Model, on: str, stage: str, group: str, need: str) -> list[tuple[dt.date, int, float]]:
    """The modifiers that touch a cell: start, ramp in days, multiplier."""
    return [
        (m.start, m.ramp_days, m.multiply.value)
        for m in model.modifiers
        if m.on == on and (m.stages is None or stage in m.stages) and (m.groups is None or group in m.groups) and (m.needs is None or need in m.needs)
    ]


def _value(number: Number | None, default: float) -> float:
    return default if number is None else number.value


def _stages(model: Model, names: Names, steps: _Steps) -> tuple[NDArray[Any], NDArray[Any]]:
    stages = np.zeros(len(names.stages), STAGE)
    rungs = np.zeros((len(names.stages), len(names.rungs)), STAGE_RUNG)
    rungs["death_ratio"] = 1.0
    for name in ("enabling", "over_provided", "wait_rise", "wait_recover"):
        stages[name] = 1.0
    for name in ("assess_days", "over", "under", "step_up_first"):
        stages[name] = -1
    for need in model.need:
        for k in (names.stages.index(s) for s in need.stages or names.stages):
            row = stages[k]
            row["frailty_variance"] = _value(need.frailty_variance, 0.0)
            row["enabling"] = _value(need.enabling_recovery, 1.0)
            row["over_provided"] = _value(need.over_provided_recovery, 1.0)
            row["wait_rise"] = _value(need.waiting_rise, 1.0)
            row["wait_recover"] = _value(need.waiting_recovery, 1.0)
            row["at_once"] = _value(need.crisis_at_once, 0.0)
            if need.death_ratio is not None:
                rungs[k]["death_ratio"] = need.death_ratio.value
    for door in model.front_door:
        for k in (names.stages.index(s) for s in door.stages or names.stages):
            row = stages[k]
            row["assess_days"], row["over"] = steps.series(door.assessment_days), steps.series(door.over_specified)
            row["under"], row["step_up_first"] = steps.series(door.under_specified), steps.series(door.step_up_first)
            if door.diverted is not None:
                rungs[k]["diverted"] = door.diverted.value
            listed = door.step_up_tiers if door.step_up_tiers is not None else names.rungs[1:]
            rungs[k]["step_up"] = [rung in listed for rung in names.rungs]
    return stages, rungs


def _services(model: Model, names: Names, steps: _Steps) -> NDArray[Any]:
    rows = [
        (
            names.tiers.index(s.tier),
            s.enabling,
            s.follows_need,
            s.short_term_days is not None,
            steps.series(s.short_term_days),
            steps.series(s.first_review_days or s.review_every_days),
            steps.series(s.review_every_days),
        )
        for s in model.services
    ]
    return np.array(rows, SERVICE)


def _bands(model: Model) -> NDArray[Any]:
    """The age bands between the ages at which anything changes for anyone."""
    ages = {0.0} | {s.from_age for s in model.stages} | {h.age for h in model.handovers}
    ages |= {s.from_age for s in model.services} | {s.to_age for s in model.services if s.to_age is not None}
    edges = sorted(ages)
    stage = [max(k for k, s in enumerate(model.stages) if s.from_age <= max(edge, model.stages[0].from_age)) for edge in edges]
    return np.array(list(zip(edges, stage, strict=True)), BAND)


def _open_to(model: Model, bands: NDArray[Any]) -> NDArray[Any]:
    out = np.zeros((len(model.services), len(bands), len(model.groups)), np.bool_)
    for v, service in enumerate(model.services):
        for b, age in enumerate(bands["from_age"]):
            if service.from_age <= age and (service.to_age is None or age < service.to_age):
                out[v, b] = [service.groups is None or g.name in service.groups for g in model.groups]
    return out


def _offers(model: Model, names: Names, bands: NDArray[Any], open_to: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """For each rung (and the short-term tier), age band and group: who may take a client, and with what share.

    Where no service fills a rung, the nearest rung above stands in, and failing that the nearest below.
    """
    services = names.services
    rung_of = [names.rungs.index(s.tier) if s.short_term_days is None else len(names.rungs) for s in model.services]
    every = [
        (services.index(offer.service), p, offer.weight.value)
        for p, provider in enumerate(model.providers)
        for offer in provider.offers
        if offer.weight.value > 0
    ]
    top = len(names.rungs)
    lists = np.zeros((top + 1, len(bands), len(model.groups)), SPAN)
    rows: list[tuple[int, int, float]] = []
    for rung, b, g in product(range(1, top + 1), range(len(bands)), range(len(model.groups))):
        search = [top] if rung == top else [*range(rung, top), *range(rung - 1, 0, -1)]
        for at in search:
            found = [(v, p, w) for v, p, w in every if rung_of[v] == at and open_to[v, b, g]]
            if found:
                lists[rung, b, g] = (len(rows), len(found))
                shares = np.cumsum([w for _, _, w in found])
                rows.extend((v, p, float(share / shares[-1])) for (v, p, _), share in zip(found, shares, strict=True))
                break
    return lists, np.array(rows, OFFER_ROW)


def _handovers(model: Model, names: Names, bands: NDArray[Any]) -> NDArray[Any]:
    out = np.zeros((len(bands), len(names.groups)), HANDOVER)
    ages = bands["from_age"].tolist()
    for handover in model.handovers:
        for group in handover.groups or names.groups:
            at_most = len(names.rungs) - 1 if handover.at_most is None else names.rungs.index(handover.at_most)
            to = names.groups.index(handover.to_group or group)
            out[ages.index(handover.age), names.groups.index(group)] = (handover.keeps_need.value, at_most, to, 1)
    return out
