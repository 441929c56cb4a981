"""What a replication drew, as rows of a frame, and how much of a spread over replications comes from demand.

What was drawn stands in a frame of its own beside the measures, ``drawn``: each replication meets one path of every
demand driver (an index, month by month), one value of everything that is not known of the model, and one of every
effect with an interval. The part of a total's variance that goes with the mean of the paths over the horizon is
demand's (least squares, adjusted for the number of drivers). It is drawn as the whole spread drawn in towards its mean,
by demand's share of the standard deviation: so it is never longer than the whole, nor below zero where that is not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

LEAST = 4  # replications beyond the number of drivers
DEMAND, PARAMETER, EFFECT = "demand", "parameter", "effect"  # the kinds of what is drawn
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


def value_rows(kind: str, strategy: str, replication: int, month: str, values: Mapping[str, float]) -> pl.DataFrame:
    """Rows of ``drawn``: what a replication met of what is not known, or of effects, in the first month of the run."""
    rows = [(strategy, replication, month, kind, name, value) for name, value in values.items()]
    return pl.DataFrame(rows, schema=DRAWN, orient="row")


def met_demand(drawn: pl.DataFrame, strategy: str = "baseline") -> pl.DataFrame:
    """The demand that each replication met: the mean index of each driver over the horizon, on the log scale.

    Columns: replication, ``met`` (a list, drivers in order of their names). No row where nothing was drawn.
    """
    rows = drawn.filter((pl.col("kind") == DEMAND) & (pl.col("strategy") == strategy))
    mean = rows.group_by("replication", "name").agg(pl.col("value").mean().log())
    ordered = mean.sort("replication", "name")
    return ordered.group_by("replication", maintain_order=True).agg(pl.col("value").alias("met"))


def demand_sd(values: NDArray[Any], demand: NDArray[Any]) -> float | None:
    """The standard deviation of what of ``values`` (replications,) goes with ``demand`` (replications, drivers); None
    from fewer replications than four beyond the number of drivers.

    >>> demand = np.arange(8.0)[:, None]
    >>> round(demand_sd(3.0 * demand[:, 0], demand), 3), round(float(np.std(3.0 * np.arange(8.0), ddof=1)), 3)
    (7.348, 7.348)
    """
    n, k = demand.shape
    if k == 0 or n < k + LEAST:
        return None
    design = np.column_stack([np.ones(n), demand])
    left = values - design @ np.linalg.lstsq(design, values, rcond=None)[0]
    part = float(values.var(ddof=1)) - float(left @ left) / (n - 1 - k)
    return float(np.sqrt(max(part, 0.0)))


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


def with_demand(found: pl.DataFrame, summed: pl.DataFrame, by: Sequence[str]) -> pl.DataFrame:
    """``found`` with ``demand_low`` and ``demand_high``: where nine in ten would lie if demand alone were uncertain.

    ``found`` has the whole spread (``low``, ``high``) about its ``mean``. ``summed`` has a row for each cell and
    replication, with the column ``met`` of :func:`met_demand`; without it, or with too few replications, the two are
    null.
    """
    empty = pl.lit(None, pl.Float64)
    if "met" not in summed.columns:
        return found.with_columns(empty.alias("demand_low"), empty.alias("demand_high"))
    keys, shares = [], []
    for key, cell in summed.group_by(list(by), maintain_order=True):
        keys.append(key)
        values = cell["value"].to_numpy()
        shares.append(part_share(values, demand_sd(values, np.array(cell["met"].to_list(), np.float64))))
    schema = {name: summed.schema[name] for name in by}
    share = pl.DataFrame(keys, schema=schema, orient="row").with_columns(pl.Series("share", shares, pl.Float64))
    joined = found.join(share, on=list(by), how="left", nulls_equal=True, maintain_order="left")
    middle = pl.col("mean")
    ends = [
        (middle + pl.col("share") * (pl.col(end) - middle)).clip(pl.col("low"), pl.col("high")).alias(f"demand_{end}")
        for end in ("low", "high")
    ]
    return joined.with_columns(ends).drop("share")
