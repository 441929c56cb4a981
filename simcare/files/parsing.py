"""Plain tables in, checked values out; every fault in words, with file, path and near miss."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError

from simcare.errors import BadInput
from simcare.files.pydantic_words import in_words, without_echoes
from simcare.model.nearmiss import unknown
from simcare.model.strategy import Effect

M = TypeVar("M", bound=BaseModel)
WHY_NOT = {  # keys that people look for in a table of these keys, and why it has none such
    (("path", "to"), ("from", "start", "date", "from_")): (
        "a change begins when its strategy starts: give another date a strategy of its own"
    ),
    (("path", "to"), ("add", "by", "multiply", "times", "minus", "plus")): (
        "a change sets the number itself: give what it becomes in to"
    ),
    (tuple(Effect.model_fields), ("area", "areas", "service", "services", "provider", "providers", "tier", "tiers")): (
        "an effect is on stages, groups and needs, and on everybody who is in them"
    ),
}


def parse(kind: type[M], data: Mapping[str, Any], name: str) -> M:
    """Validate plain tables as ``kind``; every fault becomes one line: file, path, what is wrong.

    >>> from simcare.model.parts import Tier
    >>> parse(Tier, {"nane": "home care"}, "x.toml")
    Traceback (most recent call last):
    ...
    simcare.errors.BadInput: x.toml: nane: unknown key, did you mean 'name'?
    """
    try:
        return kind.model_validate(data)
    except ValidationError as error:
        raise BadInput([f"{name}: {line}" for line in fault_lines(error, kind, data)]) from error


def fault_lines(error: ValidationError, kind: type[BaseModel], data: Mapping[str, Any]) -> list[str]:
    """Every fault of tables that are no ``kind``, a line each: path, and what is wrong; misspelt keys first."""
    faults = sorted(without_echoes(error.errors()), key=lambda fault: fault["type"] != "extra_forbidden")
    return list(dict.fromkeys(line for fault in faults for line in _lines(fault, kind, data)))


def _lines(fault: Mapping[str, Any], kind: type[BaseModel], data: Mapping[str, Any]) -> list[str]:
    ctx = fault.get("ctx") or {}
    if "faults" in ctx:
        return [str(item) for item in ctx["faults"]]
    path = as_path(fault["loc"], data)
    if fault["type"] == "extra_forbidden":
        key = str(fault["loc"][-1])
        return [f"{path}: {unknown_key(key, _keys(kind, fault['loc'][:-1]))}"]
    if fault["type"] == "union_tag_invalid":
        tags = [tag.strip(" '") for tag in ctx["expected_tags"].split(",")]
        return [f"{path}.kind: {unknown(ctx['tag'], tags)}"]
    if fault["type"] == "union_tag_not_found":
        path = f"{path}.kind"
    return [f"{path}: {in_words(fault)}" if fault["loc"] else in_words(fault)]


def unknown_key(key: str, known: Sequence[str]) -> str:
    """What is said of a key that is not known, with the nearest, or with why it is not there.

    >>> print(unknown_key("from", ["path", "to"]).partition("; ")[2])
    a change begins when its strategy starts: give another date a strategy of its own
    """
    said = unknown(key, known).replace(repr(key), "key", 1)
    why = next((why for keys, why in WHY_NOT.items() if set(known) == set(keys[0]) and key in keys[1]), None)
    return said if why is None else f"{said}; {why}"


def as_path(loc: Sequence[str | int], data: Any) -> str:
    """A path as a person would write it; the inner ``steps`` of a series show only where the file has a list.

    >>> as_path(("services", 3, "tier"), {"services": [{}] * 4})
    'services[3].tier'
    """
    path, here = "", data
    for part in loc:
        hidden = part == "steps" and not (isinstance(here, Mapping) and "steps" in here)
        kind = isinstance(here, Mapping) and part == here.get("kind", "per_diem")  # which of several kinds of row it is
        if hidden or kind or (isinstance(part, int) and isinstance(here, Mapping)):
            continue
        path += f"[{part}]" if isinstance(part, int) else (f".{part}" if path else part)
        try:
            here = here[part]
        except (KeyError, IndexError, TypeError):
            here = None
    return path or "file"


def _keys(kind: type[BaseModel], loc: Sequence[str | int]) -> list[str]:
    """The keys that a table at ``loc`` may have."""
    here: Any = kind
    for part in loc:
        if isinstance(part, str) and part in (
            known := {name: one for kinds in _kinds_in(here) for name, one in kinds.items()}
        ):
            here = known[part]
        elif (
            isinstance(part, str)
            and isinstance(here, type)
            and issubclass(here, BaseModel)
            and part in here.model_fields
        ):
            annotation = here.model_fields[part].annotation
            here = annotation if len(list(_kinds_in(annotation))) > 1 else _inner(annotation)
    if isinstance(here, type) and issubclass(here, BaseModel):
        return [field.alias or name for name, field in here.model_fields.items()]
    return []


def _kinds_in(annotation: Any) -> Iterator[dict[str, type[BaseModel]]]:
    """The classes of a row that may be of several kinds, by the name of the kind."""
    if isinstance(annotation, type):
        if issubclass(annotation, BaseModel) and "kind" in annotation.model_fields:
            yield dict.fromkeys(get_args(annotation.model_fields["kind"].annotation), annotation)
        return
    for argument in getattr(annotation, "__args__", ()):
        yield from _kinds_in(argument)


def _inner(annotation: Any) -> Any:
    """The model class inside ``tuple[X, ...]`` or ``X | None``."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for argument in getattr(annotation, "__args__", ()):
        found = _inner(argument)
        if found is not None:
            return found
    return None
