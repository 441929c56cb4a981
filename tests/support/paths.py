"""Where the repository and the small models of the tests are."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SUPPORT = ROOT / "tests" / "support"
TOY = SUPPORT / "toy.toml"
TOY_LIMITS = SUPPORT / "toy-limits.toml"


def in_repository(path: Path) -> str:
    """A path as it is written from the root of the repository."""
    return path.relative_to(ROOT).as_posix()
