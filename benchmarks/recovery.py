"""Does a calibration find parameters that are known? Synthetic targets, and Nelder-Mead with common draws on the same
budget beside it.

    python benchmarks/recovery.py [SETS] [CALIBRATION]

For each of SETS (12 unless said) data sets, values of the free parameters are drawn from their priors, the model is run
at them once, and the published values are replaced by what it says, moved by the discrepancy and the error that the
calibration states. Then the calibration is carried out on them: a design that all sets share, one wave of runs of each,
emulators, a chain. Nelder-Mead (scipy) minimises minus the log posterior of the mean of runs with the same draws at
every point, for as many points as the calibration ran.

Printed: the share of true values inside the 90 % intervals, by parameter and over all; the mean distance from the truth
of the posterior median and of Nelder-Mead's best point, in prior standard deviations, beside that of the prior's
median, over all and over the parameters that the targets speak of. Runs are kept in the folder runs/recovery, so that a
second call goes on where the first stopped.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import polars as pl
from scipy.optimize import minimize

from simcare.calibrate.chain import walk
from simcare.calibrate.emulator import emulate
from simcare.calibrate.history import not_ruled_out
from simcare.calibrate.likelihood import judge
from simcare.calibrate.observe import Values, outputs
from simcare.calibrate.priors import design, log_density, sample, to_values
from simcare.calibrate.reading import Loaded, load_calibration
from simcare.calibrate.simulating import Ensemble, Job, ensemble, joined, run_jobs
from simcare.files.fit import PRIOR_DRIVEN
from simcare.runs.workers import carry_out, worker_count

DESIGN, WAVE = 100, 60
TRUTHS, WAVES, COMMON = 2_000_000, 10_000, 3_000_000  # where the replications of each are numbered from
PARTS = Path("runs/recovery")


def synthetic(loaded: Loaded, truth: Values, number: int) -> Loaded:
    """The calibration with what one run at the true values says in place of what was published."""
    point = tuple(to_values(loaded.calibration.free, truth[None, :])[0].tolist())
    runs = dict.fromkeys(datum.run for datum in loaded.fitted)
    found: dict[object, float] = {}
    for run in runs:
        found |= run_jobs(loaded, [Job(run, point, (TRUTHS + number,))], PARTS, 1)[0][0]
    judged = judge(loaded.fitted)
    rng = np.random.default_rng([number, 5])
    came = outputs(loaded.fitted, found) + np.linalg.cholesky(
        judged.slack + 1e-12 * np.eye(len(judged.data))
    ) @ rng.standard_normal(len(judged.data))
    values = [
        v if d.target.is_share else float(np.exp(v)) * (d.base or 1.0)
        for d, v in zip(loaded.fitted, came.tolist(), strict=True)
    ]
    return replace(loaded, data=tuple(d._replace(value=v) for d, v in zip(loaded.fitted, values, strict=True)))


def calibrated(loaded: Loaded, shared: Ensemble, number: int) -> tuple[Values, Values]:
    """The 5th, 50th and 95th percentile of each parameter, in steps (3, parameters), and posterior over prior width."""
    free = loaded.calibration.free
    judged = judge(loaded.fitted)
    points, _ = not_ruled_out(free, judged, emulate(shared, 1), loaded.calibration.method.cutoff, WAVE, number)
    parts = [shared]
    if len(points):
        parts.append(ensemble(loaded, loaded.fitted, points, WAVES + number * WAVE, PARTS, 1, None))
    emulators = emulate(joined(parts), 1)
    chain = walk(free, judged, emulators, points if len(points) else shared.steps, number)
    return np.quantile(chain.steps, [0.05, 0.5, 0.95], axis=0), chain.steps.std(axis=0)


def nelder_mead(loaded: Loaded, noise: Values, number: int) -> Values:
    """The best point, in steps, that Nelder-Mead finds with common draws, from the prior's median."""
    free, method = loaded.calibration.free, loaded.calibration.method
    judged = judge(loaded.fitted)
    cover = np.linalg.inv(judged.slack + noise * (1 + 1 / method.replications))
    runs = list(dict.fromkeys(datum.run for datum in loaded.fitted))
    common = tuple(range(COMMON + number * method.replications, COMMON + (number + 1) * method.replications))

    def objective(steps: Values) -> float:
        prior = log_density(free, steps[None, :])[0]
        if not np.isfinite(prior):
            return 1e6 + float((steps**2).sum())
        point = tuple(to_values(free, steps[None, :])[0].tolist())
        found = [run_jobs(loaded, [Job(run, point, common)], PARTS, 1)[0] for run in runs]
        mean = np.mean(
            [outputs(loaded.fitted, {k: v for part in found for k, v in part[r].items()}) for r in range(len(common))],
            axis=0,
        )
        apart = judged.published - mean
        return float(0.5 * apart @ cover @ apart - prior)

    start = np.zeros(len(free))
    simplex = np.vstack([start, start + np.eye(len(free))])
    return np.asarray(
        minimize(
            objective, start, method="Nelder-Mead", options={"maxfev": DESIGN + WAVE, "initial_simplex": simplex}
        ).x
    )


