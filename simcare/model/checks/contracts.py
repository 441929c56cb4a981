"""Contracts that must not be: those that pay for sending people down and taking them back, break their cap or go
negative."""

from __future__ import annotations

import numpy as np

from simcare.model.tariff import HALF_A_PENNY, Tariff, cycle_gains

LONGEST_DAYS = 3653  # stays that are looked at


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
        f" over keeping the client; {advice}"
    ]
