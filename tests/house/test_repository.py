"""What is committed: nothing of the machine it was written on, every package pinned."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

from tests.support.paths import ROOT, in_repository


def repository_files() -> list[Path]:
    """Every file that is, or could be, committed; nothing where this is not a git checkout."""
    if not (ROOT / ".git").exists():
        return []
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\0")
    return [ROOT / name for name in names if name and (ROOT / name).is_file()]


# Written in two parts, so that this file does not hold what it forbids.
FORBIDDEN = {
    "a path on somebody's machine": re.compile(r"(?<![\w.:/-])/" + r"(?:work|root|home/\w+|Users/\w+|opt|tmp/\w+)/"),
    "the address of a package registry": re.compile(
        r"(?:pypi|files\.pythonhosted|registry\.npmjs|deb\.debian|proxy\.golang)" + r"\.org", re.IGNORECASE
    ),
    "an index address": re.compile(r"(?m)^\s*--?(?:extra-)?(?:index" + r"-url|find-links)"),
}


@pytest.mark.parametrize("what", FORBIDDEN)
def test_files_hold_nothing_of_the_machine_they_were_written_on(what: str) -> None:
    files = repository_files()
    if not files:
        pytest.skip("not a git checkout")
    found = []
    for path in files:
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        found += [f"{in_repository(path)}: {match.group()}" for match in FORBIDDEN[what].finditer(text)]
    assert found == []


def test_constraints_pin_every_package_that_is_asked_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    asked = [
        *project["project"]["dependencies"],
        *project["project"]["optional-dependencies"]["dev"],
        *project["build-system"]["requires"],
    ]
    lines = [
        line
        for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
        if line and not line.startswith("#")
    ]
    assert all(re.fullmatch(r"[a-z0-9-]+==[\w.]+", line) for line in lines)
    pinned = {line.partition("==")[0] for line in lines}
    assert {re.split(r"[><=!~\[ ]", name, maxsplit=1)[0] for name in asked} <= pinned


@pytest.mark.xdist_group("house")
def test_a_group_of_tests_stays_with_one_worker(request: pytest.FixtureRequest) -> None:
    """pytest-xdist 3.8 does not see groups under pytest 9.2: everything that tests share would be made once on every
    worker."""
    if getattr(request.config.option, "loadgroup", False):
        assert request.node.nodeid.endswith("@house")
