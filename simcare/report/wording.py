"""Numbers and findings in plain words: pounds, days, people, dates, periods, and a sentence for each strategy.

A number is never shown with more digits than its interval supports: the last digit follows the rounding
rule of the Particle Data Group (Review of Particle Physics, introduction, section 5.3), applied to half the interval's
width.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from simcare.model import Model

MINUS = "\N{MINUS SIGN}"
INTERVAL = "95% interval"
LEAST_FUTURES = 10  # replications, below which the 5th and 95th percentile say nothing
FUTURES = "90% prediction interval (nine in ten simulated futures)"  # 5th to 95th percentile of replications that
# differ in their parameters too


@dataclass(frozen=True)
class Unit:
    """What stands before and after a number, and how millions are written."""

    before: str = ""
    after: str = ""
    million: str = " million"
    billion: str = " billion"


POUNDS = Unit("£", million="m", billion="bn")
DAYS = Unit(after=" days")
PEOPLE = Unit(after=" people")
PERCENT = Unit(after="%")
COUNT = Unit()


@dataclass(frozen=True)
class Estimate:
    """A mean and its 95% interval; ``low`` and ``high`` are None where one replication gives no interval."""

    value: float
    low: float | None = None
    high: float | None = None

    @classmethod
    def of(cls, value: float, low: float | None, high: float | None, beside: float = 0.0) -> Estimate:
        """From a frame, where no interval may be null or not a number; what is only rounding error of numbers like
        ``beside`` is zero."""

        def clean(x: float | None) -> float | None:
            return None if x is None or math.isnan(x) else 0.0 if abs(x) <= 1e-11 * abs(beside) else x

        return cls(clean(value) or 0.0, clean(low), clean(high))

    @property
    def verdict(self) -> Literal["lower", "higher", "unclear", "none"]:
        """What may be said: below or above zero, no clear difference, or exactly nothing."""
        if self.low is None or self.high is None:
            return "unclear"
        if self.value == self.low == self.high == 0:
            return "none"
        return "higher" if self.low > 0 else "lower" if self.high < 0 else "unclear"


@dataclass(frozen=True)
class Measure:
    """How a measure is named in a report, its unit, and which way is better (-1 less, +1 more, 0 neither)."""

    label: str
    unit: Unit
    better: int
    meaning: str


MEASURES: dict[str, Measure] = {
    "cost_pv": Measure(
        "Total cost, present value",
        POUNDS,
        -1,
        "All care, assessments, reviews and the strategy's own cost, in base-year prices, later years discounted.",
    ),
    "cost_real": Measure("Total cost, constant prices", POUNDS, -1, "The same in base-year prices, not discounted."),
    "cost_cash": Measure("Total cost, cash", POUNDS, -1, "The same in the prices of each year: what budgets see."),
    "cost": Measure(
        "Total cost, cash",
        POUNDS,
        -1,
        "All care, assessments, reviews and the strategy's own cost, in the prices of each year: what budgets see.",
    ),
    "cost_council": Measure("Cost to the council, cash", POUNDS, -1, "The council's share of total cost in cash."),
    "cost_health": Measure("Cost to the NHS, cash", POUNDS, -1, "The health partner's share of total cost in cash."),
    "cost_client": Measure("Paid by clients, cash", POUNDS, 0, "What clients contribute, in cash."),
    "dependency_days": Measure(
        "Dependency-days", DAYS, -1, "Days on a tier of long-term care above need, beyond day 91 of the stay."
    ),
    "over_provided_days": Measure(
        "Over-provided days", DAYS, -1, "Days on a tier of long-term care above need, beyond day 42 of the stay."
    ),
    "induced_need_days": Measure(
        "Induced-need days",
        DAYS,
        -1,
        "Days of need that was learned from care above need; read beside over-provided days, which it can hide.",
    ),
    "excess_stay_days": Measure(
        "Excess-stay days", DAYS, -1, "Days from first being ready to step down to the step down."
    ),
    "under_provided_days": Measure("Under-provided days", DAYS, -1, "Days on a tier below need."),
    "unmet_need_days": Measure("Unmet-need days", DAYS, -1, "Days with need and in no service."),
    "waiting_days": Measure(
        "Waiting days", DAYS, -1, "Days from a referral until a service begins: referred and not yet served."
    ),
    "independent_days": Measure("Independent days", DAYS, 1, "Days in no service of people who were once in care."),
    "person_days": Measure("Days in care", DAYS, 0, "Days of all people in all services."),
    "caseload": Measure("Caseload", PEOPLE, 0, "People in a service, mean over each month."),
    "caseload_end": Measure("Caseload at the end", PEOPLE, 0, "People in a service on the last day."),
    "crises": Measure("Crises", COUNT, -1, "Urgent requests for short-term care."),
    "referrals": Measure("Referrals", COUNT, 0, "All referrals, new and repeated."),
    "re_referrals_91": Measure(
        "Re-referrals within 91 days", COUNT, -1, "Referrals within 91 days of the person's referral before."
    ),
    "re_referrals_365": Measure(
        "Re-referrals within 365 days", COUNT, -1, "Referrals within 365 days of the person's referral before."
    ),
    "step_ups": Measure("Step-ups", COUNT, 0, "Moves to a more intensive tier."),
    "step_downs": Measure("Step-downs", COUNT, 0, "Moves to a less intensive tier or to independence."),
    "provider_step_downs": Measure(
        "Step-downs by providers", COUNT, 0, "Step-downs of a provider's own accord, without a review."
    ),
    "premature_releases": Measure(
        "Premature releases", COUNT, -1, "People whom a provider let go to a lower tier though they needed the care."
    ),
    "readmissions_91": Measure(
        "Readmissions within 91 days",
        COUNT,
        -1,
        "Returns to the tier last stepped down from, or above, within 91 days.",
    ),
    "paid_block": Measure("Paid in blocks", POUNDS, 0, "What block contracts cost, in cash."),
    "paid_episode": Measure("Paid for stays", POUNDS, 0, "Sums for each stay, in cash."),
    "paid_step_down": Measure("Paid for step-downs", POUNDS, 0, "Bonuses and outcome payments, in cash."),
    "taken_back": Measure("Taken back", POUNDS, 0, "What clawbacks took back on returns, in cash."),
    "entries": Measure("Entries", COUNT, 0, "Starts of care from no service."),
    "exits": Measure("Exits", COUNT, 0, "Ends of care, deaths and moves away included."),
    "queue_days": Measure(
        "Days waiting for a place",
        DAYS,
        -1,
        "Days of people for whom no place is free, whether in no service or in one until another has a place.",
    ),
    "transfer_days": Measure(
        "Days waiting in another service",
        DAYS,
        -1,
        "Those of the days waiting for a place that are spent in a service.",
    ),
    "hospital_days": Measure(
        "Days in hospital, treated", DAYS, -1, "Days in hospital after a crisis, until ready to leave."
    ),
    "delayed_days": Measure(
        "Delayed days in hospital", DAYS, -1, "Days of people who are ready to leave hospital and are still there."
    ),
    "spot_days": Measure(
        "Days in places beyond the number",
        DAYS,
        -1,
        "Days in places beyond the number, at a higher price: bought in a crisis, or kept after a cut.",
    ),
    "queued": Measure(
        "Joined the queue for a place", COUNT, -1, "Times that somebody had to wait for a place, as none was free."
    ),
    "reneged": Measure(
        "Gave up waiting",
        COUNT,
        -1,
        "Times that somebody lost patience, with the wait for a place or for an assessment.",
    ),
    "spot_purchases": Measure(
        "Places bought beyond the number", COUNT, -1, "Times that a place was bought in a crisis, as none was free."
    ),
    "displaced": Measure(
        "Lost their place to a cut", COUNT, -1, "Times that somebody had to move, as the number of places was cut."
    ),
    "admissions": Measure("Admissions to hospital", COUNT, -1, "Crises that led to hospital."),
    "supported_transitions": Measure(
        "Hand-overs with support", COUNT, 0, "People who outgrew a service, and were prepared for what comes after it."
    ),
    "unsupported_transitions": Measure(
        "Hand-overs without support", COUNT, -1, "People who outgrew a service, and were not prepared."
    ),
}

# The classes of the queue for places, the most urgent first.
CLASSES = {"crisis": "crisis", "hospital": "leaving hospital", "community": "community", "planned": "planned move"}
MEASURES |= {
    f"placed_{key}": Measure(f"Placed from the queue: {what}", COUNT, 0, "Places granted to people of the queue.")
    for key, what in CLASSES.items()
}
MEASURES |= {
    f"waited_days_{key}": Measure(
        f"Days waited by those placed: {what}",
        DAYS,
        0,
        "Their mean wait is this by the number placed; by itself it is also less where fewer are placed.",
    )
    for key, what in CLASSES.items()
}


def shown_measure(name: str) -> Measure:
    """How a measure is shown; one without an entry is shown under its own name.

    >>> shown_measure("dependency_days").label, shown_measure("bed_days").unit == DAYS
    ('Dependency-days', True)
    """
    if name in MEASURES:
        return MEASURES[name]
    unit = POUNDS if name.startswith("cost") else DAYS if name.endswith("_days") else COUNT
    return Measure(title(name), unit, 0, "")


def tier_titles(model: Model) -> dict[str, str]:
    """What each tier is called, from the bottom of the ladder, short-term tiers last: its title up to the colon."""
    ordered = sorted(model.tiers, key=lambda tier: tier.short_term)
    return {tier.name: (tier.title or title(tier.name)).partition(":")[0] for tier in ordered}


def tier_meanings(model: Model) -> dict[str, str]:
    """What stands after the colon in the titles of tiers, by the tier's short title: what each tier holds."""
    parts = [(tier.title or "").partition(":") for tier in model.tiers]
    return {short: meaning.strip() for short, _, meaning in parts if meaning}


