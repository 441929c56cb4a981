"""Numbers and findings in plain words: pounds, days, people, dates, periods, and a sentence for each strategy.

Every number that a page or a terminal shows has three significant figures, by its size: £14,900, £1.49m, £1.49bn. A
value and its interval are rounded alike, at three figures of the largest of the three, so that their last digits line
up; what would be rounded to zero there and is not zero keeps one figure of its own. Sums of money below £100 are shown
to the penny. Whole numbers have no decimals.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from simcare.measures.catalogue import measure_named
from simcare.model import Model
from simcare.units import MINUS, NOISE, is_whole, rounded, significant_place

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


# How the units of the catalogue of measures are written.
UNITS: dict[str, Unit] = {"pounds": POUNDS, "days": DAYS, "people": PEOPLE, "events": COUNT, "share": PERCENT}


@dataclass(frozen=True)
class ShownMeasure:
    """A measure of the catalogue as a page shows it: with its unit as it is written."""

    label: str
    unit: Unit
    better: int
    meaning: str

    @property
    def in_sentence(self) -> str:
        """The label within a sentence: only its first letter is made small, as NPV and NHS stay."""
        return self.label[:1].lower() + self.label[1:]


def shown_measure(name: str) -> ShownMeasure:
    """How a measure is shown. Raises BadInput with the nearest name where the catalogue lacks it.

    >>> shown_measure("dependency_days").label, shown_measure("dependency_days").unit == DAYS
    ('Dependency-days', True)
    """
    known = measure_named(name)
    return ShownMeasure(known.label, UNITS[known.unit], known.better, known.meaning)


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


def estimate_place(estimate: Estimate) -> int:
    """The last place for all three numbers: three figures of the largest; of whole numbers no decimals.

    >>> estimate_place(Estimate(3.4e6, 0.04e6, 6.8e6)), estimate_place(Estimate(7.5, 3.0, 12.0))
    (4, -1)
    >>> estimate_place(Estimate(12_345.6, 12_315.2, 12_375.9)), estimate_place(Estimate(5.0, 4.0, 7.0))
    (2, 0)
    """
    numbers = [x for x in (estimate.value, estimate.low, estimate.high) if x is not None]
    place = significant_place(max(map(abs, numbers)))
    return max(0, place) if all(map(is_whole, numbers)) else place


def quantity(
    value: float, unit: Unit = COUNT, place: int | None = None, signed: bool = False, largest: float | None = None
) -> str:
    """A number with its unit, at three significant figures unless a ``place`` is given; ``largest`` (where given)
    decides between units and millions. A whole number has no decimals, and less than £100 is to the penny.

    >>> quantity(-3_140_000, POUNDS), quantity(-3_140_000, POUNDS, 5), quantity(14_852.6, POUNDS)
    ('−£3.14m', '−£3.1m', '£14,900')
    >>> quantity(12_345, DAYS), quantity(12_345, DAYS, 0), quantity(0.4, POUNDS, 0, signed=True)
    ('12,300 days', '12,345 days', '£0')
    >>> quantity(71.244, POUNDS), quantity(7, PEOPLE), quantity(7.5, PEOPLE), quantity(97.94, PERCENT)
    ('£71.24', '7 people', '7.50 people', '97.9%')
    >>> quantity(0.4, POUNDS), quantity(0.004, POUNDS)
    ('£0.40', '£0.00400')
    """
    if place is None:
        place = significant_place(value)
        place = max(0, place) if is_whole(value) else place
    if unit.before == POUNDS.before and place < 0 and (place == -1 or rounded(value, -2)):
        place = -2  # nobody writes £71.2, or £0.400
    near = rounded(value, place)
    power, word = _scale(abs(near) if largest is None else largest, unit)
    digits = f"{abs(near) / 10.0**power:,.{max(0, power - place)}f}"
    sign = MINUS if near < 0 else "+" if signed and near > 0 else ""
    return f"{sign}{unit.before}{digits}{word}{unit.after}"


def share(value: float) -> str:
    """A share, from 0 to 1, in per cent.

    >>> share(0.8235), share(0.0213), share(1.0), share(0.0), share(0.07)
    ('82.4%', '2.13%', '100%', '0%', '7%')
    """
    return quantity(100.0 * value if abs(value) > NOISE else 0.0, PERCENT)


def ends_words(low: float, high: float, unit: Unit = COUNT) -> str:
    """``low to high`` of an interval whose middle stands elsewhere.

    >>> ends_words(454_976.0, 514_816.0, POUNDS), ends_words(3.0, 12.0)
    ('£455,000 to £515,000', '3 to 12')
    """
    if unit != POUNDS and is_whole(low) and is_whole(high):
        return f"{quantity(low, unit)} to {quantity(high, unit)}"
    return interval_words(Estimate((low + high) / 2, low, high), unit, signed=False)


def _scale(size: float, unit: Unit) -> tuple[int, str]:
    if unit == PERCENT or size < 999_500:
        return 0, ""
    return (9, unit.billion) if size >= 999_500_000 else (6, unit.million)


def rounded_alike(estimate: Estimate, unit: Unit, signed: bool = True) -> tuple[str, str, str]:
    """Value, low and high as text, rounded alike. With no interval the last two are empty.

    >>> rounded_alike(Estimate(-3.14e6, -5.04e6, -1.21e6), POUNDS)
    ('−£3.14m', '−£5.04m', '−£1.21m')
    >>> rounded_alike(Estimate(14_852.6, -5.04e8, 5.04e8), POUNDS)
    ('+£10,000', '−£504m', '+£504m')
    """
    place = estimate_place(estimate)
    numbers = (estimate.value, estimate.low, estimate.high)
    largest = max(abs(x) for x in numbers if x is not None)

    def said(x: float) -> str:
        lost = rounded(x, place) == 0 and abs(x) > NOISE * largest
        return quantity(x, unit, significant_place(x, 1), signed) if lost else quantity(x, unit, place, signed, largest)

    value, low, high = ("" if x is None else said(x) for x in numbers)
    return value, low, high


def interval_words(estimate: Estimate, unit: Unit, signed: bool = True) -> str:
    """``low to high``, or a word that there is none.

    >>> interval_words(Estimate(10.0, -20.0, 40.0), POUNDS)
    '−£20 to +£40'
    """
    _, low, high = rounded_alike(estimate, unit, signed)
    return f"{low} to {high}" if low else "no interval from one replication"


def with_range(value: float, low: float | None, high: float | None, unit: Unit = COUNT) -> str:
    """What has no sign, with its range behind it; without one where there is none or it has no width.

    >>> with_range(1.39, 1.3467, 1.4), with_range(5.0, 5.0, 5.0), with_range(2.5, None, None, POUNDS)
    ('1.39 (1.35 to 1.40)', '5', '£2.50')
    """
    shown, least, most = rounded_alike(Estimate.of(value, low, high), unit, signed=False)
    return f"{shown} ({least} to {most})" if least and low != high else shown


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
        """``total cost by £3.14m (95% interval £1.21m to £5.04m)``: sizes only, the verb says which way."""
        size = sorted(abs(x) for x in (self.difference.low, self.difference.high) if x is not None)
        value, low, high = rounded_alike(Estimate(abs(self.difference.value), *size), self.unit, signed=False)
        shorter = low.removesuffix(self.unit.after) if self.unit.after else low
        return f"{self.what} by {value} ({INTERVAL} {shorter} to {high})"

    def unclear(self) -> str:
        """``total cost (central estimate −£0.40m, 95% interval −£1.92m to +£1.12m)``."""
        if self.difference.low is None:
            return f"{self.what} (one replication, so no interval)"
        value, low, high = rounded_alike(self.difference, self.unit)
        return f"{self.what} (central estimate {value}, {INTERVAL} {low} to {high})"


def strategy_sentence(name: str, years: str, findings: Sequence[Finding], programme_cost: str) -> str:
    """What a commissioner could read aloud: the clear findings first, then what makes no clear difference.

    ``programme_cost`` closes the sentence, for example "at a programme cost of £6.0m, which total cost includes".

    >>> total = Finding("total cost", POUNDS, Estimate(-3.14e6, -5.04e6, -1.21e6))
    >>> print(strategy_sentence("Early help", "2013/14 to 2017/18", [total], "with no programme cost"))
    Over 2013/14 to 2017/18, “Early help” is expected to reduce total cost by £3.14m (95% interval £1.21m to £5.04m),
    with no programme cost.
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
