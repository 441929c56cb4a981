"""The page of ``simcare explain``: from underlying need-driven demand to the total, why cost moved, and what it rests
on; one offline HTML file and its folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import plotly.graph_objects as go
import polars as pl

from simcare import __version__
from simcare.files.atomic import aside
from simcare.files.json_text import write_manifest
from simcare.mechanisms.shares import GENUINE, TOGETHER, TOTAL, Explanation, Plan
from simcare.mechanisms.switches import numbers_behind
from simcare.model.cautions import warning_lines
from simcare.model.strategy import BASELINE
from simcare.report import wording
from simcare.report.exhibit import Exhibit, Table, write_exhibit
from simcare.report.figures.waterfall import WaterfallPanel, WaterfallPart, waterfall
from simcare.report.mechanism_wording import (
    HEADLINE,
    REMAINDER,
    estimate_of,
    explanation_sentences,
    moved_estimate,
    part_names,
    plan_period,
    row_of,
)
from simcare.report.page import Section, Text, page, section_of
from simcare.report.wording import Estimate

DRAWN = (HEADLINE, "dependency_days", "crises")  # of the baseline's totals
OTHERS = ("dependency_days", "over_provided_days", "person_days", "unmet_need_days", "crises")


# ---- exhibits
class ExplainExhibits(NamedTuple):
    """What the page of an explanation shows of its two frames, in order; ``moved`` where there are strategies."""

    shares: Exhibit
    others: Exhibit
    moved: Exhibit | None

    @property
    def every(self) -> list[Exhibit]:
        """All of them."""
        return [one for one in self if one is not None]


def explain_exhibits(found: Explanation) -> ExplainExhibits:
    """Every exhibit of an explanation."""
    moved = moved_exhibit(found) if len(found.plan.titles) > 1 else None
    return ExplainExhibits(shares_exhibit(found), others_exhibit(found), moved)


def shares_exhibit(found: Explanation) -> Exhibit:
    """The baseline's totals, part by part."""
    note = (
        "Zero is underlying need-driven demand: the model with every mechanism switched off. Bars that run to the left"
        " take away: care not given, money not spent."
    )
    figure = shares_figure(found.shares, found.plan)
    table = cost_table(found.shares, found.plan)
    title = figure.layout.meta["title"]
    return Exhibit("explain", title, found.shares, table, figure, note=note, unfolded=True)


def moved_exhibit(found: Explanation) -> Exhibit:
    """Why cost moved under each strategy."""
    note = "Zero is the baseline. Each bar is the change in that part of total cost, paired replication by replication."
    figure = moved_figure(found.moved, found.plan)
    table = moved_table(found.moved, found.plan)
    return Exhibit("moved", figure.layout.meta["title"], found.moved, table, figure, note=note, unfolded=True)


def others_exhibit(found: Explanation) -> Exhibit:
    """Other totals of the baseline."""
    table = others_table(found.shares, found.plan)
    return Exhibit("other-totals", table.caption, found.shares, table)


# ---- tables
def cost_table(shares: pl.DataFrame, plan: Plan) -> Table:
    """The baseline's cost as NPV, part by part."""
    head = (
        "Part",
        "Share of cost",
        wording.INTERVAL,
        "Of the total",
        "A year",
        "Gone if it alone is off",
        "Added if it alone is on",
    )
    rows = tuple(_cost_row(shares, plan, part, name) for part, name in part_names(plan).items())
    return Table(f"NPV (Green Book) of cost over {plan_period(plan)}, as things are", head, rows, look="below")


BRIEF_COST = ("Part", "Share of cost", wording.INTERVAL, "Of the total")  # what fits a terminal


def _cost_row(shares: pl.DataFrame, plan: Plan, part: str, name: str) -> tuple[str, ...]:
    row = row_of(shares, BASELINE, HEADLINE, part)
    each = estimate_of(shares, BASELINE, HEADLINE, part)
    signed = part not in (GENUINE, TOTAL)
    value, low, high = wording.rounded_alike(each, wording.POUNDS, signed=signed)
    yearly = wording.rounded_alike(_scaled(each, plan.years), wording.POUNDS, signed=signed)[0]
    share = "" if row["share"] is None else wording.share(row["share"])
    ways = [
        _signed(estimate_of(shares, BASELINE, HEADLINE, part, way), wording.POUNDS) if row[way] is not None else ""
        for way in ("alone", "only")
    ]
    return (name, value, f"{low} to {high}", share, yearly, *ways)


