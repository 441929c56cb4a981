"""``simcare tariff``: what a contract rewards."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from simcare.cli.common import (
    AsJson,
    Force,
    Out,
    app,
    chosen_folder,
    command,
    out_console,
    print_exhibit,
    print_json,
    print_lines,
    print_warnings,
)
from simcare.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simcare.model import Model
    from simcare.report.tariff_page import TariffExhibits


@app.command()
def tariff(
    model: Annotated[str, typer.Argument(help="Path of a model file, or a name in the library such as kent-2013.")],
    service: Annotated[str, typer.Option("--service", help="The service that is paid for.")],
    provider: Annotated[str | None, typer.Option("--provider", help="Who offers it; the largest unless given.")] = None,
    contract: Annotated[
        str | None, typer.Option("--contract", help="A file of [[contracts]], or the name of a contract of the model.")
    ] = None,
    experiment: Annotated[
        str | None, typer.Option("--experiment", help="Take contracts and providers' responses from an experiment.")
    ] = None,
    need: Annotated[
        str | None,
        typer.Option("--need", help="The client's level of need; that below the service's tier unless given."),
    ] = None,
    stage: Annotated[str | None, typer.Option("--stage", help="The client's life stage.")] = None,
    group: Annotated[str | None, typer.Option("--group", help="The client's group.")] = None,
    ready_day: Annotated[
        int,
        typer.Option(
            "--ready-day", min=0, max=3650, help="Day of the stay from which the client is ready to step down."
        ),
    ] = 0,
    days: Annotated[int, typer.Option("--days", min=30, max=3650, help="Days of the stay to show.")] = 365,
    reviews: Annotated[
        bool, typer.Option("--reviews/--no-reviews", help="Whether reviews step the client down as well.")
    ] = True,
    out: Out = None,
    force: Force = False,
    as_json: AsJson = False,
) -> None:
    """What a contract rewards day by day, and the expected stay and cost of a client who is ready to step down; no
    simulation.

    Example: `simcare tariff kent-2013 --service intensive_home_care_older --experiment tiered-tariffs`
    """
    from simcare.files.digests import fingerprint
    from simcare.files.list_hints import with_hints
    from simcare.files.load import load_model

    chosen, names = _contracts(load_model(model), service, provider, contract, experiment)

    from simcare.model.cautions import warning_lines
    from simcare.report.tariff_page import TariffRequest, client_words, tariff_exhibits, tariff_json, write_tariff
    from simcare.tariffs.expected_stay import cases

    client = {"need": need, "stage": stage, "group": group}
    chosen, warnings = _answering(chosen, service, provider, names)
    try:
        found = cases(chosen, service, provider, names, **client, reviews=reviews, ready_day=float(ready_day))
    except BadInput as error:
        raise BadInput(with_hints(error.faults, model)) from error
    request: dict[str, Any] = {
        "verb": "tariff",
        "model": fingerprint(chosen),
        "service": service,
        "provider": found[0].provider,
    }
    request |= {"contracts": [one.contract for one in found], **client, "days": days, "ready_day": ready_day}
    folder = chosen_folder(out, f"tariff-{service}", request | {"reviews": reviews}, force)
    print_warnings(warnings)
    where, notes = client_words(found[0], chosen), TariffRequest(ready_day, reviews).notes(found)
    shown = tariff_exhibits(found, days, where)
    about = {"service": service, "provider": found[0].provider, "warnings": warnings}
    entry = {"command": command(), **folder.entry}
    page = write_tariff(shown, about | entry, where, chosen, [*warning_lines(warnings), *notes], folder.path)
    if as_json:
        print_json({**about, "out": str(folder.path), "contracts": tariff_json(shown)})
        return
    if experiment is not None and not names:
        notes.append(f"No strategy of '{experiment}' puts this service under another contract.")
    _print_tariff(shown, where, notes)
    out_console.print(f"\nCurves: {page}", soft_wrap=True, highlight=False)


def _print_tariff(shown: TariffExhibits, where: str, notes: Sequence[str]) -> None:
    print_exhibit(shown.outcomes, f": {where}")
    print_lines(notes)
    print_exhibit(shown.gaming)


def _answering(model: Model, service: str, provider: str | None, contracts: Sequence[str]) -> tuple[Model, list[str]]:
    """The model with the shipped response for the provider, where contracts are tried on one of whom nobody says how
    it responds to money; and what is to be said of that."""
    from simcare.files.default_responses import with_default_responses
    from simcare.model.cautions import silence_of
    from simcare.tariffs.expected_stay import chosen_offer

    if not contracts:
        return model, []
    asked, _ = chosen_offer(model, service, provider)
    whole = with_default_responses(model, [asked.name])
    said = silence_of(whole, asked, list(dict.fromkeys(contracts)))
    return whole, [] if said is None else [said]


def _contracts(
    model: Model, service: str, provider: str | None, contract: str | None, experiment: str | None
) -> tuple[Model, list[str]]:
    """The model with the contracts to be tried, and their names: of a file, of the model, or those an experiment puts
    the service under."""
    from simcare.files.load import load_experiment, with_contracts
    from simcare.model.overlay import extended_by

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
