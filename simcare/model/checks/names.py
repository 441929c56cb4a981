"""Names and sources of a model: defined once, spelt as something that exists, and every number's source known."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from pydantic import BaseModel

from simcare.model.fault import Fault
from simcare.model.fields import ModelFields
from simcare.model.nearmiss import unknown
from simcare.model.number import sourced

NAMED = (
    *("tiers", "stages", "groups", "services", "contracts", "providers", "teams", "hospitals", "need", "front_door"),
    *("handovers", "drivers", "arrivals", "caseload", "responses", "voluntary", "programmes"),
)
REFERRING = (
    *("services", "providers", "teams", "hospitals", "clocks", "need", "front_door", "handovers", "arrivals"),
    *("caseload", "responses", "failures", "voluntary", "modifiers", "programmes"),
)
# What a field that holds one name names; a field that holds several is called after what they name.
ONE_OF = {
    "stage": "stages",
    "group": "groups",
    "to_group": "groups",
    "service": "services",
    "contract": "contracts",
    "provider": "providers",
    "area": "areas",
    "tier": "tiers",
    "at_most": "needs",
    "driver": "drivers",
}
Reference = tuple[str, str, Iterable[str]]  # where a name stands, itself, and what exists


def name_faults(model: ModelFields) -> Iterator[Fault]:
    """Names given to two things of a kind, and those of an area to two areas."""
    for part in NAMED:
        names = [item.name for item in getattr(model, part) if item.name is not None]
        for name, times in Counter(names).items():
            if times > 1:
                last = max(k for k, item in enumerate(getattr(model, part)) if item.name == name)
                yield Fault(f"{part}[{last}].name", f"'{name}' is already defined")
    for k, area in enumerate(model.about.areas):
        if area in model.about.areas[:k]:
            yield Fault(f"about.areas[{k}]", f"'{area}' is already defined")


def reference_faults(model: ModelFields) -> Iterator[Fault]:
    """Names of what is not there, each with its near miss."""
    for path, name, options in _references(model):
        if name not in options:
            yield Fault(path, unknown(name, options))


def _references(model: ModelFields) -> Iterator[Reference]:
    """Every name that must exist."""
    known: dict[str, Sequence[str]] = {
        "stages": [s.name for s in model.stages],
        "groups": [g.name for g in model.groups],
        "services": [s.name for s in model.services],
        "contracts": [c.name for c in model.contracts],
        "providers": [p.name for p in model.providers],
        "areas": model.about.areas,
        "tiers": [tier.name for tier in model.tiers],
        "needs": model.need_levels,
        "step_up_tiers": model.need_levels,
        "drivers": [d.name for d in model.drivers],
    }
    for part in REFERRING:
        for i, item in enumerate(getattr(model, part)):
            yield from _names_in(item, f"{part}[{i}]", known)


def _names_in(value: BaseModel, path: str, known: Mapping[str, Sequence[str]]) -> Iterator[Reference]:
    """The names in a part, and in the parts of it."""
    for name, field in value:
        here = f"{path}.{name}"
        if isinstance(field, str) and name in ONE_OF:
            yield here, field, known[ONE_OF[name]]
        elif isinstance(field, tuple):
            for i, item in enumerate(field):
                if isinstance(item, BaseModel):
                    yield from _names_in(item, f"{here}[{i}]", known)
                elif isinstance(item, str) and name in known:
                    yield f"{here}[{i}]", item, known[name]


def source_faults(value: BaseModel, sources: Iterable[str]) -> Iterator[Fault]:
    """Numbers in a value whose source is not among ``sources``, or that are assumptions of another grade than D."""
    for path, number in sourced(value):
        if number.source == "assumption":
            if number.grade != "D":
                yield Fault(f"{path}.grade", f"an assumption is graded D, not {number.grade}")
        elif number.source not in sources:
            said = unknown(number.source, [*sources, "assumption"])
            key = re.sub(r"[^a-z0-9]+", "_", number.source.lower()).strip("_") or "my_source"
            own = f'; a source of your own stands under [sources], as in {key} = "{number.source}", and goes by its key'
            yield Fault(f"{path}.source", said if "did you mean" in said else said + own)
