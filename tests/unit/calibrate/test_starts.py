"""A run of a calibration begins from the caseload of its own year."""

from __future__ import annotations

import datetime as dt

import pytest

from simcare.arrays.names import names_of
from simcare.calibrate.reading import load_calibration


def test_the_run_again_begins_from_the_caseload_of_2011() -> None:
    """People in foster care, in care homes and with home care on 31 March 2011, as published."""
    from simcare.calibrate.starts import begun

    loaded = load_calibration("kent-2013")
    then = begun(loaded.model, loaded.calibration.runs[0])
    assert then.about.start == dt.date(2011, 4, 1) and not then.drivers
    count = {
        name: sum(row.count.value for row in then.caseload if row.service == name) for name in names_of(then).services
    }
    assert count["foster_care"] == pytest.approx(1387, abs=6)
    assert count["home_care_older"] + count["intensive_home_care_older"] == pytest.approx(5865, abs=6)
    assert sum(count[s] for s in ("direct_payment_ld", "direct_payment_pd", "direct_payment_mh")) == pytest.approx(
        1615, abs=3
    )
    assert all(row.growth_per_year is None for row in then.arrivals)
