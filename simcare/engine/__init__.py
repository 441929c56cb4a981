"""Day 0, arrivals, and two clocks over one rulebook: SimPy, and compiled."""
