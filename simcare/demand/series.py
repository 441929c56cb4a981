"""A monthly series of counts: one area, one kind of demand, with its exposure and covariates if there are any."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from simcare.demand.months import Months
from simcare.errors import BadInput
from simcare.model.nearmiss import unknown
from simcare.units import month_name

Values = NDArray[np.float64]
MOST_GROWTH = 0.03  # of an exposure, a year
SHORTEST, TRIED_FROM = 12, 36  # months: for any forecast, for a back-test


@dataclass(frozen=True)
class MonthlyCounts:
    """Counts of consecutive months from ``first`` on (see :mod:`simcare.demand.months`); not a number where none was
    recorded.

    ``low`` and ``high`` are the bounds of counts that are suppressed, not a number in other months, and None where no
    count is: such a count is not a number in ``counts`` (:mod:`simcare.demand.suppressed`).

    ``exposure`` (people) and ``covariates`` start with ``first`` too and may run on past the last count, into the
    months to be forecast; ``exposure`` is None where rates are per area. ``notes`` say, a sentence each, what a reader
    of results must know.

    >>> from simcare.units import parsed_month
    >>> MonthlyCounts("Kent", parsed_month("2012-04"), np.array([867.0, 1098.0]))
    MonthlyCounts('Kent', 2 months from 2012-04 to 2012-05, 0 missing)
    """

    name: str
    first: int
    counts: Values
    exposure: Values | None = None
    covariates: Mapping[str, Values] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    low: Values | None = None
    high: Values | None = None

    def __len__(self) -> int:
        return int(self.counts.size)

    def __repr__(self) -> str:
        missing, span = int((~self.told).sum()), f"from {month_name(self.first)} to {month_name(self.last)}"
        return f"MonthlyCounts({self.name!r}, {len(self)} months {span}, {missing} missing)"

    @property
    def last(self) -> int:
        """The month of the last count."""
        return self.first + len(self) - 1

    @property
    def months(self) -> Months:
        return np.arange(self.first, self.first + len(self))

    @property
    def seen(self) -> NDArray[np.bool_]:
        """Which months have a count."""
        return ~np.isnan(self.counts)

    @property
    def suppressed(self) -> NDArray[np.bool_]:
        """Which months have a count that is known within bounds only."""
        return np.zeros(len(self), dtype=bool) if self.low is None else ~np.isnan(self.low)

    @property
    def told(self) -> NDArray[np.bool_]:
        """Which months have a count, known or within bounds."""
        return self.seen | self.suppressed

    def known(self, last: int) -> MonthlyCounts:
        """The series as it was known at the end of month ``last``: what came later is gone, exposure and covariates
        too.

        >>> MonthlyCounts("Kent", 0, np.arange(5.0)).known(2).counts
        array([0., 1., 2.])
        """
        n = last - self.first + 1
        exposure = None if self.exposure is None else self.exposure[:n]
        return replace(
            self,
            counts=self.counts[:n],
            exposure=exposure,
            covariates={k: v[:n] for k, v in self.covariates.items()},
            low=None if self.low is None else self.low[:n],
            high=None if self.high is None else self.high[:n],
            notes=(),
        )

    def exposures(self, first: int, count: int) -> Values:
        """The exposure of ``count`` months from ``first`` on; ones where the series has none.

        Past the last exposure given, it goes on growing as it did over the last twelve months given, by no more than 3
        % a year either way: more is a boundary or a census, not people (before the first, the first holds).
        """
        if self.exposure is None:
            return np.ones(count)
        known = self.exposure
        back = min(12, known.size - 1)
        grown = (known[-1] / known[-1 - back]) ** (1.0 / back) if back else 1.0
        grown = float(np.clip(grown, (1 - MOST_GROWTH) ** (1 / 12), (1 + MOST_GROWTH) ** (1 / 12)))
        at = np.arange(first, first + count) - self.first
        past = np.maximum(at - (known.size - 1), 0)
        return known[np.clip(at, 0, known.size - 1)] * np.power(grown, past)


def checked(series: MonthlyCounts, where: str) -> MonthlyCounts:
    """The series with notes on its length and gaps; raises BadInput for what cannot be forecast at all."""
    months_told = int(series.told.sum())
    if months_told < SHORTEST:
        raise BadInput(
            f"{where}: {series.name}: {months_told} months with a count; a forecast needs {SHORTEST} or more"
        )
    if not series.seen.any():
        raise BadInput(f"{where}: {series.name}: every count is suppressed; a forecast needs some that are shown")
    if not series.counts[series.seen].any() and not series.suppressed.any():
        raise BadInput(f"{where}: {series.name}: every count is zero; there is no demand to forecast")
    return replace(series, notes=(*series.notes, *_notes(series)))


def _notes(series: MonthlyCounts) -> list[str]:
    found, seen = [], series.counts[series.seen]
    gaps = series.months[~series.told]
    if gaps.size:
        shown = ", ".join(month_name(int(m)) for m in gaps[:6]) + (" …" if gaps.size > 6 else "")
        found.append(
            f"No count in {gaps.size} of {len(series)} months ({shown}): the driver leaves them out, and nothing is"
            " filled in"
        )
    if np.ptp(seen) == 0 and not series.suppressed.any():
        found.append(
            f"Every count is {seen[0]:g}: nothing can be learnt of season or drift from a constant series, so what is"
            " typical is assumed"
        )
    if (told := int(series.told.sum())) < TRIED_FROM:
        few = f"{told} months are too few for a back-test ({TRIED_FROM} are needed)"
        found.append(f"{few}: the driver leans on what is typical of season and drift, and is untested on this series")
    return found


def chosen_series(every: Mapping[str, MonthlyCounts], name: str | None, where: str) -> MonthlyCounts:
    """The series asked for by name; the only one where none is named. Raises BadInput with the near miss."""
    if name is None:
        if len(every) > 1:
            raise BadInput(f"{where}: holds {len(every)} series ({', '.join(list(every)[:5])} …); say which")
        return next(iter(every.values()))
    if name not in every:
        raise BadInput(f"{where}: area: {unknown(name, every)}")
    return every[name]


__all__ = ["SHORTEST", "TRIED_FROM", "MonthlyCounts", "Values", "checked", "chosen_series"]
