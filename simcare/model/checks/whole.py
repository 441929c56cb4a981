"""What takes two parts of a model to judge: names that must exist, stages that must join, rows that must not
overlap."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise, product
from typing import Any

from simcare.model.cells import BY_PROVIDERS, NEED_CLOCKS, clock_cells
from simcare.model.checks.drivers import driver_faults
from simcare.model.checks.names import name_faults, reference_faults, source_faults
from simcare.model.checks.places import capacity_faults, known_groups
from simcare.model.checks.responses import response_faults
from simcare.model.checks.starts import programme_faults
from simcare.model.checks.uncertain import uncertain_faults
from simcare.model.checks.volume import volume_faults
from simcare.model.fault import Fault
from simcare.model.fields import ModelFields


def find_faults(model: ModelFields) -> list[Fault]:
    """Everything wrong between the parts; first the names, and only if they hold, the rest."""
    faults = [
        *name_faults(model),
        *_stages(model),
        *reference_faults(model),
        *source_faults(model, tuple(model.sources)),
    ]
    if faults:
        return faults
    return [
        *_services(model),
        *_clocks(model),
        *_rows(model),
        *_lengths(model),
        *_ages(model),
        *_reachable(model),
        *capacity_faults(model),
        *response_faults(model),
        *driver_faults(model),
        *programme_faults(model),
        *volume_faults(model),
        *uncertain_faults(model),
    ]


def _stages(model: ModelFields) -> Iterator[Fault]:
    for i, (earlier, later) in enumerate(pairwise(model.stages)):
        if earlier.to_age is None:
            yield Fault(f"stages[{i}].to_age", f"'{earlier.name}' has no end but is not the last stage")
        elif later.from_age > earlier.to_age:
            yield Fault(
                f"stages[{i + 1}].from_age",
                f"gap between '{earlier.name}' (to {earlier.to_age:g}) and '{later.name}' (from {later.from_age:g})",
            )
        elif later.from_age < earlier.to_age:
            yield Fault(
                f"stages[{i + 1}].from_age",
                f"'{later.name}' (from {later.from_age:g}) overlaps '{earlier.name}' (to {earlier.to_age:g})",
            )
    if model.stages[-1].to_age is not None:
        yield Fault(
            f"stages[{len(model.stages) - 1}].to_age", "the last stage must have no to_age: people grow older than that"
        )


def _services(model: ModelFields) -> Iterator[Fault]:
    short = {tier.name for tier in model.tiers if tier.short_term}
    offered = {offer.service for provider in model.providers for offer in provider.offers if offer.weight.value > 0}
    bottom = model.need_levels[0]
    for i, service in enumerate(model.services):
        if service.tier == bottom:
            yield Fault(f"services[{i}].tier", f"'{bottom}' is independence: no service fills it")
        if (service.tier in short) != (service.short_term_days is not None):
            needs = (
                "needs short_term_days"
                if service.tier in short
                else "has short_term_days, but its tier is not short-term"
            )
            yield Fault(f"services[{i}]", f"'{service.name}' {needs}")
        if service.name not in offered:
            yield Fault(f"services[{i}].name", f"no provider offers '{service.name}'")


def _clocks(model: ModelFields) -> Iterator[Fault]:
    need_levels = model.need_levels
    taken: dict[tuple[Any, ...], int] = {}
    for i, clock in enumerate(model.clocks):
        for need in clock.needs or ():
            level = need_levels.index(need)
            if clock.clock == "rise" and level + clock.by >= len(need_levels):
                yield Fault(
                    f"clocks[{i}].needs",
                    f"need cannot rise by {clock.by} from '{need}': the highest level of need is '{need_levels[-1]}'",
                )
            if clock.clock == "recover" and level < clock.by:
                yield Fault(f"clocks[{i}].needs", f"need cannot fall by {clock.by} from '{need}'")
        if clock.by != 1 and clock.clock not in NEED_CLOCKS:
            yield Fault(f"clocks[{i}].by", f"'by' belongs to rise and recover, not to {clock.clock}")
        if clock.services is not None and clock.clock == "detection":
            yield Fault(f"clocks[{i}].services", "a detection clock runs while somebody is in no service")
        if clock.clock in ("induced", "crisis", "detection", *BY_PROVIDERS) and (
            clock.family != "constant" or clock.since
        ):
            yield Fault(f"clocks[{i}].family", f"a {clock.clock} clock runs at a constant rate")
        every = _where(model, clock.clock)
        for cell in product(clock_cells(model, clock), clock.services or every):
            key = (clock.clock, clock.by, *cell)
            if key in taken:
                where = ", ".join(cell[0])
                yield Fault(f"clocks[{i}]", f"{clock.clock} for {where} is already given in clocks[{taken[key]}]")
                break
            taken[key] = i


def _where(model: ModelFields, name: str) -> list[str]:
    """Where a clock of this name runs if its row names no services, "*" being in no service or, where no row names any,
    everywhere."""
    services = [s.name for s in model.services]
    if name in BY_PROVIDERS:
        return services
    return [*services, "*"] if any(c.clock == name and c.services is not None for c in model.clocks) else ["*"]


def _rows(model: ModelFields) -> Iterator[Fault]:
    """Rows of need and front_door speak for each stage once."""
    for part in ("need", "front_door"):
        taken: dict[str, int] = {}
        for i, row in enumerate(getattr(model, part)):
            for stage in row.stages or [s.name for s in model.stages]:
                if stage in taken:
                    yield Fault(f"{part}[{i}].stages", f"'{stage}' is already given in {part}[{taken[stage]}]")
                taken[stage] = i
    seen: dict[tuple[float, str], int] = {}
    for i, handover in enumerate(model.handovers):
        for group in handover.groups or [g.name for g in model.groups]:
            key = (handover.age, group)
            if key in seen:
                yield Fault(
                    f"handovers[{i}]", f"'{group}' at {handover.age:g} is already given in handovers[{seen[key]}]"
                )
            seen[key] = i


def _lengths(model: ModelFields) -> Iterator[Fault]:
    need_levels = len(model.need_levels)
    rows = [
        (f"{part}[{i}].needs", row.needs)
        for part in ("arrivals", "caseload")
        for i, row in enumerate(getattr(model, part))
    ]
    rows += [(f"need[{i}].death_ratio", row.death_ratio) for i, row in enumerate(model.need)]
    rows += [(f"front_door[{i}].diverted", row.diverted) for i, row in enumerate(model.front_door)]
    for path, numbers in rows:
        if numbers is not None and len(numbers.value) != need_levels:
            wanted = f"{need_levels} levels of need ({', '.join(model.need_levels)})"
            yield Fault(path, f"needs one value for each of {wanted}, got {len(numbers.value)}")


def _ages(model: ModelFields) -> Iterator[Fault]:
    stages = {stage.name: stage for stage in model.stages}
    for part in ("arrivals", "caseload"):
        for i, row in enumerate(getattr(model, part)):
            if row.area is None and len(model.about.areas) > 1:
                yield Fault(f"{part}[{i}].area", f"is required: the model has {len(model.about.areas)} areas")
            stage = stages[row.stage]
            if row.ages is None:
                if stage.to_age is None:
                    yield Fault(f"{part}[{i}].ages", f"is required: stage '{stage.name}' has no upper age")
                continue
            if row.ages.edges[0] < stage.from_age or (stage.to_age is not None and row.ages.edges[-1] > stage.to_age):
                yield Fault(f"{part}[{i}].ages.edges", f"reach outside stage '{stage.name}'")
    services = {service.name: service for service in model.services}
    for i, row in enumerate(model.caseload):
        if row.service is None:
            continue
        service = services[row.service]
        if service.groups is not None and row.group not in service.groups:
            yield Fault(f"caseload[{i}].group", f"'{row.group}' is not served by '{service.name}'")
        if row.ages is not None:
            low, high = row.ages.edges[0], row.ages.edges[-1]
        else:
            low, high = stages[row.stage].from_age, stages[row.stage].to_age or 0.0
        if low < service.from_age or (service.to_age is not None and high > service.to_age):
            yield Fault(f"caseload[{i}].ages", f"reach outside the ages of '{service.name}'")


def _reachable(model: ModelFields) -> Iterator[Fault]:
    """Whoever arrives, and whoever a transition puts in another group, must find some long-term service."""
    long_term = [s for s in model.services if s.short_term_days is None]
    stages = {stage.name: stage for stage in model.stages}

    def nowhere(group: str, age: float) -> bool:
        return not any(
            (s.groups is None or group in s.groups) and s.from_age <= age and (s.to_age is None or age < s.to_age)
            for s in long_term
        )

    for i, row in enumerate(model.arrivals):
        low = row.ages.edges[0] if row.ages else stages[row.stage].from_age
        if nowhere(row.group, low):
            yield Fault(f"arrivals[{i}]", f"no service takes group '{row.group}' at age {low:g}")
    groups = known_groups(model)
    for i, handover in enumerate(model.handovers):
        if handover.keeps_need.value == 0:
            continue
        for group in handover.groups or [g.name for g in model.groups]:
            to = handover.to_group or group
            if (handover.to_group is not None or group in groups) and nowhere(to, handover.age):
                yield Fault(
                    f"handovers[{i}].to_group",
                    f"a transition to nowhere: no service takes group '{to}' at age {handover.age:g}",
                )
                break
