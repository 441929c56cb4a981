"""The rulebook: what happens to a client, compiled by numba, and its chance."""
