"""The folder of ``simcare calibrate``: the fit and what the data inform as a page and as files, and the hindcast beside
it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl

from simcare import __version__
from simcare.calibrate.emulator import doubtful
from simcare.calibrate.fitting import Calibrated, fit_of
from simcare.calibrate.history import Wave
from simcare.calibrate.identify import Identified
from simcare.calibrate.scoring import hindcast_table
from simcare.files.atomic import aside
from simcare.files.fit import PRIOR_DRIVEN, CalibrationFit
from simcare.files.json_text import write_manifest
from simcare.model.calibration import Free
from simcare.report import wording
from simcare.report.exhibit import Exhibit, Table, write_exhibit
from simcare.report.figures.fits import profile_figure, uncertainty_figure
from simcare.report.hindcast_page import (
    HindcastExhibits,
    held_out_words,
    hindcast_exhibits,
    hindcast_sections,
)
from simcare.report.page import Section, Text, page, section_of
from simcare.report.wording import share
from simcare.units import three_figures

WELL_INFORMED = 0.5  # share of prior uncertainty remaining, below which the data inform a parameter well
REPORT, HINDCAST, FIT = "report.html", "hindcast.html", "fit.json"
METHOD = (
    (
        "Rates that were counted are taken as counted, with the uncertainty of their counts. The other parameters are"
        " free within their priors. The model is run over a maximin Latin hypercube of these, twice at each point; a"
        " Gaussian process emulates each target; points that the targets rule out (more than a few standard deviations"
        " off, with error of what is published, discrepancy, chance and the emulator's own uncertainty) are left out,"
        " and waves of runs follow where something remains. A chain (emcee) on the emulators gives the posterior, and"
        " the model itself is run from it."
    ),
    (
        "Discrepancy is how far a year may take the real system away from any model of this kind: a random walk, so"
        " that its variance grows with the years ahead. It is a judgement, written in the calibration's file, and"
        " widened if fewer than four in five of the held-out values lie inside their 90% intervals."
    ),
    (
        "The share of prior uncertainty remaining is the posterior's standard deviation over the prior's. A parameter"
        " with four fifths or more remaining is not informed by the data: results that depend on it are only as"
        " reliable as the assumption behind it."
    ),
)


# ---- findings
def findings(found: Calibrated, fit: CalibrationFit) -> list[str]:
    """What a calibration comes to, in sentences."""
    free = [p for p in fit.parameters if not p.observed]
    driven = fit.prior_driven
    until = wording.date(found.loaded.calibration.known_to)
    said = [
        f"The published data to {until} say something about {len(free) - len(driven)} of {len(free)} free parameters."
    ]
    if driven:
        said.append(
            f"The published data say little about {len(driven)}: {'; '.join(p.title for p in driven)}. Results that"
            " depend on these are only as reliable as the assumptions behind them."
        )
    said += bound_words(fit)
    pairs = found.identified.pairs([p.title for p in free])
    if pairs:
        joint = (f"{a} with {b} (correlation {three_figures(r, signed=True)})" for a, b, r in pairs)
        said.append(f"Estimated jointly: {'; '.join(joint)}.")
    fitted = fit.coverage.get("fitted_90")
    said.append(
        f"{share(fitted or 0.0)} of the {int(found.fitted.sum())} fitted values lie inside the 90% interval of runs"
        " from the posterior."
    )
    weak = doubtful([f"{d.target.title}, {d.date.year}" for d in found.loaded.fitted], found.posterior.emulators)
    if weak:
        said.append(f"Emulators that understate their uncertainty: {'; '.join(weak)}.")
    return said + held_out_words(found, fit)


def bound_words(fit: CalibrationFit) -> list[str]:
    """Which parameters lie at a bound of their priors, in a sentence; none where none does."""
    each = [
        f"{p.title} at its {p.at_bound} bound, {three_figures(p.bound)}" for p in fit.at_bounds if p.bound is not None
    ]
    if not each:
        return []
    return [
        f"The fit lies at a bound: {'; '.join(each)}. The published data ask for more than the bounds allow, so the"
        " true value may lie beyond, and the interval says nothing of that. Widen the bounds, or look for what is wrong"
        " in the model or the data."
    ]


def wave_words(waves: Sequence[Wave]) -> str:
    """What each wave left, in a sentence."""
    left = [f"{share(w.left)}" if w.left is not None else "too little to see" for w in waves]
    best = f"the best point found is {three_figures(waves[-1].least)} standard deviations off at its worst target"
    return f"Of the prior, {', then '.join(left)} was not ruled out; {best}."


# ---- exhibits
class CalibrationExhibits(NamedTuple):
    """What the page of a fit shows, in order."""

    parameters: Exhibit
    profiles: Exhibit
    directions: Exhibit
    targets: Exhibit


def calibration_exhibits(found: Calibrated, fit: CalibrationFit, rows: pl.DataFrame) -> CalibrationExhibits:
    """Every exhibit of a fit; ``rows`` is the frame of published and simulated values."""
    return CalibrationExhibits(
        parameters_exhibit(fit), profiles_exhibit(found), directions_exhibit(found), targets_exhibit(found, rows)
    )


def parameters_exhibit(fit: CalibrationFit) -> Exhibit:
    """What was assumed of each parameter, and what is known of it now."""
    frame = parameter_frame(fit)
    note = (
        "Grey: 90% of the prior. Blue: 90% of the posterior; orange where the data do not inform the parameter. Well"
        " informed: less than half of prior uncertainty remains; not informed by the data: four fifths or more."
    )
    figure = uncertainty_figure(frame.filter(~pl.col("observed")))
    title = "Uncertainty before and after"
    return Exhibit("parameters", title, frame, parameter_table(frame), figure, note=note, unfolded=True)


def parameter_frame(fit: CalibrationFit) -> pl.DataFrame:
    """A row a parameter: name, title, prior and posterior (low, median, high), width (the share of prior uncertainty
    remaining), observed, prior_driven, at_bound ("lower", "upper" or null) with the bound's value, and placed: whether
    it is a value set in the file's place, not a factor."""
    rows = [
        {
            "name": p.name,
            "title": p.title,
            **{f"prior_{end}": value for end, value in p.prior.model_dump().items()},
            **{f"posterior_{end}": value for end, value in p.posterior.model_dump().items()},
            "width": p.width,
            "observed": p.observed,
            "prior_driven": p.prior_driven,
            "at_bound": p.at_bound,
            "bound": p.bound,
            "placed": bool(p.paths),
        }
        for p in fit.parameters
    ]
    return pl.DataFrame(rows, infer_schema_length=None, schema_overrides={"at_bound": pl.String, "bound": pl.Float64})


