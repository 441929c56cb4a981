"""Calibration files: what a model is fitted to, which of its numbers may move and how far, and which years are held
back.

Everything here is a frozen value that checks itself; whether the names are in the model shows when the file is loaded
(:mod:`simcare.calibrate.reading`).
"""

from __future__ import annotations

import datetime as dt
from typing import Literal, Self

from pydantic import Field, model_validator

from simcare.model.kinds import FileName, Name, PathText, Positive, Scope, require
from simcare.model.number import Finite, Frozen, Number, Sourced
from simcare.model.uncertain import Cells

LEAST_MASS = 0.5  # of a prior that has to lie inside its bounds


class Prior(Sourced):
    """What is thought of a parameter before the targets are looked at.

    ``lognormal``: around ``median`` with ``sd_log`` on the log scale. ``uniform``: anything within the bounds alike.
    """

    kind: Literal["lognormal", "uniform"] = "lognormal"
    median: Finite | None = Field(default=None, gt=0)
    sd_log: Finite | None = Field(default=None, gt=0, le=3)

    @model_validator(mode="after")
    def _complete(self) -> Self:
        given = (self.median is not None, self.sd_log is not None)
        require(
            given == (self.kind == "lognormal",) * 2,
            f"a {self.kind} prior has {'a' if self.kind == 'lognormal' else 'no'} median and sd_log",
        )
        return self


class Free(Frozen):
    """A number that the fit may move: a factor on clocks (``multiply``), a value set at paths of the model (``set``),
    or a factor there (``scale``, ``odds``, ``tilt``), as :class:`simcare.model.uncertain.Uncertain` has them. In files
    ``row`` names a row of the model instead, which says all of it."""

    name: Name
    title: str
    multiply: tuple[Cells, ...] = ()
    paths: tuple[PathText, ...] = Field(default=(), alias="set")
    scale: tuple[PathText, ...] = ()
    odds: tuple[PathText, ...] = ()
    tilt: tuple[PathText, ...] = ()
    prior: Prior
    bounds: tuple[Finite, Finite]

    @model_validator(mode="after")
    def _holds_together(self) -> Self:
        factors = (self.multiply, self.scale, self.odds, self.tilt)
        require(
            any(factors) != bool(self.paths),
            "give either set (paths of the model), or multiply (clocks), scale, odds or tilt (factors there)",
        )
        low, high = self.bounds
        require(low < high, f"bounds must rise, got {low:g} to {high:g}")
        require(low > 0 or self.prior.kind == "uniform", f"bounds of a lognormal prior lie above 0, got {low:g}")
        require(low >= 0, f"bounds cannot be negative, got {low:g}")
        if self.prior.median is not None:
            require(
                low < self.prior.median < high,
                f"prior: its median {self.prior.median:g} is outside the bounds {low:g} to {high:g}",
            )
            inside = _mass(self.prior, low, high)
            require(
                inside >= LEAST_MASS,
                f"prior: only {100 * inside:.0f}% of it lies within the bounds {low:g} to {high:g}",
            )
        return self


def _mass(prior: Prior, low: float, high: float) -> float:
    """The share of a lognormal prior within bounds.

    >>> unit = Prior(median=1.0, sd_log=1.0, source="assumption", grade="D")
    >>> round(_mass(unit, 1.0, 1e9), 3)
    0.5
    """
    import math
    from statistics import NormalDist

    assert prior.median is not None and prior.sd_log is not None
    normal = NormalDist(math.log(prior.median), prior.sd_log)
    return normal.cdf(math.log(high)) - normal.cdf(math.log(low)) if low > 0 else normal.cdf(math.log(high))


class CountedRate(Frozen):
    """A rate that was counted: ``events`` in ``person_years``. It is not fitted; its own uncertainty (a Gamma) enters
    every run.

    The factor on the clocks is the rate drawn over the rate counted.
    """

    name: Name
    title: str
    multiply: tuple[Cells, ...] = Field(min_length=1)
    events: Positive
    person_years: Positive | None = Field(default=None, description="What they were counted in; it moves nothing.")

    @property
    def paths(self) -> tuple[str, ...]:
        """It multiplies clocks, and moves no number at a path."""
        return ()

    @property
    def scale(self) -> tuple[str, ...]:
        """As :attr:`paths`."""
        return ()

    @property
    def odds(self) -> tuple[str, ...]:
        """As :attr:`paths`."""
        return ()

    @property
    def tilt(self) -> tuple[str, ...]:
        """As :attr:`paths`."""
        return ()


class Then(Frozen):
    """How many people were in some services on a run's first day, relative to the model's own day 0."""

    services: tuple[Name, ...] = Field(min_length=1)
    stages: Scope = None
    groups: Scope = None
    multiply: Positive


class Start(Frozen):
    """A run of the model that targets are read from.

    ``start``: begun on another day than the model's, from the caseload as it is in the file but for ``caseload``.
    ``demand``: "held" at the base year, without growth, or "as it comes", by the drivers and growth of the model.
    """

    name: Name
    title: str
    years: int = Field(gt=0, le=30)
    start: dt.date | None = None
    demand: Literal["held", "as it comes"] = "as it comes"
    caseload: tuple[Then, ...] = ()


Kind = Literal["stock", "flow", "share", "stay"]


