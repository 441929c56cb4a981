"""Addressed random numbers: every draw is a function of its address, and of nothing else.

The address is ``(seed, replication, client, purpose, ordinal)``. So strategies are compared under common random
numbers: the same client meets the same chance events under every one, whatever the others do, and one extra draw, or
one extra person, changes nothing else.
The generator is Philox 4x64-10 (Salmon et al., 2011, "Parallel random numbers: as easy as 1, 2, 3"), with key
``(seed, replication)`` and counter ``(ordinal, purpose, client, 0)``; the first word of the block is the draw.
"""

from __future__ import annotations

import math
import zlib

import numpy as np
from numpy.typing import NDArray

from simcare.rules.compile import high_word, rule

# Purposes of draws inside the rulebook. A purpose is part of an address, so a number once given stays. The budget of a
# clock is drawn for the clock's own number (rules/codes.py), but for reneging and early discharge, whose numbers were
# taken: they have PATIENCE and RELEASE.
LOOK = 16
DIVERT = 17
STEP_UP_FIRST = 18
OFFER = 19
AT_ONCE = 20
KEEPS_NEED = 21
PATIENCE = 22
BY_WARD = 23
WARD_DAYS = 24
WARD_ROUTE = 25
PLAN_READY = 26
RELEASE = 27
RULE_PURPOSES = 28  # those that the rulebook counts draws of, the clocks' among them
# Purposes of draws made once for a person, before the run.
FRAILTY = 32
AGE = 33
NEED = 34
ELAPSED = 35
GAP = 36
HEIGHT = 37
FIRST_OFFER = 38
EFFECT = 39
# Purposes of draws made once for a provider: how it answers to money, when it fails, whether it goes with another of
# its parent.
RESPONSE = 40
FAILURE = 41
CONTAGION = 42
# Purposes of draws made once for a demand driver: its parameters and level, its drift and its dispersion, month by
# month.
FITTED = 43
DRIFT = 44
DISPERSION = 45
# Purposes of draws made once for a run: which draw of a fit comes first, and the rates that were counted.
PARAMETERS = 46
COUNTED_RATE = 47

_M0, _M1 = np.uint64(0xD2E7470EE14C6C93), np.uint64(0xCA5A826395121157)
_W0, _W1 = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBB67AE8584CAA73B)
_KEEP53, _SCALE, _BELOW_ONE = np.uint64(11), 2.0**-53, 1.0 - 2.0**-53


@rule
def word(seed: int, replication: int, client: int, purpose: int, ordinal: int) -> np.uint64:
    """Sixty-four random bits at an address."""
    c0, c1, c2, c3 = np.uint64(ordinal), np.uint64(purpose), np.uint64(client), np.uint64(0)
    k0, k1 = np.uint64(seed), np.uint64(replication)
    for _ in range(10):
        high0, low0, high1, low1 = high_word(_M0, c0), _M0 * c0, high_word(_M1, c2), _M1 * c2
        c0, c1, c2, c3 = high1 ^ c1 ^ k0, low1, high0 ^ c3 ^ k1, low0
        k0, k1 = k0 + _W0, k1 + _W1
    return c0


@rule
def uniform(seed: int, replication: int, client: int, purpose: int, ordinal: int) -> float:
    """A uniform draw, strictly between 0 and 1.

    >>> uniform(1, 0, 7, 3, 0) == uniform(1, 0, 7, 3, 0) != uniform(1, 0, 7, 3, 1)
    True
    """
    return min((float(word(seed, replication, client, purpose, ordinal) >> _KEEP53) + 0.5) * _SCALE, _BELOW_ONE)


@rule
def exponential(seed: int, replication: int, client: int, purpose: int, ordinal: int) -> float:
    """A unit-exponential draw: the budget of a clock."""
    return -math.log(uniform(seed, replication, client, purpose, ordinal))


@rule
def uniforms(
    seed: int, replication: int, clients: NDArray[np.int64], purpose: int, ordinal: int
) -> NDArray[np.float64]:
    """One uniform draw for each client."""
    out = np.empty(clients.size)
    for i in range(clients.size):
        out[i] = uniform(seed, replication, clients[i], purpose, ordinal)
    return out


def name_key(kind: str, name: str) -> int:
    """Thirty-one bits from a name, as the client of an address: a stratum or a provider more moves nobody else's.

    >>> name_key("provider", "northern") == name_key("provider", "northern") != name_key("provider", "southern")
    True
    """
    return zlib.crc32(f"{kind}:{name}".encode()) & 0x7FFFFFFF
