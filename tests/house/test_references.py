"""What a docstring points to exists: a reader who follows a reference finds something."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.paths import ROOT, in_repository

REFERENCE = re.compile(r":(?:func|class|data|meth|attr|mod):`~?([\w.]+)`|``(simcare(?:\.\w+)+)``")
TREES = {path: ast.parse(path.read_text(encoding="utf-8")) for path in sorted((ROOT / "simcare").rglob("*.py"))}


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def bound(body: list[ast.stmt]) -> Iterator[str]:
    """The names that statements bind, those of a class with the class before them."""
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node.name
        if isinstance(node, ast.ClassDef):
            yield from (f"{node.name}.{name}" for name in bound(node.body))
        elif isinstance(node, ast.Import | ast.ImportFrom):
            yield from (alias.asname or alias.name for alias in node.names)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            yield from (name.id for target in targets for name in ast.walk(target) if isinstance(name, ast.Name))
        elif isinstance(node, ast.If | ast.Try):
            yield from bound(node.body)


NAMES = {module_name(path): set(bound(tree.body)) for path, tree in TREES.items()}


def exists(name: str, module: str, owner: str) -> bool:
    """Whether a reference in a docstring of a module (and perhaps of a class) points to something of ours."""
    if name in NAMES:
        return True
    for home in sorted(NAMES, key=len, reverse=True):
        if name.startswith(f"{home}."):
            return name.removeprefix(f"{home}.") in NAMES[home]
    return name in NAMES[module] or f"{owner}.{name}" in NAMES[module]


def documented(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Every docstring, with the class that it stands in."""
    yield "", ast.get_docstring(tree) or ""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            for inner in ast.walk(node):
                if isinstance(inner, ast.FunctionDef | ast.ClassDef):
                    yield (node.name if isinstance(node, ast.ClassDef) else ""), ast.get_docstring(inner) or ""


@pytest.mark.parametrize("path", TREES, ids=in_repository)
def test_every_reference_in_a_docstring_exists(path: Path) -> None:
    module = module_name(path)
    found = [(owner, one or two) for owner, text in documented(TREES[path]) for one, two in REFERENCE.findall(text)]
    assert [name for owner, name in found if not exists(name, module, owner)] == []


def test_a_reference_to_nothing_is_found() -> None:
    assert exists("simcare.rules.draws.uniform", "simcare", "") and exists("uniform", "simcare.rules.draws", "")
    assert exists("at", "simcare.model.number", "DatedNumber") and exists("simcare.rules", "simcare", "")
    assert not exists("simcare.rules.draws.unicorn", "simcare", "") and not exists("unicorn", "simcare.rules.draws", "")
