# Two commands do everything on a fresh machine: `make demo` and `make test`.
SHELL := bash
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.ready
PYTEST_JOBS ?= $(shell nproc)

.PHONY: help setup demo test soak check format bench docs lock clean

help:  ## list the targets
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: $(STAMP)  ## make .venv with the locked dependencies

$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("Deconflict needs Python 3.11 or newer, and $(PYTHON) is " + sys.version.split()[0] + ": run make PYTHON=python3.12" if sys.version_info < (3, 11) else 0)'
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@echo "Installing the locked dependencies into .venv (once)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: --no-binary openlocationcode -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@$(BIN)/python -m compileall -q src  # pip compiles what it installs, but not an editable package
	@touch $@

demo: $(STAMP)  ## set up and run the main job on real input
	@$(BIN)/deconflict demo

test: $(STAMP)  ## set up and run every test
	@tests/components.sh
	@$(BIN)/python -m pytest --numprocesses $(PYTEST_JOBS) --quiet

soak: $(STAMP)  ## the long forms of the kill, fault, fuzz and race tests (an hour)
	@tests/components.sh
	@DECONFLICT_SOAK=1 $(BIN)/python -m pytest tests/soak --numprocesses 0 --verbose

check: $(STAMP)  ## lint, types and import contracts
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

format: $(STAMP)  ## format the code
	@$(BIN)/ruff check --fix-only --quiet .
	@$(BIN)/ruff format --quiet .

bench: $(STAMP)  ## speed and memory, each beside a baseline in the same run
	@$(BIN)/python bench/run.py

docs: $(STAMP)  ## rewrite the generated pages of docs/reference
	@$(BIN)/python docs/generate.py

lock: $(STAMP)  ## pin newer versions (needs uv)
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --extra dev --upgrade --output-file requirements.lock pyproject.toml

clean:  ## remove what the other targets made
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis build dist
