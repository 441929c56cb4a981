"""Whether strategies, and costs, start within a run: what starts outside it would do nothing, and nobody would see."""

from __future__ import annotations

from collections.abc import Iterator

from simcare.model.fault import Fault
from simcare.model.fields import ModelFields
from simcare.model.strategy import Experiment
from simcare.units import years_later


def start_faults(experiment: Experiment, model: ModelFields) -> Iterator[Fault]:
    """Strategies that start before the model does, or not before the run ends after the experiment's years."""
    first = model.about.start
    last = years_later(first, experiment.years)
    span = "1 year" if experiment.years == 1 else f"{experiment.years} years"
    for k, strategy in enumerate(experiment.strategies):
        path = f"strategies[{k}].start"
        if strategy.start < first:
            sentence = f"{strategy.start} is before the first day of the model, {first}; start it on that day or later"
            yield Fault(path, sentence)
        if strategy.start >= last:
            yield Fault(path, f"{strategy.start} is not before the end of the run, {last}, after {span}")


def programme_faults(model: ModelFields) -> Iterator[Fault]:
    """One-off costs dated before the model starts: no day of a run would hold them."""
    for k, programme in enumerate(model.programmes):
        if programme.one_off_gbp is not None and programme.start < model.about.start:
            yield Fault(
                f"programmes[{k}].start",
                f"{programme.start} is before the first day of the model, {model.about.start}, so the one-off cost"
                " would be counted nowhere",
            )


__all__ = ["programme_faults", "start_faults"]
