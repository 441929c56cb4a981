"""What `simcare check` accepts runs, or is refused in a sentence, and does either in seconds.

Files that are valid but for one number, date or name each; a process of its own runs them, so that one that hangs is
ended and told.
"""

from __future__ import annotations

import select
import subprocess
import sys
import tempfile
import tomllib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.mutations import TOKEN, shipped, write
from tests.support.paths import ROOT
from tests.support.runner import INVALID, RAN, REFUSED

SECONDS = 60  # for one file, on a busy machine
CASES = 60
NUMBERS = [
    "0",
    "1e-9",
    "0.001",
    "0.5",
    "1",
    "3",
    "40",
    "365",
    "4000",
    "1e5",
    "4000000",
    "1e9",
    "1e12",
    "1e300",
    "1e-300",
]
DATES = ["1950-01-01", "2150-01-01", "2013-04-01", "2013-04-02", "2014-02-28", "2015-04-01", "9999-12-31", "0001-01-01"]
SMALL = shipped(
    *("tests/support/toy.toml", "tests/support/toy-limits.toml", "tests/support/toy-experiment.toml"),
    *("models/ladder.toml", "models/desk.toml", "models/semi-markov.toml", "models/mg-infinity.toml"),
    *("models/mt-m-infinity.toml", "models/ageing.toml", "models/tandem.toml", "models/erlang-a.toml"),
)
BESIDE = {name: SMALL[f"tests/support/{name}"] for name in ("toy.toml", "toy-limits.toml")}
KNOWN = {  # file, what is in it, what is put there: each was a hang, a crash or a result without sense
    "a ramp of ten thousand years": ("toy-experiment.toml", "ramp_days = 90", "ramp_days = 4000000"),
    "ten million replications": ("toy-experiment.toml", "replications = 2", "replications = 10000000"),
    "an effect of a million": ("toy-experiment.toml", "{ value = 0.9, low = 0.8, high = 1.0", "{ value = 1e6"),
    "assessments that take longer than history": ("toy.toml", "value = 28", "value = 1e9"),
    "a crisis every second": (
        "toy.toml",
        'clock = "crisis"',
        'clock = "crisis"\nfactor = { value = 3e7, source = "assumption", grade = "D" }',
    ),
    "more places than a number holds": ("toy-limits.toml", "places = { value = 6,", "places = { value = 1e12,"),
    "days whose logarithm is a year": ("mg-infinity.toml", "log_mean = { value = ", "log_mean = { value = 36"),
    "a city a day": ("mt-m-infinity.toml", "per_year = { value = 120", "per_year = { value = 99999120"),
}


class Runner:
    """The process that runs files; another takes its place where one had to be ended."""

    def __init__(self) -> None:
        self.process: subprocess.Popen[str] | None = None

    def started(self) -> subprocess.Popen[str]:
        if self.process is None or self.process.poll() is not None:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tests.support.runner"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                cwd=ROOT,
            )
            for warm in ("toy.toml", "toy-experiment.toml"):  # compiled rules are read once
                assert self.said(ROOT / "tests" / "support" / warm, 600) == RAN
        return self.process

    def said(self, path: Path, seconds: float = SECONDS) -> str:
        """What came of a file."""
        process = self.process if self.process is not None and self.process.poll() is None else self.started()
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(f"{path}\n")
        process.stdin.flush()
        if select.select([process.stdout], [], [], seconds)[0]:
            return process.stdout.readline().strip() or "the process was ended"
        self.stop()
        return f"no answer within {seconds:g} s"

    def stop(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.communicate()
            self.process = None


@pytest.fixture(scope="module")
def runner() -> Iterator[Runner]:
    found = Runner()
    yield found
    found.stop()


def came_of(runner: Runner, name: str, text: str) -> str:
    with tempfile.TemporaryDirectory() as folder:
        return runner.said(write(Path(folder), Path(name).name, text.encode(), BESIDE))


@pytest.mark.slow
def test_what_is_valid_runs_or_is_refused_in_a_sentence(runner: Runner) -> None:
    told: Counter[str] = Counter()

    @settings(
        max_examples=CASES, derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck)
    )
    @given(st.data())
    def one(data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(sorted(SMALL)))
        text = SMALL[name]
        found = [match for match in TOKEN.finditer(text) if match.lastgroup in ("number", "date")]
        match = found[data.draw(st.integers(0, len(found) - 1))]
        value = data.draw(st.sampled_from(NUMBERS if match.lastgroup == "number" else DATES))
        came = came_of(runner, name, text[: match.start()] + value + text[match.end() :])
        assert came in (INVALID, RAN) or came.startswith(REFUSED), came
        told[came.partition(":")[0]] += 1

    one()
    print(told)
    assert told[RAN] >= CASES // 4, "most were invalid: nothing is tried"


@pytest.mark.parametrize("case", KNOWN)
def test_what_no_run_could_carry_is_refused(case: str, runner: Runner) -> None:
    name, old, new = KNOWN[case]
    text = next(text for path, text in SMALL.items() if Path(path).name == name)
    assert old in text
    tomllib.loads(text.replace(old, new, 1))  # what is wrong is not how it is written
    assert came_of(runner, name, text.replace(old, new, 1)) == INVALID
