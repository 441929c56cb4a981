"""Providers differ: how strongly each answers to money in one replication, drawn by address."""

from __future__ import annotations

import math

from scipy.stats import norm

from simcare.model import Model
from simcare.model.offers import response_of
from simcare.rules.draws import RESPONSE, name_key, uniform


def differing(model: Model, seed: int, replication: int) -> Model:
    """The model with an ``eta`` of its own for each provider under a response with ``eta_log_sd``: lognormal around
    that of the file.

    The address is the provider's name, so that a strategy meets the same providers. A model without such a response is
    returned as it is.
    """
    rows = []
    for provider in model.providers:
        response = response_of(model, provider)
        if response is None or response.eta_log_sd is None or response.eta_log_sd.value == 0:
            continue
        z = float(norm.ppf(uniform(seed, replication, name_key("provider", provider.name), RESPONSE, 0)))
        eta = response.eta.value * math.exp(response.eta_log_sd.value * z)
        update = {"name": f"{response.name}: {provider.name}", "owners": None, "providers": (provider.name,)}
        rows.append(
            response.model_copy(
                update=update | {"eta": response.eta.model_copy(update={"value": eta, "low": None, "high": None})}
            )
        )
    return model.model_copy(update={"responses": (*rows, *model.responses)}) if rows else model
