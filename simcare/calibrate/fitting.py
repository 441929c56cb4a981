"""A calibration from its file to its fit: design, emulators, waves, chain, real runs, discrepancy widened where years
held back ask for it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from simcare import __version__
from simcare.calibrate.chain import PosteriorChain, thinned, walk
from simcare.calibrate.emulator import Emulators, emulate
from simcare.calibrate.history import Conflict, Wave, conflicts, not_ruled_out
from simcare.calibrate.identify import Identified, identify
from simcare.calibrate.likelihood import judge
from simcare.calibrate.observe import Values, counted_rates
from simcare.calibrate.predictive import FIRST, Predictive, Yardsticks, enough, predictive, run_for_real, yardsticks
from simcare.calibrate.priors import design, to_values
from simcare.calibrate.reading import Datum, Loaded
from simcare.calibrate.simulating import Ensemble, ensemble, joined
from simcare.errors import BadInput
from simcare.files.fit import CalibrationFit, Parameter, Range, standing
from simcare.runs.workers import Progress

WANTED = 0.8  # of the values held back should lie inside the 90 % intervals; where fewer do, the discrepancy is widened
ROUNDS = 3  # of widening
COUNTED_DRAWS = 4000
KEPT = 400  # draws in a fit, of which the first are run for real; replications beyond begin anew

Working = Callable[[str], AbstractContextManager[Progress]]


@dataclass(frozen=True)
class Posterior:
    """What the targets left: emulators after the last wave, what each wave left, and the chain."""

    ensemble: Ensemble = field(repr=False)
    emulators: Emulators = field(repr=False)
    waves: tuple[Wave, ...]
    start: Values = field(repr=False)
    chain: PosteriorChain = field(repr=False)


@dataclass(frozen=True)
class Calibrated:
    """A calibration carried out. ``first`` is the share of values held back that lay inside the 90 % intervals before
    discrepancies were widened."""

    loaded: Loaded
    posterior: Posterior
    identified: Identified
    draws: Values = field(repr=False)
    predictive: Predictive = field(repr=False)
    yardsticks: Yardsticks = field(repr=False)
    first: Predictive = field(repr=False)
    widened: float = 1.0

    @property
    def held_out(self) -> Values:
        """Which of the data were held back."""
        return mask(self.loaded.data, self.loaded.held_out)

    @property
    def fitted(self) -> Values:
        """Which of the data were fitted."""
        return mask(self.loaded.data, self.loaded.fitted)


def mask(data: Sequence[Datum], some: Sequence[Datum]) -> Values:
    """Which of the data are among some."""
    keys = {(d.key, d.run) for d in some}
    return np.array([(d.key, d.run) in keys for d in data])


def no_word(_: str) -> AbstractContextManager[Progress]:
    """Progress that is told to nobody."""
    return nullcontext(lambda done, total: None)


def calibrate(loaded: Loaded, parts: Path, workers: int | None = None, working: Working = no_word) -> Calibrated:
    """Carry a calibration out. Runs are kept in the folder ``parts`` as they are done, so that a second call after a
    stop takes them up.

    ``working`` gives a progress bar for a piece of work. Raises BadInput where no point of the prior meets the targets,
    with those in conflict.
    """
    method, free = loaded.calibration.method, loaded.calibration.free
    found = fit_posterior(loaded, parts, workers, working)
    judged, chain, widened = judge(loaded.fitted), found.chain, 1.0
    held = mask(loaded.data, loaded.held_out)
    told: list[Predictive] = []
    for k in range(ROUNDS):
        draws = thinned(chain, max(KEPT, method.draws), method.seed + k)
        with working("Runs from the posterior" + (", discrepancy widened" if k else "")) as progress:
            simulated = run_for_real(loaded, draws[: method.draws], parts, workers, progress, FIRST * (k + 1))
        told.append(predictive(loaded.data, simulated, method.seed, widened))
        if not held.any() or told[-1].inside(90)[held].mean() >= WANTED:
            break
        widened = enough(loaded.data, simulated, held, 90, WANTED, method.seed, widened + 0.05)
        told.append(predictive(loaded.data, simulated, method.seed, widened))
        if k == ROUNDS - 1:
            break
        judged = judge(loaded.fitted, widened)
        with working("The chain again, discrepancy widened") as progress:
            chain = walk(free, judged, found.emulators, found.start, method.seed + k + 1, progress)
    posterior = Posterior(found.ensemble, found.emulators, found.waves, found.start, chain)
    known = identify(free, judged, found.emulators, chain, method.seed)
    return Calibrated(
        loaded, posterior, known, draws, told[-1], yardsticks(loaded, loaded.data, method.seed), told[0], widened
    )


def fit_posterior(loaded: Loaded, parts: Path, workers: int | None = None, working: Working = no_word) -> Posterior:
    """The design, the waves, and a chain on the emulators that they leave. Raises BadInput where the targets
    conflict."""
    method, free = loaded.calibration.method, loaded.calibration.free
    judged = judge(loaded.fitted)
    points = design(free, method.design, method.seed)
    ensembles: list[Ensemble] = []
    waves: list[Wave] = []
    count = 0
    for wave in range(method.waves + 1):
        with working("Runs of the design" if wave == 0 else f"Runs of wave {wave}") as progress:
            ensembles.append(ensemble(loaded, loaded.fitted, points, count, parts, workers, progress))
        count += len(points)
        with working("Emulators") as progress:
            emulators = emulate(joined(ensembles), workers, progress)
        points, left = not_ruled_out(
            free, judged, emulators, method.cutoff, max(method.points, 2 * len(free)), method.seed + wave + 1
        )
        waves.append(left)
        if not len(points):
            raise BadInput(
                _in_conflict(
                    loaded, conflicts(free, judged, emulators, method.cutoff, method.seed), left, method.cutoff
                )
            )
    with working("The chain on the emulators") as progress:
        chain = walk(free, judged, emulators, points, method.seed, progress)
    return Posterior(joined(ensembles), emulators, tuple(waves), points, chain)


def _in_conflict(loaded: Loaded, found: Sequence[Conflict], left: Wave, cutoff: float) -> list[str]:
    """What to say where nothing is left: which targets conflict, and by how much."""
    here = loaded.path
    lines = [
        f"{here}: targets: no values of the free parameters within their bounds meet all targets: wherever one looks,"
        f" some target is at least {left.least:.1f} standard deviations off ({cutoff:g} are allowed)"
    ]
    for one in found:
        side = "below" if one.off < 0 else "above"
        lines.append(
            f"{here}: targets ({one.name}): in conflict with the others: {one.published:,.5g} at {one.date} is"
            f" {abs(one.off):.1f} standard deviations {side} what the model comes to where the targets are met best,"
            f" about {one.emulated:,.4g}"
        )
    return lines


# ---- the fit
def fit_of(found: Calibrated) -> CalibrationFit:
    """The fit to be kept: draws of every parameter, free and counted, what is known of each, and what it rests on."""
    loaded = found.loaded
    calibration, seed = loaded.calibration, loaded.calibration.method.seed
    values = to_values(calibration.free, found.draws)
    draws = {row.name: tuple(values[:, k].tolist()) for k, row in enumerate(calibration.free)}
    rates = [
        counted_rates(calibration, seed, FIRST * 9 + k) for k in range(COUNTED_DRAWS if calibration.observed else 0)
    ]
    for counted in calibration.observed:
        draws[counted.name] = tuple(rates[k][counted.name] for k in range(len(values)))
    ranges = [
        (_range(a), _range(b), float(w))
        for a, b, w in zip(found.identified.prior, found.identified.posterior, found.identified.widths, strict=True)
    ]
    for counted in calibration.observed:
        spread = _range(np.quantile([rate[counted.name] for rate in rates], [0.05, 0.5, 0.95]))
        ranges.append((spread, spread, 1.0))
    parameters = [
        Parameter(
            name=row.name,
            title=row.title,
            multiply=row.multiply,
            paths=row.paths,
            base_sha256=standing(loaded.model, row),
            prior=before,
            posterior=after,
            width=round(width, 4),
            observed=row in calibration.observed,
        )
        for row, (before, after, width) in zip(calibration.moving, ranges, strict=True)
    ]
    inside = found.predictive.inside(90)
    shares = {"fitted_90": inside[found.fitted]} | (
        {"held_out_90": inside[found.held_out]} if found.held_out.any() else {}
    )
    before = {"held_out_90_before_widening": found.first.inside(90)[found.held_out]} if found.held_out.any() else {}
    return CalibrationFit(
        simcare=__version__,
        name=calibration.name,
        title=calibration.title,
        model=loaded.model.about.name,
        made=dt.datetime.now(dt.UTC).date(),
        seed=seed,
        known_to=calibration.known_to,
        inputs=loaded.inputs,
        parameters=tuple(parameters),
        draws=draws,
        coverage={name: round(float(np.mean(share)), 4) for name, share in (shares | before).items()},
        widened=found.widened,
    )


def _range(quantiles: Values) -> Range:
    low, median, high = (float(q) for q in quantiles)
    return Range(low=low, median=median, high=high)


__all__ = ["Calibrated", "Posterior", "calibrate", "fit_of", "fit_posterior", "mask", "no_word"]
