"""Files a person wrote: what is right loads, what is wrong gets one clear line with file, path, value and near miss."""

from __future__ import annotations

import copy
import datetime as dt
import json
import tomllib
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from simcare.errors import BadInput
from simcare.files.library import find_file, library
from simcare.files.load import (
    LoadedExperiment,
    check_file,
    load_experiment,
    load_model,
    read_experiment,
    with_options,
)
from simcare.files.parsing import as_path, parse
from simcare.files.schemas import file_schema
from simcare.files.toml_faults import read_toml
from simcare.model import Model, sourced_figures
from simcare.model.overlay import apply_strategy
from simcare.model.strategy import Experiment, Goal, Strategy
from tests.support.paths import TOY

SHIPPED = [
    (folder, path.stem) for folder in ("models", "experiments") for path in sorted(library(folder).glob("*.toml"))
]


@pytest.fixture
def toy() -> dict[str, Any]:
    return tomllib.loads(TOY.read_text(encoding="utf-8"))


def put(data: dict[str, Any], path: tuple[str | int, ...], value: Any) -> dict[str, Any]:
    data = copy.deepcopy(data)
    here: Any = data
    for part in path[:-1]:
        here = here[part]
    here[path[-1]] = value
    return data


def faults(data: dict[str, Any], kind: Any = Model) -> tuple[str, ...]:
    with pytest.raises(BadInput) as caught:
        parse(kind, data, "f.toml")
    return caught.value.faults


@pytest.mark.parametrize(("folder", "name"), SHIPPED)
def test_every_shipped_file_is_valid(folder: str, name: str) -> None:
    kind, numbers, *_ = check_file(name)
    assert kind == folder.removesuffix("s")
    assert len(numbers) > 0


