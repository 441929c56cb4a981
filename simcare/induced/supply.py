"""Supply shocks: whether places that open bring new demand or serve those who wait, by difference in differences of
areas and months."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import polars as pl

from simcare.errors import BadInput
from simcare.induced import regression as by
from simcare.induced.regression import (
    CausalEstimate,
    Codes,
    Floats,
    codes,
    group_sums,
    numeric_column,
    two_stage,
    two_way,
    within,
)
from simcare.rules.streams import stream

FEWEST_AREAS = 4
FEW_CHANGED = (
    5  # with fewer changed areas no cluster-robust method is sure (MacKinnon and Webb, Econometrics Journal 2018)
)
FEW_AREAS = 10
LAGS = (
    -12,
    -9,
    -6,
    -3,
    0,
    3,
    6,
    9,
    12,
)  # edges, in months since a change; the three months before it are the reference
ALARM = 0.01


@dataclass(frozen=True, repr=False)
class Supply:
    """What :func:`supply_shock` found, in people per place.

    ``extra`` is what one more place adds to demand (use + waiting; use alone where waiting was not given).
    ``event_study`` has from_month, to_month (since a change; null where open), effect, low, high.
    """

    extra: CausalEstimate
    wild_p: float
    extra_use: CausalEstimate
    served_backlog: CausalEstimate | None
    plain: CausalEstimate
    pre_trend: CausalEstimate
    event_study: pl.DataFrame
    leads_p: float
    areas: int
    changed: int
    months: int
    warnings: tuple[str, ...]

    def __repr__(self) -> str:
        what = "new demand" if self.served_backlog is not None else "use, new demand and backlog together"
        lines = [
            f"Supply: {self.changed} of {self.areas} areas changed places in {self.months} months",
            f"  one place more adds {self.extra!r} people ({what})",
            f"  use {self.extra_use!r}"
            + (f", of it from the backlog {self.served_backlog!r}" if self.served_backlog is not None else ""),
            (
                f"  wild bootstrap p {self.wild_p:.3f}; trend before the change {self.pre_trend.value:.4f} a month (p"
                f" {self.pre_trend.p:.3f})"
            ),
            f"  plain regression, for contrast: {self.plain!r}",
        ]
        return "\n".join([*lines, *(f"  warning: {text}" for text in self.warnings)])


def supply_shock(
    panel: pl.DataFrame,
    *,
    area: str = "area",
    month: str = "month",
    places: str = "places",
    use: str = "use",
    waiting: str | None = None,
    draws: int = 999,
    seed: int = 0,
) -> Supply:
    """How many more people one more place brings: 0 where places only serve those who wait, 1 where each fills with new
    demand.

    ``panel`` has a row for each area and month: ``places``, people in ``use`` and, if given, people ``waiting``;
    ``month`` is a whole number that counts months, or a date. ``extra`` is least squares of demand on places with
    effects of area and month taken out (two-way difference in differences: Angrist and Pischke, Mostly Harmless
    Econometrics, 2009, chapter 5), errors robust by area. Demand is use + waiting: a place that takes somebody off the
    list adds to use, not to demand, so ``extra_use`` = ``served_backlog`` + ``extra``. ``wild_p`` is the restricted
    wild cluster bootstrap-t with Rademacher weights, for few areas (Cameron, Gelbach and Miller, Review of Economics
    and Statistics 2008).

    ``pre_trend``: whether demand grew already before, per place opened and month, in the months before an area's first
    change. ``event_study``: effects by months since a change, ends open, against the three months before it
    (Schmidheiny and Siegloch, Journal of Applied Econometrics 2023); ``leads_p`` is that of all before it together. If
    effects grow with time or differ by area, ``extra`` is an average with unlike weights (Goodman-Bacon, Journal of
    Econometrics 2021): read the event study. ``plain`` is demand on places by month.

    Raises BadInput for missing columns or values, an area twice in a month, fewer than 4 areas, months that are neither
    whole numbers nor dates, and places that never change, or change alike in all areas.

    >>> from simcare.induced.lab import simulate_places
    >>> found = supply_shock(simulate_places(0.2, 6000, np.random.default_rng(1)), waiting="waiting")
    >>> round(found.extra.value, 1), found.plain.value > 0.5, found.warnings
    (0.2, True, ())
    """
    by.require_columns(panel, (area, month, places, use, *([waiting] if waiting else [])))
    panel = panel.sort(area, month)
    rows = _Rows.of(panel, area, month, places)
    used = numeric_column(panel, use)
    waits = numeric_column(panel, waiting) if waiting else np.zeros(used.size)
    x, demand, in_use, backlog = (
        two_way(values, rows.area, rows.month) for values in (rows.places, used + waits, used, waits)
    )
    if np.abs(x).max() < 1e-9 * max(1.0, np.abs(rows.places).max()):
        raise BadInput(f"{places}: change alike in all areas, so nothing sets them apart from the months")
    if np.abs(demand).max() < 1e-12:
        raise BadInput(f"{use}: does not vary beyond areas and months")
    extra, extra_use = (two_stage(y, x, x, rows.area) for y in (demand, in_use))
    less = two_stage(-backlog, x, x, rows.area) if waiting else None
    raw_x, raw_y = within(rows.places, rows.month), within(used + waits, rows.month)
    plain = two_stage(raw_y, raw_x, raw_x, rows.area)
    trend = _pre_trend(rows, used + waits)
    study, leads_p = _event_study(rows, used + waits)
    warnings = []
    if not waiting:
        warnings.append(
            "no waiting counts: extra use holds served backlog too, so it is at most an upper bound of new demand"
        )
    if trend.p < ALARM:
        warnings.append(
            f"demand moved before places did ({trend.value:+.3f} a month per place): places may have followed demand (p"
            f" {trend.p:.2g})"
        )
    if rows.changed < FEW_CHANGED or rows.areas < FEW_AREAS:
        warnings.append(
            f"few clusters ({rows.changed} of {rows.areas} areas changed): trust the wild bootstrap p over the"
            " interval, and neither far"
        )
    return Supply(
        extra, wild_p(demand, x, rows.area, rows.month, draws, seed), extra_use, less, plain, trend, study, leads_p,
        rows.areas, rows.changed, rows.months, tuple(warnings),
    )  # fmt: skip


def wild_p(y: Floats, x: Floats, clusters: Codes, months: Codes, draws: int, seed: int) -> float:
    """The p-value of no effect by the restricted wild cluster bootstrap-t; effects of cluster and month are taken out
    of ``y`` and ``x`` already.

    >>> area, month = np.divmod(np.arange(80), 10)
    >>> x = two_way(np.where(month > 4, area % 3.0, 0.0), area, month)
    >>> wild_p(two_way(x + np.sin(np.arange(80.0) ** 2), area, month), x, area, month, 99, 0) < 0.1
    True
    """
    signs = stream(seed).choice([-1.0, 1.0], (draws, int(clusters.max()) + 1))
    # Column h is what cluster h's residuals are once effects are taken out again; any sample is a signed sum of
    # columns.
    parts = np.column_stack([two_way(np.where(clusters == h, y, 0.0), clusters, months) for h in range(signs.shape[1])])
    by_cluster = group_sums(x[:, None] * parts, clusters)
    weight = group_sums(x * x, clusters)
    slopes = signs @ by_cluster.sum(axis=0) / weight.sum()
    scores = signs @ by_cluster.T - slopes[:, None] * weight
    own = float(x @ y) / weight.sum()
    own_scores = group_sums(x * (y - own * x), clusters)
    # |t| ≥ |t of the data|, without a division by an error that may be zero.
    beyond = np.abs(slopes) * math.sqrt(float(own_scores @ own_scores)) >= (1 - 1e-9) * abs(own) * np.sqrt(
        (scores**2).sum(axis=1)
    )
    return float((1 + beyond.sum()) / (draws + 1))


class _Rows(NamedTuple):
    """The panel as arrays, sorted by area and month."""

    area: Codes
    month: Codes
    clock: Floats
    places: Floats
    areas: int
    changed: int
    months: int

    @classmethod
    def of(cls, panel: pl.DataFrame, area: str, month: str, places: str) -> _Rows:
        if panel.select(area, month).is_duplicated().any():
            raise BadInput(f"{month}: an area has a month twice")
        kind = panel[month].dtype
        if kind == pl.Date or kind == pl.Datetime:
            clock = (panel[month].dt.year() * 12 + panel[month].dt.month()).cast(pl.Float64).to_numpy()
        elif kind.is_integer():
            clock = panel[month].cast(pl.Float64).to_numpy()
        else:
            raise BadInput(f"{month}: holds {kind}, neither whole months counted nor dates")
        who, when, stock = codes(panel, area), codes(panel, month), numeric_column(panel, places)
        areas, months = int(who.max()) + 1, int(when.max()) + 1
        if areas < FEWEST_AREAS:
            raise BadInput(
                f"{area}: {areas} {'area is' if areas == 1 else 'areas are'} too few; a comparison takes {FEWEST_AREAS}"
                " or more"
            )
        steps = group_sums(np.abs(np.diff(stock, prepend=stock[0]) * (np.diff(who, prepend=-1) == 0)), who)
        changed = int((steps > 0).sum())
        if changed == 0:
            raise BadInput(f"{places}: never change in any area, so there is no shock to learn from")
        return cls(who, when, np.asarray(clock, np.float64), stock, areas, changed, months)

    def changes(self) -> list[tuple[int, float, float]]:
        """Area, month and size of each change of places."""
        found = (np.diff(self.places) != 0) & (np.diff(self.area) == 0)
        return [
            (int(self.area[i + 1]), float(self.clock[i + 1]), float(self.places[i + 1] - self.places[i]))
            for i in np.flatnonzero(found)
        ]


def _pre_trend(rows: _Rows, demand: Floats) -> CausalEstimate:
    """Growth of demand, per place opened at an area's first change and month, in the months before it; other areas are
    there to compare."""
    first: dict[int, tuple[float, float]] = {}
    for who, when, places in rows.changes():
        first.setdefault(who, (when, places))
    found = np.array([first.get(k, (math.inf, 0.0)) for k in range(rows.areas)])[rows.area]
    start, size = found[:, 0], found[:, 1]
    before = rows.clock < start
    clusters, months = (
        np.unique(each[before], return_inverse=True)[1].astype(np.int64) for each in (rows.area, rows.month)
    )
    x = two_way((size * (rows.clock - rows.clock.min()))[before], clusters, months)
    if clusters.max() < 1 or np.abs(x).max() < 1e-9 * np.abs(rows.places).max():
        return CausalEstimate(math.nan, math.nan, math.nan, math.nan, math.nan)
    return two_stage(two_way(demand[before], clusters, months), x, x, clusters)


def _event_study(rows: _Rows, demand: Floats) -> tuple[pl.DataFrame, float]:
    """Effects by months since a change, per place, and the p-value of all before it being zero."""
    edges = [-math.inf, *LAGS, math.inf]
    bins = [(low, high) for low, high in pairwise(edges) if high != 0]
    columns = np.zeros((rows.clock.size, len(bins)))
    for who, when, size in rows.changes():
        mine = rows.area == who
        for k, (low, high) in enumerate(bins):
            columns[:, k] += size * (mine & (rows.clock - when >= low) & (rows.clock - when < high))
    x = np.column_stack([two_way(column, rows.area, rows.month) for column in columns.T])
    seen = [k for k in range(len(bins)) if np.abs(x[:, k]).max() > 1e-9 * max(1.0, np.abs(columns[:, k]).max())]
    x = x[:, seen]
    schema = {"from_month": pl.Int64, "to_month": pl.Int64, "effect": pl.Float64, "low": pl.Float64, "high": pl.Float64}
    if not seen or np.linalg.matrix_rank(x.T @ x) < len(seen):
        return pl.DataFrame(schema=schema), math.nan
    fit = by.least_squares(x, two_way(demand, rows.area, rows.month), rows.area, rows.areas + rows.months - 1)
    out = []
    for place, k in enumerate(seen):
        e = CausalEstimate.by_t(float(fit.beta[place]), math.sqrt(float(fit.covariance[place, place])), rows.areas - 1)
        ends = [None if math.isinf(end) else int(end) for end in bins[k]]
        out.append((*ends, e.value, e.low, e.high))
    leads = [place for place, k in enumerate(seen) if bins[k][1] < 0]
    p = math.nan
    if leads and len(leads) < rows.changed:
        p = by.joint_p(by.RegressionFit(fit.beta[leads], fit.covariance[np.ix_(leads, leads)]), rows.areas)
    return pl.DataFrame(out, schema=schema, orient="row"), p
