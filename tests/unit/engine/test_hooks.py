"""Python in the SimPy engine: told of everything, able to change places; not in the compiled engine."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import polars as pl
import pytest

from simcare import run
from simcare.engine.hooks import County, Happening
from simcare.errors import BadInput
from simcare.files.load import load_model
from tests.support.paths import ROOT, TOY_LIMITS

TOY = TOY_LIMITS


def test_a_hook_is_told_of_every_row_of_the_log() -> None:
    told: list[Happening] = []
    found = run(load_model(TOY), 1, 1, on_event=lambda happening, care: told.append(happening))
    assert found.log is not None
    assert len(told) == found.log.height
    words = [(h.client, h.time, h.event, h.cause, h.need, h.service) for h in told]
    rows = found.log.select("client", "time", pl.col("event", "cause", "need", "service").cast(pl.String)).rows()
    assert sorted(words, key=str) == sorted(rows, key=str)


def test_a_hook_that_only_looks_changes_nothing() -> None:
    model = load_model(TOY)
    quiet = run(model, 1, 1, keep_log=True)
    watched = run(model, 1, 1, keep_log=True, on_event=lambda happening, care: care.people("care_home"))
    assert quiet.log is not None and watched.log is not None
    assert quiet.log.equals(watched.log)


def test_a_process_may_change_places() -> None:
    seen: list[tuple[float, int, int]] = []

    def manager(env: Any, care: County) -> Generator[Any, Any, Any]:
        while True:
            yield env.timeout(30)
            if care.now >= 90:
                care.set_places("council", "reablement", 40)
            seen.append((care.now, care.places("council", "reablement"), care.people("reablement", "council")))

    found = run(load_model(TOY), 1, 1, processes=[manager])
    assert [places for now, places, _ in seen if now < 90] == [6, 6]
    assert {places for now, places, _ in seen if now >= 90} == {40}
    assert max(people for now, _, people in seen if now < 90) <= 6 < max(people for _, _, people in seen)
    assert found.log is not None


def test_a_hook_may_cut_places() -> None:
    def inspector(happening: Happening, care: County) -> None:
        if happening.event == "death" and care.places("homes", "care_home") > 70:
            care.set_places("homes", "care_home", 70)

    found = run(load_model(TOY), 1, 1, on_event=inspector)
    assert found.log is not None
    assert found.log.filter(pl.col("event") == "displaced").height >= 1


def test_the_compiled_engine_refuses_hooks() -> None:
    with pytest.raises(BadInput, match=r"hooks .* run in the SimPy engine"):
        run(load_model(TOY), 1, 1, engine="compiled", on_event=lambda happening, care: None)


@pytest.mark.parametrize(
    ("ask", "sentence"),
    [
        (lambda care: care.people("care_hoem"), "service: unknown 'care_hoem', did you mean 'care_home'"),
        (lambda care: care.places("council", "plan"), "the places of 'council' in 'plan' are not limited"),
        (lambda care: care.places("homes", "plan"), "'homes' does not offer 'plan'"),
        (lambda care: care.set_places("homes", "care_home", -1), "places cannot be negative"),
    ],
)
def test_a_hook_that_asks_for_what_is_not_there_is_told(ask: Any, sentence: str) -> None:
    with pytest.raises(BadInput, match=sentence):
        run(load_model(TOY), 1, 1, on_event=lambda happening, care: ask(care))


def test_the_example_of_the_documentation_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    root = ROOT
    blocks = (root / "docs" / "model.md").read_text(encoding="utf-8").split("```python\n")[1:]
    (example,) = [block.split("```")[0] for block in blocks if "def manager" in block]
    monkeypatch.chdir(root)
    found: dict[str, Any] = {}
    exec(compile(example, "docs/model.md", "exec"), found)
    assert len(found["opened"]) >= 1
    dates, beds = zip(*found["opened"], strict=True)
    assert list(beds) == [5 + 2 * k for k in range(len(beds))]  # three to begin with
    assert list(dates) == sorted(dates)
