"""The report's section on contracts: what each pays, what came of it where it holds, and which strategy comes first in
which scenario."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

import polars as pl

from simcare.decide import ranking
from simcare.decide.comparison import differences, totals
from simcare.model.contracts import Contract
from simcare.model.model import Model
from simcare.model.strategy import AS_IN_THE_FILE, Experiment, Strategy, apply
from simcare.model.terms import (
    Block,
    Clawback,
    DaysSaved,
    Episode,
    Indexation,
    OutcomePayment,
    PerDiem,
    Price,
    StepDownBonus,
    Tapered,
    Term,
)
from simcare.money.gaming import gaming_gains
from simcare.report import wording
from simcare.report.figures import BASELINE
from simcare.report.tables import Table

OF_SERVICES = {  # measures of the services under the contracts, and how the table heads them
    "cost_pv": "Cost of care, present value",
    "person_days": "Days in care",
    "over_provided_days": "Over-provided days",
    "step_downs": "Step-downs",
    "premature_releases": "Premature releases",
}


DRAWN = (
    "cost_pv",
    "dependency_days",
    "under_provided_days",
)  # the measures whose sweep over scenarios is drawn; the others are ranked only


class Found(Protocol):
    """What the section needs of a report's input."""

    @property
    def model(self) -> Model: ...
    @property
    def measures(self) -> pl.DataFrame: ...
    @property
    def experiment(self) -> Experiment | None: ...
    @property
    def scenarios(self) -> pl.DataFrame | None: ...
    @property
    def titles(self) -> dict[str, str]: ...


@dataclass(frozen=True)
class Rewards:
    """The section: what each contract pays (and ``where``, if that is the same for all), what came of it, which
    strategy comes first in which scenario, and the measures to be drawn."""

    contracts: Table | None
    where: str
    services: tuple[Table, ...]
    sentences: tuple[str, ...]
    ranks: tuple[Table, ...]
    drawn: tuple[str, ...]


def rewards(given: Found, years: str) -> Rewards | None:
    """What contracts and scenarios show; nothing where the experiment has neither."""
    experiment, titles, scenarios = given.experiment, given.titles, given.scenarios
    ranked = ranked_measures(scenarios)
    under = experiment is not None and any(strategy.contracts for strategy in experiment.strategies)
    if experiment is None or not (under or ranked):
        return None
    paid, where = _alone(contracts_table(given.model, experiment, titles)) if under else (None, "")
    came = tuple(services(given.measures, given.model, experiment, titles, years)) if under else ()
    if scenarios is None or not ranked:
        return Rewards(paid, where, came, (), (), ())
    said = tuple(ranking_sentence(scenarios, measure, titles) for measure in ranked)
    tables = tuple(rankings(scenarios, measure, experiment, titles, years) for measure in ranked)
    return Rewards(paid, where, came, said, tables, tuple(name for name in DRAWN if name in ranked))


def _alone(table: Table) -> tuple[Table, str]:
    """The table without its second column, and what stands there, where that is the same in every row."""
    if len({row[1] for row in table.rows}) != 1:
        return table, ""
    rows = tuple((row[0], *row[2:]) for row in table.rows)
    return Table(table.caption, (table.head[0], *table.head[2:]), rows, table.headers - 1), table.rows[0][1]


def worlds(experiment: Experiment) -> dict[str, str]:
    """The title of each scenario, that of the file first."""
    return {AS_IN_THE_FILE: "As in the file", **{scenario.name: scenario.title for scenario in experiment.scenarios}}


def services_of(strategy: Strategy) -> tuple[str, ...]:
    """The services that a strategy puts under other contracts."""
    return tuple(dict.fromkeys(new.service for new in strategy.contracts))


# ---- terms in words
def pounds(value: float) -> str:
    """An amount as a contract states it: to the penny, if there are pennies.

    >>> pounds(49.6), pounds(900.0), pounds(24_980_000.0)
    ('£49.60', '£900', '£24,980,000')
    """
    return f"£{value:,.0f}" if round(value, 2) == round(value) else f"£{value:,.2f}"


def days(value: float) -> str:
    """A number of days of a contract: ``1 day``, ``91 days``."""
    return f"{value:g} day{'' if value == 1 else 's'}"


def price_words(price: Price, on: dt.date) -> str:
    """A price by the day or the week on a date."""
    return f"{pounds(price.price.at(on))} a {'day' if price.days == 1 else 'week'}"


