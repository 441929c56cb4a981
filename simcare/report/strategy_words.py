"""The plain sentence of a strategy: what it is likely to do, how likely, and between what."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from simcare.report.likelihood import NO_DIRECTION, likelihood, of_futures
from simcare.report.wording import POUNDS, PREDICTION, Estimate, Unit, listed, rounded_alike
from simcare.units import MINUS


@dataclass(frozen=True)
class Finding:
    """What a strategy does to one measure: how it is said, its unit, and the paired difference from the baseline with
    its prediction interval and its chances."""

    what: str
    unit: Unit
    difference: Estimate

    @property
    def chance(self) -> float:
        """The chance of the side on which it lies."""
        lower, higher = self.difference.lower or 0.0, self.difference.higher or 0.0
        return lower if self.difference.verdict == "lower" else higher

    @property
    def lead(self) -> str:
        """``likely to reduce cost by £9.10m (82% of simulated futures), between a cost of £2.00m and a saving of
        £19.0m``: sizes only, the verb says which way."""
        verb = "reduce" if self.difference.verdict == "lower" else "increase"
        size = rounded_alike(self.difference, self.unit)[0].lstrip(f"+{MINUS}")
        return f"{likelihood(self.chance)} to {verb} {self.what} by {size} ({of_futures(self.chance)}), {self.between}"

    @property
    def unclear(self) -> str:
        """``cost (+£0.40m, between a saving of £1.12m and a cost of £1.92m)``."""
        return f"{self.what} ({rounded_alike(self.difference, self.unit)[0]}, {self.between})"

    @property
    def between(self) -> str:
        """The prediction interval, its ends named: a cost or a saving, more or fewer."""
        mean, low, high = rounded_alike(self.difference, self.unit)
        if low == high:  # to the digits that are shown
            return "the same in all" if low == mean else f"{low} in nine of ten"
        if low[:1] == high[:1]:
            near, far = sorted((low, high), key=lambda text: abs(_size(self, text)))
            return f"between {_bare(near)} and {_bare(far)}"
        return (
            f"between {self._named(high)} and {self._named(low)}"
            if self.difference.verdict == "lower"
            else (f"between {self._named(low)} and {self._named(high)}")
        )

    def _named(self, text: str) -> str:
        """An end with the word for its side."""
        fewer = text.startswith(MINUS)
        if self.unit == POUNDS:
            return f"a {'saving' if fewer else 'cost'} of {_bare(text)}" if _bare(text) != text else "no change"
        return f"{_bare(text)} {'fewer' if fewer else 'more'}" if _bare(text) != text else "no change"


def _bare(text: str) -> str:
    return text.lstrip(f"+{MINUS}")


def _size(finding: Finding, text: str) -> float:
    low, high = rounded_alike(finding.difference, finding.unit)[1:]
    end = finding.difference.low if text == low and text != high else finding.difference.high
    return float(end or 0.0)


def strategy_sentence(
    name: str,
    years: str,
    findings: Sequence[Finding],
    programme_cost: str,
    replications: int,
    hangs_on: Sequence[str] = (),
) -> str:
    """What a commissioner could read aloud: what is likely, how likely, and between what; then what has no clear
    direction; what it costs itself; and what it all hangs on.

    ``programme_cost`` closes the first part, for example "at a programme cost of £6.0m, which the costs include".

    >>> cost = Finding("cost to the council", POUNDS, Estimate(-9.1e6, -19e6, 2e6, 0.82, 0.18))
    >>> print(strategy_sentence("Early help", "2013/14 to 2017/18", [cost], "with no programme cost", 100, ["prices"]))
    Over 2013/14 to 2017/18, “Early help” is likely to reduce cost to the council by £9.1m (82% of simulated futures),
    between a cost of £2.0m and a saving of £19.0m (90% prediction interval), with no programme cost. What matters
    most: prices.
    """
    start = f"{'Over' if ' to ' in years else 'In'} {years}, “{name}”"
    same = [f for f in findings if f.difference.verdict == "none"]
    moving = [f for f in findings if f.difference.verdict != "none"]
    tail = f" What matters most: {listed(list(hangs_on))}." if hangs_on and moving else ""
    nothing = f"makes no difference at all to {listed([f.what for f in same], 'or')}" if same else ""
    if not moving:
        return f"{start} {nothing}, {programme_cost}."
    if any(f.difference.low is None for f in moving):
        each = [f"{f.what} by {rounded_alike(f.difference, f.unit)[0]}" for f in moving]
        few = f"on average of {replications} replications, too few to say how likely that is"
        also = f", and {nothing}" if nothing else ""
        return f"{start} changes {listed(each)} {few}{also}, {programme_cost}."
    clear = [f.lead for f in moving if f.difference.verdict != "unclear"]
    unclear = [f.unclear for f in moving if f.difference.verdict == "unclear"]
    said = [f"is {clear[0]} ({PREDICTION}), {programme_cost}" if clear else ""]
    if len(clear) > 1:
        said.append(f"it is {listed(clear[1:])}")
    if unclear:
        either = f"{NO_DIRECTION} to go either way: {listed(unclear)}"
        said.append(f"is {either} ({PREDICTION}), {programme_cost}" if not clear else f"{either}")
    if nothing:
        said.append(f"it {nothing}")
    return f"{start} {'; '.join(part for part in said if part)}.{tail}"


__all__ = ["Finding", "strategy_sentence"]
