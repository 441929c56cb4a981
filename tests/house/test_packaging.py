"""What is in the wheel: the code and the files a commissioner copies, and nothing that stays behind in the checkout."""

from __future__ import annotations

import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from tests.support.paths import ROOT

FOLDERS = ("models", "calibration", "experiments")

pytestmark = pytest.mark.xdist_group("packaging")  # one worker, so that the wheel is built once


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the source archive and the wheel built from it."""
    out = tmp_path_factory.mktemp("dist")
    done = subprocess.run(
        [sys.executable, "-m", "build", "--no-isolation", "--outdir", out, ROOT],
        capture_output=True,
        text=True,
        check=False,
        cwd=out,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return out


@pytest.fixture(scope="module")
def wheel(built: Path) -> zipfile.ZipFile:
    (path,) = built.glob("*.whl")
    return zipfile.ZipFile(path)


def test_the_wheel_carries_every_shipped_file_unchanged(wheel: zipfile.ZipFile) -> None:
    ours = [path for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*")) if path.is_file()]
    assert {"kent-2013.toml", "prevention.toml"} <= {path.name for path in ours}
    for path in ours:
        assert wheel.read(f"simcare/library/{path.relative_to(ROOT).as_posix()}") == path.read_bytes()


def test_the_wheel_carries_the_whole_package_and_nothing_else(wheel: zipfile.ZipFile) -> None:
    inside = {name for name in wheel.namelist() if not name.startswith(("simcare/library/", "simcare-"))}
    code = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "simcare").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert inside == code
    assert "simcare/py.typed" in inside


def test_the_wheel_has_the_command_and_the_licence(wheel: zipfile.ZipFile) -> None:
    (about,) = {name.partition("/")[0] for name in wheel.namelist() if ".dist-info/" in name}
    assert "simcare = simcare.cli:main" in wheel.read(f"{about}/entry_points.txt").decode()
    assert "MIT License" in wheel.read(f"{about}/licenses/LICENSE").decode()


def test_the_source_archive_can_be_tested(built: Path) -> None:
    (path,) = built.glob("*.tar.gz")
    with tarfile.open(path) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {
        "pyproject.toml",
        "constraints.txt",
        "Makefile",
        "README.md",
        "tests/house/test_packaging.py",
        "models/kent-2013.toml",
    } <= names
    assert not any(name.startswith((".venv", "runs/", ".git/")) for name in names)
