"""The exact answers of queueing theory, through model files: Erlang's C and A, Cobham, Pollaczek and Khinchine, and
queues without limit.

The long runs are the compiled engine's; SimPy leads a part of each, row for row the same. Everything is measured on
the raw log, so that nothing between the rulebook and the theory can hide a fault.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray

from simcare.arrays.build import build
from simcare.engine import compiled, simpy
from simcare.files.library import find_file
from simcare.files.load import load_model
from simcare.files.parsing import parse
from simcare.files.toml_faults import read_toml
from simcare.model import Model
from simcare.rules.codes import ARRIVAL, ASSESSED, LEFT, QUEUED, REFERRAL, START, WITHDRAWN
from tests.support.standard_errors import holds

YEAR = 365.25
RUNS = 16
WARM, COOL = 200.0, 100.0  # days left out at the beginning, and at the end, where a wait may not be over

Change = Callable[[dict[str, Any]], None]


def changed(name: str, change: Change) -> Model:
    """A model of the library with other numbers."""
    data = read_toml(find_file(name, "models"))
    change(data)
    return parse(Model, data, name)


def per_day(row: dict[str, Any], rate: float) -> None:
    row["per_year"]["value"] = rate * YEAR


def same_rows(one: NDArray[Any], other: NDArray[Any]) -> bool:
    """Bit for bit, where a stay that has not begun is nan in both."""
    return one.size == other.size and all(
        np.array_equal(one[n], other[n], equal_nan=one[n].dtype.kind == "f") for n in one.dtype.names
    )


def runs(model: Model, days: float, runs: int = RUNS, seed: int = 31) -> list[NDArray[Any]]:
    """The logs of independent replications by the compiled engine; a part of the first is the same by SimPy."""
    tables = build(model)
    shorter = days / 10
    reference = simpy.record(model, tables, seed, 0, shorter).rows
    logs = [compiled.record(model, tables, seed, r, days).rows for r in range(runs)]
    first = logs[0][logs[0]["time"] < shorter]
    if not tables.pools.size:  # lives are led one after the other
        reference, first = (log[np.argsort(log["client"], kind="stable")] for log in (reference, first))
    assert same_rows(reference, first)
    return logs


class Waits(NamedTuple):
    """Everybody who came to the door: when, of which group, and when their wait ended, with a place or without."""

    came: NDArray[np.float64]
    group: NDArray[np.int64]
    ended: NDArray[np.float64]
    served: NDArray[np.bool_]
    queued: NDArray[np.bool_]

    def only(self, which: NDArray[np.bool_]) -> Waits:
        return Waits(*(column[which] for column in self))

    @property
    def days(self) -> NDArray[np.float64]:
        return self.ended - self.came


def waits(log: NDArray[Any], door: int = ARRIVAL, served: int = START) -> Waits:
    came = log[log["event"] == door]
    came = came[np.argsort(came["client"])]
    ended, got = np.full(came.size, math.inf), np.zeros(came.size, np.bool_)
    queued = np.isin(came["client"], log["client"][log["event"] == QUEUED])
    for event in (served, WITHDRAWN):
        rows = log[log["event"] == event]
        at = np.searchsorted(came["client"], rows["client"])
        ended[at] = rows["time"]
        got[at] = event == served
    return Waits(came["time"], came["group"].astype(np.int64), ended, got, queued)


def settled(w: Waits, days: float) -> Waits:
    """Those who came after the warm-up and long enough before the end for their wait to be over."""
    found = w.only((w.came >= WARM) & (w.came < days - COOL))
    assert np.isfinite(found.ended).all()
    return found


def in_line(w: Waits, days: float) -> float:
    """Mean number waiting, as a mean over time."""
    begin, end = WARM, days - COOL
    return float((np.clip(w.ended, begin, end) - np.clip(w.came, begin, end)).sum() / (end - begin))


def check_little(found: list[Waits], lines: list[float], days: float) -> None:
    """L = λW on each run: what differs is only who waits at the two ends of the window."""
    for w, line in zip(found, lines, strict=True):
        assert w.days.sum() / (days - WARM - COOL) == pytest.approx(line, rel=0.03)


def erlang_c(load: float, places: int) -> float:
    terms = [load**k / math.factorial(k) for k in range(places + 1)]
    last = terms[-1] / (1 - load / places)
    return last / (sum(terms[:-1]) + last)


@pytest.mark.parametrize(
    ("rate", "mu", "c", "p_wait", "wq", "lq"),
    [
        (3, 2, 2, 0.642857, 0.642857, 1.928571),
        (4, 1, 5, 0.554113, 0.554113, 2.216450),
        (8, 1, 10, 0.409180, 0.204590, 1.636721),
        (2, 1, 3, 0.444444, 0.444444, 0.888889),
    ],
)
def test_m_m_c(rate: float, mu: float, c: int, p_wait: float, wq: float, lq: float) -> None:
    days = 8000.0

    def change(data: dict[str, Any]) -> None:
        per_day(data["arrivals"][0], rate)
        per_day(data["clocks"][0], mu)
        data["providers"][0]["offers"][0]["places"]["value"] = c

    assert erlang_c(rate / mu, c) == pytest.approx(p_wait, abs=1e-6)
    found = [waits(log) for log in runs(changed("mmc", change), days)]
    within, lines = [settled(w, days) for w in found], [in_line(w, days) for w in found]
    what = f"M/M/{c}, {rate} and {mu} a day"
    holds(f"{what}: P(wait)", np.array([w.queued.mean() for w in within]), p_wait)
    holds(f"{what}: Wq", np.array([w.days.mean() for w in within]), wq)
    holds(f"{what}: Lq", np.array(lines), lq)
    check_little(within, lines, days)
    for w in within:
        assert w.served.all()
        assert ((w.days > 0) == w.queued).all()


@pytest.mark.parametrize(
    ("rate", "mu", "theta", "c", "p_wait", "lq", "p_abandon"),
    [(6, 1, 0.5, 5, 0.802838, 2.716639, 0.226387), (10, 1, 0.25, 10, 0.693384, 3.350793, 0.083770)],
)
def test_reneging(rate: float, mu: float, theta: float, c: int, p_wait: float, lq: float, p_abandon: float) -> None:
    days = 4000.0

    def change(data: dict[str, Any]) -> None:
        per_day(data["arrivals"][0], rate)
        per_day(data["clocks"][0], mu)
        per_day(data["clocks"][1], theta)
        data["providers"][0]["offers"][0]["places"]["value"] = c

    found = [waits(log) for log in runs(changed("erlang-a", change), days)]
    within, lines = [settled(w, days) for w in found], [in_line(w, days) for w in found]
    what = f"M/M/{c} with reneging, {rate}, {mu} and {theta} a day"
    holds(f"{what}: P(wait)", np.array([w.queued.mean() for w in within]), p_wait)
    holds(f"{what}: Lq", np.array(lines), lq)
    holds(f"{what}: P(abandon)", np.array([1 - w.served.mean() for w in within]), p_abandon)
    check_little(within, lines, days)


def test_priority_m_m_5() -> None:
    days = 12000.0
    found = [settled(waits(log), days) for log in runs(load_model("priority"), days)]
    for group, wq in ((0, 0.158318), (1, 0.791589)):
        holds(
            f"priority M/M/5: Wq of class {group + 1}", np.array([w.days[w.group == group].mean() for w in found]), wq
        )
    holds("priority M/M/5: Wq overall", np.array([w.days.mean() for w in found]), 0.554113)
    assert max(w.days.max() for w in found) < 28, "rising a class must never show"


@cache
def desk_runs(urgent: int) -> list[Waits]:
    """Assessments by the team of ``desk``, with the first group in this class."""

    def change(data: dict[str, Any]) -> None:
        data["arrivals"][0]["priority"] = urgent

    return [waits(log, REFERRAL, ASSESSED) for log in runs(changed("desk", change), 20000.0)]


def test_m_d_1() -> None:
    found = [settled(w, 20000.0) for w in desk_runs(3)]
    holds("M/D/1: Wq", np.array([w.days.mean() - 1 for w in found]), 0.7 / (2 * 0.3))
    holds("M/D/1: P(no wait)", np.array([(w.days < 1 + 1e-9).mean() for w in found]), 0.3)
    for w in found:  # one after another, in order of coming, a day each
        done = w.ended[np.argsort(w.came)]
        assert (np.diff(done) > 1 - 1e-9).all()


def test_priority_m_d_1() -> None:
    found = [settled(w, 20000.0) for w in desk_runs(1)]
    for group, wq in ((0, 0.35 / 0.75), (1, 0.35 / (0.75 * 0.3))):
        holds(
            f"priority M/D/1: Wq of class {group + 1}",
            np.array([w.days[w.group == group].mean() - 1 for w in found]),
            wq,
        )
    for w in found:
        assert (np.diff(np.sort(w.ended)) > 1 - 1e-9).all()


def test_m_g_infinity_is_insensitive() -> None:
    """Occupancy is Poisson(λ E[S]), whatever the shape of stays."""
    logs = runs(load_model("mg-infinity"), 1500.0, 200)
    ends = [log[log["event"] == LEFT] for log in logs]
    starts = [log[log["event"] == START] for log in logs]
    for group, name in enumerate(("exponential", "weibull", "lognormal", "mixture")):
        there = np.array(
            [
                float((s["group"] == group).sum() - (e["group"] == group).sum())
                for s, e in zip(starts, ends, strict=True)
            ]
        )
        holds(f"M/G/infinity, {name}: mean", there, 100.0)
        ratio, se = there.var(ddof=1) / 100.0, math.sqrt(2 / (there.size - 1) + 1 / (100.0 * there.size))
        print(f"M/G/infinity, {name}: variance over mean {ratio:.4f} against 1, standard error {se:.2g}")
        assert abs(ratio - 1) <= 4 * se


def test_m_t_m_infinity() -> None:
    """Mean 60, relative amplitude 0.09099, lag 2.4114 months: the first harmonic of the caseload."""
    warm, years = 12 * YEAR, 72  # whole leap cycles, so that a year of 365.25 days begins on 1 April
    omega, until = 2 * math.pi / YEAR, warm + years * YEAR
    means, along, across = [], [], []
    for log in runs(load_model("mt-m-infinity"), until + 1, 60):
        start, end = log[log["event"] == START], log[log["event"] == LEFT]
        came, left = (np.clip(x["time"], warm, until) for x in (start, end))
        here = (start.size - end.size) * until  # who never left stays to the end
        mean = (left.sum() + here - came.sum()) / (until - warm)
        still = start.size - end.size
        wave = (
            1j
            / omega
            * (
                np.exp(-1j * omega * left).sum()
                + still * np.exp(-1j * omega * until)
                - np.exp(-1j * omega * came).sum()
            )
        )
        wave *= (
            2 / (until - warm) / mean * np.exp(1j * omega * 2.4114 / 12 * YEAR)
        )  # turned so that the theory has no imaginary part
        means.append(mean)
        along.append(wave.real)
        across.append(wave.imag)
    holds("M_t/M/infinity: mean", np.array(means), 60.0)
    holds("M_t/M/infinity: relative amplitude", np.array(along), 0.09099)
    holds("M_t/M/infinity: lag in months", 2.4114 - np.array(across) / 0.09099 * 12 / (2 * math.pi), 2.4114)


def tandem(data: dict[str, Any], upwards: bool, between: int) -> None:
    """The line of models/tandem.toml turned round (the second station the higher tier), or with places in between."""
    tiers = ["second", "first"]
    if between:
        tiers.insert(1, "between")
        data["services"].append({"name": "waiting_room", "tier": "between", "follows_need": True})
        room = data["providers"][0]["offers"][0]
        data["providers"][0]["offers"].append(
            {**room, "service": "waiting_room", "places": {**room["places"], "value": between}}
        )
        at_once = {"services": ["waiting_room"], "per_year": {**data["clocks"][0]["per_year"], "value": 1e7}}
        data["clocks"].append({"clock": "rise" if upwards else "recover", "needs": ["between"], **at_once})
    if upwards:
        tiers.reverse()
        data["clocks"][0]["clock"] = "rise"
    data["tiers"] = [{"name": name} for name in ("independent", *tiers)]
    data["arrivals"][0]["needs"]["value"] = [0, *(int(name == "first") for name in tiers)]


@pytest.mark.parametrize("upwards", [False, True], ids=["down", "up"])
@pytest.mark.parametrize(("between", "share"), [(0, 2 / 3), (2, 0.8)])
def test_tandem_line(upwards: bool, between: int, share: float) -> None:
    """Two stations of equal rate μ, always somebody at the door: (b + 2) / (b + 3) μ with b places between them."""

    def change(data: dict[str, Any]) -> None:
        tandem(data, upwards, between)

    days = 2_000.0
    served = [log["time"][log["event"] == LEFT] for log in runs(changed("tandem", change), days)]
    throughput = np.array([(times > WARM).sum() for times in served]) / (days - WARM) * YEAR
    holds(f"people a year with {between} places between", throughput, share * 60)
