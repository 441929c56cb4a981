"""The Markov simplification: a model in which only the present need, the age and the date decide what happens next.

Care then follows need at once: no waiting, no crisis, no review, no lasting difference between people. A client's path
is a Markov chain whose expected numbers solve linear equations (:mod:`simcare.cohort.solve`).
:func:`markov_simplification` brings any model there, :func:`obstacles` says what keeps a model from it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from simcare.errors import BadInput
from simcare.model import Model
from simcare.model.capacity import Provider
from simcare.model.cells import BY_PROVIDERS, clock_origin, rates_of
from simcare.model.idle_rows import without_idle_rows
from simcare.model.number import Frozen, Number, Numbers
from simcare.model.parts import Clock, FrontDoor, Service
from simcare.units import YEAR_DAYS

# The window over which a constant rate stands for a clock in time since need or stay began.
EQUAL_OVER_DAYS = 5 * YEAR_DAYS

Row = TypeVar("Row", bound=Frozen)


def cumulative_hazard(clock: Clock, rate: float, u: NDArray[np.float64]) -> NDArray[np.float64]:
    """The baseline hazard of a clock integrated from 0 to each of ``u`` (days), its ``factor`` included.

    ``rate`` is the clock's rate a year (constant and gompertz; the other families hold their own). Before 0 it is 0.
    The families are those of survival analysis (Kalbfleisch and Prentice 2002, ch. 2); for a lognormal and a mixture
    of exponentials it is −log of the survival function itself, where the engine has a table of it.

    >>> from simcare.files.load import load_model
    >>> leaving = load_model("mm-infinity").clocks[0]
    >>> cumulative_hazard(leaving, 2.0, np.array([-1.0, YEAR_DAYS])).tolist()
    [0.0, 2.0]
    """
    u = np.maximum(u, 0.0)
    factor = 1.0 if clock.factor is None else clock.factor.value
    return factor * _cumulative(clock, rate / YEAR_DAYS, u)


def _cumulative(clock: Clock, a_day: float, u: NDArray[np.float64]) -> NDArray[np.float64]:
    if clock.family == "constant":
        return a_day * u
    if clock.family == "gompertz":
        assert clock.growth_per_year is not None
        growth = clock.growth_per_year.value / YEAR_DAYS
        return a_day * u if growth == 0.0 else a_day * np.expm1(growth * u) / growth
    if clock.family == "piecewise":
        edges = piecewise_edges(clock)
        spans = np.diff(np.append(edges, np.inf))
        inside = np.clip(u[..., None] - edges, 0.0, spans)
        return np.asarray(inside @ (np.array(clock.rates) / YEAR_DAYS))
    if clock.family in ("weibull", "log_logistic"):
        assert clock.shape is not None and clock.scale_days is not None
        power = (u / clock.scale_days.value) ** clock.shape.value
        return power if clock.family == "weibull" else np.log1p(power)
    if clock.family == "lognormal":
        assert clock.log_mean is not None and clock.log_sd is not None
        z = (np.log(np.maximum(u, 1e-300)) - clock.log_mean.value) / clock.log_sd.value
        return np.asarray(-norm.logsf(z))
    assert clock.shares is not None and clock.mean_days is not None
    return np.asarray(-np.log(np.exp(-u[..., None] / np.array(clock.mean_days.value)) @ np.array(clock.shares.value)))


def piecewise_edges(clock: Clock) -> NDArray[np.float64]:
    """The edges of a piecewise baseline in days."""
    assert clock.edges is not None
    return np.array(clock.edges) * (YEAR_DAYS if clock_origin(clock) == "age" else 1.0)


def exponential_equal(clock: Clock, window: float = EQUAL_OVER_DAYS) -> float:
    """The constant rate a year that stands for a clock: expected firings over expected time in the first ``window``
    days.

    This is the occurrence-exposure rate (1 − S(w)) / ∫₀ʷ S(u) du that a register of ``window`` days would show. For an
    exponential it is its own rate; for a long window it tends to 1 / mean. It exists for every family, also where
    the mean does not (a log-logistic of shape 1 or less, a piecewise hazard that ends at 0).

    >>> from simcare.files.load import load_model
    >>> round(exponential_equal(load_model("mm-infinity").clocks[0]), 6)
    2.0
    """
    # A fine grid that is dense near 0, where hazards of shape below 1 fall fast, with every jump of the hazard on it.
    u = np.concatenate([[0.0], np.geomspace(1e-4, window, 20_000), np.linspace(0.0, window, 20_000)])
    if clock.family == "piecewise":
        u = np.append(u, piecewise_edges(clock))
    u = np.unique(u[u <= window])
    total = cumulative_hazard(clock, rates_of(clock)[0][1], u)
    rise = np.diff(total)
    # Between grid points the hazard is taken as level, so that the integral of S is exact for a constant one.
    share = np.divide(-np.expm1(-rise), rise, out=np.ones_like(rise), where=rise > 1e-12)
    exposure = float(np.sum(np.exp(-total[:-1]) * share * np.diff(u)))
    return float(-math.expm1(-float(total[-1]))) / exposure * YEAR_DAYS


def markov_simplification(model: Model) -> Model:
    """The Markov simplification of a model, as a new model that has been checked like one from a file; the old one is
    untouched.

    - Every service follows need at once and has no reviews; a short-term service does so too, which only concerns who
      is in one on day 0: they are placed in the tier of their need.
    - No frailty, no crises (clocks or at once), no step-up first; nobody waits, so nobody gives up waiting.
    - People come ``direct``; the front door neither diverts, delays nor errs.
    - A clock in time since need or stay began becomes a constant one (``exponential_equal``, over five years); clocks
      by age, dated modifiers, transitions, seasons and growth stay.
    - Places, teams, hospitals, gaps at transitions, responses to money, the market and the voluntary sector, where the
      model has them, are taken away. Of the offers that a provider
      makes of one service to different areas, the first stands for all.

    Raises BadInput for a clock that names services, other than those of providers, and what the model's own checks
    raise if the result could not be a model (it always can, as far as is known).

    >>> from simcare.files.load import load_model
    >>> obstacles(markov_simplification(load_model("kent-2013")))
    []
    """
    for i, clock in enumerate(model.clocks):
        if clock.services is not None and clock.clock not in BY_PROVIDERS:
            raise BadInput(f"clocks[{i}].services: the cohort model knows clocks by need, not by service")
    parts: dict[str, Any] = {
        "services": tuple(
            s.model_copy(update={"follows_need": True, "first_review_days": None, "review_every_days": None})
            for s in model.services
        ),
        "clocks": tuple(
            _without_memory(clock) for clock in model.clocks if clock.clock not in ("crisis", "renege", "premature")
        ),
        "need": tuple(row.model_copy(update={"frailty_variance": None, "crisis_at_once": None}) for row in model.need),
        "front_door": tuple(_open_door(door) for door in model.front_door),
        "arrivals": tuple(row.model_copy(update={"route": "direct"}) for row in model.arrivals),
        "handovers": tuple(_cleared(row, "supported", "gap_days", "gbp_supported") for row in model.handovers),
        "providers": tuple(_unlimited(provider) for provider in model.providers),
    }
    limit = _cleared(model, "teams", "hospitals", "responses", "market", "failures", "voluntary").model_copy(
        update=parts
    )
    return Model.model_validate(without_idle_rows(limit).model_dump(by_alias=True))


def _open_door(door: FrontDoor) -> FrontDoor:
    nothing = ("assessment_days", "diverted", "over_specified", "under_specified", "step_up_first", "step_up_tiers")
    return door.model_copy(update=dict.fromkeys(nothing))


def _unlimited(provider: Provider) -> Provider:
    offers = {
        offer.service: _cleared(offer, "places", "area", "spot_premium", "when_cut")
        for offer in reversed(provider.offers)
    }
    return provider.model_copy(update={"offers": tuple(reversed(offers.values()))})


def _cleared(value: Row, *fields: str) -> Row:
    """The value with these fields at their defaults, as far as it has them."""
    known = type(value).model_fields
    return value.model_copy(
        update={name: known[name].get_default(call_default_factory=True) for name in fields if name in known}
    )


def _without_memory(clock: Clock) -> Clock:
    if clock.family == "constant" or clock_origin(clock) == "age":
        return clock
    note = (
        f"exponential equal of a {clock.family} clock in time since {clock_origin(clock)} began: firings over time in"
        " the first five years"
    )
    rate = Numbers(value=(exponential_equal(clock),), source="assumption", grade="D", note=note)
    shape = dict.fromkeys(
        ("edges", "shape", "scale_days", "growth_per_year", "log_mean", "log_sd", "shares", "mean_days", "factor")
    )
    return clock.model_copy(update={**shape, "family": "constant", "per_year": rate})


def obstacles(model: Model) -> list[str]:
    """What in a model keeps its expected caseload from being worked out exactly: a line for each, with its path.

    >>> from simcare.files.load import load_model
    >>> obstacles(load_model("mm-infinity"))
    []
    >>> obstacles(load_model("semi-markov"))[0]
    'clocks[0]: a weibull clock runs in time since need began'
    """
    return [*_memory(model), *_care(model), *_door(model), *_limits(model)]


def _memory(model: Model) -> Iterator[str]:
    for i, row in enumerate(model.need):
        if _some(row.frailty_variance):
            yield (
                f"need[{i}].frailty_variance: clients who differ for good have a past that matters; only 0 fits the"
                " cohort model"
            )
        if _some(row.crisis_at_once):
            yield f"need[{i}].crisis_at_once: a crisis leads to short-term care, which ends on a day"
    for i, clock in enumerate(model.clocks):
        if clock.clock in ("renege", "premature"):
            continue  # nobody waits once all else is simplified, nor is discharged early where nobody responds to money
        if clock.services is not None and clock.clock not in BY_PROVIDERS:
            yield f"clocks[{i}].services: the cohort model knows clocks by need, not by service"
        if clock.clock == "crisis" and any(clock.rates):
            yield f"clocks[{i}]: a crisis leads to short-term care, which ends on a day"
        elif clock.family != "constant" and clock_origin(clock) != "age":
            yield f"clocks[{i}]: a {clock.family} clock runs in time since {clock_origin(clock)} began"


def _care(model: Model) -> Iterator[str]:
    services: dict[str, Service] = {s.name: s for s in model.services}
    for i, service in enumerate(model.services):
        reviewed = service.first_review_days is not None or service.review_every_days is not None
        if reviewed and not service.follows_need and service.short_term_days is None:
            yield f"services[{i}]: reviews at fixed intervals matter unless the service follows need"
    for i, row in enumerate(model.caseload):
        if (
            row.service is not None
            and services[row.service].short_term_days is not None
            and not services[row.service].follows_need
        ):
            yield f"caseload[{i}].service: '{row.service}' is short-term: it ends on a day unless it follows need"


def _door(model: Model) -> Iterator[str]:
    errs = "an assessment that errs puts people in a tier other than their need; only 0 fits the cohort model"
    why = {
        "assessment_days": "the wait for an assessment has a fixed length; only 0 fits the cohort model",
        "over_specified": errs,
        "under_specified": errs,
        "step_up_first": "short-term care ends on a day; only 0 fits the cohort model",
    }
    for i, door in enumerate(model.front_door):
        for field, sentence in why.items():
            if any(getattr(getattr(door, field), "values", ())):
                yield f"front_door[{i}].{field}: {sentence}"
    for i, row in enumerate(model.arrivals):
        if row.route == "crisis":
            yield f"arrivals[{i}].route: a crisis leads to short-term care, which ends on a day"


def _limits(model: Model) -> Iterator[str]:
    """What a model may hold that limits places, parts areas or delays a move."""
    for i, provider in enumerate(model.providers):
        for k, offer in enumerate(provider.offers):
            if offer.places is not None:
                yield f"providers[{i}].offers[{k}].places: places are limited, so clients wait for each other"
            if offer.area is not None:
                yield f"providers[{i}].offers[{k}].area: the cohort model knows offers to all areas only"
    if model.teams:
        yield "teams: assessors are limited, so clients wait for each other"
    for i, response in enumerate(model.responses):
        if response.eta.value > 0.0:
            yield (
                f"responses[{i}].eta: how fast providers step people down depends on the day of the stay; only 0"
                " fits the cohort model"
            )
    if model.failures or model.market is not None:
        yield "market: a provider that fails or grows makes clients depend on each other"
    for i, help_ in enumerate(model.voluntary):
        if len(set(help_.people_per_year.values)) > 1:
            yield f"voluntary[{i}].people_per_year: the cohort model knows arrivals as they are in the file"
    if model.hospitals:
        yield "hospitals: those ready to leave wait for care"
    for i, handover in enumerate(model.handovers):
        supported = handover.supported
        if supported is not None and any(share < 1.0 for share in supported.values):
            yield (
                f"handovers[{i}].supported: a transition that is not supported leaves a gap of some days in care; only"
                " 1 fits the cohort model"
            )


def _some(number: Number | None) -> bool:
    return number is not None and number.value > 0.0
