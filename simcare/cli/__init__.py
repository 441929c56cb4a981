"""The command line: ``simcare VERB``. Only here is anything printed, and only here are arguments read."""

from __future__ import annotations

import sys

# Each adds its verbs to the app, in the order in which --help shows them.
from simcare.cli import checking, simulating, calibrating, tariff, forecasting, explaining  # isort: skip
from simcare.cli.common import app, err_console
from simcare.errors import SimcareError

__all__ = ["app", "calibrating", "checking", "explaining", "forecasting", "main", "simulating", "tariff"]


def main() -> None:
    """The ``simcare`` command: 0 done, 1 the run failed, 2 bad input; never a traceback for a user's mistake."""
    try:
        app()
    except SimcareError as error:
        for line in (*str(error).splitlines(), *getattr(error, "__notes__", ())):
            err_console.print(line, markup=False, highlight=False, soft_wrap=True)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        err_console.print("Stopped; nothing was written.")
        sys.exit(1)
    except OSError as error:
        err_console.print(
            f"{error.filename or 'files'}: {error.strerror or error}", markup=False, highlight=False, soft_wrap=True
        )
        sys.exit(1)