def term(what: Term, on: dt.date) -> str:
    """One term of a contract in plain words, at the prices of a date."""
    match what:
        case PerDiem():
            return price_words(what, on)
        case Tapered():
            return _bands(what, on)
        case Block():
            return f"{pounds(what.gbp_per_year.at(on))} a year, whoever is there"
        case Episode():
            return f"{pounds(what.gbp.value)} for each stay" + (
                f" that reaches day {what.on_day:g}" if what.on_day else ", on its first day"
            )
        case StepDownBonus():
            return _bonus(what)
        case Clawback():
            return _clawback(what)
        case OutcomePayment():
            first = f"{100 * what.share_up_front.value:g}% at the start of the stay"
            return (
                f"{pounds(what.gbp.value)} for independence that lasts {days(what.lasts_days)}, {first}, the rest once"
                " it has lasted"
            )
        case DaysSaved():
            return _saved(what)
        case Indexation():
            return f"prices raised by {100 * what.per_year.value:g}% each 1 April"


def _bands(what: Tapered, on: dt.date) -> str:
    *first, last = what.bands
    ends = [band.from_day for band in what.bands[1:]]
    parts = [f"{price_words(band, on)} to day {end:g}" for band, end in zip(first, ends, strict=True)]
    return f"{', '.join(parts)}, {price_words(last, on)} after that"


def _bonus(what: StepDownBonus) -> str:
    by = "" if what.by_day is None else f" by day {what.by_day:g}"
    if what.tapers_from_day is not None:
        by = f", in full to day {what.tapers_from_day:g} and from there falling to nothing on day {what.by_day:g}"
    return f"{pounds(what.gbp.value)} for a step-down{by}{_lasting(what.lasts_days)}"


def _lasting(lasts: float) -> str:
    return f", once it has lasted {days(lasts)}" if lasts else ""


def _clawback(what: Clawback) -> str:
    taken = (
        []
        if what.share is None
        else ["the sums paid" if what.share.value == 1 else f"{100 * what.share.value:g}% of the sums paid"]
    )
    taken += [] if what.days_of_pay is None else [f"the last {days(what.days_of_pay)}' pay"]
    return f"{wording.listed(taken)} taken back if the client is back within {days(what.within_days or 0.0)}"


def _saved(what: DaysSaved) -> str:
    over = (
        "" if what.gbp_per_day_over is None else f", less {pounds(what.gbp_per_day_over.value)} for each day beyond it"
    )
    lasting = _lasting(what.lasts_days)
    return (
        f"{pounds(what.gbp_per_day.value)} for each day by which a step-down comes before day"
        f" {what.baseline_days:g}{lasting}{over}"
    )


def terms(contract: Contract, on: dt.date) -> str:
    """A contract in a sentence, at the prices of a date in prices of the base year.

    >>> def gbp(value): return {"value": value, "source": "assumption", "grade": "D"}
    >>> rows = [{"kind": "per_diem", "gbp_per_week": gbp(241.3)}, {"kind": "step_down_bonus", "gbp": gbp(900), "by_day": 84, "lasts_days": 91}]
    >>> terms(Contract.model_validate({"name": "bonus", "terms": rows}), dt.date(2014, 4, 1))
    '£241.30 a week; £900 for a step-down by day 84, once it has lasted 91 days.'
    """
    said = [term(what, on) for what in contract.terms]
    if contract.most_gbp_per_client_year is not None:
        said.append(f"no more than {pounds(contract.most_gbp_per_client_year.value)} for a client in a year")
    text = "; ".join(said)
    return f"{text[:1].upper()}{text[1:]}."


# ---- the tables
def contracts_table(model: Model, experiment: Experiment, titles: Mapping[str, str]) -> Table:
    """The contract of each strategy beside the one that it takes the place of: its terms in words, and what gaming it
    would earn."""
    under = [strategy for strategy in experiment.strategies if strategy.contracts]
    rows = [row for new in _before(model, under) for row in _contract_rows(model, "Baseline", *new)]
    for strategy in under:
        applied = apply(model, strategy.model_copy(update={"effects": (), "failures": ()}))
        for service, providers in _places(model, strategy).items():
            rows += _contract_rows(applied, titles[strategy.name], service, providers, strategy.start)
    head = ("Strategy", "Service and providers", "What it pays", "What gaming it would earn")
    caption = f"What each contract pays, in prices of {model.prices.base_year}, and what gaming it would earn"
    return Table(caption, head, tuple(dict.fromkeys(rows)), headers=4)


