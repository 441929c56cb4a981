"""The report's section on contracts: what each pays, what gaming it would earn, and the results in the services where
it holds."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence

import polars as pl

from simcare.decide.comparison import differences, totals
from simcare.model.model import Model
from simcare.model.overlay import apply_strategy
from simcare.model.strategy import BASELINE, Experiment, Strategy
from simcare.money.gaming import gaming_gains
from simcare.report import wording
from simcare.report.contract_words import days, terms
from simcare.report.exhibit import Exhibit, Table, exhibit_name, words_table
from simcare.report.page import Section, Text
from simcare.report.report_input import ReportInput

OF_SERVICES = {  # measures of the services under the contracts, and how the table heads them
    "cost_pv": "Cost of care, NPV (Green Book)",
    "person_days": "Days in care",
    "over_provided_days": "Over-provided days",
    "step_downs": "Step-downs",
    "premature_releases": "Early discharges by the provider",
}
CYCLE = (
    "A cycle: a provider steps a client down and takes them back, for the sake of what is paid again. What it would"
    " earn is worked out from the contract alone, compared with keeping the client."
)
WHERE = "service_and_providers"


def contract_sections(given: ReportInput, years: str) -> list[Section]:
    """What each contract pays, and the results; nothing where no strategy puts a service under another contract."""
    if given.experiment is None or not any(strategy.contracts for strategy in given.experiment.strategies):
        return []
    paid, where = contract_terms_exhibit(given.model, given.experiment, given.titles)
    said = f"{CYCLE} All are for {where}." if where else CYCLE
    return [
        Section("What each contract pays", [Text([said], "quiet"), paid]),
        Section("Results in the services under these contracts", service_exhibits(given, given.experiment, years)),
    ]


# ---- what each contract pays
def contract_terms_exhibit(model: Model, experiment: Experiment, titles: Mapping[str, str]) -> tuple[Exhibit, str]:
    """The contract of each strategy beside the one that it takes the place of: its terms in words, and what gaming it
    would earn. Where all are for the same service and providers, these are not in the table but given by themselves."""
    frame = contracts_frame(model, experiment, titles)
    places = frame[WHERE].unique()
    where = places[0] if len(places) == 1 else ""
    heads = {
        "strategy": "Strategy",
        WHERE: "Service and providers",
        "pays": "What it pays",
        "gaming": "What gaming it would earn",
    }
    shown = frame.drop(WHERE) if where else frame
    caption = f"What each contract pays, in prices of {model.prices.base_year}, and what gaming it would earn"
    table = words_table(shown, caption, [heads[name] for name in shown.columns], "stack")
    return Exhibit("contracts", "", frame, table), where


def contracts_frame(model: Model, experiment: Experiment, titles: Mapping[str, str]) -> pl.DataFrame:
    """In words, columns: strategy, service_and_providers, pays, gaming."""
    under = [strategy for strategy in experiment.strategies if strategy.contracts]
    rows = [row for new in _before(model, under) for row in _contract_rows(model, "Baseline", *new)]
    for strategy in under:
        applied = apply_strategy(model, strategy.model_copy(update={"effects": (), "failures": ()}))
        for service, providers in _places(model, strategy).items():
            rows += _contract_rows(applied, titles[strategy.name], service, providers, strategy.start)
    return pl.DataFrame(list(dict.fromkeys(rows)), schema=["strategy", WHERE, "pays", "gaming"], orient="row")


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


def _before(model: Model, under: Sequence[Strategy]) -> dict[tuple[str, tuple[str, ...], dt.date], None]:
    """Where the strategies' contracts come in, and from when: what the baseline has there."""
    return dict.fromkeys(
        (service, providers, s.start) for s in under for service, providers in _places(model, s).items()
    )


def _contract_rows(
    model: Model, name: str, service: str, providers: tuple[str, ...], on: dt.date
) -> Iterator[tuple[str, ...]]:
    """A row for each contract under which providers give a service on a date."""
    known = {contract.name: contract for contract in model.contracts}
    gains = gaming_gains(model).filter(pl.col("service") == service)
    by_contract: dict[str, list[str]] = {}
    for provider in (p for p in model.providers if p.name in providers):
        for offer in provider.offers:
            mine = by_contract.setdefault(offer.contract_at(on), []) if offer.service == service else []
            if provider.name not in mine:
                mine.append(provider.name)
    for contract, names in by_contract.items():
        of = gains.filter((pl.col("provider") == names[0]) & (pl.col("since") <= on)).row(-1, named=True)
        where = f"{service_title(model, service)}: {wording.listed([_provider_title(model, p) for p in names])}"
        yield name, where, terms(known[contract], on), "; ".join(_gamed(of)) or "Nothing"


