"""The people of every birth cohort as they grow older, carried through spans in which their rates are constant."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from simcare.cohort.dates import age_density, moved_by_years
from simcare.cohort.generator import GONE, Floats, Ints, MarkovChain, age_edges
from simcare.cohort.markov_limit import cumulative_hazard
from simcare.model import Model
from simcare.units import YEAR_DAYS

CUT_OFF = 1e-13  # what uniformization leaves out of a span


class Piece(NamedTuple):
    """A piece of the grid: its matrices by band and its arrivals by band of entry, shape (strata, areas, S)."""

    generators: list[Floats]  # (1 + baselines, N, N) over the live states of the band
    arriving: list[Floats]


def generator_of(chain: MarkovChain, b: int, multipliers: Floats) -> Floats:
    """The generator of a band over its live states: the constant part, then one matrix for each baseline by age."""
    edges, size = chain.edges[b], len(chain.states)
    out = np.zeros((1 + len(chain.care.by_age), size, size))
    weight = edges.weight * multipliers[edges.line]
    stays = edges.target != GONE
    np.add.at(out, (edges.by_age[stays], edges.source[stays], edges.target[stays]), weight[stays])
    np.subtract.at(out, (edges.by_age, edges.source, edges.source), weight)
    live = np.flatnonzero(chain.live[b])
    return out[:, live][:, :, live]


def _flow(x: Floats, inflow: Floats, days: Floats, generator: Floats, speed: Floats) -> Floats:
    """Solve dx/dt = x A + u over ``days`` for every cohort, by uniformization.

    ``x`` and ``inflow`` (cohorts, areas, states), ``days`` (cohorts), ``generator`` (1 + K, states, states), ``speed``
    (cohorts, K): A = generator[0] + Σ speed[k] generator[k + 1]. With Λ above every exit rate and P = 1 + A / Λ, s ← s
    P + u / Λ is the state after one more of N ~ Poisson(Λ days) jumps, and x(days) is its mean over N.
    """
    used = [k for k in range(speed.shape[1]) if generator[k + 1].any()]
    exits = -np.diagonal(generator, axis1=1, axis2=2)
    fastest = (exits[0] + speed[:, used] @ exits[[k + 1 for k in used]]).max(axis=1)
    parts = max(1, math.ceil(float((fastest * days).max()) / 32.0))
    step = days / parts
    top = np.maximum(fastest, 1e-3 / step)
    for _ in range(parts):
        weight = np.exp(-top * step)
        total, s, left, n = weight[:, None, None] * x, x, 1.0 - weight, 0
        while left.max() > CUT_OFF:
            n += 1
            drift = s @ generator[0] + inflow
            for k in used:
                drift += speed[:, k, None, None] * (s @ generator[k + 1])
            s = s + drift / top[:, None, None]
            weight = weight * (top * step / n)
            left = left - weight
            total += weight[:, None, None] * s
        x = total
    return x


class Cohorts:
    """The people of every cohort as they grow older: ``x`` (cohorts, areas, states) a day of birth."""

    def __init__(self, model: Model, chain: MarkovChain, birth: Floats, weight: Floats) -> None:
        self.model, self.chain, self.birth = model, chain, birth
        ages = chain.care.ages
        self.turns = (
            np.stack([moved_by_years(model.about.start, birth, age) for age in ages[1:]], axis=1)
            if ages.size > 1
            else np.zeros((birth.size, 0))
        )
        edges = sorted({edge for row in model.arrivals for edge in age_edges(model, row)[0]})
        self.cuts = np.concatenate([self.turns, birth[:, None] + np.array(edges) * YEAR_DAYS], axis=1)
        self.areas = {area: k for k, area in enumerate(model.about.areas)}
        shape = (birth.size, len(self.areas), len(chain.states))
        self.x, self.held = np.zeros(shape), np.zeros(shape)
        self.band = self.entry_band(0.0, np.arange(birth.size))
        for row, entries in zip(model.caseload, chain.there, strict=True):
            density = age_density(model, row, -birth / YEAR_DAYS)
            density *= row.count.value / max(
                float(density @ weight), 1e-300
            )  # the cuts hold every edge: only rounding is taken out
            placed = np.einsum("r,brs->bs", np.array(row.needs.value) / sum(row.needs.value), entries)
            self.x[:, self.areas[row.area or model.about.areas[0]]] += density[:, None] * placed[self.band]

    def entry_band(self, day: Floats | float, rows: Ints) -> Ints:
        """The band of whoever of these cohorts comes on a day: by age in years of 365.25 days, as for all who come."""
        return np.maximum(
            np.searchsorted(self.chain.care.ages, (day - self.birth[rows]) / YEAR_DAYS, side="right") - 1, 0
        )

    def advance(self, left: float, right: float, piece: Piece) -> None:
        """Through a piece of the grid: each cohort in as many spans as it has birthdays and edges of age there."""
        cuts = np.sort(np.where((self.cuts > left) & (self.cuts < right), self.cuts, right), axis=1)
        cuts = np.concatenate([np.full((self.birth.size, 1), left), cuts, np.full((self.birth.size, 1), right)], axis=1)
        for k in range(cuts.shape[1] - 1):
            rows = np.flatnonzero(cuts[:, k + 1] > cuts[:, k])
            if rows.size == 0 and k > 0 and (cuts[:, k] >= right).all():
                break
            self._birthdays(rows, cuts[rows, k])
            for b in np.unique(self.band[rows]):
                mine = rows[self.band[rows] == b]
                self._span(int(b), mine, cuts[mine, k], cuts[mine, k + 1], piece)

    def _birthdays(self, rows: Ints, now: Floats) -> None:
        reached = (self.turns[rows] <= now[:, None]).sum(axis=1)
        while (due := rows[self.band[rows] < reached]).size:
            self.band[due] += 1
            for b in np.unique(self.band[due]):
                mine = due[self.band[due] == b]
                self.x[mine] = self.x[mine] @ self.chain.turns[b] + self.held[mine]
                self.held[mine] = 0.0

    def _span(self, b: int, rows: Ints, left: Floats, right: Floats, piece: Piece) -> None:
        days = right - left
        middle = (left + right) / 2.0
        inflow = self._inflow(b, rows, middle, days, piece)
        busy = (self.x[rows] > 0.0).any(axis=(1, 2)) | (inflow > 0.0).any(axis=(1, 2))
        rows, left, right, days, inflow = rows[busy], left[busy], right[busy], days[busy], inflow[busy]
        if rows.size == 0:
            return
        live = np.flatnonzero(self.chain.live[b])
        born = self.birth[rows]
        speed = np.zeros((rows.size, len(self.chain.care.by_age)))
        for k, (clock, rate) in enumerate(self.chain.care.by_age):
            if piece.generators[b][k + 1].any():
                row = self.model.clocks[clock]
                speed[:, k] = (
                    cumulative_hazard(row, rate, right - born) - cumulative_hazard(row, rate, left - born)
                ) / days
        self.x[rows[:, None], :, live] = np.swapaxes(
            _flow(self.x[rows][:, :, live], inflow[:, :, live], days, piece.generators[b], speed), 1, 2
        )

    def _inflow(self, b: int, rows: Ints, middle: Floats, days: Floats, piece: Piece) -> Floats:
        """Who comes into these cohorts, all in band ``b``, a day.

        Someone who comes within a day of a birthday may by age (365.25 days a year) be in another band than by the
        calendar: a birthday already past is met at once, one still to come is not met (they are held until the others
        have met it).
        """
        inflow = np.zeros((rows.size, *self.x.shape[1:]))
        if not self.model.arrivals:
            return inflow
        density = np.stack(
            [age_density(self.model, row, (middle - self.birth[rows]) / YEAR_DAYS) for row in self.model.arrivals],
            axis=1,
        )
        entry = self.entry_band(middle, rows)
        for e in np.unique(entry):
            mine = np.flatnonzero((entry == e) & density.any(axis=1))
            coming = np.tensordot(density[mine], piece.arriving[e], axes=1)
            if e > b:
                self.held[rows[mine]] += coming * days[mine, None, None]
                continue
            for met in range(e + 1, b + 1):
                coming = coming @ self.chain.turns[met]
            inflow[mine] = coming
        return inflow
