"""CSV as simcare writes it: numbers in full, without the noise of sums in binary (199999.9999999999 for 200000)."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import polars.selectors as cs

FIGURES = 12  # significant: more than any answer has, fewer than rounding error reaches


def without_noise(value: float) -> float:
    """A number to so many significant figures: the nearest that has no more.

    >>> without_noise(199999.9999999999), without_noise(0.1 + 0.2), without_noise(float("inf"))
    (200000.0, 0.3, inf)
    """
    return float(f"{value:.{FIGURES}g}")


def write_csv(frame: pl.DataFrame, path: Path) -> None:
    """Write a frame as CSV, its numbers to so many significant figures."""
    # Not by round_sig_figs, which multiplies and divides: one number in twenty thousand keeps a noise of its own.
    frame.with_columns(cs.float().map_batches(_rounded)).write_csv(path)


def _rounded(column: pl.Series) -> pl.Series:
    values = [None if x is None else without_noise(x) for x in column.to_list()]
    return pl.Series(column.name, values, column.dtype)


__all__ = ["FIGURES", "without_noise", "write_csv"]
