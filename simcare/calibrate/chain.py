"""The chain: draws from the posterior on the emulators, by an ensemble of walkers (emcee; Goodman and Weare 2010)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple

import emcee
import numpy as np
from threadpoolctl import threadpool_limits

from simcare.calibrate.emulator import Emulators
from simcare.calibrate.likelihood import Judge, log_likelihood
from simcare.calibrate.observe import Values
from simcare.calibrate.priors import log_density
from simcare.model.calibration import Free
from simcare.rules.streams import THINNING, stream
from simcare.runs.workers import Progress

WALKERS = 6  # for each parameter
BLOCK = 100
MOST = 1500  # sweeps
NUDGE = 1e-3  # steps, between walkers that begin at the same point
ENOUGH = 40  # autocorrelation times, after which the chain is long enough


class PosteriorChain(NamedTuple):
    """Draws from the posterior: ``steps`` (draws, parameters), their log posterior density, how independent they are,
    and moves taken."""

    steps: Values
    log_density: Values
    effective: float
    accepted: float


def walk(
    free: Sequence[Free], judge: Judge, emulators: Emulators, start: Values, seed: int, progress: Progress | None = None
) -> PosteriorChain:
    """Draws from the posterior. ``start`` (points, parameters) are places to begin from; the first third of the chain
    is left out.

    The chain goes on in blocks until it is :data:`ENOUGH` autocorrelation times long, or for :data:`MOST` sweeps.
    """
    dimensions = len(free)
    walkers = max(WALKERS * dimensions, 2 * dimensions + 2)
    walkers += walkers % 2
    sampler = emcee.EnsembleSampler(
        walkers,
        dimensions,
        partial(_log_posterior, free, judge, emulators),
        vectorize=True,
        moves=[(emcee.moves.DEMove(), 0.8), (emcee.moves.StretchMove(), 0.2)],
    )
    sampler.random_state = np.random.RandomState(seed % 2**32).get_state()
    lag = _carried_on(sampler, _first_places(free, start, walkers, stream(seed)), progress)
    kept = sampler.iteration * 2 // 3
    return PosteriorChain(
        sampler.get_chain()[-kept:].reshape(-1, dimensions),
        sampler.get_log_prob()[-kept:].ravel(),
        kept * walkers / max(lag, 1.0),
        float(sampler.acceptance_fraction.mean()),
    )


def _log_posterior(free: Sequence[Free], judge: Judge, emulators: Emulators, steps: Values) -> Values:
    """The log density of the posterior at points; minus infinity outside the bounds, where no emulator is asked."""
    prior = log_density(free, steps)
    inside = np.isfinite(prior)
    out = np.full(len(steps), -np.inf)
    if inside.any():
        out[inside] = prior[inside] + log_likelihood(judge, emulators, steps[inside])
    return out


def _first_places(free: Sequence[Free], start: Values, walkers: int, rng: np.random.Generator) -> Values:
    """Where the walkers begin: near some of the points of ``start``, within the bounds."""
    begin = start[rng.choice(len(start), walkers, replace=len(start) < walkers)]
    begin = begin + NUDGE * rng.standard_normal(begin.shape)
    outside = ~np.isfinite(log_density(free, begin))
    begin[outside] = start[rng.choice(len(start), int(outside.sum()))]
    return np.asarray(begin)


def _carried_on(sampler: Any, begin: Values, progress: Progress | None) -> float:
    """Walk block by block until the chain is long enough; returns its autocorrelation time in sweeps."""
    state: object = begin
    lag = np.inf
    with threadpool_limits(1):
        for done in range(BLOCK, MOST + 1, BLOCK):
            state = sampler.run_mcmc(state, BLOCK)
            lag = float(np.max(sampler.get_autocorr_time(tol=0)))
            if progress is not None:
                progress(done, MOST)
            if np.isfinite(lag) and done >= ENOUGH * lag:
                break
    return lag


def thinned(chain: PosteriorChain, count: int, seed: int) -> Values:
    """So many draws of the chain, taken at random (draws, parameters)."""
    rng = stream(seed, THINNING)
    return np.asarray(chain.steps[rng.choice(len(chain.steps), count, replace=len(chain.steps) < count)])


__all__ = ["PosteriorChain", "thinned", "walk"]
