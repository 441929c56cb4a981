"""The page of ``simcare tariff``: the incentive curves, what each contract comes to, and what could be gamed; one
offline HTML file."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl

from simcare import __version__
from simcare.files.atomic import MANIFEST, aside
from simcare.model import Model
from simcare.model.tariff import best_cycle, reset_gain
from simcare.report.figures.tariff import incentives
from simcare.report.page import PageFigure, PageTable, Part, page
from simcare.tariffs.expected_stay import Case, cases_summary, curve, expected_of


class TariffRequest(NamedTuple):
    """What was asked for, as the command line had it."""

    model: str
    need: str | None
    stage: str | None
    group: str | None
    ready_day: int
    days: int
    reviews: bool

    def client(self, one: Case, model: Model) -> str:
        """Who the client is, where, and with whom."""
        service = next(s for s in model.services if s.name == one.service)
        provider = next(p for p in model.providers if p.name == one.provider)
        return f"{service.title or service.name}, {provider.title or provider.name}"

    def notes(self, found: Sequence[Case]) -> list[str]:
        """What is in the figures and what is not."""
        rungs = "one rung" if found[0].gap == 1 else f"{found[0].gap} rungs"
        since = "from the first day" if self.ready_day == 0 else f"from day {self.ready_day}"
        first = (
            f"A client who could step down by {rungs} {since} and whose need stays as it is; pounds in prices of the"
            " base year. "
        )
        if not self.reviews:
            first += "Without reviews."
        elif found[0].reviews:
            first += f"Reviews on day {found[0].reviews[0]:g} and after step them down as well."
        else:
            first += "The service has no reviews."
        if found[0].seen is None:
            return [
                first,
                (
                    "The model does not say how this provider answers to money ([[responses]]), so no contract changes"
                    " how fast they step people down."
                ),
            ]
        seen = found[0].seen
        return [
            first,
            (
                f"The provider answers with eta {seen.eta:g}, looks {seen.horizon_days:g} days ahead and is"
                f" {seen.occupancy:.0%} full: assumptions, see docs/tariffs.md."
            ),
        ]


def names(cases: Sequence[Case]) -> list[str]:
    """Short names for lines and rows: the contract in force is told as such."""
    return ["as now", *(one.contract.replace("_", " ") for one in cases[1:])]


def contract_names(cases: Sequence[Case]) -> PageTable:
    """What the short names stand for."""
    return PageTable(
        "The contracts",
        ("Name", "What is paid"),
        [(name, _paid(one)) for name, one in zip(names(cases), cases, strict=True)],
        text=True,
    )


def _paid(one: Case) -> str:
    """The contract's title; one without a title that is flat is told by its price."""
    flat = (
        len(one.tariff.rates) == 1 and not one.tariff.lumps and not one.tariff.payoffs and not one.tariff.block_per_year
    )
    return f"£{one.tariff.rates[0]:,.2f} a day" if flat and one.title == one.contract else one.title


def outcomes(cases: Sequence[Case]) -> PageTable:
    """What comes of a client under each contract."""
    rows = []
    for name, one in zip(names(cases), cases, strict=True):
        found = expected_of(one)
        ever = math.isfinite(found.stay_days)
        cost = "by the year" if one.tariff.block_per_year else f"£{found.gbp:,.0f}" if ever else "no end"
        ends = tuple(f"{100 * share:.1f}%" for share in (found.by_provider, found.by_review))
        rows.append((name, f"{found.stay_days:,.1f}" if ever else "no end", cost, *ends))
    heads = ("Contract", "Expected stay, days", "Expected pay for the stay", "Stepped down by provider", "By a review")
    return PageTable("What comes of a client who could step down", heads, rows)


def tariff_json(cases: Sequence[Case]) -> list[dict[str, Any]]:
    """A row for each contract: what is expected, and what could be gamed; null for what has no end, since JSON knows no
    infinity, and for the best cycle where none earns a sum."""
    rows = []
    for one, row in zip(cases, cases_summary(cases).to_dicts(), strict=True):
        cycle = best_cycle(one.tariff)
        again, reset = reset_gain(one.tariff)
        best = (
            None if cycle is None else dict(zip(("step_down_day", "back_after_days", "gain_gbp"), cycle, strict=True))
        )
        finite = {
            name: None if isinstance(value, float) and not math.isfinite(value) else value
            for name, value in row.items()
        }
        rows.append({**finite, "best_cycle": best, "bands_anew": {"step_down_day": again, "gain_gbp": reset}})
    return rows


def gaming_table(cases: Sequence[Case]) -> PageTable:
    """The best cycle of step-down and return under each contract, and what bands that begin anew would gain."""
    rows = []
    for name, one in zip(names(cases), cases, strict=True):
        best = best_cycle(one.tariff)
        again, reset = reset_gain(one.tariff)
        cycle = "none earns a sum" if best is None else f"{_pounds(best[2])} (day {best[0]:g}, back after {best[1]:g})"
        rows.append((name, cycle, f"{_pounds(reset)} (after day {again})" if reset > 0.5 else "nothing"))
    heads = (
        "Contract",
        "Best cycle of step-down and return, gained over holding on",
        "Gained if a return begins the bands anew",
    )
    return PageTable("What could be gamed", heads, rows)


def _pounds(gbp: float) -> str:
    """Pounds with the sign before them.

    >>> _pounds(-1234.4)
    '−£1,234'
    """
    return f"{'−' if gbp < 0 else ''}£{abs(gbp):,.0f}"


def write_tariff(found: Sequence[Case], model: Model, asked: TariffRequest, out: Path, command: str) -> Path:
    """Write the folder: tariff.html, curves.csv, summary.csv and the manifest; returns the path of the page."""
    where = asked.client(found[0], model)
    curves = [curve(one, asked.days) for one in found]
    fig = incentives(list(zip(names(found), curves, strict=True)), where)
    shown = PageFigure(f"Day by day, to day {curves[0].height} of the stay", fig)
    parts: list[Part] = [shown, contract_names(found), outcomes(found), gaming_table(found)]
    text = page(f"What contracts reward: {where}", model.about.title, asked.notes(found), parts)
    named = [
        rows.select(pl.lit(one.contract).alias("contract"), pl.all()) for one, rows in zip(found, curves, strict=True)
    ]
    about = {
        "simcare": __version__,
        "model": model.about.name,
        "service": found[0].service,
        "provider": found[0].provider,
        "command": command,
    }
    with aside(out) as folder:
        (folder / "tariff.html").write_text(text, encoding="utf-8")
        pl.concat(named).write_csv(folder / "curves.csv")
        cases_summary(found).write_csv(folder / "summary.csv")
        (folder / MANIFEST).write_text(json.dumps(about, indent=1) + "\n", encoding="utf-8")
    return out / "tariff.html"
