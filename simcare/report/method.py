"""The report's section on method: what was run, what the intervals mean, and how to get the same figures again."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from simcare.model.model import Model
from simcare.report import wording
from simcare.report.frames import Frames
from simcare.report.page import Block, Facts, Section, Text
from simcare.report.summaries import demand_is_known


def method_section(frames: Frames) -> Section:
    """What was run, what the numbers mean, and what it takes to get them again."""
    given = frames.given
    sources = _sources(frames)
    blocks: list[Block | Section] = [
        Text(_run(frames)),
        Section("What the intervals mean", [Text(_intervals(frames), "list")]),
        Section("What they do not include", [Text(_not_included(frames), "list")]),
        Section("Money over time", [Text(prices(given.model), "list")]),
        Section("To get the same figures again", [Facts(facts(given.manifest))]),
        *([Section("Sources", [Text(sources, "list")])] if sources else []),
    ]
    return Section("Method", blocks, key="method", contents="Method")


def _compared(frames: Frames) -> bool:
    return frames.given.experiment is not None and frames.given.differences is not None


def _fitted(frames: Frames) -> bool:
    return "fit" in frames.given.manifest


def _moved(frames: Frames) -> str:
    """The rates that differ from replication to replication; empty where none does."""
    if "unknowns" in frames.given.manifest:
        return "those that are said to be unknown"
    return "those that the fit moves" if _fitted(frames) else ""


def _run(frames: Frames) -> list[str]:
    start = wording.date(frames.given.model.about.start)
    drawn = f", {_moved(frames)} multiplied or replaced by what each replication draws" if _moved(frames) else ""
    paired = (
        "; in each replication every strategy meets the same simulated people and the same chance events as the"
        " baseline, so that the difference between them is what the strategy did"
        if _compared(frames)
        else ""
    )
    return [
        (
            f"simcare follows each person, one at a time, from {start} through the tiers of care: need rises and falls,"
            " people come forward, are assessed, placed, reviewed, stepped up and stepped down, until their case is"
            f" closed, they move away or die. Chance decides by the rates listed above{drawn}. The whole is repeated"
            f" {frames.setting.replications} times{paired}."
        )
    ]


def _intervals(frames: Frames) -> list[str]:
    """What each kind of interval says."""
    runs, compared = frames.setting.replications, _compared(frames)
    said = _intervals_of_differences(runs, _what_is_drawn(frames)) if compared else []
    if demand_is_known(frames.measures):
        said.append(_item(
            "Demand's part",
            "where nine in ten replications would lie if only the paths of demand were uncertain. It is what of a total"
            f" goes with the mean of the path over the whole period (least squares over {runs} replications), so a"
            " lower bound in single years and rough from few replications; the rest is the chance events of single"
            " lives, and effects. Demand without a driver is taken as certain."
        ))  # fmt: skip
    alone = ", for one strategy at a time" if compared else ""
    drawn = f", each with a draw of its own of {_moved(frames)}" if _moved(frames) else ""
    return [*said, _item("Ranges of caseload and cost", f"{frames.setting.range_words} of the model{alone}{drawn}.")]


def _intervals_of_differences(runs: int, drawn: Sequence[str]) -> list[str]:
    return [
        _item(
            "90% prediction interval of a difference",
            f"nine in ten simulated futures lie there, by the {runs} replications that were run: over"
            f" {wording.listed(drawn)}. More replications do not narrow it; only knowing more would.",
        ),
        _item(
            "Monte Carlo error",
            f"how exactly {runs} replications fix the average of the model, as a standard error. More replications"
            " narrow it. It is not the uncertainty of an answer.",
        ),
        _item(
            "Likely",
            "a share of simulated futures: almost certain from 99 in 100, very likely from nine in ten, likely from two"
            " in three; below that no direction is named.",
        ),
    ]


def _what_is_drawn(frames: Frames) -> list[str]:
    """What differs from future to future."""
    entry = frames.given.manifest.get("unknowns")
    rows = [f"the {entry['rows']} rows of what is not known of the model"] if entry else []
    fit = ["the parameters of the fit"] if _fitted(frames) and not rows else []
    effects = ["the size of effects that have an interval"] if _compared(frames) else []
    demand = ["the paths of demand"] if demand_is_known(frames.measures) else []
    return [*rows, *fit, *demand, *effects, "the chance events of single lives"]


def _item(name: str, meaning: str) -> Markup:
    return Markup("<strong>{}:</strong> {}").format(name, meaning)


def _not_included(frames: Frames) -> list[str]:
    held = "Those rates are held fixed."
    if "unknowns" in frames.given.manifest:
        held = "Those that are said to be unknown vary as far as is said; all other rates are held fixed."
    elif _fitted(frames):
        held = "The fit's parameters vary within what the fit found; all other rates are held fixed."
    return [
        "That the model leaves something out or has its rules wrong.",
        (
            "That a rate of the baseline (how fast need rises, how long people stay, what care costs) is not what the"
            f" table above says. {held}"
        ),
        "Changes of law, of funding or of the population that the table does not list.",
    ]


def _sources(frames: Frames) -> list[str]:
    experiment = frames.given.experiment.sources if frames.given.experiment else {}
    return list(dict.fromkeys([*frames.given.model.sources.values(), *experiment.values()]))


def prices(model: Model) -> list[str]:
    """How money over time is counted, in sentences."""
    money = model.prices
    growth, inflation = (f"{100 * rate.value:g}%" for rate in (money.growth_per_year, money.inflation_per_year))
    bands = [
        f"{100 * band.per_year.value:g}% a year" + (f" from year {band.from_year}" if band.from_year else "")
        for band in money.discount
    ]
    return [
        (
            f"Cash budget: prices of {money.base_year} raised by {growth} each 1 April after that year, as in the"
            " medium-term financial plan."
        ),
        (
            f"Constant prices: the cash budget with general inflation of {inflation} a year taken out, in"
            f" {money.base_year} prices."
        ),
        (
            f"NPV (Green Book): constant prices discounted by {', then '.join(bands)}; the first financial year is not"
            " discounted."
        ),
    ]


FACTS = {
    "simcare": "simcare version",
    "version": "simcare version",
    "experiment": "Experiment",
    "model": "Model",
    "model_sha256": "Model fingerprint (SHA-256)",
    "model_hash": "Model fingerprint",
    "request_sha256": "Fingerprint of what was asked (SHA-256)",
    "start": "Start",
    "years": "Years",
    "replications": "Replications",
    "seed": "Seed",
    "engine": "Engine",
    "workers": "Workers",
    "began": "Run began",
    "wall_seconds": "Wall time, seconds",
    "fit": "Fit",
    "strategies": "Strategies",
    "command": "Command",
}


def facts(manifest: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What it takes to get the same figures again."""
    stated = [key for key in manifest if key != "warnings"]  # which stand at the head of the page
    named = sorted(stated, key=lambda key: list(FACTS).index(key) if key in FACTS else len(FACTS))
    return [
        (FACTS.get(key, wording.title(key)), _fit_fact(manifest[key]) if key == "fit" else _fact(manifest[key]))
        for key in named
    ]


def _fact(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _fit_fact(fit: Mapping[str, Any]) -> str:
    """Which fit it was, exactly."""
    digests = f"inputs SHA-256 {fit['inputs_sha256']}, fit SHA-256 {fit['fit_sha256']}"
    cut_off = wording.date(dt.date.fromisoformat(fit["known_to"]))
    return f"{fit['name']}, information cut-off date {cut_off}, {fit['draws']} draws; {digests}"
