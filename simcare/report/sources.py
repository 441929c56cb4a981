"""The report's section on what it rests on: every number with its source and grade, what strategies are assumed to do,
and how good the evidence is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from simcare.model.model import Figure, Model, sourced_figures
from simcare.model.number import GRADES, Number
from simcare.model.strategy import LARGEST, Effect, Experiment, Strategy, believed
from simcare.report import wording
from simcare.report.exhibit import Exhibit, Table, words_table
from simcare.report.page import Block, Searchable, Section, Text
from simcare.report.report_input import ReportInput
from simcare.units import three_figures

STRATEGY_HEADS = ("Strategy", "Starts", "Changes", "Costs")

CLOCKS = {
    "arrivals": "new people at the front door",
    "rise": "need rising",
    "recover": "need falling",
    "induced": "extra need caused by over-provision (learned dependency)",
    "crisis": "crises",
    "detection": "people in need coming forward",
    "step_down": "step-downs by providers",
    "premature": "early discharges by providers",
    "death": "deaths",
    "leaving": "cases closed or people moved away",
    "renege": "people giving up a wait",
}


# ---- the section
def sources_section(given: ReportInput) -> Section:
    """Every number with its source, which can be searched, and how many have which grade."""
    listed = assumptions(given.model, given.experiment)
    count, assumed = len(listed), sum(one.grade == "D" for one in listed)
    strategies = " and the strategies" if given.experiment is not None and given.differences is not None else ""
    said = (
        f"Every number in the model{strategies}, with its source and how well it is known. A number graded D is an"
        f" assumption: nobody has measured it. {assumed} of {count} are assumptions."
    )
    drawn = drawn_from(given.manifest.get("fit", {}))
    fitted: list[Block] = [] if drawn is None else [Text([FITTED]), drawn]
    return Section(
        "What it rests on",
        [Text([said]), *fitted, grades_exhibit(listed), _searchable(listed)],
        key="rests",
        contents="What it rests on",
    )


FITTED = (
    "The runs were not made with all of the numbers as the file has them: the fit's parameters multiply rates, or stand"
    " in place of values, by a draw for each replication."
)


def drawn_from(entry: Mapping[str, Any]) -> Exhibit | None:
    """What each parameter of a fit is drawn from: a factor on rates of the file, or a value that stands in place of the
    file's. ``entry`` as a manifest has it; None without parameters."""
    parameters = entry.get("parameters", ())
    if not parameters:
        return None
    frame = pl.DataFrame(parameters, infer_schema_length=None)
    rows = tuple(
        (
            p["title"],
            f"{'factor' if p['factor'] else 'value'} {three_figures(p['median'])}",
            wording.ends_words(p["low"], p["high"]),
            "counted" if p["width"] is None else wording.share(p["width"]),
        )
        for p in frame.iter_rows(named=True)
    )
    head = ("Parameter of the fit", "Median", "Nine in ten draws", "Share of prior uncertainty remaining")
    return Exhibit("fit", "", frame, Table("What the fit puts in place of numbers below", head, rows, look="wrap"))


def grades_exhibit(listed: Sequence[Assumption]) -> Exhibit:
    """How many numbers have each grade."""
    frame = pl.DataFrame(grade_counts(listed), schema=["grade", "meaning", "numbers"], orient="row")
    rows = [(grade, word, str(count)) for grade, word, count in frame.iter_rows()] + [("All", "", str(len(listed)))]
    table = Table("How many numbers have each grade", ("Grade", "Meaning", "Numbers"), tuple(rows), 2, "grades")
    return Exhibit("grades", "", frame, table)


def _searchable(listed: Sequence[Assumption]) -> Searchable:
    head = ("Where in the file", "Value", "Grade", "Source", "Note")
    rows = tuple((one.path, one.value, f"{one.grade} {one.word}", one.source, one.note) for one in listed)
    table = Table("All numbers with their sources", head, rows, headers=5, look="stack")
    return Searchable(table, 2, list(GRADES.items()), "Find in path, source or note", "numbers")


# ---- the numbers
@dataclass(frozen=True)
class Assumption:
    """One number that the answer rests on."""

    part: str
    path: str
    value: str
    grade: str
    word: str
    source: str
    note: str


def strategies_exhibit(experiment: Experiment) -> Exhibit:
    """What each strategy is assumed to do, from when, how well it is known, and what it costs."""
    frame = strategies_frame(experiment)
    title = "What each strategy is assumed to do"
    return Exhibit("strategies", title, frame, words_table(frame, title, STRATEGY_HEADS, "stack"))


def strategies_frame(experiment: Experiment) -> pl.DataFrame:
    """In words, columns: strategy, starts, changes, costs."""
    rows = []
    for strategy in experiment.strategies:
        used = believed(strategy, experiment.shrinkage)
        ramp = f", in full after {strategy.ramp_days} days" if strategy.ramp_days else ""
        short = wording.short_title(strategy.name, strategy.title)
        named = short if short == strategy.title else f"{short}: {strategy.title}"
        changes, costs = "; ".join(_assumed(strategy, used)), "; ".join(_paid(strategy))
        starts = wording.date(strategy.start) + ramp
        rows.append((named, starts, changes or "Nothing", costs or "No programme cost assumed"))
    return pl.DataFrame(rows, schema=[head.lower() for head in STRATEGY_HEADS], orient="row")


