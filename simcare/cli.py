"""The command line: ``simcare VERB``. Only here is anything printed, and only here are arguments read."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from simcare import __version__
from simcare.errors import BadInput, SimcareError

if TYPE_CHECKING:
    from simcare.comparisons import Comparison
    from simcare.model import Figure, Model
    from simcare.runs import Run
    from simcare.tariff_page import PageTable

app = typer.Typer(
    help="What care would cost, and how independent people would be, if it were commissioned differently.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    rich_markup_mode="markdown",
)
out_console = Console()
err_console = Console(stderr=True)

YEARS = typer.Option("--years", min=1, max=60, help="Financial years to simulate.")
REPS = typer.Option("--reps", min=1, max=100_000, help="Replications: possible futures to try.")
SEED = typer.Option("--seed", min=0, max=2**62, help="The same seed gives the same result.")
Engine = Annotated[
    str,
    typer.Option(
        "--engine", help="The clock that carries the rulebook: simpy (the reference, open to hooks) or compiled (the same results, for volume)."
    ),
]
Workers = Annotated[int | None, typer.Option("--workers", min=1, help="Processes to use; all cores unless said.")]
Out = Annotated[Path | None, typer.Option("--out", help="Folder for the results; runs/NAME unless said.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print a machine-readable summary, and nothing else, on standard output.")]


def _version(asked: bool) -> None:
    if asked:
        out_console.print(f"simcare {__version__}", highlight=False)
        raise typer.Exit


@app.callback()
def options(version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")] = False) -> None:
    """What care would cost, and how independent people would be, if it were commissioned differently."""


@app.command()
def check(
    files: Annotated[list[str], typer.Argument(help="Model or experiment files, or names in the library.")],
    assumptions: Annotated[bool, typer.Option("--assumptions", help="List every number that is an assumption (grade D).")] = False,
    as_json: AsJson = False,
) -> None:
    """Validate files: one line for each fault, with file, path, value and near miss; exit code 2.

    Example: `simcare check kent-2013 my-experiment.toml --assumptions`
    """
    from simcare.files import check_file

    faults: list[str] = []
    listed: dict[str, list[Figure]] = {}
    for name in files:
        try:
            kind, figures = check_file(name)
        except BadInput as error:
            faults += error.faults
            continue
        listed[name] = figures
        if not as_json:
            grades = ", ".join(f"{sum(f.grade == g for f in figures)} {g}" for g in "ABCD")
            out_console.print(f"{name}: {kind} is valid; {len(figures)} numbers by grade: {grades}", highlight=False)
            if assumptions:
                _print_assumptions([f for f in figures if f.grade == "D"])
    if as_json:
        rows = {name: [f.model_dump(mode="json") for f in figures if not assumptions or f.grade == "D"] for name, figures in listed.items()}
        print(json.dumps({"valid": list(listed), "faults": faults, "numbers": rows}, indent=1))
    if faults:
        raise BadInput(faults)


def _print_assumptions(figures: list[Figure]) -> None:
    table = Table("Number", "Value", "Why", box=None, pad_edge=False, header_style="bold")
    for figure in figures:
        shown = ", ".join(f"{v:g}" for v in figure.value)
        table.add_row(figure.path, shown if figure.since is None else f"{shown} from {figure.since}", figure.note or "assumption")
    out_console.print(table)


@app.command()
def run(
    model: Annotated[str, typer.Argument(help="Path of a model file, or a name in the library such as kent-2013.")],
    years: Annotated[int, YEARS] = 5,
    reps: Annotated[int, REPS] = 10,
    seed: Annotated[int, SEED] = 1,
    engine: Engine = "simpy",
    workers: Workers = None,
    out: Out = None,
    log: Annotated[bool, typer.Option("--log", help="Keep the event log (log.parquet).")] = False,
    as_json: AsJson = False,
) -> None:
    """Run one model and write its measures and report.

    Example: `simcare run kent-2013 --years 2 --reps 2 --seed 1 --out runs/first`
    """
    from simcare.aside import check_free
    from simcare.files import load_model

    chosen = load_model(model)
    folder = out or Path("runs") / chosen.about.name
    check_free(folder)

    from simcare.folders import write_run, yearly  # heavy: only for input that is good
    from simcare.runs import run as run_model

    with _progress("Running", engine) as progress:
        done = run_model(chosen, years, reps, seed, engine=engine, workers=workers, keep_log=log, progress=progress)
    report = write_run(done, folder, _command(), log=log)
    if as_json:
        print(json.dumps({"manifest": done.manifest, "out": str(folder), "yearly": yearly(done.measures).to_dicts()}, indent=1))
        return
    _print_run(done)
    out_console.print(f"\nReport: {report}", soft_wrap=True, highlight=False)


@app.command()
def compare(
    experiment: Annotated[str, typer.Argument(help="Path of an experiment file, or a name in the library such as prevention.")],
    years: Annotated[int | None, YEARS] = None,
    reps: Annotated[int | None, typer.Option("--reps", min=2, max=100_000, help="Replications: possible futures to try.")] = None,
    seed: Annotated[int | None, SEED] = None,
    engine: Engine = "compiled",
    workers: Workers = None,
    out: Out = None,
    as_json: AsJson = False,
) -> None:
    """Compare strategies with the baseline, paired on the same draws.

    Example: `simcare compare prevention --reps 4 --out runs/prevention`
    """
    from simcare.aside import check_free
    from simcare.files import load_experiment

    chosen, model = load_experiment(experiment)
    folder = out or Path("runs") / chosen.name
    check_free(folder)

    from simcare.comparisons import compare as compare_strategies  # heavy: only for input that is good
    from simcare.folders import write_comparison

    with _progress("Comparing", engine) as progress:
        found = compare_strategies(chosen, reps, model=model, years=years, seed=seed, engine=engine, workers=workers, progress=progress)
    report = write_comparison(found, folder, _command())
    if as_json:
        print(json.dumps({"manifest": found.manifest, "out": str(folder), "differences": found.differences.to_dicts()}, indent=1))
        return
    _print_comparison(found)
    out_console.print(f"\nReport: {report}", soft_wrap=True, highlight=False)


@app.command()
def tariff(
    model: Annotated[str, typer.Argument(help="Path of a model file, or a name in the library such as kent-2013.")],
    service: Annotated[str, typer.Option("--service", help="The service that is paid for.")],
    provider: Annotated[str | None, typer.Option("--provider", help="Who offers it; the largest unless said.")] = None,
    contract: Annotated[str | None, typer.Option("--contract", help="A file of [[contracts]], or the name of a contract of the model.")] = None,
    experiment: Annotated[str | None, typer.Option("--experiment", help="Take contracts and providers' answers from an experiment.")] = None,
    need: Annotated[str | None, typer.Option("--need", help="The client's need; the rung below the service unless said.")] = None,
    stage: Annotated[str | None, typer.Option("--stage", help="The client's life stage.")] = None,
    group: Annotated[str | None, typer.Option("--group", help="The client's group.")] = None,
    ready_day: Annotated[int, typer.Option("--ready-day", min=0, max=3650, help="Day of the stay from which the client could step down.")] = 0,
    days: Annotated[int, typer.Option("--days", min=30, max=3650, help="Days of the stay to show.")] = 365,
    reviews: Annotated[bool, typer.Option("--reviews/--no-reviews", help="Whether reviews step the client down as well.")] = True,
    out: Out = None,
    as_json: AsJson = False,
) -> None:
    """What a contract rewards day by day, and the expected stay and cost of a client who could step down; no simulation.

    Example: `simcare tariff kent-2013 --service intensive_home_care_older --experiment tiered-tariffs`
    """
    from simcare.aside import check_free
    from simcare.files import load_model

    folder = out or Path("runs") / f"tariff-{service}"
    chosen, names = _contracts(load_model(model), service, provider, contract, experiment)
    check_free(folder)

    from simcare.incentives import cases
    from simcare.tariff_page import Asked, gaming, json_rows, outcomes, write_tariff

    asked = Asked(model, need, stage, group, ready_day, days, reviews)
    found = cases(chosen, service, provider, names, need=need, stage=stage, group=group, reviews=reviews, ready_day=float(ready_day))
    page = write_tariff(found, chosen, asked, folder, _command())
    if as_json:
        print(json.dumps({"service": service, "provider": found[0].provider, "out": str(folder), "contracts": json_rows(found)}, indent=1))
        return
    _print_table(outcomes(found), f": {asked.client(found[0], chosen)}")
    for note in asked.notes(found):
        out_console.print(note, highlight=False, markup=False)
    if experiment is not None and not names:
        out_console.print(f"No strategy of '{experiment}' puts this service under another contract.", highlight=False, markup=False)
    _print_table(gaming(found))
    out_console.print(f"\nCurves: {page}", soft_wrap=True, highlight=False)


def _print_table(table: PageTable, of: str = "") -> None:
    shown = Table(title=f"\n{escape(table.title + of)}", title_justify="left", box=SIMPLE_HEAD, pad_edge=False)
    for k, head in enumerate(table.heads):
        shown.add_column(head, justify="left" if k == 0 else "right")
    for row in table.rows:
        shown.add_row(*(escape(cell) for cell in row))
    out_console.print(shown, highlight=False)


def _contracts(model: Model, service: str, provider: str | None, contract: str | None, experiment: str | None) -> tuple[Model, list[str]]:
    """The model with the contracts to be tried, and their names: of a file, of the model, or those an experiment puts the service under."""
    from simcare.files import load_experiment, with_contracts
    from simcare.model.strategy import extended_by

    names: list[str] = []
    if experiment is not None:
        given, _ = load_experiment(experiment)
        try:
            model = extended_by(model, given)
        except BadInput as error:  # made for another model
            raise BadInput([f"{experiment}: {fault}" for fault in error.faults]) from error
        put = [new for strategy in given.strategies for new in strategy.contracts if new.service == service]
        names += [new.contract for new in put if provider is None or new.provider in (None, provider)]
    if contract is not None and (contract.endswith(".toml") or Path(contract).is_file()):
        model, more = with_contracts(model, Path(contract))
        return model, [*names, *more]
    return model, [*names, contract] if contract is not None else names


@app.command()
def report(folder: Annotated[Path, typer.Argument(help="The folder of a finished run.")]) -> None:
    """Write the report of a finished run again.

    Example: `simcare report runs/prevention`
    """
    from simcare.aside import check_finished

    check_finished(folder)

    from simcare.folders import read_folder  # heavy: only for input that is good
    from simcare.report import write_report

    write_report(read_folder(folder), folder / "report.html")
    out_console.print(f"Report: {folder / 'report.html'}", soft_wrap=True, highlight=False)


@app.command()
def schema(what: Annotated[str, typer.Argument(help="model or experiment.")]) -> None:
    """Print the JSON Schema of a kind of file, for editors that complete and check as you type.

    Example: `simcare schema model > model.schema.json`
    """
    from simcare.files import schema as schema_of

    print(json.dumps(schema_of(what), indent=1))


@contextmanager
def _progress(what: str, engine: str) -> Iterator[Callable[[int, int], None]]:
    """A bar on standard error; the first run on a machine also says that the rulebook is being compiled."""
    from simcare.jit import is_compiled

    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=err_console, transient=True) as bar:
        words = f"{what} ({engine})" if is_compiled() else f"{what} ({engine}): compiling the rulebook first, once on this machine, a minute or two"
        task = bar.add_task(words, total=None)

        def tick(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total, description=f"{what} ({engine})")

        yield tick


def _print_run(done: Run) -> None:
    from simcare.folders import yearly
    from simcare.summaries import range_words
    from simcare.words import PEOPLE, POUNDS, quantity

    heading = f"{done.model.about.title}: mean, and {range_words(done.replications)}"
    table = Table(title=heading, title_justify="left", box=SIMPLE_HEAD, pad_edge=False)
    for heading in ("Financial year", "Cost, cash", "Range", "Constant prices", "In care"):
        table.add_column(heading, justify="left" if heading == "Financial year" else "right", no_wrap=True)
    rows = yearly(done.measures)
    for (year,), part in rows.group_by("financial_year", maintain_order=True):
        cost = part.filter((part["measure"] == "cost") & part["stage"].is_null()).to_dicts()[0]
        real = part.filter((part["measure"] == "cost_real") & part["stage"].is_null()).to_dicts()[0]
        people = float(part.filter(part["measure"] == "caseload")["mean"].sum() or 0.0)
        spread = "" if cost["low"] is None else f"{quantity(cost['low'], POUNDS, 5)} to {quantity(cost['high'], POUNDS, 5)}"
        table.add_row(str(year), quantity(cost["mean"], POUNDS, 5), spread, quantity(real["mean"], POUNDS, 5), quantity(people, PEOPLE, 0))
    out_console.print(table)


def _print_comparison(found: Comparison) -> None:
    from simcare.report import ReportInput, sentences
    from simcare.words import COUNT, POUNDS, Estimate, measure, three

    shown = ["cost_pv", "cost", "dependency_days", "over_provided_days", "induced_need_days", "independent_days", "unmet_need_days"]
    experiment, start = found.experiment, found.model.about.start
    if any(strategy.contracts for strategy in experiment.strategies):
        shown += ["step_downs", "premature_releases", "readmissions_91"]
    if any(strategy.failures for strategy in experiment.strategies):
        shown += ["displaced", "spot_days", "queue_days"]
    out_console.print(f"{experiment.title}: differences from the baseline over {experiment.years} years from {start:%B %Y}", style="bold")
    for strategy in experiment.strategies:
        rows = {row["measure"]: row for row in found.differences.filter(found.differences["strategy"] == strategy.name).to_dicts()}
        table = Table(title=f"\n{strategy.title}", title_justify="left", title_style="italic", box=SIMPLE_HEAD, pad_edge=False)
        for heading in ("", "Baseline", "Difference", "95% interval"):
            table.add_column(heading, justify="right" if heading else "left", no_wrap=True)
        for name in shown:
            row, label = rows[name], measure(name)
            unit = POUNDS if label.unit == POUNDS else COUNT  # the label says days
            value, low, high = three(Estimate.of(row["difference"], row["low"], row["high"], row["baseline_mean"]), unit)
            table.add_row(label.label, three(Estimate(row["baseline_mean"]), unit, signed=False)[0], value, f"{low} to {high}" if low else "none")
        out_console.print(table)
    for sentence in sentences(ReportInput.of(found)):
        out_console.print(f"\n{sentence}", highlight=False)


def _command() -> str:
    return shlex.join(["simcare", *sys.argv[1:]])


def main() -> None:
    """The ``simcare`` command: 0 done, 1 the run failed, 2 bad input; never a traceback for a user's mistake."""
    try:
        app()
    except SimcareError as error:
        for line in str(error).splitlines():
            err_console.print(line, markup=False, highlight=False, soft_wrap=True)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        err_console.print("Stopped; nothing was written.")
        sys.exit(1)
    except OSError as error:
        err_console.print(f"{error.filename or 'files'}: {error.strerror or error}", markup=False, highlight=False, soft_wrap=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
