"""The event log as frames: states, stays, moves, months and tallies."""
