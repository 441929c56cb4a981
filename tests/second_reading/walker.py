"""A small model with everything that money depends on, and people who walk through it at random: logs for the tests of
measures."""

from __future__ import annotations

import random
import tomllib
from typing import Any

import polars as pl

from simcare.files.parsing import parse
from simcare.log.by_hand import log_of
from simcare.model import Model

RUNGS = ("independent", "community", "enhanced", "placement")
SHORT = ("step_up",)
TIER_OF = {"home_care": "community", "extra_care": "enhanced", "care_home": "placement", "reablement": "step_up"}
OFFERS = {
    "home_care": ("council", "northern"),
    "extra_care": ("northern",),
    "care_home": ("council", "northern"),
    "reablement": ("council",),
}
MIDNIGHTS = (30.0, 61.0, 77.0, 91.0, 365.0, 366.0, 700.0)  # month ends, a price date, an anniversary

TEXT = """
[about]
name = "walk"
title = "A small town"
start = 2013-04-01
areas = ["east", "west"]

[[tiers]]
name = "independent"
[[tiers]]
name = "community"
[[tiers]]
name = "enhanced"
[[tiers]]
name = "placement"
[[tiers]]
name = "step_up"
short_term = true

[[stages]]
name = "child"
from_age = 0
to_age = 18
[[stages]]
name = "adult"
from_age = 18

[[groups]]
name = "general"
[[groups]]
name = "disabled"

[[services]]
name = "home_care"
tier = "community"
client_share = { value = 0.25, GUESS }
[[services]]
name = "extra_care"
tier = "enhanced"
[[services]]
name = "care_home"
tier = "placement"
client_share = { value = 0.3, GUESS }
health_share = { value = 0.2, GUESS }
[[services]]
name = "reablement"
tier = "step_up"
short_term_days = { value = 42, GUESS }

[[contracts]]
name = "hours"
terms = [{ kind = "per_diem", gbp_per_day = [{ value = 20, GUESS }, { from = 2013-06-17, value = 23, GUESS }] }]
[[contracts]]
name = "places"
[[contracts.terms]]
kind = "per_diem"
gbp_per_week = [
  { value = 700, GUESS },
  { from = 2012-01-01, value = 721, GUESS },
  { from = 2014-02-11, value = 770, GUESS },
]
[[contracts.terms]]
kind = "per_diem"
gbp_per_day = { value = 3, GUESS }

[[providers]]
name = "council"
owner = "council"
[[providers.offers]]
service = "home_care"
contract = "hours"
weight = { value = 1, GUESS }
[[providers.offers]]
service = "care_home"
contract = "places"
weight = { value = 1, GUESS }
[[providers.offers]]
service = "reablement"
contract = "hours"
weight = { value = 1, GUESS }
places = { value = 9000, GUESS }
spot_premium = { value = 0.5, GUESS }
[[providers]]
name = "northern"
owner = "independent"
[[providers.offers]]
service = "home_care"
contract = "places"
weight = { value = 1, GUESS }
[[providers.offers]]
service = "extra_care"
contract = "hours"
weight = { value = 1, GUESS }
[[providers.offers]]
service = "care_home"
contract = "places"
weight = { value = 1, GUESS }
places = { value = 9000, GUESS }
spot_premium = { value = 0.2, GUESS }

[[front_door]]
name = "children"
stages = ["child"]
gbp_per_assessment = [{ value = 400, GUESS }, { from = 2013-09-10, value = 450, GUESS }]
[[front_door]]
name = "adults"
stages = ["adult"]
gbp_per_assessment = { value = 300, GUESS }
gbp_per_review = [{ value = 80, GUESS }, { from = 2014-05-05, value = 90, GUESS }]

[[hospitals]]
name = "adults"
stages = ["adult"]
share = { value = 0.5, GUESS }
days = { value = 8, GUESS }
to_step_up = { value = 0.5, GUESS }
gbp_per_delayed_day = [{ value = 300, GUESS }, { from = 2013-11-05, value = 330, GUESS }]
[[hospitals]]
name = "disabled children"
stages = ["child"]
groups = ["disabled"]
share = { value = 0.5, GUESS }
days = { value = 8, GUESS }
to_step_up = { value = 0.5, GUESS }
gbp_per_delayed_day = { value = 500, GUESS }

[[handovers]]
age = 18
groups = ["disabled"]
to_group = "general"
keeps_need = { value = 1, GUESS }
supported = { value = 0.5, GUESS }
gap_days = { value = 30, GUESS }
gbp_supported = [{ value = 2000, GUESS }, { from = 2013-12-25, value = 2500, GUESS }]
[[handovers]]
age = 18
groups = ["general"]
keeps_need = { value = 0.5, GUESS }
supported = { value = 0.5, GUESS }
gap_days = { value = 30, GUESS }
gbp_supported = { value = 1000, GUESS }
[[handovers]]
age = 25
keeps_need = { value = 1, GUESS }
supported = { value = 0.5, GUESS }
gap_days = { value = 30, GUESS }
gbp_supported = { value = 700, GUESS }

[prices]
base_year = "2012/13"
growth_per_year = { value = 0.03, GUESS }
inflation_per_year = { value = 0.02, GUESS }
discount = [
  { from_year = 0, per_year = { value = 0.035, GUESS } },
  { from_year = 2, per_year = { value = 0.03, GUESS } },
]

[[programmes]]
name = "prevention"
start = 2013-07-20
ramp_days = 90
stage = "adult"
gbp_per_year = { value = 10000, GUESS }
one_off_gbp = { value = 1234, GUESS }
[[programmes]]
name = "older scheme"
start = 2013-01-01
gbp_per_year = { value = 365, GUESS }
"""


