"""The folder of ``simcare calibrate``: the fit, what is identified, and the hindcast, each as a page and as files."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from simcare import __version__
from simcare.calibrate.emulator import doubtful
from simcare.calibrate.fitting import WANTED, Calibrated, fit_of
from simcare.calibrate.history import Wave
from simcare.calibrate.scoring import ENOUGH, by_series, hindcast_series, hindcast_table, missed_series
from simcare.files.atomic import MANIFEST, aside
from simcare.files.fit import CalibrationFit, Parameter, Range
from simcare.report.figures.fits import hindcast, profiles, widths
from simcare.report.page import PageFigure, PageTable, PageText, Part, page

WELL_KNOWN = 0.5  # of the prior's width left
NARROW = 0.85  # of the values held back inside the 90 % intervals, below which these are called too narrow
REPORT, HINDCAST, FIT = "report.html", "hindcast.html", "fit.json"
METHOD = (
    (
        "Rates that were counted are taken as counted, with the doubt of their counts. The other parameters are free"
        " within their priors. The model is run over a maximin Latin hypercube of these, twice at each point; a"
        " Gaussian process emulates each target; points that the targets rule out (more than a few standard deviations"
        " off, with error of what is published, discrepancy, chance and the emulator's own doubt) are left out, and"
        " waves of runs follow where something remains. A chain (emcee) on the emulators gives the posterior, and the"
        " model is run for real from it."
    ),
    (
        "Discrepancy is what a year may take the world away from any model of this kind: a random walk, so that its"
        " variance grows with the years ahead. It is a judgement, written in the calibration's file, and widened if"
        " fewer than four in five of the values held back lie inside their 90% intervals."
    ),
    (
        "Width is the posterior's standard deviation over the prior's. A parameter of which four fifths or more is left"
        " is called prior-driven: what rests on it is as sure as what was assumed."
    ),
)
SCORING = (
    (
        "What was said: runs from the posterior, each with its own parameters, demand and chance, with discrepancy and"
        " the error of what is published. CRPS is in the unit of the series, lower is better. Skill is the share by"
        " which it is below a yardstick's: the last value then known, as uncertain as a random walk of the series' own"
        " yearly changes, or the mean yearly growth of the known values carried on at the same rate, with the doubt of"
        " that (a random walk with drift, on logarithms but for shares; where three or more values were known)."
    ),
)


def share(value: float) -> str:
    """A share in percent.

    >>> share(0.823)
    '82%'
    """
    return f"{100 * value:.0f}%"


def three_digits(value: float) -> str:
    """Three significant digits, with a proper minus."""
    text = f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
    return text.replace("-", "−")


# ---- the fit
def findings(found: Calibrated, fit: CalibrationFit) -> list[str]:
    """What a calibration comes to, in sentences."""
    free = [p for p in fit.parameters if not p.observed]
    driven = fit.prior_driven
    until = f"{found.loaded.calibration.known_to:%-d %B %Y}"
    said = [f"Of {len(free)} free parameters the targets to {until} say something of {len(free) - len(driven)}."]
    if driven:
        said.append(
            f"They say little of {len(driven)}: {'; '.join(p.title for p in driven)}. What rests on these is as sure as"
            " what was assumed."
        )
    pairs = found.identified.pairs([p.title for p in free])
    if pairs:
        said.append(
            "Known better together than apart: "
            + "; ".join(f"{a} with {b} (correlation {_signed(r)})" for a, b, r in pairs)
            + "."
        )
    fitted = fit.coverage.get("fitted_90")
    said.append(
        f"{share(fitted or 0.0)} of the {int(found.fitted.sum())} fitted values lie inside the 90% interval of runs"
        " from the posterior."
    )
    weak = doubtful([f"{d.target.title}, {d.date.year}" for d in found.loaded.fitted], found.posterior.emulators)
    if weak:
        said.append(f"Emulators that are surer than they may be: {'; '.join(weak)}.")
    return said + held_back(found, fit)


def held_back(found: Calibrated, fit: CalibrationFit) -> list[str]:
    """What became of the values held back, in sentences."""
    if "held_out_90" not in fit.coverage:
        return ["No values were held back, so nothing shows how far the fit can be believed beyond its own targets."]
    count, before = int(found.held_out.sum()), fit.coverage["held_out_90_before_widening"]
    if fit.widened == 1.0:
        narrow = "" if before >= NARROW else " The intervals are somewhat too narrow."
        return [f"Of {count} values held back {share(before)} lie inside their 90% interval.{narrow}"]
    after = fit.coverage["held_out_90"]
    said = f"Of {count} values held back only {share(before)} lay inside their 90% interval. "
    said += f"So every discrepancy was widened {fit.widened:g} times; then {share(after)} did."
    low = "" if after >= WANTED else " That is still too few: the intervals are too narrow."
    return [said + low + " The wider intervals have seen these years, so they no longer prove themselves on them."]


def _signed(value: float) -> str:
    return f"{value:+.2f}".replace("-", "−")


def parameter_table(fit: CalibrationFit) -> PageTable:
    """What was thought of each parameter, and what is known of it now."""
    rows = [
        (p.title, _ranged(p.prior), _ranged(p.posterior), "" if p.observed else share(p.width), _verdict(p))
        for p in fit.parameters
    ]
    placed = "; ".join(p.title for p in fit.parameters if p.paths)
    note = "Factors on the rates of the model's file" + (
        f", but values set in their place of: {placed}." if placed else "."
    )
    note += " Well known: less than half of the prior's width is left; prior-driven: four fifths or more."
    heads = ("Parameter", "Before: median (90%)", "After: median (90%)", "Width left", "")
    return PageTable("The parameters", heads, rows, note)


def _ranged(found: Range) -> str:
    return f"{three_digits(found.median)} ({three_digits(found.low)} to {three_digits(found.high)})"


def _verdict(p: Parameter) -> str:
    if p.observed:
        return "counted"
    return "prior-driven" if p.prior_driven else "well known" if p.width < WELL_KNOWN else "partly known"


def direction_table(found: Calibrated) -> PageTable:
    """The eigenvalues of the emulators' information, and what they are made of."""
    titles = {row.name: row.title for row in found.loaded.calibration.free}
    rows = [
        (
            f"{d.known:.2g}",
            "known" if d.known >= 1 else "left to the prior",
            ", ".join(f"{_signed(w)} {titles[name]}" for name, w in d.parts),
        )
        for d in found.identified.directions
    ]
    note = (
        "Eigenvalues of the targets' information at the posterior mean, in prior precisions: above 1 the targets know"
        " more than the prior did."
    )
    return PageTable("Directions: what the targets know together", ("Information", "", "Mostly"), rows, note, text=True)


