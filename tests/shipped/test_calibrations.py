"""Kent's calibration is what it says it is."""

from __future__ import annotations

import datetime as dt

from simcare.calibrate.reading import load_calibration
from simcare.model.calibration import Calibration


def test_kents_calibration_is_what_it_says() -> None:
    loaded = load_calibration("kent-2013")
    calibration: Calibration = loaded.calibration
    assert 8 <= len(calibration.free) <= 20
    assert all(d.date <= calibration.known_to for d in loaded.fitted)
    assert all(d.date > calibration.known_to for d in loaded.held_out)
    assert max(d.date for d in loaded.held_out) == dt.date(2020, 3, 31)
    fitted = {d.target.name for d in loaded.fitted}
    assert not any("SALT" in name or name == "unaccompanied" for name in fitted)
    values = {d.key: d.value for d in loaded.data}
    assert values["looked after", dt.date(2013, 3, 31)] == 1642
    assert values["referrals to nothing", dt.date(2013, 3, 31)] == 4155 + 2629
    assert all(date <= dt.date(2014, 3, 31) for name, date in values if name == "home care 65+")
