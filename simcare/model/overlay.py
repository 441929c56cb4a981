"""Strategies, scenarios and experiments laid over a model: each yields a new model, and the old one is untouched."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ValidationError

from simcare.errors import BadInput
from simcare.model.capacity import Provider, Switch
from simcare.model.checks.effects import effect_faults
from simcare.model.checks.whole import find_faults
from simcare.model.contracts import Contract
from simcare.model.fields import Modifier, Programme
from simcare.model.market import Failure
from simcare.model.model import Model
from simcare.model.nearmiss import unknown
from simcare.model.number import DatedNumber, Number, Step
from simcare.model.response import Response
from simcare.model.settable import PARTS, fields_settable, holds_throughout, offers_by_name
from simcare.model.strategy import (
    ABOUT_EFFECTS,
    LARGEST,
    Change,
    Experiment,
    NewContract,
    Scenario,
    Strategy,
)
from simcare.units import ramp_steps


def apply_strategy(model: Model, strategy: Strategy) -> Model:
    """A new model with the strategy laid over it; the old one is untouched.

    Raises BadInput when the strategy names what is not there, with the path inside the strategy.
    """
    faults: list[str] = []
    changed: BaseModel = model
    for k, change in enumerate(strategy.changes):
        try:
            changed = _set(model, changed, change, strategy)
        except LookupError as error:
            faults.append(f"changes[{k}].path: {error.args[0]}")
        except ValidationError as error:
            sentence = str(error.errors()[0].get("ctx", {}).get("error", error.errors()[0]["msg"]))
            faults.append(f"changes[{k}].to: {sentence}")
    changed, found = _contracted(changed, strategy)
    faults += found
    assert isinstance(changed, Model)
    for k, effect in enumerate(strategy.effects):
        faults += effect_faults(changed, effect, f"effects[{k}]")
    failures, found = _failing(model, strategy)
    faults += found
    if strategy.stage is not None and strategy.stage not in (names := [s.name for s in model.stages]):
        faults.append(f"stage: {unknown(strategy.stage, names)}")
    if faults:
        raise BadInput(faults)
    window = {"start": strategy.start, "ramp_days": strategy.ramp_days}
    modifiers = tuple(
        Modifier(**effect.model_dump(exclude=set(ABOUT_EFFECTS)), **window) for effect in strategy.effects
    )
    money = {"gbp_per_year": strategy.gbp_per_year, "one_off_gbp": strategy.one_off_gbp}
    programme = Programme(name=strategy.name, stage=strategy.stage, **money, **window)
    return changed.model_copy(
        update={
            "modifiers": (*model.modifiers, *modifiers),
            "programmes": (*model.programmes, programme),
            "failures": (*model.failures, *failures),
        }
    )


def extended_by(model: Model, experiment: Experiment) -> Model:
    """The model with the contracts and the responses of an experiment; the old one is untouched. Raises BadInput as
    :func:`added` does."""
    return added(model, experiment.contracts, experiment.responses, experiment.sources)


def added(
    model: Model, contracts: Sequence[Contract], responses: Sequence[Response], sources: Mapping[str, str]
) -> Model:
    """A new model with more contracts and responses; a response comes before those of the model.

    Raises BadInput where a contract's name is taken, or a response speaks for whom another does.
    """
    known = [contract.name for contract in model.contracts]
    taken = [
        f"contracts[{k}].name: '{c.name}' is already a contract of the model"
        for k, c in enumerate(contracts)
        if c.name in known
    ]
    names = [contract.name for contract in contracts]
    taken += [f"contracts[{k}].name: '{name}' is already defined" for k, name in enumerate(names) if name in names[:k]]
    if taken:
        raise BadInput(taken)
    parts = {"contracts": (*model.contracts, *contracts), "responses": (*responses, *model.responses)}
    return _checked(model, {**parts, "sources": {**sources, **model.sources}})


def in_scenario(model: Model, scenario: Scenario) -> Model:
    """The model as it is in a scenario, from its first day on; the old one is untouched. Raises BadInput as
    :func:`apply_strategy` does."""
    always = Strategy(
        name=scenario.name,
        title=scenario.title,
        start=model.about.start,
        effects=scenario.effects,
        changes=scenario.changes,
    )
    whole = apply_strategy(model, always)
    return whole.model_copy(update={"programmes": model.programmes})


def _checked(model: Model, update: dict[str, Any]) -> Model:
    """The model with parts replaced, checked as a whole."""
    faults = find_faults(new := model.model_copy(update=update))
    if faults:
        raise BadInput([str(fault) for fault in faults])
    return new


def _contracted(changed: BaseModel, strategy: Strategy) -> tuple[BaseModel, list[str]]:
    """Offers put under the strategy's contracts from its start on."""
    faults: list[str] = []
    providers: tuple[Provider, ...] = getattr(changed, "providers")  # noqa: B009 (a model half changed is no Model to the type checker)
    contracts = [contract.name for contract in getattr(changed, "contracts")]  # noqa: B009
    for k, new in enumerate(strategy.contracts):
        offered = sorted({offer.service for provider in providers for offer in provider.offers})
        mine = [p.name for p in providers if any(offer.service == new.service for offer in p.offers)]
        if new.contract not in contracts:
            faults.append(f"contracts[{k}].contract: {unknown(new.contract, contracts)}")
        elif new.service not in offered:
            faults.append(f"contracts[{k}].service: {unknown(new.service, offered)}")
        elif new.provider is not None and new.provider not in mine:
            faults.append(f"contracts[{k}].provider: {unknown(new.provider, mine)}")
        else:
            providers = tuple(
                _under(p, new, strategy.start) if new.provider in (None, p.name) else p for p in providers
            )
    return changed.model_copy(update={"providers": providers}), faults


