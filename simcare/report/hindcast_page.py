"""The page of the hindcast: what the fitted model forecast for the held-out years beside the outturn, including where
it was wrong."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import polars as pl

from simcare.calibrate.fitting import WANTED, Calibrated
from simcare.calibrate.scoring import ENOUGH, HindcastSeries, by_series, hindcast_series, missed_series
from simcare.files.fit import CalibrationFit
from simcare.model.calibration import Target
from simcare.report import wording
from simcare.report.exhibit import Exhibit, Table, exhibit_name
from simcare.report.figures.fits import hindcast_figure
from simcare.report.page import Section, Text, section_of
from simcare.report.wording import share
from simcare.units import three_figures

NARROW = 0.85  # of the held-out values inside the 90 % intervals, below which these are called too narrow
SCORING = (
    (
        "The forecast: runs from the posterior, each with its own parameters, demand and chance events, with"
        " discrepancy and the error of what is published. CRPS is in the unit of the series, lower is better. Skill is"
        " the share by which it is below a yardstick's: the last value then known, as uncertain as a random walk of the"
        " series' own yearly changes, or the mean yearly growth of the known values carried on at the same rate, with"
        " its uncertainty (a random walk with drift, on logarithms but for shares; where three or more values were"
        " known)."
    ),
)


# ---- findings
def held_out_words(found: Calibrated, fit: CalibrationFit) -> list[str]:
    """How the held-out values were forecast, in sentences."""
    if "held_out_90" not in fit.coverage:
        return ["No values were held out, so nothing shows how far the fit can be believed beyond its own targets."]
    count, before = int(found.held_out.sum()), fit.coverage["held_out_90_before_widening"]
    if fit.widened == 1.0:
        narrow = "" if before >= NARROW else " The intervals are somewhat too narrow."
        return [f"Of {count} held-out values {share(before)} lie inside their 90% interval.{narrow}"]
    after = fit.coverage["held_out_90"]
    said = f"Of {count} held-out values only {share(before)} lay inside their 90% interval. "
    said += f"So every discrepancy was widened {three_figures(fit.widened)} times; then {share(after)} did."
    low = "" if after >= WANTED else " That is still too few: the intervals are too narrow."
    return [said + low + " The wider intervals were set with these years, so these years no longer test them."]


def hindcast_findings(found: Calibrated, fit: CalibrationFit, scores: pl.DataFrame) -> list[str]:
    """What the hindcast comes to, in sentences."""
    judged = scores.drop_nulls("skill")
    better = judged.filter(pl.col("skill") > 0).height
    said = [
        *held_out_words(found, fit),
        f"In {better} of {judged.height} series the model's score is better than that of the last known value.",
    ]
    lines = scores.drop_nulls("skill_line")
    if lines.height:
        above = lines.filter(pl.col("skill_line") > 0).height
        said.append(
            f"In {above} of {lines.height} it is better than that of the known values' mean yearly growth, carried on."
        )
    return said


def where_wrong(scores: pl.DataFrame, targets: Sequence[Target]) -> list[str]:
    """Which series the forecast missed, and why, a paragraph a series."""
    reasons = {target.name: target.why for target in targets}
    lines = []
    for r in missed_series(scores).iter_rows(named=True):
        side = "too low" if r["bias"] > 0 else "too high"
        how = f"{r['title']}: forecast {side}; {share(r['in90'])} of {r['values']} values inside 90%"
        skill = "" if r["skill"] is None else f", skill {three_figures(r['skill'], signed=True)}"
        lines.append(f"{how}{skill}. {reasons[r['target']] or 'The reason is not known.'}")
    return lines or [
        f"No series had fewer than {share(ENOUGH)} of its years inside the 90% interval, or a worse score than the last"
        " known value."
    ]


# ---- exhibits
class HindcastExhibits(NamedTuple):
    """What the page of a hindcast shows: findings, an exhibit for each theme, where it was wrong, and the scores."""

    findings: Sequence[str]
    themes: Sequence[Exhibit]
    wrong: Sequence[str]
    scores: Exhibit


def hindcast_exhibits(found: Calibrated, fit: CalibrationFit, rows: pl.DataFrame) -> HindcastExhibits:
    """Every exhibit of a hindcast; ``rows`` is the frame of published and simulated values."""
    shown, scores = hindcast_series(found, rows), scores_exhibit(rows)
    known_to = found.loaded.calibration.known_to
    return HindcastExhibits(
        hindcast_findings(found, fit, scores.frame),
        [
            theme_exhibit(theme, [one for one in shown if one.target.theme == theme], known_to)
            for theme in dict.fromkeys(one.target.theme for one in shown)
        ],
        where_wrong(scores.frame, found.loaded.calibration.targets),
        scores,
    )


def theme_exhibit(theme: str, series: Sequence[HindcastSeries], known_to: dt.date) -> Exhibit:
    """The series of a theme: what was known, the forecast, and the outturn."""
    frame = theme_frame(series)
    notes = [f"{one.target.title}: {one.target.note}" for one in series if one.target.note]
    title = f"{theme}: forecast from what was known on {wording.date(known_to)}, and the outturn"
    return Exhibit(
        exhibit_name("hindcast", theme), theme, frame, figure=hindcast_figure(frame, title), note=" ".join(notes)
    )


def theme_frame(series: Sequence[HindcastSeries]) -> pl.DataFrame:
    """A row a series and date: target, title, unit, date, known (the value, where it was known), q5 … q95 of the
    forecast, published (the outturn), in90, and last_value (the last known value, carried on) elsewhere."""
    frames = []
    for one in series:
        known = pl.DataFrame(one.known, schema={"date": pl.Date, "known": pl.Float64}, orient="row")
        said = one.said.select("date", *QUANTILES, "published", "in90")
        if one.naive:
            said = said.with_columns(pl.Series("last_value", one.naive, pl.Float64).fill_nan(None))
        about = (pl.lit(one.target.name).alias("target"), pl.lit(one.target.title).alias("title"))
        rows = pl.concat([known, said], how="diagonal")
        frames.append(rows.select(*about, pl.lit(one.target.unit).alias("unit"), pl.all()))
    return pl.concat(frames, how="diagonal")


QUANTILES = ("q5", "q25", "q50", "q75", "q95")


def scores_exhibit(rows: pl.DataFrame) -> Exhibit:
    """The scores of each series over the held-out years."""
    frame = by_series(rows)
    table = score_table(frame)
    note = "Skill: 1 is perfect, 0 no better than the yardstick, below 0 worse."
    return Exhibit("scores", table.caption, frame, table, note=note)


def score_table(scores: pl.DataFrame) -> Table:
    """The scores of each series."""
    head = (
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
    rows = tuple(_score_row(r) for r in scores.iter_rows(named=True))
    return Table("Scores by series", head, rows, look="below")


BRIEF_SCORES = ("Series", "Values", "In 90%", "Skill against last value")  # what fits a terminal


def _score_row(r: Mapping[str, Any]) -> tuple[str, ...]:
    first, last = r["first"], r["last"]
    years = str(first.year) if first == last else f"{first.year}–{last.year % 100:02d}"
    naive = "" if r["crps_naive"] is None else three_figures(r["crps_naive"])
    skills = ("" if r[name] is None else three_figures(r[name], signed=True) for name in ("skill", "skill_line"))
    inside = (share(r["in50"]), share(r["in90"]))
    return (r["title"], years, str(r["values"]), *inside, three_figures(r["crps"]), naive, *skills)


# ---- the page
def hindcast_sections(shown: HindcastExhibits) -> list[Section]:
    """The page of the hindcast, in order."""
    return [
        Section("How it did", [Text(shown.findings, "finding")]),
        *(section_of(one) for one in shown.themes),
        Section("Where it was wrong, and why", [Text(shown.wrong)]),
        section_of(shown.scores),
        Section("How it is scored", [Text(SCORING)]),
    ]


__all__ = [
    "BRIEF_SCORES",
    "HindcastExhibits",
    "held_out_words",
    "hindcast_exhibits",
    "hindcast_sections",
    "theme_frame",
]
