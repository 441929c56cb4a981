"""The report's section on providers: what those that state their costs earn and spend, what carries what, and who
failed."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from simcare.model.model import Model
from simcare.report import wording
from simcare.report.tables import Table

ACCOUNTS = ("provider_income", "provider_variable", "provider_fixed", "provider_overhead")


@dataclass(frozen=True)
class Fared:
    """How providers fared: their accounts by service, and failures by strategy; None where there are none."""

    accounts: Table | None
    failures: Table | None


def fared(
    measures: pl.DataFrame, market: pl.DataFrame | None, model: Model, titles: dict[str, str], period: str, runs: int
) -> Fared | None:
    """The section, or None for a model whose providers state no costs and in whose market nobody fails.

    ``titles`` are the strategies in order, the baseline left out.
    """
    found = Fared(_accounts(measures, model, period, runs), _failures(market, model, titles, period, runs))
    return found if found.accounts or found.failures else None


def _accounts(measures: pl.DataFrame, model: Model, period: str, runs: int) -> Table | None:
    """In the baseline, by provider and service: what is left over shows which service carries which."""
    baseline = measures.filter(pl.col("strategy") == "baseline")
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
    names = {p.name: p.title or p.name for p in model.providers} | {s.name: s.title or s.name for s in model.services}
    rows = []
    for row in wide.join(days, on=keys, how="left").fill_null(0.0).iter_rows(named=True):
        income, spent = row[ACCOUNTS[0]], sum(row[name] for name in ACCOUNTS[1:])
        each = f"£{spent / row['days']:,.2f}" if row["days"] else ""
        amounts = [wording.quantity(row[name], wording.POUNDS) for name in ACCOUNTS]
        left = wording.quantity(income - spent, wording.POUNDS, signed=True)
        rows.append((names[row["provider"]], names[row["service"]], *amounts, left, each))
    head = ("Provider", "Service", "Income", "Variable cost", "Fixed cost", "Overhead", "Left over", "Cost of a day")
    what = f"What providers that state their costs earn and spend, baseline, {period}, in cash"
    caption = f"{what}; where less than nothing is left over, another service carries it"
    return Table(caption, head, tuple(rows), headers=2)


def _failures(
    market: pl.DataFrame | None, model: Model, titles: dict[str, str], period: str, runs: int
) -> Table | None:
    """In how many replications each provider failed, and how many people it had then."""
    failed = None if market is None else market.filter(pl.col("event") == "failed")
    if failed is None or failed.is_empty():
        return None
    rows = []
    for strategy, title in {"baseline": "Baseline", **titles}.items():
        for provider in model.providers:
            mine = failed.filter((pl.col("strategy") == strategy) & (pl.col("provider") == provider.name))
            if mine.height:
                people = f"{float(mine['used'].sum()) / mine.height:,.0f}"
                rows.append((title, provider.title or provider.name, f"{mine.height} of {runs}", people))
    head = ("Strategy", "Provider", "Failed in so many replications", "People there on the day, on average")
    return Table(f"Providers that failed, {period}", head, tuple(rows), headers=2)