def _under(provider: Provider, new: NewContract, start: dt.date) -> Provider:
    switch = Switch(from_=start, contract=new.contract)
    offers = tuple(
        (
            o.model_copy(update={"switches": (*(s for s in o.switches if s.from_ < start), switch)})
            if o.service == new.service
            else o
        )
        for o in provider.offers
    )
    return provider.model_copy(update={"offers": offers})


def _failing(model: Model, strategy: Strategy) -> tuple[list[Failure], list[str]]:
    """The failures of a strategy on its start date."""
    found, faults = [], []
    names = [provider.name for provider in model.providers]
    for k, name in enumerate(strategy.failures):
        chosen = largest(model) if name == LARGEST else name
        if chosen not in names:
            faults.append(f"failures[{k}]: {unknown(chosen, [*names, LARGEST])}")
        elif strategy.start <= model.about.start:
            faults.append(f"failures[{k}]: a provider fails after the first day of the run, {model.about.start}")
        else:
            found.append(Failure(provider=chosen, on=strategy.start))
    return found, faults


def largest(model: Model) -> str:
    """The provider, not the council's own, with the most people on day 0 by the shares of the caseload."""
    people = {provider.name: 0.0 for provider in model.providers if provider.owner != "council"}
    if not people:
        return LARGEST
    for row in model.caseload:
        offers = [(p.name, o.weight.value) for p in model.providers for o in p.offers if o.service == row.service]
        total = sum(weight for _, weight in offers)
        for name, weight in offers:
            if name in people and total:
                people[name] += row.count.value * weight / total
    return max(people, key=lambda name: people[name])


def _set(original: Model, model: BaseModel, change: Change, strategy: Strategy) -> BaseModel:
    match = re.fullmatch(r"([a-z_]+)\.(.+)\.([a-z_]+)", change.path)
    assert match is not None
    part, name, field = match.groups()
    if part not in PARTS:
        raise LookupError(unknown(part, PARTS))
    if part == "need" and strategy.start > original.about.start:
        raise LookupError(
            "how need answers to care is not dated; set it from the model's first day (a scenario, a fit), or use an"
            " effect on a clock"
        )
    if part == "offers":
        return _set_offer(model, name, field, change.to, strategy)
    rows = getattr(model, part)
    names = [row.name for row in rows]
    if name not in names:
        raise LookupError(unknown(name, [n for n in names if n is not None]))
    k = names.index(name)
    if part == "contracts" and len(rows[k].terms) > 1:
        raise LookupError(f"'{name}' has {len(rows[k].terms)} terms; which one is meant is not clear")
    new = _changed(rows[k].terms[0] if part == "contracts" else rows[k], field, change.to, strategy)
    if part == "contracts":
        new = rows[k].model_copy(update={"terms": (new, *rows[k].terms[1:])})
        new = type(new).model_validate(new.model_dump(by_alias=True))  # what holds for a contract as a whole
    return model.model_copy(update={part: (*rows[:k], new, *rows[k + 1 :])})


def _set_offer(model: BaseModel, name: str, field: str, to: Number, strategy: Strategy) -> BaseModel:
    """An offer goes by provider, service and, if it has one, area: ``offers.council.home.places``."""
    providers = getattr(model, "providers")  # noqa: B009 (a model half changed is no Model to the type checker)
    known = dict(offers_by_name(model))
    if name not in known:
        raise LookupError(unknown(name, list(known)))
    p, k = known[name]
    offers = providers[p].offers
    provider = providers[p].model_copy(
        update={"offers": (*offers[:k], _changed(offers[k], field, to, strategy), *offers[k + 1 :])}
    )
    return model.model_copy(update={"providers": (*providers[:p], provider, *providers[p + 1 :])})


def number_now(model: Model, path: str, date: dt.date) -> float | None:
    """The number that a change of this path would replace on a date; None where there is none.

    >>> from simcare.files.load import load_model
    >>> number_now(load_model("mm-infinity"), "contracts.flat.gbp_per_day", dt.date(2014, 4, 1))
    10.0
    """
    part, _, rest = path.partition(".")
    name, _, field = rest.rpartition(".")
    row: BaseModel | None
    if part == "offers":
        at = dict(offers_by_name(model)).get(name)
        row = None if at is None else model.providers[at[0]].offers[at[1]]
    else:
        row = next((row for row in getattr(model, part, ()) if row.name == name), None)
    if isinstance(row, Contract):
        row = row.terms[0]
    number = getattr(row, field, None)
    if isinstance(number, DatedNumber):
        return number.at(date)
    return number.value if isinstance(number, Number) else None


def _changed(target: BaseModel, field: str, to: Number, strategy: Strategy) -> BaseModel:
    """The part with a number of it set from the strategy's start on; one that is not dated holds throughout, or in
    no strategy."""
    settable = fields_settable(target)
    if field not in settable:
        raise LookupError(unknown(field, settable))
    if holds_throughout(target):
        new = target.model_copy(update={field: to})
        return type(target).model_validate(new.model_dump(by_alias=True))
    at_once = target.model_copy(
        update={field: getattr(target, field).since((Step(**to.model_dump(), from_=strategy.start),))}
    )
    type(target).model_validate(at_once.model_dump(by_alias=True))  # the value as stated, before any ramp
    new = target.model_copy(update={field: _series_after(getattr(target, field), to, strategy)})
    return type(target).model_validate(new.model_dump(by_alias=True))


def _series_after(old: DatedNumber, to: Number, strategy: Strategy) -> DatedNumber:
    before = old.at(strategy.start)
    steps = tuple(
        Step(value=before + share * (to.value - before), source=to.source, grade=to.grade, note=to.note, from_=date)
        for date, share in ramp_steps(strategy.start, strategy.ramp_days)
    )
    return old.since(steps)
