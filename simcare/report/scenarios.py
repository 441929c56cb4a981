"""The report's section on scenarios: which strategy comes first, by which measure and in which scenario."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from simcare.decide import ranking
from simcare.model.strategy import AS_IN_THE_FILE, Experiment
from simcare.report import wording
from simcare.report.exhibit import Exhibit, Table, exhibit_name, sentences
from simcare.report.figures import sweep_figure
from simcare.report.likelihood import ranked_estimate
from simcare.report.page import Section, Text
from simcare.report.report_input import ReportInput

DRAWN = ("cost_pv", "dependency_days", "under_provided_days")  # the measures that are drawn; others are ranked only
SCENARIO = (
    "A scenario is the same comparison, baseline included, with some assumption changed; “as in the file” is the"
    " comparison above."
)
RANKS = (
    "1 is best. In brackets: the ranks that the 90% prediction intervals leave open. Two strategies count as different"
    " only where these do not overlap. That is strict: all meet the same simulated futures, so the model may well"
    " distinguish two whose intervals overlap."
)


def scenario_sections(given: ReportInput, years: str, replications: int) -> list[Section]:
    """Which strategy comes first, and the ranks in each scenario; nothing without scenarios in which they differ."""
    each = scenario_exhibits(given, years, replications)
    if not each:
        return []
    drawn, ranked = [sweep for sweep, _ in each if sweep is not None], [ranks for _, ranks in each]
    said = [Text([SCENARIO], "quiet"), Text(sentences(ranked), "list")]
    return [
        Section("Which strategy comes first, and where", [*said, *drawn]),
        Section("Ranks in each scenario", [Text([RANKS], "quiet"), *ranked]),
    ]


def scenario_exhibits(given: ReportInput, years: str, replications: int) -> list[tuple[Exhibit | None, Exhibit]]:
    """For each measure by which strategies are ranked: the sweep over scenarios, where it is drawn, and the ranks with
    their sentence, from one frame."""
    if given.experiment is None or given.scenarios is None:
        return []
    titles, names = given.titles, scenario_titles(given.experiment)
    found = []
    for measure in ranked_measures(given.scenarios):
        frame = ranking.ranks(given.scenarios, measure)
        drawn = _sweep(frame, measure, titles, names, years, replications) if measure in DRAWN else None
        found.append((drawn, _ranks(frame, measure, titles, names, years)))
    return found


def _sweep(
    frame: pl.DataFrame,
    measure: str,
    titles: Mapping[str, str],
    names: Mapping[str, str],
    years: str,
    replications: int,
) -> Exhibit:
    figure = sweep_figure(frame, measure, titles, names, years)
    table = sweep_table(frame, measure, titles, names, years)
    name, note = exhibit_name("scenarios", measure), sweep_note(replications)
    return Exhibit(name, figure.layout.meta["title"], frame, table, figure, note=note)


def _ranks(
    frame: pl.DataFrame, measure: str, titles: Mapping[str, str], names: Mapping[str, str], years: str
) -> Exhibit:
    table = ranks_table(frame, measure, titles, names, years)
    sentence = ranking_sentence(frame, measure, titles)
    return Exhibit(exhibit_name("ranks", measure), "", frame, table, sentence=sentence)


def scenario_titles(experiment: Experiment) -> dict[str, str]:
    """The title of each scenario, that of the file first."""
    return {AS_IN_THE_FILE: "As in the file", **{scenario.name: scenario.title for scenario in experiment.scenarios}}


def ranked_measures(scenarios: pl.DataFrame | None) -> list[str]:
    """The measures by which strategies are ranked: those in which they differ at all; none without scenarios."""
    if scenarios is None or scenarios.is_empty():
        return []
    return [name for name in ranking.SWEPT if ranking.differ(scenarios, name)]


def sweep_note(replications: int) -> str:
    """How to read the figure of a sweep."""
    return (
        f"Bar: {wording.PREDICTION}, of {replications} paired replications; a triangle where it goes on"
        " beyond the scale, which all panels share. The number at the right is the strategy's rank in that scenario,"
        " 1 the best. Strategies are in the order of the first panel."
    )


def sweep_table(
    ranked: pl.DataFrame, measure: str, titles: Mapping[str, str], names: Mapping[str, str], years: str
) -> Table:
    """The numbers of the figure of a sweep: every strategy's difference in every scenario, and its rank."""
    about = wording.shown_measure(measure)
    rows = []
    for scenario, name in names.items():
        mine = ranked.filter(pl.col("scenario") == scenario).sort("rank", maintain_order=True)
        for row in mine.iter_rows(named=True):
            estimate = ranked_estimate(row)
            value = wording.rounded_alike(estimate, about.unit)[0]
            ends = "the same" if estimate.verdict == "none" else wording.interval_words(estimate, about.unit)
            rows.append((name, titles[row["strategy"]], value, ends, ranking.place(row)))
    head = ("Scenario", "Strategy", "Difference", wording.PREDICTION, "Rank")
    return Table(f"{about.label}: difference from the baseline by scenario, {years}", head, tuple(rows), headers=2)


def ranks_table(
    ranked: pl.DataFrame, measure: str, titles: Mapping[str, str], names: Mapping[str, str], years: str
) -> Table:
    """The rank of each strategy by one measure, a column a scenario; in brackets the ranks that the intervals leave
    open."""
    cells = {(row["scenario"], row["strategy"]): ranking.place(row) for row in ranked.iter_rows(named=True)}
    rows = tuple((name, *(cells[scenario, strategy] for scenario in names)) for strategy, name in titles.items())
    label = wording.shown_measure(measure).label
    caption = f"Ranks by {label[:1].lower()}{label[1:]}, {years}"
    return Table(caption, ("Strategy", *names.values()), rows, look="ranks")


def ranking_sentence(ranked: pl.DataFrame, measure: str, titles: Mapping[str, str]) -> str:
    """Which strategy comes first in how many of the scenarios, and whether it clearly differs from the next and from
    the baseline."""
    about = wording.shown_measure(measure)
    found = ranking.firsts(ranked, about.better)
    count = wording.count_words(found.scenarios)
    if not found.alone:
        return f"{about.label}: no strategy is alone in the first place in any of the {count} scenarios."
    each = [
        f"“{titles[name]}” {'ranks first ' if not k else ''}in {wording.count_words(n)}"
        for k, (name, n) in enumerate(found.alone.items())
    ]
    shared = f"; strategies share the first place in {wording.count_words(found.shared)}" if found.shared else ""
    next_one = f"The first differs clearly from the next in {_of(found.told)} of them"
    than = f"the first is clearly better than the baseline in {_of(found.better)}"
    return f"{about.label}: of {count} scenarios, {wording.listed(each)}{shared}. {next_one}; {than}."


def _of(count: int) -> str:
    return "none" if count == 0 else wording.count_words(count)
