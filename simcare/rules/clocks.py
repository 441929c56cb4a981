"""A client's clocks: how fast each runs now, what it has left, and which event comes next.

A clock runs on as long as nothing that matters to it changes; the time at which it would fire is then the one
found before. Where its hazard changes, what it has spent is taken from its budget, and the rest runs on.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from simcare.rules.codes import (
    ASSESS,
    BIRTHDAY,
    CRISIS,
    DEATH,
    DETECTION,
    GONE,
    HOSPITAL_END,
    IN_SERVICE,
    INDUCED,
    LEAVING,
    LOST,
    NEW_TERMS,
    NOT_THERE,
    NOTHING,
    OUT,
    PREMATURE,
    RECOVER,
    REFERRED,
    RENEGE,
    REVIEW,
    SHORT_END,
    STEP_DOWN,
    TASK_END,
)
from simcare.rules.compile import rule
from simcare.rules.draws import PATIENCE, RELEASE, exponential
from simcare.rules.hazards import SINCE_BIRTH, SINCE_STAY, SINCE_WAIT, fires_at, spent, value_at


@rule
def gap_of(world: Any, i: int) -> int:
    """Tiers of provision above need: positive is over-provision; a short-term tier, like a hospital, meets any need."""
    client = world.clients[i]
    if client.hospital != NOT_THERE or (client.status == IN_SERVICE and world.tables.services[client.service].short):
        return 0
    return client.tier - client.need


@rule
def waiting_harms(world: Any, i: int) -> bool:
    """Whether waiting harms the client: referred and not yet served, or waiting in a service that is too little."""
    client = world.clients[i]
    return client.status == REFERRED or (client.wants >= 0 and gap_of(world, i) < 0)


@rule
def intensity_of(world: Any, i: int, clock: int) -> float:
    """What multiplies the baseline of a client's clock now; 0 when the clock does not run."""
    client = world.clients[i]
    stage = world.tables.stages[client.stage]
    if clock < RECOVER:
        return client.frailty * stage.wait_rise if waiting_harms(world, i) else client.frailty
    if clock < INDUCED:
        return _recovery(world, i)
    if clock == DEATH:
        return world.tables.stage_needs[client.stage, client.need].death_ratio
    if clock == LEAVING:
        return 1.0
    if clock == RENEGE:
        waiting = client.hospital == NOT_THERE and (client.status == REFERRED or client.wants >= 0)
        return 1.0 if waiting and client.spot != LOST else 0.0  # whose place was cut is owed another
    if clock == DETECTION:
        return 1.0 if client.status == OUT and client.need > 0 and client.hospital == NOT_THERE else 0.0
    if clock == PREMATURE:
        return _keepable(world, i)
    gap = gap_of(world, i)
    if clock == CRISIS:
        return float(max(-gap, 0))
    if gap <= 0 or client.status != IN_SERVICE:
        return 0.0
    if clock == INDUCED:
        return 0.0 if world.tables.services[client.service].enabling else float(gap)
    return (
        0.0 if client.wants >= 0 else 1.0
    )  # STEP_DOWN: ready to step down, in a provider's service, and not yet asked for


@rule
def _keepable(world: Any, i: int) -> float:
    """1 while a provider could let go of someone who needs all the care they have."""
    client = world.clients[i]
    if (
        client.status != IN_SERVICE
        or client.wants >= 0
        or client.hospital != NOT_THERE
        or world.tables.services[client.service].short
    ):
        return 0.0
    return 1.0 if client.tier <= client.need else 0.0


@rule
def _recovery(world: Any, i: int) -> float:
    client = world.clients[i]
    if client.need == 0:
        return 0.0
    stage = world.tables.stages[client.stage]
    factor = 1.0 / client.frailty
    if waiting_harms(world, i):
        factor *= stage.wait_recover
    if client.status == IN_SERVICE:
        service = world.tables.services[client.service]
        if service.enabling or service.short:
            factor *= stage.enabling
        elif gap_of(world, i) > 0:
            factor *= stage.over_provided
    return factor


@rule
def _origin(client: Any, since: int) -> float:
    if since == SINCE_BIRTH:
        return client.born
    if since == SINCE_STAY:
        return client.stay_start
    return client.wait_since if since == SINCE_WAIT else client.need_since


@rule
def _stop(world: Any, running: Any, now: float) -> None:
    """Take from the budget what the clock has run since it was last set."""
    if running.intensity > 0.0:
        tables = world.tables
        hazard, line = tables.hazards[running.hazard], tables.spans[running.timeline]
        used = spent(hazard, tables.knots, tables.steps, line, running.intensity, running.origin, running.since, now)
        running.budget = max(running.budget - used, 0.0)
    running.intensity, running.when = 0.0, math.inf


