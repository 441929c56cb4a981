"""The Shapley value: what a whole is worth, shared among the players who make it."""

from __future__ import annotations

from math import factorial
from typing import Any

import numpy as np
from numpy.typing import NDArray


def shapley(values: NDArray[Any]) -> NDArray[Any]:
    """Each player's Shapley value in a game given in full (Shapley L S (1953), A value for n-person games,
    Contributions to the Theory of Games II).

    ``values`` has shape ``(2**k, …)``: row m is the worth of the coalition whose players are the bits of m, so row 0 is
    nobody and the last row everybody; further axes are games of their own. Gives shape ``(k, …)`` in the unit of the
    values: player j's mean marginal worth v(S ∪ j) − v(S) over all orders in which the players may come, weighted |S|!
    (k − |S| − 1)! / k!. The shares add up to v(all) − v(nobody). Raises ValueError where the rows are not a power of
    two.

    >>> shapley(np.array([0.0, 10.0, 20.0, 36.0])).tolist()  # alone 10 and 20, together 6 more: three each
    [13.0, 23.0]
    """
    rows = values.shape[0] if values.ndim else 0
    k = rows.bit_length() - 1
    if rows < 1 or rows != 1 << k:
        raise ValueError(f"a game of k players has 2**k coalitions, got {rows}")
    masks = np.arange(rows)
    size = np.array([int(m).bit_count() for m in masks])
    weight = np.array([factorial(s) * factorial(k - s - 1) / factorial(k) if s < k else 0.0 for s in size])
    shares = np.zeros((k, *values.shape[1:]))
    for j in range(k):
        absent = masks[(masks >> j) & 1 == 0]
        shares[j] = np.tensordot(weight[absent], values[absent | (1 << j)] - values[absent], axes=1)
    return shares
