"""How much of a spread over replications comes from demand, how much from the parameters of a fit, and how much from
luck and effects.

Each replication meets one path of every demand driver; the measures keep it as ``demand_index: NAME``, month by month.
What of a total's variance goes with the mean of that path over the horizon is demand's part (least squares, adjusted
for the number of drivers). A replication drawn from a fit meets one value of each of its parameters; the measures keep
it as ``parameter: NAME``, and the parameters' part is found alike.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.stats import norm

INDEX = "demand_index: "
COLUMN = "demand "
LEAST = 4  # replications beyond the number of drivers
PARAMETER = "parameter: "
PARAMETER_COLUMN = "parameter "
LEAST_FITTED = 10  # replications beyond the number of parameters
KEPT = pl.col("measure").str.starts_with(INDEX) | pl.col("measure").str.starts_with(
    PARAMETER
)  # what a replication met, of the measures
NINE_IN_TEN = float(norm.ppf(0.95))
ROWS = {"strategy": pl.String, "replication": pl.Int32, "month": pl.String, "measure": pl.String, "value": pl.Float64}


def index_rows(strategy: str, replication: int, paths: dict[str, list[tuple[str, float]]]) -> pl.DataFrame:
    """Tidy rows of the demand index of each driver: ``paths`` holds (month, index) by driver."""
    rows = [
        (strategy, replication, month, INDEX + name, value) for name, path in paths.items() for month, value in path
    ]
    return pl.DataFrame(rows, schema=ROWS, orient="row")


def parameter_rows(strategy: str, replication: int, month: str, values: Mapping[str, float]) -> pl.DataFrame:
    """Tidy rows of the parameters of a fit as a replication met them, in the first month of the run."""
    rows = [(strategy, replication, month, PARAMETER + name, value) for name, value in values.items()]
    return pl.DataFrame(rows, schema=ROWS, orient="row")


def demand_by_replication(measures: pl.DataFrame, strategy: str = "baseline") -> pl.DataFrame:
    """The mean demand index of each driver over the horizon, on the log scale: a row a replication, a column a driver
    (``demand NAME``)."""
    rows = measures.filter((pl.col("strategy") == strategy) & pl.col("measure").str.starts_with(INDEX))
    if rows.is_empty():
        return rows.select("replication").unique()
    mean = rows.group_by("replication", pl.col("measure").str.replace(INDEX, COLUMN, literal=True)).agg(
        pl.col("value").mean().log()
    )
    return mean.sort("measure").pivot(on="measure", index="replication", values="value")


def parameters_by_replication(measures: pl.DataFrame, strategy: str = "baseline") -> pl.DataFrame:
    """The parameters of a fit that each replication met: a row a replication, a column a parameter
    (``parameter NAME``), on the log scale if all its values are positive."""
    rows = measures.filter((pl.col("strategy") == strategy) & pl.col("measure").str.starts_with(PARAMETER))
    if rows.is_empty():
        return rows.select("replication").unique()
    named = rows.select(
        "replication", pl.col("measure").str.replace(PARAMETER, PARAMETER_COLUMN, literal=True), "value"
    )
    wide = named.sort("measure").pivot(on="measure", index="replication", values="value")
    return wide.with_columns(pl.col(name).log() for name in parameter_columns(wide) if (wide[name] > 0).all())


def parameter_columns(frame: pl.DataFrame) -> list[str]:
    """The columns of a frame that hold the parameters of a fit."""
    return [name for name in frame.columns if name.startswith(PARAMETER_COLUMN)]


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


def demand_columns(frame: pl.DataFrame) -> list[str]:
    """The columns of a frame that hold demand by driver."""
    return [name for name in frame.columns if name.startswith(COLUMN)]


def with_demand(
    found: pl.DataFrame, summed: pl.DataFrame, by: Sequence[str], value: str = "value", centre: str = "mean"
) -> pl.DataFrame:
    """``found`` with ``demand_low`` and ``demand_high``: where nine in ten would lie if demand alone were uncertain.

    ``summed`` has a row for each cell and replication, with the columns of :func:`demand_by_replication`; without
    these, or with too few replications, the two are null.
    """
    names = demand_columns(summed)
    empty = pl.lit(None, pl.Float64)
    if not names:
        return found.with_columns(empty.alias("demand_low"), empty.alias("demand_high"))
    keys, sds = [], []
    for key, cell in summed.group_by(list(by), maintain_order=True):
        keys.append(key)
        sds.append(demand_sd(cell[value].to_numpy(), cell.select(names).to_numpy()))
    schema = {name: summed.schema[name] for name in by}
    half = pl.DataFrame(keys, schema=schema, orient="row").with_columns(
        pl.Series("half", sds, pl.Float64) * NINE_IN_TEN
    )
    joined = found.join(half, on=list(by), how="left", nulls_equal=True, maintain_order="left")
    low, high = pl.col(centre) - pl.col("half"), pl.col(centre) + pl.col("half")
    return joined.with_columns(low.alias("demand_low"), high.alias("demand_high")).drop("half")


__all__ = [
    "INDEX", "KEPT", "NINE_IN_TEN", "PARAMETER", "demand_by_replication", "demand_columns", "demand_sd", "index_rows",
    "parameter_columns", "parameter_rows", "parameter_sd", "parameters_by_replication", "with_demand",
]  # fmt: skip
