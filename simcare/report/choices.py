"""Exhibits of cost against dependency: every simulated future, what a dependency-day avoided costs, and which choice is
best at which price of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from simcare.decide.answers import DEPENDENCY, MONEY, Answers
from simcare.model.strategy import BASELINE
from simcare.report import wording
from simcare.report.decision_words import in_futures, percent, saved
from simcare.report.exhibit import Exhibit, Table
from simcare.report.figures.plane import acceptability_figure, plane_figure
from simcare.report.report_input import ReportInput
from simcare.units import MINUS

QUADRANTS = {  # the columns of a table, and which futures count
    "Costs less, less dependency": (pl.col("cost") < 0) & (pl.col("days_avoided") > 0),
    "Costs less, more dependency": (pl.col("cost") < 0) & (pl.col("days_avoided") < 0),
    "Costs more, less dependency": (pl.col("cost") > 0) & (pl.col("days_avoided") > 0),
    "Costs more, more dependency": (pl.col("cost") > 0) & (pl.col("days_avoided") < 0),
}
PLANE_NOTE = (
    "A small mark is one simulated future of a strategy, the large one the mean of all, and the cross at zero the"
    " baseline. The ellipse would hold 90% of futures if they spread as a normal distribution does."
)
PRICE_NOTE = (
    "At a given worth of a dependency-day avoided, the best choice is the one whose days avoided are worth most beyond"
    " their cost. The ring marks the choice that is best on average: that is the one to make. It need not be the one"
    " that is most often the best."
)
FRONT_NOTE = (
    "On the efficient front: no other choice costs less and avoids as many days, or avoids more and costs as little."
    " Best at some price asks more: it is the best at one worth of a dependency-day at least."
)


# ---- the plane
def plane_exhibit(given: ReportInput, answers: Answers, period: str) -> Exhibit:
    """Every simulated future of every strategy; the sentence has a line a strategy on what a day avoided costs."""
    points = plane_frame(given)
    figure = plane_figure(points, given.titles, period)
    prices = {row["strategy"]: row for row in answers.day_prices.iter_rows(named=True)}
    said = "\n".join(price_sentence(title, prices[strategy]) for strategy, title in given.titles.items())
    table = plane_table(points, given.titles, prices, period)
    return Exhibit("plane", figure.layout.meta["title"], points, table, figure, said, PLANE_NOTE)


def plane_frame(given: ReportInput) -> pl.DataFrame:
    """A row a strategy and replication: strategy, replication, cost (the change in cost to the council), days_avoided.

    Differences are paired with the baseline's replication.
    """
    assert given.totals is not None
    both = given.totals.select("strategy", "replication", MONEY, DEPENDENCY)
    base = both.filter(pl.col("strategy") == BASELINE).drop("strategy")
    joined = both.filter(pl.col("strategy") != BASELINE).join(
        base, on="replication", suffix="_base", maintain_order="left"
    )
    return joined.select(
        "strategy",
        "replication",
        cost=pl.col(MONEY) - pl.col(f"{MONEY}_base"),
        days_avoided=pl.col(f"{DEPENDENCY}_base") - pl.col(DEPENDENCY),
    )


def plane_table(
    points: pl.DataFrame, titles: Mapping[str, str], prices: Mapping[str, Mapping[str, Any]], period: str
) -> Table:
    """The means that the figure marks, the share of futures in each quadrant, and the price of a day avoided."""
    rows = []
    for strategy, title in titles.items():
        mine = points.filter(pl.col("strategy") == strategy)
        cost, days = (float(mine[name].to_numpy().mean()) for name in ("cost", "days_avoided"))
        shares = (percent(float(mine.select(where.mean()).item())) for where in QUADRANTS.values())
        means = (wording.quantity(cost, wording.POUNDS, signed=True), wording.quantity(days, signed=True))
        rows.append((title, *means, *shares, _price_cell(prices[strategy])))
    head = ("Strategy", "Cost to the council", "Dependency-days avoided", *QUADRANTS, "Cost of a day avoided")
    return Table(f"Cost against dependency: means, and shares of simulated futures, {period}", head, tuple(rows))


def _price_cell(price: Mapping[str, Any]) -> str:
    if price["ratio"] is None:
        return "none"
    estimate = wording.Estimate(price["ratio"], price["low"], price["high"])
    return f"{wording.rounded_alike(estimate, wording.POUNDS)[0]} ({wording.interval_words(estimate, wording.POUNDS)})"


def price_sentence(title: str, price: Mapping[str, Any]) -> str:
    """What a dependency-day avoided costs with one strategy, or why that cannot be said.

    >>> print(price_sentence("Reviews", {"ratio": 12.4, "low": -3.1, "high": 30.0, "refused": None}))
    A dependency-day avoided by “Reviews” costs £12.40 (90% prediction interval: costs £30.00 to saves £3.10).
    """
    if price["ratio"] is None:
        why = str(price["refused"]).replace("90 %", "90%").replace(": -", f": {MINUS}").replace("to -", f"to {MINUS}")
        return f"What a dependency-day avoided by “{title}” costs cannot be said: {why}."
    said = saved(wording.Estimate(price["ratio"], price["low"], price["high"]))
    return f"A dependency-day avoided by “{title}” {said.replace('(', '(90% prediction interval: ')}."


# ---- which choice is best
def acceptability_exhibit(given: ReportInput, answers: Answers, period: str) -> Exhibit:
    """How often each choice is the best, by what a dependency-day avoided is worth."""
    names, frame = _names(given), answers.acceptability
    figure = acceptability_figure(frame, names, period)
    return Exhibit(
        "acceptability",
        figure.layout.meta["title"],
        frame,
        acceptability_table(frame, names, period),
        figure,
        best_sentence(frame, names),
        PRICE_NOTE,
    )


def _names(given: ReportInput) -> dict[str, str]:
    return {BASELINE: "Baseline", **given.titles}


def acceptability_table(frame: pl.DataFrame, names: Mapping[str, str], period: str) -> Table:
    """How often each choice is the best, a row a price, and which is best on average."""
    rows = []
    for (price,), part in frame.group_by("gbp_per_day", maintain_order=True):
        chances = {row["strategy"]: percent(row["chance_best"]) for row in part.iter_rows(named=True)}
        each = (chances[name] for name in names)
        rows.append((wording.quantity(float(str(price)), wording.POUNDS), *each, _best(part, names)))
    head = ("Worth of a dependency-day avoided", *names.values(), "Best on average")
    return Table(f"Share of simulated futures in which each choice is the best, {period}", head, tuple(rows))


def _best(part: pl.DataFrame, names: Mapping[str, str]) -> str:
    """The choice with the highest mean at one price; of several that are level, all."""
    return wording.listed([names[name] for name in part.filter(pl.col("best_on_average"))["strategy"]], "or")


def best_sentence(frame: pl.DataFrame, names: Mapping[str, str]) -> str:
    """Which choice is best on average from which price of a dependency-day on, of the prices tried."""
    runs: list[tuple[str, float, float, float]] = []  # choice, first price, last price, how often it is best at first
    for (price,), part in frame.group_by("gbp_per_day", maintain_order=True):
        name, at = _best(part, names), float(str(price))
        if runs and runs[-1][0] == name:
            runs[-1] = (*runs[-1][:2], at, runs[-1][3])
        else:
            runs.append((name, at, at, float(part.filter(pl.col("best_on_average"))["chance_best"].to_numpy().max())))
    last = wording.quantity(runs[-1][2], wording.POUNDS)
    name, _, _, often = runs[0]
    if len(runs) == 1:
        return (
            f"Whatever a dependency-day avoided is worth, from £0 to {last}, {_quoted(name)} is the best choice on"
            f" average; by cost alone it is the best {in_futures(often)}."
        )
    turns = [f"from {wording.quantity(at, wording.POUNDS)} a day on it is {_quoted(who)}" for who, at, *_ in runs[1:]]
    return (
        f"By cost alone {_quoted(name)} is the best choice on average, and the best {in_futures(often)};"
        f" {wording.listed(turns)} (prices tried: £0 to {last})."
    )


def _quoted(name: str) -> str:
    return "the baseline" if name == "Baseline" else f"“{name}”"


def front_exhibit(given: ReportInput, answers: Answers, period: str) -> Exhibit:
    """How likely each choice is to be on the efficient front."""
    names, frame = _names(given), answers.front
    rows = tuple(
        (
            names[row["strategy"]],
            wording.quantity(row["cost"], wording.POUNDS, signed=True),
            wording.quantity(row["days_avoided"], signed=True),
            percent(row["chance_on_front"]),
            percent(row["chance_best_at_some_price"]),
        )
        for row in frame.iter_rows(named=True)
    )
    head = ("Choice", "Cost to the council", "Days avoided", "On the efficient front", "Best at some price")
    title = f"Which choices are on the efficient front, {period}"
    first = frame.filter(pl.col("strategy") != BASELINE).sort("chance_on_front", descending=True, maintain_order=True)
    top = first.row(0, named=True)
    sentence = f"“{names[top['strategy']]}” is on the efficient front {in_futures(top['chance_on_front'])}"
    sentence += f", the baseline {in_futures(frame['chance_on_front'][0])}."
    return Exhibit("front", title, frame, Table(title, head, rows), sentence=sentence, note=FRONT_NOTE)


__all__ = ["acceptability_exhibit", "best_sentence", "front_exhibit", "plane_exhibit", "plane_frame", "price_sentence"]
