"""Who may come to the front door: the candidates of a Poisson field, layer by layer.

Each layer has candidates at rate one a day with heights spread over it; a candidate becomes a client when its height is
under the arrival rate of its day.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from simcare.rules.compile import rule
from simcare.rules.draws import GAP, HEIGHT, NEED, exponential, uniform

LAYER_BITS, CANDIDATE_BITS = 12, 20  # of a client's number: its layer, and its turn in the layer


@rule
def candidates(
    seed: int,
    replication: int,
    base: int,
    layers: int,
    edges: NDArray[np.float64],
    rates: NDArray[np.float64],
    shares: NDArray[np.float64],
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.int64]]:
    """The candidates that come between the first and the last edge: their ids, times and needs."""
    days = edges[-1] - edges[0]
    size = layers * int(days + 12.0 * math.sqrt(days) + 64.0)
    ids, times, needs = np.empty(size, np.int64), np.empty(size), np.empty(size, np.int64)
    n = 0
    for layer in range(layers):
        time, k, piece = edges[0], 0, 0
        while True:
            client = base + (layer << CANDIDATE_BITS) + k
            time += exponential(seed, replication, client, GAP, 0)
            if time >= edges[-1]:
                break
            while edges[piece + 1] <= time:
                piece += 1
            need = min(
                np.searchsorted(shares, uniform(seed, replication, client, NEED, 0) * shares[-1], side="right"),
                shares.size - 1,
            )
            if layer + uniform(seed, replication, client, HEIGHT, 0) < rates[piece, need]:
                ids[n], times[n], needs[n] = client, time, need
                n += 1
            k += 1
    return ids[:n], times[:n], needs[:n]
