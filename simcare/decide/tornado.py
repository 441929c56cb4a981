"""What the answer would be if one cause were at its low or its high end, and all else as uncertain as it is."""

from __future__ import annotations

import numpy as np
import polars as pl
from scipy.special import chdtri

from simcare.decide.curves import Fit
from simcare.decide.terms import ends_of
from simcare.decide.variance_parts import BY_CHANCE

TORNADO_COLUMNS = {
    "name": pl.String(), "title": pl.String(), "kind": pl.String(), "at_low": pl.Float64(), "at_high": pl.Float64(),
    "mean_at_low": pl.Float64(), "mean_at_high": pl.Float64(), "error_at_low": pl.Float64(),
    "error_at_high": pl.Float64(), "length": pl.Float64(), "length_error": pl.Float64(), "above_noise": pl.Boolean(),
    "changes_sign": pl.Boolean(),
}  # fmt: skip


def tornado(fit: Fit) -> pl.DataFrame:
    """The conditional mean of a difference with each cause at its 5th and its 95th percentile, all else averaged over
    what goes with it (:mod:`simcare.decide.curves`): a row a cause, the longest bar first.

    ``at_low`` and ``at_high`` are the cause's numbers there. For a categorical cause they are the alternatives with the
    lowest and the highest mean, which makes its bar a little too long. The errors are standard errors.
    ``above_noise``: the curve is more than one cause in a hundred without any part would show. ``changes_sign``: it is,
    and at one end the mean lies on the other side of zero than the mean of all replications.

    Columns: name, title, kind, at_low, at_high, mean_at_low, mean_at_high, error_at_low, error_at_high, length,
    length_error, above_noise, changes_sign.

    >>> from simcare.decide.curves import fitted_to
    >>> from simcare.decide.sample import Cause, sample_of
    >>> x = np.linspace(0.0, 100.0, 101)
    >>> found = tornado(fitted_to(sample_of([Cause("a", "A", "uncertain")], x[:, None], x - 40.0)))
    >>> found.select(pl.col("at_low", "at_high").round(2), "changes_sign").rows()
    [(4.55, 95.45, True)]
    """
    curves = fit.curves
    n = len(fit.terms.matrix)
    rows = []
    for k, cause in enumerate(fit.terms.causes):
        effect = curves.alone[fit.terms.columns(k)]
        ends = ends_of(fit.terms, k, effect)
        moved = [float(at @ effect) for at in (ends.low, ends.high)]
        means = [curves.mean + by for by in moved]
        # Of the mean, of the coefficients, and of how widely the cause happened to be drawn.
        errors = [
            float(np.sqrt(curves.variance / n + curves.noise * (at @ at) + by**2 / (2 * n)))
            for at, by in zip((ends.low, ends.high), moved, strict=True)
        ]
        apart = ends.high - ends.low
        clear = bool(effect @ effect > curves.noise * chdtri(max(effect.size, 1), BY_CHANCE))
        turns = clear and min(mean * curves.mean for mean in means) < 0
        length = abs(means[1] - means[0])
        error = float(np.sqrt(curves.noise * (apart @ apart) + length**2 / (2 * n)))
        about = (cause.name, cause.title, cause.kind, ends.at_low, ends.at_high)
        rows.append((*about, *means, *errors, length, error, clear, turns))
    found = pl.DataFrame(rows, TORNADO_COLUMNS, orient="row")
    return found.sort("length", "name", descending=[True, False])
