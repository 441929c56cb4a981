"""The page of ``simcare tariff``: the incentive curves, what each contract comes to, and what could be gamed; one
offline HTML file."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl

from simcare import __version__
from simcare.files.atomic import aside
from simcare.files.json_text import write_manifest
from simcare.model import Model
from simcare.model.tariff import best_cycle, reset_gain
from simcare.report.contract_words import pounds
from simcare.report.exhibit import Exhibit, Table, write_exhibit
from simcare.report.figures.tariff import incentive_figure
from simcare.report.page import page, section_of
from simcare.report.wording import POUNDS, quantity, share
from simcare.tariffs.expected_stay import Case, cases_summary, curve

LEAST_GBP = 0.5  # a gain below this is nothing


class TariffRequest(NamedTuple):
    """What was asked for: from which day of the stay the client could step down, and whether reviews count."""

    ready_day: int
    reviews: bool

    def notes(self, found: Sequence[Case]) -> list[str]:
        """What is in the figures and what is not."""
        tiers = "one tier" if found[0].gap == 1 else f"{found[0].gap} tiers"
        since = "from the first day" if self.ready_day == 0 else f"from day {self.ready_day}"
        first = (
            f"A client who is ready to step down by {tiers} {since}, and whose need stays as it is. Pounds are in"
            " prices of the base year. "
        )
        if not self.reviews:
            first += "Without reviews."
        elif found[0].reviews:
            first += f"Reviews on day {found[0].reviews[0]:g} and later step the client down as well."
        else:
            first += "The service has no reviews."
        return [first, _provider_note(found[0])]


def _provider_note(one: Case) -> str:
    """How the provider responds to payment, if at all."""
    if one.seen is None:
        return (
            "The model does not say how this provider responds to payment ([[responses]]), so no contract changes how"
            " fast they step people down."
        )
    return (
        f"The provider responds to payment with eta {one.seen.eta:g}, looks {one.seen.horizon_days:g} days ahead and is"
        f" {share(one.seen.occupancy)} full. These are assumptions: see docs/tariffs.md."
    )


def client_words(one: Case, model: Model) -> str:
    """Where the client is, and with whom."""
    service = next(s for s in model.services if s.name == one.service)
    provider = next(p for p in model.providers if p.name == one.provider)
    return f"{service.title or service.name}, {provider.title or provider.name}"


# ---- exhibits
class TariffExhibits(NamedTuple):
    """What the page of a tariff shows, in order."""

    curves: Exhibit
    contracts: Exhibit
    outcomes: Exhibit
    gaming: Exhibit


def tariff_exhibits(found: Sequence[Case], days: int, where: str) -> TariffExhibits:
    """Every exhibit of a tariff; ``where`` names the service and the provider."""
    names = contract_names([one.contract for one in found])
    return TariffExhibits(
        curves_exhibit(found, names, days, where),
        contract_names_exhibit(found, names),
        outcomes_exhibit(found, names),
        gaming_exhibit(found, names),
    )


def contract_names(contracts: Sequence[str]) -> dict[str, str]:
    """Short names for lines and rows: the contract in force is named as such.

    >>> contract_names(["homes_2013", "dated_bonus"])
    {'homes_2013': 'as now', 'dated_bonus': 'dated bonus'}
    """
    return {name: "as now" if k == 0 else name.replace("_", " ") for k, name in enumerate(contracts)}


def curves_exhibit(found: Sequence[Case], names: Mapping[str, str], days: int, where: str) -> Exhibit:
    """What each contract rewards day by day."""
    curves = [curve(one, days).select(pl.lit(one.contract).alias("contract"), pl.all()) for one in found]
    frame = pl.concat(curves)
    title = f"Day by day, to day {curves[0].height} of the stay"
    return Exhibit("curves", title, frame, figure=incentive_figure(frame, names, where))


def contract_names_exhibit(found: Sequence[Case], names: Mapping[str, str]) -> Exhibit:
    """What the short names stand for."""
    frame = pl.DataFrame({"contract": [one.contract for one in found], "paid": [_paid(one) for one in found]})
    rows = tuple((names[contract], paid) for contract, paid in frame.iter_rows())
    table = Table("The contracts", ("Name", "What is paid"), rows, headers=2, look="words")
    return Exhibit("contracts", "The contracts", frame, table)


def _paid(one: Case) -> str:
    """The contract's title; for a flat contract without a title, its price."""
    flat = (
        len(one.tariff.rates) == 1 and not one.tariff.lumps and not one.tariff.payoffs and not one.tariff.block_per_year
    )
    return f"{pounds(one.tariff.rates[0])} a day" if flat and one.title == one.contract else one.title


