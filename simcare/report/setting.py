"""What the exhibits of a run's page have in common."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from simcare.model.model import Model
from simcare.model.strategy import BASELINE
from simcare.report import summaries, wording


@dataclass(frozen=True)
class Setting:
    """The model, the financial years and the number of replications that all exhibits of a page are of, and what its
    strategies are called (``titles``, the baseline left out)."""

    model: Model
    years: tuple[str, ...]
    replications: int
    titles: Mapping[str, str] = field(default_factory=dict)

    @property
    def period(self) -> str:
        """The years in words."""
        return wording.horizon_words(self.years)

    @property
    def names(self) -> dict[str, str]:
        """What the baseline and each strategy are called."""
        return {BASELINE: "Baseline", **self.titles}

    @property
    def range_words(self) -> str:
        """What the range over replications is."""
        return summaries.range_words(self.replications)

    @property
    def range_short(self) -> str:
        """The same for a legend."""
        return summaries.range_short(self.replications)

    @property
    def tiers(self) -> dict[str, str]:
        """What each tier is called, by its name."""
        return wording.tier_titles(self.model)