def target_table(found: Calibrated, rows: pl.DataFrame) -> PageTable:
    """The fitted values beside runs from the posterior."""
    quality = {
        (d.target.name, d.date): e.explained
        for d, e in zip(found.loaded.fitted, found.posterior.emulators.each, strict=True)
    }
    cells = []
    for r in rows.filter("fitted").iter_rows(named=True):
        said = f"{three_digits(r['q50'])} ({three_digits(r['q5'])} to {three_digits(r['q95'])})"
        told = share(max(quality[r["target"], r["date"]], 0.0))
        cells.append(
            (f"{r['title']}, {r['date']:%-d %B %Y}", three_digits(r["published"]), said, _signed(r["off"]), told)
        )
    note = (
        "Off: published less median, in standard deviations. Emulated: the share of the differences between points that"
        " left-out runs are told by."
    )
    return PageTable(
        "The targets, and runs from the posterior",
        ("Target", "Published", "Said: median (90%)", "Off", "Emulated"),
        cells,
        note,
    )


def waves_told(waves: Sequence[Wave]) -> list[str]:
    """What each wave left, in sentences."""
    left = [f"{share(w.left)}" if w.left is not None else "too little to see" for w in waves]
    best = f"the best point found is {waves[-1].least:.1f} standard deviations off at its worst target"
    return [f"Of the prior, {', then '.join(left)} was not ruled out; {best}."]


def report_parts(found: Calibrated, fit: CalibrationFit, rows: pl.DataFrame) -> list[Part]:
    """Everything the page of a fit shows, in order."""
    free = found.loaded.calibration.free
    below = (
        "Grey: nine in ten of the prior. Blue: nine in ten of what the targets leave; orange where that is mostly the"
        " prior again."
    )
    shape = (
        "Dashed: the prior alone; where the two curves lie on each other, the targets say nothing. Dotted: as likely as"
        " the ends of a 90% interval."
    )
    parts: list[Part] = [
        PageText("What is known, and what is not", findings(found, fit), finding=True),
        PageFigure("Before and after", widths(free, found.identified), below),
        parameter_table(fit),
        PageFigure("Profiles", profiles(free, found.identified), shape),
        direction_table(found),
        target_table(found, rows),
        PageText("What was ruled out", waves_told(found.posterior.waves)),
    ]
    return [*parts, PageText("Method", METHOD)]


# ---- the hindcast
def hindcast_findings(found: Calibrated, fit: CalibrationFit, scores: pl.DataFrame) -> list[str]:
    """What the hindcast comes to, in sentences."""
    judged = scores.drop_nulls("skill")
    better = judged.filter(pl.col("skill") > 0).height
    said = [
        *held_back(found, fit),
        f"In {better} of {judged.height} series the model's score is better than that of the last known value.",
    ]
    lines = scores.drop_nulls("skill_line")
    if lines.height:
        above = lines.filter(pl.col("skill_line") > 0).height
        said.append(
            f"In {above} of {lines.height} it is better than that of the known values' mean yearly growth, carried on."
        )
    return said


