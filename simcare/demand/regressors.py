"""What a driver's regression is made of: season, working days, school holidays, trend, steps, pulses and covariates,
as columns."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from simcare.demand.months import Months, log_working_days, shares_of_school_holidays
from simcare.demand.series import MonthlyCounts, Values
from simcare.errors import BadInput
from simcare.model.nearmiss import unknown
from simcare.units import month_name

# of a trend's slope from one month to the next, past the last count: it comes to 13 months of the slope in all
DAMPING = 0.93


@dataclass(frozen=True)
class Terms:
    """Which terms a regression has. ``steps`` and ``pulses`` are months; ``covariates`` map a name to its lag in
    months.

    A step is a change that stays (a new recording rule, a new front door); a pulse is one odd month.
    """

    harmonics: int = 2
    working_days: bool = True
    school_holidays: bool = True
    trend: bool = False
    steps: tuple[int, ...] = ()
    pulses: tuple[int, ...] = ()
    covariates: Mapping[str, int] = field(default_factory=dict)

    def known(self, series: MonthlyCounts) -> Terms:
        """The terms that can be fitted to a series as it was known: steps and pulses still to come are left out."""
        steps, pulses = (
            tuple(m for m in many if series.first < m <= series.last) for many in (self.steps, self.pulses)
        )
        return replace(self, steps=steps, pulses=pulses)


@dataclass(frozen=True)
class Columns:
    """The columns of a regression on one series: their names, and how to work them out for any months."""

    terms: Terms
    names: tuple[str, ...]
    last: int
    covariates: Mapping[str, tuple[int, Values, float, float]]  # first month, values, mean, sd

    def at(self, when: Months) -> Values:
        """The columns at some months, shape (months, columns)."""
        parts: list[Values] = []
        for k in range(1, self.terms.harmonics + 1):
            angle = 2.0 * np.pi * k * (when % 12) / 12.0
            parts += [np.cos(angle), np.sin(angle)]
        if self.terms.working_days:
            parts.append(log_working_days(when))
        if self.terms.school_holidays:
            parts.append(shares_of_school_holidays(when))
        if self.terms.trend:
            parts.append(damped(when - self.last))
        parts += [(when >= step).astype(float) for step in self.terms.steps]
        parts += [(when == pulse).astype(float) for pulse in self.terms.pulses]
        for name, lag in self.terms.covariates.items():
            first, values, mean, sd = self.covariates[name]
            parts.append((values[np.clip(when - lag - first, 0, values.size - 1)] - mean) / sd)
        return np.column_stack(parts) if parts else np.empty((when.size, 0))


def damped(since: Months) -> Values:
    """Time in years for a damped trend: as it is until the last count (zero there), then each month adds less than
    the one before.

    >>> damped(np.array([-12, 0, 1, 240])).round(3)
    array([-1.   ,  0.   ,  0.078,  1.107])
    """
    ahead = np.maximum(since, 0)
    return np.asarray(np.where(since > 0, DAMPING * (1.0 - DAMPING**ahead) / (1.0 - DAMPING), since) / 12.0)


def columns(series: MonthlyCounts, terms: Terms) -> Columns:
    """The regression's columns for a series. A covariate is in standard deviations from its mean over the counted
    months (lag applied).

    Raises BadInput for a covariate that the series has not, or a step or pulse outside its months.
    """
    for month in (*terms.steps, *terms.pulses):
        if not series.first < month <= series.last:
            inside = f"{month_name(series.first + 1)} to {month_name(series.last)}"
            raise BadInput(
                f"{series.name}: step {month_name(month)}: lies outside the counts ({inside}), so it cannot be fitted"
            )
    names = [
        f"{wave} {12 // k} months" if 12 % k == 0 else f"{wave} {12 / k:g} months"
        for k in range(1, terms.harmonics + 1)
        for wave in ("cos", "sin")
    ]
    names += ["working days"] * terms.working_days + ["school holidays"] * terms.school_holidays
    names += ["trend a year"] * terms.trend
    names += [f"step {month_name(m)}" for m in terms.steps] + [f"pulse {month_name(m)}" for m in terms.pulses]
    kept = {}
    for name, lag in terms.covariates.items():
        if name not in series.covariates:
            raise BadInput(f"{series.name}: covariate: {unknown(name, series.covariates)}")
        if lag < 0:
            raise BadInput(f"{series.name}: covariate {name}: lag {lag}; a lag is months back, zero or more")
        values = series.covariates[name]
        used = values[np.clip(np.arange(len(series)) - lag, 0, values.size - 1)]
        sd = float(used.std())
        kept[name] = (series.first, values, float(used.mean()), sd if sd > 0 else 1.0)
        names.append(name if lag == 0 else f"{name}, {lag} months before")
    return Columns(terms, tuple(names), series.last, kept)


def parsed_covariate(text: str) -> tuple[str, int]:
    """``unemployment:6`` is unemployment, six months before.

    >>> parsed_covariate("unemployment:6"), parsed_covariate("poverty")
    (('unemployment', 6), ('poverty', 0))
    """
    found = re.fullmatch(r"(.+?)(?::(\d+))?", text.strip())
    if found is None:
        raise BadInput(f"covariate: should be NAME or NAME:MONTHS_BEFORE, got {text!r}")
    return found[1], int(found[2] or 0)


__all__ = ["DAMPING", "Columns", "Terms", "columns", "damped", "parsed_covariate"]
