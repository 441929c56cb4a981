"""The report's section on providers: what those that state their costs earn and spend, what carries what, and who
failed."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from simcare.model.model import Model
from simcare.model.strategy import BASELINE
from simcare.report import wording
from simcare.report.exhibit import Exhibit, Table
from simcare.report.frames import Frames
from simcare.report.page import Block, Section, Text
from simcare.report.setting import Setting

ACCOUNTS = ("provider_income", "provider_variable", "provider_fixed", "provider_overhead")
FAILED = (
    "Nobody new comes to a provider that has failed. People there move as places are found, the most urgent first;"
    " until then the council keeps the place going at a premium. The"
    " section on waiting shows who had to move, and for how long spot-purchased places were paid."
)


def providers_section(frames: Frames) -> Section | None:
    """The section, or None for a model whose providers state no costs and in whose market nobody fails."""
    accounts = accounts_exhibit(frames.given.measures, frames.setting)
    failures = failures_exhibit(frames.given.market, frames.setting)
    blocks: list[Block] = [] if accounts is None else [accounts]
    if failures is not None:
        blocks += [Text([FAILED], "quiet"), failures]
    if not blocks:
        return None
    heading = f"Provider finances and failures, {frames.setting.period}"
    return Section(heading, blocks, key="providers", contents="Providers")


# ---- accounts
def accounts_exhibit(measures: pl.DataFrame, setting: Setting) -> Exhibit | None:
    """In the baseline, by provider and service: what is left over shows which service carries which."""
    frame = accounts_frame(measures, setting.replications)
    return None if frame is None else Exhibit("provider-accounts", "", frame, accounts_table(frame, setting))


def accounts_frame(measures: pl.DataFrame, runs: int) -> pl.DataFrame | None:
    """Averages over replications. Columns: provider, service, those of ACCOUNTS, days (in care)."""
    baseline = measures.filter(pl.col("strategy") == BASELINE)
    money = baseline.filter(pl.col("measure").is_in(ACCOUNTS))
    if money.is_empty():
        return None
    keys = ["provider", "service"]
    wide = (
        money.group_by(*keys, "measure")
        .agg(pl.col("value").sum() / runs)
        .pivot(on="measure", index=keys, values="value")
        .sort(keys)
    )
    wide = wide.with_columns([pl.lit(0.0).alias(name) for name in ACCOUNTS if name not in wide.columns]).fill_null(0.0)
    days = (
        baseline.filter(pl.col("measure") == "person_days")
        .group_by(keys)
        .agg(pl.col("value").sum().alias("days") / runs)
    )
    return wide.join(days, on=keys, how="left").fill_null(0.0).select(*keys, *ACCOUNTS, "days")


def accounts_table(frame: pl.DataFrame, setting: Setting) -> Table:
    """Income, costs, what is left over, and the cost of a day."""
    names = _titles(setting.model)
    rows = []
    for row in frame.iter_rows(named=True):
        income, spent = row[ACCOUNTS[0]], sum(row[name] for name in ACCOUNTS[1:])
        each = wording.quantity(spent / row["days"], wording.POUNDS) if row["days"] else ""
        amounts = [wording.quantity(row[name], wording.POUNDS) for name in ACCOUNTS]
        left = wording.quantity(income - spent, wording.POUNDS, signed=True)
        rows.append((names[row["provider"]], names[row["service"]], *amounts, left, each))
    head = ("Provider", "Service", "Income", "Variable cost", "Fixed cost", "Overhead", "Left over", "Cost of a day")
    what = f"What providers that state their costs earn and spend, baseline, {setting.period}, cash budget"
    caption = f"{what}; where less than nothing is left over, another service carries it"
    return Table(caption, head, tuple(rows), headers=2, look="wrap")


def _titles(model: Model) -> Mapping[str, str]:
    """What providers and services are called."""
    return {p.name: p.title or p.name for p in model.providers} | {s.name: s.title or s.name for s in model.services}


# ---- failures
def failures_exhibit(market: pl.DataFrame | None, setting: Setting) -> Exhibit | None:
    """In how many replications each provider failed, and how many people it had then."""
    failed = None if market is None else market.filter(pl.col("event") == "failed")
    if failed is None or failed.is_empty():
        return None
    frame = failed.group_by("strategy", "provider", maintain_order=True).agg(
        pl.len().alias("replications"), pl.col("used").mean().alias("people")
    )
    return Exhibit("provider-failures", "", frame, failures_table(frame, setting))


def failures_table(frame: pl.DataFrame, setting: Setting) -> Table:
    """A row for each provider that failed under a strategy."""
    known = {(row["strategy"], row["provider"]): row for row in frame.iter_rows(named=True)}
    rows = []
    for strategy, title in setting.names.items():
        for provider in setting.model.providers:
            row = known.get((strategy, provider.name))
            if row is not None:
                often = f"{row['replications']} of {setting.replications}"
                rows.append((title, provider.title or provider.name, often, wording.quantity(row["people"])))
    head = ("Strategy", "Provider", "Replications in which it failed", "People there on the day, on average")
    return Table(f"Providers that failed, {setting.period}", head, tuple(rows), headers=2, look="wrap")
