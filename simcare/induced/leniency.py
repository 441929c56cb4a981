"""Assessor leniency: what a package does to later need, learned from who happened to assess, by two-stage least
squares."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import polars as pl
from scipy.stats import t as t_law

from simcare.errors import BadInput
from simcare.induced import regression as by
from simcare.induced.regression import (
    CausalEstimate,
    Codes,
    Floats,
    codes,
    group_sums,
    numeric_column,
    partialled_out,
    two_stage,
    within,
)

FEWEST_ASSESSORS = 8  # fewer clusters carry no standard error
FEW_ASSESSORS = 20
WEAK_F = 10.0  # Staiger and Stock (Econometrica 1997); Andrews, Stock and Sun (Annual Review of Economics 2019)
ALARM = 0.01


@dataclass(frozen=True, repr=False)
class Leniency:
    """What :func:`assessor_leniency` found. All estimates are per package; ``anderson_rubin`` is the interval to quote
    when ``weak``.

    ``balance`` has covariate, coefficient (per unit of leniency), se, p.
    """

    effect: CausalEstimate
    anderson_rubin: tuple[float, float]
    first_stage: CausalEstimate
    f: float
    weak: bool
    reduced_form: CausalEstimate
    plain: CausalEstimate
    balance: pl.DataFrame
    balance_p: float
    people: int
    dropped: int
    assessors: int
    warnings: tuple[str, ...]

    def __repr__(self) -> str:
        low, high = self.anderson_rubin
        strength = f"first-stage F {self.f:.1f}{' (weak)' if self.weak else ''}"
        lines = [
            (
                f"Leniency of {self.assessors} assessors, {self.people:,} people: a package changes the outcome by"
                f" {self.effect!r}"
            ),
            f"  Anderson–Rubin 95 % {low:.3f} to {high:.3f}; {strength}; balance p {self.balance_p:.3f}",
            f"  plain regression, for contrast: {self.plain!r}",
        ]
        return "\n".join([*lines, *(f"  warning: {text}" for text in self.warnings)])


def assessor_leniency(
    cases: pl.DataFrame,
    *,
    outcome: str = "later_need",
    care: str = "package",
    assessor: str = "assessor",
    office: str = "office",
    period: str = "period",
    covariates: Sequence[str] = (),
) -> Leniency:
    """What care given at an assessment does to need later, where an office hands out cases to assessors as good as at
    random.

    ``cases`` has a row for each first assessment: ``care`` (0 or 1, or the tier given), ``outcome`` (such as levels of
    need a year later, assessed by somebody else), the ``assessor``, and the ``office`` and ``period`` within which a
    case falls to whoever is free; ``covariates`` are known before the assessment. The instrument is leniency: the share
    of an assessor's *other* cases given care, less that of the office and period, neither counting the case itself
    (leave-out leniency: Kling, American Economic Review 2006; Dobbie, Goldin and Yang, American Economic Review 2018).
    Office × period and covariates are taken out of everything; errors are robust by assessor.

    ``effect`` is two-stage least squares, outcome units per unit of care: the average over those to whom a lenient
    assessor gives care and a strict one does not (Imbens and Angrist, Econometrica 1994). ``f`` is the effective F of
    the first stage (Montiel Olea and Pflueger, Journal of Business and Economic Statistics 2013), with one instrument
    the robust F; below 10, ``weak``. It is robust by person: an assessor's own cases make the instrument, so errors by
    assessor would take chance for strength. ``anderson_rubin`` is an interval that stays honest where the instrument
    is weak (Anderson and Rubin, Annals of Mathematical Statistics 1949); it may be without end. ``balance_p``: whether
    covariates tell lenient assessors from strict ones; they should not. ``reduced_form`` is the outcome on leniency,
    ``plain`` ordinary least squares with the same controls. ``dropped`` counts people with nobody to compare to (an
    office and period with one assessor; an assessor with one case).

    Raises BadInput for missing columns or values, fewer than 8 assessors, and care, outcome, covariates or leniency
    that do not vary.

    >>> from simcare.induced.lab import simulate_cases
    >>> found = assessor_leniency(simulate_cases(0.2, 4000, np.random.default_rng(1)), covariates=["age_score"])
    >>> found.weak, found.plain.value - found.effect.value > 0.1
    (False, True)
    """
    by.require_columns(cases, (outcome, care, assessor, office, period, *covariates))
    kept = _comparable(cases, assessor, office, period)
    assessors = kept[assessor].n_unique()
    if assessors < FEWEST_ASSESSORS:
        raise BadInput(
            f"{assessor}: {assessors} assessors share an office and period with another; fewer than {FEWEST_ASSESSORS}"
            " are too few"
        )
    who, cell = codes(kept, assessor), codes(kept, office, period)
    given = numeric_column(kept, care)
    y, d, *rest = (
        within(values, cell)
        for values in (numeric_column(kept, outcome), given, *(numeric_column(kept, name) for name in covariates))
    )
    for name, values in ((outcome, y), (care, d), *zip(covariates, rest, strict=True)):
        if np.abs(values).max() < 1e-12:
            raise BadInput(f"{name}: does not vary within any office and period")
    controls = np.column_stack([np.zeros((y.size, 0)), *rest])
    raw = within(leave_out_leniency(given, who, cell), cell)
    known = by.basis(controls)
    y, d, z = (partialled_out(values, known) for values in (y, d, raw))
    if min(np.abs(z).max(), np.abs(d).max()) < 1e-12:
        raise BadInput(f"{assessor}: all assessors are equally lenient, so there is nothing to compare")
    scale = _widened(who, cell)
    first, reduced = two_stage(d, z, z, np.arange(z.size)), two_stage(y, z, z, who, scale)
    f = (first.value / first.se) ** 2
    balance, balance_p = _balance(raw, controls, covariates, who, int(cell.max()) + 1)
    warnings = _warnings(f, first.value, balance_p, assessors)
    return Leniency(
        two_stage(y, d, z, who, scale), anderson_rubin(y, d, z, who, scale), first, f, f < WEAK_F, reduced,
        two_stage(y, d, d, who, scale), balance, balance_p, kept.height, cases.height - kept.height, assessors,
        warnings,
    )  # fmt: skip


def leave_out_leniency(care: Floats, assessor: Codes, cell: Codes) -> Floats:
    """The mean, over an assessor's other cases, of care less the mean of that case's office and period; neither mean
    counts the case itself.

    Leaving the case out of both keeps its own chance out of its instrument. Every assessor and every cell needs two
    cases or more.

    >>> care, who, cell = np.array([1.0, 1.0, 0.0, 0.0]), np.array([0, 0, 1, 1]), np.array([0, 0, 0, 0])
    >>> leave_out_leniency(care, who, cell).round(3).tolist()
    [0.667, 0.667, -0.667, -0.667]
    """
    cells = int(cell.max()) + 1
    at, pair = np.unique(assessor * cells + cell, return_inverse=True)
    cases, cases_in_cell, care_in_cell = np.bincount(assessor), np.bincount(cell), np.bincount(cell, care)
    mine_here = np.bincount(pair)
    mean = care_in_cell / cases_in_cell
    mean_without = (care_in_cell[cell] - care) / (cases_in_cell[cell] - 1)
    usual = (
        np.bincount(at // cells, mine_here * mean[at % cells])[assessor]
        - mine_here[pair] * mean[cell]
        + (mine_here[pair] - 1) * mean_without
    )
    return np.asarray((np.bincount(assessor, care)[assessor] - care - usual) / (cases[assessor] - 1), np.float64)


def _widened(who: Codes, cell: Codes) -> Floats:
    """What the residuals of an assessor in a cell are widened by: the cell's mean took n ÷ N of their variance (CR2:
    Bell and McCaffrey 2002)."""
    pair, at = np.unique(who * (int(cell.max()) + 1) + cell, return_inverse=True)
    share = np.bincount(at, minlength=pair.size)[at] / np.bincount(cell)[cell]
    return np.asarray(1.0 / np.sqrt(1.0 - share), np.float64)


def anderson_rubin(
    y: Floats, care: Floats, instrument: Floats, clusters: Codes, scale: Floats | None = None
) -> tuple[float, float]:
    """The 95 % interval: effects β at which y − β care has nothing to do with the instrument, by a t-test of the
    clusters' sums of z (y − β care).

    It holds the truth 95 times in 100 however weak the instrument (Anderson and Rubin 1949; robust by cluster: Andrews,
    Stock and Sun 2019). The test is quadratic in β, so it is solved, not searched. An end may be infinite; where all
    but a gap in the middle is left, both are.

    >>> z = np.array([-1.0, -1.0, 1.0, 1.0])
    >>> anderson_rubin(np.array([-1.0, 1.0, 1.0, -1.0]), np.array([1.0, -1.0, -1.0, 1.0]), z, np.arange(4))
    (-inf, inf)
    """
    scores = group_sums(instrument[:, None] * np.column_stack([y, care]), clusters)
    total, count = scores.sum(axis=0), scores.shape[0]
    widened = (
        scores if scale is None else group_sums((instrument * scale)[:, None] * np.column_stack([y, care]), clusters)
    )
    middle = widened - widened.mean(axis=0)
    spread = count / (count - 1) * middle.T @ middle * float(t_law.ppf(0.975, count - 1)) ** 2
    c, b, a = (float(total[i] * total[j] - spread[i, j]) for i, j in ((0, 0), (0, 1), (1, 1)))
    if a <= 0:  # care answers too little to the instrument to leave out large effects
        return -math.inf, math.inf
    root = math.sqrt(max(b * b - a * c, 0.0))
    return (b - root) / a, (b + root) / a


class _Balance(NamedTuple):
    frame: pl.DataFrame
    p: float


def _balance(leniency: Floats, covariates: Floats, names: Sequence[str], who: Codes, lost: int) -> _Balance:
    """Each covariate on leniency, and leniency on all of them at once."""
    schema = {"covariate": pl.String, "coefficient": pl.Float64, "se": pl.Float64, "p": pl.Float64}
    found = [two_stage(covariates[:, k], leniency, leniency, who) for k in range(len(names))]
    frame = pl.DataFrame(
        [(n, e.value, e.se, e.p) for n, e in zip(names, found, strict=True)], schema=schema, orient="row"
    )
    if not names:
        return _Balance(frame, math.nan)
    return _Balance(frame, by.joint_p(by.least_squares(covariates, leniency, who, lost), int(who.max()) + 1))


def _warnings(f: float, first: float, balance_p: float, assessors: int) -> tuple[str, ...]:
    """What makes the estimate doubtful, in sentences."""
    warnings = []
    if f < WEAK_F:
        warnings.append(
            f"weak: first-stage F {f:.1f} is below {WEAK_F:g}; quote the Anderson–Rubin interval, not the estimate"
        )
    if first < 0:
        warnings.append("assessors lenient in other cases gave less care here: the sign of the first stage is wrong")
    if balance_p < ALARM:
        warnings.append(
            f"assignment does not look random: covariates tell lenient assessors from strict ones (p {balance_p:.2g})"
        )
    if assessors < FEW_ASSESSORS:
        warnings.append(f"few assessors ({assessors}): intervals are likely too short")
    return tuple(warnings)


def _comparable(cases: pl.DataFrame, assessor: str, office: str, period: str) -> pl.DataFrame:
    """Without those who have nobody to be compared to; leaving some out may leave others alone, so until nobody is left
    out."""
    while True:
        alone = (pl.col(assessor).n_unique().over(office, period) < 2) | (pl.len().over(assessor) < 2)
        kept = cases.filter(~alone)
        if kept.height == cases.height:
            return kept
        cases = kept
