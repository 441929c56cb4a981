"""What runs out, event by event: hand-overs, hospital, cuts and teams do what the file says."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from simcare.files.load import load_model
from simcare.model import Model
from tests.support.logs import simulate
from tests.support.paths import TOY_LIMITS
from tests.support.toy_models import changed, number

TOY = TOY_LIMITS


@pytest.fixture(scope="module")
def toy() -> Model:
    return load_model(TOY)


@pytest.fixture(scope="module")
def log(toy: Model) -> pl.DataFrame:
    return simulate(toy, 1096.0)


def test_the_toys_use_every_event_between_them(log: pl.DataFrame) -> None:
    from simcare.rules.codes import EVENTS

    rare = {
        "arrival",
        "kept",
        "discharged",
    }  # nobody comes by the direct route; who keeps a place after all is a matter of luck
    assert set(EVENTS) - set(log["event"].unique()) <= rare


def all_supported(data: dict[str, Any]) -> None:
    data["handovers"] = [{**data["handovers"][0], "supported": number(1), "keeps_need": number(1)}]


def none_supported(data: dict[str, Any]) -> None:
    data["handovers"] = [{**data["handovers"][0], "supported": number(0), "keeps_need": number(1)}]


def unlimited(data: dict[str, Any]) -> None:
    data["teams"], data["clocks"] = [], [row for row in data["clocks"] if row["clock"] in ("rise", "recover")]
    data["providers"] = [
        {**row, "offers": [{k: v for k, v in o.items() if k not in ("places", "spot_premium")} for o in row["offers"]]}
        for row in data["providers"]
    ]


def of_18(log: pl.DataFrame) -> pl.DataFrame:
    """The rows of the moment at which somebody outgrew foster care."""
    moments = log.filter(pl.col("event") == "transition").select("client", "time")
    return log.join(moments, on=["client", "time"], maintain_order="left")


def test_a_supported_transition_moves_on_the_day(toy: Model) -> None:
    log = simulate(changed(changed(toy, all_supported), unlimited), 1096.0)
    rows = of_18(log)
    assert rows.filter(pl.col("event") == "transition")["cause"].unique().to_list() == ["supported"]
    assert rows.filter(pl.col("event") == "move").height == rows.filter(pl.col("event") == "transition").height >= 5
    assert rows.filter(pl.col("event") == "end").height == 0


def test_an_unsupported_transition_leaves_a_gap_of_so_many_days(toy: Model) -> None:
    log = simulate(changed(changed(toy, none_supported), unlimited), 1096.0)
    ends = of_18(log).filter((pl.col("event") == "end") & (pl.col("cause") == "handover"))
    assert ends.height >= 5 and ends["waiting"].all() and ends["service"].is_null().all()
    later = log.join(ends.select("client", pl.col("time").alias("ended")), on="client").filter(
        pl.col("time") > pl.col("ended")
    )
    gaps = later.filter(pl.col("event").is_in(["assessed", "death", "left", "crisis"])).group_by("client").first()
    assessed = gaps.filter(pl.col("event") == "assessed")
    assert assessed.height >= 3
    assert (assessed["time"] - assessed["ended"] - 45.0).abs().max() < 1e-9


def test_who_is_ready_to_leave_hospital_waits_in_it(log: pl.DataFrame) -> None:
    waits = log.filter(pl.col("hospital") == "ready")
    assert waits.filter(pl.col("event") == "ready")["waiting"].sum() > 0
    assert (log.filter(pl.col("event") == "admitted")["stage"] == "adult").all()
    after = log.with_columns(pl.col("hospital").shift().over("client").alias("before"))
    assert after.filter((pl.col("event").is_in(["start", "move"])) & (pl.col("before") == "ready"))[
        "hospital"
    ].unique().to_list() == ["no"]


def test_only_crises_and_the_displaced_are_in_places_beyond_the_number(log: pl.DataFrame) -> None:
    bought = log.filter(pl.col("spot") & pl.col("event").is_in(["start", "move"]))
    assert bought.height > 0
    assert bought["cause"].unique().to_list() == ["crisis"]
    assert (bought["provider"] == "beds").all() and (bought["area"] == "north").all()


def test_a_cut_names_who_moves(toy: Model, log: pl.DataFrame) -> None:
    day = float((pl.date(2014, 6, 1) - pl.date(2013, 4, 1)).dt.total_days().pipe(pl.select).item())
    named = log.filter(pl.col("event") == "displaced")
    assert named["time"].unique().to_list() == [day]
    held = log.filter(pl.col("time") < day).group_by("client", maintain_order=True).last()
    held = held.filter(
        (pl.col("provider") == "council")
        & (pl.col("service") == "foster_care")
        & ~pl.col("event").is_in(["death", "left"])
    )
    assert named.height == held.height - 20
    needs = dict(held.select("client", pl.col("need").to_physical()).rows())
    chosen = {needs[client] for client in named["client"]}
    stayed = {need for client, need in needs.items() if client not in set(named["client"])}
    assert max(chosen) <= min(stayed)  # whoever needs least


def test_hours_hold_back_assessments(toy: Model) -> None:
    def no_hours(data: dict[str, Any]) -> None:
        data["teams"] = [{**data["teams"][0], "hours_per_week": number(0)}]

    log = simulate(changed(toy, no_hours), 200.0)
    assert "assessed" not in log["event"].unique().to_list()
    per_week = changed(toy, lambda data: data.update(teams=[{**data["teams"][0], "hours_per_week": number(30)}]))
    assessed = simulate(per_week, 700.0).filter(pl.col("event") == "assessed")
    assert assessed.height == pytest.approx(700 / 7 * 3, abs=12)  # three a week, when the queue never empties
