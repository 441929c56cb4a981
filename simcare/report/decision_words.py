"""The words of a decision: what is saved and avoided, in how many simulated futures, and on what it hangs.

A change below zero is what is wanted, of money and of dependency alike; in words it is a saving, as a council reads it.
"""

from __future__ import annotations

import polars as pl

from simcare.decide.answers import MONEY
from simcare.model.strategy import Goal
from simcare.report import wording
from simcare.report.likelihood import of_futures
from simcare.units import MINUS

KINDS = {  # what a spread comes from, in the order in which it is shown
    "uncertain": "What is not known of the model",
    "effect": "How strongly the strategies act",
    "demand": "Demand",
    "chance": "Chance events",
}


def saved(change: wording.Estimate, on_average: str = "") -> str:
    """A change in money as a council says it, with its interval from the worse end to the better; ``on_average`` may
    stand between the two.

    >>> saved(wording.Estimate(-9.1e6, -19.0e6, 2.0e6)), saved(wording.Estimate(-9.1e6, -19.0e6, -2.0e6))
    ('saves £9.1m (costs £2.0m to saves £19.0m)', 'saves £9.1m (£2.0m to £19.0m)')
    >>> saved(wording.Estimate(3e6), " on average"), saved(wording.Estimate(0.0, 0.0, 0.0))
    ('costs £3.00m on average', 'no change')
    """
    return _said(change, wording.POUNDS, "saves", "costs", on_average)


def avoided(change: wording.Estimate, days: str = "") -> str:
    """A change in dependency-days in words.

    >>> avoided(wording.Estimate(-4_160.0, -8_310.0, 52.0))
    'avoids 4,160 (adds 50 to avoids 8,310)'
    """
    return _said(change, wording.COUNT, "avoids", "adds", days)


def _said(change: wording.Estimate, unit: wording.Unit, less: str, more: str, after: str) -> str:
    value, low, high = wording.rounded_alike(change, unit, signed=False)
    mean = f"{_one(value, less, more)}{after}"
    if not low:
        return mean
    ends = (change.low or 0.0, change.high or 0.0)
    if change.value == ends[0] == ends[1] == 0:
        return "no change"
    if len({x < 0 for x in (change.value, *ends)}) == 1 and 0 not in ends:  # all on one side: the verb once
        sizes = [text.removeprefix(MINUS) for _, text in sorted(zip(map(abs, ends), (low, high), strict=True))]
        return f"{mean} ({sizes[0]} to {sizes[1]})"
    return f"{mean} ({_one(high, less, more)} to {_one(low, less, more)})"


def _one(text: str, less: str, more: str) -> str:
    if not text.strip("£0.mbn"):
        return "no change"
    return f"{less} {text.removeprefix(MINUS)}" if text.startswith(MINUS) else f"{more} {text}"


def percent(chance: float) -> str:
    """A chance in a table: the share of simulated futures, in whole per cent; only all is called all, and none none.

    >>> [percent(p) for p in (1.0, 0.996, 0.823, 0.004, 0.0)]
    ['all', 'over 99%', '82%', 'under 1%', 'none']
    """
    if chance in (0.0, 1.0):
        return "all" if chance else "none"
    return "over 99%" if chance > 0.99 else "under 1%" if chance < 0.01 else f"{100 * chance:.0f}%"


def in_futures(chance: float) -> str:
    """The same in a sentence.

    >>> in_futures(1.0), in_futures(0.823), in_futures(0.0)
    ('in all simulated futures', 'in 82% of simulated futures', 'in no simulated future')
    """
    if chance == 0.0:
        return "in no simulated future"
    return f"in {of_futures(chance)}"


def target_words(target: Goal) -> str:
    """What an experiment asks of its strategies.

    >>> target_words(Goal(measure="cost_council", at_most=-5e6))
    'cost to the council, cash budget: a change of −£5.00m at most'
    """
    about = wording.shown_measure(target.measure)
    number, side = (target.at_most, "at most") if target.at_least is None else (target.at_least, "at least")
    assert number is not None
    return f"{about.in_sentence}: a change of {wording.quantity(number, about.unit, signed=True)} {side}"


def longest_causes(tornado: pl.DataFrame, strategy: str, most: int, measure: str = MONEY) -> pl.DataFrame:
    """The rows of the causes on which a strategy's difference hangs most: the longest that are above noise."""
    mine = tornado.filter((pl.col("strategy") == strategy) & (pl.col("measure") == measure) & pl.col("above_noise"))
    return mine.head(most)


__all__ = [
    "KINDS",
    "avoided",
    "in_futures",
    "longest_causes",
    "percent",
    "saved",
    "target_words",
]