def _assumed(strategy: Strategy, used: Strategy) -> Iterator[str]:
    for effect, held in zip(strategy.effects, used.effects, strict=True):
        stated = f"×\N{NO-BREAK SPACE}{effect.multiply.value:g}{_range(effect.multiply)}, {_grade(effect.multiply)}"
        used_as = "asked (a what-if)" if effect.as_asked else f"×\N{NO-BREAK SPACE}{three_figures(held.multiply.value)}"
        yield f"{CLOCKS[effect.on]}{_scope(effect)}: {stated}, used as {used_as}"
    yield from _changed(strategy)
    for new in strategy.contracts:
        at = "all who offer it" if new.provider is None else wording.title(new.provider).lower()
        yield f"{wording.title(new.service).lower()} by {at} under the contract “{wording.title(new.contract).lower()}”"
    for provider in strategy.failures:
        yield f"{'the largest provider' if provider == LARGEST else wording.title(provider).lower()} fails"


def _scope(effect: Effect) -> str:
    """Whom an effect is for, in brackets, where it is not for all."""
    scope = [wording.listed(effect.stages)] if effect.stages else []
    scope += [f"{_names(effect.groups, 'and')} group"] if effect.groups else []
    scope += [f"need of {_names(effect.needs, 'or')}"] if effect.needs else []
    return f" ({'; '.join(scope)})" if scope else ""


def _names(names: Sequence[str], last: str) -> str:
    return wording.listed([wording.title(name).lower() for name in names], last)


def _changed(strategy: Strategy) -> Iterator[str]:
    """Numbers of the model that a strategy sets; those that are alike together."""
    alike: dict[tuple[str, str, float, str], list[str]] = {}
    for change in strategy.changes:
        part, _, rest = change.path.partition(".")
        name, _, field = rest.rpartition(".")
        alike.setdefault((part, field, change.to.value, _grade(change.to)), []).append(wording.title(name).lower())
    for (part, field, value, grade), names in alike.items():
        where = wording.listed(names) if len(names) <= 3 else f"{len(names)} {wording.title(part).lower()}"
        yield f"{wording.title(field).lower()} set to {value:g} ({where}), {grade}"


def _range(number: Number) -> str:
    return f" ({number.low:g} to {number.high:g})" if number.low is not None else ""


def _grade(number: Number) -> str:
    return f"grade {number.grade} {GRADES[number.grade]}"


def _paid(strategy: Strategy) -> Iterator[str]:
    for number, how in ((strategy.gbp_per_year, "a year"), (strategy.one_off_gbp, "once")):
        if number is not None:
            yield f"{wording.quantity(number.value, wording.POUNDS)} {how}, {_grade(number)}"


def evidence(strategy: Strategy) -> str:
    """How well what a strategy does is known, in a sentence: its effects and changes by grade."""
    numbers = [effect.multiply for effect in strategy.effects] + [change.to for change in strategy.changes]
    if not numbers and strategy.contracts:
        return (
            "It changes what providers are paid; what they do about it depends on how they are assumed to respond to"
            " money."
        )
    if not numbers and strategy.failures:
        return "It changes nothing but who provides."
    if not numbers:
        return "It changes nothing but spending."
    if len(numbers) == 1:
        return f"Rests on one assumed effect, graded {numbers[0].grade} ({GRADES[numbers[0].grade]})."
    grades = Counter(number.grade for number in numbers)
    said = [f"{wording.count_words(grades[grade])} graded {grade} ({GRADES[grade]})" for grade in sorted(grades)]
    return f"Rests on {wording.count_words(len(numbers))} assumed effects: {wording.listed(said)}."


def assumptions(model: Model, experiment: Experiment | None) -> list[Assumption]:
    """Every sourced number of the model and of the experiment, in the order of the files."""
    listed = [_assumption("Model", figure, model.sources) for figure in sourced_figures(model)]
    if experiment is not None:
        listed += [_assumption("Strategies", figure, experiment.sources) for figure in sourced_figures(experiment)]
    return listed


def _assumption(part: str, figure: Figure, sources: Mapping[str, str]) -> Assumption:
    value = ", ".join(f"{x:,.6g}" for x in figure.value) or "a series"
    if figure.low is not None and figure.high is not None:
        value += f" ({figure.low:,.6g} to {figure.high:,.6g})"
    since = f" (from {wording.date(figure.since)})" if figure.since else ""
    source = (
        "Assumption: no published source"
        if figure.source == "assumption"
        else sources.get(figure.source, figure.source)
    )
    return Assumption(part, figure.path, value + since, figure.grade, GRADES[figure.grade], source, figure.note or "")


def grade_counts(listed: Sequence[Assumption]) -> list[tuple[str, str, int]]:
    """Grade, word and how many numbers have it, A to D."""
    counts = Counter(assumption.grade for assumption in listed)
    return [(grade, word, counts[grade]) for grade, word in GRADES.items()]
