"""What every result drawn from a fit says of the fit."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from simcare.report.wording import date


def fit_sentence(entry: Mapping[str, Any]) -> str:
    """The fit that parameters were drawn from, and which of them its data do not inform, from the manifest's entry
    (:attr:`simcare.files.fit.CalibrationFit.manifest_entry`).

    >>> kent = {"name": "kent", "known_to": "2013-03-31", "prior_driven": ["crises", "learned dependency"]}
    >>> print(fit_sentence(kent))
    Parameters are drawn from the fit kent (information cut-off date 31 March 2013). The published data say little
    about: crises; learned dependency. Results that depend on these are only as reliable as the assumptions behind them.
    >>> print(fit_sentence(kent | {"prior_driven": []}))
    Parameters are drawn from the fit kent (information cut-off date 31 March 2013). The published data inform every one
    of them.
    >>> print(fit_sentence(kent | {"prior_driven": [], "at_bound": ["crises"]}))
    Parameters are drawn from the fit kent (information cut-off date 31 March 2013). The published data inform every one
    of them. The fit lies at a bound of: crises. The published data ask for more than it allows.
    """
    cut_off = date(dt.date.fromisoformat(entry["known_to"]))
    drawn = f"Parameters are drawn from the fit {entry['name']} (information cut-off date {cut_off})."
    at_bound = entry.get("at_bound", ())  # an earlier version did not say
    bound = f" The fit lies at a bound of: {'; '.join(at_bound)}. The published data ask for more than it allows."
    bound = bound if at_bound else ""
    if not entry["prior_driven"]:
        return f"{drawn} The published data inform every one of them.{bound}"
    return (
        f"{drawn} The published data say little about: {'; '.join(entry['prior_driven'])}. Results that depend on these"
        f" are only as reliable as the assumptions behind them.{bound}"
    )
