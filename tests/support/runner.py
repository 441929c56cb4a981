"""Runs files one after the other in a process of its own, so that one that hangs can be ended: ``python -m
tests.support.runner``. A path a line on standard input, what came of it a line on standard output."""

from __future__ import annotations

import sys
import traceback
import warnings
from pathlib import Path

from simcare.decide.comparison import compare
from simcare.errors import BadInput
from simcare.files.file_kinds import kind_of
from simcare.files.load import load_model, read_experiment
from simcare.files.toml_faults import read_toml
from simcare.runs.run import run

INVALID, RAN, REFUSED = "invalid", "ran", "refused"


def outcome(path: Path) -> str:
    """What came of a file: invalid, ran, refused with its sentence, or the last line of a traceback."""
    try:
        kind = kind_of(read_toml(path))
        loaded = read_experiment(path) if kind == "experiment" else load_model(path)
    except BadInput:
        return INVALID
    try:
        if kind == "experiment":
            compare(loaded, 2, years=2, workers=1)
        else:
            run(path, 1, 1, engine="compiled", workers=1)
    except BadInput as error:
        return f"{REFUSED}: {' | '.join(error.faults)}"
    except Exception as error:
        where = traceback.extract_tb(error.__traceback__)[-1]
        return f"{type(error).__name__}: {error} ({Path(where.filename).name}:{where.lineno})".replace("\n", " | ")
    return RAN


def main() -> None:
    """Answer for each file that is named."""
    warnings.simplefilter("error")
    for line in sys.stdin:
        print(outcome(Path(line.rstrip("\n"))), flush=True)


if __name__ == "__main__":
    main()