def outcomes_exhibit(found: Sequence[Case], names: Mapping[str, str]) -> Exhibit:
    """What comes of a client under each contract."""
    frame = cases_summary(found)
    blocks = {one.contract for one in found if one.tariff.block_per_year}
    table = outcomes_table(frame, names, blocks)
    return Exhibit("summary", table.caption, frame, table)


def outcomes_table(frame: pl.DataFrame, names: Mapping[str, str], blocks: set[str]) -> Table:
    """Expected stay and pay, and how the stay ends; ``blocks`` are the contracts that are paid by the year."""
    rows = []
    for row in frame.iter_rows(named=True):
        ends = math.isfinite(row["stay_days"])
        pay = "by the year" if row["contract"] in blocks else quantity(row["gbp"], POUNDS) if ends else "no end"
        shares = tuple(share(row[name]) for name in ("by_provider", "by_review"))
        rows.append((names[row["contract"]], quantity(row["stay_days"]) if ends else "no end", pay, *shares))
    head = ("Contract", "Expected stay, days", "Expected pay for the stay", "Stepped down by provider", "By a review")
    return Table("What happens to a client who is ready to step down", head, tuple(rows), look="below")


def gaming_exhibit(found: Sequence[Case], names: Mapping[str, str]) -> Exhibit:
    """The best cycle of step-down and return under each contract, and what bands that restart would gain."""
    frame = gaming_frame(found)
    table = gaming_table(frame, names)
    return Exhibit("gaming", table.caption, frame, table)


def gaming_frame(found: Sequence[Case]) -> pl.DataFrame:
    """A row for each contract: contract; cycle_day, cycle_back_after_days and cycle_gain_gbp of the best cycle (null
    where none earns a sum); restart_day and restart_gain_gbp of a return that restarts the bands."""
    rows = [(one.contract, *(best_cycle(one.tariff) or (None, None, None)), *reset_gain(one.tariff)) for one in found]
    numbers = ("cycle_day", "cycle_back_after_days", "cycle_gain_gbp")
    schema = {
        "contract": pl.String,
        **dict.fromkeys(numbers, pl.Float64),
        "restart_day": pl.Int64,
        "restart_gain_gbp": pl.Float64,
    }
    return pl.DataFrame(rows, schema=schema, orient="row")


def gaming_table(frame: pl.DataFrame, names: Mapping[str, str]) -> Table:
    """What could be gamed, in words."""
    rows = []
    for row in frame.iter_rows(named=True):
        cycle, restart = "none earns a sum", "nothing"
        if row["cycle_day"] is not None:
            back = f"day {row['cycle_day']:g}, back after {row['cycle_back_after_days']:g}"
            cycle = f"{quantity(row['cycle_gain_gbp'], POUNDS)} ({back})"
        if row["restart_gain_gbp"] > LEAST_GBP:
            restart = f"{quantity(row['restart_gain_gbp'], POUNDS)} (after day {row['restart_day']})"
        rows.append((names[row["contract"]], cycle, restart))
    head = (
        "Contract",
        "Best cycle of step-down and return: gain over retention",
        "Gain if a return restarts the bands",
    )
    return Table("What could be gamed", head, tuple(rows), look="below")


# ---- the folder
def tariff_json(shown: TariffExhibits) -> list[dict[str, Any]]:
    """A row for each contract: what is expected, and what could be gamed; null for what has no end, since JSON knows no
    infinity, and for the best cycle where none earns a sum."""
    rows = []
    for row, game in zip(shown.outcomes.frame.to_dicts(), shown.gaming.frame.to_dicts(), strict=True):
        finite = {
            name: None if isinstance(value, float) and not math.isfinite(value) else value
            for name, value in row.items()
        }
        cycle = {
            "step_down_day": game["cycle_day"],
            "back_after_days": game["cycle_back_after_days"],
            "gain_gbp": game["cycle_gain_gbp"],
        }
        restart = {"step_down_day": game["restart_day"], "gain_gbp": game["restart_gain_gbp"]}
        rows.append({**finite, "best_cycle": None if game["cycle_day"] is None else cycle, "bands_anew": restart})
    return rows


def write_tariff(
    shown: TariffExhibits, about: Mapping[str, Any], where: str, model: Model, notes: Sequence[str], out: Path
) -> Path:
    """Write the folder: tariff.html, curves.csv, summary.csv and the manifest; returns the path of the page."""
    text = page(f"What contracts reward: {where}", model.about.title, notes, [section_of(one) for one in shown])
    with aside(out) as folder:
        (folder / "tariff.html").write_text(text, encoding="utf-8")
        write_exhibit(shown.curves, folder)
        write_exhibit(shown.outcomes, folder)
        manifest = {"simcare": __version__, "model": model.about.name, **about}
        write_manifest(folder, manifest)
    return out / "tariff.html"
