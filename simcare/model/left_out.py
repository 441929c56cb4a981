"""Numbers of grade C or D that neither move nor are said to be fixed: what a run takes for known, and nobody knows."""

from __future__ import annotations

from collections.abc import Iterator

from simcare.model.addresses import Address, addresses, fitting
from simcare.model.cells import clock_cells, rates_of
from simcare.model.checks.effects import present, reached
from simcare.model.fields import ModelFields

WEAK = ("C", "D")
PACES = ("per_year", "scale_days", "mean_days", "log_mean", "factor")  # of a clock: what a factor on it moves


def left_out(model: ModelFields) -> list[Address]:
    """Numbers of grade C or D that no row of what is not known moves, and no row of what is fixed names.

    >>> from simcare.files.load import load_model
    >>> [one.path for one in left_out(load_model("mm-infinity"))][:2]
    ['contracts.flat.gbp_per_day', 'offers.council.community_care.weight']
    """
    every = list(addresses(model))
    named = {
        address.at
        for rows in ([row.patterns for row in model.uncertain], [row.paths for row in model.fixed])
        for patterns in rows
        for address in fitting(patterns, every)
    }
    moving = set(_by_factors(model))
    return [one for one in every if one.grade in WEAK and one.at not in named and one.at not in moving]


def unknowns_in_words(model: ModelFields) -> list[str]:
    """A sentence on a model that says what is not known of it; none on one that says nothing."""
    if not model.uncertain:
        return []
    every = [one for one in addresses(model) if one.grade in WEAK]
    left = len(left_out(model))
    held = len(fitting([path for fixed in model.fixed for path in fixed.paths], every))
    rows = f"{len(model.uncertain)} row{'s' * (len(model.uncertain) > 1)} of what is not known"
    moves = f"move{'s' * (len(model.uncertain) == 1)} {len(every) - left - held}"
    fixed = f", {held} are fixed with a reason" if held else ""
    return [f"{rows} {moves} of its {len(every)} numbers of grade C or D{fixed}, {left or 'none'} {_is(left)} left out"]


def _is(count: int) -> str:
    return "are" if count > 1 else "is"


def _by_factors(model: ModelFields) -> Iterator[tuple[str | int, ...]]:
    """The numbers that factors on clocks and arrivals move, in every cell in which they count."""
    touched: dict[str, set[tuple[str, str, str]]] = {}
    for row in model.uncertain:
        for cells in row.multiply:
            touched.setdefault(cells.on, set()).update(reached(model, cells))
    pairs = present(model)
    for k, clock in enumerate(model.clocks):
        rates = dict(rates_of(clock)) if clock.family == "constant" else {}
        mine = {
            cell
            for cell in clock_cells(model, clock)
            if cell[:2] in pairs and rates.get(cell[2], rates.get(None, 1.0)) != 0
        }
        if mine <= touched.get(clock.clock, set()):
            yield from (("clocks", k, field) for field in PACES)
    arrivals = touched.get("arrivals", set())
    for k, arriving in enumerate(model.arrivals):
        shares = zip(model.need_levels, arriving.needs.value, strict=True)
        if all((arriving.stage, arriving.group, need) in arrivals for need, share in shares if share > 0):
            yield ("arrivals", k, "per_year")


__all__ = ["WEAK", "left_out", "unknowns_in_words"]
