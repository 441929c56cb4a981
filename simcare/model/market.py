"""The market of providers: prices, entry and failure by quarters, and how a placement chooses between offers."""

from __future__ import annotations

import datetime as dt

from simcare.model.kinds import Amount, AmountSeries, Name, Rate, Scope, Share
from simcare.model.number import Frozen, Number


class Market(Frozen):
    """How providers with a limited number of places fare, quarter by quarter.

    Prices drift by ``price_drift_per_year`` and ``price_per_occupancy`` × (occupancy − ``usual_occupancy``) a year.
    Places grow by ``entry_per_year`` where all are taken, and shrink where fewer than usual are. Closures run at the
    provider's own rate × exp(−``closure_per_margin`` × (margin − ``usual_margin``)), margins as shares of income. When
    one fails, each other provider of the same parent does too with chance ``contagion``. The council keeps a failed
    provider's places going, at ``last_resort_premium`` on the price, until everyone there has another.

    A placement goes to an offer in proportion to weight × exp(``choice_vacancy`` × share of places free +
    ``choice_price`` × log(price ÷ reference price) + ``choice_quality`` × quality).
    """

    price_drift_per_year: Rate
    price_per_occupancy: Amount
    usual_occupancy: Share
    entry_per_year: Amount
    usual_margin: Rate
    closure_per_margin: Amount
    contagion: Share
    last_resort_premium: Amount
    choice_vacancy: Number | None = None
    choice_price: Number | None = None
    choice_quality: Number | None = None


class Failure(Frozen):
    """A provider fails on a date: it takes nobody new, and those there are moved as places are found, the most urgent
    class first."""

    provider: Name
    on: dt.date


class Voluntary(Frozen):
    """Help by voluntary and community groups before anyone comes to the front door: front-door prevention.

    ``people_per_year`` are helped; of these, ``held_back`` would otherwise have come to the front door, from the stages
    and groups named. The arrivals of the file are those with the help that there is at the start: more of it brings
    fewer, less of it more. Each person helped costs the council ``gbp_per_person``.
    """

    name: Name
    title: str | None = None
    stages: Scope = None
    groups: Scope = None
    people_per_year: AmountSeries
    held_back: Share
    gbp_per_person: Amount | None = None
