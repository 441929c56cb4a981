"""One offline HTML file: what was asked, what was found, how sure it is, and what it rests on.

Everything is inside the file; opening it asks no network for anything, and the page says so to the browser
(Content-Security-Policy).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import plotly.graph_objects as go
import polars as pl
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape
from plotly.offline import get_plotlyjs

from simcare.files.atomic import write_file
from simcare.measures.spread_parts import INDEX
from simcare.model.model import Model
from simcare.model.strategy import Experiment, Strategy
from simcare.report import contracts, demand, figures, providers, summaries, tables, theme, wording
from simcare.report.figures import BASELINE
from simcare.report.fit_wording import fit_sentence
from simcare.report.page import script_json, unbroken
from simcare.report.tables import Table
from simcare.units import month_index, month_name

USED = (
    "caseload",
    "cost",
    "cost_real",
    "cost_pv",
    *tables.LIMITS,
)  # the measures that figures and tables are drawn from


class Result(Protocol):
    """What a report needs of a run or of a comparison."""

    @property
    def model(self) -> Model: ...
    @property
    def measures(self) -> pl.DataFrame: ...
    @property
    def flows(self) -> pl.DataFrame: ...
    @property
    def manifest(self) -> Mapping[str, Any]: ...


@dataclass(frozen=True)
class ReportInput:
    """The pieces of a report. A run has no experiment and no differences, and its report no comparison.

    ``measures``: the tidy frame of all strategies and replications ("baseline" among them). ``flows``: strategy,
    replication, financial_year, from_tier, to_tier, moves. ``differences``: a row a strategy and measure, as a
    comparison gives them. ``manifest`` says at least how many ``years`` and ``replications`` were run.
    """

    model: Model
    measures: pl.DataFrame
    manifest: Mapping[str, Any]
    flows: pl.DataFrame
    experiment: Experiment | None = None
    totals: pl.DataFrame | None = None
    differences: pl.DataFrame | None = None
    scenarios: pl.DataFrame | None = None
    market: pl.DataFrame | None = None

    @classmethod
    def of(cls, result: Result) -> ReportInput:
        """The pieces of a run, of a comparison, or of anything with the same names."""
        extra = {
            name: getattr(result, name, None) for name in ("experiment", "totals", "differences", "scenarios", "market")
        }
        return cls(result.model, result.measures, result.manifest, result.flows, **extra)

    @property
    def titles(self) -> dict[str, str]:
        """What each strategy is called in figures, the baseline left out."""
        return (
            {s.name: wording.short_title(s.name, s.title) for s in self.experiment.strategies}
            if self.experiment is not None
            else {}
        )


@dataclass(frozen=True)
class Shown:
    """A figure in the page: its title, what it shows in words, a note below it, its data and the table beside it."""

    key: str
    title: str
    alt: str
    note: str
    data: Markup
    height: int
    table: Table


@dataclass(frozen=True)
class View:
    """What the page shows of one strategy."""

    strategy: str
    name: str
    change: Shown | None
    caseload: tuple[Shown, ...]
    waits: Shown | None
    cost: Shown
    moves: Shown | None


def write_report(result: Result, path: str | Path) -> Path:
    """Write the report of a run or a comparison to ``path`` and return it. The file is complete or it is not there."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_file(path, html(ReportInput.of(result)))
    return path


