"""Real runs from the posterior: what the model would have predicted, with all uncertainty, beside the outturn.

A predictive draw of a published value is a run at a draw of the parameters, with its own chance and demand, moved by
the discrepancy (a random walk in time) and by the error of what is published. It is held against two yardsticks that
know the same years and nothing else: the last known value, and a line through the known ones.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import scoringrules

from simcare.calibrate.likelihood import Judge, judge
from simcare.calibrate.observe import Values, outputs
from simcare.calibrate.priors import to_values
from simcare.calibrate.published_tables import published_values
from simcare.calibrate.reading import Datum, Loaded
from simcare.calibrate.simulating import Job, run_jobs
from simcare.model.calibration import Target
from simcare.rules.streams import PREDICTED, YARDSTICK, stream
from simcare.runs.workers import Progress
from simcare.units import YEAR_DAYS

FIRST = 1_000_000  # replications of the posterior's runs are numbered from here, those of designs from zero
LEVELS = (50, 90)
YARDSTICK_DRAWS = 4000
LEAST_KNOWN = 3  # values, for a line through them
TYPICAL_CHANGE = 0.1  # a year, where a series is too short to show its own: the median of Kent's series to 2013 is 0.11


class Predictive(NamedTuple):
    """Runs from the posterior, on the scale of the outputs: ``simulated`` as they are, ``drawn`` with discrepancy and
    error laid on (draws, data)."""

    judge: Judge
    simulated: Values
    drawn: Values

    @property
    def data(self) -> tuple[Datum, ...]:
        return self.judge.data

    def quantiles(self, shares: Sequence[float]) -> Values:
        """Quantiles of each published value as predicted, in its own unit (shares, data)."""
        return in_units(self.data, np.quantile(self.drawn, shares, axis=0))

    def inside(self, level: int) -> Values:
        """Whether each published value lay inside the central interval of a level in percent (data,)."""
        low, high = np.quantile(self.drawn, [0.5 - level / 200, 0.5 + level / 200], axis=0)
        return np.asarray((self.judge.published >= low) & (self.judge.published <= high))

    def crps(self) -> Values:
        """The continuous ranked probability score of each published value, in its own unit (data,)."""
        return score(np.array([d.value for d in self.data]), in_units(self.data, self.drawn))


def in_units(data: Sequence[Datum], values: Values) -> Values:
    """From the scale of the outputs (…, data) to the unit of what is published."""
    share = np.array([d.target.is_share for d in data])
    base = np.array([1.0 if d.base is None else d.base for d in data])
    return np.where(share, values, np.exp(np.where(share, 0.0, values)) * base)


def score(outturn: Values, drawn: Values) -> Values:
    """CRPS of ensembles (draws, data) for the outturn (data,), by probability-weighted moments, which are fair to the
    number of draws."""
    return np.asarray(scoringrules.crps_ensemble(outturn, drawn.T, estimator="pwm"))


def run_for_real(
    loaded: Loaded, steps: Values, parts: Path, workers: int | None, progress: Progress | None, first: int = FIRST
) -> Values:
    """The outputs of all data at draws of the parameters (draws, data), each with chance and demand of its own."""
    values = to_values(loaded.calibration.free, steps)
    runs = list(dict.fromkeys(datum.run for datum in loaded.data))
    jobs = [Job(run, tuple(point.tolist()), (first + k,)) for run in runs for k, point in enumerate(values)]
    found = run_jobs(loaded, jobs, parts, workers, progress)
    both = [
        {name: value for r in range(len(runs)) for name, value in found[r * len(values) + k][0].items()}
        for k in range(len(values))
    ]
    return np.array([outputs(loaded.data, one) for one in both])


def predictive(data: Sequence[Datum], simulated: Values, seed: int, widened: float = 1.0) -> Predictive:
    """Discrepancy and error laid on runs (draws, data)."""
    judged = judge(data, widened)
    rng = stream(seed, PREDICTED)
    cover = judged.slack + 1e-12 * np.eye(len(data))
    doubt = rng.standard_normal(simulated.shape) @ np.linalg.cholesky(cover).T
    drawn = simulated + doubt
    share = np.array([d.target.is_share for d in data])
    unit = np.array([d.target.scale for d in data])
    return Predictive(judged, simulated, np.where(share, np.clip(drawn, 0.0, unit), drawn))


def enough(
    data: Sequence[Datum],
    simulated: Values,
    which: Values,
    level: int,
    wanted: float,
    seed: int,
    begin: float,
    most: float = 6.0,
) -> float:
    """By how much discrepancies have to be multiplied for the wanted share of some data (``which``) to lie inside the
    intervals of a level.

    From ``begin`` in steps of a twentieth; ``most`` if nothing below it is enough.
    """
    for widened in np.arange(begin, most, 0.05):
        if predictive(data, simulated, seed, float(widened)).inside(level)[which].mean() >= wanted:
            return round(float(widened), 2)
    return most


# ---- yardsticks
class Yardsticks(NamedTuple):
    """Draws of each datum by the two yardsticks (draws, data), in the unit of what is published; not-a-number where
    there is too little known."""

    naive: Values
    line: Values


def known_of(loaded: Loaded, target: Target) -> list[tuple[dt.date, float]]:
    """The values of a target's series that a forecaster had, in order: up to the information cut-off date, or to its
    level year."""
    until = max(target.level_from or loaded.calibration.known_to, loaded.calibration.known_to)
    return [(date, value) for date, value in published_values(target, loaded.path).items() if date <= until]


def yardsticks(loaded: Loaded, data: Sequence[Datum], seed: int) -> Yardsticks:
    """The last known value, as uncertain as a random walk of the series' own yearly changes; and a random walk with
    drift (the line from the first to the last known value, carried on). Hyndman and Athanasopoulos (2021), Forecasting:
    Principles and Practice, 5.2 and 5.5.

    Of shares changes are absolute, of all else relative. A series of fewer than three known values has no line, and
    typical changes.
    """
    rng = stream(seed, YARDSTICK)
    naive, line = (np.full((YARDSTICK_DRAWS, len(data)), np.nan) for _ in range(2))
    for k, datum in enumerate(data):
        known = known_of(loaded, datum.target)
        if not known or datum.date <= loaded.calibration.known_to:
            continue
        years = np.array([_years(date) for date, _ in known])
        raw = np.array([value for _, value in known])
        share = datum.target.is_share
        values = raw if share else np.log(raw)
        ahead = _years(datum.date) - years[-1]
        changes = np.diff(values) / np.sqrt(np.diff(years))
        typical = TYPICAL_CHANGE * (datum.target.scale / 2 if share else 1.0)
        sd = float(np.sqrt((changes**2).mean())) if len(changes) >= LEAST_KNOWN - 1 else typical
        drawn = values[-1] + sd * np.sqrt(ahead) * rng.standard_normal(YARDSTICK_DRAWS)
        naive[:, k] = drawn if share else np.exp(drawn)
        if len(values) >= LEAST_KNOWN:
            span = years[-1] - years[0]
            drift = (values[-1] - values[0]) / span
            left = np.diff(values) - drift * np.diff(years)
            about = float(np.sqrt((left**2 / np.diff(years)).sum() / (len(left) - 1)))
            spread = max(about, 1e-6) * np.sqrt(ahead * (1.0 + ahead / span))
            drawn = values[-1] + drift * ahead + spread * rng.standard_normal(YARDSTICK_DRAWS)
            line[:, k] = drawn if share else np.exp(drawn)
    return Yardsticks(naive, line)


def _years(date: dt.date) -> float:
    """A date in years."""
    return date.year + (date.timetuple().tm_yday - 1) / YEAR_DAYS


__all__ = [
    "FIRST",
    "LEVELS",
    "Predictive",
    "Yardsticks",
    "enough",
    "in_units",
    "known_of",
    "predictive",
    "run_for_real",
    "score",
    "yardsticks",
]
