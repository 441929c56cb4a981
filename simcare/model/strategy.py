"""Strategies and scenarios, and the experiments that compare them: what people write down.

:mod:`simcare.model.overlay` lays them over a model.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping
from typing import Any, Literal, Self

from pydantic import Field, model_validator

from simcare.model.contracts import Contract
from simcare.model.fields import LONGEST_RAMP
from simcare.model.kinds import ClockName, Cost, FileName, Name, PathText, Scope, Share
from simcare.model.number import Finite, Frozen, Grade, Number
from simcare.model.response import Response

LARGEST = "largest"
BASELINE = "baseline"  # the strategy that changes nothing
MOST_EVER = 1000.0  # times as fast, even where it is deliberate
AS_IN_THE_FILE = "as in the file"  # the scenario that changes nothing


MOST_TIMES, LEAST_TIMES = 5.0, 0.2  # an effect beyond these is asked for on purpose, or mistyped
ABOUT_EFFECTS = frozenset({"evidence", "deliberate"})  # what is said of an effect beside what it does


class Effect(Frozen):
    """What a strategy does to a clock or to arrivals: it runs ``multiply`` times as fast in these cells.

    ``evidence`` says how far it is believed. "what-if": it is used as asked. "graded": it is shrunk by the grade of
    ``multiply``, and drawn where that has an interval. Unless said, an assumption (``source = "assumption"``) is a
    what-if, and anything with a source is graded. ``deliberate`` allows effects beyond five times or a fifth.
    """

    on: ClockName | Literal["arrivals"]
    stages: Scope = None
    groups: Scope = None
    needs: tuple[Name, ...] | None = None
    multiply: Number
    evidence: Literal["what-if", "graded"] | None = None
    deliberate: bool = False

    @property
    def as_asked(self) -> bool:
        """Whether it is a what-if, which is used as asked."""
        return self.evidence == "what-if" or (self.evidence is None and self.multiply.source == "assumption")

    @property
    def has_interval(self) -> bool:
        """Whether it is drawn: an interval says how far it is known."""
        low, high = self.multiply.low, self.multiply.high
        return low is not None and high is not None and high > low

    @model_validator(mode="after")
    def _positive(self) -> Self:
        if self.multiply.value < 0 or (self.multiply.low is not None and self.multiply.low <= 0):
            value = self.multiply.value
            fewer = -value / 100 if value <= -1 else -value  # people write a fall in per cent
            meant = f"; {100 * fewer:g} % fewer is {1 - fewer:g}" if 0 < fewer < 1 else ""
            raise ValueError(f"multiply cannot be negative, got {value:g}{meant}")
        if max(self.multiply.value, self.multiply.high or 0.0) > MOST_EVER:
            raise ValueError(f"multiply is how many times as fast, {MOST_EVER:g} at most, got {self.multiply.value:g}")
        return self

    @model_validator(mode="after")
    def _of_a_size_that_is_meant(self) -> Self:
        times = self.multiply.value
        if not self.deliberate and not LEAST_TIMES <= times <= MOST_TIMES:
            say = "say deliberate = true in the effect if that is meant"
            what = f"multiply is {times:g}, {times:g} times as fast" if times else "multiply is 0, which stops it"
            if 5 < times <= 100 and times == round(times):
                less = f", {times:g} % less is {1 - times / 100:g}" if times < 100 else ""
                what += (
                    f"; {times:g} % of what it is now is {times / 100:g}, {times:g} % more is {1 + times / 100:g}{less}"
                )
            elif 0 < times < LEAST_TIMES:
                what += f"; {100 * times:g} % more is {1 + times:g}, {100 * times:g} % less is {1 - times:g}"
            raise ValueError(f"{what}; {say}")
        return self

    @model_validator(mode="after")
    def _asks_for_one_size(self) -> Self:
        if self.as_asked and self.multiply.low is not None:
            said = "a what-if" if self.evidence == "what-if" else 'an assumption (source = "assumption"), so a what-if,'
            raise ValueError(
                f"is {said} and is used as asked, so its interval would not be used: leave out low and high, or say"
                ' evidence = "graded" to have it shrunk by its grade and drawn'
            )
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
    ramp_days: int = Field(default=0, ge=0, le=LONGEST_RAMP)
    gbp_per_year: Cost | None = None
    one_off_gbp: Cost | None = None
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


class Goal(Frozen):
    """What a strategy is to reach: a measure's difference from the baseline over the years of the experiment."""

    measure: str
    at_most: Finite | None = None
    at_least: Finite | None = None

    @model_validator(mode="after")
    def _one_side(self) -> Self:
        if (self.at_most is None) == (self.at_least is None):
            raise ValueError("give either at_most or at_least")
        return self


LEAST_REPLICATIONS, MOST_REPLICATIONS = 60, 400
PRECISION = 0.1  # the Monte Carlo error of a mean difference, over the spread of the difference


