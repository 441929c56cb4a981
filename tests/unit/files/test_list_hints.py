"""What is added to a fault on a name: where all names are listed, and which shipped file has it."""

from __future__ import annotations

from pathlib import Path

import pytest

from simcare.errors import BadInput
from simcare.files.list_hints import with_hints
from simcare.files.load import load_experiment, load_model
from tests.support.paths import ROOT

EXPERIMENT = """
name = "x"
title = "x"
model = "{model}"
years = 3
replications = 2
[shrinkage]
A = {{ value = 1, source = "assumption", grade = "D" }}
B = {{ value = 1, source = "assumption", grade = "D" }}
C = {{ value = 1, source = "assumption", grade = "D" }}
D = {{ value = 1, source = "assumption", grade = "D" }}
[[strategies]]
name = "s"
title = "s"
start = 2014-04-01
{strategy}
"""


def faults(folder: Path, strategy: str, model: str = "kent-2013") -> tuple[str, ...]:
    """What is wrong with an experiment of one strategy."""
    path = folder / "x.toml"
    path.write_text(EXPERIMENT.format(model=model, strategy=strategy), encoding="utf-8")
    with pytest.raises(BadInput) as caught:
        load_experiment(path)
    return tuple(fault.partition("x.toml: ")[2] for fault in caught.value.faults)


def to(path: str) -> str:
    return f'[[strategies.changes]]\npath = "{path}"\nto = {{ value = 1, source = "assumption", grade = "D" }}\n'


def test_the_first_fault_on_names_of_a_kind_says_where_they_are_listed(tmp_path: Path) -> None:
    strategy = to("services.foster_car.review_every_days") + to("services.foster_cares.review_every_days")
    strategy += '[[strategies.contracts]]\nservice = "foster_car"\ncontract = "family_support_council"\n'
    first, second, third = faults(tmp_path, strategy)
    assert first.endswith("did you mean 'foster_care'? simcare list kent-2013 paths lists them all")
    assert second.endswith("did you mean 'foster_care'?")
    assert third.endswith("did you mean 'foster_care'? simcare list kent-2013 services lists them all")


def test_what_no_row_of_the_model_has_is_in_a_shipped_model(tmp_path: Path) -> None:
    (fault,) = faults(tmp_path, to("teams.adult assessors.hours_per_week"))
    assert "none is defined; the shipped model kent-2013-limits has it" in fault
    (fault,) = faults(tmp_path, to("teams.social workers.hours_per_week"))
    assert "none is defined; the shipped models desk, kent-2013-limits have teams" in fault


def test_a_contract_of_a_shipped_experiment_is_found(tmp_path: Path) -> None:
    strategy = '[[strategies.contracts]]\nservice = "foster_care"\ncontract = "taper"\n'
    (fault,) = faults(tmp_path, strategy)
    assert "; the shipped experiment tiered-tariffs has it; simcare list kent-2013 contracts lists them all" in fault


def test_a_provider_of_another_shipped_model_is_found(tmp_path: Path) -> None:
    (fault,) = faults(tmp_path, 'failures = ["care_homes"]', model="mm-infinity")
    assert "; the shipped models kent-2013" in fault
    (fault,) = faults(tmp_path, 'failures = ["qqq"]')
    assert "the shipped" not in fault
    assert fault.endswith("simcare list kent-2013 providers lists them all")


def test_a_model_that_names_a_driver_and_has_none_is_told_where_there_are_some(tmp_path: Path) -> None:
    text = (ROOT / "models" / "mm-infinity.toml").read_text(encoding="utf-8")
    path = tmp_path / "mine.toml"
    path.write_text(text.replace("[[arrivals]]", '[[arrivals]]\ndriver = "referrals"', 1), encoding="utf-8")
    with pytest.raises(BadInput) as caught:
        load_model(path)
    assert "unknown 'referrals', none is defined; the shipped models kent-2013" in str(caught.value)
    assert "lists them all" not in str(caught.value)  # the file itself cannot be listed


def test_a_fault_of_another_kind_is_left_as_it_is() -> None:
    others = ["x.toml: years: must be above 0, got 0", "x.toml: titel: unknown key, did you mean 'title'?"]
    assert with_hints(others, "kent-2013") == others


def test_a_name_of_several_words_stands_in_quotation_marks() -> None:
    (told,) = with_hints(["stage: unknown 'x', expected one of: young, old"], "my model.toml")
    assert told.endswith('; simcare list "my model.toml" stages lists them all')
