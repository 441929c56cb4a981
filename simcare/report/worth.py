"""What is worth finding out before choosing: the value of information of the decision by cost to the council."""

from __future__ import annotations

from typing import Any

import polars as pl

from simcare.decide.answers import Answers
from simcare.decide.information import EVERYTHING, HINDSIGHT
from simcare.report import wording
from simcare.report.decision_words import KINDS
from simcare.report.exhibit import Exhibit, Table
from simcare.report.figures.causes import worth_figure
from simcare.report.report_input import ReportInput

MOST_BARS = 10
MOST_SENTENCES = 3
NOTHING = "Nothing: the choice would be the same whatever were found out"
NOTE = (
    "The value of information (EVPI of all causes together, EVPPI of one): how much better the choice by cost to the"
    " council would be on average if it were made knowing the cause, as estimated from the same simulated futures. It"
    " is the most that any study of the cause can be worth for this decision. Chance events cannot be found out"
    " beforehand."
)


def information_exhibit(given: ReportInput, answers: Answers, period: str) -> Exhibit:
    """What it is worth to know each cause, in pounds; the sentence says what it is worth to know all of them."""
    frame = answers.information
    drawn = worth_knowing(frame)
    title = f"What is worth finding out before choosing by cost to the council, {period}"
    figure = worth_figure(drawn, given.cause_titles(drawn), period) if drawn.height else None
    table = information_table(frame, drawn, given.cause_titles(drawn), title)
    return Exhibit("worth-knowing", title, frame, table, figure, everything_sentence(frame), NOTE)


def worth_knowing(information: pl.DataFrame) -> pl.DataFrame:
    """The causes whose value is more than noise and more than its own error, the most valuable first; none where all
    together are worth nothing."""
    if is_nothing(information):
        return information.clear()
    clear = (pl.col("level") == "cause") & pl.col("above_noise") & (pl.col("value") > pl.col("error"))
    return information.filter(clear).head(MOST_BARS)


def is_nothing(information: pl.DataFrame) -> bool:
    """Whether knowing everything is worth no more than the error with which that is known."""
    every = _row(information, EVERYTHING)
    return not every["above_noise"] or every["value"] <= every["error"]


def _row(information: pl.DataFrame, level: str) -> dict[str, Any]:
    return information.row(by_predicate=pl.col("level") == level, named=True)


def everything_sentence(information: pl.DataFrame) -> str:
    """What it is worth to know all causes before choosing."""
    every = _row(information, EVERYTHING)
    error = wording.quantity(every["error"], wording.POUNDS)
    if is_nothing(information):
        most = every["value"] + 1.645 * every["error"]
        bound = (
            f" (worth {wording.quantity(most, wording.POUNDS)} at most, by cost to the council)" if most >= 1 else ""
        )
        return f"What is worth finding out first? {NOTHING}{bound}."
    value = wording.quantity(every["value"], wording.POUNDS)
    return (
        f"Knowing all that the model does not know, chance events apart, before choosing is worth up to {value}"
        f" (±\N{NO-BREAK SPACE}{error}) for this decision by cost to the council."
    )


def worth_sentences(given: ReportInput, answers: Answers) -> list[str]:
    """A sentence for each of the causes that are most worth finding out; one that says so where there is none."""
    if is_nothing(answers.information):
        return [f"{NOTHING}."]
    drawn = worth_knowing(answers.information).head(MOST_SENTENCES)
    if drawn.is_empty():
        return ["No cause alone is clearly worth finding out: only several together would change the choice."]
    return [
        f"Knowing “{title}” before choosing is worth up to {wording.quantity(value, wording.POUNDS)} for this decision."
        for title, value in zip(given.cause_titles(drawn), drawn["value"], strict=True)
    ]


def information_table(frame: pl.DataFrame, drawn: pl.DataFrame, titles: list[str], caption: str) -> Table:
    """Everything, each kind, and the causes that are drawn; chance events known too as the upper bound."""
    rows = [_cells("All causes together (EVPI)", _row(frame, EVERYTHING))]
    rows += [_cells(KINDS[row["name"]], row) for row in frame.filter(pl.col("level") == "kind").iter_rows(named=True)]
    rows += [_cells(title, row) for title, row in zip(titles, drawn.iter_rows(named=True), strict=True)]
    rows.append(_cells("Chance events known too, which no study can do", _row(frame, HINDSIGHT)))
    left = frame.filter(pl.col("level") == "cause").height - drawn.height
    if left:
        rows.append((f"{wording.count_words(left)} more {'cause' if left == 1 else 'causes'}", "–", "not clear"))
    return Table(caption, ("Known before choosing", "Worth up to", "Standard error"), tuple(rows))


def _cells(title: str, row: dict[str, Any]) -> tuple[str, ...]:
    return title, wording.quantity(row["value"], wording.POUNDS), wording.quantity(row["error"], wording.POUNDS)


__all__ = ["everything_sentence", "information_exhibit", "is_nothing", "worth_knowing", "worth_sentences"]
