"""A client's clocks: how fast each runs now, what it has spent, and which event comes next."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from simcare.draws import exponential
from simcare.hazards import SINCE_BIRTH, SINCE_STAY, fires_at, spent, value_at
from simcare.jit import rule
from simcare.rules.names import (
    ASSESS,
    BIRTHDAY,
    CLOCKS,
    CRISIS,
    DEATH,
    DETECTION,
    IN_SERVICE,
    INDUCED,
    LEAVING,
    NOTHING,
    OUT,
    RECOVER,
    REFERRED,
    REVIEW,
    SHORT_END,
    STEP_DOWN,
)


@rule
def gap_of(world: Any, i: int) -> int:
    """Rungs of provision above need: positive is over-provision; a short-term tier meets any need."""
    client = world.clients[i]
    if client.status == IN_SERVICE and world.tables.services[client.service].short:
        return 0
    return client.tier - client.need


@rule
def intensity_of(world: Any, i: int, clock: int) -> float:
    """What multiplies the baseline of a client's clock now; 0 when the clock does not run."""
    client = world.clients[i]
    stage = world.tables.stages[client.stage]
    if clock < RECOVER:
        return client.frailty * (stage.wait_rise if client.status == REFERRED else 1.0)
    if clock < INDUCED:
        return _recovery(world, i)
    if clock == DEATH:
        return world.tables.stage_rungs[client.stage, client.need].death_ratio
    if clock == LEAVING:
        return 1.0
    if clock == DETECTION:
        return 1.0 if client.status == OUT and client.need > 0 else 0.0
    gap = gap_of(world, i)
    if clock == CRISIS:
        return float(max(-gap, 0))
    if gap <= 0 or client.status != IN_SERVICE:
        return 0.0
    if clock == INDUCED:
        return 0.0 if world.tables.services[client.service].enabling else float(gap)
    return 1.0  # STEP_DOWN: ready, in a provider's service


@rule
def _recovery(world: Any, i: int) -> float:
    client = world.clients[i]
    if client.need == 0:
        return 0.0
    stage = world.tables.stages[client.stage]
    factor = 1.0 / client.frailty
    if client.status == REFERRED:
        factor *= stage.wait_recover
    if client.status == IN_SERVICE:
        service = world.tables.services[client.service]
        if service.enabling or service.short:
            factor *= stage.enabling
        elif gap_of(world, i) > 0:
            factor *= stage.over_provided
    return factor


@rule
def cell_of(world: Any, i: int, clock: int) -> Any:
    """The table cell (hazard and timeline) of a client's clock."""
    client = world.clients[i]
    if clock == STEP_DOWN and client.status == IN_SERVICE:
        return world.tables.step_down[client.service, client.stage, client.group, client.need]
    return world.tables.cells[client.stage, client.group, client.need, clock]


@rule
def _origin(world: Any, i: int, since: int) -> float:
    client = world.clients[i]
    if since == SINCE_BIRTH:
        return client.born
    if since == SINCE_STAY:
        return client.stay_start
    return client.need_since


@rule
def _runs(client: Any, hazard: Any) -> bool:
    """A hazard in time since the stay began needs a stay."""
    return hazard.since != SINCE_STAY or client.status == IN_SERVICE


@rule
def spend(world: Any, i: int, now: float) -> None:
    """Take from every budget what its clock has run since the client's last event. What is unspent is kept."""
    tables, client = world.tables, world.clients[i]
    for clock in range(CLOCKS):
        cell = cell_of(world, i, clock)
        budget = world.budgets[i, clock]
        if cell.hazard == 0 or math.isnan(budget):
            continue
        hazard = tables.hazards[cell.hazard]
        intensity = intensity_of(world, i, clock) if _runs(client, hazard) else 0.0
        if intensity > 0.0:
            origin = _origin(world, i, hazard.since)
            used = spent(hazard, tables.knots, tables.steps, tables.spans[cell.timeline], intensity, origin, client.last, now)
            world.budgets[i, clock] = max(budget - used, 0.0)
    client.last = now


@rule
def schedule(world: Any, i: int, now: float) -> float:
    """Find the client's next event under the hazards as they are now; returns its absolute time."""
    tables, client = world.tables, world.clients[i]
    best, what = math.inf, NOTHING
    for clock in range(CLOCKS):
        cell = cell_of(world, i, clock)
        if cell.hazard == 0:
            continue
        hazard = tables.hazards[cell.hazard]
        intensity = intensity_of(world, i, clock) if _runs(client, hazard) else 0.0
        if intensity <= 0.0:
            continue
        if math.isnan(world.budgets[i, clock]):
            world.budgets[i, clock] = _budget(world, i, clock)
        origin = _origin(world, i, hazard.since)
        when = fires_at(hazard, tables.knots, tables.steps, tables.spans[cell.timeline], intensity, origin, now, world.budgets[i, clock])
        if when < best:
            best, what = when, clock
    if client.assess_at < best:
        best, what = client.assess_at, ASSESS
    if client.review_due < best:
        best, what = client.review_due, REVIEW
    if client.short_end < best:
        best, what = client.short_end, SHORT_END
    if client.birthday < best:
        best, what = client.birthday, BIRTHDAY
    client.next, client.what = max(best, now), what
    return client.next


@rule
def ordinal(world: Any, i: int, purpose: int) -> int:
    """The number of this draw among the client's draws for the purpose; the next one is one more."""
    n = world.ordinals[i, purpose]
    world.ordinals[i, purpose] = n + 1
    return n


@rule
def _budget(world: Any, i: int, clock: int) -> float:
    n = ordinal(world, i, clock)
    return exponential(world.address[0], world.address[1], world.clients[i].id, clock, n)


@rule
def due(world: Any, series: int, since: float, now: float) -> float:
    """When ``series`` days (a dated interval) have passed since ``since``.

    That is the first time t ≥ now at which t − since reaches the interval in force at t.
    """
    if series < 0:
        return math.inf
    tables = world.tables
    span = tables.spans[series]
    last = span.first + span.count - 1
    for k in range(span.first, last + 1):
        ends = tables.steps[k + 1].time if k < last else math.inf
        when = max(since + tables.steps[k].value, tables.steps[k].time, now)
        if when < ends:
            return when
    return math.inf


@rule
def dated(world: Any, series: int, now: float, default: float) -> float:
    """The value of a dated series in force now."""
    return value_at(world.tables.spans, world.tables.steps, series, now, default)


@rule
def restart(world: Any, i: int, clock: int) -> None:
    """A clock that fired draws a new budget when it next runs."""
    world.budgets[i, clock] = np.nan
