# Two commands to know: `make demo` and `make test`. Both need python3 (3.10 or newer) and nothing else beforehand.
#
# Everything lives in .venv. A stamp says what was installed into it, and from which pyproject.toml, so that a second
# call installs nothing. Which index pip asks is pip's own configuration (PIP_INDEX_URL, pip.conf).

PYTHON ?= python3
VENV ?= .venv
COUNT ?= 800
SEED ?= 0
JOBS ?= 2
TORCH ?= torch==2.13.0

BIN := $(VENV)/bin
RUN := $(abspath $(BIN))
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
DEMO := examples/01_multi_step_runner

.DELETE_ON_ERROR:
.PHONY: help demo test oracle types lint floors examples bench readme all clean

help:
	@echo 'make demo      install, and judge an example patch'
	@echo 'make test      install what the tests need, and run them (no torch)'
	@echo 'make oracle    install torch, execute the effect tables and COUNT=$(COUNT) random programs'
	@echo 'make types     mypy, strict'
	@echo 'make lint      ruff: rules and format'
	@echo 'make floors    import contracts'
	@echo 'make examples  the example stories against their expected output'
	@echo 'make bench     the speed table; TREE=a repository, REV=a commit of it: on a real tree as well'
	@echo 'make readme    renew the parts of README.md that are output'
	@echo 'make all       test, types, lint, floors, examples'
	@echo 'make clean     remove .venv and all caches'

# ---------------------------------------------------------------- what is installed

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || { echo "$(PYTHON) is older than 3.10; name another: make PYTHON=python3.12" >&2; exit 1; }
	@echo 'making $(VENV)'
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); echo "$(PYTHON) cannot make a virtual environment (on Debian: apt install python3-venv)" >&2; exit 1; }

$(VENV)/.installed: pyproject.toml | $(BIN)/python
	@echo 'installing allocsafe'
	@$(PIP) install -e .
	@$(BIN)/python -m compileall -q linter rules
	@touch $@

$(VENV)/.installed-dev: pyproject.toml | $(BIN)/python
	@echo 'installing allocsafe and what its tests need'
	@$(PIP) install -e '.[dev]'
	@$(BIN)/python -m compileall -q linter rules
	@touch $@ $(VENV)/.installed

# The pin comes first: nothing that also wants torch may choose another.
$(VENV)/.installed-oracle: pyproject.toml $(VENV)/.installed-dev
	@echo 'installing $(TORCH) and numpy'
	@$(PIP) install '$(TORCH)'
	@$(PIP) install numpy
	@touch $@

# ---------------------------------------------------------------- what is run

# Status 1 is the right answer: the patch has unsafe allocations. Anything else fails.
demo: $(VENV)/.installed
	@echo '$$ cd $(DEMO)'; echo '$$ cat change.diff'; cat $(DEMO)/change.diff; echo
	@echo "\$$ allocsafe $$(cat $(DEMO)/command)"
	@cd $(DEMO) && { $(RUN)/allocsafe $$(cat command); status=$$?; echo "(exit status $$status)"; test $$status -eq 1; }

test: $(VENV)/.installed-dev
	$(BIN)/python -m pytest -n auto

oracle: $(VENV)/.installed-oracle
	$(BIN)/python -m pytest -n auto tests/oracle
	$(BIN)/python -m tests.oracle.run --count $(COUNT) --seed $(SEED) --jobs $(JOBS)

types: $(VENV)/.installed-dev
	$(BIN)/mypy
	$(BIN)/mypy tools/action.py tools/bench.py tools/bench_tree.py tools/measure.py tools/refresh_readme.py

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check

floors: $(VENV)/.installed-dev
	$(BIN)/lint-imports --no-logo

examples: $(VENV)/.installed-dev
	$(BIN)/python -m pytest tests/test_examples.py

bench: $(VENV)/.installed
	@$(BIN)/python tools/bench.py $(if $(TREE),--tree '$(TREE)') $(if $(REV),--rev '$(REV)') $(if $(TORCHFIX),--torchfix '$(TORCHFIX)') $(if $(RESULTS),--results '$(RESULTS)')

readme: $(VENV)/.installed
	$(BIN)/python tools/refresh_readme.py

all: test types lint floors examples

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
