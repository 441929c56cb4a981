"""Which part of the spread of an answer goes with what: chance events, demand, effects, and each uncertain row.

The share of a cause is that of the variance of the difference which its curve makes (:mod:`simcare.decide.curves`); on
a linear answer Σ aᵢ xᵢ + e it is aᵢ² sᵢ² over the whole. Causes that are correlated share what they do together, each
by its covariance with the sum (Li, Rabitz and others 2010, Journal of Physical Chemistry A 114). The share of chance is
what is left: chance events, and what causes do only in combination.

Squares of estimates are too large by their noise, which is taken off; so a share may come out a little below zero, and
all of them add up to 1. Errors are by the delta method: of 60 to 400 replications with 45 rows a bootstrap says too
much or too little (El Karoui and Purdom 2018, Journal of Machine Learning Research 19).
"""

from __future__ import annotations

import numpy as np
import polars as pl
from scipy.special import chdtri

from simcare.decide.curves import Fit
from simcare.decide.sample import KINDS, Floats

BY_CHANCE = 0.01  # how many causes without any part pass for one that has a part
CHANCE = "chance"
_Row = tuple[str, str, str, str, float, float, float | None, bool | None]
SHARE_COLUMNS = {
    "level": pl.String(), "name": pl.String(), "title": pl.String(), "kind": pl.String(), "share": pl.Float64(),
    "error": pl.Float64(), "noise": pl.Float64(), "above_noise": pl.Boolean(),
}  # fmt: skip
TITLES = {"uncertain": "Uncertain rows", "effect": "Effects", "demand": "Demand", CHANCE: "Chance events"}


def shares(fit: Fit) -> pl.DataFrame:
    """The shares of the variance of a difference: a row for each kind and for chance (``level`` "kind"), then one for
    each cause, the largest first (``level`` "cause").

    ``error`` is the standard error of a share, ``noise`` what one cause in a hundred without any part would reach;
    ``above_noise`` says whether the share is more than that (null for chance). Kinds of which there is no cause have a
    share of zero. A difference that is the same in all replications has no shares: no rows.

    Columns: level, name, title, kind, share, error, noise, above_noise.

    >>> from simcare.decide.curves import fitted_to
    >>> from simcare.decide.sample import Cause, sample_of
    >>> x = np.random.default_rng(1).standard_normal((200, 2))
    >>> causes = [Cause("a", "A", "uncertain"), Cause("jobs", "Jobs", "demand")]
    >>> found = shares(fitted_to(sample_of(causes, x, x[:, 0] + 0.01 * x[:, 1])))
    >>> found.select("level", "name", pl.col("share").round(1)).rows()[:2], round(found["share"][:4].sum(), 6)
    ([('kind', 'uncertain', 1.0), ('kind', 'effect', 0.0)], 1.0)
    """
    terms, curves = fit.terms, fit.curves
    if curves.variance == 0.0:
        return pl.DataFrame(schema=SHARE_COLUMNS)
    noise = curves.noise / curves.variance
    parts = curves.joint * curves.alone / curves.variance - noise
    each: Floats = np.bincount(terms.owner, parts, minlength=len(terms.causes)).astype(np.float64)
    counts = np.bincount(terms.owner, minlength=len(terms.causes))
    n = len(terms.matrix)
    rows: list[_Row] = []
    kinds = np.array([cause.kind for cause in terms.causes])
    for kind in KINDS:
        mine = kinds == kind
        share, error, level = _of_group(each, counts, mine, noise, n)
        rows.append(("kind", kind, TITLES[kind], kind, share, error, level, share > level))
    share, error, _ = _of_group(each, counts, np.ones(kinds.size, bool), noise, n)
    rows.append(("kind", CHANCE, TITLES[CHANCE], CHANCE, 1.0 - share, error, None, None))
    for k in np.argsort(-each, kind="stable"):
        cause = terms.causes[k]
        share, error, level = _of_group(each, counts, np.arange(kinds.size) == k, noise, n)
        rows.append(("cause", cause.name, cause.title, cause.kind, share, error, level, share > level))
    return pl.DataFrame(rows, SHARE_COLUMNS, orient="row")


def _of_group(
    each: Floats,
    counts: np.ndarray[tuple[int, ...], np.dtype[np.int64]],
    mine: np.ndarray[tuple[int, ...], np.dtype[np.bool_]],
    noise: float,
    n: int,
) -> tuple[float, float, float]:
    """The share of some causes, its standard error, and its noise level.

    Four things move a share: the noise of the coefficients, in what the causes do and in the whole; chance, in the
    whole; how widely the causes happened to be drawn, theirs against the others'; and, in the whole, causes that
    happened to be drawn high or low together.
    """
    columns = int(counts[mine].sum())
    if columns == 0:
        return 0.0, 0.0, 0.0
    known = np.maximum(each, 0.0)
    share, whole = float(known[mine].sum()), min(float(known.sum()), 1.0)
    share = min(share, 1.0)
    of_coefficients = 4 * noise * share + 2 * columns * noise**2 * (1 + columns / n) - 8 * noise * share**2
    of_whole = share**2 * (4 * noise * whole + 2 * (1 - whole) ** 2 / n)
    squares = known**2
    of_draws = 2 / n * (squares[mine].sum() * (1 - share) ** 2 + share**2 * squares[~mine].sum())
    of_together = 2 / n * share**2 * max(whole**2 - squares.sum(), 0.0)
    error = float(np.sqrt(max(of_coefficients + of_whole, 0.0) + of_draws + of_together))
    return float(each[mine].sum()), error, noise * (float(chdtri(columns, BY_CHANCE)) - columns)
