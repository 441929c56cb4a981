"""How the rulebook is compiled: numba, with a cache on disk that knows when the rulebook changed.

numba's own cache watches one file at a time; a rule that calls a rule in another file would go stale.
So the cache folder is named after a digest of every compiled file. Inside it a file goes by its place in the package,
so that two checkouts of the same rules compile once. A read-only home falls back to the temporary folder.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

import numba
import platformdirs
from numba.core import types
from numba.core.caching import UserProvidedCacheLocator
from numba.extending import intrinsic

from simcare.units import YEAR_DAYS

F = TypeVar("F", bound=Callable[..., object])
PACKAGE = Path(__file__).parents[1]
# The files with compiled functions. Every one of rules/ counts; a test holds the others against what imports this
# module.
COMPILED = ("rules/*.py", "engine/compiled.py", "log/spells.py", "measures/compiled_counts.py")


def compiled_files() -> list[Path]:
    """The files whose functions numba compiles."""
    return sorted(path for pattern in COMPILED for path in PACKAGE.glob(pattern))


def _is_ours(folder: Path) -> bool:
    """Compiled code of another user is never loaded (where the system tells users apart)."""
    return not hasattr(os, "getuid") or folder.stat().st_uid == os.getuid()


def _cache_folder() -> Path:
    digest = hashlib.sha256(f"{numba.__version__} {YEAR_DAYS}".encode())  # the one constant from outside these files
    for path in compiled_files():
        digest.update(path.read_bytes())
    name = digest.hexdigest()[:16]
    chosen = os.environ.get("NUMBA_CACHE_DIR")
    for base in (
        Path(chosen) if chosen else Path(platformdirs.user_cache_dir("simcare")),
        Path(tempfile.gettempdir()) / f"simcare-{os.getuid() if hasattr(os, 'getuid') else 'cache'}",
    ):
        folder = base / name
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if os.access(folder, os.W_OK) and _is_ours(folder):
                return folder
        except OSError:
            continue
    return Path(tempfile.mkdtemp(prefix="simcare-"))


class PackageCacheLocator(UserProvidedCacheLocator):
    """Where numba keeps a compiled function of ours: by the place of its file in the package, wherever that is
    installed.

    numba takes it by its name (``NUMBA_CACHE_LOCATOR_CLASSES`` in its documentation). Files of other packages are kept
    as numba keeps them.
    """

    @classmethod
    def get_suitable_cache_subpath(cls, py_file: str) -> str:
        """The folder within the cache folder."""
        folder = Path(py_file).resolve().parent
        if folder.is_relative_to(PACKAGE.resolve()):
            return "-".join(("simcare", *folder.relative_to(PACKAGE.resolve()).parts))
        return cast(str, super().get_suitable_cache_subpath(py_file))


CACHE = _cache_folder()
numba.config.CACHE_DIR = str(CACHE)  # type: ignore[attr-defined]
numba.config.CACHE_LOCATOR_CLASSES = f"{__name__}.{PackageCacheLocator.__name__}"  # type: ignore[attr-defined]


def is_compiled() -> bool:
    """Whether an earlier call left compiled rules on disk (so that a first call can be announced as slow)."""
    return any(CACHE.rglob("*.nbc"))


def rule(function: F) -> F:
    """Mark a function as part of the rulebook: compiled on first call, cached on disk."""
    return cast(F, numba.njit(cache=True, error_model="numpy")(function))


def part(function: F) -> F:
    """Mark a function as a part of a rule, compiled into its caller: for what passes arrays along at every row."""
    return cast(F, numba.njit(cache=True, error_model="numpy", forceinline=True)(function))


@intrinsic
def _high_word(typing: Any, a: Any, b: Any) -> Any:
    """The upper 64 bits of the 128-bit product of two words: one instruction of the machine, which Python cannot
    name."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        from llvmlite import ir

        wide = ir.IntType(128)
        x, y = (builder.zext(argument, wide) for argument in arguments)
        return builder.trunc(builder.lshr(builder.mul(x, y), ir.Constant(wide, 64)), ir.IntType(64))

    return types.uint64(types.uint64, types.uint64), generate


@rule
def high_word(a: Any, b: Any) -> Any:
    """The upper 64 bits of the 128-bit product of two words."""
    return _high_word(a, b)  # type: ignore[call-arg]
