"""What is not known of a model: rows that move in every run, and numbers that do not, with the reason.

A row says what it moves and how far: a prior. :mod:`simcare.model.laying` lays values of rows over a model;
:mod:`simcare.runs.drawing` draws them. Everything here is a frozen value that checks itself; whether a row fits the
model is for :mod:`simcare.model.checks.uncertain`.
"""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from simcare.model.kinds import ClockName, Name, Scope, require
from simcare.model.number import Finite, Frozen, Grade, Sourced

NEVER_DRAWN = 0.0005  # of each tail: what is drawn lies between
Pattern = Annotated[
    str,
    Field(pattern=r"^[a-z_*]+\..+$", description="A path such as services.*.review_every_days; * stands for any text."),
]

# The quantities that a prior of each kind takes; `between` cuts any of them.
TAKES: dict[str, tuple[str, ...]] = {
    "lognormal": ("median", "sd_log"),
    "normal": ("mean", "sd"),
    "beta": ("mean", "n"),
    "gamma": ("mean", "events"),
    "uniform": ("low", "high"),
    "triangular": ("low", "mode", "high"),
}


class Cells(Frozen):
    """A kind of clock, or the arrivals, in some cells: those of these stages, groups and needs, of all where none is
    named."""

    on: ClockName | Literal["arrivals"]
    stages: Scope = None
    groups: Scope = None
    needs: tuple[Name, ...] | None = None


def _as_list(value: Any) -> Any:
    return [value] if isinstance(value, dict | Cells) else value


SomeCells = Annotated[tuple[Cells, ...], BeforeValidator(_as_list, json_schema_input_type=Cells | tuple[Cells, ...])]


class RowPrior(Sourced):
    """What is thought of a row before any records of the place are looked at.

    ``lognormal``: around ``median``, with ``sd_log`` on the log scale. ``normal``: ``mean`` and ``sd``. ``beta``: a
    share of ``mean``, as sure as a sample of ``n``. ``gamma``: ``mean``, as sure as a rate of ``events`` that were
    counted. ``uniform`` and ``triangular``: between the least and the most thought possible, with ``mode`` the
    likeliest. ``between`` cuts off what lies outside. The outer 0.05 % of either tail is never drawn.
    """

    kind: Literal["lognormal", "normal", "beta", "gamma", "uniform", "triangular"]
    median: Finite | None = Field(default=None, gt=0)
    sd_log: Finite | None = Field(default=None, ge=0, le=3)
    mean: Finite | None = None
    sd: Finite | None = Field(default=None, ge=0)
    n: Finite | None = Field(default=None, gt=0)
    events: Finite | None = Field(default=None, gt=0)
    low: Finite | None = None
    mode: Finite | None = None
    high: Finite | None = None
    between: tuple[Finite, Finite] | None = None

    @model_validator(mode="after")
    def _complete(self) -> Self:
        wanted = TAKES[self.kind]
        given = [name for names in TAKES.values() for name in names if getattr(self, name) is not None]
        needs, extra = [n for n in wanted if n not in given], sorted({n for n in given if n not in wanted})
        require(not needs, f"a {self.kind} prior needs {' and '.join(wanted)}; {' and '.join(needs)} is missing")
        require(not extra, f"a {self.kind} prior takes {' and '.join(wanted)}, not {' or '.join(extra)}")
        if self.kind == "beta":
            require(0 < (self.mean or 0) < 1, f"the mean of a beta prior is a share between 0 and 1, got {self.mean:g}")
        if self.kind == "gamma":
            require((self.mean or 0) > 0, f"the mean of a gamma prior is above 0, got {self.mean:g}")
        if self.kind in ("uniform", "triangular"):
            low, high = _both(self.low, self.high)
            require(low <= high, f"low, {low:g}, is above high, {high:g}; are they the other way round?")
            mode = low if self.mode is None else self.mode
            require(low <= mode <= high, f"mode, {mode:g}, lies outside low, {low:g}, to high, {high:g}")
        if self.between is not None:
            low, high = self.between
            require(low < high, f"between must rise, got {low:g} to {high:g}")
            inside = self._share_below(high) - self._share_below(low)
            require(inside >= 0.5, f"only {100 * inside:.0f}% of the prior lies between {low:g} and {high:g}")
        return self

    @property
    def has_width(self) -> bool:
        """Whether anything can come of it but one value."""
        low, high = self.ends
        return low < high

    @property
    def ends(self) -> tuple[float, float]:
        """The least and the most that is ever drawn."""
        return self.quantile(0.0), self.quantile(1.0)

    def quantile(self, share: float) -> float:
        """The value below which this share of what is drawn lies.

        >>> even = RowPrior(kind="uniform", low=10, high=20, source="assumption", grade="D")
        >>> round(even.quantile(0.5), 6)
        15.0
        >>> factor = RowPrior(kind="lognormal", median=1, sd_log=0, source="assumption", grade="D")
        >>> factor.quantile(0.9)
        1.0
        """
        below, above = NEVER_DRAWN, 1 - NEVER_DRAWN
        if self.between is not None:
            below = max(below, self._share_below(self.between[0]))
            above = min(above, self._share_below(self.between[1]))
        return self._quantile(below + (above - below) * share)

    def _quantile(self, p: float) -> float:
        from scipy.special import betaincinv, gammaincinv, ndtri

        if self.kind == "lognormal":
            median, sd = _both(self.median, self.sd_log)
            return median * math.exp(sd * float(ndtri(p)))
        if self.kind == "normal":
            mean, sd = _both(self.mean, self.sd)
            return mean + sd * float(ndtri(p))
        if self.kind == "beta":
            mean, n = _both(self.mean, self.n)
            return float(betaincinv(mean * n, (1 - mean) * n, p))
        if self.kind == "gamma":
            mean, events = _both(self.mean, self.events)
            return mean * float(gammaincinv(events, p)) / events
        low, high = _both(self.low, self.high)
        if self.kind == "uniform":
            return low + (high - low) * p
        mode = low if self.mode is None else self.mode
        at = (mode - low) / (high - low) if high > low else 0.0
        if p <= at:
            return low + math.sqrt(p * (high - low) * (mode - low))
        return high - math.sqrt((1 - p) * (high - low) * (high - mode))

    def _share_below(self, value: float) -> float:
        """The share of the prior below a value."""
        from scipy.special import betainc, gammainc, ndtr

        if self.kind == "lognormal":
            median, sd = _both(self.median, self.sd_log)
            if value <= 0 or sd == 0:
                return float(value > median)
            return float(ndtr(math.log(value / median) / sd))
        if self.kind == "normal":
            mean, sd = _both(self.mean, self.sd)
            return float(ndtr((value - mean) / sd)) if sd > 0 else float(value > mean)
        if self.kind == "beta":
            mean, n = _both(self.mean, self.n)
            return float(betainc(mean * n, (1 - mean) * n, min(max(value, 0.0), 1.0)))
        if self.kind == "gamma":
            mean, events = _both(self.mean, self.events)
            return float(gammainc(events, max(value, 0.0) / mean * events))
        low, high = _both(self.low, self.high)
        inside = min(max(value, low), high)
        if high == low:
            return float(value > low)
        if self.kind == "uniform":
            return (inside - low) / (high - low)
        mode = low if self.mode is None else self.mode
        if inside <= mode:
            return (inside - low) ** 2 / ((high - low) * (mode - low)) if mode > low else 0.0
        return 1 - (high - inside) ** 2 / ((high - low) * (high - mode))


def _both(first: float | None, second: float | None) -> tuple[float, float]:
    assert first is not None and second is not None  # a prior that is complete
    return first, second


class Alternative(Frozen):
    """One of several ways in which a thing may be (structure): numbers that are otherwise then; none as in the file."""

    weight: Finite = Field(gt=0)
    title: str | None = None
    values: dict[Pattern, Finite] = Field(default_factory=dict, alias="set")


