# radops: `make demo` and `make test` need only Python 3.11+ and make.
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
STAMP = $(VENV)/.installed
# What only tests need, each an extra of radops with what it is tested against; a demo goes without.
# Spark's packages only where a Java runs them.
JAVA = $(or $(JAVA_HOME),$(shell command -v java))
EXTRAS = $(sort $(filter-out $(if $(JAVA),,tests/spark.lock),$(wildcard tests/*.lock)))
EXTRAS_STAMP = $(VENV)/.extras
# The part of plotly.js that the charts need.
PART = app/assets/plotly-part.min.js
DEMO_HOME ?= .radops/demo
DEMO ?=

.DEFAULT_GOAL := help
.PHONY: help install demo test test-slow check docs names bench charts lock clean

help:  ## list the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

install: $(STAMP) $(PART)  ## make the virtual environment from requirements.lock, and the scripts of browsers

$(STAMP): requirements.lock pyproject.toml setup.py $(wildcard etl/sources/_*.[ch])
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "radops needs Python 3.11 or newer")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

demo: $(STAMP) $(PART)  ## simulate a network of four facilities, run the ETL on its files, serve the dashboard
	RADOPS_HOME=$(DEMO_HOME) $(BIN)/radops demo $(DEMO)

$(EXTRAS_STAMP): $(STAMP) $(EXTRAS)
	for lock in $(EXTRAS); do \
	  $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $$lock || exit; done
	@touch $@

test: $(EXTRAS_STAMP) $(PART) check  ## ruff, mypy and all tests but those that take long
	PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest -n auto --dist worksteal -m "not slow"

test-slow: $(EXTRAS_STAMP) $(PART)  ## tests of other chances, and of clusters that are hurt
	PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest -n auto --dist worksteal -m slow

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

charts:  ## bundle the part of plotly.js that the charts need, once more
	sh app/charts/make.sh $(BIN)/python

# Without npm's registry all is as it is with it, but a browser loads the whole of plotly.js once.
$(PART): $(filter-out app/charts/make.sh,$(wildcard app/charts/*)) | $(STAMP)
	@sh app/charts/make.sh $(BIN)/python || \
	  echo "charts: the part of plotly.js was not bundled, so browsers load the whole of it (1.8 MB instead of 0.9)"

COMPILE = $(abspath $(BIN))/pip-compile --quiet --generate-hashes --allow-unsafe --strip-extras --no-header \
  --no-emit-index-url --no-emit-find-links --no-emit-trusted-host
lock:  ## pin all dependencies with hashes, without index addresses
	$(COMPILE) --extra dev --output-file requirements.lock pyproject.toml
	cd tests && for extra in $(patsubst tests/%.in,%,$(wildcard tests/*.in)); do \
	  $(COMPILE) --output-file $$extra.lock $$extra.in || exit; done
	cd app/charts && $(COMPILE) --output-file node.lock node.in
	cd app/charts && npm install --package-lock-only --omit-lockfile-registry-resolved --ignore-scripts --no-audit --no-fund

clean:  ## remove what the targets made
	rm -rf $(VENV) .radops build *.egg-info .pytest_cache .mypy_cache .ruff_cache