def others_table(shares: pl.DataFrame, plan: Plan) -> Table:
    """Other totals of the baseline, part by part, each with its interval."""
    rows = []
    for part, name in part_names(plan).items():
        cells = [
            _signed(estimate_of(shares, BASELINE, m, part), wording.COUNT, signed=part not in (GENUINE, TOTAL))
            for m in OTHERS
        ]
        rows.append((name, *(cell.replace(" million", "m") for cell in cells)))
    head = ("Part", *(wording.shown_measure(m).label for m in OTHERS))
    return Table(f"Other totals over {plan_period(plan)}, as things are", head, tuple(rows), look="below")


def moved_table(moved: pl.DataFrame, plan: Plan) -> Table:
    """Why cost moved: each part's difference from the baseline, a column a strategy."""
    names = part_names(plan) | {GENUINE: REMAINDER, TOTAL: "Difference in total"}
    strategies = [name for name in plan.titles if name != BASELINE]
    rows = tuple(
        (title, *(_signed(moved_estimate(moved, s, part), wording.POUNDS) for s in strategies))
        for part, title in names.items()
        if part != TOGETHER
    )
    head = ("Part", *(wording.short_title(s, plan.titles[s]) for s in strategies))
    caption = f"Why cost moved: difference from the baseline over {plan_period(plan)}, NPV (Green Book)"
    return Table(caption, head, rows, look="below")


def _scaled(estimate: Estimate, by: int) -> Estimate:
    low, high = (None if end is None else end / by for end in (estimate.low, estimate.high))
    return Estimate(estimate.value / by, low, high)


def _signed(estimate: Estimate, unit: wording.Unit, signed: bool = True) -> str:
    value, low, high = wording.rounded_alike(estimate, unit, signed)
    return f"{value} ({low} to {high})" if low else value


# ---- figures
def shares_figure(shares: pl.DataFrame, plan: Plan) -> go.Figure:
    """The waterfall of the baseline: what each mechanism adds to what underlying need alone would bring."""
    names = part_names(plan)
    shown = (*(m.name for m in plan.mechanisms), TOGETHER)
    panels = []
    for measure in DRAWN:
        about = wording.shown_measure(measure)
        parts = [WaterfallPart(names[part], estimate_of(shares, BASELINE, measure, part)) for part in shown]
        genuine = estimate_of(shares, BASELINE, measure, GENUINE)
        need = wording.rounded_alike(genuine, about.unit, signed=False)[0].replace(" million", "m")
        need = need.removesuffix(about.unit.after) if about.unit.after else need
        panels.append(WaterfallPanel(about.label, f"beyond {need} of need-driven demand", about.unit, parts))
    return waterfall(f"From need-driven demand to the total, {plan_period(plan)}, as things are", panels)


def moved_figure(moved: pl.DataFrame, plan: Plan) -> go.Figure:
    """The waterfall of each strategy: what each part of total cost moved by."""
    own = {GENUINE: "Need-driven demand, prices, programme cost", TOTAL: "Difference in total"}
    names = part_names(plan) | own
    shown = (GENUINE, *(m.name for m in plan.mechanisms), TOTAL)
    panels = [
        WaterfallPanel(
            wording.short_title(s, plan.titles[s]),
            "£, difference from the baseline",
            wording.POUNDS,
            [WaterfallPart(names[part], moved_estimate(moved, s, part)) for part in shown],
        )
        for s in plan.titles
        if s != BASELINE
    ]
    return waterfall(f"Why the NPV (Green Book) of total cost moves under each strategy, {plan_period(plan)}", panels)


