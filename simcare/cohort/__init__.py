"""The cohort (Markov) model: the exact expected caseload, without chance, where a model allows it."""
