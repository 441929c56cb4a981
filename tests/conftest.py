"""Fixtures for all tests; functions that tests share stand in tests/support."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl
import pytest

pytest.register_assert_rewrite("tests.support")

from tests.support.logs import library_log  # noqa: E402  (after the line above, so that its asserts explain themselves)


@pytest.fixture(scope="session")
def log_of() -> Callable[..., pl.DataFrame]:
    return library_log
