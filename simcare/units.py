"""Units that several rooms share: each stands here once."""

from __future__ import annotations

YEAR_DAYS = 365.25  # the mean year of the Julian calendar, in which rates a year are counted