def replications_for(precision: float, most: int) -> int:
    """How many replications bring the Monte Carlo error of a mean to so small a part of its spread: the error is the
    spread over the root of their number. At least 60, at most ``most``.

    >>> replications_for(0.1, 400), replications_for(0.5, 400), replications_for(0.02, 400)
    (100, 60, 400)
    """
    return min(max(math.ceil(round(precision**-2, 6)), LEAST_REPLICATIONS), most)


class Experiment(Frozen):
    """Strategies to be compared with a baseline, on one model, on the same draws; and again in each of some scenarios.

    ``contracts`` and ``responses`` are added to those of the model. Without ``replications`` as many are run as
    ``precision`` asks for, the Monte Carlo error of a mean difference as a part of that difference's own spread, from
    60 up to ``most_replications``.
    """

    name: FileName
    title: str
    model: str
    years: int = Field(gt=0, le=60)
    precision: Finite = Field(default=PRECISION, gt=0, le=1)
    most_replications: int = Field(default=MOST_REPLICATIONS, gt=1, le=100_000)
    replications: int = Field(gt=1, le=100_000)
    target: Goal | None = None
    seed: int = Field(default=1, ge=0, le=2**62)
    description: str | None = None
    sources: dict[str, str] = Field(default_factory=dict)
    shrinkage: Shrinkage
    contracts: tuple[Contract, ...] = ()
    responses: tuple[Response, ...] = ()
    strategies: tuple[Strategy, ...] = Field(min_length=1)
    scenarios: tuple[Scenario, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _as_many_as_it_takes(cls, data: Any) -> Any:
        """Where the file says no replications, as many as the precision asks for."""
        if not isinstance(data, dict) or "replications" in data:
            return data
        precision, most = data.get("precision", PRECISION), data.get("most_replications", MOST_REPLICATIONS)
        sound = isinstance(precision, int | float) and 0 < precision <= 1 and isinstance(most, int) and most > 1
        return data | {"replications": replications_for(precision, most) if sound else LEAST_REPLICATIONS}

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        names = [s.name for s in self.strategies]
        for name in names:
            if name == BASELINE:
                raise ValueError(
                    f"strategy name '{name}' is that of carrying on as before, which is run anyway; give another"
                )
            if names.count(name) > 1:
                raise ValueError(f"strategy name '{name}' is already taken")
        scenarios = [s.name for s in self.scenarios]
        for name in scenarios:
            if scenarios.count(name) > 1 or name == AS_IN_THE_FILE:
                raise ValueError(f"scenario name '{name}' is already taken")
        return self


def shrunk(multiply: Number, shrinkage: Shrinkage) -> Number:
    """An effect as far as its grade is believed: value, low and high raised to the weight of the grade.

    >>> halves = Shrinkage(**{g: {"value": 0.5, "source": "assumption", "grade": "D"} for g in "ABCD"})
    >>> shrunk(Number(value=0.64, source="assumption", grade="C"), halves).value
    0.8
    """
    weight = shrinkage.weight(multiply.grade)
    parts = {name: getattr(multiply, name) for name in ("value", "low", "high")}
    return multiply.model_copy(update={name: v**weight for name, v in parts.items() if v is not None})


def believed(strategy: Strategy, shrinkage: Shrinkage) -> Strategy:
    """The strategy with its effects as they are used: what-ifs as asked, the others shrunk by their grade.

    >>> shrinkage = Shrinkage(**{g: {"value": 0.5, "source": "assumption", "grade": "D"} for g in "ABCD"})
    >>> asked = {"on": "rise", "multiply": {"value": 0.64, "source": "assumption", "grade": "D"}}
    >>> both = [asked, {**asked, "evidence": "graded"}]
    >>> strategy = Strategy(name="s", title="S", start=dt.date(2014, 4, 1), effects=both)
    >>> [effect.multiply.value for effect in believed(strategy, shrinkage).effects]
    [0.64, 0.8]
    """
    effects = tuple(
        e if e.as_asked else e.model_copy(update={"multiply": shrunk(e.multiply, shrinkage)}) for e in strategy.effects
    )
    return strategy.model_copy(update={"effects": effects})


def drawn_effects(strategy: Strategy, normal_draws: Mapping[int, float]) -> Strategy:
    """One possible truth: effect k with an interval takes its value ``normal_draws[k]`` standard deviations off.

    The interval is read as the middle 95 % of a lognormal around the value.
    """
    effects = []
    for k, effect in enumerate(strategy.effects):
        number = effect.multiply
        if effect.has_interval:
            assert number.low is not None and number.high is not None
            sd = (math.log(number.high) - math.log(number.low)) / (2 * 1.959964)
            value = number.value * math.exp(sd * normal_draws[k])
            effect = effect.model_copy(
                update={"multiply": number.model_copy(update={"value": value, "low": None, "high": None})}
            )
        effects.append(effect)
    return strategy.model_copy(update={"effects": tuple(effects)})
