"""From targets to a posterior: runs over a design, emulators, history matching, chains, and real runs from what is
left, with years held back."""
