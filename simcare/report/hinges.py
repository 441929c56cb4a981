"""Exhibits of what each strategy's answer hangs on: conditional means of every cause, and where the spread comes
from."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from simcare.decide.answers import DEPENDENCY, MONEY, Answers
from simcare.model import Model
from simcare.report import wording
from simcare.report.decision_words import KINDS, longest_causes, saved
from simcare.report.exhibit import Exhibit, Table, exhibit_name
from simcare.report.figures.causes import spread_shares_figure, tornado_figure
from simcare.report.report_input import ReportInput

MOST_BARS = 10
LISTED = 10  # causes in the table of a strategy that hangs on none of them
SHARES_NOTE = (
    "Shares of the variance over simulated futures. Chance events: what is left, and what causes do only in"
    " combination. Shares that noise puts below zero are shown as zero."
)


# ---- conditional means
def hinge_exhibits(given: ReportInput, answers: Answers, period: str) -> list[Exhibit]:
    """What the cost to the council of each strategy hangs on, an exhibit a strategy."""
    return [hinge_exhibit(given, answers, strategy, period) for strategy in given.titles]


def hinge_exhibit(given: ReportInput, answers: Answers, strategy: str, period: str) -> Exhibit:
    """The mean change in cost to the council with each cause at its ends: the longest bars, and all in the table."""
    title = given.titles[strategy]
    frame = answers.tornado.filter((pl.col("strategy") == strategy) & (pl.col("measure") == MONEY))
    drawn = longest_causes(answers.tornado, strategy, MOST_BARS)
    mean = _mean(given, strategy)
    table_title = f"What “{title}” hangs on: change in cost to the council, {period}"
    sentence = hinge_sentence(title, mean, drawn, given.cause_titles(drawn, strategy))
    shown = frame if drawn.height else frame.head(LISTED)
    table = hinge_table(shown, given.cause_titles(shown, strategy), given.model, table_title)
    figure = tornado_figure(drawn, given.cause_titles(drawn, strategy), mean, title, period) if drawn.height else None
    return Exhibit(exhibit_name("hangs-on", strategy), table_title, frame, table, figure, sentence)


def _mean(given: ReportInput, strategy: str) -> float:
    assert given.differences is not None
    of = (pl.col("strategy") == strategy) & (pl.col("measure") == MONEY)
    return float(given.differences.row(by_predicate=of, named=True)["difference"])


def hinge_table(rows: pl.DataFrame, titles: Sequence[str], model: Model, caption: str) -> Table:
    """Every cause: its ends, the mean change in cost there, and whether that is more than noise and changes the
    sign."""
    alternatives = {row.name: [world.title for world in row.choose] for row in model.uncertain if row.choose}
    cells = []
    for title, row in zip(titles, rows.iter_rows(named=True), strict=True):
        ends = (_end(row, alternatives, end) for end in ("low", "high"))
        means = (wording.quantity(row[f"mean_at_{end}"], wording.POUNDS, signed=True) for end in ("low", "high"))
        low, high, at_low, at_high = (*ends, *means)
        error = wording.quantity(row["length_error"], wording.POUNDS)
        says = "changes the sign" if row["changes_sign"] else "clear" if row["above_noise"] else "within noise"
        length = f"{wording.quantity(row['length'], wording.POUNDS)} ± {error}"
        cells.append((title, low, at_low, high, at_high, length, says))
    head = ("Cause", "Low end", "Change there", "High end", "Change there", "Apart, and its error", "Is it clear?")
    return Table(caption, head, tuple(cells), look="wrap")


def _end(row: Mapping[str, Any], alternatives: Mapping[str, Sequence[str | None]], end: str) -> str:
    """A cause at one end, in words: an alternative by its title, a number as it is, an effect by its percentile."""
    value = row[f"at_{end}"]
    if row["name"] in alternatives:
        titles, k = alternatives[row["name"]], int(value)
        return (titles[k] if 0 <= k < len(titles) else None) or f"alternative {k + 1}"
    if row["kind"] == "effect":
        return f"{'5th' if end == 'low' else '95th'} percentile"
    return wording.quantity(math.exp(value) if row["kind"] == "demand" else value)


def hinge_sentence(title: str, mean: float, drawn: pl.DataFrame, titles: Sequence[str]) -> str:
    """On what a strategy's cost hangs most, and which causes change its sign."""
    if drawn.is_empty():
        return f"“{title}” hangs on chance events: no cause moves its cost to the council by more than noise."
    first = drawn.row(0, named=True)
    low, high = (saved(wording.Estimate(first[f"mean_at_{end}"])) for end in ("low", "high"))
    said = f"“{title}” {saved(wording.Estimate(mean))} on average. It hangs most on “{titles[0]}”"
    said += f": it {low} at the low end of that, and {high} at the high end."
    others = [f"“{name}”" for name, turns in zip(titles[1:], drawn["changes_sign"].to_list()[1:], strict=True) if turns]
    if first["changes_sign"]:
        said += " So that alone changes the sign."
    if others:
        said += f" {wording.listed(others)} {'changes' if len(others) == 1 else 'each change'} the sign"
        said += " as well." if first["changes_sign"] else " alone."
    return said if others or first["changes_sign"] else f"{said} No cause changes the sign alone."


