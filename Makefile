# Two commands do all the set-up, from a bare clone with Python 3.11 or newer: `make run` and `make test`.
PYTHON ?= python3
ARGS   ?=
VENV   := .venv
BIN    := $(VENV)/bin
UV     := $(BIN)/uv --no-progress

.DEFAULT_GOAL := help
.PHONY: help run test lint format proof bench bench-full lock clean

help: ## List these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: $(VENV)/.ready-run ## Install what is locked, then watch the three environments of examples/quickstart
	@exec $(BIN)/parity serve --config examples/quickstart/parity.yml

test: $(VENV)/.ready-test ## Install what the tests need, then run them (ARGS="tests/engine -x" narrows)
	@sh tests/system-packages.sh
	@$(BIN)/pytest --numprocesses 2 --dist loadfile $(ARGS)

lint: $(VENV)/.ready-test ## Style, types and rings
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo

format: $(VENV)/.ready-test ## Lay the code out and mend what can be mended
	@$(BIN)/ruff check --fix --quiet .
	@$(BIN)/ruff format .

proof: $(VENV)/.ready-test ## Run the figures in full size and print their table (long)
	@sh tests/system-packages.sh
	@$(BIN)/pytest -m proof --numprocesses 2 --dist loadfile $(ARGS)

bench: $(VENV)/.ready-test ## Measure against rivals and print the ratios
	@$(BIN)/python -m bench $(ARGS)

bench-full: $(VENV)/.ready-test ## The same in the sizes that the goals speak of (long)
	@$(BIN)/python -m bench --full $(ARGS)

# One constraint chain: what runs is pinned first, tests and build take the same versions.
COMPILE = $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes \
          --no-emit-index-url --no-emit-find-links --no-annotate --custom-compile-command "make lock"
lock: $(VENV)/.uv ## Pin every dependency by hash again (ARGS=--upgrade takes newer ones)
	@$(COMPILE) $(ARGS) pyproject.toml --all-extras --output-file requirements.lock
	@$(COMPILE) $(ARGS) pyproject.toml --all-extras --group dev --constraint requirements.lock --output-file requirements-dev.lock
	@$(COMPILE) $(ARGS) --group build --constraint requirements-dev.lock --output-file requirements-build.lock

clean: ## Remove the virtual environment and everything that was built
	@rm -rf $(VENV) dist build .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

# --- set-up: each step leaves a stamp, so that the next start begins at once -------------------------------------

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Parity needs Python 3.11 or newer and $(PYTHON) is older or missing: make run PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo "$(PYTHON) cannot make virtual environments: install its venv module (Debian: apt-get install python3-venv)" >&2; exit 1; }
	@echo "making $(VENV)"
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.uv: requirements-build.lock | $(BIN)/python
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-build.lock
	@touch $@

# $(1): the lock to install. The project itself is installed in place, by the locked build backend.
define install
	@echo "installing $(1)"
	@$(UV) pip install --quiet --python $(BIN)/python --require-hashes --compile-bytecode -r $(1)
	@$(UV) pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@
endef

$(VENV)/.ready-run: requirements.lock pyproject.toml $(VENV)/.uv
	$(call install,requirements.lock)

$(VENV)/.ready-test: requirements-dev.lock pyproject.toml $(VENV)/.uv
	$(call install,requirements-dev.lock)