class Uncertain(Frozen):
    """One thing that is not known, and what it moves.

    One or more of: ``multiply``, a factor on clocks or arrivals in cells; ``scale``, a factor on numbers at paths;
    ``odds``, a factor on the odds of shares at paths; ``tilt``, a factor f that leans distributions at paths, share k
    being multiplied by f to the power k (and all brought back to 1). Or alone: ``set``, the value itself at paths;
    ``choose``, one of several alternatives. All but ``choose`` have a ``prior``; of a choice ``source``, ``grade`` and
    ``note`` stand in the row. ``beside`` names other rows that move a number of this one too.
    """

    name: Name
    title: str
    multiply: SomeCells = ()
    scale: tuple[Pattern, ...] = ()
    odds: tuple[Pattern, ...] = ()
    tilt: tuple[Pattern, ...] = ()
    paths: tuple[Pattern, ...] = Field(default=(), alias="set")
    choose: tuple[Alternative, ...] = ()
    prior: RowPrior | None = None
    source: str | None = None
    grade: Grade | None = None
    note: str | None = None
    beside: tuple[Name, ...] = ()

    @model_validator(mode="after")
    def _moves_something(self) -> Self:
        means = {
            "multiply": self.multiply, "scale": self.scale, "odds": self.odds, "tilt": self.tilt, "set": self.paths,
            "choose": self.choose,
        }  # fmt: skip
        given = [name for name, value in means.items() if value]
        require(bool(given), f"say what it moves by one of {', '.join(means)}; got none")
        alone = [name for name in given if name in ("set", "choose")]
        require(not alone or len(given) == 1, f"{' and '.join(given)}: {' and '.join(alone)} stands alone")
        if self.choose:
            require(self.prior is None, "a choice has weights, and no prior")
            require(self.source is not None and self.grade is not None, "a choice has a source and a grade of its own")
            require(len(self.choose) > 1, "a choice is between two alternatives or more")
            require(any(one.values for one in self.choose), "none of its alternatives differs from the file")
            return self
        require(self.prior is not None, "needs a prior")
        require(self.source is None and self.grade is None, "source and grade stand in its prior")
        if given != ["set"]:
            assert self.prior is not None
            low = self.prior.ends[0]
            require(low > 0, f"prior: a factor is above 0, and this one reaches {low:.3g}")
        return self

    @property
    def how(self) -> Literal["multiply", "scale", "odds", "tilt", "set", "choose"]:
        """By which means it moves what it moves; the first, where there are several."""
        if self.choose:
            return "choose"
        if self.multiply:
            return "multiply"
        return "scale" if self.scale else "odds" if self.odds else "tilt" if self.tilt else "set"

    def how_at(self, pattern: str) -> str:
        """By which means it moves the numbers at a pattern of its own."""
        means = {"scale": self.scale, "odds": self.odds, "tilt": self.tilt}
        return next((name for name, patterns in means.items() if pattern in patterns), self.how)

    @property
    def patterns(self) -> tuple[str, ...]:
        """The paths of the numbers that it moves, with stars; none where it multiplies clocks."""
        numbers = dict.fromkeys(pattern for one in self.choose for pattern in one.values)
        return (*self.scale, *self.odds, *self.tilt, *self.paths, *numbers)

    @property
    def is_factor(self) -> bool:
        """Whether 1 is "as in the file"."""
        return self.how not in ("set", "choose")

    @property
    def graded(self) -> Grade:
        """How far its source is to be trusted."""
        grade = self.grade if self.prior is None else self.prior.grade
        assert grade is not None
        return grade

    def value(self, share: float) -> float:
        """What a uniform draw comes to: a quantile of the prior, or the number of an alternative.

        >>> row = Uncertain.model_validate({"name": "r", "title": "R", "source": "assumption", "grade": "D", "choose": [
        ...     {"weight": 3}, {"weight": 1, "set": {"responses.*.horizon_days": 60}}]})
        >>> row.value(0.74), row.value(0.76)
        (0.0, 1.0)
        """
        if self.prior is not None:
            return self.prior.quantile(share)
        total, passed = sum(one.weight for one in self.choose), 0.0
        for k, one in enumerate(self.choose):
            passed += one.weight
            if share * total < passed:
                return float(k)
        return float(len(self.choose) - 1)

    @property
    def extremes(self) -> tuple[float, ...]:
        """The ends of its prior, or every one of its alternatives: what has to be possible."""
        return tuple(float(k) for k in range(len(self.choose))) if self.prior is None else self.prior.ends


class Fixed(Frozen):
    """Numbers of grade C or D that no row moves, and why: a statutory timetable, a definition, no effect on any
    difference."""

    name: Name
    paths: tuple[Pattern, ...] = Field(min_length=1)
    why: str = Field(min_length=10)


__all__ = ["NEVER_DRAWN", "Alternative", "Cells", "Fixed", "RowPrior", "Uncertain"]
