"""The ledger's amounts by financial year, and over the whole horizon."""

from __future__ import annotations

import polars as pl

from simcare.log.periods import total
from simcare.log.states import RUN
from simcare.money.ledger import AMOUNTS
from simcare.units import first_year, year_name


def by_year(measures: pl.DataFrame) -> pl.DataFrame:
    """Cost by financial year from the tidy measures, over everything. Columns: strategy, replication, financial_year,
    then the amounts.

    Every strategy and replication has a row for every financial year of the frame; what is absent is nought.

    >>> rows = {"strategy": "baseline", "replication": 0, "month": ["2014-03", "2014-04"]}
    >>> rows |= {"measure": "cost", "value": [10.0, 20.0]}
    >>> by_year(pl.DataFrame(rows)).select("financial_year", "cost").rows()
    [('2013/14', 10.0), ('2014/15', 20.0)]
    """
    amounts = measures.filter(pl.col("measure").is_in(AMOUNTS)).select(*RUN, "month", "measure", "value")
    months = measures.select(pl.col("month").unique())
    dates = months["month"].cast(pl.String) + "-01"
    years = months.with_columns(
        pl.Series("financial_year", [year_name(first_year(date)) for date in dates.str.to_date()], dtype=pl.String)
    )
    dated = amounts.join(years, on="month", maintain_order="left")
    keys = (*RUN, "financial_year")
    grid = (
        measures.select(RUN)
        .unique()
        .sort(RUN)
        .join(years.select("financial_year").unique().sort("financial_year"), how="cross")
    )
    for amount in AMOUNTS:
        summed = total(dated.filter(pl.col("measure") == amount).rename({"value": amount}), keys, [amount])
        grid = grid.join(summed, on=keys, how="left", maintain_order="left").with_columns(pl.col(amount).fill_null(0.0))
    return grid


def present_value(measures: pl.DataFrame) -> pl.DataFrame:
    """Cost of the whole run by strategy and replication: strategy, replication, then the amounts; cost_pv is the
    present value.

    >>> rows = {"strategy": "baseline", "replication": 0, "month": ["2013-04", "2014-04"]}
    >>> rows |= {"measure": "cost_pv", "value": [10.0, 9.5]}
    >>> present_value(pl.DataFrame(rows))["cost_pv"].to_list()
    [19.5]
    """
    return total(by_year(measures), RUN, AMOUNTS)
