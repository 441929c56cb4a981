"""The parts of a model: ladders, stages, services, providers, need, demand, the caseload.

Each is a frozen value that checks what it can see of itself; what takes two parts to judge is in
``checks``. Units are in the names: ``per_year``, ``days``, ``gbp_per_week``. A year is 365.25 days.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Literal, Self

from pydantic import Field, model_validator

from simcare.model.kinds import (
    Age,
    Amount,
    Amounts,
    AmountSeries,
    ClockName,
    Count,
    Family,
    Interval,
    Mix,
    Name,
    Positive,
    Positives,
    Rate,
    Scope,
    Season,
    Share,
    Shares,
    ShareSeries,
    Wait,
    check_bands,
    require,
)
from simcare.model.number import Finite, Frozen, Number, Sourced

LARGEST_LOG = 20.0  # e to it is a million years


class Tier(Frozen):
    """A tier of the ladder, from the bottom up; a short-term tier stands beside the ladder."""

    name: Name
    title: str | None = None
    short_term: bool = False


class Stage(Frozen):
    """A life stage ``[from_age, to_age)`` in years; the last has no ``to_age``."""

    name: Name
    from_age: float = Field(ge=0)
    to_age: float | None = None

    @model_validator(mode="after")
    def _runs_forward(self) -> Self:
        require(self.to_age is None or self.to_age > self.from_age, "to_age must be above from_age")
        return self


class Group(Frozen):
    """A client group, such as ``learning_disability``."""

    name: Name
    title: str | None = None


class Service(Frozen):
    """Care on one tier, for an age range and some groups.

    ``follows_need`` is the Markov simplification: the tier follows need at once, without review,
    crisis or provider delay. Its exact answers are known.
    """

    name: Name
    title: str | None = None
    tier: Name
    from_age: float = Field(default=0, ge=0)
    to_age: float | None = None
    groups: Scope = None
    enabling: bool = False
    follows_need: bool = False
    short_term_days: Interval | None = None
    first_review_days: Interval | None = None
    review_every_days: Interval | None = None
    client_share: Share | None = None
    health_share: Share | None = None

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        require(self.to_age is None or self.to_age > self.from_age, "to_age must be above from_age")
        paid = sum(share.value for share in (self.client_share, self.health_share) if share is not None)
        require(paid <= 1, f"client_share and health_share together exceed 1: {paid:g}")
        return self


class Clock(Frozen):
    """A hazard: which clock, for whom, and how fast it runs.

    ``since`` says what time the baseline runs in: since the present ``need`` began, since the present ``stay`` began,
    or ``age``; for reneging since the ``wait`` began. With several ``needs``, ``per_year`` may hold one rate for each.
    With ``services`` the clock runs only in these; without, in any service and in none. A clock that does not run keeps
    what is left of its budget.

    Families (u in days, or years of age): constant ``per_year``; piecewise ``per_year`` between
    ``edges`` (days, or years of age); weibull ``shape, scale_days``; gompertz ``per_year`` at age 0
    growing by ``growth_per_year``; log_logistic ``shape, scale_days``; lognormal ``log_mean, log_sd``
    of days; mixture of exponentials ``shares, mean_days``.
    """

    clock: ClockName
    stages: Scope = None
    groups: Scope = None
    needs: tuple[Name, ...] | None = None
    services: Scope = None
    by: int = Field(default=1, ge=1, le=5)
    family: Family = "constant"
    since: Literal["need", "stay", "age", "wait"] | None = None
    per_year: Amounts | None = None
    edges: tuple[Finite, ...] | None = None
    shape: Positive | None = None
    scale_days: Positive | None = None
    growth_per_year: Number | None = None
    log_mean: Number | None = None
    log_sd: Positive | None = None
    shares: Mix | None = None
    mean_days: Positives | None = None
    factor: Amount | None = None

    @property
    def rates(self) -> tuple[float, ...]:
        return () if self.per_year is None else self.per_year.value

    @model_validator(mode="after")
    def _complete(self) -> Self:
        wanted = {
            "constant": {"per_year"},
            "piecewise": {"per_year", "edges"},
            "weibull": {"shape", "scale_days"},
            "gompertz": {"per_year", "growth_per_year"},
            "log_logistic": {"shape", "scale_days"},
            "lognormal": {"log_mean", "log_sd"},
            "mixture": {"shares", "mean_days"},
        }[self.family]
        possible = (
            "per_year",
            "edges",
            "shape",
            "scale_days",
            "growth_per_year",
            "log_mean",
            "log_sd",
            "shares",
            "mean_days",
        )
        given = {name for name in possible if getattr(self, name) is not None}
        if given != wanted:
            missing, extra = sorted(wanted - given), sorted(given - wanted)
            parts = [f"needs {', '.join(missing)}"] * bool(missing) + [f"does not take {', '.join(extra)}"] * bool(
                extra
            )
            raise ValueError(f"family '{self.family}' " + " and ".join(parts))
        require((self.since == "wait") <= (self.clock == "renege"), 'only the clock "renege" runs since the wait began')
        self._check_family()
        return self

    def _check_family(self) -> None:
        if self.family == "piecewise":
            assert self.edges is not None
            require(
                all(a < b for a, b in pairwise(self.edges)) and self.edges[0] >= 0, "edges must rise from 0 or above"
            )
            require(
                len(self.rates) == len(self.edges), f"{len(self.edges)} edges need as many rates, got {len(self.rates)}"
            )
        if self.family == "gompertz":
            require(self.since == "age", "family 'gompertz' runs by age: since = \"age\"")
        if self.family == "lognormal":
            assert self.log_mean is not None and self.log_sd is not None
            require(
                abs(self.log_mean.value) <= LARGEST_LOG and self.log_sd.value <= LARGEST_LOG,
                f"log_mean and log_sd are of the logarithm of days, {LARGEST_LOG:g} at most; got"
                f" {self.log_mean.value:g} and {self.log_sd.value:g}",
            )
        if self.family == "mixture":
            assert self.shares is not None and self.mean_days is not None
            require(len(self.shares.value) == len(self.mean_days.value), "shares and mean_days differ in length")
        if self.family == "constant" and len(self.rates) > 1:
            require(
                self.needs is not None and len(self.needs) == len(self.rates),
                f"{len(self.rates)} rates need as many 'needs'",
            )
        if self.family == "gompertz":
            require(len(self.rates) == 1, f"family 'gompertz' takes one rate, got {len(self.rates)}")


class Need(Frozen):
    """How need responds to care, for some stages: the multipliers of the clocks and how far people differ.

    Gamma frailty has mean 1 and the variance given; rise is multiplied by it, recovery divided.
    """

    name: Name
    stages: Scope = None
    frailty_variance: Amount | None = None
    enabling_recovery: Amount | None = None
    over_provided_recovery: Amount | None = None
    waiting_rise: Amount | None = None
    waiting_recovery: Amount | None = None
    crisis_at_once: Share | None = None
    death_ratio: Amounts | None = None


class FrontDoor(Frozen):
    """How a referral is met, for some stages: diversion, assessment and its errors, the first package."""

    name: Name
    stages: Scope = None
    assessment_days: Wait | None = None
    diverted: Shares | None = None
    over_specified: ShareSeries | None = None
    under_specified: ShareSeries | None = None
    step_up_first: ShareSeries | None = None
    step_up_tiers: tuple[Name, ...] | None = None
    gbp_per_assessment: AmountSeries | None = None
    gbp_per_review: AmountSeries | None = None


class Handover(Frozen):
    """What a birthday changes besides the stage: the group, and how much of the need goes on.

    With chance ``keeps_need`` need goes on (capped at ``at_most``); otherwise it falls to independence. Who ages out of
    their service with need is ``supported`` with that chance: the plan is ready and they move the same day, at
    ``gbp_supported`` each. The others have no care for ``gap_days``, until they are assessed again. Without
    ``supported`` everybody is.
    """

    name: Name | None = None
    age: float = Field(gt=0)
    groups: Scope = None
    to_group: Name | None = None
    keeps_need: Share
    at_most: Name | None = None
    supported: ShareSeries | None = None
    gap_days: Interval | None = None
    gbp_supported: AmountSeries | None = None

    @model_validator(mode="after")
    def _knows_the_gap(self) -> Self:
        require(
            self.supported is None or self.gap_days is not None,
            "supported needs gap_days: how long the others are without care",
        )
        require(
            self.gbp_supported is None or self.supported is not None,
            "gbp_supported is for a share supported: give supported",
        )
        return self


class Ages(Sourced):
    """Ages in bands: ``edges`` in years, one more than ``shares``; even within a band."""

    edges: tuple[Age, ...] = Field(min_length=2)
    shares: tuple[Finite, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _hold_together(self) -> Self:
        check_bands(self.edges, self.shares, "edges")
        return self


class Elapsed(Sourced):
    """Days already spent in the present stay, in bands; even within a band."""

    edges_days: tuple[Finite, ...] = Field(min_length=2)
    shares: tuple[Finite, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _hold_together(self) -> Self:
        check_bands(self.edges_days, self.shares, "edges_days")
        return self


class Arrivals(Frozen):
    """New people of one stratum who come to the front door, by their need there.

    ``route``: ``referral`` (front door and assessment), ``crisis`` (straight to step-up) or
    ``direct`` (placed at once on the tier that meets the need). ``priority`` is the queue class of their first request
    where places or hours run out: 1 crisis and safeguarding, 2 hospital discharge, 3 community, 4 planned.
    With a ``driver``, ``per_year`` is the rate over the twelve months before the model starts, and from there it
    follows the driver.
    """

    name: Name
    stage: Name
    group: Name
    area: Name | None = None
    route: Literal["referral", "crisis", "direct"] = "referral"
    priority: int = Field(default=3, ge=1, le=4)
    per_year: AmountSeries
    growth_per_year: Rate | None = None
    season: Season | None = None
    driver: Name | None = None
    needs: Mix
    ages: Ages | None = None

    @model_validator(mode="after")
    def _moves_once(self) -> Self:
        both = self.driver is not None and (self.season is not None or self.growth_per_year is not None)
        require(not both, "season and growth_per_year come from the driver; leave them out where there is a driver")
        return self


class Caseload(Frozen):
    """People in a service on day 0: how many, their ages, need, and stay so far.

    Without a ``service`` they are known people in no service (their ``elapsed`` is then the time in this need).
    Without ``elapsed`` the stay so far is drawn from the equilibrium of the clocks of that stay
    (density proportional to the chance of still being there).
    """

    name: Name
    service: Name | None = None
    stage: Name
    group: Name
    area: Name | None = None
    count: Count
    needs: Mix
    ages: Ages | None = None
    elapsed: Elapsed | None = None


class DiscountBand(Frozen):
    """A real discount rate from a year of the horizon on."""

    from_year: int = Field(ge=0)
    per_year: Rate


class Prices(Frozen):
    """Money over time: the price base, growth of prices and wages, and discounting."""

    base_year: str = Field(pattern=r"^\d{4}/\d{2}$", description="Financial year of the prices, such as 2012/13.")
    growth_per_year: Rate
    inflation_per_year: Rate
    discount: tuple[DiscountBand, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        first, second = self.base_year.split("/")
        require(
            (int(first) + 1) % 100 == int(second),
            f"base_year '{self.base_year}' is not a financial year such as 2012/13",
        )
        years = [band.from_year for band in self.discount]
        require(years[0] == 0 and years == sorted(set(years)), "discount bands start at year 0 and rise")
        return self
