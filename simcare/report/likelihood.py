"""Words for probabilities, by one table, and what may be said of a difference from the baseline.

The bounds and words are those of Mastrandrea and others (2010), Guidance note for lead authors of the IPCC Fifth
Assessment Report on consistent treatment of uncertainties. A probability is the share of simulated futures.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from simcare.report import wording

WORDS = (  # from this probability on; the first that fits
    (0.99, "almost certain"),
    (0.90, "very likely"),
    (wording.DIRECTION, "likely"),
)
NO_DIRECTION = "as likely as not"


def likelihood(chance: float) -> str:
    """A probability in words.

    >>> [likelihood(p) for p in (1.0, 0.99, 0.9, 0.66, 0.65, 0.5)]
    ['almost certain', 'almost certain', 'very likely', 'likely', 'as likely as not', 'as likely as not']
    """
    return next((word for least, word in WORDS if chance >= least), NO_DIRECTION)


def of_futures(chance: float) -> str:
    """A probability as a share of simulated futures; whole per cent, and none that is not is called all or none.

    >>> of_futures(0.823), of_futures(0.996), of_futures(1.0)
    ('82% of simulated futures', 'over 99% of simulated futures', 'all simulated futures')
    """
    if chance == 1.0:
        return "all simulated futures"
    if chance > 0.99:
        return "over 99% of simulated futures"
    if 0.0 < chance < 0.01:
        return "under 1% of simulated futures"
    return f"{100 * chance:.0f}% of simulated futures"


def paired_estimate(row: Mapping[str, Any]) -> wording.Estimate:
    """A row of a comparison's differences as an estimate: its mean, its prediction interval, and its chances."""
    plain = wording.Estimate.of(row["difference"], row["prediction_low"], row["prediction_high"], row["baseline_mean"])
    return wording.Estimate(plain.value, plain.low, plain.high, row["chance_lower"], row["chance_higher"])


def ranked_estimate(row: Mapping[str, Any]) -> wording.Estimate:
    """A row of :func:`simcare.decide.ranking.ranks` as an estimate, likewise."""
    return wording.Estimate(row["difference"], row["low"], row["high"], row["chance_lower"], row["chance_higher"])


def predicted_words(estimate: wording.Estimate, unit: wording.Unit) -> str:
    """The prediction interval of a difference where somebody points.

    >>> predicted_words(wording.Estimate(-3.0, -5.0, -1.0, 1.0, 0.0), wording.COUNT)
    '90% prediction interval −5 to −1'
    >>> predicted_words(wording.Estimate(-3.0, lower=1.0, higher=0.0), wording.COUNT)
    'too few replications for an interval'
    """
    said = wording.interval_words(estimate, unit)
    return said if estimate.low is None else f"{wording.PREDICTION} {said}"


__all__ = ["NO_DIRECTION", "likelihood", "of_futures", "paired_estimate", "predicted_words", "ranked_estimate"]
