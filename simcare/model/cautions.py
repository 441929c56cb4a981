"""What runs, but is perhaps not what was meant: cautions of a model and of an experiment, a sentence each.

They are worked out here once. ``simcare check`` prints them, every verb that runs something says them before it does,
and the report and the manifest hold them as ``warnings``.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence

from simcare.model.capacity import Provider
from simcare.model.checks.effects import out_of_reach
from simcare.model.fields import ModelFields
from simcare.model.model import Model
from simcare.model.offers import contract_named, mean_price, response_of
from simcare.model.overlay import number_now
from simcare.model.response import SHIPPED
from simcare.model.strategy import Effect, Experiment, NewContract, Scenario, Strategy, believed
from simcare.model.terms import Indexation, PerDiem
from simcare.units import years_later

FAR = 4.0  # a price so many times today's, or a fraction of it, is asked about
UNITS = (  # how many times as high a price by the longer unit of time is
    (7.0, "week", "day"),
    (365.25 / 7, "year", "week"),
    (365.25, "year", "day"),
)
NEAR = 1.2  # how far a ratio may be from one of these


def model_cautions(model: ModelFields) -> tuple[str, ...]:
    """Of a model by itself: providers that no response speaks for under contracts that reward something."""
    return tuple(_unanswered(model))


def experiment_cautions(experiment: Experiment, model: Model) -> tuple[str, ...]:
    """Of an experiment on its model, which has the experiment's contracts and responses already."""
    found = [*model_cautions(model), *_shipped(experiment, model)]
    last = years_later(model.about.start, experiment.years)
    for strategy in experiment.strategies:
        each = [*_prices(strategy, model), *_contract_prices(strategy, model), *_to_no_purpose(strategy, model)]
        if (whole := strategy.start + dt.timedelta(days=strategy.ramp_days)) > last:
            each.append(f"its ramp is complete on {whole} only, after the end of the run on {last}")
        found += [f"{strategy.name}: {sentence}" for sentence in each]
    for scenario in experiment.scenarios:
        found += [f"{scenario.name}: {sentence}" for sentence in _to_no_purpose(scenario, model)]
    return tuple(dict.fromkeys(found))


def warning_lines(cautions: Iterable[str]) -> list[str]:
    """Cautions as they are shown, on the screen and at the head of a page.

    >>> warning_lines(["its ramp is long", "is it a price by the week?"])
    ['Warning: its ramp is long.', 'Warning: is it a price by the week?']
    """
    return [f"Warning: {said}{'' if said.endswith('?') else '.'}" for said in cautions]


# ---- effects
def effects_as_used(experiment: Experiment) -> tuple[str, ...]:
    """Every effect that is used at another size than asked, in words: asked, used, and why."""
    found = []
    for strategy in experiment.strategies:
        used = believed(strategy, experiment.shrinkage)
        for k, (asked, held) in enumerate(zip(strategy.effects, used.effects, strict=True)):
            if held.multiply != asked.multiply:
                found.append(f"{strategy.name}: effects[{k}] on {asked.on}: {_asked_and_used(asked, held)}")
    return tuple(found)


def _asked_and_used(asked: Effect, held: Effect) -> str:
    drawn = ""
    if held.multiply.low is not None and held.multiply.high is not None:
        drawn = f", drawn from × {held.multiply.low:.3g} to × {held.multiply.high:.3g} in each replication"
    why = f"shrunk as evidence of grade {asked.multiply.grade}"
    return f"× {asked.multiply.value:g} asked, × {held.multiply.value:.3g} used ({why}{drawn})"


def _to_no_purpose(strategy: Strategy | Scenario, model: Model) -> Iterator[str]:
    """Names in effects that stand for nobody."""
    for k, effect in enumerate(strategy.effects):
        for field, name in out_of_reach(model, effect):
            what = "nobody arrives" if effect.on == "arrivals" else f"no '{effect.on}' clock runs for anybody"
            yield f"effects[{k}].{field}: '{name}' adds nothing, as {what} there"


