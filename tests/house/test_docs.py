"""Everything that a user may call is named in docs/."""

from __future__ import annotations

import re

import pytest
import typer

import simcare
from simcare.cli import app
from tests.support.paths import ROOT

PAGES = "\n".join(path.read_text(encoding="utf-8") for path in sorted((ROOT / "docs").glob("*.md")))
VERBS = sorted(typer.main.get_command(app).commands)  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", simcare.__all__)
def test_every_public_name_is_in_the_documentation(name: str) -> None:
    assert re.search(rf"simcare\.{name}\b|`{name}[`(]", PAGES), f"no page of docs/ names simcare.{name}"


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_is_in_the_documentation(verb: str) -> None:
    assert re.search(rf"simcare {verb}\b", PAGES), f"no page of docs/ names `simcare {verb}`"
