"""What it is worth to know more before choosing: the expected value of perfect information, of everything, of a group
of causes, of one.

Whoever knew a cause would choose the strategy with the highest net benefit given it. So the value is the mean of the
highest conditional mean less the highest mean, the baseline's net benefit being zero (Raiffa and Schlaifer 1961). The
conditional means are regressions on the sample (Strong, Oakley and Brennan 2014, Medical Decision Making 34): the
curves of :mod:`simcare.decide.curves`, alone or added up.

Chance events cannot be known beforehand by any study. So perfect information is that of all causes, and not the mean of
each replication's best: that is given as well, as ``hindsight``, and is an upper bound.

Curves that hold noise vary too much, and variance alone has a value. So the covariance of the conditional means is put
right before the maximum is taken: they are stretched (Gelbrich 1990, Mathematische Nachrichten 147) until it is what
the coefficients have without their noise. What bias is left, and the standard error, come from data simulated from the
fit, which are worked out in the same way.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray

from simcare.decide.curves import Curves, fit_curves
from simcare.decide.sample import KINDS, Cause, Floats, sample_of
from simcare.decide.terms import CauseTerms, terms_of
from simcare.decide.variance_parts import BY_CHANCE, TITLES
from simcare.rules.streams import stream

SIMULATED, PERMUTATIONS = 100, 400
EVERYTHING, HINDSIGHT = "everything", "hindsight"
INFORMATION_COLUMNS = {
    "level": pl.String(), "name": pl.String(), "title": pl.String(), "kind": pl.String(), "value": pl.Float64(),
    "error": pl.Float64(), "bias": pl.Float64(), "noise": pl.Float64(), "above_noise": pl.Boolean(),
}  # fmt: skip
PERMUTED, FIRST_CAUSE = 999, 1000  # addresses of streams: of permutations, of the first cause
Places = NDArray[np.int64]
_Found = tuple[float, float, float, float, bool]  # value, error, bias, noise, whether it is above that
_Row = tuple[str, str, str, str | None, float, float, float | None, float | None, bool | None]


@dataclass(frozen=True, eq=False)
class _Benefits:
    """The curves of the net benefits of all strategies: means (strategies,), coefficients (columns, strategies), and
    the covariances of the means and of a coefficient over strategies."""

    terms: CauseTerms
    mean: Floats
    of_mean: Floats
    coefficients: Floats
    noise: Floats
    residuals: Floats

    @property
    def replications(self) -> int:
        return len(self.terms.matrix)


def information(
    causes: Iterable[Cause],
    draws: ArrayLike,
    benefits: ArrayLike,
    groups: Mapping[str, Iterable[str]] | None = None,
    seed: int = 1,
) -> pl.DataFrame:
    """The value of information for the choice among strategies and the baseline, in the unit of the net benefits, for
    one decision.

    ``draws`` (replications, causes); ``benefits`` (replications, strategies): the net benefit of each strategy beyond
    the baseline's, in the same replications. ``groups`` are names of causes by the
    name of a group. Rows: hindsight (chance events known too, an upper bound), everything (all causes: the EVPI), each
    kind, each group, then each cause, the most valuable first (EVPPI; ``level`` "hindsight", "everything", "kind",
    "group" or "cause").

    ``error`` is the standard error. ``bias`` is what was taken off because the highest of noisy means is too high.
    ``noise`` is what one in a hundred causes without effect would reach, by permutation of the replications;
    the value of a cause of no more is set to zero, and ``above_noise`` is false (both null for hindsight, which has no
    regression). So causes of little value are too low on average. Where two strategies are nearly level, all values are
    too low by up to 0.4 standard errors of the mean, as the highest mean is then partly chance.

    Columns: level, name, title, kind, value, error, bias, noise, above_noise.

    >>> x = np.random.default_rng(1).standard_normal((400, 2))
    >>> found = information([Cause("a", "A", "uncertain"), Cause("b", "B", "uncertain")], x, 100.0 * x[:, :1])
    >>> {row["name"]: round(row["value"], -1) for row in found.filter(pl.col("level") == "cause").to_dicts()}
    {'a': 30.0, 'b': 0.0}
    """
    causes, values = tuple(causes), np.asarray(benefits, np.float64)
    if values.ndim != 2 or values.shape[1] == 0:
        raise ValueError(f"net benefits need the shape (replications, strategies), got {values.shape}")
    samples = [sample_of(causes, draws, column) for column in values.T]
    terms = terms_of(samples[0].causes, samples[0].draws)
    fitted = _benefits(terms, values)
    rows: list[_Row] = [_hindsight(values)]
    for place, (level, name, title, members) in enumerate(_sets(causes, groups or {})):
        mine = np.flatnonzero([terms.causes[k].name in members for k in terms.owner])
        noise = _noise(fitted, mine, seed)
        kind = name if level == "kind" else None
        rows.append((level, name, title, kind, *_valued(fitted, mine, seed, place, noise)))
    return pl.DataFrame([*rows, *_of_causes(fitted, seed)], INFORMATION_COLUMNS, orient="row")


def _sets(causes: tuple[Cause, ...], groups: Mapping[str, Iterable[str]]) -> Iterator[tuple[str, str, str, set[str]]]:
    """Level, name, title and members of each set of causes that is asked for."""
    names = {cause.name for cause in causes}
    yield EVERYTHING, EVERYTHING, "All causes together", names
    for kind in KINDS:
        yield "kind", kind, TITLES[kind], {cause.name for cause in causes if cause.kind == kind}
    for group, members in groups.items():
        wanted = set(members)
        if unknown := sorted(wanted - names):
            raise ValueError(f"group '{group}': there is no cause '{unknown[0]}'")
        yield "group", group, group, wanted


def _benefits(terms: CauseTerms, values: Floats) -> _Benefits:
    each: list[Curves] = [fit_curves(terms, column) for column in values.T]
    residuals = np.column_stack([curves.residuals for curves in each])
    n = len(values)
    return _Benefits(
        terms,
        values.mean(axis=0),
        np.atleast_2d(np.cov(values, rowvar=False)) / n,
        np.column_stack([curves.alone for curves in each]),
        residuals.T @ residuals,
        residuals,
    )


def _hindsight(values: Floats) -> _Row:
    best = np.maximum(values.max(axis=1), 0.0)
    means = values.mean(axis=0)
    chosen = values[:, int(means.argmax())] if means.max() > 0 else np.zeros(len(values))
    gain = best - chosen
    error = float(gain.std(ddof=1) / np.sqrt(gain.size))
    title = "Each replication's best, chance events known too"
    return HINDSIGHT, HINDSIGHT, title, None, float(gain.mean()), error, None, None, None


def _valued(fitted: _Benefits, mine: Places, seed: int, place: int, noise: float) -> _Found:
    """What it is worth to know the causes of some columns, given its noise level."""
    if mine.size == 0:
        return 0.0, 0.0, 0.0, 0.0, False
    matrix = fitted.terms.matrix[:, mine]
    correlation = fitted.terms.correlation[np.ix_(mine, mine)]
    found = fitted.coefficients[mine]
    value = float(_value(matrix, correlation, fitted.mean, found, fitted.noise))
    again = _value(matrix, correlation, *_simulated(fitted, mine, stream(seed, place)), fitted.noise)
    error, bias = float(again.std(ddof=1)), float(again.mean()) - value
    return max(value - bias, 0.0), error, bias, noise, value > noise


def _noise(fitted: _Benefits, mine: Places, seed: int) -> float:
    """What one in a hundred causes with columns like these would be worth if they were without effect."""
    if mine.size == 0:
        return 0.0
    matrix = fitted.terms.matrix[:, mine]
    correlation = fitted.terms.correlation[np.ix_(mine, mine)]
    tile = np.tile(np.arange(fitted.replications), (PERMUTATIONS, 1))
    orders = stream(seed, PERMUTED).permuted(tile, axis=1)
    without = np.einsum("nm,pns->pms", matrix, fitted.residuals[orders], optimize=True)
    by_chance = _value(matrix, correlation, fitted.mean, without, fitted.noise)
    rounding = 1e-9 * float(np.sqrt(fitted.replications * np.diag(fitted.of_mean)).max())
    return float(np.quantile(by_chance, 1 - BY_CHANCE, method="weibull")) + rounding


def _of_causes(fitted: _Benefits, seed: int) -> list[_Row]:
    """A row a cause. Ranks without ties have the same columns whatever the cause, and so the same noise."""
    known: dict[bytes, float] = {}
    rows: list[_Row] = []
    for k, cause in enumerate(fitted.terms.causes):
        mine = fitted.terms.columns(k)
        key = np.sort(fitted.terms.matrix[:, mine], axis=0).round(9).tobytes()
        if key not in known:
            known[key] = _noise(fitted, mine, seed)
        value, error, bias, noise, clear = _valued(fitted, mine, seed, FIRST_CAUSE + k, known[key])
        found = (value if clear else 0.0, error, bias, noise, clear)
        rows.append(("cause", cause.name, cause.title, cause.kind, *found))
    return sorted(rows, key=lambda row: (-row[4], row[1]))


def _value(matrix: Floats, correlation: Floats, mean: Floats, coefficients: Floats, noise: Floats) -> Floats:
    """The mean of the highest conditional mean less the highest mean; ``mean`` (…, strategies) and ``coefficients`` (…,
    columns, strategies) may hold many samples."""
    joint: Floats = np.asarray(np.linalg.solve(correlation, coefficients), np.float64)
    moved = matrix @ joint
    moved = moved @ _stretch(_covariance(moved, moved) / len(matrix), _signal(coefficients, joint, noise))
    best = np.maximum((mean[..., None, :] + moved).max(axis=-1), 0.0).mean(axis=-1)
    return np.asarray(best - np.maximum(mean.max(axis=-1), 0.0))


def _covariance(a: Floats, b: Floats) -> Floats:
    return np.asarray(np.swapaxes(a, -1, -2) @ b)


def _signal(coefficients: Floats, joint: Floats, noise: Floats) -> Floats:
    """The covariance of the conditional means over strategies without what the coefficients' noise adds, or the nearest
    that can be."""
    found = _covariance(coefficients, joint) - coefficients.shape[-2] * noise
    values, vectors = np.linalg.eigh((found + np.swapaxes(found, -1, -2)) / 2)
    return np.asarray((vectors * np.maximum(values, 0.0)[..., None, :]) @ np.swapaxes(vectors, -1, -2))


def _stretch(given: Floats, wanted: Floats) -> Floats:
    """The symmetric map that gives what has one covariance another, and moves it least (Gelbrich 1990)."""
    root, inverse = _roots(given)
    middle, _ = _roots(root @ wanted @ root)
    return np.asarray(inverse @ middle @ inverse)


def _roots(covariance: Floats) -> tuple[Floats, Floats]:
    values, vectors = np.linalg.eigh((covariance + np.swapaxes(covariance, -1, -2)) / 2)
    sizes = np.sqrt(np.maximum(values, 0.0))
    there = sizes > 1e-7 * np.maximum(sizes.max(axis=-1, keepdims=True), 1e-300)
    inverse = np.where(there, 1.0 / np.where(there, sizes, 1.0), 0.0)
    turned = np.swapaxes(vectors, -1, -2)
    return np.asarray((vectors * sizes[..., None, :]) @ turned), np.asarray((vectors * inverse[..., None, :]) @ turned)


def _simulated(fitted: _Benefits, mine: Places, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Means and coefficients of made-up samples from the fit without its noise: other chance, other draws of the
    causes."""
    correlation, found = fitted.terms.correlation[np.ix_(mine, mine)], fitted.coefficients[mine]
    joint: Floats = np.asarray(np.linalg.solve(correlation, found), np.float64)
    true = found @ _stretch(_covariance(found, joint), _signal(found, joint, fitted.noise))
    strategies = found.shape[1]
    root, _ = _roots(fitted.noise)
    across, _ = _roots(correlation)
    noise = across @ rng.standard_normal((SIMULATED, mine.size, strategies)) @ root
    width = 1.0 + rng.standard_normal((SIMULATED, len(fitted.terms.causes))) / np.sqrt(2 * fitted.replications)
    of_mean, _ = _roots(fitted.of_mean)
    means = fitted.mean + rng.standard_normal((SIMULATED, strategies)) @ of_mean
    return means, true * width[:, fitted.terms.owner[mine], None] + noise
