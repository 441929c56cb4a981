"""The one catalogue of measures, and their counting."""
