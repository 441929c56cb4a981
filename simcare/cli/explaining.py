"""``simcare explain``: why cost moved; need-driven and induced demand."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from simcare.cli.common import (
    SEED,
    YEARS,
    AsJson,
    Engine,
    Force,
    Out,
    Workers,
    app,
    chosen_folder,
    command,
    err_console,
    out_console,
    print_exhibit,
    print_json,
    print_lines,
    print_warnings,
    progress_bar,
)

if TYPE_CHECKING:
    from simcare.mechanisms.shares import Explanation
    from simcare.report.explain_page import ExplainExhibits


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
    force: Force = False,
    as_json: AsJson = False,
) -> None:
    """Why cost moved: what is underlying need-driven demand, and what over-specification, dependency, providers,
    waiting and failure help to create.

    Every mechanism is switched off and on in every combination, with the same simulated people and the same chance
    events.

    Example: `simcare explain prevention --reps 4 --out runs/explain-prevention`
    """
    from simcare.files.digests import fingerprint
    from simcare.mechanisms.shares import plan

    chosen = plan(experiment, reps, years=years, seed=seed, strategies=strategy)
    asked = {"verb": "explain", "model": fingerprint(chosen.model), "years": chosen.years, "seed": chosen.seed}
    asked |= {"experiment": fingerprint(chosen.experiment) if chosen.experiment else None}
    asked |= {"replications": chosen.replications, "engine": engine}
    folder = chosen_folder(out, f"explain-{chosen.name}", asked, force)
    print_warnings(chosen.warnings)

    from simcare.mechanisms.shares import run_plan  # heavy: only for input that is good
    from simcare.report.explain_page import explain_exhibits, explanation_json, write_explanation

    err_console.print(chosen.words(), highlight=False, markup=False)
    with progress_bar("Explaining", engine) as progress:
        found = run_plan(chosen, engine, workers, progress)
    shown = explain_exhibits(found)
    found = replace(found, manifest=found.manifest | folder.entry)
    report = write_explanation(found, shown, folder.path, command())
    if as_json:
        print_json({"manifest": found.manifest, "out": str(folder.path), **explanation_json(found)})
        return
    _print_explanation(found, shown)
    out_console.print(f"\nReport: {report}", soft_wrap=True, highlight=False)


def _print_explanation(found: Explanation, shown: ExplainExhibits) -> None:
    """What fits a terminal; the page has the rest."""
    from simcare.report.explain_page import BRIEF_COST
    from simcare.report.mechanism_wording import explanation_sentences

    print_exhibit(shown.shares, only=BRIEF_COST)
    if shown.moved is not None:
        print_exhibit(shown.moved)
    print_lines(f"{absent.title}: not in this model." for absent in found.plan.absent)
    print_lines(explanation_sentences(found), gap=True)
