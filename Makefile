# Two commands for a newcomer: `make demo` and `make test`. Everything below sets up what it needs by itself.
PYTHON ?= python3
BIN := .venv/bin
ARGS ?=

.PHONY: setup dev demo test lint format run bench lock clean help

help:            ## list the targets
	@grep -hE '^[a-z]+: .*##|^[a-z]+: *##' $(MAKEFILE_LIST) | sed -E 's/:.*##/\t/'

setup: .venv/.setup     ## .venv/ with the product in it
dev: .venv/.dev         ## setup, and what tests and lint need

.venv/bin/python:
	$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit("mubiao needs Python 3.11 or newer, this is %d.%d: make PYTHON=/path/to/python3.11" % v[:2] if v < (3, 11) else 0)'
	$(PYTHON) -m venv .venv

.venv/.setup: requirements.lock pyproject.toml | .venv/bin/python
	$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements.lock
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation --no-index -e .
	$(BIN)/python -m compileall -q monitor storage alerts
	@touch $@

.venv/.dev: requirements-dev.lock .venv/.setup
	$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@touch $@

demo: setup      ## the main job on a bundled site, offline, in under a minute
	$(BIN)/mubiao demo $(ARGS)

run: setup       ## the daemon on sources.yaml
	$(BIN)/mubiao run $(ARGS)

test: dev        ## all tests
	$(BIN)/python -m pytest -n auto $(ARGS)

lint: dev        ## format, rules, types, import directions
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: dev      ## rewrite the formatting
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: setup     ## speed and memory, beside peers or physical limits of the same run
	$(MAKE) -C bench

lock: dev        ## renew the pinned versions
	$(BIN)/python -m pip install -q --disable-pip-version-check 'uv>=0.13,<0.14'
	$(BIN)/uv pip compile -q --upgrade --generate-hashes --no-emit-index-url --universal --python-version 3.11 \
	  --custom-compile-command 'make lock' pyproject.toml --extra postgres --group build -o requirements.lock
	$(BIN)/uv pip compile -q --upgrade --generate-hashes --no-emit-index-url --universal --python-version 3.11 \
	  --custom-compile-command 'make lock' pyproject.toml --extra postgres --group build --group dev -c requirements.lock -o requirements-dev.lock

clean:           ## remove what setup, tests and demo made
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache dist