@rule
def _set(world: Any, i: int, active: Any, now: float) -> float:
    """Let one clock run as it should from now on; returns when it fires."""
    tables, client, running = world.tables, world.clients[i], world.running[i, active.column]
    hazard, line = active.hazard, active.timeline
    if active.by_service >= 0:
        hazard = tables.by_service[active.by_service, 1 + client.service if client.status == IN_SERVICE else 0]
    if (active.clock == STEP_DOWN or active.clock == PREMATURE) and client.status == IN_SERVICE:
        x = _variant(world, i, now)
        cell = tables.step_down[x, client.cell] if active.clock == STEP_DOWN else tables.premature[x, client.cell]
        hazard, line = cell.hazard, cell.timeline
    baseline = tables.hazards[hazard]
    intensity = intensity_of(world, i, active.clock) if hazard != 0 else 0.0
    if baseline.since == SINCE_STAY and client.status != IN_SERVICE:
        intensity = 0.0  # a hazard in time since the stay began needs a stay
    if intensity <= 0.0:
        if running.intensity > 0.0:
            _stop(world, running, now)
        return math.inf
    origin = _origin(client, baseline.since)
    same = intensity == running.intensity and hazard == running.hazard and line == running.timeline
    if not same or (origin != running.origin and baseline.kind != 0):  # a constant hazard (kind 0) has no origin
        _stop(world, running, now)
        if math.isnan(running.budget):
            running.budget = _budget(world, i, active.clock)
        running.intensity, running.hazard, running.timeline, running.origin, running.since = (
            intensity,
            hazard,
            line,
            origin,
            now,
        )
        running.when = fires_at(
            baseline, tables.knots, tables.steps, tables.spans[line], intensity, origin, now, running.budget
        )
    return running.when


@rule
def _variant(world: Any, i: int, now: float) -> int:
    """The way in which the client's provider moves people now: by its contract, and by its occupancy where places are
    limited."""
    client = world.clients[i]
    terms = world.tables.terms[client.service, client.provider]
    x = terms.first if terms.series < 0 else int(dated(world, terms.series, now, 0.0))
    return x + 1 + world.pools[client.pool].level if terms.levels > 1 and client.pool >= 0 else x


@rule
def _new_terms(world: Any, i: int, now: float) -> float:
    """When the client's provider next comes under other terms; infinity if never."""
    client = world.clients[i]
    if client.status != IN_SERVICE:
        return math.inf
    series = world.tables.terms[client.service, client.provider].series
    if series < 0:
        return math.inf
    span = world.tables.spans[series]
    for k in range(span.first, span.first + span.count):
        if world.tables.steps[k].time > now:
            return world.tables.steps[k].time
    return math.inf


@rule
def schedule(world: Any, i: int, now: float) -> float:
    """Find the client's next event under the hazards as they are now; returns its absolute time."""
    tables, client = world.tables, world.clients[i]
    if client.status == GONE:
        client.next, client.what = math.inf, NOTHING
        return math.inf
    cell = (client.stage * tables.lists.shape[3] + client.group) * tables.stage_needs.shape[1] + client.need
    if cell != client.cell:
        if client.cell >= 0:
            span = tables.cells[client.cell]
            for k in range(span.first, span.first + span.count):
                _stop(world, world.running[i, tables.active[k].column], now)
        client.cell = cell
    best, what = math.inf, NOTHING
    span = tables.cells[cell]
    for k in range(span.first, span.first + span.count):
        when = _set(world, i, tables.active[k], now)
        if when < best:
            best, what = when, tables.active[k].clock
    if client.assess_at < best:
        best, what = client.assess_at, ASSESS
    if client.task_end < best:
        best, what = client.task_end, TASK_END
    if client.review_due < best:
        best, what = client.review_due, REVIEW
    if client.short_end < best:
        best, what = client.short_end, SHORT_END
    if client.hospital_end < best:
        best, what = client.hospital_end, HOSPITAL_END
    if client.birthday < best:
        best, what = client.birthday, BIRTHDAY
    terms = _new_terms(world, i, now)
    if terms < best:
        best, what = terms, NEW_TERMS
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
    purpose = PATIENCE if clock == RENEGE else RELEASE if clock == PREMATURE else clock
    return exponential(world.address[0], world.address[1], world.clients[i].id, purpose, ordinal(world, i, purpose))


@rule
def restart(world: Any, i: int, clock: int) -> None:
    """A clock that fired stands still, and draws a new budget when it next runs."""
    span = world.tables.cells[world.clients[i].cell]
    for k in range(span.first, span.first + span.count):
        if world.tables.active[k].clock == clock:
            running = world.running[i, world.tables.active[k].column]
            running.budget, running.intensity, running.when = np.nan, 0.0, math.inf


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
def worked_off(world: Any, series: int, hours: float, now: float) -> float:
    """When so many hours are worked, from now on, at a dated number of hours a week; infinity if never."""
    tables = world.tables
    span = tables.spans[series]
    last = span.first + span.count - 1
    at = now
    for k in range(span.first, last + 1):
        ends = tables.steps[k + 1].time if k < last else math.inf
        per_day = tables.steps[k].value / 7.0
        if ends <= at or (per_day <= 0.0 and hours > 0.0):
            at = max(at, ends)
            continue
        when = at + (hours / per_day if hours > 0.0 else 0.0)
        if when < ends:
            return when
        hours -= (ends - at) * per_day
        at = ends
    return math.inf


@rule
def dated(world: Any, series: int, now: float, default: float) -> float:
    """The value of a dated series in force now."""
    return value_at(world.tables.spans, world.tables.steps, series, now, default)
