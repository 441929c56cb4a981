"""How providers fare: the market's log as a frame, what its prices do to the cost of care, and each provider's
accounts."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from simcare.arrays.names import names_of
from simcare.arrays.places import rows_of
from simcare.log.periods import period_of
from simcare.log.states import RUN
from simcare.model import Model
from simcare.money.payments import offers_of
from simcare.rules.market import FOR_EVERYBODY

SCHEMA = {
    "strategy": pl.String(), "replication": pl.Int32(), "time": pl.Float64(), "event": pl.String(),
    "provider": pl.String(), "service": pl.String(), "area": pl.String(), "places": pl.Int64(), "used": pl.Int64(),
    "spot": pl.Int64(), "price": pl.Float64(), "margin": pl.Float64(),
}  # fmt: skip
NO_MARKET = pl.DataFrame(schema=SCHEMA)


def market_frame(rows: NDArray[Any], model: Model, strategy: str, replication: int) -> pl.DataFrame:
    """The market's log (rows of ``rules.records.MARKET_ROW``) by name.

    Event ``quarter``: a provider's service at the beginning of a quarter, with its places (null for everybody), those
    used and bought on the spot, the price as a multiple of the contract's, and the provider's margin as a share of its
    income. Event ``failed``: a provider that fails, with those there (``used``).
    """
    names = names_of(model)
    pools = {row.pool: row for row in rows_of(model, names) if row.pool >= 0}
    found: list[tuple[Any, ...]] = []
    for row in rows:
        pool = pools.get(int(row["pool"]))
        service = None if pool is None else names.services[pool.service]
        area = None if pool is None or pool.area < 0 else names.areas[pool.area]
        places = int(row["places"]) if row["places"] < FOR_EVERYBODY else None
        event = "failed" if row["failed"] else "quarter"
        found.append((
            strategy, replication, float(row["time"]), event, names.providers[int(row["provider"])], service, area,
            places, int(row["used"]), int(row["spot"]), float(row["price"]), float(row["margin"])
        ))  # fmt: skip
    return pl.DataFrame(found, schema=SCHEMA, orient="row")


def with_drift(costs: pl.DataFrame, market: pl.DataFrame, periods: pl.DataFrame) -> pl.DataFrame:
    """Costs by IDS and period with ``drift``: the price as a multiple of the contract's, as the market left it at the
    last quarter."""
    quarters = market.filter(pl.col("event") == "quarter")
    drift = np.ones(costs.height)
    begins = periods["from_day"].to_numpy()[costs["period"].to_numpy()]
    plain = {name: costs[name].cast(pl.String).to_numpy() for name in ("strategy", "area", "service", "provider")}
    replication = costs["replication"].to_numpy()
    for key, rows in quarters.partition_by(
        "strategy", "replication", "service", "provider", "area", as_dict=True
    ).items():
        strategy, number, service, provider, area = key
        mine = (
            (plain["service"] == service)
            & (plain["provider"] == provider)
            & (replication == number)
            & (plain["strategy"] == strategy)
        )
        mine = mine if area is None else mine & (plain["area"] == area)
        times = rows["time"].to_numpy()
        k = np.searchsorted(times, begins[mine], side="right") - 1
        drift[mine] = np.where(k >= 0, rows["price"].to_numpy()[np.maximum(k, 0)], 1.0)
    return costs.with_columns(pl.Series("drift", drift))


def with_failures(costs: pl.DataFrame, market: pl.DataFrame, periods: pl.DataFrame) -> pl.DataFrame:
    """Costs by IDS and period with ``failed``: whether the provider has."""
    gone = market.filter(pl.col("event") == "failed")
    failed = np.zeros(costs.height, np.bool_)
    strategy, provider = (costs[name].cast(pl.String).to_numpy() for name in ("strategy", "provider"))
    replication, period = costs["replication"].to_numpy(), costs["period"].to_numpy()
    for row in gone.rows(named=True):
        since = int(period_of(np.array([row["time"]]), periods)[0])
        failed |= (
            (strategy == row["strategy"])
            & (replication == row["replication"])
            & (provider == row["provider"])
            & (period >= since)
        )
    return costs.with_columns(pl.Series("failed", failed))


def accounts(care: pl.DataFrame, served: pl.DataFrame, model: Model, periods: pl.DataFrame) -> pl.DataFrame:
    """What providers that state their costs earn and spend, by service and period, in prices of the base year.

    ``care`` is what contracts paid (RUN, service, provider, period, gbp), ``served`` the person-days. Columns: RUN,
    service, provider, period, income, variable, fixed, overhead (shared by income), days.
    """
    keys = [*RUN, "service", "provider", "period"]
    income = care.group_by(keys, maintain_order=True).agg(pl.col("gbp").sum().alias("income"))
    days = served.group_by(keys, maintain_order=True).agg(pl.col("days").sum())
    share = periods.select("period", ((pl.col("to_day") - pl.col("from_day")) / pl.col("year_days")).alias("year"))
    rows = [
        (
            o.service,
            p.name,
            *(
                0.0 if number is None else number.value
                for number in (o.variable_gbp_per_day, o.fixed_gbp_per_year, p.overhead_gbp_per_year)
            ),
        )
        for p, o in offers_of(model)
        if o.variable_gbp_per_day is not None or o.fixed_gbp_per_year is not None
    ]
    schema = {
        "service": pl.String,
        "provider": pl.String,
        "a_day": pl.Float64,
        "a_year": pl.Float64,
        "over": pl.Float64,
    }
    names = [pl.col(name).cast(served.schema[name], strict=False) for name in ("service", "provider")]
    stated = pl.DataFrame(rows, schema=schema, orient="row").with_columns(names).drop_nulls()
    joined = income.join(days, on=keys, how="full", coalesce=True, maintain_order="left").join(
        stated, on=["service", "provider"], how="inner"
    )
    known = (
        joined.join(share, on="period", how="left", maintain_order="left")
        .with_columns(pl.col("income", "days").fill_null(0.0))
        .sort(keys)
    )
    part = pl.col("income") / pl.col("income").sum().over(*RUN, "provider", "period")
    return known.select(
        *keys,
        "income",
        (pl.col("days") * pl.col("a_day")).alias("variable"),
        (pl.col("a_year") * pl.col("year")).alias("fixed"),
        (pl.col("over") * pl.col("year") * part.fill_nan(0.0)).alias("overhead"),
        "days",
    )