NUMBER = {"value": 1, "source": "assumption", "grade": "D"}
WRONG = [((
    "services", 0, "tier"), "comunity", "f.toml: services[0].tier: unknown 'comunity', did you mean 'community'?"),
    (("services", 0, "teir"), "community", "f.toml: services[0].teir: unknown key, did you mean 'tier'?"),
    (("arrivals", 0, "per_year", "value"), -2, "f.toml: arrivals[0].per_year: cannot be negative, got -2"),
    (("arrivals", 0, "per_year", "valeu"), 2,
    "f.toml: arrivals[0].per_year.valeu: unknown key, did you mean 'value'?"), (("arrivals", 0, "per_year"), 3,
    'f.toml: arrivals[0].per_year: needs a table such as { value = 3, source = "assumption", grade = "D" }, got 3'),
    (("arrivals", 0, "needs", "value"), [1],
    "f.toml: arrivals[0].needs: needs one value for each of 3 levels of need (independent, community, placement),"
    " got 1"),
    (("arrivals", 0, "needs", "value"), [0.5, 0.2, 0.2], "f.toml: arrivals[0].needs: must add to 1, they add to 0.9"),
    (("arrivals", 0, "per_year", "grade"), "E",
    "f.toml: arrivals[0].per_year.grade: unknown 'E', expected one of: A, B, C, D"), (("arrivals", 0, "per_year",
    "grade"), "B", "f.toml: arrivals[0].per_year.grade: an assumption is graded D, not B"), (("arrivals", 0,
    "per_year", "source"), "asumption",
    "f.toml: arrivals[0].per_year.source: unknown 'asumption', did you mean 'assumption'?"), (("arrivals", 0, "season",
    "value"), [1, 1], "f.toml: arrivals[0].season: has 12 factors, April first, got 2"), (("arrivals", 0, "stage"),
    "yung", "f.toml: arrivals[0].stage: unknown 'yung', did you mean 'young'?"), (("arrivals", 0, "area"), "nroth",
    "f.toml: arrivals[0].area: unknown 'nroth', did you mean 'north'?"), (("stages", 0, "to_age"), 17,
    "f.toml: stages[1].from_age: gap between 'young' (to 17) and 'adult' (from 18)"), (("stages", 0, "to_age"), 19,
    "f.toml: stages[1].from_age: 'adult' (from 18) overlaps 'young' (to 19)"), (("stages", 1, "to_age"), 90,
    "f.toml: stages[1].to_age: the last stage must have no to_age: people grow older than that"), (("clocks", 0,
    "clock"), "ris", "f.toml: clocks[0].clock: unknown 'ris', did you mean 'rise'?"), (("clocks", 0, "per_year",
    "value"), [0.5, -1], "f.toml: clocks[0].per_year: cannot be negative, got -1"), (("clocks", 0, "needs"),
    ["independent", "placement"],
    "f.toml: clocks[0].needs: need cannot rise by 1 from 'placement': the highest level of need is 'placement'"),
    (("clocks", 8, "shape"), None, "f.toml: clocks[8]: family 'weibull' needs shape"), (
    ("contracts", 0, "terms", 0, "gbp_per_day"),
    NUMBER, "f.toml: contracts[0].terms[0]: give gbp_per_day or gbp_per_week, one of them"), (("providers", 0,
    "offers", 0, "contract"), "cheep",
    "f.toml: providers[0].offers[0].contract: unknown 'cheep', did you mean 'cheap'?"), (("caseload", 0, "count",
    "value"), 2.5, "f.toml: caseload[0].count: is a whole number of people, got 2.5"), (("caseload", 0, "service"),
    "care_home", "f.toml: caseload[0].ages: reach outside the ages of 'care_home'"), (("services", 0,
    "short_term_days"), NUMBER, "f.toml: services[0]: 'plan' has short_term_days, but its tier is not short-term"),
    (("services", 0, "name"), "care_home", "f.toml: services[2].name: 'care_home' is already defined"), (("handovers",
    0, "keeps_need", "value"), 1.4, "f.toml: handovers[0].keeps_need: is a share from 0 to 1, got 1.4"), (("arrivals",
    2, "growth_per_year", "value"), -2,
    "f.toml: arrivals[2].growth_per_year: is a rate of change a year from -0.5 to 1, got -2"), (("arrivals", 0,
    "season", "value"), [0] * 12,
    "f.toml: arrivals[0].season: factors must average 1, so that per_year is what comes in a year; they average 0"),
    (("arrivals", 0, "per_year", "value"), "400",
    "f.toml: arrivals[0].per_year.value: should be a number, got '400'; write 400 without quotation marks"),
    (("arrivals", 0, "per_year", "value"), True, "f.toml: arrivals[0].per_year.value: should be a number, got true"),
    (("arrivals", 0, "area"), None,
    "f.toml: arrivals[0].area: is required: the model has 2 areas"), (("caseload", 0, "count", "value"), 1e15,
    "f.toml: caseload[0].count: is at most 10,000,000 people, got 1e+15"), (("services", 0, "review_every_days",
    "value"), 0.001, "f.toml: services[0].review_every_days: must be a day or more, got 0.001"), (("about", "areas"),
    ["north", "south", "north"], "f.toml: about.areas[2]: 'north' is already defined"), (("about", "name"), "../x",
    "f.toml: about.name: names a folder of results: letters, digits, spaces and . _ - only, got '../x'"), (("prices",
    "base_year"), "2012/99", "f.toml: prices: base_year '2012/99' is not a financial year such as 2012/13"),
    (("prices", "discount", 0, "per_year", "value"), -2,
    "f.toml: prices.discount[0].per_year: is a rate of change a year from -0.5 to 1, got -2"), (("abuot", ), {},
    "f.toml: abuot: unknown key, did you mean 'about'?"), (("about", "start"), "soon",
    "f.toml: about.start: should be a date such as 2013-04-01, got 'soon'"),
]  # fmt: skip


@pytest.mark.parametrize(("path", "value", "line"), WRONG, ids=[line.split(": ")[1] for _, _, line in WRONG])
def test_what_is_wrong_gets_one_clear_line(
    toy: dict[str, Any], path: tuple[str | int, ...], value: Any, line: str
) -> None:
    assert faults(put(toy, path, value))[0] == line


def test_a_service_with_no_tier_is_one_line(toy: dict[str, Any]) -> None:
    del toy["services"][0]["tier"]
    assert faults(toy) == ("f.toml: services[0].tier: is required",)


def test_an_overlap_of_clocks_names_both_rows(toy: dict[str, Any]) -> None:
    toy["clocks"].append(copy.deepcopy(toy["clocks"][0]))
    assert faults(toy) == (
        f"f.toml: clocks[{len(toy['clocks']) - 1}]: rise for young, general, independent is already given in clocks[0]",
    )


def test_a_step_down_rate_for_all_services_and_one_for_some_overlap(toy: dict[str, Any]) -> None:
    row = next(clock for clock in toy["clocks"] if clock["clock"] == "step_down")
    toy["clocks"].append({**row, "services": ["care_home"]})
    assert "is already given in clocks[" in faults(toy)[0]


