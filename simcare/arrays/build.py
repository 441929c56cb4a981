"""A model as arrays: the one place where names become numbers.

Pipelines of plain functions; nothing here knows what a rule does with a table.
"""

from __future__ import annotations

from itertools import product
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simcare.arrays.clocks import Hazards, Steps
from simcare.arrays.names import Names, names_of
from simcare.arrays.places import open_places, team_tasks
from simcare.arrays.provider_clocks import ProviderClocks, provider_clocks
from simcare.arrays.rows import as_row
from simcare.model import Model, Number
from simcare.model.cells import BY_PROVIDERS, NEED_CLOCKS, changes_on, clock_cells, rates_of
from simcare.rules.codes import CLOCK_SLOTS, CLOCKS, JUMPS, PREMATURE, STEP_DOWN
from simcare.rules.hazards import HAZARD, KNOT, SPAN, STEP
from simcare.rules.records import ACTIVE, BAND, CELL, HANDOVER, HOSPITAL, SERVICE, STAGE, STAGE_NEED, Tables


def build(model: Model) -> Tables:
    """All tables of a model."""
    names, steps, hazards = names_of(model), Steps(model.about.start), Hazards()
    bands = _bands(model)
    held = provider_clocks(model, names, steps, hazards)
    clocks = _cells(model, names, steps, hazards, held)
    stages, stage_needs = _stages(model, names, steps)
    services = _services(model, names, steps)
    open_to = _open_to(model, bands)
    handovers, hospitals = _handovers(model, names, bands, steps), _hospitals(model, names, steps)
    places = open_places(model, names, open_to, steps)
    return Tables(
        hazards=np.array(hazards.rows, HAZARD),
        knots=np.array(hazards.knots or [(0.0, 0.0, 0.0)], KNOT),
        spans=np.array(steps.spans, SPAN),
        steps=np.array(steps.steps or [(-np.inf, 1.0)], STEP),
        cells=clocks.cells,
        active=clocks.active,
        by_service=clocks.by_service,
        step_down=held.step_down,
        premature=held.premature,
        terms=held.terms,
        purposes=clocks.purposes,
        stages=stages,
        stage_needs=stage_needs,
        services=services,
        open_to=open_to,
        lists=places.lists,
        offers=places.offers,
        bands=bands,
        handovers=handovers,
        hospitals=hospitals,
        team_tasks=team_tasks(model, names, places),
        pools=places.pools,
        pool_queues=places.pool_queues,
        queues=places.queues,
        changes=places.changes,
        providers=places.providers,
        market=places.market,
    )


class _Clocks(NamedTuple):
    """The clocks of the cells: spans of rows, the rows, the hazards of those that name services, the clock of each
    column."""

    cells: NDArray[Any]
    active: NDArray[Any]
    by_service: NDArray[Any]
    purposes: NDArray[Any]


def _cells(model: Model, names: Names, steps: Steps, hazards: Hazards, held: ProviderClocks) -> _Clocks:
    """The clocks of every cell of stage, group and need."""
    table = np.zeros((len(names.stages), len(names.groups), len(names.need_levels), CLOCKS), CELL)
    apart: dict[tuple[int, ...], NDArray[np.int64]] = {}  # (cell, clock): the hazard in no service, then in each
    for clock in model.clocks:
        if clock.clock in BY_PROVIDERS:
            continue
        rows = {need: hazards.add(clock, rate) for need, rate in rates_of(clock)}
        for stage, group, need in clock_cells(model, clock):
            at = names.stages.index(stage), names.groups.index(group), names.need_levels.index(need)
            slot, hazard = CLOCK_SLOTS[clock.clock] + clock.by - 1, rows[need] if need in rows else rows[None]
            table[(*at, slot)]["hazard"] = hazard
            if clock.services is not None:
                here = apart.setdefault((*at, slot), np.zeros(1 + len(names.services), np.int64))
                here[[1 + names.services.index(service) for service in clock.services]] = hazard
    for stage, group, need in product(names.stages, names.groups, names.need_levels):
        at = names.stages.index(stage), names.groups.index(group), names.need_levels.index(need)
        for clock_name, slot in CLOCK_SLOTS.items():
            if clock_name not in BY_PROVIDERS:
                last = slot + JUMPS if clock_name in NEED_CLOCKS else slot + 1
                table[at][slot:last]["timeline"] = steps.timeline(changes_on(model, clock_name, stage, group, need))
    return _active(table, apart, held)


