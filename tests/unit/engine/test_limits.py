"""What runs out: bad input is refused with its path; hand-overs, hospital, cuts and teams do what the file says."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import polars as pl
import pytest

from simcare.errors import BadInput
from simcare.files.load import load_model
from simcare.files.parsing import parse
from simcare.model import Model
from simcare.model.strategy import Strategy, apply
from tests.support.logs import simulate
from tests.support.paths import TOY_LIMITS

TOY = TOY_LIMITS


def number(value: float) -> dict[str, Any]:
    return {"value": value, "source": "assumption", "grade": "D"}


@pytest.fixture(scope="module")
def toy() -> Model:
    return load_model(TOY)


@pytest.fixture(scope="module")
def log(toy: Model) -> pl.DataFrame:
    return simulate(toy, 1096.0)


def changed(model: Model, change: Callable[[dict[str, Any]], None]) -> Model:
    data = model.model_dump(by_alias=True, exclude_none=True)
    change(data)
    return parse(Model, data, "toy")


def offer(data: dict[str, Any], provider: str, service: str) -> dict[str, Any]:
    found = next(row for row in data["providers"] if row["name"] == provider)
    offers = [dict(row) for row in found["offers"]]
    found["offers"] = offers
    return next(row for row in offers if row["service"] == service)


def too_few(data: dict[str, Any]) -> None:
    offer(data, "homes", "care_home")["places"] = number(79)


def never_a_place(data: dict[str, Any]) -> None:
    offer(data, "homes", "supported_living")["places"] = number(0)


def nobody_of_the_group(data: dict[str, Any]) -> None:
    data["groups"] = [*data["groups"], {"name": "ghosts"}]
    data["services"] = [*data["services"], {"name": "haunted", "tier": "placement", "groups": ["ghosts"]}]
    homes = next(row for row in data["providers"] if row["name"] == "homes")
    homes["offers"] = [*homes["offers"], {"service": "haunted", "contract": "dear", "weight": number(1)}]


def to_nowhere(data: dict[str, Any]) -> None:
    data["groups"] = [*data["groups"], {"name": "ghosts"}]
    data["services"] = [{**row, "groups": row.get("groups") or ["general", "disabled"]} for row in data["services"]]
    data["handovers"] = [{**data["handovers"][0], "to_group": "ghosts"}]


def negative_hours(data: dict[str, Any]) -> None:
    data["teams"] = [{**data["teams"][0], "hours_per_week": number(-1)}]


def negative_places(data: dict[str, Any]) -> None:
    offer(data, "council", "reablement")["places"] = number(-3)


def two_teams(data: dict[str, Any]) -> None:
    data["teams"] = [*data["teams"], {**data["teams"][0], "name": "again"}]


def wrong_area(data: dict[str, Any]) -> None:
    offer(data, "beds", "reablement")["area"] = "nroth"


def spot_without_places(data: dict[str, Any]) -> None:
    del offer(data, "beds", "reablement")["places"]


def gap_without_days(data: dict[str, Any]) -> None:
    data["handovers"] = [{key: value for key, value in data["handovers"][0].items() if key != "gap_days"}]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (
            too_few,
            (
                "providers[1].offers[0].places: 80 people are in 'care_home' on day 0, 1 more than there are places for"
                " them"
            ),
        ),
        (never_a_place, "providers[1].offers[1].places: nobody may enter 'supported_living': it never has a place"),
        (nobody_of_the_group, "services[5].groups: nobody may enter 'haunted'"),
        (to_nowhere, "handovers[0].to_group: a hand-over to nowhere: no service takes group 'ghosts' at age 18"),
        (negative_hours, "teams[0].hours_per_week: cannot be negative, got -1"),
        (negative_places, "providers[0].offers[1].places: cannot be negative, got -3"),
        (two_teams, "teams[2]: assessments for young, general, north are already given to teams[0] 'door'"),
        (wrong_area, "providers[2].offers[0].area: unknown 'nroth', did you mean 'north'?"),
        (spot_without_places, "providers[2].offers[0]: spot_premium is for places beyond a number: give places"),
        (gap_without_days, "handovers[0]: supported needs gap_days"),
    ],
)
def test_what_cannot_be_is_refused_with_its_path(
    toy: Model, change: Callable[[dict[str, Any]], None], sentence: str
) -> None:
    with pytest.raises(BadInput) as refused:
        changed(toy, change)
    assert any(line.startswith(f"toy: {sentence}") for line in refused.value.faults), refused.value.faults


def test_the_toys_use_every_event_between_them(log: pl.DataFrame) -> None:
    from simcare.rules.records import EVENTS

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


@pytest.mark.parametrize(
    ("path", "to", "read"),
    [
        ("offers.homes.care_home.places", 99, lambda m: m.providers[1].offers[0].places),
        ("offers.beds.reablement.north.places", 7, lambda m: m.providers[2].offers[0].places),
        ("teams.door.hours_per_week", 80, lambda m: m.teams[0].hours_per_week),
        ("hospitals.infirmary.share", 0.1, lambda m: m.hospitals[0].share),
        ("handovers.eighteen.supported", 0.9, lambda m: m.handovers[0].supported),
        ("handovers.eighteen.gap_days", 10, lambda m: m.handovers[0].gap_days),
    ],
)
def test_a_strategy_may_change_what_is_limited(toy: Model, path: str, to: float, read: Callable[[Model], Any]) -> None:
    strategy = Strategy.model_validate(
        {"name": "s", "title": "S", "start": "2014-01-01", "changes": [{"path": path, "to": number(to)}]}
    )
    before = toy.model_dump_json()
    assert read(apply(toy, strategy)).values[-1] == pytest.approx(to)
    assert toy.model_dump_json() == before


def test_a_strategy_that_names_no_offer_is_told_which_there_are(toy: Model) -> None:
    strategy = Strategy.model_validate(
        {
            "name": "s",
            "title": "S",
            "start": "2014-01-01",
            "changes": [{"path": "offers.homes.care_hoem.places", "to": number(1)}],
        }
    )
    with pytest.raises(BadInput, match=r"did you mean 'homes.care_home'"):
        apply(toy, strategy)