def html(given: ReportInput) -> str:
    """The whole page as text."""
    slim = _slim(given)
    years = summaries.financial_years(slim)
    runs = summaries.replications(slim).height
    period = wording.horizon_words(years)
    names = {BASELINE: "Baseline", **given.titles}
    assumptions = tables.assumptions(given.model, given.experiment)
    views = [_view(given, slim, strategy, name, period) for strategy, name in names.items()]
    rewards = contracts.rewards(given, period)
    environment = Environment(
        loader=PackageLoader("simcare.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"unbroken": unbroken, "breakable": breakable}
    return environment.get_template("report.html").render(
        title=given.experiment.title if given.experiment else given.model.about.title,
        asked=_asked(given, period, runs),
        period=period,
        start=wording.date(given.model.about.start),
        runs=runs,
        baseline=_baseline_sentence(slim, period),
        strategies=_strategies(given, slim, period, runs),
        comparison=_comparison(given, period, runs),
        assumed=tables.strategies(given.experiment) if given.experiment else None,
        change=_change(given, slim, period),
        rewards=rewards,
        fared=providers.fared(given.measures, given.market, given.model, given.titles, period, runs),
        demand=[_shown(*drawn) for drawn in demand.drivers(given.model, slim, period, runs)],
        sweeps=_sweeps(given, rewards, period, runs),
        views=views,
        limited=any(view.waits for view in views),
        assumptions=assumptions,
        grades=tables.grade_counts(assumptions),
        range_words=summaries.range_words(runs),
        tiers=wording.tier_meanings(given.model),
        prices=tables.prices(given.model),
        base_year=given.model.prices.base_year,
        facts=tables.facts(given.manifest),
        fit=fit_sentence(given.manifest["fit"]) if "fit" in given.manifest else "",
        drawn_from=_drawn_from(given.manifest.get("fit", {})),
        by_parameters=tables.part_known(given.differences, "parameter"),
        sources=_sources(given),
        plotly=Markup(get_plotlyjs()),  # noqa: S704  our own dependency, not input
        config=Markup(json.dumps(theme.CONFIG)),  # noqa: S704
        narrow_px=theme.NARROW_PX,
        middle_px=theme.MIDDLE_PX,
    )


def _drawn_from(told: Mapping[str, Any]) -> Table | None:
    """What each parameter of a fit is drawn from: a factor on rates of the file, or a value that stands in place of the
    file's."""
    rows = [
        (
            p["title"],
            f"{'factor' if p['factor'] else 'value'} {p['median']:.3g}",
            f"{p['low']:.3g} to {p['high']:.3g}",
            "counted" if p["width"] is None else f"{100 * p['width']:.0f}%",
        )
        for p in told.get("parameters", ())
    ]
    head = ("Parameter of the fit", "Median", "Nine in ten", "Prior's width left")
    return Table("What the fit puts in place of numbers below", head, tuple(rows)) if rows else None


def _slim(given: ReportInput) -> pl.DataFrame:
    """The measures that are drawn, summed over what no figure tells apart; whether there is a service or a group is
    kept, as spending shows by it.

    Noughts stand for every month of every replication, so that one in which nothing happened counts.
    """
    known = [pl.when(pl.col(name).is_not_null()).then(pl.lit("any")).alias(name) for name in ("service", "group")]
    cells = [pl.col(name).cast(pl.String) for name in ("strategy", "month", "stage", "tier", "measure")]
    used = pl.col("measure").is_in(USED) | pl.col("measure").str.starts_with(INDEX)
    drawn = given.measures.lazy().filter(used).with_columns(*known, *cells).collect()
    by = ["strategy", "replication", "month", "stage", "group", "tier", "service", "measure"]
    runs = pl.DataFrame(
        {"replication": range(int(given.manifest["replications"]))}, schema={"replication": drawn.schema["replication"]}
    )
    every = (
        pl.DataFrame({"strategy": ["baseline", *given.titles]})
        .join(runs, how="cross")
        .join(_months(given), how="cross")
    )
    noughts = every.join(
        pl.DataFrame({"measure": [name for name in USED if name.startswith("cost")]}), how="cross"
    ).with_columns(pl.lit(0.0).alias("value"))
    return (
        pl.concat([drawn.select(*by, "value"), noughts], how="diagonal")
        .group_by(by, maintain_order=True)
        .agg(pl.col("value").sum())
    )


def _months(given: ReportInput) -> pl.DataFrame:
    """The months of the run."""
    first = month_index(given.model.about.start)
    return pl.DataFrame({"month": [month_name(first + k) for k in range(12 * int(given.manifest["years"]))]})


def breakable(path: str) -> Markup:
    """A path that may break after its dots."""
    return Markup(str(escape(path)).replace(".", ".<wbr>"))  # noqa: S704


def _shown(fig: go.Figure, note: str, table: Table) -> Shown:
    bare = theme.untitled(fig)
    data = bare.to_json()
    key = "f" + hashlib.sha256(f"{fig.layout.title.text}{data}".encode()).hexdigest()[:12]
    about = fig.layout.meta
    return Shown(key, about["title"], about["alt"], note, script_json(data), int(bare.layout.height), table)


# ---- sentences
def _asked(given: ReportInput, period: str, runs: int) -> str:
    about = given.model.about
    if given.experiment is None:
        asked = f"What care will cost and how many people it will serve in {period}, if nothing changes"
        return (
            f"{asked}, by the model “{about.title}”, in {wording.count_words(runs)}"
            f" {'replication' if runs == 1 else 'replications'}."
        )
    count = len(given.experiment.strategies)
    what = "one strategy is" if count == 1 else f"{wording.count_words(count)} strategies are"
    asked = f"How {what} expected to change cost and independence in {period} compared with the baseline"
    return f"{asked}, by the model “{about.title}”, in {runs} paired replications."


def _baseline_sentence(measures: pl.DataFrame, period: str) -> str:
    """What happens if nothing changes: cash over the period, and people in care in the first and last year."""
    costs = measures.filter((pl.col("strategy") == BASELINE) & (pl.col("measure") == "cost"))
    runs = summaries.replications(measures)
    everything = costs.with_columns(pl.lit("all").alias("what"))
    total = summaries.over_replications(summaries.cell_sums(everything, ["what"], runs), ["what"]).row(0, named=True)
    cash, low, high = wording.rounded_alike(
        wording.Estimate.of(total["mean"], total["low"], total["high"]), wording.POUNDS, signed=False
    )
    people = (
        summaries.caseload_by_year(measures, BASELINE)
        .group_by("financial_year")
        .agg(pl.col("mean").sum())
        .sort("financial_year")["mean"]
    )
    spread = f" ({summaries.range_words(runs.height)}: {low} to {high})" if low and low != high else ""
    over = "Over" if " to " in period else "In"
    means = [wording.quantity(mean) for mean in people]
    ends = "nobody is in care" if not means else f"people in care average {means[0]}"
    ends += f" in the first year and {means[-1]} in the last" if len(means) > 1 else ""
    return f"{over} {period}, if nothing changes, care is expected to cost {cash} in cash{spread}; {ends}."


def _strategies(given: ReportInput, measures: pl.DataFrame, period: str, runs: int) -> list[dict[str, str]]:
    """For each strategy: its title, its sentence, how often it does better, and how good its evidence is."""
    if given.experiment is None or given.differences is None:
        return []
    return [
        {
            "name": given.titles[strategy.name],
            "sentence": finding_sentence(given.differences, strategy, measures, period),
            "often": _often(given.differences, strategy, runs),
            "evidence": tables.evidence(strategy),
        }
        for strategy in given.experiment.strategies
    ]


def report_sentences(given: ReportInput) -> list[str]:
    """The plain sentences of a report: the baseline's, then one a strategy."""
    measures = _slim(given)
    period = wording.horizon_words(summaries.financial_years(measures))
    runs = summaries.replications(measures).height
    return [
        _baseline_sentence(measures, period),
        *(found["sentence"] for found in _strategies(given, measures, period, runs)),
    ]


def finding_sentence(differences: pl.DataFrame, strategy: Strategy, measures: pl.DataFrame, period: str) -> str:
    """The plain sentence of one strategy, from its paired differences."""
    said = {
        "cost_pv": "total cost in present value",
        "dependency_days": "dependency-days",
        "independent_days": "independent days",
    }
    mine = differences.filter(pl.col("strategy") == strategy.name)
    findings = []
    for name, what in said.items():
        for row in mine.filter(pl.col("measure") == name).iter_rows(named=True):
            unit = wording.POUNDS if name == "cost_pv" else wording.COUNT  # the words before it say that these are days
            findings.append(
                wording.Finding(
                    what, unit, wording.Estimate.of(row["difference"], row["low"], row["high"], row["baseline_mean"])
                )
            )
    return wording.strategy_sentence(strategy.title, period, findings, _own_cost(strategy, measures))


def _own_cost(strategy: Strategy, measures: pl.DataFrame) -> str:
    if strategy.gbp_per_year is None and strategy.one_off_gbp is None:
        return "with no cost of its own assumed"
    cost = summaries.own_cost(measures, strategy.name)
    return f"at a cost of {wording.quantity(cost, wording.POUNDS)} for the strategy itself, which total cost includes"


def _often(differences: pl.DataFrame, strategy: Strategy, runs: int) -> str:
    rows = differences.filter((pl.col("strategy") == strategy.name) & (pl.col("measure") == "cost_pv")).to_dicts()
    if not rows or not rows[0]["baseline_mean"] > 0:
        return ""
    _, low, high = wording.rounded_alike(
        wording.Estimate.of(rows[0]["difference"], rows[0]["spread_low"], rows[0]["spread_high"]), wording.POUNDS
    )
    cheaper = round(rows[0]["share_better"] * runs)
    relative = wording.Estimate.of(
        *(100 * rows[0][end] / rows[0]["baseline_mean"] for end in ("difference", "low", "high"))
    )
    share = wording.rounded_alike(relative, wording.PERCENT)[0]
    of = wording.quantity(rows[0]["baseline_mean"], wording.POUNDS)
    cheaper_in = f"Total cost was lower than the baseline's in {cheaper} of {runs} replications"
    return (
        f"The average change is {share} of the baseline's {of}. {cheaper_in}; it changed by between {low} and {high}"
        " (5th to 95th percentile)."
    )


def _sources(given: ReportInput) -> list[str]:
    experiment = given.experiment.sources if given.experiment else {}
    return list(dict.fromkeys([*given.model.sources.values(), *experiment.values()]))


# ---- figures
def _comparison(given: ReportInput, period: str, runs: int) -> Shown | None:
    if given.differences is None or not given.titles:
        return None
    known = partial(tables.part_known, given.differences)
    note = (
        f"Total cost is in {given.model.prices.base_year} prices, discounted, and includes what each strategy itself"
        f" costs. Thick bar: 95% interval of the average difference over {runs} paired replications. Thin line: from"
        " the 5th to the 95th percentile of the replications. "
        + (
            "Purple: demand's part of it, where nine in ten would lie if demand alone were uncertain. "
            if known("demand")
            else ""
        )
        + (
            "Green: the parameters' part, where nine in ten would lie if the fit's parameters alone were uncertain. "
            if known("parameter")
            else ""
        )
        + "Where no bar shows, it is narrower than the marker. A finding whose 95% interval holds nought cannot be told"
        " from no difference."
    )
    table = tables.comparison_table(given.differences, given.titles, period, runs)
    return _shown(figures.comparison_figure(given.differences, given.titles, period), note, table)


def _change(given: ReportInput, measures: pl.DataFrame, period: str) -> Shown | None:
    if not given.titles:
        return None
    note = (
        "Cash, the strategy's own cost included. Below nought: cheaper than the baseline in that year. All panels share"
        " one scale."
    )
    return _shown(
        figures.cost_change_figure(measures, given.titles), note, tables.cost_change_table(measures, given.titles)
    )


def _sweeps(given: ReportInput, rewards: contracts.Rewards | None, period: str, runs: int) -> list[Shown]:
    """A figure for each measure of the sweep over scenarios that is drawn."""
    if rewards is None or given.experiment is None or given.scenarios is None:
        return []
    found, worlds, note = given.scenarios, contracts.worlds(given.experiment), contracts.sweep_note(runs)
    tables = {
        measure: contracts.swept(found, measure, given.experiment, given.titles, period) for measure in rewards.drawn
    }
    return [
        _shown(figures.sweep(found, measure, given.titles, worlds, period), note, table)
        for measure, table in tables.items()
    ]


def _view(given: ReportInput, measures: pl.DataFrame, strategy: str, name: str, period: str) -> View:
    model, spread = given.model, summaries.range_words(summaries.replications(measures, strategy).height)
    table = tables.caseload_table(measures, model, strategy, name)
    mine = summaries.caseload_by_year(measures, strategy)
    stages = [s.name for s in model.stages if float(mine.filter(pl.col("stage") == s.name)["mean"].sum()) > 0]
    part = (
        " Purple: demand's part of it." if any(name.startswith(INDEX) for name in measures["measure"].unique()) else ""
    )
    note = f"Average of each month, {period}. Band: {spread}.{part} Each panel has its own scale, from nought."
    each = tuple(
        _shown(figures.caseload_figure(measures, model, stage, strategy, name), note, _of_stage(table, stage))
        for stage in stages
    )
    cost_note = (
        f"Blue: cash. Pale blue: {model.prices.base_year} prices. Whisker: {spread}.{part} Scales differ between"
        " panels. Spending that belongs to no life stage is in the first panel only."
    )
    costs = _shown(
        figures.cost_figure(measures, model, strategy, name), cost_note, tables.cost(measures, model, strategy, name)
    )
    change, limits = _caseload_change(measures, model, strategy, name), _waits(measures, model, strategy, name, period)
    return View(strategy, name, change, each, limits, costs, _moves(given, measures, strategy, name, period))


def _caseload_change(measures: pl.DataFrame, model: Model, strategy: str, name: str) -> Shown | None:
    if strategy == BASELINE:
        return None
    note = (
        "All life stages together, average of each month. Band: 95% interval of the average difference. Each panel has"
        " its own scale."
    )
    table = tables.caseload_change_table(measures, model, strategy, name)
    return _shown(figures.caseload_change_figure(measures, model, strategy, name), note, table)


def _waits(measures: pl.DataFrame, model: Model, strategy: str, name: str, period: str) -> Shown | None:
    """What happens where places run out; nothing where they never do, neither in the strategy nor in the baseline."""
    if not any(summaries.limited(measures, one) for one in (strategy, BASELINE)):
        return None
    spread = summaries.range_words(summaries.replications(measures, strategy).height)
    table = tables.waits_table(measures, model, strategy, name)
    waited = any(row[0] == tables.MEAN_WAIT for row in table.rows)
    note = f"People: average of each month, {period}. Band: {spread}. Each panel has its own scale, from nought."
    if waited:
        note += (
            " Mean wait: the days waited by all who got a place from the queue in the quarter, divided by their number;"
            " who got a place at once, or still waits, is not in it, so that it can be short while many wait: read it"
            " beside the people waiting. By quarter, as in a single month few may get a place; its band is of"
            " replications in which anybody did."
        )
    return _shown(figures.waits_figure(measures, model, strategy, name), note, table)


def _of_stage(table: Table, stage: str) -> Table:
    rows = tuple(row[1:] for row in table.rows if row[0] == stage)
    return Table(f"{table.caption}, {stage}", table.head[1:], rows, headers=1)


def _moves(given: ReportInput, measures: pl.DataFrame, strategy: str, name: str, period: str) -> Shown | None:
    if given.flows.filter(pl.col("strategy") == strategy).is_empty():
        return None
    note = (
        f"Average a year over {period} and over replications. People who stay on their tier are not shown; "
        "moves that are less than 0.2% of all are in the table only."
    )
    table = tables.moves_table(given.flows, measures, given.model, strategy, name)
    return _shown(figures.moves_figure(given.flows, measures, given.model, strategy, name), note, table)
