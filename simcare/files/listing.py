"""What can be asked for: the files of the library, and the names and numbers of a model."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from simcare.errors import BadInput
from simcare.files.file_kinds import kind_of
from simcare.files.library import FOLDERS, find_file, is_there, library
from simcare.files.load import load_model, read_experiment
from simcare.files.shipped_examples import having, models_with_part
from simcare.files.toml_faults import read_toml
from simcare.model.model import Model
from simcare.model.nearmiss import unknown
from simcare.model.number import sourced
from simcare.model.settable import SettableNumber, clocks_touched, settable_numbers
from simcare.model.strategy import Experiment

Row = tuple[Any, ...]  # text, or the values of a number


class ListedFile(NamedTuple):
    """A file of the library: the folder, the name that verbs take, and its title."""

    folder: str
    name: str
    title: str


class ListedKind(NamedTuple):
    """A kind of thing that a model holds: the heads of its columns, and a row for each; the first is the name."""

    heads: tuple[str, ...]
    rows: Sequence[Row]


def library_files() -> list[ListedFile]:
    """Every file of the library that a verb takes by its name.

    >>> library_files()[0]
    ListedFile(folder='models', name='ageing', title='Birthdays are exact')
    """
    found = [
        ListedFile(folder, path.stem, _title(path))
        for folder in FOLDERS
        for path in sorted(library(folder).glob("*.toml"))
    ]
    series = sorted(library("calibration").glob("*-monthly.csv"))
    return [*found, *(ListedFile("series", path.stem, "monthly counts") for path in series)]


def _title(path: Path) -> str:
    """The title of a file, wherever its kind keeps it; no title where the file cannot be read."""
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return "cannot be read; simcare check says why"
    return str(tables.get("about", tables).get("title", ""))


def listed_kinds(name: str) -> dict[str, ListedKind]:
    """Everything that a model holds, kind by kind; of an experiment, its model's with what it adds, and its own.

    Raises BadInput for a name that is neither.

    >>> listed_kinds("mm-infinity")["services"].rows
    [('community_care', 'tier community', '')]
    """
    model, experiment = _read(name)
    own = (
        {} if experiment is None else {kind: _plain(getattr(experiment, kind)) for kind in ("strategies", "scenarios")}
    )
    return own | {kind: rows(model) for kind, rows in KINDS.items()}


def _read(name: str) -> tuple[Model, Experiment | None]:
    if name in KINDS:
        raise BadInput(f"{name}: is a kind of thing in a model; give the model first, as in kent-2013 {name}")
    path = next((find_file(name, f) for f in ("models", "experiments") if is_there(name, f)), None)
    if path is not None and kind_of(read_toml(path)) == "experiment":
        found = read_experiment(path)
        return found.extended, found.experiment
    return load_model(name if path is None else path), None


def listed_kind(name: str, kind: str, like: str | None = None) -> ListedKind:
    """One kind of what a model holds, those rows that hold every word of ``like``. Raises BadInput for a kind that is
    not there.

    >>> listed_kind("mm-infinity", "paths", "people a year").rows[0][0]
    'arrivals.everyone.per_year'
    """
    every = listed_kinds(name)
    if kind not in every:
        raise BadInput(f"{kind}: {unknown(kind, every)} (kinds of things in {name})")
    heads, rows = every[kind]
    words = (like or "").lower().split()
    return ListedKind(
        heads, [row for row in rows if all(word in " ".join(map(cell_text, row)).lower() for word in words)]
    )


def cell_text(cell: str | tuple[float, ...]) -> str:
    """A cell of a list as it is read.

    >>> cell_text((17885.0, 0.5))
    '17,885, 0.5'
    """
    return cell if isinstance(cell, str) else ", ".join(f"{value:,.10g}" for value in cell)


def nothing_listed(name: str, kind: str, like: str | None = None) -> str:
    """A sentence where a list is empty, with the shipped models that have what this one has not."""
    if like:
        return f"{name}: nothing among its {kind} says '{like}'"
    shipped = models_with_part(kind)
    return f"{name} has no {kind}" + (f"; {having(shipped)} some" if shipped else "")


# ---- the kinds
def _plain(rows: Sequence[Any]) -> ListedKind:
    """Rows by name and title."""
    return ListedKind(("Name", "Title"), [(row.name or "", getattr(row, "title", None) or "") for row in rows])


def _named(part: str) -> Callable[[Model], ListedKind]:
    return lambda model: _plain([row for row in getattr(model, part) if row.name is not None])


def _words(key: str, values: Sequence[str] | str | None) -> str:
    """A key with what it holds; nothing where it holds nothing."""
    if not values:
        return ""
    return f"{key} {values if isinstance(values, str) else ', '.join(values)}"


def _joined(*parts: str) -> str:
    return "; ".join(part for part in parts if part)


def _services(model: Model) -> ListedKind:
    rows = [(s.name, _joined(f"tier {s.tier}", _words("groups", s.groups)), s.title or "") for s in model.services]
    return ListedKind(("Name", "For", "Title"), rows)


def _stages(model: Model) -> ListedKind:
    def ages(stage: Any) -> str:
        return f"{stage.from_age:g} and over" if stage.to_age is None else f"{stage.from_age:g} to {stage.to_age:g}"

    return ListedKind(("Name", "Ages"), [(stage.name, ages(stage)) for stage in model.stages])


def _tiers(model: Model) -> ListedKind:
    return ListedKind(
        ("Name", "Title"), [(t.name, t.title or ("short-term" if t.short_term else "")) for t in model.tiers]
    )


def _contracts(model: Model) -> ListedKind:
    def rows() -> Iterator[Row]:
        offers = [offer for provider in model.providers for offer in provider.offers]
        for contract in model.contracts:
            used = list(dict.fromkeys(offer.service for offer in offers if contract.name in offer.contracts))
            yield contract.name, ", ".join(term.kind for term in contract.terms), ", ".join(used), contract.title or ""

    return ListedKind(("Name", "Terms", "Pays for", "Title"), list(rows()))


def _offers(model: Model) -> ListedKind:
    rows = [
        (p.name, o.service, o.area or "", o.contract_at(model.about.start)) for p in model.providers for o in p.offers
    ]
    return ListedKind(("Provider", "Service", "Area", "Contract"), rows)


def _providers(model: Model) -> ListedKind:
    def offered(provider: Any) -> str:
        return ", ".join(dict.fromkeys(offer.service for offer in provider.offers))

    return ListedKind(("Name", "Owner", "Offers"), [(p.name, p.owner, offered(p)) for p in model.providers])


def _people(part: str) -> Callable[[Model], ListedKind]:
    return lambda model: ListedKind(
        ("Name", "Stage", "Group"), [(row.name, row.stage, row.group) for row in getattr(model, part)]
    )


def _drivers(model: Model) -> ListedKind:
    return ListedKind(("Name", "Series", "Area"), [(d.name, d.series, d.area or "") for d in model.drivers])


def _sources(model: Model) -> ListedKind:
    count: dict[str, int] = {}
    for _, number in sourced(model):
        count[number.source] = count.get(number.source, 0) + 1
    rows = [(key, str(count.get(key, 0)), text) for key, text in model.sources.items()]
    rows += [("assumption", str(count["assumption"]), "no published evidence")] if "assumption" in count else []
    return ListedKind(("Key", "Numbers", "Source"), rows)


def _numbers(numbers: Sequence[SettableNumber], head: str) -> ListedKind:
    rows = [(n.path, n.value, n.unit, n.source, n.grade, n.changed_by) for n in numbers]
    return ListedKind((head, "Value on day 0", "Unit", "Source", "Grade", "What may change it"), rows)


KINDS: Mapping[str, Callable[[Model], ListedKind]] = {
    "areas": lambda model: ListedKind(("Name",), [(area,) for area in model.about.areas]),
    "tiers": _tiers,
    "needs": lambda model: ListedKind(("Name",), [(level,) for level in model.need_levels]),
    "stages": _stages,
    "groups": _named("groups"),
    "services": _services,
    "contracts": _contracts,
    "providers": _providers,
    "offers": _offers,
    "teams": _named("teams"),
    "hospitals": _named("hospitals"),
    "need": _named("need"),
    "front_door": _named("front_door"),
    "handovers": _named("handovers"),
    "drivers": _drivers,
    "arrivals": _people("arrivals"),
    "caseload": _people("caseload"),
    "responses": _named("responses"),
    "voluntary": _named("voluntary"),
    "clocks": lambda model: _numbers(list(clocks_touched(model)), "Clock"),
    "paths": lambda model: _numbers([*settable_numbers(model), *clocks_touched(model)], "Path"),
    "sources": _sources,
}
ABOUT = {  # what a kind is, for who does not know the word
    "areas": "districts",
    "tiers": "levels of care; independence is the first",
    "needs": "levels of need",
    "stages": "life stages",
    "groups": "client groups",
    "services": "care that people are in",
    "contracts": "what the council pays",
    "providers": "who runs the services",
    "offers": "a service at a provider",
    "teams": "assessment-team capacity",
    "hospitals": "crises by way of hospital",
    "need": "how need responds to care",
    "front_door": "how a referral is met",
    "handovers": "what a birthday changes",
    "drivers": "series that arrivals follow",
    "arrivals": "people who come, by stratum",
    "caseload": "people in care on day 0",
    "responses": "how providers answer to money",
    "voluntary": "front-door prevention",
    "clocks": "what an effect multiplies",
    "paths": "every number that a strategy may change, with today's value",
    "sources": "where numbers come from",
    "strategies": "what is compared with the baseline",
    "scenarios": "other assumptions under which all is compared again",
}

__all__ = [
    *("ABOUT", "KINDS", "ListedFile", "ListedKind", "library_files", "listed_kinds", "listed_kind"),
    *("cell_text", "nothing_listed"),
]