def short_title(name: str, full: str, most: int = 44) -> str:
    """What a strategy is called where there is little room: its title if that is short, otherwise its name.

    >>> short_title("faster_reviews", "Review every long-term adult package twice a year instead of once")
    'Faster reviews'
    """
    return full if len(full) <= most else title(name)


def count_words(count: int) -> str:
    """A whole number in running text: words up to ten.

    >>> count_words(3), count_words(24)
    ('three', '24')
    """
    small = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
    return small[count] if 0 <= count < len(small) else f"{count:,}"


def title(name: str) -> str:
    """A name of a file as a person would write it.

    >>> title("early_help")
    'Early help'
    """
    spaced = name.replace("_", " ").strip()
    return spaced[:1].upper() + spaced[1:]


def last_place(low: float, high: float) -> int | None:
    """The power of ten of the last digit worth showing; None when the interval has no width.

    Two digits of the half-width when its first three are 100 to 354, one digit otherwise.

    >>> last_place(-5.0e6, -1.2e6), last_place(0, 80)
    (5, 1)
    """
    half = (high - low) / 2
    if not half > 0:
        return None
    exponent = math.floor(math.log10(half))
    return exponent - 1 if round(half / 10.0 ** (exponent - 2)) <= 354 else exponent


def estimate_place(estimate: Estimate) -> int:
    """The last place for all three numbers: what the interval supports, three figures where those do.

    Up to two places finer where rounding would make an end touch zero that does not.

    >>> estimate_place(Estimate(3.4e6, 0.04e6, 6.8e6)), estimate_place(Estimate(11.08e6, 10.79e6, 11.37e6))
    (4, 5)
    """
    low, high = estimate.low, estimate.high
    place = last_place(low, high) if low is not None and high is not None else None
    if place is None or low is None or high is None:
        return significant_place(estimate.value)
    coarse = significant_place(max(abs(low), abs(high)))
    if (high - low) / 2 >= 10.0**coarse:  # three figures are enough for anybody, where they still separate the ends
        place = max(place, coarse)
    finest = place - 2
    while place > finest and any(end != 0 and _round(end, place) == 0 for end in (low, high)):
        place -= 1
    return place


