"""A run's folder: what is in it, written and read back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl

from simcare.decide.comparison import Comparison, differences, totals
from simcare.errors import BadInput
from simcare.files.atomic import MANIFEST, aside, check_finished
from simcare.files.csv_text import write_csv
from simcare.files.json_text import write_manifest
from simcare.files.parsing import parse
from simcare.measures.spread_parts import NOTHING_DRAWN
from simcare.model import Model
from simcare.model.strategy import BASELINE, Experiment
from simcare.report import summaries
from simcare.report.frames import Frames
from simcare.report.report_input import ReportInput, Result
from simcare.report.run_page import run_page
from simcare.runs.run import Run


def write_run(run: Run, out: Path, command: str, *, log: bool = False) -> Path:
    """Write the folder of a run; returns the path of its report."""
    with aside(out) as folder:
        frames = _write_common(folder, replace(ReportInput.of(run), manifest=run.manifest | {"command": command}))
        write_csv(yearly_summary(frames.costs(BASELINE), frames.caseload(BASELINE)), folder / "summary.csv")
        if log and run.log is not None:
            run.log.write_parquet(folder / "log.parquet")
    return out / "report.html"


def write_comparison(found: Comparison, out: Path, command: str) -> Path:
    """Write the folder of a comparison; returns the path of its report."""
    with aside(out) as folder:
        _write_common(folder, replace(ReportInput.of(found), manifest=found.manifest | {"command": command}))
        (folder / "experiment.json").write_text(
            found.experiment.model_dump_json(by_alias=True, indent=1), encoding="utf-8"
        )
        write_csv(found.differences, folder / "summary.csv")
        if found.scenarios.height:
            found.scenarios.write_parquet(folder / "scenarios.parquet")
    return out / "report.html"


def _write_common(folder: Path, report: ReportInput) -> Frames:
    """What every folder holds; the frames that its report is made from."""
    frames = Frames(report)
    report.measures.write_parquet(folder / "measures.parquet")
    report.flows.write_parquet(folder / "flows.parquet")
    report.drawn.write_parquet(folder / "drawn.parquet")
    if report.market is not None and report.market.height:
        report.market.write_parquet(folder / "market.parquet")
    (folder / "model.json").write_text(report.model.model_dump_json(by_alias=True, indent=1), encoding="utf-8")
    (folder / "report.html").write_text(run_page(frames), encoding="utf-8")
    write_manifest(folder, report.manifest)
    return frames


def read_folder(folder: Path) -> ReportInput:
    """The pieces of a finished folder, for a new report."""
    check_finished(folder)
    if (folder / "fit.json").is_file():
        raise BadInput(
            f"{folder}: is the folder of a calibration, not of a run; its report.html and hindcast.html are written by"
            " simcare calibrate"
        )
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        model = Model.model_validate_json((folder / "model.json").read_text(encoding="utf-8"))
        measures, flows = pl.read_parquet(folder / "measures.parquet"), pl.read_parquet(folder / "flows.parquet")
    except (OSError, ValueError, pl.exceptions.PolarsError) as error:
        raise BadInput(f"{folder}: cannot be read as a run: {str(error).splitlines()[0]}") from error
    market = pl.read_parquet(folder / "market.parquet") if (folder / "market.parquet").is_file() else None
    drawn = _drawn_in(folder, model, manifest)
    given = ReportInput(model=model, measures=measures, flows=flows, manifest=manifest, market=market, drawn=drawn)
    if not (folder / "experiment.json").is_file():
        return given
    experiment = parse(
        Experiment,
        json.loads((folder / "experiment.json").read_text(encoding="utf-8")),
        str(folder / "experiment.json"),
    )
    names = [s.name for s in experiment.strategies]
    found = totals(measures, [BASELINE, *names], experiment.replications)
    scenarios = pl.read_parquet(folder / "scenarios.parquet") if (folder / "scenarios.parquet").is_file() else None
    return replace(
        given, experiment=experiment, totals=found, differences=differences(found, names, drawn), scenarios=scenarios
    )


def _drawn_in(folder: Path, model: Model, manifest: Mapping[str, Any]) -> pl.DataFrame:
    """What each replication drew; an older folder has no such file, and needs none where nothing was drawn."""
    if (folder / "drawn.parquet").is_file():
        return pl.read_parquet(folder / "drawn.parquet")
    if "fit" in manifest or model.drivers:
        raise BadInput(
            f"{folder}: has no drawn.parquet, which holds the demand and the parameters that each replication drew: an"
            " earlier simcare wrote the folder, so run it again"
        )
    return NOTHING_DRAWN


def yearly(run: Result) -> pl.DataFrame:
    """The yearly table of a run, with demand's part of the spread (:func:`yearly_summary`)."""
    frames = Frames(ReportInput.of(run))
    return yearly_summary(frames.costs(BASELINE), frames.caseload(BASELINE))


def yearly_summary(costs: pl.DataFrame, caseload: pl.DataFrame) -> pl.DataFrame:
    """The cash budget and real cost, and people in care, with the spread over replications: the rows of years of
    :func:`simcare.report.summaries.costs` and :func:`simcare.report.summaries.caseload`.

    Columns: financial_year, stage (null: all), tier, measure, mean, low, high, and demand_low to demand_high, demand's
    own part of the spread.
    """
    people = caseload.filter(pl.col("month").is_null()).drop("month")
    columns = ["financial_year", "stage", "tier", "measure", *summaries.SPREAD]
    both = pl.concat([costs, people], how="diagonal").select(columns)
    return both.sort("measure", "stage", "tier", "financial_year", nulls_last=False)
