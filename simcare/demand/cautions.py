"""What makes a series of counts not what it seems: months not yet counted, totals for the year, copies, mistyped dates.

Each finding is a sentence for the reader; what would make a forecast senseless is left out or refused, and told too.
"""

from __future__ import annotations

import calendar
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from simcare.demand.dates import MONTHS, WrittenDate
from simcare.demand.series import MonthlyCounts, Values
from simcare.units import month_name, three_figures

FAR, APART, FEW = 240, 60, 3  # months: a gap that is always an error; one that is where so few months lie beyond it
SPREAD = 10.0  # the size of a negative binomial whose counts differ widely, by a third either way
NEVER = 1e-5  # a chance that is no chance
RECENT = 24  # months that an end of a series is held against
UNFINISHED = 0.7  # of the lowest recent month: a last month below that may not have been complete


class Trimmed(NamedTuple):
    """Counts without the zeros before counting began and after it ended, and sentences on them."""

    counts: Values
    notes: list[str]


def far_month(at: Sequence[int]) -> int | None:
    """A month that lies so far from the others that its year is mistyped; None where none does.

    >>> from simcare.units import parsed_month
    >>> around = [parsed_month("2018-04") + k for k in range(12)]
    >>> month_name(far_month([parsed_month("0218-05"), *around])), far_month(around)
    ('0218-05', None)
    """
    every = sorted(set(at))
    for k, (earlier, later) in enumerate(pairwise(every), start=1):
        before, after = k, len(every) - k
        if later - earlier > FAR or (later - earlier > APART and min(before, after) <= FEW < max(before, after)):
            return earlier if before <= after else later
    return None


def without_empty_ends(counts: Values, first: int) -> Trimmed:
    """Zeros at the end, or the beginning, of counts that are otherwise never so low are no counts: left out.

    >>> from simcare.units import parsed_month
    >>> found = without_empty_ends(np.array([100.0] * 24 + [0.0] * 3), parsed_month("2018-04"))
    >>> int(np.isnan(found.counts).sum()), found.notes[0][:49]
    (3, 'The counts from 2020-04 on are 0, after about 100')
    """
    counts, notes = counts.copy(), list[str]()
    for end, way in (("last", -1), ("first", 1)):
        walked = counts[::way]
        told = np.flatnonzero(~np.isnan(walked))
        run = int(np.argmax(walked[told] != 0)) if (walked[told] != 0).any() else 0
        rest = walked[told[run:]]
        mean = float(rest[:RECENT].mean()) if rest.size else 0.0
        if run == 0 or _longest_of_zeros(rest) >= run or -run * SPREAD * np.log1p(mean / SPREAD) > np.log(NEVER):
            continue
        walked[told[:run]] = np.nan  # a view: the counts themselves
        month = month_name(first + (len(counts) - 1 - int(told[run - 1]) if way < 0 else int(told[run - 1])))
        when, why = ("from {} on", "not yet counted") if end == "last" else ("until {}", "from before counting began")
        usual = f"{'after' if end == 'last' else 'before'} about {three_figures(mean)} a month"
        notes.append(f"The counts {when.format(month)} are 0, {usual}: they are taken as {why}, and left out")
    return Trimmed(counts, notes)


def _longest_of_zeros(counts: Values) -> int:
    longest = here = 0
    for count in counts:
        here = here + 1 if count == 0 else 0
        longest = max(longest, here)
    return longest


def year_to_date(counts: Values, first: int) -> str | None:
    """The name of the month in which counts begin again, where they add up from month to month through each year.

    >>> from simcare.units import parsed_month
    >>> year_to_date(np.cumsum(np.full((3, 12), 10.0), axis=1).ravel(), parsed_month("2018-04"))
    'April'
    """
    at = first + np.flatnonzero(~np.isnan(counts))
    known = counts[at - first]
    steps, joined = np.diff(known), np.diff(at) == 1
    if joined.sum() < 18 or (steps[joined] < 0).sum() < 2:
        return None
    begins = {int(month) % 12 for month in at[1:][joined & (steps < 0)]}
    if len(begins) != 1:
        return None
    begin = begins.pop()
    again = at[1:] % 12 == begin
    falls = bool((known[1:][again & joined] < 0.5 * known[:-1][again & joined]).all())
    return MONTHS[begin + 1].capitalize() if falls and bool((steps[joined & ~again] >= 0).all()) else None


