"""A small model with everything that money depends on, and people who walk through it at random: logs for the tests of measures."""

from __future__ import annotations

import random
import tomllib
from typing import Any

import polars as pl

from simcare.files import parse
from simcare.handmade import log_of
from simcare.model import Model

RUNGS = ("independent", "community", "enhanced", "placement")
SHORT = ("step_up",)
TIER_OF = {"home_care": "community", "extra_care": "enhanced", "care_home": "placement", "reablement": "step_up"}
OFFERS = {"home_care": ("council", "northern"), "extra_care": ("northern",), "care_home": ("council", "northern"), "reablement": ("council",)}
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
gbp_per_week = [{ value = 700, GUESS }, { from = 2012-01-01, value = 721, GUESS }, { from = 2014-02-11, value = 770, GUESS }]
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

[[front_door]]
name = "children"
stages = ["child"]
gbp_per_assessment = [{ value = 400, GUESS }, { from = 2013-09-10, value = 450, GUESS }]
[[front_door]]
name = "adults"
stages = ["adult"]
gbp_per_assessment = { value = 300, GUESS }
gbp_per_review = [{ value = 80, GUESS }, { from = 2014-05-05, value = 90, GUESS }]

[prices]
base_year = "2012/13"
growth_per_year = { value = 0.03, GUESS }
inflation_per_year = { value = 0.02, GUESS }
discount = [{ from_year = 0, per_year = { value = 0.035, GUESS } }, { from_year = 2, per_year = { value = 0.03, GUESS } }]

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
one_off_gbp = { value = 99, GUESS }
"""


def town(text: str = TEXT) -> Model:
    """The model of the walk."""
    return parse(Model, tomllib.loads(text.replace("GUESS", 'source = "assumption", grade = "D"')), "walk")


class Walk:
    """One person's way through care: a row for every event, by the rules that every log keeps."""

    def __init__(self, luck: random.Random, client: int, days: float, run: dict[str, Any]) -> None:
        self.luck, self.days = luck, days
        self.rows: list[dict[str, Any]] = []
        self.state: dict[str, Any] = {
            **run, "client": client, "time": 0.0, "area": luck.choice(["east", "west"]), "stage": luck.choice(["child", "adult"]),
            "group": luck.choice(["general", "disabled"]), "need": luck.choice(RUNGS), "tier": RUNGS[0], "induced": luck.randrange(3),
        }  # fmt: skip

    @property
    def served(self) -> bool:
        return self.state.get("service") is not None

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
        self.write(event, tier=TIER_OF[service], service=service, provider=provider, stay_start=begun, waiting=False)

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
        self.state["time"] = self.luck.choice([time, time + self.luck.expovariate(1 / 25), time + self.luck.expovariate(1 / 120), *later[:1]])
        return bool(self.state["time"] < self.days)

    def step(self) -> bool:
        """One more event; whether the person is still there."""
        if self.luck.random() < 0.04:
            self.write(self.luck.choice(["death", "left"]))
            return False
        options = [self.change_need, self.grow]
        if self.served:
            options += [self.move, self.move, self.end, self.review, self.crisis]
        elif self.state.get("waiting"):
            options += [self.answer, self.answer]
        else:
            options += [self.refer, self.refer]
        self.luck.choice(options)()
        return True

    def change_need(self) -> None:
        if self.luck.random() < 0.5 and self.level < len(RUNGS) - 1:
            self.write("rise", "induced", need=RUNGS[self.level + 1], induced=self.state["induced"] + self.luck.randrange(2))
        elif self.level > 0:
            self.write("fall", "need", need=RUNGS[self.level - 1], induced=max(0, self.state["induced"] - 1))

    def grow(self) -> None:
        if self.state["stage"] == "child":
            self.write("birthday", "age", stage="adult")
            self.write("handover", "age", group="general", need=RUNGS[0])

    def move(self) -> None:
        self.place("move")

    def end(self) -> None:
        self.write("end", "review", tier=RUNGS[0], service=None, provider=None, stay_start=None)

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
            self.write("diverted", "not_in_need", waiting=False)


def walk(seed: int, people: int = 12, days: float = 730.0, runs: tuple[tuple[str, int], ...] = (("baseline", 0),)) -> pl.DataFrame:
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