def score_table(scores: pl.DataFrame, brief: bool = False) -> PageTable:
    """The scores of each series; ``brief`` for a screen of eighty columns."""

    def cell(value: float | None, how: Any) -> str:
        return "" if value is None else str(how(value))

    if brief:
        short = [
            (r["title"], str(r["values"]), share(r["in90"]), cell(r["skill"], _signed))
            for r in scores.iter_rows(named=True)
        ]
        return PageTable("The years held back", ("Series", "Values", "In 90%", "Skill"), short)
    rows = []
    for r in scores.iter_rows(named=True):
        marks = (cell(r["crps_naive"], three_digits), cell(r["skill"], _signed), cell(r["skill_line"], _signed))
        rows.append(
            (
                r["title"],
                _years(r["first"], r["last"]),
                str(r["values"]),
                share(r["in50"]),
                share(r["in90"]),
                three_digits(r["crps"]),
                *marks,
            )
        )
    heads = (
        "Series",
        "Years to March",
        "Values",
        "In 50%",
        "In 90%",
        "CRPS",
        "CRPS, last value",
        "Skill against last value",
        "Skill against growth",
    )
    return PageTable(
        "Scores by series", heads, rows, "Skill: 1 is perfect, 0 no better than the yardstick, below 0 worse."
    )


def _years(first: dt.date, last: dt.date) -> str:
    return str(first.year) if first == last else f"{first.year}–{last.year % 100:02d}"


def misses(found: Calibrated, scores: pl.DataFrame) -> list[str]:
    """What missed, and why, a paragraph a series."""
    targets = {t.name: t for t in found.loaded.calibration.targets}
    lines = []
    for r in missed_series(scores).iter_rows(named=True):
        side = "too low" if r["bias"] > 0 else "too high"
        how = f"{r['title']}: said {side}; {share(r['in90'])} of {r['values']} values inside 90%"
        skill = "" if r["skill"] is None else f", skill {_signed(r['skill'])}"
        why = targets[r["target"]].why
        lines.append(f"{how}{skill}. {why or 'Why is not known.'}")
    return lines or [
        f"No series had fewer than {share(ENOUGH)} of its years inside the 90% interval, or a worse score than the last"
        " known value."
    ]


def hindcast_parts(found: Calibrated, fit: CalibrationFit, rows: pl.DataFrame) -> list[Part]:
    """Everything the hindcast's page shows, in order."""
    scores = by_series(rows)
    shown = hindcast_series(found, rows)
    parts: list[Part] = [PageText("How it did", hindcast_findings(found, fit, scores), finding=True)]
    for heading in dict.fromkeys(one.target.theme for one in shown):
        mine = [one for one in shown if one.target.theme == heading]
        notes = [f"{one.target.title}: {one.target.note}" for one in mine if one.target.note]
        title = f"{heading}: what was said on {found.loaded.calibration.known_to:%-d %B %Y}, and what came"
        parts.append(PageFigure(heading, hindcast(title, mine), " ".join(notes)))
    parts += [PageText("What missed, and why", misses(found, scores)), score_table(scores)]
    return [*parts, PageText("How it is scored", SCORING)]


# ---- the folder
def write_calibration(found: Calibrated, out: Path, about: Mapping[str, Any]) -> CalibrationFit:
    """Write the folder: report.html, hindcast.html (where values were held back), fit.json, targets.csv, scores.csv,
    draws.parquet, manifest.json."""
    fit, rows, calibration = fit_of(found), hindcast_table(found), found.loaded.calibration
    lead = (
        f"{calibration.description or ''} {int(found.fitted.sum())} published values are fitted with"
        f" {len(calibration.free)} free parameters; {int(found.held_out.sum())} later ones are held back."
    ).strip()
    with aside(out) as folder:
        (folder / FIT).write_text(fit.model_dump_json(indent=1) + "\n", encoding="utf-8")
        (folder / REPORT).write_text(
            page(f"Calibration: {calibration.title}", lead, (), report_parts(found, fit, rows)), encoding="utf-8"
        )
        if found.held_out.any():
            text = page(f"Hindcast: {calibration.title}", lead, (), hindcast_parts(found, fit, rows))
            (folder / HINDCAST).write_text(text, encoding="utf-8")
            by_series(rows).write_csv(folder / "scores.csv")
        rows.write_csv(folder / "targets.csv")
        pl.DataFrame(fit.draws).write_parquet(folder / "draws.parquet")
        manifest = {
            "simcare": __version__, "calibration": calibration.name, "model": found.loaded.model.about.name,
            "seed": calibration.method.seed, "inputs": found.loaded.inputs, "coverage": fit.coverage,
            "widened": fit.widened, **about
        }  # fmt: skip
        (folder / MANIFEST).write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")
    return fit


__all__ = [
    "FIT",
    "HINDCAST",
    "REPORT",
    "findings",
    "hindcast_findings",
    "parameter_table",
    "score_table",
    "write_calibration",
]
