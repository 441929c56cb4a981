# simcare from a fresh checkout. Needs Python 3.11 or later, nothing else; everything goes into .venv.
#
#   make demo     the Kent comparison: the answer on the screen, the report in a file
#   make test     the whole test suite

PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip -qq --disable-pip-version-check
PARTS := models calibration experiments
MAKEFLAGS += --no-print-directory

.DEFAULT_GOAL := help
.PHONY: help demo test check lint types imports files wheel bench clean

help: ## what can be made
	@sed -n 's/^\([a-z]*\):.*## /\1	/p' Makefile | while IFS='	' read -r name does; do printf '  make %-9s %s\n' "$$name" "$$does"; done

demo: .venv/.stamp-run ## installs simcare, compares three prevention strategies for Kent over five years, says where the report is
	@$(BIN)/simcare compare prevention --out runs/prevention

test: .venv/.stamp-dev ## runs the whole test suite, doctests included
	@$(BIN)/python -m pytest -q -n auto --dist loadgroup

check: lint types imports files test wheel ## everything that must hold before a change goes in

lint: .venv/.stamp-dev ## style and format (ruff)
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --quiet --check . || { echo "Run $(BIN)/ruff format to set these right."; exit 1; }
	@echo "lint: clean"

types: .venv/.stamp-dev ## types (mypy, strict)
	@$(BIN)/mypy

imports: .venv/.stamp-dev ## which module may import which (import-linter)
	@$(BIN)/lint-imports --no-logo

files: .venv/.stamp-dev ## every shipped model, calibration, experiment and fit is valid, and no fit is stale
	@$(BIN)/simcare check $$(find $(PARTS) -name '*.toml' -o -name '*.fit.json' | sort)

wheel: .venv/.stamp-dev ## the wheel works on its own, away from this folder
	@PYTHON=$(BIN)/python scripts/check-wheel

bench: .venv/.stamp-dev ## how fast it is
	@$(BIN)/python benchmarks/run.py

clean: ## takes away everything that was made, results in runs/ excepted
	@rm -rf .venv build dist .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	@find $(PARTS) simcare tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +

# A stamp says that a step is done, so that the next make does not do it again.
.venv/.stamp-made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "simcare needs Python 3.11 or later; '$(PYTHON)' is not that. Name one that is, for example: make demo PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -m venv --clear .venv || { echo "No virtual environment could be made (on Debian and Ubuntu: apt install python3-venv)."; exit 1; }
	@touch $@

# The build tool comes from the constraints too: no step resolves a version of its own.
.venv/.stamp-run: .venv/.stamp-made pyproject.toml constraints.txt
	@echo "Installing simcare into .venv; this takes a minute, once."
	@$(PIP) install -c constraints.txt hatchling editables
	@$(PIP) install -c constraints.txt --no-build-isolation --editable .
	@touch $@

.venv/.stamp-dev: .venv/.stamp-run
	@echo "Installing the test tools into .venv; this takes a minute, once."
	@$(PIP) install -c constraints.txt --no-build-isolation --editable '.[dev]'
	@touch $@