def _gamed(row: Mapping[str, float | None]) -> Iterator[str]:
    """What a cycle would lose or gain, and what bands that begin again would."""
    if row["cycle_gain"] is not None:
        what = "gain" if row["cycle_gain"] > 0 else "lose"
        out = f"a step-down on day {row['cycle_day']:g} of the stay with a return {days(row['days_out'] or 0.0)} later"
        gain = wording.quantity(abs(row["cycle_gain"]), wording.POUNDS)
        yield f"A cycle for its sums ({out}) would {what} {gain} each time"
    if row["reset_gain"] is not None and row["reset_gain"] > 0:
        gain = wording.quantity(row["reset_gain"], wording.POUNDS)
        yield (
            f"Bands that begin again after a step-down on day {row['reset_day']:g}, if the client is assessed again,"
            f" would gain {gain} each time"
        )


def service_title(model: Model, name: str) -> str:
    """What a service is called: its title, or its name as a person would write it."""
    return next((s.title for s in model.services if s.name == name and s.title), wording.title(name))


def _provider_title(model: Model, name: str) -> str:
    return next((p.title for p in model.providers if p.name == name and p.title), wording.title(name).lower())


# ---- the services under them
def services_of(strategy: Strategy) -> tuple[str, ...]:
    """The services that a strategy puts under other contracts."""
    return tuple(dict.fromkeys(new.service for new in strategy.contracts))


def service_exhibits(given: ReportInput, experiment: Experiment, years: str) -> list[Exhibit]:
    """The results of each strategy in the services that it puts under contracts, an exhibit for each set of services:
    the baseline's averages, then paired differences with the 95 % interval (as
    :func:`simcare.decide.comparison.differences`)."""
    groups: dict[tuple[str, ...], list[str]] = {}
    for strategy in experiment.strategies:
        if strategy.contracts:
            groups.setdefault(services_of(strategy), []).append(strategy.name)
    return [_services_exhibit(given, experiment, names, group, years) for names, group in groups.items()]


def _services_exhibit(
    given: ReportInput, experiment: Experiment, names: tuple[str, ...], group: list[str], years: str
) -> Exhibit:
    """One set of services. Columns of the frame as of a comparison's differences."""
    mine = given.measures.filter(
        pl.col("service").cast(pl.String).is_in(names) & pl.col("strategy").is_in([BASELINE, *group])
    )
    found = differences(totals(mine, [BASELINE, *group], experiment.replications), group)
    some = (pl.col("baseline_mean") != 0) | (pl.col("mean") != 0)
    known = found.filter(pl.col("measure").is_in(list(OF_SERVICES)) & some)["measure"].unique().to_list()
    frame = found.filter(pl.col("measure").is_in(known))
    what = wording.listed([service_title(given.model, name) for name in names])
    caption = f"{what}, {years}: the baseline's average, then each strategy's difference from it (95% interval)"
    return Exhibit(exhibit_name("services", *names), "", frame, services_table(frame, caption, group, given.titles))


def services_table(frame: pl.DataFrame, caption: str, group: Sequence[str], titles: Mapping[str, str]) -> Table:
    """A column for each measure of OF_SERVICES in which anything happened."""
    rows = {(row["strategy"], row["measure"]): row for row in frame.iter_rows(named=True)}
    shown = [name for name in OF_SERVICES if name in set(frame["measure"])]
    baseline = [wording.quantity(rows[group[0], name]["baseline_mean"], _unit(name)) for name in shown]
    body = [("Baseline", *baseline)]
    body += [(titles[strategy], *(_difference(rows[strategy, name], name) for name in shown)) for strategy in group]
    return Table(caption, ("Strategy", *(OF_SERVICES[name] for name in shown)), tuple(body), look="wrap")


def _difference(row: Mapping[str, float], measure: str) -> str:
    estimate = wording.Estimate.of(row["difference"], row["low"], row["high"], row["baseline_mean"])
    value = wording.rounded_alike(estimate, _unit(measure))[0]
    return "the same" if estimate.verdict == "none" else f"{value} ({wording.interval_words(estimate, _unit(measure))})"


def _unit(measure: str) -> wording.Unit:
    """Pounds or a bare number: the head of the column says that it is days."""
    return wording.POUNDS if wording.shown_measure(measure).unit == wording.POUNDS else wording.COUNT
