"""The page of ``simcare explain``: from genuine demand to the total, why cost moved, and what it rests on; one offline
HTML file and its folder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import plotly.graph_objects as go

from simcare import __version__
from simcare.files.atomic import MANIFEST, aside
from simcare.mechanisms.shares import BASELINE, GENUINE, TOGETHER, TOTAL, Explanation
from simcare.mechanisms.switches import numbers_behind
from simcare.report import wording
from simcare.report.figures.waterfall import Falls, Part, waterfall
from simcare.report.mechanism_wording import (
    HEADLINE,
    REMAINDER,
    estimate_of,
    explanation_sentences,
    part_names,
    plan_period,
    row_of,
)
from simcare.report.page import PageFigure, PageTable, PageText, page
from simcare.report.page import Part as PagePart
from simcare.report.wording import Estimate

DRAWN = (HEADLINE, "dependency_days", "crises")  # of the baseline's totals
OTHERS = ("dependency_days", "over_provided_days", "person_days", "unmet_need_days", "crises")


# ---- tables
def cost_table(found: Explanation) -> PageTable:
    """The baseline's cost at present value, part by part."""
    rows = []
    for part, name in part_names(found.plan).items():
        row = row_of(found.shares, BASELINE, HEADLINE, part)
        each = estimate_of(found, BASELINE, HEADLINE, part)
        value, low, high = wording.rounded_alike(each, wording.POUNDS, signed=part not in (GENUINE, TOTAL))
        yearly = wording.rounded_alike(
            _scaled(each, found.plan.years), wording.POUNDS, signed=part not in (GENUINE, TOTAL)
        )[0]
        ways = [
            _signed(estimate_of(found, BASELINE, HEADLINE, part, way), wording.POUNDS) if row[way] is not None else ""
            for way in ("alone", "only")
        ]
        rows.append(
            (
                name,
                value,
                f"{low} to {high}",
                "" if row["share"] is None else wording.quantity(100 * row["share"], wording.PERCENT, -1),
                yearly,
                *ways,
            )
        )
    heads = (
        "Part",
        "Share of cost",
        wording.INTERVAL,
        "Of the total",
        "A year",
        "Gone if it alone is off",
        "Added if it alone is on",
    )
    return PageTable(f"Cost over {plan_period(found.plan)} at present value, as things are", heads, rows)


def moved_totals_table(found: Explanation) -> PageTable:
    """Other totals of the baseline, part by part, each with its interval."""
    rows = []
    for part, name in part_names(found.plan).items():
        cells = [
            _signed(estimate_of(found, BASELINE, m, part), wording.COUNT, signed=part not in (GENUINE, TOTAL))
            for m in OTHERS
        ]
        rows.append((name, *(cell.replace(" million", "m") for cell in cells)))
    return PageTable(
        f"Other totals over {plan_period(found.plan)}, as things are",
        ("Part", *(wording.shown_measure(m).label for m in OTHERS)),
        rows,
    )


def moved_table(found: Explanation) -> PageTable:
    """Why cost moved: each part's difference from the baseline, a column a strategy."""
    names = part_names(found.plan) | {GENUINE: REMAINDER, TOTAL: "Difference in total"}
    strategies = [name for name in found.plan.titles if name != BASELINE]
    rows = [
        (title, *(_signed(_moved(found, s, part), wording.POUNDS) for s in strategies))
        for part, title in names.items()
        if part != TOGETHER
    ]
    heads = ("Part", *(wording.short_title(s, found.plan.titles[s]) for s in strategies))
    return PageTable(
        f"Why cost moved: difference from the baseline over {plan_period(found.plan)}, present value", heads, rows
    )


def tables(found: Explanation) -> list[PageTable]:
    """Every table of an explanation, in order."""
    return [cost_table(found), moved_totals_table(found), *([moved_table(found)] if len(found.plan.titles) > 1 else [])]


def _moved(found: Explanation, strategy: str, part: str) -> Estimate:
    row = row_of(found.moved, strategy, HEADLINE, part)
    return Estimate.of(
        row["mean"], row["low"], row["high"], row_of(found.moved, strategy, HEADLINE, TOTAL)["baseline_mean"]
    )


def _scaled(estimate: Estimate, by: int) -> Estimate:
    low, high = (None if end is None else end / by for end in (estimate.low, estimate.high))
    return Estimate(estimate.value / by, low, high)


def _signed(estimate: Estimate, unit: wording.Unit, signed: bool = True) -> str:
    value, low, high = wording.rounded_alike(estimate, unit, signed)
    return f"{value} ({low} to {high})" if low else value


