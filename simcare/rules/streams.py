"""Streams of random numbers at an address, for what is fitted, tested or calibrated beside a run.

Draws of a run are addressed one by one (:mod:`simcare.rules.draws`); nothing here is compiled.
"""

from __future__ import annotations

import numpy as np

# Purposes of streams (:func:`stream`) of a calibration: what is drawn for one is not drawn for another.
PROFILES = 3
THINNING = 7
PREDICTED = 11
YARDSTICK = 13


def stream(seed: int, *address: int) -> np.random.Generator:
    """A stream of numpy's random numbers at an address, for what is fitted or tested beside a run.

    >>> stream(1, THINNING).random() == stream(1, THINNING).random() != stream(1, PROFILES).random()
    True
    """
    return np.random.default_rng([seed, *address])
