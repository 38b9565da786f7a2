# radops: `make demo` and `make test` need only Python 3.11+ and make.
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
STAMP = $(VENV)/.installed
DEMO_HOME ?= .radops/demo
DEMO ?=

.DEFAULT_GOAL := help
.PHONY: help install demo test check docs names bench lock clean

help:  ## list the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

install: $(STAMP)  ## make the virtual environment from requirements.lock

$(STAMP): requirements.lock pyproject.toml setup.py $(wildcard etl/sources/_*.[ch])
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "radops needs Python 3.11 or newer")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

demo: $(STAMP)  ## simulate a network of four facilities, run the ETL on its files, serve the dashboard
	RADOPS_HOME=$(DEMO_HOME) $(BIN)/radops demo $(DEMO)

test: $(STAMP) check  ## the whole suite
	PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest -n auto --dist worksteal

check: $(STAMP)  ## ruff and mypy
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

docs: $(STAMP)  ## the made parts of README.md, and sql/dictionary.md
	$(BIN)/python -m etl.readme

names: $(STAMP)  ## how well procedure names are harmonized, on facilities that were held out
	$(BIN)/python -m tests.harmonization.report holdout

bench: $(STAMP)  ## benchmarks beside peers, as ratios
	$(BIN)/radops bench --json bench.json

lock:  ## pin all dependencies with hashes, without index addresses
	$(BIN)/pip-compile --quiet --extra dev --generate-hashes --allow-unsafe --strip-extras --no-header \
	  --no-emit-index-url --no-emit-find-links --no-emit-trusted-host --output-file requirements.lock pyproject.toml

clean:  ## remove what the targets made
	rm -rf $(VENV) .radops build *.egg-info .pytest_cache .mypy_cache .ruff_cache
