"""A calibration from its file to its fit: design, emulators, waves, chain, real runs, discrepancy widened where years
held out ask for it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
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
from simcare.files.fit import PRIOR_DRIVEN, CalibrationFit, Parameter, Range, standing
from simcare.runs.workers import Progress
from simcare.units import three_figures

WANTED = 0.8  # of the values held out should lie inside the 90 % intervals; where fewer do, the discrepancy is widened
ROUNDS = 3  # of widening
COUNTED_DRAWS = 4000
COUNTED_FIRST = 9 * FIRST  # replications of counted rates are numbered from here, beyond those of every widening
KEPT = 400  # draws in a fit, of which the first are run for real; replications beyond take the first again

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
    """A calibration carried out. ``first`` is the prediction before discrepancies were widened."""

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
        """Which of the data were held out."""
        return are_among(self.loaded.data, self.loaded.held_out)

    @property
    def fitted(self) -> Values:
        """Which of the data were fitted."""
        return are_among(self.loaded.data, self.loaded.fitted)


def are_among(data: Sequence[Datum], some: Sequence[Datum]) -> Values:
    """Which of the data are among some."""
    keys = {(d.key, d.run) for d in some}
    return np.array([(d.key, d.run) in keys for d in data])


def silently(_: str) -> AbstractContextManager[Progress]:
    """No progress is shown."""
    return nullcontext(lambda done, total: None)


def calibrate(loaded: Loaded, parts: Path, workers: int | None = None, working: Working = silently) -> Calibrated:
    """Carry a calibration out. Runs are kept in the folder ``parts`` as they are done, so that a second call after a
    stop takes them up.

    ``working`` gives a progress bar for a piece of work. Raises BadInput where no point of the prior meets the targets,
    with those in conflict.
    """
    method, free = loaded.calibration.method, loaded.calibration.free
    found = fit_posterior(loaded, parts, workers, working)
    judged, chain, widened = judge(loaded.fitted), found.chain, 1.0
    held = are_among(loaded.data, loaded.held_out)
    tried: list[Predictive] = []
    for k in range(ROUNDS):
        draws = thinned(chain, max(KEPT, method.draws), method.seed + k)
        with working("Runs from the posterior" + (", discrepancy widened" if k else "")) as progress:
            simulated = run_for_real(loaded, draws[: method.draws], parts, workers, progress, FIRST * (k + 1))
        tried.append(predictive(loaded.data, simulated, method.seed, widened))
        if not held.any() or tried[-1].inside(90)[held].mean() >= WANTED:
            break
        widened = enough(loaded.data, simulated, held, 90, WANTED, method.seed, widened + 0.05)
        tried.append(predictive(loaded.data, simulated, method.seed, widened))
        if k == ROUNDS - 1:
            break
        judged = judge(loaded.fitted, widened)
        with working("The chain again, discrepancy widened") as progress:
            chain = walk(free, judged, found.emulators, found.start, method.seed + k + 1, progress)
    posterior = Posterior(found.ensemble, found.emulators, found.waves, found.start, chain)
    known = identify(free, judged, found.emulators, chain, method.seed)
    return Calibrated(
        loaded, posterior, known, draws, tried[-1], yardsticks(loaded, loaded.data, method.seed), tried[0], widened
    )


def fit_posterior(loaded: Loaded, parts: Path, workers: int | None = None, working: Working = silently) -> Posterior:
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
        f" some target is at least {three_figures(left.least)} standard deviations off ({cutoff:g} are allowed)"
    ]
    for one in found:
        side = "below" if one.off < 0 else "above"
        lines.append(
            f"{here}: targets ({one.name}): in conflict with the others: {one.published:,.5g} at {one.date} is"
            f" {three_figures(abs(one.off))} standard deviations {side} what the model comes to where the targets"
            f" are met best, about {three_figures(one.emulated)}"
        )
    return lines


# ---- the fit
def fit_of(found: Calibrated) -> CalibrationFit:
    """The fit to be kept: draws of every parameter, free and counted, what is known of each, and what it rests on."""
    loaded, calibration = found.loaded, found.loaded.calibration
    values, rates = to_values(calibration.free, found.draws), _counted(found)
    draws = {row.name: tuple(values[:, k].tolist()) for k, row in enumerate(calibration.free)}
    return CalibrationFit(
        simcare=__version__,
        name=calibration.name,
        title=calibration.title,
        model=loaded.model.about.name,
        made=dt.datetime.now(dt.UTC).date(),
        seed=calibration.method.seed,
        known_to=calibration.known_to,
        inputs=loaded.inputs,
        parameters=_parameters(found, rates),
        draws=draws | {name: tuple(rate[: len(values)]) for name, rate in rates.items()},
        coverage=_coverage(found),
        widened=found.widened,
    )


def _counted(found: Calibrated) -> dict[str, list[float]]:
    """Draws of each counted rate, one for each draw of a fit and enough for quantiles."""
    calibration = found.loaded.calibration
    if not calibration.observed:
        return {}
    count = max(COUNTED_DRAWS, len(found.draws))
    each = [counted_rates(calibration, calibration.method.seed, COUNTED_FIRST + k) for k in range(count)]
    return {row.name: [rates[row.name] for rates in each] for row in calibration.observed}


def _parameters(found: Calibrated, rates: Mapping[str, Sequence[float]]) -> tuple[Parameter, ...]:
    """Every parameter with what it moves and its range before and after the data; of a counted rate they are one."""
    calibration, known = found.loaded.calibration, found.identified
    ranges = [
        (_range(a), _range(b), float(width))
        for a, b, width in zip(known.prior, known.posterior, known.widths, strict=True)
    ]
    # A posterior that is nearly the prior is at its bounds because that is.
    piled = {
        row.name: {"at_bound": end if width < PRIOR_DRIVEN else None, "bounds": row.bounds}
        for row, end, width in zip(calibration.free, known.at_bound, known.widths, strict=True)
    }
    for row in calibration.observed:
        spread = _range(np.quantile(rates[row.name], [0.05, 0.5, 0.95]))
        ranges.append((spread, spread, 1.0))
    return tuple(
        Parameter(
            name=row.name,
            title=row.title,
            multiply=row.multiply,
            paths=row.paths,
            base_sha256=standing(found.loaded.model, row),
            prior=before,
            posterior=after,
            width=round(width, 4),
            observed=row in calibration.observed,
            **piled.get(row.name, {}),
        )
        for row, (before, after, width) in zip(calibration.moving, ranges, strict=True)
    )


def _coverage(found: Calibrated) -> dict[str, float]:
    """The share of values inside the 90 % intervals: fitted, held out, and held out before discrepancies were
    widened."""
    inside = found.predictive.inside(90)
    shares = {"fitted_90": inside[found.fitted]}
    if found.held_out.any():
        shares["held_out_90"] = inside[found.held_out]
        shares["held_out_90_before_widening"] = found.first.inside(90)[found.held_out]
    return {name: round(float(np.mean(share)), 4) for name, share in shares.items()}


def _range(quantiles: Values) -> Range:
    low, median, high = (float(q) for q in quantiles)
    return Range(low=low, median=median, high=high)


__all__ = ["Calibrated", "Posterior", "are_among", "calibrate", "fit_of", "fit_posterior", "silently"]
