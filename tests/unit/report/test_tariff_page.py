"""The exhibits of a tariff: tables that say in words what their frames hold."""

from __future__ import annotations

import math

import polars as pl

from simcare.report.tariff_page import contract_names, gaming_table, outcomes_table

NAMES = contract_names(["homes_2013", "dated_bonus"])


def test_a_block_is_paid_by_the_year_and_a_stay_that_nothing_ends_has_no_end() -> None:
    rows = [("homes_2013", math.inf, math.inf, 0.0, 0.0), ("dated_bonus", 70.04, 2522.4, 0.021, 0.979)]
    head = ["contract", "stay_days", "gbp", "by_provider", "by_review"]
    frame = pl.DataFrame(rows, schema=head, orient="row")
    assert outcomes_table(frame, NAMES, set()).rows == (
        ("as now", "no end", "no end", "0%", "0%"),
        ("dated bonus", "70.0", "£2,520", "2.10%", "97.9%"),
    )
    assert [row[2] for row in outcomes_table(frame, NAMES, {"homes_2013"}).rows] == ["by the year", "£2,520"]


def test_what_earns_nothing_is_said_in_words() -> None:
    head = ["contract", "cycle_day", "cycle_back_after_days", "cycle_gain_gbp", "restart_day", "restart_gain_gbp"]
    rows = [("homes_2013", None, None, None, 1, -10.0), ("dated_bonus", 1.0, 91.0, -48.2, 84, 923.1)]
    assert gaming_table(pl.DataFrame(rows, schema=head, orient="row"), NAMES).rows == (
        ("as now", "none earns a sum", "nothing"),
        ("dated bonus", "−£48.20 (day 1, back after 91)", "£923 (after day 84)"),
    )
