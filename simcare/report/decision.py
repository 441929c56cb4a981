"""The first screen of a comparison's page: what each strategy does, how sure that is, what it hangs on, and what is
worth finding out before choosing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from simcare.decide.answers import DEPENDENCY, MONEY, Answers
from simcare.decide.sample import LEAST
from simcare.model.strategy import Goal
from simcare.report import wording
from simcare.report.choices import acceptability_exhibit, front_exhibit, plane_exhibit
from simcare.report.decision_words import avoided, in_futures, percent, saved, target_words
from simcare.report.exhibit import Exhibit, Table, sentences
from simcare.report.frames import Frames
from simcare.report.hinges import hinge_exhibits, spread_shares_exhibit
from simcare.report.page import Block, Section, Text
from simcare.report.report_input import ReportInput
from simcare.report.worth import everything_sentence, information_exhibit, is_nothing, worth_sentences

ASKED = {  # the questions of the answers' chances, and the heading that each has in a table
    "saves": "Chance that it saves",
    "less dependency": "Chance that dependency falls",
    "both": "Chance of both",
    "target": "Chance that it meets the target",
}
CHANCE_EVENTS = "chance events"  # what an answer hangs on where no cause is above noise
BRIEF_SENTENCES = 3  # of what is worth finding out, on a terminal
BRIEF_TITLE = 24  # characters of a strategy's title there
HANGS = (
    "A bar shows the mean change in cost to the council with one cause at its low end (5th percentile) and at its high"
    " end (95th), all else as uncertain as it is. Drawn are the longest of those that are clearly more than noise; the"
    " table has all causes."
)


def decision_section(frames: Frames) -> Section | None:
    """What each strategy does and how sure that is, and what stands behind it; None without an experiment, and from
    fewer replications than say what an answer hangs on."""
    given, period = frames.given, frames.setting.period
    answers = answered(given)
    if answers is None:
        return None
    first = decision_exhibit(given, answers, period)
    worth = information_exhibit(given, answers, period)
    plane, shares = plane_exhibit(given, answers, period), spread_shares_exhibit(given, answers, period)
    hinges = hinge_exhibits(given, answers, period)
    best, front = acceptability_exhibit(given, answers, period), front_exhibit(given, answers, period)
    blocks: list[Block | Section] = [
        Text([first.sentence, worth.sentence], "finding"),
        first,
        Section("Cost against dependency", [Text(plane.sentence.splitlines(), "list"), plane]),
        Section(
            "What each strategy hangs on",
            [Text(sentences(hinges), "list"), Text([HANGS], "quiet"), *hinges, Text([shares.sentence]), shares],
        ),
        Section("What is worth finding out", [Text(worth_sentences(given, answers), "list"), worth]),
        Section("What a dependency-day avoided is worth", [Text(sentences([best, front]), "list"), best, front]),
    ]
    return Section(first.title, blocks, key="decision", contents="Decision")


def answered(given: ReportInput) -> Answers | None:
    """The answers of a comparison of enough replications; None of any other result."""
    if given.experiment is None or given.differences is None or not given.titles:
        return None
    answers = given.answers
    return None if answers is None or answers.front.is_empty() else answers


# ---- the table
def decision_exhibit(given: ReportInput, answers: Answers, period: str) -> Exhibit:
    """What each strategy saves and avoids, the chances of it, and what its cost hangs on."""
    frame = decision_frame(given, answers)
    title = f"What each strategy does, and how sure that is, {period}"
    target = given.experiment.target if given.experiment else None
    sentence = decision_sentence(frame)
    return Exhibit(
        "what-each-does",
        title,
        frame,
        decision_table(frame, title),
        sentence=sentence,
        note=_note(target, _count(given)),
    )


def decision_frame(given: ReportInput, answers: Answers) -> pl.DataFrame:
    """A row a strategy: strategy, title, saving and days_avoided with the ends of their 90 % prediction intervals, a
    chance for each question asked, hangs_on."""
    assert given.differences is not None
    asked = answers.chances["question"].unique(maintain_order=True).to_list()
    rows = []
    for strategy, title in given.titles.items():
        row: dict[str, Any] = {"strategy": strategy, "title": title}
        row |= _turned(given.differences, strategy, MONEY, "saving")
        row |= _turned(given.differences, strategy, DEPENDENCY, "days_avoided")
        row |= {f"chance_{question.replace(' ', '_')}": _chance(answers, strategy, question) for question in asked}
        hangs_on = given.hangs_on.get(strategy, (CHANCE_EVENTS,))
        rows.append(row | {"hangs_on": "; ".join(hangs_on)})
    return pl.DataFrame(rows, infer_schema_length=None)


def _turned(differences: pl.DataFrame, strategy: str, measure: str, name: str) -> dict[str, float | None]:
    """A measure's difference as what is saved or avoided: the low end is the worse one."""
    row = differences.row(by_predicate=(pl.col("strategy") == strategy) & (pl.col("measure") == measure), named=True)
    ends = {"": "difference", "_low": "prediction_high", "_high": "prediction_low"}
    return {f"{name}{end}": None if row[column] is None else 0.0 - row[column] for end, column in ends.items()}


