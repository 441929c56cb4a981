"""Where the browser is."""

from __future__ import annotations

import os
import shutil

import pytest


def chromium() -> str:
    """The browser's path. Without one the tests are left out, unless SIMCARE_BROWSER=required."""
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if found is not None:
        return found
    if os.environ.get("SIMCARE_BROWSER") == "required":
        pytest.fail("SIMCARE_BROWSER=required, but there is no chromium on the path")
    pytest.skip("no chromium on the path")
