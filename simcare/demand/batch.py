"""Many series at once: each area forecast by itself, pooled with the others, in parallel, and able to go on where it
stopped."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from joblib import Parallel, delayed

from simcare import __version__
from simcare.demand import driver as drivers
from simcare.demand.backtest import Progress
from simcare.demand.forecast import forecast
from simcare.demand.pooling import typical_of
from simcare.demand.regressors import Terms
from simcare.demand.series import MonthlyCounts


def forecast_all(
    every: Mapping[str, MonthlyCounts],
    horizon: int,
    parts: Path,
    *,
    terms: Terms | None = None,
    seed: int = 1,
    workers: int | None = None,
    progress: Progress | None = None,
) -> dict[str, dict[str, Any]]:
    """The summary (:meth:`simcare.demand.forecast.Forecast.json`) of every series by its name.

    Each is written to the folder ``parts`` as it is done, under a name that tells series, horizon, terms, seed and
    version: a second call after a stop takes up those that are there. The caller removes the folder once the results
    are kept (:func:`clear`).
    """
    typical = typical_of(every, terms)
    parts.mkdir(parents=True, exist_ok=True)
    files = {name: parts / f"{_digest(series, horizon, terms, typical, seed)}.json" for name, series in every.items()}
    todo = [name for name, file in files.items() if not file.is_file()]
    done = len(every) - len(todo)
    if progress is not None:
        progress(done, len(every))
    workers = min(max(len(todo), 1), workers or os.cpu_count() or 1)
    jobs = (delayed(_one)(every[name], horizon, terms, typical, seed, files[name]) for name in todo)
    for _ in Parallel(n_jobs=workers, return_as="generator_unordered")(jobs):
        done += 1
        if progress is not None:
            progress(done, len(every))
    return {name: json.loads(file.read_text(encoding="utf-8")) for name, file in files.items()}


def _one(
    series: MonthlyCounts, horizon: int, terms: Terms | None, typical: drivers.Typical, seed: int, file: Path
) -> None:
    found = forecast(series, horizon, terms=terms, typical=typical, seed=seed, workers=1).json()
    unfinished = file.with_suffix(f".{os.getpid()}.unfinished")
    unfinished.write_text(json.dumps(found), encoding="utf-8")
    unfinished.replace(file)


def _digest(series: MonthlyCounts, horizon: int, terms: Terms | None, typical: drivers.Typical, seed: int) -> str:
    arrays = [series.counts, *([] if series.exposure is None else [series.exposure]), *series.covariates.values()]
    arrays += [bounds for bounds in (series.low, series.high) if bounds is not None]
    told = repr((__version__, series.name, series.first, sorted(series.covariates), horizon, terms, typical, seed))
    return hashlib.sha256(told.encode() + b"".join(a.tobytes() for a in arrays)).hexdigest()[:32]


def clear(parts: Path) -> None:
    """Remove the folder of parts."""
    shutil.rmtree(parts, ignore_errors=True)


__all__ = ["clear", "forecast_all"]
