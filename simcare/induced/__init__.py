"""Genuine or induced? Estimators of demand that assessment, packages and places create themselves, and a lab in which
the answer is known.

Plain regression cannot tell the two apart, since who needs more gets more. Each design here rests on something else
that decides who gets care: which side of a threshold, which assessor, which month a place opened. ``docs/induced.md``
says what each needs and where it fails.
"""

from __future__ import annotations

from simcare.induced.bunching import Bunching, threshold_bunching
from simcare.induced.lab import recover, simulate_cases, simulate_places, simulate_scores
from simcare.induced.leniency import Leniency, anderson_rubin, assessor_leniency, leave_out_leniency
from simcare.induced.regression import CausalEstimate
from simcare.induced.supply import Supply, supply_shock, wild_p

__all__ = [
    "Bunching", "CausalEstimate", "Leniency", "Supply", "anderson_rubin", "assessor_leniency", "leave_out_leniency",
    "recover", "simulate_cases", "simulate_places", "simulate_scores", "supply_shock", "threshold_bunching", "wild_p",
]  # fmt: skip
