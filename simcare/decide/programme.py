"""What a strategy itself costs: all that it makes the council and its partners spend on its own items beyond the
baseline, in the prices of each year.

Its own items are the sums and grants that it states, and what it changes by name: reviews that it makes more frequent,
places that it opens, transitions that it supports, sums that its contracts pay. What then happens to everybody else's
care is its effect, not its cost.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl

from simcare.model import Model
from simcare.model.settable import offers_by_name
from simcare.model.strategy import BASELINE, Strategy

SUMS = {"paid_block": 1.0, "paid_episode": 1.0, "paid_step_down": 1.0, "taken_back": -1.0}  # of contracts
ASSESSMENTS, REVIEWS, TRANSITIONS = "paid_assessments", "paid_reviews", "paid_transitions"
OWN_SUMS = "programme and grants"
TITLES = {
    "paid_programmes": OWN_SUMS,
    ASSESSMENTS: "assessments",
    REVIEWS: "reviews",
    TRANSITIONS: "supported transitions",
}


@dataclass(frozen=True, slots=True)
class OwnItem:
    """Something that a strategy spends on: ``title``, the ``measures`` that hold it with their signs, and the services
    that it is limited to (None: all and none)."""

    title: str
    measures: dict[str, float]
    services: tuple[str, ...] | None = None


def own_items(strategy: Strategy, model: Model) -> tuple[OwnItem, ...]:
    """What a strategy spends on itself, each item once: its sums and grants first, though they may be nothing."""
    named = dict.fromkeys(["paid_programmes", *_fees(strategy)])
    items = [OwnItem(TITLES[name], {name: 1.0}) for name in named]
    titles = {service.name: service.title or service.name.replace("_", " ") for service in model.services}
    places = dict.fromkeys(_services(strategy, model))
    items += [OwnItem(titles[name], {"cost": 1.0}, (name,)) for name in places]
    under = tuple(dict.fromkeys(new.service for new in strategy.contracts if new.service not in places))
    return (*items, OwnItem("sums that contracts pay", SUMS, under)) if under else tuple(items)


def _path_parts(path: str) -> tuple[str, str, str]:
    """The part, the name and the field of a path; a name may hold dots."""
    part, _, rest = path.partition(".")
    name, _, field = rest.rpartition(".")
    return part, name, field


def _fees(strategy: Strategy) -> Iterator[str]:
    """The measures of what is paid for work that the strategy changes."""
    for change in strategy.changes:
        part, _, field = _path_parts(change.path)
        if part == "handovers":
            yield TRANSITIONS
        if part == "teams" or (part == "front_door" and field not in ("step_up_first", "gbp_per_review")):
            yield ASSESSMENTS
        if part == "teams" or (part in ("services", "front_door") and "review" in field):
            yield REVIEWS


def _services(strategy: Strategy, model: Model) -> Iterator[str]:
    """The services whose places the strategy sets, or to which it sends people first."""
    offers = {name: model.providers[p].offers[k].service for name, (p, k) in offers_by_name(model)}
    for change in strategy.changes:
        part, name, field = _path_parts(change.path)
        if part == "offers":
            yield offers[name]
        if part == "front_door" and field == "step_up_first":
            door = next(door for door in model.front_door if door.name == name)
            stages = [stage for stage in model.stages if door.stages is None or stage.name in door.stages]
            for service in model.services:
                to_age = float("inf") if service.to_age is None else service.to_age
                ages = any(s.from_age < to_age and (s.to_age is None or service.from_age < s.to_age) for s in stages)
                if service.short_term_days is not None and ages:
                    yield service.name


def programme_costs(measures: pl.DataFrame, strategy: Strategy, model: Model) -> pl.DataFrame:
    """What the strategy spends on each of its own items beyond the baseline, replication by replication, in cash.
    Columns: item, replication, gbp. Replications of the baseline in which nothing was paid count as zero."""
    runs = measures.select("replication").unique().sort("replication")
    found = []
    for item in own_items(strategy, model):
        rows = measures.filter(
            pl.col("measure").is_in(list(item.measures)) & pl.col("strategy").is_in([BASELINE, strategy.name])
        )
        rows = rows if item.services is None else rows.filter(pl.col("service").cast(pl.String).is_in(item.services))
        side = pl.when(pl.col("strategy") == BASELINE).then(-1.0).otherwise(1.0)
        sign = pl.col("measure").cast(pl.String).replace_strict(item.measures, return_dtype=pl.Float64)
        summed = rows.group_by("replication").agg((pl.col("value") * side * sign).sum().alias("gbp"))
        each = runs.join(summed, on="replication", how="left", maintain_order="left").with_columns(
            pl.lit(item.title).alias("item"), pl.col("gbp").fill_null(0.0)
        )
        found.append(each.select("item", "replication", "gbp"))
    return pl.concat(found)
