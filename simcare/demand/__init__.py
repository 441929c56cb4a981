"""Demand: series read, drivers fitted, forecasts scored against what came, draws that enter a simulation."""