def significant_place(value: float, digits: int = 3) -> int:
    """The last place of a number with no interval: three significant figures."""
    return math.floor(math.log10(abs(value))) - digits + 1 if value else 0


def _round(value: float, place: int) -> float:
    """Half away from zero, as a person rounds (−0 becomes 0)."""
    return math.copysign(math.floor(abs(value) / 10.0**place + 0.5 + 1e-9), value) * 10.0**place + 0.0


def quantity(
    value: float, unit: Unit = COUNT, place: int | None = None, signed: bool = False, largest: float | None = None
) -> str:
    """A number with its unit; ``largest`` (where given) decides between units, thousands and millions.

    >>> quantity(-3_140_000, POUNDS, 5)
    '−£3.1m'
    >>> quantity(12_345, DAYS), quantity(12_345, DAYS, 0), quantity(0.4, POUNDS, 0, signed=True)
    ('12,300 days', '12,345 days', '£0')
    """
    place = significant_place(value) if place is None else place
    rounded = _round(value, place)
    power, word = _scale(abs(rounded) if largest is None else largest, unit)
    digits = f"{abs(rounded) / 10.0**power:,.{max(0, power - place)}f}"
    sign = MINUS if rounded < 0 else "+" if signed and rounded > 0 else ""
    return f"{sign}{unit.before}{digits}{word}{unit.after}"


def _scale(size: float, unit: Unit) -> tuple[int, str]:
    if unit == PERCENT or size < 999_500:
        return 0, ""
    return (9, unit.billion) if size >= 999_500_000 else (6, unit.million)


def rounded_alike(estimate: Estimate, unit: Unit, signed: bool = True) -> tuple[str, str, str]:
    """Value, low and high as text, rounded alike. With no interval the last two are empty.

    >>> rounded_alike(Estimate(-3.14e6, -5.04e6, -1.21e6), POUNDS)
    ('−£3.1m', '−£5.0m', '−£1.2m')
    """
    place = estimate_place(estimate)
    numbers = (estimate.value, estimate.low, estimate.high)
    largest = max(abs(x) for x in numbers if x is not None)
    value, low, high = ("" if x is None else quantity(x, unit, place, signed, largest) for x in numbers)
    return value, low, high


