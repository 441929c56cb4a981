"""The tests, by kind: see "Tests" in CONTRIBUTING.md."""
