"""The hindcast in numbers: the prediction beside the outturn, date by date and series by series."""

from __future__ import annotations

import datetime as dt
from typing import NamedTuple

import numpy as np
import polars as pl

from simcare.calibrate.fitting import Calibrated
from simcare.calibrate.observe import Values
from simcare.calibrate.predictive import known_of, score
from simcare.model.calibration import Target

SHARES = (0.05, 0.25, 0.5, 0.75, 0.95)
ENOUGH = 0.8  # of a series' years inside the 90 % interval, below which it missed


def hindcast_table(found: Calibrated) -> pl.DataFrame:
    """A row a published value. Columns: target, title, theme, unit, date, fitted, published, q5 … q95 as predicted,
    in50, in90, off (published less the median, in standard deviations of the prediction), crps, crps_naive, crps_line
    (null where there is no yardstick).
    """
    data, predicted = found.loaded.data, found.predictive
    outturn = np.array([d.value for d in data])
    quantiles = predicted.quantiles(SHARES)
    spread = predicted.drawn.std(axis=0)
    off = (predicted.judge.published - np.median(predicted.drawn, axis=0)) / spread
    columns = {
        "target": [d.target.name for d in data],
        "title": [d.target.title for d in data],
        "theme": [d.target.theme for d in data],
        "unit": [d.target.unit for d in data],
        "date": [d.date for d in data],
        "fitted": found.fitted,
        "held_out": found.held_out,
        "published": outturn,
        **{f"q{100 * share:.0f}": quantiles[k] for k, share in enumerate(SHARES)},
        "in50": predicted.inside(50),
        "in90": predicted.inside(90),
        "off": off,
        "crps": predicted.crps(),
        "crps_naive": _scored(outturn, found.yardsticks.naive),
        "crps_line": _scored(outturn, found.yardsticks.line),
    }
    return pl.DataFrame(columns)


def _scored(outturn: Values, drawn: Values) -> pl.Series:
    """The CRPS of a yardstick where there is one."""
    there = ~np.isnan(drawn).any(axis=0)
    out = np.full(len(outturn), np.nan)
    if there.any():
        out[there] = score(outturn[there], drawn[:, there])
    return pl.Series(out).fill_nan(None)


def by_series(rows: pl.DataFrame) -> pl.DataFrame:
    """The scores of each series over the years held out. Columns: target, title, theme, first, last, values, in50,
    in90 (shares), crps, crps_naive, crps_line (means), skill, skill_line (share by which the CRPS is lower than the
    yardstick's), bias (mean of off)."""
    found = (
        rows.filter("held_out")
        .group_by("target", "title", "theme", maintain_order=True)
        .agg(
            pl.col("date").min().alias("first"),
            pl.col("date").max().alias("last"),
            pl.len().alias("values"),
            pl.col("in50", "in90").mean(),
            pl.col("crps", "crps_naive", "crps_line").mean(),
            pl.col("off").mean().alias("bias"),
        )
    )
    return found.with_columns(
        (1 - pl.col("crps") / pl.col("crps_naive")).alias("skill"),
        (1 - pl.col("crps") / pl.col("crps_line")).alias("skill_line"),
    )


class HindcastSeries(NamedTuple):
    """One series as the hindcast shows it: the values before the information cut-off date, and the prediction of the
    years held out beside the outturn."""

    target: Target
    known: list[tuple[dt.date, float]]
    said: pl.DataFrame  # rows of ``hindcast_table``, held out
    naive: list[float]


def hindcast_series(found: Calibrated, rows: pl.DataFrame) -> list[HindcastSeries]:
    """Every series that has years held out, in the order of the targets."""
    out = []
    data = found.loaded.data
    for target in found.loaded.calibration.targets:
        said = rows.filter((pl.col("target") == target.name) & pl.col("held_out")).sort("date")
        if said.is_empty():
            continue
        of = [k for k, d in enumerate(data) if d.target.name == target.name and found.held_out[k]]
        naive = [float(np.median(found.yardsticks.naive[:, k])) for k in sorted(of, key=lambda k: data[k].date)]
        out.append(HindcastSeries(target, known_of(found.loaded, target), said, naive))
    return out


def missed_series(scores: pl.DataFrame) -> pl.DataFrame:
    """The series that missed: fewer than :data:`ENOUGH` of the years inside the 90 % interval, or a worse score than
    the last known value."""
    return scores.filter((pl.col("in90") < ENOUGH) | (pl.col("skill") < 0))


__all__ = ["ENOUGH", "HindcastSeries", "by_series", "hindcast_series", "hindcast_table", "missed_series"]
