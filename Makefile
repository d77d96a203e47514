# Everything runs in .venv, which the first target that needs it makes.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: demo test check format conformance crash bench corpus clean

demo: $(READY) ## upgrade → status → dry run → rollback → status on an embedded PostgreSQL
	@PATH="$(CURDIR)/$(BIN):$$PATH" sh sample_project/demo.sh

test: $(READY) ## every test, on an embedded PostgreSQL
	$(BIN)/python -m pytest -q -n 2 --dist loadfile

check: $(READY) ## style, types, layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(READY)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

conformance: $(READY) ## Alembic's own test suite with and without the plugin
	$(BIN)/python tests/conformance/run.py
	$(BIN)/python -m pytest -q tests/test_differential.py

crash: $(READY) ## kill client, backend and server at every statement boundary (up to an hour)
	$(BIN)/python -m tests.crash

bench: $(READY) ## speed beside other tools and the goals: make bench BENCH="--quick"
	$(BIN)/python benchmarks/bench.py $(BENCH)

corpus: $(READY) ## generate-down on folders of pairs: make corpus CORPUS="DIR..."
	$(BIN)/python benchmarks/corpus.py $(CORPUS)

clean:
	rm -rf $(VENV) .pgdata .mypy_cache .ruff_cache .pytest_cache .hypothesis build dist

$(READY): pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $(READY)
