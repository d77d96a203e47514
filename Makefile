# Everything runs in .venv, which the first target that needs it makes.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: demo test check docs dist format conformance crash matrix bench corpus clean

demo: $(READY) ## upgrade → status → dry run → rollback → status on an embedded PostgreSQL
	@PATH="$(CURDIR)/$(BIN):$$PATH" sh sample_project/demo.sh

# Empty is unset: hundreds of interpreters would each compile what they import.
test: $(READY) ## every test, on an embedded PostgreSQL
	PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest -q -n 2 --dist loadfile --no-loadscope-reorder

check: $(READY) ## style, types, layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: $(READY) ## the site, in build/site; a warning is an error, and nothing is fetched
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet

dist: $(READY) ## wheel and source distribution, checked
	rm -rf dist
	$(BIN)/python -m build --no-isolation --outdir dist
	$(BIN)/twine check --strict dist/*
	$(BIN)/check-wheel-contents dist/*.whl

format: $(READY)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

conformance: $(READY) ## Alembic's own test suite with and without the plugin
	$(BIN)/python tests/conformance/run.py
	$(BIN)/python -m pytest -q tests/test_differential.py

crash: $(READY) ## kill client, backend and server at every statement boundary (up to an hour)
	$(BIN)/python -m tests.crash

matrix: $(READY) ## the supported versions, each with its own environment; writes the README's table
	rm -rf .nox/matrix
	-$(BIN)/nox -s matrix
	$(BIN)/python -m tests.matrix

bench: $(READY) ## speed beside other tools and the goals: make bench BENCH="--quick"
	$(BIN)/python benchmarks/bench.py $(BENCH)

corpus: $(READY) ## generate-down on folders of pairs: make corpus CORPUS="DIR..."
	$(BIN)/python -m benchmarks.corpus $(CORPUS)

clean:
	rm -rf $(VENV) .nox .pgdata .mypy_cache .ruff_cache .pytest_cache .hypothesis build dist

$(READY): pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $(READY)
