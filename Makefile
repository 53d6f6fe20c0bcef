# Hallwatch: `make demo` shows a living hall, `make test` proves it. Both do their own set-up on a fresh machine.

# An address set for pip, npm or go on this machine is honoured; none is written here.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip --disable-pip-version-check
CODE    = $(wildcard alerts dashboard gateway sensors simulators tests benchmarks hatch_build.py deploy/prepare.py)
PYTEST_ARGS ?=
# More than two cores have: much of a test is waiting for a server. JOBS=0 runs all in one process.
JOBS ?= 3

.PHONY: help setup demo test check format bench soak scenarios pictures lock clean page servers
.DEFAULT_GOAL := help

help:
	@echo 'make demo    a simulated hall in the browser (sets itself up)'
	@echo 'make test    every test, on real servers (sets itself up; PYTEST_ARGS="tests/sensors -q" for some)'
	@echo 'make check   lint, types, direction of imports'
	@echo 'make bench   the figures, as a table and as JSON'
	@echo 'make soak    the example hall for an hour at 100 times its traffic, with faults (SOAK_ARGS="--minutes 5")'
	@echo 'make pictures the pictures of the README, taken anew from a demo'
	@echo 'make scenarios  every scenario under every fault over Mosquitto, as a table (SCENARIOS="call_point real_fire:delay")'
	@echo 'make setup   the virtual environment and the page alone'
	@echo 'make format  format the code'
	@echo 'make lock    pin the dependencies anew'
	@echo 'make clean   remove what all of these made here'

# --- set-up ------------------------------------------------------------------------------------

setup: $(VENV)/.installed page

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo 'hallwatch: Python >= 3.11 is needed; name it: make PYTHON=python3.12 ...' >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' || \
	  { echo 'hallwatch: Python comes without venv; on Debian install the package python3-venv' >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

# Every file that gets in is named by its hash, those of the build included; so the build is not isolated:
# an isolated one would fetch what it likes.
$(VENV)/.installed: $(BIN)/python requirements/run.txt requirements/build.txt pyproject.toml hatch_build.py
	$(PIP) install --quiet --require-hashes --no-deps -r requirements/run.txt -r requirements/build.txt
	HALLWATCH_SKIP_WEB=1 $(PIP) install --quiet --no-deps --no-build-isolation --no-index --editable .
	@touch $@

$(VENV)/.installed-test: $(VENV)/.installed requirements/test.txt
	$(PIP) install --quiet --require-hashes --no-deps -r requirements/test.txt
	@touch $@

# The page is built only when its sources changed; the Node to do it with is fetched only where there is none.
page: $(VENV)/.installed
	@if $(BIN)/python hatch_build.py needs-node; then \
	  $(PIP) install --quiet --require-hashes --no-deps -r requirements/node.txt; fi
	@$(BIN)/python hatch_build.py build

servers:
	@bash tests/servers/install.sh

# --- what a person asks for ----------------------------------------------------------------------

demo: setup
	$(BIN)/hallwatch demo

test: $(VENV)/.installed-test page servers
	$(BIN)/python hatch_build.py test
	$(BIN)/python -m pytest -n $(JOBS) --dist worksteal $(PYTEST_ARGS)

check: $(VENV)/.installed-test page
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy $(CODE)
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -q tests/test_house.py
	$(BIN)/python hatch_build.py check

format: $(VENV)/.installed-test
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

bench: $(VENV)/.installed-test page servers
	$(BIN)/python -m benchmarks $(BENCH_ARGS)

soak: $(VENV)/.installed-test page servers
	$(BIN)/python -m benchmarks.soak $(SOAK_ARGS)

scenarios: $(VENV)/.installed-test page servers
	$(BIN)/python -m tests.system.all_scenarios $(SCENARIOS)

pictures: $(VENV)/.installed-test page servers
	$(BIN)/python -m tests.e2e.pictures

# --- upkeep --------------------------------------------------------------------------------------

LOCK = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
       --no-emit-index-url --no-emit-find-links $(LOCK_ARGS)

# Keeps what is pinned where it still fits; LOCK_ARGS=--upgrade takes the newest.
lock: $(BIN)/python
	$(PIP) install --quiet --require-hashes --no-deps -r requirements/lock.txt
	$(LOCK) pyproject.toml -o requirements/run.txt
	$(LOCK) pyproject.toml --extra test -c requirements/run.txt -o requirements/test.txt
	$(LOCK) requirements/build.in -c requirements/test.txt -o requirements/build.txt
	$(LOCK) requirements/node.in -o requirements/node.txt
	$(LOCK) requirements/lock.in -o requirements/lock.txt

clean:
	rm -rf $(VENV) dist dashboard/static dashboard/web/node_modules
	rm -rf .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