class Target(Frozen):
    """A published series, and what of the model it is held against.

    ``stock``: people in a service at the end of the month of the date. ``flow``: over the year that ends on the date,
    either some ``measures`` or moves ``from_tiers`` ``to_tiers``. ``share``: of the moves ``from_tiers`` (to any tier
    but "gone", or to ``of_tiers``) those ``to_tiers``. ``stay``: the share of stays in the ``services`` that last past
    ``past_days``. ``stages``, ``groups``, ``tiers`` and ``services`` narrow it down; the model's value times ``scale``
    is in the unit of the series.

    The published values are the sum of ``series`` of a ``file`` in calibration/ for an ``area``, or one ``value`` at a
    date ``at``. ``error`` is the standard deviation of what is published (relative; of shares and stays absolute),
    ``discrepancy`` what a year may take reality away from any model of this kind. With ``level_from`` only changes
    since that year count, because the level is counted otherwise.
    """

    name: Name
    title: str
    kind: Kind
    theme: str = Field(description="The heading under which it is shown.")
    file: str | None = None
    series: tuple[str, ...] = ()
    area: str | None = None
    value: Number | None = None
    at: dt.date | None = None
    from_: dt.date | None = Field(default=None, alias="from")
    until: dt.date | None = None
    dates: tuple[dt.date, ...] = ()
    fit: bool = Field(
        default=True,
        description="Whether the years that were known are fitted; without, the series is only shown and scored.",
    )
    level_from: dt.date | None = None
    measures: tuple[str, ...] = ()
    from_tiers: tuple[Name, ...] = ()
    to_tiers: tuple[str, ...] = ()
    of_tiers: tuple[str, ...] = ()
    stages: Scope = None
    groups: Scope = None
    tiers: tuple[Name, ...] = ()
    services: tuple[Name, ...] = ()
    past_days: int | None = Field(default=None, gt=0)
    scale: Finite = Field(default=1.0, gt=0)
    unit: str = "people"
    error: Positive
    discrepancy: Positive
    note: str | None = Field(default=None, description="What to know of the series.")
    why: str | None = Field(
        default=None, description="What is known of why a forecast of it may have missed; shown where it did."
    )

    @model_validator(mode="after")
    def _holds_together(self) -> Self:
        require((self.file is None) == (not self.series), "file and series go together")
        require((self.value is None) == (self.at is None), "value and at go together")
        require(
            (self.file is None) != (self.value is None),
            "give either a series of a file, or a value and the date it is for (at)",
        )
        moves = bool(self.from_tiers or self.to_tiers)
        wanted = {
            "stock": not moves and not self.measures,
            "flow": moves != bool(self.measures),
            "share": bool(self.from_tiers) and bool(self.to_tiers) and not self.measures,
            "stay": bool(self.services) and self.past_days is not None,
        }[self.kind]
        needs = {
            "stock": "people in tiers or services, and no measures or moves",
            "flow": "either measures, or from_tiers and to_tiers",
            "share": "from_tiers and to_tiers",
            "stay": "services and past_days",
        }[self.kind]
        require(wanted, f"a {self.kind} needs {needs}")
        require(self.past_days is None or self.kind == "stay", f"past_days is of stays; this is a {self.kind}")
        require(
            self.error.value < 1,
            f"error is relative, or of shares and stays a share: {self.error.value:g} is {100 * self.error.value:g} per"
            " cent",
        )
        if self.from_ is not None and self.until is not None:
            leaves = f"from ({self.from_}) is later than until ({self.until}), which leaves no date"
            require(self.from_ <= self.until, leaves)
        require(
            not (moves and (self.services or self.tiers)), "moves are by stage and group; leave out services and tiers"
        )
        return self

    @property
    def is_share(self) -> bool:
        """Whether it is held against the model as a difference; all else as a ratio, on the log scale."""
        return self.kind in ("share", "stay")


class Method(Frozen):
    """How hard to look: points of the first design, waves after it, points of each, replications at a point, posterior
    draws run for real.

    A point is implausible where a target is more than ``cutoff`` standard deviations off (Vernon, Goldstein and Bower
    2010 use 3).
    """

    design: int = Field(default=120, ge=8, le=20_000)
    waves: int = Field(default=2, ge=0, le=10)
    points: int = Field(default=80, ge=8, le=20_000)
    replications: int = Field(default=2, ge=2, le=100)
    cutoff: Finite = Field(default=3.0, gt=1, le=10)
    draws: int = Field(default=100, ge=20, le=5000)
    seed: int = Field(default=1, ge=0, le=2**62)


class Calibration(Frozen):
    """What to fit a model to, and how."""

    name: FileName
    title: str
    model: str
    description: str | None = None
    known_to: dt.date = Field(
        description="What is dated later is held out: it is not fitted, but predicted and scored."
    )
    sources: dict[str, str] = Field(default_factory=dict)
    method: Method = Method()
    runs: tuple[Start, ...] = Field(min_length=1)
    free: tuple[Free, ...] = Field(min_length=1)
    observed: tuple[CountedRate, ...] = ()
    targets: tuple[Target, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        for part in ("runs", "free", "observed", "targets"):
            names = [row.name for row in getattr(self, part)]
            for name in names:
                require(names.count(name) == 1, f"{part}: the name '{name}' is already taken")
        both = {row.name for row in self.free} & {row.name for row in self.observed}
        require(not both, f"observed: '{next(iter(both), '')}' is free as well; a rate that was counted is not fitted")
        require(any(target.fit for target in self.targets), "targets: none is fitted")
        return self

    @property
    def moving(self) -> tuple[Free | CountedRate, ...]:
        """Everything that differs from draw to draw: the free parameters, then the rates that were counted."""
        return (*self.free, *self.observed)


__all__ = ["Calibration", "CountedRate", "Free", "Kind", "Method", "Prior", "Start", "Target", "Then"]
