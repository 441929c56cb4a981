"""M/M/c, the queue everyone knows, in Ciw and in SimPy as it is usually written: three arrivals a day, half a day's
stay, two places.

Each function takes ``days`` and ``seed`` and gives the customers served and their mean wait in days; the exact mean
wait is ``exact_wait()``.
"""

from __future__ import annotations

import math
import random
import statistics
import time
from collections.abc import Generator
from typing import Any

import simpy

ARRIVALS_A_DAY, STAYS_A_DAY, PLACES = 3.0, 2.0, 2


def exact_wait() -> float:
    """The mean wait in equilibrium (Erlang C), in days.

    >>> round(exact_wait(), 4)
    0.6429
    """
    load = ARRIVALS_A_DAY / STAYS_A_DAY
    full = load**PLACES / math.factorial(PLACES) / (1 - load / PLACES)
    waits = full / (sum(load**n / math.factorial(n) for n in range(PLACES)) + full)
    return waits / (PLACES * STAYS_A_DAY - ARRIVALS_A_DAY)


def usual(days: float, seed: int) -> dict[str, Any]:
    """SimPy as in its tutorials: a process for each customer, a Resource, and a list of those served."""
    begin = time.process_time()
    env, draw = simpy.Environment(), random.Random(seed)
    beds = simpy.Resource(env, capacity=PLACES)
    served: list[tuple[int, float, float, float]] = []

    def customer(number: int) -> Generator[Any, Any, Any]:
        arrived = env.now
        with beds.request() as bed:
            yield bed
            started = env.now
            yield env.timeout(draw.expovariate(STAYS_A_DAY))
        served.append((number, arrived, started, env.now))

    def arrivals() -> Generator[Any, Any, Any]:
        number = 0
        while True:
            yield env.timeout(draw.expovariate(ARRIVALS_A_DAY))
            env.process(customer(number))
            number += 1

    env.process(arrivals())
    env.run(until=days)
    return _found([started - arrived for _, arrived, started, _ in served], begin)


def with_ciw(days: float, seed: int) -> dict[str, Any]:
    """Ciw as in its tutorials: a network of one node, and its records of those served."""
    import ciw

    begin = time.process_time()
    ciw.seed(seed)
    network = ciw.create_network(
        arrival_distributions=[ciw.dists.Exponential(rate=ARRIVALS_A_DAY)],
        service_distributions=[ciw.dists.Exponential(rate=STAYS_A_DAY)],
        number_of_servers=[PLACES],
    )
    simulation = ciw.Simulation(network)
    simulation.simulate_until_max_time(days)
    return _found([record.waiting_time for record in simulation.get_all_records()], begin)


def _found(waits: list[float], begin: float) -> dict[str, Any]:
    """Customers served, their mean wait, and the speed. What is compared is customers: tools differ in the rows they
    write for one."""
    cpu = time.process_time() - begin
    return {
        "customers": len(waits),
        "mean_wait": statistics.fmean(waits),
        "cpu": cpu,
        "customers_per_second": len(waits) / cpu,
    }


def main() -> None:
    """Both over about a century, beside the exact answer."""
    print(f"exact mean wait {exact_wait():.4f} days")
    for work in (usual, with_ciw):
        found = work(40_000.0, 1)
        figures = (
            f"{found['customers']:>10,} served, mean wait {found['mean_wait']:.4f},"
            f" {found['customers_per_second']:>10,.0f} a second"
        )
        print(f"{work.__name__:<10}{figures}")


if __name__ == "__main__":
    main()