# ---- shares
def spread_shares_exhibit(given: ReportInput, answers: Answers, period: str) -> Exhibit:
    """Which part of the spread of each strategy's cost and dependency comes from what."""
    frame = shares_frame(answers.shares, list(given.titles))
    figure = spread_shares_figure(frame, given.titles, period)
    table = shares_table(frame, given.titles, period)
    return Exhibit(
        "spread",
        figure.layout.meta["title"],
        frame,
        table,
        figure,
        shares_sentence(frame, given.titles),
        SHARES_NOTE,
    )


def shares_frame(shares: pl.DataFrame, strategies: Sequence[str]) -> pl.DataFrame:
    """A row a strategy, measure and kind: strategy, measure, kind, share, error, and ``shown``, the shares with none
    below zero, which add up to 1. A difference without a spread has no rows."""
    kinds = shares.filter((pl.col("level") == "kind") & pl.col("measure").is_in([MONEY, DEPENDENCY]))
    order = {"strategy": list(strategies), "measure": [MONEY, DEPENDENCY], "kind": list(KINDS)}
    place = [pl.col(name).replace_strict(each, range(len(each)), default=-1) for name, each in order.items()]
    some = kinds.filter(pl.col("strategy").is_in(order["strategy"])).sort(place[1], place[0], place[2])
    least = pl.col("share").clip(lower_bound=0.0)
    shown = least / least.sum().over("strategy", "measure")
    return some.with_columns(shown=shown).select("strategy", "measure", "kind", "share", "error", "shown")


def shares_table(frame: pl.DataFrame, titles: Mapping[str, str], period: str) -> Table:
    """The shares that are drawn, with their standard errors."""
    rows = []
    for (measure, strategy), part in frame.group_by("measure", "strategy", maintain_order=True):
        cells = {
            row["kind"]: f"{round(100 * row['shown'])}% (± {round(100 * row['error'])}%)"
            for row in part.iter_rows(named=True)
        }
        about = wording.shown_measure(str(measure)).label
        rows.append((about, titles[str(strategy)], *(cells[kind] for kind in KINDS)))
    caption = f"Where the spread comes from (± one standard error), {period}"
    return Table(caption, ("Measure", "Strategy", *KINDS.values()), tuple(rows), headers=2)


def shares_sentence(frame: pl.DataFrame, titles: Mapping[str, str]) -> str:
    """What most of the spread of each strategy's cost comes from."""
    said = []
    for (strategy,), part in frame.filter(pl.col("measure") == MONEY).group_by("strategy", maintain_order=True):
        top = part.sort("shown", descending=True, maintain_order=True).row(0, named=True)
        kind = KINDS[top["kind"]]
        said.append(f"of “{titles[str(strategy)]}”, {kind[:1].lower()}{kind[1:]} ({round(100 * top['shown'])}%)")
    if not said:
        return "No strategy's change in cost differs between simulated futures."
    return f"Of the spread of the change in cost to the council, most comes from: {'; '.join(said)}."


__all__ = [
    "hinge_exhibit",
    "hinge_exhibits",
    "hinge_sentence",
    "shares_frame",
    "shares_sentence",
    "spread_shares_exhibit",
]
