"""The model as a run of a calibration has it: begun on its day, from its caseload, with its demand, at a point of the
parameters."""

from __future__ import annotations

from collections.abc import Mapping

from simcare.demand.paths import at_base_demand
from simcare.files.fit import laid_parameters
from simcare.model import Model
from simcare.model.calibration import Calibration, Start, Then
from simcare.model.parts import Caseload


def begun(model: Model, run: Start) -> Model:
    """The model begun as a run asks; the one given is untouched.

    >>> from simcare.files.load import load_model
    >>> import datetime as dt
    >>> early = Start(name="early", title="Early", years=1, start=dt.date(2012, 4, 1), demand="held")
    >>> begun(load_model("kent-2013"), early).about.start
    datetime.date(2012, 4, 1)
    """
    if run.demand == "held":
        # Demand as in the year before the model's own start, whatever day this run begins on.
        rows = tuple(row.model_copy(update={"growth_per_year": None}) for row in at_base_demand(model).arrivals)
        model = model.model_copy(update={"arrivals": rows, "drivers": ()})
    if run.start is not None:
        model = model.model_copy(update={"about": model.about.model_copy(update={"start": run.start})})
    return (
        model.model_copy(update={"caseload": tuple(_then(row, run.caseload) for row in model.caseload)})
        if run.caseload
        else model
    )


def _then(row: Caseload, given: tuple[Then, ...]) -> Caseload:
    """A row of the caseload with as many people as there were then; the first that names it counts."""
    for then in given:
        if row.service in then.services and _in(row.stage, then.stages) and _in(row.group, then.groups):
            return row.model_copy(
                update={
                    "count": row.count.model_copy(update={"value": float(round(row.count.value * then.multiply.value))})
                }
            )
    return row


def _in(name: str, names: tuple[str, ...] | None) -> bool:
    return names is None or name in names


def at_point(model: Model, calibration: Calibration, values: Mapping[str, float]) -> Model:
    """The model with each free and each counted parameter at a value; those that ``values`` lacks stay as in the
    file."""
    return laid_parameters(model, [row for row in calibration.moving if row.name in values], values)


__all__ = ["at_point", "begun"]
