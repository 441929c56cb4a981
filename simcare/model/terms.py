"""The terms that a contract is made of: prices by the day, blocks, sums, bonuses, and what a return takes back."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from simcare.model.kinds import Amount, AmountSeries, Rate, Share, require
from simcare.model.number import DatedNumber, Finite, Frozen


class Price(Frozen):
    """Pounds for each day: given by the day or by the week."""

    gbp_per_day: AmountSeries | None = None
    gbp_per_week: AmountSeries | None = None

    @model_validator(mode="after")
    def _one_price(self) -> Self:
        require(
            (self.gbp_per_day is None) != (self.gbp_per_week is None), "give gbp_per_day or gbp_per_week, one of them"
        )
        return self

    @property
    def price(self) -> DatedNumber:
        series = self.gbp_per_day or self.gbp_per_week
        assert series is not None
        return series

    @property
    def days(self) -> float:
        """Days that one price buys: 1 or 7."""
        return 1.0 if self.gbp_per_day is not None else 7.0


class PerDiem(Price):
    """A flat price for each day of a stay, whatever its length."""

    kind: Literal["per_diem"] = "per_diem"


class PriceBand(Price):
    """The price from a day of the stay on, up to ``to_day`` or, in the last band, for good."""

    from_day: Finite = Field(ge=0)
    to_day: Finite | None = None


class Tapered(Frozen):
    """A price that changes with the day of the stay, in bands that join."""

    kind: Literal["tapered"]
    bands: tuple[PriceBand, ...] = Field(min_length=2)

    @model_validator(mode="after")
    def _bands_join(self) -> Self:
        require(
            self.bands[0].from_day == 0,
            f"bands[0].from_day: the first band is from day 0, got {self.bands[0].from_day:g}",
        )
        for k, (band, after) in enumerate(pairwise(self.bands)):
            require(
                after.from_day > band.from_day,
                f"bands[{k + 1}].from_day: bands are out of order, day {after.from_day:g} after {band.from_day:g}",
            )
            ends = after.from_day if band.to_day is None else band.to_day
            how = "overlap" if ends > after.from_day else "leave a gap"
            require(
                ends == after.from_day,
                f"bands[{k}].to_day: bands {how}, one is to day {ends:g} and the next from day {after.from_day:g}",
            )
        require(
            self.bands[-1].to_day is None,
            f"bands[{len(self.bands) - 1}].to_day: the last band has no end, or longer stays had no price",
        )
        return self


class Block(Frozen):
    """A fixed sum a year, whoever is there: spread evenly over the days of each financial year."""

    kind: Literal["block"]
    gbp_per_year: AmountSeries


class Episode(Frozen):
    """A sum for each stay, on its first day or when it reaches ``on_day``."""

    kind: Literal["episode"]
    gbp: Amount
    on_day: Finite = Field(default=0, ge=0)


class StepDownBonus(Frozen):
    """A sum for each step-down: a move to a lower tier, or an end in independence.

    ``by_day``: only if it comes by that day of the stay. ``tapers_from_day``: the full sum until then, from there
    evenly down to nothing on ``by_day``. ``lasts_days``: paid only once the client has not been back on the tier or
    above for so long.
    """

    kind: Literal["step_down_bonus"]
    gbp: Amount
    by_day: Finite | None = Field(default=None, gt=0)
    tapers_from_day: Finite | None = Field(default=None, ge=0)
    lasts_days: Finite = Field(default=0, ge=0)

    @model_validator(mode="after")
    def _tapers_to_a_day(self) -> Self:
        if self.tapers_from_day is not None:
            require(self.by_day is not None, "tapers_from_day needs by_day, the day on which nothing is left")
            assert self.by_day is not None
            require(
                self.tapers_from_day < self.by_day,
                f"tapers_from_day ({self.tapers_from_day:g}) must be before by_day ({self.by_day:g})",
            )
        return self


class Clawback(Frozen):
    """A client who is back on the tier or above within so many days of a step-down costs the provider: ``share`` of the
    sums that the stay was paid (episode, bonus, outcome, days saved), and the last ``days_of_pay`` days at the last
    day's price."""

    kind: Literal["clawback"]
    within_days: Finite | None = Field(default=None, gt=0)
    share: Share | None = None
    days_of_pay: Finite | None = Field(default=None, gt=0)

    @model_validator(mode="after")
    def _has_a_window(self) -> Self:
        require(
            self.within_days is not None,
            "within_days: a clawback needs a window, the days after a step-down in which a return counts",
        )
        require(
            self.share is not None or self.days_of_pay is not None,
            "give share, days_of_pay or both: what is taken back",
        )
        return self


class OutcomePayment(Frozen):
    """A sum for independence that lasts: a share at the start of the stay, the rest ``lasts_days`` after the step-down
    if the client has not been back; who comes back sooner costs the provider the first share too."""

    kind: Literal["outcome"]
    gbp: Amount
    share_up_front: Share
    lasts_days: Finite = Field(gt=0)


class DaysSaved(Frozen):
    """At a step-down before ``baseline_days``, pounds for each day saved; ``gbp_per_day_over`` is lost for each day of
    a stay beyond it."""

    kind: Literal["days_saved"]
    baseline_days: Finite = Field(gt=0)
    gbp_per_day: Amount
    gbp_per_day_over: Amount | None = None
    lasts_days: Finite = Field(default=0, ge=0)


class Indexation(Frozen):
    """The contract's prices grow by this much each 1 April since the price base, in place of the model's general
    growth."""

    kind: Literal["indexation"]
    per_year: Rate


Term = Annotated[
    PerDiem | Tapered | Block | Episode | StepDownBonus | Clawback | OutcomePayment | DaysSaved | Indexation,
    Field(discriminator="kind"),
]
