"""Contracts that must not be: those that pay for sending people down and taking them back, break their cap or go
negative."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from simcare.model.contracts import Tariff

MARGIN = 0.3  # of the day's price: what a provider loses for each day without the client, if nothing better is known
LONGEST_DAYS = 3653  # stays that are looked at
HALF_A_PENNY = 0.005


def contract_faults(tariff: Tariff, cap: float | None) -> list[str]:
    """Everything wrong with a tariff, each in one sentence with its figures."""
    return [*_negative(tariff), *_over_cap(tariff, cap), *_cycle(tariff)]


def _negative(tariff: Tariff) -> list[str]:
    days = np.arange(1.0, LONGEST_DAYS)
    paid = tariff.paid(days)
    below = np.flatnonzero(paid < -HALF_A_PENNY)
    if not below.size:
        return []
    k = int(below[0])
    return [f"the contract goes negative: a stay of {days[k]:.0f} days would be paid -£{-paid[k]:,.2f}"]


def _over_cap(tariff: Tariff, cap: float | None) -> list[str]:
    if cap is None:
        return []
    days = np.arange(0.0, 366.0)
    most = tariff.paid(days) + tariff.payoff(days)
    k = int(most.argmax())
    if most[k] <= cap + HALF_A_PENNY:
        return []
    return [
        f"the contract exceeds its cap: a stay of {days[k]:.0f} days comes to £{most[k]:,.0f}, above"
        f" most_gbp_per_client_year £{cap:,.0f}"
    ]


def cycle_gains(tariff: Tariff, margin: float = MARGIN) -> list[tuple[float, float, float]]:
    """What a provider gains by a step-down on each day of the stay and a return so many days later, time and again,
    over holding on.

    Sums that are paid anew each time, less what the return takes back and the margin of the days without the client.
    The gain from bands that begin anew is not in it: that takes a new assessment (see :func:`reset_gain`). Day, days
    out, pounds; the best day for each number of days out at which a window closes.
    """
    marks = [day for day, _ in tariff.lumps] + [day for p in tariff.payoffs for day in (p.full_until, p.nought_at)]
    days = np.unique([*np.arange(1.0, 1097.0), *(day for day in marks if 0.0 < day < np.inf)])
    outs = sorted(
        {1.0} | {max(1.0, p.lasts_days) for p in tariff.payoffs} | {max(1.0, b.within_days) for b in tariff.backs}
    )
    found = []
    for out in outs:
        gain = tariff.sums(days) + tariff.payoff(days, out) - tariff.back(days, out) - out * margin * tariff.rate(days)
        k = int(gain.argmax())
        found.append((float(days[k]), float(out), float(gain[k])))
    return found


def best_cycle(tariff: Tariff) -> tuple[float, float, float] | None:
    """Day of the stay, days out and pounds of the best cycle for which the tariff pays a sum; None where none does."""
    found = cycle_gains(tariff)
    lost = MARGIN * tariff.rate(np.array([day for day, _, _ in found]))
    paid = [
        cycle for cycle, a_day in zip(found, lost, strict=True) if cycle[2] + cycle[1] * float(a_day) > HALF_A_PENNY
    ]
    return max(paid, key=lambda cycle: cycle[2]) if paid else None


def _cycle(tariff: Tariff) -> list[str]:
    if not tariff.lumps and not tariff.payoffs:
        return []
    day, out, gain = max(cycle_gains(tariff), key=lambda found: found[2])
    if gain <= HALF_A_PENNY:
        return []
    back = "the next day" if out == 1 else f"{out:g} days later"
    advice = "let it last longer (lasts_days), take more back (clawback) or pay less"
    return [
        f"the contract pays for a cycle: a step-down on day {day:g} with a return {back} gains £{gain:,.0f} each time"
        f" over holding on; {advice}"
    ]


def reset_gain(tariff: Tariff) -> tuple[int, float]:
    """What bands that begin anew are worth: the day of a step-down and the gain, over holding on, of one day out and as
    long a stay again."""
    days = np.arange(1.0, 1097.0)
    anew = 2.0 * tariff.for_days(days) - tariff.for_days(2.0 * days)
    gain = anew - tariff._replace(lumps=(), payoffs=()).back(days, 1.0) - MARGIN * tariff.rate(days)
    k = int(np.argmax(gain >= gain.max() - HALF_A_PENNY))  # the first day that is as good as any
    return int(days[k]), float(gain[k])
