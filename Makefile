# Everything runs in .venv, which the targets below make and keep for themselves.
# Nothing but Python 3.11 or newer has to be there.   PYTHON=/path/to/python make ...   chooses another one.

.DEFAULT_GOAL := help
.PHONY: help demo test check bench soak honesty lock clean reinstall

BIN := .venv/bin
STAMP := .venv/.installed
# "broken" where the environment is missing, has lost its Python, or holds another copy of this project than this one.
BROKEN := $(shell $(BIN)/python -Ic 'import importlib.util as u, os, sys; found = u.find_spec("shipworthy"); \
	sys.exit(not (found and os.path.samefile(found.origin, "src/shipworthy/__init__.py")))' 2>/dev/null || echo broken)
WORKERS ?= 2
KILLS ?= 100
MINUTES ?= 30
REQUESTS ?= 1000000
ARGS ?=

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(STAMP)  ## the kitchen example, from the idea to the ledger
	@$(BIN)/shipworthy demo $(ARGS)

test: $(STAMP)  ## all tests and doctests          (WORKERS=4, ARGS="-k verdict")
	@$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal $(ARGS)

check: $(STAMP)  ## style, format, types and layers
	@failed=; \
	$(BIN)/ruff check . || failed="$$failed style"; \
	$(BIN)/ruff format --check --quiet . || failed="$$failed format"; \
	$(BIN)/mypy || failed="$$failed types"; \
	$(BIN)/lint-imports --no-logo || failed="$$failed layers"; \
	if [ "$$failed" ]; then echo "make check failed:$$failed"; exit 1; fi

bench: $(STAMP)  ## the figures that the documentation quotes   (ARGS="cli imports")
	@$(BIN)/python -m benchmarks $(ARGS)

soak: $(STAMP)  ## a Ray cluster, a hundred kills, a million answers, half an hour of load (KILLS=, REQUESTS=, MINUTES=)
	@SHIPWORTHY_RAY=1 $(BIN)/python -m pytest -n 0 tests/engine/test_ray.py
	@SHIPWORTHY_SOAK=$(REQUESTS) $(BIN)/python -m pytest -n 0 tests/live/test_turns.py -k answer_of_another
	@SHIPWORTHY_KILLS=$(KILLS) $(BIN)/python -m pytest -n 0 --timeout 3600 tests/live/test_kill.py tests/ship/test_kill.py tests/engine/test_kill.py $(ARGS)
	@SHIPWORTHY_SOAK_MINUTES=$(MINUTES) $(BIN)/python -m pytest -n 0 -s tests/live/test_soak.py

honesty: $(STAMP)  ## how often the verdict is wrong, by simulation
	@$(BIN)/python -m benchmarks.honesty $(ARGS)

lock: $(STAMP)  ## write requirements.lock again   (ARGS=--upgrade: newest versions)
	@$(BIN)/uv pip compile pyproject.toml --all-extras --group dev --universal --python-version 3.11 \
		--generate-hashes --no-header --quiet $(ARGS) -o requirements.lock
	@! grep -n '://' requirements.lock || { echo 'requirements.lock names a host: see the lines above.'; exit 1; }

clean:  ## remove caches and builds; .venv and your projects stay
	@rm -rf build dist .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	@find src tests benchmarks examples -name __pycache__ -type d -prune -exec rm -rf {} +

# pip and not uv: pip compiles what it installs, also where PYTHONDONTWRITEBYTECODE is set.
# Uncompiled, every start of the command line would compile its imports again.
$(STAMP): pyproject.toml requirements.lock $(if $(BROKEN),reinstall)
	@set -e; \
	if ! $(BIN)/pip --version >/dev/null 2>&1; then \
		for python in $(PYTHON) python3.13 python3.12 python3.11 python3 none; do \
			$$python -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && break; \
		done; \
		if [ $$python = none ]; then \
			echo 'No Python 3.11 or newer with venv was found. Install one, or name it: make PYTHON=/path/to/python3.12'; \
			exit 1; \
		fi; \
		echo "Making .venv with $$($$python --version)."; \
		$$python -m venv --clear .venv; \
	fi; \
	echo 'Installing what requirements.lock names; from nothing this takes a minute or two.'; \
	$(BIN)/python -m pip install -qq --disable-pip-version-check --require-hashes -r requirements.lock; \
	$(BIN)/python -m pip install -qq --disable-pip-version-check --no-deps --no-build-isolation -e .; \
	$(BIN)/python -m compileall -q src; \
	touch $@

reinstall:
