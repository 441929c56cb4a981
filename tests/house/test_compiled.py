"""The cache of compiled rules is named after every file that it rests on, so that it is never out of date."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from simcare.rules.compile import COMPILED, PACKAGE, compiled_files
from tests.support.paths import in_repository

ASKS = "is_compiled"  # whether anything is compiled yet: whoever imports only this compiles nothing


def compiles(path: Path) -> bool:
    """Whether a module imports what compiles functions."""
    return any(
        isinstance(node, ast.ImportFrom)
        and node.module == "simcare.rules.compile"
        and {alias.name for alias in node.names} != {ASKS}
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    )


@pytest.mark.parametrize("path", sorted(filter(compiles, PACKAGE.rglob("*.py"))), ids=in_repository)
def test_every_file_with_compiled_functions_is_in_the_digest(path: Path) -> None:
    assert path in compiled_files()


@pytest.mark.parametrize("pattern", COMPILED)
def test_every_pattern_of_compiled_files_finds_some(pattern: str) -> None:
    assert any(compiles(path) for path in PACKAGE.glob(pattern))
