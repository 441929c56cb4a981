"""Threshold bunching: how many people assessed just above an eligibility threshold would have been below it on a smooth
course of scores."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray
from scipy.stats import chi2, norm

from simcare.errors import BadInput
from simcare.induced.regression import CausalEstimate, Floats, numeric_column, require_columns
from simcare.money.gaming import course, poisson_fit
from simcare.rules.streams import stream

REACH_BINS = 15  # on either side of the window, from which the course without a threshold is read
ALARM = 0.01  # a check with a smaller p-value warns


@dataclass(frozen=True, repr=False)
class Bunching:
    """What :func:`threshold_bunching` found; ``course`` has from_score, observed, expected, inside (the window) for a
    picture."""

    threshold: float
    excess: CausalEstimate
    share: CausalEstimate
    b: CausalEstimate
    above: int
    balance: float
    balance_p: float
    roughness_p: float
    warnings: tuple[str, ...]
    course: pl.DataFrame

    def __repr__(self) -> str:
        lines = [
            (
                f"Bunching at {self.threshold:g}: of {self.above:,} people at or above it, a share of {self.share!r}"
                " were moved over it"
            ),
            (
                f"  excess people {self.excess.value:,.0f} (95 % {self.excess.low:,.0f} to {self.excess.high:,.0f}); b"
                f" {self.b!r} bins"
            ),
            (
                f"  excess above = missing below: p {self.balance_p:.3f}; smooth outside the window: p"
                f" {self.roughness_p:.3f}"
            ),
        ]
        return "\n".join([*lines, *(f"  warning: {text}" for text in self.warnings)])


def threshold_bunching(
    data: ArrayLike | pl.DataFrame,
    threshold: float,
    *,
    window: float,
    bin_width: float = 1.0,
    reach: float | None = None,
    degree: int = 3,
    draws: int = 500,
    seed: int = 0,
) -> Bunching:
    """The share of those at or above a threshold who were moved over it, and how sure that is.

    ``data``: one score a person, or a histogram with the columns ``from_score`` (lower edge of a bin: the threshold ±
    whole bins) and ``count``. A score equal to the threshold is above it. A log-linear Poisson polynomial of some
    ``degree`` is fitted to the bins (``bin_width`` score points) within ``reach`` (score points; by default 15 bins)
    beyond the ``window`` (score points on either side). Of the bins inside only the total counts, since who is missing
    below must be in excess above (Chetty, Friedman, Olsen and Pistaferri, Quarterly Journal of Economics 2011; Kleven,
    Annual Review of Economics 2016; the total as a composite link: Thompson and Baker, Applied Statistics 1981).

    ``excess`` counts people, ``share`` is excess ÷ all at or above the threshold, ``b`` is excess ÷ expected people in
    one bin at the threshold. Intervals are percentiles of ``draws`` parametric bootstrap samples (Efron and Tibshirani
    1993), wider where counts vary more than Poisson's. ``balance`` is observed ÷ expected − 1 inside the window, by a
    fit that leaves it out. Warns where that is not zero (people came from farther away, or the threshold drew in new
    people), and where counts outside are rough (heaping on round scores): the share means little then.

    Raises BadInput for a threshold outside the scores, a window that is no whole number of bins, and too few bins or
    people for the fit.

    >>> scores = np.repeat(np.arange(40.0, 80.0), 100)
    >>> scores[(scores >= 57) & (scores < 60) & (np.arange(scores.size) % 2 == 0)] += 3
    >>> found = threshold_bunching(scores, 60.0, window=3.0)
    >>> round(found.excess.value), round(found.share.value, 3), round(found.b.value, 2), found.warnings
    (150, 0.07, 1.5, ())
    """
    inside_bins = _whole(window, bin_width, "window")
    reach_bins = REACH_BINS if reach is None else _whole(reach, bin_width, "reach")
    first, counts = _histogram(data, threshold, bin_width)
    place = np.arange(first, first + counts.size)
    used = (place >= -inside_bins - reach_bins) & (place < inside_bins + reach_bins)
    seen = _Seen.of(place[used], counts[used], inside_bins, degree)
    rest = float(counts[(place >= 0) & ~used].sum())
    beta = poisson_fit(seen.x, seen.pooled(), seen.pool).beta
    excess, share, b = _measures(seen, beta, seen.below, seen.above, float(counts[place >= 0].sum()))
    outside = _outside(seen)
    drawn = _bootstrap(seen, beta, float(excess), rest, outside.spread, draws, stream(seed))
    found = [_estimate(float(v), d) for v, d in zip((excess, share, b), drawn, strict=True)]
    shown = pl.DataFrame(
        {"from_score": threshold + bin_width * place[used], "observed": seen.counts, "expected": np.exp(seen.x @ beta)}
    )
    return Bunching(
        threshold=threshold,
        excess=found[0],
        share=found[1],
        b=found[2],
        above=int(counts[place >= 0].sum()),
        balance=outside.balance,
        balance_p=outside.balance_p,
        roughness_p=outside.roughness_p,
        warnings=outside.warnings(),
        course=shown.with_columns(pl.Series("inside", seen.inside)),
    )


class _Seen(NamedTuple):
    """The bins that are read: their columns, counts, which are inside the window, and how they are pooled."""

    x: Floats
    counts: Floats
    inside: NDArray[np.bool_]
    over: NDArray[np.bool_]
    pool: Floats
    degree: int

    @classmethod
    def of(cls, place: NDArray[np.int64], counts: Floats, inside_bins: int, degree: int) -> _Seen:
        inside, over = (place >= -inside_bins) & (place < inside_bins), place >= 0
        for name, side in (("below", ~over), ("above", over)):
            if int((side & ~inside).sum()) < degree or inside[side].sum() < inside_bins:
                raise BadInput(
                    f"window: too few bins {name} the threshold lie outside the window for a polynomial of degree"
                    f" {degree}"
                )
        if (counts[~inside] > 0).sum() < degree + 2 or counts[inside].sum() == 0:
            raise BadInput("scores: too few people around the threshold for a course to be read from them")
        return cls(
            course(np.asarray(place + 0.5, np.float64), degree),
            counts,
            inside,
            over,
            np.vstack([np.eye(place.size)[~inside], inside.astype(np.float64)]),
            degree,
        )

    @property
    def below(self) -> float:
        return float(self.counts[self.inside & ~self.over].sum())

    @property
    def above(self) -> float:
        return float(self.counts[self.inside & self.over].sum())

    def pooled(self) -> Floats:
        return np.asarray(self.pool @ self.counts, np.float64)


class _Outside(NamedTuple):
    """What the bins outside the window say by themselves: of the people inside, and of how rough the counts are."""

    balance: float
    balance_p: float
    roughness_p: float
    spread: float  # variance of counts over their mean

    def warnings(self) -> tuple[str, ...]:
        """What makes the share mean little, in sentences."""
        rough = (
            "scores are rough outside the window too (heaping on some scores, or a course this polynomial cannot"
            " follow)"
        )
        moved = f"people in the window are {self.balance:+.1%} of the course: they were not just moved within it"
        found = ((self.roughness_p, rough), (self.balance_p, moved))
        return tuple(sentence for p, sentence in found if p < ALARM)


def _outside(seen: _Seen) -> _Outside:
    """The course fitted without the window, held against the people in it and against its own bins."""
    alone = poisson_fit(seen.x[~seen.inside], seen.counts[~seen.inside])
    fitted = np.exp(seen.x @ alone.beta)
    misfit = float(((seen.counts - fitted) ** 2 / fitted)[~seen.inside].sum())
    left = int((~seen.inside).sum()) - seen.degree - 1
    window_people, expected = seen.below + seen.above, float(fitted[seen.inside].sum())
    slope = (fitted[:, None] * seen.x)[seen.inside].sum(axis=0)
    spread = max(1.0, misfit / left)
    z = (window_people - expected) / np.sqrt(spread * expected + float(slope @ alone.covariance @ slope))
    balance_p, roughness_p = float(2.0 * norm.sf(abs(z))), float(chi2.sf(misfit, left))
    return _Outside(window_people / expected - 1.0, balance_p, roughness_p, spread)


def _measures(
    seen: _Seen, beta: Floats, below: Floats | float, above: Floats | float, over_all: Floats | float
) -> tuple[Floats, Floats, Floats]:
    """Excess, share and b. The split of the window's people is free, so its likeliest excess is N × above ÷ (below +
    above) − N above."""
    fitted = np.exp(beta @ seen.x.T)
    expected_above = fitted[..., seen.inside & seen.over].sum(axis=-1)
    total = fitted[..., seen.inside].sum(axis=-1)
    excess = total * above / np.maximum(below + above, 1.0) - expected_above
    return (
        excess,
        excess / np.maximum(over_all, 1.0),
        excess / np.exp(beta[..., 0]),
    )  # the course at distance 0 is its first coefficient


def _bootstrap(
    seen: _Seen, beta: Floats, excess: float, rest: float, spread: float, draws: int, rng: np.random.Generator
) -> tuple[Floats, ...]:
    fitted = np.exp(seen.x @ beta)
    split = [fitted[seen.inside & ~seen.over].sum() - excess, fitted[seen.inside & seen.over].sum() + excess]
    means = np.maximum(np.concatenate([fitted[~seen.inside], split, [rest]]), 1e-9)
    # Variance = spread × mean: a Gamma mixture of Poissons, whose mean has shape mean ÷ (spread − 1).
    rates = (
        rng.gamma(means / (spread - 1.0), spread - 1.0, (draws, means.size))
        if spread > 1.0 + 1e-6
        else np.tile(means, (draws, 1))
    )
    counts = rng.poisson(rates).astype(np.float64)
    outside, below, above = counts[:, :-3], counts[:, -3], counts[:, -2]
    betas = poisson_fit(seen.x, np.column_stack([outside, below + above]), seen.pool).beta
    over_all = outside[:, seen.over[~seen.inside]].sum(axis=1) + above + counts[:, -1]
    return _measures(seen, betas, below, above, over_all)


def _estimate(value: float, drawn: Floats) -> CausalEstimate:
    low, high = np.quantile(drawn, [0.025, 0.975])
    se = float(drawn.std(ddof=1))
    return CausalEstimate(value, se, float(low), float(high), float(2.0 * norm.sf(abs(value) / se)))


def _whole(length: float, width: float, name: str) -> int:
    if width <= 0 or length < width or abs(length / width - round(length / width)) > 1e-9:
        raise BadInput(f"{name}: {length:g} points are no whole number of bins of {width:g}")
    return round(length / width)


def _histogram(data: ArrayLike | pl.DataFrame, threshold: float, width: float) -> tuple[int, Floats]:
    """The number of the first bin, counted from the threshold, and the people in each from there on."""
    if isinstance(data, pl.DataFrame):
        require_columns(data, ("from_score", "count"))
        scores, people = numeric_column(data, "from_score"), numeric_column(data, "count")
        off = np.abs((scores - threshold) / width - np.round((scores - threshold) / width)) > 1e-6
        if off.any():
            raise BadInput(
                f"from_score: a bin begins at {scores[off][0]:g}, which is not the threshold {threshold:g} ± whole bins"
                f" of {width:g}"
            )
        if (people < 0).any():
            raise BadInput("count: a bin holds fewer than no people")
    else:
        scores = np.asarray(data, np.float64).ravel()
        people = np.ones(scores.size)
    if scores.size == 0 or not np.isfinite(scores).all():
        raise BadInput("scores: there are none, or some are missing")
    if not scores.min() < threshold <= scores.max():
        raise BadInput(
            f"threshold: {threshold:g} lies outside the scores, which run from {scores.min():g} to {scores.max():g}"
        )
    place = np.floor((scores - threshold) / width + 1e-9).astype(np.int64)
    return int(place.min()), np.bincount(place - place.min(), people).astype(np.float64)
