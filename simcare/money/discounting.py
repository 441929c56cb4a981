"""What a pound of a later year is worth in the base year: discounting as the Green Book has it."""

from __future__ import annotations

import math
from itertools import pairwise

from simcare.model.parts import Prices
from simcare.units import parsed_year


def base_year(prices: Prices) -> int:
    """The calendar year in which the price base began: 2012 for "2012/13"."""
    return parsed_year(prices.base_year)


def discount_factor(prices: Prices, year: int) -> float:
    """What £1 of real money in year ``year`` of the run is worth in its first year (year 0).

    A band's rate holds for the steps into its years: with bands from 0 and 31, the step from year 30 to 31 is the first
    at the second rate, as in the Green Book's table.

    >>> from simcare.files.load import load_model
    >>> discount_factor(load_model("mm-infinity").prices, 10)
    1.0
    """
    rates = [[band.per_year.value for band in prices.discount if band.from_year <= y][-1] for y in range(1, year + 1)]
    return math.prod((1.0 / (1.0 + rate) for rate in rates), start=1.0)


def annuity(prices: Prices, years: float) -> float:
    """The present value of £1 a year paid evenly over ``years``, discounted continuously: ∫ (1 + r)^−t dt, band by
    band.

    For converting a lump sum to an annual equivalent; yearly figures are discounted in whole years instead.

    >>> from simcare.files.load import load_model
    >>> annuity(load_model("mm-infinity").prices, 10)
    10.0
    """
    bands = [(float(band.from_year), band.per_year.value) for band in prices.discount if band.from_year < years]
    worth, value = 1.0, 0.0
    for (start, rate), (end, _) in pairwise([*bands, (years, 0.0)]):
        force = math.log1p(rate)
        length = end - start
        value += worth * (-math.expm1(-force * length) / force if force else length)
        worth *= math.exp(-force * length)
    return value