def cautions(series: MonthlyCounts, dates: Sequence[WrittenDate] = ()) -> list[str]:
    """Sentences on what a reader of a forecast must know of its counts; ``dates`` are those of its rows."""
    known = series.counts[series.seen]
    return [
        *_unfinished(series, dates),
        *_running_total(known),
        *_copied(series),
        *_rounded(known),
    ]


def _unfinished(series: MonthlyCounts, dates: Sequence[WrittenDate]) -> list[str]:
    """A month at an end of the series that may not be complete: far below any near it, or cut short by its date."""
    found = []
    if (cut := _cut_short(series, dates)) is not None:
        found.append(
            f"The last date is {cut}, within a month, where the others end one: if {month_name(series.last)} is not"
            " complete, leave its count empty"
        )
    known = np.flatnonzero(series.seen)
    if known.size < 13:
        return found
    for at, near, which in ((known[-1], known[-1 - RECENT : -1], "last"), (known[0], known[1 : 1 + RECENT], "first")):
        count, others = float(series.counts[at]), series.counts[near]
        mean, lowest = float(others.mean()), float(others.min())
        sd = np.sqrt(mean + float(others.var()))
        if count < UNFINISHED * lowest and count < mean - 3.0 * sd and not found:
            month = month_name(series.first + int(at))
            found.append(
                f"The {which} month, {month}, has {count:g}, far below the {lowest:g} or more of the months near it:"
                " if it was not complete when it was counted, leave its count empty"
            )
    return found


def _cut_short(series: MonthlyCounts, dates: Sequence[WrittenDate]) -> str | None:
    ends = [(date, date.day == calendar.monthrange(date.year, date.month)[1]) for date in dates if date.day is not None]
    if len(ends) < len(dates) or len(ends) < 2:
        return None
    *earlier, (last, is_end) = sorted(ends)
    here = month_name(series.last) == f"{last.year:04d}-{last.month:02d}"
    return str(last) if here and not is_end and all(end for _, end in earlier) else None


def _running_total(known: Values) -> list[str]:
    steps = np.diff(known)
    if known.size < 24 or (steps < 0).any() or (steps > 0).mean() < 0.8:
        return []
    return [
        f"In {known.size} months the counts never fall: if they are a running total, give the count of each month alone"
    ]


def _copied(series: MonthlyCounts) -> list[str]:
    """Counts that chance would not make: the year before again, or the same count for months."""
    counts = series.counts
    known = counts[series.seen]
    if known.size == 0 or np.ptp(known) == 0:
        return []
    if repeats(series):
        return ["Every count is that of the same month a year before, as no real counts are: intervals are too narrow"]
    runs = np.flatnonzero(np.diff(np.concatenate([[np.nan], counts, [np.nan]])) != 0)
    lengths = np.diff(runs)
    longest = int(lengths.argmax())
    count = float(counts[runs[longest]])
    # that a Poisson count is the same again has a chance of about 0.28 over the root of its mean
    if not np.isnan(count) and count > 20 and (0.3 / np.sqrt(count)) ** (lengths[longest] - 1) * known.size < NEVER:
        month = month_name(series.first + int(runs[longest]))
        return [f"The count is {count:g} in each of {lengths[longest]} months from {month} on: were months filled in?"]
    return []


def repeats(series: MonthlyCounts) -> bool:
    """Whether every count is that of the same month a year before, for a year or more."""
    counts = series.counts
    both = ~np.isnan(counts[12:]) & ~np.isnan(counts[:-12])
    return bool(both.sum() >= 12 and (counts[12:][both] == counts[:-12][both]).all())


def _rounded(known: Values) -> list[str]:
    to = next((to for to in (100, 50, 10, 5) if known.size >= 24 and (known % to == 0).all()), None)
    if to is None or known.max() <= 2 * to or np.unique(known).size < 3:
        return []
    return [f"Every count is a multiple of {to}: they seem to be rounded, which the intervals do not know of"]


def same_counts(every: Mapping[str, MonthlyCounts]) -> dict[str, str]:
    """A sentence on each series whose counts are those of another, month for month."""
    seen: dict[tuple[int, bytes], str] = {}
    found = {}
    for name, series in every.items():
        if np.ptp(series.counts[series.seen]) == 0:
            continue
        key = (series.first, np.nan_to_num(series.counts, nan=-1.0).tobytes())
        if key in seen:
            found[name] = f"Its counts are those of {seen[key]}, month for month: was one copied over the other?"
        seen.setdefault(key, name)
    return found


__all__ = ["Trimmed", "cautions", "far_month", "repeats", "same_counts", "without_empty_ends", "year_to_date"]
