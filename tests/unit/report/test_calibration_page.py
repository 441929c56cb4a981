"""The page of a calibration: a fit that lies at a bound says so wherever it is shown."""

from __future__ import annotations

from typing import Any

import pytest

from simcare.files.fit import CalibrationFit
from simcare.report.calibration_page import bound_words, parameter_frame, parameter_table
from simcare.report.fit_wording import fit_sentence


def fit(**changes: Any) -> CalibrationFit:
    """A fit of one factor, well informed by the data."""
    one = {
        "name": "leave", "title": "how soon people leave", "multiply": [{"on": "leaving"}], "base_sha256": "0" * 64,
        "prior": {"low": 0.6, "median": 1.0, "high": 1.4}, "posterior": {"low": 1.3467, "median": 1.39, "high": 1.3998},
        "width": 0.04, "bounds": [0.5, 1.4],
    }  # fmt: skip
    return CalibrationFit.model_validate(
        {
            "simcare": "0.1.0", "name": "made", "title": "Made by hand", "model": "m", "made": "2026-01-01", "seed": 1,
            "known_to": "2013-03-31", "inputs": {}, "parameters": [one | changes], "draws": {"leave": [1.39]},
        }
    )  # fmt: skip


@pytest.mark.parametrize(("end", "value"), [("upper", "1.40"), ("lower", "0.500")])
def test_a_fit_at_its_bound_says_so_on_the_page_the_screen_and_in_runs_that_draw_from_it(end: str, value: str) -> None:
    found = fit(at_bound=end)
    (said,) = bound_words(found)
    assert said.startswith(f"The fit lies at a bound: how soon people leave at its {end} bound, {value}.")
    (row,) = parameter_table(parameter_frame(found)).rows
    assert row[2:] == ("1.39 (1.35 to 1.40)", "4%", f"at its {end} bound, {value}")
    assert "The fit lies at a bound of: how soon people leave." in fit_sentence(found.manifest_entry)


def test_a_fit_within_its_bounds_says_nothing_of_them() -> None:
    assert bound_words(fit()) == []
    (row,) = parameter_table(parameter_frame(fit())).rows
    assert row[-1] == "well informed"
    assert "bound" not in fit_sentence(fit().manifest_entry)