def _active(table: NDArray[Any], apart: dict[tuple[int, ...], NDArray[np.int64]], held: ProviderClocks) -> _Clocks:
    """Only the clocks that can run: a column for each in use, and the rows of each cell."""
    can_run = table["hazard"].reshape(-1, CLOCKS) != 0
    can_run[:, STEP_DOWN] = (held.step_down["hazard"] != 0).any(axis=0)
    can_run[:, PREMATURE] = (held.premature["hazard"] != 0).any(axis=0)
    purposes = np.flatnonzero(can_run.any(axis=0))
    flat, spans = table.reshape(-1, CLOCKS), np.zeros(can_run.shape[0], SPAN)
    number = {int(np.ravel_multi_index(at, table.shape)): k for k, at in enumerate(apart)}
    rows: list[tuple[Any, ...]] = []
    for cell, clocks in enumerate(can_run):
        spans[cell] = (len(rows), int(clocks.sum()))
        rows += [
            (clock, np.searchsorted(purposes, clock), *flat[cell, clock], number.get(cell * CLOCKS + int(clock), -1))
            for clock in np.flatnonzero(clocks)
        ]
    active = np.array(rows or [(0, 0, 0, 0, -1)], ACTIVE)
    by_service = np.array([*apart.values()] or np.zeros((1, 1)), np.int64)
    return _Clocks(spans, active, by_service, purposes)


def _value(number: Number | None, default: float) -> float:
    return default if number is None else number.value


def _stages(model: Model, names: Names, steps: Steps) -> tuple[NDArray[Any], NDArray[Any]]:
    stages = np.zeros(len(names.stages), STAGE)
    need_levels = np.zeros((len(names.stages), len(names.need_levels)), STAGE_NEED)
    need_levels["death_ratio"] = 1.0
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
                need_levels[k]["death_ratio"] = need.death_ratio.value
    for door in model.front_door:
        for k in (names.stages.index(s) for s in door.stages or names.stages):
            row = stages[k]
            row["assess_days"], row["over"] = steps.series(door.assessment_days), steps.series(door.over_specified)
            row["under"], row["step_up_first"] = steps.series(door.under_specified), steps.series(door.step_up_first)
            if door.diverted is not None:
                need_levels[k]["diverted"] = door.diverted.value
            listed = door.step_up_tiers if door.step_up_tiers is not None else names.need_levels[1:]
            need_levels[k]["step_up"] = [need_level in listed for need_level in names.need_levels]
    return stages, need_levels


def _services(model: Model, names: Names, steps: Steps) -> NDArray[Any]:
    rows = [
        as_row(
            SERVICE,
            tier=names.tiers.index(s.tier),
            enabling=s.enabling,
            follows_need=s.follows_need,
            short=s.short_term_days is not None,
            short_days=steps.series(s.short_term_days),
            first_review=steps.series(s.first_review_days or s.review_every_days),
            review_every=steps.series(s.review_every_days),
        )
        for s in model.services
    ]
    return np.array(rows, SERVICE)


def _bands(model: Model) -> NDArray[Any]:
    """The age bands between the ages at which anything changes for anyone."""
    ages = {0.0} | {s.from_age for s in model.stages} | {h.age for h in model.handovers}
    ages |= {s.from_age for s in model.services} | {s.to_age for s in model.services if s.to_age is not None}
    edges = sorted(ages)
    stage = [
        max(k for k, s in enumerate(model.stages) if s.from_age <= max(edge, model.stages[0].from_age))
        for edge in edges
    ]
    return np.array(list(zip(edges, stage, strict=True)), BAND)


def _open_to(model: Model, bands: NDArray[Any]) -> NDArray[Any]:
    out = np.zeros((len(model.services), len(bands), len(model.groups)), np.bool_)
    for v, service in enumerate(model.services):
        for b, age in enumerate(bands["from_age"]):
            if service.from_age <= age and (service.to_age is None or age < service.to_age):
                out[v, b] = [service.groups is None or g.name in service.groups for g in model.groups]
    return out


def _handovers(model: Model, names: Names, bands: NDArray[Any], steps: Steps) -> NDArray[Any]:
    out = np.zeros((len(bands), len(names.groups)), HANDOVER)
    out["supported"] = out["gap_days"] = -1
    ages = bands["from_age"].tolist()
    for handover in model.handovers:
        for group in handover.groups or names.groups:
            at_most = (
                len(names.need_levels) - 1 if handover.at_most is None else names.need_levels.index(handover.at_most)
            )
            to = names.groups.index(handover.to_group or group)
            out[ages.index(handover.age), names.groups.index(group)] = as_row(
                HANDOVER,
                keeps=handover.keeps_need.value,
                at_most=at_most,
                to_group=to,
                here=1,
                supported=steps.series(handover.supported),
                gap_days=steps.series(handover.gap_days),
            )
    return out


def _hospitals(model: Model, names: Names, steps: Steps) -> NDArray[Any]:
    out = np.zeros((len(names.stages), len(names.groups)), HOSPITAL)
    out["share"] = -1
    for hospital in model.hospitals:
        share, to_step_up = steps.series(hospital.share), steps.series(hospital.to_step_up)
        row = as_row(HOSPITAL, share=share, days=hospital.days.value, to_step_up=to_step_up)
        for stage, group in product(hospital.stages or names.stages, hospital.groups or names.groups):
            out[names.stages.index(stage), names.groups.index(group)] = row
    return out
