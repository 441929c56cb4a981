"""Where the repository and the small models of the tests are."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SUPPORT = ROOT / "tests" / "support"
TOY = SUPPORT / "toy.toml"
TOY_LIMITS = SUPPORT / "toy-limits.toml"