def _places(model: Model, strategy: Strategy) -> dict[str, tuple[str, ...]]:
    """The providers of each service that a strategy puts under another contract."""
    found: dict[str, tuple[str, ...]] = {}
    for new in strategy.contracts:
        offering = [
            p.name
            for p in model.providers
            if new.provider in (None, p.name) and any(o.service == new.service for o in p.offers)
        ]
        found[new.service] = tuple(dict.fromkeys((*found.get(new.service, ()), *offering)))
    return found


def _before(model: Model, under: list[Strategy]) -> dict[tuple[str, tuple[str, ...], dt.date], None]:
    """Where the strategies' contracts come in, and from when: what the baseline has there."""
    return dict.fromkeys(
        (service, providers, s.start) for s in under for service, providers in _places(model, s).items()
    )


def _contract_rows(
    model: Model, name: str, service: str, providers: tuple[str, ...], on: dt.date
) -> Iterator[tuple[str, ...]]:
    """A row for each contract under which providers give a service on a date."""
    known, held = (
        {contract.name: contract for contract in model.contracts},
        gaming_gains(model).filter(pl.col("service") == service),
    )
    by_contract: dict[str, list[str]] = {}
    for provider in (p for p in model.providers if p.name in providers):
        for offer in provider.offers:
            mine = by_contract.setdefault(offer.contract_at(on), []) if offer.service == service else []
            if provider.name not in mine:
                mine.append(provider.name)
    for contract, names in by_contract.items():
        of = held.filter((pl.col("provider") == names[0]) & (pl.col("since") <= on)).row(-1, named=True)
        where = f"{service_title(model, service)}: {wording.listed([_provider_title(model, p) for p in names])}"
        yield name, where, terms(known[contract], on), "; ".join(_gamed(of)) or "Nothing"


def _gamed(row: Mapping[str, float | None]) -> Iterator[str]:
    """What a cycle would lose or gain, and what bands that begin anew would."""
    if row["cycle_gain"] is not None:
        what = "gain" if row["cycle_gain"] > 0 else "lose"
        out = f"a step-down on day {row['cycle_day']:g} of the stay with a return {days(row['days_out'] or 0.0)} later"
        yield f"A cycle for its sums ({out}) would {what} {pounds(round(abs(row['cycle_gain'])))} each time"
    if row["reset_gain"] is not None and row["reset_gain"] > 0:
        gain = pounds(round(row["reset_gain"]))
        yield (
            f"Bands that begin anew after a step-down on day {row['reset_day']:g}, if the client is assessed anew,"
            f" would gain {gain} each time"
        )


def service_title(model: Model, name: str) -> str:
    """What a service is called: its title, or its name as a person would write it."""
    return next((s.title for s in model.services if s.name == name and s.title), wording.title(name))


def _provider_title(model: Model, name: str) -> str:
    return next((p.title for p in model.providers if p.name == name and p.title), wording.title(name).lower())


def services(
    measures: pl.DataFrame, model: Model, experiment: Experiment, titles: Mapping[str, str], years: str
) -> list[Table]:
    """What came of each strategy in the services that it puts under contracts, a table for each set of services: the
    baseline's averages, then paired differences with the 95 % interval (as
    :func:`simcare.decide.comparison.differences`)."""
    groups: dict[tuple[str, ...], list[str]] = {}
    for strategy in experiment.strategies:
        if strategy.contracts:
            groups.setdefault(services_of(strategy), []).append(strategy.name)
    return [_of_services(measures, model, experiment, titles, names, group, years) for names, group in groups.items()]


def _of_services(
    measures: pl.DataFrame,
    model: Model,
    experiment: Experiment,
    titles: Mapping[str, str],
    names: tuple[str, ...],
    group: list[str],
    years: str,
) -> Table:
    mine = measures.filter(
        pl.col("service").cast(pl.String).is_in(names) & pl.col("strategy").is_in([BASELINE, *group])
    )
    found = differences(totals(mine, [BASELINE, *group], experiment.replications), group)
    shown = [
        name
        for name in OF_SERVICES
        if found.filter((pl.col("measure") == name) & ((pl.col("baseline_mean") != 0) | (pl.col("mean") != 0))).height
    ]
    rows = [
        ("Baseline", *(wording.quantity(_row(found, group[0], name)["baseline_mean"], _unit(name)) for name in shown))
    ]
    rows += [
        (titles[strategy], *(_difference(_row(found, strategy, name), name) for name in shown)) for strategy in group
    ]
    what = wording.listed([service_title(model, name) for name in names])
    caption = f"{what}, {years}: the baseline's average, then each strategy's difference from it (95% interval)"
    return Table(caption, ("Strategy", *(OF_SERVICES[name] for name in shown)), tuple(rows))


