"""``simcare explain``: why cost moved; genuine and induced demand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from simcare.cli.common import (
    SEED,
    YEARS,
    AsJson,
    Engine,
    Out,
    Workers,
    app,
    command,
    err_console,
    out_console,
    print_table,
    progress_bar,
)


@app.command()
def explain(
    experiment: Annotated[
        str, typer.Argument(help="Path of an experiment or a model file, or a name in the library such as prevention.")
    ],
    years: Annotated[int | None, YEARS] = None,
    reps: Annotated[
        int, typer.Option("--reps", min=2, max=100_000, help="Replications: possible futures to try in every setting.")
    ] = 4,
    seed: Annotated[int | None, SEED] = None,
    strategy: Annotated[
        list[str] | None, typer.Option("--strategy", help="Only this strategy beside the baseline; may be given again.")
    ] = None,
    engine: Engine = "compiled",
    workers: Workers = None,
    out: Out = None,
    as_json: AsJson = False,
) -> None:
    """Why cost moved: what is need-driven demand, and what over-specification, dependency, providers, waiting and
    failure help to create.

    Every mechanism is switched off and on in every combination, for the same simulated people and the same
    chance events.

    Example: `simcare explain prevention --reps 4 --out runs/explain-prevention`
    """
    from simcare.files.atomic import check_free
    from simcare.mechanisms.shares import plan

    chosen = plan(experiment, reps, years=years, seed=seed, strategies=strategy)
    folder = out or Path("runs") / f"explain-{chosen.name}"
    check_free(folder)

    from simcare.mechanisms.shares import run_plan
    from simcare.report.explain_page import (  # heavy: only for input that is good
        explanation_json,
        tables,
        write_explanation,
    )
    from simcare.report.mechanism_wording import explanation_sentences

    err_console.print(chosen.words(), highlight=False, markup=False)
    with progress_bar("Explaining", engine) as progress:
        found = run_plan(chosen, engine, workers, progress)
    report = write_explanation(found, folder, command())
    if as_json:
        print(json.dumps({"manifest": found.manifest, "out": str(folder), **explanation_json(found)}, indent=1))
        return
    cost, _, *moved = tables(found)  # what fits a terminal; the page has the rest
    for table in (cost, *moved):
        print_table(table._replace(heads=table.heads[:4], rows=[row[:4] for row in table.rows]))
    for absent in chosen.absent:
        out_console.print(f"{absent.title}: not in this model.", highlight=False, markup=False)
    for sentence in explanation_sentences(found):
        out_console.print(f"\n{sentence}", highlight=False, markup=False)
    out_console.print(f"\nReport: {report}", soft_wrap=True, highlight=False)
