"""Least squares in the open: columns checked, effects taken out, errors robust to what the people of one assessor or
area share."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.stats import f as f_law
from scipy.stats import t as t_law

from simcare.errors import BadInput
from simcare.model.nearmiss import unknown

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]


@dataclass(frozen=True, repr=False)
class CausalEstimate:
    """A number with its standard error, 95 % interval, and the p-value of zero."""

    value: float
    se: float
    low: float
    high: float
    p: float

    def __repr__(self) -> str:
        return f"{self.value:.3f} (95 % {self.low:.3f} to {self.high:.3f})"

    @classmethod
    def by_t(cls, value: float, se: float, degrees: float) -> CausalEstimate:
        """With Student's t of so many degrees of freedom.

        >>> CausalEstimate.by_t(1.0, 0.5, 10)
        1.000 (95 % -0.114 to 2.114)
        """
        half = float(t_law.ppf(0.975, degrees)) * se
        return cls(
            value,
            se,
            value - half,
            value + half,
            float(2.0 * t_law.sf(abs(value) / se, degrees)) if se > 0 else math.nan,
        )


class RegressionFit(NamedTuple):
    """Coefficients and their cluster-robust covariance."""

    beta: Floats
    covariance: Floats


def require_columns(frame: pl.DataFrame, wanted: Iterable[str]) -> None:
    """Raises BadInput for a column that is not there (with the nearest that is), and for one with missing values."""
    for name in wanted:
        if name not in frame.columns:
            raise BadInput(f"column: {unknown(name, frame.columns)}")
        gaps = frame[name].null_count() + (int(frame[name].is_nan().sum()) if frame[name].dtype.is_float() else 0)
        if gaps:
            raise BadInput(
                f"{name}: {gaps} values are missing; leave those rows out, or fill them, before the estimate"
            )


def numeric_column(frame: pl.DataFrame, name: str) -> Floats:
    """A column as numbers; BadInput where it holds words."""
    column = frame[name]
    if not (column.dtype.is_numeric() or column.dtype == pl.Boolean):
        raise BadInput(f"{name}: holds {column.dtype}, not numbers")
    return np.asarray(column.cast(pl.Float64).to_numpy(), np.float64)


def codes(frame: pl.DataFrame, *names: str) -> Codes:
    """Rows numbered 0, 1, … by the values that they share in some columns.

    >>> codes(pl.DataFrame({"office": ["a", "a", "b"], "year": [1, 2, 1]}), "office", "year").tolist()
    [0, 1, 2]
    """
    return np.asarray(
        (frame.select(pl.struct(names).rank("dense")).to_series() - 1).cast(pl.Int64).to_numpy(), np.int64
    )


def within(values: Floats, groups: Codes) -> Floats:
    """Values less the mean of their group.

    >>> within(np.array([1.0, 3.0, 7.0]), np.array([0, 0, 1])).tolist()
    [-1.0, 1.0, 0.0]
    """
    return np.asarray(values - (np.bincount(groups, values) / np.bincount(groups))[groups], np.float64)


def basis(controls: Floats) -> Floats:
    """Orthonormal columns that span the controls; those that say nothing new are left out, so the number of columns is
    the rank.

    >>> basis(np.ones((4, 2))).shape
    (4, 1)
    """
    if controls.shape[1] == 0:
        return controls
    left, sizes, _ = np.linalg.svd(controls, full_matrices=False)
    return np.asarray(left[:, sizes > 1e-9 * max(1.0, sizes[0])], np.float64)


def partialled_out(values: Floats, known: Floats) -> Floats:
    """What is left of values once the controls in an orthonormal :func:`basis` are taken out (Frisch and Waugh 1933;
    Lovell 1963).

    >>> partialled_out(np.array([1.0, 2.0, 6.0]), basis(np.ones((3, 1)))).round(9).tolist()
    [-2.0, -1.0, 3.0]
    """
    return np.asarray(values - known @ (known.T @ values), np.float64)


def two_way(values: Floats, area: Codes, month: Codes) -> Floats:
    """Values with effects of area and month taken out, by taking means of one and the other in turn until nothing
    moves.

    The same as least squares on a column for each (Guimarães and Portugal, Stata Journal 2010), gaps in the panel or
    not.

    >>> two_way(np.array([1.0, 2.0, 5.0, 6.0]), np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1])).tolist()
    [0.0, 0.0, 0.0, 0.0]
    """
    left = within(values, area)
    enough = 1e-12 * max(float(np.abs(values).max()), 1e-300)
    for _ in range(100_000):
        before, left = left, within(within(left, month), area)
        if float(np.abs(left - before).max()) <= enough:
            break
    return left


def group_sums(values: Floats, groups: Codes) -> Floats:
    """Totals by group: a number for each, or a row where values have columns."""
    out = np.zeros((int(groups.max()) + 1, *values.shape[1:]))
    np.add.at(out, groups, values)
    return out


def two_stage(
    y: Floats, care: Floats, instrument: Floats, clusters: Codes, scale: Floats | None = None
) -> CausalEstimate:
    """Two-stage least squares with one instrument: z'y ÷ z'd, all with controls taken out, errors robust by cluster.

    The instrument may be the care itself: then it is ordinary least squares (Wooldridge, Econometric Analysis of Cross
    Section and Panel Data, 2010, chapter 5). The variance is that of leaving out one cluster after the other (CV3:
    MacKinnon, Nielsen and Webb, Journal of Applied Econometrics 2023), which for one coefficient has a closed form.
    Student's t has the degrees of freedom of the *effective* clusters less one: 1 ÷ Σ leverage², few where a few
    clusters carry the estimate (Carter, Schnepel and Steigerwald, Review of Economics and Statistics 2017). ``scale``
    widens each row's residual for what the controls took of it.

    >>> y, d = np.array([-1.0, 0.0, 1.0, 0.0]), np.array([-1.0, 1.0, 1.0, -1.0])
    >>> two_stage(y, d, d, np.array([0, 1, 2, 3])).value
    0.5
    """
    strength = float(instrument @ care)
    value = float(instrument @ y) / strength
    left = y - value * care
    leverage = group_sums(instrument * care, clusters) / strength
    moves = (
        group_sums(instrument * (left if scale is None else left * scale), clusters)
        / strength
        / np.where(leverage < 1.0 - 1e-9, 1.0 - leverage, 1.0)
    )
    effective = float(leverage @ leverage)
    return CausalEstimate.by_t(
        value,
        math.sqrt((moves.size - 1) / moves.size * float(moves @ moves)),
        max(1.0, min(1.0 / effective, moves.size) - 1.0),
    )


def least_squares(x: Floats, y: Floats, clusters: Codes, lost: int) -> RegressionFit:
    """Several coefficients at once, of variables with ``lost`` controls taken out; covariance robust by cluster (CR1:
    Cameron and Miller 2015)."""
    bread = np.linalg.inv(x.T @ x)
    beta = bread @ (x.T @ y)
    scores = group_sums(x * (y - x @ beta)[:, None], clusters)
    factor = scores.shape[0] / (scores.shape[0] - 1) * (y.size - 1) / (y.size - lost - x.shape[1])
    return RegressionFit(beta, np.asarray(factor * bread @ (scores.T @ scores) @ bread, np.float64))


def joint_p(fit: RegressionFit, clusters: int) -> float:
    """The p-value of all coefficients being zero: Wald's statistic over their number against F(number, clusters −
    1)."""
    count = fit.beta.size
    wald = float(fit.beta @ np.linalg.solve(fit.covariance, fit.beta))
    return float(f_law.sf(wald / count, count, clusters - 1))