def town(text: str = TEXT) -> Model:
    """The model of the walk."""
    return parse(Model, tomllib.loads(text.replace("GUESS", 'source = "assumption", grade = "D"')), "walk")


class Walk:
    """One person's way through care: a row for every event, by the rules that every log keeps."""

    def __init__(self, luck: random.Random, client: int, days: float, run: dict[str, Any]) -> None:
        self.luck, self.days = luck, days
        self.rows: list[dict[str, Any]] = []
        self.state: dict[
            str, Any] = {**run, "client": client, "time": 0.0, "area": luck.choice(["east", "west"]),
            "stage": luck.choice(["child", "adult"]), "group": luck.choice(["general", "disabled"]),
            "need": luck.choice(RUNGS), "tier": RUNGS[0], "induced": luck.randrange(3), "waiting": False,
            "hospital": "no", "spot": False, "age": 10.0,
        }  # fmt: skip
        self.queueing = False

    @property
    def served(self) -> bool:
        return self.state.get("service") is not None

    @property
    def outside(self) -> str:
        """Where whoever is ready to leave hospital goes, when something ends that."""
        return "no" if self.state["hospital"] == "ready" else str(self.state["hospital"])

    @property
    def level(self) -> int:
        return RUNGS.index(self.state["need"])

    def write(self, event: str, cause: str = "", **change: Any) -> None:
        self.state |= change
        self.rows.append({**self.state, "event": event, "cause": cause})

    def place(self, event: str, since: float | None = None) -> None:
        service = self.luck.choice(list(TIER_OF))
        provider = self.luck.choice(OFFERS[service])
        begun = self.state["time"] if since is None else since
        spot = event != "present" and self.luck.random() < 0.25
        place = {"tier": TIER_OF[service], "service": service, "provider": provider, "stay_start": begun, "spot": spot}
        self.queueing = False
        self.write(event, **place, waiting=False, hospital=self.outside)

    def enter(self) -> None:
        how = self.luck.choice(["present", "known", "arrival", "referral"])
        if how == "present":
            self.place("present", since=-self.luck.choice([0.0, 5.5, 30.0, 200.0]))
        elif how == "known":
            self.write("present", "day_0")
        elif how == "arrival":
            self.state["time"] = self.luck.uniform(0, self.days / 2)
            self.write("arrival", "direct")
            self.place("start")
        else:
            self.state["time"] = min(self.luck.choice([0.0, 30.0, self.luck.uniform(0, self.days / 2)]), self.days / 2)
            self.write("referral", "new", waiting=True)

    def wait(self) -> bool:
        """Let time pass; whether there is any left."""
        time = self.state["time"]
        later = [midnight for midnight in MIDNIGHTS if midnight > time]
        self.state["time"] = self.luck.choice(
            [time, time + self.luck.expovariate(1 / 25), time + self.luck.expovariate(1 / 120), *later[:1]]
        )
        return bool(self.state["time"] < self.days)

    def step(self) -> bool:
        """One more event; whether the person is still there."""
        if self.luck.random() < 0.04:
            self.write(self.luck.choice(["death", "left"]))
            return False
        options = [self.change_need, self.grow, self.ward, self.queue, self.withdraw]
        if self.served:
            options += [self.move, self.move, self.end, self.review, self.crisis, self.cut]
        elif self.state["waiting"]:
            options += [self.answer, self.answer]
        else:
            options += [self.refer, self.refer]
        self.luck.choice(options)()
        return True

    def change_need(self) -> None:
        if self.luck.random() < 0.5 and self.level < len(RUNGS) - 1:
            self.write(
                "rise", "induced", need=RUNGS[self.level + 1], induced=self.state["induced"] + self.luck.randrange(2)
            )
        elif self.level > 0:
            self.write("fall", "need", need=RUNGS[self.level - 1], induced=max(0, self.state["induced"] - 1))

    def grow(self) -> None:
        """At 18 to another stage, perhaps another group; at 25 no more than out of a service."""
        child = self.state["stage"] == "child"
        if child:
            self.write("birthday", "age", stage="adult", age=18.001)
            if self.luck.random() < 0.7:
                self.write("handover", "age", group="general", need=RUNGS[0])
        elif self.state["age"] < 24:
            self.state["age"] = 24.9995
        else:
            return
        if self.served and self.luck.random() < 0.5:
            self.write("transition", "supported")
            self.place("move")
        elif self.served:
            self.write("transition", "unsupported")
            self.end("handover", waiting=True)

    def move(self) -> None:
        self.place("move")

    def end(self, cause: str = "", waiting: bool = False) -> None:
        self.queueing = False
        cause = cause or self.luck.choice(["review", "step_down", "premature"])
        nowhere = {"tier": RUNGS[0], "service": None, "provider": None, "stay_start": None, "spot": False}
        self.write("end", cause, **nowhere, waiting=waiting, hospital=self.outside)

    def review(self) -> None:
        self.write("review", "same")

    def crisis(self) -> None:
        self.write("crisis", "hazard")
        self.move()

    def refer(self) -> None:
        self.write("referral", "again", waiting=True)

    def answer(self) -> None:
        self.write("assessed", "assessment")
        if self.luck.random() < 0.7:
            self.place("start")
        else:
            self.queueing = False
            self.write("diverted", "not_in_need", waiting=False, hospital=self.outside)

    def queue(self) -> None:
        self.queueing = True
        self.write("queued", self.luck.choice(["crisis", "hospital", "community", "planned", "cut"]), waiting=True)

    def withdraw(self) -> None:
        if self.state["waiting"]:
            cause = self.luck.choice(["reneged", "superseded"]) if self.queueing else "reneged"
            self.queueing = False
            self.write("withdrawn", cause, waiting=False)

    def cut(self) -> None:
        """The place is cut, or whoever has lost it keeps it after all."""
        if not self.state["spot"]:
            self.queueing = False
            self.write("displaced", "cut", spot=True, waiting=False)
            if self.luck.random() < 0.8:
                self.queue()
        elif self.queueing:
            self.queueing = False
            self.write("kept", spot=False, waiting=False)

    def ward(self) -> None:
        """To hospital, ready to leave it, and back to the place in care."""
        if self.state["hospital"] == "no":
            if self.queueing:
                self.queueing = False
                self.write("withdrawn", "superseded", waiting=False)
            self.write("crisis", "hazard")
            self.write("admitted", "crisis", waiting=False, hospital="treated")
        elif self.state["hospital"] == "treated":
            self.write("ready", "hospital", hospital="ready", waiting=self.state["waiting"] or not self.served)
        elif self.served:
            self.write("discharged", hospital="no")


def walk(
    seed: int, people: int = 12, days: float = 730.0, runs: tuple[tuple[str, int], ...] = (("baseline", 0),)
) -> pl.DataFrame:
    """A log of people who walk at random, the same for the same seed."""
    luck, rows = random.Random(seed), []
    for strategy, replication in runs:
        for client in range(people):
            person = Walk(luck, 7 * client + 3, days, {"strategy": strategy, "replication": replication})
            person.enter()
            while person.wait() and person.step():
                pass
            rows += person.rows
    return log_of(rows, RUNGS, SHORT)
