# One door to every task: each target first makes the environment it needs, in .venv.
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input --quiet install

.PHONY: setup demo test check coverage prove live bench soak

setup: .venv/.ready
	@:

demo: setup
	@$(BIN)/vtap run examples/abilene.toml --out results

# the same examples of Hypothesis each time, so that a commit passes or does not; `pytest` by itself
# tries others
TEST := $(BIN)/pytest --hypothesis-seed=0 --numprocesses auto --maxprocesses 4

test: setup
	@$(TEST) -m 'not live and not long'

check: setup
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy --strict --no-error-summary
	@$(BIN)/lint-imports > .venv/lint-imports.txt || { cat .venv/lint-imports.txt; exit 1; }

# 100 % of the engine's branches, by its own tests and by the conformance cases
ENGINE := tests/wire tests/engine tests/properties tests/model \
	tests/sim/conformance/test_verdicts.py::test_every_case_passes_on_the_engine
coverage: setup
	@$(BIN)/coverage run -m pytest -m 'not slow' --hypothesis-seed=0 $(ENGINE)
	@$(BIN)/coverage report

# is every wrong engine caught, and three planted defects; do intervals hold the truth; what takes
# long; do days pass; and the digests of all examples on every Python at hand
PYTHONS ?= python3.11 python3.12 python3.13 python3.14
prove: setup
	@$(BIN)/vtap conform --mutants
	@$(BIN)/python -m tests.soak.defects
	@$(BIN)/python -m tests.truth
	@$(TEST) -m long
	@for long in examples/long/*.toml; do $(BIN)/vtap run $$long --bare || exit 1; done
	@for python in $(PYTHONS); do \
		"$$python" -c 'import ensurepip, venv' 2> /dev/null || { echo "$$python: not here"; continue; }; \
		place=.venv/pythons/$$(basename "$$python"); \
		{ test -x $$place/bin/pytest || { "$$python" -m venv --clear $$place && $$place/bin/python -m pip \
			--disable-pip-version-check --quiet install --require-hashes -r requirements.lock; }; } \
		&& "$$place/bin/python" --version && $$place/bin/python -m pytest -m 'not long' tests/examples || exit 1; \
	done

# root on Linux: a kernel and a real SoftEther server as judges, in real time; it writes
# docs/fidelity.md; of the tests, what fails is tried once more
live: setup
	@$(BIN)/python -m sim.live
	@$(BIN)/pytest -m live tests/live || $(BIN)/pytest -m live --last-failed tests/live

bench: setup
	@$(BIN)/python benchmarks/run.py '$(LIBRARY)'

# what takes over five minutes; it writes docs/soak.md
PART ?=
soak: .venv/.soak
	@$(BIN)/python -m tests.soak $(PART)

.venv/.soak: .venv/.ready requirements-soak.lock
	@$(PIP) --require-hashes -r requirements-soak.lock
	@touch $@

# Why no environment can be made of $(PYTHON), in one line; nothing where it can.
unfit = $(shell \
	command -v '$(PYTHON)' > /dev/null || { echo 'no `$(PYTHON)` here' \
		'(hint: install Python 3.11 or newer, or name it: `make PYTHON=/path/to/python3`)'; exit; }; \
	'$(PYTHON)' -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo '`$(PYTHON)` is' \
		'older than 3.11 (hint: name a newer one: `make PYTHON=python3.11`)'; exit; }; \
	'$(PYTHON)' -c 'import ensurepip, venv' 2> /dev/null || echo '`$(PYTHON)` has no `venv`' \
		'(hint: apt-get install python3-venv)')

# The pinned packages: made anew, and removed again if anything fails half-way.
.venv/.locked: requirements.lock
	$(if $(unfit),$(error $(unfit)))
	@echo 'installing the pinned packages into .venv' >&2
	@{ '$(PYTHON)' -m venv --clear .venv && $(PIP) --require-hashes -r requirements.lock; } \
		|| { rm -rf .venv; exit 2; }
	@touch $@

# The project itself, editable.
.venv/.ready: .venv/.locked pyproject.toml
	@$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@
