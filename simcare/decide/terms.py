"""The terms of a regression on what replications drew: a straight line and a square for each number, a column for each
alternative but one.

A draw counts by its rank, as the standard normal of that rank. So a row of long tails weighs no more than another, and
a line and a square follow any smooth curve: of exp(z / 2) all but 1 % of the variance. All columns have mean 0 and
variance 1, and those of one cause are uncorrelated.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from scipy.special import ndtri
from scipy.stats import rankdata

from simcare.decide.sample import Cause, Floats

RARE = 5  # draws of an alternative below which it counts with the commonest
CLEAR = 4.0  # standard errors of a correlation of two causes from which it is taken to be there
HAIR = 1e-8  # the variance of a column that holds nothing but rounding


class Ends(NamedTuple):
    """A cause at its two ends: its numbers there, and what its columns are (columns,)."""

    at_low: float
    at_high: float
    low: Floats
    high: Floats


@dataclass(frozen=True, eq=False)
class CauseTerms:
    """``matrix`` (replications, columns); ``owner`` (columns,): the place of the cause that a column belongs to;
    ``correlation`` (columns, columns): that of the columns as the causes were drawn, not as it fell out."""

    causes: tuple[Cause, ...]
    draws: Floats = field(repr=False)
    matrix: Floats = field(repr=False)
    owner: np.ndarray[tuple[int], np.dtype[np.int64]] = field(repr=False)
    correlation: Floats = field(repr=False)

    def columns(self, cause: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
        """Where the columns of a cause stand."""
        return np.flatnonzero(self.owner == cause)


def terms_of(causes: tuple[Cause, ...], draws: Floats) -> CauseTerms:
    """The terms of causes from their draws (replications, causes).

    Causes are independent unless their draws are correlated by more than four standard errors: with n replications, 45
    independent rows have 990 correlations of ±1 / √n that mean nothing (thresholding: Bickel and Levina 2008, Annals of
    Statistics 36). A posterior's parameters that are estimated jointly stay correlated.

    >>> causes = (Cause("a", "A", "uncertain"), Cause("b", "B", "uncertain", categorical=True))
    >>> terms = terms_of(causes, np.array([[r**3, r % 3] for r in range(60)], float))
    >>> terms.owner.tolist(), np.allclose(terms.matrix.T @ terms.matrix / 60, np.eye(4), atol=0.1)
    ([0, 0, 1, 1], True)
    """
    ranked = scores(draws)
    parts = [
        _alternatives(draws[:, k]) if cause.categorical else _curve(ranked[:, k]) for k, cause in enumerate(causes)
    ]
    matrix = np.column_stack(parts) if parts else np.zeros((len(draws), 0))
    owner = np.repeat(np.arange(len(parts)), [part.shape[1] for part in parts]).astype(np.int64)
    return CauseTerms(causes, draws, matrix, owner, _correlation(causes, matrix, owner))


def scores(values: Floats) -> Floats:
    """Standard normals of the ranks in each column of ``values``, with mean 0 and variance 1; equal values have equal
    scores.

    >>> scores(np.array([[3.0], [9.0], [9.0], [12.0]])).round(3).tolist()
    [[-1.414], [0.0], [0.0], [1.414]]
    """
    found = ndtri((rankdata(values, axis=0) - 0.5) / len(values))
    found = found - found.mean(axis=0)
    return np.asarray(found / found.std(axis=0), np.float64)


def _curve(line: Floats) -> Floats:
    square = line**2 - 1.0
    square = square - line * (line * square).mean()
    square = square - square.mean()
    size = square.std()
    return np.column_stack([line, square / size]) if size**2 > HAIR else line[:, None]


def _alternatives(values: Floats) -> Floats:
    """Columns that tell alternatives apart; those of few draws go with the commonest."""
    names, place, count = np.unique(values, return_inverse=True, return_counts=True)
    common = int(count.argmax())
    kept = [k for k in range(names.size) if count[k] >= RARE and k != common]
    chosen = np.equal(place[:, None], np.array(kept, np.int64)).astype(np.float64)
    left, sizes, _ = np.linalg.svd(chosen - chosen.mean(axis=0), full_matrices=False)
    return np.asarray(left[:, sizes**2 > HAIR * values.size] * np.sqrt(values.size), np.float64)


def _correlation(
    causes: tuple[Cause, ...], matrix: Floats, owner: np.ndarray[tuple[int], np.dtype[np.int64]]
) -> Floats:
    """Of two lines as estimated, where it is clear; of their squares its square (Mehler 1866); else none."""
    n, columns = matrix.shape
    found = np.eye(columns)
    first = np.flatnonzero(np.diff(owner, prepend=-1) > 0)
    lines = np.array([k for k in first if not causes[owner[k]].categorical], np.int64)
    if lines.size < 2:
        return found
    clear = matrix[:, lines].T @ matrix[:, lines] / n
    clear = np.where(np.abs(clear) > CLEAR / np.sqrt(n), clear, 0.0)
    values, vectors = np.linalg.eigh(clear)  # thresholding may leave a correlation that cannot be
    clear = (vectors * np.maximum(values, 1e-3)) @ vectors.T
    clear = clear / np.sqrt(np.outer(np.diag(clear), np.diag(clear)))
    found[np.ix_(lines, lines)] = clear
    curved = np.isin(lines + 1, np.flatnonzero(np.diff(owner, prepend=-1) == 0))
    squares = lines[curved] + 1
    found[np.ix_(squares, squares)] = clear[np.ix_(curved, curved)] ** 2
    return found


def ends_of(terms: CauseTerms, cause: int, effect: Floats, low: float = 0.05, high: float = 0.95) -> Ends:
    """A cause at its 5th and 95th percentile; a categorical one at the alternatives with the lowest and the highest
    mean, as ``effect`` (columns of the cause,) has them."""
    values, matrix = terms.draws[:, cause], terms.matrix[:, terms.columns(cause)]
    if terms.causes[cause].categorical:
        names = np.unique(values)
        each = np.array([matrix[values == name].mean(axis=0) for name in names])
        order = np.argsort(each @ effect, kind="stable")
        at = order[0], order[-1]
        return Ends(float(names[at[0]]), float(names[at[1]]), each[at[0]], each[at[1]])
    ordered = np.sort(values)
    at_low, at_high = np.quantile(ordered, (low, high), method="hazen")  # as the scores have it
    by_score = np.argsort(matrix[:, 0], kind="stable")
    line = matrix[by_score, 0]
    places = np.interp((at_low, at_high), ordered, line)
    columns = [np.interp(places, line, matrix[by_score, k]) for k in range(matrix.shape[1])]
    found = np.column_stack(columns)
    return Ends(float(at_low), float(at_high), found[0], found[1])
