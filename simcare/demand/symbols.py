"""Counts that a table shows as symbols: which are suppressed because they are small, which are zero, which missing.

A symbol means what the table makes of it. A dash is zero where counts from 1 to 5 are shown and no zero is; it is a
suppressed count where zeros are shown and no count from 1 to 5 is. A count that is suppressed lies below the smallest
that is shown. Where a series is never near so small a count, a symbol hides something else, and the count is missing.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from simcare.demand.cells import DASHES, LARGEST, SMALLEST, CountCell, read_count
from simcare.demand.headings import HeadedTable
from simcare.demand.months import Months
from simcare.demand.series import Values
from simcare.demand.suppressed import log_probabilities
from simcare.units import month_name, three_figures

NEAR = 12  # months on each side that say how large a count is about then
DISPERSION, NEVER = 0.05, 1e-4  # of counts about such a month, and the chance below which it is not so small
MOST_COUNTED = 1e10  # in a month


class CountColumn(NamedTuple):
    """Counts of rows: known, or within bounds (else not a number); ``stated`` where the symbol gives the bounds."""

    values: Values
    low: Values
    high: Values
    symbols: tuple[str | None, ...]
    stated: tuple[bool, ...]
    notes: tuple[str, ...] = ()

    def at(self, rows: Sequence[int]) -> CountColumn:
        """Those of some rows."""
        symbols, stated = tuple(self.symbols[k] for k in rows), tuple(self.stated[k] for k in rows)
        return CountColumn(self.values[rows], self.low[rows], self.high[rows], symbols, stated, self.notes)


def read_counts(path: Path, table: HeadedTable, faults: list[str]) -> CountColumn:
    """The counts of a table; what is none becomes a fault."""
    cells = []
    for k, text in enumerate(table.columns["count"]):
        here = f"{path}: row {table.rows[k]}: count"
        try:
            cell = read_count(text)
        except ValueError:
            faults.append(f"{here}: should be a number, got {text!r}")
            cell = CountCell()
        if cell.value < 0:
            faults.append(f"{here}: {cell.value:g} is below zero; a count of people cannot be")
        elif cell.value > MOST_COUNTED:
            faults.append(f"{here}: {cell.value:g} is more than there are people; is it mistyped?")
        elif cell.value != round(cell.value) if cell.value == cell.value else False:
            faults.append(f"{here}: {cell.value:g} is no whole number; give counts of people, not rates")
        cells.append(cell)
    cells, notes = _understood(cells)
    values, low, high = (np.array([getattr(c, name) for c in cells], dtype=float) for name in ("value", "low", "high"))
    stated = tuple(cell.stated for cell in cells)
    return CountColumn(values, low, high, tuple(cell.symbol for cell in cells), stated, tuple(notes))


def _understood(cells: Sequence[CountCell]) -> tuple[list[CountCell], list[str]]:
    """Cells with symbols as this table means them, and sentences on those that could mean another thing."""
    shown = [cell.value for cell in cells if cell.value == cell.value]
    smallest = min((value for value in shown if value > 0), default=np.inf)
    found, notes = list(cells), dict[str, None]()
    for k, cell in enumerate(cells):
        if cell.symbol in DASHES:
            found[k], note = _dash(cell, smallest <= LARGEST, 0.0 in shown)
            notes[note] = None
        elif cell.low == cell.low and not cell.stated and smallest <= cell.high:
            if smallest > SMALLEST:
                found[k] = cell._replace(high=smallest - 1.0)
            else:
                found[k] = CountCell(symbol=cell.symbol)
                notes[f"'{cell.symbol}' is read as a missing count, since counts as small as 1 are shown"] = None
    return found, list(notes)


def _dash(cell: CountCell, small: bool, zero: bool) -> tuple[CountCell, str]:
    if small and not zero:
        return CountCell(0.0), f"'{cell.symbol}' is read as 0: counts from 1 to 5 are shown, and no 0 is"
    if zero and not small:
        why = "0 is shown, and no count from 1 to 5 is"
        bounded = CountCell(low=SMALLEST, high=LARGEST, symbol=cell.symbol)
        return bounded, f"'{cell.symbol}' is read as a suppressed count, from 1 to 5: {why}"
    return cell, f"'{cell.symbol}' is read as a missing count; write 0 for none, or <5 for a count that is suppressed"


def believed_bounds(
    rows: CountColumn, at: Months, counts: Values, low: Values, high: Values
) -> tuple[Values, Values, list[str]]:
    """The bounds of a series' suppressed counts, without those where so small a count could not be; and sentences.

    ``rows`` are those of the series, ``at`` their months, ``counts`` the known ones, from its first month on.
    """
    low, high = low.copy(), high.copy()
    first = int(at[~np.isnan(rows.values) | ~np.isnan(rows.low)].min())
    symbol_at = {int(m) - first: pair for m, *pair in zip(at, rows.symbols, rows.stated, strict=True)}
    doubted = []
    for k in np.flatnonzero(~np.isnan(low)):
        near = counts[max(k - NEAR, 0) : k + NEAR + 1]
        near = near[~np.isnan(near)]
        if near.size < NEAR // 2 or symbol_at[int(k)][1]:
            continue
        mean = np.full(1, max(float(np.median(near)), 0.5))
        logs = [log_probabilities(np.array([y]), mean, DISPERSION)[0] for y in np.arange(low[k], high[k] + 1.0)]
        if np.exp(logs).sum() < NEVER:
            low[k] = high[k] = np.nan
            doubted.append(
                f"{month_name(first + int(k))} ('{symbol_at[int(k)][0]}', near {three_figures(float(mean[0]))})"
            )
    notes = []
    if doubted:
        shown = ", ".join(doubted[:3]) + (" …" if len(doubted) > 3 else "")
        notes.append(f"Too large around there to be a small count that is suppressed, so taken as missing: {shown}")
    hidden = np.flatnonzero(~np.isnan(low))
    if hidden.size:
        symbols = ", ".join(dict.fromkeys(f"'{symbol_at[int(k)][0]}'" for k in hidden))
        bounds = f"from {np.nanmin(low):g} to {np.nanmax(high):g}"
        notes.append(
            f"In {hidden.size} of {counts.size} months the count is suppressed ({symbols}): it is taken to lie"
            f" {bounds}, and the forecast allows for that"
        )
    return low, high, notes


__all__ = ["CountColumn", "believed_bounds", "read_counts"]
