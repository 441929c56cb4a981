"""How far a model may be from what was published before it is wrong: error of what is published, discrepancy of any
such model, chance."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from simcare.calibrate.emulator import Emulators
from simcare.calibrate.observe import Values, published
from simcare.calibrate.reading import Datum


class Judge(NamedTuple):
    """The published values of some data on the scale of the outputs, and the covariances of their error and of the
    discrepancy."""

    data: tuple[Datum, ...]
    published: Values
    error: Values
    discrepancy: Values

    @property
    def slack(self) -> Values:
        """Error and discrepancy together."""
        return self.error + self.discrepancy


def judge(data: Sequence[Datum], widened: float = 1.0) -> Judge:
    """The judge of some data. ``widened`` multiplies every discrepancy.

    Errors of a target's dates are independent; a level year's error is shared by all that is held against it. The
    discrepancy is a random walk from the day that a run begins (or from the level year): what a year adds stays, so its
    variance grows with the years ahead and two dates of a target share what they have in common. Of shares both are in
    the unit of the share, of all else relative.
    """
    n = len(data)
    error, discrepancy = np.zeros((n, n)), np.zeros((n, n))
    for i, a in enumerate(data):
        unit = a.target.scale if a.target.is_share else 1.0
        for j, b in enumerate(data):
            if a.target.name != b.target.name or a.run != b.run:
                continue
            based = a.base is not None
            error[i, j] = (float(i == j) + float(based)) * (a.target.error.value * unit) ** 2
            common = min(a.lead, b.lead) - a.base_lead
            discrepancy[i, j] = (a.target.discrepancy.value * unit * widened) ** 2 * common
    return Judge(tuple(data), published(data), error, discrepancy)


def off(judge: Judge, emulators: Emulators, steps: Values) -> Values:
    """How many standard deviations the published values are from what is emulated at points (points, outputs), with
    sign: published less emulated."""
    mean, variance = emulators.predict(steps)
    slack = np.diag(judge.slack) + np.diag(emulators.noise)
    return np.asarray((judge.published - mean) / np.sqrt(variance + slack))


def log_likelihood(judge: Judge, emulators: Emulators, steps: Values) -> Values:
    """The Gaussian log-likelihood of the published values at points (points,): error, discrepancy, chance of one
    history, emulator's uncertainty."""
    mean, variance = emulators.predict(steps)
    cover = np.broadcast_to(judge.slack + emulators.noise, (len(steps), *judge.slack.shape)).copy()
    every = np.arange(cover.shape[1])
    cover[:, every, every] += variance
    lower = np.linalg.cholesky(cover)
    apart = np.linalg.solve(lower, (judge.published - mean)[:, :, None])[:, :, 0]
    return np.asarray(-0.5 * (apart**2).sum(axis=1) - np.log(lower[:, every, every]).sum(axis=1))


__all__ = ["Judge", "judge", "log_likelihood", "off"]
