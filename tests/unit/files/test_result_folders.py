"""Which folder results go to: the same run replaces itself, another is kept."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from simcare.errors import BadInput
from simcare.files.result_folders import ResultsFolder, results_folder

ONE, OTHER = {"verb": "run", "years": 1}, {"verb": "run", "years": 2}


def finish(found: ResultsFolder, command: str = "simcare run x") -> None:
    """What a verb leaves in its folder."""
    found.path.mkdir(parents=True, exist_ok=True)
    (found.path / "manifest.json").write_text(json.dumps({"command": command, **found.entry}), encoding="utf-8")


def test_the_same_run_again_replaces_the_first_and_says_so(tmp_path: Path) -> None:
    first = results_folder(None, "x", ONE, runs=tmp_path)
    assert (first.path, first.notice) == (tmp_path / "x", "")
    finish(first)
    again = results_folder(None, "x", ONE, runs=tmp_path)
    assert again.path == first.path
    assert again.notice == f"{first.path} holds the same run; it is replaced."
    assert results_folder(first.path, "x", ONE).notice == again.notice


def test_another_run_goes_to_the_next_number_and_finds_its_own_again(tmp_path: Path) -> None:
    finish(results_folder(None, "x", ONE, runs=tmp_path), "simcare run x --years 1")
    second = results_folder(None, "x", OTHER, runs=tmp_path)
    assert second.path == tmp_path / "x-2"
    assert "holds the results of another run (simcare run x --years 1), which is kept" in second.notice
    finish(second)
    assert results_folder(None, "x", OTHER, runs=tmp_path).path == second.path
    assert results_folder(None, "x", {"verb": "compare"}, runs=tmp_path).path == tmp_path / "x-3"


def test_a_folder_that_is_named_and_holds_another_run_is_refused_unless_forced(tmp_path: Path) -> None:
    finish(results_folder(tmp_path / "mine", "x", ONE), "simcare run x --years 1")
    with pytest.raises(BadInput, match=r"holds the results of another run \(simcare run x --years 1\); give another"):
        results_folder(tmp_path / "mine", "x", OTHER)
    forced = results_folder(tmp_path / "mine", "x", OTHER, force=True)
    assert forced.path == tmp_path / "mine"
    assert forced.notice.endswith("which is replaced.")


def test_a_folder_of_an_earlier_version_counts_as_another_run(tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "manifest.json").write_text('{"seed": 1}', encoding="utf-8")
    assert results_folder(None, "x", ONE, runs=tmp_path).path == tmp_path / "x-2"


def test_files_of_ones_own_are_never_replaced_not_even_by_force(tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "letter.txt").write_text("mine", encoding="utf-8")
    assert results_folder(None, "x", ONE, runs=tmp_path).path == tmp_path / "x-2"
    with pytest.raises(BadInput, match="holds other files"):
        results_folder(tmp_path / "x", "x", ONE, force=True)
    assert results_folder(tmp_path / "new", "x", ONE).notice == ""
