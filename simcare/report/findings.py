"""The report's findings: a plain sentence for the baseline and for each strategy, and the comparison that they come
from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl
from markupsafe import Markup

from simcare.decide.programme import OWN_SUMS, programme_costs
from simcare.model.strategy import BASELINE, Strategy
from simcare.report import figures, summaries, tables, wording
from simcare.report.exhibit import Exhibit
from simcare.report.frames import Frames
from simcare.report.likelihood import paired_estimate
from simcare.report.page import Block, FindingBox, Section, Text
from simcare.report.report_input import ReportInput
from simcare.report.setting import Setting
from simcare.report.sources import evidence, strategies_exhibit
from simcare.report.strategy_words import Finding, strategy_sentence

SAID = {  # the measures that a strategy's sentence speaks of, money first
    "cost_council": "cost to the council in the cash budget",
    "cost_pv": "total cost in NPV (Green Book)",
    "dependency_days": "dependency-days",
    "independent_days": "independent days",
    "unmet_need_days": "unmet-need days",
}
EFFECTS = (
    "“× 0.8” means that something happens 0.8 times as fast. Effects that rest on evidence are used weaker than"
    " published, the more so the weaker the evidence: the last number is the one used. What is only asked (a what-if)"
    " is used as asked."
)


def findings_section(frames: Frames, drawn: str) -> Section:
    """What the page is for: the baseline, then each strategy; ``drawn`` says what each replication draws."""
    boxes: list[Block] = [FindingBox("Baseline", baseline_sentence(frames), baseline=True)]
    boxes += strategy_findings(frames)
    said = [Text([drawn])] if drawn else []
    notes = [Text([_terms(frames.setting)], "quiet")] if len(boxes) > 1 else []
    heading = f"Findings, {frames.setting.period}"
    return Section(heading, [*boxes, *said, *notes], key="findings", contents="Findings")


def _terms(setting: Setting) -> str:
    """What the words of the findings mean."""
    return Markup(
        "NPV (Green Book) is in {} prices with later years discounted. Dependency-days: days on a tier of long-term"
        " care above need, beyond day 91 of a stay. Independent days: days at home with need met, of everyone ever"
        " known; they do not rise when care is withheld, which shows as unmet-need days. A simulated future is one"
        " replication: one draw of all that is said to be unknown, chance events included; nine in ten lie in the 90%"
        " prediction interval. “Likely” is two in three or more, “very likely” nine in ten, “almost certain” 99 in 100"
        ' (see <a href="#method">Method</a>).'
    ).format(setting.model.prices.base_year)


def baseline_sentence(frames: Frames) -> str:
    """What happens if nothing changes: the cash budget over the period, and people in care in the first and last
    year."""
    measures, setting = frames.measures, frames.setting
    costs = measures.filter((pl.col("strategy") == BASELINE) & pl.col("measure").is_in(summaries.CASH[:3]))
    summed = summaries.cell_sums(costs, ["measure"], summaries.replications(measures))
    paid = {row["measure"]: row for row in summaries.over_replications(summed, ["measure"]).iter_rows(named=True)}
    council = paid["cost_council"]
    estimate = wording.Estimate.of(council["mean"], council["low"], council["high"])
    cash, low, high = wording.rounded_alike(estimate, wording.POUNDS, signed=False)
    others = [
        f"{who} {wording.quantity(paid[name]['mean'], wording.POUNDS)}"
        for name, who in (("cost_health", "the NHS pays"), ("cost_client", "clients pay"))
        if paid[name]["mean"] > 0
    ]
    beside = f"; {' and '.join(others)} beside it" if others else ""
    spread = f" ({setting.range_words}: {low} to {high})" if low and low != high else ""
    start = f"{'Over' if ' to ' in setting.period else 'In'} {setting.period}, if nothing changes"
    in_care = _in_care(frames.caseload(BASELINE))
    return f"{start}, care is expected to cost the council {cash} in the cash budget{spread}{beside}; {in_care}."


def _in_care(caseload: pl.DataFrame) -> str:
    """How many people are in care on average, in the first year and in the last."""
    years = caseload.filter(pl.col("month").is_null()).group_by("financial_year").agg(pl.col("mean").sum())
    means = [wording.quantity(mean) for mean in years.sort("financial_year")["mean"]]
    if not means:
        return "nobody is in care"
    ends = f" in the first year and {means[-1]} in the last" if len(means) > 1 else ""
    return f"people in care average {means[0]}{ends}"


def strategy_findings(frames: Frames) -> list[FindingBox]:
    """For each strategy: its title, its sentence, how often it does better, and how good its evidence is."""
    given, setting = frames.given, frames.setting
    if given.experiment is None or given.differences is None:
        return []
    return [
        FindingBox(
            given.titles[strategy.name],
            finding_sentence(given.differences, strategy, programme_words(given, strategy), setting, given.hangs_on),
            f"{_relative(given.differences, strategy)} {evidence(strategy)}".strip(),
        )
        for strategy in given.experiment.strategies
    ]


def report_sentences(given: ReportInput) -> list[str]:
    """The plain sentences of a report: the baseline's, then one a strategy."""
    frames = Frames(given)
    return [baseline_sentence(frames), *(found.sentence for found in strategy_findings(frames))]