# ---- page
def methods(plan: Plan) -> list[str]:
    """What was run and what the shares mean."""
    absent = f" Not in this model: {wording.listed([m.title.lower() for m in plan.absent])}." if plan.absent else ""
    return [
        (
            f"{plan.words()}. Replication r has the same simulated people and the same chance events in every setting"
            f" and under every strategy.{absent}"
        ),
        (
            "Mechanisms act through each other. Nobody learns dependency from care above need that was never given, and"
            " a wait does most harm where unmet need ends in crisis. Switching them off one at a time therefore counts"
            " what two of them do together twice, or not at all. Shapley's rule (1953) takes, for each mechanism, the"
            " mean of what it adds over all the orders in which the mechanisms could be switched on. So the shares add"
            " up to the difference between everything on and everything off, in each replication. “Gone if it alone is"
            " off” and “added if it alone is on” are the last and the first step of such an order. How far apart they"
            " lie shows how much the mechanism works through the others."
        ),
        (
            "The switches act from the first day on. The people in care on that day stay at their tier, so what past"
            " over-specification and dependency left behind counts as need-driven here. The share of waiting is what it"
            " does to cost, not to people: care that is given later, or not at all, costs less. The unmet need of those"
            " who wait is among the other totals. A 95% interval says how exactly the replications fix the model's"
            " average answer (Student's t). It does not say that the model is right."
        ),
    ]


def switches_exhibit(plan: Plan) -> Exhibit:
    """What each switch turns off."""
    rows = [(m.title, f"{m.off_words}.") for m in plan.mechanisms]
    frame = pl.DataFrame(rows, schema=["mechanism", "off"], orient="row")
    table = Table("What each switch turns off", ("Mechanism", "Switched off"), tuple(rows), headers=2, look="words")
    return Exhibit("switches", table.caption, frame, table)


def numbers_exhibit(plan: Plan) -> Exhibit:
    """Every number of the model that drives a mechanism, and how many of them are assumptions."""
    rows = []
    for mechanism in plan.mechanisms:
        for name, figure in numbers_behind(mechanism, plan.model):
            value = ", ".join(f"{value:g}" for value in figure.value)
            since = f" from {figure.since}" if figure.since else ""
            rows.append((mechanism.title, name, value + since, figure.grade, figure.note or figure.source))
    frame = pl.DataFrame(rows, schema=dict.fromkeys(NUMBERS, pl.String), orient="row")
    assumed = frame.filter(pl.col("grade") == "D").height
    note = (
        f"{assumed} of the {frame.height} numbers that the mechanisms run on are assumptions (grade D): nobody has"
        " measured them, and the answer is only as good as they are."
    )
    head = ("Mechanism", "Where in the file", "Value", "Grade", "Note")
    table = Table("The numbers that drive it", head, tuple(frame.iter_rows()), headers=len(head), look="words")
    return Exhibit("numbers", table.caption, frame, table, note=note)


NUMBERS = ("mechanism", "path", "value", "grade", "note")


def text_of(found: Explanation, shown: ExplainExhibits, command: str) -> str:
    """The page as text."""
    plan = found.plan
    title = plan.experiment.title if plan.experiment else plan.model.about.title
    lead = (
        "Is it genuine new demand, or do over-specification and the council's own processes help to create it? An"
        f" answer by the model “{plan.model.about.title}”, for {plan_period(plan)}, in {plan.replications} paired"
        " replications."
    )
    again = f"{command}; simcare {__version__}, seed {plan.seed}."
    sections = [
        Section(f"Findings, {plan_period(plan)}", [Text(explanation_sentences(found), "finding")]),
        *(section_of(one) for one in shown.every),
        Section("How it was worked out", [Text(methods(plan))]),
        section_of(switches_exhibit(plan)),
        section_of(numbers_exhibit(plan)),
        Section("To get the same figures again", [Text([again])]),
    ]
    return page(
        f"Need-driven or induced demand? {title}", lead, warning_lines(found.manifest.get("warnings", ())), sections
    )


def explanation_json(found: Explanation) -> dict[str, Any]:
    """The machine-readable summary, beside the manifest: findings, shares, and what moved."""
    return {
        "runs": found.plan.runs,
        "not_in_this_model": [m.name for m in found.plan.absent],
        "findings": explanation_sentences(found),
        "shares": found.shares.to_dicts(),
        "moved": found.moved.to_dicts(),
    }


def write_explanation(found: Explanation, shown: ExplainExhibits, out: Path, command: str) -> Path:
    """Write the folder: report.html, explain.csv (shares), moved.csv where there are strategies, settings.parquet and
    the manifest."""
    text = text_of(found, shown, command)
    with aside(out) as folder:
        (folder / "report.html").write_text(text, encoding="utf-8")
        write_exhibit(shown.shares, folder)
        if shown.moved is not None:
            write_exhibit(shown.moved, folder)
        found.settings.write_parquet(folder / "settings.parquet")
        manifest = found.manifest | {"command": command}
        write_manifest(folder, manifest)
    return out / "report.html"