def parameter_table(frame: pl.DataFrame) -> Table:
    """Each parameter before and after, and how far the data inform it."""
    rows = tuple(
        (
            row["title"],
            _ranged(row, "prior"),
            _ranged(row, "posterior"),
            "" if row["observed"] else share(row["width"]),
            _verdict(row),
        )
        for row in frame.iter_rows(named=True)
    )
    placed = "; ".join(frame.filter("placed")["title"])
    factors = "The parameters: factors on the rates of the model's file"
    caption = f"{factors}, but values set in their place of: {placed}" if placed else factors
    head = ("Parameter", "Before: median (90%)", "After: median (90%)", "Prior uncertainty remaining", "")
    return Table(caption, head, rows, look="below")


def _ranged(row: Mapping[str, Any], which: str) -> str:
    return wording.with_range(*(row[f"{which}_{end}"] for end in ("median", "low", "high")))


def _verdict(row: Mapping[str, Any]) -> str:
    if row["observed"]:
        return "counted"
    if row["at_bound"] is not None:
        return f"at its {row['at_bound']} bound, {three_figures(row['bound'])}"
    if row["prior_driven"]:
        return "not informed by the data"
    return "well informed" if row["width"] < WELL_INFORMED else "partly informed"


def profiles_exhibit(found: Calibrated) -> Exhibit:
    """How much less likely the best account of the targets is with a parameter held at a value."""
    frame = profile_frame(found.loaded.calibration.free, found.identified)
    note = (
        "Dashed: the prior alone; where the two curves lie on each other, the data say nothing. Dotted: as likely as"
        " the ends of a 90% interval."
    )
    return Exhibit("profiles", "Profiles", frame, figure=profile_figure(frame), note=note)


def profile_frame(free: Sequence[Free], known: Identified) -> pl.DataFrame:
    """A row for each value of each parameter: name, title, value, density and prior (log densities below their best),
    median (of the posterior), prior_driven."""
    each = [
        pl.DataFrame({"value": profile.values, "density": profile.density, "prior": profile.prior}).select(
            pl.lit(row.name).alias("name"),
            pl.lit(row.title).alias("title"),
            pl.all(),
            pl.lit(float(known.posterior[k, 1])).alias("median"),
            pl.lit(bool(known.widths[k] >= PRIOR_DRIVEN)).alias("prior_driven"),
        )
        for k, (row, profile) in enumerate(zip(free, known.profiles, strict=True))
    ]
    return pl.concat(each)


def directions_exhibit(found: Calibrated) -> Exhibit:
    """The eigenvalues of the emulators' information, and what they are made of."""
    titles = {row.name: row.title for row in found.loaded.calibration.free}
    parts = [
        (k, direction.known, titles[name], weight)
        for k, direction in enumerate(found.identified.directions)
        for name, weight in direction.parts
    ]
    frame = pl.DataFrame(parts, schema=["direction", "information", "parameter", "weight"], orient="row")
    note = (
        "Eigenvalues of the targets' information at the posterior mean, in prior precisions: above 1 the data hold more"
        " information than the prior did."
    )
    table = direction_table(frame)
    return Exhibit("directions", table.caption, frame, table, note=note)


