"""A model as arrays: names as numbers, hazards, places and contracts as tables that the rules can read."""
