"""What the difference from the baseline will be: its mean, where nine in ten futures lie, and chances.

A replication is one draw of all that is not known, chance events included. So the spread of the differences over
replications is the uncertainty of the answer; it does not shrink with more replications. The Monte Carlo error of the
mean does, and it says only whether enough replications were run.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import ArrayLike
from scipy.stats import beta

from simcare.decide.sample import Floats

LOW, HIGH = 0.05, 0.95
FEWEST = 19  # replications: with fewer, not even the least and the most hold nine in ten
PREDICTED_COLUMNS = {
    "replications": pl.Int64(), "mean": pl.Float64(), "monte_carlo_error": pl.Float64(), "sd": pl.Float64(),
    "median": pl.Float64(), "low": pl.Float64(), "high": pl.Float64(), "chance_better": pl.Float64(),
    "chance_better_low": pl.Float64(), "chance_better_high": pl.Float64(),
}  # fmt: skip


def prediction_interval(differences: ArrayLike) -> tuple[float | None, float | None]:
    """The 90 % prediction interval: one more draw of all that is not known lies in it nine times in ten.

    Its ends are the order statistics of rank 0.05 (n + 1) and 0.95 (n + 1), interpolated: one more draw lies
    below the k-th of n with probability k / (n + 1), whatever the distribution (Hyndman and Fan 1996, Sample quantiles
    in statistical packages, type 6; Geisser 1993, Predictive inference). The usual type 7 holds 88 % at n = 60.
    Both ends are None from fewer than 19 draws, which hold no such interval.

    >>> prediction_interval(range(19))
    (0.0, 18.0)
    >>> prediction_interval(range(18))
    (None, None)
    """
    values = np.asarray(differences, np.float64)
    if values.size < FEWEST:
        return None, None
    low, high = np.quantile(values, (LOW, HIGH), method="weibull")
    return float(low), float(high)


def chance(happened: ArrayLike) -> tuple[float, float, float]:
    """How often something happened, and the 90 % interval of its probability given the number of replications
    (Jeffreys; Brown, Cai and DasGupta 2001, Statistical Science 16).

    >>> [round(x, 3) for x in chance([True] * 60)]
    [1.0, 0.969, 1.0]
    """
    hits = np.asarray(happened, bool)
    n, k = hits.size, int(hits.sum())
    low = 0.0 if k == 0 else float(beta.ppf(LOW, k + 0.5, n - k + 0.5))
    high = 1.0 if k == n else float(beta.ppf(HIGH, k + 0.5, n - k + 0.5))
    return k / n, low, high


def prediction(differences: ArrayLike, better: int) -> pl.DataFrame:
    """What is to be expected of a difference: one row.

    ``better`` is +1 where more is better, -1 where fewer is, 0 where neither. Columns: replications, mean,
    monte_carlo_error (standard error of the mean), sd, median, low and high (:func:`prediction_interval`),
    chance_better with the 90 % interval of that probability, chance_better_low and chance_better_high (null where
    ``better`` is 0). A difference of exactly zero is not better.

    >>> prediction([-2.0, -1.0, 0.0, 1.0] * 10, better=-1).select("mean", "low", "high", "chance_better").row(0)
    (-0.5, -2.0, 1.0, 0.5)
    """
    values = np.asarray(differences, np.float64)
    n = values.size
    sd = float(values.std(ddof=1)) if n > 1 else None
    low, high = prediction_interval(values)
    found = chance(better * values > 0) if better else (None, None, None)
    error = None if sd is None else sd / float(np.sqrt(n))
    row = (n, float(values.mean()), error, sd, float(np.median(values)), low, high, *found)
    return pl.DataFrame([row], PREDICTED_COLUMNS, orient="row")


@dataclass(frozen=True, slots=True)
class Aim:
    """What is asked of a measure's difference: that it lies ``below`` or ``above`` a number (strictly), or is ``at
    most`` or ``at least`` one.

    >>> Aim("cost", "below").met(np.array([-1.0, 0.0])).tolist()
    [True, False]
    """

    measure: str
    side: Literal["below", "above", "at most", "at least"]
    number: float = 0.0

    def met(self, differences: Floats) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
        """In which replications the aim is met."""
        compared = {"below": np.less, "above": np.greater, "at most": np.less_equal, "at least": np.greater_equal}
        return np.asarray(compared[self.side](differences, self.number), np.bool_)


def joint_chance(differences: Mapping[str, ArrayLike], aims: Sequence[Aim]) -> tuple[float, float, float]:
    """The probability that all aims are met in the same future, and its 90 % interval (:func:`chance`).

    ``differences`` holds those of each measure by name (replications,), in the same order of replications.

    >>> found = {"cost": [-1.0, -1.0, 1.0, 1.0], "dependency_days": [-5.0, 5.0, -5.0, 5.0]}
    >>> joint_chance(found, [Aim("cost", "below"), Aim("dependency_days", "below")])[0]
    0.25
    """
    met = [aim.met(np.asarray(differences[aim.measure], np.float64)) for aim in aims]
    return chance(np.logical_and.reduce(met))
