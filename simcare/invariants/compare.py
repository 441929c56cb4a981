"""Telling that something cannot be, and comparing totals worked out in two ways."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from simcare.errors import BrokenInvariant
from simcare.log.periods import total
from simcare.log.states import RUN

RELATIVE, ABSOLUTE = 1e-9, 1e-6  # sums of millions of floats differ in the last digits with their order


def never(faults: pl.DataFrame, sentence: str) -> None:
    """Raise on the first of these rows."""
    if faults.height:
        row = faults.row(0, named=True)
        who = (
            f"strategy '{row['strategy']}', replication {row['replication']}, client {row['client']}, day"
            f" {row['time']:.6g}"
        )
        raise BrokenInvariant(f"{who}: {sentence.format(**row)}")


def slim(measures: pl.DataFrame) -> pl.DataFrame:
    """The columns that totals are compared by, their text as enums."""
    text = ("month", "service", "provider", "measure")
    slim = measures.select(*RUN, "month", "service", "provider", "measure", "value")
    return slim.with_columns(
        [
            pl.col(name).cast(pl.Enum(slim[name].unique().drop_nulls().sort()))
            for name in text
            if slim.schema[name] == pl.String
        ]
    )


def same(one: pl.DataFrame, other: pl.DataFrame, keys: Sequence[str], what: str) -> None:
    """The column ``value`` agrees in two frames, key by key; a key that one lacks is zero there."""
    text = [pl.col(key).cast(pl.String) for key in keys if key != "replication"]
    both = (
        one.with_columns(text)
        .join(other.with_columns(text), on=keys, how="full", coalesce=True, nulls_equal=True, suffix="_other")
        .fill_null(0)
    )
    a, b = pl.col("value").cast(pl.Float64), pl.col("value_other").cast(pl.Float64)
    apart = both.filter(
        ((a - b).abs() > ABSOLUTE + RELATIVE * pl.max_horizontal(a.abs(), b.abs())) | (a - b).is_nan()
    ).sort(keys)
    if apart.height:
        row = apart.row(0, named=True)
        where = ", ".join(f"{key} {row[key]}" for key in keys)
        raise BrokenInvariant(f"{what} ({where}): {row['value']!r} is not {row['value_other']!r}")


def sum_of(measures: pl.DataFrame, measure: str, keys: Sequence[str]) -> pl.DataFrame:
    return total(measures.filter(pl.col("measure") == measure), keys, ["value"])
