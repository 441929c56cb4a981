"""Plain tables in, checked values out; every fault in words, with file, path and near miss."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError

from simcare.errors import BadInput
from simcare.model.nearmiss import unknown

M = TypeVar("M", bound=BaseModel)


def parse(kind: type[M], data: Mapping[str, Any], name: str) -> M:
    """Validate plain tables as ``kind``; every fault becomes one line: file, path, what is wrong.

    >>> from simcare.model import Model
    >>> parse(Model, {"abuot": {}}, "x.toml")
    Traceback (most recent call last):
    ...
    simcare.errors.BadInput: x.toml: abuot: unknown key, did you mean 'about'?
    """
    try:
        return kind.model_validate(data)
    except ValidationError as error:
        found = error.errors()
        # A list whose only row is at fault is reported as too short as well: once is enough.
        found = [
            f
            for f in found
            if not (
                f["type"] == "too_short" and any(o["loc"][: len(f["loc"])] == f["loc"] and o is not f for o in found)
            )
        ]
        lines = [line for fault in found for line in _lines(fault, kind, data)]
        misspelt = [line for line in lines if "unknown key" in line]
        raise BadInput([f"{name}: {line}" for line in misspelt or lines]) from error


def _lines(fault: Mapping[str, Any], kind: type[BaseModel], data: Mapping[str, Any]) -> list[str]:
    ctx = fault.get("ctx") or {}
    if "faults" in ctx:
        return [str(item) for item in ctx["faults"]]
    path = as_path(fault["loc"], data)
    if fault["type"] == "extra_forbidden":
        key = str(fault["loc"][-1])
        return [f"{path}: {unknown(key, _keys(kind, fault['loc'][:-1])).replace(repr(key), 'key', 1)}"]
    if fault["type"] == "union_tag_invalid":
        tags = [tag.strip(" '") for tag in ctx["expected_tags"].split(",")]
        return [f"{path}.kind: {unknown(ctx['tag'], tags)}"]
    if fault["type"] == "union_tag_not_found":
        return [f"{path}.kind: is required"]
    if fault["type"] == "missing":
        return [f"{path}: is required"]
    if fault["type"].startswith("date_"):
        return [f"{path}: should be a date such as 2013-04-01, got {fault['input']!r}"]
    if fault["type"] in ("model_type", "model_attributes_type"):
        return [f'{path}: needs a table such as {{ value = 1, source = "…", grade = "A" }}, got {fault["input"]!r}']
    if "error" in ctx:
        return [f"{path}: {ctx['error']}"]
    got = fault["input"]
    shown = f", got {got!r}" if isinstance(got, (str, int, float, bool)) or got is None else ""
    sentence = fault["msg"].replace("Input should", "should")
    if fault["type"] == "literal_error":
        sentence = unknown(
            str(got), [option.strip(" '") for option in ctx["expected"].replace(" or ", ", ").split(",")]
        )
        shown = ""
    return [f"{path}: {sentence[0].lower()}{sentence[1:]}{shown}"]


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
