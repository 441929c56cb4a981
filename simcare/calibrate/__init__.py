"""From targets to a posterior: a design of runs, emulators, history matching, a chain, and years held out."""
