"""A contract in plain words: each term, and the whole in a sentence."""

from __future__ import annotations

import datetime as dt

from simcare.model.contracts import Contract
from simcare.model.terms import (
    Block,
    Clawback,
    DaysSaved,
    Episode,
    Indexation,
    OutcomePayment,
    PerDiem,
    Price,
    StepDownBonus,
    Tapered,
    Term,
)
from simcare.report import wording


def pounds(value: float) -> str:
    """An amount as a contract states it: to the penny, if there are pennies.

    >>> pounds(49.6), pounds(900.0), pounds(24_980_000.0)
    ('£49.60', '£900', '£24,980,000')
    """
    return f"£{value:,.0f}" if round(value, 2) == round(value) else f"£{value:,.2f}"


def days(value: float) -> str:
    """A number of days of a contract: ``1 day``, ``91 days``."""
    return f"{value:g} day{'' if value == 1 else 's'}"


def price_words(price: Price, on: dt.date) -> str:
    """A price by the day or the week on a date."""
    return f"{pounds(price.price.at(on))} a {'day' if price.days == 1 else 'week'}"


def term(what: Term, on: dt.date) -> str:
    """One term of a contract in plain words, at the prices of a date."""
    match what:
        case PerDiem():
            return price_words(what, on)
        case Tapered():
            return _bands(what, on)
        case Block():
            return f"{pounds(what.gbp_per_year.at(on))} a year, whoever is there"
        case Episode():
            return f"{pounds(what.gbp.value)} for each stay" + (
                f" that reaches day {what.on_day:g}" if what.on_day else ", on its first day"
            )
        case StepDownBonus():
            return _bonus(what)
        case Clawback():
            return _clawback(what)
        case OutcomePayment():
            first = f"{100 * what.share_up_front.value:g}% at the start of the stay"
            return (
                f"{pounds(what.gbp.value)} for independence that lasts {days(what.lasts_days)}, {first}, the rest once"
                " it has lasted"
            )
        case DaysSaved():
            return _saved(what)
        case Indexation():
            return f"prices raised by {100 * what.per_year.value:g}% each 1 April"


def _bands(what: Tapered, on: dt.date) -> str:
    *first, last = what.bands
    ends = [band.from_day for band in what.bands[1:]]
    parts = [f"{price_words(band, on)} to day {end:g}" for band, end in zip(first, ends, strict=True)]
    return f"{', '.join(parts)}, {price_words(last, on)} after that"


def _bonus(what: StepDownBonus) -> str:
    by = "" if what.by_day is None else f" by day {what.by_day:g}"
    if what.tapers_from_day is not None:
        by = f", in full to day {what.tapers_from_day:g} and from there falling to nothing on day {what.by_day:g}"
    return f"{pounds(what.gbp.value)} for a step-down{by}{_lasting(what.lasts_days)}"


def _lasting(lasts: float) -> str:
    return f", once it has lasted {days(lasts)}" if lasts else ""


def _clawback(what: Clawback) -> str:
    taken = (
        []
        if what.share is None
        else ["the sums paid" if what.share.value == 1 else f"{100 * what.share.value:g}% of the sums paid"]
    )
    taken += [] if what.days_of_pay is None else [f"the last {days(what.days_of_pay)}' pay"]
    return f"{wording.listed(taken)} taken back if the client is back within {days(what.within_days or 0.0)}"


def _saved(what: DaysSaved) -> str:
    over = (
        "" if what.gbp_per_day_over is None else f", less {pounds(what.gbp_per_day_over.value)} for each day beyond it"
    )
    lasting = _lasting(what.lasts_days)
    return (
        f"{pounds(what.gbp_per_day.value)} for each day by which a step-down comes before day"
        f" {what.baseline_days:g}{lasting}{over}"
    )


def terms(contract: Contract, on: dt.date) -> str:
    """A contract in a sentence, at the prices of a date in prices of the base year.

    >>> def gbp(value): return {"value": value, "source": "assumption", "grade": "D"}
    >>> bonus = {"kind": "step_down_bonus", "gbp": gbp(900), "by_day": 84, "lasts_days": 91}
    >>> rows = [{"kind": "per_diem", "gbp_per_week": gbp(241.3)}, bonus]
    >>> terms(Contract.model_validate({"name": "bonus", "terms": rows}), dt.date(2014, 4, 1))
    '£241.30 a week; £900 for a step-down by day 84, once it has lasted 91 days.'
    """
    said = [term(what, on) for what in contract.terms]
    if contract.most_gbp_per_client_year is not None:
        said.append(f"no more than {pounds(contract.most_gbp_per_client_year.value)} for a client in a year")
    text = "; ".join(said)
    return f"{text[:1].upper()}{text[1:]}."