def _row(found: pl.DataFrame, strategy: str, measure: str) -> dict[str, float]:
    return found.filter((pl.col("strategy") == strategy) & (pl.col("measure") == measure)).row(0, named=True)


def _difference(row: Mapping[str, float], measure: str) -> str:
    estimate = wording.Estimate.of(row["difference"], row["low"], row["high"], row["baseline_mean"])
    value = wording.rounded_alike(estimate, _unit(measure))[0]
    return "the same" if estimate.verdict == "none" else f"{value} ({wording.interval_words(estimate, _unit(measure))})"


def _unit(measure: str) -> wording.Unit:
    """Pounds or a bare number: the head of the column says that it is days."""
    return wording.POUNDS if wording.shown_measure(measure).unit == wording.POUNDS else wording.COUNT


# ---- the sweep
def ranked_measures(scenarios: pl.DataFrame | None) -> list[str]:
    """The measures by which strategies are ranked: those in which they differ at all; none without scenarios."""
    if scenarios is None or scenarios.is_empty():
        return []
    return [name for name in ranking.SWEPT if ranking.differ(scenarios, name)]


def sweep_note(runs: int) -> str:
    """How to read the figure of a sweep."""
    return (
        f"Bar: 95% interval of the average difference over {runs} paired replications; a triangle where it goes on"
        " beyond the scale, which all panels share. The number at the right is the strategy's rank in that scenario, 1"
        " the best. Strategies are in the order of the first panel."
    )


def swept(
    scenarios: pl.DataFrame, measure: str, experiment: Experiment, titles: Mapping[str, str], years: str
) -> Table:
    """The numbers of the figure of a sweep: every strategy's difference in every scenario, and its rank."""
    ranked, about = ranking.ranks(scenarios, measure), wording.shown_measure(measure)
    rows = []
    for world, name in worlds(experiment).items():
        for row in ranked.filter(pl.col("scenario") == world).sort("rank", maintain_order=True).iter_rows(named=True):
            estimate = wording.Estimate.of(row["difference"], row["low"], row["high"])
            same = estimate.verdict == "none"
            value, ends = (
                wording.rounded_alike(estimate, about.unit)[0],
                "the same" if same else wording.interval_words(estimate, about.unit),
            )
            rows.append((name, titles[row["strategy"]], value, ends, ranking.place(row)))
    head = ("Scenario", "Strategy", "Difference", "95% interval", "Rank")
    return Table(f"{about.label}: difference from the baseline by scenario, {years}", head, tuple(rows), headers=2)


def rankings(
    scenarios: pl.DataFrame, measure: str, experiment: Experiment, titles: Mapping[str, str], years: str
) -> Table:
    """The rank of each strategy by one measure, a column a scenario; in brackets the ranks that the intervals leave
    open."""
    ranked, known = ranking.ranks(scenarios, measure), worlds(experiment)
    cells = {(row["scenario"], row["strategy"]): ranking.place(row) for row in ranked.iter_rows(named=True)}
    rows = [(name, *(cells[world, strategy] for world in known)) for strategy, name in titles.items()]
    return Table(
        f"Ranks by {_lower(wording.shown_measure(measure).label)}, {years}", ("Strategy", *known.values()), tuple(rows)
    )


def _lower(label: str) -> str:
    return f"{label[:1].lower()}{label[1:]}"


def ranking_sentence(scenarios: pl.DataFrame, measure: str, titles: Mapping[str, str]) -> str:
    """Which strategy comes first in how many of the scenarios, and whether the model can tell it from the next and from
    the baseline."""
    about = wording.shown_measure(measure)
    found = ranking.firsts(ranking.ranks(scenarios, measure), about.better)
    count = wording.count_words(found.scenarios)
    if not found.alone:
        return f"{about.label}: no strategy is alone in the first place in any of the {count} scenarios."
    each = [
        f"“{titles[name]}” {'ranks first ' if not k else ''}in {wording.count_words(n)}"
        for k, (name, n) in enumerate(found.alone.items())
    ]
    shared = f"; strategies share the first place in {wording.count_words(found.shared)}" if found.shared else ""
    told = f"The model can tell the first from the next in {_of(found.told)} of them"
    than = f"the first is clearly better than the baseline in {_of(found.better)}"
    return f"{about.label}: of {count} scenarios, {wording.listed(each)}{shared}. {told}; {than}."


def _of(count: int) -> str:
    return "none" if count == 0 else wording.count_words(count)
