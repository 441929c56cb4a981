"""A command that is stopped, at the keyboard or by the system, says so and leaves nothing half-written."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from simcare import cli

STARTED = 20  # seconds after which a run is under way, on a busy machine


def test_ctrl_c_is_a_sentence_and_exit_code_1(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(cli, "app", lambda **_: cli.STOPPED)
    before = signal.getsignal(signal.SIGTERM)
    try:
        with pytest.raises(SystemExit) as caught:
            cli.main()
    finally:
        signal.signal(signal.SIGTERM, before)
    assert caught.value.code == 1
    assert "Stopped; nothing was written." in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="no signals there")
def test_the_systems_end_is_a_stop(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "simcare.cli", "run", "mmc", "--years", "60", "--reps", "2000", "--workers", "1"]
    process = subprocess.Popen(
        [*command, "--out", str(tmp_path / "out")],
        stderr=subprocess.PIPE,
        text=True,
    )
    time.sleep(STARTED)
    process.terminate()
    _, told = process.communicate(timeout=120)
    assert process.returncode == 1
    assert "Stopped; nothing was written." in told
    assert list(tmp_path.iterdir()) == []
