"""A benchmark in a process of its own, so that its peak memory is its own.

    in_child("usual:kent", 0.1, 365.25, 1)

runs ``kent(0.1, 365.25, 1)`` of ``benchmarks/usual.py`` in a fresh interpreter and returns the dict it gives, with
``peak_mib`` (the most memory the process held, interpreter and imports included) and ``before_mib`` (what it held
before the work, when all was imported) added to it. Arguments and result go as JSON.
"""

from __future__ import annotations

import importlib
import json
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent


def in_child(function: str, *args: Any) -> dict[str, Any]:
    """What ``module:function`` gives for these arguments in a fresh interpreter; its errors are shown and raised
    here."""
    command = [sys.executable, str(Path(__file__)), function, json.dumps(args)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, cwd=HERE.parent)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def peak_mib() -> float:
    """The most memory this process has held.

    Linux keeps the parent's peak in a child's ``ru_maxrss`` when the child was made by vfork, as ``subprocess`` does;
    ``VmHWM`` is the child's own.
    """
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 1024
    kibibytes = 1024 if sys.platform != "darwin" else 1024 * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / kibibytes


def main() -> None:
    """The child: the function's result on the last line of what it prints."""
    name, args = sys.argv[1], json.loads(sys.argv[2])
    module, function = name.split(":")
    work = getattr(importlib.import_module(module), function)
    before = peak_mib()
    print(json.dumps({**work(*args), "peak_mib": peak_mib(), "before_mib": before}))


if __name__ == "__main__":
    main()
