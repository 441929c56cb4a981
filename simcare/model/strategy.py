"""Strategies and scenarios, and the experiments that compare them: what people write down.

:mod:`simcare.model.overlay` lays them over a model.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping
from typing import Literal, Self

from pydantic import Field, model_validator

from simcare.model.contracts import Contract
from simcare.model.kinds import ClockName, FileName, Name, PathText, Scope, Share
from simcare.model.number import Frozen, Grade, Number
from simcare.model.response import Response

LARGEST = "largest"
BASELINE = "baseline"  # the strategy that changes nothing
AS_IN_THE_FILE = "as in the file"  # the scenario that changes nothing


class Effect(Frozen):
    """What a strategy does to a clock or to arrivals: it runs ``multiply`` times as fast in these cells."""

    on: ClockName | Literal["arrivals"]
    stages: Scope = None
    groups: Scope = None
    needs: tuple[Name, ...] | None = None
    multiply: Number

    @model_validator(mode="after")
    def _positive(self) -> Self:
        if self.multiply.value < 0 or (self.multiply.low is not None and self.multiply.low <= 0):
            value = self.multiply.value
            fewer = -value / 100 if value <= -1 else -value  # people write a fall in per cent
            meant = f"; {100 * fewer:g} % fewer is {1 - fewer:g}" if 0 < fewer < 1 else ""
            raise ValueError(f"multiply cannot be negative, got {value:g}{meant}")
        return self


class Change(Frozen):
    """A number of the model that the strategy sets to a new value: ``path`` is ``part.name.field``."""

    path: PathText
    to: Number


class NewContract(Frozen):
    """From the strategy's start on, a service is under another contract: at one provider, or at all who offer it.

    A contract changes on a day, whatever the strategy's ramp. Stays that are under way go on counting their days.
    """

    service: Name
    provider: Name | None = None
    contract: Name


class Strategy(Frozen):
    """A choice a commissioner could make: a start date, a ramp, what it changes and what it costs; or a blow, such as a
    provider's failure.

    ``failures`` are providers that fail on the start date; "largest" is the independent or voluntary one with most
    people on day 0.
    """

    name: Name
    title: str
    start: dt.date
    ramp_days: int = Field(default=0, ge=0)
    gbp_per_year: Number | None = None
    one_off_gbp: Number | None = None
    stage: Name | None = None
    effects: tuple[Effect, ...] = ()
    changes: tuple[Change, ...] = ()
    contracts: tuple[NewContract, ...] = ()
    failures: tuple[Name, ...] = ()


class Scenario(Frozen):
    """Assumptions under which all strategies, and the baseline, are compared again: numbers of the model that differ
    from the file from the first day on, and clocks that run faster or slower."""

    name: Name
    title: str
    effects: tuple[Effect, ...] = ()
    changes: tuple[Change, ...] = ()


class Shrinkage(Frozen):
    """How far an effect of each grade is believed: the weight on its logarithm, from 0 (none) to 1 (in full)."""

    A: Share
    B: Share
    C: Share
    D: Share

    def weight(self, grade: Grade) -> float:
        weight: Number = getattr(self, grade)
        return weight.value


class Experiment(Frozen):
    """Strategies to be compared with a baseline, on one model, on the same draws; and again in each of some scenarios.

    ``contracts`` and ``responses`` are added to those of the model.
    """

    name: FileName
    title: str
    model: str
    years: int = Field(gt=0, le=60)
    replications: int = Field(gt=1)
    seed: int = Field(default=1, ge=0, le=2**62)
    description: str | None = None
    sources: dict[str, str] = Field(default_factory=dict)
    shrinkage: Shrinkage
    contracts: tuple[Contract, ...] = ()
    responses: tuple[Response, ...] = ()
    strategies: tuple[Strategy, ...] = Field(min_length=1)
    scenarios: tuple[Scenario, ...] = ()

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        names = [s.name for s in self.strategies]
        for name in names:
            if names.count(name) > 1 or name == BASELINE:
                raise ValueError(f"strategy name '{name}' is already taken")
        scenarios = [s.name for s in self.scenarios]
        for name in scenarios:
            if scenarios.count(name) > 1 or name == AS_IN_THE_FILE:
                raise ValueError(f"scenario name '{name}' is already taken")
        return self


def shrunk(multiply: Number, shrinkage: Shrinkage) -> Number:
    """The effect as believed: value, low and high raised to the weight of its grade.

    >>> halves = Shrinkage(**{g: {"value": 0.5, "source": "assumption", "grade": "D"} for g in "ABCD"})
    >>> shrunk(Number(value=0.64, source="assumption", grade="C"), halves).value
    0.8
    """
    weight = shrinkage.weight(multiply.grade)
    parts = {name: getattr(multiply, name) for name in ("value", "low", "high")}
    return multiply.model_copy(update={name: v**weight for name, v in parts.items() if v is not None})


def believed(strategy: Strategy, shrinkage: Shrinkage) -> Strategy:
    """The strategy with every effect shrunk by its grade."""
    effects = tuple(e.model_copy(update={"multiply": shrunk(e.multiply, shrinkage)}) for e in strategy.effects)
    return strategy.model_copy(update={"effects": effects})


def drawn_effects(strategy: Strategy, normal_draws: Mapping[int, float]) -> Strategy:
    """One possible truth: effect k with an interval takes its value ``normal_draws[k]`` standard deviations off.

    The interval is read as the middle 95 % of a lognormal around the value.
    """
    effects = []
    for k, effect in enumerate(strategy.effects):
        number = effect.multiply
        if number.low is not None and number.high is not None and number.high > number.low:
            sd = (math.log(number.high) - math.log(number.low)) / (2 * 1.959964)
            value = number.value * math.exp(sd * normal_draws[k])
            effect = effect.model_copy(
                update={"multiply": number.model_copy(update={"value": value, "low": None, "high": None})}
            )
        effects.append(effect)
    return strategy.model_copy(update={"effects": tuple(effects)})