def interval_words(estimate: Estimate, unit: Unit, signed: bool = True) -> str:
    """``low to high``, or a word that there is none.

    >>> interval_words(Estimate(10.0, -20.0, 40.0), POUNDS)
    '−£20 to +£40'
    """
    _, low, high = rounded_alike(estimate, unit, signed)
    return f"{low} to {high}" if low else "no interval from one replication"


def signed_number(value: float, decimals: int, plus: bool = True) -> str:
    """A bare number with so many decimals and a true minus sign; a sign before positive numbers too, if ``plus``.

    >>> signed_number(-0.256, 2), signed_number(0.25, 1), signed_number(3.0, 0, plus=False), signed_number(-0.001, 1)
    ('−0.26', '+0.2', '3', '0.0')
    """
    text = f"{abs(value):,.{decimals}f}"
    zero = not text.strip("0.,")
    return f"{'' if zero else MINUS if value < 0 else '+' if plus else ''}{text}"


def date(day: dt.date) -> str:
    """
    >>> date(dt.date(2014, 4, 1))
    '1 April 2014'
    """
    return f"{day.day} {day:%B %Y}"


def horizon_words(years: Sequence[str]) -> str:
    """The horizon in words.

    >>> horizon_words(["2013/14", "2014/15"]), horizon_words(["2013/14"])
    ('2013/14 to 2014/15', '2013/14')
    """
    if not years:
        raise ValueError("no financial year to name")
    return years[0] if len(years) == 1 else f"{years[0]} to {years[-1]}"


def listed(items: Sequence[str], last: str = "and") -> str:
    """
    >>> listed(["a", "b", "c"])
    'a, b and c'
    """
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} {last} {items[-1]}"


@dataclass(frozen=True)
class Finding:
    """What a strategy does to one measure: how it is said, its unit, and the paired difference from the baseline."""

    what: str
    unit: Unit
    difference: Estimate

    def change(self) -> str:
        """``total cost by £3.1m (95% interval £1.2m to £5.0m)``: sizes only, the verb says which way."""
        size = sorted(abs(x) for x in (self.difference.low, self.difference.high) if x is not None)
        value, low, high = rounded_alike(Estimate(abs(self.difference.value), *size), self.unit, signed=False)
        shorter = low.removesuffix(self.unit.after) if self.unit.after else low
        return f"{self.what} by {value} ({INTERVAL} {shorter} to {high})"

    def unclear(self) -> str:
        """``total cost (central estimate −£0.4m, 95% interval −£1.9m to +£1.1m)``."""
        if self.difference.low is None:
            return f"{self.what} (one replication, so no interval)"
        value, low, high = rounded_alike(self.difference, self.unit)
        return f"{self.what} (central estimate {value}, {INTERVAL} {low} to {high})"


def strategy_sentence(name: str, years: str, findings: Sequence[Finding], programme_cost: str) -> str:
    """What a commissioner could read aloud: the clear findings first, then what makes no clear difference.

    ``programme_cost`` closes the sentence, for example "at a programme cost of £6.0m, which total cost includes".

    >>> total = Finding("total cost", POUNDS, Estimate(-3.14e6, -5.04e6, -1.21e6))
    >>> print(strategy_sentence("Early help", "2013/14 to 2017/18", [total], "with no programme cost"))
    Over 2013/14 to 2017/18, “Early help” is expected to reduce total cost by £3.1m (95% interval £1.2m to £5.0m), with
    no programme cost.
    """
    by_verdict: dict[str, list[Finding]] = {"unclear": [], "none": []}
    for finding in findings:  # the first finding leads, whichever way it goes
        by_verdict.setdefault(finding.difference.verdict, []).append(finding)
    verbs = {"lower": "reduce", "higher": "increase"}
    expected = [
        f"to {verbs[verdict]} {listed([f.change() for f in found])}"
        for verdict, found in by_verdict.items()
        if verdict in verbs
    ]
    nothing = (
        [f"makes no difference at all to {listed([f.what for f in by_verdict['none']], 'or')}"]
        if by_verdict["none"]
        else []
    )
    unclear = listed([f.unclear() for f in by_verdict["unclear"]], "or") if by_verdict["unclear"] else ""
    start = f"{'Over' if ' to ' in years else 'In'} {years}, "
    if expected or nothing:
        known = listed([*([f"is expected {', and '.join(expected)}"] if expected else []), *nothing])
        tail = f"; there is no clear difference in {unclear}" if unclear else ""
        return f"{start}“{name}” {known}, {programme_cost}{tail}."
    return f"{start}“{name}” makes no clear difference to {unclear}, {programme_cost}."
