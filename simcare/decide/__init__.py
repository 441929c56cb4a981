"""Strategies compared and chosen between: pure functions of what was run."""
