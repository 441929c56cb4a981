"""Demand: series read, drivers fitted, forecasts scored against the outturn, draws that enter a simulation."""
