"""The command line: ``simcare VERB``. Only here is anything printed, and only here are arguments read."""

from __future__ import annotations

import os
import signal
import sys
import warnings
from typing import Any, cast

import typer
from typer import rich_utils

# Each adds its verbs to the app, in the order in which --help shows them.
from simcare.cli import checking, listing, simulating, calibrating, tariff, forecasting, explaining  # isort: skip
from simcare.cli.common import app, err_console
from simcare.cli.usage import usage_sentence
from simcare.errors import SimcareError

__all__ = ["app", "calibrating", "checking", "explaining", "forecasting", "listing", "main", "simulating", "tariff"]

STOPPED = 130  # what the library of options makes of Ctrl-C


def main() -> None:
    """The ``simcare`` command: 0 done, 1 the run failed, 2 bad input; never a traceback for a user's mistake."""
    _keep_libraries_quiet()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # a polite end is a stop: nothing half-written stays
    try:
        done = app(standalone_mode=False) or 0
        if done == STOPPED:
            raise KeyboardInterrupt
        sys.exit(done)
    except typer.TyperException as error:
        sys.exit(_refused(error))
    except SimcareError as error:
        for line in (*str(error).splitlines(), *getattr(error, "__notes__", ())):
            err_console.print(line, markup=False, highlight=False, soft_wrap=True)
        sys.exit(error.exit_code)
    except (KeyboardInterrupt, typer.Abort):
        err_console.print("Stopped; nothing was written.")
        sys.exit(1)
    except OSError as error:
        err_console.print(
            f"{error.filename or 'files'}: {error.strerror or error}", markup=False, highlight=False, soft_wrap=True
        )
        sys.exit(1)


def _refused(error: typer.TyperException) -> int:
    """Say what is wrong with the command as it was typed; the exit code."""
    sentence = usage_sentence(error, sys.argv[1:])
    if sentence is None:
        rich_utils.rich_format_error(cast("Any", error))
    else:
        err_console.print(sentence, markup=False, highlight=False, soft_wrap=True)
    return int(getattr(error, "exit_code", 2))


def _keep_libraries_quiet() -> None:
    """A warning of a library is nothing that a user can act on; whoever asks for warnings gets them."""
    if not sys.warnoptions:
        warnings.simplefilter("ignore")
        os.environ["PYTHONWARNINGS"] = "ignore"  # for the workers