def _chance(answers: Answers, strategy: str, question: str) -> float:
    asked = (pl.col("strategy") == strategy) & (pl.col("question") == question)
    return float(answers.chances.row(by_predicate=asked, named=True)["chance"])


def _change(row: Mapping[str, Any], name: str) -> wording.Estimate:
    """The change that a saving is, from a row of :func:`decision_frame`."""
    low, high = row[f"{name}_high"], row[f"{name}_low"]
    return wording.Estimate.of(-row[name], None if low is None else -low, None if high is None else -high)


def decision_table(frame: pl.DataFrame, caption: str) -> Table:
    """The table of words of :func:`decision_frame`."""
    asked = {question: f"chance_{question.replace(' ', '_')}" for question in ASKED}
    known = {question: column for question, column in asked.items() if column in frame.columns}
    rows = tuple(
        (
            row["title"],
            saved(_change(row, "saving")),
            avoided(_change(row, "days_avoided")),
            *(percent(row[column]) for column in known.values()),
            row["hangs_on"],
        )
        for row in frame.iter_rows(named=True)
    )
    chances = (ASKED[question] for question in known)
    head = ("Strategy", "Cost to the council", "Dependency-days", *chances, "What its cost hangs on")
    return Table(caption, head, rows, headers=len(head), look="stack")


def decision_sentence(frame: pl.DataFrame) -> str:
    """Which strategy saves most on average and which avoids most dependency, and how often.

    The choice is by the mean, as nobody can choose by what a single future holds.
    """
    rows = frame.to_dicts()
    cheap, free = (max(rows, key=lambda row: row[name]) for name in ("saving", "days_avoided"))
    money = f"{saved(_change(cheap, 'saving'))}, and costs less than the baseline {in_futures(cheap['chance_saves'])}"
    days = f"{avoided(_change(free, 'days_avoided'), ' dependency-days')}, and dependency falls"
    days += f" {in_futures(free['chance_less_dependency'])}"
    both = f"Both happen {in_futures(cheap['chance_both'])}."
    if len(rows) == 1:
        return f"On average “{cheap['title']}” {money}. It {days}. {both}"
    first = f"On average “{cheap['title']}” saves the council most"
    if cheap["saving"] <= 0:
        first = f"On average no strategy saves the council money, and “{cheap['title']}” costs least"
    who = "It also" if cheap is free else f"“{free['title']}”"
    second = f"{who} avoids most dependency"
    if free["days_avoided"] <= 0:
        second = f"No strategy avoids dependency on average, and “{free['title']}” adds least"
    if cheap is not free:
        both = f"Both happen {in_futures(cheap['chance_both'])} with the first, {in_futures(free['chance_both'])} with"
        both += " the second."
    return f"{first}: it {money}. {second}: it {days}. {both}"


def _note(target: Goal | None, count: int) -> str:
    asked = f" The target: {target_words(target)}." if target else ""
    return (
        f"Against the baseline, over {count} simulated futures, which differ in all that the model does not know and in"
        " chance events. In brackets: the 90% prediction interval, from the worse end to the better. A chance is the"
        f" share of simulated futures. What the cost hangs on: the longest bars below.{asked}"
    )


def _count(given: ReportInput) -> int:
    return 0 if given.totals is None else given.totals["replication"].n_unique()


# ---- the terminal
def brief_decision(given: ReportInput) -> tuple[Table, tuple[str, ...]]:
    """What a comparison comes to, short enough for 80 columns, and up to three sentences on what is worth finding out.

    From fewer replications than say what an answer hangs on, the one sentence says so. Raises ValueError for a run,
    which compares nothing.
    """
    answers = given.answers
    if answers is None or given.differences is None:
        raise ValueError("a run has no strategies to decide between")
    rows = tuple(
        (
            _short(row["strategy"], row["title"]),
            saved(_change(row, "saving")),
            percent(row["chance_saves"]),
            avoided(_change(row, "days_avoided")),
            percent(row["chance_less_dependency"]),
            percent(row["chance_both"]),
        )
        for row in decision_frame(given, answers).iter_rows(named=True)
    )
    head = ("", "Council", "Chance to save", "Dependency-days", "Chance to fall", "Both")
    caption = f"What each strategy does, in {_count(given)} simulated futures (in brackets: {wording.PREDICTION})"
    table = Table(caption, head, rows)
    if answered(given) is None:
        few = f"What this hangs on, and what is worth finding out, can be said from {LEAST} replications on"
        return table, (f"{few}; here are {_count(given)}.",)
    whole = everything_sentence(answers.information)
    if is_nothing(answers.information):
        return table, (whole,)
    return table, (whole, *worth_sentences(given, answers)[:BRIEF_SENTENCES])


def _short(strategy: str, title: str) -> str:
    return wording.short_title(strategy, title, BRIEF_TITLE)


__all__ = ["answered", "brief_decision", "decision_exhibit", "decision_frame", "decision_section", "decision_table"]
