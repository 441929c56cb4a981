"""What each replication draws of what is not known of a model: from a fit where there is one, else from the priors.

The draw of a row hangs on seed, replication and the row's name alone: it is the same for every strategy, and no other
row moves it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from simcare.errors import BadInput
from simcare.files.fit import CalibrationFit, chosen_fit, shipped_fit
from simcare.model import Model
from simcare.model.laying import laid
from simcare.model.uncertain import Uncertain
from simcare.rules.draws import PARAMETERS, name_key, uniform

NO_FIT = "none"  # the fit that is none: priors only


@dataclass(frozen=True)
class Drawing:
    """What is drawn: ``rows`` of the model, of which those that the ``fit`` has are drawn from it, with whatever else
    it fitted."""

    rows: tuple[Uncertain, ...] = ()
    fit: CalibrationFit | None = None

    @property
    def moves(self) -> bool:
        """Whether anything is drawn at all."""
        return bool(self.rows) or self.fit is not None

    @property
    def fitted(self) -> frozenset[str]:
        """The names of the rows that the fit has."""
        names = frozenset() if self.fit is None else frozenset(self.fit.draws)
        return names & {row.name for row in self.rows}

    def values(self, seed: int, replication: int) -> dict[str, float]:
        """The value of each row, and of whatever else a fit has, in a replication: the same whatever the strategy."""
        prior = {
            row.name: row.value(uniform(seed, replication, name_key("uncertain", row.name), PARAMETERS, 0))
            for row in self.rows
            if row.name not in self.fitted
        }
        return prior if self.fit is None else prior | self.fit.values(seed, replication)

    def applied(self, model: Model, values: Mapping[str, float]) -> Model:
        """The model at these values; the one given is untouched."""
        if self.fit is not None:
            model = self.fit.laid(model, values, but=self.fitted)
        return laid(model, self.rows, values)

    @property
    def manifest_entry(self) -> dict[str, Any]:
        """What the manifest of a run says of it."""
        entry: dict[str, Any] = {} if self.fit is None else {"fit": self.fit.manifest_entry}
        if self.rows:
            entry["unknowns"] = {
                "rows": len(self.rows),
                "from_fit": [row.title for row in self.rows if row.name in self.fitted],
                "from_priors": [row.title for row in self.rows if row.name not in self.fitted],
            }
        return entry


NOTHING = Drawing()


def drawing_of(model: Model, fit: CalibrationFit | str | Path | None = None, central: bool = False) -> Drawing:
    """What a run of a model draws: every row of what is not known, with the ``fit`` asked for (a value, a path, a
    library name, or "none"), else with the one that is shipped for the model, if it is not stale; nothing where it is
    ``central``.

    Raises BadInput for a fit that is stale or of another model, and for one beside ``central``.
    """
    if central:
        if fit is not None and fit != NO_FIT:
            raise BadInput("central: a run at the central values draws nothing, so it takes no fit; leave one out")
        return NOTHING
    if fit == NO_FIT:
        return Drawing(model.uncertain)
    if fit is not None:
        return Drawing(model.uncertain, chosen_fit(fit, model))
    return Drawing(model.uncertain, shipped_fit(model) if model.uncertain else None)


__all__ = ["NOTHING", "NO_FIT", "Drawing", "drawing_of"]
