# `make run` needs make and Python 3.11 or newer; everything else is installed into .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Many tests wait for servers that start or are down: five workers keep two processors busy.
WORKERS ?= 5
# Tests and what they start load modules that were compiled before.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help run demo demo-data picture openapi test soak bench load style check lock stage deploy doctor matrix clean

help:
	@echo 'make run       everything on one machine, at http://127.0.0.1:8080 (PORT=9000 make run: elsewhere)'
	@echo 'make demo      a walk-through of a handoff: each step, its answer, what the phone showed'
	@echo 'make demo-data two weeks of sample conversations, to look at the reports and the desk'
	@echo 'make matrix    a Matrix homeserver, at which people answer what `make run` hands off'
	@echo 'make test      every check and test, as CI runs them'
	@echo 'make soak      what the gate samples, whole, and the tests that find more the longer they run'
	@echo 'make bench     measured beside what one would write by hand'
	@echo 'make load      ten thousand conversations at a steady rate, for ten minutes'
	@echo 'make stage     the folders that are deployed, in build/'
	@echo 'make deploy    PROJECT=... REGION=... [ARGS="--dry-run"]'
	@echo 'make doctor    URL=... : is this Baton well?'
	@echo 'make picture   the pictures in the documents, from a run and from sample data'
	@echo 'make openapi   the OpenAPI documents and JSON Schemas in functions'
	@echo 'make lock      requirements*.txt from requirements*.in'
	@echo 'make clean     what was built, not what .baton keeps'

run: $(VENV)/runtime
	@$(BIN)/python -m infra.local

demo: $(VENV)/runtime
	@$(BIN)/python -m infra.local.demo

demo-data: $(VENV)/runtime
	@$(BIN)/python -m infra.local.demo_data $(ARGS)

matrix: $(VENV)/runtime
	@$(BIN)/python -m infra.matrix homeserver $(ARGS)

picture: $(VENV)/development
	@$(BIN)/python -m infra.local.picture

# mypy takes a minute on one processor, so it runs beside the rest; its verdict counts as theirs.
test: $(VENV)/development
	@mkdir -p build; $(BIN)/mypy >build/mypy.txt 2>&1 & types=$$!; \
	$(MAKE) --no-print-directory style || { kill $$types; exit 1; }; \
	$(BIN)/pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder; tests=$$?; \
	wait $$types || { cat build/mypy.txt; exit 1; }; exit $$tests

soak: $(VENV)/development
	HYPOTHESIS_PROFILE=hunt BATON_REQUIRE_ALL=1 BATON_KILL_RUNS=100 $(BIN)/pytest -n $(WORKERS) --dist load -m soak

bench: $(VENV)/development
	@$(BIN)/python -m tests.benchmarks $(BENCH)

load: $(VENV)/development
	@$(BIN)/python -m tests.benchmarks.steady $(LOAD)

style: $(VENV)/development
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports
	$(BIN)/pip check

check: style
	$(BIN)/mypy

stage: $(VENV)/runtime
	@$(BIN)/python -m infra.stage $(ARGS)

deploy: $(VENV)/runtime
	@test -n "$(PROJECT)" && test -n "$(REGION)" || { echo 'Say where: make deploy PROJECT=my-project REGION=europe-west1 [ARGS="--dry-run"]'; exit 2; }
	@$(BIN)/python -m infra.deploy --project "$(PROJECT)" --region "$(REGION)" $(ARGS)

doctor: $(VENV)/runtime
	@$(BIN)/python -m infra.doctor "$(or $(URL),http://127.0.0.1:8080)" $(ARGS)

openapi: $(VENV)/runtime
	@$(BIN)/python -m infra.openapi

lock: $(VENV)/development
	$(BIN)/uv pip compile requirements.in --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links -q -o requirements.txt
	$(BIN)/uv pip compile requirements-dev.in --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links -q -o requirements-dev.txt
	$(BIN)/uv pip compile infra/matrix/synapse.in --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links -q -o infra/matrix/synapse.txt

$(VENV)/runtime: requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Baton needs Python 3.11 or newer; name one with: make PYTHON=python3.13 ...")'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing what Baton needs into $(VENV) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	@touch $@

$(VENV)/development: $(VENV)/runtime requirements-dev.txt
	@echo "Installing what the tests need into $(VENV) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@touch $@

clean:
	rm -rf build .pytest_cache .mypy_cache .ruff_cache
