"""Mechanisms by which a county's own processes help to create demand, each with a switch: a model with it in, a model
without it out.

What remains with every switch off is called genuine demand here: the need of the people who come, and what meeting it
costs. The council's paper asks for exactly this split (5.5: is it genuine new demand, or do over-specification and our
own processes help to create it?).

Each switch takes a valid model and gives a valid model; the one given is untouched. What a switch cannot reach is in
docs/explain.md.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from simcare.model import Figure, Model, sourced_figures
from simcare.model.capacity import Offer
from simcare.model.idle_rows import without_idle_rows
from simcare.model.number import DatedNumber, Number, Step

UNMET = ("waiting_rise", "waiting_recovery")  # what waiting, or too little care, does to need


@dataclass(frozen=True)
class Mechanism:
    """A mechanism of demand and its switch.

    ``off_words`` says exactly what is switched off, ``if_not`` the world without it (it follows "would not be there
    if"). ``is_on`` tells whether a model has the mechanism, ``switch`` takes it out. ``rests_on`` names the numbers of
    a model file that drive it, as ``part.field`` (for clocks ``clocks.KIND``).
    """

    name: str
    title: str
    off_words: str
    if_not: str
    is_on: Callable[[Model], bool]
    switch: Callable[[Model], Model]
    rests_on: tuple[str, ...]

    def off(self, model: Model) -> Model:
        """The model without the mechanism, and without the rows of what is not known that spoke of it alone."""
        return switched_off(model, (self,))


def switched_off(model: Model, mechanisms: Iterable[Mechanism]) -> Model:
    """The model with these mechanisms switched off.

    >>> from simcare.files.load import load_model
    >>> kent = load_model("kent-2013")
    >>> [m.name for m in SWITCHES if m.is_on(kent)]
    ['over_specification', 'learned_dependency', 'waiting', 'failure_demand']
    >>> [m.name for m in SWITCHES if m.is_on(switched_off(kent, SWITCHES))]
    []
    """
    without = model
    for mechanism in mechanisms:
        without = mechanism.switch(without)
    return model if without is model else without_idle_rows(without)


def numbers_behind(mechanism: Mechanism, model: Model) -> Iterator[tuple[str, Figure]]:
    """The numbers of a model that drive a mechanism, each with a name that a reader can find in the file.

    >>> from simcare.files.load import load_model
    >>> kent = load_model("kent-2013")
    >>> [(name, figure.value, figure.grade) for name, figure in numbers_behind(SWITCHES[0], kent)][-1]
    ('front_door[older people].over_specified', (0.08,), 'D')
    """
    for figure in sourced_figures(model):
        found = re.match(r"(\w+)\[(.*?)\]\.(.+)$", figure.path)
        if found is None:
            continue
        part, row, rest = found.groups()
        if part == "clocks":
            clock = model.clocks[int(row)]
            if f"clocks.{clock.clock}" in mechanism.rests_on:
                whom = ", ".join(clock.groups or clock.stages or ("everybody",))
                yield f"clocks: {clock.clock}, {whom}", figure
        elif f"{part}.{rest.rsplit('.', 1)[-1]}" in mechanism.rests_on:
            yield figure.path, figure


# ---- over-specification
def _over_specifies(model: Model) -> bool:
    return any(door.over_specified is not None and max(door.over_specified.values) > 0 for door in model.front_door)


def _as_it_is(model: Model) -> Model:
    doors = tuple(door.model_copy(update={"over_specified": None}) for door in model.front_door)
    return model.model_copy(update={"front_door": doors})


# ---- learned dependency
def _teaches(model: Model) -> bool:
    return _has_clock(model, "induced") or any(
        row.over_provided_recovery is not None and row.over_provided_recovery.value < 1 for row in model.need
    )


def _nothing_learned(model: Model) -> Model:
    """No need rises from care above need, and care above need does not slow recovery; where it would speed it, that
    stays."""
    rows = tuple(
        (
            row.model_copy(update={"over_provided_recovery": None})
            if row.over_provided_recovery is not None and row.over_provided_recovery.value < 1
            else row
        )
        for row in model.need
    )
    return _without_clock(model, "induced").model_copy(update={"need": rows})


# ---- provider holding
def _answers(model: Model) -> bool:
    return any(response.eta.value > 0 for response in model.responses)


def _no_answer(model: Model) -> Model:
    """Contracts stay and pay what they pay, but no provider answers to them: eta is nought, for whoever draws one
    around it as well."""
    rows = tuple(row.model_copy(update={"eta": _to(row.eta, 0.0)}) for row in model.responses)
    return model.model_copy(update={"responses": rows})


# ---- waiting
def _waits(model: Model) -> bool:
    tomorrow = model.about.start + dt.timedelta(days=1)
    doors = any(door.assessment_days is not None and _ever(door.assessment_days, tomorrow) for door in model.front_door)
    places = any(offer.places is not None for provider in model.providers for offer in provider.offers)
    gaps = any(row.supported is not None and min(row.supported.values) < 1 for row in model.handovers)
    return doors or places or bool(model.teams) or gaps


def _nobody_waits(model: Model) -> Model:
    """Places and hours for everybody, an assessment on the day of the referral, and every transition ready on the
    birthday.

    Assessments are at once from the second day on: so those who were referred before day 0, who are in the model
    because they wait then, stay in it, and the same people come in every setting.
    """
    tomorrow = model.about.start + dt.timedelta(days=1)
    doors = tuple(
        (
            door
            if door.assessment_days is None
            else door.model_copy(update={"assessment_days": _from(door.assessment_days, model.about.start, tomorrow)})
        )
        for door in model.front_door
    )
    providers = tuple(
        p.model_copy(update={"offers": tuple(_unlimited(offer) for offer in p.offers)}) for p in model.providers
    )
    handovers = tuple(
        (
            row
            if row.supported is None
            else row.model_copy(update={"supported": DatedNumber(steps=(_step(row.supported.steps[0], 1.0),))})
        )
        for row in model.handovers
    )
    update = {"front_door": doors, "providers": providers, "handovers": handovers, "teams": ()}
    return model.model_copy(update=update)


def _unlimited(offer: Offer) -> Offer:
    return offer if offer.places is None else offer.model_copy(update={"places": None, "spot_premium": None})


def _ever(series: DatedNumber, since: dt.date) -> bool:
    """Whether a series is above nought on any day from a date on."""
    return series.at(since) > 0 or any(
        step.value > 0 for step in series.steps if step.from_ is not None and step.from_ > since
    )


def _from(old: DatedNumber, start: dt.date, tomorrow: dt.date) -> DatedNumber:
    """What a series is on the first day, and nought from the second on; unchanged where it is so already."""
    if not _ever(old, tomorrow):
        return old
    first = old.steps[0].model_copy(update={"value": old.at(start), "from_": None, "low": None, "high": None})
    return DatedNumber(steps=(first, _step(old.steps[0], 0.0).model_copy(update={"from_": tomorrow})))


# ---- failure demand
def _fails(model: Model) -> bool:
    too_low = any(
        door.under_specified is not None and max(door.under_specified.values) > 0 for door in model.front_door
    )
    return (
        too_low
        or _has_clock(model, "crisis")
        or any(getattr(row, field) is not None and _harms(row, field) for row in model.need for field in UNMET)
    )


def _harms(row: object, field: str) -> bool:
    value = float(getattr(row, field).value)
    return value > 1 if field == "waiting_rise" else value < 1


def _no_failure(model: Model) -> Model:
    """Unmet need makes no more need: no crisis by its clock, none that rises faster or falls more slowly, no assessment
    that sees too little."""
    rows = tuple(
        row.model_copy(
            update={field: None for field in UNMET if getattr(row, field) is not None and _harms(row, field)}
        )
        for row in model.need
    )
    doors = tuple(door.model_copy(update={"under_specified": None}) for door in model.front_door)
    return _without_clock(model, "crisis").model_copy(update={"need": rows, "front_door": doors})


# ---- all five
def _has_clock(model: Model, kind: str) -> bool:
    return any(clock.clock == kind and (clock.family != "constant" or max(clock.rates) > 0) for clock in model.clocks)


def _without_clock(model: Model, kind: str) -> Model:
    """Without the clock, and without what made it run faster or slower."""
    clocks = tuple(clock for clock in model.clocks if clock.clock != kind)
    return model.model_copy(update={"clocks": clocks, "modifiers": tuple(m for m in model.modifiers if m.on != kind)})


def _to(number: Number, value: float) -> Number:
    return number.model_copy(update={"value": value, "low": None, "high": None})


def _step(step: Step, value: float) -> Step:
    return step.model_copy(update={"value": value, "low": None, "high": None, "from_": None})


SWITCHES: tuple[Mechanism, ...] = (
    Mechanism(
        "over_specification",
        "Over-specification",
        "no assessment and no review finds one tier above need (front_door.over_specified is zero)",
        "assessments and reviews never found more need than there is",
        _over_specifies,
        _as_it_is,
        ("front_door.over_specified",),
    ),
    Mechanism(
        "learned_dependency",
        "Learned dependency",
        "care above need neither raises need (no induced clock) nor slows recovery (need.over_provided_recovery is 1"
        " where it was less)",
        "care above need neither raised need nor slowed recovery",
        _teaches,
        _nothing_learned,
        ("clocks.induced", "need.over_provided_recovery"),
    ),
    Mechanism(
        "provider_holding",
        "Providers' response to money",
        "no retention and no early discharge by providers for the sake of money (eta of every response is zero);"
        " contracts stay, and pay what they pay",
        "providers did not respond to money, by retention or by early discharge",
        _answers,
        _no_answer,
        ("responses.eta", "responses.eta_log_sd"),
    ),
    Mechanism(
        "waiting",
        "Waiting",
        "nobody referred from the second day on waits: assessments take no days, teams' hours and places have no limit"
        " (so nothing is bought on the spot, nobody is held up in hospital, and a market's prices, entry and closures,"
        " which run on occupancy, rest), and every transition is supported",
        "nobody had to wait for an assessment, a place or a transition",
        _waits,
        _nobody_waits,
        (
            *("front_door.assessment_days", "providers.places", "providers.spot_premium", "handovers.supported"),
            *("teams.hours_per_week", "teams.hours_per_assessment", "teams.hours_per_review"),
        ),
    ),
    Mechanism(
        "failure_demand",
        "Failure demand",
        "need that is not met makes no more demand: no crisis grows out of unmet need (no crisis clock; a sudden great"
        " rise of need is still one), need rises no faster and falls no more slowly for whoever waits (waiting_rise and"
        " waiting_recovery are 1), no assessment or review sees too little",
        "need that was met too late, or by too little, made no more demand",
        _fails,
        _no_failure,
        ("clocks.crisis", "need.waiting_rise", "need.waiting_recovery", "front_door.under_specified"),
    ),
)
