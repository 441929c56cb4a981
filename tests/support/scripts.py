"""Programs that are no part of the package (benchmarks/, scripts/), as modules for a test."""

from __future__ import annotations

import importlib.machinery
import importlib.util
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

from tests.support.paths import ROOT


@contextmanager
def program(path: str) -> Iterator[ModuleType]:
    """The file of a path from the root, read in; it finds the files beside it, as it does when it is run."""
    file = ROOT / path
    before, known = list(sys.path), set(sys.modules)
    sys.path.insert(0, str(file.parent))
    try:
        loader = importlib.machinery.SourceFileLoader(file.stem, str(file))
        spec = importlib.util.spec_from_loader(file.stem, loader)
        assert spec is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[file.stem] = module
        loader.exec_module(module)
        yield module
    finally:
        sys.path[:] = before
        for name in set(sys.modules) - known:
            if str(getattr(sys.modules[name], "__file__", None) or "").startswith(str(file.parent)):
                del sys.modules[name]
