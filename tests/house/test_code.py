"""What may import what, what starts fast, and who talks to the terminal."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.paths import ROOT, in_repository

MODULES = sorted((ROOT / "simcare").rglob("*.py"))


def test_imports_run_one_way() -> None:
    lint = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([lint, "--no-logo", "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_import_simcare_loads_nothing_heavy() -> None:
    script = "import sys, simcare; print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert "simcare" in loaded
    heavy = {
        "joblib",
        "numba",
        "numpy",
        "pandas",
        "plotly",
        "polars",
        "pydantic",
        "rich",
        "scipy",
        "simpy",
        "statsmodels",
        "typer",
    }
    assert not loaded & heavy


def terminal_uses(tree: ast.AST) -> Iterator[str]:
    """What in a module talks to the terminal or reads its arguments, with the line."""
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id in {"print", "input", "breakpoint"}
        ):
            yield f"line {node.lineno}: {node.func.id}("
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "sys":
            if node.attr in {"argv", "exit", "stdin", "stdout", "stderr"}:
                yield f"line {node.lineno}: sys.{node.attr}"
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names = {alias.name for alias in node.names} if isinstance(node, ast.Import) else {node.module}
            yield from (
                f"line {node.lineno}: import {name}" for name in sorted(names & {"argparse", "getpass", "click"})
            )


def test_terminal_uses_are_found() -> None:
    code = "import argparse, sys\ndef f():\n    print(sys.argv)\n    'print(x)'"
    assert sorted(terminal_uses(ast.parse(code))) == ["line 1: import argparse", "line 3: print(", "line 3: sys.argv"]


@pytest.mark.parametrize(
    "path", [p for p in MODULES if not in_repository(p).startswith("simcare/cli/")], ids=in_repository
)
def test_only_the_command_line_prints_or_parses_arguments(path: Path) -> None:
    assert list(terminal_uses(ast.parse(path.read_text(encoding="utf-8")))) == []
