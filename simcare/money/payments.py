"""What contracts pay beside a flat price: days by the day of the stay, sums on a day, at a step-down, taken back, and
by the block.

A contract's price by day of stay changes on *bands*: every person-day is paid the first band's price, and the days
after a band's first day the difference to the band before. So a tapered tariff is exact with person-days counted after
each band's first day, and no stay is looked at. Sums are worked out from spells (:mod:`simcare.log.spells`), each under
the contract of its day.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from simcare.log.periods import period_of, total
from simcare.log.states import IDS, PLACE, RUN
from simcare.model import Model
from simcare.model.capacity import Offer, Provider
from simcare.model.contracts import Contract
from simcare.model.offers import contract_on, tariff_starts
from simcare.model.tariff import Tariff
from simcare.units import parsed_year

Days = NDArray[np.float64]
HAIR = 6  # decimals of a day: what differences of days are rounded to
SUMS = ("episode", "step_down", "clawback")  # kinds of the ledger; the last is below nought


class Held(NamedTuple):
    """An offer under one tariff, from a date of the run on, up to a day (infinity for the last)."""

    service: str
    provider: str
    since: dt.date
    from_day: float
    to_day: float
    tariff: Tariff
    contract: Contract
    under_from: float  # the day from which the contract, by name, has held without a break


def tariffs_held(model: Model) -> Iterator[Held]:
    """Every offer with each tariff that it is ever under, in order; offers by area are under one contract."""
    for provider, offer in offers_of(model):
        dates = tariff_starts(model, offer)
        days = [-np.inf, *(float((date - model.about.start).days) for date in dates[1:]), np.inf]
        name, under_from = "", -np.inf
        for k, date in enumerate(dates):
            contract = contract_on(model, offer, date)
            under_from = under_from if contract.name == name else days[k]
            name = contract.name
            yield Held(
                offer.service,
                provider.name,
                date,
                days[k],
                days[k + 1],
                contract.tariff(date),
                contract,
                under_from,
            )


def offers_of(model: Model) -> Iterator[tuple[Provider, Offer]]:
    """Each service of each provider once."""
    for provider in model.providers:
        seen = set()
        for offer in provider.offers:
            if offer.service not in seen:
                seen.add(offer.service)
                yield provider, offer


def tariff_dates(model: Model) -> set[dt.date]:
    """Every date on which what an offer pays changes."""
    return {date for _, offer in offers_of(model) for date in tariff_starts(model, offer)[1:]}


def bands(model: Model) -> dict[tuple[str, str], tuple[float, ...]]:
    """The days of stay, after the first, from which the price of each offer is ever another: by service and provider,
    where there are any."""
    found: dict[tuple[str, str], set[float]] = {}
    for row in tariffs_held(model):
        found.setdefault((row.service, row.provider), set()).update(row.tariff.edges[1:])
    return {key: tuple(sorted(days)) for key, days in found.items() if days}


def with_sums(model: Model) -> list[tuple[str, str]]:
    """The offers, by service and provider, that ever pay or take back sums."""
    return sorted(
        {
            (row.service, row.provider)
            for row in tariffs_held(model)
            if row.tariff.lumps or row.tariff.payoffs or row.tariff.backs
        }
    )


def index_of(contract: Contract, model: Model, periods: pl.DataFrame) -> Days:
    """By period: what the contract's own indexation makes of a price, beside the model's general growth."""
    own, prices = contract.index_per_year, model.prices
    if own is None:
        return np.ones(periods.height)
    years = periods["first_year"].to_numpy() - parsed_year(prices.base_year)
    return np.asarray(((1.0 + own) / (1.0 + prices.growth_per_year.value)) ** years, np.float64)


def day_prices(model: Model, periods: pl.DataFrame) -> pl.DataFrame:
    """Pounds a day in base-year prices: band 0 for every day, band k for the days after the k-th of :func:`bands`, on
    top.

    Columns: service, provider, band, period, price. The calendar is cut at :func:`tariff_dates`.
    """
    marks, begins = bands(model), periods["from_day"].to_numpy()
    found: dict[tuple[str, str, int], Days] = {}
    for row in tariffs_held(model):
        inside = (begins >= row.from_day) & (begins < row.to_day)
        index = index_of(row.contract, model, periods)
        days = np.array([0.0, *marks.get((row.service, row.provider), ())])
        for band, price in enumerate(np.diff(row.tariff.rate(days), prepend=0.0)):
            line = found.setdefault((row.service, row.provider, band), np.zeros(periods.height))
            line[inside] = (price * index)[inside]
    number = periods["period"].to_list()
    rows = [(*key, number, line.tolist()) for key, line in found.items()]
    lists = {"period": pl.List(pl.Int64), "price": pl.List(pl.Float64)}
    schema = {"service": pl.String(), "provider": pl.String(), "band": pl.Int64(), **lists}
    return pl.DataFrame(rows, schema=schema, orient="row").explode("period", "price")


def spell_sums(spells: pl.DataFrame, model: Model, periods: pl.DataFrame) -> pl.DataFrame:
    """What spells were paid in sums, and gave back. Columns: kind (of :data:`SUMS`), IDS, period, gbp (base-year
    prices).

    A sum on a day of the stay is due if the contract held on that day; a step-down is paid by the contract of its day,
    once it has lasted; a return takes back what that contract says, of sums paid under it. What falls due after the run
    is not in it.
    """
    parts = [
        spells.clear().select(
            pl.lit("").alias("kind"), *IDS, pl.lit(0, dtype=pl.Int64).alias("period"), pl.lit(0.0).alias("gbp")
        )
    ]
    if spells.height:
        for row in tariffs_held(model):
            mine = spells.filter(
                (pl.col("service").cast(pl.String) == row.service)
                & (pl.col("provider").cast(pl.String) == row.provider)
            )
            if mine.height and (row.tariff.lumps or row.tariff.payoffs or row.tariff.backs):
                parts += _sums_of(mine, row, model, periods)
    keys = ("kind", *IDS, "period")
    return total(pl.concat(parts), keys, ["gbp"])


def _sums_of(mine: pl.DataFrame, row: Held, model: Model, periods: pl.DataFrame) -> Iterator[pl.DataFrame]:
    start, came, until = (mine[name].to_numpy() for name in ("stay_start", "time", "until"))
    back = mine["back"].fill_null(np.inf).to_numpy()
    index = index_of(row.contract, model, periods)

    def booked(kind: str, when: Days, gbp: Days, due: NDArray[np.bool_]) -> pl.DataFrame:
        period = period_of(np.where(due, when, 0.0), periods)
        chosen = due & (gbp != 0.0) & (period < periods.height)
        return mine.filter(pl.Series(chosen)).select(
            pl.lit(kind).alias("kind"),
            *IDS,
            pl.Series("period", period[chosen]),
            pl.Series("gbp", gbp[chosen] * index[period[chosen]]),
        )

    horizon = float(periods["to_day"][-1])
    for day, gbp in row.tariff.lumps:
        when = start + day
        due = (
            (when >= np.maximum(came, row.from_day))
            & (when < np.minimum(row.to_day, horizon))
            & (np.round(until - when, HAIR) >= 0.0)
        )
        yield booked("episode", when, np.full_like(when, gbp), due)
    # A review on the last day of a bonus is on it.
    days, out = np.round(until - start, HAIR), np.round(back - until, HAIR)
    stepped = mine["stepped"].to_numpy() & (until >= row.from_day) & (until < row.to_day)
    for payoff in row.tariff.payoffs:
        when = until + payoff.lasts_days
        yield booked("step_down", when, payoff.at(days), stepped & (out >= payoff.lasts_days) & (when < horizon))
    if row.tariff.backs:
        taken = np.zeros(mine.height)
        # Sums of before the run, or under another contract, are not taken back.
        since = max(row.under_from, 0.0) - start
        for k in np.flatnonzero(stepped & np.isfinite(back)):
            taken[k] = row.tariff.back(days[k : k + 1], float(out[k]), float(since[k]))[0]
        yield booked(
            "clawback", np.where(np.isfinite(back), back, 0.0), -taken, stepped & np.isfinite(back) & (back < horizon)
        )


def block_lines(model: Model, periods: pl.DataFrame) -> dict[tuple[str, str], Days]:
    """What the blocks of each offer (service, provider) cost in each period, in base-year prices: a year's sum spread
    evenly over its days."""
    lines: dict[tuple[str, str], Days] = {}
    begins = periods["from_day"].to_numpy()
    share = (periods["to_day"] - periods["from_day"]).to_numpy() / periods["year_days"].to_numpy()
    for row in tariffs_held(model):
        if row.tariff.block_per_year:
            inside = (begins >= row.from_day) & (begins < row.to_day)
            line = lines.setdefault((row.service, row.provider), np.zeros(periods.height))
            line[inside] = (row.tariff.block_per_year * share * index_of(row.contract, model, periods))[inside]
    return lines


def blocks(served: pl.DataFrame, runs: pl.DataFrame, model: Model, periods: pl.DataFrame) -> pl.DataFrame:
    """What blocks cost, shared by the person-days served, or by none where nobody was there.

    ``served`` are person-days (IDS, period, days), ``runs`` every strategy and replication. Columns: IDS, period, gbp
    (base-year prices).
    """
    tiers = {service.name: service.tier for service in model.services}
    lines = block_lines(model, periods)
    rows = [(tiers[s], s, p, k, float(gbp)) for (s, p), line in lines.items() for k, gbp in enumerate(line) if gbp]
    schema = {"tier": pl.String, "service": pl.String, "provider": pl.String, "period": pl.Int64, "block": pl.Float64}
    named = [pl.col(name).cast(served.schema[name], strict=False) for name in ("tier", "service", "provider")]
    table = pl.DataFrame(rows, schema=schema, orient="row").with_columns(named)
    keys = ["service", "provider", "period"]
    shared = served.join(table.drop("tier"), on=keys, how="inner", maintain_order="left").filter(pl.col("days") > 0)
    part = pl.col("days") / pl.col("days").sum().over(*RUN, *keys)
    shared = shared.select(*IDS, "period", (pl.col("block") * part).alias("gbp"))
    every = runs.select(pl.col(name).cast(served.schema[name]) for name in RUN).join(table, how="cross")
    idle = every.join(shared, on=[*RUN, *keys], how="anti", maintain_order="left")
    blank = [
        pl.lit(None, dtype=served.schema[name]).alias(name)
        for name in PLACE
        if name not in ("tier", "service", "provider")
    ]
    return pl.concat([shared, idle.with_columns(blank).select(*IDS, "period", pl.col("block").alias("gbp"))])
