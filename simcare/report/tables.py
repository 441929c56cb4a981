"""The tables of a report: the numbers behind each figure, in words, every assumption with its source, and how to get
the same again."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from simcare.model.model import Figure, Model, sourced_figures
from simcare.model.number import GRADES, Number
from simcare.model.strategy import LARGEST, Experiment, Strategy, believed
from simcare.report import summaries, wording
from simcare.report.figures import BASELINE, places

CLOCKS = {
    "arrivals": "new people at the door",
    "rise": "need rising",
    "recover": "need falling",
    "induced": "need learned from care above need",
    "crisis": "crises",
    "detection": "people in need coming forward",
    "step_down": "providers stepping people down",
    "premature": "providers letting people go too soon",
    "death": "deaths",
    "leaving": "leaving care for other reasons",
    "renege": "people losing patience with a wait",
}


PARTS = {"demand": "Demand's part", "parameter": "The parameters' part"}  # of a spread, by what alone is uncertain


@dataclass(frozen=True)
class Table:
    """A table as text. ``rows`` are cells; the first ``headers`` cells of a row name it, the rest are numbers."""

    caption: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    headers: int = 1


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


def ranged(mean: float, low: float | None, high: float | None, unit: wording.Unit) -> tuple[str, str]:
    """The mean and its range, rounded alike."""
    estimate = wording.Estimate.of(mean, low, high)
    value, *_ = wording.rounded_alike(estimate, unit, signed=False)
    return value, wording.interval_words(estimate, unit, signed=False)


def comparison_table(differences: pl.DataFrame, titles: Mapping[str, str], years: str, count: int) -> Table:
    """Every measure of every strategy against the baseline; those of places that run out only where any do, the parts
    of demand and of the parameters of a fit only where they are known."""
    nothing = (pl.col("baseline_mean").abs().max() == 0) & (pl.col("difference").abs().max() == 0)
    differences = differences.filter(~(pl.col("measure").is_in(LIMITS) & nothing.over("measure")))
    known = [part for part in PARTS if part_known(differences, part)]
    rows = []
    for strategy, name in titles.items():
        for row in differences.filter(pl.col("strategy") == strategy).iter_rows(named=True):
            about = wording.shown_measure(row["measure"])
            estimate = wording.Estimate.of(row["difference"], row["low"], row["high"], row["baseline_mean"])
            place = (
                wording.estimate_place(estimate) if estimate.value else wording.significant_place(row["baseline_mean"])
            )
            value, *_ = wording.rounded_alike(estimate, about.unit)
            wide = wording.Estimate.of(row["difference"], row["spread_low"], row["spread_high"], row["baseline_mean"])
            better = f"{round(row['share_better'] * count)} of {count}" if about.better else "–"
            rows.append(
                (
                    name,
                    about.label,
                    wording.quantity(row["baseline_mean"], about.unit, place),
                    value,
                    _interval(estimate, about.unit),
                    _percent(estimate, row["baseline_mean"]),
                    _interval(wide, about.unit),
                    *(_part(row, part, about.unit) for part in known),
                    better,
                )
            )
    parts = (PARTS[part] for part in known)
    head = (
        "Strategy",
        "Measure",
        "Baseline",
        "Difference",
        "95% interval",
        "Per cent",
        "5th to 95th percentile",
        *parts,
        "Better in",
    )
    return Table(f"Difference from the baseline over {years}", head, tuple(rows), headers=2)


def part_known(differences: pl.DataFrame | None, part: str) -> bool:
    """Whether it is known what of the spread is due to one thing: a key of PARTS."""
    return (
        differences is not None
        and f"{part}_low" in differences.columns
        and differences[f"{part}_low"].is_not_null().any()
    )


def _part(row: Mapping[str, Any], part: str, unit: wording.Unit) -> str:
    """Where nine in ten would lie if one thing alone were uncertain; "none" where it makes no difference."""
    estimate = wording.Estimate.of(row["difference"], row[f"{part}_low"], row[f"{part}_high"], row["baseline_mean"])
    return "none" if estimate.low == estimate.high else wording.interval_words(estimate, unit)


def _interval(estimate: wording.Estimate, unit: wording.Unit) -> str:
    return "the same in every replication" if estimate.verdict == "none" else wording.interval_words(estimate, unit)


def _with_interval(estimate: wording.Estimate, unit: wording.Unit) -> str:
    value = wording.rounded_alike(estimate, unit)[0]
    return value if estimate.verdict == "none" else f"{value} ({wording.interval_words(estimate, unit)})"


def _percent(difference: wording.Estimate, baseline: float) -> str:
    """The difference in per cent of the baseline, with the digits that its interval supports."""
    if baseline <= 0:
        return "–"
    scaled = (None if x is None else 100 * x / baseline for x in (difference.low, difference.high))
    return wording.rounded_alike(wording.Estimate(100 * difference.value / baseline, *scaled), wording.PERCENT)[0]


def caseload_table(measures: pl.DataFrame, model: Model, strategy: str, name: str) -> Table:
    """People in care by stage and tier, mean over each financial year with its range."""
    frame, tiers, years = (
        summaries.caseload_by_year(measures, strategy),
        wording.tier_titles(model),
        summaries.financial_years(measures),
    )
    rows = []
    for stage in model.stages:
        for tier, tier_name in tiers.items():
            cell = frame.filter((pl.col("stage") == stage.name) & (pl.col("tier") == tier)).sort("financial_year")
            if cell.height and float(cell["mean"].sum()) > 0:
                texts = [
                    _with_range(m, lo, hi, wording.COUNT)
                    for m, lo, hi in cell.select("mean", "low", "high").iter_rows()
                ]
                rows.append((stage.name, tier_name, *texts))
    return Table(
        f"People in care, mean over each financial year: {name}", ("Life stage", "Tier", *years), tuple(rows), headers=2
    )


def _with_range(mean: float, low: float | None, high: float | None, unit: wording.Unit) -> str:
    value, low_to_high = ranged(mean, low, high, unit)
    return value if low is None or low == high else f"{value} ({low_to_high})"


def cost(measures: pl.DataFrame, model: Model, strategy: str, name: str) -> Table:
    """Cash and constant prices by stage and financial year with its range."""
    years, rows = summaries.financial_years(measures), []
    stages: list[str | None] = [None, *(stage.name for stage in model.stages)]
    for measure, prices in (("cost", "cash"), ("cost_real", f"{model.prices.base_year} prices")):
        frame = summaries.cost_by_year(measures, strategy, measure)
        for stage in stages:
            cell = frame.filter(pl.col("stage").eq_missing(pl.lit(stage, dtype=pl.String))).sort("financial_year")
            if cell.height:
                texts = [
                    _with_range(m, lo, hi, wording.POUNDS)
                    for m, lo, hi in cell.select("mean", "low", "high").iter_rows()
                ]
                rows.append((stage or "All life stages", prices, *texts))
    return Table(f"Cost by financial year: {name}", ("Life stage", "Prices", *years), tuple(rows), headers=2)


def caseload_change_table(measures: pl.DataFrame, model: Model, strategy: str, name: str) -> Table:
    """Change in people in care from the baseline in the last month of each financial year, all stages, with the 95 %
    interval of the average."""
    frame, rows = summaries.caseload_change_by_month(measures, strategy), []
    last = summaries.with_year(frame).group_by("financial_year").agg(pl.col("month").max()).sort("financial_year")
    for tier, tier_name in wording.tier_titles(model).items():
        mine = frame.filter((pl.col("tier") == tier) & pl.col("month").is_in(last["month"].to_list())).sort("month")
        if mine.height:
            cells = [wording.Estimate.of(m, lo, hi) for m, lo, hi in mine.select("mean", "low", "high").iter_rows()]
            rows.append((tier_name, *(_with_interval(c, wording.COUNT) for c in cells)))
    caption = (
        "Change in people in care from the baseline, mean of the last month of each financial year (95% interval of"
        f" the average): {name}"
    )
    return Table(caption, ("Tier", *last["financial_year"]), tuple(rows))


def cost_change_table(measures: pl.DataFrame, titles: Mapping[str, str]) -> Table:
    """Change in cash cost from the baseline by financial year, with the 95 % interval of the average."""
    rows = []
    for strategy, name in titles.items():
        frame = summaries.cost_change_by_year(measures, strategy)
        cells = [wording.Estimate.of(m, lo, hi) for m, lo, hi in frame.select("mean", "low", "high").iter_rows()]
        rows.append((name, *(_with_interval(c, wording.POUNDS) for c in cells)))
    head = ("Strategy", *summaries.financial_years(measures))
    return Table(
        "Change in cash cost from the baseline by financial year (95% interval of the average)", head, tuple(rows)
    )


STANDING = {  # person-days that are shown as people
    "queue_days": "Waiting for a place",
    "transfer_days": "Waiting for a place while in another service",
    "delayed_days": "Ready to leave hospital and still there",
    "hospital_days": "In hospital, treated",
    "spot_days": "In extra places, beyond the number",
}
TIMES = (
    "queued", *(f"placed_{name}" for name in wording.CLASSES), "reneged", "spot_purchases", "displaced", "admissions",
    "supported_transitions", "unsupported_transitions"
)  # fmt: skip
MEAN_WAIT = "Mean wait, days"
LIMITS = (
    *STANDING,
    *TIMES,
    *(f"waited_days_{name}" for name in wording.CLASSES),
)  # the measures of the section on places


def waits_table(measures: pl.DataFrame, model: Model, strategy: str, name: str) -> Table:
    """Waiting and the limits of places by financial year with its range: people (by life stage too), mean waits, and
    how often in the year."""
    rows = [("People, average", *row) for measure in STANDING for row in _standing(measures, model, strategy, measure)]
    for queue, what in wording.CLASSES.items():
        rows.append(
            (
                MEAN_WAIT,
                wording.title(what),
                *_ranges(summaries.mean_waits(measures, strategy, queue, "financial_year")),
            )
        )
    rows += [
        ("Number a year", wording.shown_measure(times).label, *_ranges(summaries.events(measures, strategy, times)))
        for times in TIMES
    ]
    some = tuple(row for row in rows if set(row[2:]) - {"0", "–"})
    head = ("Counted as", "What", *summaries.financial_years(measures))
    return Table(f"Waiting and the limits of places by financial year: {name}", head, some, headers=2)


def _standing(measures: pl.DataFrame, model: Model, strategy: str, measure: str) -> Iterator[tuple[str, ...]]:
    """People on average in each year: all, then those of each life stage if there are two or more."""

    def cells(stage: str | None = None) -> list[str]:
        return _ranges(summaries.people_by_period(measures, strategy, measure, "financial_year", stage))

    yield STANDING[measure], *cells()
    staged = {stage.name: cells(stage.name) for stage in model.stages} if measure in summaries.STANDING else {}
    some = {stage: texts for stage, texts in staged.items() if set(texts) != {"0"}}
    for stage, texts in some.items() if len(some) > 1 else ():
        yield f"{STANDING[measure]}: {stage}", *texts


def _ranges(frame: pl.DataFrame) -> list[str]:
    """Mean and range of each period as text, with no more than two decimals; a dash where there is no mean.

    >>> _ranges(pl.DataFrame({"mean": [0.0151, 27.3, None], "low": [0.0138, 20.0, None], "high": [0.0177, 30.0, None]}))
    ['0.02 (0.01 to 0.02)', '27 (20 to 30)', '–']
    """
    return [
        "–" if mean is None else _few_decimals(wording.Estimate.of(mean, low, high))
        for mean, low, high in frame.select("mean", "low", "high").iter_rows()
    ]


def _few_decimals(estimate: wording.Estimate) -> str:
    place = max(-2, wording.estimate_place(estimate))
    numbers = [x for x in (estimate.value, estimate.low, estimate.high) if x is not None]
    value, *ends = (wording.quantity(x, wording.COUNT, place, largest=max(numbers)) for x in numbers)
    return value if estimate.low == estimate.high else f"{value} ({' to '.join(ends)})"


def moves_table(flows: pl.DataFrame, measures: pl.DataFrame, model: Model, strategy: str, name: str) -> Table:
    """Average moves a year from tier to tier with their range, and the baseline's average beside a strategy's."""
    years = summaries.financial_years(measures)
    titles = places(model)
    mine = summaries.moves_per_year(flows, strategy, summaries.replications(measures, strategy), len(years))
    base = summaries.moves_per_year(flows, BASELINE, summaries.replications(measures, BASELINE), len(years))
    before = {(a, b): mean for a, b, mean in base.select("from_tier", "to_tier", "mean").iter_rows()}
    order = {tier: k for k, tier in enumerate(titles)}
    rows = []
    for row in sorted(mine.iter_rows(named=True), key=lambda r: (order[r["from_tier"]], order[r["to_tier"]])):
        value, low_to_high = ranged(row["mean"], row["low"], row["high"], wording.COUNT)
        baseline = (
            () if strategy == BASELINE else (wording.quantity(before.get((row["from_tier"], row["to_tier"]), 0.0)),)
        )
        rows.append((titles[row["from_tier"]], titles[row["to_tier"]], value, low_to_high, *baseline))
    head = ("From", "To", "Moves a year", "Range over replications", *(() if strategy == BASELINE else ("Baseline",)))
    return Table(f"Average moves a year between tiers: {name}", head, tuple(rows), headers=2)


def strategies(experiment: Experiment) -> Table:
    """What each strategy is assumed to do, from when, how well it is known, and what it costs."""
    rows = []
    for strategy in experiment.strategies:
        used = believed(strategy, experiment.shrinkage)
        starts = wording.date(strategy.start) + (
            f", in full after {strategy.ramp_days} days" if strategy.ramp_days else ""
        )
        short = wording.short_title(strategy.name, strategy.title)
        named = short if short == strategy.title else f"{short}: {strategy.title}"
        changes, costs = "; ".join(_assumed(strategy, used)), "; ".join(_paid(strategy))
        rows.append((named, starts, changes or "Nothing", costs or "No cost of its own assumed"))
    return Table(
        "What each strategy is assumed to do", ("Strategy", "Starts", "Changes", "Costs"), tuple(rows), headers=4
    )


def _assumed(strategy: Strategy, used: Strategy) -> Iterator[str]:
    for effect, held in zip(strategy.effects, used.effects, strict=True):
        scope = [wording.listed(effect.stages)] if effect.stages else []
        scope += [f"{wording.listed([wording.title(g).lower() for g in effect.groups])} group"] if effect.groups else []
        scope += (
            [f"need of {wording.listed([wording.title(n).lower() for n in effect.needs], 'or')}"]
            if effect.needs
            else []
        )
        where = f" ({'; '.join(scope)})" if scope else ""
        stated = f"×\N{NO-BREAK SPACE}{effect.multiply.value:g}{_range(effect.multiply)}, {_grade(effect.multiply)}"
        yield f"{CLOCKS[effect.on]}{where}: {stated}, used as ×\N{NO-BREAK SPACE}{held.multiply.value:.3g}"
    alike: dict[tuple[str, str, float, str], list[str]] = {}
    for change in strategy.changes:
        part, _, rest = change.path.partition(".")
        name, _, field = rest.rpartition(".")
        alike.setdefault((part, field, change.to.value, _grade(change.to)), []).append(wording.title(name).lower())
    for (part, field, value, grade), names in alike.items():
        where = wording.listed(names) if len(names) <= 3 else f"{len(names)} {wording.title(part).lower()}"
        yield f"{wording.title(field).lower()} set to {value:g} ({where}), {grade}"
    for new in strategy.contracts:
        at = "all who offer it" if new.provider is None else wording.title(new.provider).lower()
        yield f"{wording.title(new.service).lower()} by {at} under the contract “{wording.title(new.contract).lower()}”"
    for provider in strategy.failures:
        yield f"{'the largest provider' if provider == LARGEST else wording.title(provider).lower()} fails"


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
            "It changes what providers are paid; what they do about it rests on how they are assumed to answer to"
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


def prices(model: Model) -> list[str]:
    """How money over time is counted, in sentences."""
    money = model.prices
    growth, inflation = (f"{100 * rate.value:g}%" for rate in (money.growth_per_year, money.inflation_per_year))
    bands = [
        (
            f"{100 * band.per_year.value:g}% a year from year {band.from_year}"
            if band.from_year
            else f"{100 * band.per_year.value:g}% a year"
        )
        for band in money.discount
    ]
    return [
        f"Cash: prices of {money.base_year} raised by {growth} each 1 April after that year. This is what budgets see.",
        f"Constant prices: cash with general inflation of {inflation} a year taken out, in {money.base_year} prices.",
        (
            f"Present value: constant prices discounted by {', then '.join(bands)}; the first financial year is not"
            " discounted."
        ),
    ]


FACTS = {
    "simcare": "simcare version",
    "version": "simcare version",
    "experiment": "Experiment",
    "model": "Model",
    "model_sha256": "Model fingerprint (SHA-256)",
    "model_hash": "Model fingerprint",
    "start": "Start",
    "years": "Years",
    "replications": "Replications",
    "seed": "Seed",
    "engine": "Engine",
    "workers": "Workers",
    "began": "Run began",
    "wall_seconds": "Wall time, seconds",
    "fit": "Fit",
    "strategies": "Strategies",
    "command": "Command",
}


def facts(manifest: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What it takes to get the same figures again."""
    named = sorted(manifest, key=lambda key: list(FACTS).index(key) if key in FACTS else len(FACTS))
    return [
        (FACTS.get(key, wording.title(key)), _fit_fact(manifest[key]) if key == "fit" else _fact(manifest[key]))
        for key in named
    ]


def _fact(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _fit_fact(fit: Mapping[str, Any]) -> str:
    """Which fit it was, exactly."""
    digests = f"inputs SHA-256 {fit['inputs_sha256']}, fit SHA-256 {fit['fit_sha256']}"
    return (
        f"{fit['name']}, known to {wording.date(dt.date.fromisoformat(fit['known_to']))}, {fit['draws']} draws;"
        f" {digests}"
    )