def test_dated_values_keep_their_order_and_path(toy: dict[str, Any]) -> None:
    dated = [NUMBER, {**NUMBER, "from": "2014-04-01"}, {**NUMBER, "from": "2013-04-01"}]
    assert faults(put(toy, ("arrivals", 0, "per_year"), dated)) == (
        "f.toml: arrivals[0].per_year: dated values must be in order of their 'from' dates",
    )
    dated[1]["valeu"] = 3
    assert faults(put(toy, ("arrivals", 0, "per_year"), dated)) == (
        "f.toml: arrivals[0].per_year[1].valeu: unknown key, did you mean 'value'?",
    )


def test_truncated_and_wrongly_encoded_files(tmp_path: Path) -> None:
    whole = TOY.read_bytes()
    short, latin, folder = tmp_path / "short.toml", tmp_path / "latin.toml", tmp_path / "folder.toml"
    short.write_bytes(whole[: len(whole) // 2 - 3])
    latin.write_bytes(whole.replace(b"A small council", "Canterbury caf\xe9".encode("latin-1")))
    folder.mkdir()
    for path, words in (
        (short, "is not complete, valid TOML"),
        (latin, "is not UTF-8 text"),
        (folder, "is a folder"),
        (tmp_path / "no.toml", "no such file"),
    ):
        with pytest.raises(BadInput) as caught:
            load_model(path)
        assert len(caught.value.faults) == 1
        assert words in str(caught.value)
        assert str(path) in str(caught.value)


def test_a_name_not_in_the_library_has_a_near_miss() -> None:
    with pytest.raises(BadInput, match="unknown 'kent-2014', did you mean 'kent-2013'"):
        load_model("kent-2014")


WRONG_STRATEGIES = [((
    "effects", 0, "stages"), ["0-12"], "effects[0].stages[0]: unknown '0-12', did you mean '0-11'?"), (("changes", ),
    [{"path": "services.hoem_care.review_every_days", "to": NUMBER}], "changes[0].path: unknown 'hoem_care'"),
    (("changes", ), [{"path": "front_door.older people.step_up_fist", "to": NUMBER}],
    "changes[0].path: unknown 'step_up_fist', did you mean 'step_up_first'?", ), (("changes", ),
    [{"path": "front_door.older people.step_up_first", "to": {**NUMBER, "value": 1.5}}],
    "changes[0].to: is a share from 0 to 1, got 1.5", ), (("start", ), "2104-04-01",
    "start: 2104-04-01 is not before the end of the run"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("path", "value", "line"), WRONG_STRATEGIES, ids=[line[:30] for _, _, line in WRONG_STRATEGIES]
)
def test_a_strategy_that_cannot_be(tmp_path: Path, path: tuple[str | int, ...], value: Any, line: str) -> None:
    data = tomllib.loads(find_file("prevention", "experiments").read_text(encoding="utf-8"))
    strategy = next(k for k, s in enumerate(data["strategies"]) if s.get("effects"))
    file = tmp_path / "bad.toml"
    file.write_text(as_toml(put(data, ("strategies", strategy, *path), value)), encoding="utf-8")
    with pytest.raises(BadInput) as caught:
        load_experiment(file)
    assert str(caught.value).startswith(f"{file}: strategies[{strategy}].{line}")


def test_an_effect_on_a_clock_that_the_model_lacks_is_refused() -> None:
    model = load_model("mm-infinity")
    with pytest.raises(BadInput, match="the model has no 'induced' clock"):
        apply_strategy(
            model,
            Strategy.model_validate(
                {"name": "s", "title": "S", "start": "2013-05-01", "effects": [{"on": "induced", "multiply": NUMBER}]}
            ),
        )


def test_a_change_at_the_date_of_a_dated_value(toy: dict[str, Any]) -> None:
    """A series whose first value is dated, changed on that very day: the new value holds from then, the old one
    before."""
    dated = put(toy, ("services", 0, "review_every_days"), [{**NUMBER, "value": 365, "from": "2014-04-01"}])
    change = {"path": "services.plan.review_every_days", "to": {**NUMBER, "value": 91}}
    strategy = Strategy.model_validate({"name": "s", "title": "S", "start": "2014-04-01", "changes": [change]})
    series = apply_strategy(parse(Model, dated, "f.toml"), strategy).services[0].review_every_days
    assert series is not None
    assert (series.at(dt.date(2014, 3, 31)), series.at(dt.date(2014, 4, 1))) == (365, 91)


def as_toml(value: Any, top: bool = True) -> str:
    """Just enough TOML to write a changed experiment back."""
    if isinstance(value, dict):
        body = [f"{json.dumps(k)} = {as_toml(v, False)}" for k, v in value.items() if v is not None]
        return "\n".join(body) if top else "{ " + ", ".join(body) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(as_toml(v, False) for v in value) + "]"
    return json.dumps(value) if isinstance(value, (str, bool, int, float)) else str(value)


def test_models_are_frozen(toy: dict[str, Any]) -> None:
    model = parse(Model, toy, "f.toml")
    with pytest.raises(ValidationError):
        model.about.title = "Other"
    before = model.model_dump()
    assert model.model_dump() == before


def test_figures_walks_every_sourced_number(toy: dict[str, Any]) -> None:
    def count(value: Any) -> int:
        if isinstance(value, dict):
            return ("source" in value and "grade" in value) + sum(count(v) for v in value.values())
        return sum(count(v) for v in value) if isinstance(value, list) else 0

    listed = list(sourced_figures(parse(Model, toy, "f.toml")))
    assert len(listed) == count(toy)
    assert {f.path for f in listed} >= {
        "services[plan].first_review_days",
        "arrivals[north young].per_year",
        "front_door[all].diverted",
    }


def test_schemas_name_every_part() -> None:
    model = file_schema("model")
    assert set(model["properties"]) == {"extends", *Model.model_fields}
    assert model["additionalProperties"] is False
    assert set(file_schema("experiment")["properties"]) == set(Experiment.model_fields)
    with pytest.raises(BadInput, match="did you mean 'model'"):
        file_schema("modle")


def test_paths_read_as_a_person_would_write_them() -> None:
    data = {"arrivals": [{"per_year": {"value": 1}}, {"per_year": [{"value": 1}, {}]}]}
    assert as_path(("arrivals", 0, "per_year", "steps", 0, "value"), data) == "arrivals[0].per_year.value"
    assert as_path(("arrivals", 1, "per_year", "steps", 1, "value"), data) == "arrivals[1].per_year[1].value"
    assert read_toml(TOY)["about"]["name"] == "toy"


TARGETED = """
name = "e"
title = "E"
model = "mm-infinity"
years = 1
{more}
[shrinkage]
A = {{ value = 1, source = "assumption", grade = "D" }}
B = {{ value = 1, source = "assumption", grade = "D" }}
C = {{ value = 1, source = "assumption", grade = "D" }}
D = {{ value = 1, source = "assumption", grade = "D" }}
[[strategies]]
name = "s"
title = "S"
start = 2013-06-01
"""


def experiment_file(folder: Path, more: str) -> Path:
    path = folder / "e.toml"
    path.write_text(TARGETED.format(more=more), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("more", "count"),
    [("", 100), ("precision = 0.125", 64), ("most_replications = 70", 70), ("replications = 5", 5)],
)
def test_a_file_without_replications_has_as_many_as_its_precision_asks_for(
    tmp_path: Path, more: str, count: int
) -> None:
    found = read_experiment(experiment_file(tmp_path, more))
    assert found.experiment.replications == count
    assert with_options(found, precision=0.125).replications == 64
    assert with_options(found, replications=7, precision=0.125).replications == 7
    most = found.experiment.most_replications
    assert with_options(found, precision=0.01).replications == most
    with pytest.raises(BadInput, match="e: precision: "):
        with_options(found, precision=0.0)


def test_a_target_is_of_a_measure_that_a_comparison_adds_up(tmp_path: Path) -> None:
    path = experiment_file(tmp_path, 'target = { measure = "cost_council", at_most = -1e6 }')
    target = load_experiment(path)[0].target
    assert target is not None
    assert (target.measure, target.at_most, target.at_least) == ("cost_council", -1e6, None)
    for measure, said in (
        ("cost_counsil", "target.measure: unknown 'cost_counsil', did you mean 'cost_council'?"),
        ("caseload", "target.measure: unknown 'caseload', "),
    ):
        bad = experiment_file(tmp_path, f'target = {{ measure = "{measure}", at_most = 0 }}')
        for read in (load_experiment, check_file):
            with pytest.raises(BadInput) as refused:
                read(bad)
            (fault,) = refused.value.faults
            assert fault.startswith(f"{bad}: {said}")


def test_a_target_of_no_measure_is_refused_of_a_value_too(tmp_path: Path) -> None:
    found = read_experiment(experiment_file(tmp_path, ""))
    wrong = found.experiment.model_copy(update={"target": Goal(measure="cst", at_most=0)})
    with pytest.raises(BadInput, match=r"e: target\.measure: unknown 'cst', did you mean 'cost'\?"):
        with_options(LoadedExperiment.of(wrong, found.model))
