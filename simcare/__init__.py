"""simcare: what care would cost, and how independent people would be, if a council commissioned it differently.

>>> import simcare
>>> model = simcare.load("mm-infinity")
>>> run = simcare.run(model, years=1, replications=2, seed=1)
>>> run.replications
2

Nothing is loaded until it is used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from simcare.decide.comparison import Comparison, compare
    from simcare.demand.forecast import Forecast
    from simcare.demand.reading import read_series
    from simcare.errors import BadInput, BrokenInvariant, SimcareError
    from simcare.files.load import load_experiment, load_model
    from simcare.files.load import load_model as load
    from simcare.model.contracts import Contract, invoice
    from simcare.runs.forecasts import forecast
    from simcare.runs.run import Run, run

__version__ = "0.1.0"
__all__ = [
    "BadInput",
    "BrokenInvariant",
    "Comparison",
    "Contract",
    "Forecast",
    "Run",
    "SimcareError",
    "compare",
    "forecast",
    "invoice",
    "load",
    "load_experiment",
    "load_model",
    "read_series",
    "run",
]

_HOMES = {
    "BadInput": "errors",
    "BrokenInvariant": "errors",
    "Comparison": "decide.comparison",
    "Contract": "model.contracts",
    "Forecast": "demand.forecast",
    "Run": "runs.run",
    "SimcareError": "errors",
    "compare": "decide.comparison",
    "forecast": "runs.forecasts",
    "invoice": "model.contracts",
    "load": "files.load",
    "load_experiment": "files.load",
    "load_model": "files.load",
    "read_series": "demand.reading",
    "run": "runs.run",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'simcare' has no attribute '{name}'")
    return getattr(import_module(f"simcare.{_HOMES[name]}"), "load_model" if name == "load" else name)


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
