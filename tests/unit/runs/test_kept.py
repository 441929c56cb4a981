"""Results kept as they come: what a stop leaves, what is taken up again, and what counts as absent."""

from __future__ import annotations

import math
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from simcare.runs.kept import (
    carry_out_kept,
    clear_parts,
    count_parts,
    part_name,
    parts_beside,
    read_part,
    write_part,
)

JOBS = {part_name("half of", str(number)): number for number in range(6)}


def halved(number: int) -> dict[str, Any]:
    return {"job": number, "half": number / 2, "third": [number / 3, math.inf], "name": "Ynys Môn"}


def stopping(number: int) -> dict[str, Any]:
    if number == 4:
        raise KeyboardInterrupt
    return halved(number)


def marking(folder: Path, number: int) -> dict[str, Any]:
    (folder / str(number)).touch()
    return halved(number)


@pytest.mark.parametrize("workers", [1, 2])
def test_what_a_stop_leaves_is_taken_up_and_the_rest_carried_out(tmp_path: Path, workers: int) -> None:
    parts, run = tmp_path / "parts", tmp_path / "run"
    run.mkdir()
    with pytest.raises(KeyboardInterrupt):
        carry_out_kept(stopping, JOBS, parts, 1)
    assert count_parts(parts) == 4
    seen: list[tuple[int, int]] = []
    found = carry_out_kept(partial(marking, run), JOBS, parts, workers, lambda done, total: seen.append((done, total)))
    assert found == {name: halved(number) for name, number in JOBS.items()}
    assert list(found) == list(JOBS)
    assert seen == [(4, 6), (5, 6), (6, 6)]
    assert sorted(path.name for path in run.iterdir()) == ["4", "5"]
    assert not [path for path in parts.iterdir() if path.suffix != ".json"]
    clear_parts(parts)
    assert not parts.exists()


@pytest.mark.parametrize(
    "damage", [b"", b"{", b"[1, 2]", b"null", b'{"sha256": "0", "result": 1}', b"\xff", "digit", "cut"]
)
def test_a_damaged_part_counts_as_absent(tmp_path: Path, damage: bytes | str) -> None:
    name = part_name("a")
    write_part(tmp_path, name, halved(3))
    file = tmp_path / f"{name}.json"
    whole = file.read_bytes()
    assert read_part(tmp_path, name) == halved(3)
    if damage == "digit":
        file.write_bytes(whole.replace(b"1.5", b"1.4"))
    elif damage == "cut":
        file.write_bytes(whole[:-9])
    else:
        assert isinstance(damage, bytes)
        file.write_bytes(damage)
    assert read_part(tmp_path, name) is None
    assert read_part(tmp_path, part_name("b")) is None


def test_a_result_is_the_same_whether_kept_before_or_now(tmp_path: Path) -> None:
    """Tuples come back as lists, and whole numbers as they are, either way."""
    now = write_part(tmp_path, "x", {"pair": (1, 0.1 + 0.2), 3: None})
    assert now == read_part(tmp_path, "x") == {"pair": [1, 0.30000000000000004], "3": None}


def test_parts_are_kept_beside_the_folder_that_they_are_for(tmp_path: Path) -> None:
    assert parts_beside(tmp_path / "out") == tmp_path / ".out.parts"
    assert count_parts(parts_beside(tmp_path / "out")) == 0