def direction_table(frame: pl.DataFrame) -> Table:
    """Each direction with its information and its largest parts."""
    rows = []
    for _, parts in frame.group_by("direction", maintain_order=True):
        known = parts["information"][0]
        largest = (
            f"{three_figures(w, signed=True)} {title}" for title, w in parts.select("parameter", "weight").iter_rows()
        )
        rows.append((three_figures(known), "informed" if known >= 1 else "left to the prior", ", ".join(largest)))
    head = ("Information", "", "Mostly")
    return Table("Directions: what the data inform jointly", head, tuple(rows), headers=len(head), look="words")


def targets_exhibit(found: Calibrated, rows: pl.DataFrame) -> Exhibit:
    """The fitted values beside runs from the posterior."""
    emulated = {
        (d.target.name, d.date): e.explained
        for d, e in zip(found.loaded.fitted, found.posterior.emulators.each, strict=True)
    }
    note = (
        "Off: published less median, in standard deviations. Emulated: the share of the variation between points that"
        " the emulator predicts in runs it has not seen."
    )
    table = target_table(rows, emulated)
    return Exhibit("targets", table.caption, rows, table, note=note)


def target_table(rows: pl.DataFrame, emulated: Mapping[tuple[Any, Any], float]) -> Table:
    """Each fitted value: published, simulated, how far they are apart, and how well it is emulated."""
    cells = tuple(
        (
            f"{r['title']}, {wording.date(r['date'])}",
            three_figures(r["published"]),
            wording.with_range(r["q50"], r["q5"], r["q95"]),
            three_figures(r["off"], signed=True),
            share(max(emulated[r["target"], r["date"]], 0.0)),
        )
        for r in rows.filter("fitted").iter_rows(named=True)
    )
    head = ("Target", "Published", "Simulated: median (90%)", "Off", "Emulated")
    return Table("The targets, and runs from the posterior", head, cells, look="below")


# ---- the folder
class CalibrationResult(NamedTuple):
    """What a calibration comes to: the fit, its findings, and the exhibits of its pages; ``hindcast`` where values were
    held out."""

    fit: CalibrationFit
    findings: Sequence[str]
    exhibits: CalibrationExhibits
    hindcast: HindcastExhibits | None


def calibration_result(found: Calibrated) -> CalibrationResult:
    """The fit of a calibration, and everything its pages show."""
    fit, rows = fit_of(found), hindcast_table(found)
    hindcast = hindcast_exhibits(found, fit, rows) if found.held_out.any() else None
    return CalibrationResult(fit, findings(found, fit), calibration_exhibits(found, fit, rows), hindcast)


def report_sections(found: Calibrated, result: CalibrationResult) -> list[Section]:
    """The page of the fit, in order."""
    return [
        Section("What the data inform, and what they do not", [Text(result.findings, "finding")]),
        *(section_of(one) for one in result.exhibits),
        Section("What was ruled out", [Text([wave_words(found.posterior.waves)])]),
        Section("Method", [Text(METHOD)]),
    ]


def write_calibration(found: Calibrated, result: CalibrationResult, out: Path, about: Mapping[str, Any]) -> None:
    """Write the folder: report.html, hindcast.html and scores.csv (where values were held out), fit.json, targets.csv,
    draws.parquet, manifest.json."""
    fit, calibration = result.fit, found.loaded.calibration
    lead = (
        f"{calibration.description or ''} {int(found.fitted.sum())} published values are fitted with"
        f" {len(calibration.free)} free parameters; {int(found.held_out.sum())} later ones are held out."
    ).strip()
    report = page(f"Calibration: {calibration.title}", lead, (), report_sections(found, result))
    with aside(out) as folder:
        (folder / FIT).write_text(fit.model_dump_json(indent=1) + "\n", encoding="utf-8")
        (folder / REPORT).write_text(report, encoding="utf-8")
        if result.hindcast is not None:
            text = page(f"Hindcast: {calibration.title}", lead, (), hindcast_sections(result.hindcast))
            (folder / HINDCAST).write_text(text, encoding="utf-8")
            write_exhibit(result.hindcast.scores, folder)
        write_exhibit(result.exhibits.targets, folder)
        pl.DataFrame(fit.draws).write_parquet(folder / "draws.parquet")
        manifest = {
            "simcare": __version__, "calibration": calibration.name, "model": found.loaded.model.about.name,
            "seed": calibration.method.seed, "inputs": found.loaded.inputs, "coverage": fit.coverage,
            "widened": fit.widened, **about
        }  # fmt: skip
        write_manifest(folder, manifest)


__all__ = [
    "FIT",
    "HINDCAST",
    "REPORT",
    "CalibrationResult",
    "calibration_result",
    "findings",
    "parameter_frame",
    "parameter_table",
    "profile_frame",
    "write_calibration",
]
