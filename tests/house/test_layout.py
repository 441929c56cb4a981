"""How the house is laid out: what scripts/house counts, how long modules and functions are, where a test stands."""

from __future__ import annotations

import ast
import importlib.machinery
import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from tests.support.paths import ROOT, in_repository

MODULES = sorted((ROOT / "simcare").rglob("*.py"))
UNIT_TESTS = sorted((ROOT / "tests" / "unit").rglob("test_*.py"))
LONGEST_MODULE = 400
KINDS = {"browser", "house", "second_reading", "shipped", "support", "theory", "unit", "verbs"}

# Functions of more than 40 lines, and why each may be.
LONG: dict[str, str] = {
    "simcare.measures.tally.__init__": "the layout of all that is counted, side by side so that a wrong row shows",
    "simcare.money.provider_accounts.accounts": "one account, line by line",
}


pytestmark = pytest.mark.xdist_group("house")  # the modules are parsed once


@pytest.fixture(scope="module")
def house() -> ModuleType:
    """The script that prints the house, as a module."""
    loader = importlib.machinery.SourceFileLoader("house", str(ROOT / "scripts" / "house"))
    spec = importlib.util.spec_from_loader("house", loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def trees(house: ModuleType) -> dict[str, ast.Module]:
    """Every module of the package, parsed."""
    found: dict[str, ast.Module] = house.modules()
    return found


def test_the_root_holds_what_every_room_needs_and_nothing_else(house: ModuleType) -> None:
    assert {path.name for path in (ROOT / "simcare").iterdir() if path.is_file()} == house.ROOT_FILES


def test_no_module_or_package_imports_another_in_a_circle(house: ModuleType, trees: dict[str, ast.Module]) -> None:
    graph = house.imports(trees)
    del graph["simcare"]  # the front door names every room, and loads none
    assert house.circles(graph) == []
    assert house.circles(house.of_packages(graph)) == []


def test_a_circle_is_found(house: ModuleType) -> None:
    graph = {"a.one": {"b.two"}, "b.two": {"c.three"}, "c.three": {"a.one"}, "d.four": {"a.one"}}
    assert house.circles(graph) == [["a.one", "b.two", "c.three"]]
    assert house.circles({"a": {"b"}, "b": set()}) == []


def test_a_name_stands_in_one_module_or_says_why_not(house: ModuleType, trees: dict[str, ast.Module]) -> None:
    shared = house.shared_names(trees)
    assert {name: homes for name, homes in shared.items() if name not in house.EXCUSED} == {}
    assert set(house.EXCUSED) <= set(shared), "an excuse that nothing needs any more"


def test_a_function_can_be_seen_at_once(house: ModuleType, trees: dict[str, ast.Module]) -> None:
    found = {name: lines for lines, name in house.long_functions(trees)}
    assert {name: lines for name, lines in found.items() if name not in LONG} == {}
    assert set(LONG) <= set(found), "an excuse that nothing needs any more"


@pytest.mark.parametrize("path", MODULES, ids=in_repository)
def test_a_module_can_be_read_in_one_sitting(path: Path) -> None:
    lines = len(path.read_text(encoding="utf-8").splitlines())
    assert lines <= LONGEST_MODULE, f"{in_repository(path)} has {lines} lines; it holds more than one thing"


def test_a_test_stands_with_its_kind() -> None:
    found = {path.relative_to(ROOT / "tests").parts[0] for path in (ROOT / "tests").rglob("*.py")}
    assert found == KINDS | {"__init__.py", "conftest.py"}


@pytest.mark.parametrize("path", UNIT_TESTS, ids=in_repository)
def test_a_unit_test_is_named_after_its_module(path: Path) -> None:
    folder = path.relative_to(ROOT / "tests" / "unit").parent
    name = path.stem.removeprefix("test_")
    of = ROOT / "simcare" / folder
    module, package = (
        of / f"{name}.py",
        of if of.name == name else of / name,
    )  # or after the package, if it tests the whole
    assert module.is_file() or (package / "__init__.py").is_file(), f"{in_repository(path)}: there is no such module"
