"""Numbers that say where they come from.

No bare number stands in a model file. Each carries its ``source`` and a ``grade``:
A measured, B indirect, C weak, D assumption.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from itertools import pairwise
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    WithJsonSchema,
    field_validator,
    model_validator,
)

Grade = Literal["A", "B", "C", "D"]
GRADES: dict[str, str] = {"A": "measured", "B": "indirect", "C": "weak", "D": "assumption"}

Finite = Annotated[float, Field(allow_inf_nan=False, strict=True)]


_ONE_OR_MANY = {"anyOf": [{"type": "number"}, {"type": "array", "items": {"type": "number"}, "minItems": 1}]}


class Frozen(BaseModel):
    """A value: it never changes, and a key it does not know is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=False, allow_inf_nan=False)


class Sourced(Frozen):
    """What every number carries beside its value."""

    source: str = Field(min_length=1, description="Key of [sources], or 'assumption' with grade D.")
    grade: Grade = Field(description="A measured, B indirect, C weak, D assumption.")
    note: str | None = Field(default=None, description="How it was derived, or what to beware of.")


class Number(Sourced):
    """One number.

    >>> Number(value=0.2, source="assumption", grade="D").value
    0.2
    """

    value: Finite
    low: Finite | None = Field(default=None, description="Lower end of a 95 % interval, where one is known.")
    high: Finite | None = Field(default=None, description="Upper end of a 95 % interval, where one is known.")

    @model_validator(mode="after")
    def _interval_holds_value(self) -> Number:
        if (self.low is None) != (self.high is None):
            raise ValueError("give both 'low' and 'high', or neither")
        if self.low is not None and self.high is not None and self.low > self.high:
            raise ValueError(f"low, {self.low:g}, is above high, {self.high:g}; are they the other way round?")
        if self.low is not None and self.high is not None and not self.low <= self.value <= self.high:
            raise ValueError(f"{self.value:g} lies outside its own interval {self.low:g} to {self.high:g}")
        return self


class Numbers(Sourced):
    """A row of numbers that share one source: by need, month, band …

    >>> Numbers(value=[0.5, 0.5], source="assumption", grade="D").value
    (0.5, 0.5)
    """

    value: Annotated[tuple[Finite, ...], Field(min_length=1), WithJsonSchema(_ONE_OR_MANY)]

    @field_validator("value", mode="before")
    @classmethod
    def _one_is_a_row(cls, value: Any) -> Any:
        return (value,) if isinstance(value, (int, float)) else value


class Step(Number):
    """A value that holds from a date on (``from_`` is ``from`` in files)."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)
    from_: dt.date | None = Field(default=None, alias="from")


class DatedNumber(Frozen):
    """A number over time: one value, or a list of dated values, each with its own source.

    >>> rate = DatedNumber.model_validate([
    ...     {"value": 10, "source": "assumption", "grade": "D"},
    ...     {"from": "2014-04-01", "value": 12, "source": "assumption", "grade": "D"}])
    >>> rate.at(dt.date(2013, 6, 1)), rate.at(dt.date(2014, 4, 1))
    (10.0, 12.0)
    """

    steps: tuple[Step, ...] = Field(min_length=1)

    @model_validator(mode="before")
    @classmethod
    def _one_or_many(cls, data: Any) -> Any:
        if isinstance(data, dict) and "steps" not in data:
            return {"steps": [data]}
        if isinstance(data, (list, tuple)):
            return {"steps": list(data)}
        return data

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: Any, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """In files a series is one number, or a list of dated ones."""
        steps = handler(core_schema)
        steps = handler.resolve_ref_schema(steps)["properties"]["steps"]
        return {"description": cls.__doc__.splitlines()[0] if cls.__doc__ else "", "anyOf": [steps["items"], steps]}

    @model_validator(mode="after")
    def _in_order(self) -> DatedNumber:
        dates = [step.from_ for step in self.steps]
        if any(date is None for date in dates[1:]):
            raise ValueError("every value after the first needs a 'from' date")
        known = [date for date in dates if date is not None]
        if any(later <= earlier for earlier, later in pairwise(known)):
            raise ValueError("dated values must be in order of their 'from' dates")
        return self

    def at(self, date: dt.date) -> float:
        """The value in force on ``date``; before the first date, the first value."""
        value = self.steps[0].value
        for step in self.steps[1:]:
            if step.from_ is not None and step.from_ <= date:
                value = step.value
        return value

    @property
    def values(self) -> tuple[float, ...]:
        return tuple(step.value for step in self.steps)

    def since(self, steps: tuple[Step, ...]) -> DatedNumber:
        """This series until the first new step, and the new steps from then on."""
        start = steps[0].from_
        kept = [s for s in self.steps if s.from_ is None or (start is not None and s.from_ < start)]
        first = self.steps[0].model_copy(update={"from_": None})  # before the first date, the first value
        return DatedNumber(steps=(first, *kept[1:], *steps))


def sourced(value: BaseModel, path: str = "", by_name: bool = False) -> Iterator[tuple[str, Sourced]]:
    """Every sourced number in a value with its path; rows go by their index, or ``by_name`` where they have one.

    >>> next(sourced(Number(value=1, source="assumption", grade="D"), "x"))[0]
    'x'
    """
    if isinstance(value, Sourced):
        yield path, value
        return
    for name, field in value:
        here = f"{path}.{name}" if path else name
        if isinstance(field, BaseModel):
            yield from sourced(field, here, by_name)
        elif isinstance(field, tuple):
            for i, item in enumerate(field):
                if isinstance(item, BaseModel):
                    label = getattr(item, "name", i) if by_name else i
                    yield from sourced(item, path if name == "steps" else f"{here}[{label}]", by_name)
