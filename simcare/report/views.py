"""What the report shows of each strategy in turn: people in care, waiting, cost by year, and moves between tiers."""

from __future__ import annotations

import polars as pl

from simcare.model.strategy import BASELINE
from simcare.report import figures, summaries, tables, wording
from simcare.report.exhibit import Exhibit, exhibit_name
from simcare.report.frames import Frames, beside_baseline
from simcare.report.limit_frames import limited
from simcare.report.page import Block, Facts, Section, Text, Views
from simcare.report.setting import Setting
from simcare.report.summaries import demand_is_known

WAITING = (
    "Where all places of a service are taken, people wait, and the most urgent go first: after a crisis, then on"
    " leaving hospital, then from the community, then planned moves; people who wait long move up. People in a service"
    " stay there until another has a place. Delayed discharge: ready to leave hospital and still there. Spot purchases:"
    " places above contracted capacity, at a higher price, bought in a crisis, or kept after a cut until another place"
    " is free."
)
MEAN_WAIT = (
    " Mean wait: the days waited by all who got a place from the queue in the quarter, divided by their number; people"
    " who got a place at once, or still wait, are not in it, so that it can be short while many wait: read it beside"
    " the people waiting. By quarter, as in a single month few may get a place; its band is of replications in which"
    " anybody did."
)


def part_note(measures: pl.DataFrame) -> str:
    """How demand's part of a range is drawn, where it is known."""
    return " Purple: demand's part of it." if demand_is_known(measures) else ""


# ---- people in care
def people_section(frames: Frames) -> Section:
    """People in care by life stage and tier; under a strategy first what it changes."""
    setting = frames.setting
    note = (
        f"Average of each month, {setting.period}. Band: {setting.range_words}.{part_note(frames.measures)} Each panel"
        " has its own scale, from zero."
    )
    each = [
        [
            *([caseload_change_exhibit(frames.measures, setting, name)] if name != BASELINE else []),
            *caseload_exhibits(beside_baseline(frames.caseload, name), setting, name, note),
        ]
        for name in setting.names
    ]
    meanings = wording.tier_meanings(setting.model)
    folded = [Facts(list(meanings.items()), "What each tier holds")] if meanings else []
    heading = f"People in care by life stage and tier, {setting.period}"
    return Section(heading, [*folded, Views(each)], key="people", contents="People in care")


def caseload_exhibits(frame: pl.DataFrame, setting: Setting, strategy: str, note: str) -> list[Exhibit]:
    """An exhibit for each life stage in which anybody is in care under the strategy."""
    found = []
    cared = frame.filter((pl.col("strategy") == strategy) & (pl.col("mean") > 0))["stage"].unique()
    for stage in (s.name for s in setting.model.stages if s.name in cared):
        mine = frame.filter(pl.col("stage") == stage)
        figure = figures.caseload_figure(mine, setting, stage, strategy)
        table = tables.caseload_table(mine, setting, stage, strategy)
        name = exhibit_name("people", stage, strategy)
        found.append(Exhibit(name, figure.layout.meta["title"], mine, table, figure, note=note))
    return found


def caseload_change_exhibit(measures: pl.DataFrame, setting: Setting, strategy: str) -> Exhibit:
    """What a strategy does to people in care, all life stages together."""
    frame = summaries.caseload_change_by_month(measures, strategy)
    figure = figures.caseload_change_figure(frame, setting, strategy)
    table = tables.caseload_change_table(frame, setting, strategy)
    note = (
        "All life stages together, average of each month. Band: 90% prediction interval. Each panel has its own scale."
    )
    name = exhibit_name("people-change", strategy)
    return Exhibit(name, figure.layout.meta["title"], frame, table, figure, note=note)


# ---- waiting
def waits_section(frames: Frames) -> Section | None:
    """Waiting and the limits of capacity; None where capacity runs out under no strategy."""
    setting = frames.setting
    short = {name: limited(frames.measures, name) for name in setting.names}
    if not any(short.values()):
        return None
    each: list[list[Block]] = []
    for name, title in setting.names.items():
        if short[name] or short[BASELINE]:
            each.append([waits_exhibit(beside_baseline(frames.limits, name), setting, name)])
        else:
            nobody = "nobody waits for a place, has a delayed discharge or is in a spot-purchased place"
            each.append([Text([f"{title}: {nobody}."])])
    heading = f"Waiting and the limits of capacity, {setting.period}"
    return Section(heading, [Text([WAITING], "quiet"), Views(each)], key="places", contents="Waiting for places")


def waits_exhibit(frame: pl.DataFrame, setting: Setting, strategy: str) -> Exhibit:
    """What happens where capacity runs out, under one strategy beside the baseline."""
    figure = figures.waits_figure(frame, setting, strategy)
    table = tables.waits_table(frame, setting, strategy)
    note = (
        f"People: average of each month, {setting.period}. Band: {setting.range_words}. Each panel has its own scale,"
        " from zero."
    )
    note += MEAN_WAIT if any(row[0] == tables.MEAN_WAIT for row in table.rows) else ""
    name = exhibit_name("waiting", strategy)
    return Exhibit(name, figure.layout.meta["title"], frame, table, figure, note=note)


# ---- cost and moves
def cost_section(frames: Frames) -> Section:
    """Cost by financial year and life stage."""
    setting = frames.setting
    note = (
        f"Cash budget. Blue: cost to the council. Pale blue: with what the NHS and clients pay. Whisker:"
        f" {setting.range_words}."
        f"{part_note(frames.measures)} Scales differ between panels. Spending that belongs to no life stage is in the"
        " first panel only."
    )
    each = [[cost_exhibit(beside_baseline(frames.costs, name), setting, name, note)] for name in setting.names]
    heading = f"Cost by financial year, {setting.period}"
    return Section(heading, [Views(each)], key="money", contents="Cost by year")


def cost_exhibit(frame: pl.DataFrame, setting: Setting, strategy: str, note: str) -> Exhibit:
    """Cost under one strategy, beside the baseline."""
    figure = figures.cost_figure(frame, setting, strategy)
    table = tables.yearly_cost_table(frame, setting, strategy)
    return Exhibit(exhibit_name("cost", strategy), figure.layout.meta["title"], frame, table, figure, note=note)


def moves_section(frames: Frames) -> Section | None:
    """Moves between tiers; None where the baseline has none."""
    setting, flows = frames.setting, frames.given.flows
    moved = {name for name in setting.names if not flows.filter(pl.col("strategy") == name).is_empty()}
    if BASELINE not in moved:
        return None
    each = [[moves_exhibit(frames.moves(name), setting, name)] if name in moved else [] for name in setting.names]
    heading = f"Moves between tiers, {setting.period}"
    return Section(heading, [Views(each)], key="moves", contents="Moves between tiers")


def moves_exhibit(frame: pl.DataFrame, setting: Setting, strategy: str) -> Exhibit:
    """Moves under one strategy, and the baseline's average beside them in the table."""
    figure, table = figures.moves_figure(frame, setting, strategy), tables.moves_table(frame, setting, strategy)
    note = (
        f"Average a year over {setting.period} and over replications. People who stay on their tier are not shown;"
        " moves that are less than 0.2% of all are in the table only."
    )
    return Exhibit(exhibit_name("moves", strategy), figure.layout.meta["title"], frame, table, figure, note=note)
