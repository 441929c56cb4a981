"""Replications carried out in parallel, in order, and kept."""
