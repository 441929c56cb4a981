"""From need to a place: assessments and reviews, at once or in a team's queue, and the tier they lead to."""

from __future__ import annotations

from math import inf
from typing import Any

from simcare.rules.clocks import dated, due
from simcare.rules.codes import (
    ASSESSMENT,
    BY_CRISIS,
    BY_HANDOVER,
    BY_HOSPITAL,
    BY_REVIEW,
    COMMUNITY_CLASS,
    CRISIS_CLASS,
    DIRECT,
    DOWN,
    HOSPITAL_CLASS,
    IN_SERVICE,
    NOT_IN_NEED,
    OUT,
    PLANNED_CLASS,
    REFERRED,
    REVIEWED,
    SAME,
    SHORT_TERM_END,
    UP,
)
from simcare.rules.compile import rule
from simcare.rules.draws import STEP_UP_FIRST
from simcare.rules.moves import assess, divert, draw, let_go, look, write
from simcare.rules.places import ask_team, seek, stay_on
from simcare.rules.queues import drop_team


@rule
def _class(world: Any, i: int, cause: int, upwards: bool) -> int:
    """How urgent a request is: crisis, hospital, community, planned; a first request may have a class of its own."""
    if cause == BY_CRISIS:
        return CRISIS_CLASS
    if cause == BY_HOSPITAL:
        return HOSPITAL_CLASS
    if cause in (ASSESSMENT, DIRECT):
        return world.clients[i].priority
    if cause in (SHORT_TERM_END, BY_HANDOVER) or (cause == BY_REVIEW and upwards):
        return COMMUNITY_CLASS
    return PLANNED_CLASS


@rule
def settle(world: Any, i: int, now: float, tier: int, cause: int) -> None:
    """Put the client in the tier of the need seen: 0 is independence, an end for those in care, a diversion for
    others."""
    client = world.clients[i]
    if tier > 0 and seek(world, i, now, tier, cause, _class(world, i, cause, tier > client.tier)):
        return
    if client.status == IN_SERVICE:
        let_go(world, i, now, cause)
    elif client.status == REFERRED:
        divert(world, i, now, NOT_IN_NEED)


@rule
def ask(world: Any, i: int, now: float, cause: int) -> None:
    """An assessment or a review: at once, or in the queue of the team that does it."""
    if ask_team(world, i, now, cause, _class(world, i, cause, False)):
        _conclude(world, i, now, cause)


@rule
def done(world: Any, i: int, now: float) -> None:
    """The team has worked its hours on the client, and is free for the next."""
    client = world.clients[i]
    cause = client.task
    drop_team(world, i)
    _conclude(world, i, now, cause)


@rule
def _conclude(world: Any, i: int, now: float, cause: int) -> None:
    """What an assessment or a review leads to."""
    if cause == BY_REVIEW:
        _review(world, i, now)
    elif cause == ASSESSMENT:
        _open_package(world, i, now, assess(world, i, now, ASSESSMENT))
    else:
        settle(world, i, now, assess(world, i, now, SHORT_TERM_END if cause == SHORT_TERM_END else ASSESSMENT), cause)


@rule
def _open_package(world: Any, i: int, now: float, seen: int) -> None:
    """The first package, for the need seen; some begin with a short-term service instead."""
    client = world.clients[i]
    stage = world.tables.stages[client.stage]
    if seen > 0 and world.tables.stage_needs[client.stage, seen].step_up:
        u = draw(world, i, STEP_UP_FIRST)
        if u < dated(world, stage.step_up_first, now, 0.0) and seek(
            world, i, now, short_term(world), ASSESSMENT, client.priority
        ):
            return
    settle(world, i, now, seen, ASSESSMENT)


@rule
def short_term(world: Any) -> int:
    return world.tables.lists.shape[1] - 1


@rule
def _review(world: Any, i: int, now: float) -> None:
    client = world.clients[i]
    seen = look(world, i, now)
    write(world, i, now, REVIEWED, UP if seen > client.tier else (DOWN if seen < client.tier else SAME))
    client.review_due = due(world, world.tables.services[client.service].review_every, now, now)
    if seen != client.tier:
        settle(world, i, now, seen, BY_REVIEW)
    else:
        stay_on(world, i, now)


@rule
def step_up(world: Any, i: int, now: float) -> None:
    """Home first: a crisis goes to step-up; where none is open to the client, straight to an assessment."""
    client = world.clients[i]
    if client.status == REFERRED:  # what was to be assessed has changed
        client.assess_at = inf
        drop_team(world, i)
    if seek(world, i, now, short_term(world), BY_CRISIS, CRISIS_CLASS):
        return
    if client.status == OUT:
        client.status, client.wait_since = REFERRED, now
    client.assess_at = inf
    ask(world, i, now, BY_CRISIS)
