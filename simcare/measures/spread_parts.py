"""How much of a spread over replications comes from demand, and how much from the parameters of a fit; the rest is
chance events and effects.

What a replication drew stands in a frame of its own beside the measures, ``drawn``: each replication meets one path of
every demand driver (an index, month by month), and one value of every parameter if it is drawn from a fit. The part of
a total's variance that goes with the mean of the paths over the horizon is demand's (least squares, adjusted for the
number of drivers); the parameters' part is found alike. A part is drawn as the whole spread drawn in towards its mean,
by the part's share of the standard deviation: so it is never longer than the whole, nor below zero where that is not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

LEAST = 4  # replications beyond the number of drivers
LEAST_FITTED = 10  # replications beyond the number of parameters
DEMAND, PARAMETER = "demand", "parameter"  # the kinds of what is drawn
DRAWN = {
    "strategy": pl.String(), "replication": pl.Int32(), "month": pl.String(), "kind": pl.String(),
    "name": pl.String(), "value": pl.Float64(),
}  # fmt: skip
NOTHING_DRAWN = pl.DataFrame(schema=DRAWN)


def demand_rows(strategy: str, replication: int, paths: Mapping[str, Sequence[tuple[str, float]]]) -> pl.DataFrame:
    """Rows of ``drawn``: the demand index of each driver. ``paths`` holds (month, index) by driver.

    >>> demand_rows("baseline", 0, {"referrals": [("2013-04", 1.1)]}).rows()
    [('baseline', 0, '2013-04', 'demand', 'referrals', 1.1)]
    """
    rows = [
        (strategy, replication, month, DEMAND, name, value) for name, path in paths.items() for month, value in path
    ]
    return pl.DataFrame(rows, schema=DRAWN, orient="row")


def parameter_rows(strategy: str, replication: int, month: str, values: Mapping[str, float]) -> pl.DataFrame:
    """Rows of ``drawn``: the parameters of a fit as a replication met them, in the first month of the run."""
    rows = [(strategy, replication, month, PARAMETER, name, value) for name, value in values.items()]
    return pl.DataFrame(rows, schema=DRAWN, orient="row")


def met_demand(drawn: pl.DataFrame, strategy: str = "baseline") -> pl.DataFrame:
    """The demand that each replication met: the mean index of each driver over the horizon, on the log scale.

    Columns: replication, ``met`` (a list, drivers in order of their names). No row where nothing was drawn.
    """
    rows = _of(drawn, DEMAND, strategy)
    mean = rows.group_by("replication", "name").agg(pl.col("value").mean().log())
    return _listed(mean)


def met_parameters(drawn: pl.DataFrame, strategy: str = "baseline") -> pl.DataFrame:
    """The parameters of a fit that each replication met, on the log scale where all values of one are positive.

    Columns: replication, ``met`` (a list, parameters in order of their names). No row where nothing was drawn.

    >>> rows = [("baseline", r, "2013-04", "parameter", name, r - 1.0) for r in (0, 1) for name in ("b", "a")]
    >>> met_parameters(pl.DataFrame(rows, schema=DRAWN, orient="row")).rows()
    [(0, [-1.0, -1.0]), (1, [0.0, 0.0])]
    """
    positive = (pl.col("value") > 0).all().over("name")
    rows = _of(drawn, PARAMETER, strategy)
    return _listed(rows.with_columns(pl.when(positive).then(pl.col("value").log()).otherwise(pl.col("value"))))


def _of(drawn: pl.DataFrame, kind: str, strategy: str) -> pl.DataFrame:
    return drawn.filter((pl.col("kind") == kind) & (pl.col("strategy") == strategy))


def _listed(rows: pl.DataFrame) -> pl.DataFrame:
    ordered = rows.sort("replication", "name")
    return ordered.group_by("replication", maintain_order=True).agg(pl.col("value").alias("met"))


def met_by(replications: pl.Series, met: pl.DataFrame) -> NDArray[Any]:
    """What these replications met, as an array (replications, drivers or parameters)."""
    if met.is_empty():
        return np.zeros((len(replications), 0))
    joined = replications.to_frame().join(met, on="replication", how="left", maintain_order="left")
    return np.array(joined["met"].to_list(), np.float64)


def demand_sd(values: NDArray[Any], demand: NDArray[Any], least: int = LEAST) -> float | None:
    """The standard deviation of what of ``values`` (replications,) goes with ``demand`` (replications, drivers), or
    with the parameters of a fit; None from fewer replications than drivers and ``least``.

    >>> demand = np.arange(8.0)[:, None]
    >>> round(demand_sd(3.0 * demand[:, 0], demand), 3), round(float(np.std(3.0 * np.arange(8.0), ddof=1)), 3)
    (7.348, 7.348)
    """
    n, k = demand.shape
    if k == 0 or n < k + least:
        return None
    design = np.column_stack([np.ones(n), demand])
    left = values - design @ np.linalg.lstsq(design, values, rcond=None)[0]
    part = float(values.var(ddof=1)) - float(left @ left) / (n - 1 - k)
    return float(np.sqrt(max(part, 0.0)))


def parameter_sd(values: NDArray[Any], parameters: NDArray[Any]) -> float | None:
    """The same for the parameters of a fit (replications, parameters); it asks for more replications, as there are more
    parameters than drivers."""
    return demand_sd(values, parameters, LEAST_FITTED)


def part_share(values: NDArray[Any], sd: float | None) -> float | None:
    """The share of the standard deviation of ``values`` (replications,) that one part's is (``sd``); None where that is
    not known.

    >>> round(part_share(np.array([1.0, 2.0, 3.0]), 0.5), 3), part_share(np.ones(3), 0.0), part_share(np.ones(3), None)
    (0.5, 0.0, None)
    """
    if sd is None:
        return None
    whole = float(values.std(ddof=1))
    return min(1.0, sd / whole) if whole > 0 else 0.0


def part_end(mean: float, low: float, high: float, end: float, share: float) -> float:
    """Where one end of a part lies: as far from the mean as its ``share`` of the way to that ``end`` of the whole
    spread, and not outside the whole (whose percentiles need not hold the mean).

    >>> part_end(10.0, 4.0, 30.0, 30.0, 0.5), part_end(10.0, 4.0, 30.0, 4.0, 0.5), part_end(9.0, 0.0, 8.0, 8.0, 0.5)
    (20.0, 7.0, 8.0)
    """
    return min(max(mean + share * (end - mean), low), high)


def with_demand(
    found: pl.DataFrame, summed: pl.DataFrame, by: Sequence[str], value: str = "value", centre: str = "mean"
) -> pl.DataFrame:
    """``found`` with ``demand_low`` and ``demand_high``: where nine in ten would lie if demand alone were uncertain.

    ``found`` has the whole spread (``low``, ``high``) about ``centre``. ``summed`` has a row for each cell and
    replication, with the column ``met`` of :func:`met_demand`; without it, or with too few replications, the two are
    null.
    """
    empty = pl.lit(None, pl.Float64)
    if "met" not in summed.columns:
        return found.with_columns(empty.alias("demand_low"), empty.alias("demand_high"))
    keys, shares = [], []
    for key, cell in summed.group_by(list(by), maintain_order=True):
        keys.append(key)
        values = cell[value].to_numpy()
        shares.append(part_share(values, demand_sd(values, np.array(cell["met"].to_list(), np.float64))))
    schema = {name: summed.schema[name] for name in by}
    share = pl.DataFrame(keys, schema=schema, orient="row").with_columns(pl.Series("share", shares, pl.Float64))
    joined = found.join(share, on=list(by), how="left", nulls_equal=True, maintain_order="left")
    middle = pl.col(centre)
    ends = [
        (middle + pl.col("share") * (pl.col(end) - middle)).clip(pl.col("low"), pl.col("high")).alias(f"demand_{end}")
        for end in ("low", "high")
    ]
    return joined.with_columns(ends).drop("share")
