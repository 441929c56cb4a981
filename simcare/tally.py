"""Months of measures without a log: the rows of a run are counted as they come, and gone.

What is counted is what :func:`simcare.measures.tallies` reads off a log, and a test holds the two equal. Person-days are exact:
a state that lasts from t to t' adds one head from its beginning and takes it away at its end (``periods.occupancy`` says
how that becomes days), so a stay of ten years costs four additions, not a hundred and twenty.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from simcare.errors import BrokenInvariant
from simcare.flows import COUNTED
from simcare.jit import rule
from simcare.logs import frame
from simcare.measures import DAYS_OF, DEPENDENT_DAYS, SETTLED_DAYS, Tallies
from simcare.model import Model
from simcare.money import price_dates, transitions
from simcare.names import Names
from simcare.periods import calendar, year_name
from simcare.rules.names import (
    ADMITTED,
    ASSESSED,
    CLASS_CAUSES,
    CLASSES,
    DIED,
    DISPLACED,
    DIVERTED,
    END,
    IN_CRISIS,
    KEPT,
    LEFT,
    LOG,
    MOVE,
    NOT_THERE,
    QUEUED,
    READY,
    REFERRAL,
    RENEGED,
    REVIEWED,
    START,
    SUPPORTED,
    TRANSITION,
    TREATED,
    WITHDRAWN,
    Tables,
)
from simcare.states import prepare

STATES = (
    "served", "over_provided_days", "dependency_days", "excess_stay_days", "induced_need_days", "under_provided_days", "unmet_need_days",
    "waiting_days", "independent_days", "queue_days", "transfer_days", "hospital_days", "delayed_days", "spot_days",
)  # fmt: skip
(SERVED, OVER, DEPENDENT, EXCESS, INDUCED_NEED, UNDER, UNMET, WAITING, INDEPENDENT, IN_QUEUE, TRANSFER, HOSPITAL, DELAYED, SPOT) = range(len(STATES))
KINDS = (
    "entries", "exits", "step_ups", "step_up_starts", "step_downs", "crises", "referrals", "re_referrals_91", "re_referrals_365", "diverted",
    "assessments", "reviews", "deaths", "leavers", "queued", "reneged", "spot_purchases", "displaced", "admissions", "supported_transitions",
    "unsupported_transitions", *(f"placed_{name}" for name in CLASSES), *(f"waited_days_{name}" for name in CLASSES),
)  # fmt: skip
(ENTRIES, EXITS, STEP_UPS, STEP_UP_STARTS, STEP_DOWNS, CRISES, REFERRALS, SOON_AGAIN, AGAIN_IN_A_YEAR, DIVERSIONS, ASSESSMENTS, REVIEWS, DEATHS,
 LEAVERS, JOINED, RENEGES, SPOT_PURCHASES, DISPLACEMENTS, ADMISSIONS, SUPPORTED_ONES, UNSUPPORTED_ONES, PLACED) = range(22)  # fmt: skip
WAITED = PLACED + len(CLASSES)
ENTERED, DEPARTED, THERE, SERVED_ON_DAY_0 = range(4)
HAIR = 1e-7  # days: what rounding can leave of a sum that is nought


class Books(NamedTuple):
    """What is counted, and what is needed to know where. C cells (area, stage, group, offer), P periods, T tiers."""

    days: NDArray[np.float64]  # (states, C, P): days from each coming to the end of its period, less those from each going
    heads: NDArray[np.int32]  # (states, C, P): comings less goings
    counts: NDArray[np.float64]  # (kinds, C, P)
    moves: NDArray[np.int64]  # (P, T, T + 1): from tier to tier, the last for who is gone
    people: NDArray[np.int64]  # entered, departed, there at the end, served on day 0
    period_of_day: NDArray[np.int32]
    ends: NDArray[np.float64]  # (P)
    offer_of: NDArray[np.int32]  # (services, providers): number of the pair, from 1
    short: NDArray[np.bool_]  # (services)
    shape: NDArray[np.int64]  # stages, groups, offers + 1


class Tally:
    """The books of one replication: rows go in by :meth:`add`, measures come out by :meth:`tallies`."""

    def __init__(self, model: Model, tables: Tables, names: Names, days: float) -> None:
        self.model, self.names, self.periods = model, names, calendar(model.about.start, days, price_dates(model))
        self.pairs = sorted({(names.services.index(o.service), p) for p, provider in enumerate(model.providers) for o in provider.offers})
        offer_of = np.zeros((len(names.services), len(names.providers)), np.int32)
        for k, pair in enumerate(self.pairs, start=1):
            offer_of[pair] = k
        cells = len(names.areas) * len(names.stages) * len(names.groups) * (len(self.pairs) + 1)
        begins, count = self.periods["from_day"].to_numpy(), self.periods.height
        self.books = Books(
            days=np.zeros((len(STATES), cells, count)),
            heads=np.zeros((len(STATES), cells, count), np.int32),
            counts=np.zeros((len(KINDS), cells, count)),
            moves=np.zeros((count, len(names.tiers), len(names.tiers) + 1), np.int64),
            people=np.zeros(4, np.int64),
            period_of_day=(np.searchsorted(begins, np.arange(int(days) + 1), side="right") - 1).astype(np.int32),
            ends=self.periods["to_day"].to_numpy(),
            offer_of=offer_of,
            short=tables.services["short"] != 0,
            shape=np.array([len(names.stages), len(names.groups), len(self.pairs) + 1]),
        )
        tiers = [0, *(int(tables.services[service]["tier"]) for service, _ in self.pairs)]
        sizes = (len(names.areas), len(names.stages), len(names.groups), len(self.pairs) + 1)
        area, stage, group, offer = np.unravel_index(np.arange(cells), sizes)
        place = {"area": area, "stage": stage, "group": group, "tier": np.array(tiers)[offer]}
        place |= {"service": np.array([-1, *(s for s, _ in self.pairs)])[offer], "provider": np.array([-1, *(p for _, p in self.pairs)])[offer]}
        self._place = pl.DataFrame([_named(name, codes, getattr(names, f"{name}s")) for name, codes in place.items()])
        self._transitions: list[pl.DataFrame] = []

    def add(self, rows: NDArray[Any]) -> None:
        """Count rows of ``rules.names.LOG``: whole clients, one after the other, each with all of their rows."""
        if count(self.books, rows) and any(handover.gbp_supported is not None for handover in self.model.handovers):
            mine = np.isin(rows["client"], rows["client"][rows["event"] == TRANSITION])
            log = prepare(frame(rows[mine], self.names, "", 0))
            self._transitions.append(transitions(log, self.model, self.periods))

    def check(self) -> None:
        """People entered = people there + gone; in services: there on day 0 + entries − exits = there at the end of every period."""
        books = self.books
        entered, gone, there, on_day_0 = books.people.tolist()
        if entered != gone + there:
            raise BrokenInvariant(f"{entered} people entered, {there} are there and {gone} gone")
        change = books.counts[ENTRIES].sum(axis=0) - books.counts[EXITS].sum(axis=0)
        served = books.heads[SERVED].sum(axis=0).cumsum()
        apart = np.flatnonzero(on_day_0 + change.cumsum() != served)
        if apart.size:
            month = self.periods["month"][int(apart[0])]
            raise BrokenInvariant(f"entries less exits, and the caseload, at the end of {month}: they differ by {change.cumsum()[apart[0]]:g}")
        if (books.heads.cumsum(axis=2)[:, self._used()] < 0).any():
            raise BrokenInvariant("fewer than no people in some cell")

    def _used(self) -> NDArray[np.int64]:
        return np.flatnonzero(self.books.heads.any(axis=(0, 2)) | self.books.counts.any(axis=(0, 2)))

    def tallies(self, strategy: str, replication: int) -> Tallies:
        """Person-days and counts by place and period, as :func:`simcare.measures.tallies` has them from a log."""
        books, used = self.books, self._used()
        run = [pl.lit(strategy).alias("strategy"), pl.lit(replication, dtype=pl.Int32).alias("replication")]
        heads = books.heads[:, used].cumsum(axis=2)
        lengths = books.ends - self.periods["from_day"].to_numpy()
        days = np.maximum((heads - books.heads[:, used]) * lengths + books.days[:, used], 0.0)
        days[(days < HAIR) & (heads == 0)] = 0.0

        def rows(where: tuple[NDArray[Any], ...], kinds: tuple[str, ...], **values: NDArray[Any]) -> pl.DataFrame:
            kind, cell, period = where
            measure = _named("measure", kind, kinds)
            found = [*self._place[used[cell]].get_columns(), pl.Series("period", period), *(pl.Series(name, v[where]) for name, v in values.items())]
            return pl.DataFrame([measure, *found]).select("measure", *run, pl.exclude("measure"))

        shown = rows(np.nonzero((days > 0) | (heads != 0)), STATES, days=days, at_end=heads)
        served, given = pl.col("measure") == STATES[SERVED], pl.col("measure").cast(pl.String).cast(pl.Enum(list(DAYS_OF)))
        counted = rows(np.nonzero(books.counts[:, used]), KINDS, value=books.counts[:, used])
        paid = self._transitions or [transitions(prepare(frame(np.zeros(0, LOG), self.names, "", 0)), self.model, self.periods)]
        return Tallies(
            runs=pl.select(run),
            served=shown.filter(served).drop("measure"),
            given=shown.filter(~served).with_columns(given),
            counted=counted.with_columns(pl.col("measure").cast(pl.String).cast(COUNTED)),
            transitions=pl.concat(paid).with_columns(run),
        )

    def flows(self, strategy: str, replication: int) -> pl.DataFrame:
        """Moves of people from tier to tier by financial year, as :func:`simcare.flows.flows_between` has them from a log."""
        years = self.periods["first_year"].to_numpy()
        rows = []
        for year in sorted(set(years.tolist())):
            moves = self.books.moves[years == year].sum(axis=0)
            to = (*self.names.tiers, "gone")
            rows += [
                (strategy, replication, year_name(year), self.names.tiers[a], to[b], int(moves[a, b])) for a, b in zip(*np.nonzero(moves), strict=True)
            ]
        rows.sort(key=lambda row: (row[2], self.names.tiers.index(row[3]), row[4]))
        schema = {"strategy": pl.String, "replication": pl.Int32, "financial_year": pl.String, "from_tier": pl.String, "to_tier": pl.String,
                  "moves": pl.Int64}  # fmt: skip
        return pl.DataFrame(rows, schema=schema, orient="row")


def _named(column: str, codes: NDArray[Any], words: tuple[str, ...]) -> pl.Series:
    """Names for codes, as an enum in order of the codes; −1 is null."""
    series = pl.Series(column, codes)
    return series.set(series < 0, None).cast(pl.UInt32).cat.to(pl.Enum(words))


@rule
def _book(books: Books, state: int, cell: int, since: float, until: float) -> None:
    """A state that lasted from ``since`` to ``until``; at the horizon it goes on."""
    horizon = books.ends[books.ends.size - 1]
    if since >= until or since >= horizon:
        return
    period = books.period_of_day[int(since)]
    books.heads[state, cell, period] += 1
    books.days[state, cell, period] += books.ends[period] - since
    if until < horizon:
        period = books.period_of_day[int(until)]
        books.heads[state, cell, period] -= 1
        books.days[state, cell, period] -= books.ends[period] - until


@rule
def count(books: Books, rows: NDArray[Any]) -> int:
    """Count the rows of whole clients, one after the other; returns how many supported transitions there were."""
    supported = 0
    horizon = books.ends[books.ends.size - 1]
    since = np.zeros(len(STATES))
    bits, cell, tier, service, stay = 0, -1, -1, -1, 0.0
    excess, once, referred, joined, rank = False, False, -np.inf, 0.0, -1
    for k in range(rows.size):
        row = rows[k]
        first = k == 0 or row.client != rows[k - 1].client
        if first:
            for state in range(since.size):
                if bits & (1 << state):
                    _book(books, state, cell, since[state], horizon)
            bits, cell, tier, service, stay = 0, -1, -1, -1, 0.0
            excess, once, referred, joined, rank = False, False, -np.inf, 0.0, -1
            books.people[ENTERED] += 1
            books.people[THERE] += 1
        now, event = row.time, row.event
        period = books.period_of_day[int(now)]
        served = row.service >= 0
        offer = books.offer_of[row.service, row.provider] if served else 0
        here = ((row.area * books.shape[0] + row.stage) * books.shape[1] + row.group) * books.shape[2] + offer
        gone = event in (DIED, LEFT)
        counts = books.counts
        # What happened, at the place before or after.
        if event == REVIEWED:
            counts[REVIEWS, here, period] += 1.0
        elif event == ASSESSED:
            counts[ASSESSMENTS, here, period] += 1.0
        elif event == REFERRAL:
            counts[REFERRALS, here, period] += 1.0
            if now - referred <= 91.0:
                counts[SOON_AGAIN, here, period] += 1.0
            if now - referred <= 365.0:
                counts[AGAIN_IN_A_YEAR, here, period] += 1.0
            referred = now
        elif event in (START, MOVE):
            was_short, is_short = service >= 0 and books.short[service], served and books.short[row.service]
            if event == START:
                counts[ENTRIES, here, period] += 1.0
            if is_short and not was_short:
                counts[STEP_UPS, here, period] += 1.0
                counts[STEP_UP_STARTS, here, period] += 1.0
            elif event == MOVE and not was_short and not is_short:
                if row.tier > tier:
                    counts[STEP_UPS, here, period] += 1.0
                elif row.tier < tier:
                    counts[STEP_DOWNS, cell, period] += 1.0
            if row.spot:
                counts[SPOT_PURCHASES, here, period] += 1.0
        elif event == END:
            counts[EXITS, cell, period] += 1.0
            counts[STEP_DOWNS, cell, period] += 1.0
        elif gone:
            if service >= 0:
                counts[EXITS, cell, period] += 1.0
            counts[DEATHS if event == DIED else LEAVERS, cell if cell >= 0 else here, period] += 1.0
            books.people[DEPARTED] += 1
            books.people[THERE] -= 1
        elif event == DIVERTED:
            counts[DIVERSIONS, here, period] += 1.0
        elif event == IN_CRISIS:
            counts[CRISES, here, period] += 1.0
        elif event == ADMITTED:
            counts[ADMISSIONS, here, period] += 1.0
        elif event == DISPLACED:
            counts[DISPLACEMENTS, here, period] += 1.0
        elif event == TRANSITION:
            counts[SUPPORTED_ONES if row.cause == SUPPORTED else UNSUPPORTED_ONES, here, period] += 1.0
            supported += row.cause == SUPPORTED
        if tier >= 0 and (gone or ((event in (START, MOVE, END)) and row.tier != tier)):
            books.moves[period, tier, books.moves.shape[2] - 1 if gone else row.tier] += 1
        # The queue for a place.
        if event == QUEUED:
            counts[JOINED, here, period] += 1.0
            joined = now
            for c in range(len(CLASS_CAUSES)):
                if row.cause == CLASS_CAUSES[c]:
                    rank = c
        elif rank >= 0 and event in (START, MOVE, KEPT):
            counts[PLACED + rank, here, period] += 1.0
            counts[WAITED + rank, here, period] += now - joined
            rank = -1
        elif event in (WITHDRAWN, END, DIVERTED) or gone:
            if event == WITHDRAWN and row.cause == RENEGED:
                counts[RENEGES, here, period] += 1.0
            rank = -1
        # The state from now on.
        new = 0
        begins = served and (row.service != service or (stay != row.stay_start) or offer != cell % books.shape[2] or cell < 0)
        if not gone:
            there = row.hospital != NOT_THERE
            if served:
                once = True
                new |= 1 << SERVED
                gap = row.tier - row.need
                if begins:
                    excess = False
                if there or books.short[row.service]:
                    gap = 0
                if gap > 0:
                    excess = True
                    new |= (1 << OVER) | (1 << DEPENDENT)
                elif gap < 0:
                    new |= 1 << UNDER
                if excess and not books.short[row.service]:
                    new |= 1 << EXCESS
                if rank >= 0:
                    new |= 1 << TRANSFER
                if row.spot:
                    new |= 1 << SPOT
                if first and now == 0.0:
                    books.people[SERVED_ON_DAY_0] += 1
            else:
                if row.need > 0 and not there:
                    new |= 1 << UNMET
                if row.waiting:
                    new |= 1 << WAITING
                if once and not there:
                    new |= 1 << INDEPENDENT
            if row.induced > 0:
                new |= 1 << INDUCED_NEED
            if rank >= 0:
                new |= 1 << IN_QUEUE
            if row.hospital == TREATED:
                new |= 1 << HOSPITAL
            elif row.hospital == READY:
                new |= 1 << DELAYED
        moved = cell != here or begins or gone
        changed = (bits | new) if moved else (bits ^ new)
        if changed:
            for state in range(since.size):
                bit = 1 << state
                if changed & bit:
                    if bits & bit:
                        _book(books, state, cell, since[state], now)
                    if new & bit:
                        since[state] = now
                        if state == OVER:
                            since[state] = max(now, row.stay_start + SETTLED_DAYS)
                        elif state == DEPENDENT:
                            since[state] = max(now, row.stay_start + DEPENDENT_DAYS)
        bits, cell, tier, service, stay = new, here, row.tier, row.service, row.stay_start
    for state in range(since.size):
        if bits & (1 << state):
            _book(books, state, cell, since[state], horizon)
    return supported
