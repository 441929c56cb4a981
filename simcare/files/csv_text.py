"""CSV as simcare writes it: numbers in full, without the noise of sums in binary (199999.9999999999 for 200000)."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import polars.selectors as cs

FIGURES = 12  # significant: more than any answer has, fewer than rounding error reaches


def write_csv(frame: pl.DataFrame, path: Path) -> None:
    """Write a frame as CSV, its numbers to so many significant figures."""
    frame.with_columns(cs.float().round_sig_figs(FIGURES)).write_csv(path)


__all__ = ["FIGURES", "write_csv"]