def one(loaded: Loaded, shared: Ensemble, truths: Values, number: int) -> dict[str, Values]:
    truth = truths[number]
    made = synthetic(loaded, truth, number)
    quantiles, width = calibrated(made, shared, number)
    found = {"truth": truth, "low": quantiles[0], "median": quantiles[1], "high": quantiles[2], "width": width}
    return found | {"nelder_mead": nelder_mead(made, shared.noise, number)}


def told(done: int, total: int) -> None:
    if done == total:
        print(f"{total} points of the shared design are run", flush=True)


def report(found: list[dict[str, Values]], names: list[str], file: Path) -> None:
    """Coverage and distance from the truth, by parameter and over all, written to a file."""
    lines: list[str] = []
    say = lines.append
    get = {key: np.array([one[key] for one in found]) for key in found[0]}
    inside = (get["truth"] >= get["low"]) & (get["truth"] <= get["high"])
    ours, theirs = np.abs(get["median"] - get["truth"]), np.abs(get["nelder_mead"] - get["truth"])
    columns = {
        "inside 90 %": inside.mean(axis=0),
        "width": get["width"].mean(axis=0),
        "prior's median": np.abs(get["truth"]).mean(axis=0),
        "calibration": ours.mean(axis=0),
        "Nelder-Mead": theirs.mean(axis=0),
    }
    with pl.Config(
        tbl_rows=40,
        tbl_hide_dataframe_shape=True,
        tbl_hide_column_data_types=True,
        fmt_str_lengths=60,
        tbl_formatting="MARKDOWN",
        float_precision=2,
    ):
        say(str(pl.DataFrame({"parameter": names} | columns)))
    spoken = get["width"].mean(axis=0) < PRIOR_DRIVEN
    say(
        f"\n{len(found)} data sets, {len(names)} parameters: {100 * inside.mean():.1f}% of true values in the 90 %"
        f" intervals ({inside.size})"
    )
    for title, of in (
        ("all parameters", np.ones_like(spoken)),
        (f"the {spoken.sum()} that the targets speak of", spoken),
    ):
        a, b = ours[:, of], theirs[:, of]
        before = np.abs(get["truth"][:, of]).mean()
        se = float((b - a).mean(axis=1).std(ddof=1) / np.sqrt(len(found)))
        say(
            f"mean distance from the truth, {title}: prior's median {before:.2f}, calibration {a.mean():.2f},"
            f" Nelder-Mead {b.mean():.2f}, ratio {a.mean() / b.mean():.2f} (difference {b.mean() - a.mean():.2f},"
            f" standard error {se:.2f})"
        )
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")


def recovered(loaded: Loaded, sets: int, workers: int) -> str:
    """The report on so many made-up data sets; it is written after every one, so that a stop loses no figures."""
    loaded = replace(loaded, data=loaded.fitted)
    free = loaded.calibration.free
    shared = ensemble(loaded, loaded.fitted, design(free, DESIGN, 99), 0, PARTS, workers, told)
    truths = sample(free, sets, 2013)
    found, file = [], PARTS.with_suffix(".txt")
    for result in carry_out(partial(one, loaded, shared, truths), range(sets), workers):
        found.append(result)
        print(f"{len(found)} of {sets} data sets done", flush=True)
        if len(found) > 1:
            report(found, [row.name for row in free], file)
    return file.read_text(encoding="utf-8")


def main() -> None:
    sets = max(int(sys.argv[1]), 2) if len(sys.argv) > 1 else 12
    loaded = load_calibration(sys.argv[2] if len(sys.argv) > 2 else "kent-2013")
    print(recovered(loaded, sets, worker_count(None)))


if __name__ == "__main__":
    main()