# ---- figures
def waterfall_figures(found: Explanation) -> list[tuple[go.Figure, str]]:
    """The waterfall of the baseline, and that of the strategies where there are any, each with a note."""
    of, names = plan_period(found.plan), part_names(found.plan)
    mechanisms = [m.name for m in found.plan.mechanisms]
    panels = []
    for measure in DRAWN:
        about = wording.shown_measure(measure)
        parts = [Part(names[part], estimate_of(found, BASELINE, measure, part)) for part in (*mechanisms, TOGETHER)]
        genuine = wording.rounded_alike(estimate_of(found, BASELINE, measure, GENUINE), about.unit, signed=False)[
            0
        ].replace(" million", "m")
        genuine = genuine.removesuffix(about.unit.after) if about.unit.after else genuine
        panels.append(Falls(about.label, f"beyond {genuine} of genuine demand", about.unit, parts))
    note = (
        "Nought is genuine demand: the model with every mechanism switched off. Bars that run to the left take away:"
        " care not given, money not spent."
    )
    made = [(waterfall(f"From genuine demand to the total, {of}, as things are", panels), note)]
    strategies = [name for name in found.plan.titles if name != BASELINE]
    if strategies:
        short = names | {GENUINE: "Genuine demand, prices, own cost", TOTAL: "Difference in total"}
        panels = [
            Falls(
                wording.short_title(s, found.plan.titles[s]),
                "£, difference from the baseline",
                wording.POUNDS,
                [Part(short[p], _moved(found, s, p)) for p in (GENUINE, *mechanisms, TOTAL)],
            )
            for s in strategies
        ]
        note = (
            "Nought is the baseline. Each bar is the change in that part of total cost, paired replication by"
            " replication."
        )
        made.append((waterfall(f"Why total cost at present value moves under each strategy, {of}", panels), note))
    return made


# ---- page
def methods(found: Explanation) -> list[str]:
    """What was run and what the shares mean."""
    plan = found.plan
    absent = f" Not in this model: {wording.listed([m.title.lower() for m in plan.absent])}." if plan.absent else ""
    return [
        (
            f"{plan.words()}. In replication r the same people come, with the same luck, in every setting and under"
            f" every strategy.{absent}"
        ),
        (
            "Mechanisms act through each other: nobody learns dependency from care above need that was never given, and"
            " a wait does most harm where unmet need ends in crisis. Switching them off one at a time therefore counts"
            " what two of them do together twice, or not at all. Shapley's rule (1953) takes, for each mechanism, the"
            " mean of what it adds over all the orders in which the mechanisms could be switched on, so that the shares"
            " add up to the difference between everything on and everything off, in each replication. “Gone if it alone"
            " is off” and “added if it alone is on” are the last and the first step of such an order; how far they lie"
            " apart is how much the mechanism works through the others."
        ),
        (
            "The switches act from the first day on. The people in care on that day keep the rung they are on, so what"
            " past over-specification and dependency left behind counts as genuine here. The share of waiting is what"
            " it does to cost, not to people: care that is given later, or not at all, costs less, and the unmet need"
            " of those who wait is among the other totals. A 95% interval says how exactly the replications fix the"
            " model's average answer (Student's t); it does not say that the model is right."
        ),
    ]


def numbers_table(found: Explanation) -> list[tuple[str, ...]]:
    """Every number of the model that drives a mechanism: mechanism, address, value, grade, note."""
    rows: list[tuple[str, ...]] = []
    for mechanism in found.plan.mechanisms:
        for name, figure in numbers_behind(mechanism, found.plan.model):
            shown = ", ".join(f"{value:g}" for value in figure.value)
            since = f" from {figure.since}" if figure.since else ""
            rows.append((mechanism.title, name, shown + since, figure.grade, figure.note or figure.source))
    return rows


def text_of(found: Explanation, command: str) -> str:
    """The page as text."""
    plan = found.plan
    title = plan.experiment.title if plan.experiment else plan.model.about.title
    lead = (
        "Is it genuine new demand, or do over-specification and the council's own processes help to create it? An"
        " answer by the model "
    )
    lead += f"“{plan.model.about.title}”, for {plan_period(plan)}, in {plan.replications} paired replications."
    listed = numbers_table(found)
    assumed = sum(row[3] == "D" for row in listed)
    graded = (
        f"{assumed} of the {len(listed)} numbers that the mechanisms run on are assumptions (grade D): nobody has"
        " measured them, and the "
    )
    graded += "answer is as good as they are."
    heads = ("Mechanism", "Where in the file", "Value", "Grade", "Note")
    switched = [(m.title, f"{m.off_words}.") for m in plan.mechanisms]
    parts: list[PagePart] = [
        PageText(f"Findings, {plan_period(plan)}", explanation_sentences(found), finding=True),
        *(PageFigure(figure.layout.meta["title"], figure, note) for figure, note in waterfall_figures(found)),
        *tables(found),
        PageText("How it was worked out", methods(found)),
        PageTable("What each switch turns off", ("Mechanism", "Switched off"), switched, text=True),
        PageTable("The numbers that drive it", heads, listed, graded, text=True),
        PageText("To get the same figures again", [f"{command}; simcare {__version__}, seed {plan.seed}."]),
    ]
    return page(f"Genuine or induced? {title}", lead, (), parts)


def explanation_json(found: Explanation) -> dict[str, Any]:
    """What ``--json`` prints beside the manifest: findings, shares, and what moved."""
    return {
        "runs": found.plan.runs,
        "not_in_this_model": [m.name for m in found.plan.absent],
        "findings": explanation_sentences(found),
        "shares": found.shares.to_dicts(),
        "moved": found.moved.to_dicts(),
    }


def write_explanation(found: Explanation, out: Path, command: str) -> Path:
    """Write the folder: report.html, explain.csv (shares), moved.csv where there are strategies, settings.parquet and
    the manifest."""
    text = text_of(found, command)
    with aside(out) as folder:
        (folder / "report.html").write_text(text, encoding="utf-8")
        found.shares.write_csv(folder / "explain.csv")
        if found.moved.height:
            found.moved.write_csv(folder / "moved.csv")
        found.settings.write_parquet(folder / "settings.parquet")
        (folder / MANIFEST).write_text(
            json.dumps(found.manifest | {"command": command}, indent=1) + "\n", encoding="utf-8"
        )
    return out / "report.html"