def finding_sentence(
    differences: pl.DataFrame,
    strategy: Strategy,
    programme: str,
    setting: Setting,
    hangs_on: Mapping[str, Sequence[str]],
) -> str:
    """The plain sentence of one strategy, from its paired differences; ``programme`` says what it costs itself,
    ``hangs_on`` what most of it depends on, by strategy."""
    mine = differences.filter(pl.col("strategy") == strategy.name)
    findings = []
    for name, what in SAID.items():
        for row in mine.filter(pl.col("measure") == name).iter_rows(named=True):
            # The words before a number say that it is days.
            unit = wording.POUNDS if name.startswith("cost") else wording.COUNT
            findings.append(Finding(what, unit, paired_estimate(row)))
    return strategy_sentence(
        strategy.title, setting.period, findings, programme, setting.replications, hangs_on.get(strategy.name, ())
    )


def programme_words(given: ReportInput, strategy: Strategy) -> str:
    """What a strategy spends on its own items, in cash, and on which if they are several."""
    costs = programme_costs(given.measures, strategy, given.model).group_by("item", maintain_order=True)
    items = [(item, gbp) for item, gbp in costs.agg(pl.col("gbp").mean()).iter_rows() if gbp != 0]
    if not items:
        return "with no programme cost assumed"
    each = [f"{item} {wording.quantity(gbp, wording.POUNDS)}" for item, gbp in items]
    named = f" ({'; '.join(each)})" if len(items) > 1 or items[0][0] != OWN_SUMS else ""
    total = wording.quantity(sum(gbp for _, gbp in items), wording.POUNDS)
    return f"at a programme cost of {total} in cash{named}, which the costs include"


def _relative(differences: pl.DataFrame, strategy: Strategy) -> str:
    """The average change in cost to the council beside the baseline's, and how exactly it is worked out."""
    rows = differences.filter((pl.col("strategy") == strategy.name) & (pl.col("measure") == "cost_council")).to_dicts()
    if not rows or not rows[0]["baseline_mean"] > 0:
        return ""
    row = rows[0]
    share = wording.quantity(100 * row["relative"], wording.PERCENT, signed=True)
    of = wording.quantity(row["baseline_mean"], wording.POUNDS)
    error = row["monte_carlo_error"]
    exactly = f" Monte Carlo error of that average: {wording.quantity(error, wording.POUNDS)}." if error else ""
    return f"The average change is {share} of the baseline's {of}.{exactly}"


# ---- the comparison
def comparison_section(frames: Frames) -> Section | None:
    """Differences from the baseline, when money is spent and saved, and what strategies are assumed to do."""
    given, setting = frames.given, frames.setting
    if given.experiment is None or given.differences is None or not given.titles:
        return None
    assumed = strategies_exhibit(given.experiment)
    blocks: list[Block | Section] = [
        comparison_exhibit(given.differences, setting),
        cost_change_exhibit(frames.measures, setting),
        Section(assumed.title, [Text([EFFECTS], "quiet"), assumed]),
    ]
    return Section("Comparison with the baseline", blocks, key="comparison", contents="Comparison")


def comparison_exhibit(differences: pl.DataFrame, setting: Setting) -> Exhibit:
    """Every measure of every strategy against the baseline; the file of a comparison's folder holds the same frame."""
    note = (
        f"Total cost is in {setting.model.prices.base_year} prices, discounted, and includes the programme cost of each"
        f" strategy. Dot: mean of {setting.replications} paired replications. Bar: 90% prediction interval; nine in ten"
        " simulated futures lie there. Where no bar shows, it is narrower than the marker. A direction is named where"
        " two in three futures or more lie on one side of zero."
    )
    figure = figures.comparison_figure(differences, setting.titles, setting.period)
    table = tables.comparison_table(differences, setting.titles, setting.period)
    return Exhibit("summary", figure.layout.meta["title"], differences, table, figure, note=note)


def cost_change_exhibit(measures: pl.DataFrame, setting: Setting) -> Exhibit:
    """When money is spent and saved."""
    frame = summaries.cost_changes(measures, setting.titles)
    figure, table = figures.cost_change_figure(frame, setting), tables.cost_change_table(frame, setting)
    note = (
        "Cost to the council in the cash budget, programme cost included. Below zero: cheaper than the baseline in that"
        " year. All panels share one scale. The table has what the NHS and clients pay as well."
    )
    return Exhibit("cost-change", figure.layout.meta["title"], frame, table, figure, note=note)