# ---- responses to money
def _unanswered(model: ModelFields) -> Iterator[str]:
    """Providers under contracts that reward something, of whom nothing says how they respond."""
    for provider in model.providers:
        if response_of(model, provider) is not None:
            continue
        names = dict.fromkeys(name for offer in provider.offers for name in offer.contracts)
        rewarding = [name for name in names if _rewards(model, name)]
        if rewarding:
            yield (
                f"no row of [[responses]] speaks for '{provider.name}', under the contract {_quoted(rewarding)}: it"
                " does the same whatever the contract pays"
            )


def _rewards(model: ModelFields, name: str) -> bool:
    """Whether a contract pays for anything but days at one price."""
    return any(not isinstance(term, PerDiem | Indexation) for term in contract_named(model, name).terms)


def _shipped(experiment: Experiment, model: Model) -> Iterator[str]:
    """Providers put under another contract: those with the shipped response, and those that cannot respond."""
    for provider in model.providers:
        new = [n for s in experiment.strategies for n in s.contracts if n.provider in (None, provider.name)]
        put = [n.contract for n in new if any(offer.service == n.service for offer in provider.offers)]
        if put and (said := silence_of(model, provider, list(dict.fromkeys(put)))):
            yield said


def silence_of(model: ModelFields, provider: Provider, contracts: Sequence[str]) -> str | None:
    """What is to be said where contracts are tried on a provider of whom nobody says how it responds; None where
    somebody does."""
    response = response_of(model, provider)
    under = f"no row of [[responses]] speaks for '{provider.name}', put under the contract {_quoted(contracts)}"
    if response is None:
        return f"{under}, and this model gives it nothing to respond with: only what is paid changes"
    if not response.name.startswith(SHIPPED):
        return None
    return (
        f"{under}, so it responds as the shipped row for {provider.owner} providers says, in the baseline too"
        f" (eta {response.eta.value:g}, grade {response.eta.grade}, {response.horizon_days.value:g} days ahead);"
        " write a row of your own, with eta = 0 for no response"
    )


# ---- prices
def _prices(strategy: Strategy, model: Model) -> Iterator[str]:
    """Changes that set a price far from today's."""
    for k, change in enumerate(strategy.changes):
        field = change.path.rpartition(".")[2]
        now = number_now(model, change.path, strategy.start)
        if "gbp" in field and now is not None and (said := _far(change.to.value, now)):
            yield f"changes[{k}]: {change.path} is set to £{change.to.value:,.10g}, {said}"


def _contract_prices(strategy: Strategy, model: Model) -> Iterator[str]:
    """Contracts whose price of a day is far from that of the offers they replace."""
    for k, new in enumerate(strategy.contracts):
        price = contract_named(model, new.contract).tariff(strategy.start).mean_rate()
        for now in _todays(new, strategy.start, model):
            if price > 0 and now > 0 and (said := _far(price, now)):
                yield (
                    f"contracts[{k}]: '{new.contract}' pays £{price:,.2f} a day for '{new.service}' on average over a"
                    f" stay of a year, {said}"
                )
                break


def _todays(new: NewContract, start: dt.date, model: Model) -> Iterator[float]:
    """What the offers that a new contract is for pay a day without it."""
    for provider in model.providers:
        if new.provider in (None, provider.name):
            yield from (mean_price(model, offer, start) for offer in provider.offers if offer.service == new.service)


def _far(price: float, now: float) -> str:
    """How far a price is from today's, where it is far; empty where it is not."""
    if price < 0 or now <= 0 or now / FAR <= price <= now * FAR:
        return ""
    today = f"against £{now:,.10g} today" if now == round(now, 2) else f"against £{now:,.2f} today"
    if price == 0:
        return today
    up = price > now
    ratio = price / now if up else now / price
    size = f"{ratio:.3g} times that" if up else f"1/{ratio:.3g} of that"
    for times, longer, shorter in UNITS:
        if times / NEAR <= ratio <= times * NEAR:
            written, meant = (longer, shorter) if up else (shorter, longer)
            return f"{today}, {size}: is it a price by the {written} where one by the {meant} stands?"
    return f"{today}, {size}"


def _quoted(names: Sequence[str]) -> str:
    return ", ".join(f"'{name}'" for name in names)


__all__ = ["effects_as_used", "experiment_cautions", "model_cautions", "silence_of", "warning_lines"]
