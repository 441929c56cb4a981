"""A calibration small enough for a test, with an answer that theory knows: M/M/infinity, begun empty."""

from __future__ import annotations

import math
from pathlib import Path

PEOPLE, STAY = 500.0, 1 / 1.6  # a year; years: the model's file has 400 and 1/2


def caseload(years: float) -> float:
    """People of an M/M/infinity model that began empty."""
    return PEOPLE * STAY * (1 - math.exp(-years / STAY))


def left_in(year: int) -> float:
    """Who leaves between two years: who came, less the growth of the caseload."""
    return PEOPLE - caseload(year) + caseload(year - 1)


HEAD = """
name = "small"
title = "A small calibration"
model = "mm-infinity"
known_to = 2015-03-31
[method]
design = 16
waves = 1
points = 8
replications = 2
draws = 30
seed = 1
[[runs]]
name = "one"
title = "From the start"
years = 4
[[free]]
name = "leaving"
title = "How soon people leave"
multiply = [{ on = "leaving" }]
prior = { median = 1, sd_log = 0.4, source = "assumption", grade = "D" }
bounds = [0.3, 3]
[[free]]
name = "arrivals"
title = "People a year"
set = ["arrivals.everyone.per_year"]
prior = { kind = "uniform", source = "assumption", grade = "D" }
bounds = [250, 800]
"""
TARGETS = """
[[targets]]
name = "people"
title = "People in care"
theme = "Care"
kind = "stock"
file = "published.csv"
series = ["people"]
tiers = ["community"]
error = { value = 0.02, source = "assumption", grade = "D" }
discrepancy = { value = 0.02, source = "assumption", grade = "D" }
[[targets]]
name = "left"
title = "People who left"
theme = "Care"
kind = "flow"
file = "published.csv"
series = ["left"]
measures = ["leavers"]
error = { value = 0.02, source = "assumption", grade = "D" }
discrepancy = { value = 0.02, source = "assumption", grade = "D" }
"""


def published(people: float = 1.0) -> str:
    """The published values of the calibration; ``people`` multiplies those of the caseload."""
    rows = ["date,area,series,count,source"]
    for year in range(1, 5):
        rows.append(f"{2013 + year}-03-31,Town,people,{caseload(year) * people:.1f},theory")
        rows.append(f"{2013 + year}-03-31,Town,left,{left_in(year):.1f},theory")
    return "\n".join(rows) + "\n"


def written(folder: Path, head: str = HEAD, targets: str = TARGETS, people: float = 1.0) -> Path:
    """A calibration file with its published values beside it; ``people`` multiplies those of the caseload."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "published.csv").write_text(published(people), encoding="utf-8")
    (folder / "small.toml").write_text(head + targets, encoding="utf-8")
    return folder / "small.toml"
