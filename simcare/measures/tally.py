"""Months of measures without a log: the rows of a run are counted as they come, and gone.

The books themselves are :mod:`simcare.measures.compiled_counts`; here they are opened for a model, checked, and read as
frames.
"""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from simcare.arrays.names import Names
from simcare.errors import BrokenInvariant
from simcare.log.flows import GONE_TIER
from simcare.log.frame import frame, named
from simcare.log.periods import calendar
from simcare.log.spells import COLUMNS, SPELL, spells_in
from simcare.log.states import IDS, PLACE, prepare
from simcare.log.tallies import Tallies
from simcare.measures.compiled_counts import ENTRIES, EXITS, HAIR, KINDS, SERVED, STATES, Books, count
from simcare.measures.counted_events import COUNTED, RE_REFERRAL_DAYS, READMISSION_DAYS
from simcare.measures.measure import AGED, DAYS_OF
from simcare.model import Model
from simcare.money.ledger import price_dates, transitions
from simcare.money.payments import bands, with_sums
from simcare.money.provider_accounts import NO_MARKET
from simcare.rules.codes import TRANSITION
from simcare.rules.records import LOG, Tables
from simcare.units import year_name


class Tally:
    """The books of one replication: rows go in by :meth:`add`, measures come out by :meth:`tallies`."""

    def __init__(self, model: Model, tables: Tables, names: Names, days: float) -> None:
        self.model, self.names, self.days = model, names, days
        self.periods = calendar(model.about.start, days, price_dates(model))
        self.pairs = sorted(
            {
                (names.services.index(o.service), p)
                for p, provider in enumerate(model.providers)
                for o in provider.offers
            }
        )
        offer_of = np.zeros((len(names.services), len(names.providers)), np.int32)
        for k, pair in enumerate(self.pairs, start=1):
            offer_of[pair] = k
        cells = len(names.areas) * len(names.stages) * len(names.groups) * (len(self.pairs) + 1)
        begins, count = self.periods["from_day"].to_numpy(), self.periods.height
        marks = self._marks()
        states = len(STATES) + len(AGED) * marks.shape[1]
        self.books = Books(
            days=np.zeros((states, cells, count)),
            heads=np.zeros((states, cells, count), np.int32),
            counts=np.zeros((len(KINDS), cells, count)),
            moves=np.zeros(
                (count, len(names.stages) * len(names.groups), len(names.tiers), len(names.tiers) + 1), np.int64
            ),
            people=np.zeros(4, np.int64),
            period_of_day=(np.searchsorted(begins, np.arange(int(days) + 1), side="right") - 1).astype(np.int32),
            ends=self.periods["to_day"].to_numpy(),
            offer_of=offer_of,
            short=tables.services["short"] != 0,
            shape=np.array([len(names.stages), len(names.groups), len(self.pairs) + 1]),
            marks=marks,
            from_day=np.array([DAYS_OF[name][1] if name in DAYS_OF else 0 for name in STATES], np.float64),
            within=np.array([*RE_REFERRAL_DAYS, READMISSION_DAYS], np.float64),
        )
        self._wanted = np.zeros((len(names.services), len(names.providers)), np.bool_)
        for service, provider in with_sums(model):
            self._wanted[names.services.index(service), names.providers.index(provider)] = True
        self._spells: list[NDArray[Any]] = []
        tiers = [0, *(int(tables.services[service]["tier"]) for service, _ in self.pairs)]
        sizes = (len(names.areas), len(names.stages), len(names.groups), len(self.pairs) + 1)
        area, stage, group, offer = np.unravel_index(np.arange(cells), sizes)
        place = {"area": area, "stage": stage, "group": group, "tier": np.array(tiers)[offer]}
        place |= {
            "service": np.array([-1, *(s for s, _ in self.pairs)])[offer],
            "provider": np.array([-1, *(p for _, p in self.pairs)])[offer],
        }
        self._place = pl.DataFrame([named(name, codes, getattr(names, f"{name}s")) for name, codes in place.items()])
        self._transitions: list[pl.DataFrame] = []

    def _marks(self) -> NDArray[np.float64]:
        """The first day of each band of each offer, in the order of the pairs."""
        found = bands(self.model)
        marks = np.full((len(self.pairs) + 1, max((len(days) for days in found.values()), default=0)), np.inf)
        for k, (service, provider) in enumerate(self.pairs, start=1):
            days = found.get((self.names.services[service], self.names.providers[provider]), ())
            marks[k, : len(days)] = days
        return marks

    def add(self, rows: NDArray[Any]) -> None:
        """Count rows of ``rules.records.LOG``: whole clients, one after the other, each with all of their rows."""
        if count(self.books, rows) and any(handover.gbp_supported is not None for handover in self.model.handovers):
            mine = np.isin(rows["client"], rows["client"][rows["event"] == TRANSITION])
            log = prepare(frame(rows[mine], self.names, "", 0))
            self._transitions.append(transitions(log, self.model, self.periods))
        if self._wanted.any():
            found = np.zeros(rows.size, SPELL)
            self._spells.append(found[: spells_in(rows, self._wanted, self.days, found)].copy())

    def check(self) -> None:
        """People entered = people there + gone; in services: there on day 0 + entries − exits = there at the end of
        every period."""
        books = self.books
        entered, gone, there, on_day_0 = books.people.tolist()
        if entered != gone + there:
            raise BrokenInvariant(f"{entered} people entered, {there} are there and {gone} gone")
        change = books.counts[ENTRIES].sum(axis=0) - books.counts[EXITS].sum(axis=0)
        served = books.heads[SERVED].sum(axis=0).cumsum()
        apart = np.flatnonzero(on_day_0 + change.cumsum() != served)
        if apart.size:
            month = self.periods["month"][int(apart[0])]
            raise BrokenInvariant(
                f"entries less exits, and the caseload, at the end of {month}: they differ by"
                f" {change.cumsum()[apart[0]]:g}"
            )
        if (books.heads.cumsum(axis=2)[:, self._used()] < 0).any():
            raise BrokenInvariant("fewer than no people in some cell")

    def _used(self) -> NDArray[np.int64]:
        return np.flatnonzero(self.books.heads.any(axis=(0, 2)) | self.books.counts.any(axis=(0, 2)))

    def tallies(self, strategy: str, replication: int, market: pl.DataFrame = NO_MARKET) -> Tallies:
        """Person-days and counts by place and period, as :func:`simcare.measures.measure.tallies` has them from a
        log."""
        books, used = self.books, self._used()
        run = [pl.lit(strategy).alias("strategy"), pl.lit(replication, dtype=pl.Int32).alias("replication")]
        heads = books.heads[:, used].cumsum(axis=2)
        lengths = books.ends - self.periods["from_day"].to_numpy()
        days = np.maximum((heads - books.heads[:, used]) * lengths + books.days[:, used], 0.0)
        days[(days < HAIR) & (heads == 0)] = 0.0

        def rows(where: tuple[NDArray[Any], ...], kinds: tuple[str, ...], **values: NDArray[Any]) -> pl.DataFrame:
            kind, cell, period = where
            measure = named("measure", kind, kinds)
            found = [
                *self._place[used[cell]].get_columns(),
                pl.Series("period", period),
                *(pl.Series(name, v[where]) for name, v in values.items()),
            ]
            return pl.DataFrame([measure, *found]).select("measure", *run, pl.exclude("measure"))

        plain = slice(0, len(STATES))
        shown = rows(np.nonzero((days[plain] > 0) | (heads[plain] != 0)), STATES, days=days[plain], at_end=heads[plain])
        served, given = (
            pl.col("measure") == STATES[SERVED],
            pl.col("measure").cast(pl.String).cast(pl.Enum(list(DAYS_OF))),
        )
        counted = rows(np.nonzero(books.counts[:, used]), KINDS, value=books.counts[:, used])
        paid = self._transitions or [
            transitions(prepare(frame(np.zeros(0, LOG), self.names, "", 0)), self.model, self.periods)
        ]
        return Tallies(
            runs=pl.select(run),
            served=shown.filter(served).drop("measure"),
            given=shown.filter(~served).with_columns(given),
            counted=counted.with_columns(pl.col("measure").cast(pl.String).cast(COUNTED)),
            transitions=pl.concat(paid).with_columns(run),
            aged=self._aged(days, heads, rows),
            spells=self._spell_frame(run),
            market=market,
        )

    def _aged(self, days: NDArray[Any], heads: NDArray[Any], rows: Any) -> pl.DataFrame:
        """The person-days after each band's first day of the stay, by measure and band."""
        count, parts = self.books.marks.shape[1], []
        for band in range(count):
            chosen = len(STATES) + band + count * np.arange(len(AGED))
            where = np.nonzero((days[chosen] > 0) | (heads[chosen] != 0))
            found = rows(where, AGED, days=days[chosen], at_end=heads[chosen])
            parts.append(found.with_columns(pl.lit(band + 1, dtype=pl.Int64).alias("band")))
        none = rows(
            np.nonzero(np.zeros((1, 1, 1))), AGED, days=np.zeros((1, 1, 1)), at_end=np.zeros((1, 1, 1), np.int64)
        )
        every = pl.concat([none.with_columns(pl.lit(0, dtype=pl.Int64).alias("band")), *parts])
        return pl.DataFrame(every).select("measure", "band", *IDS, "period", "days", "at_end")

    def _spell_frame(self, run: list[pl.Expr]) -> pl.DataFrame:
        """The spells under contracts that pay sums, as :func:`simcare.log.spells.spells` has them from a log."""
        found = np.concatenate([np.zeros(0, SPELL), *self._spells])
        place = [named(name, found[name], getattr(self.names, f"{name}s")) for name in PLACE]
        back = pl.Series("back", found["back"]).replace(float("inf"), None)
        times = [pl.Series(name, found[name]) for name in ("stay_start", "time", "until")]
        return (
            pl.DataFrame([*place, pl.Series("stepped", found["stepped"] != 0), *times, back])
            .with_columns(run)
            .select(COLUMNS)
        )

    def flows(self, strategy: str, replication: int) -> pl.DataFrame:
        """Moves of people from tier to tier by financial year, as :func:`simcare.log.flows.flows_between` has them from
        a log."""
        years = self.periods["first_year"].to_numpy()
        whose = list(product(self.names.stages, self.names.groups))
        to = (*self.names.tiers, GONE_TIER)
        rows = []
        for year in sorted(set(years.tolist())):
            moves = self.books.moves[years == year].sum(axis=0)
            for w, a, b in zip(*np.nonzero(moves), strict=True):
                rows.append(
                    (strategy, replication, year_name(year), *whose[w], self.names.tiers[a], to[b], int(moves[w, a, b]))
                )
        rows.sort(key=lambda row: (*row[2:5], self.names.tiers.index(row[5]), row[6]))
        schema = {
            "strategy": pl.String, "replication": pl.Int32, "financial_year": pl.String, "stage": pl.String,
            "group": pl.String, "from_tier": pl.String, "to_tier": pl.String, "moves": pl.Int64
        }  # fmt: skip
        return pl.DataFrame(rows, schema=schema, orient="row")
